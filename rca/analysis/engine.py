"""The one engine: everything that can be said about a case, from which every notebook, score and report is told."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from rca.analysis.answers import Answers, answers
from rca.analysis.cascade import QUESTION as SYSTEMS
from rca.analysis.cascade import Cascade
from rca.analysis.cascade import cascade as rank_components
from rca.analysis.drift import Drift
from rca.analysis.events import Lined, line_up
from rca.analysis.faults import Faults
from rca.analysis.gaps import Gaps
from rca.analysis.harm import Harm
from rca.analysis.joint import Joint
from rca.analysis.lifecycle import Lifecycle, lifecycle
from rca.analysis.metric_signal import metric_signal
from rca.analysis.onset import Onset
from rca.analysis.reasons import ExplanationShift
from rca.analysis.recovery import Recovery, recovery_of
from rca.analysis.result import Result, Row
from rca.analysis.since import Since
from rca.analysis.slices import Slices
from rca.analysis.unlabelled import Unlabelled
from rca.analysis.verdict import Verdict, weigh, weigh_cascade
from rca.analysis.whypath import why_path
from rca.analysis.windows import both_windows, windows_of
from rca.errors import InvalidCase, Unanswerable
from rca.finding import Finding, Target, Unanswered
from rca.record.blame import nameless
from rca.record.case import Case
from rca.record.reliability import Duration, durations
from rca.record.whys import Why

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from rca.record.case import Case
    from rca.record.incident import Signals

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
    drift, joint, faults, harm, slices, gaps, since, events, explanation, unlabelled, cascade, recovery
        None where the case does not have what they need, `unanswered` says so; or where there is nothing to tell.
    lifecycle : Lifecycle or None
        Moments with their sources, what these contradict, and the exposure.
    durations : tuple of Duration
    whys : tuple of Why
        The tree on record; where it has none a first one, from the symptom to the cause and to what is open.
    unanswered : tuple of Unanswered
    """

    incident: str
    seed: int
    alpha: float
    verdict: Verdict
    drift: Drift | None = None
    joint: Joint | None = None
    faults: Faults | None = None
    harm: Harm | None = None
    slices: Slices | None = None
    gaps: Gaps | None = None
    since: Since | None = None
    events: Lined | None = None
    explanation: ExplanationShift | None = None
    unlabelled: Unlabelled | None = None
    cascade: Cascade | None = None
    recovery: Recovery | None = None
    lifecycle: Lifecycle | None = None
    durations: tuple[Duration, ...] = ()
    whys: tuple[Why, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()

    def __str__(self) -> str:
        return f"{self.incident}: {self.verdict}"

    def rows(self) -> list[Row]:
        return self.verdict.rows()

    @property
    def onset(self) -> Onset | None:
        """Since when; None where nothing is dated."""
        return self.since.onset if self.since is not None else None

    def findings(self) -> tuple[Finding, ...]:
        """Every finding of every analysis."""
        parts: tuple[Result | None, ...] = (
            self.harm and self.harm.measured, self.harm, self.slices, self.faults, self.drift, self.joint,
            self.gaps, self.since, self.events, self.explanation, self.unlabelled, self.cascade, self.recovery,
        )  # fmt: skip
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
    _require_case(case)
    import sklearn.ensemble  # noqa: F401 - its OpenMP has to be there before it is limited
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="openmp"):  # idle threads spin, and sums depend on their number
        return _analysed(case, seed=seed, alpha=alpha)


def _require_case(given: object) -> None:
    if not isinstance(given, Case):
        hint = "read its folder with rca.load; plain tables are compared by rca.drift, rca.harm and the like"
        raise InvalidCase.because(f"{type(given).__name__} is no case", place="arguments", hint=hint)


def _analysed(case: "Case", *, seed: int, alpha: float) -> Analysis:
    said: list[Unanswered] = []
    told = _tables(case, said, seed=seed, alpha=alpha)
    spread = _or_unanswered(lambda: cascade(case), said) if case.incident.signals is not None else None
    lined = _lined(case, told) if told.harm is not None or spread is None else _lined_spread(case, spread)
    verdict = _verdict(told, spread, lined, said=said)
    whys = case.incident.whys or _drafted(case, verdict, told, lined=lined, spread=spread)
    said += _left_open(whys)
    analysis = Analysis(
        incident=case.incident.id,
        seed=seed,
        alpha=alpha,
        verdict=verdict,
        drift=told.drift,
        joint=told.joint,
        faults=told.faults,
        harm=told.harm,
        slices=told.slices,
        gaps=told.gaps,
        since=told.since,
        events=lined,
        explanation=told.explanation,
        unlabelled=told.unlabelled,
        cascade=spread,
        recovery=_recovered(case, told, said),
        lifecycle=_life(case, verdict),
        durations=_durations(case, verdict),
        whys=whys,
        unanswered=tuple(said),
    )
    return replace(analysis, verdict=_citing(verdict, {finding.id for finding in analysis.findings()}))


def _tables(case: "Case", said: list[Unanswered], *, seed: int, alpha: float) -> Answers:
    """What the tables say; columns that moved alone, where the case has no metric to say more of."""
    windows = _or_unanswered(lambda: windows_of(case), said)
    if windows is not None:
        told = answers(windows, seed=seed, alpha=alpha)
        said += told.unanswered
        return told
    if case.reference is None or case.current is None:
        return Answers()
    from rca.analysis.drift import drift as compare

    return Answers(drift=_or_unanswered(lambda: compare(*both_windows(case), roles=case.roles, alpha=alpha), said))


