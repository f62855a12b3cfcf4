"""Reporting duties as dated data: the rules of `rules.yaml`, frozen and checked; loaded when first asked for."""

import re
from datetime import date
from functools import cache, cached_property
from importlib.resources import files
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from rca.record.schema.incident import MOMENTS, Record

Calendar = Literal["hours", "days", "eu_days", "dora_noon", "us_work_days"]

NATIONAL: frozenset[str] = frozenset(("eu_days", "dora_noon"))
"""Calendars that need to know the country, for its public holidays."""


class Limit(Record):
    """A length of time as a law states it."""

    value: int = Field(gt=0)
    unit: Literal["hour", "day", "month"]

    def __str__(self) -> str:
        return f"{self.value} {self.unit}{'' if self.value == 1 else 's'}"


class Start(Record):
    """What starts a clock: a stamp of the record, or a report that was sent under one of several names."""

    stamp: str | None = None
    which: Literal["first", "last"] | None = None
    reports: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.stamp or f"{self.which} report under {' or '.join(self.reports)}"


def _limit(text: Any) -> Any:
    """`15 days` as a limit."""
    found = re.fullmatch(r"(\d+) (hour|day|month)s?", text) if isinstance(text, str) else None
    return {"value": int(found[1]), "unit": found[2]} if found else text


def _start(text: Any) -> Any:
    """`aware`, or `last gpai-initial|gpai-intermediate`, as a start."""
    if not isinstance(text, str):
        return text
    which, _, reports = text.partition(" ")
    return {"which": which, "reports": reports.split("|")} if reports else {"stamp": text}


class Rule(Record):
    """One duty: whom it binds, when, for how long, and how sure that is; `rules.yaml` says what each key is."""

    id: str
    regime: str
    place: str = Field(alias="in")
    cite: str
    who: str
    owes: str
    to: str | None = None
    form: str | None = None
    when: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    clock: Literal["fixed", "prompt", "keep", "none"] = "fixed"
    within: Annotated[Limit | None, BeforeValidator(_limit)] = None
    of: Annotated[Start | None, BeforeValidator(_start)] = None
    by: Calendar | None = None
    until: str | None = None
    report: str = ""
    done: str | None = None
    since: date | None = None
    ended: date | None = None
    bites: dict[str, date] | None = None
    before: Literal["needs_counsel", "not_yet_applicable"] | None = None
    status: Literal["in_force", "not_yet_applicable", "disputed", "repealed", "proposed", "guidance"] = "in_force"
    transition: bool = False
    unaltered: bool = False
    counsel: str | None = None
    readings: str | None = None
    confidence: str = Field(pattern=r"^(high|medium|low): ")
    source: str = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _report_under_its_own_name(cls, value: Any) -> Any:
        return {**value, "report": value.get("report") or value.get("id")} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _can_be_counted(self) -> Self:
        if self.clock == "fixed" and not (self.within and self.by):
            raise ValueError(f"{self.id} has a clock, and lacks `within` or `by`")
        if bool(self.bites) != bool(self.before):
            raise ValueError(f"{self.id} needs both of `bites` and `before`, or none")
        return self

    @property
    def level(self) -> str:
        """How sure the row is: high, medium or low."""
        return self.confidence.partition(":")[0]

    @cached_property
    def facts(self) -> frozenset[str]:
        """Every fact that the rule hangs on."""
        return frozenset(name for condition in (*self.when, *self.unless) for name in alternatives(condition))

    @property
    def computes(self) -> bool:
        """Whether a deadline may be counted: a number, a start, more than low confidence, and a law that is no plan."""
        law = self.status in ("in_force", "not_yet_applicable", "disputed")
        return self.clock == "fixed" and self.of is not None and law and self.level != "low" and not self.counsel


class Placed(Record):
    """Days between which the transition of older systems turns (AI Act Art. 111(2))."""

    earliest: date
    latest: date
    public_authorities: date


class RecurringRule(Record):
    """When small incidents with one cause count as a major one, as far as a record can tell."""

    cite: str
    months: int
    least: int
    needed: int
    more_than: dict[str, float]
    not_on_record: str
    note: str
    confidence: str
    source: str


class RuleTable(Record):
    """All rules, with the words they use."""

    version: date
    sources: dict[str, str]
    unions: dict[str, tuple[str, ...]]
    zones: dict[str, str]
    calendars: dict[Calendar, str]
    readings: dict[str, str]
    placed: Placed
    recurring: RecurringRule
    aliases: dict[str, str]
    rules: tuple[Rule, ...]
    facts: dict[str, str]

    @cached_property
    def reports(self) -> dict[str, str]:
        """Rule id, or name of a report → name of the report."""
        return {name: rule.report for rule in self.rules for name in (rule.id, rule.report)}

    @cached_property
    def stamps(self) -> frozenset[str]:
        """Every stamp that a clock may start or stop at, the moments of a timeline among them."""
        named = {name for rule in self.rules for name in (rule.id, rule.until, rule.done, rule.of and rule.of.stamp)}
        return frozenset({one for one in named if one} | {"classified_major", *MOMENTS})


@cache
def members(place: str) -> frozenset[str]:
    """What a place covers: itself, and of a union its countries.

    >>> sorted(members("eea") - members("eu"))
    ['eea', 'is', 'li', 'no']
    """
    return frozenset((place, *(one for part in rule_table().unions.get(place, ()) for one in members(part))))


def alternatives(condition: str) -> tuple[str, ...]:
    """The facts of a condition, of which one has to hold.

    >>> alternatives("death or serious_injury")
    ('death', 'serious_injury')
    """
    return tuple(condition.split(" or "))


@cache
def rule_table() -> RuleTable:
    """The rules that ship.

    >>> len(rule_table().rules), sum(rule.computes for rule in rule_table().rules)
    (80, 43)
    """
    return RuleTable.model_validate(read_data("rules.yaml", grouped="rules"))


def read_data(name: str, *, grouped: str = "") -> dict[str, Any]:
    """Plain values of a data file of this package; where `grouped` is given, each entry carries its group's keys."""
    import yaml

    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  (is safe)
    if not grouped:
        return data
    groups = data.pop("groups")
    shared = [{key: value for key, value in group.items() if key != grouped} for group in groups]
    entries = [{**common, **one} for common, group in zip(shared, groups, strict=True) for one in group[grouped]]
    return {**data, grouped: entries}
