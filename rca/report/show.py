"""What the notebooks show: one verb per part of a report.

An output holds the same bytes for the same result: no object addresses, no random ids, no clock. Beside the picture or
the table, an output carries the findings it stands on, so that an executed notebook holds its own evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rca.record.blame import nameless
from rca.record.whyviews import fishbone
from rca.report import (
    cascadecharts,
    curvecharts,
    explanationcharts,
    outputs,
    rowcharts,
    sections,
    timecharts,
    told,
    whycharts,
)
from rca.report.charts import chart
from rca.report.outputs import absent, figure, html

if TYPE_CHECKING:
    from rca.analysis.drift import ColumnDrift
    from rca.analysis.engine import Analysis
    from rca.record.case import Case
    from rca.report.told import Told


REASONS, MOVED = "how did the model's reasons change", "what moved"
"""Questions whose answer, where there is none, says why the model's reasons are not known."""


MOST_COLUMNS = 6
"""Columns drawn before and after."""

MOST_EXAMPLES = 3
"""Rows that carry the shift, drawn one by one."""

# --- all notebooks ---------------------------------------------------------------------------------------------------


def results(analysis: "Analysis") -> None:
    """What this notebook concludes from, for the runner; people see one line."""
    outputs.display({outputs.RESULTS: analysis.results(), "text/plain": f"Analysis of {analysis.incident}, ready."})


def verdict(analysis: "Analysis") -> None:
    """The verdict in words, the metric before and after, and the causes."""
    metric = analysis.verdict.metric
    html(sections.verdict(analysis.verdict), said=str(analysis.verdict), claims=metric.findings() if metric else ())


def unanswered(analysis: "Analysis") -> None:
    """What the data cannot answer, and why."""
    html(sections.unanswered(analysis.unanswered), said=f"{len(analysis.unanswered)} open questions")


# --- the timeline ----------------------------------------------------------------------------------------------------


def summary(case: "Case") -> None:
    """What happened, in the words of the record."""
    html(sections.summary(nameless(case.incident)), said="The incident on record")


def facts(case: "Case") -> None:
    """What is on record of the incident itself."""
    html(sections.facts(nameless(case.incident)), said="The incident on record")


def timeline(case: "Case", analysis: "Analysis") -> None:
    """Moments, events and durations on one axis."""
    life, since = analysis.lifecycle, analysis.since
    onset = analysis.onset or analysis.verdict.onset
    exposed = str(life.exposure) if life is not None and life.exposure is not None else ""
    curve = since.metric if since is not None else None
    figure(timecharts.timeline(nameless(case.incident).timeline, onset, curve=curve, exposure=exposed))


def lifecycle(analysis: "Analysis") -> None:
    """Every moment with its source and uncertainty, what sources contradict, and the exposure."""
    from rca.report.postmortem import lifecycle as told_of

    if analysis.lifecycle is not None:
        html(told_of(analysis.lifecycle), said=str(analysis.lifecycle))


def durations(analysis: "Analysis") -> None:
    """How long things took, with both moments of each."""
    html(sections.durations(analysis.durations), said=f"{len(analysis.durations)} durations")


def events(case: "Case") -> None:
    """Everything on record around the incident."""
    html(sections.events(nameless(case.incident)), said=f"{len(case.incident.timeline.events)} events")


# --- what moved, and the harm ----------------------------------------------------------------------------------------


def harm(analysis: "Analysis") -> None:
    """How much of the metric's change each thing did."""
    part = analysis.harm or analysis.verdict.metric
    figure(chart(part), part.findings()) if part else absent(
        "This case has no metric over rows whose change could be divided."
    )


def drift(analysis: "Analysis") -> None:
    """How far every column moved."""
    part = analysis.drift
    figure(chart(part), part.findings()) if part else absent("This case has no tables of both windows to compare.")


def joint(analysis: "Analysis") -> None:
    """Whether all columns together tell the windows apart, and which do."""
    part = analysis.joint
    figure(chart(part), part.findings()) if part else absent("The windows could not be compared as a whole.")


def faults(analysis: "Analysis") -> None:
    """How columns broke, in which rows, and what says so; then each of them before and after."""
    part = analysis.faults
    broken = sorted(part.broken if part else (), key=lambda row: -_harm_of(analysis, row.column))
    if part is None or not broken:
        absent("No column broke in a way that has a name.")
        return
    html(sections.faults(broken, analysis.harm), said=str(part), claims=part.findings())
    _profiles(analysis, {row.column: str(row) for row in broken})


def _harm_of(analysis: "Analysis", column: str) -> float:
    """What a column did to the metric, as far as it was divided."""
    parts = analysis.harm.contributions if analysis.harm else ()
    return sum(part.value for part in parts if part.kind == "feature" and part.name == column)


