"""All analyses of two windows of rows, in the order in which evidence builds on evidence."""

from dataclasses import dataclass

from rca.analysis.conclusion.observation import Observation
from rca.analysis.conclusion.would_decide import would_decide
from rca.analysis.drift.classifier_two_sample import Joint
from rca.analysis.drift.question import drift_of, joint_of
from rca.analysis.drift.univariate import Drift
from rca.analysis.explanation.question import explanation_of
from rca.analysis.explanation.results import ExplanationShift
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.faults.question import faults_of
from rca.analysis.harm.column_screening import screened
from rca.analysis.harm.harm import Harm
from rca.analysis.harm.label_free_bounds import Unlabelled
from rca.analysis.harm.question import harm_of, unlabelled_of
from rca.analysis.inputs.windows import Windows, measured_of
from rca.analysis.onset.incident_onset import Since
from rca.analysis.onset.question import onset_of
from rca.analysis.onset.since_onset import current_since
from rca.analysis.slices.group_gaps import Gaps
from rca.analysis.slices.question import gaps_of, slices_of
from rca.analysis.slices.slices import Slices
from rca.finding import Unanswered
from rca.result import Asking


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """Results of two windows; the reasons for what is None are in `unanswered`."""

    windows: Windows | None = None
    drift: Drift | None = None
    joint: Joint | None = None
    faults: Faults | None = None
    harm: Harm | None = None
    slices: Slices | None = None
    gaps: Gaps | None = None
    since: Since | None = None
    explanation: ExplanationShift | None = None
    unlabelled: Unlabelled | None = None
    decisive: tuple[Observation, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()


def window_answers(windows: Windows, ask: Asking | None = None, *, seed: int = 0, alpha: float = 0.05) -> Answers:
    """Run all analyses of two windows.

    Parameters
    ----------
    windows : Windows
    ask : Asking, optional
        Keeps why a question has no answer.
    seed : int
        Every analysis is seeded anew, so that it has the same result when it is run alone.
    alpha : float
        False discovery rate of what is called moved.
    """
    ask = ask if ask is not None else Asking()
    if windows.unasked:
        ask.unanswered.append(Unanswered(question="what does the model on file answer", why=windows.unasked))
    drift = ask(lambda: drift_of(windows, alpha=alpha), "what moved")
    if drift is None:
        return Answers(windows=windows, unanswered=tuple(ask.unanswered))
    ask.tell("how did columns break")
    every, faults = windows, faults_of(windows, drift)
    windows = screened(every, drift, faults)
    if windows is not every:
        ask.unanswered.append(_unweighed(every, windows))
    measured = ask(lambda: measured_of(windows, seed=seed))
    slices = None
    if measured is not None:
        slices = ask(lambda: slices_of(windows, measured, seed=seed, alpha=alpha), "where does it hurt")
    ask.tell("what did the harm")
    harm = harm_of(windows, drift, faults, slices=slices, seed=seed) if measured is not None else None
    since = None
    if harm is not None:
        since = ask(lambda: onset_of(windows, harm, faults=faults, slices=slices), "since when")
    now = current_since(windows, since.onset if since is not None else None)
    return Answers(
        windows=windows,
        drift=drift,
        joint=ask(lambda: joint_of(every, seed=seed), "what moved jointly"),
        faults=faults,
        harm=harm,
        slices=slices,
        gaps=ask(lambda: gaps_of(now, alpha=alpha), "which groups fare worse"),
        since=since,
        explanation=ask(
            lambda: explanation_of(windows, slices, seed=seed, alpha=alpha), "how did the model's reasons change"
        ),
        unlabelled=ask(lambda: unlabelled_of(windows, seed=seed), "what can be said without labels"),
        decisive=would_decide(windows, harm, faults=faults, seed=seed) if harm is not None else (),
        unanswered=tuple(ask.unanswered),
    )


def _unweighed(every: Windows, weighed: Windows) -> Unanswered:
    """That most columns were compared and looked at for faults, and not weighed as causes."""
    columns, kept = len(every.roles.features), len(weighed.roles.features)
    which = "those that moved, broke, or go most with the outcome or the answers"
    why = f"of {columns:,} columns {kept} were weighed: {which}"
    return Unanswered(question="what each column did to the metric", why=why)
