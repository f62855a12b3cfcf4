"""Simulated structures: families of tables with columns of many kinds, and a known law of their label."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from rca.arrays import Floats
from rca.practice.grammar.worlds.columns import (
    CATEGORIES,
    FIRST,
    NUMBERS,
    Column,
    Kind,
    Moments,
    Task,
    World,
    block,
    category,
    code,
    daily,
    gappy,
    heavy,
    hour,
    integer,
    number,
    of_entity,
    stamped,
    weekday,
)
from rca.practice.grammar.worlds.law import Law, Link, Shape, Term


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
    made = [gappy(rng, column) if column.kind == "number" and rng.random() < 0.1 else column for column in made]
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
    shapes: list[Shape] = ["night", "step", "linear", "linear", "linear", "linear", "linear"]
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
    terms = [
        _with_levels(rng, term, pilot[term.columns[0]], kind=by_name[term.columns[0]].kind).fitted(pilot)
        for term in draft.terms
    ]
    law = _calibrated(rng, Law(terms=tuple(terms), base=(0.0,) * len(terms[0].weight), link=draft.link), pilot)
    task: dict[Link, Task] = {"logit": "binary", "softmax": "classes", "log": "regression", "identity": "regression"}
    return World(
        family=family, task=task[draft.link], law=law, sample=sample, entities=draft.entities,
        kinds={name: column.kind for name, column in by_name.items()},
        levels={name: column.levels for name, column in by_name.items() if column.kind == "code"},
    )  # fmt: skip


def _pilot(rng: np.random.Generator, entities: int) -> Moments:
    at = FIRST + pd.to_timedelta(np.sort(rng.integers(0, 90 * 86400, 2000)), unit="s").as_unit("s")
    return Moments(at=pd.DatetimeIndex(at), entity=rng.integers(0, max(entities, 1), 2000))


def _with_levels(rng: np.random.Generator, term: Term, values: "pd.Series[Any]", *, kind: Kind) -> Term:
    """A term of a category, with an effect drawn for each level."""
    if kind not in ("category", "code"):
        return term
    seen = sorted(values.astype(str).unique())
    effects = rng.permutation(np.linspace(-1.5, 1.5, len(seen)) + rng.normal(0, 0.2, len(seen)))
    return replace(term, levels=dict(zip(seen, map(float, effects), strict=True)))


SIGNAL: dict[Link, tuple[float, float]] = {
    "logit": (1.5, 2.6), "softmax": (1.6, 2.6), "log": (0.5, 0.8), "identity": (1.0, 1.0)
}  # fmt: skip
"""Standard deviation of the linear predictor, least and most."""


def _calibrated(rng: np.random.Generator, law: Law, pilot: pd.DataFrame) -> Law:
    """The law whose predictor has the spread that its link wants, and a base rate of .12 to .5."""
    spread = float(rng.uniform(*SIGNAL[law.link])) / float(law.predictor(pilot).std(axis=0).mean())
    law = law.reweighted(np.full(len(law.terms), spread))
    if law.link == "logit":
        return replace(law, base=(_intercept(law.predictor(pilot)[:, 0], float(rng.uniform(0.12, 0.5))),))
    if law.link == "softmax":
        return replace(law, base=tuple(float(one) for one in rng.normal(0, 0.3, len(law.base))))
    noise = float(rng.uniform(0.2, 0.35) if law.link == "log" else rng.uniform(0.4, 0.7))
    base = 1.0 if law.link == "log" else float(rng.choice([0.0, 5.0]))
    return replace(law, base=(base,), noise=noise, unit=float(rng.choice([1.0, 10.0, 100.0])))


def _intercept(eta: Floats, rate: float) -> float:
    """The intercept by which the mean probability is `rate`; by bisection."""
    from scipy.special import expit

    low, high = -20.0, 20.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if float(expit(eta + middle).mean()) < rate else (low, middle)
    return (low + high) / 2
