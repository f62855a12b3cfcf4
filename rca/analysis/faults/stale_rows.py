"""Values in rows that are not theirs: of an earlier period beside the period's own, or of rows that nothing tells.

A column that is a function of time, as an index of the day or a rate of the month, has one value a period. Where a
cache, a branch or one of two feeds lags, some rows hold the value of some periods before, and the others betray them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.cross_column_prediction import BLOCKS, CrossColumnModel, Design, Said, effective_rows
from rca.arrays import Floats, Labels
from rca.tables.columns import as_labels, as_numbers

LONGEST = 400
"""Most periods by which rows may be late, and most split periods that are looked at."""

LOOKED_AT, TRIED = 50, 20
"""Split periods by which the likeliest lags are chosen, and how many of these are tried on all."""

VARIED = 3
"""Split periods with late values that differ, below which it may be a coincidence."""

EXPLAINED = 0.9
"""Share of the split periods that one lag has to explain."""


TELLS = 0.2
"""Correlation with what the other columns predict, from which they can tell that a column is out of step."""

CHANCE = 0.01
"""Of calling any column of a table out of place where none is."""

TAUGHT = 2**0.5
"""Error of a correlation in the rows that taught the models of one another, in errors of one in new rows."""

PART = 0.15
"""Share of the correlation with what the others say that a column has to lose, to be called out of place."""


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
    labels = as_told(values.iloc[np.flatnonzero(known)])
    for period, label in sorted(set(zip(periods.to_numpy()[known].tolist(), labels.tolist(), strict=True))):
        held.setdefault(period, []).append(label)
    split = [period for period, told in held.items() if len(told) == 2][:LONGEST]
    more = sum(len(told) > 2 for told in held.values())
    if len(split) < VARIED or more > len(split):
        return None
    reach = min(LONGEST, max(held) - int(before.index.min())) if len(before) else 0
    own = {int(at): str(value) for at, value in zip(before.index, before, strict=True)}
    likely = sorted(range(1, reach + 1), key=lambda lag: -_fits(own, held, split[:LOOKED_AT], lag=lag))[:TRIED]
    tried = [(lag, _explained(own, held, lag)) for lag in sorted(likely)]
    best = max(tried, key=lambda one: (len(one[1].late.keys() & set(split)), -one[1].changes), default=None)
    if best is None:
        return None
    lag, late = best[0], best[1].late
    found = [late[period] for period in split if period in late]
    asked = sum(period - lag >= int(before.index.min()) for period in split)
    return (lag, tuple(late.items())) if len(set(found)) >= VARIED and len(found) >= EXPLAINED * asked else None


def as_told(values: "pd.Series[Any]") -> Labels:
    """Values as text, numbers to single precision: the same one may have gone through another type on its way.

    >>> len(set(as_told(pd.Series([3.56, 3.56 + 1e-9, 3.57]))))
    2
    """
    return as_labels(single_precision(values))


def single_precision(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Floats in 32 bits, those too large for them infinite; all else as it is."""
    if not pd.api.types.is_float_dtype(values):
        return values
    with np.errstate(over="ignore"):
        return pd.Series(as_numbers(values).astype(np.float32), index=values.index)


def _fits(own: Mapping[int, str], held: Mapping[int, list[str]], split: Sequence[int], *, lag: int) -> int:
    """Split periods that hold any value of `lag` periods before, which every period that the lag explains does."""

    def told(at: int) -> Sequence[str]:
        return held.get(at) or ([own[at]] if at in own else [])

    return sum(not set(held[at]).isdisjoint(told(at - lag)) for at in split)


@dataclass(frozen=True, kw_only=True)
class _Explained:
    """Late value by period, and how often the series that is left changes: of two lags the one that leaves it calm."""

    late: dict[int, str]
    changes: int


