"""What is owed to whom, by when: the answers of all rules to a record, what they ask for, and what they warn of."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from rca.record.obligations.answers import Duty, duty, one_line, shown
from rca.record.obligations.known import COUNTRY, PLACES, VALUED, Known
from rca.record.obligations.recurring import Past, Recurrences, past, recurring
from rca.record.obligations.rules import rule_table
from rca.record.schema.incident import Incident
from rca.result import Result


@dataclass(frozen=True, kw_only=True)
class Question:
    """A fact that is missing, and what each answer to it would change.

    Attributes
    ----------
    name, asks : str
    yes, no : dict of str to str
        Rule → its answer then, of the rules that would answer otherwise; both empty where it is no yes or no.
    rules : tuple of str
        Rules that wait for it.
    """

    name: str
    asks: str
    rules: tuple[str, ...]
    yes: dict[str, str]
    no: dict[str, str]

    def __str__(self) -> str:
        told = f"ask  {self.name}: {self.asks}"
        if not (self.yes or self.no):
            return f"{told} It decides {_few(self.rules)}."
        return f"{told} Yes: {_changes(self.yes)}. No: {_changes(self.no)}."


@dataclass(frozen=True, kw_only=True)
class Duties(Result):
    """What all rules answer to one record.

    Attributes
    ----------
    version : date
        Of the table of rules.
    law_on : date or None
        Day whose law applies where a clock has not started: the first moment on record.
    now : datetime or None
    duties : tuple of Duty
        One a rule, in the order of the table.
    questions : tuple of Question
        The first missing fact of every rule that cannot tell.
    warnings, remarks : tuple of str
    """

    version: date
    law_on: date | None
    now: datetime | None
    duties: tuple[Duty, ...]
    questions: tuple[Question, ...] = ()
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"rules of {self.version}; law as of {self.law_on or 'no day on record'}; now {shown(self.now)}"
        yield from map(str, self.clear)
        used = {duty.readings: None for duty in self.clear if duty.readings}
        yield from (f"readings of {key}: {rule_table().readings[key]}" for key in used)
        ways = {duty.by: None for duty in self.clear if duty.by and duty.deadline}
        yield from (f"counted by {way}: {rule_table().calendars[way]}" for way in ways)
        yield from (f"warning  {one}" for one in self.warnings)
        yield from map(str, self.questions)
        for answer, said in _TOGETHER.items():
            rules = [duty.rule for duty in self.duties if duty.answer == answer and not duty.missing]
            if rules:
                yield f"{said}  {_few(rules) if answer == 'no_clock' else f'{len(rules)} rules'}"
        waiting = [duty.rule for duty in self.duties if _not_yet_open(duty)]
        if waiting:
            yield f"not yet applicable, whatever the facts  {_few(waiting)}"
        yield from (f"remark  {one}" for one in self.remarks)

    def __getitem__(self, rule: str) -> Duty:
        return next(duty for duty in self.duties if duty.rule == rule)

    @cached_property
    def clear(self) -> tuple[Duty, ...]:
        """Duties that are told one by one, the most pressing first."""
        told = [duty for duty in self.duties if duty.answer not in _TOGETHER and not _not_yet_open(duty)]
        return tuple(sorted(told, key=lambda duty: _ORDER.index(duty.answer)))

    @property
    def overdue(self) -> tuple[Duty, ...]:
        """Duties whose limit has passed without a report or a decision."""
        return tuple(duty for duty in self.duties if duty.overdue)

    def rows(self) -> list[dict[str, Any]]:
        names = ("rule", "answer", "deadline", "sent", "owes", "to", "citation", "because", "missing", "confidence")
        return [{name: _plain(getattr(duty, name)) for name in names} for duty in self.duties]


_TOGETHER = {"no_clock": "no clock", "cannot_tell": "", "no_rule_matched": "no rule matched the facts entered"}

_ORDER = ("late_by", "not_yet_due", "met", "needs_counsel", "not_yet_applicable")


def _not_yet_open(duty: Duty) -> bool:
    return duty.answer == "not_yet_applicable" and bool(duty.missing)


def _plain(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, tuple) else value


def _few(rules: Iterable[str], most: int = 6) -> str:
    names = list(rules)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _changes(changed: dict[str, str]) -> str:
    """Answers with the regimes that would give them, and how many rules of each.

    >>> _changes({"gdpr-33": "not_yet_due", "dora-inter": "no_rule_matched", "dora-final": "no_rule_matched"})
    'not yet due (GDPR), no rule matched (DORA, 2 rules)'
    """
    regimes = {rule.id: rule.regime for rule in rule_table().rules}
    counted = Counter((answer, regimes[rule]) for rule, answer in changed.items())
    told = (
        f"{answer.replace('_', ' ')} ({regime}{f', {count} rules' if count > 1 else ''})"
        for (answer, regime), count in counted.items()
    )
    return ", ".join(told) or "nothing changes yet"


def duties(
    incident: Incident, as_of: datetime | None = None, *, past_incidents: Iterable[Past] | None = None
) -> Duties:
    """What is owed to whom, by when, and what would have to be known to say more.

    Parameters
    ----------
    incident : Incident
    as_of : datetime, optional
        What "now" is; default the record's own, else its last moment. What came later is not known yet.
    past_incidents : iterable of Past, optional
        Among which to look for earlier ones with the same apparent cause; this incident may be one of them.
    """
    before = _recurrences(incident, past_incidents, as_of)
    known = Known.of(incident, as_of, implied=before.implied(incident.id))
    table = rule_table()
    answers = tuple(duty(rule, known) for rule in table.rules)
    return Duties(
        version=table.version,
        law_on=known.happened.date() if known.happened else None,
        now=known.now,
        duties=answers,
        questions=tuple(_questions(answers, known)),
        warnings=(*_alterations(answers, known), *(str(one) for one in before.found)),
        remarks=(*_gone(known), *known.remarks(), *_age(known)),
    )


# --- what is asked, and what is warned of ----------------------------------------------------------------------------


def _questions(answers: tuple[Duty, ...], known: Known) -> Iterator[Question]:
    """The first missing fact of every rule that cannot tell, the most decisive first."""
    waiting: dict[str, list[str]] = {}
    for one in answers:
        if one.answer == "cannot_tell":
            waiting.setdefault(one.missing[0], []).append(one.rule)
    for name, rules in sorted(waiting.items(), key=lambda pair: -len(pair[1])):
        truth = name in rule_table().facts and name not in VALUED
        yes, no = (_then(name, answers, known.having(name, value)) if truth else {} for value in (True, False))
        yield Question(name=name, asks=_asks(name), rules=tuple(rules), yes=yes, no=no)


def _then(name: str, answers: tuple[Duty, ...], known: Known) -> dict[str, str]:
    """Rules that would answer otherwise, and how; where more would have to be known, what."""
    found = {}
    for rule, before in zip(rule_table().rules, answers, strict=True):
        if name not in rule.facts and not rule.transition:
            continue
        after = duty(rule, known)
        waits = after.answer == "cannot_tell"
        if after.answer != before.answer or (waits and after.missing != before.missing):
            found[rule.id] = f"asks {after.missing[0]}" if waits else after.answer
    return found


def _asks(name: str) -> str:
    others = {
        PLACES: "Under which law does it come: `eu`, a country, a state such as `us-ca`?",
        COUNTRY: "Whose public holidays count? Name the country among `obligations.jurisdictions`.",
    }
    return rule_table().facts.get(name) or others.get(name) or "When was that? It starts the clock."


ALTERED = ("mitigated", "repair_started", "eradicated", "recovered")
"""Moments at which a system is no longer what failed."""

CHANGES = ("deploy", "config", "schema", "data")
"""Kinds of events that change a system."""


def _alterations(answers: tuple[Duty, ...], known: Known) -> Iterator[str]:
    """Changes to the system before the authority was told, where a law forbids those that hide causes."""
    first = known.stamps.get("detected") or known.stamps.get("aware")
    for rule, answer in zip(rule_table().rules, answers, strict=True):
        if not rule.unaltered or answer.answer not in ("no_clock", "needs_counsel"):
            continue
        told = next(iter(known.sent((rule.report,))), known.now)
        events = [
            (one.at, f"event {one.kind}: {one.what}") for one in known.incident.timeline.events if one.kind in CHANGES
        ]
        moments = [(known.stamps[name], f"timeline.{name}") for name in ALTERED if name in known.stamps]
        after = [(at, what) for at, what in (*events, *moments) if first and told and first <= at < told]
        if after:
            at, what = min(after)
            changed = f"the system was changed ({one_line(what)}, {shown(at)}) before the authority was told"
            yield f"{rule.cite}: {changed}; note whether that hides a cause"


def _recurrences(incident: Incident, those: Iterable[Past] | None, as_of: datetime | None) -> Recurrences:
    """Recurrences that this incident is part of, among incidents that had begun by then."""
    now, own = Known.of(incident, as_of).now, past(incident)
    if those is None or own is None or now is None:
        return Recurrences(found=())
    begun = {own.incident: own} | {one.incident: one for one in those if one.on <= now.date()}
    found = recurring(begun.values()).found
    return Recurrences(found=tuple(one for one in found if incident.id in one.incidents))


def _gone(known: Known) -> Iterator[str]:
    """Rules that guides still print, where the facts would fit."""
    for rule in rule_table().rules:
        fits = known.within(rule.place) and all(known.holds(one)[0] for one in rule.when)
        if rule.status == "repealed" and fits:
            yield f"{rule.id} ({rule.cite}) is repealed: {rule.owes}"


def _age(known: Known) -> Iterator[str]:
    version = rule_table().version
    if known.now and known.now.date() > version:
        yield f"the law was last looked up on {version}; what changed since is not in the rules"
