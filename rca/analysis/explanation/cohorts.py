"""Explanation shift by cohort (subset of rows), and exemplar rows that show it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rca.analysis.explanation.shap_values import Explained
from rca.arrays import Floats, Mask
from rca.finding import Interval
from rca.methods.two_sample_tests import Z, benjamini_hochberg

MIN_ROWS = 50
"""Rows of both windows that a cohort needs."""

SHOWN, TOLD = 5, 6
"""Rows shown as exemplars, and features shown of each."""

LOOKED_AT, ALIKE = 200, 2
"""Rows that exemplars are chosen from, and weightiest features by which they are distinct."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Cohort:
    """A named subset of the rows of each window, as two masks."""

    name: str
    rows: tuple[Mask, Mask]


@dataclass(frozen=True, kw_only=True)
class CohortShift:
    """The largest change of mean |SHAP| within one cohort.

    Attributes
    ----------
    cohort : str
    column : str
        The feature whose mean |SHAP| changed farthest there.
    reference, current : float
        Its mean |SHAP|, in the margin's unit.
    change : float
    interval : Interval
    q_value : float
        Over all features of all cohorts.
    apart : float
        How much more it changed than in the other rows.
    apart_interval : Interval
    n_reference, n_current : int
    """

    cohort: str
    column: str
    reference: float
    current: float
    change: float
    interval: Interval
    q_value: float
    apart: float
    apart_interval: Interval
    n_reference: int
    n_current: int


@dataclass(frozen=True, kw_only=True)
class Exemplar:
    """A current row whose SHAP values lie in the direction of the shift.

    Attributes
    ----------
    row : int
        Its place in the current window, from 0.
    margin, base : float
        What the model added up, and the mean it started from.
    told : tuple of (str, str, float, float)
        Column, its value, its SHAP value, and the mean SHAP value of the column in the reference; weightiest first.
    rest : float
        SHAP values of all other features together.
    """

    row: int
    margin: float
    base: float
    told: tuple[tuple[str, str, float, float], ...]
    rest: float


def cohort_shifts(
    explained: tuple[Explained, Explained], cohorts: Sequence[Cohort], *, alpha: float = 0.05, material: float = 0.0
) -> tuple[CohortShift, ...]:
    """The feature of each cohort whose mean |SHAP| changed most, where a change is significant (FDR) and material.

    Parameters
    ----------
    explained : (Explained, Explained)
    cohorts : sequence of Cohort
    alpha : float
        False discovery rate over all features of all cohorts.
    material : float
        Smallest change that counts, in the margin's unit.

    Returns
    -------
    tuple of CohortShift
        The farthest first; cohorts with too few rows, or no change beyond chance that matters, are left out.
    """
    sizes = explained[0].sizes, explained[1].sizes
    able = [one for one in cohorts if min(int(mask.sum()) for mask in one.rows) >= MIN_ROWS]
    found = [_changes(sizes, one) for one in able]
    if not found:
        return ()
    p_values = np.concatenate([_p_values(change, error) for change, error, *_ in found])
    q_values = np.array(benjamini_hochberg(p_values.tolist())).reshape(len(found), -1)
    rows = [
        _told(one, explained[0].features, sizes, parts=(*parts, q))
        for one, parts, q in zip(able, found, q_values, strict=True)
    ]
    told = [row for row in rows if row.q_value <= alpha and abs(row.change) >= material]
    return tuple(sorted(told, key=lambda row: (-abs(row.change), row.cohort)))


Parts = tuple[Floats, Floats, Floats, Floats]


def _changes(sizes: tuple[Floats, Floats], cohort: Cohort) -> Parts:
    """Change within the cohort, its error, how much it exceeds the change outside, and the error of that."""
    within, error = _mean_change(*(size[mask] for size, mask in zip(sizes, cohort.rows, strict=True)))
    others = [size[~mask] for size, mask in zip(sizes, cohort.rows, strict=True)]
    if min(map(len, others)) < MIN_ROWS:
        return within, error, np.zeros_like(within), np.zeros_like(within)
    without, around = _mean_change(*others)
    return within, error, within - without, np.hypot(error, around)


