"""Words of a brief: times, durations, values with their unit, a metric in everyday words, strengths and badges."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rca.analysis.cascade.results import component_of, metric_of
from rca.record.durations import duration_in_words
from rca.record.schema.incident import Incident, Wording
from rca.report.rendering.plain_text import MINUS, MONTHS, alike, number, plain, utc, words

LONG_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

FEWEST_TRIALS = 20
"""Trials from which a share of right findings tells a reader something."""

STRENGTHS = {"shown": "Shown", "suggested": "Likely", "assumed": "Assumed"}
"""Strength of a finding → what a brief calls it."""

BADGES = {
    "explained": "Explained",
    "partly": "Partly explained",
    "likely": "Likely",
    "cannot_tell": "Cannot tell",
    "no_incident": "No incident",
}

POINTS = 0.1
"""Percentage points below which one decimal does not tell two shares apart."""

_PARTED = re.compile(rf"(\d) (?=(?:%|d|h|min|s|points?|days?|hours?|{'|'.join(MONTHS + LONG_MONTHS)})\b|%)")


def bound(markup: str) -> str:
    """Markup whose numbers do not part from their units, nor days from their months.

    >>> bound("25.4 % since 24 Feb").count(chr(160))
    2
    """
    return _PARTED.sub("\\1\N{NO-BREAK SPACE}", markup)


# --- times -----------------------------------------------------------------------------------------------------------


def day(at: datetime | str, *, long: bool = False) -> str:
    """A day.

    >>> day("2026-02-24T07:21:00Z"), day("2026-02-24T07:21:00Z", long=True)
    ('24 Feb', '24 February 2026')
    """
    at = utc(at)
    return f"{at.day} {LONG_MONTHS[at.month - 1]} {at.year}" if long else f"{at.day} {MONTHS[at.month - 1]}"


def when(at: datetime | str, *, of_a_day: bool = False) -> str:
    """A moment to the minute; where the incident took one day, its hour alone.

    >>> when("2026-02-24T07:21:00Z"), when("2026-02-24T07:21:00Z", of_a_day=True)
    ('24 Feb, 07:21', '07:21')
    """
    at = utc(at)
    return f"{at:%H:%M}" if of_a_day else f"{day(at)}, {at:%H:%M}"


def days(first: datetime | str, last: datetime | str) -> str:
    """A time from day to day; of whole months, from month to month.

    >>> days("2026-02-01T00:00:00Z", "2026-04-30T22:00:00Z"), days("2026-05-08T00:00:00Z", "2026-05-17T23:00:00Z")
    ('February to April', '8 to 17 May')
    """
    first, last = utc(first), utc(last)
    begins, ends = first.day <= 2, (last + timedelta(days=2)).month != last.month
    months = LONG_MONTHS[first.month - 1], LONG_MONTHS[last.month - 1]
    if begins and ends:
        return months[0] if first.month == last.month else f"{months[0]} to {months[1]}"
    if (first.month, first.year) == (last.month, last.year):
        return f"{first.day} {months[0]}" if first.day == last.day else f"{first.day} to {last.day} {months[0]}"
    return f"{first.day} {months[0]} to {last.day} {months[1]}"


def rounded(seconds: float) -> str:
    """A duration in one unit, for a title.

    >>> rounded(55.1 * 86400), rounded(2100.0), rounded(9 * 3600.0)
    ('55 days', '35 min', '9 hours')
    """
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return duration_in_words(seconds)


# --- values ----------------------------------------------------------------------------------------------------------


def value(of: float, *, share: bool) -> str:
    """A value of the metric with its unit.

    >>> value(0.25432, share=True), value(0.0004, share=True), value(0.3121, share=False)
    ('25.4 %', '0.04 %', '0.312')
    """
    if not share:
        return number(of)
    percent = 100 * of
    return f"{percent:.1f} %" if abs(percent) >= POINTS or percent == 0 else f"{percent:.1g} %"


def points(of: float, *, share: bool, unit: bool = True) -> str:
    """A difference of two values with its unit.

    >>> points(0.1464, share=True), points(0.1464, share=True, unit=False), points(-0.02, share=False)
    ('14.6 points', '14.6', '−0.02')
    """
    said = f"{100 * of:.1f}".replace("-", MINUS) if share else number(of)
    return f"{said} points" if share and unit else said


def reach(interval: "list[float]", *, share: bool) -> str:
    """An interval of a difference, without its unit.

    >>> reach([0.1249, 0.1522], share=True)
    '12.5 to 15.2'
    """
    ends = [points(end, share=True, unit=False) for end in interval] if share else alike(*interval)
    return " to ".join(ends)


def counted(of: float) -> str:
    """A count.

    >>> counted(3804.2)
    '3,804'
    """
    return f"{round(of):,}"


def sentence(text: str, end: str = ".") -> str:
    """A text as one sentence.

    >>> sentence("it stood still")
    'It stood still.'
    """
    text = text.strip().rstrip(".")
    return text[:1].upper() + text[1:] + ("" if text.endswith(("?", "!")) else end)


def clause(text: str) -> str:
    """A sentence as a clause within another.

    >>> clause("The figure stood still."), clause("AUC fell"), clause("R01 is worse")
    ('the figure stood still', 'AUC fell', 'R01 is worse')
    """
    text = text.strip().rstrip(".")
    return text if text[1:2].isupper() or text[1:2].isdigit() else text[:1].lower() + text[1:]


def system(name: str) -> str:
    """A system's name as words.

    >>> system("defect-detector")
    'defect detector'
    """
    return words(name).replace("-", " ")


# --- a metric in words -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class MetricWords:
    """A metric in words.

    Attributes
    ----------
    name : str
        As an axis or a tile calls it: "rated high risk, of those who then paid".
    says : str
        A clause with a place for the value: "{} of those who then paid were rated high risk".
    counted, hits : str
        Rows that count, and those that make the metric, as lines of a table.
    is_gap : bool
        Whether it is a gap between groups.
    """

    name: str
    says: str
    counted: str
    hits: str
    is_gap: bool = False


def metric_words(incident: Incident, what: str) -> MetricWords:
    """The metric of an incident in the words of the record, else in those of the trade.

    Parameters
    ----------
    incident : Incident
    what : str
        The metric's name, or the signal of an alarm.
    """
    metric, data = incident.metric, incident.data
    if metric is None or data is None:
        of = f" of the {system(component_of(what))}" if metric_of(what) else ""
        name = words(metric_of(what) or what) + of
        return MetricWords(name=name, says=f"the {name} was {{}}", counted="", hits="")
    base = metric.of if metric.name == "group_gap" else metric.name
    roles = _Roles(words=data.words, label=data.label, answer=data.prediction or _text(data.score), yes=data.positive)
    told = roles.share(str(base), metric.column) or _plain(str(base), words(metric.column or ""))
    if metric.name != "group_gap":
        return told
    name, says = f"gap between groups, {told.name}", f"groups lay {{}} apart in the share {told.name}"
    return MetricWords(name=name, says=says, counted="", hits="", is_gap=True)


def _text(score: object) -> str | None:
    return score if isinstance(score, str) else None


@dataclass(frozen=True, kw_only=True)
class _Roles:
    words: Mapping[str, Wording]
    label: str | None
    answer: str | None
    yes: str | float | bool

    def share(self, base: str, column: str | None) -> MetricWords | None:
        """A share in the record's words; None where it has none."""
        if base == "rate" and column is not None and (said := self._say(column)):
            return MetricWords(name=said, says=f"{{}} were {said}", counted="with a known outcome", hits=said)
        if base == "error_rate":
            says = "{} of decisions were wrong"
            return MetricWords(name="wrong decisions", says=says, counted="with a known outcome", hits="wrong")
        flags = {"false_positive_rate": (False, True), "false_negative_rate": (True, False)}.get(base)
        if flags is None:
            return None
        who, said = self._value(self.label, yes=flags[0]), self._value(self.answer, yes=flags[1])
        if not who or not said:
            return None
        return MetricWords(
            name=f"{said}, of those {who}", says=f"{{}} of those {who} were {said}", counted=who, hits=said
        )

    def _say(self, column: str | None) -> str:
        known = self.words.get(column or "")
        return plain(known.say) if known is not None and known.say else ""

    def _value(self, column: str | None, *, yes: bool) -> str:
        """What a column's yes, or no, is called."""
        known = self.words.get(column or "")
        held = {str(key): said for key, said in known.values.items()} if known is not None else {}
        keys = [str(self.yes), *({"1": ["True"], "True": ["1"]}.get(str(self.yes), []))]
        own = [said for key, said in held.items() if (key in keys) == yes]
        return plain(own[0]) if own else (self._say(column) if yes else "")


