"""One record out of several sources: a pure function of the set of them, whatever order they came in.

The earliest source dates a beginning (detected, acknowledged, …), the latest an end (resolved, recovered, closed); what
was resolved before it was opened again is no end. Sources that differ are listed; which is right is for people to say.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rca.importers.fact import Fact, Reading
from rca.record.schema.incident import MOMENTS, SEQUENCE

ENDS = ("resolved", "recovered", "closed")
"""Moments of which the last counts."""

SEEN = ("detected",)
"""Moments that a later source does not contradict: it had been seen by then."""

APART = timedelta(minutes=1)
"""How far two tools may stamp one moment apart before they contradict each other."""

SERVES = ("champion", "production", "prod", "live", "serving", "answers")
"""Aliases under which a version serves, as registries' guides call them, where nobody says which does."""

_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What all sources together say.

    Attributes
    ----------
    said : mapping of str to tuple of (str, str)
        `title`, `summary`, `severity`, `status`, each where a source has it, with the source.
    moments : mapping of str to tuple of (datetime, str)
        Moment → when, and the source that it is from.
    events, systems, actions, detections : tuple of mapping
        As the record writes them.
    contradictions : tuple of mapping
    asked : tuple of str
    """

    said: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    moments: Mapping[str, tuple[datetime, str]] = field(default_factory=dict)
    events: tuple[dict[str, Any], ...] = ()
    systems: tuple[dict[str, Any], ...] = ()
    actions: tuple[dict[str, Any], ...] = ()
    detections: tuple[dict[str, Any], ...] = ()
    contradictions: tuple[dict[str, str], ...] = ()
    asked: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _From:
    """A fact and the reading that it is from."""

    fact: Fact
    reading: Reading

    @property
    def whose(self) -> str:
        """Vendor and the vendor's incident."""
        return f"{self.reading.vendor} {self.fact.of}".strip()

    @property
    def source(self) -> str:
        """The file, in `sources/`."""
        return self.reading.source

    @property
    def at(self) -> datetime:
        """When; long ago where that is not known."""
        return self.fact.at or _LONG_AGO

    @property
    def order(self) -> tuple[Any, ...]:
        """What sorts facts, whatever order their files came in."""
        return (self.at, self.reading.rank, self.whose, self.fact.id, str(self.fact.value), self.source)


def written(at: datetime) -> str:
    """A time as a record has it.

    >>> written(datetime(2026, 5, 2, 9, 10, tzinfo=UTC)), written(datetime(2026, 5, 2, 9, 10, 0, 120000, tzinfo=UTC))
    ('2026-05-02T09:10:00Z', '2026-05-02T09:10:00.120Z')
    """
    told = at.astimezone(UTC).replace(tzinfo=None)
    return told.isoformat(timespec="microseconds" if told.microsecond % 1000 else "auto" if not told.microsecond
                          else "milliseconds") + "Z"  # fmt: skip


def merged(readings: Iterable[Reading], *, alias: str | None = None, until: datetime | None = None) -> Merged:
    """Everything that sources say, once.

    Parameters
    ----------
    readings : iterable of Reading
    alias : str, optional
        The name of a registry under which a version serves.
    until : datetime, optional
        When it was detected, where the record has it from a person: the version that served then is the one.
    """
    by: dict[str, list[_From]] = defaultdict(list)
    for reading in readings:
        for fact in reading.facts:
            by[fact.key].append(_From(fact=fact, reading=reading))
    for several in by.values():
        several.sort(key=lambda one: one.order)
    moments, apart = _moments(by["moment"], by["reopened"])
    said, differ = _said(by)
    seen = until or min((moments[name][0] for name in ("detected", "alerted") if name in moments), default=None)
    systems, asked, doubts = _systems(by["system"], by["served"], alias=alias, until=seen)
    return Merged(
        said=said,
        moments=moments,
        events=tuple(_events(by["event"])),
        systems=systems,
        actions=tuple(_actions(by["action"])),
        detections=tuple(_detections(by["detection"])),
        contradictions=(*apart, *differ, *doubts),
        asked=asked,
    )


