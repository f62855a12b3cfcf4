"""A graph on record is tested; one that is missing is sketched, and says that it is a sketch."""

import numpy as np
import pandas as pd
import pytest

import rca
from rca.analysis.causal.graph_falsification import CausalGraph
from rca.errors import InvalidCase, Unanswerable
from rca.record.files.graph_file import Graph
from tests.analysis.causal.test_independence_tests import GRAPH, drawn
from tests.conftest import INCIDENTS

EDGES = [(cause, node) for node, causes in GRAPH.items() for cause in causes]


@pytest.fixture(scope="module")
def rows():
    return drawn(np.random.default_rng(0))


@pytest.fixture(scope="module")
def found(rows):
    return rca.graph(rows, EDGES)


def test_a_sound_graph_is_borne_out_and_far_better_than_chance(found):
    assert not found.failing
    assert found.better_than_chance
    assert not found.falsified
    assert str(found).startswith("6 nodes and 6 arrows; all of 9 missing arrows are borne out; far better than")
    assert CausalGraph.from_dict(found.to_dict()) == found
    assert found.findings()[0].effect == 0
    assert found.parents()["y"] == ("b", "f")


def test_a_wrong_graph_says_which_independences_fail_and_comes_off_no_better_than_chance(rows):
    wrong = rca.graph(rows, [("z", "a"), ("k", "f"), ("f", "b"), ("z", "y")])
    assert wrong.falsified
    pairs = {frozenset((one.node, one.other)) for one in wrong.failing}
    assert {frozenset("ab"), frozenset("af")} <= pairs
    assert "no better than the same graph" in str(wrong)
    table = wrong.to_frame()
    assert not table["borne out"].iloc[0]
    assert table["p-value"].is_monotonic_increasing or table["borne out"].iloc[-1]


def test_a_graph_without_a_missing_arrow_cannot_be_spoken_against(rows):
    whole = rca.graph(rows, [("a", "b")])
    assert "no arrow is missing" in str(whole)
    assert whole.baseline is None
    assert whole.better_than_chance is None
    assert whole.findings() == ()
    assert list(whole.to_frame().columns) == ["cause", "effect"]
    star = rca.graph(rows, {"b": ["a"], "f": []} | {"f": ["a"]})
    assert star.better_than_chance is None or star.baseline.alike <= 0.05
    assert "could not be told from it" in str(star) or star.better_than_chance is not None


def test_a_common_cause_without_a_column_is_told_with_what_it_hides(rows):
    hidden = rca.graph(rows, [*EDGES, ("mood", "b"), ("mood", "f"), ("luck", "z")])
    assert hidden.unmeasured == ("mood", "luck")
    assert hidden.hidden == (("mood", ("b", "f")),)
    assert "not identifiable: mood acts on both" in hidden.unanswered[0].why
    assert hidden.independences


@pytest.mark.parametrize(
    ("edges", "says"),
    [
        ([("a", "b"), ("b", "a")], "circle"),
        ([("long_nam", "b")], "did you mean 'long_name'"),
        (Graph(kind="calls", edges=(("a", "b"),)), "nothing of causes"),
        ("ab", "no causal graph"),
    ],
    ids=str,
)
def test_what_is_no_graph_is_refused_with_a_hint(rows, edges, says):
    with pytest.raises(InvalidCase, match=says) as refused:
        rca.graph(rows.assign(long_name=1.0), edges)
    assert refused.value.problems[0].hint


def test_too_few_rows_or_none_leave_a_graph_untested(rows):
    few = rca.graph(rows.head(60), EDGES)
    assert "only 60 reference rows" in str(few)
    assert few.independences == ()
    elsewhere = rca.graph(rows, [("p", "q")])
    assert "no column of a reference table" in str(elsewhere)
    line = rca.graph(rca.load(INCIDENTS / "line-cascade"))
    assert line.untested is not None
    assert not line.sketch


def test_without_a_graph_one_is_sketched_for_a_person_to_edit():
    case = rca.load(INCIDENTS / "flights-storm")
    drawn = rca.graph(case)
    assert drawn.sketch
    assert "sketch" in str(drawn)
    assert drawn.together
    assert drawn.findings() == ()
    assert drawn.independences == ()
    assert drawn.to_yaml().startswith("# a sketch")
    with pytest.raises(Unanswerable, match="no causal graph"):
        rca.causes(case)


def test_a_sketch_follows_roles_and_what_was_there_first():
    rng = np.random.default_rng(0)
    group = rng.choice(["u", "v"], 600)
    rows = pd.DataFrame({"g": group, "x": rng.normal(size=600) + (group == "u"), "w": rng.normal(size=600)})
    rows = rows.assign(p=0.5, said=1, y=0)
    drawn = rca.graph(rows, label="y", score="p", prediction="said", groups=["g"], features=["x", "w"])
    assert set(drawn.edges) == {("g", "x"), ("x", "y"), ("w", "y"), ("x", "p"), ("w", "p"), ("p", "said")}
    assert rca.graph(rows.head(50), label="y", groups=["g"], features=["x"]).edges == (("x", "y"),)
    with pytest.raises(Unanswerable, match="neither a label nor an answer"):
        rca.graph(rows[["x", "w"]])


def test_a_case_with_neither_graph_nor_tables_has_none(tmp_path):
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "incident.yaml").write_text(
        "schema: 1\nid: bare\ntitle: t\nseverity: sev3\ncategory: other\nstatus: closed\n", encoding="utf-8"
    )
    with pytest.raises(Unanswerable, match="neither a causal graph nor a reference table"):
        rca.graph(rca.load(folder))
