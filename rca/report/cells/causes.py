"""Cells of notebook 4, on causes: one verb a part, as `show` has them.

These questions are asked by this notebook alone, and not by the analysis: their findings are shown, and not carried.
"""

from typing import TYPE_CHECKING

from rca.analysis.causal.graph_columns import CAUSES_QUESTION
from rca.analysis.causal.graph_falsification import GRAPH_QUESTION
from rca.analysis.causal.question import ODD_QUESTION
from rca.analysis.conclusion.causal_answers import CROSS_CHECK_QUESTION
from rca.analysis.counterfactual.outcome_model import WHAT_IF_QUESTION
from rca.analysis.event_study.identification import EFFECT_QUESTION
from rca.report.cells.output import absent, figure, html
from rca.report.parts.causal import charts as causal_charts
from rca.report.parts.causal import sections as causal_sections
from rca.report.parts.event_study import sections as event_study_sections
from rca.report.plot import chart
from rca.result import Result

if TYPE_CHECKING:
    from rca.analysis.conclusion.causal_answers import CausalAnswers


def mechanisms(answers: "CausalAnswers") -> None:
    """Mechanism change: the graph with the contribution of each mechanism."""
    if (part := answers.causes) is None:
        absent(f"No change can be divided among mechanisms: {_why_not(answers, CAUSES_QUESTION)}.")
    else:
        _drawn(part, causal_sections.mechanisms(part))


def compared(answers: "CausalAnswers") -> None:
    """Mechanism attribution by dowhy beside our own."""
    part = answers.compared
    known = {one.question: one.why for one in answers.unanswered}
    if part is not None:
        html(causal_sections.compared(part), said="Divided twice")
    elif CROSS_CHECK_QUESTION in known:
        absent(f"dowhy was not asked: {known[CROSS_CHECK_QUESTION]}.")
    else:
        absent("dowhy was not asked; set `cross_check` to True to see its division beside ours.")


def causal_graph(answers: "CausalAnswers") -> None:
    """The causal graph, and whether the reference falsifies it."""
    if (part := answers.graph) is None:
        absent(f"No graph can be drawn: {_why_not(answers, GRAPH_QUESTION)}.")
    else:
        _drawn(part, causal_sections.graph(part))


def effect(answers: "CausalAnswers") -> None:
    """Event study: the effect of an event on the metric, and its refutation tests."""
    part = answers.effect
    if part is None:
        absent(f"What an event did cannot be told: {_why_not(answers, EFFECT_QUESTION)}.")
        return
    figure(chart(part))
    if part.refuters:
        html(event_study_sections.checks(part), said=f"{len(part.refuters)} attempts to refute it")


def what_if(answers: "CausalAnswers") -> None:
    """Counterfactual decisions under each intervention; the first of them number by number."""
    found = answers.imagined
    if any(one.would_be is not None for one in found):
        figure(causal_charts.imagined(found))
    if found:
        said = f"{len(found)} ways in which it would have been otherwise"
        html(causal_sections.imagined(found), said=said)
        figure(chart(found[0]))
        html(causal_sections.what_if(found[0]), said=str(found[0]))
    reasons = [one.why for one in answers.unanswered if one.question == WHAT_IF_QUESTION]
    for why in reasons:
        absent(f"What would have been otherwise cannot be told: {why}.")


def odd(answers: "CausalAnswers") -> None:
    """Outlier attribution: which node made odd rows so."""
    if (part := answers.odd) is None:
        absent(f"No row can be said to be odd for a reason: {_why_not(answers, ODD_QUESTION)}.")
    else:
        _drawn(part, causal_sections.odd(part))


def _drawn(part: Result, markup: str) -> None:
    figure(chart(part))
    html(markup, said=str(part))


def _why_not(answers: "CausalAnswers", question: str) -> str:
    known = {one.question: one.why for one in answers.unanswered}
    return known.get(question) or known.get(CAUSES_QUESTION) or "the case has not what it takes"
