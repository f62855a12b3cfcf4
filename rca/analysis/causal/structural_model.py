"""Additive-noise structural causal model (SCM) fitted along a graph: abduction, action, prediction.

A number is the sum of an effect of each parent, linear or piecewise linear, and noise; a category is drawn by
probabilities that its parents give it. So noise can be inferred from a row (abduction), a node set to another value
(action), and its descendants be computed with the row's own noise (prediction).

References
----------
.. [1] Pearl, J. (2009). Causality, 2nd ed., section 7.1: abduction, action, prediction.
.. [2] Hoyer, P. et al. (2008). Nonlinear causal discovery with additive noise models. NeurIPS 21, eq. (1).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.arrays import Floats
from rca.errors import Unanswerable
from rca.tables.columns import as_labels, as_numbers, kind_of

KNOTS = (0.2, 0.4, 0.6, 0.8)
"""Quantiles of a parent that are knots of its piecewise-linear effect."""

FOLDS = 4

GAIN = 0.98
"""Largest ratio of the held-out errors, spline to linear, at which the spline is taken."""

MIN_ROWS = 50
"""Complete rows below which nothing is fitted."""

MOST_LEVELS = 40
"""Values up to which a category can be drawn."""

RIDGE = 1e-6

SMALLEST_PROBABILITY = 1e-9
"""Probabilities are kept this far from 0 and 1 before they become log odds."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ColumnScale:
    """Numeric encoding of a column: a category by its index among the sorted levels.

    Attributes
    ----------
    name : str
    levels : tuple of str
        Of a category; empty for a number.
    middle, spread : float
    knots : tuple of float
        In standard units; empty where its effect is linear.
    odds : bool
        Whether it is a probability, read as log odds: there noise can be added to it.
    """

    name: str
    levels: tuple[str, ...] = ()
    middle: float = 0.0
    spread: float = 1.0
    knots: tuple[float, ...] = ()
    odds: bool = False

    @classmethod
    def of(cls, values: "pd.Series[Any]", *, coded: bool, follows: bool = False) -> "ColumnScale":
        """Fit the encoding to the reference rows; a column with parents that lies in (0, 1) is read as log odds."""
        name = str(values.name)
        known = values.dropna()
        if kind_of(values, coded=coded) == "categorical" or known.nunique() <= 2:
            return cls(name=name, levels=tuple(sorted({str(one) for one in as_labels(known)})))
        numbers = as_numbers(values)
        numbers = numbers[np.isfinite(numbers)]
        odds = follows and bool(numbers.min() > 0 and numbers.max() < 1)
        numbers = _log_odds(numbers) if odds else numbers
        middle, spread = float(numbers.mean()), float(numbers.std()) or 1.0
        knots = np.unique((np.quantile(numbers, KNOTS) - middle) / spread)
        return cls(name=name, middle=middle, spread=spread, knots=tuple(knots.tolist()), odds=odds)

    def read(self, values: "pd.Series[Any]") -> Floats:
        """Encoded values; what the reference never had, or is missing, is NaN."""
        if not self.levels:
            numbers = as_numbers(values)
            numbers = np.where(np.isfinite(numbers), numbers, np.nan)
            return _log_odds(numbers) if self.odds else numbers
        place = {level: float(at) for at, level in enumerate(self.levels)}
        return np.array([place.get(str(one), np.nan) for one in as_labels(values)])

    def plain(self, values: Floats) -> Floats:
        """Encoded values on the column's own scale."""
        from scipy.special import expit

        return np.asarray(expit(values)) if self.odds else values

    def say(self, value: float) -> str:
        """An encoded value as text."""
        if not np.isfinite(value):
            return "missing"
        return self.levels[int(value)] if self.levels else f"{float(self.plain(np.asarray(value))):.4g}"

    def terms(self, values: Floats, *, bent: bool) -> list[Floats]:
        """Regression terms of a parent: dummies of a category; else linear and, if `bent`, linear-spline terms."""
        if self.levels:
            return [np.asarray(values == place, dtype=float) for place in range(1, len(self.levels))]
        z = (values - self.middle) / self.spread
        return [z, *(np.maximum(z - knot, 0.0) for knot in self.knots)] if bent else [z]


