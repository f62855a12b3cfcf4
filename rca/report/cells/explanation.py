"""Cells of notebook 3, on explanation shift (the model's reasons by SHAP)."""

from typing import TYPE_CHECKING

from rca.report.cells.output import absent, figure, html
from rca.report.parts.explanation import charts as explanation_charts
from rca.report.parts.explanation import dependence_charts, row_charts
from rca.report.parts.explanation import sections as explanation_sections
from rca.report.plot import chart

if TYPE_CHECKING:
    from rca.analysis.conclusion.analysis import Analysis

REASONS, MOVED = "how did the model's reasons change", "what moved"
"""Questions whose answer, where there is none, says why the model's reasons are not known."""

MOST_EXAMPLES = 3
"""Rows that carry the shift, drawn one by one."""

# --- the model's reasons ---------------------------------------------------------------------------------------------


def _unexplained(analysis: "Analysis") -> None:
    """Say why the model's reasons are not known."""
    known = {one.question: one.why for one in analysis.unanswered}
    why = known.get(REASONS) or known.get(MOVED) or "the reasons of the model are not known"
    absent(f"No reasons could be compared: {why}.")


def method(analysis: "Analysis") -> None:
    """How SHAP values were computed, on which scale."""
    part = analysis.explanation
    if part is not None:
        html(explanation_sections.method(part), said=f"SHAP values, {part.method}")


def explanation(analysis: "Analysis") -> None:
    """Mean |SHAP| of each feature, before and during."""
    part = analysis.explanation
    if part is None:
        _unexplained(analysis)
    else:
        figure(chart(part), part.findings())


def swarm(analysis: "Analysis") -> None:
    """Beeswarm plot: SHAP values of single rows."""
    part = analysis.explanation
    if part is not None and part.swarm:
        figure(row_charts.swarm(part))


def together(analysis: "Analysis") -> None:
    """Joint explanation shift: can the windows be separated by their SHAP values."""
    part = analysis.explanation
    if part is not None and part.joint is not None:
        figure(explanation_charts.together(part.joint))
    elif part is not None:
        absent("Too few rows were explained to tell whether all reasons together differ.")


def reasons(analysis: "Analysis") -> None:
    """Table of every feature's SHAP values."""
    part = analysis.explanation
    if part is not None:
        html(explanation_sections.reasons(part), said=str(part))


def turned(analysis: "Analysis") -> None:
    """Features that contribute more to the loss than before."""
    part = analysis.explanation
    if part is None:
        absent("No reasons could be set against the label, as no reasons could be compared.")
    elif part.loss is None:
        absent("The label is not known in enough rows of both windows, so that no loss can be divided.")
    else:
        figure(explanation_charts.turned(part))


def curves(analysis: "Analysis") -> None:
    """SHAP dependence curves in both windows; and the effect of an update, where there was one."""
    part = analysis.explanation
    if part is None:
        absent("It is not known what each value is worth, as no reasons could be compared.")
        return
    if any(one.update is not None for one in part.reasons):
        figure(explanation_charts.updated(part))
    able = [curve for curve in part.curves if dependence_charts.drawable(curve)]
    drawn = [curve for curve in able if part[curve.column].moved] or able[:1]
    for curve in drawn:
        figure(dependence_charts.dependence(curve, part[curve.column], scale=part.scale))
    if not drawn:
        absent("No value of a feature is in enough rows to say what it is worth.")
    elif not part.moved():
        absent("No feature's reasons moved; drawn is the one that changed most.")
    elif len(drawn) < len(part.moved()):
        absent(f"The reasons of {len(part.moved()) - len(drawn)} more moved, less far.")


def cohorts(analysis: "Analysis") -> None:
    """Explanation shift by cohort."""
    part = analysis.explanation
    if part is None:
        absent("No part of the rows can be named, as no reasons could be compared.")
    elif not part.cohorts:
        absent("In no group on record, and in no slice that carries the harm, did the reasons change beyond chance.")
    else:
        html(explanation_sections.cohorts(part), said=f"{len(part.cohorts)} parts of the rows")


def exemplars(analysis: "Analysis") -> None:
    """Exemplar rows of the shift: from the base value to their own prediction."""
    part = analysis.explanation
    if part is None:
        absent("No row can be shown as an example, as no reasons could be compared.")
    elif not part.exemplars:
        absent("No reasons moved, so that no row is an example of it.")
    else:
        for row in part.exemplars[:MOST_EXAMPLES]:
            figure(row_charts.example(row, scale=part.scale))
