"""The metric: what went wrong, as one number over rows, in both windows, with an interval.

Every metric is a function of means: a numerator and a denominator for each row (and, for gaps, each group). So rows can
be mended, reweighted and resampled without any code that knows which metric it is.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.result import Result, Row
from rca.errors import Unanswerable
from rca.finding import Finding, Interval

if TYPE_CHECKING:
    from rca.record.case import Roles
    from rca.record.incident import Metric

Floats = npt.NDArray[np.float64]
Segment = tuple[str, str]
"""A group column and one of its values, as text."""

REPLICATES = 1000
"""Bootstrap replicates of an interval."""

SMALLEST = 1e-15
"""Probabilities are kept this far from 0 and 1 before a logarithm, as scikit-learn does for doubles."""

NEGLIGIBLE = 0.02
"""Rise of a metric, as a share of its reference value, that no one would call an incident however sure it is."""

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

    def value(self, weights: Floats | None = None) -> float:
        """The metric of the rows, weighted if `weights` (rows,) are given; NaN where nothing can be counted."""
        weights = np.ones(len(self)) if weights is None else weights
        return float(self.of_sums(weights @ self.numerator, weights @ self.denominator))

    def of_sums(self, numerator: Floats, denominator: Floats) -> Floats:
        """The metric of summed parts of shape (..., groups)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = numerator / denominator
        if self.shape == "gap":
            return _gap(ratio)
        return np.sqrt(ratio[..., 0]) if self.shape == "root" else np.asarray(ratio[..., 0])

    def influence(self, weights: Floats | None = None) -> Floats:
        """First-order effect of each row on the metric: its mean is zero, its standard error is that of the metric.

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
    """The metric in both windows, and how sure its change is.

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
    """

    name: str
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

    def __str__(self) -> str:
        sure = f"{self.interval.level:.0%} interval of the change {self.interval.low:+.3g} to {self.interval.high:+.3g}"
        return f"{self.label} went from {self.reference:.3g} to {self.current:.3g} ({sure})"

    @property
    def label(self) -> str:
        """The metric's name in words."""
        return self.name.replace("_", " ")

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
        """Whether it got worse beyond chance, and by more than a trifle."""
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
                assumptions=("rows are independent of each other",),
                refuters=(f"{REPLICATES} bootstrap resamples of both windows",),
            ),
        )


def measure(reference: Parts, current: Parts, metric: "Metric", *, rng: np.random.Generator) -> Measured:
    """Measure the metric in both windows, with bootstrap intervals over rows.

    Raises
    ------
    Unanswerable
        If a window has no row that counts.
    """
    counted = {
        name: int(parts.denominator.any(axis=1).sum())
        for name, parts in (("reference", reference), ("current", current))
    }
    for window, rows in counted.items():
        if rows == 0:
            raise Unanswerable(f"how did {metric.name} change", f"no row of the {window} window counts towards it")
    values = reference.value(), current.value()
    draws = _bootstrap(reference, rng), _bootstrap(current, rng)
    error = float(np.hypot(*(np.sqrt(np.sum(parts.influence() ** 2)) for parts in (reference, current))))
    return Measured(
        name=metric.name,
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
    )


def two_sided(estimate: float, error: float) -> float:
    """p-value of an estimate that is normal about zero with this standard error."""
    from scipy.special import ndtr

    if error == 0:
        return 1.0 if estimate == 0 else 0.0
    return float(2 * ndtr(-abs(estimate / error)))


def percentile(draws: Floats, level: float = 0.95) -> Interval:
    """Equal-tailed interval of bootstrap draws.

    >>> print(percentile(np.arange(41.0)))
    1 to 39
    """
    low, high = np.nanquantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(low=float(low), high=float(high), level=level)


def _bootstrap(parts: Parts, rng: np.random.Generator) -> Floats:
    """Draws of the metric over resampled rows; rows that look alike are drawn together, which is the same law."""
    both = np.hstack([parts.numerator, parts.denominator])
    kinds, counts = np.unique(both, axis=0, return_counts=True)
    groups = parts.numerator.shape[1]
    draws = np.empty(REPLICATES)
    for start in range(0, REPLICATES, 50):
        drawn = rng.multinomial(len(parts), counts / counts.sum(), size=min(50, REPLICATES - start)).astype(float)
        sums = drawn @ kinds
        draws[start : start + len(drawn)] = parts.of_sums(sums[:, :groups], sums[:, groups:])
    return draws


