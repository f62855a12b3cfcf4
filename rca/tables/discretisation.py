"""Discretisation of a column of both windows into common cells: atoms, equal-mass bins, categories, and missing."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.arrays import Floats, Places
from rca.tables.columns import as_labels, as_numbers, kind_of

ATOM = 0.02
"""Share of a window's rows from which a value is an atom, a cell of its own: zeros, placeholders, codes."""

BINS = 20
"""Equal-mass bins (quantiles of the reference) for the other numbers."""

HALF = 0.5
"""Pseudo-count added to every cell (Jeffreys), so that an empty cell is rare and not impossible."""


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Cell codes of a column's rows in both windows.

    Attributes
    ----------
    reference, current : ndarray of int, shape (rows,)
    count : int
        Number of cells; codes run from 0.
    """

    reference: Places
    current: Places
    count: int

    def shares(self) -> tuple[Floats, Floats]:
        """Smoothed cell probabilities of both windows."""
        counts = [np.bincount(window, minlength=self.count) + HALF for window in (self.reference, self.current)]
        return counts[0] / counts[0].sum(), counts[1] / counts[1].sum()

    def overlap(self) -> float:
        """Overlap coefficient of the windows: ``sum min(p, q)``, one less their total variation distance."""
        before, after = self.shares()
        return float(np.minimum(before, after).sum())

    def log_ratio(self) -> Floats:
        """Log density ratio, current over reference, of each cell."""
        before, after = self.shares()
        return np.asarray(np.log(after) - np.log(before))


def discretise(reference: "pd.Series[Any]", current: "pd.Series[Any]", *, coded: bool = False) -> Cells:
    """Discretise both windows of a column on common cells: atoms, equal-mass bins, categories, and missing.

    Examples
    --------
    >>> before, after = pd.Series([0.0, 1.0, 2.0, None]), pd.Series([0.0, 0.0, None, None])
    >>> found = discretise(before, after)
    >>> found.count, found.current.tolist()
    (4, [1, 1, 0, 0])
    """
    if kind_of(reference, coded=coded) == kind_of(current, coded=coded) == "numeric":
        codes = _number_codes(as_numbers(reference), as_numbers(current))
    else:
        codes = _label_codes(reference, current)
    used, dense = np.unique(np.concatenate(codes), return_inverse=True)
    return Cells(reference=dense[: len(reference)], current=dense[len(reference) :], count=len(used))


def _number_codes(reference: Floats, current: Floats) -> tuple[Places, Places]:
    """Cell codes of numbers: odd for atoms, even for bins, so that an atom never shares a code with its neighbours."""
    atoms = np.union1d(_atoms(reference), _atoms(current))
    others = reference[~np.isin(reference, atoms) & ~np.isnan(reference)]
    levels = np.linspace(0, 1, BINS + 1)[1:-1]
    inner = np.unique(np.quantile(others, levels, method="lower")) if len(others) else np.array([])
    edges = np.union1d(atoms, inner)
    windows = [
        np.where(np.isnan(window), 0, 2 * np.searchsorted(edges, window, side="left") + 2 - np.isin(window, atoms))
        for window in (reference, current)
    ]
    return windows[0].astype(np.intp), windows[1].astype(np.intp)


def _atoms(values: Floats) -> Floats:
    known = values[~np.isnan(values)]
    distinct, counts = np.unique(known, return_counts=True)
    return np.asarray(distinct[counts >= max(2.0, ATOM * len(values))])


def _label_codes(reference: "pd.Series[Any]", current: "pd.Series[Any]") -> tuple[Places, Places]:
    labels = np.concatenate([as_labels(reference), as_labels(current)])
    codes = pd.factorize(pd.Index(labels, dtype=object), sort=False)[0] + 1
    counts = np.bincount(codes)
    codes = np.where((codes > 0) & (counts[codes] < 10), codes.max() + 1, codes)  # the rare are one cell
    return codes[: len(reference)], codes[len(reference) :]
