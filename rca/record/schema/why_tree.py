"""Schema and builder of why-trees: contributing factors with evidence on every edge, and rejected answers.

A `Why` is a question, its answer, and the whys under it. In YAML, in a notebook and in a report it is the same tree:

>>> tree = why("Why did good applicants wait?").because(
...     "The unemployment rate stood still",
...     why("Why did it stand still?").because("Its series was renamed", evidence="sources/mail.txt"),
...     why("Why did nobody see it?"),
...     evidence="fault.unemployment",
... )
>>> [one.question for one in tree.open()]
['Why did nobody see it?']
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, TypeVar

from rca.errors import InvalidCase
from rca.record.schema.corrective_action import Node
from rca.record.schema.moment import Moment

Role = Literal["trigger", "contributing", "latent"]

FactorCategory = Literal["data", "model", "code", "infrastructure", "people", "process", "outside"]

Strength = Literal["shown", "suggested", "assumed"]

CATEGORIES: tuple[FactorCategory, ...] = (
    "data", "model", "code", "infrastructure", "people", "process", "outside",
)  # fmt: skip
"""Where in the system a factor lies: the bones of a fishbone."""


class Factor(Node):
    """A condition without which the incident would not, or less, have happened."""

    id: str | None = None
    """A short name for actions to point at; else they name the statement."""
    statement: str
    role: Role = "contributing"
    category: FactorCategory | None = None
    at: Moment | None = None
    strength: Strength = "assumed"
    evidence: tuple[str, ...] = ()
    """Finding ids, events of the timeline, or documents in `sources/`."""
    guard: str | None = None
    """The guard that should have stopped or shown it, and was missing or silent."""
    no_action: str | None = None
    """Why nothing is done about it, where nothing is."""

    @property
    def names(self) -> tuple[str, ...]:
        """What an action can call it by."""
        return tuple(name for name in (self.id, self.statement) if name)


class Rejected(Node):
    """An answer that was looked at and is not why."""

    statement: str
    because: str = ""
    evidence: tuple[str, ...] = ()


class Why(Node):
    """A question, its answer, and the whys under it; "5 Whys" is one path through the tree.

    Without an answer it is open: a question for the meeting. `join` says whether the whys under an answer were needed
    together (`and`), or each by itself was enough (`or`).
    """

    question: str
    answer: Factor | None = None
    whys: "tuple[Why, ...]" = ()
    join: Literal["and", "or"] = "and"
    candidates: tuple[Factor, ...] = ()
    """Answers that the record suggests and nobody has established."""
    rejected: tuple[Rejected, ...] = ()
    ask: str | None = None
    """The role that can answer an open question."""

    def path(self) -> "tuple[Why, ...]":
        """The first path from this question down to a leaf."""
        return (self, *(self.whys[0].path() if self.whys else ()))

    def walk(self) -> "Iterator[Why]":
        """The why and all under it, each before those under it."""
        yield self
        for below in self.whys:
            yield from below.walk()

    def factors(self) -> tuple[Factor, ...]:
        """Every answer of the tree, from the symptom down."""
        return tuple(one.answer for one in self.walk() if one.answer is not None)

    def open(self) -> "tuple[Why, ...]":
        """The unanswered questions."""
        return tuple(one for one in self.walk() if one.answer is None)

    def then(self, *whys: "Why | Question") -> "Why":
        """The same tree with more whys under its answer."""
        return self.model_copy(update={"whys": (*self.whys, *map(_settled, whys))})

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


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question that waits for its answer; `why` asks one, `because` answers it."""

    question: str
    rejected: tuple[Rejected, ...] = ()
    candidates: tuple[Factor, ...] = ()
    ask: str | None = None

    def because(self, statement: str, *whys: "Why | Question", evidence: Any = (), **told: Any) -> Why:
        """Answer the question.

        Parameters
        ----------
        statement : str
        *whys : Why or Question
            The whys under this answer; a question that is not answered stays open.
        evidence : str or iterable of str
            Finding ids, events of the timeline, or documents in `sources/`.
        **told
            Other keys of a factor: `role`, `category`, `at`, `strength`, `id`, `guard`, `no_action`; and `join`.

        Raises
        ------
        InvalidCase
            If a key is none of a factor, or its value is not one it may have.
        """
        join = told.pop("join", "and")
        given = {"strength": "suggested" if texts(evidence) else "assumed", **told}
        answer = made(Factor, statement=statement, evidence=texts(evidence), **given)
        return made(Why, answer=answer, whys=tuple(map(_settled, whys)), join=join, **self._kept())

    def rejecting(self, statement: str, *, because: str = "", evidence: Any = ()) -> "Question":
        """Record an answer that was investigated and rejected."""
        one = made(Rejected, statement=statement, because=because, evidence=texts(evidence))
        return replace(self, rejected=(*self.rejected, one))

    def perhaps(self, statement: str, *, evidence: Any = (), **told: Any) -> "Question":
        """Record an answer that the record suggests and nobody has established."""
        one = made(Factor, statement=statement, evidence=texts(evidence), **told)
        return replace(self, candidates=(*self.candidates, one))

    def asking(self, role: str) -> "Question":
        """Say which role can answer."""
        return replace(self, ask=role)

    def open(self) -> Why:
        """The question as a why that is open."""
        return made(Why, **self._kept())

    def _kept(self) -> dict[str, Any]:
        return {
            "question": self.question,
            "rejected": self.rejected,
            "candidates": self.candidates,
            "ask": self.ask,
        }


def why(question: str) -> Question:
    """Ask why, to be answered by `because`; the answer takes the whys under it.

    Parameters
    ----------
    question : str

    Raises
    ------
    InvalidCase
        If the question is no text.

    Examples
    --------
    >>> tree = why("Why did it fail?").rejecting("Load", because="load was low").because("It was full", evidence="a.b")
    >>> tree.answer.strength, tree.rejected[0].statement
    ('suggested', 'Load')
    """
    asked = Question(question=question)
    asked.open()  # which is refused where it is no text
    return asked


def _settled(given: "Why | Question") -> Why:
    return given.open() if isinstance(given, Question) else given


def texts(given: Any) -> tuple[str, ...]:
    """One text or several, as several; findings by their id."""
    if isinstance(given, str):
        return (given,)
    several: Iterable[Any] = (given,) if hasattr(given, "id") else given
    return tuple(one if isinstance(one, str) else str(getattr(one, "id", one)) for one in several)


N = TypeVar("N", bound=Node)


def made(kind: type[N], **told: Any) -> N:
    """Build a node from keywords.

    Raises
    ------
    InvalidCase
        In words, where a key or a value is not one it may have.
    """
    from pydantic import ValidationError

    try:
        return kind(**told)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        known = ", ".join(kind.model_fields)
        raise InvalidCase.because(first["msg"], place=place, hint=f"a {kind.__name__} has {known}") from None
