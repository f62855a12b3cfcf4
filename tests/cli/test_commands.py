import io
import json
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca import __version__
from rca.analysis.inputs.glance import Glance
from rca.cli import argtypes, command, ending, options, reports, telling
from rca.cli import commands as cli
from rca.errors import InvalidCase, Problem, RunFailed, Unanswerable
from rca.report.audit.signatures import Signature
from rca.report.manifest.personal_inputs import Masked, Personal
from rca.report.rendering.masking import Masking
from tests.conftest import ROOT

HERE = ROOT
CAUSE = {
    "kind": "feature", "name": "pmms", "fault": "frozen", "contribution": 0.49, "interval": [0.46, 0.52],
    "strength": "shown",
}  # fmt: skip
RESULTS = {"verdict": {"status": "explained", "summary": "The rate stood still.", "causes": [CAUSE]}}


@dataclass
class Ran:
    path: Path = Path("reports/credit")
    digest: str = "ab12"
    results: dict = field(default_factory=lambda: RESULTS)


@dataclass
class Told:
    ok: bool = True
    failed: tuple = ()
    status: int = 0

    def __str__(self):
        return "first line\nsecond line"

    def to_dict(self):
        return {"ok": self.ok}


@pytest.fixture
def stand_in(monkeypatch):
    """Put a function in the place of one that a command would load, and keep what it is called with."""
    calls = []

    def put(where, answer):
        module, name = where.split(":")

        def function(*args, **kwargs):
            calls.append((args, kwargs))
            if isinstance(answer, BaseException):
                raise answer
            return answer

        fake = ModuleType(module)
        setattr(fake, name, function)
        monkeypatch.setitem(sys.modules, module, fake)
        return calls

    return put


def rca(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "rca", *arguments],
        cwd=HERE,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
        **options,
    )


# --- the word after rca ----------------------------------------------------------------------------------------------


def test_help_names_every_command_and_every_exit_status():
    shown = rca("--help").stdout
    assert all(f"    {command.name} " in shown for command in cli.COMMANDS)
    assert "Exit status: 0 done, 1 the run failed, 2 bad input" in shown


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda one: one.name)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as done:
        cli.main([command.name, "--help"])
    assert done.value.code == 0
    assert cli._sentence(command.says) in " ".join(capsys.readouterr().out.split())


def test_the_version_is_the_package_s(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"rca {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["rnu"],
        ["run"],
        ["run", "case", "--sed", "1"],
        ["run", "case", "--seed", "-1"],
        ["run", "case", "--seed", "²"],
        ["run", "case", "--set", "alpha"],
        ["run", "case", "--set", "1alpha=2"],
        ["run", "case", "--only", " , "],
    ],
    ids=" ".join,
)
def test_a_malformed_command_line_is_bad_input(arguments, capsys):
    with pytest.raises(SystemExit) as done:
        cli.main(arguments)
    assert done.value.code == 2
    told = capsys.readouterr()
    assert "error:" in told.err
    assert told.out == ""


# --- lab and index ---------------------------------------------------------------------------------------------------


def test_lab_makes_a_notebook_once_and_opens_it(monkeypatch, capsys, tmp_path):
    opened = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: opened.append(command) or SimpleNamespace(returncode=0))
    monkeypatch.chdir(tmp_path)
    case = str(HERE / "data" / "incidents" / options.DEMO)
    assert cli.main(["lab", case]) == command.DONE
    assert cli.main(["lab", case, "--prepare"]) == command.DONE
    notebook = f"investigations/{options.DEMO}.ipynb"
    assert [command[-1] for command in opened] == [notebook]
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [notebook, notebook]
    assert shown.err.splitlines() == ["Made now; nothing will write over it.", "As you left it; its cells are yours."]


