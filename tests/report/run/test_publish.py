"""plotly.js beside the page: covered by the manifest, derived again, and on disk once for all reports of a folder."""

import json
import shutil

import pytest

from rca import shipped
from rca.report.audit.verify import verify
from rca.report.cells.output import RESULTS
from rca.report.manifest.provenance import entry, seal
from rca.report.manifest.standalone import LIBRARY
from rca.report.notebooks.canonical import to_json
from rca.report.plot import chart
from rca.report.rendering.plotly_adapter import FILE, MIME, plotly_js
from rca.report.run import case_run, publish
from rca.report.run.case_run import run
from tests.report.tiny_notebooks import RESULT, notebook


@pytest.fixture
def drawn(tmp_path, monkeypatch, harm):
    """Runs a case whose one notebook has a figure, without a kernel."""
    figure = {"output_type": "display_data", "metadata": {}, "data": {MIME: chart(harm).to_dict()}}
    told = {"output_type": "display_data", "metadata": {}, "data": {RESULTS: RESULT, "text/plain": "ready"}}

    def executed(template, parameters, stage, *, timeout, tick):
        asked, shown = [{**cell, "execution_count": at} for at, cell in enumerate(template.notebook["cells"], 1)]
        shown["outputs"] = [figure, told]
        given = {**shown, "id": "x", "metadata": {"tags": ["injected-parameters"]}, "outputs": []}
        return {"cells": [asked, given, shown]}

    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "1_tiny.ipynb").write_text(json.dumps(notebook("show()")), encoding="utf-8")
    monkeypatch.setattr(shipped, "templates", lambda: tmp_path / "templates")
    monkeypatch.setattr(case_run, "execute", executed)
    case = tmp_path / "cases" / "tiny"
    case.mkdir(parents=True)
    record = "schema: 1\nid: tiny\ntitle: Tiny\nseverity: sev5\ncategory: other\nstatus: open\n"
    (case / "incident.yaml").write_text(record, encoding="utf-8")
    return lambda **how: run(case, out=tmp_path / "reports", progress=False, **how)


def test_plotly_lies_beside_a_small_page_where_that_is_asked_for(drawn):
    whole, small = drawn(), drawn(plotly_file=True)
    assert not (whole.folder / FILE).exists()
    assert (whole.folder / "report.html").stat().st_size > 1_000_000
    assert (small.folder / "report.html").stat().st_size < 400_000
    assert (small.folder / FILE).read_text(encoding="utf-8") == plotly_js()
    assert FILE == LIBRARY


def test_it_is_covered_and_derived_again(drawn):
    made = drawn(plotly_file=True)
    found = verify(made.path, rerun=True)
    assert found.damage == ()
    assert found.derived == "same"
    (made.folder / FILE).write_text("alert(1)", encoding="utf-8")
    assert any(one.startswith(f"{FILE}: 8 bytes") for one in verify(made.path).damage)
    (made.folder / FILE).unlink()
    assert f"{FILE}: missing" in verify(made.path).damage


def test_reports_of_a_folder_have_one_copy_between_them(drawn):
    one, other = drawn(plotly_file=True), drawn(plotly_file=True, seed=1)
    assert one.folder != other.folder
    assert (one.folder / FILE).samefile(other.folder / FILE)
    assert verify(other.path).damage == ()


def test_a_copy_that_was_changed_is_not_shared(drawn):
    one = drawn(plotly_file=True)
    (one.folder / FILE).write_text("alert(1)", encoding="utf-8")
    other = drawn(plotly_file=True, seed=1)
    assert not (one.folder / FILE).samefile(other.folder / FILE)
    assert verify(other.path).damage == ()


def test_without_hard_links_each_report_has_its_own(drawn, monkeypatch):
    def refused(*_):
        raise PermissionError

    one = drawn(plotly_file=True)
    monkeypatch.setattr(publish.Path, "hardlink_to", refused)
    other = drawn(plotly_file=True, seed=1)
    assert not (one.folder / FILE).samefile(other.folder / FILE)
    assert verify(other.path).damage == ()


def test_what_was_laid_beside_a_page_that_does_not_use_it_is_told(drawn, tmp_path):
    copy = shutil.copytree(drawn(plotly_file=True).folder, tmp_path / "copy")
    page = copy / "report.html"
    page.write_text(page.read_text(encoding="utf-8").replace(f"src='{FILE}'", "src='data:,'"), encoding="utf-8")
    made = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    made["outputs"] = {name: entry(copy / name) for name in made["outputs"]}
    (copy / "manifest.json").write_bytes(to_json(made))
    seal(copy)
    assert verify(copy).damage == (f"{FILE}: beside a page that does not use it, or used and not there",)
