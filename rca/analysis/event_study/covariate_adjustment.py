"""Doubly robust (AIPW) covariate adjustment: the metric before an event, standardised to the covariates after it.

Where covariates describe the kind of row, and the event cannot have changed them, their distribution is held fixed: an
outcome regression predicts what such rows would have given before, and rows before are weighted by the odds of their
propensity to resemble those after. The difference is consistent if either the regression or the weights are.

References
----------
.. [1] Robins, J. M., Rotnitzky, A. & Zhao, L. P. (1994). Estimation of regression coefficients when some regressors are
   not always observed. JASA 89: the doubly robust estimating equation.
.. [2] Chernozhukov, V. et al. (2018). Double/debiased machine learning. Econometrics Journal 21, definition 3.1:
   cross-fitting.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.arrays import Floats
from rca.methods.change_attribution.density_ratio import ENOUGH, effective
from rca.methods.metric import Parts
from rca.methods.regression_basis import Masks, Terms, chosen, lines, terms_of

FOLDS = 4
"""Cross-fitting folds of whole periods: no row is predicted by a model that was fitted to its own period."""

MIN_ROWS = 40
"""Rows of a side of the event below which nothing is regressed."""

HEAVIEST = 0.05
"""Share of all weight on one row from which on a weighted mean is that row's."""

APART = 0.25
"""Largest standardised mean difference that weighted rows may still have from those they stand for."""

STEEP = 1e-3
"""Ridge penalty of the propensity regression, as a share of the rows."""

TURNS = 30
"""Most Newton steps."""

Both = tuple[Floats, Floats]


@dataclass(frozen=True, kw_only=True, eq=False)
class Adjusted:
    """Parts of the metric standardised to the covariate distribution after the event.

    Attributes
    ----------
    before, after : Parts
        Of the rows of either side; ratios of their sums are the standardised metric, up to sampling noise.
    apart : float
        How far the weighted rows before still are from those after in any line of a covariate, in standard deviations.
    weights : ndarray of shape (rows before,)
        Mean one; a row's likeness to the rows after the event.
    chances : ndarray of shape (rows after,)
        Share of rows like this one that come from after the event.
    """

    before: Parts
    after: Parts
    apart: float
    weights: Floats
    chances: Floats

    @property
    def n_effective(self) -> float:
        """Effective sample size (Kish) of the weighted rows before the event."""
        return effective(self.weights)

    @property
    def overlaps(self) -> bool:
        """Whether there is overlap: enough effective rows, no dominating weight, and balanced covariates."""
        heaviest = float(self.weights.max() / self.weights.sum())
        return self.n_effective >= ENOUGH and heaviest <= HEAVIEST and self.apart <= APART


