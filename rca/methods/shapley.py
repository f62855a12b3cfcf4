"""Shapley values of a set function: exact up to 16 players, by antithetic permutation sampling above.

A caller chooses the players (columns, mechanisms, features) and the value of a coalition; what is divided is
``value(all) - value(none)``.

References
----------
.. [1] Shapley, L. S. (1953). A value for n-person games. Contributions to the Theory of Games II, eq. (12).
.. [2] Mitchell, R. et al. (2022). Sampling permutations for Shapley value estimation. JMLR 23, section 3: antithetic
   pairs.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from rca.arrays import Floats
from rca.result import Result, Row

Coalition = frozenset[str]

EXACT_UP_TO = 16
"""Most players for exact values; above, permutations are sampled and the Monte Carlo error is reported."""


@dataclass(frozen=True, kw_only=True)
class Attribution(Result):
    """Shapley values of all players, with Monte Carlo errors.

    Attributes
    ----------
    players : tuple of str
    contributions : tuple of float
        One signed part a player, in the unit of the game's value; they add up to `total`.
    errors : tuple of float
        Monte Carlo standard errors; zero where the division is exact. They hold no sampling uncertainty of the data.
    total : float
        ``value(all) - value(none)``.
    """

    players: tuple[str, ...]
    contributions: tuple[float, ...]
    errors: tuple[float, ...]
    total: float

    def __str__(self) -> str:
        ranked = sorted(zip(self.contributions, self.players, strict=True), reverse=True)
        parts = ", ".join(f"{name} {part:+.3g}" for part, name in ranked[:3])
        return f"{self.total:+.3g} divided among {len(self.players)}: {parts}"

    def __getitem__(self, player: str) -> float:
        return self.contributions[self.players.index(player)]

    def rows(self) -> list[Row]:
        return [
            {"player": name, "contribution": part, "monte_carlo_error": error}
            for name, part, error in zip(self.players, self.contributions, self.errors, strict=True)
        ]


def shapley(
    value: Callable[[Coalition], float],
    players: Sequence[str],
    *,
    rng: np.random.Generator | None = None,
    permutations: int = 256,
) -> Attribution:
    """Shapley value of each player: divides ``value(all) - value(none)`` exactly, or by permutation sampling.

    Parameters
    ----------
    value : callable
        Worth of a coalition (a frozenset of players); called once a coalition.
    players : sequence of str
        Distinct names. Up to 16 are divided exactly, at the cost of ``2 ** len(players)`` values.
    rng : numpy.random.Generator, optional
        Draws the permutations; needed above 16 players.
    permutations : int
        How many are drawn above 16 players, in antithetic pairs.

    Returns
    -------
    Attribution
        Its contributions add up to its total, exactly or to rounding.

    Raises
    ------
    ValueError
        If a player is named twice, or above 16 players `rng` is missing or `permutations` are fewer than four.

    References
    ----------
    Shapley (1953), eq. (12).

    Examples
    --------
    >>> worth = {frozenset(): 0, frozenset("a"): 1, frozenset("b"): 2, frozenset("ab"): 4}
    >>> print(shapley(worth.__getitem__, "ab"))
    +4 divided among 2: b +2.5, a +1.5
    """
    players = tuple(players)
    if len(set(players)) < len(players):
        raise ValueError(f"a player is named twice: {', '.join(players)}")
    if len(players) <= EXACT_UP_TO:
        return _exactly(value, players)
    if rng is None:
        raise ValueError(f"{len(players)} players are more than {EXACT_UP_TO}: pass rng to draw permutations")
    if permutations < 4:
        raise ValueError(f"{permutations} permutations leave no error to report; at least 4 are needed")
    return _by_permutation(
        value, players, rng.permuted(np.tile(np.arange(len(players)), (permutations // 2, 1)), axis=1)
    )


@cache
def shapley_matrix(players: int) -> Floats:
    """Matrix of the linear map from coalition values to Shapley values.

    Parameters
    ----------
    players : int

    Returns
    -------
    ndarray of shape (players, 2 ** players)
        Column ``c`` belongs to the coalition whose members are the set bits of ``c``. Rows sum to zero.

    Examples
    --------
    >>> shapley_matrix(2)
    array([[-0.5,  0.5, -0.5,  0.5],
           [-0.5, -0.5,  0.5,  0.5]])
    """
    coalitions = np.arange(2**players)
    size = np.array([int(c).bit_count() for c in coalitions])
    joined = np.array([_weight(s - 1, players) if s else 0.0 for s in range(players + 1)])[size]
    left = np.array([_weight(s, players) if s < players else 0.0 for s in range(players + 1)])[size]
    member = (coalitions[None, :] >> np.arange(players)[:, None]) & 1
    matrix: Floats = np.where(member == 1, joined, -left).astype(np.float64)
    matrix.setflags(write=False)  # one for all who ask
    return matrix


def _weight(before: int, players: int) -> float:
    return math.factorial(before) * math.factorial(players - before - 1) / math.factorial(players)


def coalition(members: int, players: Sequence[str]) -> Coalition:
    """Decode a bit mask as a coalition: the players whose bit is set in `members`.

    >>> sorted(coalition(5, "abc"))
    ['a', 'c']
    """
    return frozenset(name for i, name in enumerate(players) if members >> i & 1)


def _exactly(value: Callable[[Coalition], float], players: tuple[str, ...]) -> Attribution:
    worth = np.array([value(coalition(c, players)) for c in range(2 ** len(players))], dtype=float)
    parts = shapley_matrix(len(players)) @ worth
    return Attribution(
        players=players,
        contributions=tuple(parts.tolist()),
        errors=(0.0,) * len(players),
        total=float(worth[-1] - worth[0]),
    )


def _by_permutation(
    value: Callable[[Coalition], float], players: tuple[str, ...], orders: npt.NDArray[np.int64]
) -> Attribution:
    known = cache(value)
    pairs = np.array([(_walk(known, players, order) + _walk(known, players, order[::-1])) / 2 for order in orders])
    return Attribution(
        players=players,
        contributions=tuple(pairs.mean(axis=0).tolist()),
        errors=tuple((pairs.std(axis=0, ddof=1) / math.sqrt(len(pairs))).tolist()),
        total=float(known(frozenset(players)) - known(frozenset())),
    )


def _walk(value: Callable[[Coalition], float], players: tuple[str, ...], order: npt.NDArray[np.int64]) -> Floats:
    """Marginal contribution of each player along one permutation."""
    joined: Coalition = frozenset()
    added, before = np.zeros(len(players)), value(frozenset())
    for i in order:
        joined = joined | {players[i]}
        after = value(joined)
        added[i], before = after - before, after
    return added
