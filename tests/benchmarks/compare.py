"""What this project costs beside its peers, in one run on one workload: medians of CPU seconds, on one thread.

Usage: PYTHONPATH=. python tests/benchmarks/compare.py --date 2026-01-31 [--evidently PYTHON] [--large DIR] [--runs 3]
       [--only WORDS]

The workload and the peers' programs are those of the bench kit, which is looked for beside the repository, or where the
variable RCA_KIT says. Each job is a process of its own and is run in turn with the others, so that a change in the
machine's load falls on all of them. Its imports are not counted, and reading the Parquet files is told apart from what
is made of them; whatever its child processes do counts. Evidently needs an environment of its own, since it does not
import beside pandas 3. The large workload, 4.1 GB, is written to DIR unless it lies there; it is read by as many
threads as there are cores.
"""
# ruff: noqa: T201 - a program that prints what it measured

import argparse
import hashlib
import importlib
import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve()
KIT = Path(os.environ.get("RCA_KIT", HERE.parents[3] / "shared" / "bench"))
RESULTS = HERE.with_name("RESULTS.md")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS")
ONE_THREAD = dict.fromkeys(THREADS, "1")
COLUMNS = [f"num{i}" for i in range(20)] + [f"cat{i}" for i in range(10)]
DRIFT, ATTRIBUTION = "Drift table, 2 × 100,000 × 30", "Attribution to 8 mechanisms, 2 × 5,000"
ODDITY = "Why rows are odd, 8 nodes, fitted on 5,000"
EXPLANATION = "SHAP of 100 trees × 31 leaves, 100,000 rows"
PORTFOLIO, INCIDENTS = "The response over 1,000,000 incidents", 1_000_000
CASCADES = {"few": (40, 600), "long": (300, 100_000), "many": (5_000, 10_000)}
CASCADE = {name: f"Cascade, {n:,} signals × {rows:,} samples" for name, (n, rows) in CASCADES.items()}
LARGE, LARGE_ROWS = "Drift table, 2 × 10,000,000 × 30", 10_000_000


@dataclass(frozen=True, kw_only=True)
class Job:
    """One row of the table: a function of this file, or the `main` of a peer's program."""

    task: str
    name: str
    call: str
    options: tuple[str, ...] = ()
    once: bool = False
    python: str | None = sys.executable


def jobs(evidently):
    """Everything that is compared."""
    drift = [
        Job(task=DRIFT, name="rca, exact", call="exact"),
        Job(task=DRIFT, name="rca, by sketches", call="sketches"),
        Job(task=DRIFT, name="SciPy, column by column", call="scipy_tables.py"),
        Job(task=DRIFT, name="Evidently, as it comes", call="evidently_drift.py", once=True, python=evidently),
        Job(
            task=DRIFT, name="Evidently, its tests", call="evidently_drift.py", options=("tests",), once=True,
            python=evidently,
        ),
    ]  # fmt: skip
    shapley = "dowhy_distribution_change.py"
    return [
        *drift,
        Job(task=ATTRIBUTION, name="rca, with intervals", call="attribution"),
        Job(task=ATTRIBUTION, name="dowhy, linear, no interval", call=shapley, options=("linear",)),
        Job(task=ATTRIBUTION, name="dowhy, robust, no interval", call="dowhy_robust.py", once=True),
        Job(task=ATTRIBUTION, name="dowhy, linear, 20 resamples", call=shapley, options=("bootstrap",), once=True),
        Job(task=ATTRIBUTION, name="dowhy, linear, as it comes", call=shapley, options=("default",), once=True),
        Job(task=ODDITY, name="rca, 100 rows", call="oddity"),
        Job(task=ODDITY, name="dowhy, 5 rows", call="dowhy_anomalies.py", once=True),
        Job(task=EXPLANATION, name="rca, two windows and their comparison", call="explanation"),
        Job(task=EXPLANATION, name="shap, one window", call="shap_tree.py", options=("100000",), once=True),
        Job(task=EXPLANATION, name="LightGBM, one window", call="lightgbm_contrib.py", options=("100000",), once=True),
        Job(task=EXPLANATION, name="WOODELF, one window", call="woodelf_tree.py", options=("100000",)),
        Job(task=CASCADE["few"], name="rca, with onsets", call="cascade", options=("few",)),
        Job(task=CASCADE["few"], name="BARO, signals ranked", call="baro", options=("few",)),
        Job(task=CASCADE["long"], name="rca, with onsets", call="cascade", options=("long",)),
        Job(task=CASCADE["long"], name="BARO, signals ranked", call="baro", options=("long",)),
        Job(task=CASCADE["many"], name="rca, with onsets", call="cascade", options=("many",)),
        Job(task=CASCADE["many"], name="BARO, signals ranked", call="baro", options=("many",)),
        Job(task=PORTFOLIO, name="rca, four groupings, intervals, tests", call="portfolio"),
        Job(task=PORTFOLIO, name="pandas, means and medians by group alone", call="pandas_means"),
    ]


