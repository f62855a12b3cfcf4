"""When a signal began to leave its range, be it at once or by and by: an interval that does not hang on a threshold.

A threshold is crossed the later the slower a signal climbs and the noisier it is, so that crossings order signals
wrongly. What is fitted here is a climb from nothing to a level, of any length, in noise with a memory of one sample.
Its start has a profile likelihood; the interval is what that does not rule out at 95 %.
"""

from dataclasses import dataclass

import numpy as np

from rca.analysis.columns import Floats

RULED_OUT = 5.991
"""The 95 % point of the χ² distribution with two degrees of freedom: the start and the length of the climb."""

FAR = 10.0
"""Standard deviations beyond which the height of a climb says nothing more of its start."""

LONGEST = 4096
"""Samples up to the moment of being far out that are looked at."""

FORGETS = 0.98
"""The largest memory that is believed: beyond it noise is a random walk, and has no range to leave."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """The first sample of a departure: not before `earliest`, and not after `latest`."""

    earliest: int
    latest: int


def start(away: Floats, *, memory: float = 0.0, held: int = 3) -> Start:
    """The first sample of a departure that is surely in `away`.

    Parameters
    ----------
    away : ndarray of shape (samples,)
        Deviations in the direction of the departure, in standard deviations of normal times.
    memory : float
        Correlation of one normal sample with the next.
    held : int
        Samples in a row by which the departure is known.

    Returns
    -------
    Start
        Within the samples given.

    Notes
    -----
    With x(s, r) a climb of r samples that begins at s, whitened like the deviations by their memory, the likelihood of
    s is that of the best r and height, which is ⟨x, y⟩² / 2σ²⟨x, x⟩. Both products come from sums that are shared by
    all s, so that a climb of one length costs as much as one look at the samples. σ² is what is left of the deviations
    by the best climb, and no less than in normal times, so that a departure that is no such climb has a wide interval.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=200)
    >>> climb = np.clip(np.arange(200) - 99, 0, 40) / 2
    >>> start(noise + climb)
    Start(earliest=99, latest=103)
    """
    y = _until_far(np.clip(away, -FAR, FAR), held)
    skipped = max(0, len(y) - LONGEST)
    y = y[skipped:]
    memory = min(max(memory, 0.0), FORGETS)
    white = y - memory * np.r_[0.0, y[:-1]]
    weights = white - memory * np.r_[white[1:], 0.0]
    gained = np.max([_gained(weights, rise, memory) for rise in _rises(len(y))], axis=0)
    best = float(gained.max())
    left = max(float(white @ white) - best, 0.0) / max(len(y) - 3, 1)
    likely = np.flatnonzero(gained >= best - RULED_OUT * max(1 - memory**2, left))
    return Start(earliest=skipped + int(likely[0]), latest=skipped + int(likely[-1]))


def _until_far(y: Floats, held: int) -> Floats:
    """The samples up to the first few in a row that are as far out as it gets, or far."""
    low = np.lib.stride_tricks.sliding_window_view(y, min(held, len(y))).min(axis=1)
    reached = int(np.argmax(low >= min(FAR, 0.9 * float(low.max()))))
    return y[: reached + held]


def _rises(length: int) -> list[int]:
    """Lengths of climbs, each a good third longer than the one before."""
    found = [1]
    while found[-1] < length:
        found.append(max(found[-1] + 1, int(found[-1] * 1.4)))
    return found


def _gained(weights: Floats, rise: int, memory: float) -> Floats:
    """For every start, how much of the squares a climb of so many samples explains; none where it would go down."""
    length = len(weights)
    later = np.r_[np.cumsum(weights[::-1])[::-1], np.zeros(rise)]
    sums = np.r_[0.0, np.cumsum(later)]
    along = (sums[rise : rise + length] - sums[:length]) / rise
    shape = np.minimum(np.arange(1, length + 1) / rise, 1.0)
    square = np.cumsum((shape - memory * np.r_[0.0, shape[:-1]]) ** 2)[::-1]
    return np.asarray(np.maximum(along, 0.0) ** 2 / square)
