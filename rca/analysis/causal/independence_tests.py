"""Conditional independences implied by a DAG, tested by the generalised covariance measure (GCM).

Every missing edge implies that two nodes are independent given the parents of the later one. Such an independence is
tested on reference rows. A graph of which some fail may still be far better than chance: so its failures are compared
with those of the same graph with its node names permuted.

References
----------
.. [1] Eulig, E., Mastakouri, A. A., Blöbaum, P., Hardt, M. & Janzing, D. (2023). Toward falsifying causal graphs using
   a permutation-based test. arXiv:2305.09565, section 3.
.. [2] Shah, R. D. & Peters, J. (2020). The hardness of conditional independence testing and the generalised covariance
   measure. Annals of Statistics 48(3), eq. (3).
.. [3] Verma, T. & Pearl, J. (1990). Equivalence and synthesis of causal models. UAI 6, theorem 1.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

import numpy as np
import pandas as pd

from rca.analysis.causal.structural_model import ColumnScale
from rca.arrays import Floats
from rca.methods.boosted_trees import regressor
from rca.methods.change_attribution.conditional_invariance import mean_is_zero
from rca.methods.two_sample_tests import benjamini_hochberg

Parents = Mapping[str, Sequence[str]]

MAX_ROWS = 5000
"""Rows that are looked at, spread evenly."""

MIN_ROWS = 100
"""Complete rows below which nothing is tested."""

PERMUTATIONS = 200
"""Graphs with permuted node names."""

FOLDS = 2
"""Cross-fitting folds of the trees."""

TERMS_ASKED = 2
"""Terms of a node that trees are fitted to: those that covaried with the other node most."""

STRONG = 0.2
"""Correlation of residuals that no misfit of a polynomial explains, so that trees need not be fitted."""

ASKED = 20
"""Independences that are tested again with trees, the weakest evidence first; the others keep the polynomial test."""

TREE_ROWS = 3000
"""Rows that trees are fitted to."""

TINY = 1e-6
"""Share of a term's variance that keeps matrices invertible."""


@dataclass(frozen=True, kw_only=True)
class Independence:
    """One conditional independence that a missing edge implies, and its test.

    Attributes
    ----------
    node, other : str
        The two that should be conditionally independent; `other` comes first in the graph's order.
    given : tuple of str
        The parents of `node`.
    p_value, q_value : float
        Of the independence, and after Benjamini-Hochberg over all that the graph implies.
    holds : bool
        Whether `q_value` is above alpha.
    """

    node: str
    other: str
    given: tuple[str, ...]
    p_value: float
    q_value: float
    holds: bool

    def __str__(self) -> str:
        known = f", given {', '.join(self.given)}" if self.given else ""
        return f"{self.node} has {'nothing' if self.holds else 'something'} to do with {self.other}{known}"


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """How often a graph's independences fail, beside node permutations of the same graph.

    Attributes
    ----------
    failing : float
        Share of the graph's independences that fail at 5 %, by the fast test that all graphs are put to.
    usual : float
        The same of the other graphs, on average.
    p_value : float
        Share of the graphs that fail as rarely.
    alike : float
        Share of them that imply the same independences, so that no data could tell them apart.
    """

    failing: float
    usual: float
    p_value: float
    alike: float


def implied(parents: Parents, measured: Iterable[str] | None = None) -> list[tuple[str, str, tuple[str, ...]]]:
    """Conditional independences by the local Markov property, one a missing edge: (node, other, given its parents).

    Parameters
    ----------
    parents : mapping of str to sequence of str
        Node → its direct causes; every node is a key.
    measured : iterable of str, optional
        Nodes with a column; what asks for another cannot be tested, and is left out.

    Returns
    -------
    list of (str, str, tuple of str)
        Together they imply every independence of the graph, where all nodes are measured.

    Examples
    --------
    >>> implied({"a": [], "b": ["a"], "c": ["b"]})
    [('c', 'a', ('b',))]
    """
    order = order_of(parents)
    known = set(order if measured is None else measured)
    found = []
    for at, node in enumerate(order):
        given = tuple(sorted(parents[node]))
        if node in known and set(given) <= known:
            found += [(node, other, given) for other in order[:at] if other in known and other not in given]
    return found


