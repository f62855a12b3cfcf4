"""Charts as plotly figures; the only import of plotly."""

from typing import TYPE_CHECKING, Any

from rca.report.rendering.chart import Chart

if TYPE_CHECKING:
    import plotly.graph_objects as go

MIME = "application/vnd.plotly.v1+json"
"""Type of a figure among a notebook's outputs."""


FILE = "plotly.js"
"""Where plotly.js lies beside a page that does not hold it."""


def figure_of(drawn: Chart) -> "go.Figure":
    """A chart as a figure of plotly's; equal charts give equal JSON, and none has a button that would upload it."""
    import plotly.graph_objects as go

    return go.Figure(drawn.to_dict()).update_layout(modebar_remove=["sendChartToCloud"])


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
