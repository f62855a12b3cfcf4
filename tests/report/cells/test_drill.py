"""Cells of a debrief: what is shown, and that texts of a team do nothing but stand there."""

import pytest

from rca.report.cells import drill, output
from tests.report.a_drill import a_drill


@pytest.fixture
def shown(monkeypatch):
    bundles = []
    monkeypatch.setattr(output, "display", bundles.append)
    return bundles


@pytest.mark.parametrize(
    "verb", [drill.overview, drill.grades, drill.timeline, drill.reference, drill.truth, drill.whys]
)
def test_a_part_is_shown_and_no_text_of_a_team_is_markup(verb, shown):
    verb(a_drill())
    told = "".join(bundle.get("text/html", "") for bundle in shown)
    assert told
    assert "<img" not in told
    assert "<script>" not in told


def test_the_reference_is_told_without_what_came_in_or_was_waited(shown):
    drill.reference(a_drill())
    assert shown[-1]["text/plain"] == "1 entries"


def test_the_conclusion_is_the_points_beside_those_of_a_good_team(shown):
    drill.results(a_drill())
    assert shown[0][output.RESULTS] == {"drill": "drill-line-2-4", "total": 17.0, "reference": 25.0}
