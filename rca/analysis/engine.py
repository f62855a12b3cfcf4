"""The one engine: everything that can be said about a case, from which every notebook, score and report is told."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from rca.analysis.cascade import Cascade
from rca.analysis.cascade import cascade as rank_components
from rca.analysis.drift import Drift
from rca.analysis.drift import drift as compare
from rca.analysis.faults import Faults, hit
from rca.analysis.faults import faults as name_faults
from rca.analysis.harm import Harm
from rca.analysis.harm import harm as divide_harm
from rca.analysis.onset import Onset, date
from rca.analysis.result import Result, Row
from rca.analysis.verdict import Verdict, weigh, weigh_cascade
from rca.analysis.whypath import why_path
from rca.analysis.windows import Windows, both_windows, windows_of
from rca.errors import Unanswerable
from rca.finding import Finding, Unanswered
from rca.record.reliability import Duration, durations
from rca.record.whys import Why

if TYPE_CHECKING:
    from datetime import datetime

    from rca.record.case import Case

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Analysis(Result):
    """All results of one case.

    Attributes
    ----------
    incident : str
    seed : int
    alpha : float
    verdict : Verdict
    drift, faults, harm, onset, cascade
        None where the case does not have what they need; `unanswered` says so.
    durations : tuple of Duration
    whys : tuple of Why
        The tree on record; a first path from the symptom to the cause where the record has none.
    unanswered : tuple of Unanswered
    """

    incident: str
    seed: int
    alpha: float
    verdict: Verdict
    drift: Drift | None = None
    faults: Faults | None = None
    harm: Harm | None = None
    onset: Onset | None = None
    cascade: Cascade | None = None
    durations: tuple[Duration, ...] = ()
    whys: tuple[Why, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()

    def __str__(self) -> str:
        return f"{self.incident}: {self.verdict}"

    def rows(self) -> list[Row]:
        return self.verdict.rows()

    def findings(self) -> tuple[Finding, ...]:
        """Every finding of every analysis."""
        parts = (self.harm and self.harm.measured, self.harm, self.faults, self.drift, self.cascade)
        return tuple(finding for part in parts if part is not None for finding in part.findings())

    def results(self) -> dict[str, Any]:
        """What a run concludes, to the contract of `results.json`."""
        from rca.analysis.contract import results

        return results(self)


def analyse(case: "Case", *, seed: int = 0, alpha: float = 0.05) -> Analysis:
    """Say everything that can be said about a case.

    Parameters
    ----------
    case : Case
    seed : int
        Of every random draw; the same seed gives the same numbers.
    alpha : float
        False discovery rate of what is called moved.

    Returns
    -------
    Analysis
        A question that the data cannot answer is in `unanswered`; it is no error.

    Raises
    ------
    InvalidCase
        If a table, the model, or the graph is not what the record says.
    """
    said: list[Unanswered] = []
    drifted = faulty = done = None
    if case.reference is not None and case.current is not None:
        drifted, faulty, done = _tables(case, said, np.random.default_rng(seed), alpha)
    else:
        said.append(Unanswered(question="what moved", why="the case has no tables of both windows"))
    spread = _or_unanswered(lambda: cascade(case), said) if case.incident.signals is not None else None
    onset = _or_unanswered(lambda: _onset(case, done, faulty), said) if done is not None else None
    verdict = _verdict(done, spread, onset)
    return Analysis(
        incident=case.incident.id,
        seed=seed,
        alpha=alpha,
        verdict=verdict,
        drift=drifted,
        faults=faulty,
        harm=done,
        onset=onset,
        cascade=spread,
        durations=_durations(case, verdict),
        whys=case.incident.whys or why_path(case.incident, verdict),
        unanswered=tuple(said),
    )


def drift(case: "Case", *, alpha: float = 0.05) -> Drift:
    """What moved between a case's windows.

    Raises
    ------
    Unanswerable
        If the case has not both windows.
    """
    reference, current = both_windows(case)
    return compare(reference, current, features=case.roles.features, categorical=case.roles.categorical, alpha=alpha)


def harm(case: "Case", *, seed: int = 0) -> Harm:
    """How much of the metric's change each thing did, in one case.

    Raises
    ------
    Unanswerable
        If the case has not both windows, or no metric.
    """
    moved = drift(case)
    windows = windows_of(case)
    return divide_harm(windows, moved, _faults(windows, moved), rng=np.random.default_rng(seed))


def cascade(case: "Case") -> Cascade:
    """Which system of a case failed first.

    Raises
    ------
    Unanswerable
        If the case has no signals, or too few samples.
    """
    if case.signals is None or case.incident.signals is None:
        raise Unanswerable("which system failed first", "the case has no signals")
    graph = case.graph
    return rank_components(
        case.signals,
        case.incident.signals,
        edges=graph.edges if graph is not None else (),
        kind=graph.kind if graph is not None else "causal",
    )


def onset(case: "Case", *, seed: int = 0) -> Onset | None:
    """Since when a case's metric, or the column that did the harm, differs; None where nothing is dated."""
    return analyse(case, seed=seed).onset


