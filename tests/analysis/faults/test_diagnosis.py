"""How a column broke: every fault named, its rows found, and nothing named where nothing broke."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.application import hit, mend
from rca.analysis.faults.diagnosis import Faults, diagnose
from tests.analysis.faults.broken_columns import NEXT, SKEWED, USUAL, WORDS, name


def test_a_column_that_did_not_move_has_no_fault():
    assert name(SKEWED, NEXT) is None


@pytest.mark.parametrize(
    ("after", "fault"),
    [
        (NEXT * 0 + USUAL, "frozen"),
        (NEXT * 0 - 1, "default_value"),
        (NEXT * 0, "default_value"),
        (NEXT * 0 + 999, "default_value"),
        (NEXT * np.nan, "missing"),
        (NEXT.mask(NEXT.index % 3 == 0), "missing"),
        (NEXT * 100, "scaled"),
        (NEXT / 1000, "scaled"),
        (NEXT * 2.54, "scaled"),
        (NEXT + 40, "shifted"),
        (NEXT - 15, "shifted"),
        (NEXT**1.6, "distribution"),
        (pd.concat([NEXT[:700], NEXT[700:] * 4]), "distribution"),
    ],
)
def test_a_number_that_broke_is_named_by_how(after, fault):
    assert name(SKEWED, after).fault == fault


@pytest.mark.parametrize(
    ("after", "fault"),
    [
        (WORDS.where(WORDS == "car", "car"), "frozen"),
        (WORDS.where(WORDS == "none", "unknown"), "default_value"),
        (WORDS.where(WORDS == "none", ""), "default_value"),
        (WORDS.mask(WORDS.index % 2 == 0), "missing"),
        (WORDS.replace({"boat": "ship"}), "new_values"),
        (WORDS.sample(frac=1, random_state=0).mask(WORDS.index % 2 == 0, "boat"), "distribution"),
    ],
)
def test_a_word_that_broke_is_named_by_how(after, fault):
    assert name(WORDS, after).fault == fault


@pytest.mark.parametrize("fault", ["frozen", "missing", "default_value", "scaled"])
def test_a_fault_that_began_partway_is_found_from_its_first_row(fault):
    wrong = {"frozen": NEXT * 0 + USUAL, "missing": NEXT * np.nan, "default_value": NEXT * 0 - 1, "scaled": NEXT * 1000}
    found = name(SKEWED, NEXT.where(NEXT.index < 500, wrong[fault]), ordered=True)
    assert found.fault == fault
    assert abs(found.since - 500) <= 5
    assert found.share == pytest.approx(700 / 1200, abs=0.02)


def test_which_of_two_columns_comes_first_does_not_change_their_faults():
    before = pd.DataFrame({"a": SKEWED, "b": NEXT})
    after = pd.DataFrame({"a": NEXT * 100, "b": SKEWED * np.nan})
    one = diagnose(before, after, univariate_drift(before, after))
    other = diagnose(before[["b", "a"]], after[["b", "a"]], univariate_drift(before[["b", "a"]], after[["b", "a"]]))
    assert {row.column: row for row in one.columns} == {row.column: row for row in other.columns}


def test_mending_leaves_the_rows_from_before_the_fault():
    current = pd.DataFrame({"c": NEXT.where(NEXT.index < 500, NEXT * 1000)})
    found = name(SKEWED, current["c"], ordered=True)
    mended = mend(found, current)
    assert_allclose(mended[: found.since], current["c"][: found.since])
    assert_allclose(mended[505:], NEXT[505:])


def test_mending_does_not_write_into_what_it_is_given():
    current = pd.DataFrame({"c": NEXT * 100})
    mend(name(SKEWED, current["c"]), current)
    assert_allclose(current["c"], NEXT * 100)


@pytest.mark.parametrize("after", [NEXT * 0 + USUAL, NEXT * np.nan])
def test_destroyed_values_cannot_be_mended_from_themselves(after):
    with pytest.raises(ValueError, match="no trace of its true values"):
        mend(name(SKEWED, after), pd.DataFrame({"c": after}))


def test_only_a_break_is_a_finding():
    before = pd.DataFrame({"a": SKEWED, "b": SKEWED})
    after = pd.DataFrame({"a": NEXT * 100, "b": NEXT**1.6})
    found = diagnose(before, after, univariate_drift(before, after))
    assert [finding.id for finding in found.findings()] == ["fault.a"]
    assert str(found) == "a: scaled (times 100, a fraction to per cent)"
    assert len(found.rows()) == 2
    assert Faults.from_dict(found.to_dict()) == found


def test_where_nothing_broke_the_sentence_says_so():
    assert str(Faults(columns=())) == "no column broke in a nameable way"


ODD = {
    "numbers": SKEWED,
    "constant": pd.Series(np.ones(1200)),
    "all missing": pd.Series(np.full(1200, np.nan)),
    "infinite": pd.Series(np.where(np.arange(1200) % 4 == 0, np.inf, SKEWED)),
    "enormous": pd.Series(np.where(np.arange(1200) % 2 == 0, 1e308, -1e308)),
    "words": WORDS,
    "a value a row": pd.Series([f"u{i}" for i in range(1200)]),
    "mixed types": pd.Series([1, "a", None, True] * 300, dtype=object),
    "boolean": pd.Series([True, False] * 600),
    "boolean with missing": pd.Series([True, False, None] * 400, dtype="boolean"),
    "category": pd.Series(["a", "b", None] * 400, dtype="category"),
    "time": pd.Series(pd.date_range("2024-01-01", periods=1200, tz="UTC")),
    "duration": pd.Series(pd.to_timedelta(np.arange(1200), unit="s")),
    "one row": pd.Series([1.0]),
}


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("before", ODD)
def test_any_sort_of_column_turning_into_any_other_has_at_most_one_fault(before, ordered):
    for after in ODD.values():
        found = name(ODD[before], after, ordered=ordered)
        if found is None:
            continue
        assert 0 <= found.share <= 1
        current = pd.DataFrame({"c": after})
        assert hit(found, current).shape == (len(after),)
        if found.invertible:
            assert len(mend(found, current)) == len(after)


def test_times_that_advance_are_not_broken():
    times = pd.Series(pd.date_range("2024-01-01", periods=1200, freq="s", tz="UTC"))
    found = name(times, times + pd.Timedelta(hours=1))
    assert found is None or not found.broken
