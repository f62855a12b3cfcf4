"""Ratios multiply: the metric had some mechanisms been those of the current window, by weighting reference rows.

With ``r_i(row)`` the density ratio of mechanism i, current over reference, the reference rows weighted by the product of
the ratios in a coalition give the metric under that coalition. One matrix of ratios and one vector of per-row parts
give every coalition, its Shapley values, and their standard errors from influence functions.

References
----------
.. [1] Zhang, H. et al. (2023). "Why did the Model Fail?": attributing model performance changes to distribution shifts.
   ICML, section 4, eqs. (5) and (6).
.. [2] Cai, Namkoong & Yadlowsky (2026?). Diagnosing model performance under distribution shift (DISDE): ratios from a
   cross-fitted domain classifier.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.attribution import shapley_matrix
from rca.analysis.cells import cells
from rca.analysis.drift import as_labels, as_numbers, benjamini_hochberg, chi_square, kind_of
from rca.analysis.metric import Parts

Floats = npt.NDArray[np.float64]

FOLDS = 2
"""Parts of the rows; the classifier that weighs a row has not seen it."""

LARGEST = 20.0
"""Ratios are cut here: a row that counts for more than twenty is a guess."""

ENOUGH = 100.0
"""Effective rows below which a weighted metric is not identifiable."""


@dataclass(frozen=True, kw_only=True)
class Division:
    """The metric's change divided among mechanisms.

    Attributes
    ----------
    names : tuple of str
    contributions, errors : ndarray of shape (names,)
        Shapley value in the metric's unit, and its standard error given the ratios.
    n_effective : ndarray of shape (names,)
        Kish's effective sample size of the reference under each mechanism's own ratio.
    total : float
        Change that the ratios account for; what is left of the metric's change they do not explain.
    """

    names: tuple[str, ...]
    contributions: Floats
    errors: Floats
    n_effective: Floats
    total: float


def divide(parts: Parts, ratios: Mapping[str, Floats]) -> Division:
    """Divide the metric's change among mechanisms by the ratios of their densities.

    Parameters
    ----------
    parts : Parts
        Of the reference rows.
    ratios : mapping of str to ndarray of shape (rows,)
        Current over reference density of each mechanism, at the reference rows.

    References
    ----------
    Zhang et al. (2023), eqs. (5) and (6).
    """
    names = tuple(ratios)
    weights = np.ones((1, len(parts)))
    for name in names:
        weights = np.vstack([weights, weights * ratios[name]])
    weights *= len(parts) / np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    values = np.array([parts.value(row) for row in weights])
    influence = np.array([parts.influence(row) for row in weights])
    matrix = shapley_matrix(len(names))
    return Division(
        names=names,
        contributions=matrix @ values,
        errors=np.sqrt(((matrix @ influence) ** 2).sum(axis=1)),
        n_effective=np.array([effective(ratios[name]) for name in names]),
        total=float(values[-1] - values[0]),
    )


def effective(weights: Floats) -> float:
    """Kish's effective sample size of weighted rows.

    >>> effective(np.ones(100)), effective(np.array([1.0, 0.0]))
    (100.0, 1.0)
    """
    return float(weights.sum() ** 2 / max(float((weights**2).sum()), np.finfo(float).tiny))


def back_to_reference(reference: "pd.Series[Any]", current: "pd.Series[Any]", *, coded: bool = False) -> Floats:
    """Weights under which the current rows have the reference's distribution of one column.

    Returns
    -------
    ndarray of shape (current rows,)
        Mean 1; by counting over cells.
    """
    laid = cells(reference, current, coded=coded)
    weights = np.minimum(np.exp(-laid.log_ratio()), LARGEST)[laid.current]
    return np.asarray(weights / weights.mean())


def chain_ratios(
    reference: pd.DataFrame, current: pd.DataFrame, chain: Mapping[str, Sequence[str]], *, rng: np.random.Generator
) -> dict[str, Floats]:
    """Ratio of each link of a chain given the links before it, at the reference rows.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    chain : mapping of str to sequence of str
        Name of a link → its columns; in order, say features, then score, then label.
    rng : numpy.random.Generator
        Draws the folds.
    """
    folds = [rng.permutation(len(window)) % FOLDS for window in (reference, current)]
    seen: list[str] = []
    before = np.zeros(len(reference))
    ratios = {}
    for name, columns in chain.items():
        seen += columns
        log_odds = _log_odds(reference[seen], current[seen], folds) if seen else before
        ratios[name] = np.clip(np.exp(log_odds - before), 1 / LARGEST, LARGEST)
        before = log_odds
    return ratios


def _log_odds(reference: pd.DataFrame, current: pd.DataFrame, folds: Sequence[npt.NDArray[np.int64]]) -> Floats:
    """Log of current over reference density at the reference rows, by a cross-fitted classifier of the window."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    seen = [np.column_stack([_encoded(reference[name], current[name])[side] for name in reference]) for side in (0, 1)]
    odds = np.zeros(len(reference))
    for fold in range(FOLDS):
        rows = [window[part != fold] for window, part in zip(seen, folds, strict=True)]
        model = HistGradientBoostingClassifier(
            max_iter=80, max_leaf_nodes=15, learning_rate=0.08, l2_regularization=5.0, random_state=0, early_stopping=False
        )
        model.fit(np.vstack(rows), np.repeat([0, 1], [len(rows[0]), len(rows[1])]))
        held = folds[0] == fold
        odds[held] = model.decision_function(seen[0][held]) - np.log(len(rows[1]) / len(rows[0]))
    return odds


