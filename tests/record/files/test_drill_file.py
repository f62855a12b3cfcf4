"""Files of drills are read whole, and what is none is refused with its place."""

import pytest

from rca.errors import InvalidCase
from rca.record.files import drill_file
from rca.record.files.drill_file import read_drill, read_drills
from tests.report.a_drill import a_drill


def test_drills_are_told_in_the_order_in_which_they_were_held(tmp_path):
    for name, day in (("a", "2026-12-02"), ("b", "2026-12-01")):
        (tmp_path / name).mkdir()
        text = a_drill(id=name, held=f"{day}T05:00:00Z").model_dump_json(by_alias=True)
        (tmp_path / name / "drill.json").write_text(text)
    told = read_drills(tmp_path)
    assert told == "; ".join(
        f"{day} {name} 2 17 detection=5/10 cause=12/20" for day, name in (("2026-12-01", "b"), ("2026-12-02", "a"))
    )
    assert read_drill(tmp_path / "a" / "drill.json").id == "a"


def test_what_is_no_drill_is_refused_with_its_place(tmp_path, monkeypatch):
    with pytest.raises(InvalidCase, match="there are no drills here"):
        read_drills(tmp_path)
    file = tmp_path / "drill.json"
    file.write_text('{"schema": 1}')
    with pytest.raises(InvalidCase, match="is no drill"):
        read_drill(file)
    with pytest.raises(InvalidCase, match="cannot be read"):
        read_drill(tmp_path / "none.json")
    monkeypatch.setattr(drill_file, "LARGEST", 3)
    with pytest.raises(InvalidCase, match="more than 3 bytes"):
        read_drill(file)
