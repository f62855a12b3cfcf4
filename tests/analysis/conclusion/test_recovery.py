"""Whether the repair worked: an equivalence test with a margin, of all rows and by group."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import rca
from rca.analysis.conclusion.recovery import Recovery, newcombe
from rca.errors import InvalidCase, Unanswerable

RATE = {"name": "rate", "column": "late"}


def flags(events, rows, **columns):
    return pd.DataFrame({"late": (np.arange(rows) < events).astype(int), **columns})


def drawn(rng, share, rows):
    return flags(rng.binomial(rows, share), rows)


def outcome(before, after, margin=0.05, **asked):
    return rca.recovery(before, after, metric=RATE, margin=margin, **asked).outcome


@pytest.mark.parametrize(
    ("before", "after", "level", "low", "high"),
    [
        ((48, 80), (56, 70), 0.95, 0.0524, 0.3339),
        ((0, 10), (10, 10), 0.95, 0.6075, 1.0),
        ((0, 20), (0, 10), 0.95, -0.1611, 0.2775),
    ],
)
def test_intervals_are_those_of_newcombe_1998(before, after, level, low, high):
    """Table II, method 10, of *Stat Med* 1998;17:873."""
    found = newcombe(before, after, level=level)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("after", "said"),
    [(100, "recovered"), (110, "recovered"), (300, "not_recovered"), (0, "no_worse"), (150, "cannot_tell")],
)
def test_the_outcome_is_where_the_interval_lies(after, said):
    assert outcome(flags(100, 1000), flags(after, 1000)) == said


def test_few_rows_that_look_alike_show_nothing():
    assert outcome(flags(2, 20), flags(2, 20)) == "cannot_tell"


def test_where_lower_is_worse_the_bad_direction_is_down():
    metric = {**RATE, "harm": "lower"}
    found = rca.recovery(flags(900, 1000), flags(700, 1000), metric=metric, margin=0.05)
    assert found.outcome == "not_recovered"
    assert found.whole.worse == pytest.approx(0.2)
    assert found.whole.interval.low < 0.2 < found.whole.interval.high


def test_size_and_power_are_as_promised():
    """At a difference of the margin it says recovered in 5 % of draws at most; at none, nearly always."""
    rng = np.random.default_rng(7)
    said = {
        gap: np.mean([outcome(drawn(rng, 0.1, 800), drawn(rng, 0.1 + gap, 800)) == "recovered" for _ in range(150)])
        for gap in (0.05, 0.0)
    }
    assert said[0.05] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)
    assert said[0.0] >= 0.9


def test_means_are_compared_too():
    rng = np.random.default_rng(1)
    before, after = (pd.DataFrame({"cost": rng.normal(10, 1, size)}) for size in (900, 700))
    metric = {"name": "mean", "column": "cost"}
    assert rca.recovery(before, after, metric=metric, margin=0.2).outcome == "recovered"
    assert rca.recovery(before, after + 1, metric=metric, margin=0.2).outcome == "not_recovered"


def test_every_group_is_tested_and_one_that_is_not_back_is_named():
    groups = np.where(np.arange(2000) % 2, "a", "b")
    before = flags(0, 2000, region=groups).assign(late=lambda rows: (np.arange(2000) % 10 < 2).astype(int))
    after = before.assign(
        late=lambda rows: np.where(rows["region"] == "b", np.arange(2000) % 3 == 0, rows["late"]).astype(int)
    )
    found = rca.recovery(before, after, metric=RATE, margin=0.08, groups=["region"])
    assert {one.where: one.outcome for one in found.groups} == {"region=a": "recovered", "region=b": "not_recovered"}
    assert not found.everywhere
    assert "; not back for region=b" in str(found)
    same = rca.recovery(before, before, metric=RATE, margin=0.08, groups=["region"])
    assert same.everywhere


def test_of_many_groups_that_are_alike_hardly_any_is_called_worse():
    rng = np.random.default_rng(3)
    worse = 0
    for _ in range(25):
        before, after = (
            flags(0, 1500).assign(late=rng.random(1500) < 0.2, g=rng.integers(0, 15, 1500)) for _ in range(2)
        )
        found = rca.recovery(before, after.assign(late=after["late"]), metric=RATE, margin=1e-6, groups=["g"])
        worse += any(one.outcome == "not_recovered" for one in found.groups)
    assert worse <= 4
    assert "not shown either way for" in str(found)


def test_a_gap_is_compared_and_its_groups_by_the_metric_whose_gap_is_meant():
    rng = np.random.default_rng(5)

    def rows(size):
        return pd.DataFrame(
            {"g": rng.choice(["x", "y"], size), "y": rng.integers(0, 2, size), "p": rng.integers(0, 2, size)}
        )

    found = rca.recovery(
        rows(4000), rows(4000), metric={"name": "group_gap", "of": "error_rate"}, label="y", prediction="p",
        groups=["g"],
        margin=0.1,
    )  # fmt: skip
    assert found.outcome == "recovered"
    assert [one.where for one in found.groups] == ["g=x", "g=y"]
    assert all(0.4 < one.reference < 0.6 for one in found.groups)


def test_rows_without_labels_are_refused():
    before = pd.DataFrame({"y": [0, 1] * 50, "p": [0, 1] * 50})
    after = before.assign(y=np.nan)
    with pytest.raises(Unanswerable, match="have labels come"):
        rca.recovery(before, after, metric="error_rate", label="y", prediction="p", margin=0.1)
    some = before.assign(y=[0.0, 1.0] * 25 + [np.nan] * 50)
    assert rca.recovery(before, some, metric="error_rate", label="y", prediction="p", margin=0.2).unlabelled == 0.5


@pytest.mark.parametrize("margin", [0, -1, float("nan"), float("inf"), "3%"])
def test_a_margin_that_is_none_is_refused(margin):
    with pytest.raises(InvalidCase, match="margin must be a number above 0, got"):
        rca.recovery(flags(1, 20), flags(1, 20), metric=RATE, margin=margin)


def test_a_margin_of_a_share_is_in_its_unit_and_not_in_points():
    with pytest.raises(InvalidCase, match=r"margin: a share cannot differ by 3\. Hint: .*0\.03 is three"):
        rca.recovery(flags(5, 20), flags(5, 20), metric=RATE, margin=3)


def test_tables_need_a_margin_which_the_metric_may_state():
    stated = rca.recovery(flags(50, 200), flags(50, 200), metric={**RATE, "margin": 0.2})
    assert stated.margin == 0.2
    with pytest.raises(InvalidCase, match="two tables need a margin"):
        rca.recovery(flags(5, 20), flags(5, 20), metric=RATE)


def test_where_nothing_got_worse_there_is_no_harm_to_take_a_margin_from(credit):
    from rca.analysis.conclusion.recovery import recovery_of
    from rca.analysis.inputs.windows import windows_of

    windows = windows_of(credit)
    better = replace(windows, current=windows.reference, metric=windows.metric.model_copy(update={"margin": None}))
    with pytest.raises(Unanswerable, match="there is no harm that a margin could be a share of"):
        recovery_of(better, credit.recovered)


def test_groups_of_few_rows_are_left_out():
    rare = flags(100, 1000, g=["a"] * 990 + ["b"] * 10)
    assert [one.where for one in rca.recovery(rare, rare, metric=RATE, margin=0.1, groups=["g"]).groups] == ["g=a"]


def test_a_result_says_itself_and_comes_back():
    found = rca.recovery(flags(100, 1000), flags(105, 1000), metric=RATE, margin=0.05)
    assert str(found).startswith("rate is back where it was: 10.5 after the repair, 10 before (90% interval")
    assert Recovery.from_dict(found.to_dict()) == found
    (claim,) = found.findings()
    assert (claim.id, claim.strength) == ("recovery.metric", "shown")
    assert found.to_frame()["outcome"].tolist() == ["back where it was"]
    assert 0 < found.whole.needs < 0.05


@pytest.fixture(scope="module")
def credit():
    return rca.load("data/incidents/credit-drift")


def test_a_margin_on_record_is_taken(credit):
    found = rca.recovery(credit)
    assert found.stated
    assert (found.margin, found.outcome) == (0.015, "recovered")


def test_a_case_takes_a_tenth_of_the_harm_where_no_margin_is_stated(credit):
    metric = credit.incident.metric.model_copy(update={"margin": None})
    credit = replace(credit, incident=credit.incident.model_copy(update={"metric": metric}))
    found = rca.recovery(credit)
    assert found.outcome == "recovered"
    assert not found.stated
    assert "as none is stated" in found.findings()[0].assumptions[-1]
    assert rca.recovery(credit, margin=0.002).outcome == "cannot_tell"
    assert rca.recovery(credit, margin=0.002).stated


def test_a_case_without_rows_after_the_repair_is_refused():
    with pytest.raises(Unanswerable, match=r"data\.recovered"):
        rca.recovery(rca.load("data/incidents/hiring-bias"))


def test_a_table_that_lacks_a_column_is_refused(credit):
    from rca.analysis.conclusion.recovery import recovery_of
    from rca.analysis.inputs.windows import windows_of

    with pytest.raises(Unanswerable, match="no column 'channel'"):
        recovery_of(windows_of(credit), credit.recovered.drop(columns="channel"))
