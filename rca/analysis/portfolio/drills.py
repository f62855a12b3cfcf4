"""Scores of drills, beside the incidents and never among them: each drill, and what each area earned over all."""

import re
from dataclasses import dataclass

from rca.errors import InvalidCase
from rca.record.files.yaml_document import show

_POINTS = r"-?\d{1,6}(?:\.\d{1,6})?"

_AREA = re.compile(rf"([a-z]{{1,20}})=({_POINTS})/({_POINTS})")

_DRILL = re.compile(
    rf"(\d{{4}}-\d\d-\d\d) ([\w.-]{{1,64}}) ([123]) ({_POINTS})((?: [a-z]{{1,20}}={_POINTS}/{_POINTS}){{1,20}})"
)


@dataclass(frozen=True, kw_only=True)
class DrillScore:
    """A drill that was held on a day, on a level, and its points: in all, and by area of how many.

    Attributes
    ----------
    areas : mapping of str to (float, float)
    """

    day: str
    name: str
    level: int
    total: float
    areas: dict[str, tuple[float, float]]

    def __str__(self) -> str:
        weakest = min(self.areas, key=lambda area: self.areas[area][0] / max(self.areas[area][1], 1e-9))
        return f"drill {self.name}, {self.day}: {self.total:g} of 100 points; weakest in {weakest}"


def drills_of(text: str | None) -> tuple[DrillScore, ...]:
    """Drills from text between semicolons: `DAY NAME LEVEL TOTAL AREA=POINTS/OF …`.

    Raises
    ------
    InvalidCase
        If one of them is written otherwise.

    Examples
    --------
    >>> print(*drills_of("2026-12-01 drill-credit-2-5 2 60 detection=10/10 cause=4/20"))
    drill drill-credit-2-5, 2026-12-01: 60 of 100 points; weakest in cause
    """
    return tuple(_drill(one.strip()) for one in (text or "").split(";") if one.strip())


def _drill(text: str) -> DrillScore:
    hit = _DRILL.fullmatch(text)
    if hit is None:
        hint = "DAY NAME LEVEL TOTAL AREA=POINTS/OF, as rca portfolio --drills DIR writes it"
        raise InvalidCase.because(f"{show(text)} is no drill", place="drills", hint=hint)
    day, name, level, total, areas = hit.groups()
    told = {area: (float(points), float(of)) for area, points, of in _AREA.findall(areas)}
    return DrillScore(day=day, name=name, level=int(level), total=float(total), areas=told)
