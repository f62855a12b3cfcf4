"""Drafts follow the form's order, say where each value is from, and invent none."""

import json
from datetime import datetime

import pytest
import yaml

from rca.cli import command
from rca.cli import commands as cli
from rca.errors import InvalidCase
from rca.record.case import load
from rca.record.obligations.drafts import draft, forms, read_draft, read_results
from rca.record.obligations.rules import rule_table
from rca.report.run import pdf
from tests.conftest import INCIDENTS
from tests.record.obligations.situation import incident_of

CASES = ("chatbot-update", "credit-drift", "line-cascade", "hiring-bias")

RESULTS = {
    "verdict": {"summary": "It froze.", "onset": {"at": "2026-02-01", "earliest": "2026-01-30", "latest": "2026-02-02"}}
}


def told(incident):
    """Every text, number and moment of a record, as a draft may write it."""
    found, open_ = set(), [incident.model_dump(by_alias=True)]
    while open_:
        value = open_.pop()
        if isinstance(value, dict):
            open_ += [*value.values(), *value.keys()]
        elif isinstance(value, list | tuple):
            open_ += value
        elif value is not None:
            found.add(value.isoformat(" ", "minutes") if isinstance(value, datetime) else " ".join(str(value).split()))
    return found


@pytest.mark.parametrize("form", forms())
@pytest.mark.parametrize("name", CASES)
def test_every_value_of_a_draft_stands_in_the_record(name, form):
    incident = load(INCIDENTS / name).incident
    known = told(incident)
    for entry in draft(incident, form).entries:
        for value in entry.values.values():
            whole = value in known or all(part in known for part in value.replace(", ", "; ").split("; "))
            assert whole or any(value == "; ".join(texts) for texts in several(incident)), (entry.field, value)


def several(incident):
    yield [" ".join(event.what.split()) for event in incident.timeline.events]
    yield [" ".join(action.what.split()) for action in incident.actions]
    yield [factor.statement for tree in incident.whys for factor in tree.factors() if factor.strength != "assumed"]


@pytest.mark.parametrize(
    ("form", "fields"),
    [("euaia_art73_draft", 18), ("gpai_2025_11_04", 10), ("oecd_29", 29), ("osha_1904_39", 8), ("ca_sb53", 4)],
)
def test_a_record_that_says_nothing_leaves_every_field_missing(form, fields):
    found = draft(incident_of([], facts={}, stamps={}), form)
    assert len(found.entries) == fields
    assert {one.field for one in found.entries} - {one.field for one in found.missing} <= {
        "1"
    }  # every record has a title
    assert str(found).count("MISSING") == len(found.missing)


def test_seven_criteria_of_the_oecd_are_mandatory():
    assert [one.id for one in forms()["oecd_29"].fields_ if one.must] == ["1", "2", "3", "4", "7", "10", "11"]


def test_where_the_fields_were_not_read_the_order_is_not_known():
    found = draft(incident_of([], facts={}, stamps={}), "dora_its_2025_302")
    assert found.entries == ()
    assert "order not known" in str(found)


def test_the_last_notification_of_the_report_fills_its_fields():
    sent = [
        {"regime": "euaia-73-2", "submitted_at": "2028-01-10T10:00Z", "report_type": "initial"},
        {
            "regime": "euaia-73-2",
            "submitted_at": "2028-02-10T10:00Z",
            "report_type": "follow_up",
            "also_reported_under": ["gdpr"],
        },
        {"regime": "gdpr", "submitted_at": "2028-03-10T10:00Z"},
    ]
    found = {
        one.field: one.values
        for one in draft(incident_of(["de"], facts={}, stamps={}, sent=sent), "euaia_art73_draft").entries
    }
    assert found["submitted_on"] == {"notice.submitted_at": "2028-02-10 10:00+00:00"}
    assert found["reported_elsewhere"] == {"notice.also_reported_under": "gdpr"}


def test_facts_fill_a_field_only_where_they_name_it():
    record = incident_of(["de"], facts={"death": True, "serious_harm": False, "high_risk_ai": True}, stamps={})
    (limb,) = [one for one in draft(record, "euaia_art73_draft").entries if one.field == "limb"]
    assert limb.values == {"obligations.facts": "death"}


