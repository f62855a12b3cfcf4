"""Donors: reference rows that stand in for rows whose values are not believed in some columns.

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
from rca.tables.columns import Encoder, as_labels, as_numbers, for_trees, kind_of

DONORS = 5
"""Donors drawn for each row; the metric is averaged over them."""

NEIGHBOURS = 10
"""Nearest reference rows that a donor is drawn from."""

POOL = 12_000
"""Reference rows that donors are taken from."""

POSITION = "\0position"
"""Column of a sample that holds the position of each row in its window."""


@dataclass(frozen=True, kw_only=True)
class Donors:
    """Reference rows that stand in for rows whose suspect columns are not believed."""

    rows: pd.DataFrame
    matches: Callable[[pd.DataFrame], Places]

    @classmethod
    def fit(cls, reference: pd.DataFrame, suspects: set[str], others: list[str]) -> "Donors":
        """Match rows on what the other columns predict of the suspect ones, which is all that they tell of them."""
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
        """Draw `DONORS` donors for each row: positions in the pool, of shape (rows, DONORS)."""
        near = self.matches(rows)
        chosen = rng.integers(0, near.shape[1], size=(len(rows), DONORS))
        return np.take_along_axis(near, chosen, axis=1)


def cross_fitted(reference: pd.DataFrame, suspects: set[str], others: list[str]) -> tuple[Donors, Donors]:
    """Donors for even and for odd positions, each from the rows at the other positions.

    No reference row may be its own donor, nor be matched by a regression that has seen it: the placebo would come out
    too cheap, and an innocent column would seem to have done good.
    """
    even = np.arange(len(reference)) % 2 == 0
    return Donors.fit(reference[~even], suspects, others), Donors.fit(reference[even], suspects, others)


def draw(donors: tuple[Donors, Donors], rows: pd.DataFrame, rng: np.random.Generator) -> "Draw":
    """Donors for the rows of a window, by the parity of their positions."""
    odd = rows[POSITION].to_numpy() % 2 == 1
    drawn = np.zeros((len(rows), DONORS), dtype=np.intp)
    for side, own, before in ((0, ~odd, 0), (1, odd, len(donors[0].rows))):
        if own.any():
            drawn[own] = donors[side].draw(rows[own], rng) + before
    return Draw(rows=rows, pool=pd.concat([one.rows for one in donors], ignore_index=True), donors=drawn)


def nearest(donors: tuple[Donors, Donors], rows: pd.DataFrame) -> "Draw":
    """All the rows of the reference that are nearest to each row, by the parity of its position: nothing is drawn."""
    odd = rows[POSITION].to_numpy() % 2 == 1
    each = min(min(NEIGHBOURS, len(one.rows)) for one in donors)
    found = np.zeros((len(rows), each), dtype=np.intp)
    for side, own, before in ((0, ~odd, 0), (1, odd, len(donors[0].rows))):
        if own.any():
            found[own] = donors[side].matches(rows[own])[:, :each] + before
    return Draw(rows=rows, pool=pd.concat([one.rows for one in donors], ignore_index=True), donors=found)


@dataclass(frozen=True, kw_only=True)
class Draw:
    """Rows of a window with their donors: positions in the pool, of shape (rows, donors of each)."""

    rows: pd.DataFrame
    pool: pd.DataFrame
    donors: Places

    @property
    def each(self) -> int:
        """Donors of each row."""
        return int(self.donors.shape[1])

    def tall(self) -> pd.DataFrame:
        """The rows once for each donor."""
        return pd.concat([self.rows] * self.each, ignore_index=True)

    def given(self, column: str, wrong: Mask) -> "pd.Series[Any]":
        """A column with what each donor has in place of what is wrong, one donor after another."""
        recorded, given = self.rows[column], self.pool[column].iloc[self.donors.T.ravel()].reset_index(drop=True)
        tall, wrong = pd.concat([recorded] * self.each, ignore_index=True), np.tile(wrong, self.each)
        if pd.api.types.is_numeric_dtype(recorded) and pd.api.types.is_numeric_dtype(given):
            return pd.Series(np.where(wrong, given.to_numpy(), tall.to_numpy()))
        return typed(pd.Series(np.where(wrong, given.astype(object), tall.astype(object)), dtype=object), given)


def typed(values: "pd.Series[Any]", like: "pd.Series[Any]") -> "pd.Series[Any]":
    """Values in the type that the reference has; what cannot be read as one is missing."""
    if pd.api.types.is_numeric_dtype(like):
        return pd.to_numeric(values, errors="coerce")
    if pd.api.types.is_datetime64_any_dtype(like):
        return pd.to_datetime(values, errors="coerce", utc=True)
    return values if pd.api.types.is_timedelta64_dtype(like) else values.astype(like.dtype)


def joined(exact: "pd.Series[Any]", given: "pd.Series[Any]", undone: Mask) -> "pd.Series[Any]":
    """What is undone where it can be, and what donors give elsewhere."""
    if pd.api.types.is_numeric_dtype(exact) and pd.api.types.is_numeric_dtype(given):
        return pd.Series(np.where(undone, exact.to_numpy(), given.to_numpy()))
    return typed(pd.Series(np.where(undone, exact.astype(object), given.astype(object)), dtype=object), given)


def _ranks(values: "pd.Series[Any]") -> Floats:
    """A column as mid-ranks between 0 and 1, so that no tail rules the regression; missing as one half."""
    numbers = (
        as_numbers(values)
        if kind_of(values) == "numeric"
        else pd.factorize(as_labels(values), sort=True)[0].astype(float)
    )
    return np.asarray(pd.Series(numbers).rank(pct=True).fillna(0.5), dtype=float)


def _regress(seen: Floats, target: Floats) -> Callable[[Floats], Floats]:
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(max_iter=60, max_leaf_nodes=15, random_state=0, early_stopping=False)
    model.fit(for_trees(seen), target)
    spread = float(target.std()) or 1.0
    return lambda rows: np.asarray(model.predict(rows) / spread)
