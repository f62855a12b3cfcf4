"""Behind the door to dowhy: no state leaks out, and its answer depends on the seed alone."""

import random

import numpy as np
import pandas as pd
import pytest

from rca.analysis.causal import contained, cross_check

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
