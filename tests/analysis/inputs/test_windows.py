"""What an analysis of harm looks at: refused without windows or metric, in time order, and with the graph's parents."""

import re

import pandas as pd
import pytest

from rca.analysis.inputs.windows import Windows, both_windows, windows_from, windows_of
from rca.errors import InvalidCase, Unanswerable
from rca.record.case import Case, Roles
from rca.record.model.model import Model
from rca.record.schema.incident import Metric

RECORD = """\
schema: 1
id: small
title: Small
severity: sev5
category: other
status: closed
systems:
  - {{name: gate, kind: {kind}}}
data:
  {roles}
  reference: {{path: reference.csv}}
  current: {{path: current.csv}}
"""
METRIC = "metric: {name: error_rate}\n"
ROLES = "time: at\n  label: y\n  prediction: said"

REFERENCE = "at,a,b,y,said\n2026-01-01T00:00:00Z,1,2,0,0\n2026-01-01T01:00:00Z,2,3,1,1\n"
CURRENT = (
    "at,a,b,y,said\n"
    "2026-01-02T02:00:00Z,3,1,1,0\n"
    "2026-01-02T00:00:00Z,1,1,0,0\n"
    "2026-01-02T01:00:00Z,2,1,1,1\n"
    "2026-01-02T00:00:00Z,9,1,0,0\n"
)  # fmt: skip


@pytest.fixture
def case(tmp_path):
    """Writes a small case and loads it."""
    folder = tmp_path / "small"
    folder.mkdir()

    def write(more=METRIC, roles=ROLES, kind="model", **files):
        text = RECORD.format(roles=roles, kind=kind) + more
        for name, held in {"incident.yaml": text, "reference.csv": REFERENCE, "current.csv": CURRENT, **files}.items():
            (folder / name).write_text(held, encoding="utf-8")
        return Case.load(folder)

    return write


def test_current_rows_stand_in_the_order_of_time_and_equal_times_as_they_were(case):
    windows = windows_of(case())
    assert windows.current["a"].tolist() == [1, 9, 2, 3]
    assert windows.current.index.tolist() == [0, 1, 2, 3]


def test_many_rows_of_the_same_time_stay_as_they_were(case):
    hours = [f"2026-01-02T0{row % 2}:00:00Z,{row},1,0,0" for row in range(200)]
    read = case(**{"current.csv": "\n".join(["at,a,b,y,said", *hours, ""])})
    assert windows_of(read).current["a"].tolist() == [*range(0, 200, 2), *range(1, 200, 2)]


def test_rows_without_a_time_stand_as_they_were(case):
    windows = windows_of(case(roles="label: y\n  prediction: said\n  ignore: [at]"))
    assert windows.current["a"].tolist() == [3, 1, 2, 9]


def test_what_the_record_says_is_carried_over(case):
    windows = windows_of(case())
    assert windows.model_name == "gate"
    assert windows.metric.name == "error_rate"
    assert windows.roles.features == ("a", "b")
    assert (windows.model, windows.parents, windows.answers_same) == (None, {}, False)


def test_the_case_keeps_its_rows_when_the_windows_are_changed(case):
    read = case()
    windows = windows_of(read)
    windows.current["a"] = 0
    windows.reference.loc[0, "b"] = 0
    assert read.current["a"].tolist() == [3, 1, 2, 9]
    assert read.reference["b"].tolist() == [2, 3]


def test_without_a_metric_there_is_no_harm_to_divide(case):
    with pytest.raises(Unanswerable, match="the case names no metric"):
        windows_of(case(more=""))


@pytest.mark.parametrize("gone", ["reference", "current"])
def test_without_both_windows_nothing_can_be_compared(case, gone):
    read = case()
    text = (read.folder / "incident.yaml").read_text(encoding="utf-8")
    (read.folder / "incident.yaml").write_text(text.replace(f"  {gone}: {{path: {gone}.csv}}\n", ""), encoding="utf-8")
    for look in (both_windows, windows_of):
        with pytest.raises(Unanswerable, match="no tables of both windows"):
            look(Case.load(read.folder))


@pytest.mark.parametrize(
    ("roles", "kind", "produces"),
    [
        (ROLES, "model", False),
        ("time: at\n  ignore: [y]", "model", True),
        ("time: at\n  ignore: [y]", "service", False),
    ],
)
def test_rows_are_a_models_own_where_a_model_answers_and_no_truth_is_known(case, roles, kind, produces):
    metric = "metric: {name: mean, column: said}\n"
    assert windows_of(case(more=metric, roles=roles, kind=kind)).produces is produces


