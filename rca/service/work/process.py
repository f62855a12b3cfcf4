"""Runs in processes of their own, with a deadline, a limit of memory, and an end whenever somebody wants one."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rca.record.files.yaml_document import plain
from rca.report.notebooks.held_folder import own
from rca.service.work.job import JOB, OUTCOME, Job

TICK = 0.5
"""Seconds between two looks at a run."""

TAIL = 2_000
"""Letters of what a run said last that are kept where it failed."""


def run_job(
    job: Job,
    files: Mapping[str, bytes],
    *,
    seconds: float,
    prefix: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    go_on: Callable[[], bool] = lambda: True,
) -> dict[str, Any]:
    """Do a job in a process of its own.

    Parameters
    ----------
    job : dict
        What `rca.service.work.job` does.
    files : mapping of str to bytes
        Files that lie beside it.
    seconds : float
        After which it is ended.
    prefix : sequence of str
        Put before its command.
    environment : mapping, optional
        Its environment; default this one.
    go_on : callable
        Asked twice a second whether it may go on.

    Returns
    -------
    dict
        Its outcome: with `failed`, the reason, where it failed, and `final` where another try would fail too.
    """
    try:
        with own(Path(tempfile.gettempdir()), "rca-job-") as folder:
            for name, content in files.items():
                (folder / name).write_bytes(content)
            (folder / JOB).write_text(json.dumps(job), encoding="utf-8")
            command = [*prefix, sys.executable, "-m", "rca.service.work.job", str(folder)]
            with (folder / "said").open("wb") as said:
                started = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=said, stderr=said, env=environment, start_new_session=True
                )
            stopped = _watched(started, time.monotonic() + seconds, go_on)
            return _outcome(folder, started.returncode, stopped or "")
    except OSError as error:
        return {"failed": f"a run could not be started: {error}", "final": False}


def _watched(started: "subprocess.Popen[bytes]", deadline: float, go_on: Callable[[], bool]) -> str | None:
    """Wait for a run; why it was ended, if it was."""
    stopped = None
    try:
        while started.poll() is None and stopped is None:
            try:
                started.wait(TICK)
            except subprocess.TimeoutExpired:
                stopped = "it took too long" if time.monotonic() > deadline else None if go_on() else "cancelled"
    finally:
        if started.poll() is None:
            _kill(started)
        if started.stdin:
            started.stdin.close()
    return stopped


def _kill(started: "subprocess.Popen[bytes]") -> None:
    """End a run and every process that it started, kernels too, which have sessions of their own."""
    import psutil

    try:
        family = psutil.Process(started.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    started.kill()
    for one in family:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue
    started.wait()


def _outcome(folder: Path, status: int, stopped: str) -> dict[str, Any]:
    if stopped:
        return {"failed": stopped, "final": stopped == "cancelled"}
    try:
        found: dict[str, Any] = json.loads((folder / OUTCOME).read_bytes())
        return found
    except (OSError, ValueError):
        said = (folder / "said").read_bytes()[-TAIL:].decode("utf-8", "replace")
        last = said.strip().splitlines()[-1] if said.strip() else "and said nothing"
        return {"failed": f"the run ended with status {status}: {plain(last, longest=TAIL)}", "final": False}
