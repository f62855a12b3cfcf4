"""What an event did: designs, intervals, refuters, and what cannot be told."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

import rca
from rca.analysis.event_study import estimation
from rca.analysis.event_study.designs import EffectEstimate, interrupted, terms_at
from rca.analysis.event_study.effect import Effect
from rca.analysis.event_study.event import event_reference
from rca.analysis.event_study.period_series import DAY, HOUR, WEEK, Periods, difference, length_for, pair_of, periods_of
from rca.errors import InvalidCase, Unanswerable
from rca.methods.metric import Parts
from rca.record.durations import span_in_words
from rca.record.schema.incident import Event
from rca.report.parts.event_study.charts import claim
from rca.report.rendering.chart import chart
from tests.conftest import INCIDENTS

EVENT = "2026-03-01T00:00Z"
RATE = {"name": "rate", "column": "wrong"}


def rows_of(rng, *, days=60, after=20, each=60, effect=0.15, spread=0.0, groups=("a", "b", "c"), kind=0.0):
    """Decisions of so many days, the event in between; the effect is on group a alone where it has a name."""
    day = np.repeat(np.arange(-days, after), each)
    at = pd.Timestamp(EVENT) + pd.to_timedelta(day * 86_400 + rng.integers(0, 86_400, len(day)), unit="s")
    group = rng.choice(list(groups), len(day))
    new = rng.random(len(day)) < 0.3 + kind * (day >= 0)
    shock = np.repeat(rng.normal(0, spread, days + after), each)
    chance = 0.15 + 0.2 * new + shock + effect * (day >= 0)
    rows = {"at": at, "wrong": rng.random(len(day)) < chance, "group": group, "new": new}
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def rows():
    return rows_of(np.random.default_rng(0))


@pytest.fixture(scope="module")
def found(rows):
    return rca.effect(rows, event=EVENT, metric=RATE, time="at")


@pytest.fixture
def _quick(monkeypatch):
    """Without dowhy's refuters, which take their time."""
    monkeypatch.setattr(estimation, "_dowhys", lambda *_: ())


# --- the answer -------------------------------------------------------------------------------------------------------


def test_a_planted_effect_is_found_and_shown(found):
    assert found.estimate.words == "interrupted time series"
    assert 0.15 in found.effect.interval
    assert found.strength == "shown"
    assert found.failed == ()
    assert {one.kind for one in found.refuters} >= {"placebo_date", "break_date", "random_cause", "hidden_cause"}


def test_where_nothing_happened_no_effect_is_found_and_nothing_claimed():
    none = rca.effect(rows_of(np.random.default_rng(1), effect=0.0), event=EVENT, metric=RATE, time="at")
    assert (none.strength, none.findings(), none.refuters) == (None, (), ())
    assert str(none).startswith("no effect of event at 2026-03-01 00:00 UTC on the rate of")
    assert (
        claim(none)
        == chart(none).title
        == 'No effect of event at 2026-03-01 00:00 UTC on the rate of "wrong" was found'
    )


def test_it_says_itself_and_comes_back_from_json(found):
    assert Effect.from_dict(found.to_dict()) == found
    assert "for the worse: shown" in str(found)
    (claim,) = found.findings()
    assert (claim.strength, claim.cause.kind, claim.effect) == ("shown", "event", found.effect.value)
    assert claim.refuters
    assert claim.assumptions == found.assumptions
    table = found.to_frame().set_index("what")["value"]
    assert table["after, had the event not happened"] == pytest.approx(found.after - found.effect.value)
    assert [row["verdict"] for row in found.checks()] == ["passed"] * len(found.refuters)
    assert found._repr_html_().startswith("<table ")


def test_the_same_seed_gives_the_same_answer(rows, found):
    assert rca.effect(rows.sample(frac=1, random_state=0), event=EVENT, metric=RATE, time="at") == found


def test_two_tables_are_put_together_and_parted_anew_at_the_event(rows, found):
    halves = rows[rows["at"] < "2026-02-10"], rows[rows["at"] >= "2026-02-10"]
    again = rca.effect(*halves, event=EVENT, metric=RATE, time="at", refute=False)
    assert again == replace(found, refuters=())


