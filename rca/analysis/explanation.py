"""SHAP values of a model's answers, by the fastest exact way there is; the only door to shap.

What can only be asked is explained by shap's sampling, on a part of the rows and with its error shown. All is on the
margin: what a model adds up before it answers.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.columns import Floats, as_labels
from rca.analysis.explained import Explained
from rca.analysis.explainer import Explainer, exact
from rca.errors import Unanswerable
from rca.record.forest import Scale
from rca.record.model import Model

ASKED, BACKGROUND = 300, 30
"""Rows of a window that are explained by sampling, and rows that stand for an absent feature there."""

MOST_SAMPLED = 60
"""Features from which a model that can only be asked is not explained."""

SURE = 1e-6
"""Probabilities are cut here before their log-odds are taken."""

QUESTION = "how did the model's reasons change"


def explainer_of(model: Model, background: pd.DataFrame, *, positive: object = 1, seed: int = 0) -> Explainer:
    """Find the fastest exact way to explain a model.

    Parameters
    ----------
    model : Model
    background : pandas.DataFrame
        Rows that stand for what is usual where a feature is absent, the reference say. Trees bring their own.
    positive : object
        The class that is meant by yes.
    seed : int
        Of the sampling, where nothing is exact.

    Raises
    ------
    InvalidCase
        If the rows lack a feature that the model reads.
    Unanswerable
        If the model can only be asked, and reads more than 60 features or answers with several numbers.

    Examples
    --------
    >>> rows = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 1.0, 4.0]})
    >>> double = Model(format="function", features=("a", "b"), place="model", answer=lambda x: 2 * x["a"] - x["b"])
    >>> found, chosen = explainer_of(double, rows)(rows)
    >>> found.values[:, 0, 0].round(6).tolist(), found.method
    ([-2.0, 0.0, 2.0], 'by sampling')
    """
    model.read(background)
    return exact(model, background, positive) or _sampled(model, background, seed=seed)


# --- by sampling ------------------------------------------------------------------------------------------------------


def _sampled(model: Model, background: pd.DataFrame, *, seed: int) -> Explainer:
    if len(model.features) > MOST_SAMPLED:
        why = f"the model can only be asked, and reads {len(model.features)} features; up to {MOST_SAMPLED} are sampled"
        raise Unanswerable(QUESTION, f"{why}. Give SHAP values of your own, or a model of fewer trees")
    rows = model.read(background)
    usual = rows.iloc[np.linspace(0, len(rows) - 1, min(BACKGROUND, len(rows))).astype(int)]
    said = model.scores(usual)
    usual = usual[np.isfinite(said)]
    if usual.empty:
        raise Unanswerable(QUESTION, "the model has no number for rows of the reference")
    link, scale = _margin(said)

    def of(asked: pd.DataFrame) -> Explained:
        shap, coded = _shap(), _Coded.of(pd.concat([usual, model.read(asked)], ignore_index=True))

        def ask(places: Floats) -> Floats:
            answers = model.scores(coded.frame(places))
            return link(np.where(np.isfinite(answers), answers, np.nan))

        with _seeded(seed):
            masker = shap.maskers.Independent(coded.places[: len(usual)])
            explain = shap.PermutationExplainer(ask, masker, seed=seed)
            turns = 2 * len(model.features) + 1
            found = explain(coded.places[len(usual) :], max_evals=4 * turns, error_bounds=True, silent=True)
        return Explained(
            features=model.features,
            values=np.asarray(found.values, dtype=float)[:, :, None],
            base=np.atleast_1d(np.mean(found.base_values)).astype(float),
            scale=scale,
            method="by sampling",
            error=float(np.mean(found.error_std)),
        )

    return Explainer(features=model.features, scale=scale, most=ASKED, of=of)


def _margin(scores: Floats) -> tuple[Callable[[Floats], Floats], Scale]:
    """From scores to the scale that reasons add up on: log-odds of chances, or the predictions themselves."""
    known = scores[np.isfinite(scores)]
    if len(known) and known.min() >= 0 and known.max() <= 1:
        return log_odds, "log-odds"
    return lambda given: given, "prediction"


def log_odds(chances: Floats) -> Floats:
    """Log-odds of probabilities, finite.

    >>> log_odds(np.array([0.5])).tolist()
    [0.0]
    """
    cut = np.clip(chances, SURE, 1 - SURE)
    return np.asarray(np.log(cut) - np.log1p(-cut))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Coded:
    """Rows as numbers that shap can mix, and back again, every value of the type that it was.

    Attributes
    ----------
    like : pandas.DataFrame
    places : ndarray of shape (rows, columns)
        Of each value, the row that has it first.
    """

    like: pd.DataFrame
    places: Floats

    @classmethod
    def of(cls, rows: pd.DataFrame) -> "_Coded":
        return cls(like=rows, places=np.column_stack([_firsts(rows[name]) for name in rows]))

    def frame(self, places: Floats) -> pd.DataFrame:
        at = np.asarray(places).astype(int)
        return pd.DataFrame({name: self.like[name].array.take(at[:, k]) for k, name in enumerate(self.like)})


def _firsts(column: "pd.Series[Any]") -> Floats:
    """Of each value, the first row that has it; of a missing one, the first that has none."""
    codes, _ = pd.factorize(as_labels(column), use_na_sentinel=False)
    _, first = np.unique(codes, return_index=True)
    return np.asarray(first[codes], dtype=float)


def _shap() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what shap imports, matplotlib and numba are deprecating things
        import shap
    return shap


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Shap draws from numpy's global state; here it is seeded, and afterwards as it was."""
    state = np.random.get_state()  # noqa: NPY002 - it is shap that uses it
    np.random.seed(seed)  # noqa: NPY002 - likewise
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002 - likewise


def to_shap(explained: Explained, rows: pd.DataFrame) -> Any:
    """The values as `shap.Explanation`, for shap's own plots.

    Parameters
    ----------
    explained : Explained
    rows : pandas.DataFrame
        The rows that were explained.

    Returns
    -------
    shap.Explanation
        Of shape (rows, features), with a third axis where the model has several outputs.
    """
    one = explained.values.shape[2] == 1
    base = np.broadcast_to(explained.base, (len(explained), len(explained.base)))
    return _shap().Explanation(
        values=explained.values[:, :, 0] if one else explained.values,
        base_values=base[:, 0] if one else base,
        data=rows[list(explained.features)].to_numpy(),
        feature_names=list(explained.features),
    )
