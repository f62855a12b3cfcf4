"""Executed notebooks as one page."""

import base64
import hashlib
import html
import json
import re

import pytest

from rca.report.cells.output import RESULTS
from rca.report.notebooks.canonical import bundles
from rca.report.page.page import render
from rca.report.parts.verdict import sections as verdict_sections
from rca.report.plot import chart
from rca.report.rendering.plotly_adapter import MIME


def cell(*outputs, **kind):
    made = {"cell_type": "code", "id": "a", "metadata": {}, "source": ["show.it()"], "execution_count": 1}
    return {
        **made,
        "outputs": [{"output_type": "display_data", "metadata": {}, "data": data} for data in outputs],
        **kind,
    }


def results(**verdict):
    said = {"status": "explained", "summary": "It broke.", "metric": None, "causes": [], "onset": None} | verdict
    return {
        "incident": "an-incident",
        "verdict": said,
        "findings": [],
        "unanswered": [{"question": "why", "why": "none"}],
    }


PROVENANCE = {
    "inputs": {"incident.yaml": {"sha256": "ab" * 32, "bytes": 12}},
    "templates": {"1_a.ipynb": {}},
    "code": {"version": "1", "sha256": "cd" * 32},
    "environment": {"python": "3", "packages": {"numpy": "2"}},
    "parameters": {"seed": 0},
}


@pytest.fixture
def page(incident):
    def made(*cells, **verdict):
        return render(incident, {"1_a": {"cells": list(cells)}}, results=results(**verdict), provenance=PROVENANCE)

    return made


def scripts(page):
    return re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)


def without_scripts(page):
    return re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def test_the_same_inputs_give_the_same_page(page, harm):
    figure = cell({MIME: chart(harm).to_dict()})
    assert page(figure) == page(figure)


def test_the_page_names_no_person(incident):
    known = incident.model_copy(update={"title": "Maria Lopez saw it first"})
    said = results(summary="It broke after Dr. Chen's change.")
    told = render(known, {"1_a": {"cells": [cell()]}}, results=said, provenance=PROVENANCE)
    assert "a person saw it first" in told
    assert "It broke after a person" in told
    assert not {"Maria", "Chen"} & set(re.findall(r"\w+", without_scripts(told)))


def test_the_verdict_comes_before_every_notebook_and_every_figure(page, harm):
    told = page(cell({MIME: chart(harm).to_dict()}))
    assert told.index("It broke.") < told.index('<section id="a"') < told.index('<figure class="plot"')


def test_the_policy_allows_the_scripts_of_the_page_and_no_other(page, harm):
    told = page(cell({MIME: chart(harm).to_dict()}))
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', told)[1])
    allowed = set(re.findall(r"'sha256-([^']*)'", policy))
    digests = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts(told)}
    assert allowed == digests
    assert len(digests) == 2
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy


def test_plotly_is_in_the_page_once_and_only_where_there_is_a_figure(page, harm):
    figure = cell({MIME: chart(harm).to_dict()})
    assert len(page(figure, figure)) < 1.1 * len(page(figure))
    assert len(page(cell({"text/html": "<p>a</p>"}))) < 100_000


def test_the_page_loads_nothing(page, harm):
    told = without_scripts(page(cell({MIME: chart(harm).to_dict()})))
    assert not re.search(r"""(?:src|href|action|data)=["'](?!#|figure-)""", told)
    assert "url(" not in told
    assert "@import" not in told
    assert not re.search(r"\son[a-z]+=", told)


def test_a_figure_has_a_title_an_alternative_and_a_table(page, harm):
    told = page(cell({MIME: chart(harm).to_dict()}))
    assert told.count('role="img"') == told.count('<figure class="plot"') == told.count("<figcaption>") == 1
    assert 'aria-label="A waterfall of the error rate' in told
    assert "<caption>Figure 1 in numbers</caption>" in told


