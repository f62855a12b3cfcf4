"""What counts as the decision of a row: the prediction on record, else the score with its threshold, else a number."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.inputs.metric_reader import MetricReader, Segment
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Mask
from rca.errors import Unanswerable
from rca.methods.metric import Parts
from rca.tables.columns import as_labels, as_numbers, holds

MATERIAL = 0.05
"""Share of the answers' standard deviation from which on two numbers count as different answers."""

NUMBERS = ("mae", "rmse", "mean")
"""Metrics of answers that are numbers, and no decisions."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Reader:
    """Reads decisions from rows.

    Attributes
    ----------
    meter : MetricReader
    column : str
        Where the answers stand.
    threshold : float or None
        From which score on the answer is yes; None where the column holds decisions, or numbers.
    least : float or None
        Difference from which on a number is another answer; None where answers are decisions.
    groups : tuple of Segment, or None
        Segments of a gap; None where they cannot be compared, so that there is no metric.
    yes : str or None
        The decision that means yes, as text; None where there are more than two, or numbers.
    flags : bool
        Whether decisions are on record as true and false, which a model may give as 1 and 0.
    """

    meter: MetricReader
    column: str
    groups: tuple[Segment, ...] | None = ()
    threshold: float | None = None
    least: float | None = None
    yes: str | None = None
    flags: bool = False

    def of(self, rows: pd.DataFrame) -> npt.NDArray[Any]:
        """Decisions as text, missing ones as NaN; or numbers."""
        if self.least is not None:
            return as_numbers(rows[self.column])
        if self.threshold is None:
            told = rows[self.column]
            return as_labels(told.map({0: False, 1: True}) if self.flags and not _is_flag(told) else told)
        scores = as_numbers(rows[self.column])
        said = np.where(scores >= self.threshold, "yes", "no").astype(object)
        return np.where(np.isfinite(scores), said, np.nan)

    def differ(self, was: npt.NDArray[Any], would: npt.NDArray[Any]) -> Mask:
        """Mask of decisions that differ; False where one is missing."""
        if self.least is not None:
            with np.errstate(invalid="ignore"):
                return np.asarray(np.abs(would - was) > self.least)
        known = pd.notna(was) & pd.notna(would)
        return np.asarray(known & (was != would), dtype=bool)

    def right(self, decided: npt.NDArray[Any], rows: pd.DataFrame) -> Mask | None:
        """Mask of decisions that agree with the label; None without a label."""
        label = self.meter.roles.label
        if label is None or label not in rows or self.least is not None:
            return None
        truth, positive = rows[label], self.meter.roles.positive
        if self.yes is not None:
            return np.asarray((decided == self.yes) == holds(truth, positive))
        return np.asarray(decided == as_labels(truth), dtype=bool)

    def labelled(self, rows: pd.DataFrame) -> Mask:
        """Mask of rows with a known label."""
        label = self.meter.roles.label
        return rows[label].notna().to_numpy() if label is not None and label in rows else np.zeros(len(rows), bool)

    def parts(self, rows: pd.DataFrame) -> Parts | None:
        """Numerator and denominator of the metric by row; None where it cannot be computed."""
        try:
            return None if self.groups is None else self.meter.parts(rows, groups=self.groups)
        except (Unanswerable, KeyError):
            return None


def reader_of(windows: Windows, *, question: str) -> Reader:
    """Choose how decisions are read from the rows of two windows.

    Raises
    ------
    Unanswerable
        If no column holds what was decided.
    """
    roles, meter = windows.roles, windows.meter
    column = roles.prediction or roles.score or meter.outcome
    if column is None:
        raise Unanswerable(
            question, "no column holds what was decided: neither a prediction nor a score, nor an outcome"
        )
    values, reader = windows.reference[column], Reader(meter=meter, column=column, groups=_groups(windows))
    if column == roles.score and meter.base not in NUMBERS:
        return replace(reader, threshold=windows.metric.threshold, yes="yes")
    numbers = as_numbers(values)
    if meter.base in NUMBERS and np.isfinite(numbers).any() and values.nunique() > 2:
        return replace(reader, least=MATERIAL * spread_of(numbers))
    said = as_labels(values)[holds(values, roles.positive)]
    yes = said[0] if len(said) and values.nunique() <= 2 else None
    return replace(reader, yes=yes, flags=_is_flag(values))


def _is_flag(values: "pd.Series[Any]") -> bool:
    return pd.api.types.infer_dtype(values) == "boolean"


def _groups(windows: Windows) -> tuple[Segment, ...] | None:
    try:
        return windows.meter.segments(windows.reference, windows.current)
    except Unanswerable:
        return None


def spread_of(numbers: Floats) -> float:
    """Standard deviation of the finite numbers; 0 where there are none."""
    known = numbers[np.isfinite(numbers)]
    return float(known.std()) if len(known) else 0.0
