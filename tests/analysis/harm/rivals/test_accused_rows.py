"""A rival about rows leads to them: surplus copies, rows without an outcome, the few that carry the change."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.harm.rivals.accused_rows import accused_rows
from rca.analysis.harm.rivals.rival import Rival
from rca.analysis.inputs.windows import windows_from


def rows(seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"x": rng.normal(size=400), "bad": (rng.random(400) < 0.3).astype(float)})


def accused(before, after, *, window="current", **what):
    windows = windows_from(before, after, metric={"name": "mean", "column": "bad"}, label="bad")
    return accused_rows(windows, Rival(**what), window=window)


@pytest.fixture
def twice():
    after = rows(1)
    return pd.concat([after, after[after["bad"] == 1]], ignore_index=True)


def test_copies_are_all_but_the_first_of_each_set(twice):
    found = accused(rows(0), twice, kind="rows", name="duplicates")
    assert np.flatnonzero(found).tolist() == list(range(400, len(twice)))
    assert not accused(rows(0), twice, kind="rows", name="duplicates", window="reference").any()


def test_rows_without_an_outcome_are_those_that_lack_it():
    after = rows(1)
    after.loc[[3, 7], "bad"] = np.nan
    assert np.flatnonzero(accused(rows(0), after, kind="labels", name="bad")).tolist() == [3, 7]
    assert accused(rows(0), after, kind="labels", name="gone") is None


def test_a_handful_that_carries_the_change_is_found_in_the_current_window_alone():
    after = rows(1)
    after.loc[[5, 9], "bad"] = 1e4
    assert {5, 9} <= set(np.flatnonzero(accused(rows(0), after, kind="rows", name="outliers")))
    assert accused(rows(0), after, kind="rows", name="outliers", window="reference") is None


@pytest.mark.parametrize("kind", ["concept", "model", "slice"])
def test_what_is_not_about_rows_accuses_none(twice, kind):
    assert accused(rows(0), twice, kind=kind, name="duplicates") is None
