"""Rows in proportion to their weight, so that what counts rows alike counts them by weight."""

import numpy as np
import pandas as pd

from rca.arrays import Floats, Places
from rca.tables.columns import as_numbers


def in_proportion(rows: pd.DataFrame, weight: str | None) -> pd.DataFrame:
    """A systematic sample of rows, each as likely as it weighs, as large as one can be in which no row comes twice.

    A mean over the sample estimates the weighted mean over all rows; its size is what the weights leave, so that tests
    and intervals of the sample are those of the weighted rows. Nothing is drawn: the same rows give the same sample.

    Parameters
    ----------
    rows : pandas.DataFrame
    weight : str or None
        Column of the weights; rows of none, or of one that is no positive number, do not count.

    Returns
    -------
    pandas.DataFrame
        The rows themselves where no column has weights, or all weigh the same.

    References
    ----------
    Madow (1949), Ann. Math. Stat. 20(3): systematic sampling with unequal probabilities.

    Examples
    --------
    >>> rows = pd.DataFrame({"a": range(6), "w": [1, 1, 1, 1, 2, 2]})
    >>> in_proportion(rows, "w")["a"].tolist()
    [1, 3, 4, 5]
    """
    if weight is None or weight not in rows:
        return rows
    weights = weights_of(rows, weight)
    return rows if len(set(weights.tolist())) == 1 else rows.iloc[_systematic(weights)].reset_index(drop=True)


def weights_of(rows: pd.DataFrame, weight: str) -> Floats:
    """Weights of rows, of shape (rows,): a row of none, or of a negative one, does not count."""
    weights = as_numbers(rows[weight])
    return np.where(np.isfinite(weights) & (weights >= 0), weights, 0.0)


def _systematic(weights: Floats) -> Places:
    """Positions, ascending: rows in whose stretch of the running sum one of the points at equal distances lies."""
    if not len(weights) or not weights.max() > 0:
        return np.zeros(0, dtype=np.intp)
    total = np.cumsum(weights / weights.max())
    count = int(total[-1])
    return np.asarray(np.searchsorted(total, (np.arange(count) + 0.5) * (total[-1] / count), side="right"))