# --- title, severity, status -----------------------------------------------------------------------------------------


def _said(by: Mapping[str, list[_From]]) -> tuple[dict[str, tuple[str, str]], list[dict[str, str]]]:
    """The latest word of each source; of several sources that of the lowest rank, and for the status the latest."""
    said, differ = {}, []
    for key in ("title", "summary", "severity", "status"):
        latest = {one.whose: one for one in by.get(key, ())}  # in order of time: the last stands
        ranked = sorted(latest.values(), key=lambda one: (one.reading.rank, one.order))
        if key == "status":
            ranked.sort(key=lambda one: one.at, reverse=True)
        if ranked:
            said[key] = ranked[0].fact.value, ranked[0].source
        if key == "severity":
            differ += [_against(key, ranked[0], one) for one in ranked[1:] if one.fact.value != ranked[0].fact.value]
    return said, differ


def _against(of: str, taken: _From, other: _From) -> dict[str, str]:
    first, second = (
        written(one.fact.at) if one.fact.key == "moment" and one.fact.at else str(one.fact.value)
        for one in (taken, other)
    )
    return {"of": of, "taken": first, "source": taken.source, "against": second, "said_by": other.source}


# --- the timeline ----------------------------------------------------------------------------------------------------


def _moments(dated: list[_From], reopened: list[_From]) -> tuple[dict[str, tuple[datetime, str]], list[dict[str, str]]]:
    again = {one.whose: one.at for one in reopened}  # the last of each, as they are in order
    found: dict[str, tuple[datetime, str]] = {}
    apart = []
    for name in MOMENTS:
        each = _of_each([one for one in dated if one.fact.value == name], name, again)
        if each:
            taken = each[-1 if name in ENDS else 0]
            found[name] = taken.at, taken.source
            others = each if name not in SEEN else ()
            apart += [_against(name, taken, one) for one in others if abs(one.at - taken.at) > APART]
    return found, apart


def _of_each(several: list[_From], name: str, again: Mapping[str, datetime]) -> list[_From]:
    """The first or the last of a moment of each incident; none where one was opened again and has not ended."""
    if name not in ENDS:
        first = {one.whose: one for one in reversed(several)}
        return sorted(first.values(), key=lambda one: one.order)
    last = {one.whose: one for one in several}
    open_ = any(one.at <= again.get(whose, _LONG_AGO) for whose, one in last.items())
    return [] if open_ else sorted(last.values(), key=lambda one: one.order)


def _events(several: list[_From]) -> Iterator[dict[str, Any]]:
    """Every event once: by the vendor's id, and one that two interfaces of a vendor tell in the same second."""
    ids: set[str] = set()
    told: dict[tuple[Any, ...], str] = {}
    for one in several:
        fact, shape = one.fact, one.fact.extra["shape"]
        same = (one.reading.vendor, fact.value, one.at.replace(microsecond=0))
        if fact.id in ids or told.setdefault(same, shape) != shape:
            continue
        ids.add(fact.id)
        system = {"system": fact.extra["system"]} if fact.extra.get("system") else {}
        head = {"at": written(one.at), "kind": fact.extra["kind"], **system}
        yield {**head, "what": fact.value, "source": one.source, "id": fact.id}


def in_order(moments: Mapping[str, datetime], fixed: Iterable[str]) -> set[str]:
    """Moments that can stand: of those that would come before what they must follow, the imported ones yield.

    Parameters
    ----------
    moments : mapping of str to datetime
    fixed : iterable of str
        Moments that a person wrote; they stand.
    """
    stays = set(fixed)
    for name in SEQUENCE:
        if name in moments and name not in stays:
            place = SEQUENCE.index(name)
            before = all(moments[one] <= moments[name] for one in SEQUENCE[:place] if one in stays)
            after = all(moments[one] >= moments[name] for one in SEQUENCE[place:] if one in stays)
            if before and after:
                stays.add(name)
    return {name for name in moments if name in stays or name not in SEQUENCE}


