"""The record of an incident in tables: moments, events and durations, estimates called estimates."""

from datetime import timedelta

from rca.analysis.onset.event_proximity import EventProximity, NearEvent
from rca.analysis.onset.incident_onset import CauseOnset, Since
from rca.finding import Target
from rca.record.durations import durations
from rca.report.parts.timeline import sections


def test_events_stand_in_the_order_of_time(incident):
    first = incident.timeline.events[0]
    late = first.model_copy(update={"at": first.at + timedelta(days=1), "what": "the later one"})
    told = sections.events(
        incident.model_copy(update={"timeline": incident.timeline.model_copy(update={"events": (late, first)})})
    )
    assert told.index(first.what) < told.index("the later one")


def test_a_duration_from_an_estimated_moment_says_so_and_how_sure_it_is(incident, onset):
    bare = incident.timeline.model_copy(update={"onset": None})
    told = sections.durations(durations(bare, onset.at, between=(onset.earliest, onset.latest)))
    assert "onset (estimated)" in told
    assert "(estimated)" not in sections.durations(durations(incident.timeline))
    assert "2 d" in told


def test_what_is_dated_stands_with_both_ends_and_what_it_was_dated_on(onset):
    cause = CauseOnset(cause=Target(kind="feature", name="income"), onset=onset)
    told = sections.dates(Since(onset=onset, by_cause=(cause,), metric=onset))
    assert "feature income" in told
    assert told.count("2 Mar 2026, 00:00") == 2
    assert told.count("error rate") == 2


def test_an_event_near_the_onset_stands_with_its_moment(onset, hostile):
    near = NearEvent(
        name=hostile, at=onset.at - timedelta(hours=1), kind="deploy", lag=3600.0, inside=True, p_value=0.01, fits=True,
        why="a deploy can do that",
    )  # fmt: skip
    told = sections.near(EventProximity(onset=onset, candidates=(near,), start=onset.earliest, end=onset.latest))
    assert "2 Mar 2026, 23:00 UTC" in told
    assert "a deploy can do that" in told
    assert "<script" not in told


def test_a_record_without_a_summary_says_so_and_facts_are_escaped(incident, hostile):
    assert "The record has no summary." in sections.summary(incident)
    told = sections.facts(incident.model_copy(update={"title": hostile}))
    assert "none on record" in told
    assert "<script" not in told


def test_the_way_to_check_a_report_names_its_incident(incident):
    assert "rca verify reports/an-incident --rerun" in sections.verification(incident)
