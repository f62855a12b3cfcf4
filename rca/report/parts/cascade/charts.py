"""Charts of a cascade: candidate origins, onsets, propagation path, and signals in order of onset."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rca.analysis.cascade.results import Cascade, FailureStep, Suspect, Trace
from rca.record.durations import duration_in_words
from rca.record.schema.incident import Event, Signals
from rca.report.rendering.chart import (
    CALM,
    HARM,
    HELP,
    QUIET,
    TIME_AXIS,
    Chart,
    Spec,
    chart,
    height,
    label,
    named_rows,
    note,
    stamp,
    vertical,
)
from rca.report.rendering.plain_text import count, moment, number, plain, words

if TYPE_CHECKING:
    import pandas as pd

MOST_SUSPECTS = 10

MOST_SYSTEMS = 40
"""Systems drawn on a timeline or a graph; the table has them all."""

MOST_SIGNALS = 24
"""Signals drawn one below the other."""

POINTS = 240
"""Points of each of them."""

EVENTS = 8
"""Events marked on a timeline of systems."""

# --- who is suspected ------------------------------------------------------------------------------------------------


@chart.register
def _cascade(result: Cascade) -> Chart:
    drawn = result.suspects[:MOST_SUSPECTS]
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": [suspect.score for suspect in drawn],
        "y": list(range(len(drawn))),
        "width": 0.55,
        "marker": {"color": [_color(suspect, place) for place, suspect in enumerate(drawn)]},
        "text": [label(suspect.signal, 60) for suspect in drawn],
        "textposition": "none",
        "hovertemplate": "%{text}: %{x:.3g}<extra></extra>",
    }
    layout = {
        "height": height(len(drawn)),
        "xaxis": {"title": "largest deviation from normal that was held (standard deviations)", **_logarithmic(drawn)},
        "yaxis": named_rows([suspect.component for suspect in drawn]),
    }
    return Chart(
        title=_cascade_title(result),
        alt=_cascade_alt(result),
        rows=tuple(_suspect_row(suspect, rank) for rank, suspect in enumerate(result.suspects, start=1)),
        data=(trace,),
        layout=layout,
    )


def _color(suspect: Suspect, place: int) -> str:
    if suspect.onset is None or suspect.explained:
        return QUIET
    return HARM if place == 0 else CALM


def _logarithmic(drawn: Sequence[Suspect]) -> Spec:
    """Logarithmic axis for deviations of very different sizes."""
    sizes = [suspect.score for suspect in drawn if suspect.score > 0]
    return {"type": "log"} if sizes and max(sizes) > 50 * min(sizes) else {}


def _cascade_title(result: Cascade) -> str:
    if not result.abnormal:
        return f"None of {count(result.n_signals, 'signal')} left its normal range"
    first = result.suspects[0]
    metric = plain(words(first.signal.partition("|")[2]), 40)
    if result.doubt:
        return f"No system can be named as the first; {plain(first.component, 40)} is the nearest"
    return f"{plain(first.component, 40)} comes first: its {metric} left its normal range"


def _suspect_row(suspect: Suspect, rank: int) -> Spec:
    return {
        "rank": rank,
        "system": suspect.component,
        "signal": suspect.signal,
        "deviations": suspect.score,
        "left normal": moment(suspect.onset),
        "last normal": moment(suspect.earliest),
        "how": suspect.how,
        "explained upstream": suspect.explained,
        "linked to the alarm": suspect.linked,
    }


def _cascade_alt(result: Cascade) -> str:
    order = ", ".join(suspect.component for suspect in result.suspects[:MOST_SUSPECTS]) or "none"
    chance = f"A random guess would name the first with probability {number(result.chance)}"
    plainly = f"; a plain n-sigma would name {result.n_sigma}." if result.n_sigma else "."
    compared = f"{count(result.n_signals, 'signal')} compared."
    return f"Bars of the largest deviation, the likeliest origin first: {order}. {compared} {chance}{plainly}"


# --- who left its range when -----------------------------------------------------------------------------------------


def onsets(result: Cascade, events: Sequence[Event] = ()) -> Chart:
    """Systems in the order in which they left their range: a bar each from its onset to the end, and its interval."""
    out = sorted(result.abnormal, key=lambda one: (one.onset, one.earliest, one.component))
    drawn = out[:MOST_SYSTEMS]
    ends = {one.component: one.until for one in result.touched}
    near = [event for event in events if drawn and _within(event.at, drawn, ends)][:EVENTS]
    return Chart(
        title=_onsets_title(out),
        alt=_onsets_alt(out, near),
        rows=tuple(_onset_row(one, out[0]) for one in out),
        data=(_intervals(drawn), _stays(drawn, ends), _firsts(drawn, result)),
        layout={
            "height": height(len(drawn), per_row=24),
            "dragmode": "zoom",
            "xaxis": {**TIME_AXIS, "fixedrange": False},
            "yaxis": named_rows([one.component for one in drawn]),
            "shapes": [vertical(stamp(event.at)) for event in near],
        },
    )


def _within(at: datetime, drawn: Sequence[Suspect], ends: Mapping[str, datetime]) -> bool:
    first = drawn[0].earliest or drawn[0].onset
    return first is not None and first <= at <= max(ends.values(), default=first)


def _intervals(drawn: Sequence[Suspect]) -> Spec:
    """Onset intervals: from the last sample surely normal to the first surely not."""
    pairs = [(stamp(one.earliest), stamp(one.onset)) for one in drawn if one.earliest and one.onset]
    return _lines(pairs, color=QUIET, width=3, says="between these it left its range")


def _stays(drawn: Sequence[Suspect], ends: Mapping[str, datetime]) -> Spec:
    pairs = [(stamp(one.onset), stamp(ends.get(one.component, one.onset))) for one in drawn if one.onset]
    return _lines(pairs, color="rgba(207,91,36,0.28)", width=12, says="failing")


def _lines(pairs: Sequence[tuple[str, str]], *, color: str, width: int, says: str) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [at for pair in pairs for at in (*pair, None)],
        "y": [row for place in range(len(pairs)) for row in (place, place, None)],
        "line": {"color": color, "width": width},
        "hovertemplate": f"{says}: %{{x}}<extra></extra>",
    }


def _firsts(drawn: Sequence[Suspect], result: Cascade) -> Spec:
    first = result.suspects[0].component if result.suspects else None
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [stamp(one.onset) for one in drawn if one.onset],
        "y": list(range(len(drawn))),
        "marker": {
            "size": 11,
            "color": [HARM if one.component == first else CALM for one in drawn],
            "symbol": ["diamond" if one.component == first else "circle" for one in drawn],
        },
        "text": [label(f"{one.signal}: {number(one.score)} standard deviations", 90) for one in drawn],
        "hovertemplate": "%{text}<br>%{x}<extra></extra>",
    }


def _onsets_title(out: Sequence[Suspect]) -> str:
    if len(out) < 2 or out[0].onset is None or out[-1].onset is None:
        return f"{count(len(out), 'system')} left its normal range"
    within = duration_in_words((out[-1].onset - out[0].onset).total_seconds())
    return f"{count(len(out), 'system')} left their normal range within {within}"


def _onset_row(one: Suspect, first: Suspect) -> Spec:
    later = (one.onset - first.onset).total_seconds() if one.onset and first.onset else 0.0
    return {
        "system": one.component,
        "signal": one.signal,
        "last normal": moment(one.earliest),
        "left normal": moment(one.onset),
        "after the first": duration_in_words(later),
    }


def _onsets_alt(out: Sequence[Suspect], near: Sequence[Event]) -> str:
    order = ", ".join(f"{one.component} at {moment(one.onset)}" for one in out[:MOST_SUSPECTS]) or "none"
    more = f" The first {MOST_SYSTEMS} of {len(out)} are drawn." if len(out) > MOST_SYSTEMS else ""
    events = f" Dotted lines: {', '.join(event.what for event in near)}." if near else ""
    return f"A row per system in the order of onset, each from the moment it left its range: {order}.{more}{events}"


# --- the way it took -------------------------------------------------------------------------------------------------


def way(result: Cascade) -> Chart:
    """Propagation path as a graph: systems from the origin on, coloured by onset, with the lag on each step."""
    steps = _told_steps(result)
    places = _places(result, steps)
    since = {one.component: one.onset for one in result.abnormal}
    begun = since.get(result.suspects[0].component) if result.suspects else None
    minutes = {
        name: (at - begun).total_seconds() / 60 if (at := since.get(name)) and begun else None for name in places
    }
    deep, rows = (max((int(place[at]) for place in places.values()), default=0) for at in (0, 1))
    return Chart(
        title=_way_title(result),
        alt=_way_alt(result),
        rows=tuple(
            {
                "from": one.cause, "to": one.effect,
                "lag": duration_in_words(one.lag) if not one.simultaneous else "same time",
                "past": one.over, "on the way to the alarm": one.to_alarm,
            }
            for one in result.steps
        ),
        data=(*_arrows(steps, places), _nodes(places, minutes)),
        layout={
            "height": height(1 + rows, per_row=54),
            "xaxis": {"title": "steps from the origin", "dtick": 1, "zeroline": False, "range": [-0.4, deep + 0.4]},
            "yaxis": {"visible": False, "range": [rows + 0.6, -0.6]},
            "annotations": [_lag(one, places) for one in steps],
        },
    )  # fmt: skip


def _told_steps(result: Cascade) -> list[FailureStep]:
    """The steps that are drawn: those to the alarm, and the first of the others."""
    kept = [*result.way, *(one for one in result.steps if not one.to_alarm)][:MOST_SYSTEMS]
    return [one for one in result.steps if one in kept]


def _places(result: Cascade, steps: Sequence[FailureStep]) -> dict[str, tuple[float, int]]:
    """Layout: steps from the origin, and a row for each system as far."""
    if not result.suspects:
        return {}
    depth: dict[str, float] = {result.suspects[0].component: 0.0}
    for one in steps:
        if one.cause in depth:
            depth.setdefault(one.effect, depth[one.cause] + 1)
            if one.over is not None:
                depth.setdefault(one.over, depth[one.cause] + 0.5)
    rows: dict[float, int] = {}
    found = {}
    for name, at in depth.items():
        found[name] = (at, rows.get(at, 0))
        rows[at] = rows.get(at, 0) + 1
    return found


def _arrows(steps: Sequence[FailureStep], places: Mapping[str, tuple[float, int]]) -> list[Spec]:
    drawn = [one for one in steps if one.cause in places and one.effect in places]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [places[name][0] for name in _stops(one)],
            "y": [places[name][1] for name in _stops(one)],
            "line": {
                "color": HARM if one.to_alarm else QUIET,
                "width": 3 if one.to_alarm else 1.5,
                "dash": "dot" if one.simultaneous else "solid",
            },
            "hoverinfo": "skip",
        }
        for one in drawn
    ]


def _stops(one: FailureStep) -> list[str]:
    return [one.cause, *([one.over] if one.over is not None else []), one.effect]


def _nodes(places: Mapping[str, tuple[float, int]], minutes: Mapping[str, float | None]) -> Spec:
    known = [minute for minute in minutes.values() if minute is not None]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [at for at, _ in places.values()],
        "y": [row for _, row in places.values()],
        "text": [label(name) for name in places],
        "textposition": "bottom center",
        "cliponaxis": False,
        "marker": {
            "size": 18,
            "color": [minutes[name] if minutes[name] is not None else 0.0 for name in places],
            "symbol": ["circle-open" if minutes[name] is None else "circle" for name in places],
            "colorscale": [[0, HARM], [0.5, CALM], [1, HELP]],
            "cmin": min(known, default=0.0),
            "cmax": max(max(known, default=1.0), min(known, default=0.0) + 1e-9),
            "colorbar": {
                "title": {"text": "minutes after the origin", "side": "right", "font": {"size": 12}},
                "thickness": 10,
            },
            "line": {"color": QUIET, "width": 2},
        },
        "customdata": [None if minutes[name] is None else round(minutes[name] or 0.0, 3) for name in places],
        "hovertemplate": "%{text}: %{customdata} min<extra></extra>",
    }


def _lag(one: FailureStep, places: Mapping[str, tuple[float, int]]) -> Spec:
    (x0, y0), (x1, y1) = places.get(one.cause, (0.0, 0)), places.get(one.effect, (0.0, 0))
    text = "same time" if one.simultaneous else f"+{duration_in_words(one.lag)}"
    where = {"x": (x0 + x1) / 2, "y": (y0 + y1) / 2, "xref": "x", "yref": "y", "showarrow": False, "yshift": 10}
    return {"text": label(text), "font": {"size": 11, "color": QUIET}, **where}


def _way_title(result: Cascade) -> str:
    if not result.steps:
        return "No way can be told: the case has no graph, or nothing follows the first system in it"
    if not result.way:
        return (
            f"From {plain(result.suspects[0].component, 40)} the failure reached {count(len(result.steps), 'system')}"
        )
    silent = f"; {plain(result.guards[0], 40)} stayed green" if result.guards else ""
    whole = duration_in_words(sum(one.lag for one in result.way))
    return f"{count(len(result.way), 'step')} and {whole} from {plain(result.way[0].cause, 40)} to the alarm{silent}"


def _way_alt(result: Cascade) -> str:
    told = "; ".join(map(str, result.way or result.steps[:MOST_SUSPECTS])) or "none"
    return f"A graph of systems, left to right from the origin, coloured by onset, a lag on each step. Steps: {told}."


# --- the signals, in the order of onset ------------------------------------------------------------------------------


def signals(result: Cascade, table: "pd.DataFrame", record: Signals) -> Chart:
    """The signals that left their range, one below the other in the order of onset, each in its own units."""
    drawn = result.traces[:MOST_SIGNALS]
    shown = _around(table, record)
    times = [stamp(at) for at in shown["time"]]
    lines = [_line(times, shown[one.signal].tolist(), place) for place, one in enumerate(drawn)]
    first = result.suspects[0].component if result.suspects else ""
    for line, one in zip(lines, drawn, strict=True):
        line["line"] = {"color": HARM if one.signal.partition("|")[0] == first else CALM, "width": 1.4}
    return Chart(
        title=f"{count(len(result.traces), 'signal')} of {result.n_signals} left their normal range",
        alt=_signals_alt(result),
        rows=tuple(_trace_row(one) for one in result.traces),
        data=(*lines, _begins(result)),
        layout={
            "height": height(len(drawn), per_row=44),
            "dragmode": "zoom",
            "xaxis": {**TIME_AXIS, "fixedrange": False},
            "yaxis": named_rows([one.signal for one in drawn], limit=34),
            "shapes": [vertical(stamp(record.from_))],
            "annotations": [note("failing window", stamp(record.from_))],
        },
    )


def _around(table: "pd.DataFrame", record: Signals) -> "pd.DataFrame":
    """The failing window and half as long before it, thinned to what a line can show."""
    shown = table.sort_values("time", kind="stable")
    begin = record.from_ - 0.5 * (record.to - record.from_)
    shown = shown[(shown["time"] >= begin) & (shown["time"] <= record.to)]
    return shown.iloc[:: -(-len(shown) // POINTS) or 1]


def _line(times: Sequence[str], values: Sequence[float | None], place: int) -> Spec:
    numbers = [float(value) if value is not None else math.nan for value in values]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(times),
        "y": _ridge(numbers, place),
        "text": [label(f"{value:.4g}", 30) for value in numbers],
        "hovertemplate": "%{x}<br>%{text}<extra></extra>",
    }


def _ridge(values: Sequence[float], place: int) -> list[float | None]:
    """A signal scaled to a row of a ridgeline plot."""
    known = [value for value in values if math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    middle, size = low / 2 + high / 2, max(high - low, 1e-300)
    return [round(place - 0.8 * (value - middle) / size, 4) if math.isfinite(value) else None for value in values]


def _trace_row(one: Trace) -> Spec:
    return {
        "signal": one.signal,
        "last normal": moment(one.earliest),
        "left normal": moment(one.onset),
        "deviations": one.score,
        "how": one.how,
    }


def _begins(result: Cascade) -> Spec:
    drawn = result.traces[:MOST_SIGNALS]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [stamp(one.onset) for one in drawn],
        "y": [place + 0.42 for place in range(len(drawn))],
        "marker": {"symbol": "triangle-up", "size": 9, "color": HARM},
        "text": [label(f"{one.signal} left its range", 80) for one in drawn],
        "hovertemplate": "%{text}<br>%{x}<extra></extra>",
    }


def _signals_alt(result: Cascade) -> str:
    order = ", ".join(one.signal for one in result.traces[:MOST_SIGNALS]) or "none"
    more = f" The first {MOST_SIGNALS} of {len(result.traces)} are drawn." if len(result.traces) > MOST_SIGNALS else ""
    return f"Lines over time, a row per signal in the order in which they left their range: {order}.{more}"
