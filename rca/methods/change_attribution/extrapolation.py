"""Change attribution by parametric extrapolation, for mechanisms without overlap between the windows.

Without overlap no importance weight is defined. What is left is to assume that each mechanism is linear or quadratic in
its parents beyond their observed range. Mechanisms that a test does not find changed are fitted on both windows pooled.
Shapley values of the plug-in regressions, with delete-a-group jackknife errors; intervals are of sampling alone, given
the parametric form.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rca.arrays import Floats
from rca.finding import Interval
from rca.methods.change_attribution.causal_chain import Chain
from rca.methods.change_attribution.cross_fitting import Game, linearised
from rca.methods.change_attribution.nested_regression import passed
from rca.methods.regression_basis import Masks, Terms, TwoSamples, every_other, polynomial, tree_tells

GROUPS = 25
"""Groups of each window's rows for the delete-a-group jackknife."""

ALONE = 30.0
"""Odds of a row's own window from which it lies outside the overlap."""

FAR_APART = 0.1
"""Share of a window's rows outside the overlap from which a mechanism's contribution is an extrapolation."""

WORTH_CURVES = 0.02
"""Least reduction of the held-out error, as a share, for squares and interactions to be extrapolated."""

ROWS_A_TERM = 20
"""Fewest rows of the smaller window for each square or interaction."""


@dataclass(frozen=True, kw_only=True)
class Extrapolated:
    """A mechanism's contribution by parametric extrapolation, with its jackknife error.

    Attributes
    ----------
    value, error : float
        In the metric's unit; its sampling error given the regressions' form.
    interval : Interval
    halves : tuple of float
        What each half of the groups gives.
    """

    value: float
    error: float
    interval: Interval
    halves: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class ExtrapolatedMechanism:
    """A mechanism as a linear or quadratic regression, used beyond the range of its data.

    Attributes
    ----------
    onward : tuple of ndarray of shape (terms before, terms after)
    """

    onward: TwoSamples
    after: TwoSamples

    def mixed(self, t: float) -> Floats:
        """The regression of the mixture of both windows' mechanisms, ``1 - t`` to ``t``."""
        return (1 - t) * self.onward[0] + t * self.onward[1]


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Cross-products of a step's terms by jackknife group of each window.

    Attributes
    ----------
    left, right : tuple of ndarray of shape (groups, terms before, terms before or after)
    """

    left: TwoSamples
    right: TwoSamples
    after: TwoSamples

    def line(self, kept: Masks, *, together: bool) -> ExtrapolatedMechanism:
        """Least squares on some of the groups, for each window alone or pooled."""
        left = [side[of].sum(axis=0) for side, of in zip(self.left, kept, strict=True)]
        right = [side[of].sum(axis=0) for side, of in zip(self.right, kept, strict=True)]
        if together:
            left, right = [left[0] + left[1]] * 2, [right[0] + right[1]] * 2
        found = [_solved(a, b) for a, b in zip(left, right, strict=True)]
        return ExtrapolatedMechanism(onward=(found[0], found[1]), after=self.after)


def extrapolate(game: Game, *, unchanged: Collection[str], level: float = 0.95) -> dict[str, Extrapolated]:
    """Attribute the change to the mechanisms by parametric extrapolation: Shapley values of plug-in regressions.

    Parameters
    ----------
    game : Game
    unchanged : collection of str
        Nodes whose mechanism is taken to be one in both windows.
    level : float
        Of the intervals.

    Returns
    -------
    dict of str to Extrapolated
        By node, in the order of cause and effect; empty where a mechanism is neither a line nor a parabola inside its
        rows, so that there is nothing to go on with. Nothing is drawn: groups are every 25th row.

    References
    ----------
    Owen (1972), theorem 5, for the division; Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 11.5,
    for the jackknife over groups.
    """
    if not _goes_on(game):
        return {}
    sums = _summed(game)
    together = [node in unchanged for node in game.chain.order]

    def without(kept: Masks) -> Floats:
        return _value(game, [one.line(kept, together=both) for one, both in zip(sums, together, strict=True)])

    return _told(game.chain, without, level=level)


def apart(game: Game) -> frozenset[str]:
    """Nodes without overlap: their contribution rests on parents' values that only one window has (positivity fails).

    Its own parents' settings count, and those of every node downstream, which the node's change is passed on through.
    The odds of a row's window are those of a logistic regression on its parents' lines, squares and products.
    """
    alone = [_alone(game, k) > FAR_APART for k in range(len(game.chain.order))]
    return frozenset(
        node for k, node in enumerate(game.chain.order) if any(alone[below] for below in game.chain.reached(k))
    )


def _alone(game: Game, k: int) -> float:
    """Largest share of a window's rows outside the overlap, by the odds of a logistic regression on the parents."""
    from sklearn.linear_model import LogisticRegression

    parents = [game.lines[one] for one in game.chain.parents[game.chain.order[k]]]
    terms = _terms(parents, game.outcome, curved=True)
    both = np.vstack(terms.windows)[:, 1:]
    if not both.shape[1]:
        return 0.0
    window = np.repeat([0, 1], game.sizes)
    model = LogisticRegression(solver="newton-cholesky", class_weight="balanced").fit(both, window)
    odds = model.decision_function(both)
    lonely = np.where(window == 1, odds, -odds) > np.log(ALONE)
    return float(max(lonely[window == side].mean() for side in (0, 1)))


