"""Refutation tests of an effect: placebos in time and space, break date, leave-out, unobserved confounder.

Every test asks one question that a person can follow, and answers it in words and with a number. An effect that fails
one may still be there; it is only not shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from rca.analysis.causal import dowhy_adapter
from rca.analysis.event_study.designs import BENT, FREE, TREND, Interrupted, interrupted, terms_at, usual_terms
from rca.analysis.event_study.period_series import DAY, Periods
from rca.arrays import Floats
from rca.errors import Unanswerable
from rca.methods.ar1_regression import Sized, noise_of, regress, regress_each
from rca.methods.seasonality import moments_of

if TYPE_CHECKING:
    from datetime import datetime

Kind = Literal[
    "placebo_date",
    "break_date",
    "alone",
    "left_out",
    "parallel",
    "placebo_group",
    "overlap",
    "random_cause",
    "placebo_treatment",
    "subset",
    "hidden_cause",
]

PLACEBOS = 24
"""Placebo dates, at most."""

MIN_DATES = 5
"""Placebo dates below which they are not tested."""

USUAL = 0.05
"""p-value from which on trends are taken to be parallel."""

BREAK_LEVEL = 0.95
"""Level of the credible set of the break date."""

HELD = 1 / 3
"""Share of an effect that has to be left with an unobserved common cause added."""

LEEWAY = 0.25
"""Share of an effect by which adding noise may move it, however narrow its interval."""

STRETCHES = 10
"""Stretches of time that are left out in turn."""

MOST_GROUPS = 12
"""Unaffected groups that are taken as placebos."""


@dataclass(frozen=True, kw_only=True)
class Refuter:
    """One refutation test and its outcome.

    Attributes
    ----------
    kind : str
    asks : str
        What was tried, as a question.
    says : str
        The answer, for people who are no statisticians.
    passed : bool or None
        Whether the effect is still there; None where it could not be tried.
    value : float or None
        The number behind it.
    """

    kind: Kind
    asks: str
    says: str
    passed: bool | None
    value: float | None = None

    @property
    def verdict(self) -> str:
        """The outcome in a word."""
        return {True: "passed", False: "failed", None: "could not be tried"}[self.passed]

    def __str__(self) -> str:
        return f"{self.asks} {self.verdict.capitalize()}: {self.says}"


ASKS: Mapping[Kind, str] = {
    "placebo_date": "Is an effect found at earlier dates, at which nothing happened?",
    "break_date": "Did the metric change when the event happened, and not at another time?",
    "alone": "Did nothing else on the timeline happen at about that time?",
    "left_out": "Does the effect stay, whichever stretch of time is left out?",
    "parallel": "Did both groups move alike before the event?",
    "placebo_group": "Is an effect found in groups that the event did not reach?",
    "overlap": "Does the effect hold among rows that have their like on the other side?",
    "random_cause": "Does the effect stay when a column of random numbers is adjusted for?",
    "placebo_treatment": "Does the effect go away when before and after are shuffled?",
    "subset": "Does the effect stay when a fifth of the data is left out?",
    "hidden_cause": "Would the effect survive a cause that nobody recorded?",
}
"""What each refuter tries."""


def answered(kind: Kind, says: str, *, passed: bool | None, value: float | None = None) -> Refuter:
    """A refutation test with its outcome."""
    return Refuter(kind=kind, asks=ASKS[kind], says=says, passed=passed, value=value)


# --- placebos ---------------------------------------------------------------------------------------------------------


def placebo_dates(fit: Interrupted) -> Refuter:
    """Placebo in time: the same estimate at dates before the event, on the periods before it alone."""
    found = _at_other_dates(fit)
    if len(found) < MIN_DATES:
        return answered("placebo_date", "too few periods lie before the event to try other dates", passed=None)
    p_values, effect = np.array(found), fit.estimate.effect
    as_clear = float(np.mean(p_values <= effect.p_value))
    alarms = int((p_values <= 1 - effect.interval.level).sum())
    restless = max(float(np.sqrt(np.mean(_clear(p_values) ** 2))), 1.0)
    stands_out = float(_clear(effect.p_value)) >= restless * float(_clear(1 - effect.interval.level))
    says = (
        f"at {len(found)} dates before the event the same sum found an effect {_times(alarms)}, "
        f"and {_times(round(as_clear * len(found)))} one as clear as the event's"
    )
    if not stands_out:
        says += "; the metric moves too much by itself for this one to stand out"
    return answered("placebo_date", says, passed=as_clear == 0 and stands_out, value=as_clear)


def _clear(p_value: Any) -> Any:
    """Absolute z-score of a two-sided p-value."""
    from scipy.special import ndtri

    return -ndtri(np.maximum(p_value, np.finfo(float).tiny) / 2)


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _at_other_dates(fit: Interrupted) -> list[float]:
    """p-values of the design at dates before the event."""
    before = fit.periods.take(~fit.periods.after)
    first = TREND if fit.estimate.design == "its" else BENT
    candidates = before.places[first : len(before) - BENT + 1]
    if not len(candidates) or len(before) < usual_terms(fit.estimate.design) + 2 + FREE:
        return []
    kept = np.unique(np.linspace(0, len(candidates) - 1, PLACEBOS).round().astype(int))
    noise, at = noise_of(before.places, before.variance, before.phases), usual_terms(fit.estimate.design)
    several = [terms_at(before, fit.estimate.design, int(candidates[one])) for one in kept]
    found = regress_each(before.values / fit.scale, several, noise)
    return [
        one.sized(np.eye(terms.shape[1])[at], BREAK_LEVEL).p_value for one, terms in zip(found, several, strict=True)
    ]


def placebo_groups(estimates: Mapping[str, Sized], effect: Sized) -> Refuter:
    """Placebo in space: each unaffected group as if affected, against the other unaffected ones."""
    if not estimates:
        return answered("placebo_group", "there is but one unaffected group", passed=None)
    level = (1 - effect.interval.level) / len(estimates)
    clear = sorted(name for name, one in estimates.items() if one.p_value <= level)
    widest = max(estimates.values(), key=lambda one: abs(one.value))
    says = f"in {len(estimates)} groups that it did not reach, the largest was {widest}"
    if clear:
        says = (
            f"an effect is found in {len(clear)} of {len(estimates)} groups that it did not reach, such as {clear[0]}"
        )
    return answered("placebo_group", says, passed=not clear, value=abs(widest.value))


def parallel(periods: Periods) -> Refuter:
    """Parallel-trends test of DiD: whether the difference between two groups had a trend before the event."""
    before = periods.take(~periods.after)
    if len(before) < 2 + FREE:
        return answered("parallel", "too few periods lie before the event to see a trend", passed=None)
    time = before.places / max(float(np.ptp(before.places)), 1.0)
    terms = np.column_stack([np.ones(len(before)), time])
    scale = float(np.abs(before.values).max()) or 1.0
    noise = noise_of(before.places, before.variance, before.phases)
    p_value = regress(before.values / scale, terms, noise).sized(np.array([0.0, 1.0]), BREAK_LEVEL).p_value
    moved = "drifted apart already" if p_value <= USUAL else "kept their distance, as far as chance lets one see"
    says = f"before the event they {moved} (p = {p_value:.2g})"
    return answered("parallel", says, passed=p_value > USUAL, value=p_value)


# --- when it happened -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Broke:
    """Credible set of the break date of a series.

    Attributes
    ----------
    at : int
        The likeliest.
    places : tuple of int
        The fewest that hold 95 % of the chance, ascending.
    """

    at: int
    places: tuple[int, ...]

    def holds(self, place: int) -> bool:
        """Whether a place is in the set, give or take a period."""
        return any(abs(place - one) <= 1 for one in self.places)


def broke(fit: Interrupted) -> Broke | None:
    """Posterior of a single break date, whatever the event's date; None where there are too few periods."""
    places, design = fit.periods.places, fit.estimate.design
    first = TREND if design == "its" else 2
    tried = [(int(at), terms_at(fit.periods, design, int(at))) for at in places[first : len(places) - 1]]
    full = [(at, terms) for at, terms in tried if terms.shape[1] == fit.terms.shape[1]]
    if len(full) < MIN_DATES:
        return None
    found = regress_each(fit.periods.values / fit.scale, [terms for _, terms in full], fit.noise)
    evidence = np.array([one.evidence for one in found])
    share = np.exp(evidence - evidence.max())
    return _range([at for at, _ in full], share / share.sum())


