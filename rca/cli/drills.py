"""The command on drills: practise, prepare, and read what came of it."""

import sys
from datetime import UTC, datetime
from getpass import getpass
from io import StringIO
from pathlib import Path
from secrets import randbelow
from typing import TYPE_CHECKING

from rca.cli import options
from rca.cli.command import DONE, Arguments, Command
from rca.cli.telling import print_json, printable, say, tell
from rca.errors import InvalidCase
from rca.record.files.whole_file import write_whole

if TYPE_CHECKING:
    from rca.practice.drill.engine import State
    from rca.practice.drill.hidden import Hidden

LARGEST = 10**8
"""Seeds are below it: too many to try, and too short for a page to take one for a number of a person."""


def _drill(arguments: Arguments) -> int:
    if arguments.kit:
        return _kit(arguments)
    from rca.practice.drill.debrief import debrief
    from rca.report.run.drill_run import run_debrief

    hidden = _hidden(arguments, _seed(arguments.seed))
    state = _played(arguments, hidden)
    tell("The drill is over; the debrief is being written.")
    record = debrief(hidden, state, datetime.now(UTC))
    folder = run_debrief(record, arguments.out)
    if arguments.json:
        print_json({"debrief": str(folder), **record.model_dump(mode="json", by_alias=True)})
        return DONE
    say(f"points  {record.team.total:g} of 100; a good team {record.reference.total:g}")
    for one in record.team.points:
        say(f"  {one.area}: {one.points:g} of {one.of:g}; {one.because}")
    say(f"cause   {record.truth}")
    say(f"debrief {folder / 'report.html'}")
    return DONE


def _kit(arguments: Arguments) -> int:
    from rca.practice.drill.kit import write_kit

    seed = _seed(arguments.seed)
    hidden = _hidden(arguments, seed)
    of = f"--from {arguments.case.name}" if arguments.case else f"--kind {hidden.kind}"
    start = f"rca drill {of} --level {hidden.level} --seed ask, then type {seed} unseen"
    for path in write_kit(hidden, arguments.kit, start):
        say(str(path))
    tell("The answers are not for the team before the end, and neither is the seed.")
    return DONE


def _hidden(arguments: Arguments, seed: int) -> "Hidden":
    if arguments.case is None:
        from rca.practice.drill.incidents import drawn

        return drawn(seed, kind=arguments.kind, level=arguments.level)
    from rca.practice.drill.own_case import of_case
    from rca.record.case import load

    tell("The cause is being looked up; this takes a while.")
    return of_case(load(arguments.case), seed=seed, level=arguments.level)


def _seed(given: str | None) -> int:
    """The seed: as given, typed unseen, or drawn and told to nobody before the end."""
    if given is None:
        return randbelow(LARGEST)
    text = getpass("Seed (not shown): ", stream=sys.stderr) if given == "ask" else given
    if not text.isascii() or not text.isdigit() or int(text) >= LARGEST:
        raise InvalidCase.because("is no whole number from 0", place="--seed", hint=f"below {LARGEST:,}, or ask")
    return int(text)


def _played(arguments: Arguments, hidden: "Hidden") -> "State":
    from rca.practice.drill.engine import replayed
    from rca.practice.drill.terminal import Clock, Screen, played, read_script, script_of

    def ask(prompt: str) -> None:
        if sys.stdin.isatty():
            print(printable(prompt), end=" ", flush=True)

    def keep(state: "State") -> None:
        if arguments.keep:
            write_whole(arguments.keep, script_of(state).encode())

    screen = Screen(hidden=hidden, say=_on_screen, ask=ask)
    if arguments.script:
        try:
            state = replayed(hidden, read_script(Path(arguments.script).read_text(encoding="utf-8")), arguments.people)
        except (OSError, ValueError) as error:
            raise InvalidCase.because(f"is no script: {error}", place=arguments.script.name) from error
        screen.show(state)
        return state
    clock = Clock(speed=arguments.speed if arguments.clock == "real" else None)
    typed = sys.stdin if not sys.stdin.closed else StringIO()
    return played(hidden, typed, screen, people=arguments.people, clock=clock, keep=keep)


def _on_screen(line: str) -> None:
    print(printable(line), flush=True)


COMMANDS = (
    Command(
        name="drill",
        says="practise: an incident whose cause is hidden unfolds on a clock, and what you do is graded",
        takes=options.drill,
        does=_drill,
    ),
)
