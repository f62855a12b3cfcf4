"""Values capped at an edge, or lifted to one: what lay beyond it now lies on it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.rule import FaultRule, Scene
from rca.analysis.faults.rules.single_value import SELDOM, STUCK, with_the_value
from rca.analysis.faults.rules.unit_change import HUGE, SURELY
from rca.arrays import Floats, Mask
from rca.methods.two_sample_tests import chance_distance, kolmogorov_distance, overdispersion
from rca.tables.column_pair import ColumnPair
from rca.tables.columns import as_labels, as_numbers

BEYOND, MOST = 0.05, 0.9
"""Share of the reference's rows beyond an edge, from which it caps anything, and up to which it leaves anything."""

MIN_ROWS = 60
"""Rows of each window below which no edge is looked for."""

WHOLLY = 0.9
"""Share of the rows beyond an edge that have to lie on it, for all rows to be capped and not a part of them."""

SURE = 3.0
"""Standard errors by which a heap has grown, and the values beyond it have become fewer."""

ROUNDING = 1e-9
"""Distance below which two explanations leave the same."""

HEAP = 3.0
"""Factor by which more values have to lie on the edge than ever did."""


def clipped(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """An edge on which values now lie that used to lie beyond it, all or a part, while the others are as before.

    Examples
    --------
    >>> rows = [pd.DataFrame({"speed": np.random.default_rng(0).normal(size=900)}) for _ in range(2)]
    >>> rows[1]["speed"] = rows[1]["speed"].clip(upper=0.8)
    >>> scene = Scene(reference=rows[0], current=rows[1], codes=frozenset(), names=("speed",), moved=frozenset(),
    ...               ordered=False)
    >>> print(clipped(scene.pair("speed"), scene))
    speed: clipped (cut off above 0.8, where 20% of the values were higher before)
    """
    if not pair.ordered:
        return None
    before, after = pair.numbers[0], pair.numbers[1][scene.unsure :]
    before, after = (np.sort(values[np.isfinite(values)]) for values in (before, after))
    if min(len(before), len(after)) < MIN_ROWS or max(np.abs(before).max(), np.abs(after).max()) > HUGE:
        return None
    values, counts = np.unique(after, return_counts=True)
    tried = {(float(values[at]), capped) for at, capped in ((-1, True), (0, False))}
    tried |= {(float(values[np.argmax(counts)]), capped) for capped in (True, False)}
    edges = [one for at, capped in sorted(tried) if (one := _edge(before, after, at, capped=capped)) is not None]
    return _named(pair.name, min(edges, key=lambda one: one.left)) if edges else None


@dataclass(frozen=True, kw_only=True)
class _Edge:
    """An edge: the share of the reference beyond it, the part of those rows that is capped, and the distance left."""

    at: float
    capped: bool
    beyond: float
    part: float
    left: float


def _edge(before: Floats, after: Floats, edge: float, *, capped: bool) -> _Edge | None:
    """A value as an edge, where mixing capped values in explains the window; a part is told by a heap alone."""
    usual, now = (float((side == edge).mean()) for side in (before, after))
    beyond, still = (float(((side > edge) if capped else (side < edge)).mean()) for side in (before, after))
    if not BEYOND <= beyond <= MOST or now >= STUCK or (still > (1 - WHOLLY) * beyond and now < HEAP * usual):
        return None
    sound = [numbers[numbers < edge] if capped else numbers[numbers > edge] for numbers in (before, after)]
    if now - usual < SURE * np.sqrt(now * (1 - now) * _rows(*sound, sizes=(len(before), len(after)))):
        return None
    part = float(np.clip(1 - still / beyond, 0, 1))
    bound = np.minimum(before, edge) if capped else np.maximum(before, edge)
    at = np.unique(np.concatenate([before, after]))
    usually, bounded, found = (
        np.searchsorted(np.sort(one), at, side="right") / len(one) for one in (before, bound, after)
    )
    left = float(np.abs(found - (1 - part) * usually - part * bounded).max())
    filled = (now - usual) / (1 - usual)
    if left > float(np.abs(found - (1 - filled) * usually - filled * (at >= edge)).max()) - ROUNDING:
        return None  # a filler, in rows of any value, tells as much
    chance = SURELY * chance_distance(len(before), len(after))
    explained = left <= min(chance, kolmogorov_distance(before, after) / 2)
    return _Edge(at=edge, capped=capped, beyond=beyond, part=part, left=left) if explained else None


def _rows(before: Floats, after: Floats, *, sizes: tuple[int, int]) -> float:
    """Variance of the difference of a share, in parts of that of one row: values beside no edge say how uneven."""
    values = np.unique(np.concatenate([before, after]))
    counts = [np.bincount(np.searchsorted(values, numbers), minlength=len(values)) for numbers in (after, before)]
    return sum(1 / size for size in sizes) * overdispersion(counts[0], counts[1])


def heaped(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """An edge in too few rows for the column to have moved: a heap, and as many values fewer on one side alone."""
    del scene
    if not pair.ordered:
        return None
    windows = [values[np.isfinite(values)] for values in pair.numbers]
    if min(map(len, windows)) < MIN_ROWS:
        return None
    before, after = windows
    values, counts = np.unique(after, return_counts=True)
    at = float(values[np.argmax(counts)])
    usual, heap = (float((numbers == at).mean()) for numbers in windows)
    if heap - usual < SELDOM or heap < HEAP * usual:
        return None
    sides = {
        True: [numbers[numbers > at] for numbers in windows],
        False: [numbers[numbers < at] for numbers in windows],
    }
    for capped, beyond in sides.items():
        kept = sides[not capped]
        (was, now), (others, still) = (
            [len(part) / len(numbers) for part, numbers in zip(side, windows, strict=True)] for side in (beyond, kept)
        )
        rows = _rows(*kept, sizes=(len(before), len(after)))
        lost, gained, chance = (
            was - now,
            heap - usual,
            [SURE * np.sqrt(p * (1 - p) * rows) for p in (was, others, heap)],
        )
        sure = lost >= chance[0] and gained >= chance[2]
        kept_as_before = others - still < others * gained / (1 - usual) / 2  # a filler takes from both sides
        kept_as_before &= abs(others - still) <= chance[1] and abs(lost - gained) <= sum(chance)
        if BEYOND <= was <= MOST and sure and kept_as_before:
            return _named(pair.name, _Edge(at=at, capped=capped, beyond=was, part=lost / was, left=0.0))
    return None


def _named(column: str, edge: _Edge) -> ColumnFault:
    side, lay = ("above", "higher") if edge.capped else ("below", "lower")
    some = "" if edge.part >= WHOLLY else f" in {edge.part:.0%} of the rows"
    return ColumnFault(
        column=column,
        fault="clipped",
        share=edge.part * edge.beyond,
        evidence=f"cut off {side} {edge.at:.4g}{some}, where {edge.beyond:.0%} of the values were {lay} before",
        value=str(as_labels(pd.Series([edge.at]))[0]),
        edge=edge.at,
        capped=edge.capped,
        scattered=edge.part < WHOLLY,
    )


def _beyond(fault: ColumnFault, rows: pd.DataFrame) -> Mask:
    """Rows that it would change."""
    assert fault.edge is not None
    values = as_numbers(rows[fault.column])
    with np.errstate(invalid="ignore"):
        return np.asarray(values > fault.edge if fault.capped else values < fault.edge)


def _cut_off(fault: ColumnFault, rows: pd.DataFrame, struck: Mask) -> "pd.Series[Any]":
    assert fault.edge is not None
    return rows[fault.column].mask(struck & _beyond(fault, rows), fault.edge)


CLIPPED = FaultRule(
    kind="clipped",
    clause="{name} was cut off at an edge",
    check="a heap of values at one edge",
    detect={"everywhere": clipped, "scattered": heaped},
    affected=with_the_value,
    inject=_cut_off,
    could_be=_beyond,
    dated_by="rows",
)
