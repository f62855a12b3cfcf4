"""What each command takes: its arguments and options, with their help."""

import argparse
from pathlib import Path

from rca.cli import argtypes

DEMO = "credit-drift"
"""The incident that `rca demo` runs when none is named."""

Parser = argparse.ArgumentParser


def demo(parser: Parser) -> None:
    """`rca demo`."""
    parser.add_argument("name", nargs="?", default=DEMO, metavar="NAME", help=f"which one; default {DEMO}")
    parser.add_argument("--list", action="store_true", help="list the incidents that ship, and stop")
    _run_options(parser)


def run(parser: Parser) -> None:
    """`rca run`."""
    parser.add_argument("case", type=argtypes.path, metavar="CASE", help="folder of the incident")
    _run_options(parser)


def _run_options(parser: Parser) -> None:
    _how_options(parser)
    parser.add_argument(
        "--pdf", action="store_true", help="also print the page, to DIR/<id>.pdf, by Chromium or WeasyPrint"
    )
    parser.add_argument(
        "--plotly-file",
        action="store_true",
        help="a small page; plotly.js is a file beside it, on disk once in DIR",
    )
    _quiet_option(parser)
    _json_option(parser)


def _how_options(parser: Parser) -> None:
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


def batch(parser: Parser) -> None:
    """`rca batch`."""
    parser.add_argument(
        "cases", type=argtypes.path, nargs="+", metavar="CASE", help="folders of incidents, or folders of such folders"
    )
    parser.add_argument(
        "--workers", type=argtypes.natural, default=2, metavar="N", help="how many at a time; default 2"
    )
    parser.add_argument(
        "--seconds", type=argtypes.natural, default=1_800, metavar="S", help="that one may take; default 1800"
    )
    parser.add_argument(
        "--memory", type=argtypes.natural, default=8, metavar="GB", help="of address space of each process; default 8"
    )
    parser.add_argument("--again", action="store_true", help="run also what is up to date")
    _how_options(parser)
    _quiet_option(parser)
    _json_option(parser)


def serve(parser: Parser) -> None:
    """`rca serve`."""
    parser.add_argument(
        "file", type=argtypes.path, nargs="?", default=Path("rca.toml"), metavar="FILE", help="default rca.toml"
    )
    does = parser.add_mutually_exclusive_group()
    does.add_argument("--check", action="store_true", help="say what of the configuration works, and stop")
    does.add_argument("--schema", action="store_true", help="print the JSON Schema of the configuration")
    does.add_argument(
        "--demo", action="store_true", help="serve an incident that ships, in rca-demo: post it, report it"
    )
    does.add_argument("--worker", action="store_true", help="only take work, on this or another machine, through Redis")
    _json_option(parser)


def verify(parser: Parser) -> None:
    """`rca verify`."""
    parser.add_argument("report", type=argtypes.path, metavar="REPORT", help="folder of the report")
    parser.add_argument("--case", type=argtypes.path, metavar="DIR", help="folder of the incident, where it has moved")
    parser.add_argument("--rerun", action="store_true", help="also run everything again and compare")
    parser.add_argument(
        "--key",
        type=argtypes.path,
        action="append",
        default=[],
        metavar="FILE",
        help="public key of one who signs; what no such key signed is void",
    )
    _json_option(parser)


def sign(parser: Parser) -> None:
    """`rca sign`."""
    parser.add_argument("report", type=argtypes.path, metavar="REPORT", help="folder of the report")
    parser.add_argument("--role", required=True, metavar="ROLE", help="in which role, such as 'head of risk'")
    parser.add_argument("--name", metavar="NAME", help="a name or pseudonym; none is needed")
    parser.add_argument("--key", type=argtypes.path, metavar="FILE", help="private Ed25519 key, in PEM, to sign with")
    parser.add_argument(
        "--at", type=argtypes.moment, metavar="TIME", help="when: 2026-05-02T09:10:00Z, say; default now"
    )
    _json_option(parser)


def archive(parser: Parser) -> None:
    """`rca archive`."""
    parser.add_argument("report", type=argtypes.path, metavar="REPORT", help="folder of the report")
    parser.add_argument("--to", type=argtypes.path, required=True, metavar="DIR", help="the bag to make, a new folder")
    parser.add_argument("--inputs", action="store_true", help="pack the files of the case too, not their digests alone")
    parser.add_argument("--case", type=argtypes.path, metavar="DIR", help="folder of the incident, where it has moved")
    _json_option(parser)


