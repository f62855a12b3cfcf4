"""Surrogate of a model that is not on file: fitted to recorded answers, with its fidelity (held-out R squared).

Whether the current answers still follow the features is judged in rows that no fault hit, or whose fault could not have
changed the answers so far: how the model scores a broken value is not on record.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.faults.application import hit
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.rules.order import RULE_OF
from rca.analysis.harm.rescoring import Score, Scorer, decision_rule
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Mask, Places
from rca.methods.boosted_trees import Screened, classifier, surrogate_regressor
from rca.tables.columns import Encoder, as_labels, as_numbers, for_trees, kind_of

FAITHFUL = 0.9
"""Fidelity (R squared on held-out answers) from which a surrogate is used in place of the model."""

USABLE = 0.6
"""Fidelity from which differences of its scores say what a repair would have changed."""

TELLING = 0.5
"""Fidelity on the reference below which a surrogate cannot say whether the answers still follow the features."""

LOST = 0.05
"""Loss of fidelity between the windows that is tolerated, for rows that are rarer in the reference."""

HEEDED = 0.01
"""Share of the answers' variance that permuting a column has to change, for the answers to depend on it."""

PART = 0.1
"""Share of the excess squared error that a column has to be able to cause, to count as one of its causes."""

AS_FAR = 2.0
"""Factor by which a broken column may move the answers more than its reference values do, in mean square."""

MOST_CLASSES = 12
"""Most classes of answers that are told apart."""

SURROGATE_ROWS = 200
"""Fewest rows of a window for a surrogate to be fitted, or judged."""


@dataclass(frozen=True, kw_only=True)
class Surrogate:
    """A surrogate fitted to the reference's answers, with its fidelity in both windows.

    Attributes
    ----------
    scorer : Scorer
        Its `fidelity` is the smaller of the two shares.
    before, now : float
        R squared on the recorded answers, in held-out reference rows and in the current ones.
    """

    scorer: Scorer
    before: float
    now: float

    @property
    def faithful(self) -> bool:
        """Whether its fidelity allows it to be used in place of the model."""
        return min(self.before, self.now) >= FAITHFUL

    @property
    def usable(self) -> Scorer | None:
        """What may be asked in place of the model: all of it, or where it is less faithful its differences."""
        if self.faithful:
            return self.scorer
        return replace(self.scorer, rough=True) if self.same and min(self.before, self.now) >= USABLE else None

    @property
    def same(self) -> bool:
        """Whether the answers still follow the features: its fidelity did not drop by more than `LOST`."""
        return self.before >= TELLING and self.now >= self.before - LOST


def fit_surrogate(windows: Windows, faults: Sequence[ColumnFault] = (), *, classes: bool = False) -> Surrogate | None:
    """Fit a surrogate (boosted trees or ridge, the better on held-out rows) to the recorded answers.

    Parameters
    ----------
    windows : Windows
    faults : sequence of ColumnFault
        How columns broke; rows that they hit are left aside, where they can explain what was answered there.
    classes : bool
        Whether predicted classes may be repeated as classes, of which no score is told.

    Returns
    -------
    Surrogate or None
        None where the case has a model file, no recorded answers, or too few rows.
    """
    answers = windows.roles.score or windows.roles.prediction
    features = windows.roles.features
    if windows.model is not None or answers is None or not features:
        return None
    if classes and windows.roles.score is None and _are_classes(windows.reference[answers]):
        return _class_surrogate(windows, answers, faults)
    known = [np.isfinite(as_numbers(rows[answers])) for rows in (windows.reference, windows.current)]
    reference, current = windows.reference[known[0]], windows.current[known[1]]
    if min(len(reference), len(current)) < SURROGATE_ROWS or as_numbers(reference[answers]).std() == 0:
        return None
    half = np.arange(len(reference)) % 2 == 0
    trials = [
        (_repeated(fit(reference[half], answers, features), reference[~half], answers), fit) for fit in _SURROGATES
    ]
    before, fit = max(trials, key=lambda trial: trial[0])
    score = fit(reference, answers, features)
    spared, strange = _spared(windows, faults, score)
    judged = current[spared[known[1]]]
    now = _repeated(score, judged, answers) if len(judged) >= SURROGATE_ROWS else before
    scorer = Scorer(
        score=score,
        roles=windows.roles,
        decides=decision_rule(windows),
        features=features,
        fidelity=min(before, now),
        strange=strange,
    )
    return Surrogate(scorer=scorer, before=before, now=now)


