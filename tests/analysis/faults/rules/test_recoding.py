"""Codes that mean each other: recoded from the row on, and under the condition, at which they do."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.diagnosis import diagnose
from tests.analysis.faults.recoded_columns import coded, told, turned


def test_codes_of_which_a_rare_one_takes_a_common_ones_place_are_recoded():
    found = told(turned(coded(1), np.ones(4000, dtype=bool)))
    assert found.fault == "recoded"
    assert {("3", "0"), ("6", "1"), ("0", "2")} <= set(found.recoding)


def test_codes_that_changed_from_a_row_on_are_recoded_from_there():
    after = coded(1)
    found = told(turned(after, np.arange(len(after)) >= 1500), ordered=True)
    assert found.fault == "recoded"
    assert found.since == pytest.approx(1500, abs=25)


def test_codes_that_changed_in_a_segment_are_recoded_there():
    ward = {"ward": np.arange(4000) % 4}
    before, after = coded(0).assign(**ward), coded(1).assign(**ward)
    after = turned(after, after["ward"] == 2)
    found = diagnose(before, after, univariate_drift(before, after)).get("code")
    assert (found.fault, [str(one) for one in found.where]) == ("recoded", ["ward=2"])


@pytest.mark.parametrize("blur", ["float32", "float64", "four decimals"])
def test_numbers_that_are_spelled_otherwise_and_did_not_move_are_no_other_codes(blur):
    rng = np.random.default_rng(0)
    before, after = (rng.choice([1 / 3, 2 / 3, 1 / 7], 2000) for _ in range(2))
    after = after.round(4) if blur == "four decimals" else after.astype("float32").astype(blur)
    frames = pd.DataFrame({"c": before}), pd.DataFrame({"c": after})
    assert diagnose(*frames, univariate_drift(*frames)).columns == ()


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%G-W%V", "%Y-%m"])
def test_names_that_take_turns_in_time_stand_for_none_that_are_gone(form):
    at = pd.Series(pd.date_range("2026-01-01", periods=2832, freq="h", tz="UTC"))
    rows = pd.DataFrame({"at": at, "span": at.dt.strftime(form), "z": np.random.default_rng(0).normal(size=2832)})
    before, after = rows[:1416], rows[1416:].reset_index(drop=True)
    drift = univariate_drift(before[["span", "z"]], after[["span", "z"]])
    assert not diagnose(before, after, drift, ordered=True, time="at").broken
    mixed = [one.assign(span=one["span"].sample(frac=1, random_state=0).to_numpy()) for one in (before, after)]
    assert [one.column for one in diagnose(*mixed, drift, ordered=True, time="at").broken] == ["span"]
