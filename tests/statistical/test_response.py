"""Over repeated draws of incidents: intervals cover what they promise, tests fire at their rate, and power is as told.

Lengths are log-normal, Weibull with a heavy tail, or of two kinds, quick and slow; all have ended, or some are open as
they are in life: begun at any time before "now", and not over yet.
"""

import math
from functools import cache
from itertools import product

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from rca.analysis.portfolio.comparison_tests import growth, log_rank, ratio, trend_test
from rca.analysis.portfolio.kaplan_meier import survival
from rca.analysis.portfolio.summaries import compare_periods, horizon_of
from tests.statistical.promises import at_least, enough, long_and_short, within

COVERS, SMALL = (0.93, 0.97), 0.93
"""What intervals of 95 % cover with 50 incidents or more; and at least, with 10."""

QUICK, SLOW, SPREAD, PART = 3.0, 6.0, 0.4, 0.6


def bimodal(rng, n):
    return np.where(rng.random(n) < PART, rng.lognormal(QUICK, SPREAD, n), rng.lognormal(SLOW, SPREAD, n))


def bimodal_quantile(level):
    def beyond(time):
        z = (math.log(time) - np.array([QUICK, SLOW])) / SPREAD
        return float(np.dot([PART, 1 - PART], norm.cdf(z))) - level

    return brentq(beyond, 1e-3, 1e6)


KINDS = {
    "log-normal": (lambda rng, n: rng.lognormal(4, 1.3, n), lambda level: math.exp(4 + 1.3 * norm.ppf(level))),
    "Weibull": (lambda rng, n: 50 * rng.weibull(0.6, n), lambda level: 50 * (-math.log(1 - level)) ** (1 / 0.6)),
    "bimodal": (bimodal, bimodal_quantile),
}
SEEN = ("all ended", "some open")


def draw(kind, seen, n, rng):
    """Lengths, and whether each has ended."""
    make, quantile = KINDS[kind]
    lengths = make(rng, n)
    if seen == "all ended":
        return lengths, np.ones(n, bool)
    room = rng.random(n) * 6 * quantile(0.5)
    return np.minimum(lengths, room), lengths <= room


def promise(hits, draws, n):
    at_least(hits, draws, SMALL) if n < 50 else within(hits, draws, COVERS)


@pytest.mark.parametrize("n", [10, 50, 500])
@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("kind", KINDS)
@long_and_short(20, 4000, at_least=SMALL, within=COVERS)
def test_the_interval_of_a_median_covers_it(kind, seen, n, draws):
    truth, hits = KINDS[kind][1](0.5), 0
    for seed in range(draws):
        hits += survival(*draw(kind, seen, n, np.random.default_rng([1, n, seed]))).quantile(0.5).holds(truth)
    promise(hits, draws, n)


@pytest.mark.parametrize("n", [10, 50, 500])
@pytest.mark.parametrize("kind", KINDS)
@long_and_short(20, 4000, at_least=SMALL)
def test_the_interval_of_the_upper_quartile_covers_it(kind, n, draws):
    truth, hits = KINDS[kind][1](0.75), 0
    for seed in range(draws):
        hits += survival(*draw(kind, "all ended", n, np.random.default_rng([2, n, seed]))).quantile(0.75).holds(truth)
    at_least(hits, draws, SMALL)


@pytest.mark.parametrize("n", [50, 500])
@long_and_short(20, 4000, at_least=SMALL)
def test_the_interval_of_a_median_of_lengths_to_the_minute_covers_it(n, draws):
    truth, hits = KINDS["log-normal"][1](0.5), 0
    for seed in range(draws):
        minutes = np.ceil(draw("log-normal", "all ended", n, np.random.default_rng([3, n, seed]))[0] - 0.5)
        hits += survival(np.maximum(minutes, 0.5)).quantile(0.5, grain=1.0).holds(truth)
    at_least(hits, draws, SMALL)


@cache
def sample(kind):
    found = np.sort(KINDS[kind][0](np.random.default_rng(0), 1_000_000))
    return found, np.cumsum(found)


def mean_before(kind, horizon):
    found, total = sample(kind)
    place = int(np.searchsorted(found, horizon))
    return float((total[place - 1] if place else 0.0) + horizon * (len(found) - place)) / len(found)


