"""Charts over time: the timeline, and the onset (change point)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rca.methods.changepoint.dating import Onset
from rca.record.durations import Duration, duration_in_words, durations
from rca.record.schema.incident import Event, Incident, Timeline
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
from rca.report.rendering.plain_text import between, capital, count, moment, number, plain, utc, words

MOST_EVENTS = 14
"""Events drawn; the table under the figure has them all."""

MOST_NAMES = 25
"""Names of events that have room side by side."""

DRAWN = ("time_to_detect", "time_to_contain", "time_to_recover", "exposure")
"""Durations drawn; the table has them all."""

# --- the timeline ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One row of the timeline: a point in time, and what it is called."""

    at: datetime
    name: str
    kind: str
    what: str = ""
    color: str = CALM
    symbol: str = "diamond"

    @property
    def short(self) -> str:
        """What stands on the axis: a moment by its name, an event by what happened."""
        return self.name if self.kind == "moment" else self.what.partition(": ")[2] or self.what or self.name


@chart.register
def _incident(incident: Incident) -> Chart:
    return timeline(incident.timeline)


@chart.register
def _timeline(record: Timeline) -> Chart:
    return timeline(record)


def timeline(record: Timeline, onset: Onset | None = None, *, curve: Onset | None = None, exposure: str = "") -> Chart:
    """Moments, events and durations on one axis; an estimated onset stands in where the record has none.

    Parameters
    ----------
    record : Timeline
    onset : Onset, optional
    curve : Onset, optional
        What was dated, drawn over time behind the moments.
    exposure : str
        What is said of the time in which harm could be done.
    """
    at, between = (onset.at, (onset.earliest, onset.latest)) if onset else (None, None)
    known = durations(record, at, between=between)
    spans = [span for span in known if span.name in DRAWN]
    marks = sorted([*_moments(record, onset), *_events(record.events)], key=lambda mark: (utc(mark.at), mark.name))
    drawn = _drawn(marks)
    names = [mark.short for mark in drawn] + [words(span.name) for span in spans]
    behind, axis = _curve(curve, marks)
    layout = {
        "height": height(len(names), per_row=26),
        "xaxis": TIME_AXIS,
        "yaxis": named_rows(names) | {"showgrid": True, "griddash": "dot"},
        "shapes": _harmful_span(record, at),
        **axis,
    }
    moments = {**dict(record.moments()), **({"onset": at} if at and not record.onset else {})}
    return Chart(
        title=_timeline_title(record, known),
        alt=_timeline_alt(marks, spans, len(drawn)) + _said_beside(curve if behind else None, exposure),
        rows=tuple(_mark_row(mark) for mark in marks),
        data=(
            *behind,
            _points(drawn),
            *(_span_bar(span, moments, len(drawn) + place) for place, span in enumerate(spans)),
        ),
        layout=layout,
    )


def _curve(curve: Onset | None, marks: Sequence[Mark]) -> tuple[list[Spec], Spec]:
    """The dated series, over the time that the moments span, on an axis of its own at the right."""
    first, last = (end(map(utc, (mark.at for mark in marks)), default=None) for end in (min, max))
    if curve is None or first is None or last is None:
        return [], {}
    near = [at for at, time in enumerate(curve.times) if first <= utc(time) <= last]
    if len(near) < 2:
        return [], {}
    trace = {
        "type": "scatter",
        "mode": "lines",
        "x": [stamp(curve.times[at]) for at in near],
        "y": [curve.values[at] for at in near],
        "yaxis": "y2",
        "line": {"color": QUIET, "width": 2, "shape": "hv"},
        "opacity": 0.55,
        "connectgaps": False,
        "hovertemplate": "%{x|%d %b %Y}<br>%{y:.4g}<extra></extra>",
    }
    title = {"text": label(words(curve.what), 40), "font": {"size": 12, "color": QUIET}}
    axis = {"overlaying": "y", "side": "right", "rangemode": "tozero", "showgrid": False, "fixedrange": True}
    return [trace], {"yaxis2": {**axis, "zeroline": False, "title": title, "automargin": True, **_percent(curve.unit)}}


