"""The one engine: everything that can be said about a case, from which every notebook, score and report is told."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from rca.analysis.cascade.origin_ranking import CASCADE_QUESTION
from rca.analysis.cascade.question import cascade_of
from rca.analysis.cascade.results import Cascade
from rca.analysis.conclusion.analysis import Analysis
from rca.analysis.conclusion.lifecycle import Lifecycle, lifecycle_of
from rca.analysis.conclusion.recovery import Recovery, recovery_of
from rca.analysis.conclusion.verdict import Verdict, weigh_cascade, weigh_windows
from rca.analysis.conclusion.why_tree_draft import draft_why_tree
from rca.analysis.conclusion.window_answers import Answers, window_answers
from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.inputs.windows import both_windows, windows_of
from rca.analysis.onset.event_proximity import EventProximity, nearest_events
from rca.errors import InvalidCase, Unanswerable
from rca.finding import Target, Unanswered
from rca.record.case import Case
from rca.record.durations import Duration, durations
from rca.record.schema.why_tree import Why
from rca.record.why_tree.blameless import nameless

if TYPE_CHECKING:
    from datetime import datetime

T = TypeVar("T")


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
    spread = _or_unanswered(lambda: cascade_of(case), said) if case.incident.signals is not None else None
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
        told = window_answers(windows, seed=seed, alpha=alpha)
        said += told.unanswered
        return told
    if case.reference is None or case.current is None:
        return Answers()
    return Answers(
        drift=_or_unanswered(lambda: univariate_drift(*both_windows(case), roles=case.roles, alpha=alpha), said)
    )


def _recovered(case: "Case", told: Answers, said: list[Unanswered]) -> Recovery | None:
    """Whether the repair worked, where there are rows from after it."""
    windows, rows = told.windows, case.recovered
    if windows is None or rows is None:
        return None
    return _or_unanswered(lambda: recovery_of(windows, rows), said)


def _lined(case: "Case", told: Answers) -> EventProximity | None:
    """The onset lined up with the events of the timeline."""
    if told.since is None or told.windows is None or not case.incident.timeline.events:
        return None
    time = str(told.windows.roles.time)
    window = told.windows.reference[time].max(), told.windows.current[time].max()
    first = next(iter(told.harm.contributions), None) if told.harm is not None else None
    return nearest_events(
        told.since.onset,
        case.incident.timeline.events,
        window=(window[0].to_pydatetime(), window[1].to_pydatetime()),
        detected=case.incident.timeline.detected,
        cause=Target(kind=first.kind, name=first.name) if first is not None and first.value > 0 else None,
        model=case.incident.model_name,
    )


def _lined_spread(case: "Case", spread: Cascade) -> EventProximity | None:
    """The onset of the first system to fail lined up with the events of the timeline."""
    signals, events = case.incident.signals, case.incident.timeline.events
    if signals is None or spread.onset is None or spread.doubt is not None or not events:
        return None
    first = Target(kind="component", name=spread.suspects[0].component)
    opened = min(signals.from_, spread.onset.earliest)
    detected = case.incident.timeline.detected
    return nearest_events(spread.onset, events, window=(opened, signals.to), detected=detected, cause=first)


def _drafted(
    case: "Case", verdict: Verdict, told: Answers, *, lined: EventProximity | None, spread: Cascade | None
) -> tuple[Why, ...]:
    """A first why-tree, where the record has none."""
    return draft_why_tree(
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


def _verdict(
    told: Answers, spread: Cascade | None, lined: EventProximity | None, *, said: Sequence[Unanswered]
) -> Verdict:
    if told.harm is not None:
        onset = told.since.onset if told.since else None
        return weigh_windows(told.harm, onset, slices=told.slices, lined=lined, explanation=told.explanation)
    if spread is not None:
        return weigh_cascade(spread, lined=lined)
    if told.unlabelled is not None:
        return Verdict(status="cannot_tell", summary=f"Too few rows have a label: {told.unlabelled}.")
    why = [one for one in said if one.question == CASCADE_QUESTION]
    if why:
        return Verdict(status="cannot_tell", summary=f"No cause can be named: {why[0].why}.")
    return Verdict(status="cannot_tell", summary="The case holds no data that could name a cause.")


def _life(case: "Case", found: Verdict) -> Lifecycle:
    """The life cycle, with the moments of the rows during the failure."""
    time, rows = case.roles.time, case.current
    times = rows[time].dropna() if rows is not None and time is not None else None
    places = {name: case.record.place("timeline", name) for name, _ in case.incident.timeline.moments()}
    return lifecycle_of(nameless(case.incident), found.onset, times=times, places=places)


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
