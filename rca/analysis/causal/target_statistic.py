"""The statistic whose change is attributed: mean, variance or distribution of a column, or the metric."""

from typing import Literal, get_args

import numpy as np

from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats
from rca.errors import InvalidCase, did_you_mean
from rca.methods.change_attribution.multiply_robust import mean_of
from rca.methods.metric import Parts
from rca.tables.columns import as_numbers

Of = Literal["mean", "variance", "distribution"]
"""What of a column can change."""


def read_off(windows: Windows, target: str | None, *, of: Of) -> tuple[tuple[Parts, Parts], str]:
    """The statistic of a target as numerator and denominator per row in both windows, and its name in words.

    The change of a variance is that of the mean squared distance from the middle of both means, exactly. That of a
    distribution is the change of the share of rows up to the value at which the windows differ most.

    Parameters
    ----------
    windows : Windows
    target : str or None
        A column; the metric where None.
    of : {'mean', 'variance', 'distribution'}
        What of the column.

    Raises
    ------
    InvalidCase
        If a column has no such thing.
    """
    rows = windows.reference, windows.current
    if target is None:
        return (windows.meter.parts(rows[0]), windows.meter.parts(rows[1])), windows.metric.name.replace("_", " ")
    if of not in get_args(Of):
        hint = did_you_mean(str(of), get_args(Of))
        raise InvalidCase.because(f"a column has no {str(of)[:60]!r} that could change", place="of", hint=hint)
    if of == "mean":
        return (mean_of(rows[0][target]), mean_of(rows[1][target])), f"the mean of {target}"
    before, after = (as_numbers(one[target]) for one in rows)
    if of == "variance":
        middle = (np.nanmean(before) + np.nanmean(after)) / 2
        return (mean_of((before - middle) ** 2), mean_of((after - middle) ** 2)), f"the variance of {target}"
    at = _farthest_apart(before, after)
    words = f"the share of {target} up to {at:.4g}, where its distribution changed most,"
    return (mean_of(_up_to(before, at)), mean_of(_up_to(after, at))), words


def _up_to(values: Floats, at: float) -> Floats:
    return np.where(np.isfinite(values), values <= at, np.nan)


def _farthest_apart(before: Floats, after: Floats) -> float:
    """The value at which the empirical distribution functions differ most (Kolmogorov-Smirnov)."""
    first, second = (np.sort(one[np.isfinite(one)]) for one in (before, after))
    values = np.concatenate([first, second])
    apart = [np.searchsorted(one, values, side="right") / len(one) for one in (first, second)]
    return float(values[np.argmax(np.abs(apart[0] - apart[1]))])
