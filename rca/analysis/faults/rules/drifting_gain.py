"""A gain that drifts: values times a factor that grows in a line through the rows, from one on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.rule import Scene
from rca.arrays import Floats, Mask, Places
from rca.methods.two_sample_tests import chance_distance, kolmogorov_distance
from rca.tables.column_pair import ColumnPair
from rca.tables.columns import as_numbers

MIN_ROWS = 120
"""Rows of each window below which no drift is looked for."""

MOST_ROWS = 1500
"""Rows of the current window that are looked at, at equal distances."""

HUGE = 1e150
"""Numbers from here on overflow when they are multiplied."""

SURELY = 1.95 / 1.358
"""How much farther than in 95 % of draws chance takes two windows in 99.9 %."""

GROWTH = 1.6
"""Factor of the last row, or its inverse, below which the world may simply have grown."""

LARGEST, SMALLEST = 12.0, 0.02
"""Factors of the last row that are looked for."""

CLEARLY = 1.5
"""How much more of the distance a drifting offset, or a drifting mix, has to leave than the gain."""

BETTER = 1.1
"""Likewise of a factor, or an offset, that is constant from some moment on."""

STARTS = np.arange(0.0, 0.85, 0.1)
"""Places in the window, from 0 to 1, at which the drift may begin."""

PARTS = 8
"""Spans of time in which the mended values are compared with the reference while the drift is fitted."""

CUTS = 40
"""Quantiles of the reference at which they are compared."""

SIZES, FINER = 31, 7
"""Sizes of the drift that are tried, and those between two of them afterwards."""

Change = Callable[[Floats, Floats, float], Floats]
"""What undoes a drift: values, the part of it that each has taken, from 0 to 1, and its size, to mended values."""

Shape = Callable[[Floats, float], Floats]
"""How much of a drift rows at some places have taken that began at one."""


def drifting(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """The gain that drifted in a line from some row on, in all rows.

    ``current = true (1 + (factor - 1) t)``, with t from 0 at the first row hit to 1 at the last of the window: begin
    and factor by the smallest squared distance of distribution functions in spans of time. The mended values have to
    agree with the reference in every quarter, and a gain to explain them better than an offset, a mix, or a constant.

    Returns
    -------
    ColumnFault or None
        `scaled` and growing, `factor` being that of the last row.

    Examples
    --------
    >>> before, true = np.random.default_rng(0).lognormal(3, 0.5, (2, 2000))
    >>> rows = [pd.DataFrame({"c": values}) for values in (before, true * np.linspace(1, 3, 2000))]
    >>> names = {"names": ("c",), "moved": frozenset("c"), "codes": frozenset()}
    >>> scene = Scene(reference=rows[0], current=rows[1], ordered=True, **names)
    >>> fault = drifting(scene.pair("c"), scene)
    >>> fault.growing, round(fault.factor)
    (True, 3)
    """
    if not (scene.ordered and pair.ordered):
        return None
    course = _Course.of(*pair.numbers)
    if course is None or not course.moved_at_last():
        return None
    gain = _best(course, _without_gain, _ramp, sizes=_factors())
    if 1 / GROWTH < gain.size < GROWTH or not course.agrees(gain.mended) or _explained_otherwise(course, gain):
        return None
    rows = len(pair.current)
    begins = [round(start * (rows - 1)) for start in (gain.start, *_likely_starts(course, gain))]
    return ColumnFault(
        column=pair.name,
        fault="scaled",
        share=(rows - begins[0]) / rows,
        evidence=f"a gain that grew in a line to times {gain.size:.3g} in the last row",
        factor=gain.size,
        growing=True,
        since=begins[0],
        since_interval=(min(begins), max(begins)),
    )


def _factors() -> Floats:
    return np.geomspace(SMALLEST, LARGEST, SIZES)


@dataclass(frozen=True, kw_only=True)
class _Course:
    """Both windows' numbers, and when the current ones were.

    Attributes
    ----------
    before, after : ndarray of shape (rows,)
        Ascending, and in time order.
    place : ndarray of shape (rows,)
        When each row was, from 0 for the first row of the window to 1 for its last.
    part : ndarray of int, shape (rows,)
        Which span of time each row lies in.
    cuts, usual : ndarray of shape (cuts,)
        Values, and share of the reference at or below them.
    """

    before: Floats
    after: Floats
    place: Floats
    part: Places
    cuts: Floats
    usual: Floats

    @classmethod
    def of(cls, reference: Floats, current: Floats) -> "_Course | None":
        before, known = np.sort(reference[np.isfinite(reference)]), np.flatnonzero(np.isfinite(current))
        known = known[np.linspace(0, len(known) - 1, min(len(known), MOST_ROWS)).astype(np.intp)]
        after = current[known]
        if min(len(before), len(after)) < MIN_ROWS or max(np.abs(before).max(), np.abs(after).max()) > HUGE:
            return None
        cuts = np.unique(np.quantile(before, np.linspace(0, 1, CUTS + 2)[1:-1], method="lower"))
        return cls(
            before=before,
            after=after,
            place=known / (len(current) - 1),
            part=(np.arange(len(after)) * PARTS // len(after)).astype(np.intp),
            cuts=cuts,
            usual=np.searchsorted(before, cuts, side="right") / len(before),
        )

    def left(self, mended: Floats) -> float:
        """Mean squared distance to the reference's distribution function, over spans of time and cuts."""
        cells = len(self.cuts) + 1
        codes = self.part * cells + np.searchsorted(self.cuts, mended, side="left")
        counts = np.bincount(codes, minlength=PARTS * cells).reshape(PARTS, cells).cumsum(axis=1)
        return float(np.mean((counts[:, :-1] / counts[:, -1:] - self.usual) ** 2))

    def agrees(self, mended: Floats, *, surely: float = SURELY) -> bool:
        """Whether values are within chance of the reference: all, each quarter, and the last third of them."""
        parts = [mended, *np.array_split(mended, 4), np.array_split(mended, 3)[-1]]
        return all(self._far(part) <= surely * chance_distance(len(self.before), len(part)) for part in parts)

    def moved_at_last(self) -> bool:
        """Whether the last quarter is beyond chance of the reference."""
        last = np.array_split(self.after, 4)[-1]
        return self._far(last) > SURELY * chance_distance(len(self.before), len(last))

    def _far(self, values: Floats) -> float:
        return kolmogorov_distance(self.before, values)


