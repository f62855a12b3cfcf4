"""Simulated structures: tables of features of many kinds, and a known law of their label."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from rca.arrays import Counts, Floats
from rca.practice.grammar.law import AT, ENTITY, ID, NOISE, Law, Link, Shape, Term

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


# ----------------------------------------------------------------------------------------------------------- families


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A structure before its law is scaled: its columns, its terms, and the link."""

    columns: list[Column]
    terms: list[Term]
    link: Link = "logit"
    entities: int = 0


def _names(rng: np.random.Generator, pool: tuple[str, ...], count: int) -> list[str]:
    return [str(name) for name in rng.permutation(pool)[:count]]


def _columns(rng: np.random.Generator, *, numbers: int = 3, integers: int = 1, categories: int = 1) -> list[Column]:
    names = _names(rng, NUMBERS, numbers + integers)
    made = [number(rng, name) for name in names[:numbers]] + [integer(rng, name) for name in names[numbers:]]
    return made + [category(rng, name) for name in _names(rng, CATEGORIES, categories)]


def _term(rng: np.random.Generator, column: Column, shape: Shape = "linear", *, low: float = 0.4) -> Term:
    """A term of a column, of a random sign and weight; of a category, an effect a level."""
    weight = float(rng.choice([-1.0, 1.0]) * rng.uniform(low, 1.2))
    if column.kind in ("category", "code"):
        return Term(columns=(column.name,), weight=(weight,))
    if column.kind == "hour":
        return Term(columns=(column.name,), shape="night", weight=(1.3 * weight,))
    return Term(
        columns=(column.name,), shape=shape, weight=(weight,), logged=column.kind == "heavy", cut=rng.uniform(-0.5, 0.5)
    )


def _linear(rng: np.random.Generator) -> Draft:
    columns = _columns(rng, numbers=4, integers=int(rng.integers(1, 3)), categories=int(rng.integers(1, 3)))
    return Draft(columns=columns, terms=[_term(rng, column) for column in columns])


def _interactions(rng: np.random.Generator) -> Draft:
    columns = _columns(rng, numbers=5, integers=1, categories=1)
    a, b, c, d = (column.name for column in columns[:4])
    pairs = [
        Term(columns=(a, b), shape="product", weight=(1.2,)),
        Term(columns=(c, d), shape="product", weight=(-0.9,)),
    ]
    return Draft(columns=columns, terms=[*pairs, *(_term(rng, column) for column in columns)])


def _thresholds(rng: np.random.Generator) -> Draft:
    columns = _columns(rng, numbers=5, integers=1, categories=1)
    both = Term(columns=(columns[0].name, columns[1].name), shape="both", weight=(1.2,), cut=0.1)
    steps = [_term(rng, column, "step", low=0.6) for column in columns]
    return Draft(columns=columns, terms=[both, *steps])


def _multiplicative(rng: np.random.Generator) -> Draft:
    columns = [*_columns(rng, numbers=3, integers=1, categories=2), heavy(rng, "sales")]
    return Draft(columns=columns, terms=[_term(rng, column) for column in columns], link="log")


def _additive(rng: np.random.Generator) -> Draft:
    columns = _columns(rng, numbers=4, integers=2, categories=1)
    shapes: list[Shape] = ["linear", "hinge", "square", "linear", "step", "hinge", "linear"]
    terms = [_term(rng, column, shape) for column, shape in zip(columns, shapes, strict=True)]
    return Draft(columns=columns, terms=terms, link="identity")


def _categories(rng: np.random.Generator) -> Draft:
    names = _names(rng, CATEGORIES, 4)
    words = [category(rng, name, levels=int(rng.integers(5, 13))) for name in names[:3]]
    columns = [*words, code(rng, names[3]), *_columns(rng, numbers=2, integers=1, categories=0)]
    return Draft(columns=columns, terms=[_term(rng, column, low=0.6) for column in columns])


def _seasonal(rng: np.random.Generator) -> Draft:
    columns = [hour(), weekday(), *_columns(rng, numbers=3, integers=1, categories=1)]
    shapes: list[Shape] = ["night", "step", *["linear"] * 5]
    terms = [_term(rng, column, shape, low=0.7) for column, shape in zip(columns, shapes, strict=True)]
    return Draft(columns=columns, terms=terms)


def _panel(rng: np.random.Generator) -> Draft:
    entities = int(rng.integers(120, 400))
    own = [of_entity(rng, name, entities) for name in ("balance_90d", "score_card", "activity")]
    columns = [*own, *_columns(rng, numbers=2, integers=1, categories=1)]
    return Draft(columns=columns, terms=[_term(rng, column) for column in columns], entities=entities)


def _factor(rng: np.random.Generator) -> Draft:
    joint = block(rng, tuple(f"sensor_{at}" for at in range(int(rng.integers(5, 9)))))
    others = _columns(rng, numbers=2, integers=0, categories=1)
    each = [replace(joint, names=(name,)) for name in joint.names[:4]]
    return Draft(columns=[joint, *others], terms=[_term(rng, column) for column in [*each, *others]])


def _heavy_tails(rng: np.random.Generator) -> Draft:
    names = _names(rng, NUMBERS, 5)
    columns = [*(heavy(rng, name) for name in names), *_columns(rng, numbers=0, integers=0, categories=1)]
    return Draft(columns=columns, terms=[_term(rng, column) for column in columns])


