"""Categories of two windows: rare ones are compared as one."""

import numpy as np
import pandas as pd

from rca.analysis.drift.column_comparison import COMMONEST, OTHER, pooled
from rca.tables.column_pair import tally


def test_rare_categories_are_compared_as_one():
    labels, counts = pooled(tally(pd.Series(["a"] * 50 + [f"r{i}" for i in range(20)]), pd.Series(["a"] * 70)))
    assert labels == ("a", OTHER)
    assert counts.tolist() == [[50, 20], [70, 0]]


def test_which_categories_are_rare_is_said_by_both_windows_together():
    before, after = pd.Series(["a"] * 90 + ["b"] * 10), pd.Series(["a"] * 90 + ["c"] * 10)
    both = pd.Series(["a"] * 90 + ["b"] * 5 + ["c"] * 5)
    assert pooled(tally(before, after))[0] == pooled(tally(both, both))[0] == ("a", "b", "c")


def test_no_more_than_the_commonest_categories_are_shown():
    values = pd.Series(np.repeat([f"v{i:03d}" for i in range(COMMONEST + 30)], 12))
    labels, counts = pooled(tally(values, values))
    assert len(labels) == COMMONEST + 1
    assert counts.sum() == 2 * len(values)


def test_a_category_that_is_called_other_stays_apart_from_the_rare_ones():
    window = pd.Series([OTHER] * 40 + ["a"] * 40 + [f"r{i}" for i in range(20)])
    labels, _ = pooled(tally(window, window))
    assert len(labels) == len(set(labels)) == 3
