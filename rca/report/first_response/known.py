"""What a record says in the first hour, as named facts in words; each with its keys and how sure it is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from rca.record.schema.imported import Detection
from rca.record.schema.incident import Event, Incident, Notification, System
from rca.report.rendering.plain_text import moment, number, words

Certainty = Literal["fact", "count", "suspicion", "disputed"]

CERTAINTIES: tuple[Certainty, ...] = ("fact", "count", "suspicion", "disputed")
"""The surest first."""

PLACEHOLDER = "What went wrong, in one line"
"""The title of a record that nobody has given one."""

NEW = "sev3"
"""The severity of a record that nobody has given one."""

MOST = 3
"""Events, inputs or systems that a line names."""

NOTICED = ("alerted", "acknowledged", "aware")
"""Moments that can only come after it was noticed."""

NO_CHANGE = ("alert", "communication", "external", "registry", "training")
"""Kinds of events that change no system in use."""

DEPLOYS = ("deploy", "release", "rollout", "model")
"""Kinds of events that put another version in use."""

ENDED = ("recovered", "closed")
"""States in which a count can grow no more."""

ACTING = ("device", "line", "machine", "robot", "process")
"""Kinds of systems that act in the world."""

PARTNERS = ("supplier", "partner", "vendor", "customer")

COUNTED = {"people": "people", "decisions": "decisions or answers", "wrong": "wrong decisions or answers",
           "support_cases": "complaints or support cases"}  # fmt: skip

ANSWERS = {"True": "yes", "False": "no"}

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
    told = {**_detect(incident), **_triage(incident), **_contain(incident), **_communicate(incident)}
    return {name: _weighed(fact, incident) for name, fact in told.items() if fact is not None}


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


def _few(texts: Iterable[str], *keys: str, before: str = "", certainty: Certainty = "fact") -> Told:
    """The first few of several texts."""
    every = [text.strip().rstrip(".") for text in texts]
    more = [f"{len(every) - MOST} more on record"] if len(every) > MOST else []
    return _text("; ".join(every[:MOST] + more), *keys, before=before, certainty=certainty)


def _at(incident: Incident, name: str, before: str = "") -> Told:
    at = getattr(incident.timeline, name)
    source = incident.timeline.sources.get(name, "")
    keys = (f"timeline.{name}", *((f"timeline.sources.{name}: {source}",) if source else ()))
    return None if at is None else Fact(text=f"{before}{moment(at)}", keys=keys)


def _text(text: Any, *keys: str, before: str = "", certainty: Certainty = "fact") -> Told:
    said = str(text or "").strip().rstrip(".")
    return Fact(text=f"{before}{said}", keys=keys, certainty=certainty) if said else None


# --- detect ----------------------------------------------------------------------------------------------------------


def _detect(of: Incident) -> dict[str, Told]:
    model, known, data = model_of(of), of.postmortem, of.data
    others = [one for one in of.systems if one is not model]
    partners = [one for one in others if one.kind in PARTNERS]
    found = _text(FOUND.get(known.found_by or ""), "postmortem.found_by")
    return {
        "title": None if _unsaid(of, "title") else _text(of.title, "title"),
        "summary": _text(of.summary, "summary"),
        "detected": _detected(of),
        "found_by": _joined(found, _text(known.first_signal, "postmortem.first_signal")),
        "inputs": _inputs(of),
        "groups": _text(", ".join(map(words, data.groups)), "data.groups") if data else None,
        "others": _few((" ".join(filter(None, (one.name, one.version, f"({one.kind})"))) for one in others), "systems"),
        "suppliers": _few(
            (f"{one.name} ({one.kind})" for one in partners), *(f"systems.{one.name}" for one in partners)
        ),
        **(_of_model(model) if model else {}),
    }


def _unsaid(of: Incident, key: str) -> bool:
    """Whether the value of a required key only stands in for an answer."""
    return of.title in (PLACEHOLDER, "-") or key in of.imports.unsaid


def model_of(of: Incident) -> System | None:
    """The system that is a model, else the first."""
    return next((one for one in of.systems if one.name == of.model_name), None)


def _of_model(model: System) -> dict[str, Told]:
    at = f"systems.{model.name}"
    owner = f", owned by {model.owner}" if model.owner else ""
    return {
        "product": Fact(text=model.name, keys=(at,)),
        "system": Fact(text=f"{model.name} ({model.kind}{owner})", keys=(at,)),
        "version": _text(model.version, f"{at}.version"),
        "owner": _text(model.owner, f"{at}.owner"),
    }


def _detected(of: Incident) -> Told:
    """When it was noticed; without that moment, a bound: the first that could only come after it."""
    later = [(at, name) for name, at in of.timeline.moments() if name in NOTICED]
    bound = _at(of, min(later)[1], f"not later than ({min(later)[1]}) ") if later else None
    return _at(of, "detected") or bound


def _inputs(of: Incident) -> Told:
    """The inputs on record; else where they are kept."""
    if of.triggering_inputs:
        return _text(f"{len(of.triggering_inputs)} on record, word for word in the report", "triggering_inputs")
    if of.data is None or of.data.current is None:
        return None
    by = f", each known by its {of.data.id}" if of.data.id else ""
    return _text(f"none word for word; all rows as they came in are in {of.data.current.path}{by}", "data.current")


# --- triage ----------------------------------------------------------------------------------------------------------


def _triage(of: Incident) -> dict[str, Told]:
    metric, reason = of.metric, _severity_reason(of)
    as_new = ", as in a record that is new; has anybody set it?" * (of.severity == NEW and reason is None)
    measured = " of ".join(words(one) for one in (metric.name, metric.of or metric.column) if one) if metric else ""
    kind = "" if of.category == "other" or _unsaid(of, "category") else words(of.category)
    return {
        "severity": None if _unsaid(of, "severity") else _text(f"{of.severity}{as_new}", "severity"),
        "severity_reason": reason,
        "severity_doubt": _joined(*_grave(of)) if of.severity in ("sev3", "sev4", "sev5") else None,
        "category": _text(kind, "category"),
        "people": _counted(of, "people") or _text(of.impact.text, "impact.text", certainty="count"),
        "decisions": _decisions(of),
        "span": _span(of),
        "harm": _harm(of),
        "changes": _few(map(told_event, changes_before(of)), "timeline.events"),
        "detections": _few(map(_detection, of.detections), "detections", certainty="suspicion"),
        "cause": _cause(of),
        "metric": _text(measured, "metric"),
    }


def _grave(of: Incident) -> Iterator[Told]:
    """What on record speaks for the worst."""
    harm = of.impact.physical_harm
    yield None if is_none(harm) else _text(harm, "impact.physical_harm", before="physical harm: ")
    yield _text(words(of.class_), "class") if of.class_ in ("serious_incident", "disaster") else None


def is_none(text: str | None) -> bool:
    """Whether a text says that there is nothing.

    >>> is_none("none"), is_none("None."), is_none(None), is_none("a burn")
    (True, True, True, False)
    """
    return (text or "").strip().rstrip(".").casefold() in ("", "none", "no", "nothing", "0")


def _severity_reason(of: Incident) -> Told:
    """What on record speaks for a severity."""
    found, held = of.postmortem.found_by, of.obligations.facts
    why = _joined(
        *_grave(of),
        *(_counted(of, name) for name in ("people", "wrong")),
        _money(of),
        *(_text(words(name), f"obligations.facts.{name}") for name, holds in held.items() if holds is True),
        _text(f"noticed {FOUND[found]} first", "postmortem.found_by") if found in ("outsider", "user") else None,
    )
    runs = _text(STATES["open"], "status") if of.status == "open" else None
    joined = _joined(why, runs) if why else None
    return joined and replace(joined, certainty="fact")


def _money(of: Incident) -> Told:
    lost = of.impact.money
    said = number(lost) if isinstance(lost, int | float) else lost
    return _text(said, "impact.money", before="money: ", certainty="count")


def _counted(of: Incident, name: str) -> Told:
    """A count of the impact; as long as it can grow, a lower bound."""
    value, ended = getattr(of.impact, name), of.status in ENDED
    if value is None:
        return None
    said = f"{'' if ended else 'at least '}{value:,} {COUNTED[name]}"
    return Fact(text=said, keys=(f"impact.{name}",), certainty="fact" if ended else "count")


def _decisions(of: Incident) -> Told:
    """What was decided while it lasted bounds what was decided wrongly."""
    known, wrong, span = _counted(of, "decisions"), _counted(of, "wrong"), of.impact.wrong_interval
    if wrong is not None and span:
        said = f"{wrong.text} ({span[0]:,} to {span[1]:,})"
        wrong = replace(wrong, text=said, keys=(*wrong.keys, "impact.wrong_interval"))
    if known is not None and wrong is None and of.status != "open":
        known = replace(known, text=f"{known.text}, and at most as many wrong")
    return _joined(known, wrong, _counted(of, "support_cases"))


def _span(of: Incident) -> Told:
    """Since when and until when, each with its bound."""
    noticed = _detected(of)
    before = noticed and replace(noticed, text=f"since before {noticed.text.removeprefix('not later than ')}")
    began = _at(of, "onset", "from ") or before
    ends = (_at(of, name, f"to {name} ") for name in ("contained", "recovered", "resolved", "closed"))
    runs = _text("no end on record: it may still go on", "status") if of.status == "open" else None
    return _joined(began, next(filter(None, ends), runs), by=", ") if began else None


def _harm(of: Incident) -> Told:
    known = of.impact
    return _joined(
        _text(", ".join(map(words, known.harm)), "impact.harm"),
        next(_grave(of)),
        None if is_none(known.data_lost) else _text(known.data_lost, "impact.data_lost", before="data lost: "),
        _money(of),
        _text(known.slo, "impact.slo"),
        _text(known.text, "impact.text", certainty="count") if known.people is not None else None,
    )


def changes_before(of: Incident) -> list[Event]:
    """Changes of systems before it was noticed, the nearest first."""
    noticed = _noticed(of)
    held = [one for one in of.timeline.events if one.kind not in (*NO_CHANGE, "human")]
    return sorted((one for one in held if noticed is None or one.at <= noticed), key=lambda one: one.at, reverse=True)


def _noticed(of: Incident) -> datetime | None:
    return min((at for name, at in of.timeline.moments() if name in ("detected", *NOTICED)), default=None)


def told_event(event: Event) -> str:
    """An event in a line."""
    return f"{moment(event.at)}: {event.what.rstrip('.')}" + (f" ({event.system})" if event.system else "")


def _detection(one: Detection) -> str:
    what = f"{'drift' if one.drift else 'no drift'}{f' of {one.column}' if one.column else ''}"
    return f"{one.vendor} {one.detector}: {what}, {moment(one.at)}"


def _cause(of: Incident) -> Told:
    """The answers of the why-trees that set it off, or stand first; as sure as the least sure."""
    held = [factor for why in of.whys for factor in why.factors()]
    named = [one for one in held if one.role == "trigger"] or held[1:2]
    sure = all(one.strength == "shown" for one in named)
    return _few((one.statement for one in named), "whys", certainty="fact" if sure else "suspicion")


# --- contain ---------------------------------------------------------------------------------------------------------


def _contain(of: Incident) -> dict[str, Told]:
    fix, noticed = _text(of.postmortem.temporary_fix, "postmortem.temporary_fix"), _noticed(of)
    since = [one for one in of.timeline.events if one.kind not in NO_CHANGE and noticed and one.at > noticed]
    done = _few(map(told_event, since), "timeline.events")
    mitigated, contained = (_at(of, name, f"{name} ") for name in ("mitigated", "contained"))
    evidence = (f"{one.what} ({one.where})" for one in of.postmortem.evidence)
    public = PUBLIC.get(of.status, "Identified" if of.timeline.identified else "Investigating")
    said = not _unsaid(of, "status")
    return {
        "status": _text(STATES[of.status], "status") if said else None,
        "phase": _text(public, "status") if said else None,
        "containment": _joined(fix, done, mitigated, contained),
        "done": _joined(fix, contained or mitigated) or done,
        "last_good": _last_good(of),
        "evidence": _few(evidence, "postmortem.evidence"),
    }


def _last_good(of: Incident) -> Told:
    """The version to go back to, and how that is known; without one, the change before which it was in use."""
    model, planned = model_of(of), _text(of.postmortem.rollback_to, "postmortem.rollback_to")
    known = _text(model.last_good, f"systems.{model.name}.last_good") if model else None
    if known and planned and _version(known.text) != _version(planned.text):
        return Fact(text=f"{known.text}; {planned.text}", keys=(*known.keys, *planned.keys), certainty="disputed")
    told = known or planned
    if told and model and model.version and _version(told.text) == model.version:
        return replace(told, text=f"{told.text}: the version in use, so going back changes nothing")
    own = [one for one in changes_before(of) if model and one.system == model.name and one.kind in DEPLOYS]
    before = "not named; perhaps what was in use before "
    return told or _few(map(told_event, own[:1]), "timeline.events", before=before, certainty="suspicion")


def _version(text: str) -> str:
    return text.partition(",")[0].strip()


# --- communicate -----------------------------------------------------------------------------------------------------


def _communicate(of: Incident) -> dict[str, Told]:
    duties = of.obligations
    held = (f"{words(name)}: {ANSWERS.get(holds, holds)}" for name, holds in map(_plain, duties.facts.items()))
    return {
        "aware": _at(of, "aware"),
        "told": _messages(of, "internal", "external", "affected", "regulator"),
        "told_outside": _messages(of, "external", "affected"),
        "told_affected": _messages(of, "affected"),
        "notified": _few(map(_notice, filter(_is_decided, of.notifications)), "notifications"),
        "facts": _text(", ".join(held), "obligations.facts"),
        "jurisdictions": _text(", ".join(duties.jurisdictions), "obligations.jurisdictions"),
        "sector": _text(duties.sector, "obligations.sector"),
        **_owners(of),
    }


def _plain(fact: tuple[str, Any]) -> tuple[str, str]:
    return fact[0], str(fact[1])


def _messages(of: Incident, *to: str) -> Told:
    held = (one for one in of.postmortem.messages if one.to in to)
    return _few((f"{moment(one.at)}, {one.to}: {one.what.rstrip('.')}" for one in held), "postmortem.messages")


def _is_decided(one: Notification) -> bool:
    return bool(one.submitted_at or one.not_reportable_because)


def _notice(one: Notification) -> str:
    return f"{one.regime}, {moment(one.submitted_at) if one.submitted_at else f'none: {one.not_reportable_because}'}"


def _owners(of: Incident) -> dict[str, Told]:
    """Workstream → the first role that the record shows at such work."""
    known = of.postmortem
    owner = f"{known.owner} (owner of the post-mortem)" if known.owner else None
    shown = {
        "record": [(owner, "postmortem.owner")],
        "operations": [(one.owner, f"systems.{one.name}.owner") for one in of.systems if one.kind in ACTING],
        "legal": [(one.by, "notifications") for one in of.notifications],
        "communications": [(one.by, "postmortem.messages") for one in known.messages if one.to != "internal"],
    }
    return {f"owner_{kind}": next((_text(*one) for one in held if one[0]), None) for kind, held in shown.items()}
