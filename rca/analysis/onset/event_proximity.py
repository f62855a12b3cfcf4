"""Proximity of the onset to timeline events, with an exact p-value under a uniformly placed onset."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rca.finding import Finding, Target
from rca.methods.changepoint.dating import Onset
from rca.result import Result, Row

if TYPE_CHECKING:
    from rca.record.schema.incident import Event

FOLLOWS = ("alert", "human", "communication")
"""Kinds of events that respond to an incident and cannot begin one."""

P_VALUE = 0.05
"""Significance level of the proximity test, up to which an event is named."""

SHOWN = 10
"""Most candidates that are reported."""

LONGEST = 80
"""Letters of an event's name."""

BRINGS = ("schema", "data", "deploy", "config")
"""Kinds of events by which a data pipeline can begin to deliver other values."""


@dataclass(frozen=True, kw_only=True)
class NearEvent:
    """An event that may have begun the incident.

    Attributes
    ----------
    name : str
        Its kind, system and what happened, as the timeline has them.
    at : datetime
    kind : str
    system : str or None
    lag : float
        Seconds from the event to the estimated onset; negative where the event lies after the estimate, and before the
        latest onset that the data allow.
    inside : bool
        Whether it lies in the onset's interval.
    p_value : float
        Probability that an onset placed uniformly in the window has some event of this timeline at least as near.
    fits : bool
        Whether an event of this kind and system can have the effect of the cause.
    why : str
        Why it fits, or does not.
    """

    name: str
    at: datetime
    kind: str
    system: str | None = None
    lag: float
    inside: bool
    p_value: float
    fits: bool
    why: str


@dataclass(frozen=True, kw_only=True)
class EventProximity(Result):
    """The onset and the candidate events before it, nearest first, with p-values.

    Attributes
    ----------
    onset : Onset
    candidates : tuple of NearEvent
        Those in the onset's interval first, and of those the ones that fit; then by how far they lie before it.
    start, end : datetime
        The window in which the onset could have fallen.
    """

    onset: Onset
    candidates: tuple[NearEvent, ...]
    start: datetime
    end: datetime

    @property
    def named(self) -> NearEvent | None:
        """The nearest event, if its proximity is significant; it is suggested, never shown."""
        first = next(iter(self.candidates), None)
        return first if first is not None and first.p_value <= P_VALUE else None

    def __str__(self) -> str:
        first = next(iter(self.candidates), None)
        if first is None:
            return "no event of the timeline can have begun it"
        says = f"{first.name}, {_length(first.lag)} the onset (chance of an event so near: {first.p_value:.2g})"
        return says if self.named else f"no event stands out; the nearest is {says}"

    def rows(self) -> list[Row]:
        return [
            {
                "event": one.name,
                "at": one.at.isoformat(),
                "lag": _length(one.lag),
                "in the interval": one.inside,
                "p-value": one.p_value,
                "fits": one.fits,
                "why": one.why,
            }
            for one in self.candidates
        ]

    def findings(self) -> tuple[Finding, ...]:
        if self.named is None:
            return ()
        return (
            Finding(
                id="onset.event",
                notebook="drift",
                claim=str(self),
                cause=Target(kind="event", name=self.named.name),
                effect=self.named.lag,
                unit="seconds",
                q_value=self.named.p_value,
                strength="suggested",
                assumptions=("without a connection the onset could have fallen anywhere in the window", self.named.why),
            ),
        )


