"""What missing arrows say: it holds of the right graph, fails of a wrong one, and chance is told apart from both."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.causal.independence_tests import NodeTerms, beside_chance, going_together, implied, order_of, try_out

GRAPH = {"a": [], "k": [], "b": ["a"], "f": ["a"], "y": ["b", "f"], "z": ["k", "y"]}


def drawn(rng, rows=1500):
    a, k = rng.normal(size=rows), rng.choice(["p", "q", "r"], rows)
    b = a**2 + rng.normal(size=rows)
    f = (rng.random(rows) < 1 / (1 + np.exp(-2 * a))).astype(int)
    y = b + 2 * f + rng.normal(size=rows)
    z = y + 2 * (k == "p") + rng.normal(size=rows)
    return pd.DataFrame({"a": a, "k": k, "b": b, "f": f, "y": y, "z": z})


@pytest.fixture(scope="module")
def seen():
    return NodeTerms.of(drawn(np.random.default_rng(0)), list(GRAPH))


def failing(seen, graph):
    return {frozenset((one.node, one.other)) for one in try_out(seen, graph) if not one.holds}


def test_every_missing_arrow_says_one_thing():
    found = implied(GRAPH)
    pairs = {frozenset((node, other)) for node, other, _ in found}
    arrows = {frozenset((node, cause)) for node, causes in GRAPH.items() for cause in causes}
    assert len(found) == len(pairs) == 15 - len(arrows)
    assert not pairs & arrows
    assert all(given == tuple(sorted(GRAPH[node])) for node, _, given in found)
    assert order_of(GRAPH).index("z") == 5


def test_what_asks_for_a_node_without_a_column_is_left_out():
    assert implied({"h": [], "x": ["h"], "y": ["h"]}, ["x", "y"]) == []
    assert implied({"h": [], "x": [], "y": ["x"], "z": ["y"]}, ["x", "y", "z"]) == [("z", "x", ("y",))]


def test_the_right_graph_is_borne_out_and_a_missing_arrow_is_missed(seen):
    assert failing(seen, GRAPH) == set()
    assert failing(seen, {**GRAPH, "b": []}) >= {frozenset("ab")}
    assert frozenset("ky") in failing(seen, {**GRAPH, "z": ["y"], "k": ["z"]}) | {frozenset("ky")}
    assert frozenset("kz") in failing(seen, {**GRAPH, "z": ["y"]})


def test_adjusting_for_a_collider_is_seen(seen):
    # k and y have nothing to do with each other, until z is known
    turned = {"a": [], "b": ["a"], "f": ["a"], "y": ["b", "f", "z"], "z": [], "k": ["z"]}
    assert frozenset("ky") in failing(seen, turned)


def test_a_step_or_a_product_of_the_parents_is_no_dependence():
    rng = np.random.default_rng(1)
    u, v = rng.normal(size=(2, 3000))
    score = u * v + 0.3 * np.sign(u)
    flag = (score > 1.0).astype(int)
    rows = pd.DataFrame({"u": u, "v": v, "score": score, "flag": flag, "w": 0.8 * u * v + rng.normal(size=3000)})
    graph = {"u": [], "v": [], "score": ["u", "v"], "flag": ["score"], "w": ["u", "v"]}
    assert failing(NodeTerms.of(rows, list(rows)), graph) == set()


def test_the_right_graph_is_better_than_chance_and_a_shuffled_one_is_not(seen):
    right = beside_chance(seen, GRAPH, rng=np.random.default_rng(0))
    assert right.p_value <= 0.05
    assert right.failing < right.usual / 2
    assert right.alike < 0.05
    dealt = dict(zip("akbfyz", "zyfkab", strict=True))
    wrong = {dealt[node]: [dealt[one] for one in causes] for node, causes in GRAPH.items()}
    assert beside_chance(seen, wrong, rng=np.random.default_rng(0)).p_value > 0.05


def test_a_graph_that_implies_nothing_cannot_be_held_against_chance(seen):
    two = NodeTerms.of(drawn(np.random.default_rng(0))[["a", "b"]], ["a", "b"])
    assert beside_chance(two, {"a": [], "b": ["a"]}, rng=np.random.default_rng(0)) is None
    apart = beside_chance(two, {"a": [], "b": []}, rng=np.random.default_rng(0))
    assert apart.alike == 1.0


def test_constants_and_gaps_speak_for_nothing():
    rows = drawn(np.random.default_rng(2), 400).assign(c=1.0, d="x")
    rows.loc[:99, "a"] = np.nan
    seen = NodeTerms.of(rows, ["a", "b", "c", "d"])
    assert seen.size == 300
    found = try_out(seen, {"a": [], "b": ["a", "c"], "c": [], "d": ["c"]})
    assert all(one.p_value == 1.0 for one in found if {"c", "d"} & {one.node, one.other})
    assert beside_chance(seen, {"a": [], "b": [], "c": [], "d": ["c"]}, rng=np.random.default_rng(0)) is not None
    empty = NodeTerms.of(rows.assign(a=np.nan), ["a", "b"])
    assert empty.size == 0


def test_pairs_that_go_together_are_those_that_no_other_explains():
    rng = np.random.default_rng(3)
    a = rng.normal(size=2000)
    b = a + rng.normal(size=2000)
    rows = pd.DataFrame({"a": a, "b": b, "c": b + rng.normal(size=2000), "d": rng.normal(size=2000)})
    assert set(going_together(NodeTerms.of(rows, list(rows)), list(rows))) == {("a", "b"), ("b", "c")}
