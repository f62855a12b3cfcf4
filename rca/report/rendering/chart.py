"""Charts as plain data: what a figure shows, its claim, its text alternative and its numbers.

A chart is a pure function of a result. It holds a plotly specification as plain values, so that nothing here loads
plotly and the same result gives the same bytes. Labels come from the incident: they pass through `label`, which masks
and escapes them.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import singledispatch
from textwrap import wrap
from typing import Any

from rca.errors import InvalidCase
from rca.finding import Interval
from rca.report.rendering.plain_text import plain, span, utc

Spec = dict[str, Any]

HARM, HELP, CALM, QUIET = "#cf5b24", "#1a8f78", "#3576b8", "#858b95"
"""Did harm, took harm away, plain, uncertain: distinct with any colour vision, and on white, dark and grey paper."""

MOST_PARTS = 8
"""Contributions drawn one by one; smaller ones are drawn as one."""

WIDTH, LINE = 80, 20
"""Letters of a line of a title, which a figure of 700 pixels still shows, and pixels of one more line."""

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
        lines = wrap(plain(self.title, 240), WIDTH)
        more = LINE * (len(lines) - 1)
        title: Spec = {"text": "<br>".join(label(one, WIDTH) for one in lines), "font": {"size": 15}}
        title |= {"x": 0, "xref": "container", "y": 1, "yref": "container", "yanchor": "top"}  # else half of it is cut
        title |= {
            "pad": {"l": 8, "t": 24 if more else 12},
            "automargin": not more,
        }  # which lifts more than one line out
        axes = {name: {**AXIS, **_titled(self.layout.get(name, {}))} for name in ("xaxis", "yaxis")}
        layout: Spec = {**SHARED, **self.layout, **axes, "title": title, "meta": meta}
        if more:
            margin = layout["margin"]
            layout["margin"] = {**margin, "t": max(margin.get("t", 0), SHARED["margin"]["t"]) + more}
            layout |= {"height": layout["height"] + more} if "height" in layout else {}
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
    """A vertical axis with one row per name, the first at the top; a note on a row stands under its name."""
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


class NoChart(InvalidCase, TypeError):
    """There is no picture of such a result."""


@singledispatch
def chart(result: object) -> Chart:
    """Draw a result as a chart.

    Raises
    ------
    TypeError
        If there is no picture of such a result.
    """
    hint = "its rows() can be shown as a table, where it has any; help(rca.plot) says what is drawn"
    raise NoChart.because(f"there is no chart of {type(result).__name__!r}", place="result", hint=hint)


def scaled(interval: Interval | None, factor: float) -> Interval | None:
    """An interval in another unit; a negative factor swaps its ends."""
    if interval is None:
        return None
    low, high = sorted((factor * interval.low, factor * interval.high))
    return Interval(low=low, high=high, level=interval.level)


def stamp(at: datetime) -> str:
    """A time as plotly's axes take it: UTC, without an offset."""
    return utc(at).strftime("%Y-%m-%d %H:%M:%S")


TIME_AXIS: Spec = {"type": "date", "title": "time (UTC)", "nticks": 6, "showgrid": True}
