"""Files that are there whole or not at all."""

import os
from pathlib import Path

DRAFT = ".tmp-"
"""How the name of a file or folder begins that is not finished."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, and have it on disk, or leave what was there; a file that is replaced keeps its mode.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left beside it then.
    """
    draft = path.with_name(f"{DRAFT}{os.urandom(8).hex()}")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.is_file():
            draft.chmod(path.stat().st_mode & 0o777)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
