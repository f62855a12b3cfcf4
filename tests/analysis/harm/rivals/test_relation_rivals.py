"""The world and the model: a reversed law stands, and so do answers that changed, each where it is the cause."""

from dataclasses import replace

import numpy as np
import pytest

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.harm.question import harm
from rca.analysis.harm.rivals.relation_rivals import _scores, answer_rivals, departure, world_rivals
from tests.analysis.harm.rivals.simulated_windows import (
    FEATURES,
    ROLES,
    chance,
    drawn,
    model,
    numbers,
    standing,
    weighing,
    world,
)


def reversed_law(rows):
    return world(rows) - 3.2 * rows["a"]


def another_model(rows):
    return chance(world(rows) + 2.8 * rows["c"])


@pytest.mark.parametrize("how", [{"model": model}, {}])
def test_a_reversed_law_is_shown_with_most_of_the_harm(how):
    asked = weighing(*drawn(0, 900, law=reversed_law), **how)
    (found,) = world_rivals(asked, ())
    assert (found.kind, found.name, found.strength) == ("concept", "y", "shown")
    assert found.part.value > asked.measured.worse / 2
    assert world_rivals(asked, ["shop"])[0].strength == "suggested"


@pytest.mark.parametrize(("period", "rejected"), [("day", True), ("rows", False)])
def test_a_column_late_by_a_time_leaves_what_it_should_have_said_untold(period, rejected):
    asked = weighing(*drawn(0, 900, law=reversed_law), model=model)
    late = ColumnFault(column="shop", fault="stale", share=1.0, evidence="late", lag=1, period=period)
    asked = replace(asked, faults=Faults(columns=(*asked.faults.columns, late)))
    (found,) = world_rivals(asked, ["shop"])
    assert found.rejected is rejected
    assert ("shop came too late" in found.against) is rejected


def test_the_law_of_a_number_is_reversed_as_well():
    def spoilt(rows, rng):
        return rows.assign(y=-rows["y"])

    (found,) = world_rivals(weighing(*numbers(0, 700, spoilt=spoilt), "mae", score=None), ())
    assert (found.kind, found.strength) == ("concept", "shown")


def test_the_world_is_rejected_where_nothing_changed_in_2_draws():
    for seed in range(2):
        (found,) = world_rivals(weighing(*drawn(seed, 600), model=model), ())
        assert found.rejected
        assert "as before" in found.against


def test_inputs_that_never_told_of_the_outcome_say_nothing_of_the_world():
    rng = np.random.default_rng(1)
    before, after = (
        rows.assign(y=(rng.random(len(rows)) < share).astype(int))
        for rows, share in zip(drawn(1, 700), (0.5, 0.9), strict=True)
    )
    (found,) = world_rivals(weighing(before, after), ())
    assert found.rejected
    assert "never told" in found.against


def test_answers_that_changed_without_a_file_are_the_models_doing_and_not_the_worlds():
    before, after = drawn(2, 1200, answer=another_model)
    found = harm(before, after, metric="error_rate", **ROLES).rivals
    assert standing(found)[0] == ("model", "model")
    assert ("concept", "y") not in standing(found)
    (same,) = answer_rivals(replace(weighing(*drawn(3, 500)), asker=None), ())
    assert same.rejected


def test_another_threshold_is_the_models_doing():
    found = harm(*drawn(4, 700, threshold=0.15), metric="error_rate", **ROLES).rivals
    assert standing(found)[0] == ("model", "model")
    assert found[0].strength == "shown"


def test_the_departure_from_a_relation_is_nothing_where_there_is_none():
    asked = weighing(*drawn(5, 500), model=model)
    part = departure(asked, asked.follows(FEATURES), kind="feature", name="c", fault="frozen")
    assert (part.name, part.fault, part.method) == ("c", "frozen", "expected")
    assert abs(part.value) < 3 * part.error
    assert departure(asked, None, kind="feature", name="c") is None


def test_scores_on_record_stand_in_for_those_of_a_file_where_every_column_is():
    asked = weighing(*drawn(0, 900, law=reversed_law))
    assert asked.windows.model is None
    for found in _scores(asked):
        assert np.isfinite(found).all()
    assert _scores(weighing(*drawn(0, 900), score=None)) is None


def test_scores_that_two_models_gave_stand_in_for_none():
    before, after = drawn(0, 900, law=reversed_law)
    told = weighing(before, after)
    assert told.answers_same
    assert _scores(replace(told, answers_same=False)) is None
