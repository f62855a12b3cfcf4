"""Linter of why-trees and action plans: every flaw with its place, its reason and a hint.

The rules come from what is known to go wrong with asking why: one path and one root cause (Card, *BMJ Qual Saf*
2017;26:671), an end at human error, hindsight, answers nobody checked, and actions that nobody owns or tests.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from rca.errors import InvalidCase, Problem
from rca.record.files.yaml_document import near, show
from rca.record.schema.corrective_action import CorrectiveAction, named
from rca.record.schema.why_tree import Factor, Question, Why
from rca.record.why_tree.blameless import BLAME, HUMAN_ERROR, ONE_ROOT, people_in
from rca.record.why_tree.evidence import Known
from rca.record.why_tree.views import Edge, distinct, steps, unaddressed

GRAVE = ("sev1", "sev2")
"""Severities at which a trigger is not left to people's attention alone."""

FEW_WORDS = 4
"""Words that a test needs at least to say what is done and what is seen."""

VAGUE = re.compile(
    r"\s*(be (more )?careful|pay (more )?attention|remember|try to|consider|investigate|think about|improve|look into|"
    r"raise awareness|communicate better)\b",
    re.IGNORECASE,
)
"""How actions begin that nobody can test."""


@dataclass(frozen=True, kw_only=True)
class Flaw(Problem):
    """A rule that a tree or a plan breaks: which, where, why that matters, and what to try."""

    rule: str


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """Input of the rules: trees, actions, and what is known of the case.

    Attributes
    ----------
    known : Known or None
        What evidence can point at; None where that is not known, and only its absence is a flaw.
    severity : str
    noticed : datetime or None
        When it was noticed: nothing later can have brought it about.
    """

    trees: tuple[Why, ...]
    actions: tuple[CorrectiveAction, ...] = ()
    known: Known | None = None
    severity: str = "sev3"
    noticed: datetime | None = None


def lint(
    whys: "Why | Question | Iterable[Why | Question]",
    actions: Iterable[CorrectiveAction] = (),
    *,
    known: Known | None = None,
    severity: str = "sev3",
    noticed: datetime | None = None,
) -> tuple[Flaw, ...]:
    """Check a why-tree and the planned actions; every flaw that is found.

    Parameters
    ----------
    whys : Why, Question, or a sequence of them
    actions : iterable of CorrectiveAction
    known : Known, optional
        What evidence can cite, as `Known.of` collects it of a case.
    severity : str
    noticed : datetime, optional
        When the incident was noticed.

    Raises
    ------
    InvalidCase
        If what is given is no tree, or no plan.

    Examples
    --------
    >>> tree = Why(question="Why did it fail?", answer=Factor(statement="Operator error", evidence=("timeline.onset",)))
    >>> [flaw.rule for flaw in lint(tree)][:2]
    ['ends_at_a_person', 'one_path']
    """
    trees, planned = trees_of(whys), several(actions, CorrectiveAction, place="actions")
    asked = Inquiry(trees=trees, actions=planned, known=known, severity=severity, noticed=noticed)
    if not trees:
        what = "no why is on record"
        return (Flaw(rule="no_tree", place="whys", what=what, hint="begin with the question the incident raises"),)
    found = [flaw for step in steps(trees) for rule in OF_A_WHY for flaw in rule(step, asked)]
    found += [flaw for rule in OF_THE_WHOLE for flaw in rule(asked)]
    found += [flaw for place, action in _placed(asked) for rule in OF_AN_ACTION for flaw in rule(action, place, asked)]
    return tuple(dict.fromkeys(found))


def trees_of(given: "Why | Question | Iterable[Why | Question]") -> tuple[Why, ...]:
    """Whys, unanswered ones among them."""
    whys = several(given, Why | Question, place="whys")
    return tuple(one.open() if isinstance(one, Question) else one for one in whys)


