"""All questions along the graph of a case at once; what has no answer is told with its reason."""

from types import SimpleNamespace

import pytest

import rca
from rca.analysis.conclusion import causal_answers as module
from rca.analysis.conclusion.causal_answers import CausalAnswers, causal_answers
from tests.causal_case import written
from tests.conftest import INCIDENTS


def test_every_question_has_its_answer(frozen):
    found = frozen.answers
    assert found.unanswered == ()
    assert not found.graph.sketch
    assert not found.graph.falsified
    assert "x" in {one.node for one in found.causes.moved}
    assert [one.said.partition(" ")[0] for one in found.imagined] == ["x", "the", "the", "the"]
    whole, event, rollback, earlier = found.imagined
    assert event.changed == whole.changed
    assert rollback.changed.value < whole.changed.value / 3
    assert 0 < earlier.touched == 168
    assert found.odd.target == "score"
    assert found.compared is None
    assert str(found).startswith("error rate changed by")
    assert len(found.rows()) == 8
    assert found.effect.effect.value > 0
    assert {one.id.partition(".")[0] for one in found.findings()} >= {"graph", "effect", "what_if"}


def test_they_come_back_from_json(frozen):
    assert CausalAnswers.from_dict(frozen.answers.to_dict()) == frozen.answers


def test_what_a_person_asks_for_is_asked(frozen, monkeypatch):
    asked = []
    monkeypatch.setattr(module, "what_if_of", lambda *_, wanted, seed: asked.append(wanted))
    for aside in ("graph", "causes", "effect"):
        monkeypatch.setattr(module, aside, lambda *_, **__: None)
    causal_answers(frozen.case, frozen.analysis, mend="a", earlier_days=2.0)
    assert asked[0]["mend"] == ("a",)
    assert asked[-1]["earlier"].days == 2


def test_dowhy_is_asked_where_it_is_wanted(frozen):
    found = module._compared(frozen.case, alpha=0.05, seed=0)
    assert found.ours.target == "the mean of score"
    for node in ("a", "x"):
        assert found.theirs[node] == pytest.approx(found.ours[node].contribution, abs=0.03)


def test_without_a_graph_one_is_sketched_and_nothing_is_divided(tmp_path):
    case = written(tmp_path / "bare", graph=False)
    nothing = SimpleNamespace(verdict=SimpleNamespace(causes=()), faults=None, events=None)
    found = causal_answers(case, nothing, cross_check=True)
    assert found.graph.sketch
    assert found.causes is None
    assert found.odd is None
    assert {one.question for one in found.unanswered} == {"which mechanism changed", "what did the event do"}
    assert found.imagined


def test_a_case_of_texts_has_no_answer_and_says_why(analysis_of):
    found = causal_answers(rca.load(INCIDENTS / "chatbot-update"), analysis_of("chatbot-update"))
    assert found.imagined == ()
    assert "support-chat 2.0" in str(found)
    assert str(CausalAnswers()) == "no question along a graph has an answer"
    assert any("no model that gave the answers" in one.why for one in found.unanswered)
    bare = causal_answers(
        rca.load(INCIDENTS / "line-cascade"),
        SimpleNamespace(verdict=SimpleNamespace(causes=()), faults=None, events=None),
    )
    assert bare.graph.untested
    assert bare.imagined == ()
