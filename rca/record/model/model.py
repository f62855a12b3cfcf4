"""A model that can score rows again, whatever library made it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from rca.errors import InvalidCase, Unanswerable
from rca.record.files.yaml_document import near, plain, show
from rca.record.schema.incident import ModelFormat

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Scores = np.ndarray[Any, np.dtype[np.float64]]

ENOUGH = 1_000
"""Rows that show whether trees can be asked of a table."""

_QUESTION = "what does the model say?"


@dataclass(frozen=True, kw_only=True, eq=False)
class Inside:
    """Internals of a model, for explainers that look inside it.

    Attributes
    ----------
    held : str, xgboost.Booster or a scikit-learn estimator
        A LightGBM file as text.
    encode : callable
        Rows with the model's features, in its order → the matrix of floats that it splits on.
    contributions : callable or None
        The same rows → SHAP values as the library itself works them out, of shape (rows, outputs, features + 1); the
        last is the mean.
    mirrored : bool
        Whether the positive class is the other one than the margin speaks for.
    """

    held: Any
    encode: "Callable[[pd.DataFrame], Scores]"
    contributions: "Callable[[pd.DataFrame], Scores] | None" = None
    mirrored: bool = False

    def after(self, read: "Callable[[pd.DataFrame], pd.DataFrame]") -> "Inside":
        """The same, of rows that are read in another way first."""
        encode, told = self.encode, self.contributions
        contributions = None if told is None else lambda frame: told(read(frame))
        return replace(self, encode=lambda frame: encode(read(frame)), contributions=contributions)


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A model that can score rows again.

    Attributes
    ----------
    format : {'lightgbm', 'xgboost', 'onnx', 'skops', 'function'}
    features : tuple of str
        The columns it reads, in its order, spelled as the tables spell them.
    place : str
        Where the record names it; messages cite it.
    inside : Inside or None
        None where it is a black box.
    classes : tuple
        What it tells apart, in the order of its answers, where it names them.
    """

    format: ModelFormat | Literal["function"]
    features: tuple[str, ...]
    place: str
    answer: "Callable[[pd.DataFrame], Any]"
    inside: Inside | None = None
    classes: tuple[Any, ...] = ()

    def missing(self, columns: Iterable[str]) -> tuple[str, ...]:
        """The features that a table with these columns lacks."""
        known = set(columns)
        return tuple(name for name in self.features if name not in known)

    def scores(self, frame: "pd.DataFrame") -> "Scores":
        """One number for each row: the probability of the positive class, or the predicted value.

        Raises
        ------
        InvalidCase
            If the table lacks a feature or has text where the model reads numbers, or the model answers with text.
        Unanswerable
            If the model answers with more than one number for a row.
        """
        import numpy as np

        rows = self.read(frame)
        if frame.empty:
            return np.empty(0)
        return _one_a_row(self._numbers(self.answer(rows)), len(frame))

    def chances(self, frame: "pd.DataFrame") -> "Scores | None":
        """The probability of each class, of shape (rows, classes); None where it answers with one number for a row.

        Raises
        ------
        InvalidCase
            As `scores` does.
        """
        rows = self.read(frame)
        said = self._numbers(self.answer(rows))
        return said if said.ndim == 2 and said.shape[1] > 2 and len(said) == len(frame) else None

    def refusal(self, frame: "pd.DataFrame") -> str:
        """Why it cannot be asked of these rows, as a pipeline that takes no missing value; empty where it can.

        Trees of a library's own format take any value of a column's type, so that some rows will do.
        """
        some = frame if self.format in ("skops", "onnx") else frame.iloc[:: max(1, len(frame) // ENOUGH)]
        try:
            self._numbers(self.answer(self.read(some)))
        except (InvalidCase, Unanswerable) as refused:
            return refused.problems[0].what if isinstance(refused, InvalidCase) else refused.why
        return ""

    def _numbers(self, said: Any) -> "Scores":
        import numpy as np

        try:
            return np.asarray(said, dtype=np.float64)
        except (TypeError, ValueError) as error:
            what = f"the model answers with what is no number: {plain(str(error))}"
            hint = "give a function that answers with the chance of the positive class"
            raise InvalidCase.because(what, place=self.place, hint=hint) from error

    def read(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        """The columns that the model reads, in its order.

        Raises
        ------
        InvalidCase
            If the table lacks one.
        """
        if lacking := self.missing(frame.columns):
            what = f"the model reads {show(lacking[0])}, and the table has no such column"
            raise InvalidCase.because(what, place=self.place, hint=near(lacking[0], map(str, frame.columns)))
        return frame[list(self.features)]


def _one_a_row(numbers: "Scores", n_rows: int) -> "Scores":
    column = numbers[:, 0] if numbers.ndim == 2 and numbers.shape[1] == 1 else numbers
    if column.shape != (n_rows,):
        several = column.ndim == 2 and len(column) == n_rows
        why = f"it answers with {column.size} numbers for {n_rows} rows"
        raise Unanswerable(_QUESTION, "it tells more than two classes apart" if several else why)
    return column
