"""Who came, what was copied, whose outcome is known, when, and how few: each stands where it is the cause."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rca.analysis.conclusion.verdict import weigh_windows
from rca.analysis.drift.question import drift_of
from rca.analysis.faults.question import faults_of
from rca.analysis.harm.evidence.copied_rows import copied_rows
from rca.analysis.harm.question import harm_of
from rca.analysis.harm.rivals.row_rivals import (
    copies_rival,
    few_rows_rival,
    mix_rivals,
    outcome_rivals,
    season_rival,
)
from tests.analysis.harm.rivals.simulated_windows import (
    FEATURES,
    answered,
    drawn,
    happened,
    inputs,
    model,
    numbers,
    standing,
    weighing,
    windows,
)


def coin_in_p(rows, rng):
    return rows.assign(y=np.where(rows["shop"] == "p", rng.random(len(rows)) < 0.5, rows["y"]).astype(int))


def grown(seed, *, hard=True):
    rng = np.random.default_rng(seed)
    before, after = (answered(happened(rng, inputs(rng, 1500, start))) for start in ("2026-01-05", "2026-02-02"))
    if hard:
        before, after = coin_in_p(before, rng), coin_in_p(after, rng)
    return before, after[(after["shop"] == "p") | (rng.random(1500) < 0.15)]


def test_a_bad_group_that_grew_explains_the_change_and_is_only_suggested():
    asked = weighing(*grown(0), model=model)
    (found,) = [one for one in mix_rivals(asked, ()) if not one.rejected]
    assert (found.name, found.fault, found.strength) == ("shop", "distribution", "suggested")
    assert mix_rivals(asked, ["shop"]) == []
    assert found.paired


def test_what_a_group_that_grew_would_do_and_others_made_up_for_is_no_harm():
    asked = weighing(*grown(0), model=model)
    (found,) = [one for one in mix_rivals(asked, ()) if not one.rejected]
    measured = asked.measured
    little = replace(measured, change=measured.change / measured.worse * found.part.value / 3)
    (made_up,) = [one for one in mix_rivals(replace(asked, measured=little), ()) if not one.rejected]
    assert little.worse > 0
    assert not made_up.paired


def test_a_group_that_grew_and_is_like_the_others_does_not_stand():
    assert standing(mix_rivals(weighing(*grown(1, hard=False), model=model), ())) == []
    assert standing(mix_rivals(weighing(*drawn(1, 400), model=model), ())) == []


def copied(seed, *, wrong=True):
    before, after = (
        rows.assign(id=np.arange(len(rows)) + first) for rows, first in zip(drawn(seed, 900), (0, 5000), strict=True)
    )
    again = after[(after["y"] != after["said"]) == wrong].head(130)
    both = weighing(before, pd.concat([after, *[again] * 3]), model=model, id="id")
    return both, copied_rows(windows(before, pd.concat([after, *[again] * 3]), model=model, id="id"))


def test_wrong_rows_written_four_times_are_shown_and_right_ones_are_rejected():
    (stands,), (falls,) = (copies_rival(*copied(2, wrong=wrong)) for wrong in (True, False))
    assert (stands.kind, stands.name, stands.strength) == ("rows", "duplicates", "shown")
    assert stands.part.value > 0
    assert falls.rejected
    assert copies_rival(copied(2)[0], None) == []


def lacking(seed, known):
    before, after = drawn(seed, 1200)
    return weighing(before, after.assign(y=after["y"].where(known(after, np.random.default_rng(seed)))), model=model)


def test_outcomes_that_are_missing_for_what_they_are_stand():
    asked = lacking(3, lambda rows, rng: (rows["y"] == 1) | (rng.random(len(rows)) < 0.3))
    (found,) = outcome_rivals(asked, asked.follows(FEATURES))
    assert (found.kind, found.name, found.strength) == ("labels", "y", "suggested")


def test_outcomes_that_are_missing_by_chance_are_rejected_and_known_ones_are_none():
    asked = lacking(3, lambda rows, rng: rng.random(len(rows)) < 0.5)
    (found,) = outcome_rivals(asked, asked.follows(FEATURES))
    assert found.rejected
    assert found.against
    assert outcome_rivals(weighing(*drawn(3, 300)), None) == []


@pytest.mark.parametrize("lost", [lambda rows: rows["said"] == 0, lambda rows: (rows["shop"] == "p") & (rows["a"] > 0)])
def test_outcomes_of_one_sort_of_rows_that_are_missing_leave_a_quiet_window_open(lost):
    before, after = drawn(3, 1200)
    gone = lost(after) & (np.random.default_rng(3).random(1200) < 0.8)
    both = windows(before, after.assign(y=after["y"].where(~gone)))
    drift = drift_of(both)
    harm = harm_of(both, drift, faults_of(both, drift))
    verdict = weigh_windows(harm)
    assert not harm.measured.material
    assert (verdict.status, [cause.kind for cause in verdict.causes]) == ("cannot_tell", ["labels"])
    assert "not by chance" in verdict.summary


def week(seed, *, hard):
    """Weekends are a coin, in both windows or in the current one alone; the current window is one weekend."""
    rng = np.random.default_rng(seed)
    both = [happened(rng, inputs(rng, 1500, "2026-01-05", 42)), happened(rng, inputs(rng, 500, "2026-02-21", 2))]
    for i in hard:
        free = both[i]["at"].dt.day_of_week >= 5
        both[i] = both[i].assign(y=np.where(free, rng.random(len(free)) < 0.5, both[i]["y"]).astype(int))
    return weighing(*map(answered, both), model=model)


def test_a_weekend_that_was_always_worse_is_told_and_is_no_cause():
    (found,), always = season_rival(week(4, hard=(0, 1)))
    assert always
    assert found.rejected
    assert "always so" in found.against
    assert season_rival(week(4, hard=(1,))) == ([], False)


def test_whole_weeks_and_windows_without_time_have_no_season():
    assert season_rival(weighing(*drawn(5, 500))) == ([], False)
    assert season_rival(weighing(*drawn(5, 300), time=None, ignore=["at"])) == ([], False)


@pytest.mark.parametrize(("wild", "found"), [(0, []), (3, ["outliers"]), (300, [])])
def test_a_handful_of_wild_rows_is_named_and_neither_none_nor_many(wild, found):
    def spoilt(rows, rng):
        return rows.assign(y=rows["y"].mask(rows.index < wild, 1e5))

    assert [one.name for one in few_rows_rival(weighing(*numbers(6, 1000, spoilt=spoilt), "mae", score=None))] == found
