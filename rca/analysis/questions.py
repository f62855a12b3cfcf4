"""The questions one at a time, of a case or of plain tables.

Of plain tables the columns' roles are named as arguments: ``harm(before, after, metric="error_rate", label="paid")``.
Tables may be of pandas, polars, Arrow, DuckDB, Dask or PySpark, or paths of Parquet files; drift of tables that are
read only when asked for is told from sketches, counted where the rows are.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rca.analysis import ancestry, answers
from rca.analysis import causes as mechanisms
from rca.analysis import explain as explaining
from rca.analysis.answering import QUESTION
from rca.analysis.arguments import margin_of, names_of, seeded, share_of
from rca.analysis.aspects import Of
from rca.analysis.causes import Causes
from rca.analysis.columns import as_numbers
from rca.analysis.decided import reader_of
from rca.analysis.drift import MATERIAL, Drift
from rca.analysis.drift import drift as compare
from rca.analysis.explained import Explained, given
from rca.analysis.faults import Faults
from rca.analysis.frames import as_pandas, column_names, is_lazy
from rca.analysis.gaps import Gaps
from rca.analysis.gaps import gaps as compare_groups
from rca.analysis.harm import Harm
from rca.analysis.harm import harm as divide
from rca.analysis.joint import Joint
from rca.analysis.joint import joint as tell_apart
from rca.analysis.onset import Onset
from rca.analysis.reasons import ExplanationShift
from rca.analysis.recovery import QUESTION as RECOVERED
from rca.analysis.recovery import Recovery, recovery_of
from rca.analysis.scenarios import scenario_of
from rca.analysis.sketch import Sketch, sketch
from rca.analysis.sketched import drift_of
from rca.analysis.slices import Slices
from rca.analysis.slices import slices as locate
from rca.analysis.whatif import WhatIf
from rca.analysis.whatif import what_if as imagine
from rca.analysis.windows import Windows, both_windows, windows_from, windows_of
from rca.errors import InvalidCase, Unanswerable, did_you_mean
from rca.record.model import model_in_memory

if TYPE_CHECKING:
    import pandas as pd

    from rca.record.case import Case


def drift(
    reference: "Case | Any",
    current: Any = None,
    *,
    features: Any = None,
    categorical: Any = (),
    alpha: float = 0.05,
    material: float = MATERIAL,
) -> Drift:
    """What moved between the windows of a case, or between two tables or sketches.

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
        case = _case(reference)
        return compare(*both_windows(case), roles=case.roles, alpha=alpha, material=material)
    named = None if features is None else names_of(features, place="features")
    codes = names_of(categorical, place="categorical")
    if isinstance(reference, Sketch) or isinstance(current, Sketch) or is_lazy(reference) or is_lazy(current):
        first, second = _sketched(reference, current, features=named, categorical=codes)
        return drift_of(first, second, alpha=alpha, material=material)
    wanted = column_names(reference) if named is None else named
    before, after = _frames(reference, current, wanted)
    return compare(before, after, features=wanted, categorical=codes, alpha=alpha, material=material)


def _sketched(reference: Any, current: Any, *, features: Any, categorical: Any) -> tuple[Sketch, Sketch]:
    first = reference if isinstance(reference, Sketch) else None
    if first is None:
        like = current if isinstance(current, Sketch) else None
        first = sketch(reference, like, features=features, categorical=categorical)
    return first, current if isinstance(current, Sketch) else sketch(current, first)


def faults(case: "Case | Any", current: Any = None, **roles: Any) -> Faults:
    """How each column broke, of a case or of two tables.

    Parameters
    ----------
    case : Case or table
    current : table, optional
    **roles
        Columns of plain tables by role, as `windows_from` takes them.
    """
    if current is not None:
        asked = {"metric": "mae", **roles}  # which metric, no fault asks; this one asks not what means yes
        windows = windows_from(*_frames(case, current), **asked)
    else:
        windows = windows_of(_case(case))
    return answers.how_it_broke(windows, answers.what_moved(windows))


def harm(case: "Case | Any", current: Any = None, *, seed: int = 0, **asked: Any) -> Harm:
    """How much of the metric's change each thing did, of a case or of two tables.

    Parameters
    ----------
    case : Case or table
    current : table, optional
    seed : int
    **asked
        Of plain tables: metric, model, graph and the columns' roles, as `windows_from` takes them.

    Raises
    ------
    InvalidCase
        If an argument, or a table, is not what it has to be; it says which, and how to mend it.
    Unanswerable
        If the case has not both windows, or no metric.
    """
    windows = windows_asked(case, current, asked)
    moved = answers.what_moved(windows)
    return divide(windows, moved, answers.how_it_broke(windows, moved), rng=seeded(seed))


