"""Counterfactual prediction (what-if): decisions, people and metric under an intervention."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.counterfactual.change_counts import Counting, DecisionChange, Number, metric_of, people_of
from rca.analysis.counterfactual.counterfactual_rows import Counterfactual, Intervention, counterfactual
from rca.analysis.counterfactual.decision import Reader
from rca.analysis.inputs.windows import Windows
from rca.finding import Finding
from rca.methods.metric import SHARES
from rca.result import Result, Row

HIDDEN = "▮▮▮"
"""What stands where an id stood."""

COUNTS_COVER = "what is not known of the true values of these very rows; it holds no sampling of other rows"

METRIC_COVERS = "the sampling of rows, and what is not known of their true values"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One row: its decision on record and its counterfactual decision.

    Attributes
    ----------
    row : int
        Position in the current window, in order of time.
    id : str or None
    at : datetime or None
    was, would_be : str, float or None
        What would have been is the likeliest of what it could.
    chance : float
        Probability that it would have been another.
    """

    row: int
    id: str | None
    at: datetime | None
    was: str | float | None
    would_be: str | float | None
    chance: float

    @property
    def changed(self) -> bool:
        """Whether another decision is likelier than the same."""
        return self.chance > 0.5


@dataclass(frozen=True, kw_only=True)
class WhatIf(Result):
    """Counterfactual decisions: how many rows and people would have differed, and the counterfactual metric.

    Attributes
    ----------
    said : str
        What would have been: "pmms been whole".
    column : str
        Where the decisions stand.
    decisions : int
        Rows of the current window.
    touched : int
        Rows that would have met with it.
    changed : Number
        Rows that would have been decided otherwise.
    people : Number
        Distinct ids among them; the same where ids are not on record, or never twice.
    turns : tuple of DecisionChange
        The same by what was decided and what would have been, the most frequent first.
    righted, wronged : Number or None
        Wrong decisions that would have been right, and right ones that would have been wrong; None without labels.
    metric : str
    is_share : bool
        Whether the metric is a share, and read as per cent.
    recorded : float or None
        The metric of the current rows.
    would_be : Number or None
        What it would have been; None where it cannot be computed.
    spared : Number or None
        The recorded less what would have been, in the bad direction.
    by : str
        The outcome model: the model on file, a surrogate, or an SCM.
    counts_cover, metric_covers : str
        What the intervals cover.
    assumptions : tuple of str
    decided : tuple of Decision
        The touched rows.
    """

    said: str
    column: str
    decisions: int
    touched: int
    changed: Number
    people: Number
    turns: tuple[DecisionChange, ...]
    righted: Number | None
    wronged: Number | None
    metric: str
    is_share: bool
    recorded: float | None
    would_be: Number | None
    spared: Number | None
    by: str
    assumptions: tuple[str, ...]
    counts_cover: str = COUNTS_COVER
    metric_covers: str = METRIC_COVERS
    decided: tuple[Decision, ...] = field(default=(), repr=False)

    def frame(self, *, ids: bool = False) -> pd.DataFrame:
        """The touched rows as a table: id, time, was, would have been, changed, chance.

        Parameters
        ----------
        ids : bool
            Whether ids are shown; they may be personal, and are masked otherwise.
        """
        return pd.DataFrame(
            {
                "row": [one.row for one in self.decided],
                "id": [one.id if ids else one.id and HIDDEN for one in self.decided],
                "time": pd.to_datetime(pd.Series([one.at for one in self.decided], dtype=object), utc=True),
                "was": [one.was for one in self.decided],
                "would have been": [one.would_be for one in self.decided],
                "changed": np.array([one.changed for one in self.decided], dtype=bool),
                "chance": np.array([one.chance for one in self.decided], dtype=float),
            }
        )

    def __str__(self) -> str:
        level = f"{self.changed.interval.level:.0%} interval "
        rows = str(self.changed).replace("(", f"({level}", 1)
        told = f"had {self.said}, {rows} of {self.decisions:,} decisions would have been otherwise"
        likely = [one for one in self.turns[:2] if one.rows.value >= 0.5]
        turns = ", ".join(f"{one.rows.value:,.0f} {one.would_be} instead of {one.was}" for one in likely)
        told += f" ({self.column}: {turns})" if turns else ""
        if self.would_be is None or self.recorded is None:
            return told
        span = self.would_be.interval
        would = f"{self._say(self.would_be.value)} ({self._say(span.low)} to {self._say(span.high)})"
        return f"{told}; {self.metric} would have been {would} instead of {self._say(self.recorded)}"

    def _say(self, value: float) -> str:
        return f"{100 * value:.1f} %" if self.is_share else f"{value:.3g}"

    def counts(self) -> list[tuple[str, Number]]:
        """Counts of changed decisions, by name."""
        told: list[tuple[str, Number | None]] = [
            ("would have been otherwise", self.changed),
            ("people among them", self.people),
            *((f"{self.column} {one.would_be} instead of {one.was}", one.rows) for one in self.turns),
            ("wrong, would have been right", self.righted),
            ("right, would have been wrong", self.wronged),
        ]
        return [(name, number) for name, number in told if number is not None]

    def values(self) -> list[tuple[str, Number]]:
        """The counterfactual metric and the harm spared, by name."""
        told = (
            (f"{self.metric} that would have been", self.would_be),
            ("harm that would have been spared", self.spared),
        )
        return [(name, number) for name, number in told if number is not None]

    def rows(self) -> list[Row]:
        """Counts and values as rows of a table."""
        numbers = [(*one, self.counts_cover) for one in self.counts()]
        numbers += [(*one, self.metric_covers) for one in self.values()]
        return [
            {"what": "met with it", "value": float(self.touched), "interval": "", "the interval covers": ""},
            *(
                {"what": what, "value": one.value, "interval": str(one.interval), "the interval covers": covers}
                for what, one, covers in numbers
            ),
        ]

    def findings(self) -> tuple[Finding, ...]:
        """One finding: how many decisions would have changed; suggested, as a counterfactual is not observed."""
        return (
            Finding(
                id=f"what_if.{self.said.replace(' ', '_')}",
                notebook="causes",
                claim=str(self),
                effect=self.changed.value,
                unit="decisions",
                interval=self.changed.interval,
                n_effective=float(self.touched),
                assumptions=self.assumptions,
            ),
        )


