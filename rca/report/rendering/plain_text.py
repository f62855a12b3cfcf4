"""Text from an incident made safe to print: control characters removed, personal data masked; numbers in words.

Titles, events, column names and replies of a chatbot are hostile: every text from a case passes through `plain` before
it is shown, and is escaped by the last step that writes it.
"""

import math
import re
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rca.report.rendering.masking import masking

if TYPE_CHECKING:
    from rca.methods.metric import Measured

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Unicode categories of characters that are not seen, but change what is."""

TINY, HUGE = 1e-5, 1e9
"""Outside of these, decimals are no way to write a number."""

MINUS = "\N{MINUS SIGN}"


def mask(text: str) -> str:
    """Hide personal data and offensive words; in a run by pseudonyms, and with what the case declares to be personal.

    >>> mask("write to jo.doe@example.org or +44 20 7946 0958; account 123456789012")
    'write to ▮▮▮ or ▮▮▮; account ▮▮▮'
    >>> mask("+0.134 (0.121 to 0.148), +12.5 (10.1 to 14.9)")
    '+0.134 (0.121 to 0.148), +12.5 (10.1 to 14.9)'
    >>> mask("18,234 decisions from 2026-05-02T09:10:00Z, 0.123456789012 of them wrong")
    '18,234 decisions from 2026-05-02T09:10:00Z, 0.123456789012 of them wrong'
    """
    return masking().text(text)


def clean(text: str) -> str:
    r"""Drop what changes how other text is read: control, format and bidirectional characters, lone surrogates.

    >>> clean("a\x1b[31mb\u202ec\n d")
    'a[31mbc d'
    """
    return re.sub(" +", " ", legible(re.sub(r"\s+", " ", text)))


def legible(text: str) -> str:
    r"""The text without such characters, its lines kept.

    >>> legible("a\x1b[31m\n\tb")
    'a[31m\n\tb'
    """
    return "".join(letter for letter in text if letter in "\n\t" or unicodedata.category(letter) not in UNSEEN)


def plain(text: object, limit: int = 2000) -> str:
    """A text from outside as one safe line: cleaned, masked and not longer than `limit`; still to be escaped.

    >>> plain("call +1 212 555 0100 " + "now " * 9, limit=20)
    'call ▮▮▮ now now no…'
    """
    safe = mask(clean(str(text))).strip()
    return safe if len(safe) <= limit else safe[: limit - 1].rstrip() + "…"


def number(value: float | None, *, sign: bool = False) -> str:
    """A number with three significant digits, as a person reads it.

    >>> number(0.57512), number(-0.0312, sign=True), number(18234), number(0.0000123), number(None)
    ('0.575', '−0.0312', '18,234', '1.23e−05', '–')
    """
    if value is None or value != value:  # noqa: PLR0124 - NaN is the number that is not itself
        return "–"
    whole = isinstance(value, int) or abs(value) >= 1000
    return f"{value:{'+' if sign else ''}{',.0f' if whole else '.3g'}}".replace("-", MINUS)


def readable(text: str) -> str:
    """A number that was written with an exponent, as a person reads it; any other text as it is.

    >>> readable("2.4e+05"), readable("7.7"), readable("east")
    ('240,000', '7.7', 'east')
    """
    if "e" not in text:
        return text
    try:
        return number(float(text))
    except ValueError:
        return text


def alike(*values: float, sign: bool = False) -> list[str]:
    """A formatter of numbers side by side, with as many decimals as give the largest three significant digits.

    >>> alike(0.0543, 0.2), alike(1.0, 34.26), alike(0.0, 0.0)
    (['0.054', '0.200'], ['1.0', '34.3'], ['0', '0'])
    """
    largest = max((abs(value) for value in values), default=0.0)
    if not TINY < largest < HUGE:
        return ["0" if abs(value) <= TINY else number(value, sign=sign) for value in values]
    decimals = max(2 - math.floor(math.log10(largest)), 0)
    return [f"{value:{'+' if sign else ''},.{decimals}f}".replace("-", MINUS) for value in values]


def span(low: float, high: float, *, sign: bool = False) -> str:
    """An interval in words.

    >>> span(-0.02, 0.031)
    '−0.0200 to 0.0310'
    """
    return " to ".join(alike(low, high, sign=sign))


def moment(at: datetime | str | None) -> str:
    """A time in UTC, to the minute.

    >>> moment("2026-05-02T11:10:00+02:00"), moment(None)
    ('2 May 2026, 09:10 UTC', '–')
    """
    if at is None:
        return "–"
    at = utc(at)
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"


def between(earliest: datetime | str, latest: datetime | str, level: float) -> str:
    """The interval of a moment, in words.

    >>> between("2026-05-02T09:10:00Z", "2026-05-02T09:10:40Z", 0.95)
    '95% interval within that minute'
    """
    first, last = moment(earliest), moment(latest)
    return f"{level:.0%} interval " + ("within that minute" if first == last else f"{first} to {last}")


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""`strftime` would follow the machine's language."""


def utc(at: datetime | str) -> datetime:
    """A time with an offset, in UTC."""
    return (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(UTC)


def words(name: str) -> str:
    """A key as words.

    >>> words("time_to_detect")
    'time to detect'
    """
    return plain(name).replace("_", " ")


def capital(text: str) -> str:
    """A text as the beginning of a sentence.

    >>> capital("rows of age 7")
    'Rows of age 7'
    """
    return text[:1].upper() + text[1:]


def count(size: int, noun: str) -> str:
    """A number of things.

    >>> count(1, "row"), count(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{size:,} {noun}" + ("" if size == 1 else "s")


def change_in_words(measured: "Measured") -> str:
    """Change of the metric, in one line."""
    verb = "did not change beyond chance" if 0 in measured.interval else "rose" if measured.change > 0 else "fell"
    before, during = said_values(measured)
    return f"{capital(plain(measured.label))} {verb}: {before} before, {during} during the failure"


def said_values(measured: "Measured") -> tuple[str, str]:
    """The metric in both windows as text, with its unit where it has a short one."""
    before, during = alike(measured.scale * measured.reference, measured.scale * measured.current)
    return (f"{before} %", f"{during} %") if measured.is_share else (before, during)


def change_unit(measured: "Measured") -> str:
    """Unit of a difference between two values of the metric."""
    return "percentage points" if measured.is_share else measured.unit
