"""The figure of a brief: the metric over time in a panel, phases above, named moments below; drawn without a script.

Two drawings, wide and narrow, of which the page shows one: scaled text cannot be read on a phone. Everything is said
directly: no legend, nothing to hover over.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from rca.analysis.conclusion.lifecycle import SIGNS
from rca.record.durations import duration_in_words
from rca.report.brief.facts import Facts
from rca.report.brief.words import day, days, rounded, sentence, system, when
from rca.report.rendering.html import escape
from rca.report.rendering.plain_text import MONTHS, number, utc

LETTER = 7.6
"""Pixels of a letter of the figure's text, with some to spare: fonts differ by 15 %."""

BOLD = 1.1
"""Width of bold letters beside others."""

PANEL, LANE, TOP, LINE = 200, 22, 44, 14
"""Pixels: height of the panel, of a lane below it, room above it, and of a further line there."""

TICKS = (1, 2, 2.5, 5, 10)
"""Round steps of the vertical axis, times a power of ten."""

HOURS = (900, 1800, 3600, 2 * 3600, 6 * 3600, 86_400, 2 * 86_400, 7 * 86_400)
"""Steps of the axis of time below a month."""

MOST_TICKS = 8

MONTH = 70 * 86_400.0
"""Seconds from which on months are ticked."""

BROKEN = 1.6
"""Spans between two points beyond which no line joins them."""

STEPS = {
    1: "second", 5: "5 seconds", 60: "minute", 300: "5 minutes", 900: "quarter of an hour", 3600: "hour",
    21_600: "6 hours", 43_200: "half day", 86_400: "day", 604_800: "week", 2_419_200: "4 weeks",
}  # fmt: skip
"""Seconds of a point, in words."""

