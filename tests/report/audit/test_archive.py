"""A report as archives take it: whole, valid by BagIt's own library, and verifiable where it lies."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import bagit
import pytest

from rca.cli.commands import main
from rca.errors import InvalidCase
from rca.report.audit.archive import archive
from rca.report.audit.crate import CRATE
from rca.report.audit.sign import sign
from rca.report.audit.verify import verify
from rca.report.manifest.provenance import entry, seal
from rca.report.notebooks.canonical import to_json
from rca.report.run.publish import RUNS
from tests.conftest import SMALLEST


@pytest.fixture
def case(shelf):
    return shelf.parents[2] / "cases" / SMALLEST


def alone(report):
    return subprocess.run([sys.executable, "-I", report / "verify.py"], capture_output=True, text=True, check=False)


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def changed(report, change):
    """A manifest made anew, with its digest and the run's name."""
    made = json.loads((report / "manifest.json").read_bytes())
    change(made)
    (report / "manifest.json").write_bytes(to_json(made))
    flat = report.parents[1] / SMALLEST
    shutil.move(report, flat)
    shutil.rmtree(report.parent)
    seal(flat)
    return flat


@pytest.mark.parametrize(("inputs", "status"), [(True, 0), (False, 4)])
def test_a_bag_is_valid_and_its_payload_verifies_where_it_lies(shelf, tmp_path, inputs, status):
    sign(shelf, role="plant manager")
    packed = archive(shelf, to=tmp_path / "far" / "bag", inputs=inputs)
    moved = packed.path.rename(tmp_path / "moved")
    bag = bagit.Bag(str(moved))
    assert bag.is_valid()
    assert bag.info["Payload-Oxum"] == f"{packed.size}.{packed.files}"
    report = moved / packed.report.relative_to(packed.path)
    found = verify(report)
    assert (found.status, found.digest, found.damage) == (status, packed.digest, ())
    assert [(one.role, one.void) for one in found.signed.signatures] == [("plant manager", "")]
    said = alone(report)
    assert (said.returncode, said.stderr) == (status, "")


def test_any_byte_of_the_payload_that_changes_makes_the_bag_invalid(shelf, tmp_path):
    packed = archive(shelf, to=tmp_path / "bag")
    for path in sorted((tmp_path / "bag" / "data").rglob("*.json*")):
        kept = path.read_bytes()
        path.write_bytes(kept.replace(b'"', b"'", 1))
        assert not bagit.Bag(str(packed.path)).is_valid(), path
        path.write_bytes(kept)
    assert bagit.Bag(str(packed.path)).is_valid()


def test_the_same_report_gives_the_same_bag(shelf, tmp_path):
    os.utime(shelf / "manifest.json", (1_780_000_000, 1_780_000_000))
    for name in ("one", "two"):
        archive(shelf, to=tmp_path / name, inputs=True)
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_the_metadata_tell_files_inputs_and_software_of_the_run(shelf, case, tmp_path):
    packed = archive(shelf, to=tmp_path / "bag", inputs=True)
    bare = archive(shelf, to=tmp_path / "bare")
    made = json.loads((shelf / "manifest.json").read_bytes())
    for one in (packed, bare):
        graph = json.loads((one.path / "data" / CRATE).read_bytes())["@graph"]
        by_id = {entity["@id"]: entity for entity in graph}
        assert len(by_id) == len(graph)
        named = [said["@id"] for entity in graph for value in entity.values() for said in _references(value)]
        outside = {name for name in named if name not in by_id and not name.startswith("https://w3id.org/ro/")}
        assert outside == set()
        files = {unquote(entity["@id"]): entity for entity in graph if entity["@type"] == "File"}
        assert {CRATE, *files} == set(content(one.path / "data"))
        assert {unquote(part["@id"]) for part in by_id["./"]["hasPart"]} == set(files)
        run = by_id["#run"]
        digests = {by_id[said["@id"]].get("sha256") for said in run["object"]}
        assert digests - {None} == {said["sha256"] for said in made["inputs"].values()}
        results = {by_id[said["@id"]]["name"] for said in run["result"]}
        assert results == {"manifest.json", "manifest.sha256", *made["outputs"]}
        versions = {entity["name"]: entity["softwareVersion"] for entity in graph if "softwareVersion" in entity}
        assert versions.items() >= made["environment"]["packages"].items()
        assert by_id["#rca"]["sha256"] == made["code"]["sha256"]


