"""Sharp worst-case (Manski) bounds of a metric over the outcomes that are missing, with standard errors.

Every missing outcome gives its row one of a few numerators and denominators: those of a yes and those of a no. The
extremes of the ratio of their sums are found exactly by Dinkelbach's algorithm: at a trial value r each row takes what
is best for ``numerator - r denominator``, until r no longer moves. So a rate whose denominator itself depends on the
outcome is bounded as sharply as a mean.

References
----------
.. [1] Manski, C. F. (1990). Nonparametric bounds on treatment effects. American Economic Review 80(2).
.. [2] Dinkelbach, W. (1967). On nonlinear fractional programming. Management Science 13(7), section 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.harm.evidence.paired_parts import standard_error
from rca.analysis.inputs.metric_reader import Segment
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Mask
from rca.methods.metric import Parts
from rca.tables.columns import as_numbers

ROUNDS = 60
"""Most rounds of the algorithm; it converges faster than linearly, in about five."""


@dataclass(frozen=True, kw_only=True)
class OutcomeBounds:
    """Smallest and largest value of a metric that outcomes which are missing allow.

    Attributes
    ----------
    low, high : float
    low_error, high_error : float
        Standard errors of the ends.
    within : (float, float) or None
        The range that missing outcomes were taken from, where an outcome has no bounds of its own.
    """

    low: float
    high: float
    low_error: float
    high_error: float
    within: tuple[float, float] | None = None

    def hold(self, value: float, error: float = 0.0) -> bool:
        """Whether the bounds, widened by two standard errors, hold a value that has an error itself."""
        below, above = (2 * float(np.hypot(end, error)) for end in (self.low_error, self.high_error))
        return self.low - below <= value <= self.high + above


def outcome_column(windows: Windows) -> str | None:
    """The column of the outcomes: the label, or what a rate or a mean averages."""
    name = windows.roles.label if windows.meter.needs_label else windows.meter.outcome
    return name if name is not None and name in windows.reference and name in windows.current else None


def is_known(windows: Windows, rows: pd.DataFrame) -> Mask:
    """Rows whose outcome is known."""
    meter, values = windows.meter, rows[outcome_column(windows)]
    words = isinstance(windows.roles.positive, str) or meter.base in ("rate", "error_rate")
    there = values.notna().to_numpy(bool)
    return there if words and meter.base not in ("mae", "rmse", "mean") else there & np.isfinite(as_numbers(values))


def outcome_bounds(windows: Windows, groups: tuple[Segment, ...]) -> OutcomeBounds | None:
    """Bound the current window's metric over every outcome that its missing ones may have had.

    Parameters
    ----------
    windows : Windows
    groups : tuple
        Segments of a gap.

    Returns
    -------
    OutcomeBounds or None
        None where no outcome is known that could bound the others, or no row would count.

    Raises
    ------
    Unanswerable
        If the metric cannot be read.

    Examples
    --------
    One of two known negatives was a mistake. Of the other two rows each may be a negative or none at all.

    >>> from rca.analysis.inputs.windows import windows_from
    >>> rows = pd.DataFrame({"y": [0.0, 0.0, None, None], "p": [1, 0, 1, 0]})
    >>> windows = windows_from(rows, rows, metric="false_positive_rate", label="y", prediction="p", positive=1)
    >>> found = outcome_bounds(windows, ())
    >>> round(found.low, 3), round(found.high, 3)
    (0.333, 0.667)
    """
    rows, known = windows.current, is_known(windows, windows.current)
    span = _span(windows) if windows.meter.base in ("mae", "rmse", "mean") else None
    if windows.meter.base in ("mae", "rmse", "mean") and span is None:
        return None
    seen = windows.meter.parts(rows, groups=groups).take(known)
    open_ = (
        _options(windows, rows[~known], groups=groups, span=span)
        if not known.all()
        else [seen.take(np.zeros(0, dtype=int))]
    )
    each = [
        [_extreme(seen, open_, group=group, sign=sign) for group in range(seen.numerator.shape[1])] for sign in (-1, 1)
    ]
    ends = _gap(each) if seen.shape == "gap" else (_end(each[0][0], seen.shape), _end(each[1][0], seen.shape))
    if not np.isfinite([value for value, _ in ends]).all():
        return None
    errors = [standard_error(psi) for _, psi in ends]
    return OutcomeBounds(low=ends[0][0], high=ends[1][0], low_error=errors[0], high_error=errors[1], within=span)


def _span(windows: Windows) -> tuple[float, float] | None:
    """The range of the outcomes that are known, in the reference or now."""
    name = str(outcome_column(windows))
    seen = np.concatenate([as_numbers(rows[name]) for rows in (windows.reference, windows.current)])
    seen = seen[np.isfinite(seen)]
    return (float(seen.min()), float(seen.max())) if len(seen) else None


def _options(
    windows: Windows, rows: pd.DataFrame, *, groups: tuple[Segment, ...], span: tuple[float, float] | None
) -> list[Parts]:
    """Numerators and denominators of rows without an outcome, for each outcome that may decide an extreme."""
    meter, roles, name = windows.meter, windows.roles, str(outcome_column(windows))
    if meter.base == "rate" or (meter.base == "error_rate" and roles.prediction is not None):
        sure = rows.assign(**{name: 1.0 if meter.base == "rate" else rows[str(roles.prediction)]})
        counted = meter.parts(sure, groups=groups).denominator
        parts = Parts(numerator=counted, denominator=counted, shape=meter.parts(sure, groups=groups).shape)
        return [parts, replace(parts, numerator=0.0 * counted)]
    fills: Sequence[Any] = _labels(roles.positive)
    if span is not None:
        said = roles.prediction or roles.score
        nearest = [] if meter.base == "mean" or said is None else [np.clip(as_numbers(rows[said]), *span)]
        fills = (*span, *nearest)
    return [meter.parts(rows.assign(**{name: fill}), groups=groups) for fill in fills]


def _labels(positive: str | float) -> tuple[Any, Any]:
    """A yes and a no."""
    if isinstance(positive, str):
        return positive, f"not {positive}"
    return float(positive), 0.0 if positive else 1.0


Extreme = tuple[float, Floats]
"""A value and the influence of each row on it."""


def _extreme(seen: Parts, options: Sequence[Parts], *, group: int, sign: int) -> Extreme:
    """Largest (sign 1) or smallest (-1) ratio of the sums, over a choice of options for each row without an outcome."""
    n, d = (np.array([getattr(one, side)[:, group] for one in options]) for side in ("numerator", "denominator"))
    own = seen.numerator[:, group], seen.denominator[:, group]
    pick, best = np.argmax(d, axis=0), np.nan
    rows = np.arange(n.shape[1])
    for _ in range(ROUNDS):
        sums = own[0].sum() + n[pick, rows].sum(), own[1].sum() + d[pick, rows].sum()
        if sums[1] <= 0 or not (np.isnan(best) or sign * (sums[0] / sums[1] - best) > 0):
            break
        best, chosen = float(sums[0] / sums[1]), pick
        pick = np.argmax(sign * (n - best * d), axis=0)
    if np.isnan(best):
        return np.nan, np.zeros(len(own[0]) + len(rows))
    taken = np.append(own[0], n[chosen, rows]), np.append(own[1], d[chosen, rows])
    return best, (taken[0] - best * taken[1]) / taken[1].sum()


def _end(extreme: Extreme, shape: str) -> Extreme:
    value, psi = extreme
    root = float(np.sqrt(value)) if shape == "root" else 0.0
    return (root, psi / (2 * root)) if root > 0 else (value, psi)


def _gap(each: list[list[Extreme]]) -> tuple[Extreme, Extreme]:
    """Extremes of the largest difference between groups, from the extremes of each."""
    low, high = ([one for one in side if np.isfinite(one[0])] for side in each)
    pairs = list(permutations(range(len(low)), 2))
    if not pairs:
        return (np.nan, np.zeros(1)), (np.nan, np.zeros(1))
    nearest = max(((low[g][0] - high[h][0], low[g][1] - high[h][1]) for g, h in pairs), key=lambda end: end[0])
    widest = max(((high[g][0] - low[h][0], high[g][1] - low[h][1]) for g, h in pairs), key=lambda end: end[0])
    return (max(nearest[0], 0.0), nearest[1]), widest
