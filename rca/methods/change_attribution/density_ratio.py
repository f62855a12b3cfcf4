"""Change attribution by importance weighting: density ratios of mechanisms, and Shapley values over coalitions.

With ``r_i(row)`` the density ratio of mechanism i, current over reference, reference rows weighted by the product of a
coalition's ratios estimate the metric with only its mechanisms changed. So do current rows weighted by one over the
ratios of the others. One mechanism, the last, needs no ratio: coalitions without it use the reference, coalitions with
it the current window. So the empty and the full coalition are exact, and the parts add up to the change. Ratios come
from a cross-fitted classifier of the window (probabilistic classification), or from counts over discretised columns.

References
----------
.. [1] Zhang, H., Singh, H., Ghassemi, M. & Joshi, S. (2023). "Why did the Model Fail?": attributing model performance
   changes to distribution shifts. ICML, section 4.
.. [2] Cai, T. T., Namkoong, H. & Yadlowsky, S. Diagnosing model performance under distribution shift. Operations
   Research: ratios from a cross-fitted domain classifier.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.arrays import Counts, Floats, Places
from rca.methods.boosted_trees import classifier
from rca.methods.metric import Parts
from rca.methods.shapley import shapley_matrix
from rca.methods.two_sample_tests import RAREST, benjamini_hochberg, chi_square
from rca.tables.columns import as_labels, as_numbers, for_trees, kind_of, without_infinities
from rca.tables.discretisation import discretise

FOLDS = 2
"""Cross-fitting folds of the classifier."""

MAX_RATIO = 20.0
"""Density ratios are clipped to between one over this and this."""

MIN_ROWS = 5
"""Rows of each window below which a setting of the parents is not tested."""

ENOUGH = 100.0
"""Kish's effective sample size below which a weighted metric is not identifiable (no overlap)."""


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """Density ratio of one mechanism, current over reference, at the rows of each window.

    Attributes
    ----------
    reference, current : ndarray of shape (rows,)
    """

    reference: Floats
    current: Floats

    def take(self, reference: Places, current: Places) -> "Ratio":
        """The ratio at some of the rows."""
        return Ratio(reference=self.reference[reference], current=self.current[current])


@dataclass(frozen=True, kw_only=True)
class Division:
    """Shapley values of mechanisms in the metric's change, with standard errors and effective sample sizes.

    Attributes
    ----------
    names : tuple of str
        The mechanisms with a ratio, then the last.
    contributions, errors : ndarray of shape (names,)
        Shapley value in the metric's unit, and its standard error given the ratios. They add up to the metric's change.
    n_effective : ndarray of shape (names,)
        Kish's effective sample size under each mechanism's own ratio, in the window that resembles the other more.
    """

    names: tuple[str, ...]
    contributions: Floats
    errors: Floats
    n_effective: Floats


def divide(before: Parts, after: Parts, ratios: Mapping[str, Ratio], *, last: str) -> Division:
    """Attribute the metric's change to mechanisms: Shapley values of importance-weighted coalitions.

    Parameters
    ----------
    before, after : Parts
        Of the reference and of the current rows.
    ratios : mapping of str to Ratio
        One for each mechanism but the last.
    last : str
        The mechanism that needs no ratio.

    Returns
    -------
    Division
        Its contributions add up to ``after.value() - before.value()``.

    References
    ----------
    Zhang et al. (2023), section 4, with both windows used.

    Examples
    --------
    >>> from rca.methods.metric import Parts
    >>> before, after = (Parts(numerator=np.full((4, 1), x), denominator=np.ones((4, 1))) for x in (0.0, 1.0))
    >>> even = Ratio(reference=np.ones(4), current=np.ones(4))
    >>> divide(before, after, {"inputs": even}, last="label").contributions.tolist()
    [0.0, 1.0]
    """
    names = (*ratios, last)
    without = _weights([ratio.reference for ratio in ratios.values()], len(before))
    joined = _weights([1 / ratio.current for ratio in ratios.values()], len(after))[::-1]
    values = np.array([*(before.value(row) for row in without), *(after.value(row) for row in joined)])
    matrix = shapley_matrix(len(names))
    half = 2 ** len(ratios)
    spread = [
        matrix[:, :half] @ np.array([before.influence(row) for row in without]),
        matrix[:, half:] @ np.array([after.influence(row) for row in joined]),
    ]
    own = [max(effective(ratio.reference), effective(1 / ratio.current)) for ratio in ratios.values()]
    return Division(
        names=names,
        contributions=matrix @ values,
        errors=np.sqrt(sum((side**2).sum(axis=1) for side in spread)),
        n_effective=np.array([*own, float(min(len(before), len(after)))]),
    )


