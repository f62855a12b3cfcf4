"""Rows written twice count once, and rows that chance makes alike are no copies."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.harm.evidence.copied_rows import copied_rows
from rca.analysis.harm.evidence.paired_parts import both_parts
from rca.analysis.inputs.windows import windows_from

ROLES = {"metric": "error_rate", "label": "y", "prediction": "said", "time": "at"}


def rows(rng, n, first=0, *, discrete=False):
    at = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.sort(rng.integers(0, 10**6, n)), unit="s")
    made = pd.DataFrame({"at": at, "id": np.arange(first, first + n), "shop": rng.choice(list("pqr"), n)})
    for name in ("a", "b"):
        made[name] = rng.choice(8, n) if discrete else rng.normal(size=n)
    made["said"] = (made["a"] > made["a"].median()).astype(int)
    made["y"] = np.where(rng.random(n) < np.where(made["shop"] == "p", 0.4, 0.1), 1 - made["said"], made["said"])
    return made


def twice(rng, *, more=0, keep=("at", "id", "shop", "a", "b", "said", "y"), discrete=False, share=1.0):
    before, once = rows(rng, 900, discrete=discrete), rows(rng, 700, 5000, discrete=discrete)
    again = once[once["shop"] == "p"].sample(frac=share, random_state=0)
    after = pd.concat([once] + [again.assign(at=again["at"] + pd.Timedelta("1h"))] * more)
    return before[list(keep)], once[list(keep)], after[list(keep)]


@pytest.mark.parametrize("how", [{"id": "id"}, {}])
def test_a_segment_written_four_times_is_counted_once_with_and_without_a_key(how):
    drop = [] if how else ["id"]
    before, once, after = (t.drop(columns=drop) for t in twice(np.random.default_rng(0), more=3))
    found = copied_rows(windows_from(before, after, **ROLES, **how))
    assert found.by == ("id" if how else "whole rows")
    assert str(found.where) == "shop=p"
    assert len(found.once.current) == found.keep.sum() == len(once)
    assert found.reference_keep.all()
    plain = both_parts(windows_from(before, once, **ROLES, **how))
    assert found.change_once == pytest.approx(plain[1].value() - plain[0].value())
    assert found.taken > 4 * found.error > 0


def test_a_join_that_changes_a_column_still_copies_and_new_ids_hide_nothing():
    rng = np.random.default_rng(1)
    before, once, _ = twice(rng)
    again = once.head(200)
    joined = pd.concat([once, again.assign(b=rng.normal(size=200))])
    renamed = pd.concat([once, again.assign(id=np.arange(9000, 9200))])
    found = [copied_rows(windows_from(before, after, **ROLES, id="id")) for after in (joined, renamed)]
    assert [(one.by, (~one.keep).sum()) for one in found] == [("id", 200), ("whole rows", 200)]


def test_the_copy_whose_outcome_is_known_is_kept():
    before, once, _ = twice(np.random.default_rng(2))
    after = pd.concat([once.assign(y=np.nan).head(200), once])
    found = copied_rows(windows_from(before, after, **ROLES, id="id"))
    assert found.once.current["y"].notna().all()
    assert len(found.once.current) == len(once)


def alike_by_chance(rng, kind):
    before, once, _ = twice(rng, discrete=kind in ("codes", "more rows"))
    if kind == "id broke":
        return before, once.assign(id=7)
    if kind == "id wraps":
        return before, once.assign(id=once["id"] % 400)
    if kind == "customers":
        who = rng.integers(0, 300, 500 + len(once))
        return before.head(500).assign(id=who[:500]), once.assign(id=who[500:])
    if kind == "more rows":
        return before.head(500).drop(columns="id"), once.drop(columns="id")
    if kind == "froze":
        before, once = (t.drop(columns="id").assign(b=rng.choice(30, len(t))) for t in (before, once))
        return before, once.assign(a=once["a"].where(rng.random(len(once)) < 0.5, -1.0))
    return before.drop(columns="id"), once.drop(columns="id")


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("plain", marks=pytest.mark.prove),
        "codes",
        "more rows",
        "id broke",
        "id wraps",
        "customers",
        "froze",
    ],
)
def test_rows_that_were_not_copied_are_not_called_copies_in_100_draws(kind):
    called = 0
    for seed in range(100 if kind in ("plain", "codes") else 15):
        before, after = alike_by_chance(np.random.default_rng(seed), kind)
        how = {"id": "id"} if "id" in before else {}
        called += copied_rows(windows_from(before, after, **ROLES, **how)) is not None
    assert called <= 1


@pytest.mark.parametrize("how", [{"id": "id"}, {}])
def test_copies_of_one_row_in_forty_are_found_in_every_draw(how):
    found = 0
    for seed in range(15):
        before, _, after = twice(np.random.default_rng(seed), more=1, share=0.08)
        drop = [] if how else ["id"]
        windows = windows_from(before.drop(columns=drop), after.drop(columns=drop), **ROLES, **how)
        found += copied_rows(windows) is not None
    assert found == 15


def test_the_error_of_what_counting_once_takes_away_is_that_of_repeated_draws():
    seen = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        before, once = rows(rng, 600), rows(rng, 600, 5000)
        after = pd.concat([once, once[rng.random(600) < np.where(once["shop"] == "p", 0.6, 0.1)]])
        found = copied_rows(windows_from(before, after, **ROLES, id="id"))
        seen.append((found.taken, found.error))
    taken, errors = np.array(seen).T
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(taken.std(), rel=0.25)


def test_copies_that_the_reference_has_as_well_are_none():
    rng = np.random.default_rng(3)
    before, after = (pd.concat([t, t.head(len(t) // 20)]) for t in twice(rng)[:2])
    assert copied_rows(windows_from(before, after, **ROLES, id="id")) is None
    assert copied_rows(windows_from(before, pd.concat([after, after]), **ROLES, id="id")) is not None


def test_long_ids_that_are_one_as_doubles_are_no_copies():
    before, once, _ = twice(np.random.default_rng(4))
    before, once = before.assign(id=2**60 + before["id"]), once.assign(id=2**60 + once["id"])
    assert copied_rows(windows_from(before, once, **ROLES, id="id")) is None
    found = copied_rows(windows_from(before, pd.concat([once, once.head(99)]), **ROLES, id="id"))
    assert found.by == "id"


@pytest.mark.parametrize("broken", ["no rows", "no labels", "lists", "no ids"])
def test_what_cannot_be_compared_gives_nothing_or_a_number(broken):
    before, _, after = twice(np.random.default_rng(5), more=1)
    if broken == "no rows":
        after = after.head(0)
    if broken == "no labels":
        after = after.assign(y=np.nan)
    if broken == "lists":
        before, after = (t.assign(b=[[1, 2]] * len(t)) for t in (before, after))
    if broken == "no ids":
        before, after = (t.assign(id=None) for t in (before, after))
    found = copied_rows(windows_from(before, after, **ROLES, id="id"))
    assert (found is None) == (broken in ("no rows", "no labels"))
    assert found is None or np.isfinite([found.taken, found.error]).all()
