"""Caps and floors: told from stuck values, fillers and another mix; in all rows, a part, a segment."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.application import could_be, hit, inflict
from rca.analysis.faults.diagnosis import diagnose
from tests.analysis.faults.broken_columns import name

LAWS = {
    "normal": lambda rng, n: rng.normal(40, 10, n),
    "skewed": lambda rng, n: rng.lognormal(3, 0.7, n),
    "whole": lambda rng, n: rng.poisson(6, n).astype(float),
    "signed": lambda rng, n: rng.standard_t(4, n),
}


def drawn(law, *, seed=0, rows=2500):
    rng = np.random.default_rng(seed)
    return pd.Series(LAWS[law](rng, rows)), pd.Series(LAWS[law](rng, rows))


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("capped", [True, False])
@pytest.mark.parametrize("part", [0.2, 0.45])
def test_a_cap_and_a_floor_are_found_at_their_edge(law, capped, part):
    before, after = drawn(law)
    edge = float(before.quantile(1 - part if capped else part, interpolation="lower"))
    found = name(before, after.clip(upper=edge) if capped else after.clip(lower=edge))
    assert (found.fault, found.edge, found.capped) == ("clipped", edge, capped)
    assert found.share == pytest.approx(float(((before > edge) if capped else (before < edge)).mean()), abs=0.05)


def test_a_cap_since_a_moment_and_in_half_of_the_rows_is_found():
    before, after = drawn("normal", rows=4000)
    late = np.arange(4000) >= 2500
    frames = [pd.DataFrame({"c": one}) for one in (before, after.mask(late, after.clip(upper=42.0)))]
    found = diagnose(*frames, univariate_drift(*frames), ordered=True).get("c")
    assert (found.fault, found.edge) == ("clipped", 42.0)
    assert abs(found.since - 2500) < 60
    half = np.random.default_rng(1).random(4000) < 0.5
    some = name(before, after.mask(half, after.clip(upper=42.0)))
    assert (some.fault, some.edge, some.scattered) == ("clipped", 42.0, True)


def test_a_cap_in_one_segment_is_found_there():
    rng = np.random.default_rng(2)
    frames = [
        pd.DataFrame({"c": rng.normal(40, 10, 4000), "ward": rng.choice(["a", "b", "d"], 4000)}) for _ in range(2)
    ]
    frames[1]["c"] = frames[1]["c"].mask(frames[1]["ward"] == "b", frames[1]["c"].clip(upper=38.0))
    found = diagnose(*frames, univariate_drift(*frames)).get("c")
    assert (found.fault, found.edge) == ("clipped", 38.0)
    rows = hit(found, frames[1])
    assert (frames[1].loc[rows, "c"] == 38.0).all()


@pytest.mark.parametrize("value", [999.0, -1e4, 40.0])
def test_a_filler_and_a_stuck_value_are_no_cap(value):
    before, after = drawn("normal")
    rng = np.random.default_rng(3)
    assert name(before, after.mask(rng.random(2500) < 0.3, value)).fault in ("default_value", "frozen")
    assert name(before, after * 0 + value).fault in ("default_value", "frozen")


@pytest.mark.parametrize("law", LAWS)
def test_another_mix_and_a_shift_are_no_cap(law):
    for seed in range(8):
        before, after = drawn(law, seed=seed, rows=800)
        high = after > before.median()
        rarer = after[~high | (np.random.default_rng(seed).random(800) < 0.5)].reset_index(drop=True)
        for now in (after, after * 1.1, rarer):
            found = name(before, now)
            assert found is None or found.fault != "clipped", (law, seed)


def test_a_heap_that_takes_from_both_sides_or_has_but_one_is_seldom_a_cap():
    clipped = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        chance = rng.random((2, 3000))
        both = np.where(chance < np.array([[0.02], [0.12]]), 0.0, rng.normal(size=(2, 3000)))
        one = np.where(chance < np.array([[0.12], [0.4]]), 0.0, rng.gamma(2, 3, (2, 3000)).round(2))
        faults = [name(pd.Series(before), pd.Series(after)) for before, after in (both, one, -one)]
        clipped += sum(fault is not None and fault.fault == "clipped" for fault in faults)
    assert clipped <= 1  # of 24; chance may take from one side alone


def test_only_values_beyond_the_edge_can_have_been_cut_off():
    before, after = drawn("normal")
    found = name(before, after.clip(upper=45.0))
    rows = pd.DataFrame({"c": [30.0, 50.0, 45.0]})
    assert could_be(found, rows).tolist() == [False, True, False]
    assert inflict(found, rows, np.ones(3, dtype=bool)).tolist() == [30.0, 45.0, 45.0]
