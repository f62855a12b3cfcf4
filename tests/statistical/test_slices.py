"""A planted slice is found, none is where none was planted, and what is said to be lost in one is.

Counts over repeated draws are judged with a Monte Carlo margin, as everywhere in this folder; seeds are fixed.
"""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.inputs.windows import Windows
from rca.analysis.slices.group_gaps import between, group_gaps, limits
from rca.analysis.slices.slices import find_slices
from rca.analysis.slices.within_between import MetricChange, loss
from rca.methods.metric import measure
from rca.record.case import Roles
from rca.record.schema.incident import Metric
from rca.tables.condition import all_hold
from tests.statistical.promises import at_least, at_most, long_and_short, of_some_and_all

RATE = Metric(name="rate", column="bad")
BASE = 0.1


def people(rng, n):
    return pd.DataFrame(
        {
            "region": pd.Series(rng.choice(list("abcde"), n, p=[0.4, 0.25, 0.2, 0.1, 0.05])),
            "kind": pd.Series(rng.choice(list("uvw"), n)),
            "age": rng.integers(18, 80, n),
            **{f"x{i}": rng.normal(size=n) for i in range(6)},
        }
    )


def flagged(rng, rows, rate):
    return rows.assign(bad=(rng.random(len(rows)) < rate).astype(int))


def sliced(reference, current, *, seed, **roles):
    features = tuple(name for name in reference.columns if name not in ("bad", *roles.get("text", ())))
    windows = Windows(
        reference=reference, current=current, roles=Roles(features=features, **roles), metric=RATE, parents={}
    )
    measured = measure(
        windows.meter.parts(reference), windows.meter.parts(current), RATE, rng=np.random.default_rng(seed)
    )
    return find_slices(windows, measured, rng=np.random.default_rng(seed))


def drawn(seed, n, hit, by):
    """Both windows; the flag is up more often in the current rows that are hit."""
    rng = np.random.default_rng(seed)
    before, after = people(rng, n), people(rng, n)
    return flagged(rng, before, BASE), flagged(rng, after, BASE + by * hit(after))


def columns_of(found):
    return found.slices[0].columns if found.slices else frozenset()


PLANTED = {
    "a group": (2000, 0.3, {"region"}, lambda rows: rows["region"] == "b"),
    "a threshold": (3000, 0.3, {"age"}, lambda rows: rows["age"] < 30),
    "two conditions": (5000, 0.3, {"region", "age"}, lambda rows: (rows["region"] == "b") & (rows["age"] < 40)),
    "three conditions": (
        20_000,  # 600 rows in it: at half as many one draw in four changes the whole metric no more than chance does
        0.4,
        {"region", "age", "kind"},
        lambda rows: (rows["region"] == "b") & (rows["age"] < 40) & (rows["kind"] == "u"),
    ),
}


@long_and_short(3, 200, at_least=0.9)
@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_slice_is_named_first_and_nothing_redundant_with_it(draws, what):
    n, by, columns, hit = PLANTED[what]
    right = local = 0
    for seed in range(draws):
        found = sliced(*drawn(seed, n, hit, by), seed=seed)
        held = (
            all_hold(found.slices[0].conditions, rows := people(np.random.default_rng(seed), 5000))
            if found.slices
            else []
        )
        alike = len(held) and (held & hit(rows)).sum() / (held | hit(rows)).sum()
        right += columns_of(found) == columns and alike >= 0.7
        local += found.local
    at_least(right, draws, 0.95)
    at_least(local, draws, 0.9)


# -- texts -------------------------------------------------------------------------------------------------------------

WHO = ["gay", "lesbian", "muslim", "old", "young", "tall", "short", "french"]


def asked(rng, n, hit=(), phrase="?", by=0.5):
    """Questions; 'people' stands beside the words for people, and 'no' and 'refund' alone as often as together."""
    texts, bad = [], np.zeros(n)
    for at in range(n):
        words = [f"word{i}" for i in rng.integers(0, 60, rng.integers(3, 7))]
        if rng.random() < 0.5:
            words = ["People", *([f"are {rng.choice(WHO)}"] if rng.random() < 0.6 else []), *words]
        words.append(str(rng.choice(["no refund", "no", "refund", "train"])))
        text = " ".join(words)
        texts.append(text)
        bad[at] = by * (bool(set(text.split()) & set(hit)) or phrase in text)
    return flagged(rng, pd.DataFrame({"text": texts}), 0.05 + bad)


