"""What moved, asked of plain tables, of tables that are read when asked for, and of sketches."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rca
from rca.practice.simulate import tabular
from tests.analysis.plain_tables import FEATURES, drawn


@pytest.fixture(scope="module")
def windows():
    return tabular(np.random.default_rng(0), rows=700, fault="scaled")


def test_tables_that_are_read_when_asked_for_are_compared_by_sketches(windows):
    reference, current = (pl.from_pandas(rows).lazy() for rows in windows)
    found, exact = rca.drift(reference, current, features=FEATURES), rca.drift(*windows, features=FEATURES)
    assert found.moved() == exact.moved() == ("x0",)
    assert found["x0"].effect == pytest.approx(exact["x0"].effect, abs=0.01)


def test_windows_are_sums_of_sketches(windows):
    reference, current = (rows[FEATURES] for rows in windows)
    grid = rca.sketch(reference)
    whole = rca.drift(grid, rca.sketch(current, grid))
    parts = rca.sketch(current.iloc[:100], grid) + rca.sketch(current.iloc[100:], grid)
    assert rca.drift(grid, parts).moved() == whole.moved()


def test_what_is_no_case_needs_a_second_table(windows):
    with pytest.raises(rca.InvalidCase, match="a reference and a current table"):
        rca.drift(windows[0])


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_neither_the_order_of_rows_nor_that_of_columns_matters_to_what_moved(seed):
    before, after = drawn(seed), drawn(seed + 1).assign(n=lambda rows: rows["n"] + 1)
    shuffled = after.sample(frac=1, random_state=seed)[list(after.columns[::-1])].reset_index(drop=True)
    told, again = rca.drift(before, after), rca.drift(before[list(before.columns[::-1])], shuffled)
    assert {one.name: (one.effect, one.p_value) for one in told.columns} == {
        one.name: (one.effect, one.p_value) for one in again.columns
    }


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.sampled_from([0.25, 8.0, 1024.0]))
def test_another_unit_of_both_windows_scales_distances_and_leaves_effects(seed, factor):
    before, after = drawn(seed), drawn(seed + 1).assign(n=lambda rows: rows["n"] + 1)
    told = rca.drift(before, after)["n"]
    again = rca.drift(before.assign(n=factor * before["n"]), after.assign(n=factor * after["n"]))["n"]
    assert again.effect == told.effect
    assert again.wasserstein == pytest.approx(factor * told.wasserstein)


def test_times_of_both_windows_are_compared_in_utc_whatever_their_zones_and_units():
    at = pd.Series(pd.date_range("2026-01-01", periods=300, freq="h"))
    other = at.dt.tz_localize("UTC").dt.tz_convert("America/Lima").dt.as_unit("ns")
    for times in (other, at.dt.as_unit("s"), other.astype(str), other.astype(pd.ArrowDtype(pa.timestamp("ns", "UTC")))):
        told = rca.drift(pd.DataFrame({"at": at}), pd.DataFrame({"at": times}))["at"]
        assert (told.kind, told.effect) == ("datetime", 0.0)