def _are_classes(answers: "pd.Series[Any]") -> bool:
    """Whether recorded answers are classes: words, or few whole numbers."""
    if kind_of(answers) != "numeric":
        return True
    numbers = as_numbers(answers.dropna())
    return len(np.unique(numbers)) <= MOST_CLASSES and bool(np.equal(numbers, np.round(numbers)).all())


def _class_surrogate(windows: Windows, answers: str, faults: Sequence[ColumnFault]) -> Surrogate | None:
    """Surrogate of predicted classes, by boosted trees; its fidelity is the agreement beyond always saying the same."""
    features, rows = windows.roles.features, [windows.reference, windows.current]
    known = [one[answers].notna().to_numpy() for one in rows]
    reference, current = (one[at] for one, at in zip(rows, known, strict=True))
    labels = as_labels(reference[answers])
    order = pd.Series(labels).value_counts().index[:MOST_CLASSES]
    if min(len(reference), len(current)) < SURROGATE_ROWS or len(order) < 2:
        return None
    classes = tuple(reference[answers].iloc[int(np.argmax(labels == one))] for one in order)
    codes = [pd.Index(order).get_indexer(as_labels(one[answers])) for one in (reference, current)]
    encode = Encoder.fit(windows.reference, features)

    def fitted(part: Mask) -> Score:
        held = classifier(shrinkage=0.0, leaves=31, rounds=100).fit(for_trees(encode(reference[part])), codes[0][part])
        return lambda asked: np.asarray(held.predict(encode(asked)), dtype=float)

    half = np.arange(len(reference)) % 2 == 0
    if len(np.unique(codes[0][half])) < 2:
        return None
    before = _agreed(codes[0][~half], fitted(half)(reference[~half]))
    score = fitted(np.ones(len(reference), dtype=bool))
    broken = [hit(fault, current) for fault in faults if fault.broken and fault.column in features]
    spared = ~np.logical_or.reduce([*broken, np.zeros(len(current), dtype=bool)])
    now = _agreed(codes[1][spared], score(current[spared])) if spared.sum() >= SURROGATE_ROWS else before
    held: npt.NDArray[Any] = np.array([*classes, None], dtype=object)
    scorer = Scorer(
        score=score,
        roles=windows.roles,
        decides=lambda said: held[said.astype(int)],
        features=features,
        fidelity=min(before, now),
        classes=classes,
    )
    return Surrogate(scorer=scorer, before=before, now=now)


def _agreed(codes: Places, said: Floats) -> float:
    """Share of answers that are repeated, beyond what one class for all would repeat."""
    usual = float(np.bincount(codes[codes >= 0]).max() / len(codes)) if (codes >= 0).any() else 0.0
    return (float((codes == said).mean()) - usual) / max(1 - usual, 1e-9)


def _spared(windows: Windows, faults: Sequence[ColumnFault], score: Score) -> tuple[Mask, tuple[str, ...]]:
    """Current rows by which a surrogate is judged: those not hit by a fault that can have changed the answers so far.

    With them, the columns with such faults, whose broken values lie outside the surrogate's training data. Where they
    hit every row, no row is left to judge by.
    """
    every = np.ones(len(windows.current), dtype=bool)
    able = [fault for fault in faults if fault.broken and _able(windows, fault, score)]
    wrong = np.logical_or.reduce([hit(fault, windows.current) for fault in able] or [~every])
    if not wrong.any() or not _due_to(windows, able, wrong, score=score):
        return every, ()
    return ~wrong, tuple(fault.column for fault in able)


def _due_to(windows: Windows, able: Sequence[ColumnFault], wrong: Mask, *, score: Score) -> bool:
    """Whether faults can explain the surrogate's error: by their reach, or because only rows they hit are off."""
    if any(_only_there(windows, fault, score) for fault in able):
        return True
    most = AS_FAR * _reach(windows, [fault.column for fault in able], score) + _off(windows.reference, score, windows)
    return _off(windows.current[wrong], score, windows) <= most


