"""Rows that show a fault, beside their like before it and beside the others, where no model can be asked."""

import numpy as np
import pytest

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.harm.rivals.rows_hit import harm_of_rows_hit
from tests.analysis.harm.rivals.simulated_windows import chance, drawn, weighing, world

RENAMED = ColumnFault(
    column="shop", fault="recoded", share=0.3, evidence="p2 stands for p", recoding=(("p2", "p"),), names=("p2",)
)  # fmt: skip


def renamed(rows, rng):
    return rows.assign(shop=rows["shop"].replace("p", "p2"))


def lost(rows):
    """A model that no longer knows what it knew of a shop under its new name."""
    return np.where(rows["shop"] == "p2", 1 - chance(world(rows)), chance(world(rows)))


def test_rows_of_a_new_name_that_fare_worse_are_the_harm_of_the_name():
    asked = weighing(*drawn(1, broken=renamed, answer=lost), score=None)
    part = harm_of_rows_hit(asked, RENAMED)
    assert part.strength == "suggested"
    assert part.value == pytest.approx(asked.measured.worse, abs=0.03)
    assert part.interval.low > 0


def test_a_name_that_does_no_harm_is_none_and_nor_is_one_whose_rows_fare_as_all_do():
    harmless = weighing(*drawn(1, broken=renamed), score=None)
    assert harm_of_rows_hit(harmless, RENAMED) is None
    all_worse = weighing(*drawn(1, broken=renamed, answer=lambda rows: 1 - chance(world(rows))), score=None)
    assert harm_of_rows_hit(all_worse, RENAMED) is None


def test_a_fault_that_no_row_shows_has_no_rows_to_compare():
    asked = weighing(*drawn(1, broken=renamed, answer=lost), score=None)
    assert harm_of_rows_hit(asked, ColumnFault(column="c", fault="scaled", share=1.0, evidence="", factor=2.0)) is None
