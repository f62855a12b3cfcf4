"""Attribution of a metric's change to causes: the model, broken columns, mechanisms of a causal graph, or the world.

Every rival explanation is asked by a test of its own (`rivals`): the model on file is asked again, columns are put
back, relations are tested on rows that did not teach them. With a causal graph and nothing that can answer again, the
mechanisms that changed are attributed instead.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from rca.analysis.drift.univariate import Drift
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.harm.contribution import Contribution, PartEstimate, contribution, halves
from rca.analysis.harm.evidence.copied_rows import copied_rows
from rca.analysis.harm.rescoring import Scorer, agreement, answers_in_classes, rule_of, scorer_of
from rca.analysis.harm.reweighting import by_mechanism
from rca.analysis.harm.rivals.bench import Weighing
from rca.analysis.harm.rivals.rival import Rival
from rca.analysis.harm.rivals.weighing import Weighed, ranked, weigh
from rca.analysis.harm.surrogate_model import Surrogate, fit_surrogate
from rca.analysis.inputs.metric_reader import Segment
from rca.analysis.inputs.windows import Windows, entities_of
from rca.analysis.slices.slices import Slices
from rca.errors import Unanswerable
from rca.finding import Finding
from rca.methods.metric import Measured, Parts, measure
from rca.record.model.gain import gains
from rca.result import Result, Row

PAIRED_Z, PAIRED_PART = 4.0, 0.01
"""z, and share of the metric, from which a column's lost worth is harm that two windows unpaired cannot show."""

NAMED_Z, NAMED_PART = 2.0, 0.005
"""Likewise where the fault has a name, so that chance has less to choose from."""

SAME = 0.99
"""Share of reference rows whose recorded answer the model file has to reproduce, to count as the model that failed."""


@dataclass(frozen=True, kw_only=True)
class Harm(Result):
    """Attribution of the metric's change to causes, the surest first, then the largest contribution.

    Attributes
    ----------
    measured : Measured
    contributions : tuple of Contribution
        With `unexplained` they add up to ``measured.worse``.
    unexplained : float
        In the metric's unit and the bad direction.
    model_agrees : tuple of float or None
        Share of rows in each window whose recorded answer the model file reproduces; None without a model.
    rivals : tuple of Rival
        Every explanation that was asked: those that stand, and what killed the others.
    undecided : str
        Why no cause can be named, where outcomes that are missing or a few rows leave it open.
    always : bool
        Whether it was always so at the weekdays and hours of the current window.
    """

    measured: Measured
    contributions: tuple[Contribution, ...]
    unexplained: float
    model_agrees: tuple[float, float] | None = None
    rivals: tuple[Rival, ...] = ()
    undecided: str = ""
    always: bool = False

    @property
    def material(self) -> bool:
        """Whether harm was done: the windows show it, or the same rows do where a column is put back."""
        return self.measured.material or any(self._paired(one) for one in self.rivals)

    @property
    def lacking(self) -> bool:
        """Whether outcomes are missing, and not by chance, so that harm may hide in them."""
        return any(one.kind == "labels" and not one.rejected for one in self.rivals)

    def _paired(self, one: Rival) -> bool:
        """Whether what the same rows show alone is harm, whatever the two windows show unpaired."""
        if not one.paired or one.strength not in ("shown", "suggested") or one.part is None:
            return False
        known = one.kind in ("model", "rows", "concept") or one.fault not in (None, "distribution")
        z, share = (NAMED_Z, NAMED_PART) if known else (PAIRED_Z, PAIRED_PART)
        least = max(z * one.part.error, share * abs(self.measured.reference))
        return one.part.value >= least

    def __str__(self) -> str:
        if not self.contributions:
            return f"{self.measured}; nothing explains it"
        return f"{self.measured}; the first part: {self.contributions[0]}"

    def rows(self) -> list[Row]:
        return [
            {
                "cause": part.label,
                "contribution": part.value,
                "interval": str(part.interval),
                "method": part.method,
                "effective rows": round(part.n_effective),
                "strength": part.strength,
            }
            for part in self.contributions
        ] + [
            {
                "cause": "unexplained",
                "contribution": self.unexplained,
                "interval": None,
                "method": None,
                "effective rows": None,
                "strength": None,
            }
        ]

    def findings(self) -> tuple[Finding, ...]:
        return tuple(part.finding(self.measured) for part in self.contributions)


