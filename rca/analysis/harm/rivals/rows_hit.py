"""A named fault without a model that could be asked again: whether the rows that show it fare worse, and others not."""

from dataclasses import replace

import numpy as np
import pandas as pd

from rca.analysis.faults.application import hit, row_by_row
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.harm.contribution import Contribution, PartEstimate, contribution, halves
from rca.analysis.harm.rivals.bench import LOST, PART, Weighing
from rca.arrays import Mask
from rca.tables.columns import as_labels
from rca.tables.condition import all_hold

FEWEST = 50
"""Rows hit, and others, of either window, below which they are not compared."""


def harm_of_rows_hit(weighing: Weighing, fault: ColumnFault) -> Contribution | None:
    """The metric of the rows that show a fault less that of their like before, beyond what other rows lost.

    Their like are the reference's rows under the fault's conditions; where names stand for others, those of that name.

    Parameters
    ----------
    weighing : Weighing
    fault : ColumnFault

    Returns
    -------
    Contribution or None
        In the metric's unit, positive where it is worse, times the share of the rows hit. None where no row shows the
        fault, or rows hit do not surely fare worse than others.
    """
    meter, reference, current = weighing.windows.meter, weighing.windows.reference, weighing.windows.current
    if not fault.broken or not row_by_row(fault) or meter.segments(reference, current):
        return None
    struck, like = hit(fault, current), _like(fault, reference)
    if min(int(one.sum()) for one in (struck, ~struck, like)) < FEWEST:
        return None
    parts = meter.parts(reference), meter.parts(current)
    now, before = parts[1].take(np.flatnonzero(struck)), parts[0].take(np.flatnonzero(like))
    others = parts[1].take(np.flatnonzero(~struck)), parts[0].take(np.flatnonzero(~like) if (~like).any() else like)
    sign, share = weighing.sign, float(struck.mean())
    worse = sign * (now.value() - before.value())
    elsewhere = sign * (others[0].value() - others[1].value())
    errors = [float((one.influence() ** 2).sum()) for one in (now, before, *others)]
    if not np.isfinite([worse, elsewhere, *errors]).all() or worse - max(elsewhere, 0.0) < LOST * sum(errors) ** 0.5:
        return None
    if share * worse < PART * weighing.harm:
        return None
    estimate = PartEstimate(
        value=share * worse,
        error=share * float(np.sqrt(errors[0] + errors[1])),
        rows=float(min(struck.sum(), like.sum())),
        halves=[share * sign * (now.take(half).value() - before.value()) for half in halves(int(struck.sum()))],
    )
    told = "rows like those that were hit would have fared as they did before"
    part = contribution("feature", fault.column, estimate, method="alone", fault=fault.fault, assumptions=(told,))
    return replace(part, strength="suggested")


def _like(fault: ColumnFault, reference: pd.DataFrame) -> Mask:
    like = all_hold(fault.where, reference) if fault.where else np.ones(len(reference), dtype=bool)
    if fault.recoding:
        like &= np.isin(as_labels(reference[fault.column]), [was for _, was in fault.recoding])
    return np.asarray(like)
