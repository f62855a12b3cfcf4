"""How a column breaks: each fault maps the values of a window to what is served instead; and where and when it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from rca.arrays import Floats, Mask
from rca.practice.grammar.worlds.columns import Kind, World
from rca.practice.grammar.worlds.law import AT, ENTITY

Place = Literal["all", "half", "slice"]
"""Which rows a fault hits, where that is asked for: all, half of them, or a slice."""

NUMERIC: tuple[Kind, ...] = ("number", "heavy", "integer", "daily")

WORDY: tuple[Kind, ...] = ("category", "code")

FILLERS = (-1.0, 0.0, 999.0, -999.0, 9999.0)

UNITS = (100.0, 0.01, 1000.0, 0.001, 2.54, 1.609, 0.4536, 60.0, 10.0, 0.1, 0.3048)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a cause is drawn for: the world, both windows as they truly are, and what the model reads, by gain.

    `place` is which rows a fault has to hit, where that is asked for.
    """

    world: World
    reference: pd.DataFrame
    current: pd.DataFrame
    gains: dict[str, float]
    place: Place | None = None

    @property
    def progress(self) -> Floats:
        """Place of each current row in the window, from 0 to 1, by its time."""
        since = (self.current[AT] - self.current[AT].min()).dt.total_seconds().to_numpy(float)
        return np.asarray(since / max(since.max(), 1.0))

    def read(self, *kinds: Kind) -> list[str]:
        """Columns of some kinds that the model makes use of."""
        return [name for name in self.world.of_kind(*kinds) if self.gains.get(name, 0.0) > 0]

    def important(self, rng: np.random.Generator, *kinds: Kind) -> str | None:
        """One of them, drawn by the root of its gain; None where there is none."""
        names = self.read(*kinds)
        if not names:
            return None
        weight = np.sqrt([self.gains[name] for name in names])
        return str(rng.choice(names, p=weight / weight.sum()))


@dataclass(frozen=True, kw_only=True)
class Broken:
    """What a fault serves in every row, were they all hit: values by column, and the words that name the fault."""

    values: dict[str, Any]
    faults: tuple[str, ...]


Fault = Callable[[np.random.Generator, Setting, str], Broken]


def _numbers(setting: Setting, name: str) -> Floats:
    return np.asarray(setting.current[name].to_numpy(float))


def _usual(setting: Setting, name: str) -> "pd.Series[Any]":
    """The values of the reference that are there."""
    return setting.reference[name].dropna()


def _spread(setting: Setting, name: str) -> float:
    return float(_usual(setting, name).std()) or 1.0


def _alike(setting: Setting, name: str, values: Floats) -> Any:
    """Values in the column's own type: whole numbers stay whole."""
    whole = setting.world.kinds[name] in ("integer", "code")
    return np.round(values).astype(np.int64) if whole and np.isfinite(values).all() else values


def frozen(rng: np.random.Generator, setting: Setting, name: str) -> Broken:
    """One usual value, that was the last one read."""
    usual = _usual(setting, name)
    if setting.world.kinds[name] in WORDY:
        value = usual.iloc[int(rng.integers(len(usual)))]
    else:
        value = usual.sort_values().iloc[int(rng.choice([rng.uniform(0, 0.3), rng.uniform(0.7, 1)]) * (len(usual) - 1))]
    return Broken(values={name: np.full(len(setting.current), value)}, faults=("frozen",))


def default_value(rng: np.random.Generator, setting: Setting, name: str) -> Broken:
    """A filler: a word for nothing, or a number for it."""
    if setting.world.kinds[name] == "category":
        filler: Any = str(rng.choice(["unknown", "n/a", "other"]))
        return Broken(values={name: np.full(len(setting.current), filler, dtype=object)}, faults=("default_value",))
    number = float(rng.choice(FILLERS if setting.world.kinds[name] != "code" else (-1.0, 99.0)))
    usual = float((setting.reference[name] == number).mean()) > 0.01
    values = _alike(setting, name, np.full(len(setting.current), number))
    return Broken(values={name: values}, faults=("default_value", "frozen") if usual else ("default_value",))


def missing(_: np.random.Generator, setting: Setting, name: str) -> Broken:
    """No value."""
    empty = None if setting.world.kinds[name] == "category" else np.nan
    return Broken(values={name: np.full(len(setting.current), empty)}, faults=("missing",))


def scaled(rng: np.random.Generator, setting: Setting, name: str) -> Broken:
    """Another unit."""
    return Broken(values={name: _numbers(setting, name) * float(rng.choice(UNITS))}, faults=("scaled",))


