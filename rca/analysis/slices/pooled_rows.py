"""Pooled rows of both windows with a random split into a half to search and a half to test.

The split depends on what the rows hold and on the draw, and not on the order of rows or columns.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Labels, Mask
from rca.methods.metric import Parts
from rca.tables.columns import as_labels, as_numbers, kind_of

MOST_ROWS = 200_000
"""Most rows of a window that are used; more are sampled."""

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pool:
    """Pooled rows that count, the reference first, with window and split indicators.

    Attributes
    ----------
    columns : dict of str to ndarray of shape (rows,)
        Doubles where a column is compared by order, else text; NaN where a value is missing.
    text : tuple of str
        Columns of free text.
    current, searched : ndarray of bool, shape (rows,)
        Which rows are of the current window, and which are in the half that is searched.
    weight, value : ndarray of shape (rows,)
        Denominator and numerator of the metric.
    """

    columns: dict[str, Floats | Labels]
    text: tuple[str, ...]
    current: Mask
    searched: Mask
    weight: Floats
    value: Floats


def pooled(windows: Windows, parts: tuple[Parts, Parts], *, rng: np.random.Generator) -> Pool:
    """Pool both windows' rows on the columns that slices may use, and split them at random.

    Parameters
    ----------
    windows : Windows
    parts : tuple of Parts
        Of the reference and the current rows.
    rng : numpy.random.Generator
    """
    rows = [_counted(one, rng) for one in parts]
    frames = windows.reference.iloc[rows[0]], windows.current.iloc[rows[1]]
    current = np.repeat([False, True], [len(one) for one in rows])
    weight, value = (
        np.concatenate([getattr(one, name)[at].sum(axis=1) for one, at in zip(parts, rows, strict=True)])
        for name in ("denominator", "numerator")
    )
    columns = {name: _read(frames[0][name], frames[1][name], windows) for name in _names(windows)}
    marks = _marks({**columns, "": value, " ": weight, "  ": current.astype(float)})
    order = np.lexsort((marks, current))
    return Pool(
        columns={name: values[order] for name, values in columns.items()},
        text=tuple(name for name in windows.roles.text if name in columns),
        current=current[order],
        searched=rng.random(len(order)) < 0.5,
        weight=weight[order],
        value=value[order],
    )


def _counted(parts: Parts, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    rows = np.flatnonzero(parts.denominator.any(axis=1))
    return rows if len(rows) <= MOST_ROWS else np.sort(rng.choice(rows, MOST_ROWS, replace=False))


def _names(windows: Windows) -> list[str]:
    """Groups, features and texts in both windows, without times and the columns that the metric is computed from."""
    roles = windows.roles
    apart = {roles.time, roles.label, roles.prediction, roles.score, roles.weight, roles.id, windows.meter.outcome}
    asked = dict.fromkeys((*roles.groups, *roles.features, *roles.text))
    both = windows.reference, windows.current
    return [
        name
        for name in asked
        if name not in apart
        and all(name in rows and not pd.api.types.is_datetime64_any_dtype(rows[name]) for rows in both)
    ]


def _read(reference: "pd.Series[Any]", current: "pd.Series[Any]", windows: Windows) -> Floats | Labels:
    both = reference, current
    coded = reference.name in windows.roles.categorical
    if reference.name not in windows.roles.text and all(kind_of(one, coded=coded) == "numeric" for one in both):
        return np.concatenate([as_numbers(one) for one in both])
    return np.concatenate([as_labels(one) for one in both])


def _marks(columns: dict[str, Floats | Labels]) -> Hashes:
    """Hash of each row's content, independent of the order of the columns."""
    total = np.zeros(len(next(iter(columns.values()))), dtype=np.uint64)
    for name, values in columns.items():
        total += _mixed(_hashed(values) ^ _hashes([name])[0])
    return _mixed(total)


def _hashed(values: Floats | Labels) -> Hashes:
    if values.dtype != object:
        return np.where(np.isnan(values), np.nan, values + 0.0).view(np.uint64)
    codes, distinct = pd.factorize(values)
    return np.append(_hashes(distinct), np.uint64(0))[codes]


def _hashes(texts: Iterable[object]) -> Hashes:
    plain = [str(text).encode("utf-8", "backslashreplace").decode() for text in texts]
    return pd.util.hash_array(np.array(plain, dtype=object), categorize=False)


def _mixed(numbers: Hashes) -> Hashes:
    """SplitMix64 finaliser: Steele, Lea & Flood (2014), OOPSLA, figure 16."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        numbers = (numbers ^ (numbers >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(numbers ^ (numbers >> np.uint64(31)))
