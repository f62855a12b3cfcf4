"""How far each signal left its normal range, as a log-likelihood ratio: few samples and very quiet ones weigh less.

A scale that is estimated from few samples may be far too small by accident. Before any data a signal is taken to vary
by a part of its level, and that opinion has the weight of one sample. The size of a deviation z is log(1 + |z|):
what a departure of unknown height is worth against noise with heavy tails, up to a constant.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from rca.arrays import Floats, Mask

PRIOR_SPREAD = 0.3
"""Part of its level by which a signal is taken to vary before any sample is seen."""

WIDE = 100.0
"""Standard deviations that stand for the level where a scale has no natural zero, such as that of a thermometer."""

NO_ZERO = re.compile(
    r"(?<![a-z])(?:temp(?:erature)?s?|celsius|kelvin|fahrenheit|deg(?:rees)?|[°][cfk]|ph)(?![a-z])", re.IGNORECASE
)
"""Words of names of metrics whose zero is a convention."""

UNSEEN = 10.0
"""Deviations that a signal counts for at its largest whose range is unknown, since it never moved."""

OUT, FARTHER = 4.0, 1.3
"""Deviations from which a sample lies outside, and times its own largest normal one."""

ENDED = 3
"""Samples in a row without a change after which a signal that never stood so long has ended; twice as many where two
in a row ever were the same."""

MEAN_OF = 25
"""Independent samples that the mean of a window is taken to have at most."""

PAIRS = 100
"""Pairs of neighbouring samples at most that steps are told from."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SignalEvidence:
    """Deviations of signals in the failing window, each array of shape (signals,) where nothing else is said.

    Attributes
    ----------
    mean, spread, seen, level : ndarray
        Normal mean, standard deviation, number of samples, and level; 0 where the range has no level.
    median, quartile : ndarray
        Normal median, and standard deviation by the interquartile range.
    high, low : ndarray of shape (3, signals)
        Largest sample, second largest, and largest that three in a row held; likewise downwards.
    average : ndarray
        Mean of the failing window.
    normal_high, normal_low : ndarray
        Farthest normal samples.
    first : ndarray
        Position of the first failing sample outside; infinite where none is.
    ended : ndarray
        Position from which on nothing came any more, or one value, as never in normal times; infinite where none is.
    steps : ndarray of shape (4, signals)
        Median step from sample to sample, up or down, in normal times and since `first`; the median level since; and
        how many steps that is told from.
    bad : ndarray of int
        1 where up is bad, -1 where down is, 0 where either may be.
    """

    mean: Floats
    spread: Floats
    seen: Floats
    level: Floats
    median: Floats
    quartile: Floats
    high: Floats
    low: Floats
    average: Floats
    normal_high: Floats
    normal_low: Floats
    first: Floats
    ended: Floats
    steps: Floats
    bad: Floats

    def scale(self, *, prior: float = PRIOR_SPREAD, robust: bool = False) -> Floats:
        """Predictive standard deviation of a sample: shrunk to a part of the level by the samples seen."""
        n, spread = self.seen, self.quartile if robust else self.spread
        return np.asarray(np.sqrt((n * spread**2 + (prior * self.level) ** 2) / (n + 1) * (1 + 1 / n)))

    def deviations(self, of: str = "two", *, prior: float = PRIOR_SPREAD, robust: bool = False) -> Floats:
        """Deviations in the bad direction, up and then down: (sides, samples, signals), 0 the good way."""
        centre, scale = self.median if robust else self.mean, self.scale(prior=prior, robust=robust)
        high, low = {
            "two": (self.high[:2], self.low[:2]), "one": (self.high[:1], self.low[:1]),
            "held": (self.high[2:], self.low[2:]), "mean": (self.average[None], self.average[None]),
        }[of]  # fmt: skip
        z = np.stack([high - centre, centre - low])
        most = np.maximum(z[:, :1].max(axis=0), 1e-300)
        z = np.where(scale > 0, z / np.where(scale > 0, scale, 1.0), UNSEEN * z / most)
        z[0][:, self.bad < 0], z[1][:, self.bad > 0] = 0.0, 0.0
        return np.nan_to_num(np.maximum(z, 0.0), posinf=1e300)

    def sizes(self, of: str = "two", *, prior: float = PRIOR_SPREAD, robust: bool = False) -> Floats:
        """Log-likelihood ratio of each departure, by the mean of log(1 + |z|) over the samples asked for."""
        return np.asarray(np.log1p(self.deviations(of, prior=prior, robust=robust)).mean(axis=1).max(axis=0))

    def amounts(self) -> Floats:
        """How far each went in its own unit, by its second largest sample."""
        up, down = self.high[1] - self.mean, self.mean - self.low[1]
        return np.maximum(np.where(self.bad < 0, 0.0, up), np.where(self.bad > 0, 0.0, down))

    def strays(self) -> Floats:
        """Largest deviation of normal samples."""
        scale = np.maximum(self.scale(), 1e-300)
        up, down = (self.normal_high - self.mean) / scale, (self.mean - self.normal_low) / scale
        return np.maximum(np.where(self.bad < 0, 0.0, up), np.where(self.bad > 0, 0.0, down))


