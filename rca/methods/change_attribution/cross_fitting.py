"""Cross-fitted change attribution among mechanisms: plug-in parts plus influence functions at held-out rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rca.arrays import Floats
from rca.methods.change_attribution.causal_chain import ROWS_A_PRODUCT, Chain, learned, products, residual_products
from rca.methods.change_attribution.density_ratio import effective
from rca.methods.change_attribution.nested_regression import MechanismRegressions, Passed, influence, passed
from rca.methods.regression_basis import Learner, Masks, TwoSamples

FOLDS = 4
"""Cross-fitting folds."""

TINY = 1e-12
"""Smallest denominator."""

CURVED = 8
"""Gauss-Legendre nodes where the metric is no mean, so that the diagonal integral is no polynomial."""


@dataclass(frozen=True, kw_only=True)
class Game:
    """A causal chain with data: every node's linear terms, and the metric's numerator and denominator by row."""

    chain: Chain
    lines: dict[str, TwoSamples]
    outcome: TwoSamples
    root: bool

    @property
    def sizes(self) -> tuple[int, int]:
        return len(self.outcome[0]), len(self.outcome[1])

    @property
    def nodes(self) -> list[tuple[float, float]]:
        """Gauss-Legendre nodes and weights on [0, 1]: exact for a mean, whose integrand is a polynomial."""
        plain = not self.root and all((part[:, 1] == 1).all() for part in self.outcome)
        degree = (len(self.chain.order) + 1) // 2
        at, share = np.polynomial.legendre.leggauss(degree if plain else max(degree, CURVED))
        return list(zip(((at + 1) / 2).tolist(), (share / 2).tolist(), strict=True))


@dataclass(frozen=True, kw_only=True)
class CrossFitted:
    """Cross-fitted estimate of every mechanism's Shapley value, row by row.

    Attributes
    ----------
    plain : ndarray of shape (folds, steps)
        Plug-in estimate (the regressions alone) of each fold.
    added : tuple of ndarray of shape (rows, steps)
        Influence function of each row of a window, the one-step correction.
    folds : tuple of ndarray of shape (rows,)
    weights : tuple of ndarray of shape (rows, steps)
        Of each row, to balance each node's parents to the other window's distribution.
    """

    plain: Floats
    added: TwoSamples
    folds: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
    weights: TwoSamples

    def estimate(self, of: npt.NDArray[np.bool_]) -> Floats:
        """One-step (debiased) estimate from some of the folds, shape (steps,)."""
        rows = [side[of[fold]].mean(axis=0) for side, fold in zip(self.added, self.folds, strict=True)]
        return np.asarray(self.plain[of].mean(axis=0) + rows[0] + rows[1])


def cross_fit(game: Game, rng: np.random.Generator) -> CrossFitted:
    """Cross-fit the mechanisms: fit on all folds but one, evaluate influence functions on that one, and combine.

    Parameters
    ----------
    game : Game
    rng : numpy.random.Generator
        Draws the folds; nothing else is left to chance.
    """
    players, sizes = len(game.chain.order), game.sizes
    folds = rng.permutation(sizes[0]) % FOLDS, rng.permutation(sizes[1]) % FOLDS
    added, heavy = [np.zeros((rows, players, players)) for rows in sizes], [np.zeros((rows, players)) for rows in sizes]
    free: dict[int, TwoSamples] = {}
    plain = np.zeros((FOLDS, players))
    learners: tuple[Learner, ...] | None = None  # chosen once, by the first fold's training rows
    for fold in range(FOLDS):
        train, held = (folds[0] != fold, folds[1] != fold), (folds[0] == fold, folds[1] == fold)
        done = learned(game.chain, game.lines, game.outcome, train=train, learners=learners)
        steps, learners = done.steps, done.learners
        plain[fold], found = _one_fold(game, steps, held)
        parents = [residual_products(game.chain, game.lines, k, train=train) for k in range(players)]
        for side in (0, 1):
            added[side][held[side]] = found[side]
            heavy[side][held[side]] = np.column_stack([one.weights[side][held[side]] for one in parents])
        found_free = (products(game.chain, game.lines, k, by=one, train=train) for k, one in enumerate(parents))
        _keep(free, {k: pair for k, pair in enumerate(found_free) if pair is not None}, held)
    return CrossFitted(
        plain=plain,
        added=(
            _steadied(added[0], {k: pair[0] for k, pair in free.items()}, heavy[0]),
            _steadied(added[1], {k: pair[1] for k, pair in free.items()}, heavy[1]),
        ),
        folds=folds,
        weights=(heavy[0], heavy[1]),
    )


def _keep(free: dict[int, TwoSamples], found: Mapping[int, TwoSamples], held: Masks) -> None:
    """Store the held-out rows' residual products of every step."""
    for k, windows in found.items():
        empty = (np.zeros((len(mask), rows.shape[1])) for mask, rows in zip(held, windows, strict=True))
        for kept, rows, mask in zip(free.setdefault(k, (next(empty), next(empty))), windows, held, strict=True):
            kept[mask] = rows