def test_the_label_has_a_name_even_where_the_case_has_none(case):
    assert windows_of(case()).label == "y"
    nameless = Windows(
        reference=pd.DataFrame(), current=pd.DataFrame(), roles=Roles(), metric=Metric(name="error_rate"), parents={}
    )
    assert nameless.label == "label"


def test_the_meter_reads_the_cases_metric_by_its_roles(case):
    windows = windows_of(case())
    assert windows.meter.metric is windows.metric
    assert windows.meter.roles is windows.roles


@pytest.mark.parametrize(
    ("kind", "parents"), [("causal", {"a": ("b",), "b": (), "y": ("a", "b"), "said": ("a",)}), ("calls", {})]
)
def test_parents_are_those_of_a_causal_graph_and_no_calls(case, kind, parents):
    edges = "[[b, a], [b, y], [a, y], [a, said]]"
    read = case(more=METRIC + "graph: graph.yaml\n", **{"graph.yaml": f"kind: {kind}\nedges: {edges}\n"})
    assert windows_of(read).parents == parents


def test_what_no_table_holds_is_nobodys_parent(case):
    arrows = "kind: causal\nedges: [[hidden, a], [b, a], [hidden, y]]\n"
    read = case(more=METRIC + "graph: graph.yaml\n", **{"graph.yaml": arrows})
    assert windows_of(read).parents == {"a": ("b",), "b": (), "y": ()}


# -- from plain tables -------------------------------------------------------------------------------------------------

DAYS = pd.to_datetime(["2026-01-03", "2026-01-01", "2026-01-02"], utc=True)
PLAIN = pd.DataFrame({"age": [30, 40, 50], "paid": [0, 1, 1], "said": [0, 0, 1], "at": DAYS})


def test_plain_tables_are_windows_once_their_roles_are_named():
    found = windows_from(
        PLAIN, PLAIN, metric={"name": "error_rate"}, label="paid", prediction="said", time="at",
        graph=[("age", "paid"), ("unknown", "paid")], model=lambda rows: rows["age"] / 100,
    )  # fmt: skip
    assert found.roles.features == ("age",)
    assert found.parents == {"age": (), "paid": ("age",)}
    assert found.current["age"].tolist() == [40, 50, 30]
    assert found.model.scores(PLAIN).tolist() == [0.3, 0.4, 0.5]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"metric": "eror_rate", "label": "paid"}, "did you mean 'error_rate'"),
        ({"metric": "rate"}, "needs `column`"),
        ({"metric": "error_rate", "labels": "paid"}, "did you mean 'label'"),
        ({"metric": "error_rate", "label": "payd"}, "did you mean 'paid'"),
        ({"metric": "error_rate", "groups": ["aeg"]}, "did you mean 'age'"),
    ],
)
def test_a_role_or_metric_that_is_not_there_is_refused_with_a_hint(asked, said):
    with pytest.raises(InvalidCase, match=re.escape(said)):
        windows_from(PLAIN, PLAIN, **asked)


# --- a model that cannot be asked -------------------------------------------------------------------------------------


class Refusing:
    """A pipeline that takes no words."""

    def __init__(self, words):
        self.words = words

    def __call__(self, rows):
        if rows["a"].astype(str).isin(self.words).any():
            raise InvalidCase.because("no words, please", place="model")
        return rows["b"].to_numpy(float)


def test_a_model_that_cannot_be_asked_is_none_and_says_why(case):
    known = case(more=METRIC)
    for words, model in (({"9"}, "no words, please"), ({"8"}, "")):
        known.__dict__["model"] = Model(format="skops", features=("a", "b"), place="model", answer=Refusing(words))
        windows = windows_of(known)
        assert (windows.unasked, windows.model is None) == (model, bool(model))
        assert windows.roles.features == ("a", "b")


def test_a_model_reads_words_as_numbers_where_the_reference_has_numbers(case):
    known = case(**{"current.csv": CURRENT.replace(",9,1,", ",-,1,")})
    seen = []
    known.__dict__["model"] = Model(
        format="skops", features=("a", "b"), place="model", answer=lambda rows: seen.append(rows["a"]) or rows["b"]
    )
    windows = windows_of(known)
    assert windows.unasked == ""
    assert seen[-1].tolist()[0] == 1.0
    assert seen[-1].isna().tolist() == [False, True, False, False]
