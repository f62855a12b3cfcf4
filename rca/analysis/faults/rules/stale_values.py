"""Values that come too late, by rows, readings, days or months."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import READINGS, ROWS, ColumnFault
from rca.analysis.faults.cross_column_prediction import (
    Design,
    Late,
    relation,
)
from rca.analysis.faults.fault_onset import fault_onset
from rca.analysis.faults.rule import FaultRule, Scene
from rca.analysis.faults.rules.outcome_history import follows_outcomes, off_its_outcomes
from rca.analysis.faults.stale_rows import TELLS, as_told, late_rows, lost, mispaired, single_precision
from rca.arrays import Floats, Mask, Places
from rca.methods.changepoint.dating import ChangePoint, change_point
from rca.tables.calendar import Calendar, spans
from rca.tables.column_pair import ColumnPair
from rca.tables.columns import as_labels

PERIODS = {"Q": "quarters", "M": "months", "W": "weeks", "D": "days", "h": "hours"}
"""Spans of time within which a column may hold one value, the longest first, as pandas spells them."""

CONSTANT = 0.99
"""Share of the reference rows that hold the value of their period, from which a column is a function of time."""

SERIES = 6
"""Periods, in each window, below which a series is none."""

VARIED = 3
"""Different values that have to come again, to be more than a coincidence."""

AGAIN = 0.9
"""Share of periods, or of entities, that repeat an earlier value, from which they are late."""

USUAL = 0.5
"""Share above which a column comes to the same values again anyway, as a season does."""

ENTITIES = 30
"""Entities below which their readings are not compared."""

HELD, MIN_HELD = 0.02, 50
"""Share of readings that hold the last value before the window, beyond those that do anyway, from which they are late;
and readings below which nothing is said."""

FARTHEST = 400
"""Rows by which a column may be out of step."""

MADE_UP = 2 / 3
"""Share of the correlation lost in the row itself that has to be found again some rows before."""

MIN_STANDARD_ERRORS = 5.0
"""Standard errors by which a lag has to be better than none."""


def stale(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Name a column that lags: along the calendar, along the readings of an entity, or along the rows.

    Returns
    -------
    ColumnFault or None
        With its lag. Along the calendar the lag is that at which values come again in the order in which they came
        before, or at which they fit what the other columns say of that time.
    """
    late, name = scene.late, pair.name
    if late is None:
        return None
    found = _by_calendar(late, name) if late.time is not None else None
    if found is None and late.whose is not None and name != late.entity:
        found = _by_reading(late, name, late.whose)
    return found or _by_row(late, name)


# -- the calendar ------------------------------------------------------------------------------------------------------


def _by_calendar(late: Late, name: str) -> ColumnFault | None:
    codes = _codes(late.reference[name])
    for period in PERIODS:
        calendars = late.calendars(period)
        if not _is_series(calendars[0], codes):
            continue
        series = [_series(*one) for one in zip(calendars, (late.reference[name], late.current[name]), strict=True)]
        if min(map(len, series)) >= SERIES and series[0].nunique() >= SERIES:
            periods = calendars[1].spans
            some = late_rows(series[0], periods, late.current[name]) if not _seasonal(series[0]) else None
            if some is not None:
                return _in_some_rows(late, name, period, told=some)
            return _repeated(late, name, period, series=series, periods=periods) or _out_of_step(
                late, name, period, series=series[1], periods=periods
            )
    return None


def _codes(values: "pd.Series[Any]") -> Places:
    """Equal codes for values that are told alike; -1 where missing."""
    return np.asarray(pd.factorize(as_told(values) if values.dtype == object else single_precision(values))[0])


def _series(calendar: Calendar, values: "pd.Series[Any]") -> "pd.Series[Any]":
    """The first value of each period, as text."""
    periods = calendar.spans.to_numpy()
    known = np.flatnonzero((periods >= 0) & values.notna().to_numpy())
    told, first = np.unique(periods[known], return_index=True)
    return pd.Series(as_told(values.iloc[known[first]]), index=told, dtype=object)


def _is_series(calendar: Calendar, codes: Places) -> bool:
    """Whether all rows of a period hold one value, and there are rows enough to say so."""
    known = (calendar.spans.to_numpy() >= 0) & (codes >= 0)
    if known.all():
        return len(codes) >= 2 * len(calendar.numbers) and _alike(codes, calendar.first[calendar.place], len(codes))
    at = np.flatnonzero(known)
    _, first, place = np.unique(calendar.place[at], return_index=True, return_inverse=True)
    return len(codes) >= 2 * len(first) and _alike(codes[at], first[place], len(codes))


