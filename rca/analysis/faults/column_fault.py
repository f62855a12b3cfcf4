"""One column's fault: what is known of it, the rows it hit, and the column as it would have been."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from rca.arrays import Floats, Mask
from rca.finding import Fault
from rca.tables.columns import as_labels, as_numbers
from rca.tables.condition import Condition, all_hold, conjunction

ROWS, READINGS = "rows", "readings"
"""Units of a lag besides spans of time: rows of the table, and readings of one entity."""


@dataclass(frozen=True, kw_only=True)
class ColumnFault:
    """How one column broke.

    Attributes
    ----------
    column : str
    fault : Fault
    share : float
        Of the current rows, those it hit.
    evidence : str
        What says so.
    value : str or None
        The value a stuck column holds.
    factor, offset : float
        ``current = factor * true + offset`` for `scaled` and `shifted`; for `swapped` the sign of `offset` says on
        which side of `cut` the partner's values lie.
    cut : float or None
        Number between the values of rows that `scaled`, `shifted` or `swapped` hit, and those of the others.
    scattered : bool
        Whether `cut` alone tells which rows were hit; else all of them were, from `since` and under `where`.
    partner : str or None
        The column whose values this one holds, for `swapped`.
    recoding : tuple of (str, str)
        For `recoded`: a value as it is now, and as it was.
    names : tuple of str
        Values that only rows that were hit hold, for `new_values` and `recoded`.
    lag : int
        For `stale`: how many of `period` too late; 0 where values are those of other rows, and nothing tells which.
    period : str
        `rows`, `readings` (of the entity `by`), or a span of the time `by`, as pandas spells it.
    by : str or None
        Column of the time or of the entity along which a stale column lags.
    where : tuple of Condition
        Only rows that fulfil all of them were hit.
    since : int
        Position, in time order, of the first current row that is hit.
    since_interval : tuple of int, or None
        95 % interval of `since`; None where rows have no order.
    """

    column: str
    fault: Fault
    share: float
    evidence: str
    value: str | None = None
    factor: float = 1.0
    offset: float = 0.0
    cut: float | None = None
    scattered: bool = False
    partner: str | None = None
    recoding: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()
    lag: int = 0
    period: str = ROWS
    by: str | None = None
    where: tuple[Condition, ...] = ()
    since: int = 0
    since_interval: tuple[int, int] | None = None

    @property
    def broken(self) -> bool:
        """Whether it is a fault in the pipe, and not only a distribution that moved."""
        return self.fault != "distribution"

    @property
    def invertible(self) -> bool:
        """Whether the true values follow from the wrong ones; of a stale column as far as they arrived later."""
        late = self.fault == "stale" and self.lag > 0
        return late or self.fault in ("scaled", "shifted", "swapped") or bool(self.recoding)

    @property
    def visible(self) -> bool:
        """Whether a row's own value shows, for itself, whether it was hit."""
        return self.fault == "missing" or self.value is not None or bool(self.names) or self.cut is not None

    def __str__(self) -> str:
        place = f" where {conjunction(self.where)}" if self.where else ""
        return f"{self.column}: {self.fault.replace('_', ' ')}{place} ({self.evidence})"


def hit(fault: ColumnFault, current: pd.DataFrame) -> Mask:
    """Which current rows the fault hit, as far as the values tell.

    Returns
    -------
    ndarray of bool, shape (rows,)
        For a frozen column also rows whose true value happens to be the one it is stuck on.
    """
    after = np.arange(len(current)) >= fault.since
    within = all_hold(fault.where, current) if fault.where else np.ones(len(current), dtype=bool)
    shown = _shown(fault, current) if _told_by_value(fault) else np.ones(len(current), dtype=bool)
    return np.asarray(after & within & shown)


def hit_by_row(fault: ColumnFault, rows: pd.DataFrame) -> Floats:
    """Evidence of each row, by its own value and whenever it was, that the fault hit it.

    Parameters
    ----------
    fault : ColumnFault
    rows : pandas.DataFrame
        Of either window; what the reference's rows show is the rate of false evidence.

    Returns
    -------
    ndarray of shape (rows,)
        1 or 0; NaN for rows outside the part that the fault is confined to, and everywhere where no row shows it.

    Examples
    --------
    >>> fault = ColumnFault(column="age", fault="default_value", share=0.5, evidence="999", value="999", since=1)
    >>> hit_by_row(fault, pd.DataFrame({"age": [999, 30, 999]})).tolist()
    [1.0, 0.0, 1.0]
    """
    if not fault.visible:
        return np.full(len(rows), np.nan)
    return np.where(all_hold(fault.where, rows), _shown(fault, rows).astype(float), np.nan)


def _told_by_value(fault: ColumnFault) -> bool:
    """Whether rows were hit one by one, so that the value has to say which."""
    return fault.fault == "missing" or fault.value is not None or bool(fault.names) or fault.scattered


def _shown(fault: ColumnFault, rows: pd.DataFrame) -> Mask:
    values = rows[fault.column]
    if fault.fault == "missing":
        return values.isna().to_numpy()
    if fault.value is not None:
        return np.asarray(as_labels(values) == fault.value, dtype=bool)
    if fault.names:
        return np.asarray(pd.Series(as_labels(values)).isin(fault.names))
    return _beyond(fault, as_numbers(values))


