"""`rca drill`: played by a script, its debrief, the kit, a case of one's own, and scores beside a portfolio."""

import json
from datetime import UTC, datetime

import pytest

from rca.analysis.conclusion.verdict import Cause, Verdict
from rca.analysis.portfolio.drills import drills_of
from rca.cli import command
from rca.cli import commands as cli
from rca.errors import InvalidCase
from rca.practice.drill import own_case
from rca.practice.drill.incidents import drawn
from rca.practice.drill.kit import AFTER
from rca.practice.drill.own_case import of_case
from rca.record.case import load
from rca.record.files.drill_file import read_drill, read_drills
from tests.conftest import INCIDENTS

SCRIPT = """# a drill
0 look metric
10 severity sev1
15 contain isolate
35 tell users <script>alert('x')</script> Some parts were faulty; it is $x$ {secret}.
50 cause inventory 0.4
60 end
"""


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drills")
    (folder / "script.txt").write_text(SCRIPT)
    asked = ["--kind", "line", "--seed", "4", "--script", str(folder / "script.txt"), "--out", str(folder / "out")]
    assert cli.main(["drill", *asked]) == command.DONE
    return folder / "out"


def test_a_debrief_is_a_record_a_notebook_and_a_page(played):
    (folder,) = played.iterdir()
    assert {path.name for path in folder.iterdir()} == {"drill.json", "drill.ipynb", "report.html"}
    drill, hidden = read_drill(folder / "drill.json"), drawn(4, kind="line")
    assert (drill.truth, drill.answers, drill.seed) == (hidden.truth, hidden.answers, 4)
    assert drill.held <= datetime.now(UTC)
    assert drill.reference.total > drill.team.total
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script>alert('x')" not in page
    for said in (hidden.truth, "What a good team would have done", "Why did it go on after the first alert?"):
        assert said in page
    cells = json.loads((folder / "drill.ipynb").read_text())["cells"]
    assert all(cell.get("execution_count") for cell in cells if cell["cell_type"] == "code")


def test_scores_of_drills_are_read_by_a_portfolio_as_text(played):
    text = read_drills(played)
    (score,) = drills_of(text)
    assert (score.name, score.level, score.total) == (
        "drill-line-2-4",
        2,
        read_drill(next(played.glob("*/drill.json"))).team.total,
    )
    assert score.areas["blame"] == (10.0, 10.0)
    with pytest.raises(InvalidCase, match="is no drill"):
        drills_of(f"{text}; 2026-12-01 <b> 2 4 a=1/2")


def test_bad_seeds_and_scripts_are_refused_before_anything_is_written(tmp_path, capsys):
    (tmp_path / "script.txt").write_text("look metric\n")
    for asked in (["--seed", "-1"], ["--seed", "x"], ["--kind", "lines"], ["--script", str(tmp_path / "script.txt")]):
        assert (
            cli.main(["drill", f"--out={tmp_path / 'out'}", "--seed=1", "--kind=line", *_joined(asked)])
            == command.BAD_INPUT
        )
    assert not (tmp_path / "out").exists()
    assert "is no script" in capsys.readouterr().err


def _joined(asked):
    return ["=".join(asked)]


def test_the_kit_has_the_answers_on_their_own_sheet(tmp_path):
    assert cli.main(["drill", "--kit", str(tmp_path), "--kind", "line", "--seed", "4"]) == command.DONE
    script, answers = ((tmp_path / f"{name}.md").read_text() for name in ("script", "answers"))
    hidden = drawn(4, kind="line")
    assert hidden.truth in answers
    assert hidden.truth not in script
    assert "seed 4" in answers
    assert all(question in answers for question in AFTER)
    assert "print" in (tmp_path / "script.html").read_text()
    for who in ("journalist", "regulator", "colleague"):
        assert who in script


def test_a_case_of_ones_own_is_a_drill_under_other_names_and_dates(monkeypatch):
    case = load(INCIDENTS / "hiring-bias")
    cause = Cause(
        kind="feature",
        name="school_percentile",
        fault="missing",
        contribution=0.3,
        interval=None,
        strength="shown",
        findings=(),
    )
    verdict = Verdict(status="explained", summary="", causes=(cause,))
    monkeypatch.setattr(own_case, "analyse", lambda _: type("Found", (), {"verdict": verdict}))
    hidden = of_case(case, seed=3)
    told = f"{hidden.incident.model_dump_json()} {hidden.broken.head(50).to_csv()}"
    for name in (
        "people-analytics",
        "applicant-screening",
        case.incident.title,
        str(case.current["candidate_id"].iloc[0]),
    ):
        assert name not in told
    assert hidden.answers == ("school_percentile",)
    assert hidden.broken[hidden.time].max() > hidden.begins > hidden.reference[hidden.time].max()
    assert not set(case.current["applied_at"]) & set(hidden.broken["applied_at"])
    stopped, possible = hidden.harms([(0, "disable")])
    assert stopped == pytest.approx(possible)
    assert possible > 10
    monkeypatch.setattr(
        own_case, "analyse", lambda _: type("Found", (), {"verdict": Verdict(status="no_incident", summary="")})
    )
    with pytest.raises(InvalidCase, match="no cause that could be hidden"):
        of_case(case, seed=3)
