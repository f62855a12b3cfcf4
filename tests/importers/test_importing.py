"""Imports into a case: whole or not at all, twice the same, in any order one timeline; what people wrote stands."""

import json
import os
from itertools import permutations
from pathlib import Path

import pytest
import yaml

from rca.errors import InvalidCase
from rca.importers import importing
from rca.importers.fact import Given
from rca.importers.importing import import_files, new_from
from rca.record.case import load
from rca.record.check import check
from tests.conftest import ROOT
from tests.importers import simulated
from tests.importers.cases import bytes_of, moments, put, taken, value
from tests.importers.simulated import FORMS, WITH, raw
from tests.importers.test_reading import NONE, SAYS

PAYLOADS = Path(os.environ.get("RCA_PAYLOADS", ROOT.parent / "shared" / "domain" / "payloads"))

PAGER, ALERTS, REGISTRY = ("pagerduty", "webhook v3"), ("alertmanager", "webhook v4"), ("mlflow", "webhook of a model")


# --- once, twice, in any order ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", SAYS, ids=": ".join)
def test_every_form_imports_into_a_sound_record_and_twice_into_the_same(form, tmp_path):
    case, done = taken(tmp_path, form)
    assert done.changed
    assert check(case) == []
    held = bytes_of(case)
    _, again = taken(tmp_path, form, case=case)
    assert not again.changed
    assert bytes_of(case) == held


def test_a_pager_alerts_and_a_registry_make_one_timeline_in_any_order(tmp_path):
    told = [
        value(taken(tmp_path / str(number), *order)[0])
        for number, order in enumerate(permutations([PAGER, ALERTS, REGISTRY]))
    ]
    assert all(one == told[0] for one in told)
    timeline = told[0]["timeline"]
    assert [event["id"].partition(":")[0] for event in timeline["events"]].count("pagerduty") == 7
    assert {source.partition("-")[0] for source in timeline["sources"].values()} == {
        "sources/alertmanager",
        "sources/pagerduty",
    }
    assert {system["name"]: system.get("version") for system in told[0]["systems"]} == {
        "card-api": None,
        "card-model": "7",
    }


def test_events_one_by_one_are_the_same_as_all_at_once(tmp_path):
    whole, _ = taken(tmp_path / "whole", PAGER)
    files = [put(tmp_path, f"{number}.json", json.dumps(one).encode()) for number, one in enumerate(simulated.PAGED)]
    done = new_from(tmp_path, "cards", list(reversed(files)))
    apart, together = value(done.case), value(whole)
    for told in (apart, together):
        told.pop("imports")
        told["timeline"].pop("sources")
        for event in told["timeline"]["events"]:
            event.pop("source")
    assert apart == together


def test_sources_lie_in_the_case_byte_for_byte(tmp_path):
    case, done = taken(tmp_path, PAGER)
    (source,) = load(case).incident.imports.sources
    assert (case / source.path).read_bytes() == raw(PAGER)
    assert bytes_of(case)[source.path] == source.sha256
    assert list(done.files.values()) == [source.path]
    assert all(event.source == source.path for event in load(case).incident.timeline.events)


def test_what_was_said_beside_a_file_is_kept_with_it(tmp_path):
    case, _ = taken(tmp_path, ("servicenow", "incident table"))
    assert load(case).incident.imports.sources[0].given == {"zone": "UTC"}
    _, done = taken(tmp_path, ("servicenow", "incident table"), case=case, zone="Europe/Berlin")
    assert done.changed
    assert moments(case)["alerted"] == "2026-05-02T07:26:00Z"
    assert len(load(case).incident.timeline.events) == 2


# --- what people wrote stands ----------------------------------------------------------------------------------------


def edited(case, old, new):
    path = case / "incident.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_moment_that_a_person_wrote_stands_and_the_contradiction_is_told(tmp_path):
    case, _ = taken(tmp_path, PAGER)
    edited(case, f'acknowledged: "{simulated.ACKNOWLEDGED}"', "acknowledged: 2026-05-02T09:20:00Z  # by telephone")
    _, done = taken(tmp_path, ALERTS, case=case)
    assert moments(case)["acknowledged"] == "2026-05-02T09:20:00Z"
    assert "# by telephone" in (case / "incident.yaml").read_text(encoding="utf-8")
    assert ("acknowledged", "incident.yaml") in {(one["of"], one["source"]) for one in done.contradictions}
    assert "acknowledged" not in load(case).incident.timeline.sources


