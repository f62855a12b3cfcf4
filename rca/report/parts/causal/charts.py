"""Charts along a causal graph: mechanism contributions, counterfactual metrics, and outlier attributions."""

from collections.abc import Mapping, Sequence

from rca.analysis.causal.graph_falsification import CausalGraph
from rca.analysis.causal.mechanism_change import Causes, MechanismChange
from rca.analysis.causal.outlier_attribution import Odd, OddRow
from rca.analysis.counterfactual.what_if import WhatIf
from rca.finding import Interval
from rca.methods.metric import SHARES
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
    label,
    named_rows,
    note,
    vertical,
)
from rca.report.rendering.plain_text import capital, count, number, plain, span

Edge = tuple[str, str]

Places = Mapping[str, tuple[float, float]]

MOST_NODES = 40
"""Nodes of a graph that are drawn; the table has them all."""

MOST_BARS = 12

# --- graphs ----------------------------------------------------------------------------------------------------------


def places(nodes: Sequence[str], edges: Sequence[Edge]) -> dict[str, tuple[float, float]]:
    """Layered layout of a DAG: longest path from a root, and a row of its own.

    Examples
    --------
    >>> places(["x", "y"], [("x", "y")])
    {'x': (0.0, 0.0), 'y': (1.0, 0.0)}
    """
    depth: dict[str, float] = {}
    for node in nodes:  # causes first
        depth[node] = max(
            (depth[cause] + 1.0 for cause, effect in edges if effect == node and cause in depth), default=0.0
        )
    columns: dict[float, list[str]] = {}
    for node in nodes:
        columns.setdefault(depth[node], []).append(node)
    tallest = max(map(len, columns.values()), default=1)
    return {
        node: (at, row * tallest / len(column) + (tallest / len(column) - 1) / 2)
        for at, column in columns.items()
        for row, node in enumerate(column)
    }


def _arrow(start: tuple[float, float], end: tuple[float, float], color: str) -> Spec:
    """An arrow between two places, as plotly's annotation without a text."""
    return {
        "x": end[0], "y": end[1], "ax": start[0], "ay": start[1], "xref": "x", "yref": "y", "axref": "x", "ayref": "y",
        "text": "", "showarrow": True, "arrowhead": 2, "arrowsize": 1.1, "arrowwidth": 1.3, "arrowcolor": color,
        "standoff": 11, "startstandoff": 11,
    }  # fmt: skip


def _dots(
    at: Places, nodes: Sequence[str], *, color: Sequence[str], symbol: Sequence[str], said: Sequence[str]
) -> Spec:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [at[node][0] for node in nodes],
        "y": [at[node][1] for node in nodes],
        "text": [label(node, 24) for node in nodes],
        "textposition": "bottom center",
        "textfont": {"size": 11},
        "cliponaxis": False,
        "customdata": [label(one, 160) for one in said],
        "hovertemplate": "%{customdata}<extra></extra>",
        "marker": {"size": 16, "color": list(color), "symbol": list(symbol), "line": {"color": QUIET, "width": 1.5}},
    }


def _plane(at: Places) -> Spec:
    deep, rows = (max((place[side] for place in at.values()), default=0.0) for side in (0, 1))
    return {
        "height": height(1 + int(rows), per_row=44),
        "xaxis": {"visible": False, "range": [-0.5, deep + 0.5]},
        "yaxis": {"visible": False, "range": [rows + 0.8, -0.6]},
    }


