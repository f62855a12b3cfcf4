"""Tests on sketches keep to their rate, whatever the bins hold, and name what moved."""

import math

import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift.from_sketches import drift_of_sketches
from rca.tables.sketch import sketch

MARGIN = 4.0
"""Monte Carlo standard errors by which a rate may miss."""

COLUMNS = ("normal", "heavy tailed", "30 % zeros", "rounded", "whole", "label", "mostly missing")


def window(rng, n, *, moved=0.0):
    zero = rng.random(n) < 0.3
    return pd.DataFrame(
        {
            "normal": rng.normal(moved, 1, n),
            "heavy tailed": np.exp(5 * rng.normal(moved, 1, n)),
            "30 % zeros": np.where(zero, 0, rng.normal(moved, 1, n)),
            "rounded": rng.normal(moved, 1, n).round(1),
            "whole": rng.poisson(3 + 2 * moved, n),
            "label": rng.choice(list("abcd"), n, p=[0.4 + moved / 4, 0.3 - moved / 4, 0.2, 0.1]),
            "mostly missing": np.where(rng.random(n) < 0.7 + moved / 4, np.nan, rng.normal(moved, 1, n)),
        }
    )


@pytest.mark.parametrize("sizes", [(300, 500), (4_000, 1_500), (20_000, 20_000)], ids=str)
@pytest.mark.parametrize("draws", [10, pytest.param(2_000, marks=pytest.mark.prove)])
def test_alike_windows_are_called_different_at_the_rate_that_is_asked_for(sizes, draws):
    rng = np.random.default_rng([7, *sizes])
    hits = dict.fromkeys(COLUMNS, 0)
    for _ in range(draws):
        first = sketch(window(rng, sizes[0]))
        for row in drift_of_sketches(first, sketch(window(rng, sizes[1]), first)).columns:
            if row.aspect == "values":
                hits[row.column] += row.p_value <= 0.05
    slack = MARGIN * math.sqrt(0.05 * 0.95 / draws)
    rates = {name: count / draws for name, count in hits.items()}
    assert max(rates.values()) <= 0.05 + slack, rates
    # Few draws could not tell a test that never alarms.
    assert draws < 1_000 or min(rates.values()) >= 0.03 - slack, rates


@pytest.mark.parametrize("draws", [3, pytest.param(100, marks=pytest.mark.prove)])
def test_what_moved_is_named_from_merged_sketches(draws):
    rng = np.random.default_rng(3)
    for _ in range(draws):
        first = sketch(window(rng, 6_000))
        parts = [sketch(window(rng, 1_000, moved=0.25), first) for _ in range(6)]
        assert set(drift_of_sketches(first, sum(parts)).moved()) == set(COLUMNS)
        assert drift_of_sketches(first, sum(sketch(window(rng, 1_000), first) for _ in range(6))).moved() == ()
