"""The rows since the onset: the metric there, how its counts relate, its groups, and its course over both windows.

A window that opens before the onset mixes days on which nothing was wrong with days on which it was. What people met is
the metric of the rows since the onset; the change that causes are held against is that of the whole window. Both are
told, and this is the first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from rca.analysis.inputs.metric_reader import SEGMENT_ROWS
from rca.analysis.inputs.windows import Windows
from rca.analysis.slices.group_gaps import Gaps
from rca.arrays import Floats
from rca.errors import Unanswerable
from rca.finding import Interval
from rca.methods.metric import MIN_ROWS, SHARES, Measured, Parts
from rca.methods.two_sample_tests import Z
from rca.tables.frames import as_pandas

if TYPE_CHECKING:
    from rca.analysis.cascade.results import Cascade
    from rca.methods.changepoint.dating import Onset
    from rca.record.case import Case

STEPS = (1, 5, 60, 300, 900, 3600, 6 * 3600, 12 * 3600, 86_400, 7 * 86_400, 28 * 86_400)
"""Seconds that a point of a course may stand for: what clocks and calendars have names for."""

MOST_POINTS = 48
"""Points that a course aims at; it has more where the time since the onset is a short part of it."""

FEWEST_POINTS = 4
"""Points that the time since the onset gets, where its rows allow."""

LONG_GAP = 0.2
"""Share of the time from the first row to the last that may lie between the windows; beyond, the course begins with
the second."""

SHORT_WINDOW = 0.1
"""Share of that time that the second window has to take for one axis to hold both."""

AROUND = 0.25
"""Share of the failing window of a cascade that is shown before it."""

QUIET = (0.025, 0.975)
"""Quantiles of the normal points of a signal that its usual range reaches between."""

Phase = Literal["before", "since", "after"]


@dataclass(frozen=True, kw_only=True)
class Point:
    """The metric of the rows of one span of time; without a value where too few rows count."""

    start: datetime
    end: datetime
    value: float | None
    interval: Interval | None = None
    rows: int
    phase: Phase


@dataclass(frozen=True, kw_only=True)
class Group:
    """The metric of one group since the onset."""

    column: str
    name: str
    value: float
    interval: Interval
    rows: int


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A metric of some rows, with its interval and how many rows count."""

    value: float
    interval: Interval
    rows: int


@dataclass(frozen=True, kw_only=True)
class Otherwise:
    """Decisions that would have been others had the broken columns been whole.

    Attributes
    ----------
    columns : tuple of str
    rows : float
    interval : Interval
    righted, wronged : float or None
        Wrong ones that would have been right, and right ones that would have been wrong.
    would_be : float or None
        The metric as it would have been.
    would_be_interval : Interval or None
    """

    columns: tuple[str, ...]
    rows: float
    interval: Interval
    righted: float | None = None
    wronged: float | None = None
    would_be: float | None = None
    would_be_interval: Interval | None = None


@dataclass(frozen=True, kw_only=True)
class SinceOnset:
    """The metric of the rows since the onset, and its course.

    Attributes
    ----------
    what : str
        The metric, or the signal of the alarm.
    is_share : bool
        Whether it is read in per cent.
    start, end : datetime or None
        The first and the last row since the onset; None where there is no onset.
    window : tuple of datetime or None
        The first and the last row of the whole current window.
    decisions : int or None
        Rows since then.
    counted, hits : int or None
        Rows that count towards the metric, and those of them that make it; None but for shares of unweighted rows.
    above : float or None
        Those above the usual number: ``hits - usual * counted`` in the bad direction.
    usual : float
        The metric in the reference.
    usual_range : Interval or None
        Of a signal: between which most of its normal points lie.
    since : Estimate or None
    recovered : Estimate or None
        The metric after the repair.
    groups : tuple of Group
    apart : tuple of str
        Columns whose groups differ beyond chance since the onset.
    compared : tuple of str
        Columns whose groups could be compared.
    step : float
        Seconds of a point.
    points : tuple of Point
    otherwise : Otherwise or None
    """

    what: str
    is_share: bool
    start: datetime | None = None
    end: datetime | None = None
    window: tuple[datetime, datetime] | None = None
    decisions: int | None = None
    counted: int | None = None
    hits: int | None = None
    above: float | None = None
    usual: float
    usual_range: Interval | None = None
    since: Estimate | None = None
    recovered: Estimate | None = None
    groups: tuple[Group, ...] = ()
    apart: tuple[str, ...] = ()
    compared: tuple[str, ...] = ()
    step: float = 0.0
    points: tuple[Point, ...] = ()
    otherwise: Otherwise | None = None

    def __str__(self) -> str:
        scale, unit = (100, " %") if self.is_share else (1, "")
        now = "" if self.since is None else f", and {scale * self.since.value:.3g}{unit} since the onset"
        return f"{self.what.replace('_', ' ')} was {scale * self.usual:.3g}{unit} before{now}"


