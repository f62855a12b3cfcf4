"""Choice of the model that explains each window: on file, before and after an update, or surrogates of its scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.explanation.cohorts import Cohort, placed
from rca.analysis.explanation.exact_shap import Explainer, exact
from rca.analysis.explanation.explanation_shift import MIN_ROWS, ExplainedWindows, explanation_shift
from rca.analysis.explanation.results import ExplanationShift
from rca.analysis.explanation.shap_adapter import EXPLANATION_QUESTION, explainer_of, log_odds
from rca.analysis.explanation.shap_values import PREFIXES, Explained, among, known_rows
from rca.analysis.harm.surrogate_model import FAITHFUL, LOST, SURROGATE_ROWS, fit_trees, variance_repeated
from rca.analysis.inputs.arguments import seeded
from rca.analysis.inputs.windows import Windows, require_yes
from rca.arrays import Floats, Mask
from rca.errors import Unanswerable
from rca.record.model.forest import Scale
from rca.record.model.model import Inside, Model
from rca.tables.columns import as_labels, as_numbers, holds
from rca.tables.condition import Condition, all_hold, conjunction

SAME = 0.99
"""Share of rows whose recorded score a model has to repeat, to be the one that gave it."""

MOST_ROWS = 250_000
"""Rows of a window that are explained; with more the intervals are narrower than anyone needs."""

MOST_GROUPS = 12
"""Values of a group column that are looked at by themselves, the commonest first."""

STOOD_IN = "stand-ins that were fitted to the recorded scores answer as the models did"


@dataclass(frozen=True, kw_only=True, eq=False)
class Who:
    """The explainer of each window, and the assumptions behind that choice.

    Attributes
    ----------
    answered : ndarray of bool or None
        Current rows that the model of now answered; None where it answered all.
    """

    then: Explainer
    now: Explainer
    answered: Mask | None = None
    assumptions: tuple[str, ...] = ()

    @property
    def one(self) -> bool:
        """Whether the same model answered in both."""
        return self.then is self.now

    @property
    def most(self) -> int:
        """Rows of a window that are explained; each model explains those of both."""
        return min(self.then.most, self.now.most, MOST_ROWS)


def explain_windows(
    windows: Windows,
    *,
    models: tuple[Model, Model] | None = None,
    slices: Sequence[Sequence[Condition]] = (),
    brought: bool = True,
    seed: int = 0,
    alpha: float = 0.05,
) -> ExplanationShift:
    """Explanation shift between the windows, by SHAP values of the model that answered in each.

    SHAP values that the tables bring along, as columns such as `shap_income`, are taken; else the models given, or the
    one on file where it repeats the recorded scores; else surrogates, fitted to the recorded scores.

    Parameters
    ----------
    windows : Windows
    models : (Model, Model), optional
        The one that answered in the reference, and the one that answered in the current window.
    slices : sequence of sequences of Condition
        Parts of the rows to look at by themselves, besides the groups on record.
    brought : bool
        Whether SHAP values that the tables bring along are taken.
    seed : int
    alpha : float
        False discovery rate.

    Raises
    ------
    Unanswerable
        If there is neither a model nor scores, the model cannot be explained, or there are too few rows.
    InvalidCase
        If the tables lack what the model reads.
    """
    rng = seeded(seed)
    _require_rows(windows.reference, windows.current)
    known = _given(windows) if brought and models is None else None
    sides, chosen, assumptions = known or _worked_out(windows, models, seed=seed, rng=rng)
    sides = replace(sides, truth=_truth(sides, windows))
    found = explanation_shift(
        sides, rng=rng, cohorts=_cohorts(sides.rows, windows, slices), alpha=alpha, assumptions=assumptions
    )
    return replace(found, exemplars=placed(found.exemplars, chosen))


def _require_rows(*tables: pd.DataFrame) -> None:
    fewest = min(map(len, tables))
    if fewest < MIN_ROWS:
        why = f"a window has {fewest} rows that can be explained, and {MIN_ROWS} are needed"
        raise Unanswerable(EXPLANATION_QUESTION, why)


Worked = tuple[ExplainedWindows, Any, tuple[str, ...]]


def _given(windows: Windows) -> Worked | None:
    """SHAP values from columns of the tables."""
    tables = windows.reference, windows.current
    read = windows.model.features if windows.model is not None else ()
    both = [among(rows.drop(columns=list(read), errors="ignore"), windows.roles.features) for rows in tables]
    if both[0] is None or both[1] is None:
        return None
    if apart := sorted({*both[0].features} ^ {*both[1].features}):
        raise Unanswerable(EXPLANATION_QUESTION, f"one window alone brings SHAP values of {apart[0]!r} along")
    kept = [known_rows(one) for one in both if one is not None]
    sides = ExplainedWindows(
        explained=(both[0].take(kept[0]), both[1].take(kept[1])),
        rows=(tables[0][kept[0]], tables[1][kept[1]]),
        one_model=False,
    )
    return sides, np.flatnonzero(kept[1]), ("the SHAP values in the tables are those of the models that answered",)


def _worked_out(windows: Windows, models: tuple[Model, Model] | None, *, seed: int, rng: np.random.Generator) -> Worked:
    who = _who(windows, models, seed=seed)
    answered = np.arange(len(windows.current)) if who.answered is None else np.flatnonzero(who.answered)
    at = _drawn(len(windows.reference), who.most, rng=rng), answered[_drawn(len(answered), who.most, rng=rng)]
    rows = windows.reference.iloc[at[0]], windows.current.iloc[at[1]]
    explained = who.then.of(rows[0]), who.now.of(rows[1])
    crossed = None if who.one else (who.now.of(rows[0]), who.then.of(rows[1]))
    kept = [known_rows(one) & known_rows(other) for one, other in zip(explained, crossed or explained, strict=True)]
    sides = ExplainedWindows(
        explained=(explained[0].take(kept[0]), explained[1].take(kept[1])),
        rows=(rows[0][kept[0]], rows[1][kept[1]]),
        crossed=None if crossed is None else (crossed[0].take(kept[0]), crossed[1].take(kept[1])),
        one_model=who.one,
    )
    return sides, at[1][kept[1]], who.assumptions


def _drawn(count: int, most: int, *, rng: np.random.Generator) -> Any:
    """Positions of the rows that are explained: all, or a random sample of `most`."""
    return np.arange(count) if count <= most else np.sort(rng.permutation(count)[:most])


# --- who answered -----------------------------------------------------------------------------------------------------


def _who(windows: Windows, models: tuple[Model, Model] | None, *, seed: int) -> Who:
    positive, score = windows.roles.positive, windows.roles.score

    def explainer(model: Model) -> Explainer:
        return explainer_of(model, windows.reference, positive=positive, seed=seed)

    if models is not None:
        then = explainer(models[0])
        return Who(then=then, now=then if models[0] is models[1] else explainer(models[1]))
    if windows.model is None:
        return _stand_ins(windows)
    then = explainer(windows.model)
    if score is None or _repeated(windows.model, windows.reference, score).mean() < SAME:
        return Who(then=then, now=then, assumptions=("the model on file answered in both windows",))
    otherwise = ~_repeated(windows.model, windows.current, score)
    if otherwise.mean() <= 1 - SAME:
        return Who(then=then, now=then)
    if then.scale == "score":  # scores are not on the scale of its margin
        return _stand_ins(windows)
    now = _fitted(windows, windows.current[otherwise], scale=then.scale).believed()
    repeated = f"a stand-in repeats {now.fidelity:.1%} of the variance of the new model's scores"
    return Who(then=then, now=now.explainer, answered=otherwise, assumptions=(repeated,))


def _repeated(model: Model, rows: pd.DataFrame, score: str) -> Mask:
    """Rows whose recorded score the model reproduces."""
    recorded, again = as_numbers(rows[score]), model.scores(rows)
    return np.asarray(np.isclose(recorded, again, rtol=1e-4, atol=1e-6, equal_nan=True))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Surrogate:
    """A surrogate model fitted to recorded scores, and its R² on held-out rows (fidelity)."""

    explainer: Explainer
    answer: Callable[[pd.DataFrame], Floats]
    fidelity: float

    def believed(self) -> "_Surrogate":
        if self.fidelity < FAITHFUL:
            share = max(self.fidelity, 0.0)
            why = f"no model on file gave these scores, and a stand-in repeats {share:.0%} of them only"
            raise Unanswerable(EXPLANATION_QUESTION, why)
        return self


def _stand_ins(windows: Windows) -> Who:
    """Surrogates of the windows: one for both, if its fidelity holds in the other window as well."""
    score = windows.roles.score
    if score is None or not windows.roles.features:
        why = "there is no model on file, and no column of its scores that a stand-in could be fitted to"
        raise Unanswerable(EXPLANATION_QUESTION, why)
    both = (windows.reference[score], windows.current[score])
    scale: Scale = "log-odds" if all(map(_chances, both)) else "prediction"
    then = _fitted(windows, windows.reference, scale=scale).believed()
    across = variance_repeated(_target(windows.current[score], scale), then.answer(windows.current))
    same = across >= then.fidelity - LOST
    now = then if same else _fitted(windows, windows.current, scale=scale).believed()
    return Who(then=then.explainer, now=now.explainer, assumptions=(STOOD_IN,))


def _fitted(windows: Windows, rows: pd.DataFrame, *, scale: Scale) -> _Surrogate:
    """Fit a surrogate to the scores of some rows; its fidelity is the R² of one fitted to half of them, on the rest."""
    names = tuple(name for name in windows.roles.features if not _is_shap(name, windows.roles.features))
    target = _target(rows[windows.roles.score or ""], scale)
    known = np.isfinite(target)
    rows, target = rows[known], target[known]
    if len(rows) < SURROGATE_ROWS or target.std() == 0:
        raise Unanswerable(EXPLANATION_QUESTION, "there are too few recorded scores, or they are all the same")
    half = np.arange(len(rows)) % 2 == 0
    fidelity = variance_repeated(target[~half], fit_trees(rows, target, names, part=half)(rows[~half]))
    whole = fit_trees(rows, target, names)
    inside = Inside(held=whole.held, encode=whole.encode)
    model = Model(format="skops", features=names, place="stand-in", answer=whole, inside=inside)
    found = exact(model, rows, windows.roles.positive)
    assert found is not None
    return _Surrogate(explainer=found.on(scale), answer=whole, fidelity=fidelity)


def _is_shap(name: str, features: Sequence[str]) -> bool:
    return any(name.startswith(prefix) and name[len(prefix) :] in features for prefix in PREFIXES)


def _chances(scores: "pd.Series[Any]") -> bool:
    numbers = as_numbers(scores)
    known = numbers[np.isfinite(numbers)]
    return bool(((known >= 0) & (known <= 1)).all())


def _target(scores: "pd.Series[Any]", scale: Scale) -> Floats:
    """Recorded scores on the scale of the margin (log-odds or as they are); NaN where there is none."""
    numbers = as_numbers(scores)
    chances = (numbers >= 0) & (numbers <= 1)
    return np.where(chances, log_odds(numbers), np.nan) if scale == "log-odds" else numbers


# --- labels and parts of the rows -------------------------------------------------------------------------------------


def _truth(sides: ExplainedWindows, windows: Windows) -> tuple[Floats, Floats] | None:
    label, scale = windows.roles.label, sides.explained[0].scale
    if label is None or scale == "score" or any(label not in rows for rows in sides.rows):
        return None
    outputs = sides.explained[0].values.shape[2]
    columns = [rows[label] for rows in sides.rows]
    if outputs > 1 and scale == "prediction":  # several numbers, and no classes
        return None
    if outputs > 1:
        found = _classes(columns, outputs)
        return found if found is not None and _told(sides.explained[0], found[0]) else None
    if scale == "prediction":
        return as_numbers(columns[0]), as_numbers(columns[1])
    require_yes(windows, [label])
    known = [np.where(column.notna(), holds(column, windows.roles.positive), np.nan) for column in columns]
    return known[0], known[1]


def _classes(columns: "Sequence[pd.Series[Any]]", outputs: int) -> tuple[Floats, Floats] | None:
    """Labels as indices of the classes, in order; None where their number is not that of the outputs."""
    numbers = [as_numbers(column) for column in columns]
    if all(np.isfinite(one).any() and np.isin(one[np.isfinite(one)], np.arange(outputs)).all() for one in numbers):
        return numbers[0], numbers[1]
    names = sorted({name for column in columns for name in as_labels(column) if isinstance(name, str)})
    if len(names) != outputs:
        return None
    places = [pd.Series(as_labels(column)).map({name: at for at, name in enumerate(names)}) for column in columns]
    return np.asarray(places[0], dtype=float), np.asarray(places[1], dtype=float)


def _told(explained: Explained, truth: Floats) -> bool:
    """Whether accuracy beats that of the commonest class; if not, the outputs may be in another order."""
    known = np.isfinite(truth)
    right = float(np.mean(explained.margin.argmax(axis=1)[known] == truth[known]))
    return right > float(np.bincount(truth[known].astype(int)).max() / known.sum())


def _cohorts(
    rows: tuple[pd.DataFrame, pd.DataFrame], windows: Windows, slices: Sequence[Sequence[Condition]]
) -> list[Cohort]:
    """Cohorts to compare: values of the group columns, and slices that were found."""
    wanted: list[Sequence[Condition]] = list(slices)
    for column in windows.roles.groups:
        labels = pd.Series(np.concatenate([as_labels(table[column]) for table in rows])).value_counts()
        wanted += [[Condition(column=column, operator="=", value=str(name))] for name in labels.index[:MOST_GROUPS]]
    named = {conjunction(one): one for one in wanted if one}  # a slice may be a group
    return [Cohort(name=name, rows=(all_hold(one, rows[0]), all_hold(one, rows[1]))) for name, one in named.items()]


def given_shift(
    before: Explained,
    after: Explained,
    rows: tuple[pd.DataFrame, pd.DataFrame],
    *,
    seed: int = 0,
    alpha: float = 0.05,
) -> ExplanationShift:
    """Explanation shift of SHAP values that were computed elsewhere, by models that may differ."""
    kept = known_rows(before), known_rows(after)
    sides = ExplainedWindows(
        explained=(before.take(kept[0]), after.take(kept[1])),
        rows=(rows[0][kept[0]], rows[1][kept[1]]),
        one_model=False,
    )
    return explanation_shift(sides, rng=seeded(seed), alpha=alpha)
