"""The verdict: what is called guilty, how surely, what is left open, and the sentence that says so."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.analysis.cascade.results import Cascade, Suspect
from rca.analysis.conclusion.verdict import SMALLEST_PART, Verdict, weigh_cascade, weigh_windows
from rca.analysis.faults.rules.order import RULE_OF
from rca.analysis.harm.contribution import Contribution, Where
from rca.analysis.harm.harm import Harm
from rca.analysis.harm.rivals.rival import Rival
from rca.analysis.onset.event_proximity import EventProximity, NearEvent
from rca.finding import Fault, Interval, Strength
from rca.methods.changepoint.dating import Onset
from rca.methods.metric import Measured


def measured(change=0.2, half=0.05, reference=0.1, harm="higher"):
    interval = Interval(low=change - half, high=change + half)
    return Measured(
        name="error_rate", harm=harm, reference=reference, current=reference + change, change=change,
        reference_interval=interval, current_interval=interval, interval=interval, p_value=0.0, n_reference=900,
        n_current=900,
    )  # fmt: skip


def part(value=0.15, half=0.02, rows=900.0, name="income", **how):
    known = {"kind": "feature", "fault": "frozen", "method": "mended", "strength": "shown"} | how
    ends = Interval(low=value - half, high=value + half)
    return Contribution(name=name, value=value, interval=ends, n_effective=rows, **known)


def divided(*parts, **options):
    whole = measured(**options)
    return Harm(measured=whole, contributions=parts, unexplained=whole.worse - sum(one.value for one in parts))


def suspect(component, score=9.0, signal=None):
    at = datetime(2026, 1, 1, tzinfo=UTC) if score > 4 else None
    return Suspect(
        component=component, signal=signal or f"{component}|load", score=score, onset=at, explained=False, upstream=True
    )


def test_the_largest_part_is_the_first_cause():
    found = weigh_windows(divided(part(0.12, name="a"), part(0.06, name="b")))
    assert found.status == "explained"
    assert [cause.name for cause in found.causes] == ["a", "b"]
    assert "; also b was stuck on one value: 6.0." in found.summary


def test_of_many_causes_the_sentence_names_a_few_and_counts_the_rest():
    parts = [part(0.04, name=name) for name in "abcde"]
    assert weigh_windows(divided(*parts)).summary.endswith("; also c was stuck on one value: 4.0; 2 more did harm too.")


def test_a_quiet_window_says_how_much_it_can_have_overlooked():
    found = divided(part(0.0))
    quiet = replace(found.measured, current=0.105, change=0.005, interval=Interval(low=-0.01, high=0.02))
    assert weigh_windows(replace(found, measured=quiet)).summary.endswith("worse by 2.0 percentage points at most.")


@given(st.lists(st.floats(-0.3, 0.3), max_size=6), st.floats(0, 0.2))
@settings(deadline=None)
def test_every_cause_surely_did_harm_and_no_small_part_of_it(values, half):
    parts = [part(value, half, name=f"c{i}") for i, value in enumerate(sorted(values, reverse=True))]
    found = weigh_windows(divided(*parts))
    assert (found.status == "explained") == bool(found.causes)
    for cause in found.causes:
        assert cause.interval.low > 0
        assert cause.contribution >= SMALLEST_PART * found.metric.worse


@pytest.mark.parametrize(
    ("change", "half", "harm"),
    [(0.2, 0.3, "higher"), (-0.2, 0.05, "higher"), (0.2, 0.05, "lower"), (0.001, 0.0001, "higher"), (0, 0, "higher")],
)
def test_where_nothing_harmful_changed_there_is_no_incident(change, half, harm):
    found = weigh_windows(divided(part(), change=change, half=half, harm=harm))
    assert found.status == "no_incident"
    assert found.causes == ()
    assert found.onset is None


@pytest.mark.parametrize(
    "only", [part(0.15, 0.2), part(0.01, 0.001), part(rows=20.0), part(-0.2), part(strength="assumed")]
)
def test_harm_without_a_sure_and_sizeable_cause_cannot_be_told(only):
    found = weigh_windows(divided(only))
    assert found.status == "cannot_tell"
    assert "cannot say why" in found.summary


def test_harm_that_nothing_is_accused_of_cannot_be_told():
    assert weigh_windows(divided()).status == "cannot_tell"


def test_a_cause_cites_the_findings_behind_it():
    (cause,) = weigh_windows(divided(part())).causes
    assert cause.findings[0] == "harm.feature.income"
    assert {"drift.income", "fault.income"} <= set(cause.findings)
    (moved,) = weigh_windows(divided(part(fault="distribution"))).causes
    assert "drift.income" in moved.findings
    assert "fault.income" not in moved.findings
    (world,) = weigh_windows(divided(part(kind="concept", name="label", fault=None))).causes
    assert world.findings == ("harm.concept.label",)


@pytest.mark.parametrize("fault", get_args(Fault))
def test_every_fault_has_words(fault):
    words = RULE_OF[fault].clause if fault in RULE_OF else "{name} moved"
    assert words.format(name="income") in weigh_windows(divided(part(fault=fault))).summary


@pytest.mark.parametrize("kind", ["model", "concept", "mechanism", "slice", "event", "rows"])
def test_every_kind_of_cause_has_words(kind):
    summary = weigh_windows(divided(part(kind=kind, name="thing", fault=None))).summary
    assert ", because " in summary
    assert "None" not in summary


# --- how surely ------------------------------------------------------------------------------------------------------

SAID: dict[Strength, tuple[str, str]] = {
    "shown": (", because ", "; also "),
    "suggested": (", most likely because ", "; likely also "),
}


@pytest.mark.parametrize("strength", SAID)
@pytest.mark.parametrize("kind", ["feature", "concept", "model", "rows"])
def test_a_sentence_is_no_surer_than_the_cause_is_strong(kind, strength):
    first, also = SAID[strength]
    alone = weigh_windows(divided(part(kind=kind, fault=None, strength=strength))).summary
    beside = weigh_windows(divided(part(0.1), part(0.06, name="b", strength=strength))).summary
    assert [first in alone, alone.count("because")] == [True, 1]
    assert f"{also}b was stuck" in beside


def test_what_is_shown_goes_before_what_is_suggested_however_much_that_did():
    weaker = part(0.12, name="a", strength="suggested")
    found = weigh_windows(divided(part(0.06, name="b"), weaker))
    assert [cause.name for cause in found.causes] == ["b", "a"]
    assert ", because b was stuck" in found.summary
    assert "; likely also a was stuck" in found.summary


def test_what_is_left_over_is_told_as_left_over_and_is_no_cause():
    found = weigh_windows(divided(part(0.08)))
    assert [cause.name for cause in found.causes] == ["income"]
    assert found.summary.endswith("; 12.0 remain unexplained.")


# --- where, and whether at all ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "told"),
    [
        (Where(condition="clinic=north", reference=0.52, current=0.99), "(only where clinic=north: 52.0 % → 99.0 %)"),
        (Where(condition="clinic=north"), "(only where clinic=north)"),
    ],
)
def test_a_cause_that_holds_in_some_rows_says_in_which_and_the_metric_there(where, told):
    found = weigh_windows(divided(part(where=where)))
    assert found.causes[0].where == where
    assert f"was stuck on one value {told}: that did" in found.summary
    assert Verdict.from_dict(found.to_dict()) == found


def test_a_column_put_back_is_harm_though_the_windows_do_not_show_it():
    quiet = divided(part(0.05, 0.01), change=0.02, half=0.03)
    put_back = Rival(
        kind="feature", name="income", fault="frozen", part=part(0.05, 0.01), strength="shown", paired=True
    )
    assert weigh_windows(quiet).status == "no_incident"
    found = weigh_windows(replace(quiet, rivals=(put_back,)))
    assert (found.status, found.causes[0].name) == ("explained", "income")
    for killed in (
        replace(put_back, strength=None),
        replace(put_back, strength="assumed"),
        replace(put_back, paired=False),
    ):
        assert weigh_windows(replace(quiet, rivals=(killed,))).status == "no_incident"


def test_harm_that_was_always_so_at_these_times_is_no_incident():
    season = Rival(
        kind="slice", name="hours", part=part(kind="slice"), found="at the same hours the reference was at 30.0 %"
    )
    found = weigh_windows(replace(divided(part(kind="concept", fault=None)), always=True, rivals=(season,)))
    assert (found.status, found.causes) == ("no_incident", ())
    assert "as always at these times: at the same hours the reference was at 30.0 %" in found.summary


def test_what_missing_outcomes_leave_open_cannot_be_told_and_they_are_named_as_what_to_look_at():
    lacking = Rival(
        kind="labels", name="churned", strength="suggested", found="40% of the rows have no outcome, 0% before"
    )
    open_ = replace(
        divided(part()), undecided=lacking.found, rivals=(lacking, replace(lacking, name="b", strength=None))
    )
    found = weigh_windows(open_)
    assert found.status == "cannot_tell"
    assert [(cause.kind, cause.name, cause.strength) for cause in found.causes] == [("labels", "churned", "suggested")]
    assert found.summary.endswith(f"and these data cannot say why: {lacking.found}.")
    few = weigh_windows(replace(divided(part()), undecided="3 of 900 rows carry the change"))
    assert (few.status, few.causes) == ("cannot_tell", ())


def test_a_fall_is_called_a_fall():
    assert (
        "The error rate fell from 50"
        in weigh_windows(divided(part(), change=-0.2, reference=0.5, harm="lower")).summary
    )


def test_a_metric_that_reads_alike_in_both_windows_neither_rose_nor_fell():
    put_back = Rival(kind="feature", name="income", fault="scaled", part=part(), strength="suggested", paired=True)
    level = replace(divided(part(), change=0.00001, half=0.05), rivals=(put_back,))
    said = weigh_windows(level).summary
    assert said.startswith("The error rate was 10.0 % in both windows, within what chance does; but on the same rows")


def test_the_sentence_names_what_it_cannot_escape_as_it_stands():
    name = "<b>{x}\n%s"
    assert name in weigh_windows(divided(part(name=name, fault=None))).summary


def test_a_name_with_braces_is_no_template():
    assert "{0.__class__}" in weigh_windows(divided(part(name="{0.__class__}"))).summary


def test_a_cascade_names_at_most_ten_abnormal_components():
    spread = Cascade(
        suspects=tuple(suspect(f"c{i:02}") for i in range(14)), target="qa|rate", n_signals=14, chance=1 / 14
    )
    found = weigh_cascade(spread)
    assert (found.status, found.metric) == ("explained", None)
    assert [cause.name for cause in found.causes] == [f"c{i:02}" for i in range(10)]
    assert found.causes[0].signal == "c00|load"
    assert "before qa|rate did" in found.summary


def test_a_component_within_its_range_is_a_candidate_at_most():
    spread = Cascade(suspects=(suspect("a"), suspect("b", score=1.0)), target=None, n_signals=2, chance=0.5)
    listed = weigh_cascade(spread).causes
    assert [(cause.name, cause.strength) for cause in listed] == [("a", "suggested"), ("b", "assumed")]
    assert " did." not in weigh_cascade(spread).summary


@pytest.mark.parametrize(
    ("system", "inside", "p_value", "told"),
    [("a", True, 0.3, True), ("b", True, 0.3, False), ("a", False, 0.3, False), ("a", True, 0.001, False)],
)
def test_a_change_to_the_origin_within_its_interval_is_told_where_no_event_stands_out(system, inside, p_value, told):
    at = datetime(2026, 3, 5, 6, 12, tzinfo=UTC)
    event = NearEvent(
        name="deploy a 2.8",
        at=at,
        kind="deploy",
        system=system,
        lag=60.0,
        inside=inside,
        p_value=p_value,
        fits=True,
        why="",
    )
    lined = EventProximity(
        onset=Onset(at=at, earliest=at, latest=at, what="a", unit=""), candidates=(event,), start=at, end=at
    )
    spread = Cascade(suspects=(suspect("a"),), target=None, n_signals=2, chance=0.5)
    summary = weigh_cascade(spread, events=lined).summary
    assert (
        "It had been changed within the interval of the onset: deploy a 2.8, 06:12 UTC (by chance" in summary
    ) == told


def test_a_quiet_cascade_is_no_incident():
    spread = Cascade(suspects=(suspect("a", score=1.0),), target=None, n_signals=1, chance=1.0, quiet=True)
    found = weigh_cascade(spread)
    assert (found.status, found.causes) == ("no_incident", ())
    assert "nearest to it was a|load" in found.summary


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"grounded": False}, "no supported path leads from there to the alarm"),
        ({"silent_alarm": "the alarm's own signal, q|x, stayed in its normal range"}, "; the alarm's own signal, q|x"),
        ({"where": "cart -> redis"}, "lies between two systems, cart -> redis"),
    ],
)
def test_what_speaks_for_and_against_the_path_is_said(known, said):
    spread = Cascade(suspects=(suspect("redis"),), target="q|x", n_signals=1, chance=1.0, **known)
    found = weigh_cascade(spread)
    assert said in found.summary
    assert found.causes[0].strength == "suggested"
    assert (found.causes[0].where is None) == ("where" not in known)


def test_a_cascade_in_doubt_names_candidates_alone():
    spread = Cascade(
        suspects=tuple(suspect(f"c{at}") for at in range(8)), target=None, n_signals=8, chance=1 / 8, doubt="who knows"
    )
    found = weigh_cascade(spread)
    assert (found.status, found.onset) == ("cannot_tell", None)
    assert [cause.strength for cause in found.causes] == ["assumed"] * 5
    assert "who knows" in found.summary


def test_a_verdict_tells_the_way_and_the_guards_that_kept_silent(cascade):
    found = weigh_cascade(cascade)
    assert found.onset is not None
    assert "and passed to robot; qa stayed green on the way" in found.summary


def test_a_signal_without_a_metric_is_still_named():
    spread = Cascade(suspects=(suspect("alone", signal="alone"),), target=None, n_signals=1, chance=1.0)
    assert "alone left its normal range" in weigh_cascade(spread).summary


def test_a_verdict_comes_back_from_its_dictionary_and_is_a_table():
    found = weigh_windows(divided(part(), part(0.05, name="b", fault="distribution")))
    assert Verdict.from_dict(found.to_dict()) == found
    assert [row["cause"] for row in found.rows()] == ["feature income", "feature b"]
    assert str(found) == found.summary
    assert found.findings() == ()
