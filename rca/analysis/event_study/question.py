"""Public question on the effect of an event: an event study of a case, or of plain tables and a moment."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack, get_args

import numpy as np
import pandas as pd

from rca.analysis.causal.graph_columns import edges_of
from rca.analysis.event_study.designs import Design
from rca.analysis.event_study.effect import Effect
from rca.analysis.event_study.estimation import study
from rca.analysis.event_study.event import EventReference, event_reference
from rca.analysis.event_study.pre_post_rows import Asked
from rca.analysis.inputs.arguments import Comparison, Names, names_of, seeded, spelled_out
from rca.analysis.inputs.windows import Windows, windows_from, windows_of
from rca.errors import InvalidCase
from rca.methods.boosted_trees import on_one_thread
from rca.methods.seasonality import seconds_of
from rca.tables.columns import as_labels
from rca.tables.frames import as_pandas

if TYPE_CHECKING:
    from rca.record.case import Case

DESIGN_HINT = "give 'its', 'did' or 'before_after', or leave it out"


class EventStudy(Comparison, total=False):
    """What else is said of an event: how its effect is estimated, and what it touched."""

    design: str | None
    covariates: Names
    affected: Names
    every: Any
    refute: bool
    level: float


@spelled_out(EventStudy)
@on_one_thread
def effect(
    case: "Case | Any",
    current: Any = None,
    *,
    event: Any,
    seed: int = 0,
    **keywords: Unpack[EventStudy],
) -> Effect:
    """Event study (ITS, DiD or before-after): mean effect of an event on the metric, with interval and refuters.

    Parameters
    ----------
    case : Case or table
    current : table, optional
        More rows of the same columns; of plain tables one is enough, as they are split at the event.
    event : datetime or str
        A moment with an offset; of a case also words that name an event of its timeline.
    seed : int
        Of what refuters draw.
    **keywords
        `design` ('its', 'did' or 'before_after'; the strongest that applies where left out); `covariates`, columns that
        the event does not change and whose distribution is held fixed; `affected`, the groups that it reached, of the
        column `groups`; `every`, the length of a period such as "1D"; `graph`, of cause and effect, in which the event
        is the node "event"; `refute` and `level`. Of plain tables also metric, time and the other roles, as
        `windows_from` takes them.

    Raises
    ------
    InvalidCase
        If an argument is not what it has to be, or the graph has a cycle.
    Unanswerable
        If the event lies outside the data, or what it did is not identifiable; it says why.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> hours = pd.date_range("2026-02-01", periods=24 * 50, freq="h", tz="UTC")
    >>> wrong = rng.random(len(hours)) < np.where(hours < "2026-03-01", 0.1, 0.3)
    >>> rows = pd.DataFrame({"at": hours, "wrong": wrong})
    >>> found = effect(rows, event="2026-03-01T00:00Z", metric={"name": "rate", "column": "wrong"}, time="at")
    >>> print(found.estimate.words, found.say(found.effect))
    interrupted time series +25.9 points (16.6 to 35.4)
    """
    asked: dict[str, Any] = {**keywords}
    known = _case(case) if current is None else None
    given = {name: asked.pop(name) for name in (*ASKED, *(("groups",) if known is not None else ())) if name in asked}
    if known is not None:
        _require_none(asked)
        happened = event_reference(event, known.incident.timeline.events)
        windows = _of_case(known, happened)
        graph = known.graph if known.graph is not None and known.graph.kind == "causal" else None
    else:
        happened, windows, graph = event_reference(event), _of_tables(case, current, asked), None
    if known is not None:
        given.setdefault("groups", known.roles.groups)
    return study(windows, happened, _asked(given, asked, graph), rng=seeded(seed))


ASKED = ("design", "covariates", "affected", "every", "graph", "refute", "level")
"""Arguments that are no roles."""


def _case(given: Any) -> "Case | None":
    from rca.record.case import Case

    return given if isinstance(given, Case) else None


def _require_none(asked: Mapping[str, Any]) -> None:
    if asked:
        raise InvalidCase.because(f"a case names its own {min(asked)}", place="arguments", hint="leave it out")


def _of_case(case: "Case", event: EventReference) -> Windows:
    """Both windows of a case; for an event after them the failing rows and those after the repair."""
    windows, time = windows_of(case), case.roles.time
    later = case.recovered
    if time is None or later is None or not len(windows.current):
        return windows
    if seconds_of(windows.current[time]).max() >= event.at.timestamp():
        return windows
    return replace(windows, reference=windows.current, current=later.reset_index(drop=True))


def _of_tables(table: Any, more: Any, asked: Mapping[str, Any]) -> Windows:
    rows = as_pandas(table, None, place="table")
    if asked.get("time") is None:
        hint = "name the column of times, as time="
        raise InvalidCase.because("time is missing: the column that dates the rows", place="time", hint=hint)
    both = rows if more is None else as_pandas(more, None, place="current")
    windows = windows_from(rows, both, **asked)
    return windows if more is not None else _alone(windows)


def _alone(windows: Windows) -> Windows:
    """A single table as two windows: all its rows in the first."""
    return replace(windows, current=windows.current.iloc[:0])


def _asked(given: Mapping[str, Any], roles: Mapping[str, Any], graph: Any) -> Asked:
    design = given.get("design")
    if design is not None and design not in get_args(Design):
        what = f"design must be 'its', 'did' or 'before_after', got {design!r}"
        raise InvalidCase.because(what, place="design", hint=DESIGN_HINT)
    groups, affected = given.get("groups", roles.get("groups")), given.get("affected")
    covariates, drawn = given.get("covariates"), given.get("graph", graph)
    return Asked(
        design=design,
        covariates=None if covariates is None else tuple(dict.fromkeys(names_of(covariates, place="covariates"))),
        groups=() if groups is None else names_of(groups, place="groups"),
        affected=() if affected is None else _spelled(affected),
        every=_every(given.get("every")),
        edges=() if drawn is None else edges_of(drawn),
        refute=bool(given.get("refute", True)),
        level=_level(given.get("level", 0.95)),
    )


def _spelled(given: Any) -> tuple[str, ...]:
    """Groups as their columns are read: 1 and 1.0 are the same."""
    several = list(given) if isinstance(given, list | tuple | set | frozenset) else [given]
    if not several:
        what = f"affected must name at least one group, got {given!r}"
        raise InvalidCase.because(what, place="affected", hint="give those that the event reached")
    return tuple(map(str, as_labels(pd.Series(several, dtype=object))))


def _every(given: Any) -> float | None:
    """The length of a period in seconds."""
    if given is None:
        return None
    try:
        seconds = float(pd.Timedelta(given).total_seconds())
    except (ValueError, TypeError, OverflowError):
        seconds = float("nan")
    if not seconds > 0 or isinstance(given, int | float):
        hint = "give one such as '1D', '6h' or '10min'"
        raise InvalidCase.because(f"every must be a length of time above 0, got {given!r}", place="every", hint=hint)
    return seconds


def _level(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float | np.number) or not 0 < given < 1:
        hint = "give a number between 0 and 1, such as 0.95"
        raise InvalidCase.because(f"level must lie between 0 and 1, got {given!r}", place="level", hint=hint)
    return float(given)
