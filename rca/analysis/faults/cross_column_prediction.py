"""What the other columns of a row say of one: linear in ranks, and all columns from one matrix."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.arrays import Floats, Labels
from rca.tables.columns import as_labels, as_numbers, kind_of

MAX_ROWS = 20_000
"""Rows that relations are learned from."""

LEVELS = 6
"""Categories of a column that count, the commonest."""

RIDGE = 1e-3
"""Added to every variance, so that a column that repeats others does no harm."""


@dataclass(frozen=True, kw_only=True)
class CrossColumnModel:
    """Linear predictions of each numeric column from all others, learned on the reference.

    Attributes
    ----------
    scales : dict of str to ndarray
        Quantiles of each numeric column: its value counts as its rank among them.
    levels : dict of str to ndarray of object
        Categories of each other column.
    places : dict of str to int
        Where a numeric column stands in the design.
    weights : ndarray of shape (design, design)
        Column j: how the rest of the design predicts entry j.
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
        rows = reference.iloc[np.linspace(0, len(reference) - 1, min(len(reference), MAX_ROWS)).astype(int)]
        numeric = [name for name in columns if kind_of(rows[name], coded=name in codes) == "numeric"]
        scales = {name: _quantiles(as_numbers(rows[name])) for name in numeric}
        levels = {name: _common(rows[name]) for name in columns if name not in scales}
        empty = cls(scales=scales, levels=levels, places={}, weights=np.zeros((0, 0)), middle=np.zeros(0))
        seen = empty.design(rows)
        middle = seen.mean(axis=0) if len(seen) else np.zeros(seen.shape[1])
        spread = (
            np.cov(seen - middle, rowvar=False).reshape(seen.shape[1], -1) if len(seen) > 1 else np.eye(seen.shape[1])
        )
        precision = np.linalg.inv(spread + RIDGE * np.eye(len(spread)))
        weights = -precision / np.diag(precision)[None, :]
        np.fill_diagonal(weights, 0.0)
        places = {name: i for i, name in enumerate(scales)}
        return cls(scales=scales, levels=levels, places=places, weights=weights, middle=middle)

    def design(self, rows: pd.DataFrame) -> Floats:
        """Rows as ranks between -1 and 1, a missing one in the middle, and categories as zeros and ones."""
        ranks = [_rank(as_numbers(rows[name]), scale) for name, scale in self.scales.items()]
        names = [as_labels(rows[name]) == level for name, levels in self.levels.items() for level in levels]
        return np.column_stack([*ranks, *names, np.zeros(len(rows))]).astype(float)

    def says(self, name: str, seen: Floats) -> tuple[Floats, Floats]:
        """Of each row of a design, the rank that the others predict for a column, and the one it has: (rows,) each."""
        at = self.places[name]
        return (seen - self.middle) @ self.weights[:, at], seen[:, at] - self.middle[at]

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


def _quantiles(values: Floats) -> Floats:
    known = values[np.isfinite(values)]
    return np.quantile(known, np.linspace(0, 1, 201), method="lower") if len(known) else np.zeros(1)


def _rank(values: Floats, scale: Floats) -> Floats:
    """Mid-rank among the quantiles, from -1 to 1."""
    low, high = (np.searchsorted(scale, values, side=side) for side in ("left", "right"))
    return np.asarray(np.where(np.isfinite(values), (low + high) / len(scale) - 1, 0.0))


def _common(values: "pd.Series[Any]") -> Labels:
    return np.asarray(pd.Series(as_labels(values)).value_counts().index[:LEVELS], dtype=object)


def correlation(one: Floats, other: Floats) -> float:
    """Of two series; 0 where one of them does not vary.

    >>> correlation(np.array([1.0, 2.0, 3.0]), np.array([5.0, 5.0, 5.0]))
    0.0
    """
    if one.std() < 1e-9 or other.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
