"""Gaps between groups: measured in both windows, believed only beyond what the largest of many differences does."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.analysis.inputs.metric_reader import SEGMENT_ROWS
from rca.analysis.inputs.windows import Windows
from rca.analysis.slices.group_gaps import Gaps, between, group_gaps, limits
from rca.errors import Unanswerable
from rca.record.case import Roles
from rca.record.schema.incident import Metric

RATE = Metric(name="rate", column="bad")


def people(rng, rates, n=400):
    """Groups of `n` people, each with its rate of a flag."""
    return pd.DataFrame(
        {"who": np.repeat(list(rates), n), "bad": np.concatenate([rng.random(n) < rate for rate in rates.values()])}
    )


def windows_of(reference, current, metric=RATE, **roles):
    return Windows(
        reference=reference, current=current, roles=Roles(**{"groups": ("who",), **roles}), metric=metric, parents={}
    )


@pytest.fixture(scope="module")
def opened():
    rng = np.random.default_rng(0)
    before, after = people(rng, {"a": 0.1, "b": 0.1, "c": 0.1}), people(rng, {"a": 0.1, "b": 0.1, "c": 0.35})
    few = pd.DataFrame({"who": ["few"] * 9 + [None], "bad": [True] * 10})
    return group_gaps(windows_of(pd.concat([before, few]), pd.concat([after, few])))


def test_a_gap_that_opened_is_named_with_its_ends(opened):
    first = opened.gaps[0]
    assert first.opened
    assert first.highest == "c"
    assert first.lowest in ("a", "b")
    assert first.reference < 0.06
    assert first.current > 0.2
    assert 0 not in first.interval
    assert 0.25 in first.interval
    assert str(opened).startswith("rate by who: the gap opened")
    assert opened.findings()[0].strength == "shown"


def test_a_group_too_small_to_compare_is_listed_and_takes_no_part(opened):
    first = opened.gaps[0]
    assert first.too_small == ("few",)
    small = next(one for one in first.groups if one.group == "few")
    assert (small.rows_reference, small.current, small.compared) == (9, 1.0, False)
    assert first.highest != "few"
    assert first.without == 2
    assert "too small to compare" in {row["note"] for row in opened.rows()}


def test_groups_that_are_alike_may_have_no_gap():
    rng = np.random.default_rng(1)
    alike = dict.fromkeys("abcdefgh", 0.2)
    found = group_gaps(windows_of(people(rng, alike), people(rng, alike))).gaps[0]
    assert found.reference > 0
    assert found.reference_interval.low == found.current_interval.low == 0
    assert 0 in found.interval
    assert not found.opened


def test_a_metric_of_decisions_comes_with_how_often_each_group_is_selected():
    rng = np.random.default_rng(2)
    both = [
        people(rng, {"a": 0.3, "b": 0.3}).assign(label=0, said=lambda rows: rows["bad"].map({True: "yes", False: "no"}))
    ] * 2
    late = both[1].assign(said=np.where(both[1]["who"] == "b", "yes", both[1]["said"]))
    roles = {"label": "label", "prediction": "said", "positive": "yes"}
    found = group_gaps(windows_of(both[0], late.assign(label="no"), Metric(name="error_rate"), **roles))
    assert {one.measure for one in found.gaps} == {"error_rate", "selection_rate"}
    chosen = next(one for one in found.gaps if one.measure == "selection_rate")
    assert chosen.opened
    assert next(one for one in chosen.groups if one.group == "b").current == 1.0


def test_a_threshold_selects_where_only_a_score_is_on_record():
    rows = pd.DataFrame({"who": ["a", "b"] * 100, "y": [0, 1] * 100, "p": [0.2, 0.7] * 100})
    found = group_gaps(windows_of(rows, rows, Metric(name="brier"), label="y", score="p"))
    chosen = next(one for one in found.gaps if one.measure == "selection_rate")
    assert chosen.current == 1.0


def test_of_a_gap_metric_the_metric_below_is_compared():
    rng = np.random.default_rng(3)
    rows = people(rng, {"a": 0.1, "b": 0.4})
    found = group_gaps(windows_of(rows, rows, Metric(name="group_gap", of="rate", column="bad")))
    assert found.gaps[0].measure == "rate"
    assert found.gaps[0].change == 0


@pytest.mark.parametrize("name", ["mae", "rmse"])
def test_errors_of_numbers_are_compared_too(name):
    rng = np.random.default_rng(4)
    rows = pd.DataFrame({"who": ["a", "b"] * 300, "y": 0.0, "said": rng.normal(size=600)})
    worse = rows.assign(said=rows["said"] * np.where(rows["who"] == "b", 4, 1))
    found = group_gaps(windows_of(rows, worse, Metric(name=name), label="y", prediction="said")).gaps[0]
    assert found.opened
    assert found.highest == "b"


def test_fewer_than_two_groups_have_no_gap():
    rows = people(np.random.default_rng(5), {"a": 0.1})
    found = group_gaps(windows_of(rows, rows)).gaps[0]
    assert found.change is None
    assert "fewer than two groups" in str(found)
    assert Gaps(gaps=(found,)).findings() == ()


def test_a_case_without_groups_is_not_answered():
    rows = people(np.random.default_rng(6), {"a": 0.1})
    with pytest.raises(Unanswerable, match="names no groups"):
        group_gaps(windows_of(rows, rows, groups=()))


def test_hostile_groups_are_groups(hostile):
    who = pd.Series([hostile, 1, 1.0, True, None, ("x",)] * 60, dtype=object)
    rows = pd.DataFrame({"who": who, "bad": np.arange(360) % 5 == 0})
    found = group_gaps(windows_of(rows, rows)).gaps[0]
    assert {one.group for one in found.groups} >= {hostile, "1", "True"}
    assert found.change == 0


def test_many_values_are_counted_where_they_are_not_listed():
    rows = pd.DataFrame({"who": [f"g{i}" for i in range(200)], "bad": 0})
    found = group_gaps(windows_of(rows, rows)).gaps[0]
    assert len(found.groups) + found.unlisted == 200
    assert len(found.groups) < 200


def test_a_rare_event_that_no_one_had_yet_has_an_error_all_the_same():
    rows = pd.DataFrame({"who": np.repeat(["a", "b"], [SEGMENT_ROWS, 3000]), "bad": False})
    rows.loc[rows.index[-30:], "bad"] = True
    found = group_gaps(windows_of(rows, rows)).gaps[0]
    assert found.current_interval.low == 0
    assert found.current_interval.high > 0.01


def test_gaps_survive_json(opened):
    assert Gaps.from_dict(opened.to_dict()) == opened


def test_the_order_of_rows_does_not_matter(opened):
    rng = np.random.default_rng(0)
    both = people(rng, {"a": 0.1, "b": 0.2}), people(rng, {"a": 0.1, "b": 0.3})
    turned = [rows.sample(frac=1, random_state=1) for rows in both]
    first, second = group_gaps(windows_of(*both)).gaps[0], group_gaps(windows_of(*turned)).gaps[0]
    assert first.change == pytest.approx(second.change)
    assert first.interval.low == pytest.approx(second.interval.low)


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 2)), min_size=2, max_size=8))
@settings(max_examples=30, deadline=None)
def test_the_interval_of_a_gap_holds_it_and_is_not_below_zero(groups):
    rates, errors = (np.array(one) for one in zip(*groups, strict=True))
    gap, interval = limits(rates, errors)
    assert 0 <= interval.low <= gap <= interval.high
    change = between((gap, interval), (gap, interval))
    assert change.low <= 0 <= change.high
    wider = limits(rates, errors, level=0.999)[1]
    assert wider.low <= interval.low <= interval.high <= wider.high


def test_two_groups_of_the_same_error_have_the_interval_of_a_difference_above():
    gap, interval = limits(np.array([0.0, 1.0]), np.array([0.1, 0.1]))
    assert interval.high == pytest.approx(gap + 1.959964 * 0.1 * np.sqrt(2))
