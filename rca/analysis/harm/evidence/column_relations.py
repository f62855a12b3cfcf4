"""Does a column go with the others, and with the clock, as before: in both directions, the worst columns first.

A column is predicted from the others, cross-fitted on the reference, and the law of what is left is compared between
the windows. Selection by a column (other people came) leaves the others given the column as they were; a column that
broke does not. So a column is told to have broken only where both directions moved. A broken one makes its neighbours
look broken: the column without which the fewest still do is taken out of all predictors, and the others judged again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from rca.arrays import Floats, Places
from rca.methods.boosted_trees import regressor
from rca.methods.two_sample_tests import Z
from rca.methods.two_sample_tests import kolmogorov_distance as distance_of
from rca.tables.columns import Encoder, for_trees

FOLDS = 2
"""Cross-fitting folds of the reference."""

MAX_ROWS = 3000
"""Most rows of each window that are compared."""

NEAREST = 40
"""Most columns that predict one, those that go with it most closely."""

PEELED = 4
"""Most columns that are taken out of the predictors."""

SURELY = 1e-4
"""p-value below which a column no longer goes with the others, over all columns (Bonferroni)."""

TIED = 0.02
"""Share of a column's variance that the others have to tell of, for them to be predicted from it in turn."""

HALF = 0.5
"""Part of what the others told of a column that they surely have to tell still."""

OWN_BINS = 16
"""Bins of a column's own value."""

CLOCK = ("\0hour", "\0weekday")
"""Columns of the clock: no case can have them."""


def with_clock(rows: pd.DataFrame, time: str | None) -> pd.DataFrame:
    """The rows with hour and weekday of their time, in UTC; as they are where there is no time."""
    if time is None or time not in rows or not pd.api.types.is_datetime64_any_dtype(rows[time]):
        return rows
    at = rows[time].dt
    hour, weekday = at.hour + at.minute / 60, at.day_of_week
    return rows.assign(**{CLOCK[0]: hour.astype(float), CLOCK[1]: weekday.astype(float)})


@dataclass(frozen=True, kw_only=True)
class ColumnRelation:
    """How one column goes with the others in both windows.

    Attributes
    ----------
    column : str
    given_others, others_given : float
        p-values of no change: of the column given the others, and of what they say of it given the column; 1 where
        they told nothing of it.
    tied : bool
        Whether the others surely tell of it in the current rows, at least `HALF` as much as in the reference; if not,
        nothing shows whose values it holds.
    """

    column: str
    given_others: float
    others_given: float
    tied: bool = False

    def broke(self, columns: int) -> bool:
        """Whether it moved in both directions, one of `columns` that were asked."""
        return max(self.given_others, self.others_given) * columns < SURELY

    def moved(self, columns: int) -> bool:
        """Whether it goes with the others otherwise, for whatever reason."""
        return self.given_others * columns < SURELY


