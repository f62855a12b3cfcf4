"""Within-between (Kitagawa-Oaxaca) decomposition of a metric's change over disjoint sets: rate and size components."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rca.arrays import Floats, Mask
from rca.finding import Interval
from rca.methods.two_sample_tests import Z


@dataclass(frozen=True, kw_only=True, eq=False)
class MetricChange:
    """Per-row numerators and denominators of a metric in both windows.

    Attributes
    ----------
    value, weight : tuple of ndarray of shape (rows of the window,)
        The numerator in the bad direction, and the denominator; the reference first.
    root : bool
        Whether the metric is the root of their ratio. Its change is divided in the proportions of the ratio's.
    """

    value: tuple[Floats, Floats]
    weight: tuple[Floats, Floats]
    root: bool = False

    def metric(self, window: int, held: Mask) -> float:
        """The metric of a set of rows; NaN where none counts."""
        weight = self.weight[window][held].sum()
        ratio = float(self.value[window][held].sum() / weight) if weight > 0 else np.nan
        return float(np.sign(ratio) * np.sqrt(abs(ratio))) if self.root else ratio

    @property
    def scale(self) -> float:
        """Factor from a change of the ratio to one of the metric: ``1 / (sqrt(a) + sqrt(b))`` for a root, else 1."""
        if not self.root:
            return 1.0
        both = sum(abs(self.metric(window, np.ones(len(self.value[window]), dtype=bool))) for window in (0, 1))
        return 1 / both if both > 0 else 1.0


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Within and between components of a change for one of several disjoint sets.

    Attributes
    ----------
    lost, error : float
        Within (rate) component: mean share times change within; its standard error, from influence functions.
    mix : float
        Between (size) component: change of share times the distance of the set from the mean of all.
    share : float
        Mean share of both windows.
    """

    lost: float
    error: float
    mix: float
    share: float

    @property
    def interval(self) -> Interval:
        """95 % interval of `lost`, by the normal approximation."""
        return Interval(low=self.lost - Z * self.error, high=self.lost + Z * self.error)


def loss(change: MetricChange, held: tuple[Mask, Mask]) -> Loss:
    """Kitagawa components of a set: within, ``p̄ (r₁ - r₀)``, and by its size, ``(p₁ - p₀)(r̄ - M̄)``.

    Parameters
    ----------
    change : MetricChange
    held : tuple of ndarray of bool
        Which rows of each window are in the set.

    Returns
    -------
    Loss
        Over disjoint sets that hold all rows, ``lost + mix`` adds up to the change of the metric.

    References
    ----------
    Kitagawa (1955), J. Am. Stat. Assoc. 50(272), p. 1179.

    Examples
    --------
    >>> value, weight = (np.array([0.0, 1, 0, 0]), np.array([1.0, 1, 0, 0])), (np.ones(4), np.ones(4))
    >>> found = loss(MetricChange(value=value, weight=weight), (np.array([1, 1, 0, 0], bool),) * 2)
    >>> found.lost, found.mix
    (0.25, 0.0)
    """
    total = [weight.sum() for weight in change.weight]
    inside = [weight[at].sum() for weight, at in zip(change.weight, held, strict=True)]
    share = [part / whole for part, whole in zip(inside, total, strict=True)]
    mean = [value.sum() / whole for value, whole in zip(change.value, total, strict=True)]
    part = [value[at].sum() / whole for value, at, whole in zip(change.value, held, total, strict=True)]
    middle, scale = (share[0] + share[1]) / 2, change.scale
    moved = part[1] - part[0] - (mean[0] + mean[1]) / 2 * (share[1] - share[0])
    if min(share) <= 0:  # only one window has such rows: nothing changed within
        return Loss(lost=0.0, error=0.0, mix=float(moved * scale), share=float(middle))
    rate = [one / of for one, of in zip(part, share, strict=True)]
    lost = middle * (rate[1] - rate[0])
    influences = _influences(change, held, rates=rate, shares=share)
    error = np.sqrt(sum(np.sum(one**2) for one in influences))
    return Loss(lost=float(lost * scale), error=float(error), mix=float((moved - lost) * scale), share=float(middle))


def _influences(
    change: MetricChange, held: tuple[Mask, Mask], *, rates: Sequence[float], shares: Sequence[float]
) -> list[Floats]:
    """Influence function of `lost` by row of each window, in the metric's unit."""
    middle, moved, scale = sum(shares) / 2, rates[1] - rates[0], change.scale
    found = []
    for window, sign in ((0, -1.0), (1, 1.0)):
        value, weight, at = change.value[window], change.weight[window], held[window].astype(float)
        total = weight.sum()
        grown = (at - shares[window]) * weight / total
        worse = at * (value - rates[window] * weight) / (shares[window] * total)
        psi = scale * (grown * moved / 2 + sign * middle * worse)
        if change.root:  # the scale is an estimate too
            mean = value.sum() / total
            root = np.sign(mean) * (value - mean * weight) / total / (2 * np.sqrt(abs(mean))) if mean else 0.0
            psi = psi - middle * moved * scale**2 * root
        found.append(psi)
    return found
