"""Kaplan-Meier summaries of durations: overall, by group, by quarter with trends, and before against after a date."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from rca.analysis.portfolio.comparison_tests import growth, log_rank, rate_of_counts, ratio, smallest_seen, trend_test
from rca.analysis.portfolio.durations import BETWEEN, Lengths, gaps_of
from rca.analysis.portfolio.incident_log import Incidents
from rca.analysis.portfolio.kaplan_meier import Estimate, Survival, grain_of, survival
from rca.analysis.portfolio.results import PERCENTILES, Comparison, Grouped, Summary, SurvivalCurve, Trend
from rca.analysis.portfolio.timestamps import TICKS, UNKNOWN, Codes, when
from rca.arrays import Floats, Mask
from rca.methods.two_sample_tests import benjamini_hochberg

HORIZON = 0.90
"""Quantile at which the restricted mean is truncated, where it is reached."""

SUPPORT = 0.10
"""Fewest durations, as a share, still at risk at the horizon of a restricted mean; at least five."""

HALF, FEW = 0.5, 10
"""A mean misleads where the longest tenth of incidents holds half of all time, if there are ten."""

GROUPS = 40
"""Most groups of a grouping that are listed: the largest, or the latest quarters."""

POINTS = 120
"""Most steps of a curve that are kept for drawing."""

SPAN = 0.25
"""Fewest years that a log has to span for a yearly growth factor."""

YEAR = 365.25 * 86_400

# --- summaries -------------------------------------------------------------------------------------------------------


def summary(
    lengths: Lengths, mask: Codes | Mask | None = None, *, grouping: str = "", group: str = "", out: int = 0
) -> Summary:
    """Kaplan-Meier summary of the durations of a group, or of all."""
    seconds, ended = (lengths.seconds, lengths.ended) if mask is None else (lengths.seconds[mask], lengths.ended[mask])
    curve = survival(seconds, ended)
    median = curve.quantile(0.5, grain=lengths.grain)
    horizon = horizon_of(curve)
    closed = seconds[ended]
    mean = float(closed.mean()) if len(closed) else None
    running = int(len(ended) - len(closed))
    return Summary(
        measure=lengths.measure,
        start=lengths.start,
        end=lengths.end,
        grouping=grouping,
        group=group,
        n=len(seconds),
        open=running,
        left_out=out if grouping else len(lengths.left_out),
        median=median,
        percentiles=tuple(
            Estimate(value=curve.point(level)) if grouping else curve.quantile(level, grain=lengths.grain)
            for level in PERCENTILES
        ),
        mean=mean,
        misleads=tuple(_misleads(closed, mean, median, running=running)),
        restricted=curve.restricted_mean(horizon) if horizon else Estimate(value=None),
        horizon=horizon,
        curve=_curve(curve, band=not grouping),
    )


def horizon_of(curve: Survival) -> float | None:
    """Horizon of the restricted mean: the 90th percentile, or the last time with enough at risk, if earlier."""
    if not len(curve.times):
        return None
    enough = curve.times[curve.at_risk >= max(5.0, SUPPORT * curve.n)]
    known = float(enough[-1]) if len(enough) else float(curve.times[0])
    reached = curve.point(HORIZON)
    return known if reached is None else min(reached, known)


def _misleads(closed: Floats, mean: float | None, median: Estimate, *, running: int) -> Iterator[str]:
    """Reasons why a mean misleads: censoring, skewness, or a few dominating durations."""
    if mean is None:
        return
    if running:
        yield f"it leaves out {running:,} open"
    if not median.holds(mean):
        yield "it lies outside the interval of the median"
    longest = -(-len(closed) // 10)
    held = float(np.partition(closed, -longest)[-longest:].sum() / closed.sum()) if len(closed) >= FEW else 0.0
    if held >= HALF:
        yield f"the longest {longest:,} hold {100 * held:.0f} % of all time"


def _curve(curve: Survival, *, band: bool) -> SurvivalCurve:
    """Thin a survival curve to evenly spaced steps, beginning at 1."""
    if not len(curve.times):
        return SurvivalCurve(seconds=(0.0,), share=(1.0,))
    steps = np.unique(np.linspace(0, len(curve.times) - 1, min(POINTS, len(curve.times))).astype(int))
    bounds = [curve.beyond(float(curve.times[step])) for step in steps] if band else []
    return SurvivalCurve(
        seconds=(0.0, *curve.times[steps].tolist()),
        share=(1.0, *curve.share[steps].tolist()),
        low=(1.0, *(float(one.low or 0.0) for one in bounds)) if band else (),
        high=(1.0, *(1.0 if one.high is None else one.high for one in bounds)) if band else (),
    )


# --- groups ----------------------------------------------------------------------------------------------------------


def by_group(lengths: Lengths, read: Incidents, grouping: str) -> Grouped | None:
    """Summaries of one measure by group, with a log-rank test; None with fewer than two groups."""
    codes, names = read.labels[grouping]
    if lengths.measure == BETWEEN:
        again = None if grouping == "quarter" else gaps_of(read, codes)
        if again is None:
            return None
        lengths = again
    of = codes[lengths.rows]
    sizes = np.bincount(of[of >= 0], minlength=len(names))
    kept = _kept_groups(sizes, latest=grouping == "quarter")
    if len(kept) < 2:
        return None
    out = np.bincount(codes[lengths.left_out][codes[lengths.left_out] >= 0], minlength=len(names))
    small = of.astype(np.int16 if len(names) < 2**15 else np.int64)  # which numpy sorts in one pass
    places = np.split(np.argsort(small, kind="stable"), np.cumsum(np.bincount(of + 1, minlength=len(names) + 1))[:-1])
    told = tuple(
        summary(lengths, places[at + 1], grouping=grouping, group=names[at], out=int(out[at])) for at in kept.tolist()
    )
    p_value = None
    if grouping != "quarter":
        inside = np.isin(np.arange(-1, len(names)), kept)[of + 1]
        p_value = log_rank(lengths.seconds[inside], lengths.ended[inside], of[inside])
    others = int((sizes > 0).sum()) - len(kept)
    return Grouped(measure=lengths.measure, grouping=grouping, groups=told, others=others, p_value=p_value)


def _kept_groups(sizes: Codes, *, latest: bool) -> Codes:
    """Groups that are listed, in the order of their names."""
    known = np.flatnonzero(sizes)
    if len(known) <= GROUPS:
        return known
    return known[-GROUPS:] if latest else np.sort(known[np.argsort(-sizes[known], kind="stable")[:GROUPS]])


def at_one_rate(found: Iterable[Grouped | None]) -> tuple[Grouped, ...]:
    """Benjamini-Hochberg q-values over all groupings."""
    told = [one for one in found if one is not None]
    tested = [one for one in told if one.p_value is not None]
    rates = dict(zip(map(id, tested), benjamini_hochberg([one.p_value or 0.0 for one in tested]), strict=True))
    return tuple(replace(one, q_value=rates.get(id(one))) for one in told)


# --- over time -------------------------------------------------------------------------------------------------------


def trends(read: Incidents, measured: Iterable[Lengths], grouped: Iterable[Grouped]) -> Iterator[Trend]:
    """Trends of the number of incidents, then of each measure, with its medians by quarter."""
    if "quarter" not in read.labels:
        return
    codes, names = read.labels["quarter"]
    yield _counts(read, codes, names)
    quarterly = {one.measure: one.groups for one in grouped if one.grouping == "quarter"}
    for lengths in measured:
        if lengths.measure != BETWEEN:
            groups = quarterly.get(lengths.measure) or [summary(lengths, grouping="quarter", group=names[-1])]
            yield _trend(lengths, read, {one.group: one.median.value for one in groups})


def _counts(read: Incidents, codes: Codes, names: tuple[str, ...]) -> Trend:
    """Trend of the number of incidents, from the first until now; quarters without any count as zero."""
    first, last = _at(names[0]), _at(names[-1])
    counted = np.bincount(codes[codes >= 0], minlength=len(names))
    numbers = np.zeros(last - first + 1)
    numbers[[_at(name) - first for name in names]] = counted
    edges = np.array([_edge(at) for at in range(first, last + 2)]) / (TICKS * YEAR)
    begun = float(read.began[read.began != UNKNOWN].min()) / (TICKS * YEAR)
    starts, ends = np.maximum(edges[:-1], begun), np.minimum(edges[1:], max(float(read.as_of) / (TICKS * YEAR), begun))
    covered = ends - starts > 1e-3
    factor, p_value = rate_of_counts(((starts + ends) / 2)[covered], numbers[covered], (ends - starts)[covered])
    spelled_ = tuple(f"{at // 4}-Q{at % 4 + 1}" for at in range(first, last + 1))
    return Trend(
        measure="incidents", factor=factor, p_value=p_value, quarters=spelled_, values=tuple(map(float, numbers))
    )


def _trend(lengths: Lengths, read: Incidents, medians: Mapping[str, float | None]) -> Trend:
    """Trend of a measure, given its median of each quarter."""
    began = read.began[lengths.rows]
    dated = began != UNKNOWN
    seconds, ended, years = lengths.seconds[dated], lengths.ended[dated], began[dated] / (TICKS * YEAR)
    test = trend_test(seconds, ended, years) if len(years) else None
    long_enough = len(years) and float(np.ptp(years)) >= SPAN
    _, names = read.labels["quarter"]
    return Trend(
        measure=lengths.measure,
        factor=growth(seconds, ended, years) if long_enough else Estimate(value=None),
        p_value=test[1] if test else None,
        quarters=names[-GROUPS:],
        values=tuple(medians.get(name) for name in names[-GROUPS:]),
    )


def _at(quarter: str) -> int:
    """Ordinal number of a quarter.

    >>> _at("2024-Q3") - _at("2023-Q4")
    3
    """
    year, _, number = quarter.partition("-Q")
    return int(year) * 4 + int(number) - 1


def _edge(quarter: int) -> int:
    """Start of a quarter in microseconds since 1970."""
    return int(datetime(quarter // 4, quarter % 4 * 3 + 1, 1, tzinfo=UTC).timestamp()) * TICKS


# --- before and after ------------------------------------------------------------------------------------------------


def compare_periods(earlier: Floats, later: Floats, *, names: tuple[str, str] = ("earlier", "later")) -> Comparison:
    """Compare two samples of uncensored durations: ratio of medians and log-rank test.

    Parameters
    ----------
    earlier, later : ndarray of shape (n,) and (m,)
        Seconds, positive.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> print(compare_periods(rng.lognormal(8, 1, 50), rng.lognormal(8, 1, 50)))
    length, later against earlier: median ×..., no difference can be shown; log-rank p = ...
    """
    seconds = np.concatenate([earlier, later])
    order = np.argsort(seconds, kind="stable")
    seconds, of = seconds[order], np.repeat([0, 1], [len(earlier), len(later)])[order]
    lengths = Lengths(
        measure="length",
        start="start",
        end="end",
        seconds=seconds,
        ended=np.ones(len(seconds), bool),
        rows=np.arange(len(seconds)),
        left_out=np.empty(0, np.int64),
        grain=grain_of(seconds),
    )
    return comparison(lengths, of, names)


def comparison(lengths: Lengths, of: Codes, names: tuple[str, str]) -> Comparison:
    """Compare two groups of durations: ratio of medians, log-rank test, minimum detectable ratio.

    Parameters
    ----------
    lengths : Lengths
    of : ndarray of int64, shape (n,)
        0 for the earlier, 1 for the later, -1 for neither.
    names : (str, str)
    """
    earlier, later = (summary(lengths, of == at, grouping="period", group=name, out=0) for at, name in enumerate(names))
    return Comparison(
        measure=lengths.measure,
        earlier=earlier,
        later=later,
        ratio=ratio(later.median, earlier.median),
        p_value=log_rank(lengths.seconds[of >= 0], lengths.ended[of >= 0], of[of >= 0]),
        smallest=smallest_seen(later.median, earlier.median),
    )


def compared(read: Incidents, measured: Iterable[Lengths], cut: int) -> Iterator[Comparison]:
    """Before-after comparison at a cut date, by every measure that both sides have."""
    day = when(cut)
    assert day is not None
    names = (f"before {day:%Y-%m-%d}", f"from {day:%Y-%m-%d} on")
    for lengths in measured:
        began = read.began[lengths.rows]
        of = np.where(began == UNKNOWN, -1, (began >= cut).astype(np.int64))
        if {0, 1} <= set(np.unique(of).tolist()):
            yield comparison(lengths, of, names)
