"""Charts of explanation shift: mean |SHAP| before and during, effect of an update, attribution of the loss."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rca.analysis.drift.classifier_two_sample import Joint
from rca.analysis.explanation.results import ExplanationShift, Reason, ShapChange
from rca.finding import Interval
from rca.report.rendering.chart import (
    CALM,
    HARM,
    HELP,
    QUIET,
    Chart,
    Spec,
    bars_of,
    chart,
    height,
    interval_of,
    label,
    named_rows,
)
from rca.report.rendering.plain_text import alike, count, number, plain

MOST_REASONS = 15
"""Features drawn; the table under the figure has them all."""

MOST_PARTS = 10
"""Features drawn one by one in the division of the loss; the rest is one bar."""

MOST_NUMBERS = 200
"""Rows of the table under a figure: a model of thousands of features leaves the page readable."""

UNITS = {
    "log-odds": "log-odds",
    "probability": "probability",
    "prediction": "unit of the prediction",
    "score": "unit of the score",
}
"""Scales of SHAP values, as an axis names them."""

Window = Literal["reference", "current"]

LEGEND: Spec = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}


def unit_of(scale: str) -> str:
    """The unit of SHAP values on a scale."""
    return UNITS.get(scale, label(scale))


def short(name: str, limit: int = 22) -> str:
    """A name that fits an axis: of a long one the beginning and the end, by which names of many features differ.

    >>> short("payments_of_the_last_12_months"), short("income")
    ('payments_of_…12_months', 'income')
    """
    safe = plain(name)
    return safe if len(safe) <= limit else f"{safe[: limit - 10]}…{safe[-9:]}"


def shifted(interval: Interval, by: float) -> Interval:
    """The interval of a change, laid at the value it starts from."""
    return Interval(low=by + interval.low, high=by + interval.high, level=interval.level)


# --- what features are worth, before and during ----------------------------------------------------------------------


@chart.register
def _explanation(result: ExplanationShift) -> Chart:
    drawn = result.reasons[:MOST_REASONS]
    return Chart(
        title=explanation_title(result),
        alt=_explanation_alt(result, len(drawn)),
        rows=tuple(_reason_row(one) for one in result.reasons[:MOST_NUMBERS]),
        data=(_links(drawn), _before(drawn), _during(drawn)),
        layout={
            "height": height(len(drawn), per_row=40, around=100),
            "xaxis": {"title": f"mean |SHAP| ({unit_of(result.scale)})", "rangemode": "tozero"},
            "yaxis": named_rows([short(one.column) for one in drawn], said=[rank_of(one) for one in drawn]),
            "showlegend": True,
            "legend": LEGEND,
        },
    )


def rank_of(one: Reason) -> str:
    """The rank of a feature among all, and what it became."""
    if one.rank_reference == one.rank_current:
        return f"rank {one.rank_current}"
    return f"rank {one.rank_reference} → {one.rank_current}"


def _links(drawn: Sequence[Reason]) -> Spec:
    """A line from before to during, a row each."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [value for one in drawn for value in (one.reference, one.current, None)],
        "y": [place for row in range(len(drawn)) for place in (row, row, None)],
        "line": {"color": QUIET, "width": 2},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _before(drawn: Sequence[Reason]) -> Spec:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "reference",
        "x": [one.reference for one in drawn],
        "y": list(range(len(drawn))),
        "marker": {"size": 11, "color": QUIET, "symbol": "circle-open"},
        "hovertemplate": "reference: %{x:.3g}<extra></extra>",
    }


def _during(drawn: Sequence[Reason]) -> Spec:
    values = [one.current for one in drawn]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "current",
        "x": values,
        "y": list(range(len(drawn))),
        "error_x": bars_of(values, [shifted(one.size.interval, one.reference) for one in drawn]),
        "marker": {
            "size": 11,
            "color": [HARM if one.moved else CALM for one in drawn],
            "symbol": ["circle" if one.moved else "diamond" for one in drawn],
        },
        "text": [label(str(one), 120) for one in drawn],
        "hovertemplate": "%{text}<extra></extra>",
    }


def explanation_title(result: ExplanationShift) -> str:
    """Title: which features moved, and the one that moved farthest."""
    moved, total = result.moved(), count(len(result.reasons), "feature")
    if not moved:
        return f"The reasons of none of {total} moved beyond chance and materially"
    first = moved[0]
    return f"The reasons of {len(moved)} of {total} moved; {plain(first.column, 40)} the farthest: {_farthest(first)}"


