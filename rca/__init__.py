"""Root-cause analysis of AI incidents: a closed incident's folder in, a post-mortem that can be re-run out.

The public names load their module when they are first used, so that `import rca` costs nothing.

>>> import rca
>>> case = rca.load("data/incidents/credit-drift")          # doctest: +SKIP
>>> print(rca.verdict(case))                                # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rca.analysis.along import graph, odd
    from rca.analysis.effects import effect
    from rca.analysis.engine import verdict
    from rca.analysis.portfolio import portfolio
    from rca.analysis.questions import (
        causes,
        drift,
        explain,
        faults,
        gaps,
        harm,
        joint,
        onset,
        recovery,
        slices,
        what_if,
    )
    from rca.analysis.sketch import sketch, sketches
    from rca.analysis.systems import cascade
    from rca.errors import InvalidCase, RunFailed, Unanswerable
    from rca.finding import Finding
    from rca.practice.score import score
    from rca.record.case import Case, check, load
    from rca.record.whylint import lint
    from rca.record.whys import why
    from rca.report.execute import run
    from rca.report.figures import plot
    from rca.report.kept import analyse
    from rca.report.manifest import verify

__version__ = "0.1.0"

__all__ = [
    "Case",
    "Finding",
    "InvalidCase",
    "RunFailed",
    "Unanswerable",
    "__version__",
    "analyse",
    "cascade",
    "causes",
    "check",
    "drift",
    "effect",
    "explain",
    "faults",
    "gaps",
    "graph",
    "harm",
    "joint",
    "lint",
    "load",
    "odd",
    "onset",
    "plot",
    "portfolio",
    "recovery",
    "run",
    "score",
    "sketch",
    "sketches",
    "slices",
    "verdict",
    "verify",
    "what_if",
    "why",
]

_HOMES = {
    "Case": "rca.record.case",
    "Finding": "rca.finding",
    "InvalidCase": "rca.errors",
    "RunFailed": "rca.errors",
    "Unanswerable": "rca.errors",
    "analyse": "rca.report.kept",
    "cascade": "rca.analysis.systems",
    "causes": "rca.analysis.questions",
    "check": "rca.record.case",
    "drift": "rca.analysis.questions",
    "effect": "rca.analysis.effects",
    "explain": "rca.analysis.questions",
    "faults": "rca.analysis.questions",
    "gaps": "rca.analysis.questions",
    "graph": "rca.analysis.along",
    "harm": "rca.analysis.questions",
    "joint": "rca.analysis.questions",
    "lint": "rca.record.whylint",
    "load": "rca.record.case",
    "odd": "rca.analysis.along",
    "onset": "rca.analysis.questions",
    "plot": "rca.report.figures",
    "portfolio": "rca.analysis.portfolio",
    "recovery": "rca.analysis.questions",
    "run": "rca.report.execute",
    "score": "rca.practice.score",
    "sketch": "rca.analysis.sketch",
    "sketches": "rca.analysis.sketch",
    "slices": "rca.analysis.questions",
    "verdict": "rca.analysis.engine",
    "verify": "rca.report.manifest",
    "what_if": "rca.analysis.questions",
    "why": "rca.record.whys",
}
"""Public name → the module it lives in, under the same name."""


def __getattr__(name: str) -> Any:
    """Load a public name from its home and keep it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'rca' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
