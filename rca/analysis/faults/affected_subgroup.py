"""Under which condition on other columns a column broke, while it kept to what it was in all other rows."""

import numpy as np

from rca.analysis.faults.contingency import Contingency
from rca.arrays import Floats
from rca.tables.condition import Condition

SURELY = 1e-6
"""p-value below which a column has changed under a condition; many are looked at."""

FAR = 0.2
"""Total variation under the condition from which a break is looked for."""

OUTSIDE = 0.2
"""Of what is beyond chance under the condition, as much per row as may be left elsewhere."""

WHOLE = 0.95
"""Share of the rows from which a condition is none."""

LIKELY = 3
"""Conditions tried for each column, the likeliest first."""


def broken_under(grid: Contingency, column: str, *, repeats: float = 1.0) -> list[Condition]:
    """Conditions under which a column changed while it did not elsewhere, the likeliest first.

    Where rows under c broke and others did not, the likelihood ratio statistic of "the windows agree" is ``G2(c)``
    under c and chance elsewhere: of nested conditions the true one has the largest statistic among those that leave
    nothing to the others.

    Parameters
    ----------
    grid : Contingency
    column : str
    repeats : float
        How many rows say as much of it as one does that no row before it resembles.

    Returns
    -------
    list of Condition
        At most `LIKELY`; empty where the column changed nowhere, or everywhere.
    """
    from scipy.stats import chi2

    if not grid.conditions:
        return []
    inside, totals = grid.counts(column), grid.totals(column)
    outside = tuple(total - part for total, part in zip(totals, inside, strict=True))
    (said, far, freedom), (left, rest, others) = _agreement(*inside), _agreement(*outside)
    excess, elsewhere = said - freedom, np.maximum(left - others, 0.0)
    rows = np.minimum(*(part.sum(axis=1) for part in inside)), np.minimum(*(part.sum(axis=1) for part in outside))
    quiet = elsewhere / np.maximum(rows[1], 1) <= OUTSIDE * excess / np.maximum(rows[0], 1)
    own = np.array([condition.column == column for condition in grid.conditions])
    share = inside[1].sum(axis=1) / max(totals[1].sum(), 1)
    fits = (
        (chi2.sf(said / repeats, freedom) < SURELY) & (far >= FAR) & quiet & (rest < far / 2) & ~own & (share < WHOLE)
    )
    order = np.argsort(-np.where(fits, excess - 2 * elsewhere, -np.inf), kind="stable")
    return [grid.conditions[i] for i in order[:LIKELY] if fits[i]]


def _agreement(reference: Floats, current: Floats) -> tuple[Floats, Floats, Floats]:
    """G2 of both windows having one distribution, their total variation, and the degrees of freedom; a condition each.

    The variation that chance alone makes is taken off.
    """
    n, m = (np.maximum(part.sum(axis=1), 1.0) for part in (reference, current))
    both = reference + current
    shares = reference / n[:, None], current / m[:, None]
    statistic = 2 * (
        _entropy(reference, shares[0]) + _entropy(current, shares[1]) - _entropy(both, both / (n + m)[:, None])
    )
    cells = np.maximum((both > 0).sum(axis=1), 1)
    spread = np.sqrt(both / (n + m)[:, None] * (1 / n + 1 / m)[:, None] * 2 / np.pi).sum(axis=1) / 2
    variation = np.abs(shares[0] - shares[1]).sum(axis=1) / 2
    return statistic, np.maximum(variation - spread, 0.0), np.maximum(cells - 1.0, 1.0)


def _entropy(counts: Floats, shares: Floats) -> Floats:
    return np.asarray((counts * np.log(np.where(counts > 0, shares, 1.0))).sum(axis=1))
