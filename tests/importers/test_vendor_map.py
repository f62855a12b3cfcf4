"""Maps say where their vendor's form is from, and are checked as records are."""

import pytest

from rca.errors import InvalidCase
from rca.importers.fact import Given
from rca.importers.reading import read
from rca.importers.vendor_map import parsed, vendor, vendors
from rca.record.files.yaml_document import document
from tests.conftest import ROOT
from tests.importers.simulated import ACKNOWLEDGED, FORMS

OWN = """
vendor: desk
called: Desk
trust: real
cites: our own export
shapes:
  - name: rows
    when: {opened: null}
    events: [{at: opened, says: opened}]
"""


def test_every_form_of_every_vendor_is_tried():
    assert {(name, shape.name) for name in vendors() for shape in vendor(name).shapes} == set(FORMS)


@pytest.mark.parametrize("name", vendors())
def test_a_map_says_where_it_is_from_and_how_far_it_goes(name):
    held = vendor(name)
    assert held.vendor == name
    assert held.cites
    assert held.trust in ("real", "documented", "unread")
    assert not ("nobody has read" in held.cites and held.trust != "unread")


def test_an_unknown_vendor_is_refused_with_a_hint():
    with pytest.raises(InvalidCase, match=r"did you mean 'pagerduty'\?"):
        vendor("pagerdty")
    with pytest.raises(InvalidCase, match="no importer is called"):
        vendor("../../secrets")


def test_a_map_of_your_own_is_checked_with_its_lines():
    assert parsed(document(OWN, name="desk.yaml")).shapes[0].events[0].says.what == "opened"
    wrong = OWN.replace("says: opened}", "says: {what: opened, moment: openned}}, {id: x}")
    with pytest.raises(InvalidCase) as refused:
        parsed(document(wrong, name="desk.yaml"))
    told = str(refused.value)
    assert "'openned' is no moment" in told
    assert "desk.yaml, shapes[0].events[1].at (line 9)" in told


def test_the_guide_names_every_vendor_and_its_map_is_one():
    guide = (ROOT / "docs" / "importing.md").read_text(encoding="utf-8")
    assert {name for name in vendors() if f"`{name}`" not in guide} == set()
    unread = {name for name in vendors() if vendor(name).trust == "unread"}
    rows = [line for line in guide.splitlines() if line.startswith("|") and "**unread**" in line]
    assert {name for name in unread if not any(f"`{name}`" in row for row in rows)} == set()
    held = parsed(document(guide.partition("```yaml\n")[2].partition("```")[0], name="guide"))
    found = [{"ticket": "7", "state": "open", "subject": "Cards", "priority": "P2", "changed": ACKNOWLEDGED,
              "service": "card-api", "opened": "02.05.2026 13:00"}]  # fmt: skip
    told = read(found, held, source="s", file="f", given=Given(zone="Europe/Berlin"))
    assert {fact.key for fact in told.facts} == {"title", "severity", "system", "event", "moment"}
