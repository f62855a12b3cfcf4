"""Names and codes that other columns go with, before and after, and the fault that is named where they changed."""

import numpy as np
import pandas as pd

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.diagnosis import diagnose

NAMES = np.array(["car", "house", "boat", "study"])


def table(seed, rows=3000):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=rows)
    return pd.DataFrame(
        {
            "z": z,
            "purpose": NAMES[np.searchsorted([0.2, 0.9, 1.5], z + 0.5 * rng.normal(size=rows))],
            "flag": (z + 0.7 * rng.normal(size=rows) > 0).astype(int),
            "alone": rng.choice(["x", "y"], rows),
        }
    )


def named(after, column, before=None):
    before = table(0) if before is None else before
    return diagnose(before, after, univariate_drift(before, after)).get(column)


SHARES = {0: 0.6, 1: 0.2, 2: 0.12, 3: 0.06, 4: 0.018, 6: 0.002}
TURNED = {0: 3, 1: 6, 2: 0, 3: 4, 4: 1, 6: 2}


def coded(seed, rows=4000):
    """A code that goes with two other columns, and times in order."""
    rng = np.random.default_rng(seed)
    code = rng.choice(list(SHARES), rows, p=list(SHARES.values()))
    z = code + rng.normal(size=rows)
    return pd.DataFrame({"code": code, "z": z, "w": code % 3 + 0.8 * rng.normal(size=rows), "v": rng.normal(size=rows)})


def told(after, **options):
    before = coded(0)
    return diagnose(before, after, univariate_drift(before, after), **options).get("code")


def turned(rows, hit):
    return rows.assign(code=rows["code"].mask(hit, rows["code"].map(TURNED)))