def _range(candidates: Sequence[int], share: Floats) -> Broke:
    order = np.argsort(-share, kind="stable")
    held = order[: int(np.searchsorted(np.cumsum(share[order]), BREAK_LEVEL)) + 1]
    return Broke(at=candidates[int(order[0])], places=tuple(sorted(candidates[at] for at in held)))


def break_date(found: Broke | None, periods: Periods) -> Refuter:
    """Break-date test: whether the credible set of the break date holds the event, give or take a period."""
    if found is None:
        return answered("break_date", "too few periods to date a change", passed=None)
    first, last, best = (_moment(periods, place) for place in (found.places[0], found.places[-1], found.at))
    range_ = first if first == last else f"{first} to {last}"
    if found.holds(0):
        return answered("break_date", f"it dates to {range_}, as the event does", passed=True, value=float(found.at))
    says = f"the change dates to {best} ({range_}), and the event to another time"
    return answered("break_date", says, passed=False, value=float(found.at))


def _moment(periods: Periods, place: int) -> str:
    at = moments_of(np.array([periods.event + place * periods.length]))[0]
    return str(at.strftime("%Y-%m-%d" if periods.length >= DAY else "%Y-%m-%d %H:%M"))


def alone(others: "Iterable[tuple[datetime, str]]", found: Broke | None, periods: Periods) -> Refuter:
    """Concurrent events: whether other events lie near this one, or within the credible set of the break date."""
    near = [name for at, name in others if _confusable(at.timestamp(), found, periods)]
    if near:
        more = f", and {len(near) - 1} more" if len(near) > 1 else ""
        says = f"{near[0]}{more}: the data cannot tell them apart"
        return answered("alone", says, passed=False, value=float(len(near)))
    return answered("alone", "no other event on record lies near", passed=True, value=0.0)


