"""Bases: some columns of both windows as terms of a regression: lines, squares, products, and boosted trees.

A regression that is linear in its terms shares one matrix of products among all that it is asked, and can be fitted
and turned round (into weights) by linear algebra alone. Trees join in as terms: each leaf is one.
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
"""Interquartile ranges from the median at which a number is cut, so that one wild value does not bend a square."""

HUGEST = 1e300
"""Numbers are cut here before they are compared."""

LEVELS = 12
"""Categories that get a term of their own; the rarer are one."""

TERMS = 200
"""Terms of a regression above which products are left out, the last first."""

ROWS_A_TERM = 10
"""Training rows of the smaller window that a term has to have to itself."""

SHRINK = 3e-4
"""Ridge penalty of a term, as a share of the rows, times its kurtosis: next to none, but where few rows carry it."""

TRIED = 1000
"""Rows of a window on which a tree learns, and as many on which it is tried, to see whether trees are worth it; twice
as many where it is asked whether rich ones are."""

TINY = 1e-9
"""Rows' worth of shrinking that keeps any matrix of products invertible."""

WORTH_SQUARES = 0.002
"""Share of the error that squares and products have to take away, to become terms."""

WORTH_TREES = 0.02
"""Share of what a polynomial leaves over that trees have to explain, to become terms."""

RICH = {"rounds": 320, "leaves": 31}
"""Trees, and leaves of each, of what hardly any chance enters, such as a loss told from all that it is made of."""

WORTH_RICH = 0.1
"""Share of what the usual trees miss that rich ones, at five times the cost, have to take away."""

TwoSamples = tuple[Floats, Floats]

Masks = tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Terms of a regression at the rows of both windows.

    Attributes
    ----------
    reference, current : ndarray of shape (rows, terms)
        The first term is one.
    penalty : ndarray of shape (terms,)
        Shrinking of each term, as a share of the rows; zero for the first.
    """

    reference: Floats
    current: Floats
    penalty: Floats

    @property
    def windows(self) -> TwoSamples:
        """Both windows, the reference first."""
        return self.reference, self.current

    def normal(self, rows: Floats, response: Floats) -> tuple[Floats, Floats]:
        """Both sides of the normal equations of a ridge regression on some rows."""
        return rows.T @ rows + np.diag(self.penalty * max(len(rows), 1) + TINY), rows.T @ response

    def joined(self, reference: Floats, current: Floats, *, penalty: float) -> "Terms":
        """With further terms."""
        more = np.full(reference.shape[1], penalty)
        return Terms(
            reference=np.hstack([self.reference, reference]),
            current=np.hstack([self.current, current]),
            penalty=np.concatenate([self.penalty, more]),
        )


@dataclass(frozen=True, kw_only=True)
class Learner:
    """What a regression is made of, over lines: squares and products, or boosted trees' predictions.

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
    """A column as linear terms of mean zero and spread one: its number, or one for each category; and missingness.

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
    """Numbers in interquartile ranges about the median, cut far out; missing ones stand in the middle and are told."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros((len(values), 1))
    values = np.clip(values, -HUGEST, HUGEST)  # so that differences of two are numbers
    low, middle, high = np.quantile(values[known], [0.25, 0.5, 0.75])
    unit = (high - low) or float(np.abs(values[known] - middle).max()) or 1.0
    scaled = np.where(known, np.clip(np.where(known, values, middle) / unit - middle / unit, -FAR, FAR), 0.0)
    return np.column_stack([scaled, ~known])


def _indicators(labels: npt.NDArray[np.object_]) -> Floats:
    """One column for each of the commonest categories but the first; missing is a category."""
    codes, distinct = pd.factorize(pd.Index(labels, dtype=object), use_na_sentinel=False)
    order = np.argsort(-np.bincount(codes, minlength=len(distinct)), kind="stable")
    rank = np.empty(len(distinct), dtype=np.intp)
    rank[order] = np.arange(len(distinct))
    ranks = np.minimum(rank[codes], LEVELS)
    return np.asarray(ranks[:, None] == np.arange(1, max(2, min(len(distinct), LEVELS + 1))), dtype=float)


def chosen(columns: Sequence[TwoSamples], response: TwoSamples, train: Masks) -> Learner:
    """Which terms tell a response best, on training rows that they were not fitted on.

    Lines, unless squares and products tell more; and boosted trees, where a tree tells of what is left: rich ones
    where the usual ones leave much that could be told.

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
    """The terms of some columns.

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
    """Every other of the rows that may be seen."""
    found = [np.zeros(len(mask), bool) for mask in train]
    for one, mask in zip(found, train, strict=True):
        one[np.flatnonzero(mask)[odd::2]] = True
    return found[0], found[1]


def _left_over(terms: Terms, response: TwoSamples, train: Masks) -> TwoSamples:
    """What regressions of each window's training rows leave of the response, at every row."""
    left = []
    for rows, truth, mask in zip(terms.windows, response, train, strict=True):
        left.append(truth - rows @ np.linalg.solve(*terms.normal(rows[mask], truth[mask])))
    return left[0], left[1]


def polynomial(columns: Sequence[TwoSamples], rows: TwoSamples, *, room: int = 0) -> Terms:
    """One and every line; and squares and products of different columns' lines, as many as there is room for.

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
    """Squares, then products of lines that belong to different columns."""
    many = np.array(
        [len(np.unique(line)) > 2 for line in flat.T], dtype=bool
    )  # the square of a two-valued line is that line again
    one, other = np.triu_indices(flat.shape[1])
    kept = np.where(one == other, many[one], owner[one] != owner[other])
    one, other = one[kept], other[kept]
    order = np.argsort(one != other, kind="stable")[: 2 * TERMS]
    return flat[:, one[order]] * flat[:, other[order]]


def _distinct(terms: Floats, room: int) -> Floats:
    """Terms with a spread, centred and scaled."""
    spread = terms.std(axis=0)
    kept = np.flatnonzero(spread > 1e-9)[:room]
    return np.asarray((terms[:, kept] - terms[:, kept].mean(axis=0)) / spread[kept])


def _boosted(columns: Sequence[TwoSamples], response: TwoSamples, train: Masks, *, rich: bool) -> TwoSamples:
    """What boosted trees that learned from both windows say, in the response's spread; each window scales it anew."""
    seen = [np.hstack([one[side] for one in columns]) for side in (0, 1)]
    truth = np.concatenate([response[side][train[side]] for side in (0, 1)])
    middle, spread = float(truth.mean()), float(truth.std()) or 1.0
    model = regressor(**RICH if rich else {}).fit(np.vstack([seen[side][train[side]] for side in (0, 1)]), truth)
    found = [((model.predict(rows) - middle) / spread)[:, None] for rows in seen]
    return found[0], found[1]


def _rich_tell(columns: Sequence[TwoSamples], response: TwoSamples, halves: tuple[Masks, Masks]) -> bool:
    """Whether rich trees, shown some of the rows, miss less of others than the usual ones do."""
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
    """Whether a small tree, shown some of what a polynomial left over, tells of the rest."""
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
