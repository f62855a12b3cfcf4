"""Does an outcome follow its inputs as before: cross-fitted residuals, by level, by input, and by a paid correction.

A model of the outcome given the inputs is fitted to the reference in folds. A reference row is scored by the fold that
has not seen it, and a current row by one fold drawn at random, never by their average, which is calibrated otherwise.
So without a change the residuals of both windows have one law, however badly the model fits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rca.arrays import Floats, Places
from rca.methods.boosted_trees import regressor
from rca.tables.columns import for_trees

FOLDS = 3
"""Cross-fitting folds of the reference."""

BINS = 8
"""Bins of the prediction in which mean residuals are compared."""

SKILL_SHARE, SKILL_Z = 0.01, 3.0
"""Share of the outcome's variance that inputs have to tell of, beyond chance by so many standard errors."""

Both = tuple[Floats, Floats]
"""Arrays of the reference's rows and of the current ones."""

EFFECT_BINS, EFFECT_ROWS = 6, 8
"""Bins of an input in which mean residuals are compared, and rows that a bin needs."""

TAIL = 0.002
"""Share of the reference's residuals on either side beyond which a residual counts as no farther."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What is modelled: targets and inputs of the rows of both windows whose outcome is known.

    Attributes
    ----------
    targets : (ndarray, ndarray)
        Of shape (rows, classes): indicators of all classes but one, or the number itself.
    inputs : (ndarray, ndarray)
        Of shape (rows, columns), as tree learners read them.
    columns : tuple of str
        Names of the columns of `inputs`.
    number : bool
        Whether the target is a number.
    """

    targets: tuple[Floats, Floats]
    inputs: tuple[Floats, Floats]
    columns: tuple[str, ...]
    number: bool = False

    def seen(self, columns: Sequence[str]) -> tuple[Floats, Floats]:
        """Some of the inputs of both windows; a constant where there are none."""
        places = [self.columns.index(name) for name in columns]
        if not places:
            return np.zeros((len(self.inputs[0]), 1)), np.zeros((len(self.inputs[1]), 1))
        return for_trees(self.inputs[0][:, places]), for_trees(self.inputs[1][:, places])


@dataclass(frozen=True, kw_only=True)
class Relation:
    """How an outcome follows some inputs in both windows.

    Attributes
    ----------
    columns : tuple of str
    level_z : float
        Mean residuals in bins of the prediction against the reference's, as a one-sided z.
    correction_z : float
        Loss that a correction learned on half of the current rows saves on the other half, less the same in the
        reference, in standard errors; 0 where the target is a number. There the noise is small beside the error of the
        fit, which all current rows share and the folds of the reference do not, so that a correction would pay.
    effect_z : float
        Steepest change of the mean residuals along one input, as a one-sided z, Bonferroni over the inputs.
    skill, skill_error : float
        Share of the outcome's variance in the reference that the inputs tell of, in rows not fitted.
    expected : (ndarray, ndarray)
        Prediction for each row of both windows, of shape (rows, classes).
    """

    columns: tuple[str, ...]
    level_z: float
    correction_z: float
    effect_z: float
    skill: float
    skill_error: float
    expected: tuple[Floats, Floats]

    @property
    def z(self) -> float:
        """Evidence that the outcome follows the inputs otherwise: the largest of the tests."""
        return max(self.level_z, self.correction_z, self.effect_z)

    @property
    def telling(self) -> bool:
        """Whether the inputs told of the outcome in the reference; below that nothing can be said of the relation."""
        return self.skill >= SKILL_SHARE and self.skill >= SKILL_Z * self.skill_error


