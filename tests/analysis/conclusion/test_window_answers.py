"""All questions of two windows, in order; what cannot be answered is said."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import rca
from rca.analysis.conclusion.window_answers import window_answers
from rca.analysis.inputs.windows import windows_from
from rca.practice.simulate import score_of, tabular

ROWS = 700
ROLES = {"label": "label", "score": "score", "prediction": "prediction"}


def asked(fault, *, model=True, seed=0, **changed):
    reference, current = tabular(np.random.default_rng(seed), rows=ROWS, fault=fault)
    current = current.assign(**changed)
    given = score_of if model else None
    return windows_from(reference, current, metric="error_rate", model=given, **ROLES)


@cache
def whole():
    return window_answers(asked("frozen"))


def test_every_question_that_the_rows_can_answer_is_answered():
    told = whole()
    assert told.drift.moved() == ("x0",)
    assert told.faults.get("x0").fault == "frozen"
    assert told.harm.contributions[0].name == "x0"
    assert told.joint.moved
    assert told.gaps is told.unlabelled is None
    assert [one.question for one in told.unanswered] == ["since when"]


def test_asked_alone_a_question_has_the_same_answer():
    tables, told = tabular(np.random.default_rng(0), rows=ROWS, fault="frozen"), whole()
    assert rca.faults(*tables, **ROLES) == told.faults
    assert rca.harm(*tables, metric="error_rate", model=score_of, **ROLES) == told.harm
    assert rca.slices(*tables, metric="error_rate", model=score_of, **ROLES) == told.slices
    assert rca.joint(*tables, features=told.windows.roles.features) == told.joint


def test_without_labels_no_change_is_claimed_and_its_bounds_are_told():
    told = window_answers(asked(None, label=np.nan))
    assert told.harm is None
    assert not told.unlabelled.identified
    assert (told.unlabelled.bounds.low, told.unlabelled.bounds.high) == (0.0, 1.0)
    assert "how did error_rate change" in [one.question for one in told.unanswered]


def test_where_nothing_happened_no_slice_is_looked_for():
    reference, _ = tabular(np.random.default_rng(0), rows=ROWS)
    told = window_answers(windows_from(reference, reference.copy(), metric="error_rate", model=score_of, **ROLES))
    assert told.slices is None
    assert told.harm.measured.change == 0
    assert told.harm.contributions == ()


@pytest.mark.parametrize("labelled", [0.0, 0.4])
def test_rows_without_a_label_are_told_of_where_some_have_one(labelled):
    label = np.where(np.random.default_rng(1).random(ROWS) < labelled, 1.0, np.nan)
    told = window_answers(asked(None, label=label))
    assert told.unlabelled.labelled == pytest.approx(np.isfinite(label).mean())


def test_a_window_without_rows_answers_nothing():
    reference, current = tabular(np.random.default_rng(0), rows=ROWS)
    told = window_answers(windows_from(reference, current.head(0), metric="error_rate", **ROLES))
    assert told.drift is told.harm is None
    assert told.unanswered


def test_groups_are_compared_where_there_are_any():
    reference, current = tabular(np.random.default_rng(0), rows=ROWS)
    sexes = pd.Series(["f", "m"] * (ROWS // 2))
    told = window_answers(windows_from(
        reference.assign(sex=sexes), current.assign(sex=sexes), metric="error_rate", model=score_of, groups=["sex"],
        **ROLES,
    ))  # fmt: skip
    assert {gap.column for gap in told.gaps.gaps} == {"sex"}
