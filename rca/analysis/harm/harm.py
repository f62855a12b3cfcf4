"""Attribution of a metric's change to causes: the model, broken columns, mechanisms of a causal graph, or the world.

Methods are applied in the order of the strength of their evidence: rescoring with the model on file; interventions that
repair suspect columns and rescore (Shapley values); then, for what is left, multiply robust attribution along a causal
graph or density-ratio reweighting, which shows association only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rca.analysis.drift.univariate import Drift
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.harm.conditional_information import tells_less
from rca.analysis.harm.contribution import Contribution, PartEstimate, contribution, halves
from rca.analysis.harm.repair_and_rescore import Mended, mended_harm
from rca.analysis.harm.rescoring import Scorer, agreement, rule_of, scorer_of
from rca.analysis.harm.reweighting import by_chain, by_mechanism
from rca.analysis.harm.surrogate_model import fit_surrogate
from rca.analysis.inputs.metric_reader import Segment
from rca.analysis.inputs.windows import Windows
from rca.finding import Finding, Interval
from rca.methods.metric import Measured, Parts, measure
from rca.methods.two_sample_tests import Z
from rca.result import Result, Row

MATERIAL_SHARE = 0.25
"""Share of the harm that repairs have to explain for reweighting to be left out, or to leave for it to be tried."""

SAME = 0.99
"""Share of reference rows whose recorded answer the model file has to reproduce, to count as the model that failed."""


@dataclass(frozen=True, kw_only=True)
class Harm(Result):
    """Attribution of the metric's change to causes, largest contribution first.

    Attributes
    ----------
    measured : Measured
    contributions : tuple of Contribution
        With `unexplained` they add up to ``measured.worse``.
    unexplained : float
        In the metric's unit and the bad direction.
    model_agrees : tuple of float or None
        Share of rows in each window whose recorded answer the model file reproduces; None without a model.
    """

    measured: Measured
    contributions: tuple[Contribution, ...]
    unexplained: float
    model_agrees: tuple[float, float] | None = None

    def __str__(self) -> str:
        if not self.contributions:
            return f"{self.measured}; nothing explains it"
        return f"{self.measured}; the largest part: {self.contributions[0]}"

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


def attribute_harm(windows: Windows, drift: Drift, faults: Faults, *, rng: np.random.Generator) -> Harm:
    """Attribute the metric's change to its possible causes: rescoring, repair and rescore, then reweighting.

    Parameters
    ----------
    windows : Windows
    drift, faults : Drift, Faults
        Of the same windows; columns that moved are the suspects.
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
    measured = measure(before, after, windows.metric, rng=rng)
    found: list[Contribution] = []
    stood = fit_surrogate(windows, faults.columns)
    asker = scorer_of(windows) or (stood.scorer if stood is not None and stood.faithful else None)
    agrees = _agreements(windows, asker)
    if asker is not None and meter.asks_the_model and (agrees is None or agrees[0] >= SAME):
        found += [_asked_again(windows, asker, after, groups=groups)] if agrees and agrees[1] < SAME else []
        found += _mended(windows, asker, faults, sign=measured.sign, rng=rng) if measured.material else []
    found += _decided_anew(windows, after, groups=groups) if agrees is None and meter.asks_the_model else []
    if measured.material and _left(measured, found) > MATERIAL_SHARE * measured.worse:
        seated = replace(windows, answers_same=asker is not None or (stood is not None and stood.same))
        found = _completed(seated, drift, faults, measured=measured, found=found, rng=rng)
    found.sort(key=lambda part: -part.value)
    return Harm(measured=measured, contributions=tuple(found), unexplained=_left(measured, found), model_agrees=agrees)


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


# -- columns, repaired -------------------------------------------------------------------------------------------------


def _mended(
    windows: Windows, asker: Scorer, faults: Faults, *, sign: int, rng: np.random.Generator
) -> list[Contribution]:
    """Contributions of suspect columns: the harm that goes when they are repaired and the rows rescored."""
    suspects = _suspects(windows, [row for row in faults.columns if row.column in asker.features], asker.features)
    if not suspects:
        return []
    done = mended_harm(
        windows.reference, windows.current, suspects, meter=windows.meter, ask=asker, features=asker.features, rng=rng
    )
    by_name = {fault.column: fault for fault in suspects}
    parts = [_mended_part(by_name[name], done, sign=sign) for name in done.columns]
    return parts if asker.fidelity is None else [_by_surrogate(part, asker.fidelity) for part in parts]


def _by_surrogate(part: Contribution, fidelity: float) -> Contribution:
    """Downgrade a contribution found with a surrogate of the model to `suggested`."""
    assumption = f"a stand-in answers as the model does (it repeats {fidelity:.1%} of the variance of unseen answers)"
    return replace(part, strength="suggested", assumptions=(*part.assumptions, assumption))


def _suspects(windows: Windows, moved: Sequence[ColumnFault], read: Sequence[str]) -> list[ColumnFault]:
    """Suspect columns: those with a diagnosed fault, then drifted ones with less conditional information on the label.

    A column that only drifted may be right, in a world that has changed. If its values are wrong, it is less
    informative of the label than it was. Where the metric needs no label, every column that moved is a suspect.
    """
    if not windows.meter.needs_label:
        return sorted(moved, key=lambda row: not row.broken)
    broken = [row for row in moved if row.broken]
    return broken + [
        row
        for row in moved
        if not row.broken
        and tells_less(windows.reference, windows.current, row.column, label=windows.label, among=read)
    ]


def _mended_part(fault: ColumnFault, done: Mended, *, sign: int) -> Contribution:
    i = done.columns.index(fault.column)
    estimate = PartEstimate(
        value=sign * float(done.contributions[i]),
        error=float(done.errors[i]),
        rows=float(min(done.rows)),
        halves=[sign * float(half[i]) for half in done.halves],
    )
    assumptions = ("donors that look alike elsewhere would have had alike values",) if not fault.invertible else ()
    return contribution("feature", fault.column, estimate, method="mended", fault=fault.fault, assumptions=assumptions)


# -- what is left ------------------------------------------------------------------------------------------------------


def _completed(
    windows: Windows,
    drift: Drift,
    faults: Faults,
    *,
    measured: Measured,
    found: Sequence[Contribution],
    rng: np.random.Generator,
) -> list[Contribution]:
    """Attribute the harm that is left; reweighting replaces repairs that explained next to nothing."""
    if sum(part.value for part in found if part.method == "mended") >= MATERIAL_SHARE * measured.worse:
        return [*found, *([_world(windows, measured, found)] if windows.meter.needs_label else [])]
    asked = [part for part in found if part.method == "asked again"]
    if windows.parents and windows.model is None:
        return [*asked, *by_mechanism(windows, measured, rng=rng)]
    return [*asked, *by_chain(windows, drift, faults, sign=measured.sign, rng=rng)]


def _world(windows: Windows, measured: Measured, found: Sequence[Contribution]) -> Contribution:
    """Concept contribution: the harm that stays with every suspect column repaired, a change of P(label | features)."""
    spread = [_error(part.interval) for part in found]
    estimate = PartEstimate(
        value=_left(measured, found),
        error=float(np.sqrt(_error(measured.interval) ** 2 + sum(one**2 for one in spread))),
        rows=float(min(measured.n_reference, measured.n_current)),
    )
    unseen = ("no column under suspicion is broken unseen",)
    return contribution("concept", windows.label, estimate, method="mended", assumptions=unseen)


def _error(interval: Interval) -> float:
    """Standard error behind a 95 % interval."""
    return (interval.high - interval.low) / (2 * Z)
