"""Confirming: slices that one half of the rows suggests, judged by the other, in which nobody looked for them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rca.analysis.slices.beam_search import Conjunction, Shortlist, pruned, search, unexplained
from rca.analysis.slices.expected_metric import expected
from rca.analysis.slices.scan_statistics import excess, own_deviation
from rca.arrays import Mask

ONE_SIDED = 1.6448536269514722
"""95 % quantile of the normal distribution: by so many standard errors each condition has to add in the other half."""

FEWEST_ROWS = 60
"""Rows of a window and half below which nothing is searched."""


def searched(first: Shortlist, second: Shortlist, *, order: int) -> tuple[tuple[Conjunction, ...], Shortlist]:
    """Slices of the first half, and the second half with what the first expects of its rows taken off."""
    fewest = min(int(side.sum()) for board in (first, second) for side in board.sides)
    if not len(first.literals) or fewest < FEWEST_ROWS:
        return (), second
    left = [
        board.parted.value - board.parted.weight * expected(first.literals, first.parted, board.literals)
        for board in (first, second)
    ]
    return search(first.leaving(left[0]), order=order), second.leaving(left[1])


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A slice, and how sure the half is in which it was not looked for."""

    conditions: Conjunction
    p_value: float
    q_value: float = 1.0


def confirmed(found: Sequence[Conjunction], board: Shortlist, *, alpha: float) -> list[Judged]:
    """Slices that the other half confirms, in the order in which rows that two share are counted."""
    from scipy.stats import false_discovery_control

    simple = [_as_simple(found, at, board) for at in range(len(found))]
    kept = list(dict.fromkeys(simple))
    if not kept:
        return []
    masks = [board.literals.all_hold(one) for one in kept]
    p_values = [_p_value(_beside(kept, at, board), masks[at], piece) for at, piece in enumerate(disjoint(masks))]
    q_values = false_discovery_control(p_values, method="by")
    judged = [
        Judged(conditions=one, p_value=p, q_value=float(q)) for one, p, q in zip(kept, p_values, q_values, strict=True)
    ]
    return [one for one in judged if one.q_value <= alpha]


def _beside(found: Sequence[Conjunction], at: int, board: Shortlist) -> Shortlist:
    """What all slices but one leave to explain."""
    return board.leaving(unexplained(board, [*found[:at], *found[at + 1 :]])[0])


def _as_simple(found: Sequence[Conjunction], at: int, board: Shortlist) -> Conjunction:
    """A slice without the conditions that this half does not confirm, beside the others."""
    return pruned(_beside(found, at, board), found[at], least=ONE_SIDED)


def disjoint(masks: Sequence[Mask]) -> list[Mask]:
    """Sets of rows, each without those of the ones before."""
    return [mask & ~np.logical_or.reduce([np.zeros_like(mask), *masks[:at]]) for at, mask in enumerate(masks)]


def _p_value(board: Shortlist, held: Mask, piece: Mask) -> float:
    """One-sided, of a slice that got no worse, or by no more than elsewhere beside the others.

    Its own change is that of the rows that no surer slice holds.
    """
    from scipy.special import ndtr

    parted = board.parted
    difference, error = excess(parted.sums(held), parted.sums(~held))
    least = np.minimum(difference / error, own_deviation(replace(parted, left=parted.value).sums(piece)))
    return 1.0 if np.isnan(least) else float(ndtr(-least))
