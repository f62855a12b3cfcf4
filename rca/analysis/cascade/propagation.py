"""Failure propagation along a dependency graph: which departure can explain which, and which guards stayed silent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np
import numpy.typing as npt

from rca.arrays import Floats

Causes = Mapping[str, frozenset[str]]
"""Component → the components that can act on it directly."""

HALF, PART, EARLIER = 0.5, 0.25, 0.1
"""Shares of a caller's departure that callees have to account for: together, each, and one that came before."""

RECOVERED = 5
"""Samples back in its range after which a component that was out for a moment is not what struck another."""

SOONER = 0.25
"""Lead, in units of its uncertainty, from which on an earlier onset is likelier than not."""

CALLS = 2.0
"""Calls per request that are assumed where there is no traffic signal."""

LIGHT = 0.5
"""Share of another's evidence below which a candidate does not come before it by time alone."""

ONE_SIDED = 1.645
"""Where the normal distribution has its 95 % point: a lead of 1 is as sure as that."""


@dataclass(frozen=True, kw_only=True)
class Departed:
    """Departure of one component from its normal range: not before `earliest`, not after `latest`.

    Attributes
    ----------
    name : str
    size : float
        How far; what is ranked by.
    earliest, latest : float
        Seconds since 1970: the last sample surely in the range, and the first surely on the way out of it. Infinite
        where it stayed.
    sure : bool
        Whether quiet signals do not go so far.
    lasting : bool
        Whether they do not for so long.
    amount : float or None
        How far in the unit of the alarm's metric; None where another metric speaks for the component.
    traffic : mapping of str to float
        How much passed through it, by what is counted; empty where nobody counts.
    step : float
        Seconds between two samples.
    straight : (float, float) or None
        As `earliest` and `latest`, if it went straight out; to compare by what else is not known apart.
    over : float
        Seconds since 1970 when it was last out of its range.
    """

    name: str
    size: float
    earliest: float
    latest: float
    sure: bool
    lasting: bool = False
    amount: float | None = None
    traffic: Mapping[str, float] = field(default_factory=dict)
    step: float = 1.0
    straight: tuple[float, float] | None = None
    over: float = np.inf

    def share_of(self, effect: "Departed") -> float:
        """Share of a caller's departure that this one can account for, by their calls per request.

        1 where the two have no metric in common.

        >>> seen = {"earliest": 0.0, "latest": 1.0, "sure": True, "traffic": {"calls": 300}}
        >>> slow = Departed(name="a", size=20.0, amount=10.0, **seen)
        >>> [slow.share_of(replace(slow, amount=100.0, traffic={"calls": calls})) for calls in (300, 30)]
        [0.1, 1.0]
        """
        if self.amount is None or effect.amount is None:
            return 1.0
        both = [what for what in self.traffic if self.traffic[what] > 0 and effect.traffic.get(what, 0) > 0]
        calls = self.traffic[both[0]] / effect.traffic[both[0]] if both else CALLS
        return self.amount * calls / effect.amount if effect.amount > 0 else 1.0

    def recovered_before(self, effect: "Departed") -> bool:
        """Whether it had recovered before another left its range, for longer than it had been out."""
        return effect.earliest - self.over > max(self.over - self.earliest, RECOVERED * self.step)

    @property
    def weight(self) -> float:
        """Evidence that it is no accident: the logarithm of its size."""
        return float(np.log1p(self.size))

    def before(self, other: "Departed") -> bool:
        """Whether it left surely before the other did."""
        return self.lead(other) > 1

    def likely_before(self, other: "Departed", *, by: float = 1.0) -> bool:
        """Whether it likely left before the other, if both are linear ramps: a lead above `by`."""
        return bool(_lead(self.point_interval, other.point_interval) > by)

    def lead(self, other: "Departed") -> float:
        """Lead over another onset in units of its uncertainty; beyond 1 it is significant.

        The uncertainty is a sample, since clocks may be that far apart, and the widths of the two intervals beyond a
        sample, in quadrature (Goldstein and Healy, J. R. Stat. Soc. A 158, 1995).

        >>> a = Departed(name="a", size=20.0, earliest=0.0, latest=1.0, sure=True)
        >>> b = Departed(name="b", size=20.0, earliest=2.0, latest=9.0, sure=True)
        >>> round(a.lead(b), 2), a.before(b), b.lead(a) == -a.lead(b)
        (1.25, True, True)
        """
        return float(_lead(self.when, other.when))

    @property
    def when(self) -> tuple[float, float, float]:
        """Onset interval as its middle, half its width beyond a sample, and a sample."""
        return self._between(self.earliest, self.latest)

    @property
    def point_interval(self) -> tuple[float, float, float]:
        """The same if the departure is a linear ramp."""
        return self._between(*(self.straight or (self.earliest, self.latest)))

    def _between(self, earliest: float, latest: float) -> tuple[float, float, float]:
        if not np.isfinite(latest):
            return np.inf, 0.0, self.step
        return (earliest + latest) / 2, max(latest - earliest - self.step, 0.0) / 2, self.step


