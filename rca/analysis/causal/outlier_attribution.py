"""Outlier attribution: which upstream noise made one decision or moment anomalous, by Shapley value on an SCM.

How anomalous a value is, is measured by its information-theoretic score ``-log P(g(X) >= g(x))``, over the reference.
The score is divided among the nodes upstream of the target by Shapley value; in a coalition its members keep the noise
of the row, and all others draw theirs from the reference.

References
----------
.. [1] Budhathoki, K., Minorics, L., Blöbaum, P. & Janzing, D. (2022). Causal structure-based root cause analysis of
   outliers. ICML, eq. (5) for the score and eq. (8) for its division.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.causal.structural_model import Scm
from rca.arrays import Floats
from rca.finding import Finding, Target
from rca.methods.shapley import EXACT_UP_TO, shapley_matrix
from rca.result import Result, Row

BUDGET = 2**26
"""Numbers that are sorted, over all coalitions, where effects are additive."""

SAMPLES = 20_000
"""Draws of the noise, at most."""

PLAYED = 25_000
"""Draws of the noise, times rows, where effects are not additive, and every row has to be simulated for itself."""

FEWEST_SAMPLES, FEW_SAMPLES = 250, 5000
"""Draws of the noise there, at least and at most."""

BENT_UP_TO = 8
"""Players up to which Shapley values are exact where effects are not additive."""

COALITIONS = 800
"""Coalitions that are evaluated above that, in permutations, each with its reverse."""

ODD = -float(np.log(0.05))
"""Score from which on a value is called odd: 5 % of the reference are as far in the tail."""

ASSUMED = (
    "the causal graph is right",
    "noises of different nodes are independent",
    "numbers follow their parents but for noise that is added",
)


@dataclass(frozen=True, kw_only=True)
class Share:
    """Shapley contribution of one node's noise to a row's outlier score.

    Attributes
    ----------
    node : str
    contribution : float
        Part of the row's score, in nats.
    value : str
    usual : str
        Expected value given its parents.
    """

    node: str
    contribution: float
    value: str
    usual: str


@dataclass(frozen=True, kw_only=True)
class OddRow:
    """One row: its outlier score and the contributions of the nodes, the largest first.

    Attributes
    ----------
    row : int
        Position in the current window, in order of time.
    id : str or None
    value : str
        Of the target.
    score : float
        ``-log`` of the share of the reference that is as far out, in nats; the shares add up to it.
    shares : tuple of Share
    """

    row: int
    id: str | None = field(repr=False)
    value: str
    score: float
    shares: tuple[Share, ...]

    @property
    def odd(self) -> bool:
        """Whether no more than 5 % of the reference is as far in the tail."""
        return self.score >= ODD

    def __str__(self) -> str:
        first = self.shares[0]
        rare = f"{100 * float(np.exp(-self.score)):.2g} % of the reference is as far out"
        by = f"; by {first.node}, {first.value} where {first.usual} was to be expected ({first.contribution:+.2f})"
        return f"row {self.row}: {self.value} ({rare})" + (by if self.odd else "")


@dataclass(frozen=True, kw_only=True)
class Odd(Result):
    """Outlier scores of rows and their attribution, the most anomalous first.

    Attributes
    ----------
    target : str
    rows_of : tuple of OddRow
    error : float
        Monte Carlo standard error of a contribution, at most, in nats; it holds no sampling of the reference.
    exact : bool
        Whether every coalition was evaluated.
    left_out : int
        Rows asked about in which a node is missing.
    assumptions : tuple of str
    """

    target: str
    rows_of: tuple[OddRow, ...]
    error: float
    exact: bool
    left_out: int
    assumptions: tuple[str, ...] = ASSUMED

    def __str__(self) -> str:
        odd = [one for one in self.rows_of if one.odd]
        if not odd:
            return f"none of {len(self.rows_of)} rows is odd in {self.target}"
        if len(self.rows_of) == 1:
            return f"{self.target} of {odd[0]}"
        named = self.named()
        first = max(named, key=lambda node: (named[node], node))
        return (
            f"{len(odd)} of {len(self.rows_of)} rows are odd in {self.target}; {first} made {named[first]} of them so"
        )

    def named(self) -> dict[str, int]:
        """Number of anomalous rows in which each node contributes most."""
        first = [one.shares[0].node for one in self.rows_of if one.odd]
        return {node: first.count(node) for node in dict.fromkeys(first)}

    def rows(self) -> list[Row]:
        """Of one row every node; of many the main node of each."""
        if len(self.rows_of) == 1:
            return [
                {"node": one.node, "value": one.value, "expected": one.usual, "part of the score": one.contribution}
                for one in self.rows_of[0].shares
            ]
        return [
            {
                "row": one.row,
                self.target: one.value,
                "score": one.score,
                "made so by": one.shares[0].node if one.odd else "nothing: it is not odd",
                "value": one.shares[0].value,
                "expected": one.shares[0].usual,
                "part of the score": one.shares[0].contribution,
            }
            for one in self.rows_of
        ]

    def findings(self) -> tuple[Finding, ...]:
        """The node that contributes most in most anomalous rows; suggested, as a graph is assumed."""
        named = self.named()
        if not named:
            return ()
        first = max(named, key=lambda node: (named[node], node))
        return (
            Finding(
                id=f"odd.{first}",
                notebook="causes",
                claim=str(self),
                cause=Target(kind="mechanism", name=first),
                effect=float(named[first]),
                unit="rows",
                n_effective=float(len(self.rows_of)),
                assumptions=self.assumptions,
            ),
        )


def attribute_outlier(
    model: Scm, target: str, rows: pd.DataFrame, *, rng: np.random.Generator, ids: Sequence[str | None] | None = None
) -> Odd:
    """Attribute each row's outlier score to the noises upstream of the target, by Shapley value.

    Parameters
    ----------
    model : Scm
        Fitted on the reference; holds the target and its ancestors.
    target : str
    rows : pandas.DataFrame
        Its index says which rows of the window they are.
    rng : numpy.random.Generator
        Draws noises, and orders where there are too many nodes for all coalitions.
    ids : sequence of str, optional

    Returns
    -------
    Odd
        The shares of a row add up to its score.

    Examples
    --------
    >>> from rca.analysis.causal.structural_model import fit
    >>> rng = np.random.default_rng(0)
    >>> usual = pd.DataFrame({"x": rng.normal(size=800)})
    >>> usual["y"] = usual["x"] + rng.normal(size=800)
    >>> model = fit(usual, {"x": (), "y": ("x",)})
    >>> found = attribute_outlier(model, "y", pd.DataFrame({"x": [0.1], "y": [6.0]}), rng=rng)
    >>> found.rows_of[0].shares[0].node
    'y'
    """
    values = model.read(rows)
    known = np.isfinite(np.column_stack([*values.values()])).all(axis=1)
    values = {name: column[known] for name, column in values.items()}
    noise = model.abduct(values, rng)
    game = _Game.of(model, target, noise, rng=rng)
    parts, exact = game.divided(rng)
    where = [int(row) for row in rows.index]
    places = np.flatnonzero(known).tolist()
    told = [
        _told(model, target, values, at=at, row=where[place], id_=ids[place] if ids else None, parts=parts[:, at])
        for at, place in enumerate(places)
    ]
    told.sort(key=lambda one: (-one.score, one.row))
    left = int((~known).sum())
    return Odd(target=target, rows_of=tuple(told), error=game.error, exact=exact, left_out=left)


def _told(
    model: Scm, target: str, values: Mapping[str, Floats], *, at: int, row: int, id_: str | None, parts: Floats
) -> OddRow:
    shares = [
        Share(
            node=name,
            contribution=float(part),
            value=law.scale.say(values[name][at]),
            usual=_usual(model, name, {one: column[at] for one, column in values.items()}),
        )
        for (name, law), part in zip(model.laws.items(), parts, strict=True)
    ]
    shares.sort(key=lambda one: (-one.contribution, one.node))
    said = model.laws[target].scale.say(values[target][at])
    return OddRow(row=row, id=id_, value=said, score=float(parts.sum()), shares=tuple(shares))


def _usual(model: Scm, name: str, values: Mapping[str, Any]) -> str:
    """Expected value of a node given its parents; of a category the likeliest."""
    law = model.laws[name]
    if not law.scale.levels:
        return law.scale.say(float(law.mean(values)))
    chances = np.diff(law.chances(values), prepend=0.0)
    return law.scale.say(float(np.argmax(chances)))


# --- the game --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class _Game:
    """Shapley game: log probability that the target is as far in the tail, if a coalition keeps its noise.

    Attributes
    ----------
    model : Scm
    target : str
    noise : dict of str to ndarray of shape (rows,)
    drawn : dict of str to ndarray of shape (samples,)
    low, high : ndarray of shape (rows,)
        A target at or below the one, or at or above the other, is as far out as the row's.
    rarity : ndarray or None
        Of a category its place by how rare it is, the rarest last, which is looked at in its stead.
    """

    model: Scm
    target: str
    noise: Mapping[str, Floats]
    drawn: Mapping[str, Floats]
    low: Floats
    high: Floats
    rarity: Floats | None = None

    @classmethod
    def of(cls, model: Scm, target: str, noise: Mapping[str, Floats], *, rng: np.random.Generator) -> "_Game":
        adds_up = model.straight and not model.laws[target].scale.levels
        most = BUDGET // 2 ** min(len(model.laws), EXACT_UP_TO) if adds_up else _few(noise[target])
        drawn = {name: law.draw(min(SAMPLES, most), rng) for name, law in model.laws.items()}
        usual = model.predict({name: law.draw(SAMPLES, rng) for name, law in model.laws.items()})[target]
        usual, own = np.broadcast_to(usual, SAMPLES), model.predict(noise)[target]
        levels = len(model.laws[target].scale.levels)
        if levels:
            rarity = np.argsort(np.argsort(-np.bincount(usual.astype(int), minlength=levels), kind="stable")).astype(
                float
            )
            low, high = np.full(len(own), -np.inf), rarity[own.astype(int)]
        else:
            rarity, (low, high) = None, _as_far(own, np.sort(usual))
        return cls(model=model, target=target, noise=noise, drawn=drawn, low=low, high=high, rarity=rarity)

    @property
    def adds_up(self) -> bool:
        """Whether the target is additive in the noises (linear SCM)."""
        return self.model.straight and self.rarity is None

    @property
    def error(self) -> float:
        """Largest Monte Carlo standard error of a log probability: at the threshold of an outlier."""
        return float(1 / np.sqrt(max(np.exp(-ODD) * len(next(iter(self.drawn.values()))), 1.0)))

    @property
    def players(self) -> tuple[str, ...]:
        return tuple(self.model.laws)

    def divided(self, rng: np.random.Generator) -> tuple[Floats, bool]:
        """Contribution of every node to every row's score (nodes, rows), and whether all coalitions were evaluated."""
        count = len(self.players)
        worth = self._added() if self.adds_up else self._played
        if count > (EXACT_UP_TO if self.adds_up else BENT_UP_TO):
            return _by_orders(worth, count, rng), False
        found = np.empty((2**count, len(self.high)))
        for place in range(2**count):
            members = place ^ (place >> 1)  # neighbours differ by one member, so that one sum is added or taken away
            found[members] = worth(members)
        return shapley_matrix(count) @ found, True

    def _added(self) -> Callable[[int], Floats]:
        """Value of coalitions where noises are additive: one sorted sum of drawn noises serves all rows."""
        none = {name: np.zeros(1) for name in self.players}
        start = self.model.predict(none)[self.target]
        own = [self._alone(name, self.noise[name], none) - start for name in self.players]
        free = [self._alone(name, self.drawn[name], none) - start for name in self.players]
        sums = _Sums(own=own, free=free, start=start + np.zeros(len(self.high)))
        near = 1e-9 * self.model.laws[self.target].scale.spread

        def worth(members: int) -> Floats:
            kept, left = sums(members)
            beyond = len(left) - np.searchsorted(left, self.high - kept - near, side="left")
            below = np.searchsorted(left, self.low - kept + near, side="right")
            return _log_share(beyond + below, len(left))

        return worth

    def _alone(self, name: str, noise: Floats, none: Mapping[str, Floats]) -> Floats:
        """The target where one node alone has a noise; constant where that node has no effect."""
        return np.broadcast_to(self.model.predict({**none, name: noise})[self.target], noise.shape)

    def _played(self, members: int) -> Floats:
        """Value of a coalition, each row simulated for itself: rows along the first axis, draws along the second."""
        noise = {
            name: self.noise[name][:, None] if members >> at & 1 else self.drawn[name][None, :]
            for at, name in enumerate(self.players)
        }
        found = self.model.predict(noise)[self.target]
        found = found if self.rarity is None else self.rarity[found.astype(int)]
        near = 1e-9 * self.model.laws[self.target].scale.spread
        out = (found >= self.high[:, None] - near) | (found <= self.low[:, None] + near)
        return _log_share(out.sum(axis=1), out.shape[1])


