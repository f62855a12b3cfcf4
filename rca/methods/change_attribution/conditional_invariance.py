"""Tests of conditional invariance, that P(node given parents) is the same in both windows, whatever the parents do.

Where the node and its parents have few values: chi-square tests stratified by the parents' values. Else the
generalised covariance measure (GCM): residuals of the node on its parents times residuals of the window on the parents,
which have mean zero if the mechanism is unchanged, with Hotelling's T-squared test for several products at once.

References
----------
.. [1] Shah, R. D. & Peters, J. (2020). The hardness of conditional independence testing and the generalised covariance
   measure. Annals of Statistics 48(3), eq. (3).
.. [2] Scheidegger, C., Hörrmann, J. & Bühlmann, P. (2022). The weighted generalised covariance measure. JMLR 23,
   section 3: products weighted by what the parents say, so that a slope that changed shows too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.arrays import Floats
from rca.methods.change_attribution.density_ratio import mechanisms
from rca.methods.regression_basis import Masks, Terms, TwoSamples, chosen, lines, polynomial, terms_of
from rca.tables.columns import as_labels

FOLDS = 4
"""Cross-fitting folds."""

FEW = 12
"""Most distinct values of a column for the chi-square test."""

SETTINGS_ROWS = 20
"""Fewest rows of the smaller window, on average, in a stratum (setting of the parents) for the chi-square test."""

ROWS_A_PRODUCT = 50
"""Fewest rows of the smaller window for each residual product."""

MOST = 24
"""Most residual products that are tested together."""

RECKONED = 1e-6
"""Tolerance, in standard deviations, within which a node is a deterministic function of its parents."""

TINY = 1e-300
"""Keeps a parent that never varies from dividing by zero."""

QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Quantiles at which a root's distribution is compared; a node with parents is compared by mean, spread and slopes."""


def unchanged(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    parents: Mapping[str, Sequence[str]],
    *,
    categorical: Sequence[str] = (),
    rng: np.random.Generator,
) -> dict[str, float]:
    """p-value of conditional invariance of each node: P(node given parents) is the same in both windows.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    parents : mapping of str to sequence of str
        Node → its direct causes, all of them columns.
    categorical : sequence of str
        Numeric columns that are codes.
    rng : numpy.random.Generator
        Draws the folds.

    Returns
    -------
    dict of str to float
        By chi-square over the settings of the parents where all have few values; else by the generalised covariance
        measure, which sees a change of the mean, the spread about it and the slopes (of a root: of any quantile). 1
        for a node that is the same function of its parents in both windows.

    References
    ----------
    Shah & Peters (2020), eq. (3); Scheidegger et al. (2022), section 3; Hotelling (1931) for several products at once.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before, after = (pd.DataFrame({"x": rng.normal(shift, 1, 800)}) for shift in (0, 1))
    >>> before, after = (rows.assign(y=rows["x"] + rng.normal(0, 1, 800)) for rows in (before, after))
    >>> found = unchanged(before, after, {"x": [], "y": ["x"]}, rng=rng)
    >>> found["x"] < 1e-9, found["y"] > 0.05
    (True, True)
    """
    named = sorted({*parents, *(cause for causes in parents.values() for cause in causes)})
    few = {name for name in named if _few(reference[name], current[name])}
    folds = rng.permutation(len(reference)) % FOLDS, rng.permutation(len(current)) % FOLDS
    laid = {name: lines(reference[name], current[name], coded=name in categorical) for name in named}
    found = {}
    for node, causes in parents.items():
        if {node, *causes} <= few and _countable(reference, current, causes):
            counted = mechanisms(
                reference, current, {node: causes, **dict.fromkeys(causes, ())}, categorical=sorted(few)
            )
            found[node] = counted[0].p_value
        elif causes and _is_reckoned(pd.concat([reference, current])[[node, *causes]]):
            found[node] = 1.0
        else:
            told = laid[node] if causes else _told_of(laid[node])
            found[node] = _by_products(told, [laid[one] for one in causes], folds)
    return found


def _few(reference: "pd.Series[Any]", current: "pd.Series[Any]") -> bool:
    """Whether a column has at most `FEW` values."""
    if any(pd.api.types.is_float_dtype(one) and one.nunique() > FEW for one in (reference, current)):
        return False  # and labels need not be spelled
    return len({*pd.unique(pd.Series(as_labels(reference))), *pd.unique(pd.Series(as_labels(current)))}) <= FEW


def _countable(reference: pd.DataFrame, current: pd.DataFrame, causes: Sequence[str]) -> bool:
    settings = np.prod([reference[one].nunique(dropna=False) for one in causes], dtype=float)
    return bool(min(len(reference), len(current)) >= SETTINGS_ROWS * settings)


