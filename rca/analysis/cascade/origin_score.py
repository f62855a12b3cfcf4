"""One score for an origin: size, time and graph as log-likelihoods that are added, and a posterior over origins.

The score of a component is the log-likelihood ratio of "it failed, and what it reaches followed" against accidents
apart: its own departure, less a price for being late, plus the departures that it can have brought, each in the part
that it can bring given size, share of calls and time. None of these vetoes another. The posterior is the mean over
several readings of the same rule; where they disagree, it is spread.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from rca.analysis.cascade.signal_evidence import PRIOR_SPREAD, UNSEEN, SignalEvidence
from rca.analysis.cascade.silent_callee import LATENCY, LOUD_PART, QUANTILE, SilentCallees
from rca.arrays import Floats, Mask, Places

SIGNALS, SHARED = 3, 3
"""Loudest signals of a component that count, and components that have the alarm's metric before it stands for them."""

LATE = 0.7
"""Price of being late, in log-likelihood for each e-fold of samples."""

BEYOND_PART = 0.4
"""Part of the farthest excess over normal times from which a component dates the failure."""

OUT, FARTHER = 3.0, 0.3
"""Deviations from which a signal is out, if it went farther than it ever did, by so much in logarithms."""

FIRST_TIME = 1.0
"""Size at most by which a signal that never moved before went farther than ever: a monitor that counts says no more."""

GONE = 1000.0
"""Deviations that a component counts for which reports nothing any more."""

BEYOND = 2.0
"""Standard deviations that are taken off what a cause can have brought, since noise goes so far."""

CALLS = (0.2, 5.0)
"""Range that the ratio of calls of callee and caller is kept in."""

AMPLIFIED, PAST, SELDOM = np.log(5.0), 0.5, 0.1
"""Logarithm of the factor by which queues and retries enlarge what came before, part that comes past a component which
shows nothing where the order in time is sure, and part of what callees bring by which a service dies."""

SURGE, ASKED, STEEP = 0.5, 0.9, 6.0
"""Logarithm of a factor from which traffic grew, part of what comes of it that a caller brings which asks more, and the
exponent by which that is less where its own traffic grew less."""

GROWTH = 2.0
"""Weight of the growth of latencies between components that nothing else speaks for: an exponent of its factor."""

SHARPNESS = 2.0
"""Factor from score to log posterior odds within one reading."""

SURER, FLATTER, EXTREME, APART, FARTHEST = -0.3, 0.68, 4.0, 0.98, 2.0
"""How often the first was right on drawn lines: its log odds are this, this part of its posterior's, cut here, and
along calls this part of what it went over its normal times beyond what any other did, cut here."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One reading of the rule: which samples and signals count, and how much time, scale and graph do."""

    samples: str = "two"
    signals: int = SIGNALS
    late: float = LATE
    prior: float = PRIOR_SPREAD
    robust: bool = False
    graph: float = 1.0
    cap: float = np.inf


RULE = Reading()

