"""What a report is a function of, beside code and environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rca.record.case import Case
from rca.report.notebooks.runner import TIMEOUT
from rca.report.notebooks.templates import Template


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What is to be run: all that a report is a function of, beside code and environment.

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
    """

    case: Case
    written: str
    templates: tuple[Template, ...]
    settings: Mapping[str, Any]
    seed: int
    only: tuple[str, ...] | None = None
    timeout: int = TIMEOUT

    def parameters(self, template: Template) -> dict[str, Any]:
        """What is injected into one template: all that it takes, in its own order."""
        given = {**self.settings, "case": self.written, "seed": self.seed}
        return {one.name: given.get(one.name, one.default) for one in template.parameters}
