"""Why-trees and corrective actions."""

import pytest
from pydantic import ValidationError

from rca.errors import InvalidCase, Unanswerable
from rca.finding import Finding
from rca.record.schema.corrective_action import CorrectiveAction
from rca.record.schema.why_tree import Factor, Why, why
from rca.record.why_tree.views import (
    MOST_SETS,
    cut_sets,
    distinct,
    fishbone,
    guard_sets,
    longest_path,
    paths,
    to_address,
    unaddressed,
)

STEPS = [
    ("Why were good applicants turned away?", Factor(statement="The model saw no income", role="trigger")),
    ("Why did it see none?", Factor(statement="The feed had stopped", evidence=("drift.income",))),
    ("Why did nobody notice?", Factor(statement="No check watches the feed", role="latent")),
]


def test_a_chain_is_one_path_from_the_symptom_down():
    chain = Why.chain(STEPS)
    assert [(why.question, why.answer) for why in chain.path()] == STEPS
    assert chain.path()[-1].whys == ()


def test_a_chain_needs_a_step():
    with pytest.raises(ValueError, match="at least one step"):
        Why.chain([])


def test_the_path_of_a_tree_follows_the_first_branch():
    side = Why(question="Why else?", answer=STEPS[2][1])
    tree = Why(question="Why?", answer=STEPS[0][1], whys=(Why.chain(STEPS[1:]), side))
    assert [why.question for why in tree.path()] == ["Why?", STEPS[1][0], STEPS[2][0]]


def test_a_tree_goes_through_json_and_comes_back():
    tree = Why.chain(STEPS)
    assert Why.model_validate_json(tree.model_dump_json()) == tree


@pytest.mark.parametrize(
    "factor",
    [{}, {"statement": "s", "role": "root cause"}, {"statement": "s", "blame": "someone"},
     {"statement": "s", "at": 1777723200}, {"statement": "s", "at": "2026-05-02T12:00:00"}],
)  # fmt: skip
def test_a_factor_that_is_none_is_refused(factor):
    with pytest.raises(ValidationError):
        Factor.model_validate(factor)


def test_what_nobody_has_shown_is_assumed():
    assert Factor(statement="s").strength == "assumed"


def test_a_due_date_is_kept_as_it_was_written():
    from datetime import date

    dates = [CorrectiveAction.model_validate({"what": "watch the feed", "due": due}).due
             for due in ("2026-06-01", date(2026, 6, 1), "next sprint", None)]  # fmt: skip
    assert dates == ["2026-06-01", "2026-06-01", "next sprint", None]


def test_an_action_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        CorrectiveAction(what="watch the feed").state = "done"


# --- built in a notebook ---------------------------------------------------------------------------------------------


def test_a_tree_is_built_as_it_is_said():
    tree = (
        why("Why did it fail?")
        .rejecting("Load", because="load was low", evidence="drift.load")
        .because("It was full", why("Why was it full?").asking("ops").perhaps("A log grew"), evidence=["a.b", "c.d"])
    )
    assert tree.answer.evidence == ("a.b", "c.d")
    assert [(one.question, one.ask, one.candidates[0].statement) for one in tree.open()] == [
        ("Why was it full?", "ops", "A log grew")
    ]
    assert tree.rejected[0].because == "load was low"


def test_a_finding_is_evidence_by_its_id():
    finding = Finding(id="drift.income", notebook="drift", claim="c")
    answers = [why("Why so?").because("s", evidence=given).answer for given in (finding, [finding, "graph.yaml"])]
    assert [answer.evidence for answer in answers] == [("drift.income",), ("drift.income", "graph.yaml")]


def test_an_answer_with_evidence_is_suggested_and_without_assumed():
    assert [why("Why so?").because("s", evidence=given).answer.strength for given in ("a", ())] == [
        "suggested",
        "assumed",
    ]


def test_more_whys_are_put_under_an_answer():
    tree = why("Why so?").because("s", join="or").then(why("Why s?"), why("Why else?").because("t"))
    assert [one.question for one in tree.whys] == ["Why s?", "Why else?"]
    assert tree.join == "or"
    assert [one.answer and one.answer.statement for one in tree.walk()] == ["s", None, "t"]