def test_a_metric_in_other_units_gives_the_effect_in_those(rows):
    small, large = (
        rca.effect(
            rows.assign(loss=scale * (rows["wrong"] + 0.1)),
            event=EVENT,
            metric={"name": "mean", "column": "loss"},
            time="at",
            refute=False,
        )
        for scale in (1e-9, 1e9)
    )
    assert large.effect.value == pytest.approx(1e18 * small.effect.value)
    assert large.effect.interval.low == pytest.approx(1e18 * small.effect.interval.low)


def test_without_refuters_nothing_is_shown(rows):
    bare = rca.effect(rows, event=EVENT, metric=RATE, time="at", refute=False)
    assert bare.strength == "suggested"


def test_an_effect_in_the_good_direction_is_for_the_better(rows):
    better = rca.effect(rows, event=EVENT, metric={**RATE, "harm": "lower"}, time="at", refute=False)
    assert "for the better" in str(better)
    assert set(chart(better).data[-1]["marker"]["color"]) == {"#3576b8", "#1a8f78"}


def test_a_gap_between_groups_is_followed_in_one_pair():
    rng = np.random.default_rng(2)
    rows = rows_of(rng, effect=0.0)
    late = (rows["at"] >= EVENT) & (rows["group"] == "b")
    rows["wrong"] = rows["wrong"] | (late & (rng.random(len(rows)) < 0.4))
    gap = {"name": "group_gap", "of": "rate", "column": "wrong"}
    found = rca.effect(rows, event=EVENT, metric=gap, time="at", groups="group", refute=False)
    assert found.metric == "rate gap between groups"
    assert found.effect.interval.low > 0.1


def test_a_root_of_a_mean_is_followed_as_such():
    rng = np.random.default_rng(3)
    rows = rows_of(rng)
    rows["said"] = rng.normal(0, np.where(rows["at"] < EVENT, 1.0, 2.0))
    found = rca.effect(
        rows.assign(truth=0.0), event=EVENT, metric="rmse", label="truth", prediction="said", time="at", refute=False
    )
    assert found.effect.interval.low < 1.0 < found.effect.interval.high
    assert (found.before, found.after) == (pytest.approx(1.0, abs=0.05), pytest.approx(2.0, abs=0.1))


@pytest.mark.usefixtures("_quick")
def test_an_effect_that_comes_later_than_its_event_is_not_shown():
    rows = rows_of(np.random.default_rng(4), after=40, effect=0.4)
    found = rca.effect(rows, event="2026-02-14T00:00Z", metric=RATE, time="at")
    assert found.strength != "shown"
    assert any(one.kind == "break_date" for one in found.failed)
    assert "to another time" in str(found)


# --- groups -----------------------------------------------------------------------------------------------------------


