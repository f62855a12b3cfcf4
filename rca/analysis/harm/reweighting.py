"""Attribution along a causal graph, by multiply robust estimation or density ratios, where no model can be rescored.

The players are the nodes whose mechanism P(node | parents) changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rca.analysis.harm.contribution import Contribution, PartEstimate, contribution, halves
from rca.analysis.inputs.windows import Windows
from rca.errors import Unanswerable
from rca.methods.change_attribution.conditional_invariance import unchanged
from rca.methods.change_attribution.density_ratio import Division, Ratio, divide, mechanisms
from rca.methods.change_attribution.multiply_robust import MechanismPart, attribute_change
from rca.methods.metric import Measured, Parts
from rca.methods.two_sample_tests import benjamini_hochberg

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
    return _played(game, changed, measured.sign)


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
    found = _part(part.node, estimate)
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


def _some(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if len(rows) <= RATIO_ROWS:
        return rows
    return rows.iloc[np.sort(rng.choice(len(rows), RATIO_ROWS, replace=False))]


def _played(game: _Game, nodes: Sequence[str], sign: int) -> list[Contribution]:
    """Contributions of the players by density ratios, without that of `REST`."""
    whole, parts = game.divide(), [half.divide() for half in game.halves()]
    return [
        _part(name, _estimate(whole, parts, at=i, sign=sign)) for i, name in enumerate(whole.names) if name in nodes
    ]


def _estimate(whole: Division, parts: list[Division], *, at: int, sign: int) -> PartEstimate:
    return PartEstimate(
        value=sign * float(whole.contributions[at]),
        error=float(whole.errors[at]),
        rows=float(whole.n_effective[at]),
        halves=[sign * float(half.contributions[at]) for half in parts],
    )


def _part(name: str, estimate: PartEstimate) -> Contribution:
    return contribution(
        "mechanism",
        name,
        estimate,
        method="mechanism",
        assumptions=("both windows hold alike rows", "no unmeasured column moved with it"),
    )
