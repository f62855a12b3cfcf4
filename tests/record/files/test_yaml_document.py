"""YAML that others wrote: read as it stands, with the line of every key, or refused in one plain line."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.errors import InvalidCase
from rca.record.case import load
from rca.record.files.yaml_document import DEEPEST, MAX_BYTES, document
from tests.record.written_case import only, told, write

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126))
PLAIN = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e9, 1e9) | TEXT
VALUES = st.recursive(PLAIN, lambda one: st.lists(one, max_size=3) | st.dictionaries(TEXT, one, max_size=3))


@given(st.dictionaries(TEXT, VALUES, max_size=3))
@settings(max_examples=60, deadline=None)
def test_what_json_says_is_read_as_json_reads_it(value):
    assert document(json.dumps(value), name="x.yaml").value == value


HOSTILE = {
    "a bomb": ("a: &a [x, x]\nb: &b [*a, *a]\n", "anchor or alias"),
    "code": ("id: !!python/object/apply:os.system ['true']\n", "has the tag"),
    "a binary tag": ("id: !!binary aGk=\n", "has the tag"),
    "an anchor on a key": ("&a id: x\n", "anchor or alias"),
    "depth": ("a: " + "[" * 5_000, f"deeper than {DEEPEST}"),
    "two documents": ("a: 1\n---\nb: 2\n", "second document"),
    "size": ("#" * (MAX_BYTES + 1), "larger than 1,000,000 bytes"),
    "no mapping": ("- 1\n- 2\n", "holds a list"),
    "nothing": ("", "is empty"),
    "a mapping for a key": ("{a: 1}: 2\n", "for a key"),
    "no yaml": ("id: [1\ntitle: x\n", r"line \d+, column \d+: is not YAML"),
    "a tab": ("id: x\n\ttitle: y\n", r"line 2, column 1: is not YAML"),
    "a control character": ("id: \x1b[31m\n", "is not YAML"),
    "a lonely surrogate": ('id: "\\ud800"\n', "is not YAML"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_yaml_is_refused_in_one_plain_line(folder, name):
    text, message = HOSTILE[name]
    folder.mkdir()
    (folder / "incident.yaml").write_text(text)
    with pytest.raises(InvalidCase, match=message) as caught:
        load(folder)
    assert [str(problem) for problem in caught.value.problems] == told(folder) == [str(caught.value)]
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_a_record_that_is_not_utf_8_is_refused_with_its_line(folder):
    folder.mkdir()
    (folder / "incident.yaml").write_bytes(b"id: x\ntitle: \xe9\n")
    assert "not UTF-8 from byte 13 (line 2)" in only(folder)


def test_a_key_that_comes_twice_is_told_with_both_lines(folder):
    write(folder)
    with (folder / "incident.yaml").open("a") as file:
        file.write("severity: sev1\n")
    assert only(folder) == "incident.yaml, severity (line 28): the key comes twice, first in line 4."
