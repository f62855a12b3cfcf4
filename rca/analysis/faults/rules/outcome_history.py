"""A column computed from the outcomes about a row, as the last one or a mean of the last three, that no longer is.

Of a column that was a sum of outcomes of the steps about it, each row says what it should hold, as long as outcomes
come in. Where they say what it held some steps before, it came too late; where it is a multiple of what they say, its
gain drifted or its unit changed; and where it still follows them it is sound, however far both have moved.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import READINGS, ROWS, ColumnFault
from rca.analysis.faults.cross_column_prediction import BLOCKS, Late
from rca.analysis.faults.fault_onset import fault_onset
from rca.analysis.faults.rule import Scene
from rca.analysis.faults.rules.unit_change import HUGE
from rca.arrays import Floats, Places
from rca.tables.column_pair import ColumnPair
from rca.tables.columns import as_numbers

STEPS = range(-2, 9)
"""Steps by which the outcomes that a column is computed from lie before it; a centred mean also knows later ones."""

COPIED, LOOKED_AT = 400, 400
"""Steps up to which a column may repeat one outcome, as that of a day or a week before; and rows that tell which."""

FARTHEST = 48
"""Steps by which it may come too late."""

EXACT = 0.999
"""Share of its variance that outcomes tell in rows that did not teach it, from which a column is computed from them."""

MIN_ROWS = 60
"""Rows of either window that outcomes have to tell of."""

REGULAR = 0.5
"""Share of the steps in time that are of one length, from which the series goes by time; else it goes by rows."""

KEPT = 0.99
"""Share of the rows that follow outcomes as before, from which a column is sound."""

NEARLY_ALL = 0.9
"""Share of the rows hit that one explanation has to tell."""

NEAR = 0.1
"""How far, as a part of the change itself, rows may lie from one factor, line or constant: the median of them."""

LENGTHS = {"h": 3600.0, "D": 86_400.0, "W": 604_800.0}
"""Steps that the calendar has a name for, in seconds."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Outcomes:
    """Outcomes as series along time, one of each entity, and where the rows of both windows lie in them.

    Attributes
    ----------
    keys, values : ndarray of shape (outcomes,)
        Ascending places in the series, and the outcome there.
    places : (ndarray, ndarray)
        Of the rows of both windows; below 0 where a row has none.
    period : str
        What one step is, as `ColumnFault.period` has it.
    about : (ndarray, ndarray)
        The outcomes of `STEPS` before each row, of shape (rows, steps), and a one; NaN where one is not on record.
    copied : (ndarray of int, ndarray)
        Some rows of the reference, and the outcomes of up to `COPIED` steps before them, of shape (rows, steps).
    """

    keys: Places
    values: Floats
    places: tuple[Places, Places]
    period: str
    about: tuple[Floats, Floats]
    copied: tuple[Places, Floats]

    @classmethod
    def of(cls, late: Late) -> Self | None:
        """None where rows have no order, or several share a place."""
        if late.time is None or late.outcome is None:
            return None
        windows = late.reference, late.current
        moments, outcomes = (
            np.concatenate([read(rows[name]) for rows in windows])
            for read, name in ((_seconds, late.time), (as_numbers, late.outcome))
        )
        whose = _whose(late)
        places, period = _places(moments, whose)
        known = np.flatnonzero((places >= 0) & np.isfinite(outcomes))
        keys, first = np.unique(places[known], return_index=True)
        if len(known) < 2 * MIN_ROWS or len(keys) < KEPT * len(known):
            return None
        values, cut = outcomes[known[first]], len(late.reference)
        about = np.stack([_looked_up(keys, values, places - step) for step in STEPS] + [np.ones(len(places))], axis=1)
        some = np.linspace(0, cut - 1, min(cut, LOOKED_AT)).astype(np.intp)
        lags = np.arange(max(STEPS) + 1, COPIED + 1)
        return cls(
            keys=keys,
            values=values,
            places=(places[:cut], places[cut:]),
            copied=(some, _looked_up(keys, values, places[some][:, None] - lags)),
            period=READINGS if whose.any() and period == ROWS else period,
            about=(about[:cut], about[cut:]),
        )


def _seconds(times: "pd.Series[Any]") -> Floats:
    moments = pd.DatetimeIndex(pd.to_datetime(times, utc=True, errors="coerce")).tz_localize(None)
    return as_numbers(pd.Series(moments))


def _whose(late: Late) -> Places:
    """A number for each entity, of the rows of both windows; all zero where next to every row is of another."""
    if late.whose is None:
        return np.zeros(len(late.reference) + len(late.current), dtype=np.int64)
    codes, names = pd.factorize(pd.concat([late.whose[0], late.whose[1]], ignore_index=True))
    return np.asarray(codes if len(names) <= len(codes) / 2 else np.zeros(len(codes)), dtype=np.int64)


