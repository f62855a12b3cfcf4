"""A first why-path: from the symptom to the cause, with evidence, and no further than it goes."""

from datetime import UTC, datetime, timedelta

import pytest

from rca.analysis.conclusion.verdict import Cause, Verdict
from rca.analysis.conclusion.why_tree_draft import draft_why_tree
from rca.analysis.harm.contribution import Contribution
from rca.analysis.onset.event_proximity import NearEvent
from rca.finding import Interval
from rca.methods.changepoint.dating import Onset
from rca.methods.metric import Measured
from rca.record.schema.incident import Incident, Timeline

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
INCIDENT = Incident.model_validate(
    {
        "schema": 1, "id": "i", "title": "Loans refused", "severity": "sev2", "category": "other", "status": "closed",
        "systems": [{"name": "store", "owner": "data-platform"}],
        "timeline": {
            "events": [
                {"at": "2026-02-20T00:00:00Z", "kind": "deploy", "system": "store", "what": "schema v12"},
                {"at": "2026-01-01T00:00:00Z", "kind": "config", "what": "new year"},
                {"at": "2026-03-02T00:00:00Z", "kind": "deploy", "what": "too late"},
            ]
        },
    }
)  # fmt: skip


def verdict(kind="feature", name="income", fault="frozen", *, dated=True, change=0.2, signal=None, metric=True):
    interval = Interval(low=0.1, high=0.3)
    whole = Measured(
        name="error_rate", harm="higher", reference=0.1, current=0.1 + change, change=change,
        reference_interval=interval, current_interval=interval, interval=interval, p_value=0.0, n_reference=9,
        n_current=9,
    )  # fmt: skip
    cause = Cause(kind=kind, name=name, fault=fault, signal=signal, strength="shown", findings=("harm.feature.income",))
    since = Onset(at=AT, earliest=AT - timedelta(hours=1), latest=AT + timedelta(hours=1), what="w", unit="u")
    return Verdict(
        status="explained",
        summary="s",
        metric=whole if metric else None,
        causes=(cause,),
        onset=since if dated else None,
    )


def steps(*args, **options):
    return draft_why_tree(INCIDENT, verdict(*args, **options))[0].path()


def test_the_path_runs_from_the_symptom_to_the_last_change_before_the_onset():
    path = steps()
    assert [why.question for why in path] == [
        "Why was there an incident: Loans refused?",
        "Why did the error rate rise?",
        "What made it possible that income was stuck on one value?",
    ]
    assert "store: schema v12 (deploy)" in path[-1].candidates[0].statement
    assert path[-1].candidates[0].evidence == ("timeline.events:2026-02-20T00:00:00Z",)


def test_every_answer_has_evidence_and_what_nobody_knows_is_open():
    path = steps()
    assert all(why.answer.evidence for why in path[:-1])
    assert path[-1].answer is None
    assert path[-1].ask == "data-platform"
    assert path[1].answer.evidence == ("harm.feature.income",)
    assert path[1].answer.role == "trigger"


def test_the_guard_and_the_time_until_it_was_seen_are_asked_about():
    (tree,) = draft_why_tree(INCIDENT, verdict())
    assert [why.question for why in tree.open()] == [
        "What made it possible that income was stuck on one value?",
        "Once income was stuck on one value: which guard could have stopped it before harm was done?",
        "Why was it not seen sooner?",
    ]


def test_the_check_that_would_have_seen_a_fault_is_suggested_by_its_kind():
    (tree,) = draft_why_tree(INCIDENT, verdict())
    (check,) = tree.open()[1].candidates
    assert check.statement.startswith("A check of income for one value in all rows of a day would have rung")
    assert check.evidence == ("harm.feature.income",)
    for fault in (None, "distribution"):
        (tree,) = draft_why_tree(INCIDENT, verdict(fault=fault))
        assert tree.open()[1].candidates == ()


@pytest.mark.parametrize(
    ("kind", "name", "state", "check"),
    [
        ("rows", "duplicates", "rows were written more than once", "A check that no row is written twice"),
        (
            "labels", "churned", "outcomes of churned went missing, and not by chance",
            "A check of how many outcomes of churned are known",
        ),
    ],
)  # fmt: skip
def test_rows_and_outcomes_are_asked_about_as_a_column_is(kind, name, state, check):
    (tree,) = draft_why_tree(INCIDENT, verdict(kind, name, None))
    why = tree.whys[0]
    assert why.answer.statement == state
    assert [one.question for one in why.open()] == [
        f"What made it possible that {state}?",
        f"Once {state}: which guard could have stopped it before harm was done?",
    ]
    assert why.open()[1].candidates[0].statement == f"{check} would have rung; nobody has said whether there is one"


def test_an_event_after_the_onset_made_nothing_possible():
    assert "too late" not in str(steps())


def test_without_a_date_no_change_is_suggested():
    assert steps(dated=False)[-1].candidates == ()


