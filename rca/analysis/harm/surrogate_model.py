"""A stand-in for a model that is not on file: fitted to answers on record, and believed as far as it repeats others.

Whether the answers follow the features as before is judged in rows that no fault hit, or if it hit them, could not have
changed the answers so far: what a model makes of a value that is broken, nothing on record tells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.application import hit
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.rules.order import RULE_OF
from rca.analysis.harm.rescoring import Score, Scorer, decision_rule
from rca.analysis.inputs.windows import Windows
from rca.arrays import Mask
from rca.tables.columns import Encoder, as_numbers, for_trees, kind_of

FAITHFUL = 0.9
"""Share of the variance of unseen answers that a stand-in has to repeat, to be asked in the model's place."""

TELLING = 0.5
"""Share of it that a stand-in has to repeat for its surprise to say that a model answers otherwise."""

LOST = 0.05
"""Share of it that may be lost from one window to the other, through rows that are rarer there."""

HEEDED = 0.01
"""Share of the answers' variance that scrambling a column has to move, for the answers to depend on it."""

PART = 0.1
"""Share of what is off that a column has to be able to do, to be held for one of its causes."""

AS_FAR = 2.0
"""How many times as far as values of the reference a broken column may take the answers."""

MIN_ROWS = 200
"""Rows of a window below which no stand-in is fitted, or judged."""


@dataclass(frozen=True, kw_only=True)
class Surrogate:
    """What was fitted to the reference's answers, and how much of unseen ones it repeats.

    Attributes
    ----------
    asker : Scorer
        Its `fidelity` is the smaller of the two shares.
    before, now : float
        Share of the variance of answers that it repeats, in reference rows it has not seen and in the current ones.
    """

    asker: Scorer
    before: float
    now: float

    @property
    def faithful(self) -> bool:
        """Whether it can be asked in the model's place."""
        return min(self.before, self.now) >= FAITHFUL

    @property
    def same(self) -> bool:
        """Whether the answers follow the features as they did, as far as it can tell."""
        return self.before >= TELLING and self.now >= self.before - LOST


def surrogate_scorer(windows: Windows, faults: Sequence[ColumnFault] = ()) -> Scorer | None:
    """Ask a stand-in where the case has no model file; None where none would do."""
    found = fit_surrogate(windows, faults)
    return found.asker if found is not None and found.faithful else None


def fit_surrogate(windows: Windows, faults: Sequence[ColumnFault] = ()) -> Surrogate | None:
    """Fit a stand-in to the answers on record.

    Parameters
    ----------
    windows : Windows
    faults : sequence of ColumnFault
        How columns broke; rows that they hit are left aside, where they can explain what was answered there.

    Returns
    -------
    Surrogate or None
        None where the case has a model file, no recorded answers, or too few rows.
    """
    answers = windows.roles.score or windows.roles.prediction
    features = windows.roles.features
    if windows.model is not None or answers is None or not features:
        return None
    known = [np.isfinite(as_numbers(rows[answers])) for rows in (windows.reference, windows.current)]
    reference, current = windows.reference[known[0]], windows.current[known[1]]
    if min(len(reference), len(current)) < MIN_ROWS or as_numbers(reference[answers]).std() == 0:
        return None
    half = np.arange(len(reference)) % 2 == 0
    trials = [
        (_repeated(fit(reference[half], answers, features), reference[~half], answers), fit) for fit in _STAND_INS
    ]
    before, fit = max(trials, key=lambda trial: trial[0])
    score = fit(reference, answers, features)
    spared, strange = _spared(windows, faults, score)
    judged = current[spared[known[1]]]
    now = _repeated(score, judged, answers) if len(judged) >= MIN_ROWS else before
    asker = Scorer(
        score=score,
        roles=windows.roles,
        decides=decision_rule(windows),
        features=features,
        fidelity=min(before, now),
        strange=strange,
    )
    return Surrogate(asker=asker, before=before, now=now)


def _spared(windows: Windows, faults: Sequence[ColumnFault], score: Score) -> tuple[Mask, tuple[str, ...]]:
    """Current rows by which a stand-in is judged: those that no fault hit which can have changed the answers so far.

    With them, the columns that were hit so: what is answered to their broken values it does not know. Where they hit
    every row, no row is left to judge by.
    """
    every = np.ones(len(windows.current), dtype=bool)
    able = [fault for fault in faults if fault.broken and _able(windows, fault, score)]
    wrong = np.logical_or.reduce([hit(fault, windows.current) for fault in able] or [~every])
    if not wrong.any() or not _due_to(windows, able, wrong, score=score):
        return every, ()
    return ~wrong, tuple(fault.column for fault in able)


