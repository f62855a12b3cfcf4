"""What would show that an effect is none, on series whose truth is known."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from rca.analysis.causal.dowhy_adapter import refute
from rca.analysis.event_study.designs import interrupted
from rca.analysis.event_study.period_series import DAY, Periods
from rca.analysis.event_study.refutation import (
    alone,
    break_date,
    broke,
    frame_of,
    left_out,
    overlap,
    parallel,
    placebo_dates,
    placebo_groups,
    tried,
)
from rca.finding import Interval
from rca.methods.ar1_regression import Sized


def series(effect, *, before=40, after=20, at=0, slope=0.0, seed=0):
    places = np.arange(-before, after)
    noise = np.random.default_rng(seed).normal(0, 1, before + after)
    same = {"variance": np.ones(before + after), "counts": np.ones(before + after), "event": 0.0, "length": DAY}
    return Periods(places=places, values=effect * (places >= at) + slope * places + noise, **same)


def fitted(*args, design="its", **law):
    return interrupted(series(*args, **law), design, level=0.95)


def sized(value, reach=0.5, p_value=0.0):
    return Sized(value=value, interval=Interval(low=value - reach, high=value + reach), p_value=p_value)


def test_a_clear_effect_is_clearer_than_at_any_date_before_it():
    found = placebo_dates(fitted(4.0))
    assert found.passed
    assert found.verdict == "passed"
    assert str(found).startswith("Is an effect found at earlier dates")


def test_an_effect_as_clear_as_at_other_dates_fails():
    fit = fitted(0.0)
    faint = replace(fit, estimate=replace(fit.estimate, effect=sized(0.1, p_value=0.6)))
    assert placebo_dates(faint).passed is False


def test_few_periods_before_the_event_leave_no_other_dates():
    assert placebo_dates(fitted(4.0, before=9)).passed is None
    assert placebo_dates(fitted(4.0, before=2, design="before_after")).passed is None


def test_a_series_broke_where_it_did_whatever_the_event_says():
    here, elsewhere = fitted(4.0), fitted(8.0, at=10)
    assert break_date(broke(here), here.periods).passed
    found = break_date(broke(elsewhere), elsewhere.periods)
    assert found.passed is False
    assert "1970-01-11" in found.says
    assert broke(fitted(4.0, before=8, after=3)) is None
    assert break_date(None, here.periods).passed is None


def test_another_event_near_by_cannot_be_told_apart():
    fit = fitted(4.0)
    found = broke(fit)
    at = {hours: datetime.fromtimestamp(hours * 3600, tz=UTC) for hours in (-100, -3, 5, 100)}
    far = alone([(at[-100], "far"), (at[100], "later")], found, fit.periods)
    assert far.passed
    near = alone([(at[-3], "before"), (at[5], "after"), (at[100], "later")], found, fit.periods)
    assert (near.passed, near.value) == (False, 2.0)
    assert near.says.startswith("before, and 1 more")
    assert alone([(at[5], "after")], None, fit.periods).says == "after: the data cannot tell them apart"


def test_an_effect_that_hangs_on_one_stretch_of_time_fails():
    assert left_out(fitted(4.0)).passed
    fits = (fitted(1.2, seed=seed) for seed in range(40))
    found = left_out(next(fit for fit in fits if 0.03 < fit.estimate.effect.p_value < 0.05))
    assert found.passed is False
    assert "hangs most" in found.says


def test_of_too_few_periods_none_can_be_left_out():
    assert left_out(fitted(4.0, before=4, after=2, design="before_after")).passed is None


def test_groups_that_kept_their_distance_are_told_from_those_that_did_not():
    assert parallel(series(3.0)).passed
    assert parallel(series(3.0, slope=0.3)).passed is False
    assert parallel(series(3.0, before=4)).passed is None


def test_an_effect_in_a_group_that_the_event_did_not_reach_fails():
    effect = sized(2.0)
    assert placebo_groups({}, effect).passed is None
    assert placebo_groups({"b": sized(0.1, p_value=0.6)}, effect).passed
    found = placebo_groups({"b": sized(0.1, p_value=0.6), "c": sized(2.0, p_value=1e-6)}, effect)
    assert found.passed is False
    assert "such as c" in found.says


@pytest.mark.parametrize(("again", "passed"), [(1.9, True), (3.0, False), (-0.1, False)])
def test_without_rows_that_have_no_like_the_effect_has_to_stay(again, passed):
    assert overlap(sized(2.0), sized(again), 0.1).passed is passed


def test_too_few_rows_that_have_a_like_leave_it_untried():
    found = overlap(sized(2.0), None, 0.9)
    assert (found.passed, found.verdict) == (None, "could not be tried")


def test_dowhys_refuters_pass_a_clear_effect_and_fail_one_that_is_none():
    clear = fitted(4.0)
    assert all(one.passed for one in tried(clear.estimate.effect, frame_of(clear), scale=clear.scale, seed=0))
    faint = fitted(0.0)
    other = -np.sign(tried(sized(1.0), frame_of(faint), scale=faint.scale, seed=0)[0].value)
    found = tried(sized(0.01 * other, reach=0.005), frame_of(faint), scale=faint.scale, seed=0)
    assert [one.kind for one in found if one.passed is False] == ["random_cause", "subset", "hidden_cause"]


def test_dowhys_linear_regression_agrees_where_chance_does_not_run_on():
    fit = fitted(4.0, before=100, after=50)
    found = refute(frame_of(fit), treatment="event", outcome="metric").estimate * fit.scale
    reach = fit.estimate.effect.interval.high - fit.estimate.effect.value
    assert abs(found - fit.estimate.effect.value) < reach / 2


def test_the_frame_for_dowhy_has_weekdays_as_far_as_there_is_room():
    assert {"event", "metric", "term_1", "term_3", "phase_1"} <= set(frame_of(fitted(1.0)).columns)
    assert not any(name.startswith("phase") for name in frame_of(fitted(1.0, before=8, after=4)).columns)
