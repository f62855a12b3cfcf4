"""Sign-off: who stands by a report, in which role and since when; bound to its digest, so that any change voids it.

Signatures lie beside a run, not in it: a run never changes. What is signed is the digest of the manifest, which covers
every file of the report and everything it was made from, and the head of the history of runs and signatures, into which
each signature is written: one that is edited or removed is missed there. With a key nobody else can have written it.
"""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

from rca.errors import InvalidCase, did_you_mean
from rca.record.files.whole_file import write_whole
from rca.report.audit.keys import envelope
from rca.report.audit.signatures import Signature, beside, signature_of, statement
from rca.report.audit.verify import Verification, verify
from rca.report.manifest.history import append, head
from rca.report.manifest.integrity import SCHEMA, Record, read
from rca.report.manifest.provenance import LONGEST
from rca.report.manifest.standalone import SKEW, compact, signatures
from rca.report.notebooks.canonical import to_json
from rca.report.notebooks.held_folder import alone
from rca.report.rendering.plain_text import plain


def sign(
    report: "str | os.PathLike[str]",
    *,
    role: str,
    name: str | None = None,
    at: datetime | None = None,
    key: "str | os.PathLike[str] | None" = None,
) -> Signature:
    """Sign a report: write beside it who stands by it, whole or not at all.

    Parameters
    ----------
    report : path
        Folder of the report, or the link to it.
    role : str
        In which role; one of those that the record names, where it names any (`postmortem.sign_off`).
    name : str, optional
        A name or pseudonym.
    at : datetime, optional
        When, between the detection of the incident and now; now where left out.
    key : path, optional
        A private Ed25519 key in PEM; it signs an in-toto statement in a DSSE envelope.

    Raises
    ------
    InvalidCase
        If there is no report, it is damaged, its inputs have changed since, a later run or a signature that was
        tampered with is beside it, or the role, the time or the key is none that can sign it.
    """
    said, called = _line(role, place="--role"), _line(name, place="--name") if name is not None else None
    when = at or datetime.now(UTC)
    if when.tzinfo is None:
        raise InvalidCase.because("the time has no offset", place="--at", hint="write 2026-05-02T09:10:00Z")
    digest, folder = _sound(verify(report), str(report)), Path(report).resolve()
    made = read(folder) or {}
    _fits(said, when, made["signing"])
    with alone(folder.parent):
        held = signatures(beside(folder)) if os.path.lexists(beside(folder)) else []
        if any(one["role"] == said for one in held):
            what, hint = f"{said!r} has signed this report already", "a role signs a report once; another role may"
            raise InvalidCase.because(what, place=str(report), hint=hint)
        incident = made["incident"]
        one: Record = {"role": said, "name": called, "at": _stamp(when), "digest": digest}
        one["after"] = head(folder, incident)
        one |= {"envelope": envelope(statement(one), Path(key))} if key is not None else {}
        write_whole(beside(folder), to_json({"schema": SCHEMA, "signatures": [*held, one]}))
        append(folder, incident, what="signed", digest=digest, sha256=hashlib.sha256(compact(one)).hexdigest())
    return signature_of(one)


def _sound(found: Verification, report: str) -> str:
    """The digest of a report that can be signed."""
    what, hint = "", "run it again, and sign what comes out"
    if found.damage or found.digest is None:
        what = f"this report is damaged ({next(iter(found.damage), '')})"
    elif found.inputs == "changed":
        what = "its inputs have changed since"
    elif found.signed.problems:
        what, hint = found.signed.problems[0], "sign the latest run, once somebody has looked into this"
    if what:
        raise InvalidCase.because(what, place=report, hint=hint)
    return str(found.digest)


def _fits(role: str, at: datetime, signing: Record) -> None:
    """Refuse a role that the record does not name, and a time before the detection or in the future."""
    if signing["roles"] and role not in signing["roles"]:
        hint = f"{did_you_mean(role, signing['roles'])}; they are named in incident.yaml, postmortem.sign_off"
        raise InvalidCase.because(f"{role!r} is none of the roles that sign this", place="--role", hint=hint)
    since = signing["since"]
    if since is not None and at < datetime.fromisoformat(since):
        hint = f"it was detected {since}; left out, the time is now"
        raise InvalidCase.because("the time is before the incident was detected", place="--at", hint=hint)
    if at > datetime.now(UTC) + SKEW:
        raise InvalidCase.because("the time is in the future", place="--at", hint="left out, it is now")


def _line(text: str, *, place: str) -> str:
    """A role or a name as one printable line."""
    line = plain(text, LONGEST)
    if not line or line != " ".join(text.split()):
        what = "it is empty" if not text.strip() else "it holds what cannot be printed, is masked, or is too long"
        raise InvalidCase.because(what, place=place, hint=f"at most {LONGEST} letters; a role, such as head of risk")
    return line


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
