"""What the notebooks of one incident show: the same twice, in words too, and a reason where there is nothing."""

import inspect
import json

import pytest

import rca
from rca.analysis.conclusion.analysis import Analysis
from rca.analysis.conclusion.verdict import Verdict
from rca.report.cells import cascade, common, drift, explanation, output, postmortem, timeline
from rca.report.rendering.plotly_adapter import MIME
from tests.conftest import INCIDENTS
from tests.report.verbs import verbs_of

CELLS = (cascade, common, drift, explanation, postmortem, timeline)
VERBS = {name: verb for cells in CELLS for name, verb in verbs_of(cells).items() if name not in ("part", "postmortem")}
BESIDES = {"dates", "labels", "lifecycle", "method", "reasons", "rivals", "swarm", "together"}
"""Verbs that stay silent where they have nothing: another one has said why."""

OF_THE_RECORD = {"timeline", "why_tree", "factors"}
"""Verbs whose figure is of what people put on record."""


@pytest.fixture
def ask(monkeypatch):
    """What a verb shows of a case and its analysis."""

    def shown(verb, case, analysis):
        seen = []
        monkeypatch.setattr(output, "display", seen.append)
        given = {"case": case, "analysis": analysis, "post": postmortem.postmortem(case, analysis)}
        verb(**{name: given[name] for name in inspect.signature(verb).parameters})
        return seen

    return shown


@pytest.fixture(params=["hiring-bias", "line-cascade"])
def known(request, analysis_of):
    return rca.load(INCIDENTS / request.param), analysis_of(request.param)


@pytest.mark.parametrize("name", VERBS)
def test_what_is_shown_is_the_same_twice_and_said_in_words_too(ask, known, name):
    first, second = ask(VERBS[name], *known), ask(VERBS[name], *known)
    assert json.dumps(first, allow_nan=False) == json.dumps(second, allow_nan=False)
    assert first or name in BESIDES
    assert all(bundle["text/plain"] for bundle in first)


def test_every_finding_is_shown_with_what_it_stands_on_and_none_that_the_analysis_has_not(ask, known):
    apart = [verb for name, verb in VERBS.items() if name != "findings"]
    shown = [bundle for verb in apart for bundle in ask(verb, *known)]
    carried = {one["id"] for bundle in shown for one in bundle.get(output.FINDINGS, ())}
    assert carried == {one.id for one in known[1].findings()}


@pytest.mark.parametrize("name", VERBS)
def test_where_no_question_has_an_answer_a_verb_says_so_and_draws_the_record_alone(ask, name):
    case = rca.load(INCIDENTS / "line-cascade")
    verdict = Verdict(status="cannot_tell", summary="Nothing can be told.")
    shown = ask(VERBS[name], case, Analysis(incident="line-cascade", seed=0, alpha=0.05, verdict=verdict))
    assert shown or name in BESIDES
    assert name in OF_THE_RECORD or not any(MIME in bundle for bundle in shown)
