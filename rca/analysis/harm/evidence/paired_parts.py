"""Both windows side by side: the metric's parts over the same groups, shares compared, errors of influence values."""

from dataclasses import dataclass

import numpy as np

from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Places
from rca.methods.metric import Parts

FALLEN, SURE = 0.03, 3.0
"""Points, and standard errors, from which a share fell."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share of rows, or a mean, in both windows.

    Attributes
    ----------
    reference, current : float
    error : float
        Standard error of the difference.
    """

    reference: float
    current: float
    error: float

    @property
    def z(self) -> float:
        """The difference, in standard errors; 0 where there is none."""
        change = self.current - self.reference
        return change / self.error if self.error > 0 else float(np.sign(change)) * np.inf if change else 0.0

    @property
    def fell(self) -> bool:
        """Whether it fell by `FALLEN` and beyond chance."""
        return self.reference - self.current >= FALLEN and self.z < -SURE


def compared(reference: Floats, current: Floats) -> Share:
    """Means of independent rows of both windows.

    >>> compared(np.ones(100), np.array([1.0, 0.0] * 50)).fell
    True
    """
    errors = [float(one.std()) / np.sqrt(len(one)) for one in (reference, current)]
    return Share(reference=float(reference.mean()), current=float(current.mean()), error=float(np.hypot(*errors)))


def both_parts(windows: Windows) -> tuple[Parts, Parts]:
    """The metric's parts of the reference and of the current rows, over the same groups where a gap is meant.

    Raises
    ------
    Unanswerable
        If a column that the metric needs has no role, its numbers cannot be added up, or a gap has no groups.
    """
    meter = windows.meter
    groups = meter.segments(windows.reference, windows.current)
    return meter.parts(windows.reference, groups=groups), meter.parts(windows.current, groups=groups)


def counts(parts: Parts) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Rows that count towards the metric."""
    return np.asarray(parts.denominator.any(axis=1))


def standard_error(*influences: Floats) -> float:
    """Standard error of a sum of independent estimates, from the influence values of each.

    >>> standard_error(np.array([3.0, 0.0]), np.array([0.0, 4.0]))
    5.0
    """
    return float(np.sqrt(sum(float((psi**2).sum()) for psi in influences)))


def clustered(influence: Floats, clusters: Places) -> Floats:
    """Influence values added up over clusters: whole clusters are independent of each other, their rows are not.

    >>> clustered(np.array([1.0, 2.0, 3.0]), np.array([0, 1, 0])).tolist()
    [4.0, 2.0]
    """
    return np.bincount(clusters, weights=influence).astype(float)
