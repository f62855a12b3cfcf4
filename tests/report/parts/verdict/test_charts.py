"""The figure of the causes: those whose harm is known, with intervals in the unit that the metric is read in."""

from dataclasses import replace

import pytest

from rca.report.parts.verdict.charts import cause_row, chart
from rca.report.rendering.chart import HARM, HELP


def test_causes_are_drawn_in_percentage_points_with_the_ends_of_their_intervals(verdict):
    bars = chart(verdict).data[0]
    assert bars["x"] == [pytest.approx(18)]
    assert bars["x"][0] + bars["error_x"]["array"][0] == pytest.approx(19)
    assert "percentage points" in chart(verdict).layout["xaxis"]["title"]


def test_a_cause_without_a_size_is_in_the_table_alone(verdict):
    (cause,) = verdict.causes
    unsized = replace(cause, name="pump", contribution=None, interval=None)
    drawn = chart(replace(verdict, causes=(cause, unsized)))
    assert len(drawn.data[0]["x"]) == 1
    assert [(row["cause"], row["harm (percentage points)"]) for row in drawn.rows] == [
        ("income", pytest.approx(18)), ("pump", None),
    ]  # fmt: skip
    assert cause_row(unsized, None)["harm"] is None


def test_what_did_harm_and_what_took_harm_away_have_colours_of_their_own(verdict):
    (cause,) = verdict.causes
    drawn = chart(replace(verdict, causes=(cause, replace(cause, contribution=-0.02))))
    assert drawn.data[0]["marker"]["color"] == [HARM, HELP]
