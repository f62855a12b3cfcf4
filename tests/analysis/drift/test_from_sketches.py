"""What two sketches say of drift is what the rows say, to within the bins' rounding."""

import datetime as dt
import decimal
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rca.analysis.drift.from_sketches import binned_smirnov, drift_of_sketches, wasserstein
from rca.analysis.drift.univariate import univariate_drift
from rca.errors import InvalidCase, Unanswerable
from rca.methods.two_sample_tests import kolmogorov_distance
from rca.tables import bin_counts
from rca.tables.arrow_arrays import Numbers
from rca.tables.bin_counts import NumberCount
from rca.tables.bin_edges import fit_scale
from rca.tables.sketch import Sketch, sketch

N = 300
NORMAL = np.random.default_rng(0).normal(size=N)
EVEN = np.arange(N) % 2 == 0
HOSTILE = {
    "normal": NORMAL,
    "constant": np.ones(N),
    "all missing": np.full(N, np.nan),
    "some infinite": np.where(np.arange(N) % 10 == 0, np.inf, NORMAL),
    "all infinite": np.where(EVEN, np.inf, -np.inf),
    "enormous": np.where(EVEN, 1.7e308, -1.7e308),
    "tiny": np.where(EVEN, 5e-324, 0),
    "heavy tailed": np.exp(50 * NORMAL),
    "unsigned at its end": np.full(N, 2**64 - 1, dtype="uint64"),
    "a value a row": [f"u{i}" for i in range(N)],
    "mixed types": pd.Series([1, "a", None, 2.5, True] * (N // 5), dtype=object),
    "boolean": EVEN,
    "boolean with missing": pd.Series([True, False, None] * (N // 3), dtype="boolean"),
    "integer with missing": pd.Series([1, 2, None] * (N // 3), dtype="Int64"),
    "category": pd.Series(["a", "b", None] * (N // 3), dtype="category"),
    "category of numbers": pd.Series([1, 2, 3] * (N // 3), dtype="category"),
    "category of intervals": pd.cut(pd.Series(NORMAL), 3),
    "time": pd.date_range("2024-01-01", periods=N, tz="UTC"),
    "time before 1970": pd.date_range("1901-01-01", periods=N),
    "no time": pd.Series([pd.NaT] * N, dtype="datetime64[us, UTC]"),
    "duration": pd.to_timedelta(np.arange(N), unit="s"),
    "period": pd.Series(pd.period_range("2024-01", periods=N, freq="M")),
    "text": pd.Series(["x", "y", None] * (N // 3), dtype="string"),
    "no text": pd.Series([None] * N, dtype=object),
    "a null byte": pd.Series(["é\x00"] * N),
    "half a character": pd.Series(["\ud800", "a"] * (N // 2), dtype=object),
    "decimal": pd.Series([decimal.Decimal("1.5")] * N),
    "lists": pd.Series([[1, 2], {"a": 1}, None] * (N // 3)),
    "dates": pd.Series([dt.date(2024, 1, 1)] * N),
    "complex": NORMAL + 1j,
    "sparse": pd.Series(pd.arrays.SparseArray(np.where(EVEN, 0.0, NORMAL))),
}


def both(reference, current, **options):
    """Drift of one column by sketches."""
    first = sketch(pd.DataFrame({"c": reference}), **options)
    return drift_of_sketches(first, sketch(pd.DataFrame({"c": current}), first))


def sound(found):
    """What every row of a drift has to be."""
    for row in found.columns:
        numbers = (row.statistic, row.p_value, row.q_value, row.effect, row.interval.low, row.interval.high)
        assert all(map(math.isfinite, numbers)), row
        assert 0 <= row.interval.low <= row.effect <= row.interval.high <= 1, row
        assert 0 <= row.p_value <= row.q_value <= 1, row
        assert len(row.profile.labels) == len(row.profile.reference) == len(row.profile.current)
        assert sum(row.profile.reference) == pytest.approx(1)
        assert sum(row.profile.current) == pytest.approx(1)


# --- hostile columns -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sort", HOSTILE)
def test_identical_windows_have_not_moved(sort):
    found = both(HOSTILE[sort], HOSTILE[sort])
    sound(found)
    assert all(row.effect == 0 and not row.moved for row in found.columns)


@pytest.mark.parametrize("sort", HOSTILE)
def test_any_two_columns_are_compared_without_a_crash(sort):
    for other in ("normal", "a value a row", "all missing", "time", "lists", "boolean"):
        sound(both(HOSTILE[sort], HOSTILE[other]))
        sound(both(HOSTILE[other], HOSTILE[sort]))


@pytest.mark.parametrize("sort", HOSTILE)
def test_one_row_is_compared_with_many(sort):
    values = pd.Series(HOSTILE[sort])
    sound(both(values.head(1), values))
    sound(both(values, values.head(1)))


def test_a_window_without_rows_cannot_say():
    found = sketch(pd.DataFrame({"a": [1.5, 2.0]}))
    for windows in ((found, Sketch.empty(found.grid)), (Sketch.empty(found.grid), found)):
        with pytest.raises(Unanswerable, match="a window has no rows"):
            drift_of_sketches(*windows)


def test_sketches_on_two_grids_are_not_compared():
    with pytest.raises(InvalidCase, match=r"two grids.*`like` the reference"):
        drift_of_sketches(sketch(pd.DataFrame({"a": [1.5]})), sketch(pd.DataFrame({"a": [9.5]})))


# --- as from the rows ------------------------------------------------------------------------------------------------


WINDOWS = {
    "alike": lambda rng, n: (rng.normal(size=n), rng.normal(size=n)),
    "moved": lambda rng, n: (rng.normal(size=n), rng.normal(0.1, 1, n)),
    "scaled": lambda rng, n: (rng.normal(size=n), 1000 * rng.normal(size=n)),
    "heavy tailed": lambda rng, n: (np.exp(5 * rng.normal(size=n)), np.exp(5 * rng.normal(0.05, 1, n))),
    "Cauchy": lambda rng, n: (rng.standard_cauchy(n), 0.1 + rng.standard_cauchy(n)),
    "30 % zeros": lambda rng, n: (
        np.where(rng.random(n) < 0.3, 0, rng.normal(size=n)),
        np.where(rng.random(n) < 0.3, 0, rng.normal(0.1, 1, n)),
    ),
    "zeros of heavy tails": lambda rng, n: (
        np.where(rng.random(n) < 0.3, 0, np.exp(4 * rng.normal(size=n))),
        np.where(rng.random(n) < 0.33, 0, np.exp(4 * rng.normal(size=n))),
    ),
    "whole": lambda rng, n: (rng.poisson(3, n), rng.poisson(3.1, n)),
    "rounded": lambda rng, n: (rng.normal(size=n).round(1), rng.normal(0.05, 1, n).round(1)),
    "far from zero": lambda rng, n: (1.7e9 + rng.random(n), 1.7e9 + 0.1 + rng.random(n)),
}


@pytest.mark.parametrize("sort", WINDOWS)
@pytest.mark.parametrize("n", [400, 20_000])
def test_a_number_moved_as_far_as_its_rows_say(sort, n):
    windows = WINDOWS[sort](np.random.default_rng(1), n)
    found = both(*windows)["c"]
    exact = stats.ks_2samp(*windows, method="asymp")
    assert found.effect <= exact.statistic + 1e-12
    assert found.effect == pytest.approx(exact.statistic, abs=0.002)
    distance = wasserstein(*(NumberCount.of(fit_scale(windows[0].astype(float)), as_read(rows)) for rows in windows))
    assert distance == pytest.approx(stats.wasserstein_distance(*windows), rel=0.02, abs=0.002 * np.std(windows[0]))


def as_read(values):
    return Numbers(values=np.asarray(values, float), missing=0)


@pytest.mark.parametrize("sort", WINDOWS)
@pytest.mark.parametrize("n", [30, 400, 3_000])
def test_drift_of_sketches_is_drift_of_rows(sort, n):
    windows = [pd.DataFrame({"c": values}) for values in WINDOWS[sort](np.random.default_rng(2), n)]
    first = sketch(windows[0])
    ours, theirs = drift_of_sketches(first, sketch(windows[1], first))["c"], univariate_drift(*windows)["c"]
    assert (ours.kind, ours.test) == (theirs.kind, theirs.test)
    assert ours.effect == pytest.approx(theirs.effect, abs=max(0.002, 1.01 / n))
    assert ours.interval.low == pytest.approx(theirs.interval.low, abs=0.005 + 1.01 / n)
    assert ours.interval.high == pytest.approx(theirs.interval.high, abs=0.005 + 1.01 / n)
    # log p falls by 4 c dc, where c is the scaled distance
    root = math.sqrt(n / 2)
    explained = 4 * (root * theirs.effect + 0.5) * root * abs(theirs.effect - ours.effect)
    logs = [math.log(max(row.p_value, 1e-300)) for row in (ours, theirs)]
    assert -explained - 0.1 <= logs[0] - logs[1] <= explained + (0.1 if n > 30 else 0.6)  # few repeats are not seen


def test_a_repeated_value_costs_no_distance():
    rng = np.random.default_rng(0)
    before, after = (np.where(rng.random(50_000) < share, 0.0, rng.normal(size=50_000)) for share in (0.3, 0.36))
    assert both(before, after)["c"].effect == pytest.approx(stats.ks_2samp(before, after).statistic, abs=3e-4)


@given(st.lists(st.integers(0, 5), min_size=6, max_size=6), st.lists(st.integers(0, 5), min_size=6, max_size=6))
@settings(deadline=None)
def test_the_distance_of_counts_is_the_distance_of_their_rows(first, second):
    windows = np.array([first, second])
    windows[:, 0] += 1
    rows = [np.repeat(np.arange(6.0), counts) for counts in windows]
    assert binned_smirnov(*windows)[0] == pytest.approx(kolmogorov_distance(*rows))


def test_categories_booleans_and_missing_values_are_told_exactly_as_from_the_rows():
    rng = np.random.default_rng(0)
    names = ["label", "flag", "code", "gone", "rare"]

    def window(gone, odds):
        return pd.DataFrame(
            {
                "label": pd.Series(rng.choice(["a", "b", "c", "(other)"], 3000, p=odds), dtype="str"),
                "flag": rng.random(3000) < odds[0],
                "code": rng.integers(0, 4, 3000),
                "gone": np.where(rng.random(3000) < gone, None, "x"),
                "rare": [f"r{i}" for i in rng.zipf(1.5, 3000) % 997],
            }
        )

    windows = window(0.01, [0.4, 0.3, 0.2, 0.1]), window(0.05, [0.5, 0.2, 0.2, 0.1])
    first = sketch(windows[0], categorical=["code"])
    ours = drift_of_sketches(first, sketch(windows[1], first))
    theirs = univariate_drift(*windows, features=names, categorical=["code"])
    for row in theirs.columns:
        (found,) = [each for each in ours.columns if each.name == row.name]
        assert found.effect == pytest.approx(row.effect, abs=1e-12)
        assert found.p_value == pytest.approx(row.p_value, rel=1e-9)
        assert (found.kind, found.test, found.moved) == (row.kind, row.test, row.moved)
        assert found.profile.labels == row.profile.labels
        assert found.profile.current == pytest.approx(row.profile.current)


def test_a_category_that_only_one_window_keeps_apart_is_not_compared(monkeypatch):
    monkeypatch.setattr(bin_counts, "KEPT", 10)
    labels = [f"u{i % 40}" for i in range(4000)]
    first = sketch(pd.DataFrame({"c": ["known"] * 100}))
    before, after = (sketch(pd.DataFrame({"c": held}), first) for held in (labels, labels[::-1]))
    assert drift_of_sketches(before, after)["c"].effect == 0
    few = sketch(pd.DataFrame({"c": [f"u{i % 8}" for i in range(4000)]}), first)
    row = drift_of_sketches(few, after)["c"]
    sound(drift_of_sketches(few, after))
    assert row.profile.labels[-1] == "(other)"
    assert row.moved


def test_texts_are_compared_by_their_lengths():
    rng = np.random.default_rng(0)
    said = [["word " * int(k) for k in rng.poisson(mean, 500)] for mean in (5, 9)]
    row = both(*said, text=["c"])["c"]
    assert row.moved
    assert row.kind == "text"
    assert row.effect == pytest.approx(stats.ks_2samp(*[[len(text) for text in texts] for texts in said]).statistic)


# --- what has no test ------------------------------------------------------------------------------------------------


UNTESTED = {
    "counter": (np.arange(500), np.arange(500, 1200)),
    "great counter": (np.arange(9000) + 10**7, np.arange(9000) * 1.5 // 1 + 10**7 + 9000),
    "identifier": ([f"u{i}" for i in range(500)], [f"u{i}" for i in range(500, 900)]),
    "clock": (pd.date_range("2024-01-01", periods=900, freq="h"), pd.date_range("2024-02-09", periods=500, freq="h")),
}
TESTED = {
    "halves": (np.arange(500), np.arange(500) * 1.5),
    "few rows": ([f"u{i}" for i in range(10)], [f"u{i}" for i in range(10)]),
    "counts": (np.random.default_rng(0).poisson(300, 500), np.random.default_rng(1).poisson(320, 500)),
    "a filler": (pd.date_range("2024-01-01", periods=90, freq="D"), pd.DatetimeIndex(["2099-01-01"] * 90)),
    "labels": ([f"u{i % 400}" for i in range(500)], [f"u{i}" for i in range(500)]),
}


@pytest.mark.parametrize("sort", UNTESTED | TESTED)
def test_what_only_tells_rows_apart_is_not_tested_just_as_from_the_rows(sort):
    windows = (UNTESTED | TESTED)[sort]
    row = both(*windows)["c"]
    theirs = univariate_drift(*(pd.DataFrame({"c": values}) for values in windows))["c"]
    assert (row.tested, row.kind, row.note) == (theirs.tested, theirs.kind, theirs.note)
    assert row.tested == (sort in TESTED)


def test_identifiers_are_known_even_if_not_all_are_kept_apart(monkeypatch):
    monkeypatch.setattr(bin_counts, "KEPT", 50)
    ids = [f"u{i}" for i in range(4000)]
    first = sketch(pd.DataFrame({"c": ["known"]}))
    windows = [sketch(pd.DataFrame({"c": part}), first) for part in (ids, ids[::-1], ids[:1000] * 4)]
    assert not drift_of_sketches(windows[0], windows[1])["c"].tested
    assert drift_of_sketches(windows[0], windows[2])["c"].tested


def test_infinite_values_are_told_from_great_ones():
    row = both(np.append(np.arange(100.0), [1e300] * 50), np.append(np.arange(100.0), [np.inf] * 50))["c"]
    assert row.effect == pytest.approx(1 / 3)


# --- how far ---------------------------------------------------------------------------------------------------------


def count(values, like):
    return NumberCount.of(fit_scale(np.asarray(like, float)), as_read(values))


def test_rows_that_all_move_by_one_distance_have_moved_by_it_even_beyond_the_bins():
    before = np.random.default_rng(0).normal(size=5_000)
    for distance in (0.5, 1e3, -1e6):
        moved = wasserstein(count(before, before), count(before + distance, before))
        assert moved == pytest.approx(abs(distance), rel=0.01)


def test_windows_that_are_alike_are_no_distance_apart_and_an_infinite_one_is_none():
    before = np.random.default_rng(0).standard_cauchy(500)
    assert wasserstein(count(before, before), count(before[::-1], before)) == 0
    assert wasserstein(count(before, before), count([np.inf], before)) is None
    assert wasserstein(count(before, before), count([], before)) is None
    assert wasserstein(count([1.7e308] * 2, [-1.7e308, 1.7e308]), count([-1.7e308], [-1.7e308, 1.7e308])) is None


@pytest.mark.parametrize("unit", [1e-6, 1024.0])
def test_a_change_of_unit_scales_the_distance_and_leaves_the_test(unit):
    rng = np.random.default_rng(0)
    before, after = rng.normal(size=2_000), rng.normal(0.2, 1, 2_000)
    plain, scaled = both(before, after)["c"], both(before * unit, after * unit)["c"]
    assert scaled.effect == pytest.approx(plain.effect, abs=1e-3)
    distances = [wasserstein(count(before * u, before * u), count(after * u, before * u)) for u in (1, unit)]
    assert distances[1] == pytest.approx(unit * distances[0], rel=1e-3)


def test_merged_days_say_what_the_whole_window_says():
    rng = np.random.default_rng(0)
    window = pd.DataFrame({"x": rng.normal(size=700), "c": rng.choice(list("abc"), 700)})
    first = sketch(window)
    merged = sum(sketch(window.iloc[day * 100 : day * 100 + 100], first) for day in range(7))
    after = sketch(window.sample(frac=0.5, random_state=0), first)
    assert drift_of_sketches(merged, after) == drift_of_sketches(first, after)


# --- below the resolution ---------------------------------------------------------------------------------------------

FIVE = [0.1, 0.25, 0.3, 0.7, 0.9]
LEVELS = {
    "five levels": lambda rng, n: rng.choice(FIVE, n),
    "two levels": lambda rng, n: rng.choice([0.1, 0.9], n),
    "thirds": lambda rng, n: rng.choice([1 / 3, 2 / 3, 1 / 7, 5 / 7], n),
    "a default": lambda rng, n: np.where(rng.random(n) < 0.4, 0.1, rng.exponential(1, n)),
    "a number for none": lambda rng, n: np.where(rng.random(n) < 0.3, -999.9, rng.choice(FIVE, n)),
    "two decimals": lambda rng, n: rng.normal(5, 2, n).round(2),
    "far from zero": lambda rng, n: 1e4 + rng.choice(FIVE, n),
}
BLURS = {
    "single precision": lambda rng, values: values.astype("float32"),
    "single precision, read as double": lambda rng, values: values.astype("float32").astype(float),
    "noise": lambda rng, values: values + rng.normal(0, 1e-4, len(values)),
    "four decimals": lambda rng, values: values.round(4),
}


@pytest.mark.parametrize("blur", BLURS)
@pytest.mark.parametrize("levels", LEVELS)
def test_what_differs_by_less_than_can_matter_has_not_moved_by_rows_or_by_sketches(levels, blur):
    rng = np.random.default_rng(6)
    clean, blurred = LEVELS[levels](rng, 4000), BLURS[blur](rng, LEVELS[levels](rng, 4000))
    for before, after in ((clean, blurred), (blurred, clean)):
        exact = univariate_drift(pd.DataFrame({"c": before}), pd.DataFrame({"c": after}))["c"]
        binned = both(before, after)["c"]
        assert not exact.moved
        assert not binned.moved
        assert binned.effect == pytest.approx(exact.effect, abs=0.02)


MOVES = {
    "a tiny unit": lambda rng, n: (1e-6 * rng.choice(FIVE, n), 1e-6 * (rng.choice(FIVE, n) + 0.02)),
    "a tinier unit": lambda rng, n: (1e-30 * rng.normal(size=n), 1e-30 * rng.normal(0.3, 1, n)),
    "far from zero": lambda rng, n: (1.7e9 + rng.random(n), 1.7e9 + 0.2 + rng.random(n)),
    "the next year": lambda rng, n: (np.full(n, 2024), np.full(n, 2025)),
    "the next whole number": lambda rng, n: (rng.integers(1, 6, n), rng.integers(2, 7, n)),
    "beside a number for none": lambda rng, n: (
        np.where(rng.random(n) < 0.3, -999, rng.random(n)),
        np.where(rng.random(n) < 0.3, -999, rng.random(n) ** 2),
    ),
    "a number for none, the rest frozen": lambda rng, n: (
        np.where(rng.random(n) < 0.3, -999, rng.random(n)),
        np.where(rng.random(n) < 0.3, -999, 0.5),
    ),
    "a blur and a move": lambda rng, n: (rng.choice([0.1, 0.9], n), rng.choice([0.1, 0.9], n, p=[0.3, 0.7]) + 1e-9),
}


@pytest.mark.parametrize("sort", MOVES)
def test_a_move_is_told_whatever_its_unit_by_rows_and_by_sketches(sort):
    before, after = MOVES[sort](np.random.default_rng(7), 4000)
    exact = univariate_drift(pd.DataFrame({"c": before}), pd.DataFrame({"c": after}))["c"]
    binned = both(before, after)["c"]
    assert exact.moved
    assert binned.moved
    assert binned.effect == pytest.approx(exact.effect, abs=0.02)


def test_codes_in_single_precision_are_the_same_codes_by_rows_and_by_sketches():
    rng = np.random.default_rng(8)
    before, after = rng.choice(FIVE, 4000), rng.choice(FIVE, 4000).astype("float32")
    windows = pd.DataFrame({"c": before}), pd.DataFrame({"c": after})
    assert not univariate_drift(*windows, categorical=["c"])["c"].moved
    assert not both(before, after, categorical=["c"])["c"].moved
