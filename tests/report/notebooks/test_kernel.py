"""The kernel of a report: this interpreter, in an environment that no machine and no user changes."""

import json
import sys

from rca.report.notebooks.kernel import FIXED


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