def nearest_events(
    onset: Onset,
    events: "Iterable[Event]",
    *,
    window: tuple[datetime, datetime],
    detected: datetime | None = None,
    cause: Target | None = None,
    model: str | None = None,
) -> EventProximity:
    """Rank the timeline's events by proximity to the onset, with an exact p-value for each.

    Parameters
    ----------
    onset : Onset
    events : iterable of Event
        In any order. Alerts and what people said or did in answer are left out, as is all that follows detection or the
        latest possible onset.
    window : (datetime, datetime)
        Where the onset could have been found: the current window, from the last reference row before it.
    detected : datetime, optional
    cause : Target, optional
        What the verdict names first; says which events fit.
    model : str, optional
        The system that answers: a change of it brings no other values to a column.

    Returns
    -------
    EventProximity
        The same for every order of events.

    Notes
    -----
    The p-value is exact for an onset, with its interval, that is uniform on the window: it is the share of the window
    from which some event would lie as near as the candidate does. So with many events, or a wide interval of the onset,
    nothing is significant.

    Examples
    --------
    >>> from datetime import UTC
    >>> from rca.record.schema.incident import Event
    >>> day = lambda number, hour=0: datetime(2026, 3, number, hour, tzinfo=UTC)
    >>> onset = Onset(at=day(9), earliest=day(8, 22), latest=day(9, 1), what="error rate", unit="share of rows")
    >>> deploys = [Event(at=day(8, 23), kind="deploy", what="loader 2"), Event(at=day(3), kind="config", what="limits")]
    >>> print(nearest_events(onset, deploys, window=(day(1), day(30))))
    deploy loader 2, 1.0 h before the onset (chance of an event so near: 0.0086)
    """
    start, end = window[0], min(window[1], detected) if detected is not None else window[1]
    early = min(onset.earliest, start) if onset.censored else onset.earliest
    reach = max(onset.at - early, timedelta()), max(onset.latest - onset.at, timedelta())
    able = [event for event in events if _able(event, detected)]
    times = sorted({event.at for event in able})

    def nearness(event: "Event") -> tuple[float, bool, float, str]:
        lag = abs((onset.at - event.at).total_seconds())
        return max((early - event.at).total_seconds(), 0.0), not _fits(event, cause, model)[0], lag, name_of(event)

    found = []
    for event in sorted((event for event in able if event.at <= onset.latest), key=nearness)[:SHOWN]:
        short = max(early - event.at, timedelta())
        covered = [(at - reach[1], at + reach[0] + short) for at in times]
        fits, why = _fits(event, cause, model)
        found.append(
            NearEvent(
                name=name_of(event),
                at=event.at,
                kind=event.kind,
                system=event.system,
                lag=(onset.at - event.at).total_seconds(),
                inside=event.at >= early,
                p_value=_share(covered, start, end),
                fits=fits,
                why=why,
            )
        )
    return EventProximity(onset=onset, candidates=tuple(found), start=start, end=end)


def name_of(event: "Event") -> str:
    """An event's name as a cause: its kind, system and what happened, as far as they fit."""
    words = " ".join(part for part in (event.kind, event.system, event.what) if part)
    return words if len(words) <= LONGEST else words[: LONGEST - 1].rstrip() + "…"


def _able(event: "Event", detected: datetime | None) -> bool:
    """Whether an event can begin an incident: it precedes detection, and is not a response to one."""
    return event.kind.casefold() not in FOLLOWS and (detected is None or event.at < detected)


def _share(covered: Iterable[tuple[datetime, datetime]], start: datetime, end: datetime) -> float:
    """Share of a window covered by a union of intervals; 1 for a window without length."""
    whole = (end - start).total_seconds()
    if whole <= 0:
        return 1.0
    total, reached = 0.0, start
    for first, last in sorted(covered):
        opens, closes = max(first, reached), min(last, end)
        if closes > opens:
            total, reached = total + (closes - opens).total_seconds(), closes
    return min(total / whole, 1.0)


def _fits(event: "Event", cause: Target | None, model: str | None) -> tuple[bool, str]:
    """Whether an event can have the effect of a cause, and why."""
    kind = event.kind.casefold()
    if cause is None:
        return False, "no cause is named that it could fit"
    if cause.kind in ("feature", "rows", "labels"):
        if cause.name.casefold() in event.what.casefold():
            return True, f"it names {cause.name}"
        brings = kind in BRINGS and not _is_of(event, model)
        what = f"a change of {event.system or 'a system'}" if kind in BRINGS else f"a {event.kind} event"
        return brings, f"{what} {'can' if brings else 'does not'} change what a pipe brings"
    if cause.kind in ("model", "component"):
        same = _is_of(event, cause.name)
        return same, f"it changed {cause.name}" if same else f"it did not change {cause.name}"
    world = kind not in ("deploy", "config")
    return world, f"a {event.kind} event {'can' if world else 'does not'} change what the outcome follows from"


def _is_of(event: "Event", system: str | None) -> bool:
    """Whether an event changed a system."""
    return event.system is not None and system is not None and event.system.casefold() == system.casefold()


def _length(seconds: float) -> str:
    """A lag in words.

    >>> _length(5400.0), _length(-60.0)
    ('1.5 h before', '1.0 min after')
    """
    side, size = ("before", seconds) if seconds >= 0 else ("after", -seconds)
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if size >= unit:
            return f"{size / unit:.1f} {name} {side}"
    return f"{size:.0f} s {side}"