WORDS = [
    ({"hit": ["gay"]}, {"text~gay"}),
    ({"hit": ["gay", "lesbian", "muslim"]}, {"text~gay", "text~lesbian", "text~muslim"}),
    ({"phrase": "no refund"}, {"text~no refund"}),
    ({}, set()),
]


@pytest.mark.parametrize(("planted", "named", "draws"), of_some_and_all(WORDS[1:3], WORDS, (2, 60), at_least=0.95))
def test_planted_words_are_named_and_not_their_company(draws, planted, named):
    right = 0
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        found = sliced(asked(rng, 4000), asked(rng, 4000, **planted), seed=seed, text=("text",))
        right += {one.name for one in found.slices} == named
    at_least(right, draws, 0.95)


# -- false alarms ------------------------------------------------------------------------------------------------------


def alike(rng, n):
    return flagged(rng, people(rng, n), BASE), flagged(rng, people(rng, n), BASE)


def worse_everywhere(rng, n):
    return flagged(rng, people(rng, n), BASE), flagged(rng, people(rng, n), BASE + 0.2)


def of_another_mix(rng, n):
    """A group with three times the others' rate doubles, and columns that go along with it move too."""

    def made(share):
        member = rng.random(n) < share
        beside = np.where(rng.random(n) < 0.7, member, rng.random(n) < 0.3)
        rows = pd.DataFrame(
            {"member": pd.Series(np.where(member, "yes", "no")), "beside": pd.Series(np.where(beside, "u", "v"))}
        )
        rows = rows.assign(near=rng.normal(size=n) + member, apart=rng.normal(size=n))
        return flagged(rng, rows, np.where(member, 0.35, 0.1))

    return made(0.2), made(0.4)


@long_and_short(8, 400, at_most=0.05)
@pytest.mark.parametrize("windows", [alike, worse_everywhere, of_another_mix])
def test_where_no_slice_changed_by_itself_none_is_named_in_nineteen_of_twenty(draws, windows):
    named = local = 0
    for seed in range(draws):
        found = sliced(*windows(np.random.default_rng(seed), 2000), seed=seed)
        named += bool(found.slices)
        local += found.local
    at_most(named, draws, 0.05)
    at_most(local, draws, 0.025)


# -- coverage ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "draws"), of_some_and_all([0.2], [0.3, 0.2], (6, 1000), at_least=0.9))
def test_the_interval_of_the_first_slice_covers_what_is_lost_in_it(draws, by):
    hit = PLANTED["a group"][3]
    whole = people(np.random.default_rng(10**6), 200_000)
    truth = MetricChange(
        value=(np.full(200_000, BASE), BASE + by * hit(whole).to_numpy()), weight=(np.ones(200_000),) * 2
    )
    covered = called = 0
    for seed in range(draws):
        found = sliced(*drawn(seed, 2000, hit, by), seed=seed)
        if found.slices:
            held = all_hold(found.slices[0].conditions, whole)
            covered += loss(truth, (held, held)).lost in found.slices[0].interval
            called += 1
    at_least(called, draws, 0.9)
    at_least(covered, called, 0.95)


@long_and_short(200, 20_000, at_least=0.94, each=0.1)
@pytest.mark.parametrize("groups", [2, 3, 8])
def test_the_interval_of_a_gap_and_of_its_change_cover_it_however_many_groups_there_are(draws, groups):
    rng, errors = np.random.default_rng(groups), np.linspace(0.5, 1.5, groups)
    truths = [np.zeros(groups), 3 * np.eye(groups)[0], np.linspace(0, 8, groups)]
    for first in truths:
        for second in truths:
            hits = opened = 0
            for _ in range(draws // 10):
                sides = [limits(truth + errors * rng.normal(size=groups), errors) for truth in (first, second)]
                hits += np.ptp(first) in sides[0][1]
                opened += np.ptp(second) - np.ptp(first) in between(*sides)
            at_least(hits, draws // 10, 0.95)
            at_least(opened, draws // 10, 0.94)


@long_and_short(12, 1000, at_most=0.05)
def test_where_no_gap_opened_one_is_called_opened_in_one_of_twenty(draws):
    hits = 0
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        both = [flagged(rng, people(rng, 1500), BASE) for _ in range(2)]
        roles = Roles(groups=("region", "kind"))
        found = group_gaps(Windows(reference=both[0], current=both[1], roles=roles, metric=RATE, parents={}))
        hits += any(one.opened for one in found.gaps)
    at_most(hits, draws, 0.05)
