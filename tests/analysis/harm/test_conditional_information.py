"""What a column tells of the label: less as noise, as much when drawn again, and as much when it merely moved."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.harm.conditional_information import FOLDS, information, tells_less

few_or_many = pytest.mark.parametrize(("draws", "most"), [(4, 1), pytest.param(10, 2, marks=pytest.mark.prove)])
"""Of 4 draws at 5 %, more than one alarm is about one chance in a hundred, as of 10 more than two."""


def rows_of(rng, rows=240, moved=0.0):
    """A label that follows x, and z half as much; w is noise."""
    drawn = pd.DataFrame(rng.normal(size=(rows, 3)), columns=["x", "z", "w"]).assign(x=lambda seen: seen["x"] + moved)
    return drawn.assign(y=drawn["x"] + drawn["z"] / 2 + rng.normal(size=rows))


def less(reference, current, column="x"):
    return tells_less(reference, current, column, label="y", among=["x", "z", "w"])


def alarms(change, column="x", *, draws, **options):
    """Of some draws, how many say that the column tells less."""
    count = 0
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        reference, current = rows_of(rng), rows_of(rng, **options)
        count += less(reference, change(current, rng), column)
    return count


def unchanged(rows, _):
    return rows


def test_a_column_replaced_by_noise_tells_less():
    assert alarms(lambda rows, rng: rows.assign(x=rng.normal(size=len(rows))), draws=4) == 4


def test_a_column_whose_rows_were_swapped_tells_less_though_no_value_is_new():
    assert alarms(lambda rows, rng: rows.assign(x=rng.permutation(rows["x"])), draws=4) == 4


@few_or_many
@pytest.mark.parametrize("column", ["x", "w"])
def test_a_column_drawn_again_tells_less_no_more_often_than_chance(column, draws, most):
    assert alarms(unchanged, column, draws=draws) <= most


@few_or_many
def test_a_column_that_merely_moved_tells_as_much(draws, most):
    assert alarms(unchanged, moved=1.5, draws=draws) <= most


@pytest.mark.parametrize("scale", [100, -1], ids=["another unit", "the other way round"])
def test_a_column_in_another_unit_tells_as_much(scale):
    # A fresh model reads it as well as ever; that the old one does not is no loss of information.
    rows = rows_of(np.random.default_rng(0))
    known, again = (
        information(seen, "x", label="y", among=["x", "z"]) for seen in (rows, rows.assign(x=scale * rows["x"] + 7))
    )
    assert again == pytest.approx(known, rel=0.05)


@pytest.mark.parametrize("lost", [0.0, np.nan, np.inf, "gone"])
def test_a_column_without_its_values_tells_less_whatever_stands_there_now(lost):
    rng = np.random.default_rng(0)
    assert less(rows_of(rng), rows_of(rng).assign(x=lost))


def test_a_column_that_tells_more_does_not_tell_less():
    rng = np.random.default_rng(0)
    reference, current = rows_of(rng), rows_of(rng)
    assert less(reference, current.assign(x=0.0))
    assert not less(reference.assign(x=0.0), current)


def test_a_label_in_words_is_read():
    rng = np.random.default_rng(0)
    reference, current = (rows.assign(y=np.where(rows["y"] > 0, "yes", "no")) for rows in (rows_of(rng), rows_of(rng)))
    assert less(reference, current.assign(x=0.0))
    assert not less(reference, current)


def test_what_another_column_tells_as_well_is_not_counted():
    rows = rows_of(np.random.default_rng(0))
    alone, _ = information(rows, "x", label="y", among=["x", "z"])
    beside, error = information(rows.assign(w=rows["x"]), "x", label="y", among=["x", "z", "w"])
    assert alone > 0.2
    assert abs(beside) <= 3 * error + 1e-9


def test_a_column_on_its_own_is_weighed_against_knowing_nothing():
    saved, error = information(rows_of(np.random.default_rng(0)), "x", label="y", among=["x"])
    assert saved > 4 * error


def test_rows_without_a_label_are_left_out():
    rows = rows_of(np.random.default_rng(0))
    holed = pd.concat([rows, rows.assign(y=np.nan, x=1e6)], ignore_index=True)
    assert information(holed, "x", label="y", among=["x", "z"]) == information(rows, "x", label="y", among=["x", "z"])


def test_a_label_that_never_varies_leaves_nothing_to_tell():
    rows = rows_of(np.random.default_rng(0)).assign(y=1.0)
    assert information(rows, "x", label="y", among=["x", "z"]) == (0.0, 0.0)


@pytest.mark.parametrize("rows", [0, 1, 2 * FOLDS - 1])
def test_of_too_few_rows_nothing_is_known_and_nothing_alleged(rows):
    few = rows_of(np.random.default_rng(0)).iloc[:rows]
    assert information(few, "x", label="y", among=["x", "z"]) == (0.0, np.inf)
    assert not less(rows_of(np.random.default_rng(1)), few.assign(x=0.0))