def order_of(parents: Parents) -> list[str]:
    """Topological order of the nodes, ties in order of name."""
    left, order = {node: set(causes) for node, causes in parents.items()}, []
    TopologicalSorter(left).prepare()
    while left:
        node = min(one for one, causes in left.items() if not causes)
        order.append(node)
        del left[node]
        for causes in left.values():
            causes.discard(node)
    return order


@dataclass(frozen=True, kw_only=True, eq=False)
class NodeTerms:
    """Basis expansion of the nodes' columns.

    Attributes
    ----------
    size : int
    own : dict of str to ndarray of shape (rows, terms)
        Terms of a node as an outcome: its number and its square, or one term for each category.
    told : dict of str to ndarray of shape (rows, terms)
        Terms of a node as a regressor, with spline terms where it has knots.
    plain : dict of str to int
        How many of a node's own terms, the first ones, are no squares.
    """

    size: int
    own: dict[str, Floats]
    told: dict[str, Floats]
    plain: dict[str, int]

    @classmethod
    def of(cls, rows: pd.DataFrame, nodes: Sequence[str], *, categorical: Sequence[str] = ()) -> "NodeTerms":
        """Expand the complete rows."""
        scales = {name: ColumnScale.of(rows[name], coded=name in categorical) for name in nodes}
        values = {name: scale.read(rows[name]) for name, scale in scales.items()}
        whole = np.column_stack([np.zeros(len(rows)), *values.values()])
        complete = np.flatnonzero(np.isfinite(whole).all(axis=1))
        kept = np.unique(np.linspace(0, len(complete) - 1, min(len(complete), MAX_ROWS)).astype(int))
        at = complete[kept] if len(complete) else complete
        own, told, lines = {}, {}, {}
        for name, scale in scales.items():
            column = values[name][at]
            plain = scale.terms(column, bent=False)
            squared = [] if scale.levels else [np.clip(plain[0], -5.0, 5.0) ** 2]
            own[name] = _centred([*plain, *squared], len(at))
            told[name] = _centred(scale.terms(column, bent=True), len(at))
            lines[name] = min(len(plain), own[name].shape[1])
        return cls(size=len(at), own=own, told=told, plain=lines)

    def left(self, name: str, given: Sequence[str]) -> Floats:
        """Residuals of a node regressed on other nodes."""
        if not given:
            return self.own[name]
        base = np.hstack([self.told[one] for one in given])
        heads = [self.told[one][:, :1] for one in given]
        pairs = [a * b for at, a in enumerate(heads) for b in heads[:at] if a.size and b.size]
        design = np.hstack([np.ones((self.size, 1)), base, *pairs])
        return np.asarray(self.own[name] - design @ np.linalg.lstsq(design, self.own[name], rcond=None)[0])


def _centred(terms: Sequence[Floats], size: int) -> Floats:
    both = np.column_stack([np.zeros((size, 0)), *terms]) if terms else np.zeros((size, 0))
    spread = both.std(axis=0) if size else np.zeros(both.shape[1])
    kept = spread > 1e-9
    return np.asarray((both[:, kept] - both[:, kept].mean(axis=0)) / spread[kept]) if size else both


