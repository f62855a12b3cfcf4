"""Public questions on the conclusion: the verdict, and the equivalence test of the repair."""

from typing import TYPE_CHECKING, Any, Literal, Unpack

from rca.analysis.conclusion.analyse import analyse
from rca.analysis.conclusion.recovery import RECOVERY_QUESTION, Recovery, recovery_of
from rca.analysis.conclusion.verdict import Verdict
from rca.analysis.drift.question import drift_of
from rca.analysis.faults.application import hit
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.question import faults_of
from rca.analysis.harm.rivals.accused_rows import accused_rows
from rca.analysis.harm.rivals.rival import Rival
from rca.analysis.inputs.arguments import Comparison, margin_of, share_of, spelled_out
from rca.analysis.inputs.windows import as_frames, windows_asked, windows_from
from rca.analysis.slices.slices import Slice
from rca.errors import InvalidCase, Unanswerable
from rca.record.case import Case
from rca.tables.condition import all_hold

if TYPE_CHECKING:
    from pandas import DataFrame


def verdict(case: "Case", *, seed: int = 0) -> Verdict:
    """The verdict of a case: ranked causes, no incident, or cannot tell."""
    return analyse(case, seed=seed).verdict


@spelled_out(Comparison)
def recovery(
    case: "Case | Any",
    recovered: Any = None,
    *,
    margin: float | None = None,
    alpha: float = 0.05,
    **asked: Unpack[Comparison],
) -> Recovery:
    """Equivalence test (TOST) of recovery: the metric after the repair against the reference.

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
        both = windows_from(*as_frames(case, recovered), **asked)
        if margin is None and both.metric.margin is None:
            hint = "say which difference counts as none, such as margin=0.01 for one percentage point"
            raise InvalidCase.because("two tables need a margin", place="margin", hint=hint)
        return recovery_of(both, both.current, margin=margin, alpha=alpha)
    windows = windows_asked(case, None, asked)
    rows = case.recovered
    if rows is None:
        raise Unanswerable(RECOVERY_QUESTION, "the case has no rows from after the repair (`data.recovered`)")
    return recovery_of(windows, rows, margin=margin, alpha=alpha)


def rows_of(
    case: Case, of: "Slice | ColumnFault | Rival", *, window: Literal["reference", "current"] = "current"
) -> "DataFrame":
    """The rows of a case that a slice, a fault or a rival is about: from a claim to what it was made of.

    Parameters
    ----------
    case : Case
    of : Slice, ColumnFault or Rival
        As `slices`, `faults`, `harm` or `analyse` gave it. Of a rival: the rows that the fault of its column hit, all
        copies but one of each set, rows without an outcome, or the few rows that carry the change.
    window : {'reference', 'current'}
        Of a fault only the current one: it hit no other.

    Returns
    -------
    pandas.DataFrame
        In order of time where that is known, with the index of the window.

    Raises
    ------
    InvalidCase
        If it is none of these, or about no rows that could be told from others.
    """
    windows = windows_asked(case, None, {})
    rows = windows.reference if window == "reference" else windows.current
    if isinstance(of, Rival) and of.kind == "feature" and window == "current":
        of = faults_of(windows, drift_of(windows)).get(of.name) or of
    if isinstance(of, ColumnFault) and window == "current":
        return rows[hit(of, rows)]
    if isinstance(of, Slice):
        return rows[all_hold(of.conditions, rows)]
    meant = accused_rows(windows, of, window=window) if isinstance(of, Rival) else None
    if meant is None:
        told = f"the {of.kind} {of.name}" if isinstance(of, Rival) else type(of).__name__
        hint = "give a slice, as slices(case).slices[0], or a fault, as faults(case).broken[0]; of a fault current rows"
        raise InvalidCase.because(f"{told} has no rows in the {window} window", place="of", hint=hint)
    return rows[meant]
