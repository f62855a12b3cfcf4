"""What moved: a valid two-sample test, an effect with an interval, and materiality for every column.

A distribution that differs is an observation, not a cause: harm decides. With many rows every p-value alarms, so a
column is called moved only if its effect is material too.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.columns import Floats, Kind, Labels, as_labels, as_numbers, kind_of
from rca.analysis.result import Result, Row
from rca.analysis.two_sample import (
    RAREST,
    Counts,
    benjamini_hochberg,
    chi_square,
    distance_interval,
    is_sparse,
    kolmogorov_smirnov,
    rates_interval,
    two_rates,
    variation_interval,
)
from rca.errors import InvalidCase, Unanswerable, did_you_mean
from rca.finding import Finding, Interval, Target

MATERIAL = 0.05
"""Smallest effect that is called a move: one row in twenty would have to change."""

COMMONEST = 50
"""Categories shown and tested by name; the rest are one."""

OTHER, MISSING = "(other)", "(missing)"


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Shares of rows per bin or category, in both windows."""

    labels: tuple[str, ...]
    reference: tuple[float, ...]
    current: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class ColumnDrift:
    """How far one aspect of a column moved.

    Attributes
    ----------
    column : str
    aspect : {'values', 'missing'}
        Missingness is tested on its own; values are compared among rows that have one.
    kind : {'numeric', 'categorical'}
    test : str
        The two-sample test behind `p_value`.
    statistic, p_value, q_value : float
        `q_value` controls the false discovery rate over the whole table (Benjamini-Hochberg).
    effect : float
        Between 0 and 1: Kolmogorov-Smirnov distance (numeric), total variation (categorical), difference of rates
        (missing). At least that share of rows would have to change for the windows to agree.
    interval : Interval
        Of `effect`; simultaneous bands, so conservative.
    moved : bool
        Whether the change is beyond chance and material.
    profile : Profile
    """

    column: str
    aspect: Literal["values", "missing"]
    kind: Kind
    test: str
    statistic: float
    p_value: float
    q_value: float
    effect: float
    interval: Interval
    moved: bool
    profile: Profile

    @property
    def name(self) -> str:
        """The column, and what of it is meant."""
        return self.column if self.aspect == "values" else f"missing:{self.column}"

    def __str__(self) -> str:
        verb = "moved" if self.moved else "did not move materially"
        sure = f"q = {self.q_value:.2g}" if self.q_value >= 0.001 else "q < 0.001"
        return f"{self.name} {verb}: effect {self.effect:.3f} ({self.interval}), {sure}"


@dataclass(frozen=True, kw_only=True)
class Drift(Result):
    """What moved between the windows, largest effect first."""

    columns: tuple[ColumnDrift, ...]
    alpha: float
    material: float
    n_reference: int
    n_current: int

    def __str__(self) -> str:
        moved = self.moved()
        names = ", ".join(moved[:5]) + (", …" if len(moved) > 5 else "")
        return f"{len(moved)} of {len({row.column for row in self.columns})} columns moved" + (
            f": {names}" if moved else ""
        )

    def moved(self) -> tuple[str, ...]:
        """Columns that moved, in values or in missingness, the farthest first."""
        return tuple(dict.fromkeys(row.column for row in self.columns if row.moved))

    def __getitem__(self, column: str) -> ColumnDrift:
        found = [row for row in self.columns if row.column == column]
        if not found:
            raise KeyError(column)
        return found[0]

    def rows(self) -> list[Row]:
        return [
            {
                "column": row.name,
                "test": row.test,
                "effect": row.effect,
                "interval": str(row.interval),
                "q": row.q_value,
                "moved": row.moved,
            }
            for row in self.columns
        ]

    def findings(self) -> tuple[Finding, ...]:
        return tuple(_finding(row) for row in self.columns if row.moved)


