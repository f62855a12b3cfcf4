"""How often a cascade is named in windows in which nothing failed: normal rows of the shared cases against normal rows.

Usage: PYTHONPATH=. python tests/benchmarks/quiet.py [FAMILY ...] [--windows 3] [--date DATE --out FILE]

Of each case's normal rows the last fifth is taken for failing, then the fifth before it, and so on, or as many rows as
its failing window has, if those are fewer; what lies before is normal. Cases that were recorded on one day share such
windows: each is counted once. Windows with a gap in them, or in as many rows before, are counted apart too: in a gap of
hours systems are restarted, and then something did happen. Answers are not read. Cases are looked for beside the
repository, or where the variable RCA_CASES says.
"""
# ruff: noqa: T201 - a program that prints what it measured

import argparse
import hashlib
import os
import sys
from pathlib import Path

from scipy.stats import binomtest

from rca.analysis.cascade.normal_range import BREAK
from rca.analysis.cascade.origin_ranking import rank_origins
from rca.record.case import load

HERE = Path(__file__).resolve()
CASES = Path(os.environ.get("RCA_CASES", HERE.parents[3] / "shared" / "cases" / "signals"))
PARTS = 5


def quiet_windows(case, windows):
    """Tables of normal rows alone, and the signals whose failing window lies among them."""
    signals = case.incident.signals
    table = case.signals.sort_values("time", kind="stable")
    normal = table[table["time"] < signals.from_]
    failing = ((table["time"] >= signals.from_) & (table["time"] <= signals.to)).sum()
    length = min(int(failing), len(normal) // PARTS)
    for back in range(windows):
        rows = normal.iloc[: len(normal) - back * length]
        since, until = (rows["time"].iloc[at].to_pydatetime() for at in (-length, -1))
        yield rows, signals.model_copy(update={"from_": since, "to": until})


def named(folder, windows, seen):
    """Of each quiet window that was not `seen` before: is it whole, is somebody named, is it said to be quiet?"""
    case = load(folder)
    graph = case.graph
    known = {} if graph is None else {"edges": graph.edges, "kind": graph.kind}
    found = []
    for table, signals in quiet_windows(case, windows):
        values = table.loc[table["time"] >= signals.from_].drop(columns="time").to_numpy(float)
        if (digest := hashlib.sha256(values.tobytes()).digest()) not in seen:
            seen.add(digest)
            answer = rank_origins(table, signals, **known)
            found.append((is_whole(table, len(values)), answer.doubt is None, answer.quiet))
    return found


def is_whole(table, length):
    """Whether no samples are missing among the last rows."""
    steps = table["time"].diff().dt.total_seconds()
    return bool((steps.iloc[-2 * length :] <= BREAK * steps.median()).all())


def line(family, found):
    """One line of the table, with Wilson's intervals."""
    whole = [one for one in found if one[0]]
    return f"| {family} | {share(found, 1)} | {share(whole, 1)} | {share(found, 2)} |"


def share(found, which):
    """How many are named (1) or said to be quiet (2), of how many, and the interval of the share."""
    if not found:
        return "– | –"
    alarms = sum(one[which] for one in found)
    low, high = binomtest(alarms, len(found)).proportion_ci(method="wilson")
    return f"{alarms} of {len(found)} | {alarms / len(found):.3f} ({low:.3f} to {high:.3f})"


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", help="the parts of the names before the number; all if none is given")
    parser.add_argument("--windows", type=int, default=3)
    parser.add_argument("--date", default="", help="written above the table; no clock is read")
    parser.add_argument("--out", type=Path, help="written there too")
    options = parser.parse_args()
    if not CASES.is_dir():
        sys.exit(f"skipped: the cases are not beside the repository ({CASES.parent.name}/{CASES.name})")
    found, seen = {}, set()
    for folder in sorted(one for one in CASES.iterdir() if one.is_dir()):
        family = folder.name.rsplit("-", 1)[0]
        if not options.families or family in options.families:
            found.setdefault(family, []).extend(named(folder, options.windows, seen))
    heads = (
        "family",
        "named though quiet",
        "share, 95 %",
        "of whole windows",
        "share, 95 %",
        "said quiet",
        "share, 95 %",
    )
    rows = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    rows += [line(family, found[family]) for family in sorted(found)]
    rows.append(line("all", [one for many in found.values() for one in many]))
    print("\n".join(rows))
    if options.out is not None:
        title = f"# How often a quiet cascade is named\n\nMeasured {options.date} by `tests/benchmarks/quiet.py`."
        options.out.write_text("\n".join([title, "", *rows, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
