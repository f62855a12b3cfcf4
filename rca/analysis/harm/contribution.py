"""Signed contributions to the metric's change: estimate, normal interval, split-half check, strength of evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from rca.finding import CauseKind, Fault, Finding, Interval, Strength, Target
from rca.methods.change_attribution.density_ratio import ENOUGH
from rca.methods.metric import Measured
from rca.methods.two_sample_tests import Z

Method = Literal["asked again", "mended", "reweighted", "mechanism", "expected", "counted once", "alone", "injected"]


@dataclass(frozen=True, kw_only=True)
class Where:
    """Condition under which a cause holds, and the metric there.

    Attributes
    ----------
    condition : str
        Such as ``clinic=north``; several joined by ` & `.
    reference, current : float or None
        The metric there, before and during; None where no row counts.
    """

    condition: str
    reference: float | None = None
    current: float | None = None


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """One signed contribution to the harm (the metric's change in the bad direction).

    Attributes
    ----------
    kind, name, fault
        The cause; `name` is a column, a node, a system, or for a concept the column of the label or outcome.
    value : float
        In the metric's unit and the bad direction: positive where it did harm.
    interval : Interval
        95 % sampling interval of `value`.
    method : {'asked again', 'mended', 'reweighted', 'mechanism', 'expected', 'counted once', 'alone', 'injected'}
        How its size was found: rescored by the model; a column put back; rows weighted to another mix; along a graph;
        recorded outcomes against those that the reference's relation expects; rows written more than once left out;
        all of the change, where one column broke and the outcome follows the others as before; the fault done to the
        reference's rows.
    n_effective : float
        Effective rows behind it.
    strength : Strength
    refuters, assumptions : tuple of str
    where : Where or None
        None where it holds everywhere.
    """

    kind: CauseKind
    name: str
    fault: Fault | None = None
    value: float
    interval: Interval
    method: Method
    n_effective: float
    strength: Strength
    refuters: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    where: Where | None = None

    @property
    def error(self) -> float:
        """Standard error behind the interval."""
        return (self.interval.high - self.interval.low) / (2 * Z)

    @property
    def identifiable(self) -> bool:
        """Whether the windows overlap enough: effective sample size of at least `ENOUGH`."""
        return self.n_effective >= ENOUGH

    @property
    def label(self) -> str:
        """The cause in words."""
        words = {
            "feature": f"column {self.name}",
            "mechanism": f"how {self.name} follows its causes",
            "concept": "how the label follows the features",
            "model": f"the answers of {self.name}",
            "rows": "rows written more than once",
        }
        broken = f" ({self.fault.replace('_', ' ')})" if self.fault and self.fault != "distribution" else ""
        return words.get(self.kind, self.name) + broken

    def __str__(self) -> str:
        return f"{self.label}: {self.value:+.3g} ({self.interval}), {self.method}"

    def finding(self, measured: Measured) -> Finding:
        """The finding that it changed the metric by `value`."""
        did = "raised" if self.value * measured.sign > 0 else "lowered"
        return Finding(
            id=f"harm.{self.kind}.{self.name}",
            notebook="drift",
            claim=f"{self.label} {did} the {measured.label} by {abs(self.value):.3g} ({self.interval}), "
            f"as {self.method}",
            cause=Target(kind=self.kind, name=self.name),
            effect=self.value,
            unit=measured.name,
            interval=self.interval,
            n_effective=self.n_effective,
            strength=self.strength,
            assumptions=self.assumptions,
            refuters=self.refuters,
        )


@dataclass(frozen=True, kw_only=True)
class PartEstimate:
    """Point estimate of a contribution with its standard error and split-half estimates.

    Attributes
    ----------
    value, error : float
        In the metric's unit and the bad direction, and its standard error.
    rows : float
        Effective rows behind it.
    halves : sequence of float
        Estimates from each half of the rows; empty where there are none.
    """

    value: float
    error: float
    rows: float
    halves: Sequence[float] = ()

    @property
    def interval(self) -> Interval:
        """95 % interval by the normal approximation."""
        return Interval(low=self.value - Z * self.error, high=self.value + Z * self.error)

    @property
    def survived(self) -> bool:
        """Whether it differs from zero and has the same sign in each half of the rows."""
        same_sign = bool(self.halves) and all(half * self.value > 0 for half in self.halves)
        return 0 not in self.interval and same_sign


def contribution(
    kind: CauseKind,
    name: str,
    estimate: PartEstimate,
    *,
    method: Method,
    fault: Fault | None = None,
    assumptions: tuple[str, ...] = (),
) -> Contribution:
    """Build a contribution; its strength is `shown` where it survived the split-half check on enough rows."""
    survived = estimate.survived
    return Contribution(
        kind=kind,
        name=name,
        fault=fault,
        value=estimate.value,
        interval=estimate.interval,
        method=method,
        n_effective=estimate.rows,
        strength="shown" if survived and estimate.rows >= ENOUGH else "suggested",
        refuters=("the same sign in each half of the rows",) if survived else (),
        assumptions=assumptions,
    )


def halves(rows: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Split-half: positions of every other row, and of the others.

    >>> [half.tolist() for half in halves(5)]
    [[0, 2, 4], [1, 3]]
    """
    return np.arange(0, rows, 2), np.arange(1, rows, 2)
