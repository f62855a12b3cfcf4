"""Charts of slices, of group gaps, and of the columns that separate the windows."""

from typing import Literal

from rca.analysis.drift.classifier_two_sample import Joint
from rca.analysis.slices.group_gaps import SELECTED, Gap, Gaps, GroupRate
from rca.analysis.slices.slices import Slice, Slices
from rca.methods.metric import SHARES
from rca.report.rendering.chart import (
    CALM,
    HARM,
    QUIET,
    Chart,
    Spec,
    bars_of,
    chart,
    height,
    interval_of,
    named_rows,
    scaled,
)
from rca.report.rendering.plain_text import alike, capital, count, number, plain, words

MOST_SLICES = 10
"""Slices drawn; the table under the figure has them all."""


@chart.register
def _slices(result: Slices) -> Chart:
    factor, unit = (100.0, "percentage points") if result.metric in SHARES else (1.0, "in its unit")
    drawn = [*result.slices[:MOST_SLICES], result.elsewhere]
    lost = [factor * one.lost for one in drawn]
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": lost,
        "y": list(range(len(drawn))),
        "width": 0.55,
        "marker": {"color": [HARM if one.conditions else QUIET for one in drawn]},
        "error_x": bars_of(lost, [scaled(one.interval, factor) for one in drawn]),
        "text": [_went(one, result.metric) for one in drawn],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }
    layout = {
        "height": height(len(drawn), per_row=42),
        "xaxis": {"title": f"part of the change in {words(result.metric)} ({unit})", "rangemode": "tozero"},
        "yaxis": named_rows([one.name for one in drawn], said=alike(*lost, sign=True), limit=36),
    }
    return Chart(
        title=_title(result, factor, "percentage points" if factor > 1 else "units"),
        alt=_alt(result, drawn),
        rows=tuple(_row(one, result.metric, factor) for one in (*result.slices, result.elsewhere)),
        data=(trace,),
        layout=layout,
    )


def _title(result: Slices, factor: float, unit: str) -> str:
    if not result.slices:
        return f"No part of the rows got worse by more than the others ({count(result.searched, 'condition')} tried)"
    first = plain(result.slices[0].name, 60)
    did, of = alike(factor * result.carried, factor * result.worse)
    if not result.local:
        return f"No slice carries it all; {first} holds {alike(factor * result.slices[0].lost)[0]} of {of} {unit}"
    more = f" and {len(result.slices) - 1} more" if len(result.slices) > 1 else ""
    by = f"{unit} by which the {words(result.metric)} got worse"
    return f"{first}{more}: {did} of the {of} {by}, in {result.share:.0%} of the rows"


def _went(one: Slice, metric: str) -> str:
    if one.reference is None or one.current is None:
        return "no row counts in one of the windows"
    factor, sign = (100.0, " %") if metric in SHARES else (1.0, "")
    before, during = alike(factor * one.reference, factor * one.current)
    return f"from {before}{sign} to {during}{sign}, {count(one.rows_current, 'row')}"


def _alt(result: Slices, drawn: list[Slice]) -> str:
    told = "; ".join(f"{one.name} {_went(one, result.metric)}" for one in drawn)
    return f"Bars with 95% intervals: what each slice, and all other rows, added to the change. {told}."


def _row(one: Slice, metric: str, factor: float) -> Spec:
    return {
        "slice": one.name,
        "went": _went(one, metric),
        "added by getting worse": factor * one.lost,
        "interval": interval_of(scaled(one.interval, factor)),
        "added by being more": factor * one.mix,
        "rows before": one.rows_reference,
        "share of rows": f"{one.share:.1%}",
        "q": one.q_value if one.conditions else None,
    }


# --- groups ----------------------------------------------------------------------------------------------------------


