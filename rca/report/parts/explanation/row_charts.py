"""Charts of single rows: beeswarm of SHAP values in both windows, and waterfalls of exemplar rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import quantiles

from rca.analysis.explanation.cohorts import Exemplar
from rca.analysis.explanation.results import ExplanationShift, Points
from rca.report.parts.explanation.charts import LEGEND, Window, short, unit_of
from rca.report.rendering.chart import CALM, QUIET, Chart, Spec, chart, height, label, named_rows
from rca.report.rendering.plain_text import alike, count, plain, readable

MOST_POINTS = 4800
"""Points of a figure: every one is a shape that the page has to draw."""

MOST_SWARMS = 15
"""Features of which single rows are drawn."""

BINS = 90
"""Places side by side at which points of a swarm are stacked."""

BAND = 0.17
"""Half of the height of a swarm, rows being 1 apart."""

ROUNDING = 1e-9
"""Below this nothing is left for the features that are not drawn one by one."""

LOW, MIDDLE, HIGH = "#7a63c0", "#a39fa8", "#e08214"
"""Low to high values: apart for any colour vision, on white and on dark paper."""

# --- single rows, before and during ----------------------------------------------------------------------------------


def swarm(result: ExplanationShift) -> Chart:
    """Beeswarm of SHAP values, a feature a line: the reference above, the current window below."""
    drawn = result.swarm[:MOST_SWARMS]
    most = MOST_POINTS // max(2 * len(drawn), 1)
    thinned = [(name, _thinned(first, most), _thinned(second, most)) for name, first, second in drawn]
    ends = _ends(thinned)
    before = _cloud([points for _, points, _ in thinned], "reference", ends)
    during = _cloud([points for *_, points in thinned], "current", ends)
    return Chart(
        title=_swarm_title(result, thinned),
        alt=_swarm_alt(thinned),
        rows=tuple(_swarm_row(*part) for part in thinned),
        data=(before, during, _sample("low value", LOW), _sample("high value", HIGH)),
        layout={
            "height": height(len(drawn), per_row=54, around=90),
            "xaxis": {"title": f"SHAP value ({unit_of(result.scale)})"},
            "yaxis": _swarm_axis([name for name, *_ in drawn]),
            "shapes": [_between(at + 0.5) for at in range(len(drawn) - 1)],
            "showlegend": True,
            "legend": {**LEGEND, "itemclick": False, "itemdoubleclick": False},
        },
    )  # fmt: skip


def _thinned(points: Points, most: int) -> Points:
    """Every so many of the points, in the order of their SHAP values."""
    ordered = sorted(points)
    if len(ordered) <= most:
        return tuple(ordered)
    return tuple(ordered[at * len(ordered) // most] for at in range(most))


def _ends(drawn: Sequence[tuple[str, Points, Points]]) -> tuple[float, float]:
    values = [value for _, *sides in drawn for points in sides for value, _ in points] or [0.0]
    return min(values), max(values)


def _cloud(sides: Sequence[Points], window: Window, ends: tuple[float, float]) -> Spec:
    """Points of a window, stacked where they are dense."""
    middle = -0.22 if window == "reference" else 0.22
    places = [at + middle + off for at, points in enumerate(sides) for off in _offsets(points, ends)]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [float(f"{value:.4g}") for points in sides for value, _ in points],
        "y": [round(place, 3) for place in places],
        "marker": {
            "size": 4.5,
            "opacity": 0.85,
            "color": [round(rank, 2) for points in sides for _, rank in points],
            "cmin": 0,
            "cmax": 1,
            "colorscale": [[0, LOW], [0.5, MIDDLE], [1, HIGH]],
        },
        "showlegend": False,
        "hovertemplate": f"{window}: %{{x:.3g}}<extra></extra>",
    }


def _offsets(points: Points, ends: tuple[float, float]) -> list[float]:
    """Vertical offset of each of the sorted points: the n-th of a bin by n steps, to either side in turn."""
    width = (ends[1] - ends[0]) / BINS or 1.0
    stacks = [len(list(stack)) for _, stack in groupby(points, key=lambda point: int((point[0] - ends[0]) / width))]
    step = min(0.05, 2 * BAND / max(stacks, default=1))
    return [step * ((n + 1) // 2) * (-1) ** n for stack in stacks for n in range(stack)]


def _sample(name: str, color: str) -> Spec:
    """A legend entry for a colour."""
    return {"type": "scatter", "mode": "markers", "name": name, "x": [None], "y": [None], "marker": {"color": color}}


def _swarm_axis(names: Sequence[str]) -> Spec:
    ticks = [at + off for at in range(len(names)) for off in (-0.22, 0.22)]
    texts = [text for name in names for text in (f"{label(short(name))}, before", "during")]
    return {**named_rows(names), "tickvals": ticks, "ticktext": texts}


def _between(at: float) -> Spec:
    line = {"color": QUIET, "width": 0.5}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": at, "y1": at, "line": line}


def _half(points: Points) -> tuple[float, float]:
    """Interquartile range of the points."""
    values = [value for value, _ in points] or [0.0]
    low, _, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return low, high


def _swarm_title(result: ExplanationShift, drawn: Sequence[tuple[str, Points, Points]]) -> str:
    moved = {one.column for one in result.moved()}
    found = [part for part in drawn if part[0] in moved]
    if not found:
        return "Row by row, the reasons lie as they did before"
    name, before, after = found[0]
    ends = alike(*_half(before), *_half(after))
    return f"Half of the rows: {plain(name, 40)} worth {ends[0]} to {ends[1]} before, {ends[2]} to {ends[3]} during"


def _swarm_alt(drawn: Sequence[tuple[str, Points, Points]]) -> str:
    total = sum(len(before) + len(after) for _, before, after in drawn)
    return (
        "Points, one a row of the data, at the SHAP value of each feature: the reference above, the current window "
        f"below; {total:,} points of rows drawn at random. The colour says where the row's value of the feature ranks, "
        "from low to high; of categories, from common to rare."
    )


def _swarm_row(name: str, before: Points, after: Points) -> Spec:
    said = [" to ".join(alike(*_half(points))) for points in (before, after)]
    return {"feature": name, "middle half before": said[0], "middle half during": said[1]}


# --- examples --------------------------------------------------------------------------------------------------------


@chart.register
def _exemplar(result: Exemplar) -> Chart:
    return example(result)


@dataclass(frozen=True, kw_only=True)
class WaterfallBar:
    """A bar of the waterfall from the base value to the row's prediction; `usual` is where it ends on average."""

    name: str
    said: str
    start: float
    by: float
    color: str
    usual: float | None = None


