"""Distances, p-values and q-values of two samples: what they are, and what they never are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.methods.two_sample_tests import benjamini_hochberg, chi_square, kolmogorov_smirnov

N = 300
NORMAL = np.random.default_rng(0).normal(size=N)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(deadline=None)
def test_a_q_value_is_never_below_its_p_value_and_keeps_their_order(p_values):
    q_values = benjamini_hochberg(p_values)
    assert all(p <= q + 1e-12 for p, q in zip(p_values, q_values, strict=True))
    ranked = [q for _, q in sorted(zip(p_values, q_values, strict=True))]
    assert ranked == sorted(ranked)


def test_no_tests_have_no_q_values():
    assert benjamini_hochberg([]) == []


@given(st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=40), st.integers(1, 20))
@settings(max_examples=40, deadline=None)
def test_the_distance_is_that_of_the_two_distribution_functions(values, cut):
    first, second = np.array(values), np.array(values[-cut:])
    grid = np.arange(-3, 4)
    apart = np.abs([(first <= x).mean() - (second <= x).mean() for x in grid]).max()
    assert kolmogorov_smirnov(first, second)[0] == pytest.approx(apart)


def test_windows_that_differ_by_rounding_alone_are_the_same():
    distance, p_value = kolmogorov_smirnov(NORMAL, NORMAL.astype("float32").astype(float))
    assert distance <= 1 / N + 1e-12
    assert p_value == pytest.approx(1)


def test_one_category_cannot_differ():
    assert chi_square(np.array([[10], [20]])) == (0.0, 1.0)
    assert chi_square(np.array([[10, 0], [20, 0]])) == (0.0, 1.0)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=6), st.lists(st.integers(0, 50), min_size=2, max_size=6))
@settings(deadline=None)
def test_a_table_of_counts_always_has_a_p_value(first, second):
    size = min(len(first), len(second))
    counts = np.array([first[:size], second[:size]])
    if (counts.sum(axis=1) > 0).all():
        statistic, p_value = chi_square(counts)
        assert statistic >= 0
        assert 0 <= p_value <= 1
