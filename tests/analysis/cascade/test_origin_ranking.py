"""Which system failed first: by time, by the graph, by size, and never by the order of columns."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.analysis.cascade.anomaly_score import ABNORMAL
from rca.analysis.cascade.origin_ranking import rank_origins
from rca.analysis.cascade.results import Cascade, component_of, metric_of
from rca.errors import InvalidCase, Unanswerable
from rca.record.schema.incident import Signals
from tests.conftest import ROOT

START = pd.Timestamp("2026-03-05T06:00", tz="UTC")
FAIL = START + pd.Timedelta(minutes=60)
CHAIN = ("sensor", "robot", "line", "qa")
EDGES = tuple(pairwise(CHAIN))


def signals(**options):
    return Signals.model_validate(
        {"path": "s.parquet", "from": FAIL.isoformat(), "to": (FAIL + pd.Timedelta(minutes=30)).isoformat()} | options
    )


def table(rng, names=CHAIN, rows=91):
    columns = {f"{name}|load": rng.normal(10, 1, rows) for name in names}
    return pd.DataFrame({"time": START + pd.to_timedelta(np.arange(rows), unit="min"), **columns})


def failing(rng, delays, height=20.0, names=CHAIN):
    """Each component leaves its range so many minutes after the failing window opens."""
    made = table(rng, names)
    for name, delay in delays.items():
        made.loc[60 + delay :, f"{name}|load"] += height
    return made


def order(found):
    return [one.component for one in found.suspects]


def test_the_first_upstream_of_the_alarm_is_named_first():
    made = failing(np.random.default_rng(0), {"sensor": 0, "robot": 2, "line": 4, "qa": 6})
    found = rank_origins(made, signals(target="qa|load"), edges=EDGES)
    assert order(found) == list(CHAIN)
    assert [one.explained for one in found.suspects] == [False, True, True, True]


def test_calls_run_against_the_failure():
    made = failing(np.random.default_rng(1), {"sensor": 0, "robot": 2, "line": 4, "qa": 6})
    back = [(callee, caller) for caller, callee in EDGES]
    called = rank_origins(made, signals(target="qa|load"), edges=back, kind="calls")
    caused = rank_origins(made, signals(target="qa|load"), edges=EDGES)
    assert order(called) == order(caused)
    assert (called.steps, called.grounded, called.doubt) == (caused.steps, caused.grounded, caused.doubt)


def test_a_loud_bystander_that_cannot_act_on_the_alarm_comes_after():
    rng = np.random.default_rng(2)
    made = failing(rng, {"sensor": 3, "robot": 5, "line": 6, "qa": 8})
    made["radio|load"] = rng.normal(10, 1, 91) + 500 * (np.arange(91) >= 60)
    found = rank_origins(made, signals(target="qa|load"), edges=[*EDGES, ("qa", "radio")])
    assert found.suspects[0].component == "sensor"
    assert not next(one for one in found.suspects if one.component == "radio").upstream


def test_without_a_graph_the_first_to_leave_comes_first_and_of_the_simultaneous_the_farthest():
    made = failing(np.random.default_rng(3), {"qa": 0})
    later = made.assign(**{"line|load": made["line|load"] + 25 * (np.arange(91) >= 70)})
    assert order(rank_origins(later, signals()))[:2] == ["qa", "line"]
    loud = made.assign(**{"line|load": made["line|load"] + 4000 * (np.arange(91) >= 61)})
    assert order(rank_origins(loud, signals()))[:2] == ["line", "qa"]
    at_once = made.assign(**{"line|load": made["line|load"] + 400 * (np.arange(91) >= 60)})
    assert order(rank_origins(at_once, signals()))[:2] == ["line", "qa"]


@pytest.mark.parametrize(("direction", "named"), [("up", False), ("down", True), (None, True)])
def test_a_signal_that_moves_the_good_way_is_not_abnormal(direction, named):
    made = failing(np.random.default_rng(4), {"robot": 0}, height=-20)
    found = rank_origins(made, signals(bad={"load": direction} if direction else {}))
    assert ("robot" in [one.component for one in found.abnormal]) == named


@given(st.randoms(), st.integers(0, 50))
@settings(max_examples=20, deadline=None)
def test_neither_the_order_of_columns_nor_of_rows_nor_of_edges_matters(random, seed):
    made = failing(np.random.default_rng(5), {"sensor": 0, "robot": 2, "line": 2})
    names, edges = [name for name in made.columns if name != "time"], list(EDGES)
    random.shuffle(names)
    random.shuffle(edges)
    mixed = made[[*names, "time"]].sample(frac=1, random_state=seed)
    assert rank_origins(mixed, signals(target="qa|load"), edges=edges) == rank_origins(
        made, signals(target="qa|load"), edges=EDGES
    )


@given(st.floats(0.01, 1000), st.integers(0, 20))
@settings(max_examples=20, deadline=None)
def test_a_unit_changes_neither_rank_nor_onset(factor, seed):
    made = failing(np.random.default_rng(seed), {"sensor": 0, "robot": 2})
    scaled = made.assign(**{"robot|load": made["robot|load"] * factor})
    plain, other = rank_origins(made, signals(), edges=EDGES), rank_origins(scaled, signals(), edges=EDGES)
    assert order(plain) == order(other)
    assert [one.onset for one in plain.suspects] == [one.onset for one in other.suspects]


def test_a_ring_of_causes_is_ranked_all_the_same():
    made = failing(np.random.default_rng(6), {"sensor": 0, "robot": 1, "line": 2, "qa": 3})
    found = rank_origins(made, signals(target="qa|load"), edges=[*EDGES, ("qa", "sensor"), ("robot", "robot")])
    assert order(found)[0] == "sensor"


def test_each_component_is_named_once_by_its_most_abnormal_signal():
    made = failing(np.random.default_rng(7), {"robot": 0})
    made["robot|errors"] = np.where(np.arange(91) >= 60, 1000.0, made["line|load"])
    found = rank_origins(made, signals())
    assert sorted(order(found)) == sorted(CHAIN)
    assert found.suspects[0].signal == "robot|errors"
    assert found.n_signals == 5
    assert found.chance == 1 / 4


def test_the_onset_is_the_first_sample_outside_the_normal_range():
    made = failing(np.random.default_rng(8), {"sensor": 7})
    found = rank_origins(made, signals(), edges=EDGES)
    assert found.suspects[0].onset == (FAIL + timedelta(minutes=7)).to_pydatetime()
    assert found.suspects[0].score >= ABNORMAL


def test_the_failing_window_holds_both_its_ends_and_nothing_after():
    made = failing(np.random.default_rng(9), {"qa": 28})
    assert rank_origins(made, signals()).abnormal
    assert not rank_origins(made, signals(to=(FAIL + pd.Timedelta(minutes=27)).isoformat())).abnormal


def test_a_quiet_line_has_nothing_abnormal():
    found = rank_origins(table(np.random.default_rng(10)), signals(target="qa|load"), edges=EDGES)
    assert found.abnormal == ()
    assert found.findings() == ()
    assert str(found) == "none of 4 signals left its normal range"


@pytest.mark.parametrize("hole", [np.nan, None])
@pytest.mark.parametrize("rows", [slice(0, 60), slice(60, 91), slice(0, 91), slice(0, 91, 2)])
def test_missing_samples_are_passed_over(hole, rows):
    made = failing(np.random.default_rng(11), {"sensor": 0})
    made.loc[made.index[rows], "robot|load"] = hole
    found = rank_origins(made, signals(), edges=EDGES)
    assert found.suspects[0].component == "sensor"
    assert all(np.isfinite(one.score) for one in found.suspects)


@pytest.mark.parametrize(
    "extra", [[np.inf] * 91, [1e300] * 91, [0.0] * 91, [True] * 91, [1] * 91, [-np.inf, np.inf] * 45 + [0.0]]
)
def test_an_odd_signal_does_not_hide_the_others(extra):
    made = failing(np.random.default_rng(12), {"sensor": 0}).assign(**{"odd|x": extra})
    found = rank_origins(made, signals(), edges=EDGES)
    assert found.suspects[0].component == "sensor"
    assert all(np.isfinite(one.score) for one in found.suspects)


def test_a_signal_that_never_moved_needs_a_visible_step():
    made = table(np.random.default_rng(13)).assign(**{"still|x": 100.0})
    made.loc[70:, "still|x"] = 100.0001
    assert not any(one.component == "still" for one in rank_origins(made, signals()).abnormal)
    made.loc[70:, "still|x"] = 200.0
    assert rank_origins(made, signals()).suspects[0].component == "still"


@pytest.mark.parametrize("rows", [slice(0, 9), slice(55, 91), slice(0, 60), slice(0, 0)])
def test_too_few_samples_cannot_say(rows):
    with pytest.raises(Unanswerable, match="too few"):
        rank_origins(table(np.random.default_rng(14)).iloc[rows], signals())


def test_a_table_without_signals_cannot_say():
    with pytest.raises(Unanswerable):
        rank_origins(table(np.random.default_rng(15))[["time"]], signals())


def test_a_graph_of_signals_is_read_as_one_of_components():
    made = failing(np.random.default_rng(16), {"sensor": 0, "robot": 2})
    edges = [("sensor|load", "robot|load"), ("robot|load", "qa|load")]
    assert rank_origins(made, signals(target="qa|load"), edges=edges).suspects[1].explained


def test_a_bar_in_a_metric_belongs_to_the_metric():
    assert (component_of("a|b|c"), metric_of("a|b|c")) == ("a", "b|c")
    assert (component_of("alone"), metric_of("alone")) == ("alone", "")


def test_a_cascade_comes_back_from_its_dictionary_and_lists_its_findings():
    made = failing(np.random.default_rng(17), {"sensor": 0, "robot": 2})
    found = rank_origins(made, signals(target="qa|load"), edges=EDGES)
    assert Cascade.from_dict(found.to_dict()) == found
    assert [finding.id for finding in found.findings()] == ["cascade.sensor", "cascade.robot"]
    assert len(found.rows()) == 4
    assert str(found).startswith("sensor first, by sensor|load: ")


# --- laws of the whole -----------------------------------------------------------------------------------------------


def renamed(made, names):
    return made.rename(columns={f"{old}|load": f"{new}|load" for old, new in names.items()})


@given(st.permutations(("zeta", "Alpha", "m m", "\N{GREEK SMALL LETTER OMEGA}")), st.integers(0, 20))
@settings(max_examples=20, deadline=None)
def test_what_components_are_called_changes_nothing_but_their_names(names, seed):
    made = failing(np.random.default_rng(seed), {"sensor": 0, "robot": 2, "line": 4, "qa": 6})
    new = dict(zip(CHAIN, names, strict=True))
    plain = rank_origins(made, signals(target="qa|load"), edges=EDGES)
    other = rank_origins(
        renamed(made, new), signals(target=f"{new['qa']}|load"), edges=[(new[one], new[two]) for one, two in EDGES]
    )
    assert [new[name] for name in order(plain)] == order(other)
    assert [(new[one.cause], new[one.effect], one.lag) for one in plain.steps] == [
        (one.cause, one.effect, one.lag) for one in other.steps
    ]


def test_the_seed_of_hashes_changes_nothing(tmp_path):
    made = failing(np.random.default_rng(20), dict.fromkeys(CHAIN, 0))
    made.to_pickle(tmp_path / "made.pkl")
    code = (
        "import json, sys, pandas as pd; from tests.analysis.cascade.test_origin_ranking import EDGES, signals;"
        "from rca.analysis.cascade.origin_ranking import rank_origins;"
        "edges, known = [*EDGES, ('qa', 'sensor')], signals(target='qa|load');"
        "found = rank_origins(pd.read_pickle(sys.argv[1]), known, edges=edges);"
        "print(json.dumps(found.to_dict()))"
    )
    another = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "made.pkl")],
        env=os.environ | {"PYTHONHASHSEED": "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"},
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    here = rank_origins(made, signals(target="qa|load"), edges=[*EDGES, ("qa", "sensor")])
    assert here.to_dict()
    assert another.strip() == json.dumps(here.to_dict())


def test_the_way_has_the_lags_that_were_planted():
    made = failing(np.random.default_rng(21), {"sensor": 0, "robot": 5, "line": 9, "qa": 15})
    found = rank_origins(made, signals(target="qa|load"), edges=EDGES)
    assert [(one.cause, one.effect, one.lag / 60) for one in found.way] == [
        ("sensor", "robot", 5), ("robot", "line", 4), ("line", "qa", 6),
    ]  # fmt: skip
    assert all(one.earliest <= one.lag <= one.latest and not one.simultaneous for one in found.steps)


def test_what_came_at_once_is_called_simultaneous():
    made = failing(np.random.default_rng(22), {"sensor": 3, "robot": 3, "line": 4, "qa": 4})
    found = rank_origins(made, signals(target="qa|load"), edges=EDGES)
    assert order(found)[0] == "sensor"
    assert all(one.simultaneous for one in found.steps)


def test_a_guard_that_stayed_green_is_a_finding():
    made = failing(np.random.default_rng(23), {"sensor": 0, "line": 6, "qa": 10})
    found = rank_origins(made, signals(target="qa|load"), edges=EDGES)
    assert found.guards == ("robot",)
    assert found.suspects[0].component == "sensor"
    assert "cascade.silent.robot" in [one.id for one in found.findings()]


def test_an_edge_that_points_the_wrong_way_does_not_turn_time_around():
    made = failing(np.random.default_rng(24), {"sensor": 0, "robot": 5, "line": 9, "qa": 15})
    found = rank_origins(made, signals(target="qa|load"), edges=[*EDGES, ("line", "sensor"), ("qa", "robot")])
    assert order(found)[0] == "sensor"


def test_a_missing_edge_does_not_hide_what_came_surely_first():
    made = failing(np.random.default_rng(25), {"sensor": 0, "robot": 5, "line": 9, "qa": 15})
    found = rank_origins(made, signals(target="qa|load"), edges=[EDGES[0], EDGES[2]])
    assert order(found)[0] == "sensor"
    assert not found.suspects[0].linked


# --- when nobody is named --------------------------------------------------------------------------------------------


def test_nothing_abnormal_is_a_doubt():
    found = rank_origins(table(np.random.default_rng(30)), signals())
    assert found.doubt == "no signal left its normal range"


def test_what_quiet_signals_may_do_is_a_doubt():
    made = failing(np.random.default_rng(31), {"robot": 5}, height=4.0)
    found = rank_origins(made, signals())
    assert found.suspects[0].component == "robot"
    assert found.doubt is not None or found.suspects[0].probability < 1


def test_where_the_alarm_alone_left_its_range_it_is_the_candidate_itself():
    made = failing(np.random.default_rng(32), {"qa": 5})
    found = rank_origins(made, signals(target="qa|load"), edges=EDGES)
    assert (order(found)[0], found.grounded, found.way) == ("qa", True, ())


def test_two_that_went_as_far_at_once_cannot_be_told_apart():
    made = failing(np.random.default_rng(33), {"robot": 0, "line": 0})
    assert "cannot be told apart" in rank_origins(made, signals()).doubt
    assert rank_origins(made, signals(target="line|load"), edges=[("robot", "line")]).doubt is None


# --- the alarm, and what tells nothing -------------------------------------------------------------------------------


def test_where_components_share_the_alarms_metric_it_speaks_for_them():
    rng = np.random.default_rng(40)
    made = failing(rng, {"sensor": 3, "robot": 3, "qa": 3})
    made["line|cpu"] = rng.normal(10, 1, 91) + 900 * (np.arange(91) >= 60)
    assert order(rank_origins(made, signals(), edges=EDGES))[0] == "line"
    found = rank_origins(made, signals(target="qa|load"), edges=EDGES)
    assert (order(found)[0], order(found)[-1]) != ("line", "line")
    assert "line|cpu" in [one.signal for one in found.traces]


def test_a_failure_need_not_last_longer_than_its_alarm():
    made = table(np.random.default_rng(41))
    for name in ("sensor", "robot", "line", "qa"):
        made.loc[70:71, f"{name}|load"] += 60
    assert rank_origins(made, signals(target="qa|load"), edges=EDGES).suspects[0].component == "sensor"
    assert {one.component for one in rank_origins(made, signals(), edges=EDGES).abnormal} == set(CHAIN)


def test_a_share_of_nothing_tells_nothing():
    rng = np.random.default_rng(42)
    made = failing(rng, {"sensor": 0})
    idle = np.arange(91) >= 62
    made["shop|availability"] = np.where(idle, 0.0, 100 - rng.random(91))
    made["shop|requests"] = np.where(idle, 0.0, 50.0)
    known = signals(bad={"availability": "down"})
    assert "shop|availability" not in [one.signal for one in rank_origins(made, known).traces]
    made["shop|requests"] = 50.0
    assert "shop|availability" in [one.signal for one in rank_origins(made, known).traces]


def test_n_sigma_is_told_beside():
    made = failing(np.random.default_rng(43), {"sensor": 0})
    made.loc[80, "line|load"] += 500
    found = rank_origins(made, signals())
    assert (found.suspects[0].component, found.n_sigma) == ("sensor", "line")


def test_what_was_touched_ends_with_containment():
    made = failing(np.random.default_rng(44), {"sensor": 10}).assign(**{"sensor|parts_per_min": 6.0})
    stop = (FAIL + pd.Timedelta(minutes=20)).to_pydatetime()
    (one,) = rank_origins(made, signals(), contained=stop).touched
    assert (one.component, one.until) == ("sensor", stop)
    assert one.counted == pytest.approx({"parts": 60.0})


@pytest.mark.parametrize(("calls", "named"), [(1.0, "shop"), (6.0, "database")])
def test_of_a_caller_and_a_callee_that_are_slow_at_once_what_the_callee_can_bring_decides(calls, named):
    rng = np.random.default_rng(30)
    made = table(rng, ())
    for name, late, asked in (("shop", 60.0, 100.0), ("database", 15.0, 100.0 * calls)):
        made[f"{name}|latency"] = rng.normal(20, 1, 91) + late * (np.arange(91) >= 65)
        made[f"{name}|requests"] = rng.poisson(asked, 91).astype(float)
    asked = {"target": "shop|latency", "bad": {"latency": "up"}}
    names = ("shop", "database", "mail")
    made["mail|latency"], made["mail|requests"] = rng.normal(20, 1, 91), 100.0
    found = rank_origins(made, signals(**asked), edges=[("shop", "database"), ("shop", "mail")], kind="calls")
    assert sorted(order(found)) == sorted(names)
    assert order(found)[0] == named


def test_an_alarm_whose_own_signal_shows_nothing_is_told_and_the_rest_is_ranked():
    made = failing(np.random.default_rng(31), {"sensor": 0, "robot": 2})
    found = rank_origins(made, signals(target="qa|load"), edges=EDGES)
    assert found.silent_alarm == "the alarm's own signal, qa|load, stayed in its normal range"
    assert (order(found)[0], found.doubt, found.grounded) == ("sensor", None, False)


def test_what_moved_by_little_for_long_is_found_and_told_as_that():
    rng, rows = np.random.default_rng(32), 900
    made = pd.DataFrame({"time": FAIL + pd.to_timedelta(np.arange(rows) - 600, unit="s")})
    made["pump|flow"], made["motor|load"] = rng.normal(32, 1, (2, rows))
    made.loc[650:, "pump|flow"] -= 1.5
    found = rank_origins(made, signals())
    first = found.suspects[0]
    assert (first.component, first.how, first.direction) == ("pump", "lasting", -1)
    assert first.earliest <= FAIL + timedelta(seconds=50) <= first.onset + timedelta(seconds=1)
    assert first.score == pytest.approx(1.5, abs=0.5)
    assert "as it does not for so long" in found.findings()[0].claim
    assert found.doubt is None


def test_a_climb_is_dated_to_where_it_began_and_not_to_where_it_was_noticed():
    dated = []
    for seed in range(20):
        made = table(np.random.default_rng(seed))
        made.loc[71:, "robot|load"] += np.arange(1, 21) * 1.5
        first = rank_origins(made, signals()).suspects[0]
        assert first.component == "robot"
        assert first.onset - first.earliest <= timedelta(minutes=10)
        dated.append(first.earliest < FAIL + timedelta(minutes=11) <= first.onset)
    assert sum(dated) >= 17


def test_a_gap_before_the_failing_window_is_an_assumption():
    made = failing(np.random.default_rng(34), {"robot": 0})
    assert len(rank_origins(made, signals()).findings()[0].assumptions) == 1
    made.loc[:59, "time"] -= pd.Timedelta(hours=18)
    found = rank_origins(made, signals())
    assert found.unseen == 18 * 3600 + 60
    assert (
        found.findings()[0].assumptions[1]
        == "nothing else changed in the 18 h 1 min without samples before the failing window"
    )


def test_an_alarm_that_left_its_range_the_good_way_says_so():
    made = failing(np.random.default_rng(35), {"qa": 2})
    told = rank_origins(made, signals(target="qa|load", bad={"load": "down"})).silent_alarm
    assert (
        told
        == "the alarm's own signal, qa|load, left its normal range the other way; signals.bad says that down is bad"
    )


def test_an_alarm_that_strayed_before_the_failing_window_asks_whether_that_began_earlier():
    made = table(np.random.default_rng(36))
    made["qa|load"] += np.clip(np.arange(91) - 40, 0, None) ** 1.5
    told = rank_origins(made, signals(target="qa|load")).silent_alarm
    assert "should that begin earlier (signals.from)?" in told


def test_an_alarm_that_is_none_of_the_signals_is_refused():
    with pytest.raises(InvalidCase, match="no signal") as caught:
        rank_origins(table(np.random.default_rng(37)), signals(target="qa|lod"))
    assert "qa|load" in str(caught.value)


def test_an_origin_without_a_path_to_the_alarm_is_not_grounded():
    made = failing(np.random.default_rng(38), {"sensor": 0, "robot": 8, "line": 12, "qa": 16}, height=40.0)
    made["sensor|load"] += 4000.0 * (np.arange(91) >= 60)
    found = rank_origins(made, signals(target="qa|load"), edges=[("sensor", "radio"), ("line", "qa")])
    assert (order(found)[0], found.grounded) == ("sensor", False)
    assert rank_origins(made, signals(target="qa|load"), edges=EDGES).grounded


def test_kelvin_and_celsius_give_one_answer():
    rng = np.random.default_rng(50)
    made = failing(rng, {"robot": 4}, height=6.0)
    made["oven|temperature"] = 20 + rng.normal(0, 1, 91) + 9.0 * (np.arange(91) >= 62)
    kelvin = made.assign(**{"oven|temperature": made["oven|temperature"] + 273.15})
    shares = [
        [(one.component, one.probability) for one in rank_origins(of, signals()).suspects] for of in (made, kelvin)
    ]
    assert shares[0] == [(name, pytest.approx(share, abs=1e-5)) for name, share in shares[1]]


def test_a_duplicated_signal_changes_no_order():
    made = failing(np.random.default_rng(51), {"sensor": 0, "robot": 2, "line": 5})
    twice = made.assign(**{"robot|copy": made["robot|load"]})
    assert order(rank_origins(made, signals(), edges=EDGES)) == order(rank_origins(twice, signals(), edges=EDGES))


def test_twice_the_sampling_interval_names_the_same():
    made = failing(np.random.default_rng(52), {"sensor": 0, "robot": 6, "line": 12})
    found = [rank_origins(one, signals(), edges=EDGES) for one in (made, made.iloc[::2])]
    assert order(found[0])[0] == order(found[1])[0] == "sensor"


def test_two_samples_that_are_no_neighbours_count_and_are_dated():
    made = table(np.random.default_rng(53))
    made.loc[[65, 80], "robot|load"] += 60
    found = rank_origins(made, signals())
    assert (order(found)[0], found.quiet) == ("robot", False)


def test_a_graph_that_runs_the_other_way_round_is_a_doubt():
    made = failing(np.random.default_rng(39), {"sensor": 0, "robot": 3, "line": 6, "qa": 9})
    found = rank_origins(made, signals(target="qa|load"), edges=[(b, a) for a, b in EDGES])
    assert found.doubt is not None


def test_rare_events_are_no_lasting_departure():
    rng, rows = np.random.default_rng(40), 460
    made = pd.DataFrame({"time": FAIL + pd.to_timedelta(np.arange(rows) - 400, unit="s")})
    for name, late in (("line", 30), ("qa", 33)):
        made[f"{name}|load"] = rng.normal(50, 1, rows) + 25 * (np.arange(rows) >= 400 + late)
    made["svc|errors"] = np.isin(np.arange(rows), [50, 150, 250, 350, 401, 405]).astype(float)
    found = rank_origins(made, signals(target="qa|load"), edges=[("svc", "line"), ("line", "qa")])
    assert order(found)[0] == "line"


def test_errors_that_stop_are_not_stuck():
    rng = np.random.default_rng(41)
    made = failing(rng, {"robot": 15, "qa": 19}, names=("robot", "qa"))
    made["queue|errors"] = rng.poisson(3, 91) * (np.arange(91) < 62.0)
    asked = signals(target="qa|load", bad={"load": "up", "errors": "up"})
    assert order(rank_origins(made, asked, edges=[("robot", "qa"), ("queue", "qa")]))[0] == "robot"


@pytest.mark.parametrize("counts", ["errors_per_min", "retries_per_min"])
def test_what_goes_amiss_is_no_traffic(counts):
    rng = np.random.default_rng(42)
    made = failing(rng, {"robot": 5, "qa": 9}, names=("robot", "qa")).rename(
        columns=lambda name: name.replace("load", "latency")
    )
    made[f"robot|{counts}"] = 0.0
    found = rank_origins(made, signals(target="qa|latency", bad={"latency": "up"}), edges=[("robot", "qa")])
    assert order(found)[0] == "robot"


def test_traffic_of_another_kind_does_not_tell_how_often_a_callee_is_called():
    rng, shown = np.random.default_rng(43), []
    for extra in ({}, {"shop|bytes_per_s": 1e6}, {"shop|requests": np.cumsum(rng.poisson(100, 91))}):
        made = table(np.random.default_rng(44), ())
        for name in ("shop", "database", "mail"):
            slow = 60.0 * (name != "mail") * (np.arange(91) >= 65)
            made[f"{name}|latency"] = np.random.default_rng(45).normal(20, 1, 91) + slow
        made["database|requests"] = rng.poisson(100, 91).astype(float)
        asked = signals(target="shop|latency", bad={"latency": "up"})
        edges = [("shop", "database"), ("shop", "mail")]
        shown.append(order(rank_origins(made.assign(**extra), asked, edges=edges, kind="calls"))[0])
    assert shown == ["database"] * 3


def test_a_callee_that_probably_led_is_not_passed_over_because_its_caller_makes_more_of_it():
    named = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        made = table(rng, ())
        for name, late, height in (("database", 2, 10.0), ("api", 12, 90.0), ("web", 16, 95.0), ("mail", 60, 0.0)):
            made[f"{name}|latency"] = rng.normal(20, 1, 91) + height * (np.arange(91) >= 60 + late)
        asked = signals(target="web|latency", bad={"latency": "up"})
        edges = [("web", "api"), ("api", "database"), ("web", "mail")]
        found = rank_origins(made, asked, edges=edges, kind="calls")
        named.append(set(order(found)[:2]))
    assert named == [{"database", "api"}] * 10
