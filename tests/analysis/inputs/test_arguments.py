"""What people give as arguments: read as what they mean, or refused with the argument's name and a hint."""

import numpy as np
import pandas as pd
import pytest

import rca
from rca.analysis.inputs.arguments import edges_of, metric_of, names_of, roles_of, seeded, share_of
from rca.errors import InvalidCase
from tests.analysis.plain_tables import AFTER, BEFORE, COLUMNS


def ask(**asked):
    return rca.harm(BEFORE, AFTER, **{"metric": "error_rate", **COLUMNS, **asked})


@pytest.mark.parametrize(
    "named", ["region", ["region"], ("region",), {"region"}, pd.Index(["region"]), iter(["region"])]
)
def test_columns_of_a_role_may_be_named_alone_or_together(named):
    found = rca.gaps(BEFORE, AFTER, metric="error_rate", groups=named, **COLUMNS)
    assert {gap.column for gap in found.gaps} == {"region"}


@pytest.mark.parametrize("named", ["x", ["x"], (name for name in ["x"])])
def test_columns_to_compare_may_be_named_alone_or_together(named):
    assert [row.column for row in rca.drift(BEFORE, AFTER, features=named).columns] == ["x"]


def test_a_column_named_by_a_number_has_a_role_by_that_number():
    before, after = (frame.rename(columns={"label": 7}) for frame in (BEFORE, AFTER))
    told = rca.harm(before, after, metric="error_rate", label=7, prediction="prediction")
    assert told.measured == ask(score=None).measured


REFUSED = {
    "metric is given": {"metric": None},
    "metric: no such metric: 3": {"metric": 3},
    r"metric: no such metric: \['error_rate'\]": {"metric": ["error_rate"]},
    "metric: a metric named 'rate' needs": {"metric": "rate"},
    "metric.threshold: .*number": {"metric": {"name": "error_rate", "threshold": "x"}},
    "metric.column: no column 'scor' .* did you mean 'score'": {"metric": {"name": "mean", "column": "scor"}},
    "label: no column 'labl' .* did you mean 'label'": {"label": "labl"},
    "label: no column '0' in both windows": {"label": 0},
    "keyword arguments: no role 'lable'": {"lable": "label"},
    "groups: groups must be a column's name or a list of names, got int": {"groups": 3},
    "model: str is no model": {"model": "model.txt"},
    "model: it failed with ZeroDivisionError: .*here x, region": {"model": lambda _: 1 / 0},
    "model: it failed with ValueError": {"model": lambda rows: ["yes"] * len(rows)},
    r"graph\[0\]: an edge must be a pair .*got \('x',\)": {"graph": [("x",)]},
    r"graph\[0\]: an edge must be a pair .*got 'a'": {"graph": "abc"},
    "seed: seed must be a whole number from 0 on, got -1": {"seed": -1},
    "positive: positive must be the value .*got list": {"positive": [1]},
    "positive: no row of 'label' or 'prediction' is 'maybe'": {"positive": "maybe", "metric": "brier"},
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_is_no_such_argument_is_refused_by_name_and_with_a_hint(said):
    with pytest.raises(InvalidCase, match=said) as refused:
        ask(**REFUSED[said])
    assert all(problem.place and problem.hint for problem in refused.value.problems)


@pytest.mark.parametrize(("name", "value"), [("alpha", 2), ("alpha", np.nan), ("material", -1), ("alpha", "x")])
def test_a_rate_is_a_share(name, value):
    with pytest.raises(InvalidCase, match=f"{name}: {name} must lie from 0 to 1, got"):
        rca.drift(BEFORE, AFTER, **{name: value})


@pytest.mark.parametrize(
    ("answer", "why"), [(1.0, "1 numbers for 300 rows"), (np.zeros((300, 2)), "more than two classes")]
)
def test_a_model_gives_one_number_for_each_row(answer, why):
    with pytest.raises(rca.Unanswerable, match=why):
        ask(model=lambda _: answer)


@pytest.mark.parametrize("metric", ["false_positive_rate", "brier", {"name": "rate", "column": "prediction"}])
def test_words_that_mean_yes_have_to_be_said(metric):
    words = [
        frame.assign(**{name: frame[name].map({0: "denied", 1: "granted"}) for name in ("label", "prediction")})
        for frame in (BEFORE, AFTER)
    ]
    with pytest.raises(InvalidCase, match=r"positive: no row of .* is 1.*positive='granted'; there are 'denied', 'gra"):
        rca.harm(*words, metric=metric, **COLUMNS)
    told = rca.harm(*words, metric=metric, positive="granted", **COLUMNS).measured
    assert told == rca.harm(BEFORE, AFTER, metric=metric, **COLUMNS).measured


def test_a_window_without_a_yes_is_a_window_all_the_same():
    told = rca.harm(BEFORE, AFTER.assign(label=0), metric="false_positive_rate", **COLUMNS)
    assert told.measured.n_current == 300


def test_what_is_no_case_is_not_analysed():
    with pytest.raises(InvalidCase, match=r"str is no case\. Hint: read its folder with rca.load"):
        rca.analyse("data/incidents/credit-drift")


def test_what_is_meant_already_is_kept():
    metric = metric_of("brier")
    assert metric_of(metric) is metric
    assert names_of([], place="groups") == ()
    assert edges_of([["a", "b"]]) == (("a", "b"),)
    assert roles_of({"label": None, "positive": np.int64(1)}, []) == {"positive": 1}
    assert seeded(np.int64(3)).random() == np.random.default_rng(3).random()
    assert share_of(np.float64(0.1), place="alpha") == 0.1
