"""A causal graph given in any form, and its latent projection on the measured columns."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rca.analysis.inputs.windows import Windows
from rca.errors import InvalidCase, Unanswerable, did_you_mean
from rca.methods.change_attribution.causal_chain import chain_of

CAUSES_QUESTION = "which mechanism changed"

TYPO = 0.85
"""Likeness of a node without a column to the name of a column from which on it is taken for that name, misspelt."""


def edges_of(graph: Any) -> tuple[tuple[str, str], ...]:
    """Edges of a causal graph, from `graph.yaml`, networkx, pairs of cause and effect, or a mapping of node → causes.

    Raises
    ------
    InvalidCase
        If it is none of them, or edges run from caller to callee.

    Examples
    --------
    >>> edges_of({"y": ["x"], "x": []})
    (('x', 'y'),)
    """
    if getattr(graph, "kind", "causal") != "causal":
        hint = "give a graph whose edges run from cause to effect"
        raise InvalidCase.because("a graph of calls says nothing of causes", place="graph", hint=hint)
    if callable(directed := getattr(graph, "is_directed", None)) and not directed():
        hint = "give a networkx.DiGraph, whose edges run from cause to effect"
        raise InvalidCase.because("an undirected graph does not say what is the cause", place="graph", hint=hint)
    edges: Any = getattr(graph, "edges", graph)
    if isinstance(graph, Mapping):
        edges = ((cause, node) for node, many in graph.items() for cause in _several(many))
    found = [tuple(map(str, _several(edge))) for edge in _several(edges)]
    if any(len(edge) != 2 for edge in found):
        hint = "give pairs of cause and effect, or a mapping of node to its causes"
        raise InvalidCase.because(f"{type(graph).__name__} is no causal graph", place="graph", hint=hint)
    return tuple((edge[0], edge[1]) for edge in found)


def _several(given: Any) -> Iterable[Any]:
    """One thing or many, as many; a text is one."""
    return given if isinstance(given, Iterable) and not isinstance(given, str) else (given,)


def parents_of(edges: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Parents (direct causes) of every node.

    >>> parents_of([("x", "y")])
    {'x': (), 'y': ('x',)}
    """
    pairs = tuple(edges)
    nodes = sorted({node for edge in pairs for node in edge})
    return {node: tuple(sorted({cause for cause, effect in pairs if effect == node})) for node in nodes}


def measured_parents(
    parents: Mapping[str, Sequence[str]], windows: Windows, columns: Sequence[str], *, question: str = CAUSES_QUESTION
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Graph of the measured ancestors of some columns, with unmeasured nodes folded into their only child.

    An unmeasured node with one child only adds to the noise of that child, which takes over its parents. With two it is
    a latent common cause, and neither mechanism is identifiable from the columns.

    Raises
    ------
    InvalidCase
        If the graph has a cycle or lacks one of the columns, or a node without a column is one misspelt.
    Unanswerable
        If an unmeasured node has two children, or is itself asked about.
    """
    chain = chain_of(parents, columns)
    known = set(windows.reference.columns) & set(windows.current.columns)
    found = {node: set(chain.parents[node]) for node in chain.order}
    hidden = tuple(node for node in chain.order if node not in known)
    for node in hidden:
        children = sorted(child for child, many in found.items() if node in many)
        _require_no_typo(node, known)
        if len(children) > 1 or node in columns:
            said = f"a cause of {' and '.join(children)}" if node not in columns else "what is asked about"
            raise Unanswerable(question, f"not identifiable: {node!r} is {said}, and no column of both windows")
        above = found.pop(node)
        for child in children:
            found[child] = found[child] - {node} | above
    return {node: tuple(sorted(many)) for node, many in found.items()}, hidden


def require_no_typos(nodes: Iterable[str], known: set[str]) -> None:
    """Refuse a node without a column whose name is nearly that of a column.

    Raises
    ------
    InvalidCase
    """
    for node in nodes:
        if node not in known:
            _require_no_typo(node, known)


def _require_no_typo(node: str, known: set[str]) -> None:
    if difflib.get_close_matches(node, sorted(known), n=1, cutoff=TYPO):
        raise InvalidCase.because(f"no column {node!r} in both windows", place="graph", hint=did_you_mean(node, known))


def with_answers(windows: Windows, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The parents of the graph; a model's score or prediction that it does not mention follows from the features."""
    parents, roles = dict(windows.parents), windows.roles
    for answer in (roles.score, roles.prediction):
        if answer in columns and answer is not None and answer not in parents and roles.features:
            parents[answer] = tuple(roles.features)
    return parents
