"""Regression of a series of periods whose chance runs on from one to the next, with intervals that admit to it.

What is chance in a period is in part sampling, which a period with few rows has more of; in part a process that runs
on, autoregressive of order one; and in part a season. How much of each there is cannot be told from a few dozen
periods. So it is not estimated and then believed: the answer is averaged over all of it, each mixture weighed by how
well it fits. Given the mixture the answer follows Student's t, so that the whole is a mixture of such, from which
intervals are read.

References
----------
.. [1] Zellner, A. & Tiao, G. C. (1964). Bayesian analysis of the regression model with autocorrelated errors. JASA 59,
   eq. (2.10): the coefficients given the autocorrelation, and the autocorrelation's own posterior.
.. [2] Harville, D. A. (1974). Bayesian inference for variance components using only error contrasts. Biometrika 61,
   eq. (5): the restricted likelihood is that posterior under a flat prior.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from rca.analysis.columns import Floats
from rca.finding import Interval

CARRIED = (-0.2, 0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
"""Autocorrelations of the process that runs on, each as likely beforehand."""

SAMPLED = (0.0, 0.5)
"""Shares of chance that are sampling, beside all of it."""

SEASONS = (0.0, 0.3, 1.5, 6.0)
"""Variances of a season, in those of chance."""

HALVINGS = 60
"""Steps of the search for a quantile."""

EXACT = 1e-18
"""Share of the sum of squares that rounding leaves of an exact fit."""

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Sized:
    """A number with its sampling interval, and the p-value of there being none."""

    value: float
    interval: Interval
    p_value: float

    def __str__(self) -> str:
        return f"{self.value:+.3g} ({self.interval})"


@dataclass(frozen=True, kw_only=True, eq=False)
class Noise:
    """What chance may be like, as matrices that make it white.

    Attributes
    ----------
    whitens : ndarray of shape (mixtures, periods, periods)
    log_det : ndarray of shape (mixtures,)
        Half the logarithm of the determinant of each mixture's covariance.
    """

    whitens: Floats
    log_det: Floats


def noise_of(places: Places, variance: Floats, phases: Places | None = None) -> Noise:
    """Lay out what chance may be like.

    Parameters
    ----------
    places : ndarray of int, shape (periods,)
        When each period is, in periods; where some are missing, what runs on has faded by so much.
    variance : ndarray of shape (periods,)
        Of sampling, up to a factor.
    phases : ndarray of int, shape (periods,), optional
        Weekday or hour of each period, where there may be a season.
    """
    lag = np.abs(places[:, None] - places[None, :]).astype(float)
    usual = float(variance.mean())
    sampled = np.diag(variance / usual)
    alike = np.zeros_like(lag) if phases is None else (phases[:, None] == phases[None, :]).astype(float)
    seasons = SEASONS if phases is not None else SEASONS[:1]
    mixed = [share * sampled + (1 - share) * rho**lag for share, rho in product(SAMPLED, CARRIED)]
    roots = np.linalg.cholesky(np.stack([one + size * alike for one in [*mixed, sampled] for size in seasons]))
    log_det = np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
    return Noise(whitens=np.linalg.inv(roots), log_det=log_det)


@dataclass(frozen=True, kw_only=True, eq=False)
class Regression:
    """Coefficients under every mixture, and how likely each mixture is.

    Attributes
    ----------
    coefficients : ndarray of shape (mixtures, terms)
    covariances : ndarray of shape (mixtures, terms, terms)
    shares : ndarray of shape (mixtures,)
        Posterior of the mixtures; adds up to one.
    free : int
        Degrees of freedom.
    evidence : float
        Log likelihood of the terms with their coefficients at their best, averaged over the mixtures.
    """

    coefficients: Floats
    covariances: Floats
    shares: Floats
    free: int
    evidence: float

    def value(self, contrast: Floats) -> float:
        """The estimate of a sum of coefficients."""
        return float(self.shares @ (self.coefficients @ contrast))

    def sized(self, contrast: Floats, level: float) -> Sized:
        """A sum of coefficients with its interval."""
        low, high = self.bounds(contrast[None, :], level)
        below = float(self._below(np.zeros(1), *self._spread(contrast[None, :]))[0])
        interval = Interval(low=float(low[0]), high=float(high[0]), level=level)
        return Sized(value=self.value(contrast), interval=interval, p_value=2 * min(below, 1 - below))

    def bounds(self, contrasts: Floats, level: float) -> tuple[Floats, Floats]:
        """Ends of the equal-tailed intervals of sums of coefficients, each of shape (contrasts,)."""
        at, error = self._spread(contrasts)
        reach = 1e4 * error.max(axis=0) + np.ptp(at, axis=0)
        ends = []
        for tail in ((1 - level) / 2, (1 + level) / 2):
            low, high = at.min(axis=0) - reach, at.max(axis=0) + reach
            for _ in range(HALVINGS):
                middle = (low + high) / 2
                under = self._below(middle, at, error) < tail
                low, high = np.where(under, middle, low), np.where(under, high, middle)
            ends.append((low + high) / 2)
        return ends[0], ends[1]

    def _spread(self, contrasts: Floats) -> tuple[Floats, Floats]:
        """Centre and standard error of each sum under each mixture, of shape (mixtures, contrasts)."""
        squares = np.einsum("cp,kpq,cq->kc", contrasts, self.covariances, contrasts)
        return self.coefficients @ contrasts.T, np.sqrt(np.maximum(squares, np.finfo(float).tiny))

    def _below(self, at: Floats, centre: Floats, error: Floats) -> Floats:
        """Chance that each sum lies below a number."""
        return np.asarray(self.shares @ stdtr(self.free, (at - centre) / error))


def regress(values: Floats, terms: Floats, noise: Noise) -> Regression:
    """Regress a series on terms, averaged over what its chance may be like.

    Parameters
    ----------
    values : ndarray of shape (periods,)
    terms : ndarray of shape (periods, terms)
        Of full rank, with fewer terms than periods.
    noise : Noise

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> after = (np.arange(60) >= 40).astype(float)
    >>> noise = noise_of(np.arange(60), np.ones(60))
    >>> found = regress(2 * after + rng.normal(size=60), np.column_stack([np.ones(60), after]), noise)
    >>> print(found.sized(np.array([0.0, 1.0]), 0.95))
    +2.19 (1.2 to 2.92)
    """
    periods, count = terms.shape
    free = periods - count
    white = noise.whitens @ np.column_stack([terms, values])
    base, root = np.linalg.qr(white[:, :, :count])
    response = white[:, :, count]
    along = np.einsum("knp,kn->kp", base, response)
    inverse = np.linalg.inv(root)
    left = np.maximum((response**2).sum(axis=1) - (along**2).sum(axis=1), EXACT * (response**2).sum(axis=1))
    left = np.maximum(left, np.finfo(float).tiny)
    best = -noise.log_det - free / 2 * np.log(left)
    restricted = best - np.log(np.abs(np.diagonal(root, axis1=1, axis2=2))).sum(axis=1)
    shares = np.exp(restricted - restricted.max())
    return Regression(
        coefficients=np.einsum("kpq,kq->kp", inverse, along),
        covariances=inverse @ np.swapaxes(inverse, 1, 2) * (left / free)[:, None, None],
        shares=shares / shares.sum(),
        free=free,
        evidence=float(np.logaddexp.reduce(best)),
    )
