"""What is told of the response over many incidents: how long it took, by group, over time, and before and after."""

from collections.abc import Iterator
from dataclasses import dataclass

from rca.analysis.portfolio.duration_units import between, scale, spelled, words_of
from rca.analysis.portfolio.kaplan_meier import LEVEL, Estimate
from rca.finding import Finding, Interval
from rca.result import Result, Row

PERCENTILES = (0.75, 0.90, 0.95)
"""Told beside the median."""


@dataclass(frozen=True, kw_only=True)
class SurvivalCurve:
    """A survival curve thinned for drawing: the share that lasts longer than each time.

    Attributes
    ----------
    seconds, share : tuple of float
    low, high : tuple of float
        95 % band, point by point; empty for groups.
    """

    seconds: tuple[float, ...]
    share: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Summary(Result):
    """How long incidents took by one measure. All lengths are in seconds.

    Attributes
    ----------
    measure, start, end : str
        The measure and the moments it runs between.
    grouping, group : str
        What the incidents have in common; both empty for all of them.
    n, open : int
        Lengths counted, and how many of them are still running.
    left_out : int
        Incidents whose record gives no length; why is told among the oddities.
    median : Estimate
    percentiles : tuple of Estimate
        Of `PERCENTILES`; those of groups have no interval.
    mean : float or None
        Of those that have ended.
    misleads : tuple of str
        Why the mean misleads, if it does: incidents are open; it lies outside the interval of the median; the longest
        tenth of at least ten holds half of all time.
    restricted : Estimate
        Mean of what of each length lies before the `horizon`.
    horizon : float or None
    curve : SurvivalCurve
    """

    measure: str
    start: str
    end: str
    grouping: str = ""
    group: str = ""
    n: int
    open: int
    left_out: int
    median: Estimate
    percentiles: tuple[Estimate, ...]
    mean: float | None
    misleads: tuple[str, ...]
    restricted: Estimate
    horizon: float | None
    curve: SurvivalCurve

    def __str__(self) -> str:
        scale = scale_of(self)
        name = f"{words_of(self.measure)}, {words_of(self.start)} to {words_of(self.end)}"
        ends = [f"p{level * 100:.0f} {spelled(one.value, scale)}" for level, one in self._percentiles() if one.value]
        parts = [f"median {between(self.median, scale)} {scale}", *ends]
        open_ = f", {self.open} open" if self.open else ""
        return f"{name}{self._of()}: {', '.join(parts)}; n = {self.n:,}{open_}"

    def _of(self) -> str:
        return f" ({self.grouping} {self.group})" if self.grouping else ""

    def _percentiles(self) -> Iterator[tuple[float, Estimate]]:
        return zip(PERCENTILES, self.percentiles, strict=True)

    def warning(self) -> str:
        """What is wrong with the mean, in a sentence; empty if nothing."""
        if not self.misleads or self.mean is None:
            return ""
        scale = scale_of(self)
        return f"the mean, {spelled(self.mean, scale)} {scale}, misleads: {'; '.join(self.misleads)}"

    def rows(self) -> list[Row]:
        row: Row = {"measure": self.measure, "from": self.start, "to": self.end}
        if self.grouping:
            row |= {"by": self.grouping, "group": self.group}
        row |= {"n": self.n, "open": self.open, "left out": self.left_out}
        row |= {"median": self.median.value, "low": self.median.low, "high": self.median.high}
        row |= {f"p{level * 100:.0f}": one.value for level, one in self._percentiles()}
        row |= {"mean": self.mean, "mean misleads": bool(self.misleads)}
        return [row | {"restricted mean": self.restricted.value, "horizon": self.horizon}]

    def findings(self) -> tuple[Finding, ...]:
        low, high = self.median.low, self.median.high
        return (
            Finding(
                id=f"portfolio.{self.measure}{f'.{self.grouping}.{self.group}' if self.grouping else ''}",
                notebook="portfolio",
                claim=str(self),
                effect=self.median.value,
                unit="s",
                interval=Interval(low=low, high=high, level=LEVEL) if low is not None and high is not None else None,
                n_effective=float(self.n),
                assumptions=("open incidents last on as those that have ended did",) if self.open else (),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Comparison(Result):
    """Two groups of incidents by one measure.

    Attributes
    ----------
    measure : str
    earlier, later : Summary
    ratio : Estimate
        Median of the later over that of the earlier.
    p_value : float or None
        Log-rank test of no difference.
    smallest : float or None
        Smallest ratio above 1, or its inverse below, that would have been seen in 8 of 10 cases.
    """

    measure: str
    earlier: Summary
    later: Summary
    ratio: Estimate
    p_value: float | None
    smallest: float | None

    @property
    def differs(self) -> bool:
        """Whether the interval of the ratio leaves out 1."""
        return self.ratio.value is not None and not self.ratio.holds(1.0)

    def __str__(self) -> str:
        names = f"{self.later.group} against {self.earlier.group}"
        if self.ratio.value is None:
            return f"{words_of(self.measure)}, {names}: a median is not reached, no ratio can be told"
        verdict = "differs" if self.differs else "no difference can be shown"
        tested = f"; log-rank p = {self.p_value:.2g}" if self.p_value is not None else ""
        seen = (
            f"; so many would have shown a change to ×{self.smallest:.3g} or ×{1 / self.smallest:.2g} in 8 of 10 cases"
            if self.smallest
            else ""
        )
        return f"{words_of(self.measure)}, {names}: median ×{between(self.ratio, '')}, {verdict}{tested}{seen}"

    def rows(self) -> list[Row]:
        row: Row = {"measure": self.measure, "earlier": self.earlier.group, "later": self.later.group}
        row |= {"n earlier": self.earlier.n, "n later": self.later.n}
        row |= {"median earlier": self.earlier.median.value, "median later": self.later.median.value}
        row |= {"ratio": self.ratio.value, "low": self.ratio.low, "high": self.ratio.high, "p": self.p_value}
        return [row | {"smallest change to be seen": self.smallest}]


@dataclass(frozen=True, kw_only=True)
class Grouped(Result):
    """One measure by group.

    Attributes
    ----------
    measure, grouping : str
    groups : tuple of Summary
    others : int
        Groups that are not told apart, being too many.
    p_value, q_value : float or None
        Log-rank test that all groups last alike, and the false discovery rate among all groupings of all measures. None
        for quarters, whose test is the trend.
    """

    measure: str
    grouping: str
    groups: tuple[Summary, ...]
    others: int = 0
    p_value: float | None = None
    q_value: float | None = None

    def __str__(self) -> str:
        tested = f"; log-rank q = {self.q_value:.2g}" if self.q_value is not None else ""
        scale = scale_of(self.groups[0]) if self.groups else "s"
        told = ", ".join(f"{one.group} {between(one.median, scale)}" for one in self.groups)
        more = f", and {self.others} more" if self.others else ""
        return f"{words_of(self.measure)} by {self.grouping}, medians in {scale}: {told}{more}{tested}"

    def rows(self) -> list[Row]:
        return [row for one in self.groups for row in one.rows()]


@dataclass(frozen=True, kw_only=True)
class Trend(Result):
    """Whether one measure grows or shrinks over time; of the number of incidents where `measure` is `incidents`.

    Attributes
    ----------
    measure : str
    factor : Estimate
        By which the median, or the number, grows a year.
    p_value : float or None
        Of no trend; of lengths with open ones censored, from every incident.
    quarters : tuple of str
    values : tuple of float or None
        Median of each quarter in seconds, or the number of incidents.
    """

    measure: str
    factor: Estimate
    p_value: float | None
    quarters: tuple[str, ...]
    values: tuple[float | None, ...]

    def __str__(self) -> str:
        what = "number of incidents" if self.measure == "incidents" else f"trend of {words_of(self.measure)}"
        tested = f"; p = {self.p_value:.2g}" if self.p_value is not None else "; no trend can be tested"
        grown = (
            f"×{between(self.factor, '')} a year" if self.factor.value is not None else "too short a time for a slope"
        )
        return f"{what}: {grown}{tested}"

    def rows(self) -> list[Row]:
        named = "incidents" if self.measure == "incidents" else "median"
        return [{"quarter": at, named: value} for at, value in zip(self.quarters, self.values, strict=True)]


def scale_of(summary: Summary) -> str:
    """The unit in which lengths of a summary are read: that of its median."""
    return scale(summary.median.value or summary.median.low or summary.mean or 0.0)
