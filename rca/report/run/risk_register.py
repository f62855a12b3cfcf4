"""Risk appetite of a file, and a portfolio against it as rows of an enterprise risk register."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from rca.analysis.portfolio.question import Portfolio
from rca.analysis.portfolio.results import words_of
from rca.analysis.portfolio.risk_appetite import KEPT, appetite_of
from rca.errors import InvalidCase
from rca.record.files.yaml_document import read_yaml
from rca.report.rendering.plain_text import plain

FORMATS = (".csv", ".json")

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would run."""


def read_appetite(path: Path) -> str:
    """The limits of a file as one text, as `rca.portfolio` takes them.

    Raises
    ------
    InvalidCase
        If it is no mapping of limits.
    """
    if not path.is_file():
        raise InvalidCase.because("there is no such file", place=path.name)
    given = read_yaml(path, name=path.name).value
    if any(isinstance(one, dict | list) for one in given.values()):
        hint = "write a line a limit: `time_to_detect: 1d:0.9`, `people_per_quarter: 1000`, `overdue_duties: 0`"
        raise InvalidCase.because("is no risk appetite", place=path.name, hint=hint)
    return ",".join(f"{name}={value}" for name, value in appetite_of(given).items())


def register(found: Portfolio, path: Path) -> bytes:
    """Rows of a risk register, a limit each: CSV or JSON by the file's ending.

    Raises
    ------
    InvalidCase
        If the ending is another.
    """
    if path.suffix.lower() not in FORMATS:
        raise InvalidCase.because("is neither CSV nor JSON", place=path.name, hint="end the name in .csv or .json")
    rows = [_row(found, place) for place in range(len(found.appetite))]
    if path.suffix.lower() == ".json":
        return (json.dumps(rows, indent=2, allow_nan=False) + "\n").encode()
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]) if rows else ["id"], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return file.getvalue().encode()


def _row(found: Portfolio, place: int) -> dict[str, Any]:
    one = found.appetite[place]
    (told,) = one.rows()
    return {
        "id": f"R{place + 1}",
        "risk": f"AI incidents: {words_of(one.name)}",
        "appetite": told.pop("accepts"),
        **{name: value for name, value in told.items() if name != "name"},
        "level": None if one.within is None and one.found.low is None else 0.95,
        "as of": found.as_of.isoformat() if found.as_of else None,
        "source": found.name,
        "action": "" if one.state == KEPT else "to be decided",
        "owner": "",
    }


def _cell(value: Any) -> Any:
    """A value of a cell; a text that a spreadsheet would run begins with an apostrophe."""
    if not isinstance(value, str):
        return value
    safe = plain(value)
    return f"'{safe}" if safe.startswith(FORMULA) else safe
