"""Codes numbered anew without a level, or with a new one: found, undone, dated; and codes that only went or came."""

import re

import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.application import mend
from rca.analysis.faults.diagnosis import diagnose
from rca.analysis.faults.rule import Scene
from rca.analysis.faults.rules.renumbering import renumbered, renumbered_from, renumbered_in_part
from rca.tables.column_pair import ColumnPair

SHARES = np.array([0.1, 0.2, 0.32, 0.06, 0.14, 0.18])
EFFECTS = np.array([0.0, 2.0, -2.0, 1.0, -1.0, 3.0])
NEW = -1


def rows_of(rng, shares, effects, rows=3000):
    """A code, and a number that goes with it."""
    code = rng.choice(len(shares), rows, p=shares / shares.sum())
    return pd.DataFrame({"c": code, "x": effects[code] + rng.normal(size=rows), "y": rng.normal(size=rows)})


def without(rng, gone, shares=SHARES, effects=EFFECTS, rows=3000):
    """Rows in which some levels are absent, by the codes that they should have, and what they have."""
    kept = np.where(np.isin(np.arange(len(shares)), gone), 0.0, shares)
    truth = rows_of(rng, kept, effects, rows)
    return truth, truth.assign(c=truth["c"] - sum((truth["c"] > one).astype(int) for one in gone))


def with_new(rng, place, shares=SHARES, effects=EFFECTS, rows=3000):
    """Rows in which a new level has come, that has the code `NEW` in truth."""
    after = rows_of(rng, np.insert(0.88 * shares, place, 0.12), np.insert(effects, place, 0.5), rows)
    truth = after["c"].where(after["c"] < place, after["c"] - 1).mask(after["c"] == place, NEW)
    return after.assign(c=truth), after


def scene_of(before, after, *, moved=("c",), ordered=False):
    names = tuple(before.columns)
    return Scene(
        reference=before, current=after, codes=frozenset({"c"}), names=names, moved=frozenset(moved), ordered=ordered
    )


def asked(before, after, rule=renumbered, **options):
    return rule(ColumnPair(reference=before["c"], current=after["c"], coded=True), scene_of(before, after, **options))


def named(before, after, *, coded=True, ordered=False):
    codes = ("c",) if coded else ()
    moved = univariate_drift(before, after, features=list(before.columns), categorical=codes)
    return diagnose(before, after, moved, categorical=codes, ordered=ordered).get("c")


@pytest.mark.parametrize("gone", [(0,), (1,), (3,), (4,), (0, 2), (1, 4), (3, 4)])
@pytest.mark.parametrize("coded", [True, False])
def test_codes_numbered_anew_without_levels_are_recoded_and_undone(gone, coded):
    before, (truth, after) = rows_of(np.random.default_rng(0), SHARES, EFFECTS), without(np.random.default_rng(1), gone)
    found = named(before, after, coded=coded)
    if not coded and gone == (0,):
        assert found.fault in {"recoded", "shifted"}
    else:
        assert found.fault == "recoded"
        assert found.evidence.endswith(f"as if numbered anew without {' and '.join(map(str, gone))}")
    assert (mend(found, after) == truth["c"]).all()


@pytest.mark.parametrize("place", range(6))
def test_codes_numbered_anew_with_a_new_level_are_recoded_and_undone(place):
    before, (truth, after) = (
        rows_of(np.random.default_rng(0), SHARES, EFFECTS),
        with_new(np.random.default_rng(1), place),
    )
    found = named(before, after)
    assert found.fault == "recoded"
    known = truth["c"] != NEW
    assert (mend(found, after) == truth["c"])[known].all()


def test_the_share_is_that_of_rows_in_codes_that_moved():
    before, (truth, after) = rows_of(np.random.default_rng(0), SHARES, EFFECTS), without(np.random.default_rng(1), (3,))
    found = asked(before, after)
    assert found.share == pytest.approx((truth["c"] != after["c"]).mean())
    assert found.recoding == (("3", "4"), ("4", "5"))
    assert found.evidence.startswith(f"in {found.share:.0%} of the rows 3 stands for 4, 4 stands for 5, as if")


