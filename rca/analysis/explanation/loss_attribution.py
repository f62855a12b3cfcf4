"""Attribution of the loss of each row to features: Aumann-Shapley (integrated gradients) along its SHAP values.

On the straight path from the base value to a row's margin, every feature adds its SHAP value at the same rate. The
change of the loss on that path is attributed in the proportion in which features move it, so that the parts add up to
the loss.

References
----------
.. [1] Aumann & Shapley (1974), Values of Non-Atomic Games: the value of a game whose players come in evenly.
.. [2] Friedman (2004), Int. J. Game Theory 32: that cost shares along a path add up, and which axioms they keep.
"""

from dataclasses import dataclass

import numpy as np

from rca.analysis.explanation.shap_values import Explained
from rca.analysis.explanation.tree_shap import diagonal
from rca.arrays import Floats

STEPS = 16
"""Points of the integral where a row has several margins; the rest is below rounding for margins of everyday size."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Lost:
    """Loss of each row as a start, at the base value, and a signed part of each feature.

    Attributes
    ----------
    parts : ndarray of shape (rows, features)
        What each feature's SHAP value added to the loss of a row: negative where it helped.
    start : ndarray of shape (rows,)
        Loss of the mean margin; with the parts it adds up to `total`.
    total : ndarray of shape (rows,)
    unit : str
    """

    parts: Floats
    start: Floats
    total: Floats
    unit: str


def divide_loss(explained: Explained, truth: Floats) -> Lost:
    """Attribute the loss of each row to features, by the Aumann-Shapley value along the path of its SHAP values.

    Of log-odds the loss is the log loss, of several the softmax's; of chances and predictions the squared error.

    Parameters
    ----------
    explained : Explained
    truth : ndarray of shape (rows,)
        0 or 1; the number of the class; the value to predict.

    Returns
    -------
    Lost

    References
    ----------
    [1]_, eq. (3.1): a feature's part is its SHAP value times the mean slope of the loss on the way. With one margin,
    the mean slope is ``(loss(end) - loss(start)) / (end - start)`` whatever the loss.

    Examples
    --------
    >>> one = Explained(
    ...     features=("a", "b"),
    ...     values=np.array([[[2.0], [-1.0]]]),
    ...     base=np.zeros(1),
    ...     scale="prediction",
    ...     method="as given",
    ... )
    >>> found = divide_loss(one, np.array([3.0]))
    >>> found.start.tolist(), found.parts.tolist(), found.total.tolist()
    ([9.0], [[-10.0, 5.0]], [4.0])
    """
    if explained.scale != "log-odds":
        return _squared(explained, truth)
    return _logistic(explained, truth) if explained.values.shape[2] == 1 else _softmax(explained, truth)


def _squared(explained: Explained, truth: Floats) -> Lost:
    """Squared error: ``phi_j (end + start - 2 y)``, the mean slope of a square; summed over the classes."""
    outputs = explained.values.shape[2]
    wanted = truth[:, None] if outputs == 1 else np.equal.outer(truth, np.arange(outputs)).astype(float)
    end, start = explained.margin, np.broadcast_to(explained.base, wanted.shape)
    return Lost(
        parts=np.einsum("nko,no->nk", explained.values, end + start - 2 * wanted),
        start=((start - wanted) ** 2).sum(axis=1),
        total=((end - wanted) ** 2).sum(axis=1),
        unit="squared probability" if explained.scale == "probability" else "squared units of the label",
    )


def _logistic(explained: Explained, truth: Floats) -> Lost:
    sign = 1 - 2 * truth
    end, start = explained.margin[:, 0], explained.base[0]
    total, first = np.logaddexp(0, sign * end), np.logaddexp(0, sign * start)
    way = end - start
    near = np.abs(way) < 1e-6
    slope = np.where(near, sign / (1 + np.exp(-sign * start)), (total - first) / np.where(near, 1.0, way))
    return Lost(parts=explained.values[:, :, 0] * slope[:, None], start=first, total=total, unit="nats")


def _softmax(explained: Explained, truth: Floats) -> Lost:
    from scipy.special import log_softmax, softmax

    outputs = explained.values.shape[2]
    wanted = np.equal.outer(truth, np.arange(outputs)).astype(float)
    way = explained.values.sum(axis=1)
    slope = np.zeros_like(way)
    for t, weight in diagonal(STEPS):
        slope += weight * (softmax(explained.base + t * way, axis=1) - wanted)
    total = -(wanted * log_softmax(explained.base + way, axis=1)).sum(axis=1)
    first = -(wanted * log_softmax(np.broadcast_to(explained.base, way.shape), axis=1)).sum(axis=1)
    parts = np.einsum("nko,no->nk", explained.values, slope)
    return Lost(parts=_exactly(parts, total - first), start=first, total=total, unit="nats")


def _exactly(parts: Floats, wanted: Floats) -> Floats:
    """Parts scaled to add up exactly: the quadrature's rounding is shared in proportion to their sizes."""
    left = wanted - parts.sum(axis=1)
    size = np.abs(parts)
    return np.asarray(parts + left[:, None] * size / np.maximum(size.sum(axis=1, keepdims=True), np.finfo(float).tiny))
