"""Tests and effects for right-censored durations: log-rank, censored trend tests, ratios of medians, count trends."""

import math
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from rca.analysis.portfolio.kaplan_meier import LEVEL, Estimate
from rca.arrays import Floats, Mask

MANY, TESTED = 20_000, 100_000
"""Most durations in a trend test, and in a log-rank test; of more, a systematic sample is used."""

POWER = 0.80
"""Power at which the smallest detectable change is stated."""


def log_rank(lengths: Floats, ended: Mask, groups: npt.NDArray[Any]) -> float | None:
    """p-value of the log-rank test of equal survival in all groups; None where they cannot differ.

    Of more durations than `TESTED`, a systematic sample is used.

    References
    ----------
    Peto & Peto (1972), J. R. Stat. Soc. A 135(2), 185-207; computed by statsmodels.

    Examples
    --------
    >>> log_rank(np.arange(1.0, 9.0), np.ones(8, bool), np.repeat([0, 1], 4)).__round__(4)
    0.0067
    """
    every = slice(None, None, _stride(lengths, TESTED))
    lengths, ended, groups = lengths[every], ended[every], groups[every]
    if not ended.any() or (groups == groups[0]).all():
        return None
    from statsmodels.duration.survfunc import survdiff

    try:
        _, p_value = survdiff(lengths, ended.astype(float), groups)
    except np.linalg.LinAlgError:  # no moment at which two groups are at risk
        return None
    return float(p_value) if np.isfinite(p_value) else None