def several(given: Any, kind: Any, *, place: str) -> tuple[Any, ...]:
    """One or many of a kind, as many.

    Raises
    ------
    InvalidCase
        If one is of another.
    """
    one = isinstance(given, kind | str) or not isinstance(given, Iterable)
    many = (given,) if one else tuple(given)
    if odd := [each for each in many if not isinstance(each, kind)]:
        hint = "give whys as `rca.why(…).because(…)` makes them, and actions as CorrectiveAction"
        wanted = " or ".join(each.__name__ for each in get_args(kind) or (kind,))
        raise InvalidCase.because(f"{place} must be {wanted}, got {type(odd[0]).__name__}", place=place, hint=hint)
    return many


def _placed(asked: Inquiry) -> Iterator[tuple[str, CorrectiveAction]]:
    return ((f"actions[{at}]", action) for at, action in enumerate(asked.actions))


# --- of one why ------------------------------------------------------------------------------------------------------


def _question(step: Edge, _: Inquiry) -> Iterator[Flaw]:
    asked, place = step.why.question.strip(), f"{step.place}.question"
    if not asked.endswith("?") or len(asked.split()) < 2:
        hint = "ask it in words, with a question mark: Why did …?"
        yield Flaw(rule="no_question", place=place, what=f"{show(asked)} is no question", hint=hint)
    elif re.match(r"who\b", asked, re.IGNORECASE):
        hint = "ask what made it possible, or how it came about"
        yield Flaw(rule="asks_who", place=place, what=f"{show(asked)} asks for a person", hint=hint)


def _is_open(step: Edge, _: Inquiry) -> Iterator[Flaw]:
    if step.why.answer is None:
        what = f"{show(step.why.question)} is not answered"
        hint = "answer it at the meeting, or say in `no_action` of the answer above why the asking stops there"
        yield Flaw(rule="open", place=step.place, what=what, hint=hint)


def _has_evidence(step: Edge, asked: Inquiry) -> Iterator[Flaw]:
    answer, place = step.why.answer, f"{step.place}.answer.evidence"
    if answer is None:
        return
    given = [one for one in answer.evidence if one.strip()]
    if not given:
        what = f"nothing is said to show that {show(answer.statement)}"
        hint = "name a finding, an event of the timeline, or a document in `sources/`"
        yield Flaw(rule="no_evidence", place=place, what=what, hint=hint)
    yield from _unknown(given, place, asked)


def _unknown(given: Iterable[str], place: str, asked: Inquiry) -> Iterator[Flaw]:
    known = asked.known
    for one in given if known is not None else ():
        if known is not None and one not in known:
            what = f"{show(one)} is no finding, event or file of this case"
            yield Flaw(rule="unknown_evidence", place=place, what=what, hint=known.hint(one))


def _claims_no_more(step: Edge, asked: Inquiry) -> Iterator[Flaw]:
    """An answer marked as shown, whose findings are not."""
    answer = step.why.answer
    if answer is None or answer.strength != "shown" or asked.known is None:
        return
    cited = [asked.known.findings[one] for one in answer.evidence if one in asked.known.findings]
    if cited and len(cited) == len(answer.evidence) and "shown" not in cited:
        what = f"{show(answer.statement)} is called shown, and what it cites is {cited[0]} at most"
        yield Flaw(rule="overclaimed", place=f"{step.place}.answer.strength", what=what, hint=f"write {cited[0]}")


def _says_something(step: Edge, _: Inquiry) -> Iterator[Flaw]:
    answer = step.why.answer
    if answer is None:
        return
    place, said = f"{step.place}.answer.statement", named(answer.statement)
    if not said:
        yield Flaw(rule="empty", place=place, what="the answer is empty", hint="leave `answer` out while it is open")
    elif said in re.sub(r"^why (did|was|were|does|is|are) |\?$", "", named(step.why.question)):
        what = f"{show(answer.statement)} repeats the question"
        yield Flaw(rule="repeats_the_question", place=place, what=what, hint="say what brought it about")