def columns(analysis: "Analysis") -> None:
    """The columns that only moved, the farthest first, before and after."""
    broken = {row.column for row in analysis.faults.columns if row.broken} if analysis.faults else set()
    moved = [name for name in analysis.drift.moved() if name not in broken] if analysis.drift else []
    _profiles(analysis, dict.fromkeys(moved, ""))
    if not moved:
        absent("No other column moved materially.")


def _profiles(analysis: "Analysis", claims: Mapping[str, str]) -> None:
    """Some columns before and after, as far as they were compared: what moved of them, else their values.

    A claim is what is to be seen, where that is more than that the column moved.
    """
    compared = analysis.drift.columns if analysis.drift else ()
    drawn = [row for name in claims for row in _to_see(compared, name) if row.profile.labels]
    for row in drawn[:MOST_COLUMNS]:
        spec = chart(row)
        figure(replace(spec, title=claims[row.column] or spec.title))
    if len(drawn) > MOST_COLUMNS:
        absent(f"{len(drawn) - MOST_COLUMNS} more are in the table of effects.")


def _to_see(compared: "Sequence[ColumnDrift]", name: str) -> "list[ColumnDrift]":
    own = [row for row in compared if row.column == name]
    return [row for row in own if row.moved] or [row for row in own if row.aspect == "values"]


def slices(analysis: "Analysis") -> None:
    """Where the change in harm sits."""
    part = analysis.slices
    if part is None:
        absent("No harm was done that could sit anywhere.")
    else:
        figure(chart(part), part.findings())


def gaps(analysis: "Analysis") -> None:
    """The metric of each group, in both windows."""
    part = analysis.gaps
    drawn = [gap for gap in part.gaps if gap.change is not None] if part else []
    for gap in drawn[:MOST_COLUMNS]:
        figure(chart(gap))
    if part is None or not drawn:
        absent("The case names no groups with enough rows to compare.")
    else:
        html(sections.gaps(part), said=str(part), claims=part.findings())


def onset(case: "Case", analysis: "Analysis") -> None:
    """Since when, and which events were near."""
    part = analysis.onset
    if part is None:
        absent("No onset can be dated from the data.")
    else:
        figure(
            timecharts.onset(part, case.incident.timeline.events), analysis.since.findings() if analysis.since else ()
        )


def dates(analysis: "Analysis") -> None:
    """When each cause began, and which events lie near."""
    if analysis.since is not None and len(analysis.since.rows()) > 1:
        html(sections.dates(analysis.since), said=str(analysis.since))
    if analysis.events is not None and analysis.events.candidates:
        part = analysis.events
        html(sections.near(part), said=str(part), claims=part.findings())


def labels(analysis: "Analysis") -> None:
    """What is known of rows without a label."""
    part = analysis.unlabelled
    if part is not None:
        html(sections.unlabelled(part), said=str(part), claims=part.findings())


def cascade(analysis: "Analysis") -> None:
    """Which system left its normal range first."""
    part = analysis.cascade
    figure(chart(part), part.findings()) if part else absent("This case has no signals of systems.")


def systems(case: "Case", analysis: "Analysis") -> None:
    """When each system left its normal range, on one axis with the events."""
    part = analysis.cascade
    if part is not None and part.abnormal:
        figure(cascadecharts.onsets(part, case.incident.timeline.events))
    else:
        absent("No system left its normal range.")


def way(analysis: "Analysis") -> None:
    """By which way the failure spread, and who kept silent."""
    part = analysis.cascade
    if part is not None and part.steps:
        figure(cascadecharts.way(part))
    else:
        absent("No way can be told: without a graph, the order of onsets above is all that is known.")


def signals(case: "Case", analysis: "Analysis") -> None:
    """The signals that left their range, in the order in which they did."""
    part, table, record = analysis.cascade, case.signals, case.incident.signals
    if part is not None and part.traces and table is not None and record is not None:
        figure(cascadecharts.signals(part, table, record))
    else:
        absent("No signal left its normal range.")


def blast(analysis: "Analysis") -> None:
    """What each system went through between its onset and containment."""
    part = analysis.cascade
    if part is not None and part.touched:
        html(sections.touched(part.touched), said=f"{len(part.touched)} systems failed")
    else:
        absent("No system failed for a time that could be told.")


# --- the model's reasons ---------------------------------------------------------------------------------------------


def _unexplained(analysis: "Analysis") -> None:
    """Say why the model's reasons are not known."""
    known = {one.question: one.why for one in analysis.unanswered}
    why = known.get(REASONS) or known.get(MOVED) or "the reasons of the model are not known"
    absent(f"No reasons could be compared: {why}.")


def method(analysis: "Analysis") -> None:
    """What the model's reasons are, and how they came about."""
    part = analysis.explanation
    if part is not None:
        html(sections.method(part), said=f"SHAP values, {part.method}")


