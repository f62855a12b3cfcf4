"""Ranking of candidate origins of a cascade by one score of size, time and graph, with a posterior."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from rca.analysis.cascade.anomaly_score import HELD, Departure, Judged, departures, judge
from rca.analysis.cascade.blast_radius import is_count, passed, touched, traffic_of
from rca.analysis.cascade.normal_range import Clock, Flags
from rca.analysis.cascade.origin_score import Systems
from rca.analysis.cascade.propagation import (
    Causes,
    Departed,
    PropagationStep,
    Spread,
    causes_of,
    nearest_measured,
    path_to,
    upstream,
)
from rca.analysis.cascade.quiet_window import QUIET, STIRRED, beyond_chance
from rca.analysis.cascade.results import Cascade, FailureStep, Suspect, Trace, component_of, metric_of
from rca.analysis.cascade.silent_callee import LOUD_PART
from rca.arrays import Floats
from rca.errors import InvalidCase, Unanswerable, did_you_mean
from rca.methods.seasonality import seconds_of
from rca.record.files.yaml_document import plain

if TYPE_CHECKING:
    from rca.record.schema.incident import Signals

CASCADE_QUESTION = "which system failed first"

STRAYED = 2.0
"""How many times as wide a range is for what a signal did in normal times, for that to be said."""

NORMAL_ROWS = 10
"""Normal samples below which no range can be estimated."""

NAMED, RIVAL = 0.75, 0.1
"""Probability from which an origin is named, and from which another is told as its rival."""

COMMON, SEVERAL = 0.85, 10
"""Share of signals beyond their normal blocks from which a shock may be common to all, and how many there are."""

BROUGHT = 0.5
"""Part of a departure that the first suspect can have brought, for it to be explained."""


def rank_origins(
    table: pd.DataFrame,
    signals: "Signals",
    *,
    edges: Iterable[tuple[str, str]] = (),
    kind: Literal["causal", "calls"] = "causal",
    contained: datetime | None = None,
) -> Cascade:
    """Rank components as the origin of a cascade, by size, time and dependency graph, and give its propagation path.

    Parameters
    ----------
    table : pandas.DataFrame
        A column `time`, then one column a signal, `component|metric`.
    signals : Signals
        The failing window, the alarm, and the bad direction of each metric.
    edges : iterable of (str, str)
        What can act on what, by component; a part of it will do, and cycles are allowed.
    kind : {'causal', 'calls'}
        `causal` edges run from cause to effect; `calls` from caller to callee, and a failure travels the other way.
    contained : datetime, optional
        When the failure was contained: what passed later is not counted.

    Returns
    -------
    Cascade
        One suspect a component, the likeliest origin first, with its probability. The same for every order of columns,
        rows and edges.

    Raises
    ------
    Unanswerable
        If there is no signal, or fewer than ten normal rows or no failing row are on record.
    InvalidCase
        If the alarm is none of the signals.

    Notes
    -----
    The score is that of `origin_score`. Where three components or more have the alarm's metric, it may speak for them:
    a failure travels in kind, latency as latency. Seasons and trends are taken off by `normal_range`.
    """
    found = judged_signals(table, signals)
    causes = causes_of(_of_components(edges), calls=kind == "calls")
    return _told(found, signals, causes=causes, calls=kind == "calls", contained=contained)


def judged_signals(table: pd.DataFrame, signals: "Signals") -> "Found":
    """Judge every signal of a table; parameters as for `rank_origins`."""
    names = sorted(str(name) for name in table.columns if name != "time")
    if not names:
        raise Unanswerable(CASCADE_QUESTION, "the table holds no signals")
    if signals.target is not None and signals.target not in names:
        what, hint = f"there is no signal {plain(signals.target, longest=60)!r}", did_you_mean(signals.target, names)
        raise InvalidCase.because(what, place="signals.target", hint=hint)
    window = _window(table, signals)
    idle = _idle(names, signals.bad)
    window = replace(window, judged=_without_idle(window.table, idle))
    bad = np.array([{"up": 1, "down": -1}.get(signals.bad.get(metric_of(name), ""), 0) for name in names])
    held = _held(window, signals.target, bad[names.index(signals.target)]) if signals.target is not None else HELD
    judged = judge(window.judged[names], window.clock, bad=bad, held=held, idle=np.isin(names, list(idle)))
    return Found(
        signals=tuple(names), judged=judged, window=window, target=signals.target, otherwise=_otherwise(window, signals)
    )


def _of_components(edges: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(component_of(one), component_of(other)) for one, other in edges]


# --- samples and their times -----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class _Window:
    """Normal and failing rows in order of time; `judged` without uninformative samples."""

    table: pd.DataFrame
    clock: Clock
    judged: pd.DataFrame

    @property
    def n_failing(self) -> int:
        """Samples of the failing window."""
        return len(self.clock.seconds) - self.clock.n_normal

    def at(self, position: int) -> float:
        """Seconds of a failing sample; of the last normal one for -1."""
        return float(self.clock.seconds[self.clock.n_normal + position])

    def moment(self, position: int) -> datetime:
        """The time of a failing sample; of the last normal one for -1."""
        return self.moment_of(self.at(position))

    def moment_of(self, seconds: float) -> datetime:
        """The time of a sample, from its seconds."""
        at = int(np.searchsorted(self.clock.seconds, seconds))
        found: datetime = self.table["time"].iloc[at].to_pydatetime(warn=False)
        return found


def _window(table: pd.DataFrame, signals: "Signals") -> _Window:
    if not table["time"].is_monotonic_increasing:
        table = table.sort_values("time", kind="stable")
    normal, end = int((table["time"] < signals.from_).sum()), int((table["time"] <= signals.to).sum())
    if normal < NORMAL_ROWS or end <= normal:
        why = f"{normal} normal and {max(end - normal, 0)} failing samples are too few"
        raise Unanswerable(CASCADE_QUESTION, why)
    table = table.iloc[:end]
    return _Window(table=table, judged=table, clock=Clock(seconds=seconds_of(table["time"]), n_normal=normal))


def _held(window: _Window, target: str, bad: int) -> int:
    """Consecutive samples that a failure has to last: three, or as long as the alarm's own signal was out, if shorter.

    Where that shows nothing in a window of hardly more samples, the alarm was a short one.
    """
    for held in range(HELD, 0, -1):
        if departures(window.judged[[target]], window.clock, bad=np.array([bad]), held=held)[0].abnormal:
            return held
    return 1 if window.n_failing <= 2 * HELD else HELD


def _otherwise(window: _Window, signals: "Signals") -> str:
    """The bad direction given for the alarm, where its signal left its range the other way."""
    said = signals.bad.get(metric_of(signals.target or ""), "")
    if signals.target is None or not said:
        return ""
    one = departures(window.judged[[signals.target]], window.clock, bad=np.array([0]))[0]
    return said if one.abnormal and one.direction == (1 if said == "down" else -1) else ""


def _idle(names: Sequence[str], bad: Mapping[str, str]) -> dict[str, str]:
    """Signal of quality (share or latency) → the traffic signal of the same component."""
    traffic = traffic_of(name for name in names if metric_of(name) not in bad)
    return {
        name: traffic[component_of(name)][0]
        for name in names
        if metric_of(name) in bad and component_of(name) in traffic
    }


def _without_idle(table: pd.DataFrame, idle: Mapping[str, str]) -> pd.DataFrame:
    """Set shares and latencies to missing where there was no traffic."""
    if not idle:
        return table
    nothing = {name: _nothing(table[name].to_numpy(float)) for name in set(idle.values())}
    told = {name: np.where(nothing[of], np.nan, table[name].to_numpy(float)) for name, of in idle.items()}
    return table.assign(**told)


def _nothing(traffic: Floats) -> Flags:
    """Samples without traffic; of a cumulative counter, those at which it stood still."""
    if is_count(traffic[np.isfinite(traffic)]):
        traffic = np.diff(traffic, prepend=np.nan, append=np.nan)[:-1]
        return np.asarray(traffic == 0)
    return np.asarray(~(traffic > 0))


# --- from signals to components --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """Departures of all signals, in order of their names."""

    signals: tuple[str, ...]
    judged: Judged
    window: _Window
    target: str | None = None
    otherwise: str = ""

    @cached_property
    def left(self) -> dict[str, Departure]:
        """Signal → its departure."""
        return dict(zip(self.signals, self.judged.departures, strict=True))

    @cached_property
    def components(self) -> tuple[str, ...]:
        """All components, by name."""
        return tuple(sorted({component_of(name) for name in self.signals}))

    def systems(self, causes: Causes, *, calls: bool) -> Systems:
        """What the score is computed from."""
        at = {name: place for place, name in enumerate(self.components)}
        traffic = passed(self.window.table) if calls else {}
        return Systems(
            names=self.components,
            of=np.array([at[component_of(name)] for name in self.signals]),
            metrics=tuple(metric_of(name) for name in self.signals),
            evidence=self.judged.evidence,
            dead=np.array([one.how in ("silent", "stuck") for one in self.judged.departures]),
            beyond=self.judged.excess.size,
            over=self.judged.excess.over,
            dated=np.array([_dated(one) for one in self.judged.departures]),
            traffic_signals=np.isin(self.signals, [one for own in traffic_of(self.signals).values() for one in own]),
            causes=tuple(
                (at[cause], at[effect])
                for effect, above in nearest_measured(causes, self.components).items()
                for cause in sorted(above)
            ),
            calls=calls,
            traffic={at[name]: counted for name, counted in traffic.items()},
            alarm=metric_of(self.target) if self.target is not None else None,
            samples=self.window.n_failing,
        )

    def departed(self, name: str, loud: Sequence[str]) -> Departed | None:
        """Departure of a component, by the earliest of its loud signals; None where none left its range."""
        out = [one for one in map(self.left.__getitem__, loud) if one.abnormal]
        if not out:
            return None
        first = min(out, key=lambda one: (one.first or 0, one.last_normal if one.last_normal is not None else -1))
        assert first.first is not None
        assert first.last_normal is not None
        over = max(np.inf if one.last is None else self.window.at(one.last) for one in out)
        earliest, latest = self.window.at(first.last_normal), self.window.at(first.first)
        return Departed(name=name, earliest=earliest, latest=latest, step=self.window.clock.step, over=over)

    def strayed(self, signal: str) -> str:
        """That a signal strayed as far before the failing window, as a clause; empty where it did not."""
        if self.left[signal].strayed < STRAYED:
            return ""
        return ", which is wide, since it strayed before the failing window: should that begin earlier (signals.from)?"

    @property
    def silent_alarm(self) -> str | None:
        """That the alarm's own signal shows no departure, as a clause; None where it does."""
        if self.target is None or self.left[self.target].abnormal:
            return None
        where = f"stayed in its normal range{self.strayed(self.target)}"
        if self.otherwise:
            where = f"left its normal range the other way; signals.bad says that {self.otherwise} is bad"
        return f"the alarm's own signal, {self.target}, {where}"

    def traces(self) -> tuple[Trace, ...]:
        """All signals that left their range, in order of onset."""
        out = [(name, one) for name, one in self.left.items() if one.first is not None]
        return tuple(
            Trace(
                signal=name,
                score=one.score,
                direction=one.direction,
                how=one.how,
                onset=self.window.moment(one.first or 0),
                earliest=self.window.moment(-1 if one.last_normal is None else one.last_normal),
                samples=one.samples,
            )
            for name, one in sorted(out, key=lambda pair: (pair[1].first, -pair[1].score, pair[0]))
        )