def shifted(rng: np.random.Generator, setting: Setting, name: str) -> Broken:
    """An offset of 0.7 to 2.5 standard deviations."""
    offset = float(rng.choice([-1, 1]) * rng.uniform(0.7, 2.5)) * _spread(setting, name)
    digits = 0 if setting.world.kinds[name] == "integer" else 2
    offset = round(offset, digits) or 1.0
    return Broken(values={name: _alike(setting, name, _numbers(setting, name) + offset)}, faults=("shifted",))


def recoded(rng: np.random.Generator, setting: Setting, name: str) -> Broken:
    """Levels exchanged: all of them, or two of the commonest."""
    levels = setting.reference[name].value_counts().index.to_numpy()
    count = len(levels) if rng.random() < 0.6 else 2
    turned = np.roll(levels[:count], 1) if count == 2 else np.roll(rng.permutation(levels), 1)
    before = levels[:count] if count == 2 else np.roll(turned, -1)
    renamed = dict(zip(before, turned, strict=True))
    return Broken(values={name: _renamed(setting.current[name], renamed)}, faults=("recoded",))


def _renamed(values: "pd.Series[Any]", renamed: dict[Any, Any]) -> Any:
    return values.map(lambda one: renamed.get(one, one)).to_numpy()


def refitted(_: np.random.Generator, setting: Setting, name: str) -> Broken:
    """An encoder fitted anew where one level was absent, so that every later code moves down by one."""
    values = setting.current[name].to_numpy(np.int64)
    absent = absent_code(setting, name)
    return Broken(values={name: np.where(values > absent, values - 1, values)}, faults=("recoded",))


def absent_code(setting: Setting, name: str) -> int:
    """The first code of a column that the current window lacks; -1 where it lacks none."""
    present = set(setting.current[name].astype(int))
    return next((one for one in range(setting.world.levels.get(name, 0)) if one not in present), -1)


def new_values(rng: np.random.Generator, setting: Setting, name: str) -> Broken:
    """Some levels, half the rows at least, written as they never were."""
    shares = setting.reference[name].value_counts(normalize=True)
    order = shares.index[rng.permutation(len(shares))]
    enough = int(np.searchsorted(shares[order].cumsum().to_numpy(), 0.5)) + 1
    if setting.world.kinds[name] == "code":
        renamed: dict[Any, Any] = {one: int(one) + 100 for one in order[:enough]}
    else:
        mark = str(rng.choice(["_v2", "-new", ".2"]))
        renamed = {one: f"{one}{mark}" for one in order[:enough]}
    return Broken(values={name: _renamed(setting.current[name], renamed)}, faults=("new_values", "recoded"))


def swapped(rng: np.random.Generator, setting: Setting, name: str) -> Broken:
    """Exchanged with another column of numbers."""
    others = [other for other in setting.world.of_kind("number", "heavy", "integer") if other != name]
    if not others:
        raise NotPossible(f"{name} has no partner")
    other = str(rng.choice(others))
    current = setting.current
    return Broken(values={name: current[other].to_numpy(), other: current[name].to_numpy()}, faults=("swapped",))


def rotated(rng: np.random.Generator, setting: Setting, name: str) -> Broken:
    """Three columns of numbers or more, each with the values of the next."""
    others = [other for other in setting.world.of_kind("number", "heavy", "integer") if other != name]
    if len(others) < 2:
        raise NotPossible(f"{name} has not two partners")
    ring = [name, *map(str, rng.permutation(others)[: int(rng.integers(2, min(len(others), 4) + 1))])]
    following = dict(zip(ring, [*ring[1:], name], strict=True))
    return Broken(
        values={one: setting.current[then].to_numpy() for one, then in following.items()}, faults=("swapped",)
    )


def kept(_: np.random.Generator, setting: Setting, name: str) -> Broken:
    """An entity's last value of the reference, as a cache that is not renewed has it."""
    if not setting.world.entities:
        raise NotPossible("rows are of nobody")
    last = setting.reference.groupby(ENTITY)[name].last()
    old = setting.current[ENTITY].map(last).fillna(setting.current[name]).to_numpy(float)
    return Broken(values={name: _alike(setting, name, old)}, faults=("stale",))


def succeeded(rng: np.random.Generator, setting: Setting, name: str) -> Broken:
    """A common level that goes by another name now, or by one of two or three."""
    level = str(setting.reference[name].value_counts().index[int(rng.integers(0, 2))])
    names = [f"{level}-{mark}" for mark in ("a", "b", "c")][: int(rng.integers(1, 4))]
    values = setting.current[name].astype(str).to_numpy(object)
    values = np.where(values == level, rng.choice(np.array(names, dtype=object), len(values)), values)
    return Broken(values={name: values}, faults=("recoded", "new_values"))


