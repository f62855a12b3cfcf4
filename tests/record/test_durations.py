"""Durations, each with both of its moments by name."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.record.durations import MEASURES, duration_in_words, durations
from rca.record.schema.incident import MOMENTS, Timeline

START = datetime(2026, 5, 1, tzinfo=UTC)


def timeline(**hours):
    return Timeline(**{name: START + timedelta(hours=count) for name, count in hours.items()})


def seconds(found):
    return {duration.name: duration.seconds for duration in found}


def test_a_duration_names_both_of_its_moments():
    (found,) = durations(timeline(onset=0, detected=3))
    assert (found.name, found.seconds, found.start, found.end) == ("time_to_detect", 10800.0, "onset", "detected")
    assert not found.estimated


def test_every_measure_runs_between_moments_that_exist():
    assert all(set(moments) <= set(MOMENTS) for moments in MEASURES.values())
    assert len(durations(timeline(**{name: hour for hour, name in enumerate(MOMENTS)}))) == len(MEASURES)


@given(st.sets(st.sampled_from(MOMENTS)))
def test_there_is_a_duration_exactly_where_both_moments_are_on_record(known):
    found = seconds(durations(timeline(**dict.fromkeys(known, 1))))
    assert set(found) == {name for name, moments in MEASURES.items() if set(moments) <= known}


def test_moments_the_other_way_round_give_a_negative_duration():
    assert seconds(durations(timeline(onset=5, detected=3))) == {"time_to_detect": -7200.0}


def test_offsets_do_not_change_a_duration():
    zoned = Timeline(onset="2026-05-01T02:00:00+02:00", detected="2026-05-01T03:00:00Z")
    assert seconds(durations(zoned)) == {"time_to_detect": 10800.0}


def test_an_estimated_onset_is_marked_and_carries_its_uncertainty():
    spread = (START - timedelta(hours=1), START + timedelta(hours=2))
    (found,) = durations(timeline(detected=3), START, between=spread)
    assert found.estimated
    assert (found.earliest, found.seconds, found.latest) == (3600.0, 10800.0, 14400.0)


def test_an_onset_on_record_is_not_replaced_by_an_estimate():
    (found,) = durations(timeline(onset=0, detected=3), START + timedelta(hours=1), between=(START, START))
    assert (found.seconds, found.estimated, found.earliest, found.latest) == (10800.0, False, None, None)


def test_an_estimate_without_an_interval_is_an_estimate_all_the_same():
    (found,) = durations(timeline(detected=3), START)
    assert found.estimated
    assert found.earliest is None


def test_a_duration_that_does_not_hang_on_the_onset_is_not_estimated():
    found = {
        duration.name: duration
        for duration in durations(timeline(detected=3, contained=4), START, between=(START, START))
    }
    assert found["exposure"].estimated
    assert not found["time_to_contain"].estimated


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (59.6, "1 min"),
        (3600, "1 h"),
        (86_400 + 60, "1 d"),
        (3661, "1 h 1 min"),
        (-90, "-1 min 30 s"),
    ],
)
def test_a_duration_is_spelled_in_the_two_largest_units_that_matter(count, words):
    assert duration_in_words(count) == words
