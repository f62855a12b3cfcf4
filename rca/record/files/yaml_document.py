"""Safe YAML reading: hostile input refused, line numbers kept, and text escaped for messages.

Scalars follow the core schema of YAML 1.2, which editors use too: `no` is a word (Norway), `010` is ten, and a time
stays text, so that a missing offset shows. Anchors, aliases and tags are refused: a record
needs none, and with them a small file can stand for a large or an active one.
"""

import difflib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rca.errors import InvalidCase, Problem, did_you_mean

MAX_BYTES = 1_000_000
"""Bytes a record may have."""

DEEPEST = 64
"""How deep lists and mappings may lie in each other."""

Location = tuple[str | int, ...]

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser of records, in C where that is there."""

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))

_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}

_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")

_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, kw_only=True)
class Document:
    """A YAML file as plain values, and the line each of them stands on.

    Attributes
    ----------
    name : str
        The file's name in the case folder.
    value : mapping of str to anything
    lines : mapping of location to int
        Path of keys and indices → line, from 1.
    problems : tuple of Problem
        What is wrong with it as YAML, though it could be read: keys that come twice.
    """

    name: str
    value: dict[str, Any]
    lines: Mapping[Location, int]
    problems: tuple[Problem, ...] = ()

    def place(self, *location: str | int) -> str:
        r"""The place of a value as a person finds it: file, dotted key, and line.

        >>> document("a:\n  b: [1, 2]", name="x.yaml").place("a", "b", 1)
        'x.yaml, a.b[1] (line 2)'
        """
        spot = f", {dotted(location)}" if location else ""
        known = (location[:end] for end in range(len(location), 0, -1))
        line = next((self.lines[part] for part in known if part in self.lines), None)
        return f"{self.name}{spot}" + (f" (line {line})" if line else "")


def read_yaml(path: Path, *, name: str) -> Document:
    """Read a YAML file that holds one mapping.

    Raises
    ------
    InvalidCase
        If it is no file of at most `MAX_BYTES` bytes of UTF-8, or no YAML that a record may be.
    """
    return document(_text(path, name), name=name)


def _text(path: Path, name: str) -> str:
    if not path.is_file():  # a pipe or a device could keep a reader waiting
        raise InvalidCase.because("there is no such file", place=name)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidCase.because(f"cannot be read: {error.strerror}", place=name) from error
    if len(raw) > MAX_BYTES:
        raise InvalidCase.because(
            f"is larger than {MAX_BYTES:,} bytes", place=name, hint="tables and logs belong in files of their own"
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InvalidCase.because(f"is not UTF-8 from byte {error.start} (line {line}) on", place=name) from error


def document(text: str, *, name: str) -> Document:
    """Parse YAML that holds one mapping.

    Raises
    ------
    InvalidCase
        If it is none, or has anchors, aliases, tags, several documents, or a nesting deeper than `DEEPEST`.
    """
    builder = _Builder(name)
    try:
        value = builder.build(yaml.parse(text, Loader=LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
        raise InvalidCase.because(f"is not YAML: {plain(str(error.problem))}", place=place) from error
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        first = str(error).splitlines()[0]
        raise InvalidCase.because(f"is not YAML: {plain(first)}", place=name) from error
    if not isinstance(value, dict):
        what = "is empty" if value is None else f"holds {kind(value)}"
        raise InvalidCase.because(f"{what}; a mapping of keys to values was expected", place=name)
    return Document(name=name, value=value, lines=builder.lines, problems=tuple(builder.problems))


class _Builder:
    """Turns the events of one YAML document into plain values, noting lines and double keys."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Location, int] = {}
        self.problems: list[Problem] = []

    def build(self, events: Iterator[Any]) -> Any:
        """The one document of a stream; None if it has none."""
        next(events)  # the start of the stream
        if isinstance(next(events), yaml.StreamEndEvent):
            return None
        value = self._node(next(events), events, ())
        next(events)  # the end of the document
        if not isinstance(after := next(events), yaml.StreamEndEvent):
            raise self._refusal(after, "holds a second document", "one file is one record")
        return value

    def _node(self, event: Any, events: Iterator[Any], at: Location) -> Any:
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise self._refusal(event, "has an anchor or alias", "write the value out where it is needed")
        if event.tag:
            raise self._refusal(event, f"has the tag {show(event.tag)}", "a record is plain values; leave the tag out")
        self.lines.setdefault(at, event.start_mark.line + 1)
        if isinstance(event, yaml.ScalarEvent):
            bare = event.implicit[0] and event.style in (None, "")
            return scalar(event.value) if bare else event.value
        if len(at) >= DEEPEST:
            raise self._refusal(event, f"is nested deeper than {DEEPEST} levels")
        return self._list(events, at) if isinstance(event, yaml.SequenceStartEvent) else self._mapping(events, at)

    def _list(self, events: Iterator[Any], at: Location) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._node(event, events, (*at, len(items))))
        return items

    def _mapping(self, events: Iterator[Any], at: Location) -> dict[str, Any]:
        items: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self._refusal(event, "has a list or a mapping for a key", "a key is a word")
            mark: Any = event.start_mark
            key, line = event.value, mark.line + 1
            self._node(event, events, (*at, key))  # refuses an anchor or a tag on a key, and notes its line
            if key in items:
                first = self.lines[*at, key]
                place = f"{self.name}, {dotted((*at, key))} (line {line})"
                self.problems.append(Problem(what=f"the key comes twice, first in line {first}", place=place))
            value = self._node(next(events), events, (*at, key))
            items.setdefault(key, value)
        return items

    def _refusal(self, event: Any, what: str, hint: str = "") -> InvalidCase:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        return InvalidCase.because(what, place=f"{self.name}, line {line}, column {column}", hint=hint)


