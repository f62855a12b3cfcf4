"""Distances of two samples and their p-value where values repeat: against scipy, and every order of the rows."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import kolmogorov
from scipy.stats import hypergeom, ks_2samp, norm, wasserstein_distance

from rca.methods import kolmogorov_smirnov
from rca.methods.kolmogorov_smirnov import merge

RNG = np.random.default_rng(0)
SMALL = st.lists(st.integers(-2, 2).map(float), min_size=1, max_size=5)


def merged(first, second):
    return merge(np.sort(np.asarray(first, float)), np.sort(np.asarray(second, float)))


@given(SMALL, SMALL)
@settings(max_examples=60, deadline=None)
def test_the_p_value_is_the_share_of_orders_that_are_farther_apart_and_half_of_those_as_far(first, second):
    rows = np.array(first + second)
    apart = []
    for chosen in itertools.combinations(range(len(rows)), len(first)):
        mine = np.isin(np.arange(len(rows)), chosen)
        apart.append(merged(rows[mine], rows[~mine]).distance())
    seen = merged(first, second).distance()
    farther, as_far = np.mean(np.array(apart) > seen + 1e-9), np.mean(np.abs(np.array(apart) - seen) < 1e-9)
    distinct = len(set(rows)) == len(rows)
    expected = 1.0 if seen == 0 else farther + as_far / (1 if distinct else 2)
    assert merged(first, second).p_value() == pytest.approx(expected)


@pytest.mark.parametrize(("n", "m"), [(30, 40), (999, 1000), (7, 2000), (1, 50)])
def test_where_no_value_repeats_the_exact_p_value_is_scipys(n, m):
    first, second = RNG.normal(size=n), RNG.normal(0.1, 1, m)
    oracle = ks_2samp(first, second, method="exact")
    assert_allclose(merged(first, second).distance(), oracle.statistic)
    assert_allclose(merged(first, second).p_value(), oracle.pvalue, rtol=1e-9)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40), st.lists(st.integers(-9, 9).map(float), min_size=1))
@settings(max_examples=30, deadline=None)
def test_the_distances_are_scipys(first, second):
    found = merged(first, second)
    assert found.distance() == pytest.approx(ks_2samp(first, second, method="exact").statistic)
    assert found.wasserstein() == pytest.approx(wasserstein_distance(first, second), abs=1e-6)
    below = found.shares_below()
    assert abs(below[0] - below[1]) == pytest.approx(found.distance())


@pytest.mark.parametrize("factor", [1e-3, 1000.0])
def test_a_unit_scales_the_mean_distance_and_nothing_else(factor):
    first, second = RNG.normal(size=300), RNG.normal(0.5, 2, 200)
    plain, scaled = merged(first, second), merged(first * factor, second * factor)
    assert scaled.wasserstein() == pytest.approx(plain.wasserstein() * factor)
    assert (scaled.distance(), scaled.p_value()) == (plain.distance(), plain.p_value())


@pytest.mark.parametrize("far", [np.inf, 1e308])
def test_a_mean_distance_that_is_not_finite_is_none(far):
    assert merged([-far, -far], [far, far]).wasserstein() is None


def test_alike_windows_are_not_apart():
    window = RNG.integers(0, 5, 3000)
    assert (merged(window, window).distance(), merged(window, window).p_value()) == (0.0, 1.0)


def test_one_look_at_the_bridge_is_a_normal_tail():
    shares = np.array([0.3, 0.7])
    found = kolmogorov_smirnov.asymptotic_p_value(0.015, (10_000, 10_000), shares)
    assert found == pytest.approx(2 * norm.sf(0.015 * np.sqrt(5000) / np.sqrt(0.21)), rel=1e-3)


def test_a_bridge_watched_all_along_is_kolmogorovs():
    bridge = kolmogorov_smirnov._Bridge(1.2)
    density = bridge.stretch(bridge.start(0.3, atom=False), 0.2)
    inside = density @ bridge.start(0.5, atom=False) * bridge.width * np.sqrt(2 * np.pi)
    assert 1 - inside == pytest.approx(kolmogorov(1.2), rel=1e-6)


@pytest.mark.parametrize("grid", [3, 10, 60, 400])
@pytest.mark.parametrize("floor", [-np.inf, 0.0])
def test_the_limit_is_near_the_exact_p_value_however_values_repeat(grid, floor):
    rng = np.random.default_rng(grid)
    first, second = (
        np.maximum(np.round(rng.normal(shift, 1, size) * grid) / grid, floor) for shift, size in ((0, 900), (0.09, 800))
    )
    found = merged(first, second)
    exact = kolmogorov_smirnov._paths(found._reach(), found.last, 900)
    assert 0.001 < exact < 0.9
    assert kolmogorov_smirnov.asymptotic_p_value(found.distance(), found.sizes, found._runs() / 1700) == pytest.approx(
        exact, rel=0.06
    )


def test_two_values_are_compared_as_two_rates():
    first, second = np.repeat([0.0, 1.0], [25, 5]), np.repeat([0.0, 1.0], [20, 12])
    hits = np.arange(18)
    apart = np.abs(hits / 30 - (17 - hits) / 32)
    chances, seen = hypergeom.pmf(hits, 62, 17, 30), abs(5 / 30 - 12 / 32)
    expected = chances[apart > seen + 1e-9].sum() + chances[np.abs(apart - seen) < 1e-9].sum() / 2
    assert merged(first, second).p_value() == pytest.approx(expected)


def test_a_handful_of_other_values_among_many_is_counted_exactly():
    first, second = np.r_[np.zeros(990), np.ones(10)], np.r_[np.zeros(899), np.ones(1)]
    found = merged(first, second)
    assert found.p_value() == kolmogorov_smirnov._paths(found._reach(), found.last, 1000)


def test_of_many_rows_the_mean_distance_is_scipys():
    first, second = (
        RNG.normal(size=3 * kolmogorov_smirnov.CHUNK),
        RNG.normal(0.1, 1.2, 2 * kolmogorov_smirnov.CHUNK + 1),
    )
    assert_allclose(merged(first, second).wasserstein(), wasserstein_distance(first, second), rtol=1e-12)


def test_of_many_rows_without_ties_the_p_value_is_the_one_of_rows_that_are_told_to_have_none():
    first, second = RNG.normal(size=3000), RNG.normal(0.03, 1, 2000)
    found = merged(first, second)
    assert found.p_value() == kolmogorov_smirnov.asymptotic_p_value(
        found.distance(), (3000, 2000), np.full(5000, 1 / 5000)
    )


@given(SMALL, SMALL, st.sampled_from([0.0, 0.5, 1.0, 3.0]))
@settings(deadline=None)
def test_the_distance_beyond_a_slack_is_what_remains_where_one_sample_may_move_by_it(first, second, slack):
    both = merged(first, second)
    found = both.distance_beyond(slack)
    at = np.arange(-6, 6, 0.25)
    below = [np.array([(np.asarray(rows) <= x).mean() for x in at]) for rows in (first, second)]
    later = [np.array([(np.asarray(rows) <= x + slack).mean() for x in at]) for rows in (first, second)]
    assert_allclose(found, max(0, (below[0] - later[1]).max(), (below[1] - later[0]).max()), atol=1e-12)
    assert found <= both.distance() + 1e-12
    assert_allclose(both.distance_beyond(0.0), both.distance())


def test_a_shift_is_explained_by_a_slack_as_great_and_by_no_smaller_one():
    rows = RNG.normal(size=500)
    both = merged(rows, rows + 0.125)
    assert both.distance_beyond(0.126) == 0
    assert both.distance_beyond(0.06) > 0