@dataclass(frozen=True, kw_only=True)
class Meter:
    """Reads a metric's parts off rows; which columns it needs follows from the metric.

    Attributes
    ----------
    metric : Metric
    roles : Roles
    """

    metric: "Metric"
    roles: "Roles"

    @property
    def base(self) -> str:
        """The metric itself, or the one whose gap is meant."""
        return self.metric.of or self.metric.name if self.metric.name == "group_gap" else self.metric.name

    @property
    def outcome(self) -> str | None:
        """The column a `rate` or `mean` averages."""
        return self.metric.column if self.base in ("rate", "mean") else None

    @property
    def needs_label(self) -> bool:
        """Whether the metric compares with the truth."""
        return self.base not in ("rate", "mean")

    @property
    def asks_the_model(self) -> bool:
        """Whether the metric changes when the model answers otherwise on the same rows."""
        return self.needs_label or self.outcome in (self.roles.prediction, self.roles.score)

    def parts(self, rows: pd.DataFrame, *, groups: tuple[Segment, ...] | None = None) -> Parts:
        """Numerator and denominator of each row.

        Parameters
        ----------
        rows : pandas.DataFrame
        groups : tuple, optional
            Segments of a gap, so that both windows have the same; from the rows where left out.
        """
        numerator, denominator = self._of_rows(rows)
        if self.roles.weight is not None:
            weight = rows[self.roles.weight].to_numpy(float)
            numerator, denominator = numerator * weight, denominator * weight
        if self.metric.name != "group_gap":
            return Parts(
                numerator=numerator[:, None],
                denominator=denominator[:, None],
                shape="root" if self.base == "rmse" else "ratio",
            )
        member = self._membership(rows, self.segments(rows) if groups is None else groups)
        return Parts(numerator=numerator[:, None] * member, denominator=denominator[:, None] * member, shape="gap")

    def segments(self, *windows: pd.DataFrame) -> tuple[Segment, ...]:
        """Segments that hold enough rows in every window to be compared: values of each group column."""
        if self.metric.name != "group_gap":
            return ()
        found: list[Segment] = []
        for column in self.roles.groups:
            counts = [window[column].astype(str).value_counts() for window in windows]
            common = [value for value in counts[0].index if all(count.get(value, 0) >= 30 for count in counts)]
            found += [(column, value) for value in sorted(common)]
        if len(found) < 2:
            raise Unanswerable(
                "how large is the gap between groups", "fewer than two groups have 30 rows in both windows"
            )
        return tuple(found)

    def _membership(self, rows: pd.DataFrame, groups: tuple[Segment, ...]) -> Floats:
        texts = {column: rows[column].astype(str).to_numpy() for column in {column for column, _ in groups}}
        return np.column_stack([texts[column] == value for column, value in groups]).astype(float)

    def _of_rows(self, rows: pd.DataFrame) -> tuple[Floats, Floats]:
        if self.outcome is not None:
            values = _numbers(rows[self.outcome])
            known = np.isfinite(values)
            return np.where(known, values, 0.0), known.astype(float)
        if self.base in ("mae", "rmse"):
            return self._distance(rows)
        if self.base in ("log_loss", "brier"):
            return self._loss(rows)
        return self._confusion(rows)

    def _distance(self, rows: pd.DataFrame) -> tuple[Floats, Floats]:
        truth, said = _numbers(rows[_role(self.roles.label, "label")]), self._said(rows)
        known = np.isfinite(truth) & np.isfinite(said)
        away = np.abs(np.where(known, truth - said, 0.0))
        return (away**2 if self.base == "rmse" else away), known.astype(float)

    def _said(self, rows: pd.DataFrame) -> Floats:
        column = self.roles.prediction or self.roles.score
        return _numbers(rows[_role(column, "prediction")])

    def _loss(self, rows: pd.DataFrame) -> tuple[Floats, Floats]:
        yes, known = self._truth(rows)
        score = _numbers(rows[_role(self.roles.score, "score")])
        known = known & np.isfinite(score)
        score = np.clip(np.where(known, score, 0.5), SMALLEST, 1 - SMALLEST)
        loss = (yes - score) ** 2 if self.base == "brier" else -np.log(np.where(yes == 1, score, 1 - score))
        return np.where(known, loss, 0.0), known.astype(float)

    def _confusion(self, rows: pd.DataFrame) -> tuple[Floats, Floats]:
        if self.base == "error_rate" and self.roles.prediction is not None:
            return _differ(rows[_role(self.roles.label, "label")], rows[self.roles.prediction])
        yes, known = self._truth(rows)
        said, answered = self._decision(rows)
        known = known & answered
        if self.base == "error_rate":
            return (known & (yes != said)).astype(float), known.astype(float)
        wrong = 0.0 if self.base == "false_positive_rate" else 1.0
        of = known & (yes == wrong)
        return (of & (said != wrong)).astype(float), of.astype(float)

    def _truth(self, rows: pd.DataFrame) -> tuple[Floats, npt.NDArray[np.bool_]]:
        return _is(rows[_role(self.roles.label, "label")], self.roles.positive)

    def _decision(self, rows: pd.DataFrame) -> tuple[Floats, npt.NDArray[np.bool_]]:
        if self.roles.prediction is not None:
            return _is(rows[self.roles.prediction], self.roles.positive)
        score = _numbers(rows[_role(self.roles.score, "prediction")])
        return (score >= self.metric.threshold).astype(float), np.isfinite(score)


def _role(column: str | None, role: str) -> str:
    if column is None:
        raise Unanswerable("how did the metric change", f"the case names no column with the role {role!r}")
    return column


def _numbers(values: "pd.Series[Any]") -> Floats:
    return pd.to_numeric(values, errors="coerce").to_numpy(float, na_value=np.nan)


def _is(values: "pd.Series[Any]", positive: str | float) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Whether each value means yes, and whether it is known."""
    if isinstance(positive, str):
        return np.where(values.astype(str) == positive, 1.0, 0.0), np.asarray(values.notna(), dtype=bool)
    numbers = np.asarray(_numbers(values))
    return np.where(numbers == float(positive), 1.0, 0.0), np.isfinite(numbers)


def _differ(label: "pd.Series[Any]", prediction: "pd.Series[Any]") -> tuple[Floats, Floats]:
    """Whether two columns of classes differ, two or many, and where both are known."""
    known = (label.notna() & prediction.notna()).to_numpy()
    if pd.api.types.is_numeric_dtype(label) and pd.api.types.is_numeric_dtype(prediction):
        differ: npt.NDArray[np.bool_] = _numbers(label) != _numbers(prediction)
    else:
        differ = (label.astype(str) != prediction.astype(str)).to_numpy()
    return (known & differ).astype(float), known.astype(float)
