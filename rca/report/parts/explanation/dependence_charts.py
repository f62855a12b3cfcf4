"""SHAP dependence plots of both windows."""

from collections.abc import Iterable
from math import sqrt

from rca.analysis.explanation.dependence_curves import DependenceCurve
from rca.analysis.explanation.results import Reason
from rca.methods.two_sample_tests import Z
from rca.report.parts.explanation.charts import LEGEND, Window, unit_of
from rca.report.rendering.chart import CALM, HARM, QUIET, Chart, Spec, chart, height, label, named_rows
from rca.report.rendering.plain_text import alike, count, number, plain, readable


@chart.register
def _curve(result: DependenceCurve) -> Chart:
    return dependence(result)


def dependence(curve: DependenceCurve, reason: Reason | None = None, *, scale: str = "") -> Chart:
    """SHAP dependence of a feature, in both windows.

    Parameters
    ----------
    curve : DependenceCurve
    reason : Reason, optional
        What was found of the feature; the claim is taken from it.
    scale : str
        Of the SHAP values.
    """
    draw, color = _lines if curve.numeric else _bars, HARM if reason and reason.moved else CALM
    title = f"mean SHAP value ({unit_of(scale)})" if scale else "mean SHAP value"
    data, layout = draw(curve, title, {"reference": QUIET, "current": color})
    return Chart(
        title=_curve_title(curve, reason),
        alt=_curve_alt(curve),
        rows=tuple(_curve_row(curve, at) for at in range(len(curve.labels))),
        data=data,
        layout={**layout, "showlegend": True, "legend": {**LEGEND, "traceorder": "normal"}},
    )


def drawable(curve: DependenceCurve) -> bool:
    """Whether there is a value that either window has enough rows of."""
    return any(value is not None for value in (*curve.reference, *curve.current))


WHISKERS: Spec = {"thickness": 1.5, "width": 4, "color": QUIET}

Colors = dict[Window, str]

WINDOWS: tuple[Window, Window] = ("reference", "current")


