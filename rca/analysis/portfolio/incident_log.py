"""Parse an incident log to UTC timestamps: column roles, the censoring time "now", and a list of data-quality issues.

Nothing is corrected silently. A duplicated row is counted once; an incident that comes again with other timestamps was
reopened, and lasts from its first beginning to its last end; both are listed, as is each timestamp that cannot be read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.portfolio.timestamps import UNKNOWN, Codes, Ticks, is_number, moment_of, ticks_of
from rca.arrays import Floats, Mask
from rca.errors import InvalidCase, did_you_mean
from rca.record.files.yaml_document import plain, show
from rca.record.log import AMOUNTS, FACTS, FINAL, SPELLINGS, STAMPS, field_of
from rca.record.schema.incident import SEQUENCE
from rca.tables.columns import column_name, encodable
from rca.tables.frames import as_pandas, column_names, open_table, require

LONGEST = 1e10
"""Largest valid duration of an incident, in seconds: three centuries."""

LISTED = 1000
"""Most incidents that an oddity names; its count is of all of them."""

BEGINNINGS = ("onset", "detected", "alerted", "start")
"""Timestamps that an incident may begin with, in the order of preference."""

OVER = frozenset({"closed", "resolved", "recovered", "done", "completed", "complete", "postmortem", "cancelled"})
"""Values of a status that mean that an incident is over."""

_NAMING = "name columns by moments, such as onset and recovered, or start and end; or say which is which: `columns`"

GROUPINGS = ("severity", "class", "category", "system", "quarter")


@dataclass(frozen=True, kw_only=True)
class Oddity:
    """A data-quality issue and the incidents that have it.

    Attributes
    ----------
    kind : str
        In words: `without length`, `negative`, `missing`, `out of order`, `unreadable`, `a placeholder`, …
    of : str
        The measure or the column.
    count : int
    incidents : tuple of str
        The first `LISTED` of them by name.
    """

    kind: str
    of: str
    count: int
    incidents: tuple[str, ...]

    def __str__(self) -> str:
        more = f" and {self.count - len(self.incidents):,} more" if self.count > len(self.incidents) else ""
        listed = f": {', '.join(self.incidents)}{more}" if self.incidents else ""
        return f"{self.count:,} {self.kind} ({self.of}){listed}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Incidents:
    """An incident log as timestamps, with labels, censoring times and data-quality issues.

    Attributes
    ----------
    names : ndarray of object, shape (n,)
    stamps : mapping of str to ndarray of int64, shape (n,)
        Moment → microseconds since 1970, `UNKNOWN` where it is not on record.
    amounts : ndarray of shape (n,) or None
        Lengths in seconds, where the log has those instead of moments.
    labels : mapping of str to (ndarray of int64, tuple of str)
        Grouping → code of each incident, -1 without one, and what the codes mean.
    began : ndarray of int64, shape (n,)
    over : ndarray of bool, shape (n,)
        Whether anything on record says that it has ended.
    until : ndarray of int64, shape (n,)
        Censoring time of each: its own `as_of`, else that of the log.
    as_of : int
        Censoring time of the log ("now"), `UNKNOWN` without any timestamp.
    read_as : mapping of str to str
        What was read → from which column.
    unused : tuple of str
        Columns that nothing was read from.
    oddities : tuple of Oddity
    """

    names: npt.NDArray[np.object_]
    stamps: Mapping[str, Ticks]
    amounts: Floats | None
    labels: Mapping[str, tuple[Codes, tuple[str, ...]]]
    began: Ticks
    over: Mask
    until: Ticks
    as_of: int
    read_as: Mapping[str, str]
    unused: tuple[str, ...]
    oddities: tuple[Oddity, ...]

    def __len__(self) -> int:
        return len(self.names)


def incidents_of(
    table: Any,
    *,
    as_of: datetime | str | None = None,
    zone: str | None = None,
    columns: Mapping[str, str] | str | None = None,
) -> Incidents:
    """Parse an incident log: timestamps in UTC, durations and labels, with data-quality issues listed.

    Parameters
    ----------
    table : frame of any engine, or path of Parquet files
        A row an incident. Columns are known by name: the moments of a case, `start`, `end`, `id`, `severity`,
        `class`, `category`, `system`, `status`, `as_of`, or a length as `seconds`, `minutes` or `hours`.
    as_of : datetime or str, optional
        What "now" is: what happened later is not known yet. The last stamp of the log where it is left out.
    zone : str, optional
        Zone of stamps that have no offset, such as `Europe/Berlin`; without it they are refused.
    columns : mapping of str to str, or str, optional
        What is read → its column, where the names do not say it: ``{"end": "finished"}`` or ``"end=finished"``.

    Raises
    ------
    InvalidCase
        If nothing can be read from it, a column comes twice, or stamps have no offset.

    Examples
    --------
    >>> start, end = ["2026-01-01T00:00Z"] * 2, ["2026-01-01T01:00Z", None]
    >>> log = pd.DataFrame({"id": ["a", "b"], "start": start, "end": end})
    >>> read = incidents_of(log)
    >>> read.over.tolist(), dict(read.read_as)
    ([True, False], {'id': 'id', 'start': 'start', 'end': 'end'})
    """
    asked = _asked(columns)
    assigned = _assigned(column_names(table), asked)
    require(open_table(table), assigned.values(), place="log")
    rows = as_pandas(table, tuple(dict.fromkeys(assigned.values())), place="log")
    rows = pd.DataFrame({name: rows[column] for name, column in assigned.items()}).reset_index(drop=True)
    odd: list[Oddity] = []
    numbers = [name for name in _stamps(rows) if name not in asked and is_number(rows[name])]
    rows = _measured(rows.drop(columns=numbers), zone, odd)
    if not any(name in rows for name in (*STAMPS, *AMOUNTS)):
        named = ", ".join(plain(assigned[name]) for name in numbers)
        though = f", though {named} may be: there are numbers in it" if named else ""
        raise InvalidCase.because(f"no column is a moment or a length{though}", place="log", hint=_NAMING)
    last = next((name for name in ("closed", "resolved", "recovered") if name in rows), None)
    if "start" in rows and "end" not in rows and last is not None:
        rows["end"], assigned["end"] = rows[last], assigned[last]
    read = {name: assigned[name] for name in map(str, rows) if name != "name"}
    unused = tuple(name for name in column_names(table) if name not in read.values())
    return _settled(rows, moment_of(as_of, place="as_of"), read=read, unused=unused, odd=odd)


def _stamps(rows: pd.DataFrame) -> list[str]:
    return [name for name in map(str, rows) if name in (*STAMPS, "as_of")]


def _measured(rows: pd.DataFrame, zone: str | None, odd: list[Oddity]) -> pd.DataFrame:
    """Parse the columns: facts to text, timestamps to microseconds, durations to seconds, and names."""
    texts = {name: _texts(rows[name]) for name in FACTS if name in rows}
    rows = rows.assign(**texts)
    names = _names(rows)
    for name in _stamps(rows):
        rows[name], lost, slip = ticks_of(rows[name], name, zone=zone)
        _note(odd, lost, names, kind="unreadable", of=name)
        _note(odd, slip, names, kind="a placeholder", of=name)
    for name in [name for name in AMOUNTS if name in rows]:
        known = rows[name].notna().to_numpy(bool)
        rows[name] = _sizes(rows[name], AMOUNTS[name])
        _note(odd, known & rows[name].isna().to_numpy(bool), names, kind="unreadable", of=name)
    return rows.assign(name=names)


def _asked(columns: Mapping[str, str] | str | None) -> dict[str, str]:
    """Parse the mapping of fields to columns, as given.

    >>> _asked("end = finished, id=ticket")
    {'end': 'finished', 'id': 'ticket'}
    """
    if not isinstance(columns, str):
        return dict(columns or {})
    pairs = (part.partition("=") for part in columns.split(",") if part.strip())
    return {name.strip(): column.strip() for name, _, column in pairs}


def _assigned(known: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Map fields to columns: as given, else by name, in the order of preference of its spellings."""
    for name, column in given.items():
        if name not in SPELLINGS:
            raise InvalidCase.because(f"nothing called {show(name)} is read", place="columns", hint=_near(name))
        if column not in known:
            hint = did_you_mean(plain(column), map(plain, known))
            raise InvalidCase.because(f"no column {show(column)}", place=f"columns, {name}", hint=hint)
    found: dict[str, tuple[int, str]] = {}
    for column in known:
        spelled = field_of(column)
        if spelled is not None and (spelled[0] not in found or spelled[1] < found[spelled[0]][0]):
            found[spelled[0]] = spelled[1], column
    best = {name: column for name, (_, column) in found.items()}
    best.update(given)
    return {name: best[name] for name in SPELLINGS if name in best}