def _finding(row: ColumnDrift) -> Finding:
    return Finding(
        id=f"drift.{row.name}",
        notebook="drift",
        claim=str(row),
        cause=Target(kind="feature", name=row.column),
        effect=row.effect,
        unit="share of rows",
        interval=row.interval,
        q_value=row.q_value,
        strength="suggested",
        assumptions=("rows are independent of each other",),
    )


def drift(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    features: Iterable[str] | None = None,
    categorical: Iterable[str] = (),
    alpha: float = 0.05,
    material: float = MATERIAL,
) -> Drift:
    """Test every column of two windows for a change in its values and in its missingness.

    Parameters
    ----------
    reference, current : pandas.DataFrame
        Rows before and during the failure, with the same columns.
    features : iterable of str, optional
        Columns to test; all of the reference's where left out.
    categorical : iterable of str
        Numeric columns that are codes.
    alpha : float
        False discovery rate.
    material : float
        Smallest effect that is called a move.

    Returns
    -------
    Drift
        One row for the values of each column, and one for its missingness where any value is missing.

    Raises
    ------
    InvalidCase
        If a column is not in both windows.
    Unanswerable
        If a window is empty.

    Examples
    --------
    >>> before = pd.DataFrame({"a": np.arange(500.0), "b": ["x", "y"] * 250})
    >>> after = before.assign(a=before["a"] + 100)
    >>> print(drift(before, after))
    1 of 2 columns moved: a
    """
    names = list(reference.columns if features is None else features)
    for window, rows in (("reference", reference), ("current", current)):
        _require(names, rows, window)
    if min(len(reference), len(current)) == 0:
        raise Unanswerable("what moved", "a window has no rows")
    codes = set(categorical)
    tested = [row for name in names for row in _column(name, reference[name], current[name], coded=name in codes)]
    q_values = benjamini_hochberg([row.p_value for row in tested])
    judged = [
        replace(row, q_value=q, moved=bool(q <= alpha and row.effect >= material))
        for row, q in zip(tested, q_values, strict=True)
    ]
    judged.sort(key=lambda row: (-row.effect, row.name))
    return Drift(
        columns=tuple(judged), alpha=alpha, material=material, n_reference=len(reference), n_current=len(current)
    )


def _require(names: Iterable[str], rows: pd.DataFrame, window: str) -> None:
    for name in names:
        if name not in rows:
            known = map(str, rows.columns)
            raise InvalidCase.because(f"no column {name!r}", place=window, hint=did_you_mean(name, known))


def _column(name: str, reference: "pd.Series[Any]", current: "pd.Series[Any]", *, coded: bool) -> list[ColumnDrift]:
    """The values that both windows have, and the missingness where either has any."""
    missing = reference.isna().to_numpy(), current.isna().to_numpy()
    numeric = kind_of(reference, coded=coded) == kind_of(current, coded=coded) == "numeric"
    rows = []
    if not (missing[0].all() or missing[1].all()):
        known = reference[~missing[0]], current[~missing[1]]
        rows.append(_numeric(name, *map(as_numbers, known)) if numeric else _categorical(name, *map(as_labels, known)))
    if missing[0].any() or missing[1].any():
        rows.append(_missing(name, *missing, kind="numeric" if numeric else "categorical"))
    return rows


def _numeric(name: str, reference: Floats, current: Floats) -> ColumnDrift:
    distance, p_value = kolmogorov_smirnov(reference, current)
    return ColumnDrift(
        column=name,
        aspect="values",
        kind="numeric",
        test="two-sample Kolmogorov-Smirnov",
        statistic=distance,
        p_value=p_value,
        q_value=p_value,
        effect=distance,
        interval=distance_interval(distance, len(reference), len(current)),
        moved=False,
        profile=_histogram(reference, current),
    )


