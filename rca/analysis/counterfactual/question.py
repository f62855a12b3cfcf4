"""Public what-if question: counterfactual decisions under one intervention."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from rca.analysis.counterfactual.decision import reader_of
from rca.analysis.counterfactual.outcome_model import WHAT_IF_QUESTION
from rca.analysis.counterfactual.scenarios import scenario_of
from rca.analysis.counterfactual.what_if import WhatIf, predict_what_if
from rca.analysis.drift.question import drift_of
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.faults.question import faults_of
from rca.analysis.inputs.arguments import Comparison, seeded, share_of, spelled_out
from rca.analysis.inputs.windows import Windows, windows_asked
from rca.methods.boosted_trees import on_one_thread

if TYPE_CHECKING:
    from rca.record.case import Case
    from rca.record.schema.incident import Timeline


@spelled_out(Comparison)
@on_one_thread
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
    **asked: Unpack[Comparison],
) -> WhatIf:
    """Counterfactual decisions of a case or of two tables under one of four interventions.

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
        If none or more than one intervention is asked for, or what it names is not there.
    Unanswerable
        If the data cannot say, for want of a model, of a fault that can be undone, or of rows at that time.

    Examples
    --------
    >>> import numpy as np
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
    broke = faults_of(windows, drift_of(windows))
    return what_if_of(windows, broke, timeline, wanted=wanted, seed=seed, level=level)


def what_if_of(
    windows: Windows,
    faults: Faults,
    timeline: "Timeline | None",
    *,
    wanted: Mapping[str, Any],
    seed: int = 0,
    level: float = 0.95,
) -> WhatIf:
    """Counterfactual decisions under the one intervention that is wanted, given the diagnosed faults."""
    reader = reader_of(windows, question=WHAT_IF_QUESTION)
    scenario = scenario_of(windows, faults, timeline=timeline, asked=wanted, rng=seeded(seed))
    return predict_what_if(windows, scenario, reader, rng=seeded(seed), level=level)
