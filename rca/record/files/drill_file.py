"""Read the drills of a folder, and say how each was graded in a line that a report can take."""

from os import PathLike
from pathlib import Path

from pydantic import ValidationError

from rca.errors import InvalidCase
from rca.record.schema.drill import Drill

FILE = "drill.json"

LARGEST = 10_000_000
"""Bytes of a file that is read."""


def read_drill(path: "str | PathLike[str]") -> Drill:
    """A drill that is over.

    Raises
    ------
    InvalidCase
        If it is no such file.
    """
    file = Path(path)
    try:
        if file.stat().st_size > LARGEST:
            raise InvalidCase.because(f"has more than {LARGEST:,} bytes", place=file.name)
        return Drill.model_validate_json(file.read_bytes())
    except OSError as error:
        raise InvalidCase.because(f"cannot be read: {error.strerror}", place=file.name) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or file.name
        raise InvalidCase.because(f"is no drill: {first['msg']}", place=f"{file.name}, {where}") from error


def read_drills(folder: "str | PathLike[str]") -> str:
    """The drills of a folder as text between semicolons, the first held first: `DAY ID LEVEL TOTAL AREA=POINTS/OF …`.

    Raises
    ------
    InvalidCase
        If there are none, or one cannot be read.
    """
    found = sorted((read_drill(file) for file in Path(folder).glob(f"*/{FILE}")), key=lambda one: (one.held, one.id))
    if not found:
        raise InvalidCase.because("there are no drills here", place=str(folder), hint="rca drill --out DIR makes them")
    return "; ".join(map(_line, found))


def _line(drill: Drill) -> str:
    areas = dict.fromkeys(one.area for one in drill.team.points)
    told = (f"{area}={points:g}/{of:g}" for area in areas for points, of in [drill.team.of_area(area)])
    return f"{drill.held:%Y-%m-%d} {drill.id} {drill.level} {drill.team.total:g} {' '.join(told)}"
