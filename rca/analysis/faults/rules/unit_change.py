"""Another unit, or a constant added: the change of values that would make a column's present of its past."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.ring_shift import turned_back
from rca.analysis.faults.rule import FaultRule, Scene
from rca.analysis.faults.rules.clock_shift import by_the_clock, keeps_time, turned, turned_rows
from rca.analysis.faults.rules.drifting_gain import drifting, with_a_drift, without_the_drift
from rca.arrays import Floats, Mask
from rca.methods.two_sample_tests import Z, chance_distance, kolmogorov_distance
from rca.tables.column_pair import ColumnPair
from rca.tables.columns import as_numbers

ALIKE = 0.25
"""A fault explains a move if undoing it leaves at most this share of the distance."""

MIN_ROWS = 30
"""Rows of each window below which no factor or offset is looked for."""

FAR = 0.2
"""Distance below which another unit and values that have spread a little are not told apart."""

HUGE = 1e150
"""Numbers from here on overflow when they are multiplied; no unit makes them."""

SURELY = 1.95 / 1.358
"""How much farther than in 95 % of draws chance takes two windows in 99.9 %: for a factor that is known beforehand."""

BLURRED = 0.5
"""Share of the distance that chance leaves, within which two factors are not told apart."""

DIGITS = 2.0**33
"""Parts of a power of two to which numbers are told apart when a factor is undone."""

STEPS, ROUND = (1.0, 0.1, 0.01, 0.001), 1e-9
"""Steps of which values may be multiples, and how far from one they may be by arithmetic, as a share."""

GROWTH = 2.0
"""Factor below which a column may simply have grown."""

SEEN = 0.05
"""Share of the rows, or distance, from which a unit in a part of the rows is looked for."""

APART = 0.9
"""Kolmogorov-Smirnov distance of the values in the one and in the other unit, from which a number parts them."""

POINTS = 400
"""Values at which distribution functions are compared for a mixture."""

GROWN = 1.35
"""Factor up to which growth is as good an explanation as a constant that is added."""

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
        """Distance that a correction may leave: what chance leaves, or next to nothing, and a part of what it was."""
        return min(max(ALIKE / 5 * self.far, self.chance), ALIKE * self.far)

    def undone(self, mended: Floats) -> bool:
        """Whether a correction brings the values back."""
        return self.left(mended) <= self.tolerance

    def left(self, mended: Floats) -> float:
        """Distance that a correction leaves."""
        return kolmogorov_distance(rounded(self.before), rounded(mended))


@dataclass(frozen=True, kw_only=True)
class Affine:
    """A change of values: ``current = factor * true + offset``.

    Attributes
    ----------
    evidence : str
    factor, offset : float
    cut : float
        Between the values that are changed and those that are not, as well as one number parts them.
    share : float
        Of the values, those that are changed.
    """

    evidence: str
    factor: float = 1.0
    offset: float = 0.0
    cut: float
    share: float = 1.0


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
    >>> affine(before, before * 12).evidence
    'times 12, years to months'
    """
    before, after = (np.sort(values[np.isfinite(values)]) for values in (reference, current))
    if min(len(before), len(after)) < MIN_ROWS or max(np.abs(before).max(), np.abs(after).max()) > HUGE:
        return None
    move = _Move(before=before, after=after, far=kolmogorov_distance(before, after))
    if move.far < FAR:
        return None
    with np.errstate(over="ignore"):
        return _rescaled(move) or _stretched(move) or _shifted(move)


def rounded(values: Floats) -> Floats:
    """Numbers to some ten digits: what is divided by a factor and is whole again differs from a whole number by less.

    >>> (0.07 / 0.01 == 7.0, bool(rounded(np.array([0.07 / 0.01]))[0] == 7.0))
    (False, True)
    """
    mantissas, exponents = np.frexp(values)
    return np.asarray(np.ldexp(np.round(mantissas * DIGITS) / DIGITS, exponents))


def _times(factor: float, move: _Move, evidence: str) -> Affine:
    size = np.abs(move.before[move.before != 0])
    cut = float(np.median(size) * np.sqrt(factor)) if len(size) else 0.0
    return Affine(evidence=evidence, factor=factor, cut=cut)


