"""Attribution by density-ratio reweighting or multiply robust estimation, where no model can be rescored.

With a causal graph the players are the nodes whose mechanism P(node | parents) changed. Without one they are a chain:
drifted columns, the other columns, the label given them, and the model's answers given all (covariate shift, concept
shift, model change).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rca.analysis.drift.univariate import Drift
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.harm.conditional_information import CRITICAL, information
from rca.analysis.harm.contribution import Contribution, PartEstimate, contribution, halves
from rca.analysis.inputs.windows import Windows
from rca.errors import Unanswerable
from rca.finding import CauseKind, Fault
from rca.methods.change_attribution.conditional_invariance import unchanged
from rca.methods.change_attribution.density_ratio import Division, Ratio, chain_ratios, divide, mechanisms
from rca.methods.change_attribution.multiply_robust import MechanismPart, attribute_change
from rca.methods.metric import Measured, Parts
from rca.methods.two_sample_tests import benjamini_hochberg
from rca.tables.discretisation import discretise

OVERLAP = 0.2
"""Overlap coefficient of a column's windows below which no density ratio is used."""

RATIO_ROWS = 8000
"""Most rows of each window that density ratios are fitted on."""

PLACEBO_ROWS = 2000
"""Most rows of each window in the permutation placebo."""

PLAYERS = 8
"""Most mechanisms that are players together; the others are tested and held fixed."""

CHANGED = 0.05
"""False discovery rate at which a node's mechanism counts as changed."""

REST = "everything else"
"""The mechanism of all other columns; its part is left unexplained."""


@dataclass(frozen=True, kw_only=True)
class _Link:
    """A link of the chain: its kind as a cause, and its columns."""

    kind: CauseKind
    fault: Fault | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Game:
    """A reweighting game: the metric's parts in both windows, a density ratio for each player but the last."""

    before: Parts
    after: Parts
    ratios: Mapping[str, Ratio]
    last: str

    def divide(self) -> Division:
        return divide(self.before, self.after, self.ratios, last=self.last)

    def halves(self) -> list["_Game"]:
        """The same game on each half of the rows."""
        return [
            _Game(
                before=self.before.take(one),
                after=self.after.take(other),
                ratios={name: ratio.take(one, other) for name, ratio in self.ratios.items()},
                last=self.last,
            )
            for one, other in zip(halves(len(self.before)), halves(len(self.after)), strict=True)
        ]


def by_mechanism(windows: Windows, measured: Measured, *, rng: np.random.Generator) -> list[Contribution]:
    """Contributions of the changed mechanisms of a causal graph: multiply robust, or by density ratios.

    Where the graph has every column that the metric is computed from, all mechanisms are players and the parts are
    multiply robust; given are those that the invariance test finds changed and whose part is identifiable. Else the
    changed nodes alone are players, by density ratios.

    Parameters
    ----------
    windows : Windows
        With `parents`; only ancestors of the metric's column are looked at, where the graph knows it.
    measured : Measured
    rng : numpy.random.Generator
        Draws the rows, at most `RATIO_ROWS` of a window, and the folds.

    Returns
    -------
    list of Contribution
        One for each node that changed, the surest `PLAYERS` of them.
    """
    target = windows.metric.column or windows.roles.label
    ancestors = _ancestors(windows.parents, target) if target in windows.parents else set(windows.parents)
    parents = {node: causes for node, causes in windows.parents.items() if node in ancestors}
    changed = _changed(windows, parents, rng=rng)
    if not changed:
        return []
    read = windows.meter.read
    if read and set(read) <= set(windows.parents):
        try:
            return _robustly(windows, read, set(changed), sign=measured.sign, rng=rng)
        except Unanswerable:  # a gap between groups, or hardly any rows that count: ratios still say something
            pass
    before, after = (windows.meter.parts(rows) for rows in (windows.reference, windows.current))
    counted = mechanisms(windows.reference, windows.current, parents, categorical=windows.roles.categorical)
    ratios = {one.node: one.ratio for one in counted if one.node in changed}
    game = _Game(before=before, after=after, ratios=ratios, last=REST)
    return _played(game, {node: _Link(kind="mechanism") for node in changed}, measured.sign)


def _changed(windows: Windows, parents: Mapping[str, tuple[str, ...]], *, rng: np.random.Generator) -> list[str]:
    """Nodes whose mechanism changed, by tests of conditional invariance; smallest Benjamini-Hochberg q-value first."""
    if not parents:
        return []
    coded = windows.roles.categorical
    p_values = unchanged(windows.reference, windows.current, parents, categorical=coded, rng=rng)
    tested = sorted(zip(benjamini_hochberg(list(p_values.values())), p_values, strict=True))
    return [node for q_value, node in tested if q_value <= CHANGED][:PLAYERS]


