"""Normal range of a signal, deseasonalised and detrended: median and robust scale on either side; counters as rates."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rca.arrays import Floats

Flags = npt.NDArray[np.bool_]

DAY = 86_400.0

SEASONS = ((DAY, (48,)), (7 * DAY, (336, 56)))
"""Days and weeks, and into how many bins they are cut: half hours, and in a week three hours where those have too few
samples."""

ENOUGH = 8
"""Normal samples in each bin of a season, and in each third of a trend, from which their level can be estimated."""

TIGHTER = 0.8
"""A season counts where the range without it is this part of the range with it, or less; a trend needs half of that."""

STRAIGHT = 0.15
"""Part of a trend's climb by which its middle may lie off the line."""

BREAK = 5.0
"""Sampling intervals without a sample after which a trend is not extrapolated."""

CLIMBS = 0.9
"""Share of a counter's steps that go up; all others stand still, or fall back to near zero."""

RESET, CLOSEST = 0.1, 0.2
"""Part of a count to which a reset takes it, and of the usual interval below which no two samples are taken to lie."""

TAIL = 0.98

TAIL_SIGMA = 2.054
"""The quantile by which a tail is measured, and where the normal distribution has it."""

QUARTER_SIGMA = 1.349
"""Interquartile range of the normal distribution."""

GRAIN = 0.003
"""Part of a signal's level below which no step is material."""

