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
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rca import __version__
from rca.cli import argtypes, options
from rca.cli.ending import hint_of, limit_of_memory, stoppable
from rca.cli.telling import answer, print_json, printable, say, say_verdict, tell, write_whole
from rca.errors import InvalidCase, Problem, RcaError, did_you_mean

if TYPE_CHECKING:
    from rca.analysis.inputs.glance import Glance
    from rca.importers.importing import Imported
    from rca.importers.reading import Given
    from rca.report.rendering.document import Document
    from rca.report.run.case_run import RunResult

DONE, FAILED, BAD_INPUT, NEEDS_A_PERSON, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 3, 130, 141

Arguments = argparse.Namespace


@dataclass(frozen=True, kw_only=True)
class Command:
    """One word after `rca`: what it does, what it takes, and the function that does it."""

    name: str
    says: str
    takes: Callable[[options.Parser], None]
    does: Callable[[Arguments], int]


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looked for at every start, and no part of a check
    for stream in (sys.stdout, sys.stderr):
        _survive_odd_terminals(stream)
    arguments = _parser().parse_args(argv)
    try:
        with stoppable():
            status = _ended(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        return _hang_up()
    return status


def _ended(arguments: Arguments) -> int:
    """Exit status of a command, however it ends; a reader of our output who has gone is none of its ends."""
    try:
        status: int = arguments.does(arguments)
    except InvalidCase as error:
        return _refuse(error.problems)
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


# --- the commands ----------------------------------------------------------------------------------------------------


def _demo(arguments: Arguments) -> int:
    if arguments.list:
        return _list_demos()
    arguments.case = _near(_shipped(arguments.name))
    return _run(arguments)


def _list_demos() -> int:
    from rca.record.case import Case

    for folder in _demos():
        say(f"{folder.name:<16}  {Case.load(folder).incident.title}")
    return DONE


def _run(arguments: Arguments) -> int:
    from rca.report.run.case_run import run

    result = run(
        arguments.case,
        out=arguments.out,
        only=arguments.only,
        settings=argtypes.settings(arguments.set),
        seed=arguments.seed,
        progress=not arguments.quiet,
    )
    printed = _printed(result) if arguments.pdf else None
    if arguments.json:
        paper = {} if printed is None else {"pdf": str(printed)}
        print_json({"report": str(result.path), **paper, "digest": result.digest, "results": result.results})
    else:
        say_verdict(result)
        if printed is not None:
            say(f"pdf     {printed}")
    return DONE


def _printed(result: "RunResult") -> Path:
    """The page as PDF, beside the report: its folder is sealed."""
    from rca.report.run.pdf import print_page

    to = result.path.with_name(f"{result.path.name}.pdf")
    tell(f"printed by {print_page(result.folder / 'report.html', to)}")
    return to


def _verify(arguments: Arguments) -> int:
    from rca.report.audit.verify import verify

    verification = verify(arguments.report, case=arguments.case, rerun=arguments.rerun, keys=arguments.key)
    answer(verification, as_json=arguments.json)
    return verification.status


def _sign(arguments: Arguments) -> int:
    from rca.report.audit.sign import sign

    how = {"name": arguments.name, "at": arguments.at, "key": arguments.key}
    signature = sign(arguments.report, role=arguments.role, **how)
    if arguments.json:
        print_json(asdict(signature))
    else:
        say(f"signed  {signature}")
        say(f"digest  {signature.digest}")
    return DONE


def _check(arguments: Arguments) -> int:
    from rca.record.check import check

    problems = check(arguments.case)
    windows, said, odd = ([], "", []) if problems else _at_a_glance(arguments.case)
    if arguments.json:
        answer = {"problems": _plain(problems), "remarks": _plain(odd), "windows": [asdict(one) for one in windows]}
        print_json({"case": str(arguments.case), "sound": not problems, **answer})
        return BAD_INPUT if problems else DONE
    if problems:
        return _refuse(problems)
    for line in (f"{arguments.case}: sound", *map(str, windows), said, *(f"remark  {one}" for one in odd)):
        if line:
            say(line)
    return DONE


def _at_a_glance(folder: Path) -> "tuple[list[Glance], str, list[Problem]]":
    """The windows of a sound case, what its metric did, and what is odd about its rows."""
    from rca.analysis.inputs.glance import glance
    from rca.record.case import load
    from rca.record.remarks import remarks

    case = load(folder)
    return *glance(case), remarks(case)


def _plain(problems: Iterable[Problem]) -> list[dict[str, str]]:
    return [{"place": problem.place, "what": problem.what, "hint": problem.hint} for problem in problems]


def _obligations(arguments: Arguments) -> int:
    from rca.record.case import load
    from rca.record.obligations.duties import duties
    from rca.record.obligations.frameworks import frameworks
    from rca.record.obligations.ics import calendar_text, write_calendar
    from rca.record.past import past_incidents

    incident, known = load(arguments.case).incident, None
    if arguments.frameworks:
        answer(frameworks(incident), as_json=arguments.json)
        return DONE
    if arguments.among:
        known, unread = past_incidents(arguments.among, reports=arguments.reports)
        for name in unread:
            tell(f"Left out: {name}, which cannot be read or has no moment.")
    found = duties(incident, arguments.as_of, past_incidents=known)
    if arguments.ics:
        write_calendar(arguments.ics, calendar_text(found, incident.id))
    answer(found, as_json=arguments.json)
    return NEEDS_A_PERSON if found.overdue else DONE


def _notify(arguments: Arguments) -> int:
    from rca.record.case import load
    from rca.record.obligations.drafts import draft, read_draft
    from rca.report.postmortem.duties import draft_document

    incident = load(arguments.case).incident
    earlier = read_draft(arguments.earlier) if arguments.earlier else None
    found = draft(incident, arguments.form, results=_results(arguments, incident.id), earlier=earlier)
    if arguments.json:
        print_json(found.to_dict())
        return DONE
    return _written(arguments, str(found), lambda: draft_document(found))


def _board(arguments: Arguments) -> int:
    from rca.record.case import load
    from rca.report.brief.board import board
    from rca.report.rendering.document_formats import to_markdown

    incident = load(arguments.case).incident
    page = board(incident, _results(arguments, incident.id))
    return _written(arguments, to_markdown(page), lambda: page)


def _results(arguments: Arguments, incident: str) -> "Mapping[str, Any] | None":
    from rca.record.obligations.drafts import read_results

    return read_results(arguments.results, incident) if arguments.results else None


def _written(arguments: Arguments, text: str, document: "Callable[[], Document]") -> int:
    """Say a text, or write it or its document to a file."""
    from rca.report.rendering.document_formats import to_html
    from rca.report.rendering.docx_writer import to_docx

    formats = {"docx": lambda: to_docx(document()), "html": lambda: to_html(document()).encode()}
    _put(arguments, formats.get(arguments.format, text.encode))
    return DONE


def _put(arguments: Arguments, raw: "Callable[[], bytes]") -> None:
    """Say a text, or write it, or what is none, to a file."""
    if arguments.format == "docx" and arguments.out is None:
        raise InvalidCase.because("is no text for a terminal", place="--format docx", hint="name a file: --out FILE")
    if arguments.out is not None:
        write_whole(arguments.out, raw())
        say(str(arguments.out))
        return
    for line in raw().decode().splitlines():
        say(line)


def _schema(_: Arguments) -> int:
    from rca.record.schema.incident import json_schema

    print_json(json_schema())
    return DONE


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


def _brief(arguments: Arguments) -> int:
    from rca.report.first_response.brief import brief, written

    document, problems = brief(arguments.case, audience=arguments.audience, playbooks=arguments.playbooks)
    _put(arguments, lambda: written(document, arguments.format))
    for problem in problems:
        tell(f"Left out: {problem}")
    return NEEDS_A_PERSON if problems else DONE


def _imported(done: "Imported", *, as_json: bool) -> int:
    answer(done, as_json=as_json)
    return NEEDS_A_PERSON if done.contradictions or done.asked else DONE


def _given(arguments: Arguments) -> "Given":
    from rca.importers.reading import Given

    at = arguments.at.isoformat() if arguments.at else None
    plainly = {name: getattr(arguments, name) for name in ("incident", "zone", "unit", "system", "alias", "columns")}
    return Given(**plainly, at=at, names=argtypes.settings(arguments.moment))


def _lab(arguments: Arguments) -> int:
    from rca.record.case import load
    from rca.report.notebooks.workbench import workbench

    made = workbench(load(arguments.case), arguments.folder)
    say(str(made.notebook))
    tell("Made now; nothing will write over it." if made.fresh else "As you left it; its cells are yours.")
    if arguments.prepare:
        return DONE
    root = ["--allow-root"] if os.geteuid() == 0 else []
    return subprocess.run([sys.executable, "-m", "jupyterlab", *root, str(made.notebook)], check=False).returncode


def _index(arguments: Arguments) -> int:
    from rca.report.page.index import entries, index_page, require_own

    found, unread = entries(arguments.folder)
    require_own(to := arguments.folder / "index.html")
    write_whole(to, index_page(found, unread).encode())
    say(str(to))
    for name in unread:
        tell(f"Not listed: {name}, which is no report of a run.")
    return NEEDS_A_PERSON if unread else DONE


def _score(arguments: Arguments) -> int:
    from rca.practice.score import score

    scored = score(arguments.library, progress=not arguments.quiet)
    answer(scored, as_json=arguments.json)
    return FAILED if scored.failed else DONE


def _portfolio(arguments: Arguments) -> int:
    from rca.report.run.portfolio_run import run_portfolio
    from rca.report.run.risk_register import read_appetite, register

    if arguments.register and not arguments.appetite:
        raise InvalidCase.because("has no limits to list", place="--register", hint="give them: --appetite FILE")
    settings = {
        "as_of": arguments.as_of,
        "split": arguments.split,
        "targets": ",".join(arguments.target),
        "appetite": read_appetite(arguments.appetite) if arguments.appetite else "",
        "columns": ",".join(arguments.column),
        "zone": arguments.zone,
    }
    given = {name: said for name, said in settings.items() if said}
    run = run_portfolio(arguments.source, out=arguments.out, settings=given, progress=not arguments.quiet)
    if arguments.register:
        write_whole(arguments.register, register(run.found, arguments.register))
        tell(f"Risk register: {arguments.register}")
    answer(run, as_json=arguments.json)
    return DONE


COMMANDS = (
    Command(
        name="demo",
        says="run an incident that ships, and say where the report is",
        takes=options.demo,
        does=_demo,
    ),
    Command(name="run", says="run the notebooks on a case and publish the report", takes=options.run, does=_run),
    Command(
        name="verify",
        says="is this report intact, and can it be derived again?",
        takes=options.verify,
        does=_verify,
    ),
    Command(
        name="sign",
        says="stand by a report: write your role and its digest beside it",
        takes=options.sign,
        does=_sign,
    ),
    Command(name="check", says="is this case sound? every problem at once", takes=options.check, does=_check),
    Command(
        name="obligations",
        says="which reporting duties run, until when, and what would have to be known?",
        takes=options.obligations,
        does=_obligations,
    ),
    Command(
        name="notify",
        says="draft a report in the order of a regulator's form; what is missing is marked, and nothing is sent",
        takes=options.notify,
        does=_notify,
    ),
    Command(
        name="board",
        says="one page for a board: situation, task, action, result, risk, and what it is asked to decide",
        takes=options.board,
        does=_board,
    ),
    Command(name="schema", says="print the JSON Schema of incident.yaml", takes=options.schema, does=_schema),
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
    Command(
        name="portfolio",
        says="how long did many incidents take, and what recurs?",
        takes=options.portfolio,
        does=_portfolio,
    ),
    Command(
        name="lab",
        says="open a notebook of your own on a case, beside no report; it is made once and never written over",
        takes=options.lab,
        does=_lab,
    ),
    Command(name="index", says="write the page over a folder of reports", takes=options.index, does=_index),
    Command(name="score", says="analyse cases whose cause is known; was it named?", takes=options.score, does=_score),
)


class _Help(argparse.HelpFormatter):
    """Help with room for the longest command: argparse forgets that commands are indented further than options."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = max(len(command.name) for command in COMMANDS) + 4


def _parser() -> options.Parser:
    parser = options.Parser(
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


# --- incidents that ship ---------------------------------------------------------------------------------------------


def _demos() -> list[Path]:
    from rca.shipped import incidents

    return sorted(file.parent for file in incidents().glob("*/incident.yaml"))


def _shipped(name: str) -> Path:
    """The folder of a shipped incident."""
    folders = {folder.name: folder for folder in _demos()}
    if name not in folders:
        raise InvalidCase.because(
            f"no incident named {name!r} ships with rca", place="rca demo", hint=did_you_mean(name, folders)
        )
    return folders[name]


def _near(path: Path) -> Path:
    """The path as seen from here where it is below, so that a report names no folder of this machine."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


# --- how it ends -----------------------------------------------------------------------------------------------------


def _refuse(problems: Iterable[Problem]) -> int:
    for problem in problems:
        tell(f"InvalidCase: {problem}")
    return BAD_INPUT


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
