"""The response over many incidents: by measure, by group, over time, before and after, and against targets."""

import json
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from rca import portfolio
from rca.analysis.portfolio.kaplan_meier import Estimate
from rca.analysis.portfolio.question import Portfolio
from rca.analysis.portfolio.results import Comparison, Summary, Trend, in_unit, unit_for, with_interval
from rca.analysis.portfolio.service_targets import targets_of
from rca.analysis.portfolio.summaries import GROUPS, POINTS, compare_periods
from rca.errors import InvalidCase
from tests.conftest import HOSTILE, INCIDENTS, ROOT

SERVICES = ROOT.parent / "shared/data/incidents/llm_service_incidents/clean/incident/2024-08-31/incident_stages.csv"


def log(n=200, seed=0, **more):
    """A log of n incidents over two years, the lengths of which have nothing to do with anything."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(np.sort(rng.integers(0, 730 * 86400, n)), unit="s")
    detected = start + pd.to_timedelta(np.ceil(rng.lognormal(5, 1, n)), unit="s")
    recovered = detected + pd.to_timedelta(np.ceil(rng.lognormal(8, 1, n)), unit="s")
    table = {"id": [f"i{at}" for at in range(n)], "onset": start, "detected": detected, "recovered": recovered}
    return pd.DataFrame({**table, "severity": rng.choice(["sev1", "sev2", "sev3"], n), **more})


@pytest.fixture(scope="module")
def found():
    return portfolio(log(), split="2025-01-01T00:00Z", targets="time_to_recover=4h:0.5, exposure=1h")


# --- what is told ----------------------------------------------------------------------------------------------------


def test_every_measure_of_the_log_is_told_and_the_others_are_named(found):
    assert [one.measure for one in found.summaries] == ["time_to_detect", "time_to_recover", "time_between_failures"]
    assert {"exposure", "time_to_contain", "length", "failed_deployment_recovery"} <= set(found.untold)
    with pytest.raises(KeyError, match="exposure"):
        found["exposure"]


def test_a_summary_says_its_moments_n_median_and_interval(found):
    one = found["time_to_detect"]
    assert (one.start, one.end, one.n, one.open, one.left_out) == ("onset", "detected", 200, 0, 0)
    assert str(one).startswith("time to detect, onset to detected: median ")
    assert str(one).endswith("; n = 200")
    assert one.median.low < one.median.value < one.median.high
    table = log()
    assert one.median.value == (table.detected - table.onset).dt.total_seconds().median()


def test_every_part_says_itself_and_comes_back_from_json(found):
    again = Portfolio.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False)))
    assert again == found
    assert str(again) == str(found)
    for part in (*found.summaries, *found.grouped, *found.trends, *found.comparisons, *found.targets):
        assert str(part)
        assert part.rows()
        assert type(part).from_dict(part.to_dict()) == part
    assert found.to_frame()["n"].tolist() == [200, 200, 197]
    assert "<table " in found._repr_html_()


def test_findings_carry_the_median_with_its_interval(found):
    claims = {claim.id: claim for claim in found.findings()}
    assert claims["portfolio.time_to_detect"].interval.low == found["time_to_detect"].median.low
    assert claims["portfolio.time_to_detect"].unit == "s"


def test_the_same_log_gives_the_same_answer_in_any_order():
    table = log()
    first, second = portfolio(table), portfolio(table.sample(frac=1, random_state=1))
    assert first.to_dict() == second.to_dict()


def test_curves_begin_at_one_fall_and_are_thin_enough_to_draw():
    curve = portfolio(log(1000))["time_to_recover"].curve
    assert (curve.seconds[0], curve.share[0], curve.share[-1]) == (0.0, 1.0, 0.0)
    assert len(curve.share) == len(curve.low) == len(curve.high) == POINTS + 1
    assert np.all(np.diff(curve.share) <= 0)
    assert all(low <= share <= high for low, share, high in zip(curve.low, curve.share, curve.high, strict=True))


# --- means that mislead ----------------------------------------------------------------------------------------------


def lasting(minutes, **more):
    return portfolio(pd.DataFrame({"minutes": minutes, **more}))["length"]


def test_a_mean_that_hangs_on_a_few_long_incidents_misleads():
    told = lasting([10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 1000])
    assert told.misleads == ("it lies outside the interval of the median", "the longest 2 hold 88 % of all time")
    assert told.warning().startswith("the mean, 97.1 min, misleads: ")


def test_a_mean_leaves_out_what_is_open():
    told = lasting([10, 20, 30], status=["closed", "open", "closed"])
    assert told.misleads == ("it leaves out 1 open",)
    assert (told.n, told.open, told.mean) == (3, 1, 1200.0)


def test_a_mean_in_the_middle_does_not_mislead():
    told = lasting(list(range(10, 40)))
    assert (told.misleads, told.warning()) == ((), "")


@pytest.mark.parametrize("n", [1, 2, 9])
def test_of_few_equal_incidents_everything_is_told_that_can_be(n):
    told = lasting([5] * n)
    assert (told.median.value, told.mean, told.misleads) == (300.0, 300.0, ())
    assert told.horizon == 300.0


# --- the edges -------------------------------------------------------------------------------------------------------


def test_an_empty_log_is_no_error():
    told = portfolio(log(0))
    assert str(told) == "table: no incidents"
    assert (told.summaries, told.grouped, told.trends, told.to_frame().empty) == ((), (), (), True)
    assert Portfolio.from_dict(told.to_dict()) == told


def test_where_all_are_open_medians_are_not_reached():
    table = log(20).assign(recovered=pd.NaT)
    told = portfolio(table, as_of="2026-06-01T00:00Z")
    recover = told["time_to_recover"]
    assert (told.open, recover.open, recover.median.value, recover.mean, recover.horizon) == (20, 20, None, None, None)
    assert "not reached" in str(recover)
    assert Portfolio.from_dict(told.to_dict()) == told


def test_one_incident_is_a_log():
    told = portfolio(log(1))
    assert told["time_to_detect"].n == 1
    assert "(no bound)" in str(told)


def test_hostile_names_stay_what_they_are_and_are_escaped_where_they_are_shown():
    table = log(30).assign(id=HOSTILE, severity=HOSTILE, category=[HOSTILE, "b"] * 15)
    told = portfolio(table)
    assert [one.n for one in told.grouped] == []
    told = portfolio(table.assign(id=[f"{HOSTILE}{at}" for at in range(30)]))
    assert {one.grouping for one in told.grouped} == {"category", "quarter"}
    for part in told.grouped:
        assert "<script>" not in part._repr_html_()


def test_groups_beyond_the_largest_are_counted():
    told = portfolio(log(300, system=[f"s{at % (GROUPS + 5)}" for at in range(300)]))
    one = next(one for one in told.grouped if one.grouping == "system")
    assert (len(one.groups), one.others) == (GROUPS, 5)
    assert f"and {one.others} more" in str(one)


# --- groups ----------------------------------------------------------------------------------------------------------


def test_groups_are_told_apart_by_class_where_it_was_decided():
    classed = log(30).assign(**{"class": ["incident", "near_miss", None] * 10})
    told = [one for one in portfolio(classed).grouped if one.grouping == "class"]
    assert {one.group for each in told for one in each.groups} == {"incident", "near_miss"}


def test_groups_are_told_apart_by_severity_and_quarter(found):
    groups = {(one.measure, one.grouping): one for one in found.grouped}
    severity = groups["time_to_recover", "severity"]
    assert [one.group for one in severity.groups] == ["sev1", "sev2", "sev3"]
    assert sum(one.n for one in severity.groups) == 200
    assert severity.q_value >= severity.p_value
    quarters = groups["time_to_recover", "quarter"]
    assert [one.group for one in quarters.groups][:2] == ["2024-Q1", "2024-Q2"]
    assert quarters.p_value is None
    assert ("time_between_failures", "quarter") not in groups


def test_a_group_that_lasts_longer_is_found():
    table = log(300)
    slow = (table.severity == "sev1").to_numpy()
    table["recovered"] = table.recovered + np.where(slow, 6, 0) * pd.Timedelta(hours=1)
    tests = {one.measure: one.q_value for one in portfolio(table).grouped if one.grouping == "severity"}
    assert tests["time_to_recover"] < 1e-6 < tests["time_to_detect"]


def test_what_is_left_out_is_counted_by_group():
    table = pd.DataFrame({"minutes": [0, 1, 2, 0, 3, 4], "system": list("aabbbb")})
    (one,) = portfolio(table).grouped
    assert [(part.group, part.n, part.left_out) for part in one.groups] == [("a", 1, 1), ("b", 3, 1)]


# --- over time -------------------------------------------------------------------------------------------------------


def test_a_true_trend_is_found_and_its_size_told():
    table = log(400)
    years = (table.onset - table.onset.min()).dt.total_seconds() / (365.25 * 86400)
    table["recovered"] = table.onset + (table.recovered - table.onset) * 2**years
    trends = {one.measure: one for one in portfolio(table).trends}
    assert trends["time_to_recover"].p_value < 1e-6
    assert trends["time_to_recover"].factor.holds(2.0)
    assert trends["time_to_detect"].factor.holds(1.0)
    assert trends["incidents"].factor.holds(1.0)


def test_a_quarter_without_incidents_counts_as_one():
    table = log(300)
    quiet = (table.onset < "2024-07-01") | (table.onset >= "2024-10-01")
    counts = portfolio(table[quiet]).trends[0]
    assert counts.quarters == ("2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4", "2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4")
    assert counts.values[2] == 0.0
    assert sum(counts.values) == quiet.sum()


def test_a_month_of_incidents_gives_no_growth_a_year():
    table = log(50)
    earlier = (table.onset - table.onset.min()) * 0.97
    table = table.assign(**{name: table[name] - earlier for name in ("onset", "detected", "recovered")})
    told = {one.measure: one for one in portfolio(table).trends}
    assert told["time_to_recover"].factor.value is None
    assert "too short a time" in str(told["time_to_recover"])


def test_a_trend_says_that_it_cannot_be_tested():
    told = Trend(measure="exposure", factor=Estimate(value=None), p_value=None, quarters=(), values=())
    assert str(told) == "trend of exposure: too short a time for a slope; no trend can be tested"


# --- before and after ------------------------------------------------------------------------------------------------


def test_before_and_after_a_day_are_compared_with_the_smallest_change_to_be_seen(found):
    one = next(one for one in found.comparisons if one.measure == "time_to_recover")
    assert (one.earlier.group, one.later.group) == ("before 2025-01-01", "from 2025-01-01 on")
    assert one.earlier.n + one.later.n == 200
    assert not one.differs
    assert one.ratio.holds(1.0)
    assert one.smallest > 1.2
    assert "no difference can be shown" in str(one)
    assert "in 8 of 10 cases" in str(one)


def test_a_change_for_the_better_is_seen():
    rng = np.random.default_rng(0)
    one = compare_periods(rng.lognormal(8, 1, 100), rng.lognormal(7, 1, 100))
    assert one.differs
    assert one.ratio.holds(np.exp(-1))
    assert one.p_value < 0.001
    assert "differs" in str(one)


def test_without_a_median_no_ratio_is_told():
    table = log(20).assign(recovered=pd.NaT)
    told = portfolio(table, split="2025-01-01T00:00Z", as_of="2026-06-01T00:00Z")
    one = next(one for one in told.comparisons if one.measure == "time_to_recover")
    assert "no ratio can be told" in str(one)
    assert not one.differs
    assert Comparison.from_dict(one.to_dict()) == one


@pytest.mark.parametrize("split", ["1999-01-01T00:00Z", "2099-01-01T00:00Z"])
def test_a_split_with_an_empty_side_is_refused_and_not_passed_over(split):
    with pytest.raises(InvalidCase, match=r"split: no incident of known length lies on one of the sides of"):
        portfolio(log(20), split=split)


def test_a_day_without_an_offset_is_refused():
    with pytest.raises(InvalidCase, match="split"):
        portfolio(log(5), split="2025-01-01")


# --- targets ---------------------------------------------------------------------------------------------------------


def test_targets_are_met_missed_or_cannot_be_told(found):
    states = {one.target.measure: one.state for one in found.targets}
    assert states == {"time_to_recover": "met", "exposure": "cannot tell"}
    assert "no incident has both moments" in str(found.targets[1])
    (missed,) = portfolio(log(), targets={"time_to_recover": ("10 min", 0.9)}).targets
    assert missed.state == "missed"
    assert missed.within.low <= missed.within.value <= missed.within.high < 0.9
    assert set(missed.over) <= {f"i{at}" for at in range(200)}


def test_a_target_may_be_about_one_severity():
    table = pd.DataFrame({"minutes": [1.0] * 40 + [100.0] * 40, "severity": ["sev2"] * 40 + ["sev1"] * 40})
    told = portfolio(table, targets="length@sev1=10min:0.5, length@sev2=10min:0.5, length@sev3=10min:0.5").targets
    assert [(one.state, one.n) for one in told] == [("missed", 40), ("met", 40), ("cannot tell", 0)]
    assert str(told[0]).startswith("length (sev1) within 10 min: 0 % (0–")
    (unknown,) = portfolio(table[["minutes"]], targets="length@sev1=10min").targets
    assert unknown.state == "cannot tell"


def test_few_incidents_cannot_show_that_a_target_is_met():
    (one,) = portfolio(log(5), targets={"time_to_recover": (timedelta(days=30), 0.95)}).targets
    assert (one.within.value, one.state) == (1.0, "cannot tell")


def test_an_open_incident_counts_for_as_long_as_it_has_been_seen():
    table = pd.DataFrame({"minutes": [5, 5, 500], "status": ["closed", "open", "open"]})
    (one,) = portfolio(table, targets={"length": 600}).targets
    assert one.within.value == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"time_to_recovr": "4h"}, "did you mean 'time_to_recover'"),
        ({"exposure": "4 weeks"}, "above 0, got '4 weeks'"),
        ({"exposure": -5}, "above 0, got '-5'"),
        ({"exposure": True}, "above 0, got 'True'"),
        ({"exposure": float("inf")}, "above 0, got 'inf'"),
        ({"exposure": ("4h", "most")}, "between 0 and 1, got most"),
        ("exposure=4h:1.5", "between 0 and 1, got 1.5"),
        ("exposure", "above 0, got ''"),
    ],
)
def test_a_target_that_is_none_is_refused(given, said):
    with pytest.raises(InvalidCase, match=said):
        targets_of(given)


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        (Estimate(value=4320.0, low=3840.0, high=4710.0), "72 (64–78.5)"),
        (Estimate(value=4320.0, low=3840.0), "72 (from 64)"),
        (Estimate(value=4320.0, low=0.0, high=4710.0), "72 (up to 78.5)"),
        (Estimate(value=None, low=3840.0), "not reached (from 64)"),
        (Estimate(value=4320.0), "72 (no bound)"),
    ],
)
def test_an_estimate_says_which_bounds_it_has(estimate, said):
    assert with_interval(estimate, "min") == said


def test_lengths_are_read_in_the_unit_that_suits_them():
    assert [unit_for(each) for each in (0.0, 119.0, 120.0, 7200.0, 172_800.0)] == ["s", "s", "min", "h", "d"]
    assert in_unit(3_600_000.0, "s") == "3,600,000"


# --- records ---------------------------------------------------------------------------------------------------------


def test_cases_tell_of_open_and_overdue_actions_and_of_factors_that_recur(tmp_path):
    import shutil

    import yaml

    for name in ("credit-drift", "chatbot-update", "line-cascade"):
        (tmp_path / name).mkdir()
        record = yaml.safe_load((INCIDENTS / name / "incident.yaml").read_text(encoding="utf-8"))
        record["whys"] = [{"question": "Why?", "answer": {"statement": "Nobody  looked", "category": "process"}}]
        (tmp_path / name / "incident.yaml").write_text(yaml.safe_dump(record), encoding="utf-8")
    shutil.copytree(tmp_path / "line-cascade", tmp_path / "misnamed")
    told = portfolio(tmp_path, as_of="2027-01-01T00:00Z")
    (recurring,) = told.recurring
    assert (recurring.kind, recurring.incidents) == ("process", ("chatbot-update", "credit-drift", "line-cascade"))
    assert told.incidents == 3
    late = [action.overdue_by or 0 for action in told.actions]
    assert late == sorted(late, reverse=True)
    assert late[0] > 0
    assert not {action.action.state for action in told.actions} & {"done", "dropped"}
    assert "recurring in 3: Nobody  looked" in str(told)
    assert "not read: misnamed/" in str(told)


def test_an_action_without_a_date_is_not_overdue():
    from rca.analysis.portfolio.question import _unfinished
    from rca.record.log import Noted

    actions = [Noted(incident="a", what=due or "", due=due, state="open") for due in (None, "soon", "2026-01-01")]
    found = _unfinished([*actions, Noted(incident="a", what="", state="done")], pd.Timestamp("2026-01-03", tz="UTC"))
    assert [one.overdue_by for one in found] == [2, None, None]
    assert all(one.overdue_by is None for one in _unfinished(actions, None))


def test_a_summary_of_no_length_at_all_is_told():
    nothing = Estimate(value=None)
    told = Summary(
        measure="exposure", start="onset", end="contained", n=0, open=0, left_out=3, median=nothing,
        percentiles=(nothing,) * 3, mean=None, misleads=(), restricted=nothing, horizon=None,
        curve=portfolio(log(1))["time_to_detect"].curve,
    )  # fmt: skip
    assert str(told) == "exposure, onset to contained: median not reached (no bound) s; n = 0"


# --- real incidents --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not SERVICES.is_file(), reason="the service incidents are not beside the repository")
def test_of_the_service_incidents_the_median_is_told_the_mean_misleads_and_those_without_length_are_listed():
    told = portfolio(SERVICES)
    length = told["length"]
    assert told.incidents == 542
    assert str(length).startswith("length, start to end: median 72 (64–78.5) min")
    assert (length.n, length.left_out) == (476, 66)
    assert length.warning().startswith("the mean, 198 min, misleads: it lies outside the interval of the median")
    (without,) = (one for one in told.oddities if one.kind == "without length")
    assert (without.count, len(set(without.incidents))) == (66, 66)