def _mean_change(before: Floats, after: Floats) -> tuple[Floats, Floats]:
    error = np.sqrt(before.var(axis=0, ddof=1) / len(before) + after.var(axis=0, ddof=1) / len(after))
    return after.mean(axis=0) - before.mean(axis=0), error


def _p_values(change: Floats, error: Floats) -> Floats:
    from scipy.special import ndtr

    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(error > 0, 2 * ndtr(-np.abs(change / error)), np.where(change == 0, 1.0, 0.0)))


def _told(
    cohort: Cohort, names: Sequence[str], sizes: tuple[Floats, Floats], *, parts: tuple[Floats, ...]
) -> CohortShift:
    change, error, apart, around, q_values = parts
    at = int(np.argmax(np.where(q_values <= q_values.min() + 1e-12, np.abs(change), -1.0)))
    far = int(np.argmax(np.abs(change)))
    at = far if q_values[far] <= 0.05 else at
    return CohortShift(
        cohort=cohort.name,
        column=names[at],
        reference=float(sizes[0][cohort.rows[0], at].mean()),
        current=float(sizes[1][cohort.rows[1], at].mean()),
        change=float(change[at]),
        interval=_interval(change[at], error[at]),
        q_value=float(q_values[at]),
        apart=float(apart[at]),
        apart_interval=_interval(apart[at], around[at]),
        n_reference=int(cohort.rows[0].sum()),
        n_current=int(cohort.rows[1].sum()),
    )


def _interval(value: float, error: float) -> Interval:
    return Interval(low=float(value - Z * error), high=float(value + Z * error))


def exemplars(explained: tuple[Explained, Explained], rows: pd.DataFrame, moved: Sequence[str]) -> tuple[Exemplar, ...]:
    """Current rows whose SHAP values lie farthest in the direction in which the means of the moved features shifted.

    Parameters
    ----------
    explained : (Explained, Explained)
    rows : pandas.DataFrame
        The current rows that were explained.
    moved : sequence of str
        Features whose reasons moved; without any no row is an example of it.
    """
    before, after = explained
    at = [before.features.index(name) for name in moved]
    if not at:
        return ()
    usual = before.values.mean(axis=0)
    went = after.values.mean(axis=0) - usual
    size = after.sizes.mean(axis=0) - before.sizes.mean(axis=0)
    along = ((after.values - usual) * np.sign(went))[:, at].sum(axis=(1, 2))
    along = along + ((after.sizes - before.sizes.mean(axis=0)) * np.sign(size))[:, at].sum(axis=1)
    order = np.argsort(-along, kind="stable")[:LOOKED_AT]
    told = [_exemplar(after, usual, rows, row=int(row)) for row in order]
    return tuple(_unlike(told))[:SHOWN]


def _unlike(told: Sequence[Exemplar]) -> list[Exemplar]:
    """Distinct exemplars: the first of all rows whose weightiest features have the same values."""
    kinds: dict[tuple[tuple[str, str], ...], Exemplar] = {}
    for one in told:
        kinds.setdefault(tuple((name, value) for name, value, *_ in one.told[:ALIKE]), one)
    return list(kinds.values())


def _exemplar(after: Explained, usual: Floats, rows: pd.DataFrame, *, row: int) -> Exemplar:
    output = int(np.argmax(after.margin[row]))
    values = after.values[row, :, output]
    order = np.argsort(-np.abs(values), kind="stable")[:TOLD]
    told = tuple(
        (after.features[at], _said(rows, after.features[at], row), float(values[at]), float(usual[at, output]))
        for at in order.tolist()
    )
    rest = float(values.sum() - sum(value for _, _, value, _ in told))
    return Exemplar(
        row=row, margin=float(after.margin[row, output]), base=float(after.base[output]), told=told, rest=rest
    )


def _said(rows: pd.DataFrame, name: str, row: int) -> str:
    if name not in rows:
        return "not in the table"
    value = rows[name].iloc[row]
    if pd.isna(value):
        return "missing"
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)


def placed(found: tuple[Exemplar, ...], chosen: Floats) -> tuple[Exemplar, ...]:
    """Exemplars with positions in the whole window, where only the `chosen` rows of it were explained."""
    return tuple(replace(one, row=int(chosen[one.row])) for one in found)
