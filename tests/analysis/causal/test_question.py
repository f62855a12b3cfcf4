"""Questions along a graph, of cases and tables: who is asked about, along which graph, and what has no answer."""

import numpy as np
import pandas as pd
import pytest

import rca
from rca.errors import InvalidCase, Unanswerable
from tests.conftest import INCIDENTS

EDGES = [("a", "b"), ("a", "c"), ("b", "y"), ("c", "y")]


def drawn(rng, rows=800):
    a, b, c, y = rng.normal(size=(4, rows))
    b, c = a + b, c - a
    return pd.DataFrame({"a": a, "b": b, "c": c, "y": b + c + y, "who": [f"u{at}" for at in range(rows)]})


@pytest.fixture(scope="module")
def windows():
    rng = np.random.default_rng(0)
    before, after = drawn(rng), drawn(rng)
    after.loc[5, ["b", "y"]] += 8.0
    return before, after


def test_a_row_is_named_by_its_place_or_its_id(windows):
    one = rca.odd(*windows, row=5, graph=EDGES, target="y")
    assert one.rows_of[0].shares[0].node == "b"
    by_id = rca.odd(*windows, row="u5", graph=EDGES, target="y", id="who")
    assert by_id.rows_of[0].shares == one.rows_of[0].shares
    assert rca.odd(*windows, row=np.array([3, 5]), graph=EDGES, target="y").rows_of[0].row == 5


def test_where_no_row_is_named_the_farthest_are_looked_at(windows):
    found = rca.odd(*windows, graph=EDGES, target="y")
    assert len(found.rows_of) == 100
    assert found.rows_of[0].row == 5
    assert found == rca.odd(*windows, graph=EDGES, target="y")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"row": 800}, "no row '800'"),
        ({"row": -1}, "no row '-1'"),
        ({"row": True}, "no row 'True'"),
        ({"row": "u5"}, "no row 'u5'"),
        ({"row": "nobody", "id": "who"}, "no row 'nobody'"),
        ({"row": [1, "x"]}, "no row 'x'"),
        ({"target": "z"}, "no column 'z'"),
        ({"graph": [("a", "y"), ("y", "a")]}, "circle"),
        ({"graph": [("loud_nam", "y")], "row": 0}, "did you mean 'loud_name'"),
    ],
    ids=str,
)
def test_bad_questions_are_refused_with_a_hint(windows, more, says):
    named = [rows.assign(loud_name=1.0) for rows in windows]
    with pytest.raises(InvalidCase, match=says) as refused:
        rca.odd(*named, **{"graph": EDGES, "target": "y", **more})
    assert refused.value.problems[0].hint


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"graph": None}, "no causal graph"),
        ({"graph": [("h", "b"), ("h", "y"), ("b", "y")]}, "'h' is a cause of b and y"),
        ({"target": None}, "the graph names no cause of any answer"),
    ],
    ids=str,
)
def test_what_the_graph_cannot_tell_is_said(windows, more, says):
    with pytest.raises(Unanswerable, match=says):
        rca.odd(*windows, **{"graph": EDGES, "target": "y", **more})


def test_rows_in_which_all_is_missing_have_no_answer(windows):
    before, after = windows
    with pytest.raises(Unanswerable, match="missing in every row"):
        rca.odd(before, after.assign(c=np.nan), row=[1, 2], graph=EDGES, target="y")
    lost = before.assign(y=np.nan), after.assign(y=np.nan)
    with pytest.raises(Unanswerable, match="only 0 rows"):
        rca.odd(*lost, graph=EDGES, target="y")


def test_an_unmeasured_cause_of_one_node_is_a_part_of_its_noise(windows):
    found = rca.odd(*windows, row=5, graph=[*EDGES, ("h", "y")], target="y")
    assert found.rows_of == rca.odd(*windows, row=5, graph=EDGES, target="y").rows_of


def test_where_no_answer_has_a_cause_the_label_is_looked_at(windows):
    named = [rows.assign(flag=0) for rows in windows]
    found = rca.odd(*named, graph=[("flag", "a"), ("a", "y")], label="y", prediction="flag", features=[], row=5)
    assert found.target == "y"


def test_of_a_target_that_the_reference_never_has_the_first_rows_are_looked_at(windows):
    from rca.analysis.causal.question import _farthest
    from rca.analysis.inputs.windows import windows_from

    lost = windows_from(windows[0].assign(y=np.nan), windows[1], metric="mae")
    assert _farthest(lost, "y") == list(range(100))
    with pytest.raises(InvalidCase, match="no column 'z'"):
        _farthest(lost, "z")


def test_of_a_case_the_graph_and_the_answer_are_its_own():
    found = rca.odd(rca.load(INCIDENTS / "credit-drift"))
    assert found.target == "default_probability"
    assert max(found.named(), key=found.named().get) == "regional_unemployment"
    with pytest.raises(Unanswerable, match="no causal graph"):
        rca.odd(rca.load(INCIDENTS / "hiring-bias"))
