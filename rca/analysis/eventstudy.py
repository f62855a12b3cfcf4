"""The study of an event: rows before and after it, the strongest design that the data allow, and its refuters."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.columns import Floats, Mask, as_labels, column_name
from rca.analysis.effect import Effect, Period, is_share, spell
from rca.analysis.happening import Happening
from rca.analysis.identifying import QUESTION, Edges, Setting, held_fixed, require_sound
from rca.analysis.interrupted import WORDS, Design, Interrupted, interrupted
from rca.analysis.metric import UNITS, Parts
from rca.analysis.mix import FEWEST, Adjusted, adjusted, trimmed
from rca.analysis.periods import AFTER, BEFORE, Periods, difference, length_for, pair_of, periods_of
from rca.analysis.refuters import (
    MOST_GROUPS,
    Refuter,
    alone,
    break_date,
    broke,
    frame_of,
    overlap,
    parallel,
    placebo_dates,
    placebo_groups,
    tried,
)
from rca.analysis.season import seconds_of
from rca.analysis.windows import Windows
from rca.errors import InvalidCase, Unanswerable, did_you_mean

ROWS = 10
"""Rows that count, on either side of the event, below which nothing is said."""

ALIKE = 0.95
"""Chance of coming from one side of the event above which a row has next to no like on the other."""

MANY = 1000
"""Periods that are regressed, at most."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of an event, beyond which it is.

    Attributes
    ----------
    design : {'its', 'did', 'before_after'} or None
        The strongest that applies where left out.
    covariates : tuple of str or None
        Columns that the event does not change, whose mix is to be held fixed; None leaves it to the graph.
    groups : tuple of str
        Columns of groups; in one of them are those that the event reached.
    affected : tuple of str
    every : float or None
        Seconds of a period.
    edges : tuple of (str, str)
        A causal graph, where there is one.
    refute : bool
        Whether refuters are tried; without them nothing is shown.
    level : float
    """

    design: Design | None = None
    covariates: tuple[str, ...] | None = None
    groups: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()
    every: float | None = None
    edges: Edges = ()
    refute: bool = True
    level: float = 0.95


@dataclass(frozen=True, kw_only=True, eq=False)
class Sides:
    """All rows in time order, and what they say of the metric.

    Attributes
    ----------
    rows : pandas.DataFrame
    seconds : ndarray of shape (rows,)
    parts : Parts
    event : float
        Seconds since 1970.
    length : float
        Seconds of a period.
    """

    rows: pd.DataFrame
    seconds: Floats
    parts: Parts
    event: float
    length: float

    @property
    def after(self) -> Mask:
        return np.asarray(self.seconds >= self.event)

    def take(self, kept: Mask) -> "Sides":
        """Some of the rows."""
        rows = self.rows[kept].reset_index(drop=True)
        return replace(self, rows=rows, seconds=self.seconds[kept], parts=self.parts.take(kept))

    def periods(self) -> Periods:
        """The metric of each period."""
        return periods_of(self.parts, self.seconds, event=self.event, length=self.length)


def study(windows: Windows, event: Happening, asked: Asked, *, rng: np.random.Generator) -> Effect:
    """Estimate what an event did to the metric, on average over what came after it, and try to refute it.

    Parameters
    ----------
    windows : Windows
        With a time; its windows are put together, and parted anew at the event.
    event : Happening
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
    sides = _sides(windows, event, asked)
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
    """An interrupted series where there are periods enough for a line; else before and after."""
    before, after = int((~periods.after).sum()), int(periods.after.sum())
    return "its" if before >= BEFORE and after >= AFTER else "before_after"


def _setting(windows: Windows, event: Happening, asked: Asked, *, design: Design) -> Setting:
    columns = frozenset(map(str, windows.reference.columns))
    for name in asked.covariates or ():
        if name not in columns:
            raise InvalidCase.because(f"no column {name!r}", place="covariates", hint=did_you_mean(name, columns))
    return Setting(
        edges=asked.edges,
        read=windows.meter.read,
        columns=columns,
        names=event.aliases,
        minds_time=design != "before_after",
    )


def _sides(windows: Windows, event: Happening, asked: Asked) -> Sides:
    """The rows that count and have a time, parted at the event."""
    time = windows.roles.time
    if time is None:
        raise Unanswerable(QUESTION, "the rows have no time: no column is named as `time`")
    wanted = _wanted(windows, asked)
    rows = pd.concat([windows.reference[wanted], windows.current[wanted]], ignore_index=True)
    seconds, at = seconds_of(rows[time]), event.at.timestamp()
    known = np.isfinite(seconds)
    _require_both(seconds[known], at, "rows")
    both = [rows[known & side] for side in (seconds < at, seconds >= at)]
    parts = pair_of(windows.meter.parts(rows, groups=windows.meter.segments(*both)))
    counted = known & parts.denominator.any(axis=1)
    _require_both(seconds[counted], at, "rows that count towards the metric")
    order = np.flatnonzero(counted)[np.argsort(seconds[counted], kind="stable")]
    length = asked.every or length_for(seconds[order], at)
    _require_few(seconds[order], length)
    rows = rows.iloc[order].reset_index(drop=True)
    return Sides(rows=rows, seconds=seconds[order], parts=parts.take(order), event=at, length=length)


