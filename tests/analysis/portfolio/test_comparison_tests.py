"""Do lengths differ between groups, and along time? Against statsmodels and what is published; ratios of medians."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.analysis.portfolio.comparison_tests import growth, log_rank, rate_of_counts, ratio, smallest_seen, trend_test
from rca.analysis.portfolio.kaplan_meier import Estimate
from tests.analysis.portfolio.test_kaplan_meier import (
    MAINTAINED,
    MERCAPTOPURINE,
    NOT_MAINTAINED,
    PLACEBO,
    lengths_and_ends,
)


def both(*data):
    lengths = np.concatenate([lengths for lengths, _ in data]).astype(float)
    ended = np.concatenate([ended for _, ended in data]).astype(bool)
    return lengths, ended, np.repeat([0, 1], [len(lengths) for lengths, _ in data])


@pytest.mark.parametrize(
    ("data", "statistic"), [((MAINTAINED, NOT_MAINTAINED), 3.4), ((MERCAPTOPURINE, PLACEBO), 16.8)]
)
def test_log_rank_tests_are_those_that_r_prints(data, statistic):
    from scipy.stats import chi2

    assert chi2.isf(log_rank(*both(*data)), 1) == pytest.approx(statistic, abs=0.05)


@given(lengths_and_ends())
@settings(max_examples=60, deadline=None)
def test_a_trend_along_two_values_is_the_test_of_two_groups(rows):
    from statsmodels.duration.survfunc import survdiff

    lengths, ended = rows[0].astype(float), rows[1]
    groups = np.arange(len(lengths)) % 2
    found = trend_test(lengths, ended, groups.astype(float))
    if found is not None:
        statistic, p_value = survdiff(lengths, ended.astype(int), groups, weight_type="gb")
        assert found[0] ** 2 == pytest.approx(statistic, abs=1e-8)
        assert found[1] == pytest.approx(p_value, abs=1e-8)


def test_where_nothing_can_differ_nothing_is_tested():
    some, none = np.arange(1.0, 5.0), np.zeros(4, bool)
    assert log_rank(some, ~none, np.zeros(4, int)) is None
    assert log_rank(some, none, np.arange(4)) is None
    assert log_rank(np.array([1.0, 2.0]), np.array([False, True]), np.array([0, 1])) is None
    assert trend_test(some, none, some) is None
    assert trend_test(some, ~none, np.ones(4)) is None


def test_the_sign_of_a_trend_says_whether_lengths_grow():
    along = np.arange(30.0)
    ended = np.ones(30, bool)
    assert trend_test(along + 1, ended, along)[0] > 0 > trend_test(30 - along, ended, along)[0]


@given(st.integers(0, 10_000), st.floats(0.2, 5))
@settings(max_examples=20, deadline=None)
def test_a_growth_is_found_again_and_agrees_with_the_test(seed, factor):
    rng = np.random.default_rng(seed)
    years, noise = rng.random(40) * 4, rng.lognormal(8, 1, 40)
    ended = rng.random(40) < 0.8
    still, grown = (growth(noise * by**years, ended, years) for by in (1.0, factor))
    assert grown.value == pytest.approx(still.value * factor, rel=1e-3)
    test = trend_test(noise * factor**years, ended, years)
    assert grown.holds(1.0) == (test[1] > 0.05) or abs(test[1] - 0.05) < 0.001


def test_a_growth_is_not_told_where_dates_or_lengths_do_not_differ():
    ones = np.ones(10)
    assert growth(np.arange(1.0, 11.0), ones.astype(bool), ones).value is None
    assert growth(np.empty(0), np.empty(0, bool), np.empty(0)).value is None
    assert growth(np.arange(1.0, 11.0), np.zeros(10, bool), np.arange(10.0)).value is None


@given(st.tuples(*[st.floats(1, 1e6)] * 2), st.tuples(*[st.floats(1.01, 9)] * 4))
def test_a_ratio_turned_round_is_its_inverse(values, away):
    later = Estimate(value=values[0], low=values[0] / away[0], high=values[0] * away[1])
    earlier = Estimate(value=values[1], low=values[1] / away[2], high=values[1] * away[3])
    there, back = ratio(later, earlier), ratio(earlier, later)
    assert there.value == pytest.approx(1 / back.value)
    assert (there.low, there.high) == (pytest.approx(1 / back.high), pytest.approx(1 / back.low))
    assert smallest_seen(later, earlier) == pytest.approx(smallest_seen(earlier, later))


def test_where_a_median_has_no_bound_neither_has_the_ratio():
    known, open_ = Estimate(value=2.0, low=1.0, high=4.0), Estimate(value=2.0, low=1.0)
    assert ratio(open_, known).high is None
    assert ratio(known, open_).low is None
    assert ratio(known, Estimate(value=None)) == Estimate(value=None)
    assert ratio(Estimate(value=2.0, low=0.0, high=4.0), known).low is None
    assert smallest_seen(known, open_) is None


def test_even_counts_show_no_trend_and_an_interval_no_shorter_than_chance():
    factor, p_value = rate_of_counts(np.arange(8) / 4, np.full(8, 25.0), np.full(8, 0.25))
    assert factor.value == pytest.approx(1.0)
    assert p_value == pytest.approx(1.0)
    assert factor.low < 0.75
    assert factor.high > 1.33


def test_a_short_quarter_is_no_drop():
    counts, exposure = np.array([40.0, 40, 40, 40, 4]), np.array([0.25, 0.25, 0.25, 0.25, 0.025])
    assert rate_of_counts(np.arange(5) / 4, counts, exposure)[0].value == pytest.approx(1.0)


@pytest.mark.parametrize("counts", [[1.0, 2, 3], [0.0] * 8])
def test_too_few_quarters_or_incidents_show_no_trend(counts):
    known = np.array(counts)
    assert rate_of_counts(np.arange(len(known)) / 4, known, np.full(len(known), 0.25)) == (Estimate(value=None), None)
