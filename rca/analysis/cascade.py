"""Which system failed first: signals against their own normal, components that nothing upstream explains in front."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.columns import Floats
from rca.analysis.result import Result, Row
from rca.errors import Unanswerable
from rca.finding import Finding, Target

if TYPE_CHECKING:
    from rca.record.incident import Signals

ABNORMAL = 4.0
"""Robust standard deviations from normal at which a signal has left its range."""

NORMAL_ROWS = 10
"""Normal samples below which no range can be told."""

LARGEST = 1e300
"""Deviations are cut here, so that they are finite."""


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A component by its most abnormal signal.

    Attributes
    ----------
    component, signal : str
    score : float
        Largest robust deviation from normal, in standard deviations, in the bad direction where it is known.
    onset : datetime or None
        First sample of the failing window outside the normal range.
    explained : bool
        Whether something upstream of it was abnormal no later: then it may only have passed the failure on.
    upstream : bool
        Whether it can act on the alarm at all; true where the case has no graph.
    """

    component: str
    signal: str
    score: float
    onset: datetime | None
    explained: bool
    upstream: bool


@dataclass(frozen=True, kw_only=True)
class Cascade(Result):
    """Components ranked as the origin, the likeliest first.

    Attributes
    ----------
    suspects : tuple of Suspect
    target : str or None
        The alarm.
    n_signals : int
    chance : float
        Probability that a random guess names the first suspect.
    """

    suspects: tuple[Suspect, ...]
    target: str | None
    n_signals: int
    chance: float

    def __str__(self) -> str:
        if not self.abnormal:
            return f"none of {self.n_signals} signals left its normal range"
        first = self.suspects[0]
        return f"{first.component} first, by {first.signal}: {first.score:.3g} standard deviations from normal"

    @property
    def abnormal(self) -> tuple[Suspect, ...]:
        """Suspects that left their normal range."""
        return tuple(one for one in self.suspects if one.score >= ABNORMAL)

    def rows(self) -> list[Row]:
        return [
            {
                "component": one.component,
                "signal": one.signal,
                "standard deviations": one.score,
                "first abnormal": one.onset.isoformat() if one.onset else None,
                "explained upstream": one.explained,
                "upstream of the alarm": one.upstream,
            }
            for one in self.suspects
        ]

    def findings(self) -> tuple[Finding, ...]:
        return tuple(
            Finding(
                id=f"cascade.{one.component}",
                notebook="cascade",
                claim=f"{one.signal} went {one.score:.3g} standard deviations from normal",
                cause=Target(kind="component", name=one.component),
                effect=one.score,
                unit="robust standard deviations",
                assumptions=("the rows before the failure are normal",),
            )
            for one in self.abnormal[:10]
        )


def cascade(
    table: pd.DataFrame,
    signals: "Signals",
    *,
    edges: Iterable[tuple[str, str]] = (),
    kind: Literal["causal", "calls"] = "causal",
) -> Cascade:
    """Rank components as the origin of a cascade.

    Parameters
    ----------
    table : pandas.DataFrame
        A column `time`, then one column a signal, `component|metric`.
    signals : Signals
        The failing window, the alarm, and the bad direction of each metric.
    edges : iterable of (str, str)
        What can act on what, by component.
    kind : {'causal', 'calls'}
        `causal` edges run from cause to effect; `calls` from caller to callee, and a failure travels the other way.

    Returns
    -------
    Cascade
        One suspect a component. Without a graph the farthest from normal leads; with one, the first that left its
        range upstream of the alarm, with no cause of its own that left it earlier.

    Raises
    ------
    Unanswerable
        If there is no signal, or fewer than ten normal rows or no failing row are on record.
    """
    names = [str(name) for name in table.columns if name != "time"]
    if not names:
        raise Unanswerable("which system failed first", "the table holds no signals")
    table = table.sort_values("time", kind="stable")
    failing = ((table["time"] >= signals.from_) & (table["time"] <= signals.to)).to_numpy()
    normal = (table["time"] < signals.from_).to_numpy()
    if normal.sum() < NORMAL_ROWS or not failing.any():
        raise Unanswerable(
            "which system failed first", f"{normal.sum()} normal and {failing.sum()} failing samples are too few"
        )
    values = table[names].to_numpy(float)
    bad = np.array([{"up": 1, "down": -1}.get(signals.bad.get(metric_of(name), ""), 0) for name in names])
    suspects = _suspects(
        names,
        _deviations(values[normal], values[failing], bad),
        table.loc[failing, "time"],
        causes=_causes(edges, kind),
        alarm=component_of(signals.target) if signals.target else None,
    )
    return Cascade(suspects=suspects, target=signals.target, n_signals=len(names), chance=1 / max(1, len(suspects)))


