"""Mend it and see: give columns values they could have had, ask the model again, and look at the metric.

A column that is wrong is replaced by what it would have been: exactly, where its fault can be undone; else by the
values of donors, reference rows that look alike in every column not under suspicion. Donors keep the columns' relation
to the rest and to each other, but know less than the true value. What that costs is measured on the reference, where
nothing is wrong, and taken off, so that an innocent column gets zero. What it costs depends on what else is broken at
the time: of a column that is a hundred times too large, the model hears little else. So faults that can be done as well
as undone are done to the reference, too, while the cost of the donors of another column is measured there.

References
----------
Little & Rubin (2019). Statistical Analysis with Missing Data, 3rd ed., section 4.3.2 (several variables at once).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.application import hit, inflict, mend, mendable
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.harm.donor_imputation import DONORS, POSITION, Draw, cross_fitted, draw, joined, typed
from rca.analysis.harm.rescoring import Scorer
from rca.analysis.inputs.metric_reader import MetricReader, Segment
from rca.arrays import Floats, Mask, Places
from rca.methods.metric import Parts
from rca.methods.shapley import shapley_matrix
from rca.tables.columns import Encoder, for_trees

SEATS = 6
"""Columns that are mended together; beyond these, the columns that moved least stay as they are."""

SOME = 0.02
"""Share of rows hit, or spared, from which it is asked which rows a fault hits."""

MAX_ROWS = 4000
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

    In the reference `broken` has the columns as their faults would have left them, if those can be done to any value.
    `changed` says in which rows mending a column changes anything, and `wrong` in which it is wrong to begin with.
    """

    rows: pd.DataFrame
    mended: pd.DataFrame
    broken: pd.DataFrame
    changed: Mapping[str, Mask]
    wrong: Mapping[str, Mask]

    @property
    def size(self) -> int:
        """Rows of the window, each counted once."""
        return len(self.rows) // DONORS

    def any_of(self, masks: Mapping[str, Mask], names: Iterable[str]) -> Mask:
        """Rows that the mask of any of these columns marks."""
        return np.asarray(np.any([np.zeros(self.size, dtype=bool), *(masks[name] for name in names)], axis=0))


def mended_harm(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    faults: Sequence[ColumnFault],
    *,
    meter: MetricReader,
    ask: Scorer,
    features: Sequence[str],
    rng: np.random.Generator,
) -> Mended:
    """Divide the metric's change among columns by mending every coalition of them and asking the model again.

    ``v(S) = m(current, S mended) - m(reference) - c(S)``, and c(S) is what donors cost: the metric of the reference
    with donors for S, in rows that would have been hit, less the metric with the true values there; in both, the
    columns outside S are broken as they are in the current window, where a fault can be done to any value.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    faults : sequence of ColumnFault
        Whom to seat, the likeliest first; the first `SEATS` are.
    meter : MetricReader
    ask : Scorer
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
    groups = meter.segments(reference, current)
    kept = some(len(current), rng)
    before, after = numbered(reference, some(len(reference), rng)), numbered(current, kept)
    repairs = [repair(fault, current, kept) for fault in seats]
    lost = {one.fault.column for one in repairs if one.lost > 0} or suspects
    donors = cross_fitted(reference, lost, [name for name in features if name not in lost])
    known = [name for name in (*features, *meter.roles.groups) if name not in suspects]
    struck = [rng.random(len(before)) < chance_of_a_hit(one, before, after, known=known) for one in repairs]
    undone = after.assign(**{one.fault.column: one.values for one in repairs if not one.lost})
    windows = (
        _placebo(draw(donors, before, rng), repairs, struck, rng=rng),
        _repaired(replace(draw(donors, undone, rng), rows=after), repairs),
    )
    first, second = (
        play(window, seats, meter=meter, ask=ask, groups=groups)
        for play, window in zip((_cost_of_donors, _every_coalition), windows, strict=True)
    )
    return _divided(first, second, seats=seats, rows=(windows[0].size, windows[1].size))


@dataclass(frozen=True, kw_only=True)
class Repair:
    """A fault in a sample of the current rows.

    Attributes
    ----------
    fault : ColumnFault
    wrong, undone : ndarray of bool, shape (rows,)
        Rows that it hit, and those of them whose true value follows from what was recorded.
    values : Series
        The column, true where it is undone.
    """

    fault: ColumnFault
    wrong: Mask
    undone: Mask
    values: "pd.Series[Any]"

    @property
    def lost(self) -> float:
        """Share of the rows that were hit whose true value is lost."""
        return 1 - float(self.undone.sum() / self.wrong.sum()) if self.wrong.any() else float(not self.fault.invertible)


def repair(fault: ColumnFault, current: pd.DataFrame, kept: Places) -> Repair:
    """Undo a fault on the whole window, as the true value may stand in another row, and look at a sample."""
    values = mend(fault, current) if fault.invertible else current[fault.column]
    return Repair(
        fault=fault,
        wrong=hit(fault, current)[kept],
        undone=mendable(fault, current)[kept],
        values=values.iloc[kept].reset_index(drop=True),
    )


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


def some(rows: int, rng: np.random.Generator) -> Places:
    """Positions of at most `MAX_ROWS` rows, in their order."""
    return np.sort(rng.choice(rows, MAX_ROWS, replace=False)) if rows > MAX_ROWS else np.arange(rows)


def numbered(rows: pd.DataFrame, kept: Places) -> pd.DataFrame:
    """Some rows, numbered anew with their old position kept."""
    return rows.iloc[kept].reset_index(drop=True).assign(**{POSITION: kept})


def _repaired(draw: Draw, repairs: Sequence[Repair]) -> _Window:
    """What mending puts into the current window: exact values where the fault can be undone, else those of donors."""
    mended = {}
    for one in repairs:
        given = draw.given(one.fault.column, one.wrong & ~one.undone)
        if one.undone.any():
            exact = pd.concat([one.values] * DONORS, ignore_index=True)
            given = joined(exact, given, np.tile(one.undone, DONORS))
        mended[one.fault.column] = given
    tall = draw.tall()
    wrong = {one.fault.column: one.wrong for one in repairs}
    none = pd.DataFrame(index=tall.index)
    return _Window(rows=tall, mended=pd.DataFrame(mended), broken=none, changed=wrong, wrong=wrong)


def _placebo(draw: Draw, repairs: Sequence[Repair], struck: Sequence[Mask], *, rng: np.random.Generator) -> _Window:
    """Donors where nothing is wrong, in the rows that would have been hit, to learn what donors cost."""
    mended, broken, changed = {}, {}, {}
    for one, rows in zip(repairs, struck, strict=True):
        column = one.fault.column
        changed[column] = rows
        mended[column] = draw.given(column, rows & (rng.random(len(rows)) < one.lost))
        hurt = typed(inflict(one.fault, draw.rows, rows), draw.rows[column])
        broken[column] = pd.concat([hurt] * DONORS, ignore_index=True)
    ill = pd.DataFrame(broken)
    return _Window(rows=draw.tall(), mended=pd.DataFrame(mended), broken=ill, changed=changed, wrong={})


def chance_of_a_hit(one: Repair, before: pd.DataFrame, after: pd.DataFrame, *, known: Sequence[str]) -> Floats:
    """For each reference row, the probability that the fault would have hit it, by what else is known of the row.

    A fault that struck one segment costs donors there and nowhere else; so must its placebo.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    if not SOME < one.wrong.mean() < 1 - SOME or not known:
        return np.full(len(before), one.fault.share)
    encode = Encoder.fit(before, known)
    model = HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=15, l2_regularization=5.0, random_state=0, early_stopping=False
    )
    model.fit(for_trees(encode(after)), one.wrong)
    chance = model.predict_proba(encode(before))[:, 1]
    return np.asarray(np.minimum(1.0, chance * one.fault.share / one.wrong.mean()))


