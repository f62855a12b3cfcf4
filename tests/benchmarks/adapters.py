"""This project's public functions in the forms that a kit of published accuracy protocols asks for.

Run with this folder and the project on the path: ``python a_change_attribution.py adapters:attribute --seeds 2000``.
"""

import numpy as np

import rca
from rca.methods.change_attribution.conditional_invariance import unchanged
from rca.methods.change_attribution.shift_decomposition import decompose as decompose_change


def attribute(old, new, edges, target, seed, level):
    """A, D and G: the parts of a mean's change."""
    found = rca.causes(old, new, graph=edges, target=target, seed=seed, level=level)
    return {one.node: (one.contribution, one.interval.low, one.interval.high) for one in found.mechanisms}


def mechanism(old, new, node, parents, seed):
    """G, mechanism: whether P(node given parents) moved."""
    return unchanged(old, new, {node: parents}, rng=np.random.default_rng(seed))[node]


def causal(old, new, seed, level, edges, target):
    """S, causal: likewise."""
    return attribute(old, new, edges, target, seed, level)


def decompose(old, new, baseline, features, loss, seed, level):
    """E: the terms of a mean loss's change."""
    rng = np.random.default_rng(seed)
    found = decompose_change(old, new, baseline=baseline, features=features, loss=loss, rng=rng, level=level)
    return {term.name: (term.value, term.interval.low, term.interval.high) for term in found.terms}
