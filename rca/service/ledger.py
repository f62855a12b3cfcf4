"""Ledger of the service in SQLite: every delivery that was accepted, and what became of each incident.

A row is there, and on disk, before a delivery is answered. Of an incident the latest word counts, by the time in the
delivery and not by when it came; how many deliveries there are says which of them a report is made of.
"""

import json
import re
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

ORDER = ("", "open", "contained", "recovered", "closed")
"""States; of two as of one moment the later in this order counts."""

BUSY = 30.0
"""Seconds to wait for another who writes."""

LOST = 10
"""How often an incident may take its worker along before it is given up."""

LONGEST_WAIT = 3_600.0
"""Seconds between two runs at most."""

_TABLES = """
CREATE TABLE IF NOT EXISTS deliveries (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, hook TEXT NOT NULL, incident TEXT NOT NULL, sha256 TEXT NOT NULL,
  delivery TEXT, at TEXT NOT NULL, received REAL NOT NULL, body BLOB NOT NULL, UNIQUE (hook, sha256));
CREATE UNIQUE INDEX IF NOT EXISTS by_delivery ON deliveries (hook, delivery) WHERE delivery IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_incident ON deliveries (hook, incident);
CREATE TABLE IF NOT EXISTS incidents (
  case_id TEXT PRIMARY KEY, hook TEXT NOT NULL, incident TEXT NOT NULL, priority INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT '', at TEXT NOT NULL DEFAULT '', count INTEGER NOT NULL DEFAULT 0, changed REAL NOT NULL,
  done INTEGER NOT NULL DEFAULT 0, outcome TEXT, dead INTEGER NOT NULL DEFAULT 0, reason TEXT,
  failed INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0, task TEXT, task_count INTEGER, UNIQUE (hook, incident));
CREATE INDEX IF NOT EXISTS by_task ON incidents (task) WHERE task IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_work ON incidents (priority DESC, changed) WHERE count > done AND count > dead;
CREATE TABLE IF NOT EXISTS notices (
  case_id TEXT NOT NULL, count INTEGER NOT NULL, channel INTEGER NOT NULL, failed INTEGER NOT NULL DEFAULT 0,
  due REAL NOT NULL DEFAULT 0, sent INTEGER NOT NULL DEFAULT 0, reason TEXT, PRIMARY KEY (case_id, count, channel));
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A delivery about to be accepted.

    Attributes
    ----------
    id : str
        What the sender is given.
    hook, incident, state, at : str
    priority : int
    delivery : str or None
        The vendor's id of it.
    received : float
        Seconds since 1970.
    body : bytes
    """

    id: str
    hook: str
    incident: str
    state: str
    at: str
    priority: int
    delivery: str | None
    received: float
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Work:
    """An incident that wants a report, and of how many deliveries."""

    case_id: str
    hook: str
    incident: str
    count: int


