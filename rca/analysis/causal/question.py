"""Public questions along a causal graph: graph falsification, mechanism change, and outlier attribution."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Unpack

import numpy as np
import pandas as pd

from rca.analysis.causal import graph_columns, mechanism_change
from rca.analysis.causal.graph_falsification import GRAPH_QUESTION, CausalGraph, falsify, sketched
from rca.analysis.causal.mechanism_change import Causes
from rca.analysis.causal.outlier_attribution import Odd, attribute_outlier
from rca.analysis.causal.structural_model import fit
from rca.analysis.causal.target_statistic import Of
from rca.analysis.inputs.arguments import Modelled, TableRoles, roles_of, seeded, share_of, spelled_out
from rca.analysis.inputs.windows import Windows, windows_asked
from rca.errors import InvalidCase, Unanswerable, did_you_mean
from rca.methods.boosted_trees import on_one_thread
from rca.record.case import Case, Roles
from rca.tables.columns import as_labels, as_numbers
from rca.tables.frames import as_pandas

ODD_QUESTION = "why is this row odd"

MOST = 100
"""Rows that are looked at where none is named: those farthest out."""


def graphed(case: Case | Any, current: Any, *, graph: Any, asked: Mapping[str, Any]) -> Windows:
    """Both windows with the causal graph that is given, or else the case's own."""
    windows = windows_asked(case, current, asked)
    known = graph if graph is not None else _causal(getattr(case, "graph", None))
    if known is None:
        return windows
    return replace(windows, parents=graph_columns.parents_of(graph_columns.edges_of(known)))


@spelled_out(TableRoles)
@on_one_thread
def graph(
    case: Case | Any, graph: Any = None, *, alpha: float = 0.05, seed: int = 0, **roles: Unpack[TableRoles]
) -> CausalGraph:
    """The causal graph of a case or a table, and whether the reference rows falsify it (implied independences).

    Without a graph one is sketched from the columns' roles, for a person to edit: `to_yaml()` is what to edit. A sketch
    is marked as such, and no attribution ever uses it.

    Parameters
    ----------
    case : Case or table
        Of a table: the reference rows.
    graph : Graph, networkx graph, mapping of node to causes, or pairs of cause and effect, optional
        The case's own where left out; else a sketch.
    alpha : float
        False discovery rate of the independences that are said to fail.
    seed : int
        Deals out names anew.
    **roles
        Columns of a plain table by role: label, prediction, score, groups, features, …

    Raises
    ------
    InvalidCase
        If the graph has a cycle, or misspells a column.
    Unanswerable
        If there is no graph, and nothing to sketch one of.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = pd.DataFrame({"age": rng.normal(size=500), "paid": rng.integers(0, 2, 500)})
    >>> graph(rows, label="paid").edges
    (('age', 'paid'),)
    """
    alpha, rng = share_of(alpha, place="alpha"), seeded(seed)
    of_case = isinstance(case, Case)
    table = None if of_case else as_pandas(case, None, place="reference")
    rows = case.reference if table is None else table
    known = graph if graph is not None else _causal(case.graph if of_case else None)
    named = case.roles if table is None else Roles.of(table.columns, **roles_of(roles, table.columns))
    if known is not None:
        edges = graph_columns.edges_of(known)
        if rows is not None:
            graph_columns.require_no_typos([name for edge in edges for name in edge], set(map(str, rows.columns)))
        return falsify(edges, rows, rng=rng, categorical=named.categorical, alpha=alpha)
    if rows is None:
        raise Unanswerable(GRAPH_QUESTION, "the case has neither a causal graph nor a reference table")
    model = case.model if of_case else None
    metric = case.incident.metric if of_case else None
    return sketched(rows, named, read=model.features if model else (), outcome=metric.column if metric else None)


def _causal(known: Any) -> Any:
    """The graph if its edges are causal; None of a call graph."""
    return known if getattr(known, "kind", "causal") == "causal" else None


