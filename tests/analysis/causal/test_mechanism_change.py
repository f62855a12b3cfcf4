"""Which mechanism changed, and what it did: of tables, of cases, of graphs in any form."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import rca
from rca.analysis.causal.graph_columns import edges_of
from rca.analysis.causal.mechanism_change import Causes
from rca.errors import InvalidCase, Unanswerable
from rca.record.files.graph_file import Graph
from tests.conftest import INCIDENTS

EDGES = (("a", "b"), ("a", "c"), ("b", "y"), ("c", "y"))


def drawn(rng, rows=1500, **law):
    a = rng.normal(law.get("a", 0), 1, rows)
    b = law.get("b", 1) * a + rng.normal(0, 1, rows)
    c = -a + rng.normal(0, 1, rows)
    y = b + 0.5 * c + law.get("y", 0) + rng.normal(0, 1, rows)
    return pd.DataFrame({"a": a, "b": b, "c": c, "y": y, "aside": rng.normal(size=rows)})


@pytest.fixture(scope="module")
def windows():
    rng = np.random.default_rng(0)
    return drawn(rng), drawn(rng, y=0.5)


@pytest.fixture(scope="module")
def found(windows):
    return rca.causes(*windows, graph=EDGES, target="y")


def parts(found):
    return {one.node: one.contribution for one in found.mechanisms}


def test_the_mechanism_that_changed_comes_first_and_alone_is_called_changed(found):
    assert [one.node for one in found.moved] == ["y"]
    assert found.mechanisms[0].node == "y"
    assert 0.5 in found["y"].interval
    assert found["y"].steady


def test_contributions_and_what_is_unexplained_add_up_to_the_change(windows, found):
    assert found.change == pytest.approx(windows[1]["y"].mean() - windows[0]["y"].mean())
    assert sum(parts(found).values()) + found.unexplained == pytest.approx(found.change, abs=1e-12)


def test_what_is_not_upstream_takes_no_part(windows, found):
    more = rca.causes(*windows, graph=[*EDGES, ("y", "aside")], target="y")
    assert parts(more) == parts(found)


def test_other_names_and_another_order_of_columns_change_nothing(windows, found):
    names = {"a": "zz", "b": "b b", "c": "c", "y": "0"}
    renamed = [rows.rename(columns=names)[["c", "0", "zz", "b b"]] for rows in windows]
    again = rca.causes(*renamed, graph=[(names[one], names[other]) for one, other in EDGES], target="0")
    for node, part in parts(found).items():
        assert again[names[node]].contribution == pytest.approx(part, abs=2 * (found[node].interval.high - part) / 10)
        assert again[names[node]].moved == found[node].moved


def test_a_graph_may_come_in_any_form(windows, found):
    forms = [
        Graph(kind="causal", edges=EDGES),
        {"a": [], "b": ["a"], "c": ["a"], "y": ["b", "c"]},
        SimpleNamespace(edges=list(EDGES)),
    ]
    assert all(rca.causes(*windows, graph=form, target="y") == found for form in forms)


UNDIRECTED = SimpleNamespace(edges=list(EDGES), is_directed=lambda: False)


@pytest.mark.parametrize(
    "graph", ["ab", 7, [("a", "b", "c")], Graph(kind="calls", edges=EDGES), UNDIRECTED],
    ids=["words", "a number", "triples", "calls", "undirected"],
)  # fmt: skip
def test_what_is_no_causal_graph_is_refused(graph):
    with pytest.raises(InvalidCase, match="graph"):
        edges_of(graph)


@pytest.mark.parametrize(
    ("edges", "target", "says"),
    [
        ([("a", "b"), ("b", "a")], "a", "circle"),
        (EDGES, "z", "no column 'z'"),
        (EDGES, "aside", "no node 'aside'"),
        ([("long_nam", "y")], "y", "did you mean 'long_name'"),
        ([("a", "word")], "word", "holds no numbers"),
    ],
    ids=str,
)
def test_bad_input_is_refused_with_a_hint(windows, edges, target, says):
    rows = [one.assign(long_name=1.0, word="x") for one in windows]
    with pytest.raises(InvalidCase, match=says) as refused:
        rca.causes(*rows, graph=edges, target=target)
    assert refused.value.problems[0].hint


@pytest.mark.parametrize(
    ("edges", "says"),
    [
        ([("hidden", "b"), ("hidden", "y"), ("b", "y")], "'hidden' is a cause of b and y"),
        ([("y", "aside")], "names no cause of y"),
        ([], "no causal graph"),
    ],
    ids=str,
)
def test_what_the_columns_cannot_tell_is_said_with_the_reason(windows, edges, says):
    with pytest.raises(Unanswerable, match=says):
        rca.causes(*windows, graph=edges, target="y")


def test_an_unmeasured_cause_of_one_node_is_a_part_of_its_mechanism(windows, found):
    without = rca.causes(*windows, graph=[*EDGES, ("hidden", "y")], target="y")
    between = rca.causes(*windows, graph=[("a", "b"), ("a", "c"), ("b", "step"), ("step", "y"), ("c", "y")], target="y")
    assert parts(without) == parts(between) == parts(found)
    assert (without.unmeasured, between.unmeasured) == (("hidden",), ("step",))


def test_windows_without_overlap_are_told_apart_by_lines_carried_on_and_it_is_said():
    rng = np.random.default_rng(0)
    found = rca.causes(drawn(rng), drawn(rng, a=40), graph=EDGES, target="y")
    a = found["a"]
    assert not a.identifiable
    assert a.extrapolated
    assert 20.0 in a.interval
    assert "extrapolated" in str(a)
    assert found.to_frame().set_index("mechanism").loc["a", "rests on"].startswith("every mechanism goes on")
    assert any("overlap" in one.why for one in found.unanswered)
    (claim,) = [one for one in found.findings() if one.cause.name == "a"]
    assert claim.strength == "assumed"
    assert claim.assumptions[-1].startswith("every mechanism goes on")


def test_a_mechanism_that_is_no_line_is_not_carried_on():
    rng = np.random.default_rng(0)
    before, after = (
        pd.DataFrame({"a": a}).assign(y=lambda rows: np.sin(3 * rows["a"]) + rng.normal(0, 0.1, 1500))
        for a in (rng.uniform(-3, 3, 1500), rng.uniform(30, 36, 1500))
    )
    apart = rca.causes(before, after, graph=[("a", "y")], target="y")
    assert not apart["a"].told
    assert "not identifiable" in str(apart["a"])
    assert "not identifiable" in apart.to_frame().set_index("mechanism").loc["a", "interval"]
    assert not apart.findings()


def test_a_narrow_window_within_a_wide_one_is_no_overlap():
    rng = np.random.default_rng(0)
    before, after = (pd.DataFrame({"a": rng.normal(0, spread, 1500)}) for spread in (0.1, 1))
    before, after = (rows.assign(y=rows["a"] ** 2 + rng.normal(0, 0.01, 1500)) for rows in (before, after))
    found = rca.causes(before, after, graph=[("a", "y")], target="y")
    assert found["a"].extrapolated
    assert 0.99 in found["a"].interval
    assert abs(found["y"].contribution) < 0.05


def test_it_says_itself_and_comes_back_from_json(found):
    assert Causes.from_dict(found.to_dict()) == found
    assert str(found).startswith("the mean of y changed by +")
    assert "1 of 4 mechanisms changed: y +" in str(found)
    (claim,) = found.findings()
    assert (claim.id, claim.strength, claim.cause.name) == ("causes.y", "suggested", "y")
    assert list(found.to_frame()["mechanism"]) == [one.node for one in found.mechanisms]
    with pytest.raises(KeyError):
        found["aside"]


@pytest.mark.parametrize(
    ("name", "target", "node"),
    [
        ("frozen", "error rate", "x"),
        pytest.param("credit-drift", "false positive rate", "regional_unemployment", marks=pytest.mark.prove),
    ],
)
def test_of_a_case_the_graph_and_the_metric_are_its_own(frozen, name, target, node):
    whole = frozen.answers.causes if name == "frozen" else rca.causes(rca.load(INCIDENTS / name))
    assert whole.target == target
    assert whole.mechanisms[0].node == node
    assert whole[node].contribution > 0.6 * whole.change
    with pytest.raises(Unanswerable, match="no causal graph"):
        rca.causes(rca.load(INCIDENTS / "hiring-bias"))


def test_the_models_answers_follow_its_features_where_the_graph_is_silent(windows):
    said = [rows.assign(score=rows["b"], label=rows["y"]) for rows in windows]
    roles = {"metric": "mae", "label": "label", "score": "score", "features": ["a", "b", "c"]}
    found = rca.causes(*said, graph=[("b", "label"), ("c", "label"), ("a", "b"), ("a", "c")], **roles)
    assert found["score"].parents == ("a", "b", "c")
    assert [one.node for one in found.moved] == ["label"]


def test_a_variance_is_divided_among_what_spread_it():
    rng = np.random.default_rng(0)
    before, after = drawn(rng), drawn(rng, b=2.0)
    after["y"] += 3.0  # moves the mean alone
    found = rca.causes(before, after, graph=EDGES, target="y", of="variance")
    assert found.target == "the variance of y"
    assert found.change == pytest.approx(after["y"].var() - before["y"].var(), rel=0.01)
    assert found["b"].contribution == pytest.approx(found.change, abs=0.15 * found.change)
    assert {one.node for one in found.moved} == {"b", "y"}


def test_a_distribution_is_divided_where_it_changed_most(windows):
    found = rca.causes(*windows, graph=EDGES, target="y", of="distribution")
    assert found.target.startswith("the share of y up to ")
    assert found.change < 0  # y rose
    assert found["y"].contribution == pytest.approx(found.change, abs=0.05)


def test_what_a_column_has_not_cannot_change(windows):
    with pytest.raises(InvalidCase, match="has no 'varianz'"):
        rca.causes(*windows, graph=EDGES, target="y", of="varianz")
