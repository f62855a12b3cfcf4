"""One record out of several sources, whatever order they came in."""

from datetime import datetime
from itertools import permutations

import pytest

from rca.importers.fact import Given
from rca.importers.merging import in_order, merged, written
from rca.importers.payload import documents
from rca.importers.reading import read, recognised
from tests.importers import simulated
from tests.importers.simulated import WITH, raw

SEVERAL = [("pagerduty", "webhook v3"), ("alertmanager", "webhook v4"), ("mlflow", "webhook of a model"),
           ("incident_io", "incident")]  # fmt: skip


def at(text):
    return datetime.fromisoformat(text)


def readings(*forms, **given):
    told = []
    for form in forms:
        found = documents(raw(form), name="f")
        said = Given(**given) if given else WITH.get(form, Given())
        told.append(read(found, recognised(found), source=f"sources/{form[0]}", file="f", given=said))
    return told


def test_sources_say_the_same_in_any_order():
    told = readings(*SEVERAL)
    first = merged(told)
    assert all(merged(order) == first for order in permutations(told))
    assert {name: written(when) for name, (when, _) in first.moments.items()} == {
        "onset": "2026-05-02T06:00:00Z",
        "detected": "2026-05-02T09:09:00.500Z",
        "alerted": "2026-05-02T09:09:00.500Z",
        "acknowledged": simulated.ACKNOWLEDGED,
        "contained": "2026-05-02T10:15:00Z",
        "resolved": simulated.RESOLVED,
    }
    assert first.said["title"] == ("Card model declines prepaid cards", "sources/incident_io")
    assert first.said["status"] == ("closed", "sources/incident_io")


def test_what_was_resolved_before_it_was_opened_again_is_no_end(monkeypatch):
    form = ("pagerduty", "webhook v3")
    assert written(merged(readings(form)).moments["resolved"][0]) == simulated.RESOLVED
    monkeypatch.setitem(simulated.FORMS, form, simulated.PAGED[:-1])
    told = merged(readings(form))
    assert "resolved" not in told.moments
    assert told.said["status"][0] == "open"
    assert [one["what"] for one in told.events][-2:] == ["resolved", "reopened"]


def test_two_interfaces_of_a_vendor_tell_an_event_once():
    told = merged(readings(("pagerduty", "webhook v3"), ("pagerduty", "log entries")))
    assert [one["what"] for one in told.events].count("acknowledged") == 1


def test_alerts_that_only_their_fingerprints_tell_apart_are_all_kept(monkeypatch):
    form = ("alertmanager", "webhook v4")
    several = [simulated.notified(fingerprint=str(number)) for number in range(3)]
    monkeypatch.setitem(simulated.FORMS, form, several)
    assert len(merged(readings(form)).events) == 3


def test_repeats_of_a_notification_are_one_event(monkeypatch):
    form = ("alertmanager", "webhook v4")
    monkeypatch.setitem(simulated.FORMS, form, [simulated.notified(), simulated.notified(), simulated.notified(
        status="resolved", endsAt="2026-05-02T12:35:00Z")])  # fmt: skip
    assert [one["what"] for one in merged(readings(form)).events] == [
        "alert DeclinesHigh: declines above 4 %", "alert DeclinesHigh ends",
    ]  # fmt: skip


def test_sources_that_are_a_minute_apart_contradict_each_other_and_none_is_dropped():
    told = merged(readings(("pagerduty", "webhook v3"), ("opsgenie", "alerts"), unit="s"))
    (clash,) = [one for one in told.contradictions if one["of"] == "acknowledged"]
    assert clash["taken"] == simulated.ACKNOWLEDGED
    assert clash["against"] == "2026-05-05T12:14:10Z"
    assert (clash["source"], clash["said_by"]) == ("sources/pagerduty", "sources/opsgenie")


def test_severities_that_differ_are_told(monkeypatch):
    told = merged(readings(("pagerduty", "webhook v3"), ("incident_io", "incident")))
    assert told.said["severity"] == ("sev2", "sources/incident_io")
    assert [one["against"] for one in told.contradictions if one["of"] == "severity"] == ["sev1"]


# --- which version served --------------------------------------------------------------------------------------------


def test_the_version_that_served_at_detection_and_the_one_before_it():
    told = merged(readings(("pagerduty", "webhook v3"), ("mlflow", "webhook of a model"), ("mlflow", "model versions")))
    (system,) = [one for one in told.systems if one["name"] == "card-model"]
    assert system == {
        "name": "card-model", "kind": "model", "version": "7", "run_id": "r7",
        "last_good": "6, which had the alias champion before 2026-05-02T05:30:00Z",
    }  # fmt: skip


def test_without_a_history_a_version_has_no_predecessor():
    (system,) = merged(readings(("mlflow", "model versions"))).systems
    assert system == {"name": "card-model", "kind": "model", "version": "7", "run_id": "r7"}


def test_which_alias_serves_is_asked_for_where_several_could(monkeypatch):
    form = ("mlflow", "webhook of a model")
    other = simulated.changed("model_version_alias", "created", "2026-04-01T00:00:00Z", version="5", alias="blue")
    both = [{**other, "data": {**other["data"], "alias": name}} for name in ("blue", "green")]
    monkeypatch.setitem(simulated.FORMS, form, both)
    told = merged(readings(form))
    assert told.asked == ("under which alias does card-model serve? It has blue, green: --alias NAME",)
    assert "version" not in told.systems[0]
    assert merged(readings(form), alias="green").systems[0]["version"] == "5"


def test_answers_of_a_language_model_say_which_version_gave_them():
    (system,) = merged(readings(("otel", "spans"))).systems
    assert (system["name"], system["version"]) == ("card-helper", "helper-2")


# --- order -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fixed", "stands"),
    [
        ((), {"onset", "detected", "aware"}),
        (("closed",), {"onset", "aware", "closed"}),
        (("detected",), {"onset", "detected", "aware"}),
    ],
)
def test_of_moments_out_of_order_the_imported_ones_yield(fixed, stands):
    days = {"onset": 1, "detected": 5, "closed": 3, "aware": 9}
    told = {name: at(f"2026-05-0{day}T00:00:00Z") for name, day in days.items()}
    assert in_order(told, fixed) == stands
