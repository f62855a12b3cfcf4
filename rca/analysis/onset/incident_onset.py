"""Onset of an incident and of each cause: which per-row series the change-point estimator is applied to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rca.analysis.faults.application import hit, row_by_row
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.faults.rules.order import RULE_OF
from rca.analysis.harm.contribution import Contribution
from rca.analysis.harm.harm import Harm
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats
from rca.errors import Unanswerable
from rca.finding import Finding, Target
from rca.methods.changepoint.dating import Onset, date
from rca.methods.metric import Parts
from rca.result import Result, Row
from rca.tables.columns import as_labels
from rca.tables.condition import Condition, all_hold, conjunction
from rca.tables.discretisation import discretise

Both = tuple[Floats, Floats]
"""A quantity of each row of the reference and of the current window."""

GUILTY = 0.15
"""Share of the harm from which a contributing column is dated on its own."""


@dataclass(frozen=True, kw_only=True)
class CauseOnset:
    """Change point of one cause."""

    cause: Target
    onset: Onset


@dataclass(frozen=True, kw_only=True)
class Since(Result):
    """Onset of an incident, with the change points of its causes and of the metric.

    Attributes
    ----------
    onset : Onset
        The earliest of the broken columns that could be dated; else the metric's, or that of a slice of it, whichever
        has the shorter interval.
    by_cause : tuple of CauseOnset
        In the order of harm; causes without a per-row series have none.
    metric : Onset or None
        The metric's own, over all rows; None where it rose nowhere beyond chance.
    """

    onset: Onset
    by_cause: tuple[CauseOnset, ...] = ()
    metric: Onset | None = None

    def __str__(self) -> str:
        return str(self.onset)

    def rows(self) -> list[Row]:
        dated = [(f"{one.cause.kind} {one.cause.name}", one.onset) for one in self.by_cause]
        dated += [("metric", self.metric)] if self.metric is not None else []
        return [
            {
                "of": of,
                "dated on": onset.what,
                "since": onset.at.isoformat(),
                "earliest": onset.earliest.isoformat(),
                "latest": onset.latest.isoformat(),
                "shape": onset.shape,
                "until": onset.until.isoformat() if onset.until else None,
            }
            for of, onset in dated
        ]

    def findings(self) -> tuple[Finding, ...]:
        own = [Finding(id="onset.metric", notebook="drift", claim=str(self.metric))] if self.metric else []
        return tuple(own) + tuple(
            Finding(id=f"onset.{one.cause.name}", notebook="drift", claim=str(one.onset), cause=one.cause)
            for one in self.by_cause
        )


def incident_onset(
    windows: Windows, harm: Harm, faults: Faults, *, slices: Sequence[Sequence[Condition]] = ()
) -> Since | None:
    """Date an incident: change points of each broken column's fault indicator, and of the metric's per-row values.

    Parameters
    ----------
    windows : Windows
    harm, faults : Harm, Faults
        Of the same windows.
    slices : sequence of conjunctions, optional
        Parts of the rows in which the harm sits; the metric is dated in each of them too.

    Returns
    -------
    Since or None
        None where nothing material happened, or nothing rose beyond chance.

    Raises
    ------
    Unanswerable
        If the case names no time column.
    """
    if not harm.measured.material:
        return None
    if windows.roles.time is None:
        raise Unanswerable("since when", "the case names no time column")
    causes = tuple(_by_cause(windows, harm, faults))
    own = _on_metric(windows, harm)
    local = [found for one in slices if (found := _on_metric(windows, harm, one)) is not None]
    if causes:
        first = min((one.onset for one in causes), key=lambda onset: (onset.at, onset.latest))
    else:
        told = [*([own] if own is not None else []), *local]
        if not told:
            return None
        first = min(told, key=_width)
    return Since(onset=first, by_cause=causes, metric=own)


def _width(onset: Onset) -> float:
    return (onset.latest - onset.earliest).total_seconds()


def _by_cause(windows: Windows, harm: Harm, faults: Faults) -> "list[CauseOnset]":
    """Change points of the broken columns that did much of the harm, each on its fault indicator."""
    dated = []
    for part in harm.contributions:
        fault = faults.get(part.name) if _broke(part, harm) else None
        series = _shown(fault, windows) if fault is not None and fault.broken else None
        if fault is not None and series is not None:
            what = f"{fault.column} {fault.fault.replace('_', ' ')}"
            onset = _date(windows, series, what=what, unit="share of rows")
            dated += [CauseOnset(cause=Target(kind="feature", name=part.name), onset=onset)] if onset else []
    return dated


def _broke(part: Contribution, harm: Harm) -> bool:
    """Whether a contribution is a column's, above zero beyond chance, and at least `GUILTY` of the harm."""
    return part.kind == "feature" and part.interval.low > 0 and part.value >= GUILTY * harm.measured.worse


