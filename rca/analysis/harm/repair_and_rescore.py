"""Interventional attribution: repair suspect columns, rescore the rows, divide the metric's change by Shapley value.

A wrong column is repaired exactly where its fault is invertible; else by hot-deck imputation from reference rows
(donors) that match in every other column. Imputation keeps the dependence between columns, but a donor's value is less
informative than the true one. That loss is measured by a placebo on the reference, where nothing is wrong, and
subtracted, so that an innocent column gets zero. It depends on what else is broken at the time, since one grossly wrong
column can dominate the model's score. So faults that can be injected are injected into the reference too, while the
imputation loss of another column is measured there.

References
----------
Little & Rubin (2019). Statistical Analysis with Missing Data, 3rd ed., section 4.3.2 (several variables at once).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.application import could_be, hit, inflict, mend, mendable
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.harm.donor_imputation import DONORS, POSITION, Draw, cross_fitted, draw, joined, typed
from rca.analysis.harm.rescoring import Scorer
from rca.analysis.inputs.metric_reader import MetricReader, Segment
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Mask, Places
from rca.methods.boosted_trees import classifier
from rca.methods.metric import Parts
from rca.methods.shapley import shapley_matrix
from rca.tables.columns import Encoder, for_trees
from rca.tables.condition import all_hold

SEATS = 6
"""Most columns that are repaired together; the least likely beyond these stay as they are."""

SOME = 0.02
"""Share of rows hit, or spared, from which the probability of a hit is modelled by row."""

MAX_ROWS = 4000
"""Most rows of each window that are rescored; influence functions account for sampling them."""


@dataclass(frozen=True, kw_only=True)
class Mended:
    """Shapley values of repaired columns in the metric's change.

    Attributes
    ----------
    columns : tuple of str
    contributions, errors : ndarray of shape (columns,)
        Shapley value of each column in the metric's change, in the metric's unit, and its standard error.
    halves : ndarray of shape (2, columns)
        The contributions found in each half of the rows.
    before, after : float
        The metric's change as it is, and with every column repaired.
    rows : tuple of int
        Rows rescored in the reference and in the current window.
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
    """Rows of one window, repeated for each of `DONORS` imputations, with each suspect column repaired.

    In the reference `broken` has the columns with their faults injected, where these can be done to any value.
    `changed` marks the rows in which a repair changes a column, and `wrong` those in which it is wrong to begin with.
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
    """Shapley value of each column in the metric's change: repair every coalition of columns and rescore.

    ``v(S) = m(current, S repaired) - m(reference) - c(S)``, and c(S) is the cost of imputation, by a placebo: the
    metric of the reference with donors' values for S, in rows that would have been hit, less the metric with the true
    values there; in both, the columns outside S are broken as in the current window, where a fault can be done to any
    value.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    faults : sequence of ColumnFault
        Suspect columns, the likeliest first; the first `SEATS` are repaired.
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
    windows, coalitions = (reference, current), _coalitions(seats)
    first, second, rows = _both_played(
        windows, seats, coalitions=coalitions, meter=meter, ask=ask, features=features, rng=rng
    )
    return _divided(first, second, seats=seats, rows=rows)


@dataclass(frozen=True, kw_only=True)
class PutBack:
    """What the metric does where one column is put back as the reference would have it, and the model answers again.

    Attributes
    ----------
    column : str
    gain, gain_error : float
        The current metric as recorded less the metric put back, paired by row, and its standard error.
    lost, lost_error : float
        `gain` less the same in the reference, where a donor's value is worse than the true one: what the column was
        worth to the model and no longer is.
    halves : tuple of float
        `lost` in each half of the rows.
    rows : int
        Rows of the smaller window.
    """

    column: str
    gain: float
    gain_error: float
    lost: float
    lost_error: float
    halves: tuple[float, float]
    rows: int


def put_back(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    faults: Sequence[ColumnFault],
    *,
    meter: MetricReader,
    ask: Scorer,
    features: Sequence[str],
    rng: np.random.Generator,
    wrong: Mask | None = None,
) -> PutBack:
    """Put one column back, in the rows that its fault hit or in those marked, and rescore; see `mended_harm`.

    It is the column of the first fault; those of the others have exchanged their values with it, and are put back at
    the same time.
    """
    windows, coalitions = (reference, current), [[], [one.column for one in faults]]
    first, second, rows = _both_played(
        windows, faults, coalitions=coalitions, meter=meter, ask=ask, features=features, rng=rng, wrong=wrong
    )
    (kept, given), (own, donated) = second.values, first.values
    changes = [one.influence[0] - one.influence[1] for one in (second, first)]
    errors = float(np.sqrt((changes[0] ** 2).sum())), float(np.sqrt((changes[1] ** 2).sum()))
    halves = (second.halves[0] - second.halves[1]) - (first.halves[0] - first.halves[1])
    return PutBack(
        column=faults[0].column,
        gain=float(kept - given),
        gain_error=errors[0],
        lost=float(kept - given - own + donated),
        lost_error=float(np.hypot(errors[0], errors[1])),
        halves=(float(halves[0]), float(halves[1])),
        rows=min(rows),
    )


