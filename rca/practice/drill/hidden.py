"""The incident of a drill: what a team may see by a moment, and the cause that nobody is shown before the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.arrays import Floats
from rca.record.schema.incident import Incident

HOURS = 24
"""Hours of simulated time from the first alert to the end of a drill."""

END = HOURS * 60

LEVELS = {1: "wrong leads", 2: "wrong leads and noise", 3: "wrong leads, noise and labels that come late"}

LATE = pd.Timedelta(hours=6)
"""By how much a label comes after its row on the third level."""

PARTS_A_MINUTE = 5
"""What a line makes."""

SEVERE = {"sev1": 80.0, "sev2": 30.0, "sev3": 8.0, "sev4": 2.0, "sev5": 0.0}
"""Cases of harm a day from which a severity applies: the house rule that a team is told."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Something that contains: its words, the share of new harm that it stops, and that of the service it costs."""

    called: str
    stops: float
    costs: float


Contained = Sequence[tuple[int, str]]
"""Minute and measure of everything that was done to contain."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Hidden:
    """A simulated incident in two worlds on the same rows, with the fault and without; printing it tells nothing.

    Attributes
    ----------
    kind, place : str
        Grammar, and what the briefing calls the system.
    level, seed : int
    begins : pandas.Timestamp
        The first alert: minute 0.
    incident : Incident
        The record as it stands then.
    reference : pandas.DataFrame
        Rows from before; of a line, the normal minutes.
    clean, broken : pandas.DataFrame
        The same rows or minutes without the fault and with it, in order of time, up to the end of the drill.
    harmed : ndarray
        Cases of harm that each of these rows does because of the fault.
    harm : str
        What one case of harm is.
    draws : ndarray
        A number from 0 to 1 a row: a measure that stops a share stops the rows below it.
    time : str
    asked : mapping
        Metric, model and roles as `windows_from` takes them; of a line, `target`, `bad` and `graph`.
    label : str or None
    answers : tuple of str
        Names of the cause that are right.
    truth, lead, bait, asks : str
        The cause in a sentence; what moved loudly and did nothing; whom a colleague names; what a journalist asks.
    measures : mapping of str to Measure
    """

    kind: str
    place: str
    level: int
    seed: int
    begins: pd.Timestamp
    incident: Incident
    reference: pd.DataFrame
    clean: pd.DataFrame
    broken: pd.DataFrame
    harmed: Floats
    harm: str
    draws: Floats
    time: str
    asked: Mapping[str, Any]
    label: str | None = None
    answers: tuple[str, ...]
    truth: str
    lead: str
    bait: str
    asks: str
    measures: Mapping[str, Measure]

    def __repr__(self) -> str:
        return f"<an incident of {self.kind}, its cause hidden>"

    def __reduce__(self) -> str:
        raise TypeError("an incident whose cause is hidden is not written to a file")

    @property
    def line(self) -> bool:
        """Whether it is a line of systems, whose signals are blended where harm is stopped in part."""
        return self.kind == "line"

    def minutes(self) -> Floats:
        """Minutes of each row since the first alert."""
        return np.asarray((self.broken[self.time] - self.begins) / pd.Timedelta(minutes=1), dtype=float)

    def stopped(self, contained: Contained) -> Floats:
        """Share of each row's harm that is stopped: 0 or 1 of a row, anything between of a minute of a line."""
        at, share = self.minutes(), np.zeros(len(self.broken))
        for minute, name in contained:
            share = np.where(at > minute, np.maximum(share, self.measures[name].stops), share)
        return share if self.line else (self.draws < share).astype(float)

    def seen(self, minute: int, contained: Contained = ()) -> pd.DataFrame:
        """The rows that have come by a minute, as they are where harm was stopped; late labels are missing."""
        there, stopped = self.minutes() <= minute, self.stopped(contained)
        clean, broken, stopped = self.clean[there], self.broken[there], stopped[there]
        if self.line:
            signals = [name for name in broken.columns if name != self.time]
            share = stopped[:, None]
            seen: pd.DataFrame = broken.copy()
            seen[signals] = clean[signals].to_numpy() * share + broken[signals].to_numpy() * (1 - share)
            return seen
        rows: pd.DataFrame = pd.concat([broken[stopped == 0], clean[stopped > 0]]).sort_index()
        if self.level < 3 or self.label is None:
            return rows
        return rows.loc[rows[self.time] <= self.begins + pd.Timedelta(minutes=minute) - LATE]

    def harms(self, contained: Contained) -> tuple[float, float]:
        """Cases of harm stopped, and cases that were possible, from the first alert to the end."""
        ahead = np.where(self.minutes() > 0, self.harmed, 0.0)
        return float((ahead * self.stopped(contained)).sum()), float(ahead.sum())

    @property
    def a_day(self) -> float:
        """Cases of harm a day from the first alert on, where nothing is contained."""
        return self.harms(())[1] * 24 / HOURS

    @property
    def severity(self) -> str:
        """What the house rule says."""
        return severe(self.a_day)


def severe(a_day: float | None) -> str:
    """The severity that the house rule gives to so many cases a day."""
    return next(name for name, least in SEVERE.items() if (a_day or 0) >= least or least == 0)
