"""A drill that is over, written by hand."""

from rca.record.schema.drill import Drill
from tests.conftest import HOSTILE

ENTRY = {"minute": 10, "who": "writer", "kind": "tell", "about": "users", "text": HOSTILE}


def play(cause=12.0, text=HOSTILE):
    points = [
        {"area": "detection", "points": 5.0, "of": 10.0, "because": "late"},
        {"area": "cause", "points": cause, "of": 20.0, "because": text},
    ]
    return {"log": [ENTRY, {**ENTRY, "kind": "wait", "text": ""}], "points": points, "stopped": 3.0}


def a_drill(**other):
    known = {
        "id": "drill-line-2-4", "held": "2026-12-01T05:00:00Z", "kind": "line", "level": 2, "seed": 4, "people": 1,
        "place": "a line", "truth": "the camera failed", "answers": ["camera"], "harm": "faulty parts", "possible": 9.0,
        "severity": "sev2", "team": play(), "reference": play(20.0, "right"), "script": [[0, "look metric"]],
        "whys": [{"question": "Why was it not sooner?"}],
    }  # fmt: skip
    return Drill.model_validate(known | other)
