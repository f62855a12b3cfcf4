"""Mechanisms of unchanged networks alarm at their rate, as a family; the one that changed is found."""

import numpy as np
import pandas as pd

from rca.methods.change_attribution.conditional_invariance import unchanged
from rca.methods.two_sample_tests import benjamini_hochberg
from tests.statistical.promises import at_least, long_and_short, within

GRAPH = {"a": [], "k": [], "b": ["a"], "c": ["b", "k"], "s": ["a", "k"], "y": ["a", "b", "c"], "t": ["k"]}


def drawn(rng, rows=600, **law):
    """Numbers, categories and flags; lines, a product, a wave."""
    a, k = rng.normal(law.get("a", 0), 1, rows), (rng.random(rows) < 0.4).astype(int)
    b = law.get("b", 1) * a + rng.normal(size=rows)
    c = np.sin(2 * b) + 0.5 * k + law.get("c", 0) + rng.normal(0, 0.5, rows)
    s = np.where(rng.random(rows) < 1 / (1 + np.exp(-a - k - law.get("s", 0))), "x", "y")
    t = (rng.random(rows) < np.where(k == 1, 0.7, 0.3 + law.get("t", 0))).astype(int)
    return pd.DataFrame({"a": a, "k": k, "b": b, "c": c, "s": s, "t": t, "y": a * b + c + rng.normal(size=rows)})


def compared(seed, **law):
    rng = np.random.default_rng(seed)
    p_values = unchanged(drawn(rng), drawn(rng, **law), GRAPH, rng=rng)
    return p_values, dict(zip(p_values, benjamini_hochberg(list(p_values.values())), strict=True))


@long_and_short(3, 600, within=(0.035, 0.065))
def test_mechanisms_of_an_unchanged_network_alarm_at_their_rate(draws):
    found = [compared(seed) for seed in range(draws)]
    for node in GRAPH:
        within(sum(p_values[node] <= 0.05 for p_values, _ in found), draws, (0.035, 0.065), of=node)
    within(sum(min(q_values.values()) <= 0.05 for _, q_values in found), draws, (0.03, 0.06), of="any of seven")


@long_and_short(3, 400, within=(0.03, 0.075))
def test_mechanisms_below_a_cause_that_moved_do_not_alarm_for_it(draws):
    found = [compared(10_000 + seed, a=0.7)[0] for seed in range(draws)]
    for node in ("b", "c", "s", "y", "t"):
        within(sum(p_values[node] <= 0.05 for p_values in found), draws, (0.03, 0.075), of=node)


@long_and_short(1, 100, at_least=0.9, each=4)
def test_the_mechanism_that_changed_is_found(draws):
    hits = 0
    for law in ({"b": 1.5}, {"c": 0.4}, {"s": 1.0}, {"t": 0.25}):
        (node,) = law
        hits += sum(min(q := compared(20_000 + seed, **law)[1], key=q.get) == node for seed in range(draws))
    at_least(hits, 4 * draws, 0.9)
