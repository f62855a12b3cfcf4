"""Linear regression of a time series with AR(1) errors, Bayesian-averaged over the error model.

The error of a period is the sum of sampling noise, whose variance falls with the rows of the period, of a first-order
autoregressive AR(1) process, and of a random seasonal effect. A few dozen periods do not identify the variance
components, so they are not plugged in: the coefficients are averaged over a grid of components and autocorrelations,
each weighed by prior times restricted likelihood (REML). Given the components a coefficient follows Student's t;
intervals are quantiles of the mixture of these, and so account for autocorrelation.

References
----------
.. [1] Zellner, A. & Tiao, G. C. (1964). Bayesian analysis of the regression model with autocorrelated errors. JASA 59,
   eq. (2.10): the coefficients given the autocorrelation, and the autocorrelation's own posterior.
.. [2] Harville, D. A. (1974). Bayesian inference for variance components using only error contrasts. Biometrika 61,
   eq. (5): the restricted likelihood is that posterior under a flat prior.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rca.arrays import Floats
from rca.finding import Interval

CARRIED = (-0.2, 0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
"""Grid of AR(1) coefficients rho, with prior weights proportional to ``sqrt(1 - rho)``: with these, intervals keep
their coverage at 20 periods as at 200."""

SAMPLED = (0.0, 0.4, 0.75)
"""Grid of the share of the error variance that is sampling; a share of one, pure sampling, is added to it."""

SEASONS = (1e-9, 0.3, 1.5, 6.0)
"""Grid of variances of the seasonal effect, relative to the error variance; the first is next to none."""

FAINT = 1e-5
"""Posterior weight, relative to the largest, below which an error model is left out."""

BATCH = 40
"""Design matrices that are whitened at once."""

STEPS = 60
"""Most Newton steps in the search for a quantile."""

CLOSE = 1e-9
"""Tolerance of that search, in standard errors."""

EXACT = 1e-12
"""Residual of an exact fit that is rounding, as a share of the largest value."""

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Sized:
    """A point estimate with its interval and the two-sided p-value of a zero effect."""

    value: float
    interval: Interval
    p_value: float

    def __str__(self) -> str:
        return f"{self.value:+.3g} ({self.interval})"


@dataclass(frozen=True, kw_only=True, eq=False)
class Noise:
    """Grid of error models: AR(1) process plus sampling noise, and the phases of a seasonal effect.

    Attributes
    ----------
    likely : ndarray of shape (mixtures,)
        Log prior weight of each.
    process : ndarray of shape (mixtures,)
        Variance of the AR(1) process.
    sampled : ndarray of shape (mixtures, periods)
        Variance of sampling.
    carried : ndarray of shape (mixtures, periods)
        Autocorrelation between a period and the one before it that has rows: ``rho ** gap``.
    seasons : ndarray of shape (periods, phases)
        Whether each period has a phase; without phases where there may be no season.
    """

    likely: Floats
    process: Floats
    sampled: Floats
    carried: Floats
    seasons: Floats

    def white(self, columns: Floats) -> tuple[Floats, Floats]:
        """Whiten columns under each error model, and give half the log determinant of its covariance.

        The covariance is a diagonal and one exponential, whose Cholesky factor is found in as many steps as periods.

        Parameters
        ----------
        columns : ndarray of shape (periods, columns)

        Returns
        -------
        white : ndarray of shape (mixtures, periods, columns)
        log_det : ndarray of shape (mixtures,)

        References
        ----------
        Foreman-Mackey, D., Agol, E., Ambikasaran, S. & Angus, R. (2017). Fast and scalable Gaussian process modeling
        with applications to astronomical time series. Astron. J. 154, eqs. (38) to (42).
        """
        size = self.process
        white, log_det = np.empty((len(size), *columns.shape)), np.zeros(len(size))
        known, told, spread = np.zeros(len(size)), np.zeros((len(size), columns.shape[1])), np.ones(len(size))
        weight, left = np.zeros(len(size)), told
        for at, row in enumerate(columns):
            kept = self.carried[:, at]
            known = kept**2 * (known + spread * weight**2)
            told = kept[:, None] * (told + weight[:, None] * left)
            spread = size + self.sampled[:, at] - size**2 * known
            weight, left = (1 - size * known) / spread, row - size[:, None] * told
            white[:, at] = left / np.sqrt(spread)[:, None]
            log_det += np.log(spread) / 2
        return white, log_det


def noise_of(places: Places, variance: Floats, phases: Places | None = None) -> Noise:
    """Build the grid of AR(1)-plus-sampling error models.

    Parameters
    ----------
    places : ndarray of int, shape (periods,)
        Position of each period on the time axis, in periods; over a gap the autocorrelation decays by its length.
    variance : ndarray of shape (periods,)
        Of sampling, up to a factor.
    phases : ndarray of int, shape (periods,), optional
        Weekday or hour of each period, where there may be a season.
    """
    mixtures = [(share, rho) for share in SAMPLED for rho in CARRIED] + [(1.0, 0.0)]
    share, rho = (np.array(one) for one in zip(*mixtures, strict=True))
    gaps = np.diff(places, prepend=places[:1]).astype(float)
    known = np.unique(phases) if phases is not None else np.zeros(0)
    return Noise(
        likely=np.log(1 - rho) / 2,
        process=1 - share,
        sampled=share[:, None] * variance / float(variance.mean()),
        carried=rho[:, None] ** gaps,
        seasons=np.zeros((len(places), 0)) if phases is None else (phases[:, None] == known).astype(float),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Regression:
    """Posterior of the coefficients: Student's t under each error model, and the weight of each model.

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
        """Posterior mean of a linear contrast of the coefficients."""
        return float(self.shares @ (self.coefficients @ contrast))

    def sized(self, contrast: Floats, level: float) -> Sized:
        """Posterior mean of a linear contrast, with its equal-tailed interval and p-value."""
        low, high = self.bounds(contrast[None, :], level)
        below = float(self._below(np.zeros(1), *self._spread(contrast[None, :]))[0])
        interval = Interval(low=float(low[0]), high=float(high[0]), level=level)
        return Sized(value=self.value(contrast), interval=interval, p_value=2 * max(min(below, 1 - below), 0.0))

    def bounds(self, contrasts: Floats, level: float) -> tuple[Floats, Floats]:
        """Ends of the equal-tailed credible intervals of linear contrasts, each of shape (contrasts,)."""
        at, error = self._spread(contrasts)
        low, high = (self._quantile(tail, at, error) for tail in ((1 - level) / 2, (1 + level) / 2))
        return low, high

    def _quantile(self, tail: float, centre: Floats, error: Floats) -> Floats:
        """Quantile of each contrast under the mixture of t distributions, by Newton's method with bisection."""
        from scipy.special import stdtrit

        reach = 1e4 * error.max(axis=0) + np.ptp(centre, axis=0)
        low, high = centre.min(axis=0) - reach, centre.max(axis=0) + reach
        found = np.asarray(self.shares @ (centre + stdtrit(self.free, tail) * error))
        for _ in range(STEPS):
            off = self._below(found, centre, error) - tail
            low, high = np.where(off < 0, found, low), np.where(off < 0, high, found)
            with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
                step = found - off / self._density(found, centre, error)
            step = np.where((step > low) & (step < high), step, (low + high) / 2)
            done, found = np.abs(step - found) <= CLOSE * error.max(axis=0), step
            if done.all():
                break
        return found

    def _spread(self, contrasts: Floats) -> tuple[Floats, Floats]:
        """Centre and standard error of each contrast under each error model, of shape (mixtures, contrasts)."""
        squares = np.einsum("cp,kpq,cq->kc", contrasts, self.covariances, contrasts)
        return self.coefficients @ contrasts.T, np.sqrt(np.maximum(squares, np.finfo(float).tiny))

    def _below(self, at: Floats, centre: Floats, error: Floats) -> Floats:
        """Distribution function of each contrast at a number."""
        from scipy.special import stdtr

        return np.asarray(self.shares @ stdtr(self.free, (at - centre) / error))

    def _density(self, at: Floats, centre: Floats, error: Floats) -> Floats:
        """Density of each contrast at a number."""
        from scipy.special import gammaln

        half = (self.free + 1) / 2
        scale = np.exp(gammaln(half) - gammaln(self.free / 2)) / np.sqrt(self.free * np.pi)
        return np.asarray(self.shares @ (scale * (1 + ((at - centre) / error) ** 2 / self.free) ** -half / error))


