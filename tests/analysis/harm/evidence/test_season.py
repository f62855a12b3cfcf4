"""What was always so at these weekdays and hours did not change."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.harm.evidence.season import season
from rca.analysis.inputs.windows import windows_from


def rows(rng, n, start, days, *, hard=lambda at: at.day_of_week >= 5, more=0.0, season=0.25):
    seconds = np.sort(rng.uniform(0, days * 86400, n)).round()
    at = pd.DatetimeIndex(pd.Timestamp(start, tz="UTC") + pd.to_timedelta(seconds, unit="s"))
    return pd.DataFrame({"at": at, "bad": rng.random(n) < 0.1 + season * hard(at) + more})


def asked(before, after):
    return season(windows_from(before, after, metric={"name": "rate", "column": "bad"}, time="at"))


HARD = {
    "weekend": (lambda at: at.day_of_week >= 5, ("2026-02-21", 2)),
    "night": (lambda at: at.hour < 5, ("2026-02-16", 5)),
    "mondays": (lambda at: at.day_of_week == 0, ("2026-02-16", 1)),
}


def drawn(seed, kind, *, more=0.0, season=0.25):
    rng, (hard, (start, days)) = np.random.default_rng(seed), HARD[kind]
    after = rows(rng, 3000 if kind == "night" else 800, start, days, hard=hard, more=more, season=season)
    after = after[after["at"].dt.hour < 5] if kind == "night" else after
    return rows(rng, 4000, "2026-01-05", 42, hard=hard, season=season), after


@pytest.mark.parametrize("kind", HARD)
def test_a_window_that_was_always_worse_is_explained_and_little_is_left_in_12_draws(kind):
    found = [asked(*drawn(seed, kind)) for seed in range(12)]
    assert sum(one.share > 0.6 for one in found) == 12
    assert sum(abs(one.z) > 1.96 for one in found) <= 3


def test_what_no_season_made_is_left_in_every_one_of_12_draws():
    found = [asked(*drawn(seed, "weekend", more=0.12, season=0.0)) for seed in range(12)]
    assert all(abs(one.share) < 0.5 for one in found)
    assert all(one.z > 2.6 for one in found)


def test_a_season_and_a_change_are_told_apart():
    found = [asked(*drawn(seed, "weekend", more=0.15)) for seed in range(12)]
    assert np.mean([one.explained for one in found]) == pytest.approx(0.18, abs=0.03)
    assert np.mean([one.left for one in found]) == pytest.approx(0.15, abs=0.03)


def test_nothing_is_left_of_nothing_in_all_but_one_in_twenty_of_100_draws():
    left = sum(abs(asked(*drawn(seed, "weekend", season=0.0)).z) > 1.96 for seed in range(100))
    assert left <= 11


def test_errors_are_those_of_repeated_draws():
    found = [asked(*drawn(seed, "weekend")) for seed in range(50)]
    assert np.mean([one.left_error for one in found]) == pytest.approx(np.std([one.left for one in found]), rel=0.3)


def test_whole_weeks_have_no_season_and_neither_have_rows_without_time():
    rng = np.random.default_rng(0)
    before, after = rows(rng, 3000, "2026-01-05", 28), rows(rng, 2000, "2026-02-02", 14)
    assert asked(before, after) is None
    assert season(windows_from(before, after, metric={"name": "rate", "column": "bad"})) is None
    assert asked(before, after[after["at"].dt.day_of_week >= 5]) is not None


def test_days_that_the_reference_never_saw_are_counted_and_explain_nothing():
    before, after = drawn(0, "weekend")
    found = asked(before[before["at"].dt.day_of_week < 5], after)
    assert (found.unknown, found.unknown_share, found.expected) == (len(after), 1.0, None)
    assert found.explained == found.share == 0.0
    assert found.left == pytest.approx(found.current - found.reference)


def test_one_saturday_does_not_tell_what_saturdays_are_like():
    rng = np.random.default_rng(1)
    before, after = rows(rng, 3000, "2026-01-05", 6), rows(rng, 500, "2026-01-17", 1)
    assert asked(before, after).expected is None


@pytest.mark.parametrize("broken", ["no rows", "no times", "no values"])
def test_what_has_no_times_or_no_numbers_has_no_season(broken):
    before, after = drawn(2, "weekend")
    if broken == "no rows":
        after = after.head(0)
    if broken == "no times":
        after = after.assign(at=pd.NaT)
    if broken == "no values":
        after = after.assign(bad=np.nan)
    assert asked(*drawn(2, "weekend")) is not None
    assert asked(before, after) is None
