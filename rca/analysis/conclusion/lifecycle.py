"""Incident life cycle: every moment with its source and uncertainty, contradictions between sources, and the exposure.

A contradiction is reported, never resolved: which of two sources is right is for people to say.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rca.record.durations import duration_in_words
from rca.result import Result, Row

if TYPE_CHECKING:
    import pandas as pd

    from rca.methods.changepoint.dating import Onset
    from rca.record.schema.incident import Event, Incident, Timeline

PHASES = {
    "onset": "before detection", "detected": "detection", "alerted": "detection", "aware": "triage",
    "acknowledged": "triage", "identified": "triage", "contained": "containment", "mitigated": "containment",
    "repair_started": "eradication", "eradicated": "eradication", "recovered": "recovery", "resolved": "recovery",
    "closed": "post-mortem",
}  # fmt: skip
"""Moment → the phase of the life cycle that it belongs to."""

ORDER = (
    ("onset", "detected"), ("onset", "contained"), ("alerted", "acknowledged"), ("detected", "aware"),
    ("detected", "identified"), ("detected", "mitigated"), ("identified", "eradicated"), ("contained", "closed"),
    ("repair_started", "eradicated"), ("repair_started", "recovered"), ("recovered", "resolved"),
    ("resolved", "closed"), ("eradicated", "recovered"),
)  # fmt: skip
"""Pairs of moments of which the second does not come before the first."""

REACHED = {"contained": "contained", "recovered": "recovered", "closed": "closed"}
"""Status → the moment that it says has come."""

SIGNS = frozenset({"alert", "communication"})
"""Kinds of events that are signs of an incident."""

ESTIMATED = "estimated from the data"


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """A moment of the life cycle with its source and interval.

    Attributes
    ----------
    name, phase : str
    at : datetime
    source : str
        Where it is from: a place in the record, or the data.
    earliest, latest : datetime or None
        What its uncertainty leaves; None where it is a record.
    """

    name: str
    phase: str
    at: datetime
    source: str
    earliest: datetime | None = None
    latest: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Two sources that contradict each other.

    Attributes
    ----------
    what : str
        One sentence with both moments.
    sources : tuple of str
    """

    what: str
    sources: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """Exposure: the time from onset to containment, and the rows that were decided in it.

    Attributes
    ----------
    start, end : datetime
    rows : int or None
        Rows of the current window in that time; None where the case has no rows with a time.
    fewest, most : int or None
        The same, for the latest and the earliest that the onset may be.
    left_out : str
        What the count lacks; empty where the window covers all of the time.
    """

    start: datetime
    end: datetime
    rows: int | None = None
    fewest: int | None = None
    most: int | None = None
    left_out: str = ""

    def __str__(self) -> str:
        length = duration_in_words((self.end - self.start).total_seconds())
        if self.rows is None:
            return f"{length} from onset to containment; no rows tell how many decisions fell into it"
        between = f" ({self.fewest:,} to {self.most:,})" if self.fewest != self.most else ""
        left = f"; {self.left_out}" if self.left_out else ""
        return f"{length} from onset to containment, with {self.rows:,}{between} rows in the data{left}"


@dataclass(frozen=True, kw_only=True)
class Lifecycle(Result):
    """Moments in order of time, contradictions, and the exposure.

    Attributes
    ----------
    stamps : tuple of Stamp
    conflicts : tuple of Conflict
    missed : tuple of Conflict
        Signs on record that came before detection: missed signals.
    exposure : Exposure or None
        None where the onset or containment is not known.
    missing : tuple of str
        Moments that are not on record.
    """

    stamps: tuple[Stamp, ...]
    conflicts: tuple[Conflict, ...] = ()
    missed: tuple[Conflict, ...] = ()
    exposure: Exposure | None = None
    missing: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = f"{len(self.stamps)} moments"
        many = "1 contradiction" if len(self.conflicts) == 1 else f"{len(self.conflicts)} contradictions"
        return f"{told}; {many if self.conflicts else 'no contradiction'} between sources"

    def rows(self) -> list[Row]:
        return [
            {
                "moment": one.name.replace("_", " "),
                "phase": one.phase,
                "at": one.at.isoformat(),
                "earliest": one.earliest.isoformat() if one.earliest else None,
                "latest": one.latest.isoformat() if one.latest else None,
                "source": one.source,
            }
            for one in self.stamps
        ]


def lifecycle_of(
    incident: "Incident",
    onset: "Onset | None" = None,
    *,
    times: "pd.Series[Any] | None" = None,
    places: Mapping[str, str] | None = None,
) -> Lifecycle:
    """Order the moments of an incident, and find contradictions between its sources.

    Parameters
    ----------
    incident : Incident
    onset : Onset, optional
        As the data date it.
    times : Series of datetime, optional
        Of the rows of the current window.
    places : dict of str to str, optional
        Moment → its place in the record.
    """
    from rca.record.schema.incident import MOMENTS

    timeline = incident.timeline
    stamps = sorted(_stamps(timeline, onset, places or {}), key=lambda one: (one.at, one.name))
    known = {one.name for one in stamps}
    return Lifecycle(
        stamps=tuple(stamps),
        conflicts=tuple(_conflicts(incident, onset, {one.name: one for one in stamps})),
        missed=tuple(_missed(timeline, {one.name: one for one in stamps})),
        exposure=_exposure(timeline, onset, times),
        missing=tuple(name for name in MOMENTS if name not in known),
    )


