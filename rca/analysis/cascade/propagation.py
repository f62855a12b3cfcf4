"""Failure propagation along a dependency graph: the steps by which it can have passed, and guards that kept silent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush

import numpy as np

Causes = Mapping[str, frozenset[str]]
"""Component → the components that can act on it directly."""

RECOVERED = 5
"""Samples back in its range after which a component that was out for a moment is not what struck another."""

PASSED = 0.1
"""Part of an effect's departure that a cause has to be able to bring, for a step to be told."""


@dataclass(frozen=True, kw_only=True)
class Departed:
    """Departure of one component from its normal range: not before `earliest`, not after `latest`.

    Attributes
    ----------
    name : str
    earliest, latest : float
        Seconds since 1970: the last sample surely in the range, and the first surely on the way out of it.
    step : float
        Seconds between two samples.
    over : float
        Seconds since 1970 when it was last out of its range.
    """

    name: str
    earliest: float
    latest: float
    step: float = 1.0
    over: float = np.inf

    def recovered_before(self, effect: "Departed") -> bool:
        """Whether it had recovered before another left its range, for longer than it had been out."""
        return effect.earliest - self.over > max(self.over - self.earliest, RECOVERED * self.step)

    def before(self, other: "Departed") -> bool:
        """Whether it surely left before the other did.

        The uncertainty is a sample, since clocks may be that far apart, and the widths of the two intervals beyond a
        sample, in quadrature (Goldstein and Healy, J. R. Stat. Soc. A 158, 1995).

        >>> a = Departed(name="a", earliest=0.0, latest=1.0)
        >>> b = Departed(name="b", earliest=2.0, latest=9.0)
        >>> a.before(b), b.before(a)
        (True, False)
        """
        ahead = (other.earliest + other.latest - self.earliest - self.latest) / 2
        wide, others = (max(one.latest - one.earliest - one.step, 0.0) / 2 for one in (self, other))
        return bool(ahead > (self.step + other.step) / 2 + np.hypot(wide, others))


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


def nearest_measured(causes: Causes, measured: Iterable[str]) -> dict[str, frozenset[str]]:
    """Measured component → its nearest measured ancestors: direct, or through components without signals.

    >>> nearest_measured({"c": frozenset("b"), "b": frozenset("a")}, "ac")
    {'a': frozenset(), 'c': frozenset({'a'})}
    """
    known = frozenset(measured)
    return {name: frozenset(_nearest(causes, name, known)) for name in sorted(known)}


def _nearest(causes: Causes, name: str, known: frozenset[str]) -> set[str]:
    found: set[str] = set()
    waiting, met = [name], {name}
    while waiting:
        for cause in causes.get(waiting.pop(), frozenset()) - met:
            met.add(cause)
            if cause in known:
                found.add(cause)
            else:
                waiting.append(cause)
    return found


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Possible propagation of a failure along a graph.

    Attributes
    ----------
    above : mapping
        Measured component → the nearest that can act on it; empty where no graph is known.
    links : mapping
        Cause and effect → the part of the effect's departure that the cause can have brought.
    failing : mapping of str to Departed
    """

    above: Causes
    links: Mapping[tuple[str, str], float]
    failing: Mapping[str, Departed]

    @cached_property
    def passages(self) -> tuple[PropagationStep, ...]:
        """Every propagation step between failing components that sizes and onsets allow, in order of names.

        Across a component that stayed in its range only where the order in time is sure: else two failures that have
        nothing to do with each other would be tied together.
        """
        direct = [
            PropagationStep(cause=cause, effect=effect)
            for (cause, effect), part in self.links.items()
            if part >= PASSED and self._may_follow(cause, effect)
        ]
        return tuple(sorted([*direct, *self._past_guards()], key=lambda one: (one.effect, one.over or "", one.cause)))

    def _may_follow(self, cause: str, effect: str) -> bool:
        """Whether both failed, the effect not surely first, and the cause not long over by then."""
        if cause not in self.failing or effect not in self.failing:
            return False
        one, other = self.failing[cause], self.failing[effect]
        return not other.before(one) and not one.recovered_before(other)

    def _past_guards(self) -> list[PropagationStep]:
        return [
            PropagationStep(cause=cause, effect=effect, over=guard)
            for effect, left in self.failing.items()
            for guard in self.above.get(effect, frozenset()) - set(self.failing)
            for cause in self.above.get(guard, frozenset()) - self.above[effect] - {effect}
            if self._may_follow(cause, effect) and self.failing[cause].before(left)
        ]

    def tree(self, origin: str) -> tuple[PropagationStep, ...]:
        """Propagation tree from an origin; each component is reached once.

        In the order in which they left their range; from the cause that left last before it, by which the failure
        arrived.
        """
        below = self._by_cause()
        reached, found = {origin}, []
        waiting = [(self._by_arrival(one), one) for one in below.get(origin, ())]
        heapify(waiting)
        while waiting:
            _, one = heappop(waiting)
            if one.effect in reached:
                continue
            reached.add(one.effect)
            found.append(one)
            for following in below.get(one.effect, ()):
                if following.effect not in reached:
                    heappush(waiting, (self._by_arrival(following), following))
        return tuple(found)

    def _by_cause(self) -> dict[str, list[PropagationStep]]:
        found: dict[str, list[PropagationStep]] = {}
        for one in self.passages:
            found.setdefault(one.cause, []).append(one)
        return found

    def _by_arrival(self, one: PropagationStep) -> tuple[float, bool, float, str, str, str]:
        cause, effect = self.failing[one.cause], self.failing[one.effect]
        return effect.latest, one.over is not None, -cause.latest, one.effect, one.cause, one.over or ""

    def linked_to(self, alarm: str) -> set[str]:
        """Components with a path of steps to one, itself included."""
        back: dict[str, set[str]] = {}
        for one in self.passages:
            back.setdefault(one.effect, set()).add(one.cause)
        return upstream({effect: frozenset(above) for effect, above in back.items()}, alarm)


def path_to(tree: Sequence[PropagationStep], end: str) -> tuple[PropagationStep, ...]:
    """Path in a propagation tree from the origin to one component; empty where it is not reached."""
    by_effect = {one.effect: one for one in tree}
    found: list[PropagationStep] = []
    while end in by_effect:
        found.append(by_effect[end])
        end = by_effect[end].cause
    return tuple(reversed(found))