def _weights(ratios: Sequence[Floats], rows: int) -> Floats:
    """Importance weights of every coalition, in the order of their bits; each row is normalised to mean 1."""
    weights = np.ones((1, rows))
    for ratio in ratios:
        weights = np.vstack([weights, weights * ratio])
    return np.asarray(weights / weights.mean(axis=1, keepdims=True))


def effective(weights: Floats) -> float:
    """Kish's effective sample size (ESS) of weighted rows: ``sum(w) ** 2 / sum(w ** 2)``.

    References
    ----------
    Kish (1965), Survey Sampling, section 11.7.

    Examples
    --------
    >>> effective(np.ones(100)), effective(np.array([1.0, 0.0]))
    (100.0, 1.0)
    """
    return float(weights.sum() ** 2 / max(float((weights**2).sum()), np.finfo(float).tiny))


def chain_ratios(
    reference: pd.DataFrame, current: pd.DataFrame, chain: Mapping[str, Sequence[str]], *, rng: np.random.Generator
) -> dict[str, Ratio]:
    """Conditional density ratio of each link of a chain given the links before it, by cross-fitted classifiers.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    chain : mapping of str to sequence of str
        Name of a link → its columns; in order, say features, then score. The last mechanism is left out: it needs no
        ratio.
    rng : numpy.random.Generator
        Draws the folds.

    Returns
    -------
    dict of str to Ratio
        By name, in order; each between 1/20 and 20.

    References
    ----------
    Bickel, Brückner & Scheffer (2009), J. Mach. Learn. Res. 10, section 3: a density ratio is the odds of a classifier
    of the window.
    """
    folds = (rng.permutation(len(reference)) % FOLDS, rng.permutation(len(current)) % FOLDS)
    seen: list[tuple[Floats, Floats]] = []
    before = np.zeros(len(reference)), np.zeros(len(current))
    ratios = {}
    for name, columns in chain.items():
        seen += [_encoded(reference[column], current[column]) for column in columns]
        after = _log_odds(np.column_stack([one for one, _ in seen]), np.column_stack([two for _, two in seen]), folds)
        ratios[name] = Ratio(reference=_cut(after[0] - before[0]), current=_cut(after[1] - before[1]))
        before = after
    return ratios


def _cut(log_ratio: Floats) -> Floats:
    return np.clip(np.exp(log_ratio), 1 / MAX_RATIO, MAX_RATIO)


def _log_odds(reference: Floats, current: Floats, folds: tuple[Places, Places]) -> tuple[Floats, Floats]:
    """Log density ratio, current over reference, at every row: log odds of a cross-fitted classifier of the window."""
    windows, odds = (reference, current), (np.zeros(len(reference)), np.zeros(len(current)))
    for fold in range(FOLDS):
        rows = [window[part != fold] for window, part in zip(windows, folds, strict=True)]
        if min(map(len, rows)) == 0:  # nothing to compare with: even odds
            continue
        model = _tell_apart(*rows)
        for side in (0, 1):
            held = folds[side] == fold
            if not held.any():
                continue
            odds[side][held] = model.decision_function(windows[side][held]) - np.log(len(rows[1]) / len(rows[0]))
    return odds


def _tell_apart(reference: Floats, current: Floats) -> Any:
    """Fit the domain classifier: which window a row is from."""
    return classifier().fit(
        for_trees(np.vstack([reference, current])), np.repeat([0, 1], [len(reference), len(current)])
    )


def _encoded(reference: "pd.Series[Any]", current: "pd.Series[Any]") -> tuple[Floats, Floats]:
    """Frequency-rank encoding of a column of both windows; numbers stay as they are."""
    if kind_of(reference) == kind_of(current) == "numeric":
        first, second = as_numbers(reference), as_numbers(current)
        return without_infinities(first), without_infinities(second)
    both = pd.Series(np.concatenate([as_labels(reference), as_labels(current)]))
    rank = {value: i for i, value in enumerate(both.value_counts(sort=True).index)}
    codes = both.map(rank).to_numpy(float)
    return codes[: len(reference)], codes[len(reference) :]


