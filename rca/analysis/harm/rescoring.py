"""The model on file, asked again: what it says of rows, and whether it is the model that answered then."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Mask
from rca.tables.columns import as_labels, as_numbers, holds

if TYPE_CHECKING:
    from rca.record.case import Roles

Score = Callable[[pd.DataFrame], Floats]


@dataclass(frozen=True, kw_only=True)
class Scorer:
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
        Share of the recorded answers' variance that a stand-in repeats; None for the model itself.
    strange : tuple of str
        Columns to whose broken values a stand-in does not know the answer.
    """

    score: Score
    roles: "Roles"
    decides: Callable[[Floats], npt.NDArray[Any]]
    features: tuple[str, ...]
    fidelity: float | None = None
    strange: tuple[str, ...] = ()

    def __call__(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows with the model's present answer in place of the recorded one."""
        scores = self.score(rows)
        answers: dict[str, Any] = {}
        if self.roles.score is not None:
            answers[self.roles.score] = scores
        if self.roles.prediction is not None:
            answers[self.roles.prediction] = self.decides(scores)
        return rows.assign(**answers)

    def instead(self, rows: pd.DataFrame, mended: pd.DataFrame, *, touched: Mask, broken: Mask) -> pd.DataFrame:
        """The rows with what would have been answered, had they been mended.

        The model itself is asked. A stand-in is asked only where mending changed something, as the record knows better
        what the model said; and of rows that are still broken in a way to which it does not know the answer, it tells
        the difference alone.

        Parameters
        ----------
        rows, mended : pandas.DataFrame
            As recorded, and with some columns mended.
        touched, broken : ndarray of bool, shape (rows,)
            Rows in which something was mended; rows in which a `strange` column is wrong still.
        """
        if self.fidelity is None:
            return self(mended)
        answers = self.roles.score or self.roles.prediction or ""
        recorded, scores = as_numbers(rows[answers]), self.score(mended)
        known = np.isfinite(recorded)
        answered = np.concatenate([recorded[known], scores])  # all on record may be answers to broken values
        scores = np.where(broken & known, recorded + scores - self.score(rows), scores)
        scores = np.clip(scores, answered.min(initial=np.inf), answered.max(initial=-np.inf))
        filled: dict[str, Any] = {answers: np.where(touched, scores, recorded)}
        if self.roles.prediction not in (None, answers):
            said = rows[self.roles.prediction].to_numpy()
            filled[str(self.roles.prediction)] = np.where(touched, self.decides(scores), said)
        elif self.roles.prediction == answers:
            filled[answers] = np.where(touched, self.decides(scores), recorded)
        return mended.assign(**filled)


def scorer_of(windows: Windows) -> Scorer | None:
    """Ask a case's model, and decide as its recorded predictions were; None without a model or a column of its answers.

    Decisions follow the threshold that the reference's predictions keep to, the stated one if they do.
    """
    if windows.model is None or (windows.roles.score or windows.roles.prediction) is None:
        return None
    read = tuple(name for name in windows.model.features if name in windows.reference)
    return Scorer(score=windows.model.scores, roles=windows.roles, decides=decision_rule(windows), features=read)


def rule_of(windows: Windows) -> Scorer | None:
    """Decide anew of the scores on record, as the reference's threshold does; None without both columns.

    Where no model is on file its scores cannot be asked for, but what was decided of them can.
    """
    roles = windows.roles
    if roles.score is None or roles.prediction is None or windows.reference[roles.prediction].nunique() > 2:
        return None
    name = roles.score
    return Scorer(
        score=lambda rows: as_numbers(rows[name]), roles=roles, decides=decision_rule(windows), features=(name,)
    )


def agreement(asker: Scorer, rows: pd.DataFrame) -> float:
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


def decision_rule(windows: Windows) -> Callable[[Floats], npt.NDArray[Any]]:
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
