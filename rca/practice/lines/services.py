"""Service graphs: requests that call other services, wait, fail and are tried again, and what of them is measured."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rca.arrays import Floats
from rca.practice.lines.clock import Clock, Fault, course_of

REQUESTS = 40
"""Requests a sample that latencies are read from."""

FULL = 0.95
"""Utilisation that a queue is held at."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A callee by position: the share of requests that call it, how often, whether its errors come through."""

    caller: int
    callee: int
    share: float
    times: float
    passes: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Services:
    """A graph of services; callers stand before callees, the entry first.

    Attributes
    ----------
    own, busy : ndarray of shape (services,)
        Usual own seconds of a request, and usual utilisation.
    replicas : ndarray of int
    fan_out : ndarray of bool
        Whether callees are asked at once; else one after another.
    rate : float
        Requests a second at the entry.
    retries : float
        How often a failed call is tried again.
    metrics : tuple of str
        What is measured.
    bursts : float
        Standard deviation of the logarithm of traffic from sample to sample, that all share, and twice that of the
        logarithm of seconds; where it is above 0, few requests a sample pass, and memory grows by steps.
    """

    names: tuple[str, ...]
    calls: tuple[Call, ...]
    own: Floats
    busy: Floats
    replicas: Floats
    fan_out: Floats
    rate: float
    retries: float
    metrics: tuple[str, ...]
    bursts: float = 0.0

    @property
    def edges(self) -> list[tuple[str, str]]:
        """Caller and callee."""
        return [(self.names[one.caller], self.names[one.callee]) for one in self.calls]

    def callers(self, name: str) -> list[str]:
        """Who calls a service."""
        return [caller for caller, callee in self.edges if callee == name]

    def play(self, rng: np.random.Generator, clock: Clock, fault: Fault | None) -> dict[str, Floats]:
        """All signals, sample by sample; the same generator gives the same noise whatever the fault."""
        return _Play.of(self, rng, clock=clock, fault=fault).signals()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Play:
    """One run: noise, errors, requests a second and seconds of requests, each by service."""

    of_: Services
    clock: Clock
    fault: Fault | None
    rng: np.random.Generator
    noise: Floats
    errors: Floats
    rates: Floats
    seconds: Floats
    waited: Floats

    @classmethod
    def of(cls, services: Services, rng: np.random.Generator, *, clock: Clock, fault: Fault | None) -> "_Play":
        many, samples = len(services.names), clock.samples
        blank = np.zeros((many, samples))
        play = cls(
            of_=services, clock=clock, fault=fault, rng=rng, noise=clock.noise(rng, 5 * many), errors=blank,
            rates=blank, seconds=np.zeros((many, samples, REQUESTS), dtype=np.float32),
            waited=np.zeros((many, samples, REQUESTS), dtype=np.float32),
        )  # fmt: skip
        play = replace(play, errors=play.draw_errors())
        play = replace(play, rates=play.draw_rates())
        play.fill()
        return play

    @property
    def origin(self) -> int:
        """Position of the service that fails; -1 where none does."""
        return self.of_.names.index(self.fault.origin) if self.fault is not None else -1

    def draw_errors(self) -> Floats:
        """Share of requests that fail, with what comes through from callees."""
        many, samples = self.noise.shape[0] // 5, self.clock.samples
        found = np.full((many, samples), 0.0005)
        if self.fault is not None:
            wrong = course_of(self.fault, samples, "wrong") * min(0.9, self.fault.share)
            found[self.origin] += wrong + course_of(self.fault, samples, "crash") * 0.98
        for call in reversed(self.of_.calls):
            found[call.caller] = 1 - (1 - found[call.caller]) * (1 - call.share * call.passes * found[call.callee])
        return found

    def draw_rates(self) -> Floats:
        """Requests a second."""
        found = np.zeros_like(self.errors)
        found[0] = self.of_.rate * self.clock.daily() * np.exp(max(0.1, self.of_.bursts) * self.noise[0])
        for call in self.of_.calls:
            again = 1 + self.of_.retries * self.errors[call.callee]
            found[call.callee] += found[call.caller] * call.share * call.times * again
        return found

    def _slow(self, at: int, drawn: npt.NDArray[np.float32]) -> Floats:
        """How many times as long a request takes by the fault: (samples, requests)."""
        if at != self.origin or self.fault is None:
            return np.ones((1, 1))
        samples = self.clock.samples
        course = course_of(self.fault, samples, "load", "configuration", "wear")
        course = course + course_of(self.fault, samples, "leak") ** 3
        return np.asarray(1 + self.fault.height * course[:, None] * (drawn < self.fault.share))

    def fill(self) -> None:
        """Seconds of requests, callees before callers."""
        by_caller: dict[int, list[Call]] = {}
        for call in self.of_.calls:
            by_caller.setdefault(call.caller, []).append(call)
        many, shape = len(self.of_.names), (self.clock.samples, REQUESTS)
        for at in reversed(range(many)):
            own = self.of_.own[at] * np.exp(
                0.5 * self.rng.standard_normal(shape, dtype=np.float32)
                + max(0.08, self.of_.bursts / 2) * self.noise[many + at][:, None]
            )
            slow = self._slow(at, self.rng.random(shape, dtype=np.float32))
            usual = self.rates[at, : self.clock.normal].mean()
            full = np.minimum(self.of_.busy[at] * self.rates[at] / max(usual, 1e-9) * slow.mean(axis=1), FULL)
            total = own * slow * ((1 - self.of_.busy[at]) / (1 - full))[:, None]
            below = [self._called(call, shape) for call in by_caller.get(at, [])]
            if below:
                self.waited[at] = np.maximum.reduce(below) if self.of_.fan_out[at] else np.sum(below, axis=0)
                total = total + self.waited[at]
            self.seconds[at] = total

    def _called(self, call: Call, shape: tuple[int, int]) -> Floats:
        """Seconds that a caller's requests spend on one callee."""
        asked = self.rng.random(shape, dtype=np.float32) < call.share
        late = self.seconds[call.callee][:, self.rng.permutation(REQUESTS)]
        names, fault = self.of_.names, self.fault
        if fault is not None and call.callee == self.origin and fault.caller in (None, names[call.caller]):
            course = course_of(fault, shape[0], "delay", "crash")
            late = late + (course * fault.height * self.of_.own[call.callee])[:, None]
        return np.asarray(asked * call.times * late)

    def signals(self) -> dict[str, Floats]:
        """What is measured of each service."""
        found: dict[str, Floats] = {}
        for at, name in enumerate(self.of_.names):
            for metric in self.of_.metrics:
                values = self._measured(at, metric)
                if self.fault is not None and self.fault.kind == "crash" and at == self.origin:
                    dead = self.fault.course(self.clock.samples) > 0
                    values = np.where(dead, np.nan if self.fault.share > 0.5 else 0.0, values)
                found[f"{name}|{metric}"] = values
        return found

    def _measured(self, at: int, metric: str) -> Floats:
        many, count = len(self.of_.names), np.maximum(self.rates[at] * self.clock.step, 1.0)
        busy = self.of_.busy[at] * self.rates[at] / max(self.rates[at, : self.clock.normal].mean(), 1e-9)
        if metric.startswith("latency_"):
            whose, _, level = metric.removeprefix("latency_").rpartition("p")
            seconds = self.waited[at] if whose == "client_" else self.seconds[at]
            few = np.ceil(count / 4) if self.of_.bursts else np.full(len(count), REQUESTS)
            return _quantile(seconds, few, float(level) / 100)
        if metric == "latency":
            return np.asarray(self.seconds[at].mean(axis=1))
        if metric.startswith("requests"):
            drawn = count + np.sqrt(count) * self.noise[2 * many + at]
            return np.asarray(np.cumsum(np.maximum(drawn, 0)) if metric == "requests_total" else np.maximum(drawn, 0))
        if metric in ("success_rate", "errors"):
            wrong = (
                self.errors[at] + np.sqrt(self.errors[at] * (1 - self.errors[at]) / count) * self.noise[3 * many + at]
            )
            wrong = np.floor(np.clip(wrong, 0, 1) * count + 0.2) / count
            return np.asarray(1 - wrong if metric == "success_rate" else wrong * count)
        course, height = course_of(self.fault, self.clock.samples, "load", "leak"), 0.0
        if self.fault is not None and at == self.origin:
            height = self.fault.height
        if metric.startswith("memory"):
            grown = course * height * (self.fault is not None and self.fault.kind == "leak")
            stray = 0.01 * self.noise[4 * many + at]
            if self.of_.bursts:
                stray = 0.01 * np.cumsum(np.maximum(self.noise[4 * many + at] - 1.5, 0.0))
            return np.asarray((200 + 300 * self.of_.own[at] % 1) * (1 + stray + 0.5 * grown))
        hog = course * height * (self.fault is not None and self.fault.kind == "load")
        return np.asarray(np.maximum(busy * (1 + 0.1 * self.noise[4 * many + at]) + 0.5 * hog * self.of_.busy[at], 0.0))