def _confusable(at: float, found: Broke | None, periods: Periods) -> bool:
    """Whether an event lies in the same period, the one before, or the credible set of the break date."""
    later = (at - periods.event) / periods.length
    return -1 <= later < 1 or (found is not None and int(np.floor(later)) in found.places)


def left_out(fit: Interrupted) -> Refuter:
    """Leave-one-period-out: the estimate without each stretch of periods in turn."""
    weakest, worst = None, 0
    for stretch in np.array_split(np.arange(len(fit.periods)), min(STRETCHES, len(fit.periods))):
        again = _without(fit, stretch)
        if again is not None and (weakest is None or again.p_value > weakest.p_value):
            weakest, worst = again, int(fit.periods.places[stretch[0]])
    if weakest is None:
        return answered("left_out", "too few periods to leave any out", passed=None)
    stays = 0 not in weakest.interval and bool(np.sign(weakest.value) == np.sign(fit.estimate.effect.value))
    says = f"without the stretch on which it hangs most, from {_moment(fit.periods, worst)} on, it is {weakest}"
    return answered("left_out", says, passed=stays, value=weakest.value)


def _without(fit: Interrupted, stretch: Any) -> Sized | None:
    """The estimate without some periods; None where too few are left."""
    periods = fit.periods.take(~np.isin(np.arange(len(fit.periods)), stretch))
    try:
        again = interrupted(periods, fit.estimate.design, level=fit.estimate.effect.interval.level)
    except Unanswerable:
        return None
    return again.estimate.effect


# --- overlap, and dowhy's ---------------------------------------------------------------------------------------------


def overlap(effect: Sized, again: Sized | None, share: float) -> Refuter:
    """Trimming test: whether the effect holds without the rows that lack overlap."""
    if again is None:
        says = f"without the {share:.1%} of rows that have next to no like, too few are left"
        return answered("overlap", says, passed=None)
    kept = again.value in effect.interval and bool(np.sign(again.value) == np.sign(effect.value))
    says = f"without the {share:.1%} of rows that have next to no like, it is {again}"
    return answered("overlap", says, passed=kept, value=again.value)


def tried(effect: Sized, rows: pd.DataFrame, *, scale: float, seed: int) -> tuple[Refuter, ...]:
    """Refuters of dowhy: random common cause, placebo treatment, data subset, unobserved common cause.

    Parameters
    ----------
    effect : Sized
        What they try to refute; they may move it by half the width of its interval, or by a quarter of itself.
    rows : pandas.DataFrame
        With the columns `event` (0 or 1) and `metric`; all others are adjusted for.
    scale : float
        What the metric was divided by.
    seed : int
    """
    found = dowhy_adapter.refute(rows, treatment="event", outcome="metric", seed=seed)
    whole, added, shuffled, fewer, unseen = (
        scale * one for one in (found.estimate, found.random_cause, found.placebo, found.subset, found.unseen)
    )
    reach = max((effect.interval.high - effect.interval.low) / 2, LEEWAY * abs(whole))

    def stays(other: float) -> bool:
        return abs(other - whole) <= reach and bool(np.sign(other) == np.sign(effect.value))

    quiet = f"shuffled, it is {shuffled:+.3g} on average"
    return (
        answered(
            "random_cause", f"it is {added:+.3g} with it and {whole:+.3g} without", passed=stays(added), value=added
        ),
        answered("placebo_treatment", quiet, passed=abs(shuffled) <= reach, value=shuffled),
        answered("subset", f"it is {fewer:+.3g} on four fifths, {whole:+.3g} on all", passed=stays(fewer), value=fewer),
        _hidden(effect, whole, unseen),
    )


def _hidden(effect: Sized, whole: float, unseen: float) -> Refuter:
    share = unseen / whole if whole * np.sign(effect.value) > 0 else 0.0
    says = (
        f"a cause that would have turned {dowhy_adapter.FLIPPED:.0%} of the data from before to after, or back, and "
        f"moved the metric by {dowhy_adapter.MOVED:g} of its spread leaves {max(share, 0.0):.0%} of the effect"
    )
    return answered("hidden_cause", says, passed=share >= HELD, value=share)


def frame_of(fit: Interrupted) -> pd.DataFrame:
    """The series as a table for dowhy's regression: the event, the metric, and all other terms, seasons among them."""
    at = usual_terms(fit.estimate.design)
    found = {"event": fit.terms[:, at], "metric": fit.periods.values / fit.scale}
    others = [column for column in range(1, fit.terms.shape[1]) if column != at]
    found |= {f"term_{column}": fit.terms[:, column] for column in others}
    phases = fit.periods.phases
    if phases is not None:
        common = [phase for phase in np.unique(phases)[1:] if (phases == phase).sum() > 1]
        found |= {f"phase_{phase}": (phases == phase).astype(float) for phase in common}
    free = len(fit.periods) - len(found)
    return pd.DataFrame(found if free >= FREE else {name: found[name] for name in list(found)[: 2 + len(others)]})
