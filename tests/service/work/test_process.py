import psutil

from rca.record.case import scaffold
from rca.report.notebooks.kernel import MEMORY
from rca.service.work.process import run_job
from tests.conftest import ROOT


def job_of(folder, **more):
    case = scaffold(folder, "a")
    return {"case": str(case), "out": str(folder / "reports"), "memory": 8_000_000_000, "only": ["timeline"], **more}


def family():
    """Processes below this one."""
    return {one.pid for one in psutil.Process().children(recursive=True)}


def test_a_run_that_takes_too_long_ends_with_its_kernels(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    before, seen = family(), set()

    def go_on():
        seen.update(family() - before)
        return len(seen) < 2  # the run, and its kernel

    done = run_job(job_of(tmp_path), {}, seconds=60, go_on=go_on)
    assert done == {"failed": "cancelled", "final": True}
    assert len(seen) >= 2
    assert not {pid for pid in seen if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"}
    assert not (tmp_path / "reports" / "a").exists()


def test_a_run_that_may_have_too_little_memory_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    done = run_job(job_of(tmp_path, memory=MEMORY - 1), {}, seconds=60)
    assert "a kernel needs" in done["failed"]
    assert "memory" in done["failed"]
    assert not (tmp_path / "reports" / "a").exists()


def test_a_run_that_cannot_be_started_is_a_failure(tmp_path):
    done = run_job({}, {}, seconds=1, prefix=["no-such-program"])
    assert "could not be started" in done["failed"]
    assert not done["final"]
