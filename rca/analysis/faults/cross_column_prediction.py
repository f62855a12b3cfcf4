"""What the other columns of a row say of one: linear in ranks, cross-fitted, and all columns from one matrix a fold.

A relation judged on the rows that taught it looks closer than it is: of many columns of noise each goes with some
others by chance. So both windows are cut into the same folds of consecutive rows, and each row of either is judged by
the one model that did not see that fold of the reference: what is left of a relation is then comparable between them.

References
----------
Stone (1974), J. R. Stat. Soc. B 36(2), section 3: cross-validatory assessment.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from rca.arrays import Floats, Places
from rca.tables.calendar import Calendar
from rca.tables.columns import as_labels, as_numbers, kind_of

MAX_ROWS = 20_000
"""Rows that relations are learned from."""

LEVELS = 6
"""Categories of a column that count, the commonest."""

FOLDS = 5
"""Parts of the reference, each judged by a model of the others."""

BLOCKS = 20
"""Parts of consecutive rows over which the error of a correlation is taken, as rows resemble those before them."""

MOST_OF_ALL = 0.9
"""Share of the rows up to which one value is not nearly the only one."""

NO_MORE = 0.01
"""Product of two autocorrelations from which a row is taken to go on no more."""

LEAST = 1e-9
"""Standard deviation below which a series does not vary."""

AT_ONCE = 2_000_000
"""Numbers of which correlations are taken at once."""

RIDGE = 1e-3
"""Added to every variance, so that a column that repeats others does no harm."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """Both windows as ranks and levels, each column read once.

    Attributes
    ----------
    scales : dict of str to ndarray
        Quantiles of each numeric column of the reference: a value counts as its rank among them.
    windows : (ndarray of shape (rows, entries), ndarray)
        A rank from -1 to 1 for each numeric column, a missing one in the middle; then zeros and ones for categories,
        and one zero.
    entries : dict of str to slice
        Of each column.
    """

    scales: dict[str, Floats]
    windows: tuple[Floats, Floats]
    entries: dict[str, slice]

    @classmethod
    def of(
        cls, reference: pd.DataFrame, current: pd.DataFrame, columns: Sequence[str], *, codes: Collection[str] = ()
    ) -> "Design":
        """Read the columns of both windows."""
        numeric = {name for name in columns if kind_of(reference[name], coded=name in codes) == "numeric"}
        some = _some(len(reference))
        scales: dict[str, Floats] = {}
        parts: tuple[list[Floats], list[Floats]] = ([], [])
        entries, end = {}, 0
        for name in sorted(columns, key=lambda one: one not in numeric):
            if name in numeric:
                values = [as_numbers(rows[name]) for rows in (reference, current)]
                scales[name] = _quantiles(values[0][some])
                laid = [_rank(one, scales[name])[:, None] for one in values]
            else:
                labels = [as_labels(rows[name]) for rows in (reference, current)]
                common = pd.Series(labels[0][some]).value_counts().index[:LEVELS]
                laid = [(one[:, None] == np.asarray(common, dtype=object)).astype(float) for one in labels]
            for part, one in zip(parts, laid, strict=True):
                part.append(one)
            entries[name] = slice(end, end := end + laid[0].shape[1])
        ends = (np.zeros((len(rows), 1)) for rows in (reference, current))
        windows = [np.hstack([*part, zeros]) for part, zeros in zip(parts, ends, strict=True)]
        return cls(scales=scales, windows=(windows[0], windows[1]), entries=entries)

    def among(self, columns: Sequence[str]) -> tuple[list[str], tuple[Floats, Floats]]:
        """Both windows with some of the columns alone, and which of these are numeric: they stand first."""
        asked = set(columns)
        names = [name for name in self.entries if name in asked]
        places = [np.arange(self.entries[name].start, self.entries[name].stop) for name in names]
        at = np.concatenate([*places, [self.windows[0].shape[1] - 1]])
        numeric = [name for name in names if name in self.scales]
        return numeric, (self.windows[0][:, at], self.windows[1][:, at])


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossColumnModel:
    """Linear predictions of each numeric column from all others, cross-fitted on the reference.

    Attributes
    ----------
    design : Design
    places : dict of str to int
        Where a numeric column stands in what is said.
    middle : ndarray of shape (entries,)
    said : (Said, Said)
        Of the rows of both windows, each from the fold that did not teach it.
    """

    design: Design
    places: dict[str, int]
    middle: Floats
    said: "tuple[Said, Said]"

    @classmethod
    def fit(cls, design: Design, columns: Sequence[str]) -> "CrossColumnModel":
        """Learn how columns go together."""
        numeric, windows = design.among(columns)
        places, rows = {name: i for i, name in enumerate(numeric)}, len(windows[0])
        taught, at = windows[0][_some(rows)], _some(rows)
        middle = taught.mean(axis=0) if len(taught) else np.zeros(taught.shape[1])
        folds = _cross_fitted(np.split(taught - middle, np.searchsorted(at, _cuts(rows))), len(places))
        said = [_said(window - middle, folds, places) for window in windows]
        return cls(design=design, places=places, middle=middle, said=(said[0], said[1]))

    def ranks(self, name: str, values: Floats) -> Floats:
        """Values of a numeric column as the design has them, less their middle."""
        return np.asarray(_rank(values, self.design.scales[name]) - self.middle[self.places[name]])


def _some(rows: int) -> Places:
    """Rows that relations are learned from."""
    return np.linspace(0, rows - 1, min(rows, MAX_ROWS)).astype(np.intp)


def _said(centred: Floats, folds: Sequence[Callable[[Floats], Floats]], places: dict[str, int]) -> "Said":
    parts = zip(np.split(centred, _cuts(len(centred))), folds, strict=True)
    said = np.concatenate([told(part) for part, told in parts])
    return Said(places=places, said=said, has=centred[:, : len(places)])


@dataclass(frozen=True, kw_only=True, eq=False)
class Said:
    """What the other columns of a window's rows say of each numeric column.

    Attributes
    ----------
    places : dict of str to int
        Columns of the arrays.
    said, has : ndarray of shape (rows, columns)
        The rank that is predicted, and the one that is there.
    """

    places: dict[str, int]
    said: Floats
    has: Floats

    def of(self, name: str) -> tuple[Floats, Floats]:
        """The rank that is predicted for a column, and the one it has, of shape (rows,)."""
        return self.said[:, self.places[name]], self.has[:, self.places[name]]

    @cached_property
    def _relations(self) -> tuple[Floats, Floats]:
        return relations(self.said, self.has)

    def relation(self, name: str) -> tuple[float, float]:
        """Correlation of the two, and its standard error."""
        found, error = self._relations
        return float(found[self.places[name]]), float(error[self.places[name]])


@dataclass(frozen=True, kw_only=True)
class Late:
    """What a column that lags is looked for with.

    Attributes
    ----------
    reference, current : pandas.DataFrame
        The current rows in time order.
    time, entity, outcome : str or None
        Columns of the time, of what readings are of, and of the truth.
    witness : CrossColumnModel
    """

    reference: pd.DataFrame
    current: pd.DataFrame
    time: str | None
    entity: str | None
    witness: CrossColumnModel
    outcome: str | None = None
    _calendars: "dict[str, tuple[Calendar, Calendar]]" = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def whose(self) -> "tuple[pd.Series[Any], pd.Series[Any]] | None":
        """Of whom the readings of both windows are; None where rows are of nobody."""
        if self.entity is None or any(self.entity not in rows for rows in (self.reference, self.current)):
            return None
        first, second = (
            pd.Series(as_labels(rows[self.entity]), dtype=object) for rows in (self.reference, self.current)
        )
        return first, second

    def take_turns(self, name: str) -> bool:
        """Whether each value of a column has one stretch of time to itself before, as a month, a batch or a release."""
        if self.time is None or name not in self.reference:
            return False
        codes, values = pd.factorize(as_labels(self.reference.sort_values(self.time, kind="stable")[name]))
        codes = codes[codes >= 0]
        stretches = 1 + int((np.diff(codes) != 0).sum())
        return stretches == len(values) > 1 and float(np.bincount(codes).max()) <= MOST_OF_ALL * len(codes)

    def calendars(self, period: str) -> "tuple[Calendar, Calendar]":
        """In which hour, day, week, month or quarter the rows of both windows lie; told once."""
        if period not in self._calendars:
            first, second = (Calendar.of(rows[self.time], period) for rows in (self.reference, self.current))
            self._calendars[period] = first, second
        return self._calendars[period]


def _cuts(rows: int) -> list[int]:
    """Where folds of consecutive rows end, but for the last."""
    return [rows * fold // FOLDS for fold in range(1, FOLDS)]


def _cross_fitted(parts: Sequence[Floats], wanted: int) -> tuple[Callable[[Floats], Floats], ...]:
    """Of each fold, the regression of the first entries of a design on all others, in the rows of the other folds."""
    width, rows = parts[0].shape[1], sum(map(len, parts))
    if width <= rows:
        squares = [part.T @ part for part in parts]
        total = np.asarray(sum(squares))
        return tuple(
            _regression((total - square) / max(rows - len(part) - 1, 1), wanted)
            for part, square in zip(parts, squares, strict=True)
        )
    return tuple(
        _wide_regression(np.concatenate([part for part in parts if part is not fold]), wanted) for fold in parts
    )


def _regression(spread: Floats, wanted: int) -> Callable[[Floats], Floats]:
    """Regression of each of the first columns on all others, from their covariances."""
    precision = np.linalg.inv(spread + RIDGE * np.eye(len(spread)))
    weights = -precision[:, :wanted] / np.diag(precision)[:wanted]
    np.fill_diagonal(weights, 0.0)
    return lambda rows: np.asarray(rows @ weights)


def _wide_regression(taught: Floats, wanted: int) -> Callable[[Floats], Floats]:
    """The same of more columns than rows: the inverse is that of a matrix of rows.

    References
    ----------
    Woodbury (1950), Inverting modified matrices, Princeton Statistical Research Group memorandum 42.
    """
    scaled = taught / np.sqrt(max(len(taught) - 1, 1))
    solved = np.linalg.solve(scaled @ scaled.T + RIDGE * np.eye(len(scaled)), scaled[:, :wanted])
    own = 1 - (scaled[:, :wanted] * solved).sum(axis=0)

    def told(rows: Floats) -> Floats:
        precise = rows[:, :wanted] - (rows @ scaled.T) @ solved
        return np.asarray(rows[:, :wanted] - precise / own)

    return told


def _quantiles(values: Floats) -> Floats:
    known = values[np.isfinite(values)]
    return np.quantile(known, np.linspace(0, 1, 201), method="lower") if len(known) else np.zeros(1)


def _rank(values: Floats, scale: Floats) -> Floats:
    """Mid-rank among the quantiles, from -1 to 1."""
    low, high = (np.searchsorted(scale, values, side=side) for side in ("left", "right"))
    return np.asarray(np.where(np.isfinite(values), (low + high) / len(scale) - 1, 0.0))


def relation(said: Floats, has: Floats) -> tuple[float, float]:
    """Correlation of two series of rows, and its standard error over blocks of consecutive rows.

    Parameters
    ----------
    said, has : ndarray of shape (rows,)

    Returns
    -------
    correlation, error : float
        0 and infinity where one of them does not vary, or there are too few rows to say.

    Examples
    --------
    >>> relation(np.arange(100.0), np.ones(100))
    (0.0, inf)
    """
    found, error = relations(said[:, None], has[:, None])
    return float(found[0]), float(error[0])


def relations(said: Floats, has: Floats) -> tuple[Floats, Floats]:
    """Correlations of the columns of two arrays, and their standard errors, as `relation` has them.

    Parameters
    ----------
    said, has : ndarray of shape (rows, columns)

    Returns
    -------
    correlations, errors : ndarray of shape (columns,)

    References
    ----------
    Davison & Hinkley (1997), Bootstrap Methods, section 2.7 (influence of a row on a correlation) and 8.2 (blocks).
    """
    found, error = np.zeros(said.shape[1]), np.full(said.shape[1], np.inf)
    telling = np.flatnonzero(np.minimum(said.std(axis=0), has.std(axis=0)) >= LEAST) if len(said) else np.zeros(0)
    if len(said) < 2 * BLOCKS or not len(telling):
        return found, error
    for some in np.array_split(telling, max(1, said.size // AT_ONCE)):
        one, other = ((values - values.mean(axis=0)) / values.std(axis=0) for values in (said[:, some], has[:, some]))
        found[some] = close = (one * other).mean(axis=0)
        influence = one * other - close * (one**2 + other**2) / 2
        means = np.stack([part.mean(axis=0) for part in np.array_split(influence, BLOCKS)])
        goes_on = (1 - close**2) * np.sqrt(_rows_a_row(one, other) / len(said))
        error[some] = np.maximum(means.std(axis=0, ddof=1) / np.sqrt(BLOCKS), goes_on)
    return found, error


def effective_rows(values: Floats) -> float:
    """Rows of a series that say as much as all of its rows do: all, if none resembles the one before or most of them.

    Of a flag, no more than twice those that do not hold the commonest value.

    >>> effective_rows(np.repeat([0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0], 5)) < 20
    True
    """
    commonest = int(np.unique(values, return_counts=True)[1].max())
    once = float(_rows_a_row(values[:, None], values[:, None])[0])
    return min(len(values) / once, 2.0 * (len(values) - commonest))


def rows_a_row(values: Floats) -> float:
    """How many rows of a series say as much of a mean or a share as one that no row before it resembles; 1 at least.

    >>> rows_a_row(np.repeat(np.random.default_rng(0).normal(size=200), 5)) > 3
    True
    """
    if len(values) < 2 * BLOCKS:
        return 1.0
    told = (values / max(float(np.abs(values).max()), LEAST))[:, None]
    return max(1.0, 2 * float(_rows_a_row(told, told)[0]) - 1)


def _rows_a_row(one: Floats, other: Floats) -> Floats:
    """How many rows say as much of a correlation as one that no row before resembles, of shape (columns,).

    References
    ----------
    Bartlett (1935), J. R. Stat. Soc. 98(3): the sum of products of autocorrelations; up to the first that is none,
    as in Geyer (1992), Stat. Sci. 7(4), section 3.3.
    """
    from scipy.signal import fftconvolve

    both = []
    for values in (one, other):
        apart = values - values.mean(axis=0)
        lagged = fftconvolve(apart, apart[::-1], axes=0)[len(values) - 1 :]
        both.append(lagged / np.maximum(lagged[0], 1e-9))
    products = both[0] * both[1] * ((both[0] > 0) & (both[1] > 0))
    resembling = np.logical_and.accumulate(products >= NO_MORE, axis=0)
    return np.asarray(2 * (products * resembling).sum(axis=0) - 1)