def stale(rng: np.random.Generator, setting: Setting, name: str) -> Broken:
    """The value of some days ago."""
    both = pd.concat([setting.reference, setting.current])
    by_day = both.groupby(both[AT].dt.normalize())[name].first()
    lag = pd.Timedelta(days=int(rng.integers(3, 22)))
    days = setting.current[AT].dt.normalize() - lag
    return Broken(values={name: by_day.reindex(days, method="nearest").to_numpy(float)}, faults=("stale",))


def permuted(rng: np.random.Generator, setting: Setting, name: str) -> Broken:
    """Values of other rows."""
    values = setting.current[name].to_numpy()
    return Broken(values={name: values[rng.permutation(len(values))]}, faults=())


def clipped(rng: np.random.Generator, setting: Setting, name: str) -> Broken:
    """Capped at an edge."""
    usual, part = _usual(setting, name).to_numpy(float), float(rng.uniform(0.15, 0.5))
    below = rng.random() < 0.3 and setting.world.kinds[name] != "heavy"
    edge = float(np.quantile(usual, part if below else 1 - part))
    values = _numbers(setting, name)
    edged = np.maximum(values, edge) if below else np.minimum(values, edge)
    return Broken(values={name: _alike(setting, name, edged)}, faults=("clipped",))


def truncated(rng: np.random.Generator, setting: Setting, name: str) -> Broken:
    """Digits lost: rounded down to a coarse grid."""
    step = _spread(setting, name) * float(rng.uniform(1.0, 2.5))
    coarse = float(10 ** np.round(np.log10(step))) if rng.random() < 0.5 else step
    step = coarse if coarse > 0.7 * _spread(setting, name) else step
    whole = setting.world.kinds[name] == "integer"
    step = max(round(step), 2.0) if whole else step
    values = np.floor(_numbers(setting, name) / step) * step
    return Broken(values={name: _alike(setting, name, values)}, faults=("truncated",))


def blurred(rng: np.random.Generator, setting: Setting, name: str) -> Broken:
    """Noise added, of 0.8 to 2 standard deviations."""
    spread = _spread(setting, name) * float(rng.uniform(0.8, 2.0))
    values = _numbers(setting, name) + rng.normal(0, spread, len(setting.current))
    return Broken(values={name: _alike(setting, name, values)}, faults=())


def hour_shifted(rng: np.random.Generator, setting: Setting, name: str) -> Broken:
    """The hour in another time zone, round the clock."""
    by = int(rng.choice([3, 5, 7, 8, 9, 10]))
    return Broken(values={name: (_numbers(setting, name) + by) % 24}, faults=("shifted", "recoded"))


def gain_drift(rng: np.random.Generator, setting: Setting, name: str) -> Broken:
    """A gain that drifts linearly through the window."""
    slope = float(rng.choice([rng.uniform(0.8, 2.5), rng.uniform(-0.95, -0.6)]))
    return Broken(values={name: _numbers(setting, name) * (1 + slope * setting.progress)}, faults=("scaled",))


def retyped(_: np.random.Generator, setting: Setting, name: str) -> Broken:
    """Numbers as text with a decimal comma, which nothing reads."""
    text = [str(value).replace(".", ",") for value in _numbers(setting, name)]
    return Broken(values={name: np.asarray(text, dtype=object)}, faults=("retyped", "missing"))


class NotPossible(Exception):
    """A cause cannot be had in this world."""


FAULTS: dict[str, tuple[Fault, tuple[Kind, ...]]] = {
    "frozen": (frozen, (*NUMERIC, *WORDY)),
    "default_value": (default_value, ("number", "heavy", "integer", *WORDY)),
    "missing": (missing, (*NUMERIC, "category")),
    "scaled": (scaled, ("number", "heavy")),
    "shifted": (shifted, ("number", "integer")),
    "recoded": (recoded, WORDY),
    "refitted": (refitted, ("code",)),
    "new_values": (new_values, WORDY),
    "swapped": (swapped, ("number", "heavy", "integer")),
    "stale": (stale, ("daily",)),
    "permuted": (permuted, (*NUMERIC, *WORDY)),
    "clipped": (clipped, ("number", "heavy", "integer")),
    "truncated": (truncated, ("number", "heavy", "integer")),
    "blurred": (blurred, ("number", "integer")),
    "hour_shifted": (hour_shifted, ("hour",)),
    "gain_drift": (gain_drift, ("number", "heavy")),
    "retyped": (retyped, ("number", "heavy")),
    "rotated": (rotated, ("number", "heavy", "integer")),
    "kept": (kept, ("number", "heavy", "integer")),
    "succeeded": (succeeded, ("category",)),
}
"""Faults by name, and the kinds of columns that they befall."""


