"""What went in, what came out, and whether both still hold."""

import hashlib
import json
import os
import shutil
from contextlib import nullcontext

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rca.errors import InvalidCase
from rca.report.audit import rerun
from rca.report.audit.verify import verify
from rca.report.manifest import integrity
from rca.report.manifest import provenance as manifest
from rca.report.notebooks.canonical import to_json

NAMES = (
    "1_timeline.ipynb",
    "2_drift.ipynb",
    "3_explanation.ipynb",
    "5_cascade.ipynb",
    "6_postmortem.ipynb",
    "7_notification.ipynb",
    "results.json",
    "report.html",
    "verify.py",
    "manifest.json",
    "manifest.sha256",
)


@pytest.fixture
def copy(report, tmp_path):
    return shutil.copytree(report.result.folder, tmp_path / "elsewhere" / "copy")


def named(verification, name):
    return any(name in problem for problem in verification.damage)


def rewrite(folder, change):
    """Change the manifest as a forger would who also makes its digest agree."""
    path = folder / "manifest.json"
    made = json.loads(path.read_bytes())
    change(made)
    path.write_bytes(to_json(made))
    manifest.seal(folder)


# --- intact? ---------------------------------------------------------------------------------------------------------


def test_a_fresh_report_is_intact_and_has_its_inputs(report):
    found = verify(report.result.path)
    assert found.ok
    assert (found.damage, found.inputs, found.derived) == ((), "same", "not tried")
    assert found.digest == report.result.digest


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", [0.0, 0.5, 1.0])
def test_a_flipped_byte_in_any_file_is_found_and_named(copy, name, where):
    data = bytearray((copy / name).read_bytes())
    place = int(where * (len(data) - 1))
    data[place] ^= 1
    (copy / name).write_bytes(data)
    found = verify(copy)
    assert not found.ok
    assert named(found, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    found = verify(copy)
    assert not found.ok
    assert named(found, f"{name}: missing")


@pytest.mark.parametrize("name", ["extra.txt", ".hidden", "run-log.json", "a\nb", "é"])
def test_an_added_file_is_named(copy, name):
    (copy / name).write_text("x", encoding="utf-8")
    found = verify(copy)
    assert not found.ok
    assert named(found, f"{name}: added")
    assert "\nb" not in str(found)


def test_a_name_that_is_not_utf_8_is_named(copy):
    (copy / os.fsdecode(b"bad\xff")).write_text("x", encoding="utf-8")
    found = verify(copy)
    assert named(found, "bad")
    assert str(found).encode()


def test_links_folders_and_pipes_are_named_and_never_followed(copy, tmp_path):
    content = (copy / "results.json").read_bytes()
    (tmp_path / "same.json").write_bytes(content)
    (copy / "results.json").unlink()
    (copy / "results.json").symlink_to(tmp_path / "same.json")
    (copy / "folder").mkdir()
    os.mkfifo(copy / "pipe")
    found = verify(copy)
    assert named(found, "results.json: a symbolic link")
    assert named(found, "folder: a folder")
    assert named(found, "pipe: no plain file")


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sha256"])
def test_a_manifest_that_is_a_pipe_or_a_folder_does_not_hang_or_crash(copy, name):
    (copy / name).unlink()
    os.mkfifo(copy / name)
    assert named(verify(copy), name)
    (copy / name).unlink()
    (copy / name).mkdir()
    assert named(verify(copy), name)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"null",
        b'{"schema": 1}',
        b"[" * 100_000,
        b'{"schema": 1, "outputs": 3}',
        b"1" * 9999,
    ],
)
def test_a_malformed_manifest_is_named_and_never_a_crash(copy, text):
    (copy / "manifest.json").write_bytes(text)
    found = verify(copy, rerun=True)
    assert not found.ok
    assert named(found, "manifest.json")


@pytest.mark.parametrize("key", ["inputs", "outputs", "templates"])
@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "", "a//b", "a\0b"])
def test_a_manifest_that_leads_out_of_its_folder_is_refused(copy, key, name):
    rewrite(copy, lambda made: made[key].update({name: {"sha256": "0" * 64, "bytes": 1}}))
    found = verify(copy)
    assert named(found, "leaves the folder")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_a_key_of_the_manifest_holds_there_is_an_answer(copy, value):
    kept = (copy / "manifest.json").read_bytes()
    for key in ("inputs", "outputs", "case", "parameters", "environment", "code", "templates", "only"):
        rewrite(copy, lambda made, key=key: made.update({key: value}))
        assert str(verify(copy))
        (copy / "manifest.json").write_bytes(kept)
    manifest.seal(copy)


def test_who_rewrites_a_file_and_all_digests_still_leaves_traces(copy):
    path = copy / "5_cascade.ipynb"
    made = json.loads(path.read_bytes())
    made["cells"] = [cell for cell in made["cells"] if cell["id"] != "cascade"]
    path.write_bytes(to_json(made))
    rewrite(copy, lambda record: record["outputs"].update({"5_cascade.ipynb": integrity.entry(path)}))
    found = verify(copy)
    assert not found.ok
    assert named(found, "figures")


