"""Explanation shift: two windows' SHAP values compared feature by feature, by a joint classifier test, and by loss."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.drift.classifier_two_sample import MIN_ROWS_JOINT, Joint, classifier_two_sample
from rca.analysis.explanation.cohorts import Cohort, cohort_shifts, exemplars
from rca.analysis.explanation.dependence_curves import DependenceCurve, binned, curve, curve_change
from rca.analysis.explanation.loss_attribution import divide_loss
from rca.analysis.explanation.results import ExplanationShift, Points, Reason, ShapChange
from rca.analysis.explanation.shap_values import Explained
from rca.arrays import Floats
from rca.errors import Unanswerable
from rca.finding import Interval
from rca.methods.two_sample_tests import Z, benjamini_hochberg

MIN_ROWS = 50
"""Explained rows of a window below which means of SHAP values are not compared."""

MATERIAL = 0.02
"""Smallest change that counts, as a share of all that the model's reasons weigh: the sum of mean |SHAP|."""

CARRIED = 40
"""Features of the joint classifier test; the rest are added up as one."""

LOST = 0.02
"""Smallest part of the loss that counts, as a share of the mean loss in the reference."""

OTHERS = "(other features)"

DRAWS = 200
"""Draws for the interval of a rank."""

SWARM, SWARMED = 160, 15
"""Rows of a window, and features, whose single values are kept to be drawn."""

