"""Values told less exactly: numbers on a coarser grid than they were, names cut to one length, numbers with noise."""

import math
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.names.renaming import VISIBLE
from rca.analysis.faults.rule import FaultRule, Scene
from rca.analysis.faults.rules.unit_change import HUGE, MIN_ROWS, SURELY, drifts
from rca.arrays import Floats, Mask
from rca.methods.two_sample_tests import chance_distance, kolmogorov_distance, overdispersion
from rca.tables.column_pair import ColumnPair
from rca.tables.columns import as_numbers, kind_of
from rca.tables.condition import all_hold

ON_GRID = 0.99
"""Share of the current rows that lie on the grid; likewise of names that are cut."""

USUALLY_ON_GRID = 0.6
"""Most of the reference's values, zeros left out, that may lie on it: of whole numbers every other is even."""

COARSE = 0.25
"""Step, in interquartile ranges of the reference, from which something is lost."""

FEWER = 1.5
"""Distinct values of the reference for each that is left of them on the grid, at least."""

EXACT = 1e-4
"""Part of a step within which a value lies on the grid; values may be stored in single precision."""

DIGITS = 12
"""Digits to which a step is told."""

CROWDED = 0.5
"""Share of the rows hit in one cell beyond which its middle says nothing of them."""

NOISES = np.linspace(0.3, 2.5, 23)
"""Standard deviations of noise that are tried, in those of the reference."""

WIDER, STEADY = 1.15, 0.25
"""Factor from which a spread has grown; and most that a mean may have moved, in standard deviations."""

QUANTILES = 201
"""Of the reference, from which a value may have come."""

MORE, SURE = 1.5, 4.0
"""Factor, and standard errors of a count, by which a value of a part that is on a grid comes more often than it did."""

SHORTEST = 4
"""Characters from which a name that is cut is no abbreviation, which is a code of its own."""


def grid_step(values: Floats, *, least: float = 0.0) -> float | None:
    """The largest step of which nearly all values are multiples: a common divisor of those that repeat.

    Parameters
    ----------
    values : ndarray of shape (rows,)
        Finite.
    least : float
        Smaller steps are not looked for.

    Returns
    -------
    float or None
        None where there is none from `least` on, or fewer than two values repeat, as then nothing tells a step.

    Examples
    --------
    >>> grid_step(np.floor(np.random.default_rng(0).normal(3, 2, 500) / 0.37) * 0.37)
    0.37
    >>> grid_step(np.random.default_rng(0).normal(3, 2, 500))
    """
    distinct, counts = np.unique(values, return_counts=True)
    repeated = np.unique(np.abs(distinct[(counts > 1) & (distinct != 0)]))
    if (counts > 1).sum() < 2 or not len(repeated):
        return None
    step = float(repeated[0])
    for value in repeated[1:].tolist():
        step = _common_divisor(value, step)
        if step < least:
            return None
    multiples = np.round(repeated / step)
    step = float(f"{float(repeated @ multiples) / float(multiples @ multiples):.{DIGITS}g}")
    return step if step >= least and float(_on_grid(values, step).mean()) >= ON_GRID else None


def _common_divisor(value: float, step: float) -> float:
    """Euclid's, of two sizes, to within `EXACT` of the step."""
    rest = abs(math.remainder(value, step))
    while rest > EXACT * step:
        step, rest = rest, abs(math.remainder(step, rest))
    return step


def _on_grid(values: Floats, step: float) -> Mask:
    parts = values / step
    return np.asarray(np.abs(parts - np.round(parts)) <= EXACT)


# -- numbers -----------------------------------------------------------------------------------------------------------


