"""Event-study plot: the metric by period, and its counterfactual without the event."""

from typing import Any

from rca.analysis.event_study.effect import Effect, Period
from rca.finding import Interval
from rca.record.durations import span_in_words
from rca.report.rendering.chart import (
    CALM,
    HARM,
    HELP,
    QUIET,
    TIME_AXIS,
    Chart,
    Spec,
    bars_of,
    chart,
    label,
    note,
    stamp,
    vertical,
)
from rca.report.rendering.plain_text import capital, count, moment, number, plain, span


@chart.register
def _effect(result: Effect) -> Chart:
    """The metric of each period, its counterfactual without the event, and the event."""
    scale = 100.0 if result.is_share else 1.0
    title = capital(plain(result.metric, 60)) + (" (per cent)" if result.is_share else "")
    name = plain(result.event, 34)
    layout = {
        "height": 340,
        "xaxis": TIME_AXIS,
        "yaxis": {"title": label(title, 60)},
        "shapes": [vertical(stamp(result.at), dash="solid", color=HARM)],
        "annotations": [
            note(name, stamp(result.at), y=0.98, textangle=-90, yanchor="top", xanchor="right"),
        ],
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
    }
    return Chart(
        title=claim(result),
        alt=_alt(result),
        rows=tuple(_row(one) for one in result.periods),
        data=(*_band(result, scale), _line(result, scale), _points(result, scale)),
        layout=layout,
    )


def claim(result: Effect) -> str:
    """What the figure shows, as its title."""
    name, metric = plain(result.event, 60), plain(result.metric, 40)
    if not result.found:
        return f"No effect of {name} on the {metric} was found"
    sized = result.effect
    scale, unit = (100.0, " points") if result.is_share else (1.0, "")
    ends = span(scale * sized.interval.low, scale * sized.interval.high, sign=True)
    return f"{capital(name)} changed the {metric} by {number(scale * sized.value, sign=True)}{unit} ({ends})"


def _band(result: Effect, scale: float) -> tuple[Spec, Spec]:
    """Interval of the counterfactual after the event."""
    later = [one for one in result.periods if one.at >= result.at]
    at = [stamp(one.at) for one in later]
    edge: Spec = {"type": "scatter", "mode": "lines", "x": at, "line": {"width": 0}, "hoverinfo": "skip"}
    low = {**edge, "y": [scale * one.without_interval.low for one in later], "showlegend": False}
    high = {**edge, "y": [scale * one.without_interval.high for one in later], "fill": "tonexty"}
    return low, {**high, "fillcolor": "rgba(133,139,149,0.22)", "name": "its interval", "showlegend": False}


def _line(result: Effect, scale: float) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "without the event",
        "x": [stamp(one.at) for one in result.periods],
        "y": [scale * one.without for one in result.periods],
        "line": {"color": QUIET, "width": 2, "dash": "dash"},
        "hovertemplate": "without the event: %{y:.4g}<extra></extra>",
    }


def _points(result: Effect, scale: float) -> Spec:
    values = [scale * one.value for one in result.periods]
    ends = [_times(one.interval, scale) for one in result.periods]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "as it was",
        "x": [stamp(one.at) for one in result.periods],
        "y": values,
        "error_y": bars_of(values, ends),
        "marker": {
            "size": 7,
            "color": [_color(result, one) for one in result.periods],
            "symbol": ["circle" if one.at >= result.at else "circle-open" for one in result.periods],
        },
        "text": [count(one.rows, "row") for one in result.periods],
        "hovertemplate": "%{x|%d %b %Y %H:%M}<br>%{y:.4g} (%{text})<extra></extra>",
    }


def _color(result: Effect, period: Period) -> str:
    if period.at < result.at or not result.found:
        return CALM
    return HARM if (result.effect.value > 0) == (result.harm == "higher") else HELP


def _times(interval: Interval, scale: float) -> Interval:
    return Interval(low=scale * interval.low, high=scale * interval.high, level=interval.level)


def _alt(result: Effect) -> str:
    values = [one.value for one in result.periods]
    reach = f", between {number(min(values))} and {number(max(values))}" if values else ""
    return (
        f"Dots: the {result.metric} in {count(len(values), 'period')} of {span_in_words(result.length)} each{reach}. "
        f"A line marks the event, {moment(result.at)}; dashed is what the design, {result.estimate.words}, "
        f"expects without it. {result}."
    )


def _row(period: Period) -> dict[str, Any]:
    return {
        "from": moment(period.at),
        "metric": period.value,
        "without the event": period.without,
        "interval": span(period.without_interval.low, period.without_interval.high),
        "rows": period.rows,
    }
