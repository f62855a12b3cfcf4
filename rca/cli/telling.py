"""What a command says: answers on stdout, progress and errors on stderr, and nothing that a terminal could obey."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rca.errors import InvalidCase, Problem
from rca.record.files.whole_file import write_whole

if TYPE_CHECKING:
    from rca.report.run.case_run import RunResult


def say_verdict(result: "RunResult") -> None:
    """The verdict of a run, its causes, and where the report is."""
    verdict = result.results["verdict"]
    say(f"{verdict['status'].replace('_', ' ')}: {verdict['summary']}")
    told = [one for one in verdict["causes"] if verdict["status"] == "cannot_tell" or one["strength"] != "assumed"]
    for rank, cause in enumerate(told, start=1):
        say(f"  {rank}. {cause_line(cause)}")
    say(f"report  {result.path / 'report.html'}")
    say(f"digest  {result.digest}")
    say(f"verify  {_self()} verify {result.path}")


def cause_line(cause: dict[str, Any]) -> str:
    """A cause in one line.

    >>> cause_line({"kind": "feature", "name": "pmms", "fault": "frozen", "contribution": 0.49,
    ...         "interval": [0.46, 0.52], "strength": "shown"})
    'pmms (feature, frozen): +0.49, 0.46 to 0.52, shown'
    """
    kind = ", ".join(word for word in (cause["kind"], cause.get("fault")) if word)
    harm, interval = cause.get("contribution"), cause.get("interval")
    parts = [
        f"{harm:+.3g}" if harm is not None else "",
        f"{interval[0]:.3g} to {interval[1]:.3g}" if interval else "",
        cause.get("strength") or "",
    ]
    return f"{cause['name']} ({kind}): " + ", ".join(part for part in parts if part)


def answer(result: Any, *, as_json: bool) -> None:
    """A result as its own text, or in JSON."""
    if as_json:
        print_json(result.to_dict())
        return
    for line in str(result).splitlines():
        say(line)


def _self() -> str:
    """How this command is called from here: by its name where that is found, else by its path."""
    found = shutil.which("rca")
    if found and Path(found).resolve() == Path(sys.argv[0]).resolve():
        return "rca"
    return os.path.relpath(sys.argv[0]) if Path(sys.argv[0]).name == "rca" else "rca"


def print_json(value: Any) -> None:
    """A value on stdout; what JSON cannot hold is an error."""
    print(json.dumps(value, indent=2, allow_nan=False))


def put(form: str, to: Path | None, raw: Callable[[], bytes]) -> None:
    """Say a text, or write it, or what is none, to a file."""
    if form in ("docx", "pdf") and to is None:
        raise InvalidCase.because("is no text for a terminal", place=f"--format {form}", hint="name a file: --out FILE")
    if to is not None:
        write_whole(to, raw())
        say(str(to))
        return
    for line in raw().decode().splitlines():
        say(line)


def refuse(problems: Iterable[Problem]) -> None:
    """Every problem of an input, a line each, on stderr."""
    for problem in problems:
        tell(f"InvalidCase: {problem}")


def say(line: str) -> None:
    """A line of the answer, on stdout."""
    print(printable(line))


def tell(line: str) -> None:
    """A line beside the answer, on stderr."""
    print(printable(line), file=sys.stderr)


def printable(text: str) -> str:
    r"""The text with everything escaped that a terminal could obey instead of show; it stays one line.

    >>> printable("plain, naïve, 故障")
    'plain, naïve, 故障'
    >>> print(printable("\x1b[2Jgone\nInvalidCase: forged\u202e"))
    \x1b[2Jgone\nInvalidCase: forged\u202e
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
