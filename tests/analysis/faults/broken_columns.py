"""A number and a word, each before and after, and the fault that is named where one broke."""

import numpy as np
import pandas as pd

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.diagnosis import diagnose

RNG = np.random.default_rng(0)
SKEWED = pd.Series(RNG.lognormal(2, 0.6, 1200)).round(2)
NEXT = pd.Series(RNG.lognormal(2, 0.6, 1200)).round(2)
WORDS = pd.Series(RNG.choice(["car", "house", "boat"], 1200, p=[0.5, 0.3, 0.2]))
USUAL = float(SKEWED.sort_values().iloc[800])


def name(before, after, **options) -> ColumnFault | None:
    reference, current = pd.DataFrame({"c": before}), pd.DataFrame({"c": after})
    codes = ("c",) if options.pop("coded", False) else ()
    return diagnose(
        reference, current, univariate_drift(reference, current, categorical=codes), categorical=codes, **options
    ).get("c")
