"""Whether anything left its normal range: the failing window against blocks of normal time of the same length.

Blocks carry what a standard deviation does not: autocorrelation, rare spikes, common movements of many signals. Each
signal's statistics in the failing window are compared with the largest that it had in any normal block, scaled by the
other normal samples; what goes beyond is the excess. Each normal block has an excess over the other blocks as well:
what those show on average, chance alone brings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rca.analysis.cascade.origin_score import FIRST_TIME, Systems
from rca.analysis.cascade.signal_evidence import MEAN_OF, PRIOR_SPREAD, UNSEEN, SignalEvidence, two_largest
from rca.arrays import Floats

LONGER = 0.1
"""What a window longer than its blocks adds to the excess that chance alone brings, by the logarithm of its length."""

QUIET, STIRRED = 0.25, 0.45
"""Excess beyond chance up to which a window is like normal time, and from which it surely is not.

Of drawn lines, 93 % of the quiet ones lie below the first, 98 % below the second; of those that are asked for 4 %.
"""

THIRD, SOME, ALIKE = 3, 12, 0.75
"""Blocks that normal samples are cut into at least, that chance is told from at most; the part that shows the usual."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Excess:
    """Excess of each signal's statistics over the largest of normal blocks, as differences of logarithms.

    Attributes
    ----------
    size, shift : ndarray of shape (signals,)
        Of the two farthest samples, and of the mean of the window.
    over : ndarray of shape (signals,)
        Size over what three normal blocks in four stay below.
    usual : ndarray of shape (2, signals, blocks)
        The same two of some normal blocks, each over the other blocks.
    longer : float
        Length of the window in blocks, 1 at least.
    """

    size: Floats
    shift: Floats
    over: Floats
    usual: Floats
    longer: float

    @property
    def share(self) -> float:
        """Share of signals that went farther than in any normal block."""
        return float(np.mean(self.size > 0))

    @classmethod
    def joined(cls, parts: "Sequence[Excess]") -> "Excess":
        """Excess of several blocks of signals as one."""
        size, shift, over, usual = (
            np.concatenate(side, axis=min(side[0].ndim - 1, 1))
            for side in zip(*((one.size, one.shift, one.over, one.usual) for one in parts), strict=True)
        )
        return cls(size=size, shift=shift, over=over, usual=usual, longer=parts[0].longer)


def excess(values: Floats, n_normal: int, evidence: SignalEvidence) -> Excess:
    """Excess of a window over normal blocks.

    Parameters
    ----------
    values : ndarray of shape (signals, samples)
        Without seasons, trends and counters; NaN where a sample is missing.
    n_normal : int
    evidence : SignalEvidence
        Of the same signals.
    """
    failing = values[:, n_normal:]
    length = min(failing.shape[1], max(n_normal // THIRD, 1))
    blocks = n_normal // length
    normal = values[:, n_normal - blocks * length : n_normal].reshape(len(values), blocks, length)
    others = _others(normal, evidence)
    usual = [np.where(others.width > 0, one, np.minimum(one, FIRST_TIME)) for one in others.statistics(normal)]
    whole = _Scale(centre=evidence.mean[:, None], width=evidence.scale()[:, None], bad=evidence.bad[:, None])
    now = whole.statistics(failing[:, None])
    still = evidence.scale() == 0
    size, shift = (
        np.where(still, np.minimum(one[:, 0], FIRST_TIME), one[:, 0] - before.max(axis=1))
        for one, before in zip(now, usual, strict=True)
    )
    largest, second = two_largest(np.stack(usual))[..., None]
    some = np.stack(usual)[..., np.unique(np.linspace(0, blocks - 1, min(SOME, blocks)).astype(int))]
    usually = some - np.where(some == largest, second, largest)
    over = now[0][:, 0] - np.where(still, 0.0, np.quantile(usual[0], ALIKE, axis=1))
    return Excess(size=size, shift=shift, over=over, usual=usually, longer=failing.shape[1] / length)


def beyond_chance(found: Excess, systems: Systems) -> float:
    """By how much the farthest component exceeds its blocks, by size and by mean, less what chance alone brings.

    A component of which nothing comes any more is far beyond, whatever its last samples were.
    """
    if np.isfinite(systems.gone).any():
        return float(UNSEEN)

    def farthest(size: Floats, shift: Floats) -> float:
        return float(systems.mean_of_loudest(size).max() + systems.mean_of_loudest(shift).max()) / 2

    usual = np.sort([farthest(*block) for block in np.moveaxis(found.usual, 2, 0)])
    chance = float(usual[: int(np.ceil(ALIKE * len(usual)))].mean())
    return farthest(found.size, found.shift) - chance - LONGER * float(np.log(found.longer))


def _others(normal: Floats, evidence: SignalEvidence) -> "_Scale":
    """Mean and scale of the normal samples outside each block: (signals, blocks)."""
    known = np.isfinite(normal)
    off = np.where(known, normal - evidence.mean[:, None, None], 0.0)
    count, total, square = known.sum(axis=2), off.sum(axis=2), np.einsum("ijk,ijk->ij", off, off)
    left = np.maximum(count.sum(axis=1, keepdims=True) - count, 1)
    mean = (total.sum(axis=1, keepdims=True) - total) / left
    whole = square.sum(axis=1, keepdims=True)
    variance = np.maximum((whole - square) / left - mean**2, 0.0)
    variance = np.where(variance > 1e-9 * whole / left + 1e-18 * evidence.mean[:, None] ** 2, variance, 0.0)
    prior = (PRIOR_SPREAD * evidence.level[:, None]) ** 2
    scale = np.sqrt((left * variance + prior) / (left + 1) * (1 + 1 / left))
    return _Scale(centre=evidence.mean[:, None] + mean, width=scale, bad=evidence.bad[:, None])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scale:
    """Centre and width that blocks are measured by: (signals, blocks); and the bad direction."""

    centre: Floats
    width: Floats
    bad: Floats

    def statistics(self, values: Floats) -> tuple[Floats, Floats]:
        """Size of the two farthest samples, and of the mean in standard errors, of each block: (signals, blocks)."""
        known, apart = np.isfinite(values), values - self.centre[..., None]
        farthest = (two_largest(np.where(known, side, -np.inf)) for side in (apart, -apart))
        up, down = (self._sizes(np.moveaxis(side, 0, -1)).mean(axis=2) for side in farthest)
        count = np.maximum(known.sum(axis=2), 1)
        mean = np.where(known, apart, 0.0).sum(axis=2) / count
        mean = np.where(self.bad * mean < 0, 0.0, np.abs(mean)) * np.sqrt(np.minimum(count, MEAN_OF))
        largest = np.maximum(np.where(self.bad < 0, 0.0, up), np.where(self.bad > 0, 0.0, down))
        return largest, self._sizes(mean[..., None])[..., 0]

    def _sizes(self, away: Floats) -> Floats:
        """log(1 + z); of a signal that never moved by the deviations that it counts for."""
        away, width = np.where(np.isfinite(away), np.maximum(away, 0.0), 0.0), self.width[..., None]
        return np.log1p(np.where(width > 0, away / np.where(width > 0, width, 1.0), UNSEEN * (away > 0)))
