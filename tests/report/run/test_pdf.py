"""The page on paper: whole or not at all."""

import re
import shutil
import sys

import pytest

from rca.errors import RunFailed
from rca.report.run import pdf
from tests.conftest import ROOT

PAGE = "<!doctype html><html lang='en'><title>t</title><h1>A page</h1><p>words</p></html>"


@pytest.fixture
def page(tmp_path):
    made = tmp_path / "report.html"
    made.write_text(PAGE, encoding="utf-8")
    return made


@pytest.mark.skipif(not any(map(shutil.which, pdf.BROWSERS)), reason="no browser is installed")
def test_a_page_is_printed_with_tags_and_nothing_else_is_left(page, tmp_path):
    to = tmp_path / "out" / "report.pdf"
    to.parent.mkdir()
    assert pdf.print_page(page, to) in pdf.BROWSERS
    assert to.read_bytes().startswith(b"%PDF")
    assert b"StructTreeRoot" in to.read_bytes()
    assert [one.name for one in to.parent.iterdir()] == ["report.pdf"]


@pytest.fixture
def no_browser(monkeypatch):
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)


@pytest.mark.usefixtures("no_browser")
def test_without_a_browser_or_weasyprint_it_says_what_to_do(page, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(RunFailed, match="install Chromium, or WeasyPrint: pip install 'rca-postmortem"):
        pdf.print_page(page, tmp_path / "report.pdf")
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_a_page_for_paper_has_a_table_for_every_figure_and_no_script():
    page = (ROOT / "reports" / "sample" / "credit-drift" / "report.html").read_text(encoding="utf-8")
    told = pdf.without_scripts(page)
    figures = page.count('<figure class="plot"')
    assert figures > 5
    assert len(re.findall(r"<caption>Figure \d+ in numbers", told)) == figures
    assert "<script" not in told
    assert "Printed without a browser" in told
    assert re.search(r"<svg [^>]*><style>[^<]*\.line\.harm", told)
    assert "var(" not in re.search(r"<svg [^>]*><style>([^<]*)", told)[1]
    assert pdf.without_scripts(PAGE) == PAGE


def test_a_browser_that_prints_nothing_leaves_the_old_pdf(page, tmp_path, monkeypatch):
    old = tmp_path / "report.pdf"
    old.write_bytes(b"%PDF old")
    monkeypatch.setattr(pdf.shutil, "which", lambda name: f"/bin/{name}" if name == "chromium" else None)
    monkeypatch.setattr(pdf, "_by_browser", lambda browser, page, draft: None)
    with pytest.raises(RunFailed, match="printed no PDF"):
        pdf.print_page(page, old)
    assert old.read_bytes() == b"%PDF old"