def _robustly(
    windows: Windows, read: Sequence[str], changed: set[str], *, sign: int, rng: np.random.Generator
) -> list[Contribution]:
    """Multiply robust contributions of the changed mechanisms, each refuted against a permutation placebo."""
    rows = _some(windows.reference, rng), _some(windows.current, rng)
    found = _divided(windows, rows, read, rng=rng)
    told = [part for part in found if part.node in changed and part.identifiable]
    if not told:
        return []
    dealt = _dealt((rows[0].head(PLACEBO_ROWS), rows[1].head(PLACEBO_ROWS)), rng)
    placebo = {part.node: part for part in _divided(windows, dealt, read, rng=rng)}
    return [_refuted(part, placebo[part.node], sign=sign) for part in told]


def _divided(
    windows: Windows, rows: tuple[pd.DataFrame, pd.DataFrame], read: Sequence[str], *, rng: np.random.Generator
) -> tuple[MechanismPart, ...]:
    parts = windows.meter.parts(rows[0]), windows.meter.parts(rows[1])
    coded = windows.roles.categorical
    return attribute_change(*rows, windows.parents, target=read, parts=parts, categorical=coded, rng=rng).parts


def _dealt(rows: tuple[pd.DataFrame, pd.DataFrame], rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Permutation placebo: both windows with their rows reassigned at random, so that nothing changed."""
    both = pd.concat(rows, ignore_index=True)
    order = rng.permutation(len(both))
    first = np.sort(order[: len(rows[0])]), np.sort(order[len(rows[0]) :])
    return both.iloc[first[0]].reset_index(drop=True), both.iloc[first[1]].reset_index(drop=True)


def _refuted(part: MechanismPart, placebo: MechanismPart, *, sign: int) -> Contribution:
    """A mechanism's contribution; `shown` only if the permutation placebo is small beside it."""
    estimate = PartEstimate(
        value=sign * part.value,
        error=part.error,
        rows=part.n_effective,
        halves=[sign * half for half in part.halves],
    )
    found = _part(part.node, _Link(kind="mechanism"), estimate)
    stays_away = abs(placebo.value) < max(4 * placebo.error, abs(part.value) / 4)
    if found.strength == "shown" and not stays_away:
        return replace(found, strength="suggested", refuters=())
    told = f"with the windows' rows dealt anew by chance its part is {sign * placebo.value:+.2g}"
    return replace(found, refuters=(*found.refuters, told) if stays_away else found.refuters)


def _ancestors(parents: Mapping[str, tuple[str, ...]], node: str) -> set[str]:
    """Everything upstream of a node, itself included."""
    found, open_ = {node}, [node]
    while open_:
        for cause in parents.get(open_.pop(), ()):
            if cause not in found:
                found.add(cause)
                open_.append(cause)
    return found


def by_chain(
    windows: Windows, drift: Drift, faults: Faults, *, sign: int, rng: np.random.Generator
) -> list[Contribution]:
    """Contributions along a chain by density ratios: drifted columns, the others, label given them, answers given all.

    A column whose windows hardly overlap has no ratio and is no player. If it broke, a change of the answers given all
    else is attributed to it, as the likelier of two explanations that the data cannot tell apart.

    Parameters
    ----------
    windows : Windows
    drift, faults : Drift, Faults
        Of the same windows; say which columns moved, and which of them broke.
    sign : int
        Of harm: +1 where a higher metric is worse.
    rng : numpy.random.Generator
        Draws the rows, at most `RATIO_ROWS` of a window, and the folds.
    """
    apart = _apart(windows, drift)
    links = _links(windows, drift, without=apart)
    if not links:
        return []
    reference, current = (_some(rows, rng) for rows in (windows.reference, windows.current))
    *first, last = links
    ratios = chain_ratios(reference, current, {name: links[name].columns for name in first}, rng=rng)
    groups = windows.meter.segments(windows.reference, windows.current)
    before, after = (windows.meter.parts(rows, groups=groups) for rows in (reference, current))
    found = _played(_Game(before=before, after=after, ratios=ratios, last=last), links, sign)
    broken = _broken(faults, apart)
    if broken is None and apart and _matter(windows, apart):
        return [_untold(part) for part in found]
    return [_likelier(part, broken) for part in found]


def _apart(windows: Windows, drift: Drift) -> list[str]:
    """Drifted features without overlap between the windows, for which no density ratio is defined."""
    coded = windows.roles.categorical
    moved = [name for name in drift.moved() if name in windows.roles.features]
    laid = {name: discretise(windows.reference[name], windows.current[name], coded=name in coded) for name in moved}
    return [name for name, one in laid.items() if one.overlap() < OVERLAP]


def _broken(faults: Faults, apart: Sequence[str]) -> ColumnFault | None:
    """The only column among some that has a diagnosed fault; None where none has, or several."""
    broken = [fault for name in apart if (fault := faults.get(name)) is not None and fault.broken]
    return broken[0] if len(broken) == 1 else None


def _matter(windows: Windows, apart: Sequence[str]) -> bool:
    """Whether columns without overlap have conditional information on the label, or on the answers, in the reference.

    Then a change of P(label | other columns) may be due to them, and is not identified.
    """
    roles = windows.roles
    read = [name for name in windows.meter.read if pd.api.types.is_numeric_dtype(windows.reference[name])]
    told = [information(windows.reference, apart, label=name, among=roles.features) for name in read]
    return any(saved > CRITICAL * error for saved, error in told)


def _untold(part: Contribution) -> Contribution:
    """Mark a model or concept contribution as not identified, where informative columns have no overlap."""
    if part.kind not in ("model", "concept"):
        return part
    why = "not identified: columns that matter hold nothing that they held before"
    return replace(part, n_effective=0.0, strength="assumed", refuters=(), assumptions=(*part.assumptions, why))


def _likelier(part: Contribution, broken: ColumnFault | None) -> Contribution:
    """Attribute a model contribution to the only broken column without overlap, if there is one."""
    if part.kind != "model" or broken is None:
        return part
    untold = "the answers followed the broken column; that the model changed at the same time cannot be excluded"
    return replace(
        part, kind="feature", name=broken.column, fault=broken.fault, assumptions=(*part.assumptions, untold)
    )


def _some(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if len(rows) <= RATIO_ROWS:
        return rows
    return rows.iloc[np.sort(rng.choice(len(rows), RATIO_ROWS, replace=False))]


def _links(windows: Windows, drift: Drift, *, without: Sequence[str]) -> dict[str, _Link]:
    """Links of the chain of mechanisms by name, in order.

    Answers come last: they depend on the features that the model saw, and given these not on the label.
    """
    roles, meter = windows.roles, windows.meter
    moved = [name for name in drift.moved() if name in roles.features and name not in without][: PLAYERS - 3]
    links = {name: _Link(kind="feature", fault="distribution", columns=(name,)) for name in moved}
    taken = {*moved, *without, meter.outcome}
    rest = tuple(name for name in (*roles.features, *roles.groups) if name not in taken)
    if rest:
        links[REST] = _Link(kind="feature", fault="distribution", columns=rest)
    if meter.needs_label:
        links[windows.label] = _Link(kind="concept", columns=(windows.label,))
    elif not meter.asks_the_model:
        links |= _outcome_link(windows, str(meter.outcome))
    answers = tuple(name for name in (roles.score, roles.prediction) if name is not None)
    if answers and not windows.answers_same and meter.asks_the_model:
        links[windows.model_name] = _Link(kind="model", columns=answers)
    return links


def _outcome_link(windows: Windows, outcome: str) -> dict[str, _Link]:
    """Link of a metric's outcome column: a concept shift, unless the outcome is a model's own output."""
    if windows.produces:
        return {windows.model_name: _Link(kind="model", columns=(outcome,))}
    return {outcome: _Link(kind="concept", columns=(outcome,))}


def _played(game: _Game, links: Mapping[str, _Link], sign: int) -> list[Contribution]:
    """Contributions of the players by density ratios, without that of `REST`."""
    whole, parts = game.divide(), [half.divide() for half in game.halves()]
    return [
        _part(name, links[name], _estimate(whole, parts, at=i, sign=sign))
        for i, name in enumerate(whole.names)
        if name != REST and name in links
    ]


def _estimate(whole: Division, parts: list[Division], *, at: int, sign: int) -> PartEstimate:
    return PartEstimate(
        value=sign * float(whole.contributions[at]),
        error=float(whole.errors[at]),
        rows=float(whole.n_effective[at]),
        halves=[sign * float(half.contributions[at]) for half in parts],
    )


def _part(name: str, link: _Link, estimate: PartEstimate) -> Contribution:
    found = contribution(
        link.kind,
        name,
        estimate,
        method="mechanism" if link.kind == "mechanism" else "reweighted",
        fault=link.fault,
        assumptions=("both windows hold alike rows", "no unmeasured column moved with it"),
    )
    return (
        found if link.kind == "mechanism" else replace(found, strength="suggested")
    )  # an association, without a graph