def slices(case: "Case | Any", current: Any = None, *, seed: int = 0, **asked: Any) -> Slices:
    """Where the change in harm sits, of a case or of two tables; arguments as for `harm`."""
    from rca.analysis.metric import measure

    windows = windows_asked(case, current, asked)
    groups = windows.meter.segments(windows.reference, windows.current)
    parts = [windows.meter.parts(rows, groups=groups) for rows in (windows.reference, windows.current)]
    measured = measure(parts[0], parts[1], windows.metric, rng=seeded(seed))
    return locate(windows, measured, rng=seeded(seed))


def gaps(case: "Case | Any", current: Any = None, **asked: Any) -> Gaps:
    """Gaps between groups in both windows, of a case or of two tables; arguments as for `harm`."""
    return compare_groups(windows_asked(case, current, asked))


def joint(case: "Case | Any", current: Any = None, *, features: Any = None, seed: int = 0) -> Joint:
    """Whether features moved together, of a case or of two tables."""
    rng = seeded(seed)
    named = None if features is None else names_of(features, place="features")
    if current is not None:
        return tell_apart(*_frames(case, current), features=named, rng=rng)
    known = _case(case)
    return tell_apart(*both_windows(known), features=named or known.roles.features, rng=rng)


def causes(
    case: "Case | Any",
    current: Any = None,
    *,
    graph: Any = None,
    target: str | None = None,
    of: Of = "mean",
    seed: int = 0,
    alpha: float = 0.05,
    level: float = 0.95,
    **asked: Any,
) -> Causes:
    """Which mechanism of a causal graph changed, and what that did to the metric or to a column.

    Parameters
    ----------
    case : Case or table
    current : table, optional
    graph : Graph, networkx graph, mapping of node to causes, or pairs of cause and effect, optional
        The case's own where left out.
    target : str, optional
        Column that is looked at; the metric where left out.
    of : {'mean', 'variance', 'distribution'}
        What of the column changed.
    seed : int
        Draws the folds.
    alpha, level : float
        False discovery rate of the mechanisms that are called changed, which where none did is the chance that any is;
        level of the intervals.
    **asked
        Of plain tables: metric, model and the columns' roles, as `windows_from` takes them.

    Raises
    ------
    InvalidCase
        If the graph has a cycle, does not know the target or misspells a column.
    Unanswerable
        If there is no graph, or what is asked is not identifiable with the columns there are.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> before, after = (pd.DataFrame({"x": rng.normal(size=1000)}) for _ in range(2))
    >>> before["y"] = before["x"] + rng.normal(size=1000)
    >>> after["y"] = after["x"] + 1 + rng.normal(size=1000)
    >>> print(causes(before, after, graph=[("x", "y")], target="y"))
    the mean of y changed by +1.13; 1 of 2 mechanisms changed: y +1.09 (1 to 1.17)
    """
    if current is not None and target is not None:
        asked = {"metric": {"name": "mean", "column": target}, **asked}
    windows = windows_asked(case, current, asked)
    if target is not None:
        _require_numbers(windows, target)
    known = graph if graph is not None else getattr(case, "graph", None)
    if known is not None and (graph is not None or known.kind == "causal"):
        windows = replace(windows, parents=ancestry.parents_of(ancestry.edges_of(known)))
    alpha, level = share_of(alpha, place="alpha"), share_of(level, place="level", inside=True)
    return mechanisms.causes(windows, target=target, of=of, rng=seeded(seed), alpha=alpha, level=level)


def _require_numbers(windows: Windows, target: str) -> None:
    """Refuse to take the mean of what is no number, or no column."""
    for rows in (windows.reference, windows.current):
        if target not in rows:
            hint = did_you_mean(target, map(str, rows.columns))
            raise InvalidCase.because(f"no column {target!r} in both windows", place="target", hint=hint)
        if not np.isfinite(as_numbers(rows[target])).any():
            hint = "name a column of numbers, or leave it out and name the metric 'rate'"
            raise InvalidCase.because(f"the column {target!r} holds no numbers", place="target", hint=hint)