def _histogram(reference: Floats, current: Floats, bins: int = 20) -> Profile:
    """Shares in equal bins over the reference's middle 98 %, and beyond."""
    known = reference[np.isfinite(reference)]
    low, high = np.quantile(known, [0.01, 0.99]) if len(known) else (0.0, 1.0)
    inner = 2 * np.linspace(low / 2, high / 2, bins + 1) if high > low else np.array([low, np.nextafter(low, np.inf)])
    edges = np.concatenate([[-np.inf], inner, [np.inf]])
    shares = [np.histogram(window, edges)[0] / len(window) for window in (reference, current)]
    labels = [f"{a:.4g} to {b:.4g}" for a, b in pairwise(inner)]
    return Profile(
        labels=(f"below {low:.4g}", *labels, f"{inner[-1]:.4g} and above"),
        reference=tuple(shares[0].tolist()),
        current=tuple(shares[1].tolist()),
    )


def _categorical(name: str, reference: Labels, current: Labels) -> ColumnDrift:
    labels, counts = count_table(reference, current)
    statistic, p_value = chi_square(counts)
    n, m = counts.sum(axis=1)
    shares = counts / counts.sum(axis=1, keepdims=True)
    effect = float(np.abs(shares[0] - shares[1]).sum() / 2)
    return ColumnDrift(
        column=name,
        aspect="values",
        kind="categorical",
        test="two-sample chi-square",
        statistic=statistic,
        p_value=p_value,
        q_value=p_value,
        effect=effect,
        interval=variation_interval(effect, shares, (int(n), int(m))),
        moved=False,
        profile=Profile(labels=labels, reference=tuple(shares[0].tolist()), current=tuple(shares[1].tolist())),
    )


def count_table(reference: Labels, current: Labels) -> tuple[tuple[str, ...], Counts]:
    """Counts of each category in both windows, the commonest first and the rare ones as one.

    Parameters
    ----------
    reference, current : ndarray of object, shape (rows,)
        Text, without missing values.

    Returns
    -------
    labels : tuple of str
        Distinct, and the rare ones last.
    counts : ndarray of int, shape (2, len(labels))

    Examples
    --------
    >>> count_table(np.array(["a"] * 9 + ["b"] * 9 + ["c"], object), np.array(["a"] * 9, object))
    (('a', '(other)'), array([[ 9, 10],
           [ 9,  0]]))
    """
    codes, names = pd.factorize(pd.Index(np.concatenate([reference, current])), sort=True)
    windows = codes[: len(reference)], codes[len(reference) :]
    counts = np.vstack([np.bincount(window, minlength=len(names)) for window in windows])
    order = np.argsort(-counts.sum(axis=0), kind="stable")
    counts, ranked = counts[:, order], [str(names[i]) for i in order]
    keep = max(1, int(min(COMMONEST, (counts.sum(axis=0) >= RAREST).sum())))
    if keep == len(ranked):
        return tuple(ranked), counts
    rest = counts[:, keep:].sum(axis=1, keepdims=True)
    return (*ranked[:keep], _unlike(ranked[:keep], OTHER)), np.hstack([counts[:, :keep], rest])


def _unlike(taken: Collection[str], name: str) -> str:
    """A name, in more brackets if it is taken."""
    return _unlike(taken, f"({name})") if name in taken else name


def _missing(name: str, reference: npt.NDArray[np.bool_], current: npt.NDArray[np.bool_], *, kind: Kind) -> ColumnDrift:
    counts = np.array([[(~window).sum(), window.sum()] for window in (reference, current)])
    p_value = two_rates(counts)
    rates = counts[:, 1] / counts.sum(axis=1)
    effect = float(abs(rates[1] - rates[0]))
    return ColumnDrift(
        column=name,
        aspect="missing",
        kind=kind,
        test="Fisher's exact test" if is_sparse(counts) else "two-sample chi-square",
        statistic=effect,
        p_value=p_value,
        q_value=p_value,
        effect=effect,
        interval=rates_interval(rates, counts.sum(axis=1)),
        moved=False,
        profile=Profile(
            labels=("present", MISSING), reference=(1 - rates[0], rates[0]), current=(1 - rates[1], rates[1])
        ),
    )
