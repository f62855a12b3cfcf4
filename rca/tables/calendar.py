"""Spans of the calendar that rows lie in: hours, days, weeks, months, quarters."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from rca.arrays import Places


@dataclass(frozen=True, kw_only=True, eq=False)
class Calendar:
    """Spans of time that rows lie in.

    Attributes
    ----------
    spans : Series of int, shape (rows,)
        Number of the span of each row; below 0 where a row has no time.
    numbers : ndarray of int, shape (spans,)
        Those that rows lie in, ascending.
    first, place : ndarray of int, shape (spans,), (rows,)
        The first row of each, and where in `numbers` each row's stands.
    """

    spans: "pd.Series[Any]"
    numbers: Places
    first: Places
    place: Places

    @classmethod
    def of(cls, times: "pd.Series[Any]", period: str) -> Self:
        """Which rows lie in which span, of a length as pandas spells it: 'h', 'D', 'W', 'M', 'Q'."""
        found = spans(times, period)
        numbers, first, place = np.unique(found.to_numpy(), return_index=True, return_inverse=True)
        return cls(spans=found, numbers=numbers, first=first, place=place)


def spans(times: "pd.Series[Any]", period: str) -> "pd.Series[Any]":
    """Number of the hour, day, week, month or quarter that each time lies in; missing times have none.

    >>> spans(pd.Series(pd.to_datetime(["1970-01-03", "1970-02-01"], utc=True)), "D").tolist()
    [2, 31]
    """
    moments = pd.DatetimeIndex(pd.to_datetime(times, utc=True, errors="coerce")).tz_localize(None)
    numbers = pd.Series(moments.to_period(period).astype("int64"), index=times.index)
    return numbers.mask(np.asarray(moments.isna()), -1)
