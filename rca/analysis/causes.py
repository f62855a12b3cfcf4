"""Which mechanism of a causal graph changed, and what that did to the mean of a node, or to the metric.

Two questions are kept apart. Whether P(node given parents) changed is tested, for every node upstream of the target,
under control of the false discovery rate. What each mechanism did to the target is its Shapley value, with a sampling
interval. A mechanism may change and do nothing to a mean; so both are told.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rca.analysis.aspects import Of, read_off
from rca.analysis.chain import chain_of
from rca.analysis.invariance import unchanged
from rca.analysis.metric import Parts
from rca.analysis.result import Result, Row
from rca.analysis.robust import MechanismAttribution, MechanismPart, attribute
from rca.analysis.two_sample import benjamini_hochberg
from rca.analysis.windows import Windows
from rca.errors import InvalidCase, Unanswerable, did_you_mean
from rca.finding import Finding, Interval, Target, Unanswered

QUESTION = "which mechanism changed"

ROWS = 20_000
"""Rows of each window that are looked at, spread evenly over it."""

TYPO = 0.85
"""Likeness of a node without a column to the name of a column from which on it is taken for that name, misspelt."""

ASSUMED = (
    "the causal graph is right",
    "no unmeasured common cause changed",
    "rows are independent of each other",
)


@dataclass(frozen=True, kw_only=True)
class MechanismChange:
    """One mechanism: whether it changed, and what that did to the target.

    Attributes
    ----------
    node : str
    parents : tuple of str
    contribution : float
        Shapley value in the target's unit.
    interval : Interval
        Sampling interval of `contribution`, not of any Monte Carlo draws.
    p_value, q_value : float
        Of no change of P(node given parents), and after Benjamini-Hochberg over all mechanisms upstream of the target.
    moved : bool
        Whether `q_value` is at most alpha.
    n_effective : float
        Effective rows behind the contribution.
    identifiable : bool
        Whether enough rows of one window resemble the other's.
    steady : bool
        Whether each half of the rows gives the contribution the same sign.
    """

    node: str
    parents: tuple[str, ...]
    contribution: float
    interval: Interval
    p_value: float
    q_value: float
    moved: bool
    n_effective: float
    identifiable: bool
    steady: bool

    def __str__(self) -> str:
        if not self.identifiable:
            return f"{self.node}: not identifiable, no overlap ({self.n_effective:.0f} effective rows)"
        return f"{self.node} {self.contribution:+.3g} ({self.interval})"


@dataclass(frozen=True, kw_only=True)
class Causes(Result):
    """The mechanisms upstream of a target, what did most first.

    Attributes
    ----------
    target : str
        In words: the mean of a node, or the metric.
    change : float
        Current less reference.
    mechanisms : tuple of MechanismChange
        Those that changed first; then by size of the contribution.
    unexplained : float
        The change less all contributions: chance that missing arrows leave, or the parts of a ratio beyond first order.
    alpha : float
        False discovery rate of `moved`; where nothing changed, also the chance of any false alarm.
    assumptions : tuple of str
    unmeasured : tuple of str
        Nodes without a column whose chance is a part of their one child's mechanism.
    """

    target: str
    change: float
    mechanisms: tuple[MechanismChange, ...]
    unexplained: float
    alpha: float
    assumptions: tuple[str, ...]
    unmeasured: tuple[str, ...] = ()

    @property
    def moved(self) -> tuple[MechanismChange, ...]:
        """The mechanisms that changed."""
        return tuple(one for one in self.mechanisms if one.moved)

    def __getitem__(self, node: str) -> MechanismChange:
        for one in self.mechanisms:
            if one.node == node:
                return one
        raise KeyError(node)

    def __str__(self) -> str:
        said = f"{self.target} changed by {self.change:+.3g}"
        if not self.moved:
            return f"{said}; none of {len(self.mechanisms)} mechanisms changed beyond chance"
        told = "; ".join(map(str, self.moved[:3]))
        return f"{said}; {len(self.moved)} of {len(self.mechanisms)} mechanisms changed: {told}"

    def rows(self) -> list[Row]:
        return [
            {
                "mechanism": one.node,
                "given": ", ".join(one.parents) or "nothing",
                "changed": one.moved,
                "q-value": one.q_value,
                "contribution": one.contribution if one.identifiable else None,
                "interval": str(one.interval) if one.identifiable else "not identifiable: no overlap",
                "effective rows": round(one.n_effective),
            }
            for one in self.mechanisms
        ]

    @property
    def unanswered(self) -> tuple[Unanswered, ...]:
        """Mechanisms whose contribution the data cannot tell."""
        why = "not identifiable: no overlap, only {:.0f} effective rows of one window look like the other's"
        return tuple(
            Unanswered(question=f"what did {one.node} do to {self.target}", why=why.format(one.n_effective))
            for one in self.mechanisms
            if not one.identifiable
        )

    def findings(self) -> tuple[Finding, ...]:
        """One of each mechanism that changed; suggested, as a graph is assumed."""
        return tuple(self._finding(one) for one in self.moved if one.identifiable)

    def _finding(self, one: MechanismChange) -> Finding:
        given = f" given {', '.join(one.parents)}" if one.parents else ""
        return Finding(
            id=f"causes.{one.node}",
            notebook="causes",
            claim=f"{one.node}{given} changed, and with it {self.target} by {one.contribution:+.3g} ({one.interval})",
            cause=Target(kind="mechanism", name=one.node),
            effect=one.contribution,
            unit=self.target,
            interval=one.interval,
            q_value=one.q_value,
            n_effective=one.n_effective,
            assumptions=self.assumptions,
            refuters=("the same sign in each half of the rows",) if one.steady else (),
        )


def causes(
    windows: Windows,
    *,
    target: str | None = None,
    of: Of = "mean",
    rng: np.random.Generator,
    alpha: float = 0.05,
    level: float = 0.95,
) -> Causes:
    """Test which mechanisms upstream of a target changed, and divide the target's change among all of them.

    Parameters
    ----------
    windows : Windows
        With `parents`, which may hold nodes that are no columns.
    target : str, optional
        The column that is looked at; the metric where left out.
    of : {'mean', 'variance', 'distribution'}
        What of the column changed; of the metric it says nothing.
    rng : numpy.random.Generator
        Draws the folds.
    alpha, level : float
        False discovery rate of what is called changed; level of the intervals.

    Returns
    -------
    Causes
        Its contributions and what is unexplained add up to the change.

    Notes
    -----
    Where no mechanism changed, the false discovery rate is the chance that any at all is called changed, so `alpha`
    bounds the family-wise rate, too. At 0.05 it is .04 to .06 but for Monte Carlo error over unchanged networks of
    seven nodes, numbers, flags and categories, lines, products and waves (`tests/recovery/test_causes.py`).

    Raises
    ------
    InvalidCase
        If the graph has a cycle, does not know the target, or misspells a column; or the target holds no numbers.
    Unanswerable
        If there is no graph, the target has no cause in it, or an unmeasured common cause stands behind two nodes.
    """
    columns = (target,) if target is not None else windows.meter.read
    if not windows.parents or not columns:
        why = "the case has no causal graph" if not windows.parents else "the metric is read off no column"
        raise Unanswerable(QUESTION, why)
    parents, unmeasured = measured_parents(with_answers(windows, columns), windows, columns)
    if not any(parents[column] for column in columns):
        why = f"not identifiable: the graph names no cause of {columns[0]}, so that all of its change is its own"
        raise Unanswerable(QUESTION, why)
    seated = replace(windows, reference=_some(windows.reference), current=_some(windows.current))
    pair, words = read_off(seated, target, of=of)
    divided = _divided(seated, parents, columns=columns, pair=pair, rng=rng, level=level)
    divided = divided if words is None else replace(divided, target=words)
    upstream = {part.node: part.parents for part in divided.parts}
    coded = windows.roles.categorical
    p_values = unchanged(seated.reference, seated.current, upstream, categorical=coded, rng=rng)
    return _told(divided, p_values, alpha=alpha, unmeasured=unmeasured)


def edges_of(graph: Any) -> tuple[tuple[str, str], ...]:
    """Edges of a graph: of `graph.yaml`, of networkx, pairs of cause and effect, or a mapping of node → its causes.

    Raises
    ------
    InvalidCase
        If it is none of them, or edges run from caller to callee.

    Examples
    --------
    >>> edges_of({"y": ["x"], "x": []})
    (('x', 'y'),)
    """
    if getattr(graph, "kind", "causal") != "causal":
        hint = "give a graph whose edges run from cause to effect"
        raise InvalidCase.because("a graph of calls says nothing of causes", place="graph", hint=hint)
    if isinstance(graph, Mapping):
        return tuple((str(cause), str(node)) for node, many in graph.items() for cause in many)
    edges = getattr(graph, "edges", graph)
    found = tuple(tuple(map(str, edge)) for edge in edges) if isinstance(edges, Iterable) else ((),)
    if isinstance(edges, str) or any(len(edge) != 2 for edge in found):
        hint = "give pairs of cause and effect, or a mapping of node to its causes"
        raise InvalidCase.because(f"{type(graph).__name__} is no causal graph", place="graph", hint=hint)
    return tuple((edge[0], edge[1]) for edge in found)


def parents_of(edges: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Direct causes of every node.

    >>> parents_of([("x", "y")])
    {'x': (), 'y': ('x',)}
    """
    pairs = tuple(edges)
    nodes = sorted({node for edge in pairs for node in edge})
    return {node: tuple(sorted({cause for cause, effect in pairs if effect == node})) for node in nodes}


