"""Known names that mean each other in a part of the rows, as when nodes of a service are updated one after another."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.contingency import Contingency
from rca.analysis.faults.names.renaming import ERRORS, MIN_LOG_LIKELIHOOD, MOST, SMALL, VISIBLE, witnesses
from rca.arrays import Floats, Labels, Mask
from rca.tables.column_pair import ColumnPair

PARTS = np.arange(0.1, 0.95, 0.1)
"""Shares of the rows that may have been hit; the likeliest is taken."""

HALF = 0.5
"""Rows added to every cell, so that none is impossible."""


@dataclass(frozen=True, kw_only=True)
class _Tables:
    """Rows of each name in each cell of each witness: (names, cells) a witness, before and after."""

    names: Labels
    before: tuple[Floats, ...]
    after: tuple[Floats, ...]

    @property
    def shares(self) -> tuple[Floats, Floats]:
        """Of the rows, by name."""
        first, second = ((side[0].sum(axis=1) + HALF) for side in (self.before, self.after))
        return first / first.sum(), second / second.sum()

    @property
    def usual(self) -> list[Floats]:
        """Shares of a witness's cells beside each name, before: those of all rows count as one row a cell."""
        blended = [table + _held(table) * _overall(table) for table in self.before]
        return [table / table.sum(axis=1, keepdims=True) for table in blended]

    def likelihood(self, expected: list[Floats]) -> Floats:
        """Log likelihood of current rows, by name: of (…, names, cells) a witness; witnesses repeat each other."""
        told = sum((now * np.log(one)).sum(axis=-1) for now, one in zip(self.after, expected, strict=True))
        return np.asarray(told / len(self.after) ** 0.5)

    def noise(self, changed: Mask) -> float:
        """Log likelihood that some names lose by how few rows their cells were learned from, and any blend wins back.

        ``(cells - 1) / 2 * m n / (n + cells)^2`` for n rows before and m now: half a chi-squared, as far as the
        name's own rows outweigh those of all.
        """
        lost = 0.0
        for before, after in zip(self.before, self.after, strict=True):
            n, m, cells = before.sum(axis=1)[changed], after.sum(axis=1)[changed], _held(before)
            lost += float((cells - 1) / 2 * (m * n / (n + cells) ** 2).sum())
        return float(lost / len(self.after) ** 0.5)


def _held(table: Floats) -> float:
    """Cells that hold any row, one at least."""
    return max(float((table.sum(axis=0) > 0).sum()), 1.0)


def _overall(table: Floats) -> Floats:
    """Shares of all rows in each cell, none of them impossible."""
    cells = table.sum(axis=0) + HALF
    return np.asarray(cells / cells.sum())


def partial_recoding(
    pair: ColumnPair, laid: Contingency, *, moved: Collection[str], repeats: float = 1.0
) -> ColumnFault | None:
    """The one-to-one map of names by which a part p of the rows goes, if the other columns tell it.

    ``P(b, w) = (1 - p) P0(b, w) + p P0(a, w)`` for a name b that stands for a, and cells w of other columns. The best
    map for a given p is an assignment problem. It has to beat two other explanations: shares that moved while every
    name means what it meant, ``P(b) P0(w | b)``, and one value written in a part of the rows, whatever they were.

    Parameters
    ----------
    pair : ColumnPair
        The column in the rows that `laid` was made of.
    laid : Contingency
    moved : collection of str
        Columns whose relation to this one is no witness.
    repeats : float
        How many rows say as much of the column as one does that no row before it resembles.

    Returns
    -------
    ColumnFault or None
        `recoded`, without a map by row: which rows were hit the values do not show.
    """
    tables = _tables(pair, laid, moved=moved, repeats=repeats)
    if tables is None:
        return None
    maps = [(*_mapped(tables, float(part)), float(part)) for part in PARTS]
    best, order, part = max(maps, key=lambda one: one[0])
    changed = order != np.arange(len(order))
    hit = part * float(tables.shares[0][order][changed].sum())
    margin = best - max(_moved(tables), _written(tables))
    if (
        hit < VISIBLE
        or margin < MIN_LOG_LIKELIHOOD * changed.sum() + tables.noise(changed)
        or not _fits(tables, order, part)
    ):
        return None
    return _said(pair.name, tables.names, order, share=hit)


