"""Regressions carried on beyond their rows give the Shapley values of algebra, where mechanisms are parabolas."""

import numpy as np
import pandas as pd
import pytest

from rca.methods.change_attribution.causal_chain import chain_of
from rca.methods.change_attribution.extrapolation import apart, extrapolate
from rca.methods.change_attribution.multiply_robust import game_of, mean_of

GRAPH = {"x": [], "y": ["x"], "s": ["y"]}


def drawn(rng, slope, rows=1000):
    x = rng.uniform(-1, 1, rows)
    y = slope * x + rng.normal(0, 0.1, rows)
    return pd.DataFrame({"x": x, "y": y, "s": y**2})


def game(before, after, graph=GRAPH, target="s"):
    chain = chain_of(graph, (target,))
    return game_of(before, after, chain, parts=(mean_of(before[target]), mean_of(after[target])))


@pytest.fixture(scope="module")
def steeper():
    rng = np.random.default_rng(0)
    return game(drawn(rng, 0.5), drawn(rng, 3.0))


def test_a_slope_that_grew_is_carried_on_through_a_square(steeper):
    found = extrapolate(steeper, unchanged={"s", "x"})
    assert (9 - 0.25) / 3 in found["y"].interval
    assert found["s"].value == pytest.approx(0, abs=1e-6)
    assert found["x"].value == pytest.approx(0, abs=0.1)
    assert min(found["y"].halves) > 2


def test_parts_add_up_to_the_change_where_each_window_has_its_own_regressions(steeper):
    found = extrapolate(steeper, unchanged=())
    change = steeper.outcome[1][:, 0].mean() - steeper.outcome[0][:, 0].mean()
    assert sum(one.value for one in found.values()) == pytest.approx(change, rel=1e-6)


def test_what_lies_downstream_of_rows_without_their_like_rests_on_extrapolation(steeper):
    assert apart(steeper) == {"x", "y", "s"}
    rng = np.random.default_rng(1)
    assert not apart(game(drawn(rng, 0.5), drawn(rng, 0.5)))


def test_a_mechanism_that_winds_is_not_carried_on():
    rng = np.random.default_rng(0)
    before, after = (drawn(rng, 1.0).assign(y=lambda rows: np.sin(9 * rows["x"])) for _ in range(2))
    assert extrapolate(game(before, after, target="y"), unchanged=()) == {}


def test_categories_are_carried_on_as_shares():
    rng = np.random.default_rng(0)
    before, after = (
        pd.DataFrame({"k": rng.choice(["a", "b"], 600, p=[share, 1 - share])}).assign(y=lambda rows: rows["k"] == "a")
        for share in (0.9, 0.1)
    )
    found = extrapolate(game(before, after, {"k": [], "y": ["k"]}, "y"), unchanged={"y"})
    assert -0.8 in found["k"].interval
