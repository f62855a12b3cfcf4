"""A fault applied to rows: which of them it hit, what they would have been, and what it does to sound ones."""

from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.rule import FaultRule
from rca.analysis.faults.rules.order import RULE_OF
from rca.analysis.faults.rules.truncated_values import NOISIER
from rca.arrays import Floats, Mask
from rca.tables.condition import all_hold


def hit(fault: ColumnFault, current: pd.DataFrame) -> Mask:
    """Which current rows the fault hit, as far as the values tell.

    Returns
    -------
    ndarray of bool, shape (rows,)
        For a frozen column also rows whose true value happens to be the one it is stuck on.
    """
    after = np.arange(len(current)) >= fault.since
    within = all_hold(fault.where, current) if fault.where else np.ones(len(current), dtype=bool)
    return np.asarray(after & within & (_shown(fault, current) if row_by_row(fault) else True))


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


def row_by_row(fault: ColumnFault) -> bool:
    """Whether rows were hit one by one, so that the value has to say which."""
    return fault.visible and (fault.cut is None or fault.scattered)


def _shown(fault: ColumnFault, rows: pd.DataFrame) -> Mask:
    affected = RULE_OF[fault.fault].affected
    assert affected is not None, f"no row shows that it is {fault.fault}"
    return affected(fault, rows)


def _rule_of(fault: ColumnFault) -> FaultRule | None:
    return NOISIER if fault.noise else RULE_OF.get(fault.fault)


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
    rule = _rule_of(fault)
    if not fault.invertible or rule is None or rule.undo is None:
        raise ValueError(f"a column that is {fault.fault} holds no trace of its true values")
    return rule.undo(fault, current, mendable(fault, current)).rename(fault.column)


def mendable(fault: ColumnFault, current: pd.DataFrame) -> Mask:
    """Which of the rows that were hit can be undone: for a stale column, those whose value arrived later."""
    wrong = hit(fault, current)
    if not fault.invertible:
        return np.zeros(len(current), dtype=bool)
    rule = _rule_of(fault)
    undoable = rule.undoable if rule is not None else None
    return np.asarray(wrong & undoable(fault, current)) if undoable is not None else wrong


def can_be_inflicted(fault: ColumnFault) -> bool:
    """Whether a fault can be done to any value, so that what neighbours cannot know can be measured for it."""
    rule = _rule_of(fault)
    return rule is None or rule.inject is not None


def could_be(fault: ColumnFault, rows: pd.DataFrame) -> Mask | None:
    """Sound rows whose value a wrong one can have been, as those beyond the edge of a cap; None where any can."""
    rule = _rule_of(fault)
    return rule.could_be(fault, rows) if rule is not None and rule.could_be is not None else None


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
    rule = _rule_of(fault)
    return rule.inject(fault, rows, struck) if rule is not None and rule.inject is not None else rows[fault.column]


def rehearse(fault: ColumnFault, rows: pd.DataFrame) -> "tuple[pd.Series[Any], Mask]":
    """Do to all sound rows that a fault could hit what it did, as far as it can be done to them.

    Returns
    -------
    values : Series
        The column as the pipe would have delivered it.
    known : ndarray of bool, shape (rows,)
        Rows to which it is done; none where another column would have to be broken along with it.

    Examples
    --------
    >>> fault = ColumnFault(column="age", fault="stale", share=1.0, evidence="2 rows before", lag=2)
    >>> values, known = rehearse(fault, pd.DataFrame({"age": [30.0, 40.0, 50.0]}))
    >>> values.tolist(), known.tolist()
    ([30.0, 40.0, 30.0], [False, False, True])
    """
    values, rule = rows[fault.column], _rule_of(fault)
    within = np.asarray(all_hold(fault.where, rows), dtype=bool)
    if rule is None or fault.partner is not None:
        return values, np.zeros(len(rows), dtype=bool)
    if rule.rehearse is not None and fault.lag:
        held = rule.rehearse(fault, rows)
        known = within & held.notna().to_numpy()
        return values.where(~known, held), known
    return inflict(fault, rows, within), within & (rule.inject is not None)
