"""How right this project is on published cases whose truth is known: protocols of the bench kit, as a table.

Usage: PYTHONPATH=. python tests/benchmarks/protocols.py --date 2026-01-31 [--only A,K] [--kept DIR] [--out FILE]

Each protocol is a program of the kit, which is looked for beside the repository, or where the variable RCA_KIT says. It
runs on one thread, one after the other: half an hour for all. What the programs say is kept in DIR, as `a.json` and
`a.txt`, and what lies there is not run again, so that one can go on after a break. Lines of protocols that were not
asked for stay as the table has them.
"""
# ruff: noqa: T201 - a program that prints what it measured

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve()
KIT = Path(os.environ.get("RCA_KIT", HERE.parents[3] / "shared" / "bench"))
TABLE = HERE.with_name("ACCURACY.md")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A program of the kit, the method it tests, and how often."""

    letter: str
    program: str
    method: str
    options: tuple[str, ...]
    asks: str


PROTOCOLS = (
    Protocol(
        letter="A", program="a_change_attribution.py", method="adapters:attribute", options=("--seeds", "2000"),
        asks="a change of a mean divided among three mechanisms, 2 × 1,000 rows, 95 % intervals; 2,000 draws",
    ),
    Protocol(
        letter="D", program="d_why_model_failed.py", method="adapters:attribute", options=("--seeds", "60"),
        asks="a Brier score that rose because P(Y given G) changed, 2 × 5,000 rows, 95 % intervals; 60 draws",
    ),
    Protocol(
        letter="bound", program="bound.py", method="", options=("--seeds", "60"),
        asks="D's draws once more, divided by who has the model and the graph and learns nothing: what chance leaves",
    ),
    Protocol(
        letter="E", program="e_decomposition_coverage.py", method="adapters:decompose",
        options=("--reps", "1500", "--largest", "4000"),
        asks="an error rate's change split into baseline, features and outcome, 90 % intervals; 1,500 draws a size",
    ),
    Protocol(
        letter="G", program="g_shifted_mean.py", method="adapters:attribute",
        options=("--mechanism", "adapters:mechanism", "--seeds", "60"),
        asks="a node far away from where it was, and slopes of a chain, without overlap: by extrapolation, 60 draws",
    ),
    Protocol(
        letter="K", program="k_null_calibration.py", method="adapters_drift:drift_p",
        options=("--reps", "20", "--columns", "20", "--largest", "100000"),
        asks="tests of drift at 5 % where nothing moved; 400 draws of each kind and pair of sizes",
    ),
    Protocol(
        letter="S", program="s_coverage.py", method="adapters:causal",
        options=("--scenario", "causal", "--seeds", "300"),
        asks="a change of a mean divided among eight mechanisms, 2 × 1,000 rows, 95 % intervals; 300 draws",
    ),
)  # fmt: skip
"""In the order of the table."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A figure, the 95 % interval that chance leaves it, and what it should be within."""

    protocol: str
    figure: str
    seen: float
    goal: tuple[float, float] | None = None
    error: tuple[float, float] | None = None

    @property
    def verdict(self):
        """Whether the goal is met, or is not ruled out by so many draws."""
        if self.goal is None:
            return ""
        low, high = self.goal
        if low <= self.seen <= high:
            return "yes"
        near = self.error is not None and self.error[0] <= high and self.error[1] >= low
        return "within chance" if near else "no"

    def __str__(self):
        error = "" if self.error is None else f"{self.error[0]:.4f} to {self.error[1]:.4f}"
        goal = "" if self.goal is None else _goal(*self.goal)
        return f"| {self.protocol} | {self.figure} | {self.seen:.4f} | {error} | {goal} | {self.verdict} |"


def _goal(low, high):
    if low <= 0:
        return f"≤ {high}"
    return f"≥ {low}" if high >= 1 else f"{low} to {high}"


def covered(letter, row, goal, *, of=""):
    """The coverage of one quantity's interval."""
    error = row["coverage_from"], row["coverage_to"]
    return Line(protocol=letter, figure=f"coverage, {row['name']}{of}", seen=row["coverage"], goal=goal, error=error)


def lines_of_a(rows, said):
    """Mean absolute errors, then coverages."""
    goals = {"X1": 0.076, "X2": 0.040, "Y": 0.043}
    errors = [
        Line(protocol="A", figure=f"mean absolute error, {row['name']}", seen=row["mae"], goal=(0, goals[row["name"]]))
        for row in rows
    ]
    return [*errors, *(covered("A", row, (0.94, 0.96)) for row in rows)]


def lines_of_d(rows, said):
    """The shares of the change that went astray, and the coverage of every part."""
    shares = re.search(r"mechanisms ([\d.]+), left unexplained ([\d.]+)", said)
    leaked, unexplained = map(float, shares.groups())
    bias = sum(abs(row["bias"]) for row in rows if row["name"] != "Y") / rows[0]["truth"]
    return [
        Line(protocol="D", figure="leaked to innocent mechanisms, absolute shares", seen=leaked, goal=(0, 0.02)),
        Line(protocol="D", figure="of it, what stays when draws are averaged", seen=bias),
        Line(protocol="D", figure="left unexplained", seen=unexplained),
        *(covered("D", row, None) for row in rows),
    ]


