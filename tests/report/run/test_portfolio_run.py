"""The report on many incidents: published whole or not at all, checked and derived again, and hostile records shown."""

import json
from pathlib import Path

import pytest

from rca import portfolio
from rca.cli import command
from rca.cli import commands as cli
from rca.errors import InvalidCase, RunFailed
from rca.report.audit.verify import verify
from rca.report.notebooks.canonical import to_json
from rca.report.rendering.masking import Masking
from rca.report.run import portfolio_run
from rca.report.run.portfolio_run import NAME, PortfolioRun, run_portfolio
from tests.analysis.portfolio.test_portfolio import log
from tests.conftest import HOSTILE


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a log of thirty incidents, and its report."""
    folder = tmp_path_factory.mktemp("portfolio")
    table = log(30, category=[HOSTILE, "b"] * 15).assign(id=[f"{HOSTILE}{at}" for at in range(30)])
    table.loc[:2, "recovered"] = table.onset
    table.to_parquet(folder / "log.parquet")
    asked = ["--split", "2025-01-01T00:00Z", "--target", "time_to_recover=4h:0.5", "--out", str(folder / "reports")]
    assert cli.main(["portfolio", str(folder / "log.parquet"), *asked, "--quiet", "--json"]) == command.DONE
    return folder


def test_the_command_hands_over_what_was_asked_and_prints_the_answer(monkeypatch, capsys):
    calls = []
    table = log(5).assign(id=[f"x\x1b[2J{at}" for at in range(5)])
    table["recovered"] = table.onset

    def run(source, **options):
        calls.append((source, options))
        return PortfolioRun(path=Path("there") / NAME, digest="ab", found=portfolio(table))

    monkeypatch.setattr(portfolio_run, "run_portfolio", run)
    asked = "--out there --as-of A --split S --zone Z --column end=x --column id=y --target a=1h --target b=2h --quiet"
    assert cli.main(["portfolio", "log.csv", *asked.split()]) == command.DONE
    settings = {"as_of": "A", "split": "S", "zone": "Z", "columns": "end=x,id=y", "targets": "a=1h,b=2h"}
    assert calls == [(Path("log.csv"), {"out": Path("there"), "settings": settings, "progress": False})]
    said = capsys.readouterr().out
    assert said.startswith("table: 5 incidents")
    assert "x\\x1b[2J0" in said
    assert said.endswith("digest  ab\n")
    assert cli.main(["portfolio", "log.csv", "--json"]) == command.DONE
    assert json.loads(capsys.readouterr().out)["results"]["incidents"] == 5


def test_a_report_is_a_notebook_a_page_results_and_a_manifest(place):
    report = place / "reports" / NAME
    assert report.is_symlink()
    assert {path.name for path in report.iterdir()} == {
        "portfolio.ipynb", "report.html", "results.json", "verify.py", "manifest.json", "manifest.sha256",
    }  # fmt: skip
    found = portfolio(place / "log.parquet", split="2025-01-01T00:00Z", targets="time_to_recover=4h:0.5")
    assert json.loads((report / "results.json").read_bytes()) == {"incident": NAME, **Masking().over(found.to_dict())}


def test_hostile_records_do_nothing_on_the_page(place):
    page = (place / "reports" / NAME / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert all(b"ann@example.org" not in file.read_bytes() for file in (place / "reports" / NAME).iterdir())
    assert "log.parquet" in page


def test_a_report_is_intact_and_everything_comes_out_the_same_again(place):
    checked = verify(place / "reports" / NAME, rerun=True)
    assert (checked.damage, checked.inputs, checked.derived) == ((), "same", "same")


def test_another_log_in_its_place_is_seen(place, tmp_path):
    for file in (place / "reports" / NAME).iterdir():
        (tmp_path / "r").mkdir(exist_ok=True)
        (tmp_path / "r" / file.name).write_bytes(file.read_bytes())
    (tmp_path / "log.parquet").write_bytes((place / "log.parquet").read_bytes() + b"x")
    assert verify(tmp_path / "r", case=tmp_path).inputs == "changed"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"file": "../../etc/passwd"}, "file or parameters"),
        ({"parameters": {"source": "x"}}, "file or parameters"),
        ({"parameters": {"split": 7}}, "file or parameters"),
    ],
)
def test_a_manifest_that_asks_for_something_else_is_not_run(place, change, said):
    from rca.report.audit.rerun import derive_again

    made = json.loads((place / "reports" / NAME / "manifest.json").read_bytes()) | change
    with pytest.raises(InvalidCase, match=said), derive_again(made, place):
        pass


def test_what_is_no_log_is_refused_before_anything_is_written(tmp_path, capsys):
    (tmp_path / "log.csv").write_text("id,colour\na,red\n", encoding="utf-8")
    out = tmp_path / "reports"
    assert cli.main(["portfolio", str(tmp_path / "log.csv"), "--out", str(out)]) == command.BAD_INPUT
    assert not out.exists()
    assert "no column is a moment" in capsys.readouterr().err


def test_the_report_of_an_incident_of_that_name_is_not_replaced(place, tmp_path):
    (tmp_path / "run").mkdir()
    made = json.loads((place / "reports" / NAME / "manifest.json").read_bytes())
    del made["kind"], made["file"]
    (tmp_path / "run" / "manifest.json").write_bytes(to_json(made | {"only": None}))
    (tmp_path / NAME).symlink_to("run")
    with pytest.raises(InvalidCase, match="is the report of an incident of that name"):
        run_portfolio(place / "log.parquet", out=tmp_path, progress=False)


def test_a_damaged_run_of_the_same_digest_is_set_aside(place, monkeypatch, tmp_path):
    kept = {file.name: file.read_bytes() for file in (place / "reports" / NAME).iterdir()}

    def derive(source, stage, found, **_):
        (stage / "report").mkdir()
        for name, content in kept.items():
            (stage / "report" / name).write_bytes(content)

    monkeypatch.setattr(portfolio_run, "derive_portfolio", derive)
    first = run_portfolio(place / "log.parquet", out=tmp_path, progress=False)
    (first.path / "results.json").write_text("{}", encoding="utf-8")
    again = run_portfolio(place / "log.parquet", out=tmp_path, progress=False)
    assert again.digest == first.digest
    assert (again.path / "results.json").read_bytes() == kept["results.json"]
    assert [path.name for path in (tmp_path / ".runs").glob("damaged-*")]
    assert str(again).endswith(f"digest  {again.digest}")


def test_a_notebook_that_says_something_else_is_not_published(place, monkeypatch, tmp_path):
    monkeypatch.setattr(portfolio_run, "execute", lambda *_, **__: {"cells": []})
    with pytest.raises(RunFailed, match="concludes otherwise"):
        run_portfolio(place / "log.parquet", out=tmp_path, progress=False)
    assert not (tmp_path / NAME).exists()