def regress(values: Floats, terms: Floats, noise: Noise) -> Regression:
    """Regress a series on terms with AR(1) errors, averaged over the error models by their posterior weight.

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
    +2.25 (1.37 to 2.92)
    """
    return regress_each(values, [terms], noise)[0]


def regress_each(values: Floats, several: Sequence[Floats], noise: Noise) -> list[Regression]:
    """`regress` on several design matrices, with one whitening for many of them."""
    batches = [several[at : at + BATCH] for at in range(0, len(several), BATCH)]
    return [found for batch in batches for found in _batch(values, batch, noise)]


def _batch(values: Floats, several: Sequence[Floats], noise: Noise) -> list[Regression]:
    phases = noise.seasons.shape[1]
    firsts = np.cumsum([phases, *(terms.shape[1] for terms in several)])
    starts = [np.asarray(np.linalg.lstsq(terms, values, rcond=None)[0], dtype=float) for terms in several]
    left = [values - terms @ start for terms, start in zip(several, starts, strict=True)]
    white, log_det = noise.white(np.column_stack([noise.seasons, *several, *left]))
    usual = noise.likely - log_det
    rounding = EXACT * (float(np.abs(values).max()) or 1.0)
    found = []
    for at, start in enumerate(starts):
        kept = [*range(phases), *range(firsts[at], firsts[at + 1]), firsts[-1] + at]
        columns = white[:, :, kept]
        gram = np.swapaxes(columns, 1, 2) @ columns
        found.append(_solved(gram, usual, start=start, free=len(values) - len(start), rounding=rounding))
    return found


