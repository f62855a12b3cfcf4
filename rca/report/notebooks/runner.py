"""Execute a notebook with a kernel of its own; the only import of papermill."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rca.errors import RunFailed
from rca.report.notebooks.kernel import kernel, take_limits
from rca.report.notebooks.templates import Template
from rca.report.rendering.plain_text import plain

if TYPE_CHECKING:
    from types import ModuleType

TIMEOUT = 600
"""Seconds that one cell may take."""

CACHE = "kept"
"""Folder of a stage in which the kernels of one run share what is not published."""

START = 60
"""Seconds that a kernel may take to start."""


@contextmanager
def bar(templates: Sequence[Template], *, shown: bool) -> Iterator[Callable[[str], None]]:
    """A progress bar over all cells of all notebooks."""
    from tqdm import tqdm

    cells = sum(cell["cell_type"] == "code" for template in templates for cell in template.notebook["cells"])
    with tqdm(total=cells + len(templates), unit="cell", disable=not shown, file=sys.stderr, leave=False) as shown_bar:

        def tick(name: str) -> None:
            shown_bar.set_description(name, refresh=False)
            shown_bar.update()

        yield tick


def execute(
    template: Template,
    parameters: Mapping[str, Any],
    stage: Path,
    *,
    timeout: int,
    tick: Callable[[str], None],
) -> Mapping[str, Any]:
    """Execute one notebook with a kernel of its own.

    Parameters
    ----------
    template : Template
    parameters : dict
        What is injected.
    stage : Path
        Working folder of the kernel.
    timeout : int
        Seconds that one cell may take.
    tick : callable
        Told the notebook's name after every cell.

    Raises
    ------
    RunFailed
        Naming the notebook, the cell, and the last line of the error; or a limit under which no kernel can start.
    """
    take_limits()
    papermill = _papermill()
    at = ["(start of the kernel)"]
    kept = stage / f"{template.name}.ipynb"
    try:
        with kernel(stage / CACHE) as manager_class:
            executed: Mapping[str, Any] = papermill.execute_notebook(
                template.path,
                kept,
                parameters=dict(parameters),
                kernel_name="python3",
                progress_bar=False,
                start_timeout=START,
                execution_timeout=timeout,
                autosave_cell_every=0,
                cwd=stage,
                kernel_manager_class=manager_class,
                on_cell_start=lambda cell, cell_index: at.append(cell["id"]),  # noqa: ARG005 - called by keyword
                on_cell_executed=lambda **_: tick(template.name),
            )
            return executed
    except (papermill.PapermillExecutionError, TimeoutError, RuntimeError) as error:
        raise RunFailed(f"{template.name}, cell {at[-1]!r}: {_last_line(error, timeout)}") from error


def _last_line(error: Exception, timeout: int) -> str:
    if isinstance(error, TimeoutError):
        return f"it took longer than {timeout} s."
    named = getattr(error, "ename", None)
    said = f"{named}: {getattr(error, 'evalue', '')}" if named else str(error)
    return plain(said.strip().splitlines()[-1] if said.strip() else type(error).__name__, 300).rstrip(".") + "."


def _papermill() -> "ModuleType":
    """Import papermill without the IRI grammar, which takes longer to build than a notebook to run.

    `jsonschema` uses `rfc3987_syntax` where it can be imported, for a format that no notebook has.
    """
    name = "rfc3987_syntax"
    blocked = name not in sys.modules
    if blocked:
        sys.modules[name] = None  # type: ignore[assignment]  # marks a module as not importable
    try:
        import papermill
    finally:
        if blocked:
            del sys.modules[name]
    module: ModuleType = papermill
    return module
