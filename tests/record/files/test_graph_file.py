"""The graph of a case: sound, or its problem named with its line."""

import pandas as pd
import pytest

from rca.record.case import load
from rca.record.files.graph_file import Graph
from tests.record.written_case import only, told, write

GRAPHS = {
    "kind: causal\nedges: [[income, probability], [probability, declined]]": "",
    "kind: calls\nedges: [[web, db], [db, web]]": "",
    "kind: casual\nedges: [[income, declined]]": r"kind \(line 1\): 'casual' is no kind.* did you mean 'causal'",
    "kind: causal\nedge: []\nedges: [[income, declined]]": r"unknown key 'edge'. Hint: did you mean 'edges'",
    "kind: causal": r"edges: a list of pairs was expected",
    "kind: causal\nedges: [[income, income]]": r"edges\[0\] \(line 2\): 'income' has an edge to itself",
    "kind: causal\nedges: [[income]]": r"an edge is a pair of names",
    "kind: causal\nedges: [[income, 3]]": r"an edge is a pair of names",
    "kind: causal\nedges: [[income, declined], [income, declined]]": r"comes twice",
    "kind: causal\nedges: [[incom, declined]]": r"'incom' is no column and no component. Hint: did you mean 'income'",
    "kind: causal\nedges: [[income, declined], [declined, income]]": r"run in a circle: \w+ → \w+ → \w+",
    "edges: &a [[income, declined]]\nkind: *a": r"anchor or alias",
    "- 1": r"holds a list; a mapping",
}


@pytest.mark.parametrize("text", GRAPHS)
def test_a_graph_is_sound_or_its_problem_named(folder, text):
    write(folder, {"graph": "graph.yaml"})
    (folder / "graph.yaml").write_text(text)
    if GRAPHS[text]:
        assert pd.Series([only(folder)]).str.contains(r"^graph.yaml.*" + GRAPHS[text]).item(), told(folder)
    else:
        assert told(folder) == []
        assert isinstance(load(folder).graph, Graph)
