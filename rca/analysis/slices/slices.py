"""Subgroup discovery: slices (conjunctions of conditions) in which the metric got worse by more than elsewhere.

What is sought is where the metric *changed*, and by more than elsewhere: neither where the model was always bad, nor a
group that only grew. Slices are found by beam search on one half of the rows and tested on the other (sample
splitting), with Benjamini-Yekutieli q-values. Rows that two slices share are counted once; the within-slice and size
components (Kitagawa) add up to the change.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rca.analysis.inputs.metric_reader import MetricReader
from rca.analysis.inputs.windows import Windows
from rca.analysis.slices.beam_search import Shortlist
from rca.analysis.slices.candidate_conditions import literals
from rca.analysis.slices.pooled_rows import pooled
from rca.analysis.slices.sample_splitting import Judged, confirmed, disjoint, searched
from rca.analysis.slices.scan_statistics import SetSums
from rca.analysis.slices.within_between import MetricChange, loss
from rca.arrays import Mask
from rca.errors import Unanswerable
from rca.finding import Finding, Interval, Target
from rca.methods.metric import NEGLIGIBLE, Measured, Parts
from rca.methods.two_sample_tests import two_rates
from rca.result import Result, Row
from rca.tables.condition import Condition, all_hold, conjunction

CARRIED = 0.8
"""Share of the harm that slices have to hold for it to be local."""

MINORITY = 0.5
"""Largest share of rows in slices for the harm to be local."""

GROWN = 1.25
"""Ratio of a slice's shares in both windows up to which its size counts as unchanged."""

CHANCE = 0.05
"""p-value above which a difference of a slice's shares counts as chance."""

ELSEWHERE = "elsewhere"


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A subgroup with its within-group and size components of the metric's change.

    Attributes
    ----------
    name : str
        Its conditions joined by ` & `.
    conditions : tuple of Condition
    lost : float
        Its share of rows times the change of the metric within it, in the bad direction, of all rows:
        ``mean share x (current - reference)``.
    interval : Interval
        Of `lost`, from the half of the rows that was not searched.
    mix : float
        Size component: ``change of share x (mean metric within - mean metric)``.
    reference, current : float or None
        The metric within it; None where no row counts.
    rows_reference, rows_current : int
        Rows that count; those of an earlier slice are left out.
    share : float
        Its share of the rows that count, the mean of both windows.
    steady : bool
        Whether its share of the rows is unchanged, but for chance and `GROWN`. If it is not, a column of its conditions
        may have moved, so that other rows are in it now, and it is not the same subgroup.
    p_value, q_value : float
        One-sided, of no worse a change than elsewhere, in the half that was not searched; q by Benjamini-Yekutieli.
    """

    name: str
    conditions: tuple[Condition, ...]
    lost: float
    interval: Interval
    mix: float
    reference: float | None
    current: float | None
    rows_reference: int
    rows_current: int
    share: float
    steady: bool
    p_value: float
    q_value: float

    @property
    def columns(self) -> frozenset[str]:
        """Columns of its conditions."""
        return frozenset(one.column for one in self.conditions)

    def __str__(self) -> str:
        before, after = ("none" if one is None else f"{one:.3g}" for one in (self.reference, self.current))
        return (
            f"{self.name}: {before} → {after}, of {self.rows_current:,} rows; {self.lost:+.3g} of all ({self.interval})"
        )


@dataclass(frozen=True, kw_only=True)
class Slices(Result):
    """Slices in which the metric got worse by more than elsewhere, largest contribution first.

    Attributes
    ----------
    metric : str
        The metric, or the one whose gap between groups is meant.
    worse : float
        Its change in the bad direction: with `elsewhere`, the slices' `lost` and `mix` add up to it.
    slices : tuple of Slice
    elsewhere : Slice
        All other rows.
    local : bool
        Whether slices with a minority of the rows hold the harm, and nothing material changed elsewhere.
    searched : int
        Number of candidate conditions.
    alpha : float
        False discovery rate.
    """

    metric: str
    worse: float
    slices: tuple[Slice, ...]
    elsewhere: Slice
    local: bool
    searched: int
    alpha: float

    def __str__(self) -> str:
        if not self.slices:
            return f"everywhere: the {self._label} changed in no slice by more than elsewhere"
        first = self.slices[0]
        more = f" and {len(self.slices) - 1} more" if len(self.slices) > 1 else ""
        if self.local:
            verb = "carry" if more else "carries"
            return (
                f"{first.name}{more} {verb} {self.carried:.3g} of the {self.worse:.3g} that the {self._label} got "
                f"worse by, in {self.share:.1%} of the rows"
            )
        return f"everywhere: no slice carries it; most sits in {first.name}, {first.lost:.3g} of {self.worse:.3g}"

    @property
    def _label(self) -> str:
        return self.metric.replace("_", " ")

    @property
    def carried(self) -> float:
        """Sum of the slices' `lost`."""
        return sum(one.lost for one in self.slices)

    @property
    def share(self) -> float:
        """Sum of the slices' shares of the rows."""
        return sum(one.share for one in self.slices)

    def rows(self) -> list[Row]:
        return [
            {
                "slice": one.name,
                "lost": one.lost,
                "interval": str(one.interval),
                "mix": one.mix,
                "reference": one.reference,
                "current": one.current,
                "rows before": one.rows_reference,
                "rows now": one.rows_current,
                "q": one.q_value if one.conditions else None,
            }
            for one in (*self.slices, self.elsewhere)
        ]

    def findings(self) -> tuple[Finding, ...]:
        return tuple(self._finding(one) for one in self.slices)

    def _finding(self, one: Slice) -> Finding:
        return Finding(
            id=f"slice.{one.name}",
            notebook="drift",
            claim=f"{one.lost:.3g} ({one.interval}) of the {self.worse:.3g} that the {self._label} got worse by "
            f"sits in {one.name}, where it went from {one.reference:.3g} to {one.current:.3g}",
            cause=Target(kind="slice", name=one.name),
            effect=one.lost,
            unit=self.metric,
            interval=one.interval,
            q_value=one.q_value,
            n_effective=float(min(one.rows_reference, one.rows_current)),
            strength="shown" if self.local else "suggested",
            assumptions=("rows are independent of each other",),
            refuters=("half of the rows, in which it was not looked for", "alike rows elsewhere"),
        )