def _only_there(windows: Windows, fault: ColumnFault, score: Score) -> bool:
    """Whether a fault puts values outside the reference's support, and the surrogate errs in those rows alone."""
    wrong = hit(fault, windows.current)
    if not RULE_OF[fault.fault].unheard or not SURROGATE_ROWS <= wrong.sum() <= len(wrong) - SURROGATE_ROWS:
        return False
    spread = float(score(windows.reference).var())
    off, spared, usual = (
        _off(rows, score, windows) for rows in (windows.current[wrong], windows.current[~wrong], windows.reference)
    )
    return spared - usual <= LOST * spread < off - usual


def _able(windows: Windows, fault: ColumnFault, score: Score) -> bool:
    """Whether a column moves the answers enough to cause a part of the surrogate's error in the rows hit."""
    wrong = hit(fault, windows.current)
    if fault.column not in windows.roles.features or not wrong.any():
        return False
    if _only_there(windows, fault, score):
        return True
    reach = _reach(windows, [fault.column], score)
    off = _off(windows.current[wrong], score, windows) - _off(windows.reference, score, windows)
    return reach > HEEDED * float(score(windows.reference).var()) and AS_FAR * reach >= PART * off


def _reach(windows: Windows, columns: Sequence[str], score: Score) -> float:
    """Largest mean squared change of the answers by some columns: permuted, or set to either end of their range."""
    reference, answers = windows.reference, score(windows.reference)
    turned = np.roll(np.arange(len(reference)), len(reference) // 2)
    scrambled = {name: reference[name].array[turned] for name in columns}
    tried = [scrambled, *({name: _end(reference[name], end) for name in columns} for end in (0.0, 1.0))]
    return max(float(np.mean((score(reference.assign(**values)) - answers) ** 2)) for values in tried)


def _end(values: "pd.Series[Any]", quantile: float) -> Any:
    """End of a column's range: its smallest or largest number, its rarest or commonest category."""
    if kind_of(values) == "numeric":
        return values.quantile(quantile, interpolation="nearest")
    common = values.value_counts()
    return common.index[0 if quantile else -1] if len(common) else None


def _off(rows: pd.DataFrame, score: Score, windows: Windows) -> float:
    """Mean squared error of a surrogate on the recorded answers."""
    recorded = as_numbers(rows[windows.roles.score or windows.roles.prediction or ""])
    return float(np.nanmean((recorded - score(rows)) ** 2))


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedTrees:
    """Boosted trees fitted to the scores of another model, with the encoding of their inputs."""

    held: Any
    encode: Encoder

    def __call__(self, rows: pd.DataFrame) -> Floats:
        return np.asarray(self.held.predict(self.encode(rows)))


def fit_trees(
    rows: pd.DataFrame, scores: Floats, features: Sequence[str], *, part: Mask | None = None, screened: bool = False
) -> FittedTrees:
    """Fit boosted trees to scores, of all rows or of a part; categories are read as they are in all of them."""
    encode = Encoder.fit(rows, features)
    part = part if part is not None else np.ones(len(rows), dtype=bool)
    learner = Screened(surrogate_regressor()) if screened else surrogate_regressor()
    held = learner.fit(for_trees(encode(rows[part])), scores[part])
    return FittedTrees(held=held, encode=encode)


def variance_repeated(recorded: Floats, said: Floats) -> float:
    """Share of the variance of recorded scores that predictions of them repeat (R squared)."""
    known = np.isfinite(recorded)
    if not known.any():
        return -np.inf
    return 1 - float(np.mean((recorded - said)[known] ** 2)) / max(float(recorded[known].var()), np.finfo(float).tiny)


def _trees(rows: pd.DataFrame, answers: str, features: Sequence[str]) -> Score:
    target = as_numbers(rows[answers])
    trees, low, high = fit_trees(rows, target, features, screened=True), float(target.min()), float(target.max())
    return lambda asked: np.clip(trees(asked), low, high)


def _linear(rows: pd.DataFrame, answers: str, features: Sequence[str]) -> Score:
    """Ridge regression of the answers, on the logit scale where they are probabilities."""
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


_SURROGATES = (_trees, _linear)


def _repeated(score: Score, rows: pd.DataFrame, answers: str) -> float:
    return variance_repeated(as_numbers(rows[answers]), score(rows))
