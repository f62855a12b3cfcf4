"""Time series of the metric by period about an event: a ratio of sums, and its sampling variance.

Periods are counted from the event, so that none lies on both sides of it.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rca.arrays import Floats, Mask
from rca.methods.ar1_regression import Places
from rca.methods.metric import Parts

MONTH, WEEK, DAY, HOUR, MINUTE = 28 * 86_400.0, 7 * 86_400.0, 86_400.0, 3_600.0, 60.0
"""Seconds."""

LENGTHS = (MONTH, WEEK, DAY, 6 * HOUR, HOUR, 10 * MINUTE, MINUTE, 1.0)
"""Lengths of periods, the longest first."""

BEFORE, AFTER = 14, 7
"""Periods with rows before and after the event that are enough, so that no shorter ones are looked for."""

MOST = 250
"""Periods with rows above which longer ones are taken."""

CYCLES = {DAY: 7, 6 * HOUR: 4, HOUR: 24}
"""Length of a period → how many of them come round again: a week, or a day."""

NONE = 1e-200
"""Variance of a row where no row differs from another: none, but periods with more rows still weigh more."""

FLOOR = 0.05
"""Least variance of a row on one side of the event, as a share of that on the other: none yet is not none ever."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Periods:
    """The metric of every period in which rows count.

    Attributes
    ----------
    places : ndarray of int, shape (periods,)
        Ascending; the period that begins with the event is 0.
    values, variance : ndarray of shape (periods,)
        The metric, and the variance that sampling gives it.
    counts : ndarray of shape (periods,)
        Rows that count.
    event, length : float
        Seconds since 1970 of the event, and seconds of a period.
    """

    places: Places
    values: Floats
    variance: Floats
    counts: Floats
    event: float
    length: float

    def __len__(self) -> int:
        return len(self.places)

    @property
    def after(self) -> Mask:
        """Mask of the periods from the event on."""
        return np.asarray(self.places >= 0)

    @property
    def starts(self) -> Floats:
        """Seconds since 1970 at which each period begins."""
        return np.asarray(self.event + self.places * self.length)

    @property
    def phases(self) -> Places | None:
        """Season of each period (weekday or hour), where the cycle repeats at least twice."""
        cycle = CYCLES.get(self.length)
        if cycle is None or np.ptp(self.places) + 1 < 2 * cycle:
            return None
        return np.asarray(self.places % cycle)

    def take(self, kept: Mask) -> "Periods":
        """Some of the periods."""
        parts = {name: getattr(self, name)[kept] for name in ("places", "values", "variance", "counts")}
        return replace(self, **parts)


def length_for(seconds: Floats, event: float) -> float:
    """Length of periods: the longest that leaves enough of them on either side of an event.

    Parameters
    ----------
    seconds : ndarray of shape (rows,)
        Moments of the rows that count.
    event : float

    Examples
    --------
    >>> length_for(np.arange(0.0, 40 * 86400, 3600), 30 * 86400.0) / 3600
    24.0
    """
    best, most = LENGTHS[0], -1.0
    for length in LENGTHS:
        places = np.unique(np.floor((seconds - event) / length))
        enough = min(float((places < 0).sum()) / BEFORE, float((places >= 0).sum()) / AFTER)
        if len(places) > MOST and most >= 0:
            break
        if min(enough, 1.0) > most or (length >= DAY and len(places) <= MOST):
            best, most = length, min(enough, 1.0)
        if enough >= 1 and length <= DAY:
            break
    return best