def check(parser: Parser) -> None:
    """`rca check`."""
    parser.add_argument("case", type=argtypes.path, metavar="CASE", help="folder of the incident")
    _json_option(parser)


def obligations(parser: Parser) -> None:
    """`rca obligations`."""
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
    parser.add_argument(
        "--taxonomy", action="store_true", help="what kind of incident it was, by OECD and MIT: decided or suggested"
    )
    _results_option(parser)
    _json_option(parser)


def notify(parser: Parser) -> None:
    """`rca notify`."""
    parser.add_argument("case", type=argtypes.path, metavar="CASE", help="folder of the incident")
    parser.add_argument("--form", required=True, metavar="FORM", help="which form, such as oecd_29")
    _results_option(parser)
    parser.add_argument(
        "--earlier", type=argtypes.path, metavar="FILE", help="draft of an earlier report, by --json: show what changed"
    )
    _document_options(parser)
    _json_option(parser)


def export(parser: Parser) -> None:
    """`rca export`."""
    parser.add_argument("case", type=argtypes.path, metavar="CASE", help="folder of the incident")
    parser.add_argument("--schema", required=True, choices=("oecd", "aiid"), help="whose fields")
    _results_option(parser)
    parser.add_argument("--confidential", action="store_true", help="with what is left out of a public record")
    parser.add_argument("--out", type=argtypes.path, metavar="FILE", help="write it there; default: on stdout")


def board(parser: Parser) -> None:
    """`rca board`."""
    parser.add_argument("case", type=argtypes.path, metavar="CASE", help="folder of the incident")
    _results_option(parser)
    _document_options(parser)


def _results_option(parser: Parser) -> None:
    parser.add_argument("--results", type=argtypes.path, metavar="FILE", help="results.json of a report on it")


def _document_options(parser: Parser) -> None:
    parser.add_argument(
        "--format",
        choices=("text", "html", "docx", "pdf"),
        default="text",
        help="default text; docx and pdf need --out",
    )
    parser.add_argument("--out", type=argtypes.path, metavar="FILE", help="write it there")


def schema(_: Parser) -> None:
    """`rca schema`."""


def new(parser: Parser) -> None:
    """`rca new`."""
    parser.add_argument("id", metavar="ID", help="name of the incident and of its folder")
    parser.add_argument(
        "--in", dest="folder", type=argtypes.path, default=Path(), metavar="DIR", help="where to put it; default here"
    )
    parser.add_argument(
        "--from",
        dest="files",
        type=argtypes.path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="vendors' files to begin with, and maps of your own",
    )
    parser.add_argument(
        "--source", default="auto", metavar="SOURCE", help="whose files they are; default: told by form"
    )
    parser.add_argument("--quiet", action="store_true", help="ask nothing on a terminal")
    _given_options(parser)


def import_files(parser: Parser) -> None:
    """`rca import`."""
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a tool, such as pagerduty; auto: told by the files' form; or a map of your own, my-tool.yaml",
    )
    parser.add_argument("files", type=argtypes.path, nargs="+", metavar="FILE", help="JSON, JSON lines or CSV")
    parser.add_argument("--into", type=argtypes.path, required=True, metavar="CASE", help="folder of the incident")
    parser.add_argument("--attach", action="store_true", help="keep the files in sources/ and read nothing from them")
    _given_options(parser)


def brief(parser: Parser) -> None:
    """`rca brief`."""
    parser.add_argument("case", type=argtypes.path, metavar="CASE", help="folder of the incident")
    parser.add_argument("--audience", metavar="A", help="only what this one is told, such as legal; default: everybody")
    parser.add_argument(
        "--format",
        choices=("markdown", "html", "docx", "slack"),
        default="markdown",
        help="default markdown; slack: JSON, a message a line",
    )
    parser.add_argument("--out", type=argtypes.path, metavar="FILE", help="write it there; docx needs it")
    parser.add_argument(
        "--playbooks",
        type=argtypes.path,
        metavar="FILE",
        help="measures of your own; default: playbooks.yaml in the case or beside it",
    )


def lab(parser: Parser) -> None:
    """`rca lab`."""
    parser.add_argument("case", type=argtypes.path, metavar="CASE", help="folder of the incident")
    parser.add_argument(
        "--in", dest="folder", type=argtypes.path, default=Path("investigations"), metavar="DIR",
        help="where the notebook lies; default investigations",
    )  # fmt: skip
    parser.add_argument("--prepare", action="store_true", help="make the notebook, and do not open it")


