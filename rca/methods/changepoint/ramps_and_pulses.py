"""Ramp and pulse alternatives to an abrupt change point: likelihoods of a linear rise, and of a rise that ends."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rca.arrays import Floats
from rca.methods.changepoint.likelihood import TRIM, Course

Indices = np.ndarray[Any, np.dtype[np.intp]]

BINS = 80
"""Most equal-mass time bins, at whose borders ramps and pulses begin and end."""

SLOW = 8
"""Fewest bins that a ramp takes; a quicker one is a step."""

SURELY = 1.645
"""Standard errors of a one-sided 5 % test that the mean is above the reference's."""

HEIGHTS = (0.8, 1.0, 1.25)
"""Grid of ramp heights, as multiples of the least-squares height."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Spans:
    """A series of scores in equal-mass time bins.

    Attributes
    ----------
    firsts : ndarray of int
        The first moment of each span.
    sums, counts : ndarray of shape (spans,)
    edges : ndarray of shape (spans + 1,)
        Borders of the spans in time, in seconds.
    """

    firsts: Indices
    sums: Floats
    counts: Floats
    edges: Floats


def ramp_spans(course: Course, seconds: Floats) -> Spans:
    """Bin the moments into at most `BINS` equal-mass time bins; a moment is never split."""
    ahead = np.cumsum(course.counts) - course.counts
    place = np.unique((ahead * BINS // course.rows).astype(np.intp), return_inverse=True)[1]
    firsts = np.unique(place, return_index=True)[1]
    spacing = (seconds[-1] - seconds[0]) / max(len(seconds) - 1, 1)
    return Spans(
        firsts=firsts,
        sums=np.bincount(place, weights=course.sums).astype(float),
        counts=np.bincount(place, weights=course.counts).astype(float),
        edges=np.append(seconds[firsts], seconds[-1] + max(spacing, 1e-6)),
    )


def _null(course: Course, of: Spans) -> float:
    """Log-likelihood of no change."""
    rows = course.before[1] + of.counts.sum()
    return float(rows * course.tilt.fitted(np.array((course.before[0] + of.sums.sum()) / rows)))


def ramps(course: Course, of: Spans) -> Floats:
    """Log-likelihood ratio of a ramp against no change, by the bin it begins in and the border it ends at.

    The mean is the reference's, rises linearly from the middle of a bin, and then stays constant.

    Returns
    -------
    ndarray of shape (spans, ends)
        ``-inf`` where a ramp cannot end there, or would fall.
    """
    middles = (of.edges[1:] + of.edges[:-1]) / 2
    begins, ends = np.triu_indices(len(of.edges), SLOW)
    grown = _grown(of.edges, middles[begins], of.edges[ends])
    normal = course.before[0] / course.before[1]
    height = grown @ (of.sums - normal * of.counts) / np.maximum(grown**2 @ of.counts, 1e-300)
    risen = _best_height(course, of, grown * np.maximum(height, 0.0)[:, None])
    before = course.before[1] * float(course.tilt.fitted(np.array(normal)))
    table = np.full((len(of.counts), len(of.edges)), -np.inf)
    table[begins, ends] = np.where(height > 0, risen + before - _null(course, of), -np.inf)
    return table


def _grown(edges: Floats, begins: Floats, ends: Floats) -> Floats:
    """Mean share of its height that each ramp has reached in each bin, of shape (ramps, spans)."""
    length = (ends - begins)[:, None]
    into = np.clip(edges[None] - begins[:, None], 0.0, length)
    area = into**2 / (2 * length) + np.maximum(edges[None] - ends[:, None], 0.0)
    return np.asarray(np.diff(area, axis=1) / np.diff(edges))


def _best_height(course: Course, of: Spans, rises: Floats) -> Floats:
    """Log-likelihood of each ramp, maximised over the grid of heights."""
    normal, means = course.before[0] / course.before[1], of.sums / of.counts
    tried = [course.tilt.said(normal + height * rises, means[None]) @ of.counts for height in HEIGHTS]
    return np.asarray(np.max(tried, axis=0))


def pulse(course: Course, of: Spans) -> tuple[float, int]:
    """Log-likelihood ratio of the best pulse (a rise that ends within the window) against no change, and its end.

    Returns
    -------
    likelihood : float
        ``-inf`` where none fits.
    end : int
        The first moment after it.
    """
    likelihood, begin, end = _best_pulse(course, of)
    if not np.isfinite(likelihood):
        return likelihood, len(course.counts)
    last = min(end + 1, len(of.counts) - 1)
    ends = np.arange(of.firsts[max(end - 1, begin + 1)], of.firsts[last] + 1)
    risen = _of_pulses(course, np.full(len(ends), of.firsts[begin]), ends)
    best = int(np.argmax(risen))
    return (float(risen[best]) if _normal_again(course, int(ends[best])) else -np.inf), int(ends[best])


def _normal_again(course: Course, end: int) -> bool:
    """Whether the mean from a moment on is not significantly above the reference's; else the change did not end."""
    rows, total = course.counts[end:].sum(), course.sums[end:].sum()
    normal = course.before[0] / course.before[1]
    variance = course.tilt.variance(normal) * course.doubt * course.cluster[0] * (1 / rows + 1 / course.before[1])
    return bool(total / rows - normal <= SURELY * np.sqrt(max(variance, 0.0)))


def _best_pulse(course: Course, of: Spans) -> tuple[float, int, int]:
    begins, ends = np.triu_indices(len(of.counts), 1)
    if not len(begins):
        return -np.inf, 0, 0
    risen = _of_pulses(course, of.firsts[begins], of.firsts[ends])
    best = int(np.argmax(risen))
    return float(risen[best]), int(begins[best]), int(ends[best])


def _of_pulses(course: Course, begins: Indices, ends: Indices) -> Floats:
    """Log-likelihood ratio of a rise between pairs of moments against no change."""
    sums, counts = (np.concatenate([[0.0], np.cumsum(values)]) for values in (course.sums, course.counts))
    total, rows = course.before[0] + sums[-1], course.before[1] + counts[-1]
    inside, held = sums[ends] - sums[begins], counts[ends] - counts[begins]
    high, low = inside / held, (total - inside) / (rows - held)
    risen = held * course.tilt.fitted(high) + (rows - held) * course.tilt.fitted(low)
    lasting = (high > low) & (held >= TRIM) & (counts[-1] - counts[ends] >= TRIM)
    return np.where(lasting, risen - rows * course.tilt.fitted(np.array(total / rows)), -np.inf)
