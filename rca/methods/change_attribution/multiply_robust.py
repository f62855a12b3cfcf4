"""Multiply robust causal change attribution: Shapley values of the mechanisms of a causal graph in a metric's change.

Every mechanism, P(node given parents), moves from the reference's to the current window's. The change of the mean of a
column, or of any metric that is a ratio of means, is divided among them. The estimate is consistent if, at every step,
either the regressions or the weights are; its interval is from the cross-fitted influence function.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from rca.arrays import Floats
from rca.errors import Unanswerable
from rca.finding import Finding, Interval, Target, Unanswered
from rca.methods.change_attribution.causal_chain import Chain, chain_of
from rca.methods.change_attribution.cross_fitting import FOLDS, CrossFitted, Game, cross_fit
from rca.methods.change_attribution.density_ratio import ENOUGH, effective
from rca.methods.metric import Parts
from rca.methods.regression_basis import TwoSamples, lines
from rca.result import Result, Row
from rca.tables.columns import as_numbers

FARTHEST = 1e100
"""Largest numerator of a row that is regressed: squares of larger ones overflow."""

MIN_ROWS = 40
"""Fewest rows of a window for a regression."""

HEAVIEST = 0.05
"""Share of the total weight on one row above which a weighted mean is not identifiable."""


@dataclass(frozen=True, kw_only=True)
class MechanismPart:
    """Contribution of one mechanism to the metric's change, with its overlap diagnostics.

    Attributes
    ----------
    node : str
    parents : tuple of str
    value, error : float
        In the metric's unit, and its standard error.
    interval : Interval
        Sampling interval of `value`.
    halves : tuple of float
        Estimates from each half of the folds.
    n_effective : float
        Effective rows behind it: the fewest of a window weighted so that the parents look like the other window's, for
        this node and those downstream of it.
    heaviest : float
        Largest share of the weight that is on one row.
    """

    node: str
    parents: tuple[str, ...]
    value: float
    error: float
    interval: Interval
    halves: tuple[float, float]
    n_effective: float
    heaviest: float

    @property
    def identifiable(self) -> bool:
        """Whether the windows overlap enough: effective sample size and largest weight within bounds."""
        return self.n_effective >= ENOUGH and self.heaviest <= HEAVIEST

    def __str__(self) -> str:
        if not self.identifiable:
            return f"{self.node}: not identifiable, no overlap ({self.n_effective:.0f} effective rows)"
        return f"{self.node}: {self.value:+.3g} ({self.interval})"


@dataclass(frozen=True, kw_only=True)
class MechanismAttribution(Result):
    """A metric's change attributed to the mechanisms upstream of it.

    Attributes
    ----------
    target : str
        What changed, in words.
    parts : tuple of MechanismPart
        In the order of cause and effect; for a mean their values add up to `change`.
    change : float
        Current less reference.
    """

    target: str
    parts: tuple[MechanismPart, ...]
    change: float

    def __str__(self) -> str:
        ranked = sorted(self.parts, key=lambda part: -abs(part.value))
        told = ", ".join(map(str, ranked[:3]))
        return f"{self.target} changed by {self.change:+.3g}, divided among {len(self.parts)} mechanisms: {told}"

    def __getitem__(self, node: str) -> MechanismPart:
        return next(part for part in self.parts if part.node == node)

    def rows(self) -> list[Row]:
        return [
            {
                "mechanism": part.node,
                "parents": ", ".join(part.parents),
                "contribution": part.value if part.identifiable else None,
                "interval": str(part.interval) if part.identifiable else "not identifiable: no overlap",
                "effective rows": round(part.n_effective),
            }
            for part in self.parts
        ]

    @property
    def unanswered(self) -> tuple[Unanswered, ...]:
        """Mechanisms whose contribution is not identifiable."""
        why = "not identifiable: no overlap, only {:.0f} effective rows of one window look like the other's"
        return tuple(
            Unanswered(question=f"what did {part.node} do to {self.target}", why=why.format(part.n_effective))
            for part in self.parts
            if not part.identifiable
        )

    def findings(self) -> tuple[Finding, ...]:
        return tuple(
            Finding(
                id=f"robust.{part.node}",
                notebook="drift",
                claim=f"how {part.node} follows its causes changed {self.target} by {part.value:+.3g} "
                f"({part.interval})",
                cause=Target(kind="mechanism", name=part.node),
                effect=part.value,
                unit=self.target,
                interval=part.interval,
                n_effective=part.n_effective,
                assumptions=("the causal graph is right", "no unmeasured common cause changed"),
            )
            for part in self.parts
            if part.identifiable
        )


def attribute_change(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    parents: Mapping[str, Sequence[str]],
    *,
    target: str | Sequence[str],
    rng: np.random.Generator,
    parts: tuple[Parts, Parts] | None = None,
    categorical: Sequence[str] = (),
    level: float = 0.95,
) -> MechanismAttribution:
    """Multiply robust attribution of the change of a mean to the mechanisms upstream of it, by Shapley value.

    The value of a coalition is the mean with its mechanisms taken from the current window and the others from the
    reference. Of a ratio of means, whose game has no polynomial extension, it is the Aumann-Shapley value: the integral
    of the same derivatives along the same diagonal.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    parents : mapping of str to sequence of str
        Node → its direct causes, all of them columns.
    target : str or sequence of str
        The column whose mean changed; or the columns that `parts` are read off.
    rng : numpy.random.Generator
        Draws the folds.
    parts : tuple of Parts, optional
        Of the rows of each window, for any metric that is a ratio of means; the mean of `target` where left out.
    categorical : sequence of str
        Numeric columns that are codes.
    level : float
        Of the intervals.

    Returns
    -------
    MechanismAttribution
        Where no arrow is missing and the metric is a mean, its values add up to the change to rounding; else to what
        missing arrows leave of chance, and to first order.

    Raises
    ------
    InvalidCase
        If the graph has a cycle, or lacks the target.
    Unanswerable
        If a window has fewer than 40 rows that count, or the metric is a gap, which no derivative describes.

    References
    ----------
    Quintas-Martínez et al. (2024), ICML, eq. (6); Owen (1972), theorem 5; Aumann & Shapley (1974), Values of non-atomic
    games, ch. 1.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before = pd.DataFrame({"x": rng.normal(0, 1, 500)}).assign(y=lambda rows: 2 * rows["x"])
    >>> after = pd.DataFrame({"x": rng.normal(1, 1, 500)}).assign(y=lambda rows: 2 * rows["x"])
    >>> found = attribute_change(before, after, {"x": [], "y": ["x"]}, target="y", rng=rng)
    >>> round(found["x"].value / found.change, 3), abs(found["y"].value) < 1e-3
    (1.0, True)
    """
    columns = (target,) if isinstance(target, str) else tuple(target)
    chain = chain_of(parents, columns)
    before, after = parts or (mean_of(reference[columns[0]]), mean_of(current[columns[0]]))
    game = game_of(reference, current, chain, parts=(before, after), categorical=categorical)
    return MechanismAttribution(
        target="the metric" if parts is not None else f"the mean of {columns[0]}",
        parts=tuple(_told(cross_fit(game, rng), chain, level=level)),
        change=after.value() - before.value(),
    )


def game_of(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    chain: Chain,
    *,
    parts: tuple[Parts, Parts],
    categorical: Sequence[str] = (),
) -> Game:
    """Set up the Shapley game of the mechanisms upstream of a metric; arguments as for `attribute_change`."""
    return Game(
        chain=chain,
        lines={node: lines(reference[node], current[node], coded=node in categorical) for node in chain.order},
        outcome=_outcome(*parts),
        root=parts[0].shape == "root",
    )


def mean_of(values: "pd.Series[float] | Floats") -> Parts:
    """A column's mean as a ratio of means, over its finite numbers."""
    numbers = as_numbers(pd.Series(values))
    known = np.isfinite(numbers)
    return Parts(numerator=np.where(known, numbers, 0.0)[:, None], denominator=known.astype(float)[:, None])


