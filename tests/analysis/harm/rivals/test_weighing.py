"""Rivals on equal terms: the cause stands first and the others fall, whatever columns are called."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from rca.analysis.harm.contribution import PartEstimate, contribution
from rca.analysis.harm.evidence.copied_rows import copied_rows
from rca.analysis.harm.question import harm
from rca.analysis.harm.rivals.rival import Rival
from rca.analysis.harm.rivals.weighing import likeliest, ranked, weigh
from rca.errors import Unanswerable
from tests.analysis.harm.rivals.simulated_windows import (
    FEATURES,
    ROLES,
    answered,
    drawn,
    happened,
    inputs,
    model,
    numbers,
    standing,
    weighing,
    world,
)


def reversed_law(rows):
    return world(rows) - 3.2 * rows["a"]


def permuted(rows, rng):
    return rows.assign(c=rng.permutation(rows["c"]))


def filler(rows, rng):
    return rows.assign(c=rows["c"].mask(rng.random(len(rows)) < 0.5, -9.0))


def test_a_broken_column_stands_first_and_the_concept_is_rejected():
    found = weigh(weighing(*drawn(1, broken=permuted), model=model))
    assert standing(found.rivals)[0] == ("feature", "c")
    assert next(one for one in found.rivals if one.kind == "concept").rejected
    assert (found.undecided, found.always) == ("", False)


def test_a_reversed_law_stands_first_and_no_column_is_accepted():
    found = weigh(weighing(*drawn(2, law=reversed_law), model=model))
    assert standing(found.rivals)[0] == ("concept", "y")
    assert not [one for one in found.standing if one.kind == "feature" and one.strength != "assumed"]


def test_nothing_stands_where_nothing_changed_in_2_draws():
    assert [standing(weigh(weighing(*drawn(seed, 600), model=model)).rivals) for seed in range(2)] == [[]] * 2


@pytest.mark.parametrize("seed", [3, pytest.param(4, marks=pytest.mark.prove)])
def test_a_weekend_that_was_always_worse_is_no_concept_and_no_column(seed):
    rng = np.random.default_rng(seed)
    both = [inputs(rng, 1500, "2026-01-05", 42), inputs(rng, 500, "2026-02-21", 2)]
    both = [happened(rng, rows, lambda rows: world(rows) * (rows["at"].dt.day_of_week < 5)) for rows in both]
    found = weigh(weighing(*map(answered, both), model=model))
    assert found.always
    assert not [one for one in found.rivals if one.strength in ("shown", "suggested")]
    assert "slice" in {one.kind for one in found.rivals}


def test_a_handful_of_wild_rows_leaves_it_undecided():
    def spoilt(rows, rng):
        return rows.assign(y=rows["y"].mask(rows.index < 3, 1e5))

    found = weigh(weighing(*numbers(4, 900, spoilt=spoilt), "mae", score=None))
    assert "3 of the 900 rows" in found.undecided


def test_outcomes_missing_for_what_they_are_leave_it_undecided():
    before, after = drawn(5)
    known = (after["y"] == 1) | (np.random.default_rng(5).random(len(after)) < 0.3)
    found = weigh(weighing(before, after.assign(y=after["y"].where(known)), model=model))
    assert "have no outcome" in found.undecided


def test_copies_are_weighed_with_the_others():
    before, after = (rows.assign(id=range(len(rows))) for rows in drawn(6, 900))
    again = after[after["y"] != after["said"]].head(130)
    asked = weighing(before, pd.concat([after, *[again] * 3]), model=model, id="id")
    found = weigh(asked, (), copied_rows(asked.windows))
    assert ("rows", "duplicates") in standing(found.rivals)


def test_the_strong_come_before_the_large_and_the_rejected_last(harm):
    part = harm.contributions[0]
    weak, strong = (
        Rival(kind="concept", name="y", part=part, strength="suggested"),
        Rival(kind="rows", name="r", strength="shown"),
    )
    killed = Rival(kind="model", name="m", part=part, against="no")
    assert ranked([killed, weak, strong]) == (strong, weak, killed)


NAMES = {"a": "a b", "b": "é", "c": "'; --", "hour": "$x$", "shop": "\0hour "}


@cache
def by_their_own_names():
    return standing(weigh(weighing(*drawn(7, 700, broken=filler), model=model)).rivals)


@pytest.mark.parametrize("names", [NAMES, {"a": "", "c": "<b>&", "shop": "\0hour"}])
def test_what_columns_are_called_changes_no_answer(names):
    before, after = drawn(7, 700, broken=filler)
    backwards = {new: old for old, new in names.items()}
    found = weigh(
        weighing(
            *(rows.rename(columns=names) for rows in (before, after)),
            model=lambda rows: model(rows.rename(columns=backwards)),
        )
    )
    assert standing(found.rivals) == [(kind, names.get(name, name)) for kind, name in by_their_own_names()]


def test_without_a_time_or_with_few_rows_or_no_features_a_result_comes_all_the_same():
    before, after = drawn(8, 500, broken=filler)
    no_time = harm(before, after, model=model, metric="error_rate", **{**ROLES, "time": None}, ignore=["at"])
    assert standing(no_time.rivals)[0] == ("feature", "c")
    few = harm(before.head(30), after.head(30), model=model, metric="error_rate", **ROLES)
    assert "concept" not in {kind for kind, _ in standing(few.rivals)}
    bare = harm(*(rows.drop(columns=list(FEATURES)) for rows in (before, after)), metric="error_rate", **ROLES)
    assert standing(bare.rivals) == []


def test_without_any_label_nothing_can_be_said():
    before, after = drawn(9, 300)
    with pytest.raises(Unanswerable):
        harm(before, after.assign(y=np.nan), metric="error_rate", **ROLES)
    with pytest.raises(Unanswerable):
        harm(before, after.head(0), metric="error_rate", **ROLES)


def test_the_same_seed_weighs_the_same():
    one, other = (weigh(weighing(*drawn(10, 300, broken=permuted), model=model)) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("seed", [5, pytest.param(6, marks=pytest.mark.prove)])
def test_a_column_rescaled_in_a_slice_under_another_name_leaves_no_concept_that_is_shown(seed):
    def rescaled(rows, rng):
        return rows.assign(c=np.where(rows["shop"] == "p", 3 * rows["c"] + 2, rows["c"]))

    found = weigh(weighing(*drawn(seed, 1200, broken=rescaled), model=model))
    assert ("concept", "shown") not in {(one.kind, one.strength) for one in found.rivals}


def rival(name, value, *, kind="feature", strength=None, against="too little"):
    part = contribution(kind, name, PartEstimate(value=value, error=0.02, rows=500.0), method="mended")
    return Rival(kind=kind, name=name, part=part, strength=strength, against=against)


def test_where_nothing_is_named_the_surest_column_is_suggested_and_says_what_speaks_against_it():
    rivals = [rival("a", 0.04), rival("b", 0.07), rival("y", 0.09, kind="concept")]
    found = likeliest(rivals, least=0.03)
    assert [(one.name, one.strength) for one in found] == [("a", None), ("b", "suggested"), ("y", None)]
    assert found[1].found.endswith("though too little")


@pytest.mark.parametrize(("value", "least"), [(0.049, 0.0), (0.07, 0.08)])
def test_a_column_that_is_unsure_or_did_little_is_not_suggested(value, least):
    assert standing(likeliest([rival("b", value)], least=least)) == []
