"""How a column broke: every fault named, its rows found, and nothing named where nothing broke."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.application import hit, mend
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.diagnosis import Faults, diagnose
from rca.analysis.faults.rules.unit_change import UNIT_FACTORS

RNG = np.random.default_rng(0)
SKEWED = pd.Series(RNG.lognormal(2, 0.6, 1200)).round(2)
NEXT = pd.Series(RNG.lognormal(2, 0.6, 1200)).round(2)
WORDS = pd.Series(RNG.choice(["car", "house", "boat"], 1200, p=[0.5, 0.3, 0.2]))
USUAL = float(SKEWED.sort_values().iloc[800])


def name(before, after, **options) -> ColumnFault | None:
    reference, current = pd.DataFrame({"c": before}), pd.DataFrame({"c": after})
    codes = ("c",) if options.pop("coded", False) else ()
    return diagnose(
        reference, current, univariate_drift(reference, current, categorical=codes), categorical=codes, **options
    ).get("c")


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


@pytest.mark.parametrize("factor", sorted(UNIT_FACTORS))
def test_every_mixed_up_unit_is_found_both_ways(factor):
    assert name(SKEWED, NEXT * factor).factor == pytest.approx(factor, rel=0.03)  # 1024 looks like 1000
    assert name(SKEWED, NEXT / factor).factor == pytest.approx(1 / factor, rel=0.03)


def test_a_code_filled_with_one_of_its_values_is_frozen_and_not_scaled():
    codes = pd.Series(RNG.choice([10, 20, 30], 1200))
    assert name(codes, codes * 0 + 20, coded=True).fault == "frozen"


def test_a_filler_that_is_a_usual_value_is_frozen():
    counts = pd.Series(RNG.poisson(0.7, 1200))
    assert name(counts, counts * 0).fault == "frozen"


def test_an_integer_column_with_holes_is_frozen_on_the_value_it_was_known_by():
    before = pd.Series(RNG.integers(1, 9, 1200)).astype(float).mask(SKEWED > 12)
    found = name(before, pd.Series(np.full(1200, 4)))
    assert (found.fault, found.value) == ("frozen", "4")


@pytest.mark.parametrize("fault", ["frozen", "missing", "default_value", "scaled"])
def test_a_fault_that_began_partway_is_found_from_its_first_row(fault):
    wrong = {"frozen": NEXT * 0 + USUAL, "missing": NEXT * np.nan, "default_value": NEXT * 0 - 1, "scaled": NEXT * 1000}
    found = name(SKEWED, NEXT.where(NEXT.index < 500, wrong[fault]), ordered=True)
    assert found.fault == fault
    assert abs(found.since - 500) <= 5
    assert found.share == pytest.approx(700 / 1200, abs=0.02)


def test_swapped_columns_are_named_as_each_others_partner():
    before = pd.DataFrame({"a": SKEWED, "b": RNG.normal(100, 5, 1200), "c": SKEWED + 1})
    after = pd.DataFrame({"a": RNG.normal(100, 5, 1200), "b": NEXT, "c": NEXT + 1})
    found = diagnose(before, after, univariate_drift(before, after))
    assert {(row.column, row.fault, row.partner) for row in found.columns} == {
        ("a", "swapped", "b"),
        ("b", "swapped", "a"),
    }
    assert_allclose(mend(found.get("a"), after), after["b"])


def test_which_of_two_columns_comes_first_does_not_change_their_faults():
    before = pd.DataFrame({"a": SKEWED, "b": NEXT})
    after = pd.DataFrame({"a": NEXT * 100, "b": SKEWED * np.nan})
    one = diagnose(before, after, univariate_drift(before, after))
    other = diagnose(before[["b", "a"]], after[["b", "a"]], univariate_drift(before[["b", "a"]], after[["b", "a"]]))
    assert {row.column: row for row in one.columns} == {row.column: row for row in other.columns}


@given(st.sampled_from([100.0, 0.001, 60.0]), st.integers(0, 9))
@settings(max_examples=12, deadline=None)
def test_mending_a_scaled_column_gives_the_true_values_back(factor, seed):
    rng = np.random.default_rng(seed)
    truth = pd.Series(rng.lognormal(2, 0.6, 400))
    current = pd.DataFrame({"c": truth * factor})
    found = name(pd.Series(rng.lognormal(2, 0.6, 400)), current["c"])
    assert found.fault == "scaled"
    assert_allclose(mend(found, current), truth)


def test_mending_a_shifted_column_comes_close_to_the_true_values():
    found = name(SKEWED, NEXT + 40)
    assert_allclose(mend(found, pd.DataFrame({"c": NEXT + 40})), NEXT, atol=0.5)


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


def test_rows_that_a_frozen_column_hit_hold_its_value():
    after = NEXT.mask(NEXT.index % 50 != 0, USUAL)
    found = name(SKEWED, after)
    assert (hit(found, pd.DataFrame({"c": after})) == (after == USUAL)).all()


def test_rows_that_a_missing_column_hit_are_the_missing_ones():
    after = NEXT.mask(NEXT.index % 3 == 0)
    assert (hit(name(SKEWED, after), pd.DataFrame({"c": after})) == after.isna()).all()


def test_a_frozen_value_is_found_again_whatever_the_type_of_the_column():
    found = name(SKEWED.round(), (NEXT * 0 + 7).astype(int))
    assert found.fault == "frozen"
    for kind in ("int64", "float64", "Int64", "float32"):
        assert hit(found, pd.DataFrame({"c": pd.Series([7, 8, 7]).astype(kind)})).tolist() == [True, False, True]


def test_a_frozen_value_is_found_again_beside_values_that_are_not_whole():
    found = name(SKEWED.round(), NEXT * 0 + 7)
    assert hit(found, pd.DataFrame({"c": [7.0, 7.5, np.nan]})).tolist() == [True, False, False]


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


@pytest.mark.parametrize("begins", [0, 600])
def test_columns_that_exchange_their_values_are_named_from_the_row_on_at_which_they_do(begins):
    rng = np.random.default_rng(0)
    before, after = (pd.DataFrame({"a": rng.normal(42, 12, 1500), "b": rng.exponential(5, 1500)}) for _ in range(2))
    wrong = np.arange(1500) >= begins
    mixed = pd.DataFrame({"a": np.where(wrong, after["b"], after["a"]), "b": np.where(wrong, after["a"], after["b"])})
    found = diagnose(before, mixed, univariate_drift(before, mixed), ordered=True)
    assert {row.column: (row.fault, row.partner) for row in found.columns} == {
        "a": ("swapped", "b"),
        "b": ("swapped", "a"),
    }
    assert found.get("a").since == pytest.approx(begins, abs=15)
    pd.testing.assert_series_equal(mend(found.get("a"), mixed).iloc[700:], after["a"].iloc[700:], check_dtype=False)


@pytest.mark.parametrize("factor", [0.01, 1 / 12, 1 / 60])
def test_whole_numbers_in_another_unit_are_known_again(factor):
    rng = np.random.default_rng(0)
    before, after = (pd.DataFrame({"n": rng.integers(6, 23, 3000).astype(float)}) for _ in range(2))
    after *= factor
    found = diagnose(before, after, univariate_drift(before, after)).get("n")
    assert found.fault == "scaled"
    assert found.factor == pytest.approx(factor)


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_columns_exchanged_in_a_part_of_the_rows_are_each_others_partner(share):
    rng = np.random.default_rng(0)
    before, after = (
        pd.DataFrame({"limit": rng.lognormal(11, 0.7, 3000), "late": rng.integers(0, 9, 3000)}) for _ in range(2)
    )
    swapped = rng.random(3000) < share
    broken = after.astype(float).assign(
        limit=np.where(swapped, after["late"], after["limit"]), late=np.where(swapped, after["limit"], after["late"])
    )
    found = diagnose(before, broken, univariate_drift(before, broken))
    for name, partner in (("limit", "late"), ("late", "limit")):
        fault = found.get(name)
        assert (fault.fault, fault.partner) == ("swapped", partner)
        assert (hit(fault, broken) == swapped).mean() > 0.99
        assert (mend(fault, broken) == after[name]).mean() > 0.99


def test_a_value_that_is_common_now_is_no_default_where_all_others_moved_too():
    rng = np.random.default_rng(0)
    before, after = (
        pd.DataFrame({"paid": np.where(rng.random(3000) < 0.1, 0.0, rng.exponential(100, 3000))}) for _ in range(2)
    )
    after = 1.7 * after + before.max()
    assert diagnose(before, after, univariate_drift(before, after)).get("paid").fault != "default_value"


@pytest.mark.parametrize("left", [0, 1])
def test_a_column_that_is_gone_is_exchanged_with_none(left):
    rng = np.random.default_rng(0)
    before, after = (pd.DataFrame({"a": rng.normal(size=900), "b": rng.normal(50, 1, 900)}) for _ in range(2))
    after = after.assign(a=after["a"].where(after.index < left), b=after["b"].where(rng.random(900) < 0.5, 7.0))
    found = diagnose(before, after, univariate_drift(before, after))
    assert [row.partner for row in found.columns] == [None, None]
    assert found.get("a").fault == "missing"