def _plain(base: str, column: str) -> MetricWords:
    """A metric in the words of the trade."""
    name = {"rate": f"share of “{column}”", "mean": f"mean of “{column}”"}.get(base, words(base))
    counts = {
        "false_positive_rate": ("that should not have been flagged", "flagged all the same"),
        "false_negative_rate": ("that should have been flagged", "missed"),
        "rate": ("with a known value", f"with “{column}”"),
    }.get(base, ("with a known value", ""))
    return MetricWords(name=name, says=f"the {name} was {{}}", counted=counts[0], hits=counts[1])


def column_words(incident: Incident, name: str) -> str:
    """A column, or a condition on one, in the words of the record.

    >>> from rca.record.schema.incident import Incident
    >>> known = Incident.model_construct(data=None)
    >>> column_words(known, "text~wheelchair"), column_words(known, "channel=web"), column_words(known, "job_count")
    ('text with “wheelchair”', 'channel web', 'job count')
    """
    said = incident.data.words if incident.data is not None else {}
    parts = [re.match(r"([^~=<>≤≥]+?)\s*([~=]|[<>≤≥]=?)\s*(.*)", part) for part in name.split(" & ")]
    if not all(parts):
        known = said.get(name)
        return plain(known.say) if known is not None and known.say else words(name)
    return ", ".join(_condition(said, match) for match in parts if match is not None)


def _condition(said: Mapping[str, Wording], match: re.Match[str]) -> str:
    column, sign, held = match.groups()
    known = said.get(column)
    name = plain(known.say) if known is not None and known.say else words(column)
    values: dict[str, Any] = {str(key): text for key, text in known.values.items()} if known is not None else {}
    held = plain(values.get(held, held))
    return {"~": f"{name} with “{held}”", "=": f"{name} {held}"}.get(sign, f"{name} {sign} {held}")
