"""The rows that a rival about rows, or about outcomes, accuses."""

from typing import Literal

import numpy as np

from rca.analysis.harm.evidence.copied_rows import copied_rows
from rca.analysis.harm.evidence.few_rows import few_rows
from rca.analysis.harm.evidence.paired_parts import both_parts
from rca.analysis.harm.rivals.rival import Rival
from rca.analysis.inputs.windows import Windows
from rca.arrays import Mask


def accused_rows(windows: Windows, rival: Rival, *, window: Literal["reference", "current"]) -> Mask | None:
    """Which rows of a window are surplus copies, lack their outcome, or are the few that carry the change.

    Returns
    -------
    ndarray of bool, shape (rows,), or None
        None where the rival accuses no rows of this window.
    """
    rows = windows.reference if window == "reference" else windows.current
    if rival.kind == "labels":
        return np.asarray(rows[rival.name].isna()) if rival.name in rows else None
    if rival.kind != "rows":
        return None
    if (found := copied_rows(windows)) is not None and rival.name == "duplicates":
        return ~(found.reference_keep if window == "reference" else found.keep)
    if (
        rival.name == "outliers"
        and window == "current"
        and (few := few_rows(windows, *both_parts(windows))) is not None
    ):
        return np.isin(np.arange(len(rows)), few.rows)
    return None
