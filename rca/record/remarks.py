"""What is odd about a sound case: ids that come twice, windows that overlap, numbers that became text.

None of it is an error, and every analysis goes on; but each may be what went wrong, or make an answer mean something
else than it seems to.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rca.errors import Problem
from rca.record.case import Case
from rca.record.files.table_files import Table
from rca.record.files.yaml_document import show
from rca.record.why_tree.evidence import Known

if TYPE_CHECKING:
    import pandas as pd

    Frames = Mapping[str, pd.DataFrame]

COPIED = 0.005
"""Share of the rows that are copies of others, from which they are remarked on."""

SHARED = 0.05
"""Likewise, of current rows that are rows of the reference too."""

NUMBERS = 0.9
"""Share of a text column's known cells that are numbers, from which it was meant to be a number."""

AT_ONCE = 0.01
"""Share of the window's time within which an onset lies at its beginning."""

Remarks = Iterator[Problem]


def remarks(case: Case) -> list[Problem]:
    """What is odd about the rows of both windows of a case that `check` calls sound.

    Parameters
    ----------
    case : Case

    Returns
    -------
    list of Problem
        Each with its place in the record, and what it would mean.
    """
    tables = {name: case.table(name) for name in ("reference", "current")}
    frames = {name: table.read() for name, table in tables.items() if table is not None}
    known = {name: table for name, table in tables.items() if table is not None}
    hashes = _hashes(case, frames)
    return [
        *_doubled(case, frames),
        *_copies(case, hashes),
        *_order(case, frames),
        *_shared(case, hashes),
        *_texts(case, frames),
        *_onset(case, frames),
        *_unused(case, known, frames),
        *_unasked(case, frames),
        *_nowhere(case),
    ]


def _doubled(case: Case, frames: "Frames") -> Remarks:
    """Ids that more than one row has."""
    for name, frame in frames.items():
        twice = int(frame[case.roles.id].duplicated(keep=False).sum()) if case.roles.id in frame else 0
        if twice:
            what = f"{twice:,} of {len(frame):,} {name} rows share their {show(case.roles.id)} with another"
            yield Problem(what=what, place=case.record.place("data", "id"), hint="an id names one row and no other")


def _hashes(case: Case, frames: "Frames") -> "Mapping[str, pd.Series[Any]]":
    """A number for each row that rows share which are equal in every column that all windows have, but the id.

    Windows in which equal rows can well be chance have none: no column tells half of their rows apart.
    """
    import pandas as pd

    columns = [name for name in next(iter(frames.values()), {}) if all(name in frame for frame in frames.values())]
    found = {}
    for name, frame in frames.items():
        told = {
            column: frame[column].astype(float) if _is_number(frame[column]) else frame[column].astype(str)
            for column in columns
            if column != case.roles.id
        }
        if max((values.nunique() for values in told.values()), default=0) > len(frame) / 2:
            found[name] = pd.util.hash_pandas_object(pd.DataFrame(told), index=False)
    return found


def _copies(case: Case, hashes: "Mapping[str, pd.Series[Any]]") -> Remarks:
    """Rows that are equal to others in everything but their id, where chance would not make them so."""
    for name, rows in hashes.items():
        copies = int(rows.duplicated().sum())
        if copies > COPIED * len(rows):
            what = f"{copies:,} of {len(rows):,} {name} rows are copies of others"
            hint = "a join that met twice, or a file that was read twice?"
            yield Problem(what=what, place=case.record.place("data", name), hint=hint)


def _order(case: Case, frames: "Frames") -> Remarks:
    """Windows that are reversed, or overlap."""
    if len(frames) < 2 or case.roles.time is None:
        return
    times = {name: frame[case.roles.time].dropna() for name, frame in frames.items()}
    if any(one.empty for one in times.values()):
        return
    before, after = times["reference"], times["current"]
    place = case.record.place("data", "reference")
    if before.min() > after.max():
        what = f"the reference begins on {_day(before.min())}, after the last current row ({_day(after.max())})"
        yield Problem(what=what, place=place, hint="is `reference` the time when all was well, or after the repair?")
    elif after.min() <= before.max():
        within = int((after <= before.max()).sum())
        what = f"{within:,} of {len(after):,} current rows are from before the last one of the reference"
        yield Problem(what=what, place=place, hint="windows that overlap hide a part of the change in the reference")


