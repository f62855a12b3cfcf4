"""How a column broke: the fault in the pipe that would make current values of the reference's, and the rows it hit.

A column that broke in a nameable way can be mended; one that only moved (`distribution`) cannot, since nothing says
that its values are wrong.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.affine import ALIKE, UNIT_FACTORS, affine
from rca.analysis.cells import cells
from rca.analysis.columns import Floats, Labels, Mask, as_labels, as_numbers, kind_of
from rca.analysis.drift import Drift
from rca.analysis.onset import ChangePoint, change_point
from rca.analysis.result import Result, Row
from rca.finding import Fault, Finding, Target

__all__ = ["UNIT_FACTORS", "ColumnFault", "Faults", "faults", "hit", "mend"]

STUCK = 0.95
"""Share of the rows hit that hold one value, from which a column counts as stuck on it."""

CONCENTRATED = 0.9
"""Share of all that values gained, which the value a column is partly stuck on has to have gained."""

MANY = 8
"""Distinct values from which a gain of one alone says more than that the mix has changed."""

RARE = 0.01
"""Share of reference rows below which a filler counts as no real value."""

FILLERS = {
    "0",
    "-1",
    "999",
    "9999",
    "-999",
    "-9999",
    "99",
    "-99",
    "",
    "unknown",
    "none",
    "n/a",
    "na",
    "null",
    "missing",
}
"""Values that pipelines write when they have none."""

VISIBLE = 0.05
"""Share of rows from which a fault counts as one."""


@dataclass(frozen=True, kw_only=True)
class ColumnFault:
    """How one column broke.

    Attributes
    ----------
    column : str
    fault : Fault
    share : float
        Of the current rows, those it hit.
    evidence : str
        What says so.
    value : str or None
        The value a stuck column holds.
    factor, offset : float
        ``current = factor * true + offset`` for `scaled` and `shifted`.
    partner : str or None
        The column whose values this one holds, for `swapped`.
    since : int
        Position, in time order, of the first current row that is hit.
    """

    column: str
    fault: Fault
    share: float
    evidence: str
    value: str | None = None
    factor: float = 1.0
    offset: float = 0.0
    partner: str | None = None
    since: int = 0

    @property
    def broken(self) -> bool:
        """Whether it is a fault in the pipe, and not only a distribution that moved."""
        return self.fault != "distribution"

    @property
    def invertible(self) -> bool:
        """Whether the true values follow from the wrong ones."""
        return self.fault in ("scaled", "shifted", "swapped")

    def __str__(self) -> str:
        return f"{self.column}: {self.fault.replace('_', ' ')} ({self.evidence})"


@dataclass(frozen=True, kw_only=True)
class Faults(Result):
    """How each column that moved broke."""

    columns: tuple[ColumnFault, ...]

    def __str__(self) -> str:
        broken = [str(row) for row in self.columns if row.broken]
        return "; ".join(broken) if broken else "no column broke in a nameable way"

    def get(self, column: str) -> ColumnFault | None:
        """The fault of a column; None where it did not move."""
        return next((row for row in self.columns if row.column == column), None)

    def rows(self) -> list[Row]:
        return [
            {"column": row.column, "fault": row.fault, "rows hit": row.share, "evidence": row.evidence}
            for row in self.columns
        ]

    def findings(self) -> tuple[Finding, ...]:
        return tuple(
            Finding(
                id=f"fault.{row.column}",
                notebook="drift",
                claim=str(row),
                cause=Target(kind="feature", name=row.column),
                effect=row.share,
                unit="share of rows",
            )
            for row in self.columns
            if row.broken
        )


def faults(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    drift: Drift,
    *,
    categorical: Iterable[str] = (),
    ordered: bool = False,
) -> Faults:
    """Name how each column that moved broke.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    drift : Drift
        Of the same windows; only columns that moved are looked at.
    categorical : iterable of str
        Numeric columns that are codes.
    ordered : bool
        Whether the current rows are in time order, so that a fault may have begun partway.

    Returns
    -------
    Faults
        One a column that moved, the farthest first.

    Examples
    --------
    >>> from rca.analysis.drift import drift
    >>> before = pd.DataFrame({"age": np.random.default_rng(0).normal(40, 10, 500)})
    >>> after = before * 12
    >>> print(faults(before, after, drift(before, after)))
    age: scaled (times 12, years to months)
    """
    codes = set(categorical)
    found = [_fault(reference[name], current[name], coded=name in codes, ordered=ordered) for name in drift.moved()]
    return Faults(columns=tuple(_swaps(found, reference, current)))


def _fault(reference: "pd.Series[Any]", current: "pd.Series[Any]", *, coded: bool, ordered: bool) -> ColumnFault:
    since = _since(reference, current, coded=coded) if ordered else START
    hit, sure = current.iloc[since.at :], current.iloc[since.latest :]
    numeric = kind_of(reference, coded=coded) == "numeric"
    named = _missing(reference, hit) or _stuck(reference, hit)
    if named is None and numeric and kind_of(current, coded=coded) == "numeric" and not _is_time(reference):
        named = _affine(reference, sure)
    if named is None and not numeric:
        named = _new_values(reference, hit)
    if named is not None:
        return replace(named, since=since.at, share=named.share * len(hit) / len(current))
    only_moved = "no fault in the pipe would explain the move"
    return ColumnFault(column=str(reference.name), fault="distribution", share=1.0, evidence=only_moved)


START = ChangePoint(at=0, earliest=0, latest=0)


def _since(reference: "pd.Series[Any]", current: "pd.Series[Any]", *, coded: bool) -> ChangePoint:
    """First row from which the column looks like the current window rather than the reference."""
    laid = cells(reference, current, coded=coded)
    ratio = laid.log_ratio()
    return change_point(ratio[laid.current], float(ratio[laid.reference].mean())) or START


def _missing(reference: "pd.Series[Any]", hit: "pd.Series[Any]") -> ColumnFault | None:
    before, after = float(reference.isna().mean()), float(hit.isna().mean())
    if after - before < VISIBLE:
        return None
    return ColumnFault(
        column=str(reference.name),
        fault="missing",
        share=(after - before) / (1 - before),
        evidence=f"missing in {after:.0%} of the rows, {before:.0%} before",
    )


def _stuck(reference: "pd.Series[Any]", hit: "pd.Series[Any]") -> ColumnFault | None:
    """One value where there used to be many: in all rows, or in some while the others keep to what they were."""
    before, after = as_labels(reference.dropna()), as_labels(hit.dropna())
    if not len(after) or not len(before):
        return None
    values, shares = _shares(before, after)
    gains = shares[1] - shares[0]
    top = int(np.argmax(gains))
    usual, share = float(shares[0][top]), float(shares[1][top])
    alone = gains[top] >= CONCENTRATED * gains[gains > 0].sum() and len(values) >= MANY
    if gains[top] < VISIBLE or not (share >= STUCK or alone):
        return None
    value = str(values[top])
    frozen = _is_usual(reference, value) and not (value.casefold() in FILLERS and usual < RARE)
    return ColumnFault(
        column=str(reference.name),
        fault="frozen" if frozen else "default_value",
        share=(share - usual) / (1 - usual),
        evidence=f"{value} in {share:.0%} of the rows, {usual:.1%} before",
        value=value,
    )


def _shares(before: Labels, after: Labels) -> tuple[Labels, Floats]:
    """Every value of two windows, and its share in each."""
    values, codes = np.unique(np.concatenate([before, after]), return_inverse=True)
    counts = [np.bincount(part, minlength=len(values)) for part in (codes[: len(before)], codes[len(before) :])]
    return values, np.array([counts[0] / len(before), counts[1] / len(after)])


def _is_usual(reference: "pd.Series[Any]", value: str) -> bool:
    """Whether the reference could have it: inside Tukey's fences or its extremes, or among its categories."""
    if kind_of(reference) == "numeric":
        known, number = as_numbers(reference), float(pd.to_numeric(value, errors="coerce"))
        known = known[np.isfinite(known)]
        if not len(known):
            return False
        low, high = (2 * quarter for quarter in np.quantile(known / 2, [0.25, 0.75]).tolist())
        fence = 1.5 * (high - low)
        return bool(min(known.min(), low - fence) <= number <= max(known.max(), high + fence))
    return bool(np.isin(value, as_labels(reference.dropna())))


