"""Running the notebooks: refused early, bounded, repeatable, published whole or not at all."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from rca import shipped
from rca.errors import InvalidCase, RunFailed
from rca.record.files.whole_file import DRAFT
from rca.report.audit import verify
from rca.report.cells.output import FINDINGS, RESULTS
from rca.report.manifest import integrity
from rca.report.notebooks.canonical import bundles, to_json
from rca.report.notebooks.held_folder import clear
from rca.report.run import case_run, publish
from rca.report.run.case_run import run
from tests.conftest import ROOT
from tests.report.tiny_notebooks import RESULT, SHOW, notebook


def laid(base):
    """A case, and a folder of templates with one quick notebook; writes others into it."""
    case = base / "cases" / "tiny"
    case.mkdir(parents=True)
    (case / "incident.yaml").write_text(
        "schema: 1\nid: tiny\ntitle: Tiny\nseverity: sev5\ncategory: other\nstatus: open\n", encoding="utf-8"
    )
    folder = base / "templates"
    folder.mkdir()

    def write(*sources, name="1_tiny", **kind):
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook(*sources, **kind)), encoding="utf-8")
        return case

    write(SHOW)
    write.case, write.templates = case, folder
    return write


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    made = laid(tmp_path)
    monkeypatch.setattr(shipped, "templates", lambda: made.templates)
    return made


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """The quick notebook, run once in a folder of its own."""
    base = tmp_path_factory.mktemp("elsewhere")
    made = laid(base)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped, "templates", lambda: made.templates)
        return run(made.case, out=base / "out", progress=False)


@pytest.fixture
def old(tiny, elsewhere, tmp_path):
    """The report that a run has left before; it is not told that it was carried here."""
    out = tmp_path / "out"
    shutil.copytree(elsewhere.folder.parent.parent, out, symlinks=True)
    return replace(elsewhere, path=out / "tiny", folder=out / ".runs" / elsewhere.folder.name)


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


# --- killed at any moment --------------------------------------------------------------------------------------------

CHILD = """
import sys
from pathlib import Path
from rca import shipped
shipped.templates = lambda: Path(sys.argv[1])
from rca.cli.commands import main
sys.exit(main(["run", sys.argv[2], "--out", sys.argv[3], "--quiet", "--json"]))
"""


@pytest.fixture
def folders(monkeypatch):
    """Where temporary folders lie, of this process and those it starts; its path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="rca-t-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def start(tiny, out, *, where=()):
    command = [*where, sys.executable, "-c", CHILD, str(tiny.templates), str(tiny.case), str(out)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment, start_new_session=True)


def end_after(tiny, out, seconds, *, number=signal.SIGKILL):
    """What a run said on stderr that was ended by a signal; nothing where it was quicker."""
    with start(tiny, out) as child:
        try:
            child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, number)
            return child.communicate(timeout=60)[1].decode()
    return ""


def kernels(folder):
    """Processes that were started in a folder of this test and go on."""
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.is_file()]
    return [line for line in lines if str(folder).encode() in line]


def length_of_a_run(tiny, out):
    began = time.perf_counter()
    with start(tiny, out) as child:
        assert child.wait(timeout=60) == 0
    return time.perf_counter() - began


EVERY = range(1, 11)


@pytest.mark.parametrize(
    ("had", "tenths"),
    [(True, (4, 9)), *(pytest.param(had, EVERY, marks=pytest.mark.prove) for had in (True, False))],
    ids=str,
)
def test_a_run_killed_at_any_of_ten_moments_leaves_the_old_report_or_a_whole_one(
    tiny, folders, tmp_path, request, had, tenths
):
    out, link = tmp_path / "out", tmp_path / "out" / "tiny"
    before = request.getfixturevalue("old").folder if had else None
    tiny(SHOW, "'another report'")
    whole = length_of_a_run(tiny, tmp_path / "elsewhere")  # the moments are spread over it, however quick the machine
    for tenth in tenths:
        end_after(tiny, out, whole * tenth / 10)
        assert link.exists() or before is None
        assert not link.exists() or integrity.damage(link.resolve()) == []
    done = run(tiny.case, out=out, progress=False)
    assert verify.verify(done.path).ok
    assert done.folder != before
    assert not list((out / ".runs").glob(".tmp-*"))
    assert list(folders.iterdir()) == []


@pytest.mark.prove
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_run_that_is_told_to_end_says_so_and_leaves_nothing_at_any_moment(tiny, folders, old, tmp_path, number):
    tiny(SHOW, "'another report'")
    whole = length_of_a_run(tiny, tmp_path / "elsewhere")
    for tenth in EVERY:
        said = end_after(tiny, tmp_path / "out", whole * tenth / 10, number=number)
        assert "Traceback" not in said or tenth < 3  # before the command has begun, Python itself is ended
        assert verify.verify(tmp_path / "out" / "tiny").ok
        assert list(folders.iterdir()) == []
        assert not list((tmp_path / "out" / ".runs").glob(".tmp-*"))
    time.sleep(2)
    assert kernels(folders) == []


@pytest.mark.prove
def test_no_kernel_outlives_a_killed_run(tiny, folders, tmp_path):
    tiny(SHOW, "import time; time.sleep(600)")
    with start(tiny, tmp_path / "out") as child:
        deadline = time.monotonic() + 120
        while not kernels(folders / "rca-kernel-") and time.monotonic() < deadline:
            time.sleep(0.2)
        os.killpg(child.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while kernels(folders / "rca-kernel-") and time.monotonic() < deadline:
        time.sleep(0.2)
    assert kernels(folders) == []


READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
"""A shell that runs a command where a folder cannot be written."""


@pytest.mark.prove
def test_a_store_that_cannot_be_written_keeps_its_report_and_the_refusal_has_a_hint(tiny, folders, old, tmp_path):
    out = tmp_path / "out"
    where = ["unshare", "--mount", "sh", "-c", READ_ONLY, str(out)]
    if shutil.which("unshare") is None or subprocess.run([*where, "true"], check=False).returncode:
        pytest.skip("no folder can be mounted read-only here")
    tiny(SHOW, "'another report'")
    before = {path: path.lstat().st_mtime_ns for path in out.rglob("*")}
    with start(tiny, out, where=where) as child:
        said = child.communicate(timeout=120)[1].decode()
    assert (child.returncode, "Traceback" in said) == (1, False), said
    assert "Read-only file system" in said
    assert "Hint: choose another --out" in said
    assert {path: path.lstat().st_mtime_ns for path in out.rglob("*")} == before
    assert verify.verify(old.path).ok
    assert list(folders.iterdir()) == []


def test_a_crash_between_the_steps_of_publishing_leaves_a_whole_report(tiny, old, tmp_path, monkeypatch):
    tiny(SHOW, "'another report'")
    for step in ("sync", "_sync_folder"):
        with monkeypatch.context() as broken:
            broken.setattr(publish, step, lambda _: (_ for _ in ()).throw(OSError("the disk is gone")))
            with pytest.raises(OSError, match="the disk is gone"):
                run(tiny.case, out=tmp_path / "out", progress=False)
        assert (tmp_path / "out" / "tiny").resolve() == old.folder
    assert verify.verify(run(tiny.case, out=tmp_path / "out", progress=False).path).ok


def test_two_runs_at_once_do_not_disturb_each_other(tiny, tmp_path):
    children = [start(tiny, tmp_path / "out") for _ in range(2)]
    digests = {child.communicate(timeout=60)[0].strip() for child in children}
    assert [child.returncode for child in children] == [0, 0]
    assert len(digests) == 1
    assert integrity.damage((tmp_path / "out" / "tiny").resolve()) == []


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