@pytest.mark.parametrize("since", [600, 1500])
@pytest.mark.parametrize("gone", [(1,), (3,), (1, 3)])
def test_codes_numbered_anew_from_a_row_on_are_dated_though_the_level_was_absent_before(since, gone):
    before, (truth, after) = rows_of(np.random.default_rng(0), SHARES, EFFECTS), without(np.random.default_rng(2), gone)
    after = after.assign(c=np.where(np.arange(3000) >= since, after["c"], truth["c"]))
    found = named(before, after, ordered=True)
    assert found.fault == "recoded"
    assert found.since == pytest.approx(since, abs=25)
    assert found.since_interval[0] <= since <= found.since_interval[1]
    assert (mend(found, after) == truth["c"]).mean() >= 0.99


def test_codes_numbered_anew_when_a_new_level_came_are_dated():
    before, (truth, after) = rows_of(np.random.default_rng(0), SHARES, EFFECTS), with_new(np.random.default_rng(1), 2)
    sound = rows_of(np.random.default_rng(3), SHARES, EFFECTS, 1200)
    both = pd.concat([sound, after], ignore_index=True)
    found = asked(before, both, renumbered_from, ordered=True)
    assert found.since == pytest.approx(1200, abs=25)
    assert found.since_interval[0] <= 1200 <= found.since_interval[1]
    true = pd.concat([sound["c"], truth["c"]], ignore_index=True)
    assert (mend(found, both) == true)[true != NEW].mean() >= 0.995


def test_shares_alone_tell_where_they_differ():
    before, (truth, after) = rows_of(np.random.default_rng(0), SHARES, EFFECTS), without(np.random.default_rng(1), (1,))
    found = asked(before[["c"]], after[["c"]])
    assert (mend(found, after) == truth["c"]).all()


def test_of_levels_that_are_alike_only_the_codes_are_named_of_which_it_is_sure():
    shares, same = np.array([0.2, 0.2, 0.3, 0.08, 0.12, 0.1]), np.zeros(6)
    rng = np.random.default_rng(0)
    before = rows_of(rng, shares, same, 6000)
    truth, after = without(rng, (0,), shares=shares, effects=same, rows=6000)
    found = asked(before, after)
    assert found.recoding == (("1", "2"), ("2", "3"), ("3", "4"), ("4", "5"))
    assert found.evidence.endswith("without 0 or without 1") or found.evidence.endswith("without 1 or without 0")
    wrong = mend(found, after) != truth["c"]
    assert (truth["c"][wrong] == 1).all()


@pytest.mark.parametrize("other", ["scaled", "noise"])
def test_a_witness_that_broke_does_not_mislead(other):
    before, (truth, after) = rows_of(np.random.default_rng(0), SHARES, EFFECTS), without(np.random.default_rng(1), (1,))
    broken = after["x"] * 100 if other == "scaled" else np.random.default_rng(5).normal(size=len(after))
    found = asked(before, after.assign(x=broken), moved=("c", "x"))
    assert found is None or (mend(found, after) == truth["c"]).all()


@pytest.mark.parametrize("other", ["itself", "mix", "gone", "last gone", "last gone, mix", "new last"])
def test_codes_that_went_or_came_or_are_more_common_are_not_numbered_anew(other):
    heard = []
    for seed in range(34):
        rng = np.random.default_rng(seed)
        levels = int(rng.integers(5, 9))
        shares, effects = rng.dirichlet(np.full(levels, 6.0)), rng.normal(size=levels)
        before, now = rows_of(rng, shares, effects, 2000), shares.copy()
        if "mix" in other:
            now = rng.dirichlet(20 * shares)
        if "gone" in other:
            now[-1 if "last" in other else int(rng.integers(levels))] = 0.0
        if other == "new last":
            now, effects = np.append(0.9 * shares, 0.1), np.append(effects, 0.0)
        heard.append(asked(before, rows_of(rng, now, effects, 2000)))
    assert not any(heard)


