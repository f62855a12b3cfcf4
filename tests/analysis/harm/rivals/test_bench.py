"""What every rival is asked with: the clock, what the model heeds, and relations that are kept."""

import numpy as np
import pytest

from rca.analysis.harm.evidence.column_relations import CLOCK
from tests.analysis.harm.rivals.simulated_windows import FEATURES, drawn, numbers, weighing, windows


def shops_gone(rows, rng):
    return rows.assign(shop="p", c=0.5 * rows["c"] + 1)


@pytest.fixture(scope="module")
def moved():
    return weighing(*drawn(0, 700, broken=shops_gone))


def test_hour_and_weekday_are_beside_the_features_and_are_no_features(moved):
    assert moved.clock == CLOCK
    assert moved.features == moved.read == FEATURES
    assert set(CLOCK) <= set(moved.timed.current)
    assert not set(CLOCK) & set(moved.windows.current)
    assert weighing(*drawn(0, 300), time=None, ignore=["at"]).clock == ()


def test_a_column_that_moved_and_is_not_heeded_is_no_input(moved):
    assert {"shop", "c"} <= set(moved.drift.moved())
    assert not moved.heeded("shop")
    assert moved.heeded("c")
    assert moved.inputs == tuple(name for name in FEATURES if name != "shop")


def test_a_relation_is_asked_once_and_in_the_order_of_the_features(moved):
    one = moved.follows(["c", "a"])
    assert one is moved.follows(("a", "c", "nowhere"))
    assert one.columns == ("a", "c", *CLOCK)
    assert moved.follows(["a"]) is not one


def test_every_test_draws_anew(moved):
    assert moved.rng(1).random() == moved.rng(1).random() != moved.rng(2).random()


def test_the_bad_direction_is_the_metrics():
    before, after = drawn(1, 300)
    lower = weighing(before, after, {"name": "rate", "column": "said", "harm": "lower"})
    assert (lower.sign, lower.harm) == (-1, abs(lower.measured.change))
    assert lower.of_answers
    assert not weighing(before, after).of_answers


def test_an_outcome_is_a_class_or_a_number_as_the_metric_has_it_and_there_need_be_none():
    assert weighing(*drawn(2, 300)).outcome.classes == (1, 0)
    assert weighing(*numbers(2, 300), "mae", score=None).outcome.classes == ()
    rate = weighing(*drawn(2, 300), {"name": "rate", "column": "said"}, label=None, features=list(FEATURES))
    assert rate.outcome.column == "said"
    few = weighing(*(rows.head(30) for rows in drawn(2, 300)))
    assert few.outcome is None
    assert few.follows(FEATURES) is None


def test_a_column_that_no_test_can_read_is_no_feature():
    lists = [rows.assign(c=[{"a": 1}] * len(rows)) for rows in drawn(3, 300)]
    assert "c" in windows(*lists).roles.features
    assert "c" not in weighing(*lists).features
    assert np.isfinite(weighing(*lists).follows(FEATURES).z)
