"""SHAP dependence curves of both windows, and a test whether the same value of a feature is explained differently."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.arrays import Counts, Floats
from rca.tables.columns import as_labels, as_numbers, kind_of

BINS, COMMONEST = 20, 12
"""Bins of numbers, and categories that are kept apart."""

MIN_ROWS = 10
"""Rows of both windows that a bin needs, to be compared."""


@dataclass(frozen=True, kw_only=True)
class DependenceCurve:
    """SHAP dependence of a feature: its mean SHAP value by bin of its own value, in both windows.

    Attributes
    ----------
    column : str
    labels : tuple of str
        Middle of a bin of numbers, or a category; the last may be missing values.
    numeric : bool
    reference, current : tuple of float or None
        Mean SHAP value in the bin, in the margin's unit; None where a window has too few rows there.
    errors : tuple of (float, float) or None
        Their standard errors.
    rows : tuple of (int, int)
        Rows of each window.
    """

    column: str
    labels: tuple[str, ...]
    numeric: bool
    reference: tuple[float | None, ...]
    current: tuple[float | None, ...]
    errors: tuple[tuple[float, float] | None, ...]
    rows: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Binned:
    """A column of both windows on common bins.

    Attributes
    ----------
    labels : list of str
    numeric : bool
    place : (ndarray of int, ndarray of int)
        Bin of each row.
    values : (ndarray, ndarray)
        Numbers; zeros where they are missing or there is no order.
    """

    labels: list[str]
    numeric: bool
    place: tuple[Counts, Counts]
    values: tuple[Floats, Floats]


def binned(reference: "pd.Series[Any]", current: "pd.Series[Any]") -> Binned:
    """Common bins: quantile bins of both windows together for numbers; the commonest categories and the rest otherwise.

    Examples
    --------
    >>> found = binned(pd.Series([1.0, 2.0, None]), pd.Series([2.0, 9.0]))
    >>> found.labels, found.place[0].tolist()
    (['1', '2', '9', 'missing'], [0, 1, 3])
    """
    if kind_of(reference) == "numeric" and kind_of(current) == "numeric":
        return _numbers(as_numbers(reference), as_numbers(current))
    return _categories(pd.Series(as_labels(reference)), pd.Series(as_labels(current)))


def _numbers(reference: Floats, current: Floats) -> Binned:
    both = np.concatenate([reference, current])
    known = both[np.isfinite(both)]
    distinct = np.unique(known)
    ends = distinct
    if len(distinct) > BINS:
        ends = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:], method="inverted_cdf"))
    places = np.minimum(np.searchsorted(ends, both), max(len(ends) - 1, 0))
    gone = ~np.isfinite(both)
    places[gone] = len(ends)
    middles = [
        float(np.median(both[places == at])) if (places == at).any() else float(end) for at, end in enumerate(ends)
    ]
    n = len(reference)
    values = np.where(gone, 0.0, both)
    return Binned(
        labels=[f"{middle:.4g}" for middle in middles] + ["missing"] * bool(gone.any()),
        numeric=True,
        place=(places[:n], places[n:]),
        values=(values[:n], values[n:]),
    )


def _categories(reference: "pd.Series[Any]", current: "pd.Series[Any]") -> Binned:
    both = pd.concat([reference, current], ignore_index=True)
    counts = both.value_counts()
    common = sorted(counts.index, key=lambda name: (-counts[name], str(name)))[:COMMONEST]
    place = {name: at for at, name in enumerate(common)}
    labels = [str(name) for name in common]
    rest = both.notna() & ~both.isin(common)
    places = both.map(place).fillna(-1).to_numpy(dtype=np.int64)
    for mask, name in ((rest, "(others)"), (both.isna(), "missing")):
        if mask.any():
            places[mask.to_numpy()] = len(labels)
            labels.append(name)
    n, zeros = len(reference), np.zeros(len(both))
    return Binned(labels=labels, numeric=False, place=(places[:n], places[n:]), values=(zeros[:n], zeros[n:]))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sums:
    """Per bin of one window: counts, means, and centred sums of squares and products."""

    n: Floats
    value: Floats
    shap: Floats
    squares: tuple[Floats, Floats, Floats]

    @classmethod
    def of(cls, places: Counts, size: int, values: Floats, *, shap: Floats) -> "_Sums":
        n = np.bincount(places, minlength=size).astype(float)

        def mean(of: Floats) -> Floats:
            return np.asarray(np.bincount(places, of, size) / np.maximum(n, 1))

        value, worth = mean(values), mean(shap)
        apart, off = values - value[places], shap - worth[places]
        squares = [
            np.asarray(np.bincount(places, product, size), dtype=float)
            for product in (apart * apart, apart * off, off * off)
        ]
        return cls(n=n, value=value, shap=worth, squares=(squares[0], squares[1], squares[2]))

    @property
    def error(self) -> Floats:
        return np.asarray(np.sqrt(self.squares[2] / np.maximum(self.n * (self.n - 1), 1)))


def _both(bins: Binned, shap: tuple[Floats, Floats]) -> tuple[_Sums, _Sums]:
    size = len(bins.labels)
    return (
        _Sums.of(bins.place[0], size, bins.values[0], shap=shap[0]),
        _Sums.of(bins.place[1], size, bins.values[1], shap=shap[1]),
    )


def curve(column: str, bins: Binned, shap: tuple[Floats, Floats]) -> DependenceCurve:
    """SHAP dependence curves of a column in both windows.

    Parameters
    ----------
    column : str
    bins : Binned
    shap : (ndarray, ndarray)
        SHAP values of the column, a row each.
    """
    before, after = _both(bins, shap)
    enough = [side.n >= MIN_ROWS for side in (before, after)]
    errors = np.stack([before.error, after.error], axis=1)
    return DependenceCurve(
        column=column,
        labels=tuple(bins.labels),
        numeric=bins.numeric,
        reference=tuple(v if ok else None for v, ok in zip(before.shap.tolist(), enough[0].tolist(), strict=True)),
        current=tuple(v if ok else None for v, ok in zip(after.shap.tolist(), enough[1].tolist(), strict=True)),
        errors=tuple(
            (float(e[0]), float(e[1])) if ok else None for e, ok in zip(errors, enough[0] & enough[1], strict=True)
        ),
        rows=tuple((int(n), int(m)) for n, m in zip(before.n, after.n, strict=True)),
    )


def curve_change(bins: Binned, shap: tuple[Floats, Floats]) -> tuple[float, float, float]:
    """Change of the dependence curve, root mean square over bins; its standard error and chi-square p-value.

    In each bin the windows' means are compared at the same value, along the line that both share there, so that rows
    that moved within a bin do not count as another explanation.

    Returns
    -------
    change, error, p_value : float
        In the margin's unit. Chance is taken off the square; the p-value is chi-square's, of alike curves.

    References
    ----------
    Cochran (1957), Biometrics 13(3), section 3: means adjusted by the regression within groups.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, y = pd.Series(rng.normal(size=2000)), pd.Series(rng.normal(size=2000) + 1)
    >>> same = curve_change(binned(x, y), (2 * x.to_numpy(), 2 * y.to_numpy()))
    >>> turned = curve_change(binned(x, y), (2 * x.to_numpy(), -2 * y.to_numpy()))
    >>> round(same[0], 3), turned[0] > 2, turned[2] < 1e-6
    (0.0, True, True)
    """
    from scipy.special import chdtrc

    before, after = _both(bins, shap)
    usable = (before.n >= MIN_ROWS) & (after.n >= MIN_ROWS)
    if not usable.any():
        return 0.0, 0.0, 1.0
    across = before.squares[0] + after.squares[0]
    slope = np.where(across > 0, (before.squares[1] + after.squares[1]) / np.where(across > 0, across, 1), 0.0)
    moved = after.value - before.value
    gap = (after.shap - before.shap - slope * moved)[usable]
    free = np.maximum(before.n + after.n - 3, 1)
    left = np.maximum(before.squares[2] + after.squares[2] - slope * (before.squares[1] + after.squares[1]), 0) / free
    spread = (
        1 / np.maximum(before.n, 1)
        + 1 / np.maximum(after.n, 1)
        + np.where(across > 0, moved**2, 0) / np.where(across > 0, across, 1)
    )
    scale = float(np.mean(np.abs(np.concatenate(shap)))) or 1.0
    variance = np.maximum((left * spread)[usable], (1e-9 * scale) ** 2)
    weight = (before.n + after.n)[usable]
    weight = weight / weight.sum()
    square = float(weight @ (gap**2 - variance))
    error = float(np.sqrt((weight**2) @ (4 * gap**2 * variance + 2 * variance**2)))
    change = float(np.sqrt(max(square, 0.0)))
    statistic = float((gap**2 / variance).sum())
    return change, error / (2 * change) if change > 0 else np.sqrt(error), float(chdtrc(len(gap), statistic))
