"""Callees that show nothing of a failure while their callers wait for them: a slow network, a lost connection.

A delay between two systems does not show in the callee's own latency, only in its callers'. That a caller waits, and
did not slow down itself, is told by its resources, which rest; by the latency of what it asks, where that is measured;
and by how its latencies grew: what is added to every call leaves the steps from sample to sample as they were, what
works slower multiplies them likewise.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from rca.analysis.cascade.signal_evidence import SignalEvidence
from rca.arrays import Floats, Mask, Places

LOUD_PART = 0.5
"""Part of the largest size from which a signal dates its component, and a component the failure."""

UNHEARD, SILENT = 0.9, 0.2
"""Part of its callers' departures that a callee brings which shows nothing, where all of them are slow; and part of a
caller's departure below which a callee shows nothing of it."""

DELAYED, ALONE = 0.5, 0.3
"""Odds that a caller which is slow, its own resources at rest, waits for such a callee and did not slow down itself,
half of it where these are not known; and how often a delay meets one caller alone."""

ADDED, MULTIPLIED, STEPS = 0.1, 1.1, (0.35, 1.2)
"""Growth of the steps from sample to sample, as a power of the growth of a latency, where something is added and where
it is multiplied; the standard deviation of its logarithm, and for one step."""

VARIES, OF_MEANS = (0.3, 0.6, 0.4), 0.9
"""How often what is added varies: of quantiles, of means, and of means where there are so many calls for each request
that every one may call."""

OWN = 0.05
"""How often what slows a system down itself is added as well: a pause, a lock, a timeout."""

AGAINST = 2.0
"""Logarithm of odds by which a callee is less likely that is called too seldom to move a quantile, or a caller which
waits though the latency of what it asks stays."""

QUANTILE = re.compile(r"(?<![a-z0-9])p\d\d|percentile|quantile|median", re.IGNORECASE)
"""Words of metrics that are quantiles: a part of the requests that is slow enough moves them wholly."""

LEVEL = re.compile(r"(?<![a-z0-9])p(\d\d)", re.IGNORECASE)
"""Level of a quantile in the name of a metric."""

LATENCY = re.compile(r"latenc|duration|response.?time|delay|seconds", re.IGNORECASE)
"""Words of metrics that add up along calls."""

CLIENT = re.compile(r"client|outbound|egress|upstream", re.IGNORECASE)
"""Words of metrics of what a component asks of others."""


class Systems(Protocol):
    """What is asked of components and their signals, as `origin_score.Systems` has it."""

    @property
    def many(self) -> int: ...
    @property
    def of(self) -> Places: ...
    @property
    def metrics(self) -> tuple[str, ...]: ...
    @property
    def evidence(self) -> SignalEvidence: ...
    @property
    def causes(self) -> Sequence[tuple[int, int]]: ...
    @property
    def calls(self) -> bool: ...
    @property
    def far(self) -> Mask: ...
    @property
    def slow(self) -> Mask: ...
    @property
    def out(self) -> Mask: ...
    @property
    def gone(self) -> Floats: ...
    @property
    def latencies(self) -> Mask: ...
    @property
    def resources(self) -> Mask: ...
    def any_of(self, signals: Mask) -> Mask: ...
    def calls_of(self, cause: int, effect: int) -> float: ...
    def part(self, cause: int, effect: int) -> float: ...
    def sizes_of_signals(self) -> Floats: ...


