"""A column computed from outcomes: what became of it, over drawn series; and what leaves it sound."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.application import mend
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.diagnosis import Faults, diagnose

HOURS = 1200

Windows = tuple[pd.DataFrame, pd.DataFrame]


def series(seed: int, *, entities: int = 1, mean_of: int = 1, gaps: bool = False, level: float = 0.0) -> Windows:
    """Hourly outcomes that wander, and the mean of the last of them beside; the second window may lie higher."""
    rng = np.random.default_rng(seed)
    tables = []
    for entity in range(entities):
        noise, y = rng.normal(size=2 * HOURS + 10), np.zeros(2 * HOURS + 10)
        for at in range(1, len(y)):
            y[at] = 0.9 * y[at - 1] + noise[at]
        y = np.round(np.exp(0.3 * y + 3), 1)
        y[HOURS + 10 :] *= 1 + level
        last = pd.Series(y).rolling(mean_of).mean().shift(1).round(2)
        at = pd.date_range("2026-01-01", periods=len(y), freq="h", tz="UTC")
        who = f"station {entity}"
        tables.append(pd.DataFrame({"at": at, "who": who, "last": last, "wind": rng.normal(size=len(y)), "y": y}))
    rows = pd.concat([one.iloc[10:] for one in tables]).sort_values(["at", "who"], kind="stable")
    rows = rows[rng.random(len(rows)) < 0.93] if gaps else rows
    middle = rows["at"].min() + pd.Timedelta(hours=HOURS)
    before, after = rows[rows["at"] < middle], rows[rows["at"] >= middle]
    return before.reset_index(drop=True), after.reset_index(drop=True)


def found(windows: Windows, *, entity: str | None = None) -> Faults:
    features = ["last", "wind"]
    drift = univariate_drift(*(one[features] for one in windows))
    return diagnose(*windows, drift, ordered=True, time="at", entity=entity, label="y")


def named(windows: Windows, **asked: Any) -> ColumnFault:
    fault = found(windows, **asked).get("last")
    assert fault is not None
    return fault


def broken(windows: Windows, change: Callable[[pd.DataFrame], Any], *, since: int) -> Windows:
    """The column of the second window as another, from a row on."""
    after = windows[1].copy()
    after["last"] = np.where(np.arange(len(after)) >= since, change(after), after["last"])
    return windows[0], after


@pytest.mark.parametrize(("seed", "mean_of", "lag"), [(0, 1, 1), (1, 3, 5), (2, 1, 24), (3, 3, 24)])
def test_values_of_some_hours_before_are_stale_by_so_many(seed: int, mean_of: int, lag: int) -> None:
    windows = series(seed, mean_of=mean_of, level=0.2)
    late = broken(windows, lambda rows: rows["last"].shift(lag), since=300)
    fault = named(late)
    assert (fault.fault, fault.lag, fault.period) == ("stale", lag, "h")
    assert abs(fault.since - 300) <= 3
    mended = mend(fault, late[1]).to_numpy()[300 : HOURS - lag]
    assert np.isclose(mended, windows[1]["last"].to_numpy()[300 : HOURS - lag]).mean() > 0.99


@pytest.mark.parametrize("seed", range(3))
def test_a_gain_that_drifts_is_told_with_its_last_factor_and_its_first_row(seed: int) -> None:
    decay = np.clip((np.arange(HOURS) - 400) / 799, 0, 1) * -0.4 + 1
    fault = named(broken(series(seed), lambda rows: rows["last"] * decay, since=400))
    assert fault.fault == "scaled"
    assert fault.growing
    assert fault.factor == pytest.approx(0.6, abs=0.01)
    assert abs(fault.since - 400) <= 12


def test_a_factor_and_a_constant_are_told_however_the_outcomes_moved() -> None:
    windows = series(4, level=0.5)
    twice = named(broken(windows, lambda rows: rows["last"] * 1.2, since=0))
    more = named(broken(windows, lambda rows: rows["last"] + 7, since=0))
    assert (twice.fault, more.fault) == ("scaled", "shifted")
    assert twice.factor == pytest.approx(1.2, abs=0.001)
    assert more.offset == pytest.approx(7, abs=0.01)


@pytest.mark.parametrize("asked", [{}, {"gaps": True}, {"mean_of": 3}, {"entities": 3}])
def test_a_column_that_follows_outcomes_is_sound_however_far_both_moved(asked: dict[str, Any]) -> None:
    entity = "who" if "entities" in asked else None
    assert all(not one.broken for one in found(series(5, level=1.0, **asked), entity=entity).columns)


def test_each_entity_has_a_series_of_its_own() -> None:
    windows = series(6, entities=3, gaps=True)
    late = broken(windows, lambda rows: rows.groupby("who")["last"].shift(4), since=0)
    assert named(late, entity="who").fault == "stale"
    assert not found(windows, entity="who").broken


def test_what_only_resembles_earlier_outcomes_is_no_function_of_them() -> None:
    windows = series(7)
    for rows in windows:
        rows["last"] *= np.random.default_rng(0).lognormal(0, 0.05, len(rows))
    fault = found(broken(windows, lambda rows: rows["last"] * 1.01, since=0)).get("last")
    assert fault is None or "outcomes" not in fault.evidence


@pytest.mark.parametrize("factor", [1e200, 1e300])
def test_numbers_whose_squares_overflow_say_nothing_and_warn_of_nothing(factor: float) -> None:
    windows = series(7)
    for rows in windows:
        rows["last"] *= factor
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not found(windows).broken


@pytest.mark.parametrize("lag", [24, 168])
def test_the_outcome_of_a_day_or_a_week_before_is_sound_where_it_follows_and_told_where_it_no_longer_does(
    lag: int,
) -> None:
    both = pd.concat(series(9, level=1.0))
    both["last"] = both["y"].shift(lag)
    windows = both.iloc[:HOURS].reset_index(drop=True), both.iloc[HOURS:].reset_index(drop=True)
    assert not found(windows).broken
    late = named(broken(windows, lambda rows: rows["last"].shift(24), since=200))
    assert (late.fault, late.lag, late.period) == ("stale", 24, "h")
