"""What many tests share: results as literals, and one real report."""

import fcntl
import os
import pickle
import shutil
import sys
import time
import warnings
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import hypothesis
import pytest

from rca.analysis.cascade.blast_radius import Touched
from rca.analysis.cascade.results import Cascade, FailureStep, Suspect, Trace
from rca.analysis.conclusion.verdict import Cause, Verdict
from rca.analysis.drift.column_comparison import ColumnDrift, Profile
from rca.analysis.drift.univariate import Drift
from rca.analysis.harm.contribution import Contribution
from rca.analysis.harm.harm import Harm
from rca.finding import Interval
from rca.methods.changepoint.dating import Onset
from rca.methods.metric import Measured
from rca.record.schema.incident import Incident
from tests.causal_case import written
from tests.statistical.promises import LEDGER

os.environ["TZ"] = "UTC"
time.tzset()
os.environ["NUMBA_DISABLE_JIT"] = "1"  # of shap, which compiles for longer than it is asked
sys.modules["rfc3987_syntax"] = None  # jsonschema would build its grammar for seconds; no test is about such addresses

ROOT = Path(__file__).resolve().parent.parent
INCIDENTS = ROOT / "data" / "incidents"
SMALLEST = "line-cascade"

HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>]]>\x1b[31m\u202egnp.exe &amp; ann@example.org"


hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)


def pytest_configure(config):
    """Every run tries the same examples, so none fails of a change that is not its own; proofs look for new ones."""
    if config.option.markexpr != "prove":
        hypothesis.settings.load_profile("repeatable")


@pytest.fixture
def hostile():
    """A text that breaks out of most places it is put into."""
    return HOSTILE


def interval(low, high):
    return Interval(low=low, high=high)


@pytest.fixture
def column():
    profile = Profile(labels=("below 1", "1 to 2", "above 2"), reference=(0.2, 0.5, 0.3), current=(0.0, 0.9, 0.1))
    return ColumnDrift(
        column="income",
        aspect="values",
        kind="numeric",
        test="KS",
        statistic=0.4,
        p_value=0.0,
        q_value=0.0,
        effect=0.4,
        interval=interval(0.35, 0.45),
        moved=True,
        profile=profile,
    )


@pytest.fixture
def drift(column):
    return Drift(columns=(column,), alpha=0.05, material=0.05, n_reference=900, n_current=1000)


@pytest.fixture
def measured():
    return Measured(
        name="error_rate",
        harm="higher",
        reference=0.1,
        current=0.3,
        change=0.2,
        reference_interval=interval(0.09, 0.11),
        current_interval=interval(0.28, 0.32),
        interval=interval(0.17, 0.23),
        p_value=0.0,
        n_reference=900,
        n_current=1000,
    )


@pytest.fixture
def harm(measured):
    def part(name, value, kind="feature"):
        ends = interval(value - 0.01, value + 0.01)
        return Contribution(
            kind=kind, name=name, value=value, interval=ends, method="mended", n_effective=800.0, strength="shown"
        )

    parts = (part("income", 0.18), part("label", 0.03, "concept"), part("age", -0.02))
    return Harm(measured=measured, contributions=parts, unexplained=0.01)


@pytest.fixture
def onset():
    start = datetime(2026, 3, 1, tzinfo=UTC)
    return Onset(
        at=start + timedelta(days=2),
        earliest=start + timedelta(days=1),
        latest=start + timedelta(days=3),
        what="error rate",
        unit="share of rows",
        times=tuple(start + timedelta(days=day) for day in range(5)),
        values=(0.1, None, 0.3, 0.3, 0.31),
        counts=(10, 0, 12, 11, 9),
    )


@pytest.fixture
def cascade():
    begin = datetime(2026, 5, 2, 9, tzinfo=UTC)

    def suspect(component, score, *, after, explained=False):
        signal, at = f"{component}|latency", begin + timedelta(minutes=after)
        return Suspect(
            component=component, signal=signal, score=score, onset=at, explained=explained, upstream=True,
            earliest=at - timedelta(minutes=1), direction=1,
        )  # fmt: skip

    suspects = suspect("detector", 9.0, after=0), suspect("robot", 12.0, after=4, explained=True)
    return Cascade(
        suspects=suspects,
        target="robot|latency",
        n_signals=4,
        chance=0.5,
        steps=(
            FailureStep(
                cause="detector", effect="robot", lag=240.0, earliest=180.0, latest=300.0, over="qa", to_alarm=True
            ),
        ),
        traces=tuple(
            Trace(
                signal=one.signal, score=one.score, direction=1, how="moved", onset=one.onset, earliest=one.earliest,
                samples=20,
            )
            for one in suspects
        ),
        touched=tuple(
            Touched(component=one.component, since=one.onset, until=begin + timedelta(hours=1), counted={})
            for one in suspects
        ),
        n_sigma="robot",
        step=60.0,
    )  # fmt: skip


@pytest.fixture
def verdict(measured, onset):
    cause = Cause(
        kind="feature",
        name="income",
        fault="frozen",
        contribution=0.18,
        interval=interval(0.17, 0.19),
        strength="shown",
        findings=("harm.feature.income",),
    )
    return Verdict(status="explained", summary="income froze.", metric=measured, causes=(cause,), onset=onset)