def in_group_a(seed, *, effect=0.2, shock=0.1):
    """All groups share their days' shocks and a rise at the event; group a alone has the effect."""
    rng = np.random.default_rng(seed)
    rows = rows_of(rng, effect=0.0, spread=0.0, each=90)
    day = ((rows["at"] - pd.Timestamp(EVENT)).dt.total_seconds() // 86_400).to_numpy()
    shared = rng.normal(0, 0.05, 200)[day.astype(int)]
    chance = 0.2 + shared + shock * (day >= 0) + effect * ((day >= 0) & (rows["group"] == "a"))
    return rows.assign(wrong=rng.random(len(rows)) < chance)


@pytest.mark.usefixtures("_quick")
def test_what_moves_all_groups_is_no_effect_on_the_one_that_the_event_reached():
    found = rca.effect(in_group_a(0), event=EVENT, metric=RATE, time="at", groups="group", affected="a")
    assert found.estimate.words == "difference in differences"
    assert 0.2 in found.effect.interval
    assert found.strength == "shown"
    assert {"parallel", "placebo_group"} <= {one.kind for one in found.refuters}
    none = rca.effect(in_group_a(1, effect=0.0), event=EVENT, metric=RATE, time="at", groups="group", affected=["a"])
    assert none.strength is None


@pytest.mark.usefixtures("_quick")
def test_a_group_called_unaffected_that_changed_refutes_it():
    rows = in_group_a(2, effect=0.3)
    found = rca.effect(rows, event=EVENT, metric=RATE, time="at", groups="group", affected="b")
    assert found.strength == "suggested"
    assert "placebo_group" in {one.kind for one in found.failed}


@pytest.mark.usefixtures("_quick")
def test_groups_that_drifted_apart_before_are_told():
    rows = in_group_a(3)
    day = (rows["at"] - pd.Timestamp(EVENT)).dt.total_seconds() / 86_400
    late = np.random.default_rng(0).random(len(rows)) < np.clip((day + 60) / 150, 0, 1)
    found = rca.effect(
        rows.assign(wrong=rows["wrong"] | (late & (rows["group"] == "a"))),
        event=EVENT,
        metric=RATE,
        time="at",
        groups="group",
        affected="a",
    )
    assert "parallel" in {one.kind for one in found.failed}


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({"affected": ["a", "b", "c"]}, Unanswerable, "every group is affected"),
        ({"affected": "z"}, InvalidCase, "no group 'z'"),
        ({"affected": "a", "groups": None}, InvalidCase, "needs groups"),
        ({"affected": "a", "groups": ["group", "again"]}, InvalidCase, "group and again have groups of these names"),
        ({"affected": "a", "design": "its"}, InvalidCase, "knows no groups"),
        ({"affected": "a", "covariates": "new"}, InvalidCase, "holds no covariates fixed"),
        ({"affected": "a", "graph": [("new", "wrong"), ("wrong", "new")]}, InvalidCase, "circle"),
        ({"design": "did"}, InvalidCase, "needs groups"),
    ],
    ids=str,
)
def test_groups_that_cannot_be_compared_are_said_to_be_so(rows, asked, error, says):
    with pytest.raises(error, match=says):
        rca.effect(
            rows.assign(again=rows["group"]), event=EVENT, metric=RATE, time="at", **{"groups": "group", **asked}
        )


def test_a_group_without_rows_on_one_side_is_no_comparison(rows):
    one_sided = rows[(rows["group"] != "a") | (rows["at"] >= EVENT)]
    with pytest.raises(Unanswerable, match="no row of an affected group lies before"):
        rca.effect(one_sided, event=EVENT, metric=RATE, time="at", groups="group", affected="a")


# --- the mix of rows --------------------------------------------------------------------------------------------------


def test_a_change_of_mix_is_no_effect_once_it_is_held_fixed():
    rows = rows_of(np.random.default_rng(5), effect=0.0, kind=0.5)
    asked = {"event": EVENT, "metric": RATE, "time": "at", "refute": False}
    raw, held = (
        rca.effect(rows, **asked, design="before_after", covariates=covariates) for covariates in ([], ["new"])
    )
    assert raw.effect.interval.low > 0.05
    assert 0 in held.effect.interval
    assert held.estimate.adjusted == ("new",)
    assert "at one mix of new" in held.estimate.words
    assert held.n_effective <= raw.n_effective


@pytest.mark.usefixtures("_quick")
def test_an_interrupted_series_may_be_adjusted_too_and_is_tried_without_rows_that_have_no_like():
    rows = rows_of(np.random.default_rng(6), effect=0.15, kind=0.5)
    found = rca.effect(rows, event=EVENT, metric=RATE, time="at", covariates=["new"])
    assert found.estimate.design == "its"
    assert 0.15 in found.effect.interval
    assert next(one for one in found.refuters if one.kind == "overlap").passed


@pytest.mark.usefixtures("_quick")
def test_where_trimming_leaves_too_few_rows_it_cannot_be_tried(rows, monkeypatch):
    monkeypatch.setattr(estimation, "trimmed", lambda mix, most: (mix.weights < 0, mix.chances < 0))
    found = rca.effect(rows, event=EVENT, metric=RATE, time="at", covariates=["new"])
    assert next(one for one in found.refuters if one.kind == "overlap").passed is None


