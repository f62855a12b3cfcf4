"""Rows that hold the value of an earlier period, beside others that hold their own."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.faults.stale_rows import late_rows
from rca.tables.columns import as_labels

WALK = np.random.default_rng(7).normal(size=80).cumsum().round(2)
LABELS = as_labels(pd.Series(WALK))
BEFORE = pd.Series(LABELS[:40])
DAY = np.repeat(np.arange(40, 80), 30)


def found(late, lag=9, walk=WALK):
    values = pd.Series(np.where(late, walk[DAY - lag], walk[DAY]))
    return late_rows(pd.Series(as_labels(pd.Series(walk[:40]))), pd.Series(DAY), values)


@pytest.mark.parametrize("share", [0.03, 0.5])
def test_the_lag_and_every_late_value_are_told_however_few_rows_hold_it(share):
    late = np.random.default_rng(0).random(len(DAY)) < share
    lag, told = found(late)
    assert lag == 9
    assert dict(told) == {int(day): LABELS[day - 9] for day in DAY[late]}


def test_periods_that_are_late_as_a_whole_count_once_others_show_the_lag():
    late = (np.random.default_rng(0).random(len(DAY)) < 0.5) | (DAY >= 72)
    assert {day for day, _ in found(late)[1]} >= set(range(72, 80))


def test_where_values_stay_for_long_a_whole_period_is_not_called_late():
    steps = np.repeat(np.random.default_rng(1).normal(size=20).round(2), 4)
    late = (np.random.default_rng(0).random(len(DAY)) < 0.5) & (DAY < 60)
    lag, told = found(late, lag=2, walk=steps)
    assert lag == 2
    assert {day for day, _ in told} == {day for day in range(40, 60) if steps[day] != steps[day - 2]}


def test_two_values_a_day_that_were_never_the_days_before_are_not_late():
    other = pd.Series(np.where(np.arange(len(DAY)) % 2, WALK[DAY] + 0.005, WALK[DAY]))
    assert late_rows(BEFORE, pd.Series(DAY), other) is None


def test_a_column_that_holds_many_values_a_period_is_no_series_any_more():
    noisy = pd.Series(np.random.default_rng(2).normal(size=len(DAY)).round(2))
    assert late_rows(BEFORE, pd.Series(DAY), noisy) is None


def test_nothing_and_times_that_are_missing_are_no_trouble():
    assert late_rows(BEFORE, pd.Series(DAY), pd.Series(np.full(len(DAY), np.nan))) is None
    assert late_rows(BEFORE.iloc[:0], pd.Series(DAY), pd.Series(WALK[DAY])) is None
    assert late_rows(BEFORE, pd.Series(np.full(len(DAY), -1)), pd.Series(WALK[DAY])) is None
