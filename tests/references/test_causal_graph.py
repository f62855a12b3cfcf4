"""dowhy as oracle: which graphs the data speak against."""

import numpy as np
import pandas as pd
import pytest

import rca
from tests.references.dowhy_oracles import falsify_check

RIGHT = {"a": [], "b": ["a"], "c": ["a"], "y": ["b", "c"], "z": ["y"]}
WRONG = {"z": [], "b": ["z"], "y": ["z"], "a": ["b", "y"], "c": ["a"]}


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    values = {}
    for node, causes in RIGHT.items():
        values[node] = sum((values[one] for one in causes), np.zeros(400)) + rng.normal(size=400)
    return pd.DataFrame(values)


@pytest.mark.parametrize("graph", [RIGHT, WRONG], ids=["right", "wrong"])
def test_dowhy_and_we_judge_a_graph_alike(rows, graph):
    ours = rca.graph(rows, graph)
    falsifiable, falsified = falsify_check(rows, graph)
    assert falsifiable
    assert ours.better_than_chance is not None
    assert (not ours.better_than_chance) == falsified
    assert bool(ours.failing) == (graph is WRONG)
