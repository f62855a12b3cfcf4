"""Of rows whose true values are lost: what would have been lies in the intervals, as often as they promise."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import rca
from tests.statistical.promises import at_least, long_and_short, within

FEATURES = ["a", "b", "x"]
ROLES = {
    "metric": "false_positive_rate",
    "label": "label",
    "prediction": "said",
    "score": "score",
    "features": FEATURES,
}
TRUTH = 0.2731
"""The metric of the unbroken law, of 4 million rows."""


def model(rows):
    return expit(0.3 + 0.8 * rows["a"] - 0.5 * rows["b"] + 1.2 * rows["x"].fillna(0))


def answered(rows):
    scores = model(rows)
    return rows.assign(score=scores, said=(scores > 0.5).astype(int))


def drawn(rng, rows):
    a, b = rng.normal(size=(2, rows))
    frame = pd.DataFrame({"a": a, "b": b, "x": 0.6 * a + 0.8 * rng.normal(size=rows)})
    return answered(frame.assign(label=(rng.random(rows) < model(frame)).astype(int)))


def rate(rows):
    return float(rows.loc[rows["label"] == 0, "said"].mean())


def broken(true, how, rng):
    """Frozen in all rows, or in those of a segment; or missing here and there."""
    hit = {"frozen": np.ones(len(true), bool), "segment": true["b"] > 0, "missing": rng.random(len(true)) < 0.6}[how]
    return answered(true.assign(x=true["x"].mask(hit, np.nan if how == "missing" else 1.28)))


@long_and_short(3, 400, within=(0.92, 0.995), at_least=0.94)
@pytest.mark.parametrize("how", ["frozen", "segment", "missing"])
def test_what_would_have_been_lies_in_its_interval(how, draws):
    hits = dict.fromkeys(("decisions otherwise", "righted", "metric of these rows", "metric of the law"), 0)
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        reference, true = drawn(rng, 1500), drawn(rng, 1200)
        now = broken(true, how, rng)
        found = rca.what_if(reference, now, mend="x", model=model, seed=seed, **ROLES)
        other = now["said"] != true["said"]
        hits["decisions otherwise"] += other.sum() in found.changed.interval
        hits["righted"] += (other & (true["said"] == true["label"])).sum() in found.righted.interval
        hits["metric of these rows"] += rate(true) in found.would_be.interval
        hits["metric of the law"] += TRUTH in found.would_be.interval
    for what in ("decisions otherwise", "righted", "metric of the law"):
        within(hits[what], draws, (0.92, 0.995), of=what)
    at_least(hits["metric of these rows"], draws, 0.94, of="metric of these rows")
