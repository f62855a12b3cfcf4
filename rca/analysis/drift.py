"""What moved: a valid two-sample test, an effect with an interval, and materiality for every column.

A distribution that differs is an observation, not a cause: harm decides. With many rows every p-value alarms, so a
column is called moved only if its effect is material too.
"""

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.result import Result, Row
from rca.errors import InvalidCase, Unanswerable, did_you_mean
from rca.finding import Finding, Interval, Target

Floats = npt.NDArray[np.float64]
Kind = Literal["numeric", "categorical"]

MATERIAL = 0.05
"""Smallest effect that is called a move: one row in twenty would have to change."""

EXACT_UP_TO = 1_000_000
"""Product of the sample sizes up to which the Kolmogorov-Smirnov p-value is exact."""

RAREST = 10
"""Categories with fewer pooled rows are tested together, so that the chi-square approximation holds."""

COMMONEST = 50
"""Categories shown and tested by name; the rest are one."""

WHOLE = 2.0**53
"""Numbers from here on are not all told apart by a double, so that they are no codes."""

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
        Between 0 and 1: Kolmogorov-Smirnov distance (numeric), total variation (categorical), difference of rates (missing).
        At least that share of rows would have to change for the windows to agree.
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
        return f"{self.name} {verb}: effect {self.effect:.3f} ({self.interval}), q = {self.q_value:.2g}"


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
    for name in names:
        if name not in reference or name not in current:
            window = "reference" if name not in reference else "current"
            known = (reference if window == "reference" else current).columns
            raise InvalidCase.because(f"no column {name!r}", place=window, hint=did_you_mean(name, map(str, known)))
    if min(len(reference), len(current)) == 0:
        raise Unanswerable("what moved", "a window has no rows")
    codes = set(categorical)
    tested = [row for name in names for row in _column(name, reference[name], current[name], codes)]
    q_values = benjamini_hochberg([row.p_value for row in tested])
    judged = [
        replace(row, q_value=q, moved=bool(q <= alpha and row.effect >= material))
        for row, q in zip(tested, q_values, strict=True)
    ]
    judged.sort(key=lambda row: (-row.effect, row.name))
    return Drift(
        columns=tuple(judged), alpha=alpha, material=material, n_reference=len(reference), n_current=len(current)
    )


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Smallest false discovery rate at which each test would be rejected.

    References
    ----------
    Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57(1), eq. (1).

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03])
    [0.03, 0.04, 0.04]
    """
    if not len(p_values):
        return []
    from scipy.stats import false_discovery_control

    adjusted: list[float] = false_discovery_control(np.clip(p_values, 0, 1)).tolist()
    return adjusted


def kind_of(values: "pd.Series[Any]", *, coded: bool = False) -> Kind:
    """Whether a column is compared by order or by category."""
    if coded or pd.api.types.is_bool_dtype(values) or pd.api.types.is_complex_dtype(values):
        return "categorical"
    ordered = pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values)
    return "numeric" if ordered else "categorical"


def as_numbers(values: "pd.Series[Any]") -> Floats:
    """A column as doubles; times become seconds since 1970, missing values NaN."""
    if pd.api.types.is_datetime64_any_dtype(values):
        seconds = values.astype("int64").to_numpy(float) / _ticks(values)
        return np.where(values.isna(), np.nan, seconds)
    return pd.to_numeric(values, errors="coerce").to_numpy(float, na_value=np.nan)


def _ticks(values: "pd.Series[Any]") -> float:
    return float({"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}[getattr(values.dtype, "unit", "ns")])


def as_labels(values: "pd.Series[Any]") -> npt.NDArray[np.object_]:
    """A column as text, one spelling a value: 2 and 2.0 are the same category."""
    if pd.api.types.is_float_dtype(values):
        whole = values.dropna()
        if len(whole) and whole.abs().max() < WHOLE and (whole == whole.round()).all():
            values = values.astype("Int64")
    return values.astype(str).to_numpy(dtype=object)


def _column(name: str, reference: "pd.Series[Any]", current: "pd.Series[Any]", codes: set[str]) -> list[ColumnDrift]:
    rows = []
    missing = reference.isna().to_numpy(), current.isna().to_numpy()
    kinds = {kind_of(window, coded=name in codes) for window in (reference, current)}
    numeric = kinds == {"numeric"}
    if not (missing[0].all() or missing[1].all()):
        whole = reference[~missing[0]], current[~missing[1]]
        rows.append(
            _numeric(name, as_numbers(whole[0]), as_numbers(whole[1])) if numeric else _categorical(name, *whole)
        )
    if missing[0].any() or missing[1].any():
        rows.append(_missing(name, missing[0], missing[1], "numeric" if numeric else "categorical"))
    return rows


def kolmogorov_smirnov(reference: Floats, current: Floats) -> tuple[float, float]:
    """Largest distance between two empirical distribution functions, and its p-value.

    References
    ----------
    Exact where the product of the sizes is at most a million; else Stephens (1970), J. R. Stat. Soc. B 32(1), table 1.
    """
    from scipy.special import kolmogorov
    from scipy.stats import ks_2samp

    n, m = len(reference), len(current)
    if n * m <= EXACT_UP_TO:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # windows nearly the same: rounding takes the exact p over 1
            found = ks_2samp(reference, current, method="exact")
        return float(found.statistic), min(1.0, float(found.pvalue))
    first, second = np.sort(reference), np.sort(current)
    steps = np.concatenate([first, second])
    gaps = np.searchsorted(first, steps, side="right") / n - np.searchsorted(second, steps, side="right") / m
    distance, root = float(np.abs(gaps).max()), math.sqrt(n * m / (n + m))
    return distance, float(kolmogorov((root + 0.12 + 0.11 / root) * distance))


def _band(effect: float, n: int, m: int) -> Interval:
    """Interval of a distance whose estimate is within 1.358 standardised units of the truth in 95 % of draws."""
    half = 1.358 * math.sqrt(1 / n + 1 / m)
    return Interval(low=max(0.0, effect - half), high=min(1.0, effect + half))


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
        interval=_band(distance, len(reference), len(current)),
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


def _categorical(name: str, reference: "pd.Series[Any]", current: "pd.Series[Any]") -> ColumnDrift:
    labels, counts = count_table(as_labels(reference), as_labels(current))
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
        interval=_variation_interval(effect, shares, (int(n), int(m))),
        moved=False,
        profile=Profile(labels=labels, reference=tuple(shares[0].tolist()), current=tuple(shares[1].tolist())),
    )


def count_table(
    reference: npt.NDArray[np.object_], current: npt.NDArray[np.object_]
) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    """Counts of each category in both windows, the commonest first and the rare ones as one.

    Returns
    -------
    labels : tuple of str
    counts : ndarray of shape (2, len(labels))
    """
    both = np.concatenate([reference, current])
    codes, names = pd.factorize(pd.Index(both), sort=True)
    tables = np.vstack(
        [np.bincount(part, minlength=len(names)) for part in (codes[: len(reference)], codes[len(reference) :])]
    )
    order = np.argsort(-tables.sum(axis=0), kind="stable")
    tables, ranked = tables[:, order], [str(names[i]) for i in order]
    keep = max(1, int(min(COMMONEST, (tables.sum(axis=0) >= RAREST).sum())))
    if keep < len(ranked):
        rest = tables[:, keep:].sum(axis=1, keepdims=True)
        return (*ranked[:keep], OTHER), np.hstack([tables[:, :keep], rest])
    return tuple(ranked), tables


def chi_square(counts: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Pearson's two-sample statistic of a table with one row a window, and its p-value; (0, 1) for a single category."""
    from scipy.stats import chi2_contingency

    counts = counts[:, counts.sum(axis=0) > 0]
    if counts.shape[1] < 2:
        return 0.0, 1.0
    found = chi2_contingency(counts, correction=False)
    return float(found.statistic), float(found.pvalue)


