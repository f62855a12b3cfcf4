"""Charts of the attribution of harm: waterfall from the reference metric to the current one."""

from dataclasses import dataclass

from rca.analysis.harm.contribution import Contribution
from rca.analysis.harm.harm import Harm
from rca.finding import Interval
from rca.methods.metric import Measured
from rca.report.rendering.chart import (
    CALM,
    HARM,
    HELP,
    MOST_PARTS,
    QUIET,
    Chart,
    Spec,
    bars_of,
    chart,
    height,
    interval_of,
    label,
    named_rows,
    scaled,
)
from rca.report.rendering.plain_text import (
    alike,
    capital,
    change_in_words,
    change_unit,
    number,
    plain,
    said_values,
    span,
)

SMALLEST_DRAWN = 0.01
"""Share of the change below which a contribution is not drawn on its own."""


@chart.register
def _measured(result: Measured) -> Chart:
    values = [result.scale * value for value in (result.reference, result.current)]
    ends = [scaled(interval, result.scale) for interval in (result.reference_interval, result.current_interval)]
    worse = (result.change > 0) == (result.harm == "higher") and 0 not in result.interval
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": [0, 1],
        "width": 0.5,
        "marker": {"color": [QUIET, HARM if worse else CALM]},
        "error_x": bars_of(values, ends),
        "hovertemplate": "%{x:.4g}<extra></extra>",
    }
    layout = {
        "height": height(2, per_row=44),
        "xaxis": {"title": axis_of(result), "rangemode": "tozero"},
        "yaxis": named_rows(["reference", "current"], said=[*said_values(result)]),
    }
    return Chart(
        title=change_in_words(result),
        alt=f"Two bars with {result.interval.level:.0%} intervals. {result}.",
        rows=tuple(result.rows()),
        data=(trace,),
        layout=layout,
    )


def axis_of(measured: Measured) -> str:
    """Axis title in the metric's unit."""
    return f"{label(measured.label, 60)} ({'%' if measured.is_share else measured.unit})"


@dataclass(frozen=True, kw_only=True)
class WaterfallBar:
    """One bar of a waterfall, in the metric's unit: it runs from `start` by `by`."""

    name: str
    start: float
    by: float
    color: str
    interval: Interval | None = None


@chart.register
def _harm(result: Harm) -> Chart:
    steps = _steps(result)
    reached = [step.start + step.by for step in steps]
    before, during = said_values(result.measured)
    said = [before, *alike(*(step.by for step in steps), sign=True)[1:-1], during]
    trace = {
        "type": "bar",
        "orientation": "h",
        "base": [step.start for step in steps],
        "x": [step.by for step in steps],
        "y": list(range(len(steps))),
        "width": 0.6,
        "marker": {
            "color": [step.color for step in steps],
            "pattern": {
                "shape": ["/" if step.name == "unexplained" else "" for step in steps],
                "size": 5,
                "fillmode": "overlay",
            },
        },
        "error_x": bars_of(reached, [step.interval for step in steps]),
        "text": said,
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }
    layout = {
        "height": height(len(steps), per_row=42, around=80),
        "xaxis": {"title": axis_of(result.measured), "rangemode": "tozero"},
        "yaxis": named_rows([step.name for step in steps], said=said),
    }
    return Chart(
        title=_harm_title(result), alt=_harm_alt(result), rows=_harm_rows(result), data=(trace,), layout=layout
    )


def _steps(result: Harm) -> list[WaterfallBar]:
    """From the reference to the current value, one step per contribution, in the unit it is read in."""
    measured = result.measured
    way, at = measured.sign * measured.scale, measured.scale * measured.reference
    steps = [WaterfallBar(name="reference", start=0.0, by=at, color=CALM)]
    for name, value, interval in _parts(result):
        color = QUIET if name == "unexplained" else HARM if value > 0 else HELP
        steps.append(
            WaterfallBar(name=name, start=at, by=way * value, color=color, interval=_moved(scaled(interval, way), at))
        )
        at += way * value
    return [*steps, WaterfallBar(name="current", start=0.0, by=measured.scale * measured.current, color=CALM)]


def _moved(interval: Interval | None, by: float) -> Interval | None:
    if interval is None:
        return None
    return Interval(low=interval.low + by, high=interval.high + by, level=interval.level)


def _parts(result: Harm) -> list[tuple[str, float, Interval | None]]:
    visible = [part for part in result.contributions if abs(part.value) >= SMALLEST_DRAWN * abs(result.measured.change)]
    shown, rest = visible[:MOST_PARTS], [part for part in result.contributions if part not in visible[:MOST_PARTS]]
    parts: list[tuple[str, float, Interval | None]] = [(in_short(part), part.value, part.interval) for part in shown]
    left = sum(part.value for part in rest)
    if abs(left) >= SMALLEST_DRAWN * abs(result.measured.change):
        parts.append((f"{len(rest)} {'smaller' if parts else 'small'}", left, None))
    return [*parts, ("unexplained", result.unexplained, None)]


def in_short(part: Contribution) -> str:
    """Axis label of a contribution."""
    return {"concept": "label given features", "rows": "rows written twice"}.get(part.kind, part.name)


def _harm_title(result: Harm) -> str:
    measured = result.measured
    if 0 in measured.interval:
        return change_in_words(measured)
    if not result.contributions or result.contributions[0].value <= 0:
        return f"Nothing that could be tried takes away the change in {plain(measured.label)}"
    first = result.contributions[0]
    did, of = alike(measured.scale * first.value, measured.scale * abs(measured.change))
    return f"{capital(plain(first.label, 60))} did {did} of the {of} {change_unit(measured)} of change"


def _harm_alt(result: Harm) -> str:
    measured = result.measured
    parts = "; ".join(_told(part, measured.scale) for part in result.contributions[:MOST_PARTS])
    before, during = said_values(measured)
    left = number(measured.scale * result.unexplained, sign=True)
    return (
        f"A waterfall of the {measured.label}, from {before} in the reference window to {during} in the current one. "
        f"Positive parts did harm, in {change_unit(measured)}: {parts or 'none'}; unexplained {left}."
    )


def _told(part: Contribution, scale: float) -> str:
    return f"{part.label} {number(scale * part.value, sign=True)} ({span(*_ends(part.interval, scale))})"


def _ends(interval: Interval, scale: float) -> tuple[float, float]:
    return scale * interval.low, scale * interval.high


def _harm_rows(result: Harm) -> tuple[Spec, ...]:
    measured = result.measured
    value, harm = axis_of(measured), f"harm ({change_unit(measured)})"
    blank = {harm: None, "interval": None, "found by": None, "strength": None}
    return (
        {"part": "reference", value: measured.scale * measured.reference, **blank},
        *({"part": part.label, value: None, **contribution_row(part, measured)} for part in result.contributions),
        {"part": "unexplained", value: None, **blank, harm: measured.scale * result.unexplained},
        {"part": "current", value: measured.scale * measured.current, **blank},
    )


def contribution_row(part: Contribution, measured: Measured) -> Spec:
    """A contribution as a row of a table."""
    interval = interval_of(scaled(part.interval, measured.scale))
    harm = {f"harm ({change_unit(measured)})": measured.scale * part.value}
    return {**harm, "interval": interval, "found by": part.method, "strength": part.strength}