def _outcome(before: Parts, after: Parts) -> TwoSamples:
    """Numerator and denominator of each row, if enough rows count and the metric is smooth in its means."""
    if before.shape == "gap":
        raise Unanswerable("what did each mechanism do", "a gap between groups is no smooth function of means")
    fewest = min(int(one.denominator.any(axis=1).sum()) for one in (before, after))
    if fewest < MIN_ROWS:
        raise Unanswerable(
            "what did each mechanism do", f"a window has {fewest} rows that count, {MIN_ROWS} are needed"
        )
    if max(float(np.abs(one.numerator).max()) for one in (before, after)) > FARTHEST:
        raise Unanswerable("what did each mechanism do", "the metric adds up numbers too large to square")
    return np.hstack([before.numerator, before.denominator]), np.hstack([after.numerator, after.denominator])


def _told(played: CrossFitted, chain: Chain, *, level: float) -> list[MechanismPart]:
    """The contributions with their standard errors and effective sample sizes."""
    values = played.estimate(np.ones(FOLDS, bool))
    errors = np.sqrt(sum(rows.var(axis=0) / len(rows) for rows in played.added))
    halves = [played.estimate(np.arange(FOLDS) % 2 == odd) for odd in (0, 1)]
    reach = NormalDist().inv_cdf((1 + level) / 2) * errors
    few = [[effective(column) for column in rows.T] for rows in played.weights]
    heavy = [(np.abs(rows).max(axis=0) / np.abs(rows).sum(axis=0)).tolist() for rows in played.weights]
    return [
        MechanismPart(
            node=node,
            parents=chain.parents[node],
            value=float(values[i]),
            error=float(errors[i]),
            interval=Interval(low=float(values[i] - reach[i]), high=float(values[i] + reach[i]), level=level),
            halves=(float(halves[0][i]), float(halves[1][i])),
            n_effective=min(rows[k] for rows in few for k in chain.reached(i)),
            heaviest=max(share[i] for share in heavy for k in chain.reached(i)),
        )
        for i, node in enumerate(chain.order)
    ]
