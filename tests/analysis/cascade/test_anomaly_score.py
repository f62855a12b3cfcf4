"""How far and since when: held, one-sided, free of units, and the ways to fail that are no move."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.analysis.cascade.anomaly_score import ABNORMAL, MIN_SCORE, UNSEEN, abnormal_in, departures, sure_in
from rca.analysis.cascade.normal_range import Clock


def of(values, normal=100, *, bad=0, **options):
    at = Clock(seconds=60.0 * np.arange(len(values)), n_normal=normal)
    return departures(pd.DataFrame({"a|x": values}), at, bad=np.array([bad]), **options)[0]


def noise(rows=160, seed=0):
    return np.random.default_rng(seed).normal(10, 1, rows)


def after(rows, since):
    return np.arange(rows) >= since


def test_one_sample_alone_is_an_accident_and_three_are_not():
    spike, spell = noise(), noise()
    spike[120] += 50
    spell[120:123] += 50
    assert not of(spike).abnormal
    assert of(spell).abnormal
    assert of(spike, held=1).score > 30


def test_it_began_between_the_last_normal_sample_and_the_first_abnormal_one():
    found = of(noise() + 30 * after(160, 117))
    assert (found.first, found.samples, found.straight) == (17, 43, (17, 17))
    assert found.last_normal in (15, 16)


def test_what_is_out_from_the_first_failing_sample_on_may_have_left_before_it():
    found = of(noise() + 30 * after(160, 100))
    assert (found.first, found.last_normal) == (0, -1)


@pytest.mark.parametrize(("bad", "out"), [(0, True), (1, False), (-1, True)])
def test_a_move_in_the_good_direction_is_none(bad, out):
    assert of(noise() - 30 * after(160, 110), bad=bad).abnormal == out


@given(st.sampled_from([1e-9, 0.01, 7.0, 1e9]), st.integers(0, 30))
@settings(max_examples=30, deadline=None)
def test_a_unit_changes_nothing(unit, seed):
    values = noise(seed=seed) + 30 * after(160, 120)
    plain, other = of(values), of(unit * values)
    assert (plain.first, plain.last_normal, plain.direction) == (other.first, other.last_normal, other.direction)
    assert plain.score == pytest.approx(other.score)


def test_a_signal_that_never_moved_is_sure_and_no_louder_than_what_can_be_measured():
    still = np.full(160, 5.0)
    assert not of(still).abnormal
    found = of(still + 100 * after(160, 120))
    assert found.score == UNSEEN
    assert of(0 * still + 100 * after(160, 120)).score == UNSEEN


def test_a_signal_that_wanders_in_normal_times_has_a_wider_range():
    rng = np.random.default_rng(2)
    steady = rng.normal(0, 1, 300) + 12 * after(300, 250)
    wanders = rng.normal(0, 1, 300) + 10 * (after(300, 160) & ~after(300, 180)) + 12 * after(300, 250)
    assert of(steady, 200).score > 1.3 * of(wanders, 200).score


def test_a_stuck_signal_is_told_though_its_value_is_usual():
    values = noise(200)
    values[140:] = values[130]
    found = of(values)
    assert (found.how, found.first, found.abnormal) == ("stuck", 40, True)
    rests = np.where(np.arange(200) % 40 < 30, 7.0, noise(200))
    assert of(rests).how == "moved"


def test_a_signal_that_falls_silent_is_told_and_one_that_was_idle_is_not():
    values = noise(200)
    values[120:] = np.nan
    found = of(values)
    assert (found.how, found.first) == ("silent", 20)
    assert not of(values, idle=np.array([True])).abnormal
    seldom = np.where(np.arange(200) % 3 == 0, noise(200), np.nan)
    assert of(seldom).how == "moved"


def test_missing_samples_are_passed_over_and_positions_are_those_of_all():
    values = noise() + 30 * after(160, 120)
    values[101:160:2] = np.nan
    found = of(values)
    assert found.first == 20
    assert found.last_normal in (16, 18)


@pytest.mark.parametrize("rows", [101, 102])
def test_a_window_shorter_than_three_samples_is_judged_by_what_it_has(rows):
    assert of(noise(rows) + 40 * after(rows, 100)).abnormal
    assert not of(noise(rows)).abnormal


def test_n_sigma_is_the_largest_distance_from_the_mean():
    values = noise()
    normal = values[:100]
    expected = np.abs(values[100:] - normal.mean()).max() / normal.std()
    assert of(values).n_sigma == pytest.approx(expected)
    assert of(np.full(160, 3.0)).n_sigma == 0


def test_blocks_do_not_show(monkeypatch):
    rng = np.random.default_rng(3)
    table = pd.DataFrame({f"c{at}|x": rng.normal(0, 1, 160) + 9 * after(160, 110 + at) for at in range(20)})
    at = Clock(seconds=60.0 * np.arange(160), n_normal=100)
    whole = departures(table, at, bad=np.zeros(20, int))
    monkeypatch.setattr("rca.analysis.cascade.anomaly_score.BLOCK", 500)
    assert departures(table, at, bad=np.zeros(20, int)) == whole


def test_longer_windows_and_shorter_spells_ask_for_more():
    assert sure_in(3) < sure_in(30) < sure_in(1000) == sure_in(10**6) == MIN_SCORE
    assert abnormal_in(3) < abnormal_in(1000) == ABNORMAL
    assert sure_in(100, held=1) > sure_in(100, held=2) > sure_in(100)
    assert all(abnormal_in(samples) < sure_in(samples) for samples in (1, 5, 50, 500))


@pytest.mark.parametrize("height", [1e308, 1.7e308])
@pytest.mark.filterwarnings("error")
def test_values_near_the_largest_that_there_are_warn_of_nothing(height):
    wild = height * np.where(np.arange(160) % 2, 1.0, -1.0)
    assert not of(wild).abnormal
    assert of(noise() + np.where(np.arange(160) >= 130, height, 0.0)).abnormal
