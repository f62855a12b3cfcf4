"""A folder that one process holds, what dead ones left, and files that are whole or not there."""

from rca.record.files.whole_file import DRAFT
from rca.report.notebooks.held_folder import alone, clear, own


def test_a_folder_is_private_and_gone_afterwards_and_what_dead_ones_left_is_cleared(tmp_path):
    (tmp_path / "x-dead").mkdir()
    (tmp_path / "y-other").mkdir()
    with own(tmp_path, "x-") as held:
        assert held.stat().st_mode & 0o777 == 0o700
        clear(tmp_path, "x-")
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([held.name, "y-other"])
    assert [path.name for path in tmp_path.iterdir()] == ["y-other"]


def test_drafts_that_dead_ones_left_are_cleared(tmp_path):
    (tmp_path / f"{DRAFT}dead").write_bytes(b"half")
    (tmp_path / "f").write_bytes(b"whole")
    with alone(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["f"]