def try_out(seen: NodeTerms, parents: Parents, *, alpha: float = 0.05) -> tuple[Independence, ...]:
    """Test every independence that a graph implies, by the generalised covariance measure (GCM).

    Parameters
    ----------
    seen : NodeTerms
        Nodes that it does not hold count as not measured.
    parents : mapping of str to sequence of str
    alpha : float
        False discovery rate of those that are said to fail.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a = rng.normal(size=1000); b = a + rng.normal(size=1000); c = b + rng.normal(size=1000)
    >>> seen = NodeTerms.of(pd.DataFrame({"a": a, "b": b, "c": c}), ["a", "b", "c"])
    >>> [str(one) for one in try_out(seen, {"a": [], "b": [], "c": ["b"]})]
    ['b has something to do with a', 'c has nothing to do with a, given b']
    """
    asked = implied(parents, seen.own)
    left = [(seen.left(node, given), seen.left(other, given)) for node, other, given in asked]
    p_values = [_p_value(one, other) for one, other in left]
    failing = [at for at, q in enumerate(benjamini_hochberg(p_values)) if q <= alpha]
    plain = [(seen.plain[node], seen.plain[other]) for node, other, _ in asked]
    doubted = {at: _together(left[at][0][:, : plain[at][0]], left[at][1][:, : plain[at][1]]) for at in failing}
    weak = [at for at in sorted(doubted, key=lambda at: doubted[at]) if doubted[at] < STRONG and asked[at][2]]
    for at in weak[:ASKED]:
        p_values[at] = max(p_values[at], _by_trees(seen, asked[at][2], left=left[at]))
    return tuple(
        Independence(node=node, other=other, given=given, p_value=p, q_value=q, holds=q > alpha)
        for (node, other, given), p, q in zip(asked, p_values, benjamini_hochberg(p_values), strict=True)
    )


def _p_value(one: Floats, other: Floats) -> float:
    """GCM test: p-value that the products of the residuals of two nodes have mean zero."""
    return mean_is_zero((one[:, :, None] * other[:, None, :]).reshape(len(one), -1))


def _together(one: Floats, other: Floats) -> float:
    """Largest absolute correlation between the residuals of two nodes."""
    spread = np.outer(one.std(axis=0), other.std(axis=0))
    return float((np.abs(one.T @ other) / max(len(one), 1) / np.maximum(spread, 1e-12)).max(initial=0.0))


def _by_trees(seen: NodeTerms, given: Sequence[str], *, left: tuple[Floats, Floats]) -> float:
    """GCM p-value with residuals of boosted trees, so that what a polynomial misses does not count as dependence."""
    together = np.abs(left[0].T @ left[1])
    kept = np.unique(np.linspace(0, seen.size - 1, min(seen.size, TREE_ROWS)).astype(int))
    design = np.hstack([seen.told[one] for one in given])[kept]
    first, second = (
        _left_by_trees(design, one[kept][:, np.argsort(-together.max(axis=axis), kind="stable")[:TERMS_ASKED]])
        for one, axis in zip(left, (1, 0), strict=True)
    )
    return _p_value(first, second)


def _left_by_trees(design: Floats, terms: Floats) -> Floats:
    """Out-of-fold residuals of boosted trees."""
    fold, left = np.arange(len(terms)) % FOLDS, terms.copy()
    for at in range(terms.shape[1]):
        for held in range(FOLDS):
            model = regressor().fit(design[fold != held], terms[fold != held, at])
            left[fold == held, at] -= model.predict(design[fold == held])
    return np.asarray(left)


# --- permutation baseline --------------------------------------------------------------------------------------------


def beside_chance(seen: NodeTerms, parents: Parents, *, rng: np.random.Generator) -> Baseline | None:
    """Compare the rate of failing independences with that of node permutations of the same graph [1]_.

    Returns
    -------
    Baseline or None
        None where the graph implies nothing that could fail.
    """
    if not implied(parents, seen.own):
        return None
    quick, names = _Quick.of(seen), sorted(set(seen.own) & set(parents))
    own, same = quick.failing(parents), _class_of(parents)
    failing, alike = [], 0
    for _ in range(PERMUTATIONS):
        dealt = dict(zip(names, rng.permutation(names).tolist(), strict=True))
        other = {dealt.get(node, node): [dealt.get(one, one) for one in causes] for node, causes in parents.items()}
        failing.append(quick.failing(other))
        alike += _class_of(other) == same
    return Baseline(
        failing=own,
        usual=float(np.mean(failing)),
        p_value=(1 + sum(one <= own for one in failing)) / (1 + PERMUTATIONS),
        alike=alike / PERMUTATIONS,
    )


