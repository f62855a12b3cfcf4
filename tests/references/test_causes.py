"""dowhy as oracle: on random linear graphs both divide a mean's change alike, but for Monte Carlo error."""

import numpy as np
import pandas as pd
import pytest

import rca
from rca.analysis.causal.dowhy_adapter import cross_check

NODES = [f"v{i}" for i in range(5)]
RUNS = 4
"""Seeds of dowhy's, whose spread is its Monte Carlo error."""


def graph(rng):
    """A random graph whose last node has causes, and its linear laws in both windows."""
    parents = {node: [one for one in NODES[:i] if rng.random() < 0.6] for i, node in enumerate(NODES)}
    parents[NODES[-1]] = parents[NODES[-1]] or [NODES[-2]]
    slopes = {(cause, node): rng.normal() for node, causes in parents.items() for cause in causes}
    lifts = dict.fromkeys(NODES, 0.0)
    return parents, [(slopes, lifts), (_turned(slopes, rng), {**lifts, str(rng.choice(NODES)): 1.0})]


def _turned(slopes, rng):
    some = sorted(slopes)[int(rng.integers(len(slopes)))]
    return {**slopes, some: slopes[some] + 0.5}


def drawn(rng, parents, law, rows=3000):
    values = {}
    for node, causes in parents.items():
        values[node] = (
            law[1][node] + sum(law[0][cause, node] * values[cause] for cause in causes) + rng.normal(size=rows)
        )
    return pd.DataFrame(values)


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.prove) for seed in range(2, 20))])
def test_a_change_is_divided_as_dowhy_divides_it(seed):
    rng = np.random.default_rng(seed)
    parents, laws = graph(rng)
    frames = [drawn(rng, parents, law) for law in laws]
    edges = [(cause, node) for node, causes in parents.items() for cause in causes]
    ours = rca.causes(*frames, graph=edges, target=NODES[-1])
    theirs = [cross_check(*frames, parents, target=NODES[-1], seed=run) for run in range(RUNS)]
    for one in ours.mechanisms:
        said = np.array([run[one.node] for run in theirs])
        # sampling hits both alike: what is left is dowhy's draws, and what missing arrows tell one of us
        chance = said.std(ddof=1) / np.sqrt(RUNS) + (one.interval.high - one.interval.low) / 3.92 / 2
        assert one.contribution == pytest.approx(said.mean(), abs=4 * chance)
    robust = cross_check(*frames, parents, target=NODES[-1], way="robust")
    assert max(abs(one.contribution - robust[one.node]) for one in ours.mechanisms) < 0.1 + 0.05 * abs(ours.change)
