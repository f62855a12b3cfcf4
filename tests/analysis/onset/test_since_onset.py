"""The rows since the onset: the metric there, how its counts relate, and points that no phase mixes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rca.analysis.inputs.windows import measured_of, windows_from
from rca.analysis.onset.since_onset import FEWEST_POINTS, MOST_POINTS, current_since, since_onset_of_rows
from rca.methods.changepoint.dating import Onset

TURN = pd.Timestamp("2026-03-16T05:00:00Z")


def rows(start, days, share, turn=None):
    at = pd.date_range(start, periods=days * 20, freq="72min", tz="UTC")
    known = np.arange(len(at)) % 100 < 100 * share
    return pd.DataFrame({"at": at, "bad": (known & ((at >= turn) if turn is not None else True)).astype(int), "x": 1.0})


@pytest.fixture
def windows():
    before, during = rows("2026-01-01", 59, 0.05), rows("2026-03-01", 30, 0.4, TURN)
    return windows_from(before, during, metric={"name": "rate", "column": "bad"}, time="at")


@pytest.fixture
def onset():
    at = TURN.to_pydatetime()
    return Onset(at=at, earliest=at, latest=at, what="rate", unit="share of rows")


def test_the_metric_and_its_counts_are_those_of_the_rows_since_the_onset(windows, onset):
    found = since_onset_of_rows(windows, measured_of(windows), onset)
    now = windows.current[windows.current["at"] >= TURN]
    assert (found.decisions, found.hits) == (len(now), now["bad"].sum())
    assert found.since.value == pytest.approx(now["bad"].mean())
    assert found.since.value > windows.current["bad"].mean()
    assert found.above == pytest.approx(found.hits - found.usual * found.counted)
    assert len(current_since(windows, onset).current) == len(now)


def test_points_begin_at_the_onset_and_mix_no_phases(windows, onset):
    points = since_onset_of_rows(windows, measured_of(windows), onset).points
    assert FEWEST_POINTS <= sum(one.phase == "since" for one in points) < len(points) <= 2 * MOST_POINTS
    assert min(one.start for one in points if one.phase == "since") >= onset.at
    assert all(one.end <= onset.at for one in points if one.phase == "before")
    assert sum(one.rows for one in points) == len(windows.reference) + len(windows.current)
    assert all(0 <= one.interval.low <= one.value <= one.interval.high <= 1 for one in points)


def test_without_an_onset_there_is_a_course_and_nothing_since(windows):
    found = since_onset_of_rows(windows, measured_of(windows), None)
    assert (found.since, found.decisions, found.hits) == (None, None, None)
    assert {one.phase for one in found.points} == {"before"}


def test_a_window_none_of_whose_times_is_known_has_no_ends(windows):
    current = windows.current.assign(at=pd.Series(pd.NaT, index=windows.current.index, dtype="datetime64[ns, UTC]"))
    timeless = replace(windows, current=current)
    assert since_onset_of_rows(timeless, measured_of(windows), onset=None).window is None