def what_if(
    case: "Case | Any",
    current: Any = None,
    *,
    mend: Any = None,
    without_event: Any = None,
    rolled_back_at: Any = None,
    earlier: Any = None,
    seed: int = 0,
    level: float = 0.95,
    **asked: Any,
) -> WhatIf:
    """What would have been decided otherwise, of a case or of two tables: one of four things is asked.

    Parameters
    ----------
    case : Case or table
    current : table, optional
    mend : str or iterable of str, optional
        Columns that had been whole.
    without_event : str, datetime or Event, optional
        An event that had not happened: what the timeline says of it, or a part of that.
    rolled_back_at : datetime or str, optional
        A moment, or the name of one such as "detected", from which on the model of the reference had answered.
    earlier : timedelta, optional
        By how much the alert had come earlier.
    seed : int
    level : float
        Of the intervals.
    **asked
        Of plain tables: metric, model and the columns' roles, as `windows_from` takes them.

    Returns
    -------
    WhatIf
        Its `frame()` has the rows one by one.

    Raises
    ------
    InvalidCase
        If none or more than one is asked, or what is asked for is not there.
    Unanswerable
        If the data cannot say, for want of a model, of a fault that can be undone, or of rows at that time.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> before, after = (pd.DataFrame({"age": rng.normal(40, 10, 500)}) for _ in range(2))
    >>> before["said"], after["age"] = before["age"] > 50, after["age"] * 12
    >>> after["said"] = after["age"] > 50
    >>> def model(rows): return (rows["age"] > 50).astype(float)
    >>> found = what_if(before, after, mend="age", model=model, prediction="said", positive=True, metric="error_rate")
    >>> print(found)
    had age been whole, 436 of 500 decisions would have been otherwise (said: 436 False instead of True)
    """
    windows, level = windows_asked(case, current, asked), share_of(level, place="level", inside=True)
    timeline = case.incident.timeline if current is None else None
    wanted = {"mend": mend, "without_event": without_event, "rolled_back_at": rolled_back_at, "earlier": earlier}
    broke = answers.how_it_broke(windows, answers.what_moved(windows))
    reader = reader_of(windows, question=QUESTION)
    scenario = scenario_of(windows, broke, timeline=timeline, asked=wanted, rng=seeded(seed))
    return imagine(windows, scenario, reader, rng=seeded(seed), level=level)


def explain(
    case: "Case | Any", current: Any = None, *, model: Any = None, seed: int = 0, alpha: float = 0.05, **roles: Any
) -> ExplanationShift:
    """How the model's reasons changed, of a case, of two tables, or of SHAP values that are there already.

    Parameters
    ----------
    case : Case, table, or shap.Explanation
    current : table, or shap.Explanation, optional
    model : LightGBM, XGBoost or scikit-learn model, or callable; or a pair of them
        What answered rows of plain tables; of a pair the first answered the reference, the second the current rows.
        Without one, columns such as `shap_income` are taken, or stand-ins fitted to the column of scores.
    seed : int
    alpha : float
        False discovery rate.
    **roles
        Columns of plain tables by role, as `windows_from` takes them: `label`, `score`, `groups`, …

    Raises
    ------
    Unanswerable
        If there is no model, nor scores or SHAP values; or the model cannot be explained.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn.linear_model import LinearRegression
    >>> rng = np.random.default_rng(0)
    >>> before, after = (pd.DataFrame(rng.normal(size=(400, 2)), columns=["a", "b"]) for _ in range(2))
    >>> then, now = (LinearRegression().fit(before, before @ weights) for weights in ([1.0, 0.2], [1.0, 0.8]))
    >>> print(explain(before, after, model=(then, now)).moved()[0])
    b weighs more: mean |SHAP| 0.159 → 0.617 (rank 2 → 2)
    """
    alpha = share_of(alpha, place="alpha")
    if current is None:
        return answers.how_it_reasoned(windows_asked(case, None, roles), seed=seed, alpha=alpha)
    if _is_explained(case) and _is_explained(current):
        _require_none({**roles, "model": model})
        return explaining.given_shift(
            given(case), given(current), (_data(case), _data(current)), seed=seed, alpha=alpha
        )
    pair = tuple(model) if isinstance(model, tuple | list) else None
    if pair is not None and (len(pair) != 2 or any(one is None for one in pair)):
        what = f"{sum(one is not None for one in pair)} models, where a pair answers: one before, one after"
        raise InvalidCase.because(what, place="model", hint="give two, or one by itself")
    alone = model if pair is None else None
    windows = windows_from(*_frames(case, current), model=alone, **{"metric": "mae", **roles})  # which, it does not ask
    known, both = windows.roles, None
    if pair is not None:
        first, second = (model_in_memory(one, features=known.features, positive=known.positive) for one in pair)
        both = first, first if pair[0] is pair[1] else second
    return explaining.explain(windows, models=both, brought=model is None, seed=seed, alpha=alpha)


