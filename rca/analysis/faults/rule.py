"""What a fault rule says of one kind of fault: how it is seen, which rows it hit, how it is undone, and its words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.contingency import Contingency
from rca.analysis.faults.cross_column_prediction import Late, rows_a_row
from rca.arrays import Mask
from rca.finding import Fault
from rca.tables.column_pair import ColumnPair
from rca.tables.condition import Condition, all_hold

COMMONEST = 4
"""Names of which it is asked how long a column stays on them."""

Series: TypeAlias = "pd.Series[Any]"

Told = TypeVar("Told")

Stage = Literal["by_time", "everywhere", "by_relation", "mixed", "scattered"]
"""In which rows a fault is looked for, in this order: where the time of the rows says so; in all from a moment on, and
in all under a condition; where other columns or earlier rows say so; in a part that nothing tells; in a part that only
the values tell."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Both windows, and what is known of their columns.

    Attributes
    ----------
    reference, current : pandas.DataFrame
    codes : frozenset of str
        Numeric columns that are codes.
    names : tuple of str
        Columns that are looked at.
    moved : frozenset of str
        Those of them that moved.
    ordered : bool
        Whether the current rows are in time order.
    unsure : int
        Rows at the beginning of `current` that may not have been hit yet.
    late : Late or None
        What a column that lags is looked for with; None where rows have no order.
    contingency : Contingency or None
        Of all columns; None where only some rows are looked at.
    """

    reference: pd.DataFrame
    current: pd.DataFrame
    codes: frozenset[str]
    names: tuple[str, ...]
    moved: frozenset[str]
    ordered: bool
    unsure: int = 0
    late: Late | None = None
    contingency: Contingency | None = None
    _read: dict[str, ColumnPair] = field(default_factory=dict, repr=False, compare=False)
    _repeats: dict[str, float] = field(default_factory=dict, repr=False, compare=False)
    _told: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    _whole: "tuple[Scene, Mask | slice, Mask | slice] | None" = field(default=None, repr=False, compare=False)

    def pair(self, name: str) -> ColumnPair:
        """A column of both windows; it is read once, however many rows are looked at afterwards."""
        if name not in self._read:
            if self._whole is None:
                coded = name in self.codes
                found = ColumnPair(reference=self.reference[name], current=self.current[name], coded=coded)
            else:
                whole, before, after = self._whole
                found = whole.pair(name).take(before, after)
            self._read[name] = found
        return self._read[name]

    def once(self, what: str, tell: Callable[[], Told]) -> Told:
        """What is told of these rows, once for all columns and rules that ask for it by the same words."""
        if what not in self._told:
            self._told[what] = tell()
        told: Told = self._told[what]
        return told

    def repeats(self, name: str) -> float:
        """How many rows of the reference say as much of a column as one does that no row before it resembles."""
        if self.ordered and name not in self._repeats:
            whole = self if self._whole is None else self._whole[0]
            self._repeats[name] = _repeats(self.pair(name)) if whole is self else whole.repeats(name)
        return self._repeats.get(name, 1.0)

    def under(self, conditions: Sequence[Condition]) -> "tuple[Scene, Mask]":
        """The rows under some conditions, and which of the current ones they are."""
        before, after = all_hold(conditions, self.reference), all_hold(conditions, self.current)
        part = replace(
            self,
            reference=self.reference[before],
            current=self.current[after],
            contingency=None,
            _read={},
            _told={},
            _whole=(self, before, after),
        )
        return part, after

    def since(self, at: int, *, unsure: int) -> "Scene":
        """The current rows from a moment on."""
        whole = self, slice(None), slice(at, None)
        part = self.current.iloc[at:]
        return replace(self, current=part, unsure=unsure, contingency=None, _read={}, _told={}, _whole=whole)


def _repeats(pair: ColumnPair) -> float:
    if pair.ordered:
        values = pair.numbers[0]
        return rows_a_row(values[np.isfinite(values)])
    codes, names = pd.factorize(pair.labels[0])
    commonest = np.argsort(-np.bincount(codes[codes >= 0], minlength=len(names)), kind="stable")[:COMMONEST]
    return max((rows_a_row((codes == one).astype(float)) for one in commonest), default=1.0)


@dataclass(frozen=True, kw_only=True)
class FaultRule:
    """All that is known of one kind of fault.

    Attributes
    ----------
    kind : Fault
    clause : str
        What the verdict says of a column called ``{name}``.
    check : str
        What a check would have looked for, for the why-tree.
    detect : mapping of Stage to callable
        ``(ColumnPair, Scene) -> ColumnFault or None``; empty where another rule's detection tells this kind, too.
    across : callable or None
        ``(faults, Scene) -> faults``: what only several columns together show, given what was found so far.
    affected : callable or None
        ``(ColumnFault, rows) -> mask``: rows that show by their own value that they were hit; None where none does.
    undo : callable or None
        ``(ColumnFault, rows, wrong) -> column``: the column with the rows `wrong` as they would have been; None where
        the true values are lost.
    undoable : callable or None
        ``(ColumnFault, rows) -> mask``: rows that can be undone, where not all can.
    inject : callable or None
        ``(ColumnFault, rows, struck) -> column``: the column as the fault would deliver it; None where it cannot be
        done to any value.
    rehearse : callable or None
        ``(ColumnFault, rows) -> column``: likewise where it can be done to some rows alone, the others missing.
    could_be : callable or None
        ``(ColumnFault, rows) -> mask``: sound rows whose value a wrong one can have been; None where any can.
    sound : callable or None
        ``(ColumnPair, Scene) -> bool``: whether a column is surely as it was, so that no other rule is asked.
    dated_by : {'rows', 'unseen', 'likeness'} or None
        By what its onset is dated: rows that show it; values that the reference does not have; how much a row's value
        looks like the current window. None where no row looks otherwise.
    unheard : bool
        Whether it puts what the reference does not have, so that nothing on record tells what a model makes of it.
    """

    kind: Fault
    clause: str
    check: str
    detect: Mapping[Stage, Callable[[ColumnPair, Scene], ColumnFault | None]] = field(default_factory=dict)
    across: Callable[[Sequence[ColumnFault], Scene], list[ColumnFault]] | None = None
    affected: Callable[[ColumnFault, pd.DataFrame], Mask] | None = None
    undo: Callable[[ColumnFault, pd.DataFrame, Mask], Series] | None = None
    undoable: Callable[[ColumnFault, pd.DataFrame], Mask] | None = None
    inject: Callable[[ColumnFault, pd.DataFrame, Mask], Series] | None = None
    rehearse: Callable[[ColumnFault, pd.DataFrame], Series] | None = None
    could_be: Callable[[ColumnFault, pd.DataFrame], Mask] | None = None
    sound: Callable[[ColumnPair, Scene], bool] | None = None
    dated_by: Literal["rows", "unseen", "likeness"] | None = None
    unheard: bool = False
