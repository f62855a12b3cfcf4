"""Score the product on drawn lines.

    python -m rca.practice.lines.run --part trying --first 0 --count 200 --out FILE.jsonl
    python -m rca.practice.lines.run --summary FILE.jsonl
    python -m rca.practice.lines.run --calibrate FILE.jsonl

Each line is one JSON line, written at once; seeds that the file has already are left out. A run of the judging part is
to be counted in `tests/JUDGED.md`. `--calibrate` writes how often verdicts were right, which ships with the package.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from rca.analysis.cascade.origin_ranking import rank_origins
from rca.analysis.cascade.results import component_of
from rca.analysis.conclusion.confidence import CASCADES, cascade_key
from rca.analysis.conclusion.verdict import Verdict, weigh_cascade
from rca.errors import Unanswerable
from rca.practice.baselines import largest_latency_ratio
from rca.practice.grammar.by_seed import read, run
from rca.practice.grammar.families import FIRST_JUDGED, PARTS, Part
from rca.practice.grammar.summary import Line as Said
from rca.practice.grammar.summary import share
from rca.practice.lines.draw import ASKED, Line, draw


def verdict_of(line: Line) -> tuple[Verdict, float]:
    """What the product says of a line, and the probability of its first suspect."""
    try:
        found = rank_origins(line.table, line.signals, edges=line.edges, kind=line.kind)
    except Unanswerable as error:
        return Verdict(status="cannot_tell", summary=str(error)), 0.0
    return weigh_cascade(found), found.suspects[0].probability


def write_counts(lines: Sequence[Said], place: Path) -> None:
    """Write how often verdicts of each kind were right; a verdict that cannot tell is right where its first is."""
    counts: dict[str, list[int]] = {}
    for line in lines:
        if line["status"] != "error":
            right, of = counts.get(line["key"], (0, 0))
            counts[line["key"]] = [right + bool(line["right"]), of + 1]
    held = {"on": f"{len(lines):,} drawn lines of systems", "counts": dict(sorted(counts.items()))}
    place.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")


def baselines_of(line: Line) -> dict[str, str]:
    """The component that each one-line rule names: n-sigma, BARO's rule, and the ratio of latency after to before."""
    values = line.table.drop(columns="time")
    normal = values[(line.table["time"] < line.signals.from_).to_numpy()].ffill().bfill()
    failing = values[(line.table["time"] >= line.signals.from_).to_numpy()].ffill().bfill()
    quarters = normal.quantile([0.25, 0.75])
    apart = {
        "n-sigma": (failing - normal.mean()).abs().max() / normal.std(ddof=0).replace(0, 1),
        "BARO": ((failing - normal.median()) / (quarters.loc[0.75] - quarters.loc[0.25]).replace(0, 1)).max(),
    }
    named = {name: component_of(str(found.fillna(0).idxmax())) for name, found in apart.items()}
    slowest = largest_latency_ratio(line.table, line.signals)
    return named | ({"latency ratio": slowest} if slowest is not None else {})


def line_of(seed: int, part: Part, fault: str | None = None) -> Said:
    """Draw a line, ask the product, compare. Whatever the product raises is a wrong answer, and is kept."""
    line = draw(seed, part, fault=fault)
    said: Said = {
        "seed": seed, "part": part, "structure": line.structure, "kind": line.fault, "origin": line.origin,
        "z": line.z, "graph": bool(line.edges), "alarm": line.alarmed, "signals": line.table.shape[1] - 1,
        "samples": len(line.table), "baselines": {n: c == line.origin for n, c in baselines_of(line).items()},
    }  # fmt: skip
    started = time.process_time()
    try:
        said |= _compared(line, *verdict_of(line))
    except Exception as error:  # noqa: BLE001 - a crash of the product is a result
        said |= {"error": f"{type(error).__name__}: {error}"[:300], "status": "error", "right": False, "first": False}
    return said | {"seconds": round(time.process_time() - started, 2)}


