"""Inputs of the analyses: reference and current window with column roles, metric, model and causal graph."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from rca.analysis.inputs.arguments import edges_of, metric_of, model_of, require_column, roles_of, seeded
from rca.analysis.inputs.blocks import spread_out
from rca.analysis.inputs.metric_reader import MetricReader
from rca.analysis.inputs.weights import in_proportion
from rca.arrays import Places
from rca.errors import InvalidCase, Unanswerable
from rca.methods.metric import Measured, measure
from rca.record.case import Roles
from rca.record.model.model import Model
from rca.record.schema.incident import Metric
from rca.tables.columns import as_labels, as_numbers, holds
from rca.tables.frames import as_pandas

if TYPE_CHECKING:
    from rca.record.case import Case

TIMES = frozenset({"datetime64", "datetime", "date", "string", "categorical", "empty"})
"""Inferred types that a time column may have; of numbers the epoch is not known."""


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Reference and current window of a case, with roles, metric, model and causal parents of their columns.

    Attributes
    ----------
    reference, current : pandas.DataFrame
        The current rows in time order where the case has a time.
    roles : Roles
    metric : Metric
    model : Model or None
    unasked : str
        Why the model on file cannot be asked, where it cannot; then `model` is None.
    model_name : str
        The system that answers.
    produces : bool
        Whether the outcome is a model's own output, such as replies, with no label to compare with; then a change of
        P(outcome given inputs) is attributed to the model and not to the world.
    answers_same : bool
        Whether the model, or a faithful surrogate, was rescored; then its answers need no density ratio.
    parents : dict of str to tuple of str
        Direct causes of each column, where the case has a causal graph; else empty.
    """

    reference: pd.DataFrame
    current: pd.DataFrame
    roles: Roles
    metric: Metric
    model: Model | None = None
    unasked: str = ""
    model_name: str = "model"
    produces: bool = False
    answers_same: bool = False
    parents: dict[str, tuple[str, ...]]

    @property
    def by_weight(self) -> "Windows":
        """The same with rows in proportion to their weight; itself where rows have none."""
        weight = self.roles.weight
        if weight is None:
            return self
        reference, current = (in_proportion(rows, weight) for rows in (self.reference, self.current))
        return replace(self, reference=reference, current=current, roles=replace(self.roles, weight=None))

    @property
    def meter(self) -> MetricReader:
        """Reader of the metric's per-row numerators and denominators."""
        return MetricReader(metric=self.metric, roles=self.roles)

    @property
    def label(self) -> str:
        """The label's column; "label" where the case has none."""
        return self.roles.label or "label"


def measured_of(windows: Windows, *, seed: int = 0) -> Measured:
    """The metric in both windows and its change.

    Raises
    ------
    Unanswerable
        If the metric cannot be computed in one of the windows.
    """
    groups = windows.meter.segments(windows.reference, windows.current)
    before, after = (windows.meter.parts(rows, groups=groups) for rows in (windows.reference, windows.current))
    return measure(before, after, windows.metric, rng=seeded(seed), entities=entities_of(windows))


def entities_of(windows: Windows) -> "tuple[Places | None, Places | None]":
    """Whose row each is, in both windows; None where the case names no entity."""
    return windows.meter.entities(windows.reference), windows.meter.entities(windows.current)


def windows_of(case: "Case") -> Windows:
    """Collect the inputs of the harm attribution from a case.

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
    model = None if case.model is None else _reading(case.model, reference)
    unasked = "" if model is None else model.refusal(reference) or model.refusal(current)
    roles = case.roles.read_by(model.features if model is not None else _perhaps_read(case.roles))
    reference, current, roles = spread_out(reference, current, roles)
    return Windows(
        reference=reference.reset_index(drop=True),
        current=current.reset_index(drop=True),
        roles=roles,
        metric=case.incident.metric,
        model=None if unasked else model,
        unasked=unasked,
        model_name=case.incident.model_name,
        produces=case.roles.label is None and any(system.kind == "model" for system in case.incident.systems),
        parents=_parents(_edges(case), set(map(str, reference.columns))),
    )


def both_windows(case: "Case") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Reference and current table of a case.

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
    metric: Metric | str | Mapping[str, Any] | None = None,
    model: Any = None,
    graph: Iterable[tuple[str, str]] = (),
    **roles: Any,
) -> Windows:
    """Collect the inputs of the harm attribution from plain tables.

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
    if metric is None:
        hint = "give what went wrong, such as metric='error_rate'"
        raise InvalidCase.because("no metric is given", place="metric", hint=hint)
    asked = metric_of(metric)
    columns = [name for name in reference.columns if name in current]
    if asked.column is not None:
        require_column(asked.column, columns, place="metric.column")
    known = Roles.of(reference.columns, asked.column, **roles_of(roles, columns))
    if known.time is not None:
        reference, current = (_timed(rows, known.time) for rows in (reference, current))
        current = current.sort_values(known.time, kind="stable")
    asked_of = model_of(model, known.features, positive=known.positive)
    asked_of = None if asked_of is None else _reading(asked_of, reference)
    known = known.read_by(asked_of.features if asked_of is not None else _perhaps_read(known))
    reference, current, known = spread_out(reference, current, known)
    windows = Windows(
        reference=reference.reset_index(drop=True),
        current=current.reset_index(drop=True),
        roles=known,
        metric=asked,
        model=asked_of,
        parents=_parents(edges_of(graph), set(columns)),
    )
    _require_positive(windows)
    return windows


