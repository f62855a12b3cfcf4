"""What the other columns say of one: judged on rows that did not teach it, alike in both windows."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.faults.cross_column_prediction import FOLDS, CrossColumnModel, relation


def noise(rng, rows=300, columns=60):
    return pd.DataFrame(rng.normal(size=(rows, columns))).add_prefix("c")


def told(rows, witness):
    seen = witness.design(rows)
    return np.array([relation(*witness.says(name, seen))[0] for name in witness.places])


def test_columns_of_noise_say_nothing_of_each_other_even_in_the_rows_that_taught():
    rng = np.random.default_rng(0)
    before, after = noise(rng), noise(rng)
    witness = CrossColumnModel.fit(before, list(before.columns))
    for rows in (before, after):
        assert abs(told(rows, witness).mean()) < 0.02


@pytest.mark.parametrize("noisy", [0.5, 1.5])
def test_a_relation_is_as_close_in_the_rows_that_taught_as_in_new_ones(noisy):
    rng = np.random.default_rng(1)

    def made():
        return pd.DataFrame(rng.normal(size=(300, 1)) + noisy * rng.normal(size=(300, 40))).add_prefix("c")

    before, after = made(), made()
    witness = CrossColumnModel.fit(before, list(before.columns))
    assert told(before, witness).mean() == pytest.approx(told(after, witness).mean(), abs=0.05)


def test_no_row_of_the_reference_teaches_the_model_that_judges_it():
    rng = np.random.default_rng(2)
    before = noise(rng, columns=3)
    fold = slice(0, len(before) // FOLDS)
    other = before.copy()
    other.iloc[fold, 1] = other.iloc[fold, 0]
    models = [CrossColumnModel.fit(rows, list(rows.columns)).weights for rows in (before, other)]
    assert models[0][0] == pytest.approx(models[1][0], abs=0.02)
    assert np.abs(models[0][1] - models[1][1]).max() > 0.1


@pytest.mark.parametrize("rows", [0, 1, 3, 30])
def test_few_rows_cannot_say(rows):
    before = noise(np.random.default_rng(3), rows=rows, columns=3)
    witness = CrossColumnModel.fit(before, list(before.columns))
    seen = witness.design(before)
    assert [relation(*witness.says(name, seen)) for name in witness.places] == [(0.0, np.inf)] * 3


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
