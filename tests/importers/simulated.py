"""Payloads of every form of every vendor, written for these tests: one made-up incident of a made-up card model.

Nothing here was received from a tool. Forms are those that the maps cite; values are ours.
"""

import csv
import io
import json
from datetime import datetime

from rca.importers.fact import Given

ALERT = "2026-05-02T09:10:00Z"
ACKNOWLEDGED = "2026-05-02T09:14:30.250Z"
REOPENED = "2026-05-02T11:00:00Z"
RESOLVED = "2026-05-02T12:40:00Z"
GIVEN = Given(at="2026-05-02T09:11:00Z", system="card-model")


def epoch(text, per_second=1000):
    """A time as a number since 1970."""
    return round(datetime.fromisoformat(text).timestamp() * per_second)


def delivered(number, kind, at, data=None, *, status="triggered", priority="P2"):
    """A delivery of PagerDuty's webhook."""
    incident = {
        "id": "Q1CARDS", "type": "incident", "number": 7, "status": status, "title": "Cards are declined",
        "service": {"summary": "card-api"}, "priority": {"summary": priority}, "urgency": "high",
    }  # fmt: skip
    body = {"id": f"01EVENT{number}", "event_type": f"incident.{kind}", "resource_type": "incident", "occurred_at": at}
    return {"event": {**body, "agent": None, "data": data or incident}}


def of_the_incident(**more):
    """An object that names its incident."""
    return {"incident": {"id": "Q1CARDS", "type": "incident_reference"}, **more}


PAGED = [
    delivered(0, "triggered", ALERT),
    delivered(1, "acknowledged", ACKNOWLEDGED, status="acknowledged"),
    delivered(2, "priority_updated", "2026-05-02T09:20:00Z", status="acknowledged", priority="P1"),
    delivered(3, "annotated", "2026-05-02T09:30:00Z", of_the_incident(id="N1", content="only prepaid cards")),
    delivered(4, "resolved", "2026-05-02T10:30:00Z", status="resolved", priority="P1"),
    delivered(5, "reopened", REOPENED, priority="P1"),
    delivered(6, "resolved", RESOLVED, status="resolved", priority="P1"),
]

INCIDENT = {
    "id": "Q1CARDS", "incident_key": "cards", "incident_number": 7, "title": "Cards are declined", "status": "resolved",
    "created_at": ALERT, "updated_at": RESOLVED, "resolved_at": RESOLVED, "priority": {"summary": "SEV-2"},
    "service": {"summary": "card-api"}, "assignments": [{"at": "2026-05-02T09:12:00Z"}],
    "acknowledgements": [{"at": "2026-05-02T11:14:30+02:00"}],
}  # fmt: skip

ENTRIES = [
    {"id": "L1", "type": "trigger_log_entry", "created_at": ALERT, **of_the_incident()},
    {"id": "L2", "type": "acknowledge_log_entry", "created_at": "2026-05-02T09:14:30Z", **of_the_incident()},
    {"id": "L3", "type": "an_entry_of_tomorrow", "created_at": "2026-05-02T09:15:00Z", **of_the_incident()},
]

CHANGE = {"id": "C1", "summary": "limits v4", "timestamp": "2026-05-01T22:00:00Z",
          "custom_details": {"kind": "config", "system": "card-api"}}  # fmt: skip

RESPONSE = {
    "responder_id": "U1",
    "requested_at": "2026-05-02T11:10:00",
    "responded_at": None,
    "response_status": "pending",
}

ANALYTICS = {
    "time_zone": "Europe/Berlin",
    "data": [{
        "id": "Q1CARDS", "incident_number": 7, "description": "Cards are declined", "created_at": "2026-05-02T11:10:00",
        "resolved_at": "2026-05-02T14:40:00", "seconds_to_first_ack": 270, "priority_name": None, "status": "resolved",
        "service_name": "card-api",
    }],
}  # fmt: skip

FIRES = {
    "status": "firing", "labels": {"alertname": "DeclinesHigh", "model": "card-model"}, "fingerprint": "f00d",
    "annotations": {"summary": "declines above 4 %"}, "startsAt": "2026-05-02T09:09:00.5Z",
    "endsAt": "0001-01-01T00:00:00Z",
}  # fmt: skip


def notified(**change):
    """A notification of Alertmanager."""
    status = change.get("status", "firing")
    return {"version": "4", "receiver": "rca", "status": status, "groupKey": "{}:{a}", "alerts": [{**FIRES, **change}]}


def grouped(**change):
    """A notification of Grafana Alerting."""
    return {**notified(**change), "version": "1", "orgId": 1, "state": "alerting", "title": "[FIRING:1]"}