def case_id(hook: str, incident: str) -> str:
    """The name of an incident's case: safe as a folder, the same for the same incident, another for another.

    >>> case_id("pagerduty", "../../etc/passwd")
    'pagerduty-etc-passwd-d47dfda0'
    """
    words = re.sub(r"[^a-z0-9]+", "-", incident.lower())[:20].strip("-")
    digest = sha256(f"{hook}\0{incident}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return "-".join(part for part in (hook, words, digest) if part)


class Ledger:
    """The ledger in a file; safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self._held = path, threading.local()
        with self._writing() as told:
            for statement in _TABLES.split(";"):
                told.execute(statement)

    def _connection(self) -> sqlite3.Connection:
        if (found := getattr(self._held, "connection", None)) is None:
            found = sqlite3.connect(self.path, timeout=BUSY, isolation_level=None)
            found.row_factory = sqlite3.Row
            found.execute("PRAGMA journal_mode=WAL")
            found.execute("PRAGMA synchronous=FULL")
            self._held.connection = found
        return found

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is written, or nothing."""
        held = self._connection()
        held.execute("BEGIN IMMEDIATE")
        try:
            yield held
            held.execute("COMMIT")
        except BaseException:
            if held.in_transaction:
                held.execute("ROLLBACK")
            raise

    def _asked(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        return self._connection().execute(sql, values).fetchall()

    # --- deliveries --------------------------------------------------------------------------------------------------

    def accept(self, rows: Sequence[Row]) -> list[tuple[str, bool]]:
        """Write deliveries, all or none; of each the id, and whether it is new.

        One whose body, or whose vendor's id, the hook has had before is not written again, and has its first id.
        """
        with self._writing() as told:
            return [self._accepted(told, row) for row in rows]

    def _accepted(self, told: sqlite3.Connection, row: Row) -> tuple[str, bool]:
        digest = sha256(row.body).hexdigest()
        before = told.execute(
            "SELECT id FROM deliveries WHERE hook = ? AND (sha256 = ? OR (delivery IS NOT NULL AND delivery = ?))",
            (row.hook, digest, row.delivery),
        ).fetchone()
        if before:
            return before["id"], False
        values = (row.id, row.hook, row.incident, digest, row.delivery, row.at, row.received, zlib.compress(row.body))
        told.execute(
            "INSERT INTO deliveries (id, hook, incident, sha256, delivery, at, received, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )
        if row.incident:
            self._told_of(told, row)
        return row.id, True

    def _told_of(self, told: sqlite3.Connection, row: Row) -> None:
        name = case_id(row.hook, row.incident)
        told.execute(
            "INSERT INTO incidents (case_id, hook, incident, priority, changed) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (name, row.hook, row.incident, row.priority, row.received),
        )
        told.execute(
            "UPDATE incidents SET count = count + 1, changed = ?, failed = 0, lost = 0, due = 0 WHERE case_id = ?",
            (row.received, name),
        )
        held = told.execute("SELECT state, at FROM incidents WHERE case_id = ?", (name,)).fetchone()
        if row.state and (row.at, ORDER.index(row.state)) >= (held["at"], ORDER.index(held["state"])):
            told.execute("UPDATE incidents SET state = ?, at = ? WHERE case_id = ?", (row.state, row.at, name))

    def bodies(self, work: Work) -> list[bytes]:
        """The deliveries of an incident that a report is made of."""
        sql = "SELECT body FROM deliveries WHERE hook = ? AND incident = ? ORDER BY number LIMIT ?"
        return [zlib.decompress(row["body"]) for row in self._asked(sql, work.hook, work.incident, work.count)]

    def context(self, since: str, until: str) -> list[tuple[str, bytes]]:
        """Deliveries that tell of no incident, from one moment to another, with the hook of each."""
        sql = "SELECT hook, body FROM deliveries WHERE incident = '' AND at >= ? AND at <= ? ORDER BY number"
        return [(row["hook"], zlib.decompress(row["body"])) for row in self._asked(sql, since, until)]

    def span(self, work: Work) -> tuple[str, str]:
        """The first and the last moment that an incident's deliveries are as of; empty where none says."""
        sql = "SELECT min(at), max(at) FROM deliveries WHERE hook = ? AND incident = ? AND at > ''"
        first, last = self._asked(sql, work.hook, work.incident)[0]
        return first or "", last or ""

    # --- work --------------------------------------------------------------------------------------------------------

    def due(self, states: Sequence[str], *, now: float, settle: float, most: int) -> list[Work]:
        """Incidents that want a report now: those of high priority first, and of them who waits longest."""
        sql = (
            "SELECT case_id, hook, incident, count FROM incidents WHERE count > done AND count > dead AND task IS NULL"
            " AND cancelled = 0 AND state IN (SELECT value FROM json_each(?)) AND (due <= ? OR due > ?)"
            " AND (changed <= ? OR changed > ?) ORDER BY priority DESC, changed LIMIT ?"
        )
        ahead = (now, now + LONGEST_WAIT, now - settle, now + settle)  # a clock that was set back leaves times ahead
        return [Work(**dict(row)) for row in self._asked(sql, json.dumps(states), *ahead, most)]

    def waiting(self) -> int:
        """How many incidents have deliveries of which there is neither a report nor a dead letter."""
        sql = "SELECT count(*) FROM incidents WHERE count > done AND count > dead AND cancelled = 0"
        return int(self._asked(sql)[0][0])

    def taken(self) -> dict[str, Work]:
        """Tasks that are out, and the work of each."""
        rows = self._asked("SELECT task, case_id, hook, incident, task_count AS count FROM incidents WHERE task > ''")
        return {
            row["task"]: Work(**{key: row[key] for key in ("case_id", "hook", "incident", "count")}) for row in rows
        }

    def take(self, work: Work, task: str) -> bool:
        """Put a task on record, before it goes out; False where another was faster."""
        sql = "UPDATE incidents SET task = ?, task_count = ? WHERE case_id = ? AND task IS NULL"
        with self._writing() as told:
            return told.execute(sql, (task, work.count, work.case_id)).rowcount == 1

    def put_back(self, task: str | None = None) -> None:
        """Take up again what a task, or every task, was to do."""
        where, values = ("task = ?", (task,)) if task else ("task IS NOT NULL", ())
        with self._writing() as told:
            told.execute(f"UPDATE incidents SET task = NULL WHERE {where}", values)  # noqa: S608

    def done(self, task: str, outcome: str) -> None:
        """A report is there."""
        sql = (
            "UPDATE incidents SET done = task_count, outcome = ?, reason = NULL, failed = 0, lost = 0, task = NULL"
            " WHERE task = ?"
        )
        with self._writing() as told:
            told.execute(sql, (outcome, task))

    def failed(self, task: str, reason: str, *, now: float, attempts: int, backoff: float) -> bool:
        """A run failed: it is tried again, later each time; True where it is given up instead."""
        with self._writing() as told:
            row = told.execute("SELECT failed FROM incidents WHERE task = ?", (task,)).fetchone()
            if row is None:
                return False
            tries = row["failed"] + 1
            wait = min(backoff * 2 ** (tries - 1), LONGEST_WAIT)
            over: bool = tries >= attempts
            self._given_back(told, task, reason, over=over, column="failed", tries=tries, due=now + wait)
            return over

    def lost(self, task: str, reason: str) -> bool:
        """A worker was lost with a task, which is taken up again; True where it is given up instead."""
        with self._writing() as told:
            row = told.execute("SELECT lost FROM incidents WHERE task = ?", (task,)).fetchone()
            tries: int = row["lost"] + 1 if row else 0
            over = tries >= LOST
            self._given_back(told, task, reason, over=over, column="lost", tries=tries, due=0.0)
            return over

    @staticmethod
    def _given_back(
        told: sqlite3.Connection, task: str, reason: str, *, over: bool, column: str, tries: int, due: float
    ) -> None:
        dead = ", dead = task_count" if over else ""
        told.execute(
            f"UPDATE incidents SET {column} = ?, due = ?, reason = ?{dead}, task = NULL WHERE task = ?",  # noqa: S608
            (tries, due, reason[:4_000], task),
        )

    def cancel(self, name: str) -> str | None:
        """Do no more for an incident; the task that is out, or an empty text; None where there is no such incident."""
        with self._writing() as told:
            told.execute("UPDATE incidents SET cancelled = 1, reason = 'cancelled' WHERE case_id = ?", (name,))
            row = told.execute("SELECT task FROM incidents WHERE case_id = ?", (name,)).fetchone()
        return None if row is None else row["task"] or ""

    # --- what is told ------------------------------------------------------------------------------------------------

    def incident(self, name: str) -> dict[str, Any] | None:
        """What is on record of an incident, by its case."""
        rows = self._asked("SELECT * FROM incidents WHERE case_id = ?", name)
        return dict(rows[0]) if rows else None

    def incidents(self) -> list[dict[str, Any]]:
        """What is on record of every incident."""
        return [dict(row) for row in self._asked("SELECT * FROM incidents ORDER BY case_id")]

    def counts(self) -> Mapping[str, int]:
        """How many deliveries, incidents, reports, dead letters, tasks that are out, and cancelled incidents."""
        sql = (
            "SELECT (SELECT count(*) FROM deliveries) AS deliveries, count(*) AS incidents, sum(done > 0) AS reports,"
            " sum(dead > 0 AND dead >= count) AS dead, sum(task IS NOT NULL) AS out, sum(cancelled) AS cancelled"
            " FROM incidents"
        )
        return {key: int(value or 0) for key, value in dict(self._asked(sql)[0]).items()}

    # --- notices -----------------------------------------------------------------------------------------------------

    def owed(self, channels: int, *, now: float) -> list[dict[str, Any]]:
        """Reports, and dead letters, that a channel has not been told of; each of them once, and the latest alone."""
        sql = (
            "SELECT i.case_id, max(i.done, i.dead) AS count, c.value AS channel, i.outcome, i.reason,"
            " i.dead > i.done AS gone, coalesce(n.failed, 0) AS failed FROM incidents i, json_each(?) c LEFT JOIN"
            " notices n ON n.case_id = i.case_id AND n.count = max(i.done, i.dead) AND n.channel = c.value"
            " WHERE max(i.done, i.dead) > 0 AND coalesce(n.sent, 0) = 0 AND coalesce(n.due, 0) <= ? LIMIT 100"
        )
        return [dict(row) for row in self._asked(sql, json.dumps(list(range(channels))), now)]

    def told(self, owed: Mapping[str, Any], *, reason: str | None = None, due: float = 0.0, over: bool = False) -> None:
        """A channel was told, or why it could not be and when it is to be tried again, if at all."""
        sql = (
            "INSERT INTO notices (case_id, count, channel, failed, due, sent, reason) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET failed = excluded.failed, due = excluded.due, sent = excluded.sent,"
            " reason = excluded.reason"
        )
        failed = owed["failed"] + (1 if reason else 0)
        values = (owed["case_id"], owed["count"], owed["channel"], failed, due, int(over or not reason), reason)
        with self._writing() as told:
            told.execute(sql, values)
