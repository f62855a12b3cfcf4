"""Times of payloads: read as they were given, or refused; nothing is guessed.

A number is a time only where the vendor's documentation, or whoever imports, says in which unit; a time without an
offset only where the payload, or whoever imports, names the zone, and only if the clocks of that zone showed it once.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rca.record.files.yaml_document import kind, show
from rca.record.schema.moment import FIRST, LAST

UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
"""Unit of a number of time → how many a second has."""

NUMBERS = (2000, 2100)
"""Years between which a number can lie; outside of them it is a placeholder, or in another unit."""

_ISO = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d{1,12})?)? ?(?P<offset>[Zz]|[+-]\d\d:?\d\d|UTC)?", re.ASCII
)

_NUMBER = re.compile(r"-?\d{1,25}(\.\d{1,12})?", re.ASCII)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadTime(ValueError):
    """A value that is no time, and what would make it one."""

    def __init__(self, what: str, hint: str = "") -> None:
        self.what, self.hint = what, hint
        super().__init__(what)


def read_time(value: Any, *, unit: str | None = None, zone: str | None = None, formats: Sequence[str] = ()) -> datetime:
    """A value as a time in UTC.

    Parameters
    ----------
    value : anything
        A text in ISO 8601, or a number where `unit` is said.
    unit : {'s', 'ms', 'us', 'ns'}, optional
    zone : str, optional
        Of a time without an offset, such as Europe/Berlin.
    formats : sequence of str
        Formats of `strptime` in which the vendor writes times, beside ISO 8601.

    Raises
    ------
    BadTime
        If it is none, or would have to be guessed.

    Examples
    --------
    >>> read_time("2026-05-02T11:10:00+02:00").isoformat()
    '2026-05-02T09:10:00+00:00'
    >>> read_time(1777713000123, unit="ms").isoformat()
    '2026-05-02T09:10:00.123000+00:00'
    >>> read_time("2026-05-02 11:10:00", zone="Europe/Berlin").isoformat()
    '2026-05-02T09:10:00+00:00'
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadTime(f"there is {kind(value)}, and a time was expected")
    if not isinstance(value, str) or (unit and _NUMBER.fullmatch(value)):
        return _of_number(value, unit)
    found = _parsed(value.strip(), formats)
    at = found if found.tzinfo else _in_zone(found, zone, value)
    try:
        at = at.astimezone(UTC)
    except OverflowError as error:
        raise BadTime(f"{show(value)} lies beyond the years that a clock has") from error
    if not FIRST <= at.year <= LAST:
        raise BadTime(f"{show(value)} is a placeholder or a slip, with the year {at.year}")
    return at


def _of_number(value: Any, unit: str | None) -> datetime:
    if unit is None:
        hint = "say --unit s, ms or us, if you know it"
        raise BadTime(f"{show(value)} is a number, and nothing says in which unit", hint)
    if at := _counted(value, unit):
        return at
    fits = [other for other in UNITS if _counted(value, other)]
    hint = f"it would be plausible in {' or '.join(fits)}" if fits else ""
    raise BadTime(f"{show(value)} in {unit} lies outside of {NUMBERS[0]} to {NUMBERS[1]}", hint)


def _counted(value: Any, unit: str) -> datetime | None:
    """A number of a unit since 1970 as a time, to the microsecond; None if it is not plausible."""
    try:
        at = EPOCH + span(value, unit)
    except (OverflowError, BadTime):
        return None
    return at if NUMBERS[0] <= at.year <= NUMBERS[1] else None


def span(value: Any, unit: str) -> timedelta:
    """A number of a unit as a length of time.

    Raises
    ------
    BadTime
        If it is no finite number.
    """
    try:
        return timedelta(microseconds=int(Decimal(str(value)) * 1_000_000 / UNITS[unit]))
    except (InvalidOperation, ValueError, OverflowError) as error:  # true and false are none either
        raise BadTime(f"{show(value)} is no number of {unit}") from error


def _parsed(text: str, formats: Sequence[str]) -> datetime:
    match = _ISO.fullmatch(text)
    try:
        if match:
            bare = text.removesuffix("UTC").rstrip().replace(",", ".")
            at = datetime.fromisoformat(bare)
            return at.replace(tzinfo=UTC) if match["offset"] == "UTC" else at
        for form in formats:
            try:
                return datetime.strptime(text, form)  # noqa: DTZ007  (the zone is asked for afterwards)
            except ValueError:
                continue
    except ValueError as error:
        raise BadTime(f"{show(text)} is no time that there is") from error
    hint = "times are ISO 8601 with date, hour and offset, such as 2026-05-02T09:10:00Z"
    raise BadTime(f"{show(text)} is no time", hint)


def _in_zone(at: datetime, zone: str | None, shown: str) -> datetime:
    if zone is None:
        hint = "say in which zone it is: --zone Europe/Berlin, or --zone UTC"
        raise BadTime(f"{show(shown)} has no offset", hint)
    local = at.replace(tzinfo=zone_of(zone))
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        what = f"{show(shown)} came twice or never in {zone}, where clocks were changed"
        raise BadTime(what, "write its offset into a copy of the file")
    return local


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name.

    Raises
    ------
    BadTime
        If there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError) as error:
        raise BadTime(f"{show(name)} is no time zone", "zones are named like Europe/Berlin, or UTC") from error
