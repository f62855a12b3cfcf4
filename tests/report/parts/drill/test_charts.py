"""The chart of a drill: each area as a share of its points, beside those of a good team."""

from rca.report.parts.drill.charts import grades
from tests.report.a_drill import a_drill, play


def test_each_area_is_drawn_as_a_share_beside_the_reference():
    drawn = grades(a_drill())
    assert [(one["name"], one["x"]) for one in drawn.data] == [("team", [0.5, 0.6]), ("a good team", [0.5, 1.0])]
    assert drawn.title == "17 of 100 points; a good team 25"
    assert drawn.layout["xaxis"]["range"] == [0, 1.05]


def test_a_cause_named_too_surely_is_drawn_below_nothing():
    assert grades(a_drill(team=play(-18.8))).layout["xaxis"]["range"][0] < -0.94
