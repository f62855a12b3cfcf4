"""Whether incidents become more or fewer over the quarters of a log."""

import math
import warnings

import numpy as np

from rca.analysis.columns import Floats
from rca.analysis.survival import LEVEL, Estimate

QUARTERS = 4
"""Fewest quarters from which a slope is told."""


def rate_of_counts(years: Floats, counts: Floats, exposure: Floats) -> tuple[Estimate, float | None]:
    """Factor by which the number of incidents grows a year, by Poisson regression with the spread that they show.

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
