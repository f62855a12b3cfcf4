"""Kaplan-Meier survival curves of right-censored durations, with intervals of quantiles, shares and restricted means.

An open incident is right-censored: neither left out nor taken for closed. The estimator is that of statsmodels. Its
normal-theory intervals of quantiles are too short for ten incidents, so that those here use the beta product confidence
procedure (BPCP) of Fay, Brittain & Proschan, which without censoring is the exact order-statistic interval.
"""

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rca.arrays import Floats, Mask

LEVEL = 0.95
"""Of every interval here."""

MIN_LENGTHS = 20
"""Fewest uncensored durations for an interval of a mean: with fewer, the error of a skewed mean is not normal."""

UNITS = (86_400.0, 3_600.0, 60.0, 1.0)
"""Units, in seconds, that timestamps may be rounded to."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A point estimate with its 95 % interval.

    Attributes
    ----------
    value : float or None
        None where it is not identified, as a median that the survival curve does not reach.
    low, high : float or None
        None where an end is unbounded.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    def holds(self, value: float) -> bool:
        """Whether the interval contains a value.

        >>> Estimate(value=72.0, low=64.0).holds(1e9), Estimate(value=72.0, low=64.0).holds(1.0)
        (True, False)
        """
        return (self.low is None or self.low <= value) and (self.high is None or value <= self.high)


@dataclass(frozen=True, kw_only=True, eq=False)
class Survival:
    """Kaplan-Meier survival curve: ``S(t) = prod over t_j <= t of (1 - d_j / Y_j)``.

    Attributes
    ----------
    n : int
        Number of durations, ended and censored.
    known : ndarray of shape (n,)
        All of them, ascending.
    times : ndarray of shape (steps,)
        Distinct event times, ascending.
    at_risk, ended : ndarray of shape (steps,)
        Numbers at risk and of events at each, ``Y_j`` and ``d_j``.
    share : ndarray of shape (steps,)
        ``S(t)`` from that time on.
    """

    n: int
    known: Floats
    times: Floats
    at_risk: Floats
    ended: Floats
    share: Floats

    @property
    def events(self) -> int:
        """Number of uncensored durations."""
        return int(self.ended.sum())

    @cached_property
    def moments(self) -> tuple[Floats, Floats]:
        """First two moments of the product of betas after each step; that of a step is ``Beta(Y - d + 1, d)``."""
        left, at_risk = self.at_risk - self.ended + 1, self.at_risk + 1
        second = left * (left + 1) / (at_risk * (at_risk + 1))
        return np.cumprod(left / at_risk, dtype=np.float64), np.cumprod(second, dtype=np.float64)

    def place(self, time: float) -> tuple[int, float]:
        """Index of the last event time up to a time, -1 before the first; and the number that last longer."""
        step = int(np.searchsorted(self.times, time, side="right")) - 1
        return step, float(self.n - np.searchsorted(self.known, time, side="right"))

    def point(self, level: float) -> float | None:
        """Kaplan-Meier quantile without an interval; None where it is not reached."""
        at = int(np.searchsorted(-self.share, -(1 - level) - 1e-12))
        if at == len(self.times):
            return None
        flat = abs(float(self.share[at]) - (1 - level)) <= 1e-12 and at + 1 < len(self.times)
        return float(self.times[at : at + 1 + flat].mean())

    def quantile(self, level: float, *, grain: float = 0.0) -> Estimate:
        """Quantile of the durations with a beta product (BPCP) interval.

        Parameters
        ----------
        level : float
            0.5 for the median. Where the curve is flat at it, the middle of the flat, as the median of an even number.
        grain : float
            What lengths are whole multiples of, 0 if nothing. Ends are moved outward to a half of it, since no quantile
            of such lengths can lie between. An end lies between two lengths that were seen; where several are equal to
            one of them and they are further apart than that, it is the outer one.

        References
        ----------
        Fay, Brittain & Proschan (2013), Biostatistics 14(4), 723-736, by the method of moments; Nyblom (1992), Stat.
        Probab. Lett. 14(2), 129-131, for the point between two steps.

        Examples
        --------
        >>> survival(np.arange(1.0, 11.0)).quantile(0.5)
        Estimate(value=5.5, low=2.65..., high=8.34...)
        """
        value = self.point(level)
        low, high = _lower_end(self, 1 - level, grain), _upper_end(self, 1 - level, grain)
        if grain:
            half = grain / 2
            low = math.floor(low / half + 1e-9) * half
            high = None if high is None else math.ceil(high / half - 1e-9) * half
        if value is not None:  # where many lengths are equal, an end between two of them may pass by it
            low, high = min(low, value), None if high is None else max(high, value)
        return Estimate(value=value, low=low, high=high)

    def beyond(self, time: float) -> Estimate:
        """Survival probability ``S(time)`` with an interval mid-way between both beta products.

        Without censoring it is Jeffreys's.

        Examples
        --------
        >>> survival(np.arange(1.0, 11.0)).beyond(5.0)
        Estimate(value=0.5, low=0.22..., high=0.77...)
        """
        from scipy.stats import beta

        step, after = self.place(time)
        value = float(self.share[step]) if step >= 0 else 1.0
        upper, lower = _shape(*_upper(self, step)), _shape(*_lower(self, step, after))
        tail = (1 - LEVEL) / 2
        if value and not after:  # nothing has been seen for so long: it may be less by any amount
            return Estimate(value=value, low=0.0, high=float(beta.ppf(1 - tail, *upper)) if upper[1] else 1.0)
        upper = upper if upper[1] else (sum(lower), 0.0)
        lower = lower if lower[0] else (0.0, sum(upper))
        a, b = ((one + other) / 2 for one, other in zip(upper, lower, strict=True))
        low, high = float(beta.ppf(tail, a, b)), float(beta.ppf(1 - tail, a, b))
        return Estimate(value=value, low=min(low, value), high=max(high, value))

    def restricted_mean(self, horizon: float) -> Estimate:
        """Restricted mean survival time (RMST): ``integral of S(t) from 0 to horizon``.

        The interval is Student's, on Greenwood's error of the logarithm; there is none where fewer than
        `MIN_LENGTHS` have ended or got there.

        References
        ----------
        Klein & Moeschberger (2003), Survival Analysis, eq. (4.5.1) and (4.5.2).

        Examples
        --------
        >>> survival(np.arange(1.0, 11.0)).restricted_mean(10.0).value
        5.5
        """
        value, error = self.restricted(horizon)
        reached = self.n - int(np.searchsorted(self.known, horizon))
        whole = reached + int(self.ended[self.times < horizon].sum())
        if whole < MIN_LENGTHS:
            return Estimate(value=value)
        from scipy.stats import t

        reach = float(t.ppf((1 + LEVEL) / 2, whole - 1)) * error * math.sqrt(whole / (whole - 1))
        return Estimate(
            value=value, low=value * math.exp(-reach / value), high=min(value * math.exp(reach / value), horizon)
        )

    def restricted(self, horizon: float) -> tuple[float, float]:
        """Restricted mean survival time (RMST) and its Greenwood standard error."""
        kept = self.times < horizon
        edges = np.concatenate([[0.0], self.times[kept], [horizon]])
        areas = np.diff(edges) * np.concatenate([[1.0], self.share[kept]])
        left = areas[::-1].cumsum()[::-1][1:]
        at_risk, ended = self.at_risk[kept], self.ended[kept]
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = np.where(at_risk > ended, left**2 * ended / (at_risk * (at_risk - ended)), 0.0)
        return float(areas.sum()), math.sqrt(float(parts.sum()))


def survival(lengths: Floats, ended: Mask | None = None) -> Survival:
    """Kaplan-Meier estimate of the survival curve from right-censored durations.

    Parameters
    ----------
    lengths : ndarray of shape (n,)
        Positive and finite.
    ended : ndarray of bool, shape (n,), optional
        False where a duration is right-censored; all have ended where it is left out.

    References
    ----------
    Kaplan & Meier (1958), J. Am. Stat. Assoc. 53(282), 457-481; computed by statsmodels.

    Examples
    --------
    >>> survival(np.array([6.0, 7.0, 10.0]), np.array([True, False, True])).share.round(4).tolist()
    [0.6667, 0.0]
    """
    closed = np.ones(len(lengths), bool) if ended is None else ended
    known = np.sort(lengths)
    if not closed.any():
        nothing = np.empty(0)
        return Survival(n=len(known), known=known, times=nothing, at_risk=nothing, ended=nothing, share=nothing)
    from statsmodels.duration.survfunc import SurvfuncRight

    found = SurvfuncRight(lengths, closed.astype(float))
    steps = found.n_events > 0
    return Survival(
        n=len(known),
        known=known,
        times=found.surv_times[steps],
        at_risk=found.n_risk[steps].astype(float),
        ended=found.n_events[steps].astype(float),
        share=np.clip(found.surv_prob[steps], 0.0, 1.0),
    )


def grain_of(lengths: Floats) -> float:
    """Rounding unit: the largest of day, hour, minute and second that divides all durations; 0 if none does.

    >>> grain_of(np.array([120.0, 60.0])), grain_of(np.array([0.5])), grain_of(np.array([]))
    (60.0, 0.0, 0.0)
    """
    return next((unit for unit in UNITS if len(lengths) and not np.any(lengths % unit)), 0.0)


# --- quantiles -------------------------------------------------------------------------------------------------------


def _upper(curve: Survival, step: int) -> tuple[float, float]:
    """First two moments of the upper beta product up to a step; before the first it is 1."""
    first, second = curve.moments
    return (float(first[step]), float(second[step])) if step >= 0 else (1.0, 1.0)


def _lower(curve: Survival, step: int, after: float) -> tuple[float, float]:
    """First two moments of the lower beta product: the upper one times ``Beta(after, 1)``."""
    first, second = _upper(curve, step)
    return first * after / (after + 1), second * after / (after + 2)


def _shape(first: float, second: float) -> tuple[float, float]:
    """Method of moments: parameters of a beta distribution; (1, 0) and (0, 1) for point masses at 1 and 0."""
    spread = second - first**2
    if spread <= 0 or not 0 < first < 1:
        return (1.0, 0.0) if first >= 0.5 else (0.0, 1.0)
    size = first * (1 - first) / spread - 1
    return first * size, (1 - first) * size


def _chance(moments: tuple[float, float], share: float) -> float:
    """Distribution function at `share` of the beta distribution with these moments."""
    from scipy.special import betainc

    a, b = _shape(*moments)
    return float(betainc(a, b, share)) if a and b else float(not a)


def _lower_end(curve: Survival, share: float, grain: float) -> float:
    """Lower end of a quantile's interval: from where on ``S(t) <= share`` is not rejected."""

    def chance(at: int) -> float:
        step, after = curve.place(float(curve.known[at]))
        return _chance(_lower(curve, step, after), share)

    tail = (1 - LEVEL) / 2
    if not curve.n or _chance(_lower(curve, -1, curve.n), share) > tail:
        return 0.0
    here = float(curve.known[bisect_left(range(curve.n), True, key=lambda at: chance(at) > tail)])  # noqa: FBT003
    step, after = curve.place(here)
    if step < 0 or curve.times[step] != here or step + 1 == len(curve.times) or _apart(curve, step, grain):
        return here  # it is censoring that ends what is known, or there is nothing between this step and the next
    before = _chance(_lower(curve, step - 1, float(curve.at_risk[step])), share)
    then = _chance(_lower(curve, step, after), share)
    gone = float(curve.share[step])
    odds = (1 - gone) / max(gone, 1e-12) * share / (1 - share)
    return here + _between((tail - before) / (then - before), odds) * (float(curve.times[step + 1]) - here)


