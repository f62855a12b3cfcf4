"""Columns of simulated tables, and the world that a table is drawn from: how rows come about, and their label's law."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from rca.arrays import Counts, Floats
from rca.practice.grammar.worlds.law import AT, ENTITY, ID, NOISE, Law

Task = Literal["binary", "regression", "classes"]

Kind = Literal["number", "heavy", "integer", "category", "code", "hour", "weekday", "daily"]
"""Of a column: `heavy` has a long tail, a `code` is a category written as a number, `daily` has one value a day."""

FIRST = pd.Timestamp("2025-09-01", tz="UTC")
"""The first day that any table knows."""

NUMBERS = (
    "amount", "income", "tenure", "balance", "distance", "visits", "age", "usage", "price", "turnover", "delay",
    "volume", "limit", "pressure", "weight_kg", "exposure", "deposits", "dosage", "speed", "rating",
)  # fmt: skip

CATEGORIES = ("region", "channel", "product", "device", "plan", "branch", "segment", "supplier", "clinic", "purpose")

WORDS = (
    "north", "south", "east", "west", "online", "broker", "retail", "direct", "basic", "plus", "premium", "family",
    "alpha", "beta", "gamma", "delta", "car", "travel", "house", "garden", "blue", "green", "red", "silver",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Moments:
    """When, and of whom, rows are: times in order, entity numbers, and how many rows were drawn before."""

    at: pd.DatetimeIndex
    entity: Counts
    first: int = 0


Draw = Callable[[np.random.Generator, Moments], Any]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A feature, or a block of several that are drawn jointly: what kind it is, and how it is drawn."""

    names: tuple[str, ...]
    kind: Kind
    draw: Draw
    levels: int = 0

    @property
    def name(self) -> str:
        return self.names[0]

    def of(self, rng: np.random.Generator, when: Moments) -> dict[str, Any]:
        """Draw the values by name."""
        drawn = self.draw(rng, when)
        return dict(zip(self.names, drawn.T, strict=True)) if len(self.names) > 1 else {self.name: drawn}


@dataclass(frozen=True, kw_only=True)
class World:
    """A structure whose every constant is drawn: how rows come about, and the law of their label.

    Attributes
    ----------
    family : str
    task : Task
    kinds : mapping of str to Kind
        Of every feature.
    levels : mapping of str to int
        Codes that a `code` column has.
    law : Law or None
        None where the labels are real.
    sample : callable
        Draws rows, given a generator and moments; with the columns of `law`.
    entities : int
        Number of entities; 0 where every row is its own.
    most : int
        Rows that it can give altogether.
    """

    family: str
    task: Task
    kinds: Mapping[str, Kind]
    levels: Mapping[str, int] = field(default_factory=dict)
    law: Law | None = None
    sample: Callable[[np.random.Generator, Moments], pd.DataFrame]
    entities: int = 0
    most: int = 10**9

    def of_kind(self, *kinds: Kind) -> list[str]:
        """Features of some kinds, in order."""
        return [name for name, kind in self.kinds.items() if kind in kinds]


def stamped(rng: np.random.Generator, when: Moments, features: Mapping[str, Any]) -> pd.DataFrame:
    """A table of features with time, id, entity, and the uniform draw behind each label."""
    n = len(when.at)
    own = {
        AT: when.at,
        ID: [f"r{when.first + row:06d}" for row in range(n)],
        ENTITY: [f"c{number:04d}" for number in when.entity],
        NOISE: rng.uniform(1e-9, 1 - 1e-9, n),
    }
    return pd.DataFrame({**features, **own})


# ---------------------------------------------------------------------------------------------------------- columns


def number(rng: np.random.Generator, name: str) -> Column:
    """A column of numbers of some law that is not heavy-tailed, in a unit of its own."""
    scale, digits = float(rng.choice([1.0, 10.0, 250.0])), int(rng.integers(1, 4))
    shape, centre = float(rng.uniform(2.0, 6.0)), float(rng.choice([0.0, 4.0, 8.0]))
    laws: list[Callable[[np.random.Generator, int], Floats]] = [
        lambda g, n: g.normal(centre, 1.0, n),
        lambda g, n: g.gamma(shape, 1.0, n),
        lambda g, n: g.uniform(0.0, 4.0, n),
        lambda g, n: 5.0 * g.beta(2.0, shape, n),
    ]
    law = laws[rng.integers(len(laws))]
    return Column(names=(name,), kind="number", draw=lambda g, w: np.round(scale * law(g, len(w.at)), digits))