def _said(column: str, names: Labels, order: Any, *, share: float) -> ColumnFault:
    pairs = [(str(names[i]), str(names[order[i]])) for i in range(len(order)) if order[i] != i]
    told = ", ".join(f"{now} stands for {was}" for now, was in pairs[:3]) + (", …" if len(pairs) > 3 else "")
    return ColumnFault(column=column, fault="recoded", share=1.0, evidence=f"in some {share:.0%} of the rows {told}")


def _tables(pair: ColumnPair, laid: Contingency, *, moved: Collection[str], repeats: float) -> _Tables | None:
    asked = witnesses(pair.name, laid.cells, moved=moved)
    labels = [one[rows] for one, rows in zip(pair.labels, laid.rows, strict=True)]
    held = [~gone[rows] for gone, rows in zip(pair.missing, laid.rows, strict=True)]
    names = _common(labels, held)
    if not asked or not 2 <= len(names) <= MOST:
        return None
    before, after = (
        tuple((_hot(labels[i], names).T @ laid.cells[name][i]).astype(float) / repeats for name in asked)
        for i in (0, 1)
    )
    if not min(float(side[0].sum()) for side in (before, after)):
        return None
    return _Tables(names=names, before=before, after=after)


def _common(labels: list[Labels], held: list[Mask]) -> Labels:
    """Names that are no rarity in one of the windows."""
    shares = [pd.Series(one[known]).value_counts(normalize=True) for one, known in zip(labels, held, strict=True)]
    largest = pd.concat(shares, axis=1).max(axis=1)
    return np.asarray(sorted(largest.index[largest >= SMALL]), dtype=object)


def _hot(labels: Labels, names: Labels) -> Floats:
    return np.asarray(labels[:, None] == names[None, :], dtype=np.float32)


def _mapped(tables: _Tables, part: float) -> tuple[float, Any]:
    """Log likelihood of the best map in a part of the rows, and which name each name stands for."""
    from scipy.optimize import linear_sum_assignment

    share = tables.shares[0]
    joint = [share[:, None] * usual for usual in tables.usual]
    mixed = [(1 - part) * one[None, :, :] + part * one[:, None, :] for one in joint]
    fits = tables.likelihood(mixed).T
    order = linear_sum_assignment(fits, maximize=True)[1]
    return float(fits[np.arange(len(order)), order].sum()), order


def _moved(tables: _Tables) -> float:
    """Log likelihood where only the shares of names moved."""
    return float(tables.likelihood([tables.shares[1][:, None] * usual for usual in tables.usual]).sum())


def _written(tables: _Tables) -> float:
    """Log likelihood where one value was written in a part of the rows, whatever they had held."""
    share = tables.shares[0]
    joint = [share[:, None] * usual for usual in tables.usual]
    tried = []
    for part in PARTS:
        kept = tables.likelihood([(1 - part) * one for one in joint])
        struck = tables.likelihood([(1 - part) * one + part * one.sum(axis=0) for one in joint])
        tried.append(float(kept.sum() + (struck - kept).max()))
    return max(tried)


def _fits(tables: _Tables, order: Any, part: float) -> bool:
    """Whether the names are as common as the map would have them, or nearer to it by far than to what they were."""
    before, after = tables.shares
    would = (1 - part) * before + part * before[order]
    rows = tuple(side[0].sum() for side in (tables.before, tables.after))
    noise = float(np.sqrt(before * (1 - before) * (1 / rows[0] + 1 / rows[1])).sum())
    return float(np.abs(after - would).sum()) <= max(ERRORS * noise, 0.25 * float(np.abs(after - before).sum()))