def _due_to(windows: Windows, able: Sequence[ColumnFault], wrong: Mask, *, score: Score) -> bool:
    """Whether faults take the answers as far as they are off: by what they can do, or as only rows they hit are off."""
    if any(_only_there(windows, fault, score) for fault in able):
        return True
    most = AS_FAR * _reach(windows, [fault.column for fault in able], score) + _off(windows.reference, score, windows)
    return _off(windows.current[wrong], score, windows) <= most


def _only_there(windows: Windows, fault: ColumnFault, score: Score) -> bool:
    """Whether a column holds what no model was ever asked of, and answers are off in those rows and in no others."""
    wrong = hit(fault, windows.current)
    if not RULE_OF[fault.fault].unheard or not MIN_ROWS <= wrong.sum() <= len(wrong) - MIN_ROWS:
        return False
    spread = float(score(windows.reference).var())
    off, spared, usual = (
        _off(rows, score, windows) for rows in (windows.current[wrong], windows.current[~wrong], windows.reference)
    )
    return spared - usual <= LOST * spread < off - usual


def _able(windows: Windows, fault: ColumnFault, score: Score) -> bool:
    """Whether a column can take the answers far enough to have a part in what is off in the rows that it hit."""
    wrong = hit(fault, windows.current)
    if fault.column not in windows.roles.features or not wrong.any():
        return False
    if _only_there(windows, fault, score):
        return True
    reach = _reach(windows, [fault.column], score)
    off = _off(windows.current[wrong], score, windows) - _off(windows.reference, score, windows)
    return reach > HEEDED * float(score(windows.reference).var()) and AS_FAR * reach >= PART * off


def _reach(windows: Windows, columns: Sequence[str], score: Score) -> float:
    """How far some columns can take the answers, as a mean square: scrambled, or each at either end of its range."""
    reference, answers = windows.reference, score(windows.reference)
    turned = np.roll(np.arange(len(reference)), len(reference) // 2)
    scrambled = {name: reference[name].array[turned] for name in columns}
    tried = [scrambled, *({name: _end(reference[name], end) for name in columns} for end in (0.0, 1.0))]
    return max(float(np.mean((score(reference.assign(**values)) - answers) ** 2)) for values in tried)


def _end(values: "pd.Series[Any]", quantile: float) -> Any:
    """The smallest or the largest of a column's numbers; of its categories the rarest or the commonest."""
    if kind_of(values) == "numeric":
        return values.quantile(quantile, interpolation="nearest")
    common = values.value_counts()
    return common.index[0 if quantile else -1] if len(common) else None


def _off(rows: pd.DataFrame, score: Score, windows: Windows) -> float:
    """How far the answers on record are from those of a stand-in, as a mean square."""
    recorded = as_numbers(rows[windows.roles.score or windows.roles.prediction or ""])
    return float(np.nanmean((recorded - score(rows)) ** 2))


def _trees(rows: pd.DataFrame, answers: str, features: Sequence[str]) -> Score:
    from sklearn.ensemble import HistGradientBoostingRegressor

    encode, target = Encoder.fit(rows, features), as_numbers(rows[answers])
    model = HistGradientBoostingRegressor(max_iter=200, max_leaf_nodes=31, random_state=0, early_stopping=False)
    model.fit(for_trees(encode(rows)), target)
    low, high = float(target.min()), float(target.max())
    return lambda asked: np.clip(model.predict(encode(asked)), low, high)


def _linear(rows: pd.DataFrame, answers: str, features: Sequence[str]) -> Score:
    """A line through the log odds of probabilities, or through the answers themselves if they are none."""
    from scipy.special import expit, logit
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    encode, target = Encoder.fit(rows, features), as_numbers(rows[answers])
    probable = bool(target.min() > 0 and target.max() < 1)
    model = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), Ridge(alpha=1.0))
    model.fit(encode(rows), logit(target) if probable else target)
    return lambda asked: np.asarray(expit(model.predict(encode(asked))) if probable else model.predict(encode(asked)))


_STAND_INS = (_trees, _linear)


def _repeated(score: Score, rows: pd.DataFrame, answers: str) -> float:
    """Share of the variance of the recorded answers that a surrogate repeats."""
    recorded = as_numbers(rows[answers])
    return 1 - float(np.mean((recorded - score(rows)) ** 2)) / max(float(recorded.var()), np.finfo(float).tiny)
