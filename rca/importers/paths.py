"""Paths into a payload: `data.incident.id | data.id`, with the value's place for messages.

A key may itself hold dots (`tags.mlflow.runName`, the columns of a CSV): the longest key that is there is taken. A list
of `{key, value}` is read as a mapping, so that what one interface writes as a map and another as pairs has one path.
`^.` begins at the item that encloses this one, `/` at the document; `@key` is the key an item stands under.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from rca.errors import InvalidCase
from rca.record.files.yaml_document import Location, dotted, kind

MISSING: Final = object()
"""What a path finds where nothing is."""

_TYPED = frozenset(("stringValue", "intValue", "doubleValue", "boolValue"))
"""Keys under which OpenTelemetry's JSON holds a plain value."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """A part of a payload: its value, its place, and the part that encloses it."""

    value: Any
    place: Location = ()
    above: "Scope | None" = None

    @property
    def root(self) -> "Scope":
        """The whole document."""
        return self if self.above is None else self.above.root

    def said(self, file: str) -> str:
        """The place as a person finds it."""
        return f"{file}, {dotted(self.place)}" if self.place else file


def find(scope: Scope, path: str) -> Scope:
    """The first of several paths that holds something; its value is `MISSING` where none does.

    >>> find(Scope(value={"a.b": {"c": 1}, "t": [{"key": "x.y", "value": 2}]}), "z | a.b.c").value
    1
    >>> find(Scope(value={"t": [{"key": "x.y", "value": {"stringValue": "v"}}]}), "t.x.y").value
    'v'
    """
    found = [_one(scope, part.strip()) for part in path.rstrip("?").split("|")]
    return next((one for one in found if one.value is not MISSING and one.value is not None), found[0])


def _one(scope: Scope, path: str) -> Scope:
    while path.startswith("^."):
        path, scope = path[2:], scope.above or scope
    if path.startswith("/"):
        path, scope = path[1:], scope.root
    if path == "@key":
        return Scope(value=str(scope.place[-1]) if scope.place else MISSING, place=scope.place, above=scope)
    if path in ("", "."):
        return scope
    value, place = _step(scope.value, path, scope.place)
    return Scope(value=_untyped(value), place=place, above=scope)


def _step(node: Any, path: str, place: Location) -> tuple[Any, Location]:
    if isinstance(node, list):
        node, path, place = _of_list(node, path, place)
        if not path:
            return node, place
    if isinstance(node, dict):
        parts = path.split(".")
        for end in range(len(parts), 0, -1):
            head, rest = ".".join(parts[:end]), ".".join(parts[end:])
            if head in node:
                inner = _untyped(node[head])
                found = _step(inner, rest, (*place, head)) if rest else (inner, (*place, head))
                if found[0] is not MISSING:
                    return found
    return MISSING, (*place, path)


def _of_list(node: list[Any], path: str, place: Location) -> tuple[Any, str, Location]:
    """A list of pairs as a mapping; of any other the item that a path of a number names."""
    if node and all(isinstance(one, dict) and "key" in one and "value" in one for one in node):
        return {str(one["key"]): one["value"] for one in node}, path, place
    head, _, rest = path.partition(".")
    if head.isascii() and head.isdigit() and int(head) < len(node):
        return node[int(head)], rest, (*place, int(head))
    return MISSING, "", (*place, path)


def _untyped(value: Any) -> Any:
    if isinstance(value, dict) and len(value) == 1 and _TYPED & value.keys():
        return next(iter(value.values()))
    return value


def each(scope: Scope, path: str, *, file: str) -> Iterator[Scope]:
    """The items at a path: `alerts[]` of a list, `columns{}` of a mapping; a mapping where a list may be is one item.

    >>> [one.value for one in each(Scope(value={"a": [{"b": {"x": 1, "y": 2}}]}), "a[].b{}", file="f")]
    [1, 2]
    """
    if "|" in path:
        several = (tuple(each(scope, part.strip(), file=file)) for part in path.split("|"))
        yield from next(filter(None, several), ())
        return
    head, sign, rest = _split(path)
    found = find(scope, head)
    if not sign:
        if found.value is not MISSING and found.value is not None:
            yield found
        return
    for item in _items(found, sign, file):
        yield from each(item, rest, file=file) if rest else [item]


def _split(path: str) -> tuple[str, str, str]:
    match = re.match(r"(.*?)(\[\]|\{\})\.?(.*)", path)
    return (match[1], match[2], match[3]) if match else (path, "", "")


def _items(found: Scope, sign: str, file: str) -> Iterator[Scope]:
    above = found.above if found.above is not None else found
    value = found.value
    if value is MISSING or value is None:
        return
    if sign == "{}" and isinstance(value, dict):
        pairs: Iterator[tuple[str | int, Any]] = iter(value.items())
    elif sign == "[]" and isinstance(value, list):
        pairs = iter(enumerate(value))
    elif sign == "[]" and isinstance(value, dict):
        yield found
        return
    else:
        what = f"there is {kind(value)}, and a {'list' if sign == '[]' else 'mapping'} was expected"
        raise InvalidCase.because(what, place=found.said(file))
    for key, one in pairs:
        yield Scope(value=one, place=(*found.place, key), above=above)
