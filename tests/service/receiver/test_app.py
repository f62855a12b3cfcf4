import base64
import concurrent.futures
import hashlib
import hmac
import itertools
import json
import random
import socket
import time

import pytest

from rca.service.ledger import case_id
from tests.importers import simulated
from tests.service.running import Running, configured

SECRET = "whsec_" + base64.b64encode(b"a key of a vendor").decode()


def hexadecimal(key, content):
    return hmac.new(key, content, hashlib.sha256).hexdigest()


def base_64(key, content):
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def signed(vendor, body, *, secret=SECRET, at=None, delivery="d-1"):
    """The headers that a vendor would send."""
    at = str(int(time.time()) if at is None else at)
    if vendor == "pagerduty":
        return {"X-PagerDuty-Signature": f"v1={'0' * 64},v1={hexadecimal(secret.encode(), body)}"}
    if vendor == "grafana":
        return {"X-Grafana-Alerting-Signature": hexadecimal(secret.encode(), f"{at}:".encode() + body), "X-At": at}
    content = f"{delivery}.{at}.".encode() + body
    if vendor == "mlflow":
        sign = base_64(secret.encode(), content)
        return {"X-MLflow-Signature": f"v1,{sign}", "X-MLflow-Delivery-Id": delivery, "X-MLflow-Timestamp": at}
    if vendor in ("incident_io", "generic"):
        sign = base_64(base64.b64decode(secret.removeprefix("whsec_")), content)
        return {"webhook-id": delivery, "webhook-timestamp": at, "webhook-signature": f"v1,AAAA v1,{sign}"}
    basic = base64.b64encode(secret.encode()).decode()
    return {
        "Authorization": {"alertmanager": f"Basic {basic}", "opsgenie": f"GenieKey {secret}"}.get(
            vendor, f"Bearer {secret}"
        )
    }


PAYLOADS = {
    "pagerduty": simulated.PAGED[-1],
    "opsgenie": simulated.acted("Close", simulated.RESOLVED),
    "jira_service_management": simulated.acted("Close", simulated.RESOLVED),
    "incident_io": {
        "event_type": "public_incident.incident_updated_v2",
        "public_incident.incident_updated_v2": simulated.DECLARED,
    },
    "alertmanager": simulated.notified(status="resolved", endsAt="2026-05-02T12:35:00Z"),
    "grafana": simulated.grouped(status="resolved", endsAt="2026-05-02T12:35:00Z"),
    "mlflow": simulated.REGISTRY[-1],
    "generic": simulated.posted("closed", simulated.RESOLVED),
}
LINE = b"POST /hooks/generic HTTP/1.1\r\nHost: localhost\r\n"
STAMPED = ("incident_io", "grafana", "mlflow", "generic")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    secret = tmp_path_factory.mktemp("secrets") / "secret"
    secret.write_text(SECRET + "\n")
    told = {"secret": {"file": str(secret)}}
    hooks = [{"name": name.replace("_", "-"), "vendor": name, **told} for name in PAYLOADS]
    hooks = [{**one, "stamp": "X-At"} if one["name"] == "grafana" else one for one in hooks]
    with Running(configured(tmp_path_factory.mktemp("service"), *hooks)) as running:
        yield running


@pytest.fixture
def bare(tmp_path):
    limits = {"body": 100_000, "read": 0.5, "rate": 1.0, "burst": 30}
    with Running(configured(tmp_path, "pagerduty", "generic", limits=limits)) as running:
        yield running


def sent(service, vendor, payload, **how):
    body = json.dumps(payload).encode()
    return service.post(vendor.replace("_", "-"), body, **signed(vendor, body, **how))