def component_of(signal: str) -> str:
    """The part of a signal's name before the bar.

    >>> component_of("qa-dashboard|false_pass_rate"), metric_of("qa-dashboard|false_pass_rate")
    ('qa-dashboard', 'false_pass_rate')
    """
    return signal.partition("|")[0]


def metric_of(signal: str) -> str:
    """The part of a signal's name after the bar."""
    return signal.partition("|")[2]


def _deviations(normal: Floats, failing: Floats, bad: npt.NDArray[np.int64]) -> Floats:
    """Distance of each failing sample from the normal median, in normal standard deviations, in the bad direction.

    The scale is the largest of the standard deviation, the interquartile range over 1.349 and a hundredth of the
    median's size, so that a signal which never moved needs a visible step. A sample that is no finite number is zero
    away, as is all of a signal whose scale is no number.

    Returns
    -------
    ndarray of shape (failing rows, signals)
        Finite.
    """
    known = np.where(np.isfinite(normal), normal, np.nan)
    known = np.where(np.isnan(known).all(axis=0), 0.0, known)
    with np.errstate(invalid="ignore", over="ignore"):
        centre = np.nanmedian(known, axis=0)
        quarters = np.nanquantile(known, [0.25, 0.75], axis=0)
        scale = np.maximum.reduce(
            [
                np.nanstd(known, axis=0),
                (quarters[1] - quarters[0]) / 1.349,
                0.01 * np.abs(centre),
                np.full(len(centre), 1e-9),
            ]
        )
        away = (np.where(np.isfinite(failing), failing, np.nan) - centre) / scale
    directed = np.where(bad == 0, np.abs(away), bad * away)
    return np.asarray(np.nan_to_num(np.clip(directed, -LARGEST, LARGEST), nan=0.0))


def _causes(edges: Iterable[tuple[str, str]], kind: str) -> dict[str, set[str]]:
    """Component → the components that can act on it directly."""
    found: dict[str, set[str]] = {}
    for one, other in edges:
        cause, effect = (one, other) if kind == "causal" else (other, one)
        found.setdefault(component_of(effect), set()).add(component_of(cause))
        found.setdefault(component_of(cause), set())
    return found


def _reach(causes: Mapping[str, set[str]], start: str) -> set[str]:
    """Everything upstream of a component, itself included."""
    found, open_ = {start}, [start]
    while open_:
        for cause in causes.get(open_.pop(), set()) - found:
            found.add(cause)
            open_.append(cause)
    return found


def _suspects(
    names: Sequence[str],
    deviations: Floats,
    times: "pd.Series[pd.Timestamp]",
    *,
    causes: Mapping[str, set[str]],
    alarm: str | None,
) -> tuple[Suspect, ...]:
    best: dict[str, int] = {}
    peaks = deviations.max(axis=0)
    for i in sorted(range(len(names)), key=lambda i: (-peaks[i], names[i])):
        best.setdefault(component_of(names[i]), i)
    first = {component: _first(deviations[:, i]) for component, i in best.items()}
    reach = _reach(causes, alarm) if alarm is not None and alarm in causes else set(best)
    suspects = (
        Suspect(
            component=component,
            signal=names[i],
            score=float(peaks[i]),
            onset=times.iloc[at].to_pydatetime() if (at := first[component]) is not None else None,
            explained=_explained(component, first, causes),
            upstream=component in reach,
        )
        for component, i in best.items()
    )
    return tuple(sorted(suspects, key=_by_time if causes else _by_size))


def _by_size(one: Suspect) -> tuple[float, str]:
    return -one.score, one.component


def _by_time(one: Suspect) -> tuple[bool, bool, bool, float, float, str]:
    """Where a graph says what can act on what: upstream of the alarm, unexplained, the first to leave its range."""
    since = one.onset.timestamp() if one.onset else float("inf")
    return one.onset is None, not one.upstream, one.explained, since, *_by_size(one)


def _first(deviations: Floats) -> int | None:
    abnormal = np.flatnonzero(deviations >= ABNORMAL)
    return int(abnormal[0]) if len(abnormal) else None


def _explained(component: str, first: Mapping[str, int | None], causes: Mapping[str, set[str]]) -> bool:
    """Whether a direct cause of the component was abnormal no later than it."""
    own = first[component]
    if own is None:
        return False
    earlier = (first.get(cause) for cause in causes.get(component, set()) - {component})
    return any(at is not None and at <= own for at in earlier)