def test_an_event_that_a_person_changed_or_took_out_stays_so(tmp_path):
    case, _ = taken(tmp_path, PAGER)
    held = value(case)
    events = held["timeline"]["events"]
    events[1]["what"] = "acknowledged by the second line"
    del events[2]
    (case / "incident.yaml").write_text(yaml.safe_dump(held), encoding="utf-8")
    taken(tmp_path, REGISTRY, case=case)
    told = [event.what for event in load(case).incident.timeline.events if event.id.startswith("pagerduty")]
    assert len(told) == 6
    assert told[1] == "acknowledged by the second line"


def test_title_and_severity_of_a_person_stand(tmp_path):
    case, _ = taken(tmp_path, PAGER)
    edited(case, "title: Cards are declined", "title: Prepaid cards are declined")
    edited(case, "severity: sev1", "severity: sev3")
    _, done = taken(tmp_path, ("incident_io", "incident"), case=case)
    told = load(case).incident
    assert (told.title, told.severity) == ("Prepaid cards are declined", "sev3")
    assert [
        one["against"] for one in done.contradictions if one["of"] == "severity" and one["source"] == "incident.yaml"
    ] == ["sev2"]


def test_required_keys_that_nobody_said_anything_of_are_named(tmp_path):
    case, done = taken(tmp_path, ("mlflow", "runs"))
    assert done.unsaid == ("title", "severity", "category", "status")
    edited(case, "severity: sev3", "severity: sev4")
    _, done = taken(tmp_path, PAGER, case=case)
    assert done.unsaid == ("category",)
    assert load(case).incident.severity == "sev4"


def test_comments_and_order_of_the_record_stay(tmp_path):
    case, _ = taken(tmp_path, PAGER)
    text = (case / "incident.yaml").read_text(encoding="utf-8")
    assert "aware: null                    # the legal moment of awareness" in text
    assert "events:                     # deploy | config" in text
    assert "# metric:                        # what went wrong" in text


def test_a_moment_that_would_stand_out_of_order_is_left_out_and_told(tmp_path):
    case, _ = taken(tmp_path, PAGER)
    edited(case, "closed: null", "closed: 2026-05-02T06:30:00Z")
    edited(case, f'detected: "{simulated.ALERT}"', "detected: null")
    _, done = taken(tmp_path, ("incident_io", "incident"), case=case)
    assert set(moments(case)) & {"onset", "contained", "detected"} == {"onset"}
    assert {one["of"] for one in done.contradictions if "out of order" in one["taken"]} == {"detected", "contained"}


# --- whole or not at all ---------------------------------------------------------------------------------------------


def refused(case, match, *files, **how):
    held = bytes_of(case)
    with pytest.raises(InvalidCase, match=match):
        import_files(case, files, **how)
    assert bytes_of(case) == held


def test_one_bad_file_of_several_leaves_the_case_as_it_was(tmp_path):
    case, _ = taken(tmp_path, PAGER)
    good, bad = put(tmp_path, "good.json", raw(ALERTS)), put(tmp_path, "bad.json", raw(ALERTS)[:-9])
    refused(case, "bad.json, line 1, column .*: is not JSON", good, bad)
    refused(case, "gone.json: there is no such file", tmp_path / "gone.json")
    refused(case, "no importer is called 'pagerdty'", good, by="pagerdty")
    refused(case, "--zone: 'Mars' is no time zone", good, given=Given(zone="Mars"))
    refused(case, "--at: '2026-05-02T09:00:00' has no offset", good, given=Given(at="2026-05-02T09:00:00"))
    refused(case, "--moment: 'over' is no moment", good, given=Given(names={"Impact": "over"}))


def test_problems_of_all_files_are_told_at_once(tmp_path):
    case, _ = taken(tmp_path, PAGER)
    with pytest.raises(InvalidCase) as refused_:
        import_files(case, [put(tmp_path, name, b"{") for name in ("a.json", "b.json")])
    assert [problem.place.partition(",")[0] for problem in refused_.value.problems] == ["a.json", "b.json"]
    refused(case, "there is no file to import")


