"""All that two windows of rows can answer, question after question, as evidence builds on evidence."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from rca.analysis.arguments import seeded
from rca.analysis.drift import Drift, drift
from rca.analysis.explain import explain
from rca.analysis.faults import Faults, faults
from rca.analysis.gaps import Gaps, gaps
from rca.analysis.harm import Harm, harm
from rca.analysis.joint import Joint, joint
from rca.analysis.reasons import ExplanationShift
from rca.analysis.since import Since, since
from rca.analysis.slices import Slices, slices
from rca.analysis.unlabelled import Unlabelled, unlabelled
from rca.analysis.windows import Windows
from rca.errors import Unanswerable
from rca.finding import Unanswered

T = TypeVar("T")

LOSS = "\0loss"
"""Name of the column of losses that is handed on; no case can have it."""

BOUNDED = {"error_rate": (0.0, 1.0), "brier": (0.0, 1.0)}
"""Metrics that every row adds to, and the least and the most that it can."""


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


def answers(windows: Windows, *, seed: int = 0, alpha: float = 0.05) -> Answers:
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

    moved = ask(lambda: what_moved(windows, alpha=alpha))
    if moved is None:
        return Answers(windows=windows, unanswered=tuple(said))
    broke = how_it_broke(windows, moved)
    done = ask(lambda: harm(windows, moved, broke, rng=seeded(seed)))
    where = ask(lambda: where_it_sits(windows, done, seed=seed, alpha=alpha)) if done is not None else None
    return Answers(
        windows=windows,
        drift=moved,
        joint=ask(lambda: together(windows, seed=seed)),
        faults=broke,
        harm=done,
        slices=where,
        gaps=ask(lambda: gaps(windows, alpha=alpha)) if windows.roles.groups else None,
        since=ask(lambda: since_when(windows, done, broke, where=where)) if done is not None else None,
        explanation=ask(lambda: how_it_reasoned(windows, where=where, seed=seed, alpha=alpha)),
        unlabelled=ask(lambda: without_labels(windows, seed=seed)),
        unanswered=tuple(said),
    )


def what_moved(windows: Windows, *, alpha: float = 0.05) -> Drift:
    """Which columns moved."""
    return drift(windows.reference, windows.current, roles=windows.roles, alpha=alpha)


def together(windows: Windows, *, seed: int = 0) -> Joint:
    """Whether features moved together."""
    rng = seeded(seed)
    return joint(windows.reference, windows.current, features=windows.roles.features, rng=rng)


def how_it_broke(windows: Windows, moved: Drift) -> Faults:
    """How each column broke."""
    roles = windows.roles
    return faults(
        windows.reference,
        windows.current,
        moved,
        categorical=roles.categorical,
        groups=roles.groups,
        ordered=roles.time is not None,
        time=roles.time,
        entity=roles.id,
        label=roles.label,
    )


def where_it_sits(windows: Windows, done: Harm, *, seed: int = 0, alpha: float = 0.05) -> Slices | None:
    """In which rows the harm sits; None where none was done."""
    if not done.measured.material:
        return None
    return slices(windows, done.measured, rng=seeded(seed), alpha=alpha)


def since_when(windows: Windows, done: Harm, broke: Faults, *, where: Slices | None) -> Since | None:
    """Since when; a slice that carries the harm is dated too."""
    local = [one.conditions for one in where.slices] if where is not None and where.local else []
    return since(windows, done, broke, slices=local)


def how_it_reasoned(
    windows: Windows, *, where: Slices | None = None, seed: int = 0, alpha: float = 0.05
) -> ExplanationShift:
    """How the reasons of the model changed; in the slices that carry the harm by themselves too."""
    found = [one.conditions for one in where.slices] if where is not None else []
    return explain(windows, slices=found, seed=seed, alpha=alpha)


def without_labels(windows: Windows, *, seed: int = 0) -> Unlabelled | None:
    """What is known of rows without a label; None where all have one, or the metric asks for none."""
    meter = windows.meter
    if meter.base != windows.metric.name or meter.base not in BOUNDED:
        return None
    label = windows.roles.label
    if label is None or (label in windows.current and windows.current[label].notna().all()):
        return None
    frames = []
    for rows in (windows.reference, windows.current):
        parts = meter.parts(rows if label in rows else rows.assign(**{label: np.nan}))
        known = parts.denominator[:, 0] > 0
        lost = np.where(known, parts.numerator[:, 0] / np.where(known, parts.denominator[:, 0], 1.0), np.nan)
        frames.append(rows.assign(**{LOSS: lost}))
    return unlabelled(
        frames[0],
        frames[1],
        loss=LOSS,
        features=windows.roles.features,
        worst=BOUNDED[meter.base],
        categorical=windows.roles.categorical,
        rng=seeded(seed),
    )
