"""The resolution of a column of numbers, in any unit, and a distance beyond it."""

import numpy as np
import pytest

from rca.analysis.drift.resolution import beyond_resolution, resolution, spread


@pytest.mark.parametrize("unit", [1e-30, 1e-6, 1.0, 1e9])
def test_the_resolution_of_a_column_goes_with_its_unit(unit):
    rows = np.sort(np.random.default_rng(0).normal(size=500))
    assert spread(rows * unit, beside=rows) == pytest.approx(unit * spread(rows, beside=rows))
    assert resolution((2 * unit, unit), (0.0, unit)) == pytest.approx(unit * resolution((2.0, 1.0), (0.0, 1.0)))


@pytest.mark.parametrize("far", [-999.0, 1e6])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.6])
def test_a_number_that_stands_for_none_does_not_widen_the_spread(far, share):
    body = np.random.default_rng(1).random(1000)
    rows = np.sort(np.where(np.arange(1000) < share * 1000, far, body))
    assert spread(rows, beside=body) < 1


def test_a_column_without_a_spread_has_the_resolution_of_single_precision_and_whole_numbers_have_none():
    assert resolution((0.0, 0.0), (0.1, 0.1)) == pytest.approx(1.2e-8, rel=0.01)
    assert resolution((0.0, 0.0), (20240101.0, 20240102.0)) == 0
    assert spread(np.array([]), beside=np.array([])) == spread(np.array([np.inf]), beside=np.array([])) == 0
    assert np.isfinite(spread(np.array([-1.7e308, 1.7e308]), beside=np.array([])))


def test_a_distance_of_which_little_is_below_the_resolution_stays_what_it_is():
    assert beyond_resolution((0.3, 1e-9), 0.2, 0.1, sizes=(400, 400)) == (0.3, 1e-9, "")
    distance, p_value, note = beyond_resolution((0.3, 1e-9), 0.02, 0.1, sizes=(400, 400))
    assert (distance, note) == (0.02, "numbers less than 0.1 apart count as the same")
    assert p_value > 0.9