def test_hostile_texts_arrive_as_text_everywhere(incident, harm, hostile):
    evil = incident.model_copy(update={"title": hostile, "summary": hostile})
    spec = chart(harm).to_dict()
    spec["layout"]["meta"] = {"title": hostile, "alt": hostile, "rows": [{hostile: hostile}]}
    spec["data"][0]["name"] = hostile
    cells = [
        cell({MIME: spec}, {"text/html": hostile}, {"text/plain": hostile}, {"text/markdown": hostile}),
        cell(source=[hostile]),
        {"cell_type": "markdown", "id": "m", "metadata": {}, "source": [hostile]},
    ]
    cause = {
        "kind": "feature",
        "name": hostile,
        "fault": None,
        "contribution": 0.1,
        "interval": [0.0, 0.2],
        "strength": "shown",
    }
    told = render(
        evil, {"1_a": {"cells": cells}}, results=results(summary=hostile, causes=[cause]), provenance=PROVENANCE
    )
    body = without_scripts(told)
    assert "<script>alert" not in told
    assert "<img" not in body
    assert not re.search(r"<[^>]*\sonerror", re.sub(r'"[^"]*"', '""', body))
    assert "\x1b" not in re.sub(
        r'<script type="application/json".*?</script>|<pre>.*?</pre>', "", body, flags=re.DOTALL
    )
    embedded = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', told, flags=re.DOTALL)[1]
    assert json.loads(embedded)["data"][0]["name"] == hostile


def test_results_are_for_the_runner_and_not_printed(page):
    assert "ready." not in page(cell({RESULTS: {}, "text/plain": "Analysis of a, ready."}))


def test_a_cell_for_hurried_readers_comes_once_right_after_the_verdict(page):
    later = cell({"text/html": "<p>evidence</p>"})
    first = cell({"text/html": "<p>one minute</p>"}, metadata={"tags": ["first"]})
    made = page(later, first)
    assert made.count("one minute") == 1
    assert made.index('id="verdict"') < made.index("one minute") < made.index("evidence")


def test_a_cell_that_the_page_has_elsewhere_is_not_repeated(page):
    hidden = cell({"text/html": "<p>twice</p>"}, metadata={"tags": ["elsewhere"]})
    assert "<p>twice</p>" not in page(hidden)
    assert "show.it()" in page(hidden)


def test_headings_of_notebooks_stand_below_the_title_of_the_page(page):
    told = page({"cell_type": "markdown", "id": "m", "metadata": {}, "source": ["# A\n", "## B\n", "###### F"]})
    assert told.count("<h1>") == 1
    assert "<h2>A</h2>" in told
    assert "<h3>B</h3>" in told
    assert "<h6>F</h6>" in told


def test_printed_lines_are_kept_as_text(page):
    assert "<pre>a &lt;b&gt;</pre>" in page(
        cell(outputs=[{"output_type": "stream", "name": "stdout", "text": ["a <b>"]}])
    )


@pytest.mark.parametrize("status", ["explained", "no_incident", "cannot_tell"])
def test_every_status_is_said_in_words(page, status):
    assert f'<p class="pill {status}">{verdict_sections.STATUS[status]}</p>' in page(status=status)


def test_a_cause_of_a_cascade_has_no_size_and_is_told(page):
    told = page(causes=[{"kind": "component", "name": "pump", "signal": "pump|flow", "strength": "suggested"}])
    assert "<strong>pump</strong>" in told
    assert "component, pump|flow · suggested" in told


def test_the_page_of_a_real_report_has_the_figures_of_its_notebooks(report):
    folder = report.result.folder
    notebooks = [json.loads(path.read_bytes()) for path in sorted(folder.glob("*.ipynb"))]
    figures = sum(len(bundles(notebook, MIME)) for notebook in notebooks)
    assert figures > 0
    assert (folder / "report.html").read_text().count('<figure class="plot"') == figures
