"""What could have been otherwise: which rows meet with it, what is mended, and who answers."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

import rca
from rca.analysis.counterfactual.question import what_if_of
from rca.analysis.counterfactual.scenarios import event_of
from rca.analysis.drift.question import drift_of
from rca.analysis.faults.question import faults_of
from rca.analysis.inputs.windows import windows_of
from rca.errors import InvalidCase, Unanswerable
from rca.record.schema.incident import Event
from tests.analysis.counterfactual.test_what_if import FEATURES, ROLES, answered, drawn, model
from tests.conftest import INCIDENTS

START = pd.Timestamp("2026-03-01", tz="UTC")
TIMED = {**ROLES, "features": FEATURES, "time": "at"}
BROKE = 600
ROWS = 1500


def timed(rows, since=START):
    return rows.assign(at=since + pd.to_timedelta(np.arange(len(rows)), unit="h"))


def at(hour):
    return (START + pd.Timedelta(hours=hour)).to_pydatetime()


def other(rows):
    return 1 - model(rows)


@pytest.fixture(scope="module")
def windows():
    """A column that freezes in row 600."""
    rng = np.random.default_rng(2)
    reference, true = answered(drawn(rng, ROWS)), answered(drawn(rng, ROWS))
    broken = true.assign(x=np.where(np.arange(ROWS) < BROKE, true["x"], 1.5))
    return timed(reference, START - pd.Timedelta(days=90)), timed(answered(broken))


@pytest.fixture(scope="module")
def swapped():
    """Another model that answers from row 600 on."""
    rng = np.random.default_rng(3)
    reference, true = answered(drawn(rng, ROWS)), answered(drawn(rng, ROWS))
    late = np.arange(ROWS) >= BROKE
    now = answered(true, other)
    return (
        timed(reference, START - pd.Timedelta(days=90)),
        timed(pd.concat([true[~late], now[late]])),
        timed(true),
        late,
    )


def asked(windows, **more):
    return rca.what_if(*windows[:2], **{"model": model, **TIMED, **more})


def test_an_event_undoes_what_began_after_it_and_only_later_rows(windows):
    found = asked(windows, without_event=at(BROKE - 2))
    whole = asked(windows, mend="x")
    assert found.changed == whole.changed
    assert min(one.row for one in found.decided) >= BROKE - 10
    assert any("x broke because of the event" in one for one in found.assumptions)


def test_an_event_before_another_that_lies_nearer_undoes_nothing(windows):
    from rca.analysis.counterfactual.scenarios import without
    from rca.analysis.drift.question import drift_of
    from rca.analysis.faults.question import faults_of
    from rca.analysis.inputs.windows import windows_from

    read = windows_from(*windows, model=model, **TIMED)
    broke = faults_of(read, drift_of(read))
    early, near = (Event(at=at(hour), kind="deploy", what=f"loader {hour}") for hour in (100, BROKE - 2))
    assert without(read, broke, event=near, events=[early, near], rng=np.random.default_rng(0)).rows.sum() > 800
    with pytest.raises(Unanswerable, match="nothing that could be undone began with"):
        without(read, broke, event=early, events=[early, near], rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("more", "error", "says"),
    [
        ({"without_event": "1999-01-01"}, Unanswerable, "nothing that could be undone"),
        ({"without_event": at(10_000)}, Unanswerable, "no row of the current window is as late"),
        ({"without_event": "tomorrow?"}, InvalidCase, "expected a time, got 'tomorrow"),
        ({"without_event": at(1200)}, Unanswerable, "nothing that could be undone"),
        ({"rolled_back_at": "detected"}, InvalidCase, "expected a time, got 'detected'"),
        ({"rolled_back_at": 7}, InvalidCase, "rolled_back_at: expected a time, got '7'"),
        ({"without_event": 7}, InvalidCase, "without_event: expected a time, got '7'"),
        ({"rolled_back_at": at(10_000)}, Unanswerable, "as late"),
        ({"earlier": 7}, InvalidCase, "must be a length of time, got '7'"),
        ({"earlier": "soon"}, InvalidCase, "must be a length of time, got 'soon'"),
        ({"earlier": timedelta()}, InvalidCase, "must be longer than 0"),
        ({"earlier": timedelta(days=-1)}, InvalidCase, "must be longer than 0"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_and_what_lies_outside_the_data_has_no_answer(windows, more, error, says):
    with pytest.raises(error, match=says):
        asked(windows, **more)


@pytest.mark.parametrize("more", [{"earlier": "7 days"}, {"rolled_back_at": at(0)}, {"without_event": at(0)}], ids=str)
def test_without_a_time_no_row_comes_later(windows, more):
    with pytest.raises(Unanswerable, match="rows have no time"):
        asked([rows.drop(columns="at") for rows in windows], **more, time=None)


def test_an_earlier_alert_mends_the_last_rows_alone(windows):
    found = asked(windows, earlier=timedelta(days=7))
    assert {one.row for one in found.decided} == set(range(ROWS - 7 * 24, ROWS))
    assert found.said == "the alert come 7 days earlier"
    whole, hours = asked(windows, earlier="9000 days"), asked(windows, earlier=timedelta(hours=6))
    assert whole.changed == asked(windows, mend="x").changed
    assert hours.touched == 6
    assert "6 hours earlier" in str(hours)
    with pytest.raises(Unanswerable, match="no column broke"):
        asked((windows[0], timed(answered(drawn(np.random.default_rng(5), ROWS)))), earlier="7 days")


def test_an_earlier_alert_saves_no_row_before_the_first_and_mends_no_column_that_is_not_read(windows):
    from rca.analysis.counterfactual.scenarios import alerted
    from rca.analysis.drift.question import drift_of
    from rca.analysis.faults.question import faults_of
    from rca.analysis.inputs.windows import windows_from

    read = windows_from(*windows, model=model, **TIMED)
    broke = faults_of(read, drift_of(read))
    asked_for = {"earlier": timedelta(days=1), "rng": np.random.default_rng(0)}
    with pytest.raises(Unanswerable, match="no row of the current window lies in the time"):
        alerted(read, broke, contained=at(-1), **asked_for)
    deaf = windows_from(
        *windows, model=lambda rows: windows[1]["score"].head(len(rows)), **{**TIMED, "features": ["a"]}
    )
    with pytest.raises(Unanswerable, match=r"another model|has a part in what was decided"):
        alerted(deaf, broke, contained=at(ROWS), **asked_for)


def test_a_model_rolled_back_answers_as_before(swapped):
    found = asked(swapped, rolled_back_at=at(BROKE))
    true, late = swapped[2], swapped[3]
    assert found.changed.value == (swapped[1]["said"] != true["said"])[late].sum()
    assert found.would_be.value == pytest.approx(true.loc[true["label"] == 0, "said"].mean())
    later = asked(swapped, rolled_back_at=at(1000).isoformat())
    assert later.touched == ROWS - 1000


def test_a_rollback_changes_nothing_where_the_model_was_not_the_fault(windows):
    found = asked(windows, rolled_back_at=at(700).replace(tzinfo=None))
    assert found.changed.value == 0
    assert any("no other to go back to" in one for one in found.assumptions)


def test_a_model_that_is_not_on_file_is_rolled_back_by_a_stand_in_or_a_threshold(swapped):
    true, late = swapped[2], swapped[3]
    found = asked(swapped, rolled_back_at=at(BROKE), model=None)
    assert found.by == "a stand-in for the model"
    assert found.changed.value == pytest.approx((swapped[1]["said"] != true["said"])[late].sum(), rel=0.05)
    stricter = swapped[2].assign(said=np.where(late, swapped[2]["score"] > 0.3, swapped[2]["said"]).astype(int))
    ruled = asked((swapped[0], stricter), rolled_back_at=at(BROKE), model=None)
    assert ruled.changed.value == (stricter["said"] != true["said"])[late].sum()
    noise = swapped[0].assign(score=np.random.default_rng(0).random(ROWS))
    with pytest.raises(Unanswerable, match="no model that gave the answers of the reference"):
        asked((noise, swapped[1]), rolled_back_at=at(BROKE), model=None)


def test_an_event_that_changed_the_model_is_undone_by_the_model_on_file(swapped):
    deploy = Event(at=at(BROKE), kind="deploy", system="Model", what="trees 2")
    found = asked(swapped, without_event=deploy)
    assert found.changed == asked(swapped, rolled_back_at=at(BROKE)).changed
    assert any("the model answers otherwise" in one for one in found.assumptions)
    for system in (None, "portal"):
        with pytest.raises(Unanswerable, match="nothing that could be undone"):
            asked(swapped, without_event=deploy.model_copy(update={"system": system}))


def test_a_change_of_a_model_that_nobody_knows_is_no_answer(swapped):
    deploy = Event(at=at(BROKE), kind="deploy", system="model", what="trees 2")
    noise = swapped[0].assign(score=np.random.default_rng(0).random(ROWS))
    with pytest.raises(Unanswerable, match="nothing that could be undone"):
        asked((noise, swapped[1]), without_event=deploy, model=None)


@pytest.fixture(scope="module")
def case():
    return rca.load(INCIDENTS / "credit-drift")


def test_of_a_case_events_and_moments_are_those_of_its_timeline(case):
    windows = windows_of(case)
    broke, timeline = faults_of(windows, drift_of(windows)), case.incident.timeline
    event = what_if_of(windows, broke, timeline, wanted={"without_event": "schema v12: series"})
    assert event.said.startswith("the event 'schema feature-store")
    assert 850 < event.changed.value < 1000
    assert event_of(timeline, "schema v12: series") == timeline.events[2]
    assert what_if_of(windows, broke, timeline, wanted={"rolled_back_at": "detected"}).changed.value == 0
    week = rca.what_if(case, earlier=timedelta(days=7))
    assert 80 < week.changed.value < 110
    assert week.touched < 600


@pytest.mark.parametrize(("words", "says"), [("schema", "2 events"), ("full moon", "no event on the timeline")])
def test_an_event_has_to_be_meant_alone(case, words, says):
    with pytest.raises(InvalidCase, match=says) as refused:
        event_of(case.incident.timeline, words)
    assert refused.value.problems[0].hint
