"""Deadlines as a calendar file (RFC 5545), so that they stand where people look."""

from collections.abc import Iterator
from datetime import UTC, datetime

from rca.record.obligations.answers import Duty
from rca.record.obligations.duties import Duties

WIDTH = 74
"""Octets of a line before it is folded; the standard allows 75."""


def calendar_text(duties: Duties, incident: str) -> str:
    """Every deadline whose report is not on record, as one calendar.

    Parameters
    ----------
    duties : Duties
    incident : str
        Name of the case; with the rule it is what an entry is known by, so that a later file replaces an earlier one.
    """
    stamp = _utc(duties.now) if duties.now else "19700101T000000Z"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//rca//obligations//EN"]
    for duty in duties.duties:
        if duty.deadline and duty.sent is None and duty.answer in ("not_yet_due", "late_by"):
            lines += _entry(duty, incident, duty.deadline, stamp=stamp)
    return "".join(f"{part}\r\n" for line in (*lines, "END:VCALENDAR") for part in _folded(line))


def _entry(duty: Duty, incident: str, due: datetime, *, stamp: str) -> list[str]:
    to = f" to {duty.to}" if duty.to else ""
    return [
        "BEGIN:VEVENT",
        f"UID:{duty.rule}.{incident}@rca",
        f"DTSTAMP:{stamp}",
        f"DTSTART:{_utc(due)}",
        f"SUMMARY:{_escaped(f'{incident}: {duty.rule}, {duty.owes}{to}')}",
        f"DESCRIPTION:{_escaped(f'{duty.citation}. {duty.because}. Confidence {duty.confidence}')}",
        "END:VEVENT",
    ]


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    r"""Text as a value; a line break of it is no line break of the file.

    >>> _escaped("a, b; c\nd")
    'a\\, b\\; c\\nd'
    """
    for plain in ("\\", ",", ";"):
        text = text.replace(plain, f"\\{plain}")
    return "\\n".join(text.splitlines())


def _folded(line: str) -> Iterator[str]:
    """A line in parts of at most 75 octets; each but the first begins with a space."""
    part = ""
    for char in line:
        if len((part + char).encode()) > WIDTH:
            yield part
            part = " "
        part += char
    yield part