def _require_none(asked: dict[str, Any]) -> None:
    """SHAP values by themselves leave nothing to be said of columns or models."""
    for name, value in asked.items():
        if value is not None:
            hint = "give tables with the values as columns, such as shap_income, for questions of a label or of groups"
            raise InvalidCase.because(f"SHAP values alone have no {name}", place="arguments", hint=hint)


def _is_explained(table: Any) -> bool:
    return isinstance(table, Explained) or (hasattr(table, "base_values") and hasattr(table, "feature_names"))


def _data(explanation: Any) -> "pd.DataFrame":
    """The rows that an explanation carries along, if any."""
    import pandas as pd

    data, values = getattr(explanation, "data", None), explanation.values
    if data is None:
        return pd.DataFrame(index=range(len(values)))
    names, held = list(explanation.feature_names or ()), np.asarray(data)
    if held.shape != (len(values), len(names)):
        what = f"data have the shape {held.shape}, for {len(values)} rows of {len(names)} features"
        raise InvalidCase.because(what, place="SHAP values", hint="leave data out, or give one value for each")
    return pd.DataFrame(held, columns=names).infer_objects()


def onset(case: "Case | Any", current: Any = None, *, seed: int = 0, **asked: Any) -> Onset | None:
    """Since when the metric, or the column that did the harm, differs; None where nothing is dated."""
    found = answers.answers(windows_asked(case, current, asked), seed=seed).since
    return found.onset if found is not None else None


def recovery(
    case: "Case | Any", recovered: Any = None, *, margin: float | None = None, alpha: float = 0.05, **asked: Any
) -> Recovery:
    """Whether the metric after the repair is back where it was, of a case or of two tables: an equivalence test.

    Parameters
    ----------
    case : Case or table
        Of tables: the rows from before the failure.
    recovered : table, optional
        Of tables: the rows after the repair.
    margin : float, optional
        The largest difference that counts as none, in the metric's unit; tables need one. Of a case it is
        `metric.margin`, or a tenth of the harm, where left out.
    alpha : float
        Level of each of the two one-sided tests.
    **asked
        Of plain tables: metric and the columns' roles, as `windows_from` takes them.

    Raises
    ------
    InvalidCase
        If an argument, or a table, is not what it has to be.
    Unanswerable
        If there are no rows after the repair, or they have no labels yet.

    Examples
    --------
    >>> import pandas as pd
    >>> before = pd.DataFrame({"late": [1] * 100 + [0] * 900})
    >>> after = pd.DataFrame({"late": [1] * 105 + [0] * 895})
    >>> recovery(before, after, metric={"name": "rate", "column": "late"}, margin=0.03).outcome
    'recovered'
    """
    alpha = share_of(alpha, place="alpha")
    margin = None if margin is None else margin_of(margin)
    if recovered is not None:
        both = windows_from(*_frames(case, recovered), **asked)
        if margin is None and both.metric.margin is None:
            hint = "say which difference counts as none, such as margin=0.01 for one percentage point"
            raise InvalidCase.because("two tables need a margin", place="margin", hint=hint)
        return recovery_of(both, both.current, margin=margin, alpha=alpha)
    windows = windows_asked(case, None, asked)
    rows = case.recovered
    if rows is None:
        raise Unanswerable(RECOVERED, "the case has no rows from after the repair (`data.recovered`)")
    return recovery_of(windows, rows, margin=margin, alpha=alpha)


def windows_asked(case: "Case | Any", current: Any, asked: dict[str, Any]) -> Windows:
    """Both windows, of a case or of two tables with their roles."""
    if current is not None:
        return windows_from(*_frames(case, current), **asked)
    if asked:
        raise InvalidCase.because(f"a case names its own {min(asked)}", place="arguments", hint="leave it out")
    return windows_of(_case(case))


def _frames(reference: Any, current: Any, columns: Any = None) -> tuple[Any, Any]:
    return as_pandas(reference, columns, place="reference"), as_pandas(current, columns, place="current")


def _case(given: "Case | Any") -> "Case":
    from rca.record.case import Case

    if not isinstance(given, Case):
        what = f"{type(given).__name__} alone cannot be compared"
        raise InvalidCase.because(what, place="arguments", hint="give a case, or a reference and a current table")
    return given
