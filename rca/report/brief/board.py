"""One page for a board: situation, task, action, result, risk, and the decision that is asked for; without jargon."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rca.record.schema.corrective_action import CorrectiveAction
from rca.record.schema.incident import Incident
from rca.record.why_tree.blameless import nameless, without_people
from rca.report.brief.blocks import unknown_lines
from rca.report.brief.duties import decided, running, state
from rca.report.brief.facts import Facts
from rca.report.brief.verdict import badge, verdict
from rca.report.brief.words import FEWEST_TRIALS, clause, counted, day, rounded, sentence
from rca.report.rendering.document import Block, Document, Grid, Heading, Line, Note
from rca.report.rendering.plain_text import count, words

ANALOGIES = {
    "frozen": "a clock that has stopped: it still shows a time, and nobody notices until a train is missed",
    "default_value": "a form in which every missing answer was filled in with the same word",
    "scaled": "scales that show pounds while everybody reads kilograms",
    "shifted": "a clock that was set an hour wrong: everything after it is late by the same hour",
    "missing": "a file from which one page has been taken, and which is judged all the same",
    "recoded": "drawers whose labels were changed while the clerks went on by the old ones",
    "new_values": "a clerk who is handed a form in a language that nobody taught",
    "swapped": "salt and sugar in each other's jars",
    "stale": "somebody who decides by last week's newspaper",
    "clipped": "a speedometer that ends at a hundred: beyond it, every speed looks the same",
    "truncated": "a price tag whose last digits were cut off",
    "retyped": "a sum that was written out in words, and that the till cannot add",
    "distribution": "a shop whose customers have changed while its shelves have not",
    "concept": "an examiner who marks by last year's answers",
    "mechanism": "a recipe of which one step is done otherwise, with the same ingredients",
    "model": "the same papers handed to another examiner, who marks otherwise",
    "slice": "a bridge that holds, but for one lane",
    "component": "the first of a row of dominoes: those that fell last make the most noise",
    "rows": "a vote in which some were counted twice, or not at all",
    "labels": "a league table before half of the results have come in",
    "no_incident": "a smoke alarm that rang at the steam of a kettle",
    "cannot_tell": "a film of which the decisive minute is missing",
}
"""How a failure can be pictured: by the fault, else by the kind of the cause, else by the verdict."""

PLAIN = {
    "false positive rate": "share of wrong alarms", "false negative rate": "share of missed cases",
    "error rate": "share of wrong answers", "false positives": "wrong alarms", "false negatives": "missed cases",
    "log loss": "error of the forecasts", "percentage points": "points", "95 % interval": "range",
    "confidence interval": "range", "onset": "start", "mitigation": "relief", "mitigated": "relieved",
    "eradicated": "removed", "schema": "layout of the data", "deployment": "release", "deployed": "released",
    "deploys": "releases", "deploy": "release", "rollback": "return to the earlier version",
    "rolled back": "set back to the earlier version", "pipeline": "chain of programs", "metric": "measure",
    "latency": "delay", "throughput": "amount handled", "feature-store": "data store", "feature store": "data store",
    "retrained": "taught anew", "retraining": "teaching anew", "config": "settings", "drifted": "moved",
    "drift": "slow change", "drift alarm": "alarm for slow changes",
    "anomaly": "odd value", "baseline": "usual value", "outlier": "odd value",
    "p-value": "chance", "classifier": "model", "dataset": "data", "timestamp": "time", "API": "interface",
    "CSIRT or competent authority": "competent authority",
    "inference": "answering", "hotfix": "quick repair", "monitor rang": "alarm rang",
}  # fmt: skip
"""Words of the trade → what a board reads in their place."""

_LONGEST_FIRST = "|".join(map(re.escape, sorted(PLAIN, key=len, reverse=True)))

_TRADE = re.compile(rf"(?<![\w-])({_LONGEST_FIRST})(?![\w-])", re.IGNORECASE)

_UNREAD: Mapping[str, Any] = {
    "verdict": {"status": "cannot_tell", "summary": "", "causes": [], "metric": None}, "findings": [], "unanswered": [],
}  # fmt: skip
"""What stands for results where no run is given."""

SURE = {"shown": "This was put to the test and held.", "suggested": "This is likely, and not proven."}

MOST_OPEN, MOST_DUTIES = 2, 3


def plainly(text: str) -> str:
    """A text without words of the trade.

    >>> plainly("Schema v12 was deployed; the false positive rate rose")
    'Layout of the data v12 was released; the share of wrong alarms rose'
    """

    def told(found: re.Match[str]) -> str:
        said = PLAIN.get(found[0]) or PLAIN[found[0].lower()]
        return said[0].upper() + said[1:] if found[0][0].isupper() and found[0] not in PLAIN else said

    return _TRADE.sub(told, text)


def board(incident: Incident, results: Mapping[str, Any] | None = None) -> Document:
    """The page for the board.

    Parameters
    ----------
    incident : Incident
        Names of people in it and in the results are replaced.
    results : mapping, optional
        The content of `results.json`; without it, the page tells the record alone.
    """
    found = {**_UNREAD, **without_people(dict(results or {}), incident)}
    facts = Facts(incident=nameless(incident), results=found)
    parts: tuple[tuple[str, Iterable[Block]], ...] = (
        ("Situation", _situation(facts)), ("Task", _task(facts)), ("Action", _action(facts)),
        ("Result", _result(facts, analysed=results is not None)),
        ("A picture of it", _picture(facts) if results else ()), ("What is at risk", _risk(facts)),
        ("What you are asked to decide", _decision(facts)),
    )  # fmt: skip
    blocks = [block for title, told in parts for block in _titled(title, told)]
    return Document(title=f"For the board: {plainly(facts.incident.title)}", blocks=tuple(map(_plain_block, blocks)))


def _titled(title: str, told: Iterable[Block]) -> list[Block]:
    """Blocks under their heading; nothing where there are none."""
    found = [*told]
    return [Heading(text=title), *found] if found else []


def _plain_block(block: Block) -> Block:
    if isinstance(block, Line):
        return Line(text=plainly(block.text), label=block.label)
    return Note(text=plainly(block.text)) if isinstance(block, Note) else block


# --- situation, task, action, result ---------------------------------------------------------------------------------


def _situation(facts: Facts) -> Iterator[Block]:
    incident = facts.incident
    model = next((one for one in incident.systems if one.name == incident.model_name), None)
    if model is not None and model.intended_use:
        yield Line(label="What the system is for", text=sentence(model.intended_use))
    if incident.summary:
        yield Line(label="What happened", text=incident.summary)
    if facts.verdict["status"] != "cannot_tell" and not facts.is_cascade:
        yield Line(label="What the data say", text=verdict(facts))
    elif facts.because:
        yield Line(label="What the data say", text=sentence(facts.because))
    unseen, harm = facts.between("onset", "detected"), facts.between("onset", "contained")
    if harm and facts.verdict["status"] != "no_incident":
        least = "at least " * facts.at_bound
        noticed = f", {least}{rounded(unseen)} of it unnoticed" if unseen else ""
        yield Line(label="How long", text=sentence(f"{least}{rounded(harm)}{noticed}"))


def _task(facts: Facts) -> Iterator[Block]:
    quiet = facts.verdict["status"] == "no_incident"
    harm = "End the harm, find out why, put it right, and tell those who have to be told."
    yield Line(label="To be done", text="Find out whether anything was wrong." if quiet else harm)
    told = running(facts)
    for one in told[:MOST_DUTIES]:
        yield Line(label=f"Duty to report ({one.regime})", text=sentence(state(one)))
    if not told:
        asked = facts.duties.questions
        open_ = f" That may change: {count(len(asked), 'question')} of law not answered yet." if asked else ""
        yield Line(label="Duty to report", text=f"No time limit runs by what is on record.{open_}")
    yield from (Line(label="Decided to send no report", text=sentence(said)) for said in decided(facts))


def _action(facts: Facts) -> Iterator[Block]:
    debrief, moments = facts.incident.postmortem, facts.moments
    told = (
        ("detected", "Noticed", debrief.first_signal), ("contained", "Stopped", debrief.temporary_fix),
        ("recovered", "Put right", debrief.lasting_fix),
    )  # fmt: skip
    for name, label, what in told:
        if name in moments or what:
            on = day(moments[name], long=True) if name in moments else "no day on record"
            yield Line(label=label, text=sentence(f"{on}{f': {clause(what)}' if what else ''}"))
    kept, late = _plan(facts), sum(one.is_overdue(facts.incident.now) for one in facts.incident.actions)
    open_ = [one for one in kept if one.state_at(facts.incident.now) != "done"]
    yield Line(label="Measures", text=f"{len(kept)} agreed, {len(kept) - len(open_)} done, {late} overdue.")


def _plan(facts: Facts) -> list[CorrectiveAction]:
    return [one for one in facts.incident.actions if one.state != "dropped"]


def _result(facts: Facts, *, analysed: bool) -> Iterator[Block]:
    if not analysed:
        yield Note(text="The data have not been looked into for this page; it tells what people put on record.")
        return
    after, first, sure = facts.now.get("recovered"), facts.first, facts.verdict.get("confidence")
    if after:
        text = f"{facts.measure.says.format(facts.value(after['value']))}; before the failure it was "
        yield Line(label="After the repair", text=f"{text}{facts.value(facts.now['usual'])}.")
    if first is not None:
        yield Line(label="How sure the cause is", text=SURE.get(first["strength"], "This is a guess.") + _often(sure))
    ends = {"cannot_tell": "The data cannot say why it happened.", "no_incident": "Nothing harmful was found."}
    if badge(facts) in ends:
        yield Line(label="What was found", text=ends[badge(facts)])
    for asks, says in [*unknown_lines(facts)][:MOST_OPEN] if first is None else ():
        yield Line(label="Not known", text=f"{sentence(asks, '?')} {sentence(says)}")


def _often(sure: Mapping[str, Any] | None) -> str:
    if not sure:
        return ""
    if sure["of"] < FEWEST_TRIALS:
        return " How often findings of this kind are right is not known: too few were tried."
    return f" Findings of this kind were right in {sure['right']} of {sure['of']} trials."


def _picture(facts: Facts) -> Iterator[Block]:
    first = facts.first or {}
    status = facts.verdict["status"]
    known = [ANALOGIES.get(str(key)) for key in (first.get("fault"), first.get("kind"), status)]
    said = next((one for one in known if one is not None), None)
    if said is not None:
        yield Note(text=f"It is as with {said}. (A picture offered to help; it is no evidence, and proves nothing.)")


# --- risk and decision -----------------------------------------------------------------------------------------------


def _risk(facts: Facts) -> Iterator[Block]:
    known, now = facts.incident.impact, facts.now
    would, above = now.get("otherwise"), now.get("above")
    rows = (
        ("People", known.people, None),
        ("Wrong decisions", known.wrong, known.wrong_interval),
        ("Of them more than in usual times", above if above and above <= (known.wrong or 0) else None, None),
        ("Decisions that would have been others", would and would["rows"], would and would["interval"]),
        ("Money", known.money, known.money_interval),
        ("Penalties", known.penalties, known.penalties_interval),
    )
    kept = [row for row in rows if row[1] is not None or row[0] in ("People", "Money", "Penalties")]
    told = tuple((what, _amount(much), _between(ends) or "no range on record") for what, much, ends in kept)
    yield Grid(head=("What", "How much", "Between"), rows=told)


def _amount(said: float | str | None) -> str:
    return "not on record" if said is None else plainly(said) if isinstance(said, str) else counted(said)


def _between(ends: Any) -> str:
    return " and ".join(counted(end) for end in ends) if ends else ""


def _decision(facts: Facts) -> Iterator[Block]:
    asked = facts.incident.postmortem.decision
    if asked is not None:
        yield Note(text=sentence(asked.asked, "?"))
        options = list(asked.options)
    else:
        yield Note(
            text="Which of these do you take, and who answers for it? (From the plan; the record asks nothing else.)"
        )
        options = [*_options(facts)]
    yield from (Line(label=f"Option {'ABCDEFGHIJ'[at % 10]}", text=sentence(one)) for at, one in enumerate(options))
    late = [one for one in running(facts) if one.overdue]
    if late:
        text = f"{count(len(late), 'report')} to authorities overdue: send, or decide not to and say why."
        yield Line(label="Whatever you choose", text=text)


def _options(facts: Facts) -> Iterator[str]:
    if facts.verdict["status"] == "no_incident":
        yield "leave the alarm as it is, and accept that it rings for nothing at times"
        yield "have the alarm adjusted, and accept that it may ring later"
        return
    open_ = [one for one in _plan(facts) if one.state_at(facts.incident.now) != "done"]
    if not open_:
        yield "close the case: no measure is open on record"
        yield "keep it open, and ask for measures against its happening again"
        return
    last = max((one.due for one in open_ if one.due), default="")
    by = f" by {day(f'{last}T00:00:00+00:00', long=True)}" if last else ", for which no date is on record"
    who = ", ".join(dict.fromkeys(words(one.owner or "nobody yet") for one in open_))
    yield f"go on as now, and have {count(len(open_), 'open measure')} done{by} ({who}); until then it can happen again"
    yield "go on, with a check by people of what the system decides until then; what that costs is not on record"
    yield "switch the system off until then; what that costs is not on record"