def test_index_lists_the_reports_of_a_folder_and_says_what_is_none(capsys, tmp_path):
    shutil.copytree(HERE / "reports" / "sample" / "credit-drift", tmp_path / "credit-drift")
    assert cli.main(["index", str(tmp_path)]) == command.DONE
    assert "credit-drift/report.html" in (tmp_path / "index.html").read_text()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "report.html").write_text("a page")
    assert cli.main(["index", str(tmp_path)]) == command.NEEDS_A_PERSON
    assert capsys.readouterr().err == "Not listed: other, which is no report of a run.\n"
    assert cli.main(["index", str(tmp_path / "nowhere")]) == command.BAD_INPUT
    (tmp_path / "index.html").write_bytes(b"a page of somebody's own, \xff")
    assert cli.main(["index", str(tmp_path)]) == command.BAD_INPUT
    assert (tmp_path / "index.html").read_bytes() == b"a page of somebody's own, \xff"


# --- run and demo ----------------------------------------------------------------------------------------------------


def test_run_hands_over_what_was_asked(stand_in, capsys):
    calls = stand_in("rca.report.run.case_run:run", Ran())
    asked = (
        "run case --out there --only drift,postmortem --set alpha=0.01 --set deep=false --set name=x "
        "--seed 7 --quiet --plotly-file"
    )
    assert cli.main(asked.split()) == command.DONE
    [((case,), options)] = calls
    assert case == Path("case")
    assert options == {
        "out": Path("there"),
        "only": ("drift", "postmortem"),
        "settings": {"alpha": 0.01, "deep": False, "name": "x"},
        "seed": 7,
        "progress": False,
        "plotly_file": True,
    }
    assert capsys.readouterr().err == ""


def test_run_says_the_verdict_its_causes_and_where_the_report_is(stand_in, capsys):
    stand_in("rca.report.run.case_run:run", Ran())
    cli.main(["run", "case"])
    assert capsys.readouterr().out.splitlines() == [
        "explained: The rate stood still.",
        "  1. pmms (feature, frozen): +0.49, 0.46 to 0.52, shown",
        "report  reports/credit/report.html",
        "digest  ab12",
        "verify  rca verify reports/credit",
    ]


def test_run_answers_in_json_with_the_whole_results(stand_in, capsys):
    stand_in("rca.report.run.case_run:run", Ran())
    cli.main(["run", "case", "--json"])
    assert json.loads(capsys.readouterr().out) == {"report": "reports/credit", "digest": "ab12", "results": RESULTS}


def test_a_cause_without_harm_or_interval_is_still_named():
    cause = {
        "kind": "component",
        "name": "db",
        "fault": None,
        "contribution": None,
        "interval": None,
        "strength": "suggested",
    }
    assert telling.cause_line(cause) == "db (component): suggested"


def test_a_parameter_set_twice_is_refused(stand_in, capsys):
    calls = stand_in("rca.report.run.case_run:run", Ran())
    assert cli.main(["run", "case", "--set", "alpha=1", "--set", "alpha=2"]) == command.BAD_INPUT
    assert calls == []
    assert capsys.readouterr().err == "InvalidCase: --set: 'alpha' is set more than once.\n"


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "[" * 100_000, "1" * 10_000])
def test_a_value_that_is_no_sound_json_stays_text(value):
    assert argtypes.setting(f"key={value}") == ("key", value)


def test_demo_runs_the_named_incident_by_a_path_that_names_no_machine(stand_in, monkeypatch):
    calls = stand_in("rca.report.run.case_run:run", Ran())
    monkeypatch.chdir(HERE)
    assert cli.main(["demo", options.DEMO]) == command.DONE
    assert calls[0][0] == (Path("data/incidents") / options.DEMO,)


def test_demo_elsewhere_still_finds_the_incident(stand_in, monkeypatch, tmp_path):
    calls = stand_in("rca.report.run.case_run:run", Ran())
    monkeypatch.chdir(tmp_path)
    assert cli.main(["demo"]) == command.DONE
    assert (calls[0][0][0] / "incident.yaml").is_file()


def test_demo_suggests_the_name_that_was_meant(capsys):
    assert cli.main(["demo", options.DEMO[:-1]]) == command.BAD_INPUT
    assert f"Hint: did you mean '{options.DEMO}'?" in capsys.readouterr().err


def test_demo_lists_what_ships_with_its_title(capsys):
    assert cli.main(["demo", "--list"]) == command.DONE
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows] == [folder.name for folder in reports._demos()]
    assert all(len(row.split()) > 1 for row in rows)


