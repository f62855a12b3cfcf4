"""A column of both windows is read as one sort of values, whatever type either window stored it in."""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pytest

from rca.tables.column_pair import read, tally

WHOLE = [1, 2, 3, 4] * 10
SPELLINGS = {
    "integers": pd.Series(WHOLE),
    "doubles": pd.Series(WHOLE, dtype=float),
    "nullable": pd.Series(WHOLE, dtype="Int64"),
    "text": pd.Series([str(x) for x in WHOLE]),
    "text of doubles": pd.Series([f"{x}.0" for x in WHOLE]),
    "objects": pd.Series(WHOLE, dtype=object),
    "decimals": pd.Series([decimal.Decimal(x) for x in WHOLE], dtype=object),
}
YES = [True, False, True, True] * 10
TRUTHS = {
    "boolean": pd.Series(YES),
    "objects": pd.Series(YES, dtype=object),
    "nullable": pd.Series(YES, dtype="boolean"),
    "integers": pd.Series(YES).astype(int),
    "text": pd.Series(YES).map({True: "true", False: "false"}),
    "text of integers": pd.Series(YES).map({True: "1", False: "0"}),
}


@pytest.mark.parametrize("before", SPELLINGS)
@pytest.mark.parametrize("after", SPELLINGS)
@pytest.mark.parametrize("coded", [False, True])
def test_the_same_numbers_are_the_same_values_in_any_type(before, after, coded):
    if before != after and {before, after} == {"text", "text of doubles"}:
        return  # of two texts, each is what it is
    found = read(SPELLINGS[before], SPELLINGS[after], coded=coded)
    if found.numbers is not None:
        assert found.numbers[0].tolist() == found.numbers[1].tolist() == WHOLE
    else:
        assert (found.tally.counts[0] == found.tally.counts[1]).all()


@pytest.mark.parametrize("after", TRUTHS)
def test_a_boolean_is_the_same_value_in_any_type(after):
    found = read(TRUTHS["boolean"], TRUTHS[after])
    assert found.kind == "boolean"
    assert found.tally.counts.tolist() == [[30, 10], [30, 10]]


def test_a_type_that_changed_is_noted():
    found = read(SPELLINGS["integers"], SPELLINGS["text"])
    assert found.note == "numbers in the reference, text in the current window"
    assert read(SPELLINGS["integers"], SPELLINGS["doubles"]).note == ""


def test_text_that_is_not_all_numbers_is_no_number():
    mixed = pd.Series([*SPELLINGS["text"][:-1], "n/a"])
    assert read(SPELLINGS["integers"], mixed).kind == "categorical"


def test_yes_in_two_spellings_of_text_is_two_categories():
    found = read(pd.Series(["true", "false"] * 20), pd.Series(["True", "False"] * 20))
    assert (found.kind, found.unseen) == ("categorical", 1.0)


def test_dates_and_durations_have_an_order():
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=at) for at in range(30)]
    assert read(pd.Series(days), pd.Series(days)).kind == "datetime"
    spans = pd.Series(pd.to_timedelta(np.arange(30), unit="s"))
    assert read(spans, spans).numbers[0].tolist() == list(range(30))


def test_a_value_a_row_in_both_windows_is_an_identifier():
    before, after = (pd.Series([f"u{i}" for i in range(start, start + 100)]) for start in (0, 500))
    assert read(before, after).kind == "identifier"
    assert read(before, pd.Series(["u1"] * 100)).kind == "categorical"
    assert read(before[:10], after[:10]).kind == "categorical"


def test_values_of_many_words_that_seldom_repeat_are_texts():
    before = pd.Series([f"please help with order {i}" for i in range(100)])
    after = pd.Series([f"please help with refund {i} now" for i in range(100)])
    found = read(before, after)
    assert found.kind == "text"
    assert found.numbers[0].max() == len("please help with order 99")
    assert found.unseen == pytest.approx(2 / 6)


def test_text_can_be_said_to_be_text():
    assert read(pd.Series(["a", "bb"]), pd.Series(["ccc", None]), worded=True).numbers[1].tolist() == [3.0]


def test_the_order_of_many_texts_does_not_decide_which_words_are_new():
    rng = np.random.default_rng(0)
    before, after = (pd.Series([f"w{a} w{b} w{c}" for a, b, c in rng.integers(0, 99_999, (6000, 3))]) for _ in range(2))
    shuffled = after.sample(frac=1, random_state=1)
    assert read(before, after).unseen == read(before, shuffled).unseen


def test_a_window_without_any_value_is_not_known():
    assert not read(pd.Series([1.0, 2.0]), pd.Series([np.nan, np.nan])).known


def test_a_whole_number_beyond_any_double_is_still_a_value():
    huge = pd.Series([10**400, 1] * 10, dtype=object)
    assert read(huge, huge).known


def test_values_are_counted_alike_in_every_type():
    plain = pd.Series(["a", "b", "a", "c"])
    for other in (plain.astype("category"), plain.astype(object), plain.astype("string")):
        found = tally(plain, other)
        assert found.labels.tolist() == ["a", "b", "c"]
        assert found.counts.tolist() == [[2, 1, 1], [2, 1, 1]]
