"""The timeline and the onset as figures: estimates are drawn as such, and events are named where they lie."""

from rca.report.parts.timeline.charts import onset as onset_chart
from rca.report.parts.timeline.charts import timeline
from rca.report.rendering.chart import chart


def test_an_estimated_onset_is_drawn_open_and_said_to_be_one(incident, onset):
    bare = incident.timeline.model_copy(update={"onset": None})
    drawn = timeline(bare, onset)
    assert "onset (estimated)" in drawn.layout["yaxis"]["ticktext"]
    assert "diamond-open" in drawn.data[0]["marker"]["symbol"]


def test_the_time_in_which_harm_could_be_done_is_told(incident):
    drawn = timeline(incident.timeline, exposure="3 h, with 7 rows")
    assert drawn.alt.endswith("Shaded, the time in which harm could be done: 3 h, with 7 rows.")


def test_a_timeline_without_entries_says_so(incident):
    empty = incident.timeline.model_copy(update={"onset": None, "detected": None, "recovered": None, "events": ()})
    assert chart(empty).alt == "The record holds no moment and no event."


def test_hundreds_of_events_leave_the_timeline_readable(incident):
    event = incident.timeline.events[0]
    many = incident.timeline.model_copy(update={"events": (event,) * 300})
    drawn = chart(many)
    assert len(drawn.data[0]["x"]) < 20
    assert len(drawn.rows) == 303


def test_the_onset_is_marked_with_its_interval(onset):
    assert [one["type"] for one in onset_chart(onset).layout["shapes"]] == ["rect", "line"]
