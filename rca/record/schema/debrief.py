"""Schema of what a post-mortem adds to an incident: review, communications, earlier incidents, sign-off."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from rca.record.schema.corrective_action import Node
from rca.record.schema.moment import Moment

Texts = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]
"""One text, or several."""


class Message(Node):
    """Something that was told to somebody."""

    at: Moment
    to: Literal["internal", "external", "affected", "regulator"]
    what: str
    by: str | None = None
    """The role that sent it."""


class Seen(Node):
    """An incident before this one that looks like it."""

    incident: str
    what: str = ""
    action_failed: bool | None = None
    """Whether an action taken then was meant to prevent this one."""


class Exhibit(Node):
    """A piece of evidence that was kept."""

    id: str
    what: str
    where: str
    collected_by: str | None = None
    at: Moment | None = None
    redacted: bool = False
    sha256: str | None = None
    """Of its bytes, where it lies in the case."""


class Decision(Node):
    """What a board is asked to decide, and between what."""

    asked: str
    options: Annotated[tuple[str, ...], Field(min_length=2)]


class Debrief(Node):
    """The parts of a post-mortem that only people can fill in."""

    owner: str | None = None
    authors: Texts = ()
    report: Literal["draft", "reviewed", "signed"] = "draft"
    version: str | None = None
    mark: str | None = None
    """How confidential it is, or under which privilege."""
    found_by: Literal["monitor", "user", "staff", "outsider"] | None = None
    first_signal: str | None = None
    why_not_sooner: str | None = None
    temporary_fix: str | None = None
    lasting_fix: str | None = None
    rollback_to: str | None = None
    verified_by: str | None = None
    aggravating: Texts = ()
    mitigating: Texts = ()
    went_well: Texts = ()
    went_badly: Texts = ()
    luck: Texts = ()
    seen_before: tuple[Seen, ...] | None = None
    """Empty where somebody looked and found none; left out where nobody looked."""
    messages: tuple[Message, ...] = ()
    assumptions: Texts = ()
    unknown: Texts = ()
    evidence: tuple[Exhibit, ...] = ()
    people: dict[str, str] = Field(default_factory=dict)
    """Name of a person → the role that stands for it in the report."""
    decision: Decision | None = None
    sign_off: Texts = ()
    """Roles that have to sign."""
