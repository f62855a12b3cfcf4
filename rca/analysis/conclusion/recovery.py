"""Equivalence test (TOST) of recovery: the metric after the repair against the reference, with a stated margin.

That no difference is found shows nothing: with few rows none is found. What is tested is that the difference is smaller
than the margin: two one-sided tests (TOST) at level alpha, which is the interval of level 1 - 2 alpha inside the margin
(Schuirmann, *J Pharmacokinet Biopharm* 1987;15:657). Intervals of shares are Newcombe's, of two Wilson intervals (*Stat
Med* 1998;17:873, method 10), which hold for rare outcomes; of other metrics, normal about the difference.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rca.analysis.inputs.metric_reader import SEGMENT_ROWS, MetricReader
from rca.errors import InvalidCase, Unanswerable
from rca.finding import Finding, Interval
from rca.methods.metric import MIN_ROWS, SHARES, Parts
from rca.result import Result, Row
from rca.tables.columns import as_labels

if TYPE_CHECKING:
    import pandas as pd

    from rca.analysis.inputs.windows import Windows
    from rca.record.case import Roles
    from rca.record.schema.incident import Metric

RECOVERY_QUESTION = "did the repair work"

HARM_SHARE = 0.1
"""Share of the harm that counts as none, where the record states no margin."""

Outcome = Literal["recovered", "no_worse", "not_recovered", "perhaps_worse", "cannot_tell"]

SAYS: dict[Outcome, str] = {
    "recovered": "back where it was",
    "no_worse": "no worse than it was",
    "not_recovered": "not back where it was",
    "perhaps_worse": "worse, though of so many groups chance makes some so",
    "cannot_tell": "not shown either way",
}


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Equivalence test of the metric of some rows after the repair against the reference.

    Attributes
    ----------
    where : str
        `all rows`, or a group as `column=value`.
    reference, recovered : float
    worse : float
        The difference in the bad direction, in the metric's unit.
    interval : Interval
        Of `worse`, of level 1 - 2 alpha.
    outcome : {'recovered', 'no_worse', 'not_recovered', 'perhaps_worse', 'cannot_tell'}
    n_reference, n_recovered : int
        Rows that count.
    """

    where: str
    reference: float
    recovered: float
    worse: float
    interval: Interval
    outcome: Outcome
    n_reference: int
    n_recovered: int

    @property
    def needs(self) -> float:
        """Smallest margin under which these rows would have shown equivalence."""
        return max(abs(self.interval.low), abs(self.interval.high))


@dataclass(frozen=True, kw_only=True)
class Recovery(Result):
    """Result of the equivalence test, over all rows and by group.

    Attributes
    ----------
    name : str
        The metric.
    margin : float
        The largest difference that counts as none, in the metric's unit.
    stated : bool
        Whether the record, or the caller, states the margin; else it is `HARM_SHARE` of the harm.
    alpha : float
        Level of each of the two one-sided tests.
    whole : Compared
    groups : tuple of Compared
    unlabelled : float
        Share of the rows after the repair that do not count, mostly for want of a label.
    """

    name: str
    margin: float
    stated: bool
    alpha: float
    whole: Compared
    groups: tuple[Compared, ...] = ()
    unlabelled: float = 0.0

    @property
    def outcome(self) -> Outcome:
        """Outcome over all rows."""
        return self.whole.outcome

    @property
    def everywhere(self) -> bool:
        """Whether equivalence is shown over all rows and in every group (intersection-union, no correction needed)."""
        return all(one.outcome in ("recovered", "no_worse") for one in (self.whole, *self.groups))

    @property
    def scale(self) -> float:
        """Factor for display: shares are shown in per cent."""
        return 100.0 if self.name in SHARES else 1.0

    @property
    def unit(self) -> str:
        """Unit of a difference for display."""
        return "percentage points" if self.name in SHARES else self.name.replace("_", " ")

    def __str__(self) -> str:
        one, by = self.whole, self.scale
        low, high = by * one.interval.low, by * one.interval.high
        return (
            f"{self.name.replace('_', ' ')} is {SAYS[one.outcome]}: {by * one.recovered:.3g} after the repair, "
            f"{by * one.reference:.3g} before ({one.interval.level:.0%} interval of the difference {low:.3g} to "
            f"{high:.3g}, margin {by * self.margin:.3g} {self.unit}){self._of_groups()}"
        )

    def _of_groups(self) -> str:
        """Groups that did not recover, and how many are too small to decide, as a clause."""
        worse, perhaps = (
            [one.where for one in self.groups if one.outcome == kind] for kind in ("not_recovered", "perhaps_worse")
        )
        small = sum(one.outcome == "cannot_tell" for one in self.groups)
        told = f"; not back for {', '.join(worse[:3])}{', …' if len(worse) > 3 else ''}" if worse else ""
        told += f"; perhaps worse for {', '.join(perhaps[:3])}{', …' if len(perhaps) > 3 else ''}" if perhaps else ""
        return told + (f"; not shown either way for {small} of {len(self.groups)} groups" if small else "")

    def rows(self) -> list[Row]:
        return [
            {
                "rows": one.where,
                "before": self.scale * one.reference,
                "after": self.scale * one.recovered,
                "worse by": self.scale * one.worse,
                "interval": f"{self.scale * one.interval.low:.3g} to {self.scale * one.interval.high:.3g}",
                "outcome": SAYS[one.outcome],
                "margin it would need": self.scale * one.needs,
                "n before": one.n_reference,
                "n after": one.n_recovered,
            }
            for one in (self.whole, *self.groups)
        ]

    def findings(self) -> tuple[Finding, ...]:
        return (
            Finding(
                id="recovery.metric",
                notebook="postmortem",
                claim=str(self),
                effect=self.whole.worse,
                unit=self.name,
                interval=self.whole.interval,
                n_effective=float(min(self.whole.n_reference, self.whole.n_recovered)),
                strength="suggested" if self.outcome == "cannot_tell" else "shown",
                assumptions=(
                    "rows are independent of each other",
                    "what else changed between the windows is not taken off",
                    *(() if self.stated else (f"a margin of {HARM_SHARE:.0%} of the harm, as none is stated",)),
                ),
                refuters=("two one-sided tests",),
            ),
        )


