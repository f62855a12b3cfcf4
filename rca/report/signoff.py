"""Sign-off: who stands by a report, in which role and since when; bound to its digest, so that any change voids it.

Signatures lie beside a run, not in it: a run never changes. What is signed is the digest of the manifest, which covers
every file of the report and everything it was made from. No key is involved: a signature says who claims to have
signed, and shows what was signed; that nobody else wrote it is for the place where reports are kept to see to.
"""

import fcntl
import json
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rca.errors import InvalidCase
from rca.report.integrity import MANIFEST, SCHEMA, read, sha256
from rca.report.text import moment, plain

SUFFIX = ".signed.json"
"""How the file is called that lies beside a run and holds its signatures."""

LARGEST = 1_000_000
"""Bytes of that file."""

LONGEST = 120
"""Letters of a role or a name."""


@dataclass(frozen=True, kw_only=True)
class Signature:
    """One signature, and whether it holds for the report that was asked about.

    Attributes
    ----------
    role : str
    name : str or None
        A name or pseudonym.
    at : str
        When, ISO 8601 in UTC.
    digest : str
        SHA-256 of the manifest that was signed.
    void : str
        Why it does not hold; empty where it does.
    """

    role: str
    name: str | None
    at: str
    digest: str
    void: str = ""

    def __str__(self) -> str:
        who = plain(self.role, LONGEST) + (f" ({plain(self.name, LONGEST)})" if self.name else "")
        # eight letters of a digest: nine digits in a row would be masked, as an account number is
        state = f"VOID: {self.void}" if self.void else "holds"
        return f"{who}, {moment(self.at)}, of {self.digest[:8]}: {state}"


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
    from rca.report.manifest import verify

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
        held = _written(_beside(folder))
        if any(one.role == said and one.digest == found.digest for one in held):
            raise InvalidCase.because(f"{said!r} has signed this report already", place=str(report))
        _write(_beside(folder), [*held, signature])
    return signature


def _line(text: str, *, place: str) -> str:
    """A role or a name as one line that shows only itself."""
    line = plain(text, LONGEST)
    if not line or line != " ".join(text.split()):
        what = "it is empty" if not text.strip() else "it holds what cannot be printed, is masked, or is too long"
        raise InvalidCase.because(what, place=place, hint=f"at most {LONGEST} letters; a role, such as head of risk")
    return line


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _beside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}{SUFFIX}")


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a folder, so that two who sign at once do so one after the other."""
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


# --- reading, which may be hostile -----------------------------------------------------------------------------------


def _written(path: Path) -> list[Signature]:
    """The signatures in a file; none where there is no file.

    Raises
    ------
    InvalidCase
        If it is no file of signatures.
    """
    try:
        info = path.lstat()
    except FileNotFoundError:
        return []
    try:
        return list(map(_signature, _read(path, info)))
    except (OSError, ValueError, RecursionError) as error:
        hint = "it cannot be told who signed; look into it, and sign again"
        raise InvalidCase.because(f"no file of signatures: {plain(error, 120)}", place=path.name, hint=hint) from None


def _read(path: Path, info: os.stat_result) -> list[Any]:
    if not stat.S_ISREG(info.st_mode) or info.st_size > LARGEST:
        raise ValueError("not a plain file of its size")
    made = json.loads(path.read_bytes())
    if not (isinstance(made, dict) and made.get("schema") == SCHEMA and isinstance(made.get("signatures"), list)):
        raise ValueError(f"not version {SCHEMA}")
    signatures: list[Any] = made["signatures"]
    return signatures


def _signature(told: Any) -> Signature:
    if not (isinstance(told, dict) and all(isinstance(told.get(key), str) for key in ("role", "at", "digest"))):
        raise ValueError("a signature has role, at and digest")
    datetime.fromisoformat(told["at"]).astimezone(UTC)
    name = told.get("name")
    return Signature(role=told["role"], name=None if name is None else str(name), at=told["at"], digest=told["digest"])


@dataclass(frozen=True, kw_only=True)
class Signed:
    """The signatures of a report and of those it replaced.

    Attributes
    ----------
    signatures : tuple of Signature
        Those that do not hold say why.
    problems : tuple of str
        Files of signatures that cannot be read.
    """

    signatures: tuple[Signature, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no role's last word is void: each that signed once has signed this report as it is now."""
        holds = {one.role for one in self.signatures if not one.void}
        return not self.problems and all(one.role in holds for one in self.signatures)


def signed(folder: Path, *, damaged: bool, inputs: str) -> Signed:
    """The signatures beside a report, and those of earlier runs of its incident, each with whether it holds."""
    digest = sha256(folder / MANIFEST) if (folder / MANIFEST).is_file() else ""
    found: list[Signature] = []
    problems: list[str] = []
    for path in (_beside(folder), *_earlier(folder)):
        try:
            told = _written(path)
        except InvalidCase as error:
            problems += [str(problem) for problem in error.problems]
            continue
        for one in told:
            why = _void(one, digest, damaged=damaged, inputs=inputs)
            found.append(Signature(role=one.role, name=one.name, at=one.at, digest=one.digest, void=why))
    return Signed(signatures=tuple(sorted(found, key=lambda one: (one.at, one.role))), problems=tuple(problems))


def _earlier(folder: Path) -> list[Path]:
    """Files of signatures of other runs of the same incident, where runs lie side by side."""
    made = read(folder)
    if folder.parent.name != ".runs" or made is None:
        return []
    name = re.compile(re.escape(str(made.get("incident"))) + r"-[0-9a-f]{12}" + re.escape(SUFFIX))
    own = _beside(folder).name
    return sorted(path for path in folder.parent.iterdir() if path.name != own and name.fullmatch(path.name))


def _void(one: Signature, digest: str, *, damaged: bool, inputs: str) -> str:
    if one.digest != digest:
        return "what was signed is not this report"
    if damaged:
        return "the report is no longer what was signed"
    return "an input has changed since" if inputs == "changed" else ""
