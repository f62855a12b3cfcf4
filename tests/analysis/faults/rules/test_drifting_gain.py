"""A gain that drifts: found and undone, told from offsets, steps and mixes that drift, and not made up."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from rca.analysis.faults.application import hit, inflict, mend
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.rule import Scene
from rca.analysis.faults.rules.drifting_gain import drifting
from tests.analysis.faults.broken_columns import name

LAWS = {
    "normal": lambda rng, rows: rng.normal(4.0, 1.0, rows),
    "about zero": lambda rng, rows: rng.normal(0.0, 1.0, rows),
    "gamma": lambda rng, rows: np.round(10 * rng.gamma(3.0, 1.0, rows), 1),
    "amounts": lambda rng, rows: np.round(rng.lognormal(3.0, 0.8, rows), 2),
}

FACTORS = (0.2, 0.4, 2.0, 3.4)


def draws(law, seed=0, rows=(2000, 2000)):
    rng = np.random.default_rng(seed)
    return [LAWS[law](rng, size) for size in rows]


def gain(rows, factor, since=0.0):
    return 1 + (factor - 1) * np.clip((np.linspace(0, 1, rows) - since) / (1 - since), 0, 1)


def seen(before, after, *, ordered=True):
    rows = [pd.DataFrame({"c": values}) for values in (before, after)]
    scene = Scene(
        reference=rows[0], current=rows[1], codes=frozenset(), names=("c",), moved=frozenset("c"), ordered=ordered
    )
    return drifting(scene.pair("c"), scene)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("factor", FACTORS)
def test_a_drift_is_found_and_undone(law, factor):
    before, true = draws(law)
    current = pd.DataFrame({"c": true * gain(2000, factor)})
    found = name(before, current["c"], ordered=True)
    assert (found.fault, found.growing) == ("scaled", True)
    assert found.factor == pytest.approx(factor, rel=0.15)
    assert found.since <= 200
    assert_allclose(mend(found, current), true, rtol=0.15)


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("since", [0.2, 0.5])
def test_a_drift_that_begins_within_the_window_is_dated(factor, since):
    before, true = draws("normal")
    current = pd.DataFrame({"c": true * gain(2000, factor, since)})
    found = name(before, current["c"], ordered=True)
    assert (found.fault, found.growing) == ("scaled", True)
    assert found.since == pytest.approx(2000 * since, abs=150)
    assert found.share == pytest.approx(1 - found.since / 2000)
    assert found.since_interval[0] <= found.since <= found.since_interval[1]
    assert not hit(found, current)[: found.since].any()
    assert_allclose(mend(found, current), true, rtol=0.15)


def test_it_is_found_where_values_are_missing():
    before, true = draws("normal")
    after = np.where(np.arange(2000) % 7 == 0, np.nan, true * gain(2000, 2.5))
    found = seen(before, after)
    assert found.factor == pytest.approx(2.5, rel=0.1)
    assert found.evidence == f"a gain that grew in a line to times {found.factor:.3g} in the last row"


def test_rows_without_an_order_have_no_drift():
    before, true = draws("normal")
    assert seen(before, true * gain(2000, 2.5), ordered=False) is None


def test_a_constant_factor_is_no_drift():
    before, true = draws("normal")
    for since in (0, 500, 1200):
        after = np.where(np.arange(2000) >= since, true * 2.54, true)
        found = name(before, after, ordered=True)
        assert (found.fault, found.growing, found.factor) == ("scaled", False, 2.54)
        assert abs(found.since - since) <= 5


@pytest.mark.parametrize("law", LAWS)
def test_no_drift_is_made_up(law):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        before, true = draws(law, seed=seed, rows=(600, 500))
        time, spread = np.linspace(0, 1, 500), float(np.std(before))
        high = rng.choice(before[before >= np.quantile(before, 0.7)], 500)
        worlds = {
            "as it was": true,
            "a trend": true * gain(500, rng.uniform(0.8, 1.2)),
            "growth": true * rng.uniform(0.7, 1.4),
            "an offset": true + spread * rng.uniform(-2, 2),
            "an offset that drifts": true + spread * rng.uniform(-1.5, 1.5) * time,
            "whole numbers": np.round(true),
            "a mix": np.where(rng.random(500) < 0.3, high, true),
        }
        assert [world for world, after in worlds.items() if seen(before, after) is not None] == []


def test_a_mix_that_drifts_is_seldom_taken_for_a_gain():
    taken = 0
    for seed in range(15):
        rng = np.random.default_rng(seed)
        before, true = draws("normal" if seed % 2 else "amounts", seed=seed, rows=(900, 900))
        high = rng.choice(before[before >= np.quantile(before, 0.7)], 900)
        taken += seen(before, np.where(rng.random(900) < np.linspace(0, 0.8, 900), high, true)) is not None
    assert taken <= 1


DRIFT = ColumnFault(column="c", fault="scaled", share=0.75, evidence="", factor=3.0, growing=True, since=1)


def test_a_row_is_undone_by_its_place_in_the_window():
    rows = pd.DataFrame({"c": [1.0, 1.0, 2.0, 3.0]})
    assert mend(DRIFT, rows).tolist() == [1.0, 1.0, 1.0, 1.0]


def test_sound_rows_are_struck_as_if_they_were_spread_over_the_drift():
    rows = pd.DataFrame({"c": [1.0, 1.0, 1.0, 1.0]})
    assert inflict(DRIFT, rows, np.array([True, False, True, True])).tolist() == [1.0, 1.0, 2.0, 3.0]
