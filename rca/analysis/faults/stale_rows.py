"""Values of an earlier period in some rows of a period, beside those that hold the period's own.

A column that is a function of time, as an index of the day or a rate of the month, has one value a period. Where a
cache, a branch or one of two feeds lags, some rows hold the value of some periods before, and the others betray them.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from rca.tables.columns import as_labels

Late: TypeAlias = dict[int, str]

LONGEST = 400
"""Most periods by which rows may be late, and most split periods that are looked at."""

VARIED = 3
"""Split periods with late values that differ, below which it may be a coincidence."""

EXPLAINED = 0.9
"""Share of the split periods that one lag has to explain."""


def late_rows(
    before: "pd.Series[Any]", periods: "pd.Series[Any]", values: "pd.Series[Any]"
) -> tuple[int, tuple[tuple[int, str], ...]] | None:
    """The lag of the rows that hold another value than their period's own, and that value of each period.

    Parameters
    ----------
    before : Series of str
        The value of each period of the reference.
    periods : Series of int, shape (rows,)
        Period of each current row; below 0 where it has none.
    values : Series, shape (rows,)

    Returns
    -------
    tuple or None
        Periods too late, and late values by period; None where no lag explains two values a period.

    Examples
    --------
    >>> walk = np.array([3.1, 4.0, 3.7, 4.4, 4.9, 4.2, 3.9, 4.6])
    >>> day = np.repeat(np.arange(4, 8), 2)
    >>> now = pd.Series(np.where(np.arange(8) % 2, walk[day - 2], walk[day]))
    >>> late_rows(pd.Series(walk[:4].astype(str)), pd.Series(day), now)
    (2, ((4, '3.7'), (5, '4.4'), (6, '4.9'), (7, '4.2')))
    """
    known = ((periods >= 0) & values.notna()).to_numpy(bool)
    held: dict[int, list[str]] = {}
    labels = as_labels(values.iloc[np.flatnonzero(known)])
    for period, label in sorted(set(zip(periods.to_numpy()[known].tolist(), labels.tolist(), strict=True))):
        held.setdefault(period, []).append(label)
    split = [period for period, told in held.items() if len(told) == 2][:LONGEST]
    more = sum(len(told) > 2 for told in held.values())
    if len(split) < VARIED or more > len(split):
        return None
    reach = min(LONGEST, max(held) - int(before.index.min())) if len(before) else 0
    own = {int(at): str(value) for at, value in zip(before.index, before, strict=True)}
    tried = [(lag, _explained(own, held, lag)) for lag in range(1, reach + 1)]
    lag, found = max(tried, key=lambda one: len(one[1]), default=(0, {}))
    asked = sum(period - lag >= int(before.index.min()) for period in split)
    if len(set(found.values())) < VARIED or len(found) < EXPLAINED * asked:
        return None
    usual = float(np.mean(before.reindex(before.index - lag).to_numpy() == before.to_numpy()))
    whole = _explained(own, held, lag, whole=True) if usual < 1 - EXPLAINED else {}
    return lag, tuple(sorted((whole | found).items()))


def _explained(before: Mapping[int, str], held: Mapping[int, list[str]], lag: int, *, whole: bool = False) -> Late:
    """Late value of each period that holds what was its own `lag` periods before, beside another, or in all rows."""
    own, late = dict(before), {}
    for period, told in held.items():
        earlier = own.get(period - lag)
        rest = [label for label in told if label != earlier]
        if len(rest) == 1:
            own[period] = rest[0]
        if earlier in told and (len(rest) == 1 or (whole and not rest)):
            late[period] = str(earlier)
    return late
