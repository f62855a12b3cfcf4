"""Since when, asked of plain tables: one moment however times are written, and none where they are no times."""

from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import rca
from rca.analysis.inputs.windows import windows_asked
from tests.analysis.plain_tables import drawn


def harmed(kind=lambda times: times):
    """Two windows, of which the second is wrong more often from a day on."""
    windows = []
    for month, wrong in (("2026-01-01", 0.05), ("2026-02-01", 0.6)):
        times = pd.Series(pd.date_range(month, periods=300, freq="h", tz="UTC"))
        flip = np.random.default_rng(1).random(300) < np.where(np.arange(300) < 100, 0.05, wrong)
        rows = drawn(2).assign(at=kind(times))
        windows.append(rows.assign(prediction=np.where(flip, 1 - rows["label"], rows["label"])))
    return windows


ASKED = {"metric": "error_rate", "label": "label", "prediction": "prediction", "time": "at"}


def dated(windows):
    return rca.onset(*windows, **ASKED)


@cache
def as_it_is():
    return dated(harmed())


def read(windows):
    """What the analyses are given, whatever was handed over."""
    return windows_asked(*windows, ASKED)


TIMES = {
    "text": lambda times: times.astype(str),
    "without a zone": lambda times: times.dt.tz_localize(None),
    "of another zone": lambda times: times.dt.tz_convert("Asia/Kolkata"),
    "in seconds": lambda times: times.dt.as_unit("s"),
    "objects": lambda times: pd.Series(times.dt.to_pydatetime(), dtype=object),
    "categories": lambda times: times.astype("category"),
    "text of categories": lambda times: times.astype(str).astype("category"),
    "of Arrow": lambda times: times.astype(pd.ArrowDtype(pa.timestamp("us", "UTC"))),
}
COARSE = ("in seconds",)
"""Moments that keep their unit when they are read, so that windows differ in it."""


@pytest.mark.parametrize("sort", TIMES)
def test_a_moment_is_the_same_however_it_is_written(sort):
    found, plain = read(harmed(TIMES[sort])), read(harmed())
    pd.testing.assert_frame_equal(found.reference, plain.reference, check_dtype=sort not in COARSE)
    pd.testing.assert_frame_equal(found.current, plain.current, check_dtype=sort not in COARSE)
    assert found.roles == plain.roles


@pytest.mark.parametrize("sort", ["without a zone", *COARSE])
def test_harm_is_dated_the_same_however_moments_are_written(sort):
    found = as_it_is()
    assert found.earliest <= pd.Timestamp("2026-02-05 04:00", tz="UTC") <= found.latest
    assert dated(harmed(TIMES[sort])) == found


@pytest.mark.parametrize("year", [2, pytest.param(1600, marks=pytest.mark.prove), 9997])
def test_harm_of_any_year_is_dated(year):
    found = dated(harmed(lambda times: times.dt.as_unit("us").map(lambda at: at.replace(year=year))))
    assert (found.at.year, found.at.month, found.at.day) == (year, 2, 5)


@pytest.mark.parametrize("times", [range(300), ["soon"] * 300, [1, "one", None] * 100])
def test_what_is_no_time_is_refused(times):
    with pytest.raises(rca.InvalidCase, match=r"(?s)time: column 'at' holds .*no times.*Hint: give times"):
        dated(harmed(lambda _: times))
