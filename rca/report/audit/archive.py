"""A report as archives take it: a bag by BagIt 1.0, whose payload is an RO-Crate.

The payload keeps the places that the report and its manifest tell of, so that `rca verify` and the `verify.py` in the
report answer there as they do here. The same report gives the same bytes: a bag says nothing of the hour it was packed.

Source: RFC 8493, The BagIt File Packaging Format (V1.0), 2.1 to 2.3.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import rca
from rca.errors import InvalidCase
from rca.record.files.case_folder import path_of
from rca.report.audit.crate import CRATE, crate
from rca.report.audit.verify import verify
from rca.report.manifest.integrity import MANIFEST, Record, read
from rca.report.manifest.standalone import BROKEN, HISTORY, LOG, RUNS, SIGNED, check
from rca.report.notebooks.canonical import to_json
from rca.report.notebooks.held_folder import own
from rca.report.rendering.plain_text import count, plain
from rca.report.run.publish import sync

ALGORITHMS = ("sha256", "sha512")
DECLARED = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
PAYLOAD, REPORTS = "data", "reports"
PREFIX = ".tmp-rca-archive-"
"""How the folder is called in which a bag is packed; what dead ones left is cleared by the next."""


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A bag that was packed.

    Attributes
    ----------
    path : Path
    report : Path
        The report within it, which can be verified there.
    digest : str
        SHA-256 of the report's manifest.
    files, size : int
        What the payload holds; size in bytes.
    inputs : bool
        Whether the inputs of the report are in it.
    """

    path: Path
    report: Path
    digest: str
    files: int
    size: int
    inputs: bool

    def to_dict(self) -> Record:
        """Plain JSON values."""
        return {**vars(self), "path": str(self.path), "report": str(self.report)}

    def __str__(self) -> str:
        held = "with its inputs" if self.inputs else "its inputs by digest alone (--inputs packs them)"
        lines = (
            f"bag     {self.path}",
            f"payload {count(self.files, 'file')}, {self.size:,} bytes, {held}",
            f"digest  {self.digest}",
            f"verify  rca verify {self.report}",
        )
        return "\n".join(lines)


def archive(
    report: "str | os.PathLike[str]",
    *,
    to: "str | os.PathLike[str]",
    inputs: bool = False,
    case: "str | os.PathLike[str] | None" = None,
) -> Archive:
    """Pack a report, what is on record about it and, where asked, its inputs into a new folder, whole or not at all.

    Parameters
    ----------
    report : path
        Folder of the report, or the link to it; one that verifies.
    to : path
        The bag to make; nothing may be there.
    inputs : bool
        Whether the files of the case go in too, which may hold personal data. Without, they are told by digest.
    case : path, optional
        Folder of the incident; where the manifest says it was, by default.

    Raises
    ------
    InvalidCase
        If the report does not verify, its inputs are asked for and gone, or the place is taken.
    """
    found, made = verify(report, case=case), read(folder := path_of(report, place="report").resolve())
    if found.status not in {0, 4} or made is None or found.digest is None:
        what, hint = "this report does not verify, and is not packed", f"rca verify {plain(str(report))} says why"
        raise InvalidCase.because(what, place=plain(str(report)), hint=hint)
    source = Path(case) if case else Path(os.path.normpath(folder / made["case"]))
    if inputs and found.inputs != "same":
        raise InvalidCase.because(
            "its inputs are gone", place=plain(str(source)), hint="say where they are: --case DIR"
        )
    bag = _free(said := path_of(to, place="to"), folder, source)
    with own(bag.parent, PREFIX) as stage:
        payload = stage / "bag" / PAYLOAD
        home, where = _places(folder, made)
        _copy_report(folder, payload / home)
        if inputs:
            _copy(((source / name, payload / where / name) for name in made["inputs"]), within=payload)
        _require_same(payload / home, inputs=inputs)
        digests = _describe(payload, made, home=home, case=where, when=_made_at(folder))
        _tag(payload.parent, made["incident"], digests)
        sync(payload.parent)
        payload.parent.rename(bag)
    size = sum(one["bytes"] for one in digests.values())
    return Archive(
        path=said, report=said / PAYLOAD / home, digest=found.digest, files=len(digests), size=size, inputs=inputs
    )


def _free(to: Path, report: Path, case: Path) -> Path:
    """The place of a bag, where nothing is yet, and which is no part of what is packed."""
    bag = to.absolute().parent.resolve() / to.name
    runs = [report.parent] if report.parent.name == RUNS else []
    if not to.name or os.path.lexists(bag):
        raise InvalidCase.because(
            "something is there already", place=plain(str(to)), hint="name a new folder: --to DIR"
        )
    if any(bag.is_relative_to(folder) for folder in (report, case.resolve(), *runs)):
        hint = "choose another --to"
        raise InvalidCase.because("a bag in there would be tampering with it", place=plain(str(to)), hint=hint)
    bag.parent.mkdir(parents=True, exist_ok=True)
    return bag