def explanation(analysis: "Analysis") -> None:
    """What each feature is worth to the model, before and during."""
    part = analysis.explanation
    if part is None:
        _unexplained(analysis)
    else:
        figure(chart(part), part.findings())


def swarm(analysis: "Analysis") -> None:
    """The reasons row by row."""
    part = analysis.explanation
    if part is not None and part.swarm:
        figure(rowcharts.swarm(part))


def together(analysis: "Analysis") -> None:
    """Whether all reasons together tell the windows apart."""
    part = analysis.explanation
    if part is not None and part.joint is not None:
        figure(explanationcharts.together(part.joint))
    elif part is not None:
        absent("Too few rows were explained to tell whether all reasons together differ.")


def reasons(analysis: "Analysis") -> None:
    """Every feature's reasons in numbers."""
    part = analysis.explanation
    if part is not None:
        html(sections.reasons(part), said=str(part))


def turned(analysis: "Analysis") -> None:
    """Whose reasons turned against the label."""
    part = analysis.explanation
    if part is None:
        absent("No reasons could be set against the label, as no reasons could be compared.")
    elif part.loss is None:
        absent("The label is not known in enough rows of both windows, so that no loss can be divided.")
    else:
        figure(explanationcharts.turned(part))


def curves(analysis: "Analysis") -> None:
    """Whether the same value is explained otherwise; and what an update did, where there was one."""
    part = analysis.explanation
    if part is None:
        absent("It is not known what each value is worth, as no reasons could be compared.")
        return
    if any(one.update is not None for one in part.reasons):
        figure(explanationcharts.updated(part))
    able = [curve for curve in part.curves if curvecharts.drawable(curve)]
    drawn = [curve for curve in able if part[curve.column].moved] or able[:1]
    for curve in drawn:
        figure(curvecharts.dependence(curve, part[curve.column], scale=part.scale))
    if not drawn:
        absent("No value of a feature is in enough rows to say what it is worth.")
    elif not part.moved():
        absent("No feature's reasons moved; drawn is the one that changed most.")
    elif len(drawn) < len(part.moved()):
        absent(f"The reasons of {len(part.moved()) - len(drawn)} more moved, less far.")


def cohorts(analysis: "Analysis") -> None:
    """In which parts of the rows the reasons changed."""
    part = analysis.explanation
    if part is None:
        absent("No part of the rows can be named, as no reasons could be compared.")
    elif not part.cohorts:
        absent("In no group on record, and in no slice that carries the harm, did the reasons change beyond chance.")
    else:
        html(sections.cohorts(part), said=f"{len(part.cohorts)} parts of the rows")


def exemplars(analysis: "Analysis") -> None:
    """Rows that carry the shift, from the usual answer to their own."""
    part = analysis.explanation
    if part is None:
        absent("No row can be shown as an example, as no reasons could be compared.")
    elif not part.exemplars:
        absent("No reasons moved, so that no row is an example of it.")
    else:
        for row in part.exemplars[:MOST_EXAMPLES]:
            figure(rowcharts.example(row, scale=part.scale))


# --- the post-mortem -------------------------------------------------------------------------------------------------


def postmortem(case: "Case", analysis: "Analysis") -> "Told":
    """What the parts of a post-mortem are told from: the record and the findings, names of people replaced by roles."""
    return told.told(case, analysis)


def part(name: str, post: "Told") -> None:
    """One part of a post-mortem by its name, such as `identity`, `impact` or `actions`."""
    from rca.report.postmortem import PARTS

    claims = post.analysis.recovery.findings() if name == "response" and post.analysis.recovery else ()
    html(PARTS[name](post), said=f"Post-mortem: {name.replace('_', ' ')}", claims=claims)


def why_tree(post: "Told") -> None:
    """The why-tree as a figure, then as nested questions with their evidence."""
    if post.whys:
        figure(whycharts.outline(post.whys))
    part("why_tree", post)


def factors(post: "Told") -> None:
    """The factors as a fishbone, then with the guards that were missing and what together was enough."""
    if post.whys:
        figure(chart(fishbone(post.whys, post.incident.title)))
    part("factors", post)


def causes(analysis: "Analysis") -> None:
    """The causes, each with its interval."""
    if sum(cause.contribution is not None for cause in analysis.verdict.causes) > 1:
        figure(chart(analysis.verdict))
    html(sections.causes(analysis.verdict), said=f"{len(analysis.verdict.causes)} causes")


def findings(analysis: "Analysis") -> None:
    """Every claim with its strength, assumptions and refuters."""
    claims = analysis.findings()
    html(sections.findings(claims), said=f"{len(claims)} findings", claims=claims)


def verification(case: "Case") -> None:
    """How to check this report."""
    html(sections.verification(case.incident), said="rca verify")
