"""Seasons: what every weekend brings is one, noise is none, and days of noise do not resemble each other."""

import numpy as np
import pytest

from rca.methods.seasonality import resemblance, season_of


def test_noise_has_no_season_and_its_days_do_not_resemble_each_other():
    rng = np.random.default_rng(10)
    seconds, values = np.arange(2000) * 3600.0, rng.normal(size=2000)
    assert not season_of((seconds, values), seconds)[1].any()
    assert resemblance(seconds, values) == (1.0, pytest.approx(24, abs=0.1))
    assert resemblance(seconds, np.zeros(2000))[0] == 1.0
    assert resemblance(seconds[:3], values[:3]) == (1.0, 1.0)


def test_what_every_weekend_brings_is_a_season_that_leaves_the_mean_of_the_reference():
    seconds = np.arange(24 * 7 * 6) * 3600.0
    weekend = seconds // 86_400 % 7 >= 5
    values = np.random.default_rng(11).normal(3, 0.3, len(seconds)) + weekend
    before, after = season_of((seconds, values), seconds[: 24 * 7])
    assert before.mean() == pytest.approx(0, abs=1e-9)
    assert after.tolist() == before[: 24 * 7].tolist()
    assert before[weekend].mean() - before[~weekend].mean() == pytest.approx(1, abs=0.1)
