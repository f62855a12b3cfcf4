"""Integrity check of a report's folder against its manifest, byte for byte; the report may be hostile.

The check itself is the file that lies in every report, `standalone.py`, so that the package and an auditor who does not
trust it ask the same.
"""

from pathlib import Path
from typing import Any

from rca.report.manifest import standalone
from rca.report.manifest.standalone import BROKEN, MANIFEST, SELF, SIDECAR, sha256

Record = dict[str, Any]

SCHEMA = 1

__all__ = ["MANIFEST", "SCHEMA", "SELF", "SIDECAR", "Record", "damage", "entry", "read", "sha256"]


def entry(path: Path) -> Record:
    """What a manifest says of a file."""
    return {"sha256": sha256(path), "bytes": path.stat().st_size}


def damage(report: Path) -> list[str]:
    """Everything in a report's folder that is not as its manifest says; empty for one that is intact."""
    return standalone.damaged(report, {})


def read(report: Path) -> Record | None:
    """The manifest of a report; None where it cannot be read."""
    try:
        return standalone.manifest(report)
    except BROKEN:
        return None