def _is_time(values: "pd.Series[Any]") -> bool:
    """Whether a column holds times: those advance, and nothing is wrong with that."""
    return bool(pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_timedelta64_dtype(values))


def _affine(reference: "pd.Series[Any]", hit: "pd.Series[Any]") -> ColumnFault | None:
    """Another unit, or a constant added."""
    found = affine(as_numbers(reference), as_numbers(hit))
    if found is None:
        return None
    return ColumnFault(
        column=str(reference.name),
        fault="shifted" if found.factor == 1 else "scaled",
        share=1.0,
        evidence=found.evidence,
        factor=found.factor,
        offset=found.offset,
    )


def _new_values(reference: "pd.Series[Any]", hit: "pd.Series[Any]") -> ColumnFault | None:
    before, after = as_labels(reference.dropna()), as_labels(hit.dropna())
    if not len(after):
        return None
    unseen = ~np.isin(after, np.unique(before))
    if unseen.mean() < VISIBLE:
        return None
    names = sorted(set(after[unseen]))[:3]
    return ColumnFault(
        column=str(reference.name),
        fault="new_values",
        share=float(unseen.mean()),
        evidence=f"values never seen before in {unseen.mean():.0%} of the rows, such as {', '.join(names)}",
    )


def _swaps(found: Sequence[ColumnFault], reference: pd.DataFrame, current: pd.DataFrame) -> list[ColumnFault]:
    """Name the columns that hold each other's values."""
    rows = {row.column: row for row in found}
    loose = [row.column for row in found if row.fault in ("distribution", "new_values")]
    for one, other in combinations(loose, 2):
        free = rows[one].partner is None and rows[other].partner is None
        if free and _exchanged((one, other), reference, current):
            rows[one], rows[other] = _swapped(one, other), _swapped(other, one)
    return list(rows.values())


