"""The form in which the kit beside the repository takes a test of drift (protocol K, null calibration).

Usage: PYTHONPATH=.:tests/benchmarks python ../shared/bench/accuracy/k_null_calibration.py adapters_drift:drift_p
"""

import pandas as pd

from rca.analysis.drift.univariate import univariate_drift


def drift_p(old: pd.DataFrame, new: pd.DataFrame, seed: int) -> dict[str, float]:
    """p-value of every column, and of its missingness as `missing:<column>`; nothing is drawn, so no seed is used."""
    return {row.name: row.p_value for row in univariate_drift(old, new).columns}
