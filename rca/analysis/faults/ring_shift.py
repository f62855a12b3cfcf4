"""A column that goes round, as hours, weekdays and angles do, turned by a constant, as the shares of its values tell.

``current = lowest + (true - lowest + offset) mod span``.
"""

from dataclasses import dataclass

import numpy as np

from rca.analysis.faults.column_fault import ColumnFault
from rca.arrays import Floats
from rca.methods.two_sample_tests import chi_square
from rca.tables.column_pair import ColumnPair

MIN_ROWS = 30
"""Rows of each window below which nothing is said."""

HAIR = 1e-9
"""What is less than this below the beginning of a ring is at its beginning."""

FILLED = 0.8
"""Share of the parts of a ring that values have to fill."""

FAR = 0.2
"""Total variation between the windows from which a ring may have been turned."""

AGREES = 1e-3
"""p-value down to which the windows agree when it is turned back."""

MARGIN = 10.0
"""Log likelihood by which one turn has to be better than any that is far from it."""

NEAR = 12
"""Part of a ring within which turns are near to each other."""

NEXT = 5.0
"""Log likelihood by which one turn has to be better than those next to it."""

WRAPPED = 0.05
"""Share of the rows that have to be beyond the seam whichever way it was turned: else a plain constant explains it."""

EXPECTED = 5.0
"""Rows of a part of the ring below which it counts with the next ones."""

SURPRISING = 4.0
"""Log odds from which windows that agree after a turn are one law."""

STANDS_OUT = 8.0
"""Power of a wave, in units of what chance makes, from which a law has it."""

UNSURE = 2.0
"""Log likelihood within which a round number is taken for an offset."""


@dataclass(frozen=True, kw_only=True)
class Ring:
    """A ring that columns may lie on.

    Attributes
    ----------
    lowest, span : float
    unit : str
    parts : int
        In which shares are compared.
    finer : int
        Parts of a part, by which a column of numbers with decimals may be turned.
    whole : bool
        Whether only whole numbers lie on it.
    rounded : tuple of int
        Numbers of the finer parts of which an offset is rather a multiple.
    """

    lowest: float
    span: float
    unit: str = ""
    parts: int
    finer: int = 1
    whole: bool = True
    rounded: tuple[int, ...] = ()


ANGLES = (90, 45, 30, 15, 10, 5)
"""Degrees by which angles are rather turned than by others."""

RINGS = (
    Ring(lowest=0, span=24, unit="hours", parts=24),
    Ring(lowest=0, span=7, unit="days", parts=7),
    Ring(lowest=1, span=7, unit="days", parts=7),
    Ring(lowest=1, span=12, unit="months", parts=12),
    Ring(lowest=0, span=60, unit="minutes", parts=60),
    Ring(lowest=0, span=24, unit="hours", parts=24, finer=4, whole=False, rounded=(4, 2)),
    Ring(lowest=0, span=360, unit="degrees", parts=24, finer=15, whole=False, rounded=ANGLES),
    Ring(lowest=-180, span=360, unit="degrees", parts=24, finer=15, whole=False, rounded=ANGLES),
    Ring(lowest=-np.pi, span=2 * np.pi, unit="radians", parts=24, finer=15, whole=False, rounded=ANGLES),
    Ring(lowest=0, span=2 * np.pi, unit="radians", parts=24, finer=15, whole=False, rounded=ANGLES),
)
"""Rings whose values are known by their range."""


def by_shares(pair: ColumnPair, *, unsure: int = 0) -> ColumnFault | None:
    """Name a column on a known ring whose values are as common as before when it is turned back, and not else.

    Parameters
    ----------
    pair : ColumnPair
    unsure : int
        Rows at the beginning of the current window that may not have been hit yet.

    Returns
    -------
    ColumnFault or None
        None where values lie on no known ring, are as common all round it, or a constant without a seam explains them.
    """
    if not pair.ordered:
        return None
    before, after = pair.numbers[0], pair.numbers[1][unsure:]
    before, after = (values[np.isfinite(values)] for values in (before, after))
    ring = _ring_of(before, after)
    offset = _offset(ring, before, after) if ring is not None else None
    if ring is None or offset is None:
        return None
    words = f"turned by {signed(offset, ring.span)} of {ring.span:.4g} {ring.unit}"
    place = (ring.lowest, ring.span)
    return ColumnFault(column=pair.name, fault="shifted", share=1.0, evidence=words, offset=offset, ring=place)


def _ring_of(before: Floats, after: Floats) -> Ring | None:
    """The first known ring that both windows lie on and the reference fills."""
    if min(len(before), len(after)) < 2 * MIN_ROWS:
        return None
    whole = are_whole(before) and are_whole(after)
    return next((ring for ring in RINGS if (whole or not ring.whole) and _fills(ring, before, after)), None)


def _fills(ring: Ring, before: Floats, after: Floats) -> bool:
    low, high = ring.lowest, ring.lowest + ring.span
    known = [((one >= low) & ((one < high) if ring.whole else (one <= high))).all() for one in (before, after)]
    if not all(known):
        return False
    return bool((_counts(ring, before, ring.parts) >= 1).mean() >= FILLED)