def _blameless(step: Edge, _: Inquiry) -> Iterator[Flaw]:
    answer, place = step.why.answer, f"{step.place}.answer.statement"
    if answer is None:
        return
    person, blame = HUMAN_ERROR.search(answer.statement), BLAME.search(answer.statement)
    if person and not step.why.whys:
        what = f"the asking ends at a person ({show(person[0])})"
        hint = "ask on: what made the slip easy, and what should have caught it?"
        yield Flaw(rule="ends_at_a_person", place=place, what=what, hint=hint)
    elif blame:
        what = f"{show(blame[0])} judges in hindsight"
        yield Flaw(rule="blame", place=place, what=what, hint="say what was known and done then, and why it made sense")


def _nobody_named(step: Edge, _: Inquiry) -> Iterator[Flaw]:
    held = [step.why.question, *([step.why.answer.statement] if step.why.answer else [])]
    held += [one.statement for one in step.why.rejected] + [one.statement for one in step.why.candidates]
    for name in dict.fromkeys(name for text in held for name in people_in(text)):
        yield Flaw(rule="named_person", place=step.place, what=f"{show(name)} is a person", hint="write the role")


def _in_time(step: Edge, asked: Inquiry) -> Iterator[Flaw]:
    answer = step.why.answer
    if answer is None or answer.at is None:
        return
    effect = next((one.answer for one in reversed(step.above) if one.answer and one.answer.at), None)
    before = effect.at if effect else asked.noticed
    if before is not None and answer.at > before:
        of = show(effect.statement) if effect else "the moment at which the incident was noticed"
        what = f"{show(answer.statement)} ({answer.at.isoformat()}) comes after its effect, {of} ({before.isoformat()})"
        hint = "a cause comes before its effect; one of the times, or the order, is wrong"
        yield Flaw(rule="cause_after_effect", place=f"{step.place}.answer.at", what=what, hint=hint)


def _not_in_circles(step: Edge, _: Inquiry) -> Iterator[Flaw]:
    answer = step.why.answer
    above = {named(name) for one in step.above if one.answer for name in one.answer.names}
    if answer is not None and above & {named(name) for name in answer.names}:
        what = f"{show(answer.statement)} is given as its own cause"
        yield Flaw(rule="circle", place=f"{step.place}.answer", what=what, hint="one of the two is another factor")
    if named(step.why.question) in {named(one.question) for one in step.above}:
        what = f"{show(step.why.question)} was asked above already"
        yield Flaw(rule="asked_again", place=f"{step.place}.question", what=what, hint="ask about the answer above it")


def _side_by_side(step: Edge, _: Inquiry) -> Iterator[Flaw]:
    told = [named(one.answer.statement) for one in step.why.whys if one.answer]
    for said in sorted({one for one in told if told.count(one) > 1}):
        what = f"{show(said)} is given twice under one answer"
        yield Flaw(rule="twice", place=f"{step.place}.whys", what=what, hint="leave one of them out")
    if step.why.join == "or" and len(step.why.whys) < 2:
        what = "`join: or` with fewer than two whys"
        yield Flaw(rule="lonely_or", place=f"{step.place}.join", what=what, hint="name the other that would do as well")


def _rejected(step: Edge, asked: Inquiry) -> Iterator[Flaw]:
    for at, one in enumerate(step.why.rejected):
        place = f"{step.place}.rejected[{at}]"
        if not one.because.strip():
            what = f"{show(one.statement)} is rejected without a reason"
            yield Flaw(rule="rejected_without_reason", place=place, what=what, hint="fill in `because`")
        if not one.evidence:
            what = f"nothing is said to show that it is not {show(one.statement)}"
            yield Flaw(rule="rejected_without_evidence", place=place, what=what, hint="name what rules it out")
        yield from _unknown(one.evidence, f"{place}.evidence", asked)


