"""The one engine: everything that can be said about a case, from which every notebook, score and report is told."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from rca.analysis.cascade import Cascade
from rca.analysis.cascade import cascade as rank_components
from rca.analysis.drift import Drift
from rca.analysis.drift import drift as compare
from rca.analysis.faults import Faults
from rca.analysis.faults import faults as name_faults
from rca.analysis.harm import Harm
from rca.analysis.harm import harm as divide_harm
from rca.analysis.onset import Onset
from rca.analysis.result import Result, Row
from rca.analysis.since import since as date_incident
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
    import sklearn.ensemble  # noqa: F401 - its OpenMP has to be there before it is limited
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="openmp"):  # idle threads spin, and sums depend on their number
        return _analysed(case, seed=seed, alpha=alpha)


def _analysed(case: "Case", *, seed: int, alpha: float) -> Analysis:
    said: list[Unanswered] = []
    tables = _tables(case, said, alpha=alpha, rng=np.random.default_rng(seed))
    spread = _or_unanswered(lambda: cascade(case), said) if case.incident.signals is not None else None
    onset = _or_unanswered(lambda: _onset(tables), said)
    verdict = _verdict(tables.harm, spread, onset)
    whys = case.incident.whys or why_path(case.incident, verdict)
    said += _left_open(whys)
    analysis = Analysis(
        incident=case.incident.id,
        seed=seed,
        alpha=alpha,
        verdict=verdict,
        drift=tables.drift,
        faults=tables.faults,
        harm=tables.harm,
        onset=onset,
        cascade=spread,
        durations=_durations(case, verdict),
        whys=whys,
        unanswered=tuple(said),
    )
    return replace(analysis, verdict=_citing(verdict, {finding.id for finding in analysis.findings()}))


def _left_open(whys: Iterable[Why]) -> list[Unanswered]:
    """The last question of a path whose answer nothing shows."""
    ends = [why.path()[-1] for why in whys]
    why = "no analysis can show it from data; the record names a candidate, and people have to look"
    return [Unanswered(question=end.question.rstrip("?"), why=why) for end in ends if end.answer.strength == "assumed"]


def _citing(verdict: Verdict, known: set[str]) -> Verdict:
    """The verdict, citing only findings there are: a column may have moved in its missing values alone."""
    causes = [replace(cause, findings=tuple(one for one in cause.findings if one in known)) for cause in verdict.causes]
    return replace(verdict, causes=tuple(causes))


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


@dataclass(frozen=True, kw_only=True)
class _Tables:
    """What the tables of both windows say, as far as they go."""

    windows: Windows | None = None
    drift: Drift | None = None
    faults: Faults | None = None
    harm: Harm | None = None


def _tables(case: "Case", said: list[Unanswered], *, alpha: float, rng: np.random.Generator) -> _Tables:
    moved = _or_unanswered(lambda: drift(case, alpha=alpha), said)
    if moved is None:
        return _Tables()
    windows = _or_unanswered(lambda: windows_of(case), said)
    if windows is None:
        return _Tables(drift=moved)
    faulty = _faults(windows, moved)
    done = _or_unanswered(lambda: divide_harm(windows, moved, faulty, rng=rng), said)
    return _Tables(windows=windows, drift=moved, faults=faulty, harm=done)


def _faults(windows: Windows, moved: Drift) -> Faults:
    return name_faults(
        windows.reference,
        windows.current,
        moved,
        categorical=windows.roles.categorical,
        ordered=windows.roles.time is not None,
    )


def _onset(tables: _Tables) -> Onset | None:
    """Since when, where the tables say how much harm was done by what."""
    if tables.windows is None or tables.harm is None or tables.faults is None:
        return None
    found = date_incident(tables.windows, tables.harm, tables.faults)
    return found.onset if found is not None else None


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