def example(row: Exemplar, *, scale: str = "") -> Chart:
    """Waterfall of a row: from the base value to its prediction, with the mean SHAP value of each feature.

    Parameters
    ----------
    row : Exemplar
    scale : str
        Of the SHAP values.
    """
    steps = _way(row)
    bars = {
        "type": "bar",
        "orientation": "h",
        "base": [step.start for step in steps],
        "x": [step.by for step in steps],
        "y": list(range(len(steps))),
        "width": 0.55,
        "marker": {"color": [step.color for step in steps]},
        "text": [label(f"{step.name}: {step.said}", 80) for step in steps],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
    }
    return Chart(
        title=_example_title(row),
        alt=_example_alt(row),
        rows=_example_rows(row),
        data=(bars, _usual(steps)),
        layout={
            "height": height(len(steps), per_row=42, around=90),
            "xaxis": {"title": f"answer ({unit_of(scale)})" if scale else "answer"},
            "yaxis": named_rows([short(step.name) for step in steps], said=[step.said for step in steps]),
            "showlegend": True,
            "legend": LEGEND,
        },
    )


def _way(row: Exemplar) -> list[WaterfallBar]:
    said = alike(row.base, *(value for _, _, value, _ in row.told), row.rest, row.margin)
    signed = alike(*(value for _, _, value, _ in row.told), row.rest, sign=True)
    at = row.base
    steps = [WaterfallBar(name="usual answer", said=said[0], start=0.0, by=at, color=QUIET)]
    for (name, held, value, usual), by in zip(row.told, signed, strict=False):
        told = f"{plain(readable(held), 12)}: {by}"
        steps.append(WaterfallBar(name=name, said=told, start=at, by=value, color=CALM, usual=at + usual))
        at += value
    if abs(row.rest) > ROUNDING:
        steps.append(WaterfallBar(name="all others", said=signed[-1], start=at, by=row.rest, color=QUIET))
    return [*steps, WaterfallBar(name="this row's answer", said=said[-1], start=0.0, by=row.margin, color=QUIET)]


def _usual(steps: Sequence[WaterfallBar]) -> Spec:
    """End of each bar if its feature had its mean SHAP value."""
    drawn = [(at, step.usual) for at, step in enumerate(steps) if step.usual is not None]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "what the feature is usually worth",
        "x": [usual for _, usual in drawn],
        "y": [at for at, _ in drawn],
        "marker": {"symbol": "line-ns-open", "size": 20, "color": HIGH, "line": {"width": 2.5, "color": HIGH}},
        "hovertemplate": "usually it would end at %{x:.3g}<extra></extra>",
    }


def _example_title(row: Exemplar) -> str:
    if not row.told:
        return f"Current row {row.row}: nothing speaks for or against it"
    name, held, value, usual = row.told[0]
    worth, as_usual = alike(value, usual, sign=True)
    first = f"{plain(name, 40)} = {plain(readable(held), 24)}"
    return f"Current row {row.row}: {first} is worth {worth}, where the feature is usually worth {as_usual}"


def _example_alt(row: Exemplar) -> str:
    first, last = alike(row.base, row.margin)
    return (
        f"A waterfall from the usual answer, {first}, to that of current row {row.row} (counted from 0), {last}: what "
        "each feature adds in this row, the weightiest first; a line marks where it would end with its mean of the "
        f"reference. {count(len(row.told), 'feature')} one by one, the others as one bar."
    )


def _example_rows(row: Exemplar) -> tuple[Spec, ...]:
    left = [("all others", None, row.rest, None)] if abs(row.rest) > ROUNDING else []
    told = [("usual answer", None, row.base, None), *row.told, *left, ("this row's answer", None, row.margin, None)]
    return tuple(
        {"part": name, "value": readable(held) if held else None, "worth": worth, "usually worth": usual}
        for name, held, worth, usual in told
    )
