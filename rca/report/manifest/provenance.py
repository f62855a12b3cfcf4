"""Provenance of a report: the manifest of its inputs, code, environment and outputs, by digest."""

import hashlib
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import Any

import rca
from rca.record.case import Case
from rca.record.schema.incident import Incident
from rca.record.why_tree.blameless import nameless
from rca.report.manifest import standalone
from rca.report.manifest.integrity import MANIFEST, SCHEMA, SELF, SIDECAR, Record, entry, sha256
from rca.report.notebooks.canonical import to_json
from rca.report.notebooks.runner import TIMEOUT
from rca.report.notebooks.templates import Template
from rca.report.rendering.plain_text import plain

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
    "statsmodels",
)
"""Distributions that a number or a byte of a report may depend on."""

LONGEST = 120
"""Letters of a role or a name that signs."""

CODE = frozenset({".py", ".css", ".js", ".yaml"})


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """Request of a run: all that a report is a function of, beside code and environment.

    Attributes
    ----------
    case : Case
    written : str
        The case's folder as the report writes it, relative to the folder of the run.
    templates : tuple of Template
    settings : dict
    seed : int
    only : tuple of str or None
    timeout : int
        Seconds per cell.
    beside : bool
        Whether plotly.js is a file beside the page instead of a part of it.
    """

    case: Case
    written: str
    templates: tuple[Template, ...]
    settings: Mapping[str, Any]
    seed: int
    only: tuple[str, ...] | None = None
    timeout: int = TIMEOUT
    beside: bool = False

    def parameters(self, template: Template) -> dict[str, Any]:
        """Parameters that are injected into one template, in its own order."""
        given = {**self.settings, "case": self.written, "seed": self.seed}
        return {one.name: given.get(one.name, one.default) for one in template.parameters}


# --- making one ------------------------------------------------------------------------------------------------------


def relative(case: Path, run: Path) -> str:
    """Relative path from a run's folder to the case, so that a report names no folder of this machine."""
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


def provenance(order: RunRequest) -> Record:
    """Everything that a report is made from."""
    return {
        "schema": SCHEMA,
        "incident": order.case.incident.id,
        "case": order.written,
        "parameters": {"seed": order.seed, **order.settings},
        "only": list(order.only) if order.only else None,
        "inputs": inputs(order.case.folder),
        "templates": {template.path.name: entry(template.path) for template in order.templates},
        "signing": signing(order.case.incident),
        "code": {"version": rca.__version__, "sha256": code()},
        "environment": environment(),
    }


def signing(incident: Incident) -> Record:
    """From when on the report can be signed, and in which roles where the record names them."""
    since = incident.timeline.detected or min((at for _, at in incident.timeline.moments()), default=None)
    return {
        "since": since.isoformat() if since else None,
        "roles": [plain(role, LONGEST) for role in nameless(incident).postmortem.sign_off],
    }


def code() -> str:
    """One digest over the source files of this package."""
    home = Path(rca.__file__).parent
    files = sorted(path for path in home.rglob("*") if path.suffix in CODE and "_shipped" not in path.parts)
    listed = "".join(f"{sha256(path)}  {path.relative_to(home).as_posix()}\n" for path in files)
    return hashlib.sha256(listed.encode()).hexdigest()


def environment() -> Record:
    """Versions of the libraries that a report may depend on; nothing of the machine."""
    return {
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def finish(report: Path, made_from: Mapping[str, Any]) -> None:
    """Lay the verifier of one file into a report that is written else, and the manifest of all."""
    (report / SELF).write_bytes(Path(standalone.__file__).read_bytes())
    outputs = {path.name: entry(path) for path in sorted(report.iterdir())}
    (report / MANIFEST).write_bytes(to_json({**made_from, "outputs": outputs}))


def seal(report: Path) -> str:
    """Write the digest of the manifest beside it, and give it."""
    digest = sha256(report / MANIFEST)
    (report / SIDECAR).write_text(f"{digest}  {MANIFEST}\n", encoding="ascii")
    return digest
