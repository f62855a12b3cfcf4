"""Plain tables of two windows, drawn as many tests need them, and what their columns are."""

import numpy as np
import pandas as pd

COLUMNS = {"label": "label", "score": "score", "prediction": "prediction"}
ROLES = {"metric": "error_rate", **COLUMNS}
FEATURES = [f"x{i}" for i in range(6)]


def rows(seed, n=300):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.normal(size=n), "region": rng.choice(["north", "south"], n)})
    label, score = (rng.random(n) < 0.3).astype(int), rng.random(n)
    return frame.assign(label=label, score=score, prediction=(score > 0.5).astype(int))


BEFORE, AFTER = rows(0), rows(1)


def drawn(seed, rows=300):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"n": rng.normal(size=rows), "k": rng.choice(list("abc"), rows), "z": np.where(rng.random(rows) < 0.3, 0, 1.5)}
    )
    return frame.assign(label=(rng.random(rows) < 0.3).astype(int), prediction=(rng.random(rows) < 0.3).astype(int))