def _goes_on(game: Game) -> bool:
    """Whether a quadratic model of its parents fits every node as well as trees do (no lack of fit)."""
    for node, parents in game.chain.parents.items():
        seen = [game.lines[one] for one in parents if game.lines[one][0].shape[1]]
        rows = game.outcome if {node} == game.chain.measured else game.lines[node]  # since linear terms are clipped
        if seen and rows[0].shape[1] and _winds(seen, (rows[0][:, 0], rows[1][:, 0])):
            return False
    return True


def _winds(columns: Sequence[TwoSamples], response: TwoSamples) -> bool:
    """Lack-of-fit test: whether trees explain residuals of the quadratic model that are not negligible."""
    terms, every = _terms(columns, response, curved=True), tuple(np.ones(len(one), bool) for one in response)
    left = [y - x @ np.linalg.lstsq(x, y)[0] for x, y in zip(terms.windows, response, strict=True)]
    if all(a.var() <= WORTH_CURVES * b.var() for a, b in zip(left, response, strict=True)):
        return False
    halves = every_other((every[0], every[1]), 0), every_other((every[0], every[1]), 1)
    return tree_tells(columns, (left[0], left[1]), halves)


def _told(chain: Chain, without: Callable[[Masks], Floats], *, level: float) -> dict[str, Extrapolated]:
    """The contributions, their delete-a-group jackknife errors, and the estimates of each half of the groups."""
    from scipy.stats import t as student

    every = np.ones(GROUPS, bool)
    values, spread = without((every, every)), np.zeros(len(chain.order))
    for side in (0, 1):
        left_out = [np.arange(GROUPS) != group for group in range(GROUPS)]
        found = np.array([without((kept, every) if side == 0 else (every, kept)) for kept in left_out])
        spread += (GROUPS - 1) * found.var(axis=0)
    odd = np.arange(GROUPS) % 2 == 1
    halves = without((odd, odd)), without((~odd, ~odd))
    errors = np.sqrt(spread)
    reach = float(student.ppf((1 + level) / 2, GROUPS - 1)) * errors
    return {
        node: Extrapolated(
            value=float(values[i]),
            error=float(errors[i]),
            interval=Interval(low=float(values[i] - reach[i]), high=float(values[i] + reach[i]), level=level),
            halves=(float(halves[0][i]), float(halves[1][i])),
        )
        for i, node in enumerate(chain.order)
    }


def _value(game: Game, steps: Sequence[ExtrapolatedMechanism]) -> Floats:
    """Plug-in Shapley values of the mechanisms (regressions alone), shape (players,)."""
    slopes = [share * linearised(passed(steps, t), root=game.root)[0] for t, share in game.nodes]
    return np.asarray(np.sum(slopes, axis=0))


def _summed(game: Game) -> list[Sums]:
    """Cross-products of every step, built backwards from the outcome; in the order of the steps."""
    found: list[Sums] = []
    after, curved = game.outcome, False
    for k in reversed(range(len(game.chain.order))):
        seen = [game.lines[node] for node in game.chain.before(k)]
        curved = curved or _bends(seen, after)
        terms = _terms(seen, after, curved=curved)
        found.insert(0, _grouped(terms.windows, after))
        after = terms.windows
    return found


def _terms(columns: Sequence[TwoSamples], rows: TwoSamples, *, curved: bool) -> Terms:
    room = min(map(len, rows)) // ROWS_A_TERM if curved else 0
    terms = polynomial([one for one in columns if one[0].shape[1]], rows, room=room)
    return replace(terms, penalty=np.zeros_like(terms.penalty))  # shrinkage biases an extrapolation


def _bends(columns: Sequence[TwoSamples], after: TwoSamples) -> bool:
    """Whether squares and interactions lower the held-out error enough to be extrapolated."""
    if not any(one[0].shape[1] for one in columns):
        return False
    missed = [_missed(_terms(columns, after, curved=curved), after) for curved in (False, True)]
    return missed[1] < (1 - WORTH_CURVES) * missed[0]


def _missed(terms: Terms, after: TwoSamples) -> float:
    """Held-out squared error on every other row, each response in units of its variance."""
    total = 0.0
    for rows, truth in zip(terms.windows, after, strict=True):
        learned = np.linalg.lstsq(rows[::2], truth[::2])[0]
        spread = truth.std(axis=0)
        left = truth[1::2] - rows[1::2] @ learned
        total += float((left[:, spread > 0] ** 2 / spread[spread > 0] ** 2).sum())
    return total


def _grouped(before: TwoSamples, after: TwoSamples) -> Sums:
    left, right = [], []
    for x, y in zip(before, after, strict=True):
        group = np.arange(len(x)) % GROUPS
        left.append(np.array([x[group == one].T @ x[group == one] for one in range(GROUPS)]))
        right.append(np.array([x[group == one].T @ y[group == one] for one in range(GROUPS)]))
    return Sums(left=(left[0], left[1]), right=(right[0], right[1]), after=after)


def _solved(left: Floats, right: Floats) -> Floats:
    """Minimum-norm least squares by the normal equations; degenerate directions get zero."""
    return np.asarray(np.linalg.lstsq(left, right, rcond=1e-10)[0])
