"""An outcome is read as classes or a number, and the metric expected of it is the recorded one if nothing changed."""

import numpy as np
import pytest

from rca.analysis.harm.evidence.followed_relation import followed
from rca.analysis.harm.evidence.recorded_outcome import CLASSES, MIN_ROWS, expected_parts, read_outcome
from tests.analysis.harm.rivals.simulated_windows import FEATURES, drawn, numbers, windows


def read(asked, column="y", **how):
    return read_outcome(asked, column, FEATURES, rng=np.random.default_rng(0), **how)


def gap_of(asked, **how):
    """How much farther the current metric is from what is expected than the reference's, and its standard error."""
    held = read(asked, **how)
    relation = followed(held.outcome, FEATURES)
    groups = asked.meter.segments(asked.reference, asked.current)
    recorded, expected = expected_parts(asked, held, relation, groups=groups, rng=np.random.default_rng(1))
    apart = [one.value() - other.value() for one, other in zip(recorded, expected, strict=True)]
    own = [one.influence() - other.influence() for one, other in zip(recorded, expected, strict=True)]
    return apart[1] - apart[0], np.sqrt(sum((one**2).sum() for one in own))


OF_CLASSES = {
    "error_rate": {},
    "false_positive_rate": {},
    "log_loss": {},
    "group_gap": {"metric": {"name": "group_gap", "of": "error_rate"}, "groups": "shop", "features": list(FEATURES)},
}


LOSSES = ("false_positive_rate", "log_loss")


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=pytest.mark.prove) if one in LOSSES else one for one in OF_CLASSES]
)
def test_the_metric_is_as_expected_where_nothing_changed_in_5_draws(name):
    how = {"metric": name, **OF_CLASSES[name]}
    z = [np.divide(*gap_of(windows(*drawn(seed, 700), **how))) for seed in range(5)]
    assert max(np.abs(z)) < 3
    assert np.abs(np.mean(z)) < 1.5


@pytest.mark.parametrize("name", ["mae", "rmse"])
def test_the_error_of_a_number_is_as_expected_where_nothing_changed_in_5_draws(name):
    z = [np.divide(*gap_of(windows(*numbers(seed, 700), name, score=None), number=True)) for seed in range(5)]
    assert max(np.abs(z)) < 3


def test_the_metric_is_not_as_expected_where_the_law_was_reversed():
    found, error = gap_of(windows(*drawn(0, 700, law=lambda rows: -2 * rows["a"])))
    assert found > 5 * error


def test_a_yes_and_its_words_are_one_class_and_another():
    before, after = drawn(0, 300)
    held = read(windows(before, after))
    assert held.classes == (1, 0)
    np.testing.assert_array_equal(held.outcome.targets[1][:, 0], after["y"])
    words = [rows.replace({"y": {0: "no", 1: "yes"}, "said": {0: "no", 1: "yes"}}) for rows in (before, after)]
    assert read(windows(*words, positive="yes")).classes == ("yes", "no")


def test_the_commonest_classes_are_told_apart_and_the_others_are_one():
    before, after = (rows.assign(y=np.arange(len(rows)) % 8 * 1) for rows in drawn(0, 400))
    held = read(windows(before, after))
    assert len(held.classes) == CLASSES
    assert held.outcome.targets[0].shape == (400, CLASSES - 1)
    assert read(windows(before, after), number=True).classes == ()
    three = [rows.assign(y=np.array(["low", "mid", "high"])[np.arange(len(rows)) % 3]) for rows in (before, after)]
    assert read(windows(*three, score=None, prediction=None, metric={"name": "rate", "column": "y"}, positive="low"))


def test_wild_numbers_are_drawn_in_to_the_references_reach():
    before, after = numbers(0, 400)
    after.loc[:2, "y"] = 1e12
    held = read(windows(before, after, "mae", score=None))
    assert held.outcome.targets[1].max() <= before["y"].max()


def test_rows_whose_outcome_is_missing_are_left_out_and_too_few_are_none():
    before, after = drawn(1, 200)
    held = read(windows(before, after.assign(y=after["y"].where(after.index % 2 == 0))))
    np.testing.assert_array_equal(held.places[1], np.arange(0, 200, 2))
    few = after.assign(y=after["y"].where(after.index < MIN_ROWS - 1))
    assert read(windows(before, few)) is None
    assert read(windows(before, after), "nowhere") is None


def test_a_reference_with_one_class_alone_is_none():
    before, after = drawn(1, 200)
    assert read(windows(before.assign(y=1), after)) is None


def test_other_values_of_one_input_change_nothing_else():
    held = read(windows(*drawn(2, 200)))
    other = held.but("c", held_values := drawn(3, 200)[1]["c"], known=drawn(2, 200)[0]["c"])
    at = FEATURES.index("c")
    np.testing.assert_array_equal(other.outcome.inputs[1][:, at], held_values)
    rest = [i for i in range(len(FEATURES)) if i != at]
    np.testing.assert_array_equal(other.outcome.inputs[1][:, rest], held.outcome.inputs[1][:, rest])
    np.testing.assert_array_equal(other.outcome.inputs[0], held.outcome.inputs[0])
