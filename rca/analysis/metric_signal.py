"""The model's own metric as one more signal of its system: what rows say, at the moments of the signals."""

import numpy as np
import pandas as pd

from rca.analysis.columns import Floats
from rca.analysis.season import seconds_of
from rca.analysis.windows import Windows

ROWS = 20
"""Rows that a moment's metric is the mean of, at least in the middle of the moments."""

MOMENTS = 30
"""Moments that rows have to reach, or they tell nothing of the order of failures."""


def metric_signal(windows: Windows, times: "pd.Series[pd.Timestamp]") -> Floats | None:
    """The mean of the metric over the rows since the moment before, at as many moments as rows allow.

    Parameters
    ----------
    windows : Windows
        Rows of both windows, with a time.
    times : pandas.Series of shape (samples,)
        Moments of the signals, ascending.

    Returns
    -------
    ndarray of shape (samples,) or None
        NaN at moments between those that are told; None where the rows reach too few moments, and for gaps between
        groups, which so few rows do not tell.
    """
    if windows.roles.time is None or windows.metric.name == "group_gap":
        return None
    rows = pd.concat([windows.reference, windows.current], ignore_index=True)
    parts = windows.meter.parts(rows, groups=windows.meter.segments(windows.reference, windows.current))
    counted = parts.denominator.sum(axis=1)
    at = seconds_of(rows[windows.roles.time])
    moments = seconds_of(times)
    kept = (counted > 0) & (at > moments[0]) & (at <= moments[-1])
    apart = _apart(at[kept], moments)
    ends = np.arange(0, len(moments), apart) if apart else np.array([], dtype=int)
    if len(ends) < MOMENTS:
        return None
    cell = np.searchsorted(moments[ends], at[kept])
    inside = cell < len(ends)
    weight = np.bincount(cell[inside], counted[kept][inside], minlength=len(ends))
    total = np.bincount(cell[inside], parts.numerator.sum(axis=1)[kept][inside], minlength=len(ends))
    told = np.full(len(moments), np.nan)
    told[ends] = np.where(weight > 0, total / np.where(weight > 0, weight, 1.0), np.nan)
    return told


def _apart(at: Floats, moments: Floats) -> int:
    """Samples between the moments that are told, so that enough rows lie between two; 0 where there are no rows."""
    if not len(at):
        return 0
    reached = np.searchsorted(moments, at.max()) - np.searchsorted(moments, at.min()) + 1
    return max(1, int(np.ceil(ROWS * reached / len(at))))
