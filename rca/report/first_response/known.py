"""What a record says in the first hour, as named facts in words; each with its keys and how sure it is."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from rca.record.schema.incident import Event, Incident, System
from rca.report.rendering.plain_text import moment, number, words

Certainty = Literal["fact", "count", "suspicion", "disputed"]

CERTAINTIES: tuple[Certainty, ...] = ("fact", "count", "suspicion", "disputed")
"""The surest first."""

PLACEHOLDER = "What went wrong, in one line"
"""The title of a record that nobody has given one."""

MOST = 3
"""Events, inputs or systems that a line names."""

NOT_CHANGES = ("alert", "communication", "human", "external")
"""Kinds of events that change no system."""

DEPLOYS = ("deploy", "release", "rollout", "model")
"""Kinds of events that put another version in use."""

ENDED = ("recovered", "closed")
"""States in which a count can grow no more."""

ACTING = ("device", "line", "machine", "robot", "process")
"""Kinds of systems that act in the world."""

GRAVE = ("serious_incident", "disaster")

FOUND = {"monitor": "by a monitor", "user": "by a user", "staff": "by staff", "outsider": "by an outsider"}

STATES = {"open": "not contained yet", "contained": "contained, not repaired", "recovered": "recovered",
          "closed": "closed"}  # fmt: skip

PUBLIC = {"contained": "Monitoring", "recovered": "Resolved", "closed": "Resolved"}
"""State of a record → the word of a status page."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that the record says, in words.

    Attributes
    ----------
    text : str
        Not yet escaped.
    keys : tuple of str
        Where the record says it.
    certainty : {"fact", "count", "suspicion", "disputed"}
        A count may still grow; a suspicion is not established; of what is disputed, sources say different things.
    """

    text: str
    keys: tuple[str, ...]
    certainty: Certainty = "fact"


Told = Fact | None


def facts(incident: Incident) -> dict[str, Fact]:
    """What the record says, by name; what it does not say is not there.

    Parameters
    ----------
    incident : Incident

    Returns
    -------
    dict of str to Fact
    """
    told = {name: told for name, ask in _ASKED.items() if (told := ask(incident)) is not None and told.text}
    return {name: _weighed(fact, incident) for name, fact in told.items()}


def _weighed(fact: Fact, incident: Incident) -> Fact:
    """A fact on whose keys sources differ, with what the other says."""
    against = [one for one in incident.imports.contradictions if any(_same(one.of, key) for key in fact.keys)]
    if not against:
        return fact
    said = "; ".join(f"{_said(one.against)} by {one.said_by}" for one in against)
    return replace(fact, text=f"{fact.text} (but {said})", certainty="disputed")


def _same(of: str, key: str) -> bool:
    return key in (of, f"timeline.{of}")


def _said(text: str) -> str:
    """A moment as moments are written here; any other text as it is."""
    try:
        return moment(datetime.fromisoformat(text))
    except ValueError:
        return text


def _joined(*parts: Told, by: str = "; ") -> Told:
    """Several facts as one, as sure as the least sure."""
    there = [one for one in parts if one is not None and one.text]
    if not there:
        return None
    keys = tuple(dict.fromkeys(key for one in there for key in one.keys))
    least = max((one.certainty for one in there), key=CERTAINTIES.index)
    return Fact(text=by.join(one.text for one in there), keys=keys, certainty=least)


def _few(texts: Iterable[str]) -> str:
    """The first few of several texts."""
    every = list(texts)
    more = f"; {len(every) - MOST} more on record" if len(every) > MOST else ""
    return "; ".join(text.strip().rstrip(".") for text in every[:MOST]) + more


def _at(incident: Incident, name: str, before: str = "") -> Told:
    at = getattr(incident.timeline, name)
    source = incident.timeline.sources.get(name, "")
    keys = (f"timeline.{name}", *((f"timeline.sources.{name}: {source}",) if source else ()))
    return None if at is None else Fact(text=f"{before}{moment(at)}", keys=keys)


def _text(text: Any, *keys: str, before: str = "", certainty: Certainty = "fact") -> Told:
    said = str(text or "").strip().rstrip(".")
    return Fact(text=f"{before}{said}", keys=keys, certainty=certainty) if said else None


# --- detect ----------------------------------------------------------------------------------------------------------


def _title(incident: Incident) -> Told:
    return None if _unsaid(incident, "title") else _text(incident.title, "title")


def _unsaid(incident: Incident, key: str) -> bool:
    """Whether the value of a required key only stands in for an answer."""
    return incident.title in (PLACEHOLDER, "-") or key in incident.imports.unsaid


def _status(incident: Incident, said: str) -> Told:
    return None if _unsaid(incident, "status") else _text(said, "status")


def _detected(incident: Incident) -> Told:
    """When it was noticed; without that moment, a bound: the first that could only come after it."""
    known = _at(incident, "detected")
    later = [(at, name) for name, at in incident.timeline.moments() if name in ("alerted", "acknowledged", "aware")]
    return known or (_at(incident, min(later)[1], f"not later than ({min(later)[1]}) ") if later else None)


def _found_by(incident: Incident) -> Told:
    known = incident.postmortem
    return _joined(
        _text(FOUND.get(known.found_by or ""), "postmortem.found_by"),
        _text(known.first_signal, "postmortem.first_signal"),
    )


def model_of(incident: Incident) -> System | None:
    """The system that is a model, else the first."""
    return next((one for one in incident.systems if one.name == incident.model_name), None)


def _of_model(key: str) -> Callable[[Incident], Told]:
    """One key of the model."""

    def ask(incident: Incident) -> Told:
        model = model_of(incident)
        return None if model is None else _text(getattr(model, key), f"systems.{model.name}.{key}")

    return ask


def _system(incident: Incident) -> Told:
    model = model_of(incident)
    if model is None:
        return None
    owner = f", owned by {model.owner}" if model.owner else ""
    return Fact(text=f"{model.name} ({model.kind}{owner})", keys=(f"systems.{model.name}",))


def _others(incident: Incident) -> Told:
    held = [one for one in incident.systems if one is not model_of(incident)]
    return _text(_few(f"{one.name} {one.version or ''} ({one.kind})".replace("  ", " ") for one in held), "systems")


def _suppliers(incident: Incident) -> Told:
    held = [one for one in incident.systems if one.kind in ("supplier", "partner", "vendor", "customer")]
    return _text(_few(f"{one.name} ({one.kind})" for one in held), *(f"systems.{one.name}" for one in held))


def _inputs(incident: Incident) -> Told:
    """The inputs on record; else where they are kept."""
    held, data = incident.triggering_inputs, incident.data
    if held:
        return Fact(text=f"{len(held)} on record, word for word in the report", keys=("triggering_inputs",))
    kept = data.current.path if data and data.current else None
    by = f", each known by its {data.id}" if data and data.id else ""
    return _text(f"none word for word; all rows as they came in are in {kept}{by}", "data.current") if kept else None


# --- triage ----------------------------------------------------------------------------------------------------------


def _category(incident: Incident) -> Told:
    return (
        None
        if incident.category == "other" or _unsaid(incident, "category")
        else _text(words(incident.category), "category")
    )


def _severity(incident: Incident) -> Told:
    return None if _unsaid(incident, "severity") else _text(incident.severity, "severity")


def _true_facts(incident: Incident) -> list[str]:
    return [name for name, said in incident.obligations.facts.items() if said is True]


def _reasons(incident: Incident) -> Iterator[Told]:
    """What on record speaks for a severity."""
    known = incident.impact
    yield _text(words(incident.class_ or ""), "class")
    yield _bodily(incident)
    yield from (_counted(incident, name) for name in ("people", "wrong"))
    yield _text(number_or_text(known.money), "impact.money", before="money: ")
    yield from (_text(words(name), f"obligations.facts.{name}") for name in _true_facts(incident))
    if incident.postmortem.found_by in ("outsider", "user"):
        yield _text(f"noticed {FOUND[incident.postmortem.found_by]} first", "postmortem.found_by")


def _bodily(incident: Incident) -> Told:
    known = incident.impact.physical_harm
    return None if is_none(known) else _text(known, "impact.physical_harm", before="physical harm: ")


def is_none(text: str | None) -> bool:
    """Whether a text says that there is nothing.

    >>> is_none("none"), is_none("None."), is_none(None), is_none("a burn")
    (True, True, True, False)
    """
    return (text or "").strip().rstrip(".").casefold() in ("", "none", "no", "nothing", "0")


def number_or_text(value: float | str | None) -> str:
    """A number as a person reads it; a text as it is.

    >>> number_or_text(38000), number_or_text("about 38,000 euros"), number_or_text(None)
    ('38,000', 'about 38,000 euros', '')
    """
    return number(value) if isinstance(value, int | float) else value or ""


def _severity_reason(incident: Incident) -> Told:
    why = _joined(*_reasons(incident))
    state = _text(STATES[incident.status], "status") if incident.status == "open" else None
    joined = _joined(why, state) if why else None
    return joined and replace(joined, certainty="fact")


def _severity_doubt(incident: Incident) -> Told:
    """What on record speaks for a worse severity than the one given."""
    grave = _joined(_bodily(incident), _text(words(str(incident.class_)) if incident.class_ in GRAVE else "", "class"))
    return grave if incident.severity in ("sev3", "sev4", "sev5") else None


def _counted(incident: Incident, name: str) -> Told:
    """A count of the impact; as long as it can grow, a lower bound."""
    value = getattr(incident.impact, name)
    if value is None:
        return None
    ended = incident.status in ENDED
    noun = {"people": "people", "decisions": "decisions or answers", "wrong": "wrong decisions or answers",
            "support_cases": "complaints or support cases"}[name]  # fmt: skip
    bound = "" if ended else "at least "
    return Fact(text=f"{bound}{value:,} {noun}", keys=(f"impact.{name}",), certainty="fact" if ended else "count")


def _people(incident: Incident) -> Told:
    return _counted(incident, "people") or _text(incident.impact.text, "impact.text", certainty="count")


def _decisions(incident: Incident) -> Told:
    """What was decided while it lasted bounds what was decided wrongly."""
    known, wrong = _counted(incident, "decisions"), _counted(incident, "wrong")
    span = incident.impact.wrong_interval
    if wrong is not None and span:
        wrong = replace(wrong, text=f"{wrong.text} ({span[0]:,} to {span[1]:,})",
                        keys=(*wrong.keys, "impact.wrong_interval"))  # fmt: skip
    if known is not None and wrong is None and incident.status != "open":
        known = replace(known, text=f"{known.text}, and at most as many wrong")
    return _joined(known, wrong, _counted(incident, "support_cases"))


def _span(incident: Incident) -> Told:
    """Since when and until when, each with its bound."""
    began = _at(incident, "onset", "from ") or _before(incident)
    ends = [_at(incident, name, f"to {name} ") for name in ("contained", "recovered", "resolved", "closed")]
    ended = next((one for one in ends if one), None)
    runs = _text("no end on record: it may still go on", "status") if incident.status == "open" else None
    return _joined(began, ended or runs, by=", ") if began else None


def _before(incident: Incident) -> Told:
    noticed = _detected(incident)
    return noticed and replace(noticed, text=f"since some time before {noticed.text.removeprefix('not later than ')}")


def _harm(incident: Incident) -> Told:
    known = incident.impact
    return _joined(
        _text(", ".join(map(words, known.harm)), "impact.harm"),
        _bodily(incident),
        None if is_none(known.data_lost) else _text(known.data_lost, "impact.data_lost", before="data lost: "),
        _text(number_or_text(known.money), "impact.money", before="money: ", certainty="count"),
        _text(known.slo, "impact.slo"),
        _text(known.text, "impact.text", certainty="count") if known.people is not None else None,
    )


def changes_before(incident: Incident) -> list[Event]:
    """Changes of systems before it was noticed, the nearest first."""
    dated = [at for name, at in incident.timeline.moments() if name in ("detected", "alerted", "acknowledged", "aware")]
    noticed = min(dated, default=None)
    held = [one for one in incident.timeline.events if one.kind not in NOT_CHANGES]
    return sorted((one for one in held if noticed is None or one.at <= noticed), key=lambda one: one.at, reverse=True)


def told_event(event: Event) -> str:
    """An event in a line."""
    return f"{moment(event.at)}: {event.what.rstrip('.')}" + (f" ({event.system})" if event.system else "")


def _changes(incident: Incident) -> Told:
    told = _few(map(told_event, changes_before(incident)))
    return _text(told, "timeline.events")


def _detections(incident: Incident) -> Told:
    said = (
        f"{one.vendor} {one.detector}: {'drift' if one.drift else 'no drift'}{f' of {one.column}' * bool(one.column)}, "
        f"{moment(one.at)}"
        for one in incident.detections
    )
    return _text(_few(said), "detections", certainty="suspicion")


def _cause(incident: Incident) -> Told:
    """The answers of the why-trees that set it off, or stand first; as sure as the least sure."""
    held = [factor for why in incident.whys for factor in why.factors()]
    named = [one for one in held if one.role == "trigger"] or held[1:2]
    sure = bool(named) and all(one.strength == "shown" for one in named)
    return _text(_few(one.statement for one in named), "whys", certainty="fact" if sure else "suspicion")


def _metric(incident: Incident) -> Told:
    known = incident.metric
    if known is None:
        return None
    of = known.of or known.column
    return _text(words(known.name) + (f" of {words(of)}" if of else ""), "metric")


# --- contain ---------------------------------------------------------------------------------------------------------


def _containment(incident: Incident) -> Told:
    """What was done first: in words, the moments, and what people did after it was noticed."""
    noticed = incident.timeline.detected
    done = [one for one in incident.timeline.events if one.kind == "human" and noticed and one.at > noticed]
    return _joined(
        _text(incident.postmortem.temporary_fix, "postmortem.temporary_fix"),
        _text(_few(map(told_event, done)), "timeline.events"),
        _at(incident, "mitigated", "mitigated "),
        _at(incident, "contained", "contained "),
    )


def _done(incident: Incident) -> Told:
    """The same in short, for whoever does not run the system."""
    ended = _at(incident, "contained", "contained ") or _at(incident, "mitigated", "mitigated ")
    return _joined(_text(incident.postmortem.temporary_fix, "postmortem.temporary_fix"), ended) or _containment(
        incident
    )


def _last_good(incident: Incident) -> Told:
    """The version to go back to, and how that is known; without one, the change before which it was in use."""
    model, known = model_of(incident), incident.postmortem.rollback_to
    told = _joined(
        _text(model.last_good, f"systems.{model.name}.last_good") if model else None,
        _text(known, "postmortem.rollback_to") if not model or known != model.last_good else None,
    )
    if told is not None:
        same = model is not None and model.version and told.text.split(",")[0].strip() == model.version
        return replace(told, text=f"{told.text}: the version in use, so going back changes nothing") if same else told
    own = [one for one in changes_before(incident) if model and one.system == model.name and one.kind in DEPLOYS]
    before = "not named; perhaps what was in use before "
    return _text(told_event(own[0]), "timeline.events", before=before, certainty="suspicion") if own else None


def _evidence(incident: Incident) -> Told:
    held = incident.postmortem.evidence
    return _text(_few(f"{one.what} ({one.where})" for one in held), "postmortem.evidence")


# --- communicate -----------------------------------------------------------------------------------------------------


def _messages(*to: str) -> Callable[[Incident], Told]:
    """What was told to some."""

    def ask(incident: Incident) -> Told:
        held = [one for one in incident.postmortem.messages if not to or one.to in to]
        said = (f"{moment(one.at)}, {one.to}: {one.what.rstrip('.')}" for one in held)
        return _text(_few(said), "postmortem.messages")

    return ask


def _notified(incident: Incident) -> Told:
    said = [
        f"{one.regime}, {moment(one.submitted_at)}" if one.submitted_at else
        f"{one.regime}, none: {one.not_reportable_because}"
        for one in incident.notifications if one.submitted_at or one.not_reportable_because
    ]  # fmt: skip
    return _text(_few(said), "notifications")


def _obligation_facts(incident: Incident) -> Told:
    held = incident.obligations.facts
    said = (f"{words(name)}: {'yes' if is_ is True else 'no' if is_ is False else is_}" for name, is_ in held.items())
    return _text(", ".join(said), "obligations.facts")


def _who(kind: str) -> Callable[[Incident], Told]:
    """The role that the record shows at some work."""

    def ask(incident: Incident) -> Told:
        return next((told for role, key in _shown(incident)[kind] if (told := _text(role, key))), None)

    return ask


def _shown(incident: Incident) -> dict[str, list[tuple[str | None, str]]]:
    """Kind of work → roles that did it or own it, with their keys."""
    known = incident.postmortem
    owner = f"{known.owner} (owner of the post-mortem)" if known.owner else None
    return {
        "record": [(owner, "postmortem.owner")],
        "operations": [(one.owner, f"systems.{one.name}.owner") for one in incident.systems if one.kind in ACTING],
        "legal": [(one.by, "notifications") for one in incident.notifications],
        "communications": [(one.by, "postmortem.messages") for one in known.messages if one.to != "internal"],
    }


_ASKED: dict[str, Callable[[Incident], Told]] = {
    "title": _title,
    "summary": lambda of: _text(of.summary, "summary"),
    "detected": _detected,
    "found_by": _found_by,
    "system": _system,
    "product": lambda of: _text(model.name, f"systems.{model.name}") if (model := model_of(of)) else None,
    "version": _of_model("version"),
    "owner": _of_model("owner"),
    "others": _others,
    "suppliers": _suppliers,
    "inputs": _inputs,
    "severity": _severity,
    "severity_reason": _severity_reason,
    "severity_doubt": _severity_doubt,
    "category": _category,
    "people": _people,
    "decisions": _decisions,
    "span": _span,
    "harm": _harm,
    "changes": _changes,
    "detections": _detections,
    "cause": _cause,
    "metric": _metric,
    "groups": lambda of: _text(", ".join(map(words, of.data.groups)), "data.groups") if of.data else None,
    "status": lambda of: _status(of, STATES[of.status]),
    "phase": lambda of: _status(of, PUBLIC.get(of.status, "Identified" if of.timeline.identified else "Investigating")),
    "containment": _containment,
    "done": _done,
    "last_good": _last_good,
    "evidence": _evidence,
    "aware": lambda of: _at(of, "aware"),
    "told": _messages(),
    "told_outside": _messages("external", "affected"),
    "told_affected": _messages("affected"),
    "notified": _notified,
    "facts": _obligation_facts,
    "jurisdictions": lambda of: _text(", ".join(of.obligations.jurisdictions), "obligations.jurisdictions"),
    "sector": lambda of: _text(of.obligations.sector, "obligations.sector"),
    **{f"owner_{kind}": _who(kind) for kind in ("record", "operations", "legal", "communications")},
}
