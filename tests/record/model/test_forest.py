"""A forest as plain arrays: a row that is walked down every tree adds up to what the model itself answers."""

import numpy as np
import pytest

from rca.record.model.forest import of_lightgbm, of_sklearn


def rows(n=300, seed=0):
    matrix = np.random.default_rng(seed).normal(size=(n, 4)).round(2)
    matrix[:, 3] = np.random.default_rng(seed + 1).integers(0, 6, n)
    return matrix


def target(matrix):
    return matrix[:, 0] * matrix[:, 1] + 2.0 * np.isin(matrix[:, 3], [1, 4]) - matrix[:, 2]


def with_holes(matrix):
    return np.where(np.random.default_rng(5).random(matrix.shape) < 0.1, np.nan, matrix)


def walked(tree, row):
    """The leaf that a row falls into, by the words of `Tree` alone."""
    at = 0
    while tree.feature[at] >= 0:
        value = row[tree.feature[at]]
        if at in tree.categories:
            left = value in tree.categories[at]
        elif np.isnan(value):
            left = tree.threshold[at] >= 0.0 if tree.missing.get(at) == "as zero" else tree.missing_left[at]
        else:
            left = value <= tree.threshold[at]
        at = (tree.left if left else tree.right)[at]
    return tree.value[at]


def added_up(forest, matrix):
    found = np.tile(forest.start, (len(matrix), 1))
    for tree in forest.trees:
        found[:, tree.output] += [walked(tree, row) for row in matrix]
    return found


@pytest.mark.parametrize("categorical", [[], [3]], ids=["numbers", "categories"])
@pytest.mark.parametrize("holes", [False, True])
def test_a_forest_of_lightgbm_adds_up_to_its_margin_of_rows_with_holes_too(categorical, holes):
    import lightgbm

    matrix = with_holes(rows()) if holes else rows()
    data = lightgbm.Dataset(matrix, target(rows()), categorical_feature=categorical)
    settings = {"verbosity": -1, "num_threads": 1, "num_leaves": 9, "min_data_per_group": 5, "cat_smooth": 1}
    booster = lightgbm.train(settings, data, 10)
    forest = of_lightgbm(booster.model_to_string())
    assert any(tree.categories for tree in forest.trees) == bool(categorical)
    asked = with_holes(rows(seed=7))
    np.testing.assert_allclose(added_up(forest, asked)[:, 0], booster.predict(asked, raw_score=True), atol=1e-9)


@pytest.mark.parametrize("name", ["RandomForestRegressor", "GradientBoostingRegressor", "DecisionTreeRegressor"])
def test_a_forest_of_scikit_learn_adds_up_to_its_prediction(name):
    from sklearn import ensemble, tree

    kind = getattr(ensemble, name, None) or getattr(tree, name)
    matrix = rows().astype(np.float32)
    model = kind(random_state=0, max_depth=4).fit(matrix, target(rows()))
    forest = of_sklearn(model)
    assert (forest.scale, forest.outputs) == ("prediction", 1)
    np.testing.assert_allclose(added_up(forest, matrix[:40])[:, 0], model.predict(matrix[:40]), atol=1e-6)


def test_what_is_no_sum_of_trees_is_none():
    import lightgbm
    from sklearn.linear_model import LinearRegression

    matrix = rows()
    lines = lightgbm.train({"verbosity": -1, "linear_tree": True}, lightgbm.Dataset(matrix, target(matrix)), 3)
    assert of_lightgbm(lines.model_to_string()) is None
    assert of_sklearn(LinearRegression().fit(matrix, target(matrix))) is None
