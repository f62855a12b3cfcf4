"""The metric: values, units, weights, influence, intervals, and what cannot be counted."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from rca.analysis.inputs.metric_reader import MetricReader
from rca.errors import Unanswerable
from rca.methods.metric import Measured, Parts, measure, percentile, two_sided
from rca.record.case import Roles
from rca.record.schema.incident import Metric

NAMES = ("error_rate", "false_positive_rate", "false_negative_rate", "log_loss", "brier", "mae", "rmse")
ROLES = Roles(label="label", score="score", prediction="prediction", groups=("group",))
EIGHT = pd.DataFrame(
    {
        "label": [0, 0, 0, 0, 1, 1, 1, 1],
        "prediction": [0, 0, 1, 1, 1, 1, 1, 0],
        "score": [0.1, 0.2, 0.6, 0.9, 0.8, 0.7, 0.9, 0.4],
        "group": list("aabbaabb"),
    }
)


def meter(name="error_rate", roles=ROLES, **options):
    return MetricReader(metric=Metric(name=name, **options), roles=roles)


def value(rows, name="error_rate", roles=ROLES, **options):
    return meter(name, roles, **options).parts(rows).value()


def rows_of(rng, n=400):
    score = rng.random(n)
    return pd.DataFrame(
        {
            "label": (rng.random(n) < score).astype(int),
            "prediction": (score > 0.5).astype(int),
            "score": score,
            "group": rng.choice(["a", "b", "c"], n),
            "weight": rng.integers(1, 4, n).astype(float),
        }
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("error_rate", 3 / 8),
        ("false_positive_rate", 2 / 4),
        ("false_negative_rate", 1 / 4),
        ("mae", 3 / 8),
        ("rmse", math.sqrt(3 / 8)),
        ("brier", np.mean([0.01, 0.04, 0.36, 0.81, 0.04, 0.09, 0.01, 0.36])),
        ("log_loss", -np.mean(np.log([0.9, 0.8, 0.4, 0.1, 0.8, 0.7, 0.9, 0.4]))),
    ],
)
def test_a_metric_is_what_its_name_says(name, expected):
    assert value(EIGHT, name) == pytest.approx(expected)


def test_a_rate_is_the_mean_of_its_column():
    assert value(EIGHT, "rate", column="prediction") == pytest.approx(5 / 8)
    assert value(EIGHT.assign(flag=EIGHT["label"] == 1), "rate", column="flag") == pytest.approx(1 / 2)


def test_a_gap_is_the_largest_difference_between_groups():
    rows = pd.concat([EIGHT] * 20)
    assert value(rows, "group_gap", of="error_rate") == pytest.approx(3 / 4)
    assert value(rows, "group_gap", of="rate", column="prediction") == pytest.approx(1 / 4)


def test_a_gap_of_columns_compares_the_values_of_each():
    rows = pd.concat([EIGHT.assign(other=["x", "y"] * 4)] * 20)
    roles = Roles(label="label", prediction="prediction", groups=("group", "other"))
    assert meter("group_gap", roles, of="error_rate").segments(rows) == (
        ("group", "a"), ("group", "b"), ("other", "x"), ("other", "y"),
    )  # fmt: skip


@pytest.mark.parametrize("groups", [("group",), ()])
def test_a_gap_needs_two_groups_that_are_large_enough(groups):
    rows = pd.concat([EIGHT[EIGHT["group"] == "a"]] * 20 + [EIGHT])
    with pytest.raises(Unanswerable, match="fewer than two groups"):
        value(rows, "group_gap", Roles(label="label", prediction="prediction", groups=groups), of="error_rate")


def test_a_gap_compares_the_groups_that_are_large_in_every_window():
    first, second = pd.concat([EIGHT] * 20), pd.concat([EIGHT] * 20)
    found = meter("group_gap", of="error_rate").segments(first, second.assign(group=["a", "b", "c", "a"] * 40))
    assert found == (("group", "a"), ("group", "b"))


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 999))
@settings(max_examples=10, deadline=None)
def test_neither_the_order_of_rows_nor_an_even_weight_matters(name, seed):
    rows = rows_of(np.random.default_rng(seed), 60)
    parts = meter(name).parts(rows)
    assert value(rows.sample(frac=1, random_state=seed), name) == pytest.approx(parts.value(), nan_ok=True)
    assert parts.value(np.full(len(rows), 2.5)) == pytest.approx(parts.value(), nan_ok=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_of_weight_three_counts_as_three_rows(name):
    rows = rows_of(np.random.default_rng(1))
    repeated = rows.loc[rows.index.repeat(rows["weight"].astype(int))]
    weighted = Roles(label="label", score="score", prediction="prediction", weight="weight")
    assert value(rows, name, weighted) == pytest.approx(value(repeated, name))


@given(st.sampled_from(["mae", "rmse"]), st.floats(0.01, 1000), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_unit_of_the_label_is_a_unit_of_the_error(name, factor, seed):
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"label": rng.normal(size=50), "prediction": rng.normal(size=50)})
    roles = Roles(label="label", prediction="prediction")
    assert value(rows * factor, name, roles) == pytest.approx(factor * value(rows, name, roles))


@pytest.mark.parametrize("name", [*NAMES, "group_gap"])
def test_a_row_that_cannot_be_counted_is_left_out(name):
    rows = rows_of(np.random.default_rng(2))
    options = {"of": "error_rate"} if name == "group_gap" else {}
    holed = pd.concat([rows, rows.assign(label=np.nan)[:100]])
    assert value(holed, name, **options) == pytest.approx(value(rows, name, **options))
    parts = meter(name, **options).parts(holed)
    assert not parts.denominator[len(rows) :].any()


@pytest.mark.parametrize(
    ("name", "hole"), [("mae", np.inf), ("rmse", np.nan), ("log_loss", np.nan), ("brier", -np.inf)]
)
def test_an_answer_that_is_no_number_does_not_count(name, hole):
    rows = rows_of(np.random.default_rng(3))
    extra = rows[:50].assign(prediction=hole, score=hole)
    assert value(pd.concat([rows, extra]), name) == pytest.approx(value(rows, name))


def test_a_sure_wrong_probability_costs_a_lot_but_not_everything():
    rows = pd.DataFrame({"label": [1, 0], "score": [0.0, 1.0]})
    assert value(rows, "log_loss", Roles(label="label", score="score")) == pytest.approx(-math.log(1e-15), rel=0.01)


@pytest.mark.parametrize("yes", [1, 1.0, True, "yes"])
def test_what_means_yes_can_be_said(yes):
    coded = {0: "no", 1: "yes"} if isinstance(yes, str) else {0: 0, 1: 1}
    rows = EIGHT.assign(label=EIGHT["label"].map(coded), prediction=EIGHT["prediction"].map(coded))
    roles = Roles(label="label", prediction="prediction", positive=yes)
    assert value(rows, "false_positive_rate", roles) == pytest.approx(0.5)


@pytest.mark.parametrize("kind", ["bool", "boolean", "Int64", "float", "object", "string", "category"])
def test_a_label_of_any_type_counts_the_same(kind):
    rows = EIGHT.assign(label=EIGHT["label"].astype(bool) if kind == "bool" else EIGHT["label"].astype(kind))
    roles = Roles(label="label", prediction="prediction")
    if kind in ("string", "category"):
        rows = rows.assign(prediction=EIGHT["prediction"].astype(kind))
    assert value(rows, "error_rate", roles) == pytest.approx(3 / 8)
    assert value(rows, "false_negative_rate", roles) == pytest.approx(1 / 4)


def test_a_boolean_label_that_is_positive_when_true_is_read_from_text_too():
    rows = EIGHT.assign(
        label=EIGHT["label"].astype(bool).astype(str), prediction=EIGHT["prediction"].astype(bool).astype(str)
    )
    roles = Roles(label="label", prediction="prediction", positive="True")
    assert value(rows, "false_positive_rate", roles) == pytest.approx(0.5)


def test_many_classes_have_an_error_rate():
    rows = pd.DataFrame({"label": list("abcabc"), "prediction": list("abccba")})
    assert value(rows, "error_rate", Roles(label="label", prediction="prediction")) == pytest.approx(2 / 6)


def test_a_difference_of_spelling_alone_is_no_error():
    rows = pd.DataFrame({"label": [1.0, 0.0, np.nan, 1.0], "prediction": ["1", "0", "1", "0"]})
    assert value(rows, "error_rate", Roles(label="label", prediction="prediction")) == pytest.approx(1 / 3)


def test_a_score_decides_by_the_threshold_where_there_is_no_prediction():
    roles = Roles(label="label", score="score")
    assert value(EIGHT, "false_positive_rate", roles) == pytest.approx(2 / 4)
    assert value(EIGHT, "false_positive_rate", roles, threshold=0.85) == pytest.approx(1 / 4)
    assert value(EIGHT, "error_rate", roles, threshold=0.5) == pytest.approx(3 / 8)


@pytest.mark.parametrize("name", NAMES)
def test_a_metric_without_its_column_says_which_role_is_missing(name):
    with pytest.raises(Unanswerable, match="no column with the role"):
        value(EIGHT, name, Roles(score="score"))
    with pytest.raises(Unanswerable, match="no column with the role"):
        value(EIGHT, name, Roles(label="label"))


def test_only_metrics_that_compare_with_the_truth_need_a_label():
    assert meter("brier").needs_label
    assert not meter("rate", column="prediction").needs_label
    assert meter("rate", column="prediction").asks_the_model
    assert not meter("rate", column="other").asks_the_model
    assert meter("group_gap", of="rate", column="other").outcome == "other"


def test_nothing_to_count_is_no_number_and_no_warning():
    parts = meter("false_positive_rate").parts(EIGHT[EIGHT["label"] == 1])
    assert math.isnan(parts.value())
    assert math.isnan(meter("rmse").parts(EIGHT.iloc[:0]).value())
    gap = meter("group_gap", of="false_positive_rate").parts(
        EIGHT[EIGHT["label"] == 1], groups=(("group", "a"), ("group", "b"))
    )
    assert math.isnan(gap.value())


# -- influence ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*NAMES, "group_gap"])
def test_influences_add_up_to_nothing(name):
    rows = rows_of(np.random.default_rng(5))
    parts = meter(name, **({"of": "error_rate"} if name == "group_gap" else {})).parts(rows)
    assert parts.influence().sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", [*NAMES, "group_gap"])
def test_an_influence_is_the_slope_of_the_metric_in_a_row_of_weight(name):
    rows = rows_of(np.random.default_rng(6))
    parts = meter(name, **({"of": "error_rate"} if name == "group_gap" else {})).parts(rows)
    weights = np.random.default_rng(7).uniform(0.5, 2, len(rows))
    psi, step = parts.influence(weights), 1e-6
    for row in range(0, len(rows), 40):
        nudged = weights.copy()
        nudged[row] *= 1 + step
        assert (parts.value(nudged) - parts.value(weights)) / step == pytest.approx(psi[row], abs=1e-5)


def test_a_perfect_model_has_no_influence_and_no_warning():
    rows = EIGHT.assign(prediction=EIGHT["label"])
    assert_allclose(meter("rmse").parts(rows).influence(), 0)


def test_a_group_that_no_row_counts_for_does_not_spoil_the_influence_of_a_gap():
    parts = Parts(
        numerator=np.array([[1.0, 0, 0], [0, 0, 0], [0, 1, 0], [0, 1, 0]]),
        denominator=np.array([[1.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]]),
        shape="gap",
    )
    assert parts.value() == pytest.approx(0.5)
    assert np.isfinite(parts.influence()).all()


# -- measured ----------------------------------------------------------------------------------------------------------


def measured(before, after, name="error_rate", roles=ROLES, seed=0, **options):
    made = meter(name, roles, **options)
    groups = made.segments(before, after)
    parts = [made.parts(rows, groups=groups) for rows in (before, after)]
    return measure(*parts, made.metric, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("name", [*NAMES, "group_gap"])
def test_identical_windows_did_no_harm(name):
    rows = rows_of(np.random.default_rng(8))
    found = measured(rows, rows, name, **({"of": "error_rate"} if name == "group_gap" else {}))
    assert found.change == 0
    assert 0 in found.interval
    assert found.p_value == 1
    assert not found.material


def test_a_change_is_the_difference_and_lies_in_its_interval():
    rows = rows_of(np.random.default_rng(9))
    found = measured(rows, rows.assign(prediction=1 - rows["prediction"]))
    assert found.change == pytest.approx(found.current - found.reference)
    assert found.change in found.interval
    assert found.reference in found.reference_interval
    assert found.current in found.current_interval
    assert found.material
    assert found.p_value < 1e-6


def test_where_lower_is_worse_a_fall_is_harm():
    rows = rows_of(np.random.default_rng(10))
    found = measured(rows, rows.assign(prediction=0), "rate", column="prediction", harm="lower")
    assert found.change < 0 < found.worse
    assert found.worse in found.worse_interval
    assert found.material


def test_getting_better_is_no_harm():
    rows = rows_of(np.random.default_rng(11))
    found = measured(rows, rows.assign(prediction=rows["label"]))
    assert found.worse < 0
    assert not found.material


def test_a_sure_trifle_is_no_harm():
    before = pd.DataFrame({"kpi": np.r_[np.full(5000, 1.0), np.full(5000, 1.0001)]})
    found = measured(before, before + 0.01, "mean", Roles(), column="kpi")
    assert found.interval.low > 0
    assert not found.material


@pytest.mark.parametrize("empty", ["reference", "current"])
def test_a_window_where_nothing_counts_cannot_say(empty):
    many = pd.concat([EIGHT] * 3)
    windows = {"reference": many, "current": many} | {empty: many[many["label"] == 1]}
    with pytest.raises(Unanswerable, match=f"only 0 rows of the {empty} window count"):
        measured(windows["reference"], windows["current"], "false_positive_rate")


@pytest.mark.parametrize("name", NAMES)
def test_a_handful_of_rows_cannot_say_how_sure_a_change_is(name):
    row = pd.DataFrame({"label": [1], "prediction": [0], "score": [0.2]})
    if name == "false_positive_rate":
        row = row.assign(label=0, prediction=1)
    with pytest.raises(Unanswerable, match="only 9 rows"):
        measured(pd.concat([row] * 9), pd.concat([row] * 10), name)
    assert measured(pd.concat([row] * 10), pd.concat([row] * 10), name).change == 0


def test_the_same_seed_gives_the_same_interval():
    rows = rows_of(np.random.default_rng(12))
    assert measured(rows, rows, seed=3) == measured(rows, rows, seed=3)


def test_rows_that_count_are_counted():
    rows = rows_of(np.random.default_rng(13))
    found = measured(rows, rows.assign(label=rows["label"].where(rows.index < 100)), "false_positive_rate")
    assert found.n_reference == (rows["label"] == 0).sum()
    assert found.n_current == (rows["label"][:100] == 0).sum()


def test_a_measured_metric_says_itself_and_comes_back_from_its_dictionary():
    rows = rows_of(np.random.default_rng(14))
    found = measured(rows, rows.assign(prediction=1 - rows["prediction"]))
    assert Measured.from_dict(found.to_dict()) == found
    assert str(found).startswith("error rate went from ")
    assert str(found.interval.level * 100)[:2] in str(found)
    assert [row["window"] for row in found.rows()] == ["reference", "current", "change"]
    (finding,) = found.findings()
    assert (finding.id, finding.unit, finding.strength) == ("metric.change", "error_rate", "shown")


def test_a_percentile_interval_passes_over_draws_that_are_no_number():
    assert percentile(np.r_[np.arange(41.0), np.nan]).high == pytest.approx(39)


@pytest.mark.parametrize(
    ("estimate", "error", "p_value"), [(0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (1.959964, 1.0, 0.05), (-1.959964, 1.0, 0.05)]
)
def test_a_p_value_is_two_sided(estimate, error, p_value):
    assert two_sided(estimate, error) == pytest.approx(p_value, abs=1e-6)


def test_rows_of_one_entity_count_once_in_an_interval():
    rng = np.random.default_rng(0)
    whose = np.repeat(np.arange(100), 10)
    parts = [
        Parts(numerator=np.repeat(rng.random(100) < rate, 10).astype(float)[:, None], denominator=np.ones((1000, 1)))
        for rate in (0.3, 0.4)
    ]
    alone = measure(*parts, Metric(name="error_rate"), rng=np.random.default_rng(1))
    whole = measure(*parts, Metric(name="error_rate"), rng=np.random.default_rng(1), entities=(whose, whose))
    assert whole.change == pytest.approx(alone.change)
    ratio = (whole.interval.high - whole.interval.low) / (alone.interval.high - alone.interval.low)
    assert ratio == pytest.approx(np.sqrt(10), rel=0.15)
    assert "entities are independent" in whole.findings()[0].assumptions[0]
