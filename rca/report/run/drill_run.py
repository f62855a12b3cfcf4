"""Run the debrief of a drill: its notebook, its page, and the record that both are made from."""

from collections.abc import Iterator
from pathlib import Path

import rca
from rca import shipped
from rca.errors import InvalidCase
from rca.record.files.drill_file import FILE, read_drill
from rca.record.files.whole_file import DRAFT
from rca.record.schema.drill import Drill
from rca.report.manifest import provenance as manifest
from rca.report.manifest.integrity import SCHEMA, entry
from rca.report.notebooks.canonical import canonical, to_json
from rca.report.notebooks.held_folder import own
from rca.report.notebooks.runner import TIMEOUT, bar, execute
from rca.report.notebooks.templates import load
from rca.report.page.page import render_sheet
from rca.report.rendering.plain_text import moment

NAME = "drill"
"""Of the notebook."""


def run_debrief(drill: Drill, out: Path, *, progress: bool = False) -> Path:
    """Write the debrief of a drill that is over, whole or not at all.

    Parameters
    ----------
    drill : Drill
    out : Path
        Folder of drills; a folder of its own is made in it, and a second one for a drill that is played again.
    progress : bool

    Returns
    -------
    Path
        Of the folder: `drill.json`, `drill.ipynb` and `report.html`.

    Raises
    ------
    InvalidCase
        If nothing can be written there.
    RunFailed
        If the notebook fails.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidCase.because(f"no debrief can be written here: {error.strerror}", place=str(out)) from error
    with own(out, DRAFT) as stage:
        made = stage / "made"
        made.mkdir()
        (made / FILE).write_bytes(to_json(drill.model_dump(mode="json", by_alias=True)))
        _derive(made, stage, progress=progress)
        final = next(to for to in _names(out, drill.id) if not to.exists())
        made.rename(final)
    return final


def _names(out: Path, name: str) -> Iterator[Path]:
    yield out / name
    yield from (out / f"{name}.{again}" for again in range(2, 10_000))


def _derive(made: Path, stage: Path, *, progress: bool) -> None:
    """The notebook and the page, from the record alone."""
    template = load(shipped.templates() / f"{NAME}.ipynb")
    parameters = {NAME: f"{made.name}/{FILE}"}
    with bar([template], shown=progress) as tick:
        executed = execute(template, parameters, stage, timeout=TIMEOUT, tick=tick)
    notebook, _ = canonical(executed, parameters)
    drill = read_drill(made / FILE)
    facts = (drill.place, f"level {drill.level}", f"{drill.team.total:g} of 100 points", f"held {moment(drill.held)}")
    made_from = {
        "schema": SCHEMA, "inputs": {FILE: entry(made / FILE)}, "templates": {template.path.name: entry(template.path)},
        "parameters": {}, "code": {"version": rca.__version__, "sha256": manifest.code()},
        "environment": manifest.environment(),
    }  # fmt: skip
    page = render_sheet(f"Debrief: {drill.id}", facts, notebook=(NAME, notebook), provenance=made_from)
    (made / f"{NAME}.ipynb").write_bytes(to_json(notebook))
    (made / "report.html").write_text(page, encoding="utf-8", newline="\n")
