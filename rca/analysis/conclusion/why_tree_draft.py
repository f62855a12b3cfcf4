"""Draft of a why-tree from the findings: symptom, metric, mechanism or column, event, missing guard.

What the findings show is answered, with its evidence; what only people can know is left as an open question, with what
the record suggests beside it. The open questions are the agenda of the meeting.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rca.analysis.conclusion.verdict import Cause, Verdict, in_a_clause
from rca.analysis.faults.rules.order import RULE_OF
from rca.record.schema.why_tree import Factor, FactorCategory, Rejected, Role, Why
from rca.record.why_tree.evidence import EVENT

if TYPE_CHECKING:
    from datetime import datetime

    from rca.analysis.harm.harm import Harm
    from rca.analysis.onset.event_proximity import NearEvent
    from rca.record.schema.incident import Event, Incident

CATEGORIES: dict[str, FactorCategory] = {
    "feature": "data",
    "mechanism": "data",
    "model": "model",
    "concept": "outside",
    "component": "infrastructure",
    "rows": "data",
    "labels": "data",
}
"""Where in the system each kind of cause lies."""

SIGNS = frozenset({"alert", "communication", "human"})
"""Kinds of events by which an incident shows; they are no change that can have set it off."""

CHECKS = {
    "rows": "A check that no row is written twice",
    "labels": "A check of how many outcomes of {name} are known",
}
"""The check that would have seen what no rule about one column's values does, by the kind of cause."""

MOST_TOLD = 3
"""Bystanders, and silent guards, that are put on record."""

SMALL = 0.1
"""Share of the change up to which a column that moved is called a bystander."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Inputs of a draft why-tree.

    Attributes
    ----------
    incident : Incident
    verdict : Verdict
    harm : Harm or None
        What each thing did to the metric; what moved and did next to nothing is put on record as rejected.
    moved : tuple of str
        Columns that moved, the farthest first.
    event : NearEvent or None
        The event that the onset lies surprisingly near to.
    guards : tuple of str
        Systems on the way of a cascade that kept silent.
    """

    incident: "Incident"
    verdict: Verdict
    harm: "Harm | None" = None
    moved: tuple[str, ...] = ()
    event: "NearEvent | None" = None
    guards: tuple[str, ...] = ()


def draft_why_tree(incident: "Incident", verdict: Verdict, **known: Any) -> tuple[Why, ...]:
    """Draft a why-tree from the symptom down to the causes and the guards, as far as there is evidence.

    Parameters
    ----------
    incident : Incident
    verdict : Verdict
    **known
        What else there is to draw on, as `Draft` has it: harm, moved, event, guards.

    Returns
    -------
    tuple of Why
        Empty where the verdict names no cause, or candidates alone.
    """
    named = [cause for cause in verdict.causes if cause.strength != "assumed" and cause.kind != "event"]
    told = [cause for cause in named if cause.kind != "slice"] or named
    if not told:
        return ()
    draft = Draft(incident=incident, verdict=verdict, **known)
    whys = (*_of_the_causes(draft, told if verdict.metric is not None else told[:1]), *_unseen(draft))
    if verdict.metric is None:
        return whys
    return (Why(question=f"Why was there an incident: {incident.title}?", answer=_symptom(verdict), whys=whys),)


def _of_the_causes(draft: Draft, told: Sequence[Cause]) -> Iterator[Why]:
    """A why for each cause, with its own causes under it."""
    for place, cause in enumerate(told):
        yield Why(
            question=f"Why {'' if place == 0 else 'else '}{_after_why(draft.verdict)}?",
            answer=_factor(cause, "trigger" if place == 0 else "contributing"),
            whys=tuple(_under(draft, cause)),
            rejected=tuple(_bystanders(draft)) if place == 0 else (),
        )


def _under(draft: Draft, cause: Cause) -> Iterator[Why]:
    """The trigger of a cause, and the missing guard; open questions, but for an event that lies near."""
    question, owner = f"What made it possible that {_state(cause)}?", _owner(draft.incident, cause)
    asked_of_a_guard = f"Once {_state(cause)}: which guard could have stopped it before harm was done?"
    guard = Why(question=asked_of_a_guard, candidates=tuple(_check(cause)), ask=owner)
    if draft.event is not None:
        answer = Factor(
            statement=f"The nearest change before it is {_said(draft, draft.event)}",
            at=draft.event.at,
            strength="suggested",
            evidence=("onset.event", _evidence(draft.event.at)),
        )
        yield Why(question=question, answer=answer, whys=(guard,))
        return
    event = _event_before(draft)
    asked = event.system if event is not None else None
    candidates = (_candidate(event),) if event is not None else ()
    yield Why(question=question, candidates=candidates, ask=_owner_of(draft.incident, asked) or owner)
    yield guard