@pytest.mark.parametrize(
    ("told", "what"), [({"rolle": "trigger"}, "rolle"), ({"role": "root cause"}, "role"), ({"join": "xor"}, "join")]
)
def test_a_key_that_no_factor_has_is_refused_by_name(told, what):
    with pytest.raises(InvalidCase, match=what):
        why("Why so?").because("s", **told)


# --- views -----------------------------------------------------------------------------------------------------------


def leaf(name, **keys):
    return Why(question=f"Why {name}?", answer=Factor(statement=name, **keys))


def node(name, *whys, join="and"):
    return leaf(name).model_copy(update={"whys": whys, "join": join})


def names(sets):
    return [sorted(one) for one in sets]


def test_five_whys_is_the_longest_of_the_paths():
    tree = node("a", leaf("b"), node("c", leaf("d")))
    assert [[one.question for one in path] for path in paths([tree])] == [
        ["Why a?", "Why b?"], ["Why a?", "Why c?", "Why d?"]]  # fmt: skip
    assert [one.question for one in longest_path([tree])] == ["Why a?", "Why c?", "Why d?"]
    assert longest_path([]) == ()


def test_a_fishbone_has_every_factor_once_and_says_which_bones_are_bare():
    tree = node("a", leaf("b", category="data"), leaf("B.", category="data"), leaf("c", category="process"))
    fish = fishbone([tree], "harm")
    assert {name: [one.statement for one in held] for name, held in fish.bones.items()} == {
        "data": ["b"], "process": ["c"], "not sorted": ["a"]}  # fmt: skip
    assert fish.empty == ("model", "code", "infrastructure", "people", "outside")
    assert [one.statement for one in distinct([tree])] == ["a", "b", "c"]


def test_cut_sets_are_those_of_the_fault_tree_handbook():
    """T = E1 and E2, E1 = A or E3, E3 = B or C, E2 = C or E4, E4 = A and B: NUREG-0492, VII.4, has C and A·B."""
    e1 = node("e1", leaf("A"), node("e3", leaf("B"), leaf("C"), join="or"), join="or")
    e2 = node("e2", leaf("C"), node("e4", leaf("A"), leaf("B")), join="or")
    assert names(cut_sets([node("t", e1, e2)])) == [["C"], ["A", "B"]]


def test_what_prevents_it_meets_every_set_that_was_enough():
    tree = node("t", node("x", leaf("a"), leaf("b"), join="or"), node("y", leaf("c"), leaf("a")))
    enough, guards = cut_sets([tree]), guard_sets([tree])
    assert names(enough) == [["a", "c"]]
    assert names(guards) == [["a"], ["c"]]
    assert all(one & guard for one in enough for guard in guards)


def test_an_open_question_stands_for_its_answer():
    assert names(cut_sets([node("t", leaf("a"), Why(question="Why then?"))])) == [["Why then?", "a"]]
    assert cut_sets([]) == guard_sets([]) == ()


@pytest.mark.parametrize(("pairs", "width"), [(10, 2), (2, MOST_SETS)])
def test_more_sets_than_anybody_reads_are_not_counted_out(pairs, width):
    arms = [node(f"n{i}", *(leaf(f"{i}.{j}") for j in range(width)), join="or") for i in range(pairs)]
    with pytest.raises(Unanswerable, match="more than"):
        cut_sets([node("t", *arms)])


def test_leaves_triggers_and_latent_factors_are_to_be_addressed():
    tree = node("a", leaf("b", id="B"), leaf("c", role="trigger").model_copy(update={"whys": (leaf("d"),)}))
    assert [one.statement for one in to_address([tree])] == ["b", "c", "d"]
    plan = [
        CorrectiveAction(what="w", factors=("b", "C.")),
        CorrectiveAction(what="v", factors=("d",), state="dropped"),
    ]
    assert [one.statement for one in unaddressed([tree], plan)] == ["d"]
    excused = leaf("d", no_action="it is gone")
    assert unaddressed([excused], ()) == ()
