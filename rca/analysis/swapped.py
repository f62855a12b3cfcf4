"""Two columns that hold each other's values."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.affine import ALIKE
from rca.analysis.cells import cells
from rca.analysis.column_fault import ColumnFault


def swaps(found: Sequence[ColumnFault], reference: pd.DataFrame, current: pd.DataFrame) -> list[ColumnFault]:
    """Name the columns that hold each other's values, among those that moved and did not break otherwise.

    Parameters
    ----------
    found : sequence of ColumnFault
    reference, current : pandas.DataFrame

    Returns
    -------
    list of ColumnFault
        The same columns in the same order.
    """
    rows = {row.column: row for row in found}
    loose = [row.column for row in found if row.fault in ("distribution", "new_values", "shifted", "scaled")]
    for one, other in combinations(loose, 2):
        free = rows[one].partner is None and rows[other].partner is None
        if free and _exchanged((one, other), reference, current):
            rows[one], rows[other] = _swapped(rows[one], other), _swapped(rows[other], one)
    return list(rows.values())


def _swapped(fault: ColumnFault, partner: str) -> ColumnFault:
    return ColumnFault(
        column=fault.column, fault="swapped", share=1.0, evidence=f"holds the values of {partner}", partner=partner
    )


def _exchanged(pair: tuple[str, str], reference: pd.DataFrame, current: pd.DataFrame) -> bool:
    """Whether each column resembles the other's past far more than its own."""
    one, other = pair
    straight = _apart(reference[one], current[one]), _apart(reference[other], current[other])
    crossed = _apart(reference[one], current[other]), _apart(reference[other], current[one])
    return max(crossed) <= ALIKE * min(straight)


def _apart(before: "pd.Series[Any]", after: "pd.Series[Any]") -> float:
    """Total variation over common cells."""
    shares = cells(before, after).shares()
    return float(np.abs(shares[0] - shares[1]).sum() / 2)