@pytest.mark.parametrize("vendor", PAYLOADS)
def test_what_a_vendor_signs_is_taken_and_nothing_else(service, vendor):
    payload = PAYLOADS[vendor]
    other = {**payload, "another": "letter"}
    body = json.dumps(other).encode()
    for headers in ({}, signed(vendor, body, secret="whsec_AAAA"), dict.fromkeys(signed(vendor, body), "v1=,,")):
        assert service.post(vendor.replace("_", "-"), body, **headers).status_code == 401
    if vendor not in ("opsgenie", "jira_service_management", "alertmanager"):
        assert (
            service.post(vendor.replace("_", "-"), body, **signed(vendor, json.dumps(payload).encode())).status_code
            == 401
        )
    answer = sent(service, vendor, payload)
    assert answer.status_code == 202
    assert answer.json()["new"]


@pytest.mark.parametrize("vendor", STAMPED)
def test_what_was_signed_long_ago_or_ahead_is_refused(service, vendor):
    for away in (-400, 400):
        assert sent(service, vendor, {**PAYLOADS[vendor], "x": away}, at=time.time() // 1 + away).status_code == 401


@pytest.mark.parametrize("vendor", PAYLOADS)
def test_a_replay_has_the_first_id_and_changes_nothing(service, vendor):
    first = sent(service, vendor, {**PAYLOADS[vendor], "n": 1}, delivery="d-2")
    before = service.ledger.counts()
    again = sent(service, vendor, {**PAYLOADS[vendor], "n": 1}, delivery="d-2")
    assert again.status_code == 200
    assert (again.json()["id"], again.json()["new"]) == (first.json()["id"], False)
    assert service.ledger.counts() == before


@pytest.mark.parametrize("seed", range(3))
def test_an_incident_is_one_however_often_and_in_whatever_order_its_events_come(bare, seed):
    events = [one for one in simulated.PAGED for _ in range(2)]
    random.Random(seed).shuffle(events)
    answers = [bare.post("pagerduty", event) for event in events]
    assert {one.status_code for one in answers} == {200, 202}
    (one,) = bare.ledger.incidents()
    assert (one["case_id"], one["count"], one["state"]) == (case_id("pagerduty", "Q1CARDS"), 7, "recovered")


def test_an_incident_that_was_opened_again_has_not_ended(bare):
    for event in itertools.chain(simulated.PAGED[:6][::-1]):
        bare.post("pagerduty", event)
    assert bare.ledger.incidents()[0]["state"] == "open"
    assert bare.ledger.due(("recovered", "closed"), now=time.time() + 1, settle=0, most=9) == []


def test_a_body_that_is_too_large_is_refused_said_or_not(bare):
    def parts():
        for _ in range(20):
            yield b" " * 1_000_000

    assert bare.post("generic", b"{" + b" " * 20_000_000 + b"}").status_code == 413
    assert (
        bare.client.post("/hooks/generic", content=parts(), headers={"content-type": "application/json"}).status_code
        == 413
    )
    assert bare.ledger.counts()["deliveries"] == 0


@pytest.mark.parametrize(
    "head", [b"POST /hooks/generic HT", (LINE + b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{")]
)
def test_a_slow_client_is_cut(bare, head):
    with socket.create_connection(("127.0.0.1", int(bare.address.rpartition(":")[2])), timeout=5) as slow:
        slow.sendall(head)
        began, said = time.monotonic(), b""
        while part := slow.recv(4096):
            said += part
    assert time.monotonic() - began < 3
    assert said == b"" or b" 408 " in said.splitlines()[0]
    assert bare.client.get("/health").status_code == 200


def test_too_many_at_once_are_told_when_to_come_again_and_none_is_lost(bare):
    payloads = [simulated.posted("open", simulated.ALERT, incident=f"i-{number}") for number in range(60)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: bare.post("generic", one), payloads))
    taken = [one for one in answers if one.status_code == 202]
    refused = [one for one in answers if one.status_code == 429]
    assert len(taken) + len(refused) == 60
    assert 30 <= len(taken) < 60
    assert all(int(one.headers["retry-after"]) >= 1 for one in refused)
    assert bare.ledger.counts()["deliveries"] == len(taken)


@pytest.mark.parametrize(
    ("payload", "headers", "status"),
    [
        (b"no json", {}, 400),
        (b"a,b\n" + b"1,2\n" * 20_000, {}, 400),
        (b'{"a": ' * 5_000, {}, 400),
        (b"\xff\xfe", {}, 400),
        (b'{"status": "open", "status": "closed"}', {}, 400),
        ({"hello": "there"}, {}, 200),
        (simulated.posted("closed", "yesterday"), {}, 200),
        (simulated.posted("closed", simulated.RESOLVED, incident="x" * 600), {}, 200),
        (simulated.posted("closed", simulated.RESOLVED), {"content-encoding": "gzip"}, 415),
        (simulated.posted("closed", simulated.RESOLVED), {"content-type": "text/plain"}, 415),
        (simulated.posted("closed", simulated.RESOLVED), {"host": "evil.example"}, 400),
    ],
    ids=[
        "text",
        "table",
        "deep",
        "bytes",
        "twice",
        "other form",
        "no time",
        "long id",
        "packed",
        "form of a page",
        "rebound name",
    ],
)
def test_what_cannot_be_meant_is_refused_or_ignored_and_written_nowhere(bare, payload, headers, status):
    answer = bare.post("generic", payload, **headers)
    assert answer.status_code == status, answer.text
    assert bare.ledger.counts()["deliveries"] == 0


@pytest.mark.parametrize(
    "incident",
    [
        "../../etc/passwd",
        "/abs",
        "..",
        "a\r\nX-Evil: 1",
        "\ud800",
        "C:\\x",
        ".",
        "ü" * 90,
        "'; DROP TABLE deliveries; --",
    ],
)
def test_an_id_leads_nowhere(bare, incident):
    answer = bare.post("generic", simulated.posted("closed", simulated.RESOLVED, incident=incident))
    assert answer.status_code == 202
    assert "x-evil" not in answer.headers
    case = answer.json()["case"]
    assert case.isascii()
    assert case.replace("-", "").isalnum()
    assert len(case) <= 64
    assert bare.client.get(f"/incidents/{case}").json()["case_id"] == case


def test_nothing_beside_the_reports_is_served(bare):
    (bare.set.folder / "reports").mkdir()
    for path in ("/reports/../ledger.sqlite", "/reports/%2e%2e/ledger.sqlite", "/reports//etc/passwd", "/hooks/none"):
        assert bare.client.get(path).status_code in (404, 405)


def test_readers_need_the_token_where_there_is_one(tmp_path, monkeypatch):
    monkeypatch.setenv("READ", "open sesame")
    with Running(configured(tmp_path, "generic", token={"env": "READ"})) as running:
        for path in ("/", "/metrics", "/incidents", "/search?q=x", "/reports/x", "/incidents/x"):
            assert running.client.get(path).status_code == 401
            assert running.client.get(path, headers={"authorization": "Bearer open sesame"}).status_code in (200, 404)
        assert running.client.get("/health").json() == {"healthy": True}


def test_figures_say_what_was_answered(bare):
    bare.post("generic", simulated.posted("closed", simulated.RESOLVED))
    bare.post("generic", b"no json")
    told = bare.client.get("/metrics").text
    assert 'rca_deliveries_total{answer="accepted",hook="generic"} 1.0' in told
    assert 'rca_deliveries_total{answer="400",hook="generic"} 1.0' in told
    assert 'rca_ledger{what="deliveries"} 1.0' in told


def test_what_cannot_be_written_is_not_accepted(bare, monkeypatch):
    import sqlite3

    def full(rows):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(bare.ledger, "accept", full)
    answer = bare.post("generic", simulated.posted("closed", simulated.RESOLVED))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_where_too_many_wait_nothing_more_is_taken(bare):
    bare.sweep.full = True
    assert bare.post("generic", simulated.posted("closed", simulated.RESOLVED)).status_code == 503
    assert bare.client.get("/health").status_code == 503
