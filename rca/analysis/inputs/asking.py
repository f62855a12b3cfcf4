"""Asking a question that data may not be able to answer: the answer, or the reason why there is none."""

from collections.abc import Callable
from typing import TypeVar

from rca.errors import Unanswerable
from rca.finding import Unanswered

T = TypeVar("T")


class Asking:
    """Asks questions one by one, and keeps why those that have no answer have none.

    Examples
    --------
    >>> ask = Asking()
    >>> ask(lambda: 7)
    7
    >>> def since():
    ...     raise Unanswerable("since when", "the case names no time column")
    >>> ask(since), ask.unanswered
    (None, [Unanswered(question='since when', why='the case names no time column')])
    """

    def __init__(self) -> None:
        self.unanswered: list[Unanswered] = []

    def __call__(self, question: Callable[[], T]) -> T | None:
        """The answer; None, with the reason kept as a result, where the data cannot say."""
        try:
            return question()
        except Unanswerable as reason:
            self.unanswered.append(Unanswered(question=reason.question, why=reason.why))
            return None
