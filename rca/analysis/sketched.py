"""What moved, told from two sketches: the tests, effects and profiles of `drift`, without the rows."""

from itertools import pairwise
from typing import Literal

import numpy as np

from rca.analysis.columns import Floats, Kind
from rca.analysis.counting import CategoryCount, NumberCount
from rca.analysis.drift import COMMONEST, MATERIAL, MISSING, OTHER, ColumnDrift, Drift, Profile
from rca.analysis.grid import BINS
from rca.analysis.sketch import Sketch
from rca.analysis.two_sample import (
    EXACT_UP_TO,
    RAREST,
    Counts,
    benjamini_hochberg,
    chi_square,
    distance_interval,
    is_sparse,
    kolmogorov_smirnov,
    rates_interval,
    two_rates,
    variation_interval,
)
from rca.errors import InvalidCase, Unanswerable

SHOWN = 20
"""Bins of a profile, besides the tails."""


def drift_of(reference: Sketch, current: Sketch, *, alpha: float = 0.05, material: float = MATERIAL) -> Drift:
    """Test every column of two windows for a change in its values and in its missingness, from their sketches.

    Parameters
    ----------
    reference, current : Sketch
        Of one grid. Merged sketches will do: `sum` of days, of partitions.
    alpha : float
        False discovery rate.
    material : float
        Smallest effect that is called a move.

    Returns
    -------
    Drift
        As `drift` gives it of the rows. Distances are looked at between bins only, so that they fall short of the
        exact ones by no more than a bin's share of unlike values; repeated values cost nothing.

    Raises
    ------
    InvalidCase
        If the sketches are of two grids.
    Unanswerable
        If a window is empty.

    Examples
    --------
    >>> import pandas as pd
    >>> from rca.analysis.sketch import sketch
    >>> before = pd.DataFrame({"a": np.arange(500.0), "b": ["x", "y"] * 250})
    >>> first = sketch(before)
    >>> print(drift_of(first, sketch(before.assign(a=before["a"] + 100), first)))
    1 of 2 columns moved: a
    """
    if reference.grid is not current.grid and reference.grid != current.grid:
        hint = "take the current sketch `like` the reference's"
        raise InvalidCase.because("they are counted on two grids", place="sketches", hint=hint)
    if min(reference.n, current.n) == 0:
        raise Unanswerable("what moved", "a window has no rows")
    tested = [row for name in reference.grid.columns for row in _column(name, reference, current)]
    return _judged(tested, (reference.n, current.n), alpha=alpha, material=material)


def _judged(tested: list[ColumnDrift], sizes: tuple[int, int], *, alpha: float, material: float) -> Drift:
    from dataclasses import replace

    q_values = benjamini_hochberg([row.p_value for row in tested])
    judged = [
        replace(row, q_value=q, moved=bool(q <= alpha and row.effect >= material))
        for row, q in zip(tested, q_values, strict=True)
    ]
    judged.sort(key=lambda row: (-row.effect, row.name))
    return Drift(columns=tuple(judged), alpha=alpha, material=material, n_reference=sizes[0], n_current=sizes[1])


def _column(name: str, reference: Sketch, current: Sketch) -> list[ColumnDrift]:
    before, after = reference[name], current[name]
    rows = []
    if isinstance(before, NumberCount) and isinstance(after, NumberCount):
        if before.known and after.known:
            rows.append(_ordered(name, before, after, of="lengths" if name in reference.lengths else "values"))
    elif isinstance(before, CategoryCount) and isinstance(after, CategoryCount) and before.n and after.n:
        rows.append(_unordered(name, before, after))
    if before.missing or after.missing:
        kind: Kind = "numeric" if isinstance(before, NumberCount) else "categorical"
        sizes = (reference.n, current.n)
        rows.append(
            _missing(
                name,
                np.array([[n - c.missing, c.missing] for n, c in zip(sizes, (before, after), strict=True)]),
                kind=kind,
            )
        )
    return rows


# --- numbers ---------------------------------------------------------------------------------------------------------


def _ordered(name: str, before: NumberCount, after: NumberCount, *, of: Literal["values", "lengths"]) -> ColumnDrift:
    distance, p_value = binned_smirnov(_steps(before), _steps(after))
    test = "two-sample Kolmogorov-Smirnov"
    return ColumnDrift(
        column=name,
        aspect="values",
        kind="numeric",
        test=test if of == "values" else f"{test} of lengths",
        statistic=distance,
        p_value=p_value,
        q_value=p_value,
        effect=distance,
        interval=distance_interval(distance, before.known, after.known),
        moved=False,
        profile=_profile(before, after),
    )


def _steps(count: NumberCount) -> Counts:
    """Counts in order of value, infinities apart from the tails they are counted in."""
    below, above = count.infinite
    counts = np.concatenate([[below], count.counts, [above]])
    counts[1] -= below
    counts[-2] -= above
    return counts


def binned_smirnov(reference: Counts, current: Counts) -> tuple[float, float]:
    """Largest distance between two distribution functions where bins end, and its p-value.

    Parameters
    ----------
    reference, current : ndarray of int, shape (bins,)
        Rows in each bin, in order.

    References
    ----------
    Stephens (1970), J. R. Stat. Soc. B 32(1), table 1, as `two_sample.kolmogorov_smirnov` has it for rows.

    Examples
    --------
    >>> binned_smirnov(np.array([1, 1, 1, 1, 0, 0]), np.array([0, 0, 1, 1, 1, 1]))[0]
    0.5
    """
    from scipy.special import kolmogorov

    n, m = int(reference.sum()), int(current.sum())
    if n * m <= EXACT_UP_TO:
        at = np.arange(len(reference), dtype=float)
        return kolmogorov_smirnov(np.repeat(at, reference), np.repeat(at, current))
    distance = float(np.abs(np.cumsum(reference) / n - np.cumsum(current) / m).max())
    root = np.sqrt(n * m / (n + m))
    return distance, float(kolmogorov((root + 0.12 + 0.11 / root) * distance))