def gappy(rng: np.random.Generator, column: Column) -> Column:
    """A column of numbers of which a few are always missing."""
    share = float(rng.uniform(0.02, 0.08))

    def draw(g: np.random.Generator, when: Moments) -> Floats:
        values = np.asarray(column.draw(g, when), dtype=float)
        return np.where(g.random(len(values)) < share, np.nan, values)

    return replace(column, draw=draw)


def heavy(rng: np.random.Generator, name: str) -> Column:
    """A log-normal amount, of which a share may be exactly zero."""
    centre, spread = float(rng.uniform(2.0, 6.0)), float(rng.uniform(0.8, 1.4))
    zero = float(rng.choice([0.0, 0.0, 0.25, 0.5]))

    def draw(g: np.random.Generator, when: Moments) -> Floats:
        amount = np.round(g.lognormal(centre, spread, len(when.at)), 2)
        return np.where(g.random(len(amount)) < zero, 0.0, amount)

    return Column(names=(name,), kind="heavy", draw=draw)


def integer(rng: np.random.Generator, name: str) -> Column:
    """Counts, or whole numbers of a range."""
    mean, low, width = float(rng.uniform(1.5, 8.0)), int(rng.integers(0, 30)), int(rng.integers(10, 60))
    if rng.random() < 0.5:
        return Column(names=(name,), kind="integer", draw=lambda g, w: g.poisson(mean, len(w.at)))
    return Column(names=(name,), kind="integer", draw=lambda g, w: g.integers(low, low + width, len(w.at)))


def category(rng: np.random.Generator, name: str, *, levels: int = 0) -> Column:
    """Words of a few levels, some rarer."""
    count = levels or int(rng.integers(3, 7))
    words = rng.permutation(WORDS)[:count].astype(object)
    shares = rng.dirichlet(np.full(count, 4.0))
    draw: Draw = lambda g, w: g.choice(words, len(w.at), p=shares)  # noqa: E731
    return Column(names=(name,), kind="category", draw=draw, levels=count)


def code(rng: np.random.Generator, name: str) -> Column:
    """A category that is written as a number, from 0 on."""
    count = int(rng.integers(5, 9))
    shares = rng.dirichlet(np.full(count, 6.0))
    draw: Draw = lambda g, w: g.choice(count, len(w.at), p=shares)  # noqa: E731
    return Column(names=(name,), kind="code", draw=draw, levels=count)


def hour() -> Column:
    """The hour of the row's time."""
    return Column(names=("hour",), kind="hour", draw=lambda _, w: w.at.hour.to_numpy().astype(float))


def weekday() -> Column:
    """The weekday of the row's time, Monday being 0."""
    return Column(names=("weekday",), kind="weekday", draw=lambda _, w: w.at.day_of_week.to_numpy().astype(float))


def daily(rng: np.random.Generator) -> Column:
    """A rate with one value a day, that wanders slowly about its mean."""
    steps, path = rng.normal(0.0, 0.35, 400), np.zeros(400)
    for day in range(1, 400):
        path[day] = 0.94 * path[day - 1] + steps[day]
    path = np.round(5.0 + path, 2)
    return Column(names=("rate",), kind="daily", draw=lambda _, w: path[(w.at - FIRST).days.to_numpy()])


def block(rng: np.random.Generator, names: tuple[str, ...]) -> Column:
    """Jointly normal columns of one or two common factors."""
    loading = rng.normal(0.0, 1.0, (2, len(names)))
    own = rng.uniform(0.3, 0.9, len(names))

    def draw(g: np.random.Generator, when: Moments) -> Floats:
        n = len(when.at)
        return np.round(g.normal(size=(n, 2)) @ loading + own * g.normal(size=(n, len(names))), 3)

    return Column(names=names, kind="number", draw=draw)


def of_entity(rng: np.random.Generator, name: str, entities: int) -> Column:
    """A number that is an entity's own, and changes little from row to row."""
    own, scale = rng.normal(3.0, 1.0, entities), float(rng.choice([1.0, 20.0]))
    draw: Draw = lambda g, w: np.round(scale * (own[w.entity] + g.normal(0, 0.35, len(w.at))), 2)  # noqa: E731
    return Column(names=(name,), kind="number", draw=draw)
