"""Run the notebooks on a case and publish the report."""

import getpass
import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rca.errors import InvalidCase, RunFailed
from rca.record.case import Case
from rca.record.check import check
from rca.record.files.case_folder import path_of
from rca.record.schema.incident import Incident
from rca.report.cells.output import FINDINGS, RESULTS
from rca.report.manifest import provenance as manifest
from rca.report.manifest.personal_inputs import personal
from rca.report.manifest.provenance import RunRequest
from rca.report.notebooks.canonical import Notebook, bundles, canonical, to_json
from rca.report.notebooks.kernel import MASKING
from rca.report.notebooks.runner import CACHE, TIMEOUT, bar, execute
from rca.report.notebooks.templates import choose, fit, for_case
from rca.report.rendering.masking import Masking
from rca.report.rendering.plain_text import plain
from rca.report.rendering.plotly_adapter import FILE, plotly_js
from rca.report.run import publish


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """A published report.

    Attributes
    ----------
    path : Path
        The link that leads to the latest report of the incident.
    folder : Path
        The run itself; it does not change any more.
    digest : str
        SHA-256 of the manifest, which covers everything else.
    results : dict
        The content of `results.json`.
    """

    path: Path
    folder: Path
    digest: str
    results: dict[str, Any]

    @property
    def verdict(self) -> dict[str, Any]:
        """The verdict, as `results.json` has it."""
        verdict: dict[str, Any] = self.results["verdict"]
        return verdict

    def __str__(self) -> str:
        return f"{self.verdict['status'].replace('_', ' ')}: {self.verdict['summary']} ({self.path / 'report.html'})"


