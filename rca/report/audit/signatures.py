"""Signatures of a report: read them, and check whether they still hold."""

import json
import os
import re
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rca.errors import InvalidCase
from rca.report.manifest.integrity import MANIFEST, SCHEMA, read, sha256
from rca.report.rendering.plain_text import moment, plain

SUFFIX = ".signed.json"
"""How the file is called that lies beside a run and holds its signatures."""

LONGEST = 120
"""Letters of a role or a name."""

MAX_BYTES = 1_000_000
"""Bytes of that file."""


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


def beside(folder: Path) -> Path:
    """The file of signatures of a run, beside its folder."""
    return folder.with_name(f"{folder.name}{SUFFIX}")


# --- reading, which may be hostile -----------------------------------------------------------------------------------


def written(path: Path) -> list[Signature]:
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
    if not stat.S_ISREG(info.st_mode) or info.st_size > MAX_BYTES:
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
    for path in (beside(folder), *_earlier(folder)):
        try:
            told = written(path)
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
    own = beside(folder).name
    return sorted(path for path in folder.parent.iterdir() if path.name != own and name.fullmatch(path.name))


def _void(one: Signature, digest: str, *, damaged: bool, inputs: str) -> str:
    if one.digest != digest:
        return "what was signed is not this report"
    if damaged:
        return "the report is no longer what was signed"
    return "an input has changed since" if inputs == "changed" else ""
