"""The debrief of a drill is written whole or not at all, and a second one beside the first."""

import pytest

from rca.errors import InvalidCase
from rca.report.run import drill_run
from rca.report.run.drill_run import run_debrief
from tests.report.a_drill import a_drill


def _nothing(made, *_, **__):
    (made / "report.html").write_text("page")


def test_a_drill_that_is_played_again_has_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(drill_run, "_derive", _nothing)
    folders = [run_debrief(a_drill(), tmp_path / "drills").name for _ in range(2)]
    assert folders == ["drill-line-2-4", "drill-line-2-4.2"]
    assert sorted(path.name for path in (tmp_path / "drills").iterdir()) == folders


def test_nothing_is_left_of_a_debrief_that_fails(tmp_path, monkeypatch):
    def fails(*_, **__):
        raise RuntimeError("no kernel")

    monkeypatch.setattr(drill_run, "_derive", fails)
    with pytest.raises(RuntimeError, match="no kernel"):
        run_debrief(a_drill(), tmp_path)
    assert [*tmp_path.iterdir()] == []
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidCase, match="no debrief can be written here"):
        run_debrief(a_drill(), tmp_path / "file")
