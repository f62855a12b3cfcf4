"""Deadlines as a calendar file."""

from datetime import UTC, datetime

from rca.cli import commands as cli
from rca.record.obligations.duties import duties
from rca.record.obligations.ics import calendar_text
from tests.record.obligations.situation import incident_of

FACTS = {"personal_data_breach": True, "risk_to_persons": True, "dora_entity": True, "major_ict_incident": True}

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def bank(sent=()):
    stamps = {"classified_major": "2026-11-24T12:00+01:00"}
    return incident_of(["de"], facts=FACTS, stamps=stamps, sent=sent, timeline={"aware": "2026-11-24T10:00+01:00"})


def entries(text):
    """The values of every entry, unfolded."""
    lines = text.replace("\r\n ", "").split("\r\n")
    found = []
    for line in lines:
        if line == "BEGIN:VEVENT":
            found.append({})
        elif found and ":" in line and line != "END:VEVENT":
            name, _, value = line.partition(":")
            found[-1].setdefault(name, value)
    return {one["UID"]: one for one in found}


def test_every_deadline_without_a_report_is_an_entry_at_its_moment():
    found = entries(calendar_text(duties(bank(), NOW), "one"))
    assert set(found) == {"gdpr-33.one@rca", "dora-init-4h.one@rca", "dora-init-24h.one@rca"}
    assert found["gdpr-33.one@rca"]["DTSTART"] == "20261127T090000Z"
    assert "supervisory authority" in found["gdpr-33.one@rca"]["SUMMARY"]
    assert "Art. 33(1)" in found["gdpr-33.one@rca"]["DESCRIPTION"]


def test_what_was_sent_needs_no_entry():
    found = entries(calendar_text(duties(bank([("gdpr", "2026-11-24T20:00Z")]), NOW), "one"))
    assert "gdpr-33.one@rca" not in found


def test_no_line_is_longer_than_the_standard_allows_and_the_same_record_gives_the_same_bytes():
    text = calendar_text(duties(bank(), NOW), "one")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert text == calendar_text(duties(bank(), NOW), "one")


def test_the_command_writes_it_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("rca.record.case.load", lambda _: type("", (), {"incident": bank()}))
    file = tmp_path / "due.ics"
    cli.main(["obligations", "x", "--as-of", "2026-11-25T00:00:00Z", "--ics", str(file)])
    assert file.read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    assert [one.name for one in tmp_path.iterdir()] == ["due.ics"]
