import json

import pytest

from rca.cli.commands import main
from rca.errors import InvalidCase
from rca.record.case import scaffold
from rca.service import batch
from rca.service.batch import folders, run_batch
from tests.conftest import ROOT

JOB = {"only": ["timeline"], "settings": {}, "seed": 0, "memory": 8_000_000_000}


def test_cases_are_found_in_folders_of_them_and_no_two_have_one_name(tmp_path):
    cases = [
        scaffold(tmp_path / where, name)
        for where, name in (("x", "a"), ("x", "b"), ("y", "c"))
        if (tmp_path / where).mkdir(exist_ok=True) is None
    ]
    assert folders([tmp_path / "x", cases[2]]) == cases
    for wrong in ([tmp_path / "none"], [tmp_path / "x", cases[0]]):
        with pytest.raises(InvalidCase):
            folders(wrong)


def test_many_run_side_by_side_and_what_is_up_to_date_stays(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    good = scaffold(tmp_path, "good")
    bad = scaffold(tmp_path, "bad")
    (bad / "incident.yaml").write_text("id: other")
    command = ["batch", str(tmp_path), "--out", str(tmp_path / "reports"), "--only", "timeline", "--json"]
    assert main(command) == 1
    shown = capsys.readouterr()
    told = json.loads(shown.out)
    assert told["counts"] == {"done": 1, "failed": 1}
    assert {one["case"]: one["became"] for one in told["cases"]} == {"bad": "failed", "good": "done"}
    assert "2/2" in shown.err
    assert (tmp_path / "reports" / "good" / "report.html").is_file()
    ran, how = [], {"out": tmp_path / "reports", "workers": 1, "seconds": 9}
    monkeypatch.setattr(batch, "run_job", lambda job, *_, **__: ran.append(job["case"]) or {"failed": "not again"})
    assert [one.became for one in run_batch([good], job=JOB, **how).ran] == ["kept"]
    for change in ({"seed": 1}, {"settings": {"alpha": 0.01}}, {"only": None}):
        run_batch([good], job={**JOB, **change}, **how)
    run_batch([good], job=JOB, again=True, **how)
    (good / "sources" / "note.md").write_text("found later")
    run_batch([good], job=JOB, **how)
    assert len(ran) == 5
