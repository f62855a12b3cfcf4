"""`plot(result)`: one verb for a figure of any result."""

from typing import TYPE_CHECKING

from rca.report.parts.cascade import charts as cascade_charts
from rca.report.parts.causal import charts as causal_charts
from rca.report.parts.drift import charts as drift_charts
from rca.report.parts.event_study import charts as event_study_charts
from rca.report.parts.explanation import charts as explanation_charts
from rca.report.parts.explanation import dependence_charts, row_charts
from rca.report.parts.harm import charts as harm_charts
from rca.report.parts.portfolio import charts as portfolio_charts
from rca.report.parts.slices import charts as slices_charts
from rca.report.parts.timeline import charts as timeline_charts
from rca.report.parts.verdict import charts as verdict_charts
from rca.report.parts.why_tree import charts as why_tree_charts
from rca.report.rendering.chart import chart
from rca.report.rendering.plotly_adapter import figure_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["chart", "plot"]

CHARTS = (
    cascade_charts,
    causal_charts,
    drift_charts,
    event_study_charts,
    explanation_charts,
    dependence_charts,
    row_charts,
    harm_charts,
    portfolio_charts,
    slices_charts,
    timeline_charts,
    verdict_charts,
    why_tree_charts,
)
"""Where the charts are, part by part: each registers itself with `chart` when it is imported."""


def plot(result: object) -> "go.Figure":
    """Draw a result: its claim as the title, axes with units, and in `layout.meta` a text alternative and the numbers.

    Parameters
    ----------
    result : Incident, Timeline, Drift, ColumnDrift, Faults, Joint, Measured, Harm, Slices, Gap, Gaps, Onset, Cascade
        Or a Verdict, ExplanationShift, DependenceCurve, Exemplar, Causes, CausalGraph, WhatIf, Odd, Effect, Why or
        Fishbone; a Portfolio, Summary, Grouped, Trend or Comparison; of several gaps the one that opened most is drawn.

    Returns
    -------
    plotly.graph_objects.Figure
        Equal results give equal JSON.

    Raises
    ------
    TypeError
        If there is no picture of such a result.
    """
    return figure_of(chart(result))
