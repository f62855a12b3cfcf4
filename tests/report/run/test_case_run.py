"""Running the notebooks: refused early, bounded, repeatable, published whole or not at all."""

import json
import shutil
from pathlib import Path

import pytest

from rca.errors import InvalidCase, RunFailed
from rca.record.files.whole_file import DRAFT
from rca.report.audit import verify
from rca.report.cells.output import FINDINGS, RESULTS
from rca.report.notebooks.canonical import bundles, to_json
from rca.report.notebooks.held_folder import clear
from rca.report.run import case_run, publish
from rca.report.run.case_run import run
from tests.conftest import ROOT
from tests.report.tiny_notebooks import RESULT, SHOW, notebook


@pytest.fixture
def no_kernel(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a kernel was about to start")

    monkeypatch.setattr(case_run, "execute", refuse)


def refused(case, **settings):
    with pytest.raises(InvalidCase) as caught:
        run(case, progress=False, **settings)
    return str(caught.value)


# --- refused before anything starts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"alhpa": 0.01}, "did you mean 'alpha'?"),
        ({"alpha": "small"}, "is no float"),
        ({"alpha": True}, "is no float"),
        ({"alpha": None}, "is no float"),
        ({"note": 3}, "is no str"),
        ({"seed": 1}, "a run fills this in itself"),
        ({"case": "y"}, "a run fills this in itself"),
        ({"api_key": "k"}, "this may be a secret"),
        ({"db_password": "k"}, "this may be a secret"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_before_a_kernel_starts(tiny, no_kernel, tmp_path, settings, said):
    assert said in refused(tiny.case, out=tmp_path / "out", settings=settings)
    assert not (tmp_path / "out").exists()


def test_every_wrong_setting_is_named_at_once(tiny, no_kernel, tmp_path):
    assert len(refused(tiny.case, out=tmp_path / "out", settings={"a": 1, "b": 2, "alpha": "c"}).splitlines()) == 3


@pytest.mark.parametrize(
    "parameters",
    [
        "alpha = 0.05",
        "alpha: float",
        "alpha: float = small()",
        "alpha: float = 'x'",
        "alpha: list = []",
        "alpha: float = ",
    ],
)
def test_an_unsound_parameters_cell_is_refused(tiny, no_kernel, tmp_path, parameters):
    tiny(SHOW, parameters=parameters)
    assert "the parameters cell is unsound" in refused(tiny.case, out=tmp_path / "out")


def test_a_template_without_a_parameters_cell_is_refused(tiny, no_kernel, tmp_path):
    made = notebook(SHOW)
    made["cells"][0]["metadata"] = {}
    (tiny.templates / "1_tiny.ipynb").write_text(json.dumps(made), encoding="utf-8")
    assert "0 cells are tagged 'parameters'" in refused(tiny.case, out=tmp_path / "out")


def test_what_is_no_notebook_is_refused(tiny, no_kernel, tmp_path):
    (tiny.templates / "1_tiny.ipynb").write_text("{", encoding="utf-8")
    assert "this is no notebook" in refused(tiny.case, out=tmp_path / "out")


def test_an_unknown_topic_is_refused(tiny, no_kernel, tmp_path):
    assert "did you mean 'tiny'?" in refused(tiny.case, out=tmp_path / "out", only=["tinny"])


def test_an_unsound_case_is_refused_and_nothing_is_written(tiny, no_kernel, tmp_path):
    (tiny.case / "incident.yaml").write_text("id: other", encoding="utf-8")
    assert refused(tiny.case, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_no_run_wrote_is_not_replaced(tiny, no_kernel, tmp_path):
    (tmp_path / "out" / "tiny").mkdir(parents=True)
    assert "in the way" in refused(tiny.case, out=tmp_path / "out")


# --- what a run leaves -----------------------------------------------------------------------------------------------


def test_a_run_publishes_notebooks_results_page_and_manifest(report):
    names = {path.name for path in report.result.path.iterdir()}
    assert names == {
        "1_timeline.ipynb",
        "2_drift.ipynb",
        "3_explanation.ipynb",
        "5_cascade.ipynb",
        "6_postmortem.ipynb",
        "7_notification.ipynb",
        "results.json",
        "report.html",
        "verify.py",
        "manifest.json",
        "manifest.sha256",
    }
    assert report.result.path.is_symlink()
    assert report.result.folder.name.endswith(report.result.digest[:12])


def test_results_are_those_of_the_one_engine(report):
    import rca

    written = json.loads((report.result.path / "results.json").read_bytes())
    assert written == json.loads(to_json(rca.analyse(rca.load(report.case)).results())) == report.result.results
    assert written["verdict"]["status"] == report.result.verdict["status"]


def test_findings_are_carried_in_the_notebooks(report):
    known = {finding["id"] for finding in report.result.results["findings"]}
    shown = bundles(json.loads((report.result.path / "6_postmortem.ipynb").read_bytes()), FINDINGS)
    assert {finding["id"] for bundle in shown for finding in bundle} == known


def test_no_report_names_a_folder_a_host_or_an_hour_of_this_machine(report):
    import platform

    for path in report.result.folder.iterdir():
        text = path.read_text(encoding="utf-8")
        for word in (str(report.out), str(ROOT), str(Path.home()) + "/", f'"{platform.node()}"', "start_time", "iopub"):
            assert word not in text, (path.name, word)


def test_the_log_stands_beside_the_report_and_not_in_it(report):
    log = json.loads((report.result.folder.parent / f"{report.result.folder.name}.log.json").read_bytes())
    names = [note["notebook"] for note in log["notebooks"]]
    assert names == ["1_timeline", "2_drift", "3_explanation", "5_cascade", "6_postmortem", "7_notification"]


def test_two_runs_give_the_same_bytes_and_one_folder_however_their_paths_are_written(tiny, old, tmp_path, monkeypatch):
    monkeypatch.chdir(tiny.case.parent)
    second = run("./tiny", out="../out", progress=False)
    assert second.digest == old.digest
    assert sorted(path.name for path in (tmp_path / "out" / ".runs").iterdir()) == [
        old.folder.name,
        f"{old.folder.name}.log.json",
        "tiny.history.jsonl",
    ]


def test_settings_reach_the_notebook_and_another_seed_is_another_run(tiny, tmp_path):
    tiny(SHOW, "print(case, alpha, seed, note)")
    out = tmp_path / "out"
    done = run(tiny.case, out=out, settings={"alpha": 0.01, "note": 'a "b" <c>'}, seed=7, progress=False)
    printed = json.loads((done.path / "1_tiny.ipynb").read_bytes())["cells"][3]["outputs"][0]["text"]
    assert "".join(printed) == '../../../cases/tiny 0.01 7 a "b" <c>\n'
    assert verify.verify(done.path).ok


def test_a_run_that_was_changed_afterwards_is_set_aside_and_made_anew(tiny, old, tmp_path):
    (old.folder / "results.json").write_text("{}", encoding="utf-8")
    second = run(tiny.case, out=tmp_path / "out", progress=False)
    assert verify.verify(second.path).ok
    assert (old.folder.parent / f"damaged-{old.folder.name}-1").is_dir()


# --- what fails ------------------------------------------------------------------------------------------------------


def failed(case, out, **settings):
    with pytest.raises(RunFailed) as caught:
        run(case, out=out, progress=False, **settings)
    return str(caught.value)


def test_a_failing_notebook_is_named_with_its_cell_and_its_last_line_and_nothing_is_published(tiny, tmp_path):
    tiny(SHOW, "print(1)\nraise ValueError('no such\\n\\x1b[31mthing')")
    said = failed(tiny.case, tmp_path / "out")
    assert "1_tiny, cell 'cell-1': [31mthing." in said
    assert not (tmp_path / "out" / "tiny").exists()
    (kept,) = (tmp_path / "out" / ".runs").iterdir()
    assert kept.name == "failed-tiny-1"
    assert (kept / "1_tiny.ipynb").is_file()


def test_a_failure_leaves_the_old_report(tiny, old, tmp_path):
    tiny(SHOW, "1 / 0")
    assert "ZeroDivisionError" in failed(tiny.case, tmp_path / "out")
    assert (tmp_path / "out" / "tiny").resolve() == old.folder
    assert verify.verify(old.path).damage == ()


def test_a_cell_that_takes_too_long_is_stopped(tiny, tmp_path):
    tiny(SHOW, "import time; time.sleep(60)")
    assert "it took longer than 1 s" in failed(tiny.case, tmp_path / "out", timeout=1)


def test_a_notebook_without_results_is_a_failed_run(tiny, tmp_path):
    tiny("1")
    assert "carries no results" in failed(tiny.case, tmp_path / "out")


def test_notebooks_that_conclude_differently_are_a_failed_run():
    def made(verdict, *findings):
        data = {RESULTS: {**RESULT, "verdict": verdict}, FINDINGS: list(findings)}
        return {"cells": [{"outputs": [{"data": data}]}]}

    with pytest.raises(RunFailed, match="2_b concludes from other results"):
        case_run._agreed({"1_a": made("x"), "2_b": made("y")})
    with pytest.raises(RunFailed, match="1_a shows the finding 'f'"):
        case_run._agreed({"1_a": made("x", {"id": "f", "claim": "c"})})


# --- what happens in the midst of it ----------------------------------------------------------------------------------


def test_a_crash_between_the_steps_of_publishing_leaves_a_whole_report(tiny, old, tmp_path, monkeypatch):
    tiny(SHOW, "'another report'")
    for step in ("sync", "_sync_folder"):
        with monkeypatch.context() as broken:
            broken.setattr(publish, step, lambda _: (_ for _ in ()).throw(OSError("the disk is gone")))
            with pytest.raises(OSError, match="the disk is gone"):
                run(tiny.case, out=tmp_path / "out", progress=False)
        assert (tmp_path / "out" / "tiny").resolve() == old.folder
    assert verify.verify(run(tiny.case, out=tmp_path / "out", progress=False).path).ok


def test_a_stage_that_is_in_use_is_not_cleared(tmp_path):
    with publish.staging(tmp_path) as held:
        (tmp_path / ".tmp-dead").mkdir()
        clear(tmp_path, DRAFT)
        assert held.is_dir()
        assert not (tmp_path / ".tmp-dead").exists()
    assert not held.exists()


def test_reports_are_removed_by_hand_only(report, tmp_path):
    copy = shutil.copytree(report.result.folder, tmp_path / "copy")
    assert verify.verify(copy, case=report.case).ok
