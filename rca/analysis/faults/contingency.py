"""Both windows on cells, every feature at once, so that what changed under which condition is a product of matrices."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.arrays import Floats, Labels, Places
from rca.tables.columns import as_labels, as_numbers, kind_of
from rca.tables.condition import Condition
from rca.tables.discretisation import discretise

Hot = npt.NDArray[np.float32]

MAX_ROWS = 6000
"""Rows of each window that are looked at."""

COLUMNS, FEWEST, TABLE = 60, 8, 300
"""Columns that conditions are made of, the first ones: most; fewest, of a wide table; and columns of a table up to
which they are most, as each column is looked at under each condition."""

LEVELS = 20
"""Categories of a column that are conditions, the commonest."""

CUTS = 10
"""Parts of equal mass between which a number is cut into conditions."""

SMALLEST = 0.01
"""Share of the rows of both windows that a condition has to hold for."""

CELLS = 40
"""Cells of a column; the rarer ones beyond these are one."""


@dataclass(frozen=True, kw_only=True)
class Contingency:
    """Rows of both windows as zeros and ones.

    Attributes
    ----------
    rows : (ndarray of int, ndarray of int)
        Positions of the rows that are looked at.
    conditions : tuple of Condition
    under : (ndarray of shape (rows, conditions), ndarray)
        Which rows fulfil them, in the reference and in the current window.
    cells : dict of str to (ndarray of shape (rows, cells), ndarray)
        Which cell of a column each row lies in.
    """

    rows: tuple[Places, Places]
    conditions: tuple[Condition, ...]
    under: tuple[Hot, Hot]
    cells: dict[str, tuple[Hot, Hot]]

    def counts(self, column: str) -> tuple[Floats, Floats]:
        """Rows under each condition in each cell of a column, in both windows: (conditions, cells)."""
        first, second = (
            (under.T @ laid).astype(float) for under, laid in zip(self.under, self.cells[column], strict=True)
        )
        return first, second

    def totals(self, column: str) -> tuple[Floats, Floats]:
        """Rows in each cell of a column, in both windows: (cells,)."""
        first, second = (laid.sum(axis=0).astype(float) for laid in self.cells[column])
        return first, second


def contingency_of(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    columns: Sequence[str],
    groups: Iterable[str] = (),
    categorical: Iterable[str] = (),
    conditioned: bool = True,
    of: Sequence[str] | None = None,
) -> Contingency:
    """Lay both windows on cells, and say which rows fulfil which conditions.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    columns : sequence of str
        Laid on cells; conditions are made of them too.
    groups : iterable of str
        Further columns that conditions are made of.
    categorical : iterable of str
        Numeric columns that are codes.
    conditioned : bool
        Whether conditions are asked for at all.
    of : sequence of str, optional
        Only these columns are laid on cells.

    Examples
    --------
    >>> rows = pd.DataFrame({"ward": ["a", "b"] * 300, "x": np.arange(600.0)})
    >>> laid = contingency_of(rows, rows, columns=["x"], groups=["ward"])
    >>> str(laid.conditions[-1]), laid.counts("x")[0].sum(axis=1)[-1].item()
    ('ward=b', 300.0)
    """
    rows = _some(len(reference)), _some(len(current))
    codes, windows = set(categorical), (reference.iloc[rows[0]], current.iloc[rows[1]])
    most = max(FEWEST, min(COLUMNS, COLUMNS * TABLE // max(len(columns), 1)))
    asked = list(dict.fromkeys([*columns[:most], *groups])) if conditioned else []
    made = [_conditions(name, *(window[name] for window in windows), coded=name in codes) for name in asked]
    under = [
        np.hstack([np.zeros((len(part), 0), np.float32), *(one.under[i] for one in made)])
        for i, part in enumerate(rows)
    ]
    return Contingency(
        rows=rows,
        conditions=tuple(condition for one in made for condition in one.conditions),
        under=(under[0], under[1]),
        cells={
            name: _cells(*(window[name] for window in windows), coded=name in codes)
            for name in (columns if of is None else of)
        },
    )


def _some(rows: int) -> Places:
    """Rows at equal distances, so that every time of the window is in."""
    return np.linspace(0, rows - 1, min(rows, MAX_ROWS)).astype(np.intp)


def _cells(reference: "pd.Series[Any]", current: "pd.Series[Any]", *, coded: bool) -> tuple[Hot, Hot]:
    laid = discretise(reference, current, coded=coded)
    counts = np.bincount(np.concatenate([laid.reference, laid.current]), minlength=laid.count)
    rank = np.empty(laid.count, dtype=int)
    rank[np.argsort(-counts, kind="stable")] = np.arange(laid.count)
    rank = np.minimum(rank, CELLS - 1)
    first, second = (
        np.eye(min(laid.count, CELLS), dtype=np.float32)[rank[codes]] for codes in (laid.reference, laid.current)
    )
    return first, second


@dataclass(frozen=True, kw_only=True)
class _Made:
    """Conditions on one column, and which rows of either window fulfil them: (rows, conditions)."""

    conditions: list[Condition]
    under: tuple[Hot, Hot]

    def common(self) -> "_Made":
        """Those that hold for enough rows of both windows."""
        first, second = self.under
        kept = np.minimum(first.mean(axis=0), second.mean(axis=0)) >= SMALLEST
        conditions = [one for one, keep in zip(self.conditions, kept, strict=True) if keep]
        return _Made(conditions=conditions, under=(first[:, kept], second[:, kept]))


def _conditions(name: str, reference: "pd.Series[Any]", current: "pd.Series[Any]", *, coded: bool) -> _Made:
    numeric = kind_of(reference, coded=coded) == kind_of(current, coded=coded) == "numeric"
    if numeric and reference.nunique() > LEVELS:
        return _cuts(name, as_numbers(reference), as_numbers(current)).common()
    return _levels(name, as_labels(reference), as_labels(current)).common()


def _cuts(name: str, reference: Floats, current: Floats) -> _Made:
    known = reference[np.isfinite(reference)]
    levels = np.linspace(0, 1, CUTS + 1)[1:-1]
    edges = np.unique(np.quantile(known, levels, method="higher")) if len(known) else np.array([])
    below = [Condition(column=name, operator="<", value=float(edge)) for edge in edges]
    above = [Condition(column=name, operator=">=", value=float(edge)) for edge in edges]
    with np.errstate(invalid="ignore"):
        first, second = (
            np.hstack([values[:, None] < edges, values[:, None] >= edges]).astype(np.float32)
            for values in (reference, current)
        )
    return _Made(conditions=[*below, *above], under=(first, second))


def _levels(name: str, reference: Labels, current: Labels) -> _Made:
    common = pd.Series(reference).value_counts().index[:LEVELS]
    first, second = (
        np.column_stack([values == level for level in common] or [np.zeros((len(values), 0))]).astype(np.float32)
        for values in (reference, current)
    )
    conditions = [Condition(column=name, operator="=", value=str(level)) for level in common]
    return _Made(conditions=conditions, under=(first, second))
