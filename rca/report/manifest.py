"""What went into a report and what came out, by digest; and whether both still hold.

`manifest.json` covers every file of a report and everything it was made from; `manifest.sha256` covers `manifest.json`,
in the form that `sha256sum --check` reads. Who rewrites a report, its manifest and its digest alike is caught only by a
copy of the digest kept elsewhere, or by running everything again.
"""

import hashlib
import json
import os
import platform
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import rca
from rca.errors import InvalidCase, RcaError
from rca.record.case import Case
from rca.report.canonical import INJECTED, bundles, differences
from rca.report.figures import MIME
from rca.report.templates import tags
from rca.report.text import count, plain

if TYPE_CHECKING:
    from rca.report.execute import Order

SCHEMA = 1
MANIFEST, SIDECAR = "manifest.json", "manifest.sha256"
LARGEST = 64 * 1024 * 1024
"""Bytes of a JSON file that is read whole."""

PACKAGES = (
    "dowhy",
    "ipykernel",
    "lightgbm",
    "nbclient",
    "numpy",
    "pandas",
    "papermill",
    "plotly",
    "polars",
    "pyarrow",
    "pydantic",
    "scipy",
    "shap",
)
"""Distributions that a number or a byte of a report may depend on."""

CODE = frozenset({".py", ".css", ".js", ".yaml"})

Record = dict[str, Any]


# --- making one ------------------------------------------------------------------------------------------------------


def sha256(path: Path) -> str:
    """Digest of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def entry(path: Path) -> Record:
    """What a manifest says of a file."""
    return {"sha256": sha256(path), "bytes": path.stat().st_size}


def relative(case: Path, run: Path) -> str:
    """The case's folder as seen from the folder of a run, so that a report names no folder of this machine."""
    return PurePosixPath(os.path.relpath(case, run)).as_posix()


def inputs(case: Path) -> Record:
    """Every file of the case that an analysis may read.

    Raises
    ------
    InvalidCase
        If the folder is no case.
    """
    return {
        name: {"sha256": digest, "bytes": (case / name).stat().st_size}
        for name, digest in Case.load(case).inputs().items()
    }


def provenance(order: "Order") -> Record:
    """Everything that a report is made from."""
    return {
        "schema": SCHEMA,
        "incident": order.case.incident.id,
        "case": order.written,
        "parameters": {"seed": order.seed, **order.settings},
        "only": list(order.only) if order.only else None,
        "inputs": inputs(order.case.folder),
        "templates": {template.path.name: entry(template.path) for template in order.templates},
        "code": {"version": rca.__version__, "sha256": code()},
        "environment": environment(),
    }


def code() -> str:
    """One digest over the sources of this package."""
    home = Path(rca.__file__).parent
    files = sorted(path for path in home.rglob("*") if path.suffix in CODE and "_shipped" not in path.parts)
    listed = "".join(f"{sha256(path)}  {path.relative_to(home).as_posix()}\n" for path in files)
    return hashlib.sha256(listed.encode()).hexdigest()