def _farthest(one: Reason) -> str:
    """Largest change of a feature, in words."""
    size, direction, curve = (abs(change.value) if change else 0.0 for change in (one.size, one.direction, one.curve))
    before, during = alike(one.reference, one.current)
    weighs = f"mean |SHAP| {before} → {during}"
    if curve > max(size, direction):
        return f"{weighs}, and the same explained otherwise by {number(curve)}"
    return f"{weighs}, mean SHAP {number(one.direction.value, sign=True)}" if direction > size else weighs


def _explanation_alt(result: ExplanationShift, drawn: int) -> str:
    rows = f"{count(result.n_reference, 'reference row')} and {count(result.n_current, 'current row')}"
    names = [one.column for one in result.moved()[:MOST_REASONS]]
    more = f" The {drawn} that changed most of {len(result.reasons)} are drawn." if len(result.reasons) > drawn else ""
    return (
        "A row per feature, the largest change first: an open dot for its mean |SHAP| in the reference, a filled one "
        f"for the current window with the 95% interval of the change, round where its reasons moved; {rows}. A change "
        f"counts from {number(result.material)} on. Moved: {', '.join(names) or 'none'}.{more}"
    )


def _reason_row(one: Reason) -> Spec:
    return {
        "feature": one.column,
        "before": one.reference,
        "during": one.current,
        "rank": f"{one.rank_reference} → {one.rank_current}",
        "change": one.size.value,
        "interval": interval_of(one.size.interval),
        "moved": one.moved,
    }


# --- all reasons together --------------------------------------------------------------------------------------------


def together(result: Joint) -> Chart:
    """Joint test: how well a classifier tells the windows apart by SHAP values."""
    told, drawn = "tells" if result.moved else "hardly tells", chart(result)
    layout = {
        "xaxis": {"title": "fall of the AUC without the feature", "rangemode": "tozero"},
        "yaxis": named_rows([short(one.column) for one in result.carriers[: len(drawn.data[0]["x"])]]),
    }
    return replace(
        drawn,
        title=f"All reasons together: a classifier {told} the windows apart (AUC {result.auc:.3f}, 0.5 is chance)",
        alt=f"Bars with intervals: how far the AUC falls without the SHAP values of each feature. With them "
        f"all it is {result.auc:.3f} ({result.interval}).",
        layout={**drawn.layout, **layout},
    )


# --- what the update did, and what the data did ----------------------------------------------------------------------


def updated(result: ExplanationShift) -> Chart:
    """Change of each feature's mean |SHAP|, divided between the new model and the new rows."""
    drawn = [one for one in result.reasons if one.update is not None][:MOST_REASONS]
    model = [one.update.value if one.update else 0.0 for one in drawn]
    data = [one.size.value - part for one, part in zip(drawn, model, strict=True)]
    error = bars_of(model, [one.update.interval if one.update else None for one in drawn])
    return Chart(
        title=_updated_title(result),
        alt="Two bars a feature: how much of the change in its mean |SHAP| the new model did on the same rows, with "
        f"its 95% interval, and how much the rows did; {count(len(drawn), 'feature')}, the largest change first.",
        rows=tuple(_update_row(one) for one in result.reasons[:MOST_NUMBERS] if one.update),
        data=(
            _part("by the new model", model, CALM, error=error),
            _part("by the rows", data, QUIET),
        ),
        layout={
            "height": height(len(drawn), per_row=44),
            "barmode": "group",
            "bargap": 0.25,
            "xaxis": {"title": f"change of mean |SHAP| ({unit_of(result.scale)})", "rangemode": "tozero"},
            "yaxis": named_rows([short(one.column) for one in drawn]),
            "showlegend": True,
            "legend": {**LEGEND, "traceorder": "normal"},
        },
    )


def _part(name: str, values: Sequence[float], color: str, *, error: Spec | None = None) -> Spec:
    bars = {"error_x": error} if error else {}
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": list(values),
        "y": list(range(len(values))),
        "marker": {"color": color, "pattern": {"shape": "" if error else "/", "size": 5, "fillmode": "overlay"}},
        "hovertemplate": f"{name}: %{{x:.3g}}<extra></extra>",
        **bars,
    }


def _updated_title(result: ExplanationShift) -> str:
    known = [(one, one.update) for one in result.reasons if one.update is not None]
    if not known:
        return "What the update did to the reasons is not known"
    by_model = sum(abs(update.value) for _, update in known)
    by_rows = sum(abs(one.size.value - update.value) for one, update in known)
    first, second = ("model", "rows") if by_model > by_rows else ("rows", "model")
    more, less = alike(*sorted((by_model, by_rows), reverse=True))
    return (
        f"The new {first} changed the reasons more than the new {second} did: {more} against {less}, features added up"
    )