def current_since(windows: Windows, onset: "Onset | None") -> Windows:
    """The windows, of the current one the rows since the onset; all of them where that leaves too few.

    Parameters
    ----------
    windows : Windows
    onset : Onset or None
    """
    if onset is None or windows.roles.time is None:
        return windows
    rows = windows.current[windows.current[windows.roles.time] >= onset.at]
    return replace(windows, current=rows.reset_index(drop=True)) if len(rows) >= SEGMENT_ROWS else windows


def since_onset_of_rows(
    windows: Windows,
    measured: Measured,
    onset: "Onset | None",
    *,
    gaps: Gaps | None = None,
    recovered: pd.DataFrame | None = None,
    otherwise: Otherwise | None = None,
) -> SinceOnset:
    """The metric since the onset, of two windows of rows.

    Parameters
    ----------
    windows : Windows
    measured : Measured
        The metric in both whole windows.
    onset : Onset or None
    gaps : Gaps, optional
        Of the rows since the onset.
    recovered : pandas.DataFrame, optional
        Rows after the repair.
    otherwise : Otherwise, optional
    """
    now = current_since(windows, onset)
    meter = _Meter.of(windows, measured)
    whole = SinceOnset(
        what=measured.label,
        is_share=measured.is_share,
        usual=measured.reference,
        recovered=meter.estimate(recovered) if recovered is not None and meter.reads(recovered) else None,
        otherwise=otherwise,
        window=_ends(windows),
        **_course(windows, meter, onset=onset, recovered=recovered),
    )
    if onset is None:
        return whole
    start, end = _ends(now) or (None, None)
    return replace(
        whole,
        start=start,
        end=end,
        decisions=len(now.current),
        since=meter.estimate(now.current),
        **_counts(meter.parts(now.current), measured),
        **_groups(gaps, measured),
    )


def _ends(windows: Windows) -> tuple[datetime, datetime] | None:
    time = windows.roles.time
    if time is None:
        return None
    known = windows.current[time].dropna()
    if known.empty:
        return None
    return known.min().to_pydatetime(warn=False), known.max().to_pydatetime(warn=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Meter:
    """Reads the metric of some rows, with the groups of a gap the same for all."""

    windows: Windows
    measured: Measured
    segments: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, windows: Windows, measured: Measured) -> "_Meter":
        found = windows.meter.segments(windows.reference, windows.current)
        return cls(windows=windows, measured=measured, segments=found)

    def reads(self, rows: pd.DataFrame) -> bool:
        needed = {*self.windows.meter.read, *self.windows.roles.groups, self.windows.roles.weight} - {None}
        return needed <= set(rows.columns)

    def parts(self, rows: pd.DataFrame) -> Parts:
        return self.windows.meter.parts(rows, groups=self.segments)

    def estimate(self, rows: pd.DataFrame) -> Estimate | None:
        try:
            return _estimate(self.parts(rows), self.measured)
        except Unanswerable:
            return None


def _estimate(parts: Parts, measured: Measured) -> Estimate | None:
    """The metric with its 95 % interval: Wilson's for shares, else normal, within what is possible."""
    counted = parts.take(np.flatnonzero(parts.denominator.any(axis=1)))
    value = counted.value() if len(counted) >= MIN_ROWS else np.nan
    if not np.isfinite(value):
        return None
    return Estimate(value=value, interval=_interval(counted, value, measured), rows=len(counted))


def _interval(parts: Parts, value: float, measured: Measured) -> Interval:
    weights = parts.denominator[:, 0]
    if measured.name in SHARES:
        low, high = _wilson(value, float(weights.sum() ** 2 / np.sum(weights**2)))
        return Interval(low=min(low, value), high=max(high, value))
    error = Z * float(np.sqrt(np.sum(parts.influence() ** 2)))
    top = 1.0 if measured.is_share else np.inf
    least = 0.0 if measured.name != "mean" else -np.inf
    return Interval(low=max(value - error, least), high=min(value + error, top))