def _explained(before: Mapping[int, str], held: Mapping[int, list[str]], lag: int) -> _Explained:
    """Late value of each period that holds what was its own `lag` periods before: beside another, or in all its rows.

    Where all rows hold that, a series that changes from period to period is late as a whole; one that often stays as it
    was has stayed.
    """
    stays = np.mean([before.get(at - lag) == value for at, value in before.items()]) > 1 - EXPLAINED
    own, late = dict(before), {}
    for period, told in held.items():
        earlier = own.get(period - lag)
        rest = [label for label in told if label != earlier]
        if len(rest) == 1 or (stays and not rest):
            own[period] = (rest or told)[0]
        if earlier in told and (len(rest) == 1 or not (rest or stays)):
            late[period] = str(earlier)
    changes = sum(own.get(period) != own.get(period - 1) for period in held)
    return _Explained(late=late, changes=changes)


# -- values in the wrong rows -----------------------------------------------------------------------------------------


def mispaired(design: Design, columns: Sequence[str]) -> list[ColumnFault]:
    """Name the columns whose values belong to other rows, the one that lost most first.

    A fault that keeps a column's distribution can only have mixed up rows: a join on the wrong key, a lag of which the
    order is not on record. The other columns tell: where they predicted the column, they no longer do. Of columns that
    go together the one out of place takes the others with it; so it is set aside, and the rest is asked again.

    Parameters
    ----------
    design : Design
        Of both windows.
    columns : sequence of str
        That neither moved nor broke.

    Returns
    -------
    list of ColumnFault
        `stale`, by no lag that is known; all rows are suspect, since none shows by itself that it was hit.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(2000, 1))
    >>> rows = pd.DataFrame(z + 0.5 * rng.normal(size=(2000, 3)), columns=list("abc"))
    >>> late = rows.assign(b=rows["b"].shift(1).bfill())
    >>> [fault.column for fault in mispaired(Design.of(rows, late, list("abc")), list("abc"))]
    ['b']
    """
    asked, found = list(columns), []
    while len(asked) > 1 and (worst := _worst(design, asked)) is not None:
        found.append(worst)
        asked.remove(worst.column)
    return found


def _worst(design: Design, columns: Sequence[str]) -> ColumnFault | None:
    """The column that lost the most of its correlation with what the others say of it; None where none lost much."""
    witness = CrossColumnModel.fit(design, columns)
    errors = _errors(len(witness.places))
    lost = {name: loss for name in witness.places if (loss := _loss(*witness.said, name, errors=errors)) is not None}
    if not lost:
        return None
    name = min(lost, key=lambda one: lost[one][1] / lost[one][0])
    words = "values are the usual ones, and no longer go with the other columns of their row"
    evidence = "{}: correlation {:.2f}, {:.2f} before".format(words, *lost[name][::-1])
    return ColumnFault(column=name, fault="stale", share=1.0, evidence=evidence)


def _errors(columns: int) -> float:
    """Standard errors that chance takes from none of so many columns, but for `CHANCE`.

    References
    ----------
    Dunn (1961), J. Am. Stat. Assoc. 56(293): Bonferroni's bound, with Student's t.
    """
    from scipy.stats import t

    return float(t.isf(CHANCE / max(columns, 1), 2 * (BLOCKS - 1)))


def _loss(before: Said, now: Said, name: str, *, errors: float) -> tuple[float, float] | None:
    """Correlation of a column with what the others say, before and now; None where too little is lost."""
    return lost(before.of(name), now.of(name), (before.relation(name), now.relation(name)), errors=errors)


def lost(
    reference: tuple[Floats, Floats],
    current: tuple[Floats, Floats],
    relations: tuple[tuple[float, float], tuple[float, float]],
    *,
    errors: float,
) -> tuple[float, float] | None:
    """Correlation before and now; None where no part worth the name is lost beyond chance.

    Of columns that wander for most of a window, and of rare flags, chance is not known. Two rows of the reference teach
    each other's model, so that what chance makes of the two counts twice there.
    """
    (before, error), (now, other) = relations
    told = before >= TELLS and now <= (1 - PART) * before
    if not told or before - now < errors * np.hypot(TAUGHT * error, other):
        return None
    enough = min(effective_rows(has) for _, has in (reference, current)) >= 2 * BLOCKS
    return (before, now) if enough else None