def _swapped(column: str, partner: str) -> ColumnFault:
    evidence = f"holds the values of {partner}"
    return ColumnFault(column=column, fault="swapped", share=1.0, evidence=evidence, partner=partner)


def _exchanged(pair: tuple[str, str], reference: pd.DataFrame, current: pd.DataFrame) -> bool:
    """Whether each column resembles the other's past far more than its own."""
    one, other = pair
    straight = _apart(reference[one], current[one]), _apart(reference[other], current[other])
    crossed = _apart(reference[one], current[other]), _apart(reference[other], current[one])
    return max(crossed) <= ALIKE * min(straight)


def _apart(before: "pd.Series[Any]", after: "pd.Series[Any]") -> float:
    """Total variation over common cells."""
    shares = cells(before, after).shares()
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def mend(fault: ColumnFault, current: pd.DataFrame) -> "pd.Series[Any]":
    """Undo a fault that can be undone from the wrong values themselves.

    Returns
    -------
    Series
        The column as it would have been; rows before the fault began are as they were.

    Raises
    ------
    ValueError
        If the fault has destroyed the values, as a frozen column has.

    Examples
    --------
    >>> fault = ColumnFault(column="age", fault="scaled", share=0.5, evidence="times 12", factor=12.0, since=1)
    >>> mend(fault, pd.DataFrame({"age": [30.0, 480.0]})).tolist()
    [30.0, 40.0]
    """
    if not fault.invertible:
        raise ValueError(f"a column that is {fault.fault} holds no trace of its true values")
    if fault.partner is not None:
        return current[fault.partner].rename(fault.column)
    wrong = hit(fault, current)
    values = as_numbers(current[fault.column])
    mended = np.where(wrong, (values - fault.offset) / fault.factor, values)
    return pd.Series(mended, index=current.index, name=fault.column)


def hit(fault: ColumnFault, current: pd.DataFrame) -> Mask:
    """Which current rows the fault hit, as far as the values tell.

    Returns
    -------
    ndarray of bool, shape (rows,)
        For a frozen column also rows whose true value happens to be the one it is stuck on.
    """
    after = np.arange(len(current)) >= fault.since
    values = current[fault.column]
    if fault.fault == "missing":
        return np.asarray(after & values.isna().to_numpy())
    if fault.value is not None:
        return np.asarray(after & (as_labels(values) == fault.value))
    return np.asarray(after)