def _log_odds(shares: Floats) -> Floats:
    from scipy.special import logit

    return np.asarray(logit(np.clip(shares, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Law:
    """Structural equation of one node: its mean given the parents, and a noise.

    Attributes
    ----------
    scale : ColumnScale
    parents : tuple of ColumnScale
    bent : bool
    weights : ndarray of shape (terms + 1, outputs)
        The constant first; one output, or one a level of a category (logits).
    noise : ndarray of shape (rows,)
        Of the reference rows; empty for a category, whose noise is uniform.
    """

    scale: ColumnScale
    parents: tuple[ColumnScale, ...]
    bent: bool
    weights: Floats
    noise: Floats

    def mean(self, values: Mapping[str, Floats], output: int = 0) -> Floats:
        """Conditional mean (or logit) given the parents' values, broadcast to their common shape."""
        said = np.asarray(self.weights[0, output], dtype=float)
        at = 1
        for parent in self.parents:
            for term in parent.terms(values[parent.name], bent=self.bent):
                said = said + self.weights[at, output] * term
                at += 1
        return np.asarray(said)

    def chances(self, values: Mapping[str, Floats]) -> Floats:
        """Cumulative probabilities of the levels of a category, levels on the last axis."""
        logits = np.stack([self.mean(values, output) for output in range(self.weights.shape[1])], axis=-1)
        shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(np.cumsum(shares / shares.sum(axis=-1, keepdims=True), axis=-1))

    def abduct(self, values: Mapping[str, Floats], rng: np.random.Generator) -> Floats:
        """Abduction: noise of rows (rows,) from their values; of a category drawn among those that give its level."""
        own = values[self.scale.name]
        if not self.scale.levels:
            return np.asarray(own - self.mean(values))
        chances = np.broadcast_to(self.chances(values), (*own.shape, len(self.scale.levels)))
        place = np.nan_to_num(own).astype(int)[..., None]
        high = np.take_along_axis(chances, place, axis=-1)[..., 0]
        low = np.where(place[..., 0] > 0, np.take_along_axis(chances, np.maximum(place - 1, 0), axis=-1)[..., 0], 0.0)
        drawn = low + (high - low) * rng.random(own.shape)
        return np.asarray(np.where(np.isfinite(own), drawn, np.nan))

    def predict(self, values: Mapping[str, Floats], noise: Floats) -> Floats:
        """Value of the node from its parents and its noise."""
        if not self.scale.levels:
            return np.asarray(self.mean(values) + noise)
        passed = np.asarray(noise)[..., None] > self.chances(values)[..., :-1]
        return np.asarray(passed.sum(axis=-1), dtype=float)

    def draw(self, size: int, rng: np.random.Generator) -> Floats:
        """Draws of the node's noise: resampled residuals, uniform for a category."""
        return rng.random(size) if self.scale.levels else rng.choice(self.noise, size)


@dataclass(frozen=True, kw_only=True, eq=False)
class Scm:
    """Structural causal model: the equations of the nodes of a graph, causes first."""

    laws: dict[str, Law]

    @property
    def straight(self) -> bool:
        """Whether the model is linear in the noises, so that effects are additive."""
        return not any(law.bent or (law.scale.levels and law.parents) for law in self.laws.values())

    def read(self, rows: pd.DataFrame) -> dict[str, Floats]:
        """The nodes' encoded values of some rows."""
        return {name: law.scale.read(rows[name]) for name, law in self.laws.items()}

    def abduct(self, values: Mapping[str, Floats], rng: np.random.Generator) -> dict[str, Floats]:
        """Abduction: noise of every node from the values of rows."""
        return {name: law.abduct(values, rng) for name, law in self.laws.items()}

    def predict(self, noise: Mapping[str, Floats], *, given: Mapping[str, Floats] | None = None) -> dict[str, Floats]:
        """Prediction: the nodes' values from their noise; nodes in `given` are set (do-intervention).

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> rows = pd.DataFrame({"x": rng.normal(size=400)})
        >>> model = fit(rows.assign(y=2 * rows["x"] + 1), {"x": (), "y": ("x",)})
        >>> noise = model.abduct({"x": np.array([1.0]), "y": np.array([3.5])}, rng)
        >>> model.predict(noise, given={"x": np.array([0.0])})["y"].round(2).tolist()
        [1.5]
        """
        values: dict[str, Floats] = {}
        for name, law in self.laws.items():
            values[name] = given[name] if given is not None and name in given else law.predict(values, noise[name])
        return values


def fit(
    rows: pd.DataFrame,
    parents: Mapping[str, Sequence[str]],
    *,
    categorical: Sequence[str] = (),
    like: Scm | None = None,
) -> Scm:
    """Fit the structural equation of every node along a graph.

    Parameters
    ----------
    rows : pandas.DataFrame
        Those in which a node or a parent is missing are left out.
    parents : mapping of str to sequence of str
        Node → its direct causes, in an order in which causes come first.
    categorical : sequence of str
        Numeric columns that are codes.
    like : Scm, optional
        Of rows of which these are a resample: its scales are kept, so that both read the same.

    Raises
    ------
    Unanswerable
        If too few rows are complete, or a category has too many values to be drawn.
    """
    scales = {
        name: ColumnScale.of(rows[name], coded=name in categorical, follows=bool(causes))
        for name, causes in parents.items()
    }
    scales = scales if like is None else {name: law.scale for name, law in like.laws.items()}
    values = {name: scale.read(rows[name]) for name, scale in scales.items()}
    complete = np.isfinite(np.column_stack([*values.values()])).all(axis=1)
    if complete.sum() < MIN_ROWS:
        why = (
            f"only {int(complete.sum())} rows of the reference have all columns of the graph, and {MIN_ROWS} are needed"
        )
        raise Unanswerable("how the nodes follow from their parents", why)
    _require_few(scales, parents)
    seen = {name: column[complete] for name, column in values.items()}
    return Scm(laws={name: _law(scales[name], [scales[one] for one in parents[name]], seen) for name in parents})


def _require_few(scales: Mapping[str, ColumnScale], parents: Mapping[str, Sequence[str]]) -> None:
    for name, causes in parents.items():
        if causes and len(scales[name].levels) > MOST_LEVELS:
            why = f"{name} has {len(scales[name].levels)} categories, too many for chances given its parents"
            raise Unanswerable("how the nodes follow from their parents", why)


def _law(scale: ColumnScale, parents: Sequence[ColumnScale], seen: Mapping[str, Floats]) -> Law:
    target = seen[scale.name]
    if scale.levels:
        return _classes(scale, parents, seen)
    designs = {bent: _design(parents, seen, bent=bent) for bent in (False, True)}
    bent = designs[True].shape[1] > designs[False].shape[1] and _bends(designs, target)
    weights = _solved(designs[bent], target)
    noise = target - designs[bent] @ weights
    return Law(scale=scale, parents=tuple(parents), bent=bent, weights=weights[:, None], noise=noise)


def _design(parents: Sequence[ColumnScale], seen: Mapping[str, Floats], *, bent: bool) -> Floats:
    terms = [term for parent in parents for term in parent.terms(seen[parent.name], bent=bent)]
    return np.column_stack([np.ones(len(next(iter(seen.values())))), *terms])


def _solved(design: Floats, target: Floats) -> Floats:
    square = design.T @ design + RIDGE * np.eye(design.shape[1])
    return np.asarray(np.linalg.solve(square, design.T @ target))


def _bends(designs: Mapping[bool, Floats], target: Floats) -> bool:
    """Whether spline terms reduce the cross-validated squared error materially."""
    fold = np.arange(len(target)) % FOLDS
    left = {}
    for bent, design in designs.items():
        wrong = 0.0
        for held in range(FOLDS):
            weights = _solved(design[fold != held], target[fold != held])
            wrong += float(((target - design @ weights)[fold == held] ** 2).sum())
        left[bent] = wrong
    return left[True] < GAIN * left[False]


def _classes(scale: ColumnScale, parents: Sequence[ColumnScale], seen: Mapping[str, Floats]) -> Law:
    """Probabilities of categories: marginal frequencies, or a multinomial logistic regression on the parents."""
    target = seen[scale.name].astype(int)
    design, levels = _design(parents, seen, bent=False), len(scale.levels)
    weights = np.full((design.shape[1], levels), 0.0)
    counts = np.bincount(target, minlength=levels)
    weights[0] = np.log(np.maximum(counts, 0.5) / len(target))
    present = np.flatnonzero(counts)
    if design.shape[1] > 1 and len(present) > 1:
        weights[:, present] = _logistic(design, target, len(present))
        weights[0, counts == 0] = -30.0
    return Law(scale=scale, parents=tuple(parents), bent=False, weights=weights, noise=np.empty(0))


def _logistic(design: Floats, target: npt.NDArray[np.int_], levels: int) -> Floats:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=100.0, max_iter=500).fit(design[:, 1:], target)
    slopes, constants = model.coef_, model.intercept_
    if levels == 2:
        slopes, constants = np.vstack([0 * slopes[0], slopes[0]]), np.array([0.0, constants[0]])
    return np.asarray(np.vstack([constants, slopes.T]))
