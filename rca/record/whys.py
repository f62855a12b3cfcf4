"""Why-trees: why it could happen, with evidence, and what is done about it."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from rca.record.moment import Moment

Role = Literal["trigger", "contributing", "latent"]
FactorCategory = Literal["data", "model", "code", "infrastructure", "people", "process", "outside"]


class _Node(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Factor(_Node):
    """A condition without which the incident would not, or less, have happened."""

    statement: str
    role: Role = "contributing"
    category: FactorCategory | None = None
    at: Moment | None = None
    strength: Literal["shown", "suggested", "assumed"] = "assumed"
    evidence: tuple[str, ...] = ()
    """Finding ids, events of the timeline, or documents in `sources/`."""


class Why(_Node):
    """A question, its answer, and the whys under it; "5 Whys" is one path through the tree."""

    question: str
    answer: Factor
    whys: "tuple[Why, ...]" = ()

    def path(self) -> "tuple[Why, ...]":
        """The first path from this question down to a leaf."""
        return (self, *(self.whys[0].path() if self.whys else ()))

    @classmethod
    def chain(cls, steps: "list[tuple[str, Factor]]") -> Self:
        """Build a single path, the symptom first.

        Raises
        ------
        ValueError
            If there is no step.
        """
        if not steps:
            raise ValueError("a why-path needs at least one step")
        (question, answer), *rest = steps
        return cls(question=question, answer=answer, whys=(cls.chain(rest),) if rest else ())


class CorrectiveAction(_Node):
    """Something owned, dated and testable that is done about named factors."""

    what: str
    owner: str | None = None
    due: Annotated[str | None, BeforeValidator(lambda value: None if value is None else str(value))] = None
    factors: tuple[str, ...] = ()
    test_of_effect: str | None = None
    state: Literal["open", "done", "dropped"] = "open"
    kind: Literal["prevent", "detect", "mitigate", "process"] | None = None
    extra: dict[str, Any] = Field(default_factory=dict)
