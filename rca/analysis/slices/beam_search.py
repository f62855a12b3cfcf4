"""Searching: a few conjunctions of conditions within which the metric got worse by more than elsewhere.

Conjunctions are added one after the other, each judged by what the ones before it leave unexplained, and taken out
again when later ones leave nothing to them: so a word that only stands beside the guilty ones goes as they come.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import comb, log
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rca.analysis.slices.candidate_conditions import Candidates
from rca.analysis.slices.scan_statistics import SetSums, deviations
from rca.arrays import Floats, Mask, Places
from rca.tables.condition import Condition

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MOST = 10
"""Slices looked for."""

BEAM = 128
"""Conditions that conjunctions are made of: those that deviate most by themselves."""

WIDTH = 48
"""Conjunctions of two that a third condition is added to."""

SPARE = 2.0
"""By how much a squared deviation has to exceed what the largest of so many has by chance, to be handed over."""

Conjunction = tuple[Condition, ...]

Singles = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Shortlist:
    """Rows of both windows, their literals, and what of the metric is left to explain.

    Attributes
    ----------
    literals : Candidates
    parted : SetSums
        Of the same rows.
    """

    literals: Candidates
    parted: SetSums

    @cached_property
    def sides(self) -> tuple[Mask, Mask]:
        """Which rows are of the reference, and which of the current window."""
        return ~self.parted.current, self.parted.current

    @cached_property
    def held(self) -> tuple[Singles, Singles]:
        """Conditions on values as numbers, by window."""
        before, after = (self.literals.held[:, side].astype(np.float32) for side in self.sides)
        return before, after

    @cached_property
    def said(self) -> "tuple[csr_array, csr_array]":
        """Phrases, by window."""
        before, after = (self.literals.said[side] for side in self.sides)
        return before, after

    @cached_property
    def chance(self) -> Floats:
        """Squared deviation that the largest of a condition's own kind has by chance: ``2 log(how many)``."""
        kinds = [_kind(condition) for condition in self.literals.conditions]
        return np.array([2 * log(max(2, kinds.count(kind))) for kind in range(5)])[kinds]

    def chance_of(self, condition: Condition) -> float:
        """That of one condition, which may be a threshold between those that are listed."""
        alike = [at for at, one in enumerate(self.literals.conditions) if _kind(one) == _kind(condition)]
        return float(self.chance[alike[0]])

    def leaving(self, left: Floats) -> "Shortlist":
        """The same rows, with something else left to explain."""
        changed = replace(self, parted=replace(self.parted, left=left))
        for kept in ("sides", "held", "said", "chance"):
            changed.__dict__[kept] = getattr(self, kept)
        return changed


def _kind(condition: Condition) -> int:
    """Kinds of conditions that compete among themselves: those on values, and phrases of one length."""
    return len(str(condition.value).split()) if condition.operator == "~" else 0


# -- one scan ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A conjunction, and by how much its squared deviation exceeds chance."""

    conditions: Conjunction
    score: float


def scan(board: Shortlist, order: int) -> Candidate | None:
    """The conjunction of up to `order` conditions that deviates most beyond chance; None where none does.

    The best of each number of conditions is made as simple and as sharp as it can be before they are compared.
    """
    if not len(board.literals):
        return None
    totals = np.stack([window.sum(axis=1) for window in board.parted.moments])[..., None]
    alone = _alone(board)
    single = deviations(alone, totals - alone)
    found = _best(board, [(at,) for at in range(len(single))], single - np.sqrt(board.chance))
    seats = np.argsort(-single, kind="stable")[:BEAM]
    seats = np.sort(seats[single[seats] > 0])
    if order >= 2 and len(seats) >= 2:
        found += _conjunctions(board, seats, totals=totals, order=order)
    sharp = [_scored(board, _sharpened(board, one)) for one in found]
    return max(sharp, key=lambda one: one.score, default=None)


