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
from rca.analysis.faults.application import hit_by_row, row_by_row
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.contingency import Contingency, contingency_of
from rca.analysis.faults.cross_column_prediction import CrossColumnModel, Design, Late
from rca.analysis.faults.fault_onset import fault_onset
from rca.analysis.faults.rule import Scene, Stage
from rca.analysis.faults.rules.order import RULES
from rca.arrays import Mask
from rca.finding import Finding, Target
from rca.methods.changepoint.dating import ChangePoint, change_point
from rca.methods.two_sample_tests import chi_square, kolmogorov_distance
from rca.result import Result, Row
from rca.tables.column_pair import tally
from rca.tables.columns import as_labels, as_numbers, kind_of
from rca.tables.condition import Condition, all_hold
from rca.tables.discretisation import discretise

NEARLY_ALL = 0.9
"""Share of the rows under a condition that a fault has to hit, for the condition to be where it struck."""

MIN_ROWS = 30
"""Rows under a condition, in each window, below which nothing is looked for there."""

FAR = 0.5
"""Distance from which another unit, or a constant, in one segment is told from people who are others there."""

STRAYING = ("shifted", "swapped", "frozen")
"""Faults that rows which resemble those before them look like for a while."""

REPEATING, STRAY, BY_CHANCE = 1.5, 5.0, 1e-6
"""Rows that say as much as one, from which that is asked; standard errors by which a column strays by itself; and the
chance of one value in all rows above which it stays on one by itself."""

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

    def among(self, kept: Mask) -> "Faults":
        """The same of some of the current rows, whose positions begin anew."""

        def moved(at: int) -> int:
            return int(kept[:at].sum())

        return Faults(
            columns=tuple(
                replace(
                    one,
                    since=moved(one.since),
                    since_interval=one.since_interval and (moved(one.since_interval[0]), moved(one.since_interval[1])),
                )
                for one in self.columns
            )
        )

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
    names = [name for name in named if is_plain(reference[name]) and is_plain(current[name])]
    moved = [name for name in drift.moved() if name in names]
    if min(len(reference), len(current)) == 0:
        return Faults(columns=())
    scene = Scene(
        reference=reference,
        current=current,
        codes=(codes := frozenset(categorical)),
        names=tuple(names),
        moved=frozenset(moved),
        ordered=ordered,
        contingency=contingency_of(reference, current, columns=names, groups=groups, categorical=codes),
    )
    if ordered:
        scene = replace(scene, late=_late(scene, time=time, entity=entity, label=label))
    found = [row for name in names if (row := _fault(scene, name)) is not None]
    for rule in RULES:
        if rule.across is not None:
            found = _believed(rule.across(found, scene), scene.moved)
    return Faults(columns=tuple(_beyond_straying(found, scene)))


def is_plain(values: "pd.Series[Any]") -> bool:
    """Whether values can be told apart: lists and the like have no name that a fault could go by."""
    return not (values.dtype == object and any(isinstance(value, list | dict | set | np.ndarray) for value in values))


def _believed(found: Sequence[ColumnFault], moved: Collection[str]) -> list[ColumnFault]:
    """Without breaks under a condition on a column that broke: rows of age 999 are all of the ward where it did."""
    broken = {row.column for row in found if row.broken} & set(moved)
    suspect = {row.column for row in found if any(condition.column in broken for condition in row.where)}
    kept = [row for row in found if row.column not in suspect]
    return kept + [_only_moved(row.column) for row in found if row.column in suspect & set(moved)]


def _only_moved(name: str) -> ColumnFault:
    evidence = "it moved; how is not known"
    return ColumnFault(column=name, fault="distribution", share=1.0, evidence=evidence)


def _beyond_straying(found: Sequence[ColumnFault], scene: Scene) -> list[ColumnFault]:
    """Without what rows that resemble those before them do by themselves."""
    stray = {one.column for one in found if _strays(one, scene)}
    stray |= {one.column for one in found if one.partner in stray}
    kept = [one for one in found if one.column not in stray or one.column in scene.moved]
    return [_only_moved(one.column) if one.column in stray else one for one in kept]


def _strays(fault: ColumnFault, scene: Scene) -> bool:
    """Whether a column comes as far from the reference, or stays on one value for as long, by itself."""
    repeats = scene.repeats(fault.column) if fault.fault in STRAYING and not fault.scattered else 1.0
    if repeats < REPEATING:
        return False
    windows = scene.reference, scene.current.iloc[fault.since :]
    before, after = (rows.loc[all_hold(fault.where, rows), fault.column].dropna() for rows in windows)
    rows = len(before) / repeats, len(after) / repeats
    if not min(rows):
        return True
    if fault.fault == "frozen":
        usual = float((as_labels(before) == fault.value).mean())
        return bool(rows[1] * np.log(max(usual, 1 / len(before))) > np.log(BY_CHANCE))
    if kind_of(before) == "categorical":
        counts = tally(before, after).counts / repeats
        return chi_square(np.rint(counts).astype(np.int64))[1] > BY_CHANCE
    apart = abs(float(as_numbers(after).mean() - as_numbers(before).mean()))
    return bool(apart < STRAY * float(as_numbers(before).std()) * np.sqrt(1 / rows[0] + 1 / rows[1]))