def _counts(ring: Ring, values: Floats, parts: int) -> Floats:
    places = np.floor((values - ring.lowest) / ring.span * parts + 1e-9).astype(int) % parts
    return np.bincount(places, minlength=parts).astype(float)


def _offset(ring: Ring, before: Floats, after: Floats) -> float | None:
    """By how much the current window is turned; None where it is not, or not clearly."""
    coarse = _counts(ring, before, ring.parts), _counts(ring, after, ring.parts)
    if _variation(*coarse) < FAR:
        return None
    parts = ring.parts * ring.finer
    fit = _fits(_counts(ring, before, parts), _counts(ring, after, parts), blur=(ring.finer - 1) / 2)
    best = int(np.argmax(fit))
    apart = np.abs(round_the_ring(np.arange(parts, dtype=float) - best, parts))
    offset = _round(fit, best, ring.rounded) * ring.span / parts
    back = turned_back(after, offset=offset, ring=(ring.lowest, ring.span))
    agreed = _agree(coarse[0], _counts(ring, back, ring.parts))
    seam = float((after < ring.lowest + offset).mean())
    others, next_ones = fit[apart > parts / NEAR], fit[apart >= ring.finer]
    clear = fit[best] - others.max() >= MARGIN and fit[best] - next_ones.max() >= NEXT
    told = _surprise(coarse[0], _counts(ring, back, ring.parts)) >= SURPRISING
    return offset if offset and clear and agreed and told and WRAPPED <= seam <= 1 - WRAPPED else None


def _variation(before: Floats, after: Floats) -> float:
    return float(np.abs(before / before.sum() - after / after.sum()).sum() / 2)


def _fits(before: Floats, after: Floats, *, blur: float) -> Floats:
    """Log likelihood of the current counts under the reference's shares turned by 0, 1, … parts: (parts,)."""
    count = len(before)
    away = round_the_ring(np.arange(count, dtype=float), count)
    kernel = np.exp(-0.5 * (away / max(blur, 1e-3)) ** 2)
    smooth = np.fft.irfft(np.fft.rfft(before) * np.fft.rfft(kernel / kernel.sum()), count)
    shares = np.log((np.maximum(smooth, 0.0) + 0.5) / (before.sum() + 0.5 * count))
    return np.asarray(np.fft.irfft(np.fft.rfft(after) * np.conj(np.fft.rfft(shares)), count))


def _round(fit: Floats, best: int, rounded: tuple[int, ...]) -> int:
    """The nearest round number of parts that is as likely as the best one."""
    near = (round(best / one) * one % len(fit) for one in rounded)
    return next((one for one in near if fit[best] - fit[one] <= UNSURE), best)


def _agree(before: Floats, after: Floats) -> bool:
    """Whether the windows have one distribution, up to chance; parts that few rows lie in count together."""
    both = np.vstack([before, after])
    few = both.sum(axis=0) * both.sum(axis=1).min() / both.sum() < EXPECTED
    merged = np.column_stack([both[:, ~few], both[:, few].sum(axis=1)])
    return chi_square(merged.astype(np.int64))[1] >= AGREES


def _surprise(before: Floats, after: Floats) -> float:
    """Log odds at which windows that agree after a turn are one law, and not two that happen to look alike.

    Of a law with k waves round the ring that stand out from chance, a turn leaves 2 k - 1 numbers as they were: each
    would have been another in another law. (Schwarz's criterion.)
    """
    rows = before.sum(), after.sum()
    waves = [np.fft.rfft(one)[1:] / total for one, total in zip((before, after), rows, strict=True)]
    seen = np.minimum(np.abs(waves[0]) ** 2 * rows[0], np.abs(waves[1]) ** 2 * rows[1]) >= STANDS_OUT
    both = 1 / (1 / rows[0] + 1 / rows[1])
    left = float((np.abs(waves[0] - waves[1]) ** 2)[seen].sum() * both)
    return float(max(2 * seen.sum() - 1, 0) / 2 * np.log(both) - left - np.log(len(before)))


def round_the_ring(places: Floats, span: float) -> Floats:
    """Differences on a ring, between minus and plus half its span.

    >>> round_the_ring(np.array([23.0, -23.0, 5.0]), 24).tolist()
    [-1.0, 1.0, 5.0]
    """
    return np.asarray((places + span / 2) % span - span / 2)


def turned_back(numbers: Floats, *, offset: float, ring: tuple[float, float]) -> Floats:
    """Numbers on a ring, turned back by an offset; by a negative one, turned.

    >>> turned_back(np.array([7.0, 1.0]), offset=8, ring=(0, 24)).tolist()
    [23.0, 17.0]
    """
    lowest, span = ring
    places = (numbers - lowest - offset) % span
    return np.asarray(lowest + np.where(span - places < HAIR, 0.0, places))


def are_whole(values: Floats) -> bool:
    """Whether numbers are all whole, those that are missing left out."""
    known = values[np.isfinite(values)]
    return bool((known == np.round(known)).all())


def signed(offset: float, span: float) -> str:
    """An offset on a ring in the shorter direction, with its sign."""
    return f"{offset if offset <= span / 2 else offset - span:+.4g}"
