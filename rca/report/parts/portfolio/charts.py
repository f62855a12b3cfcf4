"""Charts of many incidents: medians with intervals, Kaplan-Meier curves, quarterly trends, before and after."""

from collections.abc import Sequence
from typing import Any

from rca.analysis.portfolio.kaplan_meier import Estimate
from rca.analysis.portfolio.question import Portfolio
from rca.analysis.portfolio.results import (
    SCALES,
    Comparison,
    Grouped,
    Summary,
    SurvivalCurve,
    Trend,
    in_unit,
    scale_of,
    with_interval,
    words_of,
)
from rca.report.rendering.chart import CALM, HARM, HELP, QUIET, Chart, Spec, chart, height, label, named_rows
from rca.report.rendering.plain_text import capital, count, plain

MOST_GROUPS = 40
"""Groups of a chart."""

FEWEST = 5
"""Incidents from which a curve is drawn of them: of fewer each step is one incident."""

MOST_CURVES = 6
"""Curves that a picture can show distinctly."""

COLOURS = (CALM, HARM, HELP, QUIET, "#7a5bb0", "#9a7b1f")

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")

LEGEND = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"}


@chart.register
def _portfolio(result: Portfolio) -> Chart:
    unit = scale_of(result.summaries[0]) if result.summaries else "h"
    names = [capital(words_of(one.measure)) for one in result.summaries]
    return Chart(
        title=_portfolio_title(result),
        alt=f"Dots with 95% intervals: the median of each measure, on a logarithmic axis in {unit}; open circles mark "
        f"the 90th percentile. {'; '.join(map(str, result.summaries)) or 'No measure has its moments on record'}.",
        rows=tuple(_in_unit(one) for one in result.summaries),
        data=_medians(result.summaries, unit),
        layout=_rows_layout(names, [f"n = {one.n:,}" for one in result.summaries], unit),
    )


def _portfolio_title(result: Portfolio) -> str:
    if not result.summaries:
        return "No measure has its moments on record"
    first = result.summaries[0]
    return (
        f"{capital(words_of(first.measure))}: median {with_interval(first.median, scale_of(first))} {scale_of(first)}"
    )


def _medians(summaries: Sequence[Summary], unit: str) -> tuple[Spec, ...]:
    """Medians with their intervals, and 90th percentiles, a row each."""
    known = [(place, one) for place, one in enumerate(summaries) if one.median.value]
    late = [(place, one) for place, one in enumerate(summaries) if one.percentiles[1].value]
    medians = {
        "name": "median",
        "x": [_size(one.median.value, unit) for _, one in known],
        "y": [place for place, _ in known],
        "error_x": _bars([one.median for _, one in known], unit),
        "marker": {"size": 10, "color": CALM},
        "text": [label(one, 160) for _, one in known],
    }
    percentiles = {
        "name": "90th percentile",
        "x": [_size(one.percentiles[1].value, unit) for _, one in late],
        "y": [place for place, _ in late],
        "marker": {"size": 9, "color": QUIET, "symbol": "circle-open"},
        "text": [label(f"p90 {in_unit(one.percentiles[1].value, unit)} {unit}", 60) for _, one in late],
    }
    shared = {"type": "scatter", "mode": "markers", "hovertemplate": "%{text}<extra></extra>"}
    return {**shared, **medians}, {**shared, **percentiles}


def _size(seconds: float | None, unit: str) -> float | None:
    return None if seconds is None else seconds / SCALES[unit]


def _bars(estimates: Sequence[Estimate], unit: str) -> Spec:
    """Bars to the bounds that there are; where there is none, to the estimate itself."""
    ends = [(one.value or 0.0, one.low or one.value or 0.0, one.high or one.value or 0.0) for one in estimates]
    return {
        "type": "data",
        "symmetric": False,
        "array": [(high - at) / SCALES[unit] for at, _, high in ends],
        "arrayminus": [(at - low) / SCALES[unit] for at, low, _ in ends],
        "thickness": 1.5,
        "width": 4,
        "color": QUIET,
    }


