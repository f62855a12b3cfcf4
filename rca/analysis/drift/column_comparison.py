"""Drift of one column: two-sample test (KS, chi-square or Fisher), effect size with interval, and histogram."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from rca.analysis.drift.resolution import TIGHT, beyond_resolution, resolution, spread
from rca.arrays import Counts, Floats
from rca.finding import Interval
from rca.methods.kolmogorov_smirnov import merge
from rca.methods.two_sample_tests import (
    chi_square,
    distance_interval,
    is_sparse,
    rates_interval,
    two_rates,
    variation_interval,
)
from rca.tables.column_pair import ENOUGH, Pair, Sort, Tally

COMMONEST = 50
"""Most categories shown and tested by name; the rest are pooled."""

RAREST = 5
"""Expected rows of a category, in the smaller window, below which it is pooled with other rare ones."""

BINS = 20
"""Bins of a histogram, besides the two tails."""

COUNTER = 2
"""Distinct whole numbers whose range is at most this times the number of rows are a counter of rows."""

OTHER, MISSING = "(other)", "(missing)"

FISHER, PEARSON, SMIRNOV = "Fisher's exact test, mid-p", "two-sample chi-square", "two-sample Kolmogorov-Smirnov"

UNTESTED = "none"

Role = Literal["feature", "label", "score", "prediction"]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Histogram of both windows: shares of rows by bin or category."""

    labels: tuple[str, ...]
    reference: tuple[float, ...]
    current: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class ColumnDrift:
    """Test, effect size and interval of the drift of one column, in its values or its missingness.

    Attributes
    ----------
    column : str
    aspect : {'values', 'missing'}
        Missingness is tested on its own; values are compared among rows that have one.
    kind : {'numeric', 'categorical', 'boolean', 'datetime', 'text', 'identifier'}
        Texts are compared by their length in characters. An identifier tells rows apart and is not tested.
    test : str
        The two-sample test behind `p_value`, chosen by the pooled values alone.
    statistic, p_value, q_value : float
        `q_value` controls the false discovery rate over the features, or over the answers (Benjamini-Hochberg).
    effect : float
        Between 0 and 1: Kolmogorov-Smirnov distance (what has an order), total variation (what has none), difference
        of rates (missing). At least that share of rows would have to change for the windows to agree; where numbers
        stand close together, to agree to within the column's `resolution`.
    interval : Interval
        Of `effect`; it covers in at least 95 % of draws.
    moved : bool
        Whether the change is beyond chance and material.
    profile : Profile
    role : {'feature', 'label', 'score', 'prediction'}
    wasserstein : float or None
        Wasserstein-1 (earth mover's) distance, in the column's unit: seconds for times, characters for texts. None for
        what has no order, and where it is not finite.
    unseen : float or None
        Share of the current rows with a category, or of the words of current texts, that the reference does not have.
    note : str
        What a reader has to know of how the windows were made comparable; empty where nothing.
    """

    column: str
    aspect: Literal["values", "missing"]
    kind: Sort
    test: str
    statistic: float
    p_value: float
    q_value: float
    effect: float
    interval: Interval
    moved: bool
    profile: Profile
    role: Role = "feature"
    wasserstein: float | None = None
    unseen: float | None = None
    note: str = ""

    @property
    def name(self) -> str:
        """The column, with the prefix `missing:` where its missingness is meant."""
        return self.column if self.aspect == "values" else f"missing:{self.column}"

    @property
    def tested(self) -> bool:
        """Whether it is tested: an identifier, or a time that advances with the calendar, is not."""
        return self.test != UNTESTED

    @property
    def ordered(self) -> bool:
        """Whether the profile's bins are ordered, as those of numbers, times and lengths are."""
        return self.aspect == "values" and self.kind in {"numeric", "datetime", "text"}

    def __str__(self) -> str:
        said = f" ({self.note})" if self.note else ""
        if not self.tested:
            return f"{self.name} is not compared{said}"
        verb = "moved" if self.moved else "did not move materially"
        sure = f"q = {self.q_value:.2g}" if self.q_value >= 0.001 else "q < 0.001"
        return f"{self.name} {verb}: effect {self.effect:.3f} ({self.interval}), {sure}{said}"


def compare_column(column: str, pair: Pair, *, role: Role = "feature") -> Iterator[ColumnDrift]:
    """Two-sample tests of one column: of its values, and of its missingness where either window has any.

    Parameters
    ----------
    column : str
    pair : Pair
    role : {'feature', 'label', 'score', 'prediction'}

    Yields
    ------
    ColumnDrift
        Not judged yet: its `q_value` is its `p_value`, and it has not `moved`.

    Examples
    --------
    >>> import pandas as pd
    >>> from rca.tables.column_pair import read
    >>> pair = read(pd.Series([1.0, 2.0, 3.0] * 30), pd.Series([2.0, 3.0, None] * 30))
    >>> [(row.name, round(row.effect, 3), row.wasserstein) for row in compare_column("x", pair)]
    [('x', 0.333, 0.5), ('missing:x', 0.333, None)]
    """
    if pair.known:
        yield _compared(column, pair, role)
    if any(gone.any() for gone in pair.missing):
        yield _missing(column, pair, role)


