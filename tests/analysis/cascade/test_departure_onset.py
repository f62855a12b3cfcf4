"""When a signal began to leave its range: at once or by and by, in noise that forgets or does not."""

import numpy as np
import pytest

from rca.analysis.cascade.departure_onset import FAR, DepartureOnset, departure_onset


def noise(rng, samples, memory=0.0):
    found = rng.normal(size=samples + 100)
    for at in range(1, len(found)):
        found[at] = memory * found[at - 1] + np.sqrt(1 - memory**2) * found[at]
    return found[100:]


def climb(samples, at, *, ramp=1, height=12.0):
    return height * np.clip((np.arange(samples) - at + 1) / ramp, 0, 1)


def covered(*, memory, ramp, height, draws=150):
    rng = np.random.default_rng(1)
    found = [
        departure_onset(noise(rng, 200, memory) + climb(200, 50, ramp=ramp, height=height), memory=memory)
        for _ in range(draws)
    ]
    return np.mean([one.earliest <= 50 <= one.latest for one in found]), np.mean([o.latest - o.earliest for o in found])


@pytest.mark.parametrize("memory", [0.0, 0.6, 0.9])
@pytest.mark.parametrize(("ramp", "height"), [(1, 8.0), (15, 12.0), (40, 12.0), (100, 30.0)])
def test_the_start_lies_in_its_interval(ramp, height, memory):
    assert covered(memory=memory, ramp=ramp, height=height)[0] >= 0.9


def test_the_steeper_the_climb_the_narrower_the_interval():
    widths = [covered(memory=0.3, ramp=ramp, height=15.0, draws=40)[1] for ramp in (1, 5, 15, 60)]
    assert widths == sorted(widths)
    assert widths[0] < 1.0


def test_a_step_is_dated_to_the_sample():
    assert departure_onset(noise(np.random.default_rng(2), 100) + climb(100, 30, height=20.0)) == DepartureOnset(
        earliest=30, latest=30, straight=(30, 30)
    )


def test_what_happens_after_it_is_far_out_does_not_move_the_start():
    calm = noise(np.random.default_rng(3), 100) + climb(100, 30, ramp=5, height=40.0)
    wild = calm.copy()
    wild[45:] *= np.random.default_rng(4).uniform(-50, 50, 55)
    assert departure_onset(calm) == departure_onset(wild)


def test_how_far_it_goes_beyond_far_does_not_matter():
    before = noise(np.random.default_rng(5), 100)
    loud = [departure_onset(before + climb(100, 60, height=height)) for height in (3 * FAR, 1e6, 1e300)]
    assert loud[0] == loud[1] == loud[2]


def test_a_departure_that_is_there_from_the_first_sample_starts_there():
    assert departure_onset(np.full(20, 9.0)) == DepartureOnset(earliest=0, latest=0, straight=(0, 0))


@pytest.mark.parametrize("away", [[5.0], [5.0, 6.0], [0.0, 0.0, 7.0], [0.0] * 5])
def test_a_few_samples_are_enough(away):
    found = departure_onset(np.array(away))
    assert 0 <= found.earliest <= found.latest < len(away)


@pytest.mark.parametrize("ramp", [10, 14_000])
def test_a_climb_over_very_many_samples_is_dated_too(ramp):
    away = noise(np.random.default_rng(6), 50_000) + climb(50_000, 30_000, ramp=ramp)
    found = departure_onset(away)
    assert found.earliest <= 30_000 <= found.latest
    assert found.latest - found.earliest < 1500


@pytest.mark.parametrize("samples", [2049, 3001, 9999])
def test_a_start_lies_within_the_samples_however_many_there_are(samples):
    for at in (0, samples // 2, samples - 40):
        found = departure_onset(
            noise(np.random.default_rng(9), samples) + climb(samples, at, ramp=30, height=6.0), held=30
        )
        assert 0 <= found.earliest <= at <= found.latest < samples
        assert found.earliest <= found.straight[0] <= found.straight[1] <= found.latest


@pytest.mark.parametrize("form", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("ramp", [15, 60])
def test_a_climb_that_gathers_way_is_dated_too(form, ramp):
    rng, inside = np.random.default_rng(8), 0
    for _ in range(100):
        shape = 20 * np.clip((np.arange(300) - 99) / ramp, 0, 1) ** form
        found = departure_onset(noise(rng, 300) + shape)
        inside += found.earliest <= 100 <= found.latest
    assert inside >= 80


def test_shifted_samples_shift_the_start():
    away = noise(np.random.default_rng(7), 200) + climb(200, 120, ramp=10)
    found, later = departure_onset(away), departure_onset(np.r_[np.zeros(40), away])
    assert abs(later.earliest - found.earliest - 40) <= 1
    assert abs(later.latest - found.latest - 40) <= 1