def _variation_interval(effect: float, shares: Floats, sizes: tuple[int, int]) -> Interval:
    """Interval of a total variation.

    The estimate is within ``e = sqrt(log(40) / 2 * (1/n + 1/m))`` of its mean in 95 % of draws (McDiarmid's inequality: one
    row moves it by 1/n), and its mean exceeds the truth by at most half the sum of the cells' standard errors.
    """
    n, m = sizes
    spread = math.sqrt(math.log(2 / 0.05) / 2 * (1 / n + 1 / m))
    bias = float(np.sqrt(shares[0] * (1 - shares[0]) / n + shares[1] * (1 - shares[1]) / m).sum() / 2)
    return Interval(low=max(0.0, effect - spread - bias), high=min(1.0, effect + spread))


def _missing(name: str, reference: npt.NDArray[np.bool_], current: npt.NDArray[np.bool_], kind: Kind) -> ColumnDrift:
    counts = np.array([[(~window).sum(), window.sum()] for window in (reference, current)])
    p_value = _two_rates(counts)
    rates = counts[:, 1] / counts.sum(axis=1)
    effect = float(abs(rates[1] - rates[0]))
    return ColumnDrift(
        column=name,
        aspect="missing",
        kind=kind,
        test="Fisher's exact test" if counts.min() < RAREST else "two-sample chi-square",
        statistic=effect,
        p_value=p_value,
        q_value=p_value,
        effect=effect,
        interval=_rates_interval(rates, counts.sum(axis=1)),
        moved=False,
        profile=Profile(
            labels=("present", MISSING), reference=(1 - rates[0], rates[0]), current=(1 - rates[1], rates[1])
        ),
    )


def _two_rates(counts: npt.NDArray[np.int64]) -> float:
    from scipy.stats import fisher_exact

    if counts.min() < RAREST:
        return float(fisher_exact(counts).pvalue)
    return chi_square(counts)[1]


def _rates_interval(rates: Floats, sizes: npt.NDArray[np.int64]) -> Interval:
    """Interval of the absolute difference of two rates.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, method 10 (Wilson limits of each rate, squared and added).
    """
    z = 1.959963984540054
    centre = (rates + z**2 / (2 * sizes)) / (1 + z**2 / sizes)
    half = z * np.sqrt(rates * (1 - rates) / sizes + z**2 / (4 * sizes**2)) / (1 + z**2 / sizes)
    low, high = centre - half, centre + half
    difference = rates[1] - rates[0]
    below = difference - math.hypot(rates[1] - low[1], high[0] - rates[0])
    above = difference + math.hypot(high[1] - rates[1], rates[0] - low[0])
    ends = sorted((abs(below), abs(above)))
    return Interval(low=float(ends[0]) if below * above > 0 else 0.0, high=float(ends[1]))
