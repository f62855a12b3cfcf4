"""How a column broke: the fault in the pipe that would make current values of the reference's, and the rows it hit.

A column that broke in a nameable way can be mended; one that only moved (`distribution`) cannot, since nothing says
that its values are wrong. A fault is looked for in all rows, from a moment on, under a condition on other columns, and
in rows here and there; columns that moved too little to be called so are searched too, as a fault in a small segment
hides in them.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.drift.univariate import Drift
from rca.analysis.faults.affected_subgroup import broken_under
from rca.analysis.faults.column_fault import ColumnFault, hit_by_row
from rca.analysis.faults.contingency import Contingency, contingency_of
from rca.analysis.faults.cross_column_prediction import CrossColumnModel
from rca.analysis.faults.fault_onset import fault_onset
from rca.analysis.faults.rules.partial_recoding import partial_recoding
from rca.analysis.faults.rules.recoding import MOST, renamed, respelled, witnesses
from rca.analysis.faults.rules.single_value import missing, new_values, stuck
from rca.analysis.faults.rules.stale_values import Late, mispaired, stale
from rca.analysis.faults.rules.swapped_columns import swaps
from rca.analysis.faults.rules.unit_change import Affine, affine, scattered
from rca.arrays import Mask
from rca.finding import Finding, Target
from rca.methods.changepoint.dating import ChangePoint, change_point
from rca.methods.two_sample_tests import kolmogorov_distance
from rca.result import Result, Row
from rca.tables.column_pair import read
from rca.tables.columns import as_numbers, kind_of
from rca.tables.condition import Condition, all_hold
from rca.tables.discretisation import discretise

NEARLY_ALL = 0.9
"""Share of the rows under a condition that a fault has to hit, for the condition to be where it struck."""

MIN_ROWS = 30
"""Rows under a condition, in each window, below which nothing is looked for there."""

FAR = 0.5
"""Distance from which another unit, or a constant, in one segment is told from people who are others there."""

CODES = 12
"""Distinct values up to which a number may be a code."""

START = ChangePoint(at=0, earliest=0, latest=0)


@dataclass(frozen=True, kw_only=True)
class Faults(Result):
    """How each column that moved, or broke in a part of the rows, broke."""

    columns: tuple[ColumnFault, ...]

    def __str__(self) -> str:
        broken = [str(row) for row in self.columns if row.broken]
        return "; ".join(broken) if broken else "no column broke in a nameable way"

    @property
    def broken(self) -> tuple[ColumnFault, ...]:
        """Those that broke in a way that has a name, and did not only move."""
        return tuple(row for row in self.columns if row.broken)

    def get(self, column: str) -> ColumnFault | None:
        """The fault of a column; None where it did not move."""
        return next((row for row in self.columns if row.column == column), None)

    def rows(self) -> list[Row]:
        return [
            {
                "column": row.column,
                "fault": row.fault,
                "where": " & ".join(map(str, row.where)) or None,
                "rows hit": row.share,
                "evidence": row.evidence,
            }
            for row in self.columns
        ]

    def findings(self) -> tuple[Finding, ...]:
        return tuple(
            Finding(
                id=f"fault.{row.column}",
                notebook="drift",
                claim=str(row),
                cause=Target(kind="feature", name=row.column),
                effect=row.share,
                unit="share of rows",
            )
            for row in self.columns
            if row.broken
        )


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """Both windows, and what is known of their columns."""

    reference: pd.DataFrame
    current: pd.DataFrame
    codes: frozenset[str]
    names: tuple[str, ...]
    moved: frozenset[str]
    ordered: bool
    late: Late | None = None

    def under(self, conditions: Sequence[Condition]) -> tuple["_Scene", Mask]:
        """The rows under some conditions, and which of the current ones they are."""
        masks = all_hold(conditions, self.reference), all_hold(conditions, self.current)
        return replace(self, reference=self.reference[masks[0]], current=self.current[masks[1]]), masks[1]

    def is_numeric(self, name: str) -> bool:
        """Whether a column is a number in both windows, and no time: those advance, and nothing is wrong with that."""
        windows = self.reference[name], self.current[name]
        return all(kind_of(one, coded=name in self.codes) == "numeric" and not _is_time(one) for one in windows)


def diagnose(  # noqa: PLR0913 - each names a role that a column may have
    reference: pd.DataFrame,
    current: pd.DataFrame,
    drift: Drift,
    *,
    categorical: Iterable[str] = (),
    groups: Iterable[str] = (),
    ordered: bool = False,
    time: str | None = None,
    entity: str | None = None,
    label: str | None = None,
) -> Faults:
    """Name how each column broke.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    drift : Drift
        Of the same windows; its columns are looked at.
    categorical : iterable of str
        Numeric columns that are codes.
    groups : iterable of str
        Columns besides those of `drift` that may say which rows a fault hit.
    ordered : bool
        Whether the current rows are in time order, so that a fault may have begun partway.
    time, entity : str, optional
        Columns of the time, and of what rows are readings of, along which values may be late.
    label : str, optional
        Column of the truth, which tells beside the features that a column is late.

    Returns
    -------
    Faults
        One a column that moved, the farthest first; then columns that did not, as a whole, and broke in a part.

    Examples
    --------
    >>> from rca.analysis.drift.univariate import univariate_drift
    >>> before = pd.DataFrame({"age": np.random.default_rng(0).normal(40, 10, 500)})
    >>> after = before * 12
    >>> print(diagnose(before, after, univariate_drift(before, after)))
    age: scaled (times 12, years to months)
    """
    named = dict.fromkeys([*drift.moved(), *(row.column for row in drift.columns)])
    names = [name for name in named if _is_plain(reference[name]) and _is_plain(current[name])]
    moved = [name for name in drift.moved() if name in names]
    scene = _Scene(
        reference=reference,
        current=current,
        codes=frozenset(categorical),
        names=tuple(names),
        moved=frozenset(moved),
        ordered=ordered,
    )
    if min(len(reference), len(current)) == 0:
        return Faults(columns=())
    laid = contingency_of(reference, current, columns=names, groups=groups, categorical=scene.codes)
    if ordered:
        scene = replace(scene, late=_late(scene, time=time, entity=entity, label=label))
    found = [row for name in names if (row := _fault(scene, laid, name, moved=name in moved)) is not None]
    found = _believed(swaps(found, reference, current, ordered=ordered), scene.moved)
    sound = [name for name in names if all(row.column != name for row in found)]
    return Faults(columns=(*found, *mispaired(reference, current, sound, codes=scene.codes)))


def _is_plain(values: "pd.Series[Any]") -> bool:
    """Whether values can be told apart: lists and the like have no name that a fault could go by."""
    return not (values.dtype == object and any(isinstance(value, list | dict | set | np.ndarray) for value in values))


def _believed(found: Sequence[ColumnFault], moved: Collection[str]) -> list[ColumnFault]:
    """Without breaks under a condition on a column that broke: rows of age 999 are all of the ward where it did."""
    broken = {row.column for row in found if row.broken} & set(moved)
    suspect = {row.column for row in found if any(condition.column in broken for condition in row.where)}
    kept = [row for row in found if row.column not in suspect]
    return kept + [_only_moved(row.column) for row in found if row.column in suspect & set(moved)]


def _only_moved(name: str) -> ColumnFault:
    evidence = "no fault in the pipe would explain the move"
    return ColumnFault(column=name, fault="distribution", share=1.0, evidence=evidence)


def _late(scene: _Scene, *, time: str | None, entity: str | None, label: str | None) -> Late:
    told = [label] if label is not None and all(label in rows for rows in (scene.reference, scene.current)) else []
    witness = CrossColumnModel.fit(scene.reference, [*scene.names, *told], codes=scene.codes)
    return Late(
        reference=scene.reference,
        current=scene.current,
        time=time,
        entity=entity,
        witness=witness,
        seen=(witness.design(scene.reference), witness.design(scene.current)),
    )


def _fault(scene: _Scene, laid: Contingency, name: str, *, moved: bool) -> ColumnFault | None:
    """The fault of one column: of all rows, or of a segment, or of rows here and there, or none that has a name."""
    everywhere = _named(scene, name) if moved else None
    if everywhere is not None and _hits_nearly_all(everywhere, len(scene.current)):
        return everywhere
    found = (
        (stale(scene.late, name) if scene.late is not None else None)
        or _in_other_words(scene, laid, name)
        or _in_a_segment(scene, laid, name)
        or (_mingled(scene, laid, name) if moved else None)
        or everywhere
        or _here_and_there(scene, name)
    )
    if found is not None or not moved:
        return found
    return _only_moved(name)


def _hits_nearly_all(fault: ColumnFault, rows: int) -> bool:
    """Whether it hits nearly all rows from its beginning on."""
    return fault.share * rows >= NEARLY_ALL * (rows - fault.since)


# -- which rows --------------------------------------------------------------------------------------------------------


def _in_a_segment(scene: _Scene, laid: Contingency, name: str) -> ColumnFault | None:
    """The fault under the likeliest condition under which nearly all rows are hit; under two where one is not it."""
    for condition in broken_under(laid, name):
        found = _under(scene, name, (condition,))
        if found is not None:
            return found
    return None


def _under(scene: _Scene, name: str, conditions: tuple[Condition, ...]) -> ColumnFault | None:
    part, rows = scene.under(conditions)
    if min(len(part.reference), len(part.current)) < MIN_ROWS:
        return None
    found = _named(part, name)
    if found is not None and _hits_nearly_all(found, len(part.current)) and _stands_out(part, found, conditions):
        return _placed(found, rows, conditions)
    if len(conditions) > 1:
        return None
    again = contingency_of(part.reference, part.current, columns=scene.names, categorical=part.codes, of=[name])
    narrower = (_under(scene, name, (*conditions, other)) for other in broken_under(again, name))
    return next((one for one in narrower if one is not None), None)


def _stands_out(part: _Scene, fault: ColumnFault, conditions: tuple[Condition, ...]) -> bool:
    """Whether a fault under conditions is more than a change of who fulfils them.

    Where a column of the conditions has moved, columns that go with it move under the condition; but they do not all
    take one value.
    """
    moved = any(condition.column in part.moved for condition in conditions)
    if fault.fault not in ("scaled", "shifted"):
        return not moved or fault.visible
    known = as_numbers(part.reference[fault.column]), as_numbers(part.current[fault.column].iloc[fault.since :])
    far = kolmogorov_distance(*(values[np.isfinite(values)] for values in known))
    return far >= FAR and not moved


def _placed(fault: ColumnFault, rows: Mask, conditions: tuple[Condition, ...]) -> ColumnFault:
    """A fault that was found among some `rows`, in all of them."""
    place, interval = np.flatnonzero(rows), fault.since_interval
    place[0] = 0  # a fault that hits the first of its rows may have begun before
    return replace(
        fault,
        where=conditions,
        share=fault.share * float(rows.mean()),
        since=int(place[fault.since]),
        since_interval=interval and (int(place[interval[0]]), int(place[interval[1]])),
    )


def _here_and_there(scene: _Scene, name: str) -> ColumnFault | None:
    """Another unit in a part of the rows that no condition and no moment tells, but the values do."""
    if not scene.is_numeric(name):
        return None
    before, after = scene.reference[name], scene.current[name]
    found = scattered(as_numbers(before), as_numbers(after))
    if found is None:
        return None
    return _dated(scene, replace(_affine(name, found), scattered=True))


def _in_other_words(scene: _Scene, laid: Contingency, name: str) -> ColumnFault | None:
    """Codes and flags that mean each other, though none is new."""
    before, after = scene.reference[name], scene.current[name]
    few = before.nunique() <= CODES
    return _renamed(scene, name, laid) if few and not read(before, after).note else None  # 1 for True is no other word


def _mingled(scene: _Scene, laid: Contingency, name: str) -> ColumnFault | None:
    """Codes that mean each other in a part of the rows."""
    if scene.reference[name].nunique() > CODES:
        return None
    return partial_recoding(scene.reference[name], scene.current[name], laid, moved=tuple(scene.moved))


# -- since when --------------------------------------------------------------------------------------------------------


def _dated(scene: _Scene, fault: ColumnFault, since: ChangePoint = START) -> ColumnFault:
    """The fault with its first row, its interval, and the share of rows it hit: by the rows that show it, if any do."""
    if not scene.ordered:
        return fault
    told = fault.fault == "missing" or fault.value is not None or bool(fault.names) or fault.scattered
    usual = 0.0
    if told:
        shown = [hit_by_row(fault, rows) for rows in (scene.reference, scene.current)]
        usual = float(shown[0].mean())
        since = fault_onset(shown[1], usual) or START
        fault = replace(fault, share=float(np.clip((shown[1][since.at :].mean() - usual) / max(1 - usual, 1e-9), 0, 1)))
    rows = len(scene.current)
    return replace(
        fault,
        share=fault.share * (rows - since.at) / rows,
        since=since.at,
        since_interval=(since.earliest, since.latest),
    )


def _since(scene: _Scene, name: str) -> ChangePoint:
    """First row from which the column looks like the current window rather than the reference."""
    if not scene.ordered:
        return START
    laid = discretise(scene.reference[name], scene.current[name], coded=name in scene.codes)
    ratio = laid.log_ratio()
    return change_point(ratio[laid.current], float(ratio[laid.reference].mean())) or START


# -- which fault -------------------------------------------------------------------------------------------------------


def _named(scene: _Scene, name: str) -> ColumnFault | None:
    """The first fault that explains all rows from a moment on: values lost, values changed, names changed."""
    since = _since(scene, name)
    late = replace(scene, current=scene.current.iloc[since.at :])
    reference, current, coded = late.reference[name], late.current[name], name in scene.codes
    found = missing(reference, current) or stuck(reference, current, coded=coded)
    if found is None and scene.is_numeric(name):
        changed = affine(as_numbers(reference), as_numbers(scene.current[name].iloc[since.latest :]))
        found = _affine(name, changed) if changed else None
    if found is None and kind_of(reference, coded=coded) == "categorical":
        found = respelled(reference, current) or _renamed(late, name) or new_values(reference, current)
    elif found is None and reference.nunique() <= CODES:
        found = _renamed(late, name)
    return None if found is None else _dated(scene, found, since)


def _renamed(scene: _Scene, name: str, laid: Contingency | None = None) -> ColumnFault | None:
    """Names that changed one for one."""
    if scene.reference[name].nunique() > MOST or not len(scene.current):
        return None
    if laid is None:
        asked = witnesses(name, scene.names, moved=scene.moved)
        laid = contingency_of(scene.reference, scene.current, columns=asked, categorical=scene.codes, conditioned=False)
    return renamed(scene.reference[name], scene.current[name], laid, moved=tuple(scene.moved))


def _is_time(values: "pd.Series[Any]") -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_timedelta64_dtype(values))


def _affine(name: str, found: Affine) -> ColumnFault:
    """Another unit, or a constant added."""
    return ColumnFault(
        column=name,
        fault="shifted" if found.factor == 1 else "scaled",
        share=found.share,
        evidence=found.evidence,
        factor=found.factor,
        offset=found.offset,
        cut=found.cut,
    )
