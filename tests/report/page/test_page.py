"""Executed notebooks as one page."""

import base64
import gzip
import hashlib
import html
import json
import re

import pytest

from rca.report.brief.words import BADGES
from rca.report.cells.output import ABSENT, RESULTS
from rca.report.notebooks.canonical import bundles
from rca.report.notebooks.templates import on_the_page
from rca.report.page.page import packed, render, spread, unpacked
from rca.report.plot import chart
from rca.report.rendering.plotly_adapter import FILE, MIME


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


def embedded(page):
    """The specifications of the figures."""
    return [json.loads(unpacked(data)) for data in re.findall(r'id="figure-\d+-data">([^<]*)<', page)]


def scripts(page):
    """The scripts that run: the page's own, and the library that it unpacks."""
    library = re.search(r"id='library'>([^<]*)<", page)
    return ([unpacked(library[1])] if library else []) + re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)


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
    assert told.index("It broke.") < told.index("id='evidence'") < told.index('<figure class="plot"')


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


def test_a_page_with_plotly_beside_it_is_small_and_allows_that_one_element(incident, harm):
    def made(text):
        cells = [cell({MIME: chart(harm).to_dict()}), cell({"text/html": f"<p>{text}</p>"})]
        told = render(incident, {"1_a": {"cells": cells}}, results=results(), provenance=PROVENANCE, beside=True)
        policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', told)[1])
        return told, re.search(r"script-src ([^;]*);", policy)[1].split()

    told, (own, word) = made("a")
    assert len(told) < 400_000
    assert own == f"'sha256-{base64.b64encode(hashlib.sha256(scripts(told)[0].encode()).digest()).decode()}'"
    assert f"<script src='{FILE}' nonce='{word[7:-1]}'></script>" in told
    assert told.count(word[7:-1]) == 2
    assert re.findall(r"""(?:src|href)=["']?([^#"'>]+)""", without_scripts(told)) == [FILE]
    assert made("a")[0] == told
    assert made("b")[1][1] != word


def test_the_page_loads_nothing(page, harm):
    told = without_scripts(page(cell({MIME: chart(harm).to_dict()})))
    assert not re.search(r"""(?:src|href|action|data)=["'](?!#|figure-)""", told)
    assert "url(" not in told
    assert "@import" not in told
    assert not re.search(r"\son[a-z]+=", told)


def test_a_figure_has_a_title_an_alternative_and_a_table(page, harm):
    told = page(cell({MIME: chart(harm).to_dict()}))
    assert told.count('role="img"') == told.count('<figure class="plot"') == 1
    assert 'aria-label="A waterfall of the error rate' in told
    assert "<summary>Figure 1 in numbers</summary>" in told
    assert embedded(told)[0]["layout"]["meta"]["rows"]


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
    assert "\x1b" not in re.sub(r"<pre>.*?</pre>", "", body, flags=re.DOTALL)
    assert embedded(told)[0]["data"][0]["name"] == hostile


def test_a_page_packed_by_another_zlib_is_the_same_page(page, harm):
    told = page(cell({MIME: chart(harm).to_dict()}))
    library = re.search(r"id='library'>([^<]*)<", told)[1]
    other = base64.b64encode(gzip.compress(unpacked(library).encode(), compresslevel=1, mtime=0)).decode()
    assert library != other
    assert spread(told) == spread(told.replace(library, other))
    assert spread(told) != spread(told.replace(library, packed("alert(1)")))


def test_results_are_for_the_runner_and_not_printed(page):
    assert "ready." not in page(cell({RESULTS: {}, "text/plain": "Analysis of a, ready."}))


def test_a_cell_that_the_page_has_elsewhere_is_not_repeated(page):
    hidden = cell({"text/html": "<p>twice</p>"}, metadata={"tags": ["elsewhere"]})
    assert "<p>twice</p>" not in page(hidden)


def test_a_question_that_does_not_apply_is_not_there_nor_what_the_record_lacks(page):
    asked = {"cell_type": "markdown", "id": "m", "metadata": {}, "source": ["## Did it rain?\n", "\n", "Of old."]}
    silent = cell({ABSENT: True, "text/html": "<p>no rain gauge</p>", "text/plain": "no rain gauge"})
    lacking = cell({"text/html": '<p>wet</p><p class="rca-missing">Not on record: b (a.b).</p>'})
    assert "rain" not in page(asked, silent)
    assert "Did it rain?" in page(asked, lacking)
    assert "Not on record" not in page(asked, lacking)


def test_every_heading_has_an_id_of_its_own_and_the_navigation_leads_to_it(page):
    asked = {"cell_type": "markdown", "id": "m", "metadata": {}, "source": ["## B\n"]}
    told = page(asked, cell({"text/html": "<h4>x</h4>"}))
    heads = re.findall(r"<h[1-6]([^>]*)>", told)
    named = [re.search(r"id='([^']+)'", one)[1] for one in heads]
    assert len(named) == len(set(named)) > 3
    assert told.count("<h1") == 1


def test_a_finding_is_linked_from_where_it_is_shown(incident):
    known = {**results(), "findings": [finding("drift.a b")]}
    shown = cell({"text/html": "<p>a</p>", "application/vnd.rca.findings+json": [finding("drift.a b")]})
    told = render(incident, {"1_a": {"cells": [shown]}}, results=known, provenance=PROVENANCE)
    assert "href='#finding-drift-a-b'" in told
    assert "<tr id='finding-drift-a-b'>" in told
    assert "1_a.ipynb, cell 1" in told


def finding(name):
    return {
        "id": name, "claim": "a moved", "strength": "shown", "refuters": [], "assumptions": [], "cause": None,
    }  # fmt: skip


def test_printed_lines_are_kept_as_text(page):
    assert "<pre>a &lt;b&gt;</pre>" in page(
        cell(outputs=[{"output_type": "stream", "name": "stdout", "text": ["a <b>"]}])
    )


@pytest.mark.parametrize(
    ("status", "badge"), [("explained", "cannot_tell"), ("no_incident", "no_incident"), ("cannot_tell", "cannot_tell")]
)
def test_every_status_is_said_in_words(page, status, badge):
    assert f"<p class='badge {badge}'>{BADGES[badge]}</p>" in page(status=status)


def test_the_page_of_a_real_report_has_the_figures_of_its_notebooks(report):
    folder = report.result.folder
    notebooks = [json.loads(path.read_bytes()) for path in sorted(folder.glob("*.ipynb"))]
    figures = sum(len(bundles(on_the_page(notebook), MIME)) for notebook in notebooks)
    assert figures > 0
    assert (folder / "report.html").read_text().count('<figure class="plot"') == figures
