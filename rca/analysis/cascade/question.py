"""Public question on a cascade: which system failed first, of a case or of a plain table of signals.

A case's signals have the model's own metric added, aggregated from rows at the moments of the signals.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.cascade.origin_ranking import CASCADE_QUESTION, rank_origins
from rca.analysis.cascade.results import Cascade
from rca.analysis.inputs.arguments import edges_of
from rca.analysis.inputs.windows import Windows, windows_of
from rca.arrays import Floats
from rca.errors import InvalidCase, Unanswerable
from rca.methods.seasonality import seconds_of
from rca.record.case import Case
from rca.record.files.table_files import in_utc
from rca.record.files.yaml_document import plain
from rca.record.schema.incident import Signals
from rca.tables.frames import as_pandas

MIN_ROWS = 20
"""Rows behind one value of the metric, on average; of a gap as many in each group."""

MOMENTS = 30
"""Moments that rows have to reach, or the metric cannot date its failure among the others."""


def cascade_of(case: "Case") -> Cascade:
    """Rank the systems of a case as the origin of a cascade.

    Raises
    ------
    Unanswerable
        If the case has no signals, or too few samples.
    """
    if case.signals is None or case.incident.signals is None:
        raise Unanswerable(CASCADE_QUESTION, "the case has no signals")
    graph = case.graph
    table, signals = with_metric(case, case.signals, case.incident.signals)
    return rank_origins(
        table,
        signals,
        edges=graph.edges if graph is not None else (),
        kind=graph.kind if graph is not None else "causal",
        contained=case.incident.timeline.contained,
    )


Kind = Literal["causal", "calls"]

_ITS_SIGNALS = "ask of a table: pd.read_parquet of its signals, with since, target, bad and graph"


def cascade(
    case: "Case | Any",
    *,
    since: str | datetime | None = None,
    until: str | datetime | None = None,
    target: str | None = None,
    bad: Mapping[str, str] | None = None,
    graph: Any = (),
    kind: Kind = "causal",
) -> Cascade:
    """Cascade analysis: which system left its normal range first, and how the failure propagated.

    Parameters
    ----------
    case : Case or table
        Of a table: a column `time`, then one column a signal, named `component|metric`.
    since, until : str or datetime, optional
        The failing window, its ends included; what lies before is normal. To the last row where `until` is left out.
    target : str, optional
        The signal whose alarm rang.
    bad : mapping of metric to {'up', 'down'}, optional
        The bad direction of each metric, as far as it has one: ``{"latency": "up"}``.
    graph : pairs of names, optional
        What can act on what, by component; a part of it will do.
    kind : {'causal', 'calls'}
        Pairs of cause and effect, or of caller and callee: a failure travels from callee to caller.

    Raises
    ------
    InvalidCase
        If the table has no column `time` or a time has no offset, a direction or a kind is unknown, or the target is
        none of the signals.
    Unanswerable
        If there are no signals, or too few samples.

    Examples
    --------
    >>> import numpy as np
    >>> made = pd.DataFrame({"time": pd.date_range("2026-03-02", periods=200, freq="min", tz="UTC")})
    >>> for name, late in (("web", 8), ("database", 2)):
    ...     noise = np.random.default_rng(late).normal(20, 1, 200)
    ...     made[f"{name}|latency"] = noise + 15 * (np.arange(200) >= 150 + late)
    >>> print(cascade(made, since="2026-03-02T02:30Z", graph=[("web", "database")], kind="calls"))
    database first, by database|latency: 14.4 standard deviations from normal
    """
    from rca.record.case import Case

    if isinstance(case, Case):
        if any(one is not None for one in (since, until, target, bad)) or graph:
            raise InvalidCase.because("a case brings its own window, alarm and graph", place="case", hint=_ITS_SIGNALS)
        return cascade_of(case)
    if kind not in get_args(Kind):
        what = f"kind must be 'causal' or 'calls', got {plain(str(kind))!r}"
        hint = "causal for pairs of cause and effect, calls for pairs of caller and callee"
        raise InvalidCase.because(what, place="kind", hint=hint)
    table = _timed(as_pandas(case))
    if since is None:
        what = "since is missing: the start of the failing window"
        raise InvalidCase.because(what, place="since", hint="since='2026-03-02T10:30Z'")
    end = until if until is not None else table["time"].max()
    signals = _signals({"from": _iso(since), "to": _iso(end), "target": target, "bad": bad or {}})
    return rank_origins(table, signals, edges=edges_of(graph if graph is not None else ()), kind=kind)


def _timed(table: pd.DataFrame) -> pd.DataFrame:
    """The signals as columns, sorted by time."""
    if "time" not in table.columns:
        raise InvalidCase.because("there is no column `time`", place="table", hint="time, then one column a signal")
    words = [name for name in table.columns if name != "time" and not pd.api.types.is_numeric_dtype(table[name])]
    if words:
        what = f"column {plain(words[0], longest=60)!r} holds no numbers"
        raise InvalidCase.because(what, place="table", hint="one column a signal, named component|metric")
    return table.assign(time=in_utc(table["time"], place="table, time")).sort_values("time", kind="stable")


def _signals(told: Mapping[str, Any]) -> Signals:
    try:
        return Signals.model_validate({"path": "table", **told})
    except ValueError as error:  # of pydantic: where, and what was expected there
        wrong: Any = error
        first = wrong.errors()[0]
        place = ".".join(map(str, first["loc"])) or "since"
        hint = "times as 2026-03-02T10:30Z, directions as up or down"
        raise InvalidCase.because(plain(str(first["msg"])), place=place, hint=hint) from None


def _iso(moment: object) -> str:
    return moment.isoformat() if isinstance(moment, datetime) else str(moment)


# --- the model's own metric as a signal ---


def with_metric(case: "Case", table: "pd.DataFrame", signals: "Signals") -> "tuple[pd.DataFrame, Signals]":
    """The signals of a case with its own metric among them, where there are rows over the same time."""
    try:
        windows = windows_of(case)
        table = table.sort_values("time", kind="stable")
        told = metric_signal(windows, table["time"])
    except Unanswerable:
        return table, signals
    name = f"{windows.model_name}|{windows.metric.name}"
    if told is None or name in table.columns:
        return table, signals
    worse: Literal["up", "down"] = "up" if windows.metric.harm == "higher" else "down"
    bad = {windows.metric.name: worse, **signals.bad}
    return table.assign(**{name: told}), signals.model_copy(update={"bad": bad})


def metric_signal(windows: Windows, times: "pd.Series[pd.Timestamp]") -> Floats | None:
    """The metric of the rows since the previous moment, at as many moments as rows allow.

    Parameters
    ----------
    windows : Windows
        Rows of both windows, with a time.
    times : pandas.Series of shape (samples,)
        Moments of the signals, ascending.

    Returns
    -------
    ndarray of shape (samples,) or None
        NaN at moments in between; None where the rows reach too few moments.
    """
    if windows.roles.time is None:
        return None
    rows = pd.concat([windows.reference, windows.current], ignore_index=True)
    parts = windows.meter.parts(rows, groups=windows.meter.segments(windows.reference, windows.current))
    at, moments = seconds_of(rows[windows.roles.time]), seconds_of(times)
    inside = (at > moments[0]) & (at <= moments[-1])
    apart = max(_apart(at[inside & (group > 0)], moments) for group in parts.denominator.T)
    ends = np.arange(0, len(moments), apart)
    if len(ends) < MOMENTS:
        return None
    cell = np.searchsorted(moments[ends], at)
    inside &= cell < len(ends)
    sums = [_sums(part[inside], cell[inside], len(ends)) for part in (parts.numerator, parts.denominator)]
    told = np.full(len(moments), np.nan)
    told[ends] = parts.of_sums(*sums)
    return told


def _sums(values: Floats, cell: npt.NDArray[np.intp], many: int) -> Floats:
    """Column sums by cell: (cells, columns)."""
    return np.column_stack([np.bincount(cell, column, minlength=many) for column in values.T])


def _apart(at: Floats, moments: Floats) -> int:
    """Samples between moments of the metric, so that enough rows lie between two; too many where there are none."""
    if not len(at):
        return len(moments)
    reached = np.searchsorted(moments, at.max()) - np.searchsorted(moments, at.min()) + 1
    return max(1, int(np.ceil(MIN_ROWS * reached / len(at))))
