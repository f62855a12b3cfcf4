"""Atomic publication of runs: staged, synced, named by digest, and published by one rename."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rca.errors import InvalidCase
from rca.record.files.whole_file import DRAFT, write_whole
from rca.report.manifest.history import append, head
from rca.report.manifest.integrity import MANIFEST, damage, sha256
from rca.report.manifest.standalone import LOG, RUNS
from rca.report.notebooks.held_folder import alone, own

REPORT = "report"
"""Folder of the run inside its stage."""


def room(out: Path, name: str) -> Path:
    """Make sure that the incident's link can be replaced, and give the folder of runs.

    Raises
    ------
    InvalidCase
        If something that no run wrote is in the link's place, or the history of its runs was tampered with.
    """
    link = out / name
    if link.exists() and not link.is_symlink():
        raise InvalidCase.because(
            f"'{name}' is in the way: it was not written by a run",
            place=str(out),
            hint="move it, or choose another --out",
        )
    try:
        (out / RUNS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what, hint = f"no report can be written here: {error.strerror}", "choose another --out"
        raise InvalidCase.because(what, place=str(out), hint=hint) from error
    head(out / RUNS / name, name)  # which is refused where it was tampered with
    return out / RUNS


@contextmanager
def staging(runs: Path) -> Iterator[Path]:
    """A folder for a run that is being written; what dead runs left is cleared first."""
    with own(runs, DRAFT) as folder:
        folder.chmod(0o755)
        yield folder


def publish(stage: Path, final: Path, link: Path, *, log: bytes | None = None) -> None:
    """Give a finished run its name, put it on record, then lead the incident's link to it.

    A crash leaves the old report or the new one.

    Parameters
    ----------
    stage : Path
        The locked folder; its folder `report` is the finished run.
    final : Path
        The run's own folder, named by its digest. One that exists has the same digest, and is kept.
    link : Path
        The link that readers follow.
    log : bytes, optional
        What is kept beside the run.
    """
    sync(stage / REPORT)
    with alone(final.parent):
        if final.is_dir() and damage(final):
            set_aside(final)
        try:
            (stage / REPORT).rename(final)
        except OSError:
            if not final.is_dir():
                raise
        if log is not None:
            write_whole(final.with_name(f"{final.name}{LOG}"), log)
        logged = hashlib.sha256(log).hexdigest() if log is not None else ""
        append(final, link.name, what="run", digest=sha256(final / MANIFEST), sha256=logged)
        _sync_folder(final.parent)
        (stage / "link").symlink_to(Path(RUNS) / final.name)
        (stage / "link").replace(link)
        _sync_folder(link.parent)


def share(file: Path, runs: Path) -> None:
    """Have a file that an earlier run has to the byte on disk once, where the file system has hard links."""
    for other in sorted(runs.glob(f"*/{file.name}")) if file.is_file() else ():
        if not other.is_symlink() and other.is_file() and sha256(other) == sha256(file):
            linked = file.with_name(f"{file.name}.linked")
            with suppress(OSError):
                linked.hardlink_to(other)
                linked.replace(file)
            return


def keep_failed(stage: Path, kept: Path) -> Path | None:
    """Keep the notebook that a failed run was at; None where it had none."""
    notebooks = sorted(stage.glob("*.ipynb"), key=lambda path: path.stat().st_mtime_ns)
    if not notebooks:
        return None
    place = 1
    while (folder := kept.with_name(f"{kept.name}-{place}")).exists():
        place += 1
    folder.mkdir()
    return Path(shutil.copyfile(notebooks[-1], folder / notebooks[-1].name))


def set_aside(damaged: Path) -> None:
    """Move a run that is no longer what its name says out of the way; it is evidence, so it is kept."""
    place = 1
    while (aside := damaged.with_name(f"damaged-{damaged.name}-{place}")).exists():
        place += 1
    damaged.rename(aside)


def sync(folder: Path) -> None:
    """Have every file of a folder, and the folder, on disk."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
