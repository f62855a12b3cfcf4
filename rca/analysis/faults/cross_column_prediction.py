"""What the other columns of a row say of one: linear in ranks, cross-fitted, and all columns from one matrix a fold.

A relation judged on the rows that taught it looks closer than it is: of many columns of noise each goes with some
others by chance. So both windows are cut into the same folds of consecutive rows, and each row of either is judged by
the one model that did not see that fold of the reference: what is left of a relation is then comparable between them.

References
----------
Stone (1974), J. R. Stat. Soc. B 36(2), section 3: cross-validatory assessment.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from rca.arrays import Floats, Labels
from rca.tables.columns import as_labels, as_numbers, kind_of

MAX_ROWS = 20_000
"""Rows that relations are learned from."""

LEVELS = 6
"""Categories of a column that count, the commonest."""

FOLDS = 5
"""Parts of the reference, each judged by a model of the others."""

BLOCKS = 20
"""Parts of consecutive rows over which the error of a correlation is taken, as rows resemble those before them."""

NO_MORE = 0.01
"""Product of two autocorrelations from which a row is taken to go on no more."""

RIDGE = 1e-3
"""Added to every variance, so that a column that repeats others does no harm."""


@dataclass(frozen=True, kw_only=True)
class CrossColumnModel:
    """Linear predictions of each numeric column from all others, cross-fitted on the reference.

    Attributes
    ----------
    scales : dict of str to ndarray
        Quantiles of each numeric column: its value counts as its rank among them.
    levels : dict of str to ndarray of object
        Categories of each other column.
    places : dict of str to int
        Where a numeric column stands in the design.
    weights : ndarray of shape (FOLDS, design, numeric columns)
        Of each fold, from the rows outside of it: how the rest of the design predicts the column that stands there.
    middle : ndarray of shape (design,)
    """

    scales: dict[str, Floats]
    levels: dict[str, Labels]
    places: dict[str, int]
    weights: Floats
    middle: Floats

    @classmethod
    def fit(cls, reference: pd.DataFrame, columns: Sequence[str], *, codes: Collection[str] = ()) -> "CrossColumnModel":
        """Learn how columns go together."""
        at = np.linspace(0, len(reference) - 1, min(len(reference), MAX_ROWS)).astype(int)
        rows = reference.iloc[at]
        numeric = [name for name in columns if kind_of(rows[name], coded=name in codes) == "numeric"]
        scales = {name: _quantiles(as_numbers(rows[name])) for name in numeric}
        levels = {name: _common(rows[name]) for name in columns if name not in scales}
        empty = cls(scales=scales, levels=levels, places={}, weights=np.zeros((FOLDS, 0, 0)), middle=np.zeros(0))
        seen = empty.design(rows)
        middle = seen.mean(axis=0) if len(seen) else np.zeros(seen.shape[1])
        folds = np.split(seen - middle, np.searchsorted(at, _cuts(len(reference))))
        places = {name: i for i, name in enumerate(scales)}
        return replace(empty, places=places, weights=_cross_fitted(folds, len(places)), middle=middle)

    def design(self, rows: pd.DataFrame) -> Floats:
        """Rows as ranks between -1 and 1, a missing one in the middle, and categories as zeros and ones."""
        ranks = [_rank(as_numbers(rows[name]), scale) for name, scale in self.scales.items()]
        names = [as_labels(rows[name]) == level for name, levels in self.levels.items() for level in levels]
        return np.column_stack([*ranks, *names, np.zeros(len(rows))]).astype(float)

    def says(self, name: str, seen: Floats) -> tuple[Floats, Floats]:
        """Of each row of a window's design, the rank that the others predict for a column, and the one it has.

        Parameters
        ----------
        name : str
        seen : ndarray of shape (rows, design)
            Of a whole window, as folds are told by position.

        Returns
        -------
        said, has : ndarray of shape (rows,)
        """
        at, centred = self.places[name], seen - self.middle
        folds = zip(np.split(centred, _cuts(len(seen))), self.weights, strict=True)
        return np.concatenate([rows @ weights[:, at] for rows, weights in folds]), centred[:, at]

    def ranks(self, name: str, values: Floats) -> Floats:
        """Values of a numeric column as the design has them."""
        return _rank(values, self.scales[name])


@dataclass(frozen=True, kw_only=True)
class Late:
    """What a column that lags is looked for with.

    Attributes
    ----------
    reference, current : pandas.DataFrame
        The current rows in time order.
    time, entity : str or None
        Columns of the time, and of what readings are of.
    witness : CrossColumnModel
    seen : (ndarray, ndarray)
        Its design of both windows.
    """

    reference: pd.DataFrame
    current: pd.DataFrame
    time: str | None
    entity: str | None
    witness: CrossColumnModel
    seen: tuple[Floats, Floats]


def _cuts(rows: int) -> list[int]:
    """Where folds of consecutive rows end, but for the last."""
    return [rows * fold // FOLDS for fold in range(1, FOLDS)]


def _cross_fitted(folds: Sequence[Floats], wanted: int) -> Floats:
    """Of each fold, the regression of the first entries of a design on all others, in the rows of the other folds."""
    squares = [rows.T @ rows for rows in folds]
    rows, total = sum(map(len, folds)), sum(squares)
    weights = [
        _regression((total - square) / max(rows - len(fold) - 1, 1), wanted)
        for fold, square in zip(folds, squares, strict=True)
    ]
    return np.stack(weights)


def _regression(spread: Floats, wanted: int) -> Floats:
    precision = np.linalg.inv(spread + RIDGE * np.eye(len(spread)))
    weights = -precision[:, :wanted] / np.diag(precision)[:wanted]
    np.fill_diagonal(weights, 0.0)
    return np.asarray(weights)


def _quantiles(values: Floats) -> Floats:
    known = values[np.isfinite(values)]
    return np.quantile(known, np.linspace(0, 1, 201), method="lower") if len(known) else np.zeros(1)


def _rank(values: Floats, scale: Floats) -> Floats:
    """Mid-rank among the quantiles, from -1 to 1."""
    low, high = (np.searchsorted(scale, values, side=side) for side in ("left", "right"))
    return np.asarray(np.where(np.isfinite(values), (low + high) / len(scale) - 1, 0.0))


def _common(values: "pd.Series[Any]") -> Labels:
    return np.asarray(pd.Series(as_labels(values)).value_counts().index[:LEVELS], dtype=object)


def relation(said: Floats, has: Floats) -> tuple[float, float]:
    """Correlation of two series of rows, and its standard error over blocks of consecutive rows.

    Parameters
    ----------
    said, has : ndarray of shape (rows,)

    Returns
    -------
    correlation, error : float
        0 and infinity where one of them does not vary, or there are too few rows to say.

    References
    ----------
    Davison & Hinkley (1997), Bootstrap Methods, section 2.7 (influence of a row on a correlation) and 8.2 (blocks).

    Examples
    --------
    >>> relation(np.arange(100.0), np.ones(100))
    (0.0, inf)
    """
    if len(said) < 2 * BLOCKS or min(said.std(), has.std()) < 1e-9:
        return 0.0, np.inf
    one, other = ((values - values.mean()) / values.std() for values in (said, has))
    found = float((one * other).mean())
    influence = one * other - found * (one**2 + other**2) / 2
    means = [part.mean() for part in np.array_split(influence, BLOCKS)]
    goes_on = (1 - found**2) * np.sqrt(_rows_a_row(one, other) / len(said))
    return found, float(max(np.std(means, ddof=1) / np.sqrt(BLOCKS), goes_on))


def effective_rows(values: Floats) -> float:
    """Rows of a series that say as much as all of its rows do: all, if none resembles the one before or most of them.

    Of a flag, no more than twice those that do not hold the commonest value.

    >>> effective_rows(np.repeat([0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0], 5)) < 20
    True
    """
    commonest = int(np.unique(values, return_counts=True)[1].max())
    return min(len(values) / _rows_a_row(values, values), 2.0 * (len(values) - commonest))


def _rows_a_row(one: Floats, other: Floats) -> float:
    """How many rows say as much of a correlation as one that no row before resembles.

    References
    ----------
    Bartlett (1935), J. R. Stat. Soc. 98(3): the sum of products of autocorrelations; up to the first that is none,
    as in Geyer (1992), Stat. Sci. 7(4), section 3.3.
    """
    from scipy.signal import fftconvolve

    both = []
    for values in (one, other):
        apart = values - values.mean()
        lagged = fftconvolve(apart, apart[::-1])[len(values) - 1 :]
        both.append(lagged / max(lagged[0], 1e-9))
    products = both[0] * both[1] * ((both[0] > 0) & (both[1] > 0))
    return float(2 * products[: np.argmax(products < NO_MORE)].sum() - 1)