OF_A_WHY: tuple[Callable[[Edge, Inquiry], Iterator[Flaw]], ...] = (
    _question, _is_open, _has_evidence, _claims_no_more, _says_something, _blameless, _nobody_named, _in_time,
    _not_in_circles, _side_by_side, _rejected,
)  # fmt: skip

# --- of the whole ----------------------------------------------------------------------------------------------------


def _branches(asked: Inquiry) -> Iterator[Flaw]:
    if len(asked.trees) == 1 and all(len(one.whys) < 2 for one in asked.trees[0].walk()):
        hint = "ask at each answer what else had to be so: what let it happen, and why nothing showed it"
        yield Flaw(rule="one_path", place="whys", what="there is one path to one cause", hint=hint)
    for step in steps(asked.trees):
        if step.why.answer and (hit := ONE_ROOT.search(step.why.answer.statement)):
            what, place = f"{show(hit[0])} is claimed", f"{step.place}.answer.statement"
            yield Flaw(rule="one_root", place=place, what=what, hint="name a contributing factor among others")


def _something_rejected(asked: Inquiry) -> Iterator[Flaw]:
    rejected = [one for step in steps(asked.trees) for one in step.why.rejected]
    if not rejected:
        hint = "put on record under `rejected` what was suspected and ruled out, and by what"
        yield Flaw(rule="nothing_rejected", place="whys", what="no other answer was looked at", hint=hint)
    told = {named(factor.statement) for factor in distinct(asked.trees)}
    for one in rejected:
        if named(one.statement) in told:
            what = f"{show(one.statement)} is rejected, and an answer too"
            yield Flaw(rule="rejected_and_told", place="whys", what=what, hint="decide, and leave one of them out")


def _roles(asked: Inquiry) -> Iterator[Flaw]:
    found = distinct(asked.trees)
    for role, hint in (
        ("trigger", "mark with `role: trigger` what set it off"),
        ("latent", "mark with `role: latent` what lay there before and let it through"),
    ):
        if found and not any(one.role == role for one in found):
            yield Flaw(rule=f"no_{role}", place="whys", what=f"no factor is a {role} one", hint=hint)


def _names_agree(asked: Inquiry) -> Iterator[Flaw]:
    said: dict[str, str] = {}
    for step in steps(asked.trees):
        answer = step.why.answer
        if answer and answer.id and said.setdefault(answer.id, answer.statement) != answer.statement:
            what, place = f"the id {show(answer.id)} names two factors", f"{step.place}.answer.id"
            yield Flaw(rule="one_id_two_factors", place=place, what=what, hint="give each its own")


def _all_addressed(asked: Inquiry) -> Iterator[Flaw]:
    missed = unaddressed(asked.trees, asked.actions)
    for step in steps(asked.trees):
        if step.why.answer in missed:
            what = f"nothing is done about {show(_short(step.why.answer))}"
            hint = "name it in the `factors` of an action, or say in `no_action` why nothing is done"
            yield Flaw(rule="no_action", place=f"{step.place}.answer", what=what, hint=hint)


def _short(factor: Factor) -> str:
    return factor.id or factor.statement


def _strong_enough(asked: Inquiry) -> Iterator[Flaw]:
    """A trigger of a severe incident that only training is meant to prevent."""
    if asked.severity not in GRAVE:
        return
    for factor in distinct(asked.trees):
        aimed = [action for action in asked.actions if action.state != "dropped" and action.addresses(factor.names)]
        if factor.role == "trigger" and aimed and all(action.strength == "train" for action in aimed):
            what = f"only training is meant to prevent {show(_short(factor))}, of an incident of {asked.severity}"
            hint = "add an action that works without anybody's attention: eliminate, automate"
            yield Flaw(rule="too_weak", place="actions", what=what, hint=hint)


OF_THE_WHOLE: tuple[Callable[[Inquiry], Iterator[Flaw]], ...] = (
    _branches, _something_rejected, _roles, _names_agree, _all_addressed, _strong_enough,
)  # fmt: skip

# --- of one action ---------------------------------------------------------------------------------------------------


