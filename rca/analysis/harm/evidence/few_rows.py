"""Do a few wild rows carry the change? The same share of extreme rows trimmed from both windows.

A loss without bound can change by a handful of rows. As many of the largest are left out of both windows, so that a
tail that the reference has as well cancels, and a tail that became heavier in many rows stays.

References
----------
.. [1] Tukey, J. W. & McLaughlin, D. H. (1963). Sankhya A 25(3): the error of a trimmed mean from winsorised values.
"""

from dataclasses import dataclass

import numpy as np

from rca.analysis.harm.evidence.paired_parts import counts, standard_error
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Places
from rca.methods.metric import Parts

BOUNDLESS = frozenset({"mae", "rmse", "log_loss", "mean"})
"""Metrics to which one row can add any amount."""

HANDFUL, FEW, MOST = 5, 0.003, 0.05
"""Rows, or the share of rows if that is more, that are few; and the largest share that is left out."""

CHANCE = 2.6
"""Standard errors within which a change is chance."""

WIDER = 4
"""Times as many rows as are few are left out where the error is taken: wild rows would drown themselves in it."""

GONE = 0.5
"""Share of the change that has to be gone without the rows."""


@dataclass(frozen=True, kw_only=True)
class FewRows:
    """How many of the most extreme rows carry the metric's change.

    Attributes
    ----------
    needed : int or None
        Fewest current rows without which the change is within chance, and mostly gone; None where even a twentieth of
        the rows does not take it away.
    most : int
        Rows up to which they are few.
    rows : ndarray of int
        Their positions in the current window, the most extreme first: `needed` of them, or `most`.
    change : float
        Of the metric, current less reference, with all rows.
    without : float
        The change without these rows, and without the same share of the reference's.
    error : float
        Standard error of `without`.
    """

    needed: int | None
    most: int
    rows: Places
    change: float
    without: float
    error: float

    @property
    def few(self) -> bool:
        """Whether a few rows carry it all."""
        return self.needed is not None and self.needed <= self.most

    @property
    def gone(self) -> float:
        """The share of the change that is gone without them."""
        return 1 - self.without / self.change


def few_rows(windows: Windows, before: Parts, after: Parts) -> FewRows | None:
    """Leave out the most extreme rows of both windows until the change is within chance.

    Parameters
    ----------
    windows : Windows
    before, after : Parts
        Of its reference and current rows.

    Returns
    -------
    FewRows or None
        None where a row's part in the metric is bounded, or there is no change beyond chance but for its extremes.

    Examples
    --------
    >>> import pandas as pd
    >>> from rca.analysis.harm.evidence.paired_parts import both_parts
    >>> from rca.analysis.inputs.windows import windows_from
    >>> rng = np.random.default_rng(0)
    >>> before, after = (pd.DataFrame({"paid": rng.normal(50, 9, 1000)}) for _ in range(2))
    >>> after.loc[[7, 70], "paid"] = 1e6
    >>> windows = windows_from(before, after, metric={"name": "mean", "column": "paid"})
    >>> found = few_rows(windows, *both_parts(windows))
    >>> found.few, found.needed, sorted(found.rows.tolist())
    (True, 2, [7, 70])
    """
    if windows.meter.base not in BOUNDLESS:
        return None
    counted = [int(counts(parts).sum()) for parts in (before, after)]
    change = after.value() - before.value()
    most = max(HANDFUL, int(np.ceil(FEW * counted[1])))
    if min(counted) <= 2 * WIDER * most or not np.isfinite(change):
        return None
    centre = _middle(before) if windows.meter.base == "mean" else 0.0
    ranked = _ranked(before, centre), _ranked(after, centre)
    _, noise = _trimmed((before, after), ranked, WIDER * most)
    if not abs(change) > CHANCE * noise:
        return None
    needed = _needed((before, after), ranked, within=min(CHANCE * noise, (1 - GONE) * abs(change)))
    told = most if needed is None else needed
    without, error = _trimmed((before, after), ranked, told)
    return FewRows(needed=needed, most=most, rows=ranked[1][:told], change=change, without=without, error=error)


def _middle(parts: Parts) -> float:
    """The median value of a row that counts."""
    counted = counts(parts)
    return float(np.median(parts.numerator[counted].sum(axis=1) / parts.denominator[counted].sum(axis=1)))


def _ranked(parts: Parts, centre: float) -> Places:
    """Rows that count, those that add most to the metric, or take most off it, first."""
    far = np.abs(parts.numerator - centre * parts.denominator).max(axis=1)
    counted = np.flatnonzero(counts(parts))
    return counted[np.argsort(-far[counted], kind="stable")]


def _needed(both: tuple[Parts, Parts], ranked: tuple[Places, Places], *, within: float) -> int | None:
    """Fewest rows, up to `MOST`, without which the change is within a distance of 0; tried one by one at first."""
    limit = max(HANDFUL, int(MOST * len(ranked[1])))
    tried = np.union1d(np.arange(1, min(limit, 20) + 1), np.geomspace(1, limit, 40).round().astype(int))
    for left_out in tried.tolist():
        if abs(_trimmed(both, ranked, left_out)[0]) <= within:
            return int(left_out)
    return None


def _trimmed(both: tuple[Parts, Parts], ranked: tuple[Places, Places], left_out: int) -> tuple[float, float]:
    """The change without so many current rows and as large a share of the reference's, and its standard error."""
    share = left_out / len(ranked[1])
    sides = [_without(parts, rows, round(share * len(rows))) for parts, rows in zip(both, ranked, strict=True)]
    return sides[1][0] - sides[0][0], standard_error(sides[0][1], sides[1][1])


def _without(parts: Parts, ranked: Places, left_out: int) -> tuple[float, Floats]:
    """The metric without the rows that are ranked first, and its influence values with these winsorised."""
    rest = np.delete(np.arange(len(parts)), ranked[:left_out])
    value, psi = parts.take(rest).value(), parts.take(rest).influence()
    farthest = float(np.abs(psi).max(initial=0.0))
    return value, np.append(psi, np.full(left_out, farthest))
