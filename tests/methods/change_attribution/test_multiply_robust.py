"""Mechanisms are divided by Shapley value, whatever the columns are made of, and the same on every run."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from rca.errors import InvalidCase, Unanswerable
from rca.methods.change_attribution.multiply_robust import MechanismAttribution, attribute_change
from rca.methods.metric import Parts
from rca.methods.shapley import shapley

GRAPH = {"a": [], "b": ["a"], "c": ["a"], "y": ["b", "c"]}
STILL = {"a": 0.0, "b": 1.0, "c": -1.0, "y": 0.0}
MOVED = {"a": 1.0, "b": 2.0, "c": -1.0, "y": 0.5}


def drawn(rng, rows, law):
    a = rng.normal(law["a"], 1, rows)
    b = law["b"] * a + rng.normal(0, 1, rows)
    c = law["c"] * a + rng.normal(0, 1, rows)
    return pd.DataFrame({"a": a, "b": b, "c": c, "y": b + 0.5 * c + law["y"] + rng.normal(0, 1, rows)})


def mean_of(law):
    return law["a"] * (law["b"] + 0.5 * law["c"]) + law["y"]


def pair(seed=0, rows=2000, moved=MOVED):
    rng = np.random.default_rng(seed)
    return drawn(rng, rows, STILL), drawn(rng, rows, moved)


def divided(reference, current, graph=GRAPH, target="y", seed=0, **options):
    return attribute_change(reference, current, graph, target=target, rng=np.random.default_rng(seed), **options)


def values(found):
    return {part.node: part.value for part in found.parts}


def test_the_parts_are_the_shapley_values_of_the_game_of_coalitions():
    truth = shapley(lambda who: mean_of({k: (MOVED if k in who else STILL)[k] for k in STILL}), list(STILL))
    found = divided(*pair(rows=20_000))
    for part in found.parts:
        assert abs(part.value - truth[part.node]) < 4 * part.error
        assert part.error < 0.03


def test_where_no_arrow_is_missing_the_parts_add_up_to_the_change_of_the_mean():
    graph = {"a": [], "b": ["a"], "c": ["a", "b"], "y": ["a", "b", "c"]}
    reference, current = pair()
    found = divided(reference, current, graph)
    assert found.change == pytest.approx(current["y"].mean() - reference["y"].mean())
    assert sum(values(found).values()) == pytest.approx(found.change, abs=1e-9)


def test_with_arrows_missing_they_add_up_within_chance():
    found = divided(*pair())
    assert abs(sum(values(found).values()) - found.change) < 0.5 * max(part.error for part in found.parts)


def test_identical_windows_leave_nothing_to_divide():
    reference, _ = pair(rows=500)
    for part in divided(reference, reference).parts:
        assert abs(part.value) < 3 * part.error


def test_it_is_the_same_to_the_last_bit_on_every_run():
    assert divided(*pair(rows=400)).to_dict() == divided(*pair(rows=400)).to_dict()


def test_the_unit_of_the_target_scales_its_parts():
    reference, current = pair(rows=600)
    plain, scaled = divided(reference, current), divided(*(f.assign(y=1000 * f["y"]) for f in (reference, current)))
    assert_allclose(list(values(scaled).values()), [1000 * v for v in values(plain).values()], rtol=1e-6, atol=1e-6)


def test_what_is_not_upstream_takes_no_part_and_changes_nothing():
    reference, current = pair(rows=500)
    more = {**GRAPH, "z": ["y"], "w": []}
    wide = [frame.assign(z=frame["y"], w=1.0) for frame in (reference, current)]
    assert values(divided(*wide, more)) == values(divided(reference, current))


def test_a_root_that_nobody_mentions_as_a_node_is_one():
    reference, current = pair(rows=300)
    assert divided(reference, current, {"y": ["b"]}).parts[0].node == "b"


def test_more_mechanisms_than_coalitions_can_be_listed_are_divided_all_the_same():
    rng = np.random.default_rng(3)
    names = [f"n{i}" for i in range(24)]

    def walk(rows, jump):
        steps = rng.normal(0, 0.3, (rows, 24))
        steps[:, 10] += jump
        return pd.DataFrame(np.cumsum(steps, axis=1), columns=names)

    graph = {name: names[max(0, i - 1) : i] for i, name in enumerate(names)}
    found = divided(walk(1500, 0.0), walk(1500, 1.0), graph, "n23")
    assert found["n10"].value == pytest.approx(1.0, abs=0.1)
    assert all(abs(part.value) < 5 * part.error for part in found.parts if part.node != "n10")


def test_categories_and_holes_are_columns_like_others():
    rng = np.random.default_rng(4)

    def made(share, rows=3000):
        kind = rng.choice(["x", "y", "z", None], rows, p=[share, 0.8 - share, 0.1, 0.1])
        middle = np.where(pd.isna(kind), np.nan, (kind == "x") + rng.normal(0, 0.2, rows))
        return pd.DataFrame({"k": kind, "m": middle, "y": 2 * np.nan_to_num(middle) + rng.normal(0, 0.2, rows)})

    found = divided(made(0.2), made(0.6), {"k": [], "m": ["k"], "y": ["m"]})
    assert abs(found["k"].value - 0.8) < 4 * found["k"].error
    assert abs(found["m"].value) < 4 * found["m"].error


def test_a_rate_of_a_part_of_the_rows_is_divided_like_a_mean():
    rng = np.random.default_rng(5)

    def made(shift, rows=6000):
        x = rng.normal(shift, 1, rows)
        y = rng.random(rows) < 1 / (1 + np.exp(-x))
        return pd.DataFrame({"x": x, "y": y.astype(int), "said": (x > 0.8).astype(int)})

    def parts(rows):
        no = (rows["y"] == 0).to_numpy(float)[:, None]
        return Parts(numerator=no * rows["said"].to_numpy(float)[:, None], denominator=no)

    before, after = made(0.0), made(0.5)
    graph = {"x": [], "y": ["x"], "said": ["x"]}
    found = divided(before, after, graph, ["y", "said"], parts=(parts(before), parts(after)))
    assert sum(values(found).values()) == pytest.approx(found.change, abs=0.01)
    assert found["x"].value == pytest.approx(found.change, abs=0.02)
    assert 0 not in found["x"].interval
    root = tuple(Parts(numerator=p.numerator, denominator=p.denominator, shape="root") for p in map(parts, made_pair()))
    rooted = divided(*made_pair(), graph, ["y", "said"], parts=root)
    assert sum(values(rooted).values()) == pytest.approx(rooted.change, abs=0.01)


def made_pair():
    rng = np.random.default_rng(6)
    frames = []
    for shift in (0.0, 0.5):
        x = rng.normal(shift, 1, 3000)
        frames.append(pd.DataFrame({"x": x, "y": (rng.random(3000) < 0.5).astype(int), "said": (x > 0.8).astype(int)}))
    return frames


def test_windows_that_share_no_rows_give_no_number():
    reference, current = pair(rows=500)
    found = divided(reference, current.assign(a=current["a"] + 50, b=current["b"] + 80))
    assert not found["y"].identifiable
    assert "not identifiable" in str(found["y"])
    row = next(row for row in found.rows() if row["mechanism"] == "y")
    assert row["contribution"] is None
    assert any("what did y do" in one.question for one in found.unanswered)
    assert all(finding.cause.name != "y" for finding in found.findings())


def test_a_graph_that_runs_in_a_circle_is_refused():
    with pytest.raises(InvalidCase, match="circle"):
        divided(*pair(rows=50), {"a": ["y"], "y": ["a"]})


def test_a_graph_without_the_target_is_refused():
    with pytest.raises(InvalidCase, match="no node 'q'"):
        divided(*pair(rows=50), target="q")


def test_few_rows_and_gaps_cannot_be_divided():
    reference, current = pair(rows=100)
    with pytest.raises(Unanswerable, match="39 rows"):
        divided(reference, current.head(39))
    gap = Parts(numerator=np.ones((100, 2)), denominator=np.ones((100, 2)), shape="gap")
    with pytest.raises(Unanswerable, match="gap"):
        divided(reference, current, parts=(gap, gap))
    with pytest.raises(Unanswerable, match="too large"):
        divided(reference, current.assign(y=1e200))


ODD = {
    "all missing": np.full(200, np.nan), "constant": np.ones(200),
    "infinite": np.where(np.arange(200) % 3, np.inf, 1.0),
    "enormous": np.where(np.arange(200) % 2, 1e308, -1e308), "a value a row": [f"u{i}" for i in range(200)],
    "mixed": pd.Series([1, "a", None, True, 2.5] * 40, dtype=object),
    "boolean": pd.Series([True, False, None, True] * 50, dtype="boolean"),
    "category": pd.Series(["a", "b", None, "a"] * 50, dtype="category"),
    "time": pd.Series(pd.date_range("2024-01-01", periods=200, tz="UTC")),
}  # fmt: skip


@pytest.mark.parametrize("before", ODD)
@pytest.mark.parametrize("after", ["constant", "mixed", "enormous"])
def test_any_sort_of_column_is_answered_without_a_warning(before, after):
    reference, current = pair(rows=200)
    found = divided(reference.assign(a=ODD[before]), current.assign(a=ODD[after]))
    assert all(np.isfinite(part.value) for part in found.parts)


def test_it_says_itself_and_comes_back_from_json():
    found = divided(*pair(rows=1500))
    assert MechanismAttribution.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert str(found).startswith("the mean of y changed by +")
    assert [row["mechanism"] for row in found.rows()] == ["a", "b", "c", "y"]
    assert {finding.cause.name for finding in found.findings()} == set(GRAPH)
