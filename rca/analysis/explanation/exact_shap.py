"""Exact SHAP explainers: tree SHAP for forests, closed form for linear models, and XGBoost's own contributions."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.explanation.shap_values import Explained
from rca.analysis.explanation.tree_shap import tables_of
from rca.arrays import Floats
from rca.record.model.forest import Forest, Scale, of_lightgbm, of_sklearn
from rca.record.model.model import Model
from rca.record.model.model_file import willing

MOST_VALUES = 30_000_000
"""Most SHAP values of a window that are kept: rows times features times outputs."""

MOST_WORK = 2_000_000_000
"""Lookups, rows times subtrees, that a window may cost: half a minute of CPU."""

MOST_LEAVES = 100_000
"""Leaves of a forest up to which tree SHAP is exact, within a minute or so; a larger one is sampled."""

DEEP = 40
"""Lookups that a leaf behind too many conditions for a table costs as much as."""

LINES = frozenset({
    "LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV", "LogisticRegression",
    "LogisticRegressionCV", "SGDClassifier", "SGDRegressor", "BayesianRidge", "HuberRegressor",
})  # fmt: skip
"""Estimators of scikit-learn whose margin is a weighted sum."""

APART = frozenset({
    "StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "QuantileTransformer", "PowerTransformer",
    "Binarizer", "OrdinalEncoder",
})  # fmt: skip
"""Steps of scikit-learn that read each column by itself and keep it in its place."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Explainer:
    """A SHAP explainer of one model: the features it reads, the scale of its margin, and a function of rows.

    Attributes
    ----------
    features : tuple of str
    scale : {'log-odds', 'probability', 'prediction', 'score'}
        What its values add up to.
    most : int
        Most rows of a window that it explains.
    of : callable
        Rows with all columns that the model reads → Explained.
    """

    features: tuple[str, ...]
    scale: Scale
    most: int
    of: Callable[[pd.DataFrame], Explained]

    def on(self, scale: Scale) -> "Explainer":
        """The same explainer with its margin declared to be on another scale."""
        return replace(self, scale=scale, of=lambda rows: replace(self.of(rows), scale=scale))

    def mirrored(self) -> "Explainer":
        """The explainer of the other of two classes: SHAP values and base value with opposite sign."""

        def of(rows: pd.DataFrame) -> Explained:
            found = self.of(rows)
            return replace(found, values=-found.values, base=-found.base)

        return replace(self, of=of)

    def __call__(self, rows: pd.DataFrame, *, rng: np.random.Generator | None = None) -> tuple[Explained, Any]:
        """SHAP values of the rows, or of a random sample of at most `most`; and the positions explained, in order."""
        chosen = np.arange(len(rows))
        if len(rows) > self.most:
            rng = np.random.default_rng(0) if rng is None else rng
            chosen = np.sort(rng.permutation(len(rows))[: self.most])
        return self.of(rows.iloc[chosen]), chosen


def exact(model: Model, background: pd.DataFrame, positive: object) -> Explainer | None:
    """Exact SHAP explainer of a model; None where only sampling can explain it.

    Parameters
    ----------
    model : Model
    background : pandas.DataFrame
        Rows whose mean stands for an absent feature of a linear model.
    positive : object
        The class that is meant by yes.
    """
    if model.inside is None:
        return None
    if model.format == "skops":
        return _of_estimator(model, background, positive)
    held, encode = model.inside.held, model.inside.encode
    found = _of_forest(of_lightgbm(held), model, encode) if model.format == "lightgbm" else _of_xgboost(model)
    return found.mirrored() if found is not None and model.inside.mirrored else found


def _of_estimator(model: Model, background: pd.DataFrame, positive: object) -> Explainer | None:
    assert model.inside is not None
    held, encode = model.inside.held, model.inside.encode
    before, last = _steps(held)

    def read(rows: pd.DataFrame) -> Floats:
        return before(rows) if before is not None else encode(rows)

    forest = _of_forest(of_sklearn(last, positive=positive), model, read)
    if forest is not None or type(last).__name__ not in LINES:
        return forest
    rows = read(model.read(background))
    known = rows[np.isfinite(rows).all(axis=1)]
    usual = known.mean(axis=0) if len(known) else np.zeros(rows.shape[1])
    return _of_line(last, model, encode=read, usual=usual, positive=positive)