def test_without_an_event_before_it_nothing_is_suggested():
    bare = INCIDENT.model_copy(update={"timeline": INCIDENT.timeline.model_copy(update={"events": ()})})
    assert draft_why_tree(bare, verdict())[0].path()[-1].candidates == ()


def test_an_event_that_lies_surprisingly_near_is_an_answer_with_the_guard_under_it():
    event = NearEvent(
        name="deploy store schema v12", at=AT, kind="deploy", system="store", lag=0.0, inside=True, p_value=0.01,
        fits=True, why="w",
    )  # fmt: skip
    (tree,) = draft_why_tree(INCIDENT, verdict(), event=event)
    made = tree.path()[2]
    assert made.answer.statement == "The nearest change before it is deploy store schema v12"
    assert made.answer.evidence == ("onset.event", "timeline.events:2026-03-01T12:00:00Z")
    assert made.whys[0].question.endswith("which guard could have stopped it before harm was done?")


def test_an_event_is_told_in_the_words_of_the_record():
    at = INCIDENT.timeline.events[0].at
    event = NearEvent(
        name="deploy st…", at=at, kind="deploy", system="store", lag=0.0, inside=True, p_value=0.01, fits=True, why="w"
    )
    (tree,) = draft_why_tree(INCIDENT, verdict(), event=event)
    assert tree.path()[2].answer.statement == "The nearest change before it is store: schema v12 (deploy)"


def test_a_complaint_before_detection_is_a_sign_that_went_unused():
    record = {
        "detected": "2026-03-09T00:00:00Z",
        "events": [
            {"at": "2026-03-05T00:00:00Z", "kind": "communication", "what": "a complaint"},
            {"at": "2026-03-07T00:00:00Z", "kind": "communication", "what": "another"},
            {"at": "2026-02-01T00:00:00Z", "kind": "alert", "what": "long before"},
        ],
    }
    known = INCIDENT.model_copy(update={"timeline": Timeline.model_validate(record)})
    (tree,) = draft_why_tree(known, verdict())
    assert [one.statement for one in tree.open()[-1].candidates] == [
        "A sign on record came before detection: a complaint"
    ]


def test_what_moved_and_did_next_to_nothing_is_put_on_record_as_rejected():
    parts = [part("income", 0.19), part("channel", 0.001), part("age", 0.05)]
    harm = type("Division", (), {"contributions": tuple(parts)})()
    (tree,) = draft_why_tree(INCIDENT, verdict(), harm=harm, moved=("channel", "income", "age", "unknown"))
    (rejected,) = tree.path()[1].rejected
    assert (rejected.statement, rejected.evidence) == ("channel moved", ("harm.feature.channel",))
    assert rejected.because == "it moved, and did 0.1 percentage points of the change"


def part(name, value):
    interval = Interval(low=value - 0.01, high=value + 0.01)
    return Contribution(
        kind="feature", name=name, value=value, interval=interval, strength="shown", method="mended", n_effective=100.0
    )


def test_several_causes_are_asked_about_side_by_side_and_slices_and_events_are_not():
    one = verdict()
    more = [Cause(kind=kind, name=name, strength="shown", findings=("f",)) for kind, name in (
        ("concept", "label"), ("slice", "region=N"), ("event", "deploy"))]  # fmt: skip
    told = Verdict(status="explained", summary="s", metric=one.metric, causes=(*one.causes, *more))
    (tree,) = draft_why_tree(INCIDENT, told)
    assert [why.question for why in tree.whys] == [
        "Why did the error rate rise?", "Why else did the error rate rise?", "Why was it not seen sooner?"]  # fmt: skip
    assert [why.answer.role for why in tree.whys[:2]] == ["trigger", "contributing"]


def test_a_fall_is_asked_about_as_a_fall():
    assert steps(change=-0.2)[1].question == "Why did the error rate fall?"


def test_a_verdict_without_a_cause_has_no_path():
    assert draft_why_tree(INCIDENT, Verdict(status="no_incident", summary="s")) == ()


def test_a_cascade_is_asked_about_from_its_alarm_and_its_silent_guards_too():
    said = verdict("component", "store", None, signal="store|load", metric=False, dated=False)
    alarm, unseen, guard = draft_why_tree(INCIDENT, said, guards=("dashboard",))
    assert alarm.question == "Why did the alarm ring?"
    assert alarm.answer.statement == "store left its normal range (store|load)"
    assert {why.ask for why in alarm.open()} == {"data-platform"}
    assert unseen.open()
    assert guard.answer.evidence == ("cascade.silent.dashboard",)
    assert guard.open()[0].question == "What would have made dashboard show it?"


@pytest.mark.parametrize(
    ("kind", "category"),
    [
        ("feature", "data"),
        ("mechanism", "data"),
        ("model", "model"),
        ("concept", "outside"),
        ("component", "infrastructure"),
        ("rows", "data"),
        ("labels", "data"),
        ("slice", None),
    ],
)
def test_every_kind_of_cause_has_a_statement_and_its_category(kind, category):
    answer = steps(kind, "thing", None)[1].answer
    assert answer.category == category
    assert answer.statement
    assert answer.strength == "shown"
