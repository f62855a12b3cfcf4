"""Univariate drift from two sketches: binned KS and chi-square tests, effects and histograms, without the rows."""

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from rca.analysis.drift.column_comparison import (
    COMMONEST,
    COUNTER,
    MISSING,
    OTHER,
    SMIRNOV,
    UNTESTED,
    ColumnDrift,
    Profile,
    counts_test,
    distinct_name,
    edge_label,
    effect_interval,
    pooled,
)
from rca.analysis.drift.resolution import TIGHT, beyond_resolution, resolution
from rca.analysis.drift.univariate import MATERIAL, Drift, judge
from rca.arrays import Counts, Floats
from rca.errors import InvalidCase, Unanswerable
from rca.finding import Interval
from rca.methods.kolmogorov_smirnov import EXACT_UP_TO, GRAIN, asymptotic_p_value, exact_p_value, merge
from rca.methods.two_sample_tests import distance_interval, rates_interval
from rca.tables.bin_counts import CategoryCount, NumberCount
from rca.tables.bin_edges import BINS, BLURRED, MAX_NUMBER, BinScale
from rca.tables.column_pair import ENOUGH, OWN, Sort, Tally
from rca.tables.sketch import Sketch

SHOWN = 20
"""Bins of a histogram, besides the tails."""

WIDE = 8
"""Times the resolution from which a bin is too wide for a difference of one bin to be below it."""

FEW = 8
"""Rows in one bin from which they are taken to be tied: unlike values seldom share one of so many bins."""


def drift_of_sketches(reference: Sketch, current: Sketch, *, alpha: float = 0.05, material: float = MATERIAL) -> Drift:
    """Two-sample test of every column's values and missingness, from sketches (binned counts) of both windows.

    Parameters
    ----------
    reference, current : Sketch
        On the same bins. Merged sketches will do: `sum` of days, of partitions.
    alpha : float
        False discovery rate.
    material : float
        Smallest effect that is called a move.

    Returns
    -------
    Drift
        As `univariate_drift` gives it of the rows. KS distances are taken between bins only, so that they fall short of
        the exact ones by no more than a bin's share of unlike values; repeated values cost nothing.

    Raises
    ------
    InvalidCase
        If the sketches are on different bins.
    Unanswerable
        If a window is empty.

    Examples
    --------
    >>> import pandas as pd
    >>> from rca.tables.sketch import sketch
    >>> before = pd.DataFrame({"a": np.arange(500.0), "b": ["x", "y"] * 250})
    >>> first = sketch(before)
    >>> print(drift_of_sketches(first, sketch(before.assign(a=before["a"] * 1.5 + 100), first)))
    1 of 2 columns moved: a
    """
    if reference.grid is not current.grid and reference.grid != current.grid:
        hint = "take the current sketch `like` the reference's"
        raise InvalidCase.because("they are counted on two grids", place="sketches", hint=hint)
    if min(reference.n, current.n) == 0:
        raise Unanswerable("what moved", "a window has no rows")
    tested = [row for name in reference.grid.columns for row in _column(name, reference, current)]
    return Drift(
        columns=judge(tested, alpha=alpha, material=material),
        alpha=alpha,
        material=material,
        n_reference=reference.n,
        n_current=current.n,
    )


def _column(name: str, reference: Sketch, current: Sketch) -> Iterator[ColumnDrift]:
    """Tests of one column: of its values, and of its missingness where either window has any."""
    before, after = reference[name], current[name]
    kind: Sort = "categorical"
    if isinstance(before, NumberCount) and isinstance(after, NumberCount):
        kind = "text" if name in reference.lengths else "datetime" if before.scale.time else "numeric"
        if before.known and after.known:
            yield _ordered(name, (before, after), kind)
    elif isinstance(before, CategoryCount) and isinstance(after, CategoryCount):
        kind = _sort(before, after)
        if before.n and after.n:
            yield _unordered(name, (before, after), kind)
    if before.missing or after.missing:
        gone = np.array([before.missing, after.missing])
        yield _missing(name, np.column_stack([np.array([reference.n, current.n]) - gone, gone]), kind)


def _untested(name: str, kind: Sort, note: str) -> ColumnDrift:
    return ColumnDrift(
        column=name,
        aspect="values",
        kind=kind,
        test=UNTESTED,
        statistic=0.0,
        p_value=1.0,
        q_value=1.0,
        effect=0.0,
        interval=Interval(low=0.0, high=0.0),
        moved=False,
        profile=Profile(labels=("any value",), reference=(1.0,), current=(1.0,)),
        note=note,
    )


