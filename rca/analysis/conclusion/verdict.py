"""The verdict: findings weighed into ranked causes, or "no incident", or "cannot tell"."""

from dataclasses import dataclass, replace
from typing import Literal

from rca.analysis.cascade.results import Cascade, Suspect, metric_of
from rca.analysis.conclusion.confidence import Confidence, cascade_key, confidence_of, verdict_key
from rca.analysis.explanation.results import ExplanationShift
from rca.analysis.faults.rules.order import RULE_OF
from rca.analysis.harm.contribution import Contribution, Where
from rca.analysis.harm.harm import Harm
from rca.analysis.onset.event_proximity import EventProximity
from rca.analysis.slices.slices import Slices
from rca.finding import CauseKind, Fault, Interval, Strength
from rca.methods.changepoint.dating import Onset
from rca.methods.metric import Measured
from rca.result import Result, Row

Status = Literal["explained", "no_incident", "cannot_tell"]

UNEXPLAINED = 0.25
"""Share of the harm from which the verdict says how much stays unexplained."""

ALSO = 2
"""Causes beside the first that the verdict's sentence names."""

ELSEWHERE_TOO = ("concept", "model")
"""Kinds of causes that hold for some rows and not for others, so that where they hold belongs to the answer."""

MOST_SLICES = 5
"""Slices that a verdict names."""

MOST_COMPONENTS = 10
"""Components that a verdict lists."""

MOST_NEAR = 5
"""Components that it lists, candidates among them."""

SMALLEST_PART = 0.15
"""Share of the harm below which a contribution is not named as a cause."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One ranked cause, as `results.json` has it.

    Attributes
    ----------
    kind, name, fault, signal
        What it is; `signal` is the one a component failed by.
    contribution : float or None
        In the metric's unit and the bad direction; None for a cascade, which has no metric.
    interval : Interval or None
    strength : Strength
    findings : tuple of str
        Ids of the findings behind it.
    where : Where or None
        The condition under which it holds, and the metric there; None where it holds everywhere.
    """

    kind: CauseKind
    name: str
    fault: Fault | None = None
    signal: str | None = None
    contribution: float | None = None
    interval: Interval | None = None
    strength: Strength
    findings: tuple[str, ...]
    where: Where | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict(Result):
    """Status and ranked causes of an incident.

    Attributes
    ----------
    status : {'explained', 'no_incident', 'cannot_tell'}
    summary : str
        One sentence that a board member understands.
    metric : Measured or None
    causes : tuple of Cause
        The surest first, then the largest harm. Where the data cannot tell which system failed first: the candidates,
        `assumed`.
    onset : Onset or None
    confidence : Confidence or None
        How often such verdicts were right where the truth is known.
    """

    status: Status
    summary: str
    metric: Measured | None = None
    causes: tuple[Cause, ...] = ()
    onset: Onset | None = None
    confidence: Confidence | None = None

    def __str__(self) -> str:
        return self.summary

    def rows(self) -> list[Row]:
        return [
            {
                "rank": rank,
                "cause": f"{cause.kind} {cause.name}",
                "fault": cause.fault,
                "contribution": cause.contribution,
                "interval": str(cause.interval) if cause.interval else None,
                "strength": cause.strength,
                "findings": ", ".join(cause.findings),
            }
            for rank, cause in enumerate(self.causes, 1)
        ]


def weigh_windows(
    harm: Harm,
    onset: Onset | None = None,
    *,
    slices: Slices | None = None,
    events: EventProximity | None = None,
    explanation: ExplanationShift | None = None,
) -> Verdict:
    """Verdict from two windows, with how often such verdicts were right; arguments as for `weighed_harm`."""
    verdict = weighed_harm(harm, onset, slices=slices, events=events, explanation=explanation)
    first = verdict.causes[0] if verdict.causes else None
    key = verdict_key(verdict.status, *((first.kind, first.strength) if first is not None else ()))
    return replace(verdict, confidence=confidence_of(key))