def followed(outcome: Outcome, columns: Sequence[str], *, seed: int = 0) -> Relation:
    """Test whether the outcome follows some columns in the current window as in the reference.

    Parameters
    ----------
    outcome : Outcome
        With at least `MIN_ROWS` rows in each window.
    columns : sequence of str
    seed : int
        Of the folds; the same for every set of columns, so that tests of two sets differ by the columns alone.
    """
    rng = np.random.default_rng(seed)
    before, after = outcome.seen(columns)
    y, late = outcome.targets
    fold, drawn = rng.permutation(len(y)) % FOLDS, rng.integers(0, FOLDS, len(late))
    expected = np.empty_like(y), np.empty_like(late)
    for k in range(FOLDS):
        for j in range(y.shape[1]):
            model = _small().fit(before[fold != k], y[fold != k, j])
            expected[0][fold == k, j] = model.predict(before[fold == k])
            if (drawn == k).any():
                expected[1][drawn == k, j] = model.predict(after[drawn == k])
    left = _trimmed(y - expected[0], late - expected[1])
    saved = ((y - y.mean(axis=0)) ** 2 - (y - expected[0]) ** 2).sum(axis=1)
    spread = float(y.var(axis=0).sum()) or 1.0
    return Relation(
        columns=tuple(columns),
        level_z=_level(left, expected),
        correction_z=0.0 if outcome.number else _correction(left, seen=(before, after), expected=expected, rng=rng),
        effect_z=_effect(left, seen=(before, after), expected=expected),
        skill=float(saved.mean()) / spread,
        skill_error=float(saved.std() / np.sqrt(len(saved))) / spread,
        expected=expected,
    )


def _small() -> Any:
    return regressor(rounds=40, leaves=8, rate=0.1)


def _trimmed(before: Floats, after: Floats) -> tuple[Floats, Floats]:
    """Residuals no farther than the reference's reach, so that a few wild rows decide nothing."""
    low, high = np.quantile(before, [TAIL, 1 - TAIL], axis=0)
    return np.clip(before, low, high), np.clip(after, low, high)


def _level(left: tuple[Floats, Floats], expected: tuple[Floats, Floats]) -> float:
    """Mean residuals by bins of the prediction, current less reference: a chi-square as a z."""
    from scipy.stats import chi2, norm

    total, freedom = 0.0, 0
    for j in range(left[0].shape[1]):
        edges = np.unique(np.quantile(expected[0][:, j], np.linspace(0, 1, BINS + 1)[1:-1]))
        bins = [np.searchsorted(edges, side[:, j]) for side in expected]
        for one in range(len(edges) + 1):
            rows = [side[at == one, j] for side, at in zip(left, bins, strict=True)]
            error = sum(float(part.var()) / len(part) for part in rows if len(part) > 1)
            if min(map(len, rows)) >= BINS and error > 0:
                total, freedom = total + float(rows[1].mean() - rows[0].mean()) ** 2 / error, freedom + 1
    chance = float(chi2.sf(total, freedom)) if freedom else 0.5
    return float(norm.isf(max(chance, 1e-300)))


def _effect(left: Both, *, seen: Both, expected: Both) -> float:
    """Steepest change of mean residuals, current less reference, along an input or along its effect so far, as a z."""
    from scipy.stats import norm

    steepest, asked = 0.0, 0
    for column in range(seen[0].shape[1]):
        edges = _edges(seen[0][:, column])
        bins = [np.searchsorted(edges, side[:, column]) for side in seen]
        count = np.maximum(np.bincount(bins[0], minlength=len(edges) + 1), 1)
        for target in range(left[0].shape[1]):
            effect = np.bincount(bins[0], weights=expected[0][:, target], minlength=len(edges) + 1) / count
            for along in (np.arange(len(edges) + 1.0), effect):
                slope = slope_of_change([side[:, target] for side in left], bins, along)
                steepest, asked = max(steepest, abs(slope)), asked + 1
    chance = min(1.0, 2 * asked * float(norm.sf(steepest)))
    return float(norm.isf(max(chance, 1e-300))) if chance < 1 else 0.0