# --- the others ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [command.DONE, command.NEEDS_A_PERSON, 4])
def test_a_verification_ends_as_it_says(stand_in, capsys, status):
    calls = stand_in("rca.report.audit.verify:verify", Told(status=status))
    assert cli.main(["verify", "report", "--case", "case", "--rerun", "--key", "a.pem"]) == status
    assert calls == [((Path("report"),), {"case": Path("case"), "rerun": True, "keys": [Path("a.pem")]})]
    assert capsys.readouterr().out == "first line\nsecond line\n"


@pytest.mark.parametrize(("failed", "status"), [((), command.DONE), (("one",), command.FAILED)])
def test_a_library_is_scored_when_every_case_ran(stand_in, capsys, failed, status):
    calls = stand_in("rca.practice.score:score", Told(failed=failed))
    assert cli.main(["score", "library", "--json"]) == status
    assert calls == [((Path("library"),), {"progress": True})]
    assert json.loads(capsys.readouterr().out) == {"ok": True}


SIGNATURE = Signature(role="head of risk", name=None, at="2026-06-24T16:00:00Z", digest="ab" * 32)


def test_sign_hands_over_who_signs_and_says_what_was_signed(stand_in, capsys):
    calls = stand_in("rca.report.audit.sign:sign", SIGNATURE)
    assert cli.main(["sign", "report", "--role", "head of risk", "--at", "2026-06-24T16:00:00Z"]) == 0
    at = datetime(2026, 6, 24, 16, tzinfo=UTC)
    assert calls == [((Path("report"),), {"role": "head of risk", "name": None, "at": at, "key": None})]
    said = capsys.readouterr().out
    assert said == f"signed  head of risk, 24 Jun 2026, 16:00 UTC, of abababab: holds\ndigest  {'ab' * 32}\n"
    assert cli.main(["sign", "report", "--role", "r", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["role"] == "head of risk"


@pytest.mark.parametrize("at", ["soon", "2026-06-24T16:00:00"])
def test_a_time_without_an_offset_is_bad_input(at, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["sign", "report", "--role", "r", "--at", at])
    assert stopped.value.code == 2
    assert "a time with an offset" in capsys.readouterr().err


def test_check_says_a_sound_case_is_sound_with_its_windows_and_what_is_odd(stand_in, capsys):
    seen = Glance(name="current", rows=1200, start="2026-01-01T00:00:00Z", end="2026-01-31T00:00:00Z", rows_per_day=40)
    odd = Problem(what="30 rows are copies", place="data.current", hint="a join?")
    stand_in("rca.record.check:check", [])
    stand_in("rca.record.case:load", None)
    stand_in("rca.analysis.inputs.glance:glance", ([seen], "error rate went up"))
    stand_in("rca.record.remarks:remarks", [odd])
    log = (Masked(kind="email", place="current, said", count=3),)
    stand_in("rca.report.manifest.personal_inputs:personal", Personal(masking=Masking(), log=log, problems=()))
    assert cli.main(["check", "case"]) == command.DONE
    assert capsys.readouterr().out.splitlines() == [
        "case: sound",
        "current    1,200 rows, 2026-01-01 to 2026-01-31, 40 a day",
        "error rate went up",
        "remark  data.current: 30 rows are copies. Hint: a join?",
        "masked  current, said: e-mail address: 3",
    ]
    assert cli.main(["check", "case", "--json"]) == command.DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["remarks"][0]["what"], told["windows"][0]["rows"]) == ("30 rows are copies", 1200)
    assert told["masked"] == [{"kind": "email", "place": "current, said", "count": 3}]


def test_check_lists_every_problem_with_its_hint(stand_in, capsys):
    stand_in("rca.record.check:check", [Problem(what="no", place="a", hint="try"), Problem(what="nor this", place="b")])
    assert cli.main(["check", "case"]) == command.BAD_INPUT
    assert capsys.readouterr() == ("", "InvalidCase: a: no. Hint: try\nInvalidCase: b: nor this.\n")


def test_check_answers_in_json_too(stand_in, capsys):
    stand_in("rca.record.check:check", [Problem(what="no", place="a", hint="try")])
    assert cli.main(["check", "case", "--json"]) == command.BAD_INPUT
    problem = {"place": "a", "what": "no", "hint": "try"}
    assert json.loads(capsys.readouterr().out) == {
        "case": "case", "sound": False, "problems": [problem], "remarks": [], "windows": [], "masked": [],
    }  # fmt: skip


def test_schema_prints_the_schema_of_the_record(capsys):
    assert cli.main(["schema"]) == command.DONE
    assert json.loads(capsys.readouterr().out)["title"] == "Incident"


def test_new_says_where_the_case_is_and_what_comes_next(stand_in, capsys):
    calls = stand_in("rca.record.case:scaffold", Path("cases/storm"))
    assert cli.main(["new", "storm", "--in", "cases"]) == command.DONE
    assert calls == [((Path("cases"), "storm"), {})]
    told = capsys.readouterr()
    assert told.out == "cases/storm\n"
    assert "rca check cases/storm" in told.err


def test_import_hands_over_what_the_files_do_not_say(stand_in, capsys):
    done = SimpleNamespace(contradictions=(), asked=(), to_dict=lambda: {"changed": True})
    calls = stand_in("rca.importers.importing:import_files", done)
    asked = "import pagerduty a.json b.json --into case --incident Q1 --zone UTC --unit ms --columns a,b --json"
    said = ["--at", "2026-05-02T09:10:00Z", "--moment", "Impact over=recovered", "--moment", "Fixed=resolved"]
    assert cli.main([*asked.split(), *said]) == command.DONE
    [((case, files), options)] = calls
    assert (case, files) == (Path("case"), [Path("a.json"), Path("b.json")])
    assert (options["by"], options["attach"]) == ("pagerduty", False)
    assert options["given"].to_dict() == {
        "incident": "Q1", "zone": "UTC", "unit": "ms", "at": "2026-05-02T09:10:00+00:00", "columns": ["a", "b"],
        "names": {"Impact over": "recovered", "Fixed": "resolved"},
    }  # fmt: skip
    assert json.loads(capsys.readouterr().out) == {"changed": True}


def test_freeze_hands_over_what_who_and_when(stand_in, capsys):
    calls = stand_in("rca.record.freeze:freeze", ("model  frozen/m  ab",))
    asked = [
        "freeze",
        "case",
        "model=m.txt",
        "--role",
        "ml on call",
        "--said",
        "index=v37",
        "--at",
        "2026-05-02T10:00:00Z",
    ]
    assert cli.main(asked) == command.DONE
    at = datetime(2026, 5, 2, 10, tzinfo=UTC)
    assert calls == [
        ((Path("case"), {"model": Path("m.txt")}), {"role": "ml on call", "said": {"index": "v37"}, "at": at})
    ]
    assert capsys.readouterr().out == "model  frozen/m  ab\n"


@pytest.mark.parametrize(
    ("open_", "status"), [((), command.DONE), (("severity: which is it?",), command.NEEDS_A_PERSON)]
)
def test_new_from_files_says_what_a_person_has_to(stand_in, open_, status, capsys):
    calls = stand_in("rca.importers.importing:new_from", SimpleNamespace(contradictions=(), asked=open_))
    assert cli.main(["new", "storm", "--in", "cases", "--from", "a.json", "--source", "auto"]) == status
    [((folder, name, files), options)] = calls
    assert (folder, name, files, options["by"]) == (Path("cases"), "storm", [Path("a.json")], "auto")
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["import", "auto", "f"], ["import", "auto", "f", "--into", "c", "--unit", "h"],
                  ["new", "x", "--from", "f", "--moment", "x"], ["new", "x", "--from", "f", "--at", "2026-05-02"]],
    ids=" ".join,
)  # fmt: skip
def test_an_import_that_cannot_be_meant_is_bad_input(arguments, capsys):
    with pytest.raises(SystemExit) as done:
        cli.main(arguments)
    assert done.value.code == 2
    assert capsys.readouterr().out == ""