def _lines(curve: DependenceCurve, title: str, colors: Colors) -> tuple[tuple[Spec, ...], Spec]:
    """Curves with bands over bins of numbers; missing values stand apart at the end."""
    names = [readable(name) for name in curve.labels]
    ticks = sorted({*range(0, len(names), max(-(-len(names) // 7), 1)), *_missing(curve)})
    bands, lines = ([draw(curve, window, colors[window]) for window in WINDOWS] for draw in (_band, _line))
    bins = {"tickvals": ticks, "ticktext": [label(names[at], 10) for at in ticks], "showgrid": False, "zeroline": False}
    named = {"title": label(curve.column, 40)}
    return (*bands, *lines), {"height": 330, "xaxis": {**bins, **named}, "yaxis": {"title": title, "zeroline": True}}


def _missing(curve: DependenceCurve) -> list[int]:
    return [at for at, name in enumerate(curve.labels) if name == "missing"]


def _values(curve: DependenceCurve, window: Window) -> list[float | None]:
    return list(curve.reference if window == "reference" else curve.current)


def _errors(curve: DependenceCurve, window: Window) -> list[float]:
    """Half of each 95 % interval; 0 where it is not known."""
    return [Z * both[WINDOWS.index(window)] if both is not None else 0.0 for both in curve.errors]


def _band(curve: DependenceCurve, window: Window, color: str) -> Spec:
    """The interval around a curve, in one piece for each stretch without a gap."""
    values, errors, missing = _values(curve, window), _errors(curve, window), _missing(curve)
    x: list[int | None] = []
    y: list[float | None] = []
    known = [at for at, both in enumerate(curve.errors) if both is not None and at not in missing]
    for stretch in _stretches((at, values[at] or 0.0, errors[at]) for at in known):
        x += [*(at for at, *_ in stretch), *(at for at, *_ in reversed(stretch)), None]
        y += [*(v + e for _, v, e in stretch), *(v - e for _, v, e in reversed(stretch)), None]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "fill": "toself",
        "fillcolor": color,
        "opacity": 0.25,
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }


Spot = tuple[int, float, float]


def _stretches(usable: Iterable[Spot]) -> list[list[Spot]]:
    """Runs of consecutive usable bins."""
    found: list[list[Spot]] = []
    for spot in usable:
        if found and found[-1][-1][0] == spot[0] - 1:
            found[-1].append(spot)
        else:
            found.append([spot])
    return found


def _line(curve: DependenceCurve, window: Window, color: str) -> Spec:
    """A curve whose points are the larger, the more rows they hold; missing values are not joined to it."""
    values, errors, missing = _values(curve, window), _errors(curve, window), _missing(curve)
    known = [at for at in range(len(values)) if at not in missing]
    order: list[int | None] = [*known, *([None, *missing] if missing else [])]
    symbol, dash = ("circle-open", "dot") if window == "reference" else ("circle", "solid")
    size = _sizes(curve, window)
    whiskers = [errors[at] if at in missing else None for at in order]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": window,
        "x": order,
        "y": [None if at is None else values[at] for at in order],
        "line": {"color": color, "width": 2, "dash": dash},
        "marker": {"size": [4 if at is None else size[at] for at in order], "color": color, "symbol": symbol},
        **({"error_y": {"type": "data", "array": whiskers, **WHISKERS}} if missing else {}),
        "text": ["" if at is None else _spot(curve, at, window) for at in order],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _sizes(curve: DependenceCurve, window: Window) -> list[float]:
    """Points whose areas go with the rows they hold."""
    rows = _rows(curve, window)
    most = max(rows, default=0) or 1
    return [round(4 + 8 * sqrt(held / most), 1) for held in rows]


def _rows(curve: DependenceCurve, window: Window) -> list[int]:
    return [both[WINDOWS.index(window)] for both in curve.rows]


def _spot(curve: DependenceCurve, at: int, window: Window) -> str:
    name, value = label(readable(curve.labels[at])), number(_values(curve, window)[at])
    return f"{name}, {window}: {value}, {count(_rows(curve, window)[at], 'row')}"


def _bars(curve: DependenceCurve, title: str, colors: Colors) -> tuple[tuple[Spec, ...], Spec]:
    """Paired bars, a category a row."""
    data = tuple(_side(curve, window, colors[window]) for window in WINDOWS)
    size = height(len(curve.labels), per_row=38)
    rows = named_rows([readable(name) for name in curve.labels])
    return data, {"height": size, "barmode": "group", "bargap": 0.25, "xaxis": {"title": title}, "yaxis": rows}


def _side(curve: DependenceCurve, window: Window, color: str) -> Spec:
    values = _values(curve, window)
    pattern = {"shape": "/" if window == "reference" else "", "size": 5, "solidity": 0.35, "fillmode": "overlay"}
    return {
        "type": "bar",
        "orientation": "h",
        "name": window,
        "x": values,
        "y": list(range(len(values))),
        "error_x": {"type": "data", "array": _errors(curve, window), **WHISKERS},
        "marker": {"color": color, "line": {"color": color, "width": 1}, "pattern": pattern},
        "text": [_spot(curve, at, window) for at in range(len(values))],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }


def _curve_title(curve: DependenceCurve, reason: Reason | None) -> str:
    name, change = plain(curve.column, 40), reason.curve if reason else None
    if change is not None and 0 in change.interval:
        return f"{name}: the same value is explained as before"
    if change is not None:
        by = f"{change.value:.3g} ({change.interval}) on average"
        # Of values that were given, rows of the two windows are compared, and not the same rows by two models.
        why = "" if reason and reason.update else ": by a changed model, or by drift of what it works together with"
        return f"{name}: the same is explained otherwise, by {by}{why}"
    found = [(value, at) for at, value in enumerate(curve.current) if value is not None]
    if not found:
        return f"{name}: too few current rows of any value"
    (low, least), (high, most) = min(found), max(found)
    ends = alike(low, high, sign=True)
    first, last = (_where(curve.labels[at]) for at in (least, most))
    return f"{name}: worth {ends[0]} {first}, {ends[1]} {last} during the failure"


def _where(name: str) -> str:
    return "where missing" if name == "missing" else f"at {plain(readable(name), 24)}"


def _curve_alt(curve: DependenceCurve) -> str:
    what = (
        "Curves with 95% bands, over values one by one where they are few and else in bins of about as many rows, the "
        "dots the larger the more rows they hold"
        if curve.numeric
        else "Paired bars with 95% intervals, a row a value"
    )
    gone = sum(value is None for value in curve.current)
    few = f" Of {count(gone, 'value')} there are too few current rows." if gone else ""
    return f"{what}: the mean SHAP value of {curve.column} in the reference beside the current window.{few}"


def _curve_row(curve: DependenceCurve, at: int) -> Spec:
    before, during = curve.rows[at]
    return {
        curve.column: readable(curve.labels[at]),
        "mean SHAP before": curve.reference[at],
        "during": curve.current[at],
        "rows before": before,
        "rows during": during,
    }