def has_no_zero(metric: str) -> bool:
    """Whether the zero of a metric's unit is a convention.

    >>> has_no_zero("coolant_temperature"), has_no_zero("temp °C"), has_no_zero("attempts")
    (True, True, False)
    """
    return NO_ZERO.search(metric.replace("_", " ")) is not None


def signal_evidence(values: Floats, n_normal: int, *, bad: npt.NDArray[np.int64], no_zero: Mask) -> SignalEvidence:
    """Evidence of departures from a table of signals without seasons, trends and counters.

    Parameters
    ----------
    values : ndarray of shape (signals, samples)
        Normal samples, then failing ones; NaN where one is missing.
    n_normal : int
    bad : ndarray of int, shape (signals,)
    no_zero : ndarray of bool, shape (signals,)

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(10.0, 1.0, (1, 130))
    >>> noise[:, 110:] += 20
    >>> found = signal_evidence(noise, 100, bad=np.array([0]), no_zero=np.array([False]))
    >>> found.sizes().round(1).tolist(), found.first.tolist()
    ([3.1], [10.0])
    """
    normal, failing = values[:, :n_normal], values[:, n_normal:]
    known = np.isfinite(normal)
    count = np.maximum(known.sum(axis=1), 1)
    mean = np.where(known, normal, 0.0).sum(axis=1) / count
    off = np.where(known, normal - mean[:, None], 0.0)
    square = np.einsum("ij,ij->i", off, off)
    spread = np.sqrt(square / count)
    spread = np.where(spread > 1e-9 * np.abs(mean), spread, 0.0)
    first, median, third = _quartiles(np.where(known, normal, np.nan))
    high, low = (np.nan_to_num(side.reduce(normal, axis=1)) for side in (np.fmax, np.fmin))
    level = np.abs(median)
    level = np.where(bad < 0, np.maximum(high - median, 0.0), level)
    level = np.where(no_zero & (bad == 0), WIDE * spread, level)
    lost = ~np.isfinite(failing)
    left = (~lost).sum(axis=1)
    above, below = (np.where(lost, -np.inf, side) for side in (failing, -failing))
    found = SignalEvidence(
        mean=mean, spread=spread, seen=count.astype(float), level=level,
        median=median, quartile=(third - first) / 1.349, high=_largest(above), low=-_largest(below),
        average=np.where(left > 0, np.where(lost, 0.0, failing).sum(axis=1) / np.maximum(left, 1), mean),
        normal_high=high, normal_low=low, first=np.zeros(len(values)), ended=np.full(len(values), np.inf),
        steps=np.zeros((4, len(values))), bad=bad.astype(float),
    )  # fmt: skip
    found = _with_first(_finite(found), failing)
    return replace(found, steps=_steps(values, n_normal, found.first))