def _one_fold(game: Game, steps: Sequence[MechanismRegressions], held: Masks) -> tuple[Floats, TwoSamples]:
    """Plug-in estimate, shape (players,), and influence functions of held-out rows, shape (rows, steps, players)."""
    players = len(steps)
    plain, added = np.zeros(players), [np.zeros((int(mask.sum()), players, players)) for mask in held]
    for t, share in game.nodes:
        at = passed(steps, t)
        slope, linear = linearised(at, root=game.root)
        plain += share * slope
        for k, one in enumerate(steps):
            for side, rows in enumerate(influence(one, at, held, k=k, t=t)):
                added[side][:, k] += share * linear(rows)
    return plain, (added[0], added[1])


def linearised(at: Passed, *, root: bool) -> tuple[Floats, Callable[[Floats], Floats]]:
    """Derivatives of the metric by each mechanism's share, and their influence functions (delta method).

    With ``r = N / D`` and a derivative ``r' = (N' - r D') / D``, each of the four is a mean that rows add to.
    """
    (top, base), (tops, bases) = at.value, at.slopes.T
    base = base if abs(base) > TINY else TINY
    ratio = top / base
    slopes = (tops - ratio * bases) / base

    def linear(rows: Floats) -> Floats:
        moved = (rows[:, :1, 0] - ratio * rows[:, :1, 1]) / base
        turned = rows[:, 1:, 0] - ratio * rows[:, 1:, 1] - moved * bases - slopes * rows[:, :1, 1]
        if not root:
            return np.asarray(turned / base)
        return np.asarray(turned / base / (2 * middle) - slopes * moved / (4 * middle**3))

    middle = np.sqrt(max(ratio, TINY))
    return np.asarray(slopes / (2 * middle) if root else slopes), linear


def _steadied(added: Floats, free: Mapping[int, Floats], weights: Floats) -> Floats:
    """Influence functions summed over the steps, with residual products as control variates; shape (rows, players)."""
    whole = np.zeros((len(added), added.shape[2]))
    for k in range(added.shape[1]):
        room = int(effective(weights[:, k]) // ROWS_A_PRODUCT)
        whole += _regressed_out(added[:, k], free[k], room) if k in free else added[:, k]
    return whole


def _regressed_out(added: Floats, controls: Floats, room: int) -> Floats:
    """Residual of influence functions on control variates, the first that vary at all."""
    x = controls[:, np.flatnonzero(controls.std(axis=0) > 1e-3)[:room]]
    centred = x - x.mean(axis=0)
    square = centred.T @ centred + 1e-6 * len(x) * np.eye(x.shape[1])
    return np.asarray(added - x @ np.linalg.solve(square, centred.T @ (added - added.mean(axis=0))))
