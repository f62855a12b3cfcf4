"""Attribution of the metric's change to causes, and partial identification where labels are missing."""

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from rca.analysis.drift.question import drift_of
from rca.analysis.drift.univariate import Drift
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.faults.question import faults_of
from rca.analysis.harm.column_screening import screened
from rca.analysis.harm.harm import Harm, attribute_harm
from rca.analysis.harm.label_free_bounds import Unlabelled, label_free_bounds
from rca.analysis.inputs.arguments import Comparison, seeded, spelled_out
from rca.analysis.inputs.windows import Windows, measured_of, windows_asked
from rca.analysis.slices.question import slices_of
from rca.analysis.slices.slices import Slices
from rca.methods.boosted_trees import on_one_thread

if TYPE_CHECKING:
    from rca.record.case import Case

LOSS = "\0loss"
"""Name of the column of losses that is handed on; no case can have it."""

BOUNDED = {"error_rate": (0.0, 1.0), "brier": (0.0, 1.0)}
"""Metrics that are means over rows with bounded loss, and its bounds."""


def harm_of(windows: Windows, drift: Drift, faults: Faults, *, slices: Slices | None = None, seed: int = 0) -> Harm:
    """Attribute the metric's change to causes, given drift, diagnosed faults, and the slices that carry it."""
    return attribute_harm(windows, drift, faults, slices=slices, rng=seeded(seed))


def unlabelled_of(windows: Windows, *, seed: int = 0) -> Unlabelled | None:
    """Bounds and estimates of a metric with missing labels; None where none is missing or the metric has no bounds."""
    meter = windows.meter
    if meter.base != windows.metric.name or meter.base not in BOUNDED:
        return None
    label = windows.roles.label
    if label is None or (label in windows.current and windows.current[label].notna().all()):
        return None
    frames = []
    for rows in (windows.reference, windows.current):
        parts = meter.parts(rows if label in rows else rows.assign(**{label: np.nan}))
        known = parts.denominator[:, 0] > 0
        lost = np.where(known, parts.numerator[:, 0] / np.where(known, parts.denominator[:, 0], 1.0), np.nan)
        frames.append(rows.assign(**{LOSS: lost}))
    return label_free_bounds(
        frames[0],
        frames[1],
        loss=LOSS,
        features=windows.roles.features,
        worst=BOUNDED[meter.base],
        categorical=windows.roles.categorical,
        rng=seeded(seed),
    )


@spelled_out(Comparison)
@on_one_thread
def harm(case: "Case | Any", current: Any = None, *, seed: int = 0, **asked: Unpack[Comparison]) -> Harm:
    """Attribute the metric's change to causes (model, columns, mechanisms, world), of a case or of two tables.

    Parameters
    ----------
    case : Case or table
    current : table, optional
    seed : int
    **asked
        Of plain tables: metric, model, graph and the columns' roles, as `windows_from` takes them.

    Raises
    ------
    InvalidCase
        If an argument, or a table, is not what it has to be; it says which, and how to correct it.
    Unanswerable
        If the case has not both windows, or no metric.
    """
    windows = windows_asked(case, current, asked)
    moved = drift_of(windows)
    broke = faults_of(windows, moved)
    windows = screened(windows, moved, broke)
    found = slices_of(windows, measured_of(windows, seed=seed), seed=seed)
    return harm_of(windows, moved, broke, slices=found, seed=seed)