def environment() -> Record:
    """The versions that a report may depend on; nothing of the machine."""
    return {
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def record(made_from: Mapping[str, Any], report: Path) -> Record:
    """The manifest of a report that is written but for the manifest."""
    outputs = {path.name: entry(path) for path in sorted(report.iterdir()) if path.name not in {MANIFEST, SIDECAR}}
    return {**made_from, "outputs": outputs}


def seal(report: Path) -> str:
    """Write the digest of the manifest beside it, and give it."""
    digest = sha256(report / MANIFEST)
    (report / SIDECAR).write_text(f"{digest}  {MANIFEST}\n", encoding="ascii")
    return digest


# --- checking one ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Three answers about a report.

    Attributes
    ----------
    report : str
    digest : str or None
        SHA-256 of its manifest, to be compared with the one printed when it was issued.
    damage : tuple of str
        What is not as the manifest says; empty where the report is intact.
    inputs : {'same', 'changed', 'gone'}
    input_changes : tuple of str
    derived : {'same', 'differs', 'not possible', 'not tried'}
    differences : tuple of str
        What came out otherwise when everything was run again, or why it could not be run.
    surroundings : tuple of str
        What is other now than when the report was made: code, templates, environment. It may explain `differences`.
    """

    report: str
    digest: str | None
    damage: tuple[str, ...]
    inputs: str
    input_changes: tuple[str, ...] = ()
    derived: str = "not tried"
    differences: tuple[str, ...] = ()
    surroundings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing needs a person: intact, its inputs not changed, and derived again where that was asked."""
        return not self.damage and self.inputs != "changed" and self.derived in {"same", "not tried"}

    def to_dict(self) -> Record:
        """Plain JSON values."""
        return {"ok": self.ok, **json.loads(json.dumps(asdict(self)))}

    def __str__(self) -> str:
        intact = "yes, every byte of every file" if not self.damage else f"NO, {count(len(self.damage), 'problem')}"
        its_own = {
            "same": "yes, unchanged",
            "changed": "NO, changed since",
            "gone": "cannot tell, they are not where they were",
        }[self.inputs]
        again = {
            "same": "yes, everything came out the same",
            "differs": "NO",
            "not possible": "NOT POSSIBLE",
            "not tried": "not tried (--rerun)",
        }
        lines = [
            f"report   {plain(self.report)}",
            f"digest   {self.digest or 'none'}",
            f"intact?         {intact}",
            *_indented(self.damage),
            f"its inputs?     {its_own}",
            *_indented(self.input_changes),
            f"derived again?  {again[self.derived]}",
            *_indented(self.differences),
        ]
        if self.surroundings:
            lines += ["other now than when it was made:", *_indented(self.surroundings)]
        return "\n".join(lines)


def _indented(lines: tuple[str, ...]) -> list[str]:
    return [f"  - {plain(line, 400)}" for line in lines]


def verify(
    report: "str | os.PathLike[str]", *, case: "str | os.PathLike[str] | None" = None, rerun: bool = False
) -> Verification:
    """Answer three questions about a report: is it intact, are these its inputs, can it be derived again.

    Parameters
    ----------
    report : path
        Folder of the report, or the link to it.
    case : path, optional
        Folder of the incident; where the manifest says it was, by default.
    rerun : bool
        Whether to run everything again, without anything kept, and compare all that comes out.

    Raises
    ------
    InvalidCase
        If there is no such folder.
    """
    folder = Path(report).resolve()
    if not folder.is_dir():
        raise InvalidCase.because(
            "there is no such folder", place=plain(report), hint="a report is a folder with a manifest.json"
        )
    problems = damage(folder)
    made = _read(folder)
    if made is None:
        return Verification(report=str(report), digest=None, damage=tuple(problems), inputs="gone")
    where = Path(case).absolute() if case else _case_of(folder, made)
    state, changes = _inputs(made, where, asked=case is not None)
    answer: Record = {"derived": "not tried"}
    if rerun and (state != "same" or where is None):
        answer = {"derived": "not possible", "differences": (f"the inputs are {state}",)}
    elif rerun and where is not None:
        answer = _again(folder, made, where)
    return Verification(
        report=str(report),
        digest=sha256(folder / MANIFEST),
        damage=tuple(problems),
        inputs=state,
        input_changes=tuple(changes),
        surroundings=tuple(_surroundings(made)),
        **answer,
    )


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
    return problems + sealed + (_structure(report, made) if not problems and not sealed else [])


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


def _read(report: Path) -> Record | None:
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
    if not stat.S_ISREG(path.lstat().st_mode) or path.stat().st_size > LARGEST:
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
        figures = sum(len(bundles(notebook, MIME)) for notebook in notebooks.values())
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


# --- the inputs ------------------------------------------------------------------------------------------------------


def _case_of(report: Path, made: Record) -> Path | None:
    where = Path(os.path.normpath(report / made["case"]))
    return where if where.is_dir() else None


def _inputs(made: Record, where: Path | None, *, asked: bool) -> tuple[str, list[str]]:
    if where is None or not where.is_dir():
        return ("changed", ["there is no such folder"]) if asked else ("gone", [])
    changes = [
        f"{name}: {what}" for name, said in made["inputs"].items() if (what := _input_change(where / name, said))
    ]
    try:
        changes += [f"{name}: added" for name in Case.load(where).inputs() if name not in made["inputs"]]
    except RcaError as error:
        changes += [] if changes else [f"this is no case any more: {plain(error, 160)}"]
    return ("changed" if changes else "same"), changes


def _input_change(path: Path, said: Mapping[str, Any]) -> str:
    if not path.is_file():
        return "gone"
    if path.stat().st_size != said["bytes"] or sha256(path) != said["sha256"]:
        return "changed"
    return ""


# --- deriving it again -----------------------------------------------------------------------------------------------


def _again(report: Path, made: Record, case: Path) -> Record:
    """Run everything again in a folder of its own, and compare all that comes out."""
    from rca.report.rerun import derive_again

    try:
        with derive_again(made, case) as fresh:
            apart = [said for name in made["outputs"] for said in _compared(name, report, fresh)]
            apart += [
                f"{path.name}: derived now, not in the report"
                for path in sorted(fresh.iterdir())
                if path.name not in {*made["outputs"], MANIFEST}
            ]
    except RcaError as error:
        return {"derived": "not possible", "differences": tuple(str(error).splitlines())}
    return {"derived": "differs" if apart else "same", "differences": tuple(apart)}


def _compared(name: str, report: Path, fresh: Path) -> list[str]:
    missing = [
        where
        for where, path in (("report", report / name), ("fresh run", fresh / name))
        if not path.is_file() or path.is_symlink()
    ]
    if missing:
        return [f"{name}: not in the {missing[0]}"]
    return differences(name, (report / name).read_bytes(), (fresh / name).read_bytes())


def _surroundings(made: Record) -> Iterator[str]:
    """What is other now than when the report was made."""
    from rca.report.templates import choose

    before, now = made.get("environment"), environment()
    if isinstance(before, dict) and isinstance(before.get("packages"), dict):
        packages = {"python": before.get("python"), **before["packages"]}
        yield from (
            f"{name}: {packages.get(name, 'absent')} then, {found} now"
            for name, found in {"python": now["python"], **now["packages"]}.items()
            if packages.get(name) != found
        )
    if made.get("code") != {"version": rca.__version__, "sha256": code()}:
        yield "the code of rca is other"
    for template in choose():
        said = made["templates"].get(template.path.name)
        if said and said["sha256"] != sha256(template.path):
            yield f"the template {template.path.name} is other"
