"""A first why-path: from the symptom to the cause, with evidence, and no further than it goes."""

from datetime import UTC, datetime, timedelta

import pytest

from rca.analysis.metric import Measured
from rca.analysis.onset import Onset
from rca.analysis.verdict import Cause, Verdict
from rca.analysis.whypath import why_path
from rca.finding import Interval
from rca.record.incident import Incident

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
INCIDENT = Incident.model_validate(
    {
        "schema": 1, "id": "i", "title": "Loans refused", "severity": "sev2", "category": "other", "status": "closed",
        "systems": [],
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
    (tree,) = why_path(INCIDENT, verdict(*args, **options))
    return tree.path()


def test_the_path_runs_from_the_symptom_to_the_last_change_before_the_onset():
    path = steps()
    assert [why.question for why in path] == [
        "Why was there an incident: Loans refused?",
        "Why did the error rate rise?",
        "What made it possible that income was stuck on one value?",
    ]
    assert "store: schema v12 (deploy)" in path[-1].answer.statement


def test_every_answer_has_evidence_and_the_last_one_claims_nothing():
    path = steps()
    assert all(why.answer.evidence for why in path)
    assert path[-1].answer.strength == "assumed"
    assert path[-1].answer.statement.startswith("Not established")
    assert path[1].answer.evidence == ("harm.feature.income",)


def test_an_event_after_the_onset_made_nothing_possible():
    assert all("too late" not in why.answer.statement for why in steps())


def test_without_a_date_no_change_is_suggested():
    assert len(steps(dated=False)) == 2


def test_without_an_event_before_it_the_path_ends_at_the_cause():
    bare = INCIDENT.model_copy(update={"timeline": INCIDENT.timeline.model_copy(update={"events": ()})})
    assert len(why_path(bare, verdict())[0].path()) == 2


def test_a_fall_is_asked_about_as_a_fall():
    assert steps(change=-0.2)[1].question == "Why did the error rate fall?"


def test_a_verdict_without_a_cause_has_no_path():
    assert why_path(INCIDENT, Verdict(status="no_incident", summary="s")) == ()


def test_a_cascade_is_asked_about_from_its_alarm():
    path = steps("component", "sensor", None, signal="sensor|load", metric=False, dated=False)
    assert path[0].question == "Why did the alarm ring?"
    assert path[0].answer.statement == "sensor left its normal range (sensor|load)"


@pytest.mark.parametrize(
    ("kind", "category"),
    [
        ("feature", "data"),
        ("mechanism", "data"),
        ("model", "model"),
        ("concept", "outside"),
        ("component", "infrastructure"),
        ("slice", None),
    ],
)
def test_every_kind_of_cause_has_a_statement_and_its_category(kind, category):
    answer = steps(kind, "thing", None)[1].answer
    assert answer.category == category
    assert answer.statement
    assert answer.strength == "shown"
