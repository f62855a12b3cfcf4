"""How columns broke."""

from typing import TYPE_CHECKING, Any, Unpack

from rca.analysis.drift.question import drift_of
from rca.analysis.drift.univariate import Drift
from rca.analysis.faults.diagnosis import Faults, diagnose
from rca.analysis.inputs.arguments import TableRoles, spelled_out
from rca.analysis.inputs.windows import Windows, as_frames, require_case, windows_from, windows_of

if TYPE_CHECKING:
    from rca.record.case import Case


def faults_of(windows: Windows, moved: Drift) -> Faults:
    """How each column broke."""
    roles = windows.roles
    return diagnose(
        windows.reference,
        windows.current,
        moved,
        categorical=roles.categorical,
        groups=roles.groups,
        ordered=roles.time is not None,
        time=roles.time,
        entity=roles.entity or roles.id,
        label=roles.label,
    )


@spelled_out(TableRoles)
def faults(case: "Case | Any", current: Any = None, **roles: Unpack[TableRoles]) -> Faults:
    """How each column broke, of a case or of two tables.

    Parameters
    ----------
    case : Case or table
    current : table, optional
    **roles
        Columns of plain tables by role, as `windows_from` takes them.
    """
    if current is not None:
        asked: dict[str, Any] = {
            "metric": "mae",
            **roles,
        }  # which metric, no fault asks; this one asks not what means yes
        windows = windows_from(*as_frames(case, current), **asked)
    else:
        windows = windows_of(require_case(case))
    return faults_of(windows, drift_of(windows))
