"""The bounds of a metric over its missing outcomes are the smallest and the largest value that they allow."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from rca.analysis.harm.evidence.outcome_bounds import outcome_bounds
from rca.analysis.harm.evidence.paired_parts import both_parts
from rca.analysis.inputs.windows import windows_from

ROLES = {"label": "y", "prediction": "said", "score": "score", "groups": ["seg"]}


def rows(rng, n, missing):
    score = rng.random(n).round(3)
    y = (rng.random(n) < score).astype(float)
    y[rng.choice(n, missing, replace=False)] = np.nan
    return pd.DataFrame({"score": score, "said": 1.0 * (score > 0.5), "y": y, "seg": rng.choice(["p", "q"], n)})


def bounds_of(before, after, metric, **how):
    windows = windows_from(before, after, metric=metric, **{**ROLES, **how})
    return windows, outcome_bounds(windows, windows.meter.segments(before, after))


def guessed(windows, missing):
    """The metric under every outcome that the missing ones may have had."""
    groups = windows.meter.segments(windows.reference, windows.current)
    for guess in product((0.0, 1.0), repeat=missing):
        filled = windows.current["y"].to_numpy(copy=True)
        filled[np.isnan(filled)] = guess
        yield windows.meter.parts(windows.current.assign(y=filled), groups=groups).value()


METRICS = ("error_rate", "false_positive_rate", "false_negative_rate", "log_loss", "brier", "mae", "rmse")


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("weight", [False, True])
def test_no_outcome_goes_beyond_the_bounds_and_some_reach_them(metric, weight):
    for seed in range(2):
        rng = np.random.default_rng(seed)
        before, after = rows(rng, 40, 0), rows(rng, 14, 5)
        how = {"weight": "w"} if weight else {}
        before, after = (t.assign(w=rng.random(len(t)) + 0.1) for t in (before, after))
        windows, found = bounds_of(before, after, metric, **how)
        values = list(guessed(windows, 5))
        assert found.high == pytest.approx(np.nanmax(values))
        assert found.low == pytest.approx(np.nanmin(values)) or metric in ("mae", "rmse")
        assert found.low <= np.nanmin(values) + 1e-12


def test_a_gap_between_groups_is_bounded_by_what_each_group_allows():
    for seed in range(2):
        rng = np.random.default_rng(seed)
        before, after = rows(rng, 200, 0), rows(rng, 120, 5)
        metric = {"name": "group_gap", "of": "false_positive_rate"}
        windows, found = bounds_of(before, after, metric)
        values = list(guessed(windows, 5))
        assert (found.low, found.high) == pytest.approx((min(values), max(values)))


def test_with_every_outcome_the_bounds_are_the_metric_and_its_error():
    rng = np.random.default_rng(0)
    before, after = rows(rng, 300, 0), rows(rng, 300, 0)
    windows, found = bounds_of(before, after, "error_rate")
    parts = both_parts(windows)[1]
    assert found.low == found.high == pytest.approx(parts.value())
    assert found.low_error == pytest.approx(np.sqrt((parts.influence() ** 2).sum()))


def test_numbers_are_bounded_by_the_range_seen_and_that_is_said():
    before = pd.DataFrame({"said": [1.0, 2.0, 3.0], "y": [0.0, 2.0, 10.0]})
    after = pd.DataFrame({"said": [4.0, 4.0], "y": [4.0, np.nan]})
    windows = windows_from(before, after, metric="mae", label="y", prediction="said")
    found = outcome_bounds(windows, ())
    assert (found.low, found.high, found.within) == (0.0, 3.0, (0.0, 10.0))
    mean = outcome_bounds(windows_from(before, after, metric={"name": "mean", "column": "y"}), ())
    assert (mean.low, mean.high) == (2.0, 7.0)


def test_classes_and_words_are_bounded_as_well():
    before = pd.DataFrame({"y": ["a", "b", "c", "c"], "said": ["a", "b", "c", "a"], "done": ["yes", "no", "no", "yes"]})
    after = before.assign(y=["a", None, "b", "c"], done=["yes", None, "no", None])
    error = outcome_bounds(windows_from(before, after, metric="error_rate", label="y", prediction="said"), ())
    assert (error.low, error.high) == (0.5, 0.75)
    rate = windows_from(before, after, metric={"name": "rate", "column": "done"}, positive="yes")
    assert (outcome_bounds(rate, ()).low, outcome_bounds(rate, ()).high) == (0.25, 0.75)


def test_with_no_outcome_at_all_a_share_may_be_anything_and_a_number_is_not_bounded():
    rng = np.random.default_rng(1)
    before, after = rows(rng, 50, 0), rows(rng, 50, 50)
    found = {metric: bounds_of(before, after, metric)[1] for metric in ("error_rate", "false_positive_rate")}
    assert (found["error_rate"].low, found["error_rate"].high) == (0.0, 1.0)
    assert found["false_positive_rate"].high == 1.0
    assert bounds_of(before.assign(y=np.nan), after, "mae")[1] is None
