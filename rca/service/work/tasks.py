"""Distribution of work by huey, over SQLite or Redis; what a worker does with a task, and how it shows life."""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rca.errors import InvalidCase
from rca.service.configuration import Configuration, told
from rca.service.work.process import run_job

if TYPE_CHECKING:
    from huey.api import Huey

BEAT = 1.0
"""Seconds between two signs of life of a worker at work."""

Enqueue = Callable[[dict[str, Any], dict[str, bytes]], str]


def queue_of(configuration: Configuration) -> "Huey":
    """The queue that is configured: Redis, or a file beside the ledger.

    Raises
    ------
    InvalidCase
        If Redis is configured without a token, with which tasks are signed, or a library is missing.
    """
    from huey import RedisHuey, SqliteHuey
    from huey.serializer import SignedSerializer

    url = told(configuration.redis)
    if url is None:
        configuration.folder.mkdir(parents=True, exist_ok=True)
        return SqliteHuey("rca", filename=str(configuration.folder / "queue.sqlite"), timeout=30)
    if configuration.token is None:
        hint = "give a token: whoever can write to Redis unsigned could run anything on a worker"
        raise InvalidCase.because("tasks in Redis are signed with the token", place="redis", hint=hint)
    signed = SignedSerializer(secret=configuration.token.read())
    return RedisHuey("rca", url=url, serializer=signed, blocking=False)


class Tasks:
    """What is put into the queue by whoever sweeps, and taken out by workers."""

    def __init__(self, configuration: Configuration) -> None:
        self.set, self.queue = configuration, queue_of(configuration)
        self._task = self.queue.task(name="rca_report", context=True)(self._work)

    # --- whoever sweeps ----------------------------------------------------------------------------------------------

    def prepare(self, job: dict[str, Any], files: dict[str, bytes]) -> Any:
        """A task that is not in the queue yet; its `id` can be put on record first."""
        return self._task.s(job, files)

    def send(self, task: Any) -> None:
        """Put a task into the queue."""
        self.queue.enqueue(task)

    def outcome(self, task: str) -> dict[str, Any] | None:
        """What came of a task; None where nothing has come yet. It is told once."""
        from huey.exceptions import TaskException

        try:
            found = self.queue.result(task)
        except TaskException as error:
            return {"failed": f"the worker failed: {error}", "final": False}
        return found if isinstance(found, dict) else None

    def beat(self, task: str) -> Any:
        """The last sign of life of whoever works on a task; None where nobody has begun."""
        return self.queue.get(f"beat-{task}", peek=True)

    def queued(self) -> set[str]:
        """Tasks that nobody has taken."""
        return {one.id for one in self.queue.pending()}

    def forget(self, task: str) -> None:
        """Take away what a task left."""
        for name in ("beat", "cancel"):
            self.queue.delete(f"{name}-{task}")

    def stop(self, task: str) -> None:
        """Have whoever works on a task end it."""
        self.queue.put(f"cancel-{task}", 1)

    # --- a worker ----------------------------------------------------------------------------------------------------

    def _work(self, job: dict[str, Any], files: dict[str, bytes], task: Any = None) -> dict[str, Any]:
        """Do a job, and show twice a beat that we live."""
        last = 0.0

        def go_on() -> bool:
            nonlocal last
            if time.monotonic() - last > BEAT:
                last = time.monotonic()
                self.queue.put(f"beat-{task.id}", time.time_ns())
            return self.queue.get(f"cancel-{task.id}", peek=True) is None

        limits, run = self.set.limits, self.set.run
        job = {**job, **self._places(job)}
        if not go_on():
            return {"failed": "cancelled", "final": True}
        how = {"prefix": run.prefix, "environment": self.set.environment(), "go_on": go_on}
        return run_job(job, files, seconds=limits.seconds, **how)  # type: ignore[arg-type]

    def _places(self, job: dict[str, Any]) -> dict[str, Any]:
        """Where this machine has the case and the reports, and how it runs."""
        folder, run = self.set.folder, self.set.run
        places = {"case": str(folder / "cases" / job["name"]), "out": str(folder / "reports")}
        how = {"only": list(run.only), "settings": run.settings, "seed": run.seed, "memory": self.set.limits.memory}
        sources = [json.loads(one.model_dump_json()) for one in self.set.sources]
        return {**places, **how, "sources": sources, "url": self.set.store.url}

    def work(self) -> None:
        """Take one task after the other until this process is asked to end, or has lost its parent."""
        consumer = self.queue.create_consumer(workers=1, periodic=False, max_delay=0.5, graceful_signal="TERM")
        consumer.run()
