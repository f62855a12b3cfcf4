"""Durations of incidents by measure, right-censored where open, with data-quality issues listed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rca.analysis.portfolio.incident_log import Incidents, Oddity, oddity
from rca.analysis.portfolio.kaplan_meier import grain_of
from rca.analysis.portfolio.timestamps import TICKS, UNKNOWN, Codes, Ticks
from rca.arrays import Floats, Mask
from rca.record.durations import MEASURES
from rca.record.log import FINAL

MEASURED: Mapping[str, tuple[str, str]] = {
    **MEASURES,
    "failed_deployment_recovery": ("deployed", "recovered"),
    "length": ("start", "end"),
}
"""Name of a measure → the moments it runs between, of one incident."""

BETWEEN = "time_between_failures"
"""The measure that runs from one incident to the next."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Lengths:
    """Right-censored durations of one measure.

    Attributes
    ----------
    measure, start, end : str
    seconds : ndarray of shape (n,)
        Positive, ascending.
    ended : ndarray of bool, shape (n,)
        False where the duration is right-censored.
    rows : ndarray of int64, shape (n,)
        Position of the incident of each.
    left_out : ndarray of int64
        Incidents without a valid duration: zero, negative, or with a timestamp missing.
    grain : float
        Rounding unit, in seconds, that all of them are multiples of; 0 if there is none.
    oddities : tuple of Oddity
    """

    measure: str
    start: str
    end: str
    seconds: Floats
    ended: Mask
    rows: Codes
    left_out: Codes
    grain: float
    oddities: tuple[Oddity, ...] = ()

    def __len__(self) -> int:
        return len(self.seconds)


def lengths_of(incidents: Incidents, measure: str) -> Lengths | None:
    """Right-censored durations of a measure; None where the log does not have its timestamps.

    Without an end, an incident that is not over is censored at what "now" is for it; one that is over lacks a moment,
    and is listed. A page that nobody acknowledged before it was over is censored there.

    Examples
    --------
    >>> from rca.analysis.portfolio.incident_log import incidents_of
    >>> first, later = "2026-01-01T00:00Z", "2026-01-01T01:00Z"
    >>> log = pd.DataFrame({"start": [first] * 3, "end": [later, first, None]})
    >>> found = lengths_of(incidents_of(log), "length")
    >>> found.seconds.tolist(), found.ended.tolist(), [str(one) for one in found.oddities]
    ([3600.0, 3600.0], [True, False], ['1 without length (length: end = start): row 2'])
    """
    start, end = MEASURED[measure]
    if measure == "length" and incidents.amounts is not None and end not in incidents.stamps:
        known = np.isfinite(incidents.amounts)
        ended = incidents.over if "status" in incidents.read_as else known
        return _sorted_out(incidents, measure, np.where(known, incidents.amounts, np.nan), begun=known, ended=ended)
    if start not in incidents.stamps or end not in incidents.stamps:
        return None
    first, last = incidents.stamps[start], incidents.stamps[end]
    begun, ended = first != UNKNOWN, last != UNKNOWN
    stop = np.where(ended, last, np.where(incidents.over, UNKNOWN, incidents.until))
    if measure == "time_to_acknowledge":
        stop = np.where(stop == UNKNOWN, _over_at(incidents), stop)
    known = begun & (stop != UNKNOWN)
    seconds = np.where(known, stop - np.where(begun, first, 0), 0) / TICKS
    if not (begun & ended).any() and not (known & ~ended).any():
        return None
    return _sorted_out(incidents, measure, np.where(known, seconds, np.nan), begun=begun, ended=ended)


def _sorted_out(incidents: Incidents, measure: str, seconds: Floats, *, begun: Mask, ended: Mask) -> Lengths:
    """Valid durations, ascending, and the invalid ones as oddities."""
    start, end = MEASURED[measure]
    counted = seconds > 0
    order = np.flatnonzero(counted)
    order = order[np.argsort(seconds[order], kind="stable")]
    told = _told(measure)
    known = np.isfinite(seconds)
    odd = (
        *oddity(incidents, known & ended & (seconds == 0), kind="without length", of=f"{told}: {end} = {start}"),
        *oddity(incidents, known & ended & (seconds < 0), kind="negative", of=f"{told}: {end} before {start}"),
        *oddity(incidents, known & ~ended & (seconds <= 0), kind="begun only then", of=f"{told}: as of {start}"),
        *oddity(incidents, ~begun, kind="missing", of=f"{told}: no {start}"),
        *oddity(incidents, begun & ~known, kind="missing", of=f"{told}: over without {end}"),
    )
    return Lengths(
        measure=measure,
        start=start,
        end=end,
        seconds=seconds[order],
        ended=ended[order],
        rows=order,
        left_out=np.flatnonzero(~counted),
        grain=grain_of(seconds[counted & ended]),
        oddities=odd,
    )


