"""Pictures of a cascade: readable with hundreds of systems, safe with hostile names, empty where nothing failed."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from rca.analysis.cascade.results import FailureStep
from rca.record.schema.incident import Event, Signals
from rca.report.parts.cascade.charts import MOST_SIGNALS, MOST_SYSTEMS, onsets, signals, way
from rca.report.rendering.chart import chart


@pytest.fixture
def record(cascade):
    begin = cascade.suspects[0].onset
    window = {"from": begin.isoformat(), "to": (begin + timedelta(hours=1)).isoformat()}
    return Signals.model_validate({"path": "s.parquet", **window})


@pytest.fixture
def table(cascade):
    at = pd.date_range(cascade.suspects[0].onset - timedelta(hours=2), periods=181, freq="min")
    values = {one.signal: np.arange(181.0) for one in cascade.traces}
    return pd.DataFrame({"time": at, **values, "qa|latency": np.nan})


def many(cascade, size):
    """The same cascade with hundreds of systems that failed one after the other."""
    first = cascade.suspects[0]
    suspects = tuple(
        replace(first, component=f"c{at:03}", signal=f"c{at:03}|load", onset=first.onset + timedelta(minutes=at))
        for at in range(size)
    )
    steps = tuple(
        FailureStep(cause=f"c{at:03}", effect=f"c{at + 1:03}", lag=60.0, earliest=30.0, latest=90.0)
        for at in range(size - 1)
    )
    traces = tuple(replace(cascade.traces[0], signal=one.signal, onset=one.onset) for one in suspects)
    return replace(cascade, suspects=suspects, steps=steps, traces=traces, touched=())


def drawn(made):
    """The figure, which plotly has to accept, as JSON."""
    plain = made.to_dict()
    go.Figure(plain)
    return json.loads(json.dumps(plain, allow_nan=False))


def test_a_timeline_has_a_row_per_system_in_the_order_of_onset(cascade):
    made = onsets(cascade)
    drawn(made)
    assert [row["system"] for row in made.rows] == ["detector", "robot"]
    assert [row["after the first"] for row in made.rows] == ["0 s", "4 min"]
    assert made.title == "2 systems left their normal range within 4 min"


def test_events_are_marked_where_they_lie_among_the_failures(cascade):
    begin = cascade.suspects[0].onset
    events = [Event(at=begin + timedelta(minutes=at), kind="deploy", what=f"v{at}") for at in (-600, 0, 600)]
    made = onsets(cascade, events)
    assert len(made.layout["shapes"]) == 1
    assert "v0" in made.alt


def test_the_way_shows_lags_and_the_guard_that_stayed_green(cascade):
    made = way(cascade)
    nodes = drawn(made)["data"][-1]
    assert nodes["text"] == ["detector", "robot", "qa"]
    assert nodes["marker"]["symbol"] == ["circle", "circle", "circle-open"]
    assert made.title == "1 step and 4 min from detector to the alarm; qa stayed green"
    assert [row["past"] for row in made.rows] == ["qa"]


def test_steps_whose_order_cannot_be_told_are_dotted(cascade):
    at_once = replace(cascade, steps=(replace(cascade.steps[0], earliest=-60.0),))
    assert way(at_once).data[0]["line"]["dash"] == "dot"
    assert way(at_once).rows[0]["lag"] == "same time"
    assert way(cascade).data[0]["line"]["dash"] == "solid"


def test_signals_stand_in_the_order_of_onset_with_gaps_left_open(cascade, table, record):
    holes = table.assign(**{"robot|latency": np.where(np.arange(181) % 2, np.nan, 5.0)})
    made = signals(cascade, holes, record)
    picture = drawn(made)
    assert [row["signal"] for row in made.rows] == [one.signal for one in cascade.traces]
    assert None in picture["data"][1]["y"]
    assert len(picture["data"][0]["x"]) <= 240


def test_a_signal_without_any_sample_is_an_empty_row(cascade, table, record):
    silent = replace(cascade, traces=(replace(cascade.traces[0], signal="qa|latency"),))
    assert set(signals(silent, table, record).data[0]["y"]) == {None}


def test_hundreds_of_systems_stay_readable_and_the_table_has_them_all(cascade, record):
    whole = many(cascade, 300)
    table = pd.DataFrame({"time": [one.onset for one in whole.suspects], **{one.signal: 1.0 for one in whole.traces}})
    for made, most in (
        (onsets(whole), MOST_SYSTEMS),
        (way(whole), MOST_SYSTEMS),
        (signals(whole, table, record), MOST_SIGNALS),
    ):
        picture = drawn(made)
        assert len(made.rows) >= 299
        assert len(picture["data"]) <= most + 2
        assert picture["layout"]["height"] < 1400


def test_nothing_that_failed_gives_empty_pictures(cascade, record, table):
    nothing = replace(cascade, suspects=(), steps=(), traces=(), touched=())
    for made in (onsets(nothing), way(nothing), signals(nothing, table, record), chart(nothing)):
        drawn(made)
    assert "No way can be told" in way(nothing).title


def test_a_doubt_is_in_the_title(cascade):
    assert (
        chart(replace(cascade, doubt="who knows")).title
        == "No system can be named as the first; detector is the nearest"
    )


def test_deviations_of_very_different_sizes_are_read_on_a_logarithmic_axis(cascade):
    assert "type" not in chart(cascade).layout["xaxis"]
    far = replace(cascade, suspects=(replace(cascade.suspects[0], score=5e4), cascade.suspects[1]))
    assert chart(far).layout["xaxis"]["type"] == "log"


def test_hostile_names_cannot_be_read_as_tags(cascade, record, hostile):
    name = f"{hostile}|x"
    evil = replace(
        cascade,
        suspects=(replace(cascade.suspects[0], component=hostile, signal=name),),
        steps=(FailureStep(cause=hostile, effect=hostile + "2", lag=1.0, earliest=0.5, latest=2.0),),
        traces=(replace(cascade.traces[0], signal=name),),
    )
    table = pd.DataFrame({"time": [record.from_, record.to], name: [1.0, 2.0]})
    event = Event(at=record.from_, kind="deploy", what=hostile)
    for made in (onsets(evil, [event]), way(evil), signals(evil, table, record), chart(evil)):
        picture = drawn(made)
        picture["layout"].pop("meta")
        assert "<script" not in json.dumps(picture)
        assert "<img" not in json.dumps(picture)
