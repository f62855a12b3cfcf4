"""The answer of one rule to a record: met, late, not yet due, not yet applicable, cannot tell, needs counsel.

Nothing here says that an incident need not be reported: where no rule matched the facts entered, that is what is said.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Literal

from rca.record.durations import duration_in_words
from rca.record.obligations.calendars import deadline
from rca.record.obligations.known import COUNTRY, PLACES, Known
from rca.record.obligations.rules import NATIONAL, Calendar, Rule, rule_table

Answer = Literal[
    "met", "late_by", "not_yet_due", "not_yet_applicable", "no_rule_matched", "cannot_tell", "needs_counsel", "no_clock"
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Duty:
    """What one rule answers.

    Attributes
    ----------
    rule, regime, citation, who, owes, to, form, by, confidence, source : str
        Of the rule; `by` is the calendar.
    answer : str
        `no_clock`: the rule holds and has no number to count.
    start, deadline, sent : datetime or None
        Trigger of the clock, last moment of the limit, submission of the report.
    seconds : float or None
        How late, or how long is left.
    missing : tuple of str
        Facts and stamps that would have to be known.
    because : str
    readings : str or None
        Key of the readings that differ.
    decision : str
        A person's decision not to report: who, when, why.
    overdue : bool
        Whether nothing was sent and nobody decided, on the record, to send nothing.
    """

    rule: str
    regime: str
    citation: str
    who: str
    owes: str
    to: str | None
    form: str | None
    by: Calendar | None
    confidence: str
    source: str
    answer: Answer
    because: str = ""
    start: datetime | None = None
    deadline: datetime | None = None
    sent: datetime | None = None
    seconds: float | None = None
    missing: tuple[str, ...] = ()
    readings: str | None = None
    decision: str = ""
    overdue: bool = False

    def __str__(self) -> str:
        to, sure = f" → {self.to}" if self.to else "", "" if self.confidence.startswith("high") else self.confidence
        told = f"{self._answered()}  {self.rule}: {self.owes}{to} ({self.citation})"
        return "; ".join(part for part in (told, self.because, sure, self.decision) if part)

    def _answered(self) -> str:
        more = {"late_by": duration_in_words(self.seconds or 0), "cannot_tell": f"(missing {', '.join(self.missing)})"}
        words = "due" if self.answer == "not_yet_due" else self.answer.replace("_", " ")
        return f"{words} {shown(self.deadline) if words == 'due' else more.get(self.answer, '')}".rstrip()


def shown(at: datetime | None) -> str:
    """A moment to the minute, with its offset."""
    return at.isoformat(" ", "minutes") if at else "unknown"


def one_line(text: str) -> str:
    r"""Text from a record on one line, so that it cannot pass for a line of ours.

    >>> one_line("late\nmet  gdpr-33")
    'late met gdpr-33'
    """
    return " ".join(text.split())


def duty(rule: Rule, known: Known) -> Duty:
    """The answer of one rule."""
    found = next(one for step in _STEPS if (one := step(rule, known)) is not None)
    told = replace(_blank(rule), **found)
    decision = known.decision(rule)
    unsent = told.answer == "late_by" and told.sent is None
    if decision is None:
        return replace(told, overdue=unsent)
    who, when = decision.by or "nobody named", shown(decision.decided_at)
    said = one_line(f"decided not to report by {who}, {when}: {decision.not_reportable_because}")
    return replace(told, decision=said, overdue=unsent and not (decision.by and decision.decided_at))


def _blank(rule: Rule) -> Duty:
    told = {name: getattr(rule, name) for name in ("regime", "who", "owes", "to", "form", "by", "confidence")}
    source = rule_table().sources.get(rule.source, rule.source)
    return Duty(rule=rule.id, citation=rule.cite, source=source, answer="no_rule_matched", **told)


Found = dict[str, Any] | None


def _no_match(rule: Rule, known: Known) -> Found:
    """The law of another place, or a fact that rules it out; what is repealed or only proposed asks for no facts."""
    if known.within(rule.place) is False:
        return {"answer": "no_rule_matched", "because": f"not under the law of {rule.place}"}
    against = next((one for one in rule.when if known.holds(one)[0] is False), None)
    if against:
        return {"answer": "no_rule_matched", "because": f"not so: {against}"}
    if rule.status not in ("repealed", "proposed"):
        return None
    open_ = known.within(rule.place) is None or any(known.holds(one)[0] is None for one in rule.when)
    answer = "no_rule_matched" if rule.status == "repealed" or open_ else "not_yet_applicable"
    return {"answer": answer, "because": f"the law is {rule.status}"}


def _out_of_force(rule: Rule, known: Known) -> Found:
    day = known.law_on(rule)
    if day and rule.since and day < rule.since:
        missing = _open(rule, known)
        return {"answer": "not_yet_applicable", "because": f"applies from {rule.since}", "missing": missing}
    if day and rule.ended and day > rule.ended:
        return {"answer": "no_rule_matched", "because": f"applied until {rule.ended}"}
    return None


def _open(rule: Rule, known: Known) -> tuple[str, ...]:
    """What is not known of the place and of the facts of a rule."""
    place = (PLACES,) if known.within(rule.place) is None else ()
    found = dict.fromkeys(name for condition in rule.when for name in known.holds(condition)[1])
    dated = "placed_before_the_date" in found and known.day("placed_on_market") is None
    return (*place, *("placed_on_market" if dated and name == "placed_before_the_date" else name for name in found))


def _facts(rule: Rule, known: Known) -> Found:
    missing = _open(rule, known)
    return {"answer": "cannot_tell", "missing": missing} if missing else None


def _another_number(rule: Rule, known: Known) -> Found:
    found = [known.holds(one) for one in rule.unless]
    if any(held for held, _ in found):
        so = next(one for one, (held, _) in zip(rule.unless, found, strict=True) if held)
        return {"answer": "needs_counsel", "because": f"another number or law may be meant, as this holds: {so}"}
    missing = tuple(name for _, names in found for name in names)
    return {"answer": "cannot_tell", "missing": missing} if missing else None


def _counsel(rule: Rule, _: Known) -> Found:
    if rule.counsel or rule.level == "low":
        reason = rule.counsel or f"confidence {rule.confidence}"
        limit = f"; the limit is {rule.within}" if rule.within else ""
        return {"answer": "needs_counsel", "because": reason + limit, "readings": rule.readings}
    return None


def _bites(rule: Rule, known: Known) -> Found:
    """Between the day that a law names and the day from which it has an object."""
    day = known.law_on(rule)
    if not rule.bites or (day and day >= max(rule.bites.values())):
        return None
    if known.system_class is None:
        return {"answer": "cannot_tell", "missing": ("ai_act_class",), "readings": rule.readings}
    turn = rule.bites[known.system_class]
    if day and day >= turn:
        return None
    because = (
        f"{known.system_class} is reached from {turn}, by one reading" if rule.readings else f"applies from {turn}"
    )
    return {"answer": rule.before, "because": because, "readings": rule.readings}


def _transition(rule: Rule, known: Known) -> Found:
    """AI Act Art. 111(2): systems placed earlier are reached on a significant change of design only."""
    turn, placed, changed = rule_table().placed, known.day("placed_on_market"), known.fact("significant_design_change")
    if not rule.transition or changed or (placed and placed >= turn.latest):
        return None
    day = known.law_on(rule)
    public = known.fact("public_authority")
    if day and day >= turn.public_authorities and public is not False:
        return None if public else {"answer": "cannot_tell", "missing": ("public_authority",)}
    asked = {"placed_on_market": placed, "significant_design_change": changed}
    missing = tuple(name for name, value in asked.items() if value is None)
    if missing:
        return {"answer": "cannot_tell", "missing": missing, "readings": "art-111-2"}
    return {"answer": "needs_counsel", "because": "the system was placed earlier", "readings": "art-111-2"}


def _clockless(rule: Rule, known: Known) -> Found:
    if rule.clock == "none":
        return {"answer": "no_clock"}
    if rule.clock == "keep":
        return {"answer": "no_clock", "because": f"the records must exist for {rule.within}"}
    if rule.clock == "fixed" and rule.computes:
        return None
    start, sent = known.start(rule), _report(rule, known)
    until = sent or known.now
    passed = f"; {duration_in_words((until - start).total_seconds())} since {rule.of}" if start and until else ""
    because = f"at once, without a number{passed}{', a report is on record' if sent else ''}"
    return {"answer": "needs_counsel", "because": because, "start": start, "sent": sent}


def _counted(rule: Rule, known: Known) -> Found:
    """The answer of a clock with a number."""
    assert rule.within is not None
    assert rule.by is not None
    start, place = known.start(rule), known.where(rule)
    lacks = {str(rule.of): start is None, COUNTRY: rule.by in NATIONAL and not place.countries}
    missing = tuple(name for name, lacking in lacks.items() if lacking)
    if missing or start is None:
        return {"answer": "cannot_tell", "missing": missing, "start": start}
    if rule.until:
        return _repeated(rule, known)
    due = deadline(start, rule.within, rule.by, place=place)
    return _judged(rule, known, {"start": start, "deadline": due, "sent": _report(rule, known)})


def _report(rule: Rule, known: Known) -> datetime | None:
    """When the duty was done: the first report under its name, or the stamp of the act."""
    if rule.done:
        return known.stamps.get(rule.done)
    return next(iter(known.sent((rule.report,))), None)


def _judged(rule: Rule, known: Known, found: dict[str, Any]) -> dict[str, Any]:
    due, until = found["deadline"], found["sent"] or known.now
    assert until is not None
    late = seconds_after(due, until)
    if late > 0 and rule.done and not found["sent"]:
        return {**found, "answer": "cannot_tell", "missing": (rule.done,)}
    answer = "late_by" if late > 0 else "met" if found["sent"] else "not_yet_due"
    counted = f"{rule.within} by {rule.by} from {rule.of} ({shown(found['start'])}), due {shown(due)}"
    counted += f", sent {shown(found['sent'])}" if found["sent"] else ""
    return {**found, "answer": answer, "seconds": abs(late), "because": counted}


def seconds_after(due: datetime, at: datetime) -> float:
    """Whole seconds from a deadline to a moment; the deadline's own second is in time."""
    return (at.astimezone(UTC).replace(microsecond=0) - due.astimezone(UTC)).total_seconds()


