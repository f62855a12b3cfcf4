"""Schema of `drill.json`, written when a drill is over: what a team did, what it was graded, and the truth."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from rca.record.schema.incident import Identifier, Record
from rca.record.schema.moment import Moment
from rca.record.schema.why_tree import Why

Text = Annotated[str, StringConstraints(max_length=4000)]

Area = Literal["detection", "triage", "containment", "cause", "messages", "duties", "blame"]


class DrillPoint(Record):
    """Points of an area, of so many, and why."""

    area: Area
    points: float
    of: float
    because: Text


class DrillEntry(Record):
    """What came in or was done, in minutes since the first alert."""

    minute: int
    who: Text
    kind: Text
    about: Text = ""
    text: Text = ""


class Played(Record):
    """How a drill was played: everything that happened, with its points."""

    log: tuple[DrillEntry, ...]
    points: tuple[DrillPoint, ...]
    stopped: float
    """Cases of harm that were stopped."""

    @property
    def total(self) -> float:
        """Points of all areas."""
        return round(sum(one.points for one in self.points), 1)

    def of_area(self, area: str) -> tuple[float, float]:
        """Points and most points of an area."""
        of = [one for one in self.points if one.area == area]
        return round(sum(one.points for one in of), 1), round(sum(one.of for one in of), 1)


class Drill(Record):
    """A drill that is over."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    id: Identifier
    held: Moment
    """When it was played."""
    kind: Text
    level: int = Field(ge=1, le=3)
    seed: int
    people: int = Field(ge=1, le=6)
    place: Text
    truth: Text
    answers: tuple[Text, ...]
    harm: Text
    """What a case of harm is."""
    possible: float
    """Cases of harm that were possible."""
    severity: Text
    team: Played
    reference: Played
    """What a good team would have done."""
    script: tuple[tuple[int, Text], ...]
    """What was typed, by which it can be played again."""
    whys: tuple[Why, ...] = ()