def _quantile(seconds: Floats, few: Floats, level: float) -> Floats:
    """Quantile of as many requests of each sample as passed."""
    passed = np.arange(seconds.shape[1]) < np.clip(few, 1, seconds.shape[1])[:, None]
    ordered = np.sort(np.where(passed, seconds, np.inf), axis=1)
    place = level * (passed.sum(axis=1) - 1)
    low = np.floor(place).astype(int)
    one, other = (
        np.take_along_axis(ordered, np.minimum(at, passed.sum(axis=1) - 1)[:, None], axis=1)[:, 0]
        for at in (low, low + 1)
    )
    return np.asarray(one + (place - low) * (other - one), dtype=float)


METRICS = (
    ("latency", "requests", "success_rate"),
    ("latency_p50", "latency_p90", "latency_p99", "success_rate", "requests", "cpu", "memory"),
    ("latency_p95", "requests_total", "errors", "cpu", "memory"),
    ("latency", "cpu", "memory"),
    ("latency_p90", "latency_p95", "cpu", "memory", "requests"),
)
"""What monitoring has of a service, one of these."""

OF_PODS = (
    *(f"latency_{whose}_p{level}" for whose in ("client", "server") for level in (90, 95, 99)),
    "cpu", "cpu_share", "memory", "memory_share", "requests",
)  # fmt: skip
"""What monitoring has of a pod: much of it told twice."""


