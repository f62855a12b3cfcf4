"""One value gained: rows that are missing, frozen on a usual value, filled with a default, or under a new name."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.names.renaming import VISIBLE, as_they_were, by_stem
from rca.analysis.faults.rule import FaultRule, Scene
from rca.analysis.faults.rules.unit_change import ALIKE, SURELY
from rca.arrays import Floats, Mask, Places
from rca.methods.two_sample_tests import chance_distance
from rca.tables.column_pair import ColumnPair
from rca.tables.columns import as_labels, as_numbers, in_short, kind_of

STUCK = 0.95
"""Share of the rows that hold one value, from which a column counts as stuck on it."""

MANY = 8
"""Distinct values from which a gain of one alone says more than that the mix has changed."""

RARE = 0.01
"""Share of reference rows below which a filler, or a value that is suddenly common, counts as no real value."""

LIFTED = 3.0
"""Factor by which the odds of a usual value have to rise; a mix that changes takes zeros from a third to a half."""

LOST = 1.5
"""Likewise for missing values, which a mix that changes has more often too."""

LONELY = 3.0
"""Factor by which a rare value has to gain more than every other, to be no part of a move."""

FILLERS = {
    "0",
    "-1",
    "999",
    "9999",
    "-999",
    "-9999",
    "99",
    "-99",
    "",
    "unknown",
    "none",
    "n/a",
    "na",
    "null",
    "missing",
}
"""Values that pipelines write when they have none."""

SELDOM, SEEN = 0.01, 5.0
"""Share of the rows, and standard errors, by which a value has to gain where the column as a whole has not moved."""

NAMES = 200
"""Names never seen before that are kept, the commonest."""


def missing(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Values that are no longer there."""
    del scene
    before, after = _gone(pair)
    if after - before < VISIBLE or _odds(after) < LOST * _odds(before):
        return None
    return _missing(pair, f"missing in {after:.0%} of the rows, {before:.0%} before")


def _gone(pair: ColumnPair) -> tuple[float, float]:
    before, after = (float(gone.mean()) for gone in pair.missing)
    return before, after


def _missing(pair: ColumnPair, evidence: str) -> ColumnFault:
    before, after = _gone(pair)
    return ColumnFault(column=pair.name, fault="missing", share=(after - before) / (1 - before), evidence=evidence)


def _odds(share: float) -> float:
    return share / max(1 - share, 1e-9)


