"""Nuisance functions of the one-step (debiased, AIPW) estimator: density ratio and outcome regression.

The outcome regression is weighted by the density ratio, so that it is fitted where it is used: it is consistent if the
ratio is, and the remaining correction is small where both nearly are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rca.arrays import Floats, Mask
from rca.methods.boosted_trees import regressor
from rca.methods.regression_basis import (
    ROWS_A_TERM,
    TERMS,
    Masks,
    Terms,
    TwoSamples,
    every_other,
    polynomial,
    tree_tells,
)

MAX_RATIO = 50.0
"""Density ratios are clipped here."""

WORTH = 1e-3
"""Least reduction of the held-out log loss, in nats a row, for squares and interactions to enter the density ratio."""


@dataclass(frozen=True, kw_only=True)
class Nuisance:
    """Bases of the density ratio and of the outcome regression, at the rows of both windows.

    Attributes
    ----------
    ratio_terms, loss_terms : Terms
    trees : bool
        Whether boosted trees join the regression.
    """

    ratio_terms: Terms
    loss_terms: Terms
    trees: bool

    @property
    def size(self) -> int:
        """Number of parameters."""
        return len(self.ratio_terms.penalty) + len(self.loss_terms.penalty) + self.trees

    @classmethod
    def chosen(cls, columns: Sequence[TwoSamples], loss: Floats, train: Masks) -> "Nuisance":
        """Select the bases on held-out training rows: squares for the ratio, trees for the loss, where they help."""
        rows = loss, np.zeros(len(train[1]))
        simple = polynomial(columns, rows)
        room = max(0, min(TERMS, int(min(mask.sum() for mask in train)) // ROWS_A_TERM) - len(simple.penalty))
        curved = polynomial(columns, rows, room=room)
        halves = every_other(train, 0), every_other(train, 1)
        bits = [_bits(terms, halves) for terms in (simple, curved)]
        x, y = curved.reference[halves[0][0]], loss[halves[0][0]]
        left = loss - curved.reference @ np.linalg.solve(*curved.normal(x, y))
        none = np.zeros(len(train[1]), bool)
        tells = bool(columns) and tree_tells(columns, (left, none * 1.0), ((halves[0][0], none), (halves[1][0], none)))
        return cls(ratio_terms=curved if bits[1] < bits[0] - WORTH else simple, loss_terms=curved, trees=tells)

    def ratio(self, train: Masks) -> Floats:
        """Density ratio, current over reference, at every reference row, by logistic regression; clipped."""
        rows = np.vstack([window[mask] for window, mask in zip(self.ratio_terms.windows, train, strict=True)])[:, 1:]
        sizes = [int(mask.sum()) for mask in train]
        if not rows.shape[1] or min(sizes) == 0:
            return np.ones(len(train[0]))
        odds = _classifier().fit(rows, np.repeat([0, 1], sizes)).decision_function(self.ratio_terms.reference[:, 1:])
        return np.asarray(np.exp(np.minimum(odds - np.log(sizes[1] / sizes[0]), np.log(MAX_RATIO))))

    def regressed(self, loss: Floats, train: Mask, weights: Floats) -> TwoSamples:
        """Outcome regression: the expected loss of every row, fitted on the reference's weighted training rows."""
        terms, shown = self.loss_terms, weights[train] / weights[train].mean()
        if self.trees:
            model = regressor().fit(terms.reference[train, 1:], loss[train])
            said = [model.predict(window[:, 1:])[:, None] for window in terms.windows]
            terms = terms.joined(said[0], said[1], penalty=float(terms.penalty[-1]))
        x, y = terms.reference[train], loss[train]
        if np.isin(y, (0.0, 1.0)).all() and y.min() < y.max():
            model = _classifier().fit(x[:, 1:], y, sample_weight=shown)
            return model.predict_proba(terms.reference[:, 1:])[:, 1], model.predict_proba(terms.current[:, 1:])[:, 1]
        root = np.sqrt(shown)
        learned = np.linalg.solve(*terms.normal(x * root[:, None], y * root))
        return terms.reference @ learned, terms.current @ learned


def _classifier() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(solver="newton-cholesky")


def _bits(terms: Terms, halves: tuple[Masks, Masks]) -> float:
    """Held-out log loss, in nats a row, of a logistic classifier of the window."""
    shown, asked = ([window[mask][:, 1:] for window, mask in zip(terms.windows, half, strict=True)] for half in halves)
    if not shown[0].shape[1] or min(map(len, (*shown, *asked))) == 0:
        return 0.0
    model = _classifier().fit(np.vstack(shown), np.repeat([0, 1], [len(rows) for rows in shown]))
    odds = np.concatenate([-model.decision_function(asked[0]), model.decision_function(asked[1])])
    return float(np.logaddexp(0, -odds).mean())
