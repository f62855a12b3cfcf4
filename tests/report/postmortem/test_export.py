"""A record for a public collection: the collection's fields in its order, nothing invented, nothing personal."""

import json

import pytest
import yaml

from rca.cli import command
from rca.cli import commands as cli
from rca.errors import InvalidCase
from rca.record.case import load
from rca.record.obligations.drafts import confidential, draft
from rca.report.postmortem.export import SCHEMAS, Export, export
from tests.conftest import INCIDENTS, ROOT
from tests.record.obligations.situation import incident_of

RULES = ROOT.parent / "shared" / "domain" / "rules"

CASES = ("chatbot-update", "credit-drift", "line-cascade", "hiring-bias")

RESULTS = {"verdict": {"summary": "s", "onset": {"at": "2026-03-01T00:00:00Z", "earliest": "a", "latest": "b"}}}


def bare(**more):
    return incident_of([], facts={}, stamps={}, **more)


def read(name):
    return yaml.load((RULES / name).read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@pytest.mark.skipif(not RULES.is_dir(), reason="the published lists are not part of the repository")
def test_the_fields_are_those_that_were_published_in_their_order():
    oecd = read("report_forms.yaml")["forms"]["oecd_29"]["fields"]
    found = export(bare(), "oecd").fields
    assert [(one.id, one.mandatory) for one in found] == [(str(one["id"]), one["mandatory"]) for one in oecd]
    aiid = read("taxonomies.yaml")["aiid"]
    assert [one.id for one in export(bare(), "aiid").fields] == [*aiid["incident_fields"], *aiid["cset_v1_fields"]]


def test_of_the_29_criteria_of_the_oecd_seven_are_mandatory():
    fields = export(bare(), "oecd").fields
    assert len(fields) == 29
    assert [one.id for one in fields if one.mandatory] == ["1", "2", "3", "4", "7", "10", "11"]


def test_an_almost_empty_record_is_exported_with_its_gaps():
    found = export(bare(), "oecd")
    assert {one.id for one in found.fields if one.value is not None} == {"1"}
    assert found.missing_mandatory == ("2", "3", "4", "7", "10", "11")
    told = str(found)
    assert told.count("missing (mandatory)") == 6
    assert told.count("missing") == 28


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("name", CASES)
def test_every_value_is_one_of_the_record_and_what_is_confidential_is_left_out(name, schema):
    incident = load(INCIDENTS / name).incident
    said = {one.field: one.values for one in draft(incident, SCHEMAS[schema], results=RESULTS).entries}
    part, whole = (export(incident, schema, results=RESULTS, confidential=one) for one in (False, True))
    for less, more in zip(part.fields, whole.fields, strict=True):
        assert (less.value or "") == "; ".join(said[less.id][key] for key in less.keys)
        assert (more.value or "") == "; ".join(said[more.id].values())
        assert set(less.withheld) == set(more.keys) - set(less.keys) == set(more.keys) & confidential()
    assert part.missing == whole.missing
    assert not whole.withheld


def test_what_is_left_out_is_named_and_is_no_gap_of_the_record():
    incident = bare(impact={"money": 5.0}, postmortem={"evidence": [{"id": "E1", "what": "minutes", "where": "here"}]})
    found = export(incident, "oecd")
    assert found.withheld == ("postmortem.evidence[].what", "impact.money")
    assert "7" not in found.missing
    assert "7" in found.missing_mandatory
    assert "left out (mandatory)  7: postmortem.evidence[].what" in str(found)
    assert "minutes" not in json.dumps(found.to_dict())


@pytest.mark.parametrize("whole", [False, True])
def test_nobody_is_named_and_nothing_identifies_anybody(whole):
    told = "Xu Li wrote to jo.doe@example.org; Dr. Chen has account 123456789012\u202e"
    incident = bare(title=told, summary=told, postmortem={"people": {"Xu Li": "the analyst"}})
    for schema in SCHEMAS:
        said = json.dumps(export(incident, schema, confidential=whole).to_dict(), ensure_ascii=False)
        assert "the analyst" in said
        for word in ("Xu Li", "jo.doe", "Chen", "123456789012", "\u202e"):
            assert word not in said


def test_an_unknown_collection_is_refused_with_a_hint():
    with pytest.raises(InvalidCase, match="did you mean 'aiid'"):
        export(bare(), "aid")


def test_the_command_writes_json_and_says_what_is_missing(tmp_path, capsys):
    out = tmp_path / "record.json"
    asked = ["export", str(INCIDENTS / "hiring-bias"), "--schema", "oecd", "--out", str(out)]
    assert cli.main(asked) == command.NEEDS_A_PERSON
    assert "missing (mandatory)  3: how the AI relates to the incident" in capsys.readouterr().err
    found = Export.from_dict(json.loads(out.read_bytes()))
    assert found == export(load(INCIDENTS / "hiring-bias").incident, "oecd")
    assert cli.main(["export", str(INCIDENTS / "hiring-bias"), "--schema", "aiid"]) == command.DONE
    assert json.loads(capsys.readouterr().out)["schema"] == "aiid"
