"""Basis expansion for ridge regression: linear terms, squares, interactions, and boosted trees as a term.

A model that is linear in its terms shares one Gram matrix among all responses, and gives both predictions and
balancing weights (the Riesz representer) by linear algebra alone. Boosted trees enter as one further term: their
prediction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.arrays import Floats
from rca.methods.boosted_trees import regressor
from rca.tables.columns import as_labels, as_numbers, kind_of

FAR = 10.0
"""Interquartile ranges from the median at which a number is clipped, so that outliers do not rule the squares."""

HUGEST = 1e300
"""Numbers are clipped here before they are compared."""

LEVELS = 12
"""Categories with an indicator of their own; the rarer share one."""

TERMS = 200
"""Most terms of a regression; beyond it interactions are left out, the last first."""

ROWS_A_TERM = 10
"""Fewest training rows of the smaller window for each term."""

SHRINK = 3e-4
"""Ridge penalty of a term, as a share of the rows, times its kurtosis: next to none, but where few rows carry it."""

TRIED = 1000
"""Rows of a window on which a trial tree is fitted, and as many on which it is validated, to decide whether trees
enter; twice as many to decide between small and large boosted models."""

TINY = 1e-9
"""Ridge added to the diagonal, in rows, that keeps any Gram matrix invertible."""

WORTH_SQUARES = 0.002
"""Least reduction of the held-out squared error, as a share, for squares and interactions to enter."""

WORTH_TREES = 0.02
"""Least share of the polynomial's held-out residual variance that a tree has to explain for boosted trees to enter."""

RICH = {"rounds": 320, "leaves": 31}
"""Settings of the large boosted model, for responses with hardly any noise, such as a loss given all its inputs."""

WORTH_RICH = 0.1
"""Least share of the small model's error that the large one, at five times the cost, has to remove."""

TwoSamples = tuple[Floats, Floats]

Masks = tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Design matrices of both windows with a ridge penalty for each term.

    Attributes
    ----------
    reference, current : ndarray of shape (rows, terms)
        The first term is one.
    penalty : ndarray of shape (terms,)
        Ridge penalty of each term, as a share of the rows; zero for the first.
    """

    reference: Floats
    current: Floats
    penalty: Floats

    @property
    def windows(self) -> TwoSamples:
        """Both windows, the reference first."""
        return self.reference, self.current

    def normal(self, rows: Floats, response: Floats) -> tuple[Floats, Floats]:
        """Both sides of the normal equations of a ridge regression: ``X'X + penalty`` and ``X'y``."""
        return rows.T @ rows + np.diag(self.penalty * max(len(rows), 1) + TINY), rows.T @ response

    def joined(self, reference: Floats, current: Floats, *, penalty: float) -> "Terms":
        """The design with further columns appended."""
        more = np.full(reference.shape[1], penalty)
        return Terms(
            reference=np.hstack([self.reference, reference]),
            current=np.hstack([self.current, current]),
            penalty=np.concatenate([self.penalty, more]),
        )


@dataclass(frozen=True, kw_only=True)
class Learner:
    """Which terms a regression has besides linear ones: squares and interactions, or boosted trees.

    Attributes
    ----------
    squares, trees : bool
    rich : bool
        Whether there are more and larger trees than usual.
    """

    squares: bool = False
    trees: bool = False
    rich: bool = False


def lines(reference: "pd.Series[Any]", current: "pd.Series[Any]", *, coded: bool = False) -> TwoSamples:
    """Standardised linear terms of a column: its number with a missingness indicator, or one indicator a category.

    Parameters
    ----------
    reference, current : pandas.Series
    coded : bool
        Whether its numbers are codes.

    Returns
    -------
    tuple of ndarray of shape (rows, terms)
        Without any term where the column is constant over both windows.

    Examples
    --------
    >>> before, after = lines(pd.Series([0.0, 2.0]), pd.Series([2.0, 0.0]))
    >>> before.tolist()
    [[-1.0], [1.0]]
    """
    n = len(reference)
    if kind_of(reference, coded=coded) == kind_of(current, coded=coded) == "numeric":
        both = _numbers(np.concatenate([as_numbers(reference), as_numbers(current)]))
    else:
        both = _indicators(np.concatenate([as_labels(reference), as_labels(current)]))
    spread = both.std(axis=0) if len(both) else np.zeros(both.shape[1])
    kept = spread > 1e-9
    both = (both[:, kept] - both[:, kept].mean(axis=0)) / spread[kept] if kept.any() else both[:, :0]
    return both[:n], both[n:]


def _numbers(values: Floats) -> Floats:
    """Robustly scaled numbers (median, interquartile range), clipped; missing ones at the median, with an indicator."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros((len(values), 1))
    values = np.clip(values, -HUGEST, HUGEST)  # so that differences of two are numbers
    low, middle, high = np.quantile(values[known], [0.25, 0.5, 0.75])
    unit = (high - low) or float(np.abs(values[known] - middle).max()) or 1.0
    scaled = np.where(known, np.clip(np.where(known, values, middle) / unit - middle / unit, -FAR, FAR), 0.0)
    return np.column_stack([scaled, ~known])


