"""The sweep: whatever is on record as undone is given out, what came of it is put on record, and notices are sent.

It is the only way into the queue, so that what a killed worker, receiver or queue loses is given out again: a task is
lost where nobody has shown a sign of life for a while and it waits in no queue.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rca.service import notices
from rca.service.configuration import ENDED, Configuration
from rca.service.ledger import LONGEST_WAIT, Ledger, Work
from rca.service.store import Store
from rca.service.work.tasks import Tasks

PAUSE = 0.2
"""Seconds between two sweeps."""

AHEAD = 2
"""Tasks that are out for each worker here."""

ELSEWHERE = 32
"""Tasks that are out where workers of other machines take them too."""

RARELY = 3_600.0
"""Seconds between two looks at what is to be taken away."""


@dataclass
class _Seen:
    """The last sign of life of a task, and when it was new, by a clock that nobody sets."""

    beat: Any
    at: float


class Sweep:
    """Gives out work, collects what came of it, and tells whom it concerns."""

    def __init__(
        self, configuration: Configuration, ledger: Ledger, tasks: Tasks, *, store: Store, log: Callable[..., None]
    ) -> None:
        self.set, self.ledger, self.tasks, self.store, self.log = configuration, ledger, tasks, store, log
        self.hooks = {hook.name: hook for hook in configuration.hooks}
        self.room = max(AHEAD * configuration.workers, 1) if configuration.redis is None else ELSEWHERE
        self.stop, self.full = threading.Event(), False
        self._seen: dict[str, _Seen] = {}
        self._next = 0.0

    def begin(self) -> None:
        """Take up what an earlier process left; without Redis its workers have gone with it."""
        if self.set.redis is None:
            self.tasks.queue.flush()
            self.ledger.put_back()

    def run(self) -> None:
        """Sweep until asked to stop; what fails is told and tried again."""
        while not self.stop.is_set():
            try:
                self.once()
            except Exception as error:  # noqa: BLE001  (a full disk or a Redis that restarts is no reason to end)
                self.log("sweep_failed", why=f"{type(error).__name__}: {error}")
                self.stop.wait(1.0)
            self.stop.wait(PAUSE)

    def once(self) -> None:
        """One sweep."""
        out = self.ledger.taken()
        for task, work in out.items():
            self._collect(task, work)
        self._lose(self.ledger.taken())
        self._give()
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 1.0
            self._notify()
            self.full = self.ledger.waiting() >= self.set.limits.waiting

    # --- work --------------------------------------------------------------------------------------------------------

    def _collect(self, task: str, work: Work) -> None:
        found = self.tasks.outcome(task)
        if found is None:
            return
        if why := found.get("failed"):
            limits = self.set.limits
            attempts = 1 if found.get("final") else limits.attempts
            over = self.ledger.failed(task, why, now=time.time(), attempts=attempts, backoff=limits.backoff)
            self.log("dead" if over else "failed", case=work.case_id, why=why)
        else:
            self.ledger.done(task, json.dumps(found))
            self.log("reported", case=work.case_id, status=found["verdict"]["status"], cpu=found.get("cpu"))
        self._forget(task)

    def _forget(self, task: str) -> None:
        self._seen.pop(task, None)
        self.tasks.forget(task)

    def _lose(self, out: dict[str, Work]) -> None:
        """Take up again what nobody works on."""
        now, queued = time.monotonic(), None
        for task, work in out.items():
            beat = self.tasks.beat(task)
            seen = self._seen.setdefault(task, _Seen(beat, now))
            if beat != seen.beat:
                self._seen[task] = _Seen(beat, now)
            elif now - seen.at > self.set.limits.silent:
                queued = self.tasks.queued() if queued is None else queued
                if task in queued:
                    self._seen[task] = _Seen(beat, now)
                    continue
                over = self.ledger.lost(task, "the worker was lost")
                self.log("dead" if over else "lost", case=work.case_id, why="the worker was lost")
                self._forget(task)

    def _give(self) -> None:
        room = self.room - len(self.ledger.taken())
        if room <= 0:
            return
        states = ENDED[self.set.on]
        for work in self.ledger.due(states, now=time.time(), settle=self.set.settle, most=room):
            job, files = self.job(work)
            task = self.tasks.prepare(job, files)
            if self.ledger.take(work, task.id):
                self.tasks.send(task)

    def job(self, work: Work) -> tuple[dict[str, Any], dict[str, bytes]]:
        """What a worker has to do for an incident, and the files that it needs."""
        hook = self.hooks.get(work.hook)
        files = {f"delivery-{at:06d}.json": body for at, body in enumerate(self.ledger.bodies(work))}
        context, more = self._context(work)
        return {"name": work.case_id, "files": sorted(files), "by": hook.by if hook else "auto", "context": context}, {
            **files,
            **more,
        }

    def _context(self, work: Work) -> tuple[list[dict[str, str]], dict[str, bytes]]:
        """Deliveries of registries from some days before the incident's first word to its last."""
        first, last = self.ledger.span(work)
        if not first:
            return [], {}
        since = (datetime.fromisoformat(first) - timedelta(days=self.set.context)).isoformat(timespec="microseconds")
        told, files = [], {}
        for at, (hook, body) in enumerate(self.ledger.context(since, last)):
            if hook in self.hooks:
                told.append({"file": f"context-{at:06d}.json", "by": self.hooks[hook].by})
                files[f"context-{at:06d}.json"] = body
        return told, files

    def cancel(self, name: str) -> bool:
        """Do no more for an incident, and end the run that is at it."""
        task = self.ledger.cancel(name)
        if task:
            self.tasks.stop(task)
        return task is not None

    # --- notices and retention ---------------------------------------------------------------------------------------

    def _notify(self) -> None:
        """Send what is owed, by one thread beside this one, since a receiver may be slow."""
        if self.set.notices and not any(one.name == "notices" for one in threading.enumerate()):
            threading.Thread(target=self.notify, name="notices", daemon=True).start()

    def notify(self) -> None:
        """Tell every channel what it has not been told."""
        try:
            for owed in self.ledger.owed(len(self.set.notices), now=time.time()):
                self._tell(owed)
        except sqlite3.Error as error:
            self.log("notices_failed", why=str(error))
            self.stop.wait(1.0)

    def _tell(self, owed: dict[str, Any]) -> None:
        name = f"{owed['case_id']}.{owed['count']}.{owed['channel']}"
        try:
            notices.send(self.set.notices[owed["channel"]], notices.content(owed, self.set.store.link), name=name)
        except notices.Undelivered as error:
            wait = min(self.set.limits.backoff * 2 ** owed["failed"], LONGEST_WAIT)
            over = owed["failed"] + 1 >= notices.TRIES
            self.ledger.told(owed, reason=str(error), due=time.time() + wait, over=over)
            self.log("not_told", case=owed["case_id"], channel=owed["channel"], why=str(error))
            return
        self.ledger.told(owed)
        self.log("told", case=owed["case_id"], channel=owed["channel"])

    def retain(self) -> None:
        """Take away what is older than it may be, now and then."""
        while self.set.store.days and not self.stop.is_set():
            try:
                for name in self.store.expire(days=self.set.store.days, hold=self.set.store.hold):
                    self.log("expired", case=name)
            except Exception as error:  # noqa: BLE001  (each file system has errors of its own)
                self.log("not_expired", why=f"{type(error).__name__}: {error}")
            self.stop.wait(RARELY)
