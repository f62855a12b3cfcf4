import time

import pytest

from tests.importers import simulated
from tests.service.running import Running, configured, until

DONE = {"verdict": {"status": "explained", "summary": ""}, "title": "", "brief": ""}


@pytest.fixture
def service(tmp_path):
    limits = {"silent": 2.0, "backoff": 0.0, "attempts": 3}
    notice = {"kind": "webhook", "url": "http://127.0.0.1:1/"}
    running = Running(configured(tmp_path, "generic", "mlflow", limits=limits, notices=[notice], workers=1))
    with running:
        yield running


def closed(service, number=0):
    assert service.post("generic", simulated.posted("closed", simulated.RESOLVED, incident=str(number))).is_success


def taken(service):
    """A task, taken out of the queue as a worker does."""
    service.sweep.once()
    return service.tasks.queue.dequeue()


def test_a_task_that_is_lost_is_given_out_again(service):
    closed(service)
    first = taken(service)
    second = until(lambda: taken(service), 10)
    assert first.id != second.id
    assert service.ledger.incidents()[0]["lost"] == 1


def test_a_task_whose_worker_shows_life_or_that_waits_in_the_queue_is_not_lost(service):
    closed(service, 0)
    closed(service, 1)
    task = taken(service)
    began = time.monotonic()
    while time.monotonic() - began < 3:
        service.tasks.queue.put(f"beat-{task.id}", time.time_ns())
        service.sweep.once()
        time.sleep(0.1)
    assert [one["lost"] for one in service.ledger.incidents()] == [0, 0]
    assert len(service.tasks.queued()) == 1


def test_what_came_of_a_task_is_put_on_record_and_told(service):
    closed(service)
    task = taken(service)
    service.tasks.queue.put_result(task.id, DONE)
    service.sweep.once()
    assert service.ledger.counts()["reports"] == 1
    assert taken(service) is None
    until(lambda: service.sweep.once() or any(one["event"] == "not_told" for one in service.logged), 5)


def test_a_failure_is_tried_again_and_a_final_one_is_not(service):
    closed(service)
    for final in (False, True):
        task = taken(service)
        assert service.ledger.counts()["dead"] == 0
        service.tasks.queue.put_result(task.id, {"failed": "why", "final": final})
        service.sweep._collect(task.id, service.ledger.taken()[task.id])
    assert service.ledger.counts()["dead"] == 1
    assert taken(service) is None


def test_cancelling_ends_the_run_that_is_at_it(service):
    closed(service)
    task = taken(service)
    case = service.ledger.incidents()[0]["case_id"]
    assert service.client.post(f"/incidents/{case}/cancel", json={}).json() == {"cancelled": True}
    assert service.tasks.queue.execute(task) == {"failed": "cancelled", "final": True}
    service.sweep.once()
    assert service.client.get(f"/incidents/{case}").json()["work"] == "cancelled"
    assert taken(service) is None


def test_deliveries_of_a_registry_go_along_with_incidents_of_those_days(service):
    for event in simulated.REGISTRY:
        assert service.post("mlflow", event).is_success
    service.post("generic", simulated.posted("open", simulated.ALERT))
    closed(service, "cards 7")
    (work,) = service.ledger.due(("closed",), now=time.time() + 1, settle=0, most=1)
    job, files = service.sweep.job(work)
    assert len(job["context"]) == 3, "three of six are of the 14 days before, or of its time"
    assert set(files) == {*job["files"], *(one["file"] for one in job["context"])}