def weighed_harm(
    harm: Harm,
    onset: Onset | None = None,
    *,
    slices: Slices | None = None,
    events: EventProximity | None = None,
    explanation: ExplanationShift | None = None,
) -> Verdict:
    """Verdict from two windows: rank the contributions to the metric's change.

    Nothing material happened where the interval of the harm holds zero, or where the harm is negligible; where outcomes
    are missing, and not by chance, that cannot be told. Causes are the parts that are surely positive and not small,
    ranked by strength, then by harm. Where the outcome or the answers follow the inputs otherwise, or nothing explains
    the change, the slices that carry it are named beside; and last an event that lies surprisingly near to the onset,
    as the trigger. Where nothing is named the data cannot tell.

    Parameters
    ----------
    harm : Harm
    onset : Onset, optional
        Passed on, but where nothing material happened.
    slices : Slices, optional
        Where the change sits.
    events : EventProximity, optional
        Events of the timeline near the onset.
    explanation : ExplanationShift, optional
        Reasons of the model that moved: evidence beside a cause that did harm, and without harm a warning.
    """
    measured = harm.measured
    if not harm.material and harm.lacking:
        return _undecided(harm, onset)
    if not harm.material:
        return Verdict(status="no_incident", summary=_quiet(measured) + _warning(explanation), metric=measured)
    if harm.always:
        return Verdict(status="no_incident", summary=_always(harm), metric=measured)
    if harm.undecided:
        return _undecided(harm, onset)
    smallest = SMALLEST_PART * abs(measured.worse)
    guilty = [
        part
        for part in harm.contributions
        if part.interval.low > 0 and part.value >= smallest and part.identifiable and part.strength != "assumed"
    ]
    guilty = [replace(part, where=part.where or _local_to(part, slices)) for part in guilty]
    where = _where(guilty, slices)
    causes = (*map(_cause, guilty), *where)
    if not causes:
        return Verdict(status="cannot_tell", summary=_open(measured), metric=measured, onset=onset)
    summary = _explained(measured, guilty) if guilty else _located(measured, where)
    causes = (*causes, *_trigger(events))
    return Verdict(status="explained", summary=summary, metric=measured, causes=causes, onset=onset)


def _undecided(harm: Harm, onset: Onset | None) -> Verdict:
    """Where outcomes that are missing, or a few rows, leave it open; the outcomes are named as a candidate."""
    cited = ("unlabelled.bounds", "metric.change")
    return Verdict(
        status="cannot_tell",
        summary=_open_by(harm),
        metric=harm.measured,
        causes=tuple(
            Cause(kind="labels", name=one.name, strength="suggested", findings=cited)
            for one in harm.rivals
            if one.kind == "labels" and not one.rejected
        ),
        onset=onset,
    )


def _local_to(part: Contribution, slices: Slices | None) -> Where | None:
    """The slice that carries a change of the world or the model, which holds for some rows and not for others."""
    if slices is None or not slices.local or part.kind not in ELSEWHERE_TOO:
        return None
    steady = [one for one in slices.slices if one.steady]
    if not steady:
        return None
    return Where(condition=steady[0].name, reference=steady[0].reference, current=steady[0].current)


def _where(guilty: list[Contribution], slices: Slices | None) -> tuple[Cause, ...]:
    """Slices that carry the harm where no column explains it; one that grew may hold different rows than before.

    Where nothing else is named they say where the harm sits, and only suggest that they are why: a fault of the column
    that a slice is told by looks alike.
    """
    if slices is None or not slices.local or (guilty and guilty[0].kind not in ELSEWHERE_TOO):
        return ()
    return tuple(
        Cause(
            kind="slice",
            name=one.name,
            contribution=one.lost,
            interval=one.interval,
            strength="shown" if guilty and one.interval.low > 0 else "suggested",
            findings=(f"slice.{one.name}",),
        )
        for one in slices.slices
        if one.steady
    )[:MOST_SLICES]


def _trigger(events: EventProximity | None) -> tuple[Cause, ...]:
    """The event significantly near the onset."""
    if events is None or events.named is None:
        return ()
    return (Cause(kind="event", name=events.named.name, strength="suggested", findings=("onset.event",)),)