def _near(name: str) -> str:
    return did_you_mean(plain(name), SPELLINGS)


def _names(rows: pd.DataFrame) -> pd.Series:
    """Name of each incident: its id, or else its row."""
    said = rows["id"] if "id" in rows else pd.Series(None, index=rows.index, dtype=object)
    nameless = said.isna().to_numpy(bool) | (said == "").to_numpy(bool, na_value=False)
    named = said.astype(object).to_numpy().copy()
    named[nameless] = [f"row {at + 1}" for at in np.flatnonzero(nameless).tolist()]
    return pd.Series(named, index=rows.index, dtype=object)


def _texts(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Coerce to text, one spelling a value; missing stays missing."""
    if isinstance(values.dtype, pd.StringDtype):
        return values
    known = values.notna()
    if pd.api.types.is_float_dtype(values) and (values[known] % 1 == 0).all():
        values = values.astype("Int64")
    said = [encodable(str(value)) if here else None for value, here in zip(values, known, strict=True)]
    return pd.Series(said, index=values.index, dtype=object)


# --- what is odd -----------------------------------------------------------------------------------------------------


def _note(odd: list[Oddity], mask: Mask, names: Iterable[Any], *, kind: str, of: str) -> None:
    """Append the incidents of a mask as an oddity, if any."""
    count = int(np.count_nonzero(mask))
    if count:
        first = np.flatnonzero(mask)[:LISTED]
        listed = np.asarray(names, dtype=object)[first]
        odd.append(Oddity(kind=kind, of=of, count=count, incidents=tuple(map(str, listed))))


def oddity(incidents: Incidents, mask: Mask, *, kind: str, of: str) -> tuple[Oddity, ...]:
    """The incidents of a mask as an oddity; none without any.

    Parameters
    ----------
    mask : ndarray of bool, shape (incidents,)
    """
    odd: list[Oddity] = []
    _note(odd, mask, incidents.names, kind=kind, of=of)
    return tuple(odd)


def _settled(
    rows: pd.DataFrame, as_of: int, *, read: dict[str, str], unused: tuple[str, ...], odd: list[Oddity]
) -> Incidents:
    """Deduplicate the log and truncate it to what was known at the censoring time."""
    if "id" in rows:
        rows = _once(rows, odd)
    stamps = {name: rows[name].to_numpy(np.int64) for name in STAMPS if name in rows}
    own = rows["as_of"].to_numpy(np.int64) if "as_of" in rows else np.full(len(rows), UNKNOWN)
    last = max((int(ticks.max()) for ticks in (own, *stamps.values()) if len(ticks)), default=UNKNOWN)
    now = last if as_of == UNKNOWN else as_of
    began = _first(stamps, BEGINNINGS, len(rows))
    if as_of != UNKNOWN:
        later = began > now
        _note(odd, later, rows["name"], kind="left out, not begun then", of="as of")
        rows, began, own = rows[~later], began[~later], own[~later]
        stamps = {name: np.where(ticks[~later] > now, UNKNOWN, ticks[~later]) for name, ticks in stamps.items()}
    until = np.where(own == UNKNOWN, now, np.minimum(own, now))
    over = np.any([stamps[name] != UNKNOWN for name in FINAL if name in stamps] or [np.zeros(len(rows), bool)], axis=0)
    if "status" in rows and as_of == UNKNOWN:
        over |= rows["status"].fillna("").astype(str).str.strip().str.lower().isin(OVER).to_numpy(bool)
    _order(stamps, rows["name"], odd)
    return Incidents(
        names=rows["name"].to_numpy(object),
        stamps=stamps,
        amounts=next((rows[name].to_numpy(float) for name in AMOUNTS if name in rows), None),
        labels=_labels(rows, began),
        began=began,
        over=over,
        until=until,
        as_of=now,
        read_as=read,
        unused=unused,
        oddities=tuple(odd),
    )


def _once(rows: pd.DataFrame, odd: list[Oddity]) -> pd.DataFrame:
    """Deduplicate: drop repeated rows, and merge the rows of reopened incidents."""
    known = rows["id"].notna() & (rows["name"] != "")
    twice = known & rows["name"].duplicated(keep=False)
    if not twice.any():
        return rows
    again = rows[twice]
    copies = again.duplicated(keep="first")
    _note(odd, copies.to_numpy(bool), again["name"], kind="counted once, the row comes again", of="id")
    apart = again[~copies]
    several = apart["name"].duplicated(keep=False)
    merged = _merged(apart[several])
    _note(odd, np.ones(len(merged), bool), merged["name"], kind="reopened, the id comes with other stamps", of="id")
    return pd.concat([rows[~twice], apart[~several], merged]).sort_index()


def _merged(rows: pd.DataFrame) -> pd.DataFrame:
    """Merge the rows of each incident: earliest beginnings, latest ends; it is over if its last row is."""
    if rows.empty:
        return rows
    began = _first({name: rows[name].to_numpy(np.int64) for name in STAMPS if name in rows}, BEGINNINGS, len(rows))
    rows = rows.iloc[np.argsort(began, kind="stable")]
    by = rows.groupby("name", sort=False)
    late = [name for name in ("contained", "mitigated", "eradicated", *FINAL) if name in rows]
    early = [name for name in STAMPS if name in rows and name not in late]
    merged = by.last()
    last = rows.drop_duplicates("name", keep="last").set_index("name").reindex(merged.index)
    running = (last[[name for name in FINAL if name in rows]] == UNKNOWN).all(axis=1)
    for name in early:
        merged[name] = rows[name].where(rows[name] != UNKNOWN, np.iinfo(np.int64).max).groupby(rows["name"]).min()
        merged[name] = merged[name].where(merged[name] != np.iinfo(np.int64).max, UNKNOWN)
    for name in late:
        merged[name] = by[name].max()
        if name in FINAL:
            merged[name] = merged[name].where(~running, UNKNOWN)
    for name in AMOUNTS:
        if name in rows:
            merged[name] = by[name].sum(min_count=1)
    places = pd.Series(rows.index, index=rows["name"]).groupby(level=0).min()
    merged = merged.reset_index()
    return merged.set_index(pd.Index(merged["name"].map(places)))[list(rows.columns)]


def _first(stamps: Mapping[str, Ticks], order: Iterable[str], rows: int) -> Ticks:
    """First of some timestamps that is on record, in the order given; else the first other one on record."""
    found = np.full(rows, UNKNOWN)
    for name in order:
        if name in stamps:
            found = np.where(found == UNKNOWN, stamps[name], found)
    for ticks in stamps.values():
        found = np.where(found == UNKNOWN, ticks, found)
    return found


def _order(stamps: Mapping[str, Ticks], names: Iterable[Any], odd: list[Oddity]) -> None:
    """List pairs of timestamps that are in an impossible order."""
    known = [name for name in SEQUENCE if name in stamps]
    for place, later in enumerate(known):
        for earlier in known[:place]:
            first, second = stamps[earlier], stamps[later]
            wrong = (first != UNKNOWN) & (second != UNKNOWN) & (second < first)
            _note(odd, wrong, names, kind="out of order", of=f"{later} before {earlier}")


def _sizes(values: "pd.Series[Any]", unit: float) -> Floats:
    """Durations given as numbers, in seconds; NaN where missing or beyond `LONGEST`."""
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(float, na_value=np.nan)
    sound = np.abs(numbers) < LONGEST / unit
    return np.where(sound, np.round(np.where(sound, numbers, 0.0) * unit, 6), np.nan)


def _labels(rows: pd.DataFrame, began: Ticks) -> dict[str, tuple[Codes, tuple[str, ...]]]:
    """Grouping variables as codes: severity, class, category, system and quarter."""
    found = {}
    for name in GROUPINGS[:-1]:
        if name in rows:
            codes, distinct = pd.factorize(rows[name], sort=True)
            found[name] = codes.astype(np.int64), tuple(map(column_name, distinct))
    if (began != UNKNOWN).any():
        months = np.where(began == UNKNOWN, 0, began).astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
        first = months // 3
        quarters = np.unique(first[began != UNKNOWN])
        spelled = tuple(f"{1970 + at // 4}-Q{at % 4 + 1}" for at in quarters.tolist())
        found["quarter"] = np.where(began == UNKNOWN, -1, np.searchsorted(quarters, first)), spelled
    return found
