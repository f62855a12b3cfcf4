"""Two-sample Kolmogorov-Smirnov (KS) test and Wasserstein distance from one sort, with p-values valid under ties.

The KS distance is taken only between distinct values. Its p-value is that of the permutation distribution given the
pooled values, ties included: exact by counting lattice paths for small samples, else the crossing probability of a
Brownian bridge that is observed only where a value is complete. Where no value repeats it is the classical KS test.

References
----------
.. [1] Schröer & Trenkler (1995), Comput. Stat. Data Anal. 20(2): the exact distribution given ties, by counting paths.
.. [2] Doob (1949), Ann. Math. Stat. 20(3): the limit is the largest excursion of a Brownian bridge.
"""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rca.arrays import Floats, Mask

EXACT_UP_TO = 1_000_000
"""Product ``n m`` of the sample sizes up to which the p-value is exact."""

PATHS_UP_TO = 100_000
"""The same with ties, where lattice paths are counted; above, the asymptotic p-value is as good."""

FEWEST, RAREST = 50, 10
"""Rows of a window, and expected rows of values other than the mode, below which the asymptotic p-value is not used."""

GRAIN = 0.001
"""Share of the rows from which a tied value counts as an atom (a jump of the limiting bridge)."""

SHORTEST = 1e-4
"""Share of the rows below which a continuous stretch between atoms is too short for the grid."""

CELLS = 256
"""Grid points on which the density of the bridge is kept."""

NARROWEST = 0.05
"""Half-width of the corridor below which the crossing probability is one, all but surely."""

CHUNK = 16_384
"""Rows looked at together where sums are taken, so that they stay in the processor's cache."""

