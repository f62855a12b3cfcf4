"""Freeze before fix: what a repair will overwrite, copied into the case with its SHA-256, who took it and when.

The log is `postmortem.evidence` of the record. A copy keeps its bytes and gets an ending that nothing opens, so that a
pickled model can lie in a case as evidence and never be run from there.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

from rca.errors import InvalidCase
from rca.record.files.case_folder import RECORD, inside, names_of, opened
from rca.record.files.validation import take_in
from rca.record.files.whole_file import write_whole
from rca.record.files.yaml_document import Document, document, plain
from rca.record.why_tree.write_back import with_values

FOLDER, ENDING = "frozen", ".frozen"
"""Where copies lie in a case, and what their names end in."""


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """A thing that was kept: what it is, its copy in the case, its SHA-256, and whether it lay there already."""

    what: str
    where: str
    sha256: str
    known: bool

    def __str__(self) -> str:
        return f"{self.what}  {self.where}  {self.sha256}" + ("  (kept before)" if self.known else "")


def freeze(
    case: "str | PathLike[str]",
    files: Mapping[str, "str | PathLike[str]"],
    *,
    role: str,
    said: Mapping[str, str] | None = None,
    at: datetime | None = None,
) -> tuple[Frozen, ...]:
    """Copy files into a case, and note in its record which role took what, and when; all of them or none.

    Parameters
    ----------
    case : path
        Folder of a case.
    files : mapping of str to path
        What it is (model, prompt, configuration, …) → the file.
    role : str
        Who took it, as a role.
    said : mapping of str to str, optional
        What is no file: what it is (index version, query, …) → its text.
    at : datetime, optional
        When; default now.

    Raises
    ------
    InvalidCase
        If it is no case, a file cannot be read, or nothing is named; nothing was written.
    """
    folder, record = opened(case)
    incident, problems = take_in(record, names=names_of(folder))
    if problems or incident is None:
        raise InvalidCase(problems)
    if not files and not said:
        raise InvalidCase.because("nothing is named", place="rca freeze", hint="name what to keep: model=model.txt")
    taking = _Taking(folder)
    try:
        (folder / FOLDER).mkdir(exist_ok=True)
        inside(folder, FOLDER, place=folder.name)  # a link may not lead out of the case
        taken = [taking.file(what, Path(file)) for what, file in files.items()]
        taken += [taking.text(what, text) for what, text in (said or {}).items()]
        known = {(one.what, one.sha256) for one in incident.postmortem.evidence}
        told = tuple(replace(one, known=(one.what, one.sha256) in known) for one in taken)
        _log(folder, record, [one for one in told if not one.known], role=role, at=at or datetime.now(UTC))
    except (OSError, InvalidCase) as error:
        taking.undo()
        if isinstance(error, InvalidCase):
            raise
        raise InvalidCase.because(f"cannot be written: {error.strerror}", place=folder.name) from error
    return told


class _Taking:
    """Copies into a case, each under a name of its own bytes, which can be taken back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.added: list[Path] = []

    def file(self, what: str, file: Path) -> Frozen:
        """A copy of a file; a large one is never held in memory."""
        if not file.is_file():
            raise InvalidCase.because("there is no such file", place=plain(str(file)), hint=f"{plain(what)}=FILE")
        with file.open("rb") as source:
            return self._copy(what, iter(lambda: source.read(1 << 20), b""))

    def text(self, what: str, text: str) -> Frozen:
        """A text as a file."""
        return self._copy(what, iter([text.encode()]))

    def undo(self) -> None:
        """Take out what was added."""
        for path in self.added:
            path.unlink(missing_ok=True)

    def _copy(self, what: str, blocks: Iterator[bytes]) -> Frozen:
        draft = self.folder / FOLDER / f".{secrets.token_hex(4)}"
        self.added.append(draft)
        digest = hashlib.sha256()
        with draft.open("wb") as target:
            for block in blocks:
                digest.update(block)
                target.write(block)
        name = re.sub(r"[^A-Za-z0-9]+", "-", what).strip("-")[:40] or "thing"
        target_path = self.folder / FOLDER / f"{name}-{digest.hexdigest()[:12]}{ENDING}"
        if not target_path.exists():
            self.added.append(target_path)
        draft.replace(target_path)
        where = target_path.relative_to(self.folder).as_posix()
        return Frozen(what=what, where=where, sha256=digest.hexdigest(), known=False)


def _log(folder: Path, record: Document, taken: list[Frozen], *, role: str, at: datetime) -> None:
    if not taken:
        return
    held: dict[str, Any] = record.value.get("postmortem") or {}
    evidence = list(held.get("evidence") or [])
    ids = {str(one.get("id")) for one in evidence}
    fresh = (name for name in (f"E{number}" for number in range(1, 10_000)) if name not in ids)
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for one, name in zip(taken, fresh, strict=False):
        evidence.append({"id": name, "what": one.what, "where": one.where, "collected_by": role, "at": stamp,
                         "sha256": one.sha256})  # fmt: skip
    path = folder / RECORD
    text = with_values(path.read_bytes().decode("utf-8"), {"postmortem": {**held, "evidence": evidence}})
    _, problems = take_in(document(text, name=RECORD), names=names_of(folder))
    if problems:
        raise InvalidCase(problems)
    write_whole(path, text.encode())
