"""SHAP explainer of a model, exact where there is one, else by sampling; and the only import of shap.

A black box is sampled on a part of the rows, with the sampling error shown. All is on the margin: what a model adds up
before its link function.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.explanation.exact_shap import Explainer, exact
from rca.analysis.explanation.sampling_shap import values_of
from rca.analysis.explanation.shap_values import Explained
from rca.arrays import Floats, Places
from rca.errors import Unanswerable
from rca.record.model.forest import Scale
from rca.record.model.model import Model
from rca.tables.columns import as_labels

ASKED, BACKGROUND = 300, 30
"""Rows of a window that are explained by sampling, and background rows for absent features."""

MOST_SAMPLED = 60
"""Features above which a black box is not explained."""

SMALLEST_PROBABILITY = 1e-6
"""Probabilities are cut here before their log-odds are taken."""

EXPLANATION_QUESTION = "how did the model's reasons change"


def explainer_of(model: Model, background: pd.DataFrame, *, positive: object = 1, seed: int = 0) -> Explainer:
    """SHAP explainer of a model: exact where there is one, else model-agnostic sampling.

    Parameters
    ----------
    model : Model
    background : pandas.DataFrame
        Background rows for absent features, the reference say. Trees bring their own.
    positive : object
        The class that is meant by yes.
    seed : int
        Of the sampling, where nothing is exact.

    Raises
    ------
    InvalidCase
        If the rows lack a feature that the model reads.
    Unanswerable
        If the model is a black box, and reads more than 60 features or answers with several numbers.

    Examples
    --------
    >>> rows = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 1.0, 4.0]})
    >>> double = Model(format="function", features=("a", "b"), place="model", answer=lambda x: 2 * x["a"] - x["b"])
    >>> found, chosen = explainer_of(double, rows)(rows)
    >>> found.values[:, 0, 0].round(6).tolist(), found.method
    ([-2.0, 0.0, 2.0], 'by asking')
    """
    model.read(background)
    return exact(model, background, positive) or _sampled(model, background, seed=seed)


# --- by sampling ------------------------------------------------------------------------------------------------------


def _sampled(model: Model, background: pd.DataFrame, *, seed: int) -> Explainer:
    if len(model.features) > MOST_SAMPLED:
        why = f"the model can only be asked, and reads {len(model.features)} features; up to {MOST_SAMPLED} are sampled"
        raise Unanswerable(EXPLANATION_QUESTION, f"{why}. Give SHAP values of your own, or a model of fewer trees")
    rows = model.read(background)
    usual = rows.iloc[np.linspace(0, len(rows) - 1, min(BACKGROUND, len(rows))).astype(int)]
    said = model.scores(usual)
    usual = usual[np.isfinite(said)]
    if usual.empty:
        raise Unanswerable(EXPLANATION_QUESTION, "the model has no number for rows of the reference")
    link, scale = _margin(said)

    def of(asked: pd.DataFrame) -> Explained:
        coded = _Coded.of(pd.concat([usual, model.read(asked)], ignore_index=True))

        def ask(places: Places) -> Floats:
            answers = model.scores(coded.frame(places))
            return link(np.where(np.isfinite(answers), answers, np.nan))

        rng = np.random.default_rng(seed)
        found = values_of(ask, coded.places[len(usual) :], coded.places[: len(usual)], rng=rng)
        return Explained(
            features=model.features,
            values=found.values[:, :, None],
            base=np.array([found.base]),
            scale=scale,
            method="by asking",
            error=float(found.error.mean()) if found.error.size else 0.0,
        )

    return Explainer(features=model.features, scale=scale, most=ASKED, of=of)


def _margin(scores: Floats) -> tuple[Callable[[Floats], Floats], Scale]:
    """Link from scores to the scale of SHAP values: log-odds of probabilities, or the predictions themselves."""
    known = scores[np.isfinite(scores)]
    if len(known) and known.min() >= 0 and known.max() <= 1:
        return log_odds, "log-odds"
    return lambda given: given, "prediction"


def log_odds(chances: Floats) -> Floats:
    """Log-odds of probabilities, finite.

    >>> log_odds(np.array([0.5])).tolist()
    [0.0]
    """
    cut = np.clip(chances, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.asarray(np.log(cut) - np.log1p(-cut))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Coded:
    """Rows as integer codes, so that values of rows can be recombined, and decoded to their own types.

    Attributes
    ----------
    like : pandas.DataFrame
    places : ndarray of shape (rows, columns)
        Of each value, the row that has it first.
    """

    like: pd.DataFrame
    places: Places

    @classmethod
    def of(cls, rows: pd.DataFrame) -> "_Coded":
        return cls(like=rows, places=np.column_stack([_firsts(rows[name]) for name in rows]))

    def frame(self, places: Places) -> pd.DataFrame:
        return pd.DataFrame({name: self.like[name].array.take(places[:, k]) for k, name in enumerate(self.like)})


def _firsts(column: "pd.Series[Any]") -> Places:
    """Code of each value: the first row that has it; of a missing one, the first that has none."""
    codes, _ = pd.factorize(as_labels(column), use_na_sentinel=False)
    _, first = np.unique(codes, return_index=True)
    return np.asarray(first[codes])


def _shap() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what shap imports, matplotlib and numba are deprecating things
        import shap
    return shap


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
