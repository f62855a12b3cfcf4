"""The causal graph of a case, on record or sketched from roles, and its falsification by independence tests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rca.analysis.causal.independence_tests import (
    MIN_ROWS,
    Baseline,
    Independence,
    NodeTerms,
    beside_chance,
    going_together,
    try_out,
)
from rca.errors import Unanswerable
from rca.finding import Finding, Unanswered
from rca.methods.change_attribution.causal_chain import chain_of
from rca.record.case import Roles
from rca.result import Result, Row

Edge = tuple[str, str]

GRAPH_QUESTION = "what can act on what"

P_VALUE = 0.05
"""Share of node permutations that may fail as rarely, for a graph to be better than chance."""

MOST_PAIRS = 20
"""Most dependent pairs of features that a sketch lists."""

EDIT = "a sketch of roles and of what was there first, to be edited by a person; no attribution uses it"


@dataclass(frozen=True, kw_only=True)
class CausalGraph(Result):
    """A causal graph (DAG), and whether the reference rows falsify it.

    Attributes
    ----------
    nodes : tuple of str
        Causes first.
    edges : tuple of (str, str)
    sketch : bool
        Whether nobody has drawn it: it was derived from the columns' roles, and has to be edited by a person.
    unmeasured : tuple of str
        Nodes without a column.
    hidden : tuple of (str, tuple of str)
        Those of them that act on more than one node, which makes those nodes' mechanisms not identifiable.
    independences : tuple of Independence
        Implied by its missing edges, the likeliest to fail first; none of a sketch.
    baseline : Baseline or None
        Node permutations of the same graph; None where nothing was tested.
    together : tuple of (str, str)
        Of a sketch: pairs of features that are dependent given the others, in unknown direction or by an unknown cause.
    rows_seen : int
        Complete reference rows it was tested on.
    alpha : float
        False discovery rate of the independences that are said to fail.
    untested : str or None
        Why nothing was tested.
    """

    nodes: tuple[str, ...]
    edges: tuple[Edge, ...]
    sketch: bool = False
    unmeasured: tuple[str, ...] = ()
    hidden: tuple[tuple[str, tuple[str, ...]], ...] = ()
    independences: tuple[Independence, ...] = ()
    baseline: Baseline | None = None
    together: tuple[Edge, ...] = ()
    rows_seen: int = 0
    alpha: float = 0.05
    untested: str | None = None

    @property
    def failing(self) -> tuple[Independence, ...]:
        """Conditional independences that the graph implies and the data reject."""
        return tuple(one for one in self.independences if not one.holds)

    @property
    def better_than_chance(self) -> bool | None:
        """Whether few node permutations of the graph fail as rarely; None where too many are equivalent to it."""
        if self.baseline is None or self.baseline.alike > P_VALUE:
            return None
        return self.baseline.p_value <= P_VALUE

    @property
    def falsified(self) -> bool:
        """Whether the data falsify the graph: an implied independence fails, and no fewer do than by chance."""
        return bool(self.failing) and self.better_than_chance is False

    def parents(self) -> dict[str, tuple[str, ...]]:
        """Parents (direct causes) of every node."""
        return {node: tuple(cause for cause, effect in self.edges if effect == node) for node in self.nodes}

    def to_yaml(self) -> str:
        """The graph as text of `graph.yaml`, for a person to edit.

        Examples
        --------
        >>> print(CausalGraph(nodes=("x", "y"), edges=(("x", "y"),), sketch=True).to_yaml())
        # a sketch of roles and of what was there first, to be edited by a person; no attribution uses it
        kind: causal
        edges:
        - [x, y]
        <BLANKLINE>
        """
        import yaml

        head = f"# {EDIT}\n" if self.sketch else ""
        told = (
            yaml.safe_dump(list(edge), default_flow_style=True, allow_unicode=True, width=10**6) for edge in self.edges
        )
        return head + "kind: causal\nedges:\n" + "".join(f"- {edge}" for edge in told)

    def __str__(self) -> str:
        size = f"{_count(len(self.nodes), 'node')} and {_count(len(self.edges), 'arrow')}"
        if self.sketch:
            return f"{size}: {EDIT}"
        if self.untested is not None:
            return f"{size}; not tested, because {self.untested}"
        if not self.independences:
            return f"{size}; no arrow is missing, so that no data could speak against it"
        told = f"{size}; {len(self.failing)} of {len(self.independences)} missing arrows are not borne out"
        if not self.failing:
            told = f"{size}; all of {len(self.independences)} missing arrows are borne out"
        return told + self._beside()

    def _beside(self) -> str:
        if self.baseline is None or self.better_than_chance is None:
            return "; graphs with other names could not be told from it"
        how = "far better" if self.better_than_chance else "no better"
        return f"; {how} than the same graph with its names dealt out anew (p = {self.baseline.p_value:.2g})"

    def rows(self) -> list[Row]:
        """A row for each implied independence, those that fail first; the edges, where nothing was tested."""
        if not self.independences:
            return [{"cause": cause, "effect": effect} for cause, effect in self.edges]
        return [
            {
                "node": one.node,
                "and": one.other,
                "given": ", ".join(one.given) or "nothing",
                "p-value": one.p_value,
                "q-value": one.q_value,
                "borne out": one.holds,
            }
            for one in self.independences
        ]

    @property
    def unanswered(self) -> tuple[Unanswered, ...]:
        """What the graph leaves not identifiable, and why."""
        return tuple(
            Unanswered(
                question=f"which mechanism of {' and '.join(children)} changed",
                why=f"not identifiable: {node} acts on both and has no column",
            )
            for node, children in self.hidden
        )

    def findings(self) -> tuple[Finding, ...]:
        """Whether the data support the graph; nothing of a sketch."""
        if self.sketch or not self.independences:
            return ()
        return (
            Finding(
                id="graph.borne_out",
                notebook="causes",
                claim=str(self),
                effect=float(len(self.failing)),
                unit="independences",
                q_value=self.baseline.p_value if self.baseline is not None else None,
                n_effective=float(self.rows_seen),
                assumptions=("rows are independent of each other",),
            ),
        )


def _count(size: int, noun: str) -> str:
    return f"{size} {noun}" + ("" if size == 1 else "s")


def falsify(
    edges: Iterable[Edge],
    reference: pd.DataFrame | None,
    *,
    rng: np.random.Generator,
    categorical: Sequence[str] = (),
    alpha: float = 0.05,
) -> CausalGraph:
    """Falsification of a DAG: test its implied conditional independences, against a baseline of node permutations.

    Parameters
    ----------
    edges : iterable of (str, str)
        Cause and effect.
    reference : pandas.DataFrame or None
        Nothing is tested without.
    rng : numpy.random.Generator
        Draws the node permutations.
    categorical : sequence of str
        Numeric columns that are codes.
    alpha : float
        False discovery rate of the independences that are said to fail.

    Raises
    ------
    InvalidCase
        If the graph has a cycle.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = pd.DataFrame({"a": rng.normal(size=800)})
    >>> rows["b"] = rows["a"] + rng.normal(size=800)
    >>> rows["c"] = rows["b"] + rng.normal(size=800)
    >>> len(falsify([("a", "b"), ("b", "c")], rows, rng=rng).failing)
    0
    >>> print(falsify([("a", "c"), ("b", "c")], rows, rng=rng).failing[0])
    b has something to do with a
    """
    pairs = tuple(dict.fromkeys(edges))
    chain = chain_of(_parents(pairs), sorted({name for edge in pairs for name in edge}))
    columns = set(reference.columns) if reference is not None else set()
    measured = [node for node in chain.order if node in columns]
    unmeasured = tuple(node for node in chain.order if node not in columns) if columns else ()
    drawn = CausalGraph(
        nodes=chain.order, edges=pairs, unmeasured=unmeasured, hidden=_hidden(pairs, unmeasured), alpha=alpha
    )
    if reference is None or not measured:
        return replace(drawn, untested="no column of a reference table is in the graph")
    seen = NodeTerms.of(reference, measured, categorical=categorical)
    if seen.size < MIN_ROWS:
        why = f"only {seen.size} reference rows have all of its columns, and {MIN_ROWS} are needed"
        return replace(drawn, untested=why)
    found = sorted(
        try_out(seen, chain.parents, alpha=alpha), key=lambda one: (one.holds, one.p_value, one.node, one.other)
    )
    baseline = beside_chance(seen, chain.parents, rng=rng)
    return replace(drawn, independences=tuple(found), baseline=baseline, rows_seen=seen.size)


def _parents(edges: Sequence[Edge]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for edge in edges for name in edge}
    for cause, effect in edges:
        found[effect].append(cause)
    return found


def _hidden(edges: Sequence[Edge], unmeasured: Sequence[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Unmeasured nodes with more than one child (latent common causes)."""
    acts = {node: tuple(sorted(effect for cause, effect in edges if cause == node)) for node in unmeasured}
    return tuple((node, children) for node, children in acts.items() if len(children) > 1)


