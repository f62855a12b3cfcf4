"""Incident log: a folder of cases, or a table with a row an incident, as one table of moments."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rca.errors import InvalidCase, Problem
from rca.record.case import Case
from rca.record.files.case_folder import RECORD
from rca.record.files.table_files import FORMATS, Table
from rca.record.files.yaml_document import plain, show
from rca.record.schema.incident import MOMENTS, Incident
from rca.record.schema.why_tree import Why

if TYPE_CHECKING:
    import pyarrow as pa

STAMPS = ("deployed", *MOMENTS, "start", "end")
"""Moments that a log may have: those of a case, when what failed was deployed, and start and end, which say less."""

FINAL = ("recovered", "resolved", "closed", "end")
"""Moments after which an incident is over."""

AMOUNTS = {"seconds": 1.0, "minutes": 60.0, "hours": 3600.0}
"""Columns that hold lengths rather than moments, and how many seconds one of them has."""

FACTS = ("id", "severity", "class", "category", "system", "status")
"""What a log may say of an incident beside its moments."""

SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "number", "key"),
    "severity": ("severity", "sev", "priority", "impact_level", "urgency"),
    "class": ("class",),
    "category": ("category", "type", "kind"),
    "system": ("system", "service", "component", "application", "product", "provider"),
    "status": ("status", "state"),
    "as_of": ("as_of",),
    "deployed": ("deployed", "failed_deployment", "deployment", "deploy"),
    "onset": ("onset", "impact_started", "impact_start"),
    "detected": ("detected", "discovered", "detection"),
    "alerted": ("alerted", "alert", "triggered", "paged"),
    "aware": ("aware", "awareness"),
    "acknowledged": ("acknowledged", "first_acknowledged", "acked", "ack"),
    "identified": ("identified", "diagnosed"),
    "contained": ("contained", "containment"),
    "mitigated": ("mitigated", "mitigation"),
    "eradicated": ("eradicated",),
    "repair_started": ("repair_started", "repair_start"),
    "recovered": ("recovered", "restored", "impact_ended", "impact_end"),
    "resolved": ("resolved", "fixed"),
    "closed": ("closed", "close"),
    "start": ("start", "started", "opened", "created", "reported", "declared"),
    "end": ("end", "ended"),
    "seconds": ("seconds", "duration_seconds", "duration_s"),
    "minutes": ("minutes", "duration_minutes", "duration_min"),
    "hours": ("hours", "duration_hours", "duration_h"),
}
"""What a log may have → how exports call it, the plainest first; without `incident_`, `_at`, `_time` and the like."""

_KNOWN = {spelling: (name, rank) for name, names in SPELLINGS.items() for rank, spelling in enumerate(names)}

_AROUND = re.compile(r"^(?:incident_)+|(?:_(?:at|on|utc|ts|date|datetime|time|timestamp))+$")


@dataclass(frozen=True, kw_only=True)
class Noted:
    """A factor or a corrective action on record of one incident."""

    incident: str
    what: str
    kind: str = ""
    owner: str | None = None
    due: str | None = None
    state: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Log:
    """Incidents as a table, and what their records say beside it.

    Attributes
    ----------
    name : str
        What was read, as a person calls it.
    table : frame of any engine, or path
        A row an incident.
    problems : tuple of Problem
        Of cases that could not be read; they are not in the table.
    factors, actions : tuple of Noted
    incidents : tuple of Incident
        The records themselves; empty of a table.
    sources : mapping of str to str
        File → SHA-256.
    """

    name: str
    table: Any
    problems: tuple[Problem, ...] = ()
    factors: tuple[Noted, ...] = ()
    actions: tuple[Noted, ...] = ()
    incidents: tuple[Incident, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)


def field_of(column: str) -> tuple[str, int] | None:
    """Field of a log that a column holds, by its name, and how plain the name is (0: plainest); None if unknown.

    >>> field_of("Resolved At"), field_of("incident_id"), field_of("close_timestamp"), field_of("colour")
    (('resolved', 0), ('id', 0), ('closed', 1), None)
    """
    words = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
    return _KNOWN.get(words) or _KNOWN.get(_AROUND.sub("", words))


def read_log(path: "str | PathLike[str]") -> Log:
    """Read the incidents of a folder of cases, or of a table.

    Parameters
    ----------
    path : path
        A folder of case folders, one case, or a Parquet, Arrow or CSV file.

    Raises
    ------
    InvalidCase
        If there are neither cases nor a table. A case that cannot be read is no error; it is among the problems.
    """
    given = Path(path)
    if given.is_dir():
        return _cases(given)
    if not given.is_file():
        hint = "give a folder of cases, or a table with a row an incident"
        shown = show(str(path), longest=200)[1:-1]
        raise InvalidCase.because("there is no such file or folder", place=shown, hint=hint)
    return Log(name=given.name, table=_table(given), sources={given.name: _sha256(given)})


# --- case folders ----------------------------------------------------------------------------------------------------


def _cases(folder: Path) -> Log:
    folders = [folder] if (folder / RECORD).is_file() else sorted(file.parent for file in folder.glob(f"*/{RECORD}"))
    if not folders:
        hint = "give a folder of case folders, each with an incident.yaml, or a table: .parquet, .arrow or .csv"
        raise InvalidCase.because("there are no cases here", place=plain(folder.name or str(folder)), hint=hint)
    read, problems = [], []
    for one in folders:
        try:
            read.append(Case.load(one))
        except InvalidCase as error:
            problems += [
                Problem(what=each.what, place=f"{plain(one.name)}/{each.place}", hint=each.hint)
                for each in error.problems
            ]
    incidents = [case.incident for case in read]
    return Log(
        name=plain(folder.resolve().name),
        table=_rows(incidents),
        problems=tuple(problems),
        factors=tuple(noted for incident in incidents for noted in _factors(incident)),
        actions=tuple(noted for incident in incidents for noted in _actions(incident)),
        incidents=tuple(incidents),
        sources={(case.folder / RECORD).relative_to(folder).as_posix(): _sha256(case.folder / RECORD) for case in read},
    )


def _rows(incidents: Iterable[Incident]) -> Any:
    import pandas as pd

    names = (*FACTS, "as_of", *STAMPS[:-2])
    return pd.DataFrame([_row(incident) for incident in incidents], columns=list(names), dtype=object)


def _row(incident: Incident) -> dict[str, Any]:
    facts = {
        "severity": incident.severity,
        "class": incident.class_,
        "category": incident.category,
        "status": incident.status,
    }
    moments = dict(incident.timeline.moments())
    system = incident.model_name if incident.systems else None
    times = {**moments, "as_of": incident.now, "deployed": _deployed(incident)}
    return {"id": incident.id, "system": system, **facts, **{name: _written(at) for name, at in times.items()}}


def _written(at: Any) -> str | None:
    return at.isoformat() if at is not None else None


def _deployed(incident: Incident) -> Any:
    """Deployment time of what failed; None unless a trigger on record is a deployment on the timeline."""
    triggers = [factor for factor in _answers(incident.whys) if factor.role == "trigger"]
    cited = {name for factor in triggers for name in factor.evidence}
    times = {factor.at for factor in triggers if factor.at is not None} | {cited_at(name) for name in cited}
    found = (
        event.at
        for place, event in enumerate(incident.timeline.events)
        if event.kind == "deploy"
        and (event.at in times or {event.what, f"events[{place}]", f"timeline.events[{place}]"} & cited)
    )
    return next(found, None)


def cited_at(name: str) -> datetime | None:
    """The moment by which evidence names an event, as `timeline.events:2026-02-24T02:00:00Z`; None if it does not."""
    head, _, moment = name.partition(":")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return at if head == "timeline.events" and at.tzinfo else None


def _answers(trees: Iterable[Why]) -> Iterator[Any]:
    """Every answer of why-trees, from the top down; a question that is open has none."""
    for tree in trees:
        answer: Any = getattr(tree, "answer", None)
        if answer is not None:
            yield answer
        yield from _answers(tree.whys)


def _factors(incident: Incident) -> Iterator[Noted]:
    for answer in _answers(incident.whys):
        yield Noted(incident=incident.id, what=answer.statement, kind=answer.category or "", state=answer.role)


def _actions(incident: Incident) -> Iterator[Noted]:
    for action in incident.actions:
        due = str(action.due) if action.due else None
        yield Noted(incident=incident.id, what=action.what, owner=action.owner, due=due, state=action.state)


# --- tables ----------------------------------------------------------------------------------------------------------


def _table(path: Path) -> Any:
    if path.suffix.lower() not in FORMATS:
        hint = "tables are .parquet, .arrow, .feather or .csv files; export a workbook or JSON to one of them"
        raise InvalidCase.because(f"{show(path.name)} is no table that can be read", place=plain(path.name), hint=hint)
    opened = Table(files=(path,), place=plain(path.name))
    if opened.format == "csv":
        return _csv(path)
    return str(path) if opened.format == "parquet" else opened.read()


def _csv(path: Path) -> "pa.Table":
    """The columns of a CSV file that a log may have, and those that say nothing by name only: nobody asks for them."""
    import pyarrow as pa

    header, comma = _header(path)
    twice = sorted(name for name, times in Counter(header).items() if times > 1 and field_of(name))
    if twice:
        raise InvalidCase.because(f"the column {show(twice[0])} comes twice", place=plain(path.name))
    try:
        try:
            return _arrow(path, comma, {name: pa.string() for name in header if not _is_stamp(name)})
        except pa.ArrowInvalid:  # an invalid timestamp, below the rows from which the type was inferred
            return _arrow(path, comma, dict.fromkeys(header, pa.string()))
    except (pa.ArrowException, OSError) as error:
        said = plain((str(error).splitlines() or ["?"])[0])
        hint = "is every text with a comma in quotes, and the file UTF-8?"
        raise InvalidCase.because(f"cannot be read as CSV: {said}", place=plain(path.name), hint=hint) from error


def _is_stamp(name: str) -> bool:
    known = field_of(name)
    return known is not None and known[0] in (*STAMPS, "as_of")


def _header(path: Path) -> tuple[list[str], str]:
    import csv
    import gzip

    opened: Any = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            line = file.readline(1_000_000)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InvalidCase.because("cannot be read as CSV: it is no UTF-8 text", place=plain(path.name)) from error
    comma = max(",;\t", key=line.count)
    return next(csv.reader([line], delimiter=comma), []), comma


def _arrow(path: Path, comma: str, types: dict[str, Any]) -> "pa.Table":
    from pyarrow import csv

    convert = csv.ConvertOptions(column_types=types, strings_can_be_null=True)
    parse = csv.ParseOptions(delimiter=comma, newlines_in_values=True)
    return csv.read_csv(path, parse_options=parse, convert_options=convert)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
