"""Schema of what importers leave in a record: its sources, what they contradict, and what detectors said."""

from typing import Any, Literal

from pydantic import Field

from rca.record.schema.corrective_action import Node
from rca.record.schema.moment import Moment

Trust = Literal["real", "documented", "unread"]
"""How a payload's form is known: seen from the tool itself, from its documentation, or from neither."""


class Source(Node):
    """A file that was imported, byte for byte in `sources/`."""

    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    vendor: str
    shapes: tuple[str, ...] = ()
    """Forms of payload that were found in it; none where it is only attached."""
    trust: Trust = "documented"
    map: str | None = None
    """The map in `sources/` that it was read by, if not one that ships."""
    given: dict[str, Any] = Field(default_factory=dict)
    """What whoever imported it said beside the file: zone, unit, time, system."""


class Contradiction(Node):
    """Two sources that say different things of one key; the record has the first."""

    of: str
    taken: str
    source: str
    against: str
    said_by: str


class Imports(Node):
    """What was imported, what of it contradicts what, and which required keys nobody has said anything of."""

    sources: tuple[Source, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    unsaid: tuple[str, ...] = ()
    """Keys whose value stands in for an answer that nobody gave yet."""


class Detection(Node):
    """What a drift detector said of a column, or of all together; its vendor's claim, not ours."""

    vendor: str
    detector: str
    at: Moment
    drift: bool
    column: str | None = None
    statistic: float | None = None
    p_value: float | None = None
    threshold: float | None = None
    system: str | None = None
    source: str | None = None