@pytest.mark.parametrize("change", ["none", "more", "capped", "halved"])
def test_counts_are_not_codes_numbered_anew(change):
    for seed in range(30):
        rng = np.random.default_rng(seed)
        low, width = int(rng.integers(0, 30)), int(rng.integers(10, 60))
        before, after = (rng.integers(low, low + width, 2000) for _ in range(2))
        if seed % 2:
            before, after = (rng.poisson(5, 2000) for _ in range(2))
        most = int(np.quantile(before, 0.8))
        after = {
            "none": after,
            "more": after[rng.random(2000) < 0.3 + after / 200],
            "capped": np.minimum(after, most),
        }.get(change, after // 2)
        assert asked(pd.DataFrame({"c": before}), pd.DataFrame({"c": after}), renumbered_from, ordered=True) is None


@pytest.mark.parametrize("by", [1, -1])
@pytest.mark.parametrize("coded", [True, False])
def test_codes_that_are_counted_from_another_number_are_known(by, coded):
    before, truth = (rows_of(np.random.default_rng(seed), SHARES, EFFECTS) for seed in (0, 1))
    first = max(0, -by)
    before, truth = (rows.assign(c=rows["c"] + first) for rows in (before, truth))
    after = truth.assign(c=truth["c"] + by)
    found = named(before, after, coded=coded)
    assert found.fault in {"recoded", "shifted"}
    assert (mend(found, after) == truth["c"]).all()


def test_what_is_no_whole_number_or_too_rare_is_not_asked():
    before, (_, after) = rows_of(np.random.default_rng(0), SHARES, EFFECTS), without(np.random.default_rng(1), (1,))
    assert asked(before.assign(c=before["c"] + 0.5), after) is None
    assert asked(before.head(50), after) is None
    assert asked(before.assign(c=before["c"].astype(str)), after.assign(c=after["c"].astype(str))) is None
    assert asked(before.assign(c=before["c"] % 2), after.assign(c=after["c"] % 2)) is None


def in_part(seed, part, *, gone=2, rows=3000, shares=(0.1, 0.22, 0.08, 0.2, 0.05, 0.25, 0.1)):
    """Codes of which a part of the rows counts anew without one, that does not come any more."""
    rng = np.random.default_rng(seed)
    before, after = (rng.choice(len(shares), rows, p=shares) for _ in range(2))
    now = after[after != gone]
    now = np.where((now > gone) & (rng.random(len(now)) < part), now - 1, now)
    return pd.DataFrame({"c": before}), pd.DataFrame({"c": now})


@pytest.mark.parametrize("part", [0.25, 0.5, 0.8])
@pytest.mark.parametrize("seed", range(3))
def test_codes_that_a_part_of_the_rows_counts_anew_are_known_by_their_shares(seed, part):
    found = asked(*in_part(seed, part), renumbered_in_part)
    assert found.fault == "recoded"
    share, gone = re.search(r"some (\d+)% of the rows codes are numbered anew without (\d)", found.evidence).groups()
    assert int(gone) == 2
    assert abs(int(share) / 100 - part) <= 0.1


def test_codes_of_which_one_is_gone_or_comes_more_often_are_not_numbered_anew():
    other = (0.1, 0.12, 0.08, 0.3, 0.05, 0.25, 0.1)
    for seed in range(40):
        assert asked(*in_part(seed, 0.0), renumbered_in_part) is None
        (before, _), (now, _) = in_part(seed, 0.0, gone=9), in_part(seed + 100, 0.0, gone=9, shares=other)
        assert asked(before, now, renumbered_in_part) is None