CURVES = 6
"""Features whose dependence curves are kept."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ExplainedWindows:
    """SHAP values of both windows, with their rows, labels, and cross-explanations by the other model.

    Attributes
    ----------
    explained : (Explained, Explained)
        Reference rows by the model of then, current rows by the model of now.
    rows : (pandas.DataFrame, pandas.DataFrame)
        The rows that were explained.
    crossed : (Explained, Explained) or None
        With two models: reference rows by the model of now, current rows by the model of then.
    truth : (ndarray, ndarray) or None
        Labels as numbers, NaN where unknown: 0 and 1, numbers of classes, or values.
    one_model : bool
        Whether one model is known to have explained both windows.
    """

    explained: tuple[Explained, Explained]
    rows: tuple[pd.DataFrame, pd.DataFrame]
    crossed: tuple[Explained, Explained] | None = None
    truth: tuple[Floats, Floats] | None = None
    one_model: bool = True


def explanation_shift(
    sides: ExplainedWindows,
    *,
    rng: np.random.Generator,
    cohorts: Sequence[Cohort] = (),
    alpha: float = 0.05,
    assumptions: Sequence[str] = (),
) -> ExplanationShift:
    """Compare the SHAP values of two windows: sizes, directions, dependence curves, joint test, loss, cohorts.

    Parameters
    ----------
    sides : ExplainedWindows
    rng : numpy.random.Generator
    cohorts : sequence of Cohort
        Parts of the rows to be looked at by themselves.
    alpha : float
        False discovery rate.
    assumptions : sequence of str
        What stands behind the values.

    Raises
    ------
    Unanswerable
        If a window has fewer than 50 explained rows, or nothing is read.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = [pd.DataFrame({"a": rng.normal(size=400), "b": rng.normal(size=400)}) for _ in "ab"]
    >>> both = [
    ...     Explained(features=("a", "b"), values=(table * weights).to_numpy()[:, :, None], base=np.zeros(1),
    ...               scale="log-odds", method="as given")
    ...     for table, weights in zip(rows, ([1.0, 1.0], [1.0, 2.0]))
    ... ]
    >>> found = explanation_shift(ExplainedWindows(explained=tuple(both), rows=tuple(rows), one_model=False), rng=rng)
    >>> [one.column for one in found.moved()]
    ['b']
    """
    sides = _aligned(sides)
    before, after = sides.explained
    _able(before, after)
    material = MATERIAL * float(before.sizes.mean(axis=0).sum() + after.sizes.mean(axis=0).sum()) / 2
    lost = _losses(sides)
    weighed = _against(_reasons(sides, lost, rng=rng), lost, alpha=alpha)
    reasons = _judged(weighed, alpha=alpha, material=material)
    names = [one.column for one in reasons]
    return ExplanationShift(
        reasons=reasons,
        joint=_joint(before, after, rng=rng),
        scale=before.scale,
        method=before.method if before.method == after.method else f"{before.method}; {after.method}",
        error=max(before.error, after.error),
        models=1 if sides.one_model else 2,
        loss=lost.total if lost is not None else None,
        loss_reference=lost.reference if lost is not None else 0.0,
        loss_start=lost.start if lost is not None else 0.0,
        loss_unit=lost.unit if lost is not None else "",
        cohorts=cohort_shifts(sides.explained, cohorts, alpha=alpha, material=material),
        exemplars=exemplars(sides.explained, sides.rows[1], [one.column for one in reasons if one.moved]),
        curves=tuple(_curve(sides, name) for name in names[:CURVES]),
        swarm=_swarm(sides, names[:SWARMED], rng=rng),
        n_reference=len(before),
        n_current=len(after),
        alpha=alpha,
        material=material,
        assumptions=tuple(assumptions),
    )


def _able(before: Explained, after: Explained) -> None:
    if min(len(before), len(after)) < MIN_ROWS:
        why = f"a window has {min(len(before), len(after))} rows that can be explained, and {MIN_ROWS} are needed"
        raise Unanswerable("how did the model's reasons change", why)
    if not before.features:
        raise Unanswerable("how did the model's reasons change", "the model reads no feature")


def _aligned(sides: ExplainedWindows) -> ExplainedWindows:
    """The same features in the same order in both windows; of a feature that a model does not read SHAP is 0."""
    every = [*sides.explained, *(sides.crossed or ())]
    kinds = sorted({f"{one.scale} of {one.values.shape[2]}" for one in every})
    if len(kinds) > 1:
        why = f"the windows' values add up to different things, {kinds[0]} and {kinds[1]} outputs"
        raise Unanswerable("how did the model's reasons change", f"{why}. Give functions that answer with one chance")
    names = tuple(dict.fromkeys(name for one in every for name in one.features))
    filled = [_filled(one, names) for one in every]
    crossed = (filled[2], filled[3]) if sides.crossed else None
    return replace(sides, explained=(filled[0], filled[1]), crossed=crossed)


def _filled(one: Explained, names: tuple[str, ...]) -> Explained:
    if one.features == names:
        return one
    values = np.zeros((len(one), len(names), one.values.shape[2]))
    values[:, [names.index(name) for name in one.features]] = one.values
    return replace(one, features=names, values=values)


# --- feature by feature -----------------------------------------------------------------------------------------------


def _change(value: float, error: float) -> ShapChange:
    from scipy.special import ndtr

    p_value = float(2 * ndtr(-abs(value / error))) if error > 0 else float(value == 0)
    return ShapChange(value=value, interval=Interval(low=value - Z * error, high=value + Z * error), p_value=p_value)


def _means(before: Floats, after: Floats) -> list[ShapChange]:
    """Difference of the means of each column, between independent rows (Welch)."""
    value = after.mean(axis=0) - before.mean(axis=0)
    error = np.sqrt(before.var(axis=0, ddof=1) / len(before) + after.var(axis=0, ddof=1) / len(after))
    return [_change(*both) for both in zip(value.tolist(), error.tolist(), strict=True)]


def _reasons(sides: ExplainedWindows, lost: "_Losses | None", *, rng: np.random.Generator) -> list[Reason]:
    before, after = sides.explained
    sizes = before.sizes, after.sizes
    ranks = [_ranks(size.mean(axis=0)) for size in sizes]
    intervals = _rank_intervals(sizes[1], rng)
    columns = zip(
        before.features, _means(*sizes), _directions(before, after), _curves(sides), _updates(sides), strict=True
    )
    return [
        Reason(
            column=name,
            reference=float(sizes[0][:, at].mean()),
            current=float(sizes[1][:, at].mean()),
            rank_reference=int(ranks[0][at]),
            rank_current=int(ranks[1][at]),
            rank_interval=intervals[at],
            size=size,
            direction=direction,
            curve=turned,
            update=update,
            loss=lost.parts[at] if lost is not None else None,
            halves=lost is not None and lost.halves[at],
        )
        for at, (name, size, direction, turned, update) in enumerate(columns)
    ]


def _directions(before: Explained, after: Explained) -> list[ShapChange]:
    """Change of mean SHAP; of several outputs the one that changed most."""
    outputs = [_means(before.values[:, :, at], after.values[:, :, at]) for at in range(before.values.shape[2])]
    return [max(changes, key=lambda change: abs(change.value)) for changes in zip(*outputs, strict=True)]


def _ranks(sizes: Floats) -> Floats:
    from scipy.stats import rankdata

    return np.asarray(rankdata(-sizes, method="ordinal", axis=-1))


def _rank_intervals(sizes: Floats, rng: np.random.Generator) -> list[Interval]:
    """Intervals of the rank of each mean |SHAP|, by simulating the means as normal."""
    error = sizes.std(axis=0, ddof=1) / np.sqrt(len(sizes))
    ranks = _ranks(sizes.mean(axis=0) + error * rng.normal(size=(DRAWS, sizes.shape[1])))
    low, high = np.quantile(ranks, [0.025, 0.975], axis=0, method="nearest")
    return [Interval(low=float(a), high=float(b)) for a, b in zip(low, high, strict=True)]


def _curves(sides: ExplainedWindows) -> list[ShapChange | None]:
    """Change of each dependence curve; of two models, root-mean-square change of the SHAP value of the same row."""
    before, after = sides.explained
    if sides.crossed is not None:
        then, now = sides.crossed
        apart = np.concatenate([then.values - before.values, after.values - now.values])
        return [_root(column) for column in (apart**2).sum(axis=2).T]
    if sides.one_model:
        return [None] * len(before.features)
    return [_curve_change(sides, at, name) for at, name in enumerate(before.features)]


def _root(squares: Floats) -> ShapChange:
    value = float(np.sqrt(squares.mean()))
    error = float(squares.std() / np.sqrt(len(squares)) / (2 * value)) if value > 0 else 0.0
    return _change(value, error)


def _curve_change(sides: ExplainedWindows, at: int, name: str) -> ShapChange | None:
    if any(name not in rows for rows in sides.rows):
        return None
    shap = sides.explained[0].values[:, at].sum(axis=1), sides.explained[1].values[:, at].sum(axis=1)
    value, error, p_value = curve_change(binned(*(rows[name] for rows in sides.rows)), shap)
    return ShapChange(
        value=value, interval=Interval(low=max(value - Z * error, 0.0), high=value + Z * error), p_value=p_value
    )


def _updates(sides: ExplainedWindows) -> list[ShapChange | None]:
    """Change of mean |SHAP| on the same rows by the new model, the mean over both windows' rows."""
    before, after = sides.explained
    if sides.crossed is None:
        return [None] * len(before.features)
    then, now = sides.crossed
    parts = (then.sizes - before.sizes) / 2, (after.sizes - now.sizes) / 2
    value = sum(part.mean(axis=0) for part in parts)
    error = np.sqrt(sum(part.var(axis=0, ddof=1) / len(part) for part in parts))
    return [_change(*both) for both in zip(np.asarray(value).tolist(), error.tolist(), strict=True)]


