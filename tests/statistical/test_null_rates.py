"""Where nothing moved, tests of drift fire at their rate: for every sort of column and every pair of sizes.

Rates are judged with a Monte Carlo margin, as in `test_recovery`; seeds are fixed.
"""

import math

import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift.classifier_two_sample import classifier_two_sample
from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.question import faults
from rca.methods.two_sample_tests import benjamini_hochberg
from tests.statistical.promises import MARGIN, enough, long_and_short, noted, within

COPIES = 6
"""Columns of each sort in a draw."""

SORTS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "a tenth missing": lambda rng, n: np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
    "rounded": lambda rng, n: rng.normal(size=n).round(1),
    "few whole numbers": lambda rng, n: rng.poisson(2, n),
    "mostly zero": lambda rng, n: np.where(rng.random(n) < 0.6, 0.0, rng.exponential(size=n)),
    "boolean": lambda rng, n: rng.random(n) < 0.3,
    "five categories": lambda rng, n: rng.choice(list("abcde"), n),
    "a long tail": lambda rng, n: np.array([f"z{x}" for x in np.minimum(rng.zipf(1.6, n), 500)], dtype=object),
    "time": lambda rng, n: pd.Timestamp("2024", tz="UTC") + pd.to_timedelta(rng.integers(0, 10**7, n), unit="s"),
    "text": lambda rng, n: [f"an {'o' * k} order {i:06d}" for i, k in enumerate(rng.poisson(9, n))],
}


def near(rate, count, low, high, of=""):
    """A rate of so many draws that may come from a true one between `low` and `high`."""
    within(round(rate * count), count, (low, high), of=of)


def window(rng, rows, sorts=tuple(SORTS)):
    return pd.DataFrame({f"{sort} {copy}": SORTS[sort](rng, rows) for sort in sorts for copy in range(COPIES)})


def fired(draws, sizes):
    """Share of tests at or below .05, by sort of column and aspect; and how many tests that was."""
    values = {}
    for seed in range(draws):
        rng = np.random.default_rng([*sizes, seed])
        for row in univariate_drift(window(rng, sizes[0]), window(rng, sizes[1])).columns:
            assert row.tested
            values.setdefault((row.column[:-2], row.aspect), []).append(row.p_value)
    return {key: (float(np.mean(np.array(found) <= 0.05)), len(found)) for key, found in values.items()}


FEW, MANY = (enough(draws, within=(0.04, 0.06), each=COPIES) for draws in (3, 120))


@pytest.mark.parametrize(
    ("draws", "sizes"),
    [
        (FEW, (300, 3000)),
        *(pytest.param(MANY, sizes, marks=pytest.mark.prove) for sizes in [(200, 200), (300, 3000), (1000, 1000)]),
    ],
    ids=str,
)
def test_every_test_fires_at_its_rate(draws, sizes):
    rates = fired(draws, sizes)
    assert len(rates) == len(SORTS) + 1
    for what, (rate, count) in rates.items():
        near(rate, count, 0.04, 0.06, of=", ".join(what))


@pytest.mark.prove
@pytest.mark.parametrize(("draws", "sizes"), [(60, (10_000, 1000)), (60, (1000, 10_000)), (12, (100_000, 100_000))])
def test_every_test_fires_at_its_rate_in_large_windows(draws, sizes):
    for what, (rate, count) in fired(draws, sizes).items():
        near(rate, count, 0.04, 0.06, of=", ".join(what))


@long_and_short(5, 120, at_most=0.05)
def test_false_discoveries_keep_to_their_rate(draws):
    shares, power = [], []
    for seed in range(draws):
        rng = np.random.default_rng([7, seed])
        before, after = (
            window(rng, 1500, ("normal", "few whole numbers", "five categories", "mostly zero")) for _ in "ab"
        )
        moved = {"normal 0", "mostly zero 0", "five categories 0"}
        after = after.assign(**{"normal 0": after["normal 0"] + 0.25, "mostly zero 0": after["mostly zero 0"] * 2})
        after["five categories 0"] = after["five categories 0"].where(rng.random(1500) > 0.1, "a")
        columns = univariate_drift(before, after).columns
        q_values = benjamini_hochberg([row.p_value for row in columns])
        assert q_values == pytest.approx([row.q_value for row in columns])
        found = {row.column for row in columns if row.q_value <= 0.05}
        shares.append(len(found - moved) / max(len(found), 1))
        power.append(len(found & moved) / len(moved))
    noted("false discoveries", promised="at most 5.0%", seen=f"{np.mean(shares):.1%}", draws=draws)
    assert np.mean(shares) <= 0.05 + MARGIN * np.std(shares) / math.sqrt(draws)
    assert np.mean(power) > 0.9