@pytest.mark.usefixtures("_quick")
def test_one_unaffected_group_leaves_no_placebo_and_one_that_is_too_rare_is_left_out():
    rows = in_group_a(4, effect=0.3)
    asked = {"event": EVENT, "metric": RATE, "time": "at", "groups": "group", "affected": "a"}
    alone = rca.effect(rows[rows["group"] != "c"], **asked)
    assert next(one for one in alone.refuters if one.kind == "placebo_group").passed is None
    rare = rows.assign(group=rows["group"].where(rows.index != rows.index[-1], "d"))
    told = next(one for one in rca.effect(rare, **asked).refuters if one.kind == "placebo_group")
    assert "in 2 groups" in told.says


def test_rows_without_any_like_are_not_identifiable(rows):
    apart = rows.assign(new=rows["at"] >= EVENT)
    with pytest.raises(Unanswerable, match="no overlap in new"):
        rca.effect(apart, event=EVENT, metric=RATE, time="at", covariates=["new"])


def test_too_few_rows_to_adjust_are_said_to_be_so(rows):
    few = rows.groupby(rows["at"] < EVENT).head(20)
    with pytest.raises(Unanswerable, match="needed to adjust"):
        rca.effect(few, event=EVENT, metric=RATE, time="at", covariates=["new"], design="before_after")


# --- the event --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", ["2026-03-01", "soon", 7, True, None, "NaT", datetime(2026, 3, 1)], ids=repr)  # noqa: DTZ001
def test_what_is_no_moment_is_refused_with_a_hint(rows, event):
    with pytest.raises(InvalidCase, match=r"^event: .*Hint: give a time with an offset"):
        rca.effect(rows, event=event, metric=RATE, time="at")


@pytest.mark.parametrize(("event", "side"), [("2020-01-01T00:00Z", "before"), ("2030-01-01T00:00Z", "after")])
def test_an_event_outside_the_data_cannot_be_told_of(rows, event, side):
    with pytest.raises(Unanswerable, match=f"{side} the event: it is outside the data"):
        rca.effect(rows, event=event, metric=RATE, time="at")


def test_an_event_at_the_edge_of_the_data_cannot_be_told_of(rows):
    edge = rows["at"].sort_values().iloc[3].isoformat()
    with pytest.raises(Unanswerable, match="only 3 rows lie before"):
        rca.effect(rows, event=edge, metric=RATE, time="at")


def test_words_name_an_event_of_the_timeline_or_are_refused():
    at = datetime(2026, 3, 1, tzinfo=UTC)
    timeline = [Event(at=at, kind="deploy", what="loader 2"), Event(at=at, kind="config", what="loader limits")]
    assert event_reference("loader 2", timeline).name == "deploy loader 2"
    assert event_reference("LIMITS", timeline).name == "config loader limits"
    assert event_reference(timeline[1]).at == at
    assert event_reference(at, timeline).name == "deploy loader 2"
    assert [name for _, name in event_reference("loader 2", timeline).others] == ["config loader limits"]
    with pytest.raises(InvalidCase, match="may mean 2 events"):
        event_reference("loader", timeline)
    with pytest.raises(InvalidCase, match="did you mean 'deploy loader 2'"):
        event_reference("deploy loder 2", timeline)


def test_of_a_case_the_event_that_did_it_is_shown_and_a_bystander_is_not():
    case = rca.load(INCIDENTS / "chatbot-update")
    found = rca.effect(case, event="support-chat 2.0")
    assert (found.strength, found.effect.value) == ("shown", pytest.approx(0.067, abs=0.01))
    aside = rca.effect(case, event="reply length limit")
    assert aside.strength == "suggested"
    assert {"break_date", "alone"} <= {one.kind for one in aside.failed}