@spelled_out(Modelled)
@on_one_thread
def odd(
    case: Case | Any,
    current: Any = None,
    *,
    row: Any = None,
    target: str | None = None,
    graph: Any = None,
    seed: int = 0,
    **asked: Unpack[Modelled],
) -> Odd:
    """Outlier attribution: which upstream noise made each anomalous decision or moment so, by Shapley value on an SCM.

    Parameters
    ----------
    case : Case or table
    current : table, optional
    row : int, str or sequence of them, optional
        Position in the current window, in order of time, or an id; the rows farthest out where left out.
    target : str, optional
        Column in which they are odd; what the model answers, or the metric is read off, where left out.
    graph : Graph, networkx graph, mapping of node to causes, or pairs of cause and effect, optional
        The case's own where left out.
    seed : int
        Draws noises.
    **asked
        Of plain tables: metric, model and the columns' roles, as `windows_from` takes them.

    Raises
    ------
    InvalidCase
        If there is no such row, or the graph has a cycle, does not know the target or misspells a column.
    Unanswerable
        If there is no graph, too few rows are complete, or what is asked is not identifiable.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before, after = (pd.DataFrame({"x": rng.normal(size=500)}) for _ in range(2))
    >>> before, after = (rows.assign(y=rows["x"] + rng.normal(size=500)) for rows in (before, after))
    >>> after.loc[7, "x"], after.loc[7, "y"] = 6.0, 6.5
    >>> odd(before, after, row=7, graph=[("x", "y")], target="y").rows_of[0].shares[0].node
    'x'
    """
    if current is not None:
        asked = {"metric": {"name": "mean", "column": target} if target is not None else "mae", **asked}
    windows = graphed(case, current, graph=graph, asked=asked)
    if not windows.parents:
        raise Unanswerable(ODD_QUESTION, "the case has no causal graph")
    column = _target(windows) if target is None else target
    parents = graph_columns.with_answers(windows, [column])
    measured, _ = graph_columns.measured_parents(parents, windows, [column], question=ODD_QUESTION)
    model = fit(windows.reference, measured, categorical=windows.roles.categorical)
    kept = _rows(windows, row, column)
    rows = windows.current.iloc[kept]
    name = windows.roles.id
    ids = rows[name].astype(str).tolist() if name is not None and name in rows else None
    found = attribute_outlier(model, column, rows, rng=seeded(seed), ids=ids)
    if not found.rows_of:
        raise Unanswerable(ODD_QUESTION, "a column of the graph is missing in every row that is asked about")
    return found


def _target(windows: Windows) -> str:
    """The column to explain: the answer, or what the metric is computed from, whose causes the graph knows."""
    roles, outcome = windows.roles, windows.meter.outcome
    able = [one for one in (roles.score, outcome, roles.prediction, roles.label) if one is not None]
    for one in able:
        if graph_columns.with_answers(windows, [one]).get(one):
            return one
    raise Unanswerable(ODD_QUESTION, f"the graph names no cause of {' or '.join(able) or 'any answer'}")


def _rows(windows: Windows, row: Any, target: str) -> list[int]:
    """Positions of the rows that are asked about."""
    if row is None:
        return _farthest(windows, target)
    asked = list(row) if isinstance(row, Sequence | np.ndarray | pd.Series) and not isinstance(row, str) else [row]
    return [_position(windows, one) for one in asked]


def _position(windows: Windows, row: Any) -> int:
    size, name = len(windows.current), windows.roles.id
    if isinstance(row, int | np.integer) and not isinstance(row, bool) and 0 <= row < size:
        return int(row)
    if name is not None and isinstance(row, str):
        found = np.flatnonzero(as_labels(windows.current[name]) == row)
        if len(found):
            return int(found[0])
    hint = f"give a position from 0 to {size - 1}, or an id of the column {name!r}" if name else f"give 0 to {size - 1}"
    raise InvalidCase.because(f"no row {str(row)[:60]!r} in the current window", place="row", hint=hint)


