"""Since when: the moment at which rows began to differ, as an interval."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.columns import Floats
from rca.analysis.result import Result, Row

Dated = tuple["pd.Series[Any]", Floats]
"""Times of rows, datetime64[UTC], and a quantity of each: both of shape (rows,)."""

CRITICAL = 7.352
"""95 % quantile of the likelihood ratio of a change point, ``-2 log(1 - sqrt(0.95))``: Hansen (2000), table 1."""

POINTS = 60
"""Points of the series that a figure shows."""


@dataclass(frozen=True, kw_only=True)
class Onset(Result):
    """When something began to differ, and the series it was dated on.

    Attributes
    ----------
    at, earliest, latest : datetime
        The estimate and its interval. An onset at the first row of the current window may lie before that window.
    level : float
    what : str
        What was dated: the metric, or a column.
    unit : str
    times : tuple of datetime
        Starts of equal spans over both windows.
    values : tuple of float or None
        Mean of the dated thing in each span; None where a span has no rows.
    counts : tuple of int
        Rows in each span.
    """

    at: datetime
    earliest: datetime
    latest: datetime
    level: float = 0.95
    what: str
    unit: str
    times: tuple[datetime, ...] = ()
    values: tuple[float | None, ...] = ()
    counts: tuple[int, ...] = ()

    def __str__(self) -> str:
        when, first, last = (moment.strftime("%Y-%m-%d %H:%M") for moment in (self.at, self.earliest, self.latest))
        return f"{self.what} changed at {when} UTC ({self.level:.0%} interval {first} to {last})"

    def rows(self) -> list[Row]:
        return [
            {"from": time.isoformat(), self.what: value, "rows": count}
            for time, value, count in zip(self.times, self.values, self.counts, strict=True)
        ]


@dataclass(frozen=True, kw_only=True)
class ChangePoint:
    """Positions, in time order, of the first row after a change: the estimate and its interval."""

    at: int
    earliest: int
    latest: int


def change_point(values: Floats, normal: float) -> ChangePoint | None:
    """Date a lasting rise of the mean above `normal` by least squares.

    Before the change the mean is `normal`; after it, whatever fits. The interval holds every position whose likelihood
    ratio against the best is below its 95 % quantile.

    Parameters
    ----------
    values : ndarray of shape (rows,)
        In time order.
    normal : float
        Mean before the change, known from the reference.

    Returns
    -------
    ChangePoint or None
        None where the mean rises nowhere, or there is no row.

    References
    ----------
    Hansen (2000), Sample splitting and threshold estimation, Econometrica 68(3), eqs. (7) and (10).

    Examples
    --------
    >>> values = np.r_[np.zeros(50), np.ones(50)] + np.random.default_rng(0).normal(0, 0.1, 100)
    >>> change_point(values, 0.0)
    ChangePoint(at=50, earliest=50, latest=50)
    """
    if not len(values):
        return None
    excess = values - normal
    after = np.cumsum(excess[::-1])[::-1]
    left = np.arange(len(values), 0, -1)
    gain = np.where(after > 0, after**2 / left, 0.0)
    at = int(np.argmax(gain))
    if gain[at] <= 0:
        return None
    fitted = np.where(np.arange(len(values)) >= at, after[at] / left[at], 0.0)
    variance = max(float(np.mean((excess - fitted) ** 2)), 1e-12 * gain[at])
    near = np.flatnonzero((gain[at] - gain) / variance <= CRITICAL)
    return ChangePoint(at=at, earliest=int(near[0]), latest=int(near[-1]))


def date(reference: Dated, current: Dated, *, what: str, unit: str) -> Onset | None:
    """Date the moment at which the mean of a per-row quantity rose.

    Parameters
    ----------
    reference, current : (Series of datetime64[UTC], ndarray), each of shape (rows,)
        Times and quantity, in the bad direction; NaN where a row has none.
    what, unit : str
        Name and unit of the quantity, for the figure.

    Returns
    -------
    Onset or None
        None where nothing rose, or a window has no row to compare.
    """
    (_, before), (times, after) = reference, current
    if np.isnan(before).all():
        return None
    usable = times.notna().to_numpy() & np.isfinite(after)
    order = np.argsort(times[usable].to_numpy(), kind="stable")
    clock = times[usable].iloc[order]
    found = change_point(after[usable][order], float(np.nanmean(before)))
    if found is None:
        return None
    at, earliest, latest = (_moment(clock.iloc[i]) for i in (found.at, found.earliest, found.latest))
    return Onset(at=at, earliest=earliest, latest=latest, what=what, unit=unit, **_series(reference, current))


def _moment(value: Any) -> datetime:
    moment: datetime = pd.Timestamp(value).to_pydatetime(warn=False)
    return moment


def _series(reference: Dated, current: Dated) -> dict[str, Any]:
    """Means over equal spans of each window."""
    rows: list[tuple[datetime, float | None, int]] = []
    for times, values in (reference, current):
        known = times.notna().to_numpy() & np.isfinite(values)
        rows += _spans(times[known], values[known])
    starts, means, counts = zip(*rows, strict=True) if rows else ((), (), ())
    return {"times": starts, "values": means, "counts": counts}


def _spans(times: "pd.Series[Any]", values: Floats) -> list[tuple[datetime, float | None, int]]:
    if not len(times):
        return []
    seconds = (times - times.min()).dt.total_seconds().to_numpy()
    length = seconds.max() / (POINTS // 2) or 1.0
    place = np.minimum((seconds / length).astype(int), POINTS // 2 - 1)
    counts = np.bincount(place, minlength=POINTS // 2)
    sums = np.bincount(place, weights=values, minlength=POINTS // 2)
    start = times.min()
    return [
        (_moment(start + pd.Timedelta(seconds=i * length)), float(total / count) if count else None, int(count))
        for i, (total, count) in enumerate(zip(sums, counts, strict=True))
    ]