def adjusted(
    rows: tuple[pd.DataFrame, pd.DataFrame],
    parts: tuple[Parts, Parts],
    places: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    *,
    covariates: Sequence[str],
    categorical: Sequence[str] = (),
) -> Adjusted:
    """Doubly robust (AIPW) adjustment to the covariate distribution after an event, cross-fitted over periods.

    Parameters
    ----------
    rows : tuple of pandas.DataFrame
        Before and after the event, those that count.
    parts : tuple of Parts
        Their parts of the metric.
    places : tuple of ndarray of int, shape (rows,)
        Period of each row, so that folds are of whole periods.
    covariates : sequence of str
    categorical : sequence of str
        Numeric columns that are codes.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> kinds = [pd.DataFrame({"kind": (rng.random(4000) < share).astype(float)}) for share in (0.2, 0.6)]
    >>> wrong = [(rng.random((4000, 1)) < 0.1 + 0.3 * kind.to_numpy()).astype(float) for kind in kinds]
    >>> parts = [Parts(numerator=one, denominator=np.ones((4000, 1))) for one in wrong]
    >>> at = np.arange(4000) // 200
    >>> held = adjusted(tuple(kinds), tuple(parts), (at, at), covariates=["kind"])
    >>> round(parts[1].value() - parts[0].value(), 2), round(held.after.value() - held.before.value(), 2)
    (0.11, 0.0)
    """
    columns = [lines(rows[0][name], rows[1][name], coded=name in categorical) for name in covariates]
    weights, chances = np.zeros(len(rows[0])), np.zeros(len(rows[1]))
    responses = np.hstack([parts[0].numerator, parts[0].denominator])
    told = np.zeros_like(responses), np.zeros((len(rows[1]), responses.shape[1]))
    whole = np.ones(len(rows[0]), bool), np.ones(len(rows[1]), bool)
    first = responses[:, 0], np.hstack([parts[1].numerator, parts[1].denominator])[:, 0]
    terms = terms_of(columns, first, whole, learner=replace(chosen(columns, first, whole), trees=False, rich=False))
    for fold in range(FOLDS):
        held: Masks = (places[0] % FOLDS == fold, places[1] % FOLDS == fold)
        train = ~held[0], ~held[1]
        slopes = np.linalg.solve(*terms.normal(terms.reference[train[0]], responses[train[0]]))
        for side in (0, 1):
            told[side][held[side]] = terms.windows[side][held[side]] @ slopes
        odds = _odds(terms, train)
        weights[held[0]] = np.exp(terms.reference[held[0]] @ odds)
        chances[held[1]] = 1 / (1 + np.exp(-terms.current[held[1]] @ odds))
    weights /= weights.mean() or 1.0
    away = (weights @ terms.reference) / len(weights) - terms.current.mean(axis=0)
    found = _at_one_mix(parts, told, weights)
    return Adjusted(before=found[0], after=found[1], apart=float(np.abs(away).max()), weights=weights, chances=chances)


def _odds(terms: Terms, train: Masks) -> Floats:
    """Coefficients of a ridge logistic regression for a row to come from after the event (propensity)."""
    seen = np.vstack([terms.reference[train[0]], terms.current[train[1]]])
    later = np.repeat([0.0, 1.0], [int(train[0].sum()), int(train[1].sum())])
    ridge = STEEP * len(seen) * np.where(np.arange(seen.shape[1]) == 0, 0.0, 1.0)
    found = np.zeros(seen.shape[1])
    found[0] = np.log(max(later.mean(), 1e-9) / max(1 - later.mean(), 1e-9))
    for _ in range(TURNS):
        chance = 1 / (1 + np.exp(-np.clip(seen @ found, -30, 30)))
        curve = (seen * np.maximum(chance * (1 - chance), 1e-6)[:, None]).T @ seen + np.diag(ridge + 1e-9)
        step = np.linalg.solve(curve, seen.T @ (later - chance) - ridge * found)
        found = found + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-8:
            break
    return np.asarray(found)


def _at_one_mix(parts: tuple[Parts, Parts], told: Both, weights: Floats) -> tuple[Parts, Parts]:
    """Parts of the standardised metric: weighted residuals of the outcome regression, around its predicted ratio.

    With ``z = numerator - R denominator`` and R the ratio that rows like those after the event would have had, a row
    before it is worth ``w (z - E[z | x])`` and a row after it ``z - E[z | x]``, each of mean zero without an effect.
    """
    groups = parts[0].numerator.shape[1]
    steady = weights[:, None]
    left = np.hstack([parts[0].numerator, parts[0].denominator]) - told[0]
    usual = told[1].mean(axis=0) + (steady * left).mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = usual[:groups] / usual[groups:]
    ratio = np.where(np.isfinite(ratio), ratio, 0.0)
    found = []
    for part, said, weight in zip(parts, told, (steady, np.ones((len(told[1]), 1))), strict=True):
        known = part.numerator - ratio * part.denominator - (said[:, :groups] - ratio * said[:, groups:])
        base = weight * part.denominator
        found.append(replace(part, numerator=weight * known + ratio * base, denominator=base))
    return found[0], found[1]


def trimmed(found: Adjusted, most: float) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Masks of rows on either side whose propensity is not extreme."""
    share = len(found.chances) / max(len(found.chances) + len(found.weights), 1)
    odds = found.weights * share / max(1 - share, 1e-9)
    chance = odds / (1 + odds)
    return chance <= most, found.chances <= most