@chart.register
def _gap(result: Gap) -> Chart:
    factor = 100.0 if result.measure in SHARES or result.measure == SELECTED else 1.0
    drawn = [one for one in result.groups if one.compared][:MOST_SLICES]
    unit = f"{words(result.measure)}{' (%)' if factor > 1 else ''}"
    layout = {
        "height": height(len(drawn), per_row=44),
        "xaxis": {"title": unit, "rangemode": "tozero"},
        "yaxis": named_rows([one.group for one in drawn]),
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
    }
    small = f" Too few rows to compare: {', '.join(result.too_small[:MOST_SLICES])}." if result.too_small else ""
    return Chart(
        title=f"{words(result.measure).capitalize()} by {plain(result.column, 40)}: {_opened(result, factor)}",
        alt="Dots with 95% intervals, reference open and current filled, a row a group. "
        f"{_apart(result, factor)}{small}",
        rows=tuple(_group_row(one, unit, factor) for one in result.groups),
        data=(
            _dots("reference", drawn, factor, color=QUIET, symbol="circle-open"),
            _dots("current", drawn, factor, color=HARM if result.opened else CALM, symbol="circle"),
        ),
        layout=layout,
    )


def _opened(result: Gap, factor: float) -> str:
    if result.reference is None or result.current is None:
        return "too few rows to compare"
    before, during = alike(factor * result.reference, factor * result.current)
    unit = " percentage points" if factor > 1 else ""
    return f"the gap {'opened' if result.opened else 'did not open beyond chance'}, from {before} to {during}{unit}"


def _apart(result: Gap, factor: float) -> str:
    """The two groups with the largest gap now, each before and after."""
    rates = {one.group: one for one in result.groups if one.reference is not None and one.current is not None}
    told = [
        f"{name} from {' to '.join(alike(factor * (one.reference or 0.0), factor * (one.current or 0.0)))}"
        for name in (result.lowest, result.highest)
        if (one := rates.get(name)) is not None
    ]
    return f"Farthest apart now: {'; '.join(told)}{' (%)' if factor > 1 else ''}." if told else ""


@chart.register
def _gaps(result: Gaps) -> Chart:
    """The gap that widened most."""
    if not result.gaps:
        raise TypeError("no gap was looked at, so that none can be drawn")
    return chart(result.gaps[0])


def _dots(window: Literal["reference", "current"], drawn: list[GroupRate], factor: float, **marker: str) -> Spec:
    values = [factor * (getattr(one, window) or 0.0) for one in drawn]
    ends = [scaled(getattr(one, f"{window}_interval"), factor) for one in drawn]
    shift = -0.12 if window == "reference" else 0.12
    return {
        "type": "scatter",
        "mode": "markers",
        "name": window,
        "x": values,
        "y": [place + shift for place in range(len(drawn))],
        "error_x": bars_of(values, ends),
        "marker": {"size": 11, **marker},
        "hovertemplate": f"{window}: %{{x:.4g}}<extra></extra>",
    }


def _group_row(one: GroupRate, unit: str, factor: float) -> Spec:
    return {
        "group": one.group,
        f"{unit}, reference": None if one.reference is None else factor * one.reference,
        f"{unit}, current": None if one.current is None else factor * one.current,
        "rows before": one.rows_reference,
        "rows now": one.rows_current,
        "compared": "yes" if one.compared else "too few rows",
    }


# --- all columns together --------------------------------------------------------------------------------------------


@chart.register
def _joint(result: Joint) -> Chart:
    drawn = result.carriers[:MOST_SLICES]
    drops = [one.drop for one in drawn]
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": drops,
        "y": list(range(len(drawn))),
        "width": 0.55,
        "marker": {"color": [CALM if one.interval.low > 0 else QUIET for one in drawn]},
        "error_x": bars_of(drops, [one.interval for one in drawn]),
        "hovertemplate": "%{x:.3g}<extra></extra>",
    }
    told = "tells" if result.moved else "hardly tells"
    return Chart(
        title=f"All columns together: a classifier {told} the windows apart (AUC {number(result.auc)}, 0.5 is chance)",
        alt=f"Bars with intervals: how far the AUC falls without what each column says. {capital(str(result))}.",
        rows=tuple(result.rows()),
        data=(trace,),
        layout={
            "height": height(len(drawn)),
            "xaxis": {"title": "fall of the AUC without the column", "rangemode": "tozero"},
            "yaxis": named_rows([one.column for one in drawn]),
        },
    )
