"""Rows before and after an event: which count, their side and period, and which groups the event reached."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.event_study.designs import WORDS, Design
from rca.analysis.event_study.event import EventReference
from rca.analysis.event_study.identification import EFFECT_QUESTION, Edges
from rca.analysis.event_study.period_series import Periods, length_for, pair_of, periods_of
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Mask
from rca.errors import InvalidCase, Unanswerable, did_you_mean
from rca.methods.metric import Parts
from rca.methods.seasonality import seconds_of
from rca.record.durations import span_in_words
from rca.tables.columns import as_labels, column_name

MIN_ROWS = 10
"""Rows that count, on either side of the event, below which nothing is said."""

MANY = 1000
"""Periods that are regressed, at most."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Options of an event study.

    Attributes
    ----------
    design : {'its', 'did', 'before_after'} or None
        The strongest that applies where left out.
    covariates : tuple of str or None
        Columns that the event does not change, whose distribution is to be held fixed; None leaves it to the graph.
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
class PrePostRows:
    """All rows in time order with their parts of the metric, split at the event.

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

    def take(self, kept: Mask) -> "PrePostRows":
        """Some of the rows."""
        rows = self.rows[kept].reset_index(drop=True)
        return replace(self, rows=rows, seconds=self.seconds[kept], parts=self.parts.take(kept))

    def periods(self) -> Periods:
        """The metric of each period."""
        return periods_of(self.parts, self.seconds, event=self.event, length=self.length)


def pre_post_rows(windows: Windows, event: EventReference, asked: Asked) -> PrePostRows:
    """The rows that count and have a time, split at the event into before and after."""
    time = windows.roles.time
    if time is None:
        raise Unanswerable(EFFECT_QUESTION, "the rows have no time: no column is named as `time`")
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
    return PrePostRows(rows=rows, seconds=seconds[order], parts=parts.take(order), event=at, length=length)


def _require_few(seconds: Floats, length: float) -> None:
    many = len(np.unique(seconds // length))
    if many > MANY:
        hint = "give a longer one, or leave it out"
        raise InvalidCase.because(f"rows lie in {many} periods of {span_in_words(length)}", place="every", hint=hint)


def _wanted(windows: Windows, asked: Asked) -> list[str]:
    """Columns that the study reads, so that no others are copied."""
    roles = windows.roles
    named = {roles.time, roles.weight, *windows.meter.read, *roles.groups, *asked.groups, *(asked.covariates or ())}
    named |= {node for edge in asked.edges for node in edge}
    return [name for name in windows.reference.columns if name in named]


def _require_both(seconds: Floats, at: float, what: str) -> None:
    before, after = int((seconds < at).sum()), int((seconds >= at).sum())
    if not before or not after:
        side = "before" if not before else "after"
        raise Unanswerable(EFFECT_QUESTION, f"no {what} lie {side} the event: it is outside the data")
    if min(before, after) < MIN_ROWS:
        why = (
            f"only {before} {what} lie before the event and {after} after it, and {MIN_ROWS} are needed on either side"
        )
        raise Unanswerable(EFFECT_QUESTION, why)


# --- groups -----------------------------------------------------------------------------------------------------------


def labels_of(sides: PrePostRows, asked: Asked) -> Any:
    """Group of each row for DiD; some have to be affected (treated), and some not (control)."""
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
            EFFECT_QUESTION, "not identifiable: every group is affected, so that none shows what would have been"
        )
    for side, name in ((~sides.after, "before"), (sides.after, "after")):
        for reached in (True, False):
            if not (np.isin(labels[side], asked.affected) == reached).any():
                which = "affected" if reached else "unaffected"
                raise Unanswerable(
                    EFFECT_QUESTION, f"not identifiable: no row of an {which} group lies {name} the event"
                )
    return labels


def _column(sides: PrePostRows, asked: Asked) -> str:
    """The one group column that has all affected groups as values, or the first."""
    columns = tuple(map(column_name, sides.rows.columns))
    for name in asked.groups:
        if name not in columns:
            raise InvalidCase.because(f"no column {name!r}", place="groups", hint=did_you_mean(name, columns))
    having = [name for name in asked.groups if set(asked.affected) <= set(as_labels(sides.rows[name]))]
    if len(having) > 1:
        what = f"{' and '.join(having)} have groups of these names"
        raise InvalidCase.because(what, place="groups", hint="name one of them, as groups=")
    return (having or list(asked.groups))[0]