def _stamps(timeline: "Timeline", onset: "Onset | None", places: Mapping[str, str]) -> Iterator[Stamp]:
    for name, at in timeline.moments():
        source = timeline.sources.get(name) or places.get(name, f"timeline.{name}")
        yield Stamp(name=name, phase=PHASES[name], at=at, source=source)
    if timeline.onset is None and onset is not None:
        yield Stamp(
            name="onset",
            phase=PHASES["onset"],
            at=onset.at,
            source=f"{ESTIMATED}, on {onset.what.replace('_', ' ')}",
            earliest=onset.earliest,
            latest=onset.latest,
        )


# --- contradictions --------------------------------------------------------------------------------------------------


def _conflicts(incident: "Incident", onset: "Onset | None", known: Mapping[str, Stamp]) -> Iterator[Conflict]:
    yield from _out_of_order(known)
    yield from _of_the_onset(incident.timeline, onset, known)
    for one in incident.imports.contradictions:
        what = f"{_words(one.of)}: {one.taken}, or {one.against}"
        yield Conflict(what=what, sources=(one.source, one.said_by))
    moment = REACHED.get(incident.status)
    if moment is not None and moment not in known:
        what = f"The status is {incident.status}, and the record has no moment at which it was {moment}"
        yield Conflict(what=what, sources=("status", f"timeline.{moment}"))
    now, last = incident.as_of, max((one.at for one in known.values()), default=None)
    if now is not None and last is not None and last > now:
        what = f"The record is as of {_said(now)}, and has a moment after that, {_said(last)}"
        yield Conflict(what=what, sources=("as_of", "timeline"))


def _out_of_order(known: Mapping[str, Stamp]) -> Iterator[Conflict]:
    for first, second in ORDER:
        if first in known and second in known and known[second].at < known[first].at:
            before, after = known[first], known[second]
            if after.at < (before.earliest or before.at):
                what = f"{_called(after)} ({_said(after.at)}) comes before {_called(before)} ({_said(before.at)})"
                yield Conflict(what=what[:1].upper() + what[1:], sources=(after.source, before.source))


def _of_the_onset(timeline: "Timeline", onset: "Onset | None", known: Mapping[str, Stamp]) -> Iterator[Conflict]:
    recorded = timeline.onset
    if recorded is None or onset is None or onset.earliest <= recorded <= onset.latest:
        return
    what = (
        f"The onset on record ({_said(recorded)}) lies outside of what the data leave ({_said(onset.earliest)} to "
        f"{_said(onset.latest)}, {onset.level:.0%})"
    )
    yield Conflict(what=what, sources=(known["onset"].source, ESTIMATED))


def _missed(timeline: "Timeline", known: Mapping[str, Stamp]) -> Iterator[Conflict]:
    """First sign on record before detection, of each kind, which somebody or something could have noticed."""
    if "detected" not in known:
        return
    start = known["onset"].earliest or known["onset"].at if "onset" in known else None
    for kind in sorted(SIGNS):
        sign = min(_of_kind(timeline.events, kind, start), key=lambda event: event.at, default=None)
        if sign is not None and sign.at < known["detected"].at:
            early = duration_in_words((known["detected"].at - sign.at).total_seconds())
            called = "An alert" if kind == "alert" else "A message"
            what = f"{called} on record ({sign.what}, {_said(sign.at)}) came {early} before detection"
            yield Conflict(what=what, sources=(sign.source or "timeline.events", known["detected"].source))


def _of_kind(events: "Iterable[Event]", kind: str, start: datetime | None) -> "Iterator[Event]":
    return (one for one in events if one.kind == kind and (start is None or one.at >= start))


def _words(key: str) -> str:
    """A key of the record at the beginning of a sentence."""
    return key.replace("_", " ").capitalize()


def _called(stamp: Stamp) -> str:
    return stamp.name.replace("_", " ")


def _said(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


# --- the exposure ----------------------------------------------------------------------------------------------------


def _exposure(timeline: "Timeline", onset: "Onset | None", times: "pd.Series[Any] | None") -> Exposure | None:
    start = timeline.onset or (onset.at if onset is not None else None)
    if start is None or timeline.contained is None:
        return None
    end = timeline.contained
    if times is None or not len(times):
        return Exposure(start=start, end=end)
    guessed = onset if timeline.onset is None else None
    first, last = (guessed.earliest, guessed.latest) if guessed is not None else (start, start)
    return Exposure(
        start=start,
        end=end,
        rows=_between(times, start, end),
        fewest=_between(times, last, end),
        most=_between(times, first, end),
        left_out=_left_out(times, start, end),
    )


def _between(times: "pd.Series[Any]", start: datetime, end: datetime) -> int:
    return int(((times >= start) & (times < end)).sum())


def _left_out(times: "pd.Series[Any]", start: datetime, end: datetime) -> str:
    """The part of an interval that the window does not cover; a gap as long as between its rows does not count."""
    first, last = times.min(), times.max()
    usual = (last - first) / max(len(times) - 1, 1) * 10
    parts = []
    if first - start > usual:
        parts.append(f"the data begin {duration_in_words((first - start).total_seconds())} after the onset")
    if end - last > usual:
        parts.append(f"the data end {duration_in_words((end - last).total_seconds())} before containment")
    return ", and ".join(parts)
