"""One score for an origin: size, time and graph, added; and how sure it is."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.cascade.origin_ranking import judged_signals
from rca.analysis.cascade.propagation import causes_of
from rca.record.schema.incident import Signals

START = pd.Timestamp("2026-03-05T06:00", tz="UTC")
BAD = {"latency": "up", "success": "down"}


def systems(columns, edges=(), *, target=None, calls=True, rows=130, normal=100):
    at = START + pd.to_timedelta(np.arange(rows), unit="min")
    table = pd.DataFrame({"time": at, **columns})
    window = {"from": at[normal].isoformat(), "to": at[-1].isoformat()}
    asked = Signals.model_validate({"path": "s", "target": target, "bad": BAD, **window})
    return judged_signals(table, asked).systems(causes_of(edges, calls=calls), calls=calls)


def signal(seed, height=0.0, since=105, level=20.0):
    rng = np.random.default_rng(seed)
    return rng.normal(level, 1, 130) + height * (np.arange(130) >= since)


def first(found):
    return found.names[int(np.argmax(found.posterior))]


def test_a_blip_one_sample_later_does_not_explain_a_jump():
    found = systems({"db|latency": signal(0, 5.0, 106), "web|latency": signal(1, 500.0)}, [("web", "db")])
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


def test_a_caller_that_may_wait_for_a_silent_callee_is_less_sure():
    columns = {"web|latency": signal(0, 80.0), "db|latency": signal(1), "db|cpu": signal(2)}
    plain = systems(columns, [("web", "db")]).posterior.max()
    rests = systems(columns | {"web|cpu": signal(3)}, [("web", "db")]).posterior.max()
    assert rests < 0.8 < plain
