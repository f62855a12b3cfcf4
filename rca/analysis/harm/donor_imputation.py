"""Hot-deck imputation by predictive mean matching (PMM): suspect columns get the values of similar reference rows.

These donors are nearest neighbours in the predicted ranks of the suspect columns given the others, cross-fitted.

References
----------
.. [1] Little, R. J. A. (1988). Missing-data adjustments in large surveys. J. Bus. Econ. Stat. 6(3): predictive mean
   matching.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.arrays import Floats, Mask, Places
from rca.methods.boosted_trees import regressor
from rca.tables.columns import Encoder, as_labels, as_numbers, for_trees, kind_of

DONORS = 5
"""Donors drawn for each row (multiple imputations); the metric is averaged over them."""

NEIGHBOURS = 10
"""Nearest reference rows that a donor is drawn from."""

POOL = 12_000
"""Most reference rows of the donor pool."""

POSITION = "\0position"
"""Column of a sample that holds the position of each row in its window."""


@dataclass(frozen=True, kw_only=True)
class Donors:
    """Fitted hot-deck: the donor pool, and the nearest donors of a row by predictive mean matching."""

    rows: pd.DataFrame
    matches: Callable[[pd.DataFrame], Places]

    @classmethod
    def fit(cls, reference: pd.DataFrame, suspects: set[str], others: list[str]) -> "Donors":
        """Fit predictive mean matching: nearest neighbours in the predicted ranks of the suspect columns."""
        from scipy.spatial import cKDTree

        pool = reference.iloc[np.linspace(0, len(reference) - 1, min(len(reference), POOL)).astype(int)]
        encode = Encoder.fit(pool, others)
        predictors = [_regress(encode(pool), _ranks(pool[name])) for name in sorted(suspects)]

        def means(rows: pd.DataFrame) -> Floats:
            seen = encode(rows)
            return np.column_stack([predict(seen) for predict in predictors])

        tree = cKDTree(means(pool))
        near = min(NEIGHBOURS, len(pool))

        def matches(rows: pd.DataFrame) -> Places:
            return np.asarray(tree.query(means(rows), k=near)[1]).reshape(len(rows), -1)

        return cls(rows=pool.reset_index(drop=True), matches=matches)

    def draw(self, rows: pd.DataFrame, rng: np.random.Generator) -> Places:
        """Draw `DONORS` of each row's nearest neighbours: positions in the pool, of shape (rows, DONORS)."""
        near = self.matches(rows)
        chosen = rng.integers(0, near.shape[1], size=(len(rows), DONORS))
        return np.take_along_axis(near, chosen, axis=1)


def cross_fitted(reference: pd.DataFrame, suspects: set[str], others: list[str]) -> tuple[Donors, Donors]:
    """Cross-fitted hot-decks: one for even and one for odd positions, each from the rows at the other positions.

    No reference row may be its own donor, nor be matched by a regression that has seen it: the placebo would come out
    too cheap, and an innocent column would get a negative contribution.
    """
    even = np.arange(len(reference)) % 2 == 0
    return Donors.fit(reference[~even], suspects, others), Donors.fit(reference[even], suspects, others)


def draw(donors: tuple[Donors, Donors], rows: pd.DataFrame, rng: np.random.Generator) -> "Draw":
    """Draw hot-deck donors for the rows of a window, from the deck of the other parity."""
    odd = rows[POSITION].to_numpy() % 2 == 1
    drawn = np.zeros((len(rows), DONORS), dtype=np.intp)
    for side, own, before in ((0, ~odd, 0), (1, odd, len(donors[0].rows))):
        if own.any():
            drawn[own] = donors[side].draw(rows[own], rng) + before
    return Draw(rows=rows, pool=pd.concat([one.rows for one in donors], ignore_index=True), donors=drawn)


def nearest(donors: tuple[Donors, Donors], rows: pd.DataFrame) -> "Draw":
    """All nearest donors of each row, from the deck of the other parity; nothing is drawn."""
    odd = rows[POSITION].to_numpy() % 2 == 1
    each = min(min(NEIGHBOURS, len(one.rows)) for one in donors)
    found = np.zeros((len(rows), each), dtype=np.intp)
    for side, own, before in ((0, ~odd, 0), (1, odd, len(donors[0].rows))):
        if own.any():
            found[own] = donors[side].matches(rows[own])[:, :each] + before
    return Draw(rows=rows, pool=pd.concat([one.rows for one in donors], ignore_index=True), donors=found)