def _shared(case: Case, hashes: "Mapping[str, pd.Series[Any]]") -> Remarks:
    """Current rows that the reference has as well."""
    if len(hashes) < 2:
        return
    both = int(hashes["current"].isin(hashes["reference"]).sum())
    if both > SHARED * len(hashes["current"]):
        what = f"{both:,} of {len(hashes['current']):,} current rows are rows of the reference too"
        yield Problem(what=what, place=case.record.place("data", "current"), hint="is it the right file?")


def _texts(case: Case, frames: "Frames") -> Remarks:
    """Columns of numbers in which some cells are text."""
    for column in case.roles.features:
        held = {name: frame[column] for name, frame in frames.items() if column in frame}
        for name, values in held.items():
            words, others = _words(values), [one for other, one in held.items() if other != name]
            share = 1 - len(words) / max(int(values.notna().sum()), 1)
            usual = bool(others) and all(_is_number(one) for one in others)
            if len(words) and (share >= NUMBERS or (usual and not _is_number(values))):
                some = ", ".join(show(str(word)) for word in words.value_counts().index[:3])
                what = f"{len(words):,} of {len(values):,} cells of {show(column)} hold no number in the {name} table"
                hint = "a placeholder? they count as missing, or as text that came where numbers were"
                yield Problem(what=f"{what}, such as {some}", place=case.record.place("data", name), hint=hint)


def _words(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Cells of a text column that are no numbers; none where the column is of another type."""
    import pandas as pd

    if not (pd.api.types.is_object_dtype(values) or pd.api.types.is_string_dtype(values)):
        return values.iloc[:0]
    text = values[[isinstance(value, str) for value in values]]
    return text[pd.to_numeric(text, errors="coerce").isna()]


def _is_number(values: "pd.Series[Any]") -> bool:
    import pandas as pd

    return pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype)


def _onset(case: Case, frames: "Frames") -> Remarks:
    """A current window that begins when, or after, it is known to have begun."""
    moment, time = case.incident.timeline.onset, case.roles.time
    if moment is None or time is None or "current" not in frames:
        return
    times = frames["current"][time].dropna()
    if times.empty or moment > times.min() + AT_ONCE * (times.max() - times.min()):
        return
    what = f"the current window begins on {_day(times.min())}, no earlier than the incident ({_day(moment)})"
    hint = "with some days from before it the data could date the onset"
    yield Problem(what=what, place=case.record.place("data", "current"), hint=hint)


def _unused(case: Case, tables: Mapping[str, Table], frames: "Frames") -> Remarks:
    """Rows of a table that its window leaves out, and no other window takes."""
    for name, table in tables.items():
        taken = any(set(other.files) & set(table.files) for other in tables.values() if other is not table)
        if taken or not (table.start or table.end):
            continue
        left = len(replace(table, time=None, start=None, end=None).read()) - len(frames[name])
        if left:
            what = f"{left:,} rows of the {name} table lie outside of its `from` and `to`, and are not used"
            yield Problem(what=what, place=case.record.place("data", name))


def _unasked(case: Case, frames: "Frames") -> Remarks:
    """A model on file that cannot be asked of the rows, as one that reads codes where the table has text."""
    for name, frame in frames.items() if case.model is not None else ():
        if case.model is not None and (why := case.model.refusal(frame)):
            what = f"the model cannot be asked of the {name} rows: {why}"
            hint = "answers on record are used in its place; give it in a format that reads the table as it is"
            yield Problem(what=what, place=case.record.place("model", "path"), hint=hint)
            return


def _nowhere(case: Case) -> Remarks:
    """Evidence that names a moment or an event of the timeline which is not on record."""
    known = Known.of(case.incident)
    for at, cited in _cited(case.record.value):
        if cited.startswith("timeline.") and cited not in known:
            what = f"the evidence {show(cited)} names no moment and no event of the timeline"
            yield Problem(what=what, place=case.record.place(*at), hint=known.hint(cited))


def _cited(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text below a key `evidence`, with the way to it."""
    held = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, one in held:
        if isinstance(one, str) and "evidence" in at:
            yield (*at, key), one
        yield from _cited(one, (*at, key))


def _day(moment: Any) -> str:
    return f"{moment.day} {moment:%b %Y %H:%M}"
