"""What moves by little for long is found, and what wanders, bursts or moves for the better is not."""

import numpy as np
import pytest

from rca.analysis.cascade.sustained_shift import BLOCKS, LENGTHS, sustained_shift


def noise(rng, signals, samples, memory=0.0):
    found = rng.normal(size=(signals, samples + 200))
    for at in range(1, found.shape[1]):
        found[:, at] = memory * found[:, at - 1] + np.sqrt(1 - memory**2) * found[:, at]
    return found[:, 200:]


def ask(away, n_normal=600, *, bad=0):
    return sustained_shift(away, n_normal, bad=np.full(len(away), bad), signals=len(away))


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_quiet_signals_are_called_moved_no_oftener_than_promised(memory):
    rng = np.random.default_rng(1)
    alarms = [ask(noise(rng, 40, 900, memory)).direction.any() for _ in range(60)]
    assert np.mean(alarms) <= 0.06


def test_a_random_walk_is_not_called_moved_for_walking_on():
    rng = np.random.default_rng(2)
    walks = rng.normal(size=(200, 900)).cumsum(axis=1)
    walks = (walks - walks[:, :600].mean(axis=1, keepdims=True)) / walks[:, :600].std(axis=1, keepdims=True)
    assert np.mean([ask(walks[at : at + 1]).direction.any() for at in range(200)]) <= 0.06


@pytest.mark.parametrize(("memory", "shift"), [(0.0, 1.5), (0.5, 2.2), (0.8, 3.5)])
def test_a_small_shift_that_lasts_is_found(memory, shift):
    away = noise(np.random.default_rng(3), 100, 900, memory)
    away[:, 650:] -= shift
    found = sustained_shift(away, 600, bad=np.zeros(100, dtype=int), signals=1)
    assert (found.direction == -1).mean() >= 0.9
    assert np.median(found.size[found.direction != 0]) == pytest.approx(shift, rel=0.25)


def test_a_shift_for_the_better_is_none():
    away = noise(np.random.default_rng(4), 5, 900)
    away[:, 600:] -= 2.0
    assert not ask(away, bad=1).direction.any()
    assert (ask(away, bad=-1).direction == -1).all()


def test_a_few_very_high_samples_are_not_lasting():
    away = noise(np.random.default_rng(5), 20, 900)
    away[:, 700:702] = 1e6
    assert not ask(away).direction.any()


def test_missing_samples_are_left_out_and_a_stretch_that_lacks_most_is_none():
    away = noise(np.random.default_rng(6), 10, 900)
    away[:, 600:] += 1.5
    away[:, ::3] = np.nan
    assert (ask(away).direction == 1).all()
    away[:, 600:] = np.where(np.arange(300) % LENGTHS[0] < 2, 9.0, np.nan)
    assert not ask(away).direction.any()


@pytest.mark.parametrize("normal", [0, 5, BLOCKS * LENGTHS[0] - 1])
def test_of_few_normal_samples_nothing_is_learnt(normal):
    assert not ask(np.full((2, normal + 100), 3.0), normal).direction.any()


def test_a_signal_that_never_moved_before_is_left_to_others():
    away = np.zeros((1, 900))
    assert not ask(away).direction.any()