def _farthest(windows: Windows, target: Any) -> list[int]:
    """The rows of the current window whose target lies farthest in the tails of the reference."""
    if not isinstance(target, str) or target not in windows.current or target not in windows.reference:
        hint = did_you_mean(target, map(str, windows.current.columns))
        raise InvalidCase.because(f"no column {target!r} in both windows", place="target", hint=hint)
    usual = np.sort(as_numbers(windows.reference[target]))
    usual, own = usual[np.isfinite(usual)], as_numbers(windows.current[target])
    if not len(usual):
        return list(range(min(MOST, len(own))))
    place = (np.searchsorted(usual, own, side="left") + np.searchsorted(usual, own, side="right")) / (2 * len(usual))
    far = np.where(np.isfinite(own), np.abs(place - 0.5), -1.0)
    beyond = np.where(np.isfinite(own), np.abs(own - np.median(usual)), 0.0)
    return [int(at) for at in np.lexsort((np.arange(len(own)), -beyond, -far))[:MOST]]


@spelled_out(Modelled)
@on_one_thread
def causes(
    case: "Case | Any",
    current: Any = None,
    *,
    graph: Any = None,
    target: str | None = None,
    of: Of = "mean",
    seed: int = 0,
    alpha: float = 0.05,
    level: float = 0.95,
    **asked: Unpack[Modelled],
) -> Causes:
    """Mechanism change: which mechanism of a causal graph changed, and its contribution to the change of the target.

    Parameters
    ----------
    case : Case or table
    current : table, optional
    graph : Graph, networkx graph, mapping of node to causes, or pairs of cause and effect, optional
        The case's own where left out.
    target : str, optional
        Column that is looked at; the metric where left out.
    of : {'mean', 'variance', 'distribution'}
        What of the column changed.
    seed : int
        Draws the folds.
    alpha, level : float
        False discovery rate of the mechanisms that are called changed, which where none did is the chance that any is;
        level of the intervals.
    **asked
        Of plain tables: metric, model and the columns' roles, as `windows_from` takes them.

    Raises
    ------
    InvalidCase
        If the graph has a cycle, does not know the target or misspells a column.
    Unanswerable
        If there is no graph, or what is asked is not identifiable with the columns there are.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> before, after = (pd.DataFrame({"x": rng.normal(size=1000)}) for _ in range(2))
    >>> before["y"] = before["x"] + rng.normal(size=1000)
    >>> after["y"] = after["x"] + 1 + rng.normal(size=1000)
    >>> print(causes(before, after, graph=[("x", "y")], target="y"))
    the mean of y changed by +1.13; 1 of 2 mechanisms changed: y +1.09 (1 to 1.17)
    """
    if current is not None and target is not None:
        asked = {"metric": {"name": "mean", "column": target}, **asked}
    windows = windows_asked(case, current, asked)
    if target is not None:
        _require_numbers(windows, target)
    known = graph if graph is not None else getattr(case, "graph", None)
    if known is not None and (graph is not None or known.kind == "causal"):
        windows = replace(windows, parents=graph_columns.parents_of(graph_columns.edges_of(known)))
    alpha, level = share_of(alpha, place="alpha"), share_of(level, place="level", inside=True)
    return mechanism_change.mechanism_changes(windows, target=target, of=of, rng=seeded(seed), alpha=alpha, level=level)


def _require_numbers(windows: Windows, target: Any) -> None:
    """Refuse a target that is no column, or no column of numbers."""
    for rows in (windows.reference, windows.current):
        if not isinstance(target, str) or target not in rows:
            hint = did_you_mean(target, map(str, rows.columns))
            raise InvalidCase.because(f"no column {target!r} in both windows", place="target", hint=hint)
        if not np.isfinite(as_numbers(rows[target])).any():
            hint = "name a column of numbers, or leave it out and name the metric 'rate'"
            raise InvalidCase.because(f"the column {target!r} holds no numbers", place="target", hint=hint)
