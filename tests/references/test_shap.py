"""SHAP values are those of shap's own explainers, for every kind of model that is read."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.explanation.sampling_shap import ORDERS, values_of
from rca.analysis.explanation.tree_shap import leaf_values, tables_of
from rca.record.model.forest import of_lightgbm, of_sklearn

CLOSE = 1e-5
ADDS_UP = 1e-6


def rows(n=600, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 6)).round(2), columns=list("abcdef"))
    return frame.assign(g=rng.integers(0, 9, n), h=rng.integers(0, 40, n))


def with_missing(frame, seed=1):
    rng = np.random.default_rng(seed)
    return frame.mask(rng.random(frame.shape) < 0.1)


def target(frame, seed=2):
    noise = np.random.default_rng(seed).normal(size=len(frame))
    known = frame.fillna(0)
    return known["a"] * known["b"] + known["c"] + (known["g"] % 3 == 1) - (known["h"] % 7 == 2) + noise


def boosted(frame, y, **settings):
    import lightgbm

    settings = {"verbosity": -1, "num_threads": 1, "num_leaves": 12, "min_data_in_leaf": 8, **settings}
    return lightgbm.train(settings, lightgbm.Dataset(frame, y), 12)


def spread(tables, matrix):
    """Values of all columns, those that no tree reads among them."""
    found = np.zeros((len(matrix), matrix.shape[1], len(tables.base)))
    found[:, list(tables.features)] = tables.values(matrix)
    return found


LIGHTGBM = {
    "numbers": (rows(), {}),
    "missing": (with_missing(rows()), {"objective": "binary"}),
    "zero is missing": (with_missing(rows()), {"zero_as_missing": True}),
    "missing is zero": (rows(), {"use_missing": False}),
    "categories": (rows().astype({"g": "category", "h": "category"}), {"min_data_per_group": 5, "cat_smooth": 1}),
    "categories and missing": (with_missing(rows()).astype({"h": "category"}), {"min_data_per_group": 5}),
    "averaged": (rows(), {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}),
    "deep": (rows(3000), {"num_leaves": 200, "min_data_in_leaf": 2}),
    "three classes": (rows(), {"objective": "multiclass", "num_class": 3}),
    "a single leaf": (rows(), {"min_data_in_leaf": 500}),
}


@pytest.mark.parametrize("kind", LIGHTGBM)
@pytest.mark.parametrize("widest", [3, 10])
def test_values_of_boosted_trees_are_shaps_and_add_up(kind, widest, shap):
    frame, settings = LIGHTGBM[kind]
    y = target(rows(len(frame)))
    y = (y > 0).astype(int) if settings.get("objective") == "binary" else y
    y = pd.qcut(y, 3, labels=False) if "num_class" in settings else y
    booster = boosted(frame, y, **settings)
    matrix = np.column_stack([
        frame[name].cat.codes.replace(-1, np.nan) if frame[name].dtype == "category" else frame[name] for name in frame
    ]).astype(float)  # fmt: skip
    asked = with_missing(pd.DataFrame(matrix), seed=5).to_numpy() if kind == "missing is zero" else matrix
    asked = np.vstack([asked, np.full((1, asked.shape[1]), 99.0), np.full((1, asked.shape[1]), -3.0)])
    tables = tables_of(of_lightgbm(booster.model_to_string()), widest=widest)
    found = spread(tables, asked)
    # The booster itself is asked for margins and contributions of codes, as shap asks it.
    parts = booster.predict(asked, pred_contrib=True, num_threads=1, validate_features=False)
    parts = parts / 12 if kind == "averaged" else parts  # what it answers is their mean, LightGBM explains the sum
    parts = parts.reshape(len(asked), -1, asked.shape[1] + 1).transpose(0, 2, 1)
    np.testing.assert_allclose(found, parts[:, :-1], atol=CLOSE)
    np.testing.assert_allclose(tables.base, parts[0, -1], atol=CLOSE)
    margin = booster.predict(asked, raw_score=kind != "averaged", num_threads=1).reshape(len(asked), -1)
    np.testing.assert_allclose(tables.base + found.sum(axis=1), margin, atol=ADDS_UP)
    if kind == "numbers":
        np.testing.assert_allclose(found[..., 0], shap.TreeExplainer(booster).shap_values(asked), atol=CLOSE)


def sklearn_models():
    from sklearn import ensemble, tree

    small = {"n_estimators": 8, "random_state": 0}
    return {
        "forest": (ensemble.RandomForestClassifier(**small, max_depth=6), True),
        "extra trees": (ensemble.ExtraTreesClassifier(**small, max_depth=5), True),
        "regression forest": (ensemble.RandomForestRegressor(**small, max_depth=6), False),
        "a tree": (tree.DecisionTreeRegressor(random_state=0), False),
        "boosting": (ensemble.GradientBoostingClassifier(**small), True),
        "boosted regression": (ensemble.GradientBoostingRegressor(**small), False),
        "bins": (ensemble.HistGradientBoostingClassifier(max_iter=9, random_state=0, early_stopping=False), True),
        "bins regression": (ensemble.HistGradientBoostingRegressor(max_iter=9, early_stopping=False), False),
    }


@pytest.mark.parametrize("kind", sklearn_models())
@pytest.mark.parametrize("missing", [False, True])
def test_values_of_scikit_learns_trees_are_shaps_and_add_up(kind, missing, shap):
    model, classes = sklearn_models()[kind]
    if missing and kind.startswith("boost"):
        pytest.skip("scikit-learn's gradient boosting takes no missing values")
    frame = with_missing(rows()) if missing else rows()
    y = target(rows())
    model.fit(frame.to_numpy(), (y > 0).astype(int) if classes else y)
    tables = tables_of(of_sklearn(model))
    found = spread(tables, frame.to_numpy(float))[..., 0]
    explainer = shap.TreeExplainer(model)
    theirs = np.asarray(explainer.shap_values(frame.to_numpy(), check_additivity=False))
    theirs = theirs[..., 1] if theirs.ndim == 3 else theirs
    np.testing.assert_allclose(found, theirs, atol=CLOSE)
    margin = getattr(model, "decision_function", None) or (
        (lambda x: model.predict_proba(x)[:, 1]) if classes else model.predict
    )
    np.testing.assert_allclose(tables.base[0] + found.sum(axis=1), margin(frame.to_numpy()), atol=ADDS_UP)


def test_a_leafs_values_are_the_mean_over_all_orders():
    from itertools import permutations

    ratios, met = np.array([0.5, 0.2, 0.9]), np.array([True, False, True])
    found = np.zeros(3)
    for order in permutations(range(3)):
        present: set[int] = set()
        for player in order:
            worth = [
                np.prod([met[k] if k in held else ratios[k] for k in range(3)])
                for held in (present, present | {player})
            ]
            found[player] += (worth[1] - worth[0]) / 6
            present = present | {player}
    np.testing.assert_allclose(leaf_values(met[None, :], ratios)[0], found, atol=1e-12)


@pytest.mark.parametrize("objective", ["binary:logistic", "reg:squarederror", "multi:softprob"])
def test_values_of_xgboost_are_its_own_and_add_up(objective, shap):
    xgboost = pytest.importorskip("xgboost")
    from rca.analysis.explanation.exact_shap import exact
    from rca.record.model.model_file import model_in_memory

    frame, y = with_missing(rows()), target(rows())
    several = {"num_class": 3} if objective.startswith("multi") else {}
    y = y if objective.startswith("reg") else pd.qcut(y, 3, labels=False) if several else (y > 0).astype(int)
    booster = xgboost.train({"objective": objective, "max_depth": 4, **several}, xgboost.DMatrix(frame, y), 8)
    found, _ = exact(model_in_memory(booster), frame, 1)(frame)
    margin = booster.predict(xgboost.DMatrix(frame), output_margin=True).reshape(len(frame), -1)
    np.testing.assert_allclose(found.margin, margin, atol=CLOSE)
    if not several:
        theirs = shap.TreeExplainer(booster).shap_values(frame)
        np.testing.assert_allclose(found.values[..., 0], theirs, atol=CLOSE)


# --- what can only be asked -------------------------------------------------------------------------------------------


def mixed(matrix):
    """No sum of its features: products, a maximum and a step, of as many columns as there are."""
    first, second, third = matrix[:, 0], matrix[:, 1], matrix[:, 2]
    return first * second + np.maximum(third, matrix[:, -1]) + (matrix.sum(axis=1) > 0)


@pytest.mark.parametrize("features", [3, 4, 6])
def test_asked_about_every_subset_values_are_shaps(features, shap):
    rng = np.random.default_rng(features)
    asked, usual = rng.normal(size=(40, features)), rng.normal(size=(15, features))
    found = values_of(mixed, asked, usual, rng=rng)
    theirs = shap.ExactExplainer(mixed, shap.maskers.Independent(usual))(asked)
    np.testing.assert_allclose(found.values, theirs.values, atol=1e-10)
    np.testing.assert_allclose(found.base, theirs.base_values[0], atol=1e-10)
    assert not found.error.any()


def test_asked_along_orders_values_are_shaps_within_the_error_that_is_told_and_no_wider_than_shaps(shap):
    rng = np.random.default_rng(9)
    asked, usual = rng.normal(size=(60, 9)), rng.normal(size=(10, 9))
    found = values_of(mixed, asked, usual, rng=rng)
    theirs = shap.ExactExplainer(mixed, shap.maskers.Independent(usual))(asked).values
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), mixed(asked), atol=1e-10)
    off = found.values - theirs
    told = np.sqrt((found.error**2).mean())
    assert 0.7 < np.sqrt((off**2).mean()) / told < 1.3
    sampled = shap.PermutationExplainer(mixed, shap.maskers.Independent(usual), seed=0)
    again = sampled(asked, max_evals=ORDERS * (2 * 9 + 1), silent=True).values
    assert np.sqrt((off**2).mean()) < 1.15 * np.sqrt(((again - theirs) ** 2).mean())
