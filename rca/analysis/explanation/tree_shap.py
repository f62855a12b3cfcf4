"""Exact path-dependent tree SHAP, by tables over the patterns of split conditions that a row can meet.

For a leaf a row is a pattern of features that do or do not meet the conditions on the path to it. Its SHAP values are
a function of that pattern, computed once and looked up for every row. Leaves of one subtree share conditions, and one
table.

References
----------
.. [1] Lundberg, Erion, Lee (2018), arXiv:1802.03888, section 3: the game that a tree plays, with absent features
   averaged by the rows that trained it ("path-dependent").
.. [2] Owen (1972), Management Science 18(5), eq. (9): the Shapley value is the integral of the game's multilinear
   extension along the diagonal. Here that is a polynomial, so Gauss-Legendre's rule is exact.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from rca.arrays import Floats, Mask, Places
from rca.record.model.forest import Forest, Tree

CHUNK = 16_384
"""Rows worked on at a time, so that what is looked up stays in the processor's cache."""

WIDEST, ALONE = 10, 12
"""Conditions of a table of several leaves, and of one; with more, only the patterns that rows have are worked out."""

MAX_BYTES = 500_000_000
"""Bytes of all tables; of leaves beyond them, only the patterns that rows have are worked out."""

ZERO = 1e-35
"""LightGBM takes numbers this near to zero for it."""

# --- columns as codes -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Cuts:
    """A column as codes, as fine as the splits of the forest: between thresholds, or by category; the last, missing.

    Attributes
    ----------
    cuts : ndarray of float
        Thresholds, ascending; of a column of categories, the largest code that is known.
    by_category, zero_apart, single : bool
        Whether it is read by category; whether zero has a code of its own; whether numbers are of single precision.
    """

    cuts: Floats
    by_category: bool = False
    zero_apart: bool = False
    single: bool = False

    @property
    def size(self) -> int:
        """Number of codes."""
        known = int(self.cuts[0]) + 2 if self.by_category else len(self.cuts) + 1
        return known + 1 + self.zero_apart

    def codes(self, values: Floats) -> Places:
        """Codes of values; NaN and unknown categories are missing."""
        gone = np.isnan(values)
        if self.by_category:
            known = np.clip(np.where(gone | (values < 0), self.cuts[0] + 1, values), 0, self.cuts[0] + 1)
            found = known.astype(np.intp)
        else:
            read = values.astype(np.float32).astype(np.float64) if self.single else values
            found = np.searchsorted(self.cuts, read, side="left").astype(np.intp)
        found[gone] = self.size - 1
        if self.zero_apart:
            found[np.abs(values) <= ZERO] = self.size - 2
        return found

    def left(self, tree: Tree, node: int) -> Mask:
        """Of each code, whether a split sends it left."""
        goes = np.zeros(self.size, dtype=bool)
        missing = tree.missing.get(node, "apart")
        if self.by_category:
            goes[[code for code in tree.categories[node] if code <= self.cuts[0]]] = True
            return goes
        at = float(tree.threshold[node])
        goes[: np.searchsorted(self.cuts, at) + 1] = True
        goes[-1] = at >= 0 if missing == "as zero" else tree.missing_left[node]
        if self.zero_apart:
            goes[-2] = tree.missing_left[node] if missing == "zero too" else at >= 0
        return goes


def cuts_of(forest: Forest) -> dict[int, Cuts]:
    """Codes of each feature that the forest reads."""
    thresholds: dict[int, set[float]] = {}
    largest: dict[int, int] = {}
    zeros: set[int] = set()
    for tree in forest.trees:
        for node in np.flatnonzero(tree.feature >= 0).tolist():
            feature = int(tree.feature[node])
            if node in tree.categories:
                largest[feature] = max(largest.get(feature, 0), *tree.categories[node], 0)
            else:
                thresholds.setdefault(feature, set()).add(float(tree.threshold[node]))
            zeros |= {feature} if tree.missing.get(node) == "zero too" else set()
    numeric = {
        at: Cuts(cuts=np.array(sorted(known)), zero_apart=at in zeros, single=forest.single)
        for at, known in thresholds.items()
        if at not in largest
    }
    coded = {at: Cuts(cuts=np.array([float(n)]), by_category=True) for at, n in largest.items()}
    return dict(sorted((numeric | coded).items()))


# --- leaves and the conditions on the way to them ---------------------------------------------------------------------