def recovery_of(
    windows: "Windows", recovered: "pd.DataFrame", *, margin: float | None = None, alpha: float = 0.05
) -> Recovery:
    """Equivalence test (TOST): does the metric after the repair equal the reference within a margin.

    Parameters
    ----------
    windows : Windows
        The reference, the current rows, and what their columns are.
    recovered : pandas.DataFrame
        Rows after the repair.
    margin : float, optional
        In the metric's unit; the record's `metric.margin` where left out, else a tenth of the harm.
    alpha : float

    Raises
    ------
    Unanswerable
        If rows after the repair have no labels yet, a column is not there, or there is no harm to take a margin from.
    """
    _require_columns(windows, recovered)
    base = _base(windows)
    whole = windows.meter.segments(windows.reference, recovered)
    before, after = (windows.meter.parts(rows, groups=whole) for rows in (windows.reference, recovered))
    known = windows.metric.margin if margin is None else margin
    size = known if known is not None else _of_the_harm(windows)
    if windows.metric.name in SHARES and size >= 1:
        hint = "give it in the metric's unit: 0.03 is three percentage points"
        raise InvalidCase.because(f"a share cannot differ by {size:g}", place="margin", hint=hint)
    told: list[tuple[str, tuple[Parts, Parts], str]] = [("all rows", (before, after), windows.metric.name)]
    told += [(name, pair, base.base) for name, pair in _by_group(base, windows, recovered)]
    sign = 1 if windows.metric.harm == "higher" else -1
    tests = [
        _Test(margin=size, alpha=alpha, sign=sign, many=max(place and len(told) - 1, 1)) for place in range(len(told))
    ]
    compared = [
        test.of(where, pair, share=name in SHARES) for test, (where, pair, name) in zip(tests, told, strict=True)
    ]
    return Recovery(
        name=windows.metric.name,
        margin=size,
        stated=known is not None,
        alpha=alpha,
        whole=compared[0],
        groups=tuple(compared[1:]),
        unlabelled=1 - float(after.denominator.any(axis=1).mean()) if len(recovered) else 0.0,
    )


def _require_columns(windows: "Windows", recovered: "pd.DataFrame") -> None:
    roles = windows.roles
    for name in (*windows.meter.read, roles.weight, *roles.groups):
        if name is not None and name not in recovered:
            raise Unanswerable(RECOVERY_QUESTION, f"the table after the repair has no column {name!r}")


def _base(windows: "Windows") -> MetricReader:
    """Reader of the metric within one group: of a gap, the metric whose gap is meant."""
    metric: Metric = windows.metric
    if metric.name == "group_gap" and metric.of is not None:
        metric = metric.model_copy(update={"name": metric.of, "of": None})
    return MetricReader(metric=metric, roles=windows.roles)


def _of_the_harm(windows: "Windows") -> float:
    """Default margin: a tenth of the change from the reference to the current window."""
    segments = windows.meter.segments(windows.reference, windows.current)
    before, during = (
        windows.meter.parts(rows, groups=segments).value() for rows in (windows.reference, windows.current)
    )
    harm = (during - before) * (1 if windows.metric.harm == "higher" else -1)
    if not harm > 0:
        why = "no margin is stated (`metric.margin`), and there is no harm that a margin could be a share of"
        raise Unanswerable(RECOVERY_QUESTION, why)
    return HARM_SHARE * harm


