"""Rescore rows with the model on file or its surrogate, and check its agreement with the recorded answers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.inputs.metric_reader import likeliest_class
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Mask
from rca.record.model.model import Model
from rca.tables.columns import as_labels, as_numbers, holds

if TYPE_CHECKING:
    from rca.record.case import Roles

Score = Callable[[pd.DataFrame], Floats]

MATCHED = 500
"""Rows of the reference on which the names of a model's classes are matched to its answers."""


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """Scores rows with a model, or its surrogate, and writes scores and predictions into the case's own columns.

    Attributes
    ----------
    score : callable
        Rows → scores (probabilities, or predicted values).
    roles : Roles
    decides : callable
        Scores → predictions as they are recorded.
    features : tuple of str
        Columns it reads.
    fidelity : float or None
        R squared of a surrogate on the recorded answers; None for the model itself.
    strange : tuple of str
        Columns whose broken values lie outside what a surrogate was fitted on.
    rough : bool
        Whether a surrogate's fidelity allows no more than differences of its scores.
    classes : tuple
        Of what tells several classes apart, whose scores are positions in it; empty for one of numbers.
    chances : callable or None
        Rows → the probability of each class, of shape (rows, classes), where it gives them.
    """

    score: Score
    roles: "Roles"
    decides: Callable[[Floats], npt.NDArray[Any]]
    features: tuple[str, ...]
    fidelity: float | None = None
    strange: tuple[str, ...] = ()
    rough: bool = False
    classes: tuple[Any, ...] = ()
    chances: Score | None = None

    def __call__(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rescore: the rows with the model's answer in place of the recorded one."""
        answers: dict[str, Any] = {}
        if self.chances is None:
            scores = self.score(rows)
        else:
            told = self.chances(rows)
            scores, columns = told.argmax(axis=1).astype(float), dict(self.roles.class_scores)
            names = map(str, as_labels(pd.Series(self.classes)))
            answers |= {columns[one]: told[:, at] for at, one in enumerate(names) if one in columns}
        if self.roles.score is not None:
            answers[self.roles.score] = scores
        if self.roles.prediction is not None:
            answers[self.roles.prediction] = self.decides(scores)
        return rows.assign(**answers)

    def instead(
        self, rows: pd.DataFrame, mended: pd.DataFrame, *, touched: Mask, broken: Mask, healed: Mask | None = None
    ) -> pd.DataFrame:
        """Counterfactual answers: the rows with the score they would have had with some columns repaired.

        The model itself scores every row. A surrogate's score is used only in rows that a repair changed, since the
        record has the model's own answer of the others; in rows that are still broken outside its training data, and
        wherever it is `rough`, only the difference of its scores is used. Where a repair took away what it was not
        fitted on, there is no such difference.

        Parameters
        ----------
        rows, mended : pandas.DataFrame
            As recorded, and with some columns repaired.
        touched, broken : ndarray of bool, shape (rows,)
            Rows that a repair changed; rows in which a `strange` column is still wrong.
        healed : ndarray of bool, shape (rows,), optional
            Rows in which a `strange` column was repaired.
        """
        if self.fidelity is None:
            return self(mended)
        if self.classes:
            now, said = self.score(rows), self.score(mended)
            kept = rows[self.roles.prediction or ""].to_numpy(dtype=object)
            answered = np.where(touched & (said != now), self.decides(said), kept)
            return mended.assign(**{self.roles.prediction or "": answered})
        answers = self.roles.score or self.roles.prediction or ""
        recorded, scores = as_numbers(rows[answers]), self.score(mended)
        known = np.isfinite(recorded)
        sure = np.zeros(len(rows), dtype=bool) if healed is None else healed
        answered = np.concatenate([recorded[known], scores])  # all on record may be answers to broken values
        scores = np.where((broken | (self.rough & ~sure)) & known, recorded + scores - self.score(rows), scores)
        scores = np.clip(scores, answered.min(initial=np.inf), answered.max(initial=-np.inf))
        filled: dict[str, Any] = {answers: np.where(touched, scores, recorded)}
        if self.roles.prediction not in (None, answers):
            said = rows[self.roles.prediction].to_numpy()
            filled[str(self.roles.prediction)] = np.where(touched, self.decides(scores), said)
        elif self.roles.prediction == answers:
            filled[answers] = np.where(touched, self.decides(scores), recorded)
        return mended.assign(**filled)


def scorer_of(windows: Windows) -> Scorer | None:
    """Scorer of a case's model, with the decision rule of its recorded predictions; None without model or answers.

    Decisions follow the threshold that the reference's predictions imply; the stated one, if it agrees with them.
    """
    roles = windows.roles
    if windows.model is None or not (roles.score or roles.prediction or roles.class_scores):
        return None
    model, read = windows.model, tuple(name for name in windows.model.features if name in windows.reference)
    if (several := _class_scorer(windows, model, read)) is not None:
        return several
    return Scorer(
        score=model.scores,
        roles=windows.roles,
        decides=decision_rule(windows),
        features=read,
    )


def answers_in_classes(windows: Windows) -> bool:
    """Whether the model tells several classes apart, which the record has as predictions."""
    return windows.model is not None and _class_scorer(windows, windows.model, windows.model.features) is not None


def _class_scorer(windows: Windows, model: Model, read: tuple[str, ...]) -> Scorer | None:
    """Scorer of a model that tells several classes apart; None of any other, and where no order of names fits."""
    said = likeliest_class(windows.roles, windows.reference)
    if windows.roles.prediction is not None:
        said = windows.reference[windows.roles.prediction]
    known = windows.reference[said.notna()]
    if known.empty or model.format == "function" or model.missing(map(str, known)):
        return None
    at = np.unique(np.linspace(0, len(known) - 1, min(len(known), MATCHED)).astype(int))
    if (several := model.chances(known.iloc[at[:1]])) is None:
        return None
    best, recorded = model.chances(known.iloc[at]), as_labels(said.dropna().iloc[at])
    assert best is not None
    orders = _orders(windows, model, several.shape[1])
    right = {order: float(np.mean(recorded == _names(order)[best.argmax(axis=1)])) for order in orders}
    classes = max(right, key=right.__getitem__, default=())
    if not classes or right[classes] <= 1 / len(classes):
        return None
    held: npt.NDArray[Any] = np.empty(len(classes), dtype=object)
    held[:] = classes

    def chances(rows: pd.DataFrame) -> Floats:
        told = model.chances(rows)
        return told if told is not None else np.empty((len(rows), len(classes)))

    return Scorer(
        score=lambda rows: chances(rows).argmax(axis=1).astype(float),
        roles=windows.roles,
        decides=lambda places: held[places.astype(int)],
        features=read,
        classes=classes,
        chances=chances,
    )


def _names(classes: Sequence[Any]) -> npt.NDArray[Any]:
    return np.asarray(as_labels(pd.Series(list(classes))), dtype=object)


def _orders(windows: Windows, model: Model, count: int) -> Iterator[tuple[Any, ...]]:
    """Orders in which the classes of a model may stand: as it names them, sorted as an encoder does, as recorded."""
    if len(model.classes) == count:
        yield model.classes
    for role in (windows.roles.prediction, windows.roles.label):
        column = windows.reference[role].dropna() if role in windows.reference else ()
        values = sorted(pd.unique(pd.Series(column)).tolist(), key=lambda one: (isinstance(one, str), one))
        if len(values) == count:
            yield tuple(values)
    if len(windows.roles.class_scores) == count:
        yield tuple(one for one, _ in windows.roles.class_scores)
    yield tuple(range(count))


def rule_of(windows: Windows) -> Scorer | None:
    """Scorer that applies the reference's threshold to the recorded scores; None without both columns.

    Where no model is on file rows cannot be rescored, but decisions can be made again from the recorded scores.
    """
    roles = windows.roles
    if roles.score is None or roles.prediction is None or windows.reference[roles.prediction].nunique() > 2:
        return None
    name = roles.score
    return Scorer(
        score=lambda rows: as_numbers(rows[name]), roles=roles, decides=decision_rule(windows), features=(name,)
    )


def agreement(asker: Scorer, rows: pd.DataFrame) -> float:
    """Share of rows whose recorded score and prediction a scorer reproduces, to four digits."""
    again, same = asker(rows), np.ones(len(rows), bool)
    recorded = (asker.roles.score, asker.roles.prediction, *(column for _, column in asker.roles.class_scores))
    for column in recorded:
        if column is not None:
            same &= _alike(rows[column], again[column])
    return float(same.mean())


def _alike(recorded: "pd.Series[Any]", again: "pd.Series[Any]") -> Mask:
    if pd.api.types.is_numeric_dtype(recorded):
        return np.isclose(as_numbers(recorded), as_numbers(again), rtol=1e-4, atol=1e-6, equal_nan=True)
    return np.asarray(as_labels(recorded) == as_labels(again), dtype=bool)


def decision_rule(windows: Windows) -> Callable[[Floats], npt.NDArray[Any]]:
    """Decision rule from scores to recorded predictions: identity for a regression, else the reference's threshold."""
    roles, reference = windows.roles, windows.reference
    if roles.prediction is None or reference[roles.prediction].nunique() > 2:
        return lambda scores: scores
    reference = reference[reference[roles.prediction].notna()]
    said = reference[roles.prediction]
    yes = holds(said, roles.positive)
    words = not pd.api.types.is_numeric_dtype(said)
    usual = (str(roles.positive), "0") if words else (roles.positive, 0)
    positive, negative = _first(said[yes], usual[0]), _first(said[~yes], usual[1])
    threshold = windows.metric.threshold
    if roles.score is not None:
        threshold = _threshold(reference[roles.score], yes, stated=threshold)
    return lambda scores: np.where(scores > threshold, positive, negative)


def _first(values: "pd.Series[Any]", otherwise: Any) -> Any:
    return values.iloc[0] if len(values) else otherwise


def _threshold(scores: "pd.Series[Any]", yes: Mask, *, stated: float) -> float:
    """The stated threshold if it separates the reference's predictions, else the midpoint between the two classes."""
    if yes.all() or not yes.any():
        return stated
    highest_no, lowest_yes = float(scores[~yes].max()), float(scores[yes].min())
    return stated if highest_no <= stated <= lowest_yes else (highest_no + lowest_yes) / 2