def _rows_layout(names: Sequence[str], said: Sequence[str], unit: str) -> Spec:
    return {
        "height": height(len(names), per_row=42, around=130),
        "xaxis": {"title": f"time ({unit})", "type": "log", "nticks": 8},
        "yaxis": named_rows(names, said=said, limit=36),
        "showlegend": True,
        "legend": LEGEND,
    }


def _in_unit(one: Summary) -> Spec:
    """A summary as a row that people read."""
    unit = scale_of(one)
    row = {"measure": words_of(one.measure), "from": words_of(one.start), "to": words_of(one.end)}
    if one.grouping:
        row = {one.grouping: one.group}
    return {
        **row,
        "n": one.n,
        "open": one.open,
        "left out": one.left_out,
        "unit": unit,
        "median": with_interval(one.median, unit),
        "p75": in_unit(one.percentiles[0].value, unit),
        "p90": in_unit(one.percentiles[1].value, unit),
        "p95": in_unit(one.percentiles[2].value, unit),
        "mean": (in_unit(one.mean, unit) + (", misleads" if one.misleads else "")) if one.mean is not None else None,
    }


# --- how many last how long ------------------------------------------------------------------------------------------


@chart.register
def _summary(result: Summary) -> Chart:
    unit = scale_of(result)
    traces = [*_band(result.curve, unit), _steps(result.curve, capital(words_of(result.measure)), unit, place=0)]
    mean = f" {capital(result.warning())}." if result.misleads else ""
    return Chart(
        title=f"{capital(words_of(result.measure))}: median {with_interval(result.median, unit)} {unit}",
        alt=f"A falling staircase: the share of incidents that last longer than the time below, on a "
        f"logarithmic axis, with its 95% band. "
        f"{capital(str(result))}.{mean}",
        rows=_curve_rows(result.curve, unit),
        data=tuple(traces),
        layout={"height": 340, **_axes(unit)},
    )


def curves(result: Grouped) -> Chart:
    """Kaplan-Meier curves of the groups of a measure; the first of them, where there are many."""
    drawn = sorted(result.groups, key=lambda one: -one.n)[:MOST_CURVES]
    drawn = [one for one in result.groups if one in drawn]
    unit = scale_of(max(drawn, key=lambda one: one.n))
    tested = f" (log-rank q = {result.q_value:.2g})" if result.q_value is not None else ""
    return Chart(
        title=f"{capital(words_of(result.measure))} by {result.grouping}{tested}",
        alt=f"Falling staircases, one a {result.grouping}: the share of incidents that last longer than the time "
        f"below. {capital(str(result))}.",
        rows=tuple(_in_unit(one) for one in result.groups),
        data=tuple(_steps(one.curve, plain(one.group, 30), unit, place=place) for place, one in enumerate(drawn)),
        layout={"height": 360, "showlegend": True, "legend": LEGEND, **_axes(unit)},
    )


@chart.register
def _comparison(result: Comparison) -> Chart:
    sides = (result.earlier, result.later)
    unit = scale_of(result.earlier)
    return Chart(
        title=_comparison_title(result),
        alt=f"Two falling staircases, earlier and later: the share of incidents that last longer than the time below. "
        f"{capital(str(result))}.",
        rows=tuple({"period": one.group, **_in_unit(one)} for one in sides),
        data=tuple(_steps(one.curve, one.group, unit, place=place) for place, one in enumerate(sides)),
        layout={"height": 360, "showlegend": True, "legend": LEGEND, **_axes(unit)},
    )


def _comparison_title(result: Comparison) -> str:
    name = capital(words_of(result.measure))
    if not result.differs:
        return f"{name}: no difference can be shown"
    return f"{name}: the median changed ×{with_interval(result.ratio, '')}"


def _steps(curve: SurvivalCurve, name: str, unit: str, *, place: int) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label(name, 30),
        "x": _times(curve, unit),
        "y": list(curve.share),
        "line": {"shape": "hv", "width": 2, "color": COLOURS[place], "dash": DASHES[place]},
        "hovertemplate": f"{label(name, 30)}<br>%{{y:.1%}} last longer than %{{x:.3g}} {unit}<extra></extra>",
    }