def _over_at(incidents: Incidents) -> Ticks:
    """Time at which each incident was over: the earliest of its final timestamps."""
    known = [incidents.stamps[name] for name in FINAL if name in incidents.stamps]
    never = np.iinfo(np.int64).max
    first = np.min([np.where(ticks == UNKNOWN, never, ticks) for ticks in known], axis=0) if known else None
    return np.full(len(incidents), UNKNOWN) if first is None else np.where(first == never, UNKNOWN, first)


# --- from one to the next --------------------------------------------------------------------------------------------


def gaps_of(incidents: Incidents, codes: Codes | None = None) -> Lengths | None:
    """Times between failures: from the recovery of all earlier incidents to the next onset; the last is right-censored.

    Incidents that overlap are merged to one period of failure.

    Parameters
    ----------
    incidents : Incidents
    codes : ndarray of int64, shape (incidents,), optional
        Group of each incident, -1 for none; gaps are those between failures of one group. All are one where left out.

    Returns
    -------
    Lengths or None
        `rows` tells of each gap the incident that ended it, or, where none has yet, the last before it.

    Examples
    --------
    >>> from rca.analysis.portfolio.incident_log import incidents_of
    >>> day = [f"2026-01-0{at}T00:00Z" for at in range(1, 8)]
    >>> log = pd.DataFrame({"onset": [day[0], day[2]], "recovered": [day[1], day[3]]})
    >>> found = gaps_of(incidents_of(log, as_of=day[6]))
    >>> (found.seconds / 86400).tolist(), found.ended.tolist()
    ([1.0, 3.0], [True, False])
    """
    groups = np.zeros(len(incidents), np.int64) if codes is None else codes
    order = np.lexsort((incidents.began, groups))
    order = order[(groups[order] >= 0) & (incidents.began[order] != UNKNOWN)]
    if not len(order):
        return None
    began, group = incidents.began[order], groups[order]
    back = np.maximum(_back(incidents)[order], began)
    so_far = pd.Series(back).groupby(group).cummax().to_numpy()
    same = np.append(False, group[1:] == group[:-1])
    gap = np.where(same, began - np.roll(so_far, 1), -1)
    final = np.append(group[1:] != group[:-1], True)
    running = np.where(final, incidents.as_of - so_far, -1)
    seconds = np.concatenate([gap[gap > 0], running[running > 0]]) / TICKS
    known = int((gap > 0).sum())
    if not known:
        return None
    rising = np.argsort(seconds, kind="stable")
    count = int((same & (gap <= 0)).sum())
    overlap = Oddity(kind="begun before all others were over", of=_told(BETWEEN), count=count, incidents=())
    return Lengths(
        measure=BETWEEN,
        start=f"{_up(incidents)} of the one before",
        end=_down(incidents),
        seconds=seconds[rising],
        ended=rising < known,
        rows=np.concatenate([order[gap > 0], order[running > 0]])[rising],
        left_out=np.empty(0, np.int64),
        grain=grain_of(seconds[:known]),
        oddities=(overlap,) if count and codes is None else (),
    )


def _back(incidents: Incidents) -> Ticks:
    """Recovery time of each incident; the largest integer where it is open."""
    back = incidents.stamps.get("recovered", np.full(len(incidents), UNKNOWN))
    back = np.where(back == UNKNOWN, _over_at(incidents), back)
    return np.where(back == UNKNOWN, np.where(incidents.over, incidents.began, np.iinfo(np.int64).max), back)


def _up(incidents: Incidents) -> str:
    return next((name for name in ("recovered", "resolved", "closed", "end") if name in incidents.stamps), "start")


def _down(incidents: Incidents) -> str:
    return next((name for name in ("onset", "detected", "alerted", "start") if name in incidents.stamps), "first stamp")


def _told(measure: str) -> str:
    return measure.replace("_", " ")
