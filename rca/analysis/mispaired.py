"""Values that are usual and stand in the wrong rows: a column that no longer goes with the other columns of its row."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from rca.analysis.column_fault import ColumnFault
from rca.analysis.stale import SURE, TELLS
from rca.analysis.witness import Witness, correlation

PART = 0.15
"""Share of the correlation with what the others say that a column has to lose, to be called out of place."""


def mispaired(
    reference: pd.DataFrame, current: pd.DataFrame, columns: Sequence[str], *, codes: Collection[str] = ()
) -> list[ColumnFault]:
    """Name the columns whose values belong to other rows, the one that lost most first.

    A fault that keeps a column's distribution can only have mixed up rows: a join on the wrong key, a lag of which the
    order is not on record. The other columns tell: where they predicted the column, they no longer do. Of columns that
    go together the one out of place takes the others with it; so it is set aside, and the rest is asked again.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    columns : sequence of str
        That neither moved nor broke.
    codes : collection of str
        Numeric columns that are codes.

    Returns
    -------
    list of ColumnFault
        `stale`, by no lag that is known; all rows are suspect, since none shows by itself that it was hit.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(2000, 1))
    >>> rows = pd.DataFrame(z + 0.5 * rng.normal(size=(2000, 3)), columns=list("abc"))
    >>> late = rows.assign(b=rows["b"].shift(1).bfill())
    >>> [fault.column for fault in mispaired(rows, late, list("abc"))]
    ['b']
    """
    asked, found = list(columns), []
    while len(asked) > 1 and (worst := _worst(reference, current, asked, codes=codes)) is not None:
        found.append(worst)
        asked.remove(worst.column)
    return found


def _worst(
    reference: pd.DataFrame, current: pd.DataFrame, columns: Sequence[str], *, codes: Collection[str]
) -> ColumnFault | None:
    """The column that lost the most of its correlation with what the others say of it; None where none lost much."""
    witness = Witness.fit(reference, columns, codes=codes)
    seen = witness.design(reference), witness.design(current)
    told = {name: [correlation(*witness.says(name, rows)) for rows in seen] for name in witness.places}
    error = float(np.sqrt(1 / max(len(reference) - 3, 1) + 1 / max(len(current) - 3, 1)))
    lost = {
        name: 1 - after / before
        for name, (before, after) in told.items()
        if before >= TELLS and np.arctanh(before * 0.999999) - np.arctanh(after * 0.999999) >= SURE * error
    }
    name = max(lost, key=lambda one: lost[one], default=None)
    if name is None or lost[name] < PART:
        return None
    words = "values are the usual ones, and no longer go with the other columns of their row"
    evidence = f"{words}: correlation {told[name][1]:.2f}, {told[name][0]:.2f} before"
    return ColumnFault(column=name, fault="stale", share=1.0, evidence=evidence)
