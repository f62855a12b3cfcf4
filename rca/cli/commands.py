"""The commands: answers on stdout, progress and errors on stderr, and an exit status a pipeline can act on.

```
0    done, whatever the verdict
1    the run failed
2    bad input; nothing was written
3    done, and something needs a person
4    it cannot be said: the inputs of a report are gone
130  interrupted; 143 stopped, 129 its terminal closed, 141 its reader gone
```
"""

import argparse
import os
import sys
from typing import Any

from rca import __version__
from rca.cli import drills, duties, records, reports, services
from rca.cli.command import BAD_INPUT, FAILED, INTERRUPTED, PIPE_CLOSED
from rca.cli.ending import hint_of, limit_of_memory, stoppable
from rca.cli.telling import refuse, tell
from rca.errors import InvalidCase, RcaError

COMMANDS = (*reports.COMMANDS, *records.COMMANDS, *duties.COMMANDS, *services.COMMANDS, *drills.COMMANDS)


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looked for at every start, and no part of a check
    for stream in (sys.stdout, sys.stderr):
        _survive_odd_terminals(stream)
    try:
        with stoppable():
            status = _ended(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        return _hang_up()
    return status


def _ended(argv: list[str] | None) -> int:
    """Exit status of a command, however it ends; a reader of our output who has gone is none of its ends."""
    try:
        arguments = _parser().parse_args(argv)
        status: int = arguments.does(arguments)
    except InvalidCase as error:
        refuse(error.problems)
        return BAD_INPUT
    except RcaError as error:
        return _fail(f"{type(error).__name__}: {error}")
    except BrokenPipeError:
        raise
    except OSError as error:
        return _fail(f"RunFailed: {error}. Hint: {hint_of(error)}")
    except Exception as error:
        if not (limit := limit_of_memory(error)):
            raise  # a mistake in our own code is not dressed up as an answer
        return _fail(f"RunFailed: {type(error).__name__} {limit}. Hint: allow this process more memory (ulimit -v)")
    except KeyboardInterrupt as stop:
        tell(f"{str(stop) or 'Interrupted'}; nothing was published.")
        return getattr(stop, "status", INTERRUPTED)
    return status


class _Help(argparse.HelpFormatter):
    """Help with room for the longest command: argparse forgets that commands are indented further than options."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = max(len(command.name) for command in COMMANDS) + 4


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rca",
        description="From the folder of a closed incident to a post-mortem that can be re-run.",
        epilog="Exit status: 0 done, 1 the run failed, 2 bad input and nothing written, 3 something needs a person, "
        "4 it cannot be said.",
        allow_abbrev=False,
        formatter_class=_Help,
    )
    parser.add_argument("--version", action="version", version=f"rca {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = commands.add_parser(
            command.name, help=command.says, description=_sentence(command.says), allow_abbrev=False
        )
        command.takes(sub)
        sub.set_defaults(does=command.does)
    return parser


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + ("" if words.endswith("?") else ".")


def _fail(message: str) -> int:
    tell(message)
    return FAILED


def _hang_up() -> int:
    """Go quietly when the reader of our output has gone; Python would complain once more at exit."""
    for stream in (sys.stdout, sys.stderr):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return PIPE_CLOSED


def _survive_odd_terminals(stream: Any) -> None:
    """Escape what the terminal's encoding lacks; the streams that tests and notebooks put in place need no help."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
