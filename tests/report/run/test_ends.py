"""However a run ends, the old report or the new one is whole, and nothing of it goes on or is left."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from rca.report.audit import verify
from rca.report.manifest import integrity
from rca.report.run.case_run import run
from tests.conftest import ROOT
from tests.report.tiny_notebooks import SHOW

CHILD = """
import sys
from pathlib import Path
from rca import shipped
shipped.templates = lambda: Path(sys.argv[1])
from rca.cli.commands import main
print("begun", flush=True)
sys.exit(main(["run", sys.argv[2], "--out", sys.argv[3], "--quiet", "--json", *sys.argv[4:]]))
"""


@pytest.fixture
def folders(monkeypatch):
    """Where temporary folders lie, of this process and those it starts; its path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="rca-t-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def command(tiny, out, *more):
    return [sys.executable, "-c", CHILD, str(tiny.templates), str(tiny.case), str(out), *more]


def start(tiny, out, *more, where=()):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    return subprocess.Popen([*where, *command(tiny, out, *more)], env=environment, **how)


def end_after(tiny, out, seconds, *, number=signal.SIGKILL):
    """What a run said that was ended by a signal, on stdout and on stderr, and its status."""
    with start(tiny, out) as child:
        try:
            child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, number)
        said = child.communicate(timeout=60)
        return *said, child.returncode


def going_on(folder):
    """Processes that were started in a folder of this test and go on."""
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.is_file()]
    return [line for line in lines if str(folder).encode() in line]


def gone(folder, seconds=30):
    """Whether no process of this test goes on, or none does soon."""
    deadline = time.monotonic() + seconds
    while going_on(folder) and time.monotonic() < deadline:
        time.sleep(0.2)
    return not going_on(folder)


def length_of_a_run(tiny, out):
    began = time.perf_counter()
    with start(tiny, out) as child:
        assert child.wait(timeout=60) == 0
    return time.perf_counter() - began


MOMENTS = 30
EVERY = range(1, MOMENTS + 1)


@pytest.mark.parametrize(
    ("had", "moments"),
    [(True, (12, 27)), *(pytest.param(had, EVERY, marks=pytest.mark.prove) for had in (True, False))],
    ids=str,
)
def test_a_run_killed_at_any_of_thirty_moments_leaves_the_old_report_or_a_whole_one(
    tiny, folders, tmp_path, request, had, moments
):
    out, link = tmp_path / "out", tmp_path / "out" / "tiny"
    before = request.getfixturevalue("old").folder if had else None
    tiny(SHOW, "'another report'")
    whole = length_of_a_run(tiny, tmp_path / "elsewhere")  # the moments are spread over it, however quick the machine
    for moment in moments:
        end_after(tiny, out, whole * moment / MOMENTS)
        assert link.exists() or before is None
        assert not link.exists() or integrity.damage(link.resolve()) == []
    done = run(tiny.case, out=out, progress=False)
    assert verify.verify(done.path).ok
    assert done.folder != before
    assert not list((out / ".runs").glob(".tmp-*"))
    assert list(folders.iterdir()) == []
    assert gone(folders)


STATUS = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGHUP: 129}


@pytest.mark.prove
@pytest.mark.parametrize("number", STATUS)
def test_a_run_that_is_told_to_end_says_so_and_leaves_nothing_at_any_of_thirty_moments(
    tiny, folders, old, tmp_path, number
):
    tiny(SHOW, "'another report'")
    whole = length_of_a_run(tiny, tmp_path / "elsewhere")
    for moment in EVERY:
        out, said, status = end_after(tiny, tmp_path / "out", whole * moment / MOMENTS, number=number)
        if '"digest"' in out:  # it has answered, and Python itself is ended
            assert said == "", moment
        elif out.startswith("begun"):  # before, Python itself is ended
            assert (status, said.count("\n")) == (STATUS[number], 1), (moment, status, said)
        assert verify.verify(tmp_path / "out" / "tiny").ok
        assert list(folders.iterdir()) == [], moment
        assert not list((tmp_path / "out" / ".runs").glob(".tmp-*"))
        assert going_on(folders) == [], moment


@pytest.mark.prove
def test_no_kernel_outlives_a_killed_run(tiny, folders, tmp_path):
    tiny(SHOW, "import time; time.sleep(600)")
    with start(tiny, tmp_path / "out") as child:
        deadline = time.monotonic() + 120
        while not going_on(folders / "rca-kernel-") and time.monotonic() < deadline:
            time.sleep(0.2)
        os.killpg(child.pid, signal.SIGKILL)
    assert gone(folders)


