"""Partial identification of a metric with missing labels: Manski bounds, and AIPW estimates under stated assumptions.

Without labels P(label | features) is not observed, so the change of a labelled metric is not identified. What can be
given are worst-case bounds, and the covariate-shift part under the assumption that P(label | features) is unchanged.
Where a part of the rows has labels, the metric of all rows is estimated under the assumption that labels are missing at
random (MAR) given the features, by doubly robust (AIPW) reweighting.

References
----------
.. [1] Manski, C. F. (1990). Nonparametric bounds on treatment effects. American Economic Review 80(2): what an outcome
   that is bounded, and missing, leaves open.
.. [2] Robins, J. M., Rotnitzky, A. & Zhao, L. P. (1994). Estimation of regression coefficients when some regressors are
   not always observed. JASA 89(427), eq. (2): rows weighted by one over their chance of being seen, and corrected.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rca.analysis.drift.univariate import univariate_drift
from rca.errors import Unanswerable
from rca.finding import Finding, Interval, Unanswered
from rca.methods.change_attribution.multiply_robust import MIN_ROWS
from rca.methods.change_attribution.shift_decomposition import Transported, transported
from rca.methods.regression_basis import TwoSamples
from rca.methods.two_sample_tests import Z
from rca.result import Result, Row
from rca.tables.columns import as_numbers

QUESTION = "how much did the metric change"


@dataclass(frozen=True, kw_only=True)
class Unlabelled(Result):
    """Partially identified metric of the current window: bounds, and estimates under assumptions.

    Attributes
    ----------
    labelled : float
        Share of the current rows whose label is known.
    reference : float
        The metric in the reference.
    bounds : Interval
        Worst-case (Manski) bounds of the current window's metric, whatever the missing labels are; without sampling
        error.
    covariate_part : float or None
        Change due to covariate shift alone, under an unchanged P(label | features). Not the change.
    covariate_interval : Interval or None
    reweighted : float or None
        AIPW estimate of the current window's metric under labels missing at random.
    reweighted_interval : Interval or None
    depends_on : tuple of str
        Columns that having a label depends on.
    assumes : tuple of str
        Assumptions of the estimates.
    """

    labelled: float
    reference: float
    bounds: Interval
    covariate_part: float | None = None
    covariate_interval: Interval | None = None
    reweighted: float | None = None
    reweighted_interval: Interval | None = None
    depends_on: tuple[str, ...] = ()
    assumes: tuple[str, ...] = ()

    @property
    def identified(self) -> bool:
        """Whether the change is point-identified: only where every label is known."""
        return self.labelled == 1.0

    @property
    def unanswered(self) -> tuple[Unanswered, ...]:
        """The open question, where labels are missing."""
        if self.identified:
            return ()
        why = (
            f"{1 - self.labelled:.0%} of the current rows have no label; how the label follows the features may have "
            f"changed unseen, and the metric is anything from {self.bounds.low:.3g} to {self.bounds.high:.3g}"
        )
        return (Unanswered(question=QUESTION, why=why),)

    def __str__(self) -> str:
        said = f"{self.labelled:.0%} of the current rows have a label; the metric is between {self.bounds}"
        if self.reweighted is not None:
            said += f"; {self.reweighted:.3g} ({self.reweighted_interval}) if {self.assumes[-1]}"
        elif self.covariate_part is not None:
            said += f"; features that moved would have changed it by {self.covariate_part:+.3g}, if {self.assumes[0]}"
        return said

    def rows(self) -> list[Row]:
        told: list[tuple[str, float | None, Interval | None, str]] = [("worst case", None, self.bounds, "nothing")]
        if self.covariate_part is not None:
            told.append(("covariates alone", self.covariate_part, self.covariate_interval, self.assumes[0]))
        if self.reweighted is not None:
            told.append(("labels at hand, reweighted", self.reweighted, self.reweighted_interval, self.assumes[-1]))
        return [{"what": w, "value": v, "interval": str(i), "assumes": a} for w, v, i, a in told]

    def findings(self) -> tuple[Finding, ...]:
        return (
            Finding(
                id="unlabelled.bounds",
                notebook="drift",
                claim=str(self),
                strength="assumed",
                assumptions=self.assumes,
            ),
        )


SAME = "the label follows the features as before, which nothing here can show"

AT_RANDOM = "rows alike in their features have a label by chance alone"

NO_OVERLAP = "nothing: rows with and without a label do not overlap, and no number is given"


def label_free_bounds(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    loss: str,
    features: Sequence[str],
    rng: np.random.Generator,
    worst: tuple[float, float] = (0.0, 1.0),
    categorical: Sequence[str] = (),
) -> Unlabelled:
    """Manski bounds of a mean loss with missing current values, and AIPW estimates under missing at random (MAR).

    Parameters
    ----------
    reference, current : pandas.DataFrame
        The loss is missing where the label is; a column that is not in `current` is missing everywhere.
    loss : str
    features : sequence of str
        Columns of both windows; a time may be among them, for labels that come late.
    rng : numpy.random.Generator
        Draws the folds.
    worst : (float, float)
        Smallest and largest possible loss of a row.
    categorical : sequence of str
        Numeric columns that are codes.

    Returns
    -------
    Unlabelled
        Its bounds hold whatever was assumed.

    Raises
    ------
    Unanswerable
        If the reference has fewer than 40 rows with a loss.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before, after = (pd.DataFrame({"x": rng.normal(m, 1, 1000)}) for m in (0.0, 0.5))
    >>> before["wrong"] = (rng.random(1000) < 0.1).astype(float)
    >>> found = label_free_bounds(before, after, loss="wrong", features=["x"], rng=rng)
    >>> found.identified, str(found.bounds), found.labelled
    (False, '0 to 1', 0.0)
    """
    before = as_numbers(reference[loss])
    known_before = np.isfinite(before)
    if known_before.sum() < MIN_ROWS:
        raise Unanswerable(QUESTION, f"the reference has {known_before.sum()} rows with a label, {MIN_ROWS} are needed")
    after = as_numbers(current[loss]) if loss in current else np.full(len(current), np.nan)
    known = np.isfinite(after)
    share, seen = float(known.mean()), float(np.where(known, after, 0.0).mean())
    bounds = Interval(low=seen + (1 - share) * worst[0], high=seen + (1 - share) * worst[1])
    found = Unlabelled(labelled=share, reference=float(before[known_before].mean()), bounds=bounds)
    if share == 1.0:
        return found
    windows = reference[known_before].reset_index(drop=True), current.assign(**{loss: np.where(known, after, np.nan)})
    if known.sum() < MIN_ROWS:
        carried = transported(*windows, features=features, loss=loss, rng=rng, categorical=categorical)
        return _covariates_alone(found, carried, windows[0][loss])
    halves = windows[1][known].reset_index(drop=True), windows[1][~known].reset_index(drop=True)
    carried = transported(*halves, features=features, loss=loss, rng=rng, categorical=categorical)
    tested = univariate_drift(*halves, features=tuple(features), categorical=tuple(categorical))
    return replace(_reweighted(found, carried, halves[0][loss]), depends_on=tuple(tested.moved()))


def _covariates_alone(found: Unlabelled, carried: Transported, loss: "pd.Series[float]") -> Unlabelled:
    """Add the covariate-shift part under an unchanged P(label | features); none without overlap."""
    if not carried.identifiable:
        return replace(found, assumes=(NO_OVERLAP,))
    before = as_numbers(loss)
    change, own = carried.value - float(before.mean()), carried.influence[0] - (before - before.mean())
    return replace(
        found,
        covariate_part=change,
        covariate_interval=_around(change, (own, carried.influence[1])),
        assumes=(SAME,),
    )


def _reweighted(found: Unlabelled, carried: Transported, loss: "pd.Series[float]") -> Unlabelled:
    """Add the AIPW estimate over all rows: observed where labelled, transported from labelled rows elsewhere."""
    if not carried.identifiable:
        return replace(found, assumes=(NO_OVERLAP,))
    seen, share = as_numbers(loss), found.labelled
    value = share * float(seen.mean()) + (1 - share) * carried.value
    own = share * (seen - seen.mean()) + (1 - share) * carried.influence[0]
    interval = _around(value, (own, (1 - share) * carried.influence[1]))
    return replace(found, reweighted=value, reweighted_interval=interval, assumes=(AT_RANDOM,))


def _around(value: float, influence: TwoSamples) -> Interval:
    error = float(np.sqrt(sum(float((rows**2).sum()) / len(rows) ** 2 for rows in influence)))
    return Interval(low=value - Z * error, high=value + Z * error)
