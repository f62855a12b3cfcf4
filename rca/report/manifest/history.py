"""History of the runs and signatures of an incident: lines of which each holds the digest of the one before."""

import hashlib
from pathlib import Path

from rca.errors import InvalidCase
from rca.record.files.whole_file import write_whole
from rca.report.manifest.standalone import BROKEN, chain, compact, history


def head(report: Path, incident: str) -> str:
    """Digest of the last line of a history; empty where there is none."""
    lines = _lines(history(report, incident))
    return hashlib.sha256(lines[-1]).hexdigest() if lines else ""


def append(report: Path, incident: str, **entry: str) -> None:
    """Put a line on record; the folder around the report is held by `alone`.

    Parameters
    ----------
    report : Path
    incident : str
    entry : str
        What: 'run' or 'signed'; digest: of the manifest; sha256: of the log or the signature.

    Raises
    ------
    InvalidCase
        If the history is broken.
    """
    lines = _lines(path := history(report, incident))
    line = compact({"after": head(report, incident), **entry})
    write_whole(path, b"".join(one + b"\n" for one in (*lines, line)))


def _lines(path: Path) -> list[bytes]:
    try:
        return [compact(entry) for entry in chain(path)]
    except BROKEN as error:
        hint = "nothing is added to a history that was tampered with; move it away as evidence, or restore it"
        raise InvalidCase.because(f"no history of runs and signatures: {error}", place=path.name, hint=hint) from None
