"""Values that come too late: along the calendar, along readings, along rows; and seasons, which do not."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.application import hit, mend, mendable
from rca.analysis.faults.cross_column_prediction import Design
from rca.analysis.faults.diagnosis import diagnose
from rca.analysis.faults.rules.stale_values import _is_series, _series
from rca.analysis.faults.stale_rows import mispaired
from rca.tables.calendar import Calendar

DAYS = pd.date_range("2025-01-01", periods=240, freq="D", tz="UTC")


def table(seed, index=None):
    """Forty rows a day; `index` is a random walk, one value a day, and `rate` follows it."""
    rng = np.random.default_rng(seed)
    walk = np.random.default_rng(99).normal(size=240).cumsum().round(2) if index is None else index
    day = np.repeat(np.arange(240), 40)
    at = DAYS[day] + pd.to_timedelta(rng.integers(0, 86400, len(day)), unit="s")
    rows = pd.DataFrame({"at": at, "day": day, "index": walk[day], "rate": walk[day] + rng.normal(0, 1, len(day))})
    rows["other"], rows["weekday"] = rng.normal(size=len(day)), day % 7
    return rows.sort_values("at", kind="stable").reset_index(drop=True), walk


ROWS, WALK = table(0)
BEFORE, TRUTH = ROWS[ROWS["day"] < 150].reset_index(drop=True), ROWS[ROWS["day"] >= 150].reset_index(drop=True)
FEATURES = ["index", "rate", "other", "weekday"]


def diagnosed(after, before=BEFORE, **options):
    moved = univariate_drift(before, after, features=FEATURES)
    return diagnose(before, after, moved, ordered=True, time="at", **options)


def named(after, column="index", **options):
    return diagnosed(after, **options).get(column)


def late(lag, since=150):
    return TRUTH.assign(index=np.where(TRUTH["day"] >= since, WALK[TRUTH["day"] - lag], TRUTH["index"]))


@pytest.mark.parametrize("lag", [7, 14, 30])
def test_a_series_that_repeats_its_past_is_stale_by_that_lag(lag):
    found = named(late(lag))
    assert (found.fault, found.lag, found.period, found.by) == ("stale", lag, "D", "at")
    assert found.share == 1


def test_a_series_that_is_late_in_single_precision_is_late_all_the_same():
    after = late(10, since=190)
    short = after["index"].astype(np.float32).astype(float)
    found = named(after.assign(index=short.where(after["day"] >= 190, after["index"])))
    assert (found.fault, found.lag) == ("stale", 10)


def test_a_series_that_is_late_from_a_day_on_is_dated():
    after = late(10, since=190)
    found = named(after)
    assert (found.fault, found.lag) == ("stale", 10)
    assert after["day"].iloc[found.since] == 190


def test_values_that_arrived_later_are_put_where_they_belong():
    after = late(14)
    found = named(after)
    known = mendable(found, after)
    assert (known == (after["day"] < 226)).all()
    assert hit(found, after).all()
    np.testing.assert_allclose(mend(found, after)[known], TRUTH["index"][known])


def test_rows_that_are_late_beside_others_are_told_one_by_one_and_undone_exactly():
    struck = np.random.default_rng(5).random(len(TRUTH)) < 0.2
    after = TRUTH.assign(index=TRUTH["index"].mask(struck, late(11)["index"]))
    found = named(after)
    assert (found.fault, found.lag, found.period, found.where) == ("stale", 11, "D", ())
    shown = struck & (after["index"] != TRUTH["index"])
    np.testing.assert_array_equal(hit(found, after), shown)
    assert found.share == pytest.approx(shown.mean(), abs=0.01)
    assert mendable(found, after)[shown].all()
    np.testing.assert_allclose(mend(found, after), TRUTH["index"])


def test_days_that_were_late_for_a_while_are_told_from_those_after():
    after = TRUTH.assign(index=np.where(TRUTH["day"].between(170, 180), late(30)["index"], TRUTH["index"]))
    found = named(after)
    assert (found.fault, found.lag) == ("stale", 30)
    assert set(after["day"][hit(found, after)]) == set(range(170, 181))


def test_a_lag_whose_past_is_not_on_record_is_told_by_the_other_columns():
    after = late(20)
    before = BEFORE[BEFORE["day"] < 100].reset_index(drop=True)
    found = named(after, before=before)
    assert found.fault == "stale"
    assert abs(found.lag - 20) <= 1


def test_a_series_that_keeps_time_is_not_stale():
    found = diagnosed(TRUTH)
    for one in map(found.get, FEATURES):
        assert one is None or one.fault != "stale"


def test_a_week_that_comes_again_is_a_season_and_no_fault():
    weekly = np.tile([3.1, 2.2, 5.0, 4.4, 1.7, 0.3, 9.9], 40)[:240]
    rows, _ = table(3, index=weekly)
    before, after = (rows[part].reset_index(drop=True) for part in (rows["day"] < 150, rows["day"] >= 150))
    assert named(after, before=before) is None


def test_readings_that_repeat_the_last_one_are_stale():
    rng = np.random.default_rng(0)
    who, readings = np.tile(np.arange(200), 10), rng.normal(size=2000).round(3)
    rows = pd.DataFrame({"who": who, "reading": readings, "day": np.repeat(np.arange(10), 200)})
    before, truth = rows[:1000], rows[1000:].reset_index(drop=True)
    after = truth.assign(reading=readings[800:1800])
    found = diagnose(
        before, after, univariate_drift(before, after, features=["reading"]), ordered=True, entity="who"
    ).get("reading")
    assert (found.fault, found.period, found.lag, found.by) == ("stale", "readings", 1, "who")
    known = mendable(found, after)
    assert known.sum() == 800
    np.testing.assert_allclose(mend(found, after)[known], truth["reading"][known])


@pytest.mark.parametrize("lag", [1, 40])
def test_a_column_that_slipped_by_some_rows_is_stale_though_it_did_not_move(lag):
    rng = np.random.default_rng(0)

    def made(rows):
        x = rng.normal(size=rows)
        return pd.DataFrame({"x": x, "y": x + rng.normal(size=rows), "z": -x + rng.normal(size=rows)})

    before, truth = made(3000), made(3000)
    after = truth.assign(x=np.r_[truth["x"][:lag], truth["x"][:-lag]])
    found = diagnose(before, after, univariate_drift(before, after), ordered=True).get("x")
    assert (found.fault, found.lag, found.period) == ("stale", lag, "rows")
    known = mendable(found, after)
    np.testing.assert_allclose(mend(found, after)[known], truth["x"][known])


def test_a_period_has_its_first_value_and_is_a_series_where_all_its_rows_hold_that():
    days = pd.Series(
        pd.to_datetime(["1970-01-04", "1970-01-02", "1970-01-02", "1970-01-03", "1970-01-03", None], utc=True)
    )
    calendar = Calendar.of(days, "D")
    assert calendar.spans.tolist() == [3, 1, 1, 2, 2, -1]
    for values in (pd.Series([3.0, None, 1.0, 2.0, 2.0, 9.0]), pd.Series([3, None, 1, 2, 2, 9], dtype=object)):
        assert _series(calendar, values).to_dict() == {1: "1", 2: "2", 3: "3"}
    each = np.repeat(np.arange(40), 5)
    wide = Calendar.of(pd.Series(DAYS[each]), "D")
    assert _is_series(wide, each)
    assert _is_series(wide, np.where(np.arange(200) == 3, -1, each))
    assert not _is_series(wide, np.where(np.arange(200) % 20 == 3, 7, each))
    assert not _is_series(wide, np.arange(200))
    assert not _is_series(Calendar.of(pd.Series(DAYS[np.arange(200)]), "D"), np.arange(200))


# --- rows mixed up ----------------------------------------------------------------------------------------------------


def kin(seed, rows=3000):
    """Four columns that go together, and one that goes with none."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=rows)
    return pd.DataFrame({name: z + 0.4 * rng.normal(size=rows) for name in "abcd"} | {"free": rng.normal(size=rows)})


