"""Scan statistics: excess change of the metric inside a set of rows over that outside, for many sets at once.

The statistic of a set needs six sums over its rows in each window, so that those of all conjunctions of two conditions
are a few matrix products.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rca.arrays import Floats, Mask

MIN_EFFECTIVE_ROWS = 15.0
"""Fewest effective rows of a window inside and outside a set for a comparison."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SetSums:
    """Per-row parts of a metric in both windows with residuals, from which sums over sets are taken.

    Attributes
    ----------
    current : ndarray of bool, shape (rows,)
        Which rows are of the current window.
    weight : ndarray of shape (rows,)
        How much a row counts: the metric's denominator.
    value : ndarray of shape (rows,)
        The metric's numerator in the bad direction.
    left : ndarray of shape (rows,)
        Residual of `value`.
    """

    current: Mask
    weight: Floats
    value: Floats
    left: Floats

    @cached_property
    def moments(self) -> tuple[Floats, Floats]:
        """Per-row moments that are summed over sets, of both windows: shape (6, rows of the window)."""
        rows = np.vstack([self.weight, self.left, self.left**2, self.left * self.weight, self.weight**2, self.value])
        return rows[:, ~self.current], rows[:, self.current]

    def take(self, rows: Mask) -> "SetSums":
        """The parts of some of the rows."""
        return SetSums(
            current=self.current[rows], weight=self.weight[rows], value=self.value[rows], left=self.left[rows]
        )

    def sums(self, held: Mask) -> Floats:
        """Sums over a set of rows; shape (2, 6)."""
        before, after = self.moments
        return np.vstack([before @ held[~self.current], after @ held[self.current]])


def excess(inside: Floats, outside: Floats) -> tuple[Floats, Floats]:
    """Difference in differences: change inside sets less change outside, with its score-test standard error.

    The variance is about the mean that the set would have in both windows with no change of its own, so that a set
    whose every row turned bad does not have an error of zero.

    Parameters
    ----------
    inside, outside : ndarray of shape (2, 6, ...)
        Sums of `SetSums.moments` in the reference and in the current window.

    Returns
    -------
    difference, error : ndarray of shape (...)
        NaN where a window has not enough rows on one side.

    Examples
    --------
    >>> sums = np.array([[100.0, 10, 10, 10, 100, 10], [100.0, 40, 40, 40, 100, 40]])
    >>> rest = np.array([[100.0, 10, 10, 10, 100, 10], [100.0, 10, 10, 10, 100, 10]])
    >>> difference, error = excess(sums, rest)
    >>> round(float(difference), 3), round(float(error), 4)
    (0.3, 0.0745)
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = _change(inside) - _change(outside)
        error = np.sqrt(_variance(inside) + _variance(outside))
        rows = np.minimum(_effective(inside), _effective(outside))
    enough = (rows >= MIN_EFFECTIVE_ROWS) & (error > 0)
    return np.where(enough, difference, np.nan), np.where(enough, error, np.nan)


def _change(sums: Floats) -> Floats:
    return np.asarray(sums[1, 1] / sums[1, 0] - sums[0, 1] / sums[0, 0])


def own_change(inside: Floats) -> Floats:
    """Change of the metric inside sets, unadjusted; NaN where a window has no row."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(inside[1, 5] / inside[1, 0] - inside[0, 5] / inside[0, 0])


def own_deviation(inside: Floats) -> Floats:
    """z-score of the change inside sets, whatever the rest did; NaN where rows do not differ at all."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(_change(inside) / np.sqrt(_variance(inside)))


def _variance(sums: Floats) -> Floats:
    """Null variance of a set's change, about the pooled mean of both windows."""
    weight, left, squares, cross, weights, _ = np.moveaxis(sums, 1, 0)
    mean = left.sum(axis=0) / weight.sum(axis=0)
    about = squares - 2 * mean * cross + mean**2 * weights
    return np.asarray((np.maximum(about, 0) / weight**2).sum(axis=0))


def _effective(sums: Floats) -> Floats:
    """Kish's effective sample size of the smaller window."""
    return np.asarray((sums[:, 0] ** 2 / np.maximum(sums[:, 4], 1e-300)).min(axis=0))


def deviations(inside: Floats, outside: Floats) -> Floats:
    """z-score of the excess change inside sets; minus infinity where the metric did not get worse inside."""
    difference, error = excess(inside, outside)
    worse = ~np.isnan(difference) & (own_change(inside) > 0)
    return np.where(worse, np.where(worse, difference, 0) / np.where(worse, error, 1), -np.inf)