def index(parser: Parser) -> None:
    """`rca index`."""
    parser.add_argument("folder", type=argtypes.path, metavar="DIR", help="where the reports are, such as reports")


def freeze(parser: Parser) -> None:
    """`rca freeze`."""
    parser.add_argument("case", type=argtypes.path, metavar="CASE", help="folder of the incident")
    parser.add_argument(
        "what", type=argtypes.pair, nargs="*", metavar="WHAT=FILE", help="what to keep, such as model=model.txt"
    )
    parser.add_argument("--role", required=True, metavar="ROLE", help="who takes it, such as 'ml on call'")
    parser.add_argument(
        "--said",
        type=argtypes.pair,
        action="append",
        default=[],
        metavar="WHAT=TEXT",
        help="what is no file, such as 'index version=v37'",
    )
    parser.add_argument("--at", type=argtypes.moment, metavar="TIME", help="when; default now")
    _json_option(parser)


def _given_options(parser: Parser) -> None:
    """What a file may leave open, and whoever imports it knows."""
    parser.add_argument("--incident", metavar="ID", help="which incident, where a file holds several")
    parser.add_argument("--zone", metavar="ZONE", help="zone of times without an offset, such as Europe/Berlin")
    parser.add_argument("--unit", choices=("s", "ms", "us", "ns"), help="of numbers whose unit is not documented")
    parser.add_argument("--at", type=argtypes.moment, metavar="TIME", help="when, where a file carries no time")
    parser.add_argument("--system", metavar="NAME", help="what a detector watched")
    parser.add_argument("--alias", metavar="NAME", help="under which alias of a registry a version serves")
    parser.add_argument(
        "--columns", type=argtypes.names, default=(), metavar="A,B", help="names of a detector's columns"
    )
    parser.add_argument(
        "--moment",
        type=argtypes.pair,
        action="append",
        default=[],
        metavar="NAME=MOMENT",
        help="which moment a timestamp of your own is, such as 'Impact over=recovered'",
    )
    _json_option(parser)


def score(parser: Parser) -> None:
    """`rca score`."""
    parser.add_argument("library", type=argtypes.path, metavar="LIBRARY", help="folder of cases, each with answer.yaml")
    _quiet_option(parser)
    _json_option(parser)


def drill(parser: Parser) -> None:
    """`rca drill`."""
    parser.add_argument("--kind", metavar="KIND", help="chatbot, credit, hiring, injection or line; default: drawn")
    parser.add_argument(
        "--from", dest="case", type=argtypes.path, metavar="CASE", help="a past incident of your own, in disguise"
    )
    parser.add_argument(
        "--level",
        type=int,
        choices=(1, 2, 3),
        default=2,
        help="1 wrong leads, 2 noise too, 3 late labels too; default 2",
    )
    parser.add_argument(
        "--seed",
        metavar="N|ask",
        help="the same seed is the same drill; ask: typed unseen; default: drawn, and told at the end",
    )
    parser.add_argument("--people", type=argtypes.natural, default=1, metavar="N", help="1 to 6; roles are shared out")
    parser.add_argument(
        "--clock", choices=("fast", "real"), default="fast", help="fast: time goes by what you do; default fast"
    )
    parser.add_argument(
        "--speed",
        type=float,
        default=12.0,
        metavar="X",
        help="minutes of a real clock's drill in one minute; default 12",
    )
    parser.add_argument("--script", type=argtypes.path, metavar="FILE", help="play what stands there: MINUTE LINE")
    parser.add_argument(
        "--keep", type=argtypes.path, metavar="FILE", help="write what is typed there, as such a script"
    )
    parser.add_argument(
        "--kit", type=argtypes.path, metavar="DIR", help="write a facilitator's script and answer sheet"
    )
    parser.add_argument(
        "--out", type=argtypes.path, default=Path("drills"), metavar="DIR", help="where debriefs go; default drills"
    )
    _json_option(parser)


def portfolio(parser: Parser) -> None:
    """`rca portfolio`."""
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
    parser.add_argument("--appetite", type=argtypes.path, metavar="FILE", help="limits: a risk_appetite.yaml")
    parser.add_argument(
        "--register",
        type=argtypes.path,
        metavar="FILE",
        help="write the limits as rows of a risk register, .csv or .json",
    )
    parser.add_argument(
        "--drills", type=argtypes.path, metavar="DIR", help="debriefs of drills: scores, apart from incidents"
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
