"""A change divided among sets of rows: parts add up, and each is what happened within or what its size did."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.analysis.slices.within_between import MetricChange, loss


def drawn(seed, *, n=60, root=False, sign=1.0):
    rng = np.random.default_rng(seed)
    value, weight = [sign * rng.random(n) ** 2, sign * rng.random(n)], [rng.integers(0, 3, n) * 1.0, np.ones(n)]
    pieces = [rng.integers(0, 3, n) for _ in range(2)]
    return MetricChange(value=tuple(value), weight=tuple(weight), root=root), pieces


@given(st.integers(0, 10_000), st.booleans(), st.sampled_from([1.0, -1.0]))
@settings(max_examples=60, deadline=None)
def test_parts_of_disjoint_sets_add_up_to_the_change(seed, root, sign):
    change, pieces = drawn(seed, root=root, sign=sign)
    every = [np.ones(60, dtype=bool)] * 2
    whole = change.metric(1, every[1]) - change.metric(0, every[0])
    parts = [loss(change, (pieces[0] == one, pieces[1] == one)) for one in range(3)]
    assert sum(one.lost + one.mix for one in parts) == pytest.approx(whole)
    assert sum(one.share for one in parts) == pytest.approx(1)


def test_a_group_that_only_grew_lost_nothing():
    value = np.tile([0.0, 1.0], 50)
    held = np.arange(100) < 20, np.arange(100) < 60
    found = loss(MetricChange(value=(value, value), weight=(np.ones(100),) * 2), held)
    assert found.lost == pytest.approx(0)
    assert found.mix == pytest.approx(0)  # it grew, and it is like the others


def test_a_bad_group_that_grew_is_mix_alone():
    bad = np.arange(100) < 20, np.arange(100) < 60
    change = MetricChange(value=tuple(one.astype(float) for one in bad), weight=(np.ones(100),) * 2)
    found = loss(change, bad)
    assert found.lost == 0
    assert found.mix == pytest.approx(0.4 * (1 - 0.4))


def test_rows_that_only_one_window_has_changed_in_nothing():
    change = MetricChange(value=(np.zeros(4), np.ones(4)), weight=(np.ones(4),) * 2)
    found = loss(change, (np.zeros(4, dtype=bool), np.array([True, False, False, False])))
    assert (found.lost, found.error) == (0, 0)
    assert found.mix == pytest.approx(0.25 - 0.5 * 0.25)


@pytest.mark.parametrize("root", [False, True])
def test_the_error_of_a_part_is_that_of_repeated_draws(root):
    rng, lost, errors = np.random.default_rng(1), [], []
    for _ in range(400):
        held = tuple(rng.random(300) < share for share in (0.3, 0.5))
        value = tuple(rng.exponential(1 + at * move) for at, move in zip(held, (0.5, 2.0), strict=True))
        found = loss(MetricChange(value=value, weight=(np.ones(300),) * 2, root=root), held)
        lost.append(found.lost)
        errors.append(found.error)
    assert np.mean(errors) == pytest.approx(np.std(lost), rel=0.15)
