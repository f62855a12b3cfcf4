"""What an analysis of harm looks at: both windows, what their columns are, the metric, the model, the graph."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd

from rca.analysis.meter import Meter
from rca.errors import InvalidCase, Unanswerable, did_you_mean
from rca.record.case import Roles
from rca.record.incident import Metric, MetricName
from rca.record.model import Model, model_in_memory

if TYPE_CHECKING:
    from rca.record.case import Case


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
    roles: Roles
    metric: Metric
    model: Model | None = None
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
        parents=_parents(_edges(case), set(map(str, reference.columns))),
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


def _edges(case: "Case") -> Iterable[tuple[str, str]]:
    return case.graph.edges if case.graph is not None and case.graph.kind == "causal" else ()


def windows_from(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    metric: Metric | str | Mapping[str, Any],
    model: Any = None,
    graph: Iterable[tuple[str, str]] = (),
    **roles: Any,
) -> Windows:
    """Read what the division of the harm needs off plain tables.

    Parameters
    ----------
    reference, current : pandas.DataFrame
        Rows before and during the failure.
    metric : Metric, str or mapping
        What went wrong: a name such as "error_rate", or the keys that `metric` has in a record.
    model : Model, LightGBM, XGBoost or scikit-learn model, or callable, optional
        What answers rows; a callable takes a frame of the features and gives one number for each row.
    graph : iterable of (str, str)
        Cause and effect, of columns.
    **roles
        Columns by role: time, label, prediction, score, weight, id, groups, text, ignore, categorical, features; and
        `positive`, the value that means yes.

    Raises
    ------
    InvalidCase
        If a role or a metric is not known, or a column that is named is not there.

    Examples
    --------
    >>> rows = pd.DataFrame({"age": [30, 40], "paid": [0, 1], "said": [0, 0]})
    >>> windows_from(rows, rows, metric="error_rate", label="paid", prediction="said").roles.features
    ('age',)
    """
    asked = _metric(metric)
    reference, current = _named(reference), _named(current)
    columns = set(map(str, reference.columns))
    _require_roles(roles, columns & set(map(str, current.columns)))
    known = Roles.of(map(str, reference.columns), asked.column, **roles)
    current = current.sort_values(known.time, kind="stable") if known.time is not None else current
    return Windows(
        reference=reference.reset_index(drop=True),
        current=current.reset_index(drop=True),
        roles=known,
        metric=asked,
        model=_model(model, known),
        parents=_parents(graph, columns),
    )


def _metric(given: Metric | str | Mapping[str, Any]) -> Metric:
    from pydantic import ValidationError

    if isinstance(given, Metric):
        return given
    plain = {"name": given} if isinstance(given, str) else dict(given)
    try:
        return Metric.model_validate(plain)
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        hint = did_you_mean(str(plain.get("name")), get_args(MetricName))
        raise InvalidCase.because(f"no such metric: {said}", place="metric", hint=hint) from error


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    """The table with each column under one name of its own."""
    if rows.columns.nlevels > 1:
        what, hint = f"its columns have names of {rows.columns.nlevels} levels", "give each column one name"
        raise InvalidCase.because(what, place="table", hint=hint)
    rows = rows.rename(columns=str)
    if not rows.columns.is_unique:
        twice = rows.columns[rows.columns.duplicated()][0]
        raise InvalidCase.because(f"two columns are called {twice!r}", place="table", hint="rename one of them")
    return rows


def _require_roles(roles: Mapping[str, Any], columns: set[str]) -> None:
    if not isinstance(roles.get("positive", 1), str | float | int):
        what = f"{roles['positive']!r} cannot be a label's value"
        raise InvalidCase.because(what, place="positive", hint="give the text or number that means yes")
    for role, named in roles.items():
        if role not in Roles.__dataclass_fields__:
            hint = did_you_mean(role, Roles.__dataclass_fields__)
            raise InvalidCase.because(f"no role {role!r}", place="keyword arguments", hint=hint)
        wanted = () if role == "positive" or named is None else (named,) if isinstance(named, str) else named
        for column in wanted:
            if column not in columns:
                hint = did_you_mean(str(column), columns)
                raise InvalidCase.because(f"no column {column!r} in both windows", place=role, hint=hint)


def _model(given: Any, roles: Roles) -> Model | None:
    return None if given is None else model_in_memory(given, features=roles.features, positive=roles.positive)


def _parents(graph: Iterable[tuple[str, str]], columns: set[str]) -> dict[str, tuple[str, ...]]:
    """Direct causes of every column that a causal graph knows."""
    edges = tuple(graph)
    nodes = sorted({node for edge in edges for node in edge} & columns)
    return {node: tuple(sorted(c for c, e in edges if e == node and c in columns)) for node in nodes}
