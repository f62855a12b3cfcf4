"""What holds of every way of counting."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.record.obligations.calendars import Place, deadline, is_working
from rca.record.obligations.rules import Limit

BERLIN = Place(zone="Europe/Berlin", countries=("de",))

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)

STARTS = st.integers(0, 8 * 365 * 86400).map(lambda seconds: BEGIN + timedelta(seconds=seconds))

LIMITS = st.builds(Limit, value=st.integers(1, 60), unit=st.sampled_from(["hour", "day"]))


@settings(max_examples=40)
@given(STARTS, LIMITS, st.sampled_from(["hours", "days", "eu_days", "dora_noon", "us_work_days"]))
def test_no_limit_ends_before_it_began_and_a_longer_one_ends_no_sooner(start, limit, calendar):
    due = deadline(start, limit, calendar, place=BERLIN)
    longer = deadline(start, Limit(value=limit.value + 1, unit=limit.unit), calendar, place=BERLIN)
    if calendar == "dora_noon":  # what ends on a holiday may come at noon after it, what ends an hour later may not
        longer = longer.replace(hour=max(longer.hour, 12))
    assert start <= due <= longer


@settings(max_examples=40)
@given(STARTS, st.integers(2, 60))
def test_days_of_1182_end_on_a_working_day_no_sooner_than_calendar_days(start, count):
    limit = Limit(value=count, unit="day")
    due = deadline(start, limit, "eu_days", place=BERLIN)
    assert is_working(due.date(), "de")
    assert due >= deadline(start, limit, "days", place=BERLIN)


@settings(max_examples=40)
@given(STARTS, st.integers(1, 100))
def test_hours_are_elapsed_hours(start, count):
    assert deadline(start, Limit(value=count, unit="hour"), "hours", place=BERLIN) - start == timedelta(hours=count)


@settings(max_examples=40)
@given(STARTS, st.integers(1, 40))
def test_of_several_countries_the_earliest_deadline_counts(start, count):
    both = Place(zone="Europe/Paris", countries=("de", "fr"))
    each = [Place(zone="Europe/Paris", countries=(one,)) for one in both.countries]
    limit = Limit(value=count, unit="day")
    assert deadline(start, limit, "eu_days", place=both) == min(
        deadline(start, limit, "eu_days", place=one) for one in each
    )


@pytest.mark.parametrize(
    ("day", "country", "working"),
    [
        (date(2026, 10, 3), "de", False),
        (date(2026, 4, 3), "de", False),
        (date(2026, 4, 3), "fr", True),
        (date(2026, 6, 4), "de-by", False),
        (date(2026, 6, 4), "de", True),
        (date(2026, 7, 3), "us", False),
        (date(2026, 5, 4), "uk", False),
        (date(2026, 12, 25), "", True),
        (date(2026, 11, 28), "", False),
    ],
)
def test_public_holidays_are_those_of_the_country(day, country, working):
    assert is_working(day, country) is working