def _judged(reasons: Sequence[Reason], *, alpha: float, material: float) -> tuple[Reason, ...]:
    """Mark the features that moved: sizes, directions and curves are one family under the false discovery rate."""
    changes = [change for one in reasons for change in (one.size, one.direction, one.curve) if change is not None]
    q_values = iter(benjamini_hochberg([change.p_value for change in changes]))

    def judged(change: ShapChange | None) -> ShapChange | None:
        return None if change is None else replace(change, q_value=next(q_values))

    found = []
    for one in reasons:
        size, direction, turned = judged(one.size), judged(one.direction), judged(one.curve)
        assert size is not None
        assert direction is not None
        known = [change for change in (size, direction, turned) if change is not None]
        moved = any(change.q_value <= alpha and abs(change.value) >= material for change in known)
        found.append(replace(one, size=size, direction=direction, curve=turned, moved=moved))
    return tuple(sorted(found, key=lambda one: (-_farthest(one), one.column)))


def _against(reasons: Sequence[Reason], lost: "_Losses | None", *, alpha: float) -> list[Reason]:
    """Mark the features that add to the loss: changes of parts of the loss are a family of tests of their own."""
    if lost is None:
        return list(reasons)
    q_values = benjamini_hochberg([part.p_value for part in lost.parts])
    smallest = LOST * lost.reference
    found = []
    for one, part, q in zip(reasons, lost.parts, q_values, strict=True):
        turned = bool(q <= alpha and part.interval.low > 0 and part.value >= smallest)
        found.append(replace(one, loss=replace(part, q_value=q), turned=turned))
    return found


def _farthest(one: Reason) -> float:
    return max(abs(change.value) for change in (one.size, one.direction, one.curve) if change is not None)