def _require_few(seconds: Floats, length: float) -> None:
    many = len(np.unique(seconds // length))
    if many > MANY:
        hint = "give a longer one, or leave it out"
        raise InvalidCase.because(f"rows lie in {many} periods of {spell(length)}", place="every", hint=hint)


def _wanted(windows: Windows, asked: Asked) -> list[str]:
    """Columns that are looked at, so that no others are copied."""
    roles = windows.roles
    named = {roles.time, roles.weight, *windows.meter.read, *roles.groups, *asked.groups, *(asked.covariates or ())}
    named |= {node for edge in asked.edges for node in edge}
    return [name for name in windows.reference.columns if name in named]


def _require_both(seconds: Floats, at: float, what: str) -> None:
    before, after = int((seconds < at).sum()), int((seconds >= at).sum())
    if not before or not after:
        side = "before" if not before else "after"
        raise Unanswerable(QUESTION, f"no {what} lie {side} the event: it is outside the data")
    if min(before, after) < ROWS:
        why = f"only {before} {what} lie before the event and {after} after it, and {ROWS} are needed on either side"
        raise Unanswerable(QUESTION, why)


# --- over time --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Studied:
    """A fitted design, the rows it stands on, what would have been, and what it withstood."""

    sides: Sides
    fit: Interrupted
    refuters: tuple[Refuter, ...]
    drawn: Periods
    without: tuple[Floats, Floats, Floats]
    n_effective: float


def _over_time(
    sides: Sides,
    asked: Asked,
    *,
    design: Design,
    held: tuple[str, ...],
    windows: Windows,
    event: Happening,
    rng: np.random.Generator,
) -> Studied:
    """One series, interrupted or before and after, perhaps at one mix of rows."""
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


def _at_one_mix(sides: Sides, held: tuple[str, ...], categorical: tuple[str, ...]) -> Adjusted:
    both = sides.take(~sides.after), sides.take(sides.after)
    fewest = min(len(both[0].rows), len(both[1].rows))
    if fewest < FEWEST:
        raise Unanswerable(QUESTION, f"one side of the event has {fewest} rows, and {FEWEST} are needed to adjust")
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
        raise Unanswerable(QUESTION, f"not identifiable: no overlap in {', '.join(held)}; {why}")
    return mix


def _mixed(sides: Sides, mix: Adjusted) -> Sides:
    """The rows, in time order, with parts at one mix."""
    stacked = [
        np.vstack([getattr(mix.before, name), getattr(mix.after, name)]) for name in ("numerator", "denominator")
    ]
    return replace(sides, parts=replace(mix.before, numerator=stacked[0], denominator=stacked[1]))


def _when(fit: Interrupted, event: Happening) -> tuple[Refuter, ...]:
    """Refuters that ask when it happened."""
    found = broke(fit)
    timed = (placebo_dates(fit), break_date(found, fit.periods))
    return (*timed, alone(event.others, found, fit.periods)) if event.others else timed


def _trimmed(seen: Sides, mix: Adjusted | None, fit: Interrupted) -> tuple[Refuter, ...]:
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


def _between_groups(sides: Sides, asked: Asked, *, event: Happening, rng: np.random.Generator) -> Studied:
    """Groups that the event reached, less those that it did not."""
    labels = _labels(sides, asked)
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


def _labels(sides: Sides, asked: Asked) -> Any:
    """The group of each row; some have to be affected, and some not."""
    if not asked.groups or not asked.affected:
        hint = "give groups= with a column, and affected= with the groups that the event reached"
        raise InvalidCase.because(f"a {WORDS['did']} needs groups", place="affected", hint=hint)
    labels = as_labels(sides.rows[_column(sides, asked)])
    known = {str(label) for label in labels if isinstance(label, str)}
    for name in asked.affected:
        if name not in known:
            raise InvalidCase.because(f"no group {name!r}", place="affected", hint=did_you_mean(name, known))
    if known <= set(asked.affected):
        raise Unanswerable(
            QUESTION, "not identifiable: every group is affected, so that none shows what would have been"
        )
    for side, name in ((~sides.after, "before"), (sides.after, "after")):
        for reached in (True, False):
            if not (np.isin(labels[side], asked.affected) == reached).any():
                which = "affected" if reached else "unaffected"
                raise Unanswerable(QUESTION, f"not identifiable: no row of an {which} group lies {name} the event")
    return labels


def _column(sides: Sides, asked: Asked) -> str:
    """The one column of groups that has all those that the event reached, or the first."""
    columns = tuple(map(column_name, sides.rows.columns))
    for name in asked.groups:
        if name not in columns:
            raise InvalidCase.because(f"no column {name!r}", place="groups", hint=did_you_mean(name, columns))
    having = [name for name in asked.groups if set(asked.affected) <= set(as_labels(sides.rows[name]))]
    if len(having) > 1:
        what = f"{' and '.join(having)} have groups of these names"
        raise InvalidCase.because(what, place="groups", hint="name one of them, as groups=")
    return (having or list(asked.groups))[0]


def _placebos(others: Sides, labels: Any, asked: Asked) -> dict[str, Any]:
    """The same sum for unaffected groups, each against the other unaffected ones."""
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


# --- told -------------------------------------------------------------------------------------------------------------


def _told(windows: Windows, event: Happening, studied: Studied) -> Effect:
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
    """The metric of some rows; a gap with its sign, so that it may turn round."""
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