def _upper_end(curve: Survival, share: float, grain: float) -> float | None:
    """Upper end of a quantile's interval: until where ``S(t) > share`` is not rejected; None if unbounded."""
    tail, steps = (1 - LEVEL) / 2, range(len(curve.times))
    at = bisect_left(steps, True, key=lambda step: 1 - _chance(_upper(curve, step), share) < tail)  # noqa: FBT003
    if at == len(curve.times):
        return None
    here = float(curve.times[at])
    if at == 0 or _apart(curve, at - 1, grain):
        return here
    before, then = (1 - _chance(_upper(curve, step), share) for step in (at - 1, at))
    left = float(curve.share[at - 1])
    odds = left / max(1 - left, 1e-12) * (1 - share) / share
    return here - _between((tail - then) / (before - then), odds) * (here - float(curve.times[at - 1]))


def _apart(curve: Survival, step: int, grain: float) -> bool:
    """Whether two event times are not interpolated between: one is tied, and they are further apart than `grain`."""
    gap = float(curve.times[step + 1] - curve.times[step])
    return float(curve.ended[step : step + 2].max()) > 1 and gap > grain * (1 + 1e-9)


def _between(part: float, odds: float) -> float:
    """Nyblom's interpolation between two order statistics: position of the level from their tail probabilities."""
    return 1 / (1 + odds * (1 - part) / part) if part > 0 else 0.0
