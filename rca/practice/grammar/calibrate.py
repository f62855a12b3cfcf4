"""Count how often verdicts were right, by kind and strength: `python -m rca.practice.grammar.calibrate FILE.jsonl …`.

Writes the counts that ship with the package, and `tests/CALIBRATION.md` where it is asked to.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from rca.analysis.conclusion.confidence import COUNTS, verdict_key
from rca.practice.grammar.families import FIRST_COUNTED
from rca.practice.grammar.summary import Line, summary


def counted(lines: Iterable[Line]) -> dict[str, list[int]]:
    """Right verdicts and all, by key.

    >>> first = {"kind": "feature", "strength": "shown"}
    >>> counted([{"status": "explained", "causes": [first], "right": True, "truth": "explained", "z": 9.0}])
    {'feature, shown': [1, 1]}
    """
    right: Counter[str] = Counter()
    of: Counter[str] = Counter()
    for line in lines:
        if line["status"] == "error":
            continue
        key = _key(line)
        of[key] += 1
        right[key] += bool(line["right"])
    return {key: [right[key], of[key]] for key in sorted(of)}


def _key(line: Mapping[str, Any]) -> str:
    first = line["causes"][0] if line["causes"] else {}
    return verdict_key(line["status"], first.get("kind"), first.get("strength"))


def main() -> int:
    """Write the counts."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("lines", nargs="+", type=Path, metavar="FILE")
    asked.add_argument("--report", type=Path, help="also write the tables as Markdown, such as tests/CALIBRATION.md")
    given = asked.parse_args()
    lines = [json.loads(line) for path in given.lines for line in path.read_text(encoding="utf-8").splitlines()]
    if used := [line["seed"] for line in lines if line["seed"] < FIRST_COUNTED]:
        asked.error(f"seed {used[0]} tries or judges the rules; count seeds from {FIRST_COUNTED} on")
    on = f"{len(lines):,} simulated incidents"
    counts = counted(lines)
    place = Path(str(files("rca.analysis.conclusion").joinpath(COUNTS)))
    place.write_text(json.dumps({"on": on, "counts": counts}, indent=1) + "\n", encoding="utf-8")
    if given.report is not None:
        given.report.write_text(_report(lines, counts, on), encoding="utf-8")
    return 0


def _report(lines: list[Line], counts: Mapping[str, list[int]], on: str) -> str:
    seeds = [line["seed"] for line in lines]
    drawn = f"part {lines[0]['part']}, seeds {min(seeds)} to {max(seeds)}"
    rows = [f"| {key} | {right} | {of} | {right / of:.2f} |" for key, (right, of) in counts.items()]
    table = "\n".join(["| verdict | right | of | share |", "|---|---|---|---|", *rows])
    told = f"Counted on {on} of `rca.practice.grammar` ({drawn}), by what the verdict said first."
    return f"# How often verdicts were right\n\n{told}\n\n{table}\n\n```\n{summary(lines)}\n```\n"


if __name__ == "__main__":
    raise SystemExit(main())
