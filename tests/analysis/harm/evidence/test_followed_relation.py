"""An outcome that follows as before is left alone, and one that follows otherwise is seen."""

import numpy as np
import pytest

from rca.analysis.harm.evidence.followed_relation import Outcome, followed, own_effect, slope_of_change

COLUMNS = ("a", "b", "c")
USUAL = (1.5, 0.5, -1.0)


def side(rng, n, kind, *, effects=USUAL, shift=0.0, corner=0.0, wild=0):
    x = rng.normal(size=(n, 3)) + np.array([shift, 0, 0])
    law = x @ np.array(effects) + corner * ((x[:, 1] > 0.5) & (x[:, 2] > 0))
    if kind == "number":
        y = law + rng.normal(size=n)
        y[:wild] = 1e9
        return y[:, None], x
    noisy = law + rng.logistic(size=n)
    if kind == "three":
        return np.column_stack([noisy < -1, (noisy >= -1) & (noisy < 1)]).astype(float), x
    return (noisy > 0).astype(float)[:, None], x


def relation(seed, kind="two", columns=COLUMNS, *, n=600, **late):
    rng = np.random.default_rng(seed)
    both = side(rng, n, kind), side(rng, n, kind, **late)
    targets, inputs = zip(*both, strict=True)
    return followed(Outcome(targets=targets, inputs=inputs, columns=COLUMNS, number=kind == "number"), columns)


@pytest.mark.parametrize(("shift", "at_least"), [pytest.param(0.0, 19, marks=pytest.mark.prove), (0.5, 18)])
def test_an_outcome_that_follows_as_before_has_z_below_3_in_nearly_all_of_20_draws_though_inputs_shift(shift, at_least):
    assert sum(relation(seed, shift=shift, n=400).z < 3 for seed in range(20)) >= at_least


@pytest.mark.parametrize("shift", [pytest.param(0.0, marks=pytest.mark.prove), 0.5])
def test_three_classes_that_follow_as_before_have_z_below_3_in_at_least_4_of_5_draws(shift):
    assert sum(relation(seed, "three", shift=shift).z < 3 for seed in range(5)) >= 4


def test_a_number_that_follows_as_before_has_z_below_3_in_at_least_9_of_10_draws_though_inputs_shift():
    assert sum(relation(seed, "number", shift=0.5).z < 3 for seed in range(10)) >= 9


def test_no_correction_of_a_number_is_asked_as_the_error_of_the_fit_alone_would_pay():
    assert relation(0, "number").correction_z == 0


@pytest.mark.parametrize("kind", ["two", "three", "number"])
def test_a_reversed_effect_is_surely_seen(kind):
    assert min(relation(seed, kind, effects=(-1.5, 0.5, -1.0)).z for seed in range(3)) > 5


def test_a_change_in_a_corner_is_seen_by_the_correction():
    found = [relation(seed, corner=-3.0, n=1200) for seed in range(4)]
    assert np.median([one.correction_z for one in found]) > 4
    assert all(one.correction_z > one.level_z for one in found)


def test_noise_tells_of_nothing_and_inputs_that_matter_do():
    nothing = [relation(seed, effects=(0, 0, 0), columns=()).telling for seed in range(2)]
    rng = np.random.default_rng(0)
    for _ in range(4):
        y = tuple((rng.random(400) < 0.3).astype(float)[:, None] for _ in range(2))
        x = tuple(rng.normal(size=(400, 3)) for _ in range(2))
        nothing.append(followed(Outcome(targets=y, inputs=x, columns=COLUMNS), COLUMNS).telling)
    assert not any(nothing)
    assert all(relation(seed, kind, n=1000).telling for seed in range(2) for kind in ("two", "three", "number"))


def test_a_few_wild_numbers_move_nothing():
    assert all(relation(seed, "number", wild=3).z < 5 for seed in range(4))
    plain, wild = relation(0, "number"), relation(0, "number", wild=1)
    assert wild.z == pytest.approx(plain.z, abs=1.0)


def test_without_the_column_whose_effect_changed_the_others_are_followed_as_before():
    found = [relation(seed, effects=(-1.5, 0.5, -1.0), columns=("b", "c")) for seed in range(3)]
    assert all(one.columns == ("b", "c") for one in found)
    assert all(one.z < 3 for one in found)


def test_the_same_seed_finds_the_same():
    one, other = relation(3), relation(3)
    assert (one.z, one.skill) == (other.z, other.skill)
    np.testing.assert_array_equal(one.expected[1], other.expected[1])


def turned(seed, kind):
    return relation(seed, kind, effects=(1.5, -0.5, -1.0), n=1200)


@pytest.mark.parametrize("kind", ["two", "three", "number"])
def test_the_effect_of_one_weak_input_that_turned_is_seen_by_its_slope(kind):
    found = [turned(seed, kind) for seed in range(3)]
    assert min(one.effect_z for one in found) > 5
    assert all(one.effect_z > one.level_z for one in found)


def test_no_input_has_a_steep_slope_where_nothing_changed_in_20_draws():
    assert sum(relation(seed, n=400).effect_z < 2.5 for seed in range(20)) >= 19


def test_a_slope_of_bins_that_differ_by_nothing_or_are_empty_is_none():
    one = np.zeros(40), np.arange(40) % 2
    assert slope_of_change([one[0], one[0]], [one[1], one[1]], np.arange(2.0)) == 0
    noisy = np.random.default_rng(0).normal(size=40)
    assert slope_of_change([noisy, noisy], [one[1], np.zeros(40, dtype=int)], np.arange(2.0)) == 0
    assert slope_of_change([noisy, noisy + one[1]], [one[1], one[1]], np.array([1.0, 1.0])) == 0
    assert slope_of_change([noisy, noisy + one[1]], [one[1], one[1]], np.arange(2.0)) > 2


@pytest.mark.parametrize("kind", ["two", "three", "number"])
@pytest.mark.parametrize(("effect", "low", "high"), [(0.5, 1.64, 99), (0.0, -3.5, 3.5), (-0.5, -99, -1.64)])
def test_a_column_tells_as_before_or_nothing_or_the_contrary(kind, effect, low, high):
    rng = np.random.default_rng(3)
    both = side(rng, 2000, kind), side(rng, 2000, kind, effects=(1.5, effect, -1.0))
    targets, inputs = zip(*both, strict=True)
    outcome = Outcome(targets=targets, inputs=inputs, columns=COLUMNS, number=kind == "number")
    assert low < own_effect(outcome, followed(outcome, ("a", "c")), "b") < high