def _compared(line: Line, verdict: Verdict, probability: float) -> Said:
    names = [cause.name for cause in verdict.causes]
    first, named = names[:1] == [line.origin], verdict.status == "explained"
    confidence = verdict.confidence
    return {
        "key": cascade_key(verdict.status, probability),
        "status": verdict.status, "first": first,
        "rank": names.index(line.origin) + 1 if line.origin in names else None,
        "right": first if named or verdict.status == "cannot_tell" else line.origin is None,
        "named": names[0] if names else None, "strength": verdict.causes[0].strength if names else None,
        "confidence": confidence.right / confidence.of if confidence is not None else None,
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- summary


def summary(lines: Sequence[Said]) -> str:
    """What the lines say, as text."""
    failed = [line for line in lines if line["origin"] is not None]
    asked = [line for line in failed if line["z"] >= ASKED]
    calm = [line for line in lines if line["origin"] is None]
    named = [line for line in lines if line["status"] == "explained"]
    silent = [line for line in failed if line["status"] == "cannot_tell"]
    told = [
        f"{len(lines)} lines, {sum(line['seconds'] for line in lines):.0f} CPU s of the product",
        f"found first where the origin leaves its range by {ASKED:g} or more: {share(asked, _first)}",
        f"found first, the others: {share([line for line in failed if line['z'] < ASKED], _first)}",
        f"named and right: {share(named, _right)}",
        f"of abstentions right at 1: {share(silent, _first)}",
        f"abstained where asked: {share(asked, lambda line: line['status'] == 'cannot_tell')}",
        f"called quiet where asked: {share(asked, lambda line: line['status'] == 'no_incident')}",
        f"quiet windows said so: {share(calm, _right)}",
        f"alarms in quiet windows: {share(calm, lambda line: line['status'] == 'explained')}",
        *(f"  {name}: {share(group, _right)}" for name, group in _calm(calm).items()),
    ]
    keys: tuple[tuple[str, Callable[[Said], str]], ...] = (
        ("fault", lambda line: str(line["kind"])),
        ("structure", lambda line: str(line["structure"])),
        ("graph", lambda line: "graph" if line["graph"] else "no graph"),
    )
    for title, key in keys:
        told += ["", f"found first by {title}, beside one-line rules on the same:", *_by(asked, key)]
    errors = [line["error"] for line in lines if line.get("error")]
    return "\n".join([*told, *(f"error: {text}" for text in errors)])


def _first(line: Said) -> bool:
    return bool(line["first"])


def _right(line: Said) -> bool:
    return bool(line["right"])


def _calm(lines: Sequence[Said]) -> dict[str, list[Said]]:
    return {
        "with an alarm": [line for line in lines if line["alarm"]],
        "without": [line for line in lines if not line["alarm"]],
    }


def _by(lines: Sequence[Said], key: Callable[[Said], str]) -> list[str]:
    rows = []
    for name in ["all", *sorted({key(line) for line in lines})]:
        same = [line for line in lines if name == "all" or key(line) == name]
        rules = {rule for line in same for rule in line["baselines"]}
        beside = {rule: sum(bool(line["baselines"].get(rule)) for line in same) for rule in sorted(rules)}
        below = " BELOW" if max(beside.values(), default=0) > sum(map(_first, same)) else ""
        told = ", ".join(f"{rule} {count}" for rule, count in beside.items())
        rows.append(f"  {name:14s} {share(same, _first)}; {told}{below}")
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, or print a summary."""
    asked = argparse.ArgumentParser(prog="python -m rca.practice.lines.run", description=(__doc__ or "").split("\n")[0])
    asked.add_argument("--part", choices=PARTS, default="trying")
    asked.add_argument("--fault", help="lines of one fault alone")
    asked.add_argument("--first", type=int, default=0, help="the first seed, counted from the part's first")
    asked.add_argument("--count", type=int, default=200)
    asked.add_argument("--jobs", type=int, default=1)
    asked.add_argument("--out", type=Path, default=Path("lines.jsonl"))
    asked.add_argument("--summary", type=Path, nargs="+", metavar="FILE")
    asked.add_argument("--calibrate", type=Path, nargs="+", metavar="FILE")
    given = asked.parse_args(arguments)
    if given.summary or given.calibrate:
        lines = [line for path in given.summary or given.calibrate for line in read(path)]
        if given.calibrate:
            write_counts(lines, Path(str(files("rca.analysis.conclusion").joinpath(CASCADES))))
        sys.stdout.write(summary(lines) + "\n")
        return 0
    first = given.first + (FIRST_JUDGED if given.part == "judging" else 0)
    line: Any = partial(line_of, part=given.part, fault=given.fault)
    run(range(first, first + given.count), line, given.out, jobs=given.jobs)
    return 0


if __name__ == "__main__":
    np.seterr(all="ignore")
    sys.exit(main())
