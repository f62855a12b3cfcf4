"""A small case along whose graph every question has an answer."""

import numpy as np
import pandas as pd
import yaml
from scipy.special import expit

import rca

START = pd.Timestamp("2026-03-01", tz="UTC")
ROWS = 900
BROKE = 300

EDGES = [["a", "x"], ["a", "score"], ["b", "score"], ["x", "score"], ["score", "said"]]
EDGES += [["a", "label"], ["b", "label"], ["x", "label"]]


def score_of(rows):
    return expit(0.3 + 0.8 * rows["a"] - 0.5 * rows["b"] + 1.2 * rows["x"])


def drawn(rng, since):
    a, b = rng.normal(size=(2, ROWS))
    rows = pd.DataFrame({"a": a, "b": b, "x": 0.8 * a + 0.6 * rng.normal(size=ROWS)})
    label = (rng.random(ROWS) < score_of(rows)).astype(int)
    return rows.assign(label=label, at=since + pd.to_timedelta(np.arange(ROWS), unit="h"))


def answered(rows):
    return rows.assign(score=score_of(rows), said=(score_of(rows) > 0.5).astype(int))


def written(folder, *, graph=True):
    """A small case without a model file, whose scores a stand-in repeats: x freezes in row 300, after a deploy."""
    rng = np.random.default_rng(0)
    reference = answered(drawn(rng, START - pd.Timedelta(days=90)))
    true = drawn(rng, START)
    current = answered(true.assign(x=np.where(np.arange(ROWS) < BROKE, true["x"], 1.5)))
    folder.mkdir()
    reference.to_parquet(folder / "reference.parquet")
    current.to_parquet(folder / "current.parquet")
    (folder / "graph.yaml").write_text(yaml.safe_dump({"kind": "causal", "edges": EDGES}), encoding="utf-8")

    def moment(hour):
        return (START + pd.Timedelta(hours=hour)).isoformat()

    record = {
        "schema": 1, "id": folder.name, "title": "x froze", "severity": "sev3", "category": "data_quality",
        "status": "closed", "systems": [{"name": "scorer", "kind": "model"}],
        "timeline": {
            "detected": moment(800), "contained": moment(890),
            "events": [{"at": moment(BROKE - 2), "kind": "deploy", "system": "store", "what": "schema 2"}],
        },
        "data": {
            "reference": "reference.parquet", "current": "current.parquet", "time": "at", "label": "label",
            "prediction": "said", "score": "score",
        },
        "metric": {"name": "error_rate"},
    }  # fmt: skip
    record |= {"graph": "graph.yaml"} if graph else {}
    (folder / "incident.yaml").write_text(yaml.safe_dump(record), encoding="utf-8")
    return rca.load(folder)
