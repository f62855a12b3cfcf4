"""A folder that one process holds, what dead ones left, and files that are whole or not there."""

import pytest

from rca.report.notebooks.held_folder import DRAFT, alone, clear, own, write_whole


def test_a_folder_is_private_and_gone_afterwards_and_what_dead_ones_left_is_cleared(tmp_path):
    (tmp_path / "x-dead").mkdir()
    (tmp_path / "y-other").mkdir()
    with own(tmp_path, "x-") as held:
        assert held.stat().st_mode & 0o777 == 0o700
        clear(tmp_path, "x-")
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([held.name, "y-other"])
    assert [path.name for path in tmp_path.iterdir()] == ["y-other"]


def test_a_file_is_written_whole_or_what_was_there_stays_and_drafts_are_cleared(tmp_path, monkeypatch):
    write_whole(tmp_path / "f", b"old")
    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("the disk is full")))
        with pytest.raises(OSError, match="full"):
            write_whole(tmp_path / "f", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]
    (tmp_path / f"{DRAFT}dead").write_bytes(b"half")
    with alone(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["f"]
