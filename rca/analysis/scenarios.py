"""What could have been otherwise: a column whole, an event that did not happen, a model rolled back, an earlier alert.

Each is put as a scenario: which rows would have met with it, which columns would have been whole, and who would have
answered. Where nothing in the data says what would have been, the reason is told instead.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rca.analysis.arguments import names_of
from rca.analysis.asking import Asker, agreement, asker_of, rule_of
from rca.analysis.column_fault import ColumnFault, hit
from rca.analysis.columns import Mask
from rca.analysis.counterfactual import Scenario
from rca.analysis.events import FOLLOWS, name_of
from rca.analysis.faults import Faults
from rca.analysis.standin import FAITHFUL, stand_in
from rca.analysis.windows import Windows
from rca.errors import InvalidCase, Unanswerable, did_you_mean

if TYPE_CHECKING:
    from rca.record.incident import Event, Timeline

QUESTION = "what would have happened"

SAME = 0.99
"""Share of recorded answers that the model file has to repeat, to count as the model that gave them."""

LOOKED_AT = 4000
"""Rows of which it is asked whether the model file repeats their answers."""

SAME_LABEL = "the label of a row does not hang on what was decided of it"
DONORS = "rows that look alike elsewhere would have had alike values"


def answerer(windows: Windows, faults: Sequence[ColumnFault]) -> Asker:
    """Who can be asked what would have been decided of the current rows: the model on file, or a stand-in.

    Raises
    ------
    Unanswerable
        If nobody can.
    """
    asker = asker_of(windows)
    if asker is not None:
        share = agreement(asker, _some(windows.current))
        if share < SAME:
            why = (
                f"the model on file repeats only {share:.0%} of the answers on record, so that another model gave them"
            )
            raise Unanswerable(QUESTION, why)
        return asker
    stood = stand_in(windows, faults)
    if stood is not None and stood.faithful:
        return stood.asker
    said = "" if stood is None else f", and a stand-in repeats only {min(stood.before, stood.now):.0%} of its answers"
    raise Unanswerable(QUESTION, f"the case has no model that could be asked again{said}")


def _some(rows: pd.DataFrame) -> pd.DataFrame:
    kept = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), LOOKED_AT)).astype(int))
    return rows.iloc[kept]


def _assumed(ask: Asker, faults: Iterable[ColumnFault] = ()) -> tuple[str, ...]:
    """What every scenario assumes."""
    told = [SAME_LABEL]
    if any(not fault.invertible for fault in faults):
        told.append(DONORS)
    if ask.fidelity is not None:
        told.append(f"a stand-in answers as the model does (it repeats {ask.fidelity:.1%} of the variance of answers)")
    return tuple(told)


def scenario_of(windows: Windows, faults: Faults, *, timeline: "Timeline | None", asked: Mapping[str, Any]) -> Scenario:
    """The one scenario that is asked for: `mend`, `without_event`, `rolled_back_at` or `earlier`.

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
        return whole(windows, faults, tuple(dict.fromkeys(names_of(value, place="mend"))))
    if named[0] == "earlier":
        return alerted(windows, faults, contained=_contained(windows, timeline), earlier=_span(value))
    if named[0] == "rolled_back_at":
        said = (
            f"the moment on record as {value}"
            if timeline is not None and value in dict(timeline.moments())
            else str(value)
        )
        return rolled_back(windows, _moment_of(timeline, value), said=said)
    event = value if hasattr(value, "what") else _event(timeline, value)
    return without(windows, faults, event=event, events=timeline.events if timeline is not None else ())


def _contained(windows: Windows, timeline: "Timeline | None") -> datetime:
    """When it was contained, as far as that is on record; else detection, else just after the last row."""
    moments = dict(timeline.moments()) if timeline is not None else {}
    known = next((moments[name] for name in ("contained", "mitigated", "detected") if name in moments), None)
    if known is not None:
        return known  # type: ignore[no-any-return]
    if windows.roles.time is None:
        raise Unanswerable(QUESTION, "the rows have no time, so that it is not known which came later")
    last: datetime = windows.current[windows.roles.time].max().to_pydatetime() + timedelta(microseconds=1)
    return last


def _span(given: Any) -> timedelta:
    hint = "give a span of time, such as timedelta(days=7) or '7 days'"
    try:
        return pd.Timedelta("" if isinstance(given, int | float) else given).to_pytimedelta()
    except (TypeError, ValueError, AttributeError):
        raise InvalidCase.because(f"{str(given)[:60]!r} is no span of time", place="earlier", hint=hint) from None


