"""The page over a folder of reports lists each as its own page has it, and nothing that is none."""

import json
import shutil

import pytest

from rca.report.page.index import entries, index_page
from tests.conftest import ROOT

SAMPLE = ROOT / "reports" / "sample" / "credit-drift"


@pytest.fixture
def folder(tmp_path):
    for name in ("credit-drift", "another & more"):
        (tmp_path / name).mkdir()
        for file in ("report.html", "results.json"):
            shutil.copy(SAMPLE / file, tmp_path / name / file)
    return tmp_path


def test_each_report_is_listed_with_its_badge_its_verdict_and_its_times(folder):
    found, unread = entries(folder)
    assert ([one.name for one in found], unread) == (["another & more", "credit-drift"], [])
    durations = json.loads((SAMPLE / "results.json").read_text())["durations"]
    assert found[1].times["time_to_detect"] == durations["time_to_detect"]["seconds"]
    page = index_page(found, unread)
    assert "<a href='another%20%26%20more/report.html'>" in page
    assert page.count("<p class='badge ") == 2
    assert "2 reports · 2 " in page
    assert found[0].verdict.replace("'", "&#x27;") in page
    assert index_page(*entries(folder)) == page


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("results.json", b"[]"),
        ("results.json", b'{"durations": {"time_to_detect": {"seconds": "<b>"}}}'),
        ("results.json", b"\xff"),
        ("report.html", b"<p>another page</p>"),
        ("report.html", None),
    ],
)
def test_what_is_no_report_is_named_and_never_a_crash(folder, file, content):
    place = folder / "credit-drift" / file
    place.unlink()
    if content is not None:
        place.write_bytes(content)
    found, unread = entries(folder)
    assert [one.name for one in found] == ["another & more"]
    assert unread == ([] if content is None else ["credit-drift"])
    assert ("Not listed" in index_page(found, unread)) is bool(unread)


def test_what_a_page_says_is_text_and_never_markup(folder):
    place = folder / "credit-drift" / "report.html"
    forged = place.read_text().replace("<p class='verdict'>", "<p class='verdict'>&lt;img src=x onerror=alert(1)&gt;")
    place.write_text(forged)
    page = index_page(*entries(folder))
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<img" not in page


def test_of_no_report_the_page_says_so(tmp_path):
    assert "no report yet" in index_page(*entries(tmp_path))