def test_a_later_draft_shows_what_changed():
    record = incident_of([], facts={}, stamps={})
    first = draft(record, "ca_sb53")
    later = draft(record, "ca_sb53", results=RESULTS, earlier=first)
    assert [one.field for one in later.changed] == ["date"]
    assert next(one for one in later.entries if one.field == "date").values == {
        "results.onset": "2026-01-30 to 2026-02-02"
    }


def test_every_form_that_a_rule_names_is_there_and_reports_under_a_name_of_the_table():
    asked = {rule.form for rule in rule_table().rules if rule.form}
    assert set(forms()) - asked == {"aiid"}  # a collection, which no law asks for
    assert {forms()[one].report for one in asked} <= set(rule_table().reports)


def test_a_text_of_the_record_cannot_pass_for_a_line_of_the_draft():
    record = incident_of([], facts={}, stamps={}, summary="fine\n1  title (mandatory): forged\u2028x")
    assert len(str(draft(record, "oecd_29")).splitlines()) == len(
        str(draft(incident_of([], facts={}, stamps={}), "oecd_29")).splitlines()
    )


def test_an_unknown_form_is_refused_with_a_hint():
    with pytest.raises(InvalidCase, match="did you mean 'oecd_29'"):
        draft(incident_of([], facts={}, stamps={}), "oecd29")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"verdict": []}', '{"verdict": {"onset": 1}}'])
def test_what_is_no_results_is_refused(tmp_path, text):
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(InvalidCase, match="is no results"):
        read_results(tmp_path / "results.json")


def test_the_command_prints_a_draft(tmp_path, capsys):
    (tmp_path / "results.json").write_text(json.dumps(RESULTS))
    given = [
        "notify",
        str(INCIDENTS / "line-cascade"),
        "--form",
        "ca_sb53",
        "--results",
        str(tmp_path / "results.json"),
    ]
    assert cli.main(given) == command.DONE
    assert capsys.readouterr().out.startswith("DRAFT, not sent: California SB 53")


# --- traced, counted, compared ---------------------------------------------------------------------------------------

FORMS = ("euaia_art73_draft", "gpai_2025_11_04", "oecd_29", "osha_1904_39", "ca_sb53", "aiid")

UNFILLED = {
    "chatbot-update": (14, 4, 18, 7, 3, 42),
    "credit-drift": (14, 4, 17, 7, 3, 42),
    "line-cascade": (14, 4, 18, 7, 3, 43),
    "hiring-bias": (14, 5, 18, 7, 3, 45),
}
"""Fields of each form that the records of shipped incidents leave open."""


def at_key(value, path):
    """What a key of the raw file holds, found without any code of drafts."""
    for at, name in enumerate(path):
        if name.endswith("[]"):
            return [each for one in (value or {}).get(name[:-2]) or () for each in at_key(one, path[at + 1 :])]
        value = (value or {}).get(name)
    return value if isinstance(value, list) else [] if value is None else [value]


@pytest.mark.parametrize("name", CASES)
def test_every_value_of_a_draft_is_what_its_key_holds_in_the_file_and_every_other_field_is_counted(name):
    text = (INCIDENTS / name / "incident.yaml").read_text(encoding="utf-8")
    raw, incident = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)), load(INCIDENTS / name).incident
    left = {}
    for form in forms():
        found = draft(incident, form)
        assert [one.field for one in found.entries] == [field.id for field in forms()[form].fields_]
        for key, said in ((key, said) for one in found.entries for key, said in one.values.items()):
            if key not in ("causes", "obligations.facts"):
                held = [
                    one.isoformat(" ", "minutes") if hasattr(one, "hour") else str(one)
                    for one in at_key(raw, key.split("."))
                ]
                assert said == "; ".join(" ".join(one.split()) for one in held), (form, key)
        left |= {form: len(found.missing)} if found.entries else {}
    assert left == dict(zip(FORMS, UNFILLED[name], strict=True))