def lost_worth(windows: Windows, ask: Scorer, column: str, *, rng: np.random.Generator) -> float:
    """How much less a column is worth to the model, by permuting it within each window: the metric's change, as a z.

    Permutation importance (Breiman, 2001) of the deployed model, reference less current; positive where shuffling the
    column raised the metric more than it does now.
    """
    meter, groups = windows.meter, windows.meter.segments(windows.reference, windows.current)
    worth, error = [], 0.0
    for rows in (windows.reference, windows.current):
        some_rows = rows.iloc[some(len(rows), rng)].reset_index(drop=True)
        mixed = some_rows.assign(**{column: some_rows[column].to_numpy()[rng.permutation(len(some_rows))]})
        every = np.ones(len(some_rows), dtype=bool)
        shuffled = meter.parts(ask.instead(some_rows, mixed, touched=every, broken=~every), groups=groups)
        sound = meter.parts(some_rows, groups=groups)
        worth.append(shuffled.value() - sound.value())
        error += float(((shuffled.influence() - sound.influence()) ** 2).sum())
    return float((worth[0] - worth[1]) / np.sqrt(error)) if error > 0 else 0.0


def _both_played(
    windows: tuple[pd.DataFrame, pd.DataFrame],
    seats: Sequence[ColumnFault],
    *,
    coalitions: Sequence[Sequence[str]],
    meter: MetricReader,
    ask: Scorer,
    features: Sequence[str],
    rng: np.random.Generator,
    wrong: Mask | None = None,
) -> "tuple[_Played, _Played, tuple[int, int]]":
    """The metric of both windows under some coalitions of repaired columns, and the rows that were rescored."""
    (reference, current), suspects = windows, {fault.column for fault in seats}
    groups = meter.segments(reference, current)
    kept = some(len(current), rng)
    before, after = numbered(reference, some(len(reference), rng)), numbered(current, kept)
    repairs = [repair(fault, current, kept) for fault in seats]
    if wrong is not None:
        hurt, share = wrong[kept], float(wrong.mean())
        repairs = [
            replace(one, fault=replace(one.fault, share=share), wrong=hurt, undone=one.undone & hurt) for one in repairs
        ]
    lost = {one.fault.column for one in repairs if one.lost > 0} or suspects
    donors = cross_fitted(reference, lost, [name for name in features if name not in lost])
    known = [name for name in (*features, *meter.roles.groups) if name not in suspects]
    struck = [rng.random(len(before)) < chance_of_a_hit(one, before, after, known=known) for one in repairs]
    undone = after.assign(**{one.fault.column: one.values for one in repairs if not one.lost})
    both = (
        _placebo(draw(donors, before, rng), repairs, struck, rng=rng),
        _repaired(replace(draw(donors, undone, rng), rows=after), repairs),
    )
    first, second = (
        play(window, coalitions, meter=meter, ask=ask, groups=groups)
        for play, window in zip((_cost_of_donors, _every_coalition), both, strict=True)
    )
    return first, second, (both[0].size, both[1].size)


