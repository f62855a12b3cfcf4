"""The commands on reports: make, verify, sign, list and compare them."""

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rca.cli import argtypes, options
from rca.cli.command import DONE, FAILED, NEEDS_A_PERSON, Arguments, Command
from rca.cli.telling import answer, print_json, say, say_verdict, tell
from rca.errors import InvalidCase, did_you_mean
from rca.record.files.whole_file import write_whole

if TYPE_CHECKING:
    from rca.report.run.case_run import RunResult


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
        plotly_file=arguments.plotly_file,
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


def _archive(arguments: Arguments) -> int:
    from rca.report.audit.archive import archive

    packed = archive(arguments.report, to=arguments.to, inputs=arguments.inputs, case=arguments.case)
    answer(packed, as_json=arguments.json)
    return DONE


def _lab(arguments: Arguments) -> int:
    import subprocess

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


def _portfolio(arguments: Arguments) -> int:
    from rca.record.files.drill_file import read_drills
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
        "drills": read_drills(arguments.drills) if arguments.drills else "",
    }
    given = {name: said for name, said in settings.items() if said}
    run = run_portfolio(arguments.source, out=arguments.out, settings=given, progress=not arguments.quiet)
    if arguments.register:
        write_whole(arguments.register, register(run.found, arguments.register))
        tell(f"Risk register: {arguments.register}")
    answer(run, as_json=arguments.json)
    return DONE


def _score(arguments: Arguments) -> int:
    from rca.practice.score import score

    scored = score(arguments.library, progress=not arguments.quiet)
    answer(scored, as_json=arguments.json)
    return FAILED if scored.failed else DONE


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
    Command(
        name="archive",
        says="pack a report for an archive: a BagIt bag whose payload is an RO-Crate",
        takes=options.archive,
        does=_archive,
    ),
    Command(
        name="lab",
        says="open a notebook of your own on a case, beside no report; it is made once and never written over",
        takes=options.lab,
        does=_lab,
    ),
    Command(name="index", says="write the page over a folder of reports", takes=options.index, does=_index),
    Command(
        name="portfolio",
        says="how long did many incidents take, and what recurs?",
        takes=options.portfolio,
        does=_portfolio,
    ),
    Command(name="score", says="analyse cases whose cause is known; was it named?", takes=options.score, does=_score),
)
