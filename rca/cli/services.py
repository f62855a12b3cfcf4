"""The commands that run without anybody beside them: a batch of cases, and the service."""

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from rca.cli import argtypes, options
from rca.cli.command import DONE, FAILED, Arguments, Command
from rca.cli.telling import answer, print_json, printable, say, tell

if TYPE_CHECKING:
    from rca.service.batch import Ran


def _batch(arguments: Arguments) -> int:
    from rca.service.batch import folders, run_batch

    cases = folders(arguments.cases)
    how = {"only": arguments.only, "settings": argtypes.settings(arguments.set), "seed": arguments.seed}
    limits = {"memory": arguments.memory * 10**9}
    teller = (lambda _ran, _left: None) if arguments.quiet else _teller(len(cases))
    found = run_batch(
        cases,
        out=arguments.out,
        workers=arguments.workers,
        job={**how, **limits},
        seconds=arguments.seconds,
        again=arguments.again,
        tell=teller,
    )
    answer(found, as_json=arguments.json)
    return FAILED if found.failed else DONE


def _teller(cases: int) -> "Callable[[Ran, int], None]":
    """A line a case on stderr, with how many are through."""

    def told(ran: "Ran", left: int) -> None:
        print(printable(f"{cases - left:>{len(str(cases))}}/{cases}  {ran}"), file=sys.stderr, flush=True)

    return told


def _serve(arguments: Arguments) -> int:
    from rca.service import serve

    if arguments.schema:
        from rca.service.configuration import json_schema

        print_json(json_schema())
        return DONE
    if arguments.demo:
        from rca.service.demo import demo

        with suppress(KeyboardInterrupt):
            demo(arguments.file.parent / "rca-demo", tell)
    elif arguments.worker:
        serve.work(arguments.file)
    elif arguments.check:
        return _checked(serve.check(arguments.file), as_json=arguments.json)
    else:
        with suppress(KeyboardInterrupt):  # uvicorn has ended what was under way, and raises the signal again
            serve.serve(arguments.file)
    return DONE


def _checked(found: list[tuple[str, str]], *, as_json: bool) -> int:
    works = not any(why for _, why in found)
    if as_json:
        print_json({"works": works, "parts": [{"part": name, "works": not why, "why": why} for name, why in found]})
    else:
        for name, why in found:
            say(f"{'fails' if why else 'works'}  {name}" + (f": {why}" if why else ""))
    if not works:
        tell("Not everything that is configured works.")
    return DONE if works else FAILED


COMMANDS = (
    Command(
        name="batch", says="run many cases side by side; what is up to date stays", takes=options.batch, does=_batch
    ),
    Command(
        name="serve",
        says="receive webhooks, and write the report when an incident closes",
        takes=options.serve,
        does=_serve,
    ),
)
