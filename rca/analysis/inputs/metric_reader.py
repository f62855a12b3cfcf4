"""Per-row numerators and denominators of any supported metric, read from a table given the roles of its columns."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rca.analysis.inputs.weights import weights_of
from rca.arrays import Floats, Mask, Places
from rca.errors import Unanswerable
from rca.methods.metric import Parts
from rca.tables.columns import as_labels, as_numbers, holds

if TYPE_CHECKING:
    from rca.record.case import Roles
    from rca.record.schema.incident import Metric

Segment = tuple[str, str]
"""A group column and one of its values, as text."""

SMALLEST = 1e-15
"""Probabilities are clipped to this far from 0 and 1 before a logarithm, as scikit-learn does for doubles."""

MAX_LOSS = 1e140
"""Losses from here on cannot be squared and added up in doubles without overflow."""

LIGHTEST, HEAVIEST = 1e-30, 1e30
"""Weights beyond these cannot be added up in single precision."""

SEGMENT_ROWS = 30
"""Rows of a window below which a segment is not compared with others."""


@dataclass(frozen=True, kw_only=True)
class MetricReader:
    """Reads per-row numerators and denominators of a metric; which columns it needs follows from the metric.

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
        """Whether the metric needs the true label."""
        return self.base not in ("rate", "mean")

    @property
    def asks_the_model(self) -> bool:
        """Whether the metric depends on the model's predictions for given rows."""
        return self.needs_label or self.outcome in (self.roles.prediction, self.roles.score)

    @property
    def read(self) -> tuple[str, ...]:
        """Columns that the metric is computed from, without weights and groups."""
        if self.outcome is not None:
            return (self.outcome,)
        if self.roles.class_scores and (self.base in ("log_loss", "brier") or self.roles.prediction is None):
            scores = tuple(column for _, column in self.roles.class_scores)
            return (*((self.roles.label,) if self.roles.label is not None else ()), *scores)
        answers = (self.roles.score, self.roles.prediction)
        wanted = answers if self.base in ("log_loss", "brier") else answers[::-1]
        return tuple(name for name in (self.roles.label, next(filter(None, wanted), None)) if name is not None)

    def parts(self, rows: pd.DataFrame, *, groups: tuple[Segment, ...] | None = None) -> Parts:
        """Numerator and denominator of each row, weighted by the weight column where there is one.

        Parameters
        ----------
        rows : pandas.DataFrame
        groups : tuple, optional
            Segments of a gap, so that both windows have the same; from the rows where left out.

        Raises
        ------
        Unanswerable
            If a column that the metric needs has no role, or its numbers cannot be added up.
        """
        numerator, denominator = self._of_rows(rows)
        if self.roles.weight is not None:
            weight = weights_of(rows, self.roles.weight)
            numerator, denominator = numerator * weight, denominator * weight
        self._require_sums(numerator, denominator)
        if self.metric.name != "group_gap":
            return Parts(
                numerator=numerator[:, None],
                denominator=denominator[:, None],
                shape="root" if self.base == "rmse" else "ratio",
            )
        member = self._membership(rows, self.segments(rows) if groups is None else groups)
        return Parts(numerator=numerator[:, None] * member, denominator=denominator[:, None] * member, shape="gap")

    def entities(self, rows: pd.DataFrame) -> Places | None:
        """Whose row each is, as codes; a row of nobody is its own. None where the case names no entity."""
        if self.roles.entity is None:
            return None
        codes = pd.factorize(as_labels(rows[self.roles.entity]))[0]
        return np.where(codes >= 0, codes, codes.max(initial=0) + 1 + np.arange(len(codes)))

    def segments(self, *windows: pd.DataFrame) -> tuple[Segment, ...]:
        """Groups (values of each group column) with at least `SEGMENT_ROWS` rows in every window."""
        if self.metric.name != "group_gap":
            return ()
        found: list[Segment] = []
        for column in self.roles.groups:
            counts = [pd.Series(as_labels(window[column])).value_counts() for window in windows]
            common = [
                str(value) for value in counts[0].index if all(count.get(value, 0) >= SEGMENT_ROWS for count in counts)
            ]
            found += [(column, value) for value in sorted(common)]
        if len(found) < 2:
            raise Unanswerable(
                "how large is the gap between groups", f"fewer than two groups have {SEGMENT_ROWS} rows in both windows"
            )
        return tuple(found)

    def _require_sums(self, numerator: Floats, denominator: Floats) -> None:
        weighed = denominator[denominator > 0]
        if weighed.max(initial=1) > HEAVIEST or weighed.min(initial=1) < LIGHTEST:
            why = f"weights beyond {LIGHTEST:g} and {HEAVIEST:g} cannot be added up"
            raise Unanswerable(f"how did {self.base} change", why)
        if np.abs(numerator).max(initial=0) > MAX_LOSS:
            raise Unanswerable(f"how did {self.base} change", f"losses beyond {MAX_LOSS:g} cannot be added up")

    def _membership(self, rows: pd.DataFrame, groups: tuple[Segment, ...]) -> Floats:
        texts = {column: as_labels(rows[column]) for column in {column for column, _ in groups}}
        return np.column_stack([texts[column] == value for column, value in groups]).astype(float)

    def _of_rows(self, rows: pd.DataFrame) -> tuple[Floats, Floats]:
        if self.outcome is not None:
            values = self._flags(rows[self.outcome]) if self.base == "rate" else as_numbers(rows[self.outcome])
            known = np.isfinite(values)
            return np.where(known, values, 0.0), known.astype(float)
        if self.base in ("mae", "rmse"):
            return self._distance(rows)
        if self.base in ("log_loss", "brier"):
            return self._loss(rows)
        return self._confusion(rows)

    def _flags(self, values: "pd.Series[Any]") -> Floats:
        """A flag as 0 or 1, NaN where it is missing; text is 1 where it is the positive value.

        Raises
        ------
        Unanswerable
            If it holds numbers that are no flag.
        """
        words = as_numbers(values.dropna())
        if np.isnan(words).any():
            return np.where(values.isna(), np.nan, holds(values, self.roles.positive))
        if not np.isin(words, (0.0, 1.0)).all():
            raise Unanswerable(
                "how did the rate change", f"the column {values.name!r} is no flag: it holds more than 0 and 1"
            )
        return as_numbers(values)

    def _distance(self, rows: pd.DataFrame) -> tuple[Floats, Floats]:
        truth, said = as_numbers(rows[_role(self.roles.label, "label")]), self._said(rows)
        known = np.isfinite(truth) & np.isfinite(said)
        with np.errstate(over="ignore", invalid="ignore"):
            away = np.abs(np.where(known, truth - said, 0.0))
            return (away**2 if self.base == "rmse" else away), known.astype(float)

    def _said(self, rows: pd.DataFrame) -> Floats:
        column = self.roles.prediction or self.roles.score
        return as_numbers(rows[_role(column, "prediction")])

    def _loss(self, rows: pd.DataFrame) -> tuple[Floats, Floats]:
        if self.roles.class_scores:
            return self._loss_of_classes(rows)
        yes, known = self._truth(rows)
        score = as_numbers(rows[_role(self.roles.score, "score")])
        known = known & np.isfinite(score)
        score = np.clip(np.where(known, score, 0.5), SMALLEST, 1 - SMALLEST)
        loss = (yes - score) ** 2 if self.base == "brier" else -np.log(np.where(yes == 1, score, 1 - score))
        return np.where(known, loss, 0.0), known.astype(float)

    def _loss_of_classes(self, rows: pd.DataFrame) -> tuple[Floats, Floats]:
        """Log loss or Brier score over all classes; a label that is none of them is not known."""
        scores = _class_scores(self.roles, rows)
        truth = _is_class(rows[_role(self.roles.label, "label")], self.roles.class_scores)
        known: Mask = np.asarray(truth.any(axis=1) & np.isfinite(scores).all(axis=1))
        scores = np.where(known[:, None], scores, 0.5)
        if self.base == "brier":
            loss = ((scores - truth) ** 2).sum(axis=1)
        else:
            loss = -np.log(np.clip((scores * truth).sum(axis=1), SMALLEST, 1.0))
        return np.where(known, loss, 0.0), known.astype(float)

    def _confusion(self, rows: pd.DataFrame) -> tuple[Floats, Floats]:
        if self.base == "error_rate" and self.roles.prediction is not None:
            return _differ(rows[_role(self.roles.label, "label")], rows[self.roles.prediction])
        if self.base == "error_rate" and self.roles.class_scores:
            label = pd.Series(as_labels(rows[_role(self.roles.label, "label")]), index=rows.index)
            return _differ(label, likeliest_class(self.roles, rows))
        yes, known = self._truth(rows)
        said, answered = self._decision(rows)
        known = known & answered
        if self.base == "error_rate":
            return (known & (yes != said)).astype(float), known.astype(float)
        wrong = 0.0 if self.base == "false_positive_rate" else 1.0
        of = known & (yes == wrong)
        return (of & (said != wrong)).astype(float), of.astype(float)

    def _truth(self, rows: pd.DataFrame) -> tuple[Floats, Mask]:
        return _is(rows[_role(self.roles.label, "label")], self.roles.positive)

    def _decision(self, rows: pd.DataFrame) -> tuple[Floats, Mask]:
        if self.roles.prediction is not None:
            return _is(rows[self.roles.prediction], self.roles.positive)
        score = as_numbers(rows[_role(self.roles.score, "prediction")])
        return (score >= self.metric.threshold).astype(float), np.isfinite(score)


