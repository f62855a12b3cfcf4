"""Digits lost: the grid is found whatever its step, values come back to within their cell, and no grid is made up."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.application import inflict, mend, mendable
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.diagnosis import diagnose
from rca.analysis.faults.rule import Scene
from rca.analysis.faults.rules.truncated_values import TRUNCATED, grid_step
from tests.analysis.faults.broken_columns import name

LAWS = {
    "normal": lambda rng, rows: rng.normal(3.0, 2.0, rows),
    "amounts": lambda rng, rows: np.round(rng.lognormal(3.0, 0.8, rows), 2),
    "with zeros": lambda rng, rows: np.where(rng.random(rows) < 0.3, 0.0, rng.lognormal(2.0, 1.0, rows)),
    "uniform": lambda rng, rows: np.round(rng.uniform(0.0, 1000.0, rows), 1),
    "counts": lambda rng, rows: rng.poisson(9.0, rows).astype(float),
    "tiny": lambda rng, rows: rng.gamma(3.0, 7e-4, rows),
}

STEPS = {
    "normal": (0.9, 3.7),
    "amounts": (7.0, 20.0, 10.37),
    "with zeros": (5.0,),
    "uniform": (250.0, 133.7),
    "counts": (3.0, 5.0),
    "tiny": (1e-3,),
}

CASES = [(law, step) for law, steps in STEPS.items() for step in steps]


def draws(law, seed=0, rows=(1200, 900)):
    rng = np.random.default_rng(seed)
    return [LAWS[law](rng, size) for size in rows]


def seen(before, after):
    rows = [pd.DataFrame({"c": values}) for values in (before, after)]
    scene = Scene(
        reference=rows[0], current=rows[1], codes=frozenset(), names=("c",), moved=frozenset("c"), ordered=False
    )
    return TRUNCATED.detect["everywhere"](scene.pair("c"), scene)


@pytest.mark.parametrize(("law", "step"), CASES)
def test_a_step_is_found_whatever_it_is(law, step):
    before, true = draws(law)
    found = name(before, np.floor(true / step) * step)
    assert found.fault == "truncated"
    assert found.step == pytest.approx(step)
    assert found.evidence == f"rounded down to multiples of {step:.6g}"


@pytest.mark.parametrize(("law", "step"), CASES)
def test_rounding_to_the_nearest_is_told_from_rounding_down(law, step):
    before, true = draws(law)
    found = name(before, np.round(true / step) * step)
    assert (found.fault, found.offset) == ("truncated", 0.0)
    assert found.evidence == f"rounded to multiples of {step:.6g}"


@pytest.mark.parametrize("dtype", ["int64", "float32"])
def test_whole_numbers_and_single_precision_are_read_too(dtype):
    before, true = (values.astype(dtype) for values in draws("counts"))
    found = name(before, (true // 5 * 5).astype(dtype))
    assert (found.fault, found.step, found.offset) == ("truncated", 5.0, 2.0)


@pytest.mark.parametrize(("law", "step"), CASES)
def test_undone_values_are_in_the_middle_of_their_cell(law, step):
    before, true = draws(law)
    current = pd.DataFrame({"c": np.floor(true / step) * step})
    found = name(before, current["c"])
    known = mendable(found, current)
    mended = mend(found, current)
    assert (mended[known] - true[known]).abs().max() <= step / 2 * (1 + 1e-9)
    assert mended[~known].equals(current["c"][~known])


def test_a_cell_that_holds_most_of_the_rows_is_not_undone():
    before, true = draws("amounts")
    current = pd.DataFrame({"c": np.floor(true / 100) * 100})
    found = name(before, current["c"])
    assert found.fault == "truncated"
    assert (mendable(found, current) == (current["c"] != 0)).all()


@pytest.mark.parametrize(("law", "step"), CASES)
@pytest.mark.parametrize("rounded", [np.floor, np.round])
def test_what_is_inflicted_is_what_was_seen(law, step, rounded):
    before, true = draws(law)
    found = name(before, rounded(true / step) * step)
    rows = pd.DataFrame({"c": true})
    struck = np.arange(len(rows)) % 2 == 0
    assert np.allclose(inflict(found, rows, struck), np.where(struck, rounded(true / step) * step, true))


def test_it_is_found_from_a_moment_on():
    before, true = draws("normal", rows=(2000, 2000))
    after = np.where(np.arange(2000) >= 800, np.floor(true / 3) * 3, true)
    found = name(before, after, ordered=True)
    assert (found.fault, found.step) == ("truncated", 3.0)
    assert abs(found.since - 800) <= 20
    assert found.share == pytest.approx(0.6, abs=0.02)


def test_it_is_found_under_a_condition():
    rng = np.random.default_rng(1)
    before, after = (
        pd.DataFrame({"c": rng.normal(3, 2, 3000), "ward": rng.choice(["a", "b", "d"], 3000)}) for _ in range(2)
    )
    there = after["ward"] == "b"
    after.loc[there, "c"] = np.floor(after.loc[there, "c"] / 3.5) * 3.5
    found = diagnose(before, after, univariate_drift(before, after)).get("c")
    assert (found.fault, found.step) == ("truncated", 3.5)
    assert [str(condition) for condition in found.where] == ["ward=b"]


@pytest.mark.parametrize("told", [True, False])
def test_more_rows_of_those_that_were_always_on_a_grid_are_no_fault(told):
    rng = np.random.default_rng(2)
    windows = []
    for share in (0.2, 0.45):
        age, paper = rng.normal(40, 14, 4000).round(), rng.random(4000) < share
        coarse = np.where(paper & (rng.random(4000) < 0.6), np.round(age / 10) * 10, age)
        windows.append(pd.DataFrame({"age": coarse, "by": np.where(paper, "paper", "web")}))
    drift = univariate_drift(*(rows[["age"]] for rows in windows))
    found = diagnose(*windows, drift, groups=["by"] if told else []).broken
    assert [one.fault for one in found] == ([] if told else ["truncated"])


def test_one_value_tells_no_step():
    before, _ = draws("normal")
    assert name(before, np.full(900, float(np.round(before[0], 2)))).fault != "truncated"
    assert grid_step(np.full(900, 7.0)) is None
    assert grid_step(np.zeros(900)) is None


@pytest.mark.parametrize("law", LAWS)
def test_no_step_is_made_up(law):
    for seed in range(15):
        before, true = draws(law, seed=seed, rows=(500, 400))
        spread = float(np.subtract(*np.quantile(before, [0.75, 0.25])))
        part = np.random.default_rng(seed).random(len(true)) < true / true.max()
        for after in (true, true * 1.3, true + spread, true[part], np.round(true / spread, 1) * spread, true * 12):
            assert seen(before, after) is None


def test_numbers_that_have_always_been_on_a_grid_are_no_fault():
    rng = np.random.default_rng(0)
    for size in (1, 5, 100):
        before, after = size * rng.integers(0, 40, 2000), size * rng.integers(5, 60, 2000)
        assert seen(before, after) is None
    assert seen(rng.choice([1, 2, 3, 4], 900), rng.choice([2, 4], 900)) is None


def test_fewer_rows_than_tell_the_law_say_nothing():
    before, true = draws("normal", rows=(900, 25))
    assert seen(before, np.floor(true / 3) * 3) is None
    assert seen(before, np.full(25, np.nan)) is None


# -- names -------------------------------------------------------------------------------------------------------------

TOWNS = ["Hamburg", "Leipzig", "Stuttgart", "Ulm"]


def test_names_cut_to_one_length_are_found_and_undone():
    rng = np.random.default_rng(0)
    before, true = (pd.Series(rng.choice(TOWNS, 900, p=[0.4, 0.3, 0.2, 0.1])) for _ in range(2))
    current = pd.DataFrame({"c": true.str[:5]})
    found = name(before, current["c"])
    assert (found.fault, found.evidence) == ("truncated", "cut to 5 characters")
    assert mend(found, current).tolist() == true.tolist()
    assert inflict(found, pd.DataFrame({"c": true}), np.ones(900, dtype=bool)).tolist() == current["c"].tolist()


def test_names_that_share_a_beginning_are_not_told_apart():
    rng = np.random.default_rng(0)
    before, true = (pd.Series(rng.choice(["account_new", "account_old"], 900)) for _ in range(2))
    assert name(before, true.str[:7]).fault != "truncated"


def test_abbreviations_and_a_mix_without_long_names_are_no_names_cut():
    rng = np.random.default_rng(0)
    before, true = (pd.Series(rng.choice(TOWNS, 900)) for _ in range(2))
    assert seen(before, true.str[:1]) is None
    assert seen(before, true[true != "Stuttgart"]) is None


def test_the_fault_says_what_it_is():
    fault = ColumnFault(column="age", fault="truncated", share=1.0, evidence="rounded down to multiples of 5", step=5.0)
    assert str(fault) == "age: truncated (rounded down to multiples of 5)"
    assert fault.invertible
    assert not fault.visible


# --- noise ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0.8, 1.5])
@pytest.mark.parametrize("whole", [False, True])
def test_numbers_with_noise_are_told_by_its_size_and_put_back_nearer_to_what_they_were(size, whole):
    rng = np.random.default_rng(0)
    before, true = rng.gamma(4, 10, (2, 3000))
    noisy = true + rng.normal(0, size * before.std(), 3000)
    before, true, noisy = (pd.DataFrame({"x": np.round(one) if whole else one}) for one in (before, true, noisy))
    found = diagnose(before, noisy, univariate_drift(before, noisy)).get("x")
    assert (found.fault, found.broken) == ("distribution", False)
    assert found.noise == pytest.approx(size * before["x"].std(), rel=0.2)
    error = [float(((one - true["x"]) ** 2).mean()) for one in (noisy["x"], mend(found, noisy))]
    assert error[1] < 0.85 * error[0]


@pytest.mark.parametrize("change", [lambda x: x * 1.3 + 20, lambda x: x * 0.7, lambda x: x + 8, lambda x: x**1.5])
def test_numbers_that_moved_otherwise_have_no_noise(change):
    rng = np.random.default_rng(1)
    before, after = rng.gamma(4, 10, (2, 3000))
    before, after = pd.DataFrame({"x": before}), pd.DataFrame({"x": change(after)})
    found = diagnose(before, after, univariate_drift(before, after)).get("x")
    assert found is None or not found.noise
