"""Draw a line from its seed: a structure, what goes wrong in it, what else happens, and what of it is handed over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from rca.arrays import Floats
from rca.errors import InvalidCase
from rca.practice.grammar.families import FIRST_JUDGED, Part
from rca.practice.lines.clock import Clock, Fault, FaultKind
from rca.practice.lines.plants import Plant, plant
from rca.practice.lines.services import Services, services
from rca.record.schema.incident import Signals

Kind = Literal["causal", "calls"]

STRUCTURES: dict[str, Literal["services", "plant", "servers"]] = {
    "shop": "services", "mesh": "services", "hub": "services", "pipeline": "services",
    "pods": "services", "line": "plant", "recycle": "plant", "server": "servers", "racks": "servers",
}  # fmt: skip
"""Structures that lines are drawn from."""

JUDGED_STRUCTURES = ("hub", "pipeline", "recycle", "racks")
"""Structures that only judging draws from."""

TRIED_STRUCTURES = ("pods",)
"""Structures that only trying draws from: they were added after judging was fixed."""

JUDGED_SHARE = 0.6
"""How often judging draws from its own structures; else from the others."""

FAULTS: dict[str, tuple[FaultKind, ...]] = {
    "services": ("load", "leak", "delay", "wrong", "crash", "configuration", "wear"),
    "plant": ("configuration", "sensor", "wear", "leak"),
    "servers": ("load", "leak", "configuration", "wear", "sensor"),
}
"""What can go wrong, by the world."""

SLOW = ("leak", "wear")
"""Faults that come by and by."""

QUIET = 0.2
"""Share of windows in which nothing goes wrong."""

ASKED = 6.0
"""Standard deviations by which an origin has to leave its range, to be asked for."""

START = pd.Timestamp("2026-03-02", tz="UTC")


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """A line that was drawn, and its truth.

    Attributes
    ----------
    seed : int
    part : Part
    structure : str
    fault : str
        What goes wrong; `quiet` where nothing does.
    table : pandas.DataFrame
        A column `time`, then one a signal.
    signals : Signals
    edges : list of (str, str)
        What is handed over of the graph; empty where nothing is.
    kind : {'causal', 'calls'}
    origin : str or None
    z : float
        By how many standard deviations of normal times the fault alone moves the origin's loudest signal, or of a
        delay its callers': the second largest sample, of the same noise without the fault taken off.
    alarmed : bool
        Whether the alarm is handed over.
    """

    seed: int
    part: Part
    structure: str
    fault: str
    table: pd.DataFrame
    signals: Signals
    edges: list[tuple[str, str]]
    kind: Kind
    origin: str | None
    z: float
    alarmed: bool


def draw(seed: int, part: Part = "trying", *, fault: str | None = None) -> Line:
    """Draw a line; the same seed gives the same line.

    Parameters
    ----------
    seed : int
        Below `FIRST_JUDGED` for trying, from there on for judging.
    part : {'trying', 'judging'}
    fault : str, optional
        What goes wrong, where it is not to be drawn; `quiet` for nothing.

    Raises
    ------
    InvalidCase
        If the seed belongs to the other part, or there is no such fault.

    Examples
    --------
    >>> draw(3).table.equals(draw(3).table)
    True
    """
    if (seed >= FIRST_JUDGED) != (part == "judging"):
        hint = f"seeds from {FIRST_JUDGED} on are judging, those below are trying"
        raise InvalidCase.because(f"seed {seed} is not of the part {part!r}", place="seed", hint=hint)
    if fault is not None and fault not in get_args(FaultKind):
        raise InvalidCase.because(f"no fault {fault!r}", place="fault", hint=", ".join(get_args(FaultKind)))
    rng = np.random.default_rng([seed, 17])
    while True:
        structure = _structure(rng, part)
        kinds = FAULTS[STRUCTURES[structure]]
        if fault in (None, "quiet", *kinds):
            break
    chosen = fault or ("quiet" if rng.random() < QUIET else str(rng.choice(kinds)))
    world = services(rng, structure) if STRUCTURES[structure] == "services" else plant(rng, structure)
    clock = _clock(rng, structure)
    broken = _fault(rng, world, clock=clock, kind=chosen) if chosen != "quiet" else None
    return _line(rng, world, clock, fault=broken, told=(seed, part, structure))


def _structure(rng: np.random.Generator, part: Part) -> str:
    own = part == "judging" and rng.random() < JUDGED_SHARE
    some = [name for name in STRUCTURES if (name in JUDGED_STRUCTURES) == own]
    return str(rng.choice([name for name in some if part == "trying" or name not in TRIED_STRUCTURES]))


def _clock(rng: np.random.Generator, structure: str) -> Clock:
    """From some dozens of samples to some hundreds, seconds or minutes apart; of pods few."""
    if structure == "pods":
        few = {"normal": int(rng.integers(40, 100)), "failing": int(rng.integers(3, 9))}
        return Clock(**few, step=int(rng.choice([15, 60, 300])), memory=float(rng.choice([0.0, 0.3])))
    normal = int(np.clip(rng.lognormal(np.log(180), 0.8), 24, 900))
    return Clock(
        normal=normal,
        failing=int(np.clip(rng.lognormal(np.log(40), 0.9), 4, min(300, 1.2 * normal))),
        step=int(rng.choice([1, 5, 10, 15, 60, 300])),
        memory=float(rng.choice([0.0, 0.3, 0.6, 0.9])),
        season=float(rng.choice([0.0, 0.0, 0.3])),
    )


def _fault(rng: np.random.Generator, world: Services | Plant, *, clock: Clock, kind: str) -> Fault:
    names = list(world.names)
    called = {callee for _, callee in world.edges}
    if kind in ("delay", "wrong", "crash") and isinstance(world, Services):
        names = [name for name in names if name in called]
    origin = str(rng.choice(names))
    start = clock.normal + int(rng.integers(0, max(1, clock.failing // 4)))
    left = clock.normal + clock.failing - start
    rise = int(left * rng.uniform(0.5, 1)) if kind in SLOW else int(min(left, rng.choice([1, 1, 2, 6])))
    height = float(np.exp(rng.uniform(np.log(0.6), np.log(12)))) * (1 if isinstance(world, Services) else 3)
    callers, share = world.callers(origin), 1.0
    if kind == "delay":
        height *= float(rng.uniform(2, 20))
    if isinstance(world, Services) and kind != "crash":
        share = float(rng.choice([1.0, 1 / world.replicas[world.names.index(origin)], rng.uniform(0.1, 0.9)]))
    if kind == "crash":
        share = float(rng.random())  # above a half it falls silent, below it reports zeros
    alone = str(rng.choice(sorted(callers))) if callers and rng.random() < 0.3 else None
    return Fault(
        kind=kind, origin=origin, start=start, rise=max(rise, 1), height=height, share=share,  # type: ignore[arg-type]
        caller=alone if kind == "delay" else None,
    )  # fmt: skip


def _line(
    rng: np.random.Generator, world: Services | Plant, clock: Clock, *, fault: Fault | None, told: tuple[int, Part, str]
) -> Line:
    """Play with the fault and without, on the same noise, and hand over what is measured."""
    seed, part, structure = told
    after, before = (world.play(np.random.default_rng([seed, 5]), clock, one) for one in (fault, None))
    moved = {name: _moved(after[name], before[name], clock) for name in after}
    table = _measured(rng, after, clock) | _others(rng, moved, clock)
    target, bad = _alarm(rng, world, moved, quiet=fault is None), {}
    if isinstance(world, Services):
        bad = {metric: "down" if metric == "success_rate" else "up" for metric in world.metrics if _is_quality(metric)}
    at = START + pd.to_timedelta(np.arange(clock.samples) * clock.step, unit="s")
    window = {"from": at[clock.normal].isoformat(), "to": at[-1].isoformat()}
    return Line(
        seed=seed, part=part, structure=structure, fault=fault.kind if fault is not None else "quiet",
        table=pd.DataFrame({"time": at, **table}),
        signals=Signals.model_validate({"path": "s.parquet", "target": target, "bad": bad, **window}),
        edges=_handed(rng, world), kind="calls" if isinstance(world, Services) else "causal",
        origin=fault.origin if fault is not None else None, z=_z(world, fault, moved), alarmed=target is not None,
    )  # fmt: skip


def _is_quality(metric: str) -> bool:
    return metric.startswith(("latency", "success", "errors"))


def _moved(after: Floats, before: Floats, clock: Clock) -> float:
    """The fault's effect on a signal in standard deviations of its normal samples: the second largest sample."""
    n = clock.normal
    if np.isnan(after[n:]).any():
        return 10.0
    spread = float(np.std(before[:n] if before[n] < 3 * before[0] + 1 else np.diff(before[:n])))
    apart = np.sort(np.abs(after[n:] - before[n:]))[-2:][0]
    return float(apart / spread) if spread > 0 else 10.0 * float(apart > 0)


