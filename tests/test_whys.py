"""Why-trees and corrective actions."""

import pytest
from pydantic import ValidationError

from rca.record.whys import CorrectiveAction, Factor, Why

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
