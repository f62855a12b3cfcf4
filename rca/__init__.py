"""Root-cause analysis of AI incidents: a closed incident's folder in, a post-mortem that can be re-run out.

The public names load their module when they are first used, so that `import rca` costs nothing.

>>> import rca
>>> case = rca.load("data/incidents/credit-drift")          # doctest: +SKIP
>>> print(rca.verdict(case))                                # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rca.analysis.cascade.question import cascade
    from rca.analysis.causal.question import causes, graph, odd
    from rca.analysis.conclusion.question import recovery, rows_of, verdict
    from rca.analysis.counterfactual.question import what_if
    from rca.analysis.drift.question import drift, joint
    from rca.analysis.event_study.question import effect
    from rca.analysis.explanation.question import explain
    from rca.analysis.faults.question import faults
    from rca.analysis.harm.question import harm
    from rca.analysis.onset.question import onset
    from rca.analysis.portfolio.question import portfolio
    from rca.analysis.slices.question import gaps, slices
    from rca.errors import InvalidCase, RunFailed, Unanswerable
    from rca.finding import Finding
    from rca.practice.score import score
    from rca.record.case import Case, load
    from rca.record.check import check
    from rca.record.schema.why_tree import why
    from rca.record.why_tree.lint import lint
    from rca.record.why_tree.write_back import save_whys
    from rca.report.audit.verify import verify
    from rca.report.notebooks.analysis_cache import analyse
    from rca.report.plot import plot
    from rca.report.run.case_run import run
    from rca.tables.sketch import sketch, sketches

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
    "rows_of",
    "run",
    "save_whys",
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
    "analyse": "rca.report.notebooks.analysis_cache",
    "cascade": "rca.analysis.cascade.question",
    "causes": "rca.analysis.causal.question",
    "check": "rca.record.check",
    "drift": "rca.analysis.drift.question",
    "effect": "rca.analysis.event_study.question",
    "explain": "rca.analysis.explanation.question",
    "faults": "rca.analysis.faults.question",
    "gaps": "rca.analysis.slices.question",
    "graph": "rca.analysis.causal.question",
    "harm": "rca.analysis.harm.question",
    "joint": "rca.analysis.drift.question",
    "lint": "rca.record.why_tree.lint",
    "load": "rca.record.case",
    "odd": "rca.analysis.causal.question",
    "onset": "rca.analysis.onset.question",
    "plot": "rca.report.plot",
    "portfolio": "rca.analysis.portfolio.question",
    "recovery": "rca.analysis.conclusion.question",
    "rows_of": "rca.analysis.conclusion.question",
    "run": "rca.report.run.case_run",
    "save_whys": "rca.record.why_tree.write_back",
    "score": "rca.practice.score",
    "sketch": "rca.tables.sketch",
    "sketches": "rca.tables.sketch",
    "slices": "rca.analysis.slices.question",
    "verdict": "rca.analysis.conclusion.question",
    "verify": "rca.report.audit.verify",
    "what_if": "rca.analysis.counterfactual.question",
    "why": "rca.record.schema.why_tree",
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