# --- against the label ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Losses:
    """Change of the mean loss, of the loss at the base value, and of the part of each feature."""

    total: ShapChange
    reference: float
    start: float
    parts: list[ShapChange]
    halves: list[bool]
    unit: str


def _losses(sides: ExplainedWindows) -> _Losses | None:
    if sides.truth is None:
        return None
    known = [np.isfinite(truth) for truth in sides.truth]
    if min(int(mask.sum()) for mask in known) < MIN_ROWS:
        return None
    divided = [
        divide_loss(one.take(mask), truth[mask])
        for one, truth, mask in zip(sides.explained, sides.truth, known, strict=True)
    ]
    start = [part.start[:, None] for part in divided]
    return _Losses(
        total=_means(divided[0].total[:, None], divided[1].total[:, None])[0],
        reference=float(divided[0].total.mean()),
        start=_means(*start)[0].value,
        parts=_means(divided[0].parts, divided[1].parts),
        halves=_in_both_halves(divided[0].parts, divided[1].parts),
        unit=divided[0].unit,
    )


def _in_both_halves(before: Floats, after: Floats) -> list[bool]:
    """Whether each column's mean rose significantly in either half of the rows (even and odd ones)."""
    halves = [_means(before[start::2], after[start::2]) for start in (0, 1)]
    return [all(change.interval.low > 0 for change in both) for both in zip(*halves, strict=True)]


# --- jointly, and what is drawn ---------------------------------------------------------------------------------------


def _joint(before: Explained, after: Explained, *, rng: np.random.Generator) -> Joint | None:
    if min(len(before), len(after)) < MIN_ROWS_JOINT:
        return None
    weighty = np.argsort(-(before.sizes.mean(axis=0) + after.sizes.mean(axis=0)), kind="stable")
    windows = [_weightiest(one, weighty) for one in (before, after)]
    try:
        return classifier_two_sample(windows[0], windows[1], rng=rng)
    except Unanswerable:  # constant values separate nothing
        return None


def _weightiest(one: Explained, order: Any) -> pd.DataFrame:
    kept = replace(
        one, features=tuple(one.features[at] for at in order[:CARRIED]), values=one.values[:, order[:CARRIED]]
    )
    rest = one.values[:, order[CARRIED:]].sum(axis=(1, 2))
    return kept.frame() if len(order) <= CARRIED else kept.frame().assign(**{OTHERS: rest})


def _curve(sides: ExplainedWindows, name: str) -> DependenceCurve:
    at = sides.explained[0].features.index(name)
    shap = sides.explained[0].values[:, at].sum(axis=1), sides.explained[1].values[:, at].sum(axis=1)
    if any(name not in rows for rows in sides.rows):
        return DependenceCurve(column=name, labels=(), numeric=False, reference=(), current=(), errors=(), rows=())
    return curve(name, binned(*(rows[name] for rows in sides.rows)), shap)


def _swarm(
    sides: ExplainedWindows, names: Sequence[str], *, rng: np.random.Generator
) -> tuple[tuple[str, Points, Points], ...]:
    """Points of a beeswarm plot: SHAP values of a few rows, with the rank of the feature value from 0 to 1."""
    chosen = [np.sort(rng.permutation(len(one))[:SWARM]) for one in sides.explained]
    few = [table.iloc[at] for table, at in zip(sides.rows, chosen, strict=True)]
    return tuple((name, *_points(sides, name, chosen, few=few)) for name in names)


def _points(
    sides: ExplainedWindows, name: str, chosen: Sequence[Any], *, few: Sequence[pd.DataFrame]
) -> tuple[Points, Points]:
    shap = [
        one.values[at, one.features.index(name)].sum(axis=1) for one, at in zip(sides.explained, chosen, strict=True)
    ]
    places = (
        _places([table[name] for table in few]) if all(name in table for table in few) else [0.5] * sum(map(len, shap))
    )
    pairs = [(float(value), place) for value, place in zip(np.concatenate(shap), places, strict=True)]
    return tuple(pairs[: len(shap[0])]), tuple(pairs[len(shap[0]) :])


def _places(columns: "Sequence[pd.Series[Any]]") -> list[float]:
    """Rank of each value among those of both windows, from 0 to 1."""
    from scipy.stats import rankdata

    bins = binned(*columns)
    both = np.concatenate(bins.values if bins.numeric else [place.astype(float) for place in bins.place])
    ranks: list[float] = ((rankdata(both) - 1) / max(len(both) - 1, 1)).round(3).tolist()
    return ranks