@chart.register
def _graph(result: CausalGraph) -> Chart:
    nodes = result.nodes[:MOST_NODES]
    at = places(nodes, result.edges)
    drawn = [edge for edge in result.edges if edge[0] in at and edge[1] in at]
    broken = [one for one in result.failing if one.node in at and one.other in at]
    hidden = dict(result.hidden)
    lines = [_missed(at[one.other], at[one.node], str(one)) for one in broken]
    said = [
        f"{node}: not identifiable, it has no column and acts on {', '.join(hidden[node])}"
        if node in hidden
        else f"{node}: no column"
        if node in result.unmeasured
        else node
        for node in nodes
    ]
    return Chart(
        title=_graph_title(result),
        alt=_graph_alt(result),
        rows=tuple(result.rows()),
        data=(
            *lines,
            _dots(
                at,
                nodes,
                color=[HARM if node in hidden else QUIET if node in result.unmeasured else CALM for node in nodes],
                symbol=["square-open" if node in result.unmeasured else "circle" for node in nodes],
                said=said,
            ),
        ),
        layout={**_plane(at), "annotations": [_arrow(at[cause], at[effect], QUIET) for cause, effect in drawn]},
    )


def _missed(start: tuple[float, float], end: tuple[float, float], said: str) -> Spec:
    """A dotted line between two nodes whose implied independence the data reject."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [start[0], end[0]],
        "y": [start[1], end[1]],
        "line": {"color": HARM, "width": 2, "dash": "dot"},
        "text": label(said, 160),
        "hovertemplate": "%{text}<extra></extra>",
    }


def _graph_title(result: CausalGraph) -> str:
    size = f"{count(len(result.nodes), 'node')} and {count(len(result.edges), 'arrow')}"
    if result.sketch:
        return f"A sketch to be edited by a person: {size}"
    if result.untested is not None or not result.independences:
        return f"{size}, not tested"
    tested = len(result.independences)
    if not result.failing:
        return f"The reference bears out all {count(tested, 'missing arrow')} of {size}"
    return f"{len(result.failing)} of {count(tested, 'missing arrow')} are not borne out by the reference"


def _graph_alt(result: CausalGraph) -> str:
    arrows = "; ".join(f"{cause} to {effect}" for cause, effect in result.edges[:MOST_BARS])
    more = f"; and {len(result.edges) - MOST_BARS} more" if len(result.edges) > MOST_BARS else ""
    broken = "; ".join(str(one) for one in result.failing[:MOST_BARS])
    fails = f" Dotted, against the graph: {broken}." if broken else ""
    blind = "; ".join(one.why for one in result.unanswered)
    return (
        f"A graph, causes to the left. Arrows: {arrows}{more}.{fails} {capital(str(result))}. {capital(blind)}".strip()
    )


@chart.register
def _causes(result: Causes) -> Chart:
    nodes = _in_order(result)[:MOST_NODES]
    edges = [(cause, one.node) for one in result.mechanisms for cause in one.parents]
    at = places(nodes, edges)
    told = {one.node: one for one in result.mechanisms}
    scale, unit = _unit(result)
    drawn = [(cause, node) for cause, node in edges if cause in at and node in at]
    said = [_mechanism_said(told[node], scale) for node in nodes]
    dots = _dots(
        at,
        nodes,
        color=[_mechanism_color(told[node]) for node in nodes],
        symbol=["circle" if told[node].told else "square-open" for node in nodes],
        said=said,
    )
    texts = [f"{label(node, 24)}<br>{label(_short(told[node], scale))}" for node in nodes]
    sizes = [_size(told[node], result) for node in nodes]
    return Chart(
        title=_causes_title(result, scale, unit),
        alt=_causes_alt(result, scale, unit),
        rows=tuple(result.rows()),
        data=({**dots, "text": texts, "marker": {**dots["marker"], "size": sizes}},),
        layout={
            **_plane(at),
            "height": height(1 + int(max((place[1] for place in at.values()), default=0)), per_row=58),
            "annotations": [_arrow(at[cause], at[node], QUIET) for cause, node in drawn],
        },
    )


def _in_order(result: Causes) -> list[str]:
    """The nodes in topological order."""
    left = {one.node: set(one.parents) for one in result.mechanisms}
    order: list[str] = []
    while left:
        ready = [node for node, causes in left.items() if not causes & set(left)]
        order += ready
        for node in ready:
            del left[node]
    return order


def _unit(result: Causes) -> tuple[float, str]:
    """Display factor of contributions, and their unit."""
    return (100.0, "points") if result.target.replace(" ", "_") in SHARES else (1.0, "in its own unit")


def _mechanism_color(one: MechanismChange) -> str:
    if not one.told or not one.moved:
        return QUIET
    return HARM if one.contribution > 0 else HELP


def _short(one: MechanismChange, scale: float) -> str:
    return number(scale * one.contribution, sign=True) if one.told else "not identifiable"


def _size(one: MechanismChange, result: Causes) -> float:
    """Diameter: the area grows with the contribution."""
    largest = max((abs(part.contribution) for part in result.mechanisms if part.told), default=0.0) or 1.0
    share = abs(one.contribution) / largest if one.told else 0.0
    return float(round(12 + 22 * min(share, 1.0) ** 0.5, 2))


def _mechanism_said(one: MechanismChange, scale: float) -> str:
    given = f" given {', '.join(one.parents)}" if one.parents else ""
    if not one.told:
        return f"{one.node}{given}: not identifiable, too few rows of one window look like the other's"
    carried = ", extrapolated" if one.extrapolated else ""
    between = span(scale * one.interval.low, scale * one.interval.high, sign=True)
    did = number(scale * one.contribution, sign=True)
    return f"{one.node}{given}: {did} ({between}{carried}), q = {number(one.q_value)}"


def _causes_title(result: Causes, scale: float, unit: str) -> str:
    size = f"{number(scale * result.change, sign=True)} {unit}" if scale != 1 else number(result.change, sign=True)
    change = f"{plain(result.target, 60)} changed by {size}"
    if not result.moved:
        return f"{capital(change)}; no mechanism changed beyond chance"
    first = result.moved[0]
    part = number(scale * first.contribution, sign=True) if first.told else "a part that is not identifiable"
    did = f"{plain(first.node, 40)} did {part}"
    return f"{capital(change)}; {len(result.moved)} of {count(len(result.mechanisms), 'mechanism')} changed, {did}"


def _causes_alt(result: Causes, scale: float, unit: str) -> str:
    told = "; ".join(_mechanism_said(one, scale) for one in result.mechanisms[:MOST_BARS])
    return (
        "The causal graph, causes to the left: a dot is larger the more its mechanism did, coloured where it "
        f"changed beyond chance, an open square where that is not identifiable ({unit}). {told}. "
        f"Unexplained: {number(scale * result.unexplained, sign=True)}."
    )


# --- what would have been --------------------------------------------------------------------------------------------


def imagined(results: Sequence[WhatIf]) -> Chart:
    """The counterfactual metric under each intervention, beside the one on record."""
    drawn = [(one, one.would_be) for one in results if one.would_be is not None][:MOST_BARS]
    first = drawn[0][0]
    scale, unit = (100.0, "%") if first.is_share else (1.0, "its unit")
    values = [scale * would.value for _, would in drawn]
    ends = [Interval(low=scale * would.interval.low, high=scale * would.interval.high) for _, would in drawn]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": values,
        "y": list(range(len(drawn))),
        "marker": {"size": 11, "color": [HELP if one.changed.value >= 1 else QUIET for one, _ in drawn]},
        "error_x": bars_of(values, ends),
        "text": [
            label(f"had {one.said}: {number(value)} {unit}", 120) for (one, _), value in zip(drawn, values, strict=True)
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }
    recorded = scale * (first.recorded or 0.0)
    best = min(drawn, key=lambda one: -(one[0].spared.value if one[0].spared is not None else 0.0))[0]
    was = f"{capital(plain(first.metric, 40))} was {number(recorded)} {unit}"
    return Chart(
        title=f"{was}; most would have been spared had {plain(best.said, 80)}",
        alt="Dots with intervals: the metric as it would have been. "
        + " ".join(f"{capital(str(one))}." for one, _ in drawn),
        rows=tuple(_scenario(one) for one in results),
        data=(trace,),
        layout={
            "height": height(len(drawn), per_row=40),
            "xaxis": {"title": f"{label(first.metric, 40)} ({unit})"},
            "yaxis": named_rows([f"had {one.said}" for one, _ in drawn], limit=46),
            "shapes": [vertical(recorded)],
            "annotations": [note("on record", recorded)],
        },
    )


def _scenario(one: WhatIf) -> Spec:
    return {
        "had": one.said,
        "met with it": one.touched,
        "would have been otherwise": round(one.changed.value),
        "interval": span(one.changed.interval.low, one.changed.interval.high),
        "metric": None if one.would_be is None else one.would_be.value,
    }


@chart.register
def _what_if(result: WhatIf) -> Chart:
    bars = result.counts()[:MOST_BARS]
    values = [one.value for _, one in bars]
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": list(range(len(bars))),
        "width": 0.55,
        "marker": {"color": [CALM, *(QUIET for _ in bars[1:])]},
        "error_x": bars_of(values, [one.interval for _, one in bars]),
        "text": [label(f"{name}: {one}", 80) for name, one in bars],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }
    return Chart(
        title=_what_if_title(result),
        alt=f"Bars with intervals: how many of {result.decisions:,} decisions. {capital(str(result))}.",
        rows=tuple(result.rows()),
        data=(trace,),
        layout={
            "height": height(len(bars)),
            "xaxis": {"title": "decisions", "rangemode": "tozero"},
            "yaxis": named_rows([name for name, _ in bars], limit=34),
        },
    )


def _what_if_title(result: WhatIf) -> str:
    rows = f"{result.changed.value:,.0f} of {result.decisions:,} decisions"
    return f"Had {plain(result.said, 110)}, {rows} would have been otherwise"


# --- why a row is odd ------------------------------------------------------------------------------------------------


@chart.register
def _odd(result: Odd) -> Chart:
    if len(result.rows_of) == 1:
        return _one_row(result, result.rows_of[0])
    named = sorted(result.named().items(), key=lambda one: (-one[1], one[0]))[:MOST_BARS]
    values = [float(rows) for _, rows in named]
    return Chart(
        title=capital(plain(str(result), 150)),
        alt=f"Bars: of how many odd rows each node did most to the score. {capital(str(result))}.",
        rows=tuple(result.rows()),
        data=(_plain_bars(values, [f"{node}: {rows} rows" for node, rows in named]),),
        layout={
            "height": height(len(named)),
            "xaxis": {"title": f"rows odd in {label(result.target)}", "rangemode": "tozero"},
            "yaxis": named_rows([node for node, _ in named]),
        },
    )


def _one_row(result: Odd, row: OddRow) -> Chart:
    shares = row.shares[:MOST_BARS]
    said = [f"{one.node}: {one.value}, expected {one.usual}" for one in shares]
    return Chart(
        title=capital(plain(str(result), 150)),
        alt=f"Bars: part of the score of {number(row.score)} nats that each node's noise did. {'; '.join(said)}.",
        rows=tuple(result.rows()),
        data=(_plain_bars([one.contribution for one in shares], said),),
        layout={
            "height": height(len(shares), per_row=40),
            "xaxis": {"title": "part of how odd the row is (nats)"},
            "yaxis": named_rows([one.node for one in shares], [f"{one.value} (usual {one.usual})" for one in shares]),
        },
    )


def _plain_bars(values: Sequence[float], said: Sequence[str]) -> Spec:
    return {
        "type": "bar",
        "orientation": "h",
        "x": list(values),
        "y": list(range(len(values))),
        "width": 0.55,
        "marker": {"color": [HARM if value > 0 else HELP for value in values]},
        "text": [label(one, 120) for one in said],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }
