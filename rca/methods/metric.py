"""Metrics as smooth functions of per-row means, with influence functions and percentile bootstrap intervals.

Every metric is a numerator and a denominator for each row (and, for gaps, each group): a ratio of means, its root, or
the largest difference between groups. So rows can be repaired, reweighted and resampled without knowing the metric.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from rca.arrays import Floats
from rca.errors import Unanswerable
from rca.finding import Finding, Interval
from rca.result import Result, Row

if TYPE_CHECKING:
    from rca.record.schema.incident import Metric

REPLICATES = 1000
"""Bootstrap replicates of an interval."""

MIN_ROWS = 10
"""Rows of a window below which no bootstrap interval is given."""

NEGLIGIBLE = 0.02
"""Rise of a metric, as a share of its reference value, up to which it is not material however significant."""

SHARES = ("error_rate", "false_positive_rate", "false_negative_rate", "rate")
"""Metrics that are shares of rows, reported in per cent."""

UNITS = {
    "error_rate": "share of decisions",
    "false_positive_rate": "share of true negatives",
    "false_negative_rate": "share of true positives",
    "log_loss": "nats",
    "brier": "squared probability",
    "mae": "units of the label",
    "rmse": "units of the label",
    "rate": "share of rows",
    "mean": "units of the column",
    "group_gap": "difference between groups",
}


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Per-row parts of a metric: ``value = shape(mean(numerator) / mean(denominator))``.

    Attributes
    ----------
    numerator, denominator : ndarray of shape (rows, groups)
        One column but for gaps. A row that cannot be counted, say for want of a label, is zero in both.
    shape : {'ratio', 'root', 'gap'}
    """

    numerator: Floats
    denominator: Floats
    shape: Literal["ratio", "root", "gap"] = "ratio"

    def __len__(self) -> int:
        return len(self.numerator)

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Parts":
        """The parts of some of the rows."""
        return replace(self, numerator=self.numerator[rows], denominator=self.denominator[rows])

    def of_entities(self, entities: npt.NDArray[np.intp] | None) -> "Parts":
        """The parts added up over the rows of each entity, which are not independent of each other.

        Parameters
        ----------
        entities : ndarray of int, shape (rows,), or None
        """
        if entities is None:
            return self
        numbers = np.unique(entities, return_inverse=True)[1]
        summed = [
            np.zeros((int(numbers.max(initial=-1)) + 1, part.shape[1])) for part in (self.numerator, self.denominator)
        ]
        for total, part in zip(summed, (self.numerator, self.denominator), strict=True):
            np.add.at(total, numbers, part)
        return replace(self, numerator=summed[0], denominator=summed[1])

    def value(self, weights: Floats | None = None) -> float:
        """The metric over the rows, weighted if `weights` (rows,) are given; NaN where no row counts."""
        weights = np.ones(len(self)) if weights is None else weights
        return float(self.of_sums(weights @ self.numerator, weights @ self.denominator))

    def of_sums(self, numerator: Floats, denominator: Floats) -> Floats:
        """The metric from sums of numerators and denominators of shape (..., groups)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = numerator / denominator
        if self.shape == "gap":
            return _gap(ratio)
        return np.sqrt(ratio[..., 0]) if self.shape == "root" else np.asarray(ratio[..., 0])

    def influence(self, weights: Floats | None = None) -> Floats:
        """Empirical influence function of the metric: the first-order effect of each row, of sum zero.

        Returns
        -------
        ndarray of shape (rows,)
            ``psi`` with ``var(metric) ≈ sum(psi ** 2)``; weighted rows carry their weight.
        """
        weights = np.ones(len(self)) if weights is None else weights
        total, base = weights @ self.numerator, weights @ self.denominator
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = total / base
            psi = weights[:, None] * (self.numerator - ratio * self.denominator) / base
        if self.shape == "gap":
            known = np.where(np.isnan(ratio), 0.0, ratio), np.isnan(ratio)
            high = int(np.argmax(np.where(known[1], -np.inf, known[0])))
            low = int(np.argmin(np.where(known[1], np.inf, known[0])))
            return np.asarray(psi[:, high] - psi[:, low])
        return np.asarray(psi[:, 0] / (2 * np.sqrt(ratio[0])) if self.shape == "root" and ratio[0] > 0 else psi[:, 0])


def _gap(ratio: Floats) -> Floats:
    some = ~np.isnan(ratio).all(axis=-1)
    highest = np.max(np.where(np.isnan(ratio), -np.inf, ratio), axis=-1)
    lowest = np.min(np.where(np.isnan(ratio), np.inf, ratio), axis=-1)
    return np.where(some, np.where(some, highest, 0) - np.where(some, lowest, 0), np.nan)


@dataclass(frozen=True, kw_only=True)
class Measured(Result):
    """The metric in both windows and its change, with bootstrap intervals and a p-value.

    Attributes
    ----------
    name : str
    harm : {'higher', 'lower'}
        The bad direction.
    reference, current, change : float
        In the metric's unit; ``change = current - reference``.
    reference_interval, current_interval, interval : Interval
        Percentile bootstrap over rows, of the metric in each window and of its change.
    p_value : float
        Two-sided, of no change, by the normal approximation to the influence functions.
    n_reference, n_current : int
        Rows that count, with their labels known where the metric needs them.
    independent : {'rows', 'entities'}
        What is drawn anew for an interval.
    of : str or None
        The column of a rate or mean; the metric whose gap is meant.
    """

    name: str
    of: str | None = None
    harm: Literal["higher", "lower"]
    reference: float
    current: float
    change: float
    reference_interval: Interval
    current_interval: Interval
    interval: Interval
    p_value: float
    n_reference: int
    n_current: int
    independent: Literal["rows", "entities"] = "rows"

    def __str__(self) -> str:
        low, high = self.say_change(self.interval.low), self.say_change(self.interval.high)
        points = " points" if self.is_share else ""
        sure = f"{self.interval.level:.0%} interval of the change: {low} to {high}{points}"
        return f"{self.label} went from {self.say(self.reference)} to {self.say(self.current)} ({sure})"

    @property
    def label(self) -> str:
        """The metric's name in words."""
        of = (self.of or "").replace("_", " ")
        if self.name == "group_gap":
            return f"{of} gap between groups"
        return f'{self.name.replace("_", " ")} of "{of}"' if of else self.name.replace("_", " ")

    @property
    def is_share(self) -> bool:
        """Whether it is a share of rows, or a gap between shares: read as per cent, changes as percentage points."""
        return (self.of if self.name == "group_gap" else self.name) in SHARES

    def say(self, value: float) -> str:
        """A value of the metric as it is read aloud, shares in per cent."""
        return f"{100 * value:.1f} %" if self.is_share else f"{value:.3g}"

    def say_change(self, value: float) -> str:
        """A difference of two values as it is read aloud, without its unit: shares in percentage points."""
        return f"{100 * value:.1f}" if self.is_share else f"{value:.3g}"

    @property
    def scale(self) -> float:
        """What a value is multiplied by where it is read: shares are read in per cent."""
        return 100.0 if self.is_share else 1.0

    @property
    def unit(self) -> str:
        """What one unit of the metric is."""
        return UNITS[self.name]

    @property
    def sign(self) -> int:
        """+1 where higher is worse, -1 where lower is."""
        return 1 if self.harm == "higher" else -1

    @property
    def worse(self) -> float:
        """The change in the bad direction: positive where harm was done."""
        return self.sign * self.change

    @property
    def worse_interval(self) -> Interval:
        """Interval of `worse`."""
        ends = sorted((self.sign * self.interval.low, self.sign * self.interval.high))
        return Interval(low=ends[0], high=ends[1], level=self.interval.level)

    @property
    def material(self) -> bool:
        """Whether it got worse beyond chance (interval above 0) and by more than `NEGLIGIBLE` of its reference."""
        return self.worse_interval.low > 0 and self.worse > NEGLIGIBLE * abs(self.reference)

    def rows(self) -> list[Row]:
        return [
            {
                "window": "reference",
                "value": self.reference,
                "interval": str(self.reference_interval),
                "rows": self.n_reference,
            },
            {
                "window": "current",
                "value": self.current,
                "interval": str(self.current_interval),
                "rows": self.n_current,
            },
            {
                "window": "change",
                "value": self.change,
                "interval": str(self.interval),
                "rows": self.n_reference + self.n_current,
            },
        ]

    def findings(self) -> tuple[Finding, ...]:
        return (
            Finding(
                id="metric.change",
                notebook="drift",
                claim=str(self),
                effect=self.change,
                unit=self.name,
                interval=self.interval,
                q_value=self.p_value,
                n_effective=float(min(self.n_reference, self.n_current)),
                strength="shown" if 0 not in self.interval else "suggested",
                assumptions=(f"{self.independent} are independent of each other",),
                refuters=(f"{REPLICATES} bootstrap resamples of both windows",),
            ),
        )


def measure(
    reference: Parts,
    current: Parts,
    metric: "Metric",
    *,
    rng: np.random.Generator,
    entities: tuple[npt.NDArray[np.intp] | None, npt.NDArray[np.intp] | None] = (None, None),
) -> Measured:
    """Estimate the metric in both windows and its change, with percentile bootstrap intervals over rows.

    Parameters
    ----------
    reference, current : Parts
    metric : Metric
    rng : numpy.random.Generator
    entities : (ndarray of int of shape (rows,) or None, ndarray or None)
        Whose row each is; then intervals are over entities.

    Raises
    ------
    Unanswerable
        If a window has fewer than `MIN_ROWS` rows that count, or they give no number.
    """
    counted = {
        name: int(parts.denominator.any(axis=1).sum())
        for name, parts in (("reference", reference), ("current", current))
    }
    for window, rows in counted.items():
        if rows < MIN_ROWS:
            why = f"only {rows} rows of the {window} window count towards it, and {MIN_ROWS} are needed"
            raise Unanswerable(f"how did {metric.name} change", why)
    reference, current = (one.of_entities(whose) for one, whose in zip((reference, current), entities, strict=True))
    values = reference.value(), current.value()
    if not np.isfinite(values).all():
        raise Unanswerable(f"how did {metric.name} change", "the rows of a window give no finite number")
    draws = _bootstrap(reference, rng), _bootstrap(current, rng)
    error = float(np.hypot(*(np.sqrt(np.sum(parts.influence() ** 2)) for parts in (reference, current))))
    return Measured(
        name=metric.name,
        of=metric.of if metric.name == "group_gap" else metric.column,
        harm=metric.harm,
        reference=values[0],
        current=values[1],
        change=values[1] - values[0],
        reference_interval=percentile(draws[0]),
        current_interval=percentile(draws[1]),
        interval=percentile(draws[1] - draws[0]),
        p_value=two_sided(values[1] - values[0], error),
        n_reference=counted["reference"],
        n_current=counted["current"],
        independent="entities" if entities[0] is not None else "rows",
    )