def services(rng: np.random.Generator, structure: str) -> Services:
    """Draw a graph of services: a shop (few layers), a mesh, a hub that all call, a pipeline; or pods with little
    traffic in bursts, watched once in a while.
    """
    median = {"mesh": 60, "pipeline": 9}.get(structure, 13)
    many = int(np.clip(rng.lognormal(np.log(median), 0.5), 5, 200))
    calls = []
    for at in range(1, many):
        callers = _callers(rng, structure, at)
        calls += [
            Call(
                caller=caller, callee=at, share=float(rng.choice([1.0, rng.uniform(0.3, 0.9), rng.uniform(0.05, 0.3)])),
                times=float(rng.choice([1, 1, 1, 2, 4])), passes=float(rng.choice([1.0, 1.0, 0.5, 0.0])),
            )
            for caller in callers
        ]  # fmt: skip
    calls.sort(key=lambda one: (one.caller, one.callee))
    return Services(
        names=tuple(f"s{place:03}" for place in rng.permutation(many)),
        calls=tuple(calls),
        own=10 ** rng.uniform(-2.5, -0.7, many),
        busy=rng.uniform(0.1, 0.6, many),
        replicas=rng.integers(1, 5, many).astype(float),
        fan_out=(rng.random(many) < 0.4).astype(float),
        rate=float(10 ** rng.uniform(0.3, 2.5)),
        retries=float(rng.choice([0, 0, 1, 2])),
        metrics=METRICS[int(rng.integers(len(METRICS)))] if structure != "pods" else OF_PODS,
        bursts=float(rng.uniform(0.3, 1.2)) if structure == "pods" else 0.0,
    )


def _callers(rng: np.random.Generator, structure: str, at: int) -> list[int]:
    if structure == "pipeline":
        return [at - 1]
    if structure == "hub" and at > 3:
        return [1, 2, 3][: int(rng.integers(1, 4))] if rng.random() < 0.4 else [int(rng.integers(at))]
    low = max(0, at - 25) if structure == "mesh" else 0
    some = min(at - low, 1 + int(rng.random() < 0.4) + int(rng.random() < 0.15))
    return sorted(int(one) for one in rng.choice(np.arange(low, at), some, replace=False))