def _beyond(fault: ColumnFault, values: Floats) -> Mask:
    """Which numbers lie on the side of the cut to which the fault moves them."""
    assert fault.cut is not None
    with np.errstate(invalid="ignore"):
        if fault.fault == "scaled":
            return np.asarray(np.abs(values) >= fault.cut if abs(fault.factor) > 1 else np.abs(values) < fault.cut)
        return np.asarray(values >= fault.cut if fault.offset > 0 else values < fault.cut)


def mend(fault: ColumnFault, current: pd.DataFrame) -> "pd.Series[Any]":
    """Undo a fault that can be undone from the wrong values themselves.

    Returns
    -------
    Series
        The column as it would have been; rows that were not hit, and those that `mendable` leaves out, are as they
        were.

    Raises
    ------
    ValueError
        If the fault has destroyed the values, as a frozen column has.

    Examples
    --------
    >>> fault = ColumnFault(column="age", fault="scaled", share=0.5, evidence="times 12", factor=12.0, since=1)
    >>> mend(fault, pd.DataFrame({"age": [30.0, 480.0]})).tolist()
    [30.0, 40.0]
    """
    if not fault.invertible:
        raise ValueError(f"a column that is {fault.fault} holds no trace of its true values")
    values, wrong = current[fault.column], mendable(fault, current)
    if fault.fault in ("scaled", "shifted"):
        numbers = as_numbers(values)
        return _like(np.where(wrong, (numbers - fault.offset) / fault.factor, numbers), values)
    return values.where(~wrong, _true_values(fault, current)).rename(fault.column)


def mendable(fault: ColumnFault, current: pd.DataFrame) -> Mask:
    """Which of the rows that were hit can be undone: for a stale column, those whose value arrived later."""
    wrong = hit(fault, current)
    if not fault.invertible:
        return np.zeros(len(current), dtype=bool)
    return np.asarray(wrong & _late(fault, current).notna().to_numpy()) if fault.fault == "stale" else wrong


def _like(numbers: Floats, values: "pd.Series[Any]") -> "pd.Series[Any]":
    return pd.Series(numbers, index=values.index, name=values.name)


def _true_values(fault: ColumnFault, current: pd.DataFrame) -> "pd.Series[Any]":
    if fault.partner is not None:
        return current[fault.partner]
    return _late(fault, current) if fault.fault == "stale" else _decoded(fault, current[fault.column])


def _decoded(fault: ColumnFault, values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Values by the names they had, in the column's own type where they are numbers."""
    labels = pd.Series(as_labels(values), index=values.index, dtype=object)
    meant = labels.map(dict(fault.recoding)).where(labels.isin([now for now, _ in fault.recoding]), labels)
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return pd.to_numeric(meant, errors="coerce") if numeric else meant


def _late(fault: ColumnFault, current: pd.DataFrame) -> "pd.Series[Any]":
    """The value that each row should have had, from the row, reading or period in which it arrived."""
    values = current[fault.column]
    if fault.by is None:
        return values.shift(-fault.lag)
    if fault.period == READINGS:
        return values.groupby(as_labels(current[fault.by])).shift(-fault.lag)
    periods = spans(current[fault.by], fault.period)
    known = values.groupby(periods).first()
    return pd.Series(known.reindex(periods + fault.lag).to_numpy(), index=values.index)


def spans(times: "pd.Series[Any]", period: str) -> "pd.Series[Any]":
    """Number of the hour, day, week, month or quarter that each time lies in; missing times have none.

    >>> spans(pd.Series(pd.to_datetime(["1970-01-03", "1970-02-01"], utc=True)), "D").tolist()
    [2, 31]
    """
    moments = pd.DatetimeIndex(pd.to_datetime(times, utc=True, errors="coerce")).tz_localize(None)
    numbers = pd.Series(moments.to_period(period).astype("int64"), index=times.index)
    return numbers.mask(np.asarray(moments.isna()), -1)


def inflict(fault: ColumnFault, rows: pd.DataFrame, struck: Mask) -> "pd.Series[Any]":
    """Do to sound rows what a fault did: the column as the pipe would have delivered it.

    Parameters
    ----------
    fault : ColumnFault
    rows : pandas.DataFrame
    struck : ndarray of bool, shape (rows,)

    Returns
    -------
    Series
        As it is where the fault is not of a sort that can be done to any value: a stale column, names never seen
        before, a distribution that moved.

    Examples
    --------
    >>> fault = ColumnFault(column="age", fault="scaled", share=1.0, evidence="times 12", factor=12.0)
    >>> inflict(fault, pd.DataFrame({"age": [30.0, 40.0]}), np.array([False, True])).tolist()
    [30.0, 480.0]
    """
    values = rows[fault.column]
    if fault.fault in ("scaled", "shifted"):
        numbers = as_numbers(values)
        return _like(np.where(struck, numbers * fault.factor + fault.offset, numbers), values)
    if fault.fault == "missing":
        return values.mask(struck)
    if fault.value is not None:
        return values.astype(object).mask(struck, _as_held(fault.value, values))
    if fault.partner is not None and fault.partner in rows:
        return values.astype(object).mask(struck, rows[fault.partner].astype(object))
    if fault.recoding:
        back = replace(fault, recoding=tuple((was, now) for now, was in fault.recoding))
        return values.astype(object).mask(struck, _decoded(back, values).astype(object))
    return values


def _as_held(value: str, values: "pd.Series[Any]") -> Any:
    """A stuck value in the type of its column."""
    if pd.api.types.is_bool_dtype(values):
        return value == "True"
    return float(value) if pd.api.types.is_numeric_dtype(values) else value
