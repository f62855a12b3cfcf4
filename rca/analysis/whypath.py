"""A first why-path, from the symptom to the cause, with its evidence: where a post-mortem's why-tree begins."""

from typing import TYPE_CHECKING

from rca.analysis.verdict import Cause, Verdict, in_a_clause
from rca.record.whys import Factor, FactorCategory, Why

if TYPE_CHECKING:
    from rca.record.incident import Event, Incident

CATEGORIES: dict[str, FactorCategory] = {
    "feature": "data",
    "mechanism": "data",
    "model": "model",
    "concept": "outside",
    "component": "infrastructure",
}
"""Where in the system each kind of cause lies."""


def why_path(incident: "Incident", verdict: Verdict) -> tuple[Why, ...]:
    """Ask why from the symptom down to the cause, as far as the evidence goes.

    The last question is left open on purpose: what made the failure possible is for people to find out.

    Returns
    -------
    tuple of Why
        Empty where the verdict names no cause, or candidates alone.
    """
    if not verdict.causes or verdict.causes[0].strength == "assumed":
        return ()
    cause = verdict.causes[0]
    steps = [(f"Why was there an incident: {incident.title}?", _symptom(verdict))] if verdict.metric else []
    steps.append((f"Why {_after_why(verdict)}?", _factor(cause)))
    event = _event_before(incident, verdict)
    if event is not None:
        steps.append((f"What made it possible that {_state(cause)}?", _candidate(event)))
    return (Why.chain(steps),)


def _symptom(verdict: Verdict) -> Factor:
    assert verdict.metric is not None
    return Factor(statement=str(verdict.metric), role="contributing", strength="shown", evidence=("metric.change",))


def _after_why(verdict: Verdict) -> str:
    if verdict.metric is None:
        return "did the alarm ring"
    return f"did the {verdict.metric.label} {'rise' if verdict.metric.change > 0 else 'fall'}"


def _factor(cause: Cause) -> Factor:
    return Factor(
        statement=_state(cause), category=CATEGORIES.get(cause.kind), strength=cause.strength, evidence=cause.findings
    )


def _state(cause: Cause) -> str:
    """The cause as a clause: "income was stuck on one value"."""
    if cause.kind == "component":
        return f"{cause.name} left its normal range ({cause.signal})"
    return in_a_clause(cause)


def _event_before(incident: "Incident", verdict: Verdict) -> "Event | None":
    """The last change on record before the latest moment the onset can have."""
    if verdict.onset is None:
        return None
    before = [event for event in incident.timeline.events if event.at <= verdict.onset.latest]
    return max(before, key=lambda event: event.at, default=None)


def _candidate(event: "Event") -> Factor:
    system = f"{event.system}: " if event.system else ""
    change = f"{system}{event.what} ({event.kind})"
    return Factor(
        statement=f"Not established. The last change on record before the onset is {change}.",
        role="trigger",
        at=event.at,
        strength="assumed",
        evidence=(f"timeline.events:{event.at.isoformat()}",),
    )
