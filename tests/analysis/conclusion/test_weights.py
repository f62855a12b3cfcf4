"""A row of weight 2 is two rows to the metric; what counts rows instead is said by name."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.conclusion.window_answers import UNWEIGHTED, window_answers
from rca.analysis.drift.question import drift_of
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


def test_drift_counts_rows_and_the_answers_say_so_where_there_are_weights():
    before, after = rows(0), rows(1)
    weighted, plain = asked(before, after, weight="w"), asked(before, after, ignore=["w"])
    assert drift_of(weighted)["x"].effect == drift_of(plain)["x"].effect
    assert UNWEIGHTED in window_answers(weighted).unanswered
    assert UNWEIGHTED not in window_answers(plain).unanswered