def predict_what_if(
    windows: Windows, scenario: Intervention, reader: Reader, *, rng: np.random.Generator, level: float = 0.95
) -> WhatIf:
    """Predict counterfactual decisions of the current rows under an intervention, and the counterfactual metric.

    Parameters
    ----------
    windows : Windows
    scenario : Intervention
    reader : Reader
        Reads decisions off rows.
    rng : numpy.random.Generator
    level : float
        Of the intervals.

    Returns
    -------
    WhatIf
        Intervals of counts cover what these very rows would have shown. That of the metric covers the sampling of rows
        as well.
    """
    played = counterfactual(windows, scenario, reader, rng=rng)
    count = Counting(played=played, reader=reader, level=level)
    would, spared, recorded = metric_of(windows, played, reader, level=level)
    changed = count.changed()
    return WhatIf(
        said=scenario.said,
        column=reader.column,
        decisions=len(windows.current),
        touched=len(played.at),
        changed=changed,
        people=people_of(windows, played, reader, changed=changed),
        turns=count.turns(),
        righted=count.of_label(before=False),
        wronged=count.of_label(before=True),
        metric=windows.metric.name.replace("_", " "),
        is_share=windows.meter.base in SHARES,
        recorded=recorded,
        would_be=would,
        spared=spared,
        by=scenario.by,
        assumptions=scenario.assumptions,
        decided=_decided(windows, played, reader),
    )


# --- row by row ------------------------------------------------------------------------------------------------------


def _decided(windows: Windows, played: Counterfactual, reader: Reader) -> tuple[Decision, ...]:
    touched, roles = played.touched, windows.roles
    chance = reader.differ(touched.was, touched.would).mean(axis=0)
    would = _likeliest(touched.would, reader)
    rows = windows.current.iloc[played.at]
    ids = [None] * len(rows) if roles.id is None or roles.id not in rows else rows[roles.id].astype(str).tolist()
    times = [None] * len(rows) if roles.time is None else [_moment(at) for at in rows[roles.time]]
    return tuple(
        Decision(row=int(row), id=one, at=at, was=_value(was), would_be=_value(other), chance=float(p))
        for row, one, at, was, other, p in zip(played.at, ids, times, touched.was, would, chance, strict=True)
    )


def _likeliest(would: npt.NDArray[Any], reader: Reader) -> npt.NDArray[Any]:
    """Modal decision of each row over draws, the first in order of text among equals; or the mean of numbers."""
    if reader.least is not None:
        return np.asarray(would.mean(axis=0))
    found, names = pd.factorize(would.ravel(), sort=True)
    if not len(names):
        return np.full(would.shape[1], None, dtype=object)
    codes = found.reshape(would.shape)
    counts = np.stack([(codes == code).sum(axis=0) for code in range(len(names))])
    likeliest = np.asarray(names, dtype=object)[counts.argmax(axis=0)]
    return np.asarray(np.where(counts.max(axis=0) > 0, likeliest, None))


def _moment(at: Any) -> datetime | None:
    return None if pd.isna(at) else pd.Timestamp(at).to_pydatetime(warn=False)


def _value(value: Any) -> str | float | None:
    if value is None or value != value:  # noqa: PLR0124 - NaN is the value that is not itself
        return None
    return value if isinstance(value, str) else float(value)
