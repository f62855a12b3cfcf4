"""Why a row is odd: the shares add up to its score, go to the noise that was out of place, and to nobody else."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.causal.outlier_attribution import Odd, attribute_outlier
from rca.analysis.causal.structural_model import fit

GRAPH = {"a": (), "b": ("a",), "c": ("a",), "y": ("b", "c")}


def drawn(rng, rows, **noise):
    a, b, c, y = (rng.normal(size=rows) + noise.get(name, 0.0) for name in "abcy")
    b, c = 0.8 * a + b, 0.5 * c - a
    return pd.DataFrame({"a": a, "b": b, "c": c, "y": b + 2 * c + y})


@pytest.fixture(scope="module")
def model():
    return fit(drawn(np.random.default_rng(0), 4000), GRAPH)


def shares(one):
    return {share.node: share.contribution for share in one.shares}


@pytest.mark.parametrize("node", list(GRAPH))
def test_the_noise_that_was_out_of_place_made_the_row_odd(model, node):
    rng = np.random.default_rng(1)
    size = {"a": 4.5, "b": 10.0, "c": 8.0, "y": 10.0}[node]
    found = attribute_outlier(model, "y", drawn(rng, 20, **{node: size}), rng=rng)
    assert found.exact
    assert sum(one.shares[0].node == node for one in found.rows_of) >= 18
    assert max(found.named(), key=found.named().get) == node
    assert found.findings()[0].cause.name == node


def test_shares_add_up_to_how_rare_the_row_is(model):
    rng = np.random.default_rng(2)
    rows = drawn(rng, 60)
    found = attribute_outlier(model, "y", rows, rng=rng)
    spread = drawn(np.random.default_rng(3), 100_000)["y"].to_numpy()
    for one in found.rows_of:
        assert sum(shares(one).values()) == pytest.approx(one.score)
        own = rows["y"].iloc[one.row]
        tail = 2 * min((spread >= own).mean(), (spread <= own).mean())
        assert one.score == pytest.approx(-np.log(tail), abs=0.3 + 0.2 * one.score)
    assert sum(one.odd for one in found.rows_of) <= 10


def test_the_same_row_has_the_same_shares_whoever_stands_beside_it(model):
    rows = drawn(np.random.default_rng(4), 5, b=6.0)
    whole = attribute_outlier(model, "y", rows, rng=np.random.default_rng(0))
    for one in whole.rows_of:
        (alone,) = attribute_outlier(model, "y", rows.iloc[[one.row]], rng=np.random.default_rng(0)).rows_of
        assert shares(alone) == pytest.approx(shares(one))


def test_bends_and_categories_are_played_row_by_row():
    rng = np.random.default_rng(5)

    def bent(rows, k=None, lift=0.0):
        kind = rng.choice(["p", "q"], rows) if k is None else np.full(rows, k)
        a = np.abs(rng.normal(size=rows)) + 0.5 * (kind == "q")
        flag = np.where(rng.random(rows) < 1 / (1 + np.exp(2 - a)), "on", "off")
        return pd.DataFrame(
            {"k": kind, "a": a, "flag": flag, "y": a**2 + 3 * (flag == "on") + rng.normal(size=rows) + lift}
        )

    model = fit(bent(4000), {"k": (), "a": ("k",), "flag": ("a",), "y": ("a", "flag")})
    assert not model.straight
    found = attribute_outlier(model, "y", bent(15, lift=14.0), rng=rng)
    assert found.exact
    assert found.named()["y"] >= 14
    rare = bent(300)
    named = attribute_outlier(model, "flag", rare, rng=rng)
    assert {one.value for one in named.rows_of} == {"on", "off"}
    common = rare["flag"].mode()[0]
    assert all(one.score == pytest.approx(0.0, abs=0.01) for one in named.rows_of if one.value == common)
    assert all(one.score > 0.3 for one in named.rows_of if one.value != common)


@pytest.mark.parametrize("bent", [False, True])
def test_above_all_coalitions_orders_are_drawn_and_still_add_up(bent):
    rng = np.random.default_rng(6)
    count = 10 if bent else 18
    names = [f"v{at}" for at in range(count)]
    graph = {name: tuple(names[max(at - 2, 0) : at]) for at, name in enumerate(names)}

    def many(rows, last=0.0):
        values = {}
        for name, causes in graph.items():
            total = sum((0.5 * values[one] for one in causes), np.zeros(rows))
            values[name] = (np.abs(total) if bent else total) + rng.normal(size=rows)
        values[names[-1]] += last
        return pd.DataFrame(values)

    model = fit(many(2000), graph)
    found = attribute_outlier(model, names[-1], many(3, last=9.0), rng=rng)
    assert not found.exact
    assert found.named() == {names[-1]: 3}
    assert all(sum(shares(one).values()) == pytest.approx(one.score) for one in found.rows_of)


def test_rows_with_gaps_are_counted_and_left_out(model):
    rng = np.random.default_rng(7)
    rows = drawn(rng, 4)
    rows.loc[2, "c"] = np.nan
    found = attribute_outlier(model, "y", rows, rng=rng, ids=["p", "q", "ann@example.org", "s"])
    assert found.left_out == 1
    assert {one.row for one in found.rows_of} == {0, 1, 3}
    assert "'p'" not in repr(found)


def test_it_says_itself_and_comes_back_from_json(model):
    rng = np.random.default_rng(8)
    found = attribute_outlier(model, "y", drawn(rng, 3, y=9.0), rng=rng)
    assert Odd.from_dict(found.to_dict()) == found
    assert str(found) == "3 of 3 rows are odd in y; y made 3 of them so"
    assert list(found.to_frame()["made so by"]) == ["y"] * 3
    one = attribute_outlier(model, "y", drawn(rng, 1, y=9.0), rng=rng)
    assert str(one).startswith("y of row 0: ")
    assert one.to_frame()["node"].iloc[0] == "y"
    calm = attribute_outlier(model, "y", pd.DataFrame({"a": [0.0], "b": [0.0], "c": [0.0], "y": [0.0]}), rng=rng)
    assert str(calm) == "none of 1 rows is odd in y"
    assert calm.findings() == ()
