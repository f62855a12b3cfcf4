"""Small, persistent mean shifts of signals: block means of the failing window outside a Student prediction interval."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rca.analysis.cascade.normal_range import ROUGHLY, quantiles
from rca.arrays import Floats

LENGTHS = (8, 24, 72, 216)
"""Samples of a block, each three times as many as the one before."""

BLOCKS = 12
"""Normal blocks below which their variance is not estimated."""

CHANCE = 0.01
"""Family-wise error rate over all signals."""

FARTHER = 2.0
"""Times that a failing mean has to go farther than the normal means went while they were watched."""

HIGHEST = 4.0
"""Robust z-score at which samples are clipped: `anomaly_score` covers a few extreme ones."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SustainedShift:
    """Sustained mean shifts of some signals.

    Attributes
    ----------
    direction : ndarray of int, shape (signals,)
        1 or -1 where it moved, 0 where it did not.
    size : ndarray of shape (signals,)
        By how much: the mean over the longest significant block, in standard deviations of one sample.
    length : ndarray of int, shape (signals,)
        Samples that the mean is taken over.
    """

    direction: npt.NDArray[np.int64]
    size: Floats
    length: npt.NDArray[np.int64]


def sustained_shift(away: Floats, n_normal: int, *, bad: npt.NDArray[np.int64], signals: int) -> SustainedShift:
    """Test for a sustained mean shift: block means against a Student prediction interval of normal ones.

    Parameters
    ----------
    away : ndarray of shape (signals, samples)
        Deviations in standard deviations, of normal samples and then of failing ones; NaN where a sample is missing.
    n_normal : int
    bad : ndarray of int, shape (signals,)
        1 where up is bad, -1 where down is, 0 where either may be.
    signals : int
        How many are looked at in all, which chance is shared among.

    Notes
    -----
    The mean of a failing block is compared with those of equally long normal blocks by Student's prediction interval;
    of autocorrelated normal means the effective number is that of an AR(1) process: ``n (1 - r) / (1 + r)``.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(2, 900))
    >>> noise[0, 600:] += 1.0
    >>> found = sustained_shift(noise, 600, bad=np.array([0, 0]), signals=2)
    >>> found.direction.tolist(), found.size.round(1).tolist()
    ([1, 0], [1.3, 0.0])
    """
    direction, length = np.zeros(len(away), dtype=np.int64), np.zeros(len(away), dtype=np.int64)
    size = np.zeros(len(away))
    cut = np.clip(away, -HIGHEST, HIGHEST)
    usable = [one for one in LENGTHS if n_normal >= one * BLOCKS and away.shape[1] - n_normal >= one]
    varied = _varied(away[:, :n_normal]) if usable else np.zeros(len(away), dtype=bool)
    parts = (cut[:, :n_normal], cut[:, n_normal:])
    blocks = [_blocks(part, LENGTHS[0], last=at == 0) for at, part in enumerate(parts)] if usable else []
    for one in usable:
        if one != LENGTHS[0]:
            blocks = [(_merged(sums, last=at == 0), _merged(n, last=at == 0)) for at, (sums, n) in enumerate(blocks)]
        normal, failing = (_means(*both, one) for both in blocks)
        chance = CHANCE / (2 * max(signals, 1) * failing.shape[1] * len(usable))
        went = np.where(varied, _went(normal, failing, bad=bad, chance=chance), 0.0)
        same = (went != 0) & (direction * went >= 0)
        direction[same], length[same], size[same] = np.sign(went[same]), one, np.abs(went[same])
    return SustainedShift(direction=direction, size=size, length=length)


def _varied(normal: Floats) -> npt.NDArray[np.bool_]:
    """Signals with a positive interquartile range; for rare events, block means are not informative."""
    low, high = quantiles(normal[:, :: max(1, normal.shape[1] // ROUGHLY)], (0.25, 0.75))
    return np.asarray(low < high)


def _went(normal: Floats, failing: Floats, *, bad: npt.NDArray[np.int64], chance: float) -> Floats:
    """Difference of the most extreme failing block mean from the normal ones; 0 where it is not significant."""
    from scipy.stats import t as student

    centre, wide, known = _strays(normal)
    apart = np.nan_to_num(failing - centre[:, None])
    apart = np.where(bad[:, None] * apart < 0, 0.0, apart)
    went = apart[np.arange(len(apart)), np.abs(apart).argmax(axis=1)]
    least = np.maximum(wide * student.isf(chance, known - 1), FARTHER * _wandered(normal))
    return np.where(np.abs(went) >= least, went, 0.0)


def _blocks(values: Floats, length: int, *, last: bool) -> tuple[Floats, Floats]:
    """Sums and counts of known samples by block, incomplete blocks left out at the far end from the seam."""
    many = values.shape[1] // length
    kept = values[:, values.shape[1] - many * length :] if last else values[:, : many * length]
    parts = kept.reshape(len(values), many, length)
    known = np.isfinite(parts)
    return np.where(known, parts, 0.0).sum(axis=2), known.sum(axis=2).astype(float)


def _merged(sums: Floats, *, last: bool) -> Floats:
    """Sums of three blocks in a row."""
    many = sums.shape[1] // 3
    kept = sums[:, sums.shape[1] - 3 * many :] if last else sums[:, : 3 * many]
    return np.asarray(kept.reshape(len(sums), many, 3).sum(axis=2))


def _means(sums: Floats, counts: Floats, length: int) -> Floats:
    """Block means; NaN where more than half of a block is missing."""
    return np.asarray(np.where(counts > length / 2, sums / np.maximum(counts, 1), np.nan))


def _wandered(means: Floats) -> Floats:
    """Largest distance of the second half of normal means from the centre of the first half."""
    half = means.shape[1] // 2
    known = np.isfinite(means[:, :half])
    centre = np.where(known, means[:, :half], 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.asarray(np.nan_to_num(np.abs(means[:, half:] - centre[:, None])).max(axis=1))


def _strays(means: Floats) -> tuple[Floats, Floats, Floats]:
    """Centre of normal means, standard deviation of the next one (prediction), and their effective number."""
    known = np.isfinite(means)
    count = known.sum(axis=1)
    centre = np.where(known, means, 0.0).sum(axis=1) / np.maximum(count, 1)
    off = np.where(known, means - centre[:, None], 0.0)
    square = (off**2).sum(axis=1)
    memory = np.clip((off[:, 1:] * off[:, :-1]).sum(axis=1) / np.maximum(square, 1e-300), 0.0, 0.98)
    effective = np.maximum(count * (1 - memory) / (1 + memory), 2.0)
    variance = square / np.maximum(count - 1, 1) / (1 - 1 / effective) * (1 + 1 / effective)
    wide = np.where(count >= BLOCKS, np.maximum(np.sqrt(variance), 1e-9), np.inf)
    return centre, wide, effective
