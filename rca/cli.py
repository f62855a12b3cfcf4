"""The commands: answers on stdout, progress and errors on stderr, and an exit status a pipeline can act on.

```
0    done, whatever the verdict
1    the run failed
2    bad input; nothing was written
3    done, and something needs a person
130  interrupted
```
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rca import __version__, argtypes
from rca.errors import InvalidCase, Problem, RcaError, did_you_mean

if TYPE_CHECKING:
    from rca.analysis.inputs.glance import Glance
    from rca.report.run.case_run import RunResult

DONE, FAILED, BAD_INPUT, NEEDS_A_PERSON, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 3, 130, 141

DEMO = "credit-drift"
"""The incident that `rca demo` runs when none is named."""

Arguments = argparse.Namespace

Parser = argparse.ArgumentParser


@dataclass(frozen=True, kw_only=True)
class Command:
    """One word after `rca`: what it does, what it takes, and the function that does it."""

    name: str
    says: str
    takes: Callable[[Parser], None]
    does: Callable[[Arguments], int]


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        _survive_odd_terminals(stream)
    arguments = _parser().parse_args(argv)
    try:
        status: int = arguments.does(arguments)
        sys.stdout.flush()
    except InvalidCase as error:
        return _refuse(error.problems)
    except RcaError as error:
        return _fail(f"{type(error).__name__}: {error}")
    except BrokenPipeError:
        return _hang_up()
    except OSError as error:
        return _fail(f"RunFailed: {error}")
    except KeyboardInterrupt:
        _tell("Interrupted; nothing was published.")
        return INTERRUPTED
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
        _say(f"{folder.name:<16}  {Case.load(folder).incident.title}")
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
    if arguments.json:
        _print_json({"report": str(result.path), "digest": result.digest, "results": result.results})
    else:
        _say_verdict(result)
    return DONE


def _verify(arguments: Arguments) -> int:
    from rca.report.audit.verify import verify

    verification = verify(arguments.report, case=arguments.case, rerun=arguments.rerun)
    _answer(verification, as_json=arguments.json)
    return DONE if verification.ok else NEEDS_A_PERSON


def _sign(arguments: Arguments) -> int:
    from rca.report.audit.sign import sign

    signature = sign(arguments.report, role=arguments.role, name=arguments.name, at=arguments.at)
    if arguments.json:
        _print_json(asdict(signature))
    else:
        _say(f"signed  {signature}")
        _say(f"digest  {signature.digest}")
    return DONE


def _check(arguments: Arguments) -> int:
    from rca.record.check import check

    problems = check(arguments.case)
    windows, said, odd = ([], "", []) if problems else _at_a_glance(arguments.case)
    if arguments.json:
        answer = {"problems": _plain(problems), "remarks": _plain(odd), "windows": [asdict(one) for one in windows]}
        _print_json({"case": str(arguments.case), "sound": not problems, **answer})
        return BAD_INPUT if problems else DONE
    if problems:
        return _refuse(problems)
    for line in (f"{arguments.case}: sound", *map(str, windows), said, *(f"remark  {one}" for one in odd)):
        if line:
            _say(line)
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
        _answer(frameworks(incident), as_json=arguments.json)
        return DONE
    if arguments.among:
        known, unread = past_incidents(arguments.among, reports=arguments.reports)
        for name in unread:
            _tell(f"Left out: {name}, which cannot be read or has no moment.")
    found = duties(incident, arguments.as_of, past_incidents=known)
    if arguments.ics:
        write_calendar(arguments.ics, calendar_text(found, incident.id))
    _answer(found, as_json=arguments.json)
    return NEEDS_A_PERSON if found.overdue else DONE


def _notify(arguments: Arguments) -> int:
    from rca.record.case import load
    from rca.record.obligations.drafts import draft, read_results

    results = read_results(arguments.results) if arguments.results else None
    _answer(draft(load(arguments.case).incident, arguments.form, results=results), as_json=arguments.json)
    return DONE


def _schema(_: Arguments) -> int:
    from rca.record.schema.incident import json_schema

    _print_json(json_schema())
    return DONE


def _new(arguments: Arguments) -> int:
    from rca.record.case import scaffold

    folder = scaffold(arguments.folder, arguments.id)
    _say(str(folder))
    _tell(f"Fill in {folder / 'incident.yaml'}, then: rca check {folder}")
    return DONE


def _score(arguments: Arguments) -> int:
    from rca.practice.score import score

    scored = score(arguments.library, progress=not arguments.quiet)
    _answer(scored, as_json=arguments.json)
    return FAILED if scored.failed else DONE


def _portfolio(arguments: Arguments) -> int:
    from rca.report.run.portfolio_run import run_portfolio

    settings = {
        "as_of": arguments.as_of,
        "split": arguments.split,
        "targets": ",".join(arguments.target),
        "columns": ",".join(arguments.column),
        "zone": arguments.zone,
    }
    given = {name: said for name, said in settings.items() if said}
    run = run_portfolio(arguments.source, out=arguments.out, settings=given, progress=not arguments.quiet)
    _answer(run, as_json=arguments.json)
    return DONE


# --- what they take --------------------------------------------------------------------------------------------------


def _demo_takes(parser: Parser) -> None:
    parser.add_argument("name", nargs="?", default=DEMO, metavar="NAME", help=f"which one; default {DEMO}")
    parser.add_argument("--list", action="store_true", help="list the incidents that ship, and stop")
    _run_options(parser)


def _run_takes(parser: Parser) -> None:
    parser.add_argument("case", type=argtypes.path, metavar="CASE", help="folder of the incident")
    _run_options(parser)


def _run_options(parser: Parser) -> None:
    _out_option(parser)
    parser.add_argument("--only", type=argtypes.names, metavar="A,B", help="only these notebooks, such as drift,causes")
    parser.add_argument(
        "--set",
        type=argtypes.setting,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="set a parameter, such as alpha=0.01",
    )
    parser.add_argument(
        "--seed", type=argtypes.natural, default=0, metavar="N", help="seed of all that is random; default 0"
    )
    _quiet_option(parser)
    _json_option(parser)


def _verify_takes(parser: Parser) -> None:
    parser.add_argument("report", type=argtypes.path, metavar="REPORT", help="folder of the report")
    parser.add_argument("--case", type=argtypes.path, metavar="DIR", help="folder of the incident, where it has moved")
    parser.add_argument("--rerun", action="store_true", help="also run everything again and compare")
    _json_option(parser)


def _sign_takes(parser: Parser) -> None:
    parser.add_argument("report", type=argtypes.path, metavar="REPORT", help="folder of the report")
    parser.add_argument("--role", required=True, metavar="ROLE", help="in which role, such as 'head of risk'")
    parser.add_argument("--name", metavar="NAME", help="a name or pseudonym; none is needed")
    parser.add_argument(
        "--at", type=argtypes.moment, metavar="TIME", help="when: 2026-05-02T09:10:00Z, say; default now"
    )
    _json_option(parser)


def _check_takes(parser: Parser) -> None:
    parser.add_argument("case", type=argtypes.path, metavar="CASE", help="folder of the incident")
    _json_option(parser)


def _obligations_takes(parser: Parser) -> None:
    parser.add_argument("case", type=argtypes.path, metavar="CASE", help="folder of the incident")
    parser.add_argument(
        "--as-of", type=argtypes.moment, metavar="TIME", help="what 'now' is; default the last moment on record"
    )
    parser.add_argument(
        "--among", type=argtypes.path, metavar="DIR", help="folder of cases: look for earlier ones with the same cause"
    )
    parser.add_argument(
        "--reports", type=argtypes.path, metavar="DIR", help="their reports, whose verdicts name causes too"
    )
    parser.add_argument("--ics", type=argtypes.path, metavar="FILE", help="write the deadlines to a calendar file")
    parser.add_argument(
        "--frameworks", action="store_true", help="what NIST AI RMF and ISO/IEC 42001 ask for that the record shows"
    )
    _json_option(parser)


def _notify_takes(parser: Parser) -> None:
    parser.add_argument("case", type=argtypes.path, metavar="CASE", help="folder of the incident")
    parser.add_argument("--form", required=True, metavar="FORM", help="which form, such as oecd_29")
    parser.add_argument("--results", type=argtypes.path, metavar="FILE", help="results.json of a report on it")
    _json_option(parser)


def _schema_takes(_: Parser) -> None:
    """Nothing."""


def _new_takes(parser: Parser) -> None:
    parser.add_argument("id", metavar="ID", help="name of the incident and of its folder")
    parser.add_argument(
        "--in", dest="folder", type=argtypes.path, default=Path(), metavar="DIR", help="where to put it; default here"
    )


def _score_takes(parser: Parser) -> None:
    parser.add_argument("library", type=argtypes.path, metavar="LIBRARY", help="folder of cases, each with answer.yaml")
    _quiet_option(parser)
    _json_option(parser)


def _portfolio_takes(parser: Parser) -> None:
    parser.add_argument(
        "source", type=argtypes.path, metavar="DIR|FILE", help="folder of cases, or a table with a row an incident"
    )
    _out_option(parser)
    parser.add_argument("--as-of", metavar="TIME", help="what 'now' is; default the last moment on record")
    parser.add_argument("--split", metavar="TIME", help="compare incidents from this moment on with those before")
    parser.add_argument("--zone", metavar="ZONE", help="zone of stamps without an offset, such as Europe/Berlin")
    parser.add_argument(
        "--column", action="append", default=[], metavar="WHAT=NAME", help="which column is what, such as end=finished"
    )
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="MEASURE=LIMIT:SHARE",
        help="a promise, such as time_to_recover=4h:0.95, or time_to_recover@sev1=1h",
    )
    _quiet_option(parser)
    _json_option(parser)


def _out_option(parser: Parser) -> None:
    parser.add_argument(
        "--out", type=argtypes.path, default=Path("reports"), metavar="DIR", help="where reports go; default reports"
    )


def _quiet_option(parser: Parser) -> None:
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def _json_option(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="answer in JSON")


COMMANDS = (
    Command(name="demo", says="run an incident that ships, and say where the report is", takes=_demo_takes, does=_demo),
    Command(name="run", says="run the notebooks on a case and publish the report", takes=_run_takes, does=_run),
    Command(
        name="verify", says="is this report intact, and can it be derived again?", takes=_verify_takes, does=_verify
    ),
    Command(
        name="sign", says="stand by a report: write your role and its digest beside it", takes=_sign_takes, does=_sign
    ),
    Command(name="check", says="is this case sound? every problem at once", takes=_check_takes, does=_check),
    Command(
        name="obligations",
        says="which reporting duties run, until when, and what would have to be known?",
        takes=_obligations_takes,
        does=_obligations,
    ),
    Command(
        name="notify",
        says="draft a report in the order of a regulator's form; what is missing is marked, and nothing is sent",
        takes=_notify_takes,
        does=_notify,
    ),
    Command(name="schema", says="print the JSON Schema of incident.yaml", takes=_schema_takes, does=_schema),
    Command(name="new", says="start a case: a folder with a commented incident.yaml", takes=_new_takes, does=_new),
    Command(
        name="portfolio",
        says="how long did many incidents take, and what recurs?",
        takes=_portfolio_takes,
        does=_portfolio,
    ),
    Command(name="score", says="analyse cases whose cause is known; was it named?", takes=_score_takes, does=_score),
)


class _Help(argparse.HelpFormatter):
    """Help with room for the longest command: argparse forgets that commands are indented further than options."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = max(len(command.name) for command in COMMANDS) + 4


