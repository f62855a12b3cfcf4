"""Beam search over conjunctions of conditions, with forward selection and backward elimination of slices.

Slices are selected one after the other on the residuals that the ones before leave, and eliminated when later ones
explain their part: so a condition that is only correlated with a causal one is dropped when that is found.
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
"""Most slices that are selected."""

BEAM = 128
"""Beam width: the single conditions, of largest deviation, that conjunctions are made of."""

WIDTH = 48
"""Beam width of conjunctions of two, to which a third condition is added."""

SPARE = 2.0
"""Excess of a squared deviation over that of the maximum of so many by chance, for a slice to be selected."""

Conjunction = tuple[Condition, ...]

Singles = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Shortlist:
    """State of the search: candidate conditions, their rows in both windows, and the residuals of the metric.

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
        """Masks of the reference's and the current window's rows."""
        return ~self.parted.current, self.parted.current

    @cached_property
    def held(self) -> tuple[Singles, Singles]:
        """Indicator matrices of conditions on values, by window."""
        before, after = (self.literals.held[:, side].astype(np.float32) for side in self.sides)
        return before, after

    @cached_property
    def said(self) -> "tuple[csr_array, csr_array]":
        """Sparse indicator matrices of phrases, by window."""
        before, after = (self.literals.said[side] for side in self.sides)
        return before, after

    @cached_property
    def chance(self) -> Floats:
        """Chance level of the largest squared deviation among k conditions of one kind: ``2 log k``."""
        kinds = [_kind(condition) for condition in self.literals.conditions]
        return np.array([2 * log(max(2, kinds.count(kind))) for kind in range(5)])[kinds]

    def chance_of(self, condition: Condition) -> float:
        """Chance level of one condition, which may be a threshold between those that are listed."""
        alike = [at for at, one in enumerate(self.literals.conditions) if _kind(one) == _kind(condition)]
        return float(self.chance[alike[0]])

    def leaving(self, left: Floats) -> "Shortlist":
        """The same rows with other residuals."""
        changed = replace(self, parted=replace(self.parted, left=left))
        for kept in ("sides", "held", "said", "chance"):
            changed.__dict__[kept] = getattr(self, kept)
        return changed


def _kind(condition: Condition) -> int:
    """Family of a condition for the multiplicity correction: 0 for values, the number of words for phrases."""
    return len(str(condition.value).split()) if condition.operator == "~" else 0


# -- one scan ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A conjunction with its score: the squared deviation less its chance level."""

    conditions: Conjunction
    score: float


def scan(board: Shortlist, order: int) -> Candidate | None:
    """Beam search of the best-scoring conjunction of up to `order` conditions; None where nothing got worse.

    The best of each number of conditions is pruned and its thresholds are refined before they are compared.
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
    """Score of a conjunction: squared deviation less the chance level of the maximum over conjunctions of its size."""
    held = board.literals.all_hold(conditions)
    found = float(deviations(board.parted.sums(held), board.parted.sums(~held)))
    many = len(board.literals)
    chance = 2 * log(max(2, comb(many, len(conditions)))) if len(conditions) > 1 else board.chance_of(conditions[0])
    return Candidate(conditions=conditions, score=found * abs(found) - chance if found > 0 else -np.inf)


def _best(board: Shortlist, which: Sequence[tuple[int, ...]], found: Floats) -> list[Conjunction]:
    at = int(np.argmax(found))
    return [tuple(board.literals.conditions[one] for one in which[at])] if found[at] > -np.inf else []


def _alone(board: Shortlist) -> Floats:
    """Sums over the rows of each single condition; shape (2, 6, conditions)."""
    windows = zip(board.parted.moments, board.held, board.said, strict=True)
    return np.stack(
        [np.hstack([rows.astype(np.float32) @ held.T, rows @ said]) for rows, held, said in windows]
    ).astype(float)


def _conjunctions(board: Shortlist, seats: Places, *, totals: Floats, order: int) -> list[Conjunction]:
    """The best conjunction of two of the conditions in the beam, and of three."""
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
    """Sums over pairwise intersections of two families of sets; shape (2, 6, left, right)."""
    found = []
    for moments, one, other in zip(board.parted.moments, left, right, strict=True):
        rows = moments.astype(np.float32)
        same = [next(at for at in range(6) if np.array_equal(rows[at], row)) for row in rows]  # where weights are equal
        sums = {at: (one * rows[at]) @ other.T for at in set(same)}
        found.append(np.stack([sums[at] for at in same]))
    return np.stack(found).astype(float)


# -- pruning and refinement of a slice ---------------------------------------------------------------------------------


def _sharpened(board: Shortlist, conditions: Conjunction) -> Conjunction:
    """Prune, refine thresholds, and prune again."""
    return pruned(board, _refined(board, pruned(board, conditions)))


def pruned(board: Shortlist, conditions: Conjunction, *, least: float | None = None) -> Conjunction:
    """Prune conditions, and words of phrases, that do not separate the slice from the rest of the simpler one.

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
    """Generalisations of a conjunction: one condition less, or one word less."""
    for at, condition in enumerate(conditions):
        others = (*conditions[:at], *conditions[at + 1 :])
        if others:
            yield others
        words = str(condition.value).split() if condition.operator == "~" else []
        for part in (words[1:], words[:-1]) if len(words) > 1 else ():
            yield (*conditions[:at], replace(condition, value=" ".join(part)), *conditions[at + 1 :])


def _gain(board: Shortlist, conditions: Conjunction, simpler: Conjunction) -> float:
    """Deviation, in standard errors, of a slice from the rest of a simpler one."""
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
    """Select slices by forward selection on residuals with backward elimination.

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
    """Backward elimination of slices that are not significant beside the others."""
    while len(chosen) > 1:
        sure = unexplained(board, chosen)[1]
        least = int(np.argmin(sure))
        if sure[least] >= np.sqrt(SPARE + 2 * log(max(2, len(board.literals)))):
            break
        del chosen[least]
    return chosen


def unexplained(board: Shortlist, chosen: Sequence[Conjunction]) -> tuple[Floats, Floats]:
    """Residuals of the metric after a weighted regression on slice memberships in each window, and robust z-scores.

    Returns
    -------
    left : ndarray of shape (rows,)
    sure : ndarray of shape (slices,)
        Robust (sandwich) z-score of each slice's own part of the change, beside the others.
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
