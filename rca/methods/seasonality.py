"""Weekday and hour-of-day seasonality with shrinkage, and the design effect of correlated rows of one period."""

from typing import Any

import numpy as np
import pandas as pd

from rca.arrays import Floats
from rca.tables.columns import as_numbers

DAY, WEEK = 86_400, 604_800
"""Seconds."""

P_VALUE = 0.01
"""Significance level of the F test for a season in the reference."""

PERIODS = (DAY, 3_600, 60)
"""Lengths, in seconds, of the periods (clusters) whose rows may be correlated."""

ENOUGH = 12
"""Fewest periods for a design effect to be estimated."""


def seconds_of(times: "pd.Series[Any]") -> Floats:
    """Times as seconds since 1970 in UTC, of shape (rows,)."""
    return as_numbers(times)


def moments_of(seconds: Floats) -> pd.DatetimeIndex:
    """Seconds since 1970 as timestamps in UTC, to the microsecond, for any year.

    >>> moments_of(np.array([-11676096000.0, 253370764800.0])).year.tolist()
    [1600, 9999]
    """
    return pd.DatetimeIndex(np.round(seconds * 1e6).astype("datetime64[us]"), tz="UTC")


def season_of(reference: tuple[Floats, Floats], current: Floats) -> tuple[Floats, Floats]:
    """Seasonal component (weekday, hour of the day) at the rows of both windows, estimated on the reference.

    A season counts where the reference spans two of its periods and has it beyond chance. The test compares means of
    whole days, or of hours, so that rows which resemble each other do not make one; means are shrunk towards none.

    Parameters
    ----------
    reference : (ndarray, ndarray), each of shape (rows,)
        Seconds since 1970, and values.
    current : ndarray
        Seconds since 1970.

    Returns
    -------
    reference, current : ndarray
        Zero everywhere where there is no season; the reference's has a mean of zero over its rows.

    Examples
    --------
    >>> hours = np.arange(24.0 * 28) * 3600
    >>> values = 1.0 * (hours // 86400 % 7 == 2) + np.random.default_rng(0).normal(0, 0.1, len(hours))
    >>> _, added = season_of((hours, values), hours[:168:24])
    >>> added.round(1).tolist()
    [-0.1, -0.1, 0.9, -0.1, -0.1, -0.2, -0.1]
    """
    seconds, values = reference
    added = np.zeros(len(seconds)), np.zeros(len(current))
    for length, phases, cell in ((WEEK, 7, DAY), (DAY, 24, 3_600)):
        if len(seconds) and np.ptp(seconds) >= 2 * length - cell:
            effect = _effect(seconds, values - added[0], (phases, cell))
            added = tuple(
                one + effect[_phase(at, (phases, cell))] for one, at in zip(added, (seconds, current), strict=True)
            )
    return added


def _phase(seconds: Floats, clock: tuple[int, int]) -> "np.ndarray[Any, np.dtype[np.intp]]":
    phases, cell = clock
    return np.asarray(seconds // cell % phases, dtype=np.intp)


def _effect(seconds: Floats, values: Floats, clock: tuple[int, int]) -> Floats:
    """Seasonal effect of each phase, James-Stein shrunk by ``1 - 1 / F``; zero where the F test finds none."""
    from scipy.stats import f as f_distribution

    phases, cell = clock
    cells, place = np.unique(seconds // cell, return_inverse=True)
    counts, phase = np.bincount(place).astype(float), (cells % phases).astype(np.intp)
    means = np.bincount(place, weights=values) / counts
    held = np.bincount(phase, weights=counts, minlength=phases)
    level = np.bincount(phase, weights=counts * means, minlength=phases) / np.maximum(held, 1)
    effect = np.where(held > 0, level - values.mean(), 0.0)
    free = len(cells) - int((held > 0).sum())
    among = float(held @ effect**2) / max(int((held > 0).sum()) - 1, 1)
    within = float(counts @ (means - level[phase]) ** 2) / max(free, 1)
    if free < phases or (held > 0).sum() < 2 or among <= 0:
        return np.zeros(phases)
    ratio = among / within if within > 0 else np.inf
    if f_distribution.sf(ratio, (held > 0).sum() - 1, free) > P_VALUE:
        return np.zeros(phases)
    return np.asarray(effect * (1 - 1 / ratio))


def resemblance(seconds: Floats, residuals: Floats, *, fitted: int = 0) -> tuple[float, float]:
    """Design effect of clustering by period: variance of a mean over that of independent rows.

    Parameters
    ----------
    seconds, residuals : ndarray of shape (rows,)
    fitted : int
        Means of a season that were taken off: days look alike for that, and others will differ from them.

    Returns
    -------
    effect : float
        At least 1; 1 where it is not beyond chance. Neighbouring periods that resemble each other count too.
    rows : float
        Rows of a period.

    References
    ----------
    Kish (1965), Survey sampling, eq. (5.4.1): ``1 + rho (rows - 1)``, here from the periods' own sums; times
    ``(1 + phi) / (1 - phi)`` for periods that follow each other with correlation phi.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> days = np.repeat(np.arange(60.0), 50)
    >>> alike = np.repeat(rng.normal(0, 0.5, 60), 50) + rng.normal(size=3000)
    >>> effect, rows = resemblance(days * 86400, alike)
    >>> round(effect), rows
    (9, 50.0)
    """
    for length in PERIODS:
        cells, place = np.unique(seconds // length, return_inverse=True)
        if len(cells) >= ENOUGH:
            effect, rows = _design_effect(
                np.bincount(place, weights=residuals).astype(float), np.bincount(place), float(residuals.var())
            )
            lost = (len(cells) + fitted) / max(len(cells) - fitted, 1) if effect > 1 else 1.0
            return effect * lost, rows
    return 1.0, 1.0


def _design_effect(sums: Floats, counts: "np.ndarray[Any, Any]", variance: float) -> tuple[float, float]:
    if variance <= 0 or counts.max() < 2:
        return 1.0, 1.0
    periods, rows = len(sums), float((counts**2).sum() / counts.sum())
    effect = float((sums**2).sum() / (variance * counts.sum()))
    follow = float((sums[1:] * sums[:-1]).sum() / max((sums**2).sum(), 1e-300))
    follow = min(follow, 0.8) if follow > 2 / np.sqrt(periods) else 0.0
    sure = effect > 1 + 2 * np.sqrt(2 / periods)
    return (effect if sure else 1.0) * (1 + follow) / (1 - follow), rows * (1 + follow) / (1 - follow)