def _by_group(
    meter: MetricReader, windows: "Windows", recovered: "pd.DataFrame"
) -> "Iterator[tuple[str, tuple[Parts, Parts]]]":
    """Parts of each group that has enough counted rows in both windows."""
    roles: Roles = windows.roles
    for column in roles.groups:
        texts = [as_labels(rows[column]) for rows in (windows.reference, recovered)]
        parts = [meter.parts(rows) for rows in (windows.reference, recovered)]
        for value in sorted(set(texts[0]) & set(texts[1]), key=str):
            before, after = (part.take(np.asarray(text == value)) for part, text in zip(parts, texts, strict=True))
            if min(_counted(before), _counted(after)) >= SEGMENT_ROWS:
                yield f"{column}={value}", (before, after)


def _counted(parts: Parts) -> int:
    return int(parts.denominator.any(axis=1).sum())


@dataclass(frozen=True, kw_only=True)
class _Test:
    """Two one-sided tests (TOST) of a margin; that one of `many` groups is worse is Bonferroni-corrected."""

    margin: float
    alpha: float
    sign: int
    many: int = 1

    def of(self, where: str, parts: tuple[Parts, Parts], *, share: bool) -> Compared:
        """Compare some rows after the repair with the reference."""
        before, after = parts
        counted = _counted(before), _counted(after)
        if min(counted) < MIN_ROWS:
            window = "reference" if counted[0] < MIN_ROWS else "recovered"
            why = f"only {min(counted)} rows of the {window} window count, and {MIN_ROWS} are needed; have labels come?"
            raise Unanswerable(RECOVERY_QUESTION, why)
        values = before.value(), after.value()
        worse = self.sign * (values[1] - values[0])
        interval = self.interval(before, after, share=share)
        strict = replace(self, alpha=self.alpha / self.many).interval(before, after, share=share)
        return Compared(
            where=where,
            reference=values[0],
            recovered=values[1],
            worse=worse,
            interval=interval,
            outcome=self._outcome(interval, strict),
            n_reference=counted[0],
            n_recovered=counted[1],
        )

    def interval(self, before: Parts, after: Parts, *, share: bool) -> Interval:
        """Interval of the difference in the bad direction."""
        low, high = self.newcombe(before, after) if share else self._normal(before, after)
        ends = (low, high) if self.sign > 0 else (-high, -low)
        return Interval(low=ends[0], high=ends[1], level=1 - 2 * self.alpha)

    def _outcome(self, interval: Interval, strict: Interval) -> Outcome:
        if strict.low > self.margin:
            return "not_recovered"
        if interval.low > self.margin:
            return "perhaps_worse"
        if interval.high >= self.margin:
            return "cannot_tell"
        return "recovered" if interval.low > -self.margin else "no_worse"

    @property
    def _z(self) -> float:
        from scipy.special import ndtri

        return float(ndtri(1 - self.alpha))

    def _normal(self, before: Parts, after: Parts) -> tuple[float, float]:
        error = float(np.hypot(*(np.sqrt(np.sum(parts.influence() ** 2)) for parts in (before, after))))
        change = after.value() - before.value()
        return change - self._z * error, change + self._z * error

    def newcombe(self, before: Parts, after: Parts) -> tuple[float, float]:
        """Ends of Newcombe's interval of a difference of shares."""
        (p, low, high), (q, lower, higher) = (self._wilson(parts) for parts in (before, after))
        change = q - p
        return change - float(np.hypot(q - lower, high - p)), change + float(np.hypot(higher - q, p - low))

    def _wilson(self, parts: Parts) -> tuple[float, float, float]:
        """A share with its Wilson interval; weighted rows count by their effective number (Kish)."""
        weight = parts.denominator[:, 0]
        n = float(weight.sum() ** 2 / (weight**2).sum())
        share, z = parts.value(), self._z
        middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * float(np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)))
        return share, middle - half, middle + half


def newcombe(before: tuple[int, int], after: tuple[int, int], *, level: float = 0.9) -> Interval:
    """Newcombe's interval of the difference of two shares, after minus before.

    Parameters
    ----------
    before, after : (int, int)
        Events, and rows.

    Examples
    --------
    >>> print(newcombe((48, 80), (56, 70), level=0.95))
    0.0524 to 0.334
    """
    test = _Test(margin=1.0, alpha=(1 - level) / 2, sign=1)
    parts = [_flags(events, rows) for events, rows in (before, after)]
    low, high = test.newcombe(*parts)
    return Interval(low=low, high=high, level=level)


def _flags(events: int, rows: int) -> Parts:
    hit: Any = (np.arange(rows) < events).astype(float)[:, None]
    return Parts(numerator=hit, denominator=np.ones((rows, 1)))
