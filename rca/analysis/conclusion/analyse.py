"""The analysis of a case: every question in order, from which notebooks, scores and reports are made."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rca.analysis.cascade.origin_ranking import CASCADE_QUESTION
from rca.analysis.cascade.question import cascade_of
from rca.analysis.cascade.results import Cascade
from rca.analysis.conclusion.analysis import Analysis
from rca.analysis.conclusion.lifecycle import Lifecycle, lifecycle_of
from rca.analysis.conclusion.observation import with_what_decides
from rca.analysis.conclusion.recovery import Recovery, recovery_of
from rca.analysis.conclusion.verdict import Verdict, weigh_cascade, weigh_windows
from rca.analysis.conclusion.why_tree_draft import draft_why_tree
from rca.analysis.conclusion.window_answers import Answers, window_answers
from rca.analysis.counterfactual.question import what_if_of
from rca.analysis.drift.detector_claims import judged_claims
from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.inputs.arguments import share_of
from rca.analysis.inputs.windows import Windows, both_windows, windows_of
from rca.analysis.onset.event_proximity import EventProximity, nearest_events
from rca.analysis.onset.since_onset import Otherwise, SinceOnset, since_onset_of_rows, since_onset_of_signals
from rca.errors import InvalidCase, Unanswerable
from rca.finding import Target, Unanswered
from rca.methods.boosted_trees import on_one_thread
from rca.record.case import Case
from rca.record.check import files
from rca.record.durations import Duration, durations
from rca.record.schema.why_tree import Why
from rca.record.why_tree.blameless import nameless
from rca.result import Asking

if TYPE_CHECKING:
    from datetime import datetime


def analyse(case: "Case", *, seed: int = 0, alpha: float = 0.05, tell: Callable[[str], object] = str) -> Analysis:
    """Run every analysis of a case: tables, signals, events, verdict and a draft of the why-tree.

    Parameters
    ----------
    case : Case
    seed : int
        Of every random draw; the same seed gives the same numbers.
    alpha : float
        False discovery rate of what is called moved.
    tell : callable, optional
        Told which question is being asked, in a few words.

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
    alpha = share_of(alpha, place="alpha")
    try:
        return _analysed(case, Asking(tell), seed=seed, alpha=alpha)
    except InvalidCase:
        raise
    except Exception as error:
        if problems := files(case):  # what `check` would have said
            raise InvalidCase(problems) from error
        raise


def _require_case(given: object) -> None:
    if not isinstance(given, Case):
        hint = "read its folder with rca.load; plain tables are compared by rca.drift, rca.harm and the like"
        raise InvalidCase.because(f"{type(given).__name__} is no case", place="arguments", hint=hint)


@on_one_thread
def _analysed(case: "Case", ask: Asking, *, seed: int, alpha: float) -> Analysis:
    """Run the analyses in the order in which evidence builds on evidence."""
    answers = _of_tables(case, ask, seed=seed, alpha=alpha)
    signals = case.incident.signals
    cascade = ask(lambda: cascade_of(case), "which system failed first") if signals is not None else None
    if answers.harm is not None or cascade is None:
        events = _events_of_rows(case, answers)
    else:
        events = _events_of_signals(case, cascade)
    ask.tell("what follows from all of it")
    verdict = _weighed(answers, cascade, events, unanswered=ask.unanswered)
    whys = case.incident.whys or _drafted(case, verdict, answers, events=events, cascade=cascade)
    ask.unanswered += [*_left_open(whys), *_origin_left_open(cascade)]
    analysis = Analysis(
        incident=case.incident.id,
        seed=seed,
        alpha=alpha,
        verdict=verdict,
        drift=answers.drift,
        joint=answers.joint,
        faults=answers.faults,
        harm=answers.harm,
        slices=answers.slices,
        gaps=answers.gaps,
        since=answers.since,
        events=events,
        explanation=answers.explanation,
        unlabelled=answers.unlabelled,
        cascade=cascade,
        recovery=_recovered(case, answers, ask),
        claims=judged_claims(case.incident.detections, answers.drift),
        lifecycle=_life(case, verdict),
        since_onset=_since_onset(case, verdict, answers, cascade=cascade, seed=seed),
        durations=_durations(case, verdict),
        whys=whys,
        decisive=answers.decisive,
        unanswered=with_what_decides(ask.unanswered, answers.decisive),
    )
    return replace(analysis, verdict=_citing(verdict, {finding.id for finding in analysis.findings()}))


def _of_tables(case: "Case", ask: Asking, *, seed: int, alpha: float) -> Answers:
    """Answers from the tables; drift alone, where the case has no metric."""
    windows = ask(lambda: windows_of(case), "what is on record")
    if windows is not None:
        return window_answers(windows, ask, seed=seed, alpha=alpha)
    if case.reference is None or case.current is None:
        return Answers()
    return Answers(drift=ask(lambda: univariate_drift(*both_windows(case), roles=case.roles, alpha=alpha)))


def _recovered(case: "Case", answers: Answers, ask: Asking) -> Recovery | None:
    """Equivalence test of the repair, where there are rows from after it."""
    windows, rows = answers.windows, case.recovered
    if windows is None or rows is None:
        return None
    return ask(lambda: recovery_of(windows, rows), "did the repair work")


def _since_onset(
    case: "Case", verdict: Verdict, answers: Answers, *, cascade: Cascade | None, seed: int
) -> SinceOnset | None:
    """The metric of the rows since the onset; of a cascade, the signal of the alarm."""
    windows, harm = answers.windows, answers.harm
    if windows is None or harm is None:
        return since_onset_of_signals(case, cascade) if cascade is not None else None
    broken = {one.column for one in answers.faults.broken} if answers.faults is not None else set()
    mended = [one.name for one in verdict.causes if one.kind == "feature" and one.name in broken]
    return since_onset_of_rows(
        windows,
        harm.measured,
        verdict.onset,
        gaps=answers.gaps,
        recovered=case.recovered,
        otherwise=_otherwise(windows, answers.faults, mended, seed=seed),
    )