@dataclass(frozen=True, kw_only=True, eq=False)
class SilentCallees:
    """Which callees show nothing though their callers wait, and how likely each is."""

    systems: Systems

    @cached_property
    def callers(self) -> dict[int, list[int]]:
        """Callers of each callee."""
        found: dict[int, list[int]] = {}
        for callee, caller in self.systems.causes if self.systems.calls else ():
            found.setdefault(callee, []).append(caller)
        return found

    @cached_property
    def waits(self) -> Mask:
        """Components that are slow while their own resources, and errors, went nowhere near as far."""
        systems = self.systems
        sizes, quality = systems.sizes_of_signals(), systems.evidence.bad != 0
        late, else_out = np.zeros(systems.many), np.zeros(systems.many)
        others = systems.resources | (quality & ~systems.latencies)
        for found, which in ((late, systems.latencies & quality & systems.far), (else_out, others & systems.far)):
            np.maximum.at(found, systems.of[which], sizes[which])
        return np.asarray((late > 0) & (else_out < LOUD_PART * late))

    @cached_property
    def mute(self) -> Mask:
        """Components that are not slow themselves, or show nothing where that is not measured, and still there."""
        systems = self.systems
        measured = systems.any_of(systems.evidence.bad != 0)
        return np.asarray(np.where(measured, ~systems.slow, ~systems.out) & ~np.isfinite(systems.gone))

    @cached_property
    def links(self) -> dict[tuple[int, int], float]:
        """Callee and caller → part that it brings, of callees that show nothing where several callers all wait."""
        return {
            (callee, caller): UNHEARD
            for callee, callers in self.callers.items()
            if self.mute[callee] and len(callers) > 1 and all(self.waits[callers])
            for caller in callers
        }

    @cached_property
    def unheard(self) -> frozenset[int]:
        """Callees that only their callers, several, tell of."""
        return frozenset(callee for callee, _ in self.links)

    @cached_property
    def support(self) -> Floats:
        """Log odds of these by how their callers' latencies grew; 0 of all others: (components,)."""
        found = np.zeros(self.systems.many)
        found[list(self.unheard)] = np.log(DELAYED)
        for callee, caller in self.links:
            found[callee] += self._log_odds(callee, caller)
        return found

    @cached_property
    def waited(self) -> Floats:
        """Probability that a caller which is slow waits for one callee that shows nothing: (callees, callers)."""
        systems = self.systems
        found = np.zeros((systems.many, systems.many))
        prior = np.where(systems.any_of(systems.resources), DELAYED, DELAYED / 2) * self.waits
        for callee, callers in self.callers.items():
            if np.isfinite(systems.gone[callee]) or callee in self.unheard:
                continue
            met = ALONE / len(callers) + (1 - ALONE) * all(self.waits[callers])
            for caller in (one for one in callers if self.waits[one]):
                if not systems.slow[callee] or systems.part(callee, caller) < SILENT:
                    found[callee, caller] = prior[caller] * met * np.exp(self._log_odds(callee, caller))
        return np.asarray(found / (1 + found.sum(axis=0)))

    def _log_odds(self, callee: int, caller: int) -> float:
        """Log-likelihood ratio that a caller waits for one callee, by how its latencies grew and share of calls."""
        systems, share = self.systems, self.systems.calls_of(callee, caller)
        found = []
        for at in np.flatnonzero((systems.of == caller) & np.isfinite(self.added)):
            level = LEVEL.search(systems.metrics[at])
            if level and share < 0.8 * (1 - int(level[1]) / 100):
                found.append(-AGAINST)
                continue
            varies = VARIES[1] if np.isnan(share) else VARIES[2] if share > OF_MEANS else 1.0
            varies = VARIES[0] if QUANTILE.search(systems.metrics[at]) else varies
            ratio = np.exp(self.added[at])
            found.append(float(np.log((varies + (1 - varies) * ratio) / (1 - OWN + OWN * ratio))))
        return (float(np.mean(found)) if found else 0.0) + float(self._by_client[caller])

    @cached_property
    def added(self) -> Floats:
        """Log-likelihood ratio that what a latency grew by was added, not multiplied; NaN if unknown: (signals,)."""
        systems, mean = self.systems, self.systems.evidence.mean
        before, after, level, many = systems.evidence.steps
        known = systems.latencies & systems.far & (systems.evidence.bad > 0) & (before > 0) & (mean > 0)
        growth = np.log(np.maximum(np.where(known, level, 1.0) / np.where(known, mean, 1.0), 1.0))
        steps = np.log(np.maximum(np.where(known, after, 1.0) / np.where(known, before, 1.0), 0.05))
        width = STEPS[0] ** 2 + STEPS[1] ** 2 / np.maximum(many, 1)
        told = ((steps - MULTIPLIED * growth) ** 2 - (steps - ADDED * growth) ** 2) / (2 * width)
        return np.where(known, np.clip(told, -20, 4), np.nan)

    @cached_property
    def _by_client(self) -> Floats:
        """Log-likelihood ratio that components wait, by the latency of what they ask, where that is told apart."""
        systems = self.systems
        asking = systems.latencies & np.array([CLIENT.search(metric) is not None for metric in systems.metrics])
        slow = np.where(systems.any_of(asking & systems.far), AGAINST, -AGAINST)
        return np.where(systems.any_of(asking), slow, 0.0)
