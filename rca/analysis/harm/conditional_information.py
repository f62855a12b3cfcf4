"""Conditional predictive information of a column on the label: loss saved by knowing it, given the other features.

A leave-one-covariate-out (LOCO) importance, by cross-fitted models that are fitted anew, not by the model on file.
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rca.arrays import Floats
from rca.methods.boosted_trees import regressor
from rca.tables.columns import as_labels, as_numbers, for_trees, kind_of, without_infinities

MAX_ROWS = 8000
"""Most rows of each window that models are fitted on."""

FOLDS = 3
"""Cross-fitting folds."""

CRITICAL = 1.645
"""Critical value of the one-sided test at 5 %, in standard errors."""


def tells_less(
    reference: pd.DataFrame, current: pd.DataFrame, column: str, *, label: str, among: Sequence[str]
) -> bool:
    """One-sided z-test of whether a column's conditional information on the label fell between the windows.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    column, label : str
    among : sequence of str
        The features, `column` among them.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before = pd.DataFrame({"x": rng.normal(size=600), "z": rng.normal(size=600)})
    >>> before["y"] = before["x"] + rng.normal(size=600)
    >>> tells_less(before, before.assign(x=0.0), "x", label="y", among=["x", "z"])
    True
    """
    (before, before_error), (after, after_error) = (
        information(rows, column, label=label, among=among) for rows in (reference, current)
    )
    return before - after > CRITICAL * float(np.hypot(before_error, after_error))


def information(
    rows: pd.DataFrame, column: str | Collection[str], *, label: str, among: Sequence[str]
) -> tuple[float, float]:
    """Leave-one-covariate-out (LOCO) importance of a column, or of some together, and its standard error.

    Returns
    -------
    saved, error : float
        Mean squared error of the label, in units of its variance; rows without a label are left out. Below two rows
        a fold nothing is known: (0, inf).
    """
    rows = rows[rows[label].notna()]
    if len(rows) < 2 * FOLDS:
        return 0.0, np.inf
    rows = rows.iloc[np.linspace(0, len(rows) - 1, min(len(rows), MAX_ROWS)).astype(int)]
    truth = _numbers(rows[label])
    spread = float(truth.var()) or 1.0
    seen = {name: _numbers(rows[name]) for name in among}
    left_out = {column} if isinstance(column, str) else set(column)
    others = [seen[name] for name in among if name not in left_out] or [np.zeros(len(rows))]
    without = _losses(np.column_stack(others), truth)
    saved = (without - _losses(np.column_stack(list(seen.values())), truth)) / spread
    return float(saved.mean()), float(saved.std() / np.sqrt(len(saved)))


def _numbers(values: "pd.Series[Any]") -> Floats:
    if kind_of(values) == "numeric":
        return without_infinities(as_numbers(values))
    return np.asarray(pd.factorize(as_labels(values), sort=True)[0], dtype=float)


def _losses(seen: Floats, truth: Floats) -> Floats:
    """Cross-fitted squared error of each row."""
    fold = np.random.default_rng(0).permutation(len(truth)) % FOLDS
    losses = np.zeros(len(truth))
    for held in range(FOLDS):
        model = regressor().fit(for_trees(seen[fold != held]), truth[fold != held])
        losses[fold == held] = (truth[fold == held] - model.predict(seen[fold == held])) ** 2
    return losses