THINNED, ROUGHLY, BIN = 6_000, 3_000, 80
"""Normal samples that a range is estimated from, a level or a width, and the level of a bin of a season; more are
thinned evenly."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NormalRange:
    """Centre and robust standard deviations of signals in normal times.

    Attributes
    ----------
    centre, up, down : ndarray of shape (signals,)
        The median, and the width of one standard deviation on either side of it. A side's width is the largest of what
        the quartiles, that side's tail, and a small part of the level give, so that a signal with rare high values
        has to go high to be abnormal.
    flat : ndarray of bool, shape (signals,)
        Signals that never moved, whose range is therefore not known.
    """

    centre: Floats
    up: Floats
    down: Floats
    flat: Flags

    def away(self, values: Floats) -> Floats:
        """Robust z-scores by the scale of the side they lie on; `values` is (signals, samples)."""
        off = values - self.centre[:, None]
        wide = np.where(off > 0, self.up[:, None], self.down[:, None])
        return np.asarray(off / wide)


def normal_range(normal: Floats) -> NormalRange:
    """Normal range of signals, from their quartiles and tail quantiles.

    Parameters
    ----------
    normal : ndarray of shape (signals, samples)
        NaN where a sample is missing; a signal with no sample is taken to be zero throughout.

    Examples
    --------
    >>> told = normal_range(np.random.default_rng(0).normal(50.0, 2.0, (1, 1000)))
    >>> told.centre.round(1).tolist(), told.up.round(1).tolist(), told.flat.tolist()
    ([49.9], [2.0], [False])
    """
    thin = _thin(normal, THINNED)
    low, first, centre, third, high = quantiles(thin, (1 - TAIL, 0.25, 0.5, 0.75, TAIL))
    middle = np.maximum((third - first) / QUARTER_SIGMA, GRAIN * np.abs(centre))
    moved = (first < third) | (low < high)
    spread = np.where(moved, 0.0, np.nan_to_num(_spread(thin, centre)))
    known = np.maximum(np.isfinite(thin).sum(axis=1), 1)
    few = 1 + 4 / known
    up, down = (np.maximum.reduce([side / TAIL_SIGMA, middle, spread]) * few for side in (high - centre, centre - low))
    flat = ~moved & (spread == 0)
    return NormalRange(centre=centre, up=np.maximum(up, 1e-300), down=np.maximum(down, 1e-300), flat=flat)


def _spread(values: Floats, centre: Floats) -> Floats:
    """Root mean square distance from the median; for signals that hardly ever move."""
    with np.errstate(invalid="ignore", over="ignore"):
        square = (values - centre[:, None]) ** 2
    known = np.isfinite(square)
    return np.asarray(np.sqrt(np.where(known, square, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)))


def quantiles(values: Floats, levels: tuple[float, ...]) -> Floats:
    """Quantiles along the last axis, missing samples left out; zero where all are missing.

    Returns
    -------
    ndarray of shape (levels, …)

    Examples
    --------
    >>> quantiles(np.array([[1.0, np.nan, 3.0], [np.nan] * 3]), (0.5, 1.0)).tolist()
    [[2.0, 0.0], [3.0, 0.0]]
    """
    ordered = np.sort(values, axis=-1)
    last = np.maximum(np.isfinite(ordered).sum(axis=-1) - 1, 0)
    found = []
    for level in levels:
        place = level * last
        below = np.floor(place).astype(int)
        low, high = (_at(ordered, np.minimum(at, last)) for at in (below, below + 1))
        found.append(low + (place - below) * (high - low))
    return np.asarray(np.nan_to_num(np.array(found)))


def _at(ordered: Floats, place: npt.NDArray[np.intp]) -> Floats:
    return np.asarray(np.take_along_axis(ordered, place[..., None], axis=-1)[..., 0])


# --- seasons, trends and counters ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Clock:
    """Sampling times of the signals.

    Attributes
    ----------
    seconds : ndarray of shape (samples,)
        Since 1970, ascending: normal samples, then failing ones.
    n_normal : int
    """

    seconds: Floats
    n_normal: int

    @property
    def step(self) -> float:
        """Median sampling interval in seconds."""
        steps = np.diff(self.seconds)
        return float(np.median(steps[steps > 0])) if (steps > 0).any() else 1.0

    @property
    def whole(self) -> bool:
        """Whether sampling has no gaps, so that a trend can be extrapolated."""
        return bool((np.diff(self.seconds) <= BREAK * self.step).all())

    @property
    def unseen(self) -> float:
        """Length in seconds of a sampling gap between normal and failing samples; 0 without one."""
        gap = float(self.seconds[self.n_normal] - self.seconds[self.n_normal - 1])
        return gap if gap > BREAK * self.step else 0.0

    def parts(self, period: float, cuts: tuple[int, ...]) -> npt.NDArray[np.intp] | None:
        """Seasonal bin of each sample; None where the normal samples do not cover every bin twice."""
        for many in cuts:
            part = (self.seconds % period * many / period).astype(int)
            counts = np.bincount(part[: self.n_normal], minlength=many)[np.unique(part)]
            if np.ptp(self.seconds[: self.n_normal]) >= 2 * period - period / many and counts.min() >= ENOUGH:
                return part
        return None


def regular(values: Floats, clock: Clock) -> Floats:
    """Signals deseasonalised and detrended, with counters differenced to rates.

    Parameters
    ----------
    values : ndarray of shape (signals, samples)
        All samples of `clock`; NaN where missing.
    clock : Clock

    Returns
    -------
    ndarray of the same shape
        Seasons and trends are fitted to normal samples alone. A failing sample between the extrapolated trend and the
        last level has no deviation.

    Examples
    --------
    >>> clock = Clock(seconds=60.0 * np.arange(120), n_normal=100)
    >>> requests = np.cumsum(np.full(120, 5.0)) % 400
    >>> np.nanstd(regular(requests[None], clock))
    np.float64(0.0)
    """
    values = _rates(values, clock)
    for period, cuts in SEASONS:
        values = _without_season(values, clock, period=period, cuts=cuts)
    return _without_trend(values, clock) if clock.whole else values


def _rates(values: Floats, clock: Clock) -> Floats:
    """Difference cumulative counters to rates per sampling interval; a reset is a missing sample."""
    counts = np.flatnonzero(_is_counter(values[:, : clock.n_normal]))
    if not len(counts):
        return values
    values = values.copy()
    climbed = np.diff(values[counts], axis=1) / np.maximum(np.diff(clock.seconds) / clock.step, CLOSEST)
    reset = (climbed < 0) & (np.abs(values[counts, 1:]) <= RESET * np.abs(values[counts, :-1]))
    values[counts, 1:] = np.where(reset, np.nan, climbed)
    values[counts, 0] = np.nan
    return values


def _is_counter(normal: Floats) -> Flags:
    with np.errstate(invalid="ignore"):
        steps = np.diff(normal[:, :THINNED], axis=1)
        known = np.maximum(np.isfinite(steps).sum(axis=1), 1)
        falls = steps < 0
        reset = falls & (np.abs(normal[:, 1:THINNED]) <= RESET * np.abs(normal[:, : THINNED - 1])[:, : steps.shape[1]])
        return np.asarray(((steps > 0).sum(axis=1) >= CLIMBS * known) & (falls == reset).all(axis=1))


def _without_season(values: Floats, clock: Clock, *, period: float, cuts: tuple[int, ...]) -> Floats:
    """Subtract seasonal medians from signals whose range that makes tighter on held-out periods.

    Whether it does is tested on alternate periods: levels of the even ones on the odd ones, and the other way round.
    Normal samples lie nearer to levels that were fitted to them than future samples: with k effective samples to a
    level, by ``sqrt((k - 1) / (k + 1))``. They are rescaled by that factor; k follows from the two ranges.
    """
    part = clock.parts(period, cuts)
    if part is None:
        return values
    n = clock.n_normal
    known, own, many = values[:, :n], part[:n], int(part.max()) + 1
    odd = clock.seconds[:n] // period % 2 == 1
    others = np.hstack([_levels(known, np.where(kept, own, -1), many) for kept in (~odd, odd)])
    some = np.arange(0, n, max(1, -(-n // ROUGHLY)))
    apart = known[:, some] - others[:, np.where(odd, own, own + many)[some]]
    seasonal = np.flatnonzero(_width(apart) <= TIGHTER * _width(known))
    if not len(seasonal):
        return values
    values = values.copy()
    values[seasonal] -= _levels(known[seasonal], own, many)[:, part]
    left = values[seasonal, :n]
    squared = np.maximum((_width(apart[seasonal]) / np.maximum(_width(left), 1e-300)) ** 2, 1 + 1e-9)
    draws = np.maximum((2 + squared) / (squared - 1), 2.0)
    middle = quantiles(_thin(left, ROUGHLY), (0.5,))[0][:, None]
    values[seasonal, :n] = middle + (left - middle) * np.sqrt((draws + 1) / (draws - 1))[:, None]
    return values


def _levels(known: Floats, part: npt.NDArray[np.intp], many: int) -> Floats:
    """Median of each seasonal bin less the mean of all: (signals, parts); 0 of a bin without samples.

    Samples of part -1 are left out.
    """
    found = np.zeros((len(known), many))
    seen = np.unique(part[part >= 0])
    for one in seen:
        at = np.flatnonzero(part == one)
        found[:, one] = quantiles(known[:, at[:: -(-len(at) // BIN)]], (0.5,))[0]
    found[:, seen] -= found[:, seen].mean(axis=1, keepdims=True)
    return found


def _width(values: Floats) -> Floats:
    """Range from the 10 % to the 90 % quantile of the normal samples."""
    low, high = quantiles(_thin(values, ROUGHLY), (0.1, 0.9))
    return np.asarray(high - low)


def _thin(values: Floats, most: int) -> Floats:
    """Every k-th sample, about as many as wanted."""
    return values[:, :: max(1, -(-values.shape[1] // most))]


def _without_trend(values: Floats, clock: Clock) -> Floats:
    """Subtract a linear trend; a failing sample may lie anywhere between the extrapolated trend and the last level."""
    n = clock.n_normal
    if n < 3 * ENOUGH:
        return values
    thirds = np.array_split(np.arange(n), 3)
    levels = np.array([quantiles(_thin(values[:, part], ROUGHLY), (0.5,))[0] for part in thirds])
    times = np.array([clock.seconds[part].mean() for part in thirds])
    slope = (levels[2] - levels[0]) / max(times[2] - times[0], 1e-9)
    straight = np.abs(levels[1] - (levels[0] + levels[2]) / 2) <= STRAIGHT * np.abs(levels[2] - levels[0])
    climb = slope[:, None] * (clock.seconds - clock.seconds[n - 1])
    tighter = _width(values[:, :n] - climb[:, :n]) <= TIGHTER / 2 * _width(values[:, :n])
    trends = np.flatnonzero(straight & tighter & (slope != 0))
    if not len(trends):
        return values
    values = values.copy()
    values[trends, :n] -= climb[trends, :n]
    ahead = values[trends, n:]
    end = quantiles(_thin(values[trends, :n], ROUGHLY), (0.5,))[0][:, None]
    low, high = np.minimum(climb[trends, n:], 0), np.maximum(climb[trends, n:], 0)
    values[trends, n:] = np.where(np.isnan(ahead), np.nan, ahead - np.clip(ahead - end, low, high))
    return values
