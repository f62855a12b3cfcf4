"""Charts of drifted columns and of column faults."""

from collections.abc import Sequence

from rca.analysis.drift.column_comparison import ColumnDrift
from rca.analysis.drift.univariate import Drift
from rca.analysis.faults.diagnosis import Faults
from rca.report.rendering.chart import (
    CALM,
    HARM,
    MOST_ROWS,
    QUIET,
    Chart,
    Spec,
    bars_of,
    chart,
    height,
    label,
    named_rows,
    note,
    vertical,
)
from rca.report.rendering.plain_text import capital, count, number, plain, span

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
