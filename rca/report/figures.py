"""plot(result): one verb for a figure of anything; the only door to plotly."""

from typing import TYPE_CHECKING, Any

from rca.report import (  # noqa: F401 - their charts register themselves
    cascadecharts,
    causalcharts,
    curvecharts,
    effectcharts,
    explanationcharts,
    harmcharts,
    portfoliocharts,
    rowcharts,
    slicecharts,
    timecharts,
    whycharts,
)
from rca.report.charts import chart

if TYPE_CHECKING:
    import plotly.graph_objects as go

MIME = "application/vnd.plotly.v1+json"
"""Type of a figure among a notebook's outputs."""


def plot(result: object) -> "go.Figure":
    """Draw a result: its claim as the title, axes with units, and in `layout.meta` a text alternative and the numbers.

    Parameters
    ----------
    result : Incident, Timeline, Drift, ColumnDrift, Faults, Joint, Measured, Harm, Slices, Gap, Gaps, Onset, Cascade
        Or a Verdict, ExplanationShift, Curve, Exemplar, Causes, CausalGraph, WhatIf, Odd, Effect, Why or Fishbone; a
        Portfolio, Summary, Grouped, Trend or Comparison; of several gaps, the one that opened most is drawn.

    Returns
    -------
    plotly.graph_objects.Figure
        Equal results give equal JSON.

    Raises
    ------
    TypeError
        If there is no picture of such a result.
    """
    import plotly.graph_objects as go

    return go.Figure(chart(result).to_dict())


def plotly_js() -> str:
    """The whole of plotly.js, to be written into a page once."""
    from plotly.offline import get_plotlyjs

    source: str = get_plotlyjs()
    return source


def specification(figure: "go.Figure") -> dict[str, Any]:
    """The figure as plain JSON values."""
    import json

    plain: dict[str, Any] = json.loads(figure.to_json())
    return plain
