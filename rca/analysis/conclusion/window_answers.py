"""All that two windows of rows can answer, question after question, as evidence builds on evidence."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from rca.analysis.drift.classifier_two_sample import Joint
from rca.analysis.drift.question import drift_of, joint_of
from rca.analysis.drift.univariate import Drift
from rca.analysis.explanation.question import explanation_of
from rca.analysis.explanation.results import ExplanationShift
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.faults.question import faults_of
from rca.analysis.harm.harm import Harm, attribute_harm
from rca.analysis.harm.label_free_bounds import Unlabelled
from rca.analysis.harm.question import unlabelled_of
from rca.analysis.inputs.arguments import seeded
from rca.analysis.inputs.windows import Windows
from rca.analysis.onset.incident_onset import Since
from rca.analysis.onset.question import onset_of
from rca.analysis.slices.group_gaps import Gaps, group_gaps
from rca.analysis.slices.question import slices_of
from rca.analysis.slices.slices import Slices
from rca.errors import Unanswerable
from rca.finding import Unanswered

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What two windows say, as far as they go; the reasons for what is None are in `unanswered`."""

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
    unanswered: tuple[Unanswered, ...] = ()


def window_answers(windows: Windows, *, seed: int = 0, alpha: float = 0.05) -> Answers:
    """Ask all questions of two windows.

    Parameters
    ----------
    windows : Windows
    seed : int
        Every question draws from this seed anew, so that asked alone it has the same answer.
    alpha : float
        False discovery rate of what is called moved.
    """
    said: list[Unanswered] = []

    def ask(question: Callable[[], T]) -> T | None:
        try:
            return question()
        except Unanswerable as reason:
            said.append(Unanswered(question=reason.question, why=reason.why))
            return None

    moved = ask(lambda: drift_of(windows, alpha=alpha))
    if moved is None:
        return Answers(windows=windows, unanswered=tuple(said))
    broke = faults_of(windows, moved)
    done = ask(lambda: attribute_harm(windows, moved, broke, rng=seeded(seed)))
    where = ask(lambda: slices_of(windows, done, seed=seed, alpha=alpha)) if done is not None else None
    return Answers(
        windows=windows,
        drift=moved,
        joint=ask(lambda: joint_of(windows, seed=seed)),
        faults=broke,
        harm=done,
        slices=where,
        gaps=ask(lambda: group_gaps(windows, alpha=alpha)) if windows.roles.groups else None,
        since=ask(lambda: onset_of(windows, done, broke, where=where)) if done is not None else None,
        explanation=ask(lambda: explanation_of(windows, where=where, seed=seed, alpha=alpha)),
        unlabelled=ask(lambda: unlabelled_of(windows, seed=seed)),
        unanswered=tuple(said),
    )
