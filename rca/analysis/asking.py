"""The model on file, asked again: what it says of rows, and whether it is the model that answered then."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.windows import Windows

if TYPE_CHECKING:
    from rca.record.case import Roles

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Score = Callable[[pd.DataFrame], Floats]


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
    """

    score: Score
    roles: "Roles"
    decides: Callable[[Floats], npt.NDArray[Any]]

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
    """Ask a case's model; None where it has none, or no column that holds its answers."""
    if windows.model is None or (windows.roles.score or windows.roles.prediction) is None:
        return None
    return Asker(score=windows.model.scores, roles=windows.roles, decides=_decision_rule(windows))


def agreement(asker: Asker, rows: pd.DataFrame) -> float:
    """Share of rows whose recorded score and prediction the model file repeats."""
    again, same = asker(rows), np.ones(len(rows), bool)
    for column in (asker.roles.score, asker.roles.prediction):
        if column is not None:
            same &= _alike(rows[column], again[column])
    return float(same.mean())


def _alike(recorded: "pd.Series[Any]", again: "pd.Series[Any]") -> Mask:
    if pd.api.types.is_numeric_dtype(recorded):
        pair = recorded.to_numpy(float), again.to_numpy(float)
        return np.asarray(np.isclose(*pair, rtol=1e-4, atol=1e-6, equal_nan=True))
    return np.asarray(recorded.astype(str) == again.astype(str))


def _decision_rule(windows: Windows) -> Callable[[Floats], npt.NDArray[Any]]:
    """How scores become recorded predictions: as they are for a regression, else by the threshold the reference shows."""
    roles, reference = windows.roles, windows.reference
    if roles.prediction is None or reference[roles.prediction].nunique() > 2:
        return lambda scores: scores
    said = reference[roles.prediction]
    yes = _means_yes(said, roles.positive)
    positive, negative = _first(said[yes], roles.positive), _first(said[~yes], 0)
    threshold = windows.metric.threshold
    if roles.score is not None:
        threshold = _threshold(reference[roles.score], yes, stated=threshold)
    return lambda scores: np.where(scores > threshold, positive, negative)


def _means_yes(said: "pd.Series[Any]", positive: str | float) -> "pd.Series[bool]":
    if isinstance(positive, str):
        return said.astype(str) == positive
    return pd.to_numeric(said, errors="coerce") == float(positive)


def _first(values: "pd.Series[Any]", otherwise: Any) -> Any:
    return values.iloc[0] if len(values) else otherwise


def _threshold(scores: "pd.Series[Any]", yes: "pd.Series[bool]", *, stated: float) -> float:
    """The stated threshold if the reference's predictions keep to it, else the one they keep to."""
    if yes.all() or not yes.any():
        return stated
    highest_no, lowest_yes = float(scores[~yes].max()), float(scores[yes].min())
    return stated if highest_no <= stated <= lowest_yes else (highest_no + lowest_yes) / 2
