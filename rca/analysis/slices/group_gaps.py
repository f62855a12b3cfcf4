"""Group fairness gaps: largest difference between groups in a metric and in selection rate, and whether it opened.

The largest difference between groups is above zero even where all groups are equal, the more so the more groups there
are. So the lower end of its interval is from Tukey-Kramer simultaneous intervals (studentised range), and zero until
two groups differ beyond these. The interval of its change is by MOVER (Zou & Donner).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from rca.analysis.inputs.metric_reader import SEGMENT_ROWS
from rca.analysis.inputs.windows import Windows
from rca.analysis.slices.slices import base_of
from rca.arrays import Floats, Labels
from rca.errors import Unanswerable
from rca.finding import Finding, Interval
from rca.methods.metric import SHARES, Parts
from rca.methods.two_sample_tests import Z
from rca.result import Result, Row
from rca.tables.columns import as_labels, as_numbers, holds

LISTED = 50
"""Most groups of a column that are listed, the largest first."""

LENT = 5
"""Pseudo-rows with the variance of all rows, added to a group's: a few equal rows do not show zero variance."""

SELECTED = "selection_rate"

DECISIONS = ("error_rate", "false_positive_rate", "false_negative_rate", "log_loss", "brier")
"""Metrics of binary decisions, for which selection rates are compared too."""


