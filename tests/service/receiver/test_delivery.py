"""Whatever is posted is accepted, ignored or refused: the importers' own variants, through HTTP."""

import json
import random
import time

import pytest

from rca.service.ledger import Work
from rca.service.receiver.app import Receiver
from rca.service.receiver.delivery import said
from tests.importers import simulated
from tests.importers.test_reading import SAYS
from tests.importers.test_variants import mutated
from tests.service.running import Running, configured

POST = ("pagerduty", "opsgenie", "incident_io", "alertmanager", "grafana", "mlflow", "generic")
FORMS = [form for form in sorted(SAYS) if form[0] in POST]


@pytest.mark.parametrize("draws", [150, pytest.param(5_000, marks=pytest.mark.prove)])
def test_whatever_is_posted_is_answered_in_time_and_what_is_accepted_can_be_given_out(tmp_path, draws):
    rng, seen = random.Random(draws), {}
    limits = {"rate": 1e6, "burst": 1_000_000}
    with Running(configured(tmp_path, *sorted({form[0] for form in FORMS}), limits=limits)) as service:
        assert isinstance(service.receiver, Receiver)
        for _ in range(draws):
            form = rng.choice(FORMS)
            began = time.monotonic()
            answer = service.post(form[0], mutated(form, rng))
            assert time.monotonic() - began < 5
            seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
        for one in service.ledger.incidents():
            work = Work(case_id=one["case_id"], hook=one["hook"], incident=one["incident"], count=one["count"])
            job, files = service.sweep.job(work)
            assert set(job["files"]) <= set(files)
            assert len(job["files"]) == one["count"]
            assert {name for name in files if "/" in name} == set()
        counts = service.ledger.counts()
    assert set(seen) == {200, 202, 400}
    assert seen[202] == counts["deliveries"] > draws / 20


@pytest.mark.parametrize(
    ("vendor", "payload", "state"),
    [
        ("pagerduty", simulated.PAGED[0], "open"),
        ("pagerduty", simulated.PAGED[3], ""),
        ("pagerduty", simulated.PAGED[4], "recovered"),
        ("opsgenie", simulated.acted(), "open"),
        ("jira_service_management", simulated.acted("Close", simulated.RESOLVED), "recovered"),
        ("alertmanager", simulated.notified(), "open"),
        ("alertmanager", simulated.notified(status="resolved", endsAt="2026-05-02T12:35:00Z"), "recovered"),
        ("grafana", simulated.grouped(), "open"),
        ("incident_io", {"incident": simulated.DECLARED}, "closed"),
        ("incident_io", {"incident": {**simulated.DECLARED, "incident_status": {"category": "live"}}}, "contained"),
        ("generic", simulated.posted("contained", simulated.ALERT), "contained"),
        ("mlflow", simulated.REGISTRY[0], ""),
    ],
)
def test_a_delivery_says_in_which_state_an_incident_is(vendor, payload, state):
    from rca.service.configuration import Hook

    found = said(Hook(name="a", vendor=vendor), json.dumps(payload).encode())
    assert (found.state, found.ignored) == (state, "")
    assert found.at
    assert bool(found.incident) == (vendor != "mlflow")
