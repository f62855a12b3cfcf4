"""Types of the command line's arguments: text that was typed becomes a value, or is refused with an example."""

import argparse
import json
from datetime import datetime
from pathlib import Path
from typing import Any, Never

from rca.errors import InvalidCase, Problem


def path(text: str) -> Path:
    """A path; an empty one would mean the current folder, which nobody means by it."""
    if not text:
        raise argparse.ArgumentTypeError("expected a path; got nothing")
    return Path(text)


def moment(text: str) -> datetime:
    """A time with an offset."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"expected a time with an offset, such as 2026-05-02T09:10:00Z; got {text!r}")
    return at


def setting(text: str) -> tuple[str, Any]:
    """One `KEY=VALUE`, the value typed as JSON where it is JSON, else kept as text.

    >>> setting("alpha=0.01"), setting("seed=1"), setting("flag=true"), setting("name=storm")
    (('alpha', 0.01), ('seed', 1), ('flag', True), ('name', 'storm'))
    """
    key, equals, value = text.partition("=")
    if not equals or not key.isidentifier():
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, such as alpha=0.01; got {text!r}")
    try:
        return key, json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return key, value


def pair(text: str) -> tuple[str, str]:
    """One `NAME=VALUE`, both kept as text; the name may hold anything but `=`.

    >>> pair("Impact over=recovered")
    ('Impact over', 'recovered')
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE; got {text!r}")
    return name.strip(), value.strip()


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is no JSON")


def settings(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs as a mapping; a key set twice is refused, as either could have been meant."""
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidCase(Problem(what=f"'{name}' is set more than once", place="--set") for name in twice)
    return dict(pairs)


def names(text: str) -> tuple[str, ...]:
    """Names between commas, each once.

    >>> names("drift, postmortem,drift")
    ('drift', 'postmortem')
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise argparse.ArgumentTypeError("expected names between commas, such as drift,postmortem")
    return names


def natural(text: str) -> int:
    """A whole number that can be a seed."""
    if not (text.isascii() and text.isdigit() and int(text) < 2**32):
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 to 4294967295; got {text!r}")
    return int(text)
