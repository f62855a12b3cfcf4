"""Interventions of a what-if question: column repaired, event removed, model rolled back, earlier alert.

Each says which rows it touches, which columns it repairs, and which model answers. Where the data do not determine the
counterfactual, the reason is given instead.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rca.analysis.counterfactual.counterfactual_rows import Intervention
from rca.analysis.counterfactual.outcome_model import SAME, WHAT_IF_QUESTION, OutcomeModel, answerer, former, some_of
from rca.analysis.faults.application import hit
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.harm.rescoring import agreement
from rca.analysis.inputs.arguments import names_of
from rca.analysis.inputs.windows import Windows
from rca.analysis.onset.event_proximity import FOLLOWS, name_of
from rca.arrays import Mask
from rca.errors import InvalidCase, Unanswerable, did_you_mean

if TYPE_CHECKING:
    from rca.record.schema.incident import Event, Timeline

SAME_LABEL = "the label of a row does not hang on what was decided of it"

DONORS = "rows that look alike elsewhere would have had alike values"


def _assumed(who: OutcomeModel, faults: Iterable[ColumnFault] = ()) -> tuple[str, ...]:
    """Assumptions of every intervention."""
    donors = (DONORS,) if any(not fault.invertible for fault in faults) else ()
    return (SAME_LABEL, *donors, *who.assumptions)


def scenario_of(
    windows: Windows, faults: Faults, *, timeline: "Timeline | None", asked: Mapping[str, Any], rng: np.random.Generator
) -> Intervention:
    """The one intervention that is asked for: `mend`, `without_event`, `rolled_back_at` or `earlier`.

    Raises
    ------
    InvalidCase
        If none or more than one is asked for, or it is not what it has to be.
    Unanswerable
        If the data cannot say what would have been.
    """
    named = [name for name, value in asked.items() if value is not None]
    if len(named) != 1:
        what = "nothing is asked" if not named else f"{' and '.join(named)} are asked at once"
        raise InvalidCase.because(what, place="arguments", hint=f"give one of {', '.join(asked)}")
    value = asked[named[0]]
    if named[0] == "mend":
        return whole(windows, faults, tuple(dict.fromkeys(names_of(value, place="mend"))), rng=rng)
    if named[0] == "earlier":
        return alerted(windows, faults, contained=_contained(windows, timeline), earlier=_span(value), rng=rng)
    if named[0] == "rolled_back_at":
        said = (
            f"the moment on record as {value}"
            if timeline is not None and value in dict(timeline.moments())
            else str(value)
        )
        return rolled_back(windows, _moment_of(timeline, value, place="rolled_back_at"), said=said)
    event = value if hasattr(value, "what") else _event(timeline, value)
    return without(windows, faults, event=event, events=timeline.events if timeline is not None else (), rng=rng)


def _contained(windows: Windows, timeline: "Timeline | None") -> datetime:
    """Moment of containment on record; else detection, else just after the last row."""
    moments = dict(timeline.moments()) if timeline is not None else {}
    known = next((moments[name] for name in ("contained", "mitigated", "detected") if name in moments), None)
    if known is not None:
        return known  # type: ignore[no-any-return]
    if windows.roles.time is None:
        raise Unanswerable(WHAT_IF_QUESTION, "the rows have no time, so that it is not known which came later")
    last: datetime = windows.current[windows.roles.time].max().to_pydatetime(warn=False) + timedelta(microseconds=1)
    return last


def _span(given: Any) -> timedelta:
    hint = "give a span of time, such as timedelta(days=7) or '7 days'"
    try:
        return pd.Timedelta("" if isinstance(given, int | float) else given).to_pytimedelta()
    except (TypeError, ValueError, AttributeError):
        what = f"earlier must be a length of time, got {str(given)[:60]!r}"
        raise InvalidCase.because(what, place="earlier", hint=hint) from None


def _moment_of(timeline: "Timeline | None", given: Any, *, place: str) -> datetime:
    """A moment, or the one on the timeline of that name."""
    moments = dict(timeline.moments()) if timeline is not None else {}
    if isinstance(given, str) and given in moments:
        return moments[given]  # type: ignore[no-any-return]
    try:
        found = pd.NaT if isinstance(given, int | float) else pd.Timestamp(given)
    except (TypeError, ValueError):
        found = pd.NaT
    if isinstance(found, pd.Timestamp):
        return (found if found.tzinfo is not None else found.tz_localize("UTC")).to_pydatetime(warn=False)
    hint = did_you_mean(str(given), moments) if moments else "give a time, such as 2026-05-02T09:10:00Z"
    what = f"expected a time, got {str(given)[:60]!r}"
    raise InvalidCase.because(what, place=place, hint=hint)


def _event(timeline: "Timeline | None", given: Any) -> "Event":
    from rca.record.schema.incident import Event

    if isinstance(given, datetime) or timeline is None:
        at = _moment_of(None, given, place="without_event")
        return Event(at=at, kind="other", what=f"of {at:%Y-%m-%d %H:%M}")
    return event_of(timeline, given)


# --- a column, whole -------------------------------------------------------------------------------------------------


def whole(windows: Windows, faults: Faults, columns: Sequence[str], *, rng: np.random.Generator) -> Intervention:
    """Intervention: some columns repaired.

    Raises
    ------
    InvalidCase
        If one of them is no column, or none that a model reads.
    Unanswerable
        If nothing is wrong with one of them, or there is no outcome model.
    """
    if not columns:
        what = "mend must name at least one column, got none"
        raise InvalidCase.because(what, place="mend", hint="name a column that broke")
    seats = [_fault(windows, faults, column) for column in columns]
    who = answerer(windows, faults.columns, columns=columns, rng=rng)
    return _mended(windows, faults, seats, who=who, said=f"{' and '.join(columns)} been whole")


def _mended(
    windows: Windows,
    faults: Faults,
    seats: Sequence[ColumnFault],
    *,
    who: OutcomeModel,
    said: str,
    rows: Mask | None = None,
    told: tuple[str, ...] = (),
) -> Intervention:
    """Intervention: columns repaired in the rows that a fault hit, or in some of them."""
    hit_rows = _hit(seats, windows)
    columns = {fault.column for fault in seats}
    strange = [fault for fault in faults.broken if fault.column in who.ask.strange and fault.column not in columns]
    return Intervention(
        said=said,
        rows=hit_rows if rows is None else rows & hit_rows,
        ask=who.ask,
        faults=tuple(seats),
        assumptions=(*told, *_assumed(who, seats)),
        by=who.by,
        doubted=_hit(strange, windows),
    )


def _fault(windows: Windows, faults: Faults, column: str) -> ColumnFault:
    if column not in windows.current or column not in windows.reference:
        hint = did_you_mean(column, map(str, windows.reference.columns))
        raise InvalidCase.because(f"no column {column!r} in both windows", place="mend", hint=hint)
    read = windows.model.features if windows.model is not None else ()
    if column not in (*windows.roles.features, *read):
        hint = did_you_mean(column, windows.roles.features)
        raise InvalidCase.because(f"mend must name a feature, got {column!r}", place="mend", hint=hint)
    found = faults.get(column)
    if found is None:
        broken = ", ".join(one.column for one in faults.broken) or "no column did"
        why = f"{column} did not break, so that nothing says what else it should have held (what broke: {broken})"
        raise Unanswerable(WHAT_IF_QUESTION, why)
    return found


def _hit(faults: Sequence[ColumnFault], windows: Windows) -> Mask:
    none = np.zeros(len(windows.current), dtype=bool)
    return np.asarray(np.logical_or.reduce([none, *(hit(fault, windows.current) for fault in faults)]))


# --- a model, rolled back --------------------------------------------------------------------------------------------


def rolled_back(windows: Windows, at: datetime, *, said: str) -> Intervention:
    """Intervention: from a moment on, the model of the reference answers (rollback).

    Raises
    ------
    Unanswerable
        If that model is not known, or no row is as late.
    """
    rows = _from(windows, at)
    who = former(windows, rows)
    return Intervention(
        said=f"the model been rolled back at {said}", rows=rows, ask=who.ask, assumptions=_assumed(who), by=who.by
    )


# --- an event that did not happen ------------------------------------------------------------------------------------


def without(
    windows: Windows, faults: Faults, *, event: "Event", events: "Iterable[Event]", rng: np.random.Generator
) -> Intervention:
    """Intervention: an event removed; columns that broke before the next one repaired, a model change undone.

    Raises
    ------
    Unanswerable
        If it lies outside the data, or nothing that could be undone began with it.
    """
    rows = _from(windows, event.at)
    others = [one.at for one in events if one.at > event.at and one.kind.casefold() not in FOLLOWS]
    seats = tuple(fault for fault in faults.broken if _began(windows, fault, at=event.at, others=others))
    told = tuple(f"{fault.column} broke because of the event, as it broke after it" for fault in seats)
    changed, name = _changed_model(windows, event, rows), f"the event {name_of(event)!r}"
    if not seats and changed is None:
        raise Unanswerable(WHAT_IF_QUESTION, f"nothing that could be undone began with {name_of(event)!r}")
    if changed is None:
        who = answerer(windows, faults.columns, columns=[fault.column for fault in seats], rng=rng)
        return _mended(windows, faults, seats, who=who, said=f"{name} not happened", rows=rows, told=told)
    told = (*told, "the model answers otherwise because of the event", *_assumed(changed, seats))
    return Intervention(
        said=f"{name} not happened", rows=rows, ask=changed.ask, faults=seats, assumptions=told, by=changed.by
    )


def _began(windows: Windows, fault: ColumnFault, *, at: datetime, others: Sequence[datetime]) -> bool:
    """Whether an event lies within the onset interval of a fault, or was the last event before it."""
    times = windows.current[str(windows.roles.time)]
    first, last = fault.since_interval or (fault.since, fault.since)
    before = times.iloc[first - 1] if first > 0 else windows.reference[str(windows.roles.time)].max()
    latest, began = (times.iloc[min(row, len(times) - 1)] for row in (last, fault.since))
    inside = before < at <= latest
    fresh = at >= windows.reference[str(windows.roles.time)].max()  # else the reference's last rows were unaffected
    return bool(inside or (fresh and at <= began and not any(one <= began for one in others)))


def _changed_model(windows: Windows, event: "Event", rows: Mask) -> OutcomeModel | None:
    """The model of the reference, if the event changed the model and its answers."""
    if event.system is None or event.system.casefold() != windows.model_name.casefold():
        return None
    try:
        who = former(windows, rows)
    except Unanswerable:
        return None
    return None if agreement(who.ask, some_of(windows.current[rows])) >= SAME else who


def event_of(timeline: "Timeline", asked: Any) -> "Event":
    """Find an event of a timeline by its name or description, or a part of them.

    Raises
    ------
    InvalidCase
        If none, or more than one, is meant.
    """
    names = [name_of(one) for one in timeline.events]
    wanted = str(asked).casefold()
    exact = [
        one
        for one, name in zip(timeline.events, names, strict=True)
        if wanted in (name.casefold(), one.what.casefold())
    ]
    found = exact or [
        one for one, name in zip(timeline.events, names, strict=True) if wanted in f"{name} {one.what}".casefold()
    ]
    if len(found) == 1:
        return found[0]
    what = f"{'no event' if not found else f'{len(found)} events'} on the timeline called {str(asked)[:80]!r}"
    hint = did_you_mean(str(asked), names) if not found else "say more of it"
    raise InvalidCase.because(what, place="without_event", hint=hint)


# --- an earlier alert ------------------------------------------------------------------------------------------------


def alerted(
    windows: Windows, faults: Faults, *, contained: datetime, earlier: timedelta, rng: np.random.Generator
) -> Intervention:
    """Intervention: alert and containment earlier, with all broken columns repaired in the rows since then.

    Raises
    ------
    InvalidCase
        If it would have come no earlier.
    Unanswerable
        If no row lies in that time, or there is no outcome model.
    """
    if earlier <= timedelta():
        hint = "give how much earlier, such as timedelta(days=7)"
        raise InvalidCase.because(f"earlier must be longer than 0, got {earlier}", place="earlier", hint=hint)
    rows = _from(windows, contained - earlier) & ~_after(windows, contained)
    if not rows.any():
        raise Unanswerable(
            WHAT_IF_QUESTION, "no row of the current window lies in the time that an earlier alert would save"
        )
    broken = [fault.column for fault in faults.broken]
    if not broken:
        raise Unanswerable(WHAT_IF_QUESTION, "no column broke that containment could have made whole")
    who = answerer(windows, faults.columns, columns=broken, rng=rng)
    seats = [fault for fault in faults.broken if fault.column in who.ask.features]
    if not seats:
        raise Unanswerable(WHAT_IF_QUESTION, "no column that broke has a part in what was decided")
    told = "containment had come as long after the alert, and what broke had been whole from then on"
    said = f"the alert come {_length(earlier)} earlier"
    return _mended(windows, faults, seats, who=who, said=said, rows=rows, told=(told,))


def _length(span: timedelta) -> str:
    days = span / timedelta(days=1)
    return f"{days:g} days" if days >= 1 else f"{span / timedelta(hours=1):g} hours"


def _after(windows: Windows, at: datetime) -> Mask:
    if windows.roles.time is None:
        raise Unanswerable(WHAT_IF_QUESTION, "the rows have no time, so that it is not known which came later")
    return np.asarray(windows.current[windows.roles.time] >= pd.Timestamp(at))


def _from(windows: Windows, at: datetime) -> Mask:
    rows = _after(windows, at)
    if not rows.any():
        raise Unanswerable(WHAT_IF_QUESTION, f"no row of the current window is as late as {at.isoformat()}")
    return rows
