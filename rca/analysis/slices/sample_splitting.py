"""Sample splitting: slices selected on one half of the rows are tested on the other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rca.analysis.slices.beam_search import Conjunction, Shortlist, pruned, search, unexplained
from rca.analysis.slices.expected_metric import expected
from rca.analysis.slices.scan_statistics import excess, own_deviation
from rca.arrays import Mask

ONE_SIDED = 1.6448536269514722
"""95 % normal quantile: the one-sided critical value for each condition of a slice in the test half."""

FEWEST_ROWS = 60
"""Fewest rows of a window in each half for a search."""


def searched(first: Shortlist, second: Shortlist, *, order: int) -> tuple[tuple[Conjunction, ...], Shortlist]:
    """Search the first half; return its slices and the second half's residuals from the first half's regression."""
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
    """A slice with its p-value and q-value in the test half."""

    conditions: Conjunction
    p_value: float
    q_value: float = 1.0


def confirmed(found: Sequence[Conjunction], board: Shortlist, *, alpha: float) -> list[Judged]:
    """Slices that pass the test half at a Benjamini-Yekutieli false discovery rate, in the order of selection."""
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
    """Residuals of all slices but one."""
    return board.leaving(unexplained(board, [*found[:at], *found[at + 1 :]])[0])


def _as_simple(found: Sequence[Conjunction], at: int, board: Shortlist) -> Conjunction:
    """A slice pruned of the conditions that are not significant in the test half, beside the others."""
    return pruned(_beside(found, at, board), found[at], least=ONE_SIDED)


def disjoint(masks: Sequence[Mask]) -> list[Mask]:
    """Make sets of rows disjoint: each without the rows of the ones before."""
    return [mask & ~np.logical_or.reduce([np.zeros_like(mask), *masks[:at]]) for at, mask in enumerate(masks)]


def _p_value(board: Shortlist, held: Mask, piece: Mask) -> float:
    """One-sided p-value of a slice that got no worse, or by no more than elsewhere (intersection-union test).

    Its own change is that of the rows that no earlier slice holds.
    """
    from scipy.special import ndtr

    parted = board.parted
    difference, error = excess(parted.sums(held), parted.sums(~held))
    least = np.minimum(difference / error, own_deviation(replace(parted, left=parted.value).sums(piece)))
    return 1.0 if np.isnan(least) else float(ndtr(-least))
