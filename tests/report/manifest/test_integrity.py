"""Whether a folder is what its manifest says: whatever was changed, removed or added is named, resealed or not."""

import json

import pytest

from rca.errors import InvalidCase
from rca.report.manifest.history import append, head
from rca.report.manifest.integrity import MANIFEST, SIDECAR, damage, entry, read
from rca.report.manifest.provenance import finish, seal
from rca.report.manifest.standalone import HISTORY, chain, main
from rca.report.notebooks.canonical import INJECTED, to_json

FILES = ("1_tiny.ipynb", "results.json", "report.html", "verify.py")


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
    (folder / "report.html").write_text(entry(folder / "results.json")["sha256"], encoding="utf-8")
    made = {"schema": 1, "incident": "tiny", "case": "../case", "parameters": {"seed": 0}, "inputs": {}, "only": None}
    made |= {"code": {}, "environment": {}, "signing": {"since": None, "roles": []}}
    finish(folder, {**made, "templates": {"1_tiny.ipynb": entry(folder / "1_tiny.ipynb")}})
    seal(folder)
    return folder


def resealed(folder, **changes):
    """As a forger would who makes all digests agree."""
    made = json.loads((folder / MANIFEST).read_bytes()) | changes
    (folder / MANIFEST).write_bytes(to_json(made))
    seal(folder)
    return damage(folder)


def test_a_folder_that_is_what_its_manifest_says_has_no_damage(sealed):
    assert damage(sealed) == []
    assert sorted(read(sealed)["outputs"]) == sorted(FILES)
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
        ({"templates": {"2_more.ipynb": {"sha256": "0" * 64, "bytes": 0}}}, "2_more.ipynb: not run"),
        ({"schema": 2}, "not a manifest of version 1"),
    ],
    ids=str,
)
def test_what_does_not_fit_together_is_named_though_all_digests_agree(sealed, changes, said):
    assert any(said in problem for problem in resealed(sealed, **changes))


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000])
def test_what_is_no_manifest_is_none(sealed, text):
    (sealed / MANIFEST).write_text(text, encoding="utf-8")
    assert read(sealed) is None


# --- the history of runs and signatures ------------------------------------------------------------------------------


def test_each_line_of_a_history_holds_the_one_before_and_none_is_added_to_one_that_was_edited(tmp_path):
    report, place = tmp_path / "report", tmp_path / f"report{HISTORY}"
    assert head(report, "tiny") == ""
    for digest in ("a", "b"):
        append(report, "tiny", what="run", digest=digest, sha256="")
    assert [one["digest"] for one in chain(place)] == ["a", "b"]
    assert chain(place)[1]["after"] != chain(place)[0]["after"] == ""
    place.write_bytes(place.read_bytes().replace(b'"a"', b'"c"'))
    with pytest.raises(InvalidCase, match="edited, added or removed"):
        append(report, "tiny", what="run", digest="d", sha256="")


def test_the_verifier_of_one_file_says_what_is_amiss_and_ends_as_it_says(sealed, capsys):
    assert main([str(sealed)]) == 4
    (sealed.parent / "case").mkdir()
    assert main([str(sealed)]) == main([str(sealed), str(sealed.parent / "case")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "as it was made"
    (sealed / "more\x1b.txt").write_text("", encoding="utf-8")
    assert main([str(sealed)]) == 3
    assert "AMISS   more?.txt: added" in capsys.readouterr().out
    assert main([str(sealed / "none")]) == 2
