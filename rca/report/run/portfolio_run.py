"""Run the notebook of many incidents and publish the report, atomically, as for one incident."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rca
from rca import shipped
from rca.analysis.portfolio.question import Portfolio, portfolio
from rca.errors import InvalidCase, RunFailed
from rca.report.cells.output import RESULTS
from rca.report.manifest import provenance as manifest
from rca.report.manifest.integrity import SCHEMA, entry, read
from rca.report.notebooks.canonical import bundles, canonical, to_json
from rca.report.notebooks.runner import TIMEOUT, bar, execute
from rca.report.notebooks.templates import Template, load
from rca.report.page.page import render_sheet
from rca.report.rendering.masking import Masking
from rca.report.rendering.plain_text import count, moment
from rca.report.run import publish

NAME = "portfolio"
"""Of the notebook, and of the link to the latest report."""


@dataclass(frozen=True, kw_only=True)
class PortfolioRun:
    """A published report on many incidents.

    Attributes
    ----------
    path : Path
        The link that leads to the latest report.
    digest : str
        SHA-256 of the manifest, which covers everything else.
    found : Portfolio
    """

    path: Path
    digest: str
    found: Portfolio

    def __str__(self) -> str:
        return f"{self.found}\nreport  {self.path / 'report.html'}\ndigest  {self.digest}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"report": str(self.path), "digest": self.digest, "results": self.found.to_dict()}


def run_portfolio(
    source: "str | os.PathLike[str]",
    *,
    out: "str | os.PathLike[str]" = "reports",
    settings: Mapping[str, Any] | None = None,
    timeout: int = TIMEOUT,
    progress: bool = True,
) -> PortfolioRun:
    """Sum up many incidents and publish the report: executed notebook, page, `results.json` and manifest.

    Parameters
    ----------
    source : path
        Folder of cases, or a table.
    out : path
        Folder of the reports; `out/portfolio` leads to the latest.
    settings : mapping, optional
        `as_of`, `split`, `targets`, `columns` and `zone`, as `rca.portfolio` takes them, as text.
    timeout : int
        Seconds that one cell may take.
    progress : bool
        Whether a bar is drawn on stderr.

    Raises
    ------
    InvalidCase
        If the source or a setting is not sound; nothing is written.
    RunFailed
        If the notebook fails, or says something else than the same question asked here.
    """
    given, reports = Path(os.path.abspath(source)), Path(os.path.abspath(out))  # noqa: PTH100 - keeps links
    found = portfolio(given, **(settings or {}))  # refuses what is not sound before anything is written
    _make_way(reports)
    runs = publish.room(reports, NAME)
    with publish.staging(runs) as stage:
        derive_portfolio(given, stage, found, settings=settings or {}, timeout=timeout, progress=progress)
        digest = manifest.seal(stage / publish.REPORT)
        publish.publish(stage, runs / f"{NAME}-{digest[:12]}", reports / NAME)
    return PortfolioRun(path=Path(out) / NAME, digest=digest, found=found)


def _make_way(reports: Path) -> None:
    """Refuse to take the place of the report of an incident that is called like this."""
    made = read((reports / NAME).resolve()) if (reports / NAME).is_symlink() else None
    if made is not None and made.get("kind") != NAME:
        hint = "choose another --out"
        raise InvalidCase.because(f"'{NAME}' is the report of an incident of that name", place=str(reports), hint=hint)


def derive_portfolio(
    source: Path,
    stage: Path,
    found: Portfolio,
    *,
    settings: Mapping[str, Any],
    timeout: int = TIMEOUT,
    progress: bool = False,
) -> None:
    """Derive the report on many incidents from nothing but its inputs, into `stage/report`.

    Parameters
    ----------
    source : Path
        Folder of cases, or a table, under the path by which the report is to name it.
    stage : Path
        Working folder of the kernel.
    found : Portfolio
        What the same question says when it is asked here; the notebook has to say the same.
    settings : mapping
    timeout : int
    progress : bool

    Raises
    ------
    RunFailed
    """
    template = load(shipped.templates() / f"{NAME}.ipynb")
    known = {one.name: settings.get(one.name, one.default) for one in template.parameters}
    parameters = {**known, "source": manifest.relative(source, stage)}
    with bar([template], shown=progress) as tick:
        executed = execute(template, parameters, stage, timeout=timeout, tick=tick)
    notebook, _ = canonical(executed, parameters)
    if bundles(notebook, RESULTS) != [found.to_dict()]:
        raise RunFailed(
            "the notebook concludes otherwise than the same question asked before it; did the source change?"
        )
    masking = Masking()
    notebook, results = masking.outputs(notebook), masking.over(found.to_dict())
    report = stage / publish.REPORT
    report.mkdir()
    made_from = _made_from(source, stage, template=template, settings=settings, found=found)
    facts = (count(found.incidents, "incident"), f"{found.open:,} open", f"as of {moment(found.as_of)}")
    page = render_sheet(found.name, facts, notebook=(NAME, notebook), provenance=made_from)
    (report / f"{NAME}.ipynb").write_bytes(to_json(notebook))
    (report / "results.json").write_bytes(to_json({"incident": NAME, **results}))
    (report / "report.html").write_text(page, encoding="utf-8", newline="\n")
    manifest.finish(report, made_from)


def _made_from(
    source: Path, stage: Path, *, template: Template, settings: Mapping[str, Any], found: Portfolio
) -> dict[str, Any]:
    """Everything that the report is made from; `case` is the folder that the inputs are in."""
    home = source if source.is_dir() else source.parent
    return {
        "schema": SCHEMA,
        "kind": NAME,
        "incident": NAME,
        "case": manifest.relative(home, stage),
        "file": None if source.is_dir() else source.name,
        "parameters": dict(settings),
        "inputs": {
            name: {"sha256": said, "bytes": (home / name).stat().st_size} for name, said in found.sources.items()
        },
        "templates": {template.path.name: entry(template.path)},
        "signing": {"since": None, "roles": []},
        "code": {"version": rca.__version__, "sha256": manifest.code()},
        "environment": manifest.environment(),
    }
