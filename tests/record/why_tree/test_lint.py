"""Sound and unsound why-trees, each flaw with its message."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rca
from rca.errors import InvalidCase
from rca.finding import Finding
from rca.record.schema.corrective_action import Change, CorrectiveAction, EffectCheck
from rca.record.schema.incident import Incident
from rca.record.schema.why_tree import Factor, Rejected, Why, why
from rca.record.why_tree.evidence import Known
from rca.record.why_tree.lint import lint, sound

INCIDENT = Incident.model_validate(
    {
        "schema": 1, "id": "i", "title": "Loans refused", "severity": "sev2", "category": "other", "status": "closed",
        "systems": [{"name": "store"}],
        "impact": {"people": 3},
        "timeline": {
            "detected": "2026-03-05T00:00:00Z",
            "events": [{"at": "2026-03-01T00:00:00Z", "kind": "deploy", "what": "schema v12"}],
        },
    }
)  # fmt: skip
FINDINGS = [
    Finding(id="metric.change", notebook="drift", claim="c", strength="shown"),
    Finding(id="fault.income", notebook="drift", claim="c", strength="suggested"),
]
KNOWN = Known.of(INCIDENT, FINDINGS, ["sources/minutes.md", "graph.yaml"])
EVENT = "timeline.events:2026-03-01T00:00:00Z"
DETECTED = INCIDENT.timeline.detected


def stood_still(**keys):
    told = {"evidence": "fault.income", "role": "trigger", "category": "data", "id": "feed", **keys}
    return why("Why did the error rise?").because("Income stood still", renamed(), **told)


def renamed(*below, **keys):
    told = {"evidence": EVENT, "at": "2026-03-01T00:00:00Z", "id": "renamed", "category": "process", **keys}
    return why("Why did it stand still?").because("The feed was renamed, and the old name served on", *below, **told)


def unwatched(**keys):
    told = {"evidence": "sources/minutes.md#3", "role": "latent", "category": "process", "id": "watch", **keys}
    return (
        why("Why did nobody see it?")
        .rejecting("The campaign brought other people", because="it did 0.1 of 20 points", evidence="metric.change")
        .because("No check looks at single values", **told)
    )


def tree(*below):
    return why("Why were good applicants turned away?").because(
        "The error rate rose", *(below or (stood_still(), unwatched())), evidence="metric.change", strength="shown"
    )


def action(*factors, **keys):
    told = {
        "what": "Ring when a column stands still", "owner": "data-platform", "due": "2026-07-15", "kind": "detect",
        "test_of_effect": "A column held still rings within a day", "strength": "automate", **keys,
    }  # fmt: skip
    return CorrectiveAction(factors=factors, **told)


PLAN = (action("feed", "watch"), action("renamed", what="Stop a deploy that drops a name in use", kind="prevent"))


def flaws(trees=None, actions=PLAN, **known):
    asked = {"known": KNOWN, "severity": "sev2", "noticed": DETECTED, **known}
    return lint(tree() if trees is None else trees, actions, **asked)


def with_root(**changes):
    return tree().model_copy(update=changes)


def symptom(**changes):
    return with_root(answer=tree().answer.model_copy(update=changes))


def of(**asked):
    """What is linted, by keyword."""
    return asked


UNSOUND = {
    "no tree at all": (of(trees=()), "no_tree", "no why is on record"),
    "a question that is none": (
        of(trees=with_root(question="Good applicants were turned away")),
        "no_question", "'Good applicants were turned away' is no question"),
    "a word for a question": (of(trees=with_root(question="Why?")), "no_question", "'Why?' is no question"),
    "a question for a person": (
        of(trees=with_root(question="Who renamed the feed?")), "asks_who", "asks for a person"),
    "an open question": (
        of(trees=tree(stood_still(), unwatched(), why("Why then?"))), "open", "'Why then?' is not answered"),
    "the root without evidence": (
        of(trees=symptom(evidence=())), "no_evidence", "nothing is said to show that 'The error rate rose'"),
    "a leaf without evidence": (
        of(trees=tree(stood_still(), unwatched(evidence=()))), "no_evidence",
        "nothing is said to show that 'No check looks at single values'"),
    "blank evidence": (of(trees=symptom(evidence=(" ",))), "no_evidence", "nothing is said to show"),
    "evidence that is no finding": (
        of(trees=symptom(evidence=("metric.chnge",))), "unknown_evidence", "did you mean 'metric.change'?"),
    "evidence that is no event": (
        of(trees=tree(stood_still(), unwatched(evidence="timeline.events:2026-03-02T00:00:00Z"))),
        "unknown_evidence", "'timeline.events:2026-03-02T00:00:00Z' is no finding, event or file of this case"),
    "evidence of a day that is none": (
        of(trees=tree(stood_still(), unwatched(evidence="timeline.events:2026-13-99T00:00:00Z"))),
        "unknown_evidence", "2026-13-99"),
    "evidence that is no time": (
        of(trees=tree(stood_still(), unwatched(evidence="timeline.events:soon"))), "unknown_evidence", "soon"),
    "evidence that is no file": (
        of(trees=tree(stood_still(), unwatched(evidence="sources/mail.txt"))), "unknown_evidence", "sources/mail.txt"),
    "more claimed than found": (
        of(trees=tree(stood_still(strength="shown"), unwatched())), "overclaimed",
        "'Income stood still' is called shown, and what it cites is suggested at most"),
    "an empty answer": (of(trees=symptom(statement=" ")), "empty", "the answer is empty"),
    "an answer that repeats the question": (
        of(trees=with_root(
            question="Why were good applicants turned away?",
            answer=tree().answer.model_copy(update={"statement": "Good applicants turned away"}))),
        "repeats_the_question", "'Good applicants turned away' repeats the question"),
    "human error at a leaf": (
        of(trees=tree(stood_still(), why("Why so?").because("Human error", evidence=EVENT, role="latent"))),
        "ends_at_a_person", "the asking ends at a person ('Human error')"),
    "operator's mistake at a leaf": (
        of(trees=tree(stood_still(), why("Why so?").because("An operator's mistake", evidence=EVENT))),
        "ends_at_a_person", "what made the slip easy"),
    "carelessness at a leaf": (
        of(trees=tree(stood_still(), why("Why so?").because("Careless work on the feed", evidence=EVENT))),
        "ends_at_a_person", "'Careless'"),
    "a procedure not followed at a leaf": (
        of(trees=tree(stood_still(), why("Why so?").because("The team did not follow the procedure", evidence=EVENT))),
        "ends_at_a_person", "'did not follow the procedure'"),
    "hindsight": (
        of(trees=symptom(statement="The team should have seen it")), "blame", "'should have' judges in hindsight"),
    "guilt": (of(trees=symptom(statement="The vendor is to blame")), "blame", "'to blame'"),
    "a person named": (
        of(trees=symptom(statement="Maria Lopez renamed the feed")), "named_person", "'Maria Lopez' is a person"),
    "a person named by title": (
        of(trees=with_root(question="Why did Dr. Chen wait?")), "named_person", "'Dr. Chen' is a person"),
    "a person for an owner": (
        of(actions=(*PLAN, action("feed", what="Watch the feed", owner="john.doe@example.org"))),
        "named_person", "name the role or team"),
    "a cause after its effect": (
        of(trees=tree(stood_still(at="2026-02-01T00:00:00Z"), unwatched())), "cause_after_effect",
        "comes after its effect, 'Income stood still'"),
    "a cause after it was noticed": (
        of(trees=symptom(at=datetime(2026, 4, 1, tzinfo=UTC))), "cause_after_effect",
        "the moment at which the incident was noticed"),
    "a circle": (
        of(trees=tree(why("Why so?").because("the error rate rose.", evidence=EVENT), unwatched())), "circle",
        "'the error rate rose.' is given as its own cause"),
    "a question asked again": (
        of(trees=tree(why("Why were good applicants turned away?").because("x y", evidence=EVENT), unwatched())),
        "asked_again", "was asked above already"),
    "one answer twice": (of(trees=tree(stood_still(), unwatched(), unwatched())), "twice", "is given twice"),
    "an or with one arm": (of(trees=with_root(whys=(stood_still(),), join="or")), "lonely_or", "fewer than two whys"),
    "rejected without a reason": (
        of(trees=with_root(rejected=(Rejected(statement="Load", evidence=(EVENT,)),))), "rejected_without_reason",
        "'Load' is rejected without a reason"),
    "rejected without evidence": (
        of(trees=with_root(rejected=(Rejected(statement="Load", because="it was low"),))),
        "rejected_without_evidence", "nothing is said to show that it is not 'Load'"),
    "rejected on unknown evidence": (
        of(trees=with_root(rejected=(Rejected(statement="Load", because="low", evidence=("x.y",)),))),
        "unknown_evidence", "'x.y' is no finding"),
    "one path": (of(trees=tree(stood_still())), "one_path", "there is one path to one cause"),
    "the root cause": (
        of(trees=symptom(statement="The rename is the root cause")), "one_root", "'the root cause' is claimed"),
    "nothing rejected": (
        of(trees=tree(stood_still(), unwatched().model_copy(update={"rejected": ()}))), "nothing_rejected",
        "no other answer was looked at"),
    "rejected and told": (
        of(trees=with_root(rejected=(Rejected(statement="Income stood still", because="b", evidence=(EVENT,)),))),
        "rejected_and_told", "'Income stood still' is rejected, and an answer too"),
    "no trigger": (of(trees=tree(stood_still(role="contributing"), unwatched())), "no_trigger", "is a trigger"),
    "nothing latent": (of(trees=tree(stood_still(), unwatched(role="contributing"))), "no_latent", "is a latent"),
    "one id for two factors": (
        of(trees=tree(stood_still(), unwatched(id="feed"))), "one_id_two_factors", "the id 'feed' names two factors"),
    "a factor without an action": (
        of(actions=PLAN[:1]), "no_action", "nothing is done about 'renamed'"),
    "a factor whose action was dropped": (
        of(actions=(*PLAN[:1], action("renamed", what="Stop it", state="dropped", reason="too dear"))), "no_action",
        "nothing is done about 'renamed'"),
    "training alone for a grave trigger": (
        of(actions=(action("feed", "watch", "renamed", strength="train"),)), "too_weak",
        "only training is meant to prevent 'feed', of an incident of sev2"),
    "an action without an owner": (
        of(actions=(*PLAN, action("feed", what="Watch it", owner=None))), "no_owner", "nobody owns 'Watch it'"),
    "an action without a date": (of(actions=(*PLAN, action("feed", what="Watch it", due=None))), "no_due", "no date"),
    "a date that is none": (
        of(actions=(*PLAN, action("feed", what="Watch it", due="soon"))), "due_is_no_date", "'soon' is no date"),
    "an action without a test": (
        of(actions=(*PLAN, action("feed", what="Watch it", test_of_effect=None))), "no_test",
        "nothing would show that 'Watch it' works"),
    "a test that tests nothing": (
        of(actions=(*PLAN, action("feed", what="Watch it", test_of_effect="It works"))), "no_real_test",
        "'It works' is no test"),
    "a wish": (of(actions=(*PLAN, action("feed", what="Be more careful with feeds"))), "vague", "is a wish"),
    "an action without an aim": (
        of(actions=(*PLAN, action(what="Watch it"))), "aimless", "'Watch it' addresses no factor"),
    "an action aimed at nothing": (
        of(actions=(*PLAN, action("fed", what="Watch it"))), "unknown_factor", "did you mean 'feed'?"),
    "dropped without a reason": (
        of(actions=(*PLAN, action("feed", what="Watch it", state="dropped"))), "dropped_without_reason", "was dropped"),
    "done, and it did not work": (
        of(actions=(*PLAN, action("feed", what="Watch it", state="done",
                                    checked=EffectCheck(at="2026-08-01T00:00:00Z", held=False)))),
        "done_and_failed", "counts as done, and its check failed"),
    "checked by nothing known": (
        of(actions=(*PLAN, action("feed", what="Watch it", state="done",
                                    checked=EffectCheck(at="2026-08-01T00:00:00Z", held=True, evidence=("z.z",))))),
        "unknown_evidence", "'z.z' is no finding"),
    "planned twice": (of(actions=(*PLAN, PLAN[0])), "planned_twice", "is planned twice"),
}  # fmt: skip

SOUND = {
    "the tree as it is": {},
    "a deep path is as good": of(trees=tree(stood_still(), unwatched(no_action="watched by hand until then").then(
        why("Why by hand?").because("It has no hooks", evidence="graph.yaml", category="code", no_action="bought")))),
    "either of two was enough": of(trees=with_root(join="or")),
    "two trees": of(trees=(stood_still(), unwatched())),
    "a reason for no action": of(trees=tree(stood_still(), unwatched(no_action="replaced next month")),
                                   actions=(action("feed"), PLAN[1])),
    "addressed by its statement": of(actions=(action("feed", "no check looks at single values"), PLAN[1])),
    "training beside something stronger": of(
        actions=(*PLAN, action("feed", what="Teach the signs", strength="train"))),
    "training alone where it is not grave": of(
        severity="sev4", actions=(action("feed", "watch", "renamed", strength="train"),)),
    "a slip with what made it easy under it": of(trees=tree(
        stood_still().model_copy(update={"whys": (renamed(why("Why was it easy?").because(
            "Both names look alike", evidence="graph.yaml", no_action="one of them is gone"),
        ).model_copy(update={"answer": renamed().answer.model_copy(update={"statement": "A typo in the name"})}),)}),
        unwatched())),
    "done, checked and held": of(actions=(*PLAN[:1], PLAN[1].model_copy(update={
        "state": "done", "checked": EffectCheck(at="2026-08-01T00:00:00Z", held=True, evidence=("metric.change",)),
        "history": (Change(at="2026-07-20T00:00:00Z", state="done"),)}))),
    "dropped with a reason": of(actions=(*PLAN, action(what="Buy a store", state="dropped", reason="too dear"))),
    "a moment for evidence": of(trees=tree(stood_still(), unwatched(evidence=("timeline.detected", "systems.store")))),
    "what it did to people for evidence": of(trees=symptom(evidence=("impact.people",))),
    "done when, without another test": of(actions=(PLAN[0], PLAN[1].model_copy(update={
        "test_of_effect": None, "done_when": "A deploy that drops a name is refused"}))),
}  # fmt: skip


@pytest.mark.parametrize(("given", "rule", "message"), UNSOUND.values(), ids=UNSOUND)
def test_an_unsound_tree_is_told_its_flaw(given, rule, message):
    found = [flaw for flaw in flaws(**given) if flaw.rule == rule]
    assert found, [str(flaw) for flaw in flaws(**given)]
    assert any(message in str(flaw) for flaw in found), [str(flaw) for flaw in found]
    assert all(flaw.place and flaw.hint is not None for flaw in found)


@pytest.mark.parametrize("given", SOUND.values(), ids=SOUND)
def test_a_sound_tree_passes(given):
    assert [str(flaw) for flaw in flaws(**given)] == []


def test_there_are_thirty_unsound_trees_and_ten_sound_ones():
    assert len(UNSOUND) >= 30
    assert len(SOUND) >= 10
    assert len({rule for _, rule, _ in UNSOUND.values()}) >= 30


def test_a_flaw_has_the_place_that_it_has_in_the_record():
    (flaw,) = [one for one in flaws(tree(stood_still(), unwatched(evidence=()))) if one.rule == "no_evidence"]
    assert flaw.place == "whys[0].whys[1].answer.evidence"


def test_where_nothing_is_known_of_a_case_its_evidence_is_taken_as_it_is():
    assert not [flaw for flaw in flaws(symptom(evidence=("anything",)), known=None) if "evidence" in flaw.rule]
    assert sound(()).endswith("are sound.")
    assert sound(flaws(())).startswith("1 to mend")


NAMES = st.sampled_from(["metric.change", "fault.income", EVENT, "sources/minutes.md", "timeline.detected"])


@st.composite
def trees(draw, depth=3):
    """Trees whose every edge is supported."""
    below = draw(st.lists(trees(depth=depth - 1), max_size=2)) if depth else []
    statement = " ".join(
        draw(
            st.lists(
                st.sampled_from(["feed", "store", "name", "column", "rose", "fell", "stopped"]), min_size=2, max_size=6
            )
        )
    )
    answer = Factor(statement=statement, evidence=tuple(draw(st.lists(NAMES, min_size=1, max_size=2))))
    return Why(question=f"Why {statement}?", answer=answer, whys=tuple(below))


def without_support(tree, place, evidence):
    """The tree with the evidence of its place-th why replaced."""
    count = iter(range(10_000))

    def again(one):
        answer = one.answer.model_copy(update={"evidence": evidence}) if next(count) == place else one.answer
        return one.model_copy(update={"answer": answer, "whys": tuple(map(again, one.whys))})

    return again(tree)


@settings(max_examples=60, deadline=None)
@given(
    tree=trees(), place=st.integers(0, 100), evidence=st.sampled_from([(), ("",), ("harm.nothing",), ("sources/no",)])
)
def test_no_tree_is_sound_with_a_single_unsupported_edge(tree, place, evidence):
    rules = {"no_evidence", "unknown_evidence"}
    assert not rules & {flaw.rule for flaw in flaws(tree)}
    broken = without_support(tree, place % len(tuple(tree.walk())), evidence)
    assert len([flaw for flaw in flaws(broken) if flaw.rule in rules]) == 1


@pytest.mark.parametrize("given", [None, "x", 3, ["x"]], ids=str)
def test_what_is_no_tree_is_refused(given):
    with pytest.raises(InvalidCase, match="whys must be Why or Question, got "):
        lint(given)


def test_what_is_no_action_is_refused():
    with pytest.raises(InvalidCase, match=r"actions must be CorrectiveAction, got str"):
        lint((), ["fix"])


def test_a_question_that_waits_for_its_answer_is_an_open_tree():
    assert lint(rca.why("Why did it fail?")) == lint(rca.why("Why did it fail?").open())
