"""Survival analysis of response times over many incidents: medians, group comparisons, trends, service-level targets.

A mean of durations depends on its few longest, and with fifty incidents before and after it falls by a tenth in four of
ten draws though nothing changed. So every number here is a median with an interval, open incidents are right-censored,
and every comparison comes with the minimum detectable change of so many incidents.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from os import PathLike
from typing import Any

import numpy as np

from rca.analysis.portfolio.drills import DrillScore, drills_of
from rca.analysis.portfolio.durations import BETWEEN, MEASURED, Lengths, gaps_of, lengths_of
from rca.analysis.portfolio.incident_log import GROUPINGS, Incidents, Oddity, incidents_of
from rca.analysis.portfolio.results import Comparison, Grouped, Summary, Trend
from rca.analysis.portfolio.risk_appetite import Appetite, against, appetite_of
from rca.analysis.portfolio.service_targets import Kept, kept, targets_of
from rca.analysis.portfolio.summaries import at_one_rate, by_group, compared, summary, trends
from rca.analysis.portfolio.timestamps import UNKNOWN, moment_of, when
from rca.errors import InvalidCase, Problem
from rca.finding import Finding
from rca.record.log import Log, Noted, read_log
from rca.result import Result, Row


@dataclass(frozen=True, kw_only=True)
class Recurring:
    """A factor that more than one incident has on record."""

    what: str
    kind: str
    incidents: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """A corrective action that is not done.

    Attributes
    ----------
    overdue_by : int or None
        Days, at the censoring time ("now"); None if it is not due yet, or has no date.
    """

    action: Noted
    overdue_by: int | None = None


@dataclass(frozen=True, kw_only=True)
class Portfolio(Result):
    """Response times over many incidents: Kaplan-Meier summaries, comparisons, trends, targets and open actions.

    Attributes
    ----------
    name : str
    incidents, open : int
    first, as_of : datetime or None
        When the first began, and the censoring time ("now").
    summaries : tuple of Summary
        A measure each.
    untold : tuple of str
        Measures whose timestamps are not on record.
    grouped : tuple of Grouped
    trends : tuple of Trend
    comparisons : tuple of Comparison
    targets : tuple of Kept
    appetite : tuple of Appetite
    oddities : tuple of Oddity
    recurring : tuple of Recurring
    actions : tuple of Unfinished
    drills : tuple of DrillScore
        Exercises, which no measure above counts.
    problems : tuple of Problem
        Cases that could not be read.
    read_as : mapping of str to str
    unused : tuple of str
    sources : mapping of str to str
        File → SHA-256.
    """

    name: str
    incidents: int
    open: int
    first: datetime | None
    as_of: datetime | None
    summaries: tuple[Summary, ...]
    untold: tuple[str, ...]
    grouped: tuple[Grouped, ...]
    trends: tuple[Trend, ...]
    comparisons: tuple[Comparison, ...]
    targets: tuple[Kept, ...]
    appetite: tuple[Appetite, ...]
    oddities: tuple[Oddity, ...]
    recurring: tuple[Recurring, ...]
    actions: tuple[Unfinished, ...]
    drills: tuple[DrillScore, ...] = ()
    problems: tuple[Problem, ...]
    read_as: Mapping[str, str]
    unused: tuple[str, ...]
    sources: Mapping[str, str]

    def __getitem__(self, measure: str) -> Summary:
        """The summary of a measure over all incidents.

        Raises
        ------
        KeyError
            If the measure is none, or its moments are not on record.
        """
        return {one.measure: one for one in self.summaries}[measure]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield self._head()
        for one in self.summaries:
            yield str(one)
            if one.warning():
                yield f"  {one.warning()}"
        yield from map(str, (*self.comparisons, *self.trends, *self.targets, *self.appetite))
        yield from map(str, self.oddities)
        for factor in self.recurring:
            yield f"recurring in {len(factor.incidents)}: {factor.what} ({', '.join(factor.incidents)})"
        late = sum(action.overdue_by is not None for action in self.actions)
        if self.actions:
            yield f"{len(self.actions)} corrective actions are not done, {late} of them overdue"
        yield from map(str, self.drills)
        yield from (f"not read: {problem}" for problem in self.problems)

    def _head(self) -> str:
        if not self.incidents:
            return f"{self.name}: no incidents"
        since = f", {self.first:%Y-%m-%d} to {self.as_of:%Y-%m-%d}" if self.first and self.as_of else ""
        return f"{self.name}: {self.incidents:,} incidents{since}, {self.open:,} open"

    def rows(self) -> list[Row]:
        return [row for one in self.summaries for row in one.rows()]

    def findings(self) -> tuple[Finding, ...]:
        return tuple(claim for one in self.summaries for claim in one.findings())


def portfolio(
    source: "str | PathLike[str] | Any",
    *,
    as_of: datetime | str | None = None,
    zone: str | None = None,
    columns: Mapping[str, str] | str | None = None,
    split: datetime | str | None = None,
    targets: Mapping[str, Any] | str | None = None,
    appetite: Mapping[str, Any] | str | None = None,
    drills: str | None = None,
) -> Portfolio:
    """Survival analysis of response times over a folder of cases, or a table with a row an incident.

    Parameters
    ----------
    source : path, or frame of any engine
        A folder of cases, one case, a Parquet, Arrow or CSV file, or a table.
    as_of : datetime or str, optional
        What "now" is; the last moment on record where it is left out.
    zone : str, optional
        Zone of stamps without an offset; without it they are refused.
    columns : mapping of str to str, or str, optional
        What is read → its column, where names do not say it: ``{"end": "finished"}`` or ``"end=finished"``.
    split : datetime or str, optional
        A moment: incidents that began from it on are compared with those before.
    targets : mapping or str, optional
        Measure → limit and the share that has to keep it: ``{"time_to_recover": ("4 h", 0.95)}``, or
        ``"time_to_recover=4h:0.95, time_to_detect=15min:0.9"``; of one severity as ``time_to_recover@sev1``.
    appetite : mapping or str, optional
        Limits of a risk appetite: targets, and the most that is accepted of ``people_per_quarter``, ``overdue_duties``
        and the like.
    drills : str, optional
        Scores of drills, as `rca.record.files.drill_file.read_drills` has them; they stand apart from the incidents.

    Raises
    ------
    InvalidCase
        If it is neither, or a column, a zone, a moment or a target is not sound.

    Examples
    --------
    >>> import pandas as pd
    >>> hours = pd.to_timedelta([1, 2, 3, 4, 5, 6, 7, 80], unit="h")
    >>> start = pd.to_datetime(["2026-01-01"] * 8, utc=True)
    >>> found = portfolio(pd.DataFrame({"start": start, "end": start + hours}))
    >>> print(found["length"])
    length, start to end: median 4.5 (1.5–12) h, p75 6.5, p90 80, p95 80; n = 8
    >>> print(found["length"].warning())
    the mean, 13.5 h, misleads: it lies outside the interval of the median
    """
    log = read_log(source) if isinstance(source, str | PathLike) else Log(name="table", table=source)
    read = incidents_of(log.table, as_of=as_of, zone=zone, columns=columns)
    promised, limits = targets_of(targets), appetite_of(appetite)
    measured = tuple(one for one in (*(lengths_of(read, name) for name in MEASURED), gaps_of(read)) if one is not None)
    groupings = {name: read.labels[name] for name in GROUPINGS if name in read.labels}
    grouped = at_one_rate(by_group(one, read, name) for one in measured for name in groupings)
    return Portfolio(
        name=log.name,
        incidents=len(read),
        open=int((~read.over).sum()) if read.stamps else 0,
        first=when(read.began[read.began != UNKNOWN].min(initial=np.iinfo(np.int64).max)),
        as_of=when(read.as_of),
        summaries=tuple(summary(one) for one in measured),
        untold=tuple(name for name in (*MEASURED, BETWEEN) if name not in {one.measure for one in measured}),
        grouped=grouped,
        trends=tuple(trends(read, measured, grouped)),
        comparisons=() if split is None else _compared(read, measured, split),
        targets=tuple(kept(target, read, measured) for target in promised),
        appetite=against(limits, read, measured, incidents=log.incidents),
        oddities=(*read.oddities, *(odd for one in measured for odd in one.oddities)),
        recurring=_recurring(log.factors),
        actions=_unfinished(log.actions, when(read.as_of)),
        drills=drills_of(drills),
        problems=log.problems,
        read_as=dict(read.read_as),
        unused=read.unused,
        sources=dict(log.sources),
    )


def _compared(read: Incidents, measured: Iterable[Lengths], split: datetime | str) -> tuple[Comparison, ...]:
    """Each measure before and after a moment, which has to have incidents on both sides."""
    comparisons = tuple(compared(read, measured, moment_of(split, place="split")))
    if not comparisons:
        what = f"no incident of known length lies on one of the sides of {split}"
        raise InvalidCase.because(what, place="split", hint="give a moment with incidents before and after it")
    return comparisons


# --- what the records say beside -------------------------------------------------------------------------------------


def _recurring(factors: Iterable[Noted]) -> tuple[Recurring, ...]:
    """Contributing factors on record in more than one incident, matched by case-folded text; most frequent first."""
    found: dict[str, dict[str, Noted]] = {}
    for factor in factors:
        found.setdefault(" ".join(factor.what.casefold().split()), {}).setdefault(factor.incident, factor)
    several = [tuple(those.values()) for those in found.values() if len(those) > 1]
    several.sort(key=lambda those: (-len(those), those[0].what))
    return tuple(
        Recurring(
            what=those[0].what,
            kind=Counter(one.kind for one in those).most_common(1)[0][0],
            incidents=tuple(one.incident for one in those),
        )
        for those in several
    )


def _unfinished(actions: Iterable[Noted], now: datetime | None) -> tuple[Unfinished, ...]:
    """Corrective actions that are not done, longest overdue first."""
    found = [
        Unfinished(action=action, overdue_by=_overdue(action.due, now))
        for action in actions
        if action.state not in ("done", "dropped")
    ]
    return tuple(sorted(found, key=lambda one: -(one.overdue_by or 0)))


def _overdue(due: str | None, now: datetime | None) -> int | None:
    try:
        day = date.fromisoformat((due or "")[:10])
    except ValueError:
        return None
    late = (now.date() - day).days if now else 0
    return late if late > 0 else None
