"""Cells: both windows on the same codes, whatever the column holds."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from rca.tables.discretisation import discretise

VALUES = st.lists(st.one_of(st.none(), st.floats(-3, 3), st.sampled_from([0.0, 1.0])), min_size=1, max_size=80)
SORTS = {
    "numbers": pd.Series(np.random.default_rng(0).normal(size=200)),
    "infinite": pd.Series([np.inf, -np.inf, 1.0, 2.0] * 50),
    "constant": pd.Series(np.zeros(200)),
    "all missing": pd.Series(np.full(200, np.nan)),
    "a value a row": pd.Series([f"u{i}" for i in range(200)]),
    "mixed types": pd.Series([1, "a", None, True] * 50, dtype=object),
    "boolean": pd.Series([True, False] * 100),
    "time": pd.Series(pd.date_range("2024-01-01", periods=200, tz="UTC")),
    "category": pd.Series(["a", "b"] * 100, dtype="category"),
}


def series(values):
    return pd.Series(values, dtype=float)


@given(VALUES, VALUES)
@settings(deadline=None)
def test_every_row_has_a_code_and_every_code_a_row(before, after):
    found = discretise(series(before), series(after))
    codes = np.concatenate([found.reference, found.current])
    assert set(codes) == set(range(found.count))
    assert (len(found.reference), len(found.current)) == (len(before), len(after))


@given(VALUES, VALUES)
@settings(deadline=None)
def test_shares_are_positive_and_add_up_to_one(before, after):
    for shares in discretise(series(before), series(after)).shares():
        assert (shares > 0).all()
        assert shares.sum() == pytest.approx(1)


@given(VALUES)
@settings(deadline=None)
def test_identical_windows_have_a_ratio_of_one(values):
    assert_allclose(discretise(series(values), series(values)).log_ratio(), 0, atol=1e-12)


@given(VALUES, VALUES)
@settings(deadline=None)
def test_equal_values_have_equal_codes(before, after):
    found = discretise(series(before), series(after))
    code = {}
    for value, at in zip([*before, *after], [*found.reference, *found.current], strict=True):
        assert code.setdefault(value, at) == at


def test_a_ratio_says_which_window_has_more():
    found = discretise(pd.Series(["a"] * 80 + ["b"] * 20), pd.Series(["a"] * 20 + ["b"] * 80))
    assert found.log_ratio()[found.reference[0]] < 0 < found.log_ratio()[found.reference[-1]]


@pytest.mark.parametrize("first", SORTS)
@pytest.mark.parametrize("second", SORTS)
@pytest.mark.parametrize("coded", [False, True])
def test_any_sort_of_column_beside_any_other_is_laid_on_cells(first, second, coded):
    ratio = discretise(SORTS[first], SORTS[second], coded=coded).log_ratio()
    assert np.isfinite(ratio).all()


def test_a_filler_is_a_cell_of_its_own():
    rng = np.random.default_rng(1)
    before = pd.Series(rng.normal(size=500))
    after = before.mask(before.index < 50, 0.0)
    found = discretise(before, after)
    stuck = found.current[:50]
    assert len(set(stuck)) == 1
    assert stuck[0] not in set(found.current[50:])
    assert stuck[0] not in set(found.reference)


def test_missing_is_a_cell_of_its_own():
    found = discretise(pd.Series([None, 1.0, 2.0]), pd.Series([None, None, 1.0]))
    assert found.reference[0] == found.current[0] == found.current[1]
    assert found.current[2] != found.current[0]


def test_rare_categories_share_a_cell():
    found = discretise(pd.Series(["a"] * 50 + ["b", "c"]), pd.Series(["a"] * 50))
    assert found.reference[50] == found.reference[51] != found.reference[0]


def test_the_same_code_is_the_same_cell_as_integer_and_as_double():
    found = discretise(pd.Series([1, 2] * 20), pd.Series([1.0, 2.0, np.nan, 2.5] * 20), coded=True)
    assert found.reference[0] == found.current[0]
    assert found.reference[1] == found.current[1]