def _otherwise(windows: Windows, faults: Faults | None, mended: Sequence[str], *, seed: int) -> Otherwise | None:
    """Decisions that would have been others had these columns been whole; None where nothing answers that."""
    if faults is None or not mended:
        return None
    try:
        found = what_if_of(windows, faults, None, wanted={"mend": tuple(mended)}, seed=seed)
    except (Unanswerable, InvalidCase):
        return None
    would, righted, wronged = found.would_be, found.righted, found.wronged
    return Otherwise(
        columns=tuple(mended),
        rows=found.changed.value,
        interval=found.changed.interval,
        righted=righted.value if righted is not None else None,
        wronged=wronged.value if wronged is not None else None,
        would_be=would.value if would is not None else None,
        would_be_interval=would.interval if would is not None else None,
    )


def _events_of_rows(case: "Case", answers: Answers) -> EventProximity | None:
    """Proximity of the onset of the harm to the events of the timeline."""
    if answers.since is None or answers.windows is None or not case.incident.timeline.events:
        return None
    time = str(answers.windows.roles.time)
    window = answers.windows.reference[time].max(), answers.windows.current[time].max()
    first = next(iter(answers.harm.contributions), None) if answers.harm is not None else None
    return nearest_events(
        answers.since.onset,
        case.incident.timeline.events,
        window=(window[0].to_pydatetime(warn=False), window[1].to_pydatetime(warn=False)),
        detected=case.incident.timeline.detected,
        cause=Target(kind=first.kind, name=first.name) if first is not None and first.value > 0 else None,
        model=case.incident.model_name,
    )


def _events_of_signals(case: "Case", cascade: Cascade) -> EventProximity | None:
    """Proximity of the onset of the first system to fail to the events of the timeline."""
    signals, events = case.incident.signals, case.incident.timeline.events
    if signals is None or cascade.onset is None or cascade.doubt is not None or not events:
        return None
    first = Target(kind="component", name=cascade.suspects[0].component)
    opened = min(signals.from_, cascade.onset.earliest)
    detected = case.incident.timeline.detected
    return nearest_events(cascade.onset, events, window=(opened, signals.to), detected=detected, cause=first)


def _drafted(
    case: "Case", verdict: Verdict, answers: Answers, *, events: EventProximity | None, cascade: Cascade | None
) -> tuple[Why, ...]:
    """A draft of the why-tree, where the record has none."""
    return draft_why_tree(
        case.incident,
        verdict,
        harm=answers.harm,
        moved=answers.drift.moved() if answers.drift is not None else (),
        event=events.named if events is not None else None,
        guards=cascade.guards if cascade is not None and answers.harm is None else (),
    )


def _left_open(whys: Iterable[Why]) -> list[Unanswered]:
    """Unanswered questions of a why-tree, and answers at its leaves without evidence."""
    asked = [one for why in whys for one in why.walk()]
    left = [one for one in asked if one.answer is None or (not one.whys and one.answer.strength == "assumed")]
    return [Unanswered(question=one.question.rstrip("?"), why=_why_open(one)) for one in left]


def _why_open(one: Why) -> str:
    if one.answer is not None:
        return "the answer on record is assumed; nothing shows it"
    candidate = "; the record names a candidate" if one.candidates else ""
    return f"no analysis can show it from data{candidate}, and people have to look"


def _origin_left_open(cascade: Cascade | None) -> list[Unanswered]:
    """That the signals cannot say which system failed first, and what would."""
    if cascade is None or cascade.doubt is None or cascade.quiet:
        return []
    return [Unanswered(question=CASCADE_QUESTION, why=cascade.doubt, would_decide=cascade.would_decide)]


def _citing(verdict: Verdict, known: set[str]) -> Verdict:
    """The verdict without citations of findings that do not exist, as of drift in missing values alone."""
    causes = [replace(cause, findings=tuple(one for one in cause.findings if one in known)) for cause in verdict.causes]
    return replace(verdict, causes=tuple(causes))


def _weighed(
    answers: Answers, cascade: Cascade | None, events: EventProximity | None, *, unanswered: Sequence[Unanswered]
) -> Verdict:
    if answers.harm is not None:
        onset = answers.since.onset if answers.since else None
        return weigh_windows(answers.harm, onset, slices=answers.slices, events=events, explanation=answers.explanation)
    if cascade is not None:
        return weigh_cascade(cascade, events=events)
    if answers.unlabelled is not None:
        return Verdict(status="cannot_tell", summary=f"Too few rows have a label: {answers.unlabelled}.")
    why = [one for one in unanswered if one.question == CASCADE_QUESTION]
    if why:
        return Verdict(status="cannot_tell", summary=f"No cause can be named: {why[0].why}.")
    return Verdict(status="cannot_tell", summary="The case holds no data that could name a cause.")


def _life(case: "Case", found: Verdict) -> Lifecycle:
    """The incident life cycle, with the times of the rows during the failure."""
    time, rows = case.roles.time, case.current
    times = rows[time].dropna() if rows is not None and time is not None else None
    places = {name: case.record.place("timeline", name) for name, _ in case.incident.timeline.moments()}
    return lifecycle_of(nameless(case.incident), found.onset, times=times, places=places)


def _durations(case: "Case", found: Verdict) -> tuple[Duration, ...]:
    since = found.onset
    at: datetime | None = since.at if since else None
    between = (since.earliest, since.latest) if since else None
    return durations(case.incident.timeline, at, between=between)