def wasserstein(reference: NumberCount, current: NumberCount) -> float | None:
    """How far a row has to move in the mean for the windows to agree, in the column's unit: ``integral |F - G| dx``.

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
    >>> from rca.analysis.arrays import Numbers
    >>> from rca.analysis.grid import Scale
    >>> ones, threes = (
    ...     NumberCount.of(Scale(low=-1.5, density=1.0), Numbers(values=np.full(9, value), missing=0))
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
        lows, highs = (np.array([_tail_mean(count, side) for count in windows]) for side in (0, 1))
        points = np.concatenate([lows, centres, highs])
        apart = [_masses(count, i) for i, count in enumerate(windows)]
        order = np.argsort(points, kind="stable")
        gap = np.cumsum((apart[0] - apart[1])[order])[:-1]
        moved = gap != 0  # bins at the far ends may lie beyond what a double holds
        area = float(np.abs(gap[moved]) @ np.diff(points[order])[moved])
    return area if np.isfinite(area) else None


def _tail_mean(count: NumberCount, side: int) -> float:
    rows = int(count.counts[-1 if side else 0])
    if rows:
        return count.tails[side] / rows
    return float(count.scale.edges()[-1 if side else 0])


def _masses(count: NumberCount, window: int) -> Floats:
    """Shares of rows at the points: both windows' lower tails, the bins, both windows' upper tails."""
    tails = np.zeros((2, 2))
    tails[:, window] = count.counts[[0, -1]]
    return np.asarray(np.concatenate([tails[0], count.counts[1:-1], tails[1]]) / count.known)


def _profile(before: NumberCount, after: NumberCount) -> Profile:
    """Shares in equal bins over the reference's middle 98 %, and beyond."""
    edges, below = before.scale.edges(), np.cumsum(before.counts[:-1])
    low = max(0, int(np.searchsorted(below, 0.01 * before.known, side="right")) - 1)
    high = min(BINS, max(low + 1, int(np.searchsorted(below, 0.99 * before.known))))
    wanted = np.clip(2 * np.linspace(edges[low] / 2, edges[high] / 2, SHOWN + 1), edges[low], edges[high])
    cuts = np.unique(np.append(np.searchsorted(edges, wanted[:-1]), high))
    shares = [_between(count, cuts) for count in (before, after)]
    inner = edges[cuts]
    labels = [f"{a:.4g} to {b:.4g}" for a, b in pairwise(inner)]
    return Profile(
        labels=(f"below {inner[0]:.4g}", *labels, f"{inner[-1]:.4g} and above"), reference=shares[0], current=shares[1]
    )


def _between(count: NumberCount, cuts: Counts) -> tuple[float, ...]:
    below = np.concatenate([[0], np.cumsum(count.counts)[cuts], [count.known]])
    shares: list[float] = (np.diff(below) / count.known).tolist()
    return tuple(shares)


# --- categories ------------------------------------------------------------------------------------------------------


def _unordered(name: str, before: CategoryCount, after: CategoryCount) -> ColumnDrift:
    labels, counts = _table(before, after)
    statistic, p_value = chi_square(counts)
    sizes = counts.sum(axis=1)
    shares = counts / sizes[:, None]
    effect = float(np.abs(shares[0] - shares[1]).sum() / 2)
    return ColumnDrift(
        column=name,
        aspect="values",
        kind="categorical",
        test="two-sample chi-square",
        statistic=statistic,
        p_value=p_value,
        q_value=p_value,
        effect=effect,
        interval=variation_interval(effect, shares, (int(sizes[0]), int(sizes[1]))),
        moved=False,
        profile=Profile(labels=labels, reference=tuple(shares[0].tolist()), current=tuple(shares[1].tolist())),
    )


def _table(before: CategoryCount, after: CategoryCount) -> tuple[tuple[str, ...], Counts]:
    """Counts of each category in both windows, the commonest first and the rare ones, and the unnamed, as one."""
    windows = before.counts(), after.counts()
    both = (before + after).counts()  # what only one window keeps apart is not
    ranked = sorted(both, key=lambda label: (-both[label], label))
    rare = sum(both[label] < RAREST for label in ranked)
    keep = ranked[: max(1, min(COMMONEST, len(ranked) - rare))]
    counts = np.array([[window.get(label, 0) for label in keep] for window in windows], dtype=np.int64)
    rest = np.array([before.n, after.n]) - counts.sum(axis=1)
    if not rest.any():
        return tuple(keep), counts
    return (*keep, _unlike(keep, OTHER)), np.column_stack([counts, rest])


def _unlike(taken: list[str], name: str) -> str:
    """A name, in more brackets if it is taken."""
    return _unlike(taken, f"({name})") if name in taken else name


def _missing(name: str, counts: Counts, *, kind: Kind) -> ColumnDrift:
    p_value = two_rates(counts)
    sizes = counts.sum(axis=1)
    rates = counts[:, 1] / sizes
    effect = float(abs(rates[1] - rates[0]))
    shares = [(float(1 - rate), float(rate)) for rate in rates]
    return ColumnDrift(
        column=name,
        aspect="missing",
        kind=kind,
        test="Fisher's exact test" if is_sparse(counts) else "two-sample chi-square",
        statistic=effect,
        p_value=p_value,
        q_value=p_value,
        effect=effect,
        interval=rates_interval(rates, sizes),
        moved=False,
        profile=Profile(labels=("present", MISSING), reference=shares[0], current=shares[1]),
    )
