"""Times are read as they were given, or refused; the unit of a number and the zone of a text are never guessed."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.importers.times import EPOCH, UNITS, BadTime, read_time, span, zone_of

SUMMER = datetime(2026, 5, 2, 9, 10, tzinfo=UTC)
STAMP = SUMMER.timestamp()


@pytest.mark.parametrize(
    ("value", "how", "at"),
    [
        ("2026-05-02T09:10:00Z", {}, SUMMER),
        ("2026-05-02 09:10Z", {}, SUMMER),
        ("2026-05-02T11:10:00+02:00", {}, SUMMER),
        ("2026-05-02T11:10:00+0200", {}, SUMMER),
        ("2026-05-02 09:10:00 UTC", {}, SUMMER),
        ("2026-05-02T09:10:00.123456789Z", {}, SUMMER + timedelta(microseconds=123456)),
        ("2026-05-02T11:10:00", {"zone": "Europe/Berlin"}, SUMMER),
        ("2/5/2026 09:10", {"zone": "UTC", "formats": ["%d-%m-%Y %H:%M", "%d/%m/%Y %H:%M"]}, SUMMER),
        (int(STAMP), {"unit": "s"}, SUMMER),
        (STAMP + 0.25, {"unit": "s"}, SUMMER + timedelta(seconds=0.25)),
        (int(STAMP) * 1000 + 7, {"unit": "ms"}, SUMMER + timedelta(milliseconds=7)),
        (str(int(STAMP) * 10**9 + 1500), {"unit": "ns"}, SUMMER + timedelta(microseconds=1)),
    ],
)
def test_a_time_is_the_moment_that_was_given(value, how, at):
    assert read_time(value, **how) == at


@pytest.mark.parametrize(
    ("value", "how", "said", "hint"),
    [
        ("2026-05-02T09:10:00", {}, "has no offset", "--zone"),
        ("2026-05-02", {}, "is no time", "ISO 8601"),
        ("2/5/2026 09:10", {}, "is no time", "ISO 8601"),
        ("2026-02-30T09:10:00Z", {}, "no time that there is", ""),
        ("0001-01-01T00:00:00Z", {}, "a placeholder or a slip, with the year 1", ""),
        ("9999-12-31T23:59:59-12:00", {}, "beyond the years that a clock has", ""),
        ("2026-10-25T02:30:00", {"zone": "Europe/Berlin"}, "came twice or never", "offset"),
        ("2026-03-29T02:30:00", {"zone": "Europe/Berlin"}, "came twice or never", "offset"),
        (int(STAMP), {}, "nothing says in which unit", "--unit"),
        (str(int(STAMP)), {}, "is no time", ""),
        (int(STAMP), {"unit": "ms"}, "lies outside of 2000 to 2100", "plausible in s"),
        (int(STAMP) * 10**6, {"unit": "ms"}, "lies outside", "plausible in us"),
        (0, {"unit": "s"}, "lies outside", ""),
        (10**400, {"unit": "s"}, "lies outside", ""),
        (float("nan"), {"unit": "s"}, "lies outside", ""),
        (True, {"unit": "s"}, "there is true or false", ""),
        ([1], {}, "there is a list", ""),
        ("٢٠٢٦-05-02T09:10:00Z", {}, "is no time", ""),
    ],
    ids=range(18),
)
def test_what_would_have_to_be_guessed_is_refused(value, how, said, hint):
    with pytest.raises(BadTime, match=said) as refused:
        read_time(value, **how)
    assert hint in refused.value.hint


@settings(max_examples=60, deadline=None)
@given(
    st.integers(10**15, 4 * 10**15),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(sorted(UNITS)),
)
def test_a_moment_comes_back_whatever_its_offset_and_its_unit(micros, minutes, unit):
    at = (EPOCH + timedelta(microseconds=micros)).astimezone(timezone(timedelta(minutes=minutes)))
    assert read_time(at.isoformat()) == at
    whole = micros * UNITS[unit] // 1_000_000
    assert abs(read_time(whole, unit=unit) - at) < timedelta(seconds=1 / UNITS[unit]) + timedelta(microseconds=1)


def test_a_length_is_a_finite_number_of_its_unit():
    assert span("90", "s") == timedelta(seconds=90)
    for value in ("x", float("inf"), True, [1], 10**40):
        with pytest.raises(BadTime, match="is no number of ms"):
            span(value, "ms")


@pytest.mark.parametrize("name", ["Mars/Olympus", "../UTC", "", "x" * 300])
def test_a_zone_that_is_none_is_refused(name):
    with pytest.raises(BadTime, match="is no time zone"):
        zone_of(name)