def _said_beside(curve: Onset | None, exposure: str) -> str:
    """Text alternative of the curve and the exposure."""
    behind = f" Behind them, a grey line: {words(curve.what)} over time." if curve is not None else ""
    return behind + (f" Shaded, the time in which harm could be done: {exposure}." if exposure else "")


def _moments(record: Timeline, onset: Onset | None) -> Iterable[Mark]:
    for name, at in record.moments():
        color = HARM if name == "onset" else HELP if name in {"contained", "recovered", "closed"} else CALM
        yield Mark(at=at, name=words(name), kind="moment", what="on record", color=color)
    if onset and record.onset is None:
        about = f"estimated from the data ({between(onset.earliest, onset.latest, onset.level)})"
        yield Mark(at=onset.at, name="onset (estimated)", kind="moment", what=about, color=HARM, symbol="diamond-open")


def _events(events: Sequence[Event]) -> Iterable[Mark]:
    for event in events:
        what = f"{event.system}: {event.what}" if event.system else event.what
        yield Mark(at=event.at, name=words(event.kind), kind="event", what=what, color=QUIET, symbol="circle")


def _drawn(marks: Sequence[Mark]) -> list[Mark]:
    """All moments, and the first events: a timeline of hundreds of alerts stays readable."""
    events = [place for place, mark in enumerate(marks) if mark.kind == "event"]
    left_out = set(events[MOST_EVENTS:])
    return [mark for place, mark in enumerate(marks) if place not in left_out]


def _points(marks: Sequence[Mark]) -> Spec:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [stamp(mark.at) for mark in marks],
        "y": list(range(len(marks))),
        "marker": {
            "size": [12 if mark.kind == "moment" else 8 for mark in marks],
            "opacity": 1,
            "color": [mark.color for mark in marks],
            "symbol": [mark.symbol for mark in marks],
        },
        "text": [label(f"{mark.name}: {mark.what}", 90) for mark in marks],
        "hovertemplate": "%{x|%d %b %Y %H:%M}<br>%{text}<extra></extra>",
        "cliponaxis": False,
    }


