"""What the notebook of causes shows: the same twice, and where there is nothing to show, the reason."""

from dataclasses import replace

import pytest

from rca.analysis.causal import graph_columns, graph_falsification
from rca.analysis.causal import question as causal_question
from rca.analysis.conclusion import causal_answers
from rca.analysis.conclusion.causal_answers import CausalAnswers, DividedTwice
from rca.analysis.counterfactual import outcome_model
from rca.finding import Unanswered
from rca.methods.shapley import Attribution
from rca.report.cells import causes, output

VERBS = ("mechanisms", "compared", "causal_graph", "what_if", "odd")


def shown(monkeypatch, verb, answers):
    seen = []
    monkeypatch.setattr(output, "display", seen.append)
    getattr(causes, verb)(answers)
    return seen


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_shown_is_the_same_twice_and_carries_no_finding_that_the_analysis_has_not(monkeypatch, verb, answers):
    first, second = shown(monkeypatch, verb, answers), shown(monkeypatch, verb, answers)
    assert first == second
    assert first
    assert not any(output.FINDINGS in bundle for bundle in first)


@pytest.mark.parametrize("verb", VERBS)
def test_where_there_is_nothing_to_show_the_reason_is(monkeypatch, verb):
    why = "the case has no causal graph"
    questions = (
        graph_columns.CAUSES_QUESTION,
        causal_answers.CROSS_CHECK_QUESTION,
        graph_falsification.GRAPH_QUESTION,
        outcome_model.WHAT_IF_QUESTION,
        causal_question.ODD_QUESTION,
    )
    empty = CausalAnswers(unanswered=tuple(Unanswered(question=one, why=why) for one in questions))
    (only,) = shown(monkeypatch, verb, empty)
    assert why in only["text/plain"]
    if verb == "odd":
        (bare,) = shown(monkeypatch, verb, CausalAnswers())
        assert "the case has not what it takes" in bare["text/plain"]


def test_dowhys_division_stands_beside_ours_or_how_to_get_it(monkeypatch, answers):
    (hint,) = shown(monkeypatch, "compared", answers)
    assert "cross_check" in hint["text/plain"]
    both = DividedTwice(ours=answers.causes, theirs=_attribution(answers))
    (told,) = shown(monkeypatch, "compared", replace(answers, compared=both))
    assert "dowhy" in told["text/html"]


def _attribution(answers):
    names = tuple(one.node for one in answers.causes.mechanisms)
    return Attribution(players=names, contributions=(0.1,) * len(names), errors=(0.0,) * len(names), total=0.1)


def test_decisions_without_a_metric_have_no_figure_of_it(monkeypatch, answers):
    bare = replace(answers, imagined=(replace(answers.imagined[0], would_be=None, spared=None, recorded=None),))
    bundles = shown(monkeypatch, "what_if", bare)
    assert len(bundles) == 3
    assert "error rate" not in bundles[1]["text/plain"]


def test_a_notebook_shows_the_figure_and_the_refuters_as_a_table(monkeypatch, effect):
    shown = []
    monkeypatch.setattr(output, "display", shown.append)
    causes.effect(CausalAnswers(effect=effect))
    figure, table = shown
    assert output.FINDINGS not in figure
    assert "What was tried" in table["text/html"]
    assert "Taken for granted" in table["text/html"]
    shown.clear()
    causes.effect(CausalAnswers(effect=replace(effect, refuters=())))
    assert len(shown) == 1
    why = Unanswered(question="what did the event do", why="it is outside the data")
    causes.effect(CausalAnswers(unanswered=(why,)))
    assert "outside the data" in shown[-1]["text/plain"]
