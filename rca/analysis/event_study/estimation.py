"""Event study: rows before and after an event, the strongest design that the data allow, and its refutation tests."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.event_study.covariate_adjustment import MIN_ROWS, Adjusted, adjusted, trimmed
from rca.analysis.event_study.designs import WORDS, Design, Interrupted, interrupted
from rca.analysis.event_study.effect import Effect, Period, is_share
from rca.analysis.event_study.event import EventReference
from rca.analysis.event_study.identification import EFFECT_QUESTION, Setting, held_fixed, require_sound
from rca.analysis.event_study.period_series import AFTER, BEFORE, Periods, difference
from rca.analysis.event_study.pre_post_rows import Asked, PrePostRows, labels_of, pre_post_rows
from rca.analysis.event_study.refutation import (
    MOST_GROUPS,
    Refuter,
    alone,
    break_date,
    broke,
    frame_of,
    left_out,
    overlap,
    parallel,
    placebo_dates,
    placebo_groups,
    tried,
)
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats
from rca.errors import InvalidCase, Unanswerable, did_you_mean
from rca.methods.metric import UNITS, Parts

ALIKE = 0.95
"""Chance of coming from one side of the event above which a row has next to no like on the other."""


def study(windows: Windows, event: EventReference, asked: Asked, *, rng: np.random.Generator) -> Effect:
    """Estimate the effect of an event on the metric (ITS, DiD or before-after), and run its refutation tests.

    Parameters
    ----------
    windows : Windows
        With a time; its windows are pooled, and split again at the event.
    event : EventReference
    asked : Asked
    rng : numpy.random.Generator
        Seeds what dowhy's refuters draw.

    Raises
    ------
    InvalidCase
        If a column, a group or a design is not known; or the graph has a cycle.
    Unanswerable
        If the rows have no time, or too few lie on either side; or the effect is not identifiable.
    """
    sides = pre_post_rows(windows, event, asked)
    if asked.affected or asked.design == "did":
        _require_did(asked)
        require_sound(_setting(windows, event, asked, design="did"))
        return _told(windows, event, _between_groups(sides, asked, event=event, rng=rng))
    design = asked.design or _strongest(sides.periods())
    held = held_fixed(_setting(windows, event, asked, design=design), asked.covariates)
    return _told(
        windows, event, _over_time(sides, asked, design=design, held=held, windows=windows, event=event, rng=rng)
    )


def _require_did(asked: Asked) -> None:
    if asked.design not in (None, "did"):
        hint = "leave out affected=, or the design"
        raise InvalidCase.because(f"a design called {WORDS[asked.design]} knows no groups", place="design", hint=hint)
    if asked.covariates:
        hint = "leave them out, or leave out affected="
        raise InvalidCase.because(f"a {WORDS['did']} holds no covariates fixed", place="covariates", hint=hint)


def _strongest(periods: Periods) -> Design:
    """Interrupted time series where there are periods enough for a trend; else before-after."""
    before, after = int((~periods.after).sum()), int(periods.after.sum())
    return "its" if before >= BEFORE and after >= AFTER else "before_after"


def _setting(windows: Windows, event: EventReference, asked: Asked, *, design: Design) -> Setting:
    columns = frozenset(map(str, windows.reference.columns))
    for name in asked.covariates or ():
        if name not in columns:
            raise InvalidCase.because(f"no column {name!r}", place="covariates", hint=did_you_mean(name, columns))
    return Setting(
        edges=asked.edges,
        read=windows.meter.read,
        columns=columns,
        names=event.aliases,
        clock=windows.roles.time,
        minds_time=design != "before_after",
    )


# --- over time --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Studied:
    """A fitted design, its rows, its counterfactual, and its refutation tests."""

    sides: PrePostRows
    fit: Interrupted
    refuters: tuple[Refuter, ...]
    drawn: Periods
    without: tuple[Floats, Floats, Floats]
    n_effective: float


def _over_time(
    sides: PrePostRows,
    asked: Asked,
    *,
    design: Design,
    held: tuple[str, ...],
    windows: Windows,
    event: EventReference,
    rng: np.random.Generator,
) -> Studied:
    """One series by ITS or before-after, covariate-adjusted where covariates are held fixed."""
    mix = _at_one_mix(sides, held, windows.roles.categorical) if held else None
    seen = sides if mix is None else _mixed(sides, mix)
    fit = interrupted(seen.periods(), design, level=asked.level, adjusted=held)
    refuters: tuple[Refuter, ...] = ()
    if asked.refute and 0 not in fit.estimate.effect.interval:
        refuters = (*_when(fit, event), *_trimmed(seen, mix, fit), *_dowhys(fit, rng))
    smaller = float(min((~sides.after).sum(), sides.after.sum()))
    return Studied(
        sides=sides,
        fit=fit,
        refuters=refuters,
        drawn=fit.periods,
        without=fit.without(asked.level),
        n_effective=smaller if mix is None else min(smaller, mix.n_effective),
    )


def _at_one_mix(sides: PrePostRows, held: tuple[str, ...], categorical: tuple[str, ...]) -> Adjusted:
    both = sides.take(~sides.after), sides.take(sides.after)
    fewest = min(len(both[0].rows), len(both[1].rows))
    if fewest < MIN_ROWS:
        raise Unanswerable(
            EFFECT_QUESTION, f"one side of the event has {fewest} rows, and {MIN_ROWS} are needed to adjust"
        )
    places = [np.floor((side.seconds - side.event) / side.length).astype(np.int64) for side in both]
    mix = adjusted(
        (both[0].rows, both[1].rows),
        (both[0].parts, both[1].parts),
        (places[0], places[1]),
        covariates=held,
        categorical=categorical,
    )
    if not mix.overlaps:
        why = f"only {mix.n_effective:.0f} effective rows before the event look like those after it"
        raise Unanswerable(EFFECT_QUESTION, f"not identifiable: no overlap in {', '.join(held)}; {why}")
    return mix


def _mixed(sides: PrePostRows, mix: Adjusted) -> PrePostRows:
    """The rows, in time order, with covariate-adjusted parts."""
    stacked = [
        np.vstack([getattr(mix.before, name), getattr(mix.after, name)]) for name in ("numerator", "denominator")
    ]
    return replace(sides, parts=replace(mix.before, numerator=stacked[0], denominator=stacked[1]))


def _when(fit: Interrupted, event: EventReference) -> tuple[Refuter, ...]:
    """Refutation tests over time: placebo dates, break date, leave-one-period-out, concurrent events."""
    found = broke(fit)
    timed = (placebo_dates(fit), break_date(found, fit.periods), left_out(fit))
    return (*timed, alone(event.others, found, fit.periods)) if event.others else timed


def _trimmed(seen: PrePostRows, mix: Adjusted | None, fit: Interrupted) -> tuple[Refuter, ...]:
    if mix is None:
        return ()
    kept = np.concatenate(trimmed(mix, ALIKE))
    share = 1 - float(kept.mean())
    level, design = fit.estimate.effect.interval.level, fit.estimate.design
    try:
        again = interrupted(seen.take(kept).periods(), design, level=level).estimate.effect
    except Unanswerable:
        return (overlap(fit.estimate.effect, None, share),)
    return (overlap(fit.estimate.effect, again, share),)


def _dowhys(fit: Interrupted, rng: np.random.Generator) -> tuple[Refuter, ...]:
    seed = int(rng.integers(2**31))
    return tried(fit.estimate.effect, frame_of(fit), scale=fit.scale, seed=seed)


# --- between groups ---------------------------------------------------------------------------------------------------


def _between_groups(sides: PrePostRows, asked: Asked, *, event: EventReference, rng: np.random.Generator) -> Studied:
    """Difference in differences (DiD): affected groups less unaffected ones."""
    labels = labels_of(sides, asked)
    reached = np.isin(labels, asked.affected)
    affected, others = sides.take(reached), sides.take(~reached)
    series = affected.periods(), others.periods()
    fit = interrupted(difference(*series), "did", level=asked.level)
    refuters: tuple[Refuter, ...] = ()
    if asked.refute and 0 not in fit.estimate.effect.interval:
        groups = _placebos(others, labels[~reached], asked)
        refuters = (
            parallel(fit.periods),
            placebo_groups(groups, fit.estimate.effect),
            *_when(fit, event),
            *_dowhys(fit, rng),
        )
    drawn, away = (one.take(np.isin(one.places, fit.periods.places)) for one in series)
    expected = fit.without(asked.level)
    smaller = float(min((~affected.after).sum(), affected.after.sum(), (~others.after).sum(), others.after.sum()))
    return Studied(
        sides=affected,
        fit=fit,
        refuters=refuters,
        drawn=drawn,
        without=(away.values + expected[0], away.values + expected[1], away.values + expected[2]),
        n_effective=smaller,
    )


def _placebos(others: PrePostRows, labels: Any, asked: Asked) -> dict[str, Any]:
    """Placebo in space: DiD of each unaffected group against the other unaffected ones."""
    names = pd.Series(labels).value_counts().index[:MOST_GROUPS]
    if len(names) < 2:
        return {}
    found = {}
    for name in names:
        mine = np.asarray(labels == name, dtype=bool)
        try:
            series = difference(others.take(mine).periods(), others.take(~mine).periods())
            found[str(name)] = interrupted(series, "did", level=asked.level).estimate.effect
        except Unanswerable:
            continue
    return found


# --- the result -------------------------------------------------------------------------------------------------------


def _told(windows: Windows, event: EventReference, studied: Studied) -> Effect:
    sides, fit = studied.sides, studied.fit
    before, after = sides.parts.take(~sides.after), sides.parts.take(sides.after)
    meter = windows.meter
    return Effect(
        event=event.name,
        at=event.at,
        metric=_label(windows),
        unit=UNITS[windows.metric.name],
        is_share=is_share(meter.base),
        harm=windows.metric.harm,
        estimate=fit.estimate,
        before=_value(before),
        after=_value(after),
        length=sides.length,
        periods=_periods(studied, fit.estimate.effect.interval.level),
        refuters=studied.refuters,
        n_before=len(before),
        n_after=len(after),
        n_effective=studied.n_effective,
    )


def _value(parts: Parts) -> float:
    """The metric of some rows; a gap with its sign, which may reverse."""
    ratio = parts.numerator.sum(axis=0) / parts.denominator.sum(axis=0)
    if parts.shape == "gap":
        return float(ratio[0] - ratio[1])
    return float(np.sqrt(ratio[0]) if parts.shape == "root" else ratio[0])


def _label(windows: Windows) -> str:
    metric = windows.metric
    if metric.name == "group_gap":
        return f"{(metric.of or '').replace('_', ' ')} gap between groups"
    of = f' of "{metric.column}"' if metric.column else ""
    return metric.name.replace("_", " ") + of


def _periods(studied: Studied, level: float) -> tuple[Period, ...]:
    from rca.finding import Interval

    drawn, reach = studied.drawn, NormalDist().inv_cdf((1 + level) / 2)
    error = reach * np.sqrt(drawn.variance)
    middle, low, high = studied.without
    return tuple(
        Period(
            at=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(drawn.starts[at])),
            value=float(drawn.values[at]),
            interval=Interval(
                low=float(drawn.values[at] - error[at]), high=float(drawn.values[at] + error[at]), level=level
            ),
            rows=int(drawn.counts[at]),
            without=float(middle[at]),
            without_interval=Interval(low=float(low[at]), high=float(high[at]), level=level),
        )
        for at in range(len(drawn))
    )
