"""Both windows of a case at a glance: rows, days, rows a day, and the metric."""

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import pandas as pd

from rca.analysis.inputs.windows import measured_of, windows_of
from rca.errors import Unanswerable

if TYPE_CHECKING:
    from rca.record.case import Case


@dataclass(frozen=True, kw_only=True)
class Glance:
    """One window.

    Attributes
    ----------
    name : str
    rows : int
    start, end : str or None
        First and last time, ISO 8601; None where the case has no times.
    rows_per_day : float or None
    metric : float or None
        None where the case has none, or it cannot be computed.
    """

    name: str
    rows: int
    start: str | None = None
    end: str | None = None
    rows_per_day: float | None = None
    metric: float | None = None

    def __str__(self) -> str:
        days = f", {self.start[:10]} to {self.end[:10]}" if self.start and self.end else ""
        rate = f", {self.rows_per_day:,.0f} a day" if self.rows_per_day else ""
        return f"{self.name:<10} {self.rows:,} rows{days}{rate}"


def glance(case: "Case") -> tuple[list[Glance], str]:
    """The windows that a case has, and what its metric did, in words; empty where it has none, or no metric."""
    frames = {"reference": case.reference, "current": case.current}
    metrics: dict[str, float] = {}
    said = ""
    try:
        measured = measured_of(windows_of(case))
        both, said = {"reference": measured.reference, "current": measured.current}, str(measured)
        metrics = {name: value for name, value in both.items() if isfinite(value)}
    except Unanswerable as error:
        said = str(error) if case.incident.metric is not None else ""
    seen = [
        _seen(name, frame, time=case.roles.time, metric=metrics.get(name))
        for name, frame in frames.items()
        if frame is not None
    ]
    return seen, said if seen else ""


def _seen(name: str, frame: pd.DataFrame, *, time: str | None, metric: float | None) -> Glance:
    times = frame[time].dropna() if time is not None and time in frame else pd.Series(dtype="datetime64[ns, UTC]")
    if times.empty:
        return Glance(name=name, rows=len(frame), metric=metric)
    start, end = times.min(), times.max()
    days = (end - start).total_seconds() / 86_400
    return Glance(
        name=name,
        rows=len(frame),
        start=start.isoformat(),
        end=end.isoformat(),
        rows_per_day=len(times) / days if days > 0 else None,
        metric=metric,
    )
