"""A causal DAG as a topologically ordered chain of mechanisms, and the mean-zero residual products it implies.

A missing arrow says that, given its parents, a node is independent of a predecessor. Then the product of the residuals
of the node and of its other predecessors, each regressed on the parents, has mean zero: such products serve as control
variates, which lower the variance of an estimate without bias.

References
----------
.. [1] Shah, R. D. & Peters, J. (2020). The hardness of conditional independence testing and the generalised covariance
   measure. Annals of Statistics 48(3), eq. (3): the product of two residuals.
.. [2] Rotnitzky, A. & Smucler, E. (2020). Efficient adjustment sets for population average causal treatment effect
   estimation in graphical models. JMLR 21: what missing arrows are worth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import numpy as np

from rca.arrays import Floats, Mask
from rca.errors import InvalidCase
from rca.methods.change_attribution.nested_regression import MechanismRegressions, step
from rca.methods.regression_basis import Learner, Masks, Terms, TwoSamples, chosen, polynomial, terms_of

ROWS_A_PRODUCT = 50
"""Fewest effective rows of a window for each residual product."""

OTHERS = 60
"""Most squares and interactions, of a node's parents or its other predecessors, in residual products."""


@dataclass(frozen=True, kw_only=True)
class Chain:
    """Ancestors of the measured columns in topological order, with their parents.

    Attributes
    ----------
    order : tuple of str
    parents : dict of str to tuple of str
    measured : frozenset of str
        Columns that the metric is read off.
    """

    order: tuple[str, ...]
    parents: dict[str, tuple[str, ...]]
    measured: frozenset[str]

    def before(self, step: int) -> tuple[str, ...]:
        """Predecessors of a step that it or a later one conditions on."""
        needed = self.measured.union(*(self.parents[node] for node in self.order[step:]))
        return tuple(node for node in self.order[:step] if node in needed)

    def reached(self, step: int) -> list[int]:
        """The step and those of its node's descendants."""
        found = {self.order[step]}
        for node in self.order[step:]:
            found |= {node} if found & set(self.parents[node]) else set()
        return [k for k, node in enumerate(self.order) if node in found]

    def is_complete(self, step: int) -> bool:
        """Whether every relevant predecessor of a step is a parent of its node: no arrow is missing."""
        return set(self.before(step)) <= set(self.parents[self.order[step]])


def chain_of(parents: Mapping[str, Sequence[str]], measured: Sequence[str]) -> Chain:
    """Topological order of the ancestors of the measured columns.

    Raises
    ------
    InvalidCase
        If the graph has a cycle, or knows none of the measured columns.

    Examples
    --------
    >>> chain_of({"y": ["x"], "x": [], "z": ["y"]}, ["y"]).order
    ('x', 'y')
    """
    known = {node: tuple(sorted(set(causes))) for node, causes in parents.items()}
    for cause in {cause for causes in known.values() for cause in causes} - set(known):
        known[cause] = ()
    missing = [column for column in measured if column not in known]
    if missing:
        what = f"the causal graph has no node {missing[0]!r}; it has {', '.join(sorted(known))}"
        raise InvalidCase.because(what, place="parents", hint="name a column that the graph knows")
    upstream, open_ = set(measured), list(measured)
    while open_:
        fresh = set(known[open_.pop()]) - upstream
        upstream |= fresh
        open_ += fresh
    try:
        order = tuple(TopologicalSorter({node: known[node] for node in sorted(upstream)}).static_order())
    except CycleError as error:
        what = f"the causal graph runs in a circle: {' → '.join(error.args[1])}"
        raise InvalidCase.because(what, place="parents", hint="leave out the arrow that time forbids") from error
    return Chain(order=order, parents={node: known[node] for node in order}, measured=frozenset(measured))


@dataclass(frozen=True, kw_only=True)
class Learned:
    """The nested regressions of every mechanism of a chain, fitted on the training rows.

    Attributes
    ----------
    steps : tuple of MechanismRegressions
    learners : tuple of Learner
        What the regressions of each step are made of.
    """

    steps: tuple[MechanismRegressions, ...]
    learners: tuple[Learner, ...]


