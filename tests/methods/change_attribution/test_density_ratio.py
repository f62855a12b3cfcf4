"""Ratios multiply: exact ends, exact sums, known densities found again, and unchanged mechanisms left alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from rca.methods.change_attribution.density_ratio import MAX_RATIO, Ratio, chain_ratios, divide, effective, mechanisms
from rca.methods.metric import Parts


def parts(values):
    values = np.asarray(values, float)[:, None]
    return Parts(numerator=values, denominator=np.ones_like(values))


def some(rng, rows):
    return Ratio(reference=rng.uniform(0.2, 5, rows[0]), current=rng.uniform(0.2, 5, rows[1]))


@given(st.integers(0, 99), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_contributions_add_up_to_the_change_whatever_the_ratios(seed, players):
    rng = np.random.default_rng(seed)
    before, after = parts(rng.normal(size=60)), parts(rng.normal(1, 1, 40))
    found = divide(before, after, {f"m{i}": some(rng, (60, 40)) for i in range(players)}, last="last")
    assert found.contributions.sum() == pytest.approx(after.value() - before.value())
    assert found.names == (*(f"m{i}" for i in range(players)), "last")


@given(st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_mechanism_that_did_not_change_gets_nothing(seed):
    rng = np.random.default_rng(seed)
    before, after = parts(rng.normal(size=60)), parts(rng.normal(1, 1, 40))
    same = Ratio(reference=np.ones(60), current=np.ones(40))
    found = divide(before, after, {"moved": some(rng, (60, 40)), "same": same}, last="last")
    assert found.contributions[1] == pytest.approx(0, abs=1e-12)
    assert found.errors[1] == pytest.approx(0, abs=1e-12)


@given(st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_mechanisms_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    before, after = parts(rng.normal(size=60)), parts(rng.normal(1, 1, 40))
    a, b = some(rng, (60, 40)), some(rng, (60, 40))
    one, other = divide(before, after, {"a": a, "b": b}, last="c"), divide(before, after, {"b": b, "a": a}, last="c")
    assert_allclose(one.contributions, other.contributions[[1, 0, 2]])
    assert_allclose(one.errors, other.errors[[1, 0, 2]])
    assert_allclose(one.n_effective, other.n_effective[[1, 0, 2]])


@given(st.floats(0.1, 100))
@settings(max_examples=20, deadline=None)
def test_a_unit_scales_every_part(factor):
    rng = np.random.default_rng(0)
    x, y, ratio = rng.normal(size=60), rng.normal(1, 1, 40), some(rng, (60, 40))
    plain, scaled = (divide(parts(x * f), parts(y * f), {"a": ratio}, last="b") for f in (1.0, factor))
    assert_allclose(scaled.contributions, factor * plain.contributions)
    assert_allclose(scaled.errors, factor * plain.errors)


def test_a_density_that_is_known_explains_what_it_did():
    rng = np.random.default_rng(1)
    x, moved = rng.integers(0, 2, 20_000), (rng.random(20_000) < 0.8).astype(int)
    density = np.array([0.2, 0.8]) / 0.5
    before, after = parts(x * 2.0), parts(moved * 2.0)
    found = divide(before, after, {"x": Ratio(reference=density[x], current=density[moved])}, last="nothing else")
    assert found.contributions[0] == pytest.approx(0.6, abs=4 * found.errors[0])
    assert found.contributions[1] == pytest.approx(0, abs=4 * found.errors[1])


def test_effective_rows_shrink_as_the_windows_part():
    assert effective(np.ones(50)) == 50
    assert effective(np.r_[np.ones(1), np.zeros(49)]) == 1
    assert effective(np.zeros(3)) == 0


def test_a_ratio_can_be_taken_of_some_rows():
    ratio = Ratio(reference=np.arange(4.0), current=np.arange(3.0))
    taken = ratio.take(np.array([2, 0]), np.array([1]))
    assert (taken.reference.tolist(), taken.current.tolist()) == ([2, 0], [1])


# -- ratios learned ----------------------------------------------------------------------------------------------------


def window(rng, rows, shift=0.0):
    frame = pd.DataFrame(
        {"x": rng.normal(shift, 1, rows), "z": rng.normal(size=rows), "word": rng.choice(list("ab"), rows)}
    )
    return frame.assign(y=(rng.random(rows) < 1 / (1 + np.exp(-frame["x"]))).astype(int))


def chain(first, second, seed=0, **links):
    return chain_ratios(
        first, second, links or {"x": ("x",), "rest": ("z", "word"), "y": ("y",)}, rng=np.random.default_rng(seed)
    )


def test_a_learned_ratio_follows_the_true_one():
    rng = np.random.default_rng(2)
    first, second = window(rng, 2000), window(rng, 2000, 0.8)
    found = np.log(chain(first, second, x=("x",))["x"].reference)
    truth = 0.8 * first["x"] - 0.32
    assert np.corrcoef(found, truth)[0, 1] > 0.9


def test_a_link_that_did_not_change_has_a_ratio_near_one():
    rng = np.random.default_rng(3)
    ratios = chain(window(rng, 1500), window(rng, 1500, 0.8))
    assert abs(np.log(ratios["y"].reference)).mean() < 0.2
    assert effective(ratios["rest"].reference) > 0.7 * 1500


def test_ratios_are_cut_where_the_windows_do_not_meet():
    rng = np.random.default_rng(4)
    ratios = chain(window(rng, 500), window(rng, 500, 50.0))
    for ratio in ratios.values():
        for side in (ratio.reference, ratio.current):
            assert ((side >= 1 / MAX_RATIO) & (side <= MAX_RATIO)).all()


def test_the_same_seed_gives_the_same_ratios():
    first, second = window(np.random.default_rng(5), 300), window(np.random.default_rng(6), 300, 1.0)
    one, other = chain(first, second, 7), chain(first, second, 7)
    assert all(np.array_equal(one[name].reference, other[name].reference) for name in one)


def test_windows_of_unequal_size_do_not_tilt_a_ratio():
    rng = np.random.default_rng(7)
    ratios = chain(window(rng, 4000), window(rng, 500), x=("x",))
    assert abs(np.log(ratios["x"].reference).mean()) < 0.1


ODD = {
    "constant": np.ones(200),
    "all missing": np.full(200, np.nan),
    "infinite": np.r_[np.full(100, np.inf), np.arange(100.0)],
    "mixed types": pd.Series([1, "a", None, True] * 50, dtype=object),
    "a value a row": [f"u{i}" for i in range(200)],
    "time": pd.date_range("2024-01-01", periods=200, tz="UTC"),
    "boolean with missing": pd.Series([True, None] * 100, dtype="boolean"),
    "category": pd.Series(["a", "b"] * 100, dtype="category"),
    "enormous": np.where(np.arange(200) % 2 == 0, 1e308, -1e308),
}


@pytest.mark.parametrize("sort", ODD)
def test_any_sort_of_column_can_be_a_link(sort):
    rng = np.random.default_rng(8)
    first, second = (pd.DataFrame({"c": pd.Series(ODD[sort]), "x": rng.normal(size=200)}) for _ in "ab")
    ratios = chain(first, second.iloc[::-1], c=("c",), x=("x",))
    assert all(np.isfinite(ratio.reference).all() and np.isfinite(ratio.current).all() for ratio in ratios.values())


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_handful_of_rows_gives_finite_ratios(rows):
    rng = np.random.default_rng(9)
    ratios = chain(window(rng, rows), window(rng, 40))
    assert all(np.isfinite(ratio.reference).all() for ratio in ratios.values())


# -- mechanisms of a graph ---------------------------------------------------------------------------------------------

PARENTS = {"a": (), "b": ("a",), "c": ("b",)}


def linked(rng, rows, *, b=0.8, c=0.8, a=0.5):
    frame = pd.DataFrame({"a": (rng.random(rows) < a).astype(int)})
    frame["b"] = np.where(rng.random(rows) < b, frame["a"], 1 - frame["a"])
    frame["c"] = np.where(rng.random(rows) < c, frame["b"], 1 - frame["b"])
    return frame


def changed(found):
    return {one.node for one in found if one.q_value < 0.01}


@pytest.mark.parametrize(("how", "node"), [({"a": 0.8}, "a"), ({"b": 0.5}, "b"), ({"c": 0.4}, "c")])
def test_only_the_mechanism_that_changed_is_found(how, node):
    rng = np.random.default_rng(10)
    assert changed(mechanisms(linked(rng, 4000), linked(rng, 4000, **how), PARENTS)) == {node}


def test_identical_windows_have_no_changed_mechanism():
    frame = linked(np.random.default_rng(11), 1000)
    for one in mechanisms(frame, frame, PARENTS):
        assert one.p_value == pytest.approx(1)
        assert_allclose(one.ratio.reference, 1)


def test_the_ratio_of_a_mechanism_is_that_of_its_conditional_shares():
    rng = np.random.default_rng(12)
    first, second = linked(rng, 20_000), linked(rng, 20_000, b=0.5)
    ratio = next(one for one in mechanisms(first, second, PARENTS) if one.node == "b").ratio.reference
    kept = (first["a"] == first["b"]).to_numpy()
    assert ratio[kept].mean() == pytest.approx(0.5 / 0.8, abs=0.03)
    assert ratio[~kept].mean() == pytest.approx(0.5 / 0.2, abs=0.1)


def test_a_continuous_node_keeps_its_mechanism_when_only_its_cause_moves():
    rng = np.random.default_rng(13)

    def made(shift):
        x = rng.normal(shift, 1, 4000)
        return pd.DataFrame({"x": x, "y": x + rng.normal(size=4000)})

    assert changed(mechanisms(made(0), made(0.2), {"x": (), "y": ("x",)})) == {"x"}


@pytest.mark.parametrize("sort", ODD)
def test_any_sort_of_node_has_a_mechanism(sort):
    rng = np.random.default_rng(14)
    first, second = (pd.DataFrame({"c": pd.Series(ODD[sort]), "x": rng.normal(size=200)}) for _ in "ab")
    for parents in ({"x": (), "c": ("x",)}, {"c": (), "x": ("c",)}):
        for one in mechanisms(first, second, parents):
            assert 0 <= one.p_value <= one.q_value <= 1
            assert np.isfinite(one.ratio.reference).all()


def test_no_nodes_have_no_mechanisms():
    frame = linked(np.random.default_rng(15), 20)
    assert mechanisms(frame, frame, {}) == []