def acted(action="Create", at=ALERT):
    """A delivery of Opsgenie's webhook."""
    alert = {"alertId": "a-1", "tinyId": "12", "message": "Cards are declined", "priority": "P2", "entity": "card-api",
             "createdAt": epoch(ALERT), "updatedAt": epoch(at) * 1_000_000}  # fmt: skip
    return {"action": action, "alert": alert, "integrationName": "rca"}


def posted(status, at, **more):
    """A delivery of a tool that has no map."""
    return {"incident": "cards 7", "status": status, "at": at, "title": "Cards are declined", "severity": "sev2",
            "system": "card-api", "what": "by hand", **more}  # fmt: skip


OPSGENIE = {
    "id": "a-1", "tinyId": "12", "message": "Cards are declined", "status": "closed", "priority": "P2",
    "createdAt": ALERT, "updatedAt": RESOLVED, "report": {"ackTime": 270250, "closeTime": 12600000},
}  # fmt: skip


def stamp(name, at):
    """A timestamp of incident.io, by the customer's name."""
    return {"incident_timestamp": {"id": f"T-{name}", "name": name}, "value": {"value": at} if at else None}


DECLARED = {
    "id": "01CARDS", "name": "Card model declines prepaid cards", "summary": "Prepaid cards were declined.",
    "incident_status": {"category": "closed"}, "severity": {"name": "SEV2"}, "created_at": "2026-05-02T09:25:00Z",
    "updated_at": "2026-05-20T08:00:00Z",
    "incident_timestamp_values": [
        stamp("Impact started", "2026-05-02T06:00:00Z"), stamp("Contained at", "2026-05-02T10:15:00Z"),
        stamp("Tea was made", "2026-05-02T09:40:00Z"), stamp("Closed at", None),
    ],
}  # fmt: skip

UPDATE = {"id": "U1", "incident_id": "01CARDS", "created_at": "2026-05-02T09:50:00Z", "message": "fallback is on",
          "new_incident_status": {"category": "live"}, "new_severity": None}  # fmt: skip

FOLLOW_UP = {"id": "F1", "incident_id": "01CARDS", "title": "Watch declines by card", "status": "outstanding",
             "assignee_team": {"name": "payments"}, "priority": {"name": "Urgent"}}  # fmt: skip

GROUP = {"id": "G1", "state": "resolved", "title": "Declines", "alerts_count": 2, "created_at": ALERT,
         "acknowledged_at": ACKNOWLEDGED, "resolved_at": RESOLVED, "silenced_at": None}  # fmt: skip

PAGE = {"id": "page", "time_zone": "Etc/UTC"}

POSTED = {
    "id": "S1", "name": "Cards declined", "status": "resolved", "started_at": "2026-05-02T09:00:00Z",
    "updated_at": RESOLVED,
    "incident_updates": [
        {"id": "s2", "status": "identified", "body": "A limit.", "display_at": "2026-05-02T10:00:00Z"},
        {"id": "s1", "status": "investigating", "body": "We look.", "display_at": "2026-05-02T09:30:00Z"},
    ],
}  # fmt: skip

LOGGED = {
    "number": "INC7", "incident_state": "Closed", "sys_mod_count": "4", "opened_at": "2/5/2026 09:26",
    "sys_updated_at": "02-05-2026 12:41", "resolved_at": "?", "closed_at": "20/5/2026 08:00", "priority": "2 - High",
}  # fmt: skip

TICKET = {
    "number": "INC7", "short_description": "Cards declined", "description": "", "state": "6", "priority": "2",
    "opened_at": "2026-05-02 09:26:00", "sys_updated_on": "2026-05-02 12:41:00", "resolved_at": "2026-05-02 12:41:00",
    "closed_at": "",
}  # fmt: skip


def changed(entity, action, at, **data):
    """A delivery of MLflow's webhook."""
    return {"entity": entity, "action": action, "timestamp": at, "data": {"name": "card-model", **data}}


REGISTRY = [
    changed("registered_model", "created", "2026-01-05T08:00:00+00:00"),
    changed("model_version", "created", "2026-01-05T08:01:00+00:00", version="6", run_id="r6"),
    changed("model_version_alias", "created", "2026-01-06T08:00:00+00:00", version="6", alias="champion"),
    changed("model_version", "created", "2026-05-01T20:00:00+00:00", version="7", run_id="r7"),
    changed("model_version_alias", "created", "2026-05-02T05:30:00+00:00", version="7", alias="champion"),
    changed("model_version_alias", "created", "2026-05-02T12:30:00+00:00", version="6", alias="champion"),
]

