"""Values that no drift makes are marked, and drift alone marks none."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.harm.evidence.odd_values import is_unlike, odd_values


def values(seed, n=900):
    rng = np.random.default_rng(seed)
    return pd.Series(rng.normal(10, 2, n)), pd.Series(rng.normal(10, 2, n)), rng.random(n) < 0.2


HIT = {"filler": -999.0, "a usual value": 10.0, "missing": np.nan, "far": 1e6}


@pytest.mark.parametrize("how", HIT)
def test_rows_with_a_filler_or_without_a_value_are_marked_and_no_others(how):
    before, after, hit = values(0)
    odd = odd_values(before, after.mask(hit, HIT[how]))
    assert (odd[hit]).all()
    assert odd[~hit].mean() < 0.01
    assert is_unlike(before, after.mask(hit, HIT[how]))


def test_a_word_never_seen_and_a_word_heaped_are_marked():
    rng = np.random.default_rng(1)
    before, after = (pd.Series(rng.choice(list("pqrs"), 800)) for _ in range(2))
    hit = rng.random(800) < 0.1
    np.testing.assert_array_equal(odd_values(before, after.mask(hit, "new")), hit)
    assert odd_values(before, after) is None


def test_a_cap_heaps_and_a_coarser_grid_and_a_lost_end_are_unlike():
    before, after, _ = values(2)
    capped = after.clip(upper=11.0)
    assert odd_values(before, capped)[capped == 11.0].all()
    assert not odd_values(before, capped)[capped.between(6, 10.9)].any()
    for made in (capped, after.round(0), after[after < 12], after * 3):
        assert is_unlike(before, made)


def test_nothing_is_odd_on_a_null_in_at_least_36_of_40_draws_of_900_rows():
    assert sum(not is_unlike(*values(seed)[:2]) for seed in range(40)) >= 36
    counted = [np.random.default_rng(seed).poisson(4, (2, 900)) for seed in range(40)]
    assert sum(not is_unlike(pd.Series(one), pd.Series(other)) for one, other in counted) >= 38


def test_nothing_is_odd_on_a_null_in_at_least_36_of_40_draws_of_300_rows():
    assert sum(not is_unlike(*values(seed, 300)[:2]) for seed in range(40)) >= 36


def test_a_column_that_drifts_as_a_whole_is_not_unlike():
    before, after, _ = values(3)
    assert not is_unlike(before, after + 1.0)
    assert is_unlike(before, after + 10.0)


def test_where_nearly_all_or_hardly_any_rows_are_odd_none_is_meant():
    before, after, _ = values(4)
    assert odd_values(before, after * 0 - 999) is None
    assert odd_values(before, after.mask(after.index < 2, -999)) is None
    assert odd_values(before, after.mask(after.index < 20, -999))[:20].all()


def test_codes_are_words():
    rng = np.random.default_rng(5)
    before, after = (pd.Series(rng.choice([1, 2, 3], 500)) for _ in range(2))
    hit = rng.random(500) < 0.3
    assert odd_values(before, after.mask(hit, 7), coded=True)[hit].all()
    assert not is_unlike(before, after, coded=True)


@pytest.mark.parametrize("empty", [np.nan, None, np.inf])
def test_columns_without_any_number_are_no_trouble(empty):
    full, hollow = values(6)[0], pd.Series([empty] * 900, dtype=object)
    for pair in ((full, hollow), (hollow, full), (hollow, hollow)):
        assert is_unlike(*pair) in (True, False)
    assert not is_unlike(hollow, hollow)
