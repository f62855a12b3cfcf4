"""What this project costs beside its peers, in one run on one workload: medians of CPU seconds, on one thread.

Usage: PYTHONPATH=. python tests/benchmarks/compare.py --date 2026-01-31 [--evidently PYTHON] [--runs 3] [--out FILE]

The workload and the peers' programs are those of the bench kit, which is looked for beside the repository. Each job is
a process of its own and is run in turn with the others, so that a change in the machine's load falls on all of them.
Its imports are not counted; reading the Parquet files, and whatever its child processes do, is. Evidently needs an
environment of its own, since it does not import beside pandas 3.
"""
# ruff: noqa: T201 - a program that prints what it measured

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve()
KIT = HERE.parents[3] / "shared" / "bench"
RESULTS = HERE.with_name("RESULTS.md")
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "POLARS_MAX")}
COLUMNS = [f"num{i}" for i in range(20)] + [f"cat{i}" for i in range(10)]
DRIFT, ATTRIBUTION = "Drift table, 2 × 100,000 × 30", "Attribution to 8 mechanisms, 2 × 5,000"


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
    ]


# --- our side, in a child ---------------------------------------------------------------------------------------------


def exact():
    """Exact drift of every column."""
    import pandas as pd
    import scipy.stats  # noqa: F401 - imports are not counted

    from rca.analysis.drift import drift

    def job(folder):
        windows = [pd.read_parquet(folder / f"{name}.parquet", columns=COLUMNS) for name in ("reference", "current")]
        return drift(*windows)

    return job


def sketches():
    """Drift from sketches, their building included."""
    import polars as pl
    import scipy.stats  # noqa: F401 - imports are not counted

    from rca.analysis.sketch import sketch
    from rca.analysis.sketched import drift_of

    def job(folder):
        windows = [pl.read_parquet(folder / f"{name}.parquet", columns=COLUMNS) for name in ("reference", "current")]
        reference = sketch(windows[0])
        return drift_of(reference, sketch(windows[1], like=reference))

    return job


def attribution():
    """The mean of Y divided among mechanisms, with intervals."""
    import pandas as pd
    from adapters import attribute

    def job(folder):
        causal = json.loads((folder / "workload.json").read_text())["causal"]
        windows = [pd.read_parquet(folder / f"causal_{name}.parquet") for name in ("old", "new")]
        return attribute(*windows, [tuple(edge) for edge in causal["edges"]], causal["target"], 0, 0.95)

    return job


def loaded(program):
    """The `main` of a peer's program."""
    sys.path.insert(0, str(KIT / "peers"))
    spec = importlib.util.spec_from_file_location("peer", KIT / "peers" / program)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def child(call, folder, options):
    """Do one job, and say on the last line what it cost."""
    try:
        import pyarrow.parquet  # noqa: F401 - what reads the files is an import on every side

        job = loaded(call) if call.endswith(".py") else globals()[call]()
    except ImportError as reason:
        print(json.dumps({"skipped": f"not there: {reason}"}))
        return
    before = os.times()
    job(Path(folder), *options)
    print("\n" + json.dumps({"cpu": round(sum(os.times()[:4]) - sum(before[:4]), 3)}))


# --- the table --------------------------------------------------------------------------------------------------------


def cost(job, folder):
    """CPU seconds of one run, or why there is none."""
    if job.python is None:
        return "no environment was given"
    command = [job.python, str(HERE), "--child", job.call, str(folder), *job.options]
    path = os.pathsep.join([str(HERE.parents[2]), str(HERE.parent)]) if job.python == sys.executable else ""
    ran = subprocess.run(
        command, env={**os.environ, **ONE_THREAD, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        return f"failed: {(ran.stderr.strip().splitlines() or ['?'])[-1][:80]}"
    said = json.loads(ran.stdout.strip().splitlines()[-1])
    return said.get("cpu", said.get("skipped"))


def table(rows, date):
    """The costs as Markdown."""
    lines = [
        "# What it costs beside its peers", "",
        f"Measured {date} by `tests/benchmarks/compare.py`: CPU seconds on one thread, children included, imports not.",
        "",
        "| task | program | CPU s, median | runs |", "|---|---|---|---|",
    ]  # fmt: skip
    for job, found in rows:
        known = [one for one in found if isinstance(one, float)]
        said = f"{statistics.median(known):.2f}" if known else f"skipped: {found[0]}"
        lines.append(f"| {job.task} | {job.name} | {said} | {len(known)} |")
    return "\n".join([*lines, ""])


def compare(options, folder):
    """Every job, in turns."""
    every = jobs(options.evidently)
    found = {job: [] for job in every}
    for turn in range(options.runs):
        for job in every:
            if turn == 0 or not (job.once or isinstance(found[job][0], str)):
                found[job].append(cost(job, folder))
                print(f"{job.name}: {found[job][-1]}", file=sys.stderr)
    return table(found.items(), options.date)


def main():
    """Compare, print the table, and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--date", required=True, help="written above the table; no clock is read")
    parser.add_argument("--evidently", help="a Python that has Evidently")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if not KIT.is_dir():
        sys.exit(f"skipped: the bench kit is not beside the repository ({KIT.parent.name}/{KIT.name})")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, str(KIT / "workload.py"), "100000", folder], check=True, stdout=subprocess.DEVNULL
        )
        said = compare(options, folder)
    print(said)
    options.out.write_text(said, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        main()
