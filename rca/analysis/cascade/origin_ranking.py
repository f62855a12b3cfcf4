"""Ranking of candidate origins of a cascade: first out of range, upstream of the alarm, not explained by others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from rca.analysis.cascade.anomaly_score import HELD, LOUD, SHARE, Departure, abnormal_in, departures, sure_in
from rca.analysis.cascade.blast_radius import is_count, passed, touched, traffic_of
from rca.analysis.cascade.normal_range import Clock, Flags
from rca.analysis.cascade.propagation import (
    SOONER,
    Causes,
    Departed,
    PropagationStep,
    Spread,
    causes_of,
    in_order,
    path_to,
    upstream,
)
from rca.analysis.cascade.results import Cascade, FailureStep, Suspect, Trace, component_of, metric_of
from rca.arrays import Floats
from rca.errors import InvalidCase, Unanswerable, did_you_mean
from rca.methods.seasonality import seconds_of
from rca.record.files.yaml_document import plain

if TYPE_CHECKING:
    from rca.record.schema.incident import Signals

CASCADE_QUESTION = "which system failed first"

APART = 1.5
"""Ratio of departures by which the first has to exceed the next, where time and graph do not separate them."""

SHARED = 3
"""Components that have to share the alarm's metric before it represents them."""

STRAYED = 2.0
"""How many times as wide a range is for what a signal did in normal times, for that to be said."""

NORMAL_ROWS = 10
"""Normal samples below which no range can be estimated."""


def rank_origins(
    table: pd.DataFrame,
    signals: "Signals",
    *,
    edges: Iterable[tuple[str, str]] = (),
    kind: Literal["causal", "calls"] = "causal",
    contained: datetime | None = None,
) -> Cascade:
    """Rank components as the origin of a cascade, by onset and dependency graph, and give its propagation path.

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
        One suspect a component. In front those that can act on the alarm and are linked to it by failing components,
        and of these the ones that nothing upstream explains; then those that others did not surely leave before; then
        the likeliest to have led, weighed by how much each accounts for. The same for every order of columns, rows and
        edges.

    Raises
    ------
    Unanswerable
        If there is no signal, or fewer than ten normal rows or no failing row are on record.
    InvalidCase
        If the alarm is none of the signals.

    Notes
    -----
    Where three components or more have the alarm's metric, it speaks for them: a failure travels in kind, latency as
    latency. Deviations are those of `anomaly_score`; seasons and trends are taken off by `normal_range`.
    """
    names = [str(name) for name in table.columns if name != "time"]
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
    left = departures(window.judged[names], window.clock, bad=bad, held=held, idle=np.isin(names, list(idle)))
    found = _Found(
        left=dict(zip(names, left, strict=True)),
        window=window,
        held=held,
        otherwise=_otherwise(window, signals),
    )
    causes = causes_of(_of_components(edges), calls=kind == "calls")
    return _told(found, signals, causes=causes, calls=kind == "calls", contained=contained)


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
        found: datetime = self.table["time"].iloc[int(np.searchsorted(self.clock.seconds, seconds))].to_pydatetime()
        return found