PHASES = (
    ("onset", "detected", "unnoticed"),
    ("detected", "contained", "to contain"),
    ("contained", "recovered", "to recover"),
)
"""The phases of the bar above the panel, by the moments they lie between."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A named moment below the panel."""

    at: datetime
    text: str
    is_key: bool = False
    earliest: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Scales of one drawing."""

    width: int
    first: datetime
    last: datetime
    top: float
    left: int = 54
    right: int = 18

    @property
    def roof(self) -> int:
        """Pixels above the panel, for the phases and their label."""
        return TOP if self.is_wide else TOP + 2 * LINE

    @property
    def is_wide(self) -> bool:
        """Whether it is the drawing for a desk and for paper."""
        return self.width > 500

    def x(self, at: datetime) -> float:
        """Pixels from the left."""
        share = (at - self.first) / (self.last - self.first)
        return self.left + share * (self.width - self.left - self.right)

    def y(self, of: float) -> float:
        """Pixels from the top."""
        return self.roof + PANEL * (1 - min(max(of / self.top, 0.0), 1.0))


def course(facts: Facts) -> str:
    """The figure with its claim as its title; empty where nothing has a course."""
    points = [one for one in facts.now.get("points", ()) if one["value"] is not None]
    if len(points) < 2:
        return ""
    marks = _marks(facts)
    inside = [one["from"] for one in points] + [one["to"] for one in points]
    ends = [utc(one) for one in inside] + [one.at for one in marks]
    frame = Frame(width=992, first=min(ends), last=max(ends), top=_top(facts, points))
    drawn = "".join(
        _drawing(facts, replace(frame, width=width, left=left), marks) for width, left in ((992, 54), (354, 46))
    )
    return (
        f"<figure class='course' aria-labelledby='course'><h2 id='course'>{escape(claim(facts))}</h2>"
        f"<p class='small'>{escape(_line(facts))}</p>{drawn}</figure>"
    )


# --- words -----------------------------------------------------------------------------------------------------------


def claim(facts: Facts) -> str:
    """What the figure shows, as its title."""
    now = facts.now
    if not now.get("since") or facts.verdict["status"] == "no_incident":
        return sentence(f"{facts.measure.name} stayed within its usual range", "")
    rose = "rose" if now["since"]["value"] > now["usual"] else "fell"
    said = f"{_short(facts)} {rose} from {facts.value(now['usual'])} to {facts.value(now['since']['value'])}"
    unnoticed = facts.between("onset", "detected")
    late = f", unnoticed for {rounded(unnoticed)}{' or more' if facts.at_bound else ''}" if unnoticed else ""
    return sentence(said + late, "")


def _short(facts: Facts) -> str:
    """The metric without whom it is counted among."""
    name = facts.measure.name
    if facts.measure.is_gap:
        return "the gap between groups"
    return f"the share {name.partition(',')[0]}" if facts.measure.says.startswith("{}") else f"the {name}"


def _line(facts: Facts) -> str:
    """What, unit, grain, band, and where data are missing."""
    now = facts.now
    unit = (", points" if facts.measure.is_gap else ", %") if facts.is_share else ""
    grain = STEPS.get(int(now["step"]), duration_in_words(now["step"]))
    band = " Band: 95 % interval." if any(one["interval"] for one in now["points"]) else ""
    band = " Grey: its usual range." if now.get("usual_range") else band
    return f"{sentence(facts.measure.name, '')}{unit}, by {grain}.{band}{_missing(facts)}"


def _missing(facts: Facts) -> str:
    """The longest time without data between two phases."""
    points = [one for one in facts.now["points"] if one["value"] is not None]
    gaps = [(utc(b["from"]) - utc(a["to"]), utc(a["to"]), utc(b["from"])) for a, b in pairwise(points)]
    if not gaps:
        return ""
    length, first, last = max(gaps)
    if length.total_seconds() < max(facts.now["step"], 86_400):
        return ""
    return f" No data from {days(first + timedelta(hours=12), last - timedelta(hours=12))}."


# --- scales ----------------------------------------------------------------------------------------------------------


def _top(facts: Facts, points: Sequence[Mapping[str, Any]]) -> float:
    highest = max(one["interval"][1] if one["interval"] else one["value"] for one in points)
    highest = max(highest, facts.now["usual"], (facts.now.get("usual_range") or [0, 0])[1]) or 1.0
    step = _tick(highest)
    top = step * math.ceil(highest / step - 1e-9)
    return min(top, 1.0) if facts.is_share else top


def _tick(highest: float) -> float:
    """A round step of which three to five make the axis."""
    power = 10 ** math.floor(math.log10(highest / 4))
    return float(next((one * power for one in TICKS if one * power * 4.6 >= highest), 10 * power))


def _ticks(top: float) -> list[float]:
    step = _tick(top)
    return [step * place for place in range(round(top / step) + 1)]


def _said_tick(of: float, top: float, facts: Facts) -> str:
    if not facts.is_share:
        return number(of) if of else "0"
    decimals = max(0, -math.floor(math.log10(100 * _tick(top)) + 1e-9)) if _tick(top) < 0.01 else 0
    return f"{100 * of:.{decimals}f}{'' if facts.measure.is_gap else ' %'}"


def _times(frame: Frame) -> Iterator[tuple[datetime, str]]:
    seconds = (frame.last - frame.first).total_seconds()
    most = MOST_TICKS if frame.is_wide else MOST_TICKS // 2
    if seconds >= MONTH:
        yield from _month_ticks(frame, most)
        return
    step = next((one for one in HOURS if seconds / one <= most), HOURS[-1])
    at = datetime.fromtimestamp(math.ceil(frame.first.timestamp() / step) * step, tz=frame.first.tzinfo)
    while at <= frame.last:
        yield at, f"{at:%H:%M}" if step < 86_400 and seconds < 2 * 86_400 else day(at)
        at += timedelta(seconds=step)


def _month_ticks(frame: Frame, most: int) -> Iterator[tuple[datetime, str]]:
    first = frame.first.year * 12 + frame.first.month
    last = frame.last.year * 12 + frame.last.month - 1
    step = max(1, math.ceil((last - first + 1) / most))
    for month in range(first, last + 1, step):
        at = datetime(month // 12, month % 12 + 1, 1, tzinfo=frame.first.tzinfo)
        if frame.first <= at <= frame.last:
            new = month == first or at.month == 1
            yield at, f"{MONTHS[at.month - 1]} {at.year}" if new and frame.is_wide else MONTHS[at.month - 1]


# --- what is drawn ---------------------------------------------------------------------------------------------------


def _drawing(facts: Facts, frame: Frame, marks: Sequence[Mark]) -> str:
    placed = [*_lanes(frame, marks)]
    height = frame.roof + PANEL + 28 + LANE * (max((lane for *_, lane in placed), default=-1) + 1) + 6
    parts = (
        *_exposed(facts, frame), *_grid(facts, frame), *_usual(facts, frame), *_series(facts, frame),
        *_phases(facts, frame), *_moments(frame, placed), *_written(facts, frame),
    )  # fmt: skip
    alt = escape(f"{claim(facts)}. {'; '.join(mark.text for mark in marks)}.")
    body = "".join(parts)
    name = "wide" if frame.is_wide else "narrow"
    return f"<svg class='{name}' viewBox='0 0 {frame.width} {height}' role='img' aria-label='{alt}'>{body}</svg>"


def _text(x: float, y: float, said: str, *, cls: str = "", anchor: str = "start") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' class='{cls}'>{escape(said)}</text>"


def _path(cls: str, ends: Sequence[tuple[float, float]], *, closed: bool = False) -> str:
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ends) + ("Z" if closed else "")
    return f"<path class='{cls}' d='{d}'/>"


def _grid(facts: Facts, frame: Frame) -> Iterator[str]:
    low, high = frame.left, frame.width - frame.right
    for tick in _ticks(frame.top):
        y = frame.y(tick)
        yield _path("axis" if tick == 0 else "grid", [(low, y), (high, y)])
        yield _text(low - 8, y + 4.5, _said_tick(tick, frame.top, facts), cls="soft", anchor="end")
    for at, said in _times(frame):
        x = frame.x(at)
        yield _path("axis", [(x, frame.roof + PANEL), (x, frame.roof + PANEL + 5)])
        room = len(said) * LETTER / 2
        anchor = "start" if x - room < 0 else "end" if x + room > frame.width else "middle"
        yield _text(x, frame.roof + PANEL + 19, said, cls="soft", anchor=anchor)


def _exposed(facts: Facts, frame: Frame) -> Iterator[str]:
    """The time in which harm could be done, washed."""
    start, end = facts.moments.get("onset"), facts.moments.get("contained")
    if start is not None and start < frame.last and facts.verdict["status"] != "no_incident":
        left, right = frame.x(start), frame.x(min(end or frame.last, frame.last))
        width = max(right - left, 0)
        yield f"<rect class='exposed' x='{left:.1f}' y='{frame.roof}' width='{width:.1f}' height='{PANEL}'/>"


def _usual(facts: Facts, frame: Frame) -> Iterator[str]:
    low, high = frame.left, frame.width - frame.right
    band = facts.now.get("usual_range")
    if band:
        top, bottom = frame.y(band[1]), frame.y(band[0])
        yield f"<rect class='band' x='{low}' y='{top:.1f}' width='{high - low}' height='{bottom - top:.1f}'/>"
    else:
        yield _path("usual", [(low, frame.y(facts.now["usual"])), (high, frame.y(facts.now["usual"]))])


def _series(facts: Facts, frame: Frame) -> Iterator[str]:
    for run in _runs(facts):
        cls = "harm" if run[0]["phase"] == "since" and facts.verdict["status"] != "no_incident" else "calm"
        at = [frame.x(utc(one["from"]) + (utc(one["to"]) - utc(one["from"])) / 2) for one in run]
        if all(one["interval"] for one in run):
            upper = [(x, frame.y(one["interval"][1])) for x, one in zip(at, run, strict=True)]
            lower = [(x, frame.y(one["interval"][0])) for x, one in zip(at, run, strict=True)]
            yield _path(f"band {cls}", upper + lower[::-1], closed=True)
        ends = [(x, frame.y(one["value"])) for x, one in zip(at, run, strict=True)]
        if len(run) == 1:
            yield f"<circle class='dot {cls}' cx='{ends[0][0]:.1f}' cy='{ends[0][1]:.1f}' r='3'/>"
        else:
            yield _path(f"line {cls}", ends)


def _runs(facts: Facts) -> Iterator[list[Mapping[str, Any]]]:
    """Points that a line may join: of one phase, without a gap."""
    run: list[Mapping[str, Any]] = []
    for one in facts.now["points"]:
        apart = run and (
            one["phase"] != run[-1]["phase"]
            or (utc(one["from"]) - utc(run[-1]["to"])).total_seconds() > (BROKEN - 1) * facts.now["step"]
        )
        if run and (apart or one["value"] is None):
            yield run
            run = []
        if one["value"] is not None:
            run.append(one)
    if run:
        yield run


def _phases(facts: Facts, frame: Frame) -> Iterator[str]:
    """How long it was unnoticed, to contain, to recover: one bar, and their lengths as its label."""
    if facts.verdict["status"] == "no_incident":
        return
    told = []
    for first, second, name in PHASES:
        seconds = facts.between(first, second)
        if seconds is None or facts.moments[second] > frame.last:
            continue
        left, right = frame.x(facts.moments[first]), frame.x(facts.moments[second])
        more = " or more" if first == "onset" and facts.at_bound else ""
        told.append((left, right, f"{name} {duration_in_words(seconds)}{more}"))
        width = max(right - left - 1, 1)
        yield f"<rect class='phase {first}' x='{left:.1f}' y='{frame.roof - 12}' width='{width:.1f}' height='6'/>"
    said = " · ".join(one for *_, one in told)
    if told:
        room = len(said) * LETTER
        start = min(told[0][0], frame.width - room)
        lines = [said] if start >= 0 else [one for *_, one in told]
        for place, line in enumerate(lines[::-1]):
            x = max(min(told[0][0], frame.width - len(line) * LETTER), 0)
            yield _text(x, frame.roof - 18 - LINE * place, line)


def _written(facts: Facts, frame: Frame) -> Iterator[str]:
    """Values written into the panel: the usual, since the onset, after the repair."""
    now, wide = facts.now, frame.is_wide
    since, points = now.get("since"), [one for one in now["points"] if one["value"] is not None]
    usual = facts.value(now["usual"])
    band = now.get("usual_range")
    said = f"usual: {usual}" if not band else "usual range"
    calm = [one for one in points if one["phase"] == "before"]
    if calm:
        near = [(one["interval"] or [0, one["value"]])[1] for one in calm[: max(3, len(calm) // 3)]]
        yield _text(frame.left + 6, frame.y(max([*near, band[1] if band else 0])) - 7, said, cls="soft")
    harmed = [one for one in points if one["phase"] == "since"]
    if since and harmed and facts.verdict["status"] != "no_incident":
        text = f"{facts.value(since['value'])} since the onset" if wide else facts.value(since["value"])
        left, right = frame.x(utc(harmed[0]["from"])), frame.x(utc(harmed[-1]["to"]))
        room = len(text) * LETTER / 2
        middle = min(max((left + right) / 2, frame.left + room), frame.width - room)
        highest = max((one["interval"] or [0, one["value"]])[1] for one in harmed)
        yield _text(middle, max(frame.y(highest) - 8, frame.roof + 14), text, cls="key harm", anchor="middle")
    after = [one for one in points if one["phase"] == "after"]
    if now.get("recovered") and after:
        text = facts.value(now["recovered"]["value"]) + (" after the repair" if wide else "")
        highest = max((one["interval"] or [0, one["value"]])[1] for one in after)
        x = frame.x(utc(after[-1]["to"]))
        yield _text(min(x, frame.width - 2), frame.y(highest) - 8, text, cls="soft", anchor="end")


# --- moments ---------------------------------------------------------------------------------------------------------


def _marks(facts: Facts) -> list[Mark]:
    """The named moments: onset, when each system left its range, missed signals, detection, containment, recovery."""
    if facts.verdict["status"] == "no_incident":
        kept = [Mark(at=at, text="alarm", is_key=True) for name, at in facts.moments.items() if name == "detected"]
        return [replace(one, text=f"{when(one.at, of_a_day=facts.of_a_day)}: {one.text}") for one in kept]
    known = facts.moments
    named = [name for name in ("detected", "contained", "recovered") if name in known]
    marks = [Mark(at=known[name], text=name, is_key=name != "recovered") for name in named]
    first = (facts.first or {}).get("name")
    for one in facts.results.get("out_of_range", ()) if facts.is_cascade else ():
        early = utc(one["earliest"]) if one["earliest"] else None
        if one["component"] != first:
            marks.append(Mark(at=utc(one["at"]), text=f"{system(one['component'])} off", earliest=early))
    onset, detected = known.get("onset"), known.get("detected")
    if onset is not None:
        early = utc(facts.dated["earliest"]) if facts.dated else None
        text = f"{system(str(first))} leaves its range" if facts.is_cascade and first else "onset"
        marks.append(Mark(at=onset, text=text, is_key=True, earliest=early))
        missed = [
            one for one in facts.incident.timeline.events
            if one.kind in SIGNS and detected is not None and onset <= utc(one.at) < detected - timedelta(minutes=5)
        ]  # fmt: skip
        marks += [Mark(at=utc(one.at), text="missed signal") for one in missed[:1]]
    return [_dated(facts, mark) for mark in marks]


def _dated(facts: Facts, mark: Mark) -> Mark:
    before = facts.or_before if mark.at == facts.moments.get("onset") and mark.is_key else ""
    at = when(mark.at, of_a_day=True) if facts.of_a_day else day(mark.at)
    return replace(mark, text=f"{at}{before}: {mark.text}")


def _lanes(frame: Frame, marks: Sequence[Mark]) -> Iterator[tuple[Mark, float, str, int]]:
    """Each mark with its place, the side of its label, and its lane: lines cross no label of another."""
    letter = LETTER * (0.95 if frame.is_wide else 0.88)
    sided: list[tuple[Mark, float, str]] = []
    for mark in marks:
        x = frame.x(mark.at)
        fits = x + 10 + len(mark.text) * letter * (BOLD if mark.is_key else 1) <= frame.width
        sided.append((mark, x, "start" if fits or x < frame.width / 2 else "end"))
    left = sorted((one for one in sided if one[2] == "end"), key=lambda one: one[1])
    right = sorted((one for one in sided if one[2] == "start"), key=lambda one: -one[1])
    taken: list[tuple[float, float]] = []
    lane = -1
    for mark, x, side in [*left, *right]:
        room = 14 + len(mark.text) * letter * (BOLD if mark.is_key else 1)
        span = (x - room, x + 6) if side == "end" else (x - 6, x + room)
        if lane < 0 or any(span[0] < end and start < span[1] for start, end in taken):
            lane, taken = lane + 1, []
        taken.append(span)
        yield mark, x, side, lane


def _moments(frame: Frame, placed: Sequence[tuple[Mark, float, str, int]]) -> Iterator[str]:
    for mark, x, _, lane in placed:
        y = float(frame.roof + PANEL + 42 + LANE * lane)
        if mark.is_key:
            yield _path("moment", [(x, frame.roof), (x, y)])
        if mark.earliest is not None and mark.earliest < mark.at:
            start = max(frame.x(mark.earliest), frame.left)
            yield f"<rect class='reach' x='{start:.1f}' y='{y - 2.5:.1f}' width='{max(x - start, 0):.1f}' height='5'/>"
        yield f"<circle class='moment' cx='{x:.1f}' cy='{y:.1f}' r='3.6'/>"
    for mark, x, side, lane in placed:
        y, cls = frame.roof + PANEL + 46.5 + LANE * lane, "key" if mark.is_key else ""
        room = (frame.width - x - 10 if side == "start" else x - 10) / (LETTER * 0.88)
        whole = frame.is_wide or len(mark.text) <= room
        said = mark.text if whole else mark.text.partition(": ")[0]  # on a phone, where it has no room: when alone
        yield _text(x + (10 if side == "start" else -10), y, said, cls=cls, anchor=side)
