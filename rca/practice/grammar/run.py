"""Score the product on drawn incidents.

    python -m rca.practice.grammar.run --part trying --first 0 --count 200 --jobs 2 --out FILE.jsonl
    python -m rca.practice.grammar.run --kind clipped --place slice --count 60 --out FILE.jsonl
    python -m rca.practice.grammar.run --summary FILE.jsonl

Each incident is one JSON line, written at once; seeds that the file has already are left out. `--summary FILE.jsonl …`
prints what the lines say. A run of the judging part is to be counted in `tests/JUDGED.md`.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np

from rca.analysis.conclusion.verdict import Verdict, weigh_windows
from rca.analysis.drift.question import drift_of
from rca.analysis.drift.univariate import Drift
from rca.analysis.faults.question import faults_of
from rca.analysis.harm.question import harm_of
from rca.analysis.inputs.windows import Windows, measured_of
from rca.analysis.slices.question import slices_of
from rca.errors import Unanswerable
from rca.practice.baselines import DRIFT, SHAP_SHIFT, USED_DRIFT, largest_drift, largest_used_drift
from rca.practice.grammar.by_seed import read, run
from rca.practice.grammar.column_faults import Place
from rca.practice.grammar.draw import draw
from rca.practice.grammar.families import FIRST_JUDGED, GROUP_OF, PARTS, Part
from rca.practice.grammar.incident import Incident
from rca.practice.grammar.summary import Line, summary
from rca.record.model.gain import gains

SHAP_ROWS = 500
"""Rows of each window that the SHAP baseline looks at."""


def verdict_of(incident: Incident) -> Verdict:
    """What the product says of an incident."""
    windows = incident.windows()
    try:
        drift = drift_of(windows)
        faults = faults_of(windows, drift)
        slices = slices_of(windows, measured_of(windows), seed=0)
        harm = harm_of(windows, drift, faults, slices=slices, seed=0)
        return weigh_windows(harm, slices=slices)
    except Unanswerable as error:
        return Verdict(status="cannot_tell", summary=str(error))


def baselines_of(incident: Incident) -> dict[str, str | None]:
    """The column that each baseline names; None where it lacks what it needs."""
    windows = incident.windows()
    drift = drift_of(windows)
    return {
        DRIFT: largest_drift(drift),
        USED_DRIFT: largest_used_drift(drift, gains(windows.model)) if windows.model is not None else None,
        SHAP_SHIFT: _largest_shap_shift(incident, windows, drift) if incident.model is not None else None,
    }


def _largest_shap_shift(incident: Incident, windows: Windows, drift: Drift) -> str | None:
    """The feature whose mean |SHAP| changed most, by the model's own contributions."""
    if windows.model is None or not drift.columns:
        return None
    means = [_mean_shap(incident, windows, reference=which) for which in (True, False)]
    shift = np.abs(means[1] - means[0])
    return str(windows.model.features[int(shift.argmax())])


def _mean_shap(incident: Incident, windows: Windows, *, reference: bool) -> Any:
    rows = windows.reference if reference else windows.current
    some = rows.sample(min(len(rows), SHAP_ROWS), random_state=0)
    told = np.abs(np.asarray(incident.contributions(some)))
    width = len(incident.model.feature_name()) + 1
    return told.reshape(len(some), -1, width).mean(axis=(0, 1))[:-1]


# ------------------------------------------------------------------------------------------------------- one incident


@dataclass(frozen=True)
class Asked:
    """What incidents are drawn: of which part, of one kind, and which rows it hits."""

    part: Part
    kind: str | None = None
    place: Place | None = None