def _z(world: Services | Plant, fault: Fault | None, moved: Mapping[str, float]) -> float:
    if fault is None:
        return 0.0
    shown = {fault.origin, *(world.callers(fault.origin) if fault.kind == "delay" else ())}
    return max(z for name, z in moved.items() if name.partition("|")[0] in shown)


def _measured(rng: np.random.Generator, signals: Mapping[str, Floats], clock: Clock) -> dict[str, Floats]:
    """Averages over some samples, gaps, few digits, rare blips in normal times too."""
    over = int(rng.choice([1, 1, 1, 3, 8]))
    gaps, digits = float(rng.choice([0.0, 0.0, 0.03])), rng.random() < 0.2
    found = {}
    for name, exact in signals.items():
        blips = 8 * np.nanstd(exact[: clock.normal]) * rng.exponential(1, clock.samples) * (rng.random() < 0.15)
        blips *= (rng.random(clock.samples) < 2 / clock.samples) & (not name.endswith("_total"))
        shown = pd.Series(exact + blips).rolling(over, min_periods=1).mean().to_numpy(float)
        shown = np.where((rng.random(clock.samples) < gaps) | np.isnan(exact), np.nan, shown)
        found[name] = np.round(shown, 3) if digits else shown
    return found


def _others(rng: np.random.Generator, moved: Mapping[str, float], clock: Clock) -> dict[str, Floats]:
    """What is no cause: a monitor that counts afterwards and was always zero, and one that moves by itself."""
    found = {}
    samples, since = np.arange(clock.samples), clock.normal + int(rng.integers(0, clock.failing))
    if rng.random() < 0.3 and max(moved.values()) > 5:
        high = float(10 ** rng.uniform(0, 3))
        found["monitor|alarms"] = np.where(samples > since, high, 0.0) * (samples >= clock.normal)
    if rng.random() < 0.3 and any(moved.values()):
        height, lasts = rng.uniform(3, 15), int(rng.integers(1, max(2, clock.failing // 2)))
        out = (samples >= since) & (samples < since + lasts)
        found["bystander|usage"] = float(10 ** rng.uniform(0, 2)) * (1 + 0.05 * (clock.noise(rng, 1)[0] + height * out))
    return found


def _alarm(rng: np.random.Generator, world: Services | Plant, moved: Mapping[str, float], *, quiet: bool) -> str | None:
    """The entry's loudest signal of quality, or of a plant some loud one; seldom one that kept silent."""
    if rng.random() < 0.3 or (not isinstance(world, Services) and not world.edges):
        return None
    own = [name for name in moved if name.startswith(f"{world.names[0]}|") and _is_quality(name.partition("|")[2])]
    if not isinstance(world, Services):
        own = [name for name in moved if moved[name] > 5] or list(moved)
        return str(rng.choice(sorted(own)))
    loudest = max(own, key=lambda name: (moved[name], name))
    return loudest if quiet or moved[loudest] > 3 or rng.random() < 0.3 else None


def _handed(rng: np.random.Generator, world: Services | Plant) -> list[tuple[str, str]]:
    """The graph as it is on record: whole, with some edges missing, or none."""
    if rng.random() < (0.7 if isinstance(world, Services) and world.bursts else 0.15) or (
        isinstance(world, Plant) and world.shared.any()
    ):
        return []
    missing = float(rng.choice([0.0, 0.0, 0.0, 0.1]))
    return [edge for edge in world.edges if rng.random() >= missing]
