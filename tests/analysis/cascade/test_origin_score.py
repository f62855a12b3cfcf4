"""One score for an origin: size, time and graph, added; and how sure it is."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.cascade.origin_ranking import judged_signals
from rca.analysis.cascade.propagation import causes_of
from rca.record.schema.incident import Signals

START = pd.Timestamp("2026-03-05T06:00", tz="UTC")
BAD = {"latency": "up", "success": "down"}


def systems(columns, edges=(), *, target=None, calls=True, rows=130, normal=100, bad=BAD):
    at = START + pd.to_timedelta(np.arange(rows), unit="min")
    table = pd.DataFrame({"time": at, **columns})
    window = {"from": at[normal].isoformat(), "to": at[-1].isoformat()}
    asked = Signals.model_validate({"path": "s", "target": target, "bad": bad, **window})
    return judged_signals(table, asked).systems(causes_of(edges, calls=calls), calls=calls)


def signal(seed, height=0.0, since=105, level=20.0):
    rng = np.random.default_rng(seed)
    return rng.normal(level, 1, 130) + height * (np.arange(130) >= since)


def slowed(seed, times=5.0, level=20.0):
    """A signal that works slower: its noise grows as it does."""
    return signal(seed, level=level) * np.where(np.arange(130) >= 105, times, 1.0)


def first(found):
    return found.names[int(np.argmax(found.posterior))]


def test_a_blip_one_sample_later_does_not_explain_a_jump():
    found = systems({"db|latency": signal(0, 5.0, 106), "web|latency": slowed(1, 26.0)}, [("web", "db")])
    assert first(found) == "web"
    assert found.links[found.names.index("db"), found.names.index("web")] < 0.1


@pytest.mark.parametrize(("metric", "part"), [("latency_p90", 1.0), ("latency_mean", 0.3)])
def test_a_percentile_moves_wholly_though_a_part_of_the_requests_is_slow(metric, part):
    at = START + pd.to_timedelta(np.arange(130), unit="min")
    columns = {f"db|{metric}": signal(0, 2000.0), f"web|{metric}": signal(1, 2000.0)}
    columns |= {"db|requests": signal(2, level=30.0), "web|requests": signal(3, level=100.0)}
    window = {"from": at[100].isoformat(), "to": at[-1].isoformat()}
    asked = Signals.model_validate({"path": "s", "bad": {metric: "up"}, **window})
    table = pd.DataFrame({"time": at, **columns})
    found = judged_signals(table, asked).systems(causes_of([("web", "db")], calls=True), calls=True)
    assert found.links[0, 1] == pytest.approx(part, abs=0.03)


def test_where_all_callers_of_one_callee_slow_down_together_the_callee_is_the_candidate():
    columns = {f"{name}|latency": signal(at, 300.0) for at, name in enumerate(("cart", "shop"))}
    columns |= {f"{name}|latency": signal(9 + at) for at, name in enumerate(("redis", "mail", "ads", "auth"))}
    found = systems(columns, [("cart", "redis"), ("shop", "redis"), ("shop", "mail"), ("mail", "ads")])
    assert first(found) == "redis"


def test_a_dead_component_is_heard_though_it_says_nothing():
    dead = np.where(np.arange(130) >= 105, np.nan, 1.0)
    columns = {"db|cpu": signal(0) * dead, "db|latency": signal(1) * dead, "web|latency": signal(2, 60.0)}
    found = systems(columns, [("web", "db")])
    assert np.isfinite(found.gone).tolist() == [True, False]
    assert first(found) == "db"


def test_what_is_asked_no_more_is_not_dead():
    idle = np.where(np.arange(130) >= 105, 0.0, 50.0)
    columns = {"db|requests": idle + 0, "db|latency": signal(1), "web|latency": signal(2, 60.0)}
    assert not np.isfinite(systems(columns, [("web", "db")]).gone).any()


def test_being_late_costs_and_a_sample_is_no_difference():
    found = systems(
        {"a|x": signal(0, 30.0, 105), "b|x": signal(1, 30.0, 106), "c|x": signal(2, 30.0, 120)}, calls=False
    )
    late = found.lateness(found.sizes())
    assert late[1] == pytest.approx(0.0, abs=0.5)
    assert late[2] > 10


def test_the_posterior_sums_to_one_and_is_split_where_nothing_tells_two_apart():
    found = systems({f"{name}|x": signal(0, 30.0) for name in "ab"} | {"c|x": signal(3)}, calls=False)
    assert found.posterior.sum() == pytest.approx(1)
    assert found.posterior[0] == pytest.approx(0.5, abs=0.01)


def test_what_was_counted_is_said_and_the_order_stays():
    found = systems({f"{name}|x": signal(at, 4.0 * 3.0**at) for at, name in enumerate("abc")}, calls=False)
    assert found.probability.sum() == pytest.approx(1)
    assert found.probability.max() < found.posterior.max()
    assert np.argsort(found.probability).tolist() == np.argsort(found.posterior).tolist()


def test_nothing_slow_brings_a_dead_component_though_its_callees_are_asked_more():
    dead = np.where(np.arange(130) >= 105, np.nan, 1.0)
    columns = {"mid|cpu": signal(0) * dead, "mid|latency": signal(1) * dead}
    columns |= {"web|latency": signal(2, 60.0), "db|latency": signal(3, 200.0), "db|cpu": signal(4, 60.0)}
    assert first(systems(columns, [("web", "mid"), ("mid", "db")])) == "mid"


def test_noise_of_many_components_is_nothing_that_an_origin_brought():
    columns = {"hub|latency": signal(0, 3.0), "leaf|latency": signal(1, 60.0)}
    columns |= {f"s{at}|latency": signal(9 + at) for at in range(30)}
    assert first(systems(columns, [(f"s{at}", "hub") for at in range(30)])) == "leaf"


@pytest.mark.parametrize("resources", [{}, {"web|cpu": signal(3)}])
def test_what_is_added_to_a_caller_s_latency_comes_of_a_callee_and_what_is_multiplied_does_not(resources):
    columns = {"db|latency": signal(1), "db|cpu": signal(2)} | resources
    waits, works = (systems(columns | {"web|latency": late}, [("web", "db")]) for late in (signal(0, 80.0), slowed(0)))
    assert first(waits) == "db"
    assert first(works) == "web"
    assert np.nanmax(works.silent.added) < 0 < np.nanmax(waits.silent.added)


def test_a_caller_whose_own_resources_went_out_too_does_not_wait():
    columns = {"web|latency": signal(0, 80.0), "web|cpu": signal(1, 80.0), "db|latency": signal(2), "db|cpu": signal(3)}
    assert first(systems(columns, [("web", "db")])) == "web"


def test_a_callee_whose_other_caller_is_not_slow_is_less_likely_waited_for():
    columns = {"web|latency": signal(0, 80.0)}
    columns |= {
        f"{name}|{metric}": signal(9 + at)
        for at, name in enumerate(("db", "mail", "shop"))
        for metric in ("latency", "cpu")
    }
    found = systems(columns, [("web", "db"), ("web", "mail"), ("shop", "mail")])
    web, db, mail = map(found.names.index, ("web", "db", "mail"))
    assert found.silent.waited[db, web] > 3 * found.silent.waited[mail, web] > 0


def test_a_callee_asked_too_seldom_to_move_a_quantile_is_less_likely_waited_for():
    columns = {"web|latency_p90": signal(0, 80.0), "web|requests": signal(3, level=1000.0)}
    for at, (name, asked) in enumerate((("db", 500.0), ("mail", 20.0))):
        columns |= {f"{name}|latency_p90": signal(9 + at), f"{name}|requests": signal(19 + at, level=asked)}
    found = systems(columns, [("web", "db"), ("web", "mail")], bad={"latency_p90": "up"})
    web, db, mail = map(found.names.index, ("web", "db", "mail"))
    assert found.silent.waited[db, web] > 3 * found.silent.waited[mail, web] > 0


def test_the_latency_of_what_a_caller_asks_tells_whether_it_waits():
    columns = {"web|latency_server": slowed(0), "db|latency_server": signal(1), "web|latency_client": signal(2)}
    bad = {"latency_server": "up", "latency_client": "up"}
    works = systems(columns, [("web", "db")], bad=bad)
    waits = systems(columns | {"web|latency_client": slowed(3)}, [("web", "db")], bad=bad)
    assert (first(works), first(waits)) == ("web", "db")


def test_a_callee_that_is_asked_more_by_tries_anew_may_be_slow_because_of_its_caller():
    columns = {f"{name}|latency": slowed(at) for at, name in enumerate(("web", "shop", "db"))}
    columns |= {"shop|success": signal(6, -15.0), "web|requests": signal(7, level=100.0)}
    told = []
    for more in (0.0, 200.0):
        asked = {f"{name}|requests": signal(8, more, level=100.0) for name in ("shop", "db")}
        told.append(systems(columns | asked, [("web", "shop"), ("shop", "db")]))
    usual, tried = told
    shop, db = map(usual.names.index, ("shop", "db"))
    assert (shop, db) not in usual.links
    assert tried.links[shop, db] > 0.8
    assert tried.scores()[shop] - tried.scores()[db] > usual.scores()[shop] - usual.scores()[db] + 1