def _band(curve: SurvivalCurve, unit: str) -> list[Spec]:
    """The 95 % band of a curve as an upper and a lower line with the room between them filled."""
    if not curve.low:
        return []
    shared = {"type": "scatter", "mode": "lines", "x": _times(curve, unit), "hoverinfo": "skip", "showlegend": False}
    line = {"shape": "hv", "width": 0}
    fill = {"fill": "tonexty", "fillcolor": "rgba(53,118,184,0.18)"}
    return [{**shared, "y": list(curve.high), "line": line}, {**shared, "y": list(curve.low), "line": line, **fill}]


def _times(curve: SurvivalCurve, unit: str) -> list[float]:
    """The times of a curve on a logarithmic axis, which has no zero: it begins at half of the first."""
    first, *steps = (at / SCALES[unit] for at in curve.seconds)
    return [steps[0] / 2 if steps else max(first, 1.0), *steps]


def _axes(unit: str) -> Spec:
    return {
        "xaxis": {"title": f"time ({unit})", "type": "log", "nticks": 8},
        "yaxis": {"title": "share that last longer", "tickformat": ".0%", "range": [0, 1.02]},
    }


def _curve_rows(curve: SurvivalCurve, unit: str) -> tuple[Spec, ...]:
    """A dozen points of a curve, for the table under it."""
    last = len(curve.seconds) - 1
    places = sorted({round(last * part / 11) for part in range(12)})
    return tuple({f"longer than ({unit})": curve.seconds[at] / SCALES[unit], "share": curve.share[at]} for at in places)


# --- by group, and over time -----------------------------------------------------------------------------------------


@chart.register
def _grouped(result: Grouped) -> Chart:
    drawn = result.groups[:MOST_GROUPS]
    unit = scale_of(max(drawn, key=lambda one: one.n))
    tested = f" (log-rank q = {result.q_value:.2g})" if result.q_value is not None else ""
    return Chart(
        title=f"{capital(words_of(result.measure))} by {result.grouping}{tested}",
        alt=f"Dots with 95% intervals: the median of each {result.grouping}, on a logarithmic axis; open circles mark "
        f"the 90th percentile. {capital(str(result))}.",
        rows=tuple(_in_unit(one) for one in result.groups),
        data=_medians(drawn, unit),
        layout=_rows_layout([one.group for one in drawn], [f"n = {one.n:,}" for one in drawn], unit),
    )


@chart.register
def _trend(result: Trend) -> Chart:
    counted = result.measure == "incidents"
    known = [value for value in result.values if value is not None]
    unit = "" if counted else next((name for name, size in SCALES.items() if known and min(known) >= size), "s")
    values = [None if value is None else value / SCALES.get(unit, 1.0) for value in result.values]
    bars: dict[str, Any] = {"type": "bar", "marker": {"color": CALM}}
    line = {"type": "scatter", "mode": "lines+markers", "line": {"color": CALM, "width": 2}, "connectgaps": False}
    what = "incidents that began" if counted else f"median {words_of(result.measure)} ({unit})"
    trace = {"x": list(result.quarters), "y": values, "hovertemplate": "%{x}: %{y:.3g}<extra></extra>"}
    return Chart(
        title=_trend_title(result),
        alt=f"{capital(what)} a quarter, {count(len(result.quarters), 'quarter')}. {capital(str(result))}.",
        rows=tuple({"quarter": at, what: value} for at, value in zip(result.quarters, values, strict=True)),
        data=({**(bars if counted else line), **trace},),
        layout={
            "height": 320,
            "xaxis": {"title": "quarter in which incidents began", "type": "category"},
            "yaxis": {"title": what, "rangemode": "tozero"},
        },
    )


def _trend_title(result: Trend) -> str:
    name = "Number of incidents" if result.measure == "incidents" else capital(words_of(result.measure))
    if result.p_value is None or result.p_value > 0.05:
        return f"{name}: no trend can be shown"
    if result.factor.value is None:
        return f"{name}: there is a trend (p = {result.p_value:.2g})"
    return f"{name}: ×{with_interval(result.factor, '')} a year"