def _is_reckoned(both: pd.DataFrame) -> bool:
    """Whether the first column is, in every row, one quadratic polynomial of the others (deterministic node)."""
    if not all(pd.api.types.is_numeric_dtype(dtype) for dtype in both.dtypes):
        return False
    sure = np.asarray(both, dtype=float)
    sure = sure[np.isfinite(sure).all(axis=1)]
    y, x = sure[:, 0], sure[:, 1:]
    if len(sure) < len(both) or len(both.T) > MOST or not y.std() or not np.isfinite(y.std() * x.std(axis=0)).all():
        return False
    x = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), TINY)
    one, other = np.triu_indices(x.shape[1])
    terms = np.column_stack([np.ones(len(x)), x, x[:, one] * x[:, other]])
    some = np.unique(np.linspace(0, len(x) - 1, 4 * terms.shape[1]).astype(int))  # a fit of few rows that holds for all
    learned = np.linalg.lstsq(terms[some], y[some])[0]
    return bool(np.abs(y - terms @ learned).max() <= RECKONED * y.std())


def _told_of(node: TwoSamples) -> TwoSamples:
    """Statistics of a root: its linear terms and squares, and indicators of being below pooled quantiles."""
    terms = polynomial([node], node, room=node[0].shape[1])
    told = terms.reference[:, 1:], terms.current[:, 1:]
    if node[0].shape[1] and len(np.unique(node[0][:, 0])) > FEW:
        at = np.unique(np.quantile(np.concatenate([node[0][:, 0], node[1][:, 0]]), QUANTILES))
        told = np.hstack([told[0], node[0][:, :1] <= at]), np.hstack([told[1], node[1][:, :1] <= at])
    return told


def _by_products(node: TwoSamples, causes: Sequence[TwoSamples], folds: tuple[npt.NDArray[np.intp], ...]) -> float:
    """p-value of the generalised covariance measure: residuals of the node times residuals of the window."""
    if not node[0].shape[1]:
        return 1.0
    spreads = [k for k, line in enumerate(np.vstack(node).T) if causes and len(np.unique(line)) > 2]
    left, surprise = np.zeros((sum(map(len, node)), node[0].shape[1] + len(spreads))), np.zeros(sum(map(len, node)))
    learner = None
    for fold in range(FOLDS):
        train = folds[0] != fold, folds[1] != fold
        held = np.concatenate([~train[0], ~train[1]])
        response = node[0][:, 0], node[1][:, 0]
        learner = learner or chosen(causes, response, train)
        terms = terms_of(causes, response, train, learner=learner)
        left[held] = _left_with_spread(terms, node, train, spreads=spreads)[held]
        surprise[held] = _surprise(terms, train)[held]
    weights = [np.ones((len(left), 1)), *(np.vstack(one) for one in causes)]
    room = min(MOST, min(map(len, node)) // ROWS_A_PRODUCT)
    return mean_is_zero(_products(left, np.hstack(weights), room) * surprise[:, None])


def _left_with_spread(terms: Terms, node: TwoSamples, train: Masks, *, spreads: Sequence[int]) -> Floats:
    """Residuals of a node given its parents, and of the squared residuals, which show a change of variance."""
    left = _left(terms, node, train)
    squares = np.square(left[:, spreads])
    return np.hstack([left, _left(terms, (squares[: len(node[0])], squares[len(node[0]) :]), train)])


def _left(terms: Terms, node: TwoSamples, train: Masks) -> Floats:
    """Residuals of a node given its parents, by a regression on both windows together."""
    x, y = (np.vstack([window[mask] for window, mask in zip(of, train, strict=True)]) for of in (terms.windows, node))
    learned = np.linalg.solve(*terms.normal(x, y))
    return np.asarray(np.vstack(node) - np.vstack(terms.windows) @ learned)


def _surprise(terms: Terms, train: Masks) -> Floats:
    """Residual of the window indicator: 0 or 1, less its propensity score given the parents."""
    from sklearn.linear_model import LogisticRegression

    window = np.repeat([0.0, 1.0], [len(rows) for rows in terms.windows])
    both, shown = np.vstack(terms.windows)[:, 1:], np.concatenate(train)
    if not both.shape[1]:
        return np.asarray(window - window[shown].mean())
    model = LogisticRegression(solver="newton-cholesky").fit(both[shown], window[shown])
    return np.asarray(window - model.predict_proba(both)[:, 1])


def _products(left: Floats, weights: Floats, room: int) -> Floats:
    """Residuals of the node times each weight, the unweighted first, as many as there is room for."""
    pairs = [(left * weights[:, [k]])[:, : max(room - k * left.shape[1], 0)] for k in range(weights.shape[1])]
    return np.hstack(pairs)


def mean_is_zero(products: Floats) -> float:
    """Hotelling's T-squared test that the mean vector is zero, within the span of the non-degenerate directions."""
    from scipy.stats import f as f_distribution

    kept = products[:, products.std(axis=0) > 1e-9]
    if not kept.shape[1]:
        return 1.0
    kept = kept / kept.std(axis=0)
    sizes, axes = np.linalg.eigh(np.cov(kept.T, ddof=1).reshape(kept.shape[1], -1))
    seen = sizes > 1e-6 * sizes.max()
    means, (n, d) = axes[:, seen].T @ kept.mean(axis=0), (len(kept), int(seen.sum()))
    statistic = float(n * (means**2 / sizes[seen]).sum())
    return float(f_distribution.sf(statistic * (n - d) / (d * (n - 1)), d, n - d)) if n > d else 1.0
