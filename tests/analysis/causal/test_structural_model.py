"""Laws along a graph: noise is read off a row, a node is set, and what follows has the row's own noise."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.causal.structural_model import fit
from rca.errors import Unanswerable

GRAPH = {"k": (), "a": ("k",), "f": ("a",), "w": ("a",), "y": ("a", "f", "w")}


def drawn(rng, rows=3000):
    k = rng.choice(["p", "q", "r"], rows, p=[0.5, 0.3, 0.2])
    a = rng.normal(size=rows) + (k == "q")
    f = (rng.random(rows) < 1 / (1 + np.exp(-2 * a))).astype(int)
    w = np.where(rng.random(rows) < 1 / (1 + np.exp(1 - a)), "no", np.where(rng.random(rows) < 0.5, "up", "down"))
    y = np.abs(a) + 2 * f + (w == "up") + 0.3 * rng.normal(size=rows)
    return pd.DataFrame({"k": k, "a": a, "f": f, "w": w, "y": y})


@pytest.fixture(scope="module")
def rows():
    return drawn(np.random.default_rng(0))


@pytest.fixture(scope="module")
def model(rows):
    return fit(rows, GRAPH)


def test_what_was_abducted_gives_the_same_rows_again(rows, model):
    values = model.read(rows)
    again = model.predict(model.abduct(values, np.random.default_rng(1)))
    for name, column in values.items():
        assert again[name] == pytest.approx(column)


def test_drawn_noise_gives_rows_like_the_reference(rows, model):
    rng = np.random.default_rng(2)
    fresh = model.predict({name: law.draw(20_000, rng) for name, law in model.laws.items()})
    values = model.read(rows)
    for name in GRAPH:
        assert np.mean(fresh[name]) == pytest.approx(np.mean(values[name]), abs=0.06)
        assert np.std(fresh[name]) == pytest.approx(np.std(values[name]), rel=0.06)


def test_bends_are_taken_where_they_tell_more_and_only_there(rows, model):
    assert model.laws["y"].bent
    assert not model.laws["a"].bent
    assert not model.straight
    assert fit(rows, {"k": (), "a": ("k",)}).straight
    values = model.read(rows)
    left = values["y"] - model.laws["y"].mean(values)
    assert left.std() == pytest.approx(0.3, abs=0.07)


def test_what_is_set_moves_only_what_follows_from_it(rows, model):
    values = model.read(rows)
    noise = model.abduct(values, np.random.default_rng(1))
    set_to = model.predict(noise, given={"f": np.ones(len(rows))})
    assert set_to["a"] == pytest.approx(values["a"])
    was_off = values["f"] == 0
    assert (set_to["y"] - values["y"])[was_off] == pytest.approx(2.0, abs=0.2)
    assert (set_to["y"] - values["y"])[~was_off] == pytest.approx(0.0)


def test_what_is_missing_or_unheard_of_stays_unknown(rows, model):
    odd = rows.head(2).assign(k=["unheard", "p"], a=[1.0, np.nan])
    read = model.read(odd)
    assert np.isnan(read["k"][0])
    assert np.isnan(read["a"][1])
    noise = model.abduct(read, np.random.default_rng(0))
    assert np.isnan(noise["k"][0])
    assert np.isnan(noise["w"][1]) or np.isfinite(noise["w"][1])
    assert model.laws["a"].scale.say(np.nan) == "missing"
    assert model.laws["k"].scale.say(1.0) == "q"


def test_rows_with_gaps_are_left_out_and_too_few_are_no_answer(rows):
    gaps = rows.assign(a=rows["a"].where(np.arange(len(rows)) < 60))
    assert len(fit(gaps, {"a": (), "y": ("a",)}).laws["y"].noise) == 60
    with pytest.raises(Unanswerable, match="only 40 rows"):
        fit(rows.head(40), GRAPH)
    with pytest.raises(Unanswerable, match="only 0 rows"):
        fit(rows.assign(a=np.nan), GRAPH)
    many = rows.assign(w=np.arange(len(rows)).astype(str))
    with pytest.raises(Unanswerable, match="too many"):
        fit(many, GRAPH)


def test_a_constant_and_a_code_are_columns_like_others(rows):
    flat = rows.assign(k="p", a=1.0, code=np.arange(len(rows)) % 7)
    model = fit(flat, {"k": (), "a": ("k",), "code": ("a",), "y": ("a", "code", "k")}, categorical=["code"])
    assert model.laws["code"].scale.levels == tuple("0123456")
    assert np.isfinite(model.predict(model.abduct(model.read(flat), np.random.default_rng(0)))["y"]).all()


def test_a_probability_is_read_as_log_odds_and_told_as_it_was(rows):
    sure = rows.assign(p=1 / (1 + np.exp(-(rows["a"] + np.random.default_rng(4).normal(size=len(rows))))))
    model = fit(sure, {"a": (), "p": ("a",)})
    scale = model.laws["p"].scale
    assert scale.odds
    assert not model.laws["a"].scale.odds
    values = model.read(sure)
    assert scale.plain(values["p"]) == pytest.approx(sure["p"].to_numpy())
    assert scale.say(0.0) == "0.5"
    assert np.isfinite(scale.read(pd.Series([0.0, 1.0]))).all()
    assert not fit(sure, {"p": ()}).laws["p"].scale.odds
