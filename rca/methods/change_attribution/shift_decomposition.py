"""Distribution shift decomposition (DISDE) of a mean loss: covariate shift, outcome given covariates, unseen region.

Let ``m(x)`` be the reference's expected loss at x. Current rows outside the reference's support are the unseen region;
there m is not identified. Over all others the change is that of x under the reference's m (covariate shift), and that
of the loss given x (concept shift). Both rest on the mean of m over current rows, by a one-step doubly robust (AIPW)
estimator: the regression's mean there, corrected by the reference's residuals, weighted by the density ratio.

References
----------
.. [1] Cai, T. T., Namkoong, H. & Yadlowsky, S. Diagnosing model performance under distribution shift. Operations
   Research: the three terms, and why the shared region is kept apart.
.. [2] Singh, H., Xia, F., Gossmann, A., Chuang, A., Hong, J. C. & Feng, J. (2024). A hierarchical decomposition for
   explaining ML performance discrepancies. NeurIPS, section 4: the one-step estimators.
.. [3] Kang, J. D. Y. & Schafer, J. L. (2007). Demystifying double robustness. Statistical Science 22(4), section 3.4:
   regressions weighted by the ratio that corrects them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import pandas as pd

from rca.arrays import Floats, Mask, Places
from rca.errors import Unanswerable
from rca.finding import Finding, Interval, Target, Unanswered
from rca.methods.change_attribution.density_ratio import ENOUGH, effective
from rca.methods.change_attribution.multiply_robust import HEAVIEST, MIN_ROWS
from rca.methods.change_attribution.one_step import Nuisance
from rca.methods.metric import Parts
from rca.methods.regression_basis import HUGEST, TwoSamples, lines
from rca.result import Result, Row
from rca.tables.columns import as_labels, as_numbers, kind_of

Name = Literal["baseline", "features", "outcome", "unseen"]

FOLDS = 5
"""Cross-fitting folds."""

BEYOND = 1.0
"""Interquartile ranges outside the reference's range from which a number is outside its support."""

WORDS = {
    "baseline": "baseline columns that moved",
    "features": "features that moved",
    "outcome": "the label given the features",
    "unseen": "rows like none in the reference",
}


@dataclass(frozen=True, kw_only=True)
class Term:
    """One term of the decomposition, with its overlap diagnostics.

    Attributes
    ----------
    name : {'baseline', 'features', 'outcome', 'unseen'}
    value, error : float
        In the metric's unit, and its standard error.
    interval : Interval
    n_effective : float
        Effective reference rows, weighted to look like current ones, behind it.
    heaviest : float
        Largest share of the weight that is on one of them.
    """

    name: Name
    value: float
    error: float
    interval: Interval
    n_effective: float
    heaviest: float

    @property
    def identifiable(self) -> bool:
        """Whether the windows overlap enough: effective sample size and largest weight within bounds."""
        return self.n_effective >= ENOUGH and self.heaviest <= HEAVIEST

    def __str__(self) -> str:
        if not self.identifiable:
            return f"{WORDS[self.name]}: not identifiable, no overlap ({self.n_effective:.0f} effective rows)"
        return f"{WORDS[self.name]}: {self.value:+.3g} ({self.interval})"


@dataclass(frozen=True, kw_only=True)
class Decomposition(Result):
    """Decomposition of a change of a mean into terms that add up to it.

    Attributes
    ----------
    terms : tuple of Term
    change : float
        Current less reference.
    unseen_share : float
        Share of the current rows outside the reference's support.
    """

    terms: tuple[Term, ...]
    change: float
    unseen_share: float

    def __str__(self) -> str:
        return f"a change of {self.change:+.3g}: " + "; ".join(map(str, self.terms))

    def __getitem__(self, name: str) -> Term:
        return next(term for term in self.terms if term.name == name)

    def rows(self) -> list[Row]:
        return [
            {
                "term": WORDS[term.name],
                "contribution": term.value if term.identifiable else None,
                "interval": str(term.interval) if term.identifiable else "not identifiable: no overlap",
                "effective rows": round(term.n_effective),
                "heaviest row": term.heaviest,
            }
            for term in self.terms
        ]

    @property
    def unanswered(self) -> tuple[Unanswered, ...]:
        """Terms that are not identifiable, for want of overlap."""
        why = "not identifiable: no overlap, only {:.0f} effective reference rows look like current ones"
        return tuple(
            Unanswered(question=f"what did {WORDS[term.name]} do", why=why.format(term.n_effective))
            for term in self.terms
            if not term.identifiable
        )

    def findings(self) -> tuple[Finding, ...]:
        return tuple(
            Finding(
                id=f"decomposition.{term.name}",
                notebook="drift",
                claim=f"{WORDS[term.name]} changed the metric by {term.value:+.3g} ({term.interval})",
                cause=Target(kind="concept", name="label") if term.name == "outcome" else None,
                effect=term.value,
                interval=term.interval,
                n_effective=term.n_effective,
                assumptions=("no unmeasured column moved with it",),
            )
            for term in self.terms
            if term.identifiable
        )


