"""This project's public functions in the forms that a kit of published accuracy protocols asks for.

Run with this folder and the project on the path: ``python a_change_attribution.py adapters:attribute --seeds 2000``.
"""

import numpy as np

from rca.analysis.decomposition import decompose as decompose_change
from rca.analysis.robust import attribute as attribute_mechanisms


def parents_of(edges):
    """Direct causes of every node that a list of (cause, effect) knows."""
    nodes = sorted({node for edge in edges for node in edge})
    return {node: [cause for cause, effect in edges if effect == node] for node in nodes}


def attribute(old, new, edges, target, seed, level):
    """A, D and G: the parts of a mean's change."""
    rng = np.random.default_rng(seed)
    found = attribute_mechanisms(old, new, parents_of(edges), target=target, level=level, rng=rng)
    return {part.node: (part.value, part.interval.low, part.interval.high) for part in found.parts}


def causal(old, new, seed, level, edges, target):
    """S, causal: likewise."""
    return attribute(old, new, edges, target, seed, level)


def decompose(old, new, baseline, features, loss, seed, level):
    """E: the terms of a mean loss's change."""
    rng = np.random.default_rng(seed)
    found = decompose_change(old, new, baseline=baseline, features=features, loss=loss, rng=rng, level=level)
    return {term.name: (term.value, term.interval.low, term.interval.high) for term in found.terms}
