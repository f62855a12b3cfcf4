"""Grade a drill by a rubric of a hundred points; every point has its reason.

How sure a team was is scored by a strictly proper rule (Brier 1950): a right cause named with `p` earns 1 - (1 - p)²,
a wrong one -p², nothing named earns 0; the best answer is what one believes, and to bluff costs as much as it may earn.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rca.practice.drill.engine import Entry, State
from rca.practice.drill.hidden import SEVERE, Hidden, severe
from rca.practice.drill.injects import injects
from rca.practice.drill.looks import known_names, owed
from rca.record.why_tree.blameless import BLAME, HUMAN_ERROR, people_in
from rca.report.rendering.plain_text import number

AREAS = {
    "detection": 10, "triage": 15, "containment": 20, "cause": 20, "messages": 15, "duties": 10, "blame": 10,
}  # fmt: skip
"""What is graded, and the most points of each."""

SOON = {"look": (30, 480), "severity": (60, 600), "manager": (120, 600), "users": (240, 900)}
"""Minutes up to which something is in time, and from which on it earns nothing."""

ANSWER = (180, 720)
"""Likewise, from a question of the regulator or a journalist to its answer."""

NEEDLESS = 5.0
"""Points that a measure loses which costs the whole service where one of no cost would do as much."""

DONE = re.compile(
    r"\b(fixed|solved|resolved|under control|all clear|nobody (was|is)|no one (was|is)|never happen|guarantee\w*)\b",
    re.IGNORECASE,
)
"""Words that say that it is over, or that there was none of it."""

CAUSAL = re.compile(
    r"\b(because|caused|cause is|due to|the reason|comes? from|result of|it was|it is)\b", re.IGNORECASE
)

HEDGED = re.compile(
    r"\b(may|might|perhaps|possibl\w+|suspect\w*|not (yet )?(known|sure|clear)|unclear|likely|looks like|seems?"
    r"|check\w*|do not know)\b",
    re.IGNORECASE,
)

NUMBER = re.compile(r"(?<![\w.~-])\d[\d,]*\.?\d*(?![\w-])")


@dataclass(frozen=True, kw_only=True)
class Point:
    """Points of an area out of so many, and why."""

    area: str
    points: float
    of: float
    because: str


def grade(hidden: Hidden, state: State) -> tuple[Point, ...]:
    """Every point with its reason; the points of an area may be negative only for a cause that was named too surely."""
    parts = (_detection, _triage, _containment, _cause, _messages, _duties, _blame)
    return tuple(point for part in parts for point in part(hidden, state))


def total(points: Iterable[Point]) -> float:
    """Points of all areas, of a hundred."""
    return round(sum(one.points for one in points), 1)


def worth(minute: int, limits: tuple[int, int]) -> float:
    """1 up to the first limit, 0 from the second on, between them by the logarithm of time.

    >>> worth(20, (30, 480)), worth(120, (30, 480)), worth(500, (30, 480))
    (1.0, 0.5, 0.0)
    """
    full, none = limits
    return float(np.clip(np.log(none / max(minute, full)) / np.log(none / full), 0, 1))


def proper(sure: float, *, right: bool) -> float:
    """The score of a cause named with a probability: strictly proper, 0 for 0, from -1 to 1."""
    return 1 - (1 - sure) ** 2 if right else -(sure**2)


# --- what is seen and decided ----------------------------------------------------------------------------------------


def _detection(_: Hidden, state: State) -> Iterator[Point]:
    looked = [one for one in state.did("answer") if one.about != "duties"]
    if not looked:
        yield Point(area="detection", points=0, of=10, because="nobody looked at the data")
        return
    first = looked[0]
    yield _point(
        "detection",
        10 * worth(first.minute, SOON["look"]),
        of=10,
        because=f"the first look, at {first.about}, answered in minute {first.minute}",
    )


def _triage(hidden: Hidden, state: State) -> Iterator[Point]:
    said = state.did("severity")
    if not said:
        yield Point(area="triage", points=0, of=15, because="no severity was decided")
        return
    names, last = [*SEVERE], said[-1].about
    seen = [one.answer.excess for one in state.log if one.answer and one.minute <= said[-1].started]
    fair = {hidden.severity, *(severe(one) for one in seen[-1:] if one is not None)}
    apart = min(abs(names.index(last) - names.index(one)) for one in fair)
    yield _point(
        "triage",
        5 * worth(said[0].minute, SOON["severity"]),
        of=5,
        because=f"a severity stood in minute {said[0].minute}",
    )
    right = {0: "as the house rule says of what was seen or is true", 1: "one step off"}.get(apart, "far off")
    why = f"{last} was decided, {right}: {number(hidden.a_day)} {hidden.harm} a day are {hidden.severity}"
    yield _point("triage", {0: 10.0, 1: 5.0}.get(apart, 0.0), of=10, because=why)


def _containment(hidden: Hidden, state: State) -> Iterator[Point]:
    stopped, possible = hidden.harms(state.contained)
    share = stopped / possible if possible else 0.0
    used = [hidden.measures[name] for _, name in state.contained]
    costs, able = max((one.costs for one in used), default=0.0), max((one.stops for one in used), default=0.0)
    least = min((one.costs for one in hidden.measures.values() if one.stops >= able), default=costs)
    lost = NEEDLESS * max(costs - least, 0) * (share > 0)
    done = ", ".join(f"{name} in minute {minute}" for minute, name in state.contained) or "nothing was contained"
    why = f"{done}: {number(stopped)} of {number(possible)} {hidden.harm} were stopped"
    yield _point(
        "containment",
        max(20 * share - lost, 0),
        of=20,
        because=why + (f"; {lost:.1f} points for what it cost, as a lighter measure stops as much" if lost else ""),
    )


def _cause(hidden: Hidden, state: State) -> Iterator[Point]:
    named = state.did("cause")
    if not named:
        yield Point(area="cause", points=0, of=20, because=f"no cause was named; {hidden.truth}")
        return
    name, sure = named[-1].about, float(named[-1].text)
    right = name in hidden.answers
    why = f"{name} was named, {sure:.0%} sure, and is {'right' if right else 'wrong'}: {hidden.truth}"
    yield _point("cause", 20 * proper(sure, right=right), of=20, because=why)


# --- what is said ----------------------------------------------------------------------------------------------------


def _messages(hidden: Hidden, state: State) -> Iterator[Point]:
    told = state.did("tell")
    came = {one.who: one.minute for one in injects(hidden)}
    limits = {
        "manager": SOON["manager"], "users": SOON["users"],
        "regulator": (came["regulator"] + ANSWER[0], came["regulator"] + ANSWER[1]),
    }  # fmt: skip
    for whom, limit in limits.items():
        first = next((one.minute for one in told if one.about == whom), None)
        why = f"the {whom} heard nothing" if first is None else f"the {whom} heard first in minute {first}"
        yield _point("messages", 0.0 if first is None else 3 * worth(first, limit), of=3, because=why)
    claims = [claim for one in told for claim in unknown_claims(hidden, state, one)]
    if not told:
        yield Point(area="messages", points=0, of=6, because="nothing was said that could be checked")
        return
    yield _point(
        "messages",
        max(6 - 2 * len(claims), 0),
        of=6,
        because="; ".join(claims) or "nothing was claimed that was not known then",
    )


def unknown_claims(hidden: Hidden, state: State, message: Entry) -> Iterator[str]:
    """What a message claims that nothing had shown when it was begun: numbers, causes, and that it is over."""
    shown = [one for one in state.log if one.minute <= message.started and one.kind in ("answer", "inject")]
    told = [one.text for one in shown] + [one.what for one in hidden.incident.timeline.events]
    seen = {_value(hit) for text in told for hit in NUMBER.findall(text)}
    at = f"minute {message.minute}, to the {message.about}"
    for hit in NUMBER.findall(message.text):
        if not any(_same(_value(hit), one) for one in seen):
            yield f"{at}: {hit}, which nothing had shown"
    accused = {
        name.replace("~", "=").partition("=")[0]
        for one in shown
        if one.answer
        for name in one.answer.names
        if one.answer.sure
    }
    for sentence in re.split(r"(?<=[.!?;])\s+", message.text):
        if CAUSAL.search(sentence) and not HEDGED.search(sentence):
            for name in sorted({*known_names(hidden)}):
                if name not in accused and re.search(rf"\b{re.escape(name)}\b", sentence):
                    yield f"{at}: {name} as the cause, which no look had accused"
        over = DONE.search(sentence)
        if over and not HEDGED.search(sentence):
            yield f"{at}: {over[0]!r}, which nobody could know then"


def _value(text: str) -> float:
    return float(text.replace(",", "").rstrip(".") or 0)


def _same(one: float, other: float) -> bool:
    """Whether a number is another one, perhaps rounded to two digits or to a whole one."""
    return abs(one - other) <= max(0.05 * abs(other), 0.5 * (other > 1))


def _duties(hidden: Hidden, state: State) -> Iterator[Point]:
    run, said = owed(hidden), {one.about: one for one in state.did("decide")}
    if not said:
        yield Point(area="duties", points=0, of=10, because=f"nothing was decided; {len(run)} duties ran")
        return
    if not run:
        wrong = [rule for rule, one in said.items() if one.text == "report"]
        why = f"none ran; reported under {', '.join(wrong)}" if wrong else "none ran, and none was reported"
        yield _point("duties", 10.0 - 5 * min(len(wrong), 2), of=10, because=why)
        return
    for rule, until in run.items():
        one = said.get(rule)
        late = one is not None and hidden.begins + pd.Timedelta(minutes=one.minute) > until
        kept = one is not None and one.text == "report"
        why = "decided not to report" if one or "none" in said else "nothing was decided"
        why = f"reported in minute {one.minute}{', too late' if late else ''}" if one is not None and kept else why
        yield _point(
            "duties",
            10 / len(run) * (kept * (0.3 if late else 1)),
            of=10 / len(run),
            because=f"{rule}, due {until:%a %H:%M}: {why}",
        )
    needless = [rule for rule, one in said.items() if one.text == "report" and rule not in run]
    if needless:
        yield _point(
            "duties", -min(2.0 * len(needless), 4), of=0, because=f"reported without a duty: {', '.join(needless)}"
        )


def _blame(hidden: Hidden, state: State) -> Iterator[Point]:
    texts = [one for one in state.log if one.kind in ("tell", "note") and one.text]
    found = [f"minute {one.minute}: {hit!r}" for one in texts for hit in blaming(one.text, hidden.bait)]
    if not texts:
        yield Point(area="blame", points=0, of=10, because="nothing was written")
        return
    yield _point(
        "blame", max(10 - 5 * len(found), 0), of=10, because="; ".join(found) or "no text blames or names a person"
    )


def blaming(text: str, bait: str = "") -> list[str]:
    """Words of a text that blame, and names of people."""
    hits = [hit[0] for pattern in (HUMAN_ERROR, BLAME) for hit in pattern.finditer(text)]
    return [*hits, *people_in(text, {bait: "a person"} if bait else None)]


def _point(area: str, points: float, *, of: float, because: str) -> Point:
    return Point(area=area, points=round(points, 2), of=round(of, 2), because=because)


def by_area(points: Iterable[Point]) -> dict[str, tuple[float, float]]:
    """Points and most points of each area."""
    told = [*points]
    return {
        area: (round(sum(one.points for one in told if one.area == area), 1), float(most))
        for area, most in AREAS.items()
    }
