"""Sign-off: bound to the digest of a report, so that any change voids it, visibly."""

import base64
import hashlib
import json
import os
import shutil
import sys
from datetime import UTC, datetime

import pytest

from rca.errors import InvalidCase
from rca.report.audit.sign import sign
from rca.report.audit.verify import verify
from rca.report.manifest.history import append, head
from rca.report.manifest.provenance import LONGEST, seal
from rca.report.manifest.standalone import SIGNED, compact
from rca.report.notebooks.canonical import to_json
from tests.conftest import SMALLEST

AT = datetime(2026, 6, 24, 16, 0, 30, 5, tzinfo=UTC)


def beside(folder):
    return folder.with_name(folder.name + SIGNED)


def test_a_signature_lies_beside_the_report_and_binds_its_digest(shelf):
    after = head(shelf, SMALLEST)
    found = sign(shelf, role="plant manager", name="HR-7", at=AT)
    said = {"role": "plant manager", "name": "HR-7", "at": "2026-06-24T16:00:30Z", "digest": verify(shelf).digest}
    assert json.loads(beside(shelf).read_text()) == {"schema": 1, "signatures": [{**said, "after": after}]}
    assert head(shelf, SMALLEST) != after
    assert str(found) == f"plant manager (HR-7), 24 Jun 2026, 16:00 UTC, of {found.digest[:8]}: holds"
    assert [path.name for path in shelf.parent.iterdir() if path.name.startswith(".")] == []


def test_a_signed_report_is_still_intact_and_says_who_signed(shelf):
    assert "signed?         by nobody yet (rca sign)" in str(verify(shelf))
    sign(shelf, role="plant manager", at=AT)
    sign(shelf, role="head of quality")
    said = verify(shelf)
    assert said.ok
    assert "signed?         yes, by 2 roles" in str(said)
    assert said.to_dict()["signed"]["signatures"][0]["role"] == "plant manager"


def test_a_role_signs_a_report_once(shelf):
    sign(shelf, role="head of quality", at=AT)
    with pytest.raises(InvalidCase, match="has signed this report already"):
        sign(shelf, role="head of quality", at=AT)


def test_a_changed_byte_voids_the_signature_visibly(shelf):
    sign(shelf, role="head of quality", at=AT)
    (shelf / "results.json").write_bytes((shelf / "results.json").read_bytes() + b" ")
    said = verify(shelf)
    assert not said.ok
    assert "signed?         NO, void; sign again what holds now" in str(said)
    assert "VOID: the report is no longer what was signed" in str(said)


def test_who_forges_the_manifest_too_voids_the_signature_all_the_same(shelf):
    sign(shelf, role="head of quality", at=AT)
    made = json.loads((shelf / "manifest.json").read_bytes())
    (shelf / "manifest.json").write_bytes(to_json(made | {"only": []}))
    seal(shelf)
    assert [one.void for one in verify(shelf).signed.signatures] == ["what was signed is not this report"]


def test_a_changed_input_voids_the_signature_visibly(shelf, report, tmp_path):
    case = shutil.copytree(report.case, tmp_path / report.case.name)
    sign(shelf, role="head of quality", at=AT)
    assert verify(shelf, case=case).signed.ok
    record = case / "incident.yaml"
    record.write_text(record.read_text() + "# one more word\n")
    said = verify(shelf, case=case)
    assert [one.void for one in said.signed.signatures] == ["an input has changed since"]
    assert "VOID: an input has changed since" in str(said)


def test_a_report_that_replaced_a_signed_one_says_that_it_is_not_what_was_signed(shelf):
    sign(shelf, role="head of quality", at=AT)
    incident = shelf.name[:-13]
    later = shutil.copytree(shelf, shelf.with_name(f"{incident}-{'0' * 12}"))
    made = json.loads((later / "manifest.json").read_bytes())
    (later / "manifest.json").write_bytes(to_json(made | {"only": []}))
    found = verify(later).signed
    assert [one.void for one in found.signatures] == ["what was signed is not this report"]
    assert not found.ok
    shutil.copy(beside(shelf), shelf.with_name(f"other-{'0' * 12}{SIGNED}"))
    assert len(verify(later).signed.signatures) == 1


def test_what_is_damaged_or_no_report_cannot_be_signed(shelf, tmp_path):
    (shelf / "results.json").unlink()
    with pytest.raises(InvalidCase, match="this report is damaged"):
        sign(shelf, role="head of quality", at=AT)
    assert not beside(shelf).exists()
    with pytest.raises(InvalidCase, match="no such folder"):
        sign(tmp_path / "nothing", role="head of quality", at=AT)
    with pytest.raises(InvalidCase):
        sign(tmp_path, role="head of quality", at=AT)


@pytest.mark.parametrize("role", ["", " ", "a\x1b[31mb", "x" * (LONGEST + 1), "jo@example.org"])
def test_a_role_that_is_none_is_refused(shelf, role):
    with pytest.raises(InvalidCase, match="--role"):
        sign(shelf, role=role, at=AT)
    with pytest.raises(InvalidCase, match="--name"):
        sign(shelf, role="head of quality", name=role, at=AT)


def test_a_time_without_an_offset_is_refused(shelf):
    with pytest.raises(InvalidCase, match="no offset"):
        sign(shelf, role="head of quality", at=AT.replace(tzinfo=None))


SOUND = {"role": "r", "name": None, "at": "2026-01-01T00:00:00Z", "digest": "d", "after": ""}


