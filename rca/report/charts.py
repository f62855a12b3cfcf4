"""Charts as plain data: what a figure shows, its claim, its text alternative and its numbers.

A chart is a pure function of a result. It holds a plotly specification as plain values, so that nothing here loads
plotly and the same result gives the same bytes. Labels come from the incident: they pass through `label`, which masks
and escapes them.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from rca.analysis.drift import ColumnDrift, Drift
from rca.analysis.faults import Faults
from rca.finding import Interval
from rca.report.text import capital, count, number, plain, span

Spec = dict[str, Any]

HARM, HELP, CALM, QUIET = "#cf5b24", "#1a8f78", "#3576b8", "#858b95"
"""Did harm, took harm away, plain, uncertain: told apart with any colour vision, and on white, dark and grey paper."""

MOST_ROWS = 12
"""Rows of a chart; the table under it has them all."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A figure as plain values.

    Attributes
    ----------
    title : str
        The claim.
    alt : str
        One paragraph that says what the picture shows.
    rows : tuple of dict
        The numbers drawn, for a table.
    data : tuple of dict
        Plotly traces.
    layout : dict
        Plotly layout, without a title and without what all charts share.
    """

    title: str
    alt: str
    rows: tuple[Mapping[str, Any], ...]
    data: tuple[Spec, ...]
    layout: Spec

    def to_dict(self) -> Spec:
        """The plotly specification; `layout.meta` carries title, text alternative and table."""
        meta = {"title": plain(self.title), "alt": plain(self.alt), "rows": [_plain_row(row) for row in self.rows]}
        title = {"text": label(self.title, 160), "font": {"size": 15}, "x": 0, "xref": "container", "pad": {"l": 8}}
        axes = {name: {**AXIS, **_titled(self.layout.get(name, {}))} for name in ("xaxis", "yaxis")}
        layout = {**SHARED, **self.layout, **axes, "title": {**title, "automargin": True}, "meta": meta}
        return {"data": list(self.data), "layout": layout}


SHARED: Spec = {
    "font": {"family": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif", "size": 13},
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "margin": {"l": 8, "r": 16, "t": 48, "b": 8},
    "hoverlabel": {"align": "left"},
    "showlegend": False,
    "dragmode": False,
    "template": {},
}
AXIS: Spec = {
    "automargin": True,
    "fixedrange": True,
    "gridcolor": "rgba(128,136,148,0.22)",
    "zerolinecolor": "rgba(128,136,148,0.55)",
    "linecolor": "rgba(128,136,148,0.55)",
}


def _titled(axis: Spec) -> Spec:
    title = {"standoff": 10, "font": {"size": 12, "color": QUIET}}
    return {**axis, "title": {**title, "text": axis["title"]}} if "title" in axis else axis


def label(text: object, limit: int = 22) -> str:
    """A text from the incident as plotly may draw it: plotly reads tags, so they are escaped."""
    return html.escape(plain(text, limit), quote=False)


def _plain_row(row: Mapping[str, Any]) -> Spec:
    return {name: plain(value) if isinstance(value, str) else value for name, value in row.items()}


def named_rows(names: Sequence[str], said: Sequence[str] = (), *, limit: int = 22) -> Spec:
    """A vertical axis with one row per name, the first at the top; what is said of a row stands under its name."""
    texts = [label(name, limit) for name in names]
    return {
        "tickvals": list(range(len(names))),
        "ticktext": [f"{text}<br>{label(number)}" for text, number in zip(texts, said, strict=True)] if said else texts,
        "range": [len(names) - 0.4, -0.6],
        "showgrid": False,
        "zeroline": False,
    }


def height(rows: int, *, per_row: int = 30, around: int = 110) -> int:
    """Pixels that so many rows need."""
    return around + per_row * max(rows, 2)


def bars_of(values: Sequence[float], intervals: Sequence[Interval | None]) -> Spec:
    """Error bars that reach from each value to the ends of its interval."""
    ends = [
        (at, at) if interval is None else (interval.low, interval.high)
        for at, interval in zip(values, intervals, strict=True)
    ]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(high - at, 0.0) for at, (_, high) in zip(values, ends, strict=True)],
        "arrayminus": [max(at - low, 0.0) for at, (low, _) in zip(values, ends, strict=True)],
        "thickness": 1.5,
        "width": 4,
        "color": QUIET,
    }


def vertical(at: float | str, *, dash: str = "dot", color: str = QUIET) -> Spec:
    """A vertical line through the whole plot."""
    line = {"color": color, "width": 1.5, "dash": dash}
    return {"type": "line", "x0": at, "x1": at, "xref": "x", "y0": 0, "y1": 1, "yref": "paper", "line": line}


def note(text: str, at: float | str, **where: Any) -> Spec:
    """A small text at a position of the horizontal axis, above the plot."""
    font = {"size": 11, "color": QUIET}
    place = {"y": 1, "yref": "paper", "yanchor": "bottom", "xanchor": "left", "showarrow": False}
    return {"text": label(text, 60), "x": at, "xref": "x", "font": font, **place, **where}


def interval_of(interval: Interval | None) -> str | None:
    """An interval in words, with its level."""
    return None if interval is None else f"{span(interval.low, interval.high)} ({interval.level:.0%})"


@singledispatch
def chart(result: object) -> Chart:
    """Draw a result as a chart.

    Raises
    ------
    TypeError
        If there is no picture of such a result.
    """
    raise TypeError(f"there is no chart of {type(result).__name__!r}; its rows() can be shown as a table")


# --- what moved ------------------------------------------------------------------------------------------------------


@chart.register
def _drift(result: Drift) -> Chart:
    drawn = result.columns[:MOST_ROWS]
    effects = [row.effect for row in drawn]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": effects,
        "y": list(range(len(drawn))),
        "error_x": bars_of(effects, [row.interval for row in drawn]),
        "marker": {
            "size": 11,
            "color": [HARM if row.moved else QUIET for row in drawn],
            "symbol": ["circle" if row.moved else "circle-open" for row in drawn],
        },
        "text": [label(str(row), 120) for row in drawn],
        "hovertemplate": "%{text}<extra></extra>",
    }
    layout = {
        "height": height(len(drawn)),
        "xaxis": {"title": "effect (share of rows)", "rangemode": "tozero"},
        "yaxis": named_rows([row.name for row in drawn]),
        "shapes": [vertical(result.material)],
        "annotations": [note("material from here", result.material)],
    }
    return Chart(
        title=_drift_title(result),
        alt=_drift_alt(result, len(drawn)),
        rows=tuple(result.rows()),
        data=(trace,),
        layout=layout,
    )


def _drift_title(result: Drift) -> str:
    total = len({row.column for row in result.columns})
    if not result.moved():
        return f"None of {count(total, 'column')} moved materially"
    first = result.columns[0]
    farthest = f"{plain(first.column, 40)} the farthest ({number(first.effect)})"
    return f"{len(result.moved())} of {count(total, 'column')} moved; {farthest}"


def _drift_alt(result: Drift, drawn: int) -> str:
    sizes = f"{count(result.n_reference, 'reference row')} against {count(result.n_current, 'current row')}"
    moved = ", ".join(result.moved()[:MOST_ROWS]) or "none"
    more = f" The {drawn} largest of {len(result.columns)} are drawn." if len(result.columns) > drawn else ""
    return (
        f"Dots with {result.columns[0].interval.level:.0%} intervals, a row per column, largest effect first; {sizes}. "
        f"A line marks the smallest material effect, {number(result.material)}. Moved: {moved}.{more}"
        if result.columns
        else f"No column could be compared; {sizes}."
    )


@chart.register
def _faults(result: Faults) -> Chart:
    drawn = result.broken[:MOST_ROWS]
    shares = [row.share for row in drawn]
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": shares,
        "y": list(range(len(drawn))),
        "width": 0.55,
        "marker": {"color": HARM},
        "text": [label(str(row), 120) for row in drawn],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }
    return Chart(
        title=f"{count(len(result.broken), 'column')} broke" if drawn else "No column broke in a way that has a name",
        alt=f"Bars: the share of the current rows that each fault hit. {capital(str(result))}.",
        rows=tuple(result.rows()),
        data=(trace,),
        layout={
            "height": height(len(drawn), per_row=42),
            "xaxis": {"title": "share of rows hit", "tickformat": ".0%", "range": [0, 1]},
            "yaxis": named_rows([row.column for row in drawn], said=[row.fault.replace("_", " ") for row in drawn]),
        },
    )


@chart.register
def _column(result: ColumnDrift) -> Chart:
    profile = result.profile
    names = profile.labels[:20]
    upright = result.kind == "numeric" and result.aspect == "values"
    windows = (("reference", profile.reference, QUIET), ("current", profile.current, HARM if result.moved else CALM))
    traces = tuple(_bars(name, shares[:20], color, upright=upright) for name, shares, color in windows)
    share = {"title": "share of rows", "tickformat": ".0%", "rangemode": "tozero"}
    ticks = range(0, len(names), max(len(names) // 5, 1))
    bins = {"tickvals": list(ticks), "ticktext": [label(names[tick], 16) for tick in ticks], "showgrid": False}
    bins = bins | {"title": label(result.column, 40), "zeroline": False}
    axes = {"xaxis": bins, "yaxis": share} if upright else {"xaxis": share, "yaxis": named_rows(names)}
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"}
    size = 320 if upright else height(len(names), per_row=36, around=130)
    return Chart(
        title=_column_title(result),
        alt=f"Paired bars, reference beside current: share of rows per value of {result.column}. {result}.",
        rows=tuple(
            {result.column: name, "reference": before, "current": after}
            for name, before, after in zip(profile.labels, profile.reference, profile.current, strict=True)
        ),
        data=traces,
        layout={"height": size, "barmode": "group", "bargap": 0.2, "showlegend": True, "legend": legend, **axes},
    )


def _column_title(result: ColumnDrift) -> str:
    subject = result.column if result.aspect == "values" else f"missing values of {result.column}"
    moved = "moved" if result.moved else "did not move materially"
    interval = span(result.interval.low, result.interval.high)
    return f"{plain(subject, 60)} {moved} (effect {number(result.effect)}, {interval})"


def _bars(name: str, shares: Sequence[float], color: str, *, upright: bool) -> Spec:
    places, pattern = (
        list(range(len(shares))),
        {"shape": "/" if name == "reference" else "", "size": 5, "solidity": 0.35},
    )
    marker = {"color": color, "line": {"color": color, "width": 1}, "pattern": {**pattern, "fillmode": "overlay"}}
    along = {"x": places, "y": list(shares)} if upright else {"y": places, "x": list(shares), "orientation": "h"}
    value = "%{y:.1%}" if upright else "%{x:.1%}"
    return {"type": "bar", "name": name, "marker": marker, "hovertemplate": f"{name}: {value}<extra></extra>", **along}
