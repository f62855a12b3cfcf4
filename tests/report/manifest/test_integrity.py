"""Whether a folder is what its manifest says: whatever was changed, removed or added is named, resealed or not."""

import json

import pytest

from rca.report.manifest.integrity import MANIFEST, SIDECAR, damage, entry, read
from rca.report.manifest.provenance import record, seal
from rca.report.notebooks.canonical import INJECTED, to_json

FILES = ("1_tiny.ipynb", "results.json", "report.html")


@pytest.fixture
def sealed(tmp_path):
    """The smallest folder that is a report."""
    folder = tmp_path / "report"
    folder.mkdir()
    cell = {"cell_type": "code", "id": INJECTED, "metadata": {"tags": [INJECTED]}, "outputs": [], "source": []}
    parameters = {"case": "../case", "seed": 0}
    notebook = {"cells": [cell], "metadata": {"papermill": {"parameters": parameters}}}
    (folder / "1_tiny.ipynb").write_bytes(to_json(notebook))
    (folder / "results.json").write_bytes(to_json({"incident": "tiny"}))
    (folder / "report.html").write_text("<p>", encoding="utf-8")
    made = {"schema": 1, "incident": "tiny", "case": "../case", "parameters": {"seed": 0}, "inputs": {}}
    made["templates"] = {"1_tiny.ipynb": entry(folder / "1_tiny.ipynb")}
    (folder / MANIFEST).write_bytes(to_json(record(made, folder)))
    seal(folder)
    return folder


def resealed(folder, **changes):
    """As a forger would who makes all digests agree."""
    made = json.loads((folder / MANIFEST).read_bytes()) | changes
    (folder / MANIFEST).write_bytes(to_json(record(made, folder)))
    seal(folder)
    return damage(folder)


def test_a_folder_that_is_what_its_manifest_says_has_no_damage(sealed):
    assert damage(sealed) == []
    assert list(read(sealed)["outputs"]) == sorted(FILES)
    assert resealed(sealed) == []


@pytest.mark.parametrize("name", [*FILES, MANIFEST, SIDECAR])
def test_a_file_that_is_changed_or_gone_is_named(sealed, name):
    kept = (sealed / name).read_bytes()
    (sealed / name).write_bytes(kept[::-1])
    assert any(name in problem for problem in damage(sealed))
    (sealed / name).unlink()
    assert f"{name}: missing" in damage(sealed)
    (sealed / name).write_bytes(kept)
    assert damage(sealed) == []


def test_a_file_that_was_added_is_named(sealed):
    (sealed / "more.txt").write_text("", encoding="utf-8")
    assert damage(sealed) == ["more.txt: added"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"parameters": {"seed": 1}}, "its parameters are not those of the manifest"),
        ({"incident": "other"}, "results.json: of another incident"),
        ({"templates": {"2_more.ipynb": {"sha256": "", "bytes": 0}}}, "2_more.ipynb: not run"),
        ({"schema": 2}, "not a manifest of version 1"),
    ],
    ids=str,
)
def test_what_does_not_fit_together_is_named_though_all_digests_agree(sealed, changes, said):
    (problem,) = resealed(sealed, **changes)
    assert said in problem


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000])
def test_what_is_no_manifest_is_none(sealed, text):
    (sealed / MANIFEST).write_text(text, encoding="utf-8")
    assert read(sealed) is None
