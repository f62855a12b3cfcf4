"""Past incidents of a folder, by the causes on record and those of their reports."""

import json
import shutil

import pytest

from rca.cli import command
from rca.cli import commands as cli
from rca.errors import InvalidCase
from rca.record.past import past_incidents
from tests.conftest import INCIDENTS


@pytest.fixture
def cases(tmp_path):
    for name in ("line-cascade", "quiet-quarter"):
        (tmp_path / "cases" / name).mkdir(parents=True)
        shutil.copy(INCIDENTS / name / "incident.yaml", tmp_path / "cases" / name)
    return tmp_path / "cases"


def verdict(folder, name, *causes):
    (folder / name).mkdir(parents=True)
    (folder / name / "results.json").write_text(json.dumps({"verdict": {"causes": list(causes)}}))


def test_a_why_tree_names_causes_and_a_record_without_a_moment_is_left_out(cases):
    (cases / "broken").mkdir()
    (cases / "broken" / "incident.yaml").write_text("schema: 1\n")
    found, unread = past_incidents(cases)
    assert [one.incident for one in found] == ["line-cascade", "quiet-quarter"]
    assert any("matt finish" in cause for cause in found[0].causes)
    assert unread == ["broken"]


def test_a_verdict_names_the_first_cause_and_every_other_that_is_shown(cases, tmp_path):
    frozen = {"kind": "feature", "name": "rate", "fault": "frozen", "strength": "suggested"}
    other, third = (
        {"kind": "feature", "name": "b", "strength": "shown"},
        {"kind": "event", "name": "c", "strength": "suggested"},
    )
    verdict(tmp_path / "reports", "quiet-quarter", frozen, other, third)
    found, _ = past_incidents(cases, reports=tmp_path / "reports")
    assert found[1].causes == ("feature rate frozen, churn-risk", "feature b, churn-risk")


@pytest.mark.parametrize("text", ["{", "{}", '{"verdict": null}', '{"verdict": {"causes": []}}'])
def test_a_report_that_cannot_be_read_names_none(cases, tmp_path, text):
    verdict(tmp_path / "reports", "quiet-quarter")
    (tmp_path / "reports" / "quiet-quarter" / "results.json").write_text(text)
    assert past_incidents(cases, reports=tmp_path / "reports")[0][1].causes == ()


def test_a_folder_without_cases_is_refused(tmp_path):
    with pytest.raises(InvalidCase, match="no cases here"):
        past_incidents(tmp_path)


def test_the_command_looks_among_them(cases, capsys):
    copy = cases / "line-again"
    shutil.copytree(cases / "line-cascade", copy)
    text = (copy / "incident.yaml").read_text().replace("id: line-cascade", "id: line-again", 1)
    (copy / "incident.yaml").write_text(text)
    assert cli.main(["obligations", str(copy), "--among", str(cases)]) == command.DONE
    assert (
        "warning  2 incidents from 2026-03-05 to 2026-03-05, cause: parts of a new supplier" in capsys.readouterr().out
    )