def test_a_link_out_of_the_case_is_not_followed(tmp_path):
    case, done = taken(tmp_path, PAGER)
    (outside := tmp_path / "outside").mkdir()
    (case / "sources").rename(tmp_path / "kept")
    (case / "sources").symlink_to(outside)
    refused(case, "there is no file|leaves the case folder", put(tmp_path, "a.json", raw(ALERTS)))
    assert not list(outside.iterdir())
    (case / "sources").unlink()
    (tmp_path / "kept").rename(case / "sources")
    path = next(iter(done.files.values()))
    edited(case, f"path: {path}", "path: ../kept.json")
    refused(case, "leaves the case folder", put(tmp_path, "a.json", raw(ALERTS)))


def test_a_hostile_name_starts_no_line_of_its_own(tmp_path, hostile):
    document = {"page": {"id": "p"}, "incidents": [{**simulated.POSTED, f"x\ncontradiction: {hostile}": 1}]}
    case, _ = taken(tmp_path, PAGER)
    done = import_files(case, [put(tmp_path, "a.json", json.dumps(document).encode())])
    assert done.left
    assert not [line for line in str(done).splitlines() if line.startswith("contradiction: <script>")]
    assert str(done).isprintable() or all(line.isprintable() for line in str(done).splitlines())


def test_a_source_that_was_changed_afterwards_is_refused(tmp_path):
    case, done = taken(tmp_path, PAGER)
    (case / next(iter(done.files.values()))).write_bytes(b"{}")
    refused(case, r"sources/pagerduty-.*: is not what was imported", put(tmp_path, "a.json", raw(ALERTS)))
    (problem,) = check(case)
    assert problem.place.startswith("incident.yaml, imports.sources[0] (line ")
    assert "is not what was imported" in problem.what
    (case / next(iter(done.files.values()))).unlink()
    assert any("there is no file" in problem.what for problem in check(case))


def test_a_record_that_would_grow_too_large_is_refused(tmp_path, monkeypatch):
    case, _ = taken(tmp_path, PAGER)
    monkeypatch.setattr(importing, "LARGEST_RECORD", 6_000)
    refused(case, "would be larger than 6,000 bytes, with", put(tmp_path, "a.json", raw(REGISTRY)))


def test_a_write_that_fails_takes_back_what_it_added(tmp_path, monkeypatch):
    case, _ = taken(tmp_path, PAGER)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(importing, "write_whole", full)
    refused(case, "cannot be written: No space left", put(tmp_path, "a.json", raw(ALERTS)))


def test_a_new_case_is_there_whole_or_not_at_all(tmp_path):
    file = put(tmp_path / "in", "a.json", raw(("servicenow", "incident table")))
    with pytest.raises(InvalidCase, match="has no offset"):
        new_from(tmp_path, "cards", [file])
    assert [entry.name for entry in tmp_path.iterdir()] == ["in"]
    done = new_from(tmp_path, "cards", [file], given=Given(zone="UTC"))
    assert (done.case, check(done.case)) == (tmp_path / "cards", [])
    with pytest.raises(InvalidCase, match="is there already"):
        new_from(tmp_path, "cards", [file])


@pytest.mark.parametrize("form", sorted(NONE), ids=": ".join)
def test_what_holds_no_incident_can_be_attached(form, tmp_path):
    case, _ = taken(tmp_path, PAGER)
    told = value(case)
    done = import_files(case, [put(tmp_path, "a.json", raw(form))], by=form[0], attach=True)
    (path,) = done.files.values()
    assert (case / path).read_bytes() == raw(form)
    after = value(case)
    assert [one["path"] for one in after["imports"]["sources"] if "shapes" not in one] == [path]
    assert {**after, "imports": None} == {**told, "imports": None}
    assert not taken(tmp_path, PAGER, case=case)[1].changed


# --- tools of one's own ----------------------------------------------------------------------------------------------

DESK = """
vendor: desk
called: Help desk
trust: real
cites: our own export
shapes:
  - name: rows
    when: {ticket: null, opened: null}
    incident: ticket
    facts: {title: subject}
    events:
      - id: "{ticket} opened"
        at: {path: opened, formats: ["%d.%m.%Y %H:%M"]}
        says: {what: "ticket {ticket}", kind: human, moment: aware}
"""


