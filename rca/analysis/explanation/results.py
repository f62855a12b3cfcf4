"""Results of explanation shift: how a model's SHAP values changed by feature, jointly, and against the label.

A model can fail while its inputs look normal, and inputs can drift that it does not use. Its SHAP values show both, in
the model's own terms. A shift of reasons is an observation: harm decides whether it was a cause.

References
----------
.. [1] Mougan, Broelemann, Kasneci, Tiropanis, Staab (2025), TMLR: explanation shift, and a classifier that detects it.
"""

from dataclasses import dataclass

from rca.analysis.drift.classifier_two_sample import Joint
from rca.analysis.explanation.cohorts import CohortShift, Exemplar
from rca.analysis.explanation.dependence_curves import DependenceCurve
from rca.finding import Finding, Interval, Target
from rca.result import Result, Row

Points = tuple[tuple[float, float], ...]
"""(SHAP value, rank of the feature's value from 0 to 1), a row each."""


@dataclass(frozen=True, kw_only=True)
class ShapChange:
    """A change between the windows, with its sampling interval and the p-value of no change."""

    value: float
    interval: Interval
    p_value: float
    q_value: float = 1.0

    def __str__(self) -> str:
        return f"{self.value:+.3g} ({self.interval})"


@dataclass(frozen=True, kw_only=True)
class Reason:
    """A feature's SHAP values in both windows and how they changed, in the margin's unit.

    Attributes
    ----------
    column : str
    reference, current : float
        Mean |SHAP| of each window.
    rank_reference, rank_current : int
        Among all features, 1 the weightiest.
    rank_interval : Interval
        Of the current rank.
    size, direction : ShapChange
        Of mean |SHAP|, and of mean SHAP.
    curve : ShapChange or None
        How far the same value is explained otherwise (root mean square); None where one model explains both windows.
        Of values that were given, a feature that works together with one that drifted has a curve that moves as well:
        only on the same rows, by two models, is it the model alone.
    update : ShapChange or None
        Of two models: the part of the size's change that the new model did on the same rows; the data did the rest.
    loss : ShapChange or None
        Of what the feature adds to the mean loss; positive where it costs more than before.
    moved : bool
    turned : bool
        Whether it contributes more to the loss than before: beyond chance, and by enough to matter.
    halves : bool
        Whether each half of the rows by itself shows that.
    """

    column: str
    reference: float
    current: float
    rank_reference: int
    rank_current: int
    rank_interval: Interval
    size: ShapChange
    direction: ShapChange
    curve: ShapChange | None = None
    update: ShapChange | None = None
    loss: ShapChange | None = None
    moved: bool = False
    turned: bool = False
    halves: bool = False

    def __str__(self) -> str:
        verb = "weighs more" if self.size.value > 0 else "weighs less"
        ranks = f"rank {self.rank_reference} → {self.rank_current}"
        return f"{self.column} {verb}: mean |SHAP| {self.reference:.3g} → {self.current:.3g} ({ranks})"


