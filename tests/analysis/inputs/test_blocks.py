"""Vectors are blocks of columns; what is none stays as it is."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.inputs.blocks import LONGEST, spread_out
from rca.analysis.inputs.windows import windows_from
from rca.record.case import Roles


def rows(length, n=60, seed=0):
    rng = np.random.default_rng(seed)
    low = rng.normal(size=(n, 3)) @ np.random.default_rng(9).normal(size=(3, length))
    return pd.DataFrame({"x": rng.normal(size=n), "word": (low + 0.01 * rng.normal(size=(n, length))).tolist()})


def test_a_short_vector_has_a_column_a_place_and_no_vector_none():
    before, after = rows(4), rows(4, seed=1)
    after["word"] = [None if at == 3 else cell for at, cell in enumerate(after["word"])]
    spread = spread_out(before, after, Roles.of(before))
    names = tuple(f"word[{at}]" for at in range(4))
    assert spread[2].blocks == (("word", names),)
    assert spread[2].features == ("x", *names)
    np.testing.assert_array_equal(spread[0][list(names)], np.array(before["word"].tolist()))
    assert spread[1][list(names)].isna().all(axis=1).tolist() == [at == 3 for at in range(60)]


def test_a_long_vector_is_told_by_its_principal_axes_and_what_they_leave_out():
    before, after = rows(300), rows(300, seed=1)
    spread = spread_out(before, after, Roles.of(before))
    assert len(spread[2].features) == LONGEST + 1
    held, whole = spread[0].drop(columns="x").to_numpy(), np.array(before["word"].tolist())
    assert (held**2).sum() == pytest.approx(((whole - whole.mean(axis=0)) ** 2).sum(), rel=1e-6)
    assert (held[:, -1] ** 2).sum() < 0.01 * (held**2).sum()


@pytest.mark.parametrize(
    "odd",
    [
        [[1.0, 2.0], [1.0]],
        [["a", "b"], ["c", "d"]],
        [[1.0, 2.0], "x"],
        [[1.0, 2.0], 3.5],
        [{"a": 1}, {"a": 2}],
        [[[1.0]], [[2.0]]],
    ],
)
def test_what_is_no_vector_stays_as_it_is(odd):
    table = pd.DataFrame({"x": [1.0, 2.0], "odd": odd})
    assert spread_out(table, table, Roles.of(table))[2].features == ("x", "odd")


def test_vectors_of_another_length_in_the_other_window_stay_as_they_are():
    assert spread_out(rows(3), rows(4), Roles.of(rows(3)))[2].blocks == ()


def test_a_vector_whose_places_have_the_names_of_columns_stays_as_it_is():
    table = rows(2).assign(**{"word[1]": 1.0})
    assert spread_out(table, table, Roles.of(table))[2].features == ("x", "word", "word[1]")


def test_plain_tables_may_name_their_blocks_and_have_vectors():
    table = rows(2).assign(e0=1.0, e1=2.0, bad=[0, 1] * 30)
    windows = windows_from(table, table, metric={"name": "rate", "column": "bad"}, blocks={"e": ["e0", "e1"]})
    assert dict(windows.roles.blocks) == {"e": ("e0", "e1"), "word": ("word[0]", "word[1]")}