def test_new_asks_on_a_terminal_and_only_there(stand_in, monkeypatch, capsys):
    stand_in("rca.record.case:scaffold", Path("cases/storm"))
    calls = stand_in("rca.record.first_log:ask_first", 0)
    cli.main(["new", "storm"])
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    cli.main(["new", "storm", "--quiet"])
    cli.main(["new", "storm"])
    [(folder, ask, _)] = [given for given, _ in calls if len(given) == 3]
    assert folder == Path("cases/storm")
    monkeypatch.setattr(sys, "stdin", io.StringIO("late\n"))
    assert ask("What?") == "late\n"
    with pytest.raises(EOFError):
        ask("And?")
    assert "Enter skips one" in capsys.readouterr().err


# --- when it goes wrong ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (
            InvalidCase.because("gone", place="case", hint="look"),
            command.BAD_INPUT,
            "InvalidCase: case: gone. Hint: look\n",
        ),
        (RunFailed("cell 3 of drift"), command.FAILED, "RunFailed: cell 3 of drift\n"),
        (Unanswerable("why", "no rows"), command.FAILED, "Unanswerable: why: cannot tell, because no rows\n"),
        (
            PermissionError(13, "Permission denied"),
            command.FAILED,
            "RunFailed: [Errno 13] Permission denied. Hint: is it yours to write?\n",
        ),
        (
            OSError(24, "Too many"),
            command.FAILED,
            "RunFailed: [Errno 24] Too many. Hint: allow this process more open files (ulimit -n)\n",
        ),
        (
            MemoryError(),
            command.FAILED,
            "RunFailed: MemoryError where memory was used up. Hint: allow this process more memory (ulimit -v)\n",
        ),
        (KeyboardInterrupt(), command.INTERRUPTED, "Interrupted; nothing was published.\n"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_is_a_line_on_stderr_and_an_exit_status(stand_in, capsys, error, status, said):
    stand_in("rca.report.run.case_run:run", error)
    assert cli.main(["run", "case"]) == status
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        (signal.SIGTERM, 143, "Stopped"),
        (signal.SIGHUP, 129, "The terminal was closed"),
        (signal.SIGINT, 130, "Interrupted"),
    ],
)
def test_a_signal_to_end_is_a_line_and_a_status_once_and_then_as_it_was(
    monkeypatch, capsys, request, number, status, said
):
    def twice(_):
        for _ in range(2):
            try:
                signal.raise_signal(number)
            finally:
                signal.raise_signal(number)

    usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    ignored = signal.signal(number, usual)  # under nohup, or in the background, it is ignored
    request.addfinalizer(lambda: signal.signal(number, ignored))
    monkeypatch.setattr(ending, "CHATTY", ())
    monkeypatch.setattr(cli, "COMMANDS", (command.Command(name="x", says="x", takes=lambda _: None, does=twice),))
    assert cli.main(["x"]) == status
    assert capsys.readouterr().err == f"{said}; nothing was published.\n"
    assert signal.getsignal(number) == usual