def _stride(lengths: Floats, most: int) -> int:
    return max(1, -(-len(lengths) // most))


def trend_test(lengths: Floats, ended: Mask, along: Floats) -> tuple[float, float] | None:
    """Tarone's trend test for right-censored durations along a covariate, such as the date, with Gehan-Breslow weights.

    The score test of Cox's model at no effect, weighted by the number at risk, so that a few very long incidents do not
    decide. With `along` of two values it is the Gehan-Breslow test of two groups; without censoring it is a rank
    correlation, as Mann-Kendall's is. Of more durations than `MANY`, a systematic sample is used.

    Returns
    -------
    (statistic, p_value) or None
        The statistic is standard normal without a trend, and positive where durations grow. None where its variance is
        zero.

    References
    ----------
    Tarone (1975), Biometrika 62(3), 679-682; Breslow (1970), Biometrika 57(3), 579-594, for the weights.

    Examples
    --------
    >>> trend_test(np.arange(1.0, 9.0), np.ones(8, bool), np.arange(8.0))[0].__round__(3)
    3.144
    """
    every = slice(None, None, _stride(lengths, MANY))
    statistic = _score(lengths[every], ended[every], along[every])
    return None if statistic is None else (statistic, math.erfc(abs(statistic) / math.sqrt(2)))


def _score(lengths: Floats, ended: Mask, along: Floats) -> float | None:
    order = np.argsort(lengths, kind="stable")[::-1]
    time, event, x = lengths[order], ended[order].astype(float), along[order] - float(np.mean(along))
    last = np.flatnonzero(np.append(time[1:] != time[:-1], True))
    at_risk, mean, square = (last + 1.0), np.cumsum(x)[last], np.cumsum(x * x)[last]
    deaths, moved = (np.diff(np.concatenate([[0.0], np.cumsum(of)[last]])) for of in (event, event * x))
    mean, square = mean / at_risk, square / at_risk
    weight = at_risk / len(lengths)
    score = float(np.sum(weight * (moved - deaths * mean)))
    among = np.maximum(at_risk - 1, 1)
    spread = float(np.sum(weight**2 * deaths * (at_risk - deaths) / among * np.maximum(square - mean**2, 0.0)))
    return -score / math.sqrt(spread) if spread > 0 else None


def growth(lengths: Floats, ended: Mask, along: Floats) -> Estimate:
    """Growth factor of durations along a covariate, by inverting the trend test (accelerated failure time model, AFT).

    ``trend_test(lengths / factor**along)`` is zero at the estimate and at its 5 % level at the ends of the interval, so
    that the interval leaves out 1 exactly where the test finds a trend.

    References
    ----------
    Louis (1981), Biometrika 68(2), 381-390, for the inversion; Fygenson & Ritov (1994), Ann. Stat. 22(2), 732-746, for
    the weights with which the statistic is monotone.

    Examples
    --------
    >>> years = np.arange(40) / 10
    >>> found = growth(np.exp(years) * np.tile([1.0, 2.0, 3.0, 4.0], 10), np.ones(40, bool), years)
    >>> round(found.value / np.e, 1), found.holds(np.e), found.holds(1.0)
    (1.0, True, False)
    """
    every = slice(None, None, _stride(lengths, MANY))
    lengths, ended, along = lengths[every], ended[every], along[every]
    if not len(lengths) or float(np.ptp(along)) == 0.0:
        return Estimate(value=None)
    centred = along - float(np.median(along))
    reach = _normal((1 + LEVEL) / 2)
    value, low, high = (_root(lengths, ended, centred, level=level) for level in (0.0, reach, -reach))
    found = [None if one is None else math.exp(one) for one in (value, low, high)]
    return Estimate(value=found[0], low=found[1], high=found[2])


def _root(lengths: Floats, ended: Mask, along: Floats, *, level: float) -> float | None:
    """Root of the monotone trend statistic at a level; None where it is not reached."""
    from scipy.optimize import brentq

    logs = np.log(lengths)

    def beyond(slope: float) -> float:
        left = logs - slope * along
        statistic = _score(left - left.min() + 1, ended, along)
        return (0.0 if statistic is None else statistic) - level

    width = 1.0 / float(np.ptp(along))
    low, high = -width, width
    for _ in range(8):
        low, high = (4 * low if beyond(low) <= 0 else low), (4 * high if beyond(high) >= 0 else high)
    if beyond(low) <= 0 or beyond(high) >= 0:
        return None
    return float(brentq(beyond, low, high, xtol=1e-6))


# --- two medians -----------------------------------------------------------------------------------------------------


def ratio(later: Estimate, earlier: Estimate) -> Estimate:
    """Ratio of two medians with a MOVER interval (Zou & Donner) on the log scale, from those of the medians.

    The distance of each end from the ratio is the root of the sum of squares of the distances of the medians' own ends.

    References
    ----------
    Zou & Donner (2008), Stat. Med. 27(10), 1693-1702, on the log scale.

    Examples
    --------
    >>> ratio(Estimate(value=50.0, low=40.0, high=60.0), Estimate(value=100.0, low=80.0, high=120.0))
    Estimate(value=0.5, low=0.37..., high=0.66...)
    """
    if not later.value or not earlier.value:
        return Estimate(value=None)
    middle = math.log(later.value / earlier.value)
    down, up = _reach(later), _reach(earlier)
    low = None if down[0] is None or up[1] is None else math.exp(middle - math.hypot(down[0], up[1]))
    high = None if down[1] is None or up[0] is None else math.exp(middle + math.hypot(down[1], up[0]))
    return Estimate(value=math.exp(middle), low=low, high=high)


def _reach(known: Estimate) -> tuple[float | None, float | None]:
    """Distances of the ends of an interval from its estimate, on the log scale."""
    assert known.value
    low = math.log(known.value / known.low) if known.low else None
    high = math.log(known.high / known.value) if known.high else None
    return low, high


def smallest_seen(later: Estimate, earlier: Estimate) -> float | None:
    """Minimum detectable ratio of medians, above 1, at 80 % power, given the standard errors of both medians.

    ``exp((1.96 + 0.84) · s)`` with `s` the standard error of the log ratio, which the intervals imply.

    Examples
    --------
    >>> smallest_seen(Estimate(value=1.0, low=0.5, high=2.0), Estimate(value=1.0, low=0.5, high=2.0)).__round__(2)
    4.06
    """
    if not (later.low and later.high and earlier.low and earlier.high):
        return None
    width = math.hypot(math.log(later.high / later.low), math.log(earlier.high / earlier.low))
    return math.exp((_normal((1 + LEVEL) / 2) + _normal(POWER)) * width / (2 * _normal((1 + LEVEL) / 2)))


def _normal(level: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(level))


QUARTERS = 4
"""Fewest quarters for a slope."""


def rate_of_counts(years: Floats, counts: Floats, exposure: Floats) -> tuple[Estimate, float | None]:
    """Yearly growth factor of the number of incidents, by quasi-Poisson regression (with estimated dispersion).

    Parameters
    ----------
    years : ndarray of shape (quarters,)
        Middle of each quarter.
    counts : ndarray of shape (quarters,)
    exposure : ndarray of shape (quarters,)
        How much of each quarter the log covers; positive.

    Returns
    -------
    factor : Estimate
    p_value : float or None
        Of no trend.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, section 6.2.3, for the dispersion; computed by statsmodels.

    Examples
    --------
    >>> years, counts = np.arange(8) / 4, np.array([10.0, 12, 11, 14, 16, 15, 19, 20])
    >>> factor, p_value = rate_of_counts(years, counts, np.full(8, 0.25))
    >>> round(factor.value, 2), round(p_value, 3)
    (1.48, 0.054)
    """
    if len(counts) < QUARTERS or not counts.any():
        return Estimate(value=None), None
    from scipy.stats import t
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    design = np.column_stack([np.ones(len(years)), years - years.mean()])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PerfectSeparationWarning)  # counts may lie on a line; their error is a count's
        fitted = GLM(counts, design, family=Poisson(), exposure=exposure).fit()
    free = len(counts) - 2
    error = float(fitted.bse[1]) * math.sqrt(max(1.0, float(fitted.pearson_chi2) / free))
    slope, reach = float(fitted.params[1]), float(t.ppf((1 + LEVEL) / 2, free)) * error
    p_value = float(2 * t.sf(abs(slope) / error, free))
    return Estimate(value=math.exp(slope), low=math.exp(slope - reach), high=math.exp(slope + reach)), p_value
