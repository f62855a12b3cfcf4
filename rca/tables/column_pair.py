"""A column of both windows coerced to one common type, whatever dtype either window is stored in."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from rca.arrays import Counts, Floats, Labels, Mask
from rca.tables.columns import as_labels, as_numbers, kind_of

Values: TypeAlias = "pd.Series[Any]"

Rows: TypeAlias = "Mask | slice"

Sort = Literal["numeric", "categorical", "boolean", "datetime", "text", "identifier"]

OWN = 0.95
"""Share of distinct values, in both windows, from which a column is an identifier."""

ENOUGH = 20
"""Rows of each window below which no column is called an identifier or a text."""

WORDY = 3
"""Mean number of words from which values that seldom repeat are texts."""

SAMPLED = 5_000
"""Most texts of each window whose words are counted."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Tally:
    """Two-window contingency table of a column's values.

    Attributes
    ----------
    labels : ndarray of object, shape (values,)
    counts : ndarray of int, shape (2, values)
        In the reference, and in the current window.
    """

    labels: Labels
    counts: Counts


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """A column of both windows in one type, with its missing rows.

    Attributes
    ----------
    kind : {'numeric', 'categorical', 'boolean', 'datetime', 'text', 'identifier'}
    missing : (ndarray of bool, ndarray of bool)
        A row of each window.
    values : (pandas.Series, pandas.Series) or None
        Of both windows in one type, without missing ones; None where a window has none.
    numbers : (ndarray, ndarray) or None
        Values that have an order: numbers, seconds since 1970, lengths of texts. Without missing ones.
    tally : Tally or None
        Values that have none.
    unseen : float or None
        Share of the current window's values, or words of its texts, that the reference does not have.
    relative : bool
        Whether times are seconds before the moment of their row, and not since 1970.
    note : str
        What a reader has to know of how the windows were made comparable; empty where nothing.
    """

    kind: Sort
    missing: tuple[Mask, Mask]
    values: tuple[Values, Values] | None = None
    numbers: tuple[Floats, Floats] | None = None
    tally: Tally | None = None
    unseen: float | None = None
    relative: bool = False
    note: str = ""

    @property
    def known(self) -> bool:
        """Whether both windows have a value at all."""
        return not any(bool(missing.all()) for missing in self.missing)


@dataclass(frozen=True, kw_only=True, eq=False)
class ColumnPair:
    """A column of both windows with cached coercions (numbers, labels, missingness), which `take` slices.

    Attributes
    ----------
    reference, current : pandas.Series
    coded : bool
        Whether its numbers are codes.

    Examples
    --------
    >>> pair = ColumnPair(reference=pd.Series(["1", None]), current=pd.Series(["1", "2", "2"]))
    >>> pair.labels[1].tolist(), pair.take(slice(None), slice(1, None)).labels[1].tolist()
    (['1', '2', '2'], ['2', '2'])
    """

    reference: Values
    current: Values
    coded: bool = False
    cut: "tuple[ColumnPair, Rows, Rows] | None" = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """What the column is called."""
        return str(self.reference.name)

    @property
    def sizes(self) -> tuple[int, int]:
        """Rows of each window."""
        return len(self.reference), len(self.current)

    def take(self, reference: Rows, current: Rows) -> "ColumnPair":
        """The same column in some rows of each window."""
        both = self.reference.iloc[reference], self.current.iloc[current]
        return replace(self, reference=both[0], current=both[1], cut=(self, reference, current))

    @cached_property
    def numbers(self) -> tuple[Floats, Floats]:
        """Both windows as doubles; times as seconds since 1970, NaN where missing."""
        return self._cut("numbers") or (as_numbers(self.reference), as_numbers(self.current))

    @cached_property
    def labels(self) -> tuple[Labels, Labels]:
        """Both windows as text labels, one spelling a value; NaN where missing."""
        return self._cut("labels") or (as_labels(self.reference), as_labels(self.current))

    @cached_property
    def missing(self) -> tuple[Mask, Mask]:
        """Which rows have no value."""
        found = self._cut("missing")
        return found or (self.reference.isna().to_numpy(bool), self.current.isna().to_numpy(bool))

    @cached_property
    def distinct(self) -> int:
        """Number of distinct values in the reference."""
        return int(self.reference.nunique())

    @property
    def ordered(self) -> bool:
        """Whether it is numeric in both windows and not a time: times advance, which is no fault."""
        both = self.reference, self.current
        return all(kind_of(one, coded=self.coded) == "numeric" and not _is_time(one) for one in both)

    def known(self, read: tuple[Any, Any]) -> tuple[Any, Any]:
        """A coercion without the missing rows."""
        return read[0][~self.missing[0]], read[1][~self.missing[1]]

    def _cut(self, reading: str) -> Any:
        """A cached coercion of all rows, sliced to these."""
        if self.cut is None:
            return None
        whole, reference, current = self.cut
        before, after = getattr(whole, reading)
        return before[reference], after[current]


