"""Outcomes that are missing by chance harm nothing; those that are missing for a reason leave the metric open."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.harm.evidence.known_outcomes import known_outcomes
from rca.analysis.inputs.windows import windows_from

ROLES = {"label": "y", "prediction": "said", "score": "score", "time": "at"}


def rows(rng, n=1200, start="2026-01-01"):
    at = pd.Timestamp(start, tz="UTC") + pd.to_timedelta(np.sort(rng.uniform(0, 2e6, n)).round(), unit="s")
    made = pd.DataFrame({"at": at, "a": rng.normal(size=n), "clinic": rng.choice(list("nsew"), n)})
    made["score"] = 1 / (1 + np.exp(-1.5 * made["a"]))
    made["y"] = (rng.random(n) < made["score"]).astype(float)
    made["said"] = (made["score"] > 0.5).astype(int)
    return made


KNOWN = {
    "chance": lambda t, u: u < 0.6,
    "good later": lambda t, u: (t["y"] == 0) | (u < 0.4),
    "slice": lambda t, u: ~((t["clinic"] == "n") & (t["a"] > 0.3)),
    "answered no": lambda t, u: (t["said"] == 1) | (u < 0.3),
    "recent": lambda t, u: t.index < 0.7 * len(t),
}


def drawn(seed, kind, **how):
    rng = np.random.default_rng(seed)
    before, after = rows(rng), rows(rng, start="2026-03-01")
    return before, after.assign(y=after["y"].where(KNOWN[kind](after, rng.random(len(after)))))


def asked(before, after, metric="error_rate", **how):
    return known_outcomes(windows_from(before, after, metric=metric, **{**ROLES, **how}))


def test_outcomes_missing_by_chance_depend_on_nothing_in_all_but_one_in_a_hundred_of_40_draws():
    found = [asked(*drawn(seed, "chance")) for seed in range(40)]
    assert sum(one.at_random for one in found) >= 38
    assert all(one.fell for one in found)


@pytest.mark.parametrize("kind", [kind for kind in KNOWN if kind != "chance"])
def test_outcomes_missing_for_a_reason_are_found_out_and_leave_the_metric_open_in_8_draws(kind):
    found = [asked(*drawn(seed, kind)) for seed in range(8)]
    assert not any(one.at_random for one in found)
    assert all(one.fell for one in found)
    assert all(one.holds_reference for one in found)
    assert all(one.bounds.low < one.current < one.bounds.high for one in found)


def test_it_is_said_what_knowing_depends_on():
    said, recent = (asked(*drawn(0, kind)).knowing for kind in ("answered no", "recent"))
    two_deep = asked(*drawn(0, "slice")).knowing
    assert said.answer
    assert not said.time
    assert recent.time
    assert recent.recent
    assert not recent.answer
    assert set(two_deep.features) >= {"a", "clinic"}
    assert two_deep.jointly


def test_more_positives_among_the_known_than_before_are_told():
    found = asked(*drawn(1, "good later"))
    assert found.outcome.current < found.outcome.reference - 0.1
    assert found.outcome.z < -5
    assert found.yes.current < found.no.current


def test_outcomes_that_always_come_late_are_as_always_in_10_draws():
    always = fell = 0
    for seed in range(10):
        before, after = drawn(seed, "recent")
        late = asked(before.assign(y=before["y"].where(before.index < 0.7 * len(before))), after)
        always, fell = always + late.as_always, fell + late.fell
    assert (always, fell) == (10, 0)
    assert not asked(*drawn(0, "recent")).as_always


def test_a_metric_too_bad_for_any_outcome_is_not_held():
    before, after = drawn(2, "chance")
    worse = after.assign(y=(1 - after["said"]).where(after["y"].notna()))
    assert not asked(before, worse).holds_reference
    assert asked(before, after).holds_reference


@pytest.mark.parametrize("column", ["rate", "mean"])
def test_a_column_that_is_averaged_is_an_outcome_too(column):
    before, after = drawn(3, "answered no")
    found = asked(before, after, {"name": column, "column": "y"}, label=None)
    assert found.column == "y"
    assert found.fell
    assert found.knowing.answer


def test_where_all_outcomes_are_known_nothing_is_said():
    rng = np.random.default_rng(4)
    before, after = rows(rng), rows(rng)
    assert asked(before, after) is None
    assert asked(before, after.assign(y=after["y"].where(after.index > 30))) is not None


@pytest.mark.parametrize("broken", ["no rows", "no labels", "no times", "few", "huge", "words"])
def test_what_is_missing_altogether_still_gives_a_sane_answer(broken):
    before, after = drawn(5, "chance")
    how = {}
    if broken == "no rows":
        after = after.head(0)
    if broken == "no labels":
        after = after.assign(y=np.nan)
    if broken == "no times":
        before, after = before.assign(at=pd.NaT), after.assign(at=pd.NaT)
    if broken == "few":
        before, after = before.head(3), after.head(3).assign(y=[1.0, None, 0.0])
    if broken == "huge":
        after = after.assign(a=np.where(after["a"] > 1, 1e300, -np.inf))
    if broken == "words":
        before, after = (t.assign(y=t["y"].map({0.0: "no", 1.0: "yes"})) for t in (before, after))
        before, after, how = before.assign(said=before["y"]), after.assign(said="yes"), {"positive": "yes"}
    found = asked(before, after, **how)
    assert (found is None) == (broken == "no rows")
    assert found is None or 0 <= found.bounds.low <= found.bounds.high <= 1
    assert found is None or found.at_random == (broken in ("no times", "words", "huge"))
