"""What a report was made from: every input by its digest, the code, and nothing of the machine."""

import hashlib
import importlib.metadata
import json
import platform
from pathlib import Path

import pytest

import rca
from rca.record.files.case_folder import ANSWER
from rca.report.manifest import provenance
from rca.report.manifest.provenance import RunRequest
from rca.report.notebooks.templates import choose
from tests.conftest import INCIDENTS, SMALLEST


@pytest.fixture
def order():
    case = rca.load(INCIDENTS / SMALLEST)
    return RunRequest(
        case=case,
        written="../../cases/x",
        templates=tuple(choose(["drift", "causes"])),
        settings={"alpha": 0.01},
        seed=3,
    )


def test_a_template_is_given_what_it_takes_in_its_own_order_and_its_default_else(order):
    for template in order.templates:
        given = order.parameters(template)
        assert list(given) == [one.name for one in template.parameters]
        assert (given["case"], given["alpha"], given["seed"]) == ("../../cases/x", 0.01, 3)
        kept = {one.name: one.default for one in template.parameters if one.name not in ("case", "alpha", "seed")}
        assert {name: given[name] for name in kept} == kept


def test_a_case_is_named_as_seen_from_the_run():
    assert provenance.relative(Path("/there/cases/a"), Path("/there/reports/.runs/a-1")) == "../../../cases/a"


def test_inputs_are_all_files_of_the_case_but_the_answer():
    folder = INCIDENTS / SMALLEST
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ANSWER]
    assert provenance.inputs(folder) == {
        path.relative_to(folder).as_posix(): {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
        for path in files
    }


def test_the_code_is_another_once_a_source_or_a_style_is(monkeypatch, tmp_path):
    monkeypatch.setattr(rca, "__file__", str(tmp_path / "__init__.py"))
    seen = []
    for name in ("__init__.py", "a/b.py", "page.css", "notes.txt", "_shipped/c.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1", encoding="utf-8")
        seen.append(provenance.code())
    assert len(set(seen[:3])) == 3
    assert len(set(seen[2:])) == 1


def test_nothing_of_the_machine_is_told(order):
    told = provenance.provenance(order)
    text = json.dumps(told)
    assert not [word for word in (str(INCIDENTS), str(Path.home()) + "/", f'"{platform.node()}"') if word in text]
    assert told["environment"]["packages"]["numpy"] == importlib.metadata.version("numpy")
    assert set(told["templates"]) == {"2_drift.ipynb", "4_causes.ipynb"}
