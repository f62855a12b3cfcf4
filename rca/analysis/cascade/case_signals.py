"""Signals of a case with the model's own metric added, aggregated from rows at the moments of the signals."""

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.inputs.windows import Windows, windows_of
from rca.arrays import Floats
from rca.errors import Unanswerable
from rca.methods.seasonality import seconds_of
from rca.record.case import Case

if TYPE_CHECKING:
    from rca.record.schema.incident import Signals

MIN_ROWS = 20
"""Rows behind one value of the metric, on average; of a gap as many in each group."""

MOMENTS = 30
"""Moments that rows have to reach, or the metric cannot date its failure among the others."""


def with_metric(case: "Case", table: "pd.DataFrame", signals: "Signals") -> "tuple[pd.DataFrame, Signals]":
    """The signals of a case with its own metric among them, where there are rows over the same time."""
    try:
        windows = windows_of(case)
        table = table.sort_values("time", kind="stable")
        told = metric_signal(windows, table["time"])
    except Unanswerable:
        return table, signals
    name = f"{windows.model_name}|{windows.metric.name}"
    if told is None or name in table.columns:
        return table, signals
    worse: Literal["up", "down"] = "up" if windows.metric.harm == "higher" else "down"
    bad = {windows.metric.name: worse, **signals.bad}
    return table.assign(**{name: told}), signals.model_copy(update={"bad": bad})


def metric_signal(windows: Windows, times: "pd.Series[pd.Timestamp]") -> Floats | None:
    """The metric of the rows since the previous moment, at as many moments as rows allow.

    Parameters
    ----------
    windows : Windows
        Rows of both windows, with a time.
    times : pandas.Series of shape (samples,)
        Moments of the signals, ascending.

    Returns
    -------
    ndarray of shape (samples,) or None
        NaN at moments in between; None where the rows reach too few moments.
    """
    if windows.roles.time is None:
        return None
    rows = pd.concat([windows.reference, windows.current], ignore_index=True)
    parts = windows.meter.parts(rows, groups=windows.meter.segments(windows.reference, windows.current))
    at, moments = seconds_of(rows[windows.roles.time]), seconds_of(times)
    inside = (at > moments[0]) & (at <= moments[-1])
    apart = max(_apart(at[inside & (group > 0)], moments) for group in parts.denominator.T)
    ends = np.arange(0, len(moments), apart)
    if len(ends) < MOMENTS:
        return None
    cell = np.searchsorted(moments[ends], at)
    inside &= cell < len(ends)
    sums = [_sums(part[inside], cell[inside], len(ends)) for part in (parts.numerator, parts.denominator)]
    told = np.full(len(moments), np.nan)
    told[ends] = parts.of_sums(*sums)
    return told


def _sums(values: Floats, cell: npt.NDArray[np.intp], many: int) -> Floats:
    """Column sums by cell: (cells, columns)."""
    return np.column_stack([np.bincount(cell, column, minlength=many) for column in values.T])


def _apart(at: Floats, moments: Floats) -> int:
    """Samples between moments of the metric, so that enough rows lie between two; too many where there are none."""
    if not len(at):
        return len(moments)
    reached = np.searchsorted(moments, at.max()) - np.searchsorted(moments, at.min()) + 1
    return max(1, int(np.ceil(MIN_ROWS * reached / len(at))))
