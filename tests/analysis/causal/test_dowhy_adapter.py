"""Behind the door to dowhy: no state leaks out, and its answer depends on the seed alone."""

import logging
import random
import subprocess
import sys
from functools import cache

import numpy as np
import pandas as pd
import pytest

from rca.analysis.causal.dowhy_adapter import backdoor, blocks, contained, cross_check, refute

STATE = np.random.mtrand._rand  # the global state that is to stay as it was

PARENTS = {"x": [], "y": ["x"]}


def seen():
    return STATE.get_state()[1].tolist()


def pair():
    rng = np.random.default_rng(0)
    frames = []
    for at in (0.0, 1.0):
        x = rng.normal(at, 1, 400)
        frames.append(pd.DataFrame({"x": x, "y": 2 * x + rng.normal(size=400)}))
    return frames


@pytest.mark.parametrize("way", ["sampled", "robust"])
def test_dowhy_leaves_the_global_random_states_as_they_were_and_repeats_itself(way):
    numpys, pythons = seen(), random.getstate()
    one, other = (cross_check(*pair(), PARENTS, target="y", way=way, seed=3) for _ in range(2))
    assert seen() == numpys
    assert random.getstate() == pythons
    assert one.contributions == other.contributions
    assert one["x"] == pytest.approx(2.0, abs=0.3)
    assert abs(one["y"]) < 0.3


def test_state_is_put_back_after_an_error_too():
    kept = seen()
    with pytest.raises(ZeroDivisionError), contained(0):
        STATE.random_sample(1 // 0)
    assert seen() == kept


def series(effect):
    rng = np.random.default_rng(1)
    after = (np.arange(80) >= 50).astype(float)
    time = np.arange(80) / 80
    return pd.DataFrame({"event": after, "metric": effect * after + time + rng.normal(0, 0.3, 80), "time": time})


@cache
def refuted():
    return refute(series(1.0), treatment="event", outcome="metric", seed=5)


def test_refuters_draw_from_their_seed_alone_and_leave_no_trace():
    numpys, pythons, level = seen(), random.getstate(), logging.getLogger("dowhy").level
    assert refute(series(1.0), treatment="event", outcome="metric", seed=5) == refuted()
    assert seen() == numpys
    assert random.getstate() == pythons
    assert logging.getLogger("dowhy").level == level


def test_what_dowhy_estimates_is_least_squares_and_what_it_refutes_moves_as_it_should():
    rows, found = series(1.0), refuted()
    terms = np.column_stack([np.ones(80), rows["event"], rows["time"]])
    ours = np.linalg.lstsq(terms, rows["metric"].to_numpy(), rcond=None)[0][1]
    assert found.estimate == pytest.approx(ours)
    assert found.random_cause == pytest.approx(ours, abs=0.05)
    assert found.subset == pytest.approx(ours, abs=0.15)
    assert abs(found.placebo) < 0.3
    assert 0 < found.unseen < ours


@pytest.mark.parametrize(
    ("edges", "observed", "needed"),
    [
        ([("t", "y")], ["t", "y"], ()),
        ([("c", "t"), ("c", "y"), ("t", "y")], ["t", "y", "c"], ("c",)),
        ([("c", "t"), ("c", "y"), ("t", "y")], ["t", "y"], None),
        ([("t", "m"), ("m", "y")], ["t", "m", "y"], ()),
        ([("y", "t")], ["t", "y"], None),
    ],
    ids=str,
)
def test_dowhy_identifies_what_has_to_be_held(edges, observed, needed):
    assert backdoor(edges, treatment="t", outcome="y", observed=observed) == needed


def test_a_collider_that_is_held_opens_a_way():
    edges = [("a", "t"), ("a", "c"), ("b", "c"), ("b", "y"), ("t", "y")]
    assert blocks(edges, [], treatment="t", outcome="y")
    assert not blocks(edges, ["c"], treatment="t", outcome="y")


def test_opening_the_door_does_not_change_how_results_are_shown():
    script = "import sys; kept = sys.displayhook; from rca.analysis.causal.dowhy_adapter import opened; opened(); "
    command = [sys.executable, "-W", "ignore", "-c", script + "assert sys.displayhook is kept"]
    subprocess.run(command, check=True, timeout=120)