def measured_parents(
    parents: Mapping[str, Sequence[str]], windows: Windows, columns: Sequence[str], *, question: str = QUESTION
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """The graph of the measured ancestors of some columns, and the unmeasured nodes that were folded into a child.

    An unmeasured node with one child only adds to what is chance of that child, which takes over its parents. With two
    it is a common cause, and neither mechanism can be told from the columns.

    Raises
    ------
    InvalidCase
        If the graph has a cycle or lacks one of the columns, or a node without a column is one misspelt.
    Unanswerable
        If an unmeasured node has two children, or is itself asked about.
    """
    chain = chain_of(parents, columns)
    known = set(windows.reference.columns) & set(windows.current.columns)
    found = {node: set(chain.parents[node]) for node in chain.order}
    hidden = tuple(node for node in chain.order if node not in known)
    for node in hidden:
        children = sorted(child for child, many in found.items() if node in many)
        _require_no_typo(node, known)
        if len(children) > 1 or node in columns:
            said = f"a cause of {' and '.join(children)}" if node not in columns else "what is asked about"
            raise Unanswerable(question, f"not identifiable: {node!r} is {said}, and no column of both windows")
        above = found.pop(node)
        for child in children:
            found[child] = found[child] - {node} | above
    return {node: tuple(sorted(many)) for node, many in found.items()}, hidden


def require_no_typos(nodes: Iterable[str], known: set[str]) -> None:
    """Refuse a node without a column whose name is that of a column, misspelt.

    Raises
    ------
    InvalidCase
    """
    for node in nodes:
        if node not in known:
            _require_no_typo(node, known)


def _require_no_typo(node: str, known: set[str]) -> None:
    if difflib.get_close_matches(node, sorted(known), n=1, cutoff=TYPO):
        raise InvalidCase.because(f"no column {node!r} in both windows", place="graph", hint=did_you_mean(node, known))


def with_answers(windows: Windows, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The graph; answers of the model that it does not mention follow the features, as answers do."""
    parents, roles = dict(windows.parents), windows.roles
    for answer in (roles.score, roles.prediction):
        if answer in columns and answer is not None and answer not in parents and roles.features:
            parents[answer] = tuple(roles.features)
    return parents


def _some(rows: Any) -> Any:
    """At most `ROWS` rows, evenly spread."""
    kept = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), ROWS)).astype(int))
    return rows.iloc[kept].reset_index(drop=True)


def _divided(
    windows: Windows,
    parents: Mapping[str, Sequence[str]],
    *,
    columns: Sequence[str],
    pair: tuple[Parts, Parts] | None,
    rng: np.random.Generator,
    level: float,
) -> MechanismAttribution:
    """The target's change divided among the mechanisms."""
    return attribute(
        windows.reference,
        windows.current,
        parents,
        target=columns,
        parts=pair,
        categorical=windows.roles.categorical,
        rng=rng,
        level=level,
    )


def _told(
    divided: MechanismAttribution, p_values: Mapping[str, float], *, alpha: float, unmeasured: tuple[str, ...]
) -> Causes:
    q_values = dict(zip(p_values, benjamini_hochberg(list(p_values.values())), strict=True))
    found = [
        _change(part, p_value=p_values[part.node], q_value=q_values[part.node], alpha=alpha) for part in divided.parts
    ]
    found.sort(key=lambda one: (not one.moved, -abs(one.contribution)))
    return Causes(
        target=divided.target,
        change=divided.change,
        mechanisms=tuple(found),
        unexplained=divided.change - sum(one.contribution for one in found),
        alpha=alpha,
        assumptions=ASSUMED,
        unmeasured=unmeasured,
    )


def _change(part: MechanismPart, *, p_value: float, q_value: float, alpha: float) -> MechanismChange:
    return MechanismChange(
        node=part.node,
        parents=part.parents,
        contribution=part.value,
        interval=part.interval,
        p_value=p_value,
        q_value=q_value,
        moved=q_value <= alpha,
        n_effective=part.n_effective,
        identifiable=part.identifiable,
        steady=all(half * part.value > 0 for half in part.halves),
    )
