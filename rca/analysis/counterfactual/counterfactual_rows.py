"""Counterfactual decision of each row under an intervention: columns repaired, or another model.

The decision of every row is on record. The counterfactual one is predicted by the model: from the true row, where the
fault is invertible; else once for each hot-deck donor, the reference rows that are nearest in the intact columns.
Donors sample the conditional distribution of the lost values, so that a row has a probability of another decision
rather than a decision. Their bias is estimated on reference rows into which the fault is injected, and whose true
values are on file.

References
----------
.. [1] Pearl, J. (2009). Causality, 2nd ed., section 7.1: abduction, action, prediction.
.. [2] Abadie, A. & Imbens, G. (2006). Large sample properties of matching estimators. Econometrica 74(1), section 3:
   a donor that is used for many rows counts once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.counterfactual.decision import Reader
from rca.analysis.counterfactual.structural_prediction import Follower
from rca.analysis.faults.application import can_be_inflicted, could_be, inflict
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.harm.donor_imputation import Draw, cross_fitted, joined, nearest, typed
from rca.analysis.harm.repair_and_rescore import Repair, chance_of_a_hit, numbered, repair, some
from rca.analysis.harm.rescoring import Scorer
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Mask, Places
from rca.tables.columns import as_numbers

CHUNK = 10_000
"""Rows of one call of the model."""

MIN_ROWS = 30
"""Placebo rows of the reference below which the bias of donors is not estimated."""

DRAWS = 10
"""Errors of a surrogate that are drawn for each row."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Intervention:
    """An intervention: which columns are repaired or which model answers, and in which rows.

    Attributes
    ----------
    said : str
        In words, after "had": "pmms been whole".
    rows : ndarray of bool, shape (current rows,)
        Rows that would have met with it.
    ask : Scorer
        Who would have answered.
    faults : tuple of ColumnFault
        Columns that would have been whole; none where only the model would have been another.
    assumptions : tuple of str
    by : str
        Who would have answered, in words.
    doubted : ndarray of bool, shape (current rows,), or None
        Rows in which a column stays broken in a way that a surrogate was not fitted to.
    """

    said: str
    rows: Mask
    ask: Scorer
    faults: tuple[ColumnFault, ...] = ()
    assumptions: tuple[str, ...] = ()
    by: str = "the model on file"
    doubted: Mask | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Replayed:
    """Rows of one window with the decisions on record and the counterfactual ones, one by each draw.

    Attributes
    ----------
    rows : pandas.DataFrame
        As recorded; of the reference, as the fault would have left them.
    was : ndarray, shape (rows,)
    would : ndarray, shape (draws, rows)
    numerator, denominator : ndarray, shape (draws, rows, groups), or None
        Parts of the metric; None where it cannot be read.
    pool : ndarray of int, shape (rows, draws), or None
        Whose values each draw took; None where none were taken.
    common : bool
        Whether what is wrong with a draw is wrong with it in all rows.
    """

    rows: pd.DataFrame
    was: npt.NDArray[Any]
    would: npt.NDArray[Any]
    numerator: Floats | None
    denominator: Floats | None
    pool: Places | None
    common: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Counterfactual:
    """Every row that the intervention touches, and placebo rows of the reference to correct its bias.

    Attributes
    ----------
    at : ndarray of int
        Positions of the touched rows among the current ones.
    touched : Replayed
    true, given : Replayed or None
        Placebo rows of the reference with the fault injected: with their true values, and with those of donors.
    scale : float
        Current rows with donors' values for each such reference row.
    counted : bool
        Whether `true` says what the fault changes, so that counts can be corrected by it.
    """

    at: Places
    touched: Replayed
    true: Replayed | None = None
    given: Replayed | None = None
    scale: float = 0.0
    counted: bool = False


def counterfactual(
    windows: Windows, scenario: Intervention, reader: Reader, *, rng: np.random.Generator
) -> Counterfactual:
    """Predict the counterfactual decision of every row that an intervention touches.

    Parameters
    ----------
    windows : Windows
    scenario : Intervention
    reader : Reader
        Reads decisions off rows.
    rng : numpy.random.Generator
        Draws the placebo rows of the reference, and errors of a surrogate.
    """
    stage = _Stage(windows=windows, scenario=scenario, reader=reader, rng=rng)
    at = np.flatnonzero(scenario.rows)
    if not scenario.faults:
        return Counterfactual(at=at, touched=stage.answered(windows.current.iloc[at].reset_index(drop=True)))
    return _mended(stage, at)


