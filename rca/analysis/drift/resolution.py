"""Differences of numbers below which nothing can depend on them: the resolution of a column, and a test beyond it."""

import numpy as np

from rca.arrays import Floats
from rca.methods.kolmogorov_smirnov import smooth_p_value

RESOLUTION = 0.005
"""Difference of two numbers that nothing can depend on, as a part of the column's spread: where values are spread out,
it takes a row past some five in a thousand, far fewer than a material effect does."""

SINGLE = float(np.finfo(np.float32).eps)
"""The same of a column that never varied, as a part of the number itself: the rounding of single precision."""

TIGHT = 0.01
"""Share of rows of which a difference below the resolution is not asked for: it could not make them a move."""


def spread(numbers: Floats, *, beside: Floats) -> float:
    """Length of the shortest interval with half of the rows, apart from those of the commonest value.

    Rows that hold a default, or a number far off that stands for none, do not widen it. Where half of the rest share a
    value, it is the range, or 0 if the other window has that value or the commonest one, and so none is a blurred copy.

    Parameters
    ----------
    numbers, beside : ndarray of shape (rows,)
        Of this window and of the other one, ascending.

    References
    ----------
    Grübel (1988), Ann. Stat. 16(2): the length of the shorth.

    Examples
    --------
    >>> body, frozen = np.array([-999.0, -999.0, -999.0, 0.0, 0.25, 1.0, 4.0]), np.array([-999.0, 0.5, 0.5])
    >>> spread(body, beside=frozen), spread(frozen, beside=body), spread(frozen, beside=body + 0.1)
    (0.25, 0.0, 999.5)
    """
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return 0.0
    starts = np.flatnonzero(np.append(True, known[1:] != known[:-1]))
    runs = np.diff(starts, append=len(known))
    commonest = starts[np.argmax(runs)]
    rest = np.delete(known, slice(commonest, commonest + runs.max()))
    if not len(rest):
        return 0.0
    half = (len(rest) + 1) // 2
    with np.errstate(over="ignore"):
        lengths = rest[half - 1 :] - rest[: len(rest) - half + 1]
        shortest, full = float(lengths.min()), float(known[-1] - known[0])
    held = bool(np.isin([known[commonest], rest[np.argmin(lengths)]], beside).any())
    return min(shortest or (0.0 if held else full), float(np.finfo(float).max))


def resolution(spreads: tuple[float, float], ends: tuple[float, float]) -> float:
    """Difference of a column's numbers below which nothing can depend on it: a small part of its spread.

    It goes with the unit of the column, and the smallest unit has one as small. Of a column without a spread it is what
    single precision would round off, and nothing where its numbers are whole.

    Parameters
    ----------
    spreads : (float, float)
        Of each window.
    ends : (float, float)
        The smallest and the largest number of both.

    Examples
    --------
    >>> resolution((2e-6, 1e-6), (0.0, 9e-6)), resolution((0.0, 0.0), (2024.0, 2025.0))
    (1e-08, 0.0)
    """
    if max(spreads) > 0:
        return RESOLUTION * max(spreads)
    whole = all(end == np.floor(end) for end in ends)
    return 0.0 if whole else SINGLE * max(map(abs, ends))


def beyond_resolution(
    tested: tuple[float, float], beyond: float, slack: float, *, sizes: tuple[int, int]
) -> tuple[float, float, str]:
    """Distance and p-value of what differs by more than the resolution, where much of the difference does not.

    A column of few values that passes through single precision, or gets noise far below the gaps between them, differs
    in every row and in nothing that matters.

    Parameters
    ----------
    tested : (float, float)
        Distance and p-value of the windows as they are.
    beyond, slack : float
        The distance without what `slack` explains, and the resolution itself.
    sizes : (int, int)
        Rows of each window.

    Returns
    -------
    distance, p_value : float
        As they were, but where most of the distance, and more than `TIGHT`, is not beyond the resolution.
    note : str
        What a reader has to know of it; empty where they are as they were.
    """
    if tested[0] - beyond <= max(TIGHT, tested[0] / 2):
        return (*tested, "")
    return beyond, smooth_p_value(beyond, sizes), f"numbers less than {slack:.2g} apart count as the same"