# -- what may have drifted ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Fit:
    """A drift: where it began, its size at the last row, what it leaves, and the values without it."""

    start: float
    size: float
    left: float
    mended: Floats


def _without_gain(values: Floats, taken: Floats, size: float) -> Floats:
    return np.asarray(values / (1 + (size - 1) * taken))


def _without_offset(values: Floats, taken: Floats, size: float) -> Floats:
    return np.asarray(values - size * taken)


def _without_mix(course: _Course, *, top: bool) -> Change:
    """What undoes a mix in which high values, or low ones, come ever more often: ``F^k``, or ``1 - (1 - F)^k``."""
    rows = len(course.before)
    below = [np.searchsorted(course.before, course.after, side=side) for side in ("left", "right")]
    ranks = (below[0] + below[1]) / (2 * rows)

    def undo(_: Floats, taken: Floats, size: float) -> Floats:
        power = 1 + (size - 1) * taken
        usual = ranks**power if top else 1 - (1 - ranks) ** power
        return np.asarray(course.before[np.minimum((usual * rows).astype(int), rows - 1)])

    return undo


def _ramp(place: Floats, start: float) -> Floats:
    return np.clip((place - start) / (1 - start), 0, 1)


def _step(place: Floats, start: float) -> Floats:
    return np.asarray(place >= start, dtype=float)