def mixed(before, after, columns=None):
    """Columns whose values stand in the wrong rows."""
    names = list(before.columns) if columns is None else columns
    return mispaired(Design.of(before, after, names), names)


def mixed_up(rows, share, seed=5):
    hit = np.random.default_rng(seed).random(len(rows)) < share
    return rows.assign(b=rows["b"].mask(hit, rows["b"].shift(17).bfill()))


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_a_column_whose_values_stand_in_other_rows_is_named_and_its_kin_are_not(share):
    before, after = kin(0), mixed_up(kin(1), share)
    found = diagnose(before, after, univariate_drift(before, after))
    assert [(row.column, row.fault) for row in found.columns] == [("b", "stale")]


def test_values_of_unknown_other_rows_cannot_be_put_back():
    before, after = kin(0), mixed_up(kin(1), 1.0)
    found = diagnose(before, after, univariate_drift(before, after)).get("b")
    assert not found.invertible
    assert not mendable(found, after).any()
    with pytest.raises(ValueError, match="no trace"):
        mend(found, after)


def test_columns_that_go_together_as_they_did_are_not_mixed_up():
    found = [mixed(kin(2 * seed), kin(2 * seed + 1)) for seed in range(20)]
    assert not any(found)


def test_a_column_that_slipped_from_a_row_on_is_stale_from_there():
    before, after = kin(0), kin(1)
    late = np.arange(len(after)) >= 1200
    after = after.assign(b=after["b"].mask(late, after["b"].shift(7)))
    found = diagnose(before, after, univariate_drift(before, after), ordered=True).get("b")
    assert (found.fault, found.lag) == ("stale", 7)
    assert found.since == pytest.approx(1200, abs=40)


def test_the_truth_tells_a_lag_that_no_feature_tells():
    rng = np.random.default_rng(0)
    before, after = (pd.DataFrame({"x": rng.normal(size=3000), "w": rng.normal(size=3000)}) for _ in range(2))
    before, after = (rows.assign(y=rows["x"] + 0.5 * rng.normal(size=3000)) for rows in (before, after))
    after = after.assign(x=after["x"].shift(3).bfill())
    moved = univariate_drift(before, after, features=["x", "w"])
    assert diagnose(before, after, moved, ordered=True).get("x") is None
    found = diagnose(before, after, moved, ordered=True, label="y").get("x")
    assert (found.fault, found.lag) == ("stale", 3)