@dataclass(frozen=True, kw_only=True)
class GroupRate:
    """A metric of one group in both windows, with intervals.

    Attributes
    ----------
    group : str
    reference, current : float or None
        None where no row counts.
    reference_interval, current_interval : Interval or None
        95 %; Wilson's for shares.
    rows_reference, rows_current : int
        Rows that count.
    compared : bool
        Whether both windows have enough of them.
    """

    group: str
    reference: float | None
    current: float | None
    reference_interval: Interval | None
    current_interval: Interval | None
    rows_reference: int
    rows_current: int
    compared: bool


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Fairness gap of a column: the largest difference between its groups, in both windows.

    Attributes
    ----------
    column, measure : str
        The metric, or `selection_rate`.
    reference, current, change : float or None
        As observed, among the groups that are compared; None where fewer than two are.
    reference_interval, current_interval, interval : Interval or None
        95 %, of the gaps and of the change; the lower end of a gap is zero where all groups may be alike.
    lowest, highest : str
        The groups that are farthest apart in the current window; empty where none are compared.
    opened : bool
        Whether the gap grew significantly, Bonferroni-corrected over all gaps of the case.
    groups : tuple of GroupRate
        The largest first; those too small to compare are listed too.
    unlisted : int
        Values of the column beyond those.
    without : int
        Rows of both windows without a value.
    """

    column: str
    measure: str
    reference: float | None = None
    current: float | None = None
    change: float | None = None
    reference_interval: Interval | None = None
    current_interval: Interval | None = None
    interval: Interval | None = None
    lowest: str = ""
    highest: str = ""
    opened: bool = False
    groups: tuple[GroupRate, ...]
    unlisted: int = 0
    without: int = 0

    @property
    def too_small(self) -> tuple[str, ...]:
        """Groups with too few rows to be compared."""
        return tuple(one.group for one in self.groups if not one.compared)

    def __str__(self) -> str:
        what = f"{self.measure.replace('_', ' ')} by {self.column}"
        if self.change is None:
            return f"{what}: fewer than two groups have {SEGMENT_ROWS} rows in both windows"
        small = f"; too small to compare: {', '.join(self.too_small[:5])}" if self.too_small else ""
        verb = "opened" if self.opened else "did not open beyond chance"
        return (
            f"{what}: the gap {verb}, from {self.reference:.3g} to {self.current:.3g} (change {self.interval}), "
            f"{self.lowest} to {self.highest}{small}"
        )


@dataclass(frozen=True, kw_only=True)
class Gaps(Result):
    """Fairness gaps of all group columns and measures: opened ones first, then by change.

    Attributes
    ----------
    gaps : tuple of Gap
    level : float
        Of every interval.
    """

    gaps: tuple[Gap, ...]
    level: float = 0.95

    def __str__(self) -> str:
        opened = [one for one in self.gaps if one.opened]
        known = sum(one.change is not None for one in self.gaps)
        if not known and self.gaps:
            return str(self.gaps[0])
        return str(opened[0]) if opened else f"no gap opened beyond chance, of {known} looked at"

    def rows(self) -> list[Row]:
        return [row for gap in self.gaps for row in (_gap_row(gap), *(_row(gap, one) for one in gap.groups))]

    def findings(self) -> tuple[Finding, ...]:
        return tuple(
            Finding(
                id=f"gap.{one.measure}.{one.column}",
                notebook="drift",
                claim=str(one),
                effect=one.change,
                unit=one.measure,
                interval=one.interval,
                n_effective=float(min(min(g.rows_reference, g.rows_current) for g in one.groups if g.compared)),
                strength="shown" if one.opened else "suggested",
                assumptions=("rows are independent of each other",),
                refuters=("the largest of so many differences by chance",) if one.opened else (),
            )
            for one in self.gaps
            if one.change is not None
        )


def _gap_row(gap: Gap) -> Row:
    counted = [one for one in gap.groups if one.compared]
    return {
        "column": gap.column,
        "measure": gap.measure,
        "group": "(largest gap)",
        "reference": gap.reference,
        "current": gap.current,
        "interval": None if gap.interval is None else f"change {gap.interval}",
        "rows before": sum(one.rows_reference for one in counted),
        "rows now": sum(one.rows_current for one in counted),
        "note": "opened" if gap.opened else "",
    }


def _row(gap: Gap, one: GroupRate) -> Row:
    return {
        "column": gap.column,
        "measure": gap.measure,
        "group": one.group,
        "reference": one.reference,
        "current": one.current,
        "interval": None if one.current_interval is None else str(one.current_interval),
        "rows before": one.rows_reference,
        "rows now": one.rows_current,
        "note": "" if one.compared else "too small to compare",
    }


def group_gaps(windows: Windows, *, alpha: float = 0.05) -> Gaps:
    """Fairness gaps in the metric and in selection rate, by group column, in both windows.

    Parameters
    ----------
    windows : Windows
    alpha : float
        Family-wise error rate of calling a gap opened.

    Returns
    -------
    Gaps
        One gap for each group column and measure.

    Raises
    ------
    Unanswerable
        If the case names no groups, or the metric cannot be read.

    References
    ----------
    Lower end of a gap: Tukey & Kramer's simultaneous intervals (Hayter 1984, Ann. Stat. 12(1)). Of the change: Zou &
    Donner (2008), Stat. Med. 27(10), eq. (3), about the gap, or about zero where groups may be alike.
    """
    columns = [name for name in windows.roles.groups if name in windows.reference and name in windows.current]
    if not columns:
        raise Unanswerable("how far apart groups are", "the case names no groups")
    measures = list(_measures(windows))
    many = len(columns) * len(measures)
    found = [_gap(windows, column, measure, alpha=alpha / many) for column in columns for measure in measures]
    found.sort(key=lambda one: (not one.opened, -(one.change if one.change is not None else -np.inf)))
    return Gaps(gaps=tuple(found))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Measure:
    """A metric with its per-row parts in both windows."""

    name: str
    parts: tuple[Parts, Parts]


def _measures(windows: Windows) -> Iterator[_Measure]:
    meter, _ = base_of(windows)
    yield _Measure(name=meter.base, parts=(meter.parts(windows.reference), meter.parts(windows.current)))
    if meter.base in DECISIONS and (windows.roles.prediction or windows.roles.score):
        yield _Measure(
            name=SELECTED, parts=(_selected(windows, windows.reference), _selected(windows, windows.current))
        )


def _selected(windows: Windows, rows: pd.DataFrame) -> Parts:
    """Per-row parts of the selection rate."""
    roles = windows.roles
    if roles.prediction is not None:
        answers = rows[roles.prediction]
        yes, known = holds(answers, roles.positive), answers.notna().to_numpy(bool)
    else:
        score = as_numbers(rows[str(roles.score)])
        yes, known = score >= windows.metric.threshold, np.isfinite(score)
    return Parts(numerator=(yes & known).astype(float)[:, None], denominator=known.astype(float)[:, None])


# -- one gap -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class _Window:
    """Estimates of a measure by group in one window."""

    rates: Floats
    errors: Floats
    rows: Floats
    intervals: tuple[Interval | None, ...]


def _gap(windows: Windows, column: str, measure: _Measure, *, alpha: float) -> Gap:
    labels = [as_labels(rows[column]) for rows in (windows.reference, windows.current)]
    names, unlisted = _groups(labels)
    without = int(sum(pd.isna(one).sum() for one in labels))
    share = measure.name in (*SHARES, SELECTED)
    before, after = (_window(parts, of, names, share=share) for parts, of in zip(measure.parts, labels, strict=True))
    enough = np.minimum(before.rows, after.rows) >= SEGMENT_ROWS
    groups = tuple(_group_rate(name, at, (before, after)) for at, name in enumerate(names))
    if enough.sum() < 2:
        return Gap(column=column, measure=measure.name, groups=groups, unlisted=unlisted, without=without)
    sides = [(one.rates[enough], one.errors[enough]) for one in (before, after)]
    gaps = [limits(*side) for side in sides]
    strict = [limits(*side, level=1 - alpha) for side in sides]
    compared = [name for name, one in zip(names, enough, strict=True) if one]
    return Gap(
        column=column,
        measure=measure.name,
        reference=gaps[0][0],
        current=gaps[1][0],
        change=gaps[1][0] - gaps[0][0],
        reference_interval=gaps[0][1],
        current_interval=gaps[1][1],
        interval=between(*gaps),
        lowest=compared[int(np.argmin(sides[1][0]))],
        highest=compared[int(np.argmax(sides[1][0]))],
        opened=between(*strict).low > 0,
        groups=groups,
        unlisted=unlisted,
        without=without,
    )


def _groups(labels: Sequence[Labels]) -> tuple[list[str], int]:
    """Groups of a column in both windows, the commonest first, and how many more there are."""
    counts = pd.Series(np.concatenate(labels)).value_counts()
    names = sorted(map(str, counts.index), key=lambda one: (-int(counts[one]), one))
    return names[:LISTED], max(0, len(names) - LISTED)


def _window(parts: Parts, labels: Labels, names: Sequence[str], *, share: bool) -> _Window:
    whole = _spread(parts)
    found = [_rate(parts.take(np.flatnonzero(labels == name)), whole, share=share) for name in names]
    rates, errors, rows, intervals = zip(*found, strict=True) if found else ((), (), (), ())
    return _Window(rates=np.array(rates), errors=np.array(errors), rows=np.array(rows), intervals=tuple(intervals))


def _spread(parts: Parts) -> float:
    """Variance of the influence function of the metric over all rows."""
    counted = np.flatnonzero(parts.denominator.any(axis=1))
    return float(len(counted) * np.sum(parts.take(counted).influence() ** 2)) if len(counted) else 0.0


def _rate(parts: Parts, spread: float, *, share: bool) -> tuple[float, float, int, Interval | None]:
    """A group's metric, standard error, rows and interval; Wilson's for shares, else with a shrunk variance."""
    counted = parts.take(np.flatnonzero(parts.denominator.any(axis=1)))
    n = len(counted)
    if n == 0:
        return np.nan, np.nan, 0, None
    rate = counted.value()
    weight = counted.denominator[:, 0]
    if share:
        interval = _wilson(rate, float(weight.sum() ** 2 / np.sum(weight**2)))
        return rate, (interval.high - interval.low) / (2 * Z), n, interval
    own = float(n * np.sum(counted.influence() ** 2))
    error = float(np.sqrt((n * own + LENT * spread) / (n + LENT) / n))
    return rate, error, n, Interval(low=rate - Z * error, high=rate + Z * error)


def _wilson(rate: float, rows: float) -> Interval:
    """Wilson score interval of a rate: Wilson (1927), J. Am. Stat. Assoc. 22(158), eq. (4)."""
    centre, below = (rate + Z**2 / (2 * rows)), 1 + Z**2 / rows
    half = Z * np.sqrt(rate * (1 - rate) / rows + Z**2 / (4 * rows**2))
    return Interval(low=float(max(0, (centre - half) / below)), high=float(min(1, (centre + half) / below)))


def _group_rate(name: str, at: int, sides: tuple[_Window, _Window]) -> GroupRate:
    before, after = sides
    rates = [None if np.isnan(one.rates[at]) else float(one.rates[at]) for one in (before, after)]
    return GroupRate(
        group=name,
        reference=rates[0],
        current=rates[1],
        reference_interval=before.intervals[at],
        current_interval=after.intervals[at],
        rows_reference=int(before.rows[at]),
        rows_current=int(after.rows[at]),
        compared=bool(min(before.rows[at], after.rows[at]) >= SEGMENT_ROWS),
    )


def limits(rates: Floats, errors: Floats, *, level: float = 0.95) -> tuple[float, Interval]:
    """Range of independent estimates with a conservative interval: Tukey-Kramer below, one normal pair above.

    Below, differences are corrected for being the largest of so many (studentised range); above, the two groups that
    truly are farthest apart are one pair, whichever it is.

    Parameters
    ----------
    rates, errors : ndarray of shape (groups,)
        At least two.
    level : float

    Examples
    --------
    >>> gap, interval = limits(np.array([0.1, 0.12, 0.3]), np.array([0.02, 0.02, 0.03]))
    >>> round(gap, 2), str(interval)
    (0.2, '0.106 to 0.271')
    """
    from scipy.special import ndtri

    tail = (1 + level) / 2
    apart = rates[:, None] - rates[None, :]
    error = np.hypot(errors[:, None], errors[None, :])
    pairs = ~np.eye(len(rates), dtype=bool)
    chance = _largest_by_chance(tail, len(rates))
    low = float(np.max((apart - chance * error)[pairs]))
    high = float(np.max((apart + ndtri(tail) * error)[pairs]))
    return float(apart.max()), Interval(low=max(0.0, low), high=high, level=level)


@cache
def _largest_by_chance(tail: float, groups: int) -> float:
    """Quantile of the studentised range, in standard errors of a difference."""
    from scipy.stats import studentized_range

    return float(studentized_range.ppf(tail, groups, np.inf) / np.sqrt(2))


def between(before: tuple[float, Interval], after: tuple[float, Interval]) -> Interval:
    """MOVER interval (Zou & Donner) of the change of a gap, from the gaps and their intervals."""
    first, second = (gap if interval.low > 0 else 0.0 for gap, interval in (before, after))
    below = np.hypot(second - after[1].low, before[1].high - first)
    above = np.hypot(after[1].high - second, first - before[1].low)
    return Interval(low=float(second - first - below), high=float(second - first + above), level=after[1].level)
