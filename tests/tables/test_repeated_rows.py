"""Of rows that are the same one is kept."""

import numpy as np
import pandas as pd

from rca.tables.repeated_rows import joint_codes, repeats, value_codes


def test_rows_have_one_code_where_pandas_calls_them_duplicates():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"a": rng.choice([1.0, 2.0, np.nan], 300), "b": rng.choice(["x", "y", None], 300)})
    rows["c"] = rng.integers(0, 9, 300)
    codes = joint_codes(value_codes(rows, rows.head(0), rows.columns))
    found = repeats(codes, np.ones(300, dtype=bool))
    assert (~found.keep).tolist() == rows.duplicated().tolist()
    assert found.share == rows.duplicated().mean()


def test_two_spellings_of_a_number_are_one_value():
    codes = value_codes(pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [2.0, 3.0]}), ["a"])
    assert codes["a"].tolist() == [0, 1, 1, 2]


def test_repeats_of_a_key_that_are_otherwise_unlike_are_kept():
    content = np.array([[1, 1, 1, 1], [1, 1, 1, 2], [5, 6, 7, 8], [8, 9, 9, 8]])
    found = repeats(np.array([0, 0, 1, 1]), np.ones(4, dtype=bool)).unless_otherwise(content)
    assert found.keep.tolist() == [True, False, True, True]


def test_the_error_of_a_share_is_that_of_sets_drawn_anew():
    rng = np.random.default_rng(1)
    shares, errors = [], []
    for _ in range(300):
        sizes = 1 + 3 * (rng.random(400) < 0.1)
        found = repeats(np.repeat(np.arange(400), sizes), np.ones(sizes.sum(), dtype=bool))
        shares.append(found.share)
        errors.append(found.error)
    assert abs(np.mean(errors) / np.std(shares) - 1) < 0.15