def _class_of(parents: Parents) -> tuple[frozenset[frozenset[str]], frozenset[tuple[str, frozenset[str]]]]:
    """Markov equivalence class: skeleton and colliders (Verma & Pearl 1990)."""
    joined = frozenset(frozenset((node, cause)) for node, causes in parents.items() for cause in causes)
    colliders = frozenset(
        (node, frozenset((one, other)))
        for node, causes in parents.items()
        for one in causes
        for other in causes
        if one < other and frozenset((one, other)) not in joined
    )
    return joined, colliders


@dataclass(frozen=True, kw_only=True, eq=False)
class _Quick:
    """Fast conditional independence tests from one covariance matrix (partial covariances)."""

    covariance: Floats
    own: dict[str, list[int]]
    told: dict[str, list[int]]
    size: int

    @classmethod
    def of(cls, seen: NodeTerms) -> "_Quick":
        blocks, own, told, at = [], {}, {}, 0
        for name, terms in seen.told.items():
            told[name] = list(range(at, at + terms.shape[1]))
            own[name] = told[name] if seen.own[name].shape[1] == terms.shape[1] else told[name][:1]
            blocks.append(terms)
            at += terms.shape[1]
        both = np.hstack(blocks)
        return cls(covariance=both.T @ both / len(both) + TINY * np.eye(at), own=own, told=told, size=len(both))

    def failing(self, parents: Parents) -> float:
        """Share of a graph's implied independences that are rejected at 5 %."""
        from scipy.special import chdtrc

        statistics, freedoms = [], []
        by_node: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for node, other, given in implied(parents, self.own):
            by_node.setdefault((node, given), []).append(other)
        for (node, given), others in by_node.items():
            left = self.left(given)
            for other in others:
                statistic, freedom = self.together(left, node, other)
                statistics.append(statistic)
                freedoms.append(freedom)
        return float(np.mean(chdtrc(freedoms, statistics) <= 0.05)) if statistics else 0.0

    def left(self, given: Sequence[str]) -> Floats:
        """Partial covariance matrix given some nodes."""
        known = [at for one in given for at in self.told[one]]
        if not known:
            return self.covariance
        across = self.covariance[:, known]
        return np.asarray(self.covariance - across @ np.linalg.solve(self.covariance[np.ix_(known, known)], across.T))

    def together(self, left: Floats, node: str, other: str) -> tuple[float, float]:
        """Pillai trace statistic, rows times the trace, of two nodes, and its degrees of freedom."""
        a, b = self.own[node], self.own[other]
        if not a or not b:
            return 0.0, 1.0
        across = left[np.ix_(a, b)]
        first = np.linalg.solve(left[np.ix_(a, a)] + TINY * np.eye(len(a)), across)
        second = np.linalg.solve(left[np.ix_(b, b)] + TINY * np.eye(len(b)), across.T)
        return float(self.size * np.trace(first @ second)), float(len(a) * len(b))


def going_together(seen: NodeTerms, names: Sequence[str], *, alpha: float = 0.05) -> tuple[tuple[str, str], ...]:
    """Pairs of nodes that are dependent given all others (partial covariance, FDR), the strongest first.

    Neither the direction nor a common cause follows from such a pair.
    """
    from scipy.special import chdtrc

    quick = _Quick.of(seen)
    pairs = [(one, other) for at, one in enumerate(names) for other in names[at + 1 :]]
    told = []
    for one, other in pairs:
        left = quick.left([name for name in names if name not in (one, other)])
        statistic, freedom = quick.together(left, one, other)
        told.append((float(chdtrc(freedom, statistic)), statistic / quick.size))
    q_values = benjamini_hochberg([p for p, _ in told])
    kept = [(-size, pair) for pair, (_, size), q in zip(pairs, told, q_values, strict=True) if q <= alpha]
    return tuple(pair for _, pair in sorted(kept))