def _is_time(values: Values) -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_timedelta64_dtype(values))


def read(reference: Values, current: Values, *, coded: bool = False, worded: bool = False) -> Pair:
    """Coerce a column of both windows to one common type, and classify it.

    Parameters
    ----------
    reference, current : pandas.Series
    coded : bool
        Whether its numbers are codes.
    worded : bool
        Whether it is text that people write; where values seldom repeat and have words, that is seen.

    Returns
    -------
    Pair
        Numbers, booleans and their text are the same values in both windows; its note says where a type changed.

    Examples
    --------
    >>> found = read(pd.Series([1, 2]), pd.Series(["2.0", "1"]))
    >>> found.kind, [window.tolist() for window in found.numbers], found.note
    ('numeric', [[1.0, 2.0], [2.0, 1.0]], 'numbers in the reference, text in the current window')
    """
    missing = reference.isna().to_numpy(bool), current.isna().to_numpy(bool)
    empty = Pair(kind=_empty_kind(reference, current, coded=coded), missing=missing)
    if not empty.known:
        return empty
    windows = [
        _plain(rows[~gone] if gone.any() else rows) for rows, gone in zip((reference, current), missing, strict=True)
    ]
    windows, note = _alike(windows)
    pair = replace(empty, values=(windows[0], windows[1]), note=note)
    if all(map(pd.api.types.is_bool_dtype, windows)):
        return _categories(replace(pair, kind="boolean"), windows)
    if all(kind_of(rows, coded=coded) == "numeric" for rows in windows):
        kind: Sort = "datetime" if all(map(pd.api.types.is_datetime64_any_dtype, windows)) else "numeric"
        return replace(pair, kind=kind, numbers=(as_numbers(windows[0]), as_numbers(windows[1])))
    if worded and not any(map(pd.api.types.is_numeric_dtype, windows)):
        return _texts(pair, [as_labels(rows) for rows in windows])
    return _named(_categories(replace(pair, kind="categorical"), windows), windows)


def _empty_kind(reference: Values, current: Values, *, coded: bool) -> Sort:
    numeric = kind_of(reference, coded=coded) == kind_of(current, coded=coded) == "numeric"
    return "numeric" if numeric else "categorical"


# --- types that differ ------------------------------------------------------------------------------------------------


def _plain(values: Values) -> Values:
    """Infer the dtype of objects that are all of one type, and of durations; missing values are gone already."""
    if pd.api.types.is_timedelta64_dtype(values):
        return values.dt.total_seconds()
    if not pd.api.types.is_object_dtype(values):
        return values
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    if inferred == "boolean":
        return values.astype(bool)
    if inferred in {"date", "datetime"}:
        return pd.to_datetime(values, errors="coerce", utc=True)
    return _doubles(values) if inferred in {"integer", "floating", "mixed-integer-float", "decimal"} else values


def _doubles(values: Values) -> Values:
    try:
        return pd.Series([float(value) for value in values], dtype=float)
    except OverflowError:  # a whole number beyond any double stays what it is
        return values


def _alike(windows: list[Values]) -> tuple[list[Values], str]:
    """Coerce both windows to one type where one holds as text, or as 0 and 1, what the other holds natively."""
    types = [_type(rows) for rows in windows]
    if types[0] == types[1] or "other" in types:
        return windows, ""
    if "truth" in types:
        turned = [_truths(rows) for rows in windows]
    elif "time" in types:
        turned = [_times(rows) if kind == "text" else rows for rows, kind in zip(windows, types, strict=True)]
    else:
        turned = [_numbers(rows) if kind == "text" else rows for rows, kind in zip(windows, types, strict=True)]
    known = [rows for rows in turned if rows is not None]
    if len(known) < 2:
        return windows, ""
    said = {"number": "numbers", "text": "text", "truth": "booleans", "time": "times"}
    return known, f"{said[types[0]]} in the reference, {said[types[1]]} in the current window"


def _type(values: Values) -> str:
    if pd.api.types.is_bool_dtype(values):
        return "truth"
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_complex_dtype(values):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(values):
        return "time"
    return "other" if pd.api.types.is_complex_dtype(values) else "text"