def _compared(column: str, pair: Pair, role: Role) -> ColumnDrift:
    if pair.numbers is not None:
        return _ordered(column, pair, role)
    if pair.kind == "identifier":
        return _untested(column, pair, role=role, note="an identifier: almost every row has a value of its own")
    return _unordered(column, pair, role)


def _untested(column: str, pair: Pair, *, role: Role, note: str) -> ColumnDrift:
    return ColumnDrift(
        column=column,
        aspect="values",
        kind=pair.kind,
        test=UNTESTED,
        statistic=0.0,
        p_value=1.0,
        q_value=1.0,
        effect=0.0,
        interval=Interval(low=0.0, high=0.0),
        moved=False,
        profile=Profile(labels=("any value",), reference=(1.0,), current=(1.0,)),
        role=role,
        note=note,
    )


# --- what has an order ------------------------------------------------------------------------------------------------


def _ordered(column: str, pair: Pair, role: Role) -> ColumnDrift:
    assert pair.numbers is not None
    reference, current = (np.sort(window) for window in pair.numbers)
    idle = tells_rows_apart(pair, reference, current)
    if idle:
        kind = pair.kind if pair.kind == "datetime" else "identifier"
        return _untested(column, replace(pair, kind=kind), role=role, note=idle)
    merged = merge(reference, current)
    distance, p_value, note = merged.distance(), merged.p_value(), ""
    if distance > TIGHT:
        spreads = spread(reference, beside=current), spread(current, beside=reference)
        slack = resolution(spreads, (float(merged.values[0]), float(merged.values[-1])))
        tested, beyond = (distance, p_value), merged.distance_beyond(slack)
        distance, p_value, note = beyond_resolution(tested, beyond, slack, sizes=merged.sizes)
    return ColumnDrift(
        column=column,
        aspect="values",
        kind=pair.kind,
        test=SMIRNOV,
        statistic=distance,
        p_value=p_value,
        q_value=p_value,
        effect=distance,
        interval=distance_interval(
            distance, len(reference), len(current), below=None if note else merged.shares_below()
        ),
        moved=False,
        profile=histogram(reference, current, times=pair.kind == "datetime" and not pair.relative),
        role=role,
        wasserstein=merged.wasserstein(),
        unseen=pair.unseen,
        note="; ".join(filter(None, (pair.note, note))),
    )


def tells_rows_apart(pair: Pair, reference: Floats, current: Floats) -> str:
    """Why a numeric column is not tested: it is a clock or a row counter; empty where it is tested.

    Parameters
    ----------
    pair : Pair
    reference, current : ndarray of shape (rows,)
        Its numbers, ascending.
    """
    if pair.kind == "datetime" and not pair.relative and moves_on(reference, current):
        return "a time that moves on with the calendar"
    if pair.kind == "numeric" and _counts(reference) and _counts(current):
        return "a counter: every row has the next number"
    return ""


def moves_on(reference: Floats, current: Floats) -> bool:
    """Whether times only advance with the calendar: the current ones follow the reference's, and go on.

    A time that stands still, or that jumps farther than the windows are long, as a placeholder in the far future does,
    is compared like any other.

    Parameters
    ----------
    reference, current : ndarray of shape (rows,)
        Ascending.

    Examples
    --------
    >>> january, february = np.arange(31.0), np.arange(31.0, 59.0)
    >>> moves_on(january, february), moves_on(january, february * 0 + 31), moves_on(january, february + 9999)
    (True, False, False)
    """
    (first, end), (start, last) = (
        np.quantile(window, [0.01, 0.99], method="nearest") for window in (reference, current)
    )
    spans = end - first, last - start
    return bool(start >= end and spans[1] > 0 and start - end <= max(spans) and spans[1] * COMMONEST >= spans[0])


def _counts(numbers: Floats) -> bool:
    """Whether ascending numbers are a row counter: whole, distinct, and with few gaps."""
    span = float(numbers[-1]) - float(numbers[0])
    if not ENOUGH <= len(numbers) <= span + 1 <= COUNTER * len(numbers):
        return False
    return bool((np.diff(numbers) > 0).all() and (numbers == np.floor(numbers)).all())


def histogram(reference: Floats, current: Floats, *, times: bool = False) -> Profile:
    """Histogram of both windows on equal-width bins over the reference's central 98 %, with tails.

    Parameters
    ----------
    reference, current : ndarray of shape (rows,)
        Ascending.
    times : bool
        Whether they are seconds since 1970, so that bins are named by dates.

    Examples
    --------
    >>> found = histogram(np.arange(100.0), np.arange(100.0) + 1000)
    >>> len(found.labels), found.labels[-1], found.current[-1]
    (22, '98 and above', 1.0)
    """
    inner = _edges(reference)
    below = [np.concatenate([[0], np.searchsorted(rows, inner), [len(rows)]]) for rows in (reference, current)]
    shares = [tuple((np.diff(counts) / counts[-1]).tolist()) for counts in below]
    said = [edge_label(edge, times=times) for edge in inner.tolist()]
    between = [f"{a} to {b}" for a, b in pairwise(said)]
    return Profile(
        labels=(f"below {said[0]}", *between, f"{said[-1]} and above"), reference=shares[0], current=shares[1]
    )


