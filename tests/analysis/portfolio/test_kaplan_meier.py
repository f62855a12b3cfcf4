"""Kaplan-Meier of lengths that may still be running, against statsmodels, R and arithmetic; its quantiles and means."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import binom

from rca.analysis.portfolio.kaplan_meier import MIN_LENGTHS, Estimate, grain_of, survival

MAINTAINED = ([9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161], [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0])
NOT_MAINTAINED = ([5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45], [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1])
"""The leukemia data of R's package `survival`, `aml`: Miller (1997), Survival Analysis, p. 49."""

MERCAPTOPURINE = (
    [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35],
    [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0],
)
PLACEBO = ([1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23], [1] * 21)
"""The leukemia data of R's package `MASS`, `gehan`: Freireich et al. (1963), Blood 21, 699-716."""


def curve(data):
    lengths, ended = data
    return survival(np.array(lengths, float), np.array(ended, bool))


def lengths_and_ends():
    rows = st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=60)
    return rows.map(lambda rows: tuple(np.array(column) for column in zip(*rows, strict=True)))


# --- the curve -------------------------------------------------------------------------------------------------------


def test_the_shares_are_products_of_those_that_lasted_on():
    found = curve(MAINTAINED).share
    steps = [10 / 11, 9 / 10, 7 / 8, 6 / 7, 4 / 5, 3 / 4, 1 / 2]
    assert_allclose(found, np.cumprod(steps), rtol=1e-12)
    assert found.round(4).tolist() == [0.9091, 0.8182, 0.7159, 0.6136, 0.4909, 0.3682, 0.1841]  # as R prints them


@pytest.mark.parametrize(
    ("data", "median", "mean", "error"),
    [(MAINTAINED, 31, 52.6, 19.83), (NOT_MAINTAINED, 23, 22.7, 4.18)],
)
def test_medians_and_restricted_means_are_those_that_r_prints(data, median, mean, error):
    found = curve(data)
    assert found.quantile(0.5).value == median
    value, spread = found.restricted(161.0)
    assert (round(value, 1), round(spread, 2)) == (mean, error)


def test_published_medians_of_remission_are_found():
    assert [curve(data).quantile(0.5).value for data in (MERCAPTOPURINE, PLACEBO)] == [23, 8]
    assert curve(MERCAPTOPURINE).share.round(3).tolist() == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]


@given(lengths_and_ends())
@settings(max_examples=60, deadline=None)
def test_the_curve_is_that_of_statsmodels(rows):
    from statsmodels.duration.survfunc import SurvfuncRight

    lengths, ended = rows[0].astype(float), rows[1]
    found = survival(lengths, ended)
    assert found.events == ended.sum()
    if ended.any():
        oracle = SurvfuncRight(lengths, ended.astype(int))
        kept = oracle.n_events > 0
        assert_allclose(found.share, oracle.surv_prob[kept], atol=1e-8)
        assert_allclose(found.times, oracle.surv_times[kept])
    assert [found.place(at)[1] for at in (0.0, 20.0)] == [(lengths > at).sum() for at in (0.0, 20.0)]


@given(lengths_and_ends(), st.permutations(range(60)), st.floats(0.1, 100))
@settings(max_examples=40, deadline=None)
def test_neither_the_order_of_incidents_nor_the_unit_changes_what_is_found(rows, order, unit):
    lengths, ended = rows[0].astype(float), rows[1]
    order = [at for at in order if at < len(lengths)]
    first, second = survival(lengths, ended).quantile(0.5), survival(lengths[order] * unit, ended[order]).quantile(0.5)
    for one, other in zip((first.value, first.low, first.high), (second.value, second.low, second.high), strict=True):
        assert other == (None if one is None else pytest.approx(one * unit))


# --- quantiles -------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=60, unique=True))
@settings(deadline=None)
def test_the_median_of_ended_lengths_is_the_sample_median_and_inside_its_interval(lengths):
    found = survival(np.array(lengths)).quantile(0.5)
    assert found.value == pytest.approx(np.median(lengths))
    assert found.holds(found.value)


@pytest.mark.parametrize("n", [6, 10, 17, 50, 251])
def test_the_interval_of_the_median_is_nyblom_s_between_order_statistics(n):
    values = np.sort(np.random.default_rng(n).lognormal(size=n))
    found = survival(values).quantile(0.5)
    rank = next(k for k in range(1, n) if binom.cdf(k, n, 0.5) > 0.025)
    below, beyond = binom.cdf(rank - 1, n, 0.5), binom.cdf(rank, n, 0.5)
    part = 1 / (1 + rank / (n - rank) * (beyond - 0.025) / (0.025 - below))
    low = values[rank - 1] + part * (values[rank] - values[rank - 1])
    high = values[n - rank] - part * (values[n - rank] - values[n - rank - 1])
    assert_allclose([found.low, found.high], [low, high], rtol=1e-8)