# --- many at once ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seeds", [(0, 0), pytest.param((0, 0, 1, 1, 2, 2, 3, 3), marks=pytest.mark.prove)], ids=len)
def test_runs_at_once_on_one_folder_do_not_disturb_each_other(tiny, folders, tmp_path, seeds):
    link = tmp_path / "out" / "tiny"
    children = [start(tiny, tmp_path / "out", f"--seed={seed}") for seed in seeds]
    while any(child.poll() is None for child in children):  # what it says fits into its pipe
        assert not link.exists() or integrity.damage(link.resolve()) == []
        time.sleep(0.05)
    said = [child.communicate() for child in children]
    assert [child.returncode for child in children] == [0] * len(seeds), said
    assert len({out for out, _ in said}) == len(set(seeds))
    assert verify.verify(link).ok
    runs = [path for path in (tmp_path / "out" / ".runs").iterdir() if path.is_dir()]
    assert len(runs) == len(set(seeds))
    assert [integrity.damage(path) for path in runs] == [[]] * len(runs)
    assert list(folders.iterdir()) == []
    assert going_on(folders) == []


# --- a disk that is full, or cannot be written -----------------------------------------------------------------------


def mounted(*command):
    """A command whose mounts are its own; skips where none can be made."""
    where = ["unshare", "--mount", "sh", "-c", *command]
    if shutil.which("unshare") is None or subprocess.run([*where, "true"], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    return where


READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
"""A shell that runs a command where a folder cannot be written."""


@pytest.mark.prove
def test_a_store_that_cannot_be_written_keeps_its_report_and_the_refusal_has_a_hint(tiny, folders, old, tmp_path):
    out = tmp_path / "out"
    where = mounted(READ_ONLY, str(out))
    tiny(SHOW, "'another report'")
    before = {path: path.lstat().st_mtime_ns for path in out.rglob("*")}
    with start(tiny, out, where=where) as child:
        said = child.communicate(timeout=120)[1]
    assert (child.returncode, "Traceback" in said) == (1, False), said
    assert "Read-only file system" in said
    assert "Hint: choose another --out" in said
    assert {path: path.lstat().st_mtime_ns for path in out.rglob("*")} == before
    assert verify.verify(old.path).ok
    assert list(folders.iterdir()) == []


SMALL = """mount -t tmpfs -o size=16m tmpfs "$0" && cp -a "$0.before/." "$0" || exit 9
[ "$1" = true ] && exit
room=$1; shift
head -c $(( $(df -k --output=avail "$0" | tail -1) * 1024 - room * 1024 )) /dev/zero > "$0/filler"
"$@"; echo "ended $?"
rm "$0/filler"; cp -a "$0" "$0.after"
"$@"; echo "ended $?"
rm -r "$0.again"; cp -a "$0" "$0.again"
"""
"""A shell that runs a command on a small disk with so many kilobytes left, and again when there is room."""

ROOM = (0, 4, 8, 16, 24, 32, 48, 64, 128, 512)


@pytest.mark.prove
@pytest.mark.parametrize("room", ROOM)
def test_a_full_disk_keeps_the_old_report_and_the_refusal_has_a_hint(tiny, folders, old, tmp_path, room):
    out = tmp_path / "out"
    before, after, again = (tmp_path / f"out.{name}" for name in ("before", "after", "again"))
    shutil.move(out, before)
    out.mkdir()
    again.mkdir()
    where = mounted(SMALL, str(out))
    tiny(SHOW, "'another report'")
    with start(tiny, out, where=[*where, str(room)]) as child:
        said, told = child.communicate(timeout=240)
    assert said.count("\nended ") == 2, (said, told)
    assert said.rstrip().endswith("ended 0"), (said, told)
    full = "ended 1" in said
    assert f'"{ROOT}' not in told, told  # no line of ours is in a traceback; a kernel that ends may say one of its own
    assert not full or told.splitlines()[-1].startswith("RunFailed: [Errno 28] No space left on device"), told
    assert not full or "Hint: make room" in told, told
    assert full or room > ROOM[0]
    left = [path.name for path in (after / ".runs").iterdir() if path.is_dir()]
    assert integrity.damage((after / "tiny").resolve()) == []
    assert not [name for name in left if name.startswith(".tmp-")]
    assert not full or (after / "tiny").resolve().name == old.folder.name
    assert integrity.damage((again / "tiny").resolve()) == []
    assert not list((again / ".runs").glob(".tmp-*"))
    assert list(folders.iterdir()) == []
    assert going_on(folders) == []
