"""One verb for a figure of anything."""

import json

import pytest

import rca
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.diagnosis import Faults
from rca.report.parts.timeline.charts import onset as onset_chart
from rca.report.parts.timeline.charts import timeline
from rca.report.plot import plot
from rca.report.rendering.chart import MOST_PARTS, chart
from rca.report.rendering.plotly_adapter import plotly_js, specification
from tests.conftest import INCIDENTS

SHIPPED = INCIDENTS
KINDS = ("incident", "drift", "column", "measured", "harm", "onset", "cascade", "verdict")


@pytest.fixture(params=KINDS)
def result(request):
    return request.getfixturevalue(request.param)


def texts(value):
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts(one)]
    if isinstance(value, list | tuple):
        return [text for one in value for text in texts(one)]
    return [value] if isinstance(value, str) else []


def test_every_result_has_a_figure_that_plotly_accepts(result):
    figure = plot(result)
    assert figure.data


def test_a_figure_says_its_claim_its_alternative_and_its_numbers(result):
    meta = plot(result).layout.meta
    assert meta["title"]
    assert len(meta["alt"]) > 20
    assert meta["rows"]


def test_axes_say_what_they_measure(result):
    layout = plot(result).layout
    assert layout.xaxis.title.text or layout.yaxis.title.text


def test_the_same_result_gives_the_same_bytes(result):
    assert plot(result).to_json() == plot(result).to_json()
    assert chart(result) == chart(result)


def test_a_figure_is_plain_json(result):
    drawn = chart(result).to_dict()
    assert json.loads(json.dumps(drawn, allow_nan=False)) == json.loads(json.dumps(specification(plot(result)))) | {
        "layout": json.loads(json.dumps(drawn["layout"]))
    }


def test_colours_are_apart_for_colour_blind_eyes_by_lightness_or_symbol(drift):
    marker = chart(drift).data[0]["marker"]
    assert len(set(marker["symbol"])) == len({row.moved for row in drift.columns})


def test_the_waterfall_leads_from_the_reference_to_the_current_value(harm):
    bars = chart(harm).data[0]
    ends = [start + step for start, step in zip(bars["base"], bars["x"], strict=True)]
    per_cent = 100 * harm.measured.reference, 100 * harm.measured.current
    assert (ends[0], ends[-1]) == per_cent
    assert ends[-2] == pytest.approx(per_cent[1])
    assert bars["base"][1:-1] == pytest.approx(ends[:-2])


def test_harm_to_a_metric_that_should_be_high_goes_down(harm):
    from dataclasses import replace

    low = replace(harm.measured, harm="lower", reference=0.9, current=0.7, change=-0.2)
    bars = chart(replace(harm, measured=low)).data[0]
    assert bars["x"][1] == pytest.approx(-18)
    assert bars["base"][-2] + bars["x"][-2] == pytest.approx(70)


def test_many_small_parts_are_drawn_as_one(harm):
    from dataclasses import replace

    many = tuple(replace(harm.contributions[0], name=f"c{place}", value=0.01) for place in range(20))
    bars = chart(replace(harm, contributions=many, unexplained=0.0)).data[0]
    assert len(bars["x"]) == MOST_PARTS + 4
    assert bars["base"][-2] + bars["x"][-2] == pytest.approx(100 * harm.measured.current)
    assert len(chart(replace(harm, contributions=many)).rows) == 23


def test_error_bars_reach_to_the_ends_of_the_interval(drift):
    bars = chart(drift).data[0]
    assert bars["x"][0] + bars["error_x"]["array"][0] == pytest.approx(0.45)
    assert bars["x"][0] - bars["error_x"]["arrayminus"][0] == pytest.approx(0.35)


def test_nothing_moved_is_a_claim_too(drift):
    from dataclasses import replace

    still = replace(drift, columns=(replace(drift.columns[0], moved=False),))
    assert chart(still).title == "None of 1 column moved materially"


def test_an_estimated_onset_is_drawn_open_and_said_to_be_one(incident, onset):
    bare = incident.timeline.model_copy(update={"onset": None})
    drawn = timeline(bare, onset)
    assert "onset (estimated)" in drawn.layout["yaxis"]["ticktext"]
    assert "diamond-open" in drawn.data[0]["marker"]["symbol"]


def test_what_was_dated_runs_behind_the_moments_on_an_axis_of_its_own(incident, onset):
    from dataclasses import replace
    from datetime import timedelta

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


def test_hostile_names_cannot_be_read_as_tags(column, drift, incident, hostile):
    from dataclasses import replace

    evil = replace(column, column=hostile, kind="categorical")
    event = incident.timeline.events[0].model_copy(update={"what": hostile, "system": hostile, "kind": hostile})
    hostile_timeline = incident.timeline.model_copy(update={"events": (event,)})
    for result in (evil, replace(drift, columns=(evil,)), hostile_timeline):
        drawn = chart(result).to_dict()
        meta = drawn["layout"].pop("meta")
        assert not [text for text in texts(drawn) if "<script" in text or "<img" in text]
        assert not [text for text in texts([drawn, meta]) if "\x1b" in text or "\u202e" in text or "@example" in text]


def test_what_has_no_picture_is_refused_by_name():
    with pytest.raises(TypeError, match="there is no chart of 'int'"):
        plot(3)


def test_plotly_js_cannot_end_its_own_element():
    assert "</script" not in plotly_js()


def test_every_result_of_an_analysis_can_be_drawn():
    analysis = rca.analyse(rca.load(SHIPPED / "hiring-bias"))
    for result in (analysis.drift, analysis.joint, analysis.faults, analysis.harm, analysis.slices, analysis.gaps):
        assert plot(result).layout.meta["title"]
    assert "percentage points" in plot(analysis.slices).layout.meta["title"]
    assert plot(analysis.gaps) == plot(analysis.gaps.gaps[0])


def test_what_broke_shows_how_and_in_how_many_rows():
    broke = ColumnFault(column="age", fault="default_value", share=0.5, evidence="999", value="999")
    moved = ColumnFault(column="size", fault="distribution", share=1.0, evidence="only moved")
    drawn = chart(Faults(columns=(broke, moved)))
    assert (drawn.title, drawn.data[0]["x"]) == ("1 column broke", [0.5])
    assert drawn.layout["yaxis"]["ticktext"] == ["age<br>default value"]
    assert chart(Faults(columns=(moved,))).title == "No column broke in a way that has a name"


def test_events_at_the_same_time_are_named_once(incident, onset):
    event = incident.timeline.events[0]
    assert len(onset_chart(onset, (event,) * 9).layout["annotations"]) == 2


def test_an_event_is_named_beside_the_line_that_marks_it(incident, onset):
    named = [one["text"] for one in onset_chart(onset, incident.timeline.events).layout["annotations"]]
    assert len(named) == 2
    assert named[1].startswith(incident.timeline.events[0].what[:10])
