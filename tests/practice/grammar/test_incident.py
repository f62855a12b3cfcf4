import numpy as np
import pandas as pd
import pytest

from rca.practice.grammar.delivery import metrics_of, reader_of
from rca.practice.grammar.deployment import LABEL, SAID
from rca.practice.grammar.families import KINDS
from rca.practice.grammar.incident import Answer, Effect, Measure, Proof


def table(rng, said):
    return pd.DataFrame({LABEL: rng.integers(0, 2, len(said)), SAID: said})


def test_a_paired_error_is_that_of_the_mean_difference():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 2000)
    clean = np.where(rng.random(2000) < 0.2, 1 - label, label)
    broken = np.where(rng.random(2000) < 0.1, 1 - clean, clean)
    worlds = [pd.DataFrame({LABEL: label, SAID: said}) for said in (clean, broken)]
    ones = np.ones(2000, dtype=np.int64)
    measure = Measure(reader=reader_of({"name": "error_rate"}, None))
    effect = measure.paired((worlds[0], ones), (worlds[1], ones))
    difference = (broken != label).astype(float) - (clean != label)
    assert effect.value == pytest.approx(difference.mean())
    assert effect.error == pytest.approx(difference.std() / np.sqrt(2000))


def test_rows_written_twice_count_twice():
    rng = np.random.default_rng(1)
    said = rng.integers(0, 2, 500)
    rows = table(rng, said)
    measure = Measure(reader=reader_of({"name": "error_rate"}, None))
    wrong = (rows[LABEL] != rows[SAID]).to_numpy()
    effect = measure.paired((rows, np.ones(500, dtype=np.int64)), (rows, 1 + wrong.astype(np.int64)))
    assert effect.value == pytest.approx(2 * wrong.sum() / (500 + wrong.sum()) - wrong.mean())


def test_nothing_taken_back_is_no_effect():
    assert Effect(value=0.0, error=0.0).z == 0


@pytest.mark.parametrize(("value", "weak"), [(0.1, False), (0.03, True), (0.001, True)])
def test_an_effect_within_four_errors_or_two_per_cent_is_weak(value, weak):
    proof = Proof(
        effect=Effect(value=value, error=0.01 if value > 0.01 else 1e-6), unpaired=Effect(value=0, error=1), each={},
        reference=0.2, current=0.3,
    )  # fmt: skip
    assert proof.weak == weak


def test_a_verdict_is_right_by_its_first_cause_or_where_that_may_be_by_its_status():
    answer = Answer(statuses=("cannot_tell",), causes=(("labels", "outcome"),))
    assert answer.right("cannot_tell", [])
    assert answer.right("explained", [("labels", "paid")])
    assert not answer.right("explained", [("feature", "age"), ("labels", "outcome")])
    assert not Answer(causes=(("feature", "age"),)).right("explained", [("feature", "income")])
    assert Answer(causes=(("slice", "*"),)).right("explained", [("slice", "age<3")])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", ["binary", "regression", "classes"])
def test_metrics_of_a_kind_are_such_as_it_can_move(kind, task):
    for metric in metrics_of((kind,), task, grouped=True):
        if kind.startswith(("concept", "labels")):
            assert metric.get("column") in (None, LABEL) or kind == "labels_at_random"
        if kind == "few_rows":
            assert metric["name"] in ("mae", "rmse", "log_loss")


def test_every_metric_is_drawn():
    told = {one["name"] for task in ("binary", "regression") for one in metrics_of(("frozen",), task, grouped=True)}
    assert told == {
        "error_rate", "false_positive_rate", "false_negative_rate", "log_loss", "brier", "rate", "mean", "mae", "rmse",
        "group_gap",
    }  # fmt: skip
