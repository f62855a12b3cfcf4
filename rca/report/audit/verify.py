"""Verification of a report: digests of its files and inputs, signatures, and reproduction.

`manifest.json` covers every file of a report and everything it was made from; `manifest.sha256` covers `manifest.json`,
in the form that `sha256sum --check` reads. Who rewrites a report, its manifest and its digest alike is caught only by a
copy of the digest kept elsewhere, or by running everything again.
"""

import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import rca
from rca.errors import InvalidCase, RcaError
from rca.record.files.case_folder import path_of
from rca.record.log import read_log
from rca.report.audit.keys import public
from rca.report.audit.signatures import Signed, signed
from rca.report.manifest.integrity import MANIFEST, Record, sha256
from rca.report.manifest.provenance import code, environment
from rca.report.manifest.standalone import check
from rca.report.notebooks.canonical import differences, to_json
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
    def status(self) -> int:
        """Exit status: 0 all is as it was, 3 a person has to look, 4 it cannot be said, for the inputs are gone."""
        sound = not self.damage and self.inputs != "changed" and self.signed.ok
        if sound and self.inputs == "gone":
            return 4
        return 0 if sound and self.derived in {"same", "not tried"} else 3

    @property
    def ok(self) -> bool:
        """Whether nothing needs a person: intact, inputs the same, no void signature, derived again where asked."""
        return self.status == 0

    def to_dict(self) -> Record:
        """Plain JSON values."""
        return {"ok": self.ok, "status": self.status, **json.loads(json.dumps(asdict(self)))}

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
        if self.signed.problems:
            return "NO, what lies beside it was tampered with, or a later run is there"
        return f"yes, by {count(holding, 'role')}" if self.signed.ok else "NO, void; sign again what holds now"


def _indented(lines: tuple[str, ...]) -> list[str]:
    return [f"  - {plain(line, 400)}" for line in lines]


def verify(
    report: "str | os.PathLike[str]",
    *,
    case: "str | os.PathLike[str] | None" = None,
    rerun: bool = False,
    keys: Iterable["str | os.PathLike[str]"] = (),
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
    keys : iterable of path
        Public keys of those who sign; a signature that none of them made is void then.

    Raises
    ------
    InvalidCase
        If there is no such folder, or a key is none.
    """
    several: Iterable[object] = (keys,) if isinstance(keys, str) or not hasattr(keys, "__iter__") else keys
    given, moved = path_of(report, place="report"), None if case is None else path_of(case, place="case").absolute()
    folder, known = given.resolve(), [public(path_of(key, place="keys")) for key in several]
    if not folder.is_dir():
        raise InvalidCase.because(
            "there is no such folder", place=plain(str(given)), hint="a report is a folder with a manifest.json"
        )
    found = check(given, moved)
    made, state = found["made"], found["inputs"]
    where = moved or (Path(os.path.normpath(folder / made["case"])) if made else folder)
    changes = tuple(found["changes"]) or tuple(_added(made, where) if made and state == "same" else ())
    state = "changed" if changes else state
    answer: Record = {"derived": "not tried"}
    if rerun and (state != "same" or made is None):
        why = "the manifest cannot be read" if made is None else f"the inputs are {state}"
        answer = {"derived": "not possible", "differences": (why,)}
    elif rerun:
        answer = _again(folder, made, where)
    return Verification(
        report=str(given),
        digest=found["digest"],
        damage=tuple(found["damage"]),
        inputs=state,
        input_changes=changes,
        surroundings=tuple(_surroundings(made)) if made else (),
        signed=signed(found, known),
        **answer,
    )


def _added(made: Record, where: Path) -> Iterator[str]:
    """The incidents that a report on many does not have."""
    if "kind" in made:
        try:
            now = read_log(where / made["file"] if made["file"] in made["inputs"] else where).sources
        except RcaError as error:
            now = {plain(error, 160): ""}
        yield from (f"{name}: added" for name in now if name not in made["inputs"])


# --- deriving it again -----------------------------------------------------------------------------------------------


def _again(report: Path, made: Record, case: Path) -> Record:
    """Reproduce the report in a fresh folder, and compare all files."""
    from rca.report.audit.rerun import derive_again

    try:
        with derive_again(made, case) as fresh:
            names = sorted({*made["outputs"], *(path.name for path in fresh.iterdir())} - {MANIFEST})
            apart = [said for name in names for said in _compared(name, report, fresh)]
            apart += differences(MANIFEST, *(_without_digests(folder, bool(apart)) for folder in (report, fresh)))
    except (RcaError, OSError) as error:
        return {"derived": "not possible", "differences": tuple(str(error).splitlines())}
    return {"derived": "differs" if apart else "same", "differences": tuple(apart)}


def _without_digests(report: Path, apart: bool) -> bytes:  # noqa: FBT001 - of files that are apart, all is said
    """A manifest as it is, or with the names alone of the files that came out."""
    content = (report / MANIFEST).read_bytes()
    made = json.loads(content)
    return to_json({**made, "outputs": sorted(made["outputs"])}) if apart else content


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
    """Differences of code and environment since the report was made; nothing of them is believed to be sound."""
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