def _steps(estimator: Any) -> tuple[Callable[[pd.DataFrame], Floats] | None, Any]:
    """Steps of a pipeline that act on each column alone, and its last step; a bare estimator has no steps."""
    steps = [step for _, step in getattr(estimator, "steps", [])]
    if not steps:
        return None, estimator
    if not all(type(step).__name__ in APART for step in steps[:-1]):
        return None, None

    def before(rows: pd.DataFrame) -> Floats:
        matrix: Any = rows
        with willing("model"):
            for step in steps[:-1]:
                matrix = step.transform(matrix)
        return np.asarray(matrix, dtype=float)

    return (before if len(steps) > 1 else None), steps[-1]


# --- exactly ----------------------------------------------------------------------------------------------------------


def _of_forest(forest: Forest | None, model: Model, encode: Callable[[pd.DataFrame], Floats]) -> Explainer | None:
    if forest is None or forest.leaves > MOST_LEAVES:
        return None
    tables = tables_of(forest)
    names = tuple(model.features[at] for at in tables.features)
    work = sum(1 if table is not None else DEEP * len(unit.leaves) for _, unit, table in tables.looked_up)

    def of(rows: pd.DataFrame) -> Explained:
        values = tables.values(encode(model.read(rows)))
        return Explained(
            features=names, values=values, base=tables.base, scale=forest.scale, method="exactly, from its trees"
        )

    most = min(MOST_VALUES // max(len(names) * forest.outputs, 1), MOST_WORK // max(work, 1))
    return Explainer(features=names, scale=forest.scale, most=most, of=of)


def _of_line(
    estimator: Any,
    model: Model,
    *,
    encode: Callable[[pd.DataFrame], Floats],
    usual: Floats,
    positive: object,
) -> Explainer:
    """Linear SHAP in closed form: ``phi_j = w_j (x_j - mean_j)``, with features taken as independent.

    References
    ----------
    Štrumbelj & Kononenko (2014), Knowl. Inf. Syst. 41(3), section 3.1, for additive models.
    """
    weights, constant = np.atleast_2d(estimator.coef_), np.atleast_1d(estimator.intercept_)
    classes = list(getattr(estimator, "classes_", []))
    if len(classes) == 2 and classes[0] == positive:
        weights, constant = -weights, -constant
    read = np.flatnonzero(weights.any(axis=0))
    odds = getattr(estimator, "loss", "log_loss") == "log_loss" and (
        len(classes) == 2 or not hasattr(estimator, "loss")
    )
    scale: Scale = "prediction" if not classes else "log-odds" if odds else "score"

    def of(rows: pd.DataFrame) -> Explained:
        apart = (encode(model.read(rows)) - usual)[:, read]
        return Explained(
            features=tuple(model.features[at] for at in read),
            values=apart[:, :, None] * weights.T[read],
            base=constant + weights @ usual,
            scale=scale,
            method="in closed form",
        )

    most = MOST_VALUES // max(len(read) * len(weights), 1)
    names = tuple(model.features[at] for at in read)
    return Explainer(features=names, scale=scale, most=most, of=of)


def _of_xgboost(model: Model) -> Explainer:
    import json

    assert model.inside is not None
    assert model.inside.contributions is not None
    worked_out = model.inside.contributions
    objective = str(json.loads(model.inside.held.save_config())["learner"]["objective"]["name"])
    odds = objective.startswith(("binary:log", "multi:", "reg:logistic"))
    plain = objective.startswith(("reg:squarederror", "reg:absoluteerror", "reg:pseudohuber", "reg:quantile"))
    scale: Scale = "log-odds" if odds else "prediction" if plain else "score"

    def of(rows: pd.DataFrame) -> Explained:
        parts = worked_out(model.read(rows)).transpose(0, 2, 1)
        return Explained(
            features=model.features, values=parts[:, :-1], base=parts[0, -1], scale=scale, method="by its own library"
        )

    return Explainer(features=model.features, scale=scale, most=MOST_VALUES // max(len(model.features), 1), of=of)
