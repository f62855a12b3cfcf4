"""Plants with physical causes and controllers, and servers whose graph nobody knows."""

from dataclasses import dataclass

import numpy as np

from rca.arrays import Floats
from rca.practice.lines.clock import Clock, Fault, course_of

INSTRUMENTS = ("temperature", "pressure", "flow", "level", "power", "speed")

KELVIN = 273.15


@dataclass(frozen=True, kw_only=True, eq=False)
class Plant:
    """Units that act on one another after a while, some held by a controller; or metrics of servers.

    Attributes
    ----------
    gains : ndarray of shape (units, units)
        Effect by cause.
    lags : ndarray of int, shape (units, units)
    slow : ndarray of shape (units,)
        Samples that a unit takes to follow.
    controlled : ndarray of shape (units,)
        How strongly a controller brings a unit back; 0 where there is none.
    shared : ndarray of shape (units,)
        How much each follows the load that all share.
    signals_of : tuple of tuples
        Unit → its signals: metric, level, width, gain.
    """

    names: tuple[str, ...]
    gains: Floats
    lags: Floats
    slow: Floats
    controlled: Floats
    shared: Floats
    signals_of: tuple[tuple[tuple[str, float, float, float], ...], ...]

    @property
    def edges(self) -> list[tuple[str, str]]:
        """Cause and effect."""
        return [(self.names[cause], self.names[effect]) for effect, cause in zip(*np.nonzero(self.gains), strict=True)]

    def callers(self, name: str) -> list[str]:
        """Nobody calls a unit."""
        del name
        return []

    def play(self, rng: np.random.Generator, clock: Clock, fault: Fault | None) -> dict[str, Floats]:
        """All signals, sample by sample."""
        state, valve, reading = self._course(rng, clock, fault)
        found: dict[str, Floats] = {}
        for at, (name, signals) in enumerate(zip(self.names, self.signals_of, strict=True)):
            noise = clock.noise(rng, len(signals))
            for place, (metric, level, width, gain) in enumerate(signals):
                moved = valve[at] if metric == "valve" else state[at]
                wrong = reading[at] if place == 0 else 0.0
                found[f"{name}|{metric}"] = level + width * (gain * moved + wrong + noise[place])
        return found

    def _course(self, rng: np.random.Generator, clock: Clock, fault: Fault | None) -> tuple[Floats, Floats, Floats]:
        """States of units, valves of their controllers, and the error of each first instrument."""
        many, samples = len(self.names), clock.samples
        state, valve, reading = (np.zeros((many, samples)) for _ in range(3))
        push = 0.3 * clock.noise(rng, many) + self.shared[:, None] * (
            clock.noise(rng, 1, memory=0.9) + 10 * (clock.daily() - 1)
        )
        if fault is not None:
            at = self.names.index(fault.origin)
            course = fault.height * course_of(fault, samples, "load", "leak", "configuration", "wear")
            push[at] += course
            reading[at] = fault.height * course_of(fault, samples, "sensor")
        causes = [(effect, cause) for effect, cause in zip(*np.nonzero(self.gains), strict=True)]
        deep = int(self.lags.max(initial=0)) + 1
        for now in range(deep, samples):
            inflow = push[:, now].copy()
            for effect, cause in causes:
                inflow[effect] += self.gains[effect, cause] * state[cause, now - int(self.lags[effect, cause])]
            shown = state[:, now - 1] + reading[:, now - 1]
            valve[:, now] = valve[:, now - 1] + 0.15 * self.controlled * shown
            state[:, now] = state[:, now - 1] + (inflow - valve[:, now] - state[:, now - 1]) / self.slow
        return state, valve, reading


def plant(rng: np.random.Generator, structure: str) -> Plant:
    """Draw a plant (a line of units, or one with recycle), or servers (one, or racks of them)."""
    server = structure in ("server", "racks")
    many = int(np.clip(rng.lognormal(np.log(18 if structure == "server" else 10), 0.4), 5, 60))
    gains, lags = np.zeros((many, many)), np.zeros((many, many))
    for effect in range(1, many):
        if server and rng.random() < 0.6:
            continue
        for cause in rng.choice(effect, min(effect, 1 + int(rng.random() < 0.3)), replace=False):
            gains[effect, cause] = rng.uniform(0.5, 1.8) * rng.choice([-1, 1])
            lags[effect, cause] = rng.integers(0, 3 if server else 7)
    if structure == "recycle":
        gains[0, many - 1], lags[0, many - 1] = rng.uniform(-0.4, 0.4), rng.integers(1, 8)
    return Plant(
        names=tuple(f"u{place:02}" for place in rng.permutation(many)),
        gains=gains,
        lags=lags,
        slow=rng.uniform(1, 4 if server else 12, many),
        controlled=rng.choice([0.0, 0.0, 0.3, 1.0], many) * (not server),
        shared=rng.uniform(0, 1.5, many) * (rng.random(many) < 0.7) * server,
        signals_of=tuple(_signals(rng, structure, at) for at in range(many)),
    )


def _signals(rng: np.random.Generator, structure: str, at: int) -> tuple[tuple[str, float, float, float], ...]:
    """Metric, level, width and gain of each signal of a unit."""
    some = 1 if structure == "server" else int(rng.integers(1, 4))
    names = [f"m{at}_{place}" for place in range(some)]
    if structure in ("line", "recycle"):
        names = [*(str(one) for one in rng.choice(INSTRUMENTS, some, replace=False)), "valve"]
    found = []
    for name in names:
        level = float(10 ** rng.uniform(-1, 3))
        width = level * 10 ** rng.uniform(-2.3, -0.8)
        zero = KELVIN * (name == "temperature" and rng.random() < 0.5)
        found.append((name, level + zero, width, float(rng.lognormal(0, 0.8))))
    return tuple(found)
