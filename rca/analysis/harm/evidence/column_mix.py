"""Who comes: the part of a metric's change that another mix of one column's values explains, by post-stratification."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.inputs.metric_reader import Segment
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Mask, Places
from rca.methods.metric import Parts
from rca.tables.columns import as_labels, as_numbers, kind_of

BINS = 10
"""Bins of a number, by the reference's quantiles."""

MIN_CELL = 10
"""Reference rows of a cell below which its current rows cannot be stood for."""


@dataclass(frozen=True, kw_only=True)
class ColumnMix:
    """The reference with the current window's shares of one column's values.

    Attributes
    ----------
    column : str
    value, error : float
        Change of the reference's metric by the weights, and its standard error.
    halves : tuple of float
    n_effective : float
        Effective reference rows under the weights.
    covered : float
        Share of the current rows in cells that the reference has.
    vanished : float
        Share of the reference rows in cells that the current window no longer has.
    """

    column: str
    value: float
    error: float
    halves: tuple[float, float]
    n_effective: float
    covered: float
    vanished: float


def column_mix(windows: Windows, column: str, *, groups: tuple[Segment, ...] = ()) -> ColumnMix | None:
    """Weight the reference's rows to the current shares of a column; None where it has one cell alone."""
    coded = column in windows.roles.categorical
    cells = _cells(windows.reference[column], windows.current[column], coded=coded)
    size = int(max(one.max(initial=0) for one in cells)) + 1
    counts = [np.bincount(one, minlength=size).astype(float) for one in cells]
    usable = counts[0] >= MIN_CELL
    if usable.sum() < 2:
        return None
    shares = [one / one.sum() for one in counts]
    ratio = np.where(usable, shares[1] / np.maximum(shares[0], 1e-12), 0.0)
    weights = ratio[cells[0]]
    if weights.sum() <= 0:
        return None
    parts = windows.meter.parts(windows.reference, groups=groups)
    value = parts.value(weights) - parts.value()
    odd = np.arange(len(weights)) % 2 == 1
    return ColumnMix(
        column=column,
        value=value,
        error=_error(parts, weights, cells=cells[0], counts=counts, usable=usable),
        halves=(_half(parts, weights, ~odd), _half(parts, weights, odd)),
        n_effective=float(weights.sum() ** 2 / (weights**2).sum()),
        covered=float(shares[1][usable].sum()),
        vanished=float(shares[0][usable & (counts[1] == 0)].sum()),
    )


def _half(parts: Parts, weights: Floats, rows: Mask) -> float:
    part = parts.take(np.flatnonzero(rows))
    return float(part.value(weights[rows]) - part.value())


def _error(parts: Parts, weights: Floats, *, cells: Places, counts: list[Floats], usable: Mask) -> float:
    """Sampling error of the weighted metric, and of the current shares that are its weights."""
    weighted, size = parts.influence(weights), len(counts[0])
    totals = np.bincount(cells, weights=weights, minlength=size)
    level = np.bincount(cells, weights=weighted, minlength=size) / np.maximum(totals, 1e-12)
    level = np.where(usable, level * weights.sum(), 0.0)
    shares = counts[1] / counts[1].sum()
    spread = float((shares * level**2).sum() - (shares @ level) ** 2) / counts[1].sum()
    return float(np.sqrt(((weighted - parts.influence()) ** 2).sum() + max(spread, 0.0)))


def _cells(before: "pd.Series[Any]", after: "pd.Series[Any]", *, coded: bool) -> tuple[Places, Places]:
    """Cells of both windows: values of few, bins of a number; without a value one of its own."""
    few = before.nunique() <= BINS
    if few or "categorical" in (kind_of(before, coded=coded), kind_of(after, coded=coded)):
        labels = np.concatenate([as_labels(before), as_labels(after)])
        codes = np.asarray(pd.factorize(labels, use_na_sentinel=False)[0], dtype=np.intp)
        return codes[: len(before)], codes[len(before) :]
    numbers = as_numbers(before), as_numbers(after)
    known = numbers[0][np.isfinite(numbers[0])]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.zeros(1)
    first, second = (np.where(np.isfinite(one), np.searchsorted(edges, one, side="right") + 1, 0) for one in numbers)
    return first, second