def weigh_cascade(cascade: Cascade, *, events: EventProximity | None = None) -> Verdict:
    """Verdict from signals: the ranked origins of a cascade, ten at most, with how often such verdicts were right.

    Where the window is like normal time, nothing happened that signals show. Where the ranking itself doubts its first,
    the data cannot tell. Then the components in front are candidates, in the order in which to look at them; so are,
    after those that failed, the ones that did not, as far as five are listed. A candidate is `assumed`, as is what was
    only struck. An event that lies surprisingly near to the onset comes last.
    """
    verdict = _weighed_cascade(cascade, events)
    probability = cascade.suspects[0].probability if cascade.suspects else 0.0
    return replace(verdict, confidence=confidence_of(cascade_key(verdict.status, probability)))


def _weighed_cascade(cascade: Cascade, events: EventProximity | None) -> Verdict:
    if cascade.quiet:
        return Verdict(status="no_incident", summary=f"Nothing happened that signals show: {_in_doubt(cascade)}.")
    if cascade.doubt is not None or not cascade.suspects:
        candidates = tuple(_component(one, "assumed", cascade) for one in cascade.suspects[:MOST_NEAR])
        return Verdict(status="cannot_tell", summary=f"No cause can be named: {_in_doubt(cascade)}.", causes=candidates)
    first, *others = cascade.suspects
    failed = [one for one in others if one.onset is not None][: MOST_COMPONENTS - 1]
    quiet = [one for one in others if one.onset is None][: max(0, MOST_NEAR - 1 - len(failed))]
    listed = [_component(one, "suggested" if _may_be(one, first) else "assumed", cascade) for one in (*failed, *quiet)]
    return Verdict(
        status="explained",
        summary=f"{_began(cascade)}{_passed_on(cascade)}{_unsupported(cascade)}.{_changed(first, events)}",
        causes=(_component(first, "suggested", cascade), *listed, *_trigger(events)),
        onset=cascade.onset,
    )


def _began(cascade: Cascade) -> str:
    """Where the failure began and what that did, as a clause."""
    first = cascade.suspects[0]
    if cascade.where is not None:
        return (
            f"The failure most likely lies between two systems, {cascade.where}: all that call {first.component} left "
            "their normal range, and hardly anything else did"
        )
    alarm = f" before {cascade.target} did" if cascade.target not in (None, first.signal) else ""
    did = {
        "moved": "left its normal range", "lasting": "moved away from normal for long", "stuck": "stood still",
        "silent": "fell silent",
    }[first.how]  # fmt: skip
    return (
        f"The failure most likely began in {first.component}, whose {metric_of(first.signal) or first.signal} {did}"
        f"{alarm if cascade.silent_alarm is None else ''}"
    )


def _unsupported(cascade: Cascade) -> str:
    """What speaks against the path, as a clause: that there is none, or that the alarm's own signal shows nothing."""
    silent = f"; {cascade.silent_alarm}" if cascade.silent_alarm is not None else ""
    return f"; no supported path leads from there to the alarm{silent}" if cascade.grounded is False else silent


def _may_be(one: Suspect, first: Suspect) -> bool:
    """Whether a system is as good a candidate as the first: not explained, about as large, and not later."""
    if one.onset is None or one.explained or not one.linked or one.earliest is None or first.onset is None:
        return False
    return one.earliest < first.onset


def _component(one: Suspect, strength: Strength, cascade: Cascade) -> Cause:
    between = Where(condition=cascade.where) if one is cascade.suspects[0] and cascade.where is not None else None
    return Cause(
        kind="component",
        name=one.component,
        signal=one.signal,
        strength=strength,
        findings=(f"cascade.{one.component}",) if one.onset is not None else (),
        where=between,
    )


