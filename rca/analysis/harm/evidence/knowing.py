"""What knowing an outcome depends on: tests of rows with against rows without it, by answer, time and features.

One feature at a time misses what two conditions say together, so a small cross-fitted classifier of knowing is tested
beside it: its area under the curve, within the rows that did not teach it.

References
----------
.. [1] Hanley, J. A. & McNeil, B. J. (1982). Radiology 143(1): the area under the curve is the Mann-Whitney statistic.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Mask
from rca.methods.boosted_trees import classifier
from rca.methods.two_sample_tests import chi_square, kolmogorov_smirnov
from rca.tables.columns import Encoder, as_labels, as_numbers, for_trees, kind_of

ALPHA = 0.0025
"""p-value of each of the four tests; for one in a hundred of all."""

MOST_COLUMNS, MOST_ROWS, MOST_VALUES = 30, 2000, 20
"""Features and rows that are looked at, and values of a category that are told apart."""

ENOUGH = 20
"""Rows of each sort below which nothing is tested."""

FOLDS = 2
"""Cross-fitting folds of the classifier."""


@dataclass(frozen=True, kw_only=True)
class Knowing:
    """What knowing the outcome depends on in one window.

    Attributes
    ----------
    tested : bool
        Whether there were rows enough, with an outcome and without.
    answer : bool
        Whether it depends on the model's answers.
    time : bool
        Whether it depends on the time.
    recent : bool
        Whether it is the recent rows that lack their outcomes.
    features : tuple of str
        Columns that it depends on, each by itself.
    auc : float or None
        Area under the curve of a held-out classifier of knowing by the features; one half where they tell nothing.
    auc_z : float
        Its distance from one half, in standard errors.
    jointly : bool
        Whether the classifier tells more than chance.
    """

    tested: bool
    answer: bool = False
    time: bool = False
    recent: bool = False
    features: tuple[str, ...] = ()
    auc: float | None = None
    auc_z: float = 0.0
    jointly: bool = False

    @property
    def nothing(self) -> bool:
        """Whether it depends on nothing that was tested."""
        return self.tested and not (self.time or self.selective)

    @property
    def selective(self) -> bool:
        """Whether rows of one sort are known more often: then the known ones have another metric than all."""
        return self.answer or bool(self.features) or self.jointly


def depends_on(windows: Windows, known: Mask, column: str) -> Knowing:
    """Test what knowing the outcome depends on in the current window.

    Parameters
    ----------
    windows : Windows
    known : ndarray of bool, shape (current rows,)
    column : str
        Of the outcomes; it is no feature.

    Examples
    --------
    >>> from rca.analysis.inputs.windows import windows_from
    >>> rng = np.random.default_rng(0)
    >>> rows = pd.DataFrame({"x": rng.normal(size=900), "z": rng.normal(size=900), "y": rng.normal(size=900)})
    >>> windows = windows_from(rows, rows, metric={"name": "mean", "column": "y"})
    >>> depends_on(windows, (rows["x"] < 0.5).to_numpy(), "y").features
    ('x',)
    """
    if min(known.sum(), (~known).sum()) < ENOUGH:
        return Knowing(tested=False)
    chosen = np.concatenate([_spread(np.flatnonzero(side)) for side in (known, ~known)])
    rows, known = windows.current.iloc[chosen].reset_index(drop=True), known[chosen]
    roles = windows.roles
    names = [name for name in dict.fromkeys((*roles.features, *roles.groups)) if name in rows and name != column]
    names = names[:MOST_COLUMNS]
    answers = [name for name in (roles.score, roles.prediction) if name in rows and name != column]
    apart = {name: _p_value(rows[name], known, coded=name in roles.categorical) for name in (*names, *answers)}
    time, recent = _by_time(rows, known, roles.time)
    auc, z = _auc(rows, known, names)
    return Knowing(
        tested=True,
        answer=any(apart[name] * len(answers) < ALPHA for name in answers),
        time=time,
        recent=time and recent,
        features=tuple(name for name in names if apart[name] * len(names) < ALPHA),
        auc=auc,
        auc_z=z,
        jointly=z > 2.81,
    )


def _spread(places: Any) -> Any:
    """At most `MOST_ROWS` of some positions, evenly spread."""
    return places[np.linspace(0, len(places) - 1, min(len(places), MOST_ROWS)).astype(int)]


def _p_value(values: "pd.Series[Any]", known: Mask, *, coded: bool) -> float:
    """p-value of no difference between rows with and without an outcome; of its missing values too."""
    missing = values.isna().to_numpy(bool)
    gaps = _table(missing.astype(np.intp), known) if missing.any() else 1.0
    if kind_of(values, coded=coded) != "numeric":
        codes = pd.factorize(as_labels(values))[0]
        return min(1.0, 2 * gaps, 2 * _table(_common(codes), known)) if missing.any() else _table(_common(codes), known)
    numbers = as_numbers(values)
    there = ~np.isnan(numbers)
    sides = numbers[there & known], numbers[there & ~known]
    if min(map(len, sides)) < ENOUGH:
        return gaps
    moved = kolmogorov_smirnov(*sides)[1]
    return min(1.0, 2 * gaps, 2 * moved) if missing.any() else moved


def _common(codes: "np.ndarray[Any, np.dtype[np.intp]]") -> "np.ndarray[Any, np.dtype[np.intp]]":
    """Codes with all but the commonest values pooled, the missing ones among these."""
    held = np.bincount(codes + 1)
    kept = np.argsort(-held, kind="stable")[:MOST_VALUES]
    place = np.full(len(held), MOST_VALUES)
    place[kept] = np.arange(len(kept))
    return np.asarray(place[codes + 1])


def _table(codes: "np.ndarray[Any, np.dtype[np.intp]]", known: Mask) -> float:
    """p-value of the chi-square test, categories of fewer than ten rows pooled."""
    counts = np.array([np.bincount(codes[side], minlength=int(codes.max()) + 1) for side in (known, ~known)])
    rare = counts.sum(axis=0) * min(known.mean(), 1 - known.mean()) < 5
    pooled = np.column_stack([counts[:, ~rare], counts[:, rare].sum(axis=1)])
    return chi_square(pooled)[1]


def _by_time(rows: pd.DataFrame, known: Mask, time: str | None) -> tuple[bool, bool]:
    """Whether knowing depends on the time, and whether the recent rows lack their outcomes."""
    if time is None or time not in rows:
        return False, False
    seconds = as_numbers(rows[time])
    there = np.isfinite(seconds)
    sides = seconds[there & known], seconds[there & ~known]
    if min(map(len, sides)) < ENOUGH:
        return False, False
    return kolmogorov_smirnov(*sides)[1] < ALPHA, bool(np.median(sides[1]) > np.median(sides[0]))


def _auc(rows: pd.DataFrame, known: Mask, names: list[str]) -> tuple[float | None, float]:
    """Cross-fitted area under the curve of knowing by some columns, and its z against one half."""
    if not names:
        return None, 0.0
    seen = for_trees(Encoder.fit(rows, names)(rows))
    fold = np.random.default_rng(0).permutation(len(rows)) % FOLDS
    areas, variances = [], []
    for held in range(FOLDS):
        taught = fold != held
        if min(known[taught].sum(), (~known[taught]).sum(), known[~taught].sum(), (~known[~taught]).sum()) < 5:
            continue
        model = classifier(rounds=25, leaves=7).fit(seen[taught], known[taught])
        area, variance = _area(model.decision_function(seen[~taught]), known[~taught])
        areas.append(area)
        variances.append(variance)
    if not areas:
        return None, 0.0
    auc = float(np.mean(areas))
    return auc, (auc - 0.5) / float(np.sqrt(np.mean(variances)))  # two folds that swap their roles err alike


def _area(scores: Floats, known: Mask) -> tuple[float, float]:
    """Area under the curve, and its variance where the scores tell nothing."""
    from scipy.stats import rankdata

    n, m = int(known.sum()), int((~known).sum())
    area = (float(rankdata(scores)[known].sum()) - n * (n + 1) / 2) / (n * m)
    return area, (n + m + 1) / (12 * n * m)
