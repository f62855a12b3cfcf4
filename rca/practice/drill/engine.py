"""The drill as a pure state machine: a state, a line that somebody types, and time, give the next state.

Whoever has a role does what is typed for it and is busy for as long as that takes; what comes in meanwhile comes in.
Nothing here reads a clock, a file or the terminal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rca.errors import InvalidCase
from rca.practice.drill.commands import Command, parsed
from rca.practice.drill.hidden import END, Hidden
from rca.practice.drill.injects import injects
from rca.practice.drill.looks import Answer, look

ROLES = {
    "lead": "decides the severity, waits, ends", "analyst": "looks at data, names a cause", "operator": "contains",
    "writer": "tells people", "legal": "decides on duties", "scribe": "takes notes",
}  # fmt: skip
"""Roles, and what each may do."""

MOST = len(ROLES)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Something that happened at a minute: `inject`, `answer`, `refused`, or what the team did, by its verb.

    Attributes
    ----------
    started : int
        When it was begun; an answer is of the data that had come by then.
    """

    minute: int
    who: str
    kind: str
    text: str
    about: str = ""
    started: int = 0
    answer: Answer | None = None


@dataclass(frozen=True, kw_only=True)
class State:
    """What has happened by a minute, who is busy until when, and what is under way."""

    people: int = 1
    minute: int = -1
    log: tuple[Entry, ...] = ()
    busy: Mapping[int, int] = ()  # type: ignore[assignment]
    pending: tuple[tuple[int, int, Command], ...] = ()
    typed: tuple[tuple[int, str], ...] = ()
    over: bool = False

    @property
    def contained(self) -> tuple[tuple[int, str], ...]:
        """Minute and measure of everything that was done to contain."""
        return tuple((one.minute, one.about) for one in self.log if one.kind == "contain")

    def did(self, kind: str) -> list[Entry]:
        """What the team did of a kind, in order."""
        return [one for one in self.log if one.kind == kind]

    def free(self) -> int:
        """The first minute at which somebody can act."""
        return min(max(dict(self.busy).get(person, 0), self.minute) for person in range(self.people))


def person(role: str, people: int) -> int:
    """Who of so many people has a role: roles are dealt in turn.

    >>> [person(role, 2) for role in ROLES]
    [0, 1, 0, 1, 0, 1]
    """
    return [*ROLES].index(role) % people


def begun(hidden: Hidden, people: int = 1) -> State:
    """The first state, with what comes in at once.

    Raises
    ------
    InvalidCase
        If there are fewer than one or more than six people.
    """
    if not 1 <= people <= MOST:
        raise InvalidCase.because(f"{people} people", place="--people", hint=f"from 1 to {MOST}")
    return advance(hidden, State(people=people), 0)


def act(hidden: Hidden, state: State, text: str) -> State:
    """What somebody types: it begins when whoever has the role is free; what cannot be is refused, for nothing."""
    try:
        command = parsed(text, hidden)
    except ValueError as problem:
        return replace(
            state, log=(*state.log, Entry(minute=state.minute, who="drill", kind="refused", text=str(problem)))
        )
    busy, who = dict(state.busy), person(command.role, state.people)
    start = max(busy.get(who, 0), state.minute)
    done = min(start + command.minutes, END)
    busy = dict.fromkeys(range(state.people), done) if command.verb in ("wait", "end") else busy | {who: done}
    typed = (*state.typed, (state.minute, text))
    return replace(state, busy=busy, pending=(*state.pending, (start, done, command)), typed=typed)


def advance(hidden: Hidden, state: State, to: int) -> State:
    """Everything that comes in and is done up to a minute, in order."""
    to = min(to, END)
    while not state.over:
        coming = [one for one in injects(hidden) if state.minute < one.minute <= to]
        doing = [one for one in state.pending if one[1] <= to]
        first = min([one.minute for one in coming] + [done for _, done, _ in doing], default=None)
        if first is None:
            break
        here = tuple(
            Entry(minute=first, who=one.who, kind="inject", text=one.text) for one in coming if one.minute == first
        )
        due = [one for one in doing if one[1] == first]
        state = replace(
            state, minute=first, pending=tuple(one for one in state.pending if one not in due), log=state.log + here
        )
        for start, _, command in due:
            state = _done(hidden, state, command, start=start)
    return replace(state, minute=max(to, state.minute), over=state.over or to >= END)


def _done(hidden: Hidden, state: State, command: Command, *, start: int) -> State:
    entry = Entry(
        minute=state.minute, who=command.role, kind=command.verb, text=command.text, about=command.about, started=start
    )
    if command.verb == "look":
        before = tuple(one for one in state.contained if one[0] <= start)
        found = look(hidden, command.about, minute=start, contained=before)
        entry = replace(entry, kind="answer", text=found.text, answer=found)
    return replace(state, log=(*state.log, entry), over=command.verb == "end")


def stepped(hidden: Hidden, state: State, text: str) -> State:
    """What somebody types, and time until somebody is free again: the fast clock."""
    after = act(hidden, state, text)
    return after if after.typed == state.typed else advance(hidden, after, after.free())


def replayed(hidden: Hidden, script: "list[tuple[int, str]]", people: int = 1) -> State:
    """A drill as it was typed: minute and line; what is still under way at the end is waited for."""
    state = begun(hidden, people)
    for minute, text in script:
        if not state.over:
            state = act(hidden, advance(hidden, state, minute), text)
    return advance(hidden, state, END)


def plain(state: State) -> list[dict[str, Any]]:
    """What happened, as plain values."""
    return [
        {"minute": one.minute, "who": one.who, "kind": one.kind, "about": one.about, "text": one.text}
        for one in state.log
    ]
