"""What holds of every question, asked of a case or of plain tables of any engine, however awkward."""

from datetime import date
from decimal import Decimal
from functools import cache

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rca
from rca.practice.simulate import score_of, tabular
from tests.analysis.plain_tables import FEATURES, ROLES, drawn


@cache
def windows():
    return tabular(np.random.default_rng(0), rows=700, fault="scaled")


QUESTIONS = {
    "drift": lambda *tables: rca.drift(*tables, features=FEATURES),
    "faults": lambda *tables: rca.faults(*tables, label="label", score="score", prediction="prediction"),
    "harm": lambda *tables: rca.harm(*tables, model=score_of, **ROLES),
    "slices": lambda *tables: rca.slices(*tables, **ROLES),
    "joint": lambda *tables: rca.joint(*tables, features=FEATURES),
}


@cache
def told_of_frames(question):
    return QUESTIONS[question](*windows())


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("engine", [pl.from_pandas, pa.Table.from_pandas], ids=["polars", "arrow"])
def test_a_question_has_one_answer_whatever_holds_the_tables(question, engine):
    assert QUESTIONS[question](*map(engine, windows())) == told_of_frames(question)


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_is_a_sentence_a_frame_and_json_that_comes_back(question):
    told = told_of_frames(question)
    assert str(told)
    assert len(told.to_frame()) == len(told.rows())
    assert type(told).from_dict(told.to_dict()) == told


@pytest.mark.parametrize("question", ["drift", "faults", "harm", "slices", "gaps"])
def test_a_case_is_asked_by_itself(answer_of, question):
    assert str(answer_of(question, "hiring-bias"))


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_identical_windows_differ_by_nothing(seed):
    rows = drawn(seed)
    found = rca.drift(rows, rows.copy())
    assert found.moved() == ()
    assert {column.effect for column in found.columns} == {0.0}
    done = rca.harm(rows, rows.copy(), metric="error_rate", label="label", prediction="prediction")
    assert (done.measured.change, done.contributions, done.unexplained) == (0.0, (), 0.0)


AWKWARD = {
    "constant": 1.0,
    "missing": np.nan,
    "infinite": np.inf,
    "unlike each other": [f"id-{i}" for i in range(300)],
    "mixed": [1, "one", None] * 100,
    "lists": [[at] for at in range(300)],
    "decimals beyond doubles": [10**30] * 300,
    "large": 1.7e308 * np.linspace(-1, 1, 300),
    "lone surrogates": pd.Series(["\ud800", "a", "b"] * 100, dtype=object),
    "wide floats": np.linspace(0, 1, 300).astype("longdouble"),
    "decimals of Arrow": pd.array([Decimal("1.5"), None] * 150, dtype=pd.ArrowDtype(pa.decimal128(10, 2))),
    "dates of Arrow": pd.array([date(1600, 1, 1), None] * 150, dtype=pd.ArrowDtype(pa.date32())),
    "lists of Arrow": pd.array([[1], None] * 150, dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
    "words of Arrow": pd.array(["a", "b"] * 150, dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))),
}


@pytest.mark.parametrize("sort", AWKWARD)
def test_an_awkward_column_is_answered_for(sort):
    before, after = drawn(0).assign(odd=AWKWARD[sort]), drawn(1).assign(odd=AWKWARD[sort])
    assert "odd" not in rca.drift(before, after).moved()
    assert rca.faults(before, after, label="label", prediction="prediction").get("odd") is None
    assert "odd" not in rca.drift(rca.sketch(before), after).moved()


def test_harm_is_measured_whatever_awkward_columns_there_are():
    before, after = (
        drawn(seed).assign(**{f"odd{at}": AWKWARD[sort] for at, sort in enumerate(AWKWARD)}) for seed in (0, 1)
    )
    done = rca.harm(before, after, metric="error_rate", label="label", prediction="prediction")
    assert done.measured == measured_by_its_own_name()
    assert not [part.name for part in done.contributions if part.name.startswith("odd")]


@cache
def measured_by_its_own_name():
    return rca.harm(drawn(0), drawn(1), metric="error_rate", label="label", prediction="prediction").measured


@pytest.mark.parametrize(
    "names",
    [
        {"n": 0, "k": ("a", "b"), "z": None},
        {"n": pd.Timestamp("2026-01-01"), "k": "\x1b[31m<b>", "z": ""},
        {"n": "missing:n"},
    ],
    ids=["number, pair, none", "time, escape, empty", "missing"],
)
def test_a_column_has_one_name_whatever_it_was_named_by(names):
    before, after = (drawn(seed).rename(columns=names) for seed in (0, 1))
    asked = {"metric": "error_rate", "label": "label", "prediction": "prediction"}
    for told in (rca.drift(before, after), rca.drift(rca.sketch(before), after), rca.joint(before, after)):
        assert type(told).from_dict(told.to_dict()) == told
    assert rca.harm(before, after, **asked).measured == measured_by_its_own_name()
    assert rca.slices(before, after, **asked).to_dict()


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_name_that_two_columns_have_is_refused(question):
    reference, current = windows()
    twice = pd.concat([current, current[["x0"]]], axis=1)
    with pytest.raises(rca.InvalidCase, match=r"current: there are 2 columns 'x0'. Hint: give each"):
        QUESTIONS[question](reference, twice)


@pytest.mark.parametrize("metric", ["mae", "rmse"])
def test_a_loss_that_no_double_holds_cannot_be_told(metric):
    before, after = drawn(0).assign(label=1.7e308), drawn(1).assign(label=-1.7e308, prediction=1.7e308)
    for ask in (rca.harm, rca.slices):
        with pytest.raises(rca.Unanswerable, match=f"how did {metric} change: .*cannot be added up"):
            ask(before, after, metric=metric, label="label", prediction="prediction")


@pytest.mark.parametrize("weight", [1e308, 1e31, 1e-31, 5e-324])
def test_a_weight_that_cannot_be_added_up_cannot_be_told(weight):
    before, after = (drawn(seed).assign(w=weight) for seed in (0, 1))
    asked = {"metric": "error_rate", "label": "label", "prediction": "prediction", "weight": "w"}
    for ask in (rca.harm, rca.slices):
        with pytest.raises(rca.Unanswerable, match=r"weights beyond .* cannot be added up"):
            ask(before, after, **asked)