@dataclass(frozen=True, kw_only=True)
class Repair:
    """Exact repair of a column in a sample of the current rows, as far as its fault is invertible.

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
        """Share of the rows hit whose true value is lost and has to be imputed."""
        return 1 - float(self.undone.sum() / self.wrong.sum()) if self.wrong.any() else float(not self.fault.invertible)


def repair(fault: ColumnFault, current: pd.DataFrame, kept: Places) -> Repair:
    """Invert a fault on the whole window, since the true value may stand in another row, and keep a sample."""
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
    """Positions of a random sample of at most `MAX_ROWS` rows, ascending."""
    return np.sort(rng.choice(rows, MAX_ROWS, replace=False)) if rows > MAX_ROWS else np.arange(rows)


def numbered(rows: pd.DataFrame, kept: Places) -> pd.DataFrame:
    """Some rows, re-indexed, with their original position in column `POSITION`."""
    return rows.iloc[kept].reset_index(drop=True).assign(**{POSITION: kept})


def _repaired(draw: Draw, repairs: Sequence[Repair]) -> _Window:
    """The current window with repaired columns: exact where the fault is invertible, else hot-deck imputed."""
    mended = {}
    for one in repairs:
        given = draw.given(one.fault.column, one.wrong & ~one.undone, possible=could_be(one.fault, draw.pool))
        if one.undone.any():
            exact = pd.concat([one.values] * DONORS, ignore_index=True)
            given = joined(exact, given, np.tile(one.undone, DONORS))
        mended[one.fault.column] = given
    tall = draw.tall()
    wrong = {one.fault.column: one.wrong for one in repairs}
    none = pd.DataFrame(index=tall.index)
    return _Window(rows=tall, mended=pd.DataFrame(mended), broken=none, changed=wrong, wrong=wrong)


def _placebo(draw: Draw, repairs: Sequence[Repair], struck: Sequence[Mask], *, rng: np.random.Generator) -> _Window:
    """Placebo on the reference: impute true values in the rows that would have been hit, to measure its cost."""
    mended, broken, changed = {}, {}, {}
    for one, rows in zip(repairs, struck, strict=True):
        column = one.fault.column
        changed[column] = rows
        lost = rows & (rng.random(len(rows)) < one.lost)
        mended[column] = draw.given(column, lost, possible=could_be(one.fault, draw.pool))
        hurt = typed(inflict(one.fault, draw.rows, rows), draw.rows[column])
        broken[column] = pd.concat([hurt] * DONORS, ignore_index=True)
    ill = pd.DataFrame(broken)
    return _Window(rows=draw.tall(), mended=pd.DataFrame(mended), broken=ill, changed=changed, wrong={})


def chance_of_a_hit(one: Repair, before: pd.DataFrame, after: pd.DataFrame, *, known: Sequence[str]) -> Floats:
    """Probability that the fault would have hit each reference row, by a classifier on its other columns.

    A fault that hit one segment has its imputation cost there and nowhere else; so must its placebo. One that changes
    only some values, as a cap does, hits rows that have them.
    """
    changed = could_be(one.fault, before)
    if changed is not None:
        changed &= all_hold(one.fault.where, before) if one.fault.where else True
        return np.asarray(changed * np.minimum(1.0, one.fault.share / max(float(changed.mean()), 1e-9)))
    if not SOME < one.wrong.mean() < 1 - SOME or not known:
        return np.full(len(before), one.fault.share)
    encode = Encoder.fit(before, known)
    model = classifier(rounds=60, rate=0.1).fit(for_trees(encode(after)), one.wrong)
    chance = model.predict_proba(encode(before))[:, 1]
    return np.asarray(np.minimum(1.0, chance * one.fault.share / one.wrong.mean()))


@dataclass(frozen=True, kw_only=True)
class _Played:
    """The metric under every coalition of repaired columns: `values` (coalitions,), influence functions and halves.

    `influence` has shape (coalitions, rows), `halves` (coalitions, 2).
    """

    values: Floats
    influence: Floats
    halves: Floats


def _every_coalition(
    window: _Window,
    coalitions: Sequence[Sequence[str]],
    *,
    meter: MetricReader,
    ask: Scorer,
    groups: tuple[Segment, ...],
) -> _Played:
    """The metric of a window with every coalition of columns repaired and the rows rescored."""
    played = [_asked(window, names, meter=meter, ask=ask, groups=groups) for names in coalitions]
    return _measured(played, window.size)


def _cost_of_donors(
    window: _Window,
    coalitions: Sequence[Sequence[str]],
    *,
    meter: MetricReader,
    ask: Scorer,
    groups: tuple[Segment, ...],
) -> _Played:
    """The reference's metric plus the imputation cost of each coalition, with the other columns broken.

    A surrogate does not know the model's score of values outside its training data: with one, the other columns are
    left sound.
    """
    if ask.fidelity is not None:
        sound = replace(window, broken=window.broken[[]])
        return _every_coalition(sound, coalitions, meter=meter, ask=ask, groups=groups)
    given = _every_coalition(window, coalitions, meter=meter, ask=ask, groups=groups)
    sound = replace(window, mended=window.rows[list(coalitions[-1])])
    true = _measured(
        [_asked(sound, names, meter=meter, ask=ask, groups=groups, draws=1) for names in coalitions],
        window.size,
    )
    return _Played(
        values=given.values - true.values + true.values[-1],
        influence=given.influence - true.influence + true.influence[-1],
        halves=given.halves - true.halves + true.halves[-1],
    )


def _coalitions(seats: Sequence[ColumnFault]) -> list[list[str]]:
    """Every coalition of columns, in the order of `shapley_matrix`."""
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
    """Per-row parts of the metric with some columns repaired and the others broken, averaged over imputations."""
    draws = draws if names else 1
    rows = window.rows.iloc[: draws * window.size]
    others = [name for name in window.broken if name not in names]
    seen = rows.assign(**window.broken[others], **{name: window.mended[name] for name in names})
    left = [name for name in window.wrong if name in ask.strange and name not in names]
    touched, broken = window.any_of(window.changed, names), window.any_of(window.wrong, left)
    healed = window.any_of(window.changed, [name for name in names if name in ask.strange])
    masks = {"touched": touched, "broken": broken, "healed": healed}
    answered = ask.instead(rows, seen, **{name: np.tile(mask, draws) for name, mask in masks.items()})
    parts = meter.parts(answered, groups=groups)

    def averaged(tall: Floats) -> Floats:
        return np.asarray(tall.reshape(draws, window.size, -1).mean(axis=0))

    return replace(parts, numerator=averaged(parts.numerator), denominator=averaged(parts.denominator))