Condition = tuple[int, bytes]
"""A feature and, for each of its codes, whether it meets the condition; the first code never does."""


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A leaf, and one merged condition for each feature on the path to it.

    Attributes
    ----------
    value : float
    conditions : tuple of Condition
    turned : tuple of bool
        Whether a condition is negated.
    ratios : tuple of float
        Share of the training rows that met each condition, in the nodes where it was asked.
    """

    value: float
    conditions: tuple[Condition, ...]
    turned: tuple[bool, ...]
    ratios: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Unit:
    """Leaves of one subtree that share a table, and all conditions on the paths to them."""

    leaves: tuple[Leaf, ...]
    conditions: tuple[Condition, ...]

    @classmethod
    def of(cls, leaves: tuple[Leaf, ...]) -> "Unit":
        """The unit of some leaves."""
        return cls(leaves=leaves, conditions=tuple(sorted({c for leaf in leaves for c in leaf.conditions})))


@dataclass(frozen=True)
class _Way:
    """Features on the path to a node: which codes still pass, and the share of training rows that did."""

    passing: dict[int, Mask] = field(default_factory=dict)
    ratio: dict[int, float] = field(default_factory=dict)

    def down(self, feature: int, goes: Mask, share: float) -> "_Way":
        passing = self.passing | {feature: self.passing[feature] & goes if feature in self.passing else goes}
        return _Way(passing, self.ratio | {feature: self.ratio.get(feature, 1.0) * share})

    def leaf(self, value: float) -> Leaf:
        turned = tuple(bool(mask[0]) for mask in self.passing.values())
        masks = (~mask if turn else mask for mask, turn in zip(self.passing.values(), turned, strict=True))
        conditions = tuple(zip(self.passing, (mask.tobytes() for mask in masks), strict=True))
        return Leaf(value=value, conditions=conditions, turned=turned, ratios=tuple(self.ratio.values()))


def units_of(tree: Tree, cuts: dict[int, Cuts], *, widest: int = WIDEST) -> list[Unit]:
    """Cut a tree into the largest subtrees with at most `widest` conditions each."""
    done: list[Unit] = []

    def below(node: int, way: _Way) -> Unit | None:
        """The subtree as one unit, or None once its parts are done."""
        feature = int(tree.feature[node])
        if feature < 0:
            return Unit.of((way.leaf(float(tree.value[node])),))
        goes = cuts[feature].left(tree, node)
        sides = ((int(tree.left[node]), goes), (int(tree.right[node]), ~goes))
        parts = [below(child, way.down(feature, m, tree.cover[child] / tree.cover[node])) for child, m in sides]
        known = [part for part in parts if part is not None]
        both = Unit.of(tuple(leaf for part in known for leaf in part.leaves))
        if len(known) == 2 and len(both.conditions) <= widest:
            return both
        done.extend(known)
        return None

    whole = below(0, _Way())
    return [unit for unit in ([whole] if whole is not None else done) if unit.conditions]


def expected(tree: Tree) -> float:
    """Expected value of a tree over its training rows: the base value."""
    leaf = tree.feature < 0
    return float(tree.value[leaf] @ tree.cover[leaf] / tree.cover[leaf].sum())


# --- the game of a leaf -----------------------------------------------------------------------------------------------


def leaf_values(met: Mask, ratios: Floats) -> Floats:
    """Shapley values of a leaf worth 1, for patterns of met conditions (path-dependent game).

    ``phi_j = (met_j - r_j) * integral over t in (0, 1) of the product over k != j of (r_k (1 - t) + met_k t)``.

    Parameters
    ----------
    met : ndarray of bool, shape (patterns, features)
    ratios : ndarray of shape (features,)
        Share of the training rows that met each condition.

    Returns
    -------
    ndarray of shape (patterns, features)
        A row adds up to ``product(met) - product(ratios)``.

    References
    ----------
    [2]_, eq. (9).

    Examples
    --------
    >>> leaf_values(np.array([[True, True]]), np.array([0.5, 0.2])).round(3).tolist()
    [[0.3, 0.6]]
    """
    count = met.shape[1]
    found = np.zeros(met.shape)
    for t, weight in diagonal((count + 1) // 2):
        factors = np.where(met, ratios * (1 - t) + t, ratios * (1 - t))
        found += weight * _all_but_one(factors)
    return found * (met - ratios)


@cache
def diagonal(points: int) -> list[tuple[float, float]]:
    """Nodes and weights of Gauss-Legendre quadrature on (0, 1): exact up to degree ``2 points - 1``.

    >>> round(sum(weight * t**3 for t, weight in diagonal(2)), 12)
    0.25
    """
    at, weights = np.polynomial.legendre.leggauss(points)
    return list(zip(((at + 1) / 2).tolist(), (weights / 2).tolist(), strict=True))


def _all_but_one(factors: Floats) -> Floats:
    """Products of each row without one of its entries."""
    before, after = np.ones_like(factors), np.ones_like(factors)
    np.cumprod(factors[:, :-1], axis=1, out=before[:, 1:])
    after[:, :-1] = np.cumprod(factors[:, :0:-1], axis=1)[:, ::-1]
    return before * after


def _bits(patterns: npt.NDArray[np.int64], places: Sequence[int], turned: Sequence[bool]) -> Mask:
    """Whether each pattern meets the conditions of a leaf, which stand at these bit positions."""
    return np.asarray(((patterns[:, None] >> np.array(places)) & 1).astype(bool) ^ np.array(turned))


Table = tuple[list[int], Floats]
"""Features, and for each of them a value for each pattern."""

LookedUp = tuple[int, Unit, Table | None]
"""An output, a unit that adds to it, and its table; None where the patterns are too many."""


def _table(unit: Unit, patterns: npt.NDArray[np.int64]) -> Table:
    """Features of a unit, and the sum of its leaves' SHAP values for each pattern of conditions."""
    place = {condition: at for at, condition in enumerate(unit.conditions)}
    features = sorted({feature for feature, _ in unit.conditions})
    column = {feature: at for at, feature in enumerate(features)}
    table = np.zeros((len(features), len(patterns)))
    for leaf in unit.leaves:
        met = _bits(patterns, [place[condition] for condition in leaf.conditions], leaf.turned)
        found = leaf.value * leaf_values(met, np.array(leaf.ratios))
        table[[column[feature] for feature, _ in leaf.conditions]] += found.T
    return features, table