def test_other_parameters_than_the_notebooks_have_are_found(copy):
    rewrite(copy, lambda made: made["parameters"].update(seed=3))
    assert named(verify(copy), "its parameters are not those of the manifest")


def test_a_run_whose_name_is_not_its_digest_is_found(copy, tmp_path):
    folder = tmp_path / ".runs" / "line-cascade-0123456789ab"
    folder.parent.mkdir()
    copy.rename(folder)
    assert named(verify(folder), "the name of its folder")


def test_the_digest_file_is_what_sha256sum_reads(report):
    digest, name = (report.result.path / "manifest.sha256").read_text().split()
    assert hashlib.sha256((report.result.path / name).read_bytes()).hexdigest() == digest == report.result.digest


def test_what_is_no_folder_is_bad_input(tmp_path):
    with pytest.raises(InvalidCase, match="there is no such folder"):
        verify(tmp_path / "none")


# --- its inputs? -----------------------------------------------------------------------------------------------------


@pytest.fixture
def case(report, tmp_path):
    return shutil.copytree(report.case, tmp_path / report.case.name)


def test_a_report_copied_elsewhere_is_still_intact_and_says_that_its_inputs_are_gone(copy):
    found = verify(copy)
    assert (found.ok, found.status, found.damage, found.inputs) == (False, 4, (), "gone")


def test_inputs_given_by_hand_are_compared(copy, case):
    assert verify(copy, case=case).inputs == "same"


def test_changed_added_and_missing_inputs_are_named(copy, case):
    with (case / "signals.parquet").open("ab") as file:
        file.write(b"x")
    (case / "graph.yaml").unlink()
    (case / "new.csv").write_text("a\n1\n", encoding="utf-8")
    found = verify(copy, case=case)
    assert (found.ok, found.inputs) == (False, "changed")
    size = (case / "signals.parquet").stat().st_size
    assert f"signals.parquet: {size:,} bytes instead of {size - 1:,}" in found.input_changes
    assert {"graph.yaml: gone", "new.csv: added"} <= set(found.input_changes)


def test_the_answer_of_a_scored_case_is_no_input(copy, case):
    (case / "answer.yaml").unlink(missing_ok=True)
    assert verify(copy, case=case).inputs == "same"


def test_a_case_that_was_named_and_is_not_there_needs_a_person(copy, tmp_path):
    assert not verify(copy, case=tmp_path / "none").ok


# --- derived again? --------------------------------------------------------------------------------------------------


def test_a_report_is_derived_again_to_the_byte_even_from_a_copy_elsewhere(brief, tmp_path):
    copy = shutil.copytree(brief.result.folder, tmp_path / "elsewhere" / "copy")
    found = verify(copy, case=brief.case, rerun=True)
    assert (found.derived, found.differences, found.ok) == ("same", (), True)


def test_a_forged_number_comes_out_otherwise(brief, tmp_path, monkeypatch):
    monkeypatch.setattr(rerun, "derive_again", lambda *_: nullcontext(brief.result.folder))  # as the test before showed
    copy = shutil.copytree(brief.result.folder, tmp_path / "copy")
    path = copy / "results.json"
    made = json.loads(path.read_bytes())
    made["verdict"]["summary"] = "Nothing happened."
    path.write_bytes(to_json(made))
    rewrite(copy, lambda record: record["outputs"].update({"results.json": integrity.entry(path)}))
    assert verify(copy, case=brief.case).damage == ("report.html: it is of other results than results.json",)
    found = verify(copy, case=brief.case, rerun=True)
    assert (found.ok, found.derived) == (False, "differs")
    assert any("results.json: verdict.summary was" in said for said in found.differences)


def test_what_cannot_be_run_again_says_why(copy):
    found = verify(copy, rerun=True)
    assert (found.ok, found.derived) == (False, "not possible")
    assert found.differences == ("the inputs are gone",)


@pytest.mark.parametrize(
    "change",
    [
        {"only": ["nothing"]},
        {"parameters": {"seed": "x"}},
        {"parameters": {"seed": 0, "api_key": "k"}},
        {"case": "a/../b"},
    ],
)
def test_a_manifest_that_asks_for_what_cannot_be_run_is_answered(copy, report, change):
    rewrite(copy, lambda made: made.update(change))
    found = verify(copy, case=report.case, rerun=True)
    assert (found.derived, found.status) == ("not possible", 3)
    assert found.differences


def test_what_is_other_now_is_named(copy):
    def older(made):
        made["environment"]["packages"]["numpy"] = "1.0"
        made["code"]["version"] = "0.0"

    rewrite(copy, older)
    said = verify(copy).surroundings
    assert any(line.startswith("numpy: 1.0 then") for line in said)
    assert "the code of rca is other" in said


def test_the_answer_is_json_and_text(report):
    found = verify(report.result.path)
    assert json.loads(json.dumps(found.to_dict()))["ok"] is True
    assert "intact?         yes" in str(found)
