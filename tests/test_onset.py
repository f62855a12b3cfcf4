"""Since when: a change is dated where it is, in any order and time zone, and only where there is one."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.analysis.onset import POINTS, Onset, change_point, date

START = pd.Timestamp("2026-01-01", tz="UTC")


def hours(count, start=START):
    return pd.Series(start + pd.to_timedelta(np.arange(count), unit="h"))


def dated(before, after, times=None, **options):
    first = hours(len(before), START - pd.Timedelta(days=100))
    current = hours(len(after)) if times is None else times
    return date(
        (first, np.asarray(before, float)),
        (current, np.asarray(after, float)),
        **({"what": "w", "unit": "u"} | options),
    )


def stepped(rng, size=400, at=150, by=1.0):
    return rng.normal(size=size) * 0.3 + by * (np.arange(size) >= at)


@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.1, 10))
@settings(deadline=None)
def test_a_step_without_noise_is_dated_exactly(quiet, loud, height):
    found = change_point(np.r_[np.zeros(quiet), np.full(loud, height)], 0.0)
    assert (found.at, found.earliest, found.latest) == (quiet, quiet, quiet)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=80), st.floats(-2, 2))
@settings(deadline=None)
def test_the_interval_holds_the_estimate_and_both_are_rows(values, normal):
    found = change_point(np.array(values), normal)
    if found is not None:
        assert 0 <= found.earliest <= found.at <= found.latest < len(values)


@given(st.integers(0, 99), st.floats(0.001, 1000), st.floats(-100, 100))
@settings(deadline=None)
def test_neither_the_unit_nor_the_origin_changes_the_date(seed, factor, origin):
    values = stepped(np.random.default_rng(seed), 80, 30)
    plain, moved = change_point(values, 0.0), change_point(values * factor + origin, origin)
    assert abs(plain.at - moved.at) <= 0
    assert abs(plain.earliest - moved.earliest) <= 1
    assert abs(plain.latest - moved.latest) <= 1


@given(st.integers(0, 99))
@settings(deadline=None)
def test_the_date_is_the_least_squares_one(seed):
    values = stepped(np.random.default_rng(seed), 60, 25, 0.5)

    def left_over(at):
        return (values[:at] ** 2).sum() + ((values[at:] - max(0.0, values[at:].mean())) ** 2).sum()

    assert left_over(change_point(values, 0.0).at) == pytest.approx(min(map(left_over, range(60))))


@pytest.mark.parametrize("values", [np.zeros(20), -np.ones(20), np.array([]), np.array([-1.0])])
def test_what_rises_nowhere_has_no_date(values):
    assert change_point(values, 0.0) is None


def test_a_smaller_change_has_a_wider_interval():
    rng = np.random.default_rng(0)
    sure, unsure = (change_point(stepped(rng, by=by), 0.0) for by in (2.0, 0.3))
    assert sure.latest - sure.earliest < unsure.latest - unsure.earliest


def test_rows_need_not_be_in_order():
    values, times = stepped(np.random.default_rng(1)), hours(400)
    shuffled = np.random.default_rng(2).permutation(400)
    plain, mixed = dated(np.zeros(50), values), dated(np.zeros(50), values[shuffled], times.iloc[shuffled])
    assert (plain.at, plain.earliest, plain.latest, plain.counts) == (
        mixed.at,
        mixed.earliest,
        mixed.latest,
        mixed.counts,
    )
    assert mixed.values == pytest.approx(plain.values)


def test_the_date_is_a_time_in_utc():
    found = dated(np.zeros(50), np.r_[np.zeros(100), np.ones(100)])
    assert found.at == datetime(2026, 1, 5, 4, tzinfo=UTC)
    assert found.at == found.earliest == found.latest


def test_a_time_zone_does_not_move_the_moment():
    values = np.r_[np.zeros(100), np.ones(100)]
    there = dated(np.zeros(50), values, hours(200).dt.tz_convert("Asia/Tokyo"))
    assert there.at == dated(np.zeros(50), values).at


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_resolution_of_the_clock_does_not_matter(unit):
    values = np.r_[np.zeros(100), np.ones(100)]
    assert (
        dated(np.zeros(50), values, hours(200).astype(f"datetime64[{unit}, UTC]")).at == dated(np.zeros(50), values).at
    )


def test_rows_without_a_time_or_a_value_are_passed_over():
    values, times = np.r_[np.zeros(100), np.ones(100)], hours(200)
    holed = values.copy()
    holed[::7] = np.nan
    found = dated(np.r_[np.zeros(50), np.nan], holed, times.mask(times.index % 11 == 0))
    assert abs(found.at - dated(np.zeros(50), values).at) <= timedelta(hours=3)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (np.zeros(9), np.zeros(0)),
        (np.zeros(9), np.full(9, np.nan)),
        (np.full(9, np.nan), np.ones(9)),
        (np.zeros(0), np.ones(9)),
    ],
)
def test_nothing_to_compare_has_no_date_and_no_warning(before, after):
    assert dated(before, after) is None


def test_one_row_can_be_dated():
    assert dated(np.zeros(9), np.ones(1)).at == START.to_pydatetime()


def test_rows_of_one_moment_are_dated_to_it():
    found = dated(np.zeros(9), np.ones(30), pd.Series([START] * 30))
    assert found.at == found.earliest == found.latest == START.to_pydatetime()


def test_the_series_counts_every_row_once():
    found = dated(np.zeros(50), stepped(np.random.default_rng(3)))
    assert sum(found.counts) == 450
    assert len(found.times) == len(found.values) == len(found.counts) == POINTS
    assert all((value is None) == (count == 0) for value, count in zip(found.values, found.counts, strict=True))
    assert list(found.times) == sorted(found.times)


def test_an_onset_comes_back_from_its_dictionary():
    found = dated(np.zeros(50), stepped(np.random.default_rng(4)), what="error rate", unit="share of decisions")
    assert Onset.from_dict(found.to_dict()) == found
    assert str(found).startswith("error rate changed at 2026-01-07")
    assert list(found.to_frame().columns) == ["from", "error rate", "rows"]