def _moment_of(timeline: "Timeline | None", given: Any) -> datetime:
    """A moment, or the one that the timeline knows by that name."""
    moments = dict(timeline.moments()) if timeline is not None else {}
    if isinstance(given, str) and given in moments:
        return moments[given]  # type: ignore[no-any-return]
    try:
        found = pd.NaT if isinstance(given, int | float) else pd.Timestamp(given)
    except (TypeError, ValueError):
        found = pd.NaT
    if isinstance(found, pd.Timestamp):
        return (found if found.tzinfo is not None else found.tz_localize("UTC")).to_pydatetime()
    hint = did_you_mean(str(given), moments) if moments else "give a time, such as 2026-05-02T09:10:00Z"
    raise InvalidCase.because(f"{str(given)[:60]!r} is no moment", place="rolled_back_at", hint=hint)


def _event(timeline: "Timeline | None", given: Any) -> "Event":
    from rca.record.incident import Event

    if isinstance(given, datetime) or timeline is None:
        at = _moment_of(None, given)
        return Event(at=at, kind="other", what=f"of {at:%Y-%m-%d %H:%M}")
    return event_of(timeline, given)


# --- a column, whole -------------------------------------------------------------------------------------------------


def whole(windows: Windows, faults: Faults, columns: Sequence[str]) -> Scenario:
    """Some columns had been whole.

    Raises
    ------
    InvalidCase
        If one of them is no column, or none that a model reads.
    Unanswerable
        If nothing is wrong with one of them, or nobody can be asked.
    """
    if not columns:
        raise InvalidCase.because("no column is named", place="mend", hint="name a column that broke")
    seats = [_fault(windows, faults, column) for column in columns]
    ask = answerer(windows, faults.columns)
    rows = _hit(seats, windows)
    names = " and ".join(columns)
    return Scenario(
        said=f"{names} been whole", rows=rows, ask=ask, faults=tuple(seats), assumptions=_assumed(ask, seats)
    )


def _fault(windows: Windows, faults: Faults, column: str) -> ColumnFault:
    if column not in windows.current or column not in windows.reference:
        hint = did_you_mean(column, map(str, windows.reference.columns))
        raise InvalidCase.because(f"no column {column!r} in both windows", place="mend", hint=hint)
    read = windows.model.features if windows.model is not None else ()
    if column not in (*windows.roles.features, *read):
        hint = did_you_mean(column, windows.roles.features)
        raise InvalidCase.because(f"{column!r} is no feature, and cannot be mended", place="mend", hint=hint)
    found = faults.get(column)
    if found is None:
        broken = ", ".join(one.column for one in faults.broken) or "no column did"
        why = f"{column} did not break, so that nothing says what else it should have held (what broke: {broken})"
        raise Unanswerable(QUESTION, why)
    return found


def _hit(faults: Sequence[ColumnFault], windows: Windows) -> Mask:
    none = np.zeros(len(windows.current), dtype=bool)
    return np.asarray(np.logical_or.reduce([none, *(hit(fault, windows.current) for fault in faults)]))


# --- a model, rolled back --------------------------------------------------------------------------------------------


def rolled_back(windows: Windows, at: datetime, *, said: str) -> Scenario:
    """From a moment on, the model that answered in the reference had answered again.

    Raises
    ------
    Unanswerable
        If that model is not known, or no row is as late.
    """
    rows = _from(windows, at)
    ask, note = _former(windows, rows)
    return Scenario(
        said=f"the model been rolled back at {said}", rows=rows, ask=ask, assumptions=(*_assumed(ask), *note)
    )


def _former(windows: Windows, rows: Mask) -> tuple[Asker, tuple[str, ...]]:
    """Who answered in the reference."""
    asker = asker_of(windows)
    if asker is not None and agreement(asker, _some(windows.reference)) >= SAME:
        also = agreement(asker, _some(windows.current[rows])) >= SAME
        told = "the model on file gave the answers on record then, too: there was no other to go back to"
        return asker, (told,) if also else ()
    stood = stand_in(replace(windows, model=None))
    rule = rule_of(windows)
    if rule is not None and stood is not None and stood.same and agreement(rule, windows.reference) >= SAME:
        return rule, ("the scores on record are those that would have been given",)
    if stood is not None and stood.before >= FAITHFUL:
        return replace(stood.asker, fidelity=stood.before), ()
    raise Unanswerable(
        QUESTION, "no model that gave the answers of the reference is on file, and no stand-in repeats them"
    )


