"""A repair that left the metric a margin off is called recovered in 5 % of draws at most; one that worked, mostly."""

import numpy as np
import pandas as pd
import pytest

import rca
from tests.statistical.promises import at_least, at_most, long_and_short

DESIGNS = [(0.1, 800, 0.05), (0.05, 1400, 0.025), (0.02, 400, 0.02), (0.3, 300, 0.1), (0.0, 60, 0.1)]
"""Share before, rows of each window, margin."""


def outcomes(rng, draws, before, after):
    """What is said of draws of a share before and one after, by design (share, rows)."""
    said = []
    for _ in range(draws):
        flags = [pd.DataFrame({"hit": rng.random(rows) < share}).astype(int) for share, rows, _ in (before, after)]
        found = rca.recovery(*flags, metric={"name": "rate", "column": "hit"}, margin=before[2])
        said.append(found.outcome)
    return said


@pytest.mark.parametrize("design", DESIGNS, ids=str)
@long_and_short(12, 4000, at_most=0.07)
def test_a_repair_that_is_a_margin_off_is_hardly_ever_called_recovered(design, draws):
    share, rows, margin = design
    said = outcomes(np.random.default_rng(5), draws, design, (share + margin, rows, margin))
    at_most(said.count("recovered"), draws, 0.05, of="called recovered at the margin")
    at_most(said.count("not_recovered"), draws, 0.07, of="called not recovered at the margin")


@pytest.mark.parametrize(("design", "power"), [((0.1, 800, 0.05), 0.85), ((0.3, 1000, 0.1), 0.99)], ids=str)
@long_and_short(12, 2000, at_least=0.85)
def test_a_repair_that_worked_is_called_recovered(design, power, draws):
    said = outcomes(np.random.default_rng(6), draws, design, design)
    at_least(said.count("recovered"), draws, power)


@long_and_short(12, 2000, at_most=0.06)
def test_means_with_heavy_tails_keep_the_promise_too(draws):
    rng, hits = np.random.default_rng(7), 0
    for _ in range(draws):
        before, after = (pd.DataFrame({"cost": np.exp(rng.normal(size=600))}) for _ in range(2))
        found = rca.recovery(before, after + 0.3, metric={"name": "mean", "column": "cost"}, margin=0.3)
        hits += found.outcome in ("recovered", "no_worse")
    at_most(hits, draws, 0.06)