VERSION = {"name": "card-model", "version": 7, "creation_timestamp": epoch("2026-05-01T20:00:00Z"), "run_id": "r7",
           "aliases": ["champion"], "current_stage": "None"}  # fmt: skip

RUN = {"info": {"run_id": "r7", "start_time": str(epoch("2026-05-01T18:00:00Z")), "end_time": None,
                "status": "RUNNING"},
       "data": {"tags": [{"key": "mlflow.runName", "value": "cards-7"}]}}  # fmt: skip

RUNS = [{"run_id": "r7", "experiment_id": "1", "start_time": "2026-05-01 18:00:00+00:00", "end_time": "",
         "status": "RUNNING", "tags.mlflow.runName": "cards-7"}]  # fmt: skip

META = {"name": "KSDrift", "detector_type": "drift", "version": "0.13.0"}

BY_FEATURE = {
    "data": {"is_drift": [1, 0], "distance": [0.4, 0.01], "p_val": [1e-9, 0.8], "threshold": 0.05},
    "meta": META,
}

ALL_FEATURES = {
    "data": {"is_drift": 1, "distance": [0.4, 0.01], "p_val": [1e-9, 0.8], "threshold": 0.025},
    "meta": META,
}

ONE_NUMBER = {"data": {"is_drift": 0, "distance": 0.01, "p_val": 0.8, "threshold": 0.05}, "meta": META}

SELDON = {"type": "io.seldon.serving.inference.drift", "source": "cards", "time": ALERT, "data": ALL_FEATURES}

COLUMN = {"column_name": "amount", "stattest_name": "K-S p_value", "stattest_threshold": 0.05, "drift_score": 1e-6,
          "drift_detected": True}  # fmt: skip

EVIDENTLY = {"timestamp": ALERT, "metrics": [
    {"metric": "DataDriftTable", "result": {"drift_by_columns": {"amount": COLUMN}}},
    {"metric": "ColumnDriftMetric", "result": {**COLUMN, "column_name": "merchant", "drift_detected": False}},
]}  # fmt: skip

CHUNKS = [{"chunk_key": "w1", "chunk_end_date": "2026-05-02 09:00:00", "amount_jensen_shannon_value": "0.4",
           "amount_jensen_shannon_upper_threshold": "0.1", "amount_jensen_shannon_alert": "True"}]  # fmt: skip


def span(number, at, version, **more):
    """A span of a request to a language model."""
    told = {"gen_ai.request.model": "helper", "gen_ai.response.model": version, **more}
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in told.items()]
    nanos = str(epoch(at) * 1_000_000)
    return {"traceId": "t", "spanId": str(number), "name": "chat", "startTimeUnixNano": nanos, "attributes": attributes}


SPANS = {"resourceSpans": [{
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "card-helper"}}]},
    "scopeSpans": [{"spans": [
        span(0, "2026-05-02T05:00:00Z", "helper-1"), span(1, "2026-05-02T06:00:00Z", "helper-2"),
        span(2, "2026-05-02T06:05:00Z", "helper-2"),
        span(3, "2026-05-02T06:09:00Z", "helper-2", **{"error.type": "timeout"}),
    ]}],
}]}  # fmt: skip