def run(
    case: "str | os.PathLike[str]",
    *,
    out: "str | os.PathLike[str]" = "reports",
    only: Sequence[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    timeout: int = TIMEOUT,
    progress: bool = True,
    plotly_file: bool = False,
) -> RunResult:
    """Run the notebooks on a case and publish what they conclude, whole or not at all.

    Parameters
    ----------
    case : path
        Folder of the incident.
    out : path
        Folder of the reports; `out/<id>` leads to the latest report of the incident.
    only : sequence of str, optional
        Topics of the notebooks to run, such as `drift`.
    settings : dict, optional
        Parameters of the notebooks, such as `{"alpha": 0.01}`.
    seed : int
    timeout : int
        Seconds that one cell may take.
    progress : bool
        Whether a bar is drawn on stderr.
    plotly_file : bool
        Whether plotly.js is a file beside the page, which is small then, instead of a part of it. The reports of a
        folder have one copy on disk between them, where the file system has hard links.

    Raises
    ------
    InvalidCase
        If the case, a notebook or a setting is not sound; nothing is written.
    RunFailed
        If a notebook fails; nothing is published, and the failed notebook is kept.
    """
    folder, reports = _absolute(case, place="case"), _absolute(out, place="out")
    templates = tuple(choose(only))
    problems = [*check(folder), *fit(settings or {}, templates)]
    if problems:
        raise InvalidCase(problems)
    loaded = Case.load(folder)
    name = loaded.incident.id
    runs = publish.room(reports, name)
    with publish.staging(runs) as stage:
        order = RunRequest(
            case=loaded,
            written=manifest.relative(folder, stage),
            templates=for_case(templates, loaded.incident, asked=bool(only)),
            settings=dict(settings or {}),
            seed=seed,
            only=tuple(only) if only else None,
            timeout=timeout,
            beside=plotly_file,
        )
        started = time.time()
        results, notes = _derived(order, stage, runs, progress=progress)
        digest = manifest.seal(stage / publish.REPORT)
        publish.share(stage / publish.REPORT / FILE, runs)
        final = runs / f"{name}-{digest[:12]}"
        publish.publish(stage, final, reports / name, log=to_json(_log(started, notes)))
    return RunResult(path=Path(out) / name, folder=final, digest=digest, results=results)


def _absolute(path: "str | os.PathLike[str]", *, place: str) -> Path:
    """The path with its parents resolved: the folder's own name stays, as it has to be the incident's."""
    whole = Path(os.path.abspath(path_of(path, place=place)))  # noqa: PTH100 - resolve() would rename a linked folder
    try:
        str(whole).encode()
    except UnicodeEncodeError:
        raise InvalidCase.because("the path is not UTF-8", place=plain(repr(str(path)), 200)) from None
    return whole.parent.resolve() / whole.name


def _derived(
    order: RunRequest, stage: Path, runs: Path, *, progress: bool
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The report in its stage; a notebook that fails is kept beside the runs."""
    try:
        return derive(order, stage, progress=progress)
    except RunFailed as failure:
        kept = publish.keep_failed(stage, runs / f"failed-{order.case.incident.id}")
        if kept is None:
            raise
        raise RunFailed(f"{failure} The notebook as far as it came: {os.path.relpath(kept)}") from failure


def derive(order: RunRequest, stage: Path, *, progress: bool = False) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Derive the report of a case from nothing but its inputs, into `stage/report`.

    Parameters
    ----------
    order : RunRequest
    stage : Path
        Working folder of the kernels, at the depth of the folder of a run.
    progress : bool

    Returns
    -------
    results : dict
    notes : list of dict
        What the log keeps of each notebook: seconds and warnings.

    Raises
    ------
    RunFailed
    """
    from rca.report.page.page import render

    report = stage / publish.REPORT
    report.mkdir()
    known = personal(order.case)
    if known.problems:
        raise InvalidCase(list(known.problems))
    provenance = {**manifest.provenance(order), "masked": known.to_list()}
    with known.masking.kept(stage / CACHE / MASKING):
        notebooks, notes = _execute_all(order, stage, known.masking, progress=progress)
        results = _agreed(notebooks)
        if manifest.inputs(order.case.folder) != provenance["inputs"]:
            raise RunFailed("the case changed while it was analysed; run again when it is at rest")
        incident = _masked(order.case.incident, known.masking)
        page = render(incident, notebooks, results=results, provenance=provenance, beside=order.beside)
    for name, notebook in notebooks.items():
        (report / f"{name}.ipynb").write_bytes(to_json(notebook))
    (report / "results.json").write_bytes(to_json(results))
    if order.beside and "data-figure=" in page:
        (report / FILE).write_text(plotly_js(), encoding="utf-8", newline="\n")
    (report / "report.html").write_text(page, encoding="utf-8", newline="\n")
    manifest.finish(report, provenance)
    return results, notes


def _masked(incident: Incident, masking: Masking) -> Incident:
    """The record as a page may tell it; its id is the report's own."""
    plain = masking.over(incident.model_dump(mode="json", by_alias=True))
    return Incident.model_validate({**plain, "id": incident.id})


# --- the notebooks ---------------------------------------------------------------------------------------------------


def _execute_all(
    order: RunRequest, stage: Path, masking: Masking, *, progress: bool
) -> tuple[dict[str, Notebook], list[dict[str, Any]]]:
    notebooks, notes = {}, []
    with bar(order.templates, shown=progress) as tick:
        for template in order.templates:
            started = time.monotonic()
            parameters = order.parameters(template)
            try:
                executed = execute(template, parameters, stage, timeout=order.timeout, tick=tick)
            except RunFailed:
                _mask_failed(stage / f"{template.name}.ipynb", masking)
                raise
            notebook, warnings = canonical(executed, parameters)
            notebooks[template.name] = masking.outputs(notebook)
            notes.append(
                {"notebook": template.name, "seconds": round(time.monotonic() - started, 3), "warnings": warnings}
            )
    return notebooks, notes


def _mask_failed(kept: Path, masking: Masking) -> None:
    """A notebook that failed is kept for a person to read, so that it is masked as well."""
    if kept.is_file():
        kept.write_bytes(to_json(masking.outputs(json.loads(kept.read_bytes()))))


def _agreed(notebooks: Mapping[str, Notebook]) -> dict[str, Any]:
    """What all notebooks conclude from.

    Raises
    ------
    RunFailed
        If a notebook carries no results, or two differ, or a finding shown is none of the results.
    """
    carried = {name: bundles(notebook, RESULTS) for name, notebook in notebooks.items()}
    silent = [name for name, found in carried.items() if not found]
    if silent:
        raise RunFailed(f"{silent[0]} carries no results; a template calls show.results(analysis)")
    results: dict[str, Any] = next(iter(carried.values()))[0]
    apart = [name for name, found in carried.items() if any(other != results for other in found)]
    if apart:
        raise RunFailed(
            f"{apart[0]} concludes from other results than the notebook before it: the analysis is not repeatable"
        )
    known = {finding["id"]: finding["claim"] for finding in results["findings"]}
    for name, notebook in notebooks.items():
        for finding in (one for bundle in bundles(notebook, FINDINGS) for one in bundle):
            if known.get(finding["id"]) != finding["claim"]:
                raise RunFailed(f"{name} shows the finding {finding['id']!r}, which is not among the results")
    return results


# --- the log ---------------------------------------------------------------------------------------------------------


def _log(started: float, notes: list[dict[str, Any]]) -> dict[str, Any]:
    """What depends on the machine and the hour; no digest covers it."""
    return {
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "seconds": round(time.time() - started, 3),
        "host": platform.node(),
        "user": getpass.getuser(),
        "platform": platform.platform(),
        "notebooks": notes,
    }