def _edges(reference: Floats) -> Floats:
    known = reference[np.isfinite(reference)]
    low, high = known[np.rint(np.array([0.01, 0.99]) * (len(known) - 1)).astype(int)] if len(known) else (0.0, 1.0)
    if high > low:
        return np.asarray(2 * np.linspace(low / 2, high / 2, BINS + 1))
    return np.array([low, np.nextafter(low, np.inf)])


def edge_label(edge: float, *, times: bool) -> str:
    """Label of a bin edge: a number or a date."""
    return str(np.datetime64(round(edge), "s")) if times else f"{edge:.4g}"


# --- what has none ----------------------------------------------------------------------------------------------------


def _unordered(column: str, pair: Pair, role: Role) -> ColumnDrift:
    assert pair.tally is not None
    labels, counts = pooled(pair.tally)
    test, statistic, p_value = counts_test(counts)
    sizes = counts.sum(axis=1)
    shares = counts / sizes[:, None]
    effect = float(np.abs(shares[0] - shares[1]).sum() / 2)
    return ColumnDrift(
        column=column,
        aspect="values",
        kind=pair.kind,
        test=test,
        statistic=statistic,
        p_value=p_value,
        q_value=p_value,
        effect=effect,
        interval=effect_interval(effect, shares, sizes),
        moved=False,
        profile=Profile(labels=labels, reference=tuple(shares[0].tolist()), current=tuple(shares[1].tolist())),
        role=role,
        unseen=pair.unseen,
        note=pair.note,
    )


def counts_test(counts: Counts) -> tuple[str, float, float]:
    """Test of homogeneity of a two-row table: Fisher's mid-p if 2 x 2 and sparse, else chi-square."""
    statistic, p_value = chi_square(counts)
    if counts.shape[1] != 2:
        return PEARSON, statistic, p_value
    return FISHER if is_sparse(counts) else PEARSON, statistic, two_rates(counts)


def effect_interval(effect: float, shares: Floats, sizes: Counts) -> Interval:
    """Interval of a total variation distance; Newcombe's of a difference of rates where there are two categories."""
    if shares.shape[1] == 2:
        return rates_interval(shares[:, 1], sizes)
    return variation_interval(effect, shares, (int(sizes[0]), int(sizes[1])))


def pooled(tally: Tally) -> tuple[tuple[str, ...], Counts]:
    """Contingency table of both windows with rare categories pooled.

    Which are rare depends on the pooled counts alone, never on the difference, so that the test keeps its level: those
    of which the smaller window is expected to have fewer than five rows, and all but the fifty commonest.

    Parameters
    ----------
    tally : Tally

    Returns
    -------
    labels : tuple of str
        Distinct, and the rare ones last.
    counts : ndarray of int, shape (2, len(labels))

    References
    ----------
    Cochran (1954), Biometrics 10(4), section 4: expected counts of five; one cell, the rest, may have fewer.

    Examples
    --------
    >>> import pandas as pd
    >>> from rca.tables.column_pair import tally
    >>> pooled(tally(pd.Series(["a"] * 9 + ["b"] * 9 + ["c"]), pd.Series(["a"] * 19)))
    (('a', '(other)'), array([[ 9, 10],
           [19,  0]]))
    """
    names, counts = [str(label) for label in tally.labels], tally.counts
    total = counts.sum(axis=0)
    enough = RAREST * total.sum() / counts.sum(axis=1).min()
    keep = max(1, int(min(COMMONEST, (total >= enough).sum())))
    alike = int((total >= total[keep - 1]).sum())  # what is as common is kept too, whatever it is called
    keep = alike if alike <= COMMONEST else keep
    if keep == len(names):
        return tuple(names), counts
    rest = counts[:, keep:].sum(axis=1, keepdims=True)
    return (*names[:keep], distinct_name(names[:keep], OTHER)), np.hstack([counts[:, :keep], rest])


def distinct_name(taken: Collection[str], name: str) -> str:
    """A name made unique by brackets."""
    return distinct_name(taken, f"({name})") if name in taken else name


def _missing(column: str, pair: Pair, role: Role) -> ColumnDrift:
    counts = np.array([[(~gone).sum(), gone.sum()] for gone in pair.missing])
    test, _, p_value = counts_test(counts)
    rates = counts[:, 1] / counts.sum(axis=1)
    effect = float(abs(rates[1] - rates[0]))
    return ColumnDrift(
        column=column,
        aspect="missing",
        kind=pair.kind,
        test=test,
        statistic=effect,
        p_value=p_value,
        q_value=p_value,
        effect=effect,
        interval=rates_interval(rates, counts.sum(axis=1)),
        moved=False,
        profile=Profile(
            labels=("present", MISSING),
            reference=(float(1 - rates[0]), float(rates[0])),
            current=(float(1 - rates[1]), float(rates[1])),
        ),
        role=role,
    )