def _reading(model: Model, reference: pd.DataFrame) -> Model:
    """The model, asked of words where the reference has numbers: as numbers, or as missing, as most encoders do."""
    numbers = {str(name) for name in reference if pd.api.types.is_numeric_dtype(reference[name])}

    def read(rows: pd.DataFrame) -> pd.DataFrame:
        words = [name for name in rows if name in numbers and not pd.api.types.is_numeric_dtype(rows[name])]
        return rows.assign(**{name: as_numbers(rows[name]) for name in words}) if words else rows

    inside = None if model.inside is None else model.inside.after(read)
    return replace(model, answer=lambda rows: model.answer(read(rows)), inside=inside)


def _timed(rows: pd.DataFrame, time: str) -> pd.DataFrame:
    """Parse the time column to UTC, from timestamps, dates or ISO 8601 text."""
    given, hint = rows[time], "give times, dates, or text such as 2026-05-02T09:10:00Z"
    held = pd.api.types.infer_dtype(given, skipna=True)
    if held not in TIMES:
        raise InvalidCase.because(f"column {time!r} holds {held} values, no times", place="time", hint=hint)
    try:
        moments = pd.to_datetime(given, utc=True, format=None if held == "datetime64" else "ISO8601")
    except (TypeError, ValueError) as error:
        said = str(error).splitlines()[0]
        raise InvalidCase.because(f"column {time!r} holds no times: {said}", place="time", hint=hint) from None
    return rows.assign(**{time: moments})


def _require_positive(windows: Windows) -> None:
    """Refuse a positive value that the metric needs and that no row of either window has."""
    require_yes(windows, [name for name in _of_yes(windows) if name is not None])


def require_yes(windows: Windows, asked: Sequence[str]) -> None:
    """Refuse a positive value that no row of these columns has, where they have at least two other values.

    Raises
    ------
    InvalidCase
    """
    columns = [rows[name] for name in asked for rows in (windows.reference, windows.current)]
    if not columns or any(holds(values, windows.roles.positive).any() for values in columns):
        return
    said = sorted({str(label) for values in columns for label in as_labels(values.dropna())})
    if len(said) > 1:
        few = ", ".join(map(repr, said[:5])) + (", …" if len(said) > 5 else "")
        what = f"no row of {' or '.join(map(repr, asked))} is {windows.roles.positive!r}, which would mean yes"
        hint = f"give the value that means yes, as positive={said[-1]!r}; there are {few}"
        raise InvalidCase.because(what, place="positive", hint=hint)


def _of_yes(windows: Windows) -> tuple[str | None, ...]:
    """Columns in which the metric, or the model's decisions, need to know the positive value."""
    roles, meter = windows.roles, windows.meter
    if meter.outcome is not None:
        return (meter.outcome,) if meter.base == "rate" and _is_words(windows.reference[meter.outcome]) else ()
    if roles.class_scores and meter.base in ("error_rate", "log_loss", "brier"):
        return ()
    if meter.base in ("false_positive_rate", "false_negative_rate", "log_loss", "brier"):
        return (roles.label, roles.prediction)
    if meter.base == "error_rate" and roles.prediction is None:
        return (roles.label,)
    said = None if windows.model is None or roles.prediction is None else windows.reference[roles.prediction]
    return (roles.label, roles.prediction) if said is not None and _is_words(said) and said.nunique() == 2 else ()


def _is_words(values: "pd.Series[Any]") -> bool:
    return not pd.api.types.is_numeric_dtype(values)


def _parents(graph: Iterable[tuple[str, str]], columns: set[str]) -> dict[str, tuple[str, ...]]:
    """Causal parents of every column in the graph."""
    edges = tuple(graph)
    nodes = sorted({node for edge in edges for node in edge} & columns)
    return {node: tuple(sorted(c for c, e in edges if e == node and c in columns)) for node in nodes}


def windows_asked(case: "Case | Any", current: Any, asked: Mapping[str, Any]) -> Windows:
    """Inputs of an analysis, from a case or from two tables with the roles of their columns."""
    if current is not None:
        return windows_from(*as_frames(case, current), **asked)
    if asked:
        raise InvalidCase.because(f"a case names its own {min(asked)}", place="arguments", hint="leave it out")
    return windows_of(require_case(case))


def as_frames(reference: Any, current: Any, columns: Any = None) -> tuple[Any, Any]:
    """Convert two tables of any engine to pandas frames, with some columns or all."""
    return as_pandas(reference, columns, place="reference"), as_pandas(current, columns, place="current")


def require_case(given: "Case | Any") -> "Case":
    """Validate that a case is given."""
    from rca.record.case import Case

    if not isinstance(given, Case):
        what = f"{type(given).__name__} alone cannot be compared"
        raise InvalidCase.because(what, place="arguments", hint="give a case, or a reference and a current table")
    return given


def _perhaps_read(roles: Roles) -> tuple[str, ...]:
    """Columns of groups that whatever gave the recorded answers may have read, where no model says which it reads."""
    answered = (roles.score or roles.prediction) is not None or roles.class_scores
    return roles.groups if answered else ()
