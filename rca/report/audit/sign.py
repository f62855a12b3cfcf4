"""Sign-off: who stands by a report, in which role and since when; bound to its digest, so that any change voids it.

Signatures lie beside a run, not in it: a run never changes. What is signed is the digest of the manifest, which covers
every file of the report and everything it was made from. No key is involved: a signature says who claims to have
signed, and shows what was signed; that nobody else wrote it is for the place where reports are kept to see to.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rca.errors import InvalidCase
from rca.report.audit.signatures import LONGEST, Signature, beside, written
from rca.report.manifest.integrity import SCHEMA
from rca.report.rendering.plain_text import plain


def sign(
    report: "str | os.PathLike[str]", *, role: str, name: str | None = None, at: datetime | None = None
) -> Signature:
    """Sign a report: write beside it who stands by it, whole or not at all.

    Parameters
    ----------
    report : path
        Folder of the report, or the link to it.
    role : str
        In which role.
    name : str, optional
        A name or pseudonym.
    at : datetime, optional
        When; now where left out.

    Raises
    ------
    InvalidCase
        If there is no report, it is damaged, its inputs have changed since, or the role is none or has signed it.
    """
    from rca.report.audit.verify import verify

    said, called = _line(role, place="--role"), _line(name, place="--name") if name is not None else None
    when = at or datetime.now(UTC)
    if when.tzinfo is None:
        raise InvalidCase.because("the time has no offset", place="--at", hint="write 2026-05-02T09:10:00Z")
    found = verify(report)
    folder = Path(report).resolve()
    if found.damage or found.inputs == "changed" or found.digest is None:
        what = f"this report is damaged ({found.damage[0]})" if found.damage else "its inputs have changed since"
        raise InvalidCase.because(what, place=str(report), hint="run it again, and sign what comes out")
    signature = Signature(role=said, name=called, at=_stamp(when), digest=found.digest)
    with _held(folder.parent):
        held = written(beside(folder))
        if any(one.role == said and one.digest == found.digest for one in held):
            raise InvalidCase.because(f"{said!r} has signed this report already", place=str(report))
        _write(beside(folder), [*held, signature])
    return signature


def _line(text: str, *, place: str) -> str:
    """A role or a name as one printable line."""
    line = plain(text, LONGEST)
    if not line or line != " ".join(text.split()):
        what = "it is empty" if not text.strip() else "it holds what cannot be printed, is masked, or is too long"
        raise InvalidCase.because(what, place=place, hint=f"at most {LONGEST} letters; a role, such as head of risk")
    return line


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Lock a folder, so that signatures written at the same time are serialised."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _write(path: Path, signatures: list[Signature]) -> None:
    kept = [{key: value for key, value in asdict(one).items() if key != "void"} for one in signatures]
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("x", encoding="utf-8") as file:
            json.dump({"schema": SCHEMA, "signatures": kept}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
