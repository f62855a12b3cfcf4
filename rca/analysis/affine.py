"""Another unit, or a constant added: the change of every value that would make a column's present of its past."""

from dataclasses import dataclass

import numpy as np

from rca.analysis.columns import Floats
from rca.analysis.two_sample import chance_distance, kolmogorov_distance

ALIKE = 0.25
"""A fault explains a move if undoing it leaves at most this share of the distance."""

FEWEST = 30
"""Rows of each window below which no factor or offset is looked for."""

HUGE = 1e150
"""Numbers from here on overflow when they are multiplied; no unit makes them."""

SURELY = 1.95 / 1.358
"""How much farther than in 95 % of draws chance takes two windows in 99.9 %: for a factor that is known beforehand."""

BLURRED = 0.5
"""Share of the distance that chance leaves, within which two factors are not told apart."""

GROWTH = 2.0
"""Factor below which a column may simply have grown."""

UNIT_FACTORS = {
    12.0: "years to months",
    7.0: "weeks to days",
    24.0: "days to hours",
    60.0: "minutes to seconds",
    3600.0: "hours to seconds",
    365.25: "years to days",
    52.18: "years to weeks",
    10.0: "a factor of ten",
    100.0: "a fraction to per cent",
    1000.0: "thousands to ones",
    1e6: "millions to ones",
    1024.0: "KiB to bytes",
    2.20462: "kg to pounds",
    1.609344: "miles to km",
    2.54: "inches to cm",
    3.28084: "metres to feet",
    4.54609: "gallons to litres",
}
"""Factors between units that get mixed up, and what they turn into what."""


@dataclass(frozen=True, kw_only=True)
class _Move:
    """The numbers of a column in both windows, and how far apart they are."""

    before: Floats
    after: Floats
    far: float

    @property
    def chance(self) -> float:
        """Distance that chance alone leaves in 95 % of draws."""
        return chance_distance(len(self.before), len(self.after))

    @property
    def tolerance(self) -> float:
        """Distance that a correction may leave: what chance leaves, or next to nothing."""
        return max(ALIKE / 5 * self.far, self.chance)

    def undone(self, mended: Floats) -> bool:
        """Whether a correction brings the values back."""
        return kolmogorov_distance(self.before, mended) <= self.tolerance


@dataclass(frozen=True, kw_only=True)
class Affine:
    """A change of every value: ``current = factor * true + offset``."""

    evidence: str
    factor: float = 1.0
    offset: float = 0.0


def affine(reference: Floats, current: Floats) -> Affine | None:
    """The unit or the constant that would make current values of the reference's.

    Parameters
    ----------
    reference, current : ndarray of shape (rows,)
        Of any two lengths; values that are not finite are left out.

    Returns
    -------
    Affine or None
        A known factor between units, else a large factor of any size, else an offset; None where none of them brings
        the values back, or a window has too few.

    Examples
    --------
    >>> before = np.random.default_rng(0).normal(40, 10, 500)
    >>> affine(before, before * 12)
    Affine(evidence='times 12, years to months', factor=12.0, offset=0.0)
    """
    before, after = (np.sort(values[np.isfinite(values)]) for values in (reference, current))
    if min(len(before), len(after)) < FEWEST or max(np.abs(before).max(), np.abs(after).max()) > HUGE:
        return None
    move = _Move(before=before, after=after, far=kolmogorov_distance(before, after))
    with np.errstate(over="ignore"):
        return _rescaled(move) or _stretched(move) or _shifted(move)


def _rescaled(move: _Move) -> Affine | None:
    """One unit for another: the factor that brings the values back the nearest, if near enough.

    Of factors that do so alike, 1000 and 1024 say, the one that is listed first is the likelier.
    """
    back = {1 / factor: f"{words}, the other way" for factor, words in UNIT_FACTORS.items()}
    known = UNIT_FACTORS | back
    left = {factor: kolmogorov_distance(move.before, move.after / factor) for factor in known}
    factor = next(factor for factor in known if left[factor] <= min(left.values()) + BLURRED * move.chance)
    sure = min(SURELY * move.chance, ALIKE * move.far)
    if left[factor] > max(move.tolerance, sure):
        return None
    return Affine(evidence=f"times {factor:.4g}, {known[factor]}", factor=factor)


def _stretched(move: _Move) -> Affine | None:
    """Some other factor, too far from one to be growth."""
    middle = float(np.median(np.abs(move.before))), float(np.median(np.abs(move.after)))
    if min(middle) == 0 or 1 / GROWTH < middle[1] / middle[0] < GROWTH:
        return None
    factor = middle[1] / middle[0]
    if not move.undone(move.after / factor):
        return None
    return Affine(evidence=f"times {factor:.4g}", factor=factor)


def _shifted(move: _Move) -> Affine | None:
    """A constant, too large to be a drift of the middle."""
    quarters = np.quantile(move.before, [0.25, 0.75])
    offset = float(np.median(move.after) - np.median(move.before))
    if abs(offset) < 0.5 * float(quarters[1] - quarters[0]) or not move.undone(move.after - offset):
        return None
    return Affine(evidence=f"{offset:+.4g} on every value", offset=offset)
