"""A drill on the terminal: what the team reads and types, by a real, a fast or a scripted clock.

The process keeps the incident in memory. Nothing of its cause is written to a file before the drill is over, and the
seed is not either: what is saved meanwhile is what was typed.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TextIO

import pandas as pd

from rca.practice.drill.commands import VERBS
from rca.practice.drill.engine import ROLES, Entry, State, act, advance, begun, person, stepped
from rca.practice.drill.hidden import END, HOURS, LEVELS, SEVERE, Hidden
from rca.practice.drill.looks import LINES, LOOKS, TABLES

Say = Callable[[str], None]


def briefing(hidden: Hidden, people: int) -> Iterator[str]:
    """What a team reads before it begins."""
    yield f"DRILL: {hidden.place}. An exercise; everything and everybody in it is made up."
    yield f"It is {hidden.begins:%A %H:%M}. The drill ends {HOURS} hours later, or when you type: end"
    yield f"Level {hidden.level}: {LEVELS[hidden.level]}."
    yield f"Harm is counted in {hidden.harm}. Every hour in which nothing is contained does more of it."
    if people > 1:
        shared = [[role for role in ROLES if person(role, people) == at] for at in range(people)]
        for at, roles in enumerate(shared, start=1):
            yield f"Person {at} is {', '.join(f'{role} ({ROLES[role]})' for role in roles)}."
        yield "Everybody types here; you may put your role before it, as in: analyst: look metric"
        yield "The work of different people runs at once."
    yield "Before the first alert, on record:"
    for event in hidden.incident.timeline.events:
        yield f"  {pd.Timestamp(event.at):%a %H:%M} {event.kind}: {event.what}"
    yield "Systems: " + ", ".join(one.name for one in hidden.incident.systems)
    if hidden.line:
        yield "What acts on what: " + ", ".join(f"{cause} on {effect}" for cause, effect in hidden.asked["graph"])
    yield "You are graded for seeing it, the severity, harm stopped, the cause and how sure you are of it, messages"
    yield "that claim no more than is known, reporting duties in time, and words that blame nobody."
    yield "Type help to read what can be done."


def helped(hidden: Hidden) -> Iterator[str]:
    """What can be typed."""
    yield "look QUESTION: the answer is of the data that had come when you asked"
    for name in LINES if hidden.line else TABLES:
        yield f"  look {name:<9} {LOOKS[name][0]:>3} min  {LOOKS[name][1]}"
    yield f"severity sev1 … sev5   {VERBS['severity'][1]} min; the house rule, by cases of harm a day:"
    yield "  " + ", ".join(f"{name} from {least:g}" for name, least in SEVERE.items())
    yield f"contain MEASURE   {VERBS['contain'][1]} min; you may do several, and it is not said how well each works:"
    for name, measure in hidden.measures.items():
        yield f"  contain {name:<9} {measure.called}; costs {measure.costs:.0%} of the service"
    yield f"tell manager|users|regulator|journalist TEXT   {VERBS['tell'][1]} min"
    yield f"cause NAME SURE   {VERBS['cause'][1]} min; one word: a column that broke, a system that failed first, or"
    yield "  the rows that set it off, such as text~word or column=value; then how sure you are, from 0 to 1, such as"
    yield "  cause age 0.7. The last one counts: right earns 1-(1-sure)² of the points, wrong costs sure² of them"
    yield f"decide RULE report, decide RULE not, decide none   {VERBS['decide'][1]} min; look duties names the rules"
    yield "note TEXT, wait MINUTES, end, help"


def shown(hidden: Hidden, entry: Entry) -> Iterator[str]:
    """An entry of the log as the screen has it."""
    at = hidden.begins + pd.Timedelta(minutes=entry.minute)
    head, *more = entry.text.splitlines() or [""]
    said = {
        "inject": f"{entry.who.upper()}: {head}", "refused": f"Not done: {head}",
        "answer": f"{entry.about}, asked at {hidden.begins + pd.Timedelta(minutes=entry.started):%H:%M}: {head}",
        "wait": "", "end": "The team ends the drill.", "tell": f"The {entry.about} has your message.",
    }.get(entry.kind, " ".join(part for part in ("done:", entry.kind, entry.about, head) if part))  # fmt: skip
    if said:
        yield f"[{at:%a %H:%M}] {said}"
        yield from (f"    {one}" for one in more)


@dataclass(kw_only=True)
class Screen:
    """Says what is new in the log, once."""

    hidden: Hidden
    say: Say
    ask: Say = lambda _: None
    seen: int = 0

    def tell(self, lines: Iterator[str]) -> None:
        """Some lines."""
        for line in lines:
            self.say(line)

    def show(self, state: State) -> None:
        """What has been added since."""
        for entry in state.log[self.seen :]:
            self.tell(shown(self.hidden, entry))
        self.seen = len(state.log)


@dataclass(frozen=True, kw_only=True)
class Clock:
    """How time goes: `speed` simulated minutes a real minute; without it only what is done takes time."""

    speed: float | None = None

    def lines(self, typed: TextIO) -> "SimpleQueue[str]":
        """What is typed, as it is typed; an empty text is its end."""
        queue: SimpleQueue[str] = SimpleQueue()

        def read() -> None:
            for line in typed:
                queue.put(line)
            queue.put("")

        Thread(target=read, daemon=True).start()
        return queue


def played(hidden: Hidden, typed: TextIO, screen: Screen, *, people: int = 1, clock: Clock | None = None,
           keep: Callable[[State], None] = lambda _: None) -> State:  # fmt: skip
    """Play a drill until it is over.

    Parameters
    ----------
    hidden : Hidden
    typed : text stream
        What the team types; where it ends, the drill runs to its end.
    screen : Screen
    people : int
    clock : Clock, optional
        The fast one where it is left out.
    keep : callable
        Told each state, for a file of what was typed.
    """
    clock = clock or Clock()
    screen.tell(briefing(hidden, people))
    state, began, lines = begun(hidden, people), time.monotonic(), clock.lines(typed)
    while not state.over:
        screen.show(state)
        left = END - state.minute
        screen.ask(
            f"{hidden.begins + pd.Timedelta(minutes=state.minute):%a %H:%M}, {left // 60} h {left % 60:02} left>"
        )
        text = None
        while text is None and not state.over:
            text = _next(lines, wait=clock.speed is not None)
            if clock.speed is not None:
                state = advance(hidden, state, int((time.monotonic() - began) / 60 * clock.speed))
                screen.show(state)
        said = (text or "").strip()
        if not text:
            state = advance(hidden, state, END)
        elif said.lower() == "help":
            screen.tell(helped(hidden))
        elif said and not state.over:
            state = (stepped if clock.speed is None else act)(hidden, state, said)
            keep(state)
    screen.show(state)
    return state


def _next(lines: "SimpleQueue[str]", *, wait: bool) -> str | None:
    """The next line that was typed; None where none has come within a second."""
    try:
        return lines.get(timeout=1.0 if wait else None)
    except Empty:
        return None


def script_of(state: State) -> str:
    """What was typed, a line each with its minute: by it and the seed a drill is played again."""
    return "".join(f"{minute} {text}\n" for minute, text in state.typed)


def read_script(text: str) -> list[tuple[int, str]]:
    """A script: `MINUTE LINE`, in order; empty lines and those that begin with # are left out.

    Raises
    ------
    ValueError
        Naming the first line that is none.
    """
    found: list[tuple[int, str]] = []
    for at, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        minute, _, said = line.strip().partition(" ")
        if not minute.isdigit() or not said or int(minute) < (found[-1][0] if found else 0):
            raise ValueError(f"line {at} is not a minute, in order, and what is typed then")
        found.append((int(minute), said))
    return found