def decompose(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    features: Sequence[str],
    loss: str | tuple[Parts, Parts],
    rng: np.random.Generator,
    baseline: Sequence[str] = (),
    categorical: Sequence[str] = (),
    level: float = 0.95,
) -> Decomposition:
    """Decompose the change of a mean loss: baseline columns, features given them, loss given both, and unseen rows.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    features, baseline : sequence of str
        Columns of each of the two steps; no baseline gives one step less.
    loss : str or tuple of Parts
        A column whose mean is meant; or the parts of a ratio of means in each window.
    rng : numpy.random.Generator
        Draws the folds.
    categorical : sequence of str
        Numeric columns that are codes.
    level : float
        Of the intervals.

    Returns
    -------
    Decomposition
        Its terms add up to the change.

    Raises
    ------
    Unanswerable
        If a window has fewer than 40 rows that count, or the metric is no ratio of means.

    References
    ----------
    Singh et al. (2024), section 4; Cai et al., for the unseen.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before, after = (pd.DataFrame({"x": rng.normal(m, 1, 2000)}) for m in (0.0, 0.5))
    >>> before["loss"], after["loss"] = before["x"] ** 2, after["x"] ** 2 + 1
    >>> found = decompose(before, after, features=["x"], loss="loss", rng=rng)
    >>> [term.name for term in found.terms], round(found["outcome"].value, 2)
    (['features', 'outcome', 'unseen'], 1.0)
    """
    before, after = _outcomes(reference, current, loss)
    steps: list[tuple[Name, tuple[str, ...]]] = [("features", (*baseline, *features))]
    if baseline:
        steps.insert(0, ("baseline", tuple(baseline)))
    coded = set(categorical)
    laid = {name: lines(reference[name], current[name], coded=name in coded) for name in steps[-1][1]}
    unseen = _unseen(reference, current, steps[-1][1], coded=coded)
    folds = rng.permutation(len(before)) % FOLDS, rng.permutation(len(after)) % FOLDS
    stages, weights = [_Stage(reference=before, current=np.zeros_like(after))], []
    for _, columns in steps:
        stage, weight = _stage([laid[name] for name in columns], (before, after), unseen, folds=folds)
        stages.append(stage)
        weights.append(weight)
    stages += [_observed(before, after, unseen), _Stage(reference=np.zeros_like(before), current=after)]
    weights += [weights[-1], np.ones(len(before))]
    names: list[Name] = [*(name for name, _ in steps), "outcome", "unseen"]
    terms = [
        _term(name, (old, new), weight, level=level)
        for name, old, new, weight in zip(names, stages, stages[1:], weights, strict=False)
    ]
    change = stages[-1].value - stages[0].value
    return Decomposition(terms=tuple(terms), change=change, unseen_share=float(unseen.mean()))


@dataclass(frozen=True, kw_only=True)
class Transported:
    """The reference's mean loss transported to the current covariate distribution, with its influence function.

    Attributes
    ----------
    value : float
    influence : tuple of ndarray of shape (rows,)
        First-order effect of each row of a window on the value, before division by the window's rows.
    n_effective, heaviest : float
        Effective reference rows behind it, and the largest share of the weight on one of them.
    unseen_share : float
        Share of the current rows outside the reference's support; they are given the reference's mean loss.
    """

    value: float
    influence: TwoSamples
    n_effective: float
    heaviest: float
    unseen_share: float

    @property
    def identifiable(self) -> bool:
        """Whether the windows overlap enough, and next to no current row is outside the reference's support."""
        return self.n_effective >= ENOUGH and max(self.heaviest, self.unseen_share) <= HEAVIEST


def transported(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    features: Sequence[str],
    loss: str,
    rng: np.random.Generator,
    categorical: Sequence[str] = (),
) -> Transported:
    """Transport the reference's mean loss to the current distribution of some columns (AIPW); uses no current loss.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    features : sequence of str
    loss : str
        A column of the reference.
    rng : numpy.random.Generator
        Draws the folds.
    categorical : sequence of str
    """
    values, coded = as_numbers(reference[loss]), set(categorical)
    before = np.column_stack([np.where(np.isfinite(values), values, 0.0), np.isfinite(values)])
    laid = [lines(reference[name], current[name], coded=name in coded) for name in features]
    folds = rng.permutation(len(before)) % FOLDS, rng.permutation(len(current)) % FOLDS
    unseen = _unseen(reference, current, features, coded=coded)
    stage, weights = _stage(laid, (before, np.zeros((len(current), 2))), unseen, folds=folds)
    return Transported(
        value=stage.value,
        influence=stage.influence(),
        n_effective=effective(weights),
        heaviest=float(weights.max() / weights.sum()),
        unseen_share=float(unseen.mean()),
    )


