"""The commands on a record: begin, fill and check it, and say what it tells in the first hour."""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rca.cli import argtypes, options
from rca.cli.command import BAD_INPUT, DONE, NEEDS_A_PERSON, Arguments, Command
from rca.cli.telling import answer, print_json, printable, put, refuse, say, tell
from rca.errors import Problem

if TYPE_CHECKING:
    from rca.analysis.inputs.glance import Glance
    from rca.importers.fact import Given
    from rca.importers.importing import Imported
    from rca.report.manifest.personal_inputs import Personal


def _new(arguments: Arguments) -> int:
    from rca.record.case import scaffold

    if arguments.files:
        return _new_from(arguments)
    folder = scaffold(arguments.folder, arguments.id)
    if sys.stdin.isatty() and sys.stderr.isatty() and not arguments.quiet:
        _ask_first(folder)
    say(str(folder))
    tell(f"Fill in {folder / 'incident.yaml'}, then: rca check {folder}")
    return DONE


def _ask_first(folder: Path) -> None:
    """Ask on the terminal what to log first."""
    from rca.record.first_log import ask_first

    def ask(question: str) -> str:
        print(printable(question), end=" ", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
        if not answer:
            raise EOFError
        return answer

    tell("Six questions; Enter skips one, Ctrl-D the rest.")
    ask_first(folder, ask, tell)


def _new_from(arguments: Arguments) -> int:
    from rca.importers.importing import new_from

    done = new_from(arguments.folder, arguments.id, arguments.files, by=arguments.source, given=_given(arguments))
    return _imported(done, as_json=arguments.json)


def _import(arguments: Arguments) -> int:
    from rca.importers.importing import import_files

    done = import_files(
        arguments.into, arguments.files, by=arguments.source, given=_given(arguments), attach=arguments.attach
    )
    return _imported(done, as_json=arguments.json)


def _imported(done: "Imported", *, as_json: bool) -> int:
    answer(done, as_json=as_json)
    return NEEDS_A_PERSON if done.contradictions or done.asked else DONE


def _given(arguments: Arguments) -> "Given":
    from rca.importers.fact import Given

    at = arguments.at.isoformat() if arguments.at else None
    plainly = {name: getattr(arguments, name) for name in ("incident", "zone", "unit", "system", "alias", "columns")}
    return Given(**plainly, at=at, names=argtypes.settings(arguments.moment))


def _brief(arguments: Arguments) -> int:
    from rca.report.first_response.brief import brief, written

    document, problems = brief(arguments.case, audience=arguments.audience, playbooks=arguments.playbooks)
    put(arguments.format, arguments.out, lambda: written(document, arguments.format))
    for problem in problems:
        tell(f"Left out: {problem}")
    return NEEDS_A_PERSON if problems else DONE


def _freeze(arguments: Arguments) -> int:
    from rca.record.freeze import freeze

    files = {what: Path(file) for what, file in argtypes.settings(arguments.what).items()}
    said = argtypes.settings(arguments.said)
    taken = freeze(arguments.case, files, role=arguments.role, said=said, at=arguments.at)
    if arguments.json:
        print_json([asdict(one) for one in taken])
    else:
        for one in taken:
            say(str(one))
    return DONE


def _check(arguments: Arguments) -> int:
    from rca.record.check import check

    problems = check(arguments.case)
    windows, said, odd, hidden = ([], "", [], None) if problems else _at_a_glance(arguments.case)
    problems += hidden.problems if hidden else ()
    masked = hidden.log if hidden else ()
    if arguments.json:
        answer = {"problems": _plain(problems), "remarks": _plain(odd), "windows": [asdict(one) for one in windows]}
        answer["masked"] = [asdict(one) for one in masked]
        print_json({"case": str(arguments.case), "sound": not problems, **answer})
        return BAD_INPUT if problems else DONE
    if problems:
        refuse(problems)
        return BAD_INPUT
    told = (*(f"remark  {one}" for one in odd), *(f"masked  {one}" for one in masked))
    for line in (f"{arguments.case}: sound", *map(str, windows), said, *told):
        if line:
            say(line)
    return DONE


def _at_a_glance(folder: Path) -> "tuple[list[Glance], str, list[Problem], Personal]":
    """The windows of a sound case, what its metric did, what is odd about its rows, and what a report masks."""
    from rca.analysis.inputs.glance import glance
    from rca.record.case import load
    from rca.record.remarks import remarks
    from rca.report.manifest.personal_inputs import personal

    case = load(folder)
    return *glance(case), remarks(case), personal(case)


def _plain(problems: Iterable[Problem]) -> list[dict[str, str]]:
    return [{"place": problem.place, "what": problem.what, "hint": problem.hint} for problem in problems]


def _schema(_: Arguments) -> int:
    from rca.record.schema.incident import json_schema

    print_json(json_schema())
    return DONE


COMMANDS = (
    Command(
        name="new",
        says="start a case: a folder with a commented incident.yaml, or with what vendors' files say",
        takes=options.new,
        does=_new,
    ),
    Command(
        name="import", says="take vendors' files into a case: one timeline", takes=options.import_files, does=_import
    ),
    Command(
        name="brief",
        says="what to do and whom to tell first, from the record alone; nothing is sent",
        takes=options.brief,
        does=_brief,
    ),
    Command(
        name="freeze",
        says="keep what a repair will overwrite: model, prompt, configuration",
        takes=options.freeze,
        does=_freeze,
    ),
    Command(name="check", says="is this case sound? every problem at once", takes=options.check, does=_check),
    Command(name="schema", says="print the JSON Schema of incident.yaml", takes=options.schema, does=_schema),
)
