"""What the notebooks show: one verb per part of a report.

An output holds the same bytes for the same result: no object addresses, no random ids, no clock. Beside the picture or
the table, an output carries the findings it stands on, so that an executed notebook holds its own evidence.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rca.finding import Finding
from rca.report import sections, timecharts
from rca.report.charts import Chart, chart
from rca.report.figures import MIME
from rca.report.markup import paragraph

if TYPE_CHECKING:
    from rca.analysis.engine import Analysis
    from rca.record.case import Case

FINDINGS = "application/vnd.rca.findings+json"
"""Type of the findings among a notebook's outputs."""

RESULTS = "application/vnd.rca.results+json"
"""Type of the content of `results.json` among a notebook's outputs."""

MOST_COLUMNS = 6
"""Columns drawn before and after."""

Bundle = dict[str, Any]


def _display(bundle: Bundle) -> None:
    from IPython.display import display

    display(bundle, raw=True)


def _html(markup: str, *, said: str, claims: Iterable[Finding] = ()) -> None:
    _display({"text/html": markup, "text/plain": said, **_carried(claims)})


def _figure(drawn: Chart, claims: Iterable[Finding] = ()) -> None:
    spec = drawn.to_dict()
    _display({MIME: spec, "text/plain": spec["layout"]["meta"]["alt"], **_carried(claims)})


def _carried(claims: Iterable[Finding]) -> Bundle:
    plain = [asdict(claim) for claim in claims]
    return {FINDINGS: plain} if plain else {}


def _absent(why: str) -> None:
    _html(paragraph(why, "rca-note"), said=why)


# --- all notebooks ---------------------------------------------------------------------------------------------------


def results(analysis: "Analysis") -> None:
    """What this notebook concludes from, for the runner; people see one line."""
    _display({RESULTS: analysis.results(), "text/plain": f"Analysis of {analysis.incident}, ready."})


def verdict(analysis: "Analysis") -> None:
    """The verdict in words, the metric before and after, and the causes."""
    metric = analysis.verdict.metric
    _html(sections.verdict(analysis.verdict), said=str(analysis.verdict), claims=metric.findings() if metric else ())


def unanswered(analysis: "Analysis") -> None:
    """What the data cannot answer, and why."""
    _html(sections.unanswered(analysis.unanswered), said=f"{len(analysis.unanswered)} open questions")


# --- the timeline ----------------------------------------------------------------------------------------------------


def summary(case: "Case") -> None:
    """What happened, in the words of the record."""
    _html(sections.summary(case.incident), said="The incident on record")


def facts(case: "Case") -> None:
    """What is on record of the incident itself."""
    _html(sections.facts(case.incident), said="The incident on record")


def timeline(case: "Case", analysis: "Analysis") -> None:
    """Moments, events and durations on one axis."""
    _figure(timecharts.timeline(case.incident.timeline, analysis.onset))


def durations(analysis: "Analysis") -> None:
    """How long things took, with both moments of each."""
    _html(sections.durations(analysis.durations), said=f"{len(analysis.durations)} durations")


def events(case: "Case") -> None:
    """Everything on record around the incident."""
    _html(sections.events(case.incident), said=f"{len(case.incident.timeline.events)} events")


# --- what moved, and the harm ----------------------------------------------------------------------------------------


def harm(analysis: "Analysis") -> None:
    """How much of the metric's change each thing did."""
    part = analysis.harm or analysis.verdict.metric
    _figure(chart(part), part.findings()) if part else _absent(
        "This case has no metric over rows whose change could be divided."
    )


def drift(analysis: "Analysis") -> None:
    """How far every column moved."""
    part = analysis.drift
    _figure(chart(part), part.findings()) if part else _absent("This case has no tables of both windows to compare.")


def columns(analysis: "Analysis") -> None:
    """The columns that moved farthest, before and after."""
    moved = [row for row in analysis.drift.columns if row.moved] if analysis.drift else []
    for row in moved[:MOST_COLUMNS]:
        _figure(chart(row))
    if len(moved) > MOST_COLUMNS:
        _absent(f"{len(moved) - MOST_COLUMNS} more columns moved less far; the table of effects has them.")
    elif not moved:
        _absent("No column moved materially.")


def onset(case: "Case", analysis: "Analysis") -> None:
    """Since when, and which events were near."""
    part = analysis.onset
    if part is None:
        _absent("No onset can be dated from the data.")
    else:
        _figure(timecharts.onset(part, case.incident.timeline.events))


def cascade(analysis: "Analysis") -> None:
    """Which system left its normal range first."""
    part = analysis.cascade
    _figure(chart(part), part.findings()) if part else _absent("This case has no signals of systems.")


# --- the post-mortem -------------------------------------------------------------------------------------------------


def impact(case: "Case") -> None:
    """Whom it reached."""
    _html(sections.impact(case.incident), said="Whom it reached")


def causes(analysis: "Analysis") -> None:
    """The causes, each with its interval."""
    if sum(cause.contribution is not None for cause in analysis.verdict.causes) > 1:
        _figure(chart(analysis.verdict))
    _html(sections.causes(analysis.verdict), said=f"{len(analysis.verdict.causes)} causes")


def whys(analysis: "Analysis") -> None:
    """Why it could happen, with the evidence of each step."""
    _html(sections.whys(analysis.whys), said="Why it could happen")


def actions(case: "Case") -> None:
    """What is done about it."""
    _html(sections.actions(case.incident.actions), said=f"{len(case.incident.actions)} corrective actions")


def findings(analysis: "Analysis") -> None:
    """Every claim with its strength, assumptions and refuters."""
    claims = analysis.findings()
    _html(sections.findings(claims), said=f"{len(claims)} findings", claims=claims)


def verification(case: "Case") -> None:
    """How to check this report."""
    _html(sections.verification(case.incident), said="rca verify")
