"""Incidents as they come, with mixed columns and a decoy louder than the fault: the verdict names what was planted."""

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest

from rca.analysis.conclusion.verdict import weigh_windows
from rca.analysis.conclusion.window_answers import Answers
from rca.analysis.drift.question import drift_of
from rca.analysis.faults.question import faults_of
from rca.analysis.harm.question import harm_of
from rca.analysis.inputs.windows import measured_of, windows_from
from rca.analysis.onset.question import onset_of
from rca.analysis.slices.question import slices_of
from rca.result import Asking
from tests.statistical.promises import at_least, at_most, enough, long_and_short, noted

ROWS, DAYS = 3000, 56
MEMBERS = {"web": 0.4, "phone": 0.3, "branch": 0.2, "agent": 0.1}
READ = ["age", "income", "channel", "balance", "x0", "x1"]


def log_odds(rows):
    """What the label truly follows, and the model with it."""
    channel = rows["channel"].map({"web": 0.0, "phone": 0.8, "branch": -0.8, "agent": 1.6}).fillna(0.0)
    numbers = {name: pd.to_numeric(rows[name], errors="coerce").fillna(0.0) for name in ("age", "income", "balance")}
    line = 0.12 * (numbers["age"] - 42) - 1.2 * np.log(np.maximum(numbers["income"], 1) / 3000) + channel
    return (line + 0.5 * (numbers["balance"] > 0) + 0.4 * rows["x0"]).to_numpy(float)


def model(rows):
    return 1 / (1 + np.exp(-log_odds(rows)))


def window(rng, start):
    """Rows in time order, fewer on weekends; who comes on a weekend is another mix."""
    day = np.sort(rng.integers(0, DAYS, ROWS))
    weekend = day % 7 >= 5
    by_chance = rng.choice(list(MEMBERS), ROWS, p=[*MEMBERS.values()])
    rows = pd.DataFrame({
        "at": pd.Timestamp(start, tz="UTC") + pd.to_timedelta(day * 86_400 + rng.integers(0, 86_400, ROWS), unit="s"),
        "age": rng.normal(42, 12, ROWS).clip(18, 90).round(),
        "income": np.exp(rng.normal(8, 0.5, ROWS)).round(),
        "channel": np.where(weekend & (rng.random(ROWS) < 0.5), "web", by_chance),
        "balance": np.where(rng.random(ROWS) < 0.4, 0.0, rng.exponential(900, ROWS).round(2)),
        "x0": rng.normal(size=ROWS),
        "x1": rng.normal(size=ROWS),
    })  # fmt: skip
    return rows.assign(label=(rng.random(ROWS) < model(rows)).astype(int)), day


def some(rng, day, share=0.5):
    return rng.random(ROWS) < share


PLANTED = {
    "scaled in a segment": ("income", "scaled", lambda rng, rows, day: (rows["channel"] == "phone").to_numpy()),
    "frozen in a segment": ("age", "frozen", lambda rng, rows, day: (rows["channel"] == "phone").to_numpy()),
    "default in half of the rows": ("age", "default_value", lambda rng, rows, day: some(rng, day)),
    "missing in half of the rows": ("income", "missing", lambda rng, rows, day: some(rng, day)),
    "default on a ramp": ("age", "default_value", lambda rng, rows, day: some(rng, day, (day - 10) / 30)),
    "recoded from a day on": ("channel", "recoded", lambda rng, rows, day: day >= 14),
    "scaled from a day on": ("income", "scaled", lambda rng, rows, day: day >= 14),
    "frozen throughout": ("age", "frozen", lambda rng, rows, day: day >= 0),
}  # fmt: skip
RENAMED = dict(zip(MEMBERS, [*list(MEMBERS)[1:], "web"], strict=True))


def broken(rows, column, fault, hit):
    wrong = {
        "scaled": lambda: rows[column] / 12,
        "frozen": lambda: pd.Series(float(rows[column].iloc[7]), index=rows.index),
        "default_value": lambda: pd.Series(999.0, index=rows.index),
        "missing": lambda: pd.Series(np.nan, index=rows.index),
        "recoded": lambda: rows[column].map(RENAMED),
    }[fault]()
    return rows.assign(**{column: rows[column].mask(hit, wrong)})


def judged(before, after, *, known=True):
    frames = [rows.assign(score=model(rows), said=(model(rows) >= 0.5).astype(int)) for rows in (before, after)]
    roles = {"label": "label", "score": "score", "prediction": "said", "time": "at", "features": tuple(READ)}
    windows = windows_from(*frames, metric="log_loss", model=model if known else None, **roles)
    told = answers_that_a_verdict_rests_on(windows)
    return told, weigh_windows(told.harm, told.since.onset if told.since else None, slices=told.slices)


def answers_that_a_verdict_rests_on(windows):
    """Each as `window_answers` gives it, for every question draws anew; questions that no verdict asks cost as much."""
    ask = Asking()
    drift = drift_of(windows)
    faults = faults_of(windows, drift)
    slices = ask(lambda: slices_of(windows, measured_of(windows)))
    harm = harm_of(windows, drift, faults, slices=slices)
    since = ask(lambda: onset_of(windows, harm, faults=faults, slices=slices))
    return Answers(windows=windows, drift=drift, faults=faults, harm=harm, slices=slices, since=since)


