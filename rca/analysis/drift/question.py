"""Drift between the windows: univariate two-sample tests of every column, and a joint classifier two-sample test."""

from typing import TYPE_CHECKING, Any

from rca.analysis.drift.classifier_two_sample import Joint, classifier_two_sample
from rca.analysis.drift.from_sketches import drift_of_sketches
from rca.analysis.drift.univariate import MATERIAL, Drift, univariate_drift
from rca.analysis.inputs.arguments import names_of, seeded, share_of
from rca.analysis.inputs.weights import in_proportion
from rca.analysis.inputs.windows import Windows, as_frames, both_windows, require_case
from rca.methods.boosted_trees import on_one_thread
from rca.tables.frames import column_names, is_lazy
from rca.tables.sketch import Sketch, sketch

if TYPE_CHECKING:
    from rca.record.case import Case


def drift_of(windows: Windows, *, alpha: float = 0.05) -> Drift:
    """Univariate drift: a two-sample test of every column."""
    rows = windows.by_weight
    return univariate_drift(rows.reference, rows.current, roles=windows.roles, alpha=alpha)


def joint_of(windows: Windows, *, seed: int = 0) -> Joint:
    """Joint drift of the features, by a classifier two-sample test (C2ST)."""
    rng = seeded(seed)
    rows = windows.by_weight
    return classifier_two_sample(rows.reference, rows.current, features=windows.roles.features, rng=rng)


def drift(
    reference: "Case | Any",
    current: Any = None,
    *,
    features: Any = None,
    categorical: Any = (),
    alpha: float = 0.05,
    material: float = MATERIAL,
) -> Drift:
    """Univariate drift between the windows of a case, or between two tables or sketches: tests, effects, intervals.

    Parameters
    ----------
    reference : Case, table or Sketch
    current : table or Sketch, optional
        Needed unless `reference` is a case.
    features : str or iterable of str, optional
        Columns to compare; all where left out.
    categorical : str or iterable of str
        Numeric columns that are codes.
    alpha, material : float
        False discovery rate, and the smallest effect that is called a move (share of rows).

    Raises
    ------
    InvalidCase
        If one is no table, lacks a column or has it twice; or if an argument is not what it has to be.
    Unanswerable
        If the case has not both windows, or a window is empty.

    Examples
    --------
    >>> import pandas as pd
    >>> before = pd.DataFrame({"a": [*range(100)] * 5, "b": ["x", "y"] * 250})
    >>> print(drift(before, before.assign(a=before["a"] + 50)))
    1 of 2 columns moved: a
    """
    alpha, material = share_of(alpha, place="alpha"), share_of(material, place="material")
    if current is None:
        case = require_case(reference)
        rows = (in_proportion(window, case.roles.weight) for window in both_windows(case))
        return univariate_drift(*rows, roles=case.roles, alpha=alpha, material=material)
    named = None if features is None else names_of(features, place="features")
    codes = names_of(categorical, place="categorical")
    if isinstance(reference, Sketch) or isinstance(current, Sketch) or is_lazy(reference) or is_lazy(current):
        first, second = _sketched(reference, current, features=named, categorical=codes)
        return drift_of_sketches(first, second, alpha=alpha, material=material)
    wanted = column_names(reference) if named is None else named
    before, after = as_frames(reference, current, wanted)
    return univariate_drift(before, after, features=wanted, categorical=codes, alpha=alpha, material=material)


def _sketched(reference: Any, current: Any, *, features: Any, categorical: Any) -> tuple[Sketch, Sketch]:
    first = reference if isinstance(reference, Sketch) else None
    if first is None:
        like = current if isinstance(current, Sketch) else None
        first = sketch(reference, like, features=features, categorical=categorical)
    return first, current if isinstance(current, Sketch) else sketch(current, first)


@on_one_thread
def joint(case: "Case | Any", current: Any = None, *, features: Any = None, seed: int = 0) -> Joint:
    """Joint drift of the features of a case, or of two tables, by a classifier two-sample test (C2ST)."""
    rng = seeded(seed)
    named = None if features is None else names_of(features, place="features")
    if current is not None:
        return classifier_two_sample(*as_frames(case, current), features=named, rng=rng)
    known = require_case(case)
    rows = (in_proportion(window, known.roles.weight) for window in both_windows(known))
    return classifier_two_sample(*rows, features=named or known.roles.features, rng=rng)