# --- systems, actions, detections ------------------------------------------------------------------------------------


def _systems(
    named: list[_From], served: list[_From], *, alias: str | None, until: datetime | None
) -> tuple[tuple[dict[str, Any], ...], tuple[str, ...], list[dict[str, str]]]:
    found: dict[str, dict[str, Any]] = {}
    first: dict[tuple[str, str], _From] = {}
    doubts, asked = [], []
    for one in sorted(named, key=lambda one: (one.reading.rank, one.order)):
        system = found.setdefault(one.fact.value, {"name": one.fact.value})
        for key, value in one.fact.extra.items():
            before = first.setdefault((one.fact.value, key), one)
            if system.setdefault(key, value) != value and key == "version":
                doubts.append({"of": f"systems.{one.fact.value}.{key}", "taken": system[key], "source": before.source,
                               "against": value, "said_by": one.source})  # fmt: skip
    for name in sorted({one.fact.value for one in served}):
        own = [one for one in served if one.fact.value == name]
        told, question = _version(own, alias=alias, until=until)
        asked += question
        if told:
            found[name] = {"name": name, "kind": "model", **found.get(name, {}), **told}
    return tuple(found[name] for name in sorted(found)), tuple(asked), doubts


def _version(own: list[_From], *, alias: str | None, until: datetime | None) -> tuple[dict[str, Any], list[str]]:
    """The version that served when the incident was detected, and the one that had served before it.

    That the one before was good is for people to say: it is told as what it is.
    """
    names = sorted({str(one.fact.extra["alias"]) for one in own})
    usual = [name for name in names if name.lower() in SERVES]
    chosen = alias if alias in names else names[0] if len(names) == 1 else usual[0] if len(usual) == 1 else None
    if chosen is None:
        return {}, [f"under which alias does {own[0].fact.value} serve? It has {', '.join(names)}: --alias NAME"]
    history = [one for one in own if one.fact.extra["alias"] == chosen]
    dated = [one for one in history if one.fact.at and (until is None or one.fact.at <= until)]
    changes = [one for at, one in enumerate(dated) if at == 0 or _points(dated[at - 1]) != _points(one)]
    stated = [one for one in history if one.fact.at is None and one.fact.extra["version"]]
    now = changes[-1] if changes else stated[-1] if stated else None
    if now is None or not now.fact.extra["version"]:
        return {}, []
    told = {"version": _points(now)}
    if run := now.fact.extra.get("run_id") or _run_of(history, _points(now)):
        told["run_id"] = run
    before = next((one for one in reversed(changes[:-1]) if _points(one) not in (None, _points(now))), None)
    if before is not None and now.fact.at:
        told["last_good"] = f"{_points(before)}, which had the alias {chosen} before {written(now.fact.at)}"
    return told, []


def _points(one: _From) -> str | None:
    return one.fact.extra["version"]  # type: ignore[no-any-return]


def _run_of(history: list[_From], version: str | None) -> str | None:
    runs = (one.fact.extra.get("run_id") for one in history if one.fact.extra["version"] == version)
    return next(filter(None, runs), None)


def _actions(several: list[_From]) -> Iterator[dict[str, Any]]:
    latest = {one.fact.id: one.fact for one in several}
    return ({"id": name, "what": fact.value, **fact.extra} for name, fact in sorted(latest.items()))


def _detections(several: list[_From]) -> Iterator[dict[str, Any]]:
    seen = []
    for one in several:
        extra = {key: value for key, value in one.fact.extra.items() if value is not None}
        names = {"vendor": one.reading.vendor, "detector": one.fact.value, "at": written(one.at)}
        told = {**names, **extra, "source": one.source}
        if told not in seen:
            seen.append(told)
            yield told
