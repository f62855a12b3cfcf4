"""Schema of corrective actions: owned, dated, testable, aimed at named factors; and their state at a moment."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from rca.record.schema.moment import Moment

ActionState = Literal["open", "started", "done", "dropped"]

Aim = Literal["prevent", "detect", "contain", "recover"]

ActionStrength = Literal["eliminate", "automate", "warn", "train"]

AIMS: dict[str, Aim] = {"prevent": "prevent", "detect": "detect", "mitigate": "contain"}
"""What the older key `kind` says of the aim; `process` says none."""

UNFINISHED: tuple[ActionState, ...] = ("open", "started")


class Node(BaseModel):
    """A part of a why-tree or of a plan: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False)


class Change(Node):
    """A state that an action came into, and when."""

    at: Moment
    state: ActionState


class EffectCheck(Node):
    """Whether an action did what it was for, looked at afterwards."""

    at: Moment
    held: bool
    evidence: tuple[str, ...] = ()
    """Finding ids, events of the timeline, or documents in `sources/`."""


class CorrectiveAction(Node):
    """Something owned, dated and testable that is done about named factors."""

    id: str | None = None
    what: str
    owner: str | None = None
    due: Annotated[str | None, BeforeValidator(lambda value: None if value is None else str(value))] = None
    factors: tuple[str, ...] = ()
    """Ids or statements of factors of the why-tree."""
    aim: Aim | None = None
    strength: ActionStrength | None = None
    done_when: str | None = None
    """What has to be seen for it to count as done."""
    test_of_effect: str | None = None
    """What would show that it works, apart from being done."""
    state: ActionState = "open"
    history: tuple[Change, ...] = ()
    checked: EffectCheck | None = None
    reason: str | None = None
    """Why it was dropped."""
    priority: str | None = None
    ticket: str | None = None
    kind: Literal["prevent", "detect", "mitigate", "process"] | None = None
    extra: dict[str, Any] = Field(default_factory=dict)

    @property
    def aims_to(self) -> Aim | None:
        """Its aim: `aim`, else what `kind` implies."""
        return self.aim or AIMS.get(self.kind or "")

    @property
    def due_on(self) -> date | None:
        """The due date; None where there is none, or it is no date."""
        try:
            return date.fromisoformat((self.due or "")[:10])
        except ValueError:
            return None

    def state_at(self, as_of: datetime | None = None) -> ActionState:
        """The state at a moment: the last on record by then; without a history, or a moment, the state as written.

        >>> done = Change(at="2026-05-02T09:00:00Z", state="done")
        >>> action = CorrectiveAction(what="w", state="done", history=(done,))
        >>> action.state_at(datetime(2026, 5, 1, tzinfo=UTC)), action.state_at(datetime(2026, 5, 3, tzinfo=UTC))
        ('open', 'done')
        """
        if as_of is None or not self.history:
            return self.state
        by_then = [change for change in self.history if change.at <= as_of]
        return max(by_then, key=lambda change: change.at).state if by_then else "open"

    def is_overdue(self, as_of: datetime | None) -> bool:
        """Whether it was due before the day of `as_of` and was neither done nor dropped by then."""
        if as_of is None or self.due_on is None:
            return False
        return self.due_on < as_of.astimezone(UTC).date() and self.state_at(as_of) in UNFINISHED

    def addresses(self, names: Iterable[str]) -> bool:
        """Whether it names one of these ids or statements, whatever their capitals."""
        return bool({named(name) for name in names} & {named(name) for name in self.factors})


def named(name: str) -> str:
    """A name normalised for comparison: without capitals, extra spaces and a last full stop.

    >>> named(" The feed  stopped. ")
    'the feed stopped'
    """
    return " ".join(name.casefold().split()).rstrip(".")


def overdue(actions: Iterable[CorrectiveAction], as_of: datetime | None) -> tuple[CorrectiveAction, ...]:
    """The actions that were due before the day of `as_of` and not finished by then."""
    return tuple(action for action in actions if action.is_overdue(as_of))
