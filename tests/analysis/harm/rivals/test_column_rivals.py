"""A column that broke stands before the world, and one that is sound does not stand."""

from dataclasses import replace

import numpy as np
import pytest

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.harm.rivals.column_rivals import _doubtful, column_rivals, slice_columns
from rca.analysis.slices.question import slices_of
from tests.analysis.harm.rivals.simulated_windows import FEATURES, drawn, model, standing, weighing

BROKEN = {
    "a filler": ("c", lambda rows, rng: rows.assign(c=rows["c"].mask(rng.random(len(rows)) < 0.5, -9.0))),
    "values of other rows": ("c", lambda rows, rng: rows.assign(c=rng.permutation(rows["c"]))),
    "local time": ("hour", lambda rows, rng: rows.assign(hour=(rows["hour"] + 9) % 24)),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_column_that_broke_stands_first_and_with_its_harm(how):
    name, broken = BROKEN[how]
    asked = weighing(*drawn(1, broken=broken), model=model)
    found = [one for one in column_rivals(asked) if not one.rejected]
    assert [one.name for one in found if one.strength in ("shown", "suggested")] == [name]
    first = next(one for one in found if one.name == name)
    assert first.part.value == pytest.approx(asked.measured.worse, abs=3 * first.part.error + 0.02)


def test_columns_of_a_block_are_one_cause_put_back_together():
    def emptied(rows, rng):
        struck = rng.random(len(rows)) < 0.5
        return rows.assign(**{name: rows[name].mask(struck, -9.0) for name in ("a", "c")})

    asked = weighing(*drawn(2, 700, broken=emptied), model=model, blocks={"pair": ["a", "c"]})
    found = column_rivals(asked)
    standing = [(one.name, one.fault, one.strength) for one in found if not one.rejected]
    assert standing == [("pair", "default_value", "shown")]
    assert found[0].part.name == "pair"
    assert found[0].part.value == pytest.approx(asked.measured.worse, abs=3 * found[0].part.error)


def test_a_filler_is_shown_by_name_and_a_stand_in_for_the_model_only_suggests_it():
    before, after = drawn(2, 700, broken=BROKEN["a filler"][1])
    with_file, without = (column_rivals(weighing(before, after, **how)) for how in ({"model": model}, {}))
    strengths = [
        [(one.name, one.fault, one.strength) for one in found if one.name == "c"] for found in (with_file, without)
    ]
    assert strengths[0] == [("c", "default_value", "shown")]
    assert strengths[1] == [("c", "default_value", "suggested")]


def test_a_column_is_found_without_any_answer_by_what_it_leaves_of_the_outcome():
    before, after = drawn(3, broken=lambda rows, rng: rows.assign(c=2 - rows["c"]))
    asked = weighing(
        before, after, {"name": "rate", "column": "y"}, label=None, prediction=None, score=None, features=list(FEATURES)
    )
    found = column_rivals(asked)
    assert standing(found) == [("feature", "c")]
    assert next(one for one in found if one.name == "c").strength == "suggested"


def test_no_column_stands_where_nothing_changed_in_2_draws():
    assert not any(standing(column_rivals(weighing(*drawn(seed, 700), model=model))) for seed in range(2))


def test_no_column_is_shown_where_the_law_was_reversed():
    found = column_rivals(weighing(*drawn(4, law=lambda rows: -2 * rows["a"] - rows["c"]), model=model))
    assert not [one.name for one in found if one.strength in ("shown", "suggested")]


def test_a_column_that_broke_in_one_slice_is_found_there():
    def in_shop(rows, rng):
        return rows.assign(c=np.where(rows["shop"] == "p", 1.5, rows["c"]))

    asked = weighing(*drawn(5, broken=in_shop), model=model)
    local = slices_of(asked.windows, asked.measured)
    inside = slice_columns(replace(asked, slices=local), ())
    assert [one.name for one in inside] == ["c"]
    assert slice_columns(asked, ()) == []
    assert all(one.part.where is not None and "shop=p" in one.part.where.condition for one in inside)


def test_only_a_way_of_putting_back_that_is_a_guess_is_doubted():
    codes = ColumnFault(column="c", fault="recoded", share=1.0, evidence="", recoding=(("1", "2"), ("2", "1")))
    noisy = replace(codes, fault="distribution", noise=0.3, recoding=())
    unit = replace(codes, fault="scaled", factor=12.0, recoding=())
    assert _doubtful(noisy) > 0 > _doubtful(codes) > _doubtful(unit) == -np.inf
