"""Charts of the harm: the metric before and after, what each thing did, and the verdict's causes."""

from dataclasses import dataclass

from rca.analysis.harm import Contribution, Harm
from rca.analysis.metric import Measured
from rca.analysis.verdict import Cause, Verdict
from rca.finding import Interval
from rca.report.charts import CALM, HARM, HELP, QUIET, Chart, Spec, bars_of, chart, height, interval_of, named_rows
from rca.report.text import alike, number, plain, span, words

SMALLEST_DRAWN = 0.01
"""Share of the change below which a contribution is not drawn on its own."""

MOST_PARTS = 8
"""Contributions drawn one by one; smaller ones are drawn as one."""


@chart.register
def _measured(result: Measured) -> Chart:
    values, ends = [result.reference, result.current], [result.reference_interval, result.current_interval]
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
        "xaxis": {"title": words(result.name), "rangemode": "tozero"},
        "yaxis": named_rows(["reference", "current"], said=alike(*values)),
    }
    return Chart(
        title=change_in_words(result),
        alt=f"Two bars with {result.interval.level:.0%} intervals. {result}.",
        rows=tuple(result.rows()),
        data=(trace,),
        layout=layout,
    )


def change_in_words(measured: Measured) -> str:
    """What the metric did, in one line."""
    verb = "did not change beyond chance" if 0 in measured.interval else "rose" if measured.change > 0 else "fell"
    before, during = alike(measured.reference, measured.current)
    return f"{words(measured.name).capitalize()} {verb}: {before} before, {during} during the failure"


@dataclass(frozen=True, kw_only=True)
class Step:
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
    ends, parts = (
        alike(result.measured.reference, result.measured.current),
        alike(*(step.by for step in steps), sign=True)[1:-1],
    )
    said = [ends[0], *parts, ends[1]]
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
        "xaxis": {"title": words(result.measured.name), "rangemode": "tozero"},
        "yaxis": named_rows([step.name for step in steps], said=said),
    }
    return Chart(
        title=_harm_title(result), alt=_harm_alt(result), rows=_harm_rows(result), data=(trace,), layout=layout
    )


def _steps(result: Harm) -> list[Step]:
    """From the reference to the current value, one step per contribution."""
    way = 1 if result.measured.harm == "higher" else -1
    steps, at = [Step(name="reference", start=0.0, by=result.measured.reference, color=CALM)], result.measured.reference
    for name, value, interval in _parts(result):
        by = way * value
        ends = None if interval is None else sorted((at + way * interval.low, at + way * interval.high))
        color = QUIET if name == "unexplained" else HARM if value > 0 else HELP
        shifted = (
            None if ends is None or interval is None else Interval(low=ends[0], high=ends[1], level=interval.level)
        )
        steps.append(Step(name=name, start=at, by=by, color=color, interval=shifted))
        at += by
    return [*steps, Step(name="current", start=0.0, by=result.measured.current, color=CALM)]


def _parts(result: Harm) -> list[tuple[str, float, Interval | None]]:
    visible = [part for part in result.contributions if abs(part.value) >= SMALLEST_DRAWN * abs(result.measured.change)]
    shown, rest = visible[:MOST_PARTS], [part for part in result.contributions if part not in visible[:MOST_PARTS]]
    parts: list[tuple[str, float, Interval | None]] = [(in_short(part), part.value, part.interval) for part in shown]
    left = sum(part.value for part in rest)
    if abs(left) >= SMALLEST_DRAWN * abs(result.measured.change):
        parts.append((f"{len(rest)} {'smaller' if parts else 'small'}", left, None))
    return [*parts, ("unexplained", result.unexplained, None)]


def in_short(part: Contribution) -> str:
    """What a contribution is called on an axis."""
    return "label given features" if part.kind == "concept" else part.name


def _harm_title(result: Harm) -> str:
    name = words(result.measured.name)
    if 0 in result.measured.interval:
        return change_in_words(result.measured)
    if not result.contributions or result.contributions[0].value <= 0:
        return f"Nothing that could be tried takes away the change in {name}"
    first, worse = result.contributions[0], abs(result.measured.change)
    did, of = alike(first.value, worse)
    return f"{_capital(plain(first.label, 60))} did {did} of the {of} change in {name}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _harm_alt(result: Harm) -> str:
    parts = "; ".join(
        f"{part.label} {number(part.value, sign=True)}{_between(part.interval)}"
        for part in result.contributions[:MOST_PARTS]
    )
    measured = result.measured
    before, during = alike(measured.reference, measured.current)
    return (
        f"A waterfall in {words(measured.name)}, from {before} in the reference window to {during} in the current "
        f"one. Positive parts did harm: {parts or 'none'}; unexplained {number(result.unexplained, sign=True)}."
    )


def _between(interval: Interval) -> str:
    return f" ({span(interval.low, interval.high)})"


def _harm_rows(result: Harm) -> tuple[Spec, ...]:
    measured, blank = result.measured, {"harm": None, "interval": None, "found by": None, "strength": None}
    return (
        {"part": "reference", "value": measured.reference, **blank},
        *(contribution_row(part) for part in result.contributions),
        {"part": "unexplained", "value": None, **blank, "harm": result.unexplained},
        {"part": "current", "value": measured.current, **blank},
    )


def contribution_row(part: Contribution) -> Spec:
    """A contribution as a table shows it."""
    told = {"interval": interval_of(part.interval), "found by": part.method, "strength": part.strength}
    return {"part": part.label, "value": None, "harm": part.value, **told}


@chart.register
def _verdict(result: Verdict) -> Chart:
    drawn = [cause for cause in result.causes if cause.contribution is not None][:MOST_PARTS]
    values = [cause.contribution or 0.0 for cause in drawn]
    unit = words(result.metric.name) if result.metric else "share of the failure"
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": list(range(len(drawn))),
        "width": 0.55,
        "marker": {"color": [HARM if value > 0 else HELP for value in values]},
        "error_x": bars_of(values, [cause.interval for cause in drawn]),
        "hovertemplate": "%{x:.3g}<extra></extra>",
    }
    layout = {
        "height": height(len(drawn), per_row=38),
        "xaxis": {"title": f"harm done, in {unit}", "rangemode": "tozero"},
        "yaxis": named_rows([cause.name for cause in drawn], said=alike(*values, sign=True)),
    }
    return Chart(
        title=result.summary,
        alt=f"Bars with intervals, the largest harm first: {', '.join(cause.name for cause in drawn) or 'none'}.",
        rows=tuple(cause_row(cause) for cause in result.causes),
        data=(trace,),
        layout=layout,
    )


def cause_row(cause: Cause) -> Spec:
    """A cause as a table shows it."""
    fault = words(cause.fault) if cause.fault else None
    return {
        "cause": cause.name,
        "kind": cause.kind,
        "fault": fault,
        "harm": cause.contribution,
        "interval": interval_of(cause.interval),
        "strength": cause.strength,
        "findings": ", ".join(cause.findings),
    }
