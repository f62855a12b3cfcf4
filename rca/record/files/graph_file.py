"""Reader of `graph.yaml`: edges of a causal graph or of a call graph."""

from collections import Counter
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Literal, get_args

from rca.errors import InvalidCase, Problem
from rca.record.files.yaml_document import Document, kind, near, plain, read_yaml, show

GraphKind = Literal["causal", "calls"]


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Directed edges between columns, components or signals.

    Attributes
    ----------
    kind : {'causal', 'calls'}
        Whether an edge runs from cause to effect, or from caller to callee (a failure travels the other way).
    edges : tuple of (str, str)
    """

    kind: GraphKind
    edges: tuple[tuple[str, str], ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names at the ends of the edges, in order of their first mention."""
        return tuple(dict.fromkeys(name for edge in self.edges for name in edge))

    def cycle(self) -> tuple[str, ...]:
        """The nodes of one cycle, the first again at the end; empty where there is none.

        >>> Graph(kind="causal", edges=(("a", "b"), ("b", "a"))).cycle()
        ('b', 'a', 'b')
        """
        sorter: TopologicalSorter[str] = TopologicalSorter()
        for cause, effect in self.edges:
            sorter.add(effect, cause)
        try:
            sorter.prepare()
        except CycleError as error:
            return tuple(error.args[1])
        return ()


def read_graph(path: Path, *, name: str) -> tuple[Graph, Document]:
    """Read a graph, and the document it stands in.

    Raises
    ------
    InvalidCase
        With every problem of the file: unknown keys or kind, edges that are no pairs of names, an edge from a node to
        itself or twice, a cycle among causes.
    """
    document = read_yaml(path, name=name)
    problems = [*document.problems, *_keys(document), *_edges(document)]
    if problems:
        raise InvalidCase(problems)
    edges = tuple((first, second) for first, second in document.value["edges"])
    graph = Graph(kind=document.value["kind"], edges=edges)
    if graph.kind == "causal" and (cycle := graph.cycle()):
        round_trip = " → ".join(plain(node, longest=60) for node in cycle)
        what, hint = f"the causes run in a circle: {round_trip}", "calls may, causes may not"
        raise InvalidCase.because(what, place=document.place("edges"), hint=hint)
    return graph, document


def _keys(document: Document) -> list[Problem]:
    keys = ("kind", "edges")
    found = [
        Problem(what=f"unknown key {show(key)}", place=document.place(key), hint=near(key, keys))
        for key in document.value
        if key not in keys
    ]
    sort, known = document.value.get("kind"), get_args(GraphKind)
    if sort not in known:
        what = f"{show(sort)} is no kind of graph"
        found.append(Problem(what=what, place=document.place("kind"), hint=near(str(sort), known)))
    return found


def _edges(document: Document) -> list[Problem]:
    edges = document.value.get("edges")
    if not isinstance(edges, list):
        what = f"a list of pairs was expected, and there is {kind(edges)}"
        return [Problem(what=what, place=document.place("edges"), hint="edges: [[cause, effect], …]")]
    whats = [(at, _wrong_edge(edge)) for at, edge in enumerate(edges)]
    found = [Problem(what=what, place=document.place("edges", at)) for at, what in whats if what]
    counts = Counter(tuple(edge) for edge, (_, what) in zip(edges, whats, strict=True) if not what)
    twice = [edge for edge, count in counts.items() if count > 1]
    return found + [
        Problem(what=f"the edge {show(first)} → {show(second)} comes twice", place=document.place("edges"))
        for first, second in twice
    ]


def _wrong_edge(edge: Any) -> str:
    if not (isinstance(edge, list) and len(edge) == 2 and all(isinstance(node, str) and node for node in edge)):
        return "an edge is a pair of names: [cause, effect]"
    return f"{show(edge[0])} has an edge to itself" if edge[0] == edge[1] else ""
