"""Model-agnostic SHAP of a black box: all coalitions of few features, permutation SHAP of more.

A coalition is a row with some features as they are and the others taken from background rows. One call of the model
holds many rows with many coalitions each, since a model takes little longer over thousands of rows than over a few.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rca.arrays import Floats, Places
from rca.methods.shapley import shapley_matrix

Ask = Callable[[Places], Floats]

FEW = 6
"""Features up to which every coalition is evaluated; of more features, permutations are sampled."""

ORDERS = 4
"""Random permutations, each taken forwards and backwards (antithetic)."""

AT_ONCE = 60_000
"""Rows of one call of the model."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sampled:
    """SHAP values of rows with their sampling errors.

    Attributes
    ----------
    values : ndarray of shape (rows, features)
        With `base` they add up to the answer.
    base : float
        Mean answer over the background rows.
    error : ndarray of shape (rows, features)
        Standard error of each from sampling permutations; 0 where every coalition was evaluated.
    """

    values: Floats
    base: float
    error: Floats


def values_of(ask: Ask, rows: Places, usual: Places, *, rng: np.random.Generator) -> Sampled:
    """SHAP values of a black-box function: exact over all coalitions, else by antithetic permutation sampling.

    Parameters
    ----------
    ask : callable
        Rows, an array of shape (any, features), → their answers.
    rows : ndarray of shape (rows, features)
    usual : ndarray of shape (background rows, features)
    rng : numpy.random.Generator
        Draws the orders, where there are more than six features.

    Returns
    -------
    Sampled
        A row's values are the same whatever rows are beside it, where every coalition is evaluated.

    References
    ----------
    Lundberg & Lee (NeurIPS 2017), eq. (8), with independent features; orders taken from either end: Mitchell, Cooper,
    Frank & Holmes (JMLR 23, 2022), section 4.1.

    Examples
    --------
    >>> product = values_of(lambda at: at[:, 0] * at[:, 1], np.array([[2, 3]]), np.array([[0, 0]]), rng=None)
    >>> product.values.tolist(), product.base
    ([[3.0, 3.0]], 0.0)
    """
    features = rows.shape[1]
    base = float(np.mean(ask(usual)))
    if features <= FEW:
        kept = (np.arange(2**features)[:, None] >> np.arange(features)) & 1 == 1
        values = _answers(ask, rows, usual, kept=np.broadcast_to(kept, (len(rows), *kept.shape)))
        values = values @ shapley_matrix(features).T
        return Sampled(values=values, base=base, error=np.zeros_like(values))
    orders = rng.permuted(np.tile(np.arange(features), (len(rows), ORDERS, 1)), axis=2)
    turns = np.concatenate([orders, orders[:, :, ::-1]], axis=1)
    by_order = _along(ask, rows, usual, turns=turns).reshape(len(rows), 2, ORDERS, features).mean(axis=1)
    return Sampled(
        values=by_order.mean(axis=1), base=base, error=by_order.std(axis=1, ddof=1) / np.sqrt(ORDERS)
    )  # fmt: skip


def _along(ask: Ask, rows: Places, usual: Places, *, turns: Places) -> Floats:
    """Marginal contribution of each feature along each permutation (rows, orders, features), as `turns` is shaped."""
    count, orders, features = turns.shape
    come = np.empty_like(turns)  # position of each feature in the order
    np.put_along_axis(come, turns, np.broadcast_to(np.arange(features), turns.shape), axis=2)
    kept = come[:, :, None, :] < np.arange(features + 1)[:, None]
    answers = _answers(ask, rows, usual, kept=kept.reshape(count, -1, features)).reshape(count, orders, features + 1)
    return np.take_along_axis(np.diff(answers, axis=2), come, axis=2)


def _answers(ask: Ask, rows: Places, usual: Places, *, kept: npt.NDArray[np.bool_]) -> Floats:
    """Mean prediction over the background rows of each coalition; `kept`, the coalitions: (rows, subsets, features)."""
    many = kept.shape[1] * len(usual)
    at_once = max(1, AT_ONCE // many)
    found = []
    for start in range(0, len(rows), at_once):
        part, mask = rows[start : start + at_once], kept[start : start + at_once]
        mixed = np.where(mask[:, :, None, :], part[:, None, None, :], usual)
        found.append(ask(mixed.reshape(-1, rows.shape[1])).reshape(len(part), -1, len(usual)).mean(axis=2))
    return np.concatenate(found) if found else np.zeros((0, kept.shape[1]))
