"""What frameworks ask for, and what of it a record holds."""

import pytest

from rca.cli import command
from rca.cli import commands as cli
from rca.record.case import load
from rca.record.obligations.frameworks import framework_table, frameworks
from rca.record.schema.incident import Incident
from tests.conftest import INCIDENTS
from tests.record.obligations.situation import incident_of

TABLE = framework_table()


def attacked(**facts):
    return incident_of(["eu"], facts=facts, stamps={}).model_copy(update={"category": "security"})


def test_every_id_comes_once_and_every_part_is_one_of_a_report():
    ids = [(item.framework, item.id) for item in TABLE.items]
    assert len(set(ids)) == len(ids)
    assert {part for item in TABLE.items for part in item.parts} <= set(TABLE.parts)
    counted = {
        name: sum(item.framework == name for item in TABLE.items) for name in dict.fromkeys(one for one, _ in ids)
    }
    assert counted == {"NIST AI RMF 1.0": 72, "ISO/IEC 42001:2023": 88}


def test_an_item_that_a_post_mortem_shows_has_a_title():
    assert all(item.title for item in TABLE.items if item.parts)


def test_every_key_that_is_evidence_is_one_of_the_record():
    schema = Incident.model_json_schema(by_alias=True)
    for key in {key for keys in TABLE.parts.values() for key in keys} - {"results"}:
        node = schema
        for part in key.split("."):
            node = node["properties"][part.removesuffix("[]")]
            reference = node.get("$ref") or node.get("items", {}).get("$ref")
            node = schema["$defs"][reference.rpartition("/")[2]] if reference else node


def test_what_is_on_record_is_told_apart_from_what_is_lacking():
    found = {one.id: one for one in frameworks(load(INCIDENTS / "line-cascade").incident).evidence}
    assert found["A.8.4"].held == ("postmortem.messages",)
    assert found["10.2"].lacking == ()
    assert "systems[].version" in found["MAP 1.1"].lacking
    assert "impact.people" in found["8.4"].held  # nobody was hurt, and that is said


def test_a_run_is_evidence_too():
    incident = load(INCIDENTS / "line-cascade").incident
    ran, not_yet = (frameworks(incident, results=one) for one in (True, False))
    assert [next(one for one in each.evidence if one.id == "A.7.5").lacking for each in (ran, not_yet)] == [
        ("postmortem.evidence",), ("postmortem.evidence", "results"),
    ]  # fmt: skip


def test_techniques_of_an_attack_are_labelled_and_said_not_to_be_analysed():
    found = frameworks(attacked(atlas=["AML.T0020", "AML.T9999"]))
    assert found.attack == ("AML.T0020 Poison Training Data",)
    assert any("AML.T9999" in one for one in found.remarks)
    assert any("labelled here, and not analysed" in one for one in found.remarks)


def test_an_attack_without_techniques_is_asked_for_them():
    assert any("list its techniques" in one for one in frameworks(attacked()).remarks)
    assert not frameworks(load(INCIDENTS / "line-cascade").incident).remarks


@pytest.mark.parametrize("given", ["AML.T0020", 7, None, {"a": 1}], ids=str)
def test_a_label_in_another_form_breaks_nothing(given):
    assert frameworks(attacked(atlas=given)).attack == (
        ("AML.T0020 Poison Training Data",) if given == "AML.T0020" else ()
    )


def test_the_table_has_a_column_to_tick():
    rows = frameworks(attacked()).rows()
    assert len(rows) == len(TABLE.items)
    assert all(row["ticked by"] == "" for row in rows)


def test_the_command_prints_it(capsys):
    assert cli.main(["obligations", str(INCIDENTS / "line-cascade"), "--frameworks"]) == command.DONE
    told = capsys.readouterr().out
    assert "[ ] ISO/IEC 42001:2023 10.2 Nonconformity and corrective action: why_tree" in told
