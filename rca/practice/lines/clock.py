"""Time, noise and faults that all worlds of lines share."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.signal import lfilter

from rca.arrays import Floats

FaultKind = Literal["load", "leak", "delay", "wrong", "crash", "configuration", "sensor", "wear", "quiet"]

DAY = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Samples of a line: how many before and during the failure, seconds apart."""

    normal: int
    failing: int
    step: int
    memory: float = 0.3
    season: float = 0.0

    @property
    def samples(self) -> int:
        """Normal and failing ones."""
        return self.normal + self.failing

    def daily(self) -> Floats:
        """The season of the day, about 1."""
        return np.asarray(1 + self.season * np.sin(2 * np.pi * np.arange(self.samples) * self.step / DAY))

    def noise(self, rng: np.random.Generator, many: int, *, memory: float | None = None) -> Floats:
        """AR(1) noise of unit variance with heavy-ish tails: (many, samples)."""
        memory = self.memory if memory is None else memory
        raw = rng.standard_t(8, (many, self.samples)) * np.sqrt(0.75 * (1 - memory**2))
        return np.asarray(lfilter([1.0], [1.0, -memory], raw, axis=1), dtype=float)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong in one component: from a sample on, rising over some, so high, in a share of what passes.

    Attributes
    ----------
    caller : str or None
        Of a delay: the one caller whose calls are delayed; None where all are.
    """

    kind: FaultKind
    origin: str
    start: int
    rise: int = 1
    height: float = 1.0
    share: float = 1.0
    caller: str | None = None

    def course(self, samples: int) -> Floats:
        """From 0 to 1: (samples,)."""
        return np.asarray(np.clip((np.arange(samples) - self.start + 1) / self.rise, 0.0, 1.0))


def course_of(fault: Fault | None, samples: int, *kinds: FaultKind) -> Floats:
    """The fault's course where it is of these kinds; else zeros."""
    return fault.course(samples) if fault is not None and fault.kind in kinds else np.zeros(samples)
