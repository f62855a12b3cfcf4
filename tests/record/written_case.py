"""A sound case, written with changes, and what `check` says of it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import yaml

from rca.record.check import check

START = datetime(2026, 5, 1, tzinfo=UTC)

RECORD = {
    "schema": 1,
    "id": "sample",
    "title": "Good applicants are turned away",
    "severity": "sev2",
    "category": "model_drift",
    "status": "closed",
    "timeline": {
        "detected": "2026-05-02T09:10:00Z",
        "closed": "2026-05-20T16:00:00Z",
        "events": [{"at": "2026-05-01T02:00:00+02:00", "kind": "deploy", "what": "schema v12"}],
    },
    "data": {
        "reference": "reference.parquet",
        "current": "current.parquet",
        "time": "at",
        "label": "defaulted",
        "prediction": "declined",
        "score": "probability",
        "id": "application",
        "groups": ["band"],
        "categorical": ["purpose"],
    },
    "metric": {"name": "false_positive_rate"},
}

WINDOWS = {
    "reference": {"path": "log.parquet", "from": "2026-05-01T00:00:00Z", "to": "2026-05-02T00:00:00Z"},
    "current": {"path": "log.parquet", "from": "2026-05-02T02:00:00+02:00", "to": "2026-05-03T00:00:00Z"},
}


def table(n=60, seed=0, start=START):
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "at": [start + timedelta(hours=hour) for hour in range(n)],
            "application": np.arange(n),
            "income": random.normal(size=n),
            "purpose": random.integers(0, 3, n),
            "band": random.choice(["young", "old"], n),
            "defaulted": np.arange(n) % 2,
            "declined": random.integers(0, 2, n),
            "probability": random.random(n),
        }
    )


def merged(record, changes):
    out = dict(record)
    for key, value in changes.items():
        out[key] = merged(out[key], value) if isinstance(value, dict) and isinstance(out.get(key), dict) else value
    return out


def write(folder, changes=None, **tables):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "incident.yaml").write_text(yaml.safe_dump(merged(RECORD, changes or {}), sort_keys=False))
    for name, frame in {"reference": table(), "current": table(seed=1), **tables}.items():
        if frame is not None:
            frame.to_parquet(folder / f"{name}.parquet")
    return folder


def told(folder):
    """What `check` says, one line a problem."""
    return [str(problem) for problem in check(folder)]


def only(folder):
    lines = told(folder)
    assert len(lines) == 1, lines
    return lines[0]