def find_slices(
    windows: Windows, measured: Measured, *, rng: np.random.Generator, order: int = 3, alpha: float = 0.05
) -> Slices:
    """Subgroup discovery by beam search with sample splitting: slices whose metric got worse by more than elsewhere.

    Conditions are categories, thresholds of numbers, and words and phrases of texts; a slice is a conjunction of up to
    `order` of them, and each condition adds to it. The search is greedy: a slice is found if rows with one of its
    conditions alone got worse too, which holds wherever its rows got worse and the others did not.

    Parameters
    ----------
    windows : Windows
    measured : Measured
        The metric in both windows; harm that is not material is not called local.
    rng : numpy.random.Generator
        Splits the rows into the half that is searched and the half that is tested.
    order : int
        Most conditions of a slice.
    alpha : float
        False discovery rate over the slices that the search finds (Benjamini-Yekutieli).

    Returns
    -------
    Slices
        ``sum(lost + mix)`` over the slices and elsewhere is the change in the bad direction. Of a gap between groups
        the metric is divided whose gap it is; the change of the root of a mean is divided as that of the mean of
        squares is, in which parts add up.

    References
    ----------
    Kitagawa (1955), J. Am. Stat. Assoc. 50(272), the two components; Cox (1975), Biometrika 62(2), data splitting;
    Benjamini & Yekutieli (2001), Ann. Stat. 29(4), theorem 1.3.

    Examples
    --------
    >>> import pandas as pd
    >>> from rca.methods.metric import measure
    >>> from rca.record.case import Roles
    >>> from rca.record.schema.incident import Metric
    >>> rng = np.random.default_rng(0)
    >>> before, after = (pd.DataFrame({"region": rng.choice(["north", "south", "west"], 2000)}) for _ in range(2))
    >>> before["late"] = (rng.random(2000) < 0.1).astype(int)
    >>> after["late"] = (rng.random(2000) < np.where(after["region"] == "south", 0.3, 0.1)).astype(int)
    >>> both = Windows(
    ...     reference=before,
    ...     current=after,
    ...     roles=Roles(features=("region",)),
    ...     metric=Metric(name="rate", column="late"),
    ...     parents={},
    ... )
    >>> parts = (both.meter.parts(rows) for rows in (before, after))
    >>> found = find_slices(both, measure(*parts, both.metric, rng=rng), rng=rng)
    >>> print(found)
    region=south carries 0.0579 of the 0.0645 that the rate got worse by, in 33.3% of the rows
    """
    meter, sign = base_of(windows)
    parts = meter.parts(windows.reference), meter.parts(windows.current)
    if not all(one.denominator.any() for one in parts):
        raise Unanswerable("where the change sits", "no row of a window counts")
    pool = pooled(windows, parts, rng=rng)
    every = literals(pool.columns, pool.current, text=pool.text)
    value = sign * pool.value
    parted = SetSums(current=pool.current, weight=pool.weight, value=value, left=value)
    first, second = (
        Shortlist(literals=every.take(half), parted=parted.take(half)) for half in (pool.searched, ~pool.searched)
    )
    found = confirmed(*searched(first, second, order=order), alpha=alpha)
    whole = _Whole(windows=windows, parts=parts, sign=sign, metric=meter.base, material=measured.material)
    return _accounted(whole, found, second, alpha=alpha)


