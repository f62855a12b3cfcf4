import pytest

from rca.record.files.whole_file import write_whole


def test_a_file_is_written_whole_or_what_was_there_stays(tmp_path, monkeypatch):
    write_whole(tmp_path / "f", b"old")
    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("the disk is full")))
        with pytest.raises(OSError, match="full"):
            write_whole(tmp_path / "f", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_a_file_that_is_replaced_keeps_its_mode(tmp_path):
    held = tmp_path / "f"
    held.write_bytes(b"old")
    held.chmod(0o600)
    write_whole(held, b"new")
    assert (held.read_bytes(), held.stat().st_mode & 0o777) == (b"new", 0o600)
