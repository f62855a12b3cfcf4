"""How far a signal went, and what that is worth: units, few samples, flat signals, ends."""

import numpy as np
import pytest

from rca.analysis.cascade.signal_evidence import UNSEEN, ended, joined, signal_evidence


def of(values, normal=100, *, bad=0, no_zero=False):
    return signal_evidence(np.atleast_2d(values), normal, bad=np.array([bad]), no_zero=np.array([no_zero]))


def noise(rows=130, seed=0):
    return np.random.default_rng(seed).normal(10, 1, rows)


def after(rows, since):
    return np.arange(rows) >= since


@pytest.mark.parametrize("unit", [1e-6, 3.0, 1e6])
def test_a_unit_changes_nothing(unit):
    values = noise() + 20 * after(130, 110)
    assert of(unit * values).sizes() == pytest.approx(of(values).sizes())
    assert of(unit * values).first == of(values).first == 10


def test_the_zero_of_a_thermometer_changes_nothing():
    values = noise() + 8 * after(130, 110)
    assert of(values + 273.15, no_zero=True).sizes() == pytest.approx(of(values, no_zero=True).sizes())
    assert of(values + 273.15).sizes() < of(values).sizes()


def test_few_samples_and_a_very_quiet_signal_are_no_loud_signal_by_accident():
    values = 1000 + noise() / 100 + 0.5 * after(130, 110)
    few, many = of(values[90:], 10), of(np.r_[np.tile(values[:100], 100), values[100:]], 10_000)
    assert few.sizes() < many.sizes()


@pytest.mark.parametrize(("bad", "seen"), [(0, True), (1, False), (-1, True)])
def test_the_good_way_is_no_deviation(bad, seen):
    assert bool(of(noise() - 30 * after(130, 110), bad=bad).sizes()[0] > 1) == seen


def test_a_signal_that_never_moved_counts_the_same_whatever_its_unit():
    for height in (1.0, 1e9):
        assert of(height * after(130, 110)).sizes() == pytest.approx(np.log1p(UNSEEN))


def test_of_a_rate_that_always_was_whole_the_first_loss_counts():
    values = np.where(after(130, 110), 99.5, 100.0)
    assert of(values, bad=-1).sizes() > 5 * of(values).sizes()


def test_missing_samples_are_no_deviation():
    values = noise()
    values[100:] = np.nan
    assert of(values).sizes() == 0


def test_a_blip_counts_less_than_two():
    one, two = noise(), noise()
    one[110] += 50
    two[110:120:5] += 50
    assert of(one).sizes() < of(two).sizes()


def test_what_stands_as_it_never_did_has_ended():
    dead, rests = noise(), np.repeat(noise(26), 5)
    dead[120:] = 0
    rests[120:] = 7.0
    assert ended(np.array([dead, rests]), 100).tolist() == [20.0, np.inf]


def test_blocks_of_signals_are_joined():
    parts = [of(noise(seed=seed)) for seed in range(3)]
    assert joined(parts).high.shape == (3, 3)
    assert joined(parts).sizes().tolist() == [float(one.sizes()[0]) for one in parts]
