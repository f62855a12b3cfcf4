"""Columns that hold each other's values: two, or a ring of more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.rule import FaultRule, Scene
from rca.analysis.faults.rules.unit_change import ALIKE, APART, MIN_ROWS, SEEN, SURELY, Mixture, beyond_the_cut, mixture
from rca.arrays import Floats, Mask
from rca.methods.changepoint.dating import ChangePoint, change_point
from rca.methods.two_sample_tests import chance_distance, kolmogorov_distance
from rca.tables.columns import as_numbers, kind_of
from rca.tables.discretisation import HALF, discretise

FARTHEST = 1e6
"""Cost of a column that another does not resemble."""

SOME_ROWS = ("distribution", "new_values", "shifted", "scaled", "default_value", "frozen", "missing", "recoded")
"""What two may look like where they do so in a part of the rows."""

MOST = 40
"""Columns among which rings are looked for, those that moved farthest."""

CONDITIONS, SLICED = 3, 0.25
"""Conditions under which rings are looked for; and distance under one of the second farthest column, from which."""

KEPT = 2_000
"""Values of a column by which mixtures are compared."""

LAST_ROWS = 200
"""Rows at the end of the window that look like another column's past already, where it holds that column's values."""

SURE = 4.0
"""Standard errors of a share, of rows that resemble those before them, by which two columns have to be exchanged."""

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
    rows = {row.column: row for row in found}
    for ring in _rings([name for name, row in rows.items() if row.fault != "stale"][:MOST], scene):
        rows |= _turned(ring, scene)
    spare = [name for name, row in rows.items() if row.partner is None and row.fault in SOME_ROWS]
    rows |= _in_a_slice(spare[:MOST], scene)
    for one, other in combinations([name for name in spare if rows[name].partner is None], 2):
        if rows[one].partner is None and rows[other].partner is None:
            rows |= _partly((one, other), scene)
    rows |= _mingled([name for name in spare[:MOST] if rows[name].partner is None], scene)
    return list(rows.values())


def _rings(names: Sequence[str], scene: Scene) -> list[dict[str, str]]:
    """Rings of two or more columns: each, and the one whose past its present resembles far more than its own.

    Columns alike before are told apart as the one assignment of all that leaves least.
    """
    held = {(name, one.column): one for name in names for one in _held(name, names, scene)}
    rings = _closed({pair: one.crossed for pair, one in held.items()})
    rings = [ring for ring in rings if any(scene.pair(name).distinct > 2 for name in ring)]  # else one share tells all
    far = [[held[pair] for pair in ring.items()] for ring in rings]
    return [
        ring
        for ring, ones in zip(rings, far, strict=True)
        if sum(one.crossed for one in ones) <= ALIKE * sum(one.straight for one in ones)
    ]


@dataclass(frozen=True, kw_only=True)
class _Held:
    """A column whose past another resembles; how far that one is from it, and from its own past."""

    column: str
    crossed: float
    straight: float


def _held(name: str, names: Sequence[str], scene: Scene) -> list[_Held]:
    """The other columns whose values one may hold, from some row on: it is half as far from their past, or less."""
    found, last = [], scene.current[name].iloc[-max(LAST_ROWS, len(scene.current) // 10) :]
    own = _apart(scene.reference[name], last)
    for other in names if own >= 2 * SEEN else ():
        if other == name or kind_of(scene.current[name]) != kind_of(scene.reference[other]):
            continue
        if _apart(scene.reference[other], last) > own / 2:
            continue
        late = scene.current[name].iloc[_turned_since({name: other}, scene).at :]
        crossed, straight = (_apart(scene.reference[past], late) for past in (other, name))
        if crossed <= straight / 2:
            found.append(_Held(column=other, crossed=crossed, straight=straight))
    return found


def _turned_since(holds: Mapping[str, str], scene: Scene) -> ChangePoint:
    """First row from which columns look like the past of those whose values they hold, rather than like their own."""
    if not scene.ordered:
        return START
    usual, after = 0.0, np.zeros(len(scene.current))
    for name, other in holds.items():
        both = pd.concat([scene.reference[name], scene.reference[other]], ignore_index=True)
        laid, n = discretise(both, scene.current[name]), len(scene.reference)
        own, strange = (np.bincount(codes, minlength=laid.count) + HALF for codes in np.split(laid.reference, [n]))
        likelier = np.log(strange) - np.log(own)
        usual += float(likelier[laid.reference[:n]].mean())
        after += likelier[laid.current]
    return change_point(after, usual) or START


def _turned(ring: Mapping[str, str], scene: Scene) -> dict[str, ColumnFault]:
    """The columns of a ring, with whose values each holds and which holds its own."""
    since = _turned_since(ring, scene)
    own = {other: name for name, other in ring.items()}
    return {
        name: ColumnFault(
            column=name,
            fault="swapped",
            share=1 - since.at / len(scene.current),
            evidence=f"holds the values of {other}" + (f", in a ring of {len(ring)}" if len(ring) > 2 else ""),
            partner=other,
            holder=own[name] if own[name] != other else None,
            since=since.at,
            since_interval=(since.earliest, since.latest) if scene.ordered else None,
        )
        for name, other in ring.items()
    }


def _in_a_slice(names: Sequence[str], scene: Scene) -> dict[str, ColumnFault]:
    """Rings under the condition under which columns that moved are the farthest from what they were."""
    laid = scene.contingency
    if laid is None or len(names) < 2 or not laid.conditions:
        return {}
    far = np.zeros((len(names), len(laid.conditions)))
    for at, name in enumerate(names):
        shares = [counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) for counts in laid.counts(name)]
        far[at] = np.abs(shares[0] - shares[1]).sum(axis=1) / 2
    second = np.sort(far, axis=0)[-2]  # one column alone is no ring
    wide = second * np.sqrt(laid.under[1].mean(axis=0))
    for place in np.argsort(-wide, kind="stable")[:CONDITIONS].tolist():
        condition = laid.conditions[place]
        part, rows = scene.under((condition,))
        asked = [name for name in dict.fromkeys([*names, *scene.names]) if name != condition.column][:MOST]
        if second[place] < SLICED or min(len(part.reference), len(part.current)) < 2 * MIN_ROWS:
            continue
        found: dict[str, ColumnFault] = {}
        for ring in _rings(asked, part):
            for name, fault in _turned(ring, part).items():
                since = int(np.flatnonzero(rows)[fault.since]) if fault.since else 0
                found[name] = replace(
                    fault, where=(condition,), share=fault.share * float(rows.mean()), since=since, since_interval=None
                )
        if found:
            return found
    return {}


def _mingled(names: Sequence[str], scene: Scene) -> dict[str, ColumnFault]:
    """Rings in a part of the rows that no value tells: every column is a mixture of its own past and of the next one's.

    The mixtures have one share, and leave next to nothing of any move. Which rows were hit nothing says.
    """
    windows = scene.reference, scene.current
    numeric = [name for name in names if all(kind_of(rows[name]) == "numeric" for rows in windows)]
    numeric = [name for name in numeric if scene.pair(name).distinct > 2]  # any share is a mixture of two others
    known = {name: [np.sort(as_numbers(rows[name])) for rows in windows] for name in numeric}
    known = {name: [values[np.isfinite(values)] for values in both] for name, both in known.items()}
    known = {name: both for name, both in known.items() if min(map(len, both)) >= 4 * MIN_ROWS}
    laid = {name: [_thinned(values) for values in both] for name, both in known.items()}
    fits: dict[tuple[str, str], Mixture] = {}
    for name, (own, now) in laid.items():
        chance = SURELY * chance_distance(*map(len, known[name]))
        if kolmogorov_distance(own, now) < 1.5 * chance * np.sqrt(scene.repeats(name)):
            continue
        most = min(chance, kolmogorov_distance(own, now) / 3)
        tried = {(name, other): mixture(own, strange, now) for other, (strange, _) in laid.items() if other != name}
        fits |= {pair: fit for pair, fit in tried.items() if SEEN <= fit.share <= 1 - SEEN and fit.left <= most}
    found: dict[str, ColumnFault] = {}
    for ring in _closed({pair: fit.left for pair, fit in fits.items()}):
        shares = [fits[pair].share for pair in ring.items()]
        if max(shares) - min(shares) > ALIKE / 2:
            continue
        for one, other in ring.items():
            words = f"holds the values of {other} in some {np.mean(shares):.0%} of the rows"
            found[one] = ColumnFault(column=one, fault="swapped", share=1.0, evidence=words)
    return found


def _closed(costs: Mapping[tuple[str, str], float]) -> list[dict[str, str]]:
    """Rings of columns, each with the one that it goes to, of the assignment of all that costs least."""
    from scipy.optimize import linear_sum_assignment

    able = list(dict.fromkeys(name for name, _ in costs))
    if not able:
        return []
    table = [[costs.get((name, other), FARTHEST) for other in able] for name in able]
    liked = dict(zip(able, (able[at] for at in linear_sum_assignment(table)[1]), strict=True))
    found: list[dict[str, str]] = []
    for name in able:
        way = [name]
        while (last := liked[way[-1]]) not in way and (way[-1], last) in costs:
            way.append(last)
        ring = {one: liked[one] for one in way}
        if last == name and all(pair in costs for pair in ring.items()) and all(name not in one for one in found):
            found.append(ring)
    return found


def _thinned(values: Floats) -> Floats:
    """Ascending values, no more than `KEPT`, evenly spread."""
    return np.asarray(values[np.unique(np.linspace(0, len(values) - 1, min(len(values), KEPT)).astype(int))])


def _partly(pair: tuple[str, str], scene: Scene) -> dict[str, ColumnFault]:
    """Both columns as exchanged in a part of the rows; empty where nothing says so.

    ``F_current,1 = (1 - p) F_1 + p F_2`` and the other way round, with one p, which leaves next to nothing of either
    move; and a number parts the values of the two, so that every row shows whether it was hit.
    """
    windows = scene.reference, scene.current
    numbers = [[as_numbers(rows[name]) for name in pair] for rows in windows]
    if any(kind_of(rows[name]) != "numeric" for rows in windows for name in pair):
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
    rows = min(map(len, (one, other, now, then))) / max(map(scene.repeats, pair))
    if share < SURE * np.sqrt(2 * share * (1 - share) / rows):
        return {}
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


def _apart(before: "pd.Series[Any]", after: "pd.Series[Any]") -> float:
    """Total variation over common cells."""
    shares = discretise(before, after).shares()
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _of_the_partner(fault: ColumnFault, rows: pd.DataFrame, wrong: Mask) -> "pd.Series[Any]":
    return rows[fault.column].where(~wrong, rows[str(fault.holder or fault.partner)])


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
