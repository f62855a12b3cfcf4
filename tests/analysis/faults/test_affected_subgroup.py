"""A fault in a part of the rows: found under its condition, dated there, and confined to it."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.affected_subgroup import broken_under
from rca.analysis.faults.application import hit, hit_by_row, mend
from rca.analysis.faults.contingency import contingency_of
from rca.analysis.faults.diagnosis import Faults, diagnose


def table(seed, rows=4000):
    rng = np.random.default_rng(seed)
    ward = rng.choice(list("abcd"), rows, p=[0.4, 0.3, 0.2, 0.1])
    age = np.clip(rng.normal(45 + 3 * (ward == "b"), 14, rows).round(), 18, 95)
    return pd.DataFrame(
        {
            "ward": ward,
            "age": age,
            "sex": rng.integers(0, 2, rows),
            "income": np.exp(rng.normal(3 + 0.01 * age, 0.4)).round(2),
            "lab": rng.normal(7, 1.2, rows).round(2),
        }
    )


BEFORE, TRUTH = table(0), table(1)


def broken(column, rows, how):
    after = TRUTH.copy()
    after.loc[rows, column] = how(after.loc[rows, column])
    return after


def named(after, column, *, ordered=False):
    return diagnose(BEFORE, after, univariate_drift(BEFORE, after), ordered=ordered).get(column)


PLACES = {
    "a ward": TRUTH["ward"] == "d",
    "the old": TRUTH["age"] >= 65,
    "two conditions": (TRUTH["ward"] == "a") & (TRUTH["sex"] == 1),
}
WAYS = {
    "missing": lambda values: values * np.nan,
    "default_value": lambda values: values * 0 - 1,
    "frozen": lambda values: values * 0 + 7.0,
    "scaled": lambda values: values * 1000,
    "shifted": lambda values: values + 6,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fault", WAYS)
def test_a_fault_in_one_segment_is_named_there_and_nowhere_else(place, fault):
    after = broken("lab", PLACES[place], WAYS[fault])
    found = named(after, "lab")
    assert found.fault == fault
    assert found.where
    wrong = hit(found, after)
    both = (wrong & PLACES[place]).sum()
    assert both / wrong.sum() >= 0.9
    assert both / PLACES[place].sum() >= 0.9
    assert found.share == pytest.approx(PLACES[place].mean(), abs=0.02)


def test_a_fault_in_a_segment_is_found_where_the_column_did_not_move_as_a_whole():
    rows = (TRUTH["ward"] == "d") & (TRUTH["sex"] == 1)
    after = broken("lab", rows, WAYS["frozen"])
    assert "lab" not in univariate_drift(BEFORE, after, material=0.1).moved()
    found = diagnose(BEFORE, after, univariate_drift(BEFORE, after, material=0.1)).get("lab")
    assert (found.fault, {condition.column for condition in found.where}) == ("frozen", {"ward", "sex"})


def test_a_fault_in_a_segment_from_a_moment_on_is_dated_among_its_rows():
    rows = PLACES["a ward"] & (TRUTH.index >= 1500)
    found = named(broken("lab", rows, WAYS["default_value"]), "lab", ordered=True)
    assert (found.fault, [str(one) for one in found.where]) == ("default_value", ["ward=d"])
    first = int(np.flatnonzero(rows)[0])
    assert found.since_interval[0] <= first <= found.since_interval[1]


def test_mending_a_segment_leaves_the_others():
    after = broken("lab", PLACES["a ward"], WAYS["scaled"])
    np.testing.assert_allclose(mend(named(after, "lab"), after), TRUTH["lab"])


def test_evidence_of_rows_is_for_the_segment_only():
    after = broken("lab", PLACES["a ward"], WAYS["default_value"])
    shown = hit_by_row(named(after, "lab"), after)
    assert (shown[PLACES["a ward"]] == 1).all()
    assert np.isnan(shown[~PLACES["a ward"]]).all()


def test_a_fault_everywhere_is_under_no_condition():
    assert named(broken("lab", TRUTH["age"] > 0, WAYS["default_value"]), "lab").where == ()
    after = broken("lab", TRUTH["age"] > 0, WAYS["default_value"])
    assert broken_under(contingency_of(BEFORE, after, columns=list(BEFORE)), "lab") == []


@pytest.mark.parametrize("fault", ["missing", "default_value", "frozen", "scaled"])
@pytest.mark.parametrize("share", [0.15, 0.4])
def test_a_fault_in_rows_here_and_there_is_named_with_its_share(fault, share):
    rows = np.random.default_rng(5).random(4000) < share
    after = broken("income", rows, {**WAYS, "frozen": lambda values: values * 0 + 31.4}[fault])
    found = named(after, "income")
    assert (found.fault, found.where) == (fault, ())
    assert found.share == pytest.approx(share, abs=0.03)
    wrong = hit(found, after)
    assert (wrong & rows).sum() >= 0.95 * max(wrong.sum(), rows.sum())


def test_a_share_that_grows_is_dated_from_its_first_rows():
    time = np.arange(4000) / 4000
    rows = np.random.default_rng(5).random(4000) < np.clip((time - 0.25) / 0.75, 0, 1)
    found = named(broken("lab", rows, WAYS["missing"]), "lab", ordered=True)
    assert found.fault == "missing"
    assert found.since_interval[0] <= 1000 <= found.since_interval[1]
    assert found.since < 1300


def test_two_faults_with_their_own_beginnings_are_both_named_and_dated():
    after = broken("lab", TRUTH.index >= 1000, WAYS["default_value"])
    after["income"] = after["income"].where(after.index < 2500, after["income"] * 1000)
    found = diagnose(BEFORE, after, univariate_drift(BEFORE, after), ordered=True)
    lab, income = found.get("lab"), found.get("income")
    assert (lab.fault, income.fault) == ("default_value", "scaled")
    assert abs(lab.since - 1000) <= 5
    assert abs(income.since - 2500) <= 5


def test_a_mix_that_changes_breaks_nothing():
    kept = np.random.default_rng(3).random(4000) < TRUTH["ward"].map({"a": 0.2, "b": 0.5, "c": 0.8, "d": 1.0})
    after = TRUTH[kept]
    assert not any(row.broken for row in diagnose(BEFORE, after, univariate_drift(BEFORE, after)).columns)


def test_a_result_with_conditions_comes_back_from_json():
    after = broken("lab", PLACES["two conditions"], WAYS["missing"])
    found = diagnose(BEFORE, after, univariate_drift(BEFORE, after), ordered=True)
    assert Faults.from_dict(found.to_dict()) == found
