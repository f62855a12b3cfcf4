"""The service as real processes, some of which are killed."""

import contextlib
import json
import os
import random
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.importers import simulated
from tests.service.running import process, until

STORY = [simulated.posted(one, at) for one, at in (
    ("open", "2026-05-02T09:10:00Z"), ("acknowledged", "2026-05-02T09:20:00Z"), ("recovered", "2026-05-02T12:00:00Z"),
    ("closed", "2026-05-02T13:00:00Z"),
)]  # fmt: skip


ENDLESS = """
import pathlib, sys, time
if "i-0" in (pathlib.Path(sys.argv[-1]) / "delivery-000000.json").read_text():
    time.sleep(600)
sys.exit("no more")
"""


def told(number):
    return [{**one, "incident": f"i-{number}"} for one in STORY]


def posted(service, event):
    """Post until it is accepted, as a vendor does; a receiver that was killed is started again."""
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.post(f"{service.address}/hooks/generic", json=event, trust_env=False, timeout=10).status_code in (
                200,
                202,
            ):
                return
        if service.running.poll() is not None:
            service.start()


def settled(service):
    """Whether every incident has a report of all its deliveries, or a dead letter with a reason."""
    found = service.ledger().incidents()
    return (
        found if all(one["task"] is None and max(one["done"], one["dead"]) == one["count"] for one in found) else None
    )


def shown(service):
    """What a reader finds: each incident's report, and of how many deliveries it is made."""
    reports = service.folder / "rca-service" / "reports"
    links = [path for path in reports.iterdir() if path.is_symlink()]
    return {path.name: json.loads((path / "results.json").read_text())["verdict"]["summary"] for path in links}


def kill_something(service, rng):
    """SIGKILL of the receiver, of a worker, or of a run."""
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess, IndexError, ProcessLookupError):
        family = psutil.Process(service.running.pid).children(recursive=True)
        victim = rng.choice([service.running.pid, *(one.pid for one in family)])
        os.kill(victim, signal.SIGKILL)
        if victim == service.running.pid:
            service.running.wait()


@pytest.mark.parametrize("moments", [2, pytest.param(50, marks=pytest.mark.prove)])
def test_whatever_is_killed_and_whenever_each_incident_has_one_whole_report(tmp_path, moments):
    rng = random.Random(moments)
    incidents = 2 * moments
    events = [event for number in range(incidents) for event in told(number)]
    rng.shuffle(events)
    with process(tmp_path, limits="silent = 2\nattempts = 20") as service:
        try:
            service.start()
            for at, event in enumerate(events):
                posted(service, event)
                if at % (len(events) // moments) == 0:
                    time.sleep(rng.uniform(0, 1))
                    kill_something(service, rng)
            if service.running.poll() is not None:
                service.start()
            found = until(lambda: settled(service), 60 + 10 * moments)
        finally:
            service.stop()
    assert len(found) == incidents
    assert [one["count"] for one in found] == [len(STORY)] * incidents
    reported = {one["case_id"] for one in found if one["done"] == one["count"]}
    assert {name for name, says in shown(service).items() if says == f"{len(STORY)} deliveries"} >= reported
    assert all(one["reason"] for one in found if one["case_id"] not in reported)
    assert len(reported) >= 0.9 * incidents


def test_a_run_that_never_ends_and_one_that_says_nothing_are_dead_letters(tmp_path):
    job = tmp_path / "job.py"
    job.write_text(ENDLESS)
    with process(tmp_path, job=job, limits="seconds = 1\nattempts = 2") as service:
        try:
            service.start()
            for number in range(2):
                posted(service, told(number)[-1])
            found = until(lambda: settled(service), 60)
            began = time.monotonic()
        finally:
            service.stop()
    assert sorted(one["reason"] for one in found) == ["it took too long", "the run ended with status 1: no more"]
    assert [one["failed"] for one in found] == [2, 2]
    assert time.monotonic() - began < 30
    log = [json.loads(line) for line in Path(tmp_path / "log").read_text().splitlines() if line.startswith("{")]
    assert [one["event"] for one in log if one["event"] in ("listening", "stopped")] == ["listening", "stopped"]
    assert service.running.returncode == 0


def test_a_folder_has_one_service(tmp_path):
    from rca.errors import RunFailed
    from rca.service.serve import _alone

    held = _alone(tmp_path)
    with pytest.raises(RunFailed, match="another service"):
        _alone(tmp_path)
    os.close(held)
    os.close(_alone(tmp_path))