def test_a_mistake_in_our_own_code_is_not_dressed_up_as_an_answer(stand_in):
    stand_in("rca.report.run.case_run:run", ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        cli.main(["run", "case"])


def test_a_reader_who_leaves_early_is_no_error():
    called = [sys.executable, "-m", "rca", "schema"]
    with subprocess.Popen(called, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (command.PIPE_CLOSED, b"")


def test_a_terminal_without_the_letters_gets_escapes():
    shown = rca("demo", "störm", env={"PYTHONIOENCODING": "ascii", "PATH": ""})
    assert (shown.returncode, shown.stdout) == (command.BAD_INPUT, "")
    assert r"no incident named 'st\xf6rm' ships with rca" in shown.stderr


@given(st.text())
def test_no_text_can_steer_a_terminal_or_forge_a_line(text):
    assert telling.printable(text).isprintable()


@given(st.text().filter(str.isprintable))
def test_text_that_only_shows_itself_is_left_alone(text):
    assert telling.printable(text) == text


def test_a_hostile_summary_stays_on_its_line(stand_in, capsys):
    verdict = {"status": "no_incident", "summary": "\x1b[2J\nreport  elsewhere\u202e", "causes": []}
    stand_in("rca.report.run.case_run:run", Ran(results={"verdict": verdict}))
    cli.main(["run", "case"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == r"no incident: \x1b[2J\nreport  elsewhere\u202e"
    assert len(lines) == 4
