"""What an analysis of harm looks at: both windows, what their columns are, the metric, the model, the graph."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rca.analysis.meter import Meter
from rca.errors import Unanswerable

if TYPE_CHECKING:
    from rca.record.case import Case, Roles
    from rca.record.incident import Metric
    from rca.record.model import Model


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Both windows of a case, and what is known about them.

    Attributes
    ----------
    reference, current : pandas.DataFrame
        The current rows in time order where the case has a time.
    roles : Roles
    metric : Metric
    model : Model or None
    model_name : str
        The system that answers.
    produces : bool
        Whether rows are what a model produced, replies say, with no truth to compare them with; then an outcome that
        follows the inputs otherwise is the model's doing, and not the world's.
    answers_same : bool
        Whether the model, or a stand-in for it, was asked; then its answers need no ratio.
    parents : dict of str to tuple of str
        Direct causes of each column, where the case has a causal graph; else empty.
    """

    reference: pd.DataFrame
    current: pd.DataFrame
    roles: "Roles"
    metric: "Metric"
    model: "Model | None" = None
    model_name: str = "model"
    produces: bool = False
    answers_same: bool = False
    parents: dict[str, tuple[str, ...]]

    @property
    def meter(self) -> Meter:
        """Reads the metric's parts off rows."""
        return Meter(metric=self.metric, roles=self.roles)

    @property
    def label(self) -> str:
        """The label's column; "label" where the case has none."""
        return self.roles.label or "label"


def windows_of(case: "Case") -> Windows:
    """Read what the division of the harm needs off a case.

    Raises
    ------
    Unanswerable
        If the case has not both windows, or no metric.
    """
    reference, current = both_windows(case)
    if case.incident.metric is None:
        raise Unanswerable("how much harm was done", "the case names no metric")
    if case.roles.time is not None:
        current = current.sort_values(case.roles.time, kind="stable")
    return Windows(
        reference=reference.reset_index(drop=True),
        current=current.reset_index(drop=True),
        roles=case.roles,
        metric=case.incident.metric,
        model=case.model,
        model_name=case.incident.model_name,
        produces=case.roles.label is None and any(system.kind == "model" for system in case.incident.systems),
        parents=_parents(case, set(map(str, reference.columns))),
    )


def both_windows(case: "Case") -> tuple[pd.DataFrame, pd.DataFrame]:
    """The reference and the current rows of a case.

    Raises
    ------
    Unanswerable
        If one of them is not there.
    """
    reference, current = case.reference, case.current
    if reference is None or current is None:
        raise Unanswerable("what moved", "the case has no tables of both windows")
    return reference, current


def _parents(case: "Case", columns: set[str]) -> dict[str, tuple[str, ...]]:
    """Direct causes of every column that the case's causal graph knows."""
    if case.graph is None or case.graph.kind != "causal":
        return {}
    nodes = sorted({node for edge in case.graph.edges for node in edge} & columns)
    return {node: tuple(sorted(c for c, e in case.graph.edges if e == node and c in columns)) for node in nodes}
