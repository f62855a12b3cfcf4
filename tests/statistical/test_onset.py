"""The onset that was planted lies in the interval as often as promised, and nothing is dated where nothing began.

The planted moment lies anywhere between a tenth and nine tenths of the current window, between rows as it comes. What
each design measured is noted in the ledger: coverage, the median width in days and in rows, and power.
"""

import math
from functools import partial

import numpy as np
import pandas as pd
import pytest

from rca.methods.changepoint.dating import date, date_counts
from tests.statistical import promises
from tests.statistical.promises import MARGIN, long_and_short

START = pd.Timestamp("2026-01-01", tz="UTC")
DAY = 86_400.0
BEFORE, DAYS = 56, 28


def within(hits, draws, low, high):
    promises.within(hits, draws, (low, high))


# -- how values are drawn: `grown` is how far the change has come in each row, from 0 to 1 -----------------------------


def normal(rng, grown, size):
    return rng.normal(size=len(grown)) + size * grown


def rate(rng, grown, size):
    return (rng.random(len(grown)) < 0.05 + size * grown).astype(float)


def spreads(rng, grown):
    """Whether a row shows a fault that no row showed before."""
    return (rng.random(len(grown)) < grown).astype(float)


def log_loss(rng, grown, size):
    """A share of labels no longer follows the score."""
    score = 1 / (1 + np.exp(-2.5 * rng.normal(size=len(grown))))
    label = np.where(
        rng.random(len(grown)) < size * grown, rng.random(len(grown)) < 0.5, rng.random(len(grown)) < score
    )
    return -np.log(np.clip(np.where(label, score, 1 - score), 1e-6, 1))


def tail(rng, grown, size):
    return np.exp(1.2 * rng.normal(size=len(grown))) * (1 + size * grown)


def window(rng, days, per, start, *, uneven):
    """Times of rows in seconds: days of about as many rows, or of very different numbers of them."""
    rows = rng.poisson(per * (rng.gamma(2, 0.5, days) if uneven else np.ones(days)))
    return np.sort((start + np.repeat(np.arange(days), rows) + rng.random(rows.sum())) * DAY)