def _lead(one: Any, other: Any) -> Floats:
    """`Departed.lead` of numbers or arrays, as `when` gives them; what stayed in its range leads and follows none."""
    (middle, wider, step), (later, wide, steps) = one, other
    known = np.isfinite(middle) & np.isfinite(later)
    ahead = np.where(known, later, 0.0) - np.where(known, middle, 0.0)
    return np.where(known, ahead / ((step + steps) / 2 + np.hypot(wider, wide)), -np.inf)


@dataclass(frozen=True, kw_only=True)
class PropagationStep:
    """One step of propagation between two components.

    Attributes
    ----------
    cause, effect : str
    over : str or None
        A component between the two that stayed in its range: it let the failure through and said nothing.
    """

    cause: str
    effect: str
    over: str | None = None


def causes_of(edges: Iterable[tuple[str, str]], *, calls: bool) -> dict[str, frozenset[str]]:
    """Component → its direct causes; along calls a failure travels from callee to caller.

    >>> causes_of([("shop", "database")], calls=True)["shop"]
    frozenset({'database'})
    """
    found: dict[str, set[str]] = {}
    for one, other in edges:
        cause, effect = (other, one) if calls else (one, other)
        found.setdefault(effect, set()).add(cause)
        found.setdefault(cause, set())
    return {name: frozenset(above - {name}) for name, above in found.items()}


