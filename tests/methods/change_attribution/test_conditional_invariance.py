"""A mechanism is compared given its parents: parents that moved are no change of it."""

import numpy as np
import pandas as pd
import pytest

from rca.methods.change_attribution.conditional_invariance import unchanged

GRAPH = {"x": [], "kind": [], "y": ["kind", "x"]}


def drawn(rng, rows=1500, **law):
    kind = rng.choice(list("abc"), rows)
    x = rng.normal(law.get("at", 0), 1, rows)
    y = law.get("slope", 1) * x + (kind == "a") + law.get("lift", 0) + rng.normal(0, law.get("spread", 1), rows)
    return pd.DataFrame({"x": x, "kind": kind, "y": y})


def compared(seed=0, graph=GRAPH, **law):
    rng = np.random.default_rng(seed)
    return unchanged(drawn(rng), drawn(rng, **law), graph, rng=np.random.default_rng(0))


@pytest.mark.parametrize("law", [{"lift": 0.3}, {"slope": 1.4}, {"spread": 1.3}], ids=str)
def test_a_mean_a_slope_or_a_spread_that_changed_is_seen(law):
    found = compared(**law)
    assert found["y"] < 1e-4
    assert min(found["x"], found["kind"]) > 0.01


def test_parents_that_moved_are_no_change_of_the_mechanism():
    found = compared(at=1.0)
    assert found["x"] < 1e-9
    assert found["y"] > 0.01


def test_without_its_cause_a_node_is_blamed_for_what_its_cause_did():
    assert compared(at=1.0, graph={"y": []})["y"] < 1e-9


def test_a_root_that_kept_mean_and_spread_is_seen_by_its_quantiles():
    rng = np.random.default_rng(0)
    before = pd.DataFrame({"x": rng.normal(size=2000)})
    after = pd.DataFrame({"x": rng.uniform(-np.sqrt(3), np.sqrt(3), 2000)})
    assert unchanged(before, after, {"x": []}, rng=rng)["x"] < 1e-4


def test_few_values_are_counted_in_every_setting_of_the_parents():
    rng = np.random.default_rng(1)

    def made(chance):
        k = rng.integers(0, 2, 1000)
        return pd.DataFrame({"k": k, "t": rng.random(1000) < np.where(k == 1, chance, 0.3)})

    graph = {"k": [], "t": ["k"]}
    assert unchanged(made(0.5), made(0.7), graph, rng=rng)["t"] < 1e-6
    assert unchanged(made(0.5), made(0.5), graph, rng=rng)["t"] > 0.01


def test_a_column_that_is_constant_or_missing_changed_nothing():
    rows = drawn(np.random.default_rng(0), 200).assign(still=1.0, gone=np.nan)
    found = unchanged(rows, rows, {"still": ["x"], "gone": ["x"], "y": ["still", "gone"]}, rng=np.random.default_rng(0))
    assert min(found.values()) > 0.5


def test_parents_that_moved_away_altogether_are_no_change_of_the_mechanism():
    assert compared(at=40.0)["y"] > 0.01


def test_what_both_windows_reckon_alike_did_not_change_whatever_its_parents_did():
    rng = np.random.default_rng(0)
    before, after = (pd.DataFrame({"x": rng.normal(0, spread, 800), "k": rng.normal(size=800)}) for spread in (0.1, 3))
    before, after = (rows.assign(total=rows["x"] * rows["k"] - rows["x"] ** 2) for rows in (before, after))
    graph = {"x": [], "k": [], "total": ["x", "k"]}
    assert unchanged(before, after, graph, rng=rng)["total"] == 1.0
    assert unchanged(before, after.assign(total=after["total"] + 0.5), graph, rng=rng)["total"] < 1e-9
    assert unchanged(before, after.assign(total=after["total"].where(after["k"] < 2)), graph, rng=rng)["total"] < 1.0


def test_the_unit_and_the_order_of_columns_change_nothing():
    rng = np.random.default_rng(0)
    before, after = drawn(rng), drawn(rng, lift=0.05)
    plain, turned = (
        unchanged(one, other, GRAPH, rng=np.random.default_rng(0))
        for one, other in (
            (before, after),
            (before[["y", "kind", "x"]], after[["y", "kind", "x"]].assign(y=after["y"])),
        )
    )
    scaled = unchanged(
        before.assign(y=before["y"] * 100), after.assign(y=after["y"] * 100), GRAPH, rng=np.random.default_rng(0)
    )
    assert plain == turned
    assert scaled["y"] == pytest.approx(plain["y"])
