"""What every result can do, whatever it says."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import rca
from rca.result import Result, cell
from tests.conftest import INCIDENTS


@dataclass(frozen=True, kw_only=True)
class Told(Result):
    """A result with rows of its own."""

    table: tuple[tuple[str, float | None], ...] = ()

    def __str__(self):
        return f"{len(self.table)} rows <b>"

    def rows(self):
        return [{"na<me": name, "value": value} for name, value in self.table]


def test_a_table_escapes_what_it_shows():
    html = Told(table=(("<script>alert(1)</script>", 1.0),))._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "<caption>1 rows &lt;b&gt;</caption>" in html
    assert "<th scope='col'>na&lt;me</th>" in html


def test_a_result_without_rows_is_its_sentence():
    assert Told()._repr_html_() == "<p class='mathjax_ignore'>0 rows &lt;b&gt;</p>"


def test_a_frame_is_new_each_time():
    told = Told(table=(("a", 1.0), ("b", None)))
    first = told.to_frame()
    first["value"] = 0
    assert told.to_frame()["value"].tolist()[0] == 1.0


def test_a_result_comes_back_from_its_dictionary():
    told = Told(table=(("a", 1.5), ("b", None)))
    assert Told.from_dict(told.to_dict()) == told


def test_what_is_no_such_result_is_refused():
    with pytest.raises(ValueError, match="validation error"):
        Told.from_dict({"table": [["a", "much"]]})


def test_a_result_that_claims_nothing_has_no_findings():
    assert Told().findings() == ()


def test_a_result_has_to_say_itself():
    with pytest.raises(NotImplementedError):
        str(Result())
    with pytest.raises(NotImplementedError):
        Result().rows()


def test_a_result_cannot_be_changed():
    with pytest.raises(AttributeError):
        Told().table = ()


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (True, "yes"), (False, "no"), (0.000012345, "1.234e-05"), (-1200, "-1,200"), ("x", "x")],
)
def test_a_cell_reads_as_a_person_would_write_it(value, text):
    assert cell(value) == text


def test_a_notebook_shows_the_first_rows_and_says_how_many_there_are():
    markup = Told(table=tuple((str(at), 1.0) for at in range(100)))._repr_html_()
    assert markup.count("<tr>") == 1 + 60
    assert "40 more rows in to_frame()" in markup


def test_a_notebook_shows_a_sentence_a_table_and_where_there_is_one_a_figure():
    assert Told()._repr_mimebundle_().keys() == {"text/plain", "text/html"}
    before, after = (pd.DataFrame({"a": np.random.default_rng(0).normal(mean, 1, 300)}) for mean in (0, 2))
    bundle = rca.drift(before, after)._repr_mimebundle_()
    assert bundle["text/plain"] == "1 of 1 columns moved: a"
    assert bundle["application/vnd.plotly.v1+json"]["data"]
    assert json.dumps(bundle)


def test_a_case_is_shown_in_a_line_with_its_tables_and_its_timeline():
    case = rca.load(INCIDENTS / "credit-drift")
    bundle = case._repr_mimebundle_()
    assert len(repr(case)) < 200
    assert bundle["text/plain"].startswith("credit-drift: Credit model turns away good applicants (sev2, ")
    assert "<td>reference</td><td>reference.parquet</td>" in bundle["text/html"]
    assert bundle["application/vnd.plotly.v1+json"]["data"]