FORMS = {
    ("pagerduty", "webhook v3 of a service"): (
        {"event": {"event_type": "service.updated", "resource_type": "service", "data": {"id": "S"}}}
    ),
    ("pagerduty", "webhook v3"): PAGED,
    ("pagerduty", "objects of webhooks"): (
        {"incident": [{"type": "incident"}], "incident_note": [{"type": "incident_note"}]}
    ),
    ("pagerduty", "incidents"): {"incidents": [INCIDENT], "limit": 1},
    ("pagerduty", "alerts"): (
        {"alerts": [of_the_incident(id="A1", alert_key="k", summary="declines", created_at=ALERT)]}
    ),
    ("pagerduty", "log entries"): {"log_entries": ENTRIES},
    ("pagerduty", "notes"): (
        {"notes": [{"id": "N1", "content": "only prepaid", "created_at": "2026-05-02T05:30:00-04:00"}]}
    ),
    ("pagerduty", "change events"): {"change_events": [CHANGE]},
    ("pagerduty", "analytics of incidents"): ANALYTICS,
    ("pagerduty", "analytics of responses"): (
        {"incident_id": "Q1CARDS", "time_zone": "Europe/Berlin", "responses": RESPONSE}
    ),
    ("pagerduty", "analytics"): {"aggregate_unit": "day", "data": [{"total_incident_count": 4}]},
    ("pagerduty", "post-mortem of a status page"): (
        {"postmortem": {"id": "M1", "type": "status_page_post_postmortem", "reported_at": RESOLVED, "message": "Sorry"}}
    ),
    ("alertmanager", "webhook v4"): notified(status="resolved", endsAt="2026-05-02T12:35:00Z"),
    ("grafana", "webhook"): grouped(status="resolved", endsAt="2026-05-02T12:35:00Z"),
    ("generic", "event"): [posted("open", ALERT), posted("closed", RESOLVED)],
    ("opsgenie", "webhook"): acted("Close", RESOLVED),
    ("opsgenie", "alerts"): {"data": [OPSGENIE]},
    ("opsgenie", "logs of an alert"): (
        {"data": [{"log": "Alert acknowledged via app", "createdAt": ACKNOWLEDGED, "offset": "1"}]}
    ),
    ("jira_service_management", "alerts"): {"values": [OPSGENIE]},
    ("incident_io", "webhook v2 of a private incident"): (
        {"event_type": "private_incident.incident_created_v2", "private_incident.incident_created_v2": {"id": "01X"}}
    ),
    ("incident_io", "incident"): {"incidents": [DECLARED]},
    ("incident_io", "updates"): {"incident_updates": [UPDATE]},
    ("incident_io", "follow-ups"): {"follow_ups": [FOLLOW_UP]},
    ("grafana_oncall", "alert group"): {"event": {"type": "resolve", "time": RESOLVED}, "alert_group": GROUP},
    ("goalert", "alert"): {"AppName": "GoAlert", "Type": "Alert", "AlertID": 9, "Summary": "Declines", "Details": "…"},
    ("goalert", "alert's status"): {"AppName": "GoAlert", "Type": "AlertStatus", "AlertID": 9, "LogEntry": "Closed"},
    ("goalert", "other webhook"): {"AppName": "GoAlert", "Type": "Test"},
    ("statuspage", "incidents"): {"page": PAGE, "incidents": [POSTED]},
    ("servicenow", "event log"): [LOGGED],
    ("servicenow", "incident table"): {"result": [TICKET]},
    ("mlflow", "webhook of a model"): REGISTRY,
    ("mlflow", "webhook of a prompt"): changed("prompt_alias", "created", ALERT, version="2", alias="live"),
    ("mlflow", "model versions"): {"model_version": VERSION},
    ("mlflow", "runs"): {"run": RUN},
    ("mlflow", "table of runs"): RUNS,
    ("wandb", "run"): (
        {"name": "cards-7", "state": "finished", "createdAt": "2026-05-01T18:00:00Z", "summaryMetrics": {}}
    ),
    ("alibi_detect", "drift by feature"): BY_FEATURE,
    ("alibi_detect", "drift of all features"): ALL_FEATURES,
    ("alibi_detect", "drift"): ONE_NUMBER,
    ("alibi_detect", "outliers"): {"data": {"is_outlier": [0, 1]}, "meta": META},
    ("seldon", "CloudEvent of a drift detector"): SELDON,
    ("evidently", "report"): EVIDENTLY,
    ("evidently", "report of 0.7 or later"): {"metrics": [{"metric_id": "ValueDrift(column=amount)", "value": 0.2}]},
    ("nannyml", "univariate drift"): CHUNKS,
    ("otel", "spans"): SPANS,
}  # fmt: skip
"""Vendor and form → a payload of it."""

TABLES = {("servicenow", "event log"), ("mlflow", "table of runs"), ("nannyml", "univariate drift")}
"""Forms that come as CSV."""

WITH = {
    ("opsgenie", "alerts"): Given(unit="ms"),
    ("servicenow", "event log"): Given(zone="UTC"),
    ("servicenow", "incident table"): Given(zone="UTC"),
    ("nannyml", "univariate drift"): Given(zone="UTC", system="card-model"),
    ("goalert", "alert"): GIVEN,
    ("goalert", "alert's status"): GIVEN,
    ("alibi_detect", "drift by feature"): Given(at=GIVEN.at, system="card-model", columns=("amount", "merchant")),
    ("alibi_detect", "drift of all features"): GIVEN,
    ("alibi_detect", "drift"): GIVEN,
}
"""Forms that leave something open, and what is said beside them."""


def raw(form):
    """A payload as bytes, as its tool would write it."""
    payload = FORMS[form]
    if form not in TABLES:
        return json.dumps(payload).encode()
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=payload[0])
    writer.writeheader()
    writer.writerows(payload)
    return out.getvalue().encode()
