"""Files become documents, or are refused with their place; nothing ambiguous is read."""

import pytest

from rca.errors import InvalidCase
from rca.importers import payload
from rca.importers.payload import DEEPEST, documents


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b'{"a": 1}', [{"a": 1}]),
        (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        (b'{"a": 1}\n\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
        (b'\xef\xbb\xbf{"a": NaN}', [{"a": None}]),
        (b"a,b\n1,\n\n2,x\n", [{"a": "1", "b": None}, {"a": "2", "b": "x"}]),
        (b'a;b\n"1;2";x\n', [{"a": "1;2", "b": "x"}]),
        (b"[]", []),
    ],
)
def test_json_json_lines_and_csv_are_documents(raw, found):
    assert documents(raw, name="f") == found


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "f: is empty"),
        (b"  \n", "f: is empty"),
        (b'{"a": 1', r"f, line 1, column 8: is not JSON.*is the file whole\?"),
        (b'{"a": 1}\n{"a": \n', "f, line 2, column 7: is not JSON"),
        (b'{"a": 1, "a": 2}', "the key 'a' comes twice"),
        (b"\xff\xfe{", "is not UTF-8 from byte 0"),
        (b"<html></html>", "neither JSON nor a table"),
        (b"a,a\n1,2", "neither JSON nor a table"),
        (b"a,b\n1\n", "f, row 2: has 1 cells, and the first line names 2"),
        (b'a,b\n"1', "neither JSON nor CSV"),
        (b"[1, 2]", "holds a number where a mapping was expected"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not JSON"),
        (b"[" * 100_000, f"deeper than {DEEPEST} levels"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, f"deeper than {DEEPEST} levels"),
    ],
    ids=range(14),
)
def test_what_is_malformed_is_refused_with_its_place(raw, said):
    with pytest.raises(InvalidCase, match=said):
        documents(raw, name="f")


def test_a_payload_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(payload, "MAX_BYTES", 7)
    with pytest.raises(InvalidCase, match="is larger than 7 bytes"):
        documents(b'{"a": 1}', name="f")