def _alike(codes: Places, first: Places, rows: int) -> bool:
    """Whether nearly all of some rows hold the value of the first row of their period."""
    return bool((codes[first] == codes).sum() >= CONSTANT * rows)


def _in_some_rows(late: Late, name: str, period: str, *, told: tuple[int, tuple[tuple[int, str], ...]]) -> ColumnFault:
    """The fault of rows that hold an earlier value beside those that hold their period's own."""
    lag, aside = told
    found = _named(late, name, lag, period=period, evidence="", since=0)
    found = replace(found, late_values=aside)
    share = float(_is_late(found, late.current).mean())
    said = f"{share:.0%} of the rows hold the value of {lag} {PERIODS[period]} before, the others that of their own"
    return replace(found, share=share, evidence=said)


def _repeated(
    late: Late, name: str, period: str, *, series: list["pd.Series[Any]"], periods: "pd.Series[Any]"
) -> ColumnFault | None:
    """The lag at which a run of values comes again that came before."""
    before, now = series
    known = pd.concat([before, now[~now.index.isin(before.index)]])
    best: tuple[int, int, int] | None = None
    for lag in range(1, int(now.index.max() - before.index.min()) + 1):
        run = _run(known, now, lag)
        if run is not None and (best is None or run[1] > best[1]):
            best = (run[0], run[1], lag)
    if best is None or _seasonal(before):
        return None
    start, length, lag = best
    since = int(np.argmax(periods.to_numpy() >= start))
    said = f"{length} {PERIODS[period]} on end hold the values of {lag} {PERIODS[period]} before"
    found = _named(late, name, lag, period=period, evidence=said, since=since)
    again = now[now.index >= start].iloc[:length]
    if again.index[-1] == now.index[-1] or length >= lag:
        return found
    values = tuple((int(at), str(value)) for at, value in zip(again.index, again, strict=True))
    found = replace(found, late_values=values, since=0)
    return replace(found, share=float(_is_late(found, late.current).mean()))


