"""Public question on explanation shift: how the model's reasons (SHAP values) changed between two windows."""

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from rca.analysis.explanation.model_selection import explain_windows, given_shift
from rca.analysis.explanation.results import ExplanationShift
from rca.analysis.explanation.shap_values import Explained, given
from rca.analysis.inputs.arguments import TableRoles, share_of, spelled_out
from rca.analysis.inputs.windows import Windows, as_frames, windows_asked, windows_from
from rca.analysis.slices.slices import Slices
from rca.errors import InvalidCase
from rca.methods.boosted_trees import on_one_thread
from rca.record.model.model_file import model_in_memory

if TYPE_CHECKING:
    import pandas as pd

    from rca.record.case import Case


def explanation_of(
    windows: Windows, slices: Slices | None = None, *, seed: int = 0, alpha: float = 0.05
) -> ExplanationShift:
    """Explanation shift of two windows, over all rows and in the slices that carry the harm."""
    found = [one.conditions for one in slices.slices] if slices is not None else []
    return explain_windows(windows.by_weight, slices=found, seed=seed, alpha=alpha)


@spelled_out(TableRoles)
@on_one_thread
def explain(
    case: "Case | Any",
    current: Any = None,
    *,
    model: Any = None,
    seed: int = 0,
    alpha: float = 0.05,
    **roles: Unpack[TableRoles],
) -> ExplanationShift:
    """Explanation shift: how the SHAP values of the model changed, of a case, two tables, or given SHAP values.

    Parameters
    ----------
    case : Case, table, or shap.Explanation
    current : table, or shap.Explanation, optional
    model : LightGBM, XGBoost or scikit-learn model, or callable; or a pair of them
        What answered rows of plain tables; of a pair the first answered the reference, the second the current rows.
        Without one, columns such as `shap_income` are taken, or surrogates fitted to the column of scores.
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
        return explanation_of(windows_asked(case, None, roles), seed=seed, alpha=alpha)
    if _is_explained(case) and _is_explained(current):
        _require_none({**roles, "model": model})
        return given_shift(given(case), given(current), (_data(case), _data(current)), seed=seed, alpha=alpha)
    pair = tuple(model) if isinstance(model, tuple | list) else None
    if pair is not None and (len(pair) != 2 or any(one is None for one in pair)):
        what = f"{sum(one is not None for one in pair)} models, where a pair answers: one before, one after"
        raise InvalidCase.because(what, place="model", hint="give two, or one by itself")
    alone = model if pair is None else None
    asked: dict[str, Any] = {"metric": "mae", **roles}  # which, it does not ask
    windows = windows_from(*as_frames(case, current), model=alone, **asked)
    known, both = windows.roles, None
    if pair is not None:
        first, second = (model_in_memory(one, features=known.features, positive=known.positive) for one in pair)
        both = first, first if pair[0] is pair[1] else second
    return explain_windows(windows, models=both, brought=model is None, seed=seed, alpha=alpha)


def _require_none(asked: dict[str, Any]) -> None:
    """Refuse arguments on columns or models where SHAP values alone are given."""
    for name, value in asked.items():
        if value is not None:
            hint = "give tables with the values as columns, such as shap_income, for questions of a label or of groups"
            raise InvalidCase.because(f"SHAP values alone have no {name}", place="arguments", hint=hint)


def _is_explained(table: Any) -> bool:
    return isinstance(table, Explained) or (hasattr(table, "base_values") and hasattr(table, "feature_names"))


def _data(explanation: Any) -> "pd.DataFrame":
    """The rows that an explanation holds, if any."""
    import pandas as pd

    data, values = getattr(explanation, "data", None), explanation.values
    if data is None:
        return pd.DataFrame(index=range(len(values)))
    names, held = list(explanation.feature_names or ()), np.asarray(data)
    if held.shape != (len(values), len(names)):
        what = f"data have the shape {held.shape}, for {len(values)} rows of {len(names)} features"
        raise InvalidCase.because(what, place="SHAP values", hint="leave data out, or give one value for each")
    return pd.DataFrame(held, columns=names).infer_objects()