SHIFTS = {
    "none": (lambda rng, n: rng.normal(size=n), 0.0),
    "small": (lambda rng, n: rng.normal(0.1, 1, n), 0.03988),
    "large": (lambda rng, n: rng.normal(0.8, 1, n), 0.31084),
    "an atom": (lambda rng, n: np.where(rng.random(n) < 0.3, -9.0, rng.normal(size=n)), 0.3),
}


@pytest.mark.parametrize("shift", SHIFTS)
@long_and_short(12, 800, within=(0.95, 0.999))
def test_the_interval_of_a_distance_covers_at_least_as_often_as_promised(draws, shift):
    draw, truth = SHIFTS[shift]
    held = 0
    for seed in range(draws):
        rng = np.random.default_rng([11, seed])
        frames = pd.DataFrame({"x": rng.normal(size=800)}), pd.DataFrame({"x": draw(rng, 500)})
        held += truth in univariate_drift(*frames)["x"].interval
    near(held / draws, draws, 0.95, 0.999)


@pytest.mark.parametrize("count", [2, 5, 30])
@pytest.mark.parametrize("by", [0.0, 0.05, 0.3])
@long_and_short(12, 600, within=(0.945, 0.9999))
def test_the_interval_of_a_variation_covers_at_least_as_often_as_promised(draws, count, by):
    even = np.full(count, 1 / count)
    tilted, names = (1 - by) * even + by * np.eye(count)[0], np.array([f"v{i}" for i in range(count)], dtype=object)
    truth, held = float(np.abs(tilted - even).sum() / 2), 0
    for seed in range(draws):
        rng = np.random.default_rng([13, seed])
        before, after = (pd.DataFrame({"c": rng.choice(names, 1000, p=p)}) for p in (even, tilted))
        held += truth in univariate_drift(before, after)["c"].interval
    near(held / draws, draws, 0.945, 0.9999)


@pytest.mark.parametrize("sizes", [(400, 400), (1200, 400)], ids=str)
@long_and_short(5, 300, within=(0.93, 0.97))
def test_the_interval_of_an_auc_covers_one_half_where_windows_are_alike(draws, sizes):
    held = alarms = 0
    for seed in range(draws):
        rng = np.random.default_rng([17, *sizes, seed])
        shared = [rng.normal(size=n) for n in sizes]
        before, after = (
            pd.DataFrame(
                {
                    "x": z,
                    "y": z + rng.normal(size=len(z)),
                    "k": rng.poisson(2, len(z)),
                    "w": rng.choice(list("abc"), len(z)),
                }
            )
            for z in shared
        )
        found = classifier_two_sample(before, after, rng=rng)
        held += 0.5 in found.interval
        alarms += found.p_value <= 0.05
    near(held / draws, draws, 0.93, 0.97)
    near(alarms / draws, draws, 0.03, 0.07)


def wandering(rng, rows, start, columns):
    """A table whose rows resemble those before them, as of slow machines and markets: nothing happens in it."""
    laid = {"at": pd.date_range(start, periods=rows, freq="20min", tz="UTC")}
    for at in range(columns):
        slow = pd.Series(rng.normal(size=rows)).ewm(alpha=0.2).mean().to_numpy()
        bands = pd.cut(slow, [-np.inf, -0.3, 0, 0.3, np.inf], labels=list("abcd")).astype(str)
        laid[f"c{at}"] = (slow, np.exp(slow), np.round(3 * slow), bands)[at % 4]
    return pd.DataFrame(laid)


@pytest.mark.parametrize(
    ("seeds", "rows", "columns"),
    [((3,), 300, 40), pytest.param(range(100, 140), 500, 60, marks=pytest.mark.prove)],
)
def test_where_rows_wander_hardly_any_table_has_a_fault(seeds, rows, columns):
    named = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        windows = [wandering(rng, n, day, columns) for n, day in ((rows, "2026-01-01"), (rows * 4 // 5, "2026-03-01"))]
        named += bool(faults(*windows, time="at").broken)
    within(named, len(seeds), (0.0, 0.05), of="tables with a fault")