def _run(known: "pd.Series[Any]", now: "pd.Series[Any]", lag: int) -> tuple[int, int] | None:
    """First period and length of the longest run that repeats what was `lag` periods before; None if too short."""
    earlier = known.reindex(now.index - lag)
    same = (earlier.to_numpy(dtype=object) == now.to_numpy(dtype=object)) & earlier.notna().to_numpy()
    starts = np.flatnonzero(same & ~np.r_[False, same[:-1]])
    ends = np.flatnonzero(same & ~np.r_[same[1:], False]) + 1
    if not len(starts):
        return None
    longest = int(np.argmax(ends - starts))
    run = slice(starts[longest], ends[longest])
    whole = min(lag, len(now) - int(starts[longest]))
    long_enough = (ends - starts)[longest] >= max(SERIES // 2, AGAIN * (whole - _unknown(earlier, run)))
    passing = now.iloc[run].nunique() >= SERIES
    if not (long_enough or passing) or now.iloc[run].nunique() < VARIED:
        return None
    return int(now.index[run.start]), int(run.stop - run.start)


def _unknown(earlier: "pd.Series[Any]", run: slice) -> int:
    """Periods after a run whose earlier value is not on record."""
    return int(earlier.iloc[run.stop :].isna().sum())


def _seasonal(series: "pd.Series[Any]") -> bool:
    """Whether a series comes to values that it had some fixed time before, where nothing is wrong."""
    values, index = series.to_numpy(dtype=object), series.index
    new = np.r_[False, values[1:] != values[:-1]]
    for lag in range(2, len(series) // 2 + 1):
        earlier = series.reindex(index - lag)
        known = new & earlier.notna().to_numpy()
        if known.sum() >= VARIED and (earlier.to_numpy(dtype=object) == values)[known].mean() > USUAL:
            return True
    return False


def _out_of_step(
    late: Late, name: str, period: str, *, series: "pd.Series[Any]", periods: "pd.Series[Any]"
) -> ColumnFault | None:
    """The lag after which a column fits what the other columns say of its time, far better than it does at once."""
    if not _tells(late, name):
        return None
    said, _ = late.witness.said[1].of(name)
    numbers = pd.Series(pd.to_numeric(series, errors="coerce"), index=series.index)
    scaled = pd.Series(late.witness.ranks(name, numbers.to_numpy(float)), index=series.index)
    own = _gap(said, scaled, periods)
    fits = {
        lag: _better(own - _gap(said, scaled, periods + lag), periods) for lag in range(1, len(series) - SERIES + 1)
    }
    lag = max(fits, key=lambda one: fits[one], default=0)
    if not lag or fits[lag] < MIN_STANDARD_ERRORS:
        return None
    gain = own - _gap(said, scaled, periods + lag)
    since = change_point(np.where(np.isfinite(gain), gain, 0.0), 0.0)
    words = f"they fit what the other columns say of {lag} {PERIODS[period]} before, and not of their own time"
    return _named(late, name, lag, period=period, evidence=words, since=since.at if since else 0)


def _gap(said: Floats, series: "pd.Series[Any]", periods: "pd.Series[Any]") -> Floats:
    """Squared difference of what is said of each row and the series at its period; NaN where it has none."""
    return np.asarray((said - series.reindex(periods).to_numpy(float)) ** 2)


def _better(gain: Floats, periods: "pd.Series[Any]") -> float:
    """How many standard errors, over periods, a gain is above zero."""
    each = pd.Series(gain).groupby(periods.to_numpy()).mean().dropna()
    if len(each) < SERIES or not each.std():
        return 0.0
    return float(each.mean() / each.std() * np.sqrt(len(each)))


def _tells(late: Late, name: str) -> bool:
    """Whether the other columns predict a column in the reference, and no longer do."""
    if name not in late.witness.places:
        return False
    (before, error), (after, _) = (said.relation(name) for said in late.witness.said)
    return before >= max(TELLS, MIN_STANDARD_ERRORS * error) and after < before - 0.02


# -- readings and rows -------------------------------------------------------------------------------------------------


def _by_reading(late: Late, name: str, who: "Sequence[pd.Series[Any]]") -> ColumnFault | None:
    """Readings that hold the last one before the window; first ones that do, where all are one too late."""
    if min(one.nunique() for one in who) < ENTITIES:
        return None
    labels = [pd.Series(as_told(rows[name]), dtype=object) for rows in (late.reference, late.current)]
    last, first = labels[0].groupby(who[0]).last(), labels[1].groupby(who[1]).first()
    both = last.index.intersection(first.index)
    again = labels[0].groupby(who[0]).shift(1)
    usual = float((again == labels[0])[again.notna()].mean()) if again.notna().any() else 0.0
    if len(both) < ENTITIES or usual > USUAL:
        return None
    held = _held(late, name, last=last, who=who, labels=labels, usual=usual)
    repeated = float((last[both] == first[both]).mean())
    if held is not None or repeated < AGAIN:
        return held
    words = f"{repeated:.0%} of the first readings repeat the last one before, {usual:.0%} of readings did"
    return _named(late, name, 1, period=READINGS, evidence=words, since=0)


def _held(
    late: Late,
    name: str,
    *,
    last: "pd.Series[Any]",
    who: "Sequence[pd.Series[Any]]",
    labels: "Sequence[pd.Series[Any]]",
    usual: float,
) -> ColumnFault | None:
    """Readings that hold their entity's last value of the reference, more of them than come to one again anyway.

    Other entities' last values say how often a reading is equal by chance.
    """
    again, others = who[1].map(last), who[1].map(pd.Series(np.roll(last.to_numpy(), len(last) // 2), index=last.index))
    later = again.notna() & (who[1].groupby(who[1]).cumcount() > 0)
    if later.sum() < MIN_HELD:
        return None
    share, chance = (float((labels[1] == told)[later].mean()) for told in (again, others))
    expected = max(usual, chance)
    error = np.sqrt(max(share * (1 - share), expected * (1 - expected), 1 / later.sum()) / later.sum())
    if share - expected < max(HELD, MIN_STANDARD_ERRORS * error):
        return None
    values = tuple((str(one), str(value)) for one, value in last.items() if isinstance(value, str))
    words = f"{share:.0%} of the readings hold the last one before the window, {expected:.0%} would anyway"
    found = replace(_named(late, name, 0, period=READINGS, evidence=words, since=0), late_values=values)
    shown = _is_late(found, late.current)
    since = fault_onset(shown.astype(float), expected) or ChangePoint(at=0, earliest=0, latest=0)
    share = float(shown[since.at :].sum() / len(shown))
    return replace(found, share=share, since=since.at, since_interval=(since.earliest, since.latest))


def _by_row(late: Late, name: str) -> ColumnFault | None:
    """The number of rows by which a column is out of step with the columns that used to go with it.

    What it lost beside the others of its own row has to come again beside those of earlier rows, by as much as it did
    not go with them anyway; rows that hold a season do.
    """
    if not _tells(late, name):
        return None
    both = [said.of(name) for said in late.witness.said]
    usual, strength = (_lagged(*one) for one in both)
    reach = min(len(usual), len(strength))
    gained = (strength[:reach] - usual[:reach])[1:]
    lag = 1 + int(np.argmax(gained)) if len(gained) else 0
    chance = MIN_STANDARD_ERRORS / np.sqrt(max(len(both[1][0]) - lag, 1))
    if not lag or gained[lag - 1] < max(MADE_UP * (usual[0] - strength[0]), chance):
        return None
    since = _out_since(*both[1], lag)
    struck = both[1][0][since:], both[1][1][since:]
    late_ones = _lagged(*struck)
    if lost(both[0], struck, (relation(*both[0]), relation(*struck)), errors=MIN_STANDARD_ERRORS) is None:
        return None
    if len(late_ones) <= lag or late_ones[lag] < MADE_UP * usual[0]:
        return None
    words = f"they go with the other columns of {lag} rows before, and not with their own"
    return _named(late, name, lag, period=ROWS, evidence=words, since=since)


def _out_since(said: Floats, has: Floats, lag: int) -> int:
    """First row from which values fit what is said of earlier rows better than what is said of their own."""
    fits = (said[lag:] - has[lag:]) ** 2 - (said[:-lag] - has[lag:]) ** 2
    found = change_point(fits, -abs(float(fits.mean())))
    return found.at if found is not None else 0


def _lagged(said: Floats, has: Floats) -> Floats:
    """Correlation of what is said of row i with what row ``i + lag`` has, for lags from 0 on."""
    from scipy.signal import fftconvolve

    one, other = ((values - values.mean()) / max(float(values.std()), 1e-9) for values in (said, has))
    sums = fftconvolve(other, one[::-1])[len(one) - 1 :]
    reach = min(FARTHEST, len(one) // 4)
    return np.asarray(sums[: reach + 1] / (len(one) - np.arange(reach + 1)))


def _named(late: Late, name: str, lag: int, *, period: str, evidence: str, since: int) -> ColumnFault:
    rows = len(late.current)
    by = {ROWS: None, READINGS: late.entity}.get(period, late.time)
    return ColumnFault(
        column=name,
        fault="stale",
        share=(rows - since) / rows,
        evidence=evidence,
        lag=lag,
        period=period,
        by=by,
        since=since,
    )


# -- the rule ----------------------------------------------------------------------------------------------------------


def _with_mispaired(found: Sequence[ColumnFault], scene: Scene) -> list[ColumnFault]:
    """The faults found so far, and of the columns without one those whose values stand in the wrong rows."""
    sound = [name for name in scene.names if all(row.column != name for row in found)]
    if scene.late is not None:
        return [*found, *mispaired(scene.late.witness.design, sound)]
    return [*found, *mispaired(Design.of(scene.reference, scene.current, sound, codes=scene.codes), sound)]


def _arrived(fault: ColumnFault, rows: pd.DataFrame) -> "pd.Series[Any]":
    """The value that each row should have had, from the row, reading or period in which it arrived."""
    values = rows[fault.column]
    if fault.by is None:
        return values.shift(-fault.lag)
    if fault.period == READINGS:
        return values.groupby(as_labels(rows[fault.by])).shift(-fault.lag)
    periods = spans(rows[fault.by], fault.period)
    if fault.late_values:
        own = values.mask(_is_late(fault, rows)).groupby(periods).first()
        return pd.Series(own.reindex(periods).to_numpy(), index=values.index)
    known = values.groupby(periods).first()
    return pd.Series(known.reindex(periods + fault.lag).to_numpy(), index=values.index)


def _held_before(fault: ColumnFault, rows: pd.DataFrame) -> "pd.Series[Any]":
    """The value that each sound row would hold, came it too late; missing where the rows do not reach back so far."""
    return _arrived(replace(fault, lag=-fault.lag, late_values=()), rows)


def _is_late(fault: ColumnFault, rows: pd.DataFrame) -> Mask:
    """Rows that hold the late value of their period."""
    by = rows[fault.by]
    whose = pd.Series(as_labels(by), index=by.index) if fault.period == READINGS else spans(by, fault.period)
    due = whose.map(dict(fault.late_values))
    return np.asarray(due.notna() & (due.to_numpy(dtype=object) == as_told(rows[fault.column])), dtype=bool)


STALE = FaultRule(
    kind="stale",
    clause="{name} came too late",
    check="its age",
    detect={"by_time": off_its_outcomes, "by_relation": stale},
    sound=follows_outcomes,
    across=_with_mispaired,
    affected=_is_late,
    undo=lambda fault, rows, wrong: rows[fault.column].where(~wrong, _arrived(fault, rows)),
    undoable=lambda fault, rows: _arrived(fault, rows).notna().to_numpy(),
    rehearse=_held_before,
)