def scalar(text: str) -> Any:
    """A plain YAML scalar as a value; a number beyond floats stays text.

    >>> [scalar(text) for text in ("3", "3.4", "3.4.1", "no", "true", "2026-05-02", "1e999", "~")]
    [3, 3.4, '3.4.1', 'no', True, '2026-05-02', '1e999', None]
    """
    if text in _NULLS:
        return None
    if text in _TRUTHS:
        return _TRUTHS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    if len(text) < 64 and _DECIMAL.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def dotted(location: Location) -> str:
    """A location as people write it.

    >>> dotted(("timeline", "events", 2, "at"))
    'timeline.events[2].at'
    """
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{plain(part)}" for part in location)
    return words.removeprefix(".")


def plain(text: str, *, longest: int = 200) -> str:
    r"""A text from outside as it can be printed: on one line, escaped where it would not print, and not too long.

    >>> plain("a\x1b[31m b"), plain("x" * 9, longest=4)
    ('a\\x1b[31m b', 'xxxx…')
    """
    short = text[:longest]
    escaped = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in short)
    return escaped + ("…" if len(text) > longest else "")


def show(value: object, *, longest: int = 60) -> str:
    r"""A value from outside as a message quotes it, short and escaped.

    >>> show("sev\n9"), show(3.5), show([1, 2]), show(None)
    ("'sev\\n9'", '3.5', 'a list', 'nothing')
    """
    if isinstance(value, str):
        return f"'{plain(value, longest=longest)}'"
    return plain(str(value), longest=longest) if isinstance(value, int | float) else kind(value)


def kind(value: object) -> str:
    """What sort of value this is, in the words of someone who writes YAML.

    >>> kind({}), kind(True), kind(1)
    ('a mapping', 'true or false', 'a number')
    """
    words = ((dict, "a mapping"), (list, "a list"), (str, "a text"), (bool, "true or false"), (int | float, "a number"))
    return next((word for sort, word in words if isinstance(value, sort)), "nothing")


def near(name: str, known: Iterable[str]) -> str:
    """Hint at the known name that may have been meant, whatever its capitals; all names may be hostile.

    >>> near("Sev2", ["sev1", "sev2"]), near("INCOM", ["INCOME"])
    ("did you mean 'sev2'?", "did you mean 'INCOME'?")
    """
    names = {plain(one, longest=60).lower(): plain(one, longest=60) for one in known}
    found = difflib.get_close_matches(plain(name, longest=60).lower(), names, n=1, cutoff=0.6)
    return f"did you mean {show(names[found[0]])}?" if found else did_you_mean("", names.values())
