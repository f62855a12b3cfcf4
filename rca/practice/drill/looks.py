"""What a team can look at: the suite's own questions, asked of the data that have come by then."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd

from rca.analysis.cascade.question import cascade
from rca.analysis.conclusion.verdict import Verdict, weigh_cascade, weigh_windows
from rca.analysis.drift.question import drift_of
from rca.analysis.faults.question import faults_of
from rca.analysis.harm.question import harm_of
from rca.analysis.inputs.windows import Windows, measured_of, windows_from
from rca.analysis.slices.question import slices_of
from rca.errors import Unanswerable
from rca.practice.drill.hidden import PARTS_A_MINUTE, Contained, Hidden
from rca.record.obligations.duties import Duties, duties
from rca.report.rendering.plain_text import number

LOOKS = {
    "metric": (10, "the metric before and now, and how many rows a day come in"),
    "drift": (15, "which columns moved"),
    "faults": (20, "which columns broke in a way that has a name"),
    "slices": (20, "in which rows the metric got worse"),
    "harm": (40, "what did the harm, and how sure that is: the verdict of the suite"),
    "cascade": (30, "of a line: which system left its range first"),
    "duties": (20, "which reporting duties run on the facts on record, and until when"),
}
"""Questions, the minutes that an answer takes, and what each says."""

TABLES, LINES = ("metric", "drift", "faults", "slices", "harm", "duties"), ("metric", "cascade", "duties")
"""What can be asked of tables, and of a line."""

RECENT = pd.Timedelta(hours=12)
"""What counts as the last hours."""

SURE = {"shown": 0.95, "suggested": 0.85, "assumed": 0.4}
"""How sure the reference team is of a cause, by how strongly the suite supports it."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a question says; the names that it accuses, the first ones first; and how sure it is."""

    text: str
    names: tuple[str, ...] = ()
    sure: float = 0.0
    excess: float | None = None


def look(hidden: Hidden, question: str, *, minute: int, contained: Contained) -> Answer:
    """Ask one of `LOOKS` of what has come by a minute."""
    if question == "duties":
        return _duties(duties(hidden.incident, (hidden.begins + pd.Timedelta(minutes=minute)).to_pydatetime()))
    rows = hidden.seen(minute, contained)
    try:
        return (
            _of_line(hidden, question, rows, contained=contained) if hidden.line else _of_table(hidden, question, rows)
        )
    except Unanswerable as error:
        return Answer(text=f"cannot be said: {error}")


def _duties(found: Duties) -> Answer:
    """The duties that run, and what would have to be known to say more."""
    told = [str(one) for one in found.clear] or ["no duty runs on these facts"]
    names = tuple(one.rule for one in found.clear if one.deadline is not None)
    return Answer(text="\n".join([*told, *map(str, found.questions[:2])]), names=names)


def owed(hidden: Hidden) -> dict[str, pd.Timestamp]:
    """The duties whose clocks run on the facts on record, with their deadlines."""
    found = duties(hidden.incident, hidden.begins.to_pydatetime())
    return {one.rule: pd.Timestamp(one.deadline) for one in found.clear if one.deadline is not None}


# --- tables ----------------------------------------------------------------------------------------------------------


def _of_table(hidden: Hidden, question: str, rows: pd.DataFrame) -> Answer:
    windows = windows_from(hidden.reference, rows, **hidden.asked)
    if question == "metric":
        return _metric(windows, rows, hidden)
    drift = drift_of(windows)
    if question == "drift":
        return Answer(text=str(drift), names=drift.moved())
    faults = faults_of(windows, drift)
    if question == "faults":
        return Answer(text=str(faults), names=tuple(one.column for one in faults.broken))
    slices = slices_of(windows, measured_of(windows), seed=0)
    if question == "slices":
        return Answer(text=str(slices) if slices is not None else "no slice can be told apart")
    return accusing(weigh_windows(harm_of(windows, drift, faults, slices=slices, seed=0), slices=slices))


def accusing(verdict: Verdict) -> Answer:
    """A verdict as an answer: its sentence, and its first causes with how strongly each is supported."""
    causes = verdict.causes[:4]
    told = [f"  {one.kind} {one.name}{f' ({one.fault})' if one.fault else ''}: {one.strength}" for one in causes]
    return Answer(
        text="\n".join([str(verdict), *told]), names=tuple(one.name for one in causes),
        sure=SURE[causes[0].strength] if causes else 0.0,
    )  # fmt: skip


def _metric(windows: Windows, rows: pd.DataFrame, hidden: Hidden) -> Answer:
    """The metric of all rows, and by how many cases a day the last hours are worse than the reference."""
    time = rows[hidden.time]
    last = rows[time > time.max() - RECENT]
    now, before = (hurt(part, windows) for part in (last, hidden.reference))
    a_day = len(last) / (RECENT / pd.Timedelta(days=1))
    more = (now - before) * a_day
    return Answer(
        text=f"{measured_of(windows)}; in the last {RECENT / pd.Timedelta(hours=1):.0f} hours about {more:.0f} cases a "
        f"day more than before, of {a_day:,.0f} rows a day; last row {time.max():%a %H:%M}",
        excess=float(more),
    )  # fmt: skip


def hurt(rows: pd.DataFrame, windows: Windows) -> float:
    """Share of all rows that the metric counts as bad; of a gap between groups, of those in either group."""
    metric, roles = windows.metric, windows.roles
    if metric.column is not None:
        return float(rows[metric.column].mean())
    truth, said = (rows[str(name)] == roles.positive for name in (roles.label, roles.prediction))
    wrong = {"false_positive_rate": ~truth & said, "false_negative_rate": truth & ~said}
    return float(wrong.get(metric.of or metric.name, truth != said).mean())


# --- lines -----------------------------------------------------------------------------------------------------------


def _of_line(hidden: Hidden, question: str, rows: pd.DataFrame, *, contained: Contained) -> Answer:
    target, time = str(hidden.asked["target"]), rows[hidden.time]
    if question == "metric":
        before, now = hidden.reference[target].mean(), rows[time > time.max() - pd.Timedelta(minutes=30)][target].mean()
        more = (now - before) * PARTS_A_MINUTE * 1440
        said = f"{target}: {number(before)} in normal times, {number(now)} in the last 30 minutes"
        return Answer(text=f"{said}; about {more:.0f} parts a day more than before", excess=float(more))
    since = pd.Timestamp(hidden.asked["since"])
    ended = hidden.begins + pd.Timedelta(minutes=min([360, *(minute for minute, _ in contained)]))
    table = pd.concat([hidden.reference, rows[(time >= since) & (time <= ended)]])
    found = cascade(table, **hidden.asked)
    drawn = {name for edge in hidden.asked["graph"] for name in edge}
    told, able = accusing(weigh_cascade(found)), {one.component for one in found.suspects if one.upstream} & drawn
    names = tuple(name for name in told.names if name in able)
    return replace(
        told, names=names, sure=told.sure if names[:1] == told.names[:1] else min(told.sure, SURE["assumed"])
    )


def known_names(hidden: Hidden) -> Iterator[str]:
    """Everything in the data or the record that could be named as a cause."""
    columns = hidden.broken.columns
    yield from (str(name).partition("|")[0] if hidden.line else str(name) for name in columns)
    yield from (one.name for one in hidden.incident.systems)
