"""Profile likelihood of one change point in the mean, under an exponential tilt of the pooled values.

Values are draws from the exponential family that tilts the pooled empirical distribution: Bernoulli for flags, near to
normal for near-normal values. Only the mean of the tilt changes, so there is one parameter on either side. The
likelihood is tempered for overdispersion and correlated rows; its shortest credible interval is that of the moment.
"""

from dataclasses import dataclass, replace

import numpy as np

from rca.arrays import Floats

CELLS = 400
"""Most support points of the tilted distribution."""

CAPPED = 0.99
"""Quantile of the reference's upper half at which values are winsorised, so that a few huge losses date nothing."""

TRIM = 5
"""Fewest rows that a change has to last."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Tilt:
    """Exponential family of tilts, indexed by the mean: ``theta s - psi(theta)`` is the log density ratio to the base.

    Attributes
    ----------
    means, thetas, psis, variances : ndarray of shape (tilts,)
    """

    means: Floats
    thetas: Floats
    psis: Floats
    variances: Floats

    def fitted(self, mean: Floats) -> Floats:
        """Maximum log-likelihood a row, of rows with this mean: the Legendre transform of psi."""
        return self.said(mean, mean)

    def said(self, assumed: Floats, mean: Floats) -> Floats:
        """Log-likelihood a row of rows with a `mean`, under the tilt with the mean `assumed`."""
        theta = np.interp(assumed, self.means, self.thetas)
        return np.asarray(theta * mean - np.interp(theta, self.thetas, self.psis))

    def variance(self, mean: float) -> float:
        """Variance of a score under the tilt with a mean."""
        return float(np.interp(mean, self.means, self.variances))


def tilts(scores: Floats, weights: Floats | None = None) -> Tilt:
    """Build the exponential family of tilts of an empirical distribution.

    Parameters
    ----------
    scores : ndarray of shape (rows,)
    weights : ndarray of shape (rows,), optional
        Rows that each score stands for; one where left out.

    Examples
    --------
    >>> flags = tilts(np.repeat([0.0, 1.0], [75, 25]))
    >>> float(flags.fitted(np.array(0.5)).round(3))  # 0.5 log(0.5 / 0.75) + 0.5 log(0.5 / 0.25)
    0.144
    """
    values, weights = _cells(scores, np.ones(len(scores)) if weights is None else weights)
    mean = weights @ values
    spread = float(np.sqrt(weights @ (values - mean) ** 2)) or 1.0
    thetas = np.sinh(np.linspace(-6, 6, 401)) / 6 / spread
    exponents = np.outer(thetas, values - mean)
    top = exponents.max(axis=1, keepdims=True)
    tilted = weights * np.exp(exponents - top)
    total = tilted.sum(axis=1, keepdims=True)
    means = (tilted / total) @ values
    psis = np.log(total[:, 0]) + top[:, 0] + thetas * mean
    return Tilt(means=means, thetas=thetas, psis=psis, variances=(tilted / total) @ values**2 - means**2)


def _cells(scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Support points and their weights: distinct values, or means of quantile bins where there are many."""
    values, place = np.unique(scores, return_inverse=True)
    counts = np.bincount(place, weights=weights)
    if len(values) <= CELLS:
        return values, counts / counts.sum()
    cell = np.minimum((np.cumsum(counts) - counts) * CELLS // counts.sum(), CELLS - 1).astype(np.intp)
    held = np.bincount(cell, weights=counts, minlength=CELLS)
    sums = np.bincount(cell, weights=counts * values, minlength=CELLS)
    return sums[held > 0] / held[held > 0], held[held > 0] / held.sum()


def capped(reference: Floats, current: Floats) -> tuple[Floats, Floats]:
    """Winsorise both windows' values at the 99 % quantile of the reference's upper half.

    Where the reference holds a single value, the quantile is that of the current window.
    """
    for known in (reference, current):
        halved = known / 2  # the middle of two values as large as a double can be is one, too
        upper = known[halved > np.median(halved)] if len(known) else known
        if len(upper) >= TRIM:
            cap = float(np.quantile(upper, CAPPED, method="higher"))
            return np.minimum(reference, cap), np.minimum(current, cap)
    return reference, current


@dataclass(frozen=True, kw_only=True, eq=False)
class Course:
    """Time series of scores, summed by moment, preceded by the reference as one sum.

    Attributes
    ----------
    sums, counts : ndarray of shape (moments,)
    before : tuple of float
        Sum and count of the reference.
    tilt : Tilt
    doubt : float
        Overdispersion factor, at least 1: variance of the scores over that of the tilt.
    cluster : tuple of float
        Design effect of rows that lie close in time, and the number of rows from which it applies in full.
    """

    sums: Floats
    counts: Floats
    before: tuple[float, float]
    tilt: Tilt
    doubt: float = 1.0
    cluster: tuple[float, float] = (1.0, 1.0)

    @property
    def rows(self) -> float:
        """Rows of the current window."""
        return float(self.counts.sum())

    def until(self, moment: int) -> "Course":
        """The series before a moment."""
        return replace(self, sums=self.sums[:moment], counts=self.counts[:moment])

    def likelihood(self) -> Floats:
        """Log-likelihood ratio of a rise at each moment against no change; 0 where the mean falls there."""
        total, rows = self.sums.sum(), self.rows
        sums, counts = _ahead(self.sums), _ahead(self.counts)
        early, late = (self.before[0] + sums) / np.maximum(self.before[1] + counts, 1), (total - sums) / (rows - counts)
        alone = self.before[1] + counts == 0
        null = (self.before[1] + rows) * self.tilt.fitted((self.before[0] + total) / (self.before[1] + rows))
        risen = (self.before[1] + counts) * self.tilt.fitted(early) + (rows - counts) * self.tilt.fitted(late) - null
        return np.where((late > early) & ~alone & (rows - counts >= min(TRIM, rows)), np.maximum(risen, 0.0), 0.0)


def _ahead(values: Floats) -> Floats:
    """Exclusive cumulative sums."""
    return np.concatenate([[0.0], np.cumsum(values)[:-1]])


def overdispersion(values: Floats, tilt: Tilt) -> float:
    """Overdispersion factor: sample variance over the variance of the tilt with that mean, from 1 to 5."""
    if len(values) < TRIM:
        return 1.0
    told = tilt.variance(float(values.mean()))
    return float(np.clip(values.var() / told, 1.0, 5.0)) if told > 0 else 1.0


def tempered(likelihood: Floats, at: int, course: Course) -> Floats:
    """Tempered (power) log-likelihood relative to its maximum, divided by overdispersion and the design effect.

    The shared effect of a day cancels between rows a short distance apart, and does not over days. So the design effect
    grows with the distance from the estimate until it applies in full.
    """
    effect, size = course.cluster
    away = np.abs(np.cumsum(course.counts) - np.cumsum(course.counts)[at])
    worth = course.doubt * (1 + (effect - 1) * np.minimum(away / max(size, 1.0), 1.0))
    return np.asarray((likelihood - likelihood[at]) / worth)


def chance(likelihood: float, course: Course) -> float:
    """p-value of the maximally selected log-likelihood ratio, under no rise of the mean anywhere.

    References
    ----------
    Miller & Siegmund (1982), Maximally selected chi square statistics, Biometrics 38, eq. (1): the largest of an
    Ornstein-Uhlenbeck process over a stretch ``T``; here the signed root exceeds in one direction, and rows lie on
    one side of the first moment.

    Examples
    --------
    >>> scores = np.random.default_rng(0).normal(size=400)
    >>> course = Course(sums=scores, counts=np.ones(400), before=(0.0, 400.0), tilt=tilts(scores))
    >>> round(chance(0.5 * 3**2, course), 3)
    0.033
    """
    from scipy.stats import norm

    root = float(np.sqrt(max(2 * likelihood / (course.doubt * course.cluster[0]), 0.0)))
    if root <= 1:
        return 1.0
    rows, before = course.rows, max(course.before[1], TRIM)
    late = min(TRIM, rows / 2)
    stretch = np.log((before + rows - late) / before) + np.log(rows / late)
    return float(min(1.0, norm.pdf(root) / 2 * ((root - 1 / root) * stretch + 4 / root)))


def credible(log_likelihood: Floats, at: int, level: float) -> tuple[int, int, float]:
    """Shortest credible interval of the position under a flat prior that contains `at`.

    Returns
    -------
    first, last : int
    spare : float
        Share of the first position that the level does not need: the onset lies between the position before the first
        and the first itself, and this much of the gap can be left out.

    Examples
    --------
    >>> credible(np.log([0.01, 0.03, 0.9, 0.05, 0.01]), 2, 0.95)[:2]
    (2, 3)
    """
    mass = np.exp(log_likelihood - log_likelihood.max())
    mass /= mass.sum()
    ends = np.concatenate([[0.0], np.cumsum(mass)])
    firsts = np.arange(at + 1)
    lasts = np.maximum(np.searchsorted(ends, ends[firsts] + level - 1e-12), at + 1)
    fits = lasts <= len(mass)
    firsts, lasts = firsts[fits], lasts[fits]
    held = ends[lasts] - ends[firsts]
    best = np.lexsort((-held, lasts - firsts))[0]
    first, last = int(firsts[best]), int(lasts[best]) - 1
    return first, last, float(np.clip((held[best] - level) / mass[first], 0.0, level))