def test_five_incidents_set_no_bound_to_a_median():
    assert survival(np.arange(1.0, 6.0)).quantile(0.5) == Estimate(value=3.0, low=0.0, high=None)


def test_a_median_that_fewer_than_half_have_reached_has_a_lower_bound_only():
    found = survival(np.arange(1.0, 21.0), np.arange(20) < 7).quantile(0.5)
    assert found.value is None
    assert found.high is None
    assert 4 < found.low < 8


@pytest.mark.parametrize(("n", "low"), [(1, 0.0), (2, 0.0), (12, 7.0)])
def test_where_all_are_open_a_median_is_bounded_below_by_those_seen_for_long(n, low):
    found = survival(np.arange(1.0, n + 1), np.zeros(n, bool))
    assert (found.n, found.events) == (n, 0)
    assert found.quantile(0.5) == Estimate(value=None, low=low, high=None)


def test_nothing_is_known_of_times_that_no_incident_has_been_seen_for():
    found = survival(np.arange(1.0, 13.0), np.zeros(12, bool))
    assert found.beyond(100.0) == Estimate(value=1.0, low=0.0, high=1.0)
    assert found.beyond(0.5).low > 0.8


def test_no_incident_at_all_is_no_error():
    found = survival(np.empty(0))
    assert (found.n, found.quantile(0.5)) == (0, Estimate(value=None, low=0.0, high=None))


def test_equal_lengths_have_that_length_for_a_median():
    found = survival(np.full(30, 7.0)).quantile(0.5)
    assert (found.value, found.high) == (7.0, 7.0)
    assert found.low <= 7.0


@given(st.lists(st.sampled_from([60.0, 150.0, 7200.0]), min_size=1, max_size=80))
@settings(max_examples=60, deadline=None)
def test_an_interval_never_passes_by_lengths_that_many_incidents_have(lengths):
    found = survival(np.array(lengths * 2)).quantile(0.5, grain=30.0)
    assert found.holds(found.value)
    assert {found.low, found.high} <= {0.0, 60.0, 150.0, 7200.0, None, found.value}


def test_longer_censoring_never_shortens_the_median():
    lengths = np.arange(1.0, 31.0)
    medians = [survival(lengths, ~((lengths > 10) & (lengths <= 10 + many))).quantile(0.5).value for many in (0, 4, 9)]
    assert medians == sorted(medians)


def test_ends_are_moved_outward_to_half_of_what_lengths_are_rounded_to():
    lengths = np.round(np.random.default_rng(0).lognormal(8, 1, 60) / 60 + 1) * 60
    exact, told = survival(lengths).quantile(0.5), survival(lengths).quantile(0.5, grain=60.0)
    assert told.low <= exact.low <= exact.high <= told.high
    assert (told.low % 30, told.high % 30) == (0, 0)
    assert (exact.low - told.low, told.high - exact.high) < (30, 30)


@pytest.mark.parametrize(
    ("lengths", "grain"),
    [([86400, 172800], 86400), ([3600, 7200, 86400], 3600), ([60, 90], 1), ([60.5], 0), ([], 0)],
)
def test_the_grain_is_the_largest_unit_that_all_lengths_are_multiples_of(lengths, grain):
    assert grain_of(np.array(lengths, float)) == grain


# --- shares and means ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("time", [0.5, 1.0, 4.0, 9.5, 10.0, 11.0])
def test_the_share_that_lasts_longer_has_jeffreys_interval_where_nothing_is_censored(time):
    from statsmodels.stats.proportion import proportion_confint

    found = survival(np.arange(1.0, 11.0)).beyond(time)
    longer = int((np.arange(1, 11) > time).sum())
    low, high = proportion_confint(longer, 10, method="jeffreys")
    assert found.value == pytest.approx(longer / 10)
    assert_allclose([found.low, found.high], [min(low, found.value), max(high, found.value)], atol=1e-8)


@given(st.lists(st.integers(1, 500), min_size=2, max_size=80))
@settings(deadline=None)
def test_a_restricted_mean_to_the_longest_is_the_mean_and_its_error_that_of_a_mean(lengths):
    values = np.array(lengths, float)
    value, error = survival(values).restricted(float(values.max()))
    assert value == pytest.approx(values.mean(), rel=1e-8)
    assert error == pytest.approx(values.std() / math.sqrt(len(values)), rel=1e-8, abs=1e-12)


def test_a_restricted_mean_of_few_has_no_interval():
    few, enough = (survival(np.arange(1.0, n + 1)) for n in (MIN_LENGTHS - 1, MIN_LENGTHS))
    assert few.restricted_mean(100.0).low is None
    assert enough.restricted_mean(100.0).holds(10.5)


def test_a_restricted_mean_never_leaves_its_horizon():
    found = survival(np.r_[np.full(40, 5.0), 2.9]).restricted_mean(3.0)
    assert 2.9 < found.low <= found.value < 3.0 == found.high
