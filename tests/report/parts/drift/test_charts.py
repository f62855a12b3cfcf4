"""Figures of what moved and what broke: readable without colours, with intervals, and a claim where nothing did."""

from dataclasses import replace

import pytest

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.diagnosis import Faults
from rca.report.parts.drift.charts import chart


def test_colours_are_apart_for_colour_blind_eyes_by_lightness_or_symbol(drift):
    marker = chart(drift).data[0]["marker"]
    assert len(set(marker["symbol"])) == len({row.moved for row in drift.columns})


def test_error_bars_reach_to_the_ends_of_the_interval(drift):
    bars = chart(drift).data[0]
    assert bars["x"][0] + bars["error_x"]["array"][0] == pytest.approx(0.45)
    assert bars["x"][0] - bars["error_x"]["arrayminus"][0] == pytest.approx(0.35)


def test_nothing_moved_is_a_claim_too(drift):
    still = replace(drift, columns=(replace(drift.columns[0], moved=False),))
    assert chart(still).title == "None of 1 column moved materially"


def test_what_broke_shows_how_and_in_how_many_rows():
    broke = ColumnFault(column="age", fault="default_value", share=0.5, evidence="999", value="999")
    moved = ColumnFault(column="size", fault="distribution", share=1.0, evidence="only moved")
    drawn = chart(Faults(columns=(broke, moved)))
    assert (drawn.title, drawn.data[0]["x"]) == ("1 column broke", [0.5])
    assert drawn.layout["yaxis"]["ticktext"] == ["age<br>default value"]
    assert chart(Faults(columns=(moved,))).title == "No column broke in a way that has a name"