def _changed(first: Suspect, events: EventProximity | None) -> str:
    """The change to the origin within its onset's interval, where no event stands out; as a sentence."""
    if events is None or events.named is not None:
        return ""
    own = [one for one in events.candidates if one.inside and one.fits and one.system == first.component]
    if not own:
        return ""
    chance = f"by chance alone an event lies so near in {own[0].p_value:.0%} of such timelines"
    return f" It had been changed within the interval of the onset: {own[0].name}, {own[0].at:%H:%M} UTC ({chance})."


def _in_doubt(cascade: Cascade) -> str:
    """Why no cause is named, and the nearest candidate."""
    if cascade.quiet or not cascade.suspects:
        near = f"; nearest to it was {cascade.suspects[0].signal}" if cascade.suspects else ""
        return f"none of {cascade.n_signals} signals left its normal range{near}"
    return str(cascade.doubt)


def _passed_on(cascade: Cascade) -> str:
    """Propagation path to the alarm, as a clause."""
    if not cascade.way:
        return ""
    past = f"; {' and '.join(cascade.guards)} stayed green on the way" if cascade.guards else ""
    *between, last = [one.effect for one in cascade.way]
    by = f"by {' and '.join(between)} " if between else ""
    return f", and passed {by}to {last}{past}"


def _cause(part: Contribution) -> Cause:
    found = [f"harm.{part.kind}.{part.name}"]
    if part.kind == "feature":
        found += [f"drift.{part.name}", f"drift.missing:{part.name}", f"explanation.{part.name}"]
        if part.fault not in (None, "distribution"):
            found.append(f"fault.{part.name}")
    return Cause(
        kind=part.kind,
        name=part.name,
        fault=part.fault,
        contribution=part.value,
        interval=part.interval,
        strength=part.strength,
        findings=tuple(found),
        where=part.where,
    )


def _change(measured: Measured) -> str:
    before, now = measured.say(measured.reference), measured.say(measured.current)
    if before == now:
        return f"The {measured.label} was {now} in both windows"
    return f"The {measured.label} {'rose' if measured.change > 0 else 'fell'} from {before} to {now}"


def _quiet(measured: Measured) -> str:
    if measured.worse_interval.low > 0:
        return f"{_change(measured)}: sure, but too little to call an incident."
    if measured.worse_interval.high < 0:
        return (
            f"{_change(measured)}: beyond chance, and for the better, as the record says that {measured.harm} is worse."
        )
    return (
        f"Nothing harmful changed: the {measured.label} was {measured.say(measured.reference)} "
        f"and is {measured.say(measured.current)}, within what chance alone does "
        f"(95 % interval of the change: {_between(measured)}). {_excluded(measured)}"
    )


def _always(harm: Harm) -> str:
    told = "".join(f": {one.found}" for one in harm.rivals if one.kind == "slice")
    return f"{_change(harm.measured)}, as always at these times{told}; what is left is within chance."


def _warning(explanation: ExplanationShift | None) -> str:
    """Explanation shift without harm, as a warning."""
    moved = explanation.moved() if explanation is not None else ()
    if not moved:
        return ""
    names = ", ".join(one.column for one in moved[: 1 + ALSO]) + (", …" if len(moved) > 1 + ALSO else "")
    return f" A warning, though no harm: the model's reasons moved ({names})."


def _excluded(measured: Measured) -> str:
    """Upper bound of the harm in a quiet window: how much could have been missed."""
    most = measured.worse_interval.high
    return f"It can have got worse by {measured.say_change(most)}{_points(measured)} at most."


def _between(measured: Measured) -> str:
    low, high = measured.say_change(measured.interval.low), measured.say_change(measured.interval.high)
    return f"{low} to {high}{_points(measured)}"


def _points(measured: Measured) -> str:
    return " percentage points" if measured.is_share else ""


def _open(measured: Measured) -> str:
    return f"{_change(measured)}, and these data cannot say why."


def _open_by(harm: Harm) -> str:
    """Why nothing can be told, where that is known."""
    measured = harm.measured
    if harm.material:
        return f"{_change(measured)}, and these data cannot say why: {harm.undecided}."
    return (
        f"Of the rows whose outcome is known the {measured.label} was {measured.say(measured.reference)} and is "
        f"{measured.say(measured.current)}, within what chance does; but {harm.undecided}, and not by chance, so these "
        "data cannot say whether anything harmful changed."
    )