def learned(
    chain: Chain,
    lines: Mapping[str, TwoSamples],
    outcome: TwoSamples,
    *,
    train: Masks,
    learners: Sequence[Learner] | None = None,
) -> Learned:
    """Fit the nested regressions of every mechanism on the training rows, backwards from the outcome.

    Parameters
    ----------
    chain : Chain
    lines : mapping of str to tuple of ndarray
        Node → its lines in both windows.
    outcome : tuple of ndarray of shape (rows, parts)
        Numerator and denominator of the metric; terms are chosen by the first.
    train : tuple of ndarray of bool
    learners : sequence of Learner, optional
        Chosen by the training rows where left out.
    """
    steps: list[MechanismRegressions] = []
    chose: list[Learner] = []
    after, response, worth = outcome, (outcome[0][:, 0], outcome[1][:, 0]), np.eye(outcome[0].shape[1])[:, 0]
    for k in reversed(range(len(chain.order))):
        seen = [lines[node] for node in chain.before(k)]
        chose.insert(0, learners[k] if learners else chosen(seen, response, train))
        terms = terms_of(seen, response, train, learner=chose[0])
        steps.insert(0, step(terms, after, train))
        worth = steps[0].mixed(0.5) @ worth
        after, response = terms.windows, (terms.reference @ worth, terms.current @ worth)
    return Learned(steps=tuple(steps), learners=tuple(chose))


@dataclass(frozen=True, kw_only=True)
class VarianceReduction:
    """Basis of a node's parents, and weights that balance the parents' distribution between the windows.

    Attributes
    ----------
    terms : Terms
    weights : tuple of ndarray of shape (rows,)
        Give rows of one window the other's means of the terms; learned on the training rows, about 1 on average.
    """

    terms: Terms
    weights: TwoSamples


def residual_products(chain: Chain, lines: Mapping[str, TwoSamples], at: int, *, train: Masks) -> VarianceReduction:
    """Basis of the parents of a step's node with balancing weights, from which `products` takes residuals."""
    rows = lines[chain.order[at]]
    causes = [lines[parent] for parent in chain.parents[chain.order[at]]]
    terms = polynomial(causes, rows, room=_room(rows))
    shown = [window[mask] for window, mask in zip(terms.windows, train, strict=True)]
    found = []
    for side in (0, 1):
        square, mean = terms.normal(shown[side], np.ones(len(shown[side])))[0], shown[1 - side].mean(axis=0)
        found.append(terms.windows[side] @ np.linalg.solve(square, mean * len(shown[side])))
    return VarianceReduction(terms=terms, weights=(found[0], found[1]))


def _room(rows: TwoSamples) -> int:
    return min(OTHERS, min(len(window) for window in rows) // ROWS_A_PRODUCT)


def products(
    chain: Chain, lines: Mapping[str, TwoSamples], at: int, *, by: VarianceReduction, train: Masks
) -> TwoSamples | None:
    """Products of residuals given the parents, of a node times its other predecessors: control variates of mean zero.

    Parameters
    ----------
    chain : Chain
    lines : mapping of str to tuple of ndarray
    at : int
        The step.
    by : VarianceReduction
        Of the same step; its weights multiply every product once more, which leaves its mean at zero.
    train : tuple of ndarray of bool
        Rows of each window that may be learned from; the others are held out.

    Returns
    -------
    tuple of ndarray of shape (held-out rows, products), or None
        None where no arrow is missing.
    """
    if chain.is_complete(at):
        return None
    rows = lines[chain.order[at]]
    own = polynomial([rows], rows, room=rows[0].shape[1])
    others = polynomial([lines[other] for other in chain.before(at)], rows, room=_room(rows))
    found = []
    for side in (0, 1):
        one, other = (_residuals(by.terms.windows[side], terms.windows[side], train[side]) for terms in (own, others))
        pairs = (other[:, :, None] * one[:, None, :]).reshape(len(one), -1)
        found.append(pairs * (1 + by.weights[side][~train[side], None]) / 2)  # as rows weigh half-way between windows
    return found[0], found[1]


def _residuals(told: Floats, terms: Floats, train: Mask) -> Floats:
    """Held-out residuals of terms regressed on the parents' terms."""
    return np.asarray(terms[~train] - told[~train] @ np.linalg.lstsq(told[train], terms[train], rcond=None)[0])
