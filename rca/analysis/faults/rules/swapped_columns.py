"""Two columns that hold each other's values."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.rules.rule import FaultRule, Scene
from rca.analysis.faults.rules.unit_change import ALIKE, APART, MIN_ROWS, SEEN, SURELY, beyond_the_cut
from rca.arrays import Floats, Mask
from rca.methods.changepoint.dating import ChangePoint, change_point
from rca.methods.two_sample_tests import chance_distance
from rca.tables.columns import as_numbers, kind_of
from rca.tables.discretisation import HALF, discretise

ALL_ROWS = ("distribution", "new_values", "shifted", "scaled")
"""What two columns may look like that hold each other's values."""

SOME_ROWS = (*ALL_ROWS, "default_value", "frozen", "missing")
"""What they may look like where they do so in a part of the rows."""

START = ChangePoint(at=0, earliest=0, latest=0)


def swaps(found: Sequence[ColumnFault], scene: Scene) -> list[ColumnFault]:
    """Name the columns that hold each other's values, among those that moved and did not break otherwise.

    Parameters
    ----------
    found : sequence of ColumnFault
    scene : Scene
        Where it is ordered, the exchange may have begun partway.

    Returns
    -------
    list of ColumnFault
        The same columns in the same order.
    """
    reference, current, ordered = scene.reference, scene.current, scene.ordered
    rows = {row.column: row for row in found}
    loose = [row.column for row in found if row.fault in ALL_ROWS]
    for one, other in combinations(loose, 2):
        free = rows[one].partner is None and rows[other].partner is None
        since = _since((one, other), reference, current) if free and ordered else START
        if free and _exchanged((one, other), reference, current.iloc[since.at :]):
            share = 1 - since.at / len(current)
            between = (since.earliest, since.latest) if ordered else None
            rows[one], rows[other] = (
                ColumnFault(
                    column=column,
                    fault="swapped",
                    share=share,
                    evidence=f"holds the values of {partner}",
                    partner=partner,
                    since=since.at,
                    since_interval=between,
                )
                for column, partner in ((one, other), (other, one))
            )
    spare = [name for name, row in rows.items() if row.partner is None and row.fault in SOME_ROWS]
    for one, other in combinations(spare, 2):
        if rows[one].partner is None and rows[other].partner is None:
            rows |= _partly((one, other), reference, current)
    return list(rows.values())


def _partly(pair: tuple[str, str], reference: pd.DataFrame, current: pd.DataFrame) -> dict[str, ColumnFault]:
    """Both columns as exchanged in a part of the rows; empty where nothing says so.

    ``F_current,1 = (1 - p) F_1 + p F_2`` and the other way round, with one p, which leaves next to nothing of either
    move; and a number parts the values of the two, so that every row shows whether it was hit.
    """
    numbers = [[as_numbers(rows[name]) for name in pair] for rows in (reference, current)]
    if any(kind_of(rows[name]) != "numeric" for rows in (reference, current) for name in pair):
        return {}
    (one, other), (now, then) = ([values[np.isfinite(values)] for values in window] for window in numbers)
    parted = _parted(one, other)
    if parted is None or min(len(now), len(then)) < MIN_ROWS:
        return {}
    cut, sign = parted
    usual, crossed = ((values >= cut).mean() for values in (one, other))
    shares = [float((now >= cut).mean() - usual), float(crossed - (then >= cut).mean())]
    shares = [share / float(crossed - usual) for share in shares]
    chance = chance_distance(min(map(len, (one, other))), min(map(len, (now, then))))
    if min(shares) < SEEN or abs(shares[0] - shares[1]) > 2 * chance:
        return {}
    share = sum(shares) / 2
    if max(_mixed(one, other, now, share=share), _mixed(other, one, then, share=share)) > SURELY * chance:
        return {}
    return {
        column: ColumnFault(
            column=column,
            fault="swapped",
            share=share,
            evidence=f"holds the values of {partner} in {share:.0%} of the rows",
            partner=partner,
            cut=cut,
            offset=direction,
            scattered=True,
        )
        for column, partner, direction in ((*pair, sign), (*pair[::-1], -sign))
    }


def _parted(one: Floats, other: Floats) -> tuple[float, float] | None:
    """The number between the values of two columns, and whether the other's lie above it; None where they mingle."""
    if min(len(one), len(other)) < MIN_ROWS:
        return None
    at = np.unique(np.concatenate([one, other]))
    gap = np.searchsorted(np.sort(one), at, side="left") / len(one)
    gap = gap - np.searchsorted(np.sort(other), at, side="left") / len(other)
    best = int(np.argmax(np.abs(gap)))
    return (float(at[best]), float(np.sign(gap[best]))) if abs(gap[best]) >= APART else None


def _mixed(own: Floats, partner: Floats, now: Floats, *, share: float) -> float:
    """Kolmogorov-Smirnov distance that a mixture of two columns' past leaves of one's present."""
    at = np.unique(np.concatenate([own, partner, now]))
    before, strange, after = (np.searchsorted(np.sort(one), at, side="right") / len(one) for one in (own, partner, now))
    return float(np.abs(after - (1 - share) * before - share * strange).max())


def _since(pair: tuple[str, str], reference: pd.DataFrame, current: pd.DataFrame) -> ChangePoint:
    """First row from which each column looks like the other's past rather than its own."""
    both = [pd.concat([rows[name] for name in pair], ignore_index=True) for rows in (reference, current)]
    laid, n, m = discretise(*both), len(reference), len(current)
    one, other = (np.bincount(codes, minlength=laid.count) + HALF for codes in np.split(laid.reference, [n]))
    likelier = np.log(other) - np.log(one)
    before = likelier[laid.reference[:n]] - likelier[laid.reference[n:]]
    after = likelier[laid.current[:m]] - likelier[laid.current[m:]]
    return change_point(after, float(before.mean())) or START


def _exchanged(pair: tuple[str, str], reference: pd.DataFrame, current: pd.DataFrame) -> bool:
    """Whether each column resembles the other's past far more than its own."""
    one, other = pair
    straight = _apart(reference[one], current[one]), _apart(reference[other], current[other])
    crossed = _apart(reference[one], current[other]), _apart(reference[other], current[one])
    return max(crossed) <= ALIKE * min(straight)


def _apart(before: "pd.Series[Any]", after: "pd.Series[Any]") -> float:
    """Total variation over common cells."""
    shares = discretise(before, after).shares()
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _of_the_partner(fault: ColumnFault, rows: pd.DataFrame, wrong: Mask) -> "pd.Series[Any]":
    return rows[fault.column].where(~wrong, rows[str(fault.partner)])


def _with_the_partners(fault: ColumnFault, rows: pd.DataFrame, struck: Mask) -> "pd.Series[Any]":
    if fault.partner not in rows:
        return rows[fault.column]
    return rows[fault.column].astype(object).mask(struck, rows[fault.partner].astype(object))


SWAPPED = FaultRule(
    kind="swapped",
    clause="{name} held another column's values",
    check="values that belong to another column",
    across=swaps,
    affected=beyond_the_cut,
    undo=_of_the_partner,
    inject=_with_the_partners,
    dated_by="likeness",
)