@dataclass(frozen=True, kw_only=True)
class Mechanism:
    """A conditional distribution P(node given parents) compared between the windows: chi-square test and density ratio.

    Attributes
    ----------
    node : str
    parents : tuple of str
    p_value, q_value : float
        Of no change of P(node given parents): chi-square tests within each setting of the parents, added up.
    ratio : Ratio
        Of P(node given parents).
    """

    node: str
    parents: tuple[str, ...]
    p_value: float
    q_value: float
    ratio: Ratio


def mechanisms(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    parents: Mapping[str, Sequence[str]],
    *,
    categorical: Sequence[str] = (),
) -> list[Mechanism]:
    """Chi-square test and density ratio of P(node given parents) for every node, by counts over discretised columns.

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
    laid = {name: discretise(reference[name], current[name], coded=name in categorical) for name in parents}
    codes = {name: np.concatenate([column.reference, column.current]) for name, column in laid.items()}
    counted = {
        node: _counted(codes[node], _settings([codes[name] for name in causes], rows=len(codes[node])), len(reference))
        for node, causes in parents.items()
    }
    p_values = [_unchanged(one.counts) for one in counted.values()]
    return [
        Mechanism(node=node, parents=tuple(parents[node]), p_value=p, q_value=q, ratio=_conditional_ratio(one))
        for (node, one), p, q in zip(counted.items(), p_values, benjamini_hochberg(p_values), strict=True)
    ]


@dataclass(frozen=True, kw_only=True)
class _Counted:
    """Contingency tables of a node's values in each setting (stratum) of its parents.

    `counts` has shape (2, settings, values); the others are the (setting, value) of each row of a window.
    """

    counts: Floats
    reference: tuple[Places, Places]
    current: tuple[Places, Places]


def _counted(values: Places, settings: Places, n: int) -> _Counted:
    counts = np.zeros((2, int(settings.max()) + 1, int(values.max()) + 1))
    reference, current = (settings[:n], values[:n]), (settings[n:], values[n:])
    np.add.at(counts[0], reference, 1)
    np.add.at(counts[1], current, 1)
    return _Counted(counts=counts, reference=reference, current=current)


def _settings(codes: Sequence[Places], *, rows: int) -> Places:
    """One code for each joint setting of some columns."""
    joint = np.zeros(rows, dtype=np.intp)
    for column in codes:
        joint = np.unique(joint * (column.max() + 1) + column, return_inverse=True)[1]
    return joint


def _unchanged(counts: Floats) -> float:
    """p-value of the stratified chi-square test: statistics and degrees of freedom added up over the strata."""
    from scipy.stats import chi2

    statistic, freedom = 0.0, 0
    for setting in np.flatnonzero((counts.sum(axis=2) >= MIN_ROWS).all(axis=0)):
        table = _frequent(counts[:, setting])
        if table.shape[1] > 1:
            statistic += chi_square(table)[0]
            freedom += table.shape[1] - 1
    return float(chi2.sf(statistic, freedom)) if freedom else 1.0


def _conditional_ratio(counted: _Counted) -> Ratio:
    """Smoothed ratio of P(node given parents) at every row; 1 in a setting that one window does not have."""
    counts = counted.counts
    smooth = counts + counts.sum(axis=(0, 1)) / counts.sum()  # one pseudo-row a setting, spread as the node's margin
    conditional = smooth / smooth.sum(axis=2, keepdims=True)
    known = (counts.sum(axis=2) > 0).all(axis=0)
    table = np.where(known[:, None], np.clip(conditional[1] / conditional[0], 1 / MAX_RATIO, MAX_RATIO), 1.0)
    return Ratio(reference=table[counted.reference], current=table[counted.current])


def _frequent(table: Floats) -> Counts:
    """A two-row table with its sparse columns pooled into one."""
    sparse = table.sum(axis=0) < RAREST
    rest = table[:, sparse].sum(axis=1, keepdims=True)
    kept = np.hstack([table[:, ~sparse], rest]) if rest.sum() else table[:, ~sparse]
    return kept.astype(np.int64)
