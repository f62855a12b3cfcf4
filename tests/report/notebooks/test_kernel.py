"""The kernel of a report: this interpreter, in an environment that no machine and no user changes."""

import json
import resource
import sys
import tempfile

import pytest

from rca.errors import RunFailed
from rca.report.notebooks.kernel import FILES, FIXED, LONGEST, MEMORY, kernel, take_limits


def test_the_kernel_is_this_interpreter_in_a_fixed_environment(printed, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    said = printed("import json, os, sys; print(json.dumps([sys.executable, dict(os.environ)]))")
    executable, environment = json.loads(said)
    assert executable == sys.executable
    assert {name: environment[name] for name in FIXED} == FIXED
    assert (FIXED["TZ"], FIXED["PYTHONHASHSEED"]) == ("UTC", "0")


def test_what_a_user_starts_every_notebook_with_is_not_read(printed, monkeypatch, tmp_path):
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "0.py").write_text("mine = 1", encoding="utf-8")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    assert printed("print('mine' in globals())") == "False\n"


def test_sockets_lie_where_a_path_is_short_whatever_folder_for_temporary_files_is_set(monkeypatch, tmp_path):
    far = tmp_path / ("x" * 100)
    far.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(far))
    with kernel(tmp_path) as manager:
        assert len(manager().connection_file) <= LONGEST + 40
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(RunFailed, match="set TMPDIR"), kernel(tmp_path):
        pass


def test_open_files_are_taken_as_far_as_they_are_allowed_and_limits_too_low_are_a_sentence(monkeypatch):
    limits, taken = {resource.RLIMIT_NOFILE: (12, 4096), resource.RLIMIT_AS: (-1, -1)}, []
    monkeypatch.setattr(resource, "getrlimit", limits.get)
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: taken.append(limit))
    take_limits()
    assert taken == [(FILES, 4096)]
    limits[resource.RLIMIT_NOFILE] = (12, 24)
    with pytest.raises(RunFailed, match=r"may have 24; allow it more \(ulimit -n\)"):
        take_limits()
    limits[resource.RLIMIT_AS] = (MEMORY - 1, -1)
    with pytest.raises(RunFailed, match=r"1,000 MB of memory.*\(ulimit -v\)"):
        take_limits()