def line_of(seed: int, asked: Asked) -> Line:
    """Draw an incident, ask the product, compare: one line of the file.

    Whatever the product raises is a wrong answer, and is kept.
    """
    incident = draw(seed, asked.part, kind=asked.kind, place=asked.place)
    line = _truth(incident)
    started = time.process_time()
    try:
        verdict = verdict_of(incident)
        line |= _said(incident, verdict)
    except Exception as error:  # noqa: BLE001 - a crash of the product is a result
        line |= {"error": f"{type(error).__name__}: {error}"[:300], "status": "error", "causes": [], **_WRONG}
    line["seconds"] = round(time.process_time() - started, 2)
    try:
        named = baselines_of(incident)
    except Exception:  # noqa: BLE001 - likewise
        named = dict.fromkeys((DRIFT, USED_DRIFT, SHAP_SHIFT))
    right = {name: column is not None and incident.answer.names("feature", column) for name, column in named.items()}
    return line | {"baselines": {name: [column, right[name]] for name, column in named.items()}}


_WRONG = {"right": False, "right_3": False, "right_status": False, "decoy": False, "fault_right": None}


def _truth(incident: Incident) -> Line:
    proof, answer = incident.proof, incident.answer
    return {
        "seed": incident.seed, "part": incident.part, "kind": incident.kind, "group": incident.group,
        "family": incident.family, "metric": incident.metric, "rows": [len(incident.reference), len(incident.current)],
        "has": sorted(role for role in incident.roles if role != "positive") + ["model"] * (incident.model is not None),
        "effect": proof.effect.value, "se": proof.effect.error, "z": proof.effect.z, "unpaired_z": proof.unpaired.z,
        "each": {kind: [one.value, one.z] for kind, one in proof.each.items()},
        "weak": incident.weak, "hit": incident.hit, "place": incident.place, "time": incident.time,
        "where": answer.where, "truth": answer.status, "statuses": answer.statuses, "answers": answer.causes,
        "faults": answer.faults, "decoys": answer.decoys,
    }  # fmt: skip


def _said(incident: Incident, verdict: Verdict) -> Line:
    answer, causes = incident.answer, [(cause.kind, cause.name) for cause in verdict.causes]
    found = [cause.fault for cause in verdict.causes if cause.kind == "feature" and answer.names("feature", cause.name)]
    first = verdict.causes[0] if verdict.causes else None
    return {
        "status": verdict.status,
        "causes": [
            {"kind": one.kind, "name": one.name, "fault": one.fault, "strength": one.strength,
             "contribution": one.contribution}
            for one in verdict.causes[:5]
        ],
        "right": answer.right(verdict.status, causes),
        "right_3": verdict.status in answer.statuses or any(answer.names(*one) for one in causes[:3]),
        "right_status": verdict.status == answer.status or verdict.status in answer.statuses,
        "decoy": first is not None and first.kind == "feature" and first.name in answer.decoys,
        "fault_right": bool(found) and found[0] in answer.faults if answer.faults else None,
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, or print a summary."""
    asked = argparse.ArgumentParser(
        prog="python -m rca.practice.grammar.run", description=(__doc__ or "").split("\n")[0]
    )
    asked.add_argument("--part", choices=PARTS, default="trying")
    asked.add_argument("--kind", choices=sorted(GROUP_OF), help="incidents of one kind alone")
    asked.add_argument("--place", choices=get_args(Place), help="which rows it hits")
    asked.add_argument("--first", type=int, default=0, help="the first seed, counted from the part's first")
    asked.add_argument("--count", type=int, default=200)
    asked.add_argument("--jobs", type=int, default=1)
    asked.add_argument("--out", type=Path, default=Path("grammar.jsonl"))
    asked.add_argument("--summary", type=Path, nargs="+", metavar="FILE")
    given = asked.parse_args(arguments)
    if given.summary:
        sys.stdout.write(summary([line for path in given.summary for line in read(path)]) + "\n")
        return 0
    first = given.first + (FIRST_JUDGED if given.part == "judging" else 0)
    drawn = Asked(given.part, given.kind, given.place)
    run(range(first, first + given.count), partial(line_of, asked=drawn), given.out, jobs=given.jobs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