def _encoded(reference: "pd.Series[Any]", current: "pd.Series[Any]") -> tuple[Floats, Floats]:
    """A column of both windows as numbers: categories by the order of their pooled frequency."""
    if kind_of(reference) == kind_of(current) == "numeric":
        first, second = as_numbers(reference), as_numbers(current)
        return np.where(np.isinf(first), np.nan, first), np.where(np.isinf(second), np.nan, second)
    both = pd.Series(np.concatenate([as_labels(reference), as_labels(current)]))
    rank = {value: i for i, value in enumerate(both.value_counts(sort=True).index)}
    codes = both.map(rank).to_numpy(float)
    return codes[: len(reference)], codes[len(reference) :]


@dataclass(frozen=True, kw_only=True)
class Mechanism:
    """How one node of a graph follows its parents, compared between the windows.

    Attributes
    ----------
    node : str
    parents : tuple of str
    p_value, q_value : float
        Of no change of P(node given parents): chi-square tests within each setting of the parents, added up.
    ratio : ndarray of shape (reference rows,)
        Current over reference P(node given parents).
    """

    node: str
    parents: tuple[str, ...]
    p_value: float
    q_value: float
    ratio: Floats


def mechanisms(
    reference: pd.DataFrame, current: pd.DataFrame, parents: Mapping[str, Sequence[str]], *, categorical: Sequence[str] = ()
) -> list[Mechanism]:
    """Compare every node's mechanism between the windows by counting over cells.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    parents : mapping of str to sequence of str
        Node → its direct causes, all of them columns.
    categorical : sequence of str
        Numeric columns that are codes.

    Returns
    -------
    list of Mechanism
        In the order of `parents`; q-values by Benjamini-Hochberg over all of them.
    """
    laid = {name: cells(reference[name], current[name], coded=name in categorical) for name in parents}
    found = []
    for node, causes in parents.items():
        settings = _settings([(laid[name].reference, laid[name].current) for name in causes], len(reference), len(current))
        found.append(_compare(laid[node].reference, laid[node].current, settings))
    q_values = benjamini_hochberg([p for p, _ in found])
    return [
        Mechanism(node=node, parents=tuple(parents[node]), p_value=p, q_value=q, ratio=ratio)
        for node, (p, ratio), q in zip(parents, found, q_values, strict=True)
    ]


def _settings(codes: Sequence[tuple[Any, Any]], n: int, m: int) -> tuple[Any, Any]:
    """One code for each joint setting of some columns."""
    joint = np.zeros(n + m, dtype=np.intp)
    for before, after in codes:
        both = np.concatenate([before, after])
        joint = np.unique(joint * (both.max() + 1) + both, return_inverse=True)[1]
    return joint[:n], joint[n:]


def _compare(before: Any, after: Any, settings: tuple[Any, Any]) -> tuple[float, Floats]:
    """p-value of no change of a node given its parents' setting, and the ratio at the reference rows."""
    from scipy.stats import chi2

    width, depth = int(max(before.max(), after.max())) + 1, int(max(s.max() for s in settings)) + 1
    counts = np.zeros((2, depth, width))
    np.add.at(counts[0], (settings[0], before), 1)
    np.add.at(counts[1], (settings[1], after), 1)
    statistic, freedom = 0.0, 0
    for setting in np.flatnonzero((counts.sum(axis=2) >= 5).all(axis=0)):
        table = _frequent(counts[:, setting])
        if table.shape[1] > 1:
            statistic += chi_square(table)[0]
            freedom += table.shape[1] - 1
    smooth = counts + counts.sum(axis=(0, 1)) / counts.sum()  # one pseudo-row a setting, spread as the node's margin
    conditional = smooth / smooth.sum(axis=2, keepdims=True)
    known = (counts.sum(axis=2) > 0).all(axis=0)
    ratio = np.where(known[settings[0]], (conditional[1] / conditional[0])[settings[0], before], 1.0)
    return float(chi2.sf(statistic, freedom)) if freedom else 1.0, np.clip(ratio, 1 / LARGEST, LARGEST)


def _frequent(table: Floats) -> npt.NDArray[np.int64]:
    """A two-row table with its sparse columns added up."""
    sparse = table.sum(axis=0) < 10
    rest = table[:, sparse].sum(axis=1, keepdims=True)
    kept = np.hstack([table[:, ~sparse], rest]) if rest.sum() else table[:, ~sparse]
    return kept.astype(np.int64)
