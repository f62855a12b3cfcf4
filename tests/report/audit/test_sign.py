"""Sign-off: bound to the digest of a report, so that any change voids it, visibly."""

import json
import os
import shutil
from datetime import UTC, datetime

import pytest

from rca.errors import InvalidCase
from rca.report.audit.sign import sign
from rca.report.audit.signatures import LONGEST, SUFFIX, signed
from rca.report.audit.verify import verify
from rca.report.manifest.provenance import seal

AT = datetime(2026, 6, 24, 16, 0, 30, 5, tzinfo=UTC)


@pytest.fixture
def shelf(report, tmp_path):
    """A folder of runs with one run in it, as a run leaves it, and the case beside it."""
    runs = tmp_path / "reports" / ".runs"
    runs.mkdir(parents=True)
    shutil.copytree(report.result.folder, runs / report.result.folder.name)
    (runs.parent / "link").symlink_to(runs / report.result.folder.name)
    return runs / report.result.folder.name


def beside(folder):
    return folder.with_name(folder.name + SUFFIX)


def test_a_signature_lies_beside_the_report_and_binds_its_digest(shelf):
    found = sign(shelf, role="head of risk", name="HR-7", at=AT)
    assert json.loads(beside(shelf).read_text()) == {
        "schema": 1,
        "signatures": [
            {"role": "head of risk", "name": "HR-7", "at": "2026-06-24T16:00:30Z", "digest": verify(shelf).digest}
        ],
    }
    assert str(found) == f"head of risk (HR-7), 24 Jun 2026, 16:00 UTC, of {found.digest[:8]}: holds"
    assert [path.name for path in shelf.parent.iterdir() if path.name.startswith(".")] == []


def test_a_signed_report_is_still_intact_and_says_who_signed(shelf):
    assert "signed?         by nobody yet (rca sign)" in str(verify(shelf))
    sign(shelf, role="head of risk", at=AT)
    sign(shelf, role="compliance")
    said = verify(shelf)
    assert said.ok
    assert "signed?         yes, by 2 roles" in str(said)
    assert said.to_dict()["signed"]["signatures"][0]["role"] == "head of risk"


def test_a_role_signs_a_report_once(shelf):
    sign(shelf, role="compliance", at=AT)
    with pytest.raises(InvalidCase, match="has signed this report already"):
        sign(shelf, role="compliance", at=AT)


def test_a_changed_byte_voids_the_signature_visibly(shelf):
    sign(shelf, role="compliance", at=AT)
    (shelf / "results.json").write_bytes((shelf / "results.json").read_bytes() + b" ")
    said = verify(shelf)
    assert not said.ok
    assert "signed?         NO, void; sign again what holds now" in str(said)
    assert "VOID: the report is no longer what was signed" in str(said)


def test_who_forges_the_manifest_too_voids_the_signature_all_the_same(shelf):
    sign(shelf, role="compliance", at=AT)
    made = json.loads((shelf / "manifest.json").read_bytes())
    (shelf / "manifest.json").write_text(json.dumps(made | {"forged": 1}))
    seal(shelf)
    assert [one.void for one in verify(shelf).signed.signatures] == ["what was signed is not this report"]


def test_a_changed_input_voids_the_signature_visibly(shelf, report, tmp_path):
    case = shutil.copytree(report.case, tmp_path / report.case.name)
    sign(shelf, role="compliance", at=AT)
    assert verify(shelf, case=case).signed.ok
    record = case / "incident.yaml"
    record.write_text(record.read_text() + "# one more word\n")
    said = verify(shelf, case=case)
    assert [one.void for one in said.signed.signatures] == ["an input has changed since"]
    assert "VOID: an input has changed since" in str(said)


def test_a_report_that_replaced_a_signed_one_says_that_it_is_not_what_was_signed(shelf):
    sign(shelf, role="compliance", at=AT)
    incident = shelf.name[:-13]
    later = shutil.copytree(shelf, shelf.with_name(f"{incident}-{'0' * 12}"))
    (later / "manifest.json").write_bytes((later / "manifest.json").read_bytes() + b"\n")
    found = signed(later, damaged=False, inputs="same")
    assert [one.void for one in found.signatures] == ["what was signed is not this report"]
    assert not found.ok
    shutil.copy(beside(shelf), shelf.with_name(f"other-{'0' * 12}{SUFFIX}"))
    assert len(signed(later, damaged=False, inputs="same").signatures) == 1


def test_what_is_damaged_or_no_report_cannot_be_signed(shelf, tmp_path):
    (shelf / "results.json").unlink()
    with pytest.raises(InvalidCase, match="this report is damaged"):
        sign(shelf, role="compliance", at=AT)
    assert not beside(shelf).exists()
    with pytest.raises(InvalidCase, match="no such folder"):
        sign(tmp_path / "nothing", role="compliance", at=AT)
    with pytest.raises(InvalidCase):
        sign(tmp_path, role="compliance", at=AT)


@pytest.mark.parametrize("role", ["", " ", "a\x1b[31mb", "x" * (LONGEST + 1), "jo@example.org"])
def test_a_role_that_is_none_is_refused(shelf, role):
    with pytest.raises(InvalidCase, match="--role"):
        sign(shelf, role=role, at=AT)
    with pytest.raises(InvalidCase, match="--name"):
        sign(shelf, role="compliance", name=role, at=AT)


def test_a_time_without_an_offset_is_refused(shelf):
    with pytest.raises(InvalidCase, match="no offset"):
        sign(shelf, role="compliance", at=AT.replace(tzinfo=None))


SOUND = {"role": "r", "name": None, "at": "2026-01-01T00:00:00Z", "digest": "d"}


@pytest.mark.parametrize(
    "held",
    ["", "{", "[]", '{"schema": 2, "signatures": []}', '{"schema": 1, "signatures": {}}', "[" * 100_000,
     *(json.dumps({"schema": 1, "signatures": [one]}) for one in (
         1, {}, {**SOUND, "role": 1}, {**SOUND, "at": "soon"}, {**SOUND, "digest": None}, {"role": "r"}))],
)  # fmt: skip
def test_a_file_that_holds_no_signatures_needs_a_person_and_is_never_a_crash(shelf, held):
    beside(shelf).write_text(held)
    said = verify(shelf)
    assert not said.ok
    assert "no file of signatures" in str(said)
    with pytest.raises(InvalidCase, match="no file of signatures"):
        sign(shelf, role="compliance", at=AT)
    assert beside(shelf).read_text() == held


def test_a_pipe_in_place_of_signatures_does_not_hang(shelf):
    os.mkfifo(beside(shelf))
    assert "not a plain file" in str(verify(shelf))


def test_a_copy_elsewhere_has_its_own_signatures(shelf, tmp_path):
    copy = shutil.copytree(shelf, tmp_path / "copy")
    sign(copy, role="auditor", at=AT)
    assert not beside(shelf).exists()
    assert verify(copy).signed.ok
