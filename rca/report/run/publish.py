"""Atomic publication of runs: staged, synced, named by digest, and published by one rename."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rca.errors import InvalidCase

RUNS = ".runs"
"""Folder of all runs, beside the links that lead to the latest of each incident."""

STAGED = ".tmp-"
"""How the name of a run begins that is not finished."""

REPORT = "report"
"""Folder of the run inside its stage."""


def room(out: Path, name: str) -> Path:
    """Make sure that the incident's link can be replaced, and give the folder of runs.

    Raises
    ------
    InvalidCase
        If something that no run wrote is in the link's place.
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
        raise InvalidCase.because(f"no report can be written here: {error.strerror}", place=str(out)) from error
    return out / RUNS


@contextmanager
def staging(runs: Path) -> Iterator[Path]:
    """A folder for a run that is being written; what dead runs left is cleared first.

    The folder is locked while its run lives: the system drops the lock of a process that dies, however it dies, so a
    folder that can be locked belongs to nobody.
    """
    clear(runs)
    folder, lock = _locked(runs)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked(runs: Path) -> tuple[Path, int]:
    """A new folder that this process holds; where a run that clears at that moment takes it first, another is made."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=STAGED, dir=runs))
        lock = _lock(folder)
        if lock is not None:
            folder.chmod(0o755)
            return folder, lock


def _lock(folder: Path) -> int | None:
    """Lock a folder without waiting; None if another has it, or it is gone."""
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(held).st_ino == folder.stat().st_ino:
            return held
    except OSError:
        pass
    os.close(held)
    return None


def clear(runs: Path) -> None:
    """Remove what dead runs left."""
    for leftover in sorted(runs.glob(f"{STAGED}*")):
        if (lock := _lock(leftover)) is not None:
            shutil.rmtree(leftover, ignore_errors=True)
            os.close(lock)


def publish(stage: Path, final: Path, link: Path) -> None:
    """Give a finished run its name, then lead the incident's link to it; a crash leaves the old report or the new one.

    Parameters
    ----------
    stage : Path
        The locked folder; its folder `report` is the finished run.
    final : Path
        The run's own folder, named by its digest. One that exists has the same digest, and is kept.
    link : Path
        The link that readers follow.
    """
    sync(stage / REPORT)
    try:
        (stage / REPORT).rename(final)
    except OSError:
        if not final.is_dir():
            raise
    _sync_folder(final.parent)
    (stage / "link").symlink_to(Path(RUNS) / final.name)
    (stage / "link").replace(link)
    _sync_folder(link.parent)


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