def missing_here_and_there(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Values that are gone from too few rows for the column to have moved."""
    del scene
    before, after = _gone(pair)
    sizes = len(pair.reference), len(pair.current)
    if not _surely(before, after, sizes) or _odds(after) < LIFTED * _odds(before):
        return None
    return _missing(pair, f"missing in {after:.1%} of the rows, {before:.1%} before")


def _surely(before: float, after: float, rows: tuple[int, int]) -> bool:
    """Whether a share rose beyond doubt: by a point, and by five standard errors of the arcsine of its root."""
    risen = 2 * float(np.arcsin(np.sqrt(after)) - np.arcsin(np.sqrt(before)))
    return after - before >= SELDOM and risen >= SEEN * float(np.sqrt(1 / rows[0] + 1 / rows[1]))


def stuck(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """One value where there used to be many: in all rows, or in some while the others keep to what they were.

    ``current = (1 - p) reference + p [x = v]``: take the value v out of both windows, and what is left has to agree.
    """
    del scene
    tally = _Tally.of(pair)
    if tally is None or tally.gains[tally.top] < VISIBLE:
        return None
    usual, share = tally.before[tally.top], tally.after[tally.top]
    if not (share >= STUCK or _alone(tally)) or (usual > 0 and _odds(share) < LIFTED * _odds(usual)):
        return None
    value = tally.name
    frozen = is_usual(pair.reference, value) and not (value.casefold() in FILLERS and usual < RARE)
    return ColumnFault(
        column=pair.name,
        fault="frozen" if frozen else "default_value",
        share=(share - usual) / (1 - usual),
        evidence=f"{in_short(value)} in {share:.0%} of the rows, {usual:.1%} before",
        value=value,
    )


def unreal(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """One value that is none of the column's, in too few rows for the column to have moved."""
    del scene
    tally = _Tally.of(pair) if _beyond(pair) else None
    if tally is None:
        return None
    gains = np.where(tally.strange(pair), tally.gains, 0.0)
    at = int(np.argmax(gains))
    if gains[at] <= LONELY * float(np.delete(gains, at).max(initial=0.0)):
        return None
    before, after = float(tally.before[at]), float(tally.after[at])
    if not _surely(before, after, tally.sizes):
        return None
    value = tally.label(at)
    return ColumnFault(
        column=pair.name,
        fault="default_value",
        share=(after - before) / (1 - before),
        evidence=f"{in_short(value)} in {after:.1%} of the rows, {before:.1%} before",
        value=value,
    )


def _beyond(pair: ColumnPair) -> bool:
    """Whether any number of the current window lies far outside of the reference's range; words always may."""
    if not pair.ordered:
        return True
    (low, high), now = _fences(pair.reference), pair.numbers[1]
    with np.errstate(invalid="ignore"):
        return bool(((now < low) | (now > high)).any())


@dataclass(frozen=True, kw_only=True)
class _Tally:
    """Every value of two windows, in order where they have one, and its share of the rows that have a value."""

    values: Any
    before: Floats
    after: Floats
    sizes: tuple[int, int]
    numeric: bool

    @classmethod
    def of(cls, pair: ColumnPair) -> "_Tally | None":
        numeric = all(kind_of(one, coded=pair.coded) == "numeric" for one in (pair.reference, pair.current))
        reference, current = pair.known(pair.numbers if numeric else pair.labels)
        if not len(reference) or not len(current):
            return None
        codes, values = pd.factorize(np.concatenate([reference, current]), sort=True)
        windows = codes[: len(reference)], codes[len(reference) :]
        shares = [np.bincount(window[window >= 0], minlength=len(values)) / len(window) for window in windows]
        if not len(values):
            return None
        return cls(
            values=values,
            before=shares[0],
            after=shares[1],
            sizes=(len(reference), len(current)),
            numeric=numeric,
        )

    @property
    def gains(self) -> Floats:
        return self.after - self.before

    @property
    def top(self) -> int:
        return int(np.argmax(self.gains))

    @property
    def name(self) -> str:
        """The value that gained most, as a label."""
        return self.label(self.top)

    def label(self, at: int) -> str:
        """A value as a label."""
        return str(as_labels(pd.Series([self.values[at]]))[0])

    def strange(self, pair: ColumnPair) -> Mask:
        """Values that are rare in the reference and not real: far outside of its range, or words for none."""
        if not self.numeric:
            real = ~np.array([str(value).casefold() in FILLERS for value in self.values])
        else:
            low, high = _fences(pair.reference)
            real = (self.values >= low) & (self.values <= high)
        return np.asarray(~real & (self.before < RARE), dtype=bool)

    def rest(self) -> tuple[Floats, Floats]:
        """Shares of the other values, among themselves."""
        others = np.delete(self.before, self.top), np.delete(self.after, self.top)
        return others[0] / max(others[0].sum(), 1e-12), others[1] / max(others[1].sum(), 1e-12)


def _alone(tally: _Tally) -> bool:
    """Whether one value gained and the rest kept to what it was, or moved less than a value gained that was none."""
    gains, rest = tally.gains, tally.rest()
    if len(tally.values) < MANY:
        return False
    top, others = float(gains[tally.top]), float(np.delete(gains, tally.top).max(initial=0.0))
    if tally.before[tally.top] < RARE and top >= LONELY * others and tally.numeric:
        return _distance(rest) <= top
    left = [size * (1 - share) for size, share in zip(tally.sizes, _top_shares(tally), strict=True)]
    if min(left) < 1:
        return True
    sure = SURELY * chance_distance(*(max(1, int(size)) for size in left))
    pooled = np.rint(left[0] * rest[0] + left[1] * rest[1])
    apart = _distance(rest, order=None if tally.numeric else np.argsort(-pooled, kind="stable"))
    return apart <= max(sure, ALIKE / 5 * top) < top


def _top_shares(tally: _Tally) -> tuple[float, float]:
    return float(tally.before[tally.top]), float(tally.after[tally.top])


def _distance(shares: tuple[Floats, Floats], *, order: Places | None = None) -> float:
    """Kolmogorov-Smirnov distance of values in their order, or in one that does not depend on which window has them.

    Names come with the commonest of both windows first: in the order of one window, of thousands of names those that it
    has often by chance would come first, and the other would seem to lack them.
    """
    one, other = shares if order is None else (share[order] for share in shares)
    return float(np.abs(np.cumsum(one) - np.cumsum(other)).max(initial=0.0))


def is_usual(reference: "pd.Series[Any]", value: str) -> bool:
    """Whether the reference could have it: inside Tukey's fences or its extremes, or among its categories."""
    if kind_of(reference) == "numeric":
        low, high = _fences(reference)
        return low <= float(pd.to_numeric(value, errors="coerce")) <= high
    return bool(np.isin(value, as_labels(reference.dropna())))


def _fences(reference: "pd.Series[Any]") -> tuple[float, float]:
    """Tukey's fences of numbers, or their extremes where those are farther out; of no numbers, none is inside."""
    known = as_numbers(reference)
    known = known[np.isfinite(known)]
    if not len(known):
        return np.inf, -np.inf
    low, high = (2 * quarter for quarter in np.quantile(known / 2, [0.25, 0.75]).tolist())
    fence = 1.5 * (high - low)
    return float(min(known.min(), low - fence)), float(max(known.max(), high + fence))


def new_values(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Names never seen before, in more rows than names that are seen once would have it.

    The share of rows whose name is new is, where nothing happened, the share of the reference's names that it has once
    (Good-Turing).
    """
    if kind_of(pair.reference, coded=pair.coded) != "categorical":
        return None
    if scene.late is not None and scene.late.take_turns(pair.name):  # another comes with time
        return None
    before, after = map(pd.Series, pair.known(pair.labels))
    if not len(after) or not len(before):
        return None
    counts = before.value_counts()
    expected = float((counts == 1).sum() / len(before)) * max(1.0, np.log2(1 + len(after) / len(before)))
    unseen = ~after.isin(counts.index)
    excess = float(unseen.mean()) - expected
    if excess < VISIBLE:
        return None
    names = after[unseen].value_counts().index
    meant = dict(recoding := by_stem(pair))
    told = {one: f"{in_short(one)} for {in_short(meant[one])}" if one in meant else in_short(one) for one in names}
    some = ", ".join(told[one] for one in sorted(names)[:3])
    return ColumnFault(
        column=pair.name,
        fault="new_values",
        share=min(1.0, excess),
        evidence=f"values never seen before in {unseen.mean():.0%} of the rows, such as {some}",
        names=tuple(map(str, names[:NAMES])),
        recoding=recoding,
    )


def with_the_value(fault: ColumnFault, rows: pd.DataFrame) -> Mask:
    """Rows that hold the value of the fault."""
    return np.asarray(as_labels(rows[fault.column]) == fault.value, dtype=bool)


def with_a_name(fault: ColumnFault, rows: pd.DataFrame) -> Mask:
    """Rows that hold one of the names of the fault."""
    return np.asarray(pd.Series(as_labels(rows[fault.column])).isin(fault.names))


def _without_value(fault: ColumnFault, rows: pd.DataFrame) -> Mask:
    return rows[fault.column].isna().to_numpy()


def _filled(fault: ColumnFault, rows: pd.DataFrame, struck: Mask) -> "pd.Series[Any]":
    """The column with the one value, in its own type, in some rows."""
    values, value = rows[fault.column], str(fault.value)
    held: Any = value
    if pd.api.types.is_bool_dtype(values):
        held = value == "True"
    elif pd.api.types.is_numeric_dtype(values):
        held = float(value)
    return values.astype(object).mask(struck, held)


MISSING = FaultRule(
    kind="missing",
    clause="{name} was missing",
    check="its share of missing values",
    detect={"everywhere": missing, "scattered": missing_here_and_there},
    affected=_without_value,
    inject=lambda fault, rows, struck: rows[fault.column].mask(struck),
    dated_by="rows",
    unheard=True,
)

FROZEN = FaultRule(
    kind="frozen",
    clause="{name} was stuck on one value",
    check="one value in all rows of a day",
    detect={"everywhere": stuck},  # on a usual value, or on none that is real
    affected=with_the_value,
    inject=_filled,
    dated_by="rows",
)

DEFAULT_VALUE = FaultRule(
    kind="default_value",
    clause="{name} was filled with one value that is not real",
    check="one value that fills many rows",
    detect={"scattered": unreal},
    affected=with_the_value,
    inject=_filled,
    dated_by="rows",
    unheard=True,
)

NEW_VALUES = FaultRule(
    kind="new_values",
    clause="{name} held values never seen before",
    check="values never seen before",
    detect={"everywhere": new_values},
    affected=with_a_name,
    undo=as_they_were,
    undoable=lambda fault, rows: np.isin(as_labels(rows[fault.column]), [now for now, _ in fault.recoding]),
    dated_by="unseen",
    unheard=True,
)