def upstream(causes: Causes, start: str) -> set[str]:
    """Ancestors of a component, itself included."""
    found, waiting = {start}, [start]
    while waiting:
        for cause in causes.get(waiting.pop(), frozenset()) - found:
            found.add(cause)
            waiting.append(cause)
    return found


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Possible propagation of a failure along a graph.

    Attributes
    ----------
    causes : mapping
        Empty where no graph is known.
    measured : frozenset of str
        Components with signals; others are looked through, since nobody knows how they did.
    failing : mapping of str to Departed
    alarm : str or None
    """

    causes: Causes
    measured: frozenset[str]
    failing: Mapping[str, Departed]
    alarm: str | None = None
    _seen: dict[str, set[str]] = field(default_factory=dict, repr=False, compare=False)

    def _above(self, name: str) -> set[str]:
        """Nearest measured ancestors: direct, or through components without signals."""
        if name not in self._seen:
            found: set[str] = set()
            waiting, met = [name], {name}
            while waiting:
                for cause in sorted(self.causes.get(waiting.pop(), frozenset()) - met):
                    met.add(cause)
                    (found.add if cause in self.measured else waiting.append)(cause)
            self._seen[name] = found
        return self._seen[name]

    @cached_property
    def passages(self) -> tuple[PropagationStep, ...]:
        """Every propagation step between failing components that onsets allow, in order of names.

        Across a component that stayed in its range only where the order in time is sure: else two failures that have
        nothing to do with each other would be tied together.
        """
        found = []
        for effect in sorted(self.failing):
            near = self._above(effect)
            found += [PropagationStep(cause=cause, effect=effect) for cause in self._causes_of(effect)]
            for guard in sorted(near - set(self.failing)):
                found += [
                    PropagationStep(cause=cause, effect=effect, over=guard)
                    for cause in sorted(self._above(guard) - near - {effect})
                    if cause in self.failing
                    and self.failing[cause].before(self.failing[effect])
                    and not self.failing[cause].recovered_before(self.failing[effect])
                ]
        return tuple(found)

    def _causes_of(self, effect: str) -> list[str]:
        """Failing ancestors of a component that did not surely leave after it, and account for enough of its departure.

        Half of it do those that bring a quarter or more together: else the effect failed by itself. Of what probably
        came before a tenth is enough, since queues and retries make more of it.
        """
        other = self.failing[effect]
        known = [self.failing[name] for name in sorted(self._above(effect) & set(self.failing))]
        share = {
            one.name: one.share_of(other) for one in known if not other.before(one) and not one.recovered_before(other)
        }
        together = sum(part for part in share.values() if part >= PART)
        return [
            name
            for name, part in share.items()
            if (part >= PART and together >= HALF)
            or (part >= EARLIER and self.failing[name].likely_before(other, by=SOONER))
        ]

    @cached_property
    def solid(self) -> frozenset[str]:
        """Failing components that are no accident: far out, or likely followed by what they act on."""
        followed = {
            one.cause for one in self.passages if self.failing[one.cause].likely_before(self.failing[one.effect])
        }
        return frozenset(name for name, left in self.failing.items() if left.sure or name in followed)

    @cached_property
    def explained(self) -> frozenset[str]:
        """Components that may only have passed on a failure from upstream.

        A cause explains an effect that surely came later; or that came at the same time, unless the two act on each
        other. Of components that act on each other, and failed at the same time, none explains another.
        """
        ring = self._rings()
        return frozenset(
            one.effect
            for one in self.passages
            if one.cause in self.solid
            and (self.failing[one.cause].before(self.failing[one.effect]) or ring[one.cause] != ring[one.effect])
        )

    def _rings(self) -> dict[str, int]:
        """Strongly connected components of the failing ones, by number."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        names = sorted(self.failing)
        place = {name: at for at, name in enumerate(names)}
        ways = [(place[one.cause], place[one.effect]) for one in self.passages]
        rows, columns = np.array(ways, dtype=int).reshape(-1, 2).T
        matrix = coo_array((np.ones(len(ways)), (rows, columns)), shape=(len(names), len(names)))
        _, label = connected_components(matrix.tocsr(), directed=True, connection="strong")
        return {name: int(label[at]) for name, at in place.items()}

    def evidence(self, origin: str) -> float:
        """Evidence that an origin accounts for: the sum of log sizes of its own and all downstream departures.

        A failure that has the origin's for a cause needs no other; one that has not needs an accident of its own, the
        less likely the farther it went.
        """
        struck, waiting = {origin}, [origin]
        while waiting:
            new = {one.effect for one in self._below.get(waiting.pop(), ())} - struck
            struck |= new
            waiting += new
        return sum(self.failing[name].weight for name in sorted(struck))

    @cached_property
    def reaching(self) -> frozenset[str]:
        """Components upstream of the alarm; all where there is no alarm or it is not in the graph.

        A component that the graph does not know may act on anything.
        """
        if self.alarm is None or self.alarm not in self.causes:
            return self.measured | frozenset(self.failing)
        above = upstream(self.causes, self.alarm)
        return frozenset(name for name in self.measured if name in above or name not in self.causes)

    @cached_property
    def linked(self) -> frozenset[str]:
        """Failing components with a path of failing ones to the alarm; all where no path can be known."""
        if self.alarm is None or self.alarm not in self.causes:
            return frozenset(self.failing)
        ways: dict[str, set[str]] = {}
        for one in self.passages:
            ways.setdefault(one.effect, set()).add(one.cause)
        if self.alarm not in self.failing:
            ways[self.alarm] = self._above(self.alarm) & set(self.failing)
        back = upstream({effect: frozenset(above) for effect, above in ways.items()}, self.alarm)
        return frozenset(back & set(self.failing))

    @cached_property
    def adrift(self) -> frozenset[str]:
        """Failing components without a path to the alarm in the graph, that may have begun it all the same.

        They left their range surely before everything that is linked to the alarm, and account for as much: then it is
        the likelier that an edge is not on record. What the alarm itself can act on is none of them.
        """
        roots = self.linked - self.explained
        if not self.causes or not roots:
            return frozenset()
        heaviest = max(map(self.evidence, sorted(roots)))
        return frozenset(
            name
            for name in self.solid - self.linked - self.explained
            if all(self.failing[name].before(self.failing[root]) for root in roots)
            and self.evidence(name) >= LIGHT * heaviest
            and not (self.alarm is not None and self.alarm in upstream(self.causes, name))
        )

    def tree(self, origin: str) -> tuple[PropagationStep, ...]:
        """Propagation tree from an origin; each component is reached once.

        In the order in which they left their range; from the cause that left last before it, by which the failure
        arrived.
        """
        reached, found = {origin}, []
        waiting = [(self._by_arrival(one), one) for one in self._below.get(origin, ())]
        heapify(waiting)
        while waiting:
            _, one = heappop(waiting)
            if one.effect in reached:
                continue
            reached.add(one.effect)
            found.append(one)
            for following in self._below.get(one.effect, ()):
                if following.effect not in reached:
                    heappush(waiting, (self._by_arrival(following), following))
        return tuple(found)

    @cached_property
    def _below(self) -> dict[str, list[PropagationStep]]:
        """Propagation steps by their cause."""
        found: dict[str, list[PropagationStep]] = {}
        for one in self.passages:
            found.setdefault(one.cause, []).append(one)
        return found

    def _by_arrival(self, one: PropagationStep) -> tuple[float, bool, float, str, str, str]:
        cause, effect = self.failing[one.cause], self.failing[one.effect]
        return effect.latest, one.over is not None, -cause.latest, one.effect, one.cause, one.over or ""