# --- a sketch --------------------------------------------------------------------------------------------------------


def sketched(rows: pd.DataFrame, roles: Roles, *, read: Sequence[str] = (), outcome: str | None = None) -> CausalGraph:
    """Sketch a DAG from the roles of columns, in temporal order: groups, features, answers, decisions; outcomes.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of the reference; they say which features go with which group, and with each other.
    roles : Roles
    read : sequence of str
        Features that the model reads; all where it is empty.
    outcome : str, optional
        Column that the metric averages.

    Raises
    ------
    Unanswerable
        If no column has a role that another could follow from.
    """
    features = [name for name in roles.features if name in rows]
    asked = [name for name in features if not read or name in read]
    answer, answers = roles.score or roles.prediction, (roles.prediction, roles.score)
    ends = [one for one in dict.fromkeys((roles.label, outcome)) if one is not None and one not in answers]
    edges = [(name, end) for end in ends for name in features]
    edges += [(name, answer) for name in asked if answer is not None]
    if roles.score is not None and roles.prediction is not None:
        edges.append((roles.score, roles.prediction))
    if not edges:
        why = "no column has a role that another could follow from: neither a label nor an answer"
        raise Unanswerable(GRAPH_QUESTION, why)
    groups = [name for name in roles.groups if name in rows]
    seen = NodeTerms.of(rows, [*groups, *features], categorical=roles.categorical)
    pairs: tuple[Edge, ...] = ()
    if seen.size >= MIN_ROWS:
        edges = [*_of_groups(seen, groups, features), *edges]
        pairs = going_together(seen, features)[:MOST_PAIRS]
    chain = chain_of(_parents(edges), sorted({name for edge in edges for name in edge}))
    return CausalGraph(nodes=chain.order, edges=tuple(edges), sketch=True, together=pairs, rows_seen=seen.size)


def _of_groups(seen: NodeTerms, groups: Sequence[str], features: Sequence[str]) -> list[Edge]:
    """Edges from each group to the features that depend on it."""
    alone: Mapping[str, Sequence[str]] = dict.fromkeys((*groups, *features), ())
    failing = [one for one in try_out(seen, alone) if not one.holds]
    kinds = {frozenset((one.node, one.other)) for one in failing}
    return [(group, name) for group in groups for name in features if frozenset((group, name)) in kinds]