@dataclass(frozen=True, kw_only=True)
class ExplanationShift(Result):
    """How the SHAP values of the model changed, the feature that moved farthest first.

    Attributes
    ----------
    reasons : tuple of Reason
    joint : Joint or None
        Classifier two-sample test on SHAP values; None where there are too few rows.
    scale, method : str
        What the margin is, and how the values came about.
    error : float
        Mean standard error of a SHAP value that was sampled; 0 where exact.
    models : int
        1 where one model explains both windows, 2 where each has its own.
    loss : ShapChange or None
        Change of the mean loss, in `loss_unit`; `loss_start` of it is what the mean answer would have lost more.
    loss_reference, loss_start : float
        Mean loss in the reference; and see `loss`.
    loss_unit : str
    cohorts : tuple of CohortShift
    exemplars : tuple of Exemplar
        Current rows that carry the shift.
    curves : tuple of DependenceCurve
    swarm : tuple of (str, tuple, tuple)
        Column, and (SHAP value, value's rank from 0 to 1) of some reference, and some current rows.
    n_reference, n_current : int
        Rows explained.
    alpha, material : float
        False discovery rate; smallest change that counts, in the margin's unit.
    assumptions : tuple of str
    """

    reasons: tuple[Reason, ...]
    joint: Joint | None
    scale: str
    method: str
    error: float = 0.0
    models: int = 1
    loss: ShapChange | None = None
    loss_reference: float = 0.0
    loss_start: float = 0.0
    loss_unit: str = ""
    cohorts: tuple[CohortShift, ...] = ()
    exemplars: tuple[Exemplar, ...] = ()
    curves: tuple[DependenceCurve, ...] = ()
    swarm: tuple[tuple[str, Points, Points], ...] = ()
    n_reference: int
    n_current: int
    alpha: float
    material: float
    assumptions: tuple[str, ...] = ()

    def __str__(self) -> str:
        moved = self.moved()
        names = ", ".join(one.column for one in moved[:3]) + (", …" if len(moved) > 3 else "")
        told = f"; the windows' explanations differ with an AUC of {self.joint.auc:.3f}" if self.joint else ""
        return f"the reasons of {len(moved)} of {len(self.reasons)} features moved{': ' if moved else ''}{names}{told}"

    def moved(self) -> tuple[Reason, ...]:
        """Features whose SHAP values moved significantly and materially, the farthest first."""
        return tuple(one for one in self.reasons if one.moved)

    def turned(self) -> tuple[Reason, ...]:
        """Features that contribute more to the loss than before, those that cost most first."""
        found = [one for one in self.reasons if one.turned]
        return tuple(sorted(found, key=lambda one: -(one.loss.value if one.loss else 0.0)))

    def __getitem__(self, column: str) -> Reason:
        for one in self.reasons:
            if one.column == column:
                return one
        raise KeyError(column)

    def rows(self) -> list[Row]:
        return [
            {
                "feature": one.column,
                "mean |SHAP| before": one.reference,
                "during": one.current,
                "rank": f"{one.rank_reference} → {one.rank_current}",
                "change": one.size.value,
                "interval": str(one.size.interval),
                "q": one.size.q_value,
                "change of mean SHAP": one.direction.value,
                "same value otherwise": one.curve.value if one.curve else None,
                "by the new model": one.update.value if one.update else None,
                f"loss ({self.loss_unit})": one.loss.value if one.loss else None,
                "moved": one.moved,
            }
            for one in self.reasons
        ]

    def findings(self) -> tuple[Finding, ...]:
        single = tuple(self._finding(one) for one in self.reasons if one.moved)
        return (*self._together(), *single)

    def _together(self) -> tuple[Finding, ...]:
        if self.joint is None or not self.joint.moved:
            return ()
        claim = f"the model's reasons tell the windows apart: AUC {self.joint.auc:.3f} ({self.joint.interval})"
        return (
            Finding(
                id="explanation.joint",
                notebook="explanation",
                claim=claim,
                effect=self.joint.auc,
                unit="AUC",
                interval=self.joint.interval,
                q_value=self.joint.p_value,
                n_effective=float(min(self.joint.n_reference, self.joint.n_current)),
                assumptions=self.assumptions,
            ),
        )

    def _finding(self, one: Reason) -> Finding:
        against = f"; it adds {one.loss} {self.loss_unit} to the loss" if one.loss else ""
        return Finding(
            id=f"explanation.{one.column}",
            notebook="explanation",
            claim=f"{one}{against}",
            cause=Target(kind="feature", name=one.column) if one.turned else None,
            effect=one.size.value,
            unit=self.scale,
            interval=one.size.interval,
            q_value=min(one.size.q_value, one.direction.q_value),
            n_effective=float(min(self.n_reference, self.n_current)),
            strength="shown" if one.turned and one.halves else "suggested",
            assumptions=self.assumptions,
            refuters=("each half of the rows by itself",) if one.turned and one.halves else (),
        )
