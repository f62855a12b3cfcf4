"""Incidents that recur: several small ones with one apparent cause within six months, which may add up to a major one.

They are joined by what is on record of their causes, and never by their titles.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from rca.record.obligations.calendars import last_day
from rca.record.obligations.rules import Limit, members, rule_table
from rca.record.schema.incident import Incident
from rca.record.schema.why_tree import Why
from rca.result import Result


@dataclass(frozen=True, kw_only=True)
class Past:
    """One incident as the recurrence of others is judged by.

    Attributes
    ----------
    incident : str
    on : date
        When it began, else was detected or became known.
    causes : tuple of str
        Apparent root causes; two incidents share one where the text is the same.
    amounts : dict of str to float
        What is known of it, by the names of the thresholds: clients, costs in euros, hours.
    countries : tuple of str
    major : bool
        Whether it was classified as a major one by itself.
    """

    incident: str
    on: date
    causes: tuple[str, ...]
    amounts: dict[str, float]
    countries: tuple[str, ...] = ()
    major: bool = False


@dataclass(frozen=True, kw_only=True)
class Recurrence:
    """Incidents with one apparent cause within six months.

    Attributes
    ----------
    cause : str
    incidents : tuple of str
        By date.
    first, last : date
    together : dict of str to float
        Sums of what is on record; lower bounds where some have none.
    over : tuple of str
        Thresholds that the sums pass.
    adds_up : bool or None
        True where enough thresholds are passed; None where the record cannot tell. Never False: not every threshold is
        on record.
    """

    cause: str
    incidents: tuple[str, ...]
    first: date
    last: date
    together: dict[str, float]
    over: tuple[str, ...]
    adds_up: bool | None

    def __str__(self) -> str:
        rule = rule_table().recurring
        sums = ", ".join(f"{name} ≥ {value:,.0f}" for name, value in self.together.items()) or "no amounts on record"
        verdict = (
            f"over {' and '.join(self.over)}: one major incident together, where critical services were affected"
            if self.adds_up
            else f"cannot tell whether they add up (not on record: {rule.not_on_record})"
        )
        told = f"{len(self.incidents)} incidents from {self.first} to {self.last}, cause: {self.cause}"
        return f"{told} ({', '.join(self.incidents)}); together {sums}; {verdict} ({rule.cite})"


@dataclass(frozen=True, kw_only=True)
class Recurrences(Result):
    """Every recurrence among several incidents, those that add up first."""

    found: tuple[Recurrence, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, self.found)) or "no two incidents on record share an apparent cause within six months"

    def rows(self) -> list[dict[str, Any]]:
        return [
            {"cause": one.cause, "incidents": ", ".join(one.incidents), "first": one.first, "last": one.last,
             **one.together, "over": ", ".join(one.over), "adds up": one.adds_up}
            for one in self.found
        ]  # fmt: skip

    def implied(self, incident: str) -> dict[str, bool]:
        """Facts of the rule on recurring incidents that follow for one of them."""
        own = [one for one in self.found if incident in one.incidents]
        facts = dict.fromkeys(("same_apparent_root_cause", "two_incidents_in_six_months"), True) if own else {}
        return facts | ({"together_major": True} if any(one.adds_up for one in own) else {})


def past(incident: Incident, causes: Iterable[str] = ()) -> Past | None:
    """What a record tells of an incident; None where it has no moment.

    Parameters
    ----------
    incident : Incident
    causes : iterable of str
        Causes that a verdict named, beside those of the why-tree.
    """
    timeline, impact = incident.timeline, incident.impact
    began = timeline.onset or timeline.detected or timeline.aware
    if began is None:
        return None
    ended = timeline.recovered or timeline.resolved
    hours = (ended - began).total_seconds() / 3600 if ended else None
    money = impact.money if isinstance(impact.money, int | float) else None
    known = {"clients": impact.people, "costs in euros": money, "hours": hours}
    places = {place.lower().partition("-")[0] for place in incident.obligations.jurisdictions}
    return Past(
        incident=incident.id,
        on=began.date(),
        causes=tuple(dict.fromkeys((*causes, *_root_causes(incident.whys)))),
        amounts={name: float(value) for name, value in known.items() if value is not None},
        countries=tuple(sorted(places & (members("eu") - {"eu"}))),
        major="classified_major" in {name.removesuffix("_at") for name in incident.obligations.triggers},
    )


def _root_causes(whys: Iterable[Why]) -> Iterator[str]:
    """Answers of a why-tree under which no why is answered, and triggers; what is only assumed is none."""
    for tree in whys:
        for one in tree.walk():
            leaf = not any(below.answer for below in one.whys)
            if one.answer and one.answer.strength != "assumed" and (leaf or one.answer.role == "trigger"):
                yield " ".join(one.answer.statement.casefold().split()).rstrip(".")


def recurring(incidents: Iterable[Past]) -> Recurrences:
    """Recurrences among incidents that are no major ones by themselves.

    Of incidents with one cause, every largest group that fits into six months is one.

    References
    ----------
    Del. Reg. (EU) 2024/1772 Art. 8(2).

    Examples
    --------
    >>> day, cause = date(2026, 1, 31), ("frozen rate",)
    >>> small = [Past(incident=name, on=on, causes=cause, amounts={"clients": 60_000, "hours": 20})
    ...          for name, on in (("a", day), ("b", date(2026, 7, 31)), ("c", date(2026, 9, 1)))]
    >>> [(one.incidents, one.over, one.adds_up) for one in recurring(small).found]
    [(('a', 'b'), ('clients', 'hours'), True), (('b', 'c'), ('clients', 'hours'), True)]
    """
    by_cause: dict[str, list[Past]] = {}
    for one in incidents:
        for cause in () if one.major else one.causes:
            by_cause.setdefault(cause, []).append(one)
    found = [_added(cause, group) for cause, those in by_cause.items() for group in _groups(those)]
    return Recurrences(found=tuple(sorted(found, key=lambda one: (not one.adds_up, one.first, one.cause))))


def _groups(those: list[Past]) -> Iterator[list[Past]]:
    """The largest groups within the months of the rule."""
    rule, reached = rule_table().recurring, 0
    those = sorted(those, key=lambda one: (one.on, one.incident))
    for start, one in enumerate(those):
        until = last_day(one.on, Limit(value=rule.months, unit="month"))
        end = next((at for at in range(start, len(those)) if those[at].on > until), len(those))
        if end - start >= rule.least and end > reached:
            reached = end
            yield those[start:end]


def _added(cause: str, group: list[Past]) -> Recurrence:
    rule = rule_table().recurring
    names = dict.fromkeys(name for one in group for name in one.amounts)
    sums = {name: sum(one.amounts.get(name, 0.0) for one in group) for name in names}
    countries = {place for one in group for place in one.countries}
    together = sums | ({"countries": float(len(countries))} if countries else {})
    over = tuple(name for name, least in rule.more_than.items() if together.get(name, 0.0) > least)
    return Recurrence(
        cause=cause,
        incidents=tuple(one.incident for one in group),
        first=group[0].on,
        last=group[-1].on,
        together=together,
        over=over,
        adds_up=True if len(over) >= rule.needed else None,
    )