def _scored(board: Shortlist, conditions: Conjunction) -> Candidate:
    """A conjunction, and by how much its squared deviation exceeds what the largest of its kind has by chance."""
    held = board.literals.all_hold(conditions)
    found = float(deviations(board.parted.sums(held), board.parted.sums(~held)))
    many = len(board.literals)
    chance = 2 * log(max(2, comb(many, len(conditions)))) if len(conditions) > 1 else board.chance_of(conditions[0])
    return Candidate(conditions=conditions, score=found * abs(found) - chance if found > 0 else -np.inf)


def _best(board: Shortlist, which: Sequence[tuple[int, ...]], found: Floats) -> list[Conjunction]:
    at = int(np.argmax(found))
    return [tuple(board.literals.conditions[one] for one in which[at])] if found[at] > -np.inf else []


def _alone(board: Shortlist) -> Floats:
    """Sums over the rows of each condition; shape (2, 6, conditions)."""
    windows = zip(board.parted.moments, board.held, board.said, strict=True)
    return np.stack(
        [np.hstack([rows.astype(np.float32) @ held.T, rows @ said]) for rows, held, said in windows]
    ).astype(float)


def _conjunctions(board: Shortlist, seats: Places, *, totals: Floats, order: int) -> list[Conjunction]:
    """The best conjunction of two of the seated conditions, and of three."""
    held = np.stack([board.literals.at(at) for at in seats])
    tables = [held[:, side].astype(np.float32) for side in board.sides]
    first, second = np.triu_indices(len(seats), 1)
    sums = _products(board, tables, tables)[:, :, first, second]
    found = deviations(sums, totals - sums)
    pairs = [(int(seats[a]), int(seats[b])) for a, b in zip(first, second, strict=True)]
    best = _best(board, pairs, found)
    wide = np.argsort(-found, kind="stable")[:WIDTH]
    wide = wide[found[wide] > 0]
    if order < 3 or not len(wide):
        return best
    both = [table[first[wide]] * table[second[wide]] for table in tables]
    sums = _products(board, both, tables).reshape(2, 6, -1)
    triples = [(*pairs[pair], int(seat)) for pair in wide for seat in seats]
    found = np.where([len(set(one)) == 3 for one in triples], deviations(sums, totals - sums), -np.inf)
    return best + _best(board, triples, found)


def _products(board: Shortlist, left: Sequence[Singles], right: Sequence[Singles]) -> Floats:
    """Sums over the rows that two sets share; shape (2, 6, left, right)."""
    found = []
    for moments, one, other in zip(board.parted.moments, left, right, strict=True):
        rows = moments.astype(np.float32)
        same = [next(at for at in range(6) if np.array_equal(rows[at], row)) for row in rows]  # where weights are equal
        sums = {at: (one * rows[at]) @ other.T for at in set(same)}
        found.append(np.stack([sums[at] for at in same]))
    return np.stack(found).astype(float)


# -- a slice made as simple and as sharp as it can be ------------------------------------------------------------------


def _sharpened(board: Shortlist, conditions: Conjunction) -> Conjunction:
    """Drop what adds nothing, then move thresholds to where they divide best, then drop once more."""
    return pruned(board, _refined(board, pruned(board, conditions)))


def pruned(board: Shortlist, conditions: Conjunction, *, least: float | None = None) -> Conjunction:
    """Drop conditions, and words of phrases, without which the slice deviates from nothing that it would then have.

    Parameters
    ----------
    board : Shortlist
    conditions : tuple of Condition
    least : float, optional
        Standard errors by which a slice has to differ from the rest of the simpler one; by default what the best of
        all conditions would reach by chance.
    """
    least = float(np.sqrt(2 * log(max(2, len(board.literals))))) if least is None else least
    while True:
        simpler = [(_gain(board, conditions, one), one) for one in _simpler(conditions)]
        gain, simplest = min(simpler, key=lambda one: one[0], default=(np.inf, conditions))
        if gain >= least:
            return conditions
        conditions = simplest