def lines_of_e(rows, said):
    """Coverage of every term at every size; the goal is for 2,000 rows and more."""
    goal = 0.87, 0.93
    return [covered("E", row, goal if row["n"] >= 2000 else None, of=f", {row['n']:,} rows") for row in rows]


def lines_of_k(rows, said):
    """False alarms of every kind at every pair of sizes, then false discoveries."""
    found = []
    for row in rows:
        error = row["from"], row["to"]
        if "power" in row:
            named = f"false discovery rate, power {row['power']:.3f}"
            found.append(Line(protocol="K", figure=named, seen=row["fires"], goal=(0, 0.05), error=error))
            continue
        kind = {"num": "numbers", "cat": "categories", "missing:gap": "missingness"}[row["kind"]]
        levels = f", {row['levels']} levels" if row["kind"] == "cat" else ""
        named = f"false alarms, {kind}{levels}, {row['old']:,} / {row['new']:,} rows"
        found.append(Line(protocol="K", figure=named, seen=row["fires"], goal=(0.04, 0.06), error=error))
    return found


def lines_of_bound(rows, said):
    """What leaks by chance alone, and how often our interval holds the truth of the draw's own model."""
    return [Line(protocol="bound", figure=row["name"], seen=row["seen"]) for row in rows]


def lines_of_g(rows, said):
    """Draws in which every part is right, then how often a mechanism is called changed."""
    passes = {row["case"]: row["pass"] for row in rows if "pass" in row}
    found = [
        Line(protocol="G", figure=f"draws that pass, {case}", seen=share, goal=(0.95, 1.0))
        for case, share in passes.items()
    ]
    fires = {row["name"]: row["fires"] for row in rows if "fires" in row}
    return [
        *found,
        *(Line(protocol="G", figure=f"called changed, {name}", seen=share) for name, share in fires.items()),
    ]


def lines_of_s(rows, said):
    """Coverage of every mechanism's interval."""
    return [covered("S", row, (0.93, 0.97)) for row in rows]


READERS = {
    "A": lines_of_a, "D": lines_of_d, "bound": lines_of_bound, "E": lines_of_e, "G": lines_of_g, "K": lines_of_k,
    "S": lines_of_s,
}  # fmt: skip


def run(protocol, kept):
    """Rows and words of a protocol's program, unless they are kept already."""
    rows, words = (kept / f"{protocol.letter.lower()}.{end}" for end in ("json", "txt"))
    if not rows.exists():
        path = os.pathsep.join([str(HERE.parents[2]), str(HERE.parent), str(KIT / "accuracy")])
        own = HERE.with_name(protocol.program)
        program = [str(own)] if own.exists() else [str(KIT / "accuracy" / protocol.program), protocol.method]
        command = [sys.executable, *program, *protocol.options]
        settings = dict.fromkeys(THREADS, "1") | {"PYTHONPATH": path, "PYTHONHASHSEED": "0"}
        command += ["--json", str(rows)]
        ran = subprocess.run(command, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True, check=True)
        words.write_text(ran.stdout, encoding="utf-8")
    return json.loads(rows.read_text(encoding="utf-8"))["rows"], words.read_text(encoding="utf-8")


def table(found, date, known):
    """What was seen, as Markdown; of other protocols the lines already known."""
    lines = {letter: [line for line in known if line.startswith(f"| {letter} |")] for letter in READERS}
    lines |= {letter: list(map(str, rows)) for letter, rows in found.items()}
    head = [
        "# How right it is on published cases", "",
        f"Measured {date} by `tests/benchmarks/protocols.py` on cases of known truth, by the kit's programs.",
        "Chance is the 95 % interval that so many draws leave a figure; `within chance` says that it does not",
        "rule the goal out.", "",
        *(f"- **{protocol.letter}**: {protocol.asks}." for protocol in PROTOCOLS if lines[protocol.letter]), "",
        "| protocol | figure | seen | chance | goal | met |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    return "\n".join([*head, *(line for protocol in PROTOCOLS for line in lines[protocol.letter]), ""])


def main():
    """Run what is asked for, print the table, and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--date", required=True, help="written above the table; no clock is read")
    parser.add_argument("--only", default="A,D,bound,E,G,K,S", help="letters, separated by commas")
    parser.add_argument("--kept", type=Path, help="folder of what the programs say")
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args()
    if not KIT.is_dir():
        sys.exit(f"skipped: the bench kit is not beside the repository ({KIT.parent.name}/{KIT.name})")
    with tempfile.TemporaryDirectory() as empty:
        kept, found = options.kept or Path(empty), {}
        kept.mkdir(parents=True, exist_ok=True)
        for protocol in PROTOCOLS:
            if protocol.letter in options.only.split(","):
                found[protocol.letter] = READERS[protocol.letter](*run(protocol, kept))
                print(*found[protocol.letter], sep="\n", file=sys.stderr)
    known = options.out.read_text(encoding="utf-8").splitlines() if options.out.exists() else []
    said = table(found, options.date, known)
    print(said)
    options.out.write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