# --- many columns, and rows that go on alike --------------------------------------------------------------------------


def walks(rng, shape, phi):
    """Rows of stationary autoregressive columns, each by itself."""
    found = np.empty(shape)
    found[0] = rng.normal(size=shape[1])
    for row in range(1, shape[0]):
        found[row] = phi * found[row - 1] + np.sqrt(1 - phi**2) * rng.normal(size=shape[1])
    return found


NOISE = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "heavy tails": lambda rng, shape: np.exp(3 * rng.standard_t(2, size=shape) / 2),
    "counts": lambda rng, shape: rng.poisson(0.5, size=shape),
    "kin": lambda rng, shape: np.repeat(rng.normal(size=(shape[0], shape[1] // 5)), 5, axis=1) + rng.normal(size=shape),
    "rare flags": lambda rng, shape: (
        np.repeat(rng.random((shape[0], shape[1] // 3 + 1)) < 0.02, 3, axis=1)[:, : shape[1]]
        * (rng.random(shape) < 0.7)
    ),
    "one after the other": lambda rng, shape: walks(rng, shape, 0.9),
    "wandering": lambda rng, shape: walks(rng, shape, 0.99),
}


@pytest.mark.parametrize("law", NOISE)
@pytest.mark.parametrize("shape", [(200, 30), (500, 120)])
def test_of_many_columns_of_one_law_in_both_windows_none_stands_in_other_rows(law, shape):
    rng = np.random.default_rng(7)
    before, after = (pd.DataFrame(NOISE[law](rng, shape)).astype(float).add_prefix("c") for _ in range(2))
    assert mixed(before, after) == []


def test_of_many_columns_of_noise_in_time_order_none_is_broken():
    rng = np.random.default_rng(8)
    before, after = (pd.DataFrame(rng.normal(size=(200, 30))).add_prefix("c") for _ in range(2))
    assert not diagnose(before, after, univariate_drift(before, after), ordered=True).broken


def test_one_column_in_other_rows_is_found_among_many_of_noise():
    rng = np.random.default_rng(0)
    before, after = (kin(seed).join(pd.DataFrame(rng.normal(size=(3000, 30))).add_prefix("n")) for seed in (0, 1))
    after = after.assign(b=rng.permutation(after["b"]))
    assert [row.column for row in mixed(before, after)] == ["b"]


def test_flags_of_too_few_rows_to_tell_are_not_mixed_up():
    before = pd.DataFrame({"a": np.arange(400) % 200 == 0}).astype(int)
    before = before.assign(b=before["a"])
    after = before.assign(b=(np.arange(400) % 200 == 0) & (np.arange(400) > 0))
    assert mixed(before, before * 0, ["a", "b"]) == mixed(before, after, ["a", "b"]) == []


# --- values that entities keep ----------------------------------------------------------------------------------------


def readings(seed, rows, first, days, who=120):
    """Readings of customers: a balance that varies around their own level, and a tenure that does not change."""
    rng = np.random.default_rng(seed)
    whose = rng.integers(0, who, rows)
    at = pd.Timestamp(first, tz="UTC") + pd.to_timedelta(np.sort(rng.random(rows)) * days, unit="D")
    level = np.random.default_rng(7).normal(size=who)
    balance = (level[whose] + rng.normal(size=rows)).round(3)
    return pd.DataFrame(
        {"at": at, "who": whose, "balance": balance, "tenure": whose % 7, "plan": rng.choice(["a", "b"], rows)}
    )


@pytest.mark.parametrize("share", [1.0, 0.4, 0.1])
def test_values_that_customers_keep_from_before_the_window_are_stale_row_by_row(share):
    before, after = readings(0, 1500, "2026-01-01", 60), readings(1, 1500, "2026-03-02", 30)
    struck = np.random.default_rng(2).random(len(after)) < share
    late = after.assign(
        balance=after["balance"].mask(struck, after["who"].map(before.groupby("who")["balance"].last()))
    )
    moved = univariate_drift(before, late, features=["balance", "tenure", "plan"])
    (found,) = diagnose(before, late, moved, ordered=True, time="at", entity="who").broken
    assert (found.column, found.fault, found.by) == ("balance", "stale", "who")
    assert (hit(found, late) == struck).mean() > 0.99
    assert not mendable(found, late).any()


@pytest.mark.parametrize("seed", range(3))
def test_readings_that_were_always_much_alike_are_not_stale(seed):
    before, after = readings(2 * seed, 1500, "2026-01-01", 60), readings(2 * seed + 1, 1500, "2026-03-02", 30)
    names = ["balance", "tenure", "plan"]
    for change in ({}, {"plan": "b"}, {"balance": 0.0}):
        now = after.assign(**change)
        told = diagnose(
            before, now, univariate_drift(before, now, features=names), ordered=True, time="at", entity="who"
        )
        assert not [row for row in told.broken if row.fault == "stale"]
