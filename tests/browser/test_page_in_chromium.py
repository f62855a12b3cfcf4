"""The page in a real browser: no network, no error, every figure drawn; on a desk, on a phone, dark and on paper."""

import json
import re

import pytest

from rca.record.case import load
from rca.report.brief.board import board
from rca.report.page.page import render
from rca.report.rendering.document_formats import to_html
from rca.report.rendering.plotly_adapter import FILE, MIME, plotly_js
from tests.browser.conftest import CHROMIUM
from tests.conftest import INCIDENTS

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


def console(seen):
    return [line for line in seen.stderr.splitlines() if "CONSOLE" in line]


def opened(report, tmp_path):
    """The page with every fold open, as a reader leaves it."""
    page = tmp_path / "opened.html"
    text = (report.result.folder / "report.html").read_text(encoding="utf-8")
    page.write_text(text.replace("<details", "<details open"), encoding="utf-8")
    return page, text.count('<figure class="plot"')


@pytest.mark.parametrize("flags", [("--window-size=1280,900",), ("--window-size=390,844", "--force-dark-mode")])
def test_every_figure_is_drawn_and_the_console_stays_silent(report, browse, tmp_path, flags):
    page, figures = opened(report, tmp_path)
    seen = browse(page, "--dump-dom", *flags)
    assert console(seen) == []
    assert figures > 0
    assert f'data-figures="{figures}"' in seen.stdout
    assert len(re.findall(r'class="main-svg"[^>]*>', seen.stdout)) >= figures


def test_plotly_beside_the_page_draws_it_and_where_it_is_gone_the_page_says_so(report, browse, tmp_path):
    folder = report.result.folder
    made = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    notebooks = {name.removesuffix(".ipynb"): json.loads((folder / name).read_text()) for name in made["templates"]}
    told = render(
        load(report.case).incident, notebooks, results=report.result.results, provenance=made, beside=True
    ).replace("<details", "<details open")
    page, figures = tmp_path / "report.html", told.count('<figure class="plot"')
    page.write_text(told, encoding="utf-8")
    assert "Not drawn: plotly.js" in browse(page, "--dump-dom").stdout
    (tmp_path / FILE).write_text(plotly_js(), encoding="utf-8")
    seen = browse(page, "--dump-dom")
    assert console(seen) == []
    assert len(re.findall(r'class="main-svg"[^>]*>', seen.stdout)) >= figures > 0


PROBE = "<script>document.title = 'injected'</script><img src='http://127.0.0.1:9/x.png'>"


def test_the_policy_stops_a_script_and_an_image_that_were_put_into_the_page(report, browse, tmp_path):
    page = tmp_path / "report.html"
    text = (report.result.folder / "report.html").read_text(encoding="utf-8")
    page.write_text(text.replace("<main class='column'>", f"<main>{PROBE}"), encoding="utf-8")
    seen = browse(page, "--dump-dom")
    assert "<title>injected" not in seen.stdout
    assert len([line for line in console(seen) if "Content Security Policy" in line]) == 2


WIDTH = "<body onload=\"document.title = document.documentElement.scrollWidth > innerWidth ? 'wide' : 'fits'\">"


def test_a_phone_does_not_scroll_sideways(report, browse, tmp_path):
    page = tmp_path / "report.html"
    text = (report.result.folder / "report.html").read_text(encoding="utf-8")
    unlocked = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text).replace("<body>", WIDTH)
    page.write_text(unlocked, encoding="utf-8")
    frame = tmp_path / "phone.html"
    watch = 'onload="setTimeout(() => document.title = this.contentDocument.title, 3000)"'
    frame.write_text(f'<iframe src="report.html" width="390" height="844" {watch}></iframe>', encoding="utf-8")
    seen = browse(frame, "--dump-dom", "--allow-file-access-from-files")
    assert "<title>fits</title>" in seen.stdout


def test_the_page_can_be_printed(report, browse, tmp_path):
    browse(report.result.folder / "report.html", f"--print-to-pdf={tmp_path / 'report.pdf'}", "--no-pdf-header-footer")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


MEASURE = """<body onload="setTimeout(() => {
    const brief = document.querySelector('.brief').cloneNode(true);
    brief.querySelector('svg.narrow')?.remove();
    const words = brief.textContent.split(/\\s+/).filter(Boolean).length;
    const bottom = document.querySelector('.brief').getBoundingClientRect().bottom + scrollY;
    document.title = [Math.ceil(bottom / 80) / 10, words].join(' ');
}, 1000)">"""


def test_the_brief_takes_four_screens_and_a_thousand_words(report, browse, tmp_path):
    page = tmp_path / "report.html"
    text = (report.result.folder / "report.html").read_text(encoding="utf-8")
    unlocked = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text).replace("<body>", MEASURE)
    page.write_text(unlocked, encoding="utf-8")
    seen = browse(page, "--dump-dom", "--window-size=1280,800")
    screens, words = map(float, re.search(r"<title>([\d.]+) (\d+)</title>", seen.stdout).groups())
    assert 1 < screens <= 4
    assert 300 < words <= 1050


TITLES = """
const cut = [...document.querySelectorAll('.gtitle')].map((title) => {
  const [inner, outer] = [title, title.closest('.js-plotly-plot')].map((one) => one.getBoundingClientRect());
  return inner.top >= outer.top && inner.right <= outer.right && inner.height > 0;
});
document.title = `whole ${cut.filter(Boolean).length} of ${cut.length}`;
"""


def test_titles_of_figures_are_whole_in_a_notebook(report, browse, tmp_path):
    folder = report.result.folder
    cells = [cell for path in sorted(folder.glob("*.ipynb")) for cell in json.loads(path.read_text())["cells"]]
    specs = [one["data"][MIME] for cell in cells for one in cell.get("outputs", ()) if MIME in one.get("data", {})]
    drawn = [
        f"Plotly.newPlot(document.body.appendChild(document.createElement('div')), {json.dumps(one)});" for one in specs
    ]
    page = tmp_path / "titles.html"
    body = f"<script>{plotly_js()}</script><body style='width: 800px'><script>{''.join(drawn)}{TITLES}</script>"
    page.write_text(f"<!doctype html>{body}", encoding="utf-8")
    assert f"<title>whole {len(specs)} of {len(specs)}</title>" in browse(page, "--dump-dom").stdout


@pytest.mark.parametrize("name", ["credit-drift", "chatbot-update"])
def test_the_page_for_a_board_is_one_page(name, browse, tmp_path):
    page = tmp_path / "board.html"
    page.write_text(to_html(board(load(INCIDENTS / name).incident)), encoding="utf-8")
    browse(page, f"--print-to-pdf={tmp_path / 'board.pdf'}", "--no-pdf-header-footer")
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", (tmp_path / "board.pdf").read_bytes())) == 1
