"""Incidents whose explanations stand level, and what the next observation would show of them.

Two truths leave the same record: a column from other rows or another concept on it, outcomes lost or another world,
another version of the model or another concept, a measurement or the world. One of them is drawn, the observation that
is proposed is made on it, and its rule applied to what is seen: is it right as often as it says?
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from rca.analysis.conclusion.observation import Observation
from rca.analysis.conclusion.would_decide import would_decide
from rca.analysis.harm.contribution import Contribution
from rca.analysis.harm.harm import Harm
from rca.analysis.harm.rivals.rival import Rival
from rca.analysis.inputs.windows import Windows, measured_of, windows_from
from rca.arrays import Floats
from rca.errors import Unanswerable
from rca.finding import CauseKind, Interval
from rca.methods.decision_power import SLIP
from rca.methods.metric import Measured

Sort = Literal["column", "outcomes", "answers", "again"]

Truth = Literal["changed", "unchanged"]
"""Whether what is observed shows a change: a wrong column, another version, another world."""

SORTS: tuple[Sort, ...] = ("column", "outcomes", "answers", "again")
"""Sorts of level incidents, named by the observation that decides them."""

ROLES: dict[str, Any] = {"label": "y", "prediction": "said", "features": ["x", "u", "v"]}

ATTEMPTS = 50
"""Draws until the change is beyond chance."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Level:
    """An incident that two explanations fit, one of which is true.

    Attributes
    ----------
    sort : Sort
    truth : Truth
    windows : Windows
    harm : Harm
        With the explanations that stand.
    source : pandas.DataFrame
        The current rows as the observation would show them.
    """

    sort: Sort
    truth: Truth
    windows: Windows
    harm: Harm
    source: pd.DataFrame

    def true_of(self, observation: Observation) -> int:
        """Which of the two explanations of an observation is true: the first or the second."""
        falls = observation.kind in ("outcomes", "again") and self.harm.measured.sign < 0
        return int((self.truth == "changed") == falls)


@dataclass(frozen=True, kw_only=True)
class Made:
    """A proposed observation that was made: whether its rule decided rightly, and how often it said it would.

    Attributes
    ----------
    sort : Sort
    rows : int
    power : float
        As stated, whichever explanation holds.
    rate : float
        As stated for the explanation that held.
    right : bool
    """

    sort: Sort
    rows: int
    power: float
    rate: float
    right: bool


def made(level: Level, rng: np.random.Generator, *, seed: int = 0) -> Made | None:
    """Make the observation that is proposed, and apply its rule; None where none is proposed."""
    proposed = [one for one in would_decide(level.windows, level.harm, seed=seed) if one.kind == level.sort]
    if not proposed:
        return None
    one = proposed[0]
    at = rng.choice(one.eligible(level.windows), one.rows, replace=False)
    found = level.source.iloc[at].copy()
    if one.kind in ("column", "answers"):
        slipped = rng.random(len(found)) < SLIP
        for name in one.columns:
            found[name] = np.where(slipped, _other(found[name]), found[name])
    decided, truth = one.decide(one.seen_of(level.windows, found, at)), level.true_of(one)
    right = decided == one.between[truth]
    return Made(sort=level.sort, rows=one.rows, power=one.power, rate=one.rates[truth], right=right)


def _other(values: "pd.Series[Any]") -> Any:
    """Values that are not these."""
    return values + 1 if pd.api.types.is_numeric_dtype(values) else values + "?"


def excess(cases: Iterable[Made]) -> tuple[float, float]:
    """How much more often it was right than stated for the explanations that held, and the Monte Carlo error of that.

    >>> excess([Made(sort="again", rows=9, power=0.5, rate=0.5, right=one) for one in (True, True, True, False)])
    (0.25, 0.25)
    """
    told = [(one.rate, one.right) for one in cases]
    error = float(np.sqrt(sum(rate * (1 - rate) for rate, _ in told))) / len(told)
    return sum(right - rate for rate, right in told) / len(told), error


# -- drawing -----------------------------------------------------------------------------------------------------------