# -------------------------------------------------------------------------------------------------- where and when


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Which current rows a cause hits: a mask, the slice in words where it is one, and where and when in one word."""

    hit: Mask
    where: str | None = None
    place: str = "all"
    time: str = "start"


def scope(rng: np.random.Generator, setting: Setting, but: tuple[str, ...] = ()) -> Scope:
    """Draw which rows are hit: all, a share, a slice or some entities; from the start, a step on, a ramp or a pulse.

    Parameters
    ----------
    rng : numpy.random.Generator
    setting : Setting
    but : tuple of str
        Columns that no condition reads.
    """
    if setting.place is not None:
        return _asked(rng, setting, setting.place, but=but)
    place = str(rng.choice(["all", "share", "slice", "entities"], p=[0.45, 0.2, 0.25, 0.1]))
    time = str(rng.choice(["start", "step", "ramp", "pulse"], p=[0.35, 0.4, 0.12, 0.13]))
    inside, where = _placed(rng, setting, place, but=but)
    return Scope(
        hit=inside & _timed(rng, setting.progress, time),
        where=where,
        place="all" if place == "entities" and not setting.world.entities else place,
        time=time,
    )


def _asked(rng: np.random.Generator, setting: Setting, place: Place, *, but: tuple[str, ...]) -> Scope:
    """All rows; half of them, at random or from the middle on; or a slice."""
    rows = np.ones(len(setting.current), dtype=bool)
    if place == "half":
        late = rng.random() < 0.5
        rows = np.asarray(setting.progress >= 0.5) if late else rng.random(len(rows)) < 0.5
        return Scope(hit=rows, place="all" if late else "share", time="step" if late else "start")
    inside, where = some_slice(rng, setting, but=but) if place == "slice" else (rows, None)
    if place == "slice" and where is None:
        raise NotPossible("no slice is large enough")
    return Scope(hit=inside, where=where, place=place)


def _timed(rng: np.random.Generator, progress: Floats, time: str) -> Mask:
    if time == "step":
        return np.asarray(progress >= rng.uniform(0.1, 0.6))
    if time == "ramp":
        return np.asarray(rng.random(len(progress)) < progress * rng.uniform(0.8, 1.4))
    if time == "pulse":
        begin = rng.uniform(0.05, 0.5)
        return np.asarray((progress >= begin) & (progress < begin + rng.uniform(0.25, 0.5)))
    return np.ones(len(progress), dtype=bool)


def _placed(rng: np.random.Generator, setting: Setting, place: str, *, but: tuple[str, ...]) -> tuple[Mask, str | None]:
    rows = setting.current
    if place == "share":
        return rng.random(len(rows)) < np.exp(rng.uniform(np.log(0.03), np.log(0.6))), None
    if place == "slice":
        return some_slice(rng, setting, but=but)
    if place == "entities" and setting.world.entities:
        own = rows[ENTITY].unique()
        some = rng.choice(own, max(2, int(len(own) * rng.uniform(0.2, 0.5))), replace=False)
        return rows[ENTITY].isin(some).to_numpy(bool), None
    return np.ones(len(rows), dtype=bool), None


def some_slice(rng: np.random.Generator, setting: Setting, *, but: tuple[str, ...] = ()) -> tuple[Mask, str | None]:
    """Draw a slice of one to three conditions that holds in 8 to 60 % of the current rows, and in 25 at least."""
    names = [name for name in setting.world.kinds if name not in but and setting.world.kinds[name] != "daily"]
    for _ in range(20):
        count = min(int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1])), len(names))
        picked = [str(name) for name in rng.choice(names, count, replace=False)]
        pairs = [_condition(rng, setting, name) for name in picked]
        inside = np.logical_and.reduce([mask for mask, _ in pairs])
        if 0.08 <= inside.mean() <= 0.6 and inside.sum() >= 25:
            return inside, " & ".join(text for _, text in pairs)
    return np.ones(len(setting.current), dtype=bool), None


def _condition(rng: np.random.Generator, setting: Setting, name: str) -> tuple[Mask, str]:
    values, usual = setting.current[name], _usual(setting, name)
    if setting.world.kinds[name] in WORDY:
        level = usual.iloc[int(rng.integers(len(usual)))]
        return (values == level).to_numpy(bool), f"{name}={level}"
    edge = float(f"{np.quantile(usual.to_numpy(float), rng.uniform(0.2, 0.8)):.4g}")
    if rng.random() < 0.5:
        return (values < edge).to_numpy(bool), f"{name}<{edge:g}"
    return (values >= edge).to_numpy(bool), f"{name}>={edge:g}"