def _edges(values: Floats) -> Floats:
    """Edges between bins of equally many values; none where there are no values."""
    known = values[np.isfinite(values)]
    return np.unique(np.quantile(known, np.linspace(0, 1, EFFECT_BINS + 1)[1:-1])) if len(known) else known


def own_effect(outcome: Outcome, without: Relation, column: str) -> float:
    """What a column tells of the outcome beyond others in the current window, along what it told in the reference.

    A wrong value tells less than the right one, or nothing. One that tells the contrary is no wrong value.

    Parameters
    ----------
    outcome : Outcome
    without : Relation
        To the other columns.
    column : str

    Returns
    -------
    float
        As a z: above 0 where it tells the same, below 0 where it tells the contrary.
    """
    values = [side[:, outcome.columns.index(column)] for side in outcome.inputs]
    edges = _edges(values[0])
    bins = [np.searchsorted(edges, side) for side in values]
    left = _trimmed(*(target - said for target, said in zip(outcome.targets, without.expected, strict=True)))
    count = np.maximum(np.bincount(bins[0], minlength=len(edges) + 1), 1)
    told = []
    for target in range(left[0].shape[1]):
        effect = np.bincount(bins[0], weights=left[0][:, target], minlength=len(edges) + 1) / count
        told.append(slope_of_change([np.zeros(len(bins[0])), left[1][:, target]], bins, effect))
    return max(told, key=abs)


def slope_of_change(left: Sequence[Floats], bins: Sequence[Places], along: Floats) -> float:
    """Slope along some bins of how residuals changed, current less reference, over its standard error."""
    counts = [np.bincount(at, minlength=len(along)) for at in bins]
    sums = [np.bincount(at, weights=values, minlength=len(along)) for at, values in zip(bins, left, strict=True)]
    squares = [np.bincount(at, weights=values**2, minlength=len(along)) for at, values in zip(bins, left, strict=True)]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = [one / count for one, count in zip(sums, counts, strict=True)]
        error = sum((one / n - mean**2) / n for one, n, mean in zip(squares, counts, means, strict=True))
    told = (np.minimum(*counts) >= EFFECT_ROWS) & (error > 0)
    if told.sum() < 2:
        return 0.0
    change, weight, place = (means[1] - means[0])[told], 1 / np.asarray(error)[told], along[told]
    place = place - (weight * place).sum() / weight.sum()
    spread = float((weight * place**2).sum())
    return float((weight * place * change).sum() / np.sqrt(spread)) if spread > 0 else 0.0


def _correction(left: Both, *, seen: Both, expected: Both, rng: np.random.Generator) -> float:
    """What a correction of the residuals saves on rows that did not teach it, less the same in the reference, as z."""
    rows = min(len(left[0]), len(left[1]))
    saved = []
    for residuals, inputs, said in zip(left, seen, expected, strict=True):
        chosen = np.sort(rng.permutation(len(residuals))[:rows])
        saved.append(_saved(residuals[chosen], np.hstack([inputs, said])[chosen], rng))
    error = float(np.sqrt(sum(part.var() / rows for part in saved)))
    own = float(saved[1].mean() / (saved[1].std() / np.sqrt(rows) or np.inf))
    return min(own, float(saved[1].mean() - saved[0].mean()) / error) if error > 0 else 0.0


def _saved(residuals: Floats, inputs: Floats, rng: np.random.Generator) -> Floats:
    """Squared error that a correction, learned on the other half, saves in each row."""
    half = rng.permutation(len(residuals)) % 2
    saved = np.zeros(len(residuals))
    for one in (0, 1):
        taught, tested = half != one, half == one
        for j in range(residuals.shape[1]):
            model = regressor(rounds=20, leaves=6, rate=0.1, shrinkage=10.0).fit(inputs[taught], residuals[taught, j])
            correction = model.predict(inputs[tested])
            saved[tested] += residuals[tested, j] ** 2 - (residuals[tested, j] - correction) ** 2
    return saved
