"""Integrity check of a report's folder against its manifest, byte for byte; the report may be hostile."""

import hashlib
import json
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from rca.report.notebooks.canonical import INJECTED, bundles
from rca.report.notebooks.templates import on_the_page, tags
from rca.report.rendering.plain_text import plain
from rca.report.rendering.plotly_adapter import MIME

Record = dict[str, Any]

SCHEMA = 1

MANIFEST, SIDECAR = "manifest.json", "manifest.sha256"

LONGEST_PATH = 4096
"""Bytes of the path of a case; no system takes more."""

MAX_BYTES = 64 * 1024 * 1024
"""Bytes of a JSON file that is read whole."""


def sha256(path: Path) -> str:
    """Digest of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def entry(path: Path) -> Record:
    """What a manifest says of a file."""
    return {"sha256": sha256(path), "bytes": path.stat().st_size}


def damage(report: Path) -> list[str]:
    """Everything in a report's folder that is not as its manifest says; empty for one that is intact."""
    found = _entries(report)
    problems = [f"{name}: {what}" for name, what in found.items() if what]
    sealed = list(_seal_problems(report, found))
    try:
        made = _parse(report)
    except (OSError, ValueError, RecursionError) as error:
        return [*problems, *sealed, f"{MANIFEST}: it cannot be read ({plain(error, 160)})"]
    listed = made["outputs"]
    problems += [f"{name}: missing" for name in listed if name not in found]
    problems += [f"{name}: added" for name in found if name not in listed and name not in {MANIFEST, SIDECAR}]
    for name in sorted(listed.keys() & found.keys()):
        if not found[name]:
            problems += _file_problems(report / name, listed[name])
    sealed += _name_problems(report, made)
    return problems + sealed + (_structure(report, made) if not problems and not sealed else [])


def _name_problems(report: Path, made: Record) -> Iterator[str]:
    """A run's folder carries the incident's name, so that no other report takes its place."""
    incident = str(made.get("incident"))
    if report.parent.name == ".runs" and report.name[:-13] != incident:
        yield f"{MANIFEST}: it is of {plain(incident, 80)!r}, which is not the name of its folder"


def _entries(report: Path) -> dict[str, str]:
    """Name of every entry of the folder → what is wrong with it as a file, empty where nothing is."""
    found = {}
    for path in sorted(report.iterdir()):
        mode = path.lstat().st_mode
        kinds = ((stat.S_ISREG, ""), (stat.S_ISLNK, "a symbolic link"), (stat.S_ISDIR, "a folder"))
        found[_printable(path.name)] = next((what for is_kind, what in kinds if is_kind(mode)), "no plain file")
    return found


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()


def _seal_problems(report: Path, found: Mapping[str, str]) -> Iterator[str]:
    for name in (MANIFEST, SIDECAR):
        if name not in found:
            yield f"{name}: missing"
    if found.get(MANIFEST) == found.get(SIDECAR) == "":
        digest = sha256(report / MANIFEST)
        if (report / SIDECAR).stat().st_size > 200 or (
            report / SIDECAR
        ).read_bytes() != f"{digest}  {MANIFEST}\n".encode():
            yield f"{MANIFEST}: its digest is not the one in {SIDECAR}"
        named = re.fullmatch(r".+-([0-9a-f]{12})", report.name)
        if report.parent.name == ".runs" and not (named and digest.startswith(named[1])):
            yield f"{MANIFEST}: its digest is not the one in the name of its folder"


def _file_problems(path: Path, said: Mapping[str, Any]) -> list[str]:
    size = path.stat().st_size
    if size != said["bytes"]:
        return [f"{path.name}: {size:,} bytes instead of {said['bytes']:,}"]
    return [] if sha256(path) == said["sha256"] else [f"{path.name}: its content changed"]


def read(report: Path) -> Record | None:
    """The manifest of a report; None where it cannot be read."""
    try:
        return _parse(report)
    except (OSError, ValueError, RecursionError):
        return None


def _parse(report: Path) -> Record:
    """Read a manifest that may be hostile.

    Raises
    ------
    ValueError
        If it is no manifest of this version, or names a file outside its folder.
    """
    path = report / MANIFEST
    if not stat.S_ISREG(path.lstat().st_mode) or path.stat().st_size > MAX_BYTES:
        raise ValueError("not a plain file of a manifest's size")
    made = json.loads(path.read_bytes())
    if not (isinstance(made, dict) and made.get("schema") == SCHEMA):
        raise ValueError(f"not a manifest of version {SCHEMA}")
    for key in ("inputs", "outputs", "templates"):
        _sound_entries(key, made.get(key))
    for name in made["outputs"]:
        if "/" in name:
            raise ValueError(f"outputs: {plain(name, 80)!r} leaves the folder")
    if (
        not isinstance(made.get("case"), str)
        or not isinstance(made.get("parameters"), dict)
        or made["case"].startswith("/")
        or len(made["case"].encode("utf-8", "replace")) > LONGEST_PATH
        or "\0" in made["case"]
    ):
        raise ValueError("case or parameters are not what they have to be")
    return made


def _sound_entries(key: str, entries: object) -> None:
    if not isinstance(entries, dict):
        raise ValueError(f"no {key}")  # noqa: TRY004 - to the caller it is a text that is no manifest
    for name, said in entries.items():
        if PurePosixPath(name).is_absolute() or {"..", "", "\0"} & set(name.split("/")) or "\0" in name:
            raise ValueError(f"{key}: {plain(name, 80)!r} leaves the folder")
        if not (isinstance(said, dict) and isinstance(said.get("sha256"), str) and type(said.get("bytes")) is int):
            raise ValueError(f"{key}: {plain(name, 80)!r} has no digest and size")


def _structure(report: Path, made: Record) -> list[str]:
    """What is wrong with a report whose digests agree: a person who rewrites all of them may still leave traces."""
    try:
        notebooks = {
            name: json.loads((report / name).read_bytes()) for name in made["outputs"] if name.endswith(".ipynb")
        }
        results = json.loads((report / "results.json").read_bytes())
        drawn = (report / "report.html").read_text(encoding="utf-8").count('<figure class="plot"')
        figures = sum(len(bundles(on_the_page(notebook), MIME)) for notebook in notebooks.values())
        problems = [
            problem for name, notebook in notebooks.items() for problem in _notebook_problems(name, notebook, made)
        ]
        problems += [] if results["incident"] == made["incident"] else ["results.json: of another incident"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return [f"not the structure of a report: {plain(error, 160)}"]
    problems += [f"{name}: not run" for name in made["templates"] if name not in notebooks]
    return problems + ([] if drawn == figures else [f"report.html: {drawn} figures, the notebooks have {figures}"])


def _notebook_problems(name: str, notebook: Record, made: Record) -> Iterator[str]:
    injected = [cell for cell in notebook["cells"] if INJECTED in tags(cell)]
    ids = [cell["id"] for cell in notebook["cells"]]
    if len(injected) != 1 or len(set(ids)) != len(ids):
        yield f"{name}: not the cells of a notebook that was run"
    said = notebook["metadata"]["papermill"]["parameters"]
    given = {"case": made["case"], **made["parameters"]}
    if any(said[key] != value for key, value in given.items() if key in said):
        yield f"{name}: its parameters are not those of the manifest"
    if any(output["output_type"] == "error" for cell in notebook["cells"] for output in cell.get("outputs", ())):
        yield f"{name}: it holds an error"