CURVES = list(product(SEEN, [20, 50, 500]))
SELDOM = ("some open", 20)
"""Of one draw in fifty an interval is told: few draws prove nothing."""


@pytest.mark.parametrize(
    ("seen", "n", "draws"),
    [
        *((*one, enough(20, at_least=SMALL)) for one in CURVES if one != SELDOM),
        *(pytest.param(*one, enough(4000, at_least=SMALL), marks=pytest.mark.prove) for one in CURVES),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_the_interval_of_a_restricted_mean_covers_it(kind, seen, n, draws):
    hits = told = 0
    for seed in range(draws):
        curve = survival(*draw(kind, seen, n, np.random.default_rng([4, n, seed])))
        horizon = horizon_of(curve)
        found = curve.restricted_mean(horizon)
        if found.low is not None:
            told += 1
            hits += found.holds(mean_before(kind, horizon))
    at_least(hits, told, SMALL)


@pytest.mark.parametrize("n", [10, 50, 500])
@pytest.mark.parametrize("kind", KINDS)
@long_and_short(20, 4000, at_least=SMALL)
def test_the_interval_of_the_share_beyond_a_limit_covers_it(kind, n, draws):
    limit, hits = KINDS[kind][1](0.7), 0
    for seed in range(draws):
        hits += survival(*draw(kind, "some open", n, np.random.default_rng([5, n, seed]))).beyond(limit).holds(0.3)
    at_least(hits, draws, SMALL)


@pytest.mark.parametrize("n", [10, 50, 500])
@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("kind", KINDS)
@long_and_short(20, 4000, at_least=SMALL)
def test_the_interval_of_a_ratio_of_medians_covers_it(kind, seen, n, draws):
    hits = 0
    for seed in range(draws):
        rng = np.random.default_rng([6, n, seed])
        (first, first_ended), (second, second_ended) = (draw(kind, seen, n, rng) for _ in range(2))
        medians = survival(first, first_ended).quantile(0.5), survival(second * 1.7, second_ended).quantile(0.5)
        found = ratio(medians[1], medians[0])
        hits += found.value is None or found.holds(1.7)
    at_least(hits, draws, SMALL)


@pytest.mark.parametrize("n", [50, 200])
@long_and_short(30, 4000, within=(0.72, 0.88))
def test_the_smallest_change_that_could_have_been_seen_is_seen_in_most_cases(n, draws):
    told = [compare_periods(*_pair(n, seed, 1.0)).smallest for seed in range(20)]
    change, seen = float(np.median(told)), 0
    for seed in range(draws):
        seen += compare_periods(*_pair(n, 100 + seed, change)).differs
    within(seen, draws, (0.72, 0.88))


def _pair(n, seed, by):
    rng = np.random.default_rng([7, n, seed])
    return rng.lognormal(4, 1.3, n), rng.lognormal(4, 1.3, n) * by


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("n", [30, 200])
@long_and_short(20, 4000, within=(0.035, 0.065))
def test_without_a_trend_the_trend_test_fires_at_its_rate(n, seen, draws):
    hits = 0
    for seed in range(draws):
        rng = np.random.default_rng([8, n, seed])
        lengths, ended = draw("log-normal", seen, n, rng)
        hits += trend_test(lengths, ended, rng.random(n))[1] <= 0.05
    within(hits, draws, (0.035, 0.065))


@pytest.mark.parametrize("n", [50, 200])
@long_and_short(20, 4000, within=(0.04, 0.065))
def test_without_a_difference_the_log_rank_test_fires_at_its_rate(n, draws):
    hits = 0
    for seed in range(draws):
        lengths, ended = draw("Weibull", "some open", 2 * n, np.random.default_rng([9, n, seed]))
        hits += log_rank(lengths, ended, np.repeat([0, 1], n)) <= 0.05
    within(hits, draws, (0.04, 0.065))


@pytest.mark.parametrize("n", [30, 200])
@long_and_short(12, 2000, within=COVERS)
def test_the_interval_of_a_growth_covers_it(n, draws):
    hits = 0
    for seed in range(draws):
        rng = np.random.default_rng([10, n, seed])
        years = rng.random(n) * 3
        lengths = rng.lognormal(4, 1.3, n) * 1.2**years
        room = rng.random(n) * 600
        hits += growth(np.minimum(lengths, room), lengths <= room, years).holds(1.2)
    within(hits, draws, COVERS)
