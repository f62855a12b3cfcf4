"""What each mechanism did where no row of one window looks like the other's: regressions carried on beyond their data.

Without overlap no weight can say what a window's rows would have done under the other window's mechanisms. What is left
is to assume that each mechanism is a line or a parabola and goes on as one. Mechanisms that a test does not tell apart
are learned from both windows together, so that they do not part company outside their data. What comes out is
conditional on that assumption and says so; its intervals hold sampling alone.
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
"""Groups of each window's rows; the spread of answers without one of them is the sampling error."""

ALONE = 30.0
"""Odds of its own window from which on a row has next to no like in the other."""

FAR_APART = 0.1
"""Share of a window's rows that may be alone before what the other window would have made of them is extrapolation."""

WORTH_CURVES = 0.02
"""Share of the error that squares and products have to take away of rows held out, to be carried on."""

ROWS_A_TERM = 20
"""Rows of the smaller window that a square or product has to have to itself."""


@dataclass(frozen=True, kw_only=True)
class Extrapolated:
    """A mechanism's part by extrapolation.

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
    """A mechanism as a regression that goes on beyond its rows.

    Attributes
    ----------
    onward : tuple of ndarray of shape (terms before, terms after)
    """

    onward: TwoSamples
    after: TwoSamples

    def mixed(self, t: float) -> Floats:
        """The regression, were the mechanism mixed."""
        return (1 - t) * self.onward[0] + t * self.onward[1]


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Products of a step's terms, added up in every group of each window.

    Attributes
    ----------
    left, right : tuple of ndarray of shape (groups, terms before, terms before or after)
    """

    left: TwoSamples
    right: TwoSamples
    after: TwoSamples

    def line(self, kept: Masks, *, together: bool) -> ExtrapolatedMechanism:
        """The regression on some of the groups, of each window alone or of both."""
        left = [side[of].sum(axis=0) for side, of in zip(self.left, kept, strict=True)]
        right = [side[of].sum(axis=0) for side, of in zip(self.right, kept, strict=True)]
        if together:
            left, right = [left[0] + left[1]] * 2, [right[0] + right[1]] * 2
        found = [_solved(a, b) for a, b in zip(left, right, strict=True)]
        return ExtrapolatedMechanism(onward=(found[0], found[1]), after=self.after)


def extrapolate(game: Game, *, unchanged: Collection[str], level: float = 0.95) -> dict[str, Extrapolated]:
    """Divide the change among the mechanisms by regressions that go on beyond their rows.

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
    """Nodes whose contribution rests on settings of the parents that one window has and the other has not.

    Its own parents' settings count, and those of every node downstream, which the node's change is passed on through.
    The odds of a row's window are those of a logistic regression on its parents' lines, squares and products.
    """
    alone = [_alone(game, k) > FAR_APART for k in range(len(game.chain.order))]
    return frozenset(
        node for k, node in enumerate(game.chain.order) if any(alone[below] for below in game.chain.reached(k))
    )


def _alone(game: Game, k: int) -> float:
    """Largest share of a window's rows whose parents' settings are next to nowhere in the other window."""
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
    """Whether lines and parabolas of its parents tell all of every node that trees could."""
    for node, parents in game.chain.parents.items():
        seen = [game.lines[one] for one in parents if game.lines[one][0].shape[1]]
        rows = game.outcome if {node} == game.chain.measured else game.lines[node]  # wild numbers of lines are cut
        if seen and rows[0].shape[1] and _winds(seen, (rows[0][:, 0], rows[1][:, 0])):
            return False
    return True


def _winds(columns: Sequence[TwoSamples], response: TwoSamples) -> bool:
    """Whether trees tell of what lines and parabolas leave of a response, if that is worth speaking of."""
    terms, every = _terms(columns, response, curved=True), tuple(np.ones(len(one), bool) for one in response)
    left = [y - x @ np.linalg.lstsq(x, y)[0] for x, y in zip(terms.windows, response, strict=True)]
    if all(a.var() <= WORTH_CURVES * b.var() for a, b in zip(left, response, strict=True)):
        return False
    halves = every_other((every[0], every[1]), 0), every_other((every[0], every[1]), 1)
    return tree_tells(columns, (left[0], left[1]), halves)


def _told(chain: Chain, without: Callable[[Masks], Floats], *, level: float) -> dict[str, Extrapolated]:
    """The parts, their errors by leaving out one group at a time, and what the halves give."""
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
    """Shapley values of the mechanisms by the regressions alone, shape (players,)."""
    slopes = [share * linearised(passed(steps, t), root=game.root)[0] for t, share in game.nodes]
    return np.asarray(np.sum(slopes, axis=0))


def _summed(game: Game) -> list[Sums]:
    """Every step's sums, the last first, since each is asked what the later ones need; in the order of the steps."""
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
    return replace(terms, penalty=np.zeros_like(terms.penalty))  # what shrinks inside the data bends outside


def _bends(columns: Sequence[TwoSamples], after: TwoSamples) -> bool:
    """Whether squares and products tell more of rows held out: only then are they carried on."""
    if not any(one[0].shape[1] for one in columns):
        return False
    missed = [_missed(_terms(columns, after, curved=curved), after) for curved in (False, True)]
    return missed[1] < (1 - WORTH_CURVES) * missed[0]


def _missed(terms: Terms, after: TwoSamples) -> float:
    """Squared error at every other row, learned on the others, each of what is regressed in its own spread."""
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
    """Least squares by the normal equations; directions that hardly vary are left at nothing."""
    return np.asarray(np.linalg.lstsq(left, right, rcond=1e-10)[0])