def _window(table: pd.DataFrame, signals: "Signals") -> _Window:
    table = table.sort_values("time", kind="stable")
    normal = (table["time"] < signals.from_).to_numpy(bool)
    failing = ((table["time"] >= signals.from_) & (table["time"] <= signals.to)).to_numpy(bool)
    if normal.sum() < NORMAL_ROWS or not failing.any():
        why = f"{normal.sum()} normal and {failing.sum()} failing samples are too few"
        raise Unanswerable(CASCADE_QUESTION, why)
    table = table[normal | failing]
    seconds = seconds_of(table["time"])
    return _Window(table=table, judged=table, clock=Clock(seconds=seconds, n_normal=int(normal.sum())))


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
class _Found:
    """Departures of all signals."""

    left: Mapping[str, Departure]
    window: _Window
    held: int = HELD
    speaking: int = 0
    otherwise: str = ""
    names: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in sorted(self.left):
            self.names.setdefault(component_of(name), []).append(name)

    @property
    def sure(self) -> float:
        """Robust z-score that none of the ranked signals reaches by chance."""
        samples, many = self.window.n_failing, self.speaking or len(self.left)
        return max(sure_in(samples, self.held, signals=many), abnormal_in(samples, self.held) / SHARE)

    def loudest(self, names: Sequence[str]) -> str:
        """Signal with the largest departure; of equals the first by name."""
        return min(names, key=lambda name: (-self.left[name].size, name))

    def component(self, name: str, signals: Sequence[str]) -> Departed:
        """Departure of a component, by its signals that surely left their range, or that left it at all."""
        size = max(self.left[one].size for one in signals)
        least = self.sure
        out = [one for one in map(self.left.__getitem__, signals) if one.abnormal]
        if not out:
            return Departed(name=name, size=size, earliest=np.inf, latest=np.inf, sure=False)
        far = [one for one in out if one.score >= least or one.lasting] or out
        first = min(far, key=lambda one: (one.first or 0, one.last_normal if one.last_normal is not None else -1))
        assert first.first is not None
        assert first.last_normal is not None
        about = first.straight or (first.last_normal + 1, first.first)
        return Departed(
            name=name,
            size=size,
            earliest=self.window.at(first.last_normal),
            latest=self.window.at(first.first),
            sure=size >= least,
            lasting=any(one.lasting for one in out),
            step=self.window.clock.step,
            straight=(self.window.at(about[0] - 1), self.window.at(about[1])),
            over=max(np.inf if one.last is None else self.window.at(one.last) for one in out),
        )

    def with_amount(self, one: Departed, signals: Sequence[str], target: str | None) -> Departed:
        """A component's departure with its size in the alarm's unit, where its signal has the alarm's metric."""
        spoken = [name for name in signals if target is not None and metric_of(name) == metric_of(target)]
        return replace(one, amount=self.left[spoken[0]].amount) if len(spoken) == len(signals) == 1 else one

    def strayed(self, signal: str) -> str:
        """That a signal strayed as far before the failing window, as a clause; empty where it did not."""
        if self.left[signal].strayed < STRAYED:
            return ""
        return ", which is wide, since it strayed before the failing window: should that begin earlier (signals.from)?"

    def silent_alarm(self, target: str | None) -> str | None:
        """Why no origin can be ranked where the alarm's own signal shows no departure; None otherwise."""
        if target is None or target not in self.left or self.left[target].abnormal:
            return None
        where = f"stayed in its normal range{self.strayed(target)}"
        if self.otherwise:
            where = f"left its normal range the other way; signals.bad says that {self.otherwise} is bad"
        return f"the alarm's own signal, {target}, {where}"

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


# --- from components to suspects -------------------------------------------------------------------------------------


def _told(found: _Found, signals: "Signals", *, causes: Causes, calls: bool, contained: datetime | None) -> Cascade:
    alarm = component_of(signals.target) if signals.target else None
    spoken = _speaking(found.names, metric_of(signals.target) if signals.target else None)
    found = replace(found, speaking=sum(map(len, spoken.values())), names={})
    left = {name: found.component(name, names) for name, names in spoken.items()}
    if calls:
        traffic = passed(found.window.table)
        left = {
            name: replace(found.with_amount(one, spoken[name], signals.target), traffic=traffic.get(name, {}))
            for name, one in left.items()
        }
    failing = {name: one for name, one in left.items() if np.isfinite(one.latest)}
    spread = Spread(causes=causes, measured=frozenset(found.names), failing=failing, alarm=alarm)
    ranked = _ranked(left, spread)
    suspects = tuple(_suspect(found, name, spread=spread, spoken=spoken[name]) for name in ranked)
    onsets = {one.component: one.onset for one in suspects if one.onset is not None}
    return Cascade(
        suspects=suspects,
        target=signals.target,
        n_signals=len(found.left),
        chance=1 / max(1, len(suspects)),
        doubt=found.silent_alarm(signals.target) or _doubt(suspects, left, spread=spread, sure=found.sure),
        steps=_steps(spread, ranked[0]) if ranked[0] in failing else (),
        traces=found.traces(),
        touched=touched(found.window.table, onsets, end=signals.to, contained=contained),
        n_sigma=component_of(min(found.left, key=lambda name: (-found.left[name].n_sigma, name))),
        step=found.window.clock.step,
        unseen=found.window.clock.unseen,
    )


def _speaking(names: Mapping[str, Sequence[str]], metric: str | None) -> dict[str, list[str]]:
    """The signals that represent each component: the one of the alarm's metric, where enough components have it."""
    kin = {name: [one for one in signals if metric_of(one) == metric] for name, signals in names.items()}
    shared = metric is not None and sum(map(bool, kin.values())) >= SHARED
    return {name: kin[name] if shared and kin[name] else list(signals) for name, signals in names.items()}


def _ranked(left: Mapping[str, Departed], spread: Spread) -> list[str]:
    """Components, the likeliest origin first; those that stayed in their range last."""
    groups: dict[tuple[bool, ...], list[Departed]] = {}
    for name, one in left.items():
        fails, adrift = name in spread.failing, name in spread.adrift
        key = (
            not fails, name not in spread.reaching and not adrift, fails and name not in spread.linked and not adrift,
            name in spread.explained,
        )  # fmt: skip
        groups.setdefault(key, []).append(replace(one, sure=one.lasting or name in spread.solid))
    weight = {name: spread.evidence(name) for name in spread.failing}
    return [name for key in sorted(groups) for name in in_order(groups[key], weight)]


