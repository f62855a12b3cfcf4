"""The reports that ship are intact, of incidents that ship, and can be read where no script runs."""

import json
import re

import pytest

from rca.report.audit.verify import verify
from tests.conftest import ROOT

SAMPLES = sorted(path for path in (ROOT / "reports" / "sample").iterdir() if path.is_symlink())
ACTIVE = re.compile(r"<\s*(script|iframe|object|embed)|\son\w+\s*=|javascript:", re.IGNORECASE)


def test_there_are_samples_of_three_incidents():
    assert [sample.name for sample in SAMPLES] == ["chatbot-update", "credit-drift", "line-cascade"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_is_intact_and_so_are_its_inputs(sample):
    found = verify(sample)
    assert found.ok, str(found)
    assert not found.damage
    assert "its inputs?     yes, unchanged" in str(found)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_output_of_a_sample_has_a_text_and_none_needs_a_script(sample):
    notebooks = [json.loads(path.read_bytes()) for path in sorted(sample.glob("*.ipynb"))]
    outputs = [output["data"] for book in notebooks for cell in book["cells"] for output in cell.get("outputs", [])]
    assert len(outputs) > 5
    for data in outputs:
        assert "".join(data["text/plain"]).strip()
        assert not ACTIVE.search("".join(data.get("text/html", "")))


def test_nothing_of_the_machine_ships_with_the_samples():
    assert not list((ROOT / "reports" / "sample").glob(".runs/*.log.json"))
