"""Expected metric of a row given its conditions, by ridge regression on the reference (composition adjustment).

The mean of a subgroup can change through its composition alone. So subgroups are compared by residuals: each row's
metric less what the reference expects for rows of its kind. The penalty minimises the generalised cross-validation
(GCV) error.
"""

import numpy as np
import numpy.typing as npt

from rca.analysis.slices.candidate_conditions import Candidates
from rca.analysis.slices.scan_statistics import SetSums
from rca.arrays import Floats, Places

Singles = npt.NDArray[np.float32]

MOST_ROWS = 20_000
"""Most reference rows of the regression."""

MANY = 2_000
"""Number of conditions above which only this many rows are used: time is cubic in the smaller of both."""

MOST_PHRASES = 200
"""Most phrases in the regression, the commonest first."""

CHUNK = 8192

FAINT = 1e-6
"""Smallest eigenvalue, relative to the largest, that is not rounding error of single precision."""

PENALTIES = np.logspace(-4, 2, 13)
"""Grid of ridge penalties, as multiples of the mean eigenvalue."""


def expected(rows: Candidates, parted: SetSums, asked: Candidates) -> Floats:
    """Ridge regression of a row's metric on its conditions, fitted on the reference of `rows`, predicted for `asked`.

    The model is additive in the conditions; its penalty minimises the generalised cross-validation (GCV) error.

    Returns
    -------
    ndarray of shape (rows asked,)
        In the metric's unit and the bad direction, for one unit of weight.

    References
    ----------
    Golub, Heath & Wahba (1979), Technometrics 21(2), eq. (1.4).
    """
    common = np.argsort(-rows.said.sum(axis=0), kind="stable")[:MOST_PHRASES]
    most = MANY if len(rows.held) + len(common) > MANY else MOST_ROWS
    learned = np.flatnonzero(~parted.current)[:most]
    table, weight = _table(rows.take(learned), common), parted.weight[learned]
    rate = parted.value[learned] / weight
    centre, mean = table @ weight / weight.sum(), weight @ rate / weight.sum()
    slope = _ridge(table - centre[:, None].astype(np.float32), rate - mean, weight)
    return np.asarray(_linear(asked, common, slope) + (mean - centre @ slope))


def _table(rows: Candidates, phrases: Places) -> Singles:
    """Indicator matrix of conditions; shape (conditions, rows)."""
    return np.vstack([rows.held.astype(np.float32), rows.said[:, phrases].toarray().T])


def _linear(rows: Candidates, phrases: Places, slope: Floats) -> Floats:
    """Linear predictor, in chunks of rows, since conditions take four times the memory as floats."""
    found = np.asarray(rows.said[:, phrases] @ slope[len(rows.held) :], dtype=np.float64)
    singles = slope[: len(rows.held)].astype(np.float32)
    for start in range(0, len(found), CHUNK):
        found[start : start + CHUNK] += singles @ rows.held[:, start : start + CHUNK].astype(np.float32)
    return found


def _ridge(table: Singles, rate: Floats, weight: Floats) -> Floats:
    """Slopes of a ridge regression without intercept, with the penalty chosen by GCV."""
    spread, axes, along = _axes(table, rate, weight)
    if not spread.any():
        return np.zeros(len(table))
    tried = PENALTIES * spread.sum() / len(table)
    squares = float(weight @ rate**2)
    best = tried[np.argmin([_validation(one, spread, along, squares=squares, rows=len(rate)) for one in tried])]
    return np.asarray(axes @ (along / (spread + best)))


def _axes(table: Singles, rate: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Eigenvalues, principal axes and projected response; from the row Gram matrix if there are fewer rows."""
    if len(table) <= len(rate):
        spread, axes = np.linalg.eigh(((table * weight.astype(np.float32)) @ table.T).astype(float))
        return np.maximum(spread, 0), axes, axes.T @ (table @ (weight * rate))
    root = np.sqrt(weight)
    weighed = table * root.astype(np.float32)
    spread, rows = np.linalg.eigh((weighed.T @ weighed).astype(float))
    told = spread > spread.max(initial=0) * FAINT
    spread, rows = spread[told], rows[:, told]
    return spread, weighed @ (rows / np.sqrt(spread)), np.sqrt(spread) * (rows.T @ (root * rate))


def _validation(penalty: float, spread: Floats, along: Floats, *, squares: float, rows: int) -> float:
    """Generalised cross-validation (GCV) error of a ridge penalty."""
    slope = along / (spread + penalty)
    left = squares - 2 * slope @ along + slope**2 @ spread
    share = ((spread / (spread + penalty)).sum() + 1) / rows
    return float(left / max(1e-12, 1 - share) ** 2)