def _classes(rng: np.random.Generator) -> Draft:
    columns = _columns(rng, numbers=4, integers=1, categories=1)
    count = int(rng.integers(3, 5))
    terms = [replace(_term(rng, c), weight=tuple(float(w) for w in rng.normal(0, 0.9, count))) for c in columns]
    return Draft(columns=columns, terms=terms, link="softmax")


DRAFTS: dict[str, Callable[[np.random.Generator], Draft]] = {
    "linear": _linear, "interactions": _interactions, "thresholds": _thresholds, "multiplicative": _multiplicative,
    "additive": _additive, "categories": _categories, "seasonal": _seasonal, "panel": _panel, "factor": _factor,
    "heavy_tails": _heavy_tails, "classes": _classes,
}  # fmt: skip
"""Simulated structures by name."""

ASKED: dict[Kind, Callable[[np.random.Generator], Column]] = {
    "hour": lambda _: hour(),
    "daily": daily,
    "code": lambda rng: code(rng, "code"),
    "category": lambda rng: category(rng, "source"),
}
"""Columns that a structure is given where a fault needs one of their kind."""


def simulated(rng: np.random.Generator, family: str, ask: tuple[Kind, ...] = ()) -> World:
    """Draw a structure of a family, with a column of every kind that is asked for.

    Examples
    --------
    >>> world = simulated(np.random.default_rng(0), "seasonal", ("daily",))
    >>> world.task, world.of_kind("hour", "daily")
    ('binary', ['hour', 'rate'])
    """
    draft = DRAFTS[family](rng)
    for kind in ask:
        if all(column.kind != kind for column in draft.columns):
            added = ASKED[kind](rng)
            draft.columns.append(added)
            weight = _term(rng, added, low=0.9)
            if draft.link == "softmax":
                weight = replace(weight, weight=tuple(float(w) for w in rng.normal(0, 1.2, len(draft.terms[0].weight))))
            draft.terms.append(weight)
    return _scaled(rng, family, draft)


def _scaled(rng: np.random.Generator, family: str, draft: Draft) -> World:
    """The world of a draft: terms standardised on a pilot sample, their sum scaled, the base rate set."""

    def sample(g: np.random.Generator, when: Moments) -> pd.DataFrame:
        drawn = [column.of(g, when) for column in draft.columns]
        return stamped(g, when, {name: values for one in drawn for name, values in one.items()})

    pilot = sample(rng, _pilot(rng, draft.entities))
    by_name = {name: column for column in draft.columns for name in column.names}
    terms = [_with_levels(rng, term, pilot, by_name).fitted(pilot) for term in draft.terms]
    law = _calibrated(rng, draft.link, tuple(terms), pilot)
    task: dict[Link, Task] = {"logit": "binary", "softmax": "classes", "log": "regression", "identity": "regression"}
    return World(
        family=family, task=task[draft.link], law=law, sample=sample, entities=draft.entities,
        kinds={name: column.kind for name, column in by_name.items()},
        levels={name: column.levels for name, column in by_name.items() if column.kind == "code"},
    )  # fmt: skip


def _pilot(rng: np.random.Generator, entities: int) -> Moments:
    at = FIRST + pd.to_timedelta(np.sort(rng.integers(0, 90 * 86400, 2000)), unit="s").as_unit("s")
    return Moments(at=pd.DatetimeIndex(at), entity=rng.integers(0, max(entities, 1), 2000))


def _with_levels(rng: np.random.Generator, term: Term, pilot: pd.DataFrame, by_name: dict[str, Column]) -> Term:
    if by_name[term.columns[0]].kind not in ("category", "code"):
        return term
    seen = sorted(pilot[term.columns[0]].astype(str).unique())
    effects = rng.permutation(np.linspace(-1.5, 1.5, len(seen)) + rng.normal(0, 0.2, len(seen)))
    return replace(term, levels=dict(zip(seen, map(float, effects), strict=True)))


SIGNAL: dict[Link, tuple[float, float]] = {
    "logit": (1.5, 2.6), "softmax": (1.6, 2.6), "log": (0.5, 0.8), "identity": (1.0, 1.0)
}  # fmt: skip
"""Standard deviation of the linear predictor, least and most."""


def _calibrated(rng: np.random.Generator, link: Link, terms: tuple[Term, ...], pilot: pd.DataFrame) -> Law:
    """The law whose predictor has the spread that its link wants, and a base rate of .12 to .5."""
    classes = len(terms[0].weight)
    law = Law(terms=terms, base=(0.0,) * classes, link=link)
    spread = float(rng.uniform(*SIGNAL[link])) / float(law.predictor(pilot).std(axis=0).mean())
    law = law.reweighted(np.full(len(terms), spread))
    if link == "logit":
        return replace(law, base=(_intercept(law.predictor(pilot)[:, 0], float(rng.uniform(0.12, 0.5))),))
    if link == "softmax":
        return replace(law, base=tuple(float(one) for one in rng.normal(0, 0.3, classes)))
    noise = float(rng.uniform(0.2, 0.35) if link == "log" else rng.uniform(0.4, 0.7))
    base = 1.0 if link == "log" else float(rng.choice([0.0, 5.0]))
    return replace(law, base=(base,), noise=noise, unit=float(rng.choice([1.0, 10.0, 100.0])))


def _intercept(eta: Floats, rate: float) -> float:
    """The intercept by which the mean probability is `rate`; by bisection."""
    from scipy.special import expit

    low, high = -20.0, 20.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if float(expit(eta + middle).mean()) < rate else (low, middle)
    return (low + high) / 2