def drawn(rng, draw, per, *, grows=0.0, lasts=math.inf, days_differ=0.0, week=0.0, uneven=False):
    """Both windows, and the moment that was planted, in seconds; `grows` and `lasts` in days."""
    times = [window(rng, days, per, start, uneven=uneven) for days, start in ((BEFORE, 0), (DAYS, BEFORE))]
    every = np.concatenate(times)
    onset = (BEFORE + rng.uniform(0.1, 0.9 if not grows and lasts == math.inf else 0.5) * DAYS) * DAY
    since = every - onset
    grown = np.clip(since / (grows * DAY), 0, 1) if grows else (since >= 0) & (since < lasts * DAY)
    day = (every // DAY).astype(int)
    values = draw(rng, grown.astype(float))
    values = values + week * np.isin(day % 7, (2, 3)) + rng.normal(0, days_differ, BEFORE + DAYS)[day]
    parts = np.split(values, [len(times[0])])
    return [(moments(at), part) for at, part in zip(times, parts, strict=True)], onset


def moments(seconds):
    return pd.Series(START + pd.to_timedelta(seconds, unit="s"))


def measured(draws, draw, per, **how):
    """Onsets over many draws, and how often they hold the planted moment."""
    found, held = [], 0
    for seed in range(draws):
        windows, planted = drawn(np.random.default_rng(seed), draw, per, **how)
        onset = date(*windows, what="w", unit="u")
        if onset is not None:
            found.append(onset)
            held += onset.earliest <= START + pd.Timedelta(seconds=planted) <= onset.latest
    days = float(np.median([(one.latest - one.earliest).total_seconds() / DAY for one in found] or [0.0]))
    told = f"rows {per * DAYS}, covered {held / max(len(found), 1):.3f}, width {days:.2f} d = {days * per:.0f} rows"
    promises.noted("", seen=f"{told}, dated {len(found) / draws:.3f} of {draws}")
    return found, held


# -- coverage ----------------------------------------------------------------------------------------------------------

STEPS = {
    "normal, barely, 500 rows": (partial(normal, size=0.32), 18, {}),
    "normal, plainly, 500 rows": (partial(normal, size=1.0), 18, {}),
    "normal, barely, 5600 rows": (partial(normal, size=0.12), 200, {}),
    "normal, plainly, 5600 rows": (partial(normal, size=0.6), 200, {}),
    "rate 5 % to 15 %, 500 rows": (partial(rate, size=0.1), 18, {}),
    "rate 5 % to 15 %, 5600 rows": (partial(rate, size=0.1), 200, {}),
    "rate 5 % to 60 %, 500 rows": (partial(rate, size=0.55), 18, {}),
    "log loss, 20 % of labels, 5600 rows": (partial(log_loss, size=0.2), 200, {}),
    "log loss, 80 % of labels, 5600 rows": (partial(log_loss, size=0.8), 200, {}),
    "heavy tail times 1.5, 5600 rows": (partial(tail, size=0.5), 200, {}),
    "days of uneven size, rate 5 % to 15 %": (partial(rate, size=0.1), 200, {"uneven": True}),
    "days that differ, barely": (partial(normal, size=0.4), 200, {"days_differ": 0.15}),
    "days that differ, plainly": (partial(normal, size=1.5), 200, {"days_differ": 0.15, "uneven": True}),
    "a weekly season": (partial(normal, size=0.5), 100, {"week": 0.5}),
}


@long_and_short(6, 1000, within=(0.93, 0.97))
@pytest.mark.parametrize("design", STEPS)
def test_the_interval_of_a_step_covers_it(draws, design):
    draw, per, how = STEPS[design]
    found, held = measured(draws, draw, per, **how)
    assert len(found) >= 0.6 * draws
    within(
        held, len(found), 0.93, 0.99 if "days_differ" in how else 0.97
    )  # days that differ cost more than they have to
    assert np.mean([one.shape == "ramp" for one in found]) <= 0.05 + MARGIN * math.sqrt(0.05 * 0.95 / draws)


@long_and_short(4, 1000, within=(0.93, 0.97))
def test_the_interval_of_a_step_in_fifty_thousand_rows_covers_it(draws):
    found, held = measured(draws, partial(rate, size=0.03), 1800)
    within(held, len(found), 0.93, 0.97)


RAMPS = {
    "rate 5 % to 30 %": (partial(rate, size=0.25), 200, {"grows": 10}),
    "a fault that spreads to every row": (spreads, 200, {"grows": 14}),
    "normal": (partial(normal, size=1.5), 100, {"grows": 7}),
    "heavy tail": (partial(tail, size=3.0), 200, {"grows": 10}),
}


@long_and_short(6, 1000, within=(0.91, 0.98))
@pytest.mark.parametrize("design", RAMPS)
def test_the_interval_of_a_ramp_covers_where_it_leaves_normal(draws, design):
    draw, per, how = RAMPS[design]
    found, held = measured(draws, draw, per, **how)
    assert len(found) == draws
    within(held, len(found), 0.91, 0.98)  # where it is taken for a step, it is dated late
    assert np.mean([one.shape == "ramp" for one in found]) >= 0.85


@long_and_short(6, 400, within=(0.92, 0.99))
def test_what_ended_is_dated_at_both_ends(draws):
    found, held = measured(draws, partial(rate, size=0.3), 100, lasts=6)
    within(held, len(found), 0.92, 0.99)
    assert np.mean([one.until is not None for one in found]) >= 0.9
    lasted = [(one.until - one.at).total_seconds() / DAY for one in found if one.until is not None]
    assert abs(float(np.median(lasted)) - 6) <= 0.25


@long_and_short(6, 1000, within=(0.93, 0.97))
def test_labels_that_arrive_late_leave_the_interval_honest(draws):
    held = dated = 0
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        (before, (times, values)), planted = drawn(rng, partial(rate, size=0.2), 200)
        left = (times.max() - times).dt.total_seconds().to_numpy() / DAY
        late = rng.exponential(4, len(times)) > left  # a label comes after four days on average
        onset = date(before, (times, np.where(late, np.nan, values)), what="w", unit="u")
        if onset is not None:
            dated += 1
            held += onset.earliest <= START + pd.Timedelta(seconds=planted) <= onset.latest
    promises.noted("", seen=f"covered {held / dated:.3f}, dated {dated / draws:.3f} of {draws}")
    assert dated >= 0.9 * draws
    within(held, dated, 0.93, 0.97)


def counted(rng, draw_days, rows, moved):
    """Counts of each day in five cells; the day of the onset is hit from the onset on."""
    usual, after = np.array([0.3, 0.25, 0.2, 0.15, 0.1]), np.array([0.3, 0.25, 0.2, 0.15 - moved, 0.1 + moved])
    onset = rng.uniform(0.15, 0.85) * draw_days
    hit = np.clip(np.arange(draw_days) + 1 - onset, 0, 1)
    made = [rng.multinomial(rows, usual + part * (after - usual)) for part in hit]
    return np.array(made), rng.multinomial(rows * BEFORE, usual), onset


@long_and_short(8, 1000, within=(0.93, 1.0))
@pytest.mark.parametrize("moved", [0.03, 0.1])
def test_the_interval_from_counts_of_days_covers_the_onset(draws, moved):
    held, dated, width = 0, 0, []
    days = moments(np.arange(40) * DAY)
    for seed in range(draws):
        counts, usual, planted = counted(np.random.default_rng(seed), 40, 400, moved)
        onset = date_counts(days, counts, usual, what="w", unit="u")
        if onset is not None:
            dated += 1
            held += onset.earliest <= START + pd.Timedelta(days=planted) <= onset.latest
            width.append((onset.latest - onset.earliest).total_seconds() / DAY)
    promises.noted("", seen=f"covered {held / dated:.3f}, width {np.median(width):.1f} d, dated {dated / draws:.3f}")
    assert dated >= 0.9 * draws
    within(held, dated, 0.93, 1.0)  # whole days hold more than they promise


# -- nothing began -----------------------------------------------------------------------------------------------------

QUIET = {
    "normal": (partial(normal, size=0.0), 30, {}),
    "rate": (partial(rate, size=0.0), 100, {}),
    "log loss": (partial(log_loss, size=0.0), 30, {}),
    "heavy tail": (partial(tail, size=0.0), 100, {}),
    "a weekly season": (partial(normal, size=0.0), 100, {"week": 0.5}),
    "days that differ": (partial(normal, size=0.0), 200, {"days_differ": 0.15, "uneven": True}),
}


@long_and_short(8, 1000, within=(0.0, 0.05))
@pytest.mark.parametrize("design", QUIET)
def test_where_nothing_began_nothing_is_dated_in_nineteen_of_twenty(draws, design):
    draw, per, how = QUIET[design]
    found, _ = measured(draws, draw, per, **how)
    within(len(found), draws, 0.0, 0.05)


@long_and_short(20, 2000, within=(0.0, 0.05))
def test_counts_that_did_not_change_are_dated_in_one_of_twenty(draws):
    days, alarms = moments(np.arange(40) * DAY), 0
    for seed in range(draws):
        counts, usual, _ = counted(np.random.default_rng(seed), 40, 400, 0.0)
        alarms += date_counts(days, counts, usual, what="w", unit="u") is not None
    within(alarms, draws, 0.0, 0.05)
