"""How much of the metric's change each thing did: the model, a column, how a node follows its parents, or the world.

Evidence has an order. A model that answers otherwise on the same inputs is asked again. A column is mended and the model
asked again. What neither explains is divided by density ratios, which show association only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.asking import Asker, agreement, asker_of
from rca.analysis.drift import Drift
from rca.analysis.faults import ColumnFault, Faults
from rca.analysis.information import tells_less
from rca.analysis.mending import SEATS, Mended, mended_harm
from rca.analysis.metric import Measured, Parts, Segment, measure
from rca.analysis.ratios import ENOUGH, Division, Ratio, chain_ratios, divide, mechanisms
from rca.analysis.result import Result, Row
from rca.analysis.windows import Windows
from rca.finding import CauseKind, Fault, Finding, Interval, Strength, Target

if TYPE_CHECKING:
    from rca.record.model import Model

Floats = npt.NDArray[np.float64]
Method = Literal["asked again", "mended", "reweighted", "mechanism"]

MATERIAL_SHARE = 0.25
"""Share of the harm that mending has to explain before ratios are left aside, or to leave before they are asked."""

SAME = 0.99
"""Share of reference rows whose recorded answer the model file has to repeat, to count as the model that failed."""

RATIO_ROWS = 8000
"""Rows of each window that ratios are learned on."""

PLAYERS = 8
"""Mechanisms that play together; the others are tested and left as they are."""

Z = 1.959963984540054


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """One signed part of the harm.

    Attributes
    ----------
    kind, name, fault
        What did it; `name` is a column, a node, a system, or `label` for a concept.
    value : float
        In the metric's unit and the bad direction: positive where it did harm.
    interval : Interval
        95 % sampling interval of `value`.
    method : {'asked again', 'mended', 'reweighted', 'mechanism'}
    n_effective : float
        Effective rows behind it.
    strength : Strength
    refuters, assumptions : tuple of str
    """

    kind: CauseKind
    name: str
    fault: Fault | None = None
    value: float
    interval: Interval
    method: Method
    n_effective: float
    strength: Strength
    refuters: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

    @property
    def identifiable(self) -> bool:
        """Whether enough rows of one window resemble the other's to say anything."""
        return self.n_effective >= ENOUGH

    @property
    def label(self) -> str:
        """What did it, in words."""
        words = {
            "feature": f"column {self.name}",
            "mechanism": f"how {self.name} follows its causes",
            "concept": "how the label follows the features",
            "model": f"the answers of {self.name}",
        }
        broken = f" ({self.fault.replace('_', ' ')})" if self.fault and self.fault != "distribution" else ""
        return words.get(self.kind, self.name) + broken

    def __str__(self) -> str:
        return f"{self.label}: {self.value:+.3g} ({self.interval}), {self.method}"


@dataclass(frozen=True, kw_only=True)
class Harm(Result):
    """The metric's change divided, the largest part first.

    Attributes
    ----------
    measured : Measured
    contributions : tuple of Contribution
        With `unexplained` they add up to ``measured.worse``.
    unexplained : float
        In the metric's unit and the bad direction.
    model_agrees : tuple of float or None
        Share of rows in each window whose recorded answer the model file repeats; None without a model.
    """

    measured: Measured
    contributions: tuple[Contribution, ...]
    unexplained: float
    model_agrees: tuple[float, float] | None = None

    def __str__(self) -> str:
        if not self.contributions:
            return f"{self.measured}; nothing explains it"
        return f"{self.measured}; the largest part: {self.contributions[0]}"

    def rows(self) -> list[Row]:
        return [
            {
                "cause": part.label,
                "contribution": part.value,
                "interval": str(part.interval),
                "method": part.method,
                "effective rows": round(part.n_effective),
                "strength": part.strength,
            }
            for part in self.contributions
        ] + [
            {
                "cause": "unexplained",
                "contribution": self.unexplained,
                "interval": None,
                "method": None,
                "effective rows": None,
                "strength": None,
            }
        ]

    def findings(self) -> tuple[Finding, ...]:
        return tuple(_finding(part, self.measured) for part in self.contributions)