@dataclass(frozen=True, kw_only=True)
class Draw:
    """Rows of a window with their hot-deck donors: positions in the pool, of shape (rows, donors of each)."""

    rows: pd.DataFrame
    pool: pd.DataFrame
    donors: Places

    @property
    def each(self) -> int:
        """Number of donors of each row."""
        return int(self.donors.shape[1])

    def tall(self) -> pd.DataFrame:
        """The rows repeated, once for each donor."""
        return pd.concat([self.rows] * self.each, ignore_index=True)

    def given(self, column: str, wrong: Mask, *, possible: Mask | None = None) -> "pd.Series[Any]":
        """Imputed column: the donors' values where it is wrong, one donor after another.

        Parameters
        ----------
        column : str
        wrong : ndarray of bool, shape (rows,)
        possible : ndarray of bool, shape (pool,), optional
            Rows of the pool whose value a wrong one can have been; a donor's takes the same rank among these as among
            all.
        """
        recorded = self.rows[column]
        values = self.pool[column] if possible is None else _confined(self.pool[column], possible)
        given = values.iloc[self.donors.T.ravel()].reset_index(drop=True)
        tall, wrong = pd.concat([recorded] * self.each, ignore_index=True), np.tile(wrong, self.each)
        if pd.api.types.is_numeric_dtype(recorded) and pd.api.types.is_numeric_dtype(given):
            return pd.Series(np.where(wrong, given.to_numpy(), tall.to_numpy()))
        return typed(pd.Series(np.where(wrong, given.astype(object), tall.astype(object)), dtype=object), given)


def _confined(values: "pd.Series[Any]", possible: Mask) -> "pd.Series[Any]":
    """Numbers mapped to the possible ones of the same rank; as they are where none is possible."""
    numbers = as_numbers(values)
    kept = np.sort(numbers[possible & np.isfinite(numbers)])
    if not len(kept):
        return values
    ranks = pd.Series(numbers).rank(pct=True).fillna(0.5).to_numpy()
    return pd.Series(kept[np.minimum((ranks * len(kept)).astype(int), len(kept) - 1)], index=values.index)


def typed(values: "pd.Series[Any]", like: "pd.Series[Any]") -> "pd.Series[Any]":
    """Cast values to the reference's dtype; what cannot be cast is missing."""
    if pd.api.types.is_numeric_dtype(like):
        return pd.to_numeric(values, errors="coerce")
    if pd.api.types.is_datetime64_any_dtype(like):
        return pd.to_datetime(values, errors="coerce", utc=True)
    return values if pd.api.types.is_timedelta64_dtype(like) else values.astype(like.dtype)


def joined(exact: "pd.Series[Any]", given: "pd.Series[Any]", undone: Mask) -> "pd.Series[Any]":
    """Combine exactly repaired values, where there are any, with imputed ones elsewhere."""
    if pd.api.types.is_numeric_dtype(exact) and pd.api.types.is_numeric_dtype(given):
        return pd.Series(np.where(undone, exact.to_numpy(), given.to_numpy()))
    return typed(pd.Series(np.where(undone, exact.astype(object), given.astype(object)), dtype=object), given)


def _ranks(values: "pd.Series[Any]") -> Floats:
    """Mid-ranks of a column between 0 and 1, robust to heavy tails; missing as one half."""
    numbers = (
        as_numbers(values)
        if kind_of(values) == "numeric"
        else pd.factorize(as_labels(values), sort=True)[0].astype(float)
    )
    return np.asarray(pd.Series(numbers).rank(pct=True).fillna(0.5), dtype=float)


def _regress(seen: Floats, target: Floats) -> Callable[[Floats], Floats]:
    model = regressor(rounds=60, rate=0.1, shrinkage=0.0).fit(for_trees(seen), target)
    spread = float(target.std()) or 1.0
    return lambda rows: np.asarray(model.predict(rows) / spread)
