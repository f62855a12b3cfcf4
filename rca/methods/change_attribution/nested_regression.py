"""Nested regressions along a causal chain: counterfactual means and Shapley values by the multilinear extension.

Step k regresses the terms that later steps need on the terms of its predecessors, in each window. Backwards, the steps
give the conditional expectation of the outcome (sequential regression, the g-formula); forwards, the balancing weights
of a mixture of both windows' mechanisms. Both are linear in every mechanism. So the mean ``v(t)`` with every mechanism
mixed, ``1 - t`` of the reference's and ``t`` of the current one's, is a polynomial, and the Shapley value of mechanism
j is the integral of ``dv / dt_j`` along the diagonal, exact by a few Gauss-Legendre nodes without listing coalitions.

References
----------
.. [1] Quintas-Martínez, V., Bahadori, M. T., Santiago, E., Mu, J. & Heckerman, D. (2024). Multiply-robust causal change
   attribution. ICML, eq. (6): nested regressions, corrected by weighted residuals.
.. [2] Owen, G. (1972). Multilinear extensions of games. Management Science 18(5), theorem 5: the diagonal integral.
.. [3] Chernozhukov, V., Newey, W. & Singh, R. (2022). Automatic debiased machine learning of causal and structural
   effects. Econometrica 90(3), section 3: weights by regression, without a density.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rca.arrays import Floats
from rca.methods.regression_basis import Masks, Terms, TwoSamples

Pair = tuple[Floats, Floats]


class PassableMechanism(Protocol):
    """Protocol of a mechanism in the forward and backward pass; `MechanismRegressions` implements it."""

    @property
    def after(self) -> TwoSamples: ...

    @property
    def onward(self) -> Pair: ...

    def mixed(self, t: float) -> Floats: ...


@dataclass(frozen=True, kw_only=True)
class MechanismRegressions:
    """One mechanism: regressions of the terms that later steps need on those of its predecessors, one in each window.

    Attributes
    ----------
    before : Terms
        Of the columns that came before and still matter.
    after : tuple of ndarray of shape (rows, terms)
        What later steps need; the outcome's parts at the last step.
    onward : tuple of ndarray of shape (terms before, terms after)
        Coefficients learned on the training rows of each window.
    inverse : tuple of ndarray of shape (terms before, terms before)
        Turns means of terms into weights of rows whose terms have those means.
    """

    before: Terms
    after: TwoSamples
    onward: Pair
    inverse: Pair

    def mixed(self, t: float) -> Floats:
        """Coefficients of the mixture of both windows' mechanisms, ``1 - t`` to ``t``."""
        return (1 - t) * self.onward[0] + t * self.onward[1]


def step(before: Terms, after: TwoSamples, train: Masks) -> MechanismRegressions:
    """Fit one mechanism by ridge regression on the training rows of each window."""
    onward, inverse = [], []
    for side in (0, 1):
        x, y = before.windows[side][train[side]], after[side][train[side]]
        left, right = before.normal(x, y)
        turned: Floats = np.asarray(np.linalg.inv(left), dtype=float)
        onward.append(turned @ right)
        inverse.append(turned * len(x))
    return MechanismRegressions(
        before=before, after=after, onward=(onward[0], onward[1]), inverse=(inverse[0], inverse[1])
    )


@dataclass(frozen=True, kw_only=True)
class Passed:
    """Forward means and backward coefficients of a chain at one mixture of mechanisms.

    Attributes
    ----------
    means : list of ndarray of shape (terms, 1 + steps)
        Of each step's terms before it under the mixture; further columns have one earlier mechanism replaced by its
        change, current less reference.
    worth : list of ndarray of shape (terms, 1 + steps, parts)
        Coefficients of the outcome expected of a row, after each step; likewise with one later mechanism replaced.
    """

    means: list[Floats]
    worth: list[Floats]

    @property
    def value(self) -> Floats:
        """Parts of the metric under the mixture, shape (parts,)."""
        return np.asarray(self.worth[0][0, 0])

    @property
    def slopes(self) -> Floats:
        """Derivatives of `value` by the share of each mechanism, shape (steps, parts)."""
        return np.asarray(self.worth[0][0, 1:])


def passed(steps: Sequence[PassableMechanism], t: float) -> Passed:
    """Forward and backward pass through a chain with every mechanism mixed, ``1 - t`` to ``t``."""
    parts, players = steps[-1].after[0].shape[1], len(steps)
    means, worth = [np.zeros((1, 1 + players))], [np.zeros((parts, 1 + players, parts))]
    means[0][0, 0] = 1.0
    worth[0][:, 0] = np.eye(parts)
    for k, one in enumerate(steps):
        forward = one.mixed(t).T @ means[-1]
        forward[:, 1 + k] = (one.onward[1] - one.onward[0]).T @ means[-1][:, 0]
        means.append(forward)
    for k, one in reversed(list(enumerate(steps))):
        backward = np.tensordot(one.mixed(t), worth[0], axes=1)
        backward[:, 1 + k] = (one.onward[1] - one.onward[0]) @ worth[0][:, 0]
        worth.insert(0, backward)
    return Passed(means=means[:-1], worth=worth)


def influence(one: MechanismRegressions, at: Passed, held: Masks, *, k: int, t: float) -> TwoSamples:
    """Influence function of the k-th step: weighted residuals of its regressions at the held-out rows of each window.

    Returns
    -------
    tuple of ndarray of shape (rows, 1 + steps, parts)
        What each row adds to the value under the mixture, then to its derivatives by the share of each mechanism. Of
        mean zero where the regressions or the weights are right.

    References
    ----------
    Quintas-Martínez et al. (2024), eq. (6).
    """
    found = []
    for side, (share, sign) in enumerate(((1 - t, -1.0), (t, 1.0))):
        x, y = one.before.windows[side][held[side]], one.after[side][held[side]]
        weight = x @ (one.inverse[side] @ at.means[k])
        residual = np.tensordot(y - x @ one.onward[side], at.worth[k + 1], axes=1)
        added = share * weight[:, :1, None] * residual
        added[:, 1 : 1 + k] = share * weight[:, 1 : 1 + k, None] * residual[:, :1]
        added[:, 1 + k] = sign * weight[:, :1] * residual[:, 0]
        found.append(added)
    return found[0], found[1]