def _mended(stage: "_Stage", at: Places) -> Counterfactual:
    """Rows with repaired columns: by inverting the fault where it is invertible, else by hot-deck imputation."""
    windows, faults = stage.windows, stage.scenario.faults
    everywhere = [repair(fault, windows.current, np.arange(len(windows.current))) for fault in faults]
    repairs = [_of(one, at) for one in everywhere]
    after = numbered(windows.current, at)
    hidden = {one.fault.column for one in repairs if (one.wrong & ~one.undone).any()}
    if not hidden:
        return Counterfactual(at=at, touched=stage.played(after, _exact(after, repairs), repairs=repairs))
    before = numbered(windows.reference, some(len(windows.reference), stage.rng))
    donors = cross_fitted(before, hidden, stage.believed(hidden))
    undone = after.assign(**{one.fault.column: one.values for one in repairs if one.undone.any()})
    drawn = replace(nearest(donors, undone), rows=after)
    touched = stage.played(drawn.tall(), _given(drawn, repairs), repairs=repairs, pool=drawn.donors)
    struck = [stage.struck(one, before) for one in everywhere if one.fault.column in hidden]
    kept = np.flatnonzero(np.logical_or.reduce(struck))
    if len(kept) < MIN_ROWS:
        return Counterfactual(at=at, touched=touched)
    doubted = [one for one in repairs if one.fault.column in hidden]
    true, given = _placebo(stage, nearest(donors, before), doubted, struck=struck)
    lost = np.logical_or.reduce([one.wrong & ~one.undone for one in repairs])
    return Counterfactual(
        at=at,
        touched=touched,
        true=true,
        given=given,
        scale=float(lost.sum()) / len(kept),
        counted=all(can_be_inflicted(fault) for fault in faults),
    )


def _of(one: Repair, at: Places) -> Repair:
    """A repair restricted to some of the rows."""
    values = one.values.iloc[at].reset_index(drop=True)
    return replace(one, wrong=one.wrong[at], undone=one.undone[at], values=values)


def _exact(rows: pd.DataFrame, repairs: Sequence[Repair]) -> pd.DataFrame:
    return rows.assign(**{one.fault.column: one.values for one in repairs})


def _given(drawn: Draw, repairs: Sequence[Repair]) -> pd.DataFrame:
    """The rows once for each donor: exact values where the fault is inverted, else those of the donor."""
    tall, columns = drawn.tall(), {}
    for one in repairs:
        given = drawn.given(one.fault.column, one.wrong & ~one.undone, possible=could_be(one.fault, drawn.pool))
        if one.undone.any():
            exact = pd.concat([one.values] * drawn.each, ignore_index=True)
            given = joined(exact, given, np.tile(one.undone, drawn.each))
        columns[one.fault.column] = given
    return tall.assign(**columns)


