from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rca.finding import Fault
from rca.practice.grammar import column_faults
from rca.practice.grammar.column_faults import FAULTS, Setting
from rca.practice.grammar.worlds.columns import FIRST, Moments
from rca.practice.grammar.worlds.simulated import simulated

PENDING = {"clipped", "truncated", "retyped"}
"""Words of the contract, which the product may learn later than the grammar."""


def setting(family="linear", ask=("hour", "daily", "code", "category")):
    rng = np.random.default_rng(7)
    world = simulated(rng, family, ask)
    tables = []
    for first, days in ((0, (96, 130)), (800, (130, 150))):
        seconds = np.sort(rng.integers(days[0] * 86400, days[1] * 86400, 800))
        at = pd.DatetimeIndex(FIRST + pd.to_timedelta(seconds, unit="s"))
        tables.append(
            world.sample(rng, Moments(at=at, entity=rng.integers(0, max(world.entities, 1), 800), first=first))
        )
    return Setting(world=world, reference=tables[0], current=tables[1], gains=dict.fromkeys(world.kinds, 1.0))


@pytest.fixture(scope="module")
def made():
    return setting()


def broken(made, kind, seed=0):
    rng = np.random.default_rng(seed)
    fault, kinds = FAULTS[kind]
    name = made.important(rng, *kinds)
    found = fault(rng, made, name)
    return name, made.current[name].to_numpy(), np.asarray(found.values[name]), found


@pytest.mark.parametrize("kind", sorted(set(FAULTS) - {"refitted", "kept"}))
@pytest.mark.parametrize("seed", range(3))
def test_a_fault_serves_as_many_values_as_there_are_rows_and_changes_some(made, kind, seed):
    _, before, after, found = broken(made, kind, seed)
    assert len(after) == len(before)
    assert any((pd.Series(after) != pd.Series(before)).tolist())
    assert set(found.faults) <= set(Fault.__args__) | PENDING


def test_frozen_is_one_usual_value(made):
    name, _, after, _ = broken(made, "frozen")
    assert len(set(after)) == 1
    assert after[0] in set(made.reference[name])


def test_a_scaled_column_has_one_factor(made):
    _, before, after, _ = broken(made, "scaled")
    ratio = after[before != 0] / before[before != 0]
    assert np.nanmax(ratio) == pytest.approx(np.nanmin(ratio))


def test_swapped_columns_have_each_others_values(made):
    _, _, _, found = broken(made, "swapped")
    one, other = found.values
    assert np.array_equal(found.values[one], made.current[other].to_numpy(), equal_nan=True)
    assert np.array_equal(found.values[other], made.current[one].to_numpy(), equal_nan=True)


def test_recoding_keeps_the_counts_of_the_levels_under_other_names(made):
    _, before, after, _ = broken(made, "recoded")
    assert sorted(pd.Series(before).value_counts()) == sorted(pd.Series(after).value_counts())


def test_an_encoder_fitted_anew_moves_later_codes_down_by_one():
    made = setting()
    name = made.world.of_kind("code")[0]
    kept = made.current[made.current[name] != 1].reset_index(drop=True)
    made = Setting(world=made.world, reference=made.reference, current=kept, gains=made.gains)
    after = column_faults.refitted(np.random.default_rng(0), made, name).values[name]
    moved = kept[name].to_numpy() > 1
    assert moved.any()
    assert (after == kept[name].to_numpy() - moved).all()


def test_a_stale_rate_is_that_of_an_earlier_day(made):
    name, before, after, _ = broken(made, "stale")
    assert (before != after).mean() > 0.5
    assert set(after) <= set(made.reference[name]) | set(made.current[name])


def test_a_clipped_column_has_a_cap_within_its_usual_range(made):
    name, _, after, _ = broken(made, "clipped")
    usual = made.reference[name]
    assert np.nanmax(after) < usual.max() or np.nanmin(after) > usual.min()


def test_an_hour_in_another_zone_goes_round_the_clock(made):
    _, before, after, _ = broken(made, "hour_shifted")
    assert len(set((after - before) % 24)) == 1
    assert 0 <= after.min() <= after.max() < 24


@pytest.mark.parametrize("seed", range(12))
def test_a_slice_is_neither_small_nor_everything_and_says_what_it_is(made, seed):
    inside, where = column_faults.some_slice(np.random.default_rng(seed), made)
    if where is not None:
        assert 0.08 <= inside.mean() <= 0.6
        assert 1 <= len(where.split(" & ")) <= 3


def test_scopes_are_of_every_place_and_time():
    made = setting("panel")
    drawn = [column_faults.scope(np.random.default_rng(seed), made) for seed in range(60)]
    assert {one.place for one in drawn} == {"all", "share", "slice", "entities"}
    assert {one.time for one in drawn} == {"start", "step", "ramp", "pulse"}


def test_columns_of_a_ring_hold_each_others_values(made):
    for seed in range(4):
        _, _, _, found = broken(made, "rotated", seed)
        assert len(found.values) >= 3
        held = {
            one: next(o for o in found.values if np.array_equal(made.current[o], found.values[one], equal_nan=True))
            for one in found.values
        }
        assert set(held.values()) == set(held)
        assert all(one != other for one, other in held.items())


def test_a_value_that_an_entity_keeps_is_its_last_of_the_reference():
    made = setting("panel", ())
    name, before, after, _ = broken(made, "kept")
    last = made.reference.groupby("customer")[name].last()
    known = made.current["customer"].isin(last.index).to_numpy()
    assert np.array_equal(after[known], made.current["customer"][known].map(last))
    assert np.array_equal(after[~known], before[~known])


def test_a_level_that_is_succeeded_is_gone_and_has_one_name_or_several(made):
    _, before, after, _ = broken(made, "succeeded")
    (gone,) = set(before) - set(after)
    assert all(new.startswith(gone) for new in set(after) - set(before))
    assert (before == after).sum() == (before != gone).sum()


@pytest.mark.parametrize("place", ["all", "half", "slice"])
def test_which_rows_are_hit_can_be_asked_for(made, place):
    shares = []
    for seed in range(12):
        found = column_faults.scope(np.random.default_rng(seed), replace(made, place=place))
        shares.append(found.hit.mean())
        assert (found.where is not None) == (place == "slice")
    low, high = {"all": (1, 1), "half": (0.4, 0.6), "slice": (0.08, 0.6)}[place]
    assert low <= min(shares) <= max(shares) <= high
