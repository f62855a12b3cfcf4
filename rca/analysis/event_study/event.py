"""Lookup of the event that is studied: a moment, or words that match one event of the timeline."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from rca.analysis.onset.event_proximity import FOLLOWS, name_of
from rca.errors import InvalidCase, did_you_mean

if TYPE_CHECKING:
    from rca.record.schema.incident import Event

HINT = "give a time with an offset, such as 2026-03-01T00:00Z"


@dataclass(frozen=True, kw_only=True)
class EventReference:
    """The event that is studied, and other events that could confound it.

    Attributes
    ----------
    at : datetime
        In UTC.
    name : str
    aliases : tuple of str
        By what else a causal graph may call it.
    others : tuple of (datetime, str)
        Other events on record that can have changed something.
    """

    at: datetime
    name: str
    aliases: tuple[str, ...] = ()
    others: tuple[tuple[datetime, str], ...] = ()


def event_reference(given: Any, timeline: "Iterable[Event]" = ()) -> EventReference:
    """Find the event that is meant by a moment or by words of the timeline.

    Parameters
    ----------
    given : datetime, Timestamp, Event or str
        A moment with an offset; or words that one event of the timeline has in its kind, system or description.
    timeline : iterable of Event

    Raises
    ------
    InvalidCase
        If it is no moment, has no offset, or names no event, or several.

    Examples
    --------
    >>> event_reference("2026-03-01T00:00Z").name
    'event at 2026-03-01 00:00 UTC'
    """
    events = tuple(timeline)
    found = given if _is_event(given) else None
    if found is None and isinstance(given, str):
        found = _named(given, events)
    if found is None:
        at = _moment_of(given, events)
        same = [event for event in events if _utc(event.at) == at]
        found = same[0] if same else None
        if found is None:
            return EventReference(at=at, name=f"event at {at:%Y-%m-%d %H:%M} UTC", others=_others(events, None))
    aliases = tuple(dict.fromkeys((found.what, name_of(found))))
    return EventReference(at=_utc(found.at), name=name_of(found), aliases=aliases, others=_others(events, found))


def _is_event(given: Any) -> bool:
    return hasattr(given, "at") and hasattr(given, "what") and hasattr(given, "kind")


def _others(events: "Sequence[Event]", asked: "Event | None") -> tuple[tuple[datetime, str], ...]:
    able = [event for event in events if event is not asked and event.kind.casefold() not in FOLLOWS]
    return tuple((_utc(event.at), name_of(event)) for event in able)


def _named(given: str, events: "Sequence[Event]") -> "Event | None":
    """The one event whose name holds the words; None where the words are a time."""
    wanted = given.strip().casefold()
    exact = [event for event in events if wanted in (event.what.casefold(), name_of(event).casefold())]
    words = " ".join
    full = [(event, words(part for part in (event.kind, event.system, event.what) if part)) for event in events]
    held = exact or [event for event, name in full if wanted and wanted in name.casefold()]
    if len(held) > 1:
        few = "; ".join(f"{name_of(event)} at {_utc(event.at).isoformat()}" for event in held[:4])
        raise InvalidCase.because(f"{given!r} may mean {len(held)} events: {few}", place="event", hint="give its time")
    return held[0] if held else None


def _moment_of(given: Any, events: "Sequence[Event]") -> datetime:
    if isinstance(given, bool | int | float) or not isinstance(given, str | datetime | date):
        what = f"event must be a time or words of the timeline, got {type(given).__name__}"
        raise InvalidCase.because(what, place="event", hint=HINT)
    try:
        at = pd.Timestamp(given)
    except (ValueError, OverflowError):
        known = [name_of(event) for event in events]
        hint = did_you_mean(str(given), known) if known else HINT
        what = f"event must be a time, or name one event of the timeline, got {given!r}"
        raise InvalidCase.because(what, place="event", hint=hint) from None
    if at.tzinfo is None:
        raise InvalidCase.because(f"event must be a time with an offset, got {given!r}", place="event", hint=HINT)
    moment: datetime = at.tz_convert("UTC").to_pydatetime(warn=False)
    return moment


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