def test_of_a_repair_the_rows_after_it_are_those_of_the_recovered_window():
    case = rca.load(INCIDENTS / "credit-drift")
    found = rca.effect(case, event="schema v12.1", refute=False)
    assert found.effect.interval.high < 0
    assert found.n_after < 2000


def test_of_an_event_in_the_failing_window_the_recovered_rows_take_no_part():
    case = rca.load(INCIDENTS / "credit-drift")
    found = rca.effect(case, event="schema v12: ", refute=False)
    assert found.periods[-1].at < case.current["decided_at"].max()
    assert found.effect.interval.low > 0.1


def test_of_a_case_the_affected_group_is_looked_for_among_its_groups():
    case = rca.load(INCIDENTS / "chatbot-update")
    found = rca.effect(case, event="support-chat 2.0", affected="app", refute=False)
    assert found.estimate.design == "did"
    with pytest.raises(InvalidCase, match="no group 'nowhere'"):
        rca.effect(case, event="support-chat 2.0", affected="nowhere")


def test_a_case_names_its_own_roles(rows):
    case = rca.load(INCIDENTS / "chatbot-update")
    with pytest.raises(InvalidCase, match="a case names its own metric"):
        rca.effect(case, event="support-chat 2.0", metric=RATE)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"design": "guess"}, "design must be .* got 'guess'"),
        ({"every": "often"}, "a length of time above 0, got 'often'"),
        ({"every": -1}, "a length of time above 0, got -1"),
        ({"level": 2}, "level must lie between 0 and 1, got 2"),
        ({"time": None}, "time is missing"),
        ({"covariates": ["newer"]}, "no column 'newer'"),
        ({"covariates": ["wrong"]}, "read off 'wrong'"),
        ({"role": "x"}, "no role 'role'"),
        ({"affected": []}, "affected must name at least one group"),
        ({"affected": "a", "groups": "grup"}, "no column 'grup'"),
        ({"every": "10s"}, "periods of 10 seconds"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused(rows, asked, says):
    with pytest.raises(InvalidCase, match=says):
        rca.effect(rows, event=EVENT, **{"metric": RATE, "time": "at", **asked})


# --- periods ----------------------------------------------------------------------------------------------------------


def test_no_period_lies_on_both_sides_of_the_event():
    at = np.arange(-10, 10) * 1000.0
    parts = Parts(numerator=(at >= 0).astype(float)[:, None], denominator=np.ones((20, 1)))
    found = periods_of(parts, at, event=0.0, length=3600.0)
    assert set(found.values) == {0.0, 1.0}
    assert found.counts.sum() == 20


@pytest.mark.parametrize(
    ("span", "event", "length"),
    [(60 * DAY, 40 * DAY, DAY), (2 * DAY, 1.4 * DAY, HOUR), (900 * DAY, 600 * DAY, WEEK), (60.0, 40.0, 1.0)],
)
def test_periods_are_as_long_as_leaves_enough_of_them(span, event, length):
    assert length_for(np.linspace(0, span, 50_000), event) == length


def test_a_difference_is_of_periods_that_both_have():
    places = np.array([-2, -1, 0, 1])
    one = Periods(
        places=places, values=np.array([1.0, 2, 3, 4]), variance=np.ones(4), counts=np.ones(4), event=0, length=DAY
    )
    found = difference(one, one.take(places > -2))
    assert found.places.tolist() == [-1, 0, 1]
    assert not found.values.any()
    assert (found.variance == 2).all()


def test_of_a_gap_the_farthest_pair_is_one_for_all_periods():
    parts = Parts(numerator=np.array([[1.0, 0, 3.0]]), denominator=np.ones((1, 3)), shape="gap")
    assert pair_of(parts).numerator.tolist() == [[3.0, 0.0]]


# --- regression -------------------------------------------------------------------------------------------------------


def test_a_series_without_any_chance_is_told_exactly():
    places = np.arange(-20, 10)
    flat = Periods(
        places=places,
        values=np.where(places < 0, 0.2, 0.5),
        variance=np.ones(30),
        counts=np.ones(30),
        event=0,
        length=DAY,
    )
    found = interrupted(flat, "its", level=0.95).estimate
    assert found.effect.value == pytest.approx(0.3)
    assert found.effect.interval.low == pytest.approx(0.3, abs=1e-6)
    still = interrupted(replace(flat, values=np.zeros(30)), "its", level=0.95).estimate
    assert still.effect.value == 0
    assert 0 in still.effect.interval


def test_the_jump_is_the_mean_effect_over_the_rows_after_the_event():
    places = np.arange(-20, 10)
    same = {"variance": np.ones(30), "event": 0.0, "length": DAY, "counts": np.arange(1.0, 31.0)}
    grows = Periods(places=places, values=np.where(places >= 0, 1.0 + places, 0.0), **same)
    found = interrupted(grows, "its", level=0.95).estimate
    assert found.effect.value == pytest.approx(np.average(1.0 + places[20:], weights=same["counts"][20:]))
    assert found.jump.value == pytest.approx(1.0)
    assert found.growth.value == pytest.approx(1.0)


def test_few_periods_leave_out_what_they_cannot_tell():
    places = np.arange(-3, 3)
    few = Periods(places=places, values=np.arange(6.0), variance=np.ones(6), counts=np.ones(6), event=0.0, length=DAY)
    assert terms_at(few, "before_after").shape[1] == 2
    with pytest.raises(Unanswerable, match="only 3 periods before the event and 3"):
        interrupted(few, "its", level=0.95)
    assert isinstance(interrupted(few, "before_after", level=0.95).estimate, EffectEstimate)


# --- hostile input ----------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
def test_odd_rows_do_not_upset_it(rows):
    asked = {"event": EVENT, "metric": RATE, "time": "at", "refute": False}
    holes = rows.assign(wrong=rows["wrong"].astype(float).where(rows.index % 7 > 0))
    assert rca.effect(holes, **asked).n_before < (rows["at"] < EVENT).sum()
    timeless = rows.assign(at=rows["at"].where(rows.index % 5 > 0))
    assert rca.effect(timeless, **asked).n_before < (rows["at"] < EVENT).sum()
    naive = rows.assign(at=rows["at"].dt.tz_localize(None))
    assert rca.effect(naive, **asked) == rca.effect(rows, **asked)
    gone = rows[~rows["at"].between("2026-02-10", "2026-02-20")]
    assert len(rca.effect(gone, **asked).periods) < len(rca.effect(rows, **asked).periods)
    twice = pd.concat([rows, rows])
    assert rca.effect(twice, **asked).effect.value == pytest.approx(rca.effect(rows, **asked).effect.value, abs=0.01)
    never = rca.effect(rows.assign(wrong=False), **asked)
    assert (never.effect.value, never.strength) == (0.0, None)
    assert all(one.interval.high - one.interval.low < 1e-9 for one in never.periods)


def test_without_a_time_or_a_column_of_times_nothing_can_be_told(rows):
    from rca.analysis.event_study.estimation import study
    from rca.analysis.event_study.pre_post_rows import Asked
    from rca.analysis.inputs.windows import windows_from

    windows = windows_from(rows, rows, metric=RATE)
    with pytest.raises(Unanswerable, match="the rows have no time"):
        study(windows, event_reference(EVENT), Asked(), rng=np.random.default_rng(0))


def test_rows_at_one_moment_or_without_a_number_cannot_be_told_of(rows):
    asked = {"event": EVENT, "metric": RATE, "time": "at"}
    days = rows.assign(at=rows["at"].dt.floor("40D"))
    with pytest.raises(Unanswerable):
        rca.effect(days, **asked)
    with pytest.raises(Unanswerable, match="no rows that count"):
        rca.effect(rows.assign(wrong=np.where(rows["at"] < EVENT, np.nan, 1.0)), **asked)


def test_a_length_of_time_is_spelled():
    assert [span_in_words(seconds) for seconds in (WEEK, DAY, 6 * HOUR, 600.0, 1.0)] == [
        "one week", "one day", "6 hours", "10 minutes", "one second",
    ]  # fmt: skip
