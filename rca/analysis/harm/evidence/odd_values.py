"""Values that no drift makes: missing, unseen, out of the range, heaped on one, or of a coarser grid."""

from typing import Any

import numpy as np
import pandas as pd

from rca.arrays import Mask
from rca.methods.two_sample_tests import kolmogorov_distance
from rca.tables.columns import as_labels, as_numbers, kind_of

OFTEN, POINT = 3.0, 0.01
"""Factor, and points, by which a value has to be commoner than in the reference to be a heap."""

SOME, ALL = 0.005, 0.9
"""Shares of odd rows between which they alone are meant, and not the column."""

APART, COARSER, LOST_END = 0.6, 0.35, 0.03
"""Distance of the windows; share of the distinct values that are left; share of the reference's rows at an end of its
range that is empty now: from which a column did not only drift."""

ENOUGH = 100
"""Rows of a window below which neither is judged."""


def odd_values(reference: "pd.Series[Any]", current: "pd.Series[Any]", *, coded: bool = False) -> Mask | None:
    """Current rows whose value marks them; None where these are hardly any rows, or nearly all.

    Examples
    --------
    >>> before, after = pd.Series(range(100)), pd.Series([*range(80), *[-1] * 20])
    >>> odd_values(before, after).sum().item()
    20
    """
    before, after = pd.Series(as_labels(reference)), pd.Series(as_labels(current))
    shares = [labels.value_counts(normalize=True, dropna=False) for labels in (before, after)]
    usual = shares[0].reindex(shares[1].index).fillna(0.0)
    heaped = shares[1].index[shares[1] > OFTEN * usual + POINT]
    odd = after.isin(heaped).to_numpy() | (after.isna().to_numpy() & bool(heaped.isna().any()))
    if kind_of(reference, coded=coded) == kind_of(current, coded=coded) == "numeric":
        known = as_numbers(reference)
        known = known[np.isfinite(known)]
        if len(known):
            reach = float(known.max() * POINT - known.min() * POINT)
            numbers = as_numbers(current)
            beyond = np.isfinite(numbers) & ((numbers < known.min() - reach) | (numbers > known.max() + reach))
            odd |= beyond & (beyond.mean() > OFTEN * 2 / len(known) + POINT)
    else:
        odd |= ~after.isin(shares[0].index).to_numpy() & after.notna().to_numpy()
    return odd if SOME <= odd.mean() <= ALL else None


def is_unlike(reference: "pd.Series[Any]", current: "pd.Series[Any]", *, coded: bool = False) -> bool:
    """Whether a column changed as no mix of the reference's rows would: odd values, a lost end, a coarser grid.

    Examples
    --------
    >>> before = pd.Series(np.random.default_rng(0).normal(size=900))
    >>> is_unlike(before, before[::-1]), is_unlike(before, before.round())
    (False, True)
    """
    if odd_values(reference, current, coded=coded) is not None:
        return True
    if kind_of(reference, coded=coded) == "categorical" or kind_of(current, coded=coded) == "categorical":
        return False
    before, after = (as_numbers(one) for one in (reference, current))
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    rows = min(len(before), len(after))
    if rows < ENOUGH:
        return False
    grid = [len(np.unique(one[:rows])) for one in (before, after)]
    lost = max(float((before > after.max()).mean()), float((before < after.min()).mean()))
    return kolmogorov_distance(before, after) > APART or grid[1] < COARSER * grid[0] or lost > LOST_END