def _suspect(found: _Found, name: str, *, spread: Spread, spoken: Sequence[str]) -> Suspect:
    """A component by the signal that represents it; by its loudest, where that one stayed in its range."""
    heard = spoken if name in spread.failing else found.names[name]
    signal = found.loudest(heard)
    own, left = found.left[signal], found.component(name, heard)
    out = bool(np.isfinite(left.latest))
    return Suspect(
        component=name,
        signal=signal,
        score=own.score,
        onset=found.window.moment_of(left.latest) if out else None,
        explained=name in spread.explained,
        upstream=name in spread.reaching,
        earliest=found.window.moment_of(left.earliest) if out else None,
        direction=own.direction,
        how=own.how,
        linked=name in spread.linked,
    )


def _doubt(suspects: Sequence[Suspect], left: Mapping[str, Departed], *, spread: Spread, sure: float) -> str | None:
    """Why the first suspect is not named as the origin; None where it is."""
    first = suspects[0]
    if all(one.onset is None for one in suspects):
        return "no signal left its normal range"
    if first.component not in spread.failing:
        return f"the alarm's metric left its normal range nowhere; {_nearest(suspects)} did"
    alone = spread.evidence(first.component) < 2 * np.log1p(sure)
    if first.component not in spread.solid and alone:
        return f"{first.signal} went no farther than {first.score:.3g} standard deviations, as quiet signals may"
    if spread.causes.get(spread.alarm or "") and not spread.linked - {spread.alarm}:
        return "nothing upstream of the alarm left its normal range"
    above = upstream(spread.causes, first.component)  # what a failure spreads to may depart farther than its origin
    rivals = [
        one.component
        for one in suspects[1:]
        if (one.component in spread.failing and one.linked and one.upstream and not one.explained)
        and (not spread.causes or spread.evidence(first.component) < APART * spread.evidence(one.component))
        and not left[first.component].before(left[one.component])
        and (one.component in above or not _apart(left[first.component].size, left[one.component].size))
    ]
    if rivals and not first.explained:
        return f"{first.component} cannot be told apart from {' and '.join(rivals[:2])}"
    return _earlier(first, suspects, left, causes=spread.causes)


def _earlier(
    first: Suspect, suspects: Sequence[Suspect], left: Mapping[str, Departed], *, causes: Causes
) -> str | None:
    """Why the graph and the order in time contradict each other; None where they do not."""
    for one in suspects:
        if _sooner(left[one.component], left[first.component]):
            if one.explained or first.component in upstream(causes, one.component):
                backwards = "do the edges of the graph run the other way round (kind: calls, or causal)?"
                return (
                    f"{one.component} left its range before {first.component}, which is said to explain it; {backwards}"
                )
            if one.upstream and not one.linked:
                way = "the graph has no way on which the failure can have passed from it to the alarm"
                return f"{one.component} left its range before {first.component}, and {way}: is an edge missing?"
    return None


def _sooner(one: Departed, first: Departed) -> bool:
    """Whether it surely left, likely before the first by more than the clock error, and had not recovered by then."""
    apart = one.point_interval[0] + one.step < first.point_interval[0]
    return one.sure and one.likely_before(first, by=SOONER) and apart and not one.recovered_before(first)


def _nearest(suspects: Sequence[Suspect]) -> str:
    """Signal with the largest departure."""
    return max((one for one in suspects if one.onset is not None), key=lambda one: (one.score, one.component)).signal


def _apart(size: float, other: float) -> bool:
    """Whether one departure is much larger than another; among capped ones, by the changes of level."""
    loud = LOUD if other >= LOUD else 0.0
    return size - loud >= APART * (other - loud)


def _steps(spread: Spread, origin: str) -> tuple[FailureStep, ...]:
    tree = spread.tree(origin)
    way = set(path_to(tree, spread.alarm)) if spread.alarm else set()
    return tuple(_step(one, spread, to_alarm=one in way) for one in tree)


def _step(one: PropagationStep, spread: Spread, *, to_alarm: bool) -> FailureStep:
    cause, effect = spread.failing[one.cause], spread.failing[one.effect]
    return FailureStep(
        cause=one.cause,
        effect=one.effect,
        lag=effect.latest - cause.latest,
        earliest=effect.earliest - cause.latest,
        latest=effect.latest - cause.earliest,
        over=one.over,
        to_alarm=to_alarm,
    )