def _outcomes(reference: pd.DataFrame, current: pd.DataFrame, loss: str | tuple[Parts, Parts]) -> TwoSamples:
    """Numerator and denominator of each row of each window."""
    question = "how does the change split into features and label"
    if isinstance(loss, tuple):
        if loss[0].shape != "ratio":
            raise Unanswerable(question, "the metric is no ratio of means")
        found = [np.hstack([one.numerator, one.denominator]) for one in loss]
    else:
        values = [as_numbers(rows[loss]) for rows in (reference, current)]
        found = [np.column_stack([np.where(np.isfinite(v), v, 0.0), np.isfinite(v)]) for v in values]
    fewest = min(int((one[:, 1] != 0).sum()) for one in found)
    if fewest < MIN_ROWS:
        raise Unanswerable(question, f"a window has {fewest} rows that count, {MIN_ROWS} are needed")
    return found[0], found[1]


def _unseen(reference: pd.DataFrame, current: pd.DataFrame, columns: Sequence[str], *, coded: set[str]) -> Mask:
    """Current rows outside the reference's support: a new category, a new missing value, or a number far outside."""
    found = np.zeros(len(current), bool)
    for name in columns:
        before, after = reference[name], current[name]
        if kind_of(before, coded=name in coded) == kind_of(after, coded=name in coded) == "numeric":
            found |= _outside(as_numbers(before), as_numbers(after))
        else:
            known = pd.Index(as_labels(before), dtype=object)
            found |= ~pd.Index(as_labels(after), dtype=object).isin(known)
    return found


def _outside(before: Floats, after: Floats) -> Mask:
    held = np.clip(before[np.isfinite(before)], -HUGEST, HUGEST)
    if not len(held):
        return np.isfinite(after)
    low, high = np.quantile(held, [0.25, 0.75])
    margin = BEYOND * (high - low)
    new_hole = np.isnan(after) & (not np.isnan(before).any())
    return np.asarray(new_hole | (after < held.min() - margin) | (after > held.max() + margin))


@dataclass(frozen=True, kw_only=True)
class _Stage:
    """Row-wise scores of a mean of numerator and denominator; the mean is the sum of both windows' means.

    Attributes
    ----------
    reference, current : ndarray of shape (rows, 2)
    """

    reference: Floats
    current: Floats

    @property
    def means(self) -> Floats:
        return np.asarray(self.reference.mean(axis=0) + self.current.mean(axis=0))

    @property
    def value(self) -> float:
        return float(self.means[0] / self.means[1])

    def influence(self) -> TwoSamples:
        """Influence function of the value, by row of each window, shape (rows,)."""
        turned = np.array([1.0, -self.value]) / self.means[1]
        before, after = self.reference @ turned, self.current @ turned
        return before - before.mean(), after - after.mean()


def _term(name: Name, stages: tuple[_Stage, _Stage], weights: Floats, *, level: float) -> Term:
    """The difference of two stages as a term, with its standard error from the influence functions."""
    value = stages[1].value - stages[0].value
    moved = [new - old for old, new in zip(stages[0].influence(), stages[1].influence(), strict=True)]
    error = float(np.sqrt(sum(float((side**2).sum()) / len(side) ** 2 for side in moved)))
    reach = NormalDist().inv_cdf((1 + level) / 2) * error
    return Term(
        name=name,
        value=value,
        error=error,
        interval=Interval(low=value - reach, high=value + reach, level=level),
        n_effective=effective(weights),
        heaviest=float(weights.max() / weights.sum()),
    )


def _observed(before: Floats, after: Floats, unseen: Mask) -> _Stage:
    """The current loss within the reference's support; the reference's mean outside."""
    mean = before.mean(axis=0)
    return _Stage(reference=unseen.mean() * (before - mean), current=np.where(unseen[:, None], mean, after))


def _stage(
    columns: Sequence[TwoSamples], outcomes: TwoSamples, unseen: Mask, *, folds: tuple[Places, Places]
) -> tuple[_Stage, Floats]:
    """AIPW mean of the reference's loss under the current distribution of some columns, and its weights."""
    before, after = outcomes
    base = _observed(before, np.zeros_like(after), unseen)
    seen = [one for one in columns if one[0].shape[1]]
    nuisance = Nuisance.chosen(seen, before[:, 0], (folds[0] != 0, (folds[1] != 0) & ~unseen))
    expected, added, weights = base.current.copy(), np.zeros_like(before), np.ones(len(before))
    for fold in range(FOLDS):
        train, held, asked = folds[0] != fold, folds[0] == fold, (folds[1] == fold) & ~unseen
        ratio = nuisance.ratio((train, (folds[1] != fold) & ~unseen))
        for part in range(before.shape[1]):
            told, foretold = nuisance.regressed(before[:, part], train, ratio)
            expected[asked, part] = foretold[asked]
            added[held, part] = ratio[held] / ratio[held].mean() * (before[held, part] - told[held])
        weights[held] = ratio[held]
    freedom = effective(weights) / max(effective(weights) - nuisance.size, 1.0)
    mean = added.mean(axis=0)
    return _Stage(
        reference=base.reference + (1 - unseen.mean()) * (mean + np.sqrt(freedom) * (added - mean)), current=expected
    ), weights