def _best(course: _Course, undo: Change, shape: Shape, *, sizes: Floats, starts: Floats = STARTS) -> _Fit:
    """The begin and the size that leave least: on a grid, then on a finer one about the best."""

    def tried(begins: Floats, amounts: Floats) -> tuple[float, float, float]:
        return min(
            (course.left(undo(course.after, taken, float(size))), float(start), float(size))
            for start in begins
            for taken in (shape(course.place, float(start)),)
            for size in amounts
        )

    _, start, size = tried(starts, sizes)
    at, apart = int(np.argmin(np.abs(sizes - size))), starts[1] - starts[0] if len(starts) > 1 else 0.0
    near = np.linspace(sizes[max(at - 1, 0)], sizes[min(at + 1, len(sizes) - 1)], 2 * FINER - 1)
    about = np.clip(start + apart * np.array([-0.5, -0.25, 0.0, 0.25, 0.5]), 0, STARTS[-1])
    left, start, size = tried(np.unique(about), near)
    mended = undo(course.after, shape(course.place, start), size)
    return _Fit(start=start, size=size, left=left, mended=mended)


def _explained_otherwise(course: _Course, gain: _Fit) -> bool:
    """Whether a drifting offset or mix, or a factor or offset that is constant, leaves about as little."""
    factors, offsets = _factors(), _offsets(course)
    mixes = [_without_mix(course, top=top) for top in (True, False)]
    drifts: list[tuple[Change, Floats]] = [(_without_offset, offsets), *((mix, factors) for mix in mixes)]
    constants: list[tuple[Change, Floats]] = [(_without_gain, factors), (_without_offset, offsets)]
    drifted = (_best(course, undo, _ramp, sizes=sizes) for undo, sizes in drifts)
    stepped = (_best(course, undo, _step, sizes=sizes) for undo, sizes in constants)
    return any(one.left < CLEARLY * gain.left for one in drifted) or any(
        one.left < BETTER * gain.left for one in stepped
    )


def _offsets(course: _Course) -> Floats:
    """Sizes of a drift that brings the middle of the last rows to that of the reference, or less, or more."""
    last = np.array_split(course.after, 8)[-1]
    far = float(np.median(last) - np.median(course.before))
    return np.asarray(far * np.linspace(0, 3, SIZES))


def _likely_starts(course: _Course, gain: _Fit) -> list[float]:
    """Begins at which some factor brings all parts to within the distance that chance leaves in 95 % of draws."""
    near = gain.size * np.geomspace(0.7, 1.4, FINER)
    fits = (_best(course, _without_gain, _ramp, sizes=near, starts=np.array([start])) for start in STARTS)
    return [one.start for one in fits if course.agrees(one.mended, surely=1.0)]


# -- undone, and done --------------------------------------------------------------------------------------------------


def factors_of(fault: ColumnFault, rows: pd.DataFrame, hit: Mask) -> Floats:
    """The factor of each row of the whole current window, in order; of none that was not hit."""
    place = np.arange(len(rows)) - fault.since
    course = np.clip(place / max(len(rows) - 1 - fault.since, 1), 0, 1)
    return np.where(hit, 1 + (fault.factor - 1) * course, 1.0)


def without_the_drift(fault: ColumnFault, rows: pd.DataFrame, wrong: Mask) -> "pd.Series[Any]":
    """The column with a drifting gain undone; `rows` are the whole current window, in order."""
    values = rows[fault.column]
    return pd.Series(as_numbers(values) / factors_of(fault, rows, wrong), index=values.index, name=values.name)


def with_a_drift(fault: ColumnFault, rows: pd.DataFrame, struck: Mask) -> "pd.Series[Any]":
    """The column with a drifting gain, as if the rows struck were spread evenly over the drift, in their order."""
    values, factors = rows[fault.column], np.ones(len(rows))
    factors[struck] = np.linspace(1, fault.factor, int(struck.sum()))
    return pd.Series(as_numbers(values) * factors, index=values.index, name=values.name)
