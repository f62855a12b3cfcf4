"""Onset of a ramp of any length, abrupt included, by profile likelihood in AR(1) noise.

A threshold is crossed the later the slower a signal climbs and the noisier it is, so that crossings order signals
wrongly. What is fitted here is a ramp from zero to a level, of any length, in AR(1) noise. Its start has a profile
likelihood; the interval is the set of starts that a likelihood ratio does not reject at 95 %.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from rca.arrays import Floats

RULED_OUT = 5.991
"""The 95 % point of the χ² distribution with two degrees of freedom: the start and the length of a climb."""

STRAIGHT, FORMS = 1.0, (1.0, 2.0)
"""Powers of time that a ramp may follow: linear, and quadratic, as leaks and queues do."""

FAR = 10.0
"""Robust z-score at which samples are clipped: the height of a ramp says no more of its start."""

LONGEST = 2048
"""Samples up to the moment of being far out; of more, the means of some in a row are looked at."""

FORGETS = 0.98
"""Largest AR(1) coefficient that is allowed: beyond it noise is a random walk, and has no range to leave."""


@dataclass(frozen=True, kw_only=True)
class DepartureOnset:
    """Interval of the onset of a departure, as sample positions.

    Attributes
    ----------
    earliest, latest : int
        Not before the one, and not after the other, for either form of ramp.
    straight : (int, int)
        The same for linear ramps alone: not to be reported, but to compare departures by.
    """

    earliest: int
    latest: int
    straight: tuple[int, int]


def departure_onset(away: Floats, *, memory: float = 0.0, held: int = 3) -> DepartureOnset:
    """Onset interval of a departure: profile likelihood of the start of a ramp in AR(1) noise.

    Parameters
    ----------
    away : ndarray of shape (samples,)
        Deviations in the direction of the departure, in standard deviations of normal times.
    memory : float
        Lag-1 autocorrelation of normal samples.
    held : int
        Samples in a row by which the departure is known.

    Returns
    -------
    DepartureOnset
        Within the samples given.

    Notes
    -----
    With x(s, r) a ramp of r samples that begins at s, whitened like the deviations by the AR(1) filter, the profile
    log-likelihood of s is that of the best r, form and height, which is ⟨x, y⟩² / 2σ²⟨x, x⟩. A ramp has the same form
    wherever it begins, so that ⟨x, y⟩ is a correlation, computed for all s at once. σ² is the residual variance of the
    best ramp, and no less than in normal times, so that a departure that is no such ramp has a wide interval.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=200)
    >>> climb = np.clip(np.arange(200) - 99, 0, 40) / 2
    >>> departure_onset(noise + climb)
    DepartureOnset(earliest=91, latest=103, straight=(99, 103))
    """
    y = _until_far(np.clip(away, -FAR, FAR), held)
    memory = min(max(memory, 0.0), FORGETS)
    every = -(-len(y) // LONGEST)
    if every == 1:
        whole, straight = (_likely(y, memory, forms=forms) for forms in (FORMS, (STRAIGHT,)))
        return DepartureOnset(earliest=whole[0], latest=whole[1], straight=straight)
    skipped = len(y) % every
    means = y[skipped:].reshape(-1, every).mean(axis=1)
    both = (_likely(means, memory**every, forms=forms) for forms in (FORMS, (STRAIGHT,)))
    whole, straight = (
        (skipped + first * every if first else 0, min(skipped + (last + 2) * every, len(y)) - 1) for first, last in both
    )
    return DepartureOnset(earliest=whole[0], latest=whole[1], straight=straight)


def _likely(y: Floats, memory: float, *, forms: tuple[float, ...]) -> tuple[int, int]:
    """First and last start that the profile likelihood does not reject at 95 %."""
    white = y - memory * np.r_[0.0, y[:-1]]
    weights = white - memory * np.r_[white[1:], 0.0]
    size = 2 ** int(np.ceil(np.log2(2 * len(y))))
    turned = np.fft.rfft(weights, size)
    gained = np.zeros(len(y))
    for rise in _rises(len(y)):
        for form in forms if rise > 1 else (STRAIGHT,):
            shape, spectrum = _climb(rise, form, size)
            along = np.fft.irfft(turned * spectrum, size)[: len(y)]
            square = np.cumsum((shape[: len(y)] - memory * np.r_[0.0, shape[: len(y) - 1]]) ** 2)[::-1]
            np.maximum(gained, np.maximum(along, 0.0) ** 2 / square, out=gained)
    best = float(gained.max())
    left = max(float(white @ white) - best, 0.0) / max(len(y) - 3, 1)
    likely = np.flatnonzero(gained >= best - RULED_OUT * max(1 - memory**2, left))
    return int(likely[0]), int(likely[-1])


@lru_cache(maxsize=512)
def _climb(rise: int, form: float, size: int) -> tuple[Floats, npt.NDArray[np.complex128]]:
    """A ramp to 1 of the given length, over half of `size`; and its conjugate spectrum, for correlation by FFT."""
    shape = np.minimum(np.arange(1, size // 2 + 1) / rise, 1.0) ** form
    return shape, np.conj(np.fft.rfft(shape, size))


def _until_far(y: Floats, held: int) -> Floats:
    """The samples up to the first few in a row that are as far out as it gets, or far."""
    low = np.lib.stride_tricks.sliding_window_view(y, min(held, len(y))).min(axis=1)
    reached = int(np.argmax(low >= min(FAR, 0.9 * float(low.max()))))
    return y[: reached + held]


def _rises(length: int) -> list[int]:
    """Grid of ramp lengths, each a good third longer than the one before."""
    found = [1]
    while found[-1] < length:
        found.append(max(found[-1] + 1, int(found[-1] * 1.4)))
    return found
