"""Two samples: the tests of whether they differ, and the intervals of how far."""

import math
import warnings
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rca.finding import Interval

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

EXACT_UP_TO = 1_000_000
"""Product of the sample sizes up to which the Kolmogorov-Smirnov p-value is exact."""

RAREST = 10
"""Counts below which the chi-square approximation is not trusted."""

KOLMOGOROV = 1.358
"""95 % quantile of Kolmogorov's distribution."""

Z = 1.959963984540054
"""97.5 % quantile of the normal distribution."""


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Smallest false discovery rate at which each test would be rejected.

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
    """Largest distance between two empirical distribution functions, and its p-value.

    Parameters
    ----------
    reference, current : ndarray of shape (rows,)
        Without missing values; of any two lengths.

    Returns
    -------
    distance, p_value : float
        Both between 0 and 1.

    References
    ----------
    Exact where the product of the sizes is at most a million; else Stephens (1970), J. R. Stat. Soc. B 32(1), table 1.

    Examples
    --------
    >>> kolmogorov_smirnov(np.arange(4.0), np.arange(4.0) + 2)[0]
    0.5
    """
    from scipy.special import kolmogorov
    from scipy.stats import ks_2samp

    n, m = len(reference), len(current)
    if n * m <= EXACT_UP_TO:
        with warnings.catch_warnings():
            # Of windows that are nearly the same, rounding takes the exact p-value over 1.
            warnings.simplefilter("ignore", RuntimeWarning)
            found = ks_2samp(reference, current, method="exact")
        return float(found.statistic), min(1.0, float(found.pvalue))
    distance, root = kolmogorov_distance(reference, current), math.sqrt(n * m / (n + m))
    return distance, float(kolmogorov((root + 0.12 + 0.11 / root) * distance))


def kolmogorov_distance(reference: Floats, current: Floats) -> float:
    """Largest distance between two empirical distribution functions: ``max |F(x) - G(x)|``.

    >>> kolmogorov_distance(np.arange(4.0), np.arange(4.0) + 2)
    0.5
    """
    first, second = np.sort(reference), np.sort(current)
    steps = np.concatenate([first, second])
    below = [np.searchsorted(window, steps, side="right") / len(window) for window in (first, second)]
    return float(np.abs(below[0] - below[1]).max())


def chance_distance(n: int, m: int) -> float:
    """Kolmogorov-Smirnov distance that windows of `n` and `m` alike rows keep within in 95 % of draws.

    References
    ----------
    Smirnov (1948), Ann. Math. Stat. 19(2), table for estimating the goodness of fit.

    Examples
    --------
    >>> round(chance_distance(200, 200), 4)
    0.1358
    """
    return KOLMOGOROV * math.sqrt(1 / n + 1 / m)


def distance_interval(distance: float, n: int, m: int) -> Interval:
    """Interval of a Kolmogorov-Smirnov distance: the estimate is this near the truth in 95 % of draws.

    >>> print(distance_interval(0.3, 200, 200))
    0.164 to 0.436
    """
    half = chance_distance(n, m)
    return Interval(low=max(0.0, distance - half), high=min(1.0, distance + half))


def chi_square(counts: Counts) -> tuple[float, float]:
    """Pearson's two-sample statistic of a table, and its p-value; (0, 1) for a single category.

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
    from scipy.stats import chi2_contingency

    counts = counts[:, counts.sum(axis=0) > 0]
    if counts.shape[1] < 2:
        return 0.0, 1.0
    found = chi2_contingency(counts, correction=False)
    return float(found.statistic), float(found.pvalue)


def variation_interval(variation: float, shares: Floats, sizes: tuple[int, int]) -> Interval:
    """Interval of a total variation between two windows.

    The estimate is within ``e = sqrt(log(40) / 2 * (1/n + 1/m))`` of its mean in 95 % of draws, since one row moves it
    by 1/n, and its mean exceeds the truth by at most half the sum of the cells' standard errors.

    Parameters
    ----------
    variation : float
    shares : ndarray of shape (2, categories)
        Each row adds up to 1.
    sizes : (int, int)
        Rows of each window.

    References
    ----------
    McDiarmid (1989), On the method of bounded differences, lemma (1.2).
    """
    n, m = sizes
    spread = math.sqrt(math.log(2 / 0.05) / 2 * (1 / n + 1 / m))
    bias = float(np.sqrt(shares[0] * (1 - shares[0]) / n + shares[1] * (1 - shares[1]) / m).sum() / 2)
    return Interval(low=max(0.0, variation - spread - bias), high=min(1.0, variation + spread))


def is_sparse(counts: Counts) -> bool:
    """Whether a two-by-two table of counts is too thin for the chi-square approximation."""
    return bool(counts.min() < RAREST)


def two_rates(counts: Counts) -> float:
    """p-value of two windows having one rate: Fisher's exact test where the table is sparse, else chi-square.

    Parameters
    ----------
    counts : ndarray of int, shape (2, 2)
        One row a window: without, with.

    Examples
    --------
    >>> round(two_rates(np.array([[3, 1], [1, 3]])), 4)
    0.4857
    """
    from scipy.stats import fisher_exact

    return float(fisher_exact(counts).pvalue) if is_sparse(counts) else chi_square(counts)[1]


def rates_interval(rates: Floats, sizes: Counts) -> Interval:
    """Interval of the absolute difference of two rates.

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