def _places(moments: Floats, whose: Places) -> tuple[Places, str]:
    """Where each row lies in its series, -1 where it has no time, and what one step is."""
    places = np.full(len(moments), -1, dtype=np.int64)
    known = np.flatnonzero(np.isfinite(moments))
    order = known[np.lexsort((moments[known], whose[known]))]
    gaps = np.diff(moments[order])[np.diff(whose[order]) == 0]
    lengths, counts = np.unique(gaps[gaps > 0], return_counts=True)
    if not len(lengths):
        return places, ROWS
    step, regular = float(lengths[np.argmax(counts)]), counts.max() >= REGULAR * counts.sum()
    if regular:
        laid = (moments[order] - moments[order].min()) / step
        on = np.abs(laid - np.rint(laid)) < 1e-6
        order, at = order[on], np.rint(laid[on]).astype(np.int64)
    else:
        begins = np.r_[True, np.diff(whose[order]) != 0]
        at = np.arange(len(order)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
    span = int(at.max(initial=0)) + 2 * COPIED
    places[order] = whose[order] * span + at + COPIED
    named = {seconds: period for period, seconds in LENGTHS.items()} if regular and not whose.any() else {}
    return places, named.get(step, ROWS)


def _looked_up(keys: Places, values: Floats, places: Places) -> Floats:
    at = np.minimum(np.searchsorted(keys, places), len(keys) - 1)
    return np.where(keys[at] == places, values[at], np.nan)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Computed:
    """A column that was computed from outcomes: what they say of each row, and how far from it a sound one lies."""

    column: str
    outcomes: _Outcomes
    told: tuple[Floats, Floats]
    has: tuple[Floats, Floats]
    tolerance: float

    def wrong(self, window: int) -> Floats:
        """1 for rows that do not hold what outcomes say, 0 for those that do, NaN for those of which none tells."""
        off = np.abs(self.has[window] - self.told[window])
        return np.where(np.isfinite(off), (off > self.tolerance).astype(float), np.nan)

    def before(self, steps: int) -> Floats:
        """What the outcomes said some steps before each current row."""
        places = np.concatenate(self.outcomes.places)
        known = np.flatnonzero(np.isfinite(told := np.concatenate(self.told)) & (places >= 0))
        keys, first = np.unique(places[known], return_index=True)
        return _looked_up(keys, told[known[first]], self.outcomes.places[1] - steps)


def _computed(pair: ColumnPair, scene: Scene) -> _Computed | None:
    """How a column is computed from outcomes: learnt on every other block of the reference, held against the rest."""
    late = scene.late
    if late is None or not pair.ordered or pair.name == late.outcome:
        return None
    outcomes = scene.once("outcomes about the rows", lambda: _Outcomes.of(late))
    if outcomes is None:
        return None
    return scene.once(f"{pair.name} by outcomes", lambda: _learnt(outcomes, pair))


def _learnt(outcomes: _Outcomes, pair: ColumnPair) -> _Computed | None:
    has = pair.numbers
    known = [np.isfinite(about).all(axis=1) & np.isfinite(one) for about, one in zip(outcomes.about, has, strict=True)]
    if min(int(one.sum()) for one in known) < MIN_ROWS:
        return None
    if max(np.nanmax(np.abs(one), initial=0.0) for one in (*outcomes.about, *(v[np.isfinite(v)] for v in has))) > HUGE:
        return None
    about, values = outcomes.about[0][known[0]], has[0][known[0]]
    taught = np.arange(len(values)) * BLOCKS // len(values) % 2 == 0
    weights = np.linalg.lstsq(about[taught], values[taught], rcond=None)[0]
    left, spread = np.abs(values - about @ weights)[~taught], float(values[~taught].var())
    told = [one @ weights for one in outcomes.about]
    if spread and float((left**2).mean()) > (1 - EXACT) * spread:
        steps = _copied(outcomes, has[0])
        told = [_looked_up(outcomes.keys, outcomes.values, one - steps) for one in outcomes.places] if steps else []
        left = np.zeros(1)
    if not spread or not told:
        return None
    tolerance = max(2 * float(np.quantile(left, KEPT)), 1e-6 * float(np.abs(values).max()))
    return _Computed(column=pair.name, outcomes=outcomes, told=(told[0], told[1]), has=has, tolerance=tolerance)


def _copied(outcomes: _Outcomes, has: Floats) -> int:
    """How many steps before lies the one outcome that a column repeats; 0 where it repeats none."""
    some, earlier = outcomes.copied
    same, known = earlier == has[some][:, None], np.isfinite(earlier) & np.isfinite(has[some])[:, None]
    counts = known.sum(axis=0)
    shares = np.where(counts >= MIN_ROWS / 2, (same & known).sum(axis=0) / np.maximum(counts, 1), 0.0)
    lag = int(np.argmax(shares))
    return max(STEPS) + 1 + lag if shares[lag] >= KEPT and len(np.unique(has[some])) > MIN_ROWS / 10 else 0


def follows_outcomes(pair: ColumnPair, scene: Scene) -> bool:
    """Whether a column is computed from outcomes, and nearly all current rows hold what these say."""
    found = _computed(pair, scene)
    return found is not None and float(np.nanmean(found.wrong(1))) <= 1 - KEPT


def off_its_outcomes(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Name what became of a column that was computed from outcomes: it is late, or a multiple of them, or beside them.

    Returns
    -------
    ColumnFault or None
        `stale`, `scaled` or `shifted`, of all rows from one on. None where less than that explains the rows hit.

    Examples
    --------
    >>> y = np.random.default_rng(0).gamma(2, 10, 2001).round()
    >>> rows = pd.DataFrame({"at": pd.date_range("2026-01-01", periods=2000, freq="h"), "y": y[1:], "last": y[:-1]})
    >>> before, after = rows[:1000], rows[1000:].reset_index(drop=True)
    >>> after["last"] = after["last"].shift(3)
    >>> late = Late(reference=before, current=after, time="at", entity=None, outcome="y", witness=None)
    >>> names = {"names": ("last",), "moved": frozenset(), "codes": frozenset()}
    >>> scene = Scene(reference=before, current=after, ordered=True, late=late, **names)
    >>> print(off_its_outcomes(scene.pair("last"), scene))
    last: stale (they hold what the outcomes said 3 hours before, and not what these say of their own row)
    """
    found = _computed(pair, scene)
    if found is None or scene.late is None or follows_outcomes(pair, scene):
        return None
    wrong = found.wrong(1)
    told = np.flatnonzero(np.isfinite(wrong))
    since = fault_onset(wrong[told], float(np.nanmean(found.wrong(0))))
    if since is None or wrong[told[since.at :]].mean() < NEARLY_ALL / 2:
        return None
    hit = told[since.at :]
    fault = _late(found, hit, scene.late) or _changed(found, hit)
    if fault is None:
        return None
    begin, *interval = (0 if at == 0 else int(told[at]) for at in (since.at, since.earliest, since.latest))
    rows = len(scene.current)
    return replace(fault, since=begin, since_interval=(interval[0], interval[1]), share=(rows - begin) / rows)


def _late(found: _Computed, hit: Places, late: Late) -> ColumnFault | None:
    """How many steps too late most rows hit are that outcomes tell of."""
    period = found.outcomes.period

    def fits(steps: int) -> tuple[float, int]:
        off = np.abs(found.has[1][hit] - found.before(steps)[hit])
        known = off[np.isfinite(off)]
        return (float((known <= found.tolerance).mean()), -steps) if len(known) >= MIN_ROWS // 2 else (0.0, 0)

    share, steps = max(fits(steps) for steps in range(1, FARTHEST + 1))
    if share < NEARLY_ALL:
        return None
    unit = {"h": "hours", "D": "days", "W": "weeks", READINGS: "readings"}.get(period, "rows")
    words = f"they hold what the outcomes said {-steps} {unit} before, and not what these say of their own row"
    by = {ROWS: None, READINGS: late.entity}.get(period, late.time)
    return ColumnFault(column=found.column, fault="stale", share=1.0, evidence=words, lag=-steps, period=period, by=by)


def _changed(found: _Computed, hit: Places) -> ColumnFault | None:
    """The factor, the line of factors, or the constant that the rows hit are from what outcomes say of them."""
    told, has = found.told[1][hit], found.has[1][hit]
    large = np.abs(told) > max(10 * found.tolerance, 0.1 * float(np.abs(told).mean()))
    if large.sum() < MIN_ROWS // 2:
        return None
    ratio, course = has[large] / told[large], _course(hit[large], len(found.has[1]))
    factor, offset = float(np.median(ratio)), float(np.median(has - told))
    last = float(np.median(((ratio - 1) / np.maximum(course, 0.2))[course > 0.5])) + 1 if (course > 0.5).any() else 1.0
    ways: dict[str, tuple[float, Callable[[], ColumnFault]]] = {
        "factor": (_apart(ratio, factor, factor - 1), lambda: _scaled(found.column, factor)),
        "line": (_apart(ratio, 1 + (last - 1) * course, last - 1), lambda: _scaled(found.column, last, growing=True)),
        "constant": (_apart(has, told + offset, offset), lambda: _shifted(found.column, offset)),
    }
    apart, named = min(ways.values(), key=lambda way: way[0])
    return named() if apart <= NEAR else None


def _course(rows: Places, count: int) -> Floats:
    """How far each row is between the first one hit and the last of the window, from 0 to 1."""
    return np.asarray((rows - rows[0]) / max(count - 1 - rows[0], 1))


def _apart(values: Floats, expected: Any, change: float) -> float:
    """Median distance of values from those expected, as a part of the change."""
    return float(np.median(np.abs(values - expected))) / abs(change) if change else np.inf


def _scaled(name: str, factor: float, *, growing: bool = False) -> ColumnFault:
    how = f"a gain that changed in a line to times {factor:.3g} in the last row" if growing else f"times {factor:.4g}"
    words = f"{how}, of what earlier outcomes say"
    return ColumnFault(column=name, fault="scaled", share=1.0, evidence=words, factor=factor, growing=growing)


def _shifted(name: str, offset: float) -> ColumnFault:
    words = f"{offset:+.4g} on what earlier outcomes say"
    return ColumnFault(column=name, fault="shifted", share=1.0, evidence=words, offset=offset)
