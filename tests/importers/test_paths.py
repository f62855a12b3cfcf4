"""Paths find what a map names: keys with dots, pairs, what encloses an item."""

import pytest

from rca.errors import InvalidCase
from rca.importers.paths import MISSING, Scope, each, find

DOCUMENT = Scope(
    value={
        "data": {"tags.mlflow.runName": "r", "tags": {"mlflow.runName": "s"}, "none": None},
        "pairs": [{"key": "a.b", "value": {"intValue": "3"}}, {"key": "c", "value": None}],
        "groups": [{"name": "g", "items": [{"x": 1}, {"x": 2}]}, {"name": "h", "items": None}],
        "columns": {"age": {"p": 0.1}},
    }
)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.tags.mlflow.runName", "r"),
        ("data.none | data.tags.mlflow.runName", "r"),
        ("data.none", None),
        ("data.nothing", MISSING),
        ("pairs.a.b", "3"),
        ("groups.1.name", "h"),
        ("groups.7.name", MISSING),
        ("groups.name", MISSING),
        ("/columns.age.p", 0.1),
        (".", DOCUMENT.value),
    ],
)
def test_a_path_finds_the_longest_key_that_is_there(path, value):
    assert find(DOCUMENT, path).value == value


def test_an_item_knows_what_encloses_it_and_where_it_stands():
    items = list(each(DOCUMENT, "groups[].items[]", file="f"))
    assert [find(one, "x").value for one in items] == [1, 2]
    assert find(items[1], "^.name").value == "g"
    assert find(items[1], "x").said("f") == "f, groups[0].items[1].x"
    (column,) = each(DOCUMENT, "columns{}", file="f")
    assert find(column, "@key").value == "age"


def test_a_mapping_where_a_list_may_be_is_one_item():
    assert [one.value for one in each(DOCUMENT, "columns[]", file="f")] == [DOCUMENT.value["columns"]]


def test_what_is_neither_is_refused_with_its_place():
    with pytest.raises(InvalidCase, match=r"f, data.tags.mlflow.runName: there is a text, and a list was expected"):
        list(each(DOCUMENT, "data.tags.mlflow.runName[]", file="f"))


def test_of_several_paths_the_first_that_yields_is_taken():
    assert len(list(each(DOCUMENT, "nothing[] | groups[]", file="f"))) == 2
    assert list(each(DOCUMENT, "nothing[] | none[]", file="f")) == []
