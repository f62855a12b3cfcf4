"""Baselines for tables: which column each names, what it needs, and how it is counted beside the verdicts."""

from dataclasses import replace
from types import SimpleNamespace

import lightgbm
import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.explanation.question import explain
from rca.practice.baselines import (
    DRIFT,
    SHAP_SHIFT,
    USED_DRIFT,
    Baseline,
    chance,
    count_baselines,
    gains,
    largest_drift,
    largest_shap_shift,
    largest_used_drift,
    table_baselines,
)
from rca.record.model.model_file import model_in_memory

COLUMNS = ["loud", "used", "weighs"]


def window(rng, *, loud, used, weighs, n=600):
    """`loud` around a level, `used` yes or no, `weighs` away from 0 in a share of the rows, to either side alike."""
    sides = rng.choice([-1.0, 0.0, 1.0], size=n, p=[weighs / 2, 1 - weighs, weighs / 2])
    columns = rng.normal(loud, 1, n), (rng.random(n) < used).astype(float), sides
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


@pytest.fixture(scope="module")
def booster():
    """A model that ignores `loud`, which stood still as it was trained."""
    rows = window(np.random.default_rng(0), loud=0, used=0.5, weighs=0.6, n=2000).assign(loud=0.0)
    truth = 4 * rows["used"] + 2 * rows["weighs"]
    settings = {"objective": "regression", "num_leaves": 8, "verbosity": -1, "num_threads": 1, "seed": 0}
    return lightgbm.train(settings, lightgbm.Dataset(rows, truth), 30)


@pytest.fixture(scope="module")
def model(booster):
    return model_in_memory(booster, features=COLUMNS)


@pytest.fixture(scope="module")
def windows():
    """`loud` moves farthest; `used` turns from no to yes, as far from the middle; `weighs` leaves the middle."""
    rng = np.random.default_rng(1)
    return window(rng, loud=0, used=0.2, weighs=0.1), window(rng, loud=5, used=0.8, weighs=0.6)


@pytest.fixture(scope="module")
def found(windows, booster):
    return SimpleNamespace(drift=univariate_drift(*windows), explanation=explain(*windows, model=booster))


def named(found, model=None, **asked):
    return {one.name: one.column for one in table_baselines(found, model, **asked)}


def test_each_baseline_names_its_own_column(found, model):
    assert named(found, model) == {DRIFT: "loud", USED_DRIFT: "used", SHAP_SHIFT: "weighs"}


def test_without_a_model_no_column_is_named_by_its_gain(found):
    assert named(found) == {DRIFT: "loud", USED_DRIFT: None, SHAP_SHIFT: "weighs"}


def test_without_explanation_no_column_is_named_by_its_shap_values(found, model):
    bare = SimpleNamespace(drift=found.drift, explanation=None)
    assert named(bare, model) == {DRIFT: "loud", USED_DRIFT: "used", SHAP_SHIFT: None}


def test_a_case_without_tables_has_no_baselines(found):
    assert table_baselines(SimpleNamespace(drift=None, explanation=None)) == ()


def test_only_a_column_that_is_named_can_be_right(found):
    right = {one.name: one.right for one in table_baselines(found, right=lambda column: column != "loud")}
    assert right == {DRIFT: False, USED_DRIFT: False, SHAP_SHIFT: True}


def test_missing_values_are_a_distance_of_their_column(windows):
    before, after = windows
    gone = after.assign(used=np.nan, loud=before["loud"].to_numpy())
    assert largest_drift(univariate_drift(before, gone)) == "used"


def test_categories_are_compared_by_total_variation():
    before = pd.DataFrame({"code": ["a", "b"] * 100, "number": np.arange(200.0)})
    after = pd.DataFrame({"code": ["c", "b"] * 100, "number": np.arange(200.0) + 40})
    assert largest_drift(univariate_drift(before, after)) == "code"


def test_of_equal_distances_the_first_by_name_is_meant():
    before = pd.DataFrame({"b": np.arange(50.0) / 7, "a": np.arange(50.0) / 7})
    assert largest_drift(univariate_drift(before, before + 1)) == "a"


def test_a_shift_of_shap_values_counts_up_and_down_alike(found):
    fell = [replace(one, size=replace(one.size, value=-one.size.value)) for one in found.explanation.reasons]
    assert largest_shap_shift(replace(found.explanation, reasons=tuple(fell))) == "weighs"


def test_where_there_is_nothing_to_compare_no_column_is_named(found):
    assert largest_drift(replace(found.drift, columns=())) is None
    assert largest_used_drift(found.drift, {"elsewhere": 1.0}) is None
    assert largest_shap_shift(replace(found.explanation, reasons=())) is None


def test_gain_of_an_unused_feature_is_left_out(model):
    assert set(gains(model)) == {"used", "weighs"}


def test_cases_in_which_no_column_is_named_are_left_out_and_told():
    cases = [
        ([Baseline(name=USED_DRIFT, column="a", right=True)], False),
        ([Baseline(name=USED_DRIFT, column="b")], True),
        ([Baseline(name=USED_DRIFT, column=None)], True),
        ([], True),
    ]
    (count,) = count_baselines(cases)
    assert (count.found, count.of, count.verdicts, count.absent) == (1, 2, 1, 1)
    assert str(count) == (
        "baseline largest drift x gain: 1 of 2 (verdicts on the same: 1; "
        "1 left out: no LightGBM or XGBoost model that reads a feature)"
    )


def test_a_baseline_that_always_names_a_column_leaves_nothing_out():
    (count,) = count_baselines([([Baseline(name=DRIFT, column="a")], True)])
    assert str(count) == "baseline largest drift: 0 of 1 (verdicts on the same: 1)"


@pytest.mark.parametrize(
    ("right", "most", "first", "share"),
    [(1, 5, 1, 0.2), (1, 5, 5, 1.0), (2, 4, 1, 0.5), (1, 2, 3, 0.0), (0, 0, 1, 0.0)],
)
def test_chance_is_that_of_drawing_without_replacement(right, most, first, share):
    assert chance(right, most, first) == pytest.approx(share)