def _owned_and_dated(action: CorrectiveAction, place: str, _: Inquiry) -> Iterator[Flaw]:
    if not (action.owner or "").strip():
        what = f"nobody owns {show(action.what)}"
        yield Flaw(rule="no_owner", place=f"{place}.owner", what=what, hint="name the role or team that does it")
    for name in people_in(f"{action.owner or ''}; {action.what}"):
        what = f"{show(name)} is a person"
        yield Flaw(rule="named_person", place=place, what=what, hint="name the role or team; people move on")
    if action.due is None:
        yield Flaw(rule="no_due", place=f"{place}.due", what=f"{show(action.what)} has no date", hint="name a day")
    elif action.due_on is None:
        what = f"{show(action.due)} is no date"
        yield Flaw(rule="due_is_no_date", place=f"{place}.due", what=what, hint="write the day, such as 2026-07-15")


def _testable(action: CorrectiveAction, place: str, _: Inquiry) -> Iterator[Flaw]:
    told = [text for text in (action.test_of_effect, action.done_when) if (text or "").strip()]
    if not told:
        what = f"nothing would show that {show(action.what)} works"
        yield Flaw(rule="no_test", place=place, what=what, hint="fill in `test_of_effect`, or `done_when`")
    elif all(len(str(text).split()) < FEW_WORDS for text in told):
        what = f"{show(told[0])} is no test"
        hint = "say what is done and what has to be seen then"
        yield Flaw(rule="no_real_test", place=place, what=what, hint=hint)
    if VAGUE.match(action.what):
        what = f"{show(action.what)} is a wish"
        yield Flaw(rule="vague", place=f"{place}.what", what=what, hint="say what will be different, and where")


def _aimed(action: CorrectiveAction, place: str, asked: Inquiry) -> Iterator[Flaw]:
    if action.state != "dropped" and not action.factors:
        what = f"{show(action.what)} addresses no factor"
        yield Flaw(rule="aimless", place=f"{place}.factors", what=what, hint="name the factors it is about")
    names = [name for factor in distinct(asked.trees) for name in factor.names]
    for one in action.factors:
        if named(one) not in {named(name) for name in names}:
            what = f"{show(one)} is no factor of the tree"
            yield Flaw(rule="unknown_factor", place=f"{place}.factors", what=what, hint=near(one, names))


def _ended_well(action: CorrectiveAction, place: str, asked: Inquiry) -> Iterator[Flaw]:
    if action.state == "dropped" and not (action.reason or "").strip():
        what = f"{show(action.what)} was dropped without a reason"
        yield Flaw(rule="dropped_without_reason", place=f"{place}.reason", what=what, hint="fill in `reason`")
    if action.checked and not action.checked.held and action.state == "done":
        what = f"{show(action.what)} counts as done, and its check failed"
        yield Flaw(rule="done_and_failed", place=f"{place}.state", what=what, hint="open it again, or plan another")
    if action.checked:
        yield from _unknown(action.checked.evidence, f"{place}.checked.evidence", asked)


def _once(action: CorrectiveAction, place: str, asked: Inquiry) -> Iterator[Flaw]:
    told = [named(one.what) for one in asked.actions]
    if told.index(named(action.what)) < int(place.split("[")[1][:-1]):
        what = f"{show(action.what)} is planned twice"
        yield Flaw(rule="planned_twice", place=place, what=what, hint="leave one of them out")


OF_AN_ACTION: tuple[Callable[[CorrectiveAction, str, Inquiry], Iterator[Flaw]], ...] = (
    _owned_and_dated, _testable, _aimed, _ended_well, _once,
)  # fmt: skip


def sound(flaws: Sequence[Flaw]) -> str:
    """The flaws in a sentence.

    >>> sound(())
    'The why-tree and the plan are sound.'
    """
    if not flaws:
        return "The why-tree and the plan are sound."
    return f"{len(flaws)} to mend in the why-tree and the plan:"