@pytest.fixture
def incident():
    return Incident.model_validate(
        {
            "schema": 1,
            "id": "an-incident",
            "title": "An incident",
            "severity": "sev2",
            "category": "model_drift",
            "status": "closed",
            "timeline": {
                "onset": "2026-03-01T00:00:00Z",
                "detected": "2026-03-05T12:00:00Z",
                "recovered": "2026-03-07T12:00:00Z",
                "events": [{"at": "2026-03-01T00:00:00Z", "kind": "deploy", "system": "store", "what": "schema v2"}],
            },
        }
    )


# --- what takes long is made once, for every worker ------------------------------------------------------------------


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder that all workers of this run of pytest have in common."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


def made_once(path, make):
    """What was made; whichever worker comes second waits, and reads what the first one made."""
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.is_file():
            path.write_bytes(pickle.dumps(make()))
        return pickle.loads(path.read_bytes())


@pytest.fixture(scope="session")
def analysis_of(shared):
    """By name, the analysis of an incident that ships: for tests of what it says, not of how it comes about."""
    from rca.analysis.conclusion.analyse import analyse
    from rca.record.case import load

    return cache(lambda name: made_once(shared / name, lambda: analyse(load(INCIDENTS / name))))


@pytest.fixture(scope="session")
def answer_of(shared):
    """By question and name, what a shipped incident answers where it is asked this alone."""
    import rca

    def asked(question, name):
        ask = getattr(rca, question)
        return made_once(shared / f"{question} of {name}", lambda: ask(rca.load(INCIDENTS / name)))

    return cache(asked)


@pytest.fixture(scope="session")
def shap():
    """The library: imported by the worker that compares with it, for that takes seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it imports, matplotlib and numba are deprecating things
        import shap
    return shap


def _run_once(base, **how):
    """A run of the smallest incident that ships."""
    from rca.report.run.case_run import run

    if not (INCIDENTS / SMALLEST).is_dir():
        pytest.skip(f"{SMALLEST} is not there")
    case, out = base / "cases" / SMALLEST, base / "reports"

    def made():
        return run(shutil.copytree(INCIDENTS / SMALLEST, case), out=out, progress=False, **how)

    return SimpleNamespace(result=made_once(base.with_suffix(".result"), made), case=case, out=out)


@pytest.fixture(scope="session")
def report(shared):
    """One real run of the smallest incident that ships; tests that change it change a copy."""
    return _run_once(shared / "a-run")


@pytest.fixture(scope="session")
def brief(shared):
    """A real run as well, of one notebook: for tests that run it again."""
    return _run_once(shared / "a-brief-run", only=["cascade"])


@pytest.fixture(scope="session")
def frozen(shared):
    """A case along whose graph every question is asked: a column freezes after a deploy."""
    import rca
    from rca.analysis.conclusion.causal_answers import causal_answers

    folder = shared / "frozen"

    def made():
        case = written(folder)
        analysis = rca.analyse(case)
        return analysis, causal_answers(case, analysis)

    analysis, answers = made_once(folder.with_suffix(".answers"), made)
    return SimpleNamespace(case=rca.load(folder), analysis=analysis, answers=answers)


# --- the longest files first: begun last, one would run alone while the other workers wait ---------------------------

FIRST = (
    "tests/report/run/test_case_run.py",  # makes the report that others look at
    "tests/analysis/harm/test_harm.py",
    "tests/analysis/conclusion/test_analyse.py",  # makes the analyses that others look at
    "tests/tables/test_frames.py",
    "tests/statistical/test_incidents.py",
    "tests/analysis/test_questions.py",
    "tests/statistical/test_effects.py",
    "tests/report/audit/test_verify.py",
    "tests/analysis/conclusion/test_causal_answers.py",
    "tests/browser/test_page_in_chromium.py",
    "tests/browser/test_notebook_in_jupyterlab.py",
    "README.md",
)


def pytest_collection_modifyitems(items):
    place = {name: at for at, name in enumerate(FIRST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(FIRST)))


# --- the ledger of `make prove`: gathered from every worker, written as one dated table ------------------------------

HEAD = """# What was proved, and when

`make prove` writes this table. Each line is a law of `tests/statistical`, over repeated draws with the truth planted; ±
is 1.96 Monte Carlo standard errors. A line without a promise tells what an interval or an estimate was like. Laws that
are proved again, all or some of them, replace their old lines.

| law | promised | seen | draws | on |
|---|---|---|---|---|
"""


def proven(old, ledger, day):
    """The table with what was seen today in place of what was known of the same laws."""
    today = {row["claim"] for row in ledger}
    lines = [f"| {row['claim']} | {row['promised']} | {row['seen']} | {row['draws']} | {day} |" for row in ledger]
    kept = [line for line in old.splitlines() if line.startswith("| ") and line.split(" | ")[0][2:] not in today]
    kept = [line for line in kept if not line.startswith("| law |")]
    return HEAD + "".join(f"{line}\n" for line in sorted([*kept, *lines]))


def pytest_addoption(parser):
    parser.addoption("--proven", help="write what was seen over repeated draws to this file")
    parser.addoption("--on", default="an unknown day", help="the day that the table says it is of")


def pytest_sessionfinish(session):
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["ledger"] = LEDGER
    elif config.getoption("--proven") and LEDGER:
        path = Path(config.getoption("--proven"))
        old = path.read_text(encoding="utf-8") if path.is_file() else ""
        path.write_text(proven(old, LEDGER, config.getoption("--on")), encoding="utf-8")


def pytest_testnodedown(node):
    LEDGER.extend(getattr(node, "workeroutput", {}).get("ledger", []))
