"""Columns that are one thing: those that the record names together, and columns of lists, such as embeddings."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rca.arrays import Floats
from rca.record.case import Roles
from rca.record.check import vector_length

LONGEST = 24
"""Places of a vector up to which each is a column; of longer ones as many principal components are."""


def spread_out(
    reference: pd.DataFrame, current: pd.DataFrame, roles: Roles
) -> tuple[pd.DataFrame, pd.DataFrame, Roles]:
    """Features that hold lists of numbers, as blocks of columns; all else as it is.

    A long vector is told by its coordinates along the principal axes of the reference.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    roles : Roles

    Examples
    --------
    >>> rows = pd.DataFrame({"word": [[1.0, 2.0], [3.0, 4.0]], "x": [1, 2]})
    >>> before, _, roles = spread_out(rows, rows, Roles.of(rows))
    >>> before.columns.tolist(), roles.features, roles.blocks
    (['x', 'word[0]', 'word[1]'], ('x', 'word[0]', 'word[1]'), (('word', ('word[0]', 'word[1]')),))
    """
    windows, blocks = [reference, current], dict(roles.blocks)
    for name in roles.features:
        lengths = {vector_length(rows[name]) for rows in windows if name in rows}
        if len(lengths) != 1 or (length := lengths.pop()) is None:
            continue
        held = [_matrix(rows[name], length) for rows in windows]
        laid = held if length <= LONGEST else _principal(*held)
        columns = tuple(f"{name}[{at}]" for at in range(laid[0].shape[1]))
        if any(column in rows for column in columns for rows in windows):
            continue
        blocks[name] = columns
        windows = [
            pd.concat([rows.drop(columns=name), pd.DataFrame(told, columns=columns, index=rows.index)], axis=1)
            for rows, told in zip(windows, laid, strict=True)
        ]
        rest = (one for one in roles.features if one != name)
        roles = replace(roles, features=(*rest, *columns), blocks=tuple(blocks.items()))
    return windows[0], windows[1], roles


def _matrix(values: "pd.Series[Any]", length: int) -> Floats:
    empty = np.full(length, np.nan)
    return np.array([np.asarray(cell, dtype=float) if np.ndim(cell) else empty for cell in values]).reshape(-1, length)


def _principal(reference: Floats, current: Floats) -> list[Floats]:
    """Coordinates along the axes on which the reference varies most, and the length of what they leave out."""
    known = reference[np.isfinite(reference).all(axis=1)]
    middle = known.mean(axis=0) if len(known) else np.zeros(reference.shape[1])
    axes = np.linalg.svd(known - middle, full_matrices=False)[2][: LONGEST - 1]
    laid = []
    for rows in (reference, current):
        along = (rows - middle) @ axes.T
        left = np.linalg.norm(rows - middle - along @ axes, axis=1)
        laid.append(np.column_stack([along, left]))
    return laid