def _finding(part: Contribution, measured: Measured) -> Finding:
    did = "raised" if part.value * measured.sign > 0 else "lowered"
    return Finding(
        id=f"harm.{part.kind}.{part.name}",
        notebook="drift",
        claim=f"{part.label} {did} the {measured.label} by {abs(part.value):.3g} ({part.interval}), as {part.method}",
        cause=Target(kind=part.kind, name=part.name),
        effect=part.value,
        unit=measured.name,
        interval=part.interval,
        n_effective=part.n_effective,
        strength=part.strength,
        assumptions=part.assumptions,
        refuters=part.refuters,
    )


def harm(windows: Windows, drift: Drift, faults: Faults, *, rng: np.random.Generator) -> Harm:
    """Divide the metric's change among what could have done it.

    Parameters
    ----------
    windows : Windows
    drift, faults : Drift, Faults
        Of the same windows; columns that moved are the suspects.
    rng : numpy.random.Generator

    Raises
    ------
    Unanswerable
        If the metric cannot be computed in one of the windows.
    """
    meter = windows.meter
    groups = meter.segments(windows.reference, windows.current)
    before, after = (meter.parts(rows, groups=groups) for rows in (windows.reference, windows.current))
    measured = measure(before, after, windows.metric, rng=rng)
    agrees, found = None, []
    asker = asker_of(windows)
    if asker is not None:
        agrees = tuple(agreement(asker, rows) for rows in (windows.reference, windows.current))
        if agrees[0] >= SAME and meter.asks_the_model:
            found += _asked_again(windows, asker, after, groups) if agrees[1] < SAME else []
            found += _mended(windows, asker, faults, measured, rng) if measured.material else []
    left = measured.worse - sum(part.value for part in found)
    if measured.material and left > MATERIAL_SHARE * measured.worse:
        found = _with_ratios(windows, drift, measured, found, rng)
    found.sort(key=lambda part: -part.value)
    return Harm(
        measured=measured,
        contributions=tuple(found),
        unexplained=measured.worse - sum(part.value for part in found),
        model_agrees=agrees,  # type: ignore[arg-type]
    )


# -- the model, asked again ---------------------------------------------------------------------------------------------


def _asked_again(windows: Windows, asker: Asker, after: Parts, groups: tuple[Segment, ...]) -> list[Contribution]:
    """The harm of answers that the model on file would not have given."""
    again = windows.meter.parts(asker(windows.current), groups=groups)
    sign = 1 if windows.metric.harm == "higher" else -1
    value = sign * (after.value() - again.value())
    error = float(np.sqrt(np.sum((after.influence() - again.influence()) ** 2)))
    halves = [sign * (after.take(half).value() - again.take(half).value()) for half in _halves(len(after))]
    return [
        _contribution(
            "model", windows.model_name, value, error, method="asked again", rows=float(len(after)), halves=halves
        )
    ]


