"""Type coercion of Arrow arrays to doubles or label counts, with the same semantics as `columns` has for pandas."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.arrays import Floats
from rca.tables.columns import Kind, as_labels, as_numbers, kind_of

Array = Any
"""A pyarrow Array; pyarrow publishes no types."""

SECONDS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
"""Ticks a second of Arrow's units of time."""

WIDEST = 8
"""Bytes of the widest number that Arrow has."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Numbers:
    """The values of an array as doubles, with counts of missing and unreadable rows.

    Attributes
    ----------
    values : ndarray of shape (rows that have one,)
        Times are seconds since 1970. NaN is missing too; it is left in for the reader to count.
    missing : int
        Rows without a value, or with one that is no number.
    unread : int
        Those of them that have one.
    """

    values: Floats
    missing: int
    unread: int = 0


def kind_of_type(stored: Any) -> Kind:
    """Whether an Arrow type is numeric (compared by order) or categorical.

    Examples
    --------
    >>> import pyarrow as pa
    >>> kind_of_type(pa.float32()), kind_of_type(pa.timestamp("us")), kind_of_type(pa.bool_())
    ('numeric', 'numeric', 'categorical')
    """
    from pyarrow import types

    ordered = (types.is_integer, types.is_floating, types.is_decimal, types.is_temporal)
    return "numeric" if any(test(stored) for test in ordered) and not types.is_interval(stored) else "categorical"


def is_text(stored: Any) -> bool:
    """Whether an Arrow type is text, plain or dictionary-encoded."""
    from pyarrow import types

    if types.is_dictionary(stored):
        return is_text(stored.value_type)
    return bool(types.is_string(stored) or types.is_large_string(stored) or types.is_string_view(stored))


def is_time(stored: Any) -> bool:
    """Whether an Arrow type is a timestamp or a date."""
    from pyarrow import types

    return bool(types.is_timestamp(stored) or types.is_date(stored))


def numbers(array: Array) -> Numbers:
    """Coerce an array to doubles; text is parsed where it is a number.

    Examples
    --------
    >>> import pyarrow as pa
    >>> found = numbers(pa.array(["1.5", None, "n/a"]))
    >>> found.values.tolist(), found.missing, found.unread
    ([1.5], 2, 1)
    """
    from pyarrow import types

    if types.is_dictionary(array.type):
        return numbers(array.dictionary_decode())
    missing = array.null_count
    known = array.drop_null() if missing else array
    if is_text(array.type):
        parsed = pd.to_numeric(known.to_pandas(), errors="coerce").to_numpy(float, na_value=np.nan)
        read = parsed[~np.isnan(parsed)]
        return Numbers(values=read, missing=missing + len(parsed) - len(read), unread=len(parsed) - len(read))
    if types.is_boolean(array.type) or kind_of_type(array.type) == "numeric":
        return Numbers(values=_doubles(known), missing=missing)
    return Numbers(values=np.empty(0), missing=len(array), unread=len(known))


def _doubles(known: Array) -> Floats:
    """Values of an array without nulls, in seconds where they are times."""
    import pyarrow as pa
    from pyarrow import types

    if types.is_float64(known.type):
        return np.asarray(known.to_numpy(zero_copy_only=False))
    if types.is_date(known.type):
        return _doubles(known.cast(pa.timestamp("s")))
    if types.is_temporal(known.type):
        bits = pa.int32() if types.is_time32(known.type) else pa.int64()
        return np.asarray(known.view(bits).to_numpy() / SECONDS[known.type.unit])
    if types.is_decimal(known.type):
        known = known.cast(pa.float64())
    return np.asarray(known.to_numpy(zero_copy_only=False), dtype=float)


def label_counts(array: Array) -> tuple[dict[str, int], int]:
    """Value counts by label, one spelling a value, and the number of missing rows (null or NaN).

    Examples
    --------
    >>> import pyarrow as pa
    >>> label_counts(pa.array([2.0, 2.5, 2.0, None]))
    ({'2': 2, '2.5': 1}, 1)
    """
    from pyarrow import types

    if types.is_null(array.type):
        return {}, len(array)
    if types.is_nested(array.type) or types.is_binary(array.type) or types.is_large_binary(array.type):
        codes, distinct = pd.factorize(as_labels(pd.Series(array.to_pylist(), dtype=object)))
        return _added(list(distinct), codes[codes >= 0], len(array))
    coded = array if types.is_dictionary(array.type) else _encoded(array)
    codes = (coded.indices.drop_null() if coded.indices.null_count else coded.indices).to_numpy()
    return _added(_spelled(coded.dictionary), codes, len(array))


def _added(labels: list[Any], codes: npt.NDArray[np.integer[Any]], rows: int) -> tuple[dict[str, int], int]:
    """Sum rows by label; a label may come twice, and one that is not text counts as missing."""
    total: dict[str, int] = {}
    for label, count in zip(labels, np.bincount(codes, minlength=len(labels)).tolist(), strict=True):
        if count and isinstance(label, str):
            total[label] = total.get(label, 0) + count
    return total, rows - sum(total.values())


def _encoded(array: Array) -> Array:
    import pyarrow as pa
    from pyarrow import types

    return (array.cast(pa.large_string()) if types.is_string_view(array.type) else array).dictionary_encode()


def _spelled(distinct: Array) -> list[Any]:
    if is_text(distinct.type):
        texts: list[Any] = distinct.to_pylist()
        return texts
    return list(as_labels(pd.Series(distinct.to_pandas())))


def lengths(array: Array) -> Numbers:
    """Length of each text in characters.

    Examples
    --------
    >>> import pyarrow as pa
    >>> lengths(pa.array(["née", "", None])).values.tolist()
    [3.0, 0.0]
    """
    from pyarrow import types

    if types.is_dictionary(array.type) and is_text(array.type):
        return numbers(_text_lengths(array.dictionary).take(array.indices))
    if not is_text(array.type):
        return Numbers(values=np.empty(0), missing=len(array), unread=len(array) - array.null_count)
    return numbers(_text_lengths(array))


def _text_lengths(texts: Array) -> Array:
    import pyarrow as pa
    from pyarrow import compute, types

    return compute.utf8_length(texts.cast(pa.large_string()) if types.is_string_view(texts.type) else texts)


def from_pandas(values: "pd.Series[Any]") -> Array:
    """Convert a pandas column to Arrow, zero-copy where its type allows: an Array or a ChunkedArray.

    Objects become the type that all of them have, or else their labels.

    Examples
    --------
    >>> from_pandas(pd.Series([1, "a", None], dtype=object)).to_pylist()
    ['1', 'a', None]
    """
    import pyarrow as pa

    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iuf":
        numbers = values.to_numpy()
        return pa.array(numbers if numbers.itemsize <= WIDEST else numbers.astype(float), from_pandas=False)
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowException, UnicodeError, OverflowError, TypeError, ValueError):
        return _written(values)  # neither numbers nor text to Arrow: complex, mixed, intervals
    return _written(values) if isinstance(array.type, pa.BaseExtensionType) else array


def _written(values: "pd.Series[Any]") -> Array:
    import pyarrow as pa

    if kind_of(values) == "numeric":
        return pa.array(as_numbers(values))
    texts = [label if isinstance(label, str) else None for label in as_labels(values)]
    return pa.array(texts, type=pa.large_string())
