"""What a record says of its duties: places, facts, stamps, reports sent, decisions not to report."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Self
from zoneinfo import ZoneInfo

from rca.errors import did_you_mean
from rca.record.obligations.calendars import Place, has_part
from rca.record.obligations.rules import Rule, Start, alternatives, members, rule_table
from rca.record.schema.incident import Incident, Notification

Truth = bool | None
"""Yes, no, or not known."""

COUNTRY, PLACES = "country", "jurisdictions"
"""What is missing where the record does not say which law it is under, or whose holidays count."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """A record as the rules read it, at one moment; what came later is not known yet.

    Attributes
    ----------
    incident : Incident
    now : datetime or None
        None where the record has no moment at all.
    facts : mapping of str to anything
        By the names that the rules use.
    stamps : mapping of str to datetime
        Moments of the timeline and triggers, without `_at`.
    """

    incident: Incident
    now: datetime | None
    facts: Mapping[str, Any]
    stamps: Mapping[str, datetime]

    @classmethod
    def of(cls, incident: Incident, as_of: datetime | None = None, *, implied: Mapping[str, Any] | None = None) -> Self:
        """Read a record as of a moment; default its own `as_of`, else the last moment on record.

        Facts that are implied elsewhere, as by earlier incidents, give way to those entered.
        """
        stamps = {name.removesuffix("_at"): at for name, at in incident.obligations.triggers.items()}
        stamps |= dict(incident.timeline.moments())
        sent = [one.submitted_at for one in incident.notifications if one.submitted_at]
        latest = max([*stamps.values(), *sent, *([incident.now] if incident.now else [])], default=None)
        now = as_of or incident.as_of or latest
        known = {name: at for name, at in stamps.items() if now and at <= now}
        aliases = rule_table().aliases
        entered = {aliases.get(name, name): value for name, value in incident.obligations.facts.items()}
        facts = {**(implied or {}), **entered}
        return cls(incident=incident, now=now, facts=facts, stamps=known)

    def having(self, name: str, value: Any) -> Self:
        """The same record, had it this fact."""
        return replace(self, facts={**self.facts, name: value})

    # --- facts -------------------------------------------------------------------------------------------------------

    def fact(self, name: str) -> Truth:
        """Whether a fact holds: as entered, else as the stamps and reports on record imply."""
        value = self.facts.get(name)
        return value if isinstance(value, bool) else self._implied(name)

    def _implied(self, name: str) -> Truth:
        if name == "classified_within_24h_of_awareness":
            aware, major = self.stamps.get("aware"), self.stamps.get("classified_major")
            return major - aware <= timedelta(hours=24) if aware and major else None
        if name == "euaia_73_reported":
            return bool(self.sent(("euaia-73",)))
        if name == "placed_before_the_date":
            placed, turn = self.day("placed_on_market"), rule_table().placed
            return None if placed is None or turn.earliest <= placed < turn.latest else placed < turn.earliest
        return None

    def day(self, name: str) -> date | None:
        """A fact that is a day, such as 2026-05-02."""
        try:
            return date.fromisoformat(str(self.facts.get(name))[:10])
        except ValueError:
            return None

    def holds(self, condition: str) -> tuple[Truth, tuple[str, ...]]:
        """Whether one of the facts of a condition holds, and those that would have to be known."""
        found = {name: self.fact(name) for name in alternatives(condition)}
        if True in found.values():
            return True, ()
        missing = tuple(name for name, value in found.items() if value is None)
        return (None if missing else False), missing

    @cached_property
    def system_class(self) -> str | None:
        """Class of the high-risk system: `annex_iii` or `annex_i`, as entered or as its system has it."""
        named = [self.facts.get("ai_act_class"), *(system.risk_class for system in self.incident.systems)]
        return next((str(one) for one in named if one in ("annex_iii", "annex_i")), None)

    # --- places ------------------------------------------------------------------------------------------------------

    @cached_property
    def places(self) -> tuple[str, ...]:
        """Jurisdictions of the record as codes: `eu`, `de`, `de-by`, `us-ca`."""
        codes = (one.strip().lower().replace("_", "-") for one in self.incident.obligations.jurisdictions)
        return tuple("uk" + code[2:] if code.partition("-")[0] == "gb" else code for code in codes)

    def within(self, place: str) -> Truth:
        """Whether the incident lies under the law of a place; None where the record is less exact than that."""
        if place == "international":
            return True
        covered, head = members(place), place.partition("-")[0]
        if any(code in covered or code.partition("-")[0] in covered for code in self.places):
            return True
        parts = any(code.startswith(f"{head}-") for code in self.places)
        return None if not self.places or (head in self.places and not parts) else False

    def where(self, rule: Rule) -> Place:
        """Where the days of a rule are counted: in the zone on record, else in that of the authority."""
        table = rule_table()
        covered = members(rule.place)
        codes = tuple(code for code in self.places if code.partition("-")[0] in covered - table.unions.keys())
        home = codes[0].partition("-")[0] if codes and rule.place in table.unions else rule.place
        zone = self.incident.obligations.zone or table.zones.get(home, "UTC")
        return Place(zone=zone, countries=("us",) if rule.by == "us_work_days" else codes)

    # --- stamps and reports ------------------------------------------------------------------------------------------

    def start(self, rule: Rule) -> datetime | None:
        """When the clock of a rule starts; a trigger under the rule's own id goes before the stamp it names."""
        if rule.id in self.stamps or rule.of is None:
            return self.stamps.get(rule.id)
        return self._begun(rule.of)

    def _begun(self, start: Start) -> datetime | None:
        if start.stamp:
            return self.stamps.get(start.stamp)
        sent = self.sent(start.reports)
        return sent[0 if start.which == "first" else -1] if sent else None

    def sent(self, names: tuple[str, ...]) -> list[datetime]:
        """When reports under one of several names were submitted, in order."""
        made = ((one.submitted_at, one) for one in self.incident.notifications)
        known = [at for at, one in made if at and self.now and at <= self.now and report_names(one) & {*names}]
        return sorted(known)

    def decision(self, rule: Rule) -> Notification | None:
        """The last decision on record not to report under a rule."""
        made = [one for one in self.incident.notifications if one.not_reportable_because and not one.submitted_at]
        known = [one for one in made if not (one.decided_at and self.now) or one.decided_at <= self.now]
        return next((one for one in reversed(known) if report_names(one) & {rule.report}), None)

    @cached_property
    def happened(self) -> datetime | None:
        """The first moment on record, whose law is looked up where a clock has not started."""
        return min(self.stamps.values(), default=self.now)

    def law_on(self, rule: Rule) -> date | None:
        """The day whose law decides, where the rule is at home: that of the trigger, else of the incident."""
        at = self.start(rule) or self.happened
        return at.astimezone(ZoneInfo(self.where(rule).zone)).date() if at else None

    # --- what no rule can use ----------------------------------------------------------------------------------------

    def _odd_places(self) -> Iterator[str]:
        zones = rule_table().zones
        yield from _unknown("the place", (one for one in self.places if one.partition("-")[0] not in zones), zones)
        for place in self.places:
            if "-" in place and place.partition("-")[0] in members("eea") and not has_part(place):
                yield f"the holidays of {place!r} are not known; those of its country count"

    def remarks(self) -> Iterator[str]:
        """What of the record no rule can use."""
        table = rule_table()
        yield from self._odd_places()
        yield from _unknown(
            "the fact", (name for name in self.facts if name not in (*table.facts, *LISTED)), table.facts
        )
        for name, value in self.facts.items():
            if name in table.facts and name not in VALUED and not isinstance(value, bool | None):
                yield f"the fact {name!r} is neither true nor false, and counts as missing"
        triggers = {name.removesuffix("_at"): at for name, at in self.incident.obligations.triggers.items()}
        yield from _unknown("the trigger", (name for name in triggers if name not in table.stamps), table.stamps)
        for name, at in self.incident.timeline.moments():
            if triggers.get(name, at) != at:
                yield f"the trigger {name!r} differs from timeline.{name}, which counts"
        known = table.reports.values()
        for one in self.incident.notifications:
            if not report_names(one) & {*known}:
                named = f"{one.regime}-{one.report_type}" if one.report_type else one.regime
                yield from _unknown("the notification", (named,), known)
            elif one.not_reportable_because and not (one.by and one.decided_at):
                yield f"the decision not to report under {one.regime!r} lacks who decided (`by`) or when (`decided_at`)"


VALUED = ("ai_act_class", "placed_on_market")
"""Facts that are no yes or no."""

LISTED = ("atlas",)
"""Facts that only frameworks ask for."""


def _unknown(what: str, names: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    for name in names:
        hint = did_you_mean(name, known)
        yield f"no rule knows {what} {name!r}{f'; {hint}' if hint.startswith('did') else ''}"


def report_names(notification: Notification) -> frozenset[str]:
    """Names that a notification goes by: its regime, with its type, and the report that a rule's id stands for.

    >>> sorted(report_names(Notification(regime="dora", report_type="initial")))
    ['dora', 'dora-initial']
    >>> sorted(report_names(Notification(regime="euaia-73-4")))
    ['euaia-73']
    """
    regime = notification.regime.strip().lower()
    kind = (notification.report_type or "").strip().lower()
    return frozenset((rule_table().reports.get(regime, regime), *([f"{regime}-{kind}"] if kind else [])))
