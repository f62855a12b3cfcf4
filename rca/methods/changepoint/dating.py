"""Onset dating: change point of a per-row quantity (step, ramp or pulse), with a credible interval and a p-value.

Rows that each show whether a fault hit them are dated by `analysis.faults.fault_onset`, at a known base rate.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import numpy as np
import pandas as pd

from rca.arrays import Floats
from rca.methods.changepoint.likelihood import TRIM, Course, capped, chance, credible, overdispersion, tempered, tilts
from rca.methods.changepoint.ramps_and_pulses import pulse, ramp_spans, ramps
from rca.methods.seasonality import moments_of, resemblance, season_of, seconds_of
from rca.result import Result, Row
from rca.tables.discretisation import HALF

Dated = tuple["pd.Series[Any]", Floats]
"""Times of rows, datetime64[UTC], and a quantity of each: both of shape (rows,)."""

LEVEL = 0.95

CHANCE = 0.05
"""Significance level of the change-point test; a rise with a larger p-value is not dated."""

ODDS = 30.0
"""Prior odds of a step against a ramp."""

POINTS = 60
"""Points of the series that a figure shows."""


@dataclass(frozen=True, kw_only=True)
class Onset(Result):
    """A change point with its 95 % credible interval, and the series it was estimated on.

    Attributes
    ----------
    at, earliest, latest : datetime
        The first row that differs, by the estimate, and the interval of the moment at which it began. That moment lies
        between two rows, so the interval may open before the first row that may differ.
    level : float
    what : str
        What was dated: the metric, or a column.
    unit : str
    shape : {'step', 'ramp'}
        Whether it was abrupt, or grew; then `at` is where the ramp begins.
    until : datetime or None
        The first row that is normal again, where it ended within the window.
    censored : bool
        Whether it may have begun before the first current row (left-censored); then `earliest` is that row.
    p_value : float
        Of no rise anywhere in the window.
    times : tuple of datetime
        Starts of equal spans over both windows.
    values : tuple of float or None
        Mean of the dated quantity in each span; None where no row of a span has one.
    counts : tuple of int
        Rows in each span that have one.
    """

    at: datetime
    earliest: datetime
    latest: datetime
    level: float = LEVEL
    what: str
    unit: str
    shape: Literal["step", "ramp"] = "step"
    until: datetime | None = None
    censored: bool = False
    p_value: float = 0.0
    times: tuple[datetime, ...] = ()
    values: tuple[float | None, ...] = ()
    counts: tuple[int, ...] = ()

    def __str__(self) -> str:
        when, first, last = (moment.strftime("%Y-%m-%d %H:%M") for moment in (self.at, self.earliest, self.latest))
        verb = "began to change" if self.shape == "ramp" else "changed"
        before = " or before" if self.censored else ""
        ended = f", until {self.until.strftime('%Y-%m-%d %H:%M')}" if self.until else ""
        return f"{self.what} {verb} at {when} UTC ({self.level:.0%} interval {first}{before} to {last}){ended}"

    def rows(self) -> list[Row]:
        return [
            {"from": time.isoformat(), self.what: value, "rows": count}
            for time, value, count in zip(self.times, self.values, self.counts, strict=True)
        ]


@dataclass(frozen=True, kw_only=True)
class ChangePoint:
    """Positions, in time order, of the first row after a change: the estimate and its interval."""

    at: int
    earliest: int
    latest: int


def change_point(values: Floats, normal: float) -> ChangePoint | None:
    """Least-squares change point of a lasting rise of the mean above a known `normal`, in rows; a fast version.

    Before the change the mean is `normal`; after it, whatever fits. The interval is the shortest that holds 95 % of the
    posterior under a flat prior and normal errors. `date` does not assume normal errors, and tests too.

    Parameters
    ----------
    values : ndarray of shape (rows,)
        In time order.
    normal : float
        Mean before the change, known from the reference.

    Returns
    -------
    ChangePoint or None
        None where the mean rises nowhere, or there are no values.

    Examples
    --------
    >>> values = np.r_[np.zeros(50), np.ones(50)] + np.random.default_rng(0).normal(0, 0.1, 100)
    >>> change_point(values, 0.0)
    ChangePoint(at=50, earliest=50, latest=50)
    """
    if not len(values):
        return None
    excess = values - normal
    after = np.cumsum(excess[::-1])[::-1]
    left = np.arange(len(values), 0, -1)
    gain = np.where(after > 0, after**2 / left, 0.0)
    at = int(np.argmax(gain))
    if gain[at] <= 0:
        return None
    fitted = np.where(np.arange(len(values)) >= at, after[at] / left[at], 0.0)
    variance = max(float(np.mean((excess - fitted) ** 2)), 1e-12 * gain[at], np.finfo(float).tiny)
    earliest, latest, _ = credible((gain - gain[at]) / (2 * variance), at, LEVEL)
    return ChangePoint(at=at, earliest=earliest, latest=latest)


def date(reference: Dated, current: Dated, *, what: str, unit: str) -> Onset | None:
    """Estimate the change point at which the mean of a per-row quantity rose, deseasonalised, by profile likelihood.

    Parameters
    ----------
    reference, current : (Series of datetime64[UTC], ndarray), each of shape (rows,)
        Times and quantity, in the bad direction; NaN where a row has none.
    what, unit : str
        Name and unit of the quantity, for the figure.

    Returns
    -------
    Onset or None
        None where nothing rose beyond chance, or a window has no row to compare.

    Notes
    -----
    The interval is the shortest that holds 95 % of the posterior of the moment of change, every row's moment being as
    likely beforehand; the reference's rows count as rows before it. Rows of one day (or hour) that resemble each other,
    and values more spread than the likelihood has them, widen it.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> hours = pd.Series(pd.date_range("2026-01-01", periods=1000, freq="h", tz="UTC"))
    >>> wrong = (rng.random(1000) < np.where(hours < "2026-02-01", 0.05, 0.5)).astype(float)
    >>> halves = [(hours[part], wrong[part]) for part in (slice(0, 500), slice(500, 1000))]
    >>> print(date(*halves, what="error rate", unit="share of rows"))
    error rate changed at 2026-02-01 00:00 UTC (95% interval 2026-01-31 17:47 to 2026-02-01 03:00)
    """
    before, after = _known(reference), _known(current)
    if not len(before[1]) or not len(after[1]):
        return None
    course, moments = _course(before, after)
    found = _found(course, moments)
    if found is None:
        return None
    clock = moments_of(moments)
    return Onset(**_moments(found, clock), what=what, unit=unit, **_series(reference, current))


def _known(window: Dated) -> tuple[Floats, Floats]:
    """Seconds and values of the rows that have both."""
    times, values = window
    known = times.notna().to_numpy(bool) & np.isfinite(values)
    return seconds_of(times[known]), np.asarray(values, dtype=float)[known]


def _course(before: tuple[Floats, Floats], after: tuple[Floats, Floats]) -> tuple[Course, Floats]:
    """Deseasonalised, winsorised scores summed by moment of the current window; and those moments."""
    seasons = season_of(before, after[0])
    cut = _scaled(*capped(before[1] - seasons[0], after[1] - seasons[1]))
    moments, place = np.unique(after[0], return_inverse=True)
    course = Course(
        sums=np.bincount(place, weights=cut[1]).astype(float),
        counts=np.bincount(place).astype(float),
        before=(float(cut[0].sum()), float(len(cut[0]))),
        tilt=tilts(np.concatenate(cut)),
        cluster=resemblance(before[0], cut[0] - cut[0].mean(), fitted=7 if seasons[0].any() else 0),
    )
    at = moments[int(np.argmax(course.likelihood()))]
    early = np.concatenate([cut[0], cut[1][after[0] < at]])
    doubt = max(overdispersion(part, course.tilt) for part in (early, cut[1][after[0] >= at]))
    return replace(course, doubt=doubt), moments


def _scaled(before: Floats, after: Floats) -> tuple[Floats, Floats]:
    """Values scaled to -1 to 1, so that no square overflows."""
    largest = max(float(np.abs(before).max()), float(np.abs(after).max())) or 1.0
    return before / largest, after / largest


@dataclass(frozen=True, kw_only=True)
class _Found:
    """The change point and its interval as positions of moments; `spare` as `credible` has it."""

    at: int
    earliest: int
    latest: int
    spare: float
    p_value: float
    shape: Literal["step", "ramp"] = "step"
    until: int | None = None


def _found(course: Course, seconds: Floats) -> _Found | None:
    """The change point, if the test finds one: a step, or a ramp or pulse where it fits clearly better."""
    worth, rows = course.doubt * course.cluster[0], course.rows / course.cluster[0]
    likelihood = course.likelihood()
    ended, end = pulse(course, ramp_spans(course, seconds))
    price = worth * float(np.log(max(rows, 2)))
    ended -= price
    p_value = chance(max(float(likelihood.max()), ended), course)
    if p_value > CHANCE:
        return None
    until = end if ended > likelihood.max() else None
    cut = course if until is None else course.until(until)
    return replace(_begun(cut, seconds[: len(cut.counts)]), p_value=p_value, until=until)


def _begun(course: Course, seconds: Floats) -> _Found:
    """Begin of a change that does not end: the interval averages step and ramp by their posterior weights."""
    step = course.likelihood()
    at = int(np.argmax(step))
    told = tempered(step, at, course)
    ramp, share = _ramp(course, seconds, told)
    if share > 0.5:
        at = int(np.argmax(ramp))
    with np.errstate(divide="ignore"):
        mixed = np.log((1 - share) * np.exp(told - np.logaddexp.reduce(told)) + share * ramp)
    earliest, latest, spare = credible(mixed, at, LEVEL)
    shape: Literal["step", "ramp"] = "ramp" if share > 0.5 else "step"
    return _Found(at=at, earliest=earliest, latest=latest, spare=spare, p_value=0.0, shape=shape)


def _ramp(course: Course, seconds: Floats, step: Floats) -> tuple[Floats, float]:
    """Posterior of where a ramp begins, by moment, and the posterior probability of a ramp against a step.

    Both likelihoods are averaged over all positions and, for a ramp, all ends, which penalises its extra parameter.
    """
    of = ramp_spans(course, seconds)
    if len(of.counts) <= TRIM:
        return np.zeros(len(step)), 0.0
    by_end = (ramps(course, of) - course.likelihood().max()) / (course.doubt * course.cluster[0])
    begins = np.logaddexp.reduce(by_end, axis=1)
    moments = np.diff(np.append(of.firsts, len(step)))
    ramp = np.logaddexp.reduce(begins) - np.log(np.isfinite(by_end).sum() or 1)
    share = 1 / (1 + np.exp(np.clip(np.log(ODDS) + np.logaddexp.reduce(step) - np.log(len(step)) - ramp, -700, 700)))
    mass = np.exp(begins - begins.max()) if np.isfinite(begins).any() else np.zeros(len(begins))
    spread = np.repeat(mass / moments, moments)
    return spread / (spread.sum() or 1.0), float(share)


def _moments(found: _Found, clock: pd.DatetimeIndex) -> dict[str, Any]:
    """Positions as times; the interval opens in the gap before the first row that may differ."""
    first = clock[found.earliest]
    if found.earliest > 0:
        before = clock[found.earliest - 1]
        first = before + (first - before) * found.spare
    return {
        "at": _moment(clock[found.at]),
        "earliest": _moment(first),
        "latest": _moment(clock[found.latest]),
        "shape": found.shape,
        "until": None if found.until is None else _moment(clock[found.until]),
        "censored": found.earliest == 0,
        "p_value": found.p_value,
    }


def _moment(value: Any) -> datetime:
    moment: datetime = pd.Timestamp(value).to_pydatetime(warn=False)
    return moment


def date_counts(
    periods: "pd.Series[Any]", counts: Floats, reference_counts: Floats, *, what: str, unit: str
) -> Onset | None:
    """Change point of a column's distribution from histogram counts per period; no rows are needed.

    A row's score is the log density ratio, current over reference, of its cell; the change of the mean score is dated.
    The ratios are cross-fitted: those of the odd periods score the even ones and vice versa.

    Parameters
    ----------
    periods : Series of datetime64[UTC], shape (periods,)
        Starts of the periods, in order.
    counts : ndarray of shape (periods, cells)
        Rows of each period in each cell.
    reference_counts : ndarray of shape (cells,)
    what, unit : str
        For the figure, whose values are mean log ratios.

    Returns
    -------
    Onset or None
        `at` is the start of the first period that differs; the interval is of whole periods, since an onset within a
        period shows in part of it. None where nothing changed beyond chance.

    Examples
    --------
    >>> days = pd.Series(pd.date_range("2026-01-01", periods=6, tz="UTC"))
    >>> counts = np.array([[50, 50], [52, 48], [49, 51], [10, 90], [12, 88], [9, 91]])
    >>> print(date_counts(days, counts, np.array([500, 500]), what="purpose", unit="log ratio"))
    purpose changed at 2026-01-04 00:00 UTC (95% interval 2026-01-03 00:00 to 2026-01-05 00:00)
    """
    counts, reference_counts = np.asarray(counts, dtype=float), np.asarray(reference_counts, dtype=float)
    held = counts.sum(axis=1)
    if len(periods) < 2 or reference_counts.sum() <= 0 or not (held > 0).sum() >= 2:
        return None
    seconds, told = seconds_of(periods), held > 0
    course = _counted(counts[told], reference_counts)
    found = _found(course, seconds[told])
    if found is None:
        return None
    clock = moments_of(seconds[told])
    ends = moments_of(np.append(seconds[1:], 2 * seconds[-1] - seconds[-2])[told])
    means = tuple(float(total / rows) for total, rows in zip(course.sums, course.counts, strict=True))
    return Onset(
        **_moments(replace(found, spare=0.0), clock) | {"latest": _moment(ends[found.latest])},
        what=what,
        unit=unit,
        times=tuple(map(_moment, clock)),
        values=means,
        counts=tuple(map(int, course.counts)),
    )


def _counted(counts: Floats, reference: Floats) -> Course:
    """Cross-fitted log density ratios as scores: each half of the periods by the ratios of the other."""
    usual = reference + HALF
    sums, scores, weights, before = np.zeros(len(counts)), [], [], 0.0
    for half in (0, 1):
        other = counts[1 - half :: 2].sum(axis=0) + HALF
        ratio = np.log(other / other.sum()) - np.log(usual / usual.sum())
        ratio = ratio - reference @ ratio / reference.sum()
        ratio = ratio / (np.abs(ratio).max() or 1.0)
        sums[half::2] = counts[half::2] @ ratio
        scores.append(ratio)
        weights.append(counts[half::2].sum(axis=0) + reference / 2)
    tilt = tilts(np.concatenate(scores), np.concatenate(weights))
    return Course(sums=sums, counts=counts.sum(axis=1), before=(before, float(reference.sum())), tilt=tilt)


def _series(reference: Dated, current: Dated) -> dict[str, Any]:
    """Means over equal spans of each window; spans without a value stay, as where labels are late."""
    rows: list[tuple[datetime, float | None, int]] = []
    for times, values in (reference, current):
        timed = times.notna().to_numpy(bool)
        rows += _spans(times[timed], np.asarray(values, dtype=float)[timed])
    starts, means, counts = zip(*rows, strict=True) if rows else ((), (), ())
    return {"times": starts, "values": means, "counts": counts}


def _spans(times: "pd.Series[Any]", values: Floats) -> list[tuple[datetime, float | None, int]]:
    if not len(times):
        return []
    told = np.isfinite(values)
    seconds = (times - times.min()).dt.total_seconds().to_numpy()
    length = seconds.max() / (POINTS // 2) or 1.0
    place = np.minimum((seconds / length).astype(int), POINTS // 2 - 1)[told]
    counts = np.bincount(place, minlength=POINTS // 2)
    sums = np.bincount(place, weights=values[told], minlength=POINTS // 2)
    start = times.min()
    return [
        (_moment(start + pd.Timedelta(seconds=i * length)), float(total / count) if count else None, int(count))
        for i, (total, count) in enumerate(zip(sums, counts, strict=True))
    ]
