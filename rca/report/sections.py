"""Parts of a report as HTML: pure functions of the record and of results, every text escaped."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rca.analysis.condition import conjunction
from rca.analysis.verdict import Cause, Verdict
from rca.finding import Finding, Interval, Unanswered
from rca.record.incident import Incident
from rca.record.reliability import Duration, spell
from rca.record.whys import Factor, Why
from rca.report.charts import interval_of
from rca.report.explanationcharts import MOST_NUMBERS, rank_of, unit_of
from rca.report.harmcharts import cause_row, change_in_words, change_unit
from rca.report.markup import bullets, element, escape, paragraph, shown, table
from rca.report.text import between, count, moment, number, span, words

if TYPE_CHECKING:
    from rca.analysis.blast import Touched
    from rca.analysis.cohorts import CohortShift
    from rca.analysis.column_fault import ColumnFault
    from rca.analysis.effect import Effect
    from rca.analysis.events import Lined
    from rca.analysis.gaps import Gaps
    from rca.analysis.harm import Harm
    from rca.analysis.onset import Onset
    from rca.analysis.reasons import ExplanationShift, Reason
    from rca.analysis.since import Since
    from rca.analysis.unlabelled import Unlabelled

STATUS = {"explained": "Explained", "no_incident": "No incident", "cannot_tell": "Cannot tell"}
"""What a verdict's status is called."""


def summary(incident: Incident) -> str:
    """What happened, in the words of the record."""
    return paragraph(incident.summary or "The record has no summary.", "rca-lead")


def facts(incident: Incident) -> str:
    """What is on record of the incident itself."""
    systems = ", ".join(" ".join(filter(None, (system.name, system.version))) for system in incident.systems)
    rows = [
        {"fact": "incident", "value": incident.id},
        {"fact": "severity", "value": incident.severity},
        {"fact": "category", "value": words(incident.category)},
        {"fact": "status", "value": incident.status},
        {"fact": "systems", "value": systems or "none on record"},
        {"fact": "as of", "value": moment(incident.now)},
    ]
    return table(rows, incident.title)


def verdict(result: Verdict) -> str:
    """The verdict in words a board understands."""
    parts = [paragraph(STATUS[result.status], "rca-pill"), paragraph(result.summary, "rca-lead")]
    if result.metric:
        parts.append(paragraph(f"{change_in_words(result.metric)} ({change_interval(result)})."))
    if told := listed(result):
        rows = [{"rank": rank, **cause_row(cause, result.metric)} for rank, cause in enumerate(told, start=1)]
        parts.append(table([_without(row, "findings") for row in rows], _listed_as(result)))
    if result.onset:
        parts.append(paragraph(since(result.onset)))
    return "".join(parts)


def listed(result: Verdict) -> tuple[Cause, ...]:
    """The causes that people are told: where something is named, no mere candidates."""
    return tuple(one for one in result.causes if result.status == "cannot_tell" or one.strength != "assumed")


def _listed_as(result: Verdict) -> str:
    if result.status == "cannot_tell":
        return "Not named; candidates in the order in which to look at them"
    return "Causes, the largest harm first" if result.metric else "Systems, the likeliest origin first"


def _without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


def change_interval(result: Verdict) -> str:
    """The interval of the metric's change, in words."""
    if result.metric is None:
        return "no metric"
    metric, interval = result.metric, result.metric.interval
    between = span(metric.scale * interval.low, metric.scale * interval.high, sign=True)
    return f"{interval.level:.0%} interval of the change {between} {change_unit(metric)}"


def since(onset: "Onset") -> str:
    """Since when, in words."""
    sure = between(onset.earliest, onset.latest, onset.level)
    return f"Since {moment(onset.at)} ({sure}), dated on {words(onset.what)}."


def faults(broken: "Sequence[ColumnFault]", harm: "Harm | None" = None) -> str:
    """How columns broke, in which rows, what says so, and whether it did harm."""
    unit = change_unit(harm.measured) if harm else "not measured"
    rows = [
        {
            "column": one.column,
            "fault": words(one.fault),
            "where": conjunction(one.where) if one.where else "anywhere",
            "rows hit": f"{one.share:.0%}",
            "what says so": one.evidence,
            f"harm ({unit})": _harm_of(one.column, harm),
        }
        for one in broken
    ]
    return table(rows, "Columns that broke")


def _harm_of(column: str, harm: "Harm | None") -> str | None:
    """What a column did to the metric, with its interval; None where that was not divided."""
    if harm is None:
        return None
    scale = harm.measured.scale
    told = (
        f"{number(scale * part.value, sign=True)} ({span(scale * part.interval.low, scale * part.interval.high)})"
        for part in harm.contributions
        if part.kind == "feature" and part.name == column
    )
    return next(told, None)


def gaps(result: "Gaps") -> str:
    """Gaps between groups before and after, with the smallest that could have been seen left to the intervals."""
    rows = [{**row, "measure": words(str(row["measure"]))} for row in result.rows()]
    return table(rows, "Groups, and the gap between those farthest apart")


