"""Record linkage by equal values: sets of rows that are the same by a key or by all their values, one of each kept."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rca.arrays import Mask, Places
from rca.tables.columns import as_labels, as_numbers, kind_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Repeats:
    """Sets of equal rows of a table.

    Attributes
    ----------
    sets : ndarray of int, shape (rows,)
        The set of each row, numbered from 0.
    keep : ndarray of bool, shape (rows,)
        One row of each set; the others are surplus.
    """

    sets: Places
    keep: Mask

    @property
    def share(self) -> float:
        """Share of surplus rows."""
        return float(np.mean(~self.keep))

    @property
    def error(self) -> float:
        """Standard error of the share: sets, not rows, are drawn."""
        sums = np.bincount(self.sets, weights=(~self.keep) - self.share)
        return float(np.sqrt((sums**2).sum())) / len(self.keep)

    @property
    def size(self) -> Places:
        """Rows of each row's set."""
        return np.asarray(np.bincount(self.sets)[self.sets])

    def unless_otherwise(self, content: Places) -> "Repeats":
        """Keep the surplus rows too that are hardly more like the row kept than chance has it.

        Parameters
        ----------
        content : ndarray of int, shape (rows, columns)
            Codes of the values.
        """
        if not content.shape[1] or self.keep.all():
            return self
        kept = np.zeros(int(self.sets.max()) + 1, dtype=np.intp)
        kept[self.sets[self.keep]] = np.flatnonzero(self.keep)
        chance = np.mean([_coincide(column) for column in content[self.keep].T])
        agree = (content == content[kept[self.sets]]).mean(axis=1)
        return replace(self, keep=self.keep | (agree < (1 + chance) / 2))


def value_codes(reference: pd.DataFrame, current: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Codes of the values of two tables, the rows of `current` below those of `reference`; -1 where missing.

    Examples
    --------
    >>> value_codes(pd.DataFrame({"a": ["x", "y"]}), pd.DataFrame({"a": ["y", None]}), ["a"])["a"].tolist()
    [0, 1, 1, -1]
    """
    coded = {name: _coded(reference[name], current[name]) for name in names}
    return pd.DataFrame(coded, index=range(len(reference) + len(current)))


def _coded(reference: "pd.Series[float]", current: "pd.Series[float]") -> Places:
    if reference.dtype == current.dtype and pd.api.types.is_integer_dtype(reference):  # as doubles long ids coincide
        return np.asarray(pd.factorize(pd.concat([reference, current]))[0])
    numbers = kind_of(reference) == kind_of(current) == "numeric"
    both = [as_numbers(one) if numbers else as_labels(one) for one in (reference, current)]
    return np.asarray(pd.factorize(np.concatenate(both))[0])


def joint_codes(codes: pd.DataFrame) -> Places:
    """One code for each distinct row.

    >>> joint_codes(pd.DataFrame({"a": [0, 0, 1, 0], "b": [1, 1, 1, 0]})).tolist()
    [0, 0, 1, 2]
    """
    if not len(codes.columns):
        return np.zeros(len(codes), dtype=np.intp)
    return np.asarray(codes.groupby(list(codes.columns), sort=False).ngroup().to_numpy(np.intp))


def repeats(codes: Places, preferred: Mask) -> Repeats:
    """Sets of rows of equal code; of each the first preferred row is kept, or the first where none is.

    >>> found = repeats(np.array([7, 7, 5]), np.array([False, True, True]))
    >>> found.keep.tolist(), round(found.share, 2)
    ([False, True, True], 0.33)
    """
    sets = np.unique(codes, return_inverse=True)[1]
    order = np.argsort(~preferred, kind="stable")
    keep = np.zeros(len(sets), dtype=bool)
    keep[order[np.unique(sets[order], return_index=True)[1]]] = True
    return Repeats(sets=sets, keep=keep)


def _coincide(codes: Places) -> float:
    """Chance that two rows have the same value."""
    return float(((np.unique(codes, return_counts=True)[1] / len(codes)) ** 2).sum())