# --- what has an order ------------------------------------------------------------------------------------------------


def _ordered(name: str, windows: tuple[NumberCount, NumberCount], kind: Sort) -> ColumnDrift:
    before, after = windows
    if kind == "datetime" and _moves_on(before, after):
        return _untested(name, kind, "a time that moves on with the calendar")
    if kind == "numeric" and _numbers_rows(before) and _numbers_rows(after):
        return _untested(name, "identifier", "a counter: every row has the next number")
    steps = _steps(before), _steps(after)
    shares = [np.cumsum(counts) / counts.sum() for counts in steps]
    distance, p_value = binned_smirnov(*steps, alike=_alike(before, after))
    note = ""
    if distance > TIGHT:
        slack = _resolution(before, after)
        beyond = _distance_beyond(slack, shares, before.scale)
        distance, p_value, note = beyond_resolution(
            (distance, p_value), beyond, slack, sizes=(before.known, after.known)
        )
    widest = int(np.abs(shares[0] - shares[1]).argmax())
    below = float(shares[0][widest]), float(shares[1][widest])
    return ColumnDrift(
        column=name,
        aspect="values",
        kind=kind,
        test=SMIRNOV,
        statistic=distance,
        p_value=p_value,
        q_value=p_value,
        effect=distance,
        interval=distance_interval(distance, before.known, after.known, below=None if note else below),
        moved=False,
        profile=_profile(before, after, times=kind == "datetime"),
        wasserstein=wasserstein(before, after),
        note=note,
    )


def _moves_on(before: NumberCount, after: NumberCount) -> bool:
    """Whether times only advance with the calendar, as `column_comparison.moves_on` asks of rows."""
    spans = [count.moments.largest - count.moments.smallest for count in (before, after)]
    start, end = after.moments.smallest, before.moments.largest
    return bool(start >= end and spans[1] > 0 and start - end <= max(spans) and spans[1] * COMMONEST >= spans[0])


def _numbers_rows(count: NumberCount) -> bool:
    """Whether whole numbers can be a row counter: few gaps, and no bin with more rows than whole numbers."""
    moments, width = count.moments, 1 / count.scale.density
    span = moments.largest - moments.smallest
    if (
        not count.whole
        or count.scale.curved
        or width < 1
        or not ENOUGH <= count.known <= span + 1 <= COUNTER * count.known
    ):
        return False
    return bool((count.counts[1:-1] <= math.floor(width) + 1).all())


def _steps(count: NumberCount) -> Counts:
    """Counts in order of value, with infinities apart from the tails."""
    below, above = count.infinite
    counts = np.concatenate([[below], count.counts, [above]])
    counts[1] -= below
    counts[-2] -= above
    return counts


def _resolution(before: NumberCount, after: NumberCount) -> float:
    """The resolution of a column, as `column_comparison` has it of rows."""
    ends = [(count.moments.smallest, count.moments.largest) for count in (before, after) if count.moments.n]
    lows, highs = zip(*ends, strict=True) if ends else ((0.0,), (0.0,))
    return resolution((_spread(before, after), _spread(after, before)), (min(lows), max(highs)))