def _indicators(labels: npt.NDArray[np.object_]) -> Floats:
    """One-hot indicators of the commonest categories but the first; missing is a category."""
    codes, distinct = pd.factorize(pd.Index(labels, dtype=object), use_na_sentinel=False)
    order = np.argsort(-np.bincount(codes, minlength=len(distinct)), kind="stable")
    rank = np.empty(len(distinct), dtype=np.intp)
    rank[order] = np.arange(len(distinct))
    ranks = np.minimum(rank[codes], LEVELS)
    return np.asarray(ranks[:, None] == np.arange(1, max(2, min(len(distinct), LEVELS + 1))), dtype=float)


def chosen(columns: Sequence[TwoSamples], response: TwoSamples, train: Masks) -> Learner:
    """Choose the basis by validation on the other half of the training rows.

    Linear terms, with squares and interactions where these lower the held-out error; and boosted trees where a tree
    explains some of the residual, the large ones where these explain clearly more.

    Parameters
    ----------
    columns : sequence of tuple of ndarray of shape (rows, lines)
        Lines of each column.
    response : tuple of ndarray of shape (rows,)
    train : tuple of ndarray of bool
        Rows of each window that may be seen.
    """
    seen = [one for one in columns if one[0].shape[1]]
    if not seen:
        return Learner()
    halves = every_other(train, 0), every_other(train, 1)
    trials = [polynomial(seen, response), polynomial(seen, response, room=_room(seen, train))]
    left = [_left_over(terms, response, halves[0]) for terms in trials]
    errors = [sum(float((one[side][halves[1][side]] ** 2).sum()) for side in (0, 1)) for one in left]
    squares = errors[1] < (1 - WORTH_SQUARES) * errors[0]
    trees = tree_tells(seen, left[int(squares)], halves)
    return Learner(squares=squares, trees=trees, rich=trees and _rich_tell(seen, response, halves))


def terms_of(columns: Sequence[TwoSamples], response: TwoSamples, train: Masks, *, learner: Learner) -> Terms:
    """Basis expansion of some columns, with the boosted trees' prediction as a term where the learner has them.

    Parameters
    ----------
    columns : sequence of tuple of ndarray of shape (rows, lines)
        Lines of each column; none gives the constant alone.
    response : tuple of ndarray of shape (rows,)
        What boosted trees learn to predict.
    train : tuple of ndarray of bool
        Rows of each window that they may see.
    learner : Learner

    Returns
    -------
    Terms
        The same on every run: nothing is drawn.
    """
    seen = [one for one in columns if one[0].shape[1]]
    terms = polynomial(seen, response, room=_room(seen, train) if learner.squares else 0)
    if not learner.trees:
        return terms
    return terms.joined(*_boosted(seen, response, train, rich=learner.rich), penalty=SHRINK)


