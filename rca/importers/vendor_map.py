"""Schema of a vendor's map: which path of a payload is which part of a record. One file a vendor, in `maps/`.

A team that uses another tool writes such a file itself: `rca import my-tool.yaml export.csv --into CASE`.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from rca.errors import InvalidCase, Problem, did_you_mean
from rca.record.files.yaml_document import Document, plain, read_yaml
from rca.record.schema.imported import Trust
from rca.record.schema.incident import MOMENTS, Severity, Status

MAPS = Path(__file__).parent / "maps"

Unit = Literal["s", "ms", "us", "ns"]


class Part(BaseModel):
    """A part of a map: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _short(key: str) -> BeforeValidator:
    """A text alone stands for a mapping with one key."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


Forms = Annotated[
    tuple[dict[str, Any], ...], BeforeValidator(lambda value: (value,) if isinstance(value, dict) else value)
]
"""What stands at which path, of one form or of several."""

Several = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]
"""One text, or several."""


class Span(Part):
    """A length of time that is added to a moment."""

    path: str
    unit: Unit | None = None
    """None: undocumented, and asked for."""


class Time(Part):
    """Where a time stands. A path that ends in `?` may lead to nothing."""

    path: str
    unit: Unit | None = None
    """Of a number; None: the vendor writes text."""
    formats: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """What the vendor writes where there is no time."""
    plus: Span | None = None


At = Annotated[Time, _short("path")]


class Said(Part):
    """What a word of the vendor says happened."""

    what: str
    """A text with paths in braces; so is `kind`."""
    kind: str = "other"
    moment: Several = ()
    """Moments of the timeline that it dates."""
    reopens: bool = False
    """Whether what was resolved before it is so no more."""

    @model_validator(mode="after")
    def _known(self) -> "Said":
        if wrong := next((name for name in self.moment if name not in MOMENTS), None):
            raise ValueError(f"{wrong[:60]!r} is no moment; known are {', '.join(MOMENTS)}")
        return self


class Happening(Part):
    """Events: where they stand, when they were, and what each says."""

    each: str = ""
    if_: dict[str, Any] = Field(default_factory=dict, alias="if")
    id: str = ""
    at: At
    word: str = ""
    words: dict[str, Annotated[Said, _short("what")]] = Field(default_factory=dict)
    says: Annotated[Said, _short("what")] | None = None
    """Of every word that `words` does not know."""
    system: str = ""
    named: str = ""
    """A text that the customer chose and that may be the name of a moment."""
    first_and_last: bool = False
    """Many of one text are told as the first and the last, with their number."""


class Facts(Part):
    """What a payload says of the incident as a whole, and as of when."""

    title: str = ""
    summary: str = ""
    severity: str = ""
    severities: dict[str, Severity] = Field(default_factory=dict)
    status: str = ""
    statuses: dict[str, Status] = Field(default_factory=dict)
    as_of: At | None = None


class SystemMap(Part):
    """A system that took part; `kind` is a text with paths in braces."""

    each: str = ""
    name: str
    kind: str = "system"
    version: str = ""
    owner: str = ""
    run_id: str = ""
    last_good: str = ""


class Serving(Part):
    """Which version a name of a registry pointed to, from when on; without `version` it pointed to none."""

    each: str = ""
    if_: dict[str, Any] = Field(default_factory=dict, alias="if")
    name: str
    version: str = ""
    alias: str
    at: At | None = None
    run_id: str = ""


class ActionMap(Part):
    """A corrective action."""

    each: str = ""
    id: str
    what: str
    owner: str = ""
    due: str = ""
    ticket: str = ""
    priority: str = ""
    state: str = ""
    states: dict[str, str] = Field(default_factory=dict)


class DetectionMap(Part):
    """An output of a drift detector; where it has no time or system, whoever imports says them."""

    each: str = ""
    if_: dict[str, Any] = Field(default_factory=dict, alias="if")
    at: At | None = None
    detector: str
    column: str = ""
    statistic: str = ""
    p_value: str = ""
    threshold: str = ""
    drift: str
    system: str = ""


class Shape(Part):
    """One form of a vendor's payloads."""

    name: str
    when: Forms
    """Path → what stands there, one of several, or null for anything: how the form is known."""
    trust: Trust | None = None
    none: str = ""
    """Why it holds no incident; such a file is refused by name, or attached."""
    each: str = ""
    zip: dict[str, str] = Field(default_factory=dict)
    """Lists side by side that become items with these keys; a single value goes to every item."""
    melt: str = ""
    """A pattern by which columns of a wide row become items; its group `what` is a key of the item."""
    incident: str = ""
    zone: str = ""
    """Where the payload names the zone of its times."""
    facts: Facts = Facts()
    events: tuple[Happening, ...] = ()
    systems: tuple[SystemMap, ...] = ()
    serving: tuple[Serving, ...] = ()
    actions: tuple[ActionMap, ...] = ()
    detections: tuple[DetectionMap, ...] = ()


class VendorMap(Part):
    """What a vendor's payloads say, and how far the map is to be trusted."""

    vendor: str = Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")
    called: str
    trust: Trust
    cites: str
    """Where the form of its payloads is from."""
    rank: int = 5
    """Whose title, severity and status are believed first: 1 people, 5 a pager, 9 a machine."""
    note: str = ""
    shapes: tuple[Shape, ...]


def vendors() -> tuple[str, ...]:
    """The vendors whose maps ship, in order of name."""
    return tuple(sorted(file.stem for file in MAPS.glob("*.yaml")))


@cache
def vendor(name: str) -> VendorMap:
    """The map of a vendor that ships.

    Raises
    ------
    InvalidCase
        If there is none of that name.
    """
    if name not in vendors():
        hint = f"{did_you_mean(name, vendors())} A tool of your own takes a map: see `rca import --help`"
        raise InvalidCase.because(f"no importer is called {plain(name)!r}", place="SOURCE", hint=hint)
    return parsed(read_yaml(MAPS / f"{name}.yaml", name=f"{name}.yaml"))


def parsed(document: Document) -> VendorMap:
    """A map from its YAML.

    Raises
    ------
    InvalidCase
        With every problem of the map, and its line.
    """
    if document.problems:
        raise InvalidCase(document.problems)
    try:
        return VendorMap.model_validate(document.value)
    except ValidationError as error:
        raise InvalidCase(
            Problem(what=plain(one["msg"]), place=document.place(*one["loc"])) for one in error.errors()
        ) from error
