"""What the other columns say of one: judged on rows that did not teach it, alike in both windows."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.faults.cross_column_prediction import (
    FOLDS,
    CrossColumnModel,
    Design,
    _regression,
    _wide_regression,
    relation,
)


def noise(rng, rows=300, columns=60):
    return pd.DataFrame(rng.normal(size=(rows, columns))).add_prefix("c")


def fitted(before, after):
    return CrossColumnModel.fit(Design.of(before, after, list(before.columns)), list(before.columns))


def told(witness):
    """Correlations of both windows."""
    return [np.array([said.relation(name)[0] for name in witness.places]) for said in witness.said]


def test_columns_of_noise_say_nothing_of_each_other_even_in_the_rows_that_taught():
    rng = np.random.default_rng(0)
    before, after = noise(rng), noise(rng)
    for found in told(fitted(before, after)):
        assert abs(found.mean()) < 0.02


@pytest.mark.parametrize("noisy", [0.5, 1.5])
def test_a_relation_is_as_close_in_the_rows_that_taught_as_in_new_ones(noisy):
    rng = np.random.default_rng(1)

    def made():
        return pd.DataFrame(rng.normal(size=(300, 1)) + noisy * rng.normal(size=(300, 40))).add_prefix("c")

    before, after = made(), made()
    first, second = told(fitted(before, after))
    assert first.mean() == pytest.approx(second.mean(), abs=0.05)


def test_no_row_of_the_reference_teaches_the_model_that_judges_it():
    rng = np.random.default_rng(2)
    before = noise(rng, columns=3)
    fold = slice(0, len(before) // FOLDS)
    other = before.copy()
    other.iloc[fold, 1] = other.iloc[fold, 0]
    models = [fitted(rows, before).said[1].said for rows in (before, other)]
    assert models[0][fold] == pytest.approx(models[1][fold], abs=0.02)
    assert np.abs(models[0] - models[1]).max() > 0.1


@pytest.mark.parametrize("rows", [0, 1, 3, 30])
def test_few_rows_cannot_say(rows):
    before = noise(np.random.default_rng(3), rows=rows, columns=3)
    witness = fitted(before, before)
    assert [witness.said[0].relation(name) for name in witness.places] == [(0.0, np.inf)] * 3


def test_more_columns_than_rows_are_judged_by_the_same_regression():
    rng = np.random.default_rng(6)
    taught, asked = rng.normal(size=(80, 40)), rng.normal(size=(20, 40))
    by_columns = _regression(taught.T @ taught / 79, 30)(asked)
    assert _wide_regression(taught, 30)(asked) == pytest.approx(by_columns, abs=1e-6)
    wide = pd.DataFrame(rng.normal(size=(60, 1)) + 0.5 * rng.normal(size=(60, 200))).add_prefix("c")
    assert told(fitted(wide, wide))[0].min() > 0.5


@pytest.mark.parametrize("strength", [0.0, 0.6])
def test_the_error_of_a_correlation_is_how_far_it_strays(strength):
    rng = np.random.default_rng(4)
    draws = rng.normal(size=(400, 2, 500))
    draws[:, 1] = strength * draws[:, 0] + np.sqrt(1 - strength**2) * draws[:, 1]
    found = np.array([relation(*pair) for pair in draws])
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(), rel=0.12)


def test_rows_that_go_on_alike_widen_the_error():
    rng = np.random.default_rng(5)
    steps = rng.normal(size=(2, 100))
    held = np.repeat(steps, 10, axis=1)
    assert relation(*held)[1] > 2 * relation(*rng.permutation(held, axis=1))[1]