def _simpler(conditions: Conjunction) -> Iterator[Conjunction]:
    """Every conjunction with one condition less, or one word less."""
    for at, condition in enumerate(conditions):
        others = (*conditions[:at], *conditions[at + 1 :])
        if others:
            yield others
        words = str(condition.value).split() if condition.operator == "~" else []
        for part in (words[1:], words[:-1]) if len(words) > 1 else ():
            yield (*conditions[:at], replace(condition, value=" ".join(part)), *conditions[at + 1 :])


def _gain(board: Shortlist, conditions: Conjunction, simpler: Conjunction) -> float:
    """Standard errors by which a slice got worse by more than the rest of a simpler one."""
    if any(one not in board.literals.place and one.operator in "~=" for one in simpler):
        return np.inf  # a phrase whose words are no conditions of their own says the same as they do
    inner = board.literals.all_hold(conditions)
    rest = board.literals.all_hold(simpler) & ~inner
    return float(deviations(board.parted.sums(inner), board.parted.sums(rest)))


def _refined(board: Shortlist, conditions: Conjunction) -> Conjunction:
    for at, condition in enumerate(conditions):
        others = board.literals.all_hold((*conditions[:at], *conditions[at + 1 :]))
        tried = [condition, *board.literals.finer(condition)]
        found = [_deviation(board, others & board.literals.mask(one)) for one in tried]
        conditions = (*conditions[:at], tried[int(np.argmax(found))], *conditions[at + 1 :])
    return conditions


def _deviation(board: Shortlist, held: Mask) -> float:
    return float(deviations(board.parted.sums(held), board.parted.sums(~held)))


# -- several slices ----------------------------------------------------------------------------------------------------


def search(board: Shortlist, *, order: int) -> tuple[Conjunction, ...]:
    """Find slices one after the other, each in what the others leave.

    Returns
    -------
    tuple of tuple of Condition
        The surest first.
    """
    chosen: list[Conjunction] = []
    tried: set[Conjunction] = set()
    while len(chosen) < MOST:
        left = board.leaving(unexplained(board, chosen)[0])
        best = scan(left, order)
        if best is None or best.score < SPARE:
            break
        added = tuple(sorted(best.conditions, key=str))
        if added in tried:
            break
        tried.add(added)
        chosen = _needed(board, [*chosen, added])
    sure = unexplained(board, chosen)[1]
    return tuple(chosen[one] for one in np.argsort(-sure, kind="stable"))


def _needed(board: Shortlist, chosen: list[Conjunction]) -> list[Conjunction]:
    """Take out slices to which the others leave nothing."""
    while len(chosen) > 1:
        sure = unexplained(board, chosen)[1]
        least = int(np.argmin(sure))
        if sure[least] >= np.sqrt(SPARE + 2 * log(max(2, len(board.literals)))):
            break
        del chosen[least]
    return chosen


def unexplained(board: Shortlist, chosen: Sequence[Conjunction]) -> tuple[Floats, Floats]:
    """What slices leave of the metric: a regression on their memberships in each window.

    Returns
    -------
    left : ndarray of shape (rows,)
    sure : ndarray of shape (slices,)
        Standard errors (robust) by which each slice's own part of the change exceeds zero, beside the others.
    """
    parted = board.parted
    member = np.column_stack([np.ones(len(parted.left)), *(board.literals.all_hold(one) for one in chosen)])
    left, slopes, spread = parted.left.copy(), [], np.zeros(member.shape[1])
    for side in board.sides:
        rows, weight = member[side], parted.weight[side]
        inverse = np.linalg.pinv(rows.T @ (rows * weight[:, None]))
        slope = inverse @ (rows.T @ parted.left[side])
        left[side] -= weight * (rows @ slope)
        meat = (rows * left[side, None]).T @ (rows * left[side, None])
        slopes.append(slope)
        spread += np.diag(inverse @ meat @ inverse)
    own = (slopes[1] - slopes[0])[1:]
    return left, own / np.sqrt(np.maximum(spread[1:], 1e-300))
