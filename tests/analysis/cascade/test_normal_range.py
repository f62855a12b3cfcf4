"""What is normal of a signal: its range by either side, and what is regular taken off before."""

import numpy as np
import pytest

from rca.analysis.cascade.normal_range import DAY, GRAIN, Clock, normal_range, quantiles, regular


def clock(rows, normal, *, step=60.0):
    return Clock(seconds=step * np.arange(rows), n_normal=normal)


def test_a_signal_with_rare_high_values_has_to_go_high_to_be_abnormal():
    rng = np.random.default_rng(0)
    plain = rng.normal(10, 1, (1, 2000))
    spiky = plain + 40 * (rng.random((1, 2000)) < 0.04)
    assert normal_range(spiky).up[0] > 10 * normal_range(plain).up[0]
    assert normal_range(spiky).down[0] == pytest.approx(normal_range(plain).down[0], rel=0.2)


def test_the_width_of_normal_noise_is_its_standard_deviation():
    told = normal_range(np.random.default_rng(1).normal(3, 2, (200, 4000)))
    assert np.median(told.up) == pytest.approx(2, rel=0.05)
    assert np.median(told.down) == pytest.approx(2, rel=0.05)


def test_fewer_samples_make_a_wider_range():
    values = np.random.default_rng(2).normal(0, 1, (1, 12))
    assert normal_range(values).up[0] < normal_range(values[:, :6]).up[0] * 2
    assert normal_range(np.tile(values, 20)).up[0] < normal_range(values).up[0]


@pytest.mark.parametrize("level", [1.0, 1e9, 1e-9, -1e9])
def test_no_step_below_the_grain_of_the_level_is_seen(level):
    told = normal_range(np.full((1, 50), level))
    assert told.flat[0]
    assert told.away(np.full((1, 1), level * (1 + GRAIN)))[0, 0] == pytest.approx(
        np.sign(level) / (1 + 4 / 50), rel=1e-3
    )


def test_a_signal_never_seen_is_zero_throughout():
    told = normal_range(np.full((1, 30), np.nan))
    assert (told.centre[0], bool(told.flat[0])) == (0.0, True)


def test_quantiles_are_those_of_numpy_with_missing_samples_left_out():
    values = np.random.default_rng(3).normal(size=(20, 101))
    values[np.random.default_rng(4).random(values.shape) < 0.3] = np.nan
    for level in (0.02, 0.25, 0.5, 0.98):
        assert quantiles(values, (level,))[0] == pytest.approx(np.nanquantile(values, level, axis=1))


def test_a_counter_is_read_as_a_rate_and_its_resets_are_no_samples():
    steps = np.random.default_rng(5).poisson(20, 300) + 1.0
    counted = np.cumsum(steps)
    counted[150:] -= counted[150] - 3
    rates = regular(counted[None], clock(300, 250))[0]
    assert np.isnan(rates[[0, 150]]).all()
    assert rates[1:150] == pytest.approx(steps[1:150])


def test_a_gauge_that_climbs_and_falls_is_no_counter():
    values = np.random.default_rng(6).normal(50, 1, (1, 300))
    assert regular(values, clock(300, 250)) is values


def test_a_day_that_repeats_is_taken_off():
    rng = np.random.default_rng(7)
    at = clock(3 * 1440, 2 * 1440)
    swing = 10 * np.sin(2 * np.pi * at.seconds / DAY)
    left = regular((50 + swing + rng.normal(0, 1, len(swing)))[None], at)[0]
    assert left[2 * 1440 :].std() < 1.3
    flat = rng.normal(50, 1, (1, len(swing)))
    assert regular(flat, at) is flat


def test_a_weekend_that_repeats_is_taken_off_with_its_days_of_another_shape():
    rng = np.random.default_rng(17)
    at = clock(28 * 144, 25 * 144, step=600.0)
    weekday, hour = at.seconds // DAY % 7, at.seconds % DAY / 3600
    load = 50 + 20 * ((hour > 8) & (hour < 18)) * (weekday < 5) + rng.normal(0, 1, len(hour))
    left = normal_range(regular(load[None], at)[:, : at.n_normal]).away(regular(load[None], at))
    assert np.quantile(np.abs(left[0, at.n_normal :]), 0.9) < 3
    weekend = np.flatnonzero(weekday[at.n_normal :] >= 5) + at.n_normal
    busy = load.copy()
    busy[weekend] += 20
    assert len(weekend) > 100
    assert (
        np.median(normal_range(regular(load[None], at)[:, : at.n_normal]).away(regular(busy[None], at))[0, weekend]) > 4
    )


def test_a_week_is_not_learnt_from_one():
    rng = np.random.default_rng(18)
    at = clock(11 * 144, 10 * 144, step=600.0)
    load = 50.0 - 20 * (at.seconds // DAY % 7 >= 5) + rng.normal(0, 1, len(at.seconds))
    assert at.parts(7 * DAY, (336, 56)) is None
    assert regular(load[None], at)[0] == pytest.approx(load)


def test_a_trend_carried_on_or_ended_is_at_home_and_a_step_from_it_is_not():
    rng = np.random.default_rng(8)
    climb = 0.1 * np.arange(400.0)
    goes_on, ends, breaks = climb.copy(), np.minimum(climb, 30), climb + 15 * (np.arange(400) >= 320)
    noise = rng.normal(0, 0.5, 400)
    values = regular(np.array([goes_on, ends, breaks]) + noise, clock(400, 300))
    away = np.abs(normal_range(values[:, :300]).away(values[:, 300:]))
    assert np.quantile(away[:2], 0.95) < 3
    assert np.median(away[2, 30:]) > 10


def test_no_trend_is_carried_across_a_gap():
    seconds = np.r_[np.arange(300.0), 5000 + np.arange(100.0)]
    values = 0.1 * np.arange(400.0)[None] + np.random.default_rng(9).normal(0, 0.5, (1, 400))
    assert regular(values, Clock(seconds=seconds, n_normal=300)) is values
