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
from rca.report.rendering.plain_text import between, capital, count, moment, number, utc, words

MOST_EVENTS = 14
"""Events drawn; the table under the figure has them all."""

LONGEST_NAME = 60
"""Letters of a name on the axis."""

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


def timeline(record: Timeline, onset: Onset | None = None, *, exposure: str = "") -> Chart:
    """Moments, events and durations on one axis; an estimated onset stands in where the record has none.

    Parameters
    ----------
    record : Timeline
    onset : Onset, optional
    exposure : str
        What is said of the time in which harm could be done.
    """
    at, between = (onset.at, (onset.earliest, onset.latest)) if onset else (None, None)
    known = durations(record, at, between=between)
    spans = [span for span in known if span.name in DRAWN]
    marks = sorted([*_moments(record, onset), *_events(record.events)], key=lambda mark: (utc(mark.at), mark.name))
    drawn = _drawn(marks)
    names = [mark.short for mark in drawn] + [words(span.name) for span in spans]
    layout = {
        "height": height(len(names), per_row=26),
        "xaxis": TIME_AXIS,
        "yaxis": named_rows(names, limit=LONGEST_NAME) | {"showgrid": True, "griddash": "dot"},
        "shapes": _harmful_span(record, at),
    }
    said = f" Shaded, the time in which harm could be done: {exposure}." if exposure else ""
    moments = {**dict(record.moments()), **({"onset": at} if at and not record.onset else {})}
    return Chart(
        title=_timeline_title(record, known),
        alt=_timeline_alt(marks, spans, len(drawn)) + said,
        rows=tuple(_mark_row(mark) for mark in marks),
        data=(
            _points(drawn),
            *(_span_bar(span, moments, len(drawn) + place) for place, span in enumerate(spans)),
        ),
        layout=layout,
    )


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


def onset(result: Onset) -> Chart:
    """The dated series, with the interval of its onset."""
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
    layout = {
        "height": 320,
        "xaxis": TIME_AXIS,
        "yaxis": {"title": label(words(result.unit or result.what), 40), "nticks": 5, **_percent(result.unit)},
        "shapes": [shaded, vertical(stamp(result.at), dash="solid", color=HARM)],
        "annotations": [note("onset", stamp(result.at), font={"size": 11, "color": HARM})],
    }
    return Chart(
        title=f"{capital(words(result.what))} changed on {moment(result.at)}",
        alt=_onset_alt(result),
        rows=tuple(_onset_row(result, place) for place in range(len(result.times))),
        data=(trace,),
        layout=layout,
    )


def _percent(unit: str) -> Spec:
    """Shares are read in per cent."""
    return {"tickformat": ".0%"} if unit.startswith("share of") else {}


def _onset_alt(result: Onset) -> str:
    known = [value for value in result.values if value is not None]
    reach = f", between {number(min(known))} and {number(max(known))}" if known else ""
    sure = between(result.earliest, result.latest, result.level)
    return f"{capital(words(result.what))} over time{reach}. The onset is estimated at {moment(result.at)}, {sure}."


def _onset_row(result: Onset, place: int) -> Spec:
    return {"from": moment(result.times[place]), words(result.what): result.values[place], "rows": result.counts[place]}