@dataclass(frozen=True, kw_only=True)
class _Played:
    """The metric under every coalition of mended columns: `values` (coalitions,), and of each half of the rows.

    `influence` has shape (coalitions, rows), `halves` (coalitions, 2).
    """

    values: Floats
    influence: Floats
    halves: Floats


def _every_coalition(
    window: _Window, seats: Sequence[ColumnFault], *, meter: MetricReader, ask: Scorer, groups: tuple[Segment, ...]
) -> _Played:
    """The metric of a window with every coalition of columns mended."""
    played = [_asked(window, names, meter=meter, ask=ask, groups=groups) for names in _coalitions(seats)]
    return _measured(played, window.size)


def _cost_of_donors(
    window: _Window, seats: Sequence[ColumnFault], *, meter: MetricReader, ask: Scorer, groups: tuple[Segment, ...]
) -> _Played:
    """The metric of the reference, with what the donors of each coalition add while the other columns are broken.

    What a model makes of values it never saw a stand-in does not know: with one, the other columns stay as they are.
    """
    if ask.fidelity is not None:
        sound = replace(window, broken=window.broken[[]])
        return _every_coalition(sound, seats, meter=meter, ask=ask, groups=groups)
    given = _every_coalition(window, seats, meter=meter, ask=ask, groups=groups)
    sound = replace(window, mended=window.rows[[fault.column for fault in seats]])
    true = _measured(
        [_asked(sound, names, meter=meter, ask=ask, groups=groups, draws=1) for names in _coalitions(seats)],
        window.size,
    )
    return _Played(
        values=given.values - true.values + true.values[-1],
        influence=given.influence - true.influence + true.influence[-1],
        halves=given.halves - true.halves + true.halves[-1],
    )


def _coalitions(seats: Sequence[ColumnFault]) -> list[list[str]]:
    """Every set of columns, in the order of `shapley_matrix`."""
    names = [fault.column for fault in seats]
    return [[name for i, name in enumerate(names) if members >> i & 1] for members in range(2 ** len(names))]


def _measured(played: Sequence[Parts], size: int) -> _Played:
    rows = np.arange(size)
    return _Played(
        values=np.array([parts.value() for parts in played]),
        influence=np.array([parts.influence() for parts in played]),
        halves=np.array([[parts.take(rows[half::2]).value() for half in (0, 1)] for parts in played]),
    )


def _asked(
    window: _Window,
    names: Sequence[str],
    *,
    meter: MetricReader,
    ask: Scorer,
    groups: tuple[Segment, ...],
    draws: int = DONORS,
) -> Parts:
    """Parts of the metric with some columns mended and the others broken, averaged over donors."""
    draws = draws if names else 1
    rows = window.rows.iloc[: draws * window.size]
    others = [name for name in window.broken if name not in names]
    seen = rows.assign(**window.broken[others], **{name: window.mended[name] for name in names})
    left = [name for name in window.wrong if name in ask.strange and name not in names]
    touched, broken = window.any_of(window.changed, names), window.any_of(window.wrong, left)
    answered = ask.instead(rows, seen, touched=np.tile(touched, draws), broken=np.tile(broken, draws))
    parts = meter.parts(answered, groups=groups)

    def averaged(tall: Floats) -> Floats:
        return np.asarray(tall.reshape(draws, window.size, -1).mean(axis=0))

    return replace(parts, numerator=averaged(parts.numerator), denominator=averaged(parts.denominator))