def _wilson(share: float, rows: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share of so many rows, which weights make fewer (Wilson 1927)."""
    middle, half = share + Z * Z / (2 * rows), Z * np.sqrt(share * (1 - share) / rows + (Z / (2 * rows)) ** 2)
    return max(float(middle - half) / (1 + Z * Z / rows), 0.0), min(float(middle + half) / (1 + Z * Z / rows), 1.0)


def _counts(parts: Parts, measured: Measured) -> dict[str, Any]:
    """How the counts of a share relate."""
    counted, hit = parts.denominator[:, 0] > 0, parts.numerator[:, 0] > 0
    whole = bool(np.isin(parts.denominator, (0.0, 1.0)).all())
    if measured.name not in SHARES or not whole:
        return {}
    hits, of = int(hit.sum()), int(counted.sum())
    return {"counted": of, "hits": hits, "above": measured.sign * (hits - measured.reference * of)}


def _groups(gaps: Gaps | None, measured: Measured) -> dict[str, Any]:
    """Groups of the rows since the onset, and whether they differ beyond chance."""
    base = measured.of if measured.name == "group_gap" else measured.name
    own = [one for one in gaps.gaps if one.measure == base] if gaps is not None else []
    groups = [
        Group(
            column=gap.column, name=one.group, value=one.current, interval=one.current_interval, rows=one.rows_current
        )
        for gap in own
        for one in gap.groups
        if one.compared and one.current is not None and one.current_interval is not None
    ]
    compared = [one for one in own if one.current_interval is not None]
    return {
        "groups": tuple(groups),
        "compared": tuple(one.column for one in compared),
        "apart": tuple(one.column for one in compared if one.current_interval and one.current_interval.low > 0),
    }


# --- the course ------------------------------------------------------------------------------------------------------


def _course(
    windows: Windows, meter: _Meter, *, onset: "Onset | None", recovered: pd.DataFrame | None
) -> dict[str, Any]:
    """Points over both windows and the rows after the repair; none without times."""
    time = windows.roles.time
    if time is None:
        return {}
    needed = {time, *meter.windows.meter.read, *(column for _, column in windows.roles.named())}
    tables = [one[[name for name in one if name in needed]] for one in (windows.reference, windows.current)]
    tables = tables[1:] if _far_apart(*(one[time] for one in tables)) else tables
    turn = onset.at if onset is not None else windows.current[time].min().to_pydatetime(warn=False)
    rows = pd.concat(tables, ignore_index=True).sort_values(time, kind="stable", ignore_index=True)
    step = _step(rows[time], turn)
    during: Phase = "since" if onset is not None else "before"
    points = [
        *_points(rows[rows[time] < turn], meter, time=time, step=step, turn=turn, phase="before"),
        *_points(rows[rows[time] >= turn], meter, time=time, step=step, turn=turn, phase=during),
    ]
    if recovered is not None and time in recovered and meter.reads(recovered):
        after = recovered.assign(**{time: pd.to_datetime(recovered[time], utc=True)})
        first = after[time].min().to_pydatetime(warn=False)
        points += _points(after, meter, time=time, step=step, turn=first, phase="after")
    return {"step": step, "points": tuple(points)}


def _far_apart(before: "pd.Series[Any]", during: "pd.Series[Any]") -> bool:
    """Whether two windows are so far apart, or so unlike in length, that one axis cannot hold both."""
    whole, own = (during.max() - before.min()).total_seconds(), (during.max() - during.min()).total_seconds()
    gap = (during.min() - before.max()).total_seconds()
    return bool(whole > 0 and (gap > LONG_GAP * whole or own < SHORT_WINDOW * whole))


def _step(times: "pd.Series[Any]", turn: datetime) -> float:
    """Seconds of a point: as short as the number of points allows, and so that what came since has some."""
    whole = (times.max() - times.min()).total_seconds()
    since = (times.max() - turn).total_seconds()
    short = [one for one in STEPS if one * MOST_POINTS >= whole] or [STEPS[-1]]
    fine = [one for one in STEPS if one * FEWEST_POINTS <= since] or [STEPS[0]]
    return float(min(short[0], fine[-1]))


def _points(
    rows: pd.DataFrame, meter: _Meter, *, time: str, step: float, turn: datetime, phase: Phase
) -> Iterator[Point]:
    """Points of one phase, in spans that begin at the onset; a span that the data cut short joins its neighbour."""
    if rows.empty:
        return
    moments = rows[time]
    at = np.floor((moments - turn).dt.total_seconds().to_numpy() / step).astype(int)
    first, last = _whole(at.min(), at.max(), moments, turn=turn, step=step)
    at = np.clip(at, first, last)
    for place in range(first, last + 1):
        own = rows[at == place]
        found = meter.estimate(own) if len(own) else None
        edges = [(turn + pd.Timedelta(seconds=step * one)) for one in (place, place + 1)]
        yield Point(
            start=moments.min().to_pydatetime(warn=False) if place == first else edges[0],
            end=moments.max().to_pydatetime(warn=False) if place == last else edges[1],
            value=found.value if found else None,
            interval=found.interval if found else None,
            rows=len(own),
            phase=phase,
        )


def _whole(first: int, last: int, moments: "pd.Series[Any]", *, turn: datetime, step: float) -> tuple[int, int]:
    """The first and the last span that the data cover whole."""
    begins, ends = ((one - turn).total_seconds() / step for one in (moments.min(), moments.max()))
    first, last = int(first) + (begins - first > 0.05), int(last) - (last + 1 - ends > 0.05)
    return (first, last) if first <= last else (int(np.floor(begins)), int(np.floor(begins)))


# --- a cascade -------------------------------------------------------------------------------------------------------


def since_onset_of_signals(case: "Case", cascade: "Cascade") -> SinceOnset | None:
    """The signal of the alarm: its usual range, its mean since it left that range, and its course.

    Returns
    -------
    SinceOnset or None
        None where no alarm is on record.
    """
    asked, table = case.incident.signals, case.signals
    if asked is None or table is None or asked.target is None or asked.target not in as_pandas(table):
        return None
    table = as_pandas(table)
    times = pd.to_datetime(table["time"], utc=True)
    values = pd.Series(table[asked.target].to_numpy(dtype=float), index=pd.DatetimeIndex(times)).sort_index()
    left = next((one.onset for one in cascade.traces if one.signal == asked.target), None)
    shown = values[asked.from_ - AROUND * (asked.to - asked.from_) : asked.to]
    normal, step = values[values.index < asked.from_], _step(shown.index.to_series(), asked.from_)
    points = tuple(_of_signal(shown, step=step, turn=left or asked.from_, left=left))
    since = shown[left:] if left is not None else None
    return SinceOnset(
        what=asked.target,
        is_share=_reads_as_share(asked.target, values),
        start=left,
        end=None if since is None else since.index.max().to_pydatetime(warn=False),
        usual=float(normal.mean()),
        usual_range=_usual(normal, step),
        since=None if since is None else _mean(since),
        step=step,
        points=points,
    )


def _reads_as_share(name: str, values: "pd.Series[Any]") -> bool:
    """Whether a signal is a share, by its name and by its values."""
    known = values.dropna()
    named = any(word in name.lower() for word in ("rate", "share", "ratio", "recall", "precision"))
    return named and bool(((known >= 0) & (known <= 1)).all())


def _usual(normal: "pd.Series[Any]", step: float) -> Interval | None:
    means = normal.resample(pd.Timedelta(seconds=step)).mean().dropna()
    if len(means) < MIN_ROWS:
        return None
    low, high = means.quantile(list(QUIET))
    return Interval(low=float(low), high=float(high))


def _mean(values: "pd.Series[Any]") -> Estimate | None:
    known: Floats = values.dropna().to_numpy()
    if len(known) < 2:
        return None
    error = Z * float(known.std(ddof=1) / np.sqrt(len(known)))
    middle = float(known.mean())
    return Estimate(value=middle, interval=Interval(low=middle - error, high=middle + error), rows=len(known))


def _of_signal(values: "pd.Series[Any]", *, step: float, turn: datetime, left: datetime | None) -> Iterator[Point]:
    seconds = (pd.DatetimeIndex(values.index) - pd.Timestamp(turn)).total_seconds()
    places = np.floor(seconds.to_numpy() / step).astype(int)
    for place in range(int(places.min()), int(places.max()) + 1):
        own = values[places == place].dropna()
        start, end = (turn + pd.Timedelta(seconds=step * one) for one in (place, place + 1))
        yield Point(
            start=start,
            end=end,
            value=float(own.mean()) if len(own) else None,
            rows=len(own),
            phase="since" if left is not None and place >= 0 else "before",
        )
