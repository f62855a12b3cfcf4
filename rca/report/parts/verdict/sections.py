"""The verdict, its causes and the findings, as HTML."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rca.analysis.conclusion.verdict import Cause, Verdict
from rca.finding import Finding, Unanswered
from rca.report.parts.verdict.charts import cause_row
from rca.report.rendering.chart import interval_of
from rca.report.rendering.html import bullets, paragraph, table
from rca.report.rendering.plain_text import between, change_in_words, change_unit, count, moment, span, words

if TYPE_CHECKING:
    from rca.methods.changepoint.dating import Onset

STATUS = {"explained": "Explained", "no_incident": "No incident", "cannot_tell": "Cannot tell"}
"""What a verdict's status is called."""


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
    """The causes that are shown: named ones without candidates, where there are any."""
    return tuple(one for one in result.causes if result.status == "cannot_tell" or one.strength != "assumed")


def _listed_as(result: Verdict) -> str:
    if result.status == "cannot_tell":
        return "Not named; candidates in the order in which to look at them"
    return "Causes, the surest first, then the largest harm" if result.metric else "Systems, the likeliest origin first"


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
    """The onset in words."""
    sure = between(onset.earliest, onset.latest, onset.level)
    return f"Since {moment(onset.at)} ({sure}), dated on {words(onset.what)}."


def causes(result: Verdict) -> str:
    """The causes with their harm, interval, strength and findings."""
    if not listed(result):
        return paragraph("The data name no cause.", "rca-note")
    return table([cause_row(cause, result.metric) for cause in listed(result)], _listed_as(result))


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
    """What the data cannot answer, why, and what would decide it."""
    if not questions:
        return paragraph("Every question that was asked has an answer.", "rca-note")
    return bullets(
        f"{item.question.rstrip('?')}? {item.why[:1].upper()}{item.why[1:].rstrip('.')}.{_decided_by(item)}"
        for item in questions
    )


def _decided_by(item: Unanswered) -> str:
    return f" To decide it: {item.would_decide}." if item.would_decide else ""