def _span_bar(span: Duration, moments: dict[str, Any], place: int) -> Spec:
    ends = [stamp(moments[span.start]), stamp(moments[span.end])]
    text = f"{words(span.name)}: {duration_in_words(span.seconds)}, {words(span.start)} to {words(span.end)}"
    return {
        "type": "scatter",
        "mode": "lines",
        "x": ends,
        "y": [place, place],
        "line": {"color": HARM if span.start == "onset" else CALM, "width": 9},
        "opacity": 0.8,
        "text": [label(text, 120)] * 2,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _harmful_span(record: Timeline, estimate: datetime | None) -> list[Spec]:
    start, end = record.onset or estimate, record.recovered or record.contained or record.closed
    if start is None or end is None or end <= start:
        return []
    place = {"x0": stamp(start), "x1": stamp(end), "xref": "x", "y0": 0, "y1": 1, "yref": "paper"}
    return [{"type": "rect", "fillcolor": HARM, "opacity": 0.07, "line": {"width": 0}, "layer": "below", **place}]


def _timeline_title(record: Timeline, spans: Sequence[Duration]) -> str:
    known = {span.name: span for span in spans}
    told = [
        f"{duration_in_words(known[name].seconds)} {said}"
        for name, said in (("time_to_detect", "from onset to detection"), ("time_to_recover", "from onset to recovery"))
        if name in known
    ]
    if told:
        return ", ".join(told)
    moments = sum(1 for _ in record.moments())
    return f"{count(moments, 'moment')} and {count(len(record.events), 'event')} on record"


def _timeline_alt(marks: Sequence[Mark], spans: Sequence[Duration], drawn: int) -> str:
    if not marks:
        return "The record holds no moment and no event."
    moments = "; ".join(f"{mark.name} {moment(mark.at)}" for mark in marks if mark.kind == "moment")
    left_out = f" {drawn} of {len(marks)} entries are drawn." if drawn < len(marks) else ""
    events = sum(mark.kind == "event" for mark in marks)
    bars = ", ".join(words(span.name) for span in spans)
    on_record = f"{count(events, 'event')} on record.{left_out}"
    return f"Moments in order of time: {moments or 'none'}. Bars: {bars or 'none'}. {on_record}"


def _mark_row(mark: Mark) -> Spec:
    return {"at": moment(mark.at), "entry": mark.name, "what": mark.what}


# --- the onset -------------------------------------------------------------------------------------------------------


@chart.register
def _onset(result: Onset) -> Chart:
    return onset(result)


def onset(result: Onset, events: Sequence[Event] = ()) -> Chart:
    """The dated series, with the interval of its onset and the events near it."""
    xs, text = [stamp(at) for at in result.times], [f"{count(rows, 'row')}" for rows in result.counts]
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": xs,
        "y": list(result.values),
        "line": {"color": CALM, "width": 2},
        "marker": {"size": 5, "color": CALM},
        "text": text,
        "hovertemplate": "%{x|%d %b %Y %H:%M}<br>%{y:.4g} (%{text})<extra></extra>",
        "connectgaps": False,
    }
    band = {"x0": stamp(result.earliest), "x1": stamp(result.latest), "xref": "x", "y0": 0, "y1": 1, "yref": "paper"}
    shaded = {"type": "rect", "fillcolor": HARM, "opacity": 0.16, "line": {"width": 0}, "layer": "below", **band}
    near = [event for event in events if result.times and result.times[0] <= event.at <= result.times[-1]][:MOST_EVENTS]
    lines = [vertical(stamp(result.at), dash="solid", color=HARM), *(vertical(stamp(event.at)) for event in near)]
    layout = {
        "height": 320,
        "xaxis": TIME_AXIS,
        "yaxis": {"title": label(words(result.unit or result.what), 40), **_percent(result.unit)},
        "shapes": [shaded, *lines],
        "annotations": [
            note("onset", stamp(result.at), font={"size": 11, "color": HARM}),
            *map(_event_note, _apart(near, result)),
        ],
    }
    return Chart(
        title=f"{capital(words(result.what))} changed on {moment(result.at)}",
        alt=_onset_alt(result, near),
        rows=tuple(_onset_row(result, place) for place in range(len(result.times))),
        data=(trace,),
        layout=layout,
    )


def _apart(near: Sequence[Event], result: Onset) -> list[Event]:
    """Events whose names have room beside each other, the nearest to the onset first."""
    room = (result.times[-1] - result.times[0]) / MOST_NAMES if result.times else None
    named: list[Event] = []
    for event in sorted(near, key=lambda one: abs(one.at - result.at)):
        if room is not None and all(abs(event.at - other.at) >= room for other in named):
            named.append(event)
    return named


def _event_note(event: Event) -> Spec:
    """What happened, along the line that marks when."""
    return note(plain(event.what, 34), stamp(event.at), y=0.98, textangle=-90, yanchor="top", xanchor="right")


def _percent(unit: str) -> Spec:
    """Shares are read in per cent."""
    return {"tickformat": ".3~%"} if unit.startswith("share of") else {}


def _onset_alt(result: Onset, near: Sequence[Event]) -> str:
    known = [value for value in result.values if value is not None]
    reach = f", between {number(min(known))} and {number(max(known))}" if known else ""
    around = "; ".join(f"{words(event.kind)} {plain(event.what, 60)}, {moment(event.at)}" for event in near)
    sure = between(result.earliest, result.latest, result.level)
    events = f" Dotted lines: {around}." if near else ""
    what = capital(words(result.what))
    return f"{what} over time{reach}. The onset is estimated at {moment(result.at)}, {sure}.{events}"


def _onset_row(result: Onset, place: int) -> Spec:
    return {"from": moment(result.times[place]), words(result.what): result.values[place], "rows": result.counts[place]}