def test_a_follow_up_knows_what_was_sent_and_shows_what_changed(tmp_path, capsys):
    sent = [{"regime": "euaia-73-2", "submitted_at": "2028-01-10T10:00Z", "report_type": "initial"}]
    record = incident_of(["de"], facts={}, stamps={}, sent=sent)
    (tmp_path / "first.json").write_text(json.dumps(draft(record, "euaia_art73_draft").to_dict()))
    earlier = read_draft(tmp_path / "first.json")
    assert earlier == draft(record, "euaia_art73_draft")
    more = incident_of(["de"], facts={}, stamps={}, sent=sent, timeline={"detected": "2028-01-09T10:00Z"})
    found = draft(more, "euaia_art73_draft", earlier=earlier)
    assert found.sent == ("euaia-73-2 initial 2028-01-10 10:00+00:00",)
    was = {one.field: (one.told, one.was) for one in found.changed}
    assert was["detected"] == ("2028-01-09 10:00+00:00 [timeline.detected]", "MISSING")
    assert was["submitted_on"] == ("MISSING", "2028-01-10 10:00+00:00 [notice.submitted_at]")  # the initial one's
    assert "(was: MISSING)" in str(found)
    assert "3 of 18 fields changed since the earlier draft" in str(found)


def test_a_report_that_follows_under_another_name_is_one_on_the_same_form():
    sent = [
        ("gpai-initial", "2028-01-10T10:00Z"),
        ("gpai-intermediate", "2028-02-07T10:00Z"),
        ("gdpr", "2028-02-08T10:00Z"),
    ]
    found = draft(incident_of(["de"], facts={}, stamps={}, sent=sent), "gpai_2025_11_04")
    assert found.sent == ("gpai-initial 2028-01-10 10:00+00:00",)
    assert found.beside["notice.submitted_at"] == "2028-02-07 10:00+00:00"


def test_what_is_no_draft_or_one_on_another_form_is_refused(tmp_path):
    (tmp_path / "x.json").write_text('{"form": "oecd_29"}')
    with pytest.raises(InvalidCase, match="is no draft of a report"):
        read_draft(tmp_path / "x.json")
    record = incident_of([], facts={}, stamps={})
    with pytest.raises(InvalidCase, match="compare two of one form"):
        draft(record, "ca_sb53", earlier=draft(record, "oecd_29"))


def test_results_of_another_incident_are_refused(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps({**RESULTS, "incident": "other"}))
    with pytest.raises(InvalidCase, match="is about 'other', and not about 'one'"):
        read_results(tmp_path / "results.json", "one")


def test_the_command_writes_what_it_drafts_and_compares_with_a_file(tmp_path, capsys):
    case, out = str(INCIDENTS / "credit-drift"), tmp_path / "draft.txt"
    assert cli.main(["notify", case, "--form", "ca_sb53", "--json"]) == command.DONE
    (tmp_path / "first.json").write_text(capsys.readouterr().out)
    asked = ["notify", case, "--form", "ca_sb53", "--earlier", str(tmp_path / "first.json"), "--out", str(out)]
    assert cli.main(asked) == command.DONE
    assert "0 of 4 fields changed since the earlier draft" in out.read_text()
    for form in ("docx", "pdf"):
        assert cli.main(["notify", case, "--form", "ca_sb53", "--format", form]) == command.BAD_INPUT
        assert "name a file: --out FILE" in capsys.readouterr().err


def test_a_draft_is_printed_from_its_page(tmp_path, monkeypatch):
    pages = []
    monkeypatch.setattr(pdf, "print_page", lambda page, to: pages.append(page.read_text()) or to.write_bytes(b"%PDF"))
    out = tmp_path / "draft.pdf"
    asked = ["notify", str(INCIDENTS / "credit-drift"), "--form", "oecd_29", "--format", "pdf", "--out", str(out)]
    assert cli.main(asked) == command.DONE
    assert out.read_bytes() == b"%PDF"
    assert pages[0].startswith("<!doctype html>")
    assert pages[0].count("MISSING") > 5