def _update_row(one: Reason) -> Spec:
    update = one.update or ShapChange(value=0.0, interval=Interval(low=0.0, high=0.0), p_value=1.0)
    return {
        "feature": one.column,
        "change of mean |SHAP|": one.size.value,
        "by the new model": update.value,
        "interval": interval_of(update.interval),
        "by the rows": one.size.value - update.value,
        "same row otherwise": one.curve.value if one.curve else None,
    }


# --- against the label -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Added:
    """A bar of a waterfall of the change of the loss."""

    name: str
    start: float
    by: float
    color: str
    interval: Interval | None = None


def turned(result: ExplanationShift) -> Chart:
    """Waterfall of the change of the loss by feature.

    Raises
    ------
    ValueError
        If the loss is not known.
    """
    if result.loss is None:
        raise ValueError("without labels no loss can be divided")
    steps = _added(result, result.loss)
    said = alike(*(step.by for step in steps), sign=True)
    return Chart(
        title=_turned_title(result, result.loss),
        alt=_turned_alt(result, result.loss),
        rows=_turned_rows(result, result.loss),
        data=(_waterfall(steps, said),),
        layout={
            "height": height(len(steps), per_row=42, around=80),
            "xaxis": {"title": f"change of the mean loss ({label(result.loss_unit, 40)})", "rangemode": "tozero"},
            "yaxis": named_rows([short(step.name) for step in steps], said=said),
        },
    )


def _waterfall(steps: Sequence[Added], said: Sequence[str]) -> Spec:
    ends = [shifted(step.interval, step.start) if step.interval else None for step in steps]
    return {
        "type": "bar",
        "orientation": "h",
        "base": [step.start for step in steps],
        "x": [step.by for step in steps],
        "y": list(range(len(steps))),
        "width": 0.6,
        "marker": {"color": [step.color for step in steps]},
        "error_x": bars_of([step.start + step.by for step in steps], ends),
        "text": list(said),
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }


def _added(result: ExplanationShift, total: ShapChange) -> list[Added]:
    parts = sorted(_losses(result), key=lambda part: -abs(part[1]))
    steps = [Added(name="the usual answer", start=0.0, by=result.loss_start, color=QUIET)]
    at = result.loss_start
    for name, value, interval in parts[:MOST_PARTS]:
        steps.append(Added(name=name, start=at, by=value, color=_colour(value, interval), interval=interval))
        at += value
    if parts[MOST_PARTS:]:
        left = sum(value for _, value, _ in parts[MOST_PARTS:])
        steps.append(Added(name=f"{len(parts) - MOST_PARTS} smaller", start=at, by=left, color=QUIET))
    return [*steps, Added(name="the loss", start=0.0, by=total.value, color=CALM, interval=total.interval)]


def _colour(value: float, interval: Interval) -> str:
    """Colour by sign of a significant contribution to the loss."""
    return QUIET if 0 in interval else HARM if value > 0 else HELP


def _turned_title(result: ExplanationShift, total: ShapChange) -> str:
    found, unit = result.turned(), plain(result.loss_unit, 40)
    if not found or found[0].loss is None:
        went = number(total.value, sign=True)
        return f"No feature's reasons turned against the label beyond chance; the mean loss changed by {went} {unit}"
    did, of = alike(found[0].loss.value, total.value, sign=True)
    more = f", and {len(found) - 1} more did" if len(found) > 1 else ""
    name = plain(found[0].column, 40)
    return f"{name} turned against the label{more}: {did} {unit} of loss by it alone, {of} in all"


def _turned_alt(result: ExplanationShift, total: ShapChange) -> str:
    told = "; ".join(f"{one.column} {one.loss}" for one in result.turned()[:MOST_PARTS])
    return (
        f"A waterfall from no change of the mean loss to {total} {result.loss_unit}. The usual answer alone, the same "
        f"in every row, would have changed it by {number(result.loss_start, sign=True)}; then what each feature's SHAP "
        f"values added, below zero where they helped more than before. Turned against the label: {told or 'none'}."
    )


def _turned_rows(result: ExplanationShift, total: ShapChange) -> tuple[Spec, ...]:
    name = f"added to the loss ({result.loss_unit})"
    parts = [("the usual answer", result.loss_start, None), *_losses(result)[:MOST_NUMBERS]]
    told = [*parts, ("the loss", total.value, total.interval)]
    return tuple({"part": part, name: value, "interval": interval_of(interval)} for part, value, interval in told)


def _losses(result: ExplanationShift) -> list[tuple[str, float, Interval]]:
    """Contribution of each feature to the loss, the largest first."""
    known = [(one.column, one.loss.value, one.loss.interval) for one in result.reasons if one.loss is not None]
    return sorted(known, key=lambda part: (-part[1], part[0]))