def verdict(case: "Case", *, seed: int = 0) -> Verdict:
    """The verdict of a case."""
    return analyse(case, seed=seed).verdict


def _tables(
    case: "Case", said: list[Unanswered], rng: np.random.Generator, alpha: float
) -> tuple[Drift | None, Faults | None, Harm | None]:
    moved = _or_unanswered(lambda: drift(case, alpha=alpha), said)
    if moved is None:
        return None, None, None
    windows = _or_unanswered(lambda: windows_of(case), said)
    if windows is None:
        return moved, None, None
    faulty = _faults(windows, moved)
    return moved, faulty, _or_unanswered(lambda: divide_harm(windows, moved, faulty, rng=rng), said)


def _faults(windows: Windows, moved: Drift) -> Faults:
    return name_faults(
        windows.reference,
        windows.current,
        moved,
        categorical=windows.roles.categorical,
        ordered=windows.roles.time is not None,
    )


def _onset(case: "Case", done: Harm | None, faulty: Faults | None) -> Onset | None:
    """Date the column that did most of the harm if it broke, else the metric."""
    if done is None or not done.measured.material:
        return None
    if case.roles.time is None:
        raise Unanswerable("since when", "the case names no time column")
    windows = windows_of(case)
    first = next((part for part in done.contributions if part.value > 0 and part.kind == "feature"), None)
    fault = (
        faulty.get(first.name) if faulty is not None and first is not None and first is done.contributions[0] else None
    )
    if fault is not None and (fault.value is not None or fault.fault == "missing"):
        quantity = [hit(replace(fault, since=0), rows).astype(float) for rows in (windows.reference, windows.current)]
        what, unit = f"{fault.column} {fault.fault.replace('_', ' ')}", "share of rows"
    else:
        groups = windows.meter.segments(windows.reference, windows.current)
        before, after = (windows.meter.parts(rows, groups=groups) for rows in (windows.reference, windows.current))
        quantity = [_harm_per_row(parts, done.measured.sign) for parts in (before, after)]
        what, unit = done.measured.label, done.measured.unit
    times = case.roles.time
    return date((windows.reference[times], quantity[0]), (windows.current[times], quantity[1]), what=what, unit=unit)


def _harm_per_row(parts: Any, sign: int) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """What a row adds to the metric, NaN where it does not count."""
    counted = parts.denominator.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(counted > 0, sign * parts.numerator.sum(axis=1) / counted, np.nan))


def _verdict(done: Harm | None, spread: Cascade | None, since: Onset | None) -> Verdict:
    if done is not None:
        return weigh(done, since)
    if spread is not None:
        return weigh_cascade(spread)
    return Verdict(status="cannot_tell", summary="The case holds no data that could name a cause.")


def _durations(case: "Case", found: Verdict) -> tuple[Duration, ...]:
    since = found.onset
    at: datetime | None = since.at if since else None
    between = (since.earliest, since.latest) if since else None
    return durations(case.incident.timeline, at, between=between)


def _or_unanswered(ask: "Callable[[], T]", said: list[Unanswered]) -> "T | None":
    """The answer; or None, with the reason kept as a result, where the data cannot say."""
    try:
        return ask()
    except Unanswerable as reason:
        said.append(Unanswered(question=reason.question, why=reason.why))
        return None