def path_to(tree: Sequence[PropagationStep], end: str) -> tuple[PropagationStep, ...]:
    """Path in a propagation tree from the origin to one component; empty where it is not reached."""
    by_effect = {one.effect: one for one in tree}
    found: list[PropagationStep] = []
    while end in by_effect:
        found.append(by_effect[end])
        end = by_effect[end].cause
    return tuple(reversed(found))


def in_order(left: Iterable[Departed], weight: Mapping[str, float] | None = None) -> list[str]:
    """Order of candidate origins: by evidence plus the log probability that no rival departed earlier.

    What surely left after another waits for that one; of the others comes first who has the largest sum of weight and
    log probability. Only what is `sure`, no accident, comes before
    others by time, and not what weighs less than half of them. Where nothing is sure, what went half as far as the
    farthest does.

    Parameters
    ----------
    left : iterable of Departed
    weight : mapping of str to float, optional
        How much each can account for, as logarithms; its own departure where nothing is said.

    Examples
    --------
    >>> a = Departed(name="a", size=20.0, earliest=0.0, latest=1.0, sure=True)
    >>> b = Departed(name="b", size=90.0, earliest=5.0, latest=6.0, sure=True)
    >>> c = Departed(name="c", size=40.0, earliest=0.0, latest=2.0, sure=True)
    >>> in_order([a, b, c])
    ['a', 'c', 'b']
    """
    from scipy.special import log_ndtr

    known, every = weight or {}, list(left)
    if not any(one.sure for one in every):
        farthest = max((one.size for one in every if np.isfinite(one.latest)), default=np.inf)
        every = [replace(one, sure=one.size >= LIGHT * farthest) for one in every]
    weights = np.array([known.get(one.name, one.weight) for one in every])
    heavy = np.array([one.sure for one in every], dtype=bool) & (weights >= LIGHT * weights.max(initial=0.0))
    led, probably = (
        _led(np.array(when).reshape(-1, 3).T, np.flatnonzero(heavy))
        for when in ([one.when for one in every], [one.point_interval for one in every])
    )
    likely = weights + log_ndtr(-ONE_SIDED * probably)
    keys = [(led[at] > 1, -likely[at], -one.size, one.name) for at, one in enumerate(every)]
    return [key[-1] for key in sorted(keys)]


def _led(when: Floats, rivals: npt.NDArray[np.intp]) -> Floats:
    """Largest lead of any rival over each; below 0 where it came before them all."""
    found = np.full(when.shape[1], -np.inf)
    for rival in rivals:
        lead = _lead(when[:, rival], when)
        lead[rival] = -np.inf
        np.maximum(found, lead, out=found)
    return found
