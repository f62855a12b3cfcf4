import json

import pytest

from rca.errors import InvalidCase
from rca.service.configuration import Secret, json_schema, read
from rca.service.serve import check


def written(folder, text):
    path = folder / "rca.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("port = 'x'", "port"),
        ("prot = 1", "prot"),
        ("bind = '0.0.0.0'", "needs a token"),
        ("bind = '::'", "needs a token"),
        ("bind = '0.0.0.0'\ntoken = {env = 'A'}\n[[hooks]]\nname='a'\nvendor='generic'", "needs a secret"),
        ("[[hooks]]\nname='a'\nvendor='generic'\n[[hooks]]\nname='a'\nvendor='mlflow'", "one name"),
        ("[[hooks]]\nname='../a'\nvendor='generic'", "hooks.0.name"),
        ("token = {env = 'A', file = 'b'}", "either"),
        ("token = 'plain'", "token"),
        ("[[notices]]\nkind='smtp'", "sender"),
        ("[[sources]]\nsystems=['a']", "a source has"),
        ("=", "cannot be read"),
    ],
)
def test_every_problem_is_told_with_its_place(tmp_path, text, says):
    with pytest.raises(InvalidCase, match=says):
        read(written(tmp_path, text))


def test_paths_are_meant_from_the_file(tmp_path):
    found = read(written(tmp_path, "folder = 'x'\ntoken = {file = 'token'}"))
    assert (found.folder, found.token.file) == (tmp_path / "x", tmp_path / "token")


def test_a_secret_is_read_where_it_lies_and_no_run_sees_it(tmp_path, monkeypatch):
    monkeypatch.setenv("A_SECRET", "hush\n")
    found = read(written(tmp_path, "token = {env = 'A_SECRET'}"))
    assert found.token.read() == "hush"
    assert "hush" not in repr(found)
    assert "A_SECRET" not in found.environment()
    with pytest.raises(InvalidCase, match="empty"):
        Secret(env="NO_SUCH_SECRET").read()


def test_the_schema_is_json_and_names_every_setting():
    told = json.dumps(json_schema())
    assert all(name in told for name in ("hooks", "limits", "sources", "store", "notices"))


def test_a_check_says_what_works_and_what_does_not(tmp_path):
    text = "port = 0\n[[hooks]]\nname='a'\nvendor='generic'\nmap='none.yaml'\nsecret={env='NO_SUCH'}\n"
    text += "[[sources]]\nfiles='no/such/folder'\n[store]\nurl='memory://reports'\n"
    found = dict(check(written(tmp_path, text)))
    works = {name for name, why in found.items() if not why}
    assert works == {"folder", "queue", "address", "store"}
    assert set(found) - works == {"secret NO_SUCH", "hook a", "source 0"}
