"""A row of weight 2 is two rows to the metric, to drift and to the joint test; no test is surer for it."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift.question import drift_of, joint_of
from rca.analysis.inputs.weights import in_proportion
from rca.analysis.inputs.windows import measured_of, windows_from

METRICS = ("error_rate", "false_positive_rate", "false_negative_rate")


def rows(seed, n=400):
    rng = np.random.default_rng(seed)
    x = rng.normal(0.3 * seed, 1, n)
    paid = (x + rng.normal(size=n) > 0).astype(int)
    return pd.DataFrame({"x": x, "paid": paid, "said": (x > 0).astype(int), "w": np.where(x > 0.5, 2.0, 1.0)})


def doubled(table):
    return table.loc[table.index.repeat(table["w"].astype(int))].assign(w=1.0)


def asked(*tables, metric="error_rate", **how):
    return windows_from(*tables, metric=metric, label="paid", prediction="said", **how)


@pytest.mark.parametrize("metric", METRICS)
def test_a_row_of_weight_2_is_two_rows_to_the_metric(metric):
    before, after = rows(0), rows(1)
    weighted = measured_of(asked(before, after, metric=metric, weight="w")).worse
    twice = measured_of(asked(doubled(before), doubled(after), metric=metric, weight="w")).worse
    plain = measured_of(asked(before, after, metric=metric, ignore=["w"])).worse
    assert weighted == pytest.approx(twice)
    assert weighted != pytest.approx(plain)


def test_drift_is_that_of_the_weighted_rows_and_no_surer_than_they_allow():
    before, after = rows(0, 4000), rows(0, 4000).assign(w=lambda table: np.where(table["x"] > 0.5, 6.0, 1.0))
    weighted, plain = asked(before, after, weight="w"), asked(before, after, ignore=["w"])
    twice = asked(doubled(before), doubled(after), ignore=["w"])
    assert not drift_of(plain)["x"].moved
    assert drift_of(weighted)["x"].effect == pytest.approx(drift_of(twice)["x"].effect, abs=0.02)
    assert drift_of(weighted)["x"].interval.low < drift_of(twice)["x"].interval.low
    assert joint_of(weighted).auc == pytest.approx(joint_of(twice).auc, abs=0.05)


def test_weights_that_are_alike_change_nothing_and_a_weight_that_is_none_does_not_count():
    table = rows(0).assign(w=3.0)
    assert in_proportion(table, "w") is table
    odd = pd.DataFrame({"a": range(5), "w": [1.0, np.nan, -2.0, 0.0, 1.0]})
    assert in_proportion(odd, "w")["a"].tolist() == [0, 4]
    assert not len(in_proportion(odd.assign(w=0.0).iloc[:0], "w"))


def test_each_row_is_drawn_as_often_as_it_weighs():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"w": rng.integers(1, 9, 900).astype(float)})
    drawn = np.zeros(900)
    for _ in range(400):
        order = rng.permutation(900)
        drawn[in_proportion(table.iloc[order].assign(row=order), "w")["row"]] += 1
    by_weight = pd.Series(drawn).groupby(table["w"]).mean()
    assert np.allclose(by_weight / by_weight.sum(), by_weight.index / by_weight.index.to_numpy().sum(), atol=0.01)


@pytest.mark.parametrize("times", [1e300, 1e306, 5e-324])
def test_weights_count_beside_each_other_alone(times):
    table = rows(0)
    scaled = in_proportion(table.assign(w=table["w"] * times), "w")
    assert scaled["x"].tolist() == in_proportion(table, "w")["x"].tolist()
