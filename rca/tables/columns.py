"""Type coercion of pandas columns: a column as doubles or as text labels, whatever dtype it is stored in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from rca.arrays import Floats, Labels, Mask, Places

Kind = Literal["numeric", "categorical"]

FARTHEST = 1e100
"""Numbers are clipped here before a model is fitted to them, so that their squares are finite."""

WHOLE = 2.0**53
"""Whole numbers from here on are not all distinct as doubles, so that they are not spelled as integers."""


def kind_of(values: "pd.Series[Any]", *, coded: bool = False) -> Kind:
    """Whether a column is numeric (compared by order) or categorical, by its dtype.

    Parameters
    ----------
    values : pandas.Series
    coded : bool
        Whether its numbers are codes.

    Examples
    --------
    >>> kind_of(pd.Series([1.5, 2.0])), kind_of(pd.Series([1, 2]), coded=True), kind_of(pd.Series(["a"]))
    ('numeric', 'categorical', 'categorical')
    """
    if coded or pd.api.types.is_bool_dtype(values) or pd.api.types.is_complex_dtype(values):
        return "categorical"
    ordered = pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values)
    return "numeric" if ordered else "categorical"


def as_numbers(values: "pd.Series[Any]") -> Floats:
    """Coerce a column to doubles: times become seconds since 1970, missing values NaN.

    Returns
    -------
    ndarray of shape (rows,)

    Examples
    --------
    >>> as_numbers(pd.Series(["1970-01-02", None], dtype="datetime64[us, UTC]")).tolist()
    [86400.0, nan]
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        seconds = values.astype("int64").to_numpy(float) / _ticks(values)
        return np.where(values.isna(), np.nan, seconds)
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iuf":
        return np.asarray(values.to_numpy(float) + 0.0)  # there is one zero: -0.0 would be spelled otherwise
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(float, na_value=np.nan)
    return np.asarray(numbers + 0.0)


def _ticks(values: "pd.Series[Any]") -> float:
    """Ticks a second of a datetime column, with or without a zone."""
    return {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[values.dt.unit]


def without_infinities(numbers: Floats) -> Floats:
    """Replace infinities by NaN, as tree learners need.

    >>> without_infinities(np.array([1.0, np.inf])).tolist()
    [1.0, nan]
    """
    return np.where(np.isinf(numbers), np.nan, numbers)


def for_trees(seen: Floats) -> Floats:
    """Replace columns without any value, which tree learners refuse, by zeros.

    Parameters
    ----------
    seen : ndarray of shape (rows, columns)

    Examples
    --------
    >>> for_trees(np.array([[1.0, np.nan], [np.nan, np.nan]])).tolist()
    [[1.0, 0.0], [nan, 0.0]]
    """
    return np.where(np.isnan(seen).all(axis=0), 0.0, seen)


def as_labels(values: "pd.Series[Any]") -> Labels:
    """Coerce a column to text labels, one spelling a value (2 and 2.0 are the same); missing values NaN.

    Returns
    -------
    ndarray of object, shape (rows,)
        How a value is spelled depends on nothing else in the column.

    Examples
    --------
    >>> as_labels(pd.Series([2.0, 2.5, None])).tolist()
    ['2', '2.5', nan]
    """
    distinct, place = spelled_once(values)
    return np.append(distinct, np.nan)[place]


def spelled_once(values: "pd.Series[Any]") -> tuple[Labels, Places]:
    """The distinct values of a column as labels, and where each row's stands among them; -1 where it has none."""
    if pd.api.types.is_object_dtype(values):  # where 1 and True share a hash
        codes, labels = pd.factorize(_spelled(values))
        return labels, codes
    codes, distinct = pd.factorize(values)
    return _spelled(pd.Series(distinct)), codes


def _spelled(values: "pd.Series[Any]") -> Labels:
    known = values.notna().to_numpy()
    scalars = values.to_numpy() if pd.api.types.is_float_dtype(values) else values.to_numpy(dtype=object)
    labels = np.full(len(values), np.nan, dtype=object)
    labels[known] = [_spelling(scalar) for scalar in scalars[known]]
    return labels


def _spelling(scalar: object) -> str:
    number = float(scalar) if isinstance(scalar, float | np.floating) else np.nan
    whole = number.is_integer() and abs(number) < WHOLE
    return str(int(number)) if whole else encodable(str(scalar))


def encodable(text: str) -> str:
    r"""Make a text encodable in UTF-8: lone surrogates (half of a UTF-16 pair) are escaped.

    >>> encodable("a" + chr(0xD800))
    'a\\ud800'
    """
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def in_short(label: str, limit: int = 60) -> str:
    """Truncate a label for display.

    >>> in_short("abcdefgh", limit=5)
    'abcd…'
    """
    return label if len(label) <= limit else label[: limit - 1] + "…"


def column_name(name: object) -> str:
    """Normalise a column's name to text, whatever type the table gives it.

    >>> column_name("age"), column_name(0)
    ('age', '0')
    """
    return encodable(str(name))


def holds(values: "pd.Series[Any]", value: str | float) -> Mask:
    """Rows equal to a value, compared as number or as label; a row without a value equals none.

    >>> holds(pd.Series([1.0, None]), "1").tolist(), holds(pd.Series(["1", "0"]), 1).tolist()
    ([True, False], [True, False])
    """
    if not isinstance(value, str):
        return np.asarray(as_numbers(values) == float(value))
    labels = as_labels(values)
    number = pd.to_numeric(value, errors="coerce")
    return np.asarray((labels == value) | (labels == _spelling(float(number))), dtype=bool)


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """Frequency-rank encoding of columns for tree learners; numbers stay as they are.

    Attributes
    ----------
    columns : tuple of str
    codes : dict of str to dict of str to int
        Categorical column → category → rank; a category that was not seen in fitting is missing.
    """

    columns: tuple[str, ...]
    codes: dict[str, dict[str, int]]

    @classmethod
    def fit(cls, rows: pd.DataFrame, columns: Sequence[str]) -> "Encoder":
        """Fit the frequency ranks of the categories of some columns."""
        labelled = [name for name in columns if kind_of(rows[name]) == "categorical"]
        ranks = {name: list(pd.Series(as_labels(rows[name])).value_counts().index) for name in labelled}
        return cls(
            columns=tuple(columns), codes={name: {v: i for i, v in enumerate(order)} for name, order in ranks.items()}
        )

    def __call__(self, rows: pd.DataFrame) -> Floats:
        if not self.columns:
            return np.zeros((len(rows), 1))
        return np.column_stack([self._column(rows, name) for name in self.columns])

    def _column(self, rows: pd.DataFrame, name: str) -> Floats:
        if name in self.codes:
            distinct, place = spelled_once(rows[name])
            return np.array([*(self.codes[name].get(value, np.nan) for value in distinct), np.nan])[place]
        return np.clip(without_infinities(as_numbers(rows[name])), -FARTHEST, FARTHEST)