def two_sided(estimate: float, error: float) -> float:
    """Two-sided p-value of a z-test: a normal estimate with this standard error, of mean zero."""
    from scipy.special import ndtr

    if error == 0:
        return 1.0 if estimate == 0 else 0.0
    return float(2 * ndtr(-abs(estimate / error)))


def percentile(draws: Floats, level: float = 0.95) -> Interval:
    """Percentile (equal-tailed) bootstrap interval.

    >>> print(percentile(np.arange(41.0)))
    1 to 39
    """
    low, high = np.nanquantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(low=float(low), high=float(high), level=level)


def _bootstrap(parts: Parts, rng: np.random.Generator) -> Floats:
    """Bootstrap draws of the metric; identical rows are drawn together by a multinomial, which is the same law."""
    both = np.hstack([parts.numerator, parts.denominator])
    kinds, counts = np.unique(both, axis=0, return_counts=True)
    groups = parts.numerator.shape[1]
    draws = np.empty(REPLICATES)
    for start in range(0, REPLICATES, 50):
        drawn = rng.multinomial(len(parts), counts / counts.sum(), size=min(50, REPLICATES - start)).astype(float)
        sums = drawn @ kinds
        draws[start : start + len(drawn)] = parts.of_sums(sums[:, :groups], sums[:, groups:])
    return draws