def test_a_map_of_your_own_reads_csv_and_lies_beside_its_source(tmp_path):
    case, _ = taken(tmp_path, PAGER)
    own, file = (
        put(tmp_path, "desk.yaml", DESK.encode()),
        put(tmp_path, "t.csv", b"ticket;opened;subject\n7;02.05.2026 13:00;Cards\n"),
    )
    refused(case, r"'02.05.2026 13:00' has no offset", file, by=own)
    import_files(case, [file], by=own, given=Given(zone="Europe/Berlin"))
    assert moments(case)["aware"] == "2026-05-02T11:00:00Z"
    source = next(one for one in load(case).incident.imports.sources if one.vendor == "desk")
    assert (case / source.map).read_bytes() == DESK.encode()
    own.unlink()
    assert not import_files(case, [put(tmp_path, "a.json", raw(PAGER))], by="pagerduty").contradictions
    assert moments(case)["aware"] == "2026-05-02T11:00:00Z"


def test_detectors_say_what_they_say_under_their_own_name(tmp_path):
    case, _ = taken(tmp_path, ("alibi_detect", "drift by feature"), ("evidently", "report"))
    told = [(one.vendor, one.column, one.drift) for one in load(case).incident.detections]
    assert sorted(told) == [("alibi_detect", "amount", True), ("alibi_detect", "merchant", False),
                            ("evidently", "amount", True), ("evidently", "merchant", False)]  # fmt: skip


def test_follow_ups_become_actions(tmp_path):
    case, _ = taken(tmp_path, ("incident_io", "follow-ups"))
    (action,) = load(case).incident.actions
    assert (action.id, action.what, action.owner, action.state) == (
        "incident_io:F1",
        "Watch declines by card",
        "payments",
        "open",
    )


def test_an_unread_form_is_told_to_be_so(tmp_path):
    _, done = taken(tmp_path, ("wandb", "run"))
    assert "nobody has read a payload of wandb yet" in done.asked[0]
    assert "asked: nobody has read" in str(done)


# --- payloads that were received -------------------------------------------------------------------------------------

SAID = {
    "alibi_detect_KSDrift_predict.json": Given(at="2026-05-02T09:00:00Z", system="m"),
    "alibi_detect_TabularDrift_feature_predict.json": Given(
        at="2026-05-02T09:00:00Z", system="m", columns=("a", "b", "c", "d")
    ),
    "goalert_webhooks.json": Given(at="2026-05-02T09:00:00Z", incident="79685"),
    "opsgenie_api__list_alerts.json": Given(unit="ms"),
    "pagerduty_api_analytics_raw_incidents__Example_Response.json": Given(incident="PYC0H08"),
}
"""Payloads that leave something open."""

HELD_NONE = {
    "pagerduty_api_analytics_metrics_incidents_all__Example_Response.json": "PagerDuty, analytics",
    "pagerduty_v3_webhook__event_data_by_type.json": "PagerDuty, objects of webhooks",
    "pagerduty_v3_webhook__service_updated.json": "PagerDuty, webhook v3 of a service",
}
"""Payloads that hold no incident, and how they are refused."""


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="payloads of vendors' documentation are not part of the repository")
def test_every_payload_of_the_documentations_imports_twice_into_the_same_or_is_refused_by_name(tmp_path):
    files = sorted(file for file in PAYLOADS.iterdir() if file.suffix in (".json", ".csv"))
    assert files
    for file in files:
        home = tmp_path / file.stem
        home.mkdir()
        if file.name in HELD_NONE:
            with pytest.raises(InvalidCase, match=HELD_NONE[file.name]):
                new_from(home, "case", [file])
            continue
        given = SAID.get(file.name, Given())
        case = new_from(home, "case", [file], given=given).case
        assert check(case) == []
        held = bytes_of(case)
        assert not import_files(case, [file], given=given).changed
        assert bytes_of(case) == held


def test_the_forms_that_ship_with_what_is_said_beside_them_are_known():
    assert set(WITH) <= set(FORMS)