def _fewer_digits(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Numbers, or names, of which nearly all that were surely hit have lost what they had beyond some digit."""
    if not pair.ordered:
        return _cut_short(pair)
    both = _numbers(pair, scene)
    if both is None:
        return None
    before, after = both
    low, high = np.quantile(before, [0.25, 0.75]).tolist()
    step = grid_step(after, least=COARSE * (high - low))
    if step is None or not _loses(before, step):
        return None
    cells, served = {"down": np.floor(before / step), "": np.round(before / step)}, np.round(after / step)
    left = {way: kolmogorov_distance(laid, served) for way, laid in cells.items()}
    way = min(left, key=left.__getitem__)
    if left[way] > SURELY * chance_distance(len(before), len(after)):
        return None
    return ColumnFault(
        column=pair.name,
        fault="truncated",
        share=1.0,
        evidence=f"rounded {way} to multiples of {step:.6g}".replace("  ", " "),
        step=step,
        offset=_lost(before, step) if way else 0.0,
    )


def _numbers(pair: ColumnPair, scene: Scene) -> tuple[Floats, Floats] | None:
    """Finite numbers of both windows, of the current one those surely hit; None of few, or of such as overflow."""
    windows = pair.numbers[0], pair.numbers[1][scene.unsure :]
    before, after = (values[np.isfinite(values)] for values in windows)
    few = min(len(before), len(after)) < MIN_ROWS
    return None if few or max(np.abs(before).max(), np.abs(after).max()) > HUGE else (before, after)


def _in_a_part(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Numbers of which a part has lost its digits, here and there: what comes more often than before lies on a grid."""
    both = _numbers(pair, scene) if pair.ordered else None
    if both is None:
        return None
    before, after = both
    low, high = np.quantile(before, [0.25, 0.75]).tolist()
    values, counts = np.unique(after, return_counts=True)
    expected = len(after) * np.maximum(_counted(before, values), 1) / len(before)
    heaps = (counts > MORE * expected) & (counts - expected > SURE * np.sqrt(counts + expected))
    heaps &= counts - expected > SURE * np.sqrt((counts + expected) * overdispersion(counts[~heaps], expected[~heaps]))
    step = grid_step(np.repeat(values[heaps], counts[heaps]), least=COARSE * (high - low))
    if step is None or not _loses(before, step):
        return None
    shares = [float(_on_grid(numbers, step).mean()) for numbers in both]
    part = (shares[1] - shares[0]) / (1 - shares[0])
    if part < VISIBLE or _by_mix(pair, scene, step) > sum(shares) / 2:
        return None
    at = np.unique(np.concatenate([before, after]))
    coarse = {"down": np.floor(before / step) * step, "": np.round(before / step) * step}
    usually, seen = (_below(numbers, at) for numbers in both)
    left = {
        way: float(np.abs(seen - (1 - part) * usually - part * _below(laid, at + EXACT * step)).max())
        for way, laid in coarse.items()
    }
    way = min(left, key=left.__getitem__)
    if left[way] > max(SURELY * chance_distance(len(before), len(after)), kolmogorov_distance(before, after) / 2):
        return None
    return ColumnFault(
        column=pair.name,
        fault="truncated",
        share=part,
        evidence=f"rounded {way} to multiples of {step:.6g} in {part:.0%} of the rows".replace("  ", " "),
        step=step,
        offset=_lost(before, step) if way else 0.0,
        scattered=True,
    )


def _by_mix(pair: ColumnPair, scene: Scene, step: float) -> float:
    """Most of the current rows that lay on a grid if only more fulfilled a condition under which many always did."""
    laid = scene.contingency
    if laid is None or not laid.conditions:
        return 0.0
    before, after = laid.under
    on, rows = _on_grid(pair.numbers[0][laid.rows[0]], step).astype(float), before.sum(axis=0)
    hits, share = on @ before, after.mean(axis=0)
    rates = hits / np.maximum(rows, 1), (on.sum() - hits) / np.maximum(len(on) - rows, 1)
    other = np.array([condition.column != pair.name for condition in laid.conditions])
    return float((other * (share * rates[0] + (1 - share) * rates[1])).max())


def _counted(numbers: Floats, values: Floats) -> Floats:
    """How often each of some values comes."""
    known = np.sort(numbers)
    return np.asarray(np.searchsorted(known, values, side="right") - np.searchsorted(known, values, side="left"))


def _below(values: Floats, at: Floats) -> Floats:
    return np.asarray(np.searchsorted(np.sort(values), at, side="right") / len(values))


def _loses(before: Floats, step: float) -> bool:
    """Whether the reference is on no such grid, and would lose distinct values on it."""
    others = before[before != 0]
    if not len(others) or float(_on_grid(others, step).mean()) > USUALLY_ON_GRID:
        return False
    return len(np.unique(before)) >= FEWER * len(np.unique(np.floor(before / step)))


def _lost(before: Floats, step: float) -> float:
    """From the lower end of a cell to its middle; the last whole number of a cell is one below the next cell."""
    whole = step.is_integer() and bool((before == np.round(before)).all())
    return (step - 1) / 2 if whole else step / 2


# -- names -------------------------------------------------------------------------------------------------------------


def _cut_short(pair: ColumnPair) -> ColumnFault | None:
    """Names cut to one length, each of which was one name before."""
    if any(kind_of(one, coded=pair.coded) != "categorical" for one in (pair.reference, pair.current)):
        return None
    before, after = (pd.Series(labels, dtype=str) for labels in pair.known(pair.labels))
    if min(len(before), len(after)) < MIN_ROWS:
        return None
    length = int(after.str.len().max())
    known = before.unique().tolist()
    was = {name[:length]: name for name in known}
    longer = before.str.len() > length
    if length < SHORTEST or len(was) < len(known) or float(longer.mean()) < VISIBLE:
        return None
    if float(after.isin(was).mean()) < ON_GRID or not _alike(before.str[:length], after):
        return None
    return ColumnFault(
        column=pair.name,
        fault="truncated",
        share=1.0,
        evidence=f"cut to {length} characters",
        recoding=tuple((now, name) for now, name in was.items() if now != name),
    )


def _alike(before: "pd.Series[str]", after: "pd.Series[str]") -> bool:
    """Whether names come as often as they did."""
    codes = pd.factorize(pd.concat([before, after]), sort=True)[0].astype(float)
    far = kolmogorov_distance(codes[: len(before)], codes[len(before) :])
    return far <= SURELY * chance_distance(len(before), len(after))


# -- noise -------------------------------------------------------------------------------------------------------------


def _noisier(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Numbers that are spread as they would be with noise added; that the world spread them looks alike.

    The likeliest value before is the mean of those it can have come from (Tweedie's, of a normal error): whether the
    model does better with it tells the two apart.

    References
    ----------
    Carroll, Ruppert, Stefanski & Crainiceanu (2006), Measurement Error in Nonlinear Models, chapter 4.
    """
    if not pair.ordered:
        return None
    both = _numbers(pair, scene)
    if both is None:
        return None
    before, after = both
    spread = float(before.std())
    if not after.std() > WIDER * spread or abs(after.mean() - before.mean()) > STEADY * spread or spread == 0:
        return None
    usual = np.quantile(before, (np.arange(QUANTILES) + 0.5) / QUANTILES)
    whole = bool((after == np.round(after)).all())
    at, counts = np.unique(after, return_counts=True)
    seen = np.cumsum(counts) / len(after)
    kept = np.unique(np.linspace(0, len(at) - 1, min(len(at), 2 * QUANTILES)).astype(int))
    left = {
        float(noise): float(np.abs(_spread_out(usual, noise * spread, at[kept] + whole / 2) - seen[kept]).max())
        for noise in NOISES
    }
    noise = min(left, key=left.__getitem__)
    if left[noise] > chance_distance(len(before), len(after)) or drifts(pair, scene):
        return None
    return ColumnFault(
        column=pair.name,
        fault="distribution",
        share=1.0,
        evidence=f"it is spread as noise of a standard deviation of {noise * spread:.3g} would spread it",
        noise=noise * spread,
        usual=tuple(usual.tolist()),
    )


def _spread_out(usual: Floats, noise: float, at: Floats) -> Floats:
    """Distribution function of values with normal noise."""
    from scipy.special import ndtr

    return np.asarray(ndtr((at[:, None] - usual[None, :]) / noise).mean(axis=1))


def _without_noise(fault: ColumnFault, rows: pd.DataFrame, wrong: Mask) -> "pd.Series[Any]":
    """The mean of the usual values that each can have come from."""
    values, usual = rows[fault.column], np.array(fault.usual)
    numbers = as_numbers(values)
    near = wrong & np.isfinite(numbers)
    away = -(((numbers[near, None] - usual[None, :]) / fault.noise) ** 2) / 2
    weight = np.exp(away - away.max(axis=1, keepdims=True))
    told = numbers.copy()
    told[near] = (weight @ usual) / weight.sum(axis=1)
    return pd.Series(told, index=values.index, name=values.name)


NOISIER = FaultRule(
    kind="distribution",
    clause="{name} moved",
    check="its spread over a day",
    detect={"everywhere": _noisier},
    undo=_without_noise,
    dated_by="likeness",
)


# -- the rule ----------------------------------------------------------------------------------------------------------


def _filled_up(fault: ColumnFault, rows: pd.DataFrame, wrong: Mask) -> "pd.Series[Any]":
    """Numbers in the middle of their cells, and names in full."""
    values = rows[fault.column]
    if fault.recoding:
        return _named(values, dict(fault.recoding), wrong)
    numbers = as_numbers(values)
    return pd.Series(np.where(wrong, numbers + fault.offset, numbers), index=values.index, name=values.name)


def _rounded(fault: ColumnFault, rows: pd.DataFrame, struck: Mask) -> "pd.Series[Any]":
    values = rows[fault.column]
    if fault.recoding:
        return _named(values, {was: now for now, was in fault.recoding}, struck)
    assert fault.step is not None
    numbers = as_numbers(values)
    parts = numbers / fault.step
    coarse = fault.step * (np.floor(parts) if fault.offset > 0 else np.round(parts))
    return pd.Series(np.where(struck, coarse, numbers), index=values.index, name=values.name)


def _named(values: "pd.Series[Any]", names: dict[str, str], which: Mask) -> "pd.Series[Any]":
    """Values by other names, in some rows, as far as they have one."""
    held = values.astype(object)
    return held.mask(which & held.isin(names).to_numpy(), held.map(names))


def _told_apart(fault: ColumnFault, rows: pd.DataFrame) -> Mask:
    """Rows whose cell holds no more than half of those that were hit: the middle of a cell that does says nothing."""
    values = rows[fault.column]
    if fault.recoding:
        return np.ones(len(rows), dtype=bool)
    hit = (np.arange(len(rows)) >= fault.since) & all_hold(fault.where, rows)
    shares = values[hit].value_counts(normalize=True)
    return ~values.isin(shares.index[shares > CROWDED]).to_numpy(bool)


def _shows(fault: ColumnFault, rows: pd.DataFrame) -> Mask:
    """Rows that lie on the grid, as those hit do."""
    assert fault.step is not None
    return _on_grid(as_numbers(rows[fault.column]), fault.step)


TRUNCATED = FaultRule(
    kind="truncated",
    clause="{name} had lost digits",
    check="values on a coarser grid",
    detect={"everywhere": _fewer_digits, "mixed": _in_a_part},
    affected=_shows,
    undo=_filled_up,
    undoable=_told_apart,
    inject=_rounded,
    dated_by="likeness",
)
