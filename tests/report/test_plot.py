"""One verb for a figure of anything."""

from dataclasses import replace

import pytest

from rca.report.plot import plot
from rca.report.rendering.chart import chart


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


def test_hostile_names_cannot_be_read_as_tags(column, drift, incident, hostile):
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


def test_every_result_of_an_analysis_can_be_drawn(analysis_of):
    analysis = analysis_of("hiring-bias")
    for result in (analysis.drift, analysis.joint, analysis.faults, analysis.harm, analysis.slices, analysis.gaps):
        assert plot(result).layout.meta["title"]