def likeliest_class(roles: "Roles", rows: pd.DataFrame) -> "pd.Series[Any]":
    """The class with the highest score in each row, as text; missing where a score is, or the case has none."""
    if not roles.class_scores:
        return pd.Series(np.nan, index=rows.index, dtype=object)
    scores, names = _class_scores(roles, rows), np.array([one for one, _ in roles.class_scores], dtype=object)
    known: Mask = np.asarray(np.isfinite(scores).all(axis=1))
    return pd.Series(names[np.where(known[:, None], scores, 0.0).argmax(axis=1)], index=rows.index).where(known)


def _class_scores(roles: "Roles", rows: pd.DataFrame) -> Floats:
    return np.column_stack([as_numbers(rows[column]) for _, column in roles.class_scores])


def _role(column: str | None, role: str) -> str:
    if column is None:
        raise Unanswerable("how did the metric change", f"the case names no column with the role {role!r}")
    return column


def _is(values: "pd.Series[Any]", positive: str | float) -> tuple[Floats, Mask]:
    """Indicator of the positive class, and mask of known values."""
    known = values.notna().to_numpy(bool) if isinstance(positive, str) else np.isfinite(as_numbers(values))
    return holds(values, positive).astype(float), known


def _is_class(values: "pd.Series[Any]", classes: tuple[tuple[str, str], ...]) -> Floats:
    """Indicator of each class, of shape (rows, classes)."""
    labels = as_labels(values)
    return np.column_stack([labels == one for one, _ in classes]).astype(float)


def _differ(label: "pd.Series[Any]", prediction: "pd.Series[Any]") -> tuple[Floats, Floats]:
    """Disagreement of two columns of class labels (two or more classes), and where both are known."""
    known = (label.notna() & prediction.notna()).to_numpy()
    if pd.api.types.is_numeric_dtype(label) and pd.api.types.is_numeric_dtype(prediction):
        differ: Mask = as_numbers(label) != as_numbers(prediction)
    else:
        differ = np.asarray(as_labels(label) != as_labels(prediction), dtype=bool)
    return (known & differ).astype(float), known.astype(float)
