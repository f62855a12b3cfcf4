"""The timeline and the onset as figures: estimates are drawn as such, and events are named where they lie."""

from dataclasses import replace
from datetime import timedelta

from rca.report.parts.timeline.charts import onset as onset_chart
from rca.report.parts.timeline.charts import timeline
from rca.report.rendering.chart import chart


def test_an_estimated_onset_is_drawn_open_and_said_to_be_one(incident, onset):
    bare = incident.timeline.model_copy(update={"onset": None})
    drawn = timeline(bare, onset)
    assert "onset (estimated)" in drawn.layout["yaxis"]["ticktext"]
    assert "diamond-open" in drawn.data[0]["marker"]["symbol"]


def test_what_was_dated_runs_behind_the_moments_on_an_axis_of_its_own(incident, onset):
    first = min(at for _, at in incident.timeline.moments())
    times = tuple(first + timedelta(hours=hour) for hour in range(-5, 4))
    curve = replace(onset, times=times, values=tuple(map(float, range(9))), counts=(1,) * 9)
    drawn = timeline(incident.timeline, curve=curve, exposure="3 h, with 7 rows")
    assert drawn.data[0]["yaxis"] == "y2"
    assert drawn.data[0]["y"][0] == 5.0  # what lies before the first moment is not drawn
    assert drawn.layout["yaxis2"]["overlaying"] == "y"
    assert "Behind them, a grey line" in drawn.alt
    assert drawn.alt.endswith("Shaded, the time in which harm could be done: 3 h, with 7 rows.")
    for useless in (replace(curve, times=(), values=(), counts=()), None):
        assert "yaxis2" not in timeline(incident.timeline, curve=useless).layout
    bare = incident.timeline.model_copy(update=dict.fromkeys(dict(incident.timeline.moments())) | {"events": ()})
    assert "yaxis2" not in timeline(bare, curve=curve).layout


def test_a_timeline_without_entries_says_so(incident):
    empty = incident.timeline.model_copy(update={"onset": None, "detected": None, "recovered": None, "events": ()})
    assert chart(empty).alt == "The record holds no moment and no event."


def test_hundreds_of_events_leave_the_timeline_readable(incident):
    event = incident.timeline.events[0]
    many = incident.timeline.model_copy(update={"events": (event,) * 300})
    drawn = chart(many)
    assert len(drawn.data[0]["x"]) < 20
    assert len(drawn.rows) == 303


def test_events_near_the_onset_are_marked(incident, onset):
    assert len(onset_chart(onset, incident.timeline.events).layout["shapes"]) == 3
    assert len(onset_chart(onset).layout["shapes"]) == 2


def test_events_at_the_same_time_are_named_once(incident, onset):
    event = incident.timeline.events[0]
    assert len(onset_chart(onset, (event,) * 9).layout["annotations"]) == 2


def test_an_event_is_named_beside_the_line_that_marks_it(incident, onset):
    named = [one["text"] for one in onset_chart(onset, incident.timeline.events).layout["annotations"]]
    assert len(named) == 2
    assert named[1].startswith(incident.timeline.events[0].what[:10])
