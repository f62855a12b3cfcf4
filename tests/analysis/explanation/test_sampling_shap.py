"""SHAP values of what can only be asked: they add up, and the model is asked in few and large questions."""

import numpy as np
import pytest

from rca.analysis.explanation.sampling_shap import AT_ONCE, FEW, values_of


def line(at):
    return at @ np.arange(1.0, at.shape[1] + 1)


def drawn(rows, features, seed=0):
    return np.random.default_rng(seed).integers(0, 50, (rows, features))


@pytest.mark.parametrize("features", [1, 2, FEW, FEW + 1, 20])
def test_values_add_up_to_the_answer(features):
    asked, usual = drawn(30, features), drawn(7, features, 1)

    def answer(at):
        return np.sin(at).prod(axis=1) + at.max(axis=1)

    found = values_of(answer, asked, usual, rng=np.random.default_rng(0))
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), answer(asked), atol=1e-9)


@pytest.mark.parametrize("features", [3, 12])
def test_of_a_sum_every_order_gives_the_same(features):
    asked, usual = drawn(20, features), drawn(9, features, 1)
    found = values_of(line, asked, usual, rng=np.random.default_rng(0))
    np.testing.assert_allclose(found.values, (asked - usual.mean(axis=0)) * np.arange(1, features + 1), atol=1e-9)
    np.testing.assert_allclose(found.error, 0, atol=1e-9)


def test_a_feature_that_is_not_read_has_no_part():
    found = values_of(lambda at: at[:, 2] ** 2.0, drawn(20, 9), drawn(5, 9, 1), rng=np.random.default_rng(0))
    assert np.abs(np.delete(found.values, 2, axis=1)).max() < 1e-9


@pytest.mark.parametrize("features", [4, 11])
def test_the_model_is_asked_in_few_questions_of_a_bounded_size(features):
    sizes = []

    def answer(at):
        sizes.append(len(at))
        return line(at)

    values_of(answer, drawn(300, features), drawn(30, features, 1), rng=np.random.default_rng(0))
    assert max(sizes) <= AT_ONCE
    assert len(sizes) < 2 + 2 * sum(sizes) / AT_ONCE


def test_nothing_asked_is_nothing_answered():
    found = values_of(line, np.zeros((0, 3), dtype=int), drawn(5, 3), rng=np.random.default_rng(0))
    assert found.values.shape == (0, 3)


def test_an_answer_that_is_missing_makes_its_rows_values_missing_and_no_others():
    asked = drawn(10, 3)
    asked[4, 0] = 99

    found = values_of(lambda at: np.where(at[:, 0] == 99, np.nan, line(at)), asked, drawn(5, 3, 1), rng=None)
    assert np.isnan(found.values).any(axis=1).tolist() == [row == 4 for row in range(10)]