def _placebo(
    stage: "_Stage", drawn: Draw, repairs: Sequence[Repair], *, struck: Sequence[Mask]
) -> tuple[Replayed, Replayed]:
    """Reference rows with the fault injected: rescored with their true values, and with imputed ones."""
    kept = np.flatnonzero(np.logical_or.reduce(struck))
    narrow = replace(drawn, rows=drawn.rows.iloc[kept].reset_index(drop=True), donors=drawn.donors[kept])
    none = np.zeros(len(kept), dtype=bool)
    ill, masks = {}, []
    for one, rows in zip(repairs, struck, strict=True):
        column = one.fault.column
        ill[column] = typed(inflict(one.fault, narrow.rows, rows[kept]), narrow.rows[column])
        masks.append(replace(one, wrong=rows[kept], undone=none))
    broken = narrow.rows.assign(**ill)
    return stage.placebo(narrow.rows, broken, narrow.rows), stage.placebo(narrow.tall(), broken, _given(narrow, masks))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Stage:
    """What all predictions share: windows, intervention, decision reader, and generator."""

    windows: Windows
    scenario: Intervention
    reader: Reader
    rng: np.random.Generator

    def believed(self, hidden: set[str]) -> list[str]:
        """Columns to match donors on: features and groups that are not themselves broken."""
        roles = self.windows.roles
        return [name for name in dict.fromkeys((*roles.features, *roles.groups)) if name not in hidden]

    def struck(self, one: Repair, before: pd.DataFrame) -> Mask:
        """Random reference rows, drawn by their propensity to be hit by the fault."""
        after = self.windows.current
        known = [name for name in self.believed({fault.column for fault in self.scenario.faults}) if name in after]
        chance = chance_of_a_hit(one, before, after, known=known)
        return np.asarray(self.rng.random(len(before)) < chance / max(chance.max(), np.finfo(float).tiny))

    @property
    def errs(self) -> bool:
        """Whether predictions have a random error even for known values (surrogate or SCM)."""
        return self.scenario.ask.fidelity is not None or isinstance(self.scenario.ask, Follower)

    def answered(self, rows: pd.DataFrame) -> Replayed:
        """Rows as they are, answered by another model."""
        tall = pd.concat([rows] * DRAWS, ignore_index=True) if self.errs else rows
        again = self._asked(tall, tall, touched=np.ones(len(rows), dtype=bool))
        return self._read(rows, again, was=self.reader.of(rows))

    def played(
        self, tall: pd.DataFrame, seen: pd.DataFrame, *, repairs: Sequence[Repair], pool: Places | None = None
    ) -> Replayed:
        """Current rows, repaired and rescored; `tall` and `seen` hold them once for each draw."""
        size = len(repairs[0].wrong)
        if len(tall) == size and self.errs:
            tall, seen = (pd.concat([rows] * DRAWS, ignore_index=True) for rows in (tall, seen))
        again = self._asked(tall, seen, touched=np.logical_or.reduce([one.wrong for one in repairs]))
        recorded = tall.iloc[:size]
        return self._read(recorded, again, was=self.reader.of(recorded), pool=pool)

    def placebo(self, tall: pd.DataFrame, broken: pd.DataFrame, seen: pd.DataFrame) -> Replayed:
        """Reference rows: decisions with the fault injected, and decisions with the values of `seen`."""
        ask, size = self.scenario.ask, len(broken)
        every, none = np.ones(len(tall), dtype=bool), np.zeros(len(tall), dtype=bool)
        was = self.reader.of(ask.instead(tall.iloc[:size], broken, touched=every[:size], broken=none[:size]))
        again = ask.instead(tall, seen, touched=every, broken=none)
        return self._read(tall.iloc[:size], again, was=was)

    def _asked(self, tall: pd.DataFrame, seen: pd.DataFrame, *, touched: Mask) -> pd.DataFrame:
        """Counterfactual answers, by chunks of rows; by an SCM one draw at a time."""
        ask, size = _erring(self.scenario.ask, self.windows, self.rng), max(len(touched), 1)
        if isinstance(ask, Follower):
            cuts = [slice(start, start + size) for start in range(0, len(tall), size)]
            parts = [ask.follow(tall.iloc[cut], seen.iloc[cut], draw=draw) for draw, cut in enumerate(cuts)]
        else:
            doubt = (
                self.scenario.doubted[self.scenario.rows] if self.scenario.doubted is not None else ~touched & touched
            )
            every, broken = (np.tile(mask, len(tall) // size) for mask in (touched, doubt))
            cuts = [slice(start, start + CHUNK) for start in range(0, len(tall), CHUNK)]
            parts = [
                ask.instead(tall.iloc[cut], seen.iloc[cut], touched=every[cut], broken=broken[cut]) for cut in cuts
            ]
        return pd.concat(parts, ignore_index=True) if parts else seen

    def _read(
        self, rows: pd.DataFrame, again: pd.DataFrame, *, was: npt.NDArray[Any], pool: Places | None = None
    ) -> Replayed:
        size = len(rows)
        draws = len(again) // size if size else 1
        parts = self.reader.parts(again)
        shape = (draws, size, -1)
        return Replayed(
            rows=rows,
            was=was,
            would=self.reader.of(again).reshape(draws, size),
            numerator=None if parts is None or not size else parts.numerator.reshape(shape),
            denominator=None if parts is None or not size else parts.denominator.reshape(shape),
            pool=pool,
            common=isinstance(self.scenario.ask, Follower),
        )


def _erring(ask: Scorer, windows: Windows, rng: np.random.Generator) -> Scorer:
    """A surrogate with normal errors added, of its residual variance; the model itself has none."""
    if ask.fidelity is None:
        return ask
    score, answers = ask.score, windows.roles.score or windows.roles.prediction or ""
    spread = float(np.nanstd(as_numbers(windows.reference[answers]))) * np.sqrt(max(1 - ask.fidelity, 0.0))

    def erring(rows: pd.DataFrame) -> Floats:
        said = score(rows)
        return np.asarray(said + rng.normal(0.0, spread, len(said)))

    return replace(ask, score=erring)
