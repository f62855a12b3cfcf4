"""What slices may be named by: conditions that hold where `Condition` says so, each for other rows than every other."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.analysis.slices.candidate_conditions import Candidates, literals
from rca.analysis.slices.text_ngrams import phrases
from rca.tables.columns import as_labels, as_numbers
from rca.tables.condition import Condition

HALF = np.arange(40) >= 20


def listed(values, *, text=False, least=2):
    values = pd.Series(values)
    read = as_numbers(values) if pd.api.types.is_numeric_dtype(values) else as_labels(values)
    return literals({"c": read}, HALF[: len(values)], text=("c",) if text else (), least=least), pd.DataFrame(
        {"c": values}
    )


@pytest.mark.parametrize(
    "values",
    [
        np.arange(40.0) % 7,
        np.linspace(-1, 1, 40)[np.arange(40) * 7 % 40] ** 3,
        np.where(np.arange(40) % 3, np.nan, np.arange(40.0)),
        np.array([np.inf, -np.inf, 1.0, 2.0] * 10),
        np.array(["a", "b", None, "c"] * 10, dtype=object),
        pd.Series([1, 2, None, 4] * 10, dtype="Int64"),
        pd.Series([True, False] * 20).astype(str),
    ],
)
def test_a_condition_holds_where_its_name_says(values):
    found, rows = listed(values)
    assert len(found) > 0
    for at, condition in enumerate(found.conditions):
        assert found.at(at).tolist() == condition.holds(rows).tolist() == found.mask(condition).tolist()


@given(st.lists(st.sampled_from(["No refund!", "no", "REFUND, no", "Straße", "strasse a_b", "", "don't"]), min_size=4))
@settings(max_examples=30, deadline=None)
def test_a_row_says_a_phrase_where_the_condition_holds(texts):
    found, rows = listed(np.array(texts[:40], dtype=object), text=True, least=1)
    for at, condition in enumerate(found.conditions):
        assert found.at(at).tolist() == condition.holds(rows).tolist()


@given(st.lists(st.integers(-5, 5).map(float), min_size=8, max_size=40), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_no_two_conditions_hold_for_the_same_rows_and_each_window_has_enough_on_either_side(values, least):
    current = np.arange(len(values)) % 2 == 0
    found = literals({"c": np.array(values)}, current, least=least)
    assert len({found.at(at).tobytes() for at in range(len(found))}) == len(found)
    for at in range(len(found)):
        for side in (current, ~current):
            assert least <= found.at(at)[side].sum() <= side.sum() - least


@pytest.mark.parametrize(
    "values", [[5.0] * 40, [np.nan] * 40, ["x"] * 40, [f"id{i}" for i in range(40)], [None] * 40, [np.inf] * 40]
)
def test_a_column_that_tells_no_rows_apart_gives_no_condition(values):
    assert len(listed(values, least=3)[0]) == 0


def test_thresholds_are_values_of_whole_numbers_and_short_numbers_else():
    whole, _ = listed(np.arange(40) % 20 + 18, least=3)
    assert all(float(one.value).is_integer() for one in whole.conditions)
    fine, _ = listed(np.random.default_rng(0).normal(size=40), least=3)
    assert fine.conditions
    assert all(len(f"{abs(one.value):.12g}".replace(".", "").lstrip("0")) <= 4 for one in fine.conditions)


def test_a_threshold_can_be_moved_between_its_neighbours_alone():
    values = np.arange(400.0)
    found = literals({"c": values}, np.arange(400) % 2 == 0)
    cut = min((one for one in found.conditions if one.operator == "<"), key=lambda one: abs(one.value - 200))
    around = [one.value for one in found.finer(cut)]
    assert len(around) > 10
    assert min(around) > 140
    assert max(around) < 260
    moved = Condition(column="c", operator="<", value=around[0])
    assert found.mask(moved).tolist() == (values < around[0]).tolist()
    assert found.finer(Condition(column="c", operator="=", value=1.0)) == []


def test_taking_rows_and_asking_is_asking_and_taking_rows():
    found, _ = listed(np.array(["red car", "blue car", "red"] * 13, dtype=object), text=True)
    some = np.arange(0, 39, 3)
    for at in range(len(found)):
        assert found.take(some).at(at).tolist() == found.at(at)[some].tolist()


def test_a_phrase_that_stands_in_the_rows_of_a_word_is_the_word():
    found, _ = listed(np.array(["hong kong", "kong hong kong", "other"] * 13, dtype=object), text=True)
    names = [str(one) for one in found.conditions]
    assert "c~hong" in names
    assert not {"c~kong", "c~hong kong"} & set(names)


def test_phrases_stop_at_the_end_of_a_text():
    found = phrases(np.array(["a b", "c d"] * 10, object), HALF[10:30], fewest=1)
    assert set(found.names) == {"a", "b", "c", "d", "a b", "c d"}


def test_texts_without_words_have_no_phrases():
    for texts in (["", "!?"], [np.nan, np.nan]):
        assert phrases(np.array(texts, object), np.array([False, True]), fewest=1).names == ()


def test_hostile_texts_are_words_like_others(hostile):
    texts = np.array([hostile, "\ud800 \x00 (?<!x)[", "a" * 100_000] * 4, object)
    found = phrases(texts, np.arange(12) % 2 == 0, fewest=1)
    assert "script" in found.names
    rows = pd.DataFrame({"c": pd.Series(texts, dtype=object)})
    for at, name in enumerate(found.names):
        held = Condition(column="c", operator="~", value=name).holds(rows)
        assert found.said.toarray()[:, at].astype(bool).tolist() == held.tolist()


def test_no_columns_give_no_literals():
    found = literals({}, HALF)
    assert isinstance(found, Candidates)
    assert len(found) == 0
    assert found.all_hold(()).all()
