"""Whether anything left its normal range: the failing window against blocks of normal time of the same length.

Blocks carry what a standard deviation does not: autocorrelation, rare spikes, common movements of many signals. Each
signal's statistics in the failing window are compared with the largest that it had in any normal block, scaled by the
other normal samples; what goes beyond is the excess. Of exchangeable blocks a new one exceeds the largest of B with
probability 1 / (B + 1); by how much follows an exponential tail on the scale of logarithms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rca.analysis.cascade.origin_score import Systems
from rca.analysis.cascade.signal_evidence import MEAN_OF, PRIOR_SPREAD, UNSEEN, SignalEvidence
from rca.arrays import Floats

PER_BLOCK, PER_SIGNAL = 0.2, 0.1
"""What a longer window, fewer blocks and more signals add to the excess that chance alone brings."""

QUIET, STIRRED = 0.6, 1.35
"""Excess beyond chance up to which a window is like normal time, and from which it surely is not.

Of drawn lines, 98 % of the quiet ones lie below the first, and 3 % of those whose origin leaves its range by six.
"""

FIRST_TIME = 1.0
"""Excess of a signal that never moved before, at most."""

THIRD = 3
"""Blocks that the normal samples are cut into at least."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Excess:
    """Excess of each signal's statistics over the largest of normal blocks, as differences of logarithms.

    Attributes
    ----------
    size, shift : ndarray of shape (signals,)
        Of the two farthest samples, and of the mean of the window.
    blocks : int
        Normal blocks.
    longer : float
        Length of the window in blocks, 1 at least.
    """

    size: Floats
    shift: Floats
    blocks: int
    longer: float

    @property
    def share(self) -> float:
        """Share of signals that went farther than in any normal block."""
        return float(np.mean(self.size > 0))

    @classmethod
    def joined(cls, parts: "Sequence[Excess]") -> "Excess":
        """Excess of several blocks of signals as one."""
        size, shift = (np.concatenate(side) for side in ([one.size for one in parts], [one.shift for one in parts]))
        return cls(size=size, shift=shift, blocks=parts[0].blocks, longer=parts[0].longer)


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
    usual = _others(normal, evidence).statistics(normal)
    whole = _Scale(centre=evidence.mean[:, None], width=evidence.scale()[:, None], bad=evidence.bad[:, None])
    now = whole.statistics(failing[:, None])
    still = evidence.scale() == 0
    size, shift = (
        np.where(still, np.minimum(one[:, 0], FIRST_TIME), one[:, 0] - before.max(axis=1))
        for one, before in zip(now, usual, strict=True)
    )
    return Excess(size=size, shift=shift, blocks=blocks, longer=failing.shape[1] / length)


def beyond_chance(found: Excess, systems: Systems) -> float:
    """By how much the farthest signal, component and mean exceed their blocks, less what chance alone brings.

    A component of which nothing comes any more is far beyond, whatever its last samples were.
    """
    if np.isfinite(systems.gone).any():
        return float(UNSEEN)
    several, means = (systems.mean_of_loudest(one).max() for one in (found.size, found.shift))
    chance = PER_BLOCK * np.log(found.longer / (found.blocks + 1)) + PER_SIGNAL * np.log(len(found.size))
    return float((float(found.size.max()) + several) / 4 + means / 2 - chance)


def _others(normal: Floats, evidence: SignalEvidence) -> "_Scale":
    """Mean and scale of the normal samples outside each block: (signals, blocks)."""
    known = np.isfinite(normal)
    off = np.where(known, normal - evidence.mean[:, None, None], 0.0)
    count, total, square = known.sum(axis=2), off.sum(axis=2), (off**2).sum(axis=2)
    left = np.maximum(count.sum(axis=1, keepdims=True) - count, 1)
    mean = (total.sum(axis=1, keepdims=True) - total) / left
    variance = np.maximum((square.sum(axis=1, keepdims=True) - square) / left - mean**2, 0.0)
    variance = np.where(variance > 1e-18 * evidence.mean[:, None] ** 2, variance, 0.0)
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
        known, many = np.isfinite(values), values.shape[2]
        apart = values - self.centre[..., None]
        top = np.partition(np.where(known, apart, -np.inf), max(many - 2, 0), axis=2)[..., -2:]
        bottom = -np.partition(np.where(known, apart, np.inf), min(1, many - 1), axis=2)[..., :2]
        up, down = (self._sizes(side).mean(axis=2) for side in (top, bottom))
        count = np.maximum(known.sum(axis=2), 1)
        mean = np.where(known, apart, 0.0).sum(axis=2) / count
        mean = np.where(self.bad * mean < 0, 0.0, np.abs(mean)) * np.sqrt(np.minimum(count, MEAN_OF))
        largest = np.maximum(np.where(self.bad < 0, 0.0, up), np.where(self.bad > 0, 0.0, down))
        return largest, self._sizes(mean[..., None])[..., 0]

    def _sizes(self, away: Floats) -> Floats:
        """log(1 + z); of a signal that never moved by the deviations that it counts for."""
        away, width = np.where(np.isfinite(away), np.maximum(away, 0.0), 0.0), self.width[..., None]
        return np.log1p(np.where(width > 0, away / np.where(width > 0, width, 1.0), UNSEEN * (away > 0)))