def ended(raw: Floats, n_normal: int) -> Floats:
    """Position from which on each signal reports no more, or one value to the end, as it never did in normal times.

    >>> ended(np.array([[1.0, 2, 3, 4, 5, 0, 0, 0], [1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 2, 2, 2, 2, 2]]), 4).tolist()
    [1.0, inf, inf]
    """
    same = np.isnan(raw[:, 1:]) | (raw[:, 1:] == raw[:, :-1])
    stood = np.minimum.reduce([same[:, at : same.shape[1] - ENDED + 2 + at] for at in range(ENDED - 1)])
    ever = stood[:, : n_normal - ENDED + 1].any(axis=1)
    least = np.where(same[:, : n_normal - 1].any(axis=1), 2 * ENDED, ENDED)
    moved = ~same[:, n_normal - 1 :]
    since = np.where(moved.any(axis=1), moved.shape[1] - 1 - moved[:, ::-1].argmax(axis=1), 0)
    return np.where(~ever & (raw.shape[1] - n_normal - since >= least), since.astype(float), np.inf)


def _steps(values: Floats, n_normal: int, first: Floats) -> Floats:
    """Steps of some evenly spread neighbours before and after signals left their range, as in `SignalEvidence`."""
    from rca.analysis.cascade.normal_range import quantiles

    found, many = [], values.shape[1]
    starts = np.where(np.isfinite(first), np.minimum(n_normal + first, many - 2), n_normal - 1).astype(int)
    for start, end in ((np.zeros_like(starts), np.full_like(starts, n_normal)), (starts, np.full_like(starts, many))):
        some = np.minimum(end - start - 1, PAIRS)[:, None]
        at = start[:, None] + np.floor(np.arange(PAIRS) / PAIRS * (end - start - 1)[:, None]).astype(int)
        one, other = (np.take_along_axis(values, place, axis=1) for place in (at, at + 1))
        found += [*quantiles(np.abs(other - one), (0.5,)), *quantiles(other, (0.5,)), some[:, 0].astype(float)]
    return np.stack([found[0], *found[3:]])


def _quartiles(normal: Floats) -> Floats:
    from rca.analysis.cascade.normal_range import THINNED, quantiles

    return quantiles(normal[:, :: max(1, -(-normal.shape[1] // THINNED))], (0.25, 0.5, 0.75))


def two_largest(values: Floats) -> Floats:
    """Largest and second largest along the last axis: (2, …); of one alone twice the same."""
    if values.shape[-1] == 1:
        return np.stack([values[..., 0]] * 2)
    at = values.argmax(axis=-1)[..., None]
    others = values.copy()
    np.put_along_axis(others, at, -np.inf, axis=-1)
    return np.stack([np.take_along_axis(values, at, axis=-1)[..., 0], others.max(axis=-1)])


def _largest(above: Floats) -> Floats:
    """Largest, second largest, and largest that three in a row held: (3, signals)."""
    many, length = above.shape[1], min(3, above.shape[1])
    held = np.minimum.reduce([above[:, at : many - length + 1 + at] for at in range(length)]).max(axis=1)
    return np.stack([*two_largest(above), held])


def _finite(found: SignalEvidence) -> SignalEvidence:
    """Where there are too few samples: the mean, which is no deviation."""
    high, low = (np.where(np.isfinite(side), side, found.mean) for side in (found.high, found.low))
    return replace(found, high=high, low=low)


def _with_first(found: SignalEvidence, failing: Floats) -> SignalEvidence:
    """The first failing sample beyond four deviations, and beyond what the signal did in normal times."""
    scale = found.scale()
    least = np.maximum(OUT, FARTHER * found.strays())
    width = np.where(scale > 0, scale * least, 1e-9 * np.abs(found.mean) + 1e-300)
    upper = np.where(found.bad < 0, np.inf, found.mean + width)
    lower = np.where(found.bad > 0, -np.inf, found.mean - width)
    with np.errstate(invalid="ignore"):
        out = (failing > upper[:, None]) | (failing < lower[:, None])
    return replace(found, first=np.where(out.any(axis=1), out.argmax(axis=1), np.inf))


def joined(parts: Sequence[SignalEvidence]) -> SignalEvidence:
    """Evidence of several blocks of signals as one."""
    names = [one.name for one in fields(SignalEvidence)]
    return SignalEvidence(**{name: np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in names})