def _few(rows: Floats) -> int:
    return int(np.clip(PLAYED // max(len(rows), 1), FEWEST_SAMPLES, FEW_SAMPLES))


class _Sums:
    """Sums of the members' own noises and of the others' drawn noises, updated from coalition to coalition."""

    def __init__(self, *, own: Sequence[Floats], free: Sequence[Floats], start: Floats) -> None:
        self._own, self._free = own, free
        self._members, self._kept = 0, start
        self._left = np.sum(free, axis=0)

    def __call__(self, members: int) -> tuple[Floats, Floats]:
        """Sum of the own noises (rows,), and of the drawn ones (samples,), sorted."""
        changed = members ^ self._members
        for at in range(changed.bit_length()):
            if changed >> at & 1:
                sign = 1.0 if members >> at & 1 else -1.0
                self._kept = self._kept + sign * self._own[at]
                self._left = self._left - sign * self._free[at]
        self._members = members
        return self._kept, np.sort(self._left)


def _as_far(own: Floats, usual: Floats) -> tuple[Floats, Floats]:
    """Values on either side that are as far in the tail as each row's own, by quantiles."""
    count = len(usual)
    beyond = count - np.searchsorted(usual, own, side="left")
    below = np.searchsorted(usual, own, side="right")
    is_high = beyond <= below
    tail = np.minimum(np.minimum(beyond, below), (count + 1) // 2)
    mirrored_low = usual[np.clip(tail - 1, 0, count - 1)]
    mirrored_high = usual[np.clip(count - tail, 0, count - 1)]
    low = np.where(is_high, np.where(tail > 0, mirrored_low, -np.inf), own)
    high = np.where(is_high, own, np.where(tail > 0, mirrored_high, np.inf))
    return low, high


def _log_share(hits: npt.NDArray[np.int_], of: int) -> Floats:
    return np.asarray(np.log((hits + 0.5) / (of + 0.5)))


def _by_orders(worth: Callable[[int], Floats], count: int, rng: np.random.Generator) -> Floats:
    """Shapley values by antithetic permutation sampling."""
    orders = [rng.permutation(count) for _ in range(max(COALITIONS // (2 * count), 4))]
    walks = [_walk(worth, order) for one in orders for order in (one, one[::-1])]
    return np.asarray(np.mean(walks, axis=0))


def _walk(worth: Callable[[int], Floats], order: Iterable[int]) -> Floats:
    members, before, added = 0, worth(0), {}
    for at in order:
        members |= 1 << int(at)
        after = worth(members)
        added[int(at)], before = after - before, after
    return np.array([added[at] for at in range(len(added))])