# --- our side, in a child: imports first, as they are not counted -----------------------------------------------------


def exact():
    """Exact drift of every column."""
    import pandas as pd
    import scipy.stats  # noqa: F401

    from rca.analysis.drift.univariate import univariate_drift

    def job(folder):
        windows = [pd.read_parquet(folder / f"{name}.parquet", columns=COLUMNS) for name in ("reference", "current")]
        return univariate_drift(*windows).to_dict()

    return job


def sketches():
    """Drift from sketches, their building included."""
    import polars as pl
    import pyarrow.compute  # noqa: F401
    import scipy.stats  # noqa: F401

    from rca.analysis.drift.from_sketches import drift_of_sketches
    from rca.tables.sketch import sketch

    def job(folder):
        windows = [pl.read_parquet(folder / f"{name}.parquet", columns=COLUMNS) for name in ("reference", "current")]
        reference = sketch(windows[0])
        return drift_of_sketches(reference, sketch(windows[1], like=reference)).to_dict()

    return job


def large():
    """Drift of files that do not fit into memory."""
    import pyarrow.dataset  # noqa: F401
    import scipy.stats  # noqa: F401

    from rca.analysis.drift.question import drift

    def job(folder):
        windows = [str(folder / f"{name}.parquet") for name in ("reference", "current")]
        return drift(*windows, features=COLUMNS).to_dict()

    return job


def attribution():
    """The mean of Y divided among mechanisms, with intervals."""
    import pandas as pd
    import scipy.stats  # noqa: F401
    import sklearn.ensemble
    import sklearn.linear_model
    import sklearn.tree  # noqa: F401
    from adapters import attribute

    import rca.analysis.explanation.question  # noqa: F401 - or the first question would load it

    def job(folder):
        causal = json.loads((folder / "workload.json").read_text())["causal"]
        windows = [pd.read_parquet(folder / f"causal_{name}.parquet") for name in ("old", "new")]
        return attribute(*windows, [tuple(edge) for edge in causal["edges"]], causal["target"], 0, 0.95)

    return job


def oddity():
    """The hundred rows whose target lies farthest out, divided among the noises upstream."""
    import pandas as pd
    import sklearn.ensemble  # noqa: F401

    from rca.analysis.causal.question import odd

    def job(folder):
        causal = json.loads((folder / "workload.json").read_text())["causal"]
        windows = [pd.read_parquet(folder / f"causal_{name}.parquet") for name in ("old", "new")]
        rows = windows[1][causal["target"]].nlargest(100).index.tolist()
        edges = [tuple(edge) for edge in causal["edges"]]
        return odd(*windows, row=rows, graph=edges, target=causal["target"]).to_dict()

    return job


def explanation():
    """How the reasons of the kit's model changed: exact SHAP values of both windows, tests, losses and all."""
    import pandas as pd
    import sklearn.ensemble  # noqa: F401

    from rca.analysis.explanation.question import explain
    from rca.record.model.model_file import read_model

    def job(folder):
        tables = [pd.read_parquet(folder / f"{name}.parquet", columns=COLUMNS) for name in ("reference", "current")]
        windows = [rows.assign(**{name: rows[name].str[1:].astype(float) for name in COLUMNS[20:]}) for rows in tables]
        return explain(*windows, model=read_model(folder / "model.txt", "lightgbm", place="model")).to_dict()

    return job


