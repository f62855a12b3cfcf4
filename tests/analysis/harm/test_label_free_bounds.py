"""Rows without labels bound a metric; they never tell its change."""

import json

import numpy as np
import pandas as pd
import pytest

from rca.analysis.harm.label_free_bounds import Unlabelled, label_free_bounds
from rca.errors import Unanswerable
from rca.finding import Interval


def drawn(rng, rows, shift=0.0, *, turned=False):
    x = rng.normal(shift, 1, rows)
    chance = 1 / (1 + np.exp(-(x - 1)))
    return pd.DataFrame({"x": x, "wrong": (rng.random(rows) < (1 - chance if turned else chance)).astype(float)})


def told(reference, current, **options):
    rng = np.random.default_rng(0)
    return label_free_bounds(reference, current, loss="wrong", features=["x"], rng=rng, **options)


def pair(shift=0.7, seed=0, rows=3000, **options):
    rng = np.random.default_rng(seed)
    return drawn(rng, rows), drawn(rng, rows, shift, **options)


@pytest.mark.parametrize("turned", [False, True])
def test_without_labels_a_world_that_turned_round_looks_the_same_and_the_bounds_hold_it(turned):
    reference, current = pair(turned=turned)
    found = told(reference, current.drop(columns="wrong"))
    assert not found.identified
    assert current["wrong"].mean() in found.bounds
    assert found.covariate_part == told(reference, pair()[1].drop(columns="wrong")).covariate_part
    assert "may have changed unseen" in found.unanswered[0].why
    assert "as before" in found.assumes[0]


def test_the_part_of_the_covariates_is_what_the_label_would_have_brought_had_it_followed_as_before():
    reference, current = pair()
    found = told(reference, current.assign(wrong=np.nan))
    truth = 0.0
    draws = np.random.default_rng(1).normal(size=200_000)
    truth = np.mean(1 / (1 + np.exp(-(draws + 0.7 - 1)))) - np.mean(1 / (1 + np.exp(-(draws - 1))))
    assert truth in found.covariate_interval
    assert found.covariate_interval.high - found.covariate_interval.low < 0.08


def test_labels_that_depend_on_a_feature_are_found_and_reweighted():
    rng = np.random.default_rng(2)
    reference, current = pair(rows=6000)
    has = rng.random(6000) < 1 / (1 + np.exp(current["x"]))
    found = told(reference, current.assign(wrong=current["wrong"].where(has)))
    assert found.depends_on == ("x",)
    assert current["wrong"].mean() in found.reweighted_interval
    assert current["wrong"][has].mean() not in found.reweighted_interval
    assert current["wrong"].mean() in found.bounds


def test_labels_missing_by_chance_depend_on_nothing():
    rng = np.random.default_rng(3)
    reference, current = pair()
    found = told(reference, current.assign(wrong=current["wrong"].where(rng.random(3000) < 0.5)))
    assert found.depends_on == ()
    assert found.labelled == pytest.approx(0.5, abs=0.05)


def test_with_every_label_there_is_nothing_to_assume():
    reference, current = pair()
    found = told(reference, current)
    assert found.identified
    assert found.bounds.low == found.bounds.high == pytest.approx(current["wrong"].mean())
    assert found.unanswered == found.assumes == ()


def test_labels_of_rows_unlike_the_rest_give_bounds_alone():
    reference, current = pair()
    late = current["x"] > 0.7
    found = told(reference, current.assign(wrong=current["wrong"].where(~late), x=current["x"] + 30 * late))
    assert found.reweighted is None
    assert "no number" in found.assumes[0]


def test_a_reference_without_labels_cannot_say():
    reference, current = pair(rows=100)
    with pytest.raises(Unanswerable, match="0 rows"):
        told(reference.assign(wrong=np.nan), current)


def test_it_says_itself_and_comes_back_from_json():
    for wrong in (np.nan, None):
        reference, current = pair()
        current["wrong"] = current["wrong"].where(np.arange(3000) % 2 == 0) if wrong is None else wrong
        found = told(reference, current)
        assert Unlabelled.from_dict(json.loads(json.dumps(found.to_dict()))) == found
        assert "have a label" in str(found)
        assert len(found.rows()) == 2
        assert found.findings()[0].strength == "assumed"


def test_bounds_alone_are_told_where_nothing_can_be_assumed():
    alone = Unlabelled(labelled=0.2, reference=0.1, bounds=Interval(low=0.05, high=0.85))
    assert alone.rows() == [{"what": "worst case", "value": None, "interval": "0.05 to 0.85", "assumes": "nothing"}]
    assert str(alone) == "20% of the current rows have a label; the metric is between 0.05 to 0.85"
