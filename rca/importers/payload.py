"""A vendor's file as plain documents: JSON, JSON lines or CSV, strictly read; whatever is ambiguous is refused."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from rca.errors import InvalidCase
from rca.record.files.yaml_document import kind, plain, show

MAX_BYTES = 64_000_000
"""Bytes a payload may have."""

DEEPEST = 200
"""How deep lists and mappings of a payload may lie in each other."""

HINT = "a payload is JSON, JSON lines or CSV, as the vendor sent it"


def documents(raw: bytes, *, name: str) -> list[Any]:
    """The documents of a file: one a webhook delivery, an answer of an API, or a row of a table.

    A list at the top is a list of documents; NaN, which some writers of JSON emit, counts as missing.

    Raises
    ------
    InvalidCase
        If it is too large, no UTF-8, neither JSON nor CSV, has a key twice in one mapping, or is nested too deep.
    """
    text = _text(raw, name)
    start = text.lstrip()[:1]
    if not start:
        raise InvalidCase.because("is empty", place=name, hint=HINT)
    found = _json(text, name) if start in "{[" else _csv(text, name)
    if _depth(found) > DEEPEST:
        raise InvalidCase.because(f"is nested deeper than {DEEPEST} levels", place=name)
    if wrong := next((one for one in found if not isinstance(one, dict)), None):
        raise InvalidCase.because(f"holds {kind(wrong)} where a mapping was expected", place=name, hint=HINT)
    return [one for one in found if isinstance(one, dict)]


def _text(raw: bytes, name: str) -> str:
    if len(raw) > MAX_BYTES:
        hint = "export the incident alone, or a shorter time"
        raise InvalidCase.because(f"is larger than {MAX_BYTES:,} bytes", place=name, hint=hint)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidCase.because(f"is not UTF-8 from byte {error.start} on", place=name, hint=HINT) from error


def _json(text: str, name: str) -> list[Any]:
    try:
        found = _loads(text, name)
    except json.JSONDecodeError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if error.msg != "Extra data" or len(lines) < 2:
            place = f"{name}, line {error.lineno}, column {error.colno}"
            hint = "is the file whole? " + HINT
            raise InvalidCase.because(f"is not JSON: {plain(error.msg)}", place=place, hint=hint) from error
        return [_line(line, f"{name}, line {number}") for number, line in enumerate(lines, start=1)]
    return found if isinstance(found, list) else [found]


def _line(line: str, place: str) -> Any:
    try:
        return _loads(line, place)
    except json.JSONDecodeError as error:
        what = f"is not JSON: {plain(error.msg)}"
        raise InvalidCase.because(what, place=f"{place}, column {error.colno}", hint=HINT) from error


def _loads(text: str, place: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [key for key, _ in pairs]
            twice = next(key for key in names if names.count(key) > 1)
            raise InvalidCase.because(f"the key {show(twice)} comes twice in one mapping", place=place)
        return found

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=lambda _: None)
    except json.JSONDecodeError:
        raise
    except RecursionError as error:
        raise InvalidCase.because(f"is nested deeper than {DEEPEST} levels", place=place) from error
    except ValueError as error:  # a number of thousands of digits
        raise InvalidCase.because(f"is not JSON: {plain(str(error))}", place=place) from error


def _csv(text: str, name: str) -> list[Any]:
    """Rows by the names in the first line; an empty cell is missing."""
    first = text.lstrip().partition("\n")[0]
    comma = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=comma, strict=True))
    except csv.Error as error:
        raise InvalidCase.because(f"is neither JSON nor CSV: {plain(str(error))}", place=name, hint=HINT) from error
    header, *body = rows
    if len(header) < 2 or len(set(header)) < len(header):
        raise InvalidCase.because("is neither JSON nor a table with names of its own", place=name, hint=HINT)
    for number, row in enumerate(body, start=2):
        if row and len(row) != len(header):
            what = f"has {len(row)} cells, and the first line names {len(header)}"
            raise InvalidCase.because(what, place=f"{name}, row {number}")
    return [{key: cell or None for key, cell in zip(header, row, strict=True)} for row in body if row]


def _depth(found: Iterable[Any]) -> int:
    """How deep lists and mappings lie in each other; counted no further than one too deep."""
    level, depth = list(found), 0
    while level and depth <= DEEPEST:
        nested = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list))
        level, depth = [inner for one in nested for inner in one], depth + 1
    return depth
