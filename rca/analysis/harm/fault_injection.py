"""What a fault costs, by doing it to reference rows, whose true values and outcomes are on record.

Where a fault destroys the values it hits, putting them back is a guess; doing the same to sound rows is none: the model
answers them as recorded and as the fault would have it, on the same rows [1]_.

References
----------
.. [1] Arlat, J. et al. (1990). Fault injection for dependability validation: a methodology and some applications. IEEE
   Transactions on Software Engineering 16(2), 166-182.
"""

import numpy as np

from rca.analysis.faults.application import hit, rehearse
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.harm.contribution import PartEstimate, halves
from rca.analysis.harm.repair_and_rescore import some
from rca.analysis.harm.rescoring import Scorer
from rca.analysis.inputs.windows import Windows

FEWEST = 100
"""Reference rows to which a fault has to be done."""


def injected_harm(
    windows: Windows, fault: ColumnFault, *, ask: Scorer, rng: np.random.Generator
) -> PartEstimate | None:
    """The metric of the reference with a fault less the same as recorded, times the share of the rows it hits now.

    Parameters
    ----------
    windows : Windows
    fault : ColumnFault
    ask : Scorer
        The deployed model, or its faithful surrogate.
    rng : numpy.random.Generator
        Draws the rows, where there are very many.

    Returns
    -------
    PartEstimate or None
        In the metric's unit and direction; its error is that of the same rows. None where the fault can be done to
        fewer than 100 rows.
    """
    reference, current = windows.reference, windows.current
    values, known = rehearse(fault, reference)
    if known.sum() < FEWEST:
        return None
    kept = np.flatnonzero(known)
    kept = kept[some(len(kept), rng)]
    rows = reference.iloc[kept].reset_index(drop=True)
    broken = rows.assign(**{fault.column: values.iloc[kept].to_numpy()})
    every = np.ones(len(rows), dtype=bool)
    groups = windows.meter.segments(reference, current)
    sound = windows.meter.parts(ask.instead(rows, rows, touched=every, broken=~every), groups=groups)
    struck = windows.meter.parts(ask.instead(rows, broken, touched=every, broken=~every), groups=groups)
    share = float(hit(fault, current).mean())
    influence = struck.influence() - sound.influence()
    split = [struck.take(half).value() - sound.take(half).value() for half in halves(len(rows))]
    return PartEstimate(
        value=share * (struck.value() - sound.value()),
        error=share * float(np.sqrt((influence**2).sum())),
        rows=float(len(rows)),
        halves=[share * half for half in split],
    )
