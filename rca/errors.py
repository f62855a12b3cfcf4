"""What can go wrong, as one tree; a message is problem, place, hint.

```
RcaError
├── InvalidCase     bad input: exit status 2, nothing written
├── RunFailed       a run started and did not finish: exit status 1
└── Unanswerable    the data cannot say: a result, never a crash
```
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


class RcaError(Exception):
    """Anything this package raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of frames, of which none tells what to do."""
        return [f"{type(self).__name__}: {self}"]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong with an input: what, where, what was expected, and what to try.

    >>> print(Problem(what="no column 'incom'", place="incident.yaml, data.label", hint="did you mean 'income'?"))
    incident.yaml, data.label: no column 'incom'. Hint: did you mean 'income'?
    """

    what: str
    place: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" Hint: {self.hint}" if self.hint else ""
        return f"{self.place}: {self.what.rstrip('.')}.{hint}"


class InvalidCase(RcaError):
    """The input is not what it has to be; `problems` lists everything found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def because(cls, what: str, *, place: str, hint: str = "") -> Self:
        """Refuse an input for one reason."""
        return cls([Problem(what=what, place=place, hint=hint)])


class RunFailed(RcaError):
    """A run started and could not be finished; nothing of it was published."""


class Unanswerable(RcaError):
    """The data cannot answer `question`, for the reason given; reports carry it as a result."""

    def __init__(self, question: str, why: str) -> None:
        self.question, self.why = question, why
        super().__init__(f"{question}: cannot tell, because {why}")


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Suggest the nearest of the `known` names, or list a few of them.

    >>> did_you_mean("incom", ["income", "tenure"])
    "did you mean 'income'?"
    >>> did_you_mean("x", ["income", "tenure"])
    'known are income, tenure'
    """
    known = sorted(known)
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    few = ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
    return f"known are {few}" if known else ""