def _halves(rows: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    return np.arange(0, rows, 2), np.arange(1, rows, 2)


# -- columns, mended ----------------------------------------------------------------------------------------------------


def _mended(
    windows: Windows, asker: Asker, faults: Faults, measured: Measured, rng: np.random.Generator
) -> list[Contribution]:
    """The harm that goes away when columns that moved are mended and the model is asked again."""
    read = [name for name in _model(windows).features if name in windows.reference]
    suspects = _suspects(windows, [row for row in faults.columns if row.column in read], read)
    if not suspects:
        return []
    done = mended_harm(
        windows.reference, windows.current, suspects, meter=windows.meter, ask=asker, features=read, rng=rng
    )
    return [_mended_part(suspects[i], done, i, measured.sign) for i in range(min(len(suspects), SEATS))]


def _suspects(windows: Windows, moved: Sequence[ColumnFault], read: Sequence[str]) -> list[ColumnFault]:
    """Columns whose values may be wrong: those that broke in a nameable way, then those that tell less of the truth.

    A column that only moved may as well be right, in a world that has changed. If its values are wrong, it tells less of the
    label than it used to. Where the metric asks no label, what moves the answers is all that matters.
    """
    if not windows.meter.needs_label:
        return sorted(moved, key=lambda row: not row.broken)
    broken = [row for row in moved if row.broken]
    return broken + [
        row
        for row in moved
        if not row.broken
        and tells_less(windows.reference, windows.current, row.column, label=windows.label, among=read)
    ]


def _model(windows: Windows) -> "Model":
    assert windows.model is not None
    return windows.model


def _mended_part(fault: ColumnFault, done: Mended, i: int, sign: int) -> Contribution:
    part = _contribution(
        "feature",
        fault.column,
        sign * float(done.contributions[i]),
        float(done.errors[i]),
        method="mended",
        rows=float(min(done.rows)),
        halves=[sign * float(half[i]) for half in done.halves],
    )
    assumptions = ("donors that look alike elsewhere would have had alike values",) if not fault.invertible else ()
    return replace(part, fault=fault.fault, assumptions=assumptions)


# -- what is left, by ratios --------------------------------------------------------------------------------------------


def _with_ratios(
    windows: Windows, drift: Drift, measured: Measured, found: Sequence[Contribution], rng: np.random.Generator
) -> list[Contribution]:
    """Add what ratios say of the harm that is left; they replace columns whose mending explained next to nothing."""
    asked = [part for part in found if part.method == "asked again"]
    mended = [part for part in found if part.method == "mended"]
    explained = sum(part.value for part in mended)
    if explained >= MATERIAL_SHARE * measured.worse:
        return [*found, *_remainder(windows, measured, found)]
    if windows.parents and windows.model is None:
        return [*asked, *_by_mechanism(windows, measured)]
    return [*asked, *_by_chain(windows, drift, measured, rng)]


def _remainder(windows: Windows, measured: Measured, found: Sequence[Contribution]) -> list[Contribution]:
    """Harm that stays with every suspect column mended: the label follows the features otherwise."""
    if not windows.meter.needs_label:
        return []
    value = measured.worse - sum(part.value for part in found)
    spread = [(part.interval.high - part.interval.low) / (2 * Z) for part in found]
    whole = (measured.interval.high - measured.interval.low) / (2 * Z)
    error = float(np.sqrt(whole**2 + sum(one**2 for one in spread)))
    rows = float(min(measured.n_reference, measured.n_current))
    part = _contribution("concept", windows.label, value, error, method="mended", rows=rows, halves=())
    return [replace(part, strength="suggested", assumptions=("no column under suspicion is broken unseen",))]


def _by_mechanism(windows: Windows, measured: Measured) -> list[Contribution]:
    """Which nodes of the graph follow their parents otherwise, and what that did to the metric."""
    target = windows.metric.column or windows.roles.label
    ancestors = _ancestors(windows.parents, target) if target in windows.parents else set(windows.parents)
    parents = {node: causes for node, causes in windows.parents.items() if node in ancestors}
    tested = mechanisms(windows.reference, windows.current, parents, categorical=windows.roles.categorical)
    changed = sorted((one for one in tested if one.q_value <= 0.05), key=lambda one: one.q_value)[:PLAYERS]
    links = {one.node: _Link("mechanism", None) for one in changed}
    before, after = (windows.meter.parts(rows) for rows in (windows.reference, windows.current))
    return (
        _divided(before, after, {one.node: one.ratio for one in changed}, links, measured, last=REST) if changed else []
    )


def _ancestors(parents: dict[str, tuple[str, ...]], node: str) -> set[str]:
    found, open_ = {node}, [node]
    while open_:
        for cause in parents.get(open_.pop(), ()):
            if cause not in found:
                found.add(cause)
                open_.append(cause)
    return found


def _by_chain(windows: Windows, drift: Drift, measured: Measured, rng: np.random.Generator) -> list[Contribution]:
    """Data, model or world: columns that moved, the others, the answer given them, the label given all."""
    links = _links(windows, drift)
    if not links:
        return []
    reference, current = (_some(rows, rng) for rows in (windows.reference, windows.current))
    *first, last = links
    ratios = chain_ratios(reference, current, {name: links[name].columns for name in first}, rng=rng)
    groups = windows.meter.segments(windows.reference, windows.current)
    before, after = (windows.meter.parts(rows, groups=groups) for rows in (reference, current))
    return _divided(before, after, ratios, links, measured, last=last)


def _some(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if len(rows) <= RATIO_ROWS:
        return rows
    return rows.iloc[np.sort(rng.choice(len(rows), RATIO_ROWS, replace=False))]


REST = "everything else"


@dataclass(frozen=True)
class _Link:
    """A mechanism in a chain: what it would be as a cause, and its columns."""

    kind: CauseKind
    fault: Fault | None
    columns: tuple[str, ...] = ()


def _links(windows: Windows, drift: Drift) -> dict[str, _Link]:
    """The chain of mechanisms by name: columns that moved, the other columns, the label given them, the answers given all.

    Answers come last: they follow from what the model saw, so given the features a label tells nothing more of them.
    """
    roles, meter = windows.roles, windows.meter
    answers = tuple(name for name in (roles.score, roles.prediction) if name is not None)
    moved = [name for name in drift.moved() if name in roles.features][: PLAYERS - 3]
    links = {name: _Link("feature", "distribution", (name,)) for name in moved}
    rest = tuple(name for name in (*roles.features, *roles.groups) if name not in (*moved, meter.outcome))
    if rest:
        links[REST] = _Link("feature", "distribution", rest)
    if meter.needs_label:
        links[windows.label] = _Link("concept", None, (windows.label,))
    elif not meter.asks_the_model and windows.produces:
        links[windows.model_name] = _Link("model", None, (str(meter.outcome),))
    elif not meter.asks_the_model:
        links[str(meter.outcome)] = _Link("concept", None, (str(meter.outcome),))
    if answers and windows.model is None and meter.asks_the_model:
        links[windows.model_name] = _Link("model", None, answers)
    return links


def _divided(
    before: Parts, after: Parts, ratios: dict[str, Ratio], links: dict[str, _Link], measured: Measured, *, last: str
) -> list[Contribution]:
    """Contributions of the links by their ratios, but for what nobody would be sent to look at."""
    whole = divide(before, after, ratios, last=last)
    halves = []
    for one, other in zip(_halves(len(before)), _halves(len(after)), strict=True):
        part = {name: ratio.take(one, other) for name, ratio in ratios.items()}
        halves.append(divide(before.take(one), after.take(other), part, last=last))
    return [
        _ratio_part(name, links[name], whole, halves, measured.sign)
        for name in whole.names
        if name != REST and name in links
    ]


def _ratio_part(name: str, link: _Link, whole: Division, halves: Sequence[Division], sign: int) -> Contribution:
    i = whole.names.index(name)
    part = _contribution(
        link.kind,
        name,
        sign * float(whole.contributions[i]),
        float(whole.errors[i]),
        method="mechanism" if link.kind == "mechanism" else "reweighted",
        rows=float(whole.n_effective[i]),
        halves=[sign * float(half.contributions[i]) for half in halves],
    )
    return replace(
        part, fault=link.fault, assumptions=("both windows hold alike rows", "no unmeasured column moved with it")
    )


def _contribution(
    kind: CauseKind, name: str, value: float, error: float, *, method: Method, rows: float, halves: Sequence[float]
) -> Contribution:
    interval = Interval(low=value - Z * error, high=value + Z * error)
    survived = 0 not in interval and bool(halves) and all(half * value > 0 for half in halves)
    return Contribution(
        kind=kind,
        name=name,
        value=value,
        interval=interval,
        method=method,
        n_effective=rows,
        strength="shown" if survived and rows >= ENOUGH else "suggested",
        refuters=("the same sign in each half of the rows",) if survived else (),
    )