SOME = ("scaled in a segment", "default on a ramp", "recoded from a day on")
"""Faults of which one draw is judged; without a model, where a stand-in is fitted for as long again, only of many."""


def struck(plan, seed, *, known=True):
    column, fault, strikes = PLANTED[plan]
    rng = np.random.default_rng([3, seed])
    (before, _), (after, day) = window(rng, "2026-01-05"), window(rng, "2026-03-02")
    after = broken(after, column, fault, strikes(rng, after, day)).assign(x1=lambda rows: rows["x1"] + 2.0)
    return judged(before, after, known=known)


def named(plan, told, verdict):
    """Whether its column comes first, and its fault goes by its name."""
    column, fault, _ = PLANTED[plan]
    found = told.faults.get(column)
    return bool(verdict.causes) and verdict.causes[0].name == column, found is not None and found.fault == fault


struck_once = cache(lambda plan: struck(plan, 0))


@pytest.mark.parametrize("plan", SOME)
def test_of_one_draw_a_fault_in_a_part_of_the_rows_is_named_first_beside_a_louder_column(plan):
    assert named(plan, *struck_once(plan)) == (True, True)


@pytest.mark.prove
@pytest.mark.parametrize("draws", [enough(60, at_least=0.9)])
@pytest.mark.parametrize(("plan", "known"), list(product(PLANTED, [True, False])))
def test_a_fault_in_a_part_of_the_rows_is_named_first_beside_a_louder_column(draws, plan, known):
    found = [named(plan, *struck(plan, seed, known=known)) for seed in range(draws)]
    at_least(sum(first for first, _ in found), draws, 0.9, of="cause")
    at_least(sum(kind for _, kind in found), draws, 0.9, of="fault")


@long_and_short(1, 60, at_least=0.95)
def test_of_two_faults_both_are_named_and_the_harm_divided_as_mending_each_would(draws):
    named, apart = 0, []
    for seed in range(draws):
        rng = np.random.default_rng([4, seed])
        (before, _), (clean, day) = window(rng, "2026-01-05"), window(rng, "2026-03-02")
        plans = (("income", "scaled", day >= 14), ("channel", "recoded", day >= 28))
        after = clean
        for plan in plans:
            after = broken(after, *plan)
        told, verdict = judged(before, after)
        named += {cause.name for cause in verdict.causes[:2]} == {"income", "channel"}
        apart += [
            abs(_part(told, name) - truth) / told.harm.measured.worse for name, truth in _true_parts(clean, plans)
        ]
    at_least(named, draws, 0.95)
    noted("error of a part, share of the harm", seen=f"median {np.median(apart):.3f}, largest {max(apart):.3f}")
    assert np.median(apart) < 0.1


def _part(told, name):
    return next((part.value for part in told.harm.contributions if part.name == name), 0.0)


def _true_parts(clean, plans):
    """Each fault's Shapley value in the mean loss of the very rows that it hit."""

    def loss(chosen):
        rows = clean
        for plan in chosen:
            rows = broken(rows, *plan)
        score = np.clip(model(rows), 1e-15, 1 - 1e-15)
        return float(-np.log(np.where(rows["label"] == 1, score, 1 - score)).mean())

    first, second = plans
    whole, alone = loss(plans), (loss([first]), loss([second]))
    return [
        (first[0], (alone[0] - loss([]) + whole - alone[1]) / 2),
        (second[0], (alone[1] - loss([]) + whole - alone[0]) / 2),
    ]


@long_and_short(1, 200, at_most=0.05)
def test_a_weekly_season_and_a_loud_column_are_no_incident(draws):
    alarms = faulty = 0
    for seed in range(draws):
        rng = np.random.default_rng([5, seed])
        (before, _), (after, _) = window(rng, "2026-01-05"), window(rng, "2026-03-02")
        told, verdict = judged(before, after.assign(x1=lambda rows: rows["x1"] * 1.8))
        alarms += verdict.status != "no_incident"
        faulty += any(row.broken for row in told.faults.columns)
    at_most(alarms, draws, 0.025, of="alarms")
    at_most(faulty, draws, 0.05, of="faults named")


@long_and_short(1, 60, at_least=0.95)
def test_labels_that_come_for_a_part_of_the_rows_leave_the_cause_to_be_found(draws):
    hits = 0
    for seed in range(draws):
        rng = np.random.default_rng([6, seed])
        (before, _), (after, day) = window(rng, "2026-01-05"), window(rng, "2026-03-02")
        after = broken(after, "income", "scaled", day >= 14)
        late = (day > 42) | (rng.random(ROWS) < 0.3)
        told, verdict = judged(before, after.assign(label=after["label"].astype(float).mask(late)))
        hits += bool(verdict.causes) and verdict.causes[0].name == "income" and told.since is not None
    at_least(hits, draws, 0.95)


def test_a_verdict_is_the_same_each_time():
    first, again = struck_once(SOME[-1]), struck(SOME[-1], 0)
    assert first[1] == again[1]
    assert replace(first[0], windows=None).harm == replace(again[0], windows=None).harm