def _references(value):
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def test_inputs_of_hostile_names_are_packed_and_described(report, tmp_path):
    def rename(made):
        for name in ("for\r\nsure ä.csv", "a b#?&<i>.md"):
            (folder / name).write_bytes(b"x\n")
            made["inputs"][name] = entry(folder / name)

    folder = shutil.copytree(report.case, tmp_path / "cases" / SMALLEST)
    run = tmp_path / "reports" / RUNS / report.result.folder.name
    run.parent.mkdir(parents=True)
    flat = changed(shutil.copytree(report.result.folder, run), rename)
    assert verify(flat, case=folder).status == 0
    packed = archive(flat, case=folder, to=tmp_path / "bag", inputs=True)
    assert bagit.Bag(str(packed.path)).is_valid()
    assert verify(packed.report).status == alone(packed.report).returncode == 0
    graph = json.loads((packed.path / "data" / CRATE).read_bytes())["@graph"]
    assert "for%0D%0Asure%20%C3%A4.csv" in {entity["@id"].split("/")[-1] for entity in graph}


@pytest.mark.parametrize("where", ["../" * 9 + "etc", "../reports/" + SMALLEST, "verify.py", ".", ".."])
def test_no_place_of_the_case_leads_out_of_the_payload(report, tmp_path, where):
    run = tmp_path / "reports" / RUNS / report.result.folder.name
    run.parent.mkdir(parents=True)
    folder = shutil.copytree(report.case, tmp_path / "cases" / SMALLEST)
    flat = changed(shutil.copytree(report.result.folder, run), lambda made: made.update(case=where))
    before = content(tmp_path)
    try:
        archive(flat, case=folder, to=tmp_path / "bag", inputs=True)
    except InvalidCase:
        pass
    else:
        bagit.Bag(str(tmp_path / "bag")).validate()
        shutil.rmtree(tmp_path / "bag")
    assert content(tmp_path) == before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda made: made.update(environment=[]),
        lambda made: made.update(code="x"),
        lambda made: made["environment"].update(packages={"numpy": {}, "a": 1, "b\n": None}),
    ],
)
def test_a_manifest_that_no_run_writes_is_refused_or_described(report, tmp_path, spoil):
    run = tmp_path / "reports" / RUNS / report.result.folder.name
    run.parent.mkdir(parents=True)
    flat = changed(shutil.copytree(report.result.folder, run), spoil)
    try:
        archive(flat, case=report.case, to=tmp_path / "bag")
    except InvalidCase:
        assert not (tmp_path / "bag").exists()
    else:
        bagit.Bag(str(tmp_path / "bag")).validate()
    assert not list(tmp_path.glob(".tmp*"))


def refused(report, to, **how):
    with pytest.raises(InvalidCase) as error:
        archive(report, to=to, **how)
    assert all(problem.hint for problem in error.value.problems)
    return str(error.value)


def test_what_does_not_verify_or_has_no_place_is_refused_and_nothing_is_left(shelf, case, tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()
    assert "something is there" in refused(shelf, taken)
    for inside in (shelf, shelf.parent, case, case / "sources"):
        assert "tampering" in refused(shelf, inside / "bag")
    elsewhere = case.rename(tmp_path / "elsewhere")
    assert "gone" in refused(shelf, tmp_path / "bag", inputs=True)
    assert verify(archive(shelf, to=tmp_path / "bag", inputs=True, case=elsewhere).report).status == 0
    shutil.rmtree(tmp_path / "bag")
    (shelf / "results.json").write_bytes(b"{}")
    assert "does not verify" in refused(shelf, tmp_path / "bag")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cases", "elsewhere", "reports", "taken"]


def test_the_command_says_where_the_bag_is_and_how_it_is_verified(shelf, tmp_path, capsys):
    assert main(["archive", str(shelf), "--to", str(tmp_path / "bag"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert Path(said["report"]).is_dir()
    assert main(["archive", str(shelf), "--to", str(tmp_path / "more"), "--inputs"]) == 0
    assert main(capsys.readouterr().out.splitlines()[-1].split()[-2:]) == 0