def level(seed: int) -> Level:
    """Draw an incident that two explanations fit; sorts and truths take turns.

    Raises
    ------
    Unanswerable
        If no draw changes the metric beyond chance.

    Examples
    --------
    >>> level(0).sort, level(0).truth, level(5).sort, level(5).truth
    ('column', 'unchanged', 'outcomes', 'changed')
    """
    rng, sort = np.random.default_rng([7, seed]), SORTS[seed % len(SORTS)]
    truth: Truth = "changed" if seed // len(SORTS) % 2 else "unchanged"
    for _ in range(ATTEMPTS):
        windows, source = DRAW[sort](rng, truth)
        measured = measured_of(windows)
        if measured.material:
            harm = _level_harm(measured, sort)
            return Level(sort=sort, truth=truth, windows=windows, harm=harm, source=source)
    raise Unanswerable("what would decide", f"no draw of {sort} changes the metric")


def _level_harm(measured: Measured, sort: Sort) -> Harm:
    """The explanations that stand, as strong as each other."""
    if sort == "outcomes":
        found = "outcomes are missing"
        lost = Rival(kind="labels", name="y", strength="suggested", found=found)
        return Harm(measured=measured, contributions=(), unexplained=measured.worse, rivals=(lost,), undecided=found)
    kinds: dict[Sort, tuple[tuple[CauseKind, str], ...]] = {
        "column": (("feature", "x"), ("concept", "y")),
        "answers": (("model", "model"), ("concept", "y")),
    }
    parts = tuple(_suggested(kind, name, measured) for kind, name in kinds.get(sort, ()))
    rivals = tuple(Rival(kind=one.kind, name=one.name, part=one, strength="suggested") for one in parts)
    return Harm(measured=measured, contributions=parts, unexplained=0.0, rivals=rivals)


def _suggested(kind: CauseKind, name: str, measured: Measured) -> Contribution:
    return Contribution(
        kind=kind,
        name=name,
        value=measured.worse,
        interval=Interval(low=measured.worse / 2, high=measured.worse * 1.5),
        method="expected",
        n_effective=float(measured.n_current),
        strength="suggested",
    )


@dataclass(frozen=True, kw_only=True)
class _World:
    """A simulated table: a column `x` that depends on nothing else, two more, and an outcome of all three."""

    sort: str
    number: bool
    weights: tuple[float, float, float]

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "_World":
        weights = rng.uniform(0.7, 1.6), *rng.uniform(0.3, 1.0, 2)
        sort = str(rng.choice(["normal", "integer", "category"]))
        return cls(sort=sort, number=bool(rng.random() < 0.3), weights=(weights[0], weights[1], weights[2]))

    def rows(self, rng: np.random.Generator, size: int) -> pd.DataFrame:
        x: Any = rng.normal(size=size) if self.sort == "normal" else rng.integers(0, 10, size).astype(float)
        if self.sort == "category":
            x = rng.choice(list("abcd"), size, p=[0.4, 0.3, 0.2, 0.1])
        return pd.DataFrame({"x": x, "u": rng.normal(size=size), "v": rng.normal(size=size)})

    def leaning(self, rows: pd.DataFrame, weights: tuple[float, float, float] | None = None) -> Floats:
        x = rows["x"].map({"a": -1.0, "b": 0.5, "c": 1.0, "d": 2.0}) if self.sort == "category" else rows["x"]
        x = (x - 4.5) / 2.9 if self.sort == "integer" else x
        a, b, c = weights or self.weights
        return np.asarray(a * x + b * rows["u"] + c * rows["v"], dtype=float)

    def outcome(self, rng: np.random.Generator, leaning: Floats) -> Floats:
        if self.number:
            return leaning + rng.normal(0, 0.7, len(leaning))
        return (rng.random(len(leaning)) < 1 / (1 + np.exp(-2 * leaning))).astype(float)

    def answer(self, leaning: Floats) -> Floats:
        return leaning if self.number else (leaning > 0).astype(float)

    def table(
        self, rng: np.random.Generator, rows: pd.DataFrame, *, outcome: tuple[float, float, float] | None = None
    ) -> pd.DataFrame:
        """Rows with answers and outcomes, these by its own weights where no others are given."""
        truth = self.outcome(rng, self.leaning(rows, outcome))
        return rows.assign(y=truth, said=self.answer(self.leaning(rows)))

    def windows(self, reference: pd.DataFrame, current: pd.DataFrame) -> Windows:
        return windows_from(reference, current, metric="mae" if self.number else "error_rate", **ROLES)

    def otherwise(self, rng: np.random.Generator, place: int) -> tuple[float, float, float]:
        """Weights of which one is another."""
        given = list(self.weights)
        given[place] *= rng.uniform(-0.8, 0.3)
        return given[0], given[1], given[2]