def _shown(fault: ColumnFault, windows: Windows) -> Both | None:
    """Per-row series of a fault: its indicator, or the log density ratio of the row's value; None if neither exists."""
    both, dated_by = (windows.reference, windows.current), RULE_OF[fault.fault].dated_by
    if dated_by == "rows" or (fault.by is not None and row_by_row(fault)):
        before, after = (hit(replace(fault, since=0), rows).astype(float) for rows in both)
        return before, after
    if dated_by == "unseen":
        known = np.unique(as_labels(windows.reference[fault.column].dropna()))
        before, after = (_unseen(rows[fault.column], known) for rows in both)
        return before, after
    return _alike(fault.column, windows) if dated_by == "likeness" else None


def _unseen(values: Any, known: Any) -> Floats:
    """Indicator of values that the reference does not have."""
    return np.asarray(~np.isin(as_labels(values), known) & values.notna().to_numpy(bool), dtype=float)


def _alike(column: str, windows: Windows) -> Both:
    """Cross-fitted log density ratio, current over reference, of each row's value."""
    coded = column in windows.roles.categorical
    laid = discretise(windows.reference[column], windows.current[column], coded=coded)
    after = np.zeros(len(laid.current))
    ratios = []
    for half in (0, 1):
        ratio = replace(laid, current=laid.current[1 - half :: 2]).log_ratio()
        after[half::2] = ratio[laid.current[half::2]]
        ratios.append(ratio[laid.reference])
    return (ratios[0] + ratios[1]) / 2, after


def _on_metric(windows: Windows, harm: Harm, conditions: Sequence[Condition] = ()) -> Onset | None:
    """Change point of the metric's per-row values, in the rows that fulfil all conditions."""
    series = list(_harm_by_row(windows, harm.measured.sign))
    for values, rows in zip(series, (windows.reference, windows.current), strict=True):
        values[~all_hold(conditions, rows)] = np.nan
    where = f" where {conjunction(conditions)}" if conditions else ""
    return _date(windows, (series[0], series[1]), what=harm.measured.label + where, unit=harm.measured.unit)


def _date(windows: Windows, series: Both, *, what: str, unit: str) -> Onset | None:
    time = windows.roles.time
    assert time is not None
    return date((windows.reference[time], series[0]), (windows.current[time], series[1]), what=what, unit=unit)


def _harm_by_row(windows: Windows, sign: int) -> Both:
    """Per-row values of the metric in both windows, in the bad direction."""
    both = windows.reference, windows.current
    groups = windows.meter.segments(*both)
    before, after = (_harm_per_row(windows.meter.parts(rows, groups=groups), sign) for rows in both)
    return before, after


def _harm_per_row(parts: Parts, sign: int) -> Floats:
    """Per-row value of the metric (numerator over denominator), NaN where the row does not count."""
    counted = parts.denominator.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.array(np.where(counted > 0, sign * parts.numerator.sum(axis=1) / counted, np.nan))