def signals(size):
    """Noise of so many signals, two a component; the last tenth is the failure, in which one in ten moves."""
    import numpy as np
    import pandas as pd

    many, rows = CASCADES[size]
    rng, begun = np.random.default_rng(0), rows - rows // 10
    values = rng.normal(50.0, 1.0, (many, rows))
    for at in range(0, many, 10):
        values[at, begun + int(rng.integers(0, rows // 20)) :] += rng.uniform(5, 40)
    names = [f"c{at // 2:04}|{('load', 'latency')[at % 2]}" for at in range(many)]
    return pd.DataFrame(values.T, columns=names), begun


def cascade():
    """Which component left its range first."""
    import pandas as pd
    import scipy.sparse.csgraph
    import scipy.special
    import scipy.stats  # noqa: F401

    from rca.analysis.cascade.origin_ranking import rank_origins as ask
    from rca.record.schema.incident import Signals

    tables = {}

    def job(_, size):
        table, begun = tables[size]
        at = table["time"].iloc[[begun, -1]].map(pd.Timestamp.isoformat)
        return ask(table, Signals.model_validate({"path": "s", "from": at.iloc[0], "to": at.iloc[1]})).to_dict()

    def drawn(size):
        table, begun = signals(size)
        times = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(range(len(table)), unit="s")
        tables[size] = (pd.concat([pd.DataFrame({"time": times}), table], axis=1), begun)

    job.drawn = drawn
    return job


def baro():
    """BARO's own ranking of signals."""
    from baro.root_cause_analysis import robust_scorer

    tables = {}

    def job(_, size):
        table, begun = tables[size]
        return robust_scorer(table, inject_time=begun, dk_select_useful=False)["ranks"]

    def drawn(size):
        table, begun = signals(size)
        table.insert(0, "time", range(len(table)))
        tables[size] = (table, begun)

    job.drawn = drawn
    return job


def incidents():
    """A log of incidents over five years, one in a hundred open."""
    import numpy as np
    import pandas as pd

    rng, n = np.random.default_rng(0), INCIDENTS
    moment = pd.Timestamp("2021-01-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 5 * 365 * 86_400, n), unit="s")
    table = pd.DataFrame({"id": np.char.add("i", np.arange(n).astype(str)), "onset": moment})
    for name, (middle, spread) in {
        "detected": (6, 1),
        "acknowledged": (5, 1),
        "contained": (8, 1.2),
        "recovered": (7, 1),
    }.items():
        moment = moment + pd.to_timedelta(np.ceil(rng.lognormal(middle, spread, n)), unit="s")
        table[name] = moment
    table.loc[rng.random(n) < 0.01, "recovered"] = pd.NaT
    table["alerted"] = table["detected"]
    groups = {"severity": 4, "category": 5, "system": 20}
    return table.assign(**{name: rng.integers(0, many, n).astype(str) for name, many in groups.items()})


def portfolio():
    """Every measure of a log, by every grouping."""
    import statsmodels.duration.survfunc
    import statsmodels.genmod.generalized_linear_model  # noqa: F401

    from rca.analysis.portfolio.question import portfolio as ask

    table = incidents()
    return lambda _: ask(table).to_dict()


def pandas_means():
    """What a spreadsheet would say of the same log: no interval, no censoring, no test."""
    table = incidents()

    def job(_):
        moments = ("detected", "contained", "recovered")
        lengths = table.assign(**{name: (table[name] - table["onset"]).dt.total_seconds() for name in moments})
        lengths["quarter"] = table["onset"].dt.year * 4 + table["onset"].dt.quarter
        by = ("severity", "category", "system", "quarter")
        return [lengths.groupby(one)[list(moments)].agg(["count", "mean", "median"]).to_dict() for one in by]

    return job


def loaded(program):
    """The `main` of a peer's program."""
    sys.path.insert(0, str(KIT / "peers"))
    spec = importlib.util.spec_from_file_location("peer", KIT / "peers" / program)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


class Meter:
    """CPU seconds of this process and its children, and those of them that go into reading."""

    def __init__(self):
        self.reading = 0.0

    @staticmethod
    def now():
        """So far."""
        parts = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(part.ru_utime + part.ru_stime for part in parts)

    def watch(self, package):
        """Count what a package's `read_parquet` costs, whoever calls it."""
        module = importlib.import_module(package)
        plain = module.read_parquet

        def read_parquet(*args, **kwargs):
            before = self.now()
            try:
                return plain(*args, **kwargs)
            finally:
                self.reading += self.now() - before

        module.read_parquet = read_parquet


def child(call, folder, options):
    """Do one job, and say on the last line what it cost."""
    meter = Meter()
    try:
        import pyarrow.parquet  # noqa: F401 - what reads the files is an import on every side

        for package in ("pandas", "polars") if call == "sketches" else ("pandas",):
            meter.watch(package)
        job = loaded(call) if call.endswith(".py") else globals()[call]()
    except ImportError as reason:
        print(json.dumps({"skipped": f"not there: {reason}"}))
        return
    if hasattr(job, "drawn"):
        job.drawn(*options)
    before, start = meter.now(), time.perf_counter()
    found = job(Path(folder), *options)
    spent, wall = meter.now() - before, time.perf_counter() - start
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    said = {"reading": meter.reading, "analysing": spent - meter.reading, "wall": wall, "peak": peak / 1024}
    digest = hashlib.sha256(repr(found).encode()).hexdigest() if found is not None else ""
    print("\n" + json.dumps(said | {"digest": digest}))


# --- the table --------------------------------------------------------------------------------------------------------


def cost(job, folder, packages=""):
    """What one run cost, or why there is none."""
    if job.python is None:
        return "no environment was given"
    command = [job.python, str(HERE), "--child", job.call, str(folder), *job.options]
    path = os.pathsep.join([str(HERE.parents[2]), str(HERE.parent), packages]) if job.python == sys.executable else ""
    settings = {"PYTHONPATH": path, "PYTHONHASHSEED": "0", "RCA_KIT": str(KIT)}
    ran = subprocess.run(
        command, env={**os.environ, **ONE_THREAD, **settings}, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        return f"failed: {(ran.stderr.strip().splitlines() or ['?'])[-1][:80]}"
    said = json.loads(ran.stdout.strip().splitlines()[-1])
    return said.get("skipped", said)


def told(found):
    """Medians of what was measured, and whether every run said the same to the bit."""
    known = [one for one in found if isinstance(one, dict)]
    if not known:
        return f"skipped: {found[0]} | | | 0 | "
    middle = {what: statistics.median(one[what] for one in known) for what in ("analysing", "reading")}
    digests = {one["digest"] for one in known}
    alike = "" if "" in digests or len(known) < 2 else "yes" if len(digests) == 1 else "no"
    whole = middle["analysing"] + middle["reading"]
    return f"{middle['analysing']:.2f} | {middle['reading']:.2f} | {whole:.2f} | {len(known)} | {alike}"


def table(rows, date, known):
    """The costs as Markdown; of jobs that were not run, the lines already known."""
    lines = [
        "# What it costs beside its peers", "",
        f"Measured {date} by `tests/benchmarks/compare.py`: medians of CPU seconds on one thread, children included,",
        "imports not. Reading is what Parquet files cost on their way to a frame. Runs are bit-equal if every one says",
        "the same to the last bit, each in a process of its own.", "",
        "| task | program | analysing | reading | together | runs | bit-equal |", "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    return "\n".join([*lines, *(_line(job, found, known) for job, found in rows), ""])


def _line(job, found, known):
    head = f"| {job.task} | {job.name} | "
    return (
        f"{head}{told(found)} |" if found else next((line for line in known if line.startswith(head)), head + "|" * 5)
    )


def large_table(found):
    """The cost of the large workload as Markdown."""
    known = [one for one in found if isinstance(one, dict)]
    if not known:
        return f"\n{LARGE}: skipped: {found[0]}\n"
    cpu = statistics.median(one["analysing"] + one["reading"] for one in known)
    walls, peak = [one["wall"] for one in known], max(one["peak"] for one in known)
    row = f"{cpu:.1f} | {statistics.median(walls):.1f} | {min(walls):.1f} | {peak:.0f} | {len(known)}"
    lines = [
        "", f"Files that need not fit into memory are counted as they are read, by {os.cpu_count()} threads.", "",
        "| task | program | CPU s | wall s, median | wall s, least | peak RSS, MB | runs |",
        "|---|---|---|---|---|---|---|", f"| {LARGE} | rca, by sketches | {row} |", "",
    ]  # fmt: skip
    return "\n".join(lines)


def compare(options, folder):
    """Every job, in turns."""
    every = jobs(options.evidently)
    found = {job: [] for job in every}
    for turn in range(options.runs):
        for job in (one for one in every if options.only in one.task):
            if turn == 0 or not (job.once or isinstance(found[job][0], str)):
                found[job].append(cost(job, folder, options.packages))
                print(f"{job.name}: {found[job][-1]}", file=sys.stderr)
    return table(found.items(), options.date, _known(options))


def _known(options):
    """Lines of the table that is there."""
    return options.out.read_text(encoding="utf-8").splitlines() if options.out.exists() else []


def compare_large(options):
    """Drift of the large workload, which is written first if need be."""
    if not (options.large / "workload.json").exists():
        written(LARGE_ROWS, options.large)
    job = Job(task=LARGE, name="rca, by sketches", call="large")
    return large_table([cost(job, options.large) for _ in range(options.runs)])


def written(rows, folder):
    """Write the kit's workload."""
    command = [sys.executable, str(KIT / "workload.py"), str(rows), str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def main():
    """Compare, print the table, and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--date", required=True, help="written above the table; no clock is read")
    parser.add_argument("--evidently", help="a Python that has Evidently")
    parser.add_argument("--packages", default="", help="a folder of peers' packages that are not installed: woodelf")
    parser.add_argument("--large", type=Path, help="folder of the large workload; it is written there if need be")
    parser.add_argument("--only", default="", help="words of the tasks that are run; the others keep their lines")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if not KIT.is_dir():
        sys.exit(f"skipped: the bench kit is not beside the repository ({KIT.parent.name}/{KIT.name})")
    with tempfile.TemporaryDirectory() as folder:
        written(100_000, folder)
        said = compare(options, folder)
    kept = "\n".join(_known(options)).partition("\n\nFiles that need not")
    said += compare_large(options) if options.large else "\n" + "".join(kept[1:]).strip() + "\n" if kept[1] else ""
    print(said)
    options.out.write_text(said, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        main()