def _tables(rng: np.random.Generator) -> tuple[_World, pd.DataFrame, pd.DataFrame]:
    """A world, its reference with outcomes and answers, and the current rows."""
    world, sizes = _World.drawn(rng), rng.integers(400, 1600, 2)
    reference = world.table(rng, world.rows(rng, int(sizes[0])))
    return world, reference, world.rows(rng, int(sizes[1]))


def _column(rng: np.random.Generator, truth: Truth) -> tuple[Windows, pd.DataFrame]:
    """`x` comes from other rows, in all or some; or the outcome follows it otherwise."""
    world, reference, rows = _tables(rng)
    if truth == "unchanged":
        current = world.table(rng, rows, outcome=world.otherwise(rng, 0))
        return world.windows(reference, current), current
    source = world.table(rng, rows)
    hit = rng.random(len(rows)) < rng.uniform(0.4, 1.0)
    wrong = source["x"].where(~hit, source["x"].sample(frac=1, random_state=int(rng.integers(2**31))).to_numpy())
    current = source.assign(x=wrong)
    current["said"] = world.answer(world.leaning(current))
    return world.windows(reference, current), source


def _answers(rng: np.random.Generator, truth: Truth) -> tuple[Windows, pd.DataFrame]:
    """Another version answers, some or all rows; or the outcome follows the inputs otherwise."""
    world, reference, rows = _tables(rng)
    other = world.otherwise(rng, int(rng.integers(3)))
    if truth == "unchanged":
        current = world.table(rng, rows, outcome=other)
        return world.windows(reference, current), current
    source = world.table(rng, rows)
    moved = rng.random(len(rows)) < rng.uniform(0.5, 1.0)
    said = np.where(moved, world.answer(world.leaning(rows, other)), source["said"])
    return world.windows(reference, source.assign(said=said)), source


def _outcomes(rng: np.random.Generator, truth: Truth) -> tuple[Windows, pd.DataFrame]:
    """Outcomes are lost by how well they were told; or by the answer, while the world changed."""
    world, reference, rows = _tables(rng)
    source = world.table(rng, rows, outcome=world.otherwise(rng, 0) if truth == "changed" else None)
    off, said = (np.asarray(one, dtype=float) for one in (np.abs(source["y"] - source["said"]), source["said"]))
    seldom, often = rng.uniform(0.1, 0.4), rng.uniform(0.5, 0.9)
    told = said > 0.5 if truth == "changed" else off <= np.median(off)
    lost = rng.random(len(source)) < np.where(told, often, seldom)
    return world.windows(reference, source.assign(y=source["y"].where(~lost))), source


def _again(rng: np.random.Generator, truth: Truth) -> tuple[Windows, pd.DataFrame]:
    """The inputs never told of the outcome, and there is more of it: in the world, or by how it is measured."""
    world, _, rows = _tables(rng)
    before = world.rows(rng, int(rng.integers(400, 1600)))
    rates = rng.uniform(0.05, 0.4), rng.uniform(0.05, 0.3)
    reference = before.assign(y=1.0 * (rng.random(len(before)) < rates[0]))
    true = rng.random(len(rows)) < (rates[0] + rates[1] if truth == "changed" else rates[0])
    more = rng.random(len(rows)) < rates[1] / (1 - rates[0])
    current = rows.assign(y=1.0 * (true if truth == "changed" else true | more))
    metric = {"name": "rate", "column": "y", "harm": "higher"}
    return windows_from(reference, current, metric=metric, features=["x", "u", "v"]), rows.assign(y=1.0 * true)


DRAW: dict[Sort, Callable[[np.random.Generator, Truth], tuple[Windows, pd.DataFrame]]] = {
    "column": _column,
    "outcomes": _outcomes,
    "answers": _answers,
    "again": _again,
}
