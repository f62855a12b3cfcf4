"""Figures of where the harm sits: in the unit of the metric, of the gap that opened most, or none."""

import pytest

from rca.analysis.slices.group_gaps import Gaps
from rca.report.parts.slices.charts import MOST_SLICES, chart


def test_slices_of_a_share_are_drawn_in_percentage_points_the_rest_in_grey(analysis_of):
    found = analysis_of("hiring-bias").slices
    drawn = chart(found)
    assert "percentage points" in drawn.title
    assert len(drawn.data[0]["x"]) == min(len(found.slices), MOST_SLICES) + 1
    assert drawn.data[0]["x"][0] == pytest.approx(100 * found.slices[0].lost)
    assert len(set(drawn.data[0]["marker"]["color"])) == 2
    assert len(drawn.rows) == len(found.slices) + 1


def test_of_several_gaps_the_first_is_drawn(analysis_of):
    found = analysis_of("hiring-bias").gaps
    assert chart(found) == chart(found.gaps[0])
    assert [trace["name"] for trace in chart(found).data] == ["reference", "current"]


def test_where_no_gap_was_looked_at_none_can_be_drawn():
    with pytest.raises(TypeError, match="no gap was looked at"):
        chart(Gaps(gaps=()))