# --- an event that did not happen ------------------------------------------------------------------------------------


def without(windows: Windows, faults: Faults, *, event: "Event", events: "Iterable[Event]") -> Scenario:
    """An event had not happened: what broke between it and the next had been whole, and the model had not changed.

    Raises
    ------
    Unanswerable
        If it lies outside the data, or nothing that could be undone began with it.
    """
    rows = _from(windows, event.at)
    others = [one.at for one in events if one.at > event.at and one.kind.casefold() not in FOLLOWS]
    seats = tuple(fault for fault in faults.broken if _began(windows, fault, at=event.at, others=others))
    touched = _hit(seats, windows) & rows
    told = tuple(f"{fault.column} broke because of the event, as it broke after it" for fault in seats)
    former = _changed_model(windows, event, rows)
    if former is not None:
        told = (*told, "the model answers otherwise because of the event")
        touched = rows
    if not seats and former is None:
        why = f"nothing that could be undone began with {name_of(event)!r}"
        raise Unanswerable(QUESTION, why)
    ask = former or answerer(windows, faults.columns)
    assumed = (*told, *_assumed(ask, seats))
    return Scenario(
        said=f"the event {name_of(event)!r} not happened", rows=touched, ask=ask, faults=seats, assumptions=assumed
    )


def _began(windows: Windows, fault: ColumnFault, *, at: datetime, others: Sequence[datetime]) -> bool:
    """Whether an event lies where a column can have begun to break, or was the last before it did."""
    times = windows.current[str(windows.roles.time)]
    first, last = fault.since_interval or (fault.since, fault.since)
    before = times.iloc[first - 1] if first > 0 else windows.reference[str(windows.roles.time)].max()
    latest, began = (times.iloc[min(row, len(times) - 1)] for row in (last, fault.since))
    inside = before < at <= latest
    return bool(inside or (at <= began and not any(one <= began for one in others)))


def _changed_model(windows: Windows, event: "Event", rows: Mask) -> Asker | None:
    """The model of the reference, where an event changed the system that answers and its answers with it."""
    if event.system is None or event.system.casefold() != windows.model_name.casefold():
        return None
    try:
        asker, note = _former(windows, rows)
    except Unanswerable:
        return None
    return None if note or agreement(asker, _some(windows.current[rows])) >= SAME else asker


def event_of(timeline: "Timeline", asked: Any) -> "Event":
    """An event of a timeline by what it says, or a part of that.

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


def alerted(windows: Windows, faults: Faults, *, contained: datetime, earlier: timedelta) -> Scenario:
    """The alert had come earlier, and with it containment: what broke had been whole in the rows since then.

    Raises
    ------
    InvalidCase
        If it would have come no earlier.
    Unanswerable
        If no row lies in that time, or nobody can be asked.
    """
    if earlier <= timedelta():
        hint = "give how much earlier, such as timedelta(days=7)"
        raise InvalidCase.because(f"{earlier} is no time by which an alert comes earlier", place="earlier", hint=hint)
    rows = _from(windows, contained - earlier) & ~_after(windows, contained)
    if not rows.any():
        raise Unanswerable(QUESTION, "no row of the current window lies in the time that an earlier alert would save")
    ask = answerer(windows, faults.columns)
    seats = tuple(fault for fault in faults.broken if fault.column in ask.features)
    if not seats:
        raise Unanswerable(QUESTION, "no column broke that containment could have made whole")
    told = "containment had come as long after the alert, and what broke had been whole from then on"
    return Scenario(
        said=f"the alert come {_length(earlier)} earlier",
        rows=_hit(seats, windows) & rows,
        ask=ask,
        faults=seats,
        assumptions=(told, *_assumed(ask, seats)),
    )


def _length(span: timedelta) -> str:
    days = span / timedelta(days=1)
    return f"{days:g} days" if days >= 1 else f"{span / timedelta(hours=1):g} hours"


def _after(windows: Windows, at: datetime) -> Mask:
    if windows.roles.time is None:
        raise Unanswerable(QUESTION, "the rows have no time, so that it is not known which came later")
    return np.asarray(windows.current[windows.roles.time] >= pd.Timestamp(at))


def _from(windows: Windows, at: datetime) -> Mask:
    rows = _after(windows, at)
    if not rows.any():
        raise Unanswerable(QUESTION, f"no row of the current window is as late as {at.isoformat()}")
    return rows
