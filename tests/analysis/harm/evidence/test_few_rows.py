"""A handful of wild rows is told from a fault in one row of fifty, and from a tail that was there before."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.harm.evidence.few_rows import few_rows
from rca.analysis.harm.evidence.paired_parts import both_parts
from rca.analysis.inputs.windows import windows_from


def asked(before, after, metric="mae"):
    windows = windows_from(before, after, metric=metric, label="y", prediction="said")
    return few_rows(windows, *both_parts(windows))


def rows(rng, n=2000, *, tail=False):
    return pd.DataFrame({"said": 0.0, "y": rng.standard_t(3, n) if tail else rng.normal(size=n)})


def with_wild(seed, wild, size=1e4, **how):
    rng = np.random.default_rng(seed)
    before, after = rows(rng, **how), rows(rng, **how)
    places = rng.choice(len(after), wild, replace=False)
    after.loc[places, "y"] = size
    return before, after, places


@pytest.mark.parametrize("metric", ["mae", "rmse", {"name": "mean", "column": "y"}])
@pytest.mark.parametrize("wild", [1, 3, 5])
def test_a_handful_of_wild_rows_is_found_and_shown_in_nine_draws_of_ten(metric, wild):
    few = 0
    for seed in range(10):
        before, after, places = with_wild(seed, wild)
        found = asked(before, after, metric)
        few += found.few and set(found.rows) <= set(places) and found.gone > 0.9
    assert few >= 9


def test_wild_scores_carry_a_log_loss():
    rng = np.random.default_rng(0)
    before, after = (pd.DataFrame({"score": np.full(3000, 0.1), "y": 1 * (rng.random(3000) < 0.1)}) for _ in range(2))
    after.loc[after.index[after["y"] == 1][:4], "score"] = 0.0
    windows = windows_from(before, after, metric="log_loss", label="y", score="score")
    found = few_rows(windows, *both_parts(windows))
    assert found is None or found.few


@pytest.mark.parametrize("tail", [False, True])
def test_a_loss_that_grew_in_every_row_is_no_matter_of_few_in_30_draws(tail):
    found = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        before, after = rows(rng, tail=tail), rows(rng, tail=tail)
        found.append(asked(before, after.assign(y=1.3 * after["y"])))
    assert all(one is not None and one.needed is None for one in found)


def test_a_fault_in_one_row_of_fifty_needs_more_rows_than_are_few_in_30_draws():
    needed = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        before, after = rows(rng), rows(rng)
        after.loc[rng.random(2000) < 0.02, "y"] *= 20
        found = asked(before, after)
        needed.append(found.needed)
        assert not found.few
    assert 10 < np.median([one for one in needed if one is not None]) < 60


@pytest.mark.parametrize("tail", [False, True])
def test_where_nothing_changed_nothing_is_said_in_120_draws(tail):
    said = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        said += asked(rows(rng, tail=tail), rows(rng, tail=tail)) is not None
    assert said <= 6


def test_wild_rows_that_the_reference_has_as_well_explain_nothing():
    before, after, _ = with_wild(0, 4)
    before.loc[[1, 2, 3, 4], "y"] = 1e4
    assert asked(before, after) is None


def test_wild_rows_of_the_reference_that_are_gone_are_few_as_well():
    before, after, _ = with_wild(1, 4)
    found = asked(after, before)
    assert found.few
    assert found.change < 0


@pytest.mark.parametrize("broken", ["bounded", "no rows", "no labels", "weights"])
def test_what_is_bounded_or_cannot_be_measured_is_no_matter_of_few(broken):
    before, after, _ = with_wild(2, 4)
    assert asked(before, after).few
    how = {"metric": "error_rate"} if broken == "bounded" else {"metric": "mae"}
    if broken == "no rows":
        after = after.head(0)
    if broken == "no labels":
        after = after.assign(y=np.nan)
    if broken == "weights":
        before, after, how = before.assign(w=np.nan), after.assign(w=np.nan), {**how, "weight": "w"}
    windows = windows_from(before, after, label="y", prediction="said", **how)
    assert few_rows(windows, *both_parts(windows)) is None
