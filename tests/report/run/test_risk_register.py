"""Limits of a file, and a portfolio as rows of a risk register that a spreadsheet can open safely."""

import csv
import json

import pytest

from rca import portfolio
from rca.cli import command
from rca.cli import commands as cli
from rca.errors import InvalidCase
from rca.report.run.risk_register import read_appetite, register
from tests.analysis.portfolio.test_portfolio import log

LIMITS = "time_to_detect: 1d:0.9\noverdue_duties: 0\n"


@pytest.fixture(scope="module")
def found():
    table = log(6).drop(columns=["severity", "detected"]).assign(id=[f"=cmd|{at}" for at in range(6)])
    return portfolio(table, appetite="time_to_recover=1s:0.9, overdue_duties=0")


def test_the_limits_of_a_file_are_one_text(tmp_path):
    (tmp_path / "risk_appetite.yaml").write_text(LIMITS)
    assert read_appetite(tmp_path / "risk_appetite.yaml") == "time_to_detect=1d:0.9,overdue_duties=0"


@pytest.mark.parametrize("text", ["time_to_detect: {within: 1d}\n", "- 1\n", "time_to_detekt: 1d\n"])
def test_what_is_no_risk_appetite_is_refused(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InvalidCase):
        read_appetite(tmp_path / "a.yaml")
    with pytest.raises(InvalidCase, match="no such file"):
        read_appetite(tmp_path / "b.yaml")


def test_csv_and_json_have_a_row_a_limit(found, tmp_path):
    rows = json.loads(register(found, tmp_path / "r.json"))
    assert [row["id"] for row in rows] == ["R1", "R2"]
    assert rows[0]["state"] == "breached"
    assert rows[0]["low"] <= rows[0]["value"] <= rows[0]["high"]
    (tmp_path / "r.csv").write_bytes(register(found, tmp_path / "r.csv"))
    with (tmp_path / "r.csv").open(newline="") as file:
        told = list(csv.DictReader(file))
    assert [row["state"] for row in told] == [row["state"] for row in rows]
    assert told[0]["incidents"].startswith("'=cmd|")  # a spreadsheet would run it


def test_another_ending_is_refused(found, tmp_path):
    with pytest.raises(InvalidCase, match=r"end the name in \.csv or \.json"):
        register(found, tmp_path / "r.xlsx")


def test_a_register_without_limits_is_refused_before_anything_runs(tmp_path, capsys):
    assert cli.main(["portfolio", str(tmp_path), "--register", str(tmp_path / "r.csv")]) == command.BAD_INPUT
    assert "--appetite FILE" in capsys.readouterr().err