def attribute_harm(
    windows: Windows, drift: Drift, faults: Faults, *, slices: Slices | None = None, rng: np.random.Generator
) -> Harm:
    """Attribute the metric's change to its possible causes: every rival explanation is asked, and the best stand.

    Parameters
    ----------
    windows : Windows
    drift, faults : Drift, Faults
        Of the same windows; columns that moved are the suspects.
    slices : Slices, optional
        Where the change sits; a column is looked at inside of them, too.
    rng : numpy.random.Generator

    Returns
    -------
    Harm
        Its contributions and what is unexplained add up to the change in the bad direction.

    Raises
    ------
    Unanswerable
        If the metric cannot be computed in one of the windows.
    """
    meter = windows.meter
    groups = meter.segments(windows.reference, windows.current)
    before, after = (meter.parts(rows, groups=groups) for rows in (windows.reference, windows.current))
    measured = measure(before, after, windows.metric, rng=rng, entities=entities_of(windows))
    asked = _Asked.of(_answering(windows), faults, after, groups=groups)
    if windows.parents and measured.material and (asked.scorer is None or not meter.asks_the_model):
        weighed = Weighed(rivals=ranked(_from_graph(part) for part in by_mechanism(windows, measured, rng=rng)))
    else:
        weighed = _weighed(windows, asked, drift, faults=faults, measured=measured, slices=slices, rng=rng)
    parts = [replace(one.part, strength=one.strength) for one in weighed.standing if one.part and one.strength]
    return Harm(
        measured=measured,
        contributions=tuple(parts),
        unexplained=_left(measured, parts),
        model_agrees=asked.agrees,
        rivals=weighed.rivals,
        undecided=weighed.undecided,
        always=weighed.always,
    )


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What answers rows again, the model or a stand-in; whether it answers as recorded; and the model's part."""

    scorer: Scorer | None
    stand_in: Surrogate | None
    agrees: tuple[float, float] | None
    models: tuple[Contribution, ...]

    @classmethod
    def of(cls, windows: Windows, faults: Faults, after: Parts, *, groups: tuple[Segment, ...]) -> "_Asked":
        stood = fit_surrogate(windows, faults.columns, classes=True)
        asker = scorer_of(windows) or (stood.usable if stood is not None else None)
        agrees = _agreements(windows, asker)
        models: list[Contribution] = []
        if windows.meter.asks_the_model and asker is not None and agrees and agrees[0] >= SAME > agrees[1]:
            models = [_asked_again(windows, asker, after, groups=groups)]
        if windows.meter.asks_the_model and agrees is None:
            models = _decided_anew(windows, after, groups=groups)
        right = asker if agrees is None or agrees[0] >= SAME else None
        return cls(scorer=right, stand_in=stood, agrees=agrees, models=tuple(models))

    @property
    def same(self) -> bool:
        """Whether the model on file answers as recorded."""
        return self.scorer is not None and self.scorer.fidelity is None and not self.models


def _weighed(
    windows: Windows,
    asked: _Asked,
    drift: Drift,
    *,
    faults: Faults,
    measured: Measured,
    slices: Slices | None,
    rng: np.random.Generator,
) -> Weighed:
    """Every rival asked, of rows that count once."""
    windows, known = _answering(windows), gains(windows.model) if windows.model is not None else {}
    copied = copied_rows(windows)
    weighing = Weighing(
        windows=copied.once if copied is not None else windows,
        drift=drift,
        faults=faults.among(copied.keep) if copied is not None else faults,
        measured=measured,
        asker=asked.scorer,
        slices=slices,
        answers_same=asked.same,
        gains=known,
        stand_in=asked.stand_in.scorer if asked.stand_in is not None else None,
        seed=int(rng.integers(2**31)),
    )
    return weigh(weighing, asked.models, copied)


def _answering(windows: Windows) -> Windows:
    """The windows without a model that cannot be asked, as one whose classes nobody can match to their names."""
    if windows.model is None or windows.model.format == "function" or answers_in_classes(windows):
        return windows
    try:
        windows.model.scores(windows.reference.head(1))
    except Unanswerable:
        return replace(windows, model=None)
    return windows


def _from_graph(part: Contribution) -> Rival:
    stands = part.interval.low > 0
    return Rival(
        kind=part.kind,
        name=part.name,
        fault=part.fault,
        part=part,
        strength=part.strength if stands else None,
        found="the node follows its parents otherwise",
        against="" if stands else "its part is not surely above zero",
    )


def _agreements(windows: Windows, asker: Scorer | None) -> tuple[float, float] | None:
    """Share of rows in each window whose recorded answer the model file reproduces; None where there is no file."""
    if asker is None or asker.fidelity is not None:
        return None
    return agreement(asker, windows.reference), agreement(asker, windows.current)


def _left(measured: Measured, found: Iterable[Contribution]) -> float:
    """Harm that no contribution explains."""
    return measured.worse - sum(part.value for part in found)


# -- the model, rescored -----------------------------------------------------------------------------------------------


def _asked_again(windows: Windows, asker: Scorer, after: Parts, *, groups: tuple[Segment, ...]) -> Contribution:
    """Contribution of the model: the metric as recorded less the metric of rescored rows, current window."""
    again = windows.meter.parts(asker(windows.current), groups=groups)
    sign = 1 if windows.metric.harm == "higher" else -1
    estimate = PartEstimate(
        value=sign * (after.value() - again.value()),
        error=float(np.sqrt(np.sum((after.influence() - again.influence()) ** 2))),
        rows=float(len(after)),
        halves=[sign * (after.take(half).value() - again.take(half).value()) for half in halves(len(after))],
    )
    return contribution("model", windows.model_name, estimate, method="asked again")


def _decided_anew(windows: Windows, after: Parts, *, groups: tuple[Segment, ...]) -> list[Contribution]:
    """Contribution of a changed threshold: decisions as recorded against the reference's threshold on their scores."""
    rule = rule_of(windows)
    if rule is None:
        return []
    agrees = agreement(rule, windows.reference), agreement(rule, windows.current)
    return [_asked_again(windows, rule, after, groups=groups)] if agrees[0] >= SAME > agrees[1] else []
