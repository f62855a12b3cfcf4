"""What outcomes tell of names that mean each other now: the map under which a model is right again.

Where a category was enumerated anew, no share and no other column need show it, but outcomes do: rows under one name
have those of another. The map is chosen on half of the rows and tested on the other half.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import ColumnFault
from rca.arrays import Floats, Labels, Mask, Places
from rca.tables.columns import as_labels

MOST = 12
"""Most names of a column that are exchanged, the commonest."""

ROWS = 2000
"""Most current rows that are asked."""

STARTS = 12
"""Moments from which a new enumeration may have begun."""

RIGHT = 4.0
"""z of what a map saves in rows that did not choose it."""

LIKELIER = 3.0
"""Log likelihood by which shares may speak for names as they are and against a map."""

RENAMED = 0.05
"""Share of the rows whose name has to mean another."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """How wrong a model is of each row under each name.

    Attributes
    ----------
    names : ndarray of object, shape (names,)
    held : ndarray of int, shape (rows,)
        The name that each row holds, as a position; -1 where it is none of these.
    loss : ndarray of shape (rows, names)
    shares : ndarray of shape (names,)
        Of the reference's rows.
    """

    names: Labels
    held: Places
    loss: Floats
    shares: Floats

    @classmethod
    def of(cls, values: "pd.Series[Any]", known: "pd.Series[Any]", wrong_of: Callable[[str], Floats]) -> "Told":
        """Ask a model of the rows with each of the commonest names in turn.

        Parameters
        ----------
        values, known : pandas.Series
            The column in the rows asked, and in the reference.
        wrong_of : callable
            From a name to the losses of the rows under it.
        """
        shares = pd.Series(as_labels(known.dropna())).value_counts(normalize=True)[:MOST]
        names = shares.index.to_numpy(dtype=object)
        place = {name: at for at, name in enumerate(names)}
        held = np.array([place.get(label, -1) for label in as_labels(values)], dtype=np.intp)
        loss = np.column_stack([wrong_of(str(name)) for name in names])
        return cls(names=names, held=held, loss=loss, shares=np.asarray(shares, dtype=np.float64))

    def saved(self, meant: Places, rows: Mask) -> Floats:
        """Loss of each row under its own name less that under the one it is said to mean."""
        at = np.flatnonzero(rows & (self.held >= 0))
        own = self.held[at]
        return np.asarray(self.loss[at, own] - self.loss[at, meant[own]])

    def chosen(self, rows: Mask) -> Places:
        """The one-to-one map of names with the least loss in some rows."""
        from scipy.optimize import linear_sum_assignment

        total = np.zeros((len(self.names), len(self.names)))
        at = rows & (self.held >= 0)
        np.add.at(total, self.held[at], self.loss[at])
        return np.asarray(linear_sum_assignment(total)[1])

    def fits(self, meant: Places, rows: Mask) -> bool:
        """Whether names come as often as those that they are said to mean, or hardly less likely than as they are."""
        counts = np.bincount(self.held[rows & (self.held >= 0)], minlength=len(self.names))
        usual = np.log(self.shares)
        return float(counts @ (usual - usual[meant])) <= LIKELIER


def recoded_by_outcome(column: str, told: Told, *, ordered: bool, rng: np.random.Generator) -> ColumnFault | None:
    """The map of names under which a model is right again, and the row from which it holds.

    Parameters
    ----------
    column : str
    told : Told
        Of rows in time order, evenly drawn from the window.
    ordered : bool
        Whether they are in time order, so that it may have begun partway.
    rng : numpy.random.Generator

    Returns
    -------
    ColumnFault or None
        `recoded`, with `since` as a position among the rows of `told`; None where no map holds in rows that did not
        choose it, or shares speak for the names as they are: then the outcome follows the column otherwise.

    References
    ----------
    Kuhn (1955), The Hungarian method for the assignment problem, Naval Research Logistics Quarterly 2.
    """
    rows = len(told.held)
    half = rng.permutation(rows) % 2 == 0
    gains = []
    for taught in (half, ~half):
        start, meant = _best(told, taught, ordered=ordered)
        gains.append(told.saved(meant, ~taught & (np.arange(rows) >= start)))
    tested = np.concatenate(gains)
    if len(tested) < 2 or tested.std() == 0 or tested.mean() / tested.std() * np.sqrt(len(tested)) < RIGHT:
        return None
    start, meant = _best(told, np.ones(rows, dtype=bool), ordered=ordered)
    changed = np.flatnonzero(meant != np.arange(len(meant)))
    hit = np.isin(told.held, changed) & (np.arange(rows) >= start)
    if hit.mean() < RENAMED or not told.fits(meant, np.arange(rows) >= start):
        return None
    pairs = tuple((str(told.names[one]), str(told.names[meant[one]])) for one in changed)
    some = ", ".join(f"{now} stands for {was}" for now, was in pairs[:3]) + (", …" if len(pairs) > 3 else "")
    return ColumnFault(
        column=column,
        fault="recoded",
        share=float(hit.mean()),
        evidence=f"in {hit.mean():.0%} of the rows {some}, as their outcomes tell",
        recoding=pairs,
        since=start,
    )


def _best(told: Told, rows: Mask, *, ordered: bool) -> tuple[int, Places]:
    """The moment and the map from then on that save most in some rows."""
    starts = np.linspace(0, len(rows), STARTS, endpoint=False).astype(int) if ordered else np.zeros(1, dtype=int)
    tried = []
    for start in starts:
        late = rows & (np.arange(len(rows)) >= start)
        meant = told.chosen(late)
        tried.append((float(told.saved(meant, late).sum()), -int(start), meant))
    best = max(tried, key=lambda one: one[:2])
    return -best[1], best[2]