def dates(result: "Since") -> str:
    """When each cause began to show."""
    rows = [
        {
            "of": row["of"],
            "since": moment(row["since"]),
            "earliest": moment(row["earliest"]),
            "latest": moment(row["latest"]),
            "shape": row["shape"],
            "dated on": words(row["dated on"]),
        }
        for row in result.rows()
    ]
    return table(rows, "When each began")


def near(result: "Lined") -> str:
    """Events on record before the onset, with how surprising it is that they lie so near."""
    rows = [{**row, "at": moment(row["at"])} for row in result.rows()]
    return paragraph(str(result), "rca-note") + table(rows, "Events that can have begun it, the nearest first")


def checks(result: "Effect") -> str:
    """What was tried against an effect, and what is taken for granted."""
    taken = paragraph("Taken for granted:", "rca-note") + bullets(result.assumptions)
    return table(result.checks(), "What was tried to show that the event did nothing") + taken


def unlabelled(result: "Unlabelled") -> str:
    """What is known of rows without a label."""
    return paragraph(str(result)) + table(result.rows(), "What the rows without a label leave open")


def durations(spans: Sequence[Duration]) -> str:
    """How long things took, each with both of its moments by name."""
    return table([_duration(span) for span in spans], "Durations, each between two moments")


def _duration(span: Duration) -> dict[str, Any]:
    known = span.earliest is not None and span.latest is not None
    low, high = spell(span.earliest or 0), spell(span.latest or 0)
    interval = None if not known else f"{low} to {high}" if low != high else "narrower than shown"
    return {
        "duration": words(span.name),
        "took": spell(span.seconds),
        "from": words(span.start) + (" (estimated)" if span.estimated else ""),
        "to": words(span.end),
        "interval": interval,
    }


def events(incident: Incident) -> str:
    """Everything on record that happened around the incident, in order of time."""
    rows = [
        {
            "at": moment(event.at),
            "what": event.what,
            "kind": words(event.kind),
            "system": event.system,
            "source": event.source,
        }
        for event in sorted(incident.timeline.events, key=lambda event: event.at)
    ]
    return table(rows, "Events on record")


def causes(result: Verdict) -> str:
    """The causes with their harm, interval, strength and findings."""
    if not listed(result):
        return paragraph("The data name no cause.", "rca-note")
    return table([cause_row(cause, result.metric) for cause in listed(result)], _listed_as(result))


def touched(systems: "Iterable[Touched]") -> str:
    """What each system went through while it failed."""
    rows = [
        {
            "system": one.component,
            "failing since": moment(one.since),
            "until": moment(one.until),
            "for": spell(one.seconds),
            "passed through it": ", ".join(f"{shown(round(size))} {what}" for what, size in one.counted.items())
            or "not known",
        }
        for one in systems
    ]
    return table(rows, "Touched at most, by each system's own traffic")


def whys(trees: Iterable[Why]) -> str:
    """Why-trees as nested lists, each answer with its strength and evidence."""
    told = "".join(_why(tree) for tree in trees)
    return (
        element("ul", told) if told else paragraph("No why-path is on record, and the data suggest none.", "rca-note")
    )


def _why(node: Why) -> str:
    below = element("ul", "".join(map(_why, node.whys))) if node.whys else ""
    question = element("strong", escape(node.question))
    return element("li", question + _answer(node) + below, "rca-why")


def _answer(node: Why) -> str:
    answer = node.answer
    if answer is None:
        asked = f" To be answered by {node.ask}." if node.ask else ""
        return paragraph(f"Open.{asked}") + "".join(_candidate(one) for one in node.candidates)
    evidence = f"{answer.strength}; evidence: {', '.join(answer.evidence) or 'none on record'}"
    return paragraph(answer.statement) + paragraph(evidence, "rca-note")


def _candidate(factor: Factor) -> str:
    evidence = f" (evidence: {', '.join(factor.evidence)})" if factor.evidence else ""
    return paragraph(f"Not established; the record suggests: {factor.statement}{evidence}", "rca-note")


# --- the model's reasons ---------------------------------------------------------------------------------------------

SCALES = {
    "log-odds": "on the scale of log-odds, where 0.69 more doubles the odds",
    "probability": "as a probability",
    "prediction": "in the unit of the prediction",
    "score": "in the unit of the model's score",
}
"""What SHAP values are told in."""

TWO_MODELS = {
    True: "Two models answered. Each window is explained by its own, and each model explained the rows of both: same "
    "rows, two models, so that what the update did to the reasons is told apart from what the rows did.",
    False: "The values of each window are those of the model that answered in it, and these may be two: a reason can "
    "have moved because the rows did, or because the model did.",
}
"""What it means that each window has its own model, where each explained the other's rows too, and where not."""

ONE_MODEL = (
    "One model explains both windows: its reasons can only have moved because the rows did, and the same row would "
    "still be explained the same."
)