@pytest.mark.parametrize(
    "held",
    ["", "{", "[]", '{"schema": 2, "signatures": []}', '{"schema": 1, "signatures": {}}', "[" * 100_000,
     *(json.dumps({"schema": 1, "signatures": [one]}) for one in (
         1, {}, {**SOUND, "role": 1}, {**SOUND, "at": "soon"}, {**SOUND, "digest": None}, {"role": "r"}))],
)  # fmt: skip
def test_a_file_that_holds_no_signatures_needs_a_person_and_is_never_a_crash(shelf, held):
    beside(shelf).write_text(held)
    said = verify(shelf)
    assert said.status == 3
    assert "it cannot be read" in str(said)
    with pytest.raises(InvalidCase, match="it cannot be read"):
        sign(shelf, role="head of quality", at=AT)
    assert beside(shelf).read_text() == held


def test_a_pipe_in_place_of_signatures_does_not_hang(shelf):
    os.mkfifo(beside(shelf))
    assert "not a plain file" in str(verify(shelf))


def test_a_copy_elsewhere_has_its_own_signatures(shelf, tmp_path):
    copy = shutil.copytree(shelf, tmp_path / "copy")
    sign(copy, role="plant manager", at=AT)
    assert not beside(shelf).exists()
    assert verify(copy).signed.ok
    assert verify(copy).status == 4
    beside(copy).unlink()
    assert verify(copy).status == 3


# --- who, when, and with what key ------------------------------------------------------------------------------------


def test_a_role_that_the_record_does_not_name_is_refused_with_those_that_it_does(shelf):
    with pytest.raises(InvalidCase, match=r"none of the roles that sign this.*did you mean 'plant manager'"):
        sign(shelf, role="plant manger", at=AT)


@pytest.mark.parametrize(
    ("year", "said"), [(1999, "before the incident was detected"), (2999, "the time is in the future")]
)
def test_a_time_that_cannot_be_is_refused_with_a_hint(shelf, year, said):
    with pytest.raises(InvalidCase, match=rf"{said}.*Hint: .*now"):
        sign(shelf, role="plant manager", at=AT.replace(year=year))
    assert not beside(shelf).exists()


@pytest.fixture
def key(tmp_path):
    """A private key in a file, and its public half in another."""
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    from cryptography.hazmat.primitives import serialization as to

    made = ed25519.Ed25519PrivateKey.generate()
    plain = made.private_bytes(to.Encoding.PEM, to.PrivateFormat.PKCS8, to.NoEncryption())
    (tmp_path / "key.pem").write_bytes(plain)
    half = made.public_key().public_bytes(to.Encoding.PEM, to.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "public.pem").write_bytes(half)
    return tmp_path / "key.pem", tmp_path / "public.pem"


def test_a_key_signs_an_in_toto_statement_in_a_dsse_envelope_that_any_tool_can_check(shelf, key):
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    private, half = key
    found = sign(shelf, role="plant manager", at=AT, key=private)
    (one,) = json.loads(beside(shelf).read_bytes())["signatures"]
    payload = base64.b64decode(one["envelope"]["payload"])
    kind = b"application/vnd.in-toto+json"
    encoded = b" ".join([b"DSSEv1", b"%d" % len(kind), kind, b"%d" % len(payload), payload])
    load_pem_public_key(half.read_bytes()).verify(base64.b64decode(one["envelope"]["signatures"][0]["sig"]), encoded)
    told = json.loads(payload)
    assert told["subject"] == [{"name": "manifest.json", "digest": {"sha256": found.digest}}]
    assert (told["_type"], told["predicate"]["role"]) == ("https://in-toto.io/Statement/v1", "plant manager")
    assert verify(shelf, keys=[half]).ok
    assert f"by key {found.key[:8]}: holds" in str(verify(shelf))


def test_who_has_not_the_key_cannot_sign_in_its_name_whatever_else_is_made_anew(shelf, key, tmp_path):
    private, half = key
    sign(shelf, role="plant manager", at=AT, key=private)
    kept, record = beside(shelf).read_bytes(), shelf.with_name(f"{SMALLEST}.history.jsonl")
    first = record.read_bytes().splitlines(keepends=True)[0]
    for change in (
        lambda one: one.pop("envelope"),
        lambda one: one.update(name="x"),
        lambda one: one["envelope"]["signatures"][0].update(sig=base64.b64encode(b"0" * 64).decode()),
        lambda one: one["envelope"].update(payload="?"),
        lambda one: one.update(envelope=[]),
    ):
        made = json.loads(kept)
        change(made["signatures"][0])
        beside(shelf).write_bytes(to_json(made))
        record.write_bytes(first)
        seen = hashlib.sha256(compact(made["signatures"][0])).hexdigest()
        append(shelf, SMALLEST, what="signed", digest=made["signatures"][0]["digest"], sha256=seen)
        assert verify(shelf, keys=[half]).status == 3
        assert str(verify(shelf))


@pytest.mark.parametrize("content", [b"", b"x", b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused_and_it_is_said_how_one_is_made(shelf, key, tmp_path, content):
    (tmp_path / "none.pem").write_bytes(content)
    with pytest.raises(InvalidCase, match=r"none.pem.*openssl genpkey"):
        sign(shelf, role="plant manager", at=AT, key=tmp_path / "none.pem")
    with pytest.raises(InvalidCase, match=r"public.pem: not an Ed25519PrivateKey"):
        sign(shelf, role="plant manager", at=AT, key=key[1])
    assert not beside(shelf).exists()


def test_without_the_package_a_key_is_refused_with_how_it_is_installed(shelf, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric", None)
    with pytest.raises(InvalidCase, match=r"pip install 'rca-postmortem\[sign\]'"):
        sign(shelf, role="plant manager", at=AT, key=tmp_path / "key.pem")
