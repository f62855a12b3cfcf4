"""The kernel of a report: this interpreter, in an environment that no machine and no user changes."""

import json
import resource
import sys
import tempfile

import pytest

from rca.errors import RunFailed
from rca.report.notebooks.kernel import FILES, FIXED, LONGEST, kernel


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


def test_open_files_are_taken_as_far_as_they_are_allowed_and_too_few_are_a_sentence(monkeypatch, tmp_path):
    taken = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (12, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: taken.append(limits))
    with kernel(tmp_path):
        assert taken == [(FILES, 4096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: (12, 24))
    with pytest.raises(RunFailed, match=r"may have 24; allow it more \(ulimit -n\)"), kernel(tmp_path):
        pass