def column_relations(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    columns: Sequence[str],
    *,
    beside: Sequence[str] = (),
    without: Collection[str] = (),
    seed: int = 0,
) -> dict[str, ColumnRelation]:
    """Judge the relation of each column to the others, worst first.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    columns : sequence of str
        Columns to be judged, and to predict each other.
    beside : sequence of str
        Columns that predict only, as the clock's.
    without : collection of str
        Columns that are judged and predict none, as they are known to have moved.
    seed : int

    Returns
    -------
    dict of str to ColumnRelation
    """
    bench = _Bench.of(reference, current, columns, beside=beside, seed=seed)

    def left(name: str, broke: Sequence[str], out: Collection[str]) -> int:
        """How many others still look broken without a column."""
        others = [other for other in broke if other != name][:PEELED]
        return sum(bench.judge(other, {*out, name}).moved(len(columns)) for other in others)

    out = set(without)
    found: dict[str, ColumnRelation] = {}
    for _ in range(PEELED):
        found = {name: bench.judge(name, out) for name in columns}
        broke = [name for name in columns if name not in out and found[name].moved(len(columns))]
        if not broke:
            break
        out.add(min(broke, key=lambda name: (left(name, broke, out), found[name].given_others, -bench.distance[name])))
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class _Bench:
    seen: tuple[Floats, Floats]
    places: Mapping[str, int]
    ranks: Mapping[str, tuple[Floats, Floats]]
    fold: Places
    drawn: Places
    distance: dict[str, float] = field(default_factory=dict)
    _judged: dict[tuple[str, tuple[str, ...]], ColumnRelation] = field(default_factory=dict)

    @classmethod
    def of(
        cls, reference: pd.DataFrame, current: pd.DataFrame, columns: Sequence[str], *, beside: Sequence[str], seed: int
    ) -> "_Bench":
        rng = np.random.default_rng(seed)
        rows = [_some(one, rng) for one in (reference, current)]
        names = [*columns, *(name for name in beside if name in reference and name in current)]
        encode = Encoder.fit(rows[0], names)
        seen = encode(rows[0]), encode(rows[1])
        ranks = {name: _ranks(seen[0][:, i], seen[1][:, i]) for i, name in enumerate(names) if name in columns}
        fold = rng.permutation(len(rows[0])) % FOLDS
        return cls(
            seen=(for_trees(seen[0]), for_trees(seen[1])),
            places={name: i for i, name in enumerate(names)},
            ranks=ranks,
            fold=fold,
            drawn=rng.integers(0, FOLDS, len(rows[1])),
        )

    def judge(self, name: str, out: Collection[str]) -> ColumnRelation:
        """A column against all that are neither itself nor taken out."""
        others = tuple(other for other in self._nearest(name) if other != name and other not in out)[:NEAREST]
        if (name, others) not in self._judged:
            self._judged[name, others] = self._judge(name, others)
        return self._judged[name, others]

    def _nearest(self, name: str) -> Sequence[str]:
        """Columns that can predict one, those first that go with it most closely; in their order where they are few."""
        names = tuple(self.places)
        if len(names) <= NEAREST:
            return names
        close = np.abs(self._apart.T @ (self.ranks[name][0] - self.ranks[name][0].mean()))
        return [names[at] for at in np.argsort(-close, kind="stable")]

    @cached_property
    def _apart(self) -> Floats:
        """Ranks of the reference in every column, less their mean and of unit length."""
        ranks = np.column_stack([_ranks(values, values)[0] for values in self.seen[0].T])
        ranks -= ranks.mean(axis=0)
        return np.asarray(ranks / np.maximum(np.sqrt((ranks**2).sum(axis=0)), 1e-12))

    def _judge(self, name: str, others: tuple[str, ...]) -> ColumnRelation:
        if not others or self.ranks[name][0].std() == 0:
            return ColumnRelation(column=name, given_others=1.0, others_given=1.0)
        places = [self.places[other] for other in others]
        said = self._cross_fitted((self.seen[0][:, places], self.seen[1][:, places]), self.ranks[name])
        left = self.ranks[name][0] - said[0], self.ranks[name][1] - said[1]
        self.distance[name], given = distance_of(*left), chance_of(*left)
        if 1 - float(left[0].var() / self.ranks[name][0].var()) < TIED:
            return ColumnRelation(column=name, given_others=given, others_given=1.0)
        back = self._by_value(self.ranks[name], said)
        turned = chance_of(said[0] - back[0], said[1] - back[1])
        return ColumnRelation(
            column=name, given_others=given, others_given=turned, tied=_still_told(said[1], self.ranks[name][1])
        )

    def _by_value(self, values: tuple[Floats, Floats], said: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
        """Mean of what the others say in bins of the column's own value, each row by one fold that has not seen it."""
        edges = np.unique(np.quantile(values[0], np.linspace(0, 1, OWN_BINS + 1)[1:-1]))
        bins = [np.searchsorted(edges, side, side="right") for side in values]
        back = np.zeros(len(bins[0])), np.zeros(len(bins[1]))
        for k in range(FOLDS):
            taught = self.fold != k
            counts = np.bincount(bins[0][taught], minlength=len(edges) + 1)
            sums = np.bincount(bins[0][taught], weights=said[0][taught], minlength=len(edges) + 1)
            means = np.where(counts > 0, sums / np.maximum(counts, 1), said[0][taught].mean())
            for side, rows in ((0, self.fold == k), (1, self.drawn == k)):
                back[side][rows] = means[bins[side][rows]]
        return back

    def _cross_fitted(self, seen: tuple[Floats, Floats], target: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
        """Predictions of both windows, each row by one fold that has not seen it."""
        said = np.empty(len(seen[0])), np.empty(len(seen[1]))
        for k in range(FOLDS):
            model = regressor(rounds=20, leaves=6, rate=0.2).fit(seen[0][self.fold != k], target[0][self.fold != k])
            said[0][self.fold == k] = model.predict(seen[0][self.fold == k])
            if (self.drawn == k).any():
                said[1][self.drawn == k] = model.predict(seen[1][self.drawn == k])
        return said


def _still_told(said: Floats, values: Floats) -> bool:
    """Whether values follow what was predicted of them by a slope that is surely above `HALF`."""
    apart = said - said.mean()
    spread = float((apart**2).sum())
    if spread == 0:
        return False
    slope = float((apart * values).sum()) / spread
    left = values - values.mean() - slope * apart
    return slope - Z * float(np.sqrt((left**2).sum() / len(values) / spread)) > HALF


def chance_of(before: Floats, after: Floats) -> float:
    """p-value of what is left having one law, by its distribution or its size, whichever tells more (Bonferroni).

    The Kolmogorov-Smirnov test by its limiting law, where ties make it too large, never too small; and Welch's of the
    squares, as what a column lost of its relation is size and no shift.
    """
    from scipy.special import kolmogorov
    from scipy.stats import norm

    size = len(before) * len(after) / (len(before) + len(after))
    squares = before**2, after**2
    error = float(np.sqrt(sum(one.var() / len(one) for one in squares)))
    larger = float(norm.sf((squares[1].mean() - squares[0].mean()) / error)) if error > 0 else 1.0
    return min(1.0, 2 * min(larger, float(kolmogorov(np.sqrt(size) * distance_of(before, after)))))


def _some(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return rows if len(rows) <= MAX_ROWS else rows.iloc[np.sort(rng.choice(len(rows), MAX_ROWS, replace=False))]


def _ranks(before: Floats, after: Floats) -> tuple[Floats, Floats]:
    """Mid-ranks among the reference's values, from 0 to 1; without a value one half."""
    scale = np.sort(before[np.isfinite(before)])
    if not len(scale):
        return np.full(len(before), 0.5), np.full(len(after), 0.5)
    return _rank(before, scale), _rank(after, scale)


def _rank(values: Floats, scale: Floats) -> Floats:
    low, high = (np.searchsorted(scale, values, side=side) for side in ("left", "right"))
    return np.asarray(np.where(np.isfinite(values), (low + high) / (2 * len(scale)), 0.5))
