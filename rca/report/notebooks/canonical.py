"""Byte-stable notebooks: outputs as pure functions of their inputs, wherever and whenever they ran."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from rca.report.notebooks.templates import source

Notebook = dict[str, Any]

INJECTED = "injected-parameters"
"""Tag of the cell that a run's parameters stand in, and its id."""


def to_json(value: object) -> bytes:
    """Plain values as JSON in one canonical form.

    Raises
    ------
    ValueError
        For a number that is not finite: JSON has none.
    """
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def canonical(executed: Mapping[str, Any], parameters: Mapping[str, Any]) -> tuple[Notebook, list[str]]:
    """Keep of an executed notebook only what its inputs determine.

    Left out are timings, paths, random ids, the version of the kernel, and what was written to stderr.

    Returns
    -------
    notebook : dict
    warnings : list of str
        What was written to stderr, for the log.
    """
    warnings: list[str] = []
    cells = [_cell(cell, warnings) for cell in executed["cells"]]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {
        "kernelspec": kernel,
        "language_info": {"name": "python"},
        "papermill": {"parameters": dict(parameters)},
    }
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, warnings


def _cell(cell: Mapping[str, Any], warnings: list[str]) -> dict[str, Any]:
    tags = list(cell["metadata"].get("tags", []))
    kept: dict[str, Any] = {
        "cell_type": cell["cell_type"],
        "id": INJECTED if INJECTED in tags else cell["id"],
        "metadata": {"tags": tags} if tags else {},
        "source": source(cell).splitlines(keepends=True),
    }
    if cell["cell_type"] == "code":
        kept["execution_count"] = cell["execution_count"]
        kept["outputs"] = list(_outputs(cell["outputs"], warnings))
    return dict(sorted(kept.items()))


def _outputs(outputs: list[Mapping[str, Any]], warnings: list[str]) -> Iterator[dict[str, Any]]:
    for output in outputs:
        if output["output_type"] == "stream" and output["name"] == "stderr":
            warnings.append("".join(output["text"]))
            continue
        kept = {key: value for key, value in output.items() if key != "transient"}
        if "data" in kept:
            kept["data"] = dict(sorted(kept["data"].items()))
        yield dict(sorted(kept.items()))


def bundles(notebook: Mapping[str, Any], mime: str) -> list[Any]:
    """Every output of one type, in the order of the notebook."""
    return [
        output["data"][mime]
        for cell in notebook["cells"]
        for output in cell.get("outputs", ())
        if mime in output.get("data", {})
    ]


def differences(name: str, before: bytes, after: bytes, *, most: int = 8) -> list[str]:
    """Name what differs between two versions of a file: JSON value by value, a page piece by piece, else line by line.

    >>> differences("results.json", b'{"a": {"b": 1}}', b'{"a": {"b": 2}}')
    ['results.json: a.b was 1, is 2']
    >>> differences("report.html", b"<p>numpy 1.0</p><p>b</p>", b"<p>numpy 2.4</p><p>b</p>")
    ['report.html: "numpy 1.0" was there, is "numpy 2.4"']
    """
    if before == after:
        return []
    try:
        apart = list(_apart("", json.loads(before), json.loads(after))) or ["the same values, written otherwise"]
    except (ValueError, RecursionError):
        apart = list(_texts_apart(before, after)) or ["the bytes differ"]
    found = [f"{name}: {said}" for said in apart]
    return found[:most] + ([f"{name}: {len(found) - most} more differences"] if len(found) > most else [])


def _apart(place: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _apart(f"{place}.{key}".lstrip("."), old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for position, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _apart(f"{place}[{_id(one, position)}]", one, other)
    elif old != new:
        yield f"{place} was {_short(old)}, is {_short(new)}"


def _texts_apart(before: bytes, after: bytes) -> Iterator[str]:
    """Pieces of two texts that differ, between the tags of a page and the ends of lines."""
    old, new = (re.split(r"\n|(?<=>)|(?=<)", text.decode("utf-8", "replace")) for text in (before, after))
    same = _alike(old, new)  # of pages of a hundred thousand pieces most are alike: they are not searched
    old, new = old[same:], new[same:]
    same = _alike(old[::-1], new[::-1])
    old, new = old[: len(old) - same], new[: len(new) - same]
    for kind, start, end, first, last in SequenceMatcher(None, old, new).get_opcodes():
        if kind != "equal":
            one, other = ("".join(old[start:end]), "".join(new[first:last]))
            at = max(_alike(one, other) - 20, 0)
            yield f"{_short(one[at:]) if one else 'nothing'} was there, is {_short(other[at:]) if other else 'gone'}"


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many pieces or letters are the same from the beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (mine, yours) in pairs if mine != yours), min(len(one), len(other)))


def _id(value: Any, position: int) -> str:
    return str(value["id"]) if isinstance(value, dict) and "id" in value else str(position)


def _short(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=True)
    return written if len(written) <= 60 else written[:59] + "…"