READINGS = (
    RULE, Reading(samples="one"), Reading(samples="held"), Reading(samples="mean"), Reading(signals=1),
    Reading(signals=5), Reading(late=0.0), Reading(late=2 * LATE), Reading(prior=PRIOR_SPREAD / 2),
    Reading(prior=2 * PRIOR_SPREAD), Reading(robust=True), Reading(graph=0.5), Reading(cap=4.0),
)  # fmt: skip
"""Readings that agree where an origin is clear."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Systems:
    """Components with their signals' evidence, and who can act on whom.

    Attributes
    ----------
    names : tuple of str
        Components.
    of : ndarray of int, shape (signals,)
        Component of each signal.
    metrics : tuple of str
        Metric of each signal.
    evidence : SignalEvidence
    dead : ndarray of bool, shape (signals,)
        Signals that fell silent, or stood still: their samples say less than that.
    beyond, over : ndarray of shape (signals,)
        Excess over the farthest and over most of the normal blocks, as differences of logarithms.
    dated : ndarray of shape (signals,)
        Position at which each left its range, between samples; infinite where it did not.
    causes : sequence of (int, int)
        Cause and effect, by position: the nearest that are measured.
    calls : bool
        Whether they are calls, so that amounts of one metric compare.
    traffic : mapping of int to mapping
        How much passed through a component, by what is counted.
    traffic_signals : ndarray of bool, shape (signals,)
        Signals that count what passes.
    alarm : str or None
        The alarm's metric.
    samples : int
        Of the failing window.
    """

    names: tuple[str, ...]
    of: Places
    metrics: tuple[str, ...]
    evidence: SignalEvidence
    dead: Mask
    beyond: Floats
    over: Floats
    dated: Floats
    traffic_signals: Mask
    causes: Sequence[tuple[int, int]] = ()
    calls: bool = False
    traffic: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    alarm: str | None = None
    samples: int = 1

    @property
    def many(self) -> int:
        """Components."""
        return len(self.names)

    @cached_property
    def alarming(self) -> Mask:
        """Signals of the alarm's metric, where enough components have it to compare them by it."""
        same = np.array([metric == self.alarm for metric in self.metrics], dtype=bool)
        return same if len(set(self.of[same])) >= SHARED else np.zeros_like(same)

    def sizes_of_signals(self, reading: Reading = RULE) -> Floats:
        """Size of each signal's departure."""
        found = self.evidence.sizes(reading.samples, prior=reading.prior, robust=reading.robust)
        return np.minimum(np.where(self.dead, np.maximum(found, np.log1p(UNSEEN)), found), reading.cap)

    def sizes(self, reading: Reading = RULE) -> Floats:
        """Size of each component: half its loudest signal, half the mean of a few; or the alarm's metric, if larger."""
        return self._of_components(self.sizes_of_signals(reading), reading)

    def _of_components(self, own: Floats, reading: Reading) -> Floats:
        loudest, few = (self.mean_of_loudest(own, most=most) for most in (1, reading.signals))
        alarming = self.mean_of_loudest(own, most=reading.signals, kept=self.alarming)
        found = np.maximum((loudest + few) / 2, alarming)
        return np.where(np.isfinite(self.gone), np.maximum(found, min(np.log1p(GONE), reading.cap)), found)

    def excesses(self, *, first_time: float = np.inf, kept: Mask | bool = True) -> Floats:
        """Size of each component's departure over what it did in normal times, by the same rule; 0 where it is none."""
        most = np.where(kept, np.where(self.evidence.scale() > 0, np.inf, first_time), 0.0)
        return self._of_components(np.clip(self.over, 0.0, most), RULE)

    @cached_property
    def _brought(self) -> Floats:
        """What each origin can have brought: along calls slowness and errors alone, where they are measured."""
        quality = self.evidence.bad != 0
        passed_on = self.excesses(kept=quality | ~self.any_of(quality)[self.of] if self.calls else True)
        return (self.reached - np.eye(self.many)) @ passed_on

    @cached_property
    def _own(self) -> Floats:
        return self.excesses(first_time=FIRST_TIME)

    @cached_property
    def gone(self) -> Floats:
        """Position from which on nothing comes of a component, resources or counts; infinite where something does.

        Shares and latencies of what is asked no more end as well, without that it is dead, unless it is missed.
        """
        own = self.evidence.bad == 0
        quiet = self.dead | np.isfinite(self.evidence.ended)
        since = np.where(np.isfinite(self.evidence.ended), self.evidence.ended, np.where(self.dead, self.dated, np.inf))
        kept, ended = (np.bincount(self.of[which], minlength=self.many) for which in (own, own & quiet))
        body = self.missed + np.bincount(
            self.of[own & quiet & (self.dead | ~self.traffic_signals)], minlength=self.many
        )
        found = np.full(self.many, np.inf)
        np.minimum.at(found, self.of[own & quiet], since[own & quiet])
        return np.where((ended == kept) & (body > 0), found, np.inf)

    @cached_property
    def missed(self) -> Mask:
        """Callees that are asked no more, while a caller that fails goes on to ask others."""
        counts = self.any_of(self.traffic_signals)
        asked = self.any_of(self.traffic_signals & ~np.isfinite(self.evidence.ended))
        found = np.zeros(self.many, dtype=bool)
        still = {caller for callee, caller in self.causes if asked[callee] and asked[caller] and self.slow[caller]}
        for callee, caller in self.causes if self.calls else ():
            found[callee] |= counts[callee] and not asked[callee] and caller in still
        return found

    def mean_of_loudest(self, own: Floats, *, most: int = SIGNALS, kept: Mask | None = None) -> Floats:
        """Mean over the few signals of each component where a quantity is largest: (components,)."""
        at = np.arange(len(own)) if kept is None else np.flatnonzero(kept)
        order = at[np.lexsort((-own[at], self.of[at]))]
        of = self.of[order]
        top = np.arange(len(of)) - np.searchsorted(of, of) < most
        count = np.bincount(of[top], minlength=self.many)
        return np.bincount(of[top], own[order][top], minlength=self.many) / np.maximum(count, 1)

    @cached_property
    def onsets(self) -> Floats:
        """Position of the first failing sample outside of each component's loud signals; infinite where none is."""
        own = self.sizes_of_signals()
        largest = np.zeros(self.many)
        np.maximum.at(largest, self.of, own)
        found = np.full(self.many, np.inf)
        loud = own >= LOUD_PART * largest[self.of]
        np.minimum.at(found, self.of[loud], self.dated[loud])
        return np.asarray(np.minimum(found, self.gone))

    def lateness(self, sizes: Floats) -> Floats:
        """Samples after the first of the large components, a sample being no difference."""
        large = (sizes >= LOUD_PART * sizes.max(initial=0.0)) & (self._own >= BEYOND_PART * self._own.max(initial=0.0))
        first = self.onsets[large].min(initial=np.inf)
        late = np.where(
            np.isfinite(self.onsets), self.onsets - (first if np.isfinite(first) else 0.0) - 1, self.samples
        )
        late[list(self.silent.unheard)] = 0.0
        return np.clip(late, 0.0, self.samples)

    @cached_property
    def silent(self) -> SilentCallees:
        """Callees that show nothing, and whose callers wait for them."""
        return SilentCallees(systems=self)

    # -- what can have brought what --------------------------------------------------------------------------------

    @cached_property
    def out(self) -> Mask:
        """Components with a signal that went farther than it ever did, or that ended."""
        return np.isfinite(self.gone) | self.any_of(self.far)

    @cached_property
    def far(self) -> Mask:
        """Signals that went farther than they ever did in normal times."""
        return np.asarray((self.sizes_of_signals() >= np.log1p(OUT)) & (self.beyond > FARTHER))

    @cached_property
    def amounts(self) -> dict[str, tuple[Floats, Floats]]:
        """Metric → how far it surely went in each component, and how far it went, in its unit; NaN without it."""
        bad = {metric for metric, side in zip(self.metrics, self.evidence.bad, strict=True) if side}
        wanted = {self.alarm} if self.alarming.any() else bad
        went = self.evidence.amounts()
        surely = np.maximum(went - BEYOND * self.evidence.scale(), 0.0)
        found = {}
        for metric in sorted(name for name in wanted if name is not None):
            at = np.array([one == metric for one in self.metrics], dtype=bool)
            found[metric] = both = (np.full(self.many, np.nan), np.full(self.many, np.nan))
            for side, values in zip(both, (surely, went), strict=True):
                side[self.of[at]] = values[at]
        return found

    def part(self, cause: int, effect: int) -> float:
        """Part of an effect's departure that a cause can have brought, by amounts of a metric that both have."""
        if not self.calls or np.isfinite(self.gone[cause]):
            return 1.0
        told = []
        for metric, (surely, went) in self.amounts.items():
            if np.isnan(surely[cause]) or np.isnan(went[effect]):
                continue
            calls = self.calls_of(cause, effect) if LATENCY.search(metric) else 1.0
            calls = 1.0 if np.isnan(calls) else float(np.clip(calls, *CALLS))
            calls = max(calls, 1.0) if QUANTILE.search(metric) else calls
            told.append(1.0 if went[effect] <= 0 else min(1.0, surely[cause] * calls / went[effect]))
        return max(told, default=1.0)

    def calls_of(self, cause: int, effect: int) -> float:
        """Calls of a callee for each request of its caller, as far as traffic of one kind tells; else NaN."""
        one, other = self.traffic.get(cause, {}), self.traffic.get(effect, {})
        both = [what for what in one if one[what] > 0 and other.get(what, 0) > 0]
        return float(one[both[0]] / other[both[0]]) if both else np.nan

    @cached_property
    def links(self) -> dict[tuple[int, int], float]:
        """Cause and effect → part of the effect that the cause can have brought, by amount and time."""
        dies = np.isfinite(self.gone) & self.calls
        found = {
            (cause, effect): min(1.0, self.part(cause, effect) * float(np.exp(self._ahead(cause, effect))))
            * (SELDOM if dies[effect] else 1.0)
            for cause, effect in self.causes
            if self.out[cause]
        }
        return found | self._surges() | self.silent.links

    def _surges(self) -> dict[tuple[int, int], float]:
        """Links down the calls where a callee is asked more since its caller is, as by tries anew: by who grew most."""
        found, more = {}, self._more
        for callee, caller in self.causes if self.calls else ():
            if min(more[[callee, caller]]) > SURGE:
                one, other = np.minimum(self.onsets[[caller, callee]], self.samples)
                part = ASKED * min(1.0, (more[caller] / more[callee]) ** STEEP)
                found[caller, callee] = part * float(np.exp(-max(one - other - 1, 0.0)))
        return found

    @cached_property
    def _more(self) -> Floats:
        """Logarithm of the factor by which the traffic of components surely grew."""
        level, mean = self.evidence.steps[2], self.evidence.mean
        known = self.traffic_signals & self.far & (mean > 0) & (level > mean)
        found = np.zeros(self.many)
        np.maximum.at(found, self.of[known], np.log(level[known] / mean[known]))
        return found

    def _ahead(self, cause: int, effect: int) -> float:
        """Logarithm of the factor that time brings: queues and retries grow in what came before, nothing goes back."""
        cause_at, effect_at = np.minimum(self.onsets[[cause, effect]], self.samples)
        return AMPLIFIED if cause_at < effect_at - 1 else -max(float(cause_at - effect_at) - 1, 0.0)

    def _past_guards(self) -> dict[tuple[int, int], float]:
        """Links past a component that stayed in its range, where the cause was out before the effect."""
        above: dict[int, set[int]] = {}
        for cause, effect in self.causes:
            above.setdefault(effect, set()).add(cause)
        return {
            (cause, effect): PAST
            for effect, near in above.items()
            for guard in near
            if self.out[effect] and not self.out[guard]
            for cause in above.get(guard, set()) - near - {effect}
            if self.out[cause] and self.onsets[cause] < self.onsets[effect] - 1
        }

    @cached_property
    def slow(self) -> Mask:
        """Components of which a signal of quality is far out."""
        return self.any_of(self.far & (self.evidence.bad != 0))

    def any_of(self, signals: Mask) -> Mask:
        """Components that have one of some signals."""
        return np.bincount(self.of[signals], minlength=self.many) > 0

    @cached_property
    def reached(self) -> Floats:
        """Part of each component's departure that another brings along the best way: (origins, components)."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import dijkstra

        known = [one for one in sorted((self._past_guards() | self.links).items()) if one[1] > 1e-6]
        if not known:
            return np.eye(self.many)
        rows, columns = np.array([pair for pair, _ in known]).T
        cost = -np.log(np.array([strength for _, strength in known])) + 1e-9
        far = dijkstra(coo_array((cost, (rows, columns)), shape=(self.many, self.many)).tocsr())
        return np.asarray(np.exp(-far))

    # -- the score ---------------------------------------------------------------------------------------------------

    def scores(self, reading: Reading = RULE) -> Floats:
        """Score of each component as the origin; its own size counts half by its scale, half by its normal blocks."""
        sizes = self.sizes(reading)
        own = (sizes + np.minimum(sizes, self._own)) / 2
        return (
            own
            - reading.late * np.log1p(self.lateness(sizes))
            + reading.graph * self._brought
            + self.silent.support / SHARPNESS
        )

    @cached_property
    def posterior(self) -> Floats:
        """Probability of each component to be the origin, given that one is: the mean over readings."""
        found = np.zeros(self.many)
        for reading in READINGS:
            score = SHARPNESS * self.scores(reading)
            odds = np.exp(score - score.max())
            found += odds / odds.sum()
        found /= len(READINGS)
        found = self._by_growth(found)
        waited = self.silent.waited
        return np.asarray(found - found * waited.sum(axis=0) + waited @ found)

    def _by_growth(self, posterior: Floats) -> Floats:
        """Posterior of the components that only latencies speak for, weighed by the factors these grew by.

        Seconds that are added somewhere are a smaller part of what each caller takes on the way. What all such
        components have together stays as it is, and so does all where a graph is known.
        """
        if self.causes:  # then amounts along the graph tell it
            return posterior
        alone = ~self.any_of(self.resources & self.far) & ~np.isfinite(self.gone)
        weighed = np.where(alone, posterior * np.exp(GROWTH * self.growth), 0.0)
        together = posterior[alone].sum() / max(weighed.sum(), 1e-300)
        return np.where(alone, weighed * together, posterior)

    @cached_property
    def growth(self) -> Floats:
        """Logarithm of the factor by which the mean latency of each component grew: half its most, half of a few."""
        before, after = np.maximum(self.evidence.mean, 0.0), np.maximum(self.evidence.average, 0.0)
        known = self.latencies & (self.evidence.bad > 0) & (before > 0) & (after > before)
        grown = np.log(np.where(known, after, 1.0) / np.where(known, before, 1.0))
        most, few = (self.mean_of_loudest(grown, most=many, kept=self.latencies) for many in (1, SIGNALS))
        return (most + few) / 2

    @cached_property
    def probability(self) -> Floats:
        """How often each is the origin, as counted: the first by its posterior and what it went beyond all others.

        What is left is the others', in parts as their posterior.
        """
        found = np.round(self.posterior, 6)
        first = int(found.argmax())
        odds = np.clip(np.log(found[first] + 1e-9) - np.log(1 - found[first] + 1e-9), -EXTREME, EXTREME)
        told = self.calls and self.causes and self.out[first]
        apart = self._own[first] - np.delete(self._own, first).max(initial=0.0) if told else 0.0
        said = 1 / (1 + np.exp(-SURER - FLATTER * odds - APART * np.clip(apart, -FARTHEST, FARTHEST)))
        found[first], rest = 0.0, max(1 - found[first], 1e-9)
        second = found.max() / rest
        found *= (1 - max(said, second / (1 + second))) / rest
        found[first] = max(said, second / (1 + second))
        return np.round(found, 6)

    @cached_property
    def latencies(self) -> Mask:
        """Signals that add up along calls."""
        return np.array([LATENCY.search(metric) is not None for metric in self.metrics], dtype=bool)

    @property
    def resources(self) -> Mask:
        """Signals of what a component has to itself."""
        return np.asarray((self.evidence.bad == 0) & ~self.traffic_signals)