def _repeated(rule: Rule, known: Known) -> Found:
    """A limit that starts anew at each report, until a stamp: what came after it counts no more."""
    assert rule.of is not None
    end = known.stamps.get(str(rule.until))
    then = replace(known, now=end) if end else known
    reports = then.sent(rule.of.reports)
    links = [_link(rule, then, pair) for pair in pairwise([*reports, None])]
    late = [one for one in links if one["answer"] == "late_by"]
    if late:
        return max(late, key=lambda one: (one["sent"] is None, one["seconds"]))
    if end is None:
        return links[-1]
    over = {"answer": "no_rule_matched", "because": f"{rule.until} before the next report fell due"}
    return links[-2] if len(reports) > 1 else over


def _link(rule: Rule, known: Known, pair: tuple[datetime | None, datetime | None]) -> dict[str, Any]:
    start, sent = pair
    assert start is not None
    assert rule.within is not None
    assert rule.by is not None
    due = deadline(start, rule.within, rule.by, place=known.where(rule))
    return _judged(rule, known, {"start": start, "deadline": due, "sent": sent})


_STEPS: tuple[Callable[[Rule, Known], Found], ...] = (
    _no_match, _out_of_force, _facts, _another_number, _counsel, _bites, _transition, _clockless, _counted,
)  # fmt: skip
"""In this order; the first that has an answer gives it."""
