"""The model on file, asked again: what it says of rows, and whether it is the model that answered then."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.columns import Encoder, Floats, Mask, as_labels, as_numbers, for_trees, holds
from rca.analysis.windows import Windows

if TYPE_CHECKING:
    from rca.record.case import Roles

Score = Callable[[pd.DataFrame], Floats]

FAITHFUL = 0.95
"""Share of the variance of unseen answers that a surrogate has to repeat, to be asked in the model's place."""

FARTHEST = 1e100
"""Numbers are cut here before a line is fitted, so that their squares are numbers too."""

SURROGATE_ROWS = 200
"""Rows of a window below which no surrogate is fitted."""


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Asks the model about rows and fills in what it says, in the case's own columns.

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
        Share of the recorded answers' variance that a surrogate repeats; None for the model itself.
    """

    score: Score
    roles: "Roles"
    decides: Callable[[Floats], npt.NDArray[Any]]
    features: tuple[str, ...]
    fidelity: float | None = None

    def __call__(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows with the model's present answer in place of the recorded one."""
        scores = self.score(rows)
        answers: dict[str, Any] = {}
        if self.roles.score is not None:
            answers[self.roles.score] = scores
        if self.roles.prediction is not None:
            answers[self.roles.prediction] = self.decides(scores)
        return rows.assign(**answers)


def asker_of(windows: Windows) -> Asker | None:
    """Ask a case's model, and decide as its recorded predictions were; None without a model or a column of its answers.

    Decisions follow the threshold that the reference's predictions keep to, the stated one if they do.
    """
    if windows.model is None or (windows.roles.score or windows.roles.prediction) is None:
        return None
    read = tuple(name for name in windows.model.features if name in windows.reference)
    return Asker(score=windows.model.scores, roles=windows.roles, decides=_decision_rule(windows), features=read)


def surrogate_of(windows: Windows) -> Asker | None:
    """Ask a stand-in fitted to the answers on record, where the case has no model file; None where it would not do.

    It has to repeat answers it has not seen, in the reference and in the current window. If it repeats only the
    reference's, the model answers otherwise now, or is asked what it never was: then a stand-in proves nothing.
    """
    answers = windows.roles.score or windows.roles.prediction
    features = windows.roles.features
    if windows.model is not None or answers is None or not features:
        return None
    reference, current = (rows[np.isfinite(as_numbers(rows[answers]))] for rows in (windows.reference, windows.current))
    if min(len(reference), len(current)) < SURROGATE_ROWS or as_numbers(reference[answers]).std() == 0:
        return None
    half = np.arange(len(reference)) % 2 == 0
    trials = [
        (_repeated(fit(reference[half], answers, features), reference[~half], answers), fit) for fit in _STAND_INS
    ]
    held_out, fit = max(trials, key=lambda trial: trial[0])
    score = fit(reference, answers, features)
    fidelity = min(held_out, _repeated(score, current, answers))
    if fidelity < FAITHFUL:
        return None
    return Asker(
        score=score, roles=windows.roles, decides=_decision_rule(windows), features=features, fidelity=fidelity
    )


def _trees(rows: pd.DataFrame, answers: str, features: Sequence[str]) -> Score:
    from sklearn.ensemble import HistGradientBoostingRegressor

    encode, target = Encoder.fit(rows, features), as_numbers(rows[answers])
    model = HistGradientBoostingRegressor(max_iter=200, max_leaf_nodes=31, random_state=0, early_stopping=False)
    model.fit(for_trees(encode(rows)), target)
    low, high = float(target.min()), float(target.max())
    return lambda asked: np.clip(model.predict(encode(asked)), low, high)


def _linear(rows: pd.DataFrame, answers: str, features: Sequence[str]) -> Score:
    """A line through the log odds of probabilities, or through the answers themselves if they are none."""
    from scipy.special import expit, logit
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    encoder, target = Encoder.fit(rows, features), as_numbers(rows[answers])

    def encode(asked: pd.DataFrame) -> Floats:
        return np.clip(encoder(asked), -FARTHEST, FARTHEST)

    probable = bool(target.min() > 0 and target.max() < 1)
    model = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), Ridge(alpha=1.0))
    model.fit(encode(rows), logit(target) if probable else target)
    return lambda asked: np.asarray(expit(model.predict(encode(asked))) if probable else model.predict(encode(asked)))


_STAND_INS = (_trees, _linear)


def _repeated(score: Score, rows: pd.DataFrame, answers: str) -> float:
    """Share of the variance of the recorded answers that a surrogate repeats."""
    recorded = as_numbers(rows[answers])
    return 1 - float(np.mean((recorded - score(rows)) ** 2)) / max(float(recorded.var()), np.finfo(float).tiny)


def agreement(asker: Asker, rows: pd.DataFrame) -> float:
    """Share of rows whose recorded score and prediction the model file repeats, to four digits."""
    again, same = asker(rows), np.ones(len(rows), bool)
    for column in (asker.roles.score, asker.roles.prediction):
        if column is not None:
            same &= _alike(rows[column], again[column])
    return float(same.mean())


def _alike(recorded: "pd.Series[Any]", again: "pd.Series[Any]") -> Mask:
    if pd.api.types.is_numeric_dtype(recorded):
        return np.isclose(as_numbers(recorded), as_numbers(again), rtol=1e-4, atol=1e-6, equal_nan=True)
    return np.asarray(as_labels(recorded) == as_labels(again), dtype=bool)


def _decision_rule(windows: Windows) -> Callable[[Floats], npt.NDArray[Any]]:
    """How scores become recorded predictions: as they are for a regression, else by the reference's threshold."""
    roles, reference = windows.roles, windows.reference
    if roles.prediction is None or reference[roles.prediction].nunique() > 2:
        return lambda scores: scores
    reference = reference[reference[roles.prediction].notna()]
    said = reference[roles.prediction]
    yes = holds(said, roles.positive)
    positive, negative = _first(said[yes], roles.positive), _first(said[~yes], 0)
    threshold = windows.metric.threshold
    if roles.score is not None:
        threshold = _threshold(reference[roles.score], yes, stated=threshold)
    return lambda scores: np.where(scores > threshold, positive, negative)


def _first(values: "pd.Series[Any]", otherwise: Any) -> Any:
    return values.iloc[0] if len(values) else otherwise


def _threshold(scores: "pd.Series[Any]", yes: Mask, *, stated: float) -> float:
    """The stated threshold if the reference's predictions keep to it, else the one they keep to."""
    if yes.all() or not yes.any():
        return stated
    highest_no, lowest_yes = float(scores[~yes].max()), float(scores[yes].min())
    return stated if highest_no <= stated <= lowest_yes else (highest_no + lowest_yes) / 2
