"""What a regression is made of: chosen by rows that were held out, and by no more than they can tell."""

import numpy as np
import pytest

from rca.methods.regression_basis import chosen

RNG = np.random.default_rng(0)
TRAIN = np.ones(1500, bool), np.ones(1500, bool)


def windows(noise):
    """Two columns, and a response that is a smooth curve of both, with noise."""
    x = RNG.normal(size=(3000, 2))
    y = np.sin(3 * x[:, 0]) * (x[:, 1] > 0) + noise * RNG.normal(size=3000)
    columns = [(x[:1500, [k]], x[1500:, [k]]) for k in (0, 1)]
    return columns, (y[:1500], y[1500:])


@pytest.mark.parametrize(("noise", "rich"), [(0.0, True), (1.0, False)])
def test_trees_are_rich_where_no_chance_enters_and_small_where_it_does(noise, rich):
    learner = chosen(*windows(noise), TRAIN)
    assert learner.trees
    assert learner.rich is rich


def test_what_is_all_chance_gets_no_trees():
    columns, _ = windows(0.0)
    learner = chosen(columns, (RNG.normal(size=1500), RNG.normal(size=1500)), TRAIN)
    assert not learner.trees
    assert not learner.rich
