"""Since when: a change is dated where it is, in any order and time zone, and only where there is one."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rca.methods.changepoint.dating import POINTS, Onset, change_point, date, date_counts
from rca.methods.changepoint.likelihood import Course, capped, chance, credible, tilts

START = pd.Timestamp("2026-01-01", tz="UTC")


def hours(count, start=START):
    return pd.Series(start + pd.to_timedelta(np.arange(count), unit="h"))


def dated(before, after, times=None, **options):
    first = hours(len(before), START - pd.Timedelta(days=100))
    current = hours(len(after)) if times is None else times
    return date(
        (first, np.asarray(before, float)),
        (current, np.asarray(after, float)),
        **({"what": "w", "unit": "u"} | options),
    )


def stepped(rng, size=400, at=150, by=1.0):
    return rng.normal(size=size) * 0.3 + by * (np.arange(size) >= at)


@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.1, 10))
@settings(deadline=None)
def test_a_step_without_noise_is_dated_exactly(quiet, loud, height):
    found = change_point(np.r_[np.zeros(quiet), np.full(loud, height)], 0.0)
    assert (found.at, found.earliest, found.latest) == (quiet, quiet, quiet)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=80), st.floats(-2, 2))
@example([8.7e-157], 0.0)
@settings(deadline=None)
def test_the_interval_holds_the_estimate_and_both_are_rows(values, normal):
    found = change_point(np.array(values), normal)
    if found is not None:
        assert 0 <= found.earliest <= found.at <= found.latest < len(values)


@given(st.integers(0, 99), st.floats(0.001, 1000), st.floats(-100, 100))
@settings(deadline=None)
def test_neither_the_unit_nor_the_origin_changes_the_date(seed, factor, origin):
    values = stepped(np.random.default_rng(seed), 80, 30)
    plain, moved = change_point(values, 0.0), change_point(values * factor + origin, origin)
    assert abs(plain.at - moved.at) <= 0
    assert abs(plain.earliest - moved.earliest) <= 1
    assert abs(plain.latest - moved.latest) <= 1


@given(st.integers(0, 99))
@settings(deadline=None)
def test_the_date_is_the_least_squares_one(seed):
    values = stepped(np.random.default_rng(seed), 60, 25, 0.5)

    def left_over(at):
        return (values[:at] ** 2).sum() + ((values[at:] - max(0.0, values[at:].mean())) ** 2).sum()

    assert left_over(change_point(values, 0.0).at) == pytest.approx(min(map(left_over, range(60))))


@pytest.mark.parametrize("values", [np.zeros(20), -np.ones(20), np.array([]), np.array([-1.0])])
def test_what_rises_nowhere_has_no_date(values):
    assert change_point(values, 0.0) is None


def test_a_smaller_change_has_a_wider_interval():
    rng = np.random.default_rng(0)
    sure, unsure = (change_point(stepped(rng, by=by), 0.0) for by in (2.0, 0.3))
    assert sure.latest - sure.earliest < unsure.latest - unsure.earliest


def test_rows_need_not_be_in_order():
    values, times = stepped(np.random.default_rng(1)), hours(400)
    shuffled = np.random.default_rng(2).permutation(400)
    plain, mixed = dated(np.zeros(50), values), dated(np.zeros(50), values[shuffled], times.iloc[shuffled])
    assert (plain.at, plain.earliest, plain.latest, plain.counts) == (
        mixed.at,
        mixed.earliest,
        mixed.latest,
        mixed.counts,
    )
    assert mixed.values == pytest.approx(plain.values)


def test_the_date_is_a_time_in_utc():
    found = dated(np.zeros(50), np.r_[np.zeros(100), np.ones(100)])
    assert found.at == found.latest == datetime(2026, 1, 5, 4, tzinfo=UTC)
    assert datetime(2026, 1, 5, 3, tzinfo=UTC) < found.earliest < found.at  # it began between two rows


def test_a_time_zone_does_not_move_the_moment():
    values = np.r_[np.zeros(100), np.ones(100)]
    there = dated(np.zeros(50), values, hours(200).dt.tz_convert("Asia/Tokyo"))
    assert there.at == dated(np.zeros(50), values).at


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_resolution_of_the_clock_does_not_matter(unit):
    values = np.r_[np.zeros(100), np.ones(100)]
    assert (
        dated(np.zeros(50), values, hours(200).astype(f"datetime64[{unit}, UTC]")).at == dated(np.zeros(50), values).at
    )


def test_rows_without_a_time_or_a_value_are_passed_over():
    values, times = np.r_[np.zeros(100), np.ones(100)], hours(200)
    holed = values.copy()
    holed[::7] = np.nan
    found = dated(np.r_[np.zeros(50), np.nan], holed, times.mask(times.index % 11 == 0))
    assert abs(found.at - dated(np.zeros(50), values).at) <= timedelta(hours=3)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (np.zeros(9), np.zeros(0)),
        (np.zeros(9), np.full(9, np.nan)),
        (np.full(9, np.nan), np.ones(9)),
        (np.zeros(0), np.ones(9)),
    ],
)
def test_nothing_to_compare_has_no_date_and_no_warning(before, after):
    assert dated(before, after) is None


def test_one_row_can_be_dated():
    assert dated(np.zeros(9), np.ones(1)).at == START.to_pydatetime()


def test_rows_of_one_moment_are_dated_to_it():
    found = dated(np.zeros(9), np.ones(30), pd.Series([START] * 30))
    assert found.at == found.earliest == found.latest == START.to_pydatetime()


def test_the_series_counts_every_row_once():
    found = dated(np.zeros(50), stepped(np.random.default_rng(3)))
    assert sum(found.counts) == 450
    assert len(found.times) == len(found.values) == len(found.counts) == POINTS
    assert all((value is None) == (count == 0) for value, count in zip(found.values, found.counts, strict=True))
    assert list(found.times) == sorted(found.times)


def test_an_onset_comes_back_from_its_dictionary():
    found = dated(np.zeros(50), stepped(np.random.default_rng(4)), what="error rate", unit="share of decisions")
    assert Onset.from_dict(found.to_dict()) == found
    assert str(found).startswith("error rate changed at 2026-01-07")
    assert list(found.to_frame().columns) == ["from", "error rate", "rows"]


# -- the likelihood ----------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 1), min_size=12, max_size=60), st.integers(0, 30), st.integers(1, 30))
@settings(deadline=None)
def test_for_flags_the_likelihood_is_that_of_two_rates(flags, wrong, right):
    values = np.array(flags, float)
    scores = np.r_[np.ones(wrong), np.zeros(right), values]
    course = Course(
        sums=values, counts=np.ones(len(values)), before=(float(wrong), float(wrong + right)), tilt=tilts(scores)
    )

    def told(hits, rows):
        rate = hits / rows
        return sum(n * np.log(p) for n, p in ((hits, rate), (rows - hits, 1 - rate)) if n)

    total, rows = scores.sum(), len(scores)
    for k, found in enumerate(course.likelihood()[:-5]):
        after = values[k:].sum()
        split = told(total - after, wrong + right + k) + told(after, len(values) - k) - told(total, rows)
        rises = after / (len(values) - k) > (total - after) / (wrong + right + k)
        assert found == pytest.approx(split if rises else 0.0, abs=2e-3 * rows)


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=50), st.data(), st.floats(0.5, 0.99))
@settings(deadline=None)
def test_a_credible_run_holds_its_level_and_the_estimate_and_no_shorter_one_does(masses, data, level):
    mass, at = np.array(masses) / sum(masses), data.draw(st.integers(0, len(masses) - 1))
    first, last, spare = credible(np.log(mass), at, level)
    assert first <= at <= last
    assert mass[first : last + 1].sum() >= level - 1e-9
    assert 0 <= spare <= level
    width = last - first
    for start in range(max(0, at - width + 1), at + 1):
        if start + width <= len(mass) and start + width > at:
            assert mass[start : start + width].sum() < level + 1e-9


def test_chance_falls_as_the_likelihood_grows_and_is_one_without_any():
    course = Course(sums=np.ones(90), counts=np.ones(90), before=(0.0, 90.0), tilt=tilts(np.arange(9.0)))
    told = [chance(likelihood, course) for likelihood in (0.0, 3.0, 6.0, 12.0)]
    assert told[0] == 1.0
    assert told == sorted(told, reverse=True)
    assert told[-1] < 1e-3


def test_a_few_huge_values_are_cut_and_flags_are_not():
    rng = np.random.default_rng(0)
    losses = rng.exponential(size=1000)
    before, after = capped(losses, np.r_[losses, 1e9])
    assert after.max() == before.max() <= losses.max()
    flags = np.r_[np.zeros(990), np.ones(10)]
    assert [part.tolist() for part in capped(flags, flags)] == [flags.tolist()] * 2
    assert capped(np.zeros(9), np.r_[np.zeros(50), np.ones(50)])[1].max() == 1.0


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e150])
def test_values_of_any_size_are_dated(scale):
    values = stepped(np.random.default_rng(1)) * scale
    assert dated(np.random.default_rng(2).normal(size=300) * 0.3 * scale, values).at == START + pd.Timedelta(hours=150)


# -- kinds of start ----------------------------------------------------------------------------------------------------


def test_a_slow_start_is_a_ramp_dated_where_it_leaves_normal():
    rng, hour = np.random.default_rng(5), np.arange(1000)
    found = dated(rng.normal(size=500), rng.normal(size=1000) + 3 * np.clip((hour - 400) / 300, 0, 1))
    assert found.shape == "ramp"
    assert found.earliest <= START + pd.Timedelta(hours=400) <= found.latest
    assert "began to change" in str(found)
    assert found.until is None


def test_what_ended_within_the_window_says_when():
    rng, hour = np.random.default_rng(6), np.arange(1000)
    found = dated(rng.normal(size=500), rng.normal(size=1000) + 3 * ((hour >= 400) & (hour < 600)))
    assert found.shape == "step"
    assert abs(found.at - (START + pd.Timedelta(hours=400))) <= timedelta(hours=2)
    assert abs(found.until - (START + pd.Timedelta(hours=600))) <= timedelta(hours=2)
    assert "until" in str(found)


def test_what_began_with_the_window_may_have_begun_before_it():
    rng = np.random.default_rng(7)
    found = dated(rng.normal(size=500), rng.normal(size=500) + 2)
    assert found.censored
    assert found.at == found.earliest == START
    assert "or before" in str(found)
    assert not dated(rng.normal(size=500), rng.normal(size=500) + 2 * (np.arange(500) > 250)).censored


# -- seasons, days, late labels ----------------------------------------------------------------------------------------


def weeks(count, rng, by=1.0, start=START):
    times = hours(24 * 7 * count, start)
    return times, rng.normal(size=len(times)) * 0.3 + by * times.dt.day_of_week.isin([5, 6]).to_numpy()


def test_a_season_that_the_reference_knows_is_no_onset():
    rng = np.random.default_rng(8)
    before, after = weeks(6, rng, start=START - pd.Timedelta(weeks=6)), weeks(2, rng)
    assert date(before, after, what="w", unit="u") is None
    unknown = (before[0], rng.normal(size=len(before[0])) * 0.3)
    assert date(unknown, after, what="w", unit="u") is not None


def test_an_onset_within_a_season_is_dated_apart_from_it():
    rng = np.random.default_rng(9)
    (times, values), before = weeks(2, rng), weeks(6, rng, start=START - pd.Timedelta(weeks=6))
    found = date(before, (times, values + 0.5 * (np.arange(336) >= 200)), what="w", unit="u")
    assert found.earliest <= START + pd.Timedelta(hours=200) <= found.latest


def test_days_that_resemble_each_other_widen_the_interval():
    rng = np.random.default_rng(11)
    day = np.repeat(np.arange(60), 40)
    times = pd.Series(START + pd.to_timedelta(day * 24 + np.tile(np.arange(40) / 2, 60), unit="h"))
    plain, alike = rng.normal(size=2400), rng.normal(size=60)[day] * 0.4
    late = 0.6 * (day >= 45)
    widths = []
    for values in (plain, plain + alike):
        found = date((times[:1200], values[:1200]), (times[1200:], (values + late)[1200:]), what="w", unit="u")
        widths.append(found.latest - found.earliest)
    assert widths[0] < widths[1]


def test_days_whose_labels_are_late_are_shown_empty_and_date_nothing():
    values = np.r_[np.zeros(200), np.ones(100), np.full(100, np.nan)]
    found = dated(np.zeros(50), values)
    assert found.latest == START + pd.Timedelta(hours=200)
    assert sum(found.counts) == 350
    assert found.counts[-1] == 0
    assert found.values[-1] is None


# -- counts per period -------------------------------------------------------------------------------------------------


def daily(rng, shares, rows=200):
    return np.array([rng.multinomial(rows, share) for share in shares])


def days(count):
    return pd.Series(START + pd.to_timedelta(np.arange(count), unit="D"))


def test_a_column_is_dated_from_counts_alone():
    rng = np.random.default_rng(12)
    shares = [[0.5, 0.3, 0.2]] * 12 + [[0.3, 0.3, 0.4]] * 8
    found = date_counts(days(20), daily(rng, shares), np.array([500, 300, 200]), what="purpose", unit="log ratio")
    assert found.at == START + pd.Timedelta(days=12)
    assert found.earliest <= found.at < found.latest
    assert sum(found.counts) == 20 * 200
    assert Onset.from_dict(found.to_dict()) == found


def test_counts_that_did_not_change_have_no_date():
    rng = np.random.default_rng(13)
    made = daily(rng, [[0.5, 0.3, 0.2]] * 20)
    assert date_counts(days(20), made, np.array([5000, 3000, 2000]), what="p", unit="u") is None


@pytest.mark.parametrize(
    ("counts", "reference"),
    [
        (np.zeros((4, 2)), [5, 5]),
        (np.ones((4, 2)), [0, 0]),
        (np.ones((1, 2)), [5, 5]),
        (np.ones((4, 1)), [5]),
        (np.array([[0, 0], [0, 0], [3, 3], [0, 0]]), [5, 5]),
    ],
)
def test_counts_that_say_nothing_have_no_date(counts, reference):
    assert date_counts(days(len(counts)), counts, np.array(reference), what="p", unit="u") is None


ANY = st.one_of(st.floats(), st.sampled_from([0.0, 1.0, 1e300, -1e300, np.nan, np.inf]))


@given(st.lists(ANY, max_size=40), st.lists(ANY, max_size=40), st.integers(1, 5))
@example([0.0], [8.988465674311579e307, 8.98846567431158e307], 1)
@settings(deadline=None)
def test_whatever_the_values_there_is_a_date_between_its_ends_or_none(before, after, tied):
    times = START + pd.to_timedelta(np.arange(len(after)) // tied, unit="D")
    found = dated(before, after, pd.Series(times, dtype="datetime64[ns, UTC]"))
    if found is not None:
        assert found.earliest <= found.at <= found.latest <= times.max()
        assert found.until is None or found.until > found.at
        assert 0 <= found.p_value <= 0.05