def _solved(gram: Floats, usual: Floats, *, start: Floats, free: int, rounding: float) -> Regression:
    """Generalised least squares under every error model and seasonal variance, from whitened cross-products."""
    phases = gram.shape[1] - len(start) - 1
    sizes = np.array(SEASONS if phases else SEASONS[:1])
    normal = np.repeat(gram[:, None, :-1, :-1], len(sizes), axis=1)
    normal[..., range(phases), range(phases)] += 1 / sizes[:, None]
    along = np.repeat(gram[:, None, :-1, -1], len(sizes), axis=1)
    inverse = np.linalg.inv(normal)
    moved = np.einsum("msij,msj->msi", inverse, along)
    left = np.maximum(gram[:, None, -1, -1] - np.einsum("msi,msi->ms", along, moved), rounding**2)
    seasonal = phases / 2 * np.log(sizes)
    best = usual[:, None] - seasonal - np.linalg.slogdet(normal[..., :phases, :phases])[1] / 2
    best -= free / 2 * np.log(left)
    restricted = usual[:, None] - seasonal - np.linalg.slogdet(normal)[1] / 2 - free / 2 * np.log(left)
    shares = np.exp(restricted - restricted.max())
    kept = shares > FAINT
    spread = (left / free)[..., None, None] * inverse[..., phases:, phases:]
    return Regression(
        coefficients=(start + moved[..., phases:])[kept],
        covariances=spread[kept],
        shares=shares[kept] / shares[kept].sum(),
        free=free,
        evidence=float(np.logaddexp.reduce(best, axis=None)),
    )
