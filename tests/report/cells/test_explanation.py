"""What notebooks show of a model's reasons: every part, and once why where they are not known."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from rca.analysis.explanation.dependence_curves import DependenceCurve
from rca.finding import Finding, Unanswered
from rca.report import show
from rca.report.cells import output
from rca.report.cells.explanation import MOST_EXAMPLES
from tests.report.reasons import updated

WHY = "there is no model on file, and no column of its scores that a stand-in could be fitted to"
VERBS = ("method", "explanation", "swarm", "together", "reasons", "turned", "curves", "cohorts", "exemplars")


def shown(monkeypatch, verb, **analysis):
    """What a verb of `show` displays."""
    seen = []
    monkeypatch.setattr(output, "display", seen.append)
    getattr(show, verb)(SimpleNamespace(**{"explanation": None, "unanswered": (), **analysis}))
    return seen


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_something_of_a_shift(shift, monkeypatch, verb):
    assert shown(monkeypatch, verb, explanation=shift)


@pytest.mark.parametrize("verb", ["explanation", "turned", "curves", "cohorts", "exemplars"])
def test_what_is_not_known_is_said_and_once_why(monkeypatch, verb):
    unanswered = (Unanswered(question="how did the model's reasons change", why=WHY),)
    (note,) = shown(monkeypatch, verb, unanswered=unanswered)
    assert (WHY in note["text/plain"]) == (verb == "explanation")
    assert "no reasons could be compared" in note["text/plain"].lower()
    (note,) = shown(monkeypatch, verb, unanswered=(Unanswered(question="what moved", why="there are no tables"),))
    assert ("there are no tables" in note["text/plain"]) == (verb == "explanation")


@pytest.mark.parametrize("verb", ["method", "swarm", "together", "reasons"])
def test_what_goes_along_with_reasons_that_are_not_known_stays_silent(monkeypatch, verb):
    assert shown(monkeypatch, verb) == []


def test_the_figure_of_reasons_carries_its_findings(shift, monkeypatch):
    (figure,) = shown(monkeypatch, "explanation", explanation=shift)
    carried = [Finding(**{**one, "cause": None, "interval": None}).id for one in figure[output.FINDINGS]]
    assert carried == ["explanation.joint", "explanation.income"]


def test_curves_of_what_moved_are_drawn_and_else_of_one(shift, monkeypatch):
    moved = shown(monkeypatch, "curves", explanation=shift)
    assert [bundle["text/plain"].count("SHAP value of income") for bundle in moved] == [1]
    still = replace(shift, reasons=tuple(replace(one, moved=False) for one in shift.reasons))
    figure, note = shown(monkeypatch, "curves", explanation=still)
    assert "Curves" in figure["text/plain"]
    assert "No feature's reasons moved" in note["text/plain"]


def test_an_update_is_drawn_before_the_curves(shift, monkeypatch):
    first, *_ = shown(monkeypatch, "curves", explanation=updated(shift))
    assert first["text/plain"].startswith("Two bars a feature")


def test_few_of_the_examples_are_drawn(shift, exemplar, monkeypatch):
    rows = tuple(replace(exemplar, row=at) for at in range(5))
    assert len(shown(monkeypatch, "exemplars", explanation=replace(shift, exemplars=rows))) == MOST_EXAMPLES


@pytest.mark.parametrize(
    ("verb", "missing", "said"),
    [
        ("cohorts", {"cohorts": ()}, "beyond chance"),
        ("exemplars", {"exemplars": ()}, "No reasons moved"),
        ("together", {"joint": None}, "Too few rows"),
    ],
)
def test_what_a_shift_has_none_of_is_said(shift, monkeypatch, verb, missing, said):
    (note,) = shown(monkeypatch, verb, explanation=replace(shift, **missing))
    assert said in note["text/plain"]


def test_a_curve_of_no_value_in_enough_rows_is_said_to_be_none(shift, monkeypatch):
    empty = DependenceCurve(column="income", labels=(), numeric=False, reference=(), current=(), errors=(), rows=())
    (note,) = shown(monkeypatch, "curves", explanation=replace(shift, curves=(empty,)))
    assert "No value of a feature is in enough rows" in note["text/plain"]


def test_without_labels_it_is_said_that_no_loss_can_be_divided(shift, monkeypatch):
    (note,) = shown(monkeypatch, "turned", explanation=replace(shift, loss=None))
    assert "The label is not known" in note["text/plain"]