def _units() -> dict[float, str]:
    """Every known factor, and its inverse, with what it turns into what."""
    return UNIT_FACTORS | {1 / factor: f"{words}, the other way" for factor, words in UNIT_FACTORS.items()}


@dataclass(frozen=True, kw_only=True)
class _Factor:
    """By how much sizes changed, with its interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, move: _Move) -> "_Factor | None":
        """The ratio of mean logarithms, sizes or squares, whichever is the surest; None where all are zero."""
        sizes = [np.abs(values[values != 0]) for values in (move.before, move.after)]
        if min(map(len, sizes)) < MIN_ROWS:
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            told = [_ratio(*(measure(one) for one in sizes), power=power) for measure, power in _MEASURES]
        error, log = min((one for one in told if np.isfinite(one).all()), default=(np.inf, 0.0))
        ends = np.exp(log + np.array([-1, 0, 1]) * Z * min(error, 9.0))
        return cls(value=float(ends[1]), low=float(ends[0]), high=float(ends[2]))

    def __contains__(self, factor: float) -> bool:
        return self.low <= factor <= self.high

    def __str__(self) -> str:
        return f"times {self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


_MEASURES: tuple[tuple[Callable[[Floats], Floats], float], ...] = ((np.log, 0.0), (np.asarray, 1.0), (np.square, 2.0))
"""What the mean is taken of, and the power of a factor that it grows by; 0 for a sum."""


def _ratio(before: Floats, after: Floats, *, power: float) -> tuple[float, float]:
    """Standard error of the logarithm of a factor, and the logarithm, from what is averaged."""
    means, errors = zip(*((one.mean(), one.std() / np.sqrt(len(one))) for one in (before, after)), strict=True)
    if power == 0:
        return float(np.hypot(*errors)), float(means[1] - means[0])
    relative = [error / mean for error, mean in zip(errors, means, strict=True)]
    return float(np.hypot(*relative) / power), float(np.log(means[1] / means[0]) / power)


def _rescaled(move: _Move) -> Affine | None:
    """One unit for another: the factor that brings the values back the nearest, if near enough.

    A unit is named where the interval of the factor holds it and no other, or the values are as round again as they
    were; of several that bring the values back alike, 1000 and 1024 say, the one that is listed first is the likelier.
    """
    known, told, step = _units(), _Factor.of(move), _step(move.before)
    left = {factor: move.left(move.after / factor) for factor in known}
    most = max(move.tolerance, min(SURELY * move.chance, ALIKE * move.far))
    able = [one for one in known if left[one] <= min(most, min(left.values()) + BLURRED * move.chance)]
    exact = [one for one in able if step is not None and _are_multiples(move.after / one, step)]
    held = exact or [one for one in able if told is not None and one in told]
    if not held:
        return None
    factor = held[0]
    return _times(factor, move, f"times {factor:.4g}, {known[factor]}" if len(held) == 1 else str(told))


def _step(values: Floats) -> float | None:
    """The step of which all values are multiples, from 1 down to a thousandth."""
    return next((step for step in STEPS if _are_multiples(values, step)), None)


def _are_multiples(values: Floats, step: float) -> bool:
    parts = values / step
    return bool((np.abs(parts - np.round(parts)) <= ROUND * np.maximum(1.0, np.abs(parts))).all())


def _stretched(move: _Move) -> Affine | None:
    """Some other factor, too far from one to be growth."""
    told = _Factor.of(move)
    if told is None or 1 / GROWTH < told.value < GROWTH or not move.undone(move.after / told.value):
        return None
    return _times(told.value, move, str(told))


def _shifted(move: _Move) -> Affine | None:
    """A constant, too large to be a drift of the middle."""
    quarters = np.quantile(move.before, [0.25, 0.75])
    offset = float(np.median(move.after) - np.median(move.before))
    if abs(offset) < 0.5 * float(quarters[1] - quarters[0]) or not move.undone(move.after - offset):
        return None
    if _grown(move, offset):
        return None
    cut = float(np.median(move.before)) + offset / 2
    return Affine(evidence=f"{offset:+.4g} on every value", offset=offset, cut=cut)


def scattered(reference: Floats, current: Floats) -> Affine | None:
    """The unit in which a part of the values is, or the constant on them, where one number parts them from the rest.

    ``F_current(x) = (1 - p) F_reference(x) + p F_reference(x / factor)``: p by least squares over the values'
    quantiles, for every known factor; what is left has to be within chance, and the two parts lie apart.

    Returns
    -------
    Affine or None
        With the share p. None where parts overlap: a mixture that has changed looks alike then.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before, after = rng.lognormal(3, 0.5, (2, 2000))
    >>> found = scattered(before, np.where(rng.random(2000) < 0.3, after / 1000, after))
    >>> found.factor, round(found.share, 1)
    (0.001, 0.3)
    """
    before, after = (np.sort(values[np.isfinite(values)]) for values in (reference, current))
    if min(len(before), len(after)) < 4 * MIN_ROWS or max(np.abs(before).max(), np.abs(after).max()) > HUGE:
        return None
    move = _Move(before=before, after=after, far=kolmogorov_distance(before, after))
    if move.far < max(1.5 * SURELY * move.chance, SEEN):
        return None
    found = [one for one in (_partly_rescaled(move), _partly_shifted(move)) if one is not None]
    return min(found, key=lambda one: one[0].left)[1] if found else None


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """A part of the values changed: the distance it leaves, its share, how far apart the parts lie, and the cut."""

    left: float
    share: float
    apart: float
    cut: float

    def explains(self, move: _Move) -> bool:
        """Whether the rest is chance, and a number parts those that are changed from the others."""
        seen = SEEN <= self.share <= 1 - SEEN and self.apart >= APART
        return seen and self.left <= min(SURELY * move.chance, move.far / 3)


def mixture(before: Floats, changed: Floats, after: Floats) -> Mixture:
    """The part of the values that least squares find changed, over quantiles of all of them.

    Parameters
    ----------
    before, changed, after : ndarray of shape (rows,)
        Ascending; of any lengths.
    """
    before, changed, after = rounded(before), rounded(changed), rounded(after)
    at = np.unique(np.quantile(np.concatenate([before, changed, after]), np.linspace(0, 1, POINTS), method="lower"))
    usual, other, now = (np.searchsorted(one, at, side="right") / len(one) for one in (before, changed, after))
    reach = other - usual
    share = float(np.clip(reach @ (now - usual) / max(float(reach @ reach), 1e-12), 0, 1))
    farthest = int(np.argmax(np.abs(reach)))
    return Mixture(
        left=float(np.abs(now - usual - share * reach).max()),
        share=share,
        apart=float(abs(reach[farthest])),
        cut=float((at[farthest] + at[min(farthest + 1, len(at) - 1)]) / 2),
    )


def _partly_rescaled(move: _Move) -> tuple[Mixture, Affine] | None:
    """Sizes, of which a part are times a factor; what is zero stays so, and signs stay too."""
    before, after = (np.sort(np.abs(values[values != 0])) for values in (move.before, move.after))
    signs = abs(float((move.before < 0).mean() - (move.after < 0).mean()))
    if min(len(before), len(after)) < MIN_ROWS or signs > SURELY * move.chance:
        return None
    known = _units()
    fits = {factor: mixture(before, before * factor, after) for factor in known}
    near = min(fit.left for fit in fits.values()) + BLURRED * move.chance
    factor = next(factor for factor in known if fits[factor].left <= near)
    fit = fits[factor]
    if not fit.explains(move):
        return None
    evidence = f"times {factor:.4g}, {known[factor]}, in {fit.share:.0%} of the rows"
    return fit, Affine(evidence=evidence, factor=factor, cut=fit.cut, share=fit.share)


def _partly_shifted(move: _Move) -> tuple[Mixture, Affine] | None:
    """Values, of which a part lie all of them beyond what was ever there, and look like the others there."""
    for beyond in (move.after[move.after > move.before[-1]], move.after[move.after < move.before[0]]):
        if len(beyond) < max(MIN_ROWS, SEEN * len(move.after)):
            continue
        offset = float(np.median(beyond) - np.median(move.before))
        fit = mixture(move.before, move.before + offset, move.after)
        if fit.explains(move):
            evidence = f"{offset:+.4g} in {fit.share:.0%} of the rows"
            return fit, Affine(evidence=evidence, offset=offset, cut=fit.cut, share=fit.share)
    return None


def _grown(move: _Move, offset: float) -> bool:
    """Whether growth by a few per cent explains the values as well as a constant does."""
    middle = float(np.median(move.before)), float(np.median(move.after))
    if middle[0] == 0 or not 1 / GROWN <= middle[1] / middle[0] <= GROWN:
        return False
    left = [move.left(mended) for mended in (move.after - offset, move.after * middle[0] / middle[1])]
    return left[1] <= left[0] + BLURRED * move.chance


# -- the rules ---------------------------------------------------------------------------------------------------------


def _changed(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """The unit or the constant of all rows that were surely hit; none where the whole window tells of a drift."""
    if not pair.ordered:
        return None
    found = affine(pair.numbers[0], pair.numbers[1][scene.unsure :])
    if found is None or drifts(pair, scene):
        return None
    return _named(pair.name, found)


def drifts(pair: ColumnPair, scene: Scene) -> bool:
    """Whether a gain drifts through the whole window, whose last rows look as if it were constant."""
    whole = pair if pair.cut is None else pair.cut[0]
    return whole.cut is None and drifting(whole, scene) is not None


def _scattered(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """The unit or the constant of a part of the rows that no condition and no moment tells, but the values do."""
    del scene
    found = scattered(*pair.numbers) if pair.ordered else None
    return replace(_named(pair.name, found), scattered=True) if found is not None else None


def _named(column: str, found: Affine) -> ColumnFault:
    return ColumnFault(
        column=column,
        fault="shifted" if found.factor == 1 else "scaled",
        share=found.share,
        evidence=found.evidence,
        factor=found.factor,
        offset=found.offset,
        cut=found.cut,
    )


def beyond_the_cut(fault: ColumnFault, rows: pd.DataFrame) -> Mask:
    """Rows whose number lies on the side of the cut to which an offset moves them."""
    assert fault.cut is not None
    values = as_numbers(rows[fault.column])
    with np.errstate(invalid="ignore"):
        return np.asarray(values >= fault.cut if fault.offset > 0 else values < fault.cut)


def _beyond_in_size(fault: ColumnFault, rows: pd.DataFrame) -> Mask:
    """Rows whose number lies on the side of the cut to which a factor moves it."""
    assert fault.cut is not None
    sizes = np.abs(as_numbers(rows[fault.column]))
    with np.errstate(invalid="ignore"):
        return np.asarray(sizes >= fault.cut if abs(fault.factor) > 1 else sizes < fault.cut)


def _undone(fault: ColumnFault, rows: pd.DataFrame, wrong: Mask) -> "pd.Series[Any]":
    if fault.growing:
        return without_the_drift(fault, rows, wrong)
    numbers = as_numbers(rows[fault.column])
    if fault.ring is not None:
        return _like(
            np.where(wrong, turned_back(numbers, offset=fault.offset, ring=fault.ring), numbers), rows[fault.column]
        )
    return _like(np.where(wrong, (numbers - fault.offset) / fault.factor, numbers), rows[fault.column])


def _done(fault: ColumnFault, rows: pd.DataFrame, struck: Mask) -> "pd.Series[Any]":
    if fault.growing:
        return with_a_drift(fault, rows, struck)
    numbers = as_numbers(rows[fault.column])
    if fault.ring is not None:
        return _like(
            np.where(struck, turned_back(numbers, offset=-fault.offset, ring=fault.ring), numbers), rows[fault.column]
        )
    return _like(np.where(struck, numbers * fault.factor + fault.offset, numbers), rows[fault.column])


def _like(numbers: Floats, values: "pd.Series[Any]") -> "pd.Series[Any]":
    return pd.Series(numbers, index=values.index, name=values.name)


SCALED = FaultRule(
    kind="scaled",
    clause="{name} arrived in another unit",
    check="values beyond its usual range",
    detect={"everywhere": _changed, "mixed": drifting, "scattered": _scattered},  # by a factor, or by a constant
    affected=_beyond_in_size,
    undo=_undone,
    inject=_done,
    dated_by="likeness",
)

SHIFTED = FaultRule(
    kind="shifted",
    clause="{name} was off by a constant",
    check="its mean over a day",
    detect={"by_time": by_the_clock, "everywhere": turned},
    sound=keeps_time,
    affected=lambda fault, rows: beyond_the_cut(fault, rows) if fault.ring is None else turned_rows(fault, rows),
    undo=_undone,
    inject=_done,
    dated_by="likeness",
)