def _parser() -> Parser:
    parser = Parser(
        prog="rca",
        description="From the folder of a closed incident to a post-mortem that can be re-run.",
        epilog="Exit status: 0 done, 1 the run failed, 2 bad input and nothing written, 3 something needs a person.",
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


# --- telling ---------------------------------------------------------------------------------------------------------


def _say_verdict(result: "RunResult") -> None:
    verdict = result.results["verdict"]
    _say(f"{verdict['status'].replace('_', ' ')}: {verdict['summary']}")
    told = [one for one in verdict["causes"] if verdict["status"] == "cannot_tell" or one["strength"] != "assumed"]
    for rank, cause in enumerate(told, start=1):
        _say(f"  {rank}. {_cause(cause)}")
    _say(f"report  {result.path / 'report.html'}")
    _say(f"digest  {result.digest}")
    _say(f"verify  {_self()} verify {result.path}")


def _cause(cause: dict[str, Any]) -> str:
    """A cause in one line.

    >>> _cause({"kind": "feature", "name": "pmms", "fault": "frozen", "contribution": 0.49,
    ...         "interval": [0.46, 0.52], "strength": "shown"})
    'pmms (feature, frozen): +0.49, 0.46 to 0.52, shown'
    """
    kind = ", ".join(word for word in (cause["kind"], cause.get("fault")) if word)
    harm, interval = cause.get("contribution"), cause.get("interval")
    parts = [
        f"{harm:+.3g}" if harm is not None else "",
        f"{interval[0]:.3g} to {interval[1]:.3g}" if interval else "",
        cause.get("strength") or "",
    ]
    return f"{cause['name']} ({kind}): " + ", ".join(part for part in parts if part)


def _answer(result: Any, *, as_json: bool) -> None:
    if as_json:
        _print_json(result.to_dict())
        return
    for line in str(result).splitlines():
        _say(line)


def _self() -> str:
    """How this command is called from here: by its name where that is found, else by its path."""
    found = shutil.which("rca")
    if found and Path(found).resolve() == Path(sys.argv[0]).resolve():
        return "rca"
    return os.path.relpath(sys.argv[0]) if Path(sys.argv[0]).name == "rca" else "rca"


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, allow_nan=False))


def _say(line: str) -> None:
    print(printable(line))


def _tell(line: str) -> None:
    print(printable(line), file=sys.stderr)


def printable(text: str) -> str:
    r"""The text with everything escaped that a terminal could obey instead of show; it stays one line.

    >>> printable("plain, naïve, 故障")
    'plain, naïve, 故障'
    >>> print(printable("\x1b[2Jgone\nInvalidCase: forged\u202e"))
    \x1b[2Jgone\nInvalidCase: forged\u202e
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def _refuse(problems: Iterable[Problem]) -> int:
    for problem in problems:
        _tell(f"InvalidCase: {problem}")
    return BAD_INPUT


def _fail(message: str) -> int:
    _tell(message)
    return FAILED


def _hang_up() -> int:
    """Go quietly when the reader of our output has gone; Python would complain once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PIPE_CLOSED


def _survive_odd_terminals(stream: Any) -> None:
    """Escape what the terminal's encoding lacks; the streams that tests and notebooks put in place need no help."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
