"""The block of a brief on duties to report: limits that run, what is to be known first, proof of what was sent."""

import re
from collections.abc import Iterator

from rca.record.durations import duration_in_words
from rca.record.obligations.answers import Duty
from rca.record.obligations.frameworks import frameworks
from rca.record.schema.incident import Notification
from rca.report.brief.facts import Facts
from rca.report.brief.words import sentence, when
from rca.report.postmortem.duties import NO_PROOF
from rca.report.rendering.html import escape
from rca.report.rendering.plain_text import words

MOST = 4
"""Duties that are told; the notebook has all."""


def duties(facts: Facts) -> str:
    """Limits, reports sent and frameworks; nothing where nothing was wrong and no limit runs."""
    told = running(facts)
    if not told and facts.verdict["status"] == "no_incident":
        return ""
    lines = "".join(
        f"<dt>{escape(f'{one.regime}, {one.citation}')}</dt><dd>{escape(sentence(state(one)))}</dd>"
        for one in told[:MOST]
    )
    listed = f"<dl class='open'>{lines}</dl>" if lines else "<p>No time limit runs by the facts on record.</p>"
    return listed + f"<p class='small'>{escape(' '.join(_beside(facts, len(told) - MOST)))}</p>"


def running(facts: Facts) -> list[Duty]:
    """Duties that hold, the most pressing first."""
    return [one for one in facts.duties.clear if one.answer != "not_yet_applicable"]


def state(one: Duty) -> str:
    """How a duty stands, in one clause."""
    owes = re.split(r"[;(]", one.owes)[0].strip()
    to, due = f" to the {one.to}" if one.to else "", f", due {when(one.deadline)}" if one.deadline else ""
    if one.answer == "needs_counsel":
        return f"counsel has to say: {one.because}"
    if one.sent:
        late = f", {duration_in_words(one.seconds or 0)} late" if one.answer == "late_by" else ", in time"
        return f"{owes}: sent{to} {when(one.sent)}{late}{due}"
    if one.decision:
        return one.decision
    late = f"overdue by {duration_in_words(one.seconds or 0)}" if one.overdue else "not sent yet"
    return f"{owes}{to}: {late}{due}"


def decided(facts: Facts) -> Iterator[str]:
    """Decisions to send no report that no duty tells: which one, who decided and when, and why."""
    told = [one.decision for one in running(facts)]
    for one in facts.incident.notifications:
        why = "" if one.submitted_at else one.not_reportable_because
        if why and not any(why in each for each in told):
            who = ", ".join(filter(None, (one.by, when(one.decided_at) if one.decided_at else "")))
            yield f"{_named(one)}{f' ({who})' if who else ''}: {why}"


def _named(one: Notification) -> str:
    return " ".join(filter(None, (one.regime.upper(), words(one.report_type or ""))))


def _beside(facts: Facts, left: int) -> Iterator[str]:
    asked = facts.duties.questions
    if left > 0:
        yield f"The evidence has {left} more."
    if asked:
        yield f"To be known first: {asked[0].asks[:1].lower()}{asked[0].asks[1:]}"
    for one in facts.incident.notifications:
        if one.submitted_at:
            yield f"Proof of {_named(one)}: {', '.join(one.evidence) or NO_PROOF}."
    yield from (f"Decided to send no {said}." for said in decided(facts))
    items = [one for one in frameworks(facts.incident, results=True).evidence if one.parts]
    yield f"Evidence for NIST and ISO: {sum(not one.lacking for one in items)} of {len(items)} items whole."