def _unseen(draft: Draft) -> Iterator[Why]:
    """Why it was not detected sooner, and why guards on its path stayed silent."""
    owner = _owner_of(draft.incident, draft.incident.model_name)
    yield Why(question="Why was it not seen sooner?", candidates=tuple(_first_sign(draft)), ask=owner)
    for guard in draft.guards[:MOST_TOLD]:
        answer = Factor(
            statement=f"{guard} lay on the way and stayed within its range",
            role="latent",
            category="infrastructure",
            strength="suggested",
            evidence=(f"cascade.silent.{guard}",),
        )
        below = Why(question=f"What would have made {guard} show it?", ask=_owner_of(draft.incident, guard))
        yield Why(question=f"Why did {guard} not stop it?", answer=answer, whys=(below,))


def _first_sign(draft: Draft) -> Iterator[Factor]:
    """First sign on record between onset and detection, which somebody could have noticed."""
    detected, onset = draft.incident.timeline.detected, draft.verdict.onset
    if detected is None or onset is None:
        return
    events = draft.incident.timeline.events
    signs = [one for one in events if one.kind in SIGNS and onset.earliest <= one.at < detected]
    for one in sorted(signs, key=lambda event: event.at)[:1]:
        statement = f"A sign on record came before detection: {one.what}"
        yield Factor(statement=statement, role="latent", at=one.at, evidence=(_evidence(one.at),))


def _bystanders(draft: Draft) -> Iterator[Rejected]:
    """Columns that drifted and contributed next to nothing: rejected answers, with the evidence."""
    metric = draft.verdict.metric
    if draft.harm is None or metric is None:
        return
    did = {part.name: part.value for part in draft.harm.contributions if part.kind == "feature"}
    quiet = [name for name in draft.moved if abs(did.get(name, metric.change)) < SMALL * abs(metric.change)]
    for name in quiet[:MOST_TOLD]:
        unit = " percentage points" if metric.is_share else ""
        yield Rejected(
            statement=f"{name} moved",
            because=f"it moved, and did {metric.say_change(did[name])}{unit} of the change",
            evidence=(f"harm.feature.{name}",),
        )


def _symptom(verdict: Verdict) -> Factor:
    assert verdict.metric is not None
    return Factor(statement=str(verdict.metric), role="contributing", strength="shown", evidence=("metric.change",))


def _after_why(verdict: Verdict) -> str:
    if verdict.metric is None:
        return "did the alarm ring"
    return f"did the {verdict.metric.label} {'rise' if verdict.metric.change > 0 else 'fall'}"


def _factor(cause: Cause, role: Role) -> Factor:
    return Factor(
        statement=_state(cause),
        role=role,
        category=CATEGORIES.get(cause.kind),
        strength=cause.strength,
        evidence=cause.findings,
    )


def _check(cause: Cause) -> Iterator[Factor]:
    """The check that would have detected a fault, by its kind; whether there was one is an open question."""
    rule = RULE_OF.get(cause.fault) if cause.fault is not None else None
    check = f"A check of {cause.name} for {rule.check}" if rule else CHECKS.get(cause.kind, "").format(name=cause.name)
    if check:
        statement = f"{check} would have rung; nobody has said whether there is one"
        yield Factor(statement=statement, role="latent", category="process", evidence=cause.findings)


def _state(cause: Cause) -> str:
    """The cause as a clause: "income was stuck on one value"."""
    if cause.kind == "component":
        return f"{cause.name} left its normal range ({cause.signal})"
    if cause.kind == "labels":
        return f"outcomes of {cause.name} went missing, and not by chance"
    return in_a_clause(cause)


def _event_before(draft: Draft) -> "Event | None":
    """The last change on record before the latest moment of the onset interval."""
    onset = draft.verdict.onset
    if onset is None:
        return None
    events = draft.incident.timeline.events
    return max((one for one in events if one.at <= onset.latest and one.kind not in SIGNS), key=_when, default=None)


def _when(event: "Event") -> "datetime":
    return event.at


def _candidate(event: "Event") -> Factor:
    statement = f"The last change on record before the onset is {_named(event)}"
    return Factor(statement=statement, role="trigger", at=event.at, evidence=(_evidence(event.at),))


def _said(draft: Draft, near: "NearEvent") -> str:
    """An event in the record's own words, which a candidate's name may truncate."""
    told = next((one for one in draft.incident.timeline.events if one.at == near.at), None)
    return _named(told) if told is not None else near.name


def _named(event: "Event") -> str:
    system = f"{event.system}: " if event.system else ""
    return f"{system}{event.what} ({event.kind})"


def _evidence(at: "datetime") -> str:
    return f"{EVENT}{at.isoformat().replace('+00:00', 'Z')}"


def _owner(incident: "Incident", cause: Cause) -> str | None:
    """Who owns the system that a cause lies in: a component by its name, anything else by the model."""
    return _owner_of(incident, cause.name if cause.kind == "component" else incident.model_name)


def _owner_of(incident: "Incident", system: str | None) -> str | None:
    return next((one.owner for one in incident.systems if one.name == system), None)
