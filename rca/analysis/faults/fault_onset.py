"""Change point of a fault rate, step or ramp, by profile likelihood; `methods.changepoint` dates what no row shows."""

import numpy as np

from rca.arrays import Floats
from rca.methods.changepoint.dating import ChangePoint

CRITICAL = 7.352
"""95 % quantile of the likelihood ratio of a change point, ``-2 log(1 - sqrt(0.95))``: Hansen (2000), table 1."""

SPANS = 200
"""Equal spans of rows on which the first row is looked for, before it is looked for row by row."""

RAREST = 1e-3
"""Smallest and largest rate of rows that show a fault; a hard zero would make one stray row certain proof."""

LENGTHS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.17, 0.12)
"""Parts of the time that is left, over which a ramp may grow before it levels off."""

EXTRA = 0.5
"""Of the log of the rows, what a second parameter has to gain in log likelihood (Schwarz)."""


def fault_onset(indicator: Floats, base_rate: float) -> ChangePoint | None:
    """Change point of the rate at which rows show a fault, a step or a ramp, by profile likelihood.

    Before it rows show the fault at the base rate r; from there on at ``r + a + b t`` with a, b >= 0, where t runs
    from 0 at the first row to 1 at the last, or at ``r + b min(t / length, 1)``. Least squares give a and b for
    every first row; the Bernoulli likelihood picks the row. A ramp is so dated at its foot, and not where a step would
    fit it best, at its middle.

    Parameters
    ----------
    indicator : ndarray of shape (rows,)
        Between 0 and 1, in time order, as `hit_by_row` has it.
    base_rate : float
        Rate of rows that show it where nothing is wrong.

    Returns
    -------
    ChangePoint or None
        With the 95 % interval of the first row; None where the rate rises nowhere.

    References
    ----------
    Hansen (2000), Sample splitting and threshold estimation, Econometrica 68(3), eqs. (7) and (10), for the interval;
    Hansen (2017), Regression kink with an unknown threshold, J. Bus. Econ. Stat. 35(2), for the ramp.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> share = np.clip((np.arange(2000) - 800) / 1200, 0, 1)
    >>> found = fault_onset((rng.random(2000) < share).astype(float), 0.0)
    >>> found.earliest <= 800 <= found.latest
    True
    """
    if not len(indicator):
        return None
    base_rate = float(np.clip(base_rate, RAREST, 1 - RAREST))
    edges = np.linspace(0, len(indicator), min(SPANS, len(indicator)) + 1).astype(int)
    rows = np.diff(edges)
    hits = np.add.reduceat(indicator, edges[:-1])
    likelihood, rates = _profile(hits, rows, base_rate)
    best = int(np.argmax(likelihood))
    if likelihood[best] <= _likelihood(hits, rows, np.full((1, len(rows)), base_rate))[0]:
        return None
    near = np.flatnonzero(2 * (likelihood[best] - likelihood) <= CRITICAL)
    at = _refined(indicator, edges, best, usual=base_rate, rates=rates[best])
    earliest, latest = int(edges[near[0]]), int(edges[near[-1] + 1]) - 1
    return ChangePoint(at=at, earliest=min(at, earliest), latest=max(at, latest))


def _profile(hits: Floats, rows: Floats, usual: float) -> tuple[Floats, Floats]:
    """Best log likelihood of a rise that begins with each span, and its rates: (spans,), (spans, spans)."""
    place, start = (np.arange(len(rows)) + 0.5) / len(rows), np.arange(len(rows)) / len(rows)
    late = (place[None, :] > start[:, None]).astype(float)
    time = np.where(late, (place[None, :] - start[:, None]) / (1 - start[:, None]), 0.0)
    excess = hits - rows * usual
    ramps = [_single(np.minimum(time / length, 1.0), excess, rows) for length in LENGTHS]
    shapes = [_single(late, excess, rows), ramps[0], _double(late, time, excess=excess, rows=rows), *ramps[1:]]
    fees = EXTRA * np.log(rows.sum()) * np.array([0.0, 0.0, *[1.0] * len(LENGTHS)])
    rates = np.array([np.clip(usual + shape, RAREST, 1 - RAREST) for shape in shapes])
    scores = np.array([_likelihood(hits, rows, rate) - fee for rate, fee in zip(rates, fees, strict=True)])
    return scores.max(axis=0), rates[scores.argmax(axis=0), np.arange(len(rows))]


def _single(shape: Floats, excess: Floats, rows: Floats) -> Floats:
    """Rise by one shape, as far as least squares take it: shape (first spans, spans)."""
    return np.asarray(np.maximum(shape @ excess / (shape**2 @ rows), 0.0)[:, None] * shape)


def _double(level: Floats, time: Floats, *, excess: Floats, rows: Floats) -> Floats:
    """Rise by a step and a ramp; none where one of them would fall."""
    ll, lt, tt = ((one * other) @ rows for one, other in ((level, level), (level, time), (time, time)))
    le, te = level @ excess, time @ excess
    determinant = ll * tt - lt**2
    sound = determinant > 1e-12 * ll * tt
    safe = np.where(sound, determinant, 1.0)
    step, slope = (tt * le - lt * te) / safe, (ll * te - lt * le) / safe
    both = sound & (step > 0) & (slope > 0)
    return np.asarray(np.where(both, step, 0.0)[:, None] * level + np.where(both, slope, 0.0)[:, None] * time)


def _likelihood(hits: Floats, rows: Floats, rates: Floats) -> Floats:
    return np.asarray(np.log(rates) @ hits + np.log1p(-rates) @ (rows - hits))


def _refined(shown: Floats, edges: Floats, best: int, *, usual: float, rates: Floats) -> int:
    """The first row itself: near the best span, where rows before are likeliest usual and rows after hit."""
    low, high = int(edges[max(best - 1, 0)]), int(edges[min(best + 1, len(edges) - 1)])
    after = float(rates[min(best + 1, len(rates) - 1)])
    near = shown[low:high]
    gain = near * np.log(after / usual) + (1 - near) * np.log((1 - after) / (1 - usual))
    left = np.cumsum(gain[::-1])[::-1]
    return low + int(np.argmax(left))