def method(result: "ExplanationShift") -> str:
    """What the reasons are, how they came about, and what may make them move."""
    rows = f"{count(result.n_reference, 'reference row')} and {count(result.n_current, 'current row')}"
    error = f"; sampled values are off by {number(result.error)} on average" if result.error else ""
    crossed = any(one.update is not None for one in result.reasons)
    worth = (
        f"What a feature is worth to the model in a row is its SHAP value, {SCALES.get(result.scale, result.scale)}. "
        "The usual answer and the SHAP values of a row add up to the model's answer. How they came about: "
        f"{result.method}; for {rows}{error}."
    )
    told = (
        worth,
        ONE_MODEL if result.models == 1 else TWO_MODELS[crossed],
        "A shift of reasons is an observation; whether it did harm, the harm decides.",
    )
    assumed = [f"{one[:1].upper()}{one[1:].rstrip('.')}." for one in result.assumptions]
    return "".join(paragraph(one) for one in told) + (bullets(assumed) if assumed else "")


def reasons(result: "ExplanationShift") -> str:
    """What each feature is worth before and during, and what that added to the loss."""
    unit = unit_of(result.scale)
    rows = [_reason(one, result.loss_unit) for one in result.reasons[:MOST_NUMBERS]]
    left = len(result.reasons) - len(rows)
    more = paragraph(f"Left out, as they changed less: {count(left, 'feature')}.", "rca-note") if left else ""
    return (
        table(rows, f"What each feature is worth: mean |SHAP| ({unit}), the largest change first; 95% intervals") + more
    )


def ends(interval: Interval) -> str:
    """An interval in words, its level being said elsewhere."""
    return span(interval.low, interval.high)


def _reason(one: "Reason", loss_unit: str) -> dict[str, Any]:
    return {
        "feature": one.column,
        "before": one.reference,
        "during": one.current,
        "rank": rank_of(one).removeprefix("rank "),
        "change": one.size.value,
        "its interval": ends(one.size.interval),
        "q": one.size.q_value,
        "change of mean SHAP": one.direction.value,
        "same value otherwise": one.curve.value if one.curve else None,
        "by the new model": one.update.value if one.update else None,
        f"loss ({loss_unit})": one.loss.value if one.loss else None,
        "interval of the loss": ends(one.loss.interval) if one.loss else None,
        "moved": one.moved,
    }


MOST_COHORTS = 12
"""Parts of the rows that are told."""


def cohorts(result: "ExplanationShift") -> str:
    """In which parts of the rows the reasons changed, and how much more than in the others."""
    told = [one for one in result.cohorts if abs(one.change) >= result.material]
    left = len(result.cohorts) - len(told[:MOST_COHORTS])
    more = paragraph(f"Left out, as they changed less: {count(left, 'part')} of the rows.", "rca-note")
    caption = f"Parts of the rows, and the feature whose mean |SHAP| ({unit_of(result.scale)}) changed farthest in each"
    rows = [_cohort(one) for one in told[:MOST_COHORTS]]
    return table(rows, f"{caption}; 95% intervals") + (more if left else "")


def _cohort(one: "CohortShift") -> dict[str, Any]:
    apart = one.apart_interval.low < one.apart_interval.high
    return {
        "rows where": one.cohort,
        "feature": one.column,
        "before": one.reference,
        "during": one.current,
        "change": one.change,
        "its interval": ends(one.interval),
        "more than elsewhere": one.apart if apart else None,
        "interval of that": ends(one.apart_interval) if apart else None,
        "rows during": one.n_current,
    }


def findings(claims: Sequence[Finding]) -> str:
    """Every claim with its size, strength, assumptions and refuters."""
    rows = [
        {
            "finding": claim.id,
            "claim": claim.claim,
            "effect": claim.effect,
            "interval": interval_of(claim.interval),
            "strength": claim.strength,
            "assumes": "; ".join(claim.assumptions),
            "survived": "; ".join(claim.refuters),
        }
        for claim in claims
    ]
    return table(rows, f"{count(len(rows), 'finding')}, with what each assumes and survived")


def unanswered(questions: Sequence[Unanswered]) -> str:
    """What the data cannot answer, and why."""
    if not questions:
        return paragraph("Every question that was asked has an answer.", "rca-note")
    return bullets(
        f"{item.question.rstrip('?')}? {item.why[:1].upper()}{item.why[1:].rstrip('.')}." for item in questions
    )


def verification(incident: Incident) -> str:
    """How to check this report."""
    command = escape(f"rca verify reports/{incident.id}")
    return (
        paragraph("Whether this report is the one that was issued, from these inputs, can be checked at any time:")
        + element("pre", element("code", f"{command}\n{command} --rerun"))
        + paragraph(
            "The first compares every byte of every file, and the inputs, with the manifest; the second also runs "
            "everything again and compares what comes out. Compare the digest it prints with the one kept elsewhere "
            "when the report was issued."
        )
    )