def _dated(one: Departure) -> float:
    """Position at which a signal left its range, if it went straight out; infinite where it did not."""
    if one.first is None:
        return np.inf
    early, late = one.straight or (one.first, one.first)
    return (early + late) / 2


# --- from components to suspects -------------------------------------------------------------------------------------


def _told(found: Found, signals: "Signals", *, causes: Causes, calls: bool, contained: datetime | None) -> Cascade:
    systems = found.systems(causes, calls=calls)
    beyond = beyond_chance(found.judged.excess, systems)
    ranking = _Ranking(found=found, systems=systems, causes=causes, beyond=beyond)
    suspects = tuple(ranking.suspect(at) for at in ranking.order)
    onsets = {one.component: one.onset for one in suspects if one.onset is not None}
    return Cascade(
        suspects=suspects,
        target=signals.target,
        n_signals=len(found.left),
        chance=1 / max(1, len(suspects)),
        quiet=beyond <= QUIET,
        grounded=ranking.grounded,
        where=ranking.where,
        silent_alarm=found.silent_alarm,
        doubt=ranking.doubt(suspects),
        steps=ranking.steps,
        traces=found.traces(),
        touched=touched(found.window.table, onsets, end=signals.to, contained=contained),
        n_sigma=component_of(min(found.left, key=lambda name: (-found.left[name].n_sigma, name))),
        step=found.window.clock.step,
        unseen=found.window.clock.unseen,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Ranking:
    """Components by their score, and what the graph says of the first."""

    found: Found
    systems: Systems
    causes: Causes
    beyond: float

    @cached_property
    def order(self) -> list[int]:
        """Positions, the likeliest origin first; of equals the first by name."""
        systems = self.systems
        return [int(at) for at in np.lexsort((-np.round(systems.posterior, 6), -systems.probability))]

    @property
    def first(self) -> str:
        """The likeliest origin."""
        return self.systems.names[self.order[0]]

    @cached_property
    def loud(self) -> dict[str, list[str]]:
        """Component → its signals at least half as loud as its loudest, the loudest in front."""
        sizes = dict(zip(self.found.signals, self.systems.sizes_of_signals(), strict=True))
        found: dict[str, list[str]] = {}
        for name in sorted(sizes, key=lambda one: (-sizes[one], one)):
            own = found.setdefault(component_of(name), [])
            if not own or sizes[name] >= LOUD_PART * sizes[own[0]]:
                own.append(name)
        return found

    @cached_property
    def failing(self) -> dict[str, Departed]:
        """Components that left their range."""
        left = {name: self.found.departed(name, loud) or self.spiked(name) for name, loud in self.loud.items()}
        return {name: one for name, one in sorted(left.items()) if one is not None}

    def spiked(self, name: str) -> Departed | None:
        """Departure of a component by single samples, which no signal held; None where the window is quiet."""
        at = self.found.signals.index(self.loud[name][0])
        first = self.found.judged.evidence.first[at]
        if self.beyond <= QUIET or not np.isfinite(first) or not self.systems.far[at]:
            return None
        window, place = self.found.window, int(first)
        latest = window.at(place)
        return Departed(name=name, earliest=window.at(place - 1), latest=latest, step=window.clock.step, over=latest)

    @cached_property
    def spread(self) -> Spread:
        """By which steps the failure can have passed."""
        names = self.systems.names
        links = {(names[cause], names[effect]): part for (cause, effect), part in self.systems.links.items()}
        above = nearest_measured(self.causes, self.systems.names)
        return Spread(above=above, links=links, failing=self.failing)

    @property
    def alarm(self) -> str | None:
        """The alarm's component, where the graph has it."""
        alarm = component_of(self.found.target) if self.found.target is not None else None
        return alarm if alarm in self.causes else None

    @cached_property
    def linked(self) -> set[str]:
        """Failing components with a path of failing ones to the alarm; all where no path can be known."""
        return self.spread.linked_to(self.alarm) if self.alarm is not None else set(self.failing)

    @cached_property
    def reaching(self) -> set[str]:
        """Components that can act on the alarm; one that the graph does not know may act on anything."""
        if self.alarm is None:
            return set(self.systems.names)
        above = upstream(self.causes, self.alarm)
        return {name for name in self.systems.names if name in above or name not in self.causes}

    @cached_property
    def unheard(self) -> list[str]:
        """Callers that are slow where the first suspect itself shows nothing, the loudest in front."""
        systems, sizes, first = self.systems, self.systems.sizes(), self.order[0]
        if (systems.out[first] and first not in systems.silent.unheard) or not systems.calls:
            return []
        callers = [effect for cause, effect in systems.causes if cause == first and systems.slow[effect]]
        return [systems.names[one] for one in sorted(callers, key=lambda one: (-sizes[one], one))]

    @property
    def where(self) -> str | None:
        """Caller and callee where the failure lies between the two; None where it lies in one."""
        return f"{self.unheard[0]} -> {self.first}" if self.unheard else None

    @property
    def grounded(self) -> bool | None:
        """Whether failing components link the first suspect to the alarm; None where that cannot be known."""
        if self.alarm is None or not self.causes:
            return None
        return bool({self.first, *self.unheard} & self.linked)

    @cached_property
    def steps(self) -> tuple[FailureStep, ...]:
        """The way from the first suspect, as a tree."""
        if self.first not in self.failing:
            return ()
        tree = self.spread.tree(self.first)
        way = set(path_to(tree, self.alarm)) if self.alarm is not None else set()
        return tuple(_step(one, self.failing, to_alarm=one in way) for one in tree)

    def suspect(self, at: int) -> Suspect:
        """A component by its loudest signal."""
        name = self.systems.names[at]
        signal = self.loud[name][0]
        own, left = self.found.left[signal], self.failing.get(name)
        explained = self.order[0] != at and self.systems.reached[self.order[0], at] >= BROUGHT
        moment = self.found.window.moment_of
        return Suspect(
            component=name,
            signal=signal,
            score=own.score,
            probability=float(self.systems.probability[at]),
            onset=moment(left.latest) if left is not None else None,
            explained=bool(explained and left is not None),
            upstream=name in self.reaching,
            earliest=moment(left.earliest) if left is not None else None,
            direction=own.direction,
            how=own.how,
            linked=name in self.linked,
        )

    def doubt(self, suspects: Sequence[Suspect]) -> str | None:
        """Why the first suspect is not named as the origin; None where it is."""
        first = suspects[0]
        if self.beyond <= QUIET:
            return "no signal left its normal range"
        if self.beyond < STIRRED:
            return f"{first.signal} went hardly farther than signals do in normal times"
        if first.probability < NAMED:
            rivals = [one.component for one in suspects[1:3] if one.probability >= RIVAL]
            apart = f"cannot be told apart from {' and '.join(rivals)}" if rivals else "stands out too little"
            return f"{first.component} {apart}"
        common = len(self.found.left) >= SEVERAL and self.found.judged.excess.share > COMMON
        if common and not self.systems.causes:
            return "nearly every signal left its range, so that without a graph size tells nothing of the origin"
        return None


def _step(one: PropagationStep, failing: Mapping[str, Departed], *, to_alarm: bool) -> FailureStep:
    cause, effect = failing[one.cause], failing[one.effect]
    return FailureStep(
        cause=one.cause,
        effect=one.effect,
        lag=effect.latest - cause.latest,
        earliest=effect.earliest - cause.latest,
        latest=effect.latest - cause.earliest,
        over=one.over,
        to_alarm=to_alarm,
    )