def _recovered(case: "Case", told: Answers, said: list[Unanswered]) -> Recovery | None:
    """Whether the repair worked, where there are rows from after it."""
    windows, rows = told.windows, case.recovered
    if windows is None or rows is None:
        return None
    return _or_unanswered(lambda: recovery_of(windows, rows), said)


def _lined(case: "Case", told: Answers) -> Lined | None:
    """The onset lined up with the events of the timeline."""
    if told.since is None or told.windows is None or not case.incident.timeline.events:
        return None
    time = str(told.windows.roles.time)
    window = told.windows.reference[time].max(), told.windows.current[time].max()
    first = next(iter(told.harm.contributions), None) if told.harm is not None else None
    return line_up(
        told.since.onset,
        case.incident.timeline.events,
        window=(window[0].to_pydatetime(), window[1].to_pydatetime()),
        detected=case.incident.timeline.detected,
        cause=Target(kind=first.kind, name=first.name) if first is not None and first.value > 0 else None,
        model=case.incident.model_name,
    )


def _lined_spread(case: "Case", spread: Cascade) -> Lined | None:
    """The onset of the first system to fail lined up with the events of the timeline."""
    signals, events = case.incident.signals, case.incident.timeline.events
    if signals is None or spread.onset is None or spread.doubt is not None or not events:
        return None
    first = Target(kind="component", name=spread.suspects[0].component)
    opened = min(signals.from_, spread.onset.earliest)
    detected = case.incident.timeline.detected
    return line_up(spread.onset, events, window=(opened, signals.to), detected=detected, cause=first)


def _drafted(
    case: "Case", verdict: Verdict, told: Answers, *, lined: Lined | None, spread: Cascade | None
) -> tuple[Why, ...]:
    """A first why-tree, where the record has none."""
    return why_path(
        case.incident,
        verdict,
        harm=told.harm,
        moved=told.drift.moved() if told.drift is not None else (),
        event=lined.named if lined is not None else None,
        guards=spread.guards if spread is not None and told.harm is None else (),
    )


def _left_open(whys: Iterable[Why]) -> list[Unanswered]:
    """The questions of a why-tree that nobody has answered, and answers at its ends that nothing shows."""
    asked = [one for why in whys for one in why.walk()]
    left = [one for one in asked if one.answer is None or (not one.whys and one.answer.strength == "assumed")]
    return [Unanswered(question=one.question.rstrip("?"), why=_why_open(one)) for one in left]


def _why_open(one: Why) -> str:
    if one.answer is not None:
        return "the answer on record is assumed; nothing shows it"
    candidate = "; the record names a candidate" if one.candidates else ""
    return f"no analysis can show it from data{candidate}, and people have to look"


def _citing(verdict: Verdict, known: set[str]) -> Verdict:
    """The verdict, citing only findings there are: a column may have moved in its missing values alone."""
    causes = [replace(cause, findings=tuple(one for one in cause.findings if one in known)) for cause in verdict.causes]
    return replace(verdict, causes=tuple(causes))


def cascade(case: "Case") -> Cascade:
    """Which system of a case failed first.

    Raises
    ------
    Unanswerable
        If the case has no signals, or too few samples.
    """
    if case.signals is None or case.incident.signals is None:
        raise Unanswerable(SYSTEMS, "the case has no signals")
    graph = case.graph
    table, signals = _with_metric(case, case.signals, case.incident.signals)
    return rank_components(
        table,
        signals,
        edges=graph.edges if graph is not None else (),
        kind=graph.kind if graph is not None else "causal",
        contained=case.incident.timeline.contained,
    )


def _with_metric(case: "Case", table: "pd.DataFrame", signals: "Signals") -> "tuple[pd.DataFrame, Signals]":
    """The signals of a case, and its own metric among them, where rows tell it over the same time."""
    try:
        windows = windows_of(case)
        table = table.sort_values("time", kind="stable")
        told = metric_signal(windows, table["time"])
    except Unanswerable:
        return table, signals
    name = f"{windows.model_name}|{windows.metric.name}"
    if told is None or name in table.columns:
        return table, signals
    worse: Literal["up", "down"] = "up" if windows.metric.harm == "higher" else "down"
    bad = {windows.metric.name: worse, **signals.bad}
    return table.assign(**{name: told}), signals.model_copy(update={"bad": bad})


def verdict(case: "Case", *, seed: int = 0) -> Verdict:
    """The verdict of a case."""
    return analyse(case, seed=seed).verdict


def _verdict(told: Answers, spread: Cascade | None, lined: Lined | None, *, said: Sequence[Unanswered]) -> Verdict:
    if told.harm is not None:
        onset = told.since.onset if told.since else None
        return weigh(told.harm, onset, slices=told.slices, lined=lined, explanation=told.explanation)
    if spread is not None:
        return weigh_cascade(spread, lined=lined)
    if told.unlabelled is not None:
        return Verdict(status="cannot_tell", summary=f"Too few rows have a label: {told.unlabelled}.")
    why = [one for one in said if one.question == SYSTEMS]
    if why:
        return Verdict(status="cannot_tell", summary=f"No cause can be named: {why[0].why}.")
    return Verdict(status="cannot_tell", summary="The case holds no data that could name a cause.")


def _life(case: "Case", found: Verdict) -> Lifecycle:
    """The life cycle, with the moments of the rows during the failure."""
    time, rows = case.roles.time, case.current
    times = rows[time].dropna() if rows is not None and time is not None else None
    places = {name: case.record.place("timeline", name) for name, _ in case.incident.timeline.moments()}
    return lifecycle(nameless(case.incident), found.onset, times=times, places=places)


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
