"""Intervals of what an event did hold it as often as they say, and where it did nothing it is hardly ever shown.

Rows are right or wrong; how often changes from day to day by a season, by chance that runs on (autocorrelation 0.3) and
is as large as that of sampling, and along a line. Planted effects are of the same size in every draw.
"""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from rca.analysis.event_study.question import effect
from tests.statistical.promises import at_least, at_most, enough, of_some_and_all, within

EVENT = pd.Timestamp("2026-03-02T00:00Z")
RATE = {"name": "rate", "column": "wrong"}
SIZES = {"16 and 9 days": (16, 9), "32 and 15 days": (32, 15), "80 and 40 days": (80, 40), "150 and 60 days": (150, 60)}
PLANTED = 0.1


def carried(rng, days, *, rho=0.3, spread=0.04):
    """Chance that runs on from day to day, of this standard deviation."""
    steps = rng.normal(0, spread * np.sqrt(1 - rho**2), days + 50)
    for at in range(1, len(steps)):
        steps[at] += rho * steps[at - 1]
    return steps[50:]


def season(days, *, height=0.05):
    return np.where(days % 7 >= 5, -height, 0.4 * height)


def rows_of(rng, size, *, planted, group=None, mix=0.0, line=0.001, each=150):
    """Rows of all days; of a design with groups the effect is on group a alone, and all groups share most of chance."""
    days = np.arange(-size[0], size[1])
    count = rng.integers(each // 3, 2 * each, len(days))
    day = np.repeat(np.arange(len(days)), count)
    late = days[day] >= 0
    labels = rng.choice(list("aabcd"), len(day)) if group else np.full(len(day), "a")
    chance = 0.35 + season(days)[day] + line * days[day] * (mix == 0)
    chance += carried(rng, len(days), spread=0.06 if group else 0.04)[day]
    if group:
        chance += sum((labels == one) * carried(rng, len(days), spread=0.03)[day] for one in "abcd")
    kind = rng.choice(["x", "y", "z"], len(day))
    load = rng.normal(mix * late, 1.0)
    chance += (mix > 0) * (0.04 * load + 0.02 * np.minimum(load**2, 4) + 0.05 * (kind == "x"))
    chance += planted * (late & (labels == "a"))
    at = EVENT + pd.to_timedelta(days[day] * 86_400 + rng.integers(0, 86_400, len(day)), unit="s")
    wrong = rng.random(len(day)) < np.clip(chance, 0, 1)
    return pd.DataFrame({"at": at, "wrong": wrong, "group": labels, "load": load, "kind": kind})


DESIGNS = {
    "interrupted time series": ({}, {}),
    "difference in differences": ({"group": True}, {"groups": "group", "affected": "a"}),
    "at one mix": ({"mix": 0.7, "line": 0.0}, {"covariates": ["load", "kind"], "design": "before_after"}),
    "interrupted and at one mix": ({"mix": 0.7, "line": 0.0}, {"covariates": ["load", "kind"], "design": "its"}),
}


def studied(seed, size, design, *, planted, refute):
    law, asked = DESIGNS[design]
    rng = np.random.default_rng(seed)
    rows = rows_of(rng, SIZES[size], planted=planted, **law)
    return effect(rows, event=EVENT, metric=RATE, time="at", seed=seed, refute=refute, **asked)


EVERY = list(product(DESIGNS, SIZES))
EACH = list(zip(DESIGNS, SIZES, strict=True))
"""Each design once, and each size."""


@pytest.mark.parametrize(("design", "size", "draws"), of_some_and_all(EACH, EVERY, (3, 500), within=(0.93, 0.97)))
def test_a_planted_effect_lies_in_its_interval(draws, size, design):
    found = [studied(100 + seed, size, design, planted=PLANTED, refute=False) for seed in range(draws)]
    within(sum(PLANTED in one.effect.interval for one in found), draws, (0.93, 0.97))


SHORT = [one for one in EVERY if one[1] != "150 and 60 days"]
FEW = [(design, "16 and 9 days" if size == "150 and 60 days" else size) for design, size in EACH]


@pytest.mark.parametrize(("design", "size", "draws"), of_some_and_all(FEW, SHORT, (2, 500), at_most=0.05))
def test_where_an_event_did_nothing_no_effect_is_shown(draws, size, design):
    found = [studied(1000 + seed, size, design, planted=0.0, refute=True) for seed in range(draws)]
    at_most(sum(one.strength == "shown" for one in found), draws, 0.05)


@pytest.mark.parametrize("design", DESIGNS)
def test_of_one_draw_a_large_effect_is_shown(design):
    assert studied(2000, "32 and 15 days", design, planted=0.3, refute=True).strength == "shown"


@pytest.mark.prove
@pytest.mark.parametrize("draws", [enough(200, at_least=0.9)])
@pytest.mark.parametrize("design", DESIGNS)
def test_a_large_effect_is_shown(draws, design):
    found = [studied(2000 + seed, "80 and 40 days", design, planted=0.3, refute=True) for seed in range(draws)]
    at_least(sum(one.strength == "shown" for one in found), draws, 0.9)