# --- rows -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Tables:
    """Lookup tables of a forest, from which the SHAP values of rows are read.

    Attributes
    ----------
    features : tuple of int
        Columns of the model's matrix that it reads at all; all others have SHAP values of zero.
    base : ndarray of shape (outputs,)
        Mean margin over the rows that trained it.
    """

    features: tuple[int, ...]
    base: Floats
    cuts: dict[int, Cuts]
    looked_up: tuple[LookedUp, ...]

    def values(self, matrix: Floats) -> Floats:
        """SHAP values of rows, by lookup.

        Parameters
        ----------
        matrix : ndarray of shape (rows, columns)
            As the model's trees split on it.

        Returns
        -------
        ndarray of shape (rows, len(features), outputs)
            With `base` they add up to the margin of each row.
        """
        found = np.empty((len(matrix), len(self.features), len(self.base)))
        for start in range(0, len(matrix), CHUNK):
            found[start : start + CHUNK] = self._of(matrix[start : start + CHUNK]).transpose(2, 1, 0)
        return found

    def _of(self, matrix: Floats) -> Floats:
        """SHAP values of a chunk of rows: (outputs, features, rows)."""
        column = {feature: at for at, feature in enumerate(self.features)}
        codes = {feature: self.cuts[feature].codes(matrix[:, feature]) for feature in self.features}
        found = np.zeros((len(self.base), len(self.features), len(matrix)))
        met: dict[Condition, Any] = {}
        for output, unit, told in self.looked_up:
            patterns = _patterns(unit.conditions, codes, met)
            if told is None:
                seen, patterns = np.unique(patterns, return_inverse=True)
            features, table = told or _table(unit, seen)
            for feature, values in zip(features, table, strict=True):
                found[output, column[feature]] += values.take(patterns)
        return found


def _patterns(conditions: tuple[Condition, ...], codes: dict[int, Places], met: dict[Condition, Any]) -> Any:
    """Pattern of conditions that each row meets, as a bit mask: the first condition is its lowest bit."""
    kind = np.int16 if len(conditions) < 15 else np.int64
    found: Any = 0
    for at, condition in enumerate(conditions):
        if condition not in met:
            met[condition] = np.frombuffer(condition[1], dtype=np.int8).take(codes[condition[0]])
        found = found + np.left_shift(met[condition], at, dtype=kind)
    return np.asarray(found).astype(np.intp)


def tables_of(forest: Forest, *, widest: int = WIDEST) -> Tables:
    """Build the lookup tables of a forest for exact tree SHAP.

    Parameters
    ----------
    forest : Forest
    widest : int
        Conditions of a table; more make fewer and larger tables, which pay for many rows.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from rca.record.model.forest import of_sklearn
    >>> rows = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> tables = tables_of(of_sklearn(DecisionTreeRegressor(random_state=0).fit(rows, [0.0, 1.0, 2.0, 3.0])))
    >>> tables.base.tolist(), tables.values(rows[:2, :])[..., 0].tolist()
    ([1.5], [[-1.0, -0.5], [-1.0, 0.5]])
    """
    cuts = cuts_of(forest)
    base = np.array(forest.start, dtype=float)
    for tree in forest.trees:
        base[tree.output] += expected(tree)
    units = [(tree.output, unit) for tree in forest.trees for unit in units_of(tree, cuts, widest=widest)]
    return Tables(features=tuple(cuts), base=base, cuts=cuts, looked_up=tuple(_looked_up(units, max(widest, ALONE))))


def _looked_up(units: Sequence[tuple[int, Unit]], widest: int) -> Iterator[LookedUp]:
    left = MAX_BYTES
    for output, unit in units:
        if len(unit.conditions) > widest or left <= 0:
            yield output, unit, None
            continue
        table = _table(unit, np.arange(2 ** len(unit.conditions)))
        left -= table[1].nbytes
        yield output, unit, table
