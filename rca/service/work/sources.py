"""Data of an incident: files of a folder or store, keys of its record, and what a query says of two windows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from rca.errors import InvalidCase
from rca.record.case import load
from rca.record.files.case_folder import RECORD
from rca.record.files.validation import take_in
from rca.record.files.whole_file import write_whole
from rca.record.files.yaml_document import document, plain
from rca.record.schema.incident import Incident
from rca.record.why_tree.write_back import with_values
from rca.service.configuration import Source

TAKEN = (".parquet", ".csv", ".arrow", ".yaml", ".txt", ".json", ".onnx", ".skops", ".ubj")
"""Endings of files that are taken into a case; none of them can run."""

MOST = 5_000_000_000
"""Bytes of a file that is taken."""

NEVER = (RECORD, "answer.yaml")
"""Files that no source may give a case."""


def furnish(case: Path, sources: Sequence[Source]) -> list[str]:
    """Bring the data of an incident into its case, from the sources that serve a system it names.

    What is in the record already stands.

    Returns
    -------
    list of str
        What was done.

    Raises
    ------
    InvalidCase
        If a source cannot be read, or the record would not be sound.
    """
    done: list[str] = []
    systems = {system.name for system in load(case).incident.systems}
    for source in sources:
        if source.systems and not systems & set(source.systems):
            continue
        if source.files:
            done += copied(source.files.replace("{case}", case.name), case)
        if source.query:
            done += _windows(case, source)
        if isinstance(source.record, dict) and source.record:
            done += _filled(case, source.record)
    return done


def copied(url: str, case: Path) -> list[str]:
    """Copy the files of a folder, or of an fsspec URL, which may be case files; none that runs, none below it.

    Raises
    ------
    InvalidCase
        If the place cannot be read.
    """
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(url)
        found = [one for one in system.ls(path, detail=True) if one["type"] == "file"]
        names = {name: one for one in found if (name := PurePosixPath(one["name"]).name).endswith(TAKEN)}
        taken = sorted(name for name, one in names.items() if name not in NEVER and one["size"] <= MOST)
        for name in taken:
            content = system.cat_file(names[name]["name"])
            if not (case / name).is_file() or (case / name).read_bytes() != content:
                write_whole(case / name, content)
    except (OSError, ValueError, ImportError) as error:
        hint = "is the place there, and its library installed?"
        raise InvalidCase.because(f"cannot be read: {plain(str(error))}", place=plain(url), hint=hint) from error
    return [f"{name} from {url}" for name in taken]


def _windows(case: Path, source: Source) -> list[str]:
    """Ask a query of both windows, and keep its answers in the case."""
    incident = load(case).incident
    return [_asked(case / f"{name}.parquet", source, span) for name, span in windows(incident, source).items()]


def windows(incident: Incident, source: Source) -> dict[str, tuple[datetime, datetime]]:
    """From when to when the reference and the current window of an incident are.

    Raises
    ------
    InvalidCase
        If the record does not say when it was detected.
    """
    seen = dict(incident.timeline.moments())
    start: datetime | None = seen.get("detected") or seen.get("alerted")
    if start is None:
        raise InvalidCase.because("nobody says when it was detected, so no window can be asked of", place=incident.id)
    ends = [seen[name] for name in ("contained", "resolved", "recovered", "closed") if name in seen]
    last: datetime = max([*ends, *(event.at for event in incident.timeline.events), start])

    def at(hours: float | None) -> datetime:
        return max(last, start) if hours is None else start + timedelta(hours=hours)

    reference, current = source.reference, source.current
    return {"reference": (at(reference[0]), at(reference[1])), "current": (at(current[0]), at(current[1]))}


def _asked(to: Path, source: Source, span: tuple[datetime, datetime]) -> str:
    """Write a query's answer of one window to a file, whole."""
    try:
        import duckdb
    except ImportError as error:
        hint = "install it: pip install 'rca-postmortem[engines]'"
        raise InvalidCase.because("a query needs DuckDB", place="sources", hint=hint) from error
    draft = to.with_name(f".tmp-{to.name}")
    try:
        with duckdb.connect(str(source.database or ":memory:"), read_only=source.database is not None) as told:
            told.execute("SET TimeZone = 'UTC'")
            wanted = dict(zip(("from", "to"), span, strict=True))
            table: Any = told.sql(str(source.query), params=wanted).to_arrow_table()
        from pyarrow import parquet

        parquet.write_table(table, draft)
        draft.replace(to)
    except (duckdb.Error, OSError) as error:
        raise InvalidCase.because(f"the query failed: {plain(str(error))}", place=to.name) from error
    finally:
        draft.unlink(missing_ok=True)
    return f"{to.name}: {table.num_rows} rows of a query"


def _filled(case: Path, record: dict[str, Any]) -> list[str]:
    """Give the record of a case the keys that it has not, and leave every other byte."""
    text = (case / RECORD).read_bytes().decode("utf-8")
    held = document(text, name=RECORD).value
    imports = held.get("imports") or {}
    unsaid = imports.get("unsaid") or []
    values = {key: value for key, value in record.items() if not held.get(key) or key in unsaid}
    if not values:
        return []
    left = {**imports, "unsaid": [key for key in unsaid if key not in values]}
    fresh = with_values(text, {**values, **({"imports": left} if imports else {})})
    _, problems = take_in(document(fresh, name=RECORD), names=(case.name,))
    if problems:
        raise InvalidCase(problems)
    write_whole(case / RECORD, fresh.encode())
    return [f"{', '.join(values)} from the configuration"]
