"""Columns of the rows' own time, turned against it; and those that keep it, stand still, or only look so."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.application import hit, mend
from rca.analysis.faults.cross_column_prediction import Late
from rca.analysis.faults.diagnosis import diagnose
from rca.analysis.faults.rule import Scene
from rca.analysis.faults.rules.clock_shift import by_the_clock, keeps_time, turned
from rca.tables.column_pair import ColumnPair

CLOCKS = {
    "hour": (24, 0, lambda at: at.hour),
    "hour from 1": (24, 1, lambda at: at.hour + 1),
    "hour with minutes": (24, 0, lambda at: at.hour + at.minute / 60),
    "hour in India": (24, 0, lambda at: at.tz_convert("Asia/Kolkata").hour),
    "hour in Berlin": (24, 0, lambda at: at.tz_convert("Europe/Berlin").hour),
    "weekday from Monday": (7, 0, lambda at: at.day_of_week),
    "weekday from Sunday": (7, 0, lambda at: (at.day_of_week + 1) % 7),
    "weekday from 1": (7, 1, lambda at: at.day_of_week + 1),
    "minute": (60, 0, lambda at: at.minute),
    "month": (12, 1, lambda at: at.month),
    "quarter": (4, 1, lambda at: at.quarter),
    "day of the year": (366, 1, lambda at: at.day_of_year),
}
"""Span, lowest value, and how they are read."""

SLOW = {"month", "quarter", "day of the year"}


def moments(rng, rows, start, days, peak=14):
    """Moments in order, most of them about an hour of the day."""
    seconds = np.sort(rng.uniform(0, days * 86_400, 2 * rows)).round()
    at = pd.DatetimeIndex(pd.Timestamp(start, tz="UTC") + pd.to_timedelta(seconds, unit="s"))
    return at[rng.random(len(at)) < 0.25 + 0.75 * np.exp(-(((at.hour.to_numpy() - peak) / 5.0) ** 2))]


def windows(name, seed=0, rows=1500, peak=14):
    """Both windows, of which the current one lies over the end of winter time."""
    rng = np.random.default_rng(seed)
    spans = (("2024-01-05", 420), ("2025-03-01", 300)) if name in SLOW else (("2026-01-15", 40), ("2026-03-01", 50))
    tables = []
    for (start, days), top in zip(spans, (14, peak), strict=True):
        at = moments(rng, rows, start, days, top)
        value = np.asarray(CLOCKS[name][2](at), dtype=float)
        noise, ward = rng.normal(size=len(at)), rng.choice(list("abc"), len(at))
        tables.append(pd.DataFrame({"at": at, "c": value, "x": noise, "ward": ward}))
    return tables


def broken(rows, struck, *, by, ring):
    lowest, span = ring
    return rows.assign(c=np.where(struck, lowest + (rows["c"] - lowest + by) % span, rows["c"]))


def scene_of(before, after, *, time="at"):
    late = Late(reference=before, current=after, time=time, entity=None, witness=None)
    kept = {"codes": frozenset(), "names": ("c",), "moved": frozenset("c"), "ordered": True}
    return Scene(reference=before, current=after, late=late, **kept)


def asked(rule, before, after, **options):
    return rule(ColumnPair(reference=before["c"], current=after["c"]), scene_of(before, after, **options))


def named(before, after):
    moved = univariate_drift(before, after, features=["c", "x", "ward"])
    return diagnose(before, after, moved, ordered=True, time="at").get("c")


# --- by the rows' time ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLOCKS)
@pytest.mark.parametrize("share", [1.0, 0.2])
def test_a_clock_that_is_turned_is_known_by_the_rows_time_and_turned_back(name, share):
    (span, lowest, _), rng = CLOCKS[name], np.random.default_rng(3)
    before, truth = windows(name, peak=18)
    by = int(rng.integers(1, span))
    struck = rng.random(len(truth)) < share
    after = broken(truth, struck, by=by, ring=(lowest, span))
    found = asked(by_the_clock, before, after)
    assert (found.fault, found.offset, found.ring) == ("shifted", by, (lowest, span))
    assert found.share == pytest.approx(struck.mean(), abs=0.01)
    assert (hit(found, after) == struck).mean() > 0.995
    assert (np.abs(mend(found, after) - truth["c"]) < 1e-9).mean() > 0.995


def test_an_hour_in_local_time_is_turned_whatever_its_shares_are():
    before, truth = windows("hour", peak=14)
    found = asked(by_the_clock, before, broken(truth, np.ones(len(truth), dtype=bool), by=19, ring=(0, 24)))
    assert found.evidence == "turned by -5 of 24 hours, by the rows' own time"
    assert (found.by, found.period) == ("at", "hour")


def test_half_an_hour_more_is_told_where_the_hour_has_minutes():
    before, truth = windows("hour with minutes")
    after = broken(truth, np.ones(len(truth), dtype=bool), by=5.5, ring=(0, 24))
    found = asked(by_the_clock, before, after)
    assert found.offset == 5.5
    np.testing.assert_allclose(mend(found, after), truth["c"], atol=1e-9)


@pytest.mark.parametrize("place", ["all", "a ward"])
def test_a_clock_that_is_turned_from_a_row_on_is_dated(place):
    before, truth = windows("hour")
    late = np.arange(len(truth)) >= 700
    struck = late & (truth["ward"] == "b").to_numpy() if place == "a ward" else late
    after = broken(truth, struck, by=8, ring=(0, 24))
    found = named(before, after)
    assert (found.fault, found.offset, found.ring) == ("shifted", 8, (0, 24))
    assert found.since == pytest.approx(700, abs=12)
    assert found.since_interval[0] <= 700 <= found.since_interval[1]
    assert (mend(found, after) == truth["c"]).mean() > 0.995


def test_a_clock_that_is_turned_a_few_times_is_known_though_it_did_not_move():
    before, truth = windows("hour", rows=3000)
    struck = np.random.default_rng(0).random(len(truth)) < 0.03
    after = broken(truth, struck, by=12, ring=(0, 24))
    moved = univariate_drift(before, after, features=["c"]).moved()
    found = named(before, after)
    assert moved == ()
    assert (found.fault, found.offset) == ("shifted", 12)
    assert found.share == pytest.approx(struck.mean(), abs=0.01)


def test_an_hour_that_is_counted_from_one_leaves_the_ring():
    before, truth = windows("hour")
    after = truth.assign(c=truth["c"] + (np.arange(len(truth)) >= 600))
    found = asked(by_the_clock, before, after)
    assert (found.fault, found.offset, found.ring) == ("shifted", 1, None)
    assert found.since == pytest.approx(600, abs=12)


@pytest.mark.parametrize("name", CLOCKS)
@pytest.mark.parametrize("peak", [6, 14, 21])
def test_a_clock_that_keeps_time_is_not_turned_in_other_hours_of_service_or_summer(name, peak):
    for seed in range(3):
        before, after = windows(name, seed=seed, rows=600, peak=peak)
        assert asked(by_the_clock, before, after) is None
        assert asked(turned, before, after) is None
        assert keeps_time(ColumnPair(reference=before["c"], current=after["c"]), scene_of(before, after))


@pytest.mark.parametrize("name", ["hour", "weekday from Monday", "month"])
def test_a_clock_that_stands_still_or_is_mixed_up_is_not_turned(name):
    before, after = windows(name)
    mixed = np.random.default_rng(0).permutation(after["c"])
    for values in (np.full(len(after), after["c"].iloc[0]), mixed):
        assert asked(by_the_clock, before, after.assign(c=values)) is None


def test_rows_that_took_some_minutes_to_arrive_are_not_an_hour_behind():
    rng = np.random.default_rng(0)
    before, after = windows("hour", rows=4000)
    for minutes in (2, 4):
        sent = pd.DatetimeIndex(after["at"]) - pd.to_timedelta(rng.exponential(minutes, len(after)), unit="min")
        assert asked(by_the_clock, before, after.assign(c=sent.hour.to_numpy(float))) is None


def test_a_count_among_hours_follows_no_clock():
    before, after = windows("hour")
    rng = np.random.default_rng(0)
    before, after = before.assign(c=rng.poisson(6, len(before))), after.assign(c=rng.poisson(6, len(after)) + 3)
    assert asked(turned, before, after) is None