def _room(columns: Sequence[TwoSamples], train: Masks) -> int:
    fewest = min(int(mask.sum()) for mask in train)
    return max(0, min(TERMS, fewest // ROWS_A_TERM) - 1 - sum(len(one[0].T) for one in columns))


def every_other(train: Masks, odd: int) -> Masks:
    """Every other training row: one half of a split for validation."""
    found = [np.zeros(len(mask), bool) for mask in train]
    for one, mask in zip(found, train, strict=True):
        one[np.flatnonzero(mask)[odd::2]] = True
    return found[0], found[1]


def _left_over(terms: Terms, response: TwoSamples, train: Masks) -> TwoSamples:
    """Residuals, at every row, of ridge regressions fitted on each window's training rows."""
    left = []
    for rows, truth, mask in zip(terms.windows, response, train, strict=True):
        left.append(truth - rows @ np.linalg.solve(*terms.normal(rows[mask], truth[mask])))
    return left[0], left[1]


def polynomial(columns: Sequence[TwoSamples], rows: TwoSamples, *, room: int = 0) -> Terms:
    """Polynomial basis: intercept and linear terms; then squares and interactions, as many as there is room for.

    Parameters
    ----------
    columns : sequence of tuple of ndarray of shape (rows, lines)
        Lines of each column.
    rows : tuple of ndarray
        Anything as long as the windows.
    room : int
        Terms that may be added to the lines.

    Examples
    --------
    >>> x, y = (np.arange(3.0)[:, None], np.arange(3.0)[:, None]), (np.ones((3, 1)), np.eye(3)[:, :1])
    >>> polynomial([x, y], (np.zeros(3), np.zeros(3)), room=9).reference.shape
    (3, 5)
    """
    n = len(rows[0])
    both = [np.vstack(one) for one in columns]
    flat = np.hstack([np.zeros((n + len(rows[1]), 0)), *both])
    owner = np.repeat(np.arange(len(both)), [one.shape[1] for one in both])
    curved = _distinct(_curved(flat, owner), room) if room > 0 else flat[:, :0]
    terms = np.hstack([np.ones((len(flat), 1)), flat, curved])
    penalty = np.concatenate([[0.0], SHRINK * np.square(np.square(terms[:, 1:])).mean(axis=0)])
    return Terms(reference=terms[:n], current=terms[n:], penalty=penalty)


def _curved(flat: Floats, owner: npt.NDArray[np.intp]) -> Floats:
    """Squares, then interactions of linear terms of different columns."""
    many = np.array(
        [len(np.unique(line)) > 2 for line in flat.T], dtype=bool
    )  # the square of a two-valued line is that line again
    one, other = np.triu_indices(flat.shape[1])
    kept = np.where(one == other, many[one], owner[one] != owner[other])
    one, other = one[kept], other[kept]
    order = np.argsort(one != other, kind="stable")[: 2 * TERMS]
    return flat[:, one[order]] * flat[:, other[order]]


def _distinct(terms: Floats, room: int) -> Floats:
    """Non-constant terms, standardised."""
    spread = terms.std(axis=0)
    kept = np.flatnonzero(spread > 1e-9)[:room]
    return np.asarray((terms[:, kept] - terms[:, kept].mean(axis=0)) / spread[kept])


def _boosted(columns: Sequence[TwoSamples], response: TwoSamples, train: Masks, *, rich: bool) -> TwoSamples:
    """Standardised predictions of boosted trees fitted on both windows; each window's regression rescales them."""
    seen = [np.hstack([one[side] for one in columns]) for side in (0, 1)]
    truth = np.concatenate([response[side][train[side]] for side in (0, 1)])
    middle, spread = float(truth.mean()), float(truth.std()) or 1.0
    model = regressor(**RICH if rich else {}).fit(np.vstack([seen[side][train[side]] for side in (0, 1)]), truth)
    found = [((model.predict(rows) - middle) / spread)[:, None] for rows in seen]
    return found[0], found[1]


def _rich_tell(columns: Sequence[TwoSamples], response: TwoSamples, halves: tuple[Masks, Masks]) -> bool:
    """Whether the large boosted model has a clearly lower held-out error ``1 - R²`` than the small one."""
    shown, held = (tuple(np.flatnonzero(mask)[: 2 * TRIED] for mask in half) for half in halves)
    rows = [np.concatenate([one, other]) for one, other in zip(shown, held, strict=True)]
    train = np.arange(len(rows[0])) < len(shown[0]), np.arange(len(rows[1])) < len(shown[1])
    seen = [(one[0][rows[0]], one[1][rows[1]]) for one in columns]
    truth = response[0][rows[0]], response[1][rows[1]]
    missed = []
    for rich in (False, True):
        said = _boosted(seen, truth, train, rich=rich)
        x, y = (np.concatenate([one[side][~train[side]].ravel() for side in (0, 1)]) for one in (said, truth))
        missed.append(1 - float(np.corrcoef(x, y)[0, 1]) ** 2 if min(x.std(), y.std()) > 0 else 1.0)
    return missed[1] < (1 - WORTH_RICH) * missed[0]


def tree_tells(columns: Sequence[TwoSamples], left: TwoSamples, halves: tuple[Masks, Masks]) -> bool:
    """Whether a small decision tree explains held-out residuals of a polynomial."""
    from sklearn.tree import DecisionTreeRegressor

    shown = [
        [
            (np.hstack([one[side][rows] for one in columns]), left[side][rows])
            for side in (0, 1)
            if len(rows := np.flatnonzero(half[side])[:TRIED])
        ]
        for half in halves
    ]
    x, y = (np.concatenate(one) for one in zip(*shown[0], strict=True))
    model = DecisionTreeRegressor(max_leaf_nodes=16, min_samples_leaf=10, random_state=0).fit(x, y)
    missed = sum(float(((y - model.predict(x)) ** 2).sum()) for x, y in shown[1])
    return missed < (1 - WORTH_TREES) * sum(float((y**2).sum()) for _, y in shown[1])
