"""Verification of a report: digests of its files and inputs, signatures, and reproduction.

`manifest.json` covers every file of a report and everything it was made from; `manifest.sha256` covers `manifest.json`,
in the form that `sha256sum --check` reads. Who rewrites a report, its manifest and its digest alike is caught only by a
copy of the digest kept elsewhere, or by running everything again.
"""

import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import rca
from rca.errors import InvalidCase, RcaError
from rca.record.case import Case
from rca.record.log import read_log
from rca.report.audit.signatures import Signed, signed
from rca.report.manifest.integrity import MANIFEST, Record, damage, read, sha256
from rca.report.manifest.provenance import code, environment
from rca.report.notebooks.canonical import differences
from rca.report.rendering.plain_text import count, plain

# --- checking one ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Answers about a report: integrity, inputs, signatures, and reproduction.

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
    signed : Signed
        Who signed it, or an earlier report of the incident; and whether that holds.
    """

    report: str
    digest: str | None
    damage: tuple[str, ...]
    inputs: str
    input_changes: tuple[str, ...] = ()
    derived: str = "not tried"
    differences: tuple[str, ...] = ()
    surroundings: tuple[str, ...] = ()
    signed: Signed = field(default_factory=Signed)

    @property
    def ok(self) -> bool:
        """Whether nothing needs a person: intact, inputs not changed, no void signature, derived again where asked."""
        sound = not self.damage and self.inputs != "changed" and self.signed.ok
        return sound and self.derived in {"same", "not tried"}

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
            f"signed?         {self._signed()}",
            *_indented((*map(str, self.signed.signatures), *self.signed.problems)),
        ]
        if self.surroundings:
            lines += ["other now than when it was made:", *_indented(self.surroundings)]
        return "\n".join(lines)

    def _signed(self) -> str:
        holding = sum(not one.void for one in self.signed.signatures)
        if not self.signed.signatures and not self.signed.problems:
            return "by nobody yet (rca sign)"
        return f"yes, by {count(holding, 'role')}" if self.signed.ok else "NO, void; sign again what holds now"


def _indented(lines: tuple[str, ...]) -> list[str]:
    return [f"  - {plain(line, 400)}" for line in lines]


def verify(
    report: "str | os.PathLike[str]", *, case: "str | os.PathLike[str] | None" = None, rerun: bool = False
) -> Verification:
    """Verify a report: is it intact, are these its inputs, do its signatures hold, can it be reproduced.

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
    made = read(folder)
    if made is not None and Path(report).is_symlink() and Path(report).name != made.get("incident"):
        problems.append(f"{Path(report).name}: the link leads to a report of {plain(made.get('incident'), 80)!r}")
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
        signed=signed(folder, damaged=bool(problems), inputs=state),
        **answer,
    )


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
        changes += [f"{name}: added" for name in _names(made, where) if name not in made["inputs"]]
    except RcaError as error:
        changes += [] if changes else [f"this is no case any more: {plain(error, 160)}"]
    return ("changed" if changes else "same"), changes


def _names(made: Record, where: Path) -> Iterable[str]:
    """The current inputs: of an incident, or of a report on many."""
    if made.get("kind") != "portfolio":
        return Case.load(where).inputs()
    return read_log(where / made["file"] if made.get("file") in made["inputs"] else where).sources


def _input_change(path: Path, said: Mapping[str, Any]) -> str:
    if not path.is_file():
        return "gone"
    if path.stat().st_size != said["bytes"] or sha256(path) != said["sha256"]:
        return "changed"
    return ""


# --- deriving it again -----------------------------------------------------------------------------------------------


def _again(report: Path, made: Record, case: Path) -> Record:
    """Reproduce the report in a fresh folder, and compare all files."""
    from rca.report.audit.rerun import derive_again

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
    before, after = ((folder / name).read_bytes() for folder in (report, fresh))
    if before != after and name.endswith(".html"):
        before, after = _spread(before), _spread(after)
    return differences(name, before, after)


def _spread(page: bytes) -> bytes:
    """A page with what is packed as text; as it is, where that is damaged."""
    from rca.report.page.page import spread

    try:
        return spread(page.decode()).encode()
    except (ValueError, zlib.error):
        return page


def _surroundings(made: Record) -> Iterator[str]:
    """Differences of code and environment since the report was made."""
    from rca.report.notebooks.templates import choose

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