def _numbers(values: Values) -> "Values | None":
    """Text parsed as numbers; None where any of it is not one."""
    for part in (values.iloc[:100], values):
        numbers = pd.to_numeric(pd.Series(as_labels(part), dtype=object), errors="coerce")
        if numbers.isna().any():
            return None
    return numbers


def _times(values: Values) -> "Values | None":
    """Text parsed as ISO 8601 times; None where any of it is not one."""
    for part in (values.iloc[:100], values):
        moments = pd.to_datetime(pd.Series(as_labels(part)), errors="coerce", utc=True, format="ISO8601")
        if moments.isna().any():
            return None
    return moments


def _truths(values: Values) -> "Values | None":
    """Text or 0 and 1 parsed as booleans; None where any of it is neither."""
    spelled = pd.Series(as_labels(values), dtype=object)
    said = {label: {"true": True, "false": False, "1": True, "0": False}.get(label.lower()) for label in set(spelled)}
    return None if None in said.values() else spelled.map(said).astype(bool)


# --- categories, identifiers, texts -----------------------------------------------------------------------------------


def _categories(pair: Pair, windows: list[Values]) -> Pair:
    counted = tally(*windows)
    new = counted.counts[1, counted.counts[0] == 0].sum() / max(counted.counts[1].sum(), 1)
    return replace(pair, tally=counted, unseen=float(new))


def tally(reference: Values, current: Values) -> Tally:
    """Contingency table of the values of two windows, by descending pooled count, ties by name.

    Parameters
    ----------
    reference, current : pandas.Series
        Without missing values.

    Examples
    --------
    >>> found = tally(pd.Series(["a", "b", "a"]), pd.Series(["b", "c"]))
    >>> found.labels.tolist(), found.counts.tolist()
    (['a', 'b', 'c'], [[2, 1, 0], [0, 1, 1]])
    """
    (names, counts), (others, more) = _counted(reference), _counted(current)
    codes, labels = pd.factorize(pd.Index(np.concatenate([names, others]), dtype=object), sort=True)
    both = np.zeros((2, len(labels)), dtype=np.int64)
    np.add.at(both[0], codes[: len(names)], counts)
    np.add.at(both[1], codes[len(names) :], more)
    order = np.argsort(-both.sum(axis=0), kind="stable")
    return Tally(labels=np.asarray(labels, dtype=object)[order], counts=both[:, order])


def _counted(values: Values) -> tuple[Labels, Counts]:
    """Value counts, values as text."""
    spelled = as_labels(values) if pd.api.types.is_object_dtype(values) else values
    codes, distinct = pd.factorize(spelled)
    return as_labels(pd.Series(distinct)), np.bincount(codes, minlength=len(distinct))


def _named(pair: Pair, windows: list[Values]) -> Pair:
    """Classify as categorical, unless almost every row has its own value: then free text, or an identifier."""
    assert pair.tally is not None
    sizes, seen = pair.tally.counts.sum(axis=1), (pair.tally.counts > 0).sum(axis=1)
    if sizes.min() < ENOUGH or (seen < OWN / 2 * sizes).any():
        return pair
    if not any(map(pd.api.types.is_numeric_dtype, windows)):
        distinct = [pair.tally.labels[counts > 0] for counts in pair.tally.counts]
        if min(_words_a_text(_some(labels)) for labels in distinct) >= WORDY:
            return _texts(pair, [as_labels(rows) for rows in windows])
    return pair if (seen < OWN * sizes).any() else replace(pair, kind="identifier")


def _texts(pair: Pair, texts: list[Labels]) -> Pair:
    """Free text compared by its length, with the share of words that the reference does not have."""
    lengths = [np.array([len(text) for text in window], dtype=float) for window in texts]
    known = {word for text in _some(texts[0]) for word in _words(text)}
    words = [word for text in _some(texts[1]) for word in _words(text)]
    unseen = sum(word not in known for word in words) / max(len(words), 1)
    return replace(pair, kind="text", numbers=(lengths[0], lengths[1]), tally=None, unseen=unseen)


def _some(texts: Labels) -> Labels:
    """Systematic sample of the sorted texts, independent of the order of rows."""
    if len(texts) <= SAMPLED:
        return texts
    return np.asarray(np.sort(texts)[np.linspace(0, len(texts) - 1, SAMPLED).astype(int)])


def _words(text: str) -> list[str]:
    return text.casefold().split()


def _words_a_text(texts: Labels) -> float:
    return sum(len(text.split()) for text in texts) / len(texts)