def _late(scene: Scene, *, time: str | None, entity: str | None, label: str | None) -> Late:
    told = [label] if label is not None and all(label in rows for rows in (scene.reference, scene.current)) else []
    columns = [*scene.names, *told]
    design = Design.of(scene.reference, scene.current, columns, codes=scene.codes)
    return Late(
        reference=scene.reference,
        current=scene.current,
        time=time,
        entity=entity,
        outcome=next(iter(told), None),
        witness=CrossColumnModel.fit(design, columns),
    )


def _fault(scene: Scene, name: str) -> ColumnFault | None:
    """The fault of one column: of all rows, or of a segment, or of rows here and there, or none that has a name."""
    moved = name in scene.moved
    told = _first(scene, name, "by_time")
    if told is not None:
        return _dated(scene, told)
    if any(rule.sound is not None and rule.sound(scene.pair(name), scene) for rule in RULES):
        return _only_moved(name) if moved else None
    everywhere = _everywhere(scene, name) if moved else None
    if everywhere is not None and _hits_nearly_all(everywhere, len(scene.current)):
        return everywhere
    related = _first(scene, name, "by_relation")
    if related is not None and row_by_row(related):
        related = _dated(scene, related)
    found = (
        related
        or _in_a_segment(scene, name)
        or _dated(scene, _first(scene, name, "mixed"))
        or everywhere
        or _dated(scene, _first(scene, name, "scattered"))
    )
    return found if found is not None or not moved else _only_moved(name)


def _first(scene: Scene, name: str, stage: Stage) -> ColumnFault | None:
    """What the first rule says that sees its fault in a column."""
    seen = (rule.detect[stage](scene.pair(name), scene) for rule in RULES if stage in rule.detect)
    return next((fault for fault in seen if fault is not None), None)


def _hits_nearly_all(fault: ColumnFault, rows: int) -> bool:
    """Whether it hits nearly all rows from its beginning on, as far as it changes their values."""
    if fault.edge is not None:
        return not fault.scattered
    return fault.share * rows >= NEARLY_ALL * (rows - fault.since)


# -- which rows --------------------------------------------------------------------------------------------------------


def _in_a_segment(scene: Scene, name: str) -> ColumnFault | None:
    """The fault under the likeliest condition under which nearly all rows are hit; under two where one is not it."""
    assert scene.contingency is not None
    tried = (_under(scene, name, (condition,)) for condition in _broken_under(scene, name, scene.contingency))
    return next((one for one in tried if one is not None), None)


def _broken_under(scene: Scene, name: str, grid: Contingency) -> list[Condition]:
    return broken_under(grid, name) and broken_under(grid, name, repeats=scene.repeats(name))


def _under(scene: Scene, name: str, conditions: tuple[Condition, ...]) -> ColumnFault | None:
    part, rows = scene.under(conditions)
    if min(len(part.reference), len(part.current)) < MIN_ROWS:
        return None
    found = _everywhere(part, name)
    if found is None or not found.broken:
        found = _dated(part, _first(part, name, "mixed")) or found
    if found is not None and not found.broken and name not in scene.moved:  # what only spread there is no fault
        found = None
    if found is not None and _hits_nearly_all(found, len(part.current)) and _stands_out(part, found, conditions):
        return _placed(found, rows, conditions)
    if len(conditions) > 1:
        return None
    again = contingency_of(part.reference, part.current, columns=scene.names, categorical=part.codes, of=[name])
    narrower = (_under(scene, name, (*conditions, other)) for other in _broken_under(scene, name, again))
    return next((one for one in narrower if one is not None), None)


def _stands_out(part: Scene, fault: ColumnFault, conditions: tuple[Condition, ...]) -> bool:
    """Whether a fault under conditions is more than a change of who fulfils them.

    Where a column of the conditions has moved, columns that go with it move under the condition; but they do not all
    take one value.
    """
    moved = any(condition.column in part.moved for condition in conditions)
    if fault.cut is None:
        return not moved or fault.visible
    before, after = part.pair(fault.column).numbers
    far = kolmogorov_distance(*(values[np.isfinite(values)] for values in (before, after[fault.since :])))
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


# -- since when --------------------------------------------------------------------------------------------------------


def _everywhere(scene: Scene, name: str) -> ColumnFault | None:
    """The first fault that explains all rows from a moment on."""
    since = _since(scene, name)
    late = scene.since(since.at, unsure=since.latest - since.at)
    return _dated(scene, _first(late, name, "everywhere"), since)


def _since(scene: Scene, name: str) -> ChangePoint:
    """First row from which the column looks like the current window rather than the reference."""
    if not scene.ordered:
        return START
    laid = discretise(scene.reference[name], scene.current[name], coded=name in scene.codes)
    ratio = laid.log_ratio()
    return change_point(ratio[laid.current], float(ratio[laid.reference].mean())) or START


def _dated(scene: Scene, fault: ColumnFault | None, since: ChangePoint = START) -> ColumnFault | None:
    """The fault with its first row, its interval, and the share of rows it hit: by the rows that show it, if any do."""
    if fault is None or not scene.ordered or fault.since_interval is not None:
        return fault
    if row_by_row(fault):
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
