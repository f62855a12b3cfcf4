"""Folders that one process holds, cleared of what dead processes left.

A folder is locked while its process lives: the system drops the lock of a process that dies, however it dies, so a
folder that can be locked belongs to nobody.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rca.record.files.whole_file import DRAFT


@contextmanager
def own(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder for this process alone; what dead ones left there under the same prefix is cleared first."""
    clear(parent, prefix)
    folder, lock = _locked(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked(parent: Path, prefix: str) -> tuple[Path, int]:
    """A new folder that this process holds; where one that clears at that moment takes it first, another is made."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        lock = _lock(folder)
        if lock is not None:
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


def clear(parent: Path, prefix: str) -> None:
    """Remove the folders that dead processes left."""
    for leftover in sorted(parent.glob(f"{prefix}*")):
        if (lock := _lock(leftover)) is not None:
            shutil.rmtree(leftover, ignore_errors=True)
            os.close(lock)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Lock a shared folder, so that what is written there is written one after the other; drafts are cleared."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for draft in folder.glob(f"{DRAFT}*"):
            if draft.is_file() and not draft.is_symlink():
                draft.unlink()
        yield
    finally:
        os.close(lock)
