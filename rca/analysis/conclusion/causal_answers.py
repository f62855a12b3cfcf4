"""All causal questions of a case: graph, mechanism change, event study, counterfactuals, outliers; or why not.

One question a part; for one that has no answer the reason is given, so that a notebook can show it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from rca.analysis.causal.graph_columns import CAUSES_QUESTION, measured_parents, with_answers
from rca.analysis.causal.graph_falsification import CausalGraph
from rca.analysis.causal.mechanism_change import Causes
from rca.analysis.causal.outlier_attribution import Odd
from rca.analysis.causal.question import causes, graph, graphed, odd
from rca.analysis.counterfactual.question import what_if_of
from rca.analysis.counterfactual.what_if import WhatIf
from rca.analysis.drift.question import drift_of
from rca.analysis.event_study.effect import Effect
from rca.analysis.event_study.identification import EFFECT_QUESTION
from rca.analysis.event_study.question import effect
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.faults.question import faults_of
from rca.analysis.harm.column_screening import screened
from rca.analysis.inputs.windows import Windows, windows_of
from rca.errors import Unanswerable
from rca.finding import Finding, Unanswered
from rca.methods.boosted_trees import on_one_thread
from rca.methods.shapley import Attribution
from rca.result import Result, Row
from rca.tables.columns import as_numbers

if TYPE_CHECKING:
    from rca.analysis.conclusion.analysis import Analysis
    from rca.record.case import Case
    from rca.record.schema.incident import Event

T = TypeVar("T")

CROSS_CHECK_QUESTION = "does dowhy divide the change alike"


@dataclass(frozen=True, kw_only=True)
class DividedTwice:
    """Mechanism attribution of a mean change by this package and by dowhy."""

    ours: Causes
    theirs: Attribution


@dataclass(frozen=True, kw_only=True)
class CausalAnswers(Result):
    """Results along the causal graph of a case.

    Attributes
    ----------
    graph : CausalGraph or None
    causes : Causes or None
    compared : DividedTwice or None
        With dowhy; None where it was not requested.
    effect : Effect or None
        What an event of the timeline did.
    imagined : tuple of WhatIf
        What would have been, in several ways.
    odd : Odd or None
    unanswered : tuple of Unanswered
        Why what is None or missing is.
    """

    graph: CausalGraph | None = None
    causes: Causes | None = None
    compared: DividedTwice | None = None
    effect: Effect | None = None
    imagined: tuple[WhatIf, ...] = ()
    odd: Odd | None = None
    unanswered: tuple[Unanswered, ...] = ()

    def __str__(self) -> str:
        told = [part for part in (self.causes, self.effect, *self.imagined[:1]) if part is not None]
        return "; ".join(map(str, told)) or "no question along a graph has an answer"

    def rows(self) -> list[Row]:
        """A row for each question that has an answer."""
        parts = (self.graph, self.causes, self.effect, *self.imagined, self.odd)
        return [{"answer": str(part)} for part in parts if part is not None]

    def findings(self) -> tuple[Finding, ...]:
        """Findings of every part."""
        parts = (self.graph, self.causes, self.effect, *self.imagined, self.odd)
        return tuple(finding for part in parts if part is not None for finding in part.findings())


@on_one_thread
def causal_answers(
    case: "Case",
    analysis: "Analysis",
    *,
    mend: str | None = None,
    event: str | None = None,
    earlier_days: float = 7.0,
    cross_check: bool = False,
    alpha: float = 0.05,
    seed: int = 0,
) -> CausalAnswers:
    """Ask all causal and counterfactual questions of a case.

    Parameters
    ----------
    case : Case
    analysis : Analysis
        Of the same case; says which columns did the harm, and which event lies near.
    mend : str, optional
        Column that had been whole; those that did the harm where left out.
    event : str, optional
        Words that name an event of the timeline; the one that the onset lies nearest to where left out.
    earlier_days : float
        By how much the alert had come earlier.
    cross_check : bool
        Whether dowhy divides the change, too.
    alpha : float
        False discovery rate of what is called changed.
    seed : int
    """
    said: list[Unanswered] = []

    def ask(question: Callable[[], T]) -> T | None:
        try:
            return question()
        except Unanswerable as reason:
            told = Unanswered(question=reason.question, why=reason.why)
            if told not in said:
                said.append(told)
            return None

    drawn = ask(lambda: graph(case, alpha=alpha, seed=seed))
    changed = ask(lambda: causes(case, alpha=alpha, seed=seed))
    columns = (mend,) if mend is not None else _did_harm(analysis)
    compared = ask(lambda: _compared(case, alpha=alpha, seed=seed)) if cross_check else None
    return CausalAnswers(
        graph=drawn,
        causes=changed,
        compared=compared,
        effect=ask(lambda: _effect(case, analysis, event=event, seed=seed)),
        imagined=_imagined(case, analysis, ask, columns=columns, earlier_days=earlier_days, seed=seed),
        odd=ask(lambda: odd(case, seed=seed)) if changed is not None else None,
        unanswered=tuple(said),
    )


def _effect(case: "Case", analysis: "Analysis", *, event: str | None, seed: int) -> Effect:
    """Event study of the event that is meant."""
    near = _near(case, analysis)
    if event is None and len(near) != 1:
        raise Unanswerable(EFFECT_QUESTION, "the onset lies near no single event of the timeline; name one as `event`")
    return effect(case, event=event if event is not None else near[0].at, seed=seed)


def _near(case: "Case", analysis: "Analysis") -> list["Event"]:
    """The events of the timeline near the onset."""
    near = analysis.events.named if analysis.events is not None else None
    events = case.incident.timeline.events
    return [one for one in events if near is not None and one.at == near.at and one.kind == near.kind]


def _did_harm(analysis: "Analysis") -> tuple[str, ...]:
    """Broken columns that the verdict names as causes."""
    named = [one.name for one in analysis.verdict.causes if one.kind == "feature"]
    broken = {one.column for one in analysis.faults.broken} if analysis.faults is not None else set()
    return tuple(name for name in named if name in broken)


def _imagined(
    case: "Case",
    analysis: "Analysis",
    ask: Callable[[Callable[[], WhatIf]], WhatIf | None],
    *,
    columns: Sequence[str],
    earlier_days: float,
    seed: int,
) -> tuple[WhatIf, ...]:
    """Counterfactuals, where answerable: columns repaired, event removed, model rolled back, earlier alert."""
    events, timeline = _near(case, analysis), case.incident.timeline
    wanted: list[dict[str, Any]] = [{"mend": columns}] if columns else []
    wanted += [{"without_event": events[0]}] if len(events) == 1 else []
    wanted += [{"rolled_back_at": "detected"}] if timeline.detected is not None else []
    wanted.append({"earlier": timedelta(days=earlier_days)})

    @cache
    def broke() -> tuple[Windows, Faults]:
        windows = windows_of(case)
        drift = drift_of(windows)
        faults = faults_of(windows, drift)
        return screened(windows, drift, faults), faults

    def imagine(one: dict[str, Any]) -> WhatIf:
        return what_if_of(*broke(), timeline, wanted=one, seed=seed)

    found = [ask(partial(imagine, one)) for one in wanted]
    return tuple(one for one in found if one is not None)


def _compared(case: "Case", *, alpha: float, seed: int) -> DividedTwice:
    """Both attributions of the change of the first column that the metric is computed from."""
    from rca.analysis.causal.dowhy_adapter import cross_check as by_dowhy

    windows = graphed(case, None, graph=None, asked={})
    numbers = [
        one
        for one in (windows.roles.score, *windows.meter.read)
        if one is not None and _is_number(windows.reference[one])
    ]
    graphs = {one: with_answers(windows, [one]) for one in numbers}
    target = next((one for one in numbers if graphs[one].get(one)), None)
    if not windows.parents:
        raise Unanswerable(CAUSES_QUESTION, "the case has no causal graph")
    if target is None:
        raise Unanswerable(
            CROSS_CHECK_QUESTION, "the graph names no cause of a column of numbers that the metric is read off"
        )
    parents, _ = measured_parents(graphs[target], windows, [target], question=CROSS_CHECK_QUESTION)
    return DividedTwice(
        ours=causes(case, target=target, alpha=alpha, seed=seed),
        theirs=by_dowhy(windows.reference, windows.current, parents, target=target, seed=seed),
    )


def _is_number(values: "object") -> bool:
    return bool(np.isfinite(as_numbers(values)).any())  # type: ignore[arg-type]
