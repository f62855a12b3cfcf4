"""Event-study designs: interrupted time series (ITS), difference in differences (DiD), and before-after comparison.

Each design predicts the periods after the event without it (the counterfactual), and takes the mean difference over
them. They differ in what they have to assume: that the trend would have continued, that two series would have moved in
parallel, or that nothing else had changed.

References
----------
.. [1] Bernal, J. L., Cummins, S. & Gasparrini, A. (2017). Interrupted time series regression for the evaluation of
   public health interventions. Int. J. Epidemiology 46, eq. (1): level, trend, and both changed.
.. [2] Bertrand, M., Duflo, E. & Mullainathan, S. (2004). How much should we trust differences-in-differences
   estimates? QJE 119, section IV: autocorrelated noise makes naive errors far too small.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rca.analysis.event_study.period_series import Periods
from rca.arrays import Floats
from rca.errors import Unanswerable
from rca.methods.ar1_regression import Noise, Regression, Sized, noise_of, regress

Design = Literal["its", "did", "before_after"]

WORDS: dict[Design, str] = {
    "its": "interrupted time series",
    "did": "difference in differences",
    "before_after": "before and after",
}

ASSUMED: dict[Design, tuple[str, ...]] = {
    "its": ("without the event the line before it would have gone on", "nothing else happened at the same time"),
    "did": (
        "without the event both would have stayed as far apart as before",
        "the event did not reach the groups that are called unaffected",
    ),
    "before_after": ("without the event nothing would have changed, and there was no trend",),
}
"""What each design has to take for granted."""

TREND = 8
"""Periods before an event from which a trend is fitted."""

BENT = 4
"""Periods after an event from which the effect may grow or fade."""

KNOTS = 30
"""Periods at which the interval of a trend is computed; between them it is all but straight."""

FREE = 3
"""Degrees of freedom below which the noise cannot be estimated."""


@dataclass(frozen=True, kw_only=True)
class EffectEstimate:
    """Estimate of the effect of an event by one design.

    Attributes
    ----------
    design : {'its', 'did', 'before_after'}
    effect : Sized
        Mean over the periods after the event of what was less what would have been.
    jump : Sized or None
        The same at the moment of the event; None where too few periods follow to estimate it.
    growth : Sized or None
        By how much the effect grows a period.
    adjusted : tuple of str
        Covariates whose distribution was held fixed.
    periods : int
    free : int
        Degrees of freedom.
    """

    design: Design
    effect: Sized
    jump: Sized | None = None
    growth: Sized | None = None
    adjusted: tuple[str, ...] = ()
    periods: int
    free: int

    @property
    def words(self) -> str:
        """The design in words."""
        held = f", at one mix of {', '.join(self.adjusted)}" if self.adjusted else ""
        return WORDS[self.design] + held


@dataclass(frozen=True, kw_only=True, eq=False)
class Interrupted:
    """A fitted design: its terms, regression and noise model.

    Attributes
    ----------
    estimate : EffectEstimate
    terms : ndarray of shape (periods, terms)
        The last columns are those of the event.
    regression : Regression
    noise : Noise
    scale : float
        What the values were divided by.
    """

    periods: Periods
    estimate: EffectEstimate
    terms: Floats
    regression: Regression
    noise: Noise
    scale: float

    def without(self, level: float) -> tuple[Floats, Floats, Floats]:
        """Counterfactual of each period without the event, and the ends of its interval."""
        rows = self.terms.copy()
        rows[:, usual_terms(self.estimate.design) :] = 0.0
        knots = np.unique(np.linspace(0, len(rows) - 1, KNOTS).round().astype(int))
        ends = self.regression.bounds(rows[knots], level)
        places = self.periods.places
        low, high = (self.scale * np.interp(places, places[knots], end) for end in ends)
        return self.scale * (self.regression.shares @ (self.regression.coefficients @ rows.T)), low, high


def usual_terms(design: Design) -> int:
    """Number of terms of a design that do not depend on the event."""
    return 2 if design == "its" else 1


def terms_at(periods: Periods, design: Design, at: int = 0) -> Floats:
    """Design matrix with the event at a place: level, trend, jump and growth, as far as there are periods for them.

    Parameters
    ----------
    periods : Periods
    design : {'its', 'did', 'before_after'}
    at : int
        The first place after the event.

    Returns
    -------
    ndarray of shape (periods, terms)
        The jump is the effect on average over the rows after the event, as growth is centred there.
    """
    span = max(float(np.ptp(periods.places)), 1.0)
    time, after = periods.places / span, (periods.places >= at).astype(float)
    columns = [np.ones(len(periods)), *([time] if design == "its" else []), after]
    if after.sum() >= BENT and design != "before_after":
        weights = after * periods.counts
        columns.append(after * (time - float(weights @ time / weights.sum())))
    return np.column_stack(columns)


def interrupted(periods: Periods, design: Design, *, level: float, adjusted: tuple[str, ...] = ()) -> Interrupted:
    """Estimate the effect of an event on a series, by segmented regression with AR(1) errors.

    Parameters
    ----------
    periods : Periods
        For differences in differences, of the affected less the unaffected.
    design : {'its', 'did', 'before_after'}
    level : float
        Of the intervals.
    adjusted : tuple of str
        Covariates whose distribution the series holds fixed.

    Raises
    ------
    Unanswerable
        If there are too few periods on either side of the event.

    Examples
    --------
    >>> rng, places = np.random.default_rng(0), np.arange(-40, 20)
    >>> values = 0.1 + 0.001 * places + 0.05 * (places >= 0) + rng.normal(0, 0.01, 60)
    >>> same = {"variance": np.ones(60), "counts": np.ones(60), "event": 0.0, "length": 86400.0}
    >>> print(interrupted(Periods(places=places, values=values, **same), "its", level=0.95).estimate.effect)
    +0.049 (0.0339 to 0.0603)
    """
    _require_enough(periods, design)
    terms = terms_at(periods, design)
    noise = noise_of(periods.places, periods.variance, periods.phases)
    scale = float(np.abs(periods.values).max()) or 1.0
    found = regress(periods.values / scale, terms, noise)
    return Interrupted(
        periods=periods,
        estimate=_estimate(found, terms, periods, design=design, scale=scale, level=level, adjusted=adjusted),
        terms=terms,
        regression=found,
        noise=noise,
        scale=scale,
    )


def _require_enough(periods: Periods, design: Design) -> None:
    before, after = int((~periods.after).sum()), int(periods.after.sum())
    needed = TREND if design == "its" else 2
    if before < needed or after < 1 or before + after < usual_terms(design) + 2 + FREE:
        why = f"rows count in only {before} periods before the event and {after} from it on"
        raise Unanswerable("what did the event do", f"{why}, too few for a design called {WORDS[design]}")


def _estimate(
    found: Regression,
    terms: Floats,
    periods: Periods,
    *,
    design: Design,
    scale: float,
    level: float,
    adjusted: tuple[str, ...],
) -> EffectEstimate:
    usual, count = usual_terms(design), terms.shape[1]
    unit = np.eye(count)
    jump = growth = None
    if count > usual + 1:
        first = int(np.flatnonzero(periods.after)[0])
        jump = _scaled(found.sized(unit[usual] + terms[first, usual + 1] * unit[usual + 1], level), scale)
        growth = _scaled(found.sized(unit[usual + 1] / max(float(np.ptp(periods.places)), 1.0), level), scale)
    return EffectEstimate(
        design=design,
        effect=_scaled(found.sized(unit[usual], level), scale),
        jump=jump,
        growth=growth,
        adjusted=adjusted,
        periods=len(periods),
        free=found.free,
    )


def _scaled(sized: Sized, scale: float) -> Sized:
    ends = scale * sized.interval.low, scale * sized.interval.high
    interval = type(sized.interval)(low=ends[0], high=ends[1], level=sized.interval.level)
    return Sized(value=scale * sized.value, interval=interval, p_value=sized.p_value)
