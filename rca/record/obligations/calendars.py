"""Counting of legal time limits: elapsed hours, calendar days, Reg. 1182/71, noon of DORA, working days."""

import calendar as months
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from rca.record.obligations.rules import Calendar, Limit

DAY = timedelta(days=1)

LAST_SECOND, NOON = time(23, 59, 59), time(12)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where days are counted.

    Attributes
    ----------
    zone : str
        IANA name of the time zone in which a day begins and ends.
    countries : tuple of str
        Codes such as `de` or `de-by`, whose public holidays count; of several the earliest deadline is taken.
    """

    zone: str
    countries: tuple[str, ...] = ()


def deadline(start: datetime, limit: Limit, calendar: Calendar, *, place: Place) -> datetime:
    """The last moment at which a limit is kept; a whole second, and that second counts.

    Parameters
    ----------
    start : datetime
        With an offset; the trigger.
    limit : Limit
    calendar : str
        How to count; `rules.yaml` cites each.
    place : Place

    Returns
    -------
    datetime
        In the zone of the place; never before `start`.

    References
    ----------
    Reg. (EEC, Euratom) 1182/71 Art. 3; Del. Reg. (EU) 2025/301 Art. 5(4); 21 CFR 803.3.

    Examples
    --------
    >>> friday, berlin = datetime(2026, 11, 27, 15, tzinfo=UTC), Place(zone="Europe/Berlin", countries=("de",))
    >>> str(deadline(friday, Limit(value=2, unit="day"), "eu_days", place=berlin))
    '2026-12-01 23:59:59+01:00'
    """
    countries = place.countries or ("",)
    return min(_counted(start, limit, calendar, place=Place(zone=place.zone, countries=(one,))) for one in countries)


def _counted(start: datetime, limit: Limit, calendar: Calendar, *, place: Place) -> datetime:
    zone, country = ZoneInfo(place.zone), place.countries[0]
    if limit.unit == "hour":
        end = (start.astimezone(UTC) + timedelta(hours=limit.value)).astimezone(zone)
    elif calendar == "us_work_days":
        return _end_of(_working_days_after(start.astimezone(zone).date(), limit.value, country), zone)
    else:
        end = _end_of(last_day(start.astimezone(zone).date(), limit), zone)
    if calendar == "dora_noon" and not is_working(end.date(), country):
        return datetime.combine(_working_from(end.date(), country), NOON, zone)
    if calendar == "eu_days" and limit.unit != "hour":
        short = limit.unit == "day" and limit.value == 1
        return _end_of(_rolled(start.astimezone(zone).date(), end.date(), country, least=1 if short else 2), zone)
    return end


def last_day(first: date, limit: Limit) -> date:
    """The day of the trigger plus a limit in days or months; where a month has no such day, its last.

    >>> last_day(date(2027, 8, 31), Limit(value=6, unit="month"))
    datetime.date(2028, 2, 29)
    """
    if limit.unit == "day":
        return first + limit.value * DAY
    year, month = divmod(first.year * 12 + first.month - 1 + limit.value, 12)
    return date(year, month + 1, min(first.day, months.monthrange(year, month + 1)[1]))


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, LAST_SECOND, zone)


def _rolled(first: date, last: date, country: str, *, least: int) -> date:
    """Art. 3(4) and (5): to the end of a working day, with so many working days after the day of the trigger."""
    last = _working_from(last, country)
    span = (first + count * DAY for count in range(1, (last - first).days + 1))
    return last if sum(is_working(day, country) for day in span) >= least else _working_from(last + DAY, country)


def _working_from(day: date, country: str) -> date:
    while not is_working(day, country):
        day += DAY
    return day


def _working_days_after(day: date, count: int, country: str) -> date:
    for _ in range(count):
        day = _working_from(day + DAY, country)
    return day


def is_working(day: date, country: str) -> bool:
    """Whether a day is none of Saturday, Sunday and public holiday.

    Parameters
    ----------
    day : date
    country : str
        A code such as `de` or `de-by`; empty for a place without holidays.

    Examples
    --------
    >>> is_working(date(2026, 10, 26), "ie"), is_working(date(2026, 10, 26), "de")
    (False, True)
    """
    return day.weekday() < 5 and day not in _holidays(country, day.year)


@cache
def _holidays(country: str, year: int) -> frozenset[date]:
    """Public holidays of a country or of a part of it, by the package `holidays`; of an unknown part its country's."""
    if not country:
        return frozenset()
    from holidays import country_holidays

    code, _, part = country.upper().replace("UK", "GB").partition("-")
    try:
        return frozenset(country_holidays(code, subdiv=part or None, years=year))
    except NotImplementedError:
        return frozenset(country_holidays(code, years=year))


def has_part(country: str) -> bool:
    """Whether the holidays of a part of a country, such as `de-by`, are known.

    >>> has_part("de-by"), has_part("de-xx")
    (True, False)
    """
    from holidays import list_supported_countries

    code, _, part = country.upper().partition("-")
    return part in list_supported_countries(include_aliases=True).get(code, ())
