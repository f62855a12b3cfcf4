"""Two columns that hold each other's values."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.affine import ALIKE
from rca.analysis.cells import HALF, cells
from rca.analysis.column_fault import ColumnFault
from rca.analysis.onset import ChangePoint, change_point

START = ChangePoint(at=0, earliest=0, latest=0)


def swaps(
    found: Sequence[ColumnFault], reference: pd.DataFrame, current: pd.DataFrame, *, ordered: bool = False
) -> list[ColumnFault]:
    """Name the columns that hold each other's values, among those that moved and did not break otherwise.

    Parameters
    ----------
    found : sequence of ColumnFault
    reference, current : pandas.DataFrame
    ordered : bool
        Whether the current rows are in time order, so that the exchange may have begun partway.

    Returns
    -------
    list of ColumnFault
        The same columns in the same order.
    """
    rows = {row.column: row for row in found}
    loose = [row.column for row in found if row.fault in ("distribution", "new_values", "shifted", "scaled")]
    for one, other in combinations(loose, 2):
        free = rows[one].partner is None and rows[other].partner is None
        since = _since((one, other), reference, current) if free and ordered else START
        if free and _exchanged((one, other), reference, current.iloc[since.at :]):
            share = 1 - since.at / len(current)
            between = (since.earliest, since.latest) if ordered else None
            rows[one], rows[other] = (
                ColumnFault(
                    column=column,
                    fault="swapped",
                    share=share,
                    evidence=f"holds the values of {partner}",
                    partner=partner,
                    since=since.at,
                    since_interval=between,
                )
                for column, partner in ((one, other), (other, one))
            )
    return list(rows.values())


def _since(pair: tuple[str, str], reference: pd.DataFrame, current: pd.DataFrame) -> ChangePoint:
    """First row from which each column looks like the other's past rather than its own."""
    both = [pd.concat([rows[name] for name in pair], ignore_index=True) for rows in (reference, current)]
    laid, n, m = cells(*both), len(reference), len(current)
    one, other = (np.bincount(codes, minlength=laid.count) + HALF for codes in np.split(laid.reference, [n]))
    likelier = np.log(other) - np.log(one)
    before = likelier[laid.reference[:n]] - likelier[laid.reference[n:]]
    after = likelier[laid.current[:m]] - likelier[laid.current[m:]]
    return change_point(after, float(before.mean())) or START


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
