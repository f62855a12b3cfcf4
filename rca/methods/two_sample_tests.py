"""Two-sample tests (KS, chi-square, Fisher's mid-p), Benjamini-Hochberg q-values, and intervals of effect sizes."""

import math
from collections.abc import Sequence

import numpy as np

from rca.arrays import Counts, Floats
from rca.finding import Interval
from rca.methods.kolmogorov_smirnov import merge

RAREST = 10
"""Cell counts below which the chi-square approximation is not trusted."""

ALIKE = 1e-7
"""Relative difference below which two probabilities are equal, but for rounding."""

KOLMOGOROV = 1.358
"""95 % quantile of Kolmogorov's distribution."""

Z = 1.959963984540054
"""97.5 % quantile of the normal distribution."""


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Benjamini-Hochberg (BH) q-values: the smallest false discovery rate at which each test is rejected.

    References
    ----------
    Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57(1), eq. (1).

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03])
    [0.03, 0.04, 0.04]
    """
    if not len(p_values):
        return []
    from scipy.stats import false_discovery_control

    adjusted: list[float] = false_discovery_control(np.clip(p_values, 0, 1)).tolist()
    return adjusted


def kolmogorov_smirnov(reference: Floats, current: Floats) -> tuple[float, float]:
    """Two-sample Kolmogorov-Smirnov (KS) test: the distance ``max |F(x) - G(x)|`` and its p-value given ties.

    Parameters
    ----------
    reference, current : ndarray of shape (rows,)
        Without missing values; of any two lengths and in any order.

    Returns
    -------
    distance, p_value : float
        Both between 0 and 1.

    Examples
    --------
    >>> kolmogorov_smirnov(np.arange(4.0), np.arange(4.0) + 2)[0]
    0.5
    """
    merged = merge(np.sort(reference), np.sort(current))
    return merged.distance(), merged.p_value()


def kolmogorov_distance(reference: Floats, current: Floats) -> float:
    """Kolmogorov-Smirnov (KS) distance between two samples: ``max |F(x) - G(x)|``.

    >>> kolmogorov_distance(np.arange(4.0), np.arange(4.0) + 2)
    0.5
    """
    return merge(np.sort(reference), np.sort(current)).distance()


def chance_distance(n: int, m: int) -> float:
    """Asymptotic 95 % quantile of the two-sample KS distance under equal distributions, for `n` and `m` rows.

    References
    ----------
    Smirnov (1948), Ann. Math. Stat. 19(2), table for estimating the goodness of fit.

    Examples
    --------
    >>> round(chance_distance(200, 200), 4)
    0.1358
    """
    return KOLMOGOROV * math.sqrt(1 / n + 1 / m)


def distance_interval(distance: float, n: int, m: int, *, below: tuple[float, float] | None = None) -> Interval:
    """Conservative 95 % confidence interval of a Kolmogorov-Smirnov (KS) distance.

    Where the windows are farthest apart in truth they cannot seem farther apart than `distance`, so that above it a
    normal error suffices. Below it, Smirnov's band has to be allowed for: the largest of many distances is too large.

    Parameters
    ----------
    distance : float
    n, m : int
    below : (float, float), optional
        Share of each window at or below the value where they are farthest apart; where it is left out, the band is
        used above as well.

    Returns
    -------
    Interval
        It covers in at least 95 % of draws; 96 to 99 % were measured.

    Examples
    --------
    >>> print(distance_interval(0.3, 200, 200), "|", distance_interval(0.3, 200, 200, below=(0.6, 0.3)))
    0.164 to 0.436 | 0.164 to 0.393
    """
    above = band = chance_distance(n, m)
    if below is not None:
        above = min(band, Z * math.hypot(*_errors(np.array(below), np.array([n, m]))))
    return Interval(low=max(0.0, distance - band), high=min(1.0, distance + above))


def _errors(rates: Floats, sizes: Counts) -> Floats:
    """Binomial standard errors of rates."""
    return np.asarray(np.sqrt(rates * (1 - rates) / sizes))


def chi_square(counts: Counts) -> tuple[float, float]:
    """Pearson's chi-square test of homogeneity: statistic and p-value; (0, 1) for a single category.

    Parameters
    ----------
    counts : ndarray of int, shape (2, categories)
        One row a window.

    References
    ----------
    Pearson (1900), Phil. Mag. 50(302), as `scipy.stats.chi2_contingency` has it, without Yates's correction.

    Examples
    --------
    >>> statistic, p_value = chi_square(np.array([[30, 20], [20, 30]]))
    >>> round(statistic, 3), round(p_value, 4)
    (4.0, 0.0455)
    """
    from scipy.special import chdtrc

    counts = counts[:, counts.sum(axis=0) > 0]
    if counts.shape[1] < 2:
        return 0.0, 1.0
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return statistic, float(chdtrc(counts.shape[1] - 1, statistic))


def variation_interval(variation: float, shares: Floats, sizes: tuple[int, int]) -> Interval:
    """Conservative 95 % confidence interval of the total variation distance between two multinomial samples.

    The variation is ``P(S) - Q(S)`` over the categories S that grew, with a normal error. Above the estimate that is
    enough, as no other set is farther apart in truth. Below it, what chance adds is taken off: a category whose shares
    differ by no more than two standard errors s counts as if it had not moved, and adds ``s sqrt(2 / pi) / 2``.

    Parameters
    ----------
    variation : float
    shares : ndarray of shape (2, categories)
        Each row adds up to 1.
    sizes : (int, int)
        Rows of each window.

    Returns
    -------
    Interval
        95 to 100 % coverage was measured for 2 to 50 categories: conservative where many have not moved.

    References
    ----------
    Leone, Nelson & Nottingham (1961), Technometrics 3(4): the mean of a folded normal.

    Examples
    --------
    >>> print(variation_interval(0.2, np.array([[0.5, 0.5], [0.3, 0.7]]), (200, 200)))
    0.106 to 0.294
    """
    from scipy.special import ndtr

    errors = np.hypot(*(_errors(window, size) for window, size in zip(shares, np.array(sizes), strict=True)))
    apart = np.abs(shares[1] - shares[0]) / np.where(errors > 0, errors, 1.0)
    folded = np.sqrt(2 / np.pi) * np.exp(-(apart**2) / 2) - 2 * apart * ndtr(-apart)
    added = float(errors @ np.where(apart <= 2, np.sqrt(2 / np.pi), folded)) / 2
    grown = (shares * (shares[1] > shares[0])).sum(axis=1).clip(0, 1)
    error = Z * math.hypot(*_errors(grown, np.array(sizes)))
    return Interval(low=max(0.0, variation - error - added), high=min(1.0, variation + error))


def is_sparse(counts: Counts) -> bool:
    """Whether an expected count is below `RAREST`: judged by the margins of the table, never by the difference."""
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / max(counts.sum(), 1)
    return bool(expected.min() < RAREST)


def two_rates(counts: Counts) -> float:
    """p-value of equal rates in a two-by-two table: Fisher's exact mid-p where it is sparse, else chi-square.

    Fisher's exact p-value is too large, as few tables are possible; counting only half of the tables that are as
    unlikely as the one at hand brings its false alarms near to their rate.

    Parameters
    ----------
    counts : ndarray of int, shape (2, 2)
        One row a window: without, with.

    References
    ----------
    Lancaster (1961), J. Am. Stat. Assoc. 56(294), section 3.

    Examples
    --------
    >>> round(two_rates(np.array([[3, 1], [1, 3]])), 4)
    0.2571
    """
    from scipy.stats import hypergeom

    if not is_sparse(counts) or not counts.sum(axis=0).all():
        return chi_square(counts)[1]
    n, m = counts.sum(axis=1).tolist()
    rare = int(np.argmin(counts.sum(axis=0)))
    hits = int(counts[:, rare].sum())
    chances = hypergeom.pmf(np.arange(max(0, hits - m), min(n, hits) + 1), n + m, hits, n)
    seen = chances[int(counts[0, rare]) - max(0, hits - m)]
    as_rare = chances <= seen * (1 + ALIKE)
    alike = as_rare & (chances >= seen * (1 - ALIKE))
    return float(min(1.0, chances[as_rare].sum() - chances[alike].sum() / 2))


def rates_interval(rates: Floats, sizes: Counts) -> Interval:
    """Newcombe's hybrid score interval (from Wilson's), of the absolute difference of two rates.

    Parameters
    ----------
    rates, sizes : ndarray of shape (2,)
        Of each window.

    Returns
    -------
    Interval
        Within 0 and 1; it holds the difference itself.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, method 10 (Wilson limits of each rate, squared and added).

    Examples
    --------
    >>> print(rates_interval(np.array([0.8, 0.6]), np.array([70, 80])))
    0.0524 to 0.334
    """
    centre = (rates + Z**2 / (2 * sizes)) / (1 + Z**2 / sizes)
    half = Z * np.sqrt(rates * (1 - rates) / sizes + Z**2 / (4 * sizes**2)) / (1 + Z**2 / sizes)
    low, high = centre - half, centre + half
    difference = float(rates[1] - rates[0])
    below = difference - math.hypot(rates[1] - low[1], high[0] - rates[0])
    above = difference + math.hypot(high[1] - rates[1], rates[0] - low[0])
    nearest, farthest = sorted((abs(below), abs(above)))
    nearest = nearest if below * above > 0 else 0.0
    return Interval(low=min(nearest, abs(difference)), high=min(1.0, max(farthest, abs(difference))))


def overdispersion(counts: Floats | Counts, expected: Floats | Counts) -> float:
    """How many times farther counts lie from those expected than counts of independent rows do; 1 at least.

    Rows that repeat others, as those of one customer do, make every value come in clusters.

    Parameters
    ----------
    counts, expected : ndarray of shape (values,)
        Of one window, and in proportion to those of the other.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, section 4.5.1.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> one, other = rng.poisson(9, (2, 400))
    >>> overdispersion(one, other) < 1.2, overdispersion(5 * one, 5 * other) > 4
    (True, True)
    """
    counts, expected = np.array(counts, dtype=float), np.array(expected, dtype=float)
    if not min(counts.sum(), expected.sum()):
        return 1.0
    times = counts.sum() / expected.sum()
    told = counts + expected > 0
    apart = (counts - times * expected)[told] ** 2 / (counts + times**2 * expected)[told]
    return max(1.0, float(apart.mean()))
