"""A column that broke goes with the others no longer, in both directions; one that others were chosen by does."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.harm.evidence.column_relations import CLOCK, _still_told, chance_of, column_relations, with_clock

COLUMNS = ("a", "b", "c", "d", "free")


def rows(rng, n=900):
    common = rng.normal(size=n)
    tied = {name: common + 0.5 * rng.normal(size=n) for name in "abcd"}
    return pd.DataFrame({**tied, "free": rng.normal(size=n)})


def both(seed, broken=lambda rows, rng: rows, n=900):
    rng = np.random.default_rng(seed)
    return rows(rng, n), broken(rows(rng, n), rng)


def permuted(rows, rng):
    return rows.assign(a=rng.permutation(rows["a"]))


def chosen(rows, rng):
    return rows[rng.random(len(rows)) < 1 / (1 + np.exp(-3 * rows["a"]))]


def judged(draw, broken=lambda rows, rng: rows, **how):
    return column_relations(*both(draw, broken), COLUMNS, **how)


def test_nothing_broke_where_nothing_changed_in_4_draws():
    assert not any(one.moved(len(COLUMNS)) for seed in range(4) for one in judged(seed).values())


def test_a_column_drawn_from_other_rows_broke_in_both_directions_and_its_neighbours_are_sound_in_2_draws():
    for seed in range(2):
        found = judged(seed, permuted)
        assert [name for name, one in found.items() if one.broke(len(COLUMNS))] == ["a"]
        assert [name for name, one in found.items() if one.moved(len(COLUMNS))] == ["a"]
        assert not found["a"].tied
        assert not found["free"].tied
        assert all(found[name].tied for name in "bcd")


def test_a_column_is_tied_only_where_the_others_surely_tell_of_it_still():
    rng = np.random.default_rng(0)
    said = rng.normal(size=400)
    assert _still_told(said, said + 3 * rng.normal(size=400))
    assert not _still_told(said, 0.3 * said + 0.5 * rng.normal(size=400))
    assert not _still_told(np.ones(400), said)


def test_a_broken_column_makes_its_neighbour_look_broken_until_it_is_taken_out(monkeypatch):
    rng = np.random.default_rng(0)
    before, after = (one.assign(near=one["a"] + 0.3 * rng.normal(size=len(one))) for one in both(0))
    tables, names = (before, permuted(after, rng)), (*COLUMNS, "near")
    in_turn, known = column_relations(*tables, names), column_relations(*tables, names, without=["a"])
    monkeypatch.setattr("rca.analysis.harm.evidence.column_relations.PEELED", 1)
    at_once = column_relations(*tables, names)
    moved = [{name for name, one in found.items() if one.moved(len(names))} for found in (at_once, in_turn, known)]
    assert moved[0] >= {"a", "near"}
    assert moved[1] == moved[2] == {"a"}


def test_rows_chosen_by_a_column_leave_the_others_as_they_were_given_it_in_2_draws():
    found = [judged(seed, chosen)["a"] for seed in range(2)]
    assert all(one.moved(len(COLUMNS)) for one in found)
    assert not any(one.broke(len(COLUMNS)) for one in found)


def test_an_hour_in_another_zone_no_longer_goes_with_the_clock():
    rng = np.random.default_rng(0)
    frames = []
    for start in ("2026-01-05", "2026-02-02"):
        at = pd.Series(pd.date_range(start, periods=700, freq="53min", tz="UTC"))
        frames.append(pd.DataFrame({"at": at, "hour": at.dt.hour, "x": rng.normal(size=700)}))
    late = [with_clock(frame, "at") for frame in (frames[0], frames[1].assign(hour=(frames[1]["hour"] + 9) % 24))]
    assert column_relations(*late, ("hour", "x"), beside=CLOCK)["hour"].broke(2)
    same = column_relations(*(with_clock(frame, "at") for frame in frames), ("hour", "x"), beside=CLOCK)
    assert not same["hour"].moved(2)
    assert not column_relations(*late, ("hour", "x"))["hour"].moved(2)


def test_the_clock_is_in_utc_and_only_of_times():
    at = pd.Series(pd.to_datetime(["2026-01-05T06:30:00Z", "2026-01-11T23:00:00Z"]))
    frame = with_clock(pd.DataFrame({"at": at}), "at")
    assert frame[list(CLOCK)].to_numpy().tolist() == [[6.5, 0.0], [23.0, 6.0]]
    for time in (None, "nowhere", "word"):
        assert list(with_clock(pd.DataFrame({"at": at, "word": ["x", "y"]}), time)) == ["at", "word"]


def test_equal_samples_are_no_chance_and_disjoint_ones_are():
    values = np.arange(200.0)
    assert chance_of(values, values) == pytest.approx(1.0)
    assert chance_of(values, values + 500) < 1e-30


@pytest.mark.parametrize("odd", ["constant", "missing", "words", "alone"])
def test_a_column_that_says_nothing_never_moves_by_itself(odd):
    before, after = both(1, n=300)
    names = ("a", "free") if odd != "alone" else ("free",)
    made = {"constant": 1.0, "missing": np.nan, "words": "w", "alone": 0.0}[odd]
    before, after = before.assign(free=made), after.assign(free=made)
    found = column_relations(before, after, names)
    assert set(found) == set(names)
    assert not any(one.moved(len(names)) for one in found.values())


def test_the_same_seed_judges_the_same():
    assert judged(2, permuted, seed=5) == judged(2, permuted, seed=5)


def test_of_many_columns_those_that_go_with_one_most_closely_predict_it(monkeypatch):
    narrow = judged(0, permuted)
    monkeypatch.setattr("rca.analysis.harm.evidence.column_relations.NEAREST", 3)
    few = judged(0, permuted)
    assert [name for name, one in few.items() if one.broke(len(COLUMNS))] == ["a"]
    assert few != narrow
