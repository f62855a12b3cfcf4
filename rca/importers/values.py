"""Texts, numbers and times out of a document, each with its place; what is wrong with them is collected."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from rca.errors import InvalidCase, Problem
from rca.importers.fact import Given
from rca.importers.paths import MISSING, Scope, find
from rca.importers.times import BadTime, read_time, span
from rca.importers.vendor_map import Time
from rca.record.files.yaml_document import kind, show

LONGEST = 500
"""Letters of a text that go into a record; the source keeps all of it."""

LEAVES = 20_000
"""Fields up to which a payload is searched for such as no map names."""


class Values:
    """Reads the values of one file, and collects what is wrong with them."""

    def __init__(self, file: str, given: Given) -> None:
        self.file, self.given = file, given
        self.problems: list[Problem] = []
        self.asked: list[str] = []
        self.touched: set[str] = set()
        self.zone: str | None = None

    def refuse(self, what: str, place: str, hint: str = "") -> None:
        """Note a problem, and go on."""
        self.problems.append(Problem(what=what, place=place, hint=hint))

    def place(self, scope: Scope) -> str:
        """Where it stands in the file."""
        return scope.said(self.file)

    def text(self, scope: Scope, path: str) -> str | None:
        """A value as text; None where there is none. `=word` is the word itself."""
        if path.startswith("="):
            return path[1:]
        found = find(scope, path)
        self._touch(found)
        if found.value is MISSING or found.value is None:
            return None
        if isinstance(found.value, dict | list):
            what = f"there is {kind(found.value)}, and a text was expected"
            raise InvalidCase.because(what, place=found.said(self.file))
        return _clean(str(found.value)) or None

    def said(self, scope: Scope, template: str, longest: int = LONGEST) -> str | None:
        """The text at a path, or words with paths in braces."""
        return self.filled(scope, template) if "{" in template else _cut(self.text(scope, template), longest)

    def filled(self, scope: Scope, template: str) -> str | None:
        """Words with paths in braces filled in."""
        told = re.sub(r"\{([^{}]*)\}", lambda match: self.text(scope, match[1]) or "", template)
        return _cut(_clean(told).strip(" :"), LONGEST)

    def number(self, scope: Scope, path: str) -> float | None:
        found = find(scope, path) if path else None
        if found is None or found.value is MISSING or found.value is None:
            return None
        self._touch(found)
        try:
            return None if isinstance(found.value, bool) else float(found.value)
        except (TypeError, ValueError, OverflowError) as error:
            what = f"there is {show(found.value)}, and a number was expected"
            raise InvalidCase.because(what, place=found.said(self.file)) from error

    def time(self, scope: Scope, rule: Time) -> datetime | None:
        """A time in UTC; None where there may be none and is none, or, with a problem, where there is none."""
        found = self._given(scope) if rule.path == "@given" else find(scope, rule.path)
        self._touch(found)
        absent = found.value is MISSING or found.value is None or found.value == "" or found.value in rule.missing
        if absent:
            if not rule.path.endswith("?"):
                hint = "the file carries no time; say when: --at 2026-05-02T09:10:00Z" if rule.path == "@given" else ""
                self.refuse("there is no time", found.said(self.file), hint)
            return None
        try:
            at = read_time(found.value, unit=rule.unit or self.given.unit, zone=self.zone, formats=rule.formats)
            return at + self._span(scope, rule) if rule.plus else at
        except BadTime as error:
            self.refuse(error.what, found.said(self.file), error.hint)
        except _Asked:
            pass
        except OverflowError:
            self.refuse("lies beyond the years that a clock has", found.said(self.file))
        return None

    def _span(self, scope: Scope, rule: Time) -> Any:
        length = rule.plus
        assert length is not None
        found = find(scope, length.path)
        self._touch(found)
        if found.value is MISSING or found.value is None:
            raise _Asked
        unit = length.unit or self.given.unit
        if unit is None:
            shown = f"{found.said(self.file)} is {show(found.value)} after {rule.path}"
            self.asked.append(f"{shown}, and its unit is not documented: --unit ms, or s")
            raise _Asked
        return span(found.value, unit)

    def _given(self, scope: Scope) -> Scope:
        return Scope(value=self.given.at, place=scope.place, above=scope)

    def _touch(self, scope: Scope) -> None:
        self.touched.add(_general(scope.place))

    def left(self, found: list[Any]) -> list[str]:
        """Fields that no map names, each once; not looked for in a payload of very many."""
        seen: dict[str, None] = {}
        for number, (place, _) in enumerate(_leaves(found if len(found) > 1 else found[0], ())):
            if number > LEAVES:
                return []
            general = _general(place)
            if not any(general == one or general.startswith(f"{one}.") for one in self.touched):
                seen.setdefault(general)
        return list(seen)


class _Asked(Exception):
    """A length of time is not there, or its unit has been asked for."""


def _cut(text: str | None, longest: int) -> str | None:
    """A text that says where it was cut; None where there is none.

    >>> _cut("declined", 8), _cut("declined", 5), _cut("", 5)
    ('declined', 'decl…', None)
    """
    return text or None if text is None or len(text) <= longest else text[: longest - 1] + "…"


def _clean(text: str) -> str:
    """A text without what no record can hold: halves of letters, and spaces in a row."""
    return " ".join(text.encode("utf-8", "replace").decode().split())


def _general(place: Iterable[str | int]) -> str:
    """A place without the numbers of items."""
    return ".".join(part for part in place if isinstance(part, str))


def _leaves(node: Any, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(node, dict | list) and node:
        pairs: Iterable[tuple[Any, Any]] = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in pairs:
            yield from _leaves(value, (*place, key))
    elif node is not None:
        yield place, node