def _spread(count: NumberCount, beside: NumberCount) -> float:
    """As `column_comparison.spread`, where rows stand in the middle of their bins, and alone in one are tied."""
    rows, centres = count.counts[1:-1].copy(), count.scale.centres()
    commonest = int(rows.argmax())
    rows[commonest] = 0
    below = np.concatenate([[0], np.cumsum(rows)])
    ends = np.searchsorted(below, below[:-1] + (below[-1] + 1) // 2)
    starts = np.flatnonzero((ends <= BINS) & (rows > 0))
    if not len(starts):
        return 0.0
    with np.errstate(over="ignore"):
        lengths = centres[ends[starts] - 1] - centres[starts]
        shortest, full = float(lengths.min()), count.moments.largest - count.moments.smallest
    atoms = commonest + 1, int(starts[lengths.argmin()]) + 1
    held = any(beside.counts[at] == beside.counts[at - 1 : at + 2].sum() > 0 for at in atoms)
    return min(shortest or (0.0 if held else full), MAX_NUMBER)


def _distance_beyond(slack: float, shares: list[Floats], scale: BinScale) -> float:
    """As `Merged.distance_beyond`, between bin ends: one bin more than `slack`, but where bins are far wider.

    Whole numbers have a bin each, in whose middle they are.
    """
    ends = np.concatenate([[-np.inf], scale.edges(), [MAX_NUMBER, np.inf]])
    own = np.arange(len(ends))
    with np.errstate(over="ignore"):
        wide = np.append(np.diff(ends) > WIDE * slack, False)
        later = np.where(wide, own, np.searchsorted(ends, ends + slack))
    if scale.density == 1 and not scale.curved:
        later = own + math.floor(min(slack, len(ends)))
    later = np.clip(later, own, own[-1])
    one, other = shares
    return max(0.0, float((one - other[later]).max()), float((other - one[later]).max()))


def _alike(before: NumberCount, after: NumberCount) -> bool:
    """Whether rows of a bin are tied: whole numbers have a bin each, or one bin stands out."""
    if before.whole and after.whole and before.scale.density == 1 and not before.scale.curved:
        return True
    pooled_counts = (before.counts + after.counts)[1:-1]
    return bool(pooled_counts.max() >= max(FEW, 2 * BLURRED * (before.known + after.known)))


def binned_smirnov(reference: Counts, current: Counts, *, alike: bool = False) -> tuple[float, float]:
    """Kolmogorov-Smirnov (KS) test on binned counts: the distance at bin ends and its p-value.

    Parameters
    ----------
    reference, current : ndarray of int, shape (bins,)
        Rows in each bin, in order.
    alike : bool
        Whether rows of a bin have one value, rather than values that happen to be near. Asked of few rows only.

    Returns
    -------
    distance, p_value : float
        See `kolmogorov_smirnov.Merged.p_value`.

    Examples
    --------
    >>> binned_smirnov(np.array([1, 1, 1, 1, 0, 0]), np.array([0, 0, 1, 1, 1, 1]))[0]
    0.5
    """
    n, m = int(reference.sum()), int(current.sum())
    distance = float(np.abs(np.cumsum(reference) / n - np.cumsum(current) / m).max())
    if not distance:
        return 0.0, 1.0
    if n * m > EXACT_UP_TO:
        return distance, asymptotic_p_value(distance, (n, m), _grains(reference + current))
    at = np.arange(len(reference), dtype=float)
    rows = np.repeat(at, reference), np.repeat(at, current)
    return distance, merge(*rows).p_value() if alike else exact_p_value(*rows)


def _grains(counts: Counts) -> Floats:
    """Shares of the rows by atom: a heavy bin is one tied value, a light bin is split into a continuous stretch."""
    shares = counts[counts > 0] / counts.sum()
    parts = np.where(shares < BLURRED, np.floor(shares / GRAIN) + 1, 1).astype(int)
    return np.repeat(shares / parts, parts)


def wasserstein(reference: NumberCount, current: NumberCount) -> float | None:
    """Wasserstein-1 (earth mover's) distance from binned counts, in the column's unit: ``integral |F - G| dx``.

    Rows of a bin count as in its middle, those of a tail as at their mean.

    Returns
    -------
    float or None
        None where a window has no value or an infinite one.

    References
    ----------
    Vallender (1974), Theory Probab. Appl. 18(4): in one dimension it is the area between F and G.

    Examples
    --------
    >>> from rca.tables.arrow_arrays import Numbers
    >>> from rca.tables.bin_edges import BinScale
    >>> ones, threes = (
    ...     NumberCount.of(BinScale(low=-1.5, density=1.0), Numbers(values=np.full(9, value), missing=0))
    ...     for value in (1.0, 3.0)
    ... )
    >>> wasserstein(ones, threes)
    2.0
    """
    windows = reference, current
    if not all(count.known for count in windows) or any(sum(count.infinite) for count in windows):
        return None
    centres = reference.scale.centres()
    with np.errstate(over="ignore", invalid="ignore"):
        lows, highs = (np.array([_tail_mean(count, side, centres) for count in windows]) for side in (0, -1))
        points = np.concatenate([lows, centres, highs])
        apart = [_masses(count, i) for i, count in enumerate(windows)]
        order = np.argsort(points, kind="stable")
        gap = np.cumsum((apart[0] - apart[1])[order])[:-1]
        moved = gap != 0  # bins at the far ends may lie beyond what a double holds
        area = float(np.abs(gap[moved]) @ np.diff(points[order])[moved])
    return area if np.isfinite(area) else None


def _tail_mean(count: NumberCount, side: int, centres: Floats) -> float:
    """Mean of the rows of a tail; without any, the nearest bin centre."""
    rows = int(count.counts[side])
    return count.tails[side] / rows if rows else float(centres[side])


def _masses(count: NumberCount, window: int) -> Floats:
    """Probability masses at the points: both windows' lower tails, the bins, both windows' upper tails."""
    tails = np.zeros((2, 2))
    tails[:, window] = count.counts[[0, -1]]
    return np.asarray(np.concatenate([tails[0], count.counts[1:-1], tails[1]]) / count.known)


def _profile(before: NumberCount, after: NumberCount, *, times: bool) -> Profile:
    """Histogram of both windows on equal-width bins over the reference's central 98 %, with tails."""
    edges, below = before.scale.edges(), np.cumsum(before.counts[:-1])
    low = max(0, int(np.searchsorted(below, 0.01 * before.known, side="right")) - 1)
    high = min(BINS, max(low + 1, int(np.searchsorted(below, 0.99 * before.known))))
    wanted = np.clip(2 * np.linspace(edges[low] / 2, edges[high] / 2, SHOWN + 1), edges[low], edges[high])
    cuts = np.unique(np.append(np.searchsorted(edges, wanted[:-1]), high))
    shares = [_between(count, cuts) for count in (before, after)]
    said = [edge_label(edge, times=times) for edge in edges[cuts].tolist()]
    between = [f"{a} to {b}" for a, b in pairwise(said)]
    return Profile(
        labels=(f"below {said[0]}", *between, f"{said[-1]} and above"), reference=shares[0], current=shares[1]
    )


def _between(count: NumberCount, cuts: Counts) -> tuple[float, ...]:
    below = np.concatenate([[0], np.cumsum(count.counts)[cuts], [count.known]])
    shares: list[float] = (np.diff(below) / count.known).tolist()
    return tuple(shares)


# --- what has none ----------------------------------------------------------------------------------------------------


def _unordered(name: str, windows: tuple[CategoryCount, CategoryCount], kind: Sort) -> ColumnDrift:
    if kind == "identifier":
        return _untested(name, kind, "an identifier: almost every row has a value of its own")
    tally = _tally(*windows)
    labels, counts = _with_rest(*pooled(tally), np.array([count.n for count in windows]))
    test, statistic, p_value = counts_test(counts)
    sizes = counts.sum(axis=1)
    shares = counts / sizes[:, None]
    effect = float(np.abs(shares[0] - shares[1]).sum() / 2)
    return ColumnDrift(
        column=name,
        aspect="values",
        kind=kind,
        test=test,
        statistic=statistic,
        p_value=p_value,
        q_value=p_value,
        effect=effect,
        interval=effect_interval(effect, shares, sizes),
        moved=False,
        profile=Profile(labels=labels, reference=tuple(shares[0].tolist()), current=tuple(shares[1].tolist())),
        unseen=float(tally.counts[1, tally.counts[0] == 0].sum() / sizes[1]),
        note="more categories than are kept apart" if any(count.rest for count in windows) else "",
    )


def _sort(before: CategoryCount, after: CategoryCount) -> Sort:
    """Classify labels as identifier, boolean or categorical."""
    if all(count.n >= ENOUGH and count.distinct >= OWN for count in (before, after)):
        return "identifier"
    truths = {*before.counts(), *after.counts()} <= {"True", "False"} and before.n + after.n > 0
    return "boolean" if truths else "categorical"


def _tally(before: CategoryCount, after: CategoryCount) -> Tally:
    """Contingency table of the categories that both windows count by name, the commonest first."""
    both = (before + after).counts()
    ranked = sorted(both, key=lambda label: (-both[label], label))
    counts = [[window.get(label, 0) for label in ranked] for window in (before.counts(), after.counts())]
    return Tally(labels=np.array(ranked, dtype=object), counts=np.array(counts, dtype=np.int64).reshape(2, -1))


def _with_rest(labels: tuple[str, ...], counts: Counts, sizes: Counts) -> tuple[tuple[str, ...], Counts]:
    """Append the rows of all other categories to a contingency table."""
    rest = sizes - counts.sum(axis=1)
    if not rest.any():
        return labels, counts
    return (*labels, distinct_name(labels, OTHER)), np.column_stack([counts, rest])


def _missing(name: str, counts: Counts, kind: Sort) -> ColumnDrift:
    test, _, p_value = counts_test(counts)
    sizes = counts.sum(axis=1)
    rates = counts[:, 1] / sizes
    effect = float(abs(rates[1] - rates[0]))
    shares = [(float(1 - rate), float(rate)) for rate in rates]
    return ColumnDrift(
        column=name,
        aspect="missing",
        kind=kind,
        test=test,
        statistic=effect,
        p_value=p_value,
        q_value=p_value,
        effect=effect,
        interval=rates_interval(rates, sizes),
        moved=False,
        profile=Profile(labels=("present", MISSING), reference=shares[0], current=shares[1]),
    )
