"""Results of the portfolio analysis: duration summaries, group comparisons, trends, before and after."""

from collections.abc import Iterator
from dataclasses import dataclass

from rca.analysis.portfolio.kaplan_meier import LEVEL, Estimate
from rca.finding import Finding, Interval
from rca.result import Result, Row

PERCENTILES = (0.75, 0.90, 0.95)
"""Quantile levels reported beside the median."""


@dataclass(frozen=True, kw_only=True)
class SurvivalCurve:
    """A Kaplan-Meier survival curve thinned for drawing, with a pointwise band.

    Attributes
    ----------
    seconds, share : tuple of float
    low, high : tuple of float
        Pointwise 95 % band; empty for groups.
    """

    seconds: tuple[float, ...]
    share: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Summary(Result):
    """Kaplan-Meier summary of the durations of one measure. All durations are in seconds.

    Attributes
    ----------
    measure, start, end : str
        The measure and the moments it runs between.
    grouping, group : str
        What the incidents have in common; both empty for all of them.
    n, open : int
        Durations counted, and how many of them are right-censored.
    left_out : int
        Incidents without a valid duration; the oddities say why.
    median : Estimate
    percentiles : tuple of Estimate
        Of `PERCENTILES`; those of groups have no interval.
    mean : float or None
        Of those that have ended.
    misleads : tuple of str
        Why the mean misleads, if it does: incidents are open; it lies outside the interval of the median; the longest
        tenth of at least ten holds half of all time.
    restricted : Estimate
        Restricted mean survival time (RMST) up to the `horizon`.
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
        ends = [f"p{level * 100:.0f} {in_unit(one.value, scale)}" for level, one in self._percentiles() if one.value]
        parts = [f"median {with_interval(self.median, scale)} {scale}", *ends]
        open_ = f", {self.open} open" if self.open else ""
        return f"{name}{self._of()}: {', '.join(parts)}; n = {self.n:,}{open_}"

    def _of(self) -> str:
        return f" ({self.grouping} {self.group})" if self.grouping else ""

    def _percentiles(self) -> Iterator[tuple[float, Estimate]]:
        return zip(PERCENTILES, self.percentiles, strict=True)

    def warning(self) -> str:
        """Warning that the mean misleads, with the reasons; empty if it does not."""
        if not self.misleads or self.mean is None:
            return ""
        scale = scale_of(self)
        return f"the mean, {in_unit(self.mean, scale)} {scale}, misleads: {'; '.join(self.misleads)}"

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
    """Comparison of two groups of incidents by one measure: ratio of medians and log-rank test.

    Attributes
    ----------
    measure : str
    earlier, later : Summary
    ratio : Estimate
        Median of the later over that of the earlier.
    p_value : float or None
        Log-rank test of no difference.
    smallest : float or None
        Minimum detectable ratio above 1 (or its inverse below) at 80 % power.
    """

    measure: str
    earlier: Summary
    later: Summary
    ratio: Estimate
    p_value: float | None
    smallest: float | None

    @property
    def differs(self) -> bool:
        """Whether the interval of the ratio excludes 1."""
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
        return f"{words_of(self.measure)}, {names}: median ×{with_interval(self.ratio, '')}, {verdict}{tested}{seen}"

    def rows(self) -> list[Row]:
        row: Row = {"measure": self.measure, "earlier": self.earlier.group, "later": self.later.group}
        row |= {"n earlier": self.earlier.n, "n later": self.later.n}
        row |= {"median earlier": self.earlier.median.value, "median later": self.later.median.value}
        row |= {"ratio": self.ratio.value, "low": self.ratio.low, "high": self.ratio.high, "p": self.p_value}
        return [row | {"smallest change to be seen": self.smallest}]


@dataclass(frozen=True, kw_only=True)
class Grouped(Result):
    """Summaries of one measure by group, with a log-rank test.

    Attributes
    ----------
    measure, grouping : str
    groups : tuple of Summary
    others : int
        Groups beyond the number that is listed.
    p_value, q_value : float or None
        Log-rank test of equal survival, and its Benjamini-Hochberg q-value among all groupings of all measures. None
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
        told = ", ".join(f"{one.group} {with_interval(one.median, scale)}" for one in self.groups)
        more = f", and {self.others} more" if self.others else ""
        return f"{words_of(self.measure)} by {self.grouping}, medians in {scale}: {told}{more}{tested}"

    def rows(self) -> list[Row]:
        return [row for one in self.groups for row in one.rows()]


@dataclass(frozen=True, kw_only=True)
class Trend(Result):
    """Trend of one measure over time; of the number of incidents where `measure` is `incidents`.

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
            f"×{with_interval(self.factor, '')} a year"
            if self.factor.value is not None
            else "too short a time for a slope"
        )
        return f"{what}: {grown}{tested}"

    def rows(self) -> list[Row]:
        named = "incidents" if self.measure == "incidents" else "median"
        return [{"quarter": at, named: value} for at, value in zip(self.quarters, self.values, strict=True)]


def scale_of(summary: Summary) -> str:
    """Unit in which durations of a summary are reported: that of its median."""
    return unit_for(summary.median.value or summary.median.low or summary.mean or 0.0)


# --- durations in words -----------------------------------------------------------------------------------------------

SCALES = {"d": 86_400.0, "h": 3_600.0, "min": 60.0, "s": 1.0}
"""Unit → its seconds."""


def unit_for(seconds: float) -> str:
    """Largest unit of which a duration has at least two.

    >>> unit_for(4320.0), unit_for(7200.0), unit_for(90.0)
    ('min', 'h', 's')
    """
    return next((name for name, size in SCALES.items() if seconds >= 2 * size), "s")


def in_unit(value: float | None, unit: str) -> str:
    """Format a duration in a unit, or a plain number without one, with three digits.

    >>> in_unit(4320.0, "min"), in_unit(674_100.0, "min"), in_unit(None, "h"), in_unit(0.5, "")
    ('72', '11,235', 'not reached', '0.5')
    """
    if value is None:
        return "not reached"
    amount = value / SCALES.get(unit, 1.0)
    return f"{amount:,.0f}" if amount >= 1000 else f"{amount:.3g}"


def with_interval(estimate: Estimate, unit: str) -> str:
    """Format an estimate with its interval.

    >>> with_interval(Estimate(value=4320.0, low=3840.0, high=4710.0), "min")
    '72 (64–78.5)'
    >>> with_interval(Estimate(value=2.0, low=1.0), "")
    '2 (from 1)'
    """
    value = in_unit(estimate.value, unit)
    if estimate.low and estimate.high:
        return f"{value} ({in_unit(estimate.low, unit)}–{in_unit(estimate.high, unit)})"
    if estimate.low:
        return f"{value} (from {in_unit(estimate.low, unit)})"
    return f"{value} (up to {in_unit(estimate.high, unit)})" if estimate.high else f"{value} (no bound)"


def words_of(name: str) -> str:
    """Replace underscores of a key by blanks.

    >>> words_of("time_to_detect")
    'time to detect'
    """
    return name.replace("_", " ")