def periods_of(parts: Parts, seconds: Floats, *, event: float, length: float) -> Periods:
    """Aggregate rows to the metric of every period.

    Parameters
    ----------
    parts : Parts
        Of the rows; of a gap, of the pair of groups that `pair_of` chose.
    seconds : ndarray of shape (rows,)
        Moments of the rows; rows without one do not count.
    event, length : float

    Returns
    -------
    Periods
        Without those in which the metric is no number.

    Examples
    --------
    >>> parts = Parts(numerator=np.array([[1.0], [0.0], [1.0]]), denominator=np.ones((3, 1)))
    >>> periods_of(parts, np.array([0.0, 1.0, 3600.0]), event=3600.0, length=3600.0).values.tolist()
    [0.5, 1.0]
    """
    counted = parts.denominator.any(axis=1) & np.isfinite(seconds)
    kept, at = parts.take(counted), np.floor((seconds[counted] - event) / length).astype(np.int64)
    places, place = np.unique(at, return_inverse=True)
    sums = [_summed(part, place, len(places)) for part in (kept.numerator, kept.denominator)]
    values, variance = _told(kept, place, (sums[0], sums[1]), after=places >= 0)
    found = Periods(
        places=places,
        values=values,
        variance=variance,
        counts=np.bincount(place, minlength=len(places)).astype(float),
        event=event,
        length=length,
    )
    return found.take(np.isfinite(values) & np.isfinite(variance))


def _summed(part: Floats, place: npt.NDArray[np.intp], periods: int) -> Floats:
    """Sums of each period, of shape (periods, groups)."""
    return np.column_stack([np.bincount(place, weights=column, minlength=periods) for column in part.T])


def _told(
    parts: Parts, place: npt.NDArray[np.intp], sums: tuple[Floats, Floats], *, after: Mask
) -> tuple[Floats, Floats]:
    """The metric of each period, and its sampling variance, from row variances pooled on either side of the event."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = sums[0] / sums[1]
    left = parts.numerator - np.where(np.isfinite(ratio), ratio, 0.0)[place] * parts.denominator
    squares, weights = _summed(left**2, place, len(after)), _summed(parts.denominator**2, place, len(after))
    sides = [_of_a_row(squares[side], weights[side]) for side in (~after, after)]
    highest = np.maximum(sides[0], sides[1])
    row = np.where(after[:, None], np.maximum(sides[1], FLOOR * highest), np.maximum(sides[0], FLOOR * highest))
    row = np.where(row > 0, row, NONE)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = row * weights / sums[1] ** 2
    if parts.shape == "gap":
        return ratio[:, 0] - ratio[:, 1], variance.sum(axis=1)
    if parts.shape == "root":
        usual = max(float(sums[0].sum() / max(sums[1].sum(), np.finfo(float).tiny)), np.finfo(float).tiny)
        with np.errstate(invalid="ignore"):
            return np.sqrt(ratio[:, 0]), variance[:, 0] / (4 * usual)
    return ratio[:, 0], variance[:, 0]


def _of_a_row(squares: Floats, weights: Floats) -> Floats:
    """Variance of one row about its period's metric, pooled over periods, by group."""
    total = weights.sum(axis=0)
    return np.asarray(squares.sum(axis=0) / np.where(total > 0, total, 1.0))


def pair_of(parts: Parts) -> Parts:
    """Of a gap the two groups that lie farthest apart over all rows, the higher first; else the parts as given.

    The pair is one and the same in every period: the largest gap of a few rows is mostly chance.
    """
    if parts.shape != "gap":
        return parts
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = parts.numerator.sum(axis=0) / parts.denominator.sum(axis=0)
    pair = [int(np.nanargmax(ratio)), int(np.nanargmin(ratio))]
    return replace(parts, numerator=parts.numerator[:, pair], denominator=parts.denominator[:, pair])


def difference(one: Periods, other: Periods) -> Periods:
    """One series less another, in the periods that both have."""
    _, mine, theirs = np.intersect1d(one.places, other.places, assume_unique=True, return_indices=True)
    return replace(
        one,
        places=one.places[mine],
        values=one.values[mine] - other.values[theirs],
        variance=one.variance[mine] + other.variance[theirs],
        counts=np.minimum(one.counts[mine], other.counts[theirs]),
    )
