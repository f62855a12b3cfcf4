"""The observation that is proposed, made on the truth, decides rightly as often as it says."""

import numpy as np

from rca.methods.boosted_trees import on_one_thread
from rca.practice.grammar.deciding import SORTS, level, made
from tests.statistical.promises import at_least, long_and_short, noted, within


@long_and_short(24, 200, at_least=0.9)
@on_one_thread
def test_the_proposed_observation_decides_rightly_as_often_as_its_stated_power_says(draws):
    cases = [made(level(seed), np.random.default_rng([1, seed]), seed=seed) for seed in range(draws)]
    assert None not in cases
    right = sum(one.right for one in cases)
    stated, rate = (float(np.mean([getattr(one, name) for one in cases])) for name in ("power", "rate"))
    at_least(right, draws, stated, of="the power, whichever holds")
    within(right, draws, (rate, rate), of="the rate of the explanation that holds")
    for sort in SORTS:
        own = [one for one in cases if one.sort == sort]
        seen = f"{np.mean([one.right for one in own]):.1%}, stated {np.mean([one.power for one in own]):.1%}"
        noted(sort, seen=seen, draws=len(own))