def base_of(windows: Windows) -> tuple[MetricReader, int]:
    """Metric reader of the metric itself, or of the one whose gap is meant, and the sign of its bad direction."""
    meter = windows.meter
    if windows.metric.name != "group_gap":
        return meter, 1 if windows.metric.harm == "higher" else -1
    below = replace(meter, metric=windows.metric.model_copy(update={"name": meter.base, "of": None}))
    if below.needs_label:
        return below, 1  # an error, whoever makes it
    return below, 1 if below.parts(windows.current).value() >= below.parts(windows.reference).value() else -1


# -- decomposition of the change ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class _Whole:
    """All rows of both windows, and the metric whose change is decomposed."""

    windows: Windows
    parts: tuple[Parts, Parts]
    sign: int
    metric: str
    material: bool

    @property
    def change(self) -> MetricChange:
        """The metric's change, in the bad direction."""
        before, after = self.parts
        return MetricChange(
            value=(self.sign * before.numerator[:, 0], self.sign * after.numerator[:, 0]),
            weight=(before.denominator[:, 0], after.denominator[:, 0]),
            root=before.shape == "root",
        )


def _accounted(whole: _Whole, found: Sequence[Judged], judge: Shortlist, *, alpha: float) -> Slices:
    """Decompose the change among the slices and all other rows."""
    change, held_out = whole.change, _held_out(judge, root=whole.change.root)
    frames = whole.windows.reference, whole.windows.current
    pieces = [_with_rest([all_hold(one.conditions, rows) for one in found], len(rows)) for rows in frames]
    judged = _with_rest([judge.literals.all_hold(one.conditions) for one in found], len(judge.parted.left))
    rest = Judged(conditions=(), p_value=1.0)
    every = [
        _slice(one, change, (before, after), sign=whole.sign, sure=loss(held_out, _split(half, judge)).interval)
        for one, before, after, half in zip((*found, rest), *pieces, judged, strict=True)
    ]
    named = sorted(every[:-1], key=lambda one: -one.lost)
    worse = sum(one.lost + one.mix for one in every)
    return Slices(
        metric=whole.metric,
        worse=worse,
        slices=tuple(named),
        elsewhere=every[-1],
        local=whole.material and _local(named, every[-1], worse),
        searched=len(judge.literals),
        alpha=alpha,
    )


def _held_out(judge: Shortlist, *, root: bool) -> MetricChange:
    value, weight = judge.parted.value, judge.parted.weight
    before, after = judge.sides
    return MetricChange(value=(value[before], value[after]), weight=(weight[before], weight[after]), root=root)


def _split(held: Mask, judge: Shortlist) -> tuple[Mask, Mask]:
    before, after = judge.sides
    return held[before], held[after]


def _with_rest(masks: Sequence[Mask], rows: int) -> list[Mask]:
    """Disjoint sets, and the complement of their union."""
    return disjoint([*masks, np.ones(rows, dtype=bool)])


def _slice(one: Judged, change: MetricChange, held: tuple[Mask, Mask], *, sign: int, sure: Interval) -> Slice:
    part = loss(change, held)
    metric = [sign * change.metric(window, at) for window, at in enumerate(held)]
    counted = [int((weight[at] > 0).sum()) for weight, at in zip(change.weight, held, strict=True)]
    return Slice(
        name=conjunction(one.conditions) if one.conditions else ELSEWHERE,
        conditions=one.conditions,
        lost=part.lost,
        interval=sure,
        mix=part.mix,
        reference=None if np.isnan(metric[0]) else metric[0],
        current=None if np.isnan(metric[1]) else metric[1],
        rows_reference=counted[0],
        rows_current=counted[1],
        share=part.share,
        steady=_steady(counted, [int((weight > 0).sum()) for weight in change.weight]),
        p_value=one.p_value,
        q_value=one.q_value,
    )


def _steady(counted: Sequence[int], rows: Sequence[int]) -> bool:
    """Whether a slice's share is the same in both windows, within `GROWN` or by a test of two rates."""
    before, after = ((part + 0.5) / (whole + 1) for part, whole in zip(counted, rows, strict=True))
    table = np.array([[whole - part, part] for part, whole in zip(counted, rows, strict=True)])
    return bool(1 / GROWN <= after / before <= GROWN or two_rates(table) > CHANCE)


def _local(named: Sequence[Slice], rest: Slice, worse: float) -> bool:
    """Whether a minority of rows holds the harm, and nothing material changed in the others."""
    carried, share = sum(one.lost for one in named), sum(one.share for one in named)
    if not named or worse <= 0 or share >= MINORITY:
        return False
    if rest.interval.low <= 0:  # elsewhere there may be nothing at all
        return carried >= MINORITY * worse
    unnoticed = NEGLIGIBLE * rest.share * abs(rest.reference or 0.0)
    return carried >= CARRIED * worse and rest.lost <= max(unnoticed, (1 - CARRIED) / 2 * worse)