CERTAIN = 1e-7
"""p-value below which the tie correction is skipped; the continuous KS p-value, which is conservative, is given."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Merged:
    """Two sorted samples merged, with the difference of their empirical distribution functions.

    Attributes
    ----------
    reference, current : ndarray of shape (n,) and (m,)
        Ascending.
    values : ndarray of shape (n + m,)
        Of both, ascending.
    apart : ndarray of int, shape (n + m,)
        ``n m (F - G)`` once a row is counted; its last is 0.
    last : ndarray of bool, shape (n + m,)
        Whether a row is the last of its value: only there are F and G both complete.
    widest : int
        Where F and G are farthest apart.
    """

    reference: Floats
    current: Floats
    values: Floats
    apart: npt.NDArray[np.int64]
    last: Mask
    widest: int

    @property
    def sizes(self) -> tuple[int, int]:
        """Rows of each window."""
        return len(self.reference), len(self.current)

    def shares_below(self) -> tuple[float, float]:
        """F and G where they are farthest apart."""
        n, m = self.sizes
        theirs = ((self.widest + 1) * m - int(self.apart[self.widest])) // (n + m)
        return (self.widest + 1 - theirs) / n, theirs / m

    def distance(self) -> float:
        """Kolmogorov-Smirnov (KS) distance ``max |F(x) - G(x)|``."""
        n, m = self.sizes
        return self._reach() / (n * m)

    def distance_beyond(self, slack: float) -> float:
        """The part of the distance that no change of rows by `slack` or less explains: ``max F(x) - G(x + slack)``.

        The same the other way round. At least that share of rows would have to change by more than `slack`.

        References
        ----------
        Strassen (1965), Ann. Math. Stat. 36(2), theorem 11.
        """
        with np.errstate(over="ignore"):
            return max(_ahead(self.reference, self.current, slack), _ahead(self.current, self.reference, slack))

    def wasserstein(self) -> float | None:
        """Wasserstein-1 (earth mover's) distance ``integral |F - G| dx``; None where that is not finite.

        References
        ----------
        Vallender (1974), Theory Probab. Appl. 18(4): in one dimension it is the area between F and G.
        """
        if not np.isfinite(self.values[[0, -1]]).all():
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            area = sum(self._area(start, start + CHUNK) for start in range(0, len(self.values) - 1, CHUNK))
        return area if math.isfinite(area) else None

    def _area(self, start: int, end: int) -> float:
        """The part of the integral from some row to another."""
        n, m = self.sizes
        widths = np.diff(self.values[start : end + 1])
        return float(np.abs(self.apart[start : start + len(widths)] / (n * m)) @ widths)

    def p_value(self) -> float:
        """p-value of the KS test given the ties: exact, by counting paths, or asymptotic, by the sample sizes."""
        n, m = self.sizes
        if not self._reach():
            return 1.0
        distinct = bool(self.last.all())
        if n * m <= EXACT_UP_TO and (distinct or n + m > PATHS_UP_TO):
            return exact_p_value(self.reference, self.current)
        if distinct:
            return _smooth(self.distance(), (n, m))[1]
        if n * m <= PATHS_UP_TO or (n * m <= EXACT_UP_TO and self._few()):
            return _paths(self._reach(), self.last, n)
        return asymptotic_p_value(self.distance(), (n, m), self._runs() / (n + m))

    def _few(self) -> bool:
        """Whether a window has few rows, or few outside the mode, so that the asymptotic p-value is not used."""
        least, total = min(self.sizes), len(self.values)
        return least < FEWEST or (total - int(self._runs().max())) * least < RAREST * total

    def _reach(self) -> int:
        return abs(int(self.apart[self.widest]))

    def _runs(self) -> npt.NDArray[np.int64]:
        """Rows of each distinct value (run lengths of ties)."""
        return np.diff(np.flatnonzero(self.last), prepend=-1)


def merge(reference: Floats, current: Floats) -> Merged:
    """Merge two sorted samples and take the difference of their empirical distribution functions.

    Parameters
    ----------
    reference, current : ndarray of shape (rows,)
        Ascending, without missing values; of any two lengths.

    Examples
    --------
    >>> found = merge(np.arange(4.0), np.arange(4.0) + 2)
    >>> found.distance(), found.wasserstein(), round(found.p_value(), 4)
    (0.5, 2.0, 0.4)
    """
    n, m = len(reference), len(current)
    places = np.searchsorted(reference, current, side="right")
    places += np.arange(m)
    # In place, since memory that is asked for anew costs more here than the sums do.
    apart = np.full(n + m, m, dtype=np.int64)
    apart[places] = -n
    values = np.empty(n + m)
    values[places], values[np.flatnonzero(apart > 0)] = current, reference
    np.cumsum(apart, out=apart)
    last = np.ones(n + m, dtype=bool)
    np.not_equal(values[1:], values[:-1], out=last[:-1])
    return Merged(
        reference=reference, current=current, values=values, apart=apart, last=last, widest=_widest(apart, last)
    )


def _ahead(one: Floats, other: Floats, slack: float) -> float:
    """The farthest that one distribution function is above the other at a value `slack` greater; 0 where it is not."""
    theirs = np.searchsorted(other, one + slack, side="right") / len(other)
    return max(0.0, float((np.arange(1, len(one) + 1) / len(one) - theirs).max()))


def _widest(apart: npt.NDArray[np.int64], last: Mask) -> int:
    """Position of the largest ``|F - G|``, at the last row of a tie; the first such position."""
    if last.all():
        return _farthest(apart)
    ends = np.flatnonzero(last)
    return int(ends[_farthest(apart[ends])])


def _farthest(apart: npt.NDArray[np.int64]) -> int:
    """Position of the largest absolute value."""
    low, high = int(np.argmin(apart)), int(np.argmax(apart))
    if -apart[low] == apart[high]:
        return min(low, high)
    return low if -apart[low] > apart[high] else high


def exact_p_value(reference: Floats, current: Floats) -> float:
    """Exact KS p-value for continuous data; conservative where values repeat."""
    from scipy.stats import ks_2samp

    with warnings.catch_warnings():
        # Of windows that are nearly the same, rounding takes the exact p-value over 1.
        warnings.simplefilter("ignore", RuntimeWarning)
        return min(1.0, float(ks_2samp(reference, current, method="exact").pvalue))


def _paths(reach: int, last: Mask, n: int) -> float:
    """Exact mid-p value of the KS test given ties, ``P(D > d) + P(D = d) / 2``, by counting lattice paths.

    References
    ----------
    Schröer & Trenkler (1995), section 2; the path of counts is followed row by row as draws without replacement.
    """
    total = len(last)
    m, rows = total - n, np.arange(n + 1)
    chance, out = np.zeros((2, n + 1)), np.zeros(2)
    chance[:, 0] = 1.0
    for step in range(1, total):
        left = total - step + 1
        ours = chance * ((n - rows) / left)
        chance *= (m - step + 1 + rows) / left
        chance[:, 1:] += ours[:, :-1]
        if last[step - 1]:
            apart = np.abs(rows * total - step * n)
            beyond = np.stack([apart >= reach, apart > reach])
            out += (chance * beyond).sum(axis=1)
            chance[beyond] = 0.0
    return float(min(1.0, out.mean()))


def asymptotic_p_value(distance: float, sizes: tuple[int, int], shares: Floats) -> float:
    """Asymptotic KS p-value given ties: a Brownian bridge leaves ``[-c, c]``, ``c = distance sqrt(n m / (n + m))``.

    The bridge is observed where a value is complete. Between atoms it is absorbed at ``-c`` and ``c`` (sine series);
    over an atom it takes one normal step and is observed after it.

    Parameters
    ----------
    distance : float
    sizes : (int, int)
        Rows of each window, n and m.
    shares : ndarray of shape (distinct values,)
        Of the pooled rows, in order; they add up to 1.

    References
    ----------
    Doob (1949), section 2. Where no value repeats, few rows are corrected for as in Stephens (1970), J. R. Stat. Soc. B
    32(1), table 1; atoms need no correction.
    """
    c, above = _smooth(distance, sizes, 1 - float(shares[shares >= GRAIN].sum()))
    if above < CERTAIN or shares.max() < GRAIN:
        return above
    lengths, atoms = _steps(shares)
    return min(_leaves(max(c, NARROWEST), lengths, atoms), above) if len(lengths) > 1 else above


def smooth_p_value(distance: float, sizes: tuple[int, int]) -> float:
    """Asymptotic KS p-value of two samples of any `sizes`; conservative where values repeat.

    >>> smooth_p_value(0.0, (40, 50)), round(smooth_p_value(0.1358, (200, 200)), 3)
    (1.0, 0.045)
    """
    return _smooth(distance, sizes)[1]


def _smooth(distance: float, sizes: tuple[int, int], untied: float = 1.0) -> tuple[float, float]:
    """Half-width c of the corridor, and the crossing probability for continuous data (Kolmogorov's distribution)."""
    from scipy.special import kolmogorov

    root = math.sqrt(sizes[0] * sizes[1] / sum(sizes))
    c = (root + untied * (0.12 + 0.11 / root)) * distance
    return c, float(kolmogorov(c))


def _leaves(c: float, lengths: list[float], atoms: list[bool]) -> float:
    """Probability that the bridge leaves ``[-c, c]``, propagated from one observation to the next."""
    bridge = _Bridge(c)
    density = bridge.start(lengths[0], atom=atoms[0])
    for length, atom in zip(lengths[1:-1], atoms[1:-1], strict=True):
        density = bridge.jump(density, length) if atom else bridge.stretch(density, length)
    home = bridge.start(lengths[-1], atom=atoms[-1])
    return max(1 - float(density @ home) * bridge.width * math.sqrt(2 * math.pi), 0.0)


def _steps(shares: Floats) -> tuple[list[float], list[bool]]:
    """Time steps between observations, and which are atoms; values below `GRAIN` are pooled into stretches."""
    big = shares >= GRAIN
    first = np.flatnonzero(big | np.append(True, big[:-1]))
    lengths, atoms = np.add.reduceat(shares, first), big[first]
    kept = lengths >= SHORTEST
    # What is too short to be a step belongs to the next one that is not, or to the last.
    ends = np.append(np.cumsum(lengths)[kept][:-1], 1.0)
    return np.diff(ends, prepend=0.0).tolist(), atoms[kept].tolist()


class _Bridge:
    """Sub-densities of a Brownian motion killed outside ``[-c, c]``, on a grid."""

    def __init__(self, c: float) -> None:
        from scipy.fft import next_fast_len

        self.width = 2 * c / CELLS
        self.points = (np.arange(CELLS) + 0.5) * self.width - c
        self.decay = -((np.arange(1, CELLS + 1) * math.pi / (2 * c)) ** 2) / 2
        self.padded = next_fast_len(math.ceil(CELLS * (1 + 3 / c)), real=True)
        self.spread = -((2 * math.pi * np.fft.rfftfreq(self.padded, self.width)) ** 2) / 2
        self.origin = np.sin(np.arange(1, CELLS + 1) * math.pi / 2) / c

    def start(self, length: float, *, atom: bool) -> Floats:
        """Density a time `length` after, or before, the motion is at 0."""
        if atom:
            return np.asarray(np.exp(-(self.points**2) / (2 * length)) / math.sqrt(2 * math.pi * length))
        from scipy.fft import idst

        modes = self.origin * np.exp(self.decay * length)
        modes[-1] *= 2
        return np.asarray(idst(modes, type=2) * CELLS)

    def jump(self, density: Floats, length: float) -> Floats:
        """Propagate over an atom: a normal step, then killing outside the corridor."""
        from scipy.fft import irfft, rfft

        moved = irfft(rfft(density, self.padded) * np.exp(self.spread * length), self.padded)
        return np.asarray(moved[:CELLS])

    def stretch(self, density: Floats, length: float) -> Floats:
        """Propagate over a continuous stretch with absorbing ends."""
        from scipy.fft import dst, idst

        return np.asarray(idst(dst(density, type=2) * np.exp(self.decay * length), type=2))
