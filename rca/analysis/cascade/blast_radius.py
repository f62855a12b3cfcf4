"""Blast radius: traffic that passed each failing system between its onset and containment."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.cascade.normal_range import CLIMBS
from rca.arrays import Floats
from rca.methods.seasonality import seconds_of

MIN_STEPS = 10
"""Steps from which on samples are taken to be a cumulative counter."""

SECONDS = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "min": 60,
    "minute": 60,
    "h": 3_600,
    "hour": 3_600,
    "d": 86_400,
    "day": 86_400,
}

RATE = re.compile(
    r"(?P<what>.+?)[ _]?(?:_per_|/)[ _]?(?P<unit>s|sec|second|min|minute|h|hour|d|day)s?\)?", re.IGNORECASE
)
"""`images_per_min`, `orders/s`: what passes, and per how long."""

BY_SECOND = {"qps": "queries", "rps": "requests", "ops": "operations", "tps": "transactions"}
"""Last words of names that mean so many a second."""

COUNTS = (
    "requests", "orders", "units", "parts", "items", "images", "decisions", "predictions", "calls", "messages",
    "transactions", "tickets", "events",
)  # fmt: skip
"""Names of signals that count what passed since the sample before."""

AMISS = re.compile(
    r"(?<![a-z])(?:err(?:or)?s?|fail\w*|retr(?:y|ies)|reject\w*|defect\w*|drop(?:s|ped)?|timeouts?|exceptions?|faults?"
    r"|abort\w*|cancel\w*|lost|wrong|bad|miss(?:es|ed|ing)?|gc|pauses?)(?![a-z])",
    re.IGNORECASE,
)
"""Words of names of failures, which are no traffic, however often they are counted."""


@dataclass(frozen=True, kw_only=True)
class Touched:
    """Traffic through one system while it failed.

    Attributes
    ----------
    component : str
    since, until : datetime
        Its onset, and containment or the end of the failing window, whichever came first.
    counted : dict of str to float
        What passed in that time → how much, from the component's own signals of traffic; empty where it has none. An
        upper bound: not all that passed need have been harmed.
    """

    component: str
    since: datetime
    until: datetime
    counted: dict[str, float]

    @property
    def seconds(self) -> float:
        """Duration of its failure in seconds."""
        return (self.until - self.since).total_seconds()


def touched(
    table: pd.DataFrame, onsets: Mapping[str, datetime], *, end: datetime, contained: datetime | None = None
) -> tuple[Touched, ...]:
    """Traffic through each failing system, the first to fail in front.

    Parameters
    ----------
    table : pandas.DataFrame
        A column `time`, then one a signal, in order of time.
    onsets : mapping of component to datetime
    end : datetime
        Of the failing window.
    contained : datetime, optional

    Examples
    --------
    >>> at = pd.date_range("2026-01-01", periods=61, freq="min", tz="UTC")
    >>> line = pd.DataFrame({"time": at, "press|parts_per_min": 12.0})
    >>> touched(line, {"press": at[30].to_pydatetime()}, end=at[60].to_pydatetime())[0].counted
    {'parts': 360.0}
    """
    until = min(end, contained) if contained is not None else end
    traffic = traffic_of(map(str, table.columns))
    return tuple(
        Touched(
            component=name,
            since=at,
            until=max(until, at),
            counted=_counted(table, traffic.get(name, []), since=at, until=until),
        )
        for at, name in sorted((at, component) for component, at in onsets.items())
    )


def traffic_of(names: Iterable[str]) -> dict[str, list[str]]:
    """Component → its traffic signals, what people count first (requests, orders), then what machines do."""
    found: dict[str, list[str]] = {}
    for name in sorted(names, key=_counted_by_people):
        if what_passes(name.partition("|")[2]) is not None:
            found.setdefault(name.partition("|")[0], []).append(name)
    return found


def _counted_by_people(name: str) -> tuple[bool, str]:
    what = what_passes(name.partition("|")[2])
    return what is None or what[0] not in COUNTS, name


def passed(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Total traffic of each component over the whole table, by what is counted.

    >>> at = pd.date_range("2026-01-01", periods=3, freq="min", tz="UTC")
    >>> passed(pd.DataFrame({"time": at, "press|parts": 12.0, "press|load": 0.5}))
    {'press': {'parts': 36.0}}
    """
    first, last = table["time"].iloc[[0, -1]]
    names = traffic_of(map(str, table.columns))
    return {name: _counted(table, signals, since=first, until=last) for name, signals in names.items()}


def _counted(table: pd.DataFrame, names: Sequence[str], *, since: datetime, until: datetime) -> dict[str, float]:
    """Traffic between two moments; the first signal of each quantity is used."""
    if not names:
        return {}
    within = table.loc[(table["time"] >= since) & (table["time"] <= until), ["time", *names]]
    found: dict[str, float] = {}
    for name in names:
        what, per = what_passes(name.partition("|")[2]) or ("", None)
        found.setdefault(what, _passed(within["time"], within[name], per=per))
    return found


def what_passes(metric: str) -> tuple[str, float | None] | None:
    """Quantity that a traffic signal counts, and per how many seconds; None seconds for counts since the last sample.

    >>> what_passes("images_per_min"), what_passes("orders_total"), what_passes("latency"), what_passes("errors")
    (('images', 60.0), ('orders', None), None, None)
    """
    if AMISS.search(metric):
        return None
    rate = RATE.fullmatch(metric)
    if rate is not None:
        return rate["what"].strip("_ (").replace("_", " "), float(SECONDS[rate["unit"].lower()])
    last = re.split(r"[ _(]", metric.casefold().rstrip(")"))[-1]
    if last in BY_SECOND:
        return BY_SECOND[last], 1.0
    name = metric.casefold().removesuffix("_total")
    return (name, None) if name in COUNTS else None


def is_count(known: Floats) -> bool:
    """Whether samples are a cumulative counter: they climb, but for resets.

    >>> is_count(np.arange(40.0)), is_count(np.full(40, 3.0)), is_count(np.array([1.0, 2.0]))
    (True, False, False)
    """
    steps = np.diff(known)
    return bool(len(steps) >= MIN_STEPS and (steps > 0).mean() >= CLIMBS)


def _passed(times: "pd.Series[Any]", values: "pd.Series[Any]", *, per: float | None) -> float:
    """Sum of counts, or integral of a rate; missing samples are skipped."""
    known = pd.to_numeric(values, errors="coerce").to_numpy(float)
    seconds = seconds_of(times)
    kept = np.isfinite(known)
    known, seconds = known[kept], seconds[kept]
    if per is None and is_count(known):
        return float(np.maximum(np.diff(known), 0.0).sum())
    if per is None:
        return float(known.sum())
    return float(np.trapezoid(known, seconds)) / per if len(known) > 1 else 0.0
