"""The report that ships is intact, and its inputs are the incident that ships."""

from rca.report.audit.verify import verify
from tests.conftest import ROOT

SAMPLE = ROOT / "reports" / "sample" / "credit-drift"


def test_the_sample_report_is_intact_and_so_are_its_inputs():
    found = verify(SAMPLE)
    assert found.ok, str(found)
    assert not found.damage
    assert "its inputs?     yes, unchanged" in str(found)


def test_nothing_of_the_machine_ships_with_the_sample():
    assert not list(SAMPLE.parent.glob(".runs/*.log.json"))