def in_a_clause(cause: Cause | Contribution) -> str:
    """A cause as a clause that can follow "because".

    >>> in_a_clause(Cause(kind="feature", name="income", fault="frozen", strength="shown", findings=()))
    'income was stuck on one value'
    """
    if cause.kind == "feature":
        rule = RULE_OF.get(cause.fault or "distribution")
        return (rule.clause if rule is not None else "{name} moved").format(name=cause.name)
    return {
        "rows": "rows were written more than once",
        "labels": "outcomes are missing, and not by chance",
        "model": f"{cause.name} answered otherwise on the same inputs",
        "concept": "the outcome no longer followed the inputs as before",
        "mechanism": f"{cause.name} no longer followed its causes as before",
    }.get(cause.kind, cause.name)


def _located(measured: Measured, where: tuple[Cause, ...]) -> str:
    return f"{_change(measured)}, and these data cannot say why, but where: {_rows_of(where)}."


def _rows_of(where: tuple[Cause, ...]) -> str:
    """Slices as a clause: "rows with region=N and 2 more"."""
    more = f" and {len(where) - 1} more" if len(where) > 1 else ""
    return f"in rows with {where[0].name}{more}"


BECAUSE: dict[Strength, str] = {"shown": "because", "suggested": "most likely because", "assumed": "perhaps because"}
"""How surely a sentence names a cause, by its strength."""


ALSO_BECAUSE: dict[Strength, str] = {"shown": "also", "suggested": "likely also", "assumed": "perhaps also"}
"""Likewise for causes beside the first."""


def _explained(measured: Measured, guilty: list[Contribution]) -> str:
    first, said = guilty[0], measured.say_change
    if not measured.material:
        return _paired(measured, guilty)
    sure = f"95 % interval {said(first.interval.low)} to {said(first.interval.high)}"
    if first.value < measured.worse:
        did = f"{said(first.value)} ({sure}) of the {said(measured.worse)}{_points(measured)}"
    else:
        did = f"all of it ({said(first.value)}{_points(measured)}, {sure})"
    left = measured.worse - sum(part.value for part in guilty)
    unknown = f"; {said(left)} remain unexplained" if left > UNEXPLAINED * measured.worse else ""
    why = f"{BECAUSE[first.strength]} {in_a_clause(first)}{_only(measured, first.where)}"
    return f"{_change(measured)}, {why}: that did {did}{_also(measured, guilty[1:])}{unknown}."


def _paired(measured: Measured, guilty: list[Contribution]) -> str:
    """Harm that the same rows show, where two windows of different rows do not."""
    first, said = guilty[0], measured.say_change
    sure = f"95 % interval {said(first.interval.low)} to {said(first.interval.high)}"
    side = "higher" if measured.harm == "higher" else "lower"
    why = f"{BECAUSE[first.strength]} {in_a_clause(first)}{_only(measured, first.where)}"
    return (
        f"{_change(measured)}, within what chance does; but on the same rows it is {side} by {said(first.value)}"
        f"{_points(measured)} ({sure}), {why}{_also(measured, guilty[1:])}."
    )


def _only(measured: Measured, where: Where | None) -> str:
    """The condition under which a cause holds, with the metric there, as a clause."""
    if where is None:
        return ""
    if where.reference is None or where.current is None:
        return f" (only where {where.condition})"
    return f" (only where {where.condition}: {measured.say(where.reference)} → {measured.say(where.current)})"


def _also(measured: Measured, others: list[Contribution]) -> str:
    """The other causes, each with its contribution; of many, how many more there are."""
    told = "".join(
        f"; {ALSO_BECAUSE[part.strength]} {in_a_clause(part)}: {measured.say_change(part.value)}"
        for part in others[:ALSO]
    )
    more = len(others) - ALSO
    return told + (f"; {more} more did harm too" if more > 0 else "")
