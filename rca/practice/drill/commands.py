"""What can be typed in a drill, and what is refused."""

from dataclasses import dataclass

from rca.errors import did_you_mean
from rca.practice.drill.hidden import SEVERE, Hidden
from rca.practice.drill.looks import LINES, LOOKS, TABLES, known_names
from rca.practice.grammar.incident import NAMELESS
from rca.record.obligations.rules import rule_table

AUDIENCES = ("manager", "users", "regulator", "journalist")

LONGEST = 2000
"""Letters of a line."""

VERBS = {
    "look": ("analyst", 0, "look QUESTION"), "cause": ("analyst", 10, "cause NAME SURE, such as: cause age 0.7"),
    "severity": ("lead", 5, "severity sev1 … sev5"), "contain": ("operator", 20, "contain MEASURE"),
    "tell": ("writer", 15, "tell WHOM TEXT"),
    "decide": ("legal", 10, "decide RULE report, decide RULE not, or decide none"),
    "note": ("scribe", 0, "note TEXT"), "wait": ("lead", 0, "wait MINUTES"), "end": ("lead", 0, "end"),
}  # fmt: skip
"""What can be done: by which role, in how many minutes, and how it is typed."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """Something that is to be done, by a role, in so many minutes."""

    verb: str
    role: str
    minutes: int
    about: str = ""
    text: str = ""


def parsed(line: str, hidden: Hidden) -> Command:
    """A typed line as a command.

    Raises
    ------
    ValueError
        With what is wrong with it and how it is typed.
    """
    line = line.strip()[:LONGEST]
    before, colon, after = line.partition(":")
    asked = before.strip().lower() if colon and " " not in before.strip() else ""
    words = (after if asked else line).split(maxsplit=2)
    verb = words[0].lower() if words else ""
    if verb not in VERBS:
        raise ValueError(f"{verb[:40]!r} is nothing that can be done. Hint: {did_you_mean(verb, VERBS)}, or help")
    role, minutes, typed = VERBS[verb]
    if asked and asked != role:
        raise ValueError(f"{asked[:40]!r} may not {verb}; the {role} may")
    about, rest = [*words[1:], "", ""][:2]
    made = Command(verb=verb, role=role, minutes=minutes, about=about, text=rest)
    checked = _CHECKS.get(verb)
    try:
        return checked(made, hidden) if checked else made
    except ValueError as problem:
        raise ValueError(f"{problem}. Typed as: {typed}") from None


def _one_of(about: str, known: "list[str]", what: str) -> None:
    if about not in known:
        raise ValueError(f"{about[:40]!r} is no {what}; there are {', '.join(known)}")


def _look(made: Command, hidden: Hidden) -> Command:
    _one_of(made.about, [*(LINES if hidden.line else TABLES)], "question")
    return Command(verb="look", role=made.role, minutes=LOOKS[made.about][0], about=made.about, text=made.about)


def _severity(made: Command, _: Hidden) -> Command:
    _one_of(made.about, [*SEVERE], "severity")
    return made


def _contain(made: Command, hidden: Hidden) -> Command:
    _one_of(made.about, [*hidden.measures], "measure")
    return made


def _tell(made: Command, _: Hidden) -> Command:
    _one_of(made.about, [*AUDIENCES], "audience")
    if not made.text:
        raise ValueError("there is no text")
    return made


def _cause(made: Command, hidden: Hidden) -> Command:
    *more, last = made.text.split() or [""]
    if more:
        raise ValueError("the name of a cause is one word, as the data or the record write it")
    try:
        sure = float(last)
    except ValueError:
        sure = -1.0
    if not 0 <= sure <= 1:
        raise ValueError(f"{last[:40]!r} is no number from 0 to 1: how sure are you?")
    column = made.about.replace("~", "=").partition("=")[0]
    known = sorted({*known_names(hidden), *NAMELESS, "rows", "slice"})
    if column not in known:
        raise ValueError(f"nothing is called {column[:40]!r}; {did_you_mean(column, known)}")
    return made


def _decide(made: Command, _: Hidden) -> Command:
    if made.about == "none":
        return made
    rules = [rule.id for rule in rule_table().rules]
    if made.about not in rules:
        raise ValueError(f"{made.about[:40]!r} is no rule; {did_you_mean(made.about, rules)}; look duties lists them")
    _one_of(made.text, ["report", "not"], "decision")
    return made


def _wait(made: Command, _: Hidden) -> Command:
    if not made.about.isdigit() or not 1 <= int(made.about) <= 1440:
        raise ValueError(f"{made.about[:40]!r} is no number of minutes from 1 to 1440")
    return Command(verb="wait", role=made.role, minutes=int(made.about), about=made.about)


def _note(made: Command, _: Hidden) -> Command:
    return Command(verb="note", role=made.role, minutes=0, text=f"{made.about} {made.text}".strip())


_CHECKS = {
    "look": _look, "severity": _severity, "contain": _contain, "tell": _tell, "cause": _cause, "decide": _decide,
    "wait": _wait, "note": _note,
}  # fmt: skip
