"""An outcome of both windows as numbers that can be modelled, and the metric it would have had by such a model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.harm.evidence.followed_relation import Outcome, Relation
from rca.analysis.inputs.metric_reader import Segment
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Places
from rca.methods.metric import Parts
from rca.tables.columns import Encoder, as_labels, as_numbers, holds, kind_of

MAX_ROWS = 6000
"""Most rows of each window that are modelled."""

MIN_ROWS = 60
"""Rows of a window with a known outcome below which no relation is judged."""

CLASSES = 5
"""Most classes of an outcome that are told apart, the commonest; the others are one."""

FEW = 12
"""Distinct whole numbers up to which an outcome of a classification is a class."""

WILD = 0.005
"""Share of the reference's outcomes on either side that count as no farther, so that a few teach nothing."""

DRAWS = 5
"""Outcomes drawn for each row, where they are numbers."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RecordedOutcome:
    """One column of both windows, an outcome or the model's answer, where it is known.

    Attributes
    ----------
    column : str
    outcome : Outcome
        Targets and inputs of the rows at `places`.
    places : (ndarray, ndarray)
        Positions of the rows in each window, ascending.
    classes : tuple
        Values that the columns of the targets indicate, and last the one that is left; empty for a number.
    """

    column: str
    outcome: Outcome
    places: tuple[Places, Places]
    classes: tuple[Any, ...]

    def but(self, column: str, values: "pd.Series[Any]", *, known: "pd.Series[Any]") -> "RecordedOutcome":
        """The same with other current values in one input.

        Parameters
        ----------
        column : str
        values, known : pandas.Series
            Of the whole current window, and the column of the whole reference, which says how names are encoded.
        """
        at, inputs = self.outcome.columns.index(column), self.outcome.inputs[1].copy()
        if kind_of(known) == "numeric":
            inputs[:, at] = as_numbers(values)[self.places[1]]
        else:
            codes = dict(zip(as_labels(known.iloc[self.places[0]]), self.outcome.inputs[0][:, at], strict=True))
            inputs[:, at] = [codes.get(label, np.nan) for label in as_labels(values.iloc[self.places[1]])]
        return replace(self, outcome=replace(self.outcome, inputs=(self.outcome.inputs[0], inputs)))


def read_outcome(
    windows: Windows, column: str, columns: Sequence[str], *, rng: np.random.Generator, number: bool = False
) -> RecordedOutcome | None:
    """Read an outcome and its possible inputs; None where a window has fewer than `MIN_ROWS` rows that know it.

    Parameters
    ----------
    windows : Windows
    column : str
        The label, the column that a rate or mean averages, or the model's answer.
    columns : sequence of str
        Inputs.
    rng : numpy.random.Generator
        Draws the rows, at most `MAX_ROWS` of a window.
    number : bool
        Whether it is a number, however few values it has.
    """
    both = windows.reference, windows.current
    if not all(column in rows for rows in both):
        return None
    places = [_some(np.flatnonzero(rows[column].notna().to_numpy()), rng) for rows in both]
    if min(map(len, places)) < MIN_ROWS:
        return None
    known = [rows[column].iloc[at] for rows, at in zip(both, places, strict=True)]
    classes = () if number or _is_number(known[0], windows) else _classes(known[0], windows)
    if len(classes) == 1:
        return None
    targets = [_targets(values, classes) for values in known]
    if not classes:
        low, high = np.quantile(targets[0], [WILD, 1 - WILD])
        targets = [np.clip(one, low, high) for one in targets]
    if not all(np.isfinite(one).all() for one in targets) or float(targets[0].var(axis=0).sum()) == 0:
        return None
    encode = Encoder.fit(windows.reference, tuple(columns))
    inputs = [encode(rows.iloc[at]) for rows, at in zip(both, places, strict=True)]
    return RecordedOutcome(
        column=column,
        outcome=Outcome(
            targets=(targets[0], targets[1]), inputs=(inputs[0], inputs[1]), columns=tuple(columns), number=not classes
        ),
        places=(places[0], places[1]),
        classes=classes,
    )


def _some(places: Places, rng: np.random.Generator) -> Places:
    return places if len(places) <= MAX_ROWS else np.sort(rng.choice(places, MAX_ROWS, replace=False))


def _is_number(values: "pd.Series[Any]", windows: Windows) -> bool:
    """Whether an outcome is a number: by the metric, or by having too many values for classes."""
    if kind_of(values) != "numeric":
        return False
    if windows.meter.base in ("mae", "rmse", "mean"):
        return True
    numbers = as_numbers(values)
    return bool(len(np.unique(numbers)) > FEW or not np.equal(numbers, np.round(numbers)).all())


def _classes(values: "pd.Series[Any]", windows: Windows) -> tuple[Any, ...]:
    """Classes of an outcome; the positive one alone where it is binary."""
    counts = pd.Series(as_labels(values)).value_counts()
    first = values.groupby(as_labels(values), sort=False).first()
    if len(counts) == 2:
        yes = [label for label in counts.index if bool(holds(pd.Series([first[label]]), windows.roles.positive)[0])]
        label = yes[0] if yes else counts.index[1]
        return (first[label], first[next(other for other in counts.index if other != label)])
    kept = [first[label] for label in counts.index[:CLASSES]]
    return tuple(kept)


def _targets(values: "pd.Series[Any]", classes: tuple[Any, ...]) -> Floats:
    if not classes:
        return np.clip(as_numbers(values), -1e15, 1e15)[:, None]
    labels = as_labels(values)
    said = as_labels(pd.Series(list(classes), dtype=object))
    return np.column_stack([labels == one for one in said[:-1]]).astype(float)


def expected_parts(
    windows: Windows,
    read: RecordedOutcome,
    relation: Relation,
    *,
    groups: tuple[Segment, ...],
    rng: np.random.Generator,
) -> tuple[tuple[Parts, Parts], tuple[Parts, Parts]]:
    """The metric's parts in the rows modelled, as recorded and as they would be had outcomes followed the relation.

    Returns
    -------
    recorded, expected : (Parts, Parts)
        Of both windows, row by row, so that their difference is paired.
    """
    frames = [rows.iloc[at] for rows, at in zip((windows.reference, windows.current), read.places, strict=True)]
    recorded = [windows.meter.parts(rows, groups=groups) for rows in frames]
    residuals = read.outcome.targets[0] - relation.expected[0]
    expected = [
        _by_class(windows, read, rows, said=said, groups=groups)
        if read.classes
        else _by_draws(windows, read, rows, said=said, residuals=residuals, groups=groups, rng=rng)
        for rows, said in zip(frames, relation.expected, strict=True)
    ]
    return (recorded[0], recorded[1]), (expected[0], expected[1])


def _by_class(
    windows: Windows, read: RecordedOutcome, rows: pd.DataFrame, *, said: Floats, groups: tuple[Segment, ...]
) -> Parts:
    """Parts with each class as the outcome, weighted by its chance."""
    chances = np.clip(np.column_stack([said, 1 - said.sum(axis=1)]), 0.0, 1.0)
    chances /= chances.sum(axis=1, keepdims=True)
    tried = [windows.meter.parts(rows.assign(**{read.column: value}), groups=groups) for value in read.classes]
    return _mixed(tried, list(chances.T))


def _by_draws(
    windows: Windows,
    read: RecordedOutcome,
    rows: pd.DataFrame,
    *,
    said: Floats,
    residuals: Floats,
    groups: tuple[Segment, ...],
    rng: np.random.Generator,
) -> Parts:
    """Parts with outcomes drawn: the prediction and a residual of the reference; of a score the prediction itself."""
    if read.column == windows.roles.score:
        target = read.outcome.targets[0]
        return windows.meter.parts(
            rows.assign(**{read.column: np.clip(said[:, 0], target.min(), target.max())}), groups=groups
        )
    drawn = [said[:, 0] + rng.choice(residuals[:, 0], len(rows)) for _ in range(DRAWS)]
    tried = [windows.meter.parts(rows.assign(**{read.column: one}), groups=groups) for one in drawn]
    return _mixed(tried, [np.full(len(rows), 1 / DRAWS)] * DRAWS)


def _mixed(tried: Sequence[Parts], weights: Sequence[Floats]) -> Parts:
    return replace(
        tried[0],
        numerator=np.sum([one.numerator * w[:, None] for one, w in zip(tried, weights, strict=True)], axis=0),
        denominator=np.sum([one.denominator * w[:, None] for one, w in zip(tried, weights, strict=True)], axis=0),
    )
