"""Mend it and see: give columns values they could have had, ask the model again, and look at the metric.

A column that is wrong is replaced by what it would have been: exactly, where its fault can be undone; else by the
values of donors, reference rows that look alike in every column not under suspicion. Donors keep the columns' relation
to the rest and to each other, but know less than the true value. What that costs is measured on the reference, where
nothing is wrong, and taken off, so that an innocent column gets zero.

References
----------
.. [1] Little, R. J. A. (1988). Missing-data adjustments in large surveys. J. Bus. Econ. Stat. 6(3): predictive mean
   matching.
.. [2] Little & Rubin (2019). Statistical Analysis with Missing Data, 3rd ed., section 4.3.2 (several variables at
   once).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.asking import Asker
from rca.analysis.attribution import shapley_matrix
from rca.analysis.columns import Encoder, Floats, Mask, as_labels, as_numbers, for_trees, kind_of
from rca.analysis.faults import ColumnFault, hit, mend
from rca.analysis.meter import Meter, Segment
from rca.analysis.metric import Parts

Indices = npt.NDArray[np.intp]

DONORS = 5
"""Donors drawn for each row; the metric is averaged over them."""

NEIGHBOURS = 10
"""Nearest reference rows that a donor is drawn from."""

SEATS = 6
"""Columns that are mended together; beyond these, the columns that moved least stay as they are."""

SOME = 0.02
"""Share of rows hit, or spared, from which it is asked which rows a fault hits."""

ROWS = 4000
"""Rows of each window that are asked again; their influence functions say what sampling them costs."""


@dataclass(frozen=True, kw_only=True)
class Mended:
    """What mending did.

    Attributes
    ----------
    columns : tuple of str
    contributions, errors : ndarray of shape (columns,)
        Shapley value of each column in the metric's change, in the metric's unit, and its standard error.
    halves : ndarray of shape (2, columns)
        The contributions found in each half of the rows.
    before, after : float
        The metric's change as it is, and with every column mended.
    rows : tuple of int
        Rows asked again in the reference and in the current window.
    """

    columns: tuple[str, ...]
    contributions: Floats
    errors: Floats
    halves: Floats
    before: float
    after: float
    rows: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class _Window:
    """Rows of one window, `DONORS` times over, with each suspect column as mending would have it.

    `changed` says which rows that touches, by column; `broken` whether what it touches is wrong, and not a placebo.
    """

    rows: pd.DataFrame
    mended: pd.DataFrame
    changed: Mapping[str, Mask]
    broken: bool

    @property
    def size(self) -> int:
        """Rows of the window, each counted once."""
        return len(self.rows) // DONORS

    def struck(self, names: Sequence[str]) -> Mask:
        """Rows in which mending some columns changes anything."""
        masks = [self.changed[name] for name in names]
        return np.logical_or.reduce(masks) if masks else np.zeros(self.size, dtype=bool)

    def left(self, names: Sequence[str]) -> list[str]:
        """Columns that are wrong still with some mended."""
        return [name for name in self.changed if name not in names] if self.broken else []


def mended_harm(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    faults: Sequence[ColumnFault],
    *,
    meter: Meter,
    ask: Asker,
    features: Sequence[str],
    rng: np.random.Generator,
) -> Mended:
    """Divide the metric's change among columns by mending every coalition of them and asking the model again.

    ``v(S)`` is the change between the windows that is left with the columns in `S` mended: wrong values in the current
    window are replaced; in the reference the rows that would have been hit get donors too, so that what donors do not
    know cancels.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    faults : sequence of ColumnFault
        Whom to seat, the likeliest first; the first `SEATS` are.
    meter : Meter
    ask : Asker
    features : sequence of str
        Columns the model reads.
    rng : numpy.random.Generator

    Returns
    -------
    Mended
        ``contributions.sum()`` equals ``before - after``.
    """
    seats = tuple(faults)[:SEATS]
    suspects = {fault.column for fault in seats}
    donors = _cross_fitted(reference, suspects, [name for name in features if name not in suspects])
    groups = meter.segments(reference, current)
    before, after = _sample(reference, rng), _sample(current, rng)
    known = [name for name in (*features, *meter.roles.groups) if name not in suspects]
    treated = {
        fault.column: rng.random(len(before)) < _chance_of_a_hit(fault, before, after, known=known) for fault in seats
    }
    windows = (
        _placebo(_draw(donors, before, rng), seats, treated),
        _repairs(_draw(donors, after, rng), seats),
    )
    played = [_every_coalition(window, seats, meter=meter, ask=ask, groups=groups) for window in windows]
    return _divided(*played, seats=seats, rows=(windows[0].size, windows[1].size))


def _divided(
    reference: "_Played", current: "_Played", *, seats: Sequence[ColumnFault], rows: tuple[int, int]
) -> Mended:
    left = current.values - reference.values
    division = -shapley_matrix(len(seats))
    return Mended(
        columns=tuple(fault.column for fault in seats),
        contributions=division @ left,
        errors=np.sqrt(sum(((division @ side.influence) ** 2).sum(axis=1) for side in (reference, current))),
        halves=(division @ (current.halves - reference.halves)).T,
        before=float(left[0]),
        after=float(left[-1]),
        rows=rows,
    )


def _sample(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """At most `ROWS` rows, in their order, numbered anew with their old position kept."""
    kept = np.sort(rng.choice(len(rows), ROWS, replace=False)) if len(rows) > ROWS else np.arange(len(rows))
    return rows.iloc[kept].reset_index(drop=True).assign(**{_POSITION: kept})


_POSITION = "\0position"


@dataclass(frozen=True, kw_only=True)
class _Donors:
    """Reference rows that stand in for rows whose suspect columns are not believed."""

    rows: pd.DataFrame
    matches: Callable[[pd.DataFrame], Indices]

    @classmethod
    def fit(cls, reference: pd.DataFrame, suspects: set[str], others: list[str]) -> "_Donors":
        """Match rows on what the other columns predict of the suspect ones, which is all that they tell of them."""
        from scipy.spatial import cKDTree

        pool = reference.iloc[np.linspace(0, len(reference) - 1, min(len(reference), 3 * ROWS)).astype(int)]
        encode = Encoder.fit(pool, others)
        predictors = [_regress(encode(pool), _ranks(pool[name])) for name in sorted(suspects)]

        def means(rows: pd.DataFrame) -> Floats:
            seen = encode(rows)
            return np.column_stack([predict(seen) for predict in predictors])

        tree = cKDTree(means(pool))
        near = min(NEIGHBOURS, len(pool))

        def matches(rows: pd.DataFrame) -> Indices:
            return np.asarray(tree.query(means(rows), k=near)[1]).reshape(len(rows), -1)

        return cls(rows=pool.reset_index(drop=True), matches=matches)

    def draw(self, rows: pd.DataFrame, rng: np.random.Generator) -> Indices:
        """Draw `DONORS` donors for each row: positions in the pool, of shape (rows, DONORS)."""
        near = self.matches(rows)
        chosen = rng.integers(0, near.shape[1], size=(len(rows), DONORS))
        return np.take_along_axis(near, chosen, axis=1)


def _cross_fitted(reference: pd.DataFrame, suspects: set[str], others: list[str]) -> tuple[_Donors, _Donors]:
    """Donors for even and for odd positions, each from the rows at the other positions.

    No reference row may be its own donor, nor be matched by a regression that has seen it: the placebo would come out
    too cheap, and an innocent column would seem to have done good.
    """
    even = np.arange(len(reference)) % 2 == 0
    return _Donors.fit(reference[~even], suspects, others), _Donors.fit(reference[even], suspects, others)


def _draw(donors: tuple[_Donors, _Donors], rows: pd.DataFrame, rng: np.random.Generator) -> "_Draw":
    """Donors for the rows of a window, by the parity of their positions."""
    odd = rows[_POSITION].to_numpy() % 2 == 1
    drawn = np.zeros((len(rows), DONORS), dtype=np.intp)
    for side, own, before in ((0, ~odd, 0), (1, odd, len(donors[0].rows))):
        if own.any():
            drawn[own] = donors[side].draw(rows[own], rng) + before
    return _Draw(rows=rows, pool=pd.concat([one.rows for one in donors], ignore_index=True), donors=drawn)


@dataclass(frozen=True, kw_only=True)
class _Draw:
    """Rows of a window with their donors: positions in the pool, of shape (rows, DONORS)."""

    rows: pd.DataFrame
    pool: pd.DataFrame
    donors: Indices

    def tall(self) -> pd.DataFrame:
        """The rows once for each donor."""
        return pd.concat([self.rows] * DONORS, ignore_index=True)

    def given(self, column: str, wrong: Mask) -> "pd.Series[Any]":
        """A column with what each donor has in place of what is wrong, one donor after another."""
        recorded, given = self.rows[column], self.pool[column].iloc[self.donors.T.ravel()].reset_index(drop=True)
        tall, wrong = pd.concat([recorded] * DONORS, ignore_index=True), np.tile(wrong, DONORS)
        if pd.api.types.is_numeric_dtype(recorded) and pd.api.types.is_numeric_dtype(given):
            return pd.Series(np.where(wrong, given.to_numpy(), tall.to_numpy()))
        return _typed(pd.Series(np.where(wrong, given.astype(object), tall.astype(object)), dtype=object), given)


def _typed(values: "pd.Series[Any]", like: "pd.Series[Any]") -> "pd.Series[Any]":
    """Values in the type that the reference has; what cannot be read as one is missing."""
    if pd.api.types.is_numeric_dtype(like):
        return pd.to_numeric(values, errors="coerce")
    if pd.api.types.is_datetime64_any_dtype(like):
        return pd.to_datetime(values, errors="coerce", utc=True)
    return values if pd.api.types.is_timedelta64_dtype(like) else values.astype(like.dtype)


def _ranks(values: "pd.Series[Any]") -> Floats:
    """A column as mid-ranks between 0 and 1, so that no tail rules the regression; missing as one half."""
    numbers = (
        as_numbers(values)
        if kind_of(values) == "numeric"
        else pd.factorize(as_labels(values), sort=True)[0].astype(float)
    )
    return np.asarray(pd.Series(numbers).rank(pct=True).fillna(0.5), dtype=float)


def _regress(seen: Floats, target: Floats) -> Callable[[Floats], Floats]:
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(max_iter=60, max_leaf_nodes=15, random_state=0, early_stopping=False)
    model.fit(for_trees(seen), target)
    spread = float(target.std()) or 1.0
    return lambda rows: np.asarray(model.predict(rows) / spread)


def _repairs(draw: _Draw, seats: Sequence[ColumnFault]) -> _Window:
    """What mending puts into the current window: exact values where the fault can be undone, else those of donors."""
    rows, mended, wrong = draw.rows, {}, {}
    for fault in seats:
        placed = _placed(fault, rows)
        wrong[fault.column] = hit(placed, rows)
        if fault.invertible:
            mended[fault.column] = pd.concat([mend(placed, rows)] * DONORS, ignore_index=True)
        else:
            mended[fault.column] = draw.given(fault.column, wrong[fault.column])
    return _Window(rows=draw.tall(), mended=pd.DataFrame(mended), changed=wrong, broken=True)


def _placebo(draw: _Draw, seats: Sequence[ColumnFault], treated: Mapping[str, Mask]) -> _Window:
    """Donors where nothing is wrong, in the rows that would have been hit, to learn what donors cost.

    A fault that can be undone costs no donors: there the values stay, and only a stand-in's own errors are learned.
    """
    spared = np.zeros(len(draw.rows), dtype=bool)
    mended = {
        fault.column: draw.given(fault.column, spared if fault.invertible else treated[fault.column]) for fault in seats
    }
    return _Window(rows=draw.tall(), mended=pd.DataFrame(mended), changed=treated, broken=False)


def _chance_of_a_hit(fault: ColumnFault, before: pd.DataFrame, after: pd.DataFrame, *, known: Sequence[str]) -> Floats:
    """For each reference row, the probability that the fault would have hit it, by what else is known of the row.

    A fault that struck one segment costs donors there and nowhere else; so must its placebo.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    wrong = hit(_placed(fault, after), after)
    if not SOME < wrong.mean() < 1 - SOME or not known:
        return np.full(len(before), fault.share)
    encode = Encoder.fit(before, known)
    model = HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=15, l2_regularization=5.0, random_state=0, early_stopping=False
    )
    model.fit(for_trees(encode(after)), wrong)
    chance = model.predict_proba(encode(before))[:, 1]
    return np.asarray(np.minimum(1.0, chance * fault.share / wrong.mean()))