def _places(report: Path, made: Record) -> tuple[PurePosixPath, PurePosixPath]:
    """Where the report lies in the payload, and where from there its manifest finds the case: never outside."""
    tail = PurePosixPath(REPORTS, *([RUNS] if report.parent.name == RUNS else []), report.name)
    up = sum(part == ".." for part in PurePosixPath(made["case"]).parts)
    home = PurePosixPath(*["within"] * (up - len(tail.parts)), tail)
    return home, PurePosixPath(os.path.normpath(home / made["case"]))


def _copy_report(report: Path, to: Path) -> None:
    """The files of a run, the history of its incident's runs, and all signatures that this has on record."""
    stem = re.escape(report.name[:-13] if report.parent.name == RUNS else report.name)
    digest = "-[0-9a-f]{12}" if report.parent.name == RUNS else ""
    beside = re.compile(f"{stem}({digest}{re.escape(SIGNED)}|{re.escape(HISTORY)})")
    around = (path for path in sorted(report.parent.iterdir()) if beside.fullmatch(path.name))
    files = [(path, to / path.name) for path in sorted(report.iterdir())]
    _copy((*files, *((path, to.parent / path.name) for path in around)), within=to)


def _copy(files: Iterable[tuple[Path, Path]], *, within: Path) -> None:
    """Copy content alone; a file that is there already, under this name or one that folds to it, is refused."""
    within.mkdir(parents=True, exist_ok=True)
    for source, target in files:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with source.open("rb") as read_from, target.open("xb") as written:
                shutil.copyfileobj(read_from, written)
        except FileExistsError:
            what = "two files of report and inputs have this place in the payload"
            raise InvalidCase.because(what, place=plain(target.name), hint="pack it without --inputs") from None


def _require_same(report: Path, *, inputs: bool) -> None:
    """What was packed has to verify where it lies, or it changed while it was copied."""
    if (answer := check(report))["status"] != (0 if inputs else 4):
        said = [*answer["damage"], *answer["changes"], *answer["signing"], "it leads to inputs of another report"]
        hint = "pack it again when report and case are at rest"
        raise InvalidCase.because(f"its copy does not verify: {plain(said[0], 200)}", place=report.name, hint=hint)


def _made_at(report: Path) -> str:
    """When a report was made: as its log says, or by its files where that was left out."""
    try:
        log = json.loads(report.with_name(f"{report.name}{LOG}").read_bytes())
        return datetime.fromisoformat(log["started"]).astimezone(UTC).isoformat()
    except (OSError, ValueError, KeyError, TypeError):
        changed = (report / MANIFEST).stat().st_mtime
        return datetime.fromtimestamp(changed, UTC).isoformat(timespec="seconds")


# --- the bag ---------------------------------------------------------------------------------------------------------


def _describe(payload: Path, made: Record, *, home: PurePosixPath, case: PurePosixPath, when: str) -> dict[str, Any]:
    """Lay the metadata into a payload, and give digests and size of every file there."""
    digests = _digests(payload)
    try:
        metadata = to_json(crate(made, digests, report=str(home), case=str(case), when=when))
    except BROKEN as error:
        what = f"not a manifest that a run writes ({type(error).__name__}: {plain(str(error), 80)})"
        raise InvalidCase.because(what, place=MANIFEST, hint="rca verify --rerun says what is other") from None
    with (payload / CRATE).open("xb") as file:
        file.write(metadata)
    return {**digests, CRATE: _digest(payload / CRATE)}


def _tag(bag: Path, incident: str, payload: dict[str, Any]) -> None:
    """Declaration, information and manifests of a bag, and the manifests of these."""
    size = sum(one["bytes"] for one in payload.values())
    information = {
        "Bag-Software-Agent": f"rca {rca.__version__}",
        "External-Description": "Post-mortem of an AI incident; the payload is an RO-Crate",
        "External-Identifier": plain(incident, 200),
        "Payload-Oxum": f"{size}.{len(payload)}",
    }
    (bag / "bagit.txt").write_bytes(DECLARED.encode())
    (bag / "bag-info.txt").write_bytes("".join(f"{key}: {said}\n" for key, said in information.items()).encode())
    _list(bag, "manifest", {f"{PAYLOAD}/{name}": said for name, said in payload.items()})
    _list(bag, "tagmanifest", {path.name: _digest(path) for path in sorted(bag.glob("*.txt"))})


def _list(bag: Path, kind: str, files: dict[str, Any]) -> None:
    for algorithm in ALGORITHMS:
        lines = "".join(f"{said[algorithm]}  {_written(name)}\n" for name, said in files.items())
        (bag / f"{kind}-{algorithm}.txt").write_bytes(lines.encode())


def _written(name: str) -> str:
    r"""A path as a manifest has it; that `%` is written too, some readers overlook (bagit of Python, 1.9).

    >>> _written("data/100%\nsure")
    'data/100%25%0Asure'
    """
    return name.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")


def _digests(folder: Path) -> dict[str, Any]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _digest(path) for path in files}


def _digest(path: Path) -> Record:
    return {"bytes": path.stat().st_size, **dict(_hashes(path))}


def _hashes(path: Path) -> Iterator[tuple[str, str]]:
    for algorithm in ALGORITHMS:
        with path.open("rb") as file:
            yield algorithm, hashlib.file_digest(file, algorithm).hexdigest()