def _placed(fault: ColumnFault, rows: pd.DataFrame) -> ColumnFault:
    """The fault as it lies in a sample of the current rows."""
    return replace(fault, since=int(np.searchsorted(rows[_POSITION].to_numpy(), fault.since)))


@dataclass(frozen=True, kw_only=True)
class _Played:
    """The metric under every coalition of mended columns: `values` (coalitions,), and of each half of the rows.

    `influence` has shape (coalitions, rows), `halves` (coalitions, 2).
    """

    values: Floats
    influence: Floats
    halves: Floats


def _every_coalition(
    window: _Window, seats: Sequence[ColumnFault], *, meter: Meter, ask: Asker, groups: tuple[Segment, ...]
) -> _Played:
    played = []
    for members in range(2 ** len(seats)):
        names = [fault.column for i, fault in enumerate(seats) if members >> i & 1]
        played.append(_asked(window, names, meter=meter, ask=ask, groups=groups))
    rows = np.arange(window.size)
    return _Played(
        values=np.array([parts.value() for parts in played]),
        influence=np.array([parts.influence() for parts in played]),
        halves=np.array([[parts.take(rows[half::2]).value() for half in (0, 1)] for parts in played]),
    )


def _asked(window: _Window, names: Sequence[str], *, meter: Meter, ask: Asker, groups: tuple[Segment, ...]) -> Parts:
    """Parts of the metric with some columns mended, averaged over donors."""
    draws = DONORS if names else 1
    rows = window.rows.iloc[: draws * window.size]
    mended = rows.assign(**{name: window.mended[name] for name in names})
    touched, broken = (np.tile(window.struck(which), draws) for which in (names, window.left(names)))
    parts = meter.parts(ask.instead(rows, mended, touched=touched, broken=broken), groups=groups)

    def averaged(tall: Floats) -> Floats:
        return np.asarray(tall.reshape(draws, window.size, -1).mean(axis=0))

    return replace(parts, numerator=averaged(parts.numerator), denominator=averaged(parts.denominator))
